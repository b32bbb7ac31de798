//! Recall at given false positives per image, as the official script reads it and exactly.

pub mod afroc;
pub mod average_precision;
pub mod confusion;
pub mod conventions;
pub mod exact;
pub mod image_roc;
pub mod official;
pub mod operating;
pub mod published;
pub mod quirks;
pub mod sizes;
pub mod ties;

use std::sync::Arc;

use crate::curve::{Curve, Point, Staircase};
use crate::dataset::GroundTruth;
use crate::geometry::Extent;
use crate::matching::{Ranking, Undefined, Verdict, Verdicts};
use crate::options::Options;
use crate::run::Run;
use official::Counts;

/// All that is read of one class of a run, at each rate of the options.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// Lesions and images.
    pub counts: Counts,
    /// One point for each distinct score.
    pub curve: Curve,
    /// Detections that share their score with another.
    pub n_tied: usize,
    /// Detections that count neither way, on ignored lesions alone: they are in no curve.
    pub n_ignored: usize,
    /// The order of true and false positives, equal scores in the official order.
    pub staircase: Staircase,
    /// The official recall at each rate: NaN or -infinity where the script divides by zero.
    pub official: Vec<f64>,
    /// The official recall in the worst order of equal scores.
    pub worst: Vec<f64>,
    /// The official recall in the best order of equal scores.
    pub best: Vec<f64>,
    /// The exact operating point at each rate.
    pub exact: Vec<Point>,
    /// The official recall if second boxes on a found lesion were ignored, and how many there are.
    pub without_duplicates: Variant,
    /// The curve as the official script has it, where that is another one: without the detections that count as nothing.
    pub official_curve: Option<Curve>,
    /// The official recall if an overlap of 0/0 were none, and how many detections have one; `None` if none has.
    pub defined: Option<Variant>,
    /// The official recall if no pixel were added to widths and heights, and how many verdicts differ.
    pub plain: Variant,
}

/// An official recall under another convention.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Recall at each rate.
    pub recall: Vec<f64>,
    /// Detections that the convention touches.
    pub n_detections: usize,
}

impl ClassScore {
    /// Scores the ranked detections of a class.
    #[must_use]
    pub fn new(ranking: &Ranking, counts: Counts, options: &Options, extent: Extent) -> Self {
        let rates = options.fp_per_image();
        let iou_threshold = options.iou_threshold();
        let verdicts_where = |undefined| ranking.verdicts(counts.n_lesions, iou_threshold, extent, undefined);
        let all = verdicts_where(Undefined::IsNothing);
        let n_ignored = all.ignored().len();
        let plain = plain(ranking, &all, counts, options);
        let (scores, verdicts) = ranking.counted(all);
        let staircase = Staircase::new(&verdicts);
        // The same unless an overlap is 0/0.
        let defined = (!verdicts.nothing().is_empty()).then(|| ranking.counted(verdicts_where(Undefined::IsNoOverlap)));
        let curve = match &defined {
            None => Curve::new(Arc::clone(&scores), verdicts.hits()),
            Some((scores, defined)) => Curve::new(Arc::clone(scores), defined.hits()),
        };
        let official_curve = defined.as_ref().map(|_| official_curve(&scores, &verdicts));
        let defined = defined.map(|(_, defined)| Variant {
            n_detections: verdicts.nothing().len(),
            recall: official::recall(&Staircase::new(&defined), counts, rates),
        });
        let extremes = ties::extremes(&scores, &verdicts);
        Self {
            official: official::recall(&staircase, counts, rates),
            worst: official::recall(&extremes.worst, counts, rates),
            best: official::recall(&extremes.best, counts, rates),
            exact: exact::operating_points(&curve, counts, rates),
            without_duplicates: without_duplicates(&verdicts, counts, rates),
            plain,
            n_ignored,
            n_tied: ranking.n_tied(),
            official_curve,
            defined,
            counts,
            curve,
            staircase,
        }
    }
}

fn official_curve(scores: &[f32], verdicts: &Verdicts) -> Curve {
    let shown = scores.iter().zip(verdicts.iter()).filter(|(_, verdict)| *verdict != Verdict::Nothing);
    let (scores, verdicts): (Vec<f32>, Vec<Verdict>) = shown.map(|(score, verdict)| (*score, verdict)).unzip();
    let is_hit = |(rank, verdict): (u32, Verdict)| (verdict == Verdict::TruePositive).then_some(rank);
    Curve::new(scores, (0..).zip(verdicts).filter_map(is_hit).collect::<Vec<_>>())
}

fn without_duplicates(verdicts: &Verdicts, counts: Counts, rates: &[f64]) -> Variant {
    let kept = verdicts.without_duplicates();
    Variant {
        n_detections: verdicts.n_detections() - kept.n_detections(),
        recall: official::recall(&Staircase::new(&kept), counts, rates),
    }
}

fn plain(ranking: &Ranking, verdicts: &Verdicts, counts: Counts, options: &Options) -> Variant {
    let iou_threshold = options.iou_threshold();
    let plain = ranking.verdicts(counts.n_lesions, iou_threshold, Extent::Plain, Undefined::IsNothing);
    let n_detections = quirks::differ(verdicts, &plain).len();
    let (_, plain) = ranking.counted(plain);
    Variant { n_detections, recall: official::recall(&Staircase::new(&plain), counts, options.fp_per_image()) }
}

/// The FROC curve of all classes of a run ranked together.
#[must_use]
pub fn pooled_curve(ground_truth: &GroundTruth, run: &Run, iou_threshold: f64) -> Curve {
    let mut shown: Vec<(f32, Verdict)> = Vec::new();
    for class in ground_truth.classes() {
        let verdicts =
            run.verdicts(class, ground_truth.n_lesions(class), iou_threshold, ground_truth.protocol().extent());
        let (scores, verdicts) = run.ranking(class).counted(verdicts);
        shown.extend(scores.iter().copied().zip(verdicts.iter()));
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
