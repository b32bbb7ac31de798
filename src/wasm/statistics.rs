//! Statistics in the worker: the bootstrap in slices, the report with everything, curves and exports.

use js_sys::Uint8Array;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::{Contents, Evaluator, FileFailure, Outcome, checked, failure, from_js, to_js};
use crate::bootstrap::Uncertainty;
use crate::dataset::{GroundTruth, Predictions};
use crate::error::Error;
use crate::input::groups::Groups;
use crate::options::Resampling;
use crate::render::Format;
use crate::report::statistics::{GroupsReport, RocCurveReport, Wanted};
use crate::report::{CurveReport, OptionsReport};
use crate::run::{Prepared, Run};
use crate::score::average_precision::DEFAULT_MAX_DETECTIONS;

/// How to resample.
#[derive(Serialize, Deserialize, Tsify)]
pub struct ResamplingOptions {
    /// 1 to 100,000.
    pub replicates: u32,
    /// A whole number from 0; the same seed gives the same draws everywhere.
    pub seed: u64,
    /// The share of replicates within an interval, such as 0.95.
    pub level: f64,
    /// What is drawn: images, patients by file names of the NIH, or the groups of the CSV file that was added last.
    #[tsify(type = "\"images\" | \"nih_names\" | \"csv\"")]
    pub groups: String,
}

/// What to compute beside the score.
#[derive(Serialize, Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct StatisticsOptions {
    /// The rate up to which areas under curves are taken, above 0.
    pub area_up_to: f64,
    /// As many detections of a class in one image count in average precision (`maxDets` in pycocotools); 100 unless given.
    #[serde(default = "max_detections")]
    #[tsify(optional)]
    pub max_detections: u32,
    /// The place in the report of the run that all others are compared with; null for none.
    pub baseline: Option<usize>,
}

const fn max_detections() -> u32 {
    DEFAULT_MAX_DETECTIONS
}

/// What is computed unless something else is asked for.
#[derive(Serialize, Tsify)]
pub struct StatisticsDefaults {
    /// How to resample.
    pub resampling: ResamplingOptions,
    /// What to compute.
    pub statistics: StatisticsOptions,
}

/// What is computed unless something else is asked for.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen(unchecked_return_type = "StatisticsDefaults")]
pub fn default_statistics() -> Result<JsValue, JsValue> {
    let resampling = Resampling::default();
    to_js(&StatisticsDefaults {
        resampling: ResamplingOptions {
            replicates: resampling.replicates(),
            seed: resampling.seed(),
            level: resampling.level(),
            groups: "images".to_owned(),
        },
        statistics: StatisticsOptions {
            area_up_to: crate::options::DEFAULT_AREA_UP_TO,
            max_detections: max_detections(),
            baseline: None,
        },
    })
}

/// How far the bootstrap is.
#[derive(Serialize, Tsify)]
pub struct BootstrapProgress {
    /// Replicates that are done.
    pub done: u32,
    /// Replicates in all; equal to `done` at the end.
    pub total: u32,
}

/// A bootstrap, and what it is of.
pub(super) struct Running {
    options: OptionsReport,
    n_runs: usize,
    uncertainty: Uncertainty,
}

/// What can be scored: runs that were joined to the ground truth.
struct Joined<'a> {
    ground_truth: &'a GroundTruth,
    /// The id of the file of each run.
    ids: Vec<String>,
    runs: Vec<(&'a Run, &'a Predictions)>,
}

#[wasm_bindgen]
impl Evaluator {
    /// Starts a bootstrap over the runs of the last `evaluate`, in place of one before; nothing is drawn yet.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range, the groups do not fit, or nothing was evaluated.
    #[wasm_bindgen(unchecked_return_type = "BootstrapProgress")]
    pub fn start_bootstrap(
        &mut self,
        options: &Ts<OptionsReport>,
        resampling: &Ts<ResamplingOptions>,
    ) -> Result<JsValue, JsValue> {
        self.running = None;
        let options = from_js(options)?;
        let wanted = from_js(resampling)?;
        let fail = |error: Error| failure(&[error]);
        let resampling = Resampling::new(wanted.replicates, wanted.seed, wanted.level).map_err(fail)?;
        let joined = self.joined().map_err(fail)?;
        let groups = self.groups_of(joined.ground_truth, &wanted.groups).map_err(fail)?;
        let runs: Vec<&Run> = joined.runs.iter().map(|(run, _)| *run).collect();
        let uncertainty = Uncertainty::new(joined.ground_truth, &runs, &checked(&options)?, resampling, groups);
        let n_runs = runs.len();
        self.running = Some(Running { options, n_runs, uncertainty: uncertainty.map_err(fail)? });
        self.step_bootstrap(0)
    }

