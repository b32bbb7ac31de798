//! Lesions that count neither as found nor against a detection: crowds of COCO, difficult objects of Pascal VOC, and classes that
//! a person asks to ignore; against plain loops on random datasets.
#![allow(clippy::float_cmp, clippy::cast_possible_truncation)]

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use froc::bootstrap::Uncertainty;
use froc::convert::{Target, convert};
use froc::dataset::{Detections, IgnoredAs, Lesion};
use froc::diagnosis::{Category, Diagnosis, Outcome, operating_thresholds};
use froc::input::labels::Labels;
use froc::protocol::{Class, Protocol};
use froc::report::Report;
use froc::report::image::ImageReport;
use froc::report::statistics::Wanted;
use froc::score::average_precision::{DEFAULT_MAX_DETECTIONS, average_precision};
use froc::thresholds::Thresholds;
use froc::{GroundTruth, Groups, Options, Predictions, Prepared, Reading, Resampling, Row};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::same_cases_every_time;

const NAMES: [&str; 3] = ["Nodule", "Mass", "Effusion"];

type Corners = [f64; 4];

#[derive(Debug, Clone, Default)]
struct Image {
    /// Class, box, and whether it is marked as one to be ignored.
    lesions: Vec<(usize, Corners, bool)>,
    /// Class, box and score.
    detections: Vec<(usize, Corners, f64)>,
}

#[derive(Debug, Clone)]
struct Case {
    images: Vec<Image>,
    /// A class that is ignored as a whole.
    ignored: Option<usize>,
    rates: Vec<f64>,
    iou_threshold: f64,
}

fn corners() -> impl Strategy<Value = Corners> {
    (0..4_u8, 0..3_u8, 1..5_u8, 1..4_u8).prop_map(|(x, y, width, height)| [x, y, x + width, y + height].map(f64::from))
}

fn image() -> impl Strategy<Value = Image> {
    let score = prop_oneof![2 => select(vec![0.9, 0.5, 0.25]), 3 => 0.0..1.0];
    (vec((0..3_usize, corners(), any::<bool>()), 0..4), vec((0..3_usize, corners(), score), 0..7))
        .prop_map(|(lesions, detections)| Image { lesions, detections })
}

fn case() -> impl Strategy<Value = Case> {
    let rates = select(vec![vec![0.05, 0.1, 0.2], vec![0.5, 1.0], vec![0.25, 2.0, 8.0]]);
    let ignored = prop::option::weighted(0.4, 0..3_usize);
    (vec(image(), 1..7), ignored, rates, select(vec![0.1, 0.3, 0.5, 0.75]))
        .prop_map(|(images, ignored, rates, iou_threshold)| Case { images, ignored, rates, iou_threshold })
}

impl Case {
    /// COCO's instances, marked lesions as crowds.
    fn coco(&self) -> GroundTruth {
        let (mut images, mut annotations) = (Vec::new(), Vec::new());
        for (at, image) in self.images.iter().enumerate() {
            images.push(json!({"id": at, "file_name": format!("{at}.png"), "width": 8, "height": 8}));
            for (class, [x1, y1, x2, y2], is_crowd) in &image.lesions {
                let bbox = [*x1, *y1, x2 - x1, y2 - y1];
                annotations
                    .push(json!({"image_id": at, "category_id": class, "bbox": bbox, "iscrowd": u8::from(*is_crowd)}));
            }
        }
        let categories: Vec<Value> = (0..3).map(|class| json!({"id": class, "name": NAMES[class]})).collect();
        let file = json!({"images": images, "annotations": annotations, "categories": categories});
        froc::read_ground_truth("instances.json", file.to_string().as_bytes()).expect("a ground truth")
    }

    /// Pascal VOC's files, marked lesions as difficult ones.
    fn voc(&self) -> GroundTruth {
        let mut labels = Labels::default();
        for (at, image) in self.images.iter().enumerate() {
            let mut xml = format!("<annotation><filename>{at}.png</filename>");
            for (class, [x1, y1, x2, y2], is_difficult) in &image.lesions {
                let _ = write!(
                    xml,
                    "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>",
                    NAMES[*class],
                    // As tools write it; a file holds one way or several.
                    if *is_difficult { ["1", "True", "true", " 1 "] } else { ["0", "False", "Unspecified", ""] }
                        [at % 4]
                );
            }
            xml.push_str("</annotation>");
            labels.add(&format!("{at}.xml"), xml.as_bytes()).expect("labels");
        }
        labels.finish("labels.zip", String::new()).expect("a ground truth")
    }

