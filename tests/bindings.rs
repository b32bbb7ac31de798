//! The bindings in a real dedicated worker of a real browser: files in, report out.
#![cfg(target_arch = "wasm32")]

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/drivers.rs"]
mod drivers;

use std::io::{Cursor, Write as _};

use froc::Options;
use froc::geometry::Measure;
use froc::report::OptionsReport;
use froc::wasm::{Evaluator, default_options, parse_options, sha256};
use js_sys::{Array, Function, JSON, Reflect, Uint8Array};
use tsify::Tsify as _;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const GROUND_TRUTH: &[u8] = include_bytes!("golden/synthetic/test.json");
const PREDICTIONS: &[u8] = include_bytes!("golden/synthetic/predictions.zip");
const EXPECTED: &str = include_str!("golden/synthetic/expected.json");

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).expect("a blob of bytes")
}

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a name");
        writer.write_all(text.as_bytes()).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn silent() -> Function {
    Function::new_no_args("")
}

fn get(value: &(impl Clone + Into<JsValue>), path: &[&str]) -> JsValue {
    path.iter().fold(value.clone().into(), |value, key| Reflect::get(&value, &(*key).into()).expect("an object"))
}

fn loaded() -> Evaluator {
    let mut evaluator = loaded_without_digest();
    evaluator.learn_sha256("p", &froc::input::sha256(PREDICTIONS)).expect("no report");
    evaluator
}

fn loaded_without_digest() -> Evaluator {
    let mut evaluator = Evaluator::new();
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &silent()).expect("a zip");
    evaluator.add("g", "test.json", &blob(GROUND_TRUTH), &silent()).expect("a ground truth");
    evaluator
}

fn evaluate(evaluator: &mut Evaluator) -> JsValue {
    let options = OptionsReport::from(&Options::default()).into_ts().expect("plain numbers");
    evaluator.evaluate(&options).expect("an outcome").into()
}

/// The sentence of the first error of a `Failure`.
fn sentence(failure: &JsValue) -> String {
    get(failure, &["errors", "0", "sentence"]).as_string().expect("a sentence")
}

/// A callback that keeps every chunk, and what it keeps.
fn keeping() -> (Function, Array) {
    let chunks = Array::new();
    let keep = Function::new_with_args("chunk", "this.push(chunk)").bind0(&chunks);
    (keep, chunks)
}

#[wasm_bindgen_test]
fn a_run_is_converted_to_every_target_and_scores_the_same() {
    let mut evaluator = loaded();
    let average = |evaluator: &mut Evaluator, run: &str| {
        get(&evaluate(evaluator), &["report", "runs", run, "official", "average_recall"]).as_f64()
    };
    let shown = average(&mut evaluator, "0");
    assert!(shown.is_some());
    for target in froc::wasm::conversion_targets().expect("a list") {
        let [name, ending] = ["name", "ending"].map(|key| get(&target, &[key]).as_string().expect("a text"));
        let (keep, chunks) = keeping();
        let conversion: JsValue = evaluator.convert("p", &name, &keep).expect("a conversion").into();
        assert!(get(&conversion, &["n_detections"]).as_f64() > Some(0.0), "{name}");
        let blob = Blob::new_with_u8_array_sequence(&chunks).expect("a blob of bytes");
        evaluator.add("again", &format!("again.{ending}"), &blob, &silent()).expect("predictions");
        assert_eq!(average(&mut evaluator, "1"), shown, "{name}");
        evaluator.remove("again");
    }
    let (keep, _) = keeping();
    let failure = evaluator.convert("p", "excel", &keep).expect_err("no such format");
    assert!(sentence(&failure).starts_with("Format: there is \"excel\"; expected one of chestx-det, coco, yolo, csv"));
    let failure = evaluator.convert("q", "coco", &keep).expect_err("no such run");
    assert!(sentence(&failure).starts_with("run: there is no such run"));
    let failing = Function::new_no_args("throw 'no more'");
    assert_eq!(evaluator.convert("p", "csv", &failing).expect_err("thrown").as_string().as_deref(), Some("no more"));
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
    let bytes = evaluator.export("json").expect("a report").to_vec();
    let truth = froc::read_ground_truth("test.json", GROUND_TRUTH).expect("a ground truth");
    let archive = std::io::Cursor::new(PREDICTIONS);
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let predictions = froc::read_predictions("predictions.zip", archive, &mut go_on).expect("a zip");
    let run = froc::Run::new(&truth, &predictions).expect("a run");
    let report = froc::evaluate(&truth, &[&run], &froc::Options::default());
    assert_eq!(bytes, froc::render::json(&report).expect("bytes"));
}

