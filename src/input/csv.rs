//! Boxes of all images in one table, both sides of it: a row for each box, or, as Kaggle has it, a row for each image with all its boxes in
//! one field.
//!
//! Columns are found by their names: one of images, one of classes, one of scores, and either two corners or a corner with
//! width and height; or a `PredictionString` of groups `class score x1 y1 x2 y2` (VinDr-CXR) or `score x y width height` (RSNA).

use std::collections::HashMap;

use super::groups::IMAGE;
use super::json::shorten;
use super::labels::Labels;
use super::records::checked;
use super::table::{self, Table};
use super::{Format, GroundTruthFormat, KeyedImages, ReadDetections, kept, sha256};
use crate::dataset::{Detections, GroundTruth, ReadRow, Remarks};
use crate::error::Error;
use crate::geometry::{FileBox, ImageSize};
use crate::protocol::{Class, NO_CLASS};
use crate::texts::{Finder, Texts};

/// The format.
pub const FORMAT: Format =
    Format { name: "CSV", endings: &[".csv", ".tsv"], sniff: is_it, read: ReadDetections::OfRun(read) };

/// A ground truth: a table of boxes without scores, such as NIH's `BBox_List_2017.csv`, RSNA's `stage_2_train_labels.csv` or
/// VinDr-CXR's `train.csv` (Kaggle: `image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max`) and `annotations_train.csv` (`PhysioNet`,
/// `10.13026/3akn-b287`: `image_id,rad_id,class_name,x_min,y_min,x_max,y_max`), in which `rad_id` names the reader of each box and a row `No finding` without
/// a box says that a reader saw none; its `annotations_test.csv` is a consensus and has no such column.
pub const GROUND_TRUTH: GroundTruthFormat = GroundTruthFormat {
    name: "CSV of lesions",
    endings: &[".csv", ".tsv"],
    sniff: is_ground_truth,
    read: read_ground_truth,
};

const CLASS: &[&str] = &[
    "classname",
    "labelname",
    "categoryname",
    "findinglabel",
    "label",
    "class",
    "category",
    "classid",
    "labelid",
    "categoryid",
];
const SCORE: &[&str] = &["score", "confidence", "conf", "probability", "prob"];
const STRING: &[&str] = &["predictionstring"];
/// Left, top, right and bottom.
const CORNERS: [&[&str]; 4] = [
    &["xmin", "x1", "left", "x0", "bboxx1"],
    &["ymin", "y1", "top", "y0", "bboxy1"],
    &["xmax", "x2", "right", "bboxx2"],
    &["ymax", "y2", "bottom", "bboxy2"],
];
/// Left, top, width and height.
const SIZES: [&[&str]; 4] = [
    &["x", "xmin", "left", "bboxx", "x1"],
    &["y", "ymin", "top", "bboxy", "y1"],
    &["width", "w", "bboxw", "bboxwidth"],
    &["height", "h", "bboxh", "bboxheight"],
];
/// Numbers of classes, in tables that have their names as well.
const NUMBER: &[&str] = &["classid", "labelid", "categoryid", "class", "label"];
/// The size of an image, in tables that have the corners of its boxes (`TensorFlow`'s, Roboflow's).
const IMAGE_SIZE: [&[&str]; 2] = [&["width", "imagewidth", "imgwidth"], &["height", "imageheight", "imgheight"]];
/// Who drew a box, where several readers did.
const READER: &[&str] = &["radid", "reader", "readerid", "radiologist", "radiologistid", "annotator", "annotatorid"];
/// What a reader is called whose field is empty.
const UNNAMED: &str = "unnamed";
const EXPECTED_LESIONS: &str = "columns such as file_name, label, xmin, ymin, xmax, ymax";
const EXPECTED: &str = "columns such as file_name, label, score, xmin, ymin, xmax, ymax";
/// The class of lesions whose table names none: that of a dataset with one.
const ONLY_CLASS: &str = "1";

/// Whether a table has a column of boxes, of their classes or of their scores, as far as names tell.
pub(super) fn tells_boxes(table: &Table<'_>) -> bool {
    /// A box in one field, as it is when the commas of its name part no columns; and that of a centre.
    const OTHERS: &[&str] = &["bboxxywh", "bboxxywh1", "xcenter"];
    [CLASS, SCORE, STRING, CORNERS[0], SIZES[0], OTHERS].iter().any(|names| table.column(names).is_some())
}

