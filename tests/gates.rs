//! Bounds that fail a CI job: `--fail-under`, `--fail-if-worse`, `--junit`, `--summary`.

use crate::support;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{scratch, zip_of};

fn case() -> PathBuf {
    support::cases::case("synthetic").expect("it is in tests/golden")
}

fn whole() -> PathBuf {
    case().join("predictions.zip")
}

/// The run of the case with nothing found in every fourth image, under a name that XML and Markdown must escape.
fn poorer(folder: &Path) -> PathBuf {
    let mut zip = zip::ZipArchive::new(fs::File::open(whole()).expect("a case")).expect("a zip");
    let mut files = Vec::new();
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).expect("an entry");
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("UTF-8");
        if entry.is_file() {
            files.push((entry.name().expect("UTF-8").into_owned(), if at % 4 == 0 { "[]".to_owned() } else { text }));
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let path = folder.join("a & b's _poorer_.zip");
    fs::write(&path, zip_of(&files)).expect("a scratch file");
    path
}

fn froc(command: &str, runs: &[&Path], more: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
    program.arg(command).arg("--ground-truth").arg(case().join("test.json"));
    for run in runs {
        program.arg("--predictions").arg(run);
    }
    program.args(more).output().expect("the program runs")
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

/// The least number above and the greatest below: a bound on the number itself is reached, one on that above it is not.
fn next(number: f64) -> f64 {
    f64::from_bits(number.to_bits() + 1)
}

#[test]
fn each_number_of_a_class_and_a_rate_can_be_bounded() {
    let report = json(&froc("score", &[&whole()], &["--format", "json"]));
    let run = &report["runs"][0];
    let number = |path: &str| run.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}"));
    let is_scored = |class: &&Value| class["exact"]["recall"][1].as_f64() > Some(0.0);
    let classes = run["classes"].as_array().expect("classes");
    let at = classes.iter().position(|class| is_scored(&class)).expect("a class with lesions that are found");
    let class = classes[at]["name"].as_str().expect("a name");
    let mean = |kind: &str| {
        let recall = classes[at][kind]["recall"].as_array().expect("recall");
        recall.iter().map(|recall| recall.as_f64().expect("defined")).sum::<f64>() / recall.len() as f64
    };
    let cases = [
        ("average".to_owned(), number("/official/average_recall"), "the official average".to_owned()),
        ("exact_average".to_owned(), number("/exact/average_recall"), "the exact average".to_owned()),
        (
            "recall@0.1".to_owned(),
            number("/official/recall/1"),
            "the official recall at 0.1 false positives per image".to_owned(),
        ),
        (
            "exact_recall@0.2".to_owned(),
            number("/exact/recall/2"),
            "the exact recall at 0.2 false positives per image".to_owned(),
        ),
        (format!("{class}:average"), mean("official"), format!("the official average of {class}")),
        (format!("{class}:exact_average"), mean("exact"), format!("the exact average of {class}")),
        (
            format!("{class}:exact_recall@0.1"),
            number(&format!("/classes/{at}/exact/recall/1")),
            format!("the exact recall of {class} at 0.1 false positives per image"),
        ),
    ];
    for (metric, found, what) in cases {
        let reached = froc("score", &[&whole()], &["--fail-under", &format!("{metric}={found}")]);
        assert_eq!((reached.status.code(), said(&reached)), (Some(0), ""), "{metric}");
        let more = next(found);
        let missed = froc("score", &[&whole()], &["--fail-under", &format!("{metric}={more}")]);
        let sentence = format!("predictions.zip: {what} is {found:.4}; expected at least {more}.\n");
        assert_eq!((missed.status.code(), said(&missed)), (Some(1), sentence.as_str()), "{metric}");
        assert!(!missed.stdout.is_empty(), "the report is printed all the same");
    }
}

