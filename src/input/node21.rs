//! The ground truth of NODE21, nodules on chest X-rays: its `metadata.csv`, a row for each nodule or for an image without any.
//!
//! `height,img_name,label,width,x,y`, mostly behind a column of row numbers without a name; x and y are the upper left corner, in pixels of the images as they are
//! published, and a label of 0 says that the image has no nodule, whose box is 0, 0, 0, 0. Source: `training_utils/dataset.py` of
//! `node21challenge/node21_detection_baseline` at 972d2c9, which reads it so. The predictions of the challenge (`nodules.json`, corners in millimetres) are
//! not read.

use super::csv::{Rows, corners, finite};
use super::labels::Labels;
use super::table::Table;
use super::{GroundTruthFormat, sha256};
use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::geometry::FileBox;

/// The format.
pub const FORMAT: GroundTruthFormat = GroundTruthFormat { name: "NODE21", endings: &[".csv"], sniff: is_it, read };

/// The one class of the dataset; its label is the number 1.
const CLASS: &str = "nodule";
const COLUMNS: [&str; 6] = ["imgname", "label", "x", "y", "width", "height"];
const EXPECTED: &str = "columns img_name, label, x, y, width, height";

/// The places of these columns.
fn columns(table: &Table<'_>) -> Option<[usize; 6]> {
    let found: Vec<usize> = COLUMNS.into_iter().map(|name| table.column(&[name])).collect::<Option<_>>()?;
    found.try_into().ok()
}

/// Whether it has these columns, at most one more, and a first label of 0 or 1: tables of several classes have others.
fn is_it(bytes: &[u8]) -> bool {
    let table = Table::new(bytes);
    let n = table.header().len();
    let Some([_, label, ..]) = columns(&table).filter(|_| n <= COLUMNS.len() + 1) else { return false };
    let first = table.rows("").find_map(|(_, row)| row.ok());
    first.is_none_or(|row| matches!(&row[label], "0" | "1"))
}

fn read(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let table = Table::new(bytes);
    let at = columns(&table).ok_or_else(|| Error::new(name, "it has other columns", EXPECTED))?;
    let mut rows = Rows::default();
    for (place, row) in table.rows(name) {
        let row = row?;
        let [image, label, sides @ ..] = at.map(|at| &row[at]);
        let image = rows.push_image(image);
        let read = match label {
            "0" => Ok(()),
            "1" => nodule(sides).and_then(|bbox| rows.push_box(image, CLASS, bbox, 0.0)),
            _ => {
                Err(Error::new("", format!("its label is \"{label}\""), "1 of a nodule, or 0 of an image without any"))
            }
        };
        read.map_err(|error| error.within(&place.to_string()))?;
    }
    let mut labels = Labels::of(FORMAT.name);
    labels.push_class(CLASS, "1");
    rows.label(&mut labels).map_err(|error| error.within(name))?;
    labels.finish(name, sha256(bytes))
}

/// The box of left, top, width and height.
fn nodule(sides: [&str; 4]) -> Result<FileBox, Error> {
    let [x, y, width, height] = sides.map(finite);
    Ok(corners([x?, y?, width?, height?], true))
}
