//! The bindings in a real dedicated worker of a real browser: files in, report out.
#![cfg(target_arch = "wasm32")]

use froc::Options;
use froc::report::OptionsReport;
use froc::wasm::{Evaluator, default_options, parse_options};
use js_sys::{Array, Function, JSON, Reflect, Uint8Array};
use tsify::Tsify as _;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const GROUND_TRUTH: &[u8] = include_bytes!("golden/synthetic/test.json");
const PREDICTIONS: &[u8] = include_bytes!("golden/synthetic/predictions.zip");
const EXPECTED: &str = include_str!("golden/synthetic/expected.json");

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).expect("a blob of bytes")
}

fn silent() -> Function {
    Function::new_no_args("")
}

fn get(value: &JsValue, path: &[&str]) -> JsValue {
    path.iter().fold(value.clone(), |value, key| Reflect::get(&value, &(*key).into()).expect("an object"))
}

fn loaded() -> Evaluator {
    let mut evaluator = Evaluator::new();
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &silent()).expect("a zip");
    evaluator.add("g", "test.json", &blob(GROUND_TRUTH), &silent()).expect("a ground truth");
    evaluator
}

fn evaluate(evaluator: &mut Evaluator) -> JsValue {
    let options = OptionsReport::from(&Options::default()).into_ts().expect("plain numbers");
    evaluator.evaluate(&options).expect("an outcome")
}

/// The sentence of the first error of a `Failure`.
fn sentence(failure: &JsValue) -> String {
    get(failure, &["errors", "0", "sentence"]).as_string().expect("a sentence")
}

#[wasm_bindgen_test]
fn a_golden_case_is_met_to_the_last_bit_in_any_order_of_files() {
    let mut evaluator = loaded();
    let outcome = evaluate(&mut evaluator);
    let expected = JSON::parse(EXPECTED).expect("JSON");
    let average = get(&outcome, &["report", "runs", "0", "official", "average_recall"]);
    assert_eq!(average.as_f64(), get(&expected, &["average_recall"]).as_f64());
    let exact = Array::from(&get(&outcome, &["report", "runs", "0", "exact", "recall"]));
    let attainable = Array::from(&get(&expected, &["mean_attainable_recall"]));
    assert_eq!(exact.length(), attainable.length());
    for (ours, theirs) in exact.iter().zip(attainable.iter()) {
        assert_eq!(ours.as_f64(), theirs.as_f64());
    }
    assert_eq!(get(&outcome, &["run_ids", "0"]).as_string().as_deref(), Some("p"));
}

#[wasm_bindgen_test]
fn the_json_is_what_the_core_writes() {
    let mut evaluator = loaded();
    evaluate(&mut evaluator);
    let bytes = evaluator.report_json().expect("a report").to_vec();
    let truth = froc::read_ground_truth("test.json", GROUND_TRUTH).expect("a ground truth");
    let archive = std::io::Cursor::new(PREDICTIONS);
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let predictions = froc::read_predictions("predictions.zip", archive, &mut go_on).expect("a zip");
    let run = froc::Run::new(&truth, &predictions).expect("a run");
    let report = froc::evaluate(&truth, &[&run], &froc::Options::default());
    assert_eq!(bytes, froc::render::json(&report).expect("bytes"));
}

#[wasm_bindgen_test]
fn missing_files_give_no_report_and_no_error() {
    let mut evaluator = Evaluator::new();
    assert!(get(&evaluate(&mut evaluator), &["report"]).is_null());
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &silent()).expect("a zip");
    assert!(get(&evaluate(&mut evaluator), &["report"]).is_null());
    assert_eq!(
        sentence(&evaluator.report_json().expect_err("no report")),
        "report: there is none; expected a ground truth and a run that can be scored."
    );
}

#[wasm_bindgen_test]
fn a_bad_file_changes_nothing() {
    let mut evaluator = loaded();
    let cut = &PREDICTIONS[..PREDICTIONS.len() / 2];
    let failure = evaluator.add("p", "cut.zip", &blob(cut), &silent()).expect_err("half a zip");
    assert!(sentence(&failure).starts_with("cut.zip: it is not a whole zip"), "{}", sentence(&failure));
    let outcome = evaluate(&mut evaluator);
    assert_eq!(get(&outcome, &["report", "runs", "0", "name"]).as_string().as_deref(), Some("predictions.zip"));
}

#[wasm_bindgen_test]
fn options_are_checked_by_the_core() {
    let defaults = default_options().expect("defaults");
    assert_eq!(get(&defaults, &["iou_threshold"]).as_f64(), Some(Options::default().iou_threshold()));
    let options = parse_options("0.3", "0.125, 1").expect("options");
    assert_eq!(get(&options, &["fp_per_image", "1"]).as_f64(), Some(1.0));
    let failure = parse_options("0.5", "0.2, 0.1").expect_err("falling rates");
    assert_eq!(
        sentence(&failure),
        "False positives per image: there is 0.2, 0.1; expected rising numbers above 0, such as 0.05, 0.1, 0.2."
    );
}

#[wasm_bindgen_test]
fn progress_is_told_and_a_listener_that_throws_ends_nothing() {
    let mut evaluator = Evaluator::new();
    let calls = Array::new();
    let push = Function::new_with_args("progress", "this.push(progress); throw new Error('listener')").bind0(&calls);
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &push).expect("a zip");
    assert!(calls.length() > 2);
    assert_eq!(get(&calls.get(0), &["stage"]).as_string().as_deref(), Some("reading"));
    assert_eq!(get(&calls.get(calls.length() - 1), &["stage"]).as_string().as_deref(), Some("hashing"));
}
