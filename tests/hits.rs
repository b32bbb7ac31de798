//! The hit criteria against plain loops on random datasets, and how reports name them.
// Plain loops in the letters of the specification.
#![allow(clippy::float_cmp, clippy::cast_possible_truncation, clippy::many_single_char_names)]

use crate::support;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use froc::diagnosis::{Category, Diagnosis, operating_thresholds};
use froc::geometry::Measure;
use froc::options::Hit;
use froc::report::image::ImageReport;
use froc::session::Session;
use froc::thresholds::Thresholds;
use froc::{GroundTruth, Options, Predictions, Prepared, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::same_cases_every_time;

const NAMES: [&str; 2] = ["Nodule", "Mass"];
type Corners = [f64; 4];

#[derive(Debug, Clone)]
struct Image {
    lesions: Vec<(usize, Corners)>,
    detections: Vec<(usize, Corners, f64)>,
}

fn corners() -> impl Strategy<Value = Corners> {
    (0..6_u8, 0..4_u8, 0..5_u8, 0..5_u8).prop_map(|(x, y, width, height)| [x, y, x + width, y + height].map(f64::from))
}

fn images() -> impl Strategy<Value = Vec<Image>> {
    let score = prop_oneof![2 => select(vec![0.9, 0.5, 0.25]), 3 => 0.0..1.0];
    let image = (vec((0..2_usize, corners()), 0..4), vec((0..2_usize, corners(), score), 0..7)).prop_map(
        |(lesions, mut detections)| {
            // Some beside a lesion, so that hits by every criterion occur.
            for (at, detection) in detections.iter_mut().enumerate().filter(|(at, _)| at % 3 == 0) {
                if let Some((class, [x1, y1, x2, y2])) = lesions.get(at / 3) {
                    *detection = (*class, [*x1, *y1, x2 + f64::from(at as u8 % 2), *y2], detection.2);
                }
            }
            Image { lesions, detections }
        },
    );
    vec(image, 1..7)
}

fn hit() -> impl Strategy<Value = &'static str> {
    select(vec![
        "iou:0.5",
        "iou:0.1",
        "iobb:0.5",
        "iobb:0.25",
        "iobb:1",
        "ior:0.5",
        "ior:0.25",
        "ior:1",
        "centre",
        "distance:0.5",
        "distance:2.5",
        "distance:1",
        "distance:100",
    ])
}

fn truth(images: &[Image]) -> GroundTruth {
    let annotations: Vec<Value> = images
        .iter()
        .enumerate()
        .flat_map(|(at, image)| {
            image.lesions.iter().map(move |(class, [x1, y1, x2, y2])| {
                json!({"image_id": at, "category_id": class, "bbox": [x1, y1, x2 - x1, y2 - y1]})
            })
        })
        .collect();
    let names: Vec<Value> = (0..images.len()).map(|at| json!({"id": at, "file_name": format!("{at}.png")})).collect();
    let categories: Vec<Value> = NAMES.iter().enumerate().map(|(id, name)| json!({"id": id, "name": name})).collect();
    let file = json!({"images": names, "annotations": annotations, "categories": categories});
    froc::read_ground_truth("instances.json", file.to_string().as_bytes()).expect("a ground truth")
}

fn predictions(images: &[Image]) -> Predictions {
    let files: Vec<(String, String)> = images
        .iter()
        .enumerate()
        .map(|(at, image)| {
            let entries: Vec<Value> = image
                .detections
                .iter()
                .map(|(class, [x1, y1, x2, y2], score)| json!({NAMES[*class]: [x1, y1, x2, y2, score]}))
                .collect();
            (format!("{at}.json"), Value::from(entries).to_string())
        })
        .collect();
    support::read_predictions(&support::stored_zip_of(&files)).expect("predictions")
}

fn prepared(truth: &GroundTruth, predictions: Predictions) -> Prepared {
    let runs = froc::prepare(truth, &Arc::new(predictions), &Reading::default());
    runs.unwrap_or_else(|refusal| panic!("{}", refusal.errors[0])).remove(0)
}

/// How well a detection reaches a lesion, and whether that is a hit, as section 11 has it; `None` if it reaches nothing.
fn reach(criterion: &str, a: Corners, b: Corners) -> Option<(f64, bool)> {
    let (name, threshold) = criterion.split_once(':').unwrap_or((criterion, "0"));
    let threshold: f64 = threshold.parse().expect("a number");
    let area = |c: Corners| (c[2] - c[0]) * (c[3] - c[1]);
    let shared = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0) * (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let centre = |c: Corners| [f64::midpoint(c[0], c[2]), f64::midpoint(c[1], c[3])];
    let ([x, y], [u, v]) = (centre(a), centre(b));
    let distance = (x - u).hypot(y - v);
    let share = |whole: f64| (shared > 0.0).then(|| (f64::from((shared / whole) as f32), shared / whole >= threshold));
    match name {
        "iou" => share(area(a) + area(b) - shared),
        "iobb" => share(area(a)),
        "ior" => share(area(b)),
        "centre" => (b[0] <= x && x <= b[2] && b[1] <= y && y <= b[3]).then(|| (1.0 / (1.0 + distance), true)),
        "distance" => Some((1.0 / (1.0 + distance), distance <= threshold)),
        _ => panic!("{name}"),
    }
}

