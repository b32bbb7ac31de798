//! The program `froc` on real files, as a person runs it.

use crate::support;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{CLASSES, scratch, zip_of};

fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case)
}

fn froc(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_froc")).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Scores the predictions against the ground truth of a golden case; `more` are further arguments.
fn score(case: &str, predictions: &[&Path], more: &[&str]) -> Output {
    let ground_truth = golden(case).join("test.json");
    let mut arguments = vec!["score", "--ground-truth", ground_truth.to_str().expect("UTF-8")];
    for path in predictions {
        arguments.extend(["--predictions", path.to_str().expect("UTF-8")]);
    }
    arguments.extend(more);
    froc(&arguments)
}

fn json(output: &Output) -> Value {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Unpacks a zip into a folder.
fn unpacked(zip: &Path, folder: &Path) {
    zip::ZipArchive::new(fs::File::open(zip).expect("a zip")).expect("a zip").extract(folder).expect("a folder");
}

#[test]
fn text_ends_with_the_lines_of_the_official_script() {
    for case in ["synthetic", "few-images", "leading-false-positive", "none"] {
        let expected: Value =
            serde_json::from_slice(&fs::read(golden(case).join("expected.json")).expect("a case")).expect("JSON");
        let output = score(case, &[&golden(case).join("predictions.zip")], &[]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{case}");
        let script = expected["stdout"].as_str().expect("what the script printed");
        let stdout = text(&output.stdout);
        assert!(stdout.ends_with(script), "{case}:\n{stdout}\nexpected at its end\n{script}");
        assert!(CLASSES.iter().all(|class| stdout.contains(class)), "{case}: a table of the classes\n{stdout}");
    }
}

#[test]
fn a_folder_scores_like_its_zip() {
    let zip = golden("synthetic").join("predictions.zip");
    let folder = scratch("a_folder_scores_like_its_zip").join("predictions");
    unpacked(&zip, &folder);
    let report = json(&score("synthetic", &[&zip, &folder], &["--format", "json"]));
    let mut runs = report["runs"].as_array().expect("two runs").clone();
    assert_eq!((&runs[0]["name"], &runs[1]["name"]), (&"predictions.zip".into(), &"predictions".into()));
    assert_eq!(runs[1]["sha256"], folder_digest(&folder));
    for run in &mut runs {
        for key in ["name", "sha256"] {
            run.as_object_mut().expect("an object").remove(key);
        }
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0]["n_detections"].as_u64() > Some(0));
}

/// The sha256 of a folder is that of its sorted lines `name NUL sha256 newline`.
fn folder_digest(folder: &Path) -> String {
    let mut lines: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("a readable folder"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).expect("a path below it").to_string_lossy().into_owned();
            format!("{name}\0{}\n", froc::input::sha256(&fs::read(entry.path()).expect("a file")))
        })
        .collect();
    lines.sort();
    froc::input::sha256(lines.concat().as_bytes())
}

/// The keys that a reader of the report may rely on, and what stands under them.
#[test]
fn json_has_at_least_the_promised_keys() {
    let report =
        json(&score("absent-class", &[&golden("absent-class").join("predictions.zip")], &["--format", "json"]));
    let strings = ["/froc_version", "/ground_truth/name", "/ground_truth/sha256", "/runs/0/name", "/runs/0/sha256"];
    let counts = [
        "/schema_version",
        "/ground_truth/n_images",
        "/ground_truth/n_lesions",
        "/runs/0/n_files",
        "/runs/0/n_detections",
        "/runs/0/classes/0/n_lesions",
        "/runs/0/classes/0/n_detections",
        "/runs/0/classes/0/true_positives",
        "/runs/0/classes/0/false_positives",
    ];
    let rates = [
        "/options/fp_per_image",
        "/runs/0/official/recall",
        "/runs/0/exact/recall",
        "/runs/0/classes/0/official/recall",
        "/runs/0/classes/0/official/recall_bounds/0",
        "/runs/0/classes/0/official/recall_bounds/1",
        "/runs/0/classes/0/exact/recall",
        "/runs/0/classes/0/exact/score_threshold",
        "/runs/0/classes/0/exact/false_positives",
    ];
    let at = |path: &str| report.pointer(path).unwrap_or_else(|| panic!("{path} is not there"));
    assert!(strings.iter().all(|path| at(path).is_string()));
    assert!(counts.iter().all(|path| at(path).is_u64()));
    assert!(rates.iter().all(|path| at(path).as_array().is_some_and(|list| list.len() == 3)));
    assert!(at("/options/iou_threshold").is_f64());
    assert!(at("/runs/0/official/average_recall").is_null(), "NaN is null");
    assert!(at("/runs/0/exact/average_recall").is_f64());
    assert!(at("/runs/0/official/quirks").is_array() && at("/runs/0/findings").is_array());
    assert_eq!(at("/froc_version"), env!("CARGO_PKG_VERSION"));

    let classes = at("/runs/0/classes").as_array().expect("classes");
    let names: Vec<&str> = classes.iter().filter_map(|class| class["name"].as_str()).collect();
    assert_eq!(names, CLASSES);
    let absent: Vec<&Value> = classes.iter().filter(|class| class["n_lesions"] == 0).collect();
    assert!(!absent.is_empty(), "the case is about classes without lesions");
    for class in absent {
        for key in ["recall", "score_threshold", "false_positives"] {
            assert_eq!(class["exact"][key], serde_json::json!([null, null, null]), "{} {key}", class["name"]);
        }
    }
}