/// Where the parts of a row stand.
pub(super) struct Columns {
    image: usize,
    class: Option<usize>,
    boxes: Boxes,
    /// Width and height of the image, in a table of lesions.
    size: Option<[usize; 2]>,
}

/// How boxes stand in a row.
enum Boxes {
    /// One box: its sides, whether the last two are width and height, and the score.
    One { sides: [usize; 4], are_sizes: bool, score: Option<usize> },
    /// Any number of boxes as text.
    Text(usize),
}

impl Columns {
    pub fn of(table: &Table<'_>) -> Option<Self> {
        // Of RSNA's tables the patient is the image.
        let image = table.column(IMAGE).or_else(|| table.column(&["patientid"]))?;
        // YOLO's tables have the number as `class` and, beside it, its `name`.
        let name = table.column(&["name"]).filter(|name| *name != image && table.column(&["class"]).is_some());
        let class = name.or_else(|| table.column(CLASS));
        if let Some(text) = table.column(STRING) {
            return Some(Self { image, class, boxes: Boxes::Text(text), size: None });
        }
        let of = |names: [&[&str]; 4]| -> Option<[usize; 4]> {
            let found: Vec<usize> = names.into_iter().map(|names| table.column(names)).collect::<Option<_>>()?;
            found.try_into().ok()
        };
        let score = table.column(SCORE);
        let one = |sides, are_sizes| Boxes::One { sides, are_sizes, score };
        let corners = of(CORNERS);
        let [width, height] =
            IMAGE_SIZE.map(|names| table.column(names).filter(|_| corners.is_some() && score.is_none()));
        let size = width.zip(height).map(<[usize; 2]>::from);
        let boxes = corners.map(|sides| one(sides, false)).or_else(|| of(SIZES).map(|sides| one(sides, true)))?;
        Some(Self { image, class, boxes, size })
    }

    /// Whether rows have scores, and so are detections.
    pub const fn has_scores(&self) -> bool {
        matches!(self.boxes, Boxes::Text(_) | Boxes::One { score: Some(_), .. })
    }
}

/// What a table holds: a name a million times is kept once.
#[derive(Default)]
pub(super) struct Rows {
    /// Names in the order in which they first stand.
    images: Names,
    classes: Names,
    /// Sizes of images by their places, where rows tell them; shorter if the last ones do not.
    sizes: Vec<Option<ImageSize>>,
    /// Of each row the place of its image.
    image_of: Vec<u32>,
    boxes: Vec<Row>,
}

/// One box of a table: the places of its image and of its class among the names.
struct Row {
    image: u32,
    class: u32,
    bbox: FileBox,
    score: f64,
}

/// Different names, each at its place.
#[derive(Default)]
struct Names {
    names: Texts,
    finder: Finder,
}

impl Names {
    /// The place of a name, which is added if there is none like it.
    fn add(&mut self, name: &str) -> u32 {
        let Self { names, finder } = self;
        let place = names.len() as u32;
        finder.insert(name, place, |at| names[at as usize] == *name).unwrap_or_else(|| {
            names.push(name);
            place
        })
    }
}

fn is_it(bytes: &[u8]) -> bool {
    Columns::of(&Table::new(bytes)).is_some_and(|columns| columns.has_scores())
}

/// That a table with these first bytes holds no boxes.
pub(super) fn other_columns(head: &[u8]) -> Error {
    let table = Table::new(head);
    let header = table.header().iter().collect::<Vec<_>>().join(", ");
    Error::new("", format!("its columns are {header}"), EXPECTED)
}

fn read(bytes: &[u8], into: &mut KeyedImages) -> Result<(), Error> {
    let table = Table::new(bytes);
    let columns = Columns::of(&table).filter(Columns::has_scores).ok_or_else(|| other_columns(bytes))?;
    let mut rows = Rows::default();
    for (place, row) in table.rows("") {
        columns.read(&row?, &mut rows).map_err(|error| error.within(&place.to_string()))?;
    }
    rows.by_image(|image, classes, of_it| into.read(image, |detections| push_all(detections, classes, of_it)))
}

