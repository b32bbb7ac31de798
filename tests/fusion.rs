//! Weighted boxes fusion against the package of its authors, plain loops on random runs, by hand, in a session and in the terminal.
// Plain loops in the letters of the definition.
#![allow(clippy::float_cmp)]

use std::cmp::Ordering;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::process::{Command, Output};
use std::sync::Arc;

use froc::convert::Target;
use froc::dataset::{Detections, PredictionFile};
use froc::fusion::{DEFAULT_IOU, Scored, fuse, fuse_boxes};
use froc::geometry::FileBox;
use froc::limits::MAX_SUPPRESSED_OF_IMAGE;
use froc::session::{GalleryQuery, Session, SessionFile, View};
use froc::{GroundTruth, Options, Predictions, Prepared, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{same_cases_every_time, scratch, zip_of};

/// A box: its class by name, its corners, its score.
type Row = (String, [f64; 4], f64);

/// Images of COCO, in which nothing is but classes.
fn truth(n_images: usize, classes: &[String]) -> GroundTruth {
    let images: Vec<Value> = (0..n_images)
        .map(|image| json!({"id": image, "file_name": format!("{image}.png"), "width": 1024, "height": 1024}))
        .collect();
    let categories: Vec<Value> =
        classes.iter().enumerate().map(|(id, name)| json!({"id": id + 1, "name": name})).collect();
    let lesion = json!({"image_id": 0, "category_id": 1, "bbox": [10, 10, 90, 90]});
    let truth = json!({"images": images, "annotations": [lesion], "categories": categories});
    froc::read_ground_truth("truth.json", truth.to_string().as_bytes()).expect("a ground truth")
}

/// A run with these boxes in each image.
fn run(truth: &GroundTruth, name: &str, images: &[Vec<Row>]) -> Prepared {
    let mut detections = Detections::default();
    let mut files = Vec::new();
    for (image, rows) in images.iter().enumerate() {
        let first = detections.len() as u32;
        for (class, [x1, y1, x2, y2], score) in rows {
            detections.push_named(class, FileBox { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, *score);
        }
        files.push(PredictionFile::new(format!("{image}.json"), first..detections.len() as u32));
    }
    let runs = froc::prepare(truth, &Arc::new(Predictions::new(name, files, detections)), &Reading::default());
    runs.unwrap_or_else(|refusal| panic!("{}", refusal.errors[0])).remove(0)
}

/// What a run holds of each image.
fn rows(n_images: usize, prepared: &Prepared) -> Vec<Vec<Row>> {
    let detections = prepared.predictions.detections();
    let row = |at: u32| {
        let at = at as usize;
        let FileBox { x1, y1, x2, y2 } = detections.box_in_file(at);
        (detections.name(at).to_owned(), [x1, y1, x2, y2], detections.score_in_file(at))
    };
    (0..n_images).map(|image| prepared.run.detections(image).map(row).collect()).collect()
}

fn fused(truth: &GroundTruth, runs: &[&Prepared], iou: f64) -> Vec<Vec<Row>> {
    rows(truth.n_images(), &fuse(truth, runs, iou).expect("a run"))
}

/// `fusion.json` was written by `tests/fusion.py`, which names the package and its version.
#[test]
fn boxes_are_those_of_the_package() {
    let answers: Value = serde_json::from_str(include_str!("fusion.json")).expect("JSON");
    let (mut n_boxes, mut n_fused) = (0, 0);
    for (number, case) in answers["cases"].as_array().expect("cases").iter().enumerate() {
        let iou = case["iou"].as_f64().expect("a number");
        let name = |kind: &Value| format!("class {kind}");
        let classes: Vec<String> =
            (0..case["n_classes"].as_u64().expect("a number")).map(|kind| name(&json!(kind))).collect();
        let read = |rows: &Value| -> Vec<Row> {
            let corners = |row: &Value| serde_json::from_value(row[1].clone()).expect("four numbers");
            let row = |row: &Value| (name(&row[0]), corners(row), row[2].as_f64().expect("a score"));
            rows.as_array().expect("rows").iter().map(row).collect()
        };
        let truth = truth(1, &classes);
        let parts: Vec<Prepared> = case["runs"]
            .as_array()
            .expect("runs")
            .iter()
            .enumerate()
            .map(|(at, rows)| run(&truth, &format!("{at}.zip"), &[read(rows)]))
            .collect();
        let mut of: Vec<&Prepared> = parts.iter().collect();
        let ours = fused(&truth, &of, iou).remove(0);
        of.reverse();
        assert_eq!(fused(&truth, &of, iou).remove(0), ours, "case {number}, the runs in another order");
        n_boxes += parts.iter().map(|part| part.run.n_detections()).sum::<usize>();
        n_fused += ours.len();
        let place = |class: &str| classes.iter().position(|other| other == class);
        // In parts of the image's side, as the package has coordinates. Its own roundings are those to 32 bits.
        for (key, tolerance) in [("fused_in_64_bits", 1e-12), ("fused", 1e-6)] {
            let mut theirs = read(&case[key]);
            theirs.sort_by(|a, b| place(&a.0).cmp(&place(&b.0)).then(b.2.total_cmp(&a.2)));
            assert_eq!(ours.len(), theirs.len(), "case {number}, {key}");
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours.0, theirs.0, "case {number}, {key}");
                let corners = ours.1.iter().zip(theirs.1).map(|(a, b)| (a - b) / 1024.0);
                for difference in corners.chain([ours.2 - theirs.2]) {
                    assert!(difference.abs() < tolerance, "case {number}, {key}: {ours:?}, expected {theirs:?}");
                }
            }
        }
    }
    assert!(n_boxes > 1000 && n_boxes - n_fused > 200, "{n_boxes} boxes became {n_fused}");
}