#[wasm_bindgen_test]
fn bytes_are_read_as_the_file_is() {
    let mut evaluator = loaded_without_digest();
    evaluate(&mut evaluator);
    let of_files = evaluator.export("json").expect("a report").to_vec();
    let mut evaluator = Evaluator::new();
    evaluator.add("p", "predictions.zip", &Uint8Array::from(PREDICTIONS), &silent()).expect("a zip");
    evaluator.add("g", "test.json", &Uint8Array::from(GROUND_TRUTH), &silent()).expect("a ground truth");
    evaluate(&mut evaluator);
    assert_eq!(evaluator.export("json").expect("a report").to_vec(), of_files);
    let cut = Uint8Array::from(&PREDICTIONS[..PREDICTIONS.len() / 2]);
    let failure = evaluator.add("p", "cut.zip", &cut, &silent()).expect_err("half a zip");
    assert!(sentence(&failure).starts_with("cut.zip"), "{}", sentence(&failure));
}

#[wasm_bindgen_test]
fn missing_files_give_no_report_and_no_error() {
    let mut evaluator = Evaluator::new();
    assert!(get(&evaluate(&mut evaluator), &["report"]).is_null());
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &silent()).expect("a zip");
    assert!(get(&evaluate(&mut evaluator), &["report"]).is_null());
    assert_eq!(
        sentence(&evaluator.export("json").expect_err("no report")),
        "report: there is none; expected a ground truth and a run that can be scored."
    );
}

#[wasm_bindgen_test]
fn a_bad_file_changes_nothing() {
    let mut evaluator = loaded();
    let cut = &PREDICTIONS[..PREDICTIONS.len() / 2];
    let failure = evaluator.add("p", "cut.zip", &blob(cut), &silent()).expect_err("half a zip");
    assert!(sentence(&failure).starts_with("cut.zip: it is no zip, or cut short"), "{}", sentence(&failure));
    let outcome = evaluate(&mut evaluator);
    assert_eq!(get(&outcome, &["report", "runs", "0", "name"]).as_string().as_deref(), Some("predictions.zip"));
}

/// Neither a trap nor a loss: the files that are there are scored all the same.
#[wasm_bindgen_test]
fn no_entry_of_the_corpus_traps_or_disturbs_what_is_there() {
    let mut evaluator = loaded();
    for (target, name, bytes) in corpus::ENTRIES {
        for (_, drive) in drivers::TARGETS {
            drive(bytes);
        }
        let name = format!("{target}/{name}");
        // Most are refused; what is taken is taken away again.
        if evaluator.add("x", &name, &blob(bytes), &silent()).is_ok() {
            evaluate(&mut evaluator);
            evaluator.remove("x");
        }
        let outcome = evaluate(&mut evaluator);
        assert!(!get(&outcome, &["report"]).is_null(), "{name}");
    }
}

#[wasm_bindgen_test]
fn options_are_checked_by_the_core() {
    let defaults = default_options().expect("defaults");
    assert_eq!(get(&defaults, &["iou_threshold"]).as_f64(), Some(Options::default().iou_threshold()));
    let iou = || Measure::Iou.into_ts().expect("a text");
    let options = parse_options(&iou(), "0.3", "0.125, 1").expect("options");
    assert_eq!(get(&options, &["fp_per_image", "1"]).as_f64(), Some(1.0));
    let failure = parse_options(&iou(), "0.5", "0.2, 0.1").expect_err("falling rates");
    assert_eq!(
        sentence(&failure),
        "False positives per image: there is 0.2, 0.1; expected rising numbers above 0, such as 0.05, 0.1, 0.2."
    );
}