    fn results(&self) -> Predictions {
        let mut results = Vec::new();
        for (at, image) in self.images.iter().enumerate() {
            for (class, [x1, y1, x2, y2], score) in &image.detections {
                let bbox = [*x1, *y1, x2 - x1, y2 - y1];
                results.push(
                    json!({"image_id": at.to_string(), "category_id": NAMES[*class], "bbox": bbox, "score": score}),
                );
            }
        }
        if results.is_empty() {
            return Predictions::new("results.json", Vec::new(), Detections::default());
        }
        let file = Value::from(results).to_string();
        froc::input::read_predictions_of_all("results.json", file.as_bytes()).expect("predictions")
    }

    fn options(&self) -> Options {
        Options::new(self.iou_threshold, self.rates.clone()).expect("options in range")
    }

    /// The classes that are scored, by their places in [`NAMES`].
    fn scored(&self) -> impl Iterator<Item = usize> {
        (0..3).filter(|class| self.ignored != Some(*class))
    }
}

fn prepared(truth: &GroundTruth, predictions: Predictions) -> Prepared {
    let runs = froc::prepare(truth, &Arc::new(predictions), &Reading::default());
    runs.unwrap_or_else(|refusal| panic!("{}", refusal.errors[0])).remove(0)
}

/// What became of a detection, by plain loops.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Found,
    False,
    Ignored,
}

fn iou(a: Corners, b: Corners, pixel: f32) -> f32 {
    let (a, b) = (a.map(|number| number as f32), b.map(|number| number as f32));
    let width = (a[2].min(b[2]) - a[0].max(b[0]) + pixel).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1]) + pixel).max(0.0);
    let area = |c: [f32; 4]| (c[2] - c[0] + pixel) * (c[3] - c[1] + pixel);
    width * height / (area(a) + area(b) - width * height)
}

/// Image, place in it, score and fate of each detection of a class, by falling score.
fn fates(case: &Case, class: usize, pixel: f32) -> Vec<(usize, usize, f32, Fate)> {
    let mut ranked = Vec::new();
    for (at, image) in case.images.iter().enumerate() {
        for (place, (of, _, score)) in image.detections.iter().enumerate() {
            if *of == class {
                ranked.push((at, place, *score as f32, Fate::False));
            }
        }
    }
    // The later one of two equal scores goes first.
    ranked.reverse();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let threshold = case.iou_threshold as f32;
    let mut found: Vec<(usize, usize)> = Vec::new();
    for one in &mut ranked {
        let image = &case.images[one.0];
        let bbox = image.detections[one.1].1;
        let (mut best, mut best_iou, mut is_on_ignored) = (None, 0.0, false);
        for (place, (of, lesion, is_marked)) in image.lesions.iter().enumerate() {
            let overlap = iou(bbox, *lesion, pixel);
            if case.ignored == Some(*of) || (*of == class && *is_marked) {
                is_on_ignored |= overlap >= threshold;
            } else if *of == class && overlap > best_iou {
                (best, best_iou) = (Some(place), overlap);
            }
        }
        one.3 = match best.filter(|_| best_iou >= threshold) {
            Some(place) if found.contains(&(one.0, place)) => Fate::False,
            Some(place) => {
                found.push((one.0, place));
                Fate::Found
            }
            None if is_on_ignored => Fate::Ignored,
            None => Fate::False,
        };
    }
    ranked
}

/// Recall, score threshold and false positives of the lowest threshold within a rate.
fn exact(case: &Case, ranked: &[(usize, usize, f32, Fate)], n_lesions: usize, rate: f64) -> (f64, Option<f32>, u32) {
    let mut best = (0, None, 0);
    for (.., threshold, fate) in ranked {
        if *fate == Fate::Ignored {
            continue;
        }
        let count =
            |wanted: Fate| ranked.iter().filter(|(.., score, fate)| score >= threshold && *fate == wanted).count();
        if count(Fate::False) as f64 / case.images.len() as f64 <= rate {
            best = (count(Fate::Found), Some(*threshold), count(Fate::False) as u32);
        }
    }
    (best.0 as f64 / n_lesions as f64, best.1, best.2)
}

