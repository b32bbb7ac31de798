//! Where the points go, against section 9 of the specification written out as plain loops, on random small datasets.
#![allow(clippy::float_cmp)]

use crate::oracle::reference;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use froc::diagnosis::gallery::{self, Filter, Order, Shown};
use froc::diagnosis::{Category, Diagnosis, Outcome, ScoreThresholds, operating_thresholds};
use froc::protocol::Protocol;
use froc::render::errors::{self, ErrorsFormat};
use froc::report::diagnosis::DiagnosisReport;
use froc::report::image::ImageReport;
use froc::score::confusion::{Cell, On};
use froc::{GroundTruth, Options, Prepared, Reading};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::oracle::datasets::{Case, case};
use crate::oracle::reference::{Detection, Point, Undefined, Verdict, exact, iou, points, rank, verdicts};
use crate::support::{CLASSES, is_long, read_ground_truth, read_predictions, same_cases_every_time, score};

/// One class of a dataset, matched.
struct Matched {
    /// By falling score.
    ranked: Vec<Detection>,
    verdicts: Vec<Verdict>,
    /// Of each image.
    lesions: Vec<Vec<[f32; 4]>>,
    threshold: Option<f32>,
}

impl Matched {
    fn scores(&self) -> Vec<f32> {
        self.ranked.iter().map(|detection| detection.score).collect()
    }

    fn hits(&self) -> Vec<bool> {
        self.verdicts.iter().map(|verdict| verdict.is_true_positive()).collect()
    }

    fn n_lesions(&self) -> usize {
        self.lesions.iter().map(Vec::len).sum()
    }

    fn counts(&self, score: f32) -> bool {
        self.threshold.is_some_and(|threshold| score >= threshold)
    }

    /// The score of the detection that finds a lesion.
    fn found_at(&self, image: usize, lesion: usize) -> Option<f32> {
        let at = self.verdicts.iter().position(|verdict| *verdict == Verdict::Found(image, lesion))?;
        Some(self.ranked[at].score)
    }
}

/// What a lesion or detection is on, and the names of the classes of both.
type CellNames = (On, Option<String>, Option<String>);

/// A dataset as section 9 looks at it.
struct Oracle {
    classes: Vec<Matched>,
    n_images: usize,
    iou_threshold: f32,
}

impl Oracle {
    fn new(case: &Case) -> Self {
        let classes = (0..CLASSES.len()).map(|class| {
            let detections = reference::detections_of(&case.dataset, class);
            let lesions = reference::lesions_of(&case.dataset, class);
            let ranking = rank(&detections);
            let verdicts = verdicts(&detections, &ranking, &lesions, case.iou_threshold, 1.0, Undefined::IsZero);
            let ranked = ranking.iter().map(|at| detections[*at]).collect();
            Matched { ranked, verdicts, lesions, threshold: None }
        });
        Self {
            classes: classes.collect(),
            n_images: case.dataset.images.len(),
            iou_threshold: case.iou_threshold as f32,
        }
    }

    /// Reads every class at its exact operating point.
    fn at_rate(mut self, rate: f64) -> Self {
        for class in &mut self.classes {
            class.threshold = exact(&points(&class.scores(), &class.hits()), self.n_images, rate).threshold;
        }
        self
    }

    fn detection(&self, class: usize, at: usize) -> Category {
        let matched = &self.classes[class];
        let Detection { image, bbox, .. } = matched.ranked[at];
        let own = || matched.lesions[image].iter().enumerate().map(|(lesion, there)| (lesion, iou(bbox, *there, 1.0)));
        let is_found = |lesion: usize| matched.verdicts[..at].contains(&Verdict::Found(image, lesion));
        // Decision: with an overlap of 0/0 a detection finds nothing (section 3), so it is no second box either; what
        // its other overlaps reach says whether it is badly placed.
        let is_undefined = own().any(|(_, overlap)| overlap.is_nan());
        let others = (0..CLASSES.len()).filter(|other| *other != class);
        if matched.verdicts[at].is_true_positive() {
            Category::TruePositive
        } else if !is_undefined && own().any(|(lesion, overlap)| overlap >= self.iou_threshold && is_found(lesion)) {
            Category::Duplicate
        // Decision: badly placed on a lesion of its class, found or not: which detection finds it says nothing of where
        // this one stands.
        } else if own().any(|(_, overlap)| overlap >= 0.1) {
            Category::BadlyPlaced
        } else if others
            .clone()
            .any(|other| self.classes[other].lesions[image].iter().any(|it| iou(bbox, *it, 1.0) >= self.iou_threshold))
        {
            Category::OnAnotherClass
        } else if self.classes.iter().any(|class| !class.lesions[image].is_empty()) {
            Category::Elsewhere
        } else {
            Category::LesionFreeImage
        }
    }