/// Thresholds of the half, at which the whole is bounded.
#[test]
fn recall_at_thresholds_chosen_elsewhere_can_be_bounded() {
    let folder = scratch("recall_at_thresholds_chosen_elsewhere_can_be_bounded");
    let path = folder.join("t.json");
    let path = path.to_str().expect("UTF-8");
    let chosen = froc("score", &[&poorer(&folder)], &["--save-thresholds", path]);
    assert_eq!((chosen.status.code(), said(&chosen)), (Some(0), ""));
    let with = |bound: &str| froc("score", &[&whole()], &["--thresholds", path, "--fail-under", bound]);
    let report = json(&froc("score", &[&whole()], &["--thresholds", path, "--format", "json"]));
    let rows = report["thresholds"]["rows"].as_array().expect("rows");
    let is_found = |row: &&Value| row["name"] != "mean" && row["at_rates"][1]["recall"]["value"].as_f64() > Some(0.0);
    let class = rows.iter().find(is_found).expect("a class that is found");
    let name = class["name"].as_str().expect("a name");
    let of = |row: &Value, rate: usize| row["at_rates"][rate]["recall"]["value"].as_f64().expect("defined");
    let average = |row: &Value| (0..3).map(|rate| of(row, rate)).sum::<f64>() / 3.0;
    let mean = &rows[0];
    assert_eq!(mean["name"], "mean");
    let elsewhere = "at thresholds chosen elsewhere";
    let cases = [
        (
            "reached_recall@0.1".to_owned(),
            of(mean, 1),
            format!("the recall at 0.1 false positives per image {elsewhere}"),
        ),
        ("reached_average".to_owned(), average(mean), format!("the average {elsewhere}")),
        (
            format!("{name}:reached_recall@0.1"),
            of(class, 1),
            format!("the recall of {name} at 0.1 false positives per image {elsewhere}"),
        ),
        (format!("{name}:reached_average"), average(class), format!("the average of {name} {elsewhere}")),
    ];
    for (metric, found, what) in cases {
        let reached = with(&format!("{metric}={found}"));
        assert_eq!((reached.status.code(), said(&reached)), (Some(0), ""), "{metric}");
        let more = next(found);
        let missed = with(&format!("{metric}={more}"));
        let sentence = format!("predictions.zip: {what} is {found:.4}; expected at least {more}.\n");
        assert_eq!((missed.status.code(), said(&missed)), (Some(1), sentence.as_str()), "{metric}");
    }
    let sentence =
        "--fail-under: there is rate 0.5; expected one of 0.05, 0.1, 0.2, for which the thresholds were chosen.";
    let refused = with("reached_recall@0.5=0.1");
    assert_eq!((refused.status.code(), said(&refused).trim_end()), (Some(2), sentence));
    let refused = froc("score", &[&whole()], &["--fail-under", "reached_recall@0.1=0.1"]);
    let sentence = "--fail-under: there are no thresholds to reach a recall at; expected --thresholds FILE beside it.";
    assert_eq!((refused.status.code(), said(&refused).trim_end()), (Some(2), sentence));
}

