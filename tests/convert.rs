//! Runs written in other formats, and read again.

use std::io::{Cursor, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use froc::convert::{Conversion, Target, convert};
use froc::dataset::{Detections, PredictionFile};
use froc::geometry::FileBox;
use froc::reading::Layout;
use froc::report::RunReport;
use froc::{GroundTruth, Options, Predictions, Prepared, Reading};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::cases::{cases, load};
use crate::support::same_cases_every_time;

fn written(truth: &GroundTruth, run: &Prepared, target: Target) -> (Vec<u8>, Conversion) {
    let mut bytes = Vec::new();
    let conversion = convert(truth, run, target, &mut bytes).unwrap_or_else(|error| panic!("{error}"));
    (bytes, conversion.expect("memory"))
}

/// What a person reads who drops the file.
fn read(target: Target, bytes: &[u8]) -> Predictions {
    let name = format!("model.{}", target.facts().ending);
    let read = match target.facts().ending {
        "zip" => froc::read_predictions(&name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())),
        _ => froc::input::read_predictions_of_all(&name, bytes),
    };
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn prepared(truth: &GroundTruth, predictions: Predictions, reading: &Reading) -> Prepared {
    let runs = froc::prepare(truth, &Arc::new(predictions), reading);
    runs.unwrap_or_else(|refusal| panic!("{}", refusal.errors[0])).remove(0)
}

/// Image, class, box and score of each detection, in order.
fn rows(truth: &GroundTruth, Prepared { run, predictions }: &Prepared) -> Vec<(usize, usize, FileBox, u64)> {
    let detections = predictions.detections();
    let row = |image: usize, at: usize| {
        let class = run.class(detections, at)?.index();
        Some((image, class, detections.box_in_file(at), detections.score_in_file(at).to_bits()))
    };
    let of = |image: usize| run.detections(image).filter_map(move |at| row(image, at as usize));
    (0..truth.n_images()).flat_map(of).collect()
}

/// How far the corners of a box moved, in pixels, and whether they are other 32-bit numbers.
fn moved(before: FileBox, after: FileBox) -> (f64, bool) {
    let pairs = [(before.x1, after.x1), (before.y1, after.y1), (before.x2, after.x2), (before.y2, after.y2)];
    let most = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    (most, before.rounded() != after.rounded())
}

/// The targets that hold a run: an empty list of COCO could be that of anything.
fn targets(truth: &GroundTruth, run: &Prepared) -> impl Iterator<Item = Target> {
    let is_empty = rows(truth, run).is_empty();
    if is_empty {
        let refusal = convert(truth, run, Target::Coco, Vec::new()).expect_err("a refusal").to_string();
        assert!(refusal.contains(": it has no detections;"), "{refusal}");
    }
    Target::ALL.into_iter().filter(move |target| !(is_empty && *target == Target::Coco))
}

/// Writes a run, reads it again, and holds what came back against what the conversion says of it.
fn check_round_trip(truth: &GroundTruth, run: &Prepared, target: Target) -> (Conversion, Prepared) {
    let name = target.facts().name;
    let (bytes, conversion) = written(truth, run, target);
    let again = prepared(truth, read(target, &bytes), &Reading::default());
    let (before, after) = (rows(truth, run), rows(truth, &again));
    assert_eq!(before.len(), after.len(), "{name}: detections");
    assert_eq!(before.len(), conversion.n_detections, "{name}: detections that are told");
    let (mut n_rounded, mut n_moved, mut most_rounded) = (0, 0, 0.0_f64);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.0, before.1, before.3), (after.0, after.1, after.3), "{name}: image, class, score");
        let (most, is_moved) = moved(before.2, after.2);
        n_rounded += usize::from(most > 0.0);
        n_moved += usize::from(is_moved);
        most_rounded = most_rounded.max(most);
    }
    let told = (conversion.n_rounded, conversion.n_moved, conversion.most_rounded.to_bits());
    assert_eq!((n_rounded, n_moved, most_rounded.to_bits()), told, "{name}: what is told of corners");
    assert_eq!(conversion.notes.iter().any(|note| note.starts_with("Sizes")), n_rounded > 0, "{name}");
    if matches!(target, Target::ChestxDet | Target::Csv) {
        assert_eq!(n_rounded, 0, "{name} writes corners");
    }
    (conversion, again)
}

fn report(truth: &GroundTruth, run: &Prepared) -> RunReport {
    froc::evaluate(truth, &[&run.run], &Options::default()).runs.remove(0)
}