fn compare(case: &Case, truth: &GroundTruth, report: &Report) {
    let run = &report.runs[0];
    let mut means = vec![Vec::new(); case.rates.len()];
    let (mut n_all, mut n_marked) = (0, 0);
    for class in case.scored() {
        let marks = || case.images.iter().flat_map(|image| &image.lesions).filter(|lesion| lesion.0 == class);
        let n_lesions = marks().filter(|lesion| !lesion.2).count();
        n_all += n_lesions;
        n_marked += marks().count() - n_lesions;
        let Some(ours) = run.classes.iter().find(|ours| ours.name == NAMES[class]) else {
            assert_eq!(marks().count(), 0, "a class is missing");
            continue;
        };
        let ranked = fates(case, class, 0.0);
        let count = |wanted: Fate| ranked.iter().filter(|one| one.3 == wanted).count();
        assert_eq!(
            [ours.n_lesions, ours.true_positives, ours.false_positives, ours.n_ignored],
            [n_lesions, count(Fate::Found), count(Fate::False), count(Fate::Ignored)],
            "{}",
            ours.name
        );
        for (at, rate) in case.rates.iter().enumerate().filter(|_| n_lesions > 0) {
            let (recall, threshold, false_positives) = exact(case, &ranked, n_lesions, *rate);
            assert_eq!(ours.exact.recall[at], Some(recall), "{}", ours.name);
            assert_eq!(
                (ours.exact.score_threshold[at], ours.exact.false_positives[at]),
                (threshold, Some(false_positives))
            );
            means[at].push(recall);
        }
    }
    for (mean, ours) in means.iter().zip(&run.exact.recall) {
        let theirs = (!mean.is_empty()).then(|| mean.iter().sum::<f64>() / mean.len() as f64);
        assert_eq!(*ours, theirs);
    }
    let n_of_class =
        case.images.iter().flat_map(|image| &image.lesions).filter(|one| case.ignored == Some(one.0)).count();
    assert_eq!((report.ground_truth.n_lesions, report.ground_truth.n_ignored), (n_all, n_marked + n_of_class));
    let told: usize =
        report.findings.iter().filter(|finding| finding.sentence.contains("ignored")).map(|it| it.count).sum();
    assert_eq!(told, report.ground_truth.n_ignored, "the findings tell the source of each");
    assert!(!run.official.is_official);
    assert_eq!(truth.ignored().len(), report.ground_truth.n_ignored);
}

/// A ground truth of the case where its class is ignored, if there is one that can be.
fn ignoring(case: &Case, truth: GroundTruth) -> Option<GroundTruth> {
    match case.ignored {
        None => Some(truth),
        Some(class) => truth.ignoring(&[NAMES[class].to_owned()]).ok(),
    }
}