#[wasm_bindgen_test]
fn options_that_follow_others_score_as_if_they_had_come_first() {
    let outcome = |evaluator: &mut Evaluator, iou_threshold: &str, fp_per_image: &str| {
        let options = Options::parse(iou_threshold, fp_per_image).expect("options");
        let options = OptionsReport::from(&options).into_ts().expect("plain numbers");
        String::from(JSON::stringify(&evaluator.evaluate(&options).expect("an outcome").into()).expect("JSON"))
    };
    let mut one = loaded();
    let asked = [("0.5", "0.05, 0.1, 0.2"), ("0.5", "0.1, 1"), ("0.3", "0.1, 1"), ("0.3", "0.7"), ("0.5", "0.7")];
    for (iou_threshold, fp_per_image) in asked {
        let fresh = outcome(&mut loaded(), iou_threshold, fp_per_image);
        assert_eq!(outcome(&mut one, iou_threshold, fp_per_image), fresh, "{iou_threshold} and {fp_per_image}");
    }
    // Other files under the same IoU threshold.
    let mut fresh = loaded();
    for evaluator in [&mut one, &mut fresh] {
        evaluator.add("p", "one.zip", &blob(&zip_of(&[("1.json", "[]")])), &silent()).expect("a zip");
    }
    assert_eq!(outcome(&mut one, "0.5", "0.2"), outcome(&mut fresh, "0.5", "0.2"));
}

#[wasm_bindgen_test]
fn progress_is_told_and_a_listener_that_throws_ends_nothing() {
    let mut evaluator = Evaluator::new();
    let calls = Array::new();
    let push = Function::new_with_args("progress", "this.push(progress); throw new Error('listener')").bind0(&calls);
    evaluator.add("p", "predictions.zip", &blob(PREDICTIONS), &push).expect("a zip");
    assert!(calls.length() > 2);
    assert_eq!(get(&calls.get(0), &["stage"]).as_string().as_deref(), Some("reading"));
    assert!(get(&calls.get(calls.length() - 1), &["done"]).as_f64() > get(&calls.get(0), &["done"]).as_f64());
}

/// The list of entries the other way round.
fn backwards(zip: &[u8]) -> Vec<u8> {
    let (start, end) = (headers(zip, b"PK\x01\x02")[0], headers(zip, b"PK\x05\x06")[0]);
    let mut records: Vec<&[u8]> = Vec::new();
    let mut starts = headers(zip, b"PK\x01\x02");
    starts.push(end);
    records.extend(starts.windows(2).map(|pair| &zip[pair[0]..pair[1]]));
    records.reverse();
    [&zip[..start], &records.concat(), &zip[end..]].concat()
}

fn headers(zip: &[u8], signature: &[u8]) -> Vec<usize> {
    zip.windows(4).enumerate().filter(|(_, bytes)| *bytes == signature).map(|(at, _)| at).collect()
}

