//! The bootstrap in slices, everything beside the score, and the curves of it.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::{Joined, Outcome, Session, class_at};
use crate::bootstrap::{Bootstrap, Uncertainty};
use crate::dataset::{GroundTruth, Predictions};
use crate::error::Error;
use crate::input::groups::Groups;
use crate::options::{DEFAULT_BETA, DEFAULT_SPECIFICITY, Options, Resampling, area_up_to, beta, specificity};
use crate::report::Report;
use crate::report::statistics::{RocCurveReport, Wanted};
use crate::run::Run;
use crate::score::average_precision::DEFAULT_MAX_DETECTIONS;
use crate::thresholds::Thresholds;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum GroupSource {
    /// Each image by itself.
    Images,
    /// Patients, by file names of the NIH such as `00000013_005.png`.
    NihNames,
    /// The groups of the CSV file that was added last.
    Csv,
}

/// How to resample.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ResamplingOptions {
    /// 1 to 100,000.
    pub replicates: u32,
    /// A whole number from 0; the same seed gives the same draws everywhere.
    pub seed: u64,
    /// The share of replicates within an interval, such as 0.95.
    pub level: f64,
    /// What is drawn.
    pub groups: GroupSource,
}

impl Default for ResamplingOptions {
    fn default() -> Self {
        let resampling = Resampling::default();
        Self {
            replicates: resampling.replicates(),
            seed: resampling.seed(),
            level: resampling.level(),
            groups: GroupSource::Images,
        }
    }
}

/// What to compute beside the score.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct StatisticsOptions {
    /// The rate up to which areas under curves are taken, in false positives per image, above 0.
    pub area_up_to: f64,
    /// As many detections of a class in one image count in average precision (`maxDets` in pycocotools); 100 unless given.
    #[serde(default = "max_detections")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub max_detections: u32,
    /// How much more recall weighs than precision in F-scores, above 0 and up to 100; 1 unless given.
    #[serde(default = "default_beta")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub beta: f64,
    /// The least image specificity at which sensitivity is read, above 0 and up to 1; 0.9 unless given.
    #[serde(default = "default_specificity")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub specificity: f64,
    /// The id of the run that all others are compared with; null for none.
    pub baseline: Option<String>,
}

const fn max_detections() -> u32 {
    DEFAULT_MAX_DETECTIONS
}

const fn default_beta() -> f64 {
    DEFAULT_BETA
}

const fn default_specificity() -> f64 {
    DEFAULT_SPECIFICITY
}

impl Default for StatisticsOptions {
    fn default() -> Self {
        let Wanted { area_up_to, max_detections, beta, specificity, .. } = Wanted::default();
        Self { area_up_to, max_detections, beta, specificity, baseline: None }
    }
}

/// What is computed unless something else is asked for.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct StatisticsDefaults {
    /// How to resample.
    pub resampling: ResamplingOptions,
    /// What to compute.
    pub statistics: StatisticsOptions,
}

/// How far the bootstrap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct BootstrapProgress {
    /// Replicates that are done.
    pub done: u32,
    /// Replicates in all; equal to `done` at the end.
    pub total: u32,
}

/// A bootstrap, and what it is of.
pub(super) struct Running {
    options: Options,
    uncertainty: Uncertainty,
}

impl Running {
    const fn is_done(&self) -> bool {
        self.uncertainty.done() == self.uncertainty.total()
    }
}

impl Session {
    /// Starts a bootstrap over all runs, in place of one before; nothing is drawn yet. Image sensitivity is read where `statistics`
    /// say.
    ///
    /// # Errors
    /// If an option is out of range, the groups do not fit, or no run can be scored.
    pub fn start_bootstrap(
        &mut self,
        options: &Options,
        wanted: &ResamplingOptions,
        statistics: &StatisticsOptions,
    ) -> Result<BootstrapProgress, Error> {
        self.running = None;
        let specificity = specificity(statistics.specificity)?;
        let resampling = Resampling::new(wanted.replicates, wanted.seed, wanted.level)?;
        self.set_measure(options.hit().measure());
        self.join();
        let Joined { ground_truth, runs, .. } = self.joined()?;
        let groups = self.groups(ground_truth, wanted.groups)?;
        let runs: Vec<&Run> = runs.iter().map(|prepared| &prepared.run).collect();
        let uncertainty = Uncertainty::new(ground_truth, &runs, (options, specificity), resampling, groups)?;
        self.running = Some(Running { options: options.clone(), uncertainty });
        self.step_bootstrap(0)
    }

    /// Draws up to `n` more replicates. Between two calls the caller can tell how far it is, or stop.
    ///
    /// # Errors
    /// If no bootstrap was started, or a file was added, removed or read otherwise since.
    pub fn step_bootstrap(&mut self, n: u32) -> Result<BootstrapProgress, Error> {
        let none = || Error::new("bootstrap", "there is none", "one that was started after the last file was added");
        let uncertainty = &mut self.running.as_mut().ok_or_else(none)?.uncertainty;
        uncertainty.step(n);
        Ok(BootstrapProgress { done: uncertainty.done(), total: uncertainty.total() })
    }

    /// Forgets the bootstrap.
    pub fn stop_bootstrap(&mut self) {
        self.running = None;
    }

