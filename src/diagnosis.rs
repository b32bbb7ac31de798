//! Where the points go: what each false positive and each missed lesion is due to ([section 9](crate::metric)).
//!
//! What a detection is does not depend on a score threshold: a duplicate ranks below the detection that it repeats, so
//! wherever it counts, that one counts too. A threshold only decides which detections count. So a [`Diagnosis`] is made
//! once for a run, and read at any [`ScoreThresholds`] as fast as a slider moves.

mod category;
pub mod gallery;
mod tally;
mod thresholds;

use std::mem::replace;

use crate::dataset::GroundTruth;
use crate::geometry::{BBox, iou};
use crate::protocol::{Class, PerClass};
use crate::run::Prepared;

pub use self::category::{Category, Outcome};
pub use self::tally::Tally;
use self::thresholds::counts;
pub use self::thresholds::{ScoreThresholds, operating_thresholds, thresholds_at};

/// The least overlap at which a box is badly placed and not elsewhere, as in TIDE (Bolya et al., ECCV 2020).
pub const BADLY_PLACED: f32 = 0.1;

/// What became of each detection and lesion of a run.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    iou_threshold: f64,
    /// The least measure that finds a lesion.
    least: f32,
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
    /// The detection that finds each, by its number in the run, and its score.
    found_by: Vec<Option<(u32, f32)>>,
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

impl Diagnosis {
    /// Finds the category of each detection, and what is needed to tell that of each lesion at any score threshold.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, prepared: &Prepared, iou_threshold: f64) -> Self {
        let mut diagnosis = Self::begin(ground_truth, prepared, iou_threshold);
        diagnosis.look_at_all(ground_truth, prepared);
        diagnosis
    }

    /// Tells the detections that claim a lesion, or are ignored, from the others; causes are known of the images that are looked at later.
    #[must_use]
    pub fn begin(ground_truth: &GroundTruth, prepared: &Prepared, iou_threshold: f64) -> Self {
        let detections = prepared.predictions.detections();
        let mut categories = vec![Category::Elsewhere; detections.len()];
        let lesions = ground_truth.per_class(|class| {
            let mut of_class = LesionsOfClass::new(ground_truth.n_lesions(class));
            let ranking = prepared.run.ranking(class);
            let verdicts =
                prepared.run.verdicts(class, of_class.found_by.len(), iou_threshold, ground_truth.protocol().extent());
            for claim in verdicts.claims() {
                let rank = claim.rank as usize;
                let detection = ranking.detections()[rank];
                let category = &mut categories[detection as usize];
                if claim.is_duplicate {
                    *category = Category::Duplicate;
                } else {
                    *category = Category::TruePositive;
                    of_class.found_by[claim.lesion as usize] = Some((detection, ranking.scores()[rank]));
                }
            }
            for rank in verdicts.ignored() {
                categories[ranking.detections()[*rank as usize] as usize] = Category::Ignored;
            }
            of_class
        });
        let is_looked_at = vec![false; ground_truth.n_images()];
        let least = ground_truth.protocol().measure().least(iou_threshold);
        Self { iou_threshold, least, categories, lesions, is_looked_at }
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
            of_class.seen.sort_by_key(|seen| seen.lesion);
        }
    }

    /// Compares the detections of an image with its lesions of all classes.
    fn look_at(&mut self, ground_truth: &GroundTruth, prepared: &Prepared, image: usize) {
        let here: Vec<(Class, u32, BBox)> = ground_truth.lesions_in(image).collect();
        let detections = prepared.predictions.detections();
        let mut seen = Vec::new();
        for at in prepared.run.detections(image) {
            let at = at as usize;
            let Some(class) = prepared.run.class(detections, at) else { continue };
            let bbox = detections.bbox(at);
            let mut own = 0.0_f32;
            let mut is_on_another = false;
            for &(of, lesion, there) in &here {
                let protocol = ground_truth.protocol();
                // An overlap of 0/0 is none.
                let overlap = iou(bbox, there, protocol.extent());
                if of == class {
                    own = own.max(overlap);
                    self.lesions[class].is_approached[lesion as usize] |= overlap >= BADLY_PLACED;
                } else if protocol.measure().of(bbox, there, protocol.extent()) >= self.least {
                    is_on_another = true;
                    seen.push((of, Seen { lesion, by: class, score: detections.score(at) }));
                }
            }
            if self.categories[at] == Category::Elsewhere {
                self.categories[at] = match () {
                    () if own >= BADLY_PLACED => Category::BadlyPlaced,
                    () if is_on_another => Category::OnAnotherClass,
                    () if ground_truth.is_lesion_free(image) => Category::LesionFreeImage,
                    () => Category::Elsewhere,
                };
            }
        }
        // One entry a lesion and class, the one of the highest score.
        seen.sort_by(|(a_of, a), (b_of, b)| {
            (a_of, a.lesion, a.by).cmp(&(b_of, b.lesion, b.by)).then(b.score.total_cmp(&a.score))
        });
        seen.dedup_by_key(|(of, seen)| (*of, seen.lesion, seen.by));
        for (of, seen) in seen {
            self.lesions[of].seen.push(seen);
        }
    }

    /// The threshold from which on a detection finds a lesion.
    #[must_use]
    pub const fn iou_threshold(&self) -> f64 {
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
        match of_class.found_by[lesion] {
            Some((_, score)) if counts(score, thresholds[class]) => Category::TruePositive,
            Some(_) => Category::OutRanked,
            None if of_class.is_approached[lesion] => Category::BadlyPlacedLesion,
            None if self.is_seen_as_another(class, lesion, thresholds) => Category::SeenAsAnotherClass,
            None => Category::NeverSeen,
        }
    }

    /// The score of the detection that finds a lesion, whether it counts or not.
    #[must_use]
    pub fn found_at(&self, class: Class, lesion: usize) -> Option<f32> {
        self.lesions[class].found_by[lesion].map(|(_, score)| score)
    }

    /// The number in the run of the detection that finds a lesion, whether it counts or not.
    #[must_use]
    pub fn found_by(&self, class: Class, lesion: usize) -> Option<u32> {
        self.lesions[class].found_by[lesion].map(|(detection, _)| detection)
    }

    /// Whether a detection of another class counts on a lesion.
    fn is_seen_as_another(&self, class: Class, lesion: usize, thresholds: &ScoreThresholds) -> bool {
        let seen = &self.lesions[class].seen;
        let first = seen.partition_point(|seen| (seen.lesion as usize) < lesion);
        let mut of_lesion = seen[first..].iter().take_while(|seen| seen.lesion as usize == lesion);
        of_lesion.any(|seen| counts(seen.score, thresholds[seen.by]))
    }
}

impl LesionsOfClass {
    fn new(n: usize) -> Self {
        Self { found_by: vec![None; n], is_approached: vec![false; n], seen: Vec::new() }
    }
}
