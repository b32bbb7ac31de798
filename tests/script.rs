//! The official score against the script's own steps, on thousands of random datasets.
//!
//! What `eval.py` of ChestX-Det10 (commit c535e9a) does one step after the other, NaN included, is written down here anew: its
//! loop over the ranked boxes with its comparisons as they stand, its running counts, and `scipy.interpolate.interp1d` with
//! `fill_value="extrapolate"`; no closed form, and no code of the crate. Both order equal scores by a stable ascending sort,
//! reversed (the script's own sort is unstable there).
//!
//! `SCRIPT_DATASETS=200000 cargo test script` looks at more datasets, `SCRIPT_SEED=7` at others.
#![allow(clippy::float_cmp, clippy::cast_possible_truncation)]

use std::collections::BTreeMap;
use std::env;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use froc::convert::{Target, convert};
use froc::dataset::{Detections, Lesion, PredictionFile};
use froc::geometry::BBox;
use froc::protocol::{CHESTX_DET10, Class, Protocol};
use froc::reading::{Layout, Scale};
use froc::{GroundTruth, Options, Predictions, Reading, Run};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One class of a dataset: for each image its lesions, and its detections as `[x1, y1, x2, y2, score]`.
#[derive(Debug, Clone, Default)]
struct OneClass {
    lesions: Vec<Vec<[f32; 4]>>,
    detections: Vec<Vec<[f32; 5]>>,
}

#[derive(Debug, Clone)]
struct Dataset {
    n_images: usize,
    classes: Vec<OneClass>,
    rates: Vec<f64>,
    iou_threshold: f64,
}

/// The overlaps of a box with the lesions of its image, step by step in `f32` as NumPy does.
fn overlaps(a: [f32; 5], lesions: &[[f32; 4]]) -> Vec<f32> {
    // np.maximum and np.minimum; neither argument is NaN.
    let max = |a: f32, b: f32| if a > b { a } else { b };
    let min = |a: f32, b: f32| if a < b { a } else { b };
    let one = |b: &[f32; 4]| {
        let (x1, y1) = (max(b[0], a[0]), max(b[1], a[1]));
        let (x2, y2) = (min(b[2], a[2]), min(b[3], a[3]));
        let (width, height) = (max(x2 - x1 + 1.0, 0.0), max(y2 - y1 + 1.0, 0.0));
        let inter = width * height;
        let union = (a[2] - a[0] + 1.0) * (a[3] - a[1] + 1.0) + (b[2] - b[0] + 1.0) * (b[3] - b[1] + 1.0) - inter;
        inter / union
    };
    lesions.iter().map(one).collect()
}

/// `ndarray.max` and `numpy.argmax`: NaN is greater than all, and the first of equals counts.
fn greatest(values: &[f32]) -> usize {
    let mut at = 0;
    for (other, value) in values.iter().enumerate() {
        if !values[at].is_nan() && (value.is_nan() || *value > values[at]) {
            at = other;
        }
    }
    at
}

/// The running counts of true and false positives, by falling score.
fn counted(class: &OneClass, iou_threshold: f32) -> (Vec<f64>, Vec<f64>) {
    let listed: Vec<(usize, [f32; 5])> = class
        .detections
        .iter()
        .enumerate()
        .flat_map(|(image, detections)| detections.iter().map(move |detection| (image, *detection)))
        .collect();
    let mut order: Vec<usize> = (0..listed.len()).collect();
    order.sort_by(|a, b| listed[*a].1[4].partial_cmp(&listed[*b].1[4]).expect("finite scores"));
    order.reverse();
    let mut found: Vec<Vec<bool>> = class.lesions.iter().map(|lesions| vec![false; lesions.len()]).collect();
    let (mut n_found, mut n_missed) = (0.0, 0.0);
    let (mut true_positives, mut false_positives) = (Vec::new(), Vec::new());
    for at in order {
        let (image, detection) = listed[at];
        let overlaps = overlaps(detection, &class.lesions[image]);
        if overlaps.is_empty() {
            n_missed += 1.0;
        } else {
            let best = greatest(&overlaps);
            // Each comparison with NaN is false.
            if overlaps[best] < iou_threshold {
                n_missed += 1.0;
            } else if overlaps[best] >= iou_threshold && !found[image][best] {
                found[image][best] = true;
                n_found += 1.0;
            } else if overlaps[best] >= iou_threshold && found[image][best] {
                n_missed += 1.0;
            }
        }
        true_positives.push(n_found);
        false_positives.push(n_missed);
    }
    (true_positives, false_positives)
}

