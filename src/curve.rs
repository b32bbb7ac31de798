//! Verdicts -> FROC curve.

use crate::matching::Verdict;

/// A point of a FROC curve: what is shown at a score threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// False positives among the detections shown.
    pub false_positives: u32,
    /// True positives among them.
    pub true_positives: u32,
    /// Everything that scores at least this is shown; `None` where nothing is.
    pub score_threshold: Option<f32>,
}

/// The FROC curve of a class: one point for each distinct score, so equal scores enter together (section 6).
///
/// The first point is (0, 0); false and true positives never fall from one point to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    points: Vec<Point>,
    n_tied: usize,
}

impl Curve {
    /// The curve of detections given by falling score.
    #[must_use]
    pub fn new(scores: &[f32], verdicts: &[Verdict]) -> Self {
        let mut last = Point { false_positives: 0, true_positives: 0, score_threshold: None };
        let mut points = vec![last];
        let mut n_tied = 0;
        for (rank, (score, verdict)) in scores.iter().zip(verdicts).enumerate() {
            match verdict {
                Verdict::TruePositive => last.true_positives += 1,
                Verdict::Duplicate | Verdict::FalsePositive => last.false_positives += 1,
            }
            last.score_threshold = Some(*score);
            let is_last_of_group = scores.get(rank + 1) != Some(score);
            let is_first_of_group = rank == 0 || scores.get(rank - 1) != Some(score);
            n_tied += usize::from(!(is_first_of_group && is_last_of_group));
            if is_last_of_group {
                points.push(last);
            }
        }
        Self { points, n_tied }
    }

    /// All points, from nothing shown to everything shown.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Detections that share their score with another.
    #[must_use]
    pub const fn n_tied(&self) -> usize {
        self.n_tied
    }

    /// The point with the lowest score threshold whose false positives satisfy `within`, which must hold for 0 and, if it
    /// holds for a number, for every smaller one.
    #[must_use]
    pub fn last_within(&self, within: impl Fn(u32) -> bool) -> Point {
        let after = self.points.partition_point(|point| within(point.false_positives));
        self.points[after.saturating_sub(1)]
    }

    /// The points that bound the curve: the first and last, and those where it turns.
    ///
    /// Between two of them the curve runs straight right or straight up, unless equal scores make it run aslant.
    #[must_use]
    pub fn corners(&self) -> Vec<Point> {
        let flat = |a: &Point, b: &Point, c: &Point| {
            let up = a.true_positives == b.true_positives && b.true_positives == c.true_positives;
            let right = a.false_positives == b.false_positives && b.false_positives == c.false_positives;
            up || right
        };
        let last = self.points.len() - 1;
        let turns = (0..=last)
            .filter(|&at| at == 0 || at == last || !flat(&self.points[at - 1], &self.points[at], &self.points[at + 1]));
        turns.map(|at| self.points[at]).collect()
    }
}

/// The order of true and false positives alone, as the official score reads it: `hits_above[k - 1]` true positives rank
/// above the k-th false positive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staircase {
    hits_above: Vec<u32>,
    true_positives: u32,
}

impl Staircase {
    /// The staircase of verdicts given by falling score.
    #[must_use]
    pub fn new(verdicts: impl Iterator<Item = Verdict>) -> Self {
        let mut staircase = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::TruePositive => staircase.hit(),
                Verdict::Duplicate | Verdict::FalsePositive => staircase.miss(1),
            }
        }
        staircase
    }

    /// Appends a true positive.
    pub fn hit(&mut self) {
        self.true_positives += 1;
    }

    /// Appends `count` false positives.
    pub fn miss(&mut self, count: usize) {
        self.hits_above.extend(std::iter::repeat_n(self.true_positives, count));
    }

    /// All true positives.
    #[must_use]
    pub const fn true_positives(&self) -> u32 {
        self.true_positives
    }

    /// All false positives.
    #[must_use]
    pub fn false_positives(&self) -> usize {
        self.hits_above.len()
    }

    /// True positives ranked above the `k`-th false positive, `k` from 1; `None` if there are fewer.
    #[must_use]
    pub fn hits_above(&self, k: u64) -> Option<u32> {
        self.hits_above.get(usize::try_from(k.checked_sub(1)?).ok()?).copied()
    }
}