    fn lesion(&self, class: usize, image: usize, lesion: usize) -> Category {
        let matched = &self.classes[class];
        let bbox = matched.lesions[image][lesion];
        let here = |class: &Matched| class.ranked.iter().copied().filter(|it| it.image == image).collect::<Vec<_>>();
        match matched.found_at(image, lesion) {
            Some(score) if matched.counts(score) => Category::TruePositive,
            Some(_) => Category::OutRanked,
            None if here(matched).iter().any(|it| iou(it.bbox, bbox, 1.0) >= 0.1) => Category::BadlyPlacedLesion,
            None if (0..CLASSES.len()).any(|other| other != class && self.is_seen_as(image, bbox, other)) => {
                Category::SeenAsAnotherClass
            }
            None => Category::NeverSeen,
        }
    }

    fn is_seen_as(&self, image: usize, bbox: [f32; 4], class: usize) -> bool {
        let matched = &self.classes[class];
        let mut here = matched.ranked.iter().filter(|it| it.image == image && matched.counts(it.score));
        here.any(|it| iou(it.bbox, bbox, 1.0) >= self.iou_threshold)
    }

    /// All lesions of a class: image, and place among the image's.
    fn lesions(&self, class: usize) -> Vec<(usize, usize)> {
        let images = self.classes[class].lesions.iter().enumerate();
        images.flat_map(|(image, lesions)| (0..lesions.len()).map(move |lesion| (image, lesion))).collect()
    }

    fn missed(&self, class: usize) -> Vec<(usize, usize, Category)> {
        let all =
            self.lesions(class).into_iter().map(|(image, lesion)| (image, lesion, self.lesion(class, image, lesion)));
        all.filter(|(_, _, category)| *category != Category::TruePositive).collect()
    }

    /// The image and the cell of each lesion and each detection that counts, as section 16 says it.
    fn cells(&self) -> Vec<(usize, CellNames)> {
        let mut all = Vec::new();
        for image in 0..self.n_images {
            // Class and box; and what each is found as.
            let mut lesions: Vec<(usize, [f32; 4], Option<usize>)> = Vec::new();
            // Class, box, score, and what each is on.
            let mut left: Vec<(usize, [f32; 4], f32, On)> = Vec::new();
            for (class, matched) in self.classes.iter().enumerate() {
                for (lesion, bbox) in matched.lesions[image].iter().enumerate() {
                    let is_found = matched.found_at(image, lesion).is_some_and(|score| matched.counts(score));
                    lesions.push((class, *bbox, is_found.then_some(class)));
                }
                let here = matched.ranked.iter().zip(&matched.verdicts).filter(|(it, _)| it.image == image);
                let shown = here.filter(|(it, verdict)| matched.counts(it.score) && !verdict.is_true_positive());
                // Of equal scores the one listed later is ranked first.
                left.extend(shown.rev().map(|(it, _)| (class, it.bbox, it.score, On::Background)));
            }
            let overlap = |a: [f32; 4], b: [f32; 4]| iou(a, b, 1.0);
            for (_, bbox, _, on) in &mut left {
                if lesions.iter().any(|(_, there, _)| overlap(*bbox, *there) >= self.iou_threshold) {
                    *on = On::TakenLesion;
                }
            }
            loop {
                let mut best: Option<(f32, f32, usize, usize)> = None;
                for (detection, (class, bbox, score, on)) in left.iter().enumerate() {
                    for (lesion, (of, there, found_as)) in lesions.iter().enumerate() {
                        let overlap = overlap(*bbox, *there);
                        let is_free = *on == On::TakenLesion && found_as.is_none() && of != class;
                        let is_better = |(most, highest, ..): (f32, f32, usize, usize)| {
                            overlap > most || (overlap == most && *score > highest)
                        };
                        if is_free && overlap >= self.iou_threshold && best.is_none_or(is_better) {
                            best = Some((overlap, *score, detection, lesion));
                        }
                    }
                }
                let Some((.., detection, lesion)) = best else { break };
                left[detection].3 = On::Lesion;
                lesions[lesion].2 = Some(left[detection].0);
            }
            let name = |class: usize| Some(CLASSES[class].to_owned());
            all.extend(lesions.iter().map(|(of, _, by)| (image, (On::Lesion, name(*of), by.and_then(name)))));
            let others = left.iter().filter(|it| it.3 != On::Lesion);
            all.extend(others.map(|(by, _, _, on)| (image, (*on, None, name(*by)))));
        }
        all
    }

