//! A zip that is written from its first byte to its last.

use std::collections::HashSet;
use std::io::{self, Write};

use zip::CompressionMethod;
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

use crate::error::Error;

/// Keeps the first error of a writer and takes everything after it, so that a zip that is given up ends without a word.
struct UntilError<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: Write> Write for UntilError<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.error.is_none() {
            self.error = self.out.write_all(bytes).err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a zip of these files, whose bytes `write` gives one after the other.
pub(super) fn zip(
    out: impl Write,
    names: impl Iterator<Item = String>,
    mut write: impl FnMut(usize, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut zip: ZipWriter<StreamWriter<_>> = ZipWriter::new_stream(UntilError { out, error: None });
    // Without a date: the same run gives the same bytes.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(false);
    let mut bytes = Vec::new();
    for (at, name) in names.enumerate() {
        bytes.clear();
        write(at, &mut bytes)?;
        zip.start_file(name, options).map_err(io::Error::from)?;
        zip.write_all(&bytes)?;
    }
    let UntilError { error, .. } = zip.finish().map_err(io::Error::from)?.into_inner();
    error.map_or(Ok(()), Err)
}

/// That each of these is the name of one file, and of one that stays inside the folder it is unpacked into.
///
/// # Errors
/// If two are one, or one leads out.
pub(super) fn check(place: &str, names: impl Iterator<Item = String>) -> Result<(), Error> {
    let mut all = HashSet::new();
    for name in names {
        if name.split('/').any(|part| part == "..") {
            let what = format!("the file of an image would be \"{name}\"");
            return Err(Error::new(place, what, "names of images without \"..\""));
        }
        if let Some(name) = all.replace(name) {
            let what = format!("the file of two images would be \"{name}\"");
            return Err(Error::new(
                place,
                what,
                "images that differ in more than the ending of their names, in this format",
            ));
        }
    }
    Ok(())
}
