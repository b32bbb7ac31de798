//! Which images stand behind a number, against plain loops over what the images hold, on random small datasets.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::float_cmp)]

#[path = "oracle/datasets.rs"]
mod datasets;
#[path = "oracle/reference.rs"]
#[allow(dead_code)]
mod reference;
mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use froc::diagnosis::gallery::{self, Change, Filter, Order, Shown};
use froc::diagnosis::noticed::Noticed;
use froc::diagnosis::{Category, Diagnosis, Outcome, ScoreThresholds, operating_thresholds, pooled_thresholds};
use froc::protocol::{Class, Protocol};
use froc::report::Report;
use froc::report::image::ImageReport;
use froc::score::official::Counts;
use froc::score::quirks::QuirkId;
use froc::score::sizes::{Division, Size, by_size};
use froc::{GroundTruth, Options, Prepared, Reading};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::datasets::{Case, case};
use crate::reference::{
    Detection, Step, Undefined, Verdict, detections_of, exact, lesions_of, official, points, rank, smallest_k, verdicts,
};
use crate::support::{CLASSES, read_ground_truth, read_predictions, same_cases_every_time, score};

/// A dataset as the core holds it.
struct Core {
    ground_truth: GroundTruth,
    prepared: Prepared,
    diagnosis: Diagnosis,
    options: Options,
    report: Report,
}

impl Core {
    fn new(case: &Case) -> Self {
        let (truth, zip) = (case.dataset.ground_truth(), case.dataset.predictions());
        let ground_truth = read_ground_truth(&truth).expect("a ground truth in order");
        let predictions = read_predictions(&zip).expect("a zip in order");
        let prepared = froc::prepare(&ground_truth, &predictions.into(), &Reading::default());
        let prepared = prepared.map_err(|refusal| refusal.errors).expect("files in order").remove(0);
        let diagnosis = Diagnosis::new(&ground_truth, &prepared, case.iou_threshold);
        let options = Options::new(case.iou_threshold, case.rates.clone()).expect("options in range");
        let report = score(&truth, &zip, &options).expect("files in order");
        Self { ground_truth, prepared, diagnosis, options, report }
    }

    fn thresholds(&self, rate: f64) -> ScoreThresholds {
        operating_thresholds(&self.ground_truth, &self.prepared.run, self.options.iou_threshold(), rate)
    }

    fn shown<'a>(&'a self, thresholds: &'a ScoreThresholds) -> Shown<'a> {
        Shown { prepared: &self.prepared, diagnosis: &self.diagnosis, thresholds }
    }

    fn list(&self, thresholds: &ScoreThresholds, filter: &Filter, order: Order) -> Vec<u32> {
        gallery::images(&self.ground_truth, self.shown(thresholds), None, filter, order)
    }

    fn images(&self, thresholds: &ScoreThresholds) -> Vec<ImageReport> {
        let image = |image: usize| {
            ImageReport::new(&self.ground_truth, &self.prepared, &self.diagnosis, thresholds, image as u32)
        };
        (0..self.ground_truth.n_images()).map(image).collect()
    }

    fn counts(&self, class: Class) -> Counts {
        Counts { n_lesions: self.ground_truth.n_lesions(class), n_images: self.ground_truth.n_images() }
    }
}

