//! What runs reach in slices of the images ([section 13](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::statistics::MEAN;
use crate::dataset::GroundTruth;
use crate::input::attributes::Attributes;
use crate::input::groups::Groups;
use crate::options::{Options, Resampling};
use crate::run::Run;
use crate::slices::{Apart, At, By, Division, Sliced};
use crate::thresholds::Estimate;

/// What the images were divided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SlicesOptionsReport {
    /// As `--by` has it, one entry a division: `sex`, `age:40:65`, `sex*view`.
    pub by: Vec<String>,
    /// Base name of the table of images; `None` without one.
    pub name: Option<String>,
    /// SHA-256 of that.
    pub sha256: Option<String>,
}

/// The images divided by one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct DivisionReport {
    /// What that is: the column, or columns with ` * ` between them.
    pub name: String,
    /// Whether lesions are divided by size: then a false positive is in no slice.
    pub is_by_size: bool,
    /// The classes that the mean recall is over, in all slices alike: those with 5 lesions in every slice that has any lesion.
    pub classes_in_mean: Vec<String>,
    /// Its slices.
    pub slices: Vec<SliceReport>,
}

/// One slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SliceReport {
    /// What it is called: the text of the column, or between which numbers it lies.
    pub name: String,
    /// For each run in the order of the report, the mean over the classes, then each class.
    pub rows: Vec<SliceRowReport>,
}

/// A class of a run in a slice, or the mean over its classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SliceRowReport {
    /// Place of the run among `runs`.
    pub run: usize,
    /// Name of the class, or `mean`.
    pub name: String,
    /// Images of the slice; where lesions are divided by size, those with such a lesion of the class, 0 of `mean`.
    pub n_images: u32,
    /// Lesions of the class in it, or of all classes.
    pub n_lesions: u32,
    /// What it reaches, one entry a rate of the options.
    pub at_rates: Vec<SliceAtRateReport>,
}

/// What is reached at the score threshold of the whole set for a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SliceAtRateReport {
    /// Detections scoring at least this are shown; `None` where none is, and for `mean`.
    pub score_threshold: Option<f32>,
    /// Detections shown that found a lesion; `None` for `mean`.
    pub true_positives: Option<u32>,
    /// All other detections shown; `None` for `mean`, and where lesions are divided.
    pub false_positives: Option<u32>,
    /// True positives / lesions, 0..=1; `None` with fewer than 5 lesions.
    pub recall: SliceEstimateReport,
    /// False positives / images, from 0; `None` where lesions are divided.
    pub fp_per_image: SliceEstimateReport,
    /// Recall minus that of all other images, -1..=1; `None` with fewer than 5 lesions on one side.
    pub recall_difference: Option<SliceDifferenceReport>,
    /// False positives per image minus those of all other images.
    pub fp_per_image_difference: Option<SliceDifferenceReport>,
}

/// A number and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SliceEstimateReport {
    /// On the images themselves.
    pub value: Option<f64>,
    /// Lower and upper end; `None` without a bootstrap.
    pub interval: Option<[f64; 2]>,
}

/// A slice minus all other images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SliceDifferenceReport {
    /// On the images themselves.
    pub value: f64,
    /// Percentiles of the differences of the replicates; `None` without a bootstrap.
    pub interval: Option<[f64; 2]>,
    /// Two-sided; at least 2 / (replicates + 1). `None` without a bootstrap.
    pub p: Option<f64>,
    /// `p` adjusted by Holm's method over the classes and the slices of the division; `None` for `mean`, which is not adjusted.
    pub p_holm: Option<f64>,
}

impl SlicesOptionsReport {
    /// Divided so, by a table or without.
    #[must_use]
    pub fn new(by: &[By], attributes: Option<&Attributes>) -> Self {
        Self {
            by: by.iter().map(By::to_string).collect(),
            name: attributes.map(|of| of.name().to_owned()),
            sha256: attributes.map(|of| of.sha256().to_owned()),
        }
    }
}

impl DivisionReport {
    /// What runs reach in the slices of a division, with intervals if images are resampled.
    pub(super) fn new(
        division: &Division,
        ground_truth: &GroundTruth,
        runs: &[&Run],
        options: &Options,
        resampling: Option<(&Resampling, &Groups)>,
    ) -> Self {
        let mut slices: Vec<SliceReport> =
            division.slices().iter().map(|name| SliceReport { name: name.clone(), rows: Vec::new() }).collect();
        let protocol = ground_truth.protocol();
        for (run, of) in runs.iter().enumerate() {
            let reached = division.reached(ground_truth, of, options, resampling);
            for (slice, rows) in slices.iter_mut().zip(&reached) {
                let named = rows.iter().zip(protocol.class_names().iter().map(String::as_str).chain([MEAN]));
                let mut named: Vec<SliceRowReport> =
                    named.map(|(row, name)| SliceRowReport::new(run, name, row)).collect();
                // The mean stands last there, and first here.
                named.rotate_right(1);
                slice.rows.append(&mut named);
            }
        }
        let in_mean = division.classes_in_mean(ground_truth);
        Self {
            name: division.name().to_owned(),
            is_by_size: division.is_by_size(),
            classes_in_mean: in_mean.into_iter().map(|class| protocol.class_name(class).to_owned()).collect(),
            slices,
        }
    }
}

impl SliceRowReport {
    fn new(run: usize, name: &str, row: &Sliced) -> Self {
        let at_rates = row.at_rates.iter().map(SliceAtRateReport::from).collect();
        Self { run, name: name.to_owned(), n_images: row.n_images, n_lesions: row.n_lesions, at_rates }
    }
}

impl From<&At> for SliceAtRateReport {
    fn from(at: &At) -> Self {
        Self {
            score_threshold: at.score_threshold,
            true_positives: at.true_positives,
            false_positives: at.false_positives,
            recall: at.recall.into(),
            fp_per_image: at.fp_per_image.into(),
            recall_difference: at.recall_difference.map(SliceDifferenceReport::from),
            fp_per_image_difference: at.fp_difference.map(SliceDifferenceReport::from),
        }
    }
}

impl From<Estimate> for SliceEstimateReport {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.value, interval: estimate.interval.map(|interval| interval.ends) }
    }
}

impl From<Apart> for SliceDifferenceReport {
    fn from(apart: Apart) -> Self {
        let Apart { value, interval, p, p_holm } = apart;
        Self { value, interval: interval.map(|interval| interval.ends), p, p_holm }
    }
}
