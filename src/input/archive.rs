//! A zip of prediction files.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{CANCELLED, Collector, MAX_FILE_BYTES, OnProgress, Progress, Stage, sha256_of};
use crate::dataset::Predictions;
use crate::error::Error;

const ZIP: &str = "a zip of prediction files, stored or deflated; pack the folder again as an ordinary zip";

/// Reads every prediction file in a zip. `name` is the zip's base name.
///
/// Folders, `__MACOSX/`, `._*`, `.DS_Store` and files of other kinds are passed over. A file that cannot be read is kept
/// with its error, since it matters only if it belongs to an image.
///
/// # Errors
/// If the zip itself cannot be read, holds other files only, or two files of one name; or if `on_progress` ended it.
pub fn read<R: Read + Seek>(name: &str, mut archive: R, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let mut zip = ZipArchive::new(&mut archive).map_err(|error| broken(name, &error))?;
    if zip.has_duplicate_names() {
        let directory = zip.central_directory_start();
        reject_duplicates(name, &mut archive, directory)?;
        zip = ZipArchive::new(&mut archive).map_err(|error| broken(name, &error))?;
    }
    let entries = prediction_entries(&zip);
    let total = entries.iter().map(|entry| entry.stored_bytes).sum();
    let mut files = Collector::new();
    let mut bytes = Vec::new();
    let mut done = 0;
    for Entry { at, path, stored_bytes } in entries {
        if on_progress(Progress { stage: Stage::Reading, done, total }).is_break() {
            return Err(Error::new(name, CANCELLED, "to be read to the end"));
        }
        let Some(format) = Collector::format_of(&path) else { continue };
        let inflated = inflate(&mut zip, at, &path, &mut bytes);
        files.add(path, format, inflated.map(|()| bytes.as_slice()));
        done += stored_bytes;
    }
    if files.files.is_empty() && !zip.is_empty() {
        return Err(Error::new(
            name,
            format!("none of its {} entries is a .json file", zip.len()),
            "one .json file an image",
        ));
    }
    let sha256 = sha256_of(archive, on_progress)
        .map_err(|error| Error::new(name, error.to_string(), "to be read to the end"))?;
    Ok(files.finish(name, sha256))
}

/// A prediction file in a zip.
struct Entry {
    at: usize,
    path: String,
    stored_bytes: u64,
}

fn prediction_entries<R: Read + Seek>(zip: &ZipArchive<R>) -> Vec<Entry> {
    let entry = |at| {
        let data = zip.by_index_data(at).ok()?;
        let path = String::from_utf8_lossy(data.name_raw()).replace('\\', "/");
        let is_wanted = !path.ends_with('/') && Collector::format_of(&path).is_some();
        is_wanted.then(|| Entry { at, path, stored_bytes: data.compressed_size() })
    };
    (0..zip.len()).filter_map(entry).collect()
}

/// Reads one entry into `bytes`, in place of what they hold.
fn inflate<R: Read + Seek>(zip: &mut ZipArchive<R>, at: usize, path: &str, bytes: &mut Vec<u8>) -> Result<(), Error> {
    bytes.clear();
    let entry = zip.by_index(at).map_err(|error| broken_entry(path, &error))?;
    entry.take(MAX_FILE_BYTES + 1).read_to_end(bytes).map_err(|error| broken_entry(path, &error.into()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::new(
            path,
            "it inflates to more than 256 MiB",
            "the predictions for one image, a few kilobytes",
        ));
    }
    Ok(())
}

/// Names a prediction file that stands twice in the list of entries; the `zip` crate keeps only the last one.
fn reject_duplicates(name: &str, archive: impl Read + Seek, directory: u64) -> Result<(), Error> {
    let names = raw_names(archive, directory).map_err(|error| broken(name, &error.into()))?;
    let mut seen = BTreeSet::new();
    for path in names {
        if Collector::format_of(&path).is_some() && !seen.insert(path.clone()) {
            return Err(Error::new(
                name,
                format!("it holds two files named \"{path}\""),
                "one file an image; remove one of them",
            ));
        }
    }
    Ok(())
}

/// The names in the central directory, in its order, double ones too (APPNOTE.TXT 6.3.10, section 4.3.12).
fn raw_names(mut archive: impl Read + Seek, directory: u64) -> io::Result<Vec<String>> {
    const SIGNATURE: [u8; 4] = *b"PK\x01\x02";
    archive.seek(SeekFrom::Start(directory))?;
    let mut reader = io::BufReader::new(archive);
    let mut names = Vec::new();
    loop {
        let mut header = [0; 46];
        if reader.read_exact(&mut header).is_err() || header[..4] != SIGNATURE {
            return Ok(names);
        }
        let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let mut name = Vec::new();
        reader.by_ref().take(length(28)).read_to_end(&mut name)?;
        io::copy(&mut reader.by_ref().take(length(30) + length(32)), &mut io::sink())?;
        names.push(String::from_utf8_lossy(&name).replace('\\', "/"));
    }
}

/// The sentence for a zip that cannot be opened.
fn broken(name: &str, error: &ZipError) -> Error {
    let what = match error {
        ZipError::Io(error) => format!("it cannot be read ({error})"),
        ZipError::InvalidArchive(why) => format!("it is not a whole zip ({why})"),
        other => format!("it cannot be opened ({other})"),
    };
    Error::new(name, what, ZIP)
}

/// The sentence for an entry that cannot be inflated.
fn broken_entry(path: &str, error: &ZipError) -> Error {
    let (what, expected) = match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ("it is encrypted".to_owned(), "a file without a password; pack the folder again without one")
        }
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
            (format!("it is packed in an unusual way ({error})"), ZIP)
        }
        ZipError::Io(error) => (format!("it is damaged ({error})"), ZIP),
        other => (format!("it is damaged ({other})"), ZIP),
    };
    Error::new(path, what, expected)
}
