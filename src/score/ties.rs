//! How much the order of equal scores decides (section 7 of the metric).
//!
//! Each detection looks at one lesion only, so the number of true positives in a group of equal scores is the same in
//! every order; only the places of true and false positives differ.

use crate::curve::Staircase;

/// The verdicts of one class in the two extreme orders of equal scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extremes {
    /// False positives that claim no unfound lesion first; then each newly found lesion followed by its duplicates, the
    /// lesions with most duplicates first.
    pub worst: Staircase,
    /// True positives first.
    pub best: Staircase,
}

/// The extreme orders of detections given by falling score, each with the lesion it claims
/// (`matching::Ranking::claims`); `n_lesions` are those of the class.
#[must_use]
pub fn extremes(scores: &[f32], claims: &[Option<u32>], n_lesions: usize) -> Extremes {
    let mut found = vec![false; n_lesions];
    let mut extremes = Extremes { worst: Staircase::default(), best: Staircase::default() };
    let mut first = 0;
    // A group is a run of equal scores, most often of one.
    for group in scores.chunk_by(f32::eq) {
        let claims = &claims[first..first + group.len()];
        first += group.len();
        if let [claim] = claims {
            // There is one order.
            for staircase in [&mut extremes.worst, &mut extremes.best] {
                match claim {
                    Some(lesion) if !found[*lesion as usize] => staircase.hit(),
                    _ => staircase.miss(1),
                }
            }
            if let Some(lesion) = claim {
                found[*lesion as usize] = true;
            }
            continue;
        }
        let mut newly: Vec<u32> = claims.iter().flatten().copied().filter(|&lesion| !found[lesion as usize]).collect();
        let idle = claims.len() - newly.len();
        newly.sort_unstable();
        let mut detections_a_lesion: Vec<usize> = newly.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
        detections_a_lesion.sort_unstable_by(|a, b| b.cmp(a));
        for lesion in newly {
            found[lesion as usize] = true;
        }
        for _ in &detections_a_lesion {
            extremes.best.hit();
        }
        extremes.best.miss(claims.len() - detections_a_lesion.len());
        extremes.worst.miss(idle);
        for detections in detections_a_lesion {
            extremes.worst.hit();
            extremes.worst.miss(detections - 1);
        }
    }
    extremes
}
