//! What a zip holds in place of predictions: a ground truth, in one file or in one for each image, or another zip.

use std::io::{Read, Seek};

use super::BOMB;
use super::inflate::Inflater;
use super::list::List;
use super::source::Ahead;
use crate::error::{Error, ErrorKind};
use crate::input::labels::{self, Labels};
use crate::input::{FORMATS, GROUND_TRUTHS, Part, Unpacked, sniff, yolo, yolo_labels};
use crate::limits::{MAX_FILE_BYTES, MAX_RATIO};

/// A zip with more files than this holds predictions: a ground truth is one file, at most beside those of other splits.
pub const FEW: usize = 16;

/// What stands for all of a zip.
pub enum Inside {
    /// One file of it: the ground truth among files of other kinds, or a zip that is the only thing in it but for folders and
    /// what the Finder adds.
    File(Unpacked),
    /// A file for each image with its lesions.
    Labels(Box<Labels>),
}

/// What a zip holds in place of predictions, of which some or none `are_read`. None if it holds predictions, or neither.
///
/// # Errors
/// If the zip cannot be read, or holds several ground truths, or one that cannot be read.
pub fn inside<R: Read + Seek>(name: &str, file: R, are_read: bool) -> Result<Option<Inside>, Error> {
    let mut file = Ahead::new(file, None).map_err(|error| super::unreadable(name, &error))?;
    let list = List::read(name, &mut file)?;
    let all = list.files();
    if let [(at, path)] = all.as_slice()
        && path.to_ascii_lowercase().ends_with(".zip")
    {
        let zip = load(&list, *at, path, &mut file);
        return Ok(zip.map(|bytes| Inside::File(Unpacked { name: path.clone(), bytes })));
    }
    if !are_read && holds_labels(&list, &all, &mut file) {
        return labels_in(name, &list, &all, &mut file).map(|labels| Some(Inside::Labels(Box::new(labels))));
    }
    let texts: Vec<&(usize, String)> = all.iter().filter(|(_, path)| Part::takes(path)).collect();
    if texts.len() > FEW {
        return Ok(None);
    }
    let mut found: Vec<Unpacked> = Vec::new();
    for (at, path) in texts {
        let Some(bytes) = load(&list, *at, path, &mut file) else { continue };
        let structure = sniff::structure(&bytes);
        if GROUND_TRUTHS.iter().any(|format| format.has_ending(path) && (format.sniff)(&structure)) {
            drop(structure);
            found.push(Unpacked { name: path.clone(), bytes });
        } else if FORMATS.iter().any(|format| format.has_ending(path) && (format.sniff)(&structure)) {
            return Ok(None);
        }
    }
    if let [first, second, ..] = found.as_slice() {
        let what = format!("it holds several ground truths (\"{}\", \"{}\")", first.name, second.name);
        let expected = "one; unpack the zip and take the one for these predictions, such as test.json";
        return Err(Error::new(name, what, expected));
    }
    if let Some(one) = found.pop() {
        return Ok(Some(Inside::File(one)));
    }
    let labels = labels_in(name, &list, &all, &mut file)?;
    Ok((!labels.is_empty()).then(|| Inside::Labels(Box::new(labels))))
}

/// Whether the first text that says something is one of labels, and no file is such as the official script reads.
fn holds_labels<R: Read + Seek>(list: &List, all: &[(usize, String)], file: &mut Ahead<R>) -> bool {
    if all.iter().any(|(_, path)| FORMATS[0].has_ending(path)) {
        return false;
    }
    let mut texts = all.iter().filter(|(_, path)| yolo_labels::FORMAT.has_ending(path) && yolo::is_of_image(path));
    let is_told = |(at, path): &(usize, String)| {
        let bytes = load(list, *at, path, file).filter(|bytes| !bytes.trim_ascii().is_empty())?;
        let is_label = (yolo_labels::FORMAT.sniff)(&bytes);
        // What else people keep there tells nothing.
        (is_label || (yolo::FORMAT.sniff)(&bytes)).then_some(is_label)
    };
    texts.find_map(is_told).unwrap_or(false)
}

/// An entry; none if it is too large or cannot be read.
fn load<R: Read + Seek>(list: &List, at: usize, path: &str, file: &mut Ahead<R>) -> Option<Vec<u8>> {
    let entry = list.entry(at).ok().filter(|entry| entry.size() <= MAX_FILE_BYTES)?;
    Inflater::new().read(file, path, &entry).ok().map(<[u8]>::to_vec)
}

/// The files of single images, in the order of the list.
fn labels_in<R: Read + Seek>(
    name: &str,
    list: &List,
    all: &[(usize, String)],
    file: &mut Ahead<R>,
) -> Result<Labels, Error> {
    let mut labels = Labels::default();
    let mut inflater = Inflater::new();
    let (mut stored, mut n_bytes) = (0, 0);
    for (at, path) in all.iter().filter(|(_, path)| labels::takes(path)) {
        let Ok(entry) = list.entry(*at) else { continue };
        let bytes = inflater.read(file, path, &entry).map_err(|error| error.within(name))?;
        stored += entry.compressed_size();
        n_bytes += bytes.len() as u64;
        if n_bytes > labels::most_bytes(stored) {
            let what = format!("its files inflate to more than {MAX_RATIO} times their size");
            return Err(Error::new(name, what, BOMB).of_kind(ErrorKind::TooLarge));
        }
        labels.add(path, bytes).map_err(|error| error.within(name))?;
    }
    if labels.wants_pictures() {
        for (at, path) in all.iter().filter(|(_, path)| labels::is_picture(path)) {
            let Ok(entry) = list.entry(*at) else { continue };
            labels.add_picture(path, inflater.beginning(file, &entry, labels::HEAD_OF_PICTURE));
        }
    }
    Ok(labels)
}