/// `interp1d(x, y, fill_value="extrapolate")(at)`: `x` does not fall.
fn interpolated(x: &[f64], y: &[f64], at: f64) -> f64 {
    let above = x.iter().filter(|x| **x < at).count().clamp(1, x.len() - 1);
    let below = above - 1;
    let slope = (y[above] - y[below]) / (x[above] - x[below]);
    slope * (at - x[below]) + y[below]
}

/// What the script adds to the mean recall at each rate for one class.
fn recall(class: &OneClass, n_images: usize, rates: &[f64], iou_threshold: f32) -> Vec<f64> {
    let n_lesions: usize = class.lesions.iter().map(Vec::len).sum();
    let (true_positives, false_positives) = counted(class, iou_threshold);
    let mut y: Vec<f64> = true_positives.iter().map(|n| n / n_lesions as f64).collect();
    let mut x: Vec<f64> = false_positives.iter().map(|n| n / n_images as f64).collect();
    let answers = match (x.last().copied(), y.last().copied()) {
        (Some(0.0), Some(1.0)) => vec![1.0],
        (Some(reached), Some(_)) => {
            if x.len() == 1 {
                x.insert(0, 0.0);
                y.insert(0, 0.0);
            }
            let is_beyond = rates.last().is_some_and(|rate| *rate < reached);
            let end =
                if is_beyond { rates.len() } else { rates.iter().position(|rate| *rate >= reached).expect("one is") };
            let asked: Vec<f64> = rates[..end].iter().copied().chain([reached]).collect();
            if reached == 0.0 {
                vec![true_positives.last().expect("a detection") / n_lesions as f64; asked.len()]
            } else {
                asked.iter().map(|rate| interpolated(&x, &y, *rate)).collect()
            }
        }
        _ => vec![0.0],
    };
    let last = *answers.last().expect("at least one");
    (0..rates.len()).map(|at| answers.get(at).copied().unwrap_or(last)).collect()
}

/// Numbers to draw from, the same for a seed everywhere.
struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n
    }

    fn is(&mut self, one_in: u32) -> bool {
        self.below(one_in) == 0
    }

    fn of<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len() as u32) as usize]
    }

    /// In 0..1.
    fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    fn coordinate(&mut self, side: u32) -> f32 {
        match self.below(60) {
            0 => -(self.unit() as f32) * 50.0,
            1 => self.of(&[-0.0, 0.0, f32::from_bits(1), -f32::from_bits(7), f32::MIN_POSITIVE]),
            2 => self.of(&[1e18, -1e18, 3e18, 16_777_216.0, 16_777_217.0]),
            3..15 => (self.unit() * f64::from(side)) as f32,
            _ => self.below(side) as f32,
        }
    }

    /// Four corners; some boxes are inverted, some have no area, some are one pixel wide.
    fn bbox(&mut self, side: u32) -> [f32; 4] {
        let (x1, y1) = (self.coordinate(side), self.coordinate(side));
        let length = |draw: &mut Self| draw.below(side / 2 + 2) as f32 * if draw.is(12) { 0.3 } else { 1.0 };
        let (mut x2, mut y2) = (x1 + length(self), y1 + length(self));
        match self.below(24) {
            0 => (x2, y2) = (self.coordinate(side), self.coordinate(side)),
            1 => x2 = x1 - 1.0,
            2 => y2 = y1 - 1.0,
            3 => return [x2, y1, x1, y2],
            4 => return [x1, y2, x2, y1],
            5 => return [x2, y2, x1, y1],
            _ => {}
        }
        [x1, y1, x2, y2]
    }

    fn score(&mut self) -> f32 {
        match self.below(16) {
            0 => self.of(&[0.0, -0.0, 1.0, -1.0, 2.5, -3e38, 3e38, f32::from_bits(1)]),
            1..5 => self.below(8) as f32 / 8.0,
            _ => (self.unit() * 1.4 - 0.2) as f32,
        }
    }
}

/// A box that the program takes: one whose area is finite in `f32`.
fn is_taken(b: [f32; 4]) -> bool {
    ((b[2] - b[0] + 1.0) * (b[3] - b[1] + 1.0)).is_finite()
}

