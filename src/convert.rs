//! A run as files in another format: every detection of a class in every image, as it is read, with the reading that was chosen. And a
//! ground truth with corrections.
//!
//! What a format cannot keep is told by the [`Conversion`]. The right numbers are those of the files: boxes and scores are written
//! so that a reader finds the same 64-bit numbers, where the format writes corners; where it writes sizes, see
//! [`Conversion::n_rounded`].

mod chestx_det;
mod coco;
mod csv;
pub mod ground_truth;
mod packed;
#[cfg(feature = "cli")]
pub mod rjafroc;
mod yolo;

use std::io::{self, Write};

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::geometry::FileBox;
use crate::protocol::Class;
use crate::run::Prepared;

/// A format in which a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A zip with one JSON file for each image, as the script of ChestX-Det10 reads them.
    ChestxDet,
    /// COCO's results.
    Coco,
    /// A zip with a text file for each image, and `classes.txt`.
    Yolo,
    /// One table, a row for each detection.
    Csv,
}

/// What is to be known about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct TargetFacts {
    /// The name by which it is asked for, such as `coco`.
    pub name: &'static str,
    /// What it is called, such as `COCO results`.
    pub label: &'static str,
    /// The ending of its file, without the dot.
    pub ending: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What it holds.
    pub about: &'static str,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ChestxDet, Self::Coco, Self::Yolo, Self::Csv];

    /// What is to be known about it.
    #[must_use]
    pub const fn facts(self) -> TargetFacts {
        let (name, label, ending, media_type, about) = match self {
            Self::ChestxDet => (
                "chestx-det",
                "ChestX-Det10 predictions",
                "zip",
                "application/zip",
                "A zip with one JSON file for each image, as the official script reads them",
            ),
            Self::Coco => {
                ("coco", "COCO results", "json", "application/json", "A list of boxes as x, y, width, height")
            }
            Self::Yolo => (
                "yolo",
                "YOLO text files",
                "zip",
                "application/zip",
                "A zip with a text file for each image, scores last, and classes.txt",
            ),
            Self::Csv => ("csv", "CSV", "csv", "text/csv", "One table with a row for each detection"),
        };
        TargetFacts { name, label, ending, media_type, about }
    }

    /// The target of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|target| target.facts().name == name).ok_or_else(|| {
            let expected = Self::ALL.map(|target| target.facts().name).join(", ");
            Error::option("Format", format!("there is \"{name}\""), format!("one of {expected}"))
        })
    }
}

/// What was written, and what could not be kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct Conversion {
    /// Detections written.
    pub n_detections: usize,
    /// Of these, those with a corner that a reader computes to another 64-bit number, since the format writes sizes or centres.
    pub n_rounded: usize,
    /// The most that such a corner moves, in pixels; 0 if none does.
    pub most_rounded: f64,
    /// Of the same, those whose corner is another 32-bit number, too: the official script and all matching compute with these.
    pub n_moved: usize,
    /// One sentence for each thing that is not kept, or is to be known.
    pub notes: Vec<String>,
}

