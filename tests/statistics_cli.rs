//! Statistics in the terminal: `froc compare`, `froc score --bootstrap`, `--groups`, `--fail-under`.

use crate::support;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use froc::report::statistics::Wanted;
use serde_json::Value;

fn case() -> PathBuf {
    support::cases::case("synthetic").expect("it is in tests/golden")
}

fn froc(arguments: &[&str], n_predictions: usize) -> Output {
    let case = case();
    let path = |name: &str| case.join(name).to_string_lossy().into_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
    command.arg(arguments[0]).args(["--ground-truth", &path("test.json")]);
    for _ in 0..n_predictions {
        command.args(["--predictions", &path("predictions.zip")]);
    }
    command.args(&arguments[1..]).output().expect("the program runs")
}

fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn json(arguments: &[&str], n_predictions: usize) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_str(&printed(&froc(&arguments, n_predictions))).expect("JSON")
}

fn groups(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn a_bootstrap_is_named_with_seed_and_groups_and_follows_from_them() {
    let images: Value =
        serde_json::from_slice(&std::fs::read(case().join("test.json")).expect("a file")).expect("JSON");
    let names = images.as_array().expect("a list").iter().map(|image| image["file_name"].as_str().expect("a name"));
    let lines: Vec<String> = names.enumerate().map(|(at, name)| format!("{name},patient {}\n", at / 2)).collect();
    let path = groups("pairs.csv", &format!("file_name,group\n{}", lines.concat()));
    let path = path.to_string_lossy();
    let arguments = ["score", "--bootstrap", "60", "--seed", "9", "--groups", &path];
    let report = json(&arguments, 1);
    let bootstrap = &report["options"]["bootstrap"];
    assert_eq!(bootstrap["replicates"], 60);
    assert_eq!(bootstrap["seed"], 9);
    assert_eq!(bootstrap["generator"], froc::bootstrap::GENERATOR);
    assert_eq!(bootstrap["groups"]["source"], "csv");
    assert_eq!(bootstrap["groups"]["name"], "pairs.csv");
    let bytes = std::fs::read(&*path).expect("a file");
    assert_eq!(bootstrap["groups"]["sha256"], froc::input::sha256(&bytes));
    assert_eq!(bootstrap["groups"]["n_groups"], images.as_array().expect("a list").len().div_ceil(2));
    let mean = |report: &Value| report["runs"][0]["statistics"]["rows"][10]["average_recall"]["interval"].clone();
    assert!(mean(&report).is_array());
    assert_eq!(mean(&json(&arguments, 1)), mean(&report));
    assert_ne!(mean(&json(&["score", "--bootstrap", "60", "--seed", "8", "--groups", &path], 1)), mean(&report));
    assert_ne!(mean(&json(&["score", "--bootstrap", "60", "--seed", "9"], 1)), mean(&report));
}

#[test]
fn two_copies_of_one_run_do_not_differ() {
    let report = json(&["compare", "--bootstrap", "50"], 2);
    let comparison = &report["comparisons"][0];
    for row in comparison["rows"].as_array().expect("rows") {
        let difference = &row["average_recall"];
        assert_eq!(difference["value"].as_f64(), Some(0.0), "{row}");
        assert_eq!(difference["p"].as_f64(), Some(1.0), "{row}");
        assert_eq!(difference["interval"], serde_json::json!([0.0, 0.0]), "{row}");
    }
    for changes in comparison["changes"].as_array().expect("changes") {
        assert_eq!((&changes["lesions"]["gained"], &changes["lesions"]["lost"]), (&0.into(), &0.into()));
    }
    let three = json(&["compare", "--bootstrap", "10", "--baseline", "2"], 3);
    let others: Vec<&Value> = three["comparisons"].as_array().expect("two").iter().map(|one| &one["other"]).collect();
    assert_eq!(others, [0, 2]);
    // More than two are ranked, as by the command for that.
    assert!(report.get("ranking").is_none());
    let run = case().join("predictions.zip").to_string_lossy().into_owned();
    let ranked = json(&["rank", "--bootstrap", "10", &run, &run, &run], 0);
    assert!(ranked["ranking"]["places"].is_array());
    assert_eq!(three["ranking"], ranked["ranking"]);
}

#[test]
fn every_format_is_what_the_core_renders() {
    let (truth, predictions, run) = support::cases::load(&case());
    let resampling = froc::Resampling::new(40, 1, 0.95).expect("a resampling");
    let groups = froc::Groups::images(&truth);
    let options = froc::Options::default();
    let mut uncertainty =
        froc::bootstrap::Uncertainty::new(&truth, &[&run], (&options, 0.9), resampling, groups).expect("groups");
    while !uncertainty.step(7) {}
    let wanted = Wanted { uncertainty: Some(&uncertainty), ..Wanted::default() };
    // The program looks for mistakes in the files too, and the report says what it found.
    let prepared = froc::prepare(&truth, &std::sync::Arc::new(predictions), &froc::Reading::default());
    let prepared = prepared.expect("readable files");
    let runs = [(&prepared[0].run, prepared[0].predictions.as_ref())];
    let report = froc::evaluate_with_statistics(&truth, &runs, &options, wanted);
    for format in froc::render::Format::ALL {
        let ours = froc(&["score", "--bootstrap", "40", "--format", format.name()], 1);
        let core = format.bytes(&report).expect("bytes");
        assert!(ours.stdout == core, "{}", format.name());
    }
}

#[test]
fn recall_weighs_as_asked_and_the_f_score_is_named_so() {
    let f1 = json(&["score", "--statistics"], 1);
    let f2 = json(&["score", "--statistics", "--beta", "2"], 1);
    assert_eq!((&f1["options"]["beta"], &f2["options"]["beta"]), (&1.0.into(), &2.0.into()));
    let operating = |report: &Value, class: usize| report["runs"][0]["statistics"]["rows"][class]["operating"].clone();
    for class in 0..10 {
        let [one, two] = [&f1, &f2].map(|report| operating(report, class));
        assert_eq!(one["best_f1"], one["best_f_beta"], "F1 is that of 1");
        for key in ["score_threshold", "f1", "recall"] {
            assert_eq!(one["best_f1"][key], two["best_f1"][key], "F1 stays what it is");
        }
        let recall = |of: &Value| of["recall"].as_f64();
        assert!(recall(&two["best_f_beta"]) >= recall(&two["best_f1"]), "recall weighs more: {two}");
    }
    let best = operating(&f2, 3)["best_f_beta"]["f_beta"].as_f64().expect("a number");
    for (format, name) in [("text", "best F2"), ("markdown", "best F2"), ("html", "best F2"), ("latex", "best F2")] {
        let text = printed(&froc(&["score", "--statistics", "--beta", "2", "--format", format], 1));
        assert!(
            text.contains(name) && text.contains(&format!("{best:.3}")) && !text.contains("F1"),
            "{format}: {text}"
        );
        assert!(format != "text" || text.contains("F-scores with beta 2"), "{text}");
    }
    let csv = printed(&froc(&["score", "--statistics", "--beta", "0.5", "--format", "csv"], 1));
    assert!(csv.contains(",best_f0.5_score_threshold,") && csv.contains(",exact_f0.5,") && !csv.contains("_f1,"));
    for beta in ["0", "-1", "nan", "101"] {
        let output = froc(&["score", "--statistics", "--beta", beta], 1);
        let there = if beta == "nan" { "NaN" } else { beta };
        let expected = format!(
            "Beta of the F-score: there is {there}; expected a number above 0 and up to 100, such as 2, which makes recall weigh \
             twice as much as precision."
        );
        assert_eq!((output.status.code(), said(&output).contains(&expected)), (Some(2), true), "{}", said(&output));
    }
}

#[test]
fn sensitivity_is_read_at_the_specificity_that_is_asked_for() {
    let at = |specificity: &str| json(&["score", "--bootstrap", "100", "--specificity", specificity], 1);
    let rows = |report: &Value| report["runs"][0]["statistics"]["rows"].as_array().cloned().expect("rows");
    let (usual, strict) = (json(&["score", "--bootstrap", "100"], 1), at("0.99"));
    assert_eq!((&usual["options"]["specificity"], &strict["options"]["specificity"]), (&0.9.into(), &0.99.into()));
    assert_eq!(at("0.9")["runs"], usual["runs"]);
    let mut fell = 0;
    for (usual, strict) in rows(&usual).iter().zip(rows(&strict)).take(11) {
        let [usual, strict] = [&usual["at_specificity"], &strict["at_specificity"]];
        let value = |of: &Value| of["sensitivity"]["value"].as_f64();
        let Some((usual_value, strict_value)) = value(usual).zip(value(strict)) else { continue };
        assert!(strict_value <= usual_value, "{usual} {strict}");
        fell += usize::from(strict_value < usual_value);
        let interval = |of: &Value| of["sensitivity"]["interval"].clone();
        assert!(interval(strict).is_array() && interval(strict) != interval(usual), "{usual} {strict}");
        if let Some(reached) = strict["specificity"].as_f64() {
            assert!(reached >= 0.99, "{strict}");
        }
    }
    assert!(fell > 5, "{fell}");
    let mean = &rows(&strict)[10]["at_specificity"];
    let share = format!("{:.2}", 100.0 * mean["sensitivity"]["value"].as_f64().expect("of the mean"));
    for format in ["text", "markdown", "html", "latex", "csv"] {
        let text = printed(&froc(&["score", "--bootstrap", "100", "--specificity", "0.99", "--format", format], 1));
        let is_named = if format == "csv" {
            text.contains(",sensitivity_at_specificity_0.99,")
        } else {
            text.contains("sensitivity at a specificity of 0.99") && text.contains(&share)
        };
        assert!(is_named, "{format}: {text}");
    }
    for wrong in ["0", "-0.5", "1.01", "90", "nan"] {
        let output = froc(&["score", "--statistics", "--specificity", wrong], 1);
        let there = if wrong == "nan" { "NaN" } else { wrong };
        let expected =
            format!("Specificity of images: there is {there}; expected a share above 0 and up to 1, such as 0.9");
        assert_eq!((output.status.code(), said(&output).contains(&expected)), (Some(2), true), "{}", said(&output));
    }
}

#[test]
fn fail_under_ends_with_1_and_a_sentence_after_the_report() {
    let average = json(&["score"], 1)["runs"][0]["official"]["average_recall"].as_f64().expect("defined");
    let reached = froc(&["score", "--fail-under", &format!("average={average}")], 1);
    assert_eq!((reached.status.code(), said(&reached).as_str()), (Some(0), ""));
    let missed = froc(&["score", "--fail-under", "average=0.99"], 1);
    assert_eq!(missed.status.code(), Some(1));
    assert!(!missed.stdout.is_empty());
    let sentence = format!("predictions.zip: the official average is {average:.4}; expected at least 0.99.\n");
    assert_eq!(said(&missed), sentence);
    let exact = froc(&["score", "--fail-under", "exact_average=0.99"], 1);
    assert_eq!(exact.status.code(), Some(1));
    for wrong in ["average=60", "recall=0.5", "average", "average=NaN"] {
        assert_eq!(froc(&["score", "--fail-under", wrong], 1).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn what_cannot_be_done_ends_with_2_and_a_sentence() {
    let cases: [(&[&str], &str); 4] = [
        (
            &["score", "--bootstrap", "0"],
            "Bootstrap replicates: there is 0; expected a whole number from 1 to 100000, such as 2000.",
        ),
        (
            &["score", "--bootstrap", "9", "--level", "1"],
            "Level of the intervals: there is 1; expected a number between 0 and 1, such as 0.95.",
        ),
        (
            &["score", "--statistics", "--area-up-to", "0"],
            "Rate up to which areas are taken: there is 0; expected a number above 0, such as 1.",
        ),
        (
            &["compare"],
            "Baseline: there is 1 of 1 predictions; expected at least two, and the number of one of them, from 1.",
        ),
    ];
    for (arguments, sentence) in cases {
        let output = froc(arguments, 1);
        assert_eq!((output.status.code(), said(&output).trim_end()), (Some(2), sentence));
    }
    let path = groups("short.csv", "file_name,group\nno.png,1\n");
    let output = froc(&["score", "--bootstrap", "9", "--groups", &path.to_string_lossy()], 1);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).starts_with("short.csv: it has no line for image \""), "{}", said(&output));
}