impl Rows {
    /// Adds a row of an image, with a box or without; gives the place of the image.
    pub(super) fn push_image(&mut self, image: &str) -> u32 {
        let place = self.images.add(image);
        self.image_of.push(place);
        place
    }

    /// Adds a box in the image at that place.
    ///
    /// # Errors
    /// If its area is not finite.
    pub(super) fn push_box(&mut self, image: u32, class: &str, bbox: FileBox, score: f64) -> Result<(), Error> {
        self.boxes.push(Row { image, class: self.classes.add(class), bbox: checked(bbox)?, score });
        Ok(())
    }

    /// Adds the images and their boxes to the labels of a dataset.
    pub(super) fn label(&mut self, labels: &mut Labels) -> Result<(), Error> {
        let mut sizes = if self.boxes_are_within() { std::mem::take(&mut self.sizes) } else { Vec::new() }.into_iter();
        self.by_image(|image, classes, of_it| {
            labels.push_image(image)?;
            labels.size_of_image(sizes.next().flatten());
            let mut lesions = of_it.iter().zip(1..);
            lesions.try_for_each(|(row, n)| labels.push_lesion(n, &classes[row.class as usize], row.bbox, false))
        })
    }

    /// Whether no box reaches beyond its image: else the widths and heights are those of boxes.
    fn boxes_are_within(&self) -> bool {
        self.boxes.iter().all(|Row { image, bbox, .. }| {
            let size = self.sizes.get(*image as usize).copied().flatten();
            size.is_none_or(|size| bbox.x2 <= f64::from(size.width) + 1.0 && bbox.y2 <= f64::from(size.height) + 1.0)
        })
    }

    /// Goes through the boxes image by image, with the names of their classes. Those of an image need not stand together; its
    /// first row tells its place.
    fn by_image(&mut self, mut each: impl FnMut(&str, &Texts, &[Row]) -> Result<(), Error>) -> Result<(), Error> {
        self.boxes.sort_by_key(|row| row.image);
        let mut rest = &*self.boxes;
        for (image, place) in self.images.names.iter().zip(0..) {
            let (of_it, others) = rest.split_at(rest.partition_point(|row| row.image == place));
            rest = others;
            each(image, &self.classes.names, of_it)?;
        }
        Ok(())
    }
}

fn is_ground_truth(bytes: &[u8]) -> bool {
    Columns::of(&Table::new(bytes)).is_some_and(|columns| !columns.has_scores())
}

/// Reads a ground truth. Images are called as in the table.
/// An image whose fields of the box are empty has no lesions.
fn read_ground_truth(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let table = Table::new(bytes);
    let header = table.header().iter().collect::<Vec<_>>().join(", ");
    let columns = Columns::of(&table).filter(|columns| !columns.has_scores());
    let columns = columns.ok_or_else(|| Error::new(name, format!("its columns are {header}"), EXPECTED_LESIONS))?;
    let number = table.column(NUMBER).filter(|number| columns.class.is_some_and(|class| class != *number));
    let reader_at = table.column(READER);
    let mut rows = Rows::default();
    let mut labels = Labels::of(GROUND_TRUTH.name);
    // Of each row its reader, and the class of its box if it is one.
    let mut readers: Vec<(String, Option<u32>)> = Vec::new();
    for (place, row) in table.rows(name) {
        let row = row?;
        let before = rows.boxes.len();
        columns.read(&row, &mut rows).map_err(|error| error.within(&place.to_string()))?;
        let class = rows.boxes.get(before).map(|row| row.class);
        if let Some((class, number)) = class.zip(number) {
            labels.number(&rows.classes.names[class as usize], &row[number]);
        }
        readers.extend(reader_at.map(|at| (kept(&row[at]).to_owned(), class)));
    }
    rows.label(&mut labels).map_err(|error| error.within(name))?;
    let truth = labels.finish(name, sha256(bytes))?;
    with_readers(truth, &rows, &readers)
}

