//! What was chosen once is restored with the same files, and what differs is said: `--save-session` and `--session`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{scratch, zip_of};
use froc::input::sha256;
use froc::reading::{FileNames, Layout, Scale};
use froc::session::{DifferenceKind, SESSION_VERSION, Session, SessionFile};
use froc::{ErrorKind, Options, Reading};
use serde_json::{Value, json};

/// Names of images, class keys and numbers that stand nowhere else.
const IMAGE: &str = "doe-jane-1961";
const NUMBERS: [&str; 3] = ["7391", "6287", "0.8317"];

/// A folder with a ground truth, two runs that need different readings, and groups; named so that it can be searched for.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = scratch(name).join("ward-seven");
        fs::create_dir_all(&folder).expect("a folder");
        let files = Self { folder };
        let [x, y, score] = NUMBERS;
        let image = |at: usize| format!("{IMAGE}-{at}");
        let truths: Vec<String> = (0..12)
            .map(|at| {
                let (syms, boxes) =
                    if at % 2 == 0 { ("\"Nodule\"", format!("[{x}, {y}, 7400, 6300]")) } else { ("", String::new()) };
                format!(r#"{{"file_name": "{}.png", "syms": [{syms}], "boxes": [{boxes}]}}"#, image(at))
            })
            .collect();
        files.write("truth.json", format!("[{}]", truths.join(",")).as_bytes());
        files.write(
            "a.zip",
            &zip_of(
                &(0..12)
                    .map(|at| {
                        (
                            format!("{}.json", image(at)),
                            format!(r#"[{{"Nodule": [{x}, {y}, 7400, 6300, {score}{at}]}}]"#),
                        )
                    })
                    .collect::<Vec<_>>(),
            ),
        );
        files.write(
            "b.zip",
            &zip_of(
                &(0..9)
                    .map(|at| {
                        (format!("{}.json", image(at)), format!(r#"[{{"NODULE": ["{x}", {y}, 10, 14, {score}{at}]}}]"#))
                    })
                    .collect::<Vec<_>>(),
            ),
        );
        let lines: Vec<String> = (0..12).map(|at| format!("{}.png,{}", image(at), at / 3)).collect();
        files.write("groups.csv", format!("file_name,group\n{}\n", lines.join("\n")).as_bytes());
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.join(name), bytes).expect("a file");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).expect("a file")
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Runs the program; names of files that are here become their paths.
    fn froc(&self, arguments: &[&str]) -> Output {
        let path = |argument: &&str| {
            if self.folder.join(argument).is_file() { self.path(argument) } else { (*argument).to_owned() }
        };
        let arguments: Vec<String> = arguments.iter().map(path).collect();
        Command::new(env!("CARGO_BIN_EXE_froc"))
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .expect("the program starts")
    }
}

fn said(output: &Output) -> (Option<i32>, Vec<String>) {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    (output.status.code(), text.lines().map(str::to_owned).collect())
}

/// What a program prints that has nothing to say.
fn printed(output: &Output) -> String {
    assert_eq!(said(output), (Some(0), Vec::new()));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// A comparison with everything chosen otherwise than by default, saved; its report.
fn compared(files: &Files) -> String {
    let comparison = ["compare", "--ground-truth", "truth.json", "--predictions", "b.zip", "--predictions", "a.zip"];
    let options =
        ["--iou", "0.3", "--fp", "1;5", "--seed", "7", "--level", "0.9", "--area-up-to", "2", "--max-detections", "50"];
    let more = [
        "--bootstrap",
        "30",
        "--groups",
        "groups.csv",
        "--baseline",
        "2",
        "--format",
        "json",
        "--save-session",
        "s.froc.json",
    ];
    let reading = ["--class", "NODULE=Nodule", "--accept-text-numbers", "--boxes", "xywh"];
    printed(&files.froc(&[&comparison[..], &options, &more, &reading].concat()))
}

#[test]
fn a_session_restores_the_very_report_from_the_same_files_in_any_order_and_place() {
    let files = Files::new("a_session_restores_the_very_report");
    let report = compared(&files);
    let again = ["--session", "s.froc.json", "groups.csv", "a.zip", "truth.json", "b.zip", "--format", "json"];
    for command in ["score", "compare"] {
        assert_eq!(printed(&files.froc(&[&[command], &again[..]].concat())), report, "{command}");
    }
    // It is saved as it was, byte for byte.
    printed(&files.froc(&[&["score"], &again[..], &["--save-session", "t.froc.json"]].concat()));
    assert_eq!(files.read("t.froc.json"), files.read("s.froc.json"));
    // None is written over.
    let (code, sentences) = said(&files.froc(&[&["score"], &again[..], &["--save-session", "t.froc.json"]].concat()));
    let exists = format!("{}: it exists; expected a new file, since none is written over.", files.path("t.froc.json"));
    assert_eq!((code, sentences), (Some(2), vec![exists]));
    // What is asked for goes before what was saved, and everything else stays.
    let other: Value =
        serde_json::from_str(&printed(&files.froc(&[&["score"], &again[..], &["--iou", "0.6"]].concat())))
            .expect("JSON");
    let mut expected: Value = serde_json::from_str::<Value>(&report).expect("JSON")["options"].clone();
    expected["iou_threshold"] = json!(0.6);
    assert_eq!(other["options"], expected);
    // Other commands read the files so, too.
    let errors = |how: &[&str]| printed(&files.froc(&[&["errors", "--format", "json"], how].concat()));
    let flags = [
        "--ground-truth",
        "truth.json",
        "--predictions",
        "b.zip",
        "--predictions",
        "a.zip",
        "--iou",
        "0.3",
        "--fp",
        "5",
    ];
    let reading = ["--class", "NODULE=Nodule", "--accept-text-numbers", "--boxes", "xywh"];
    assert_eq!(errors(&again[..6]), errors(&[&flags[..], &reading].concat()));
}

/// Score thresholds that were chosen elsewhere are a file like any; what was looked at on the page is passed on.
#[test]
fn the_file_of_score_thresholds_is_restored_and_the_selection_of_the_page_is_kept() {
    let files = Files::new("the_file_of_score_thresholds_is_restored");
    let score = ["score", "--ground-truth", "truth.json", "--predictions", "a.zip"];
    printed(&files.froc(&[&score[..], &["--save-thresholds", "t.json"]].concat()));
    printed(&files.froc(&[&score[..], &["--fp", "2", "--save-thresholds", "u.json"]].concat()));
    let flags = ["--thresholds", "t.json", "--save-session", "s.froc.json", "--format", "json"];
    let report = printed(&files.froc(&[&score[..], &flags].concat()));
    let name_of = |report: &str| {
        let report: Value = serde_json::from_str(report).expect("JSON");
        report["thresholds"]["name"].as_str().map(str::to_owned)
    };
    assert_eq!(name_of(&report).as_deref(), Some("t.json"));

    // As the page saves it: with what was looked at there.
    let mut session: Value = serde_json::from_slice(&files.read("s.froc.json")).expect("JSON");
    assert_eq!(session["thresholds"], json!({"name": "t.json", "sha256": sha256(&files.read("t.json"))}));
    let selection = json!({"address": "v=1&class=3", "score_thresholds": [0.1, null]});
    session["selection"] = selection.clone();
    files.write("s.froc.json", &serde_json::to_vec(&session).expect("bytes"));

    let again = ["score", "--session", "s.froc.json", "a.zip", "truth.json"];
    let json = ["--format", "json"];
    let save = ["--save-session", "r.froc.json"];
    assert_eq!(printed(&files.froc(&[&again[..], &["t.json"], &json, &save].concat())), report);
    let saved: Value = serde_json::from_slice(&files.read("r.froc.json")).expect("JSON");
    assert_eq!(saved, session);

    // Of another name or other bytes, missing, or one too many: each is said.
    fs::copy(files.folder.join("t.json"), files.folder.join("v.json")).expect("a copy");
    let renamed = printed(&files.froc(&[&again[..], &["v.json"], &json].concat()));
    assert_eq!(name_of(&renamed).as_deref(), Some("v.json"));
    let begin = |name: &str| sha256(&files.read(name))[..12].to_owned();
    let missing = format!(
        "t.json: it is not here; expected the file of the session, whose SHA-256 begins with {}; add it.",
        begin("t.json")
    );
    assert_eq!(said(&files.froc(&again)), (Some(2), vec![missing]));
    let strange = "u.json: the session does not hold it; expected the files of the session, under their names or with their bytes; \
                   leave this one out.";
    for both in [["t.json", "u.json"], ["u.json", "t.json"]] {
        assert_eq!(said(&files.froc(&[&again[..], &both].concat())), (Some(2), vec![strange.to_owned()]));
    }
    // What is asked for goes before what was saved.
    let other = printed(&files.froc(&[&again[..], &["--thresholds", "u.json"], &json].concat()));
    assert_eq!(name_of(&other).as_deref(), Some("u.json"));
    let changed = format!(
        "t.json: its SHA-256 begins with {}; expected {}, as it was when the session was saved: numbers may differ.",
        begin("u.json"),
        begin("t.json")
    );
    fs::copy(files.folder.join("u.json"), files.folder.join("t.json")).expect("a copy");
    assert_eq!(said(&files.froc(&[&again[..], &["t.json"]].concat())), (Some(0), vec![changed]));
}

#[test]
fn only_a_score_is_restored_where_only_a_score_was_saved() {
    let files = Files::new("only_a_score_is_restored");
    let flags = ["score", "--ground-truth", "truth.json", "--predictions", "a.zip", "--save-session", "s.froc.json"];
    let text = printed(&files.froc(&flags));
    assert_eq!(printed(&files.froc(&["score", "--session", "s.froc.json", "truth.json", "a.zip"])), text);
}

#[test]
fn a_session_holds_no_box_no_image_and_no_path() {
    let files = Files::new("a_session_holds_no_box");
    compared(&files);
    let bytes = String::from_utf8(files.read("s.froc.json")).expect("UTF-8");
    for secret in NUMBERS.iter().chain(&[IMAGE, "ward-seven", "/", "\\"]) {
        assert!(!bytes.contains(secret), "{secret}\n{bytes}");
    }
    // Nothing else can come in unseen: these are all the keys, and what stands under them is one of the names below.
    let session: Value = serde_json::from_str(&bytes).expect("JSON");
    let mut names = BTreeSet::new();
    texts(&session, &mut names);
    let digests = ["truth.json", "a.zip", "b.zip", "groups.csv"].map(|name| sha256(&files.read(name)));
    let names: Vec<&str> = names.into_iter().filter(|name| !digests.iter().any(|digest| digest == name)).collect();
    let expected = [
        "",
        "ChestX-Det10",
        "NODULE",
        "Nodule",
        "a.zip",
        "b.zip",
        "csv",
        "exact",
        "froc-bootstrap-1",
        "groups.csv",
        "together",
        "truth.json",
        "xywh",
        env!("CARGO_PKG_VERSION"),
    ];
    let keys = [
        "accept_text_numbers",
        "area_up_to",
        "baseline",
        "beta",
        "bootstrap",
        "boxes",
        "class_names",
        "file_names",
        "folders",
        "fp_per_image",
        "froc_version",
        "generator",
        "ground_truth",
        "groups",
        "iou_threshold",
        "label",
        "leave_out_unreadable",
        "level",
        "max_detections",
        "n_groups",
        "name",
        "notes",
        "options",
        "predictions",
        "protocol",
        "reading",
        "replicates",
        "scale",
        "score_first",
        "seed",
        "session_version",
        "sha256",
        "source",
        "specificity",
    ];
    let expected: BTreeSet<&str> = expected.into_iter().chain(keys).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected);
}

/// Every key and every text.
fn texts<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key);
                texts(value, found);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| texts(value, found)),
        Value::String(text) => drop(found.insert(text)),
        _ => {}
    }
}

