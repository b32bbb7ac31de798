//! Predictions as ChestX-Det10's script reads them: one JSON file an image, a list of entries, each an object whose keys
//! are class names and whose values are `[x1, y1, x2, y2, score]`.

pub mod ground_truth;

use std::borrow::Cow;

use super::json::{Next, Reader};
use super::{Format, ReadDetections, Remarks};
use crate::dataset::Detections;
use crate::error::Error;
use crate::geometry::FileBox;
use crate::protocol::CHESTX_DET10;

/// The format of the official script.
pub const FORMAT: Format = Format {
    name: "ChestX-Det10 predictions",
    endings: &[".json"],
    sniff: is_list_of_entries,
    read: ReadDetections::OfImage(read),
};

const BOX: &str = "[x1, y1, x2, y2, score]";
const ENTRY: &str = "an object {\"Nodule\": [x1, y1, x2, y2, score]}";
const LIST: &str = "a list of entries {\"Nodule\": [x1, y1, x2, y2, score]}";

/// Whether it is a list whose first entry begins with five numbers under a name.
fn is_list_of_entries(bytes: &[u8]) -> bool {
    Reader::new(bytes, LIST).is_ok_and(|json| is_entries(&json))
}

/// The same of a value in a larger text.
pub(super) fn is_entries(json: &Reader<'_>) -> bool {
    let is_box = |key: &str, mut value: Reader<'_>| is_read(key) || matches!(value.any_box(), Ok(Some(_)));
    let is_entry = |entry: Reader<'_>| entry.find_member(|key, value| Some(is_box(key, value)));
    json.first_element().and_then(is_entry).unwrap_or(false)
}

/// Reads one file into the columns. A file of 0 bytes holds no detections, nor does `{}` or `""`: the script asks for the
/// length alone.
///
/// # Errors
/// If it is not such a list, naming the entry and the class.
pub fn read(bytes: &[u8], into: &mut Detections) -> Result<Remarks, Error> {
    if bytes.is_empty() {
        return Ok(Remarks { is_empty: true, ..Remarks::default() });
    }
    let mut json = Reader::new(bytes, LIST)?.reading_text_numbers();
    if json.is_empty_value() {
        return Ok(Remarks::default());
    }
    if json.peek() == Next::Object {
        return Err(json.one_object());
    }
    let remarks = read_entries(&mut json, into)?;
    json.end()?;
    Ok(remarks)
}

/// Reads a list of entries into the columns.
pub(super) fn read_entries(json: &mut Reader<'_>, into: &mut Detections) -> Result<Remarks, Error> {
    let mut remarks = Remarks::default();
    let mut boxes: Vec<(Cow<'_, str>, [f64; 5])> = Vec::new();
    json.list(LIST, Some("entry"), |json, entry| {
        boxes.clear();
        json.object(ENTRY, |json, key| {
            let numbers = if is_read(&key) {
                let numbers = json.numbers::<5>(BOX).map_err(|error| error.within(&key))?;
                if let Some(error) = json.text_number() {
                    let place = format!("entry {entry}, {key}");
                    remarks.text_number.get_or_insert_with(|| error.within(&place));
                }
                numbers
            } else {
                remarks.is_ground_truth |= key == "syms";
                let value = json.clone();
                let Some(numbers) = json.any_box()? else {
                    keep_no_box(&mut remarks, value, entry, &key);
                    return Ok(());
                };
                numbers
            };
            match boxes.iter_mut().find(|(other, _)| *other == key) {
                Some((_, before)) => {
                    remarks.double_keys += 1;
                    *before = numbers;
                }
                None => boxes.push((key, numbers)),
            }
            Ok(())
        })?;
        into.reserve(boxes.len()).map_err(|_| Error::out_of_memory(""))?;
        let official = |key: &str| CHESTX_DET10.into_iter().find(|class| is_lower(key, class));
        for (key, [x1, y1, x2, y2, score]) in &boxes {
            if boxes.len() > 1 && official(key).is_some_and(|class| boxes.iter().any(|(other, _)| other == class)) {
                remarks.both_spellings += 1;
                continue;
            }
            into.push_named(super::kept(key), FileBox { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, *score);
        }
        Ok(())
    })?;
    Ok(remarks)
}

/// Keeps why a list under a name that the script does not read is no box, for a ground truth that has a class of that name.
fn keep_no_box(remarks: &mut Remarks, mut value: Reader<'_>, entry: usize, key: &str) {
    /// A file with more such names is none of detections alone.
    const MOST: usize = 8;
    let is_known = remarks.no_boxes.len() >= MOST || remarks.no_boxes.iter().any(|(name, _)| name == key);
    if is_known || value.peek() != Next::List {
        return;
    }
    // Numbers that are written as text are none, unless they are read so by choice.
    let error = value.numbers::<5>(BOX).err().or_else(|| value.text_number());
    if let Some(error) = error {
        remarks.no_boxes.push((super::kept(key).to_owned(), error.within(key).within(&format!("entry {entry}"))));
    }
}

/// Whether the script reads what stands under a key: a class, or its lower-case form.
fn is_read(key: &str) -> bool {
    CHESTX_DET10.into_iter().any(|class| class == key || is_lower(key, class))
}

/// Whether a key is the all-lower-case form of a class.
fn is_lower(key: &str, class: &str) -> bool {
    key.len() == class.len() && key.bytes().zip(class.bytes()).all(|(a, b)| a == b.to_ascii_lowercase())
}
