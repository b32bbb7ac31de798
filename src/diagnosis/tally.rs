//! How many detections and lesions have each cause, and what mending it would gain.

use super::thresholds::{counts, counts_of};
use super::{Category, Diagnosis, ScoreThresholds};
use crate::dataset::GroundTruth;
use crate::protocol::Class;
use crate::run::Run;

/// The counts of one class at a score threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Detections that count and find a lesion.
    pub true_positives: usize,
    /// Detections that count and find none.
    pub false_positives: usize,
    /// How many have each cause, in the order of [`Category::causes`].
    pub causes: [usize; 9],
    /// The recall if each cause were mended; `None` without lesions.
    pub recall_if_mended: [Option<f64>; 9],
}

impl Diagnosis {
    /// Counts the detections and lesions of a class at score thresholds.
    ///
    /// Mended means: those false positives removed, or those lesions found above all scores, and the exact recall read
    /// again at `fp_per_image`; at the false positives that count now, if that is `None`.
    #[must_use]
    pub fn tally(
        &self,
        ground_truth: &GroundTruth,
        run: &Run,
        class: Class,
        thresholds: &ScoreThresholds,
        fp_per_image: Option<f64>,
    ) -> Tally {
        let threshold = thresholds[class];
        let ranking = run.ranking(class);
        let n_counted = ranking.scores().partition_point(|score| counts(*score, threshold));
        let mut causes = [0; 9];
        let mut true_positives = 0;
        for &detection in &ranking.detections()[..n_counted] {
            let category = self.categories[detection as usize];
            match category.cause() {
                Some(cause) => causes[cause] += 1,
                None => true_positives += usize::from(category == Category::TruePositive),
            }
        }
        let false_positives = causes[..Category::OF_FALSE_POSITIVES.len()].iter().sum::<usize>();
        for lesion in 0..ground_truth.n_lesions(class) {
            if let Some(cause) = self.lesion(class, lesion, thresholds).cause() {
                causes[cause] += 1;
            }
        }
        let of = counts_of(ground_truth, class);
        let most = match fp_per_image {
            Some(rate) => of.most_within(rate, ranking.detections().len() as u64) as usize,
            None => false_positives,
        };
        let found = self.found_if_mended(run, class, n_counted, &causes, most);
        let recall = |found: usize| (of.n_lesions > 0).then(|| found as f64 / of.n_lesions as f64);
        Tally { true_positives, false_positives, causes, recall_if_mended: found.map(recall) }
    }

    /// The true positives at the lowest score threshold with at `most` so many false positives if each cause were mended.
    fn found_if_mended(
        &self,
        run: &Run,
        class: Class,
        n_counted: usize,
        causes: &[usize; 9],
        most: usize,
    ) -> [usize; 9] {
        const N: usize = Category::OF_FALSE_POSITIVES.len();
        let ranking = run.ranking(class);
        let (scores, detections) = (ranking.scores(), ranking.detections());
        let mut best = [0; 9];
        // The last place is that of nothing removed, which mended lesions are added to.
        let mut left_out = [0; N + 1];
        let mut is_open = [true; N + 1];
        let (mut true_positives, mut false_positives, mut as_is, mut counted) = (0, 0, 0, 0);
        for (rank, (score, &detection)) in scores.iter().zip(detections).enumerate() {
            let category = self.categories[detection as usize];
            match category.cause() {
                None if category == Category::Ignored => {}
                None => {
                    true_positives += 1;
                    counted += usize::from(rank < n_counted);
                }
                Some(cause) => {
                    false_positives += 1;
                    if rank < n_counted {
                        left_out[cause] += 1;
                    }
                }
            }
            if scores.get(rank + 1) == Some(score) {
                // Equal scores enter together.
                continue;
            }
            for (at, is_open) in is_open.iter_mut().enumerate() {
                *is_open &= false_positives - left_out[at] <= most;
                if *is_open {
                    *(if at < N { &mut best[at] } else { &mut as_is }) = true_positives;
                }
            }
            if is_open.iter().all(|is_open| !is_open) {
                break;
            }
        }
        let found = |category: Category| match category {
            // Those found between the score threshold and the rate are among the mended ones.
            Category::OutRanked => as_is.min(counted),
            _ => as_is,
        };
        for ((best, mended), category) in best[N..].iter_mut().zip(&causes[N..]).zip(Category::OF_MISSED_LESIONS) {
            *best = found(category) + mended;
        }
        best
    }
}