#[test]
fn a_file_that_changed_is_said_and_one_that_is_missing_or_strange_ends_it() {
    let files = Files::new("a_file_that_changed_is_said");
    compared(&files);
    let again = ["score", "--session", "s.froc.json", "groups.csv", "a.zip", "truth.json", "b.zip"];
    let begin = |bytes: &[u8]| sha256(bytes)[..12].to_owned();
    let changed = |name: &str, before: &[u8], saved_name: &str| {
        format!(
            "{name}: its SHA-256 begins with {}; expected {saved_name}{}, as it was when the session was saved: numbers may differ.",
            begin(&files.read(name)),
            begin(before)
        )
    };
    let [run, truth, groups] = ["b.zip", "truth.json", "groups.csv"].map(|name| files.read(name));
    files.write("b.zip", &files.read("a.zip"));
    files.write("other.json", &[truth.as_slice(), b"\n"].concat());
    files.write("groups.csv", &[groups.as_slice(), b"\n"].concat());
    let output = files.froc(&["score", "--session", "s.froc.json", "groups.csv", "a.zip", "other.json", "b.zip"]);
    let sentences = vec![
        changed("other.json", &truth, "truth.json with "),
        changed("b.zip", &run, ""),
        changed("groups.csv", &groups, ""),
    ];
    assert_eq!(said(&output), (Some(0), sentences));
    assert!(!output.stdout.is_empty());

    // The same bytes under another name are the same file.
    files.write("b.zip", &run);
    files.write("groups.csv", &groups);
    files.write("c.zip", &run);
    printed(&files.froc(&["score", "--session", "s.froc.json", "groups.csv", "a.zip", "truth.json", "c.zip"]));
    for strange in ["c.zip", "other.json"] {
        let expected = format!(
            "{strange}: the session does not hold it; expected the files of the session, under their names or with their \
             bytes; leave this one out."
        );
        let output = files.froc(&[&again[..], &[strange]].concat());
        assert_eq!(said(&output), (Some(2), vec![expected]));
        assert!(output.stdout.is_empty());
    }
    let missing = |name: &str| {
        let digits = begin(&files.read(name));
        format!("{name}: it is not here; expected the file of the session, whose SHA-256 begins with {digits}; add it.")
    };
    let none = ["truth.json", "b.zip", "a.zip", "groups.csv"].map(missing).to_vec();
    assert_eq!(said(&files.froc(&again[..3])), (Some(2), none));
    let (code, sentences) =
        said(&files.froc(&["score", "--ground-truth", "truth.json", "--predictions", "a.zip", "stray.zip"]));
    let stray = "stray.zip: it stands behind no flag; expected --predictions stray.zip, or --session.";
    assert_eq!((code, sentences), (Some(2), vec![stray.to_owned()]));
    let (code, sentences) = said(&files.froc(&[&again[..], &["--boxes", "xywh"]].concat()));
    assert_eq!(code, Some(2));
    assert!(sentences[0].contains("'--session <SESSION>' cannot be used with"), "{sentences:?}");
}

