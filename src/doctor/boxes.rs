//! Boxes in another layout, of another image size or another origin: scale and offset are estimated from boxes and lesions,
//! across and down, not looked up, and a reading is offered once it was scored.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Beside, Case, LEAST_BOXES, ON_PURPOSE, percent, sample, show, with};
use crate::curve::Staircase;
use crate::dataset::{GroundTruth, Predictions};
use crate::finding::{Finding, MAX_EXAMPLES, Remedy, Seen};
use crate::geometry::{BBox, Extent, FileBox, ImageSize, Measure, iou};
use crate::input::remedy::{apply, read_box, score_first};
use crate::options::Options;
use crate::reading::{Layout, Reading, Scale, shifts_nothing};
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
/// The same for one axis alone, where a jittery box agrees less with its lesion; in widths of a lesion for offsets.
const WIDE_BAR: f64 = 0.2;
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
/// Fewer inverted lesions than one in so many are mistakes of their own.
const FEW_INVERTED: usize = 10;
/// The best reading has this many times the overlap that the best of another layout has.
const CLEAR: f64 = 1.1;

/// A way to read boxes that was tried.
#[derive(Debug, Clone, Copy)]
struct Trial {
    layout: Layout,
    score_first: bool,
    /// Across and down, as are offsets.
    scale: [f64; 2],
    offset: [f64; 2],
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
        read_box(bbox, self.layout, self.scale, self.offset)
    }

    fn of(reading: &Reading) -> Self {
        let (scale, offset) = (reading.scale.xy(), reading.offset);
        Self { layout: reading.boxes, score_first: reading.score_first, scale, offset }
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

    /// How many numbers of it are estimates.
    fn n_numbers(self) -> usize {
        let [x, y] = self.scale;
        let scales = if x.total_cmp(&y).is_ne() { 2 } else { usize::from(x.total_cmp(&1.0).is_ne()) };
        scales + if shifts_nothing(&self.offset) { 0 } else { 2 }
    }

    /// The scales and offsets that bring the boxes onto lesions best, the plainest first.
    fn moved(self, pairs: &[Pair<'_>]) -> Vec<Self> {
        let same = self.scales(pairs).into_iter().map(|scale| Self { scale: [scale; 2], ..self });
        let mut trials: Vec<Self> = [self].into_iter().chain(same).collect();
        trials.extend(self.fitted(pairs));
        trials
    }

    /// The scales that bring the boxes onto lesions best: that which most pairs of boxes and lesions of one shape agree on,
    /// and a usual one nearby.
    fn scales(self, pairs: &[Pair<'_>]) -> Vec<f64> {
        let fits = |(numbers, lesions): &Pair<'_>| {
            let bbox = self.read(*numbers);
            lesions.iter().filter_map(move |lesion| fit(bbox, *lesion)).collect::<Vec<_>>()
        };
        let logs: Vec<f64> = pairs.iter().flat_map(fits).map(f64::ln).collect();
        let Some(estimate) = mode(logs, BAR).map(f64::exp) else { return Vec::new() };
        usual(estimate).into_iter().chain([rounded(estimate)]).collect()
    }

    /// Where boxes are scaled differently across and down, or shifted: of no offset, of one scale, and of neither.
    fn fitted(self, pairs: &[Pair<'_>]) -> Vec<Self> {
        let boxes: Vec<(FileBox, BBox)> = pairs
            .iter()
            .flat_map(|(numbers, lesions)| lesions.iter().map(|lesion| (self.read(*numbers), *lesion)))
            .filter(|(bbox, lesion)| is_box(*bbox) && is_box(FileBox::from(*lesion)))
            .collect();
        let Some(first) = first_guess(&boxes) else { return Vec::new() };
        let places = [Line::through_origin, Line::new];
        let [origin, free] = places.map(|line| refined(&boxes, first, line));
        let trial = |[across, down]: [Line; 2], is_one_scale: bool| {
            let [x, y] =
                [across.scale, down.scale].map(|scale| usual(scale).first().copied().unwrap_or(rounded(scale)));
            let both = f64::midpoint(across.scale, down.scale);
            let both = usual(both).first().copied().unwrap_or(rounded(both));
            let scale = if is_one_scale { [both; 2] } else { [x, y] };
            // The middle of the boxes stays where it is, whatever the scale is rounded to.
            let offset = [(across, scale[0]), (down, scale[1])]
                .map(|(line, scale)| (line.offset + (line.scale - scale) * line.middle).round());
            Self { scale, offset, ..self }
        };
        let origin = origin.map(|lines| Self { offset: [0.0; 2], ..trial(lines, false) });
        let free = free.map(|lines| [trial(lines, true), trial(lines, false)]);
        origin.into_iter().chain(free.into_iter().flatten()).collect()
    }
}

/// Where the numbers of a box lie along one axis on those of its lesion: times `scale`, plus `offset`.
#[derive(Debug, Clone, Copy)]
struct Line {
    scale: f64,
    offset: f64,
    /// The mean of the boxes' numbers.
    middle: f64,
}

impl Line {
    /// The line by least squares of the boxes, whose numbers are the uncertain ones, on the lesions; `None` if it falls or is flat.
    fn new(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len() as f64;
        let [of_boxes, of_lesions] =
            points.iter().fold([0.0; 2], |[x, y], (bbox, lesion)| [x + bbox / n, y + lesion / n]);
        let sums = points.iter().fold([0.0; 2], |[both, lesions], (bbox, lesion)| {
            let away = lesion - of_lesions;
            [both + (bbox - of_boxes) * away, lesions + away * away]
        });
        let scale = sums[1] / sums[0];
        (scale.is_finite() && scale > 0.0).then_some(Self {
            scale,
            offset: of_lesions - scale * of_boxes,
            middle: of_boxes,
        })
    }

    /// The same without an offset.
    fn through_origin(points: &[(f64, f64)]) -> Option<Self> {
        let sums = points.iter().fold([0.0; 3], |[both, lesions, boxes], (bbox, lesion)| {
            [both + bbox * lesion, lesions + lesion * lesion, boxes + bbox]
        });
        let scale = sums[1] / sums[0];
        (scale.is_finite() && scale > 0.0).then_some(Self { scale, offset: 0.0, middle: sums[2] / points.len() as f64 })
    }
}

/// What most pairs of boxes and lesions agree on: first their widths and heights, then their centres.
fn first_guess(boxes: &[(FileBox, BBox)]) -> Option<[Line; 2]> {
    let axis = |across: bool| {
        let ends = |(bbox, lesion): &(FileBox, BBox)| {
            let lesion = FileBox::from(*lesion);
            if across {
                [[bbox.x1, bbox.x2], [lesion.x1, lesion.x2]]
            } else {
                [[bbox.y1, bbox.y2], [lesion.y1, lesion.y2]]
            }
        };
        let ratio = |[bbox, lesion]: [[f64; 2]; 2]| ((lesion[1] - lesion[0]) / (bbox[1] - bbox[0])).ln();
        let log = mode(boxes.iter().map(ends).map(ratio).collect(), WIDE_BAR)?;
        let of_one_size = boxes.iter().map(ends).filter(|ends| (ratio(*ends) - log).abs() < WIDE_BAR);
        // Offsets are counted in widths of lesions, or wide ones would need a bar of their own.
        let offsets = of_one_size.map(|[bbox, lesion]| (lesion[0] + lesion[1] - log.exp() * (bbox[0] + bbox[1])) / 2.0);
        let mut widths: Vec<f64> = boxes.iter().map(ends).map(|[_, lesion]| lesion[1] - lesion[0]).collect();
        widths.sort_by(f64::total_cmp);
        let offset = mode(offsets.collect(), WIDE_BAR * widths[widths.len() / 2])?;
        Some(Line { scale: log.exp(), offset, middle: 0.0 })
    };
    Some([axis(true)?, axis(false)?])
}

/// Lines through the pairs that lie on each other by the lines before, a few times.
fn refined(
    boxes: &[(FileBox, BBox)],
    first: [Line; 2],
    line: impl Fn(&[(f64, f64)]) -> Option<Line>,
) -> Option<[Line; 2]> {
    const TIMES: usize = 5;
    let mut lines = first;
    for _ in 0..TIMES {
        let [across, down] = lines;
        let (scale, offset) = ([across.scale, down.scale], [across.offset, down.offset]);
        let is_on = |(bbox, lesion): &&(FileBox, BBox)| {
            iou(read_box(*bbox, Layout::Corners, scale, offset).rounded(), *lesion, Extent::PlusOne) >= 0.5
        };
        let on: Vec<(FileBox, FileBox)> =
            boxes.iter().filter(is_on).map(|(bbox, lesion)| (*bbox, FileBox::from(*lesion))).collect();
        if on.len() < LEAST_BOXES {
            return None;
        }
        let points = |numbers: fn(FileBox) -> [f64; 2]| {
            on.iter().flat_map(|(bbox, lesion)| numbers(*bbox).into_iter().zip(numbers(*lesion))).collect::<Vec<_>>()
        };
        lines = [line(&points(|bbox| [bbox.x1, bbox.x2]))?, line(&points(|bbox| [bbox.y1, bbox.y2]))?];
    }
    Some(lines)
}

/// Where most numbers lie within one bar of a histogram, wherever the bar begins: their median.
fn mode(mut numbers: Vec<f64>, bar: f64) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let within = |from: usize| numbers[from..].partition_point(|number| *number < numbers[from] + bar);
    let first = (0..numbers.len()).max_by_key(|from| (within(*from), std::cmp::Reverse(*from)))?;
    Some(numbers[first + within(first) / 2])
}

/// Usual scales near an estimated one.
fn usual(estimate: f64) -> Vec<f64> {
    let usual = USUAL_SIDES.into_iter().map(|side| f64::from(ImageSize::CHESTX_DET.width) / side).chain([1.0]);
    usual.filter(|usual| (estimate / usual - 1.0).abs() < USUAL_WITHIN).collect()
}

/// Whether its second corner is right of and below the first, and all of it finite.
fn is_box(bbox: FileBox) -> bool {
    bbox.x2 > bbox.x1 && bbox.y2 > bbox.y1 && bbox.rounded().area(Extent::PlusOne).is_finite()
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
    let scaled = read_box(bbox, Layout::Corners, [scale; 2], [0.0; 2]).rounded();
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
        let [x, y] = trial.scale;
        reading.scale = if x.total_cmp(&y).is_eq() { Scale::Same(x) } else { Scale::Each([x, y]) };
        reading.offset = trial.offset;
    });
    // The rest of the reading is applied already.
    let Reading { boxes, score_first, scale, offset, .. } = reading;
    let boxes = Reading { boxes, score_first, scale, offset, ..Reading::default() };
    let (recall_before, recall_after) = (scored(case)?.recall, scored_read(case, &boxes)?.recall);
    if recall_after < recall_before || (recall_after <= recall_before && before.share() > 0.5) {
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

/// The place of the plainest of those that do nearly as well as the best: one scale at most, unless more numbers gain much.
fn plainest(outcomes: &[Outcome]) -> Option<usize> {
    let most = |n_numbers: usize| {
        let plain = outcomes.iter().filter(|outcome| outcome.trial.n_numbers() <= n_numbers);
        plain.map(|outcome| outcome.sum).fold(0.0, f64::max)
    };
    let n_numbers = if LEAST_GAIN * most(1) >= most(usize::MAX) { 1 } else { usize::MAX };
    let is_it =
        |at: &usize| outcomes[*at].trial.n_numbers() <= n_numbers && outcomes[*at].sum >= 0.998 * most(n_numbers);
    (0..outcomes.len()).filter(is_it).min_by_key(|at| outcomes[*at].trial.n_numbers())
}

/// The best of all readings, if it is surely better than the first and clearly better than those of other layouts.
fn best(pairs: &[Pair<'_>], before: &Outcome) -> Option<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (layout, score_first) in [false, true].into_iter().flat_map(|first| Layout::ALL.map(|layout| (layout, first))) {
        let unscaled = Trial { layout, score_first, scale: [1.0; 2], offset: [0.0; 2] };
        let mut tried: Vec<Outcome> = unscaled.moved(pairs).into_iter().map(|trial| trial.outcome(pairs)).collect();
        outcomes.extend(plainest(&tried).map(|at| tried.swap_remove(at)));
    }
    let at = plainest(&outcomes)?;
    let best = outcomes.swap_remove(at);
    let is_surely_better = best.sum >= LEAST_GAIN * before.sum
        && best.n_on() >= LEAST_BOXES
        && best.sum >= MEANT * best.n_on() as f64
        && best.certainty(before) >= if best.share() >= NEARLY_ALL { SURE_IF_NEARLY_ALL } else { SURE };
    // Readings that give the same boxes are no rivals, nor are those that take more numbers for it.
    let is_rival = |other: &Outcome| {
        other.sum * CLEAR > best.sum
            && other.overlaps != best.overlaps
            && other.trial.n_numbers() <= best.trial.n_numbers()
    };
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
    let times = match reading.scale {
        scale if scale.is_one() => String::new(),
        Scale::Each([x, y]) => format!(", times {x} across and {y} down"),
        Scale::Same(scale) => format!(", times {scale}"),
    };
    let [x, y] = reading.offset;
    let shifted =
        if shifts_nothing(&reading.offset) { String::new() } else { format!(", shifted by {x} across and {y} down") };
    format!("{layout}{first}{times}{shifted}")
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
    let (count, all) = (seen.count, truth.n_all_lesions());
    let have = if count == 1 { "has" } else { "have" };
    let sentence = format!("{count} of {all} lesions of the ground truth {have} x2 below x1 or y2 below y1");
    // A whole file in another layout has many.
    let (why, fix) = if count * FEW_INVERTED >= all {
        let were = if count == 1 { "it were" } else { "they were" };
        let fix = "Write the lesions as [x1, y1, x2, y2]: no detection in its place overlaps them.";
        (format!(", as if {were} written as x, y, width, height."), fix)
    } else {
        (", a negative width or height.".to_owned(), "Mend these boxes: no detection in its place overlaps them.")
    };
    let sentence = sentence + &why;
    (count > 0).then(|| seen.finding("inverted_lesions", sentence, fix))
}
