//! Score thresholds in the terminal: kept with `froc score --save-thresholds`, used with `froc score --thresholds`.

use crate::support;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use froc::bootstrap::Uncertainty;
use froc::render::Format;
use froc::report::statistics::Wanted;
use froc::{Groups, Options, Reading, Resampling, Thresholds};
use serde_json::Value;

fn case(name: &str) -> PathBuf {
    support::cases::case(name).expect("it is in tests/golden")
}

/// Exit code, standard output and standard error of `froc score` on a case.
fn score(case: &Path, arguments: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let path = |name: &str| case.join(name).to_string_lossy().into_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
    command.args(["score", "--ground-truth", &path("test.json"), "--predictions", &path("predictions.zip")]);
    let output = command.args(arguments).output().expect("the program runs");
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).expect("UTF-8"))
}

fn json(case: &Path, arguments: &[&str]) -> Value {
    let (code, printed, said) = score(case, &[arguments, &["--format", "json"]].concat());
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_slice(&printed).expect("JSON")
}

/// The thresholds of a case in a file of that name.
fn kept(case: &Path, name: &str, arguments: &[&str]) -> String {
    let path = support::scratch(name).join("t.json").to_string_lossy().into_owned();
    let (code, _, said) = score(case, &[arguments, &["--save-thresholds", &path]].concat());
    assert_eq!(code, Some(0), "{said}");
    path
}

#[test]
fn what_is_kept_on_one_dataset_is_scored_on_another_in_every_format_as_the_core_renders_it() {
    let (development, test) = (case("quirks"), case("synthetic"));
    let path = kept(&development, "thresholds_formats", &[]);
    let (truth, _, run) = support::cases::load(&development);
    let bytes = std::fs::read(&path).expect("a file");
    assert_eq!(bytes, Thresholds::of(&truth, &run, &Options::default()).json().expect("bytes"));

    let (truth, predictions, _) = support::cases::load(&test);
    let prepared = froc::prepare(&truth, &Arc::new(predictions), &Reading::default()).expect("readable files");
    let (run, predictions) = (&prepared[0].run, prepared[0].predictions.as_ref());
    let resampling = Resampling::new(40, 1, 0.95).expect("a resampling");
    let groups = Groups::images(&truth);
    let options = Options::default();
    let mut uncertainty = Uncertainty::new(&truth, &[run], (&options, 0.9), resampling, groups).expect("groups");
    while !uncertainty.step(u32::MAX) {}
    let wanted = Wanted { uncertainty: Some(&uncertainty), ..Wanted::default() };
    let report = froc::evaluate_with_statistics(&truth, &[(run, predictions)], &options, wanted);
    let chosen = Thresholds::read("t.json", &bytes).expect("a file of thresholds");
    let bootstrap = Some(uncertainty.intervals());
    let report = report.with_thresholds(&truth, &[run], &chosen, bootstrap).expect("thresholds that fit");
    assert!(report.thresholds.as_ref().is_some_and(|of| !of.is_own_ground_truth && of.rows.len() == 11));
    for format in Format::ALL {
        let arguments = ["--bootstrap", "40", "--thresholds", &path, "--format", format.name()];
        let (code, printed, said) = score(&test, &arguments);
        assert_eq!(code, Some(0), "{said}");
        assert!(printed == format.bytes(&report).expect("bytes"), "{}", format.name());
        assert!(String::from_utf8(printed).expect("UTF-8").contains(&froc::input::sha256(&bytes)), "{}", format.name());
    }
}

#[test]
fn without_a_bootstrap_there_are_no_intervals_and_on_their_own_images_no_optimism() {
    let test = case("synthetic");
    let path = kept(&test, "thresholds_own", &["--fp", "0.1,0.5"]);
    // The rates are those of the file, whatever recall is read at beside it.
    let report = json(&test, &["--thresholds", &path]);
    let thresholds = &report["thresholds"];
    assert_eq!(thresholds["is_own_ground_truth"], true);
    assert_eq!(thresholds["fp_per_image"], serde_json::json!([0.1, 0.5]));
    for row in thresholds["rows"].as_array().expect("rows") {
        for at in row["at_rates"].as_array().expect("rates") {
            assert!(
                at["recall"]["interval"].is_null() && [None, Some(0.0)].contains(&at["optimism"].as_f64()),
                "{row}"
            );
        }
    }
    let nothing = json(&test, &[]);
    assert!(nothing.get("thresholds").is_none());
    assert_eq!(nothing["runs"], report["runs"], "the official and the exact score stay as they are");
}

