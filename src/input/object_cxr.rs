//! Both sides of object-CXR, foreign objects on chest X-rays, as the challenge of JF Healthcare had them: a row for each image. The ground truth is its
//! `train.csv` and `dev.csv`, the detections are `prediction_localization.csv`.
//!
//! `image_name,annotation`, or `image_path,annotation` as its README at first had it; an annotation is empty, or shapes set apart by semicolons: `0 x1 y1 x2 y2` is
//! a rectangle, `1 x1 y1 x2 y2` the rectangle around an ellipse, `2 x1 y1 .. xn yn` a polygon. Source: README of `jfhealthcare/object-CXR`, section
//! *Annotation*. A shape is read as the box around it, which is what a detection is.
//!
//! `image_path,prediction`: a prediction is empty, or points set apart by semicolons, `probability x y` (section *Localization*). A point is read as a box
//! without width and height, which is its own centre.

use super::csv::finite;
use super::groups::IMAGE;
use super::labels::Labels;
use super::records::checked;
use super::table::Table;
use super::{Format, GroundTruthFormat, KeyedImages, ReadDetections, full, sha256};
use crate::dataset::{GroundTruth, Remarks};
use crate::error::Error;
use crate::geometry::FileBox;

/// The format.
pub const FORMAT: GroundTruthFormat = GroundTruthFormat { name: "object-CXR", endings: &[".csv"], sniff: is_it, read };

/// Points with a probability.
pub const POINTS: Format = Format {
    name: "object-CXR points",
    endings: &[".csv"],
    sniff: are_points,
    read: ReadDetections::OfRun(read_points),
};

/// The one class of the dataset, as its documentation calls what is annotated.
const CLASS: &str = "foreign object";
/// The number by which predictions may call it, as the first category of COCO files.
const NUMBER: &str = "1";
const ANNOTATION: &[&str] = &["annotation"];
const EXPECTED: &str = "shapes set apart by semicolons, such as 0 x1 y1 x2 y2 (a rectangle), 1 x1 y1 x2 y2 (an ellipse) or 2 x1 y1 x2 y2 x3 y3 (a polygon), or nothing";

const PREDICTION: &[&str] = &["prediction"];
const EXPECTED_POINTS: &str = "points set apart by semicolons, such as 0.9 1000 500 (probability, x and y), or nothing";

/// The columns of images and of what stands beside each, in a table that has no others.
fn columns(table: &Table<'_>, beside: &[&str]) -> Option<(usize, usize)> {
    let columns = (table.column(IMAGE)?, table.column(beside)?);
    (table.header().len() == 2).then_some(columns)
}

/// What first stands beside an image; nothing where there is none in the table.
fn first_of(table: Table<'_>, at: usize) -> Option<String> {
    table.rows("").filter_map(|(_, row)| row.ok()).map(|row| row[at].to_owned()).find(|text| !text.is_empty())
}

/// A path is one of the machine on which the table was written.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether the first annotation that there is begins like a shape: other tables have notes under that name.
fn is_it(bytes: &[u8]) -> bool {
    let table = Table::new(bytes);
    let Some((_, at)) = columns(&table, ANNOTATION) else { return false };
    first_of(table, at).is_none_or(|first| {
        let mut words = first.split_whitespace();
        let is_shape = words.next().is_some_and(|word| matches!(word, "0" | "1" | "2"));
        is_shape && words.next().is_some_and(|word| word.parse::<f64>().is_ok())
    })
}

/// Whether the first prediction that there is begins with a number: other tables have names of classes under that name.
fn are_points(bytes: &[u8]) -> bool {
    let table = Table::new(bytes);
    let Some((_, at)) = columns(&table, PREDICTION) else { return false };
    first_of(table, at)
        .is_none_or(|first| first.split([' ', ';']).next().is_some_and(|word| word.parse::<f64>().is_ok()))
}

/// Reads points into rows by image.
fn read_points(bytes: &[u8], into: &mut KeyedImages) -> Result<(), Error> {
    let table = Table::new(bytes);
    let none = || Error::new("", "it has no columns image_path and prediction", EXPECTED_POINTS);
    let (image_at, at) = columns(&table, PREDICTION).ok_or_else(none)?;
    for (place, row) in table.rows("") {
        let row = row?;
        let points = row[at].split(';').filter(|point| !point.trim().is_empty()).map(point);
        let points = points.collect::<Result<Vec<_>, Error>>().map_err(|error| error.within(&place.to_string()))?;
        into.read(base_name(&row[image_at]), |detections| {
            detections.reserve(points.len()).map_err(full)?;
            for [score, x, y] in points {
                detections.push_named(NUMBER, FileBox { x1: x, y1: y, x2: x, y2: y }, score);
            }
            Ok(Remarks::default())
        })?;
    }
    Ok(())
}

/// Probability, x and y.
fn point(text: &str) -> Result<[f64; 3], Error> {
    let numbers = text.split_whitespace().map(finite).collect::<Result<Vec<f64>, Error>>()?;
    <[f64; 3]>::try_from(numbers).map_err(|numbers| {
        let what = match *numbers {
            [_] => "there is one number, as of a whole image (prediction_classification.csv)".to_owned(),
            _ => format!("a point has {} numbers", numbers.len()),
        };
        Error::new("", what, EXPECTED_POINTS)
    })
}

fn read(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let table = Table::new(bytes);
    let none = || Error::new(name, "it has no columns image_name and annotation", EXPECTED);
    let (image_at, at) = columns(&table, ANNOTATION).ok_or_else(none)?;
    let mut labels = Labels::of(FORMAT.name);
    labels.push_class(CLASS, NUMBER);
    for (place, row) in table.rows(name) {
        let row = row?;
        labels.push_image(base_name(&row[image_at])).map_err(|error| error.within(name))?;
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
