//! Boxes in another layout or of another image size: the scale is estimated from boxes and lesions, not looked up, and a
//! reading is offered once it was scored.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Beside, Case, LEAST_BOXES, ON_PURPOSE, percent, sample, show, with};
use crate::curve::Staircase;
use crate::dataset::{GroundTruth, Predictions};
use crate::finding::{Finding, MAX_EXAMPLES, Remedy, Seen};
use crate::geometry::{BBox, Extent, FileBox, ImageSize, Measure, iou};
use crate::input::remedy::{apply, read_box, score_first};
use crate::options::Options;
use crate::reading::{Layout, Reading};
use crate::run::Run;
use crate::score::official::{self, Counts};

/// So many boxes tell a share to a percent or two; a dozen readings are tried on them.
const MOST_BOXES: usize = 3000;
/// Usual sizes of the input of a network, of other copies of the images, and of grids, in pixels.
const USUAL_SIDES: [f64; 20] = [
    1.0, 100.0, 224.0, 256.0, 299.0, 300.0, 320.0, 384.0, 416.0, 448.0, 512.0, 640.0, 768.0, 800.0, 896.0, 960.0,
    1000.0, 1333.0, 2048.0, 3000.0,
];
/// An estimated scale this near a usual one is that one, if it brings as many boxes onto lesions.
const USUAL_WITHIN: f64 = 0.005;
/// The width of a bar in the histogram of the logarithms of scales.
const BAR: f64 = 0.02;
/// A better reading has this many times the overlap of the first.
const LEAST_GAIN: f64 = 1.03;
/// The gain in overlap is this many times its standard error ...
const SURE: f64 = 6.0;
/// ... or this many, if nearly all boxes then lie on lesions.
const SURE_IF_NEARLY_ALL: f64 = 2.5;
/// Nearly all boxes.
const NEARLY_ALL: f64 = 0.8;
/// Boxes that were meant for lesions overlap them this much in the mean (a jittery detector 0.69); those that came upon them
/// by chance do not (0.45 at the most of 200 bad detectors).
const MEANT: f64 = 0.5;
/// The best reading has this many times the overlap that the best of another layout has.
const CLEAR: f64 = 1.1;

/// A way to read boxes that was tried.
#[derive(Debug, Clone, Copy)]
struct Trial {
    layout: Layout,
    score_first: bool,
    scale: f64,
}

/// What came of it.
struct Outcome {
    trial: Trial,
    /// The greatest overlap of each box with a lesion of its class, 0 if it is by chance.
    overlaps: Vec<f32>,
    sum: f64,
}

/// Five numbers as they stand, read as official boxes and scores are.
type Numbers = (FileBox, f64);

/// The numbers, and the lesions of the class in the image.
type Pair<'a> = (Numbers, &'a [BBox]);

impl Trial {
    fn read(self, (bbox, score): Numbers) -> FileBox {
        let bbox = if self.score_first { score_first(bbox, score).0 } else { bbox };
        read_box(bbox, self.layout, self.scale)
    }

    fn of(reading: &Reading) -> Self {
        Self { layout: reading.boxes, score_first: reading.score_first, scale: reading.scale }
    }

    fn outcome(self, pairs: &[Pair<'_>]) -> Outcome {
        let overlap = |(numbers, lesions): &Pair<'_>| {
            let bbox = self.read(*numbers).rounded();
            let best = lesions.iter().map(|lesion| iou(bbox, *lesion, Extent::PlusOne)).fold(0.0, f32::max);
            if (ON_PURPOSE..=1.0).contains(&best) { best } else { 0.0 }
        };
        let overlaps: Vec<f32> = pairs.iter().map(overlap).collect();
        let sum = overlaps.iter().map(|overlap| f64::from(*overlap)).sum();
        Outcome { trial: self, overlaps, sum }
    }

