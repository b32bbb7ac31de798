//! Average precision and image-level ROC areas of the golden cases, as pycocotools and scikit-learn computed them.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use froc::protocol::Protocol;
use froc::score::average_precision::{AveragePrecision, average_precision};
use froc::score::image_roc::ImageRoc;
use froc::score::mean;
use support::cases::{cases, load};

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
        let precisions: Vec<Option<AveragePrecision>> =
            Protocol::default().classes().map(|class| average_precision(&truth, &run, detections, class)).collect();
        let areas: Vec<Option<f64>> =
            Protocol::default().classes().map(|class| ImageRoc::new(&truth, &run, class).area).collect();
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
