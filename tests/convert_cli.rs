//! `froc convert` as a person runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use froc::convert::Target;
use serde_json::Value;

use crate::support::{scratch, zip_of};

fn froc(arguments: &[&str], ground_truth: &Path, predictions: &Path) -> Output {
    let [command, more @ ..] = arguments else { panic!("a command") };
    let mut froc = Command::new(env!("CARGO_BIN_EXE_froc"));
    froc.arg(command).arg("--ground-truth").arg(ground_truth).arg("--predictions").arg(predictions).args(more);
    froc.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// What `froc score` prints of the official number, and the run's average.
fn scored(ground_truth: &Path, predictions: &Path, more: &[&str]) -> Value {
    let output = froc(&[&["score", "--format", "json"], more].concat(), ground_truth, predictions);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    report["runs"][0].clone()
}

/// Files in which sizes stand for corners, and a class has another name.
fn spoiled(name: &str) -> (PathBuf, PathBuf, PathBuf) {
    let folder = scratch(name);
    let truth = folder.join("test.json");
    fs::write(&truth, r#"[{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 20, 109, 219]]}]"#)
        .expect("a file");
    let zip = folder.join("model.zip");
    fs::write(&zip, zip_of(&[("1.json", r#"[{"Lung nodule": [10, 20, 99, 199, 0.9]}]"#)])).expect("a file");
    (folder, truth, zip)
}

const READ: [&str; 4] = ["--boxes", "xywh", "--class", "Lung nodule=Nodule"];

#[test]
fn a_run_is_converted_as_it_is_read_and_scores_the_same() {
    let (folder, truth, zip) = spoiled("a_run_is_converted_as_it_is_read_and_scores_the_same");
    let before = scored(&truth, &zip, &READ);
    let nodule =
        before["classes"].as_array().and_then(|classes| classes.iter().find(|class| class["name"] == "Nodule"));
    assert_eq!(nodule.expect("a class")["official"]["recall"][0], 1.0, "read so, the lesion is found");
    assert_eq!(before["official"]["is_official"], false);
    for target in Target::ALL.map(Target::facts) {
        let file = folder.join(format!("{}.{}", target.name, target.ending));
        let path = file.to_str().expect("UTF-8");
        let to_file = froc(&[&["convert", "--to", target.name, "--output", path], &READ[..]].concat(), &truth, &zip);
        assert_eq!((to_file.status.code(), text(&to_file.stdout)), (Some(0), ""), "{}", text(&to_file.stderr));
        // What is to be known is told; the bytes are the same wherever they go.
        assert!(text(&to_file.stderr).starts_with("Written as it is read. Not as the official script reads: boxes"));
        let to_pipe = froc(&[&["convert", "--to", target.name], &READ[..]].concat(), &truth, &zip);
        assert_eq!(
            (to_pipe.status.code(), to_pipe.stdout),
            (Some(0), fs::read(&file).expect("a file")),
            "{}",
            target.name
        );
        let after = scored(&truth, &file, &[]);
        assert_eq!(after["official"]["average_recall"], before["official"]["average_recall"], "{}", target.name);
        assert_eq!(after["official"]["is_official"], Value::Bool(target.name == "chestx-det"));
    }
}

#[test]
fn refusals_are_sentences_and_leave_every_file_as_it_was() {
    let (folder, truth, zip) = spoiled("refusals_are_sentences_and_leave_every_file_as_it_was");
    let refused = |more: &[&str], predictions: &Path| {
        let output = froc(&[&["convert"], more].concat(), &truth, predictions);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
        text(&output.stderr).to_owned()
    };
    let bytes = fs::read(&zip).expect("a file");
    let path = zip.to_str().expect("UTF-8");
    let said = refused(&["--to", "csv", "--output", path], &zip);
    assert_eq!(said, format!("{path}: it exists; expected a new file, since none is written over.\n"));
    assert_eq!(fs::read(&zip).expect("a file"), bytes);
    // Read as it stands, no box is of a class, which is nothing that COCO's list can say.
    let none = folder.join("none.json");
    let said = refused(&["--to", "coco", "--output", none.to_str().expect("UTF-8")], &zip);
    assert!(said.starts_with("model.zip: it has no detections; expected at least one in this format"), "{said}");
    assert!(!none.exists());
    let nowhere = folder.join("nowhere/run.csv");
    let said = refused(&["--to", "csv", "--output", nowhere.to_str().expect("UTF-8")], &zip);
    assert!(
        said.contains("it cannot be written") && said.ends_with("expected a file in a folder that exists.\n"),
        "{said}"
    );
    let said = refused(&["--to", "csv", "--predictions", path], &zip);
    assert_eq!(said, "--predictions: there are 2 runs; expected one, since it becomes one file, or --fuse.\n");
    let said = refused(&["--to", "excel"], &zip);
    let names = Target::ALL.map(|target| target.facts().name).join(", ");
    assert!(said.contains(&format!("[possible values: {names}]")), "{said}");
}