#[test]
fn a_newer_or_damaged_session_is_refused_in_one_sentence() {
    let files = Files::new("a_newer_or_damaged_session");
    compared(&files);
    let whole = files.read("s.froc.json");
    let read = |bytes: &[u8]| SessionFile::read("s.froc.json", bytes);
    let session = read(&whole).expect("a session");
    assert_eq!(session.bytes().expect("bytes"), whole);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut session: Value = serde_json::from_slice(&whole).expect("JSON");
        change(&mut session);
        read(&serde_json::to_vec(&session).expect("bytes")).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(changed(&|_| ()), Ok(()));
    let newer = changed(&|session| {
        *session = json!({"session_version": SESSION_VERSION + 1, "froc_version": "9.9.9", "of_then": 1});
    });
    let expected = format!(
        "s.froc.json: it is a session of version {}, which froc 9.9.9 saved; expected version {SESSION_VERSION}; open it with that \
         froc, or a later one.",
        SESSION_VERSION + 1
    );
    assert_eq!(newer, Err(expected));
    let is_refused = |result: Result<(), String>, there: &str| {
        let sentence = result.expect_err(there);
        assert!(
            sentence.starts_with("s.froc.json") && sentence.contains(there) && sentence.ends_with('.'),
            "{sentence}"
        );
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
    };
    is_refused(changed(&|session| session["note"] = json!("")), "unknown field `note`");
    is_refused(
        changed(&|session| session["predictions"][0]["reading"]["boxes"] = json!("round")),
        "unknown variant `round`",
    );
    is_refused(changed(&|session| session["options"]["iou_threshold"] = json!(7)), "there is 7");
    is_refused(changed(&|session| session["options"]["fp_per_image"] = json!([])), "False positives per image");
    is_refused(
        changed(&|session| drop(session.as_object_mut().expect("an object").remove("notes"))),
        "missing field `notes`",
    );
    for end in 0..whole.len() - 2 {
        let error = read(&whole[..end]).expect_err("it is cut short");
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().starts_with("s.froc.json: it is no whole session"), "{error}");
    }
    files.write("cut.froc.json", &whole[..100]);
    let (code, sentences) = said(&files.froc(&["score", "--session", "cut.froc.json", "truth.json", "a.zip"]));
    assert_eq!((code, sentences.len()), (Some(2), 1));
    // What is no number of a run is refused before anything is computed for long.
    let mut session: Value = serde_json::from_slice(&whole).expect("JSON");
    session["baseline"] = json!(9);
    files.write("nine.froc.json", &serde_json::to_vec(&session).expect("bytes"));
    let (code, sentences) =
        said(&files.froc(&["score", "--session", "nine.froc.json", "truth.json", "a.zip", "b.zip", "groups.csv"]));
    let nine = "Baseline: there is 10 of 2 predictions; expected at least two, and the number of one of them, from 1.";
    assert_eq!((code, sentences), (Some(2), vec![nine.to_owned()]));
}