/// The program adds nothing to the report, and takes nothing away.
#[test]
fn json_is_the_report_of_the_library() {
    let zip = golden("synthetic").join("predictions.zip");
    let output = score("synthetic", &[&zip], &["--format", "json"]);
    let bytes = fs::read(golden("synthetic").join("test.json")).expect("a case");
    let ground_truth = froc::read_ground_truth("test.json", &bytes).expect("a ground truth");
    let file = fs::File::open(&zip).expect("a case");
    let predictions = froc::read_predictions("predictions.zip", file, &mut |_| ControlFlow::Continue(()));
    let run = froc::Run::new(&ground_truth, &predictions.expect("a zip")).expect("files in order");
    let report = froc::evaluate(&ground_truth, &[&run], &froc::Options::default());
    assert_eq!(text(&output.stdout), text(&froc::render::json(&report).expect("JSON")));
    let average = json(&output).pointer("/runs/0/official/average_recall").and_then(Value::as_f64);
    assert_eq!(average.map(f64::to_bits), report.runs[0].official.average_recall.map(f64::to_bits));
}

#[test]
fn options_are_those_asked_for() {
    let zip = golden("synthetic").join("predictions.zip");
    let asked = json(&score("synthetic", &[&zip], &["--format", "json", "--iou", "0.25", "--fp", "0.125,0.5, 2"]));
    assert_eq!(asked["options"], serde_json::json!({ "iou_threshold": 0.25, "fp_per_image": [0.125, 0.5, 2.0] }));
    let default = json(&score("synthetic", &[&zip], &["--format", "json"]));
    assert_eq!(default["options"], serde_json::json!({ "iou_threshold": 0.5, "fp_per_image": [0.05, 0.1, 0.2] }));
    let lesions_found = |report: &Value| report["runs"][0]["classes"][0]["true_positives"].as_u64();
    assert!(lesions_found(&asked) > lesions_found(&default));
    let output = score("synthetic", &[&zip], &["--fp", "0.125,0.5"]);
    let lines: Vec<&str> = text(&output.stdout).lines().rev().take(4).collect();
    assert!(
        lines[3].starts_with("====") && lines[2].starts_with("Recall@0.12=") && lines[1].starts_with("Recall@0.50=")
    );
}

/// Bad input: exit code 2, nothing on standard output, and one sentence for each thing that is wrong or could help.
fn assert_refused(output: &Output, sentences: &[String]) {
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    assert_eq!(text(&output.stderr).lines().collect::<Vec<_>>(), sentences);
}

