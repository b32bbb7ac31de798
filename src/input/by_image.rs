//! The detections of all images in one JSON file, by image: an object whose keys name the images, with or without an ending,
//! `{"36199.png": [{"Nodule": [x1, y1, x2, y2, score]}]}`, and whose values are what a file for one image may hold.

use super::json::{Next, Reader};
use super::records::{Shape, read_image};
use super::{Format, KeyedImages, ReadDetections};
use crate::dataset::Remarks;
use crate::error::Error;

/// The format.
pub const FORMAT: Format = Format {
    name: "one JSON file for all images",
    endings: &[".json"],
    sniff: is_it,
    read: ReadDetections::OfRun(read),
};

const EXPECTED: &str = "an object {\"1.png\": [{\"Nodule\": [x1, y1, x2, y2, score]}]} with a key for each image";

/// Keys under which a record names its image.
const IMAGES: [&str; 7] = ["image_id", "file_name", "filename", "image", "image_name", "img_id", "image_path"];

/// Whether a record names its image.
pub(super) fn names_image(record: &Reader<'_>) -> bool {
    record.find_member(|key, _| IMAGES.contains(&key).then_some(())).is_some()
}

/// Whether the first value that tells anything is that of a file for one image, and no key is of another kind.
fn is_it(bytes: &[u8]) -> bool {
    let Ok(json) = Reader::new(bytes, EXPECTED) else { return false };
    if json.clone().peek() != Next::Object {
        return false;
    }
    let mut n_named = 0;
    let told = json.find_member(|key, mut value| {
        let is_empty = value.is_empty_image();
        n_named += usize::from(is_image_name(key));
        match value.peek() {
            _ if is_empty => None,
            Next::List | Next::Object => Some(Shape::of(&value).is_some()),
            _ => Some(false),
        }
    });
    // Where all are empty, their names tell.
    told.unwrap_or(n_named > 0)
}

/// Whether a key is a number or ends like a picture or its file.
fn is_image_name(key: &str) -> bool {
    let is_number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        || [".json", ".png", ".jpg", ".jpeg", ".dcm"].iter().any(|ending| key.to_ascii_lowercase().ends_with(ending))
}

fn read(bytes: &[u8], into: &mut KeyedImages) -> Result<(), Error> {
    let mut json = Reader::new(bytes, EXPECTED)?.reading_text_numbers();
    json.object(EXPECTED, |json, key| {
        into.read(&key, |detections| {
            if json.is_empty_image() {
                return json.skip().map(|()| Remarks::default());
            }
            read_image(json, detections)
        })
    })?;
    json.end()
}
