//! Which images to look at, and in what order.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::GroundTruth;
use crate::options::Options;
use crate::protocol::{Class, PerClass};
use crate::run::Prepared;
use crate::score::confusion::{Cell, each_cell};
use crate::score::quirks::QuirkId;
use crate::score::sizes::{Division, Limits, Size};

use super::thresholds::{counts, counts_of};
use super::{Category, Diagnosis, Outcome, ScoreThresholds};

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
    /// With a detection that counts, or a lesion, of this class; with one of those below, where it is about such.
    pub class: Option<Class>,
    /// And of one of these categories; of any, if there is none.
    pub categories: Vec<Category>,
    /// And of a score from here on; then lesions that no detection finds do not count.
    pub min_score: Option<f32>,
    /// And of a score up to here.
    pub max_score: Option<f32>,
    /// With no lesion of any class, or with one.
    pub lesion_free: Option<bool>,
    /// With a lesion or a detection of this cell of what lesions are found as.
    pub confusion: Option<Cell>,
    /// With a detection that one of these quirks touches, whether it counts or not, where the official script runs with
    /// these options.
    pub quirks: Option<(Vec<QuirkId>, Options)>,
    /// In which the finding of this id was seen, of the run or of the ground truth.
    pub finding: Option<String>,
    /// With a lesion of this third of its class.
    pub size: Option<Size>,
    /// One of these, told for each image; any, without.
    pub among: Option<Vec<bool>>,
    /// On which the run differs so from the other one, in the class if there is one; without another run, any.
    pub change: Option<Change>,
    /// With a name that holds this, in whatever case.
    pub search: String,
}

/// How a run differs from another one on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// In a lesion that one of them finds, or in the number of false positives of a class.
    Any,
    /// It finds a lesion that the other one misses.
    LesionGained,
    /// It misses a lesion that the other one finds.
    LesionLost,
    /// It finds more lesions.
    Better,
    /// It finds fewer lesions.
    Worse,
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
    /// The highest score, of the filter's class if there is one, whether it counts or not; images without any come last.
    HighestScore,
    /// Where two runs differ most: lesions that one of them finds, and the difference of false positives, class by class.
    Disagreement,
}

impl Filter {
    fn is_open(&self) -> bool {
        self.class.is_none() && self.takes_any_box()
    }

    /// Whether it depends on the causes of boxes which images pass, or come first in that order.
    #[must_use]
    pub fn asks_for_causes(&self, order: Order) -> bool {
        let is_open = self.takes_any_box() && self.quirks.is_none() && self.size.is_none() && self.change.is_none();
        !is_open || self.confusion.is_some() || !matches!(order, Order::File | Order::Name)
    }

    fn classes(&self, ground_truth: &GroundTruth) -> impl Iterator<Item = Class> {
        ground_truth.classes().filter(|class| self.class.is_none_or(|wanted| wanted == *class))
    }

    /// Whether any box will do, of the class if one is asked for: no category and no score.
    fn takes_any_box(&self) -> bool {
        self.categories.is_empty() && self.min_score.is_none() && self.max_score.is_none()
    }

    /// Whether the class says of which lesions and false positives a change is, and nothing more is asked.
    fn is_of_change_alone(&self) -> bool {
        self.change.is_some() && self.takes_any_box()
    }

