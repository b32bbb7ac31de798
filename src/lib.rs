//! Scores lesion detectors by FROC analysis: recall at given false positives per image, on ChestX-Det10 as the official
//! script computes it, bit for bit, and exactly. The same core runs in the terminal (`froc`) and, as WebAssembly, in a
//! static page that uploads nothing.
//!
//! Data goes one way: bytes -> rows -> [`GroundTruth`] and [`Predictions`] -> [`Run`] -> verdicts -> curves -> [`Report`] ->
//! bytes. Fractions are 0..=1, boxes are corners in pixels, rates are per image.
//!
//! # A zip of predictions
//!
//! ```
//! # use std::io::{Cursor, Write};
//! # let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
//! # zip.start_file("1.json", zip::write::SimpleFileOptions::default())?;
//! # zip.write_all(br#"[{"Nodule": [10, 10, 29, 29, 0.9]}]"#)?;
//! # let archive = zip.finish()?;
//! use std::ops::ControlFlow;
//!
//! let ground_truth = froc::read_ground_truth(
//!     "test.json",
//!     br#"[{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]}]"#,
//! )?;
//! // Anything that reads and seeks, such as a `std::fs::File`.
//! let predictions = froc::read_predictions("model.zip", archive, &mut |_| ControlFlow::Continue(()))?;
//! let run = froc::Run::new(&ground_truth, &predictions).map_err(|errors| errors[0].clone())?;
//! let report = froc::evaluate(&ground_truth, &[&run], &froc::Options::default());
//! assert_eq!(report.runs[0].classes[3].name, "Nodule");
//! assert_eq!(report.runs[0].classes[3].official.recall, [Some(1.0); 3]);
//! println!("{}", String::from_utf8(froc::render::Format::Csv.bytes(&report)?)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Detections in memory, and two runs compared
//!
//! ```
//! use froc::bootstrap::Uncertainty;
//! use froc::dataset::{Detections, PredictionFile};
//! use froc::geometry::BBox;
//! use froc::protocol::Protocol;
//! use froc::report::statistics::Wanted;
//! use froc::options::DEFAULT_SPECIFICITY;
//! use froc::{Groups, Options, Predictions, Resampling, Run};
//!
//! let ground_truth = froc::read_ground_truth(
//!     "test.json",
//!     br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[10, 10, 29, 29]]},
//!          {"file_name": "2.png", "syms": ["Mass"], "boxes": [[50, 50, 89, 89]]}]"#,
//! )?;
//! let mass = Protocol::default().class_named("Mass").ok_or("one of the ten classes")?;
//! let lesion_1 = BBox { x1: 10.0, y1: 10.0, x2: 29.0, y2: 29.0 };
//! let lesion_2 = BBox { x1: 50.0, y1: 50.0, x2: 89.0, y2: 89.0 };
//! // One file for each image, named like it, holds the detections of that range.
//! let model = |name: &str, boxes: [BBox; 2]| {
//!     let mut detections = Detections::default();
//!     boxes.map(|bbox| detections.push(mass, bbox, 0.9));
//!     let files = vec![PredictionFile::new("1.json", 0..1), PredictionFile::new("2.json", 1..2)];
//!     Predictions::new(name, files, detections)
//! };
//! let (one, both) = (model("one", [lesion_1, lesion_1]), model("both", [lesion_1, lesion_2]));
//! let first = Run::new(&ground_truth, &one).map_err(|errors| errors[0].clone())?;
//! let second = Run::new(&ground_truth, &both).map_err(|errors| errors[0].clone())?;
//!
//! // The same resampled images for both runs: 200 replicates of seed 1.
//! let options = Options::new(0.5, vec![0.5])?;
//! let resampling = Resampling::new(200, 1, 0.95)?;
//! let by_image = Groups::images(&ground_truth);
//! let at = (&options, DEFAULT_SPECIFICITY);
//! let mut uncertainty = Uncertainty::new(&ground_truth, &[&first, &second], at, resampling, by_image)?;
//! while !uncertainty.step(u32::MAX) {}
//! let (uncertainty, baseline) = (Some(&uncertainty), Some(0));
//! let wanted = Wanted { uncertainty, baseline, ..Wanted::default() };
//! let runs = [(&first, &one), (&second, &both)];
//! let report = froc::evaluate_with_statistics(&ground_truth, &runs, &options, wanted);
//! assert_eq!(report.runs[0].exact.average_recall, Some(0.5));
//! let mean = report.comparisons[0].rows.iter().find(|row| row.name == "mean").ok_or("the mean of the classes")?;
//! assert_eq!(mean.average_recall.map(|difference| difference.value), Some(0.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! | module | what is there |
//! |---|---|
//! | [`input`] | files -> rows: formats, zips and folders; [`reading`]: how files are read otherwise, by choice |
//! | [`dataset`], [`protocol`] | lesions and detections in columns; what a dataset's evaluation is |
//! | [`run`] | files joined to images, detections ranked |
//! | [`guide`] | the first score, which number to report, comparing, choosing a threshold, writing it up |
//! | [`metric`] | the definition of every number, section by section |
//! | [`fusion`] | several runs as one more |
//! | [`matching`], [`mod@curve`] | which detection finds which lesion; recall over false positives |
//! | [`score`] | one statistic a file: official, quirks, exact, ties, average precision, image ROC, sizes, conventions |
//! | [`bootstrap`], [`compare`], [`rank`] | intervals and bands by resampling; runs compared and ranked on the same draws |
//! | [`thresholds`] | score thresholds chosen on other images: chosen, kept in a file, scored |
//! | [`slices`] | the images divided by a table or by their lesions, and what each part reaches |
//! | [`suspects`] | where several runs agree against the ground truth, and what a person makes of that |
//! | [`diagnosis`] | the cause of each false positive and missed lesion, and the images behind each count |
//! | [`doctor`], [`finding`] | what is wrong with the files, on evidence |
//! | [`report`] | what page, files and terminal show, as plain types; reports that were kept, read again |
//! | [`sheet`] | a report as tables: the only list of columns |
//! | [`render`] | a report as text, JSON, CSV, Markdown, LaTeX or HTML |
//! | [`convert`] | a run as files in another format; a ground truth with corrections |
//! | [`saved_page`] | the page in one file with files inside it |
//! | [`options`], [`error`], [`limits`] | what can be chosen; one sentence for each thing that is wrong; how much is read at most |
//! | [`session`] | files, readings, options, what was computed of them: all that page and terminal do |
//! | [`geometry`], [`texts`], [`printable`] | boxes and their overlap; many short texts in one; names made fit to be shown |
//!
//! The features: `cli` (default) is the program and its tables of text; without it the package is the library alone. `schema`,
//! a part of it, is the JSON Schema of reports.