    /// Scores as [`Session::evaluate`] does and adds everything beside the score: with intervals, bands and comparisons if a
    /// bootstrap under the same options is done.
    ///
    /// # Errors
    /// If an option is out of range, the baseline is no run, or no run can be scored.
    pub fn evaluate_with_statistics(
        &mut self,
        options: &Options,
        statistics: &StatisticsOptions,
    ) -> Result<&Outcome, Error> {
        let area_up_to = area_up_to(statistics.area_up_to)?;
        let beta = beta(statistics.beta)?;
        let specificity = specificity(statistics.specificity)?;
        self.set_measure(options.hit().measure());
        let failures = self.join();
        let Joined { ground_truth, run_ids, file_ids, runs } = self.joined()?;
        let place = |baseline: &String| {
            let none = || Error::new("baseline", "there is no such run", "the id of a run that can be scored");
            run_ids.iter().position(|id| id == baseline).ok_or_else(none)
        };
        let is_done = |running: &&Running| running.options == *options && running.is_done();
        let wanted = Wanted {
            area_up_to,
            max_detections: statistics.max_detections,
            beta,
            specificity,
            uncertainty: self.running.as_ref().filter(is_done).map(|running| &running.uncertainty),
            baseline: statistics.baseline.as_ref().map(place).transpose()?,
        };
        let runs: Vec<(&Run, &Predictions)> =
            runs.iter().map(|prepared| (&prepared.run, prepared.predictions.as_ref())).collect();
        let report = Some(crate::evaluate_with_statistics(ground_truth, &runs, options, wanted));
        self.outcome = Outcome { report, run_ids, file_ids, ..self.without_report(failures) };
        self.use_thresholds();
        self.use_slices();
        self.use_reports();
        Ok(&self.outcome)
    }

    /// Scores as [`Session::evaluate`] does and ranks the runs by their exact average recall, on draws of its own.
    ///
    /// # Errors
    /// If there are fewer than two runs, an option is out of range, the groups do not fit, or no run can be scored.
    pub fn evaluate_with_ranking(&mut self, options: &Options, wanted: &ResamplingOptions) -> Result<&Outcome, Error> {
        let resampling = Resampling::new(wanted.replicates, wanted.seed, wanted.level)?;
        self.set_measure(options.hit().measure());
        let failures = self.join();
        let Joined { ground_truth, run_ids, file_ids, runs } = self.joined()?;
        if runs.len() < 2 {
            let there = format!("there is {} run to rank", runs.len());
            return Err(Error::option("Ranking", there, "at least two"));
        }
        let groups = self.groups(ground_truth, wanted.groups)?;
        let runs: Vec<&Run> = runs.iter().map(|prepared| &prepared.run).collect();
        let mut bootstrap = Bootstrap::new(ground_truth, &runs, options, resampling, groups)?;
        bootstrap.step(wanted.replicates);
        let report = Some(crate::evaluate_with_ranking(ground_truth, &runs, options, &bootstrap));
        self.outcome = Outcome { report, run_ids, file_ids, ..self.without_report(failures) };
        Ok(&self.outcome)
    }

    /// The score thresholds that reach the rates of the options with a run, to be used on other images.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn thresholds(&self, run: &str, options: &Options) -> Result<Thresholds, Error> {
        let (ground_truth, prepared) = self.run(run)?;
        Ok(Thresholds::of(ground_truth, &prepared.run, options))
    }

    /// Adds to the last report what its runs reach at score thresholds chosen on other images; with intervals if the report has
    /// others of a bootstrap.
    ///
    /// # Errors
    /// If there is no report, or the thresholds are for another dataset, hit criterion or IoU threshold, for other ignored
    /// classes, or a class has none; then the report stays as it is.
    pub fn add_thresholds(&mut self, thresholds: &Thresholds) -> Result<&Outcome, Error> {
        let none = || Error::new("report", "there is none", "a ground truth and a run that can be scored");
        let report = self.outcome.report.clone().ok_or_else(none)?;
        let bootstrap = self.drawn(&report);
        let Joined { ground_truth, runs, .. } = self.joined()?;
        let runs: Vec<&Run> = runs.iter().map(|prepared| &prepared.run).collect();
        self.outcome.report = Some(report.with_thresholds(ground_truth, &runs, thresholds, bootstrap)?);
        Ok(&self.outcome)
    }

    /// The image-level ROC curve of a class of a run, by its place in the official order.
    ///
    /// # Errors
    /// If there is no such run or class.
    pub fn image_roc(&self, run: &str, class: usize) -> Result<RocCurveReport, Error> {
        let (ground_truth, prepared) = self.run(run)?;
        let class = class_at(ground_truth, class)?;
        Ok(crate::image_roc(ground_truth, &prepared.run, &prepared.predictions, class))
    }

    /// The finished bootstrap that a report has its intervals of.
    pub(super) fn drawn(&self, report: &Report) -> Option<&Bootstrap> {
        let is_used = report.options.bootstrap.is_some();
        let running = self.running.as_ref().filter(|running| is_used && running.is_done())?;
        Some(running.uncertainty.intervals())
    }

    fn groups(&self, ground_truth: &GroundTruth, source: GroupSource) -> Result<Groups, Error> {
        match source {
            GroupSource::Images => Ok(Groups::images(ground_truth)),
            GroupSource::NihNames => Groups::nih_names(ground_truth),
            GroupSource::Csv => {
                let none = || Error::new("groups", "no file of groups was added", "a CSV file with file_name,group");
                self.grouping.clone().ok_or_else(none)?
            }
        }
    }
}