    /// The scales that bring the boxes onto lesions best: that which most pairs of boxes and lesions of one shape agree on,
    /// and a usual one nearby.
    fn scales(self, pairs: &[Pair<'_>]) -> Vec<f64> {
        let unscaled = Self { scale: 1.0, ..self };
        let fits = |(numbers, lesions): &Pair<'_>| {
            let bbox = unscaled.read(*numbers);
            lesions.iter().filter_map(move |lesion| fit(bbox, *lesion)).collect::<Vec<_>>()
        };
        let mut logs: Vec<f64> = pairs.iter().flat_map(fits).map(f64::ln).collect();
        logs.sort_by(f64::total_cmp);
        // The most within one bar, wherever it begins.
        let within = |from: usize| logs[from..].partition_point(|log| *log < logs[from] + BAR);
        let Some(first) = (0..logs.len()).max_by_key(|from| (within(*from), std::cmp::Reverse(*from))) else {
            return Vec::new();
        };
        let estimate = logs[first + within(first) / 2].exp();
        let usual = USUAL_SIDES.into_iter().map(|side| f64::from(ImageSize::CHESTX_DET.width) / side).chain([1.0]);
        let near = usual.filter(|usual| (estimate / usual - 1.0).abs() < USUAL_WITHIN);
        near.chain([rounded(estimate)]).collect()
    }
}

/// A number of four digits.
fn rounded(scale: f64) -> f64 {
    format!("{scale:.3e}").parse().unwrap_or(scale)
}

/// The scale that brings a box nearest to a lesion, if it is on it then.
fn fit(bbox: FileBox, lesion: BBox) -> Option<f64> {
    let lesion_numbers = [lesion.x1, lesion.y1, lesion.x2, lesion.y2].map(f64::from);
    let numbers = [bbox.x1, bbox.y1, bbox.x2, bbox.y2];
    let dot = |a: [f64; 4], b: [f64; 4]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = dot(numbers, lesion_numbers) / dot(numbers, numbers);
    let is_usable = scale.is_finite() && scale > 1e-4 && scale < 1e5 && bbox.x2 > bbox.x1 && bbox.y2 > bbox.y1;
    let scaled = read_box(bbox, Layout::Corners, scale).rounded();
    // What is well on it tells the scale well.
    (is_usable && iou(scaled, lesion, Extent::PlusOne) >= 0.5).then_some(scale)
}

/// Boxes in another layout, of another image size, with swapped corners, or after their score.
pub(super) fn boxes(case: Case<'_>, beside: &[Beside<'_>]) -> Option<Finding> {
    if !has_official_boxes(case.reading) || beside.len() < LEAST_BOXES {
        return None;
    }
    let step = beside.len().div_ceil(MOST_BOXES).max(1);
    let pairs: Vec<Pair<'_>> =
        beside.iter().step_by(step).map(|(bbox, score, lesions)| ((*bbox, *score), *lesions)).collect();
    let before = Trial::of(case.reading).outcome(&pairs);
    let after = best(&pairs, &before)?;
    let Outcome { trial, .. } = after;
    let reading = with(case.reading, |reading| {
        reading.boxes = trial.layout;
        reading.score_first = trial.score_first;
        reading.scale = trial.scale;
    });
    // The rest of the reading is applied already.
    let boxes =
        Reading { boxes: reading.boxes, score_first: reading.score_first, scale: reading.scale, ..Reading::default() };
    let (recall_before, recall_after) = (scored(case)?.recall, scored_read(case, &boxes)?.recall);
    if recall_after < recall_before
        || (recall_after <= recall_before && before.share() > 0.5 && after.share() < NEARLY_ALL)
    {
        return None;
    }
    let how = reading_of(&reading);
    let sentence = format!(
        "Read as x1, y1, x2, y2 in pixels, {} of the boxes lie on a lesion of their class, with a mean overlap of {}; read {how}, {} do, with {}, and the mean recall at 0.2 false positives per image is {} instead of {}.",
        percent(before.share()),
        percent(before.mean()),
        percent(after.share()),
        percent(after.mean()),
        percent(recall_after),
        percent(recall_before)
    );
    let code = if trial.layout == Layout::Corners && !trial.score_first { "other_image_size" } else { "box_layout" };
    Some(Finding {
        examples: first_boxes(case),
        remedy: Some(Remedy { label: format!("Read the boxes {how}"), reading }),
        ..super::seen_where(case, |_| true).finding(code, sentence, IN_PIXELS)
    })
}

/// How boxes are to be written.
const IN_PIXELS: &str = "Write boxes as [x1, y1, x2, y2, score], in pixels of the original image.";

fn first_boxes(case: Case<'_>) -> Vec<String> {
    let detections = case.predictions.detections();
    sample(case).take(MAX_EXAMPLES).map(|(_, at)| show(detections.bbox(at))).collect()
}