#[wasm_bindgen_test]
fn a_zip_larger_than_what_is_read_at_once_is_read_as_from_its_bytes() {
    let images = 1..=6;
    let truth = images.clone().map(|image| format!(r#"{{"file_name": "{image}.png", "syms": [], "boxes": []}}"#));
    let truth = format!("[{}]", truth.collect::<Vec<_>>().join(","));
    // Stored, and too large to be asked for at once, all in all; one is so alone.
    let sizes = [3_000_000, 10, 2_000_000, 4_500_000, 10_000_000, 10];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (image, blanks) in images.zip(sizes) {
        writer.start_file(format!("{image}.json"), stored).expect("a name");
        let text = format!(r#"[{{"Nodule": [{image}, 1, 20, 20, 0.{image}]}}{}]"#, " ".repeat(blanks));
        writer.write_all(text.as_bytes()).expect("memory");
    }
    writer.start_file("notes.txt", stored).expect("a name");
    let sound = writer.finish().expect("memory").into_inner();
    let mut damaged = sound.clone();
    damaged[4_000_000] = b'1';
    for (what, zip) in [("in order", &sound), ("backwards", &backwards(&sound)), ("damaged", &damaged)] {
        let outcome = |evaluator: &mut Evaluator| {
            evaluator.add("g", "test.json", &blob(truth.as_bytes()), &silent()).expect("a ground truth");
            String::from(JSON::stringify(&evaluate(evaluator)).expect("JSON"))
        };
        let mut evaluator = Evaluator::new();
        evaluator.add("p", "model.zip", &blob(zip), &silent()).expect("a zip");
        let from_file = outcome(&mut evaluator);
        assert_eq!(from_file.contains("checksum"), what == "damaged", "{from_file}");
        let mut evaluator = Evaluator::new();
        evaluator.add("p", "model.zip", &Uint8Array::from(zip.as_slice()), &silent()).expect("a zip");
        assert_eq!(outcome(&mut evaluator), from_file, "{what}");
    }
}

#[wasm_bindgen_test]
fn a_digest_that_comes_late_is_in_the_report() {
    let mut evaluator = loaded_without_digest();
    let before = evaluate(&mut evaluator);
    assert!(get(&before, &["report", "runs", "0", "sha256"]).is_null());
    let digits = sha256(&blob(PREDICTIONS)).expect("a file that is there");
    assert_eq!(digits, froc::input::sha256(PREDICTIONS));
    let report = evaluator.learn_sha256("p", &digits).expect("a report");
    assert_eq!(get(&report, &["runs", "0", "sha256"]).as_string(), Some(digits));
}

/// An object of JavaScript, as the page sends it.
fn object<T>(json: &str) -> tsify::Ts<T>
where
    T: tsify::Tsify,
{
    tsify::Ts::new_unchecked(JSON::parse(json).expect("JSON").unchecked_into())
}

fn rates() -> tsify::Ts<OptionsReport> {
    OptionsReport::from(&Options::default()).into_ts().expect("plain numbers")
}

#[wasm_bindgen_test]
fn a_bootstrap_in_slices_gives_the_bytes_of_the_core_in_every_format() {
    let mut evaluator = loaded();
    evaluate(&mut evaluator);
    let resampling = r#"{"replicates": 30, "seed": 5, "level": 0.95, "groups": "images"}"#;
    let started = evaluator.start_bootstrap(&rates(), &object(resampling)).expect("a bootstrap");
    assert_eq!((get(&started, &["done"]).as_f64(), get(&started, &["total"]).as_f64()), (Some(0.0), Some(90.0)));
    let mut steps = 0;
    loop {
        let progress = evaluator.step_bootstrap(7).expect("a bootstrap");
        steps += 1;
        if get(&progress, &["done"]).as_f64() == get(&progress, &["total"]).as_f64() {
            break;
        }
    }
    assert_eq!(steps, 13, "90 replicates by sevens: for intervals, bands, and observer studies");
    let wanted = object(r#"{"area_up_to": 1, "baseline": null}"#);
    let outcome = evaluator.evaluate_with_statistics(&rates(), &wanted).expect("an outcome");
    let interval = get(&outcome, &["report", "runs", "0", "statistics", "rows", "10", "average_recall", "interval"]);
    assert_eq!(Array::from(&interval).length(), 2);

    let truth = froc::read_ground_truth("test.json", GROUND_TRUTH).expect("a ground truth");
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let archive = std::io::Cursor::new(PREDICTIONS);
    let predictions = froc::read_predictions("predictions.zip", archive, &mut go_on).expect("a zip");
    let prepared = froc::prepare(&truth, &std::sync::Arc::new(predictions), &froc::Reading::default()).expect("a run");
    let run = &prepared[0].run;
    let resampling = froc::Resampling::new(30, 5, 0.95).expect("a resampling");
    let groups = froc::Groups::images(&truth);
    let options = Options::default();
    let mut uncertainty =
        froc::bootstrap::Uncertainty::new(&truth, &[run], &options, resampling, groups).expect("groups");
    while !uncertainty.step(u32::MAX) {}
    let wanted = froc::report::statistics::Wanted {
        area_up_to: 1.0,
        max_detections: 100,
        beta: 1.0,
        uncertainty: Some(&uncertainty),
        baseline: None,
    };
    let runs = [(run, prepared[0].predictions.as_ref())];
    let report = froc::evaluate_with_statistics(&truth, &runs, &options, wanted);
    for format in froc::render::Format::ALL {
        let ours = evaluator.export(format.name()).expect("bytes").to_vec();
        assert!(ours == format.bytes(&report).expect("bytes"), "{}", format.name());
    }
    assert_eq!(sentence(&evaluator.export("pdf").expect_err("no such format")).split(':').next(), Some("Format"));
}

#[wasm_bindgen_test]
fn groups_are_a_file_like_others_and_a_new_file_ends_the_bootstrap() {
    let mut evaluator = loaded();
    evaluate(&mut evaluator);
    let resampling = r#"{"replicates": 10, "seed": 5, "level": 0.95, "groups": "csv"}"#;
    let failure = evaluator.start_bootstrap(&rates(), &object(resampling)).expect_err("no groups yet");
    assert_eq!(sentence(&failure), "groups: no file of groups was added; expected a CSV file with file_name,group.");
    let truth = froc::read_ground_truth("test.json", GROUND_TRUTH).expect("a ground truth");
    let lines = truth.images().iter().enumerate().map(|(at, image)| format!("{image},{}\n", at % 10));
    let csv = format!("file_name,group\n{}", lines.collect::<Vec<_>>().concat());
    let summary = evaluator.add("c", "groups.csv", &blob(csv.as_bytes()), &silent()).expect("groups");
    assert_eq!(get(&summary, &["kind"]).as_string().as_deref(), Some("groups"));
    evaluator.start_bootstrap(&rates(), &object(resampling)).expect("a bootstrap");
    evaluator.step_bootstrap(30).expect("a bootstrap");
    let wanted = object(r#"{"area_up_to": 1, "baseline": null}"#);
    let outcome = evaluator.evaluate_with_statistics(&rates(), &wanted).expect("an outcome");
    let n_groups = get(&outcome, &["report", "options", "bootstrap", "groups", "n_groups"]);
    assert_eq!(n_groups.as_f64(), Some(10.0));
    evaluator.remove("c");
    assert!(sentence(&evaluator.step_bootstrap(1).expect_err("it is gone")).starts_with("bootstrap: there is none"));
}

#[wasm_bindgen_test]
fn curves_of_a_run_are_read_by_its_id() {
    let mut evaluator = loaded();
    evaluate(&mut evaluator);
    let pooled = evaluator.curve("p", "pooled", &rates()).expect("a curve");
    assert!(Array::from(&get(&pooled, &["recall"])).length() > 2);
    let mean = evaluator.curve("p", "mean", &rates()).expect("a curve");
    assert!(Array::from(&get(&mean, &["recall"])).length() > Array::from(&get(&pooled, &["recall"])).length() / 10);
    let roc = evaluator.image_roc("p", 3).expect("a curve");
    assert!(get(&roc, &["summary", "area"]).as_f64().is_some_and(|area| (0.5..=1.0).contains(&area)));
    assert!(evaluator.image_roc("p", 10).is_err() && evaluator.curve("q", "pooled", &rates()).is_err());
}

#[wasm_bindgen_test]
fn names_in_chinese_are_read_with_the_tables_of_the_browser() {
    // Two characters in GBK, in place of as many bytes of the names.
    let mut zip = zip_of(&[("####1.json", r#"[{"Nodule": [0, 0, 9, 9, 0.9]}]"#)]);
    let places: Vec<usize> = zip.windows(4).enumerate().filter(|(_, four)| four == b"####").map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2, "in the list and beside the file");
    for at in places {
        zip[at..at + 4].copy_from_slice(b"\xd0\xd8\xc6\xac");
    }
    let truth = r#"[{"file_name": "胸片1.png", "syms": ["Nodule"], "boxes": [[0, 0, 9, 9]]}]"#;
    let mut evaluator = Evaluator::new();
    evaluator.add("p", "gbk.zip", &blob(&zip), &silent()).expect("a zip");
    evaluator.add("g", "test.json", &blob(truth.as_bytes()), &silent()).expect("a ground truth");
    let outcome = evaluate(&mut evaluator);
    assert_eq!(get(&outcome, &["report", "runs", "0", "n_files"]).as_f64(), Some(1.0));
}
