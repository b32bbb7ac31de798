//! Whether an image holds a lesion of a class, told by its highest score: ROC curve, area, `DeLong` interval ([section 9](crate::metric)).
//!
//! The area is scikit-learn's `roc_auc_score`; the interval is that of E. R. `DeLong`, D. M. `DeLong` and D. L.
//! Clarke-Pearson, Biometrics 44 (1988), by midranks: X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014).

use crate::dataset::{Detections, GroundTruth};
use crate::protocol::Class;
use crate::run::Run;

/// Standard errors to either side of the area in a 95 % interval.
const STANDARD_ERRORS: f64 = 1.96;

/// A point of an ROC curve: the images that score at least the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Images without a lesion of the class among them.
    pub false_positives: u32,
    /// Images with one among them.
    pub true_positives: u32,
    /// The threshold; `None` for the first point, where no image is taken, and for the last, where images without any
    /// detection are taken too.
    pub score_threshold: Option<f64>,
}

/// The image-level ROC curve of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRoc {
    /// Images with a lesion of the class.
    pub n_positive: usize,
    /// All others that have a label.
    pub n_negative: usize,
    /// From (0, 0) to all images, one point for each distinct score.
    pub points: Vec<RocPoint>,
    /// Area under the curve, 0..=1: the chance that an image with a lesion scores above one without, equal scores
    /// counting half. `None` where only one label occurs.
    pub area: Option<f64>,
    /// Area minus and plus 1.96 standard errors, clipped to 0..=1. `None` where a label occurs less than twice, for then
    /// the variance is undefined.
    pub interval: Option<[f64; 2]>,
}

/// An image by its highest score, `None` without detections, which ranks below all; and whether it has a lesion.
type Scored = (Option<f64>, bool);

impl ImageRoc {
    /// The curve of a class of a run, by the scores of the files; `predictions` are the detections that the run was made
    /// of. Images without a [`label`](GroundTruth::label) are left out.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, run: &Run, predictions: &Detections, class: Class) -> Self {
        let mut images: Vec<(Option<f64>, Option<bool>)> =
            (0..ground_truth.n_images()).map(|image| (None, ground_truth.label(class, image))).collect();
        for (image, &detection) in run.images(class).into_iter().zip(run.ranking(class).detections()) {
            let highest = &mut images[image as usize].0;
            let score = predictions.score_in_file(detection as usize);
            *highest = Some(highest.map_or(score, |highest| highest.max(score)));
        }
        Self::of_images(images.into_iter().filter_map(|(highest, label)| Some((highest, label?))).collect())
    }

    /// The curve of images given by highest score and whether they hold a lesion.
    ///
    /// ```
    /// use froc::score::image_roc::ImageRoc;
    /// let roc = ImageRoc::of_images(vec![(Some(0.9), true), (Some(0.5), false), (Some(0.4), true), (None, false)]);
    /// assert_eq!(roc.area, Some(0.75));
    /// ```
    #[must_use]
    pub fn of_images(mut images: Vec<Scored>) -> Self {
        // Scores are finite, and `None` is below all of them.
        radsort::sort_by_key(&mut images, |(score, _)| score.map_or(f64::INFINITY, |score| -score));
        let n_positive = images.iter().filter(|(_, has_lesion)| *has_lesion).count();
        let n_negative = images.len() - n_positive;
        let groups: Vec<[u32; 2]> = images.chunk_by(|a, b| a.0 == b.0).map(count).collect();
        let thresholds = images.chunk_by(|a, b| a.0 == b.0).map(|group| group[0].0);
        let placements = placements(&groups, [n_negative as u32, n_positive as u32]);
        let area = placements.as_ref().map(|placements| placements.area);
        let interval = placements.as_ref().and_then(Placements::interval);
        Self { n_positive, n_negative, points: points(&groups, thresholds), area, interval }
    }
}

/// How many images of a group are without and with a lesion.
fn count(group: &[Scored]) -> [u32; 2] {
    let with = group.iter().filter(|(_, has_lesion)| *has_lesion).count() as u32;
    [group.len() as u32 - with, with]
}

fn points(groups: &[[u32; 2]], thresholds: impl Iterator<Item = Option<f64>>) -> Vec<RocPoint> {
    let mut last = RocPoint { false_positives: 0, true_positives: 0, score_threshold: None };
    let mut points = vec![last];
    for ([without, with], score_threshold) in groups.iter().zip(thresholds) {
        last.false_positives += without;
        last.true_positives += with;
        points.push(RocPoint { score_threshold, ..last });
    }
    points
}

/// The share of the other label's images that each image stands on the right side of, equal scores counting half.
struct Placements {
    area: f64,
    /// Squared deviations from the area, summed over the images without and with a lesion.
    squares: [f64; 2],
    n: [u32; 2],
}