/// Writes a run, made for that ground truth, image by image in the order of the ground truth, and detections of an image in the order
/// of their file. Boxes under names that are no classes are left out.
///
/// ```
/// use froc::convert::{Target, convert};
/// use froc::dataset::{Detections, PredictionFile};
/// use froc::geometry::FileBox;
/// use froc::{Predictions, Reading};
///
/// let list = br#"[{"file_name": "1.png", "syms": [], "boxes": []}, {"file_name": "2.png", "syms": [], "boxes": []}]"#;
/// let ground_truth = froc::read_ground_truth("test.json", list)?;
/// let mut detections = Detections::default();
/// detections.push_named("Mass", FileBox { x1: 1.0, y1: 2.0, x2: 3.0, y2: 4.5 }, 0.9);
/// let predictions = Predictions::new("model", vec![PredictionFile::new("1.json", 0..1)], detections).into();
/// let runs = froc::prepare(&ground_truth, &predictions, &Reading::default()).map_err(|refusal| refusal.errors[0].clone())?;
/// let mut table = Vec::new();
/// let conversion = convert(&ground_truth, &runs[0], Target::Csv, &mut table)??;
/// assert_eq!(table, b"file_name,label,xmin,ymin,xmax,ymax,score\n1.png,Mass,1.0,2.0,3.0,4.5,0.9\n2.png,,,,,,\n");
/// assert_eq!(conversion.n_detections, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the format cannot tell apart the images or classes of the ground truth; then nothing is written. Within, what `out` gives.
pub fn convert(
    ground_truth: &GroundTruth,
    run: &Prepared,
    target: Target,
    mut out: impl Write,
) -> Result<io::Result<Conversion>, Error> {
    let rows = Rows { ground_truth, run };
    let mut conversion = Conversion::default();
    rows.tell_what_is_left_out(&mut conversion);
    let written = match target {
        Target::ChestxDet => chestx_det::write(&rows, &mut conversion, &mut out)?,
        Target::Coco => coco::write(&rows, &mut conversion, &mut out)?,
        Target::Yolo => yolo::write(&rows, &mut conversion, &mut out)?,
        Target::Csv => csv::write(&rows, &mut conversion, &mut out)?,
    };
    conversion.tell_rounding();
    Ok(written.and_then(|()| out.flush()).map(|()| conversion))
}

/// A detection as it is written.
#[derive(Clone, Copy)]
struct Row {
    class: Class,
    bbox: FileBox,
    score: f64,
}

/// A run image by image.
struct Rows<'a> {
    ground_truth: &'a GroundTruth,
    run: &'a Prepared,
}

impl<'a> Rows<'a> {
    /// The names of the images, in order, each with its number.
    fn images(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        self.ground_truth.images().iter().enumerate()
    }

    /// The detections of an image, in the order of their file.
    fn of(&self, image: usize) -> impl Iterator<Item = Row> {
        let Prepared { run, predictions } = self.run;
        let detections = predictions.detections();
        run.detections(image).filter_map(move |at| {
            let at = at as usize;
            let class = run.class(detections, at)?;
            Some(Row { class, bbox: detections.box_in_file(at), score: detections.score_in_file(at) })
        })
    }

    fn class_name(&self, class: Class) -> &'a str {
        self.ground_truth.class_name(class)
    }

    /// What is between the files and any format.
    fn tell_what_is_left_out(&self, conversion: &mut Conversion) {
        let Prepared { run, predictions } = self.run;
        if let Some(sentence) = run.reading().sentence() {
            conversion.notes.push(format!("Written as it is read. {sentence}"));
        }
        let n_without_image = predictions.files().len().saturating_sub(run.n_files());
        if n_without_image > 0 {
            let files = if n_without_image == 1 { "file of no image is" } else { "files of no image are" };
            conversion.notes.push(format!("Left out: {n_without_image} {files} in the ground truth."));
        }
        let detections = predictions.detections();
        let rows = || (0..self.ground_truth.n_images()).flat_map(|image| run.detections(image));
        let unread = || rows().map(|at| at as usize).filter(|at| run.class(detections, *at).is_none());
        let n_unread = unread().count();
        if let Some(first) = unread().next() {
            let boxes = if n_unread == 1 { "box" } else { "boxes" };
            let name = detections.name(first);
            conversion.notes.push(format!(
                "Left out: {n_unread} {boxes} under names that are no classes of the ground truth, such as \"{name}\"."
            ));
        }
    }

    /// That names of classes are what a line of text holds.
    ///
    /// # Errors
    /// If one is empty, or begins or ends with a blank, or has several lines.
    fn check_lines<'b>(&self, names: impl IntoIterator<Item = &'b str>) -> Result<(), Error> {
        let is_line = |name: &&str| !name.is_empty() && name.trim() == *name && !name.contains(['\n', '\r']);
        names.into_iter().find(|name| !is_line(name)).map_or(Ok(()), |name| {
            let what = format!("there is the name \"{name}\"");
            Err(Error::new(
                self.ground_truth.name(),
                what,
                "names in one line without blanks around them, in this format",
            ))
        })
    }
}

