//! The detections of one image in the words that detectors use, in any of three shapes:
//!
//! - records `[{"label": "Nodule", "score": 0.9, "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}]`, as Hugging Face's
//!   pipelines and Ultralytics' `to_json` write them;
//! - lists side by side `{"boxes": [[..]], "labels": [..], "scores": [..]}`, as torchvision and `MMDetection` have them;
//! - lists of boxes by class `{"Nodule": [[x1, y1, x2, y2, score], ..]}`.
//!
//! A list of four numbers is two corners; classes may be numbers.

use std::borrow::Cow;

use super::json::{Next, Read, Reader};
use super::{Format, ReadDetections, chestx_det};
use crate::dataset::{Detections, Remarks};
use crate::error::Error;
use crate::geometry::{Extent, FileBox};

/// Records.
pub const RECORDS: Format = format("records with label, score and box", |bytes| has_shape(bytes, Shape::Records));
/// Lists side by side.
pub const SIDE_BY_SIDE: Format =
    format("lists of boxes, labels and scores", |bytes| has_shape(bytes, Shape::SideBySide));
/// Lists by class.
pub const BY_CLASS: Format = format("lists of boxes by class", |bytes| has_shape(bytes, Shape::ByClass));

const fn format(name: &'static str, sniff: fn(&[u8]) -> bool) -> Format {
    Format { name, endings: &[".json"], sniff, read: ReadDetections::OfImage(read) }
}

const EXPECTED: &str = "a list of records {\"label\": \"Nodule\", \"score\": 0.9, \"box\": [x1, y1, x2, y2]}";
const RECORD: &str = "a record {\"label\": \"Nodule\", \"score\": 0.9, \"box\": [x1, y1, x2, y2]}";
const BOX: &str = "[x1, y1, x2, y2]";
const BOX_AND_SCORE: &str = "[x1, y1, x2, y2, score]";

/// Keys by what stands under them; of several in a record, the class by its name comes before that by its number.
const NAMES: [&str; 8] = ["label", "class", "category", "label_name", "class_name", "category_name", "name", "tagName"];
const NUMBERS: [&str; 4] = ["label_id", "class_id", "category_id", "cls"];
const SCORES: [&str; 5] = ["score", "confidence", "conf", "probability", "prob"];
const BOXES: [&str; 4] = ["box", "bbox", "bounding_box", "boundingBox"];
const LISTS_OF_BOXES: [&str; 3] = ["boxes", "bboxes", "pred_boxes"];
const LISTS_OF_NAMES: [&str; 4] = ["labels", "classes", "class_names", "pred_classes"];
const LISTS_OF_SCORES: [&str; 3] = ["scores", "confidences", "probs"];

fn has_shape(bytes: &[u8], shape: Shape) -> bool {
    Reader::new(bytes, EXPECTED).is_ok_and(|json| Shape::of(&json) == Some(shape))
}

fn read(bytes: &[u8], into: &mut Detections) -> Result<Remarks, Error> {
    let mut json = Reader::new(bytes, EXPECTED)?.reading_text_numbers();
    let remarks = read_image(&mut json, into)?;
    json.end()?;
    Ok(remarks)
}

/// The shape of the detections of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As the official script reads them.
    Entries,
    Records,
    SideBySide,
    ByClass,
}

impl Shape {
    /// The shape of the value that comes next, if it is one of these and tells which: an empty list may be any.
    pub fn of(json: &Reader<'_>) -> Option<Self> {
        let has = |object: &Reader<'_>, keys: &[&str]| {
            object.find_member(|key, _| keys.contains(&key).then_some(())).is_some()
        };
        if json.clone().peek() == Next::Object {
            if has(json, &LISTS_OF_BOXES) && has(json, &LISTS_OF_SCORES) {
                return Some(Self::SideBySide);
            }
            return is_by_class(json).then_some(Self::ByClass);
        }
        let first = json.first_element()?;
        let has_box = has(&first, &BOXES) || has(&first, &["xmin"]) || has(&first, &["x1"]);
        let is_scored = has(&first, &SCORES) || has(&first, &NAMES);
        if has_box && is_scored && !super::by_image::names_image(&first) {
            return Some(Self::Records);
        }
        chestx_det::is_entries(json).then_some(Self::Entries)
    }
}