    /// Of an ignored lesion that concerns every class, `class` is none.
    fn wants(&self, class: Option<Class>, category: Category, score: Option<f32>) -> bool {
        self.class.is_none_or(|wanted| class == Some(wanted))
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
    let wanted = Wanted::new(ground_truth, view, other, filter);
    let mut images: Vec<u32> = (0..ground_truth.n_images() as u32)
        .filter(|image| search.is_empty() || names[*image as usize].to_lowercase().contains(&search))
        .filter(|image| wanted.passes(*image as usize))
        .collect();
    let count = |outcome: Outcome| move |image: usize| tally(ground_truth, view, image, filter.class, outcome);
    match (order, other) {
        (Order::File, _) | (Order::Disagreement, None) => {}
        (Order::Name, _) => images.sort_by(|a, b| names[*a as usize].cmp(&names[*b as usize])),
        (Order::FalsePositives, _) => sort_falling(&mut images, &count(Outcome::FalsePositive)),
        (Order::MissedLesions, _) => sort_falling(&mut images, &count(Outcome::MissedLesion)),
        (Order::HighestScore, _) => by_highest_score(&mut images, view, filter.class),
        (Order::Disagreement, Some(other)) => {
            sort_falling(&mut images, &|image| disagreement(ground_truth, [view, other], filter.class, image));
        }
    }
    images
}

fn sort_falling(images: &mut [u32], key: &dyn Fn(usize) -> usize) {
    radsort::sort_by_cached_key(images, |image| u32::MAX - key(*image as usize) as u32);
}

fn by_highest_score(images: &mut [u32], view: Shown<'_>, class: Option<Class>) {
    let highest = |image: u32| {
        let scores = detections(view, image as usize).filter(|it| class.is_none_or(|class| class == it.1));
        scores.map(|(_, _, score)| score).reduce(f32::max)
    };
    let mut scored: Vec<(Option<f32>, u32)> = images.iter().map(|image| (highest(*image), *image)).collect();
    // Scores are finite, and `None` is below all of them.
    radsort::sort_by_key(&mut scored, |(score, _)| score.map_or(f32::INFINITY, |score| -score));
    images.iter_mut().zip(scored).for_each(|(image, (_, sorted))| *image = sorted);
}

/// The conditions for which something is found out once for all images.
struct Wanted<'a> {
    ground_truth: &'a GroundTruth,
    view: Shown<'a>,
    other: Option<Shown<'a>>,
    filter: &'a Filter,
    /// The detections that a quirk touches, rising.
    touched: Vec<u32>,
    /// The images of the finding, rising.
    seen: &'a [u32],
    /// Of each class.
    limits: PerClass<Limits>,
    /// Of each image, whether it has the cell that is asked for.
    has_cell: Vec<bool>,
    /// Of each image, whether it has a lesion or a detection that counts of the class that is asked for.
    has_class: Vec<bool>,
}

impl<'a> Wanted<'a> {
    fn new(ground_truth: &'a GroundTruth, view: Shown<'a>, other: Option<Shown<'a>>, filter: &'a Filter) -> Self {
        let mut touched = Vec::new();
        if let Some((quirks, options)) = &filter.quirks {
            for class in filter.classes(ground_truth) {
                let ranking = view.prepared.run.ranking(class);
                let counts = counts_of(ground_truth, class);
                let ranks = quirks.iter().flat_map(|quirk| quirk.touched(ranking, counts, options));
                touched.extend(ranks.map(|rank| ranking.detections()[rank as usize]));
            }
            radsort::sort(&mut touched);
        }
        let mut has_cell = Vec::new();
        if let Some(wanted) = filter.confusion {
            has_cell.resize(ground_truth.n_images(), false);
            let of_run = (&view.prepared.run, view.prepared.predictions.detections());
            each_cell(ground_truth, of_run, view.diagnosis.iou_threshold(), view.thresholds, |image, cell| {
                has_cell[image] |= cell == wanted;
            });
        }
        let limits = |_: Size| ground_truth.per_class(|class| Limits::new(ground_truth, class, Division::Thirds));
        let limits = filter.size.map(limits).unwrap_or_default();
        let mut findings = view.prepared.run.findings().iter().chain(ground_truth.findings());
        let found = filter.finding.as_ref().and_then(|id| findings.find(|finding| finding.id() == *id));
        let seen = found.map(|finding| finding.images.as_slice()).unwrap_or_default();
        let has_class = filter.class.map(|class| images_of(ground_truth, view, class)).unwrap_or_default();
        Self { ground_truth, view, other, filter, touched, seen, limits, has_cell, has_class }
    }

    fn passes(&self, image: usize) -> bool {
        let Self { view, filter, .. } = self;
        let wants = |(class, category, score): Item| filter.wants(Some(class), category, score);
        let is_touched = |at: u32| self.touched.binary_search(&at).is_ok();
        let is_seen = filter.finding.is_none() || self.seen.binary_search(&(image as u32)).is_ok();
        is_seen
            && self.is_among(image)
            && self.has_boxes(image)
            && (filter.confusion.is_none() || self.has_cell[image])
            && (filter.quirks.is_none()
                || detections(*view, image)
                    .filter(|(at, ..)| is_touched(*at))
                    .any(|(at, class, score)| wants((class, view.diagnosis.detection(at as usize), Some(score)))))
            && filter.size.is_none_or(|size| self.lesions_of_size(size, image).any(wants))
            && filter.change.is_none_or(|change| self.other.is_none_or(|other| self.is_changed(change, other, image)))
    }

    fn is_among(&self, image: usize) -> bool {
        let Self { ground_truth, filter, .. } = self;
        let among = filter.among.as_ref();
        among.is_none_or(|among| among.get(image).is_some_and(|is_wanted| *is_wanted))
            && filter.lesion_free.is_none_or(|wanted| wanted == ground_truth.is_lesion_free(image))
    }

