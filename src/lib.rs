//! Scores lesion detectors on ChestX-Det10: recall at given false positives per image (points on a FROC curve), as the
//! official script computes it, bit for bit, and exactly.
//!
//! Data goes one way: bytes -> dataset -> verdicts -> curve -> scores -> report.
//!
//! ```
//! # use std::io::{Cursor, Write};
//! # let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
//! # zip.start_file("1.json", zip::write::SimpleFileOptions::default())?;
//! # zip.write_all(br#"[{"Nodule": [10, 10, 29, 29, 0.9]}]"#)?;
//! # let archive = zip.finish()?;
//! let ground_truth = froc::read_ground_truth(
//!     "test.json",
//!     br#"[{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]}]"#,
//! )?;
//! let predictions = froc::read_predictions("model.zip", archive, &mut |_| std::ops::ControlFlow::Continue(()))?;
//! let run = froc::Run::new(&ground_truth, &predictions).map_err(|errors| errors[0].clone())?;
//! let report = froc::evaluate(&ground_truth, &[&run], &froc::Options::default());
//! assert_eq!(report.runs[0].classes[3].name, "Nodule");
//! assert_eq!(report.runs[0].classes[3].official.recall, [Some(1.0); 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bootstrap;
pub mod compare;
pub mod curve;
pub mod dataset;
pub mod diagnosis;
pub mod doctor;
pub mod error;
pub mod geometry;
pub mod input;
mod later;
pub mod limits;
pub mod matching;
pub mod notice;
pub mod options;
mod order;
pub mod printable;
pub mod protocol;
pub mod reading;
pub mod render;
pub mod report;
pub mod run;
pub mod score;
pub mod texts;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use bootstrap::Bootstrap;
pub use dataset::{GroundTruth, Predictions};
pub use error::{Error, ErrorKind};
pub use input::archive::read as read_predictions;
#[cfg(not(target_arch = "wasm32"))]
pub use input::archive::read_file as read_predictions_file;
#[cfg(not(target_arch = "wasm32"))]
pub use input::folder::read as read_predictions_folder;
pub use input::ground_truth::read as read_ground_truth;
pub use input::groups::Groups;
pub use options::{Options, Resampling};
pub use reading::Reading;
pub use report::Report;
pub use run::{Prepared, Run};

use std::sync::Arc;

use crate::dataset::map_all;
use crate::doctor::{Case, Refusal};
use crate::later::{NotLoaded, later};
use crate::notice::Finding;
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
    if !(reading.scale.is_finite() && reading.scale > 0.0) {
        let error = Error::option("scale", format!("there is {}", reading.scale), "a number above 0");
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    let protocol = ground_truth.protocol();
    if let Some((name, class)) = reading.class_names.iter().find(|(_, class)| protocol.class_named(class).is_none()) {
        let expected = format!("one of {}", protocol.class_names().join(", "));
        let error = Error::new(format!("class name \"{name}\""), format!("it is to be read as \"{class}\""), expected);
        return Err(Refusal { errors: vec![error], remedies: Vec::new() });
    }
    let not_loaded = |missing: NotLoaded| Refusal { errors: vec![missing.into()], remedies: Vec::new() };
    let prepare_one = |predictions: Arc<Predictions>| {
        let run = Run::new(ground_truth, &predictions).map_err(|errors| {
            let predictions: &Predictions = &predictions;
            let without_help = Refusal { errors: errors.clone(), remedies: Vec::new() };
            later!(
                fn refuse(
                    ground_truth: &GroundTruth,
                    predictions: &Predictions,
                    reading: &Reading,
                    errors: Vec<Error>,
                ) -> Refusal {
                    Refusal::new(ground_truth, predictions, reading, errors)
                }
            )
            .unwrap_or(without_help)
        })?;
        let case = Case { ground_truth, predictions: &predictions, reading, run: &run };
        // Until it is loaded nothing is found.
        let findings = later!(
            fn examine(case: Case<'_>) -> Vec<Finding> {
                doctor::examine(case)
            }
        )
        .unwrap_or_default();
        Ok(Prepared { run: run.examined(reading.clone(), findings), predictions })
    };
    if reading.is_official() {
        // Nothing is copied.
        return Ok(vec![prepare_one(Arc::clone(predictions))?]);
    }
    let runs = later!(
        fn apply(
            ground_truth: &GroundTruth,
            predictions: &Arc<Predictions>,
            reading: &Reading,
        ) -> Vec<Arc<Predictions>> {
            input::remedy::apply(ground_truth, predictions, reading)
        }
    );
    runs.map_err(not_loaded)?.into_iter().map(prepare_one).collect()
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

/// The image-level ROC curve of one class of a run.
#[must_use]
pub fn image_roc(ground_truth: &GroundTruth, run: &Run, class: Class) -> RocCurveReport {
    RocCurveReport::from(&ImageRoc::new(ground_truth, run, class))
}

/// The FROC curve of all classes of a run ranked together.
#[must_use]
pub fn pooled_curve(ground_truth: &GroundTruth, run: &Run, options: &Options) -> CurveReport {
    let counts = Counts { n_lesions: ground_truth.n_all_lesions(), n_images: ground_truth.n_images() };
    CurveReport::new(&crate::score::pooled_curve(ground_truth, run, options.iou_threshold()), counts)
}

/// The FROC curve of one class of a run.
#[must_use]
pub fn curve(ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options) -> CurveReport {
    let score = score_class(ground_truth, run, class, options);
    CurveReport::new(&score.curve, score.counts)
}

fn score_class(ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options) -> ClassScore {
    let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
    ClassScore::new(run.ranking(class), counts, options)
}
