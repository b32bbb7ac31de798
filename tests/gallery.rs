//! Which images stand behind a number, against plain loops over what the images hold, on random small datasets.
#![allow(clippy::float_cmp)]

use crate::support;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use froc::diagnosis::gallery::{self, Change, Filter, Order, Shown};
use froc::diagnosis::{Category, Diagnosis, Outcome, ScoreThresholds, operating_thresholds, thresholds_at};
use froc::protocol::{Class, Protocol};
use froc::report::image::{DetectionReport, ImageReport};
use froc::report::{FindingReport, Report};
use froc::score::official::Counts;
use froc::score::quirks::QuirkId;
use froc::score::sizes::{Division, Size, by_size};
use froc::session::{FileKind, GalleryQuery, Session, View};
use froc::{GroundTruth, Options, Prepared, Reading};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::oracle::datasets::{Case, case};
use crate::oracle::reference::{
    Detection, Step, Undefined, Verdict, detections_of, exact, lesions_of, official, points, rank, smallest_k, verdicts,
};
use crate::support::{CLASSES, cases, is_long, read_ground_truth, read_predictions, same_cases_every_time, score};

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
    check(if is_long() { 500 } else { 200 }, |case, core| {
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
        let rates: Vec<f64> = case.rates.iter().copied().chain([f64::INFINITY]).collect();
        let pooled = thresholds_at(&core.ground_truth, run, case.iou_threshold, &rates, true);
        prop_assert_eq!(pooled.len(), rates.len());
        for (rate, thresholds) in rates.iter().zip(pooled) {
            let expected = exact(&points(&scores, &hits), case.dataset.images.len(), *rate).threshold;
            for threshold in thresholds {
                prop_assert_eq!(threshold.map(|score| score + 0.0), expected.map(|score| score + 0.0));
            }
        }
        let all = core.thresholds(f64::INFINITY);
        prop_assert!(core.images(&all).iter().all(|image| image.detections.iter().all(|it| it.counted)));
        Ok(())
    });
}

/// A run, and its gallery of each finding.
struct Seen {
    report: Report,
    images: Vec<ImageReport>,
    of_finding: Vec<(FindingReport, Vec<u32>)>,
}

/// None if the run cannot be scored.
fn seen(truth: &[u8], zip: &[u8]) -> Option<Seen> {
    let mut session = Session::default();
    let mut add = |id: &str, bytes: &[u8]| {
        session.add(id, id, std::io::Cursor::new(bytes), &mut |_| std::ops::ControlFlow::Continue(())).ok()
    };
    let (truth, predictions) = (add("test.json", truth)?, add("model.zip", zip)?);
    if (truth.kind, predictions.kind) != (FileKind::GroundTruth, FileKind::Predictions) {
        return None;
    }
    let report = session.evaluate(&Options::default()).report.clone()?;
    let thresholds = vec![Some(f32::NEG_INFINITY); CLASSES.len()];
    let view = View { run: "model.zip".to_owned(), iou_threshold: 0.5, fp_per_image: None, thresholds };
    let all: Vec<u32> = (0..report.ground_truth.n_images as u32).collect();
    let images = session.images(&view, &all, true).expect("a run");
    let findings = report.findings.iter().chain(&report.runs[0].findings);
    let of_finding = findings.map(|finding| {
        let query = GalleryQuery { finding: Some(finding.id.clone()), ..GalleryQuery::of(view.clone()) };
        (finding.clone(), session.gallery(&query).expect("a run"))
    });
    let of_finding = of_finding.collect();
    Some(Seen { report, images, of_finding })
}

/// What of an image a finding counts, by plain loops over what the image shows; none for what an image does not show.
fn counted(finding: &FindingReport, image: &ImageReport, all: &[ImageReport]) -> Option<usize> {
    let detections = || image.detections.iter();
    let has_class = |name: &String| image.lesions.iter().any(|lesion| lesion.class == *name);
    let count = match finding.code.as_str() {
        "box_outside_image" => detections()
            .filter(|it| it.bbox[0] >= 1024.0 || it.bbox[1] >= 1024.0 || it.bbox[2] < 0.0 || it.bbox[3] < 0.0)
            .count(),
        "duplicate_detection" => {
            let mut boxes: Vec<String> = detections().map(|it| format!("{:?} {:?}", it.class, it.bbox)).collect();
            let n = boxes.len();
            boxes.sort();
            boxes.dedup();
            n - boxes.len()
        }
        "many_ties" => {
            let everywhere = || all.iter().flat_map(|image| &image.detections);
            let shares = |it: &&DetectionReport| {
                everywhere().filter(|other| other.class == it.class && other.score == it.score).count() > 1
            };
            detections().filter(shares).count()
        }
        "all_scores_equal" | "box_layout" | "other_image_size" => detections().count(),
        "scores_in_percent" => detections().filter(|it| it.score > 1.0).count(),
        "inverted_lesions" => image
            .lesions
            .iter()
            .filter(|lesion| lesion.bbox[2] < lesion.bbox[0] || lesion.bbox[3] < lesion.bbox[1])
            .count(),
        "crowd_lesions" | "difficult_lesions" | "lesions_of_ignored_class" => {
            image.lesions.iter().filter(|lesion| lesion.category == Category::Ignored).count()
        }
        "most_files_empty" => usize::from(image.detections.is_empty() && !image.lesions.is_empty()),
        "image_name_without_png" => usize::from(!image.name.contains(".png")),
        "class_never_predicted" => usize::from(finding.examples.iter().any(has_class)),
        _ => return None,
    };
    Some(count)
}

