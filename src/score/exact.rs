//! The score without quirks Q1 to Q6: recall at score thresholds that can be used (section 6 of the metric).

use crate::curve::{Curve, Point};
use crate::score::official::Counts;

/// The point of the lowest score threshold whose false positives per image are at most each rate.
///
/// ```
/// use froc::curve::Curve;
/// use froc::matching::Verdict::{FalsePositive, TruePositive};
/// use froc::score::{exact, official::Counts};
/// let curve = Curve::new(&[0.9, 0.8, 0.7], &[TruePositive, FalsePositive, TruePositive]);
/// let counts = Counts { n_lesions: 2, n_images: 20 };
/// let point = exact::operating_points(&curve, counts, &[0.05])[0];
/// assert_eq!((point.true_positives, point.false_positives), (2, 1));
/// assert_eq!(point.score_threshold, Some(0.7));
/// ```
#[must_use]
pub fn operating_points(curve: &Curve, counts: Counts, fp_per_image: &[f64]) -> Vec<Point> {
    let at = |rate: &f64| curve.last_within(|false_positives| counts.per_image(u64::from(false_positives)) <= *rate);
    fp_per_image.iter().map(at).collect()
}

/// True positives / lesions; `None` without lesions.
#[must_use]
pub fn recall(point: Point, counts: Counts) -> Option<f64> {
    (counts.n_lesions > 0).then(|| f64::from(point.true_positives) / counts.n_lesions as f64)
}