/// The same with the readers of its rows.
fn with_readers(truth: GroundTruth, rows: &Rows, readers: &[(String, Option<u32>)]) -> Result<GroundTruth, Error> {
    let place_of: HashMap<&str, u32> = truth.images().iter().zip(0..).collect();
    let class_named: HashMap<&str, Class> = truth.classes().map(|class| (truth.class_name(class), class)).collect();
    let (images, classes) = (&rows.images.names, &rows.classes.names);
    let of_readers: Vec<ReadRow<'_>> = rows
        .image_of
        .iter()
        .zip(readers)
        .map(|(image, (reader, class))| ReadRow {
            image: place_of.get(&images[*image as usize]).copied().unwrap_or_default(),
            reader: if reader.is_empty() { UNNAMED } else { reader },
            class: class.and_then(|class| class_named.get(&classes[class as usize]).copied()),
        })
        .collect();
    drop((place_of, class_named));
    truth.with_readers(&of_readers)
}

fn push_all(into: &mut Detections, classes: &Texts, rows: &[Row]) -> Result<Remarks, Error> {
    into.reserve(rows.len()).map_err(super::full)?;
    for Row { class, bbox, score, .. } in rows {
        into.push_named(kept(&classes[*class as usize]), *bbox, *score);
    }
    Ok(Remarks::default())
}

impl Columns {
    /// Adds the boxes of a row.
    fn read(&self, row: &table::Row, into: &mut Rows) -> Result<(), Error> {
        let image = into.push_image(&row[self.image]);
        if let Some(size) = self.size {
            let [width, height] = size.map(|at| row[at].parse().ok());
            let at = image as usize;
            into.sizes.resize(into.sizes.len().max(at + 1), None);
            into.sizes[at] = width.zip(height).and_then(|(w, h)| ImageSize::new(w, h)).or(into.sizes[at]);
        }
        let unnamed = if self.has_scores() { NO_CLASS } else { ONLY_CLASS };
        let class = self.class.map_or(unnamed, |at| &row[at]);
        match self.boxes {
            Boxes::One { sides, are_sizes, score } => {
                // An image without a box has a row with empty fields.
                if sides.iter().all(|at| row[*at].is_empty()) {
                    return Ok(());
                }
                let mut numbers = [0.0; 4];
                for (number, at) in numbers.iter_mut().zip(sides) {
                    *number = finite(&row[at])?;
                }
                let score = score.map_or(Ok(0.0), |at| finite(&row[at]))?;
                into.push_box(image, class, corners(numbers, are_sizes), score)
            }
            Boxes::Text(at) => {
                let fields: Vec<&str> = row[at].split_whitespace().collect();
                // With a column of classes the text has none. Lengths that both divide are taken for boxes with a class.
                let with_class = self.class.is_none() && fields.len().is_multiple_of(6);
                let size = if with_class { 6 } else { 5 };
                if !fields.len().is_multiple_of(size) {
                    let what = format!("its text of boxes has {} words", fields.len());
                    let expected = "groups of \"class score x1 y1 x2 y2\", or of \"score x y width height\"";
                    return Err(Error::new("", what, expected));
                }
                for group in fields.chunks(size) {
                    let (class, numbers) = if with_class { (group[0], &group[1..]) } else { (class, group) };
                    let mut values = [0.0; 5];
                    for (value, text) in values.iter_mut().zip(numbers) {
                        *value = finite(text)?;
                    }
                    let [score, a, b, c, d] = values;
                    into.push_box(image, class, corners([a, b, c, d], !with_class), score)?;
                }
                Ok(())
            }
        }
    }
}

pub(super) fn corners([x1, y1, x2, y2]: [f64; 4], are_sizes: bool) -> FileBox {
    if are_sizes { FileBox { x1, y1, x2: x1 + x2, y2: y1 + y2 } } else { FileBox { x1, y1, x2, y2 } }
}

/// A number, with a decimal comma where that was meant.
pub(super) fn finite(text: &str) -> Result<f64, Error> {
    let number = text.parse().or_else(|_| text.replace(',', ".").parse());
    number.ok().filter(|number: &f64| number.is_finite() && (*number as f32).is_finite()).ok_or_else(|| {
        let there =
            if text.is_empty() { "a field is empty".to_owned() } else { format!("a field is \"{}\"", shorten(text)) };
        Error::new("", there, "a finite number")
    })
}