    /// Scores a class again at a rate, with one cause mended.
    fn mended(&self, class: usize, category: Category, rate: f64) -> Point {
        let matched = &self.classes[class];
        let (scores, hits) = (matched.scores(), matched.hits());
        let mut above = 0;
        let is_left_out: Vec<bool> = if category.outcome() == Outcome::FalsePositive {
            (0..scores.len()).map(|at| matched.counts(scores[at]) && self.detection(class, at) == category).collect()
        } else {
            let missed = self.missed(class).into_iter().filter(|(_, _, why)| *why == category);
            let mended: BTreeSet<(usize, usize)> = missed.map(|(image, lesion, _)| (image, lesion)).collect();
            above = mended.len();
            // Those that a detection finds are found by it, above all scores now.
            let is_moved = |verdict: &Verdict| match verdict {
                Verdict::Found(image, lesion) => mended.contains(&(*image, *lesion)),
                _ => false,
            };
            matched.verdicts.iter().map(is_moved).collect()
        };
        let kept = (0..scores.len()).filter(|at| !is_left_out[*at]).map(|at| (scores[at], hits[at]));
        let (scores, hits): (Vec<f32>, Vec<bool>) = vec![(f32::INFINITY, true); above].into_iter().chain(kept).unzip();
        exact(&points(&scores, &hits), self.n_images, rate)
    }
}

/// The core's reading of the same files.
struct Core {
    ground_truth: GroundTruth,
    prepared: Prepared,
    diagnosis: Diagnosis,
}

impl Core {
    fn new(case: &Case) -> Self {
        let ground_truth = read_ground_truth(&case.dataset.ground_truth()).expect("a ground truth in order");
        let predictions = read_predictions(&case.dataset.predictions()).expect("a zip in order");
        let prepared = froc::prepare(&ground_truth, &predictions.into(), &Reading::default());
        let prepared = prepared.map_err(|refusal| refusal.errors).expect("files in order").remove(0);
        let diagnosis = Diagnosis::new(&ground_truth, &prepared, case.iou_threshold);
        // Image by image from the last one, some of them twice, and then all.
        let mut later = Diagnosis::begin(&ground_truth, &prepared, case.iou_threshold);
        for image in (0..ground_truth.n_images()).rev().step_by(2).chain([0, usize::MAX]) {
            later.look_at_images(&ground_truth, &prepared, [image, image]);
        }
        later.look_at_all(&ground_truth, &prepared);
        assert_eq!(
            format!("{later:?}"),
            format!("{diagnosis:?}"),
            "the order in which images are looked at changes nothing"
        );
        Self { ground_truth, prepared, diagnosis }
    }

    fn report(&self, thresholds: &ScoreThresholds, rate: Option<f64>) -> DiagnosisReport {
        DiagnosisReport::new(&self.ground_truth, &self.prepared, &self.diagnosis, thresholds, rate)
    }

    fn image(&self, thresholds: &ScoreThresholds, image: usize) -> ImageReport {
        ImageReport::new(&self.ground_truth, &self.prepared, &self.diagnosis, thresholds, image as u32)
    }
}

/// How often each category was met.
static SEEN: std::sync::Mutex<BTreeMap<String, u32>> = std::sync::Mutex::new(BTreeMap::new());

