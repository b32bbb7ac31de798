//! Files that are parts of one run: offered as one on evidence alone, scored as one by choice, and back again.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Command, Output};

use froc::report::FindingReport;
use froc::session::{Outcome, Session, SessionFile};
use froc::{Options, Reading};
use serde_json::{Value, json};

use crate::support::{scratch, zip_of};

const N_IMAGES: usize = 12;

fn lesion(image: usize) -> [f64; 4] {
    let (x, y) = (100.0 + 60.0 * image as f64, 120.0 + 55.0 * image as f64);
    [x, y, x + 100.0, y + 80.0]
}

fn truth() -> Vec<u8> {
    let image = |at: usize| json!({"file_name": format!("{at}.png"), "syms": ["Nodule"], "boxes": [lesion(at)]});
    (0..N_IMAGES).map(image).collect::<Value>().to_string().into_bytes()
}

/// A zip with the right box for each of these images.
fn zip(images: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let file = |at: usize| {
        let [x1, y1, x2, y2] = lesion(at);
        (format!("{at}.json"), json!([{ "Nodule": [x1, y1, x2, y2, 0.5 + at as f64 / 100.0] }]).to_string())
    };
    zip_of(&images.into_iter().map(file).collect::<Vec<_>>())
}

fn add(session: &mut Session, id: &str, name: &str, bytes: &[u8]) {
    session.add(id, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a file in order");
}

/// Files by name.
type Files<'a> = &'a [(&'a str, Vec<u8>)];

fn session(files: Files<'_>) -> Session {
    let mut session = Session::default();
    add(&mut session, "truth", "test.json", &truth());
    for (name, bytes) in files {
        add(&mut session, name, name, bytes);
    }
    session
}

fn offers(session: &mut Session) -> Vec<(String, FindingReport)> {
    let report = session.evaluate(&Options::default()).report.clone().expect("a report");
    let of = |run: froc::report::RunReport| run.findings.into_iter().map(move |finding| (run.name.clone(), finding));
    report.runs.into_iter().flat_map(of).filter(|(_, finding)| finding.code == "parts_of_one_run").collect()
}

fn recall(outcome: &Outcome) -> Vec<(String, Option<f64>)> {
    let runs = &outcome.report.as_ref().expect("a report").runs;
    runs.iter().map(|run| (run.name.clone(), run.classes[3].exact.recall[2])).collect()
}

#[test]
fn parts_are_offered_as_one_run_scored_so_by_choice_and_back_again() {
    let mut files = session(&[("a-001.zip", zip(0..7)), ("b.zip", zip(0..3)), ("a-002.zip", zip(7..11))]);
    let [(run, offer)] = &offers(&mut files)[..] else { panic!("one offer") };
    assert_eq!(run, "a-001.zip");
    assert_eq!(
        offer.sentence,
        "a-001.zip, a-002.zip look like parts of one run: no image is in two of them, and together they have a file for 11 of 12 images. Scored as one, the mean recall at 0.2 false positives per image is 92%; by itself none has more than 58%."
    );
    let apart = recall(files.evaluate(&Options::default()));
    let of = |n: usize| Some(n as f64 / N_IMAGES as f64);
    assert_eq!(apart, [("a-001.zip".to_owned(), of(7)), ("b.zip".to_owned(), of(3)), ("a-002.zip".to_owned(), of(4))]);
    // What is missing in a part is in the others.
    let report = files.outcome().report.clone().expect("a report");
    let explained = report.runs[0].findings.iter().find(|finding| finding.code == "image_without_file").expect("five");
    assert_eq!(explained.explained_by.as_deref(), Some("parts_of_one_run"));

    let remedy = offer.remedy.clone().expect("a remedy");
    assert_eq!((remedy.label.as_str(), remedy.reading.flags().as_str()), ("Score the 2 files as one run", "--join"));
    files.set_reading("a-001.zip", remedy.reading.clone());
    let outcome = files.evaluate(&Options::default()).clone();
    assert_eq!(recall(&outcome), [("a-001.zip".to_owned(), of(11)), ("b.zip".to_owned(), of(3))]);
    assert_eq!(
        (&outcome.run_ids[..], &outcome.failures[..]),
        (&["a-001.zip".to_owned(), "b.zip".to_owned()][..], &[][..])
    );
    let run = &outcome.report.as_ref().expect("a report").runs[0];
    // The script reads the parts, too, once they lie in one folder.
    assert!(run.official.is_official);
    assert_eq!((run.n_files, run.n_detections, run.sha256.as_deref()), (11, 11, None));
    assert_eq!(run.reading.as_ref().expect("how").sentence, "Read as one run with a-002.zip.");
    assert_eq!(offers(&mut files), []);

    // The SHA-256 is that of a folder with these files.
    files.learn_sha256("a-001.zip", "1a").expect("a report");
    let report = files.learn_sha256("a-002.zip", "2b").expect("a report");
    let digest = froc::input::sha256(b"a-001.zip\x001a\na-002.zip\x002b\n");
    assert_eq!(report.runs[0].sha256.as_deref(), Some(digest.as_str()));

    // A part that leaves, and one that comes back.
    files.remove("a-002.zip");
    let outcome = files.evaluate(&Options::default()).clone();
    assert_eq!(recall(&outcome)[0], ("a-001.zip".to_owned(), of(7)));
    assert_eq!(outcome.report.expect("a report").runs[0].reading, None);
    add(&mut files, "later", "a-002.zip", &zip(7..12));
    assert_eq!(recall(files.evaluate(&Options::default()))[0], ("a-001.zip".to_owned(), of(12)));
    files.set_reading("a-001.zip", Reading::default());
    assert_eq!(recall(files.evaluate(&Options::default())).len(), 3);
    assert_eq!(offers(&mut files).len(), 1);
    files.remove("b.zip");
    files.set_reading("a-001.zip", remedy.reading);
    files.remove("a-001.zip");
    assert_eq!(recall(files.evaluate(&Options::default())), [("a-002.zip".to_owned(), of(5))]);
}

#[test]
fn what_is_not_surely_one_run_is_not_offered() {
    let none: [(&str, Files<'_>); 6] = [
        ("other names", &[("fold-a.zip", zip(0..6)), ("fold-b.zip", zip(6..12))]),
        ("other words", &[("a-001.zip", zip(0..6)), ("b-002.zip", zip(6..12))]),
        ("an image in two", &[("a-1.zip", zip(0..7)), ("a-2.zip", zip(6..12))]),
        ("no image", &[("a-1.zip", zip(0..12)), ("a-2.zip", zip(50..60))]),
        (
            "two ways",
            &[("v1-1.zip", zip(0..3)), ("v1-2.zip", zip(3..6)), ("v2-1.zip", zip(6..9)), ("v2-2.zip", zip(9..12))],
        ),
        ("one alone", &[("a-1.zip", zip(0..6))]),
    ];
    for (why, files) in none {
        assert_eq!(offers(&mut session(files)), [], "{why}");
        let error = session(files).join_parts().expect_err(why);
        assert_eq!(
            error.to_string(),
            "join: no predictions look like parts of one run; expected files whose names differ by a number alone, such as a-001.zip and a-002.zip, with other images each."
        );
    }
    // One name, dropped twice.
    let mut twice = session(&[]);
    add(&mut twice, "1", "part1.zip", &zip(0..6));
    add(&mut twice, "2", "part1.zip", &zip(6..12));
    assert_eq!(offers(&mut twice), []);
    // Read in different ways.
    let mut otherwise = session(&[("a-1.zip", zip(0..6)), ("a-2.zip", zip(6..12))]);
    assert_eq!(offers(&mut otherwise).len(), 1);
    otherwise.set_reading("a-2.zip", Reading { score_first: true, ..Reading::default() });
    assert_eq!(offers(&mut otherwise), []);
    // Of two models in folds each is one run.
    let mut models = session(&[
        ("v1-1.zip", zip(0..6)),
        ("v1-2.zip", zip(6..12)),
        ("v2-1.zip", zip(0..6)),
        ("v2-2.zip", zip(6..12)),
    ]);
    let of: Vec<String> = offers(&mut models).into_iter().map(|(run, _)| run).collect();
    assert_eq!(of, ["v1-1.zip", "v2-1.zip"]);
    models.join_parts().expect("two runs");
    let recall = recall(models.evaluate(&Options::default()));
    assert_eq!(recall, [("v1-1.zip".to_owned(), Some(1.0)), ("v2-1.zip".to_owned(), Some(1.0))]);
}

#[test]
fn a_session_restores_parts_whatever_they_are_called_by_now() {
    let mut first = session(&[("a-1.zip", zip(0..6)), ("a-2.zip", zip(6..12))]);
    for (id, images) in [("a-1.zip", 0..6), ("a-2.zip", 6..12)] {
        first.learn_sha256(id, &froc::input::sha256(&zip(images)));
    }
    first.join_parts().expect("two parts");
    let report = first.evaluate(&Options::default()).report.clone();
    let saved = first.save("", None).expect("a session").bytes().expect("bytes");
    let saved = SessionFile::read("s.froc.json", &saved).expect("a session");
    assert_eq!(saved.predictions[0].reading.together_with, ["a-2.zip"]);
    let mut again = session(&[("second.zip", zip(6..12)), ("a-1.zip", zip(0..6))]);
    again.learn_sha256("second.zip", &froc::input::sha256(&zip(6..12)));
    assert_eq!(again.restore(&saved).expect("a ground truth").differences, []);
    let mut restored = again.evaluate(&Options::default()).report.clone().expect("a report");
    assert_eq!(restored.runs.len(), 1);
    assert_eq!(restored.runs[0].reading.as_ref().expect("how").sentence, "Read as one run with second.zip.");
    restored.runs[0].reading = report.as_ref().and_then(|report| report.runs[0].reading.clone());
    restored.runs[0].sha256 = report.as_ref().and_then(|report| report.runs[0].sha256.clone());
    assert_eq!(Some(restored), report);
}

/// The program in a folder with the ground truth and two parts.
fn froc(folder: &PathBuf, arguments: &[&str]) -> Output {
    let files = ["score", "--ground-truth", "test.json", "--predictions", "a-001.zip", "--predictions", "a-002.zip"];
    let output = Command::new(env!("CARGO_BIN_EXE_froc")).current_dir(folder).args(files).args(arguments).output();
    output.expect("the program runs")
}

#[test]
fn the_terminal_names_the_offer_and_takes_it() {
    let folder = scratch("parts");
    let files = [("test.json", truth()), ("a-001.zip", zip(0..6)), ("a-002.zip", zip(6..12))];
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("a file");
    }
    let text = String::from_utf8(froc(&folder, &[]).stdout).expect("UTF-8");
    assert!(text.contains("\n      Score the 2 files as one run: --join\n"), "{text}");
    let joined: Value = serde_json::from_slice(&froc(&folder, &["--join", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(joined["runs"].as_array().map(Vec::len), Some(1));
    let run = &joined["runs"][0];
    assert_eq!(
        (&run["official"]["is_official"], &run["classes"][3]["exact"]["recall"][0]),
        (&json!(true), &json!(1.0))
    );
    assert_eq!(run["sha256"].as_str().map(str::len), Some(64));
    fs::write(folder.join("a-002.zip"), zip(5..12)).expect("a file");
    let refused = froc(&folder, &["--join"]);
    let sentences = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(2));
    assert!(sentences.starts_with("join: no predictions look like parts of one run; expected"), "{sentences}");
}