fn dataset(draw: &mut Draw) -> Dataset {
    let n_images = 1 + if draw.is(4) { draw.below(100) } else { draw.below(24) } as usize;
    let side = draw.of(&[4, 8, 12, 40, 1024]);
    let n_classes = 1 + draw.below(3) as usize;
    let mut classes =
        vec![OneClass { lesions: vec![Vec::new(); n_images], detections: vec![Vec::new(); n_images] }; 10];
    // Some classes have no lesions, some no detections; a detection often lies where a lesion does.
    let [most_lesions, most_detections] = [draw.of(&[1, 1, 2, 4]), draw.of(&[1, 2, 3, 6])];
    for _ in 0..n_classes {
        let class = &mut classes[draw.below(10) as usize];
        for image in 0..n_images {
            for _ in 0..draw.below(most_lesions + 1) {
                let lesion = draw.bbox(side);
                if is_taken(lesion) {
                    class.lesions[image].push(lesion);
                }
            }
            for _ in 0..draw.below(most_detections + 1) {
                let mut bbox = draw.bbox(side);
                if let (false, Some(lesion)) = (draw.is(3), class.lesions[image].first()) {
                    bbox = *lesion;
                    match draw.below(6) {
                        0 => bbox[0] += 1.0,
                        1 => bbox[2] -= draw.below(side / 2 + 1) as f32,
                        2 => bbox.swap(0, 2),
                        3 => bbox[3] = bbox[1] + draw.below(side) as f32,
                        _ => {}
                    }
                }
                if is_taken(bbox) {
                    class.detections[image].push([bbox[0], bbox[1], bbox[2], bbox[3], draw.score()]);
                }
            }
        }
    }
    let n_rates = 1 + draw.below(7) as usize;
    let mut rates: Vec<f64> = if draw.is(3) {
        vec![0.05, 0.1, 0.2]
    } else {
        let whole = |draw: &mut Draw| f64::from(1 + draw.below(9)) / n_images as f64;
        (0..n_rates).map(|_| if draw.is(2) { whole(draw) } else { 0.001 + draw.unit() * 2.0 }).collect()
    };
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let iou_threshold = if draw.is(2) { 0.5 } else { f64::from(10 + draw.below(91)) / 100.0 };
    Dataset { n_images, classes, rates, iou_threshold }
}

/// The files of a dataset.
fn files_of(dataset: &Dataset) -> (GroundTruth, Predictions) {
    let images: Vec<String> = (0..dataset.n_images).map(|image| format!("{image}.png")).collect();
    let mut lesions = Vec::new();
    let mut detections = Detections::default();
    let mut files = Vec::new();
    for image in 0..dataset.n_images {
        let first = detections.len() as u32;
        for (class, name) in dataset.classes.iter().zip(CHESTX_DET10) {
            let at = CHESTX_DET10.iter().position(|other| *other == name).expect("a class");
            for [x1, y1, x2, y2] in &class.lesions[image] {
                let bbox = BBox { x1: *x1, y1: *y1, x2: *x2, y2: *y2 };
                lesions.push(Lesion { image: image as u32, class: Class::at(at), bbox: bbox.into() });
            }
            for [x1, y1, x2, y2, score] in &class.detections[image] {
                detections.push_named(name, BBox { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, *score);
            }
        }
        files.push(PredictionFile::new(format!("{image}.json"), first..detections.len() as u32));
    }
    let truth = GroundTruth::new("test.json", String::new(), Protocol::default(), images, &lesions, Vec::new())
        .expect("images");
    (truth, Predictions::new("model.zip", files, detections))
}

/// The official recall of each class, and its means, as the program has them.
fn ours(dataset: &Dataset, truth: &GroundTruth, run: &Run) -> froc::report::RunReport {
    let options = Options::new(dataset.iou_threshold, dataset.rates.clone()).expect("options in range");
    froc::evaluate(truth, &[run], &options).runs.remove(0)
}

/// Equal to the last bit; a number that is not finite is null in the report.
fn is_same(ours: Option<f64>, script: f64) -> bool {
    match ours {
        Some(ours) => ours.to_bits() == script.to_bits() || (ours == 0.0 && script == 0.0),
        None => !script.is_finite(),
    }
}

#[test]
fn the_official_score_is_that_of_the_scripts_steps() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let n_datasets = number("SCRIPT_DATASETS").unwrap_or(12_000);
    let seed = number("SCRIPT_SEED").unwrap_or(1);
    let mut n_nothing = 0;
    let (mut n_undefined, mut n_between) = (0, 0);
    for number in 0..n_datasets {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(number);
        let dataset = dataset(&mut Draw(generator));
        let (truth, predictions) = files_of(&dataset);
        let run = ours(&dataset, &truth, &Run::new(&truth, &predictions).expect("a run"));
        n_nothing += u64::from(run.official.quirks.iter().any(|quirk| quirk.id == "Q11"));
        let script: Vec<Vec<f64>> = dataset
            .classes
            .iter()
            .map(|class| recall(class, dataset.n_images, &dataset.rates, dataset.iou_threshold as f32))
            .collect();
        let mut average = 0.0;
        for rate in 0..dataset.rates.len() {
            let mut sum = 0.0;
            for ((ours, script), class) in run.classes.iter().zip(&script).zip(&dataset.classes) {
                let (ours, script) = (ours.official.recall[rate], script[rate]);
                assert!(
                    is_same(ours, script),
                    "seed {seed}, dataset {number}, {rate}: {ours:?}, the script has {script}\n{class:?}\n{:?}",
                    dataset.rates
                );
                sum += script;
                n_undefined += u64::from(!script.is_finite());
                n_between += u64::from(script > 0.0 && script < 1.0);
            }
            let mean = sum / 10.0;
            average += mean;
            assert!(is_same(run.official.recall[rate], mean), "seed {seed}, dataset {number}: mean at {rate}");
        }
        let average = average / dataset.rates.len() as f64;
        assert!(is_same(run.official.average_recall, average), "seed {seed}, dataset {number}: average");
    }
    // What the comparison is about does occur.
    let least = n_datasets / 100;
    assert!(
        n_nothing > least && n_undefined > least && n_between > n_datasets,
        "{n_nothing} {n_undefined} {n_between}"
    );
}