/// Every number of a report that scores.
fn scores(report: &RunReport) -> Value {
    json!({
        "official": [report.official.recall, report.official.average_recall],
        "exact": [report.exact.recall, report.exact.average_recall],
        "classes": report.classes.iter().map(|class| json!([
            class.official.recall, class.official.recall_bounds, class.exact.recall, class.exact.score_threshold,
            class.n_detections, class.true_positives, class.false_positives,
        ])).collect::<Vec<_>>(),
    })
}

#[test]
fn golden_cases_give_the_same_bits_in_every_format() {
    for case in cases() {
        let (truth, predictions, _) = load(&case);
        let run = prepared(&truth, predictions, &Reading::default());
        let before = report(&truth, &run);
        for target in targets(&truth, &run) {
            let (conversion, again) = check_round_trip(&truth, &run, target);
            let what = format!("{}, {}", case.display(), target.facts().name);
            assert_eq!(conversion.n_moved, 0, "{what}");
            let after = report(&truth, &again);
            assert_eq!(scores(&after), scores(&before), "{what}");
            // Only the files that the script reads have its number.
            assert_eq!(after.official.is_official, target == Target::ChestxDet, "{what}");
        }
    }
}

/// A number as detectors write it: whole, in hundredths, in 32 or in 64 bits.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-20_i32..1100).prop_map(f64::from),
        (-2_000_i32..110_000).prop_map(|n| f64::from(n) / 100.0),
        (-20.0_f32..1100.0).prop_map(f64::from),
        -20.0..1100.0,
    ]
}

/// The name of the file of an image.
fn file_of(image: &str) -> String {
    let (stem, _) = image.rsplit_once('.').expect("an ending");
    format!("{stem}.json")
}

/// Class, corners and score.
type Detection = (usize, [f64; 4], f64);

#[derive(Debug, Clone)]
struct Case {
    /// The size of the images where the ground truth is COCO's, with ids and a protocol of its own.
    coco: Option<[u32; 2]>,
    /// Whether images lie in folders.
    has_folders: bool,
    /// For each image its file, if it has one.
    files: Vec<Option<Vec<Detection>>>,
}

impl Case {
    const CLASSES: [&str; 12] = [
        "Nodule",
        "Mass",
        "Effusion",
        "a, b",
        "\"q\"",
        "Émphysème",
        "nodule or mass",
        "7",
        "x y",
        "=1+1",
        "Fracture",
        "Ω",
    ];

    fn image(&self, at: usize) -> String {
        let folder = if self.has_folders { ["left/", "right/"][at % 2] } else { "" };
        format!("{folder}{}.png", 36_199 + at / if self.has_folders { 2 } else { 1 })
    }