fn check(core: &Core, oracle: &Oracle, thresholds: &ScoreThresholds, rate: Option<f64>) -> Result<(), TestCaseError> {
    let report = core.report(thresholds, rate);
    let images: Vec<ImageReport> = (0..oracle.n_images).map(|image| core.image(thresholds, image)).collect();
    for (class, name) in CLASSES.iter().enumerate() {
        let matched = &oracle.classes[class];
        // Every detection and every lesion, with its category.
        let mut expected = Vec::new();
        for (at, it) in matched.ranked.iter().enumerate() {
            expected.push(format!(
                "{} {:?} {:?} {} {:?}",
                it.image,
                it.bbox,
                it.score + 0.0,
                matched.counts(it.score),
                oracle.detection(class, at)
            ));
        }
        for (image, lesion) in oracle.lesions(class) {
            expected.push(format!(
                "{image} {:?} {:?}",
                matched.lesions[image][lesion],
                oracle.lesion(class, image, lesion)
            ));
        }
        let mut told = Vec::new();
        for (at, image) in images.iter().enumerate() {
            for it in image.detections.iter().filter(|it| it.class == *name) {
                told.push(format!("{at} {:?} {:?} {} {:?}", it.bbox, it.score + 0.0, it.counted, it.category));
            }
            for it in image.lesions.iter().filter(|it| it.class == *name) {
                told.push(format!("{at} {:?} {:?}", it.bbox, it.category));
            }
        }
        expected.sort();
        told.sort();
        prop_assert_eq!(&told, &expected, "{}", name);

        // The counts of the report, and the recall if a cause were mended.
        let counted = |at: &usize| matched.counts(matched.ranked[*at].score);
        let of_detections: Vec<Category> =
            (0..matched.ranked.len()).filter(counted).map(|at| oracle.detection(class, at)).collect();
        let missed = oracle.missed(class);
        let reported = &report.classes[class];
        let false_positives = of_detections.iter().filter(|it| it.outcome() == Outcome::FalsePositive).count();
        prop_assert_eq!(reported.false_positives, false_positives);
        prop_assert_eq!(reported.true_positives, of_detections.len() - false_positives);
        prop_assert_eq!(reported.n_lesions, reported.true_positives + missed.len());
        let rate = rate.unwrap_or(false_positives as f64 / oracle.n_images as f64);
        for (cause, category) in reported.causes.iter().zip(Category::causes()) {
            prop_assert_eq!(cause.category, category);
            let count = of_detections.iter().chain(missed.iter().map(|it| &it.2)).filter(|it| **it == category).count();
            prop_assert_eq!(cause.count, count, "{} {:?}", name, category);
            let point = oracle.mended(class, category, rate);
            let n_lesions = matched.n_lesions();
            let recall = (n_lesions > 0).then(|| point.true_positives as f64 / n_lesions as f64);
            prop_assert_eq!(cause.recall_if_mended, recall, "{} {:?}", name, category);
            *SEEN.lock().expect("no panic before").entry(format!("{category:?}")).or_default() += u32::from(count > 0);
        }
    }
    let told: BTreeMap<CellNames, usize> = report
        .confusion
        .iter()
        .map(|cell| ((cell.on, cell.lesions_of.clone(), cell.found_as.clone()), cell.count))
        .collect();
    let cells = oracle.cells();
    let mut expected: BTreeMap<CellNames, usize> = BTreeMap::new();
    for (_, cell) in &cells {
        *expected.entry(cell.clone()).or_default() += 1;
        let (on, of, by) = cell;
        let is_own = of.is_some() && of == by;
        *SEEN.lock().expect("no panic before").entry(format!("{on:?} {is_own} {}", by.is_some())).or_default() += 1;
    }
    prop_assert_eq!(&told, &expected);
    prop_assert_eq!(report.confusion.len(), expected.len(), "each cell once");
    // They are the counts of each class.
    for class in &report.classes {
        let sum = |wanted: &dyn Fn(&CellNames) -> bool| -> usize {
            told.iter().filter(|(cell, _)| wanted(cell)).map(|(_, count)| count).sum()
        };
        let is = |name: &Option<String>| name.as_ref() == Some(&class.class);
        prop_assert_eq!(sum(&|(_, of, by)| is(of) && is(by)), class.true_positives);
        prop_assert_eq!(sum(&|(_, of, _)| is(of)), class.n_lesions);
        prop_assert_eq!(sum(&|(_, of, by)| is(by) && !is(of)), class.false_positives);
    }
    let shown = Shown { prepared: &core.prepared, diagnosis: &core.diagnosis, thresholds };
    let class_of = |name: &Option<String>| Protocol::default().class_named(name.as_ref()?);
    let some = expected.len() / 3 + 1;
    for (on, of, by) in expected.into_keys().step_by(some) {
        let cell = Cell { on, lesions_of: class_of(&of), found_as: class_of(&by) };
        let filter = Filter { confusion: Some(cell), ..Filter::default() };
        let images: BTreeSet<u32> =
            cells.iter().filter(|(_, other)| *other == (on, of.clone(), by.clone())).map(|it| it.0 as u32).collect();
        let listed = gallery::images(&core.ground_truth, shown, None, &filter, Order::File);
        prop_assert_eq!(listed, images.into_iter().collect::<Vec<_>>());
    }
    filters(core, &images, thresholds)
}

