//! The score without quirks Q1 to Q6 and Q11: recall at score thresholds that can be used ([section 6](crate::metric)).

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

/// The mean of the exact step curves of classes, evaluated at every step of each of them: false positives per image, rising
/// from 0, and from there on the mean recall over the classes that have lesions, summed in the order given, so that reading
/// it at a rate gives the mean of [`recall`] at the [`operating_points`] of that rate to the last bit. The last point is where
/// the last curve ends. Empty where no class has a lesion. All curves are of as many images.
///
/// ```
/// use froc::curve::Curve;
/// use froc::score::{exact::mean_curve, official::Counts};
/// let counts = Counts { n_lesions: 2, n_images: 4 };
/// // One class finds its lesions with 0 and 1 false positives, the other one of two with 2.
/// let (a, b) = (Curve::new([0.9, 0.8, 0.7], [0, 2]), Curve::new([0.9, 0.8, 0.7], [2]));
/// let curve = mean_curve(&[(&a, counts), (&b, counts)]);
/// assert_eq!(curve, [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75)]);
/// // A class without lesions is left out, and a false positive that no true positive follows makes no step but the last.
/// let (longer, none) = (Curve::new([0.9, 0.8, 0.7, 0.6, 0.5], [2]), Counts { n_lesions: 0, n_images: 4 });
/// let curve = mean_curve(&[(&a, counts), (&longer, counts), (&a, none)]);
/// assert_eq!(curve, [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (1.0, 0.75)]);
/// ```
#[must_use]
pub fn mean_curve(curves: &[(&Curve, Counts)]) -> Vec<(f64, f64)> {
    let with_lesions: Vec<(&Curve, Counts)> =
        curves.iter().copied().filter(|(_, counts)| counts.n_lesions > 0).collect();
    // By false positives, where a class steps and to which point; equal scores enter together. At both ends none does.
    let mut steps: Vec<(u32, Option<(usize, Point)>)> = vec![(0, None)];
    let mut end = 0;
    for (class, (curve, _)) in with_lesions.iter().enumerate() {
        let mut before = 0;
        for point in curve.points() {
            if point.true_positives > before {
                steps.push((point.false_positives, Some((class, point))));
            }
            before = point.true_positives;
        }
        end = end.max(curve.last().false_positives);
    }
    steps.push((end, None));
    // A class that steps twice keeps its order.
    steps.sort_by_key(|(false_positives, _)| *false_positives);
    let mut recalls = vec![0.0; with_lesions.len()];
    let point = |steps: &[(u32, Option<(usize, Point)>)]| {
        for (class, point) in steps.iter().filter_map(|(_, step)| *step) {
            recalls[class] = recall(point, with_lesions[class].1)?;
        }
        let per_image = with_lesions.first()?.1.per_image(u64::from(steps.first()?.0));
        Some((per_image, mean(recalls.iter().copied())?))
    };
    steps.chunk_by(|(a, _), (b, _)| a == b).filter_map(point).collect()
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