    fn truth(&self) -> GroundTruth {
        let images = (0..self.files.len()).map(|at| self.image(at));
        let list: Value = if let Some([width, height]) = self.coco {
            let images: Vec<Value> = images
                .enumerate()
                .map(|(at, name)| json!({"id": 1000 - 3 * at, "file_name": name, "width": width, "height": height}))
                .collect();
            let categories: Vec<Value> =
                Self::CLASSES.iter().enumerate().map(|(at, name)| json!({"id": 10 + 5 * at, "name": name})).collect();
            json!({"images": images, "annotations": [], "categories": categories})
        } else {
            images.map(|name| json!({"file_name": name, "syms": ["Mass"], "boxes": [[10, 10, 50, 60]]})).collect()
        };
        froc::read_ground_truth("test.json", list.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn predictions(&self, truth: &GroundTruth) -> Predictions {
        let mut detections = Detections::default();
        let mut files = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            let Some(file) = file else { continue };
            let first = detections.len() as u32;
            for (class, [x1, y1, x2, y2], score) in file {
                let class = truth.classes().nth(class % truth.classes().len()).expect("a class");
                let bbox = FileBox { x1: *x1, y1: *y1, x2: *x2, y2: *y2 };
                detections.push_named(truth.class_name(class), bbox, *score);
            }
            files.push(PredictionFile::new(file_of(&truth.images()[at]), first..detections.len() as u32));
        }
        Predictions::new("model.zip", files, detections)
    }
}

fn case() -> impl Strategy<Value = Case> {
    let bbox = prop_oneof![
        // Corners in order, as most are; and any.
        4 => [coordinate(), coordinate(), coordinate(), coordinate()]
            .prop_map(|[a, b, c, d]| [a.min(c), b.min(d), a.max(c), b.max(d)]),
        1 => [coordinate(), coordinate(), coordinate(), coordinate()],
    ];
    let score = prop_oneof![(0_u32..101).prop_map(|n| f64::from(n) / 100.0), -1.0..2.0];
    let detection = (0_usize..12, bbox, score);
    let file = prop::option::weighted(0.8, prop::collection::vec(detection, 0..6));
    (
        prop::option::of(prop_oneof![Just([512, 2048]), Just([500, 333])]),
        any::<bool>(),
        prop::collection::vec(file, 1..8),
    )
        .prop_map(|(coco, has_folders, files)| Case { coco, has_folders, files })
}

proptest! {
    #![proptest_config(same_cases_every_time(400))]

    #[test]
    fn what_is_written_is_read_again_and_what_is_not_kept_is_told(case in case()) {
        let truth = case.truth();
        let run = prepared(&truth, case.predictions(&truth), &Reading::default());
        for target in targets(&truth, &run) {
            check_round_trip(&truth, &run, target);
        }
    }

    /// Whole and half pixels lose nothing in any format, as long as fractions of the image are numbers.
    #[test]
    fn half_pixels_come_back_exactly(case in case()) {
        let halves = |number: f64| (number * 2.0).round() / 2.0;
        let mut case = case;
        for (_, bbox, _) in case.files.iter_mut().flatten().flatten() {
            *bbox = bbox.map(halves);
        }
        let truth = case.truth();
        let run = prepared(&truth, case.predictions(&truth), &Reading::default());
        for target in targets(&truth, &run) {
            if target == Target::Yolo && case.coco == Some([500, 333]) {
                continue;
            }
            prop_assert_eq!(check_round_trip(&truth, &run, target).0.n_rounded, 0);
        }
    }
}

/// Predictions that the official script would score otherwise: sizes for corners, another name, a file of no image.
fn spoiled() -> (GroundTruth, Predictions, Reading) {
    let list = json!([
        {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 20, 109, 219]]},
        {"file_name": "2.png", "syms": [], "boxes": []},
    ]);
    let truth = froc::read_ground_truth("test.json", list.to_string().as_bytes()).expect("a ground truth");
    let mut detections = Detections::default();
    detections.push_named("Lung nodule", FileBox { x1: 10.0, y1: 20.0, x2: 99.0, y2: 199.0 }, 0.9);
    detections.push_named("Heart", FileBox { x1: 1.0, y1: 1.0, x2: 9.0, y2: 9.0 }, 0.8);
    detections.push_named("Mass", FileBox { x1: 1.0, y1: 1.0, x2: 9.0, y2: 9.0 }, 0.7);
    let files = vec![PredictionFile::new("1.json", 0..2), PredictionFile::new("other.json", 2..3)];
    let class_names = [("Lung nodule".to_owned(), "Nodule".to_owned())].into();
    let reading = Reading { boxes: Layout::Xywh, class_names, ..Reading::default() };
    (truth, Predictions::new("model.zip", files, detections), reading)
}

#[test]
fn remedies_are_applied_and_what_is_left_out_is_said() {
    let (truth, predictions, reading) = spoiled();
    let run = prepared(&truth, predictions, &reading);
    let shown = report(&truth, &run);
    assert_eq!((shown.classes[3].official.recall[0], shown.official.is_official), (Some(1.0), false));
    for target in Target::ALL {
        let (conversion, again) = check_round_trip(&truth, &run, target);
        assert_eq!(scores(&report(&truth, &again))["official"], scores(&shown)["official"], "{}", target.facts().name);
        let has = |start: &str| conversion.notes.iter().any(|note| note.starts_with(start));
        assert!(has("Written as it is read. Not as the official script reads: boxes are read as x, y, width, height;"));
        assert!(has("Left out: 1 file of no image is in the ground truth."), "{:?}", conversion.notes);
        assert!(has("Left out: 1 box under names that are no classes of the ground truth, such as \"Heart\"."));
    }
    let (bytes, conversion) = written(&truth, &run, Target::ChestxDet);
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut names: Vec<String> = zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
    names.sort();
    // The script opens a file for each image.
    assert_eq!(names, ["1.json", "2.json"]);
    assert!(conversion.notes.iter().any(|note| note.starts_with("Added: 1 image without a file")));
    let mut text = String::new();
    zip.by_name("1.json").expect("a file").read_to_string(&mut text).expect("UTF-8");
    assert_eq!(text, "[{\"Nodule\":[10.0,20.0,109.0,219.0,0.9]}]\n");
}

