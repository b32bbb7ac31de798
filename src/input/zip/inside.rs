//! What a zip holds in place of predictions: a ground truth, or another zip.

use std::io::{Read, Seek};

use super::inflate::Inflater;
use super::list::List;
use super::source::Ahead;
use crate::error::Error;
use crate::input::{FORMATS, GROUND_TRUTHS, Part, Unpacked};
use crate::limits::MAX_FILE_BYTES;

/// A zip with more files than this holds predictions: a ground truth is one file, at most beside those of other splits.
pub const FEW: usize = 16;

/// The one file of a zip that stands for all of it: the ground truth among files of other kinds, or a zip that is the only
/// thing in it but for folders and what the Finder adds. None if the zip holds predictions, or neither.
///
/// # Errors
/// If the zip cannot be read, or holds several ground truths.
pub fn inside<R: Read + Seek>(name: &str, file: R) -> Result<Option<Unpacked>, Error> {
    let mut file = Ahead::new(file, None).map_err(|error| super::unreadable(name, &error))?;
    let list = List::read(name, &mut file)?;
    let all = list.files();
    let read = |at: usize, path: &str, file: &mut Ahead<R>| -> Option<Vec<u8>> {
        let entry = list.entry(at).ok().filter(|entry| entry.size() <= MAX_FILE_BYTES)?;
        Inflater::new().read(file, path, &entry).ok().map(<[u8]>::to_vec)
    };
    if let [(at, path)] = all.as_slice()
        && path.to_ascii_lowercase().ends_with(".zip")
    {
        return Ok(read(*at, path, &mut file).map(|bytes| Unpacked { name: path.clone(), bytes }));
    }
    let texts: Vec<&(usize, String)> = all.iter().filter(|(_, path)| Part::takes(path)).collect();
    if texts.len() > FEW {
        return Ok(None);
    }
    let mut found: Vec<Unpacked> = Vec::new();
    for (at, path) in texts {
        let Some(bytes) = read(*at, path, &mut file) else { continue };
        if GROUND_TRUTHS.iter().any(|format| format.has_ending(path) && (format.sniff)(&bytes)) {
            found.push(Unpacked { name: path.clone(), bytes });
        } else if FORMATS.iter().any(|format| format.has_ending(path) && (format.sniff)(&bytes)) {
            return Ok(None);
        }
    }
    if let [first, second, ..] = found.as_slice() {
        let what = format!("it holds several ground truths (\"{}\", \"{}\")", first.name, second.name);
        return Err(Error::new(
            name,
            what,
            "one; unpack the zip and take the one for these predictions, such as test.json",
        ));
    }
    Ok(found.pop())
}