/// The detections of each class as Python reads the zip: one file for each image, entry after entry.
fn unpacked(zip: &[u8], dataset: &Dataset) -> Vec<OneClass> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut classes = dataset.classes.clone();
    for class in &mut classes {
        class.detections = vec![Vec::new(); dataset.n_images];
    }
    for image in 0..dataset.n_images {
        let file = zip.by_name(&format!("{image}.json")).expect("a file for each image");
        let entries: Vec<BTreeMap<String, [f64; 5]>> = serde_json::from_reader(file).expect("a list of entries");
        for (name, numbers) in entries.iter().flatten() {
            let at = CHESTX_DET10.iter().position(|class| class == name).expect("a class of the script");
            classes[at].detections[image].push(numbers.map(|number| number as f32));
        }
    }
    classes
}

/// Whatever the files were, and however they were read: the script prints of the converted zip what was shown before.
#[test]
fn the_script_gives_a_converted_zip_the_number_that_was_shown() {
    let xywh = Reading { boxes: Layout::Xywh, ..Reading::default() };
    let scaled = Reading {
        boxes: Layout::AnyCorners,
        scale: Scale::Each([1.0 / 3.0, 0.5]),
        offset: [7.25, -3.5],
        ..Reading::default()
    };
    let score_first = Reading { score_first: true, boxes: Layout::Cxcywh, ..Reading::default() };
    let readings = [Reading::default(), xywh, scaled, score_first];
    let mut n_found = 0;
    for number in 0..1_000_u64 {
        let mut generator = ChaCha8Rng::seed_from_u64(2);
        generator.set_stream(number);
        let dataset = dataset(&mut Draw(generator));
        let (truth, predictions) = files_of(&dataset);
        let reading = &readings[number as usize % readings.len()];
        // Read otherwise, the area of a huge box may overflow: a sentence, and no score.
        let Ok(runs) = froc::prepare(&truth, &Arc::new(predictions), reading) else { continue };
        let shown = ours(&dataset, &truth, &runs[0].run);
        let mut zip = Vec::new();
        let written = convert(&truth, &runs[0], Target::ChestxDet, &mut zip).expect("names of files");
        let n_detections = written.expect("memory").n_detections;
        assert_eq!(n_detections, shown.classes.iter().map(|class| class.n_detections).sum::<usize>());
        for (class, ours) in unpacked(&zip, &dataset).iter().zip(&shown.classes) {
            let script = recall(class, dataset.n_images, &dataset.rates, dataset.iou_threshold as f32);
            for (ours, script) in ours.official.recall.iter().zip(script) {
                assert!(is_same(*ours, script), "dataset {number}, {reading:?}: {ours:?}, the script has {script}");
                n_found += u32::from(script > 0.0);
            }
        }
        let again = froc::read_predictions("model.zip", Cursor::new(zip), &mut |_| ControlFlow::Continue(()));
        let again = ours(&dataset, &truth, &Run::new(&truth, &again.expect("a zip")).expect("a run"));
        assert_eq!(again.official.recall, shown.official.recall, "dataset {number}");
    }
    assert!(n_found > 1_000, "{n_found} numbers above 0");
}
