//! Which images to look at, and in what order.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::{CLASSES, Class, GroundTruth};
use crate::order::sorted;
use crate::run::Prepared;

use super::{Category, Diagnosis, Outcome, ScoreThresholds, counts};

/// A run as it is shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The run.
    pub prepared: &'a Prepared,
    /// What became of its detections and lesions.
    pub diagnosis: &'a Diagnosis,
    /// Which of its detections count.
    pub thresholds: &'a ScoreThresholds,
}

/// Which images are wanted: all those that meet every condition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// With a detection that counts, or a lesion, of this class.
    pub class: Option<Class>,
    /// And of one of these categories; of any, if there is none.
    pub categories: Vec<Category>,
    /// And of a score from here on; then lesions that no detection finds do not count.
    pub min_score: Option<f32>,
    /// And of a score up to here.
    pub max_score: Option<f32>,
    /// With no lesion of any class, or with one.
    pub lesion_free: Option<bool>,
    /// With a lesion of the first class on which a detection of the second counts.
    pub found_as: Option<(Class, Class)>,
    /// With a name that holds this, in whatever case.
    pub search: String,
}

/// What comes first; equal ones stay in the order of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The order of the ground truth.
    #[default]
    File,
    /// By name.
    Name,
    /// Most false positives that count, of the filter's class if there is one.
    FalsePositives,
    /// Most missed lesions, of the filter's class if there is one.
    MissedLesions,
    /// Where two runs differ most: lesions that one of them finds, and the difference of false positives, class by class.
    Disagreement,
}

impl Filter {
    fn is_open(&self) -> bool {
        self.class.is_none() && self.categories.is_empty() && self.min_score.is_none() && self.max_score.is_none()
    }

    /// Whether it depends on the boxes which images pass, or come first in that order.
    #[must_use]
    pub fn asks_for_boxes(&self, order: Order) -> bool {
        !self.is_open() || self.found_as.is_some() || !matches!(order, Order::File | Order::Name)
    }

    fn wants(&self, class: Class, category: Category, score: Option<f32>) -> bool {
        self.class.is_none_or(|wanted| wanted == class)
            && (self.categories.is_empty() || self.categories.contains(&category))
            && self.min_score.is_none_or(|least| score.is_some_and(|score| score >= least))
            && self.max_score.is_none_or(|most| score.is_some_and(|score| score <= most))
    }
}

/// The numbers of the images that pass the filter, in order. Without an `other` view, [`Order::Disagreement`] is
/// [`Order::File`].
#[must_use]
pub fn images(
    ground_truth: &GroundTruth,
    view: Shown<'_>,
    other: Option<Shown<'_>>,
    filter: &Filter,
    order: Order,
) -> Vec<u32> {
    let search = filter.search.trim().to_lowercase();
    let names = ground_truth.images();
    let mut images: Vec<u32> = (0..ground_truth.n_images() as u32)
        .filter(|image| search.is_empty() || names[*image as usize].to_lowercase().contains(&search))
        .filter(|image| passes(ground_truth, view, filter, *image as usize))
        .collect();
    let count = |outcome: Outcome| move |image: usize| tally(ground_truth, view, image, filter.class, outcome);
    match (order, other) {
        (Order::File, _) | (Order::Disagreement, None) => {}
        (Order::Name, _) => return sorted(images, |a, b| names[*a as usize].cmp(&names[*b as usize])),
        (Order::FalsePositives, _) => sort_falling(&mut images, &count(Outcome::FalsePositive)),
        (Order::MissedLesions, _) => sort_falling(&mut images, &count(Outcome::MissedLesion)),
        (Order::Disagreement, Some(other)) => {
            sort_falling(&mut images, &|image| disagreement(ground_truth, [view, other], filter.class, image));
        }
    }
    images
}

fn sort_falling(images: &mut [u32], key: &dyn Fn(usize) -> usize) {
    radsort::sort_by_cached_key(images, |image| u32::MAX - key(*image as usize) as u32);
}

fn passes(ground_truth: &GroundTruth, view: Shown<'_>, filter: &Filter, image: usize) -> bool {
    if let Some(wanted) = filter.lesion_free {
        let is_free = Class::all().all(|class| ground_truth.lesions(class, image).1.is_empty());
        if is_free != wanted {
            return false;
        }
    }
    if let Some((of, by)) = filter.found_as {
        let (first, boxes) = ground_truth.lesions(of, image);
        let is_found_as = |lesion: usize| {
            if of == by {
                view.diagnosis.lesion(of, lesion, view.thresholds) == Category::TruePositive
            } else {
                view.diagnosis.seen_as(of, lesion, view.thresholds).any(|class| class == by)
            }
        };
        if !(first as usize..first as usize + boxes.len()).any(is_found_as) {
            return false;
        }
    }
    filter.is_open()
        || items(ground_truth, view, image).any(|(class, category, score)| filter.wants(class, category, score))
}

/// Class, category and score of each detection that counts and of each lesion of an image; a found lesion has the score
/// of the detection that finds it.
fn items<'a>(
    ground_truth: &'a GroundTruth,
    view: Shown<'a>,
    image: usize,
) -> impl Iterator<Item = (Class, Category, Option<f32>)> + 'a {
    let detections = view.prepared.predictions.detections();
    let counted = view.prepared.run.detections(image).filter_map(move |at| {
        let class = detections.class(at as usize)?;
        let score = detections.score(at as usize);
        counts(score, view.thresholds[class.index()])
            .then(|| (class, view.diagnosis.detection(at as usize), Some(score)))
    });
    counted.chain(lesions(ground_truth, view, image))
}

fn lesions<'a>(
    ground_truth: &'a GroundTruth,
    view: Shown<'a>,
    image: usize,
) -> impl Iterator<Item = (Class, Category, Option<f32>)> + 'a {
    Class::all().flat_map(move |class| {
        let (first, boxes) = ground_truth.lesions(class, image);
        (first as usize..first as usize + boxes.len()).map(move |lesion| {
            let category = view.diagnosis.lesion(class, lesion, view.thresholds);
            (class, category, view.diagnosis.found_at(class, lesion))
        })
    })
}

/// Items of an outcome, of one class or of all.
fn tally(ground_truth: &GroundTruth, view: Shown<'_>, image: usize, class: Option<Class>, outcome: Outcome) -> usize {
    items(ground_truth, view, image)
        .filter(|(of, category, _)| class.is_none_or(|class| class == *of) && category.outcome() == outcome)
        .count()
}

fn disagreement(ground_truth: &GroundTruth, views: [Shown<'_>; 2], class: Option<Class>, image: usize) -> usize {
    let is_of = |of: Class| class.is_none_or(|class| class == of);
    let [a, b] = views.map(|view| lesions(ground_truth, view, image));
    let is_found = |category: Category| category == Category::TruePositive;
    let differ = a.zip(b).filter(|(a, b)| is_of(a.0) && is_found(a.1) != is_found(b.1)).count();
    let [a, b] = views.map(|view| {
        let mut false_positives = [0_usize; CLASSES.len()];
        for (of, category, _) in items(ground_truth, view, image) {
            if is_of(of) && category.outcome() == Outcome::FalsePositive {
                false_positives[of.index()] += 1;
            }
        }
        false_positives
    });
    differ + a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).sum::<usize>()
}