    /// Whether it has a lesion or a detection that is asked for, where nothing else says which are.
    fn has_boxes(&self, image: usize) -> bool {
        let Self { ground_truth, view, filter, .. } = self;
        // What has its own detections or lesions has asked them.
        let is_about_others = filter.quirks.is_some() || filter.size.is_some();
        if is_about_others || filter.is_open() || filter.is_of_change_alone() {
            return true;
        }
        let wants = |(class, category, score): Item| filter.wants(Some(class), category, score);
        let wants_ignored = || {
            let mut ignored = ground_truth.ignored_in(image).iter();
            ignored.any(|lesion| filter.wants(lesion.class, Category::Ignored, None))
        };
        self.has_class.get(image).is_none_or(|has_class| *has_class)
            && (filter.takes_any_box() || items(ground_truth, *view, image).any(wants) || wants_ignored())
    }

    fn lesions_of_size(&self, size: Size, image: usize) -> impl Iterator<Item = Item> {
        let boxes = self.ground_truth.classes().flat_map(move |class| self.ground_truth.lesions(class, image).1);
        let lesions = lesions(self.ground_truth, self.view, image).zip(boxes);
        let is_of_size = move |lesion: &(Item, &_)| self.limits[lesion.0.0].size(*lesion.1) == size;
        lesions.filter(is_of_size).map(|(lesion, _)| lesion)
    }

    fn is_changed(&self, change: Change, other: Shown<'_>, image: usize) -> bool {
        let class = self.filter.class;
        if change == Change::Any {
            return disagreement(self.ground_truth, [self.view, other], class, image) > 0;
        }
        let [here, there] = [self.view, other].map(|view| {
            let lesions = lesions(self.ground_truth, view, image).filter(|it| class.is_none_or(|class| class == it.0));
            lesions.map(|(_, category, _)| category == Category::TruePositive).collect::<Vec<_>>()
        });
        let found = |found: &[bool]| found.iter().filter(|found| **found).count();
        let mut pairs = here.iter().zip(&there);
        match change {
            Change::Any => true,
            Change::LesionGained => pairs.any(|(here, there)| *here && !there),
            Change::LesionLost => pairs.any(|(here, there)| !here && *there),
            Change::Better => found(&here) > found(&there),
            Change::Worse => found(&here) < found(&there),
        }
    }
}

/// Of each image, whether it has a lesion of a class or a detection of it that counts.
fn images_of(ground_truth: &GroundTruth, view: Shown<'_>, class: Class) -> Vec<bool> {
    let run = &view.prepared.run;
    let is_it = |image: usize| {
        let is_ignored = || ground_truth.ignored_in(image).iter().any(|lesion| lesion.class == Some(class));
        !ground_truth.lesions(class, image).1.is_empty() || is_ignored()
    };
    let mut has_class: Vec<bool> = (0..ground_truth.n_images()).map(is_it).collect();
    let n_counted = run.ranking(class).scores().partition_point(|score| counts(*score, view.thresholds[class]));
    for image in run.images(class).into_iter().take(n_counted) {
        has_class[image as usize] = true;
    }
    has_class
}

/// Class, category and score.
type Item = (Class, Category, Option<f32>);

/// Number, class and score of each detection of an image.
fn detections(view: Shown<'_>, image: usize) -> impl Iterator<Item = (u32, Class, f32)> {
    let detections = view.prepared.predictions.detections();
    let of =
        move |at: u32| Some((at, view.prepared.run.class(detections, at as usize)?, detections.score(at as usize)));
    view.prepared.run.detections(image).filter_map(of)
}

/// Class, category and score of each detection that counts and of each lesion of an image; a found lesion has the score
/// of the detection that finds it.
fn items<'a>(ground_truth: &'a GroundTruth, view: Shown<'a>, image: usize) -> impl Iterator<Item = Item> + 'a {
    let counted = detections(view, image)
        .filter(move |(_, class, score)| counts(*score, view.thresholds[*class]))
        .map(move |(at, class, score)| (class, view.diagnosis.detection(at as usize), Some(score)));
    counted.chain(lesions(ground_truth, view, image))
}

fn lesions<'a>(ground_truth: &'a GroundTruth, view: Shown<'a>, image: usize) -> impl Iterator<Item = Item> + 'a {
    ground_truth.classes().flat_map(move |class| {
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
        let mut false_positives = ground_truth.per_class(|_| 0_usize);
        for (of, category, _) in items(ground_truth, view, image) {
            if is_of(of) && category.outcome() == Outcome::FalsePositive {
                false_positives[of] += 1;
            }
        }
        false_positives
    });
    differ + a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).sum::<usize>()
}
