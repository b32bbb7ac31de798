//! Non-maximum suppression against plain loops on random runs, by hand, and in what a session says and writes.
// Plain loops in the letters of the specification.
#![allow(clippy::float_cmp)]

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use froc::convert::Target;
use froc::reading::FileNames;
use froc::session::Session;
use froc::{Options, Predictions, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{read_ground_truth, read_predictions, same_cases_every_time, zip_of};

/// Two spellings of one class, another class, and two names of none.
const NAMES: [&str; 5] = ["Nodule", "nodule", "Mass", "Scar", "NODULE"];

/// Of one box: the place of its name, x1, y1, x2, y2, score.
type Box = (usize, [f64; 5]);

fn boxes() -> impl Strategy<Value = Vec<Box>> {
    let score = prop_oneof![2 => select(vec![0.9, 0.5, 0.25]), 1 => 0.0..1.0];
    // Some without an area, some inverted, some far apart.
    let name = select(vec![0, 0, 0, 1, 1, 2, 3, 4]);
    let size = || prop_oneof![4 => 3..6_i8, 1 => -1..3_i8];
    let one = (name, 0..3_i8, 0..2_i8, size(), size(), score);
    vec(one, 0..12).prop_map(|all| {
        let one = |(name, x, y, width, height, score): (usize, i8, i8, i8, i8, f64)| {
            let [x1, y1, x2, y2] = [x, y, x + width, y + height].map(f64::from);
            (name, [x1, y1, x2, y2, score])
        };
        all.into_iter().map(one).collect()
    })
}

/// As the definition has it: take the best that is left, and take away what it suppresses.
fn kept(boxes: &[Box], above: f64, class_of: impl Fn(&str) -> String) -> Vec<Box> {
    let iou = |a: &[f64; 5], b: &[f64; 5]| {
        let width = f64::max(0.0, f64::min(a[2], b[2]) - f64::max(a[0], b[0]));
        let height = f64::max(0.0, f64::min(a[3], b[3]) - f64::max(a[1], b[1]));
        let areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]);
        width * height / (areas - width * height)
    };
    let mut stays = vec![false; boxes.len()];
    let mut is_left = vec![true; boxes.len()];
    loop {
        let mut best: Option<usize> = None;
        for at in 0..boxes.len() {
            if is_left[at] && best.is_none_or(|best| boxes[at].1[4] > boxes[best].1[4]) {
                best = Some(at);
            }
        }
        let Some(best) = best else { break };
        stays[best] = true;
        is_left[best] = false;
        for at in 0..boxes.len() {
            let is_of_class = class_of(NAMES[boxes[at].0]) == class_of(NAMES[boxes[best].0]);
            if is_left[at] && is_of_class && iou(&boxes[at].1, &boxes[best].1) > above {
                is_left[at] = false;
            }
        }
    }
    boxes.iter().zip(stays).filter(|(_, stays)| *stays).map(|(one, _)| *one).collect()
}

fn file(boxes: &[Box]) -> String {
    boxes.iter().map(|(name, numbers)| json!({ NAMES[*name]: numbers })).collect::<Value>().to_string()
}

fn truth(n_images: usize) -> froc::GroundTruth {
    let image = |at: usize| json!({"file_name": format!("{at}.png"), "syms": ["Nodule"], "boxes": [[0, 0, 4, 4]]});
    read_ground_truth((0..n_images).map(image).collect::<Value>().to_string().as_bytes()).expect("a ground truth")
}

fn run(images: &[Vec<Box>]) -> Arc<Predictions> {
    let files: Vec<_> = images.iter().enumerate().map(|(at, boxes)| (format!("{at}.json"), file(boxes))).collect();
    Arc::new(read_predictions(&zip_of(&files)).expect("a zip"))
}

/// What is read of each image.
fn read(images: &[Vec<Box>], reading: &Reading) -> Vec<Vec<Box>> {
    let truth = truth(images.len());
    let prepared = froc::prepare(&truth, &run(images), reading).expect("a run").remove(0);
    let detections = prepared.predictions.detections();
    let one = |at: u32| {
        let (at, name) = (at as usize, detections.name(at as usize));
        let bbox = detections.box_in_file(at);
        let score = detections.score_in_file(at);
        (NAMES.iter().position(|other| *other == name).expect("a name"), [bbox.x1, bbox.y1, bbox.x2, bbox.y2, score])
    };
    (0..images.len()).map(|image| prepared.run.detections(image).map(one).collect()).collect()
}

#[test]
fn what_stays_is_what_plain_loops_leave() {
    let runs = (vec(boxes(), 1..4), select(vec![0.0, 0.25, 0.5, 2.0 / 3.0, 1.0]));
    let mut runner = TestRunner::new(same_cases_every_time(400));
    let counted = std::cell::Cell::new(0_usize);
    runner
        .run(&runs, |(images, above)| {
            let reading = Reading { nms: Some(above), ..Reading::default() };
            // The script reads a class in lower case, too; other spellings are of no class, each by itself.
            let class_of = |name: &str| if name == "nodule" { "Nodule".to_owned() } else { name.to_owned() };
            let expected: Vec<Vec<Box>> = images.iter().map(|boxes| kept(boxes, above, class_of)).collect();
            let n = |images: &[Vec<Box>]| images.iter().map(Vec::len).sum::<usize>();
            counted.set(counted.get() + n(&images) - n(&expected));
            prop_assert_eq!(read(&images, &reading), expected);
            Ok(())
        })
        .expect("the same boxes");
    assert!(counted.get() > 300, "{} boxes were suppressed", counted.get());
}

