//! What a detector does once a score threshold is set, and what its scores are worth ([section 16](crate::metric)).

use crate::curve::{Curve, Point};
use crate::dataset::{Detections, GroundTruth};
use crate::matching::Verdict;
use crate::options::Options;
use crate::protocol::Class;
use crate::run::Run;
use crate::score::official::Counts;

/// True positives / detections shown, 0..=1; `None` where nothing is shown.
#[must_use]
pub fn precision(point: Point) -> Option<f64> {
    let shown = u64::from(point.true_positives) + u64::from(point.false_positives);
    (shown > 0).then(|| f64::from(point.true_positives) / shown as f64)
}

/// `(1 + b^2) P R / (b^2 P + R)` for precision P and recall R, 0..=1, 0 where both are; `None` without lesions. Recall weighs
/// `beta` times as much as precision (C. J. van Rijsbergen, Information Retrieval, 1979).
///
/// ```
/// use froc::curve::Point;
/// use froc::score::{official::Counts, operating::f_score};
/// let point = Point { true_positives: 2, false_positives: 2, score_threshold: Some(0.5) };
/// assert_eq!(f_score(point, Counts { n_lesions: 4, n_images: 10 }, 1.0), Some(0.5));
/// ```
#[must_use]
pub fn f_score(point: Point, counts: Counts, beta: f64) -> Option<f64> {
    let (hits, square) = (f64::from(point.true_positives), beta * beta);
    let missed = counts.n_lesions as f64 - hits;
    let weighted = (1.0 + square) * hits;
    (counts.n_lesions > 0).then(|| weighted / (weighted + square * missed + f64::from(point.false_positives)))
}

/// The point with the greatest F-score, the one of the highest score threshold if several are equal; `None` without lesions or
/// detections.
#[must_use]
pub fn best_f_score(curve: &Curve, counts: Counts, beta: f64) -> Option<(Point, f64)> {
    let mut best: Option<(Point, f64)> = None;
    for point in curve.points().filter(|point| point.score_threshold.is_some()) {
        let f_score = f_score(point, counts, beta)?;
        if best.is_none_or(|(_, most)| f_score > most) {
            best = Some((point, f_score));
        }
    }
    best
}

/// The points of the precision-recall curve at which recall rises; between two of them precision only falls.
#[must_use]
pub fn precision_recall(curve: &Curve) -> Vec<Point> {
    let mut found = 0;
    let rises = |point: &Point| std::mem::replace(&mut found, point.true_positives) < point.true_positives;
    curve.points().filter(rises).collect()
}

/// What happens in whole images where a class's detections at or above a score threshold are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Images {
    /// Images with a lesion of the class.
    pub n_with: u32,
    /// Those of them in which a detection is shown, wherever in the image.
    pub shown_with: u32,
    /// Images without a lesion of the class.
    pub n_without: u32,
    /// Those of them in which a detection is shown.
    pub shown_without: u32,
    /// Images without a lesion of any class.
    pub n_lesion_free: u32,
    /// Those of them in which a detection is shown.
    pub shown_lesion_free: u32,
    /// The detections shown in lesion-free images, all of them false positives.
    pub false_positives_in_lesion_free: u32,
}