#[test]
fn bad_input_ends_in_sentences_on_standard_error() {
    let folder = scratch("bad_input_ends_in_sentences_on_standard_error");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a scratch file");
        path
    };
    let zip = golden("none").join("predictions.zip");
    let own = |sentence: &str| vec![sentence.to_owned()];

    let image = "[{\"file_name\": \"1.png\", \"syms\": [], \"boxes\": []}, {\"file_name\": \"2.png\", \"syms\": [], \"boxes\": []}]";
    let ground_truth = file("truth.json", image.as_bytes());
    let score = |ground_truth: &Path, predictions: &[&Path]| {
        let mut arguments = vec!["score", "--ground-truth", ground_truth.to_str().expect("UTF-8")];
        for path in predictions {
            arguments.extend(["--predictions", path.to_str().expect("UTF-8")]);
        }
        froc(&arguments)
    };

    let both = file("two.zip", &zip_of(&[("1.json", "[1]"), ("2.json", r#"{"a": 1}"#)]));
    let broken = file("broken.zip", b"PK\x03\x04");
    assert_refused(
        &score(&ground_truth, &[&both, &broken]),
        &[
            r#"two.zip, 1.json, entry 1: there is the number 1; expected an object {"Nodule": [x1, y1, x2, y2, score]}."#.to_owned(),
            r#"two.zip, 2.json: there is one object; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; put [ before it and ] after it."#.to_owned(),
            "Score without these 2 files: --leave-out-unreadable".to_owned(),
            "broken.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.".to_owned(),
        ],
    );
    assert_refused(
        &score(&file("none.json", b"[]"), &[&zip]),
        &own(r#"none.json: it lists no images; expected at least one {"file_name", "syms", "boxes"}."#),
    );
    assert_refused(
        &score(&zip, &[&zip]),
        &own(
            "predictions.zip: it holds predictions; expected the ground truth, such as test.json, after --ground-truth.",
        ),
    );
    assert_refused(
        &score(&ground_truth, &[&ground_truth]),
        &own(
            "truth.json: it holds a ground truth; expected a zip or folder of prediction files, or one file for all images, after --predictions.",
        ),
    );
    let nowhere = folder.join("nowhere.zip");
    let output = score(&ground_truth, &[&nowhere]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    assert!(text(&output.stderr).starts_with(&nowhere.display().to_string()), "{}", text(&output.stderr));
    assert_refused(
        &self::score("none", &[&zip], &["--iou", "2"]),
        &own("IoU threshold: there is 2; expected a number from 0 to 1, such as 0.5."),
    );
}

#[test]
fn two_files_for_one_image_of_a_folder_are_both_named() {
    let folder = scratch("two_files_for_one_image_of_a_folder_are_both_named").join("run");
    fs::create_dir_all(folder.join("a")).expect("a folder");
    fs::create_dir_all(folder.join("b")).expect("a folder");
    let truth: Value =
        serde_json::from_slice(&fs::read(golden("none").join("test.json")).expect("a case")).expect("JSON");
    let image = truth[0]["file_name"].as_str().expect("a name");
    let name = image.replace(".png", ".json");
    for inside in ["a", "b"] {
        fs::write(folder.join(inside).join(&name), "[]").expect("a file");
    }
    let sentence = format!(
        "run: \"a/{name}\" and \"b/{name}\" are both for image \"{image}\"; expected one file an image; remove one of them."
    );
    let offer = "Score each of the 2 folders as a run: --folders-apart".to_owned();
    assert_refused(&score("none", &[&folder], &[]), &[sentence, offer]);
}

/// A class that is ignored is in no number, and every place that tells what the numbers rest on says so.
#[test]
fn classes_are_ignored_by_choice() {
    let zip = golden("synthetic").join("predictions.zip");
    let whole = json(&score("synthetic", &[&zip], &["--format", "json"]));
    let n_lesions = |report: &Value, key: &str| report["ground_truth"][key].as_u64().expect("a count");
    let of = |name: &str| {
        let classes = whole["runs"][0]["classes"].as_array().expect("classes");
        classes.iter().find(|class| class["name"] == name).expect("a class")["n_lesions"].as_u64().expect("a count")
    };
    let n_ignored = of("Nodule") + of("Mass");
    let ignoring = ["--ignore", "Nodule", "--ignore", "Mass"];
    let report = json(&score("synthetic", &[&zip], &[&ignoring[..], &["--format", "json"]].concat()));
    assert!(n_ignored > 0);
    assert_eq!(n_lesions(&report, "n_lesions"), n_lesions(&whole, "n_lesions") - n_ignored);
    assert_eq!(n_lesions(&report, "n_ignored"), n_ignored);
    let run = &report["runs"][0];
    assert_eq!(run["classes"].as_array().map(Vec::len), Some(CLASSES.len() - 2));
    assert_eq!(
        (&run["official"]["is_official"], &run["official"]["name"]),
        (&Value::from(false), &Value::from("the script's rules, some lesions ignored"))
    );
    for format in ["text", "markdown", "latex", "html", "cite"] {
        let output = score("synthetic", &[&zip], &[&ignoring[..], &["--format", format]].concat());
        let told = format!("and {n_ignored} that are ignored, classes Nodule, Mass not scored");
        assert!(format == "text" || text(&output.stdout).contains(&told), "{format}: {}", text(&output.stdout));
        let finding = format!("{n_ignored} lesions are of classes that are ignored");
        assert!(format != "text" || text(&output.stdout).contains(&finding), "{}", text(&output.stdout));
    }
    let refused = score("synthetic", &[&zip], &["--ignore", "nodule"]);
    assert_eq!(refused.status.code(), Some(2));
    let expected =
        format!("Class to be ignored: there is \"nodule\"; expected one of the classes {}.\n", CLASSES.join(", "));
    assert_eq!(text(&refused.stderr), expected);
}

/// Another criterion than IoU is chosen by one flag, in every command, and named.
#[test]
fn hits_are_by_another_criterion_by_choice() {
    let zip = golden("synthetic").join("predictions.zip");
    let by = |criterion: &str| json(&score("synthetic", &[&zip], &["--format", "json", "--hit", criterion]));
    let whole = json(&score("synthetic", &[&zip], &["--format", "json"]));
    assert_eq!(by("iou:0.5"), whole);
    let other = by("centre");
    assert_eq!(other["options"]["hit"]["caption"], "centre in the box");
    assert_ne!(other["runs"][0]["exact"], whole["runs"][0]["exact"]);
    let refused = score("synthetic", &[&zip], &["--hit", "giou"]);
    assert_eq!(
        (refused.status.code(), text(&refused.stderr)),
        (
            Some(2),
            "Hit criterion: there is giou; expected iou:0.5, iobb:0.5, ior:0.5, centre, or distance:10 for 10 pixels.\n"
        )
    );
    // The list of errors is at the very operating points of that score.
    let ground_truth = golden("synthetic").join("test.json");
    let paths = [&ground_truth, &zip].map(|path| path.to_str().expect("UTF-8"));
    let errors =
        ["errors", "--ground-truth", paths[0], "--predictions", paths[1], "--hit", "centre", "--format", "json"];
    let rows = json(&froc(&errors));
    let rows = rows.as_array().expect("a list");
    assert!(rows.iter().all(|row| row["hit"] == "centre" && row["iou_threshold"].is_null()));
    let counted = rows.iter().filter(|row| row["verdict"] == "false_positive" && row["counted"] == true).count() as u64;
    let classes = other["runs"][0]["classes"].as_array().expect("classes");
    let expected: u64 = classes.iter().filter_map(|class| class["exact"]["false_positives"][2].as_u64()).sum();
    assert_eq!(counted, expected);
}

#[test]
fn a_wrong_command_line_is_explained() {
    for arguments in [&["score"][..], &["score", "--ground-truth", "x"], &["scores"], &[]] {
        let output = froc(arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{arguments:?}");
        assert!(text(&output.stderr).contains("--help") || text(&output.stderr).contains("Usage"), "{arguments:?}");
    }
    let help = froc(&["score", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    for option in ["--ground-truth", "--predictions", "--iou", "--hit", "--ignore", "--fp", "--format"] {
        assert!(text(&help.stdout).contains(option), "{option}");
    }
}

#[test]
fn errors_are_listed_at_the_operating_points_of_the_score() {
    let case = golden("synthetic");
    let report = json(&score("synthetic", &[&case.join("predictions.zip")], &["--format", "json"]));
    let ground_truth = case.join("test.json");
    let predictions = case.join("predictions.zip");
    let list = |more: &[&str]| {
        let paths = ["--ground-truth", ground_truth.to_str().expect("UTF-8"), "--predictions"];
        let predictions = [predictions.to_str().expect("UTF-8")];
        froc(&[&["errors"], &paths[..], &predictions, more].concat())
    };
    for (rate, fp) in ["0.05", "0.1", "0.2"].iter().enumerate() {
        let rows = json(&list(&["--format", "json", "--fp", fp]));
        let rows = rows.as_array().expect("a list");
        for class in report["runs"][0]["classes"].as_array().expect("classes") {
            let expected = &class["exact"]["false_positives"][rate];
            let counted = rows.iter().filter(|row| {
                row["class"] == class["name"] && row["verdict"] == "false_positive" && row["counted"] == true
            });
            if !expected.is_null() {
                assert_eq!(counted.count() as u64, expected.as_u64().expect("a count"), "{} at {fp}", class["name"]);
            }
        }
    }
    // As CSV, at the highest rate, unless they are asked for otherwise.
    let csv = list(&[]);
    let rows = json(&list(&["--format", "json", "--fp", "0.2"]));
    assert!(text(&csv.stdout).starts_with("run,image,class,verdict,cause,counted,score,x1,"));
    assert_eq!(text(&csv.stdout).lines().count(), 1 + rows.as_array().expect("a list").len());
    assert!(rows[0]["fp_per_image"] == 0.2 && rows[0]["iou_threshold"] == 0.5, "{}", rows[0]);
    let classes = report["runs"][0]["classes"].as_array().expect("classes");
    for row in rows.as_array().expect("a list") {
        let class = classes.iter().find(|class| class["name"] == row["class"]).expect("a class of the ten");
        assert_eq!(row["score_threshold"], class["exact"]["score_threshold"][2], "{row}");
    }
    let two = list(&["--fp", "0.1,0.2"]);
    assert_eq!(
        (two.status.code(), text(&two.stderr)),
        (Some(2), "--fp: there is 0.1,0.2; expected one rate, such as 0.2.\n")
    );
}

#[test]
fn names_do_not_run_as_formulas_in_csv_and_negative_numbers_stay_numbers() {
    let folder = scratch("formulas");
    let ground_truth = folder.join("test.json");
    let images = r#"[{"file_name": "=1+1.png", "syms": ["Nodule"], "boxes": [[10, 10, 49, 49]]}]"#;
    fs::write(&ground_truth, images).expect("a file is written");
    let predictions = folder.join("@sum.zip");
    let entries = r#"[{"Nodule": [10, 10, 49, 49, 0.9]}, {"Nodule": [-9, -8, 5, 5, -0.5]}]"#;
    fs::write(&predictions, zip_of(&[("=1+1.json", entries)])).expect("a file is written");
    let print = |command: &str, format: &str| {
        let [truth, zip] = [&ground_truth, &predictions].map(|path| path.to_str().expect("UTF-8"));
        froc(&[command, "--ground-truth", truth, "--predictions", zip, "--format", format])
    };
    let csv = print("errors", "csv");
    let lines: Vec<&str> = text(&csv.stdout).lines().skip(1).collect();
    assert!(lines.iter().all(|line| line.starts_with("'@sum.zip,'=1+1.png,Nodule,")), "{lines:?}");
    assert!(lines[1].contains(",-0.5,-9.0,-8.0,5.0,5.0,"), "{lines:?}");
    let rows = json(&print("errors", "json"));
    assert_eq!((&rows[0]["run"], &rows[0]["image"]), (&"@sum.zip".into(), &"=1+1.png".into()));
    let csv = print("score", "csv");
    assert!(text(&csv.stdout).lines().skip(1).all(|line| line.starts_with("'@sum.zip,")));
}

/// Names of files and images that would move the cursor, turn the text, hide or run as a formula are seen in every export;
/// in JSON they are exact.
#[cfg(unix)]
#[test]
fn harmful_names_are_made_visible_in_every_format() {
    use froc::printable::is_harmful;

    let folder = scratch("harmful_names");
    let hidden = "\u{1b}[2J\n\u{202e}gpj\u{200b}\u{feff}\u{85}";
    let ground_truth = folder.join(format!("truth{hidden}.json"));
    let image = format!("＝cmd{hidden}");
    let truth = support::ground_truth_json([(format!("{image}.png").as_str(), &[(3, [10.0, 10.0, 49.0, 49.0])][..])]);
    fs::write(&ground_truth, truth).expect("a file is written");
    let zips: Vec<PathBuf> = ["a", "b"].iter().map(|name| folder.join(format!("＠{name}{hidden}.zip"))).collect();
    for zip in &zips {
        let entries =
            [(format!("{image}.json"), r#"[{"Nodule": [10, 10, 49, 49, 0.9]}]"#), (format!("{hidden}.json"), "[]")];
        fs::write(zip, zip_of(&entries)).expect("a file is written");
    }
    let [truth, a, b] = [&ground_truth, &zips[0], &zips[1]].map(|path| path.to_str().expect("UTF-8"));
    let print = |command: &[&str], format: &str| {
        let paths = ["--ground-truth", truth, "--predictions", a, "--predictions", b, "--format", format];
        let output = froc(&[command, &paths].concat());
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let escaped = r"\u{1b}[2J\n\u{202e}gpj\u{200b}\u{feff}\u{85}";
    for format in ["text", "csv", "markdown", "latex", "html"] {
        for command in [&["score", "--statistics"][..], &["compare", "--bootstrap", "20"]] {
            let printed = print(command, format);
            let harmful = printed.chars().find(|letter| is_harmful(*letter) && !"\n\t".contains(*letter));
            assert_eq!(harmful, None, "{format}: {printed}");
            // No name begins a line of its own.
            assert!(!printed.contains("\n\\u{202e}"), "{format}: {printed}");
            let marks = ["\\u{", r"\\u\{", r"\textbackslash{}u\{"];
            assert!(marks.iter().any(|mark| printed.contains(mark)), "{format}: {printed}");
        }
    }
    let rows = print(&["errors"], "csv");
    assert!(
        rows.lines().nth(1).is_some_and(|row| row.starts_with(&format!("'＠a{escaped}.zip,'＝cmd{escaped}.png,"))),
        "{rows}"
    );
    let report: Value = serde_json::from_str(&print(&["score"], "json")).expect("JSON");
    assert_eq!(report["runs"][0]["name"], format!("＠a{hidden}.zip"));
    // Sentences of what cannot be read, too.
    let nowhere = froc(&["score", "--ground-truth", &format!("no{hidden}where"), "--predictions", a]);
    assert_eq!((nowhere.status.code(), text(&nowhere.stderr).lines().count()), (Some(2), 1));
    assert!(!text(&nowhere.stderr).trim_end().contains(is_harmful), "{}", text(&nowhere.stderr));
}

/// A command of the shell, in which `$0` is the program and `$1` a golden case.
#[cfg(target_os = "linux")]
fn shell(script: &str, case: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_froc")]).arg(golden(case)).output().expect("a shell")
}

#[cfg(target_os = "linux")]
const SCORE: &str = r#""$0" score --ground-truth "$1/test.json" --predictions "$1/predictions.zip""#;

#[test]
fn no_file_of_a_command_is_written_over() {
    let folder = scratch("written-over");
    let copy = |name: &str| {
        let to = folder.join(name);
        fs::copy(golden("synthetic").join(name), &to).expect("a copy");
        to.to_str().expect("UTF-8").to_owned()
    };
    let (truth, zip) = (copy("test.json"), copy("predictions.zip"));
    let command =
        |more: &[&str]| froc(&[&["score", "--ground-truth", &truth, "--predictions", &zip][..], more].concat());
    let same = format!("--save-thresholds={truth}");
    for more in [
        &["--save-thresholds", &zip][..],
        &[&same],
        &["--fail-under", "average=0", "--junit", &zip],
        &["--fail-under", "average=0", "--summary", &truth],
    ] {
        let before = [&truth, &zip].map(|path| fs::read(path).expect("a file"));
        let output = command(more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(
            text(&output.stderr)
                .ends_with(": it is another file of this command as well; expected a path of its own.\n"),
            "{}",
            text(&output.stderr)
        );
        assert_eq!([&truth, &zip].map(|path| fs::read(path).expect("a file")), before, "{more:?}");
    }
    // A file of its own is written again.
    let thresholds = folder.join("t.json");
    for _ in 0..2 {
        let output = command(&["--save-thresholds", thresholds.to_str().expect("UTF-8")]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn what_stands_behind_predictions_is_not_asked_to_be_a_ground_truth() {
    let folder = scratch("no-predictions");
    for there in
        ["[]", "{\"a.png\": {\"pred_boxes\": [[1, 2, 3, 4]]}}", "[{\"file_name\": \"a.png\", \"instances\": []}]"]
    {
        let path = folder.join("found.json");
        fs::write(&path, there).expect("a file");
        let output = score("synthetic", &[&path], &[]);
        let sentence = "found.json: it does not hold the predictions for all images; expected one JSON file for all images, such as";
        let said = text(&output.stderr);
        assert!(said.starts_with(sentence), "{there}: {said}");
    }
}

#[test]
fn runs_of_one_file_name_are_told_apart_by_their_folders() {
    let folder = scratch("names-apart");
    let copies: Vec<PathBuf> = ["one/a", "two/a", "two/b"]
        .map(|name| {
            let to = folder.join(name).join("preds.zip");
            fs::create_dir_all(to.parent().expect("a folder")).expect("folders");
            fs::copy(golden("synthetic").join("predictions.zip"), &to).expect("a copy");
            to
        })
        .into();
    let paths: Vec<&Path> = copies.iter().map(PathBuf::as_path).collect();
    let report = json(&score("synthetic", &paths, &["--format", "json"]));
    let names: Vec<&str> =
        report["runs"].as_array().expect("runs").iter().filter_map(|run| run["name"].as_str()).collect();
    assert_eq!(names, ["one/a/preds.zip", "two/a/preds.zip", "b/preds.zip"]);
}

/// Where the sentences cannot be written, the exit code still tells.
#[cfg(target_os = "linux")]
#[test]
fn closed_and_full_outputs_do_not_change_the_exit_code() {
    let code = |script: &str| shell(&format!("{script}; exit $?"), "synthetic").status.code();
    for (end, to) in [("2>/dev/full", "full"), ("2>&-", "closed")] {
        assert_eq!(code(&format!("{SCORE} --fail-under average=1 >/dev/null {end}")), Some(1), "{to}");
        assert_eq!(code(&format!("{SCORE} --iou 7 {end}")), Some(2), "{to}");
        assert_eq!(code(&format!("\"$0\" errors --ground-truth nowhere --predictions nowhere {end}")), Some(2), "{to}");
        assert_eq!(code(&format!("\"$0\" score {end}")), Some(2), "{to}");
    }
    // The reader of the sentences has gone before they come.
    let gone =
        "{ sleep 0.2; \"$0\" score --ground-truth nowhere --predictions nowhere; echo $? >&3; } 2>&1 >/dev/null | true";
    assert_eq!(text(&shell(&format!("{{ {gone}; }} 3>&1"), "synthetic").stdout), "2\n");
    // Nor is a score told that nobody gets, but one that somebody stops reading is no mistake.
    let full = shell(&format!("{SCORE} --format json >/dev/full"), "synthetic");
    assert_eq!(full.status.code(), Some(2));
    assert!(text(&full.stderr).starts_with("standard output: "), "{}", text(&full.stderr));
    let stopped = shell(&format!("{{ {{ sleep 0.2; {SCORE}; echo $? >&3; }} | true; }} 3>&1"), "synthetic");
    assert_eq!((text(&stopped.stdout), text(&stopped.stderr)), ("0\n", ""));
}

/// However little memory there is, if only the program itself can be loaded: a score, or a sentence and exit code 2.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_ends_in_a_sentence() {
    let folder = scratch("too_little_memory_ends_in_a_sentence");
    let names: Vec<String> = (0..20_000).map(|number| format!("{number:08}")).collect();
    let images: Vec<String> = names.iter().map(|name| format!("{name}.png")).collect();
    let truth =
        support::ground_truth_json(images.iter().map(|image| (image.as_str(), &[(3, [9.0, 9.0, 29.0, 29.0])][..])));
    fs::write(folder.join("test.json"), truth).expect("a scratch file");
    let files: Vec<(String, &str)> =
        names.iter().map(|name| (format!("{name}.json"), r#"[{"Nodule": [9, 9, 29, 29, 0.5]}]"#)).collect();
    fs::write(folder.join("predictions.zip"), zip_of(&files)).expect("a scratch file");
    let mut codes = Vec::new();
    // With less than some 18,500 the program of some builds is loaded, but cannot tell anything.
    let steps = [19_500, 22_000, 36_000, 57_000, 84_000, 117_000, 156_000, 1_000_000];
    for (threads, kilobytes) in [2, 200].into_iter().flat_map(|threads| steps.map(|step| (threads, step.to_string()))) {
        let limited = format!("ulimit -c 0; ulimit -v {kilobytes}; RAYON_NUM_THREADS={threads} {SCORE}");
        let mut command = Command::new("sh");
        let output = command.args(["-c", &limited, env!("CARGO_BIN_EXE_froc")]).arg(&folder).output().expect("a shell");
        let said = text(&output.stderr);
        match output.status.code() {
            Some(0) => assert_eq!(said, ""),
            code => {
                assert_eq!(code, Some(2), "{kilobytes} KB, {threads} threads: {said}");
                assert_eq!(said.lines().count(), 1, "{kilobytes} KB, {threads} threads: {said}");
                assert!(said.contains("memory") && said.ends_with(".\n"), "{kilobytes} KB, {threads} threads: {said}");
            }
        }
        codes.push(output.status.code());
    }
    // With too little there is a refusal, with enough a score.
    assert_eq!((codes[0], codes[codes.len() - 1]), (Some(2), Some(0)));
}

/// Whoever ends the program ends its work, and whatever ends the work is told.
#[cfg(target_os = "linux")]
#[test]
fn the_work_ends_with_the_program_and_the_program_tells_what_ended_the_work() {
    let start = || {
        let case = golden("synthetic");
        let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
        command.args(["compare", "--bootstrap", "100000", "--ground-truth"]).arg(case.join("test.json"));
        for _ in 0..2 {
            command.arg("--predictions").arg(case.join("predictions.zip"));
        }
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().expect("it starts")
    };
    let is_alive = |id: &str| {
        let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    // The process that works.
    let worker_of = |program: &std::process::Child| {
        let children = format!("/proc/{0}/task/{0}/children", program.id());
        wait_for(|| fs::read_to_string(&children).ok().map(|ids| ids.trim().to_owned()).filter(|ids| !ids.is_empty()))
    };
    // By the shell: a small system has no program for it.
    let kill = |id: &str| {
        let status = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).status().expect("a shell");
        assert!(status.success(), "kill {id}");
    };

    let program = start();
    kill(&worker_of(&program));
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.starts_with("froc: it was ended while it worked (signal: 9 (SIGKILL)), most likely"), "{said}");

    let mut program = start();
    let worker = worker_of(&program);
    kill(&program.id().to_string());
    program.wait().expect("it ends");
    wait_for(|| (!is_alive(&worker)).then_some(()));
}

/// What comes within ten seconds.
#[cfg(target_os = "linux")]
fn wait_for<T>(look: impl Fn() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed().as_secs() < 10, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// The flags that the program's help of a command names.
fn flags_of(command: &str) -> Vec<String> {
    let help = froc(&[command, "--help"]);
    let words = text(&help.stdout).split(|c: char| !c.is_ascii_lowercase() && c != '-');
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn manual_pages_and_completions_name_every_flag() {
    let folder = scratch("manual");
    let made = folder.join("made");
    let output = froc(&["manual", made.to_str().expect("UTF-8")]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let read = |name: &str| fs::read_to_string(made.join(name)).expect(name);
    let (bash, zsh) = (read("froc.bash"), read("_froc"));
    for command in ["score", "compare", "errors", "convert"] {
        let page = read(&format!("froc-{command}.1")).replace('\\', "");
        let flags = flags_of(command);
        assert!(flags.len() > 10, "{flags:?}");
        for flag in flags {
            assert!(page.contains(&flag), "the page of {command} leaves out {flag}");
            assert!(bash.contains(&flag), "bash does not complete {flag}");
            assert!(zsh.contains(&flag), "zsh does not complete {flag}");
        }
    }
    let file = folder.join("file");
    fs::write(&file, "").expect("a file");
    let refused = froc(&["manual", file.to_str().expect("UTF-8")]);
    assert_eq!(refused.status.code(), Some(2));
    let sentence = text(&refused.stderr);
    assert!(sentence.starts_with(&format!("{}: it cannot be written (", file.display())), "{sentence}");
    assert!(sentence.ends_with("); expected a folder in which files can be made.\n"), "{sentence}");
}

/// `.github/score.sh`, which GitHub runs, on the runs of a golden case: its exit code, its summary and its outputs.
#[cfg(unix)]
fn scored_in_ci(script: &Path, folder: &Path, case: &str, arguments: &str) -> (Option<i32>, String, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_froc")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("a path"));
    let of_case = |name: &str| golden(case).join(name);
    let [summary, outputs] = ["summary", "outputs"].map(|name| folder.join(name));
    for file in [&summary, &outputs] {
        fs::write(file, "").expect("a file");
    }
    let status = Command::new("bash")
        .arg(script)
        .envs([("GITHUB_STEP_SUMMARY", &summary), ("GITHUB_OUTPUT", &outputs), ("REPORT", &folder.join("report.json"))])
        .env("GROUND_TRUTH", of_case("test.json"))
        .env("PREDICTIONS", format!("{}\n\n{0}\n", of_case("predictions.zip").display()))
        .env("ARGUMENTS", arguments)
        .env("PATH", path)
        .stderr(std::process::Stdio::null())
        .status()
        .expect("bash");
    let read = |path: &Path| fs::read_to_string(path).expect("text");
    (status.code(), read(&summary), read(&outputs))
}

#[test]
#[cfg(unix)]
fn the_action_writes_report_and_summary_and_ends_as_the_program_does() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/score.sh");
    if !script.exists() {
        println!("the package for crates.io leaves the action out");
        return;
    }
    let folder = scratch("action");
    let run = |arguments: &str| scored_in_ci(&script, &folder, "synthetic", arguments);
    let zip = golden("synthetic").join("predictions.zip");
    let table = score("synthetic", &[&zip, &zip], &["--format", "markdown"]).stdout;
    let report = score("synthetic", &[&zip, &zip], &["--format", "json"]).stdout;

    let (code, summary, outputs) = run("");
    assert_eq!((code, summary.as_str()), (Some(0), text(&table)));
    assert_eq!(outputs, format!("report={}\n", folder.join("report.json").display()));
    assert_eq!(fs::read(folder.join("report.json")).expect("a report"), report);

    let (code, summary, _) = run("--fail-under\naverage=0.99\n");
    assert_eq!(code, Some(1));
    assert!(summary.starts_with(text(&table)), "{summary}");
    assert!(summary.contains("expected at least 0.99."), "{summary}");

    let (code, summary, _) = run("--iou\n2\n");
    assert_eq!(code, Some(2));
    assert!(summary.starts_with("\n```text\n") && summary.ends_with("\n```\n"), "{summary}");
}
