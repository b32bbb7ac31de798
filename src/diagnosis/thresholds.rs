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

/// The score thresholds at each of the rates, in false positives per image: of each class at its exact operating point
/// ([section 6](crate::metric)), or if they are `pooled`, that of all classes ranked together, the same for each class.
#[must_use]
pub fn thresholds_at(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: &[f64],
    pooled: bool,
) -> Vec<ScoreThresholds> {
    let of_curve = |curve: &Curve, counts| -> Vec<Option<f32>> {
        let points = exact::operating_points(curve, counts, fp_per_image);
        points.iter().map(|point| point.score_threshold).collect()
    };
    let by_class = if pooled {
        let counts = Counts { n_lesions: 0, n_images: ground_truth.n_images() };
        let thresholds = of_curve(&pooled_curve(ground_truth, run, iou_threshold), counts);
        ground_truth.per_class(|_| thresholds.clone())
    } else {
        ground_truth.per_class(|class| {
            let counts = counts_of(ground_truth, class);
            let verdicts = run.verdicts(class, counts.n_lesions, iou_threshold, ground_truth.protocol().extent());
            let (scores, verdicts) = run.ranking(class).counted(verdicts);
            of_curve(&Curve::new(scores, verdicts.hits()), counts)
        })
    };
    (0..fp_per_image.len()).map(|rate| ground_truth.per_class(|class| by_class[class][rate])).collect()
}

/// The score threshold of each class at its exact operating point ([section 6](crate::metric)) of a rate.
#[must_use]
pub fn operating_thresholds(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: f64,
) -> ScoreThresholds {
    thresholds_at(ground_truth, run, iou_threshold, &[fp_per_image], false).remove(0)
}

pub(super) fn counts_of(ground_truth: &GroundTruth, class: Class) -> Counts {
    Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() }
}
