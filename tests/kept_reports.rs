//! Reports that were kept are read again: `froc score report.json`, and dropped on the page, whichever version wrote them.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{ground_truth_json, is_long, scratch, zip_of};
use froc::render::Format;
use froc::session::{FileKind, Session};
use froc::{Error, Options, Report};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Ground truth and predictions of a golden case.
fn golden(case: &str) -> [PathBuf; 2] {
    ["test.json", "predictions.zip"].map(|name| root().join("tests/golden").join(case).join(name))
}

/// A report of an earlier time, as it was kept.
fn kept(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/reports").join(name)).expect("a file")
}

fn names_of_kept() -> Vec<String> {
    let entries = fs::read_dir(root().join("tests/reports")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "json")).collect()
}

fn froc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_froc")).args(arguments).output().expect("the program starts")
}

fn printed(arguments: &[&str]) -> Vec<u8> {
    let output = froc(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    output.stdout
}

/// What the program says where it refuses.
fn refused(arguments: &[&str]) -> String {
    let output = froc(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8").trim_end().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    fs::write(folder.join(name), bytes).expect("a file");
    folder.join(name)
}

fn add(session: &mut Session, name: &str, bytes: &[u8]) -> Result<FileKind, Error> {
    session.add(name, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).map(|summary| summary.kind)
}

/// Every number of a value by its path, but for those of keys that told what a finding tells otherwise by now.
fn numbers(value: &Value, path: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((path.to_owned(), number.as_f64().expect("a number"))),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, value)| numbers(value, &format!("{path}/{at}"), found));
        }
        Value::Object(object) => {
            for (key, value) in object {
                let key = if key == "notices" { "findings" } else { key };
                numbers(value, &format!("{path}/{key}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_report_of_every_version_keeps_each_of_its_numbers() {
    let names = names_of_kept();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let bytes = kept(&name);
        let report = Report::read(&name, &bytes).unwrap_or_else(|error| panic!("{error}"));
        let then: Value = serde_json::from_slice(&bytes).expect("JSON");
        let written = Format::Json.bytes(&report).expect("JSON");
        let now: Value = serde_json::from_slice(&written).expect("JSON");
        let mut all = Vec::new();
        numbers(&then, "", &mut all);
        assert!(all.len() > 200, "{name}: {}", all.len());
        for (path, number) in all.into_iter().filter(|(path, _)| path != "/schema_version") {
            let ours = now.pointer(&path).and_then(Value::as_f64);
            assert_eq!(ours.map(f64::to_bits), Some(number.to_bits()), "{name}: {path}");
        }
        assert_eq!(now["schema_version"], froc::report::SCHEMA_VERSION, "{name}");
        assert_eq!(now["froc_version"], then["froc_version"], "{name}");
        assert_eq!(report.ground_truth.protocol, "ChestX-Det10", "{name}");
        let is_official =
            then["options"]["iou_threshold"] == 0.5 && then["options"]["fp_per_image"] == json!([0.05, 0.1, 0.2]);
        for run in &report.runs {
            let called = if is_official { "official" } else { "the script's rules at other rates" };
            assert_eq!((run.official.is_official, run.official.name.as_str()), (is_official, called), "{name}");
            assert!(run.findings.iter().all(|finding| !finding.id.is_empty()), "{name}");
        }
        assert_eq!(Report::read("again.json", &written), Ok(report), "{name}");
    }
}

#[test]
fn a_report_of_version_1_at_other_options_is_not_called_official() {
    let mut report: Value = serde_json::from_slice(&kept("version-1.json")).expect("JSON");
    assert_eq!(report["schema_version"], 1);
    report["options"]["iou_threshold"] = json!(0.3);
    let bytes = serde_json::to_vec(&report).expect("JSON");
    let official = &Report::read("a.json", &bytes).expect("a report").runs[0].official;
    assert_eq!((official.is_official, official.name.as_str()), (false, "the script's rules at IoU 0.3"));
}

#[test]
fn a_report_that_is_printed_again_has_the_bytes_of_the_first_time_in_every_format() {
    let folder = scratch("kept_reports_again");
    let [truth, run] = &golden("quirks");
    let [truth, run] = [text(truth), text(run)];
    let nothing = written(&folder, "nothing.zip", &zip_of(&[("1.json", "[]")]));
    let nothing = text(&nothing);
    let thresholds = folder.join("t.json");
    printed(&["score", "--ground-truth", truth, "--predictions", run, "--save-thresholds", text(&thresholds)]);
    let one = ["--ground-truth", truth, "--predictions", run];
    let two = [&one[..], &["--predictions", nothing, "--predictions", run]].concat();
    let kinds: [(&str, Vec<&str>); 6] = [
        ("score", one.to_vec()),
        ("score", [&one[..], &["--bootstrap", "40", "--by", "lesion-free,lesion-size"]].concat()),
        ("score", [&one[..], &["--thresholds", text(&thresholds), "--bootstrap", "40"]].concat()),
        ("score", [&one[..], &["--hit", "iobb:0.3", "--fp", "0.1,0.5", "--ignore", "Nodule", "--statistics"]].concat()),
        ("compare", [&two[..], &["--bootstrap", "40"]].concat()),
        ("rank", vec!["--ground-truth", truth, run, nothing, "--bootstrap", "40"]),
    ];
    for (command, arguments) in kinds {
        let of = |format| [&[command], &arguments[..], &["--format", format]].concat();
        let report = written(&folder, "report.json", &printed(&of("json")));
        for format in Format::ALL.map(Format::name) {
            let again = printed(&["score", text(&report), "--format", format]);
            assert_eq!(
                String::from_utf8_lossy(&again),
                String::from_utf8_lossy(&printed(&of(format))),
                "{arguments:?} {format}"
            );
        }
    }
}

#[test]
fn reports_on_the_same_images_stand_beside_each_other_and_others_are_told_why_not() {
    let folder = scratch("kept_reports_beside");
    let [truth, run] = &golden("quirks");
    let [truth, run] = [text(truth), text(run)];
    let nothing = written(&folder, "nothing.zip", &zip_of(&[("1.json", "[]")]));
    let report = |name: &str, truth: &str, run: &str, more: &[&str]| {
        let arguments = [&["score", "--ground-truth", truth, "--predictions", run, "--format", "json"], more].concat();
        written(&folder, name, &printed(&arguments))
    };
    let a = report("a.json", truth, run, &["--bootstrap", "40"]);
    let b = report("b.json", truth, text(&nothing), &["--bootstrap", "40"]);
    let both: Value =
        serde_json::from_slice(&printed(&["score", text(&a), text(&b), "--format", "json"])).expect("JSON");
    let each =
        [&a, &b].map(|path| -> Value { serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON") });
    for (at, one) in each.iter().enumerate() {
        assert_eq!(both["runs"][at], one["runs"][0]);
    }
    // Of one name: the second is told apart by its file; and it is told that it is the same file.
    let twice: Value =
        serde_json::from_slice(&printed(&["score", text(&a), text(&a), "--format", "json"])).expect("JSON");
    assert_eq!(twice["runs"][1]["name"], "predictions.zip (a.json)");
    assert_eq!(twice["runs"][1]["findings"][0]["code"], "same_file_twice");
    // Other draws: the score stands, its interval does not.
    let c = report("c.json", truth, text(&nothing), &["--bootstrap", "60"]);
    let other: Value =
        serde_json::from_slice(&printed(&["score", text(&a), text(&c), "--format", "json"])).expect("JSON");
    assert_eq!(other["runs"][1]["exact"], each[1]["runs"][0]["exact"]);
    assert_eq!(other["runs"][1].get("statistics"), None);
    assert_eq!(
        other["runs"][1]["findings"][0]["sentence"],
        "Intervals and other metrics of c.json are left out: they were computed otherwise than those here."
    );
    // The first without any: those of the second stand, and the options under which they were drawn.
    let d = report("d.json", truth, text(&nothing), &[]);
    let first: Value =
        serde_json::from_slice(&printed(&["score", text(&d), text(&a), "--format", "json"])).expect("JSON");
    assert_eq!(first["runs"][1]["statistics"], each[0]["runs"][0]["statistics"]);
    assert_eq!(first["options"]["bootstrap"], each[0]["options"]["bootstrap"]);

    let elsewhere = ground_truth_json([("1.png", &[(3_usize, [10.0, 10.0, 29.0, 29.0])] as &[(usize, [f64; 4])])]);
    let elsewhere = written(&folder, "elsewhere.json", &elsewhere);
    let on_others = report("on-others.json", text(&elsewhere), text(&nothing), &[]);
    let sentence = refused(&["score", text(&a), text(&on_others)]);
    let begins = |name: &str| {
        let report: Value = serde_json::from_slice(&fs::read(folder.join(name)).expect("a file")).expect("JSON");
        report["ground_truth"]["sha256"].as_str().expect("digits")[..12].to_owned()
    };
    assert_eq!(
        sentence,
        format!(
            "on-others.json: it is a report on elsewhere.json, whose SHA-256 begins with {}; expected test.json, whose SHA-256 \
             begins with {}: runs are compared on the same images and lesions alone.",
            begins("on-others.json"),
            begins("a.json")
        )
    );
    let at_other_options = report("at-other-options.json", truth, run, &["--iou", "0.3", "--fp", "0.1"]);
    assert_eq!(
        refused(&["score", text(&a), text(&at_other_options)]),
        "at-other-options.json: its runs are scored by IoU 0.3 at 0.1 false positives per image; expected IoU 0.5 at 0.05, 0.1, \
         0.2 false positives per image: score it so, or set these options as there."
    );
    let of_fewer_classes = report("of-fewer-classes.json", truth, run, &["--ignore", "Nodule"]);
    assert!(
        refused(&["score", text(&a), text(&of_fewer_classes)])
            .starts_with("of-fewer-classes.json: it is a report on Consolidation, Fibrosis, Effusion, Mass,")
    );
}

#[test]
fn in_a_session_runs_of_reports_stand_behind_those_that_are_scored_and_have_no_boxes() {
    let [truth, run] = golden("quirks").map(|path| fs::read(path).expect("a file"));
    let mut alone = Session::default();
    add(&mut alone, "test.json", &truth).expect("a ground truth");
    add(&mut alone, "a.zip", &run).expect("predictions");
    let scored = alone.evaluate(&Options::default()).report.clone().expect("a report");
    let old = kept("version-2-compared.json");

    let mut session = Session::default();
    assert_eq!(add(&mut session, "old.json", &old), Ok(FileKind::Report));
    let outcome = session.evaluate(&Options::default());
    let n = outcome.report.as_ref().expect("a report").runs.len();
    assert!(n > 1);
    assert_eq!(outcome.run_ids, (1..=n).map(|number| format!("old.json/{number}")).collect::<Vec<_>>());
    assert_eq!(outcome.file_ids, vec!["old.json"; n]);
    let kept_report = Report::read("old.json", &old).expect("a report");
    assert_eq!(outcome.report.as_ref(), Some(&kept_report));
    // The curve of the mean is there, and of a class what lies on the grid.
    let statistics = kept_report.runs[0].statistics.as_ref().expect("statistics");
    let mean = session.curve("old.json/1", "mean", &Options::default()).expect("a curve");
    assert_eq!(mean, statistics.mean_curve);
    let nodule = session.curve("old.json/1", "Nodule", &Options::default()).expect("a curve");
    assert_eq!(nodule.fp_per_image, statistics.curves[3].fp_per_image);
    let sentence = "old.json: it is a report, which holds no boxes; expected the ground truth and the predictions themselves, to \
                    see images.";
    let thresholds = session.operating_thresholds("old.json/1", &[0.1], 0.5, false);
    assert_eq!(thresholds.expect_err("no boxes").to_string(), sentence);
    assert!(session.image_roc("old.json/1", 0).is_err() && session.export(Format::Latex).is_ok());

    // Beside files: those of the golden case `few-images` are not those of `quirks`.
    add(&mut session, "test.json", &truth).expect("a ground truth");
    add(&mut session, "a.zip", &run).expect("predictions");
    let outcome = session.evaluate(&Options::default()).clone();
    let ours = &outcome.report.as_ref().expect("a report").runs;
    assert_eq!(ours[0], scored.runs[0]);
    let is_same = kept_report.ground_truth.sha256 == scored.ground_truth.sha256;
    assert_eq!((outcome.failures.len(), ours.len()), if is_same { (0, n + 1) } else { (1, 1) });

    // On the same images its run stands behind, and keeps its digest when that of the other is learnt.
    session.remove("old.json");
    let mut mine = scored.clone();
    mine.runs[0].name = "last year".to_owned();
    mine.runs[0].sha256 = Some("ab".repeat(32));
    add(&mut session, "mine.json", &Format::Json.bytes(&mine).expect("JSON")).expect("a report");
    let outcome = session.evaluate(&Options::default());
    assert_eq!(
        (&outcome.run_ids, &outcome.file_ids),
        (&vec!["a.zip".to_owned(), "mine.json".to_owned()], &outcome.run_ids)
    );
    assert_eq!(outcome.report.as_ref().map(|report| &report.runs[1]), Some(&mine.runs[0]));
    let learnt = session.learn_sha256("a.zip", &"cd".repeat(32)).expect("a report");
    assert_eq!(
        learnt.runs.iter().map(|run| run.sha256.clone()).collect::<Vec<_>>(),
        [Some("cd".repeat(32)), Some("ab".repeat(32))]
    );
    session.remove("mine.json");
    assert_eq!(session.evaluate(&Options::default()).run_ids, ["a.zip"]);
}

#[test]
fn what_is_no_whole_report_is_refused_in_one_sentence_that_names_the_place() {
    let sentence = |text: &str| Report::read("r.json", text.as_bytes()).expect_err("no report").to_string();
    let whole = String::from_utf8(kept("version-2.json")).expect("UTF-8");
    let ending = "; expected a report as froc score --format json or the page writes it; write it anew.";
    let cut = sentence(&whole[..whole.len() / 2]);
    assert!(
        cut.starts_with("r.json: it is no whole report (") && cut.contains(" at line ") && cut.ends_with(ending),
        "{cut}"
    );
    assert_eq!(
        sentence(r#"{"schema_version": 9, "froc_version": "7.0"}"#),
        "r.json: it is a report of schema version 9, which froc 7.0 wrote; expected version 1 to 2; open it with that froc, or a \
         later one."
    );
    let changed = |pointer: &str, value: Value| {
        let mut report: Value = serde_json::from_str(&whole).expect("JSON");
        *report.pointer_mut(pointer).expect("a value") = value;
        sentence(&report.to_string())
    };
    for (pointer, value, what) in [
        ("/runs", json!([]), "its parts do not fit together: there is no run"),
        (
            "/runs/0/exact/recall",
            json!([0.5]),
            "its parts do not fit together: runs[0].exact.recall has 1 entries in place of 3",
        ),
        (
            "/runs/0/classes/3/exact/budget",
            json!([]),
            "its parts do not fit together: runs[0].classes[3] has 0 entries in place of 3",
        ),
        (
            "/ground_truth/n_images",
            json!(1_u64 << 40),
            "its parts do not fit together: ground_truth counts 1099511627776",
        ),
    ] {
        assert_eq!(changed(pointer, value), format!("r.json: {what}{ending}"));
    }
    let rates = changed("/options/fp_per_image", json!([0.1, 0.05, 0.2]));
    assert!(rates.starts_with("r.json, False positives per image: "), "{rates}");

    let folder = scratch("kept_reports_refused");
    let [truth, run] = &golden("few-images");
    let report = written(&folder, "report.json", whole.as_bytes());
    assert_eq!(
        refused(&["score", text(&report), "--iou", "0.3"]),
        "report.json: it is a report, whose numbers stand; expected --format and bounds alone, or --ground-truth and \
         --predictions to score anew."
    );
    assert_eq!(
        refused(&["score", text(run)]),
        "predictions.zip: it holds predictions and stands behind no flag; expected a report, or --ground-truth and --predictions."
    );
    assert_eq!(
        refused(&["score", "--ground-truth", text(&report), "--predictions", text(run)]),
        "report.json: it holds a report; expected the ground truth, such as test.json, after --ground-truth."
    );
    assert!(refused(&["compare", text(&report)]).contains("it stands behind no flag"));
    assert!(refused(&["score", "--ground-truth", text(truth), text(&report)]).contains("--predictions"));
    // Bounds hold for a report, too.
    let below = froc(&["score", text(&report), "--fail-under", "exact_average=1"]);
    assert_eq!(below.status.code(), Some(1));
}

/// Every way to change one value: the value gone, of another kind, far out, or a list of another length.
fn changes(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    let mut add = |value: Value| found.push((path.to_owned(), value));
    match value {
        Value::Number(_) => [json!(-1), json!(1e300), json!(u64::MAX), json!("0"), Value::Null].map(&mut add),
        Value::String(_) => {
            [json!(""), json!("\u{1b}[31m\u{202e}</script>"), json!(0), Value::Null, json!([])].map(&mut add)
        }
        _ => [Value::Null, json!({}), json!([]), json!([0.5]), json!(1)].map(&mut add),
    };
    match value {
        Value::Array(all) => {
            add(json!([&all[..], &all[..]].concat()));
            // The first and the last stand for the others.
            let ends = [0, all.len().saturating_sub(1)];
            let is_end = |at: &usize| ends.contains(at);
            all.iter()
                .enumerate()
                .filter(|(at, _)| is_end(at))
                .for_each(|(at, value)| changes(value, &format!("{path}/{at}"), found));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| changes(value, &format!("{path}/{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn a_report_in_which_anything_is_changed_is_refused_or_shown_and_never_ends_the_program() {
    for name in ["version-1.json", "version-2-compared.json"] {
        let whole: Value = serde_json::from_slice(&kept(name)).expect("JSON");
        let mut all = Vec::new();
        changes(&whole, "", &mut all);
        let (mut refused, mut shown) = (0, 0);
        // There are five kinds of change, so each comes to all kinds of places.
        for (path, value) in all.into_iter().step_by(if is_long() { 1 } else { 11 }) {
            let mut changed = whole.clone();
            *changed.pointer_mut(&path).expect("a value") = value;
            let bytes = serde_json::to_vec(&changed).expect("JSON");
            match Report::read("r.json", &bytes) {
                Err(error) => {
                    refused += 1;
                    let sentence = error.to_string();
                    assert!(sentence.starts_with("r.json") && sentence.ends_with('.'), "{path}: {sentence}");
                }
                Ok(report) => {
                    shown += 1;
                    for format in Format::ALL {
                        let bytes = format.bytes(&report).unwrap_or_else(|error| panic!("{path}: {error}"));
                        let text = String::from_utf8(bytes).expect("UTF-8");
                        let is_plain = format != Format::Json;
                        let line = text.lines().find(|line| line.contains(['\u{1b}', '\u{202e}']));
                        assert!(!is_plain || line.is_none(), "{path} {format:?}: {line:?}");
                        assert!(format != Format::Html || !text.contains("</script>"), "{path}");
                    }
                    let mut session = Session::default();
                    add(&mut session, "r.json", &Format::Json.bytes(&report).expect("JSON")).expect("a report");
                    session.evaluate(&Options::default());
                    for row in ["mean", "pooled", "Nodule"] {
                        let _ = session.curve("r.json", row, &Options::default());
                    }
                }
            }
        }
        assert!(refused > 25 && shown > 25, "{name}: {refused} refused, {shown} shown");
    }
}
