//! `froc view`: which files the page is written with, where, and who opens it. What it shows is held by the browser tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::scratch;

/// The least that is taken for the page in one file.
const PAGE: &str = r#"<!doctype html><head content="connect-src 'none'"></head><body><p>froc</p></body>"#;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/synthetic").join(name)
}

/// `froc view` with a page; the folder also holds what stands for the programs of the system.
fn view(folder: &Path, arguments: &[&Path]) -> Output {
    fs::write(folder.join("page.html"), PAGE).expect("a page");
    Command::new(env!("CARGO_BIN_EXE_froc"))
        .arg("view")
        .args(arguments)
        .arg("--page")
        .arg(folder.join("page.html"))
        .env("PATH", folder)
        .env("TMPDIR", folder)
        .output()
        .expect("the program starts")
}

fn refused(output: &Output) -> &str {
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

/// The files inside a page, by name.
fn inside(page: &str) -> BTreeMap<String, Vec<u8>> {
    let (before, rest) = page.split_once(r#"<script type="application/json" id="froc-files">"#).expect("files");
    let (files, after) = rest.split_once("</script>").expect("an end");
    assert_eq!(format!("{before}{after}"), PAGE);
    let files: Vec<Value> = serde_json::from_str(files).expect("a list");
    let read = |file: &Value| {
        let packed = STANDARD.decode(file["gzip"].as_str().expect("text")).expect("base64");
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("gzip");
        (file["name"].as_str().expect("a name").to_owned(), bytes)
    };
    files.iter().map(read).collect()
}

#[test]
fn the_page_holds_the_files_as_they_are_and_a_folder_as_a_zip() {
    let folder = scratch("view-files");
    let run = folder.join("epoch-9");
    zip::ZipArchive::new(fs::File::open(golden("predictions.zip")).expect("a zip"))
        .and_then(|mut zip| zip.extract(run.join("fold-1")))
        .expect("a folder");
    let out = folder.join("view.html");
    let (truth, zip) = (golden("test.json"), golden("predictions.zip"));
    let flags = [Path::new("--ground-truth"), &truth, Path::new("--no-open"), Path::new("-o"), &out];
    let output = view(&folder, &[&[zip.as_path(), &run][..], &flags].concat());
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), format!("{}\n", out.display()));

    let files = inside(&fs::read_to_string(&out).expect("a page"));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["epoch-9.zip", "predictions.zip", "test.json"]);
    assert_eq!(files["test.json"], fs::read(&truth).expect("a file"));
    assert_eq!(files["predictions.zip"], fs::read(&zip).expect("a file"));
    // The folder scores as what it was unpacked from.
    fs::write(folder.join("epoch-9.zip"), &files["epoch-9.zip"]).expect("a file");
    let scored = |run: &Path| {
        let mut froc = Command::new(env!("CARGO_BIN_EXE_froc"));
        froc.arg("score").arg("--ground-truth").arg(&truth).arg("--predictions").arg(run).args(["--format", "json"]);
        let report: Value = serde_json::from_slice(&froc.output().expect("it starts").stdout).expect("a report");
        report["runs"][0]["official"].clone()
    };
    assert!(scored(&zip)["average_recall"].is_number());
    assert_eq!(scored(&folder.join("epoch-9.zip")), scored(&zip));

    let again = view(&folder, &[zip.as_path(), &truth, Path::new("-o"), &out]);
    let sentence = format!("{}: it exists; expected a new file, since none is written over.\n", out.display());
    assert_eq!(refused(&again), sentence);
}

/// The program that opens files on this system is one that notes what it was asked to open.
#[cfg(target_os = "linux")]
#[test]
fn it_is_opened_from_where_nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = scratch("view-open");
    let zip = golden("predictions.zip");
    let truth = golden("test.json");
    let alone = view(&folder, &[&zip, &truth]);
    let page = PathBuf::from(String::from_utf8(alone.stdout).expect("UTF-8").trim_end());
    let said = String::from_utf8(alone.stderr).expect("UTF-8");
    assert_eq!((alone.status.code(), page.parent()), (Some(0), Some(&*folder)));
    assert!(said.starts_with(&format!("{}: no browser could be started (", page.display())), "{said}");
    assert_eq!(fs::metadata(&page).expect("a page").permissions().mode() & 0o777, 0o600);
    assert_eq!(inside(&fs::read_to_string(&page).expect("a page")).len(), 2);

    let browser = folder.join("xdg-open");
    let noted = folder.join("noted");
    fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > {0}.new; /bin/mv {0}.new {0}\n", noted.display()))
        .expect("a program");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).expect("one that runs");
    let opened = view(&folder, &[&zip, &truth]);
    assert_eq!((opened.status.code(), &opened.stderr[..]), (Some(0), &b""[..]));
    // Nobody waits for the browser.
    let waited = (0..500).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        fs::read(&noted).ok()
    });
    assert_eq!(waited, Some(opened.stdout));
}

#[test]
fn what_cannot_be_looked_at_is_refused_in_a_sentence() {
    let folder = scratch("view-refused");
    let (truth, zip) = (golden("test.json"), golden("predictions.zip"));
    let missing = folder.join("missing.zip");
    let output = view(&folder, &[&missing, &truth]);
    assert!(refused(&output).starts_with(&format!("{}: it cannot be read (", missing.display())));
    assert_eq!(
        refused(&view(&folder, &[&zip])),
        "--ground-truth: there is none; expected a file such as test.json, or a report, among the files.\n"
    );
    let saved = folder.join("mine.froc.json");
    fs::write(&saved, "{").expect("a file");
    assert!(refused(&view(&folder, &[&truth, &saved])).starts_with("mine.froc.json: it is no whole session ("));
    // One that is no page: nothing stays behind where it would have been written.
    let out = folder.join("view.html");
    let mut other = Command::new(env!("CARGO_BIN_EXE_froc"));
    other.arg("view").args([&zip, &truth]).arg("--page").arg(&truth).arg("-o").arg(&out);
    let output = other.output().expect("it starts");
    assert_eq!(
        refused(&output),
        format!(
            "{}: it is not the page in one file; expected froc.html of a release, or as cargo xtask build writes it.\n",
            truth.display()
        )
    );
    assert!(!out.exists());
    // Without --page, it is looked for beside the program.
    let mut other = Command::new(env!("CARGO_BIN_EXE_froc"));
    let output = other.arg("view").args([&zip, &truth]).output().expect("it starts");
    assert!(refused(&output).starts_with("froc.html: it is not beside the program, in "));
}