#[test]
fn greedy_by_score_within_class_and_image_and_equal_is_not_above() {
    let nms = |above| Reading { nms: Some(above), ..Reading::default() };
    // Neighbours overlap by 0.5 exactly: 20 of 40.
    let [a, b, c] = [[0.0, 0.0, 30.0, 10.0], [10.0, 0.0, 40.0, 10.0], [20.0, 0.0, 50.0, 10.0]];
    let row = |name: usize, [x1, y1, x2, y2]: [f64; 4], score: f64| (name, [x1, y1, x2, y2, score]);
    let places = |image: Vec<Box>, reading: &Reading| {
        let read = read(std::slice::from_ref(&image), reading).remove(0);
        read.iter().map(|one| image.iter().position(|other| other == one).expect("one of them")).collect::<Vec<_>>()
    };
    let chain = |scores: [f64; 3]| vec![row(0, a, scores[0]), row(0, b, scores[1]), row(0, c, scores[2])];
    assert_eq!(places(chain([0.9, 0.8, 0.7]), &nms(0.5)), [0, 1, 2]);
    // The second goes, and so takes away nothing itself.
    assert_eq!(places(chain([0.9, 0.8, 0.7]), &nms(0.49)), [0, 2]);
    assert_eq!(places(chain([0.7, 0.9, 0.8]), &nms(0.49)), [1]);
    // Of equal scores the first one in the file.
    assert_eq!(places(chain([0.5, 0.5, 0.5]), &nms(0.49)), [0, 2]);
    // Other classes are left in peace.
    assert_eq!(places(vec![row(0, a, 0.9), row(2, a, 0.8), row(1, a, 0.7)], &nms(0.49)), [0, 1]);
    // A name that is read as a class is of that class.
    let named = Reading { class_names: [("NODULE".to_owned(), "Nodule".to_owned())].into(), ..nms(0.49) };
    assert_eq!(read(&[vec![row(0, a, 0.8), row(4, a, 0.9)]], &named), [[row(0, a, 0.9)]]);
    // Boxes are compared as they are read.
    let sizes = Reading { boxes: froc::reading::Layout::Xywh, ..nms(0.49) };
    assert_eq!(read(&[vec![row(0, [0.0, 0.0, 9.0, 9.0], 0.9), row(0, [8.0, 8.0, 9.0, 9.0], 0.8)]], &sizes)[0].len(), 2);
    assert_eq!(
        read(&[vec![row(0, [0.0, 0.0, 9.0, 9.0], 0.9), row(0, [8.0, 8.0, 9.0, 9.0], 0.8)]], &nms(0.0))[0].len(),
        1
    );
    // Without an area there is no overlap: 0/0.
    assert_eq!(places(vec![row(0, [3.0; 4], 0.9), row(0, [3.0; 4], 0.8)], &nms(0.0)), [0, 1]);
}

#[test]
fn an_iou_out_of_range_and_too_many_boxes_are_refused() {
    let refused = |run: &Arc<Predictions>, above: f64| {
        let reading = Reading { nms: Some(above), ..Reading::default() };
        froc::prepare(&truth(1), run, &reading).expect_err("it is refused").errors[0].to_string()
    };
    let few = run(&[vec![(0, [0.0, 0.0, 4.0, 4.0, 0.5])]]);
    for above in [-0.1, 1.5, f64::NAN] {
        assert_eq!(refused(&few, above), format!("nms: there is {above}; expected an IoU from 0 to 1, such as 0.5."));
    }
    let many = run(&[vec![(0, [0.0, 0.0, 4.0, 4.0, 0.5]); 20_001]]);
    assert_eq!(
        refused(&many, 0.5),
        "model.zip, 0.json: suppression has 20001 boxes of one class to compare; expected at most 20000 in one image; keep those with the highest scores."
    );
}

#[test]
fn it_is_told_never_official_and_kept_by_conversions() {
    let (a, b) = ([0.0, 0.0, 4.0, 4.0, 0.75], [0.0, 0.0, 4.0, 5.0, 0.5]);
    let zip = zip_of(&[("0.json", file(&[(0, b), (0, a)]))]);
    let list = br#"[{"file_name": "0.png", "syms": ["Nodule"], "boxes": [[0, 0, 4, 4]]}]"#;
    let mut session = Session::default();
    for (id, name, bytes) in [("t", "test.json", &list[..]), ("m", "m.zip", &zip)] {
        session.add(id, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a file in order");
    }
    session.set_reading("m", Reading { nms: Some(0.5), file_names: FileNames::Loose, ..Reading::default() });
    let run = session.evaluate(&Options::default()).report.clone().expect("a report").runs.remove(0);
    assert_eq!((run.n_detections, run.official.is_official), (1, false));
    let how = run.reading.expect("a reading");
    assert_eq!(how.reading.flags(), "--loose-names --nms 0.5");
    assert!(
        how.sentence.ends_with(
            "; boxes that overlap one of their class with a higher score by more than IoU 0.5 are suppressed."
        ),
        "{}",
        how.sentence
    );
    let mut table = Vec::new();
    let conversion = session.convert("m", Target::Csv, &mut table).expect("a run").expect("memory");
    assert_eq!(table, b"file_name,label,xmin,ymin,xmax,ymax,score\n0.png,Nodule,0.0,0.0,4.0,4.0,0.75\n");
    assert_eq!(conversion.notes, [format!("Written as it is read. {}", how.sentence)]);
}
