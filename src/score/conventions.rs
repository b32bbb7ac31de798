//! How other conventions would move the score: the pixel added to widths, second boxes on a found lesion, the IoU
//! threshold.

use crate::curve::{Curve, Staircase};
use crate::dataset::GroundTruth;
use crate::geometry::Extent;
use crate::matching::Verdict;
use crate::options::Options;
use crate::run::Run;
use crate::score::official::{self, Counts};
use crate::score::{average_recall, exact, mean_recall};

/// The IoU thresholds of [`sweep`]: 0.1, 0.15, ..., 0.75.
pub fn sweep_thresholds() -> impl Iterator<Item = f64> {
    (2..=15).map(|step| f64::from(step) / 20.0)
}

/// What counts as overlap and as a false positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convention {
    /// Whether a pixel is added to widths and heights.
    pub extent: Extent,
    /// Whether a second box on a found lesion is ignored, rather than counted as a false positive.
    pub ignores_second_boxes: bool,
}

impl Convention {
    /// All four; the first is that of the official script.
    pub const ALL: [Self; 4] = [
        Self { extent: Extent::PlusOne, ignores_second_boxes: false },
        Self { extent: Extent::PlusOne, ignores_second_boxes: true },
        Self { extent: Extent::Plain, ignores_second_boxes: false },
        Self { extent: Extent::Plain, ignores_second_boxes: true },
    ];
}

/// The recall of each class at each rate; exact recall is `None` without lesions.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// As the official script reads it: NaN or -infinity where it divides by zero.
    pub official: Vec<Vec<f64>>,
    /// At score thresholds that can be used.
    pub exact: Vec<Vec<Option<f64>>>,
}

/// Scores a run under a convention, at the IoU threshold and the rates of `options`.
#[must_use]
pub fn scores(ground_truth: &GroundTruth, run: &Run, options: &Options, convention: Convention) -> Scores {
    let mut scores = Scores { official: Vec::new(), exact: Vec::new() };
    for class in ground_truth.classes() {
        let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
        let (n_lesions, iou_threshold) = (counts.n_lesions, options.iou_threshold());
        let counted = |verdicts| run.ranking(class).counted(verdicts);
        let (scores_of_class, verdicts) = counted(run.verdicts(class, n_lesions, iou_threshold, convention.extent));
        let (_, official) = counted(run.official_verdicts(class, n_lesions, iou_threshold, convention.extent));
        let (ranked, verdicts, official) = if convention.ignores_second_boxes {
            let shown = scores_of_class.iter().zip(verdicts.iter());
            let kept = shown.filter(|(_, verdict)| *verdict != Verdict::Duplicate).map(|(score, _)| *score);
            (kept.collect(), verdicts.without_duplicates(), official.without_duplicates())
        } else {
            (scores_of_class, verdicts, official)
        };
        let points = exact::operating_points(&Curve::new(ranked, verdicts.hits()), counts, options.fp_per_image());
        scores.exact.push(points.into_iter().map(|point| exact::recall(point, counts)).collect());
        let staircase = Staircase::new(&official);
        scores.official.push(official::recall(&staircase, counts, options.fp_per_image()));
    }
    scores
}

impl Scores {
    /// The mean official recall at each rate.
    #[must_use]
    pub fn official_recall(&self) -> Vec<Option<f64>> {
        let n_rates = self.official.first().map_or(0, Vec::len);
        mean_recall(&self.official, n_rates, |class, rate| Some(class[rate]))
    }

    /// The mean exact recall at each rate, over the classes that have lesions.
    #[must_use]
    pub fn exact_recall(&self) -> Vec<Option<f64>> {
        let n_rates = self.exact.first().map_or(0, Vec::len);
        mean_recall(&self.exact, n_rates, |class, rate| class[rate])
    }

    /// The mean exact recall of each class over the rates.
    #[must_use]
    pub fn exact_averages(&self) -> Vec<Option<f64>> {
        self.exact.iter().map(|recall| average_recall(recall)).collect()
    }
}

/// The scores of a run at each of [`sweep_thresholds`]; none where the hit criterion has no such threshold.
#[must_use]
pub fn sweep(ground_truth: &GroundTruth, run: &Run, options: &Options) -> Vec<Scores> {
    if !ground_truth.protocol().measure().is_share() {
        return Vec::new();
    }
    let own = Convention { extent: ground_truth.protocol().extent(), ignores_second_boxes: false };
    let at = |iou_threshold: f64| {
        let options = options.with_iou_threshold(iou_threshold);
        scores(ground_truth, run, &options, own)
    };
    sweep_thresholds().map(at).collect()
}