/// As the definition has it: from the best box down, each joins the group whose mean it overlaps most.
fn by_plain_loops(boxes: &[([f64; 4], f64)], n_runs: usize, threshold: f64) -> Vec<([f64; 4], f64)> {
    let mut left: Vec<([f64; 4], f64)> = Vec::new();
    for ([x1, y1, x2, y2], score) in boxes {
        let ordered = [x1.min(*x2), y1.min(*y2), x1.max(*x2), y1.max(*y2)];
        if ordered[0] < ordered[2] && ordered[1] < ordered[3] {
            left.push((ordered, *score));
        }
    }
    let better = |a: &([f64; 4], f64), b: &([f64; 4], f64)| {
        a.1 > b.1 || (a.1 == b.1 && a.0.partial_cmp(&b.0) == Some(Ordering::Less))
    };
    let pop = |left: &mut Vec<([f64; 4], f64)>| {
        let mut best = 0;
        for at in 1..left.len() {
            if better(&left[at], &left[best]) {
                best = at;
            }
        }
        left.remove(best)
    };
    let mean = |group: &[([f64; 4], f64)]| {
        let all: f64 = group.iter().map(|(_, score)| score).sum();
        let corner = |at: usize| group.iter().map(|(corners, score)| score * corners[at]).sum::<f64>() / all;
        if group.len() == 1 || all == 0.0 { group[0].0 } else { [corner(0), corner(1), corner(2), corner(3)] }
    };
    let iou = |a: [f64; 4], b: [f64; 4]| {
        let width = f64::max(0.0, f64::min(a[2], b[2]) - f64::max(a[0], b[0]));
        let height = f64::max(0.0, f64::min(a[3], b[3]) - f64::max(a[1], b[1]));
        let areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]);
        width * height / (areas - width * height)
    };
    let mut groups: Vec<Vec<([f64; 4], f64)>> = Vec::new();
    while !left.is_empty() {
        let next = pop(&mut left);
        let overlaps: Vec<f64> = groups.iter().map(|group| iou(mean(group), next.0)).collect();
        let greatest = overlaps.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match overlaps.iter().position(|overlap| *overlap == greatest && greatest > threshold) {
            Some(at) => groups[at].push(next),
            None => groups.push(vec![next]),
        }
    }
    let score = |group: &[([f64; 4], f64)]| {
        let mean = group.iter().map(|(_, score)| score).sum::<f64>() / group.len() as f64;
        mean * group.len().min(n_runs) as f64 / n_runs as f64
    };
    let mut fused: Vec<([f64; 4], f64)> = groups.iter().map(|group| (mean(group), score(group))).collect();
    let mut sorted = Vec::new();
    while !fused.is_empty() {
        sorted.push(pop(&mut fused));
    }
    sorted
}