/// Score and whether it is a true positive of each detection of a class, by falling score.
fn verdicts(images: &[Image], class: usize, criterion: &str) -> Vec<(f32, bool)> {
    let mut ranked: Vec<(usize, Corners, f32)> = Vec::new();
    for (at, image) in images.iter().enumerate() {
        let of_class = image.detections.iter().filter(|detection| detection.0 == class);
        ranked.extend(of_class.map(|(_, bbox, score)| (at, *bbox, *score as f32)));
    }
    // The later one of two equal scores goes first.
    ranked.reverse();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut verdicts = Vec::new();
    for (at, bbox, score) in ranked {
        let mut best: Option<(usize, f64, bool)> = None;
        for (place, (of, lesion)) in images[at].lesions.iter().enumerate().filter(|(_, lesion)| lesion.0 == class) {
            assert_eq!(*of, class);
            let Some((measure, is_hit)) = reach(criterion, bbox, *lesion) else { continue };
            if best.is_none_or(|best| measure > best.1) {
                best = Some((place, measure, is_hit));
            }
        }
        let is_new = match best {
            Some((place, _, true)) if !found.contains(&(at, place)) => {
                found.push((at, place));
                true
            }
            _ => false,
        };
        verdicts.push((score, is_new));
    }
    verdicts
}

/// The lowest score threshold within a rate: true positives, false positives, threshold.
fn exact(ranked: &[(f32, bool)], n_images: usize, rate: f64) -> (usize, usize, Option<f32>) {
    let mut best = (0, 0, None);
    for (least, _) in ranked {
        let count = |wanted: bool| ranked.iter().filter(|(score, is_hit)| score >= least && *is_hit == wanted).count();
        if count(false) as f64 / n_images as f64 <= rate {
            best = (count(true), count(false), Some(*least));
        }
    }
    best
}

#[test]
fn each_criterion_is_that_of_plain_loops() {
    let rates = vec![0.25, 1.0, 4.0];
    let seen: RefCell<BTreeMap<&str, [usize; 2]>> = RefCell::default();
    let mut runner = TestRunner::new(same_cases_every_time(2600));
    let checked = runner.run(&(images(), hit()), |(images, criterion)| {
        let hit = Hit::parse(criterion).expect("a criterion");
        let truth = truth(&images).measured_by(hit.measure());
        let run = prepared(&truth, predictions(&images));
        let options = Options::of_hit(hit, rates.clone()).expect("options in range");
        let report = froc::evaluate(&truth, &[&run.run], &options);
        for (class, ours) in report.runs[0].classes.iter().enumerate() {
            let ranked = verdicts(&images, class, criterion);
            let n_hits = ranked.iter().filter(|(_, is_hit)| *is_hit).count();
            assert_eq!([ours.true_positives, ours.false_positives], [n_hits, ranked.len() - n_hits], "{criterion}");
            let n_lesions = images.iter().flat_map(|image| &image.lesions).filter(|lesion| lesion.0 == class).count();
            for (at, rate) in rates.iter().enumerate().filter(|_| n_lesions > 0) {
                let (hits, misses, threshold) = exact(&ranked, images.len(), *rate);
                assert_eq!(ours.exact.recall[at], Some(hits as f64 / n_lesions as f64), "{criterion}");
                assert_eq!(ours.exact.false_positives[at], Some(misses as u32), "{criterion}");
                assert_eq!(ours.exact.score_threshold[at], threshold, "{criterion}");
            }
            let mut seen = seen.borrow_mut();
            let seen = seen.entry(criterion).or_default();
            *seen = [seen[0] + n_hits, seen[1] + ranked.len() - n_hits];
        }
        // What the gallery says is what the score says.
        let diagnosis = Diagnosis::new(&truth, &run, options.iou_threshold());
        let thresholds = operating_thresholds(&truth, &run.run, options.iou_threshold(), 1e9);
        let shown: Vec<ImageReport> = (0..images.len() as u32)
            .map(|image| ImageReport::new(&truth, &run, &diagnosis, &thresholds, image))
            .collect();
        let found = shown.iter().flat_map(|image| &image.detections).filter(|it| it.category == Category::TruePositive);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), report.runs[0].classes.iter().map(|class| class.true_positives).sum::<usize>());
        assert!(found.iter().all(|it| it.overlaps.as_ref().is_some_and(|on| on.class == it.class)), "{criterion}");
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    let seen = seen.into_inner();
    assert!(seen.len() == 13 && seen.values().all(|[hits, misses]| *hits.min(misses) > 20), "{seen:?}");
}