/// Boxes in a range of numbers that is not that of pixels, which no reading puts onto lesions.
pub(super) fn in_another_range(case: Case<'_>) -> Option<Finding> {
    /// Fractions and percent reach so far; a lesion of the ground truth reaches several times as far.
    const ENDS: [f64; 2] = [1.0, 100.0];
    const SEVERAL: f64 = 4.0;
    if !has_official_boxes(case.reading) {
        return None;
    }
    let detections = case.predictions.detections();
    let numbers = |at: usize| {
        let FileBox { x1, y1, x2, y2 } = detections.box_in_file(at);
        [x1, y1, x2, y2]
    };
    let (mut count, mut most) = (0, 0.0_f64);
    for (_, at) in sample(case) {
        count += 1;
        most = numbers(at).into_iter().fold(most, |most, number| most.max(number.abs()));
    }
    let truth = case.ground_truth;
    let lesions =
        (0..truth.n_images()).flat_map(|image| truth.classes().flat_map(move |class| truth.lesions(class, image).1));
    let furthest = f64::from(lesions.fold(0.0_f32, |most, lesion| most.max(lesion.x2).max(lesion.y2)));
    let end = ENDS.into_iter().find(|end| most <= *end).filter(|end| furthest > SEVERAL * end)?;
    let sentence = format!(
        "All numbers of the boxes lie within 0 to {end}, lesions reach {furthest} pixels, and no reading that was tried puts the boxes onto lesions."
    );
    (count >= LEAST_BOXES).then(|| {
        let mut seen = Seen::default();
        super::all(case).for_each(|(image, _)| seen.add(1, Some(image as u32), String::new));
        Finding { examples: first_boxes(case), ..seen.finding("boxes_in_another_range", sentence, IN_PIXELS) }
    })
}

fn has_official_boxes(reading: &Reading) -> bool {
    let official = Reading::default();
    reading.boxes == official.boxes && reading.score_first == official.score_first && reading.is_unscaled()
}

/// The best of all readings, if it is surely better than the first and clearly better than those of other layouts.
fn best(pairs: &[Pair<'_>], before: &Outcome) -> Option<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (layout, score_first) in [false, true].into_iter().flat_map(|first| Layout::ALL.map(|layout| (layout, first))) {
        let unscaled = Trial { layout, score_first, scale: 1.0 };
        let mut scales = vec![1.0];
        scales.extend(unscaled.scales(pairs));
        let tried = scales.into_iter().map(|scale| Trial { scale, ..unscaled }.outcome(pairs));
        // The first of those that do nearly as well: the plainest.
        let tried: Vec<Outcome> = tried.collect();
        let most = tried.iter().map(|outcome| outcome.sum).fold(0.0, f64::max);
        outcomes.extend(tried.into_iter().find(|outcome| outcome.sum >= 0.998 * most));
    }
    let most = outcomes.iter().map(|outcome| outcome.sum).fold(0.0, f64::max);
    let at = outcomes.iter().position(|outcome| outcome.sum >= 0.998 * most)?;
    let best = outcomes.swap_remove(at);
    let is_surely_better = best.sum >= LEAST_GAIN * before.sum
        && best.n_on() >= LEAST_BOXES
        && best.sum >= MEANT * best.n_on() as f64
        && best.certainty(before) >= if best.share() >= NEARLY_ALL { SURE_IF_NEARLY_ALL } else { SURE };
    // Readings that give the same boxes are no rivals.
    let is_rival = |other: &Outcome| other.sum * CLEAR > best.sum && other.overlaps != best.overlaps;
    let is_same_layout = |other: &Outcome| {
        other.trial.score_first == best.trial.score_first
            && (other.trial.layout == best.trial.layout
                || [other.trial.layout, best.trial.layout].iter().all(|layout| layout.is_corners()))
    };
    let is_clear = !outcomes.iter().any(|other| is_rival(other) && !is_same_layout(other));
    (is_surely_better && is_clear).then_some(best)
}

impl Outcome {
    /// How many boxes are on a lesion.
    fn n_on(&self) -> usize {
        self.overlaps.iter().filter(|overlap| **overlap > 0.0).count()
    }

    /// The share of boxes on a lesion.
    fn share(&self) -> f64 {
        self.n_on() as f64 / self.overlaps.len().max(1) as f64
    }

    /// The mean overlap of all boxes, where that by chance is 0.
    fn mean(&self) -> f64 {
        self.sum / self.overlaps.len().max(1) as f64
    }

