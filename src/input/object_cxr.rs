//! The ground truth of object-CXR, foreign objects on chest X-rays: `train.csv` and `dev.csv` of the challenge of JF Healthcare, a row for each image.
//!
//! `image_name,annotation`, or `image_path,annotation` as its README at first had it; an annotation is empty, or shapes set apart by semicolons: `0 x1 y1 x2 y2` is
//! a rectangle, `1 x1 y1 x2 y2` the rectangle around an ellipse, `2 x1 y1 .. xn yn` a polygon. Source: README of `jfhealthcare/object-CXR`, section
//! *Annotation*. A shape is read as the box around it, which is what a detection is. The predictions of the challenge are points with a probability; they are not
//! read, since a point is no box.

use super::csv::finite;
use super::groups::IMAGE;
use super::labels::Labels;
use super::records::checked;
use super::table::Table;
use super::{GroundTruthFormat, sha256};
use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::geometry::FileBox;

/// The format.
pub const FORMAT: GroundTruthFormat = GroundTruthFormat { name: "object-CXR", endings: &[".csv"], sniff: is_it, read };

/// The one class of the dataset, as its documentation calls what is annotated.
const CLASS: &str = "foreign object";
/// The number by which predictions may call it, as the first category of COCO files.
const NUMBER: &str = "1";
const ANNOTATION: &[&str] = &["annotation"];
const EXPECTED: &str = "shapes set apart by semicolons, such as 0 x1 y1 x2 y2 (a rectangle), 1 x1 y1 x2 y2 (an ellipse) or 2 x1 y1 x2 y2 x3 y3 (a polygon), or nothing";

/// The columns of images and of annotations.
fn columns(table: &Table<'_>) -> Option<(usize, usize)> {
    Some((table.column(IMAGE)?, table.column(ANNOTATION)?))
}

/// Whether the first annotation that there is begins like a shape: other tables have notes under that name.
fn is_it(bytes: &[u8]) -> bool {
    let table = Table::new(bytes);
    let Some((_, at)) = columns(&table).filter(|_| table.header().len() == 2) else { return false };
    let first = table.rows("").filter_map(|(_, row)| row.ok()).find(|row| !row[at].is_empty());
    first.is_none_or(|row| {
        let mut words = row[at].split_whitespace();
        let is_shape = words.next().is_some_and(|word| matches!(word, "0" | "1" | "2"));
        is_shape && words.next().is_some_and(|word| word.parse::<f64>().is_ok())
    })
}

fn read(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let table = Table::new(bytes);
    let none = || Error::new(name, "it has no columns image_name and annotation", EXPECTED);
    let (image_at, at) = columns(&table).ok_or_else(none)?;
    let mut labels = Labels::of(FORMAT.name);
    labels.push_class(CLASS, NUMBER);
    for (place, row) in table.rows(name) {
        let row = row?;
        let image = &row[image_at];
        // A path is one of the machine on which the table was written.
        labels.push_image(image.rsplit(['/', '\\']).next().unwrap_or(image)).map_err(|error| error.within(name))?;
        for (shape, n) in row[at].split(';').filter(|shape| !shape.trim().is_empty()).zip(1..) {
            let (bbox, is_box) = around(shape).map_err(|error| error.within(&place.to_string()))?;
            labels.push_lesion(n, CLASS, bbox, false).map_err(|error| error.within(&place.to_string()))?;
            if !is_box {
                labels.note_shape();
            }
        }
    }
    labels.finish(name, sha256(bytes))
}

/// The box around a shape, and whether the shape is one.
fn around(shape: &str) -> Result<(FileBox, bool), Error> {
    let wrong = |what: String| Error::new("", what, EXPECTED);
    let mut words = shape.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let numbers = words.map(finite).collect::<Result<Vec<f64>, Error>>()?;
    let is_right = match kind {
        "0" | "1" => numbers.len() == 4,
        "2" => numbers.len() >= 6 && numbers.len().is_multiple_of(2),
        _ => return Err(wrong(format!("a shape begins with \"{kind}\""))),
    };
    if !is_right {
        return Err(wrong(format!("a shape of kind {kind} has {} numbers", numbers.len())));
    }
    if kind != "2" {
        let bbox = FileBox { x1: numbers[0], y1: numbers[1], x2: numbers[2], y2: numbers[3] };
        return Ok((checked(bbox)?, kind == "0"));
    }
    let least = |from: usize| numbers.iter().skip(from).step_by(2).copied().fold(f64::INFINITY, f64::min);
    let most = |from: usize| numbers.iter().skip(from).step_by(2).copied().fold(f64::NEG_INFINITY, f64::max);
    Ok((checked(FileBox { x1: least(0), y1: least(1), x2: most(0), y2: most(1) })?, false))
}
