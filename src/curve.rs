//! Verdicts -> FROC curve.

use std::sync::Arc;

use crate::matching::Verdicts;

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

/// The FROC curve of a class: one point for each distinct score, so equal scores enter together ([section 6](crate::metric)).
///
/// The first point is (0, 0); false and true positives never fall from one point to the next. Points are made when they
/// are asked for: what is kept is the scores, shared with the ranking, and the few ranks of true positives.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    scores: Arc<[f32]>,
    /// Ranks of the true positives from 0, rising.
    hits: Vec<u32>,
}

impl Curve {
    /// The curve of detections given by falling score; `hits` are the ranks of the true positives from 0, rising.
    #[must_use]
    pub fn new(scores: impl Into<Arc<[f32]>>, hits: impl IntoIterator<Item = u32>) -> Self {
        Self { scores: scores.into(), hits: gathered(hits.into_iter()) }
    }

    /// All points, from nothing shown to everything shown.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let groups = self.scores.chunk_by(f32::eq).scan(0, |n_shown, group| {
            *n_shown += group.len();
            Some(*n_shown)
        });
        let mut true_positives = 0;
        std::iter::once(0).chain(groups).map(move |n_shown| {
            let newly = self.hits[true_positives..].iter().take_while(|rank| (**rank as usize) < n_shown).count();
            true_positives += newly;
            self.point(n_shown, true_positives)
        })
    }

    /// The point at which everything is shown.
    #[must_use]
    pub fn last(&self) -> Point {
        self.point(self.scores.len(), self.hits.len())
    }

    /// The point at which the first `n_shown` detections are shown, so many of them true positives.
    fn point(&self, n_shown: usize, true_positives: usize) -> Point {
        Point {
            false_positives: (n_shown - true_positives) as u32,
            true_positives: true_positives as u32,
            score_threshold: n_shown.checked_sub(1).map(|last| self.scores[last]),
        }
    }

    /// The point with the lowest score threshold whose false positives satisfy `within`, which must hold for 0 and, if it
    /// holds for a number, for every smaller one.
    #[must_use]
    pub fn last_within(&self, within: impl Fn(u32) -> bool) -> Point {
        let hits_among = |n_shown: usize| self.hits.partition_point(|rank| (*rank as usize) < n_shown);
        let (mut most, mut too_many) = (0, self.scores.len() + 1);
        while most + 1 < too_many {
            let middle = usize::midpoint(most, too_many);
            if within((middle - hits_among(middle)) as u32) {
                most = middle;
            } else {
                too_many = middle;
            }
        }
        if let Some(next) = self.scores.get(most) {
            // Equal scores enter together or not at all.
            most = most.min(self.scores.partition_point(|score| score > next));
        }
        self.point(most, hits_among(most))
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
        let mut corners: Vec<Point> = Vec::new();
        let mut last: Option<Point> = None;
        for point in self.points() {
            if let (Some(corner), Some(between)) = (corners.last(), last)
                && !flat(corner, &between, &point)
            {
                corners.push(between);
            }
            if corners.is_empty() {
                corners.push(point);
            } else {
                last = Some(point);
            }
        }
        corners.extend(last);
        corners
    }
}

/// The order of true and false positives alone, as the official score reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staircase {
    /// How many false positives rank above each true positive, from the top.
    misses_above: Vec<u32>,
    false_positives: u32,
    /// Whether the first detection of all, and the second, counts as nothing (quirk Q11): deeper down it makes no difference.
    starts_with_nothing: [bool; 2],
}

impl Staircase {
    /// The staircase of the detections of a class.
    #[must_use]
    pub fn new(verdicts: &Verdicts) -> Self {
        let nothing = verdicts.nothing();
        let misses = |(rank, hits_above): (u32, u32)| {
            rank - hits_above - nothing.partition_point(|nothing| *nothing < rank) as u32
        };
        let misses_above = gathered(verdicts.hits().zip(0..).map(misses));
        let false_positives = (verdicts.n_detections() - misses_above.len() - nothing.len()) as u32;
        let starts_with_nothing = [0, 1].map(|rank| nothing.iter().take(2).any(|nothing| *nothing == rank));
        Self { misses_above, false_positives, starts_with_nothing }
    }

    /// That of no detections, with room for so many true positives.
    #[must_use]
    pub fn with_capacity(true_positives: usize) -> Self {
        Self { misses_above: Vec::with_capacity(true_positives), ..Self::default() }
    }

    /// Appends a true positive.
    #[inline]
    pub fn hit(&mut self) {
        self.misses_above.push(self.false_positives);
    }

    /// Appends `count` false positives.
    pub fn miss(&mut self, count: usize) {
        self.false_positives += count as u32;
    }

    /// Appends `count` detections that count as nothing.
    pub fn nothing(&mut self, count: usize) {
        let n = self.misses_above.len() + self.false_positives as usize;
        match (n, count) {
            (_, 0) => {}
            (0, 1) if !self.starts_with_nothing[0] => self.starts_with_nothing[0] = true,
            (0, _) => self.starts_with_nothing = [true; 2],
            (1, _) if !self.starts_with_nothing[0] => self.starts_with_nothing[1] = true,
            _ => {}
        }
    }

    /// Whether the first detection of all, and the second, counts as nothing.
    #[must_use]
    pub const fn starts_with_nothing(&self) -> [bool; 2] {
        self.starts_with_nothing
    }

    /// All true positives.
    #[must_use]
    pub fn true_positives(&self) -> u32 {
        self.misses_above.len() as u32
    }

    /// All false positives.
    #[must_use]
    pub const fn false_positives(&self) -> usize {
        self.false_positives as usize
    }

    /// True positives ranked above the `k`-th false positive, `k` from 1; `None` if there are fewer.
    #[must_use]
    pub fn hits_above(&self, k: u64) -> Option<u32> {
        if k == 0 || k > u64::from(self.false_positives) {
            return None;
        }
        Some(self.misses_above.partition_point(|misses| u64::from(*misses) < k) as u32)
    }
}

/// All of them, in a list with room for as many as there may be, so that it need not grow.
fn gathered(ranks: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all = Vec::with_capacity(ranks.size_hint().1.unwrap_or(0));
    ranks.for_each(|rank| all.push(rank));
    all
}
