//! Every golden case, to the last bit: what the official script printed, and what an independent second implementation
//! computed beside it.
//!
//! `tests/golden` is walked, and so is the larger collection that may not be copied: the folder that `GOLDEN_DIR` names,
//! else `../shared/golden` beside the repository.

use std::fs;
use std::path::Path;

use froc::Options;
use froc::render::table;
use froc::report::{ClassReport, Report};
use serde_json::Value;

use crate::support::cases::cases;
use crate::support::{same, score};

/// What differs from the expected numbers; nothing if the case is met.
struct Differences(Vec<String>);

impl Differences {
    fn check<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: &T, theirs: &T) {
        if ours != theirs {
            self.0.push(format!("{what}: got {ours:?}, expected {theirs:?}"));
        }
    }

    fn check_numbers(&mut self, what: &str, ours: &[Option<f64>], theirs: &[Option<f64>]) {
        let equal = ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|pair| match pair {
                (Some(ours), Some(theirs)) => same(*ours, *theirs),
                (ours, theirs) => ours == theirs,
            });
        if !equal {
            self.0.push(format!("{what}: got {ours:?}, expected {theirs:?}"));
        }
    }
}

/// The numbers of an array; none where the script's number is not defined, or nothing is there to report.
fn numbers(value: &Value) -> Vec<Option<f64>> {
    value.as_array().expect("an array of numbers").iter().map(number).collect()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number.as_f64().expect("an f64")),
        Value::Null => None,
        Value::String(word) if ["nan", "inf", "-inf"].contains(&word.as_str()) => None,
        other => panic!("{other} is no number"),
    }
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a count that fits")
}

fn check_class(case: &mut Differences, ours: &ClassReport, expected: &Value) {
    let name = &ours.name;
    let counts = [ours.n_lesions, ours.n_detections, ours.true_positives, ours.false_positives];
    let theirs = ["lesions", "detections", "true_positives", "false_positives"].map(|key| count(&expected[key]));
    case.check(&format!("{name}, counts"), &counts, &theirs);
    let recall = numbers(&expected["recall"]);
    case.check_numbers(&format!("{name}, official recall"), &ours.official.recall, &recall);

    // Without bounds no tie decides, and both are the official number.
    let bounds = expected.get("recall_bounds_over_tie_orders");
    let bounds = bounds.map_or_else(|| [recall.clone(), recall], |pair| [numbers(&pair[0]), numbers(&pair[1])]);
    case.check_numbers(&format!("{name}, worst"), &ours.official.recall_bounds[0], &bounds[0]);
    case.check_numbers(&format!("{name}, best"), &ours.official.recall_bounds[1], &bounds[1]);

    let thresholds: Vec<Option<f64>> = ours.exact.score_threshold.iter().map(|score| score.map(f64::from)).collect();
    let spent: Vec<Option<f64>> = ours.exact.false_positives.iter().map(|spent| spent.map(f64::from)).collect();
    let attainable = &expected["attainable"];
    let [recall, threshold, false_positives] = ["recall", "threshold", "false_positives"]
        .map(|key| if attainable.is_null() { vec![None; ours.exact.recall.len()] } else { numbers(&attainable[key]) });
    case.check_numbers(&format!("{name}, exact recall"), &ours.exact.recall, &recall);
    case.check_numbers(&format!("{name}, score threshold"), &thresholds, &threshold);
    case.check_numbers(&format!("{name}, false positives spent"), &spent, &false_positives);
}

fn check_report(case: &mut Differences, report: &Report, expected: &Value) {
    let run = &report.runs[0];
    case.check("images", &report.ground_truth.n_images, &count(&expected["images"]));
    let classes = expected["classes"].as_object().expect("classes");
    case.check("number of classes", &run.classes.len(), &classes.len());
    for class in &run.classes {
        check_class(case, class, &classes[&class.name]);
    }
    case.check_numbers("mean recall", &run.official.recall, &numbers(&expected["mean_recall"]));
    case.check_numbers("average recall", &[run.official.average_recall], &[number(&expected["average_recall"])]);
    case.check_numbers("exact mean", &run.exact.recall, &numbers(&expected["mean_attainable_recall"]));
    let stdout = expected["stdout"].as_str().expect("what the script printed");
    let text = table(report);
    case.check("last lines", &text[text.len().saturating_sub(stdout.len())..].to_owned(), &stdout.to_owned());
}

#[test]
fn every_golden_case_is_met_to_the_last_bit() {
    let mut failures = Vec::new();
    for folder in cases() {
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected: Value = serde_json::from_slice(&read("expected.json")).expect("JSON");
        let rates = numbers(&expected["fp_rates"]).into_iter().map(|rate| rate.expect("a rate")).collect();
        let iou_threshold = number(&expected["iou_threshold"]).expect("a threshold");
        let options = Options::new(iou_threshold, rates).expect("options in range");
        let mut case = Differences(Vec::new());
        match score(&read("test.json"), &read("predictions.zip"), &options) {
            Ok(report) => check_report(&mut case, &report, &expected),
            Err(sentences) => case.0.extend(sentences),
        }
        failures.extend(case.0.into_iter().map(|difference| format!("{}: {difference}", folder.display())));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The cases that rest on the real ground truth may not be copied.
#[test]
fn only_made_up_ground_truth_is_copied() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for folder in cases().into_iter().filter(|folder| folder.starts_with(&ours)) {
        let expected: Value =
            serde_json::from_slice(&fs::read(folder.join("expected.json")).expect("expected.json")).expect("JSON");
        assert_ne!(count(&expected["images"]), 542, "{} looks like the real test set", folder.display());
    }
}
