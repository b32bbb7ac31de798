//! Which detection finds which lesion, for one class: ranking, overlap, verdicts ([section 3](crate::metric)).
//!
//! Overlap does not depend on the IoU threshold, and the ranking depends on neither, so both are computed once; only
//! [`Ranking::verdicts`] is repeated when the threshold changes.

use std::sync::Arc;

use crate::geometry::{BBox, Extent, Measure};

/// What became of a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It found a lesion.
    TruePositive,
    /// It overlaps enough with its best lesion, which was found already: a false positive (quirk Q7).
    Duplicate,
    /// Too little overlap, or no lesion of the class in the image.
    FalsePositive,
    /// Nothing at all, as the official script has it where an overlap is 0/0 (quirk Q11).
    Nothing,
    /// Neither true nor false: it overlaps no lesion enough, but an ignored one.
    Ignored,
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
    /// The ranks of those that count as nothing, rising.
    nothing: Vec<u32>,
    /// The ranks of those on ignored lesions alone, rising.
    ignored: Vec<u32>,
}

/// What an overlap of 0/0 means; only an inverted box, or one of no area, can have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// No overlap, as for the exact score.
    IsNoOverlap,
    /// The detection counts as nothing, whatever else it overlaps, as in the official script, whose comparisons with NaN are
    /// all false (quirk Q11).
    IsNothing,
}

/// The lesion with the greatest overlap, by its number among the lesions of the class, the first if several are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Best {
    lesion: u32,
    measure: f32,
    /// Whether the overlap with any lesion of the class in the image is 0/0.
    is_undefined: bool,
}

/// A detection that overlaps a lesion of its class, and what it may find under each [`Extent`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    rank: u32,
    plus_one: Best,
    plain: Best,
}

/// A detection that overlaps an ignored lesion, and the greatest such overlap under each [`Extent`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct OnIgnored {
    rank: u32,
    plus_one: f32,
    plain: f32,
}

/// The detections of a class over all images by falling score, each with the lesion that it may find.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// Shared with the curves that are read from it.
    scores: Arc<[f32]>,
    detections: Vec<u32>,
    /// By rising rank: few detections overlap a lesion.
    candidates: Vec<Candidate>,
    /// By rising rank; none where nothing is ignored.
    on_ignored: Vec<OnIgnored>,
    n_tied: usize,
    measure: Measure,
}

/// One detection before ranking, with the lesions of its class in its image.
#[derive(Debug, Clone, Copy)]
pub struct Unranked<'a> {
    /// Its score, finite.
    pub score: f32,
    /// Its box; any where there are neither `lesions` nor `ignored` ones, which nothing is compared with.
    pub bbox: BBox,
    /// Number of the first of `lesions` among all lesions of the class.
    pub first_lesion: u32,
    /// The lesions of the class in the image, in file order.
    pub lesions: &'a [BBox],
    /// The ignored lesions in the image that it may be on.
    pub ignored: &'a [BBox],
}

