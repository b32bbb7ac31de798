//! Which detection finds which lesion, for one class: ranking, overlap, verdicts (section 3 of the metric).
//!
//! Overlap does not depend on the IoU threshold, and the ranking depends on neither, so both are computed once; only
//! [`Ranking::verdicts`] is repeated when the threshold changes.

use std::sync::Arc;

use crate::geometry::{BBox, Extent, iou};

/// What became of a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It found a lesion.
    TruePositive,
    /// It overlaps enough with its best lesion, which was found already: a false positive (quirk Q7).
    Duplicate,
    /// Too little overlap, or no lesion of the class in the image.
    FalsePositive,
}

/// A detection that overlaps its best lesion enough to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its place in the ranking, from 0.
    pub rank: u32,
    /// Number of the lesion among those of the class.
    pub lesion: u32,
    /// Whether a detection ranked above found the lesion: a false positive (quirk Q7).
    pub is_duplicate: bool,
}

/// What became of the ranked detections of a class. Few overlap a lesion enough, and only these are kept; all others are
/// false positives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts {
    n_detections: usize,
    /// By rising rank.
    claims: Vec<Claim>,
}

/// The lesion that a detection looks at, under each [`Extent`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    plus_one: Best,
    plain: Best,
}

/// The lesion with the greatest overlap, by its number among the lesions of the class; NaN if that is 0/0, which reaches
/// no threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Best {
    lesion: u32,
    iou: f32,
}

/// The detections of a class over all images by falling score, each with the lesion that it may find.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// Shared with the curves that are read from it.
    scores: Arc<[f32]>,
    detections: Vec<u32>,
    /// The ranks of detections whose image has a lesion of the class, rising, and what each may find: one in five or so.
    ranks: Vec<u32>,
    candidates: Vec<Candidate>,
    n_tied: usize,
}

/// One detection before ranking, with the lesions of its class in its image.
#[derive(Debug, Clone, Copy)]
pub struct Unranked<'a> {
    /// Number of the detection in its run.
    pub detection: u32,
    /// Its score, finite.
    pub score: f32,
    /// Its box.
    pub bbox: BBox,
    /// Number of the first of `lesions` among all lesions of the class.
    pub first_lesion: u32,
    /// The lesions of the class in the image, in file order.
    pub lesions: &'a [BBox],
}

impl Ranking {
    /// Ranks detections that are given in image order, inside an image in file order.
    ///
    /// Of two equal scores the one listed later goes first, as in a stable ascending sort, reversed.
    pub fn new<'a>(unranked: impl Iterator<Item = Unranked<'a>>) -> Self {
        let (mut scores, mut detections) = (Vec::new(), Vec::new());
        // In the order given, and for each detection how many of them come before it and whether one is its own.
        let (mut listed, mut candidate) = (Vec::new(), Vec::new());
        for one in unranked {
            let of_one = Candidate::of(&one);
            candidate.push((listed.len() as u32, of_one.is_some()));
            listed.extend(of_one);
            scores.push(one.score);
            detections.push(one.detection);
        }
        let order = falling(&scores);
        let (mut ranks, mut candidates) = (Vec::with_capacity(listed.len()), Vec::with_capacity(listed.len()));
        for (&place, rank) in order.iter().zip(0..) {
            let (at, is_own) = candidate[place as usize];
            if is_own {
                ranks.push(rank);
                candidates.push(listed[at as usize]);
            }
        }
        let scores: Arc<[f32]> = order.iter().map(|&at| scores[at as usize]).collect();
        Self {
            n_tied: scores.chunk_by(f32::eq).map(<[f32]>::len).filter(|group| *group > 1).sum(),
            scores,
            detections: order.iter().map(|&at| detections[at as usize]).collect(),
            ranks,
            candidates,
        }
    }

    /// Scores, falling, to be kept.
    #[must_use]
    pub fn shared_scores(&self) -> Arc<[f32]> {
        Arc::clone(&self.scores)
    }

    /// Scores, falling.
    #[must_use]
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Numbers of the detections in their run, by falling score.
    #[must_use]
    pub fn detections(&self) -> &[u32] {
        &self.detections
    }

    /// Detections that share their score with another.
    #[must_use]
    pub const fn n_tied(&self) -> usize {
        self.n_tied
    }

    /// Walks down the ranking: a detection claims the lesion with the greatest overlap in its image, if that overlap is at
    /// least `iou_threshold`, and finds it if it is the first to claim it.
    ///
    /// `n_lesions` are those of the class in all images.
    #[must_use]
    pub fn verdicts(&self, n_lesions: usize, iou_threshold: f32, extent: Extent) -> Verdicts {
        let mut found = vec![false; n_lesions];
        let claim = |(&rank, candidate): (&u32, &Candidate)| {
            let best = match extent {
                Extent::PlusOne => candidate.plus_one,
                Extent::Plain => candidate.plain,
            };
            (best.iou >= iou_threshold).then(|| {
                let is_duplicate = std::mem::replace(&mut found[best.lesion as usize], true);
                Claim { rank, lesion: best.lesion, is_duplicate }
            })
        };
        let claims = self.ranks.iter().zip(&self.candidates).filter_map(claim).collect();
        Verdicts { n_detections: self.scores.len(), claims }
    }
}