    /// Draws up to `n` more replicates. Between two calls the worker can tell how far it is, or be told to stop.
    ///
    /// # Errors
    /// Throws a `Failure` if no bootstrap was started, or a file was added or removed since.
    #[wasm_bindgen(unchecked_return_type = "BootstrapProgress")]
    pub fn step_bootstrap(&mut self, n: u32) -> Result<JsValue, JsValue> {
        let none = || Error::new("bootstrap", "there is none", "one that was started after the last file was added");
        let uncertainty = &mut self.running.as_mut().ok_or_else(|| failure(&[none()]))?.uncertainty;
        uncertainty.step(n);
        to_js(&BootstrapProgress { done: uncertainty.done(), total: uncertainty.total() })
    }

    /// Forgets the bootstrap.
    pub fn stop_bootstrap(&mut self) {
        self.running = None;
    }

    /// Scores as `evaluate` does and adds everything beside the score: with intervals, bands and comparisons if a bootstrap
    /// of the same runs and options is done. It becomes the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range, or nothing was evaluated.
    #[wasm_bindgen(unchecked_return_type = "Outcome")]
    pub fn evaluate_with_statistics(
        &mut self,
        options: &Ts<OptionsReport>,
        statistics: &Ts<StatisticsOptions>,
    ) -> Result<JsValue, JsValue> {
        let asked = from_js(options)?;
        let statistics = from_js(statistics)?;
        let options = checked(&asked)?;
        let fail = |error: Error| failure(&[error]);
        let area_up_to = crate::options::area_up_to(statistics.area_up_to).map_err(fail)?;
        let joined = self.joined().map_err(fail)?;
        let running = self.running.as_ref().filter(|running| {
            let is_same = running.options.iou_threshold.to_bits() == asked.iou_threshold.to_bits()
                && running.options.fp_per_image == asked.fp_per_image;
            is_same && running.n_runs == joined.runs.len() && running.uncertainty.done() == running.uncertainty.total()
        });
        let uncertainty = running.map(|running| &running.uncertainty);
        let wanted = Wanted {
            area_up_to,
            max_detections: statistics.max_detections,
            uncertainty,
            baseline: statistics.baseline,
        };
        let report = crate::evaluate_with_statistics(joined.ground_truth, &joined.runs, &options, wanted);
        let failures = self.files.iter().filter_map(|(id, file)| match file {
            Contents::Predictions { prepared: Some(Err(refusal)), .. } => Some(FileFailure::new(id, refusal)),
            _ => None,
        });
        let outcome = Outcome { report: Some(report), run_ids: joined.ids.clone(), failures: failures.collect() };
        let value = to_js(&outcome);
        self.report = outcome.report;
        value
    }

