//! The score without quirks Q1 to Q6: recall at score thresholds that can be used ([section 6](crate::metric)).

use crate::curve::{Curve, Point};
use crate::score::mean;
use crate::score::official::Counts;

/// The rates of the LUNA16 challenge, in false positives per image.
pub const SEVEN_RATES: [f64; 7] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// The point of the lowest score threshold whose false positives per image are at most each rate.
///
/// ```
/// use froc::curve::Curve;
/// use froc::score::{exact, official::Counts};
/// let curve = Curve::new([0.9, 0.8, 0.7], [0, 2]);
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

/// The mean recall over rates; `None` without lesions.
#[must_use]
pub fn mean_recall(curve: &Curve, counts: Counts, fp_per_image: &[f64]) -> Option<f64> {
    let points = operating_points(curve, counts, fp_per_image);
    mean(points.into_iter().map(|point| recall(point, counts)).collect::<Option<Vec<f64>>>()?)
}

/// The area under the exact step curve from 0 to `fp_per_image`, divided by `fp_per_image`, which is above 0: the mean
/// recall over all rates up to it, 0..=1. Beyond its last point the curve is flat. `None` without lesions.
///
/// ```
/// use froc::curve::Curve;
/// use froc::score::{exact::area, official::Counts};
/// let curve = Curve::new([0.9, 0.8, 0.7], [0, 2]);
/// let counts = Counts { n_lesions: 2, n_images: 4 };
/// // Recall is 1/2 up to a quarter of a false positive per image, and 1 from there on.
/// assert_eq!(area(&curve, counts, 0.5), Some(0.75));
/// ```
#[must_use]
pub fn area(curve: &Curve, counts: Counts, fp_per_image: f64) -> Option<f64> {
    let mut points = curve.points().peekable();
    let mut area = 0.0;
    while let Some(point) = points.next() {
        let of = |point: &Point| counts.per_image(u64::from(point.false_positives));
        let start = of(&point);
        let end = points.peek().map_or(fp_per_image, of).min(fp_per_image);
        if start >= fp_per_image {
            break;
        }
        area += recall(point, counts)? * (end - start);
    }
    Some(area / fp_per_image)
}
