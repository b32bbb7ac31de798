//! Operating characteristics of a class ([section 16](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::curve::Point;
use crate::dataset::{GroundTruth, Predictions};
use crate::options::Options;
use crate::protocol::Class;
use crate::run::Run;
use crate::score::operating::{Bin, Calibration, Images, N_BINS, best_f_score, f_score, precision, precision_recall};
use crate::score::{ClassScore, exact};

/// What a class's detector does once a score threshold is set, and what its scores are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct OperatingReport {
    /// Where F1 is greatest; `None` without lesions or detections.
    pub best_f1: Option<ShownReport>,
    /// Where the F-score of `options.beta` is greatest; the same where that is 1.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub best_f_beta: Option<ShownReport>,
    /// At the exact operating point of each rate.
    pub at_rates: Vec<AtRateReport>,
    /// The precision-recall curve.
    pub precision_recall: PrecisionRecallReport,
    /// Whether scores are shares of true positives; `None` without detections or where a score lies outside 0..=1.
    pub calibration: Option<CalibrationReport>,
}

/// The detections that are shown at a score threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ShownReport {
    /// Detections scoring at least this are shown; `None` where nothing is.
    pub score_threshold: Option<f32>,
    /// True positives / detections shown; `None` where nothing is.
    pub precision: Option<f64>,
    /// True positives / lesions; `None` without lesions.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall, 0 where nothing is found; `None` without lesions.
    pub f1: Option<f64>,
    /// The F-score of `options.beta`, 0 where nothing is found; `None` without lesions.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub f_beta: Option<f64>,
    /// False positives per image.
    pub fp_per_image: f64,
}

/// The exact operating point of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct AtRateReport {
    /// The detections that are shown there.
    pub shown: ShownReport,
    /// Share of the images with a lesion of the class in which a detection of it is shown, wherever in the image.
    pub image_sensitivity: Option<f64>,
    /// Share of the images without a lesion of the class in which no detection of it is shown.
    pub image_specificity: Option<f64>,
    /// Share of the images without any lesion in which a detection of the class is shown.
    pub lesion_free_with_fp: Option<f64>,
    /// Detections of the class shown per image without any lesion.
    pub fp_per_lesion_free_image: Option<f64>,
}

/// The points at which recall rises. The arrays are of equal length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct PrecisionRecallReport {
    /// Recall, rising; `None` without lesions.
    pub recall: Vec<Option<f64>>,
    /// Precision, 0..=1.
    pub precision: Vec<Option<f64>>,
    /// Everything that scores at least this is shown.
    pub score_threshold: Vec<Option<f32>>,
}

/// Scores against shares of true positives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct CalibrationReport {
    /// Mean over detections of the distance between mean score and share of true positives of their bin, 0..=1.
    pub expected_error: f64,
    /// Ten of equal width, from 0 to 1.
    pub bins: Vec<BinReport>,
}

/// Detections whose scores fall into one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct BinReport {
    /// Scores above this, or from 0 on in the first bin.
    pub above: f64,
    /// Scores up to this.
    pub up_to: f64,
    /// Detections.
    pub n_detections: u32,
    /// Their mean score; `None` without any.
    pub mean_score: Option<f64>,
    /// Share of true positives; `None` without any.
    pub share_of_true_positives: Option<f64>,
}

impl OperatingReport {
    /// Of a class of a run that was made of these predictions and scored so.
    pub(super) fn new(
        ground_truth: &GroundTruth,
        (run, predictions): (&Run, &Predictions),
        (class, score): (Class, &ClassScore),
        (options, beta): (&Options, f64),
    ) -> Self {
        let shown = |point: Point| ShownReport::new(point, score, beta);
        let best = |beta: f64| best_f_score(&score.curve, score.counts, beta).map(|(point, _)| shown(point));
        let at_rate = |point: &Point| {
            let images = Images::new(ground_truth, run, class, point.score_threshold);
            AtRateReport {
                shown: shown(*point),
                image_sensitivity: images.sensitivity(),
                image_specificity: images.specificity(),
                lesion_free_with_fp: images.lesion_free_with_false_positive(),
                fp_per_lesion_free_image: images.fp_per_lesion_free_image(),
            }
        };
        let curve = precision_recall(&score.curve);
        let calibration = Calibration::of_class(ground_truth, run, predictions.detections(), class, options);
        Self {
            best_f1: best(1.0),
            best_f_beta: best(beta),
            at_rates: score.exact.iter().map(at_rate).collect(),
            precision_recall: PrecisionRecallReport {
                recall: curve.iter().map(|point| exact::recall(*point, score.counts)).collect(),
                precision: curve.iter().map(|point| precision(*point)).collect(),
                score_threshold: curve.iter().map(|point| point.score_threshold).collect(),
            },
            calibration: calibration.as_ref().map(CalibrationReport::from),
        }
    }
}

impl ShownReport {
    fn new(point: Point, score: &ClassScore, beta: f64) -> Self {
        Self {
            score_threshold: point.score_threshold,
            precision: precision(point),
            recall: exact::recall(point, score.counts),
            f1: f_score(point, score.counts, 1.0),
            f_beta: f_score(point, score.counts, beta),
            fp_per_image: score.counts.per_image(u64::from(point.false_positives)),
        }
    }
}

impl From<&Calibration> for CalibrationReport {
    fn from(calibration: &Calibration) -> Self {
        let bin = |(at, bin): (usize, &Bin)| BinReport {
            above: at as f64 / N_BINS as f64,
            up_to: (at + 1) as f64 / N_BINS as f64,
            n_detections: bin.n,
            mean_score: bin.mean_score(),
            share_of_true_positives: bin.share_of_true_positives(),
        };
        Self {
            expected_error: calibration.expected_error(),
            bins: calibration.bins.iter().enumerate().map(bin).collect(),
        }
    }
}