/// The script's class in both of its spellings, another one, and two names of none.
const NAMES: [&str; 5] = ["Nodule", "nodule", "Mass", "Scar", "NODULE"];

fn boxes() -> impl Strategy<Value = Vec<(usize, [f64; 4], f64)>> {
    let score = prop_oneof![3 => select(vec![0.75, 0.5, 0.25, 0.0]), 1 => 0.0..1.0];
    let size = || prop_oneof![6 => 6..10_i8, 1 => -6..6_i8];
    let one = (select(vec![0, 0, 0, 1, 1, 2, 3, 4]), 0..4_i8, 0..3_i8, size(), size(), score);
    vec(one, 0..9).prop_map(|all| {
        let one = |(name, x, y, width, height, score): (usize, i8, i8, i8, i8, f64)| {
            (name, [x, y, x + width, y + height].map(f64::from), score)
        };
        all.into_iter().map(one).collect()
    })
}

#[test]
fn what_is_fused_is_what_plain_loops_fuse_in_whatever_order_the_runs_are() {
    let list: Value = (0..2).map(|at| json!({"file_name": format!("{at}.png"), "syms": [], "boxes": []})).collect();
    let truth = froc::read_ground_truth("test.json", list.to_string().as_bytes()).expect("a ground truth");
    let runs = (vec(vec(boxes(), 2), 1..4), select(vec![0.0, 0.25, 0.55, 1.0]));
    let counted = std::cell::Cell::new(0_usize);
    TestRunner::new(same_cases_every_time(400))
        .run(&runs, |(runs, iou)| {
            let mut parts = Vec::new();
            for images in &runs {
                let row = |(name, corners, score): &(usize, [f64; 4], f64)| (NAMES[*name].to_owned(), *corners, *score);
                let images: Vec<Vec<Row>> = images.iter().map(|rows| rows.iter().map(row).collect()).collect();
                parts.push(run(&truth, "part.zip", &images));
            }
            let mut expected: Vec<Vec<Row>> = vec![Vec::new(); 2];
            for (image, expected) in expected.iter_mut().enumerate() {
                // In the order of the classes; names that are none of a class are of no run.
                for (class, spellings) in [("Nodule", &[0, 1][..]), ("Mass", &[2][..])] {
                    let all = runs.iter().flat_map(|images| &images[image]);
                    let of_class = all.filter(|(name, ..)| spellings.contains(name));
                    let boxes: Vec<_> = of_class.map(|(_, corners, score)| (*corners, *score)).collect();
                    let fused = by_plain_loops(&boxes, runs.len(), iou);
                    counted.set(counted.get() + boxes.len() - fused.len());
                    expected.extend(fused.into_iter().map(|(corners, score)| (class.to_owned(), corners, score)));
                }
            }
            let mut of: Vec<&Prepared> = parts.iter().collect();
            prop_assert_eq!(&fused(&truth, &of, iou), &expected);
            of.reverse();
            prop_assert_eq!(&fused(&truth, &of, iou), &expected);
            of.rotate_left(1);
            prop_assert_eq!(&fused(&truth, &of, iou), &expected);
            Ok(())
        })
        .expect("the same boxes");
    assert!(counted.get() > 1000, "{} boxes were fused", counted.get());
}

fn of([x1, y1, x2, y2]: [f64; 4], score: f64) -> Scored {
    Scored { bbox: FileBox { x1, y1, x2, y2 }, score }
}