impl Verdicts {
    /// All detections of the class.
    #[must_use]
    pub const fn n_detections(&self) -> usize {
        self.n_detections
    }

    /// The detections that overlap a lesion enough, by rising rank.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The ranks of the true positives, rising.
    pub fn hits(&self) -> impl Iterator<Item = u32> {
        self.claims.iter().filter(|claim| !claim.is_duplicate).map(|claim| claim.rank)
    }

    /// The verdict on each detection, by falling score.
    pub fn iter(&self) -> impl Iterator<Item = Verdict> {
        let mut claims = self.claims.iter().peekable();
        (0..self.n_detections).map(move |rank| match claims.next_if(|claim| claim.rank as usize == rank) {
            None => Verdict::FalsePositive,
            Some(claim) if claim.is_duplicate => Verdict::Duplicate,
            Some(_) => Verdict::TruePositive,
        })
    }

    /// As if duplicates had never been: those below move up.
    #[must_use]
    pub fn without_duplicates(&self) -> Self {
        let mut n_duplicates = 0;
        let hits = self.claims.iter().filter_map(|claim| {
            n_duplicates += u32::from(claim.is_duplicate);
            (!claim.is_duplicate).then_some(Claim { rank: claim.rank - n_duplicates, ..*claim })
        });
        let claims = hits.collect();
        Self { n_detections: self.n_detections - n_duplicates as usize, claims }
    }
}

impl Candidate {
    fn of(one: &Unranked<'_>) -> Option<Self> {
        if one.lesions.is_empty() {
            return None;
        }
        Some(Self { plus_one: Best::of(one, Extent::PlusOne), plain: Best::of(one, Extent::Plain) })
    }
}

impl Best {
    /// The first of the lesions with the greatest overlap. One overlap of 0/0 spoils the comparison, as in NumPy's
    /// `argmax`: then the detection finds nothing.
    fn of(one: &Unranked<'_>, extent: Extent) -> Self {
        let mut best = Self { lesion: one.first_lesion, iou: f32::NEG_INFINITY };
        for (lesion, number) in one.lesions.iter().zip(one.first_lesion..) {
            let overlap = iou(one.bbox, *lesion, extent);
            if overlap.is_nan() || overlap > best.iou {
                best = Self { lesion: number, iou: overlap };
            }
            if overlap.is_nan() {
                return best;
            }
        }
        best
    }
}

/// The places of finite `scores` by falling score; of equal ones the later place first.
fn falling(scores: &[f32]) -> Vec<u32> {
    let mut rising: Vec<(u32, u32)> = scores.iter().map(|score| ascending_bits(*score)).zip(0..).collect();
    // By digits and stably, with no comparison at all.
    radsort::sort_by_key(&mut rising, |(bits, _)| *bits);
    rising.into_iter().rev().map(|(_, at)| at).collect()
}

/// Maps finite numbers to integers of the same order; -0 and 0, which are equal, to the same one.
fn ascending_bits(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_go_in_reverse_order_and_zeros_are_equal() {
        assert_eq!(falling(&[0.5, 0.9, 0.5, -1.0]), [1, 2, 0, 3]);
        assert_eq!(falling(&[0.0, -0.0, 0.0]), [2, 1, 0]);
        assert_eq!(falling(&[f32::MIN, -1e-45, 1e-45, f32::MAX]), [3, 2, 1, 0]);
    }
}
