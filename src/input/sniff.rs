//! What a file is, by looking into it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::json::Reader;
use super::{FORMATS, Format, GROUND_TRUTHS, ReadDetections, csv, gzip};
use crate::error::Error;
use crate::printable::printable;

/// What a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The list of images and lesions.
    GroundTruth,
    /// A zip of prediction files.
    Predictions,
    /// A file that gzip packed.
    Gzip,
    /// One file of text that holds the predictions for all images.
    PredictionsOfAll,
}

/// First bytes of files that are dropped by mistake: offset, bytes, what it is, how to mend it.
const MISTAKES: &[(usize, &[u8], &str, &str)] = &[
    (0, b"7z\xbc\xaf\x27\x1c", "it is a 7z archive", ZIP_IT),
    (0, b"Rar!\x1a\x07", "it is a RAR archive", ZIP_IT),
    (0, b"BZh", "it is a bzip2 file", ZIP_IT),
    (0, b"\xfd7zXZ\x00", "it is an xz file", ZIP_IT),
    (0, b"\x28\xb5\x2f\xfd", "it is a Zstandard file", ZIP_IT),
    (257, b"ustar", "it is a tar archive", ZIP_IT),
    (0, b"LZIP", "it is an lzip file", ZIP_IT),
    (0, b"\xff\xfe", "it is UTF-16 text", UTF_8),
    (0, b"\xfe\xff", "it is UTF-16 text", UTF_8),
    (0, b"\x89PNG", "it is a PNG picture", BOTH),
    (0, b"\xff\xd8\xff", "it is a JPEG picture", BOTH),
    (0, b"%PDF", "it is a PDF document", BOTH),
    (128, b"DICM", "it is a DICOM picture", BOTH),
    (0, b"\x93NUMPY", "it is a NumPy array", BOTH),
    (0, b"version https://git-lfs.github.com/spec/", "it is a pointer of Git LFS, which stands for the file", LFS),
];
const ZIP_IT: &str = "a zip of prediction files; pack the folder as .zip";
const LFS: &str = "the file itself; fetch it with git lfs pull, or download it from the page of its repository";
const UTF_8: &str = "UTF-8; save it again as UTF-8";
const BOTH: &str = "the ground truth (test.json) or a zip of prediction files";
/// What one file of predictions may be.
pub(super) const ALL_IMAGES: &str =
    "one JSON file for all images, such as {\"1.png\": [{\"Nodule\": [x1, y1, x2, y2, score]}]}, or COCO results";

/// The number of first bytes that [`identify`] wants to see.
pub const HEAD_BYTES: usize = 4096;

/// Finds out what a file is from its first [`HEAD_BYTES`] bytes: a zip surely, text only from all of its bytes.
///
/// # Errors
/// If it can be neither; the sentence says what it is and how to mend it.
pub fn identify(name: &str, head: &[u8]) -> Result<Kind, Error> {
    if head.is_empty() {
        return Err(Error::new(name, "it has 0 bytes", BOTH));
    }
    if is_zip(name, head) {
        return Ok(Kind::Predictions);
    }
    if head.starts_with(gzip::MAGIC) {
        return Ok(Kind::Gzip);
    }
    if let Some((what, expected)) = mistake(head) {
        return Err(Error::new(name, what, expected));
    }
    let text = head.strip_prefix(super::json::BOM).unwrap_or(head).trim_ascii_start();
    match text.first() {
        Some(b'[' | b'{') => json_kind(name, head),
        Some(b'<') => Err(Error::new(name, "it is a web page or XML", format!("{BOTH}; download the file itself"))),
        _ if name.to_ascii_lowercase().ends_with(".zip") => Err(Error::new(
            name,
            "it does not start like a zip",
            "a zip of prediction files; download or pack it again",
        )),
        _ if name.to_ascii_lowercase().ends_with(".json") => Ok(Kind::GroundTruth),
        _ if GROUND_TRUTHS.iter().any(|format| (format.sniff)(head)) => Ok(Kind::GroundTruth),
        _ if FORMATS.iter().any(|format| is_of_run(format) && (format.sniff)(head)) => Ok(Kind::PredictionsOfAll),
        _ if csv::FORMAT.has_ending(name) => Err(csv::other_columns(head).within(name)),
        _ => Err(Error::new(name, "it is neither JSON nor a zip", BOTH)),
    }
}

