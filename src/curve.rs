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

/// The FROC curve of a class: one point for each distinct score, so equal scores enter together (section 6).
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
        let mut hits: Vec<u32> = hits.into_iter().collect();
        hits.shrink_to_fit();
        Self { scores: scores.into(), hits }
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

/// The order of true and false positives alone, as the official score reads it: about a byte a true positive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staircase {
    /// How many false positives stand between each true positive and the one before it, from the top: seven bits a byte, the
    /// lowest first, the eighth set where more follow (LEB128).
    gaps: Vec<u8>,
    true_positives: u32,
    false_positives: u32,
    /// Those above the last true positive.
    false_positives_above: u32,
}

impl Staircase {
    /// The staircase of the detections of a class.
    #[must_use]
    pub fn new(verdicts: &Verdicts) -> Self {
        let mut staircase = Self::default();
        let mut next = 0;
        for rank in verdicts.hits() {
            staircase.false_positives += rank - next;
            staircase.hit();
            next = rank + 1;
        }
        staircase.false_positives += verdicts.n_detections() as u32 - next;
        staircase.shrink_to_fit();
        staircase
    }

    /// Gives back what memory is not used.
    pub fn shrink_to_fit(&mut self) {
        self.gaps.shrink_to_fit();
    }

    /// Appends a true positive.
    pub fn hit(&mut self) {
        let mut gap = self.false_positives - self.false_positives_above;
        while gap >= 1 << 7 {
            self.gaps.push(gap as u8 | 1 << 7);
            gap >>= 7;
        }
        self.gaps.push(gap as u8);
        self.true_positives += 1;
        self.false_positives_above = self.false_positives;
    }

    /// Appends `count` false positives.
    pub fn miss(&mut self, count: usize) {
        self.false_positives += count as u32;
    }

    /// All true positives.
    #[must_use]
    pub const fn true_positives(&self) -> u32 {
        self.true_positives
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
        let (mut hits, mut above, mut gap, mut shift) = (0, 0, 0, 0);
        for byte in &self.gaps {
            gap |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte >> 7 == 0 {
                above += gap;
                if above >= k {
                    break;
                }
                hits += 1;
                (gap, shift) = (0, 0);
            }
        }
        Some(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_counts_true_positives_above_each_false_positive_whatever_the_gaps() {
        let gaps = [0, 1, 0, 127, 128, 16_383, 16_384, 0, 3_000_000, 2];
        let mut staircase = Staircase::default();
        let mut misses_above = Vec::new();
        for gap in gaps {
            staircase.miss(gap);
            staircase.hit();
            misses_above.push(staircase.false_positives() as u64);
        }
        staircase.miss(5);
        assert_eq!(staircase.true_positives() as usize, gaps.len());
        assert_eq!(staircase.false_positives(), gaps.iter().sum::<usize>() + 5);
        for k in misses_above.iter().flat_map(|misses| [*misses, *misses + 1]).filter(|k| *k > 0) {
            let plain = misses_above.iter().filter(|misses| **misses < k).count() as u32;
            assert_eq!(staircase.hits_above(k), Some(plain), "{k}");
        }
        assert_eq!(staircase.hits_above(0), None);
        assert_eq!(staircase.hits_above(staircase.false_positives() as u64 + 1), None);
    }
}