/// Findings of which an image does not show what was counted: the files and the lesions that were left out.
const UNSHOWN: [&str; 7] = [
    "image_without_file",
    "empty_file",
    "both_spellings",
    "double_keys",
    "unread_class_name",
    "unknown_lesion_class",
    "no_suppression",
];
/// Those about files that belong to no image, or about classes.
const OF_NO_IMAGE: [&str; 6] = [
    "other_classes",
    "file_without_image",
    "file_name_nearly_matches",
    "other_image_names",
    "ground_truth_in_predictions",
    "same_file_twice",
];

/// The images of a finding are those that hold what it counts, and they hold no more of it; gives the codes that were seen.
fn assert_galleries_are_what_is_counted(what: &str, truth: &[u8], zip: &[u8]) -> Vec<String> {
    let Some(Seen { report, images, of_finding }) = seen(truth, zip) else { return Vec::new() };
    let mut ids = BTreeSet::new();
    for (finding, gallery) in &of_finding {
        let FindingReport { id, code, count, n_images, .. } = finding;
        assert!(ids.insert(id), "{what}: two findings are called {id}");
        assert_eq!(gallery.len(), *n_images, "{what}: {id}");
        assert_eq!(gallery.is_empty(), OF_NO_IMAGE.contains(&code.as_str()), "{what}: {id}");
        assert!(gallery.len() <= *count || code == "class_never_predicted", "{what}: {id}");
        match images.iter().map(|image| counted(finding, image, &images)).collect::<Option<Vec<usize>>>() {
            Some(counts) => {
                let with: Vec<u32> = (0..).zip(&counts).filter(|(_, n)| **n > 0).map(|(image, _)| image).collect();
                assert_eq!(*gallery, with, "{what}: {id}");
                if code != "class_never_predicted" {
                    assert_eq!(counts.iter().sum::<usize>(), *count, "{what}: {id}");
                }
            }
            None => assert!(
                UNSHOWN.contains(&code.as_str())
                    || OF_NO_IMAGE.contains(&code.as_str())
                    || code == "boxes_in_another_range",
                "{what}: {id} is not recounted"
            ),
        }
        if code == "image_without_file" {
            assert_eq!(gallery.len(), *count, "{what}");
            assert_eq!(gallery.len(), report.ground_truth.n_images - report.runs[0].n_files, "{what}");
        }
    }
    of_finding.into_iter().map(|(finding, _)| finding.code).collect()
}

/// Every finding of every golden case, and of every case of `CASES_DIR`, which holds what `cases/make.py` writes.
#[test]
fn each_finding_of_each_case_shows_the_images_that_it_counts() {
    let mut codes = BTreeSet::new();
    for case in cases::cases() {
        let [truth, zip] = ["test.json", "predictions.zip"].map(|name| std::fs::read(case.join(name)).expect("a file"));
        codes.extend(assert_galleries_are_what_is_counted(&case.display().to_string(), &truth, &zip));
    }
    for code in ["unread_class_name", "both_spellings", "empty_file", "image_without_file", "most_files_empty"] {
        assert!(codes.contains(code), "no golden case has {code}");
    }
    let Some(folder) = std::env::var_os("CASES_DIR").map(std::path::PathBuf::from) else {
        eprintln!("CASES_DIR is not set");
        return;
    };
    let files = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let small = files.filter(|path| path.metadata().is_ok_and(|data| data.is_file() && data.len() < 1 << 20));
    let (zips, others): (Vec<_>, Vec<_>) = small.partition(|path| path.extension().is_some_and(|end| end == "zip"));
    for (truth, zip) in others.iter().flat_map(|truth| zips.iter().map(move |zip| (truth, zip))) {
        let [truth_bytes, zip_bytes] = [truth, zip].map(|path| std::fs::read(path).expect("a file"));
        let what = format!("{} and {}", truth.display(), zip.display());
        assert_galleries_are_what_is_counted(&what, &truth_bytes, &zip_bytes);
    }
}