#[test]
fn scores_say_how_many_runs_agree_and_equal_is_not_above() {
    let a = [0.0, 0.0, 30.0, 10.0];
    // One of two runs, both, and more boxes than runs.
    assert_eq!(fuse_boxes(vec![of(a, 0.8)], 2, DEFAULT_IOU), [of(a, 0.4)]);
    assert_eq!(fuse_boxes(vec![of(a, 0.75), of(a, 0.25)], 2, DEFAULT_IOU), [of(a, 0.5)]);
    assert_eq!(fuse_boxes(vec![of(a, 0.75), of(a, 0.5), of(a, 0.25)], 2, DEFAULT_IOU), [of(a, 0.5)]);
    // Of one run alone boxes on each other are one of their mean score.
    assert_eq!(fuse_boxes(vec![of(a, 0.75), of(a, 0.25)], 1, DEFAULT_IOU), [of(a, 0.5)]);
    // Neighbours overlap by 0.5 exactly: 20 of 40.
    let b = [10.0, 0.0, 40.0, 10.0];
    assert_eq!(fuse_boxes(vec![of(a, 0.5), of(b, 0.5)], 1, 0.5).len(), 2);
    assert_eq!(fuse_boxes(vec![of(a, 0.5), of(b, 0.5)], 1, 0.49), [of([5.0, 0.0, 35.0, 10.0], 0.5)]);
    // Scores of 0 weigh nothing: the first one stays, by its corners.
    assert_eq!(fuse_boxes(vec![of(b, 0.0), of(a, 0.0)], 2, 0.49), [of(a, 0.0)]);
    assert_eq!(fuse_boxes(vec![of(b, 0.0), of(a, 0.5)], 2, 0.49), [of(a, 0.25)]);
    // Without an area there is no box.
    assert_eq!(fuse_boxes(vec![of([3.0, 0.0, 3.0, 9.0], 0.5), of(a, 0.5)], 2, 0.5), [of(a, 0.25)]);
    assert_eq!(fuse_boxes(Vec::new(), 2, 0.5), []);
}

#[test]
fn what_cannot_be_fused_is_one_sentence() {
    let truth = truth(2, &["Mass".to_owned()]);
    let mass = |corners: [f64; 4], score: f64| ("Mass".to_owned(), corners, score);
    let empty = run(&truth, "empty.zip", &[]);
    let refused = |images: &[Vec<Row>], iou: f64| {
        fuse(&truth, &[&run(&truth, "a.zip", images), &empty], iou).expect_err("it is refused").to_string()
    };
    let square = [0.0, 0.0, 4.0, 4.0];
    for iou in [-0.1, 1.5, f64::NAN] {
        assert_eq!(refused(&[], iou), format!("fuse: there is {iou}; expected an IoU from 0 to 1, such as 0.55."));
    }
    assert_eq!(
        refused(&[vec![], vec![mass(square, -2.5)]], 0.5),
        "a.zip, \"1.png\": a score is -2.5; expected 0 or more, since fusion weighs boxes by their scores: probabilities, not logits."
    );
    let many = MAX_SUPPRESSED_OF_IMAGE + 1;
    assert_eq!(
        refused(&[vec![mass(square, 0.5); many]], 0.5),
        format!(
            "Fused a.zip + empty.zip, \"0.png\": fusion has {many} boxes of one class to compare; expected at most {} in one image; keep those with the highest scores.",
            many - 1
        )
    );
    // The mean of a wide box and of a high one is both.
    let huge = 1e30;
    assert_eq!(
        refused(&[vec![mass([0.0, 0.0, huge, 1.0], 0.5), mass([0.0, 0.0, 1.0, huge], 0.5)]], 0.0),
        "Fused a.zip + empty.zip, \"0.png\": the area of a fused box is too large for a 32-bit number; expected corners in pixels."
    );
    // Nothing of nothing, and a file for each image.
    let nothing = fuse(&truth, &[&empty, &empty], 0.5).expect("a run");
    assert_eq!((nothing.run.n_detections(), nothing.run.n_files(), nothing.run.findings()), (0, 2, &[][..]));
}