    /// The gain in overlap over another, in standard errors.
    fn certainty(&self, before: &Self) -> f64 {
        let gains = || self.overlaps.iter().zip(&before.overlaps).map(|(after, before)| f64::from(after - before));
        gains().sum::<f64>() / gains().map(|gain| gain * gain).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
    }
}

/// What a run reaches by IoU, whatever the hit criterion is.
pub(super) struct Scored {
    /// The mean recall of the script's rules over the classes with lesions, at the greatest of the default rates.
    pub(super) recall: f64,
    /// Detections on lesions that a better one found: false positives.
    pub(super) second_boxes: usize,
}

impl Scored {
    fn new(ground_truth: &GroundTruth, run: &Run) -> Self {
        let options = Options::default();
        let (mut recalls, mut second_boxes) = (Vec::new(), 0);
        for class in ground_truth.classes().filter(|class| ground_truth.n_lesions(*class) > 0) {
            let n_lesions = ground_truth.n_lesions(class);
            let extent = ground_truth.protocol().extent();
            let verdicts = run.official_verdicts(class, n_lesions, options.iou_threshold(), extent);
            second_boxes += verdicts.claims().iter().filter(|claim| claim.is_duplicate).count();
            let (_, verdicts) = run.ranking(class).counted(verdicts);
            let counts = Counts { n_lesions, n_images: ground_truth.n_images() };
            let recall = official::recall(&Staircase::new(&verdicts), counts, options.fp_per_image());
            recalls.push(recall.last().copied().filter(|recall| recall.is_finite()).unwrap_or(0.0));
        }
        Self { recall: recalls.iter().sum::<f64>() / recalls.len().max(1) as f64, second_boxes }
    }
}

/// What the run reaches; `None` if it cannot be read anew, where the hit criterion is another.
pub(super) fn scored(case: Case<'_>) -> Option<Scored> {
    match case.ground_truth.protocol().measure() {
        Measure::Iou => Some(Scored::new(case.ground_truth, case.run)),
        _ => scored_read(case, &Reading::default()),
    }
}

/// What it reaches if what was read is read in another way on top of that; `None` if it cannot be.
pub(super) fn scored_read(case: Case<'_>, reading: &Reading) -> Option<Scored> {
    let predictions: Arc<Predictions> = apply(case.ground_truth, &Arc::new(case.predictions.clone()), reading).pop()?;
    let ground_truth = match case.ground_truth.protocol().measure() {
        Measure::Iou => Cow::Borrowed(case.ground_truth),
        _ => Cow::Owned(case.ground_truth.measured_by(Measure::Iou)),
    };
    Some(Scored::new(&ground_truth, &Run::new(&ground_truth, &predictions).ok()?))
}

fn reading_of(reading: &Reading) -> String {
    let layout = match reading.boxes {
        Layout::Corners => "as x1, y1, x2, y2",
        Layout::Xywh => "as x, y, width, height",
        Layout::AnyCorners => "with swapped corners put in order",
        Layout::Yxyx => "as y1, x1, y2, x2",
        Layout::Cxcywh => "as centre x, centre y, width, height",
        Layout::Xxyy => "as x1, x2, y1, y2",
    };
    let first = if reading.score_first { " after the score" } else { "" };
    let scale = if reading.is_unscaled() { String::new() } else { format!(", times {}", reading.scale) };
    format!("{layout}{first}{scale}")
}

/// Lesions of the ground truth whose second corner is not right of and below the first.
pub(super) fn inverted_lesions(case: Case<'_>) -> Option<Finding> {
    let truth = case.ground_truth;
    let mut seen = Seen::default();
    for (image, name) in truth.images().iter().enumerate() {
        for lesion in truth.classes().flat_map(|class| truth.lesions(class, image).1) {
            let is_inverted = lesion.x2 < lesion.x1 || lesion.y2 < lesion.y1;
            seen.add(is_inverted.into(), Some(image as u32), || format!("{} in {name}", show(*lesion)));
        }
    }
    let count = seen.count;
    let sentence = format!(
        "{count} of {} lesions of the ground truth {} x2 below x1 or y2 below y1, as if {} written as x, y, width, height.",
        truth.n_all_lesions(),
        if count == 1 { "has" } else { "have" },
        if count == 1 { "it were" } else { "they were" }
    );
    let fix = "Write the lesions as [x1, y1, x2, y2]: no detection in its place overlaps them.";
    (count > 0).then(|| seen.finding("inverted_lesions", sentence, fix))
}