#[test]
fn a_finding_leads_to_the_images_that_it_is_about() {
    let nodule: &[(usize, [f64; 4])] = &[(3, [10.0, 10.0, 49.0, 49.0])];
    let names: Vec<String> = (0..12).map(|at| format!("{at}.{}", if at == 11 { "jpg" } else { "png" })).collect();
    let images = names.iter().map(|name| (name.as_str(), if name == "10.png" { &[] } else { nodule }));
    let truth = support::ground_truth_json(images);
    let gallery = |code: &str, files: &dyn Fn(usize) -> Option<String>| -> Vec<u32> {
        let entries: Vec<(String, String)> =
            (0..11).filter_map(|at| Some((format!("{at}.json"), files(at)?))).collect();
        let zip = support::zip_of(&entries);
        assert_galleries_are_what_is_counted(code, &truth, &zip);
        let seen = seen(&truth, &zip).expect("files in order");
        seen.of_finding.into_iter().find(|(finding, _)| finding.code == code).map(|it| it.1).unwrap_or_default()
    };
    let on = |numbers: &str| Some(format!("[{{\"Nodule\": [{numbers}]}}]"));
    let plain = |at: usize| on(&format!("10, 10, 49, 49, 0.{}", 90 - at));
    let but = |others: &'static [usize], other: &'static str| {
        move |at: usize| if others.contains(&at) { Some(other.to_owned()) } else { plain(at) }
    };
    assert_eq!(gallery("image_without_file", &|at| (at != 3).then(|| plain(at)).flatten()), [3, 11]);
    assert_eq!(gallery("empty_file", &but(&[1], "")), [1]);
    assert_eq!(gallery("image_name_without_png", &plain), [11]);
    let twice = "[{\"Nodule\": [1, 1, 9, 9, 0.3]}, {\"Mass\": [1, 1, 9, 9, 0.2]}, {\"Nodule\": [1, 1, 9, 9, 0.1]}]";
    assert_eq!(gallery("duplicate_detection", &but(&[2, 5], twice)), [2, 5]);
    let other_class = "[{\"Nodule\": [1, 1, 9, 9, 0.3]}, {\"Mass\": [1, 1, 9, 9, 0.3]}]";
    assert_eq!(gallery("duplicate_detection", &but(&[2], other_class)), [0_u32; 0]);
    assert_eq!(gallery("many_ties", &but(&[2], other_class)), [0_u32; 0]);
    let equal = |at: usize| if at.is_multiple_of(3) { plain(at) } else { on("10, 10, 49, 49, 0.5") };
    assert_eq!(gallery("many_ties", &equal), [1, 2, 4, 5, 7, 8, 10]);
    let high = |at: usize| if at == 4 { plain(at) } else { on(&format!("10, 10, 49, 49, {}", 90 - at)) };
    assert_eq!(gallery("scores_in_percent", &high), [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
    let outside = "[{\"Nodule\": [1024, 10, 1030, 49, 0.25]}]";
    assert_eq!(gallery("box_outside_image", &but(&[3], outside)), [3]);
    assert_eq!(gallery("unread_class_name", &but(&[0], "[{\"NODULE\": [1, 1, 9, 9, 0.9]}]")), [0]);
    let spellings = "[{\"Nodule\": [1, 1, 9, 9, 0.9], \"nodule\": [1, 1, 9, 9, 0.9]}]";
    assert_eq!(gallery("both_spellings", &but(&[1], spellings)), [1]);
    let every_second = |at: usize| if at < 4 { plain(at) } else { Some("[]".to_owned()) };
    assert_eq!(gallery("most_files_empty", &every_second), [4, 5, 6, 7, 8, 9, 11]);
    assert_eq!(gallery("class_never_predicted", &|_| Some("[]".to_owned())), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
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

/// A class alone is listed without looking at causes, which a query of every category looks at.
#[test]
fn a_class_is_listed_before_the_causes_are_known_as_after() {
    let every: Vec<Category> = Category::causes().chain([Category::TruePositive, Category::Ignored]).collect();
    let mut n_listed = 0;
    for case in cases::cases() {
        let mut session = Session::default();
        session.add_path("g", &case.join("test.json")).expect("a ground truth in order");
        session.add_path("run", &case.join("predictions.zip")).expect("a zip in order");
        session.evaluate(&Options::default());
        let Some(run) = session.run_ids().first().cloned() else { continue };
        let thresholds =
            session.operating_thresholds(&run, &[0.2], 0.5, false).expect("a run").remove(0).into_iter().collect();
        let view = View { run, iou_threshold: 0.5, fp_per_image: Some(0.2), thresholds };
        let of = |class: usize| GalleryQuery { class: Some(class), ..GalleryQuery::of(view.clone()) };
        let before: Vec<Vec<u32>> = (0..10).map(|class| session.gallery(&of(class)).expect("a run")).collect();
        for (class, before) in before.iter().enumerate() {
            let query = GalleryQuery { categories: every.clone(), ..of(class) };
            assert_eq!(&session.gallery(&query).expect("a run"), before, "{}, class {class}", case.display());
            assert_eq!(&session.gallery(&of(class)).expect("a run"), before, "{}, class {class}", case.display());
            n_listed += before.len();
        }
    }
    assert!(n_listed > 100, "{n_listed}");
}