/// That a class is known by its name alone.
///
/// # Errors
/// If two have one name.
fn check_class_names(ground_truth: &GroundTruth) -> Result<(), Error> {
    let protocol = ground_truth.protocol();
    let doubled = protocol.classes().find(|class| protocol.class_named(protocol.class_name(*class)) != Some(*class));
    doubled.map_or(Ok(()), |class| {
        let what = format!("two of its classes are called \"{}\"", ground_truth.class_name(class));
        let expected = "another name for one of them, since this format knows classes by their names";
        Err(Error::new(ground_truth.name(), what, expected))
    })
}

impl Conversion {
    /// Notes what a reader makes of a box.
    fn compare(&mut self, bbox: FileBox, read: FileBox) {
        let pairs = [(bbox.x1, read.x1), (bbox.y1, read.y1), (bbox.x2, read.x2), (bbox.y2, read.y2)];
        let most = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if most > 0.0 {
            self.n_rounded += 1;
            self.most_rounded = self.most_rounded.max(most);
            self.n_moved += usize::from(bbox.rounded() != read.rounded());
        }
    }

    fn tell_rounding(&mut self) {
        let Self { n_detections, n_rounded, most_rounded, n_moved, .. } = *self;
        if n_rounded > 0 {
            let in_32 = match n_moved {
                0 => "as 32-bit numbers, which overlaps are computed with, all are the same".to_owned(),
                _ => format!("as 32-bit numbers, which overlaps are computed with, {n_moved} are others"),
            };
            self.notes.push(format!(
                "Sizes do not hold all corners to the last bit: {n_rounded} of {n_detections} boxes come back changed by up to \
                 {most_rounded:.1e} pixels; {in_32}."
            ));
        }
    }
}

/// How to write two sides of a box by other numbers, given those that arithmetic has: these, or their neighbours, whichever a reader
/// makes exactly the sides of, or at least the same 32-bit numbers.
fn nearest<const N: usize>(sides: [f64; 2], plain: [f64; N], read: impl Fn([f64; N]) -> [f64; 2]) -> [f64; N] {
    /// How far off a reader is, in 32-bit numbers and in those of the file.
    fn off(sides: [f64; 2], read: [f64; 2]) -> (f32, f64) {
        let pairs = || sides.into_iter().zip(read);
        (pairs().map(|(a, b)| (a as f32 - b as f32).abs()).sum(), pairs().map(|(a, b)| (a - b).abs()).sum())
    }
    let steps: [fn(f64) -> f64; 3] = [|number| number, f64::next_down, f64::next_up];
    let mut best = plain;
    let mut least = off(sides, read(plain));
    for code in 1..3_usize.pow(N as u32) {
        if least.1 <= 0.0 {
            break;
        }
        let mut code = code;
        let written = plain.map(|number| {
            let step = steps[code % 3];
            code /= 3;
            step(number)
        });
        let off = off(sides, read(written));
        if off < least {
            (best, least) = (written, off);
        }
    }
    best
}

/// A number, in the fewest digits that give it back.
fn number(out: &mut impl Write, number: f64) -> io::Result<()> {
    serde_json::to_writer(out, &number).map_err(io::Error::from)
}

/// Numbers with a sign between them.
fn numbers(out: &mut impl Write, all: &[f64], between: &[u8]) -> io::Result<()> {
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            out.write_all(between)?;
        }
        number(out, *one)?;
    }
    Ok(())
}

/// A text as JSON has it.
fn text(out: &mut impl Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}