#[test]
fn exact_scores_are_those_of_plain_loops_whatever_tells_what_is_ignored() {
    let (n_ignored, n_compared) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(same_cases_every_time(1500));
    let checked = runner.run(&case(), |case| {
        for truth in [case.coco(), case.voc()] {
            // A class that no lesion has is none of Pascal VOC's.
            let Some(truth) = ignoring(&case, truth) else { continue };
            let run = prepared(&truth, case.results());
            let report = froc::evaluate(&truth, &[&run.run], &case.options());
            compare(&case, &truth, &report);
            n_ignored.set(n_ignored.get() + report.runs[0].classes.iter().map(|class| class.n_ignored).sum::<usize>());
            n_compared.set(n_compared.get() + 1);
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(n_compared.get() > 2500 && n_ignored.get() > 1000, "{n_compared:?} {n_ignored:?}");
}

/// All that is read of matching, official rules, bounds of ties, curves, intervals: without the detections that are ignored it is
/// the same.
#[test]
fn without_the_detections_that_are_ignored_all_figures_are_the_same() {
    let mut runner = TestRunner::new(same_cases_every_time(300));
    let n_left_out = Cell::new(0);
    let checked = runner.run(&case(), |case| {
        for protocol in [None, Some(Protocol::default())] {
            let truth = case.coco().under(protocol.as_ref()).expect("the same images");
            let Some(truth) = ignoring(&case, truth) else { continue };
            let pixel = if protocol.is_some() { 1.0 } else { 0.0 };
            let mut without = case.clone();
            for (at, image) in without.images.iter_mut().enumerate() {
                let is_ignored = |place: usize| {
                    let of = |class| fates(&case, class, pixel).into_iter();
                    case.scored().flat_map(of).any(|one| (one.0, one.1, one.3) == (at, place, Fate::Ignored))
                };
                let mut place = 0;
                image.detections.retain(|_| {
                    place += 1;
                    !is_ignored(place - 1)
                });
                n_left_out.set(n_left_out.get() + place - image.detections.len());
            }
            let [with, without] = [&case, &without].map(|case| figures(case, &truth, case.results()));
            differences("", &with, &without);
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(n_left_out.get() > 300, "{n_left_out:?}");
}

/// Fails where two reports differ, and says where.
fn differences(place: &str, a: &Value, b: &Value) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().for_each(|(key, a)| differences(&format!("{place}/{key}"), a, &b[key]));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(at, (a, b))| differences(&format!("{place}/{at}"), a, b));
        }
        _ => assert_eq!(a, b, "{place}"),
    }
}

/// Everything that rests on verdicts, but for the other convention of the pixel, under which other detections are ignored.
fn figures(case: &Case, truth: &GroundTruth, predictions: Predictions) -> Value {
    let run = prepared(truth, predictions);
    let options = case.options();
    let resampling = Resampling::new(20, 1, 0.9).expect("in range");
    let by_image = Groups::images(truth);
    let mut uncertainty =
        Uncertainty::new(truth, &[&run.run, &run.run], (&options, 0.9), resampling, by_image).expect("few lesions");
    while !uncertainty.step(u32::MAX) {}
    let wanted = Wanted { uncertainty: Some(&uncertainty), baseline: Some(0), ..Wanted::default() };
    let runs = [(&run.run, &*run.predictions), (&run.run, &*run.predictions)];
    let report = froc::evaluate_with_statistics(truth, &runs, &options, wanted);
    let mut of_run = serde_json::to_value(&report.runs[0]).expect("JSON");
    let mut rows = of_run["statistics"]["rows"].take();
    for row in rows.as_array_mut().expect("a list") {
        // They have matchings of their own.
        row["average_precision"] = Value::Null;
        row["image_roc"] = Value::Null;
        // An image is shown by any detection, wherever it is.
        row["at_specificity"] = Value::Null;
        if let Some(operating) = row.get_mut("operating").and_then(Value::as_object_mut) {
            operating.retain(|_, value| !value.to_string().contains("image_sensitivity"));
        }
    }
    let sizes = of_run["statistics"]["sizes"].take();
    of_run["statistics"] = Value::Null;
    for key in ["findings", "n_detections", "n_files", "formats", "sha256"] {
        of_run[key] = Value::Null;
    }
    for class in of_run["classes"].as_array_mut().expect("a list") {
        class["n_ignored"] = Value::Null;
    }
    of_run["official"]["quirks"]
        .as_array_mut()
        .expect("a list")
        .retain(|quirk| quirk["id"] != "Q8" && quirk["id"] != "Q5");
    let curves: Vec<Value> = [Row::Mean, Row::Pooled]
        .map(|row| serde_json::to_value(froc::curve(truth, &run.run, row, &options)).expect("JSON"))
        .into();
    let diagnosis = Diagnosis::new(truth, &run, options.iou_threshold());
    let tallies: Vec<String> = case
        .rates
        .iter()
        .map(|rate| {
            let thresholds = operating_thresholds(truth, &run.run, options.iou_threshold(), *rate);
            let of = |class| {
                let tally = diagnosis.tally(truth, &run.run, class, &thresholds, Some(*rate));
                format!(
                    "{} {} {:?} {:?}",
                    tally.true_positives,
                    tally.false_positives,
                    &tally.causes[..6],
                    &tally.recall_if_mended[..6]
                )
            };
            truth.classes().map(of).collect()
        })
        .collect();
    let reached = Thresholds::of(truth, &run.run, &options).reached(truth, &run.run, case.iou_threshold, None);
    let reached = format!("{:?}", reached.expect("thresholds of the same run"));
    let changes = serde_json::to_value(&report.comparisons).expect("JSON");
    json!({"run": of_run, "rows": rows, "sizes": sizes, "curves": curves, "tallies": tallies, "changes": changes, "reached": reached})
}

/// A ground truth of one image with a lesion to be found, a crowd and a lesion of another class; and a detection on each.
fn one_of_each() -> (GroundTruth, Predictions) {
    let image = |lesions, detections| Image { lesions, detections };
    let [found, crowd, other] = [0.0, 20.0, 40.0].map(|x| [x, 0.0, x + 10.0, 10.0]);
    let case = Case {
        images: vec![
            image(
                vec![(0, found, false), (0, crowd, true), (1, other, false)],
                vec![(0, found, 0.9), (0, crowd, 0.8), (0, other, 0.7)],
            ),
            image(Vec::new(), Vec::new()),
        ],
        ignored: None,
        rates: vec![1.0],
        iou_threshold: 0.5,
    };
    (case.coco(), case.results())
}

#[test]
fn images_show_what_is_ignored_as_neither_found_nor_missed() {
    let (truth, predictions) = one_of_each();
    let truth = truth.ignoring(&["Mass".to_owned()]).expect("a class");
    let run = prepared(&truth, predictions);
    let diagnosis = Diagnosis::new(&truth, &run, 0.5);
    let thresholds = truth.per_class(|_| Some(0.0));
    let image = ImageReport::new(&truth, &run, &diagnosis, &thresholds, 0);
    let lesions: Vec<_> = image.lesions.iter().map(|lesion| (lesion.class.as_str(), lesion.category)).collect();
    assert_eq!(
        lesions,
        [("Nodule", Category::TruePositive), ("Nodule", Category::Ignored), ("Mass", Category::Ignored)]
    );
    let detections: Vec<_> = image.detections.iter().map(|it| it.category).collect();
    assert_eq!(detections, [Category::TruePositive, Category::Ignored, Category::Ignored]);
    let on: Vec<_> =
        image.detections.iter().map(|it| it.overlaps.as_ref().map(|on| (on.class.as_str(), on.iou))).collect();
    assert_eq!(on, [Some(("Nodule", 1.0)), Some(("Nodule", 1.0)), Some(("Mass", 1.0))]);
    assert_eq!(Category::Ignored.outcome(), Outcome::Ignored);
    assert!(Category::causes().all(|cause| cause != Category::Ignored), "no cause of an error");
    assert!(!truth.is_lesion_free(0) && truth.is_lesion_free(1));
    let reasons: Vec<IgnoredAs> = truth.ignored().iter().map(|lesion| lesion.reason).collect();
    assert_eq!(reasons, [IgnoredAs::Crowd, IgnoredAs::OfClass]);
}

/// Detections of a class that is not scored are no surprise, and no class of the ground truth can be ignored twice or alone.
#[test]
fn a_class_that_is_ignored_is_no_unknown_name() {
    let (truth, mut predictions) = one_of_each();
    let mut detections = Detections::default();
    detections.append(predictions.detections().clone()).expect("memory");
    let renamed = |name: &str| (name == "Nodule").then(|| "Mass".to_owned());
    detections.rename(renamed);
    predictions = Predictions::new("masses", predictions.files().clone(), detections);
    let truth = truth.ignoring(&["Mass".to_owned()]).expect("a class");
    let run = prepared(&truth, predictions);
    let codes: Vec<&str> = run.run.findings().iter().map(|finding| finding.code).collect();
    assert!(!codes.contains(&"unread_class_name"), "{codes:?}");
    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        one_of_each().0.ignoring(&names).expect_err("a refusal").to_string()
    };
    assert_eq!(
        refused(&["nodule"]),
        "Class to be ignored: there is \"nodule\"; expected one of the classes Nodule, Mass, Effusion."
    );
    let all = "Classes to be ignored: there are all of them; expected one of the classes Nodule, Mass, Effusion that is scored.";
    assert_eq!(refused(&NAMES), all);
}

/// A run that is written in another format scores the same where lesions are ignored.
#[test]
fn round_trips_keep_the_score() {
    let mut runner = TestRunner::new(same_cases_every_time(60));
    let checked = runner.run(&case(), |case| {
        let Some(truth) = ignoring(&case, case.coco()) else { return Ok(()) };
        let run = prepared(&truth, case.results());
        let report = |run: &Prepared| froc::evaluate(&truth, &[&run.run], &case.options()).runs.remove(0);
        let has_detections = (0..truth.n_images())
            .flat_map(|image| run.run.detections(image))
            .any(|at| run.run.class(run.predictions.detections(), at as usize).is_some());
        for target in Target::ALL.into_iter().filter(|target| has_detections || *target != Target::Coco) {
            let mut bytes = Vec::new();
            convert(&truth, &run, target, &mut bytes).expect("a format").expect("memory");
            let name = format!("model.{}", target.facts().ending);
            let again = match target.facts().ending {
                "zip" => crate::support::read_predictions(&bytes),
                _ => froc::input::read_predictions_of_all(&name, &bytes),
            };
            let again = prepared(&truth, again.expect("predictions"));
            assert_eq!(report(&run).exact, report(&again).exact, "{name}");
            assert_eq!(report(&run).classes, report(&again).classes, "{name}");
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

/// As pycocotools: a detection counts as nothing by its share on the crowd, which is no overlap of 0.5.
#[test]
fn average_precision_takes_crowds_as_pycocotools_does() {
    let [lesion, crowd, inside] = [[0.0, 0.0, 10.0, 10.0], [100.0, 0.0, 200.0, 100.0], [110.0, 10.0, 120.0, 20.0]];
    let images = vec![Image {
        lesions: vec![(0, lesion, false), (0, crowd, true)],
        detections: vec![(0, inside, 0.9), (0, inside, 0.8), (0, lesion, 0.7)],
    }];
    let case = Case { images, ignored: None, rates: vec![1.0], iou_threshold: 0.5 };
    let truth = case.coco();
    let run = prepared(&truth, case.results());
    let nodule = Class::at(0);
    let precision = |truth: &GroundTruth| {
        average_precision(truth, &run.run, run.predictions.detections(), nodule, DEFAULT_MAX_DETECTIONS)
            .expect("lesions")
    };
    assert!((precision(&truth).ap50_95 - 1.0).abs() < 1e-12);
    let without = truth.clone().with_ignored(Vec::new()).expect("no boxes");
    assert!((precision(&without).ap50_95 - 1.0 / 3.0).abs() < 1e-12);
    // For FROC it is an overlap as any, and far too little.
    let report = froc::evaluate(&truth, &[&run.run], &case.options());
    assert_eq!((report.runs[0].classes[0].false_positives, report.runs[0].classes[0].n_ignored), (2, 0));
}

/// Made-up boxes, with what pycocotools 2.0.11 computed as it comes.
#[test]
fn average_precision_with_crowds_is_that_of_pycocotools() {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/crowds").join(name);
        std::fs::read(path).expect("a file")
    };
    let truth = froc::read_ground_truth("instances.json", &read("instances.json")).expect("a ground truth");
    let results = froc::input::read_predictions_of_all("results.json", &read("results.json")).expect("predictions");
    let run = prepared(&truth, results);
    let expected: Value = serde_json::from_slice(&read("pycocotools.json")).expect("JSON");
    assert!(truth.ignored().len() > 20);
    for class in truth.classes() {
        let detections = run.predictions.detections();
        let ours = average_precision(&truth, &run.run, detections, class, DEFAULT_MAX_DETECTIONS).expect("lesions");
        let theirs = &expected[truth.class_name(class)];
        for (ours, key) in [(ours.ap50, "ap50"), (ours.ap75, "ap75"), (ours.ap50_95, "ap50_95")] {
            assert!((ours - theirs[key].as_f64().expect("a number")).abs() < 1e-12, "{key}: {ours} {theirs}");
        }
    }
}

#[test]
fn an_ignored_lesion_is_checked_as_any() {
    let protocol = Protocol::new("one", vec!["Nodule".to_owned()]);
    let images = vec!["1.png".to_owned()];
    let none: &[Lesion] = &[];
    let truth = GroundTruth::new(
        "t",
        String::new(),
        protocol,
        images.into_iter().collect::<froc::texts::Texts>(),
        none,
        Vec::new(),
    );
    let truth = truth.expect("a ground truth");
    let lesion = |image: u32, x2: f64| froc::dataset::IgnoredLesion {
        image,
        class: Some(Class::at(0)),
        class_name: "Nodule".into(),
        reason: IgnoredAs::Crowd,
        bbox: froc::geometry::FileBox { x1: 0.0, y1: 0.0, x2, y2: 1e30 },
    };
    let refused = |lesion| truth.clone().with_ignored(vec![lesion]).expect_err("a refusal").to_string();
    assert_eq!(refused(lesion(1, 1.0)), "t: an ignored lesion names image number 1; expected a number below 1.");
    assert_eq!(refused(lesion(0, 1e30)), "t, \"1.png\": the area of a box is not finite; expected corners in pixels.");
}