#[test]
fn a_bound_on_what_is_not_there_ends_with_2_and_advice_that_works() {
    let refused = froc("score", &[&whole()], &["--fail-under", "recall@0.5=0.1"]);
    let advice = "expected one of 0.05, 0.1, 0.2; add it to --fp, which is now 0.05,0.1,0.2.";
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(said(&refused).trim_end(), format!("--fail-under: there is rate 0.5; {advice}"));
    let added = froc("score", &[&whole()], &["--fp", "0.05,0.1,0.2,0.5", "--fail-under", "recall@0.5=0"]);
    assert_eq!((added.status.code(), said(&added)), (Some(0), ""));

    let refused = froc("score", &[&whole()], &["--fail-under", "Nodul:average=0.1"]);
    assert_eq!(refused.status.code(), Some(2));
    let listed = support::CLASSES.join(", ");
    assert_eq!(said(&refused).trim_end(), format!("--fail-under: there is class Nodul; expected one of {listed}."));

    for wrong in ["recall=0.1", "average@0.1=0.1", "exact_recall@x=0.1", "average=1.5"] {
        assert_eq!(froc("score", &[&whole()], &["--fail-under", wrong]).status.code(), Some(2), "{wrong}");
    }
    for wrong in ["1.5", "-0.1", "average=0.1", "recall@0.1=0.1", "x"] {
        let output = froc("compare", &[&whole(), &whole()], &["--fail-if-worse", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    let nothing = froc("score", &[&whole()], &["--junit", "junit.xml"]);
    let sentence = "--junit: there is no bound to write about; expected --fail-under, or of froc compare --fail-if-worse, beside it.";
    assert_eq!((nothing.status.code(), said(&nothing).trim_end()), (Some(2), sentence));
}

/// The lower end of the interval decides, not the difference itself.
#[test]
fn a_run_that_may_be_worse_by_more_than_the_margin_fails() {
    let poorer = poorer(&scratch("a_run_that_may_be_worse_by_more_than_the_margin_fails"));
    let runs = [whole(), poorer];
    let runs = [runs[0].as_path(), runs[1].as_path()];
    let report = json(&froc("compare", &runs, &["--bootstrap", "80", "--format", "json"]));
    let rows = report["comparisons"][0]["rows"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a row");
    let low = |difference: &Value| difference["interval"][0].as_f64().expect("an interval");
    let is_worse = |row: &&Value| row["recall"][2].is_object() && low(&row["recall"][2]) < 0.0;
    let class = rows.iter().find(is_worse).and_then(|row| row["name"].as_str()).expect("a class that is worse");
    let average = low(&row("mean")["average_recall"]);
    let cases = [
        (String::new(), average),
        ("exact_recall@0.1=".to_owned(), low(&row("mean")["recall"][1])),
        (format!("{class}:exact_recall@0.2="), low(&row(class)["recall"][2])),
    ];
    for (metric, low) in cases {
        assert!(low < 0.0, "{metric}: a poorer run may be worse");
        let margin = format!("{metric}{}", -low);
        let within = froc("compare", &runs, &["--bootstrap", "80", "--fail-if-worse", &margin]);
        assert_eq!((within.status.code(), said(&within)), (Some(0), ""), "{margin}");
        let margin = format!("{metric}{}", f64::from_bits((-low).to_bits() - 1));
        let beyond = froc("compare", &runs, &["--bootstrap", "80", "--fail-if-worse", &margin]);
        assert_eq!(beyond.status.code(), Some(1), "{margin}");
    }
    let beyond = froc("compare", &runs, &["--bootstrap", "80", "--fail-if-worse", "0"]);
    let difference = &row("mean")["average_recall"];
    let sentence = format!(
        "a & b's _poorer_.zip minus predictions.zip: the difference of the exact average is {:+.4} (95 % interval {:+.4} to {:+.4}); expected a lower end of at least 0.",
        difference["value"].as_f64().expect("a number"),
        average,
        difference["interval"][1].as_f64().expect("a number"),
    );
    assert_eq!(said(&beyond).trim_end(), sentence);
    // A run is not worse than its copy.
    let same = froc("compare", &[&whole(), &whole()], &["--bootstrap", "20", "--fail-if-worse", "0"]);
    assert_eq!((same.status.code(), said(&same)), (Some(0), ""));
}

#[test]
fn junit_and_summary_tell_of_every_bound() {
    let folder = scratch("junit_and_summary_tell_of_every_bound");
    let poorer = poorer(&folder);
    let (junit, summary) = (folder.join("junit.xml"), folder.join("summary.md"));
    let [junit_path, summary_path] = [&junit, &summary].map(|path| path.to_str().expect("UTF-8"));
    let files = ["--junit", junit_path, "--summary", summary_path];
    let bounds = ["--fail-under", "average=0", "--fail-under", "Nodule:exact_average=1", "--fail-if-worse", "0"];
    let more = [&["--bootstrap", "40"], files.as_slice(), bounds.as_slice()].concat();
    fs::write(&summary, "What was there before.\n").expect("a file");
    fs::write(&junit, "z".repeat(100_000)).expect("a file");
    let output = froc("compare", &[&whole(), &poorer], &more);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let sentences: Vec<&str> = said(&output).lines().collect();

    let text = fs::read_to_string(&junit).expect("a file");
    let xml = roxmltree::Document::parse(&text).expect("XML");
    let root = xml.root_element();
    assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some("5"), Some("3")));
    let suites: Vec<&str> = root.children().filter_map(|suite| suite.attribute("name")).collect();
    let poorer_name = "a & b's _poorer_.zip";
    let pair = format!("{poorer_name} minus predictions.zip");
    assert_eq!(suites, ["predictions.zip", poorer_name, pair.as_str()]);
    let failures = xml.descendants().filter(|node| node.has_tag_name("failure"));
    let messages: Vec<&str> = failures.filter_map(|failure| failure.attribute("message")).collect();
    assert_eq!(messages, sentences);

    let text = fs::read_to_string(&summary).expect("a file");
    assert!(text.starts_with("What was there before.\n\n## 2 of 5 bounds reached\n"), "{text}");
    assert_eq!(text.matches("| not reached | ").count(), 3, "{text}");
    assert!(text.contains(r"a \& b's \_poorer\_.zip minus predictions.zip"), "{text}");
    let recall = froc("score", &[&whole(), &poorer], &["--format", "markdown", "--bootstrap", "40"]);
    let recall = String::from_utf8(recall.stdout).expect("UTF-8");
    let lines: Vec<&str> = recall.lines().filter(|line| line.starts_with("| ")).take(20).collect();
    assert!(lines.iter().take(3).all(|line| text.contains(line)), "{text}\n{recall}");

    let nowhere = folder.join("no folder/junit.xml");
    let nowhere = nowhere.to_str().expect("UTF-8");
    let output = froc("score", &[&whole()], &["--fail-under", "average=0", "--junit", nowhere]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).starts_with(&format!("{nowhere}: it cannot be written (")), "{}", said(&output));
}