impl Images {
    /// The images of a class at a score threshold; nothing is shown if it is `None`.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, run: &Run, class: Class, score_threshold: Option<f32>) -> Self {
        let scores = run.ranking(class).scores();
        let n_shown = score_threshold.map_or(0, |least| scores.partition_point(|score| *score >= least));
        let mut shown = vec![0_u32; ground_truth.n_images()];
        for image in run.images(class).into_iter().take(n_shown) {
            shown[image as usize] += 1;
        }
        let mut images = Self::default();
        for (image, n_shown) in shown.into_iter().enumerate() {
            let is_shown = u32::from(n_shown > 0);
            match ground_truth.label(class, image) {
                Some(true) => {
                    images.n_with += 1;
                    images.shown_with += is_shown;
                }
                Some(false) => {
                    images.n_without += 1;
                    images.shown_without += is_shown;
                }
                None => {}
            }
            if ground_truth.is_lesion_free(image) {
                images.n_lesion_free += 1;
                images.shown_lesion_free += is_shown;
                images.false_positives_in_lesion_free += n_shown;
            }
        }
        images
    }

    /// Share of the images with a lesion of the class in which a detection is shown; `None` if there is no such image.
    #[must_use]
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.shown_with, self.n_with)
    }

    /// Share of the images without a lesion of the class in which none is shown; `None` if there is no such image.
    #[must_use]
    pub fn specificity(&self) -> Option<f64> {
        share(self.n_without - self.shown_without, self.n_without)
    }

    /// Share of the lesion-free images in which a detection is shown; `None` if there is no such image.
    #[must_use]
    pub fn lesion_free_with_false_positive(&self) -> Option<f64> {
        share(self.shown_lesion_free, self.n_lesion_free)
    }

    /// False positives per lesion-free image, from 0; `None` if there is no such image.
    #[must_use]
    pub fn fp_per_lesion_free_image(&self) -> Option<f64> {
        share(self.false_positives_in_lesion_free, self.n_lesion_free)
    }
}

fn share(part: u32, of: u32) -> Option<f64> {
    (of > 0).then(|| f64::from(part) / f64::from(of))
}

/// The images of a class that are told to hold a lesion of it where as few of the others are as a given specificity allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtSpecificity {
    /// Share of the images with a lesion of the class in which a detection is shown, wherever in the image.
    pub sensitivity: f64,
    /// Share of the images without one in which none is shown: at least what was asked for.
    pub specificity: f64,
    /// The lowest score threshold that keeps it; `None` if only showing nothing does.
    pub score_threshold: Option<f32>,
}

/// An image by the highest score of a class.
#[derive(Debug, Clone, Copy)]
struct Highest {
    /// `None` without a detection of the class, which no score threshold shows.
    score: Option<f32>,
    /// The unit that the image is drawn with.
    unit: u32,
    has_lesion: bool,
}

/// The images of a class by their highest score, falling, and whether they have a lesion of it.
///
/// ```
/// use froc::score::operating::HighestScores;
/// let images = [(Some(0.9), true), (Some(0.6), false), (Some(0.4), true), (None, true), (None, false)];
/// let images = HighestScores::of((0..).zip(images).map(|(unit, (score, has_lesion))| (score, unit, has_lesion)));
/// let found = |specificity| images.at_specificity(specificity, &[1; 5]).map(|at| (at.sensitivity, at.score_threshold));
/// assert_eq!(found(1.0), Some((1.0 / 3.0, Some(0.9))));
/// assert_eq!(found(0.5), Some((2.0 / 3.0, Some(0.4))));
/// ```
#[derive(Debug, Clone)]
pub struct HighestScores(Vec<Highest>);

impl HighestScores {
    /// Those of a class of a run; `unit_of_image` is what each image is drawn with, such as its own number. Images without a
    /// [`label`](GroundTruth::label) are left out.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, run: &Run, class: Class, unit_of_image: &[u32]) -> Self {
        let highest = run.highest_scores(class, ground_truth.n_images());
        let image = |(image, score)| Some((score, unit_of_image[image], ground_truth.label(class, image)?));
        Self::of(highest.into_iter().enumerate().filter_map(image))
    }

    /// Those of images given by highest score, unit, and whether they have a lesion of the class.
    #[must_use]
    pub fn of(images: impl IntoIterator<Item = (Option<f32>, u32, bool)>) -> Self {
        let highest = |(score, unit, has_lesion)| Highest { score, unit, has_lesion };
        let mut images: Vec<Highest> = images.into_iter().map(highest).collect();
        // Scores are finite, and `None` is below all of them.
        radsort::sort_by_key(&mut images, |image| image.score.map_or(f32::INFINITY, |score| -score));
        Self(images)
    }

    /// What is reached at the lowest score threshold whose specificity is at least the given one, above 0 and up to 1, where each
    /// unit counts so often; `None` where no image with a lesion counts, or none without.
    #[must_use]
    pub fn at_specificity(&self, specificity: f64, weights: &[u32]) -> Option<AtSpecificity> {
        let weight = |image: &Highest| u64::from(weights[image.unit as usize]);
        let mut n = [0; 2];
        for image in &self.0 {
            n[usize::from(image.has_lesion)] += weight(image);
        }
        let [n_without, n_with] = n;
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let mut best = AtSpecificity { sensitivity: share(0, n_with)?, specificity: 1.0, score_threshold: None };
        let mut shown = [0; 2];
        for equal in self.0.chunk_by(|a, b| a.score == b.score) {
            for image in equal {
                shown[usize::from(image.has_lesion)] += weight(image);
            }
            let reached = share(n_without - shown[0], n_without)?;
            if equal[0].score.is_none() || reached < specificity {
                break;
            }
            best = AtSpecificity {
                sensitivity: share(shown[1], n_with)?,
                specificity: reached,
                score_threshold: equal[0].score,
            };
        }
        (n_without > 0).then_some(best)
    }
}