const fn is_of_run(format: &Format) -> bool {
    matches!(format.read, ReadDetections::OfRun(_))
}

/// Whether text is the predictions for one image, or holds nothing, as the file of an image without detections does.
#[must_use]
pub fn is_of_one_image(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(super::json::BOM).unwrap_or(bytes).trim_ascii();
    let bytes = &*structure(bytes);
    let is_ground_truth = || GROUND_TRUTHS.iter().any(|format| (format.sniff)(bytes));
    let format = || FORMATS.iter().find(|format| (format.sniff)(bytes)).map(|format| format.read);
    matches!(text, b"" | b"[]" | b"{}") || !is_ground_truth() && matches!(format(), Some(ReadDetections::OfImage(_)))
}

/// What a file is that is nothing to be scored, and how to mend it.
pub(super) fn mistake(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_it =
        |(offset, magic, ..): &&(usize, &[u8], _, _)| head.get(*offset..).is_some_and(|rest| rest.starts_with(magic));
    MISTAKES.iter().find(is_it).map(|(_, _, what, expected)| (*what, *expected))
}

/// Whether a file is a zip, also behind what editors, uploads and self-extractors put before one.
fn is_zip(name: &str, head: &[u8]) -> bool {
    /// An entry, the end of an empty zip, that of an empty Zip64, and the two marks of a zip in several parts, which a
    /// whole one has as well if it was meant to be split.
    const STARTS: [&[u8]; 5] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK00PK\x03\x04", b"PK\x07\x08"];
    /// What a self-extractor starts with, for Windows, Linux and a shell.
    const PROGRAMS: [&[u8]; 3] = [b"MZ", b"\x7fELF", b"#!"];
    let text = head.strip_prefix(super::json::BOM).unwrap_or(head).trim_ascii_start();
    let is_named_so = [".zip", ".exe"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let holds_entry = || head.windows(4).any(|four| four == STARTS[0]);
    STARTS.iter().any(|start| text.starts_with(start))
        || is_named_so && (PROGRAMS.iter().any(|start| head.starts_with(start)) || holds_entry())
}

/// What the structure of a file is told by: all of it, but of long JSON no more than that takes, since every format looks at it.
pub(super) fn structure(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// What is read in a blink is not copied.
    const LONG: usize = 1 << 16;
    let text = bytes.strip_prefix(super::json::BOM).unwrap_or(bytes).trim_ascii_start();
    if bytes.len() < LONG || !matches!(text, [b'[' | b'{', ..]) {
        return Cow::Borrowed(bytes);
    }
    Reader::abridged(bytes).map_or(Cow::Borrowed(bytes), |short| Cow::Owned(short.into_bytes()))
}

/// What is wrong with one JSON object that is no record of a ground truth, which brackets would mend.
pub(super) fn other_object(bytes: &[u8]) -> Option<Error> {
    /// So many keys are shown.
    const MOST: usize = 5;
    let text = bytes.strip_prefix(super::json::BOM).unwrap_or(bytes);
    #[expect(clippy::zero_sized_map_values, reason = "what is read of an object is keys with values")]
    let object: BTreeMap<String, serde::de::IgnoredAny> = serde_json::from_slice(text).ok()?;
    if ["file_name", "syms", "boxes"].iter().any(|key| object.contains_key(*key)) {
        return None;
    }
    let keys: Vec<String> = object.keys().take(MOST).map(|key| printable(key, 40)).collect();
    let what = match &keys[..] {
        [] => "it is an object without keys".to_owned(),
        keys => format!("it is an object of no known format, with keys such as {}", keys.join(", ")),
    };
    Some(Error::new("", what, format!("{BOTH}, or {ALL_IMAGES}")))
}

fn json_kind(name: &str, bytes: &[u8]) -> Result<Kind, Error> {
    let bytes = &*structure(bytes);
    if GROUND_TRUTHS.iter().any(|format| (format.sniff)(bytes)) {
        return Ok(Kind::GroundTruth);
    }
    match FORMATS.iter().find(|format| (format.sniff)(bytes)).map(|format| format.read) {
        Some(ReadDetections::OfRun(_)) => Ok(Kind::PredictionsOfAll),
        Some(ReadDetections::OfImage(_)) => Err(Error::new(
            name,
            "it holds the predictions for one image",
            "a zip with one such file an image; pack the folder as .zip",
        )),
        None => Ok(Kind::GroundTruth),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// The same with lists of more elements than are looked at: the file itself, or what stands under its keys.
    fn lengthened(value: &Value) -> Value {
        let longer = |list: &[Value]| list.iter().cycle().take(list.len() * 20).cloned().collect::<Vec<_>>();
        match value {
            Value::Array(list) => longer(list).into(),
            Value::Object(object) => object
                .iter()
                .map(|(key, value)| {
                    (key.clone(), value.as_array().map_or_else(|| value.clone(), |list| longer(list).into()))
                })
                .collect(),
            other => other.clone(),
        }
    }

    #[test]
    fn the_start_of_its_lists_tells_what_json_is_as_all_of_it_does() {
        let mut n_known = 0;
        for folder in Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats")).read_dir().expect("a folder") {
            for file in folder.expect("an entry").path().read_dir().expect("a folder") {
                let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
                let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { continue };
                for value in [lengthened(&value), value] {
                    let whole = value.to_string();
                    let short = Reader::abridged(whole.as_bytes()).expect("a list or an object");
                    let known = |text: &str| {
                        let of_truth = GROUND_TRUTHS.iter().map(|format| (format.name, format.sniff));
                        let all = of_truth.chain(FORMATS.iter().map(|format| (format.name, format.sniff)));
                        all.filter(|(_, sniff)| sniff(text.as_bytes())).map(|(name, _)| name).collect::<Vec<_>>()
                    };
                    assert_eq!(known(&short), known(&whole), "{whole}");
                    n_known += known(&whole).len();
                }
            }
        }
        assert!(n_known > 20, "{n_known}");
    }

    #[test]
    fn broken_json_of_any_kind_is_looked_at_without_harm() {
        let whole = br#"{"a": [{"b": [1, "\"]"]}, {}, []], "c\\": {"d": [7e5, null]}, "e": "}", "f": [ ]}"#;
        assert!(Reader::abridged(whole).is_some_and(|short| serde_json::from_str::<Value>(&short).is_ok()));
        for at in 0..whole.len() {
            assert_eq!(Reader::abridged(&whole[..at]), None, "{at}");
            for byte in *b"\"\\[]{},:7 \xff" {
                let mut other = whole.to_vec();
                other[at] = byte;
                drop(Reader::abridged(&other));
            }
        }
    }

    #[test]
    fn long_json_is_looked_at_in_part_and_broken_json_or_another_text_as_a_whole() {
        let list = format!("[{}{{\"a\": \"]}}\\\"\"}}]", "{\"b\": [1, 2]}, ".repeat(10_000));
        let short = structure(list.as_bytes()).into_owned();
        assert!(short.len() < 300 && serde_json::from_slice::<Value>(&short).is_ok(), "{}", short.len());
        let object = format!("{{\"first\": {list}, \"then\" : {{\"c\": {list}}}, \"empty\":[], \"last\": 7}}");
        let short = structure(object.as_bytes()).into_owned();
        let (short, whole): (Value, Value) =
            (serde_json::from_slice(&short).expect("JSON"), serde_json::from_str(&object).expect("JSON"));
        assert_eq!(short["first"].as_array().map(Vec::len), Some(16));
        assert_eq!(
            [&short["then"], &short["empty"], &short["last"]],
            [&whole["then"], &whole["empty"], &whole["last"]]
        );
        for cut in [1, 7, 40] {
            let broken = &object.as_bytes()[..object.len() - cut];
            assert_eq!(structure(broken), broken);
        }
        let table = format!("image,x\n{}", "1.png,2\n".repeat(10_000));
        assert_eq!(structure(table.as_bytes()), table.as_bytes());
        assert_eq!(structure(b"[1, 2]"), &b"[1, 2]"[..]);
        // What would be copied as a whole is not.
        let nested = format!("{{\"all\": {{\"list\": [{}0]}}}}", "{\"b\": [1, 2]}, ".repeat(100_000));
        assert!(serde_json::from_str::<Value>(&nested).is_ok());
        assert_eq!(structure(nested.as_bytes()), nested.as_bytes());
    }
}