/// For a ground truth of COCO the file is the plain list that pycocotools takes, under the ids of the ground truth.
#[test]
fn results_for_a_coco_ground_truth_have_its_ids() {
    let list = json!({
        "images": [{"id": 70, "file_name": "a.jpg"}, {"id": "b-7", "file_name": "b.jpg"}],
        "annotations": [],
        "categories": [{"id": 3, "name": "Nodule"}],
    });
    let truth = froc::read_ground_truth("instances.json", list.to_string().as_bytes()).expect("a ground truth");
    let mut detections = Detections::default();
    detections.push_named("Nodule", FileBox { x1: 10.0, y1: 20.0, x2: 30.5, y2: 50.0 }, 0.9);
    detections.push_named("Nodule", FileBox { x1: 1.0, y1: 2.0, x2: 3.0, y2: 4.0 }, 0.25);
    let files = vec![PredictionFile::new("b.json", 0..1), PredictionFile::new("a.json", 1..2)];
    let run = prepared(&truth, Predictions::new("model", files, detections), &Reading::default());
    let (bytes, conversion) = written(&truth, &run, Target::Coco);
    let results: Value = serde_json::from_slice(&bytes).expect("JSON");
    let expected = json!([
        {"image_id": 70, "category_id": 3, "bbox": [1.0, 2.0, 2.0, 2.0], "score": 0.25},
        {"image_id": "b-7", "category_id": 3, "bbox": [10.0, 20.0, 20.5, 30.0], "score": 0.9},
    ]);
    assert_eq!((results, conversion.notes), (expected, Vec::new()));
}

/// The refusals, each a sentence that says what to mend.
#[test]
fn what_a_format_cannot_tell_apart_is_refused() {
    let refused = |list: &Value, target: Target| {
        let truth = froc::read_ground_truth("test.json", list.to_string().as_bytes()).expect("a ground truth");
        let mut detections = Detections::default();
        let class = truth.classes().next().map_or("Mass", |class| truth.class_name(class));
        detections.push_named(class, FileBox { x1: 1.0, y1: 2.0, x2: 3.0, y2: 4.0 }, 0.9);
        let files = vec![PredictionFile::new(file_of(&truth.images()[0]), 0..1)];
        let run = prepared(&truth, Predictions::new("model", files, detections), &Reading::default());
        let mut bytes = Vec::new();
        let error = convert(&truth, &run, target, &mut bytes).expect_err("a refusal");
        assert!(bytes.is_empty());
        error.to_string()
    };
    let image = |name: &str| json!({"file_name": name, "syms": [], "boxes": []});
    let coco = |categories: &Value| json!({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": categories});
    let twice = coco(&json!([{"id": 1, "name": "Nodule"}, {"id": 2, "name": "Nodule"}]));
    let numbered = coco(&json!([{"id": 1, "name": "2"}, {"id": 2, "name": "Mass"}]));
    let image_without_size = coco(&json!([{"id": 1, "name": "Nodule"}]));
    let blank = coco(&json!([{"id": 1, "name": " Nodule"}]));
    for (list, target, expected) in [
        (
            json!([image("1.png"), image("1.jpg")]),
            Target::Yolo,
            "test.json: the file of two images would be \"1.txt\"; expected images that differ in more than the ending of their names, in this format.",
        ),
        (
            json!([image("../1.png")]),
            Target::ChestxDet,
            "test.json: the file of an image would be \"../1.json\"; expected names of images without \"..\".",
        ),
        (
            json!([image("readme.png")]),
            Target::Yolo,
            "test.json: the file of an image would be \"readme.txt\"; expected another name, since one such file means something else.",
        ),
        (
            image_without_size,
            Target::Yolo,
            "test.json: it does not tell how large \"a.jpg\" is; expected a ground truth that tells the size of each image, since this format writes fractions of it.",
        ),
        (
            twice,
            Target::Csv,
            "test.json: two of its classes are called \"Nodule\"; expected another name for one of them, since this format knows classes by their names.",
        ),
        (
            numbered,
            Target::Coco,
            "test.json: its category \"Mass\" has the id 2; expected an id that is no name of another category.",
        ),
        (
            blank,
            Target::Yolo,
            "test.json: there is the name \" Nodule\"; expected names in one line without blanks around them, in this format.",
        ),
    ] {
        assert_eq!(refused(&list, target), expected);
    }
}
