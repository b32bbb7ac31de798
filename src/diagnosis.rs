//! Where the points go: what each false positive and each missed lesion is due to (section 9 of the metric).
//!
//! What a detection is does not depend on a score threshold: a duplicate ranks below the detection that it repeats, so
//! wherever it counts, that one counts too. A threshold only decides which detections count. So a [`Diagnosis`] is made
//! once for a run, and read at any [`ScoreThresholds`] as fast as a slider moves.

pub mod gallery;
pub mod noticed;

use std::mem::{replace, take};

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::curve::Curve;
use crate::dataset::GroundTruth;
use crate::geometry::{BBox, Extent, iou};
use crate::order::sorted;
use crate::protocol::{Class, PerClass};
use crate::run::{Prepared, Run};
use crate::score::official::Counts;
use crate::score::{exact, pooled_curve};

/// The least overlap at which a box is badly placed and not elsewhere, as in TIDE (Bolya et al., ECCV 2020).
pub const BADLY_PLACED: f32 = 0.1;

/// What a detection that counts is, or why a lesion is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A detection that finds a lesion, or a lesion that is found.
    TruePositive,
    /// A false positive: a second box on a found lesion of its class.
    Duplicate,
    /// A false positive that overlaps a lesion of its class, found or not, by [`BADLY_PLACED`] at least, and too little.
    BadlyPlaced,
    /// A false positive on a lesion of another class.
    OnAnotherClass,
    /// A false positive somewhere else on an image that has lesions.
    Elsewhere,
    /// A false positive on an image without lesions.
    LesionFreeImage,
    /// A missed lesion that a detection below the score threshold finds.
    OutRanked,
    /// A missed lesion that detections of its class overlap by [`BADLY_PLACED`] at least, at whatever score.
    BadlyPlacedLesion,
    /// A missed lesion on which a detection of another class counts.
    SeenAsAnotherClass,
    /// A missed lesion on which nothing counts.
    NeverSeen,
}

/// What a detection and a lesion come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The detection finds a lesion.
    TruePositive,
    /// The detection finds none.
    FalsePositive,
    /// No detection that counts finds the lesion.
    MissedLesion,
}

impl Category {
    /// The causes of false positives.
    pub const OF_FALSE_POSITIVES: [Self; 5] =
        [Self::Duplicate, Self::BadlyPlaced, Self::OnAnotherClass, Self::Elsewhere, Self::LesionFreeImage];

    /// The causes of missed lesions.
    pub const OF_MISSED_LESIONS: [Self; 4] =
        [Self::OutRanked, Self::BadlyPlacedLesion, Self::SeenAsAnotherClass, Self::NeverSeen];

    /// All nine causes, those of false positives first.
    pub fn causes() -> impl Iterator<Item = Self> {
        Self::OF_FALSE_POSITIVES.into_iter().chain(Self::OF_MISSED_LESIONS)
    }

    /// What it comes to.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::TruePositive => Outcome::TruePositive,
            Self::Duplicate | Self::BadlyPlaced | Self::OnAnotherClass | Self::Elsewhere | Self::LesionFreeImage => {
                Outcome::FalsePositive
            }
            Self::OutRanked | Self::BadlyPlacedLesion | Self::SeenAsAnotherClass | Self::NeverSeen => {
                Outcome::MissedLesion
            }
        }
    }

    /// The place among [`Category::causes`]; `None` for a true positive.
    fn cause(self) -> Option<usize> {
        (self as usize).checked_sub(Self::Duplicate as usize)
    }
}

/// For each class, the score from which on its detections count; where it is `None`, none counts.
pub type ScoreThresholds = PerClass<Option<f32>>;

/// Whether a detection of that score counts.
fn counts(score: f32, threshold: Option<f32>) -> bool {
    threshold.is_some_and(|threshold| score >= threshold)
}

/// The score threshold of each class at its exact operating point (section 6) of a rate.
#[must_use]
pub fn operating_thresholds(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: f64,
) -> ScoreThresholds {
    ground_truth.per_class(|class| {
        let counts = counts_of(ground_truth, class);
        let verdicts = run.verdicts(class, counts.n_lesions, iou_threshold, Extent::PlusOne);
        let curve = Curve::new(run.ranking(class).shared_scores(), verdicts.hits());
        let points = exact::operating_points(&curve, counts, &[fp_per_image]);
        points.first().and_then(|point| point.score_threshold)
    })
}

/// The score threshold of all classes ranked together at their exact operating point of a rate: the same for each class.
#[must_use]
pub fn pooled_thresholds(
    ground_truth: &GroundTruth,
    run: &Run,
    iou_threshold: f64,
    fp_per_image: f64,
) -> ScoreThresholds {
    let counts = Counts { n_lesions: 0, n_images: ground_truth.n_images() };
    let curve = pooled_curve(ground_truth, run, iou_threshold);
    let points = exact::operating_points(&curve, counts, &[fp_per_image]);
    let threshold = points.first().and_then(|point| point.score_threshold);
    ground_truth.per_class(|_| threshold)
}