impl Ranking {
    /// Ranks detections by their numbers, which are given in image order, inside an image in file order; `look` is asked
    /// for each of them in that order.
    ///
    /// Of two equal scores the one listed later goes first, as in a stable ascending sort, reversed.
    pub fn new<'a>(listed: Vec<u32>, measure: Measure, mut look: impl FnMut(u32) -> Unranked<'a>) -> Self {
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut on_ignored: Vec<OnIgnored> = Vec::new();
        let mut keys = Keys::with_capacity(listed.len());
        for (&detection, place) in listed.iter().zip(0..) {
            let one = look(detection);
            keys.push(one.score);
            candidates.extend(Candidate::of(&one, measure, place));
            on_ignored.extend(OnIgnored::of(&one, measure, place));
        }
        let keys = keys.sorted();
        let mut rank_of_place = vec![0; listed.len()];
        for ((_, place), rank) in keys.falling().zip(0..) {
            rank_of_place[place as usize] = rank;
        }
        // Until here a candidate holds its place in the list.
        for candidate in &mut candidates {
            candidate.rank = rank_of_place[candidate.rank as usize];
        }
        for one in &mut on_ignored {
            one.rank = rank_of_place[one.rank as usize];
        }
        drop(rank_of_place);
        radsort::sort_by_key(&mut candidates, |candidate| candidate.rank);
        radsort::sort_by_key(&mut on_ignored, |one| one.rank);
        let detections = keys.falling().map(|(_, place)| listed[place as usize]).collect();
        // Room for the scores.
        drop(listed);
        let scores: Arc<[f32]> = keys.falling().map(|(score, _)| score).collect();
        let n_tied = scores.chunk_by(f32::eq).map(<[f32]>::len).filter(|group| *group > 1).sum();
        Self { scores, detections, candidates, on_ignored, n_tied, measure }
    }

    /// Scores, falling, to be kept.
    #[must_use]
    pub(crate) fn shared_scores(&self) -> Arc<[f32]> {
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

    /// Detections that share their score with another, in `f32`.
    #[must_use]
    pub const fn n_tied(&self) -> usize {
        self.n_tied
    }

    /// Walks down the ranking: a detection claims the lesion with the greatest measure in its image, if that is the least one
    /// under the threshold, and finds it if it is the first to claim it. One that claims none, and overlaps
    /// an ignored lesion so much, is ignored.
    ///
    /// `n_lesions` are those of the class in all images.
    #[must_use]
    pub fn verdicts(&self, n_lesions: usize, iou_threshold: f64, extent: Extent, undefined: Undefined) -> Verdicts {
        // NumPy compares the f32 overlap with the threshold as f32.
        let least = self.measure.least(iou_threshold);
        let mut found = vec![false; n_lesions];
        let mut verdicts = Verdicts {
            n_detections: self.scores.len(),
            claims: Vec::with_capacity(self.candidates.len()),
            ..Verdicts::default()
        };
        for candidate in &self.candidates {
            let best = match extent {
                Extent::PlusOne => candidate.plus_one,
                Extent::Plain => candidate.plain,
            };
            if best.is_undefined && undefined == Undefined::IsNothing {
                verdicts.nothing.push(candidate.rank);
            } else if best.measure >= least {
                let is_duplicate = std::mem::replace(&mut found[best.lesion as usize], true);
                verdicts.claims.push(Claim { rank: candidate.rank, lesion: best.lesion, is_duplicate });
            }
        }
        let overlaps = |one: &&OnIgnored| match extent {
            Extent::PlusOne => one.plus_one >= least,
            Extent::Plain => one.plain >= least,
        };
        let is_free = |rank: &u32| {
            verdicts.claims.binary_search_by_key(rank, |claim| claim.rank).is_err()
                && verdicts.nothing.binary_search(rank).is_err()
        };
        let ignored = self.on_ignored.iter().filter(overlaps).map(|one| one.rank).filter(is_free).collect();
        Verdicts { ignored, ..verdicts }
    }

    /// Scores and verdicts of those detections that are not ignored, as if the others had never been: those below move up.
    #[must_use]
    pub(crate) fn counted(&self, verdicts: Verdicts) -> (Arc<[f32]>, Verdicts) {
        if verdicts.ignored.is_empty() {
            return (self.shared_scores(), verdicts);
        }
        let shown = self.scores.iter().zip(verdicts.iter()).filter(|(_, verdict)| *verdict != Verdict::Ignored);
        (shown.map(|(score, _)| *score).collect(), verdicts.without(&verdicts.ignored))
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

    /// The ranks of the detections that count as nothing, rising.
    #[must_use]
    pub fn nothing(&self) -> &[u32] {
        &self.nothing
    }

    /// The ranks of the detections on ignored lesions alone, rising.
    #[must_use]
    pub fn ignored(&self) -> &[u32] {
        &self.ignored
    }

    /// The ranks of the true positives, rising.
    pub fn hits(&self) -> impl Iterator<Item = u32> {
        self.claims.iter().filter(|claim| !claim.is_duplicate).map(|claim| claim.rank)
    }

    /// The verdict on each detection, by falling score.
    pub fn iter(&self) -> impl Iterator<Item = Verdict> {
        let mut claims = self.claims.iter().peekable();
        let mut nothing = self.nothing.iter().peekable();
        let mut ignored = self.ignored.iter().peekable();
        (0..self.n_detections).map(move |rank| {
            if nothing.next_if(|of| **of as usize == rank).is_some() {
                return Verdict::Nothing;
            }
            if ignored.next_if(|of| **of as usize == rank).is_some() {
                return Verdict::Ignored;
            }
            match claims.next_if(|claim| claim.rank as usize == rank) {
                None => Verdict::FalsePositive,
                Some(claim) if claim.is_duplicate => Verdict::Duplicate,
                Some(_) => Verdict::TruePositive,
            }
        })
    }

    /// As if duplicates had never been: those below move up.
    #[must_use]
    pub(crate) fn without_duplicates(&self) -> Self {
        let duplicates: Vec<u32> =
            self.claims.iter().filter(|claim| claim.is_duplicate).map(|claim| claim.rank).collect();
        self.without(&duplicates)
    }

    /// As if the detections of these ranks, which rise, had never been.
    fn without(&self, ranks: &[u32]) -> Self {
        let moved = |rank: u32| match ranks.binary_search(&rank) {
            Ok(_) => None,
            Err(n_above) => Some(rank - n_above as u32),
        };
        Self {
            n_detections: self.n_detections - ranks.len(),
            claims: self.claims.iter().filter_map(|claim| Some(Claim { rank: moved(claim.rank)?, ..*claim })).collect(),
            nothing: self.nothing.iter().filter_map(|rank| moved(*rank)).collect(),
            ignored: self.ignored.iter().filter_map(|rank| moved(*rank)).collect(),
        }
    }
}

impl OnIgnored {
    /// The greatest overlaps of a detection with ignored lesions, its place in the list in the stead of its rank; `None` if it
    /// overlaps none. One of 0/0 is none.
    fn of(one: &Unranked<'_>, measure: Measure, place: u32) -> Option<Self> {
        let nothing = measure.nothing();
        let of = |extent| one.ignored.iter().map(move |lesion| measure.of(one.bbox, *lesion, extent));
        let most = |extent| of(extent).fold(nothing, f32::max);
        let (plus_one, plain) = (most(Extent::PlusOne), most(Extent::Plain));
        (plus_one > nothing || plain > nothing).then_some(Self { rank: place, plus_one, plain })
    }
}

impl Candidate {
    /// What a detection may find, its place in the list in the stead of its rank; `None` if it overlaps nothing.
    fn of(one: &Unranked<'_>, measure: Measure, place: u32) -> Option<Self> {
        let best = |extent| match measure {
            // Known here, so that the loop over the lesions is as fast as it can be.
            Measure::Iou => Best::of(one, Measure::Iou, extent),
            measure => Best::of(one, measure, extent),
        };
        let (plus_one, plain) = (best(Extent::PlusOne), best(Extent::Plain));
        let is_near = |best: Best| best.measure > measure.nothing() || best.is_undefined;
        (is_near(plus_one) || is_near(plain)).then_some(Self { rank: place, plus_one, plain })
    }
}

impl Best {
    /// The first of the lesions with the greatest measure; one of 0/0 is none.
    #[inline]
    fn of(one: &Unranked<'_>, by: Measure, extent: Extent) -> Self {
        let mut best = Self { lesion: one.first_lesion, measure: by.nothing(), is_undefined: false };
        for (lesion, number) in one.lesions.iter().zip(one.first_lesion..) {
            let measure = by.of(one.bbox, *lesion, extent);
            if measure > best.measure {
                best = Self { lesion: number, measure, ..best };
            }
            best.is_undefined |= measure.is_nan();
        }
        best
    }
}

/// Scores to be sorted, each with its place.
struct Keys {
    keys: Vec<(u32, u32)>,
    /// The places of scores of -0, rising: their key is that of 0, which they are equal to.
    negative_zeros: Vec<u32>,
}

impl Keys {
    fn with_capacity(n: usize) -> Self {
        Self { keys: Vec::with_capacity(n), negative_zeros: Vec::new() }
    }

    /// Appends a finite score.
    fn push(&mut self, score: f32) {
        let place = self.keys.len() as u32;
        if score == 0.0 && score.is_sign_negative() {
            self.negative_zeros.push(place);
        }
        self.keys.push((ascending_bits(score), place));
    }

    /// By rising score; equal ones stay in order.
    fn sorted(mut self) -> Self {
        // By digits and stably, with no comparison at all.
        radsort::sort_by_key(&mut self.keys, |(bits, _)| *bits);
        self
    }

    /// Once sorted, scores and places by falling score; of equal ones the later place first.
    fn falling(&self) -> impl ExactSizeIterator<Item = (f32, u32)> {
        self.keys.iter().rev().map(|&(bits, place)| {
            let score = score_of_bits(bits);
            let is_negative = score == 0.0 && self.negative_zeros.binary_search(&place).is_ok();
            (if is_negative { -score } else { score }, place)
        })
    }
}

/// Maps finite numbers to integers of the same order; -0 and 0, which are equal, to the same one.
fn ascending_bits(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The number that [`ascending_bits`] maps there; 0 where it is -0.
fn score_of_bits(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::Verdict::{FalsePositive, Nothing, TruePositive};
    use super::*;

    /// The places of scores by falling score.
    fn falling(scores: &[f32]) -> Vec<u32> {
        let mut keys = Keys::with_capacity(scores.len());
        for score in scores {
            keys.push(*score);
        }
        let sorted = keys.sorted();
        for (score, place) in sorted.falling() {
            assert_eq!(score.to_bits(), scores[place as usize].to_bits(), "scores come back");
        }
        sorted.falling().map(|(_, place)| place).collect()
    }

    #[test]
    fn equal_scores_go_in_reverse_order_and_zeros_are_equal() {
        assert_eq!(falling(&[0.5, 0.9, 0.5, -1.0]), [1, 2, 0, 3]);
        assert_eq!(falling(&[0.0, -0.0, 0.0]), [2, 1, 0]);
        assert_eq!(falling(&[f32::MIN, -1e-45, 1e-45, f32::MAX]), [3, 2, 1, 0]);
    }

    #[test]
    fn an_overlap_of_0_by_0_is_none_or_makes_the_detection_nothing() {
        let square = |x1: f32| BBox { x1, y1: 0.0, x2: x1 + 9.0, y2: 9.0 };
        // Its area is -100, and that of the lesion 100.
        let inverted = BBox { x1: 200.0, y1: 200.0, x2: 189.0, y2: 209.0 };
        let lesions = [square(0.0)];
        let boxes = [inverted, square(0.0), square(50.0)];
        let look = |detection: u32| Unranked {
            score: 0.9 - detection as f32 / 10.0,
            bbox: boxes[detection as usize],
            first_lesion: 0,
            lesions: &lesions,
            ignored: &[],
        };
        let ranking = Ranking::new(vec![0, 1, 2], Measure::Iou, look);
        let verdicts =
            |undefined| -> Vec<Verdict> { ranking.verdicts(1, 0.5, Extent::PlusOne, undefined).iter().collect() };
        assert_eq!(verdicts(Undefined::IsNothing), [Nothing, TruePositive, FalsePositive]);
        assert_eq!(verdicts(Undefined::IsNoOverlap), [FalsePositive, TruePositive, FalsePositive]);
    }
}