/// As the page does it, whose digests come late.
#[test]
fn names_readings_order_and_notes_are_restored_and_a_digest_that_is_not_known_is_passed_over() {
    let files = Files::new("names_readings_order_and_notes");
    let session_of = |names: &[&str]| {
        let mut session = Session::default();
        for name in names {
            let bytes = Cursor::new(files.read(name));
            session.add(name, name, bytes, &mut |_| ControlFlow::Continue(())).expect("a file in order");
        }
        session
    };
    let mut session = session_of(&["truth.json", "a.zip", "b.zip"]);
    assert_eq!(session.save("", None).expect_err("no score").place(), "session");
    session.rename("b.zip", "Second reader");
    let reading = Reading {
        boxes: Layout::Xywh,
        class_names: [("NODULE".to_owned(), "Nodule".to_owned())].into(),
        file_names: FileNames::Loose,
        accept_text_numbers: true,
        nms: Some(0.5),
        scale: Scale::Each([1.25, 1.0]),
        offset: [-8.0, 0.5],
        ..Reading::default()
    };
    session.set_reading("b.zip", reading);
    let options = Options::new(0.4, vec![0.5]).expect("options");
    let report = session.evaluate(&options).report.clone().expect("a report");
    let saved = session.save("Ask about 7.", None).expect("a session");
    let saved = SessionFile::read("s.froc.json", &saved.bytes().expect("bytes")).expect("a session");
    assert_eq!(
        (saved.notes.as_str(), saved.options().expect("options"), saved.baseline),
        ("Ask about 7.", options.clone(), None)
    );
    assert_eq!((saved.resampling().is_none(), saved.statistics(&[]).is_none()), (true, true));

    // Dropped in another order, then read otherwise: everything is as it was.
    let mut again = session_of(&["b.zip", "truth.json", "a.zip"]);
    again.evaluate(&options);
    again.rename("a.zip", "first");
    let restored = again.restore(&saved).expect("a ground truth in order");
    assert_eq!(restored.differences, []);
    let called: Vec<_> = restored.predictions.iter().map(|file| (file.id.as_str(), file.label.as_deref())).collect();
    assert_eq!(called, [("a.zip", None), ("b.zip", Some("Second reader"))]);
    assert_eq!(restored.predictions[1].reading, saved.predictions[1].reading);
    assert_eq!(again.evaluate(&options).report.as_ref(), Some(&report));
    assert_eq!(again.save("Ask about 7.", None).expect("a session"), saved);

    // One is not here, and one is that was not.
    let mut other = session_of(&["truth.json", "a.zip"]);
    fs::write(files.folder.join("c.zip"), files.read("a.zip")).expect("a file");
    let c = Cursor::new(files.read("c.zip"));
    other.add("c", "c.zip", c, &mut |_| ControlFlow::Continue(())).expect("a file in order");
    let differences = other.restore(&saved).expect("a ground truth in order").differences;
    let kinds: Vec<(DifferenceKind, &str)> = differences.iter().map(|it| (it.kind, it.error.place.as_str())).collect();
    assert_eq!(kinds, [(DifferenceKind::Missing, "b.zip"), (DifferenceKind::Unknown, "c.zip")]);
    assert_eq!(other.evaluate(&options).file_ids, ["a.zip", "c"]);
}