/// Checks many random datasets.
fn check(cases: u32, of: impl Fn(&Case, &Core) -> Result<(), TestCaseError>) {
    let outcome = TestRunner::new(same_cases_every_time(cases)).run(&case(), |drawn| of(&drawn, &Core::new(&drawn)));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// A class, matched by the reference with the added pixel and without it.
struct Ranked {
    detections: Vec<Detection>,
    verdicts: Vec<Verdict>,
    /// As the exact score has it.
    exact: Vec<Verdict>,
    plain: Vec<Verdict>,
}

impl Ranked {
    fn new(case: &Case, class: usize) -> Self {
        let listed = detections_of(&case.dataset, class);
        let lesions = lesions_of(&case.dataset, class);
        let ranking = rank(&listed);
        let with = |pixel, undefined| verdicts(&listed, &ranking, &lesions, case.iou_threshold, pixel, undefined);
        Self {
            detections: ranking.iter().map(|at| listed[*at]).collect(),
            verdicts: with(1.0, Undefined::CountsAsNothing),
            exact: with(1.0, Undefined::IsZero),
            plain: with(0.0, Undefined::CountsAsNothing),
        }
    }

    fn is_hit(&self, at: usize) -> bool {
        self.verdicts[at].is_true_positive()
    }

    fn false_positives_above(&self, at: usize) -> usize {
        (0..at).filter(|at| self.verdicts[*at].step() == Step::Right).count()
    }

    /// Whether a quirk that fired touched a detection.
    fn is_touched(&self, quirk: QuirkId, at: usize, rates: &[f64], n_images: usize) -> bool {
        let all = self.false_positives_above(self.detections.len());
        match quirk {
            QuirkId::TailDropped => self.is_hit(at) && self.false_positives_above(at) == all,
            QuirkId::LeadingFp | QuirkId::FewImages => at == 0,
            QuirkId::WholeBudget => rates.iter().filter(|rate| **rate <= all as f64 / n_images as f64).any(|rate| {
                let k = smallest_k(*rate, n_images);
                let is_between = |at: usize| self.is_hit(at) && self.false_positives_above(at) == k;
                let is_stop = self.verdicts[at].step() == Step::Right && self.false_positives_above(at) == k - 1;
                let steps: Vec<Step> = self.verdicts.iter().map(|verdict| verdict.step()).collect();
                // Where it divides by zero, another quirk fires; how many lesions there are does not matter for that.
                let is_defined = official(&steps, 1, n_images, &[*rate])[0].is_finite();
                is_defined
                    && k as f64 / n_images as f64 == *rate
                    && (is_between(at) || is_stop && (at..self.detections.len()).any(is_between))
            }),
            QuirkId::Ties => {
                self.detections.iter().filter(|other| other.score == self.detections[at].score).count() > 1
            }
            QuirkId::AbsentClass => true,
            QuirkId::DoubleHit => matches!(self.verdicts[at], Verdict::Again(..)),
            QuirkId::NanOverlap => self.verdicts[at] == Verdict::Undefined,
            QuirkId::PlusOne => self.verdicts[at].step() != self.plain[at].step(),
        }
    }
}

#[test]
fn a_quirk_leads_to_the_images_with_the_detections_it_touched() {
    let fired = RefCell::new(BTreeMap::<String, u32>::new());
    check(1500, |case, core| {
        let thresholds = core.thresholds(case.rates[0]);
        for quirk in &core.report.runs[0].official.quirks {
            let id = QuirkId::ALL.into_iter().find(|id| id.id() == quirk.id).expect("one of all");
            let filter = Filter { quirks: Some((vec![id], core.options.clone())), ..Filter::default() };
            let mut of_classes = BTreeSet::new();
            for touched in &quirk.classes {
                let class = Protocol::default().class_named(&touched.name).expect("a class");
                let ranked = Ranked::new(case, class.index());
                let expected: Vec<usize> = (0..ranked.detections.len())
                    .filter(|at| ranked.is_touched(id, *at, &case.rates, case.dataset.images.len()))
                    .collect();
                let told = id.touched(core.prepared.run.ranking(class), core.counts(class), &core.options);
                prop_assert_eq!(
                    told.iter().map(|rank| *rank as usize).collect::<Vec<_>>(),
                    &*expected,
                    "{}",
                    &quirk.id
                );
                // The count that the report shows.
                if let Some(n_detections) = touched.n_detections {
                    prop_assert_eq!(told.len(), n_detections, "{}", &quirk.id);
                }
                let images: BTreeSet<u32> = expected.iter().map(|at| ranked.detections[*at].image as u32).collect();
                let of_class = Filter { class: Some(class), ..filter.clone() };
                let listed = core.list(&thresholds, &of_class, Order::File);
                prop_assert_eq!(listed, images.iter().copied().collect::<Vec<_>>(), "{}", &quirk.id);
                // Categories are those of the detections that are touched.
                let found = Filter { categories: vec![Category::TruePositive], ..of_class };
                let hits = expected.iter().filter(|at| ranked.exact[**at].is_true_positive());
                let hits: BTreeSet<u32> = hits.map(|at| ranked.detections[*at].image as u32).collect();
                prop_assert_eq!(core.list(&thresholds, &found, Order::File), hits.into_iter().collect::<Vec<_>>());
                of_classes.extend(images);
            }
            let listed = core.list(&thresholds, &filter, Order::File);
            prop_assert_eq!(listed, of_classes.into_iter().collect::<Vec<_>>(), "{} of all classes", &quirk.id);
            *fired.borrow_mut().entry(quirk.id.clone()).or_default() += 1;
        }
        Ok(())
    });
    let fired = fired.borrow();
    for id in QuirkId::ALL {
        assert!(fired.get(id.id()).is_some_and(|n| *n >= 20), "{fired:?}");
    }
}

#[test]
fn a_size_leads_to_the_images_with_lesions_of_that_third() {
    check(500, |case, core| {
        let thresholds = core.thresholds(f64::INFINITY);
        for class in Protocol::default().classes() {
            let groups = by_size(&core.ground_truth, &core.prepared.run, class, case.iou_threshold, Division::Thirds);
            for (size, group) in [Size::Small, Size::Medium, Size::Large].into_iter().zip(groups) {
                // The areas that the report tells part the lesions.
                let is_of_size = |bbox: [f32; 4]| {
                    let area = (bbox[2] - bbox[0]) * (bbox[3] - bbox[1]);
                    group.areas.is_some_and(|[least, most]| (least..=most).contains(&area))
                };
                let images = core.images(&thresholds);
                let of_size = |image: &ImageReport, is_found: bool| {
                    let lesions = image
                        .lesions
                        .iter()
                        .filter(|it| it.class == Protocol::default().class_name(class) && is_of_size(it.bbox));
                    lesions.filter(|it| !is_found || it.category == Category::TruePositive).count()
                };
                prop_assert_eq!(images.iter().map(|image| of_size(image, false)).sum::<usize>(), group.n_lesions);
                prop_assert_eq!(images.iter().map(|image| of_size(image, true)).sum::<usize>(), group.n_found);
                for is_found in [false, true] {
                    let categories = if is_found { vec![Category::TruePositive] } else { Vec::new() };
                    let filter = Filter { class: Some(class), size: Some(size), categories, ..Filter::default() };
                    let expected: Vec<u32> =
                        images.iter().filter(|image| of_size(image, is_found) > 0).map(|image| image.image).collect();
                    prop_assert_eq!(core.list(&thresholds, &filter, Order::File), expected);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_change_leads_to_the_images_where_two_runs_differ_so() {
    let seen = RefCell::new(0);
    check(500, |case, core| {
        // Another run: the same one at other thresholds.
        let [here, there] = [core.thresholds(case.rates[0]), core.thresholds(f64::INFINITY)];
        let images = [core.images(&here), core.images(&there)];
        for class in Protocol::default().classes().map(Some).chain([None]) {
            let is_of = |name: &str| class.is_none_or(|class| Protocol::default().class_name(class) == name);
            let found = |image: &ImageReport| -> Vec<bool> {
                let lesions = image.lesions.iter().filter(|it| is_of(&it.class));
                lesions.map(|it| it.category == Category::TruePositive).collect()
            };
            let false_positives = |image: &ImageReport| -> Vec<usize> {
                let is_false = |name: &str| {
                    let detections = image.detections.iter().filter(|it| it.class == name && it.counted);
                    detections.filter(|it| it.category.outcome() == Outcome::FalsePositive).count()
                };
                CLASSES.iter().filter(|name| is_of(name)).map(|name| is_false(name)).collect()
            };
            let both = [(&here, &there, &images[0], &images[1]), (&there, &here, &images[1], &images[0])];
            for (view, other, ours, theirs) in both {
                for change in [Change::Any, Change::LesionGained, Change::LesionLost, Change::Better, Change::Worse] {
                    let is_changed = |(ours, theirs): (&ImageReport, &ImageReport)| {
                        let (a, b) = (found(ours), found(theirs));
                        let n = |found: &[bool]| found.iter().filter(|it| **it).count();
                        match change {
                            Change::Any => a != b || false_positives(ours) != false_positives(theirs),
                            Change::LesionGained => a.iter().zip(&b).any(|(a, b)| *a && !b),
                            Change::LesionLost => a.iter().zip(&b).any(|(a, b)| !a && *b),
                            Change::Better => n(&a) > n(&b),
                            Change::Worse => n(&a) < n(&b),
                        }
                    };
                    let expected: Vec<u32> = ours
                        .iter()
                        .zip(theirs)
                        .filter(|(ours, theirs)| is_changed((ours, theirs)))
                        .map(|(image, _)| image.image)
                        .collect();
                    let filter = Filter { class, change: Some(change), ..Filter::default() };
                    let (view, other) = (core.shown(view), core.shown(other));
                    let list = |other| gallery::images(&core.ground_truth, view, other, &filter, Order::File);
                    prop_assert_eq!(&list(Some(other)), &expected, "{:?}", change);
                    prop_assert_eq!(list(None).len(), images[0].len(), "without another run it is no condition");
                    *seen.borrow_mut() += usize::from(!expected.is_empty());
                }
            }
        }
        Ok(())
    });
    assert!(*seen.borrow() > 500, "{seen:?}");
}

#[test]
fn the_highest_score_comes_first_whether_it_counts_or_not() {
    check(200, |case, core| {
        for thresholds in [core.ground_truth.per_class(|_| None), core.thresholds(case.rates[0])] {
            let images = core.images(&thresholds);
            for class in Protocol::default().classes().map(Some).chain([None]) {
                let highest = |image: &u32| {
                    let detections = images[*image as usize].detections.iter();
                    let scores = detections
                        .filter(|it| class.is_none_or(|class| Protocol::default().class_name(class) == it.class));
                    scores.map(|it| it.score).max_by(f32::total_cmp)
                };
                let filter = Filter { class, ..Filter::default() };
                let listed = core.list(&thresholds, &filter, Order::HighestScore);
                let mut expected = core.list(&thresholds, &filter, Order::File);
                expected.sort_by(|a, b| highest(b).partial_cmp(&highest(a)).expect("finite scores"));
                prop_assert_eq!(listed, expected);
            }
        }
        Ok(())
    });
}

#[test]
fn classes_ranked_together_have_one_threshold_and_at_an_infinite_rate_all_count() {
    check(300, |case, core| {
        let run = &core.prepared.run;
        let mut shown: Vec<(f32, bool)> = Vec::new();
        for class in 0..CLASSES.len() {
            let ranked = Ranked::new(case, class);
            shown.extend(ranked.detections.iter().enumerate().map(|(at, it)| (it.score, ranked.is_hit(at))));
        }
        shown.sort_by(|(a, _), (b, _)| b.partial_cmp(a).expect("finite scores"));
        let (scores, hits): (Vec<f32>, Vec<bool>) = shown.into_iter().unzip();
        for rate in case.rates.iter().copied().chain([f64::INFINITY]) {
            let expected = exact(&points(&scores, &hits), case.dataset.images.len(), rate).threshold;
            for threshold in pooled_thresholds(&core.ground_truth, run, case.iou_threshold, rate) {
                prop_assert_eq!(threshold.map(|score| score + 0.0), expected.map(|score| score + 0.0));
            }
        }
        let all = core.thresholds(f64::INFINITY);
        prop_assert!(core.images(&all).iter().all(|image| image.detections.iter().all(|it| it.counted)));
        Ok(())
    });
}

/// The images that a notice is about, in files made for it.
fn noticed(notice: Noticed, files: &[(&str, &str)]) -> Vec<u32> {
    let nodule: &[(usize, [f64; 4])] = &[(3, [10.0, 10.0, 49.0, 49.0])];
    let images = [("0.png", nodule), ("1.png", nodule), ("2.png", nodule), ("3.png", &[]), ("4.jpg", &[])];
    let ground_truth = read_ground_truth(&support::ground_truth_json(images)).expect("a ground truth in order");
    let predictions = read_predictions(&support::zip_of(files)).expect("a zip in order");
    let prepared = froc::prepare(&ground_truth, &predictions.into(), &Reading::default());
    let prepared = prepared.map_err(|refusal| refusal.errors).expect("files in order").remove(0);
    let diagnosis = Diagnosis::new(&ground_truth, &prepared, 0.5);
    let all = ground_truth.per_class(|_| Some(f32::NEG_INFINITY));
    let shown = Shown { prepared: &prepared, diagnosis: &diagnosis, thresholds: &all };
    let filter = Filter { notice: Some(notice), ..Filter::default() };
    gallery::images(&ground_truth, shown, None, &filter, Order::File)
}

#[test]
fn a_notice_leads_to_the_images_that_it_is_about() {
    let on = |numbers: &str| format!("[{{\"Nodule\": {numbers}}}]");
    let (plain, high) = (on("[10, 10, 49, 49, 0.5]"), on("[10, 10, 49, 49, 1.5]"));
    let outside = on("[1024, 10, 1030, 49, 0.25]");
    let twice = "[{\"Nodule\": [1, 1, 9, 9, 0.3]}, {\"Mass\": [1, 1, 9, 9, 0.2]}, {\"Nodule\": [1, 1, 9, 9, 0.1]}]";
    let other_class = "[{\"Nodule\": [1, 1, 9, 9, 0.3]}, {\"Mass\": [1, 1, 9, 9, 0.3]}]";
    let spellings = "[{\"Nodule\": [1, 1, 9, 9, 0.9], \"nodule\": [1, 1, 9, 9, 0.9]}]";
    let files: &[(&str, &str)] = &[("0.json", &plain), ("1.json", ""), ("2.json", twice), ("x.json", &plain)];
    assert_eq!(noticed(Noticed::ImageWithoutFile, files), [3, 4]);
    assert_eq!(noticed(Noticed::EmptyFile, files), [1]);
    assert_eq!(noticed(Noticed::ImageNameWithoutPng, files), [4]);
    assert_eq!(noticed(Noticed::DuplicateDetection, files), [2]);
    assert_eq!(noticed(Noticed::MostFilesEmpty, files), [1]);
    assert_eq!(noticed(Noticed::ClassNeverPredicted, files), [0_u32; 0]);
    assert_eq!(noticed(Noticed::ClassNeverPredicted, &[("3.json", "[]")]), [0, 1, 2]);
    assert_eq!(noticed(Noticed::DuplicateDetection, &[("0.json", other_class)]), [0_u32; 0]);
    let files: &[(&str, &str)] = &[("0.json", &plain), ("1.json", &plain), ("2.json", &high), ("3.json", &outside)];
    assert_eq!(noticed(Noticed::ManyTies, files), [0, 1]);
    assert_eq!(noticed(Noticed::ManyTies, &[("0.json", other_class)]), [0_u32; 0]);
    assert_eq!(noticed(Noticed::ScoresInPercent, files), [2]);
    assert_eq!(noticed(Noticed::BoxOutsideImage, files), [3]);
    let files: &[(&str, &str)] = &[("0.json", "[{\"NODULE\": [1, 1, 9, 9, 0.9]}]"), ("1.json", spellings)];
    assert_eq!(noticed(Noticed::UnreadClassName, files), [0]);
    assert_eq!(noticed(Noticed::BothSpellings, files), [1]);
}

/// Two detections of one score find a lesion each; the first also overlaps the second's lesion more than the second does.
#[test]
fn a_lesion_is_shown_with_the_detection_that_found_it_among_those_of_equal_score() {
    let lesions: &[(usize, [f64; 4])] = &[(3, [0.0, 0.0, 99.0, 99.0]), (3, [5.0, 0.0, 104.0, 99.0])];
    let ground_truth = read_ground_truth(&support::ground_truth_json([("0.png", lesions)])).expect("a ground truth");
    let file = "[{\"Nodule\": [0, 0, 99, 99, 0.5]}, {\"Nodule\": [30, 0, 129, 99, 0.5]}]";
    let predictions = read_predictions(&support::zip_of(&[("0.json", file)])).expect("a zip in order");
    let prepared = froc::prepare(&ground_truth, &predictions.into(), &Reading::default());
    let prepared = prepared.map_err(|refusal| refusal.errors).expect("files in order").remove(0);
    let diagnosis = Diagnosis::new(&ground_truth, &prepared, 0.5);
    let all = ground_truth.per_class(|_| Some(f32::NEG_INFINITY));
    let image = ImageReport::new(&ground_truth, &prepared, &diagnosis, &all, 0);
    let shown: Vec<[f32; 4]> = image.lesions.iter().map(|it| it.overlaps.as_ref().expect("it is found").bbox).collect();
    assert_eq!(shown, [[0.0, 0.0, 99.0, 99.0], [30.0, 0.0, 129.0, 99.0]]);
}
