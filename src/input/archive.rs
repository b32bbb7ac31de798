//! A zip of prediction files.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{CANCELLED, Collector, OUT_OF_MEMORY, OnProgress, Progress, Stage, sha256_of};
use crate::dataset::Predictions;
use crate::error::Error;
use crate::limits::{FREE_FILE_BYTES, FREE_ZIP_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_RATIO};

const ZIP: &str = "a zip of prediction files, stored or deflated; pack the folder again as an ordinary zip";
const WHOLE: &str = "a whole zip; copy or download it again, or pack the folder again";
const BOMB: &str = "an ordinary zip of prediction files; this is how zip bombs are made, so pack the folder again";
const SOUND: &str = "a sound zip; pack the folder again";
const ONE_IMAGE: &str = "the predictions for one image, a few kilobytes";

/// Reads every prediction file in a zip. `name` is the zip's base name.
///
/// Folders, `__MACOSX/`, `._*`, `.DS_Store` and files of other kinds are passed over. A file that cannot be read is kept
/// with its error, since it matters only if it belongs to an image.
///
/// # Errors
/// If the zip itself cannot be read, holds other files only, or two files of one name, or inflates to more than
/// [`crate::limits`] allow; if its boxes do not fit into the memory; or if `on_progress` ended it.
pub fn read<R: Read + Seek>(name: &str, mut archive: R, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let mut zip = match ZipArchive::new(&mut archive) {
        Ok(zip) => zip,
        Err(error) => return Err(broken(name, archive, &error)),
    };
    if zip.has_duplicate_names() {
        let directory = zip.central_directory_start();
        reject_duplicates(name, &mut archive, directory)?;
        zip = ZipArchive::new(&mut archive).map_err(|error| Error::new(name, error.to_string(), WHOLE))?;
    }
    let entries = prediction_entries(name, &zip)?;
    let total: u64 = entries.iter().map(|entry| entry.stored_bytes).sum();
    let mut files = Collector::new();
    let mut bytes = Vec::new();
    let (mut done, mut inflated_bytes) = (0, 0);
    for entry in entries {
        if on_progress(Progress { stage: Stage::Reading, done, total }).is_break() {
            return Err(Error::new(name, CANCELLED, "to be read to the end"));
        }
        let Some(format) = Collector::format_of(&entry.path) else { continue };
        let inflated = inflate(&mut zip, &entry, &mut bytes);
        inflated_bytes += bytes.len() as u64;
        if inflated_bytes > FREE_ZIP_BYTES.max(total.saturating_mul(MAX_RATIO)) {
            return Err(Error::new(name, format!("its files inflate to more than {MAX_RATIO} times their size"), BOMB));
        }
        done += entry.stored_bytes;
        files.add(entry.path, format, inflated.map(|()| bytes.as_slice())).map_err(|error| error.within(name))?;
    }
    if files.files.is_empty() && !zip.is_empty() {
        return Err(nothing_to_read(name, &zip));
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
    /// As the zip says.
    inflated_bytes: u64,
    compression: CompressionMethod,
}

/// The prediction files, in the order of the zip's list.
fn prediction_entries<R: Read + Seek>(name: &str, zip: &ZipArchive<R>) -> Result<Vec<Entry>, Error> {
    if zip.len() > MAX_FILES {
        let expected = format!("{MAX_FILES} at most; split it into several zips");
        return Err(Error::new(name, format!("it has {} entries", zip.len()), expected));
    }
    reject_overlaps(name, zip)?;
    let entry = |at| {
        let data = zip.by_index_data(at).ok()?;
        let path = String::from_utf8_lossy(data.name_raw()).replace('\\', "/");
        let is_wanted = !path.ends_with('/') && Collector::format_of(&path).is_some();
        is_wanted.then(|| Entry {
            at,
            path,
            stored_bytes: data.compressed_size(),
            inflated_bytes: data.size(),
            compression: data.compression(),
        })
    };
    Ok((0..zip.len()).filter_map(entry).collect())
}

/// Entries that share bytes make a small zip inflate to any size (D. Fifield, A better zip bomb, 2019).
fn reject_overlaps<R: Read + Seek>(name: &str, zip: &ZipArchive<R>) -> Result<(), Error> {
    /// What stands before the data of an entry at least (APPNOTE.TXT 6.3.10, section 4.3.7).
    const LOCAL_HEADER_BYTES: u64 = 30;
    let mut places: Vec<(u64, u64, usize)> = Vec::new();
    for at in 0..zip.len() {
        let Ok(data) = zip.by_index_data(at) else { continue };
        let start = data.header_start();
        let end = start.saturating_add(LOCAL_HEADER_BYTES).saturating_add(data.compressed_size());
        places.push((start, end, at));
    }
    places.sort_unstable();
    let path = |at| zip.by_index_data(at).map(|data| String::from_utf8_lossy(data.name_raw()).into_owned());
    for pair in places.windows(2) {
        let [(_, end, one), (start, _, other)] = *pair else { continue };
        if start < end
            && let (Ok(one), Ok(other)) = (path(one), path(other))
        {
            return Err(Error::new(name, format!("its entries \"{one}\" and \"{other}\" share bytes"), BOMB));
        }
    }
    Ok(())
}

/// The sentence for a zip without prediction files.
fn nothing_to_read<R: Read + Seek>(name: &str, zip: &ZipArchive<R>) -> Error {
    let paths = (0..zip.len()).filter_map(|at| zip.by_index_data(at).ok());
    let mut paths = paths.map(|data| String::from_utf8_lossy(data.name_raw()).into_owned());
    if let Some(inner) = paths.find(|path| path.to_ascii_lowercase().ends_with(".zip")) {
        let what = format!("it holds a zip (\"{inner}\") and no .json file");
        return Error::new(name, what, "one .json file an image; unpack it once and take the zip inside");
    }
    Error::new(name, format!("none of its {} entries is a .json file", zip.len()), "one .json file an image")
}

/// Reads one entry into `bytes`, in place of what they hold.
fn inflate<R: Read + Seek>(zip: &mut ZipArchive<R>, entry: &Entry, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let path = entry.path.as_str();
    bytes.clear();
    let most = MAX_FILE_BYTES.min(FREE_FILE_BYTES.max(entry.stored_bytes.saturating_mul(MAX_RATIO)));
    let inside = zip.by_index(entry.at).map_err(|error| broken_entry(entry, &error))?;
    inside.take(most + 1).read_to_end(bytes).map_err(|error| broken_entry(entry, &error.into()))?;
    let n = bytes.len() as u64;
    if n > MAX_FILE_BYTES {
        return Err(Error::new(path, "it inflates to more than 256 MiB", ONE_IMAGE));
    }
    if n > most {
        let what = format!("it inflates to more than {MAX_RATIO} times its size, as zip bombs do");
        return Err(Error::new(path, what, ONE_IMAGE));
    }
    if n != entry.inflated_bytes {
        let what = format!("it has {n} bytes, but the zip says {}", entry.inflated_bytes);
        return Err(Error::new(path, what, SOUND));
    }
    Ok(())
}

/// Names a prediction file that stands twice in the list of entries; the `zip` crate keeps only the last one.
fn reject_duplicates(name: &str, archive: impl Read + Seek, directory: u64) -> Result<(), Error> {
    let names = raw_names(archive, directory)
        .map_err(|error| Error::new(name, format!("it cannot be read ({error})"), WHOLE))?;
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
fn broken(name: &str, mut archive: impl Read + Seek, error: &ZipError) -> Error {
    if let ZipError::Io(error) = error
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return Error::new(name, format!("it cannot be read ({error})"), ZIP);
    }
    match has_end(&mut archive) {
        Ok(true) => Error::new(name, format!("its list of entries is damaged ({error})"), WHOLE),
        Ok(false) => {
            Error::new(name, "it is no zip, or cut short: the list of entries, which ends a zip, is missing", WHOLE)
        }
        Err(error) => Error::new(name, format!("it cannot be read ({error})"), ZIP),
    }
}

/// Whether the end of central directory record is there (APPNOTE.TXT 6.3.10, section 4.3.16), with which a zip ends
/// but for a comment.
fn has_end(mut archive: impl Read + Seek) -> io::Result<bool> {
    const MOST: u64 = 22 + u16::MAX as u64;
    let length = archive.seek(SeekFrom::End(0))?;
    archive.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut tail = Vec::new();
    archive.take(MOST).read_to_end(&mut tail)?;
    Ok(tail.windows(4).any(|window| window == b"PK\x05\x06"))
}

/// The sentence for an entry that cannot be inflated.
fn broken_entry(entry: &Entry, error: &ZipError) -> Error {
    let (what, expected) = match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ("it is encrypted".to_owned(), "a file without a password; pack the folder again without one")
        }
        ZipError::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            (OUT_OF_MEMORY.0.to_owned(), OUT_OF_MEMORY.1)
        }
        // The crate has no kinds of its own for these two.
        ZipError::Io(error) if error.to_string().contains("larger than its declared") => {
            (format!("it has more bytes than the zip says ({})", entry.inflated_bytes), SOUND)
        }
        ZipError::Io(error) if error.to_string().contains("checksum") => {
            ("its checksum is wrong: bytes were changed since it was packed".to_owned(), WHOLE)
        }
        error => match name_of_method(entry.compression) {
            Some(method) => (format!("it is compressed by {method}"), ZIP),
            None => (format!("it is damaged ({error})"), WHOLE),
        },
    };
    Error::new(entry.path.as_str(), what, expected)
}

