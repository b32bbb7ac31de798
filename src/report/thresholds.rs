//! What runs reach at score thresholds chosen elsewhere ([section 12](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::statistics::MEAN;
use crate::protocol::Protocol;
use crate::thresholds::{Estimate, Reached, Thresholds};

/// All runs of a report at the score thresholds of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ThresholdsReport {
    /// Base name of the file that holds them; `None` where they were not read from one.
    pub name: Option<String>,
    /// SHA-256 of that.
    pub sha256: Option<String>,
    /// Base name of the ground truth that they were chosen on.
    pub ground_truth: String,
    /// SHA-256 of that.
    pub ground_truth_sha256: String,
    /// Name of the run that they were chosen on.
    pub run: String,
    /// Whether that is the ground truth of the report itself: then the numbers flatter.
    pub is_own_ground_truth: bool,
    /// The rates that they reach there, in false positives per image.
    pub fp_per_image: Vec<f64>,
    /// For each run in the order of the report, the mean over the classes with lesions, then each class.
    pub rows: Vec<ReachedRowReport>,
}

/// A class of a run, or the mean over its classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ReachedRowReport {
    /// Place of the run among `runs`.
    pub run: usize,
    /// Name of the class, or `mean`.
    pub name: String,
    /// What it reaches, one entry a rate.
    pub at_rates: Vec<ReachedReport>,
}

/// What is reached at a score threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ReachedReport {
    /// Detections scoring at least this are shown; `None` where none is, and for `mean`.
    pub score_threshold: Option<f32>,
    /// Detections shown that found a lesion; `None` for `mean`.
    pub true_positives: Option<u64>,
    /// All other detections shown; `None` for `mean`.
    pub false_positives: Option<u64>,
    /// Lesions that no detection shown found; `None` for `mean`.
    pub missed: Option<u64>,
    /// True positives / lesions, 0..=1; `None` without lesions.
    pub recall: ReachedEstimateReport,
    /// False positives / images, from 0.
    pub fp_per_image: ReachedEstimateReport,
    /// True positives / detections shown, 0..=1; `None` where nothing is shown.
    pub precision: ReachedEstimateReport,
    /// Exact recall at the rate, 0..=1: at thresholds chosen on these images; `None` without lesions.
    pub exact_recall: Option<f64>,
    /// `exact_recall` minus `recall`, -1..=1: how much thresholds chosen on these images flatter.
    pub optimism: Option<f64>,
}

/// A number and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ReachedEstimateReport {
    /// On the images themselves.
    pub value: Option<f64>,
    /// Lower and upper end; `None` without a bootstrap, or if the number is defined in no replicate.
    pub interval: Option<[f64; 2]>,
}

impl ThresholdsReport {
    /// Of runs that reached so much, one entry a rate for each.
    pub(super) fn new(
        protocol: &Protocol,
        ground_truth_sha256: &str,
        thresholds: &Thresholds,
        runs: &[Vec<Vec<Reached>>],
    ) -> Self {
        let (name, sha256) = thresholds.file.clone().unzip();
        // The mean stands last there, and first here.
        let n_classes = protocol.n_classes();
        let names = || {
            std::iter::once((n_classes, MEAN))
                .chain(protocol.classes().map(|class| (class.index(), protocol.class_name(class))))
        };
        let of_run = |(run, at_rates): (usize, &Vec<Vec<Reached>>)| {
            let row = |(place, name): (usize, &str)| ReachedRowReport {
                run,
                name: name.to_owned(),
                at_rates: at_rates.iter().map(|at| ReachedReport::from(&at[place])).collect(),
            };
            names().map(row).collect::<Vec<_>>()
        };
        Self {
            name,
            sha256,
            ground_truth: thresholds.ground_truth.clone(),
            is_own_ground_truth: thresholds.ground_truth_sha256 == ground_truth_sha256,
            ground_truth_sha256: thresholds.ground_truth_sha256.clone(),
            run: thresholds.run.clone(),
            fp_per_image: thresholds.fp_per_image.clone(),
            rows: runs.iter().enumerate().flat_map(of_run).collect(),
        }
    }
}

impl From<&Reached> for ReachedReport {
    fn from(reached: &Reached) -> Self {
        let counted = reached.counted;
        Self {
            score_threshold: counted.and_then(|of| of.score_threshold),
            true_positives: counted.map(|of| of.true_positives),
            false_positives: counted.map(|of| of.false_positives),
            missed: counted.map(|of| of.n_lesions - of.true_positives),
            recall: reached.recall.into(),
            fp_per_image: reached.fp_per_image.into(),
            precision: reached.precision.into(),
            exact_recall: reached.exact_recall,
            optimism: reached.optimism(),
        }
    }
}

impl From<Estimate> for ReachedEstimateReport {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.value, interval: estimate.interval.map(|interval| interval.ends) }
    }
}