/// The ground truth, and what two models make of it: each finds one of two lesions, and both have the same wrong box; the second model's
/// is missing in one image.
fn files() -> [(&'static str, Vec<u8>); 3] {
    let lesions = json!([[100, 100, 199, 199], [400, 400, 499, 499]]);
    let list = json!([
        {"file_name": "1.png", "syms": ["Nodule", "Nodule"], "boxes": lesions},
        {"file_name": "2.png", "syms": [], "boxes": []}
    ]);
    let model = |own: Value, score: f64| {
        let all = json!([{"Nodule": own}, {"Nodule": [700, 700, 800, 800, score]}, {"Scar": [0, 0, 9, 9, 0.5]}]);
        zip_of(&[("1.json", all.to_string()), ("2.json", "[]".to_owned())])
    };
    let a = model(json!([100, 100, 199, 199, 0.9]), 0.2);
    let b = model(json!([400, 400, 499, 499, 0.8]), 0.3);
    [("test.json", list.to_string().into_bytes()), ("a.zip", a), ("b.zip", b)]
}

fn add(session: &mut Session, name: &str, bytes: &[u8]) {
    session.add(name, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a file in order");
}

fn session() -> Session {
    let mut session = Session::default();
    for (name, bytes) in files() {
        add(&mut session, name, &bytes);
    }
    session
}

fn names(session: &mut Session) -> Vec<String> {
    let outcome = session.evaluate(&Options::default());
    assert_eq!(outcome.run_ids, outcome.file_ids);
    outcome.report.as_ref().expect("a report").runs.iter().map(|run| run.name.clone()).collect()
}

#[test]
fn a_fused_run_is_one_more_for_as_long_as_its_runs_are_here() {
    let mut session = session();
    let both = ["b.zip".to_owned(), "a.zip".to_owned()];
    let id = session.fuse(&both, 0.5).expect("two runs");
    // The same in another order, or again, is no other.
    assert_eq!(session.fuse_all(DEFAULT_IOU).expect("two runs"), id);
    assert_eq!(names(&mut session), ["a.zip", "b.zip", "Fused a.zip + b.zip"]);
    let run = session.outcome().report.as_ref().expect("a report").runs[2].clone();
    // Of 2 lesions each model finds one, both of them both.
    let recall = |run: &froc::report::RunReport| run.classes[3].exact.recall[2];
    let alone = &session.outcome().report.as_ref().expect("a report").runs[0];
    assert_eq!((recall(alone), recall(&run)), (Some(0.5), Some(1.0)));
    assert_eq!((run.n_files, run.n_detections, &run.sha256, &run.findings[..]), (2, 3, &None, &[][..]));
    assert_eq!((run.official.is_official, run.official.name.as_str()), (false, "the script's rules, runs fused"));
    let how = run.reading.expect("how it was made");
    assert_eq!(
        how.sentence,
        "No run of files: a.zip and b.zip fused by weighted boxes fusion at IoU 0.55, equal weights. It takes their scores as of one scale: the highest are 0.9 and 0.8."
    );
    assert_eq!(how.reading.flags(), "--fuse 0.55");

    // Its images and its files are those of any run.
    let view = View { run: id.clone(), iou_threshold: 0.5, fp_per_image: None, thresholds: vec![Some(0.0); 10] };
    let image = session.images(&view, &[0], true).expect("images").remove(0);
    assert_eq!(image.detections.len(), 3);
    assert_eq!(session.gallery(&GalleryQuery::of(view)).expect("images"), [0, 1]);
    let mut table = Vec::new();
    let conversion = session.convert(&id, Target::Csv, &mut table).expect("a run").expect("memory");
    assert_eq!(
        String::from_utf8(table).expect("UTF-8"),
        "file_name,label,xmin,ymin,xmax,ymax,score\n1.png,Nodule,100.0,100.0,199.0,199.0,0.45\n1.png,Nodule,400.0,400.0,499.0,499.0,0.4\n1.png,Nodule,700.0,700.0,800.0,800.0,0.25\n2.png,,,,,,\n"
    );
    assert_eq!(conversion.notes, [format!("Written as it is read. {}", how.sentence)]);
    // It agrees with its own runs, which is no evidence against the ground truth.
    let suspects = session.suspects(&Options::default()).expect("a report");
    assert_eq!(suspects.runs, ["a.zip", "b.zip"]);

    session.rename("a.zip", "model A");
    assert_eq!(names(&mut session)[2], "Fused model A + b.zip");
    session.rename(&id, "both");
    assert_eq!(names(&mut session)[2], "both");
    session.remove("a.zip");
    assert_eq!(names(&mut session), ["b.zip"]);
    assert_eq!(session.outcome().failures, []);
    let [_, (name, a), _] = files();
    add(&mut session, name, &a);
    assert_eq!(names(&mut session), ["b.zip", "a.zip", "both"]);
    session.remove(&id);
    assert_eq!(names(&mut session), ["b.zip", "a.zip"]);

    assert_eq!(session.fuse(&both, 1.5).expect_err("no IoU").to_string().split(';').next(), Some("fuse: there is 1.5"));
    let nothing = session.fuse(&[], 0.5).expect_err("no run").to_string();
    assert_eq!(nothing, "fuse: there is no run to fuse; expected predictions of two or more models.");
    assert_eq!(names(&mut session), ["b.zip", "a.zip"]);
}

#[test]
fn one_that_cannot_be_made_is_told_and_the_others_are_scored() {
    let mut session = session();
    let logits = zip_of(&[("1.json", r#"[{"Nodule": [0, 0, 9, 9, -1.5]}]"#)]);
    add(&mut session, "logits.zip", &logits);
    let id = session.fuse_all(0.5).expect("three runs");
    let outcome = session.evaluate(&Options::default());
    assert_eq!(outcome.report.as_ref().map(|report| report.runs.len()), Some(3));
    let [failure] = &outcome.failures[..] else { panic!("one failure") };
    assert_eq!(failure.id, id);
    assert!(failure.errors[0].sentence.starts_with("logits.zip, \"1.png\": a score is -1.5; expected 0 or more"));
    // Read otherwise it may be made.
    session.set_reading("logits.zip", Reading { score_first: true, ..Reading::default() });
    assert_eq!(session.evaluate(&Options::default()).failures, []);
}

#[test]
fn a_saved_session_holds_what_was_fused() {
    let mut first = session();
    for (name, bytes) in &files()[1..] {
        first.learn_sha256(name, &froc::input::sha256(bytes));
    }
    let id = first.fuse_all(0.6).expect("two runs");
    first.rename(&id, "both");
    let before = first.evaluate(&Options::default()).report.clone();
    let bytes = first.save("", None).expect("a session").bytes().expect("bytes");
    let saved = SessionFile::read("s.froc.json", &bytes).expect("a session");

    // Its files are called otherwise by now, and come in another order.
    let mut again = Session::default();
    let [(_, truth), (_, a), (_, b)] = files();
    add(&mut again, "test.json", &truth);
    for (name, bytes) in [("y.zip", &b), ("x.zip", &a)] {
        add(&mut again, name, bytes);
        again.learn_sha256(name, &froc::input::sha256(bytes));
    }
    let restored = again.restore(&saved).expect("a session");
    assert_eq!(restored.differences, []);
    let [fusion] = &restored.fusions[..] else { panic!("one fusion") };
    assert_eq!((&fusion.of[..], fusion.iou_threshold), (&["x.zip".to_owned(), "y.zip".to_owned()][..], 0.6));
    assert_eq!((fusion.label.as_deref(), fusion.id.as_str()), (Some("both"), "Fused x.zip + y.zip"));
    assert_eq!(names(&mut again), ["x.zip", "y.zip", "both"]);
    let after = again.outcome().report.clone().expect("a report");
    assert_eq!(after.runs[2].exact, before.expect("a report").runs[2].exact);

    // Without one of its files there is nothing to fuse.
    again.remove("y.zip");
    let restored = again.restore(&saved).expect("a session");
    assert_eq!((restored.differences.len(), &restored.fusions[..]), (1, &[][..]));
    assert_eq!(names(&mut again), ["x.zip"]);
}

#[test]
fn folders_that_are_runs_are_fused_and_restored() {
    let entry = |score: f64| json!([{"Nodule": [100, 100, 199, 199, score]}]).to_string();
    let zip = zip_of(&[("one/1.json", entry(0.5)), ("two/1.json", entry(0.25))]);
    let mut session = Session::default();
    add(&mut session, "test.json", &files()[0].1);
    add(&mut session, "m.zip", &zip);
    session.set_reading("m.zip", Reading { folders: froc::reading::Folders::Apart, ..Reading::default() });
    let id = session.fuse_all(0.5).expect("two runs");
    assert_eq!(id, "Fused m.zip/one + m.zip/two");
    session.evaluate(&Options::default());
    let saved = session.save("", None).expect("a session");
    let restored = session.restore(&saved).expect("a session");
    assert_eq!(restored.fusions[0].of, ["m.zip/one", "m.zip/two"]);
    assert_eq!(session.evaluate(&Options::default()).run_ids.last(), Some(&id));
}

/// The program in a folder with these files.
fn froc(test: &str, arguments: &[&str]) -> Output {
    let folder = scratch(test);
    for (name, bytes) in files() {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    Command::new(env!("CARGO_BIN_EXE_froc")).current_dir(&folder).args(arguments).output().expect("the program runs")
}

/// A command on these files.
fn with<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let files = ["--ground-truth", "test.json", "--predictions", "a.zip", "--predictions", "b.zip"];
    [&[command], &files[..], more].concat()
}

#[test]
fn the_terminal_adds_it_compares_it_and_writes_it() {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let scored = froc("fusion", &with("score", &["--fuse", "--format", "json", "--save-session", "s.froc.json"]));
    let report: Value = serde_json::from_slice(&scored.stdout).unwrap_or_else(|_| panic!("{}", text(&scored.stderr)));
    assert_eq!(report["runs"][2]["name"], "Fused a.zip + b.zip");
    assert_eq!(report["runs"][2]["reading"]["reading"]["fused"]["iou_threshold"], DEFAULT_IOU);
    let saved = fs::read_to_string(scratch_path("s.froc.json")).expect("a session");
    assert!(saved.contains("\"fusions\""), "{saved}");
    let again = froc("fusion-again", &with("score", &["--fuse", "0.7"]));
    let lines = text(&again.stdout);
    let sentence = "fused by weighted boxes fusion at IoU 0.7, equal weights.";
    assert_eq!(lines.matches(sentence).count(), 2, "where the numbers rest, and beside them: {lines}");
    let compared = froc("fusion-compare", &with("compare", &["--fuse", "--bootstrap", "50", "--format", "json"]));
    let report: Value = serde_json::from_slice(&compared.stdout).expect("JSON");
    assert_eq!(report["comparisons"].as_array().map(Vec::len), Some(2));
    let errors = text(&froc("fusion-errors", &with("errors", &["--fuse"])).stdout);
    assert!(errors.contains("\nFused a.zip + b.zip,"), "{errors}");
    let written = froc("fusion-convert", &with("convert", &["--to", "csv", "--fuse"]));
    assert!(text(&written.stdout).contains("\n1.png,Nodule,100.0,100.0,199.0,199.0,0.45\n"));

    let refused = froc("fusion-refused", &with("score", &["--fuse", "2"]));
    assert_eq!(
        (refused.status.code(), text(&refused.stderr).as_str()),
        (Some(2), "fuse: there is 2; expected an IoU from 0 to 1, such as 0.55.\n")
    );
}

fn scratch_path(file: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("fusion").join(file)
}