/// A filter by class and category gives the images that hold such an item, and no others.
fn filters(core: &Core, images: &[ImageReport], thresholds: &ScoreThresholds) -> Result<(), TestCaseError> {
    let shown = Shown { prepared: &core.prepared, diagnosis: &core.diagnosis, thresholds };
    let list = |filter: &Filter, order: Order| gallery::images(&core.ground_truth, shown, None, filter, order);
    for class in Protocol::default().classes() {
        for category in Category::causes().chain([Category::TruePositive]) {
            let filter = Filter { class: Some(class), categories: vec![category], ..Filter::default() };
            let expected: Vec<u32> = images
                .iter()
                .filter(|image| {
                    image.detections.iter().any(|it| {
                        it.class == Protocol::default().class_name(class) && it.counted && it.category == category
                    }) || image
                        .lesions
                        .iter()
                        .any(|it| it.class == Protocol::default().class_name(class) && it.category == category)
                })
                .map(|image| image.image)
                .collect();
            prop_assert_eq!(list(&filter, Order::File), expected);
        }
    }
    let free = Filter { lesion_free: Some(true), ..Filter::default() };
    let expected: Vec<u32> = images.iter().filter(|it| it.lesions.is_empty()).map(|it| it.image).collect();
    prop_assert_eq!(list(&free, Order::File), expected);
    let n_false = |image: u32| {
        let of = &images[image as usize].detections;
        of.iter().filter(|it| it.counted && it.category.outcome() == Outcome::FalsePositive).count()
    };
    let by_false_positives = list(&Filter::default(), Order::FalsePositives);
    prop_assert!(by_false_positives.is_sorted_by_key(|image| (std::cmp::Reverse(n_false(*image)), *image)));
    prop_assert_eq!(by_false_positives.len(), images.len());
    // A run agrees with itself everywhere.
    let same = gallery::images(&core.ground_truth, shown, Some(shown), &Filter::default(), Order::Disagreement);
    prop_assert!(same.is_sorted());
    Ok(())
}