/// coco-froc-analysis 0.2.15, by centres. It takes any detection of an image for a hit while lesions are left, however far it is, so
/// the boxes are such that this makes no difference.
#[test]
fn centres_are_those_of_coco_froc_analysis() {
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/centre").join(name);
        fs::read(path).expect("a file")
    };
    let truth = froc::read_ground_truth("instances.json", &file("instances.json")).expect("a ground truth");
    let results = || froc::input::read_predictions_of_all("results.json", &file("results.json")).expect("predictions");
    let expected: Vec<Value> = serde_json::from_slice(&file("coco_froc_analysis.json")).expect("JSON");
    let counted = |measure: Measure| -> Vec<Value> {
        let truth = truth.measured_by(measure);
        let run = prepared(&truth, results());
        let point = |expected: &Value| {
            let least = expected["score_above"].as_f64().expect("a number");
            let mut point = json!({"score_above": least});
            for class in truth.classes() {
                let n_lesions = truth.n_lesions(class);
                let verdicts = run.run.verdicts(class, n_lesions, 0.5, truth.protocol().extent());
                let shown = run.run.ranking(class).scores().iter().filter(|score| f64::from(**score) > least).count();
                let hits = verdicts.hits().filter(|rank| (*rank as usize) < shown).count();
                point[truth.class_name(class)] = json!([hits, shown - hits, n_lesions]);
            }
            point
        };
        expected.iter().map(point).collect()
    };
    assert_eq!(counted(Measure::Centre), expected);
    assert_ne!(counted(Measure::Iou), expected, "the criterion decides");
}

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/synthetic").join(file)
}

fn session() -> Session {
    let mut session = Session::default();
    session.add_path("truth", &golden("test.json")).expect("a ground truth");
    session.add_path("run", &golden("predictions.zip")).expect("predictions");
    session
}

/// Official only by IoU 0.5; every place that names an IoU names the criterion.
#[test]
fn reports_name_the_criterion_and_are_official_by_iou_alone() {
    for (criterion, caption) in [
        ("iobb:0.5", "IoBB 0.5"),
        ("ior:0.3", "IoR 0.3"),
        ("centre", "centre in the box"),
        ("distance:40", "centres within 40 pixels"),
    ] {
        let options = Options::default().with_hit(Hit::parse(criterion).expect("a criterion"));
        let mut session = session();
        let report = session.evaluate(&options).report.clone().expect("a report");
        let official = &report.runs[0].official;
        assert_eq!(
            (official.is_official, official.name.as_str()),
            (false, format!("the script's rules at {caption}").as_str())
        );
        assert_eq!(report.options.hit(), options.hit());
        for format in ["text", "markdown", "html", "latex", "csv", "cite"] {
            let bytes = session.export(froc::render::Format::named(format).expect("a format")).expect("bytes");
            let text = String::from_utf8(bytes).expect("UTF-8");
            let named = if format == "csv" { criterion } else { caption };
            assert!(format == "text" || text.contains(named), "{format} {criterion}");
            assert!(!text.contains("IoU threshold 0") && !text.contains("IoU 0"), "{format}, {criterion}: {text}");
        }
        // And back: by IoU it is official.
        let report = session.evaluate(&Options::default()).report.clone().expect("a report");
        assert!(report.runs[0].official.is_official && report.options.hit.is_none());
        // Thresholds are of the criterion under which they were chosen.
        session.evaluate(&options);
        let chosen = session.thresholds("run", &options).expect("thresholds");
        let again = Thresholds::read("t.json", &chosen.json().expect("bytes")).expect("thresholds");
        session.add_thresholds(&again).expect("the same criterion");
        session.evaluate(&Options::default());
        let refused = session.add_thresholds(&again).expect_err("another criterion").to_string();
        let expected = format!(
            "t.json: its score thresholds are for {caption}; expected those for IoU 0.5: score with --hit {criterion}, or choose them anew."
        );
        assert_eq!(refused, expected);
    }
}

#[test]
fn a_saved_session_keeps_the_criterion() {
    let options = Options::default().with_hit(Hit::parse("centre").expect("a criterion"));
    let mut first = session();
    let report = first.evaluate(&options).report.clone();
    let saved = first.save("", None).expect("a session");
    assert_eq!(saved.options().expect("options"), options);
    let mut second = session();
    second.restore(&saved).expect("the same files");
    assert_eq!(second.evaluate(&saved.options().expect("options")).report, report);
}

#[test]
fn what_is_no_criterion_is_refused_with_those_that_are() {
    let refused = |text: &str| Hit::parse(text).expect_err("a refusal").to_string();
    let all = "expected iou:0.5, iobb:0.5, ior:0.5, centre, or distance:10 for 10 pixels.";
    assert_eq!(refused("giou:0.5"), format!("Hit criterion: there is giou:0.5; {all}"));
    for text in ["distance", "centre:3", ""] {
        assert!(refused(text).ends_with(all), "{}", refused(text));
    }
    assert_eq!(refused("distance:0"), "Hit criterion distance: there is 0; expected pixels above 0, such as 10.");
    assert_eq!(refused("iobb:half"), "Hit criterion iobb: there is half; expected a number from 0 to 1, such as 0.5.");
    assert!(refused("ior:1.5").ends_with("expected a number from 0 to 1, such as 0.5."));
    assert_eq!(Hit::parse("iobb:0,3").map(Hit::id).ok(), Some("iobb:0.3".to_owned()));
}