/// What a compression method is called that is not read; `None` for those that are.
fn name_of_method(method: CompressionMethod) -> Option<&'static str> {
    const NAMES: &[(CompressionMethod, &str)] = &[
        (CompressionMethod::SHRINK, "Shrink"),
        (CompressionMethod::REDUCE_1, "Reduce"),
        (CompressionMethod::REDUCE_2, "Reduce"),
        (CompressionMethod::REDUCE_3, "Reduce"),
        (CompressionMethod::REDUCE_4, "Reduce"),
        (CompressionMethod::IMPLODE, "Implode"),
        (CompressionMethod::PKWARE_IMPLODE, "Implode"),
        (CompressionMethod::DEFLATE64, "Deflate64 (Windows does so above 2 GB)"),
        (CompressionMethod::BZIP2, "bzip2"),
        (CompressionMethod::LZMA, "LZMA"),
        (CompressionMethod::ZSTD, "Zstandard"),
        (CompressionMethod::ZSTD_DEPRECATED, "Zstandard"),
        (CompressionMethod::XZ, "xz"),
        (CompressionMethod::JPEG, "JPEG"),
        (CompressionMethod::PPMD, "PPMd"),
    ];
    if matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        return None;
    }
    let named = NAMES.iter().find(|(other, _)| *other == method);
    Some(named.map_or("a method that is not known", |(_, name)| name))
}