    /// The last report as the bytes of a file: the very bytes that the terminal prints.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no report, or no such format: `json`, `csv`, `markdown`, `latex` or `html`.
    pub fn export(&self, format: &str) -> Result<Uint8Array, JsValue> {
        let fail = |error: Error| failure(&[error]);
        let none = || Error::new("report", "there is none", "a ground truth and a run that can be scored");
        let report = self.report.as_ref().ok_or_else(|| fail(none()))?;
        let bytes = Format::named(format).and_then(|format| format.bytes(report)).map_err(fail)?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// The FROC curve of all classes ranked together, of a run of the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run, or an option is out of range.
    #[wasm_bindgen(unchecked_return_type = "CurveReport")]
    pub fn pooled_curve(&self, run: usize, options: &Ts<OptionsReport>) -> Result<JsValue, JsValue> {
        let options = from_js(options)?;
        let options = checked(&options)?;
        let (truth, prepared) = self.run_of(run).map_err(|error| failure(&[error]))?;
        to_js::<CurveReport>(&crate::pooled_curve(truth, &prepared.run, &options))
    }

    /// The mean of the FROC curves of the classes, of a run of the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run, or an option is out of range.
    #[wasm_bindgen(unchecked_return_type = "CurveReport")]
    pub fn mean_curve(&self, run: usize, options: &Ts<OptionsReport>) -> Result<JsValue, JsValue> {
        let options = from_js(options)?;
        let options = checked(&options)?;
        let (truth, prepared) = self.run_of(run).map_err(|error| failure(&[error]))?;
        to_js::<CurveReport>(&crate::mean_curve(truth, &prepared.run, &options))
    }

    /// The image-level ROC curve of a class, by its place in the official order, of a run of the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run or class.
    #[wasm_bindgen(unchecked_return_type = "RocCurveReport")]
    pub fn image_roc(&self, run: usize, class: usize) -> Result<JsValue, JsValue> {
        let (truth, prepared) = self.run_of(run).map_err(|error| failure(&[error]))?;
        let none =
            || Error::new("class", "there is no such class", format!("a number below {}", truth.classes().len()));
        let class = truth.classes().nth(class).ok_or_else(|| failure(&[none()]))?;
        to_js::<RocCurveReport>(&crate::image_roc(truth, &prepared.run, &prepared.predictions, class))
    }

    /// How the images are grouped by that rule, to be shown before anything is drawn.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no ground truth, or the groups do not fit it.
    #[wasm_bindgen(unchecked_return_type = "GroupsReport")]
    pub fn groups(&self, source: &str) -> Result<JsValue, JsValue> {
        let groups = self.truth().and_then(|truth| self.groups_of(truth, source)).map_err(|error| failure(&[error]))?;
        to_js::<GroupsReport>(&GroupsReport::from(&groups))
    }
}

impl Evaluator {
    fn truth(&self) -> Result<&GroundTruth, Error> {
        let truth = self.files.iter().rev().find_map(|(_, file)| match file {
            Contents::GroundTruth(truth) => Some(truth.as_ref()),
            _ => None,
        });
        truth.ok_or_else(|| Error::new("ground truth", "there is none", "a file such as test.json"))
    }

    fn joined(&self) -> Result<Joined<'_>, Error> {
        let mut joined = Joined { ground_truth: self.truth()?, ids: Vec::new(), runs: Vec::new() };
        for (id, file) in &self.files {
            if let Contents::Predictions { prepared: Some(Ok(prepared)), .. } = file {
                joined.ids.extend(prepared.iter().map(|_| id.clone()));
                joined.runs.extend(prepared.iter().map(|prepared| (&prepared.run, prepared.predictions.as_ref())));
            }
        }
        if joined.runs.is_empty() {
            return Err(Error::new("runs", "none is scored", "a ground truth and a run that were evaluated"));
        }
        Ok(joined)
    }

    fn run_of(&self, run: usize) -> Result<(&GroundTruth, &Prepared), Error> {
        let run = self.prepared().nth(run);
        let none = || Error::new("run", "there is no such run", "the place of a run that was scored");
        Ok((self.truth()?, run.ok_or_else(none)?))
    }

    fn groups_of(&self, truth: &GroundTruth, source: &str) -> Result<Groups, Error> {
        match source {
            "images" => Ok(Groups::images(truth)),
            "nih_names" => Groups::nih_names(truth),
            "csv" => {
                let file = self.files.iter().rev().find_map(|(_, file)| match file {
                    Contents::Groups { name, bytes } => Some((name, bytes)),
                    _ => None,
                });
                let none = || Error::new("groups", "no file of groups was added", "a CSV file with file_name,group");
                let (name, bytes) = file.ok_or_else(none)?;
                Groups::csv(name, bytes, truth)
            }
            other => {
                let expected = "\"images\", \"nih_names\" or \"csv\"";
                Err(Error::new("groups", format!("there is \"{other}\""), expected))
            }
        }
    }
}
