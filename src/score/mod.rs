//! Recall at given false positives per image, as the official script reads it and exactly.

pub mod average_precision;
pub mod conventions;
pub mod exact;
pub mod image_roc;
pub mod official;
pub mod quirks;
pub mod sizes;
pub mod ties;

use crate::curve::{Curve, Point, Staircase};
use crate::dataset::{Class, GroundTruth};
use crate::geometry::Extent;
use crate::matching::{Ranking, Verdict, Verdicts};
use crate::options::Options;
use crate::run::Run;
use official::Counts;
use ties::Extremes;

/// All that is read of one class of a run, at each rate of the options.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// Lesions and images.
    pub counts: Counts,
    /// One point for each distinct score.
    pub curve: Curve,
    /// Detections that share their score with another.
    pub n_tied: usize,
    /// The order of true and false positives, equal scores in the official order.
    pub staircase: Staircase,
    /// The official recall at each rate: NaN or -infinity where the script divides by zero.
    pub official: Vec<f64>,
    /// The orders of equal scores that `worst` and `best` are read in.
    extremes: Extremes,
    /// The official recall in the worst order of equal scores.
    pub worst: Vec<f64>,
    /// The official recall in the best order of equal scores.
    pub best: Vec<f64>,
    /// The exact operating point at each rate.
    pub exact: Vec<Point>,
    /// The official recall if second boxes on a found lesion were ignored, and how many there are.
    pub without_duplicates: Variant,
    /// The official recall if no pixel were added to widths and heights, and how many verdicts differ.
    pub plain: Variant,
}

/// An official recall under another convention.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The order of true and false positives.
    staircase: Staircase,
    /// Recall at each rate.
    pub recall: Vec<f64>,
    /// Detections that the convention touches.
    pub n_detections: usize,
}

impl ClassScore {
    /// Scores the ranked detections of a class.
    #[must_use]
    pub fn new(ranking: &Ranking, counts: Counts, options: &Options) -> Self {
        // NumPy compares the f32 overlap with the threshold as f32.
        let iou_threshold = options.iou_threshold() as f32;
        let verdicts = ranking.verdicts(counts.n_lesions, iou_threshold, Extent::PlusOne);
        // Each is forgotten before the next one is made.
        let without_duplicates = {
            let kept = verdicts.without_duplicates();
            Variant::new(&kept, verdicts.n_detections() - kept.n_detections())
        };
        let extremes = ties::extremes(ranking.scores(), &verdicts);
        let plain = ranking.verdicts(counts.n_lesions, iou_threshold, Extent::Plain);
        let score = Self {
            counts,
            curve: Curve::new(ranking.shared_scores(), verdicts.hits()),
            n_tied: ranking.n_tied(),
            staircase: Staircase::new(&verdicts),
            official: Vec::new(),
            extremes,
            worst: Vec::new(),
            best: Vec::new(),
            exact: Vec::new(),
            without_duplicates,
            plain: Variant::new(&plain, quirks::in_one(verdicts.hits(), plain.hits()).len()),
        };
        score.at(options.fp_per_image())
    }

    /// The same class under the same IoU threshold, read at other rates: no detection is matched again.
    #[must_use]
    pub fn at(self, fp_per_image: &[f64]) -> Self {
        let recall = |staircase: &Staircase| official::recall(staircase, self.counts, fp_per_image);
        let read = |variant: Variant| Variant { recall: recall(&variant.staircase), ..variant };
        Self {
            official: recall(&self.staircase),
            worst: recall(&self.extremes.worst),
            best: recall(&self.extremes.best),
            exact: exact::operating_points(&self.curve, self.counts, fp_per_image),
            without_duplicates: read(self.without_duplicates),
            plain: read(self.plain),
            ..self
        }
    }
}

impl Variant {
    /// Not read at any rate yet.
    fn new(verdicts: &Verdicts, n_detections: usize) -> Self {
        Self { staircase: Staircase::new(verdicts), recall: Vec::new(), n_detections }
    }
}

/// The FROC curve of all classes of a run ranked together.
#[must_use]
pub fn pooled_curve(ground_truth: &GroundTruth, run: &Run, iou_threshold: f64) -> Curve {
    let mut shown: Vec<(f32, Verdict)> = Vec::new();
    for class in Class::all() {
        let verdicts = run.verdicts(class, ground_truth.n_lesions(class), iou_threshold, Extent::PlusOne);
        shown.extend(run.ranking(class).scores().iter().copied().zip(verdicts.iter()));
    }
    // Scores are finite; the order of equal ones does not matter, since they enter together.
    radsort::sort_by_key(&mut shown, |(score, _)| -score);
    let is_hit = |(rank, shown): (u32, &(f32, Verdict))| (shown.1 == Verdict::TruePositive).then_some(rank);
    let hits: Vec<u32> = (0..).zip(&shown).filter_map(is_hit).collect();
    Curve::new(shown.into_iter().map(|(score, _)| score).collect::<Vec<_>>(), hits)
}

/// The arithmetic mean, summed in order; `None` of nothing.
#[must_use]
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// The mean over classes at each rate: `recall_of` gives a class's recall at a rate, `None` to leave the class out.
#[must_use]
pub fn mean_recall<C>(classes: &[C], n_rates: usize, recall_of: impl Fn(&C, usize) -> Option<f64>) -> Vec<Option<f64>> {
    (0..n_rates).map(|rate| mean(classes.iter().filter_map(|class| recall_of(class, rate)))).collect()
}

/// The mean over rates; `None` if one is missing.
#[must_use]
pub fn average_recall(recall: &[Option<f64>]) -> Option<f64> {
    mean(recall.iter().copied().collect::<Option<Vec<f64>>>()?)
}
