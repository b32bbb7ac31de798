//! The figures of published conventions against those of the code of others, and where there is none.

use std::ops::ControlFlow;
use std::sync::Arc;

use froc::report::published::PublishedReport;
use froc::report::statistics::Wanted;
use froc::score::published::Published;
use froc::{GroundTruth, Options, Predictions, Reading, Report};
use serde_json::{Value, json};

use crate::support::{ground_truth_json, zip_of};

fn report(truth: &GroundTruth, predictions: Predictions, options: &Options) -> Report {
    let runs = froc::prepare(truth, &Arc::new(predictions), &Reading::default());
    let prepared = runs.unwrap_or_else(|refusal| panic!("{}", refusal.errors[0])).remove(0);
    let wanted = Wanted::default();
    froc::evaluate_with_statistics(truth, &[(&prepared.run, &prepared.predictions)], options, wanted)
}

fn published(report: &Report) -> &[PublishedReport] {
    &report.runs[0].statistics.as_ref().expect("statistics").published
}

fn of(report: &Report, id: Published) -> (Option<f64>, Option<&str>) {
    let of = published(report).iter().find(|of| of.id == id).expect("all of them");
    (of.value, of.none_because.as_deref())
}

/// `published.json` was written by `tests/published.py`, which names the files and versions.
#[test]
fn figures_are_those_of_the_code_of_others() {
    let expected: Value = serde_json::from_str(include_str!("published.json")).expect("JSON");
    let rates: Vec<f64> = serde_json::from_value(expected["coco_froc_rates"].clone()).expect("rates");
    let options = Options::new(0.5, rates).expect("rates that rise");
    let mut compared = [0; 5];
    for (number, case) in expected["cases"].as_array().expect("cases").iter().enumerate() {
        let rows = |key: &str| case[key].as_array().expect("rows").clone();
        let images: Vec<Value> = (0..case["n_images"].as_u64().expect("a number"))
            .map(|image| json!({"id": image, "file_name": format!("{image}.png"), "width": 400, "height": 400}))
            .collect();
        let lesions: Vec<Value> = rows("lesions")
            .iter()
            .map(|row| json!({"image_id": row[0], "category_id": row[1], "bbox": row[2]}))
            .collect();
        let detections: Vec<Value> = rows("detections")
            .iter()
            .map(|row| json!({"image_id": row[0], "category_id": row[1], "bbox": row[2], "score": row[3]}))
            .collect();
        let truth = json!({"images": images, "annotations": lesions,
            "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]});
        let truth = froc::read_ground_truth("truth.json", truth.to_string().as_bytes()).expect("a ground truth");
        let bytes = Value::from(detections).to_string();
        let predictions = froc::input::read_predictions_of_all("run.json", bytes.as_bytes()).expect("predictions");
        let report = report(&truth, predictions, &options);
        for (at, (id, key)) in [
            (Published::Luna16, "luna16"),
            (Published::Nndetection, "nndetection"),
            (Published::Monai, "monai"),
            (Published::ObjectCxr, "object_cxr"),
            (Published::CocoFrocAnalysis, "coco_froc_analysis"),
        ]
        .into_iter()
        .enumerate()
        {
            // Where the original stops with an error or has no number there is nothing to compare.
            let Some(theirs) = case["figures"][key].as_f64() else { continue };
            let ours = of(&report, id).0.expect("a figure");
            assert!((ours - theirs).abs() < 1e-12, "case {number}, {key}: {ours}, expected {theirs}");
            compared[at] += 1;
        }
    }
    assert!(compared.iter().all(|n| *n > 10), "{compared:?}");
}

#[test]
fn a_convention_without_a_figure_says_why() {
    let lesion = (3, [10.0, 10.0, 29.0, 29.0]);
    let truth = |lesions: &[_]| froc::read_ground_truth("t.json", &ground_truth_json([("1.png", lesions)]));
    let run = |score: &str| {
        let file = format!(r#"[{{"Nodule": [10, 10, 29, 29, {score}]}}]"#);
        let zip = std::io::Cursor::new(zip_of(&[("1.json", file.as_str())]));
        froc::read_predictions("model.zip", zip, &mut |_| ControlFlow::Continue(())).expect("predictions")
    };
    let with_lesion = truth(&[lesion]).expect("a ground truth");
    let plain = report(&with_lesion, run("0.5"), &Options::default());
    for id in [Published::ChestxDet10, Published::Exact, Published::CocoAp50, Published::CocoAp, Published::Luna16] {
        // A class without lesions makes the script's mean undefined or counts as 0.
        let expected = if id == Published::ChestxDet10 { 0.1 } else { 1.0 };
        assert!(of(&plain, id).0.is_some_and(|value| (value - expected).abs() < 1e-12), "{id:?}: {:?}", of(&plain, id));
    }
    assert_eq!(
        of(&plain, Published::ChestxRay8).1,
        Some("Its boxes have no scores, and no code of its evaluation is published.")
    );
    let voxels = "It takes maps of voxels, in which candidates cannot overlap, and no boxes.";
    assert_eq!(of(&plain, Published::PicaiEval), (None, Some(voxels)));

    let above_1 = report(&with_lesion, run("2.5"), &Options::default());
    for id in [Published::Monai, Published::CocoFrocAnalysis] {
        let because = "A score lies outside 0 to 1, and it takes probabilities.";
        assert_eq!(of(&above_1, id), (None, Some(because)));
    }
    let nothing = report(&truth(&[]).expect("a ground truth"), run("0.5"), &Options::default());
    for id in [Published::Exact, Published::CocoAp, Published::Luna16, Published::Nndetection, Published::ObjectCxr] {
        assert_eq!(of(&nothing, id), (None, Some("No class has lesions.")), "{id:?}");
    }
    // The official row keeps the script's own options.
    let other = report(&with_lesion, run("0.5"), &Options::new(0.9, vec![1.0]).expect("options"));
    assert_eq!(of(&other, Published::ChestxDet10), of(&plain, Published::ChestxDet10));
    let by_centre = with_lesion.measured_by(froc::geometry::Measure::Centre);
    let centre = Options::default().with_hit(froc::options::Hit::parse("centre").expect("a criterion"));
    let by_centre = report(&by_centre, run("0.5"), &centre);
    let because = "It is the evaluation of ChestX-Det10 alone, by IoU.";
    assert_eq!(of(&by_centre, Published::ChestxDet10), (None, Some(because)));
    assert_eq!(of(&by_centre, Published::Luna16).0, Some(1.0), "its hits are its own");
    let ignoring = with_lesion.ignoring(&["Nodule".to_owned()]).expect("a class");
    let because = "It knows no lesions that are ignored, and there are some.";
    assert_eq!(of(&report(&ignoring, run("0.5"), &Options::default()), Published::CocoFrocAnalysis).1, Some(because));
}