/// `None` where only one label occurs. Groups go by falling score.
fn placements(groups: &[[u32; 2]], n: [u32; 2]) -> Option<Placements> {
    if n.contains(&0) {
        return None;
    }
    let share = |side: usize| {
        let other = 1 - side;
        let mut above = 0;
        let shares = groups.iter().map(move |group| {
            // Images of the other label above, the equal ones half: an image with a lesion wants few, one without many.
            let twice = 2 * u64::from(above) + u64::from(group[other]);
            above += group[other];
            let wanted = if side == 1 { 2 * u64::from(n[other]) - twice } else { twice };
            (f64::from(group[side]), wanted)
        });
        shares.collect::<Vec<(f64, u64)>>()
    };
    // Twice the number of pairs in the right order: a whole number, so the area is rounded once.
    let twice: u64 = share(1).iter().zip(groups).map(|((_, wanted), group)| u64::from(group[1]) * wanted).sum();
    let area = twice as f64 / (2.0 * f64::from(n[0]) * f64::from(n[1]));
    let squares = [0, 1].map(|side| {
        let deviation = |wanted: u64| wanted as f64 / (2.0 * f64::from(n[1 - side])) - area;
        share(side).iter().map(|(images, wanted)| images * deviation(*wanted).powi(2)).sum()
    });
    Some(Placements { area, squares, n })
}

impl Placements {
    fn interval(&self) -> Option<[f64; 2]> {
        if self.n.iter().any(|n| *n < 2) {
            return None;
        }
        let term = |side: usize| self.squares[side] / (f64::from(self.n[side]) * f64::from(self.n[side] - 1));
        let reach = STANDARD_ERRORS * (term(0) + term(1)).sqrt();
        Some([(self.area - reach).max(0.0), (self.area + reach).min(1.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_alone_has_no_area_and_one_image_no_interval() {
        assert_eq!(ImageRoc::of_images(vec![(Some(0.5), true), (None, true)]).area, None);
        let roc = ImageRoc::of_images(vec![(Some(0.5), true), (None, false), (None, false)]);
        assert_eq!((roc.area, roc.interval), (Some(1.0), None));
    }

    #[test]
    fn points_hold_the_images_that_score_at_least_each_distinct_score() {
        let scores = [Some(0.3), Some(0.7), None, Some(0.7), Some(0.1), None, Some(0.3), Some(0.7)];
        let images: Vec<Scored> = scores.iter().zip(0_u32..).map(|(score, i)| (*score, i % 3 == 0)).collect();
        let roc = ImageRoc::of_images(images.clone());
        let thresholds: Vec<_> = roc.points.iter().map(|point| point.score_threshold).collect();
        assert_eq!(thresholds, [None, Some(0.7), Some(0.3), Some(0.1), None]);
        assert_eq!((roc.points[0].false_positives, roc.points[0].true_positives), (0, 0));
        for point in &roc.points[1..] {
            let taken = |has: bool| images.iter().filter(|it| it.1 == has && it.0 >= point.score_threshold).count();
            assert_eq!(point.false_positives as usize, taken(false), "{point:?}");
            assert_eq!(point.true_positives as usize, taken(true), "{point:?}");
        }
    }

    #[test]
    fn delong_equals_the_sum_over_all_pairs() {
        let images: Vec<Scored> =
            [3, 7, 7, 1, 9, 4, 4, 2, 8].iter().zip(0_u32..).map(|(s, i)| (Some(f64::from(*s)), i % 3 != 0)).collect();
        let of = |has: bool| images.iter().filter(move |image| image.1 == has).map(|image| image.0);
        let psi = |x: Option<f64>, y: Option<f64>| if x > y { 1.0 } else { f64::from(u8::from(x == y)) / 2.0 };
        let (m, n) = (of(true).count() as f64, of(false).count() as f64);
        let v10: Vec<f64> = of(true).map(|x| of(false).map(|y| psi(x, y)).sum::<f64>() / n).collect();
        let v01: Vec<f64> = of(false).map(|y| of(true).map(|x| psi(x, y)).sum::<f64>() / m).collect();
        let area = v10.iter().sum::<f64>() / m;
        let variance = |v: &[f64]| v.iter().map(|v| (v - area).powi(2)).sum::<f64>() / (v.len() as f64 - 1.0);
        let error = (variance(&v10) / m + variance(&v01) / n).sqrt();
        let roc = ImageRoc::of_images(images.clone());
        let [low, high] = roc.interval.expect("both labels, more than once");
        assert!((roc.area.expect("both labels") - area).abs() < 1e-15);
        assert!((low - (area - 1.96 * error).max(0.0)).abs() < 1e-15);
        assert!((high - (area + 1.96 * error).min(1.0)).abs() < 1e-15);
    }
}
