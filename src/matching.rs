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

/// The lesion that a detection looks at, and their overlap under each [`Extent`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    lesion: u32,
    plus_one: f32,
    plain: f32,
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
    /// The ranks of detections that overlap a lesion of the class, and what each may find, by rising rank: few do.
    near: Bits,
    candidates: Vec<Candidate>,
    /// The few of them that look at another lesion under [`Extent::Plain`]: their places among the candidates, rising, and
    /// that lesion.
    plain_lesions: Vec<(u32, u32)>,
    /// The ranks of detections that overlap none of the lesions of the class in their image, and the lesion that each looks
    /// at all the same, by rising rank: it finds it where no overlap is needed.
    apart: Bits,
    apart_lesions: Vec<u32>,
    n_tied: usize,
}

/// One detection before ranking, with the lesions of its class in its image.
#[derive(Debug, Clone, Copy)]
pub struct Unranked<'a> {
    /// Its score, finite.
    pub score: f32,
    /// Its box; any where there are no `lesions`, which nothing is compared with.
    pub bbox: BBox,
    /// Number of the first of `lesions` among all lesions of the class.
    pub first_lesion: u32,
    /// The lesions of the class in the image, in file order.
    pub lesions: &'a [BBox],
}

impl Ranking {
    /// Ranks detections by their numbers, which are given in image order, inside an image in file order; `look` is asked
    /// for each of them in that order.
    ///
    /// Of two equal scores the one listed later goes first, as in a stable ascending sort, reversed.
    pub fn new<'a>(listed: Vec<u32>, mut look: impl FnMut(u32) -> Unranked<'a>) -> Self {
        let mut claimants = Claimants::of_n(listed.len());
        let mut keys = Keys::with_capacity(listed.len());
        for &detection in &listed {
            let one = look(detection);
            keys.push(one.score);
            claimants.push(&one);
        }
        let keys = keys.sorted();
        let ranking = claimants.ranked(keys.falling().map(|(_, place)| place));
        let detections = keys.falling().map(|(_, place)| listed[place as usize]).collect();
        // Room for the scores.
        drop(listed);
        let scores: Arc<[f32]> = keys.falling().map(|(score, _)| score).collect();
        let n_tied = scores.chunk_by(f32::eq).map(<[f32]>::len).filter(|group| *group > 1).sum();
        Self { scores, detections, n_tied, ..ranking }
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
        let mut claims = Vec::with_capacity(self.candidates.len());
        let mut claim = |rank: u32, lesion: u32| {
            let is_duplicate = std::mem::replace(&mut found[lesion as usize], true);
            claims.push(Claim { rank, lesion, is_duplicate });
        };
        // None unless no overlap is needed.
        let all_apart = self.apart.ones().zip(self.apart_lesions.iter().copied());
        let mut apart = all_apart.take_while(|_| 0.0 >= iou_threshold);
        let mut next_apart = apart.next();
        let mut plain_lesions = match extent {
            Extent::PlusOne => &[],
            Extent::Plain => &self.plain_lesions[..],
        };
        let mut candidates = (0..).zip(&self.candidates);
        self.near.for_each_one(|rank| {
            let Some((at, candidate)) = candidates.next() else { return };
            let iou = match extent {
                Extent::PlusOne => candidate.plus_one,
                Extent::Plain => candidate.plain,
            };
            if iou < iou_threshold || iou.is_nan() {
                return;
            }
            while let Some((above, lesion)) = next_apart.filter(|(above, _)| *above < rank) {
                claim(above, lesion);
                next_apart = apart.next();
            }
            while let [(of, _), rest @ ..] = plain_lesions
                && *of < at
            {
                plain_lesions = rest;
            }
            let other = plain_lesions.first().filter(|(of, _)| *of == at);
            claim(rank, other.map_or(candidate.lesion, |(_, lesion)| *lesion));
        });
        next_apart.into_iter().chain(apart).for_each(|(rank, lesion)| claim(rank, lesion));
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
    /// Whether there is no overlap, under either extent.
    fn is_apart(&self) -> bool {
        self.plus_one == 0.0 && self.plain == 0.0
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

/// One bit for each of the numbers up to one.
#[derive(Debug, Clone, Default)]
struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// `n` of them, none set.
    fn zeros(n: usize) -> Self {
        Self { words: vec![0; n.div_ceil(64)] }
    }

    fn set(&mut self, number: u32) {
        self.words[number as usize / 64] |= 1 << (number % 64);
    }

    /// Calls with each number whose bit is set, rising: in WebAssembly sooner than through [`Self::ones`].
    fn for_each_one(&self, mut call: impl FnMut(u32)) {
        for (word, first) in self.words.iter().zip((0..).step_by(64)) {
            let mut rest = *word;
            while rest != 0 {
                call(first + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// The numbers whose bits are set, rising.
    fn ones(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip((0..).step_by(64)).flat_map(|(&word, first)| {
            // Each time without its lowest bit.
            let rest = |word: &u64| Some(word & word.wrapping_sub(1));
            let words = std::iter::successors(Some(word), rest).take_while(|word| *word != 0);
            words.map(move |word| first + word.trailing_zeros())
        })
    }
}

/// The candidates of a class before it is ranked.
struct Claimants {
    /// In the order listed.
    candidates: Vec<Candidate>,
    /// As in [`Ranking`].
    plain_lesions: Vec<(u32, u32)>,
    n_apart: usize,
    n_listed: usize,
    /// Of each detection listed, whether one of the candidates is its own.
    has_one: Bits,
    /// How many candidates come before those of each word of bits.
    before: Vec<u32>,
}

impl Claimants {
    /// None yet, of so many detections.
    fn of_n(n: usize) -> Self {
        let (has_one, before) = (Bits::zeros(n), Vec::with_capacity(n.div_ceil(64)));
        Self { candidates: Vec::new(), plain_lesions: Vec::new(), n_apart: 0, n_listed: 0, has_one, before }
    }

    /// The next detection listed.
    fn push(&mut self, one: &Unranked<'_>) {
        let place = self.n_listed as u32;
        self.n_listed += 1;
        if place.is_multiple_of(64) {
            self.before.push(self.candidates.len() as u32);
        }
        if one.lesions.is_empty() {
            return;
        }
        let (plus_one, plain) = (Best::of(one, Extent::PlusOne), Best::of(one, Extent::Plain));
        let candidate = Candidate { lesion: plus_one.lesion, plus_one: plus_one.iou, plain: plain.iou };
        if plain.lesion != plus_one.lesion {
            self.plain_lesions.push((self.candidates.len() as u32, plain.lesion));
        } else if candidate.is_apart() {
            self.n_apart += 1;
        }
        self.has_one.set(place);
        self.candidates.push(candidate);
    }

    /// The place among the candidates of that of a detection, by its place in the list.
    fn of_place(&self, place: u32) -> Option<u32> {
        let (at, bit) = (place as usize / 64, place % 64);
        let word = self.has_one.words[at];
        (word >> bit & 1 == 1).then(|| self.before[at] + (word & ((1 << bit) - 1)).count_ones())
    }

    /// The candidates in the order of rank; `places` are those of the list, by rank.
    fn ranked(self, places: impl Iterator<Item = u32>) -> Ranking {
        let n_near = self.candidates.len() - self.n_apart;
        let mut ranking = Ranking {
            near: Bits::zeros(self.n_listed),
            candidates: Vec::with_capacity(n_near),
            apart: Bits::zeros(self.n_listed),
            apart_lesions: Vec::with_capacity(self.n_apart),
            ..Ranking::default()
        };
        for (place, rank) in places.zip(0..) {
            let Some(at) = self.of_place(place) else { continue };
            let candidate = self.candidates[at as usize];
            let plain_lesion = self.plain_lesion(at);
            if candidate.is_apart() && plain_lesion.is_none() {
                ranking.apart.set(rank);
                ranking.apart_lesions.push(candidate.lesion);
                continue;
            }
            if let Some(lesion) = plain_lesion {
                ranking.plain_lesions.push((ranking.candidates.len() as u32, lesion));
            }
            ranking.near.set(rank);
            ranking.candidates.push(candidate);
        }
        ranking
    }

    fn plain_lesion(&self, candidate: u32) -> Option<u32> {
        let at = self.plain_lesions.binary_search_by_key(&candidate, |(of, _)| *of);
        at.ok().map(|at| self.plain_lesions[at].1)
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
    use super::*;

    #[test]
    fn bits_come_back_in_order() {
        let mut bits = Bits::zeros(200);
        let numbers = [0, 1, 63, 64, 127, 130, 199];
        for number in numbers.into_iter().rev() {
            bits.set(number);
        }
        assert_eq!(bits.ones().collect::<Vec<_>>(), numbers);
        assert_eq!(Bits::zeros(0).ones().next(), None);
    }

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
    fn detections_apart_from_all_lesions_find_them_where_no_overlap_is_needed() {
        let square = |x1: f32| BBox { x1, y1: 0.0, x2: x1 + 9.0, y2: 9.0 };
        let lesions = [square(0.0), square(100.0)];
        let (scores, boxes) = ([0.9, 0.8, 0.7, 0.6], [square(50.0), square(100.0), square(0.0), square(50.0)]);
        let look = |detection: u32| Unranked {
            score: scores[detection as usize],
            bbox: boxes[detection as usize],
            first_lesion: 3,
            // The last one is in an image without lesions of the class.
            lesions: if detection == 3 { &[] } else { &lesions },
        };
        let ranking = Ranking::new(vec![0, 1, 2, 3], look);
        assert_eq!((ranking.near.ones().collect(), ranking.apart.ones().collect()), (vec![1, 2], vec![0]));
        let claims = |iou_threshold: f32| -> Vec<(u32, u32, bool)> {
            let verdicts = ranking.verdicts(5, iou_threshold, Extent::PlusOne);
            verdicts.claims().iter().map(|claim| (claim.rank, claim.lesion, claim.is_duplicate)).collect()
        };
        assert_eq!(claims(0.0), [(0, 3, false), (1, 4, false), (2, 3, true)]);
        assert_eq!(claims(f32::MIN_POSITIVE), [(1, 4, false), (2, 3, false)]);
    }
}
