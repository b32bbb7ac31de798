//! Slices in the terminal: `froc score --slices meta.csv --by sex,view`.

use crate::support;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn case() -> PathBuf {
    support::cases::case("synthetic").expect("it is in tests/golden")
}

/// Exit code, standard output and standard error of a command on a case.
fn froc(command: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let path = |name: &str| case().join(name).to_string_lossy().into_owned();
    let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
    program.args([command, "--ground-truth", &path("test.json"), "--predictions", &path("predictions.zip")]);
    let output = program.args(arguments).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What stands behind the wrong flag is told as such, with what it lacks.
#[test]
fn a_table_of_images_is_no_run() {
    let folder = support::scratch("slices_no_run");
    let path = folder.join("odd.csv").to_string_lossy().into_owned();
    std::fs::write(&path, "file_name,cls,s,a,b,c,d\n1.png,x,0.5,1,2,3,4\n").expect("a file");
    let (code, printed, said) = froc("score", &["--predictions", &path]);
    assert_eq!((code, printed.len()), (Some(2), 0));
    let sentence = "odd.csv: it holds a table without columns such as label, score, xmin, ymin, xmax, ymax; expected a zip or folder of \
                    prediction files, or one file for all images, after --predictions.";
    assert_eq!(said.trim_end(), sentence);
}

/// A table as NIH's `Data_Entry_2017.csv`, of the images of the case.
fn meta(folder: &Path) -> String {
    let (truth, ..) = support::cases::load(&case());
    let line = |(at, image): (usize, &str)| {
        format!("{image},x,0,{},{:03}Y,{},{},2,2,1,1,\n", at / 2, at % 90, ["M", "F"][at % 2], ["PA", "AP"][at % 3 / 2])
    };
    let lines: String = truth.images().iter().enumerate().map(line).collect();
    let header = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],";
    let path = folder.join("Data_Entry_2017.csv");
    std::fs::write(&path, format!("{header}\n{lines}")).expect("a file");
    path.to_string_lossy().into_owned()
}

#[test]
fn every_format_has_the_slices_with_their_intervals() {
    let folder = support::scratch("slices_formats");
    let meta = meta(&folder);
    let by = ["--slices", &meta, "--by", "sex,age:40", "--by", "view*gender", "--bootstrap", "20"];
    let (code, json, said) = froc("score", &[&by[..], &["--format", "json"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<&str> =
        report["slices"].as_array().expect("divisions").iter().filter_map(|of| of["name"].as_str()).collect();
    assert_eq!(names, ["Patient Gender", "Patient Age", "View Position * Patient Gender"]);
    assert_eq!(report["options"]["slices"]["by"], serde_json::json!(["sex", "age:40", "view*gender"]));
    let sha256 = report["options"]["slices"]["sha256"].as_str().expect("a digest");
    let recall = &report["slices"][0]["slices"][0]["rows"][0]["at_rates"][2]["recall"];
    let [low, high] = [0, 1].map(|end| recall["interval"][end].as_f64().expect("a number"));
    for (format, needed) in [
        ("text", "By Patient Gender, at the score thresholds of all images"),
        ("markdown", "AP, F"),
        ("latex", "AP, F"),
        ("html", "below 40"),
    ] {
        let (_, text, _) = froc("score", &[&by[..], &["--format", format]].concat());
        let interval = format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high);
        assert!([needed, sha256, &interval].iter().all(|part| text.contains(part)), "{format}: {text}");
    }
    let (_, csv, _) = froc("score", &[&by[..], &["--format", "csv"]].concat());
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let of = |row: &csv::StringRecord, name: &str| {
        row[header.iter().position(|other| other == name).expect(name)].to_owned()
    };
    let all: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    let is_it = |row: &&csv::StringRecord| {
        of(row, "division") == "Patient Gender"
            && of(row, "slice") == "F"
            && of(row, "metric") == "slice_recall"
            && of(row, "class") == "mean"
            && of(row, "fp_per_image") == "0.2"
    };
    let found: Vec<_> = all.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(of(found[0], "value"), recall["value"].to_string());
    assert_eq!(of(found[0], "slices_sha256"), sha256);
    assert!(all.iter().any(|row| of(row, "division").is_empty()), "what is of all images is of no slice");
    // A report without slices has the columns of before.
    assert!(!froc("score", &["--format", "csv"]).1.contains("slices_sha256"));
}

#[test]
fn a_session_brings_the_slices_back_and_runs_are_compared_by_slices_too() {
    let folder = support::scratch("slices_session");
    let meta = meta(&folder);
    let saved = folder.join("s.froc.json").to_string_lossy().into_owned();
    let json = ["--format", "json"];
    let asked = [
        "--slices",
        &meta,
        "--groups",
        &meta,
        "--by",
        "sex,lesion-size",
        "--bootstrap",
        "20",
        "--save-session",
        &saved,
    ];
    let (code, first, said) = froc("score", &[&asked[..], &json].concat());
    assert_eq!(code, Some(0), "{said}");
    let path = |name: &str| case().join(name).to_string_lossy().into_owned();
    let again = |files: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
        let output =
            program.args(["score", "--session", &saved]).args(files).args(json).output().expect("the program runs");
        (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (truth, run) = (path("test.json"), path("predictions.zip"));
    assert_eq!(again(&[&meta, &run, &truth]), (first, String::new()));
    let (_, said) = again(&[&run, &truth]);
    assert!(said.starts_with("Data_Entry_2017.csv: it is not here; expected the file of the session"), "{said}");

    let (code, compared, said) =
        froc("compare", &["--predictions", &run, "--by", "number-of-lesions", "--bootstrap", "20", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&compared).expect("JSON");
    let rows = report["slices"][0]["slices"][0]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 22, "two runs, each with the mean and ten classes");
}

#[test]
fn what_cannot_be_divided_is_refused_in_one_sentence() {
    let folder = support::scratch("slices_refused");
    let meta = meta(&folder);
    let other = folder.join("other.csv").to_string_lossy().into_owned();
    std::fs::write(&other, "image,sex\n1.png,f\n").expect("a file");
    let refused = [
        (
            vec!["--slices", &meta],
            "--by: there is none; expected columns to divide by, of lesion-free, number of lesions, lesion size, Patient Age, Patient Gender, View Position.",
        ),
        (
            vec!["--slices", &meta, "--by", "site"],
            "Data_Entry_2017.csv: there is no column \"site\"; expected one of lesion-free, ",
        ),
        (
            vec!["--by", "sex"],
            "Slices: there is no column \"sex\"; expected one of lesion-free, number of lesions, lesion size, or a table",
        ),
        (vec!["--slices", "nowhere.csv", "--by", "sex"], "nowhere.csv: it cannot be read ("),
        (vec!["--slices", &other, "--by", "sex"], "other.csv: it has no line for image \""),
    ];
    for (arguments, start) in refused {
        let (code, printed, said) = froc("score", &arguments);
        assert_eq!((code, printed.len(), said.lines().count()), (Some(2), 0, 1), "{said}");
        assert!(said.starts_with(start), "{said}");
    }
}
