//! How much the order of equal scores decides ([section 7](crate::metric)).
//!
//! Each detection looks at one lesion only, so the number of true positives in a group of equal scores is the same in
//! every order; only the places of true and false positives differ.

use crate::curve::Staircase;
use crate::matching::{Claim, Verdicts};

/// The verdicts of one class in the two extreme orders of equal scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extremes {
    /// False positives that claim no unfound lesion first; then each newly found lesion followed by its duplicates, the
    /// lesions with most duplicates first.
    pub worst: Staircase,
    /// True positives first.
    pub best: Staircase,
}

/// The extreme orders of detections with these scores, falling, and these verdicts. Those that count as nothing come last
/// among equals.
#[must_use]
pub fn extremes(scores: &[f32], verdicts: &Verdicts) -> Extremes {
    let room = || Staircase::with_capacity(verdicts.claims().len());
    let mut extremes = Extremes { worst: room(), best: room() };
    let (mut rest, mut nothing) = (verdicts.claims(), verdicts.nothing());
    let mut done = 0;
    while let Some(rank) = rest.first().map(|claim| claim.rank).into_iter().chain(nothing.first().copied()).min() {
        let rank = rank as usize;
        let is_equal = |score: &&f32| score.eq(&&scores[rank]);
        let is_equal_to = |beside: usize| scores.get(beside).is_some_and(|score| is_equal(&score));
        // Most scores are alone, and then there is one order.
        if let [first, below @ ..] = rest
            && first.rank as usize == rank
            && !is_equal_to(rank.wrapping_sub(1))
            && !is_equal_to(rank + 1)
        {
            extremes.miss(rank - done);
            extremes.alone(*first);
            (rest, done) = (below, rank + 1);
            continue;
        }
        let start = rank - scores[done..rank].iter().rev().take_while(is_equal).count();
        let end = start + scores[start..].iter().take_while(is_equal).count();
        let (group, below) = rest.split_at(rest.iter().take_while(|claim| (claim.rank as usize) < end).count());
        let (idle, nothing_below) = nothing.split_at(nothing.iter().take_while(|rank| (**rank as usize) < end).count());
        extremes.miss(start - done);
        extremes.group(end - start - idle.len(), group);
        extremes.worst.nothing(idle.len());
        extremes.best.nothing(idle.len());
        (rest, nothing, done) = (below, nothing_below, end);
    }
    extremes.miss(scores.len() - done);
    extremes
}

impl Extremes {
    /// Appends false positives that are so in every order.
    fn miss(&mut self, count: usize) {
        self.worst.miss(count);
        self.best.miss(count);
    }

    /// Appends a detection whose score no other has.
    fn alone(&mut self, claim: Claim) {
        for staircase in [&mut self.worst, &mut self.best] {
            if claim.is_duplicate { staircase.miss(1) } else { staircase.hit() }
        }
    }

    /// Appends detections of equal score.
    fn group(&mut self, n_detections: usize, claims: &[Claim]) {
        // Lesion by lesion, the one that finds it first: a lesion that has none was found in a group above.
        let mut by_lesion: Vec<u64> =
            claims.iter().map(|claim| u64::from(claim.lesion) << 1 | u64::from(claim.is_duplicate)).collect();
        radsort::sort(&mut by_lesion);
        let newly_found = by_lesion.chunk_by(|a, b| a >> 1 == b >> 1).filter(|of_lesion| of_lesion[0] & 1 == 0);
        let mut detections_a_lesion: Vec<u64> = newly_found.map(|of_lesion| of_lesion.len() as u64).collect();
        radsort::sort(&mut detections_a_lesion);
        let n_found = detections_a_lesion.len();
        let idle = n_detections - detections_a_lesion.iter().sum::<u64>() as usize;
        (0..n_found).for_each(|_| self.best.hit());
        self.best.miss(n_detections - n_found);
        self.worst.miss(idle);
        for detections in detections_a_lesion.into_iter().rev() {
            self.worst.hit();
            self.worst.miss(detections as usize - 1);
        }
    }
}