/// Whether an object holds lists of boxes with their scores under each of its keys, and under one at least.
fn is_by_class(json: &Reader<'_>) -> bool {
    let mut n_keys = 0;
    let is_other = |mut value: Reader<'_>| {
        let Some(mut first) = value.first_element() else {
            return value.peek() != Next::List;
        };
        first.peek() != Next::List || !matches!(first.any_box(), Ok(Some(_)))
    };
    let other = json.find_member(|_, value| {
        n_keys += 1;
        is_other(value).then_some(())
    });
    other.is_none() && n_keys > 0
}

/// Reads the detections of one image, in any of the shapes or that of the official script.
pub(super) fn read_image(json: &mut Reader<'_>, into: &mut Detections) -> Read<Remarks> {
    match Shape::of(json) {
        Some(Shape::Entries) => chestx_det::read_entries(json, into),
        Some(Shape::SideBySide) => read_side_by_side(json, into),
        Some(Shape::ByClass) => read_by_class(json, into),
        Some(Shape::Records) | None => read_records(json, into),
    }
}

/// The class of a detection and its score, before they are known to be there.
#[derive(Default)]
pub(super) struct Record<'a> {
    name: Option<Cow<'a, str>>,
    number: Option<Cow<'a, str>>,
    score: Option<f64>,
    bbox: Option<FileBox>,
    edges: Edges,
}

impl<'a> Record<'a> {
    /// Takes what stands under a key, if it is any of a record's.
    pub fn member(&mut self, json: &mut Reader<'a>, key: &str) -> Read<()> {
        let is = |keys: &[&str]| keys.contains(&key);
        let value = match () {
            () if is(&NAMES) && json.peek() == Next::Text => json.text().map(|name| self.name = Some(name)),
            () if is(&NAMES) || is(&NUMBERS) => json.name(CLASS).map(|number| self.number = Some(number)),
            () if is(&SCORES) => json.number().map(|score| self.score = Some(score)),
            () if is(&BOXES) => read_box(json).map(|bbox| self.bbox = Some(bbox)),
            () if Edges::place(key).is_some() => self.edges.member(json, key),
            () => return json.skip(),
        };
        value.map_err(|error| error.within(key))
    }

    /// The class, the score and the box.
    pub fn parts(self) -> Read<(Cow<'a, str>, f64, FileBox)> {
        let missing = |what: &str| Error::new("", format!("it has no {what}"), RECORD);
        let bbox = match self.bbox {
            Some(bbox) => bbox,
            None => self.edges.corners().ok_or_else(|| missing("\"box\""))?,
        };
        let name = self.name.or(self.number).ok_or_else(|| missing("\"label\""))?;
        let score = self.score.ok_or_else(|| missing("\"score\""))?;
        Ok((name, score, checked(bbox)?))
    }
}

const CLASS: &str = "the name or the number of a class";

fn read_records(json: &mut Reader<'_>, into: &mut Detections) -> Read<Remarks> {
    let mut remarks = Remarks::default();
    json.list(EXPECTED, Some("record"), |json, n| {
        let mut record = Record::default();
        json.object(RECORD, |json, key| record.member(json, &key))?;
        let (name, score, bbox) = record.parts()?;
        keep_text_number(json, &mut remarks, || format!("record {n}"));
        push(into, &name, bbox, score)
    })?;
    Ok(remarks)
}