/// Bins of equal width that scores in 0..=1 fall into.
pub const N_BINS: usize = 10;

/// Detections whose scores fall into one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub n: u32,
    /// How many of them are true positives.
    pub true_positives: u32,
    /// The sum of their scores.
    pub sum_of_scores: f64,
}

impl Bin {
    /// Mean score, 0..=1; `None` of an empty bin.
    #[must_use]
    pub fn mean_score(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum_of_scores / f64::from(self.n))
    }

    /// Share of true positives, 0..=1; `None` of an empty bin.
    #[must_use]
    pub fn share_of_true_positives(&self) -> Option<f64> {
        share(self.true_positives, self.n)
    }
}

/// How far the scores of detections are from the share of true positives among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// [`N_BINS`] of equal width; a score on an edge falls into the lower one, as in scikit-learn's `calibration_curve`.
    pub bins: [Bin; N_BINS],
}

impl Calibration {
    /// The calibration of detections, each given by its score and whether it is a true positive; `None` without detections or
    /// where a score lies outside 0..=1.
    pub fn new(detections: impl IntoIterator<Item = (f64, bool)>) -> Option<Self> {
        let mut bins = [Bin::default(); N_BINS];
        let mut is_empty = true;
        for (score, is_true_positive) in detections {
            if !(0.0..=1.0).contains(&score) {
                return None;
            }
            // The edges as `numpy.linspace(0, 1, 11)` rounds them.
            let place = (1..N_BINS).filter(|edge| *edge as f64 * (1.0 / N_BINS as f64) < score).count();
            let bin = &mut bins[place];
            bin.n += 1;
            bin.true_positives += u32::from(is_true_positive);
            bin.sum_of_scores += score;
            is_empty = false;
        }
        (!is_empty).then_some(Self { bins })
    }

    /// That of a class of a run, by the scores of the files; `predictions` are the detections that the run was made of.
    #[must_use]
    pub fn of_class(
        ground_truth: &GroundTruth,
        run: &Run,
        predictions: &Detections,
        class: Class,
        options: &Options,
    ) -> Option<Self> {
        let n_lesions = ground_truth.n_lesions(class);
        let verdicts = run.verdicts(class, n_lesions, options.iou_threshold(), ground_truth.protocol().extent());
        let scores = run.ranking(class).detections().iter().map(|at| predictions.score_in_file(*at as usize));
        let counted = scores.zip(verdicts.iter()).filter(|(_, verdict)| *verdict != Verdict::Ignored);
        Self::new(counted.map(|(score, verdict)| (score, verdict == Verdict::TruePositive)))
    }

    /// The expected calibration error, 0..=1: the mean over detections of the distance between mean score and share of true
    /// positives of their bin (M. P. Naeini and others, AAAI 2015).
    #[must_use]
    pub fn expected_error(&self) -> f64 {
        let n: f64 = self.bins.iter().map(|bin| f64::from(bin.n)).sum();
        let distance = |bin: &Bin| (bin.sum_of_scores - f64::from(bin.true_positives)).abs();
        self.bins.iter().map(distance).sum::<f64>() / n
    }
}