pub mod bootstrap;
pub mod compare;
pub mod convert;
pub mod curve;
pub mod dataset;
pub mod diagnosis;
pub mod doctor;
pub mod error;
pub mod finding;
pub mod fusion;
pub mod geometry;
pub mod input;
pub mod limits;
pub mod matching;
#[doc = include_str!("guide.md")]
pub mod guide {}

#[doc = include_str!("metric.md")]
pub mod metric {}

pub mod options;
pub mod printable;
pub mod protocol;
pub mod rank;
pub mod reading;
pub mod render;
pub mod report;
pub mod run;
pub mod saved_page;
pub mod score;
pub mod session;
pub mod sheet;
pub mod slices;
pub mod suspects;
pub mod texts;
pub mod thresholds;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use bootstrap::{Bootstrap, Row};
pub use dataset::{GroundTruth, Predictions};
pub use error::{Error, ErrorKind};
#[cfg(not(target_arch = "wasm32"))]
pub use input::folder::read as read_predictions_folder;
pub use input::groups::Groups;
pub use input::read_ground_truth;
pub use input::zip::read as read_predictions;
#[cfg(not(target_arch = "wasm32"))]
pub use input::zip::read_file as read_predictions_file;
pub use options::{Options, Resampling};
pub use reading::Reading;
pub use report::Report;
pub use run::{Prepared, Run};
pub use thresholds::Thresholds;

use std::sync::Arc;

use crate::dataset::map_all;
use crate::doctor::{Case, Refusal};
use crate::protocol::Class;
use crate::report::CurveReport;
use crate::report::statistics::{RocCurveReport, Wanted};
use crate::score::ClassScore;
use crate::score::image_roc::ImageRoc;
use crate::score::official::Counts;

