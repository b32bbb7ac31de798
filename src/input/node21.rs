//! The ground truth of NODE21, nodules on chest X-rays: its `metadata.csv`, a row for each nodule or for an image without any.
//!
//! `height,img_name,label,width,x,y`, mostly behind a column of row numbers without a name; x and y are the upper left corner, in pixels of the images as they are
//! published, and a label of 0 says that the image has no nodule, whose box is 0, 0, 0, 0. Source: `training_utils/dataset.py` of
//! `node21challenge/node21_detection_baseline` at 972d2c9, which reads it so. The predictions of the challenge (`nodules.json`, corners in millimetres) are
//! not read.

use std::collections::HashMap;

use super::csv::finite;
use super::labels::Labels;
use super::records::checked;
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
    let mut images: Vec<(String, Vec<FileBox>)> = Vec::new();
    let mut place_of: HashMap<String, usize> = HashMap::new();
    for (place, row) in table.rows(name) {
        let row = row?;
        let [image, label, sides @ ..] = at.map(|at| &row[at]);
        let of = *place_of.entry(image.to_owned()).or_insert_with(|| {
            images.push((image.to_owned(), Vec::new()));
            images.len() - 1
        });
        match label {
            "0" => {}
            "1" => {
                let [x1, y1, width, height] = sides.map(finite);
                let (x1, y1) = (
                    x1.map_err(|error| error.within(&place.to_string()))?,
                    y1.map_err(|error| error.within(&place.to_string()))?,
                );
                let sides = width.and_then(|width| Ok((width, height?)));
                let (width, height) = sides.map_err(|error| error.within(&place.to_string()))?;
                let bbox = checked(FileBox { x1, y1, x2: x1 + width, y2: y1 + height });
                images[of].1.push(bbox.map_err(|error| error.within(&place.to_string()))?);
            }
            other => {
                let expected = "1 of a nodule, or 0 of an image without any";
                return Err(Error::new(place.to_string(), format!("its label is \"{other}\""), expected));
            }
        }
    }
    let mut labels = Labels::of(FORMAT.name);
    labels.push_class(CLASS, "1");
    for (image, boxes) in images {
        labels.push_image(&image).map_err(|error| error.within(name))?;
        for (bbox, n) in boxes.into_iter().zip(1..) {
            labels.push_lesion(n, CLASS, bbox, false).map_err(|error| error.within(name))?;
        }
    }
    labels.finish(name, sha256(bytes))
}