fn counts_of(ground_truth: &GroundTruth, class: Class) -> Counts {
    Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() }
}

/// What became of each detection and lesion of a run.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    iou_threshold: f32,
    /// Of each detection of the run; meaningless for a box without a class.
    categories: Vec<Category>,
    /// Of each class.
    lesions: PerClass<LesionsOfClass>,
    /// Whether the detections of each image were compared with its lesions.
    is_looked_at: Vec<bool>,
}

/// What became of the lesions of one class.
#[derive(Debug, Clone)]
struct LesionsOfClass {
    /// The score of the detection that finds each.
    found_at: Vec<Option<f32>>,
    /// Whether a detection of the class overlaps it by [`BADLY_PLACED`] at least.
    is_approached: Vec<bool>,
    /// Lesion by lesion, rising; of each lesion, class by class.
    seen: Vec<Seen>,
}

/// Detections of another class on a lesion.
#[derive(Debug, Clone, Copy)]
struct Seen {
    lesion: u32,
    by: Class,
    /// The highest of their scores.
    score: f32,
}

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
    /// Finds the category of each detection, and what is needed to tell that of each lesion at any score threshold.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, prepared: &Prepared, iou_threshold: f64) -> Self {
        let mut diagnosis = Self::begin(ground_truth, prepared, iou_threshold);
        diagnosis.look_at_all(ground_truth, prepared);
        diagnosis
    }

    /// Tells the detections that claim a lesion from the others; causes are known of the images that are looked at later.
    #[must_use]
    pub fn begin(ground_truth: &GroundTruth, prepared: &Prepared, iou_threshold: f64) -> Self {
        let detections = prepared.predictions.detections();
        let mut categories = vec![Category::Elsewhere; detections.len()];
        let lesions = ground_truth.per_class(|class| {
            let mut of_class = LesionsOfClass::new(ground_truth.n_lesions(class));
            let ranking = prepared.run.ranking(class);
            let verdicts = prepared.run.verdicts(class, of_class.found_at.len(), iou_threshold, Extent::PlusOne);
            for claim in verdicts.claims() {
                let rank = claim.rank as usize;
                let category = &mut categories[ranking.detections()[rank] as usize];
                if claim.is_duplicate {
                    *category = Category::Duplicate;
                } else {
                    *category = Category::TruePositive;
                    of_class.found_at[claim.lesion as usize] = Some(ranking.scores()[rank]);
                }
            }
            of_class
        });
        let is_looked_at = vec![false; ground_truth.n_images()];
        Self { iou_threshold: iou_threshold as f32, categories, lesions, is_looked_at }
    }

    /// Finds the causes in all images; counts are right from then on.
    pub fn look_at_all(&mut self, ground_truth: &GroundTruth, prepared: &Prepared) {
        self.look_at_images(ground_truth, prepared, 0..ground_truth.n_images());
    }

    /// Finds the causes in some images; images that there are not are passed over.
    pub fn look_at_images(
        &mut self,
        ground_truth: &GroundTruth,
        prepared: &Prepared,
        images: impl IntoIterator<Item = usize>,
    ) {
        for image in images {
            let is_new = self.is_looked_at.get_mut(image).is_some_and(|is_known| !replace(is_known, true));
            if is_new {
                self.look_at(ground_truth, prepared, image);
            }
        }
        // Images may have come in any order.
        for of_class in &mut self.lesions {
            of_class.seen = sorted(take(&mut of_class.seen), |a, b| a.lesion.cmp(&b.lesion));
        }
    }

    /// Compares the detections of an image with its lesions of all classes.
    fn look_at(&mut self, ground_truth: &GroundTruth, prepared: &Prepared, image: usize) {
        let here = lesions_of(ground_truth, image);
        let detections = prepared.predictions.detections();
        let mut seen = Vec::new();
        for at in prepared.run.detections(image) {
            let at = at as usize;
            let Some(class) = prepared.run.class(detections, at) else { continue };
            let bbox = detections.bbox(at);
            let mut own = 0.0_f32;
            let mut is_on_another = false;
            for &(of, lesion, there) in &here {
                // An overlap of 0/0 is none.
                let overlap = iou(bbox, there, Extent::PlusOne);
                if of == class {
                    own = own.max(overlap);
                    self.lesions[class].is_approached[lesion as usize] |= overlap >= BADLY_PLACED;
                } else if overlap >= self.iou_threshold {
                    is_on_another = true;
                    seen.push((of, Seen { lesion, by: class, score: detections.score(at) }));
                }
            }
            if self.categories[at] == Category::Elsewhere {
                self.categories[at] = match () {
                    () if own >= BADLY_PLACED => Category::BadlyPlaced,
                    () if is_on_another => Category::OnAnotherClass,
                    () if here.is_empty() => Category::LesionFreeImage,
                    () => Category::Elsewhere,
                };
            }
        }
        // One entry a lesion and class, the one of the highest score.
        let mut seen = sorted(seen, |(a_of, a), (b_of, b)| {
            (a_of, a.lesion, a.by).cmp(&(b_of, b.lesion, b.by)).then(b.score.total_cmp(&a.score))
        });
        seen.dedup_by_key(|(of, seen)| (*of, seen.lesion, seen.by));
        for (of, seen) in seen {
            self.lesions[of].seen.push(seen);
        }
    }

    /// The overlap from which on a detection finds a lesion.
    #[must_use]
    pub const fn iou_threshold(&self) -> f32 {
        self.iou_threshold
    }

    /// What a detection that has a class is, wherever it counts.
    #[must_use]
    pub fn detection(&self, at: usize) -> Category {
        self.categories[at]
    }

    /// What a lesion is at score thresholds: [`Category::TruePositive`] if a detection that counts finds it.
    #[must_use]
    pub fn lesion(&self, class: Class, lesion: usize, thresholds: &ScoreThresholds) -> Category {
        let of_class = &self.lesions[class];
        match of_class.found_at[lesion] {
            Some(score) if counts(score, thresholds[class]) => Category::TruePositive,
            Some(_) => Category::OutRanked,
            None if of_class.is_approached[lesion] => Category::BadlyPlacedLesion,
            None if self.seen_as(class, lesion, thresholds).next().is_some() => Category::SeenAsAnotherClass,
            None => Category::NeverSeen,
        }
    }

    /// The score of the detection that finds a lesion, whether it counts or not.
    #[must_use]
    pub fn found_at(&self, class: Class, lesion: usize) -> Option<f32> {
        self.lesions[class].found_at[lesion]
    }

    /// The other classes of which a detection counts on a lesion, rising.
    pub fn seen_as(&self, class: Class, lesion: usize, thresholds: &ScoreThresholds) -> impl Iterator<Item = Class> {
        let seen = &self.lesions[class].seen;
        let first = seen.partition_point(|seen| (seen.lesion as usize) < lesion);
        seen[first..]
            .iter()
            .take_while(move |seen| seen.lesion as usize == lesion)
            .filter(|seen| counts(seen.score, thresholds[seen.by]))
            .map(|seen| seen.by)
    }

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
            match self.categories[detection as usize].cause() {
                Some(cause) => causes[cause] += 1,
                None => true_positives += 1,
            }
        }
        for lesion in 0..ground_truth.n_lesions(class) {
            if let Some(cause) = self.lesion(class, lesion, thresholds).cause() {
                causes[cause] += 1;
            }
        }
        let false_positives = n_counted - true_positives;
        let of = counts_of(ground_truth, class);
        let within = |n: usize| match fp_per_image {
            Some(rate) => of.per_image(n as u64) <= rate,
            None => n <= false_positives,
        };
        let found = self.found_if_mended(run, class, n_counted, &causes, within);
        let recall = |found: usize| (of.n_lesions > 0).then(|| found as f64 / of.n_lesions as f64);
        Tally { true_positives, false_positives, causes, recall_if_mended: found.map(recall) }
    }

    /// The true positives at the lowest score threshold `within` the rate if each cause were mended.
    fn found_if_mended(
        &self,
        run: &Run,
        class: Class,
        n_counted: usize,
        causes: &[usize; 9],
        within: impl Fn(usize) -> bool,
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
            match self.categories[detection as usize].cause() {
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
                *is_open &= within(false_positives - left_out[at]);
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

    /// How many lesions of each class a detection of each class counts on, and how many of those are missed:
    /// `[lesions of][found as]`. On the diagonal are the lesions that are found.
    #[must_use]
    pub fn found_as(&self, thresholds: &ScoreThresholds) -> Vec<Vec<FoundAs>> {
        let n_classes = self.lesions.iter().len();
        let mut table = vec![vec![FoundAs::default(); n_classes]; n_classes];
        for (of, row) in (0..n_classes).map(Class::at).zip(&mut table) {
            let of_class = &self.lesions[of];
            let is_found = |lesion: usize| of_class.found_at[lesion].is_some_and(|score| counts(score, thresholds[of]));
            row[of.index()].count = (0..of_class.found_at.len()).filter(|lesion| is_found(*lesion)).count();
            for seen in &of_class.seen {
                if counts(seen.score, thresholds[seen.by]) {
                    row[seen.by.index()].count += 1;
                    row[seen.by.index()].missed += usize::from(!is_found(seen.lesion as usize));
                }
            }
        }
        table
    }
}

/// Lesions of a class on which detections of a class count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundAs {
    /// How many.
    pub count: usize,
    /// How many of them are missed by detections of their own class.
    pub missed: usize,
}

impl LesionsOfClass {
    fn new(n: usize) -> Self {
        Self { found_at: vec![None; n], is_approached: vec![false; n], seen: Vec::new() }
    }
}

/// The lesions of an image: their class, number among all of the class, and box; class by class.
#[must_use]
pub fn lesions_of(ground_truth: &GroundTruth, image: usize) -> Vec<(Class, u32, BBox)> {
    let mut here = Vec::new();
    for class in ground_truth.classes() {
        let (first, boxes) = ground_truth.lesions(class, image);
        here.extend(boxes.iter().zip(first..).map(|(bbox, lesion)| (class, lesion, *bbox)));
    }
    here
}
