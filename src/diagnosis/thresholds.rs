//! Which detections count: the score threshold of each class.

use crate::curve::Curve;
use crate::dataset::GroundTruth;
use crate::protocol::{Class, PerClass};
use crate::run::Run;
use crate::score::official::Counts;
use crate::score::{exact, pooled_curve};

/// For each class, the score from which on its detections count; where it is `None`, none counts.
pub type ScoreThresholds = PerClass<Option<f32>>;

/// Whether a detection of that score counts.
pub(super) fn counts(score: f32, threshold: Option<f32>) -> bool {
    threshold.is_some_and(|threshold| score >= threshold)
}

/// The score threshold of each class at its exact operating point ([section 6](crate::metric)) of a rate.
#[must_use]
pub fn operating_thresholds(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: f64,
) -> ScoreThresholds {
    ground_truth.per_class(|class| {
        let counts = counts_of(ground_truth, class);
        let verdicts = run.verdicts(class, counts.n_lesions, iou_threshold, ground_truth.protocol().extent());
        let (scores, verdicts) = run.ranking(class).counted(verdicts);
        let curve = Curve::new(scores, verdicts.hits());
        let points = exact::operating_points(&curve, counts, &[fp_per_image]);
        points.first().and_then(|point| point.score_threshold)
    })
}

/// The score threshold of all classes ranked together at their exact operating point of a rate: the same for each class.
#[must_use]
pub fn pooled_thresholds(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: f64,
) -> ScoreThresholds {
    let counts = Counts { n_lesions: 0, n_images: ground_truth.n_images() };
    let curve = pooled_curve(ground_truth, run, iou_threshold);
    let points = exact::operating_points(&curve, counts, &[fp_per_image]);
    let threshold = points.first().and_then(|point| point.score_threshold);
    ground_truth.per_class(|_| threshold)
}

pub(super) fn counts_of(ground_truth: &GroundTruth, class: Class) -> Counts {
    Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() }
}