/// A ground truth that is scored as ChestX-Det10 although it has other classes is so again.
#[test]
fn the_protocol_that_was_chosen_is_chosen_again() {
    let files = Files::new("the_protocol_that_was_chosen");
    let truth = r#"[{"file_name": "1.png", "syms": ["Nodule", "Cyst"], "boxes": [[1, 2, 9, 9], [20, 20, 29, 29]]}]"#;
    files.write("truth.json", truth.as_bytes());
    files.write("a.zip", &zip_of(&[("1.json", r#"[{"Nodule": [1, 2, 9, 9, 0.9]}]"#)]));
    let flags = ["score", "--ground-truth", "truth.json", "--predictions", "a.zip", "--format", "json"];
    let again = ["score", "--session", "s.froc.json", "truth.json", "a.zip", "--format", "json"];
    let report =
        printed(&files.froc(&[&flags[..], &["--protocol", "chestx-det10", "--save-session", "s.froc.json"]].concat()));
    assert_eq!(printed(&files.froc(&again)), report);
    assert_ne!(printed(&files.froc(&flags)), report);
    assert!(Path::new(&files.path("s.froc.json")).exists());
}

/// Classes that were ignored are so again.
#[test]
fn classes_that_were_ignored_are_ignored_again() {
    let files = Files::new("classes_that_were_ignored");
    let truth = r#"[{"file_name": "1.png", "syms": ["Nodule", "Mass"], "boxes": [[1, 2, 9, 9], [20, 20, 29, 29]]}]"#;
    files.write("truth.json", truth.as_bytes());
    files.write("a.zip", &zip_of(&[("1.json", r#"[{"Nodule": [20, 20, 29, 29, 0.9]}]"#)]));
    let flags = ["score", "--ground-truth", "truth.json", "--predictions", "a.zip", "--format", "json"];
    let again = ["score", "--session", "s.froc.json", "truth.json", "a.zip", "--format", "json"];
    let report = printed(&files.froc(&[&flags[..], &["--ignore", "Mass", "--save-session", "s.froc.json"]].concat()));
    assert_eq!(printed(&files.froc(&again)), report);
    assert_ne!(printed(&files.froc(&flags)), report);
}