fn read_side_by_side(json: &mut Reader<'_>, into: &mut Detections) -> Read<Remarks> {
    let (mut boxes, mut names, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    json.object(AS_MANY, |json, key| {
        let is = |keys: &[&str]| keys.contains(&&*key);
        let read = match () {
            () if is(&LISTS_OF_BOXES) => json.list("a list of boxes", Some("box"), |json, _| {
                boxes.push(read_box(json)?);
                Ok(())
            }),
            () if is(&LISTS_OF_NAMES) => json.list("a list of classes", Some("class"), |json, _| {
                names.push(json.name(CLASS)?);
                Ok(())
            }),
            () if is(&LISTS_OF_SCORES) => json.list("a list of scores", Some("score"), |json, _| {
                scores.push(json.number()?);
                Ok(())
            }),
            () => return json.skip(),
        };
        read.map_err(|error| error.within(&key))
    })?;
    if boxes.len() != names.len() || boxes.len() != scores.len() {
        let what = format!("it has {} boxes, {} labels and {} scores", boxes.len(), names.len(), scores.len());
        return Err(Error::new("", what, AS_MANY));
    }
    let mut remarks = Remarks::default();
    keep_text_number(json, &mut remarks, String::new);
    for ((bbox, name), score) in boxes.into_iter().zip(names).zip(scores) {
        push(into, &name, checked(bbox)?, score)?;
    }
    Ok(remarks)
}

const AS_MANY: &str = "as many of each: {\"boxes\": [[x1, y1, x2, y2]], \"labels\": [\"Nodule\"], \"scores\": [0.9]}";

fn read_by_class(json: &mut Reader<'_>, into: &mut Detections) -> Read<Remarks> {
    let mut remarks = Remarks::default();
    json.object("an object {\"Nodule\": [[x1, y1, x2, y2, score]]}", |json, name| {
        let read = json.list("a list of boxes [x1, y1, x2, y2, score]", Some("box"), |json, n| {
            let [x1, y1, x2, y2, score] = json.numbers(BOX_AND_SCORE)?;
            keep_text_number(json, &mut remarks, || format!("{name}, box {n}"));
            push(into, &name, FileBox { x1, y1, x2, y2 }, score)
        });
        read.map_err(|error| error.within(&name))
    })?;
    Ok(remarks)
}

fn push(into: &mut Detections, name: &str, bbox: FileBox, score: f64) -> Read<()> {
    into.reserve(1).map_err(super::full)?;
    into.push_named(super::kept(name), bbox, score);
    Ok(())
}

/// Keeps the first number that was written as text.
fn keep_text_number(json: &mut Reader<'_>, remarks: &mut Remarks, place: impl FnOnce() -> String) {
    if let Some(error) = json.text_number() {
        let place = place();
        remarks.text_number.get_or_insert_with(|| if place.is_empty() { error } else { error.within(&place) });
    }
}

/// A box as two corners in a list, or with its edges, or a corner and sizes, by name.
pub(super) fn read_box(json: &mut Reader<'_>) -> Read<FileBox> {
    if json.peek() != Next::Object {
        let [x1, y1, x2, y2] = json.numbers(BOX)?;
        return Ok(FileBox { x1, y1, x2, y2 });
    }
    let mut edges = Edges::default();
    json.object(BOX, |json, key| if Edges::place(&key).is_some() { edges.member(json, &key) } else { json.skip() })?;
    edges
        .corners()
        .ok_or_else(|| Error::new("", "the box lacks a side", "{\"xmin\": 1, \"ymin\": 2, \"xmax\": 3, \"ymax\": 4}"))
}

/// The sides of a box as far as they are known: left, top, right, bottom, width, height; and `x0` and `y0`, which make `x1` and
/// `y1` the far ones.
#[derive(Default)]
struct Edges([Option<f64>; 8]);

impl Edges {
    const KEYS: [&'static [&'static str]; 8] = [
        &["xmin", "x1", "x_min", "left", "x"],
        &["ymin", "y1", "y_min", "top", "y"],
        &["xmax", "x2", "x_max", "right"],
        &["ymax", "y2", "y_max", "bottom"],
        &["width", "w"],
        &["height", "h"],
        &["x0"],
        &["y0"],
    ];

    fn place(key: &str) -> Option<usize> {
        Self::KEYS.iter().position(|keys| keys.contains(&key))
    }

    fn member(&mut self, json: &mut Reader<'_>, key: &str) -> Read<()> {
        let number = json.number()?;
        if let Some(edge) = Self::place(key).and_then(|place| self.0.get_mut(place)) {
            *edge = Some(number);
        }
        Ok(())
    }

    fn corners(&self) -> Option<FileBox> {
        let [left, top, right, bottom, width, height, x0, y0] = self.0;
        if let (Some(x1), Some(y1), Some(x2), Some(y2)) = (x0, y0, left, top) {
            return Some(FileBox { x1, y1, x2, y2 });
        }
        let (x1, y1) = (left?, top?);
        Some(FileBox { x1, y1, x2: right.or_else(|| Some(x1 + width?))?, y2: bottom.or_else(|| Some(y1 + height?))? })
    }
}

/// A box whose area is finite in `f32`.
pub(super) fn checked(bbox: FileBox) -> Read<FileBox> {
    if bbox.rounded().area(Extent::PlusOne).is_finite() {
        return Ok(bbox);
    }
    Err(Error::new("", "the area of the box is too large for a 32-bit number", "corners in pixels"))
}
