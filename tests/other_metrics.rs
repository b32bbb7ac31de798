//! Average precision and image-level ROC areas of the golden cases, as pycocotools and scikit-learn computed them.

use crate::support::cases::{cases, load};
use froc::dataset::{Detections, PredictionFile};
use froc::protocol::Protocol;
use froc::score::average_precision::{AveragePrecision, DEFAULT_MAX_DETECTIONS, average_precision};
use froc::score::image_roc::ImageRoc;
use froc::score::mean;
use froc::{Predictions, Run};
use serde_json::json;

const TOLERANCE: f64 = 1e-12;

#[test]
fn golden_cases_are_met_to_1e_12() {
    let mut n_compared = 0;
    for case in cases().iter().filter(|case| case.join("other-metrics.json").exists()) {
        let text = std::fs::read_to_string(case.join("other-metrics.json")).expect("a file");
        let expected: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let mut check = |what: &str, ours: Option<f64>, theirs: &serde_json::Value| {
            let theirs = theirs.as_f64();
            let is_close = match (ours, theirs) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() <= TOLERANCE,
                (ours, theirs) => ours == theirs,
            };
            assert!(is_close, "{}, {what}: {ours:?}, expected {theirs:?}", case.display());
            n_compared += 1;
        };
        let (truth, predictions, run) = load(case);
        let detections = predictions.detections();
        let precisions: Vec<Option<AveragePrecision>> = Protocol::default()
            .classes()
            .map(|class| average_precision(&truth, &run, detections, class, 10_000))
            .collect();
        let areas: Vec<Option<f64>> =
            Protocol::default().classes().map(|class| ImageRoc::new(&truth, &run, detections, class).area).collect();
        for class in Protocol::default().classes() {
            let theirs = &expected["classes"][truth.class_name(class)];
            let ours = precisions[class.index()];
            check(truth.class_name(class), ours.map(|ap| ap.ap50), &theirs["ap50"]);
            check(truth.class_name(class), ours.map(|ap| ap.ap75), &theirs["ap75"]);
            check(truth.class_name(class), ours.map(|ap| ap.ap50_95), &theirs["ap50_95"]);
            check(truth.class_name(class), areas[class.index()], &theirs["image_auroc"]);
        }
        let over = |of: fn(&AveragePrecision) -> f64| mean(precisions.iter().flatten().map(of));
        check("map50", over(|ap| ap.ap50), &expected["map50"]);
        check("map75", over(|ap| ap.ap75), &expected["map75"]);
        check("map50_95", over(|ap| ap.ap50_95), &expected["map50_95"]);
        check("mean_image_auroc", mean(areas.iter().copied().flatten()), &expected["mean_image_auroc"]);
    }
    assert!(n_compared >= 44, "only {n_compared} numbers were compared; tests/golden/synthetic alone has 44");
}

/// Average precision of nodules with so many detections that count, and the image-level ROC area; each file holds the
/// entries of an image.
fn of_nodules(
    truth: &serde_json::Value,
    files: &[serde_json::Value],
    max_detections: u32,
) -> (f64, Option<f64>, usize) {
    let truth = froc::read_ground_truth("test.json", truth.to_string().as_bytes()).expect("a ground truth");
    let mut detections = Detections::default();
    let mut read = Vec::new();
    for (file, image) in files.iter().zip(truth.images().iter()) {
        let first = detections.len() as u32;
        froc::input::chestx_det::read(file.to_string().as_bytes(), &mut detections).expect("predictions");
        read.push(PredictionFile::new(image.replace(".png", ".json"), first..detections.len() as u32));
    }
    let predictions = Predictions::new("p.zip", read, detections);
    let run = Run::new(&truth, &predictions).expect("a run");
    let nodule = truth.classes().find(|class| truth.class_name(*class) == "Nodule").expect("a class");
    let detections = predictions.detections();
    let precision = average_precision(&truth, &run, detections, nodule, max_detections).expect("lesions");
    let area = ImageRoc::new(&truth, &run, detections, nodule).area;
    (precision.ap50, area, run.n_tied_in_file(nodule, detections))
}

#[test]
fn scores_that_are_equal_with_32_bits_alone_are_told_apart() {
    // Lesions in the first ten images, whose scores are the lower ones; all are 1 in f32.
    let image = |at: usize| {
        let n = usize::from(at < 10);
        json!({"file_name": format!("{at}.png"), "syms": vec!["Nodule"; n], "boxes": vec![[0, 0, 99, 99]; n]})
    };
    let truth = (0..20).map(image).collect();
    let score = |at: u32| 1.0 - f64::from(20 - at) * 1e-9;
    let files: Vec<_> = (0..20).map(|at| json!([{"Nodule": [0.0, 0.0, 99.0, 99.0, score(at)]}])).collect();
    assert!((0..20).all(|at| (score(at) as f32).to_bits() == 1.0_f32.to_bits()));
    let (ap50, area, n_tied) = of_nodules(&truth, &files, DEFAULT_MAX_DETECTIONS);
    // Ten false positives come first: precision is k / (10 + k), and never more than at the end.
    assert!((ap50 - 0.5).abs() < TOLERANCE, "{ap50}");
    assert_eq!((area, n_tied), (Some(0.0), 0));
}

#[test]
fn overlaps_are_those_of_the_numbers_in_the_file() {
    // 0.5 - 1e-9 of the lesion: below the threshold, though not as f32.
    let truth = json!([{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[0, 0, 100, 100]]}]);
    let files = |x2: f64| [json!([{"Nodule": [0.0, 0.0, x2, 100.0, 0.9]}])];
    assert_eq!(((50.0 - 1e-7) as f32).to_bits(), 50.0_f32.to_bits());
    assert!(of_nodules(&truth, &files(50.0), 1).0 > 0.99);
    assert!(of_nodules(&truth, &files(50.0 - 1e-7), 1).0 < 0.01);
    // And of a lesion.
    let truth = json!([{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[0, 0, 100.000_001, 100]]}]);
    assert!(of_nodules(&truth, &files(50.0), 1).0 < 0.01);
}

#[test]
fn a_lesion_found_at_rank_120_counts_only_if_so_many_detections_do() {
    let truth = json!([{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[0, 0, 99, 99]]}]);
    let others = (0..119).map(|at| json!({"Nodule": [500, 500, 520, 520, 0.9 - 0.001 * f64::from(at)]}));
    let file = others.chain([json!({"Nodule": [0, 0, 99, 99, 0.5]})]).collect();
    let ap50 = |max_detections: u32| of_nodules(&truth, std::slice::from_ref(&file), max_detections).0;
    assert!(ap50(DEFAULT_MAX_DETECTIONS).max(ap50(119)) < TOLERANCE);
    assert!((ap50(120) - 1.0 / 120.0).abs() < TOLERANCE);
}