/// The ending tells how it is written, and the structure how it is read: also where a person drops it.
#[test]
fn a_table_of_thresholds_gives_the_same_report_but_for_its_own_digest() {
    let (development, test) = (case("quirks"), case("synthetic"));
    let path = kept(&development, "thresholds_json", &[]);
    let table = support::scratch("thresholds_csv").join("t.CSV").to_string_lossy().into_owned();
    let (code, _, said) = score(&development, &["--save-thresholds", &table]);
    assert_eq!(code, Some(0), "{said}");
    let reached = |path: &str| {
        let mut report = json(&test, &["--thresholds", path, "--bootstrap", "10"]);
        for key in ["name", "sha256"] {
            report["thresholds"].as_object_mut().expect("thresholds").remove(key);
        }
        report
    };
    assert_eq!(reached(&table), reached(&path));
    let bytes = std::fs::read(&table).expect("a file");
    let mut session = froc::session::Session::default();
    let summary =
        session.add("t", "any name.txt", std::io::Cursor::new(bytes), &mut |_| std::ops::ControlFlow::Continue(()));
    assert_eq!(summary.expect("a table").kind, froc::session::FileKind::Thresholds);
}

/// The sentence says what to do, and doing it gives a score.
#[test]
fn a_file_of_another_iou_threshold_is_refused_with_the_flag_that_helps() {
    let test = case("synthetic");
    let path = kept(&test, "thresholds_iou", &["--iou", "0.3"]);
    let (code, printed, said) = score(&test, &["--thresholds", &path]);
    assert_eq!((code, printed.len()), (Some(2), 0));
    let sentence = "t.json: its score thresholds are for IoU threshold 0.3; expected 0.5: score with --iou 0.3, or choose them at 0.5.";
    assert_eq!(said.trim_end(), sentence);
    assert_eq!(json(&test, &["--thresholds", &path, "--iou", "0.3"])["thresholds"]["name"], "t.json");
}

#[test]
fn a_file_of_other_ignored_classes_is_refused_with_the_flag_that_helps() {
    let test = case("synthetic");
    let ignore = ["--ignore", "Mass", "--ignore", "Fibrosis"];
    let kept = [kept(&test, "thresholds_ignoring", &ignore), kept(&test, "thresholds_not_ignoring", &[])];
    let refused = [
        (
            vec!["--thresholds", &kept[0]],
            "t.json: its score thresholds ignore Fibrosis, Mass; expected no class: score with --ignore \"Fibrosis\" --ignore \
             \"Mass\", or choose them without --ignore.",
        ),
        (
            [&ignore[..], &["--thresholds", &kept[1]]].concat(),
            "t.json: its score thresholds ignore no class; expected Fibrosis, Mass: score without --ignore, or choose them with \
             --ignore \"Fibrosis\" --ignore \"Mass\".",
        ),
    ];
    for (arguments, sentence) in refused {
        let (code, _, said) = score(&test, &arguments);
        assert_eq!((code, said.trim_end()), (Some(2), sentence));
    }
    let helped = ["--ignore", "Fibrosis", "--ignore", "Mass", "--thresholds", &kept[0]];
    assert_eq!(
        json(&test, &helped)["thresholds"]["rows"].as_array().map(Vec::len),
        Some(9),
        "eight classes and the mean"
    );
}

#[test]
fn what_cannot_be_read_or_kept_is_refused() {
    let test = case("synthetic");
    let truth = test.join("test.json").to_string_lossy().into_owned();
    let predictions = test.join("predictions.zip").to_string_lossy().into_owned();
    let refused = [
        (vec!["--thresholds", "nowhere.json"], "nowhere.json: it cannot be read ("),
        (vec!["--thresholds", &truth], "test.json: it holds none ("),
        (
            vec!["--predictions", &predictions, "--save-thresholds", "two.json"],
            "--save-thresholds: there are 2 runs; expected one, whose thresholds they are.",
        ),
        (vec!["--save-thresholds", "nowhere/t.json"], "nowhere/t.json: it cannot be written ("),
    ];
    for (arguments, start) in refused {
        let (code, printed, said) = score(&test, &arguments);
        assert_eq!((code, printed.len(), said.lines().count()), (Some(2), 0, 1), "{said}");
        assert!(said.starts_with(start), "{said}");
    }
    assert!(!Path::new("two.json").exists());
}