/// Makes predictions ready to be scored against a ground truth: reads them as asked, joins files to images, ranks the
/// detections, and looks for mistakes in the files. Several runs only if each folder is one.
///
/// # Errors
/// If a file of an image cannot be read, or an image has two files; with the readings that would help.
pub fn prepare(
    ground_truth: &GroundTruth,
    predictions: &Arc<Predictions>,
    reading: &Reading,
) -> Result<Vec<Prepared>, Refusal> {
    if !reading.scale.xy().iter().all(|scale| scale.is_finite() && *scale > 0.0) {
        let error =
            Error::option("scale", format!("there is {}", reading.scale), "a number above 0, or two: for x and for y");
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    if !reading.offset.iter().all(|number| number.is_finite()) {
        let [x, y] = reading.offset;
        let error = Error::option("offset", format!("there is {x},{y}"), "two numbers: for x and for y");
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    if let Some(above) = reading.nms.filter(|above| !(0.0..=1.0).contains(above)) {
        let error = Error::option("nms", format!("there is {above}"), "an IoU from 0 to 1, such as 0.5");
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    let protocol = ground_truth.protocol();
    if let Some((name, class)) = reading.class_names.iter().find(|(_, class)| protocol.class_named(class).is_none()) {
        let expected = format!("one of {}", protocol.class_names().join(", "));
        let error = Error::new(format!("class name \"{name}\""), format!("it is to be read as \"{class}\""), expected);
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    let absent = doctor::absent_names(predictions, reading);
    let prepare_one = |predictions: Arc<Predictions>| {
        let run = Run::new(ground_truth, &predictions)
            .map_err(|errors| Refusal::new(ground_truth, &predictions, reading, errors))?;
        let case = Case { ground_truth, predictions: &predictions, reading, run: &run };
        let mut findings = doctor::examine(case);
        findings.extend(absent.clone());
        Ok(Prepared { run: run.examined(reading.clone(), findings), predictions })
    };
    input::remedy::apply(ground_truth, predictions, reading).into_iter().map(prepare_one).collect()
}

/// Scores runs against the ground truth that they were made for. What was read is not read again, so that other options
/// follow at once.
#[must_use]
pub fn evaluate(ground_truth: &GroundTruth, runs: &[&Run], options: &Options) -> Report {
    let scored: Vec<(&Run, Vec<ClassScore>)> =
        runs.iter().map(|run| (*run, score_classes(ground_truth, run, options))).collect();
    Report::new(ground_truth, options, &scored)
}

/// The classes of a run, in the order of the protocol.
fn score_classes(ground_truth: &GroundTruth, run: &Run, options: &Options) -> Vec<ClassScore> {
    map_all(ground_truth.classes().collect(), |class| score_class(ground_truth, run, class, options))
}

/// Scores runs, each given with the predictions it was made of, and computes what is `wanted` beside the score.
#[must_use]
pub fn evaluate_with_statistics(
    ground_truth: &GroundTruth,
    runs: &[(&Run, &Predictions)],
    options: &Options,
    wanted: Wanted<'_>,
) -> Report {
    let scored: Vec<(&Run, Vec<ClassScore>)> =
        runs.iter().map(|(run, _)| (*run, score_classes(ground_truth, run, options))).collect();
    let predictions: Vec<&Predictions> = runs.iter().map(|(_, predictions)| *predictions).collect();
    Report::new(ground_truth, options, &scored).with_statistics(ground_truth, options, &scored, &predictions, wanted)
}

/// Scores runs and ranks them by their exact average recall, by a finished bootstrap of the same runs in the same order.
#[must_use]
pub fn evaluate_with_ranking(
    ground_truth: &GroundTruth,
    runs: &[&Run],
    options: &Options,
    bootstrap: &Bootstrap,
) -> Report {
    evaluate(ground_truth, runs, options).with_ranking(bootstrap)
}

/// The image-level ROC curve of one class of a run, made of these predictions.
#[must_use]
pub fn image_roc(ground_truth: &GroundTruth, run: &Run, predictions: &Predictions, class: Class) -> RocCurveReport {
    RocCurveReport::from(&ImageRoc::new(ground_truth, run, predictions.detections(), class))
}

/// An exact FROC curve of a run: of one class; of the mean over the classes that have lesions, at every step of each of them; or
/// of all classes ranked together.
#[must_use]
pub fn curve(ground_truth: &GroundTruth, run: &Run, row: Row, options: &Options) -> CurveReport {
    match row {
        Row::Class(class) => {
            let score = score_class(ground_truth, run, class, options);
            CurveReport::new(&score.curve, score.counts)
        }
        Row::Mean => {
            let classes = score_classes(ground_truth, run, options);
            let curves: Vec<_> = classes.iter().map(|class| (&class.curve, class.counts)).collect();
            CurveReport::of_mean(&curves)
        }
        Row::Pooled => {
            let counts = Counts { n_lesions: ground_truth.n_all_lesions(), n_images: ground_truth.n_images() };
            CurveReport::new(&score::pooled_curve(ground_truth, run, options.iou_threshold()), counts)
        }
    }
}

fn score_class(ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options) -> ClassScore {
    let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
    ClassScore::new(run.ranking(class), counts, options, ground_truth.protocol().extent())
}