fn categories_and_counts(cases: u32) {
    let mut runner = proptest::test_runner::TestRunner::new(same_cases_every_time(cases));
    let any = (case(), prop::collection::vec(prop::option::weighted(0.8, any::<Index>()), CLASSES.len()));
    let outcome = runner.run(&any, |(case, chosen)| {
        let core = Core::new(&case);
        let report = score(&case.dataset.ground_truth(), &case.dataset.predictions(), &options(&case));
        let report = report.expect("files in order");
        for (at, rate) in case.rates.iter().enumerate() {
            let oracle = Oracle::new(&case).at_rate(*rate);
            let thresholds = operating_thresholds(&core.ground_truth, &core.prepared.run, case.iou_threshold, *rate);
            for (class, threshold) in oracle.classes.iter().zip(&thresholds) {
                prop_assert_eq!(class.threshold.map(|score| score + 0.0), threshold.map(|score| score + 0.0));
            }
            check(&core, &oracle, &thresholds, Some(*rate))?;
            // The score's own numbers.
            for (diagnosed, scored) in core.report(&thresholds, Some(*rate)).classes.iter().zip(&report.runs[0].classes)
            {
                prop_assert_eq!(diagnosed.recall, scored.exact.recall[at]);
                if let Some(false_positives) = scored.exact.false_positives[at] {
                    prop_assert_eq!(diagnosed.false_positives, false_positives as usize);
                }
            }
        }
        // Any thresholds: a score of the class, or none.
        let mut oracle = Oracle::new(&case);
        let mut thresholds: ScoreThresholds = core.ground_truth.per_class(|_| None);
        for ((class, threshold), chosen) in oracle.classes.iter_mut().zip(&mut thresholds).zip(&chosen) {
            let scores = class.scores();
            class.threshold = chosen.filter(|_| !scores.is_empty()).map(|at| scores[at.index(scores.len())]);
            *threshold = class.threshold;
        }
        check(&core, &oracle, &thresholds, None)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

fn options(case: &Case) -> Options {
    Options::new(case.iou_threshold, case.rates.clone()).expect("options in range")
}

#[test]
fn every_detection_and_lesion_has_the_category_of_the_specification_and_counts_add_up() {
    categories_and_counts(if is_long() { 500 } else { 200 });
    let seen = SEEN.lock().expect("no panic before");
    let cells = [
        "Lesion true true",
        "Lesion false true",
        "Lesion false false",
        "TakenLesion false true",
        "Background false true",
    ];
    for cell in cells {
        let n = seen.get(cell).copied().unwrap_or_default();
        assert!(n >= 20, "{cell} was met {n} times");
    }
    for category in Category::causes() {
        let n = seen.get(&format!("{category:?}")).copied().unwrap_or_default();
        assert!(n >= 20, "{category:?} was met {n} times");
    }
}

#[test]
fn the_list_of_errors_has_every_detection_and_every_missed_lesion_once() {
    let counts = RefCell::new((0, 0));
    let mut runner = proptest::test_runner::TestRunner::new(same_cases_every_time(100));
    let outcome = runner.run(&case(), |case| {
        let core = Core::new(&case);
        let rate = case.rates[0];
        let thresholds = operating_thresholds(&core.ground_truth, &core.prepared.run, case.iou_threshold, rate);
        let report = core.report(&thresholds, Some(rate));
        let list = |format| {
            let mut bytes = Vec::new();
            errors::write(&core.ground_truth, &[&core.prepared], &options(&case), rate, format, &mut bytes)
                .expect("memory");
            bytes
        };
        let rows: Vec<Value> = serde_json::from_slice(&list(ErrorsFormat::Json)).expect("JSON");
        let number = |verdict: &str, counted: bool| {
            rows.iter().filter(|row| row["verdict"] == verdict && row["counted"] == counted).count()
        };
        let sum =
            |of: fn(&froc::report::diagnosis::ClassDiagnosis) -> usize| report.classes.iter().map(of).sum::<usize>();
        prop_assert_eq!(number("true_positive", true), sum(|class| class.true_positives));
        prop_assert_eq!(number("false_positive", true), sum(|class| class.false_positives));
        prop_assert_eq!(number("missed_lesion", true), sum(|class| class.n_lesions - class.true_positives));
        let n_detections: usize =
            Protocol::default().classes().map(|class| core.prepared.run.ranking(class).scores().len()).sum();
        prop_assert_eq!(rows.iter().filter(|row| row["verdict"] != "missed_lesion").count(), n_detections);
        // The same rows as CSV.
        let bytes = list(ErrorsFormat::Csv);
        let mut csv = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<String> =
            csv.headers().map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default();
        let records: Vec<csv::StringRecord> = csv.records().map(|record| record.expect("a row")).collect();
        prop_assert_eq!(records.len(), rows.len());
        for (record, row) in records.iter().zip(&rows) {
            for (name, cell) in names.iter().zip(record) {
                let value = match &row[name] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let is_equal = cell == value || cell.parse::<f64>().ok() == value.parse::<f64>().ok();
                prop_assert!(is_equal, "{}: {} and {}", name, cell, value);
            }
        }
        let mut counts = counts.borrow_mut();
        *counts = (counts.0 + rows.len(), counts.1 + names.len());
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(counts.borrow().0 > 500 && counts.borrow().1 > 500, "{counts:?}");
}
