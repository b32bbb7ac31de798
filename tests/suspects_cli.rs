//! `froc suspects`: listed, marked in a table, corrected beside the original.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use froc::printable::is_harmful;
use serde_json::Value;

use crate::support::{ground_truth_json, scratch, zip_of};

/// A folder with a ground truth and two runs that agree on two lesions which it lacks, and on a box.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let files = Self(scratch(name));
        let lesions = [(3, [10.0, 10.0, 49.0, 49.0])];
        files.write("test.json", &ground_truth_json([("1.png", &lesions[..]), ("2.png", &[][..])]));
        let run = |shift: u32, score: f64| {
            let (a, b) = (200 + shift, 299 + shift);
            let one = format!(
                r#"[{{"Nodule": [10, 10, 49, 49, {score}]}}, {{"Mass": [{a}, 0, {b}, 99, {score}]}}, {{"Effusion": [10, 15, 49, 54, 0.1]}}]"#
            );
            zip_of(&[("1.json", one), ("2.json", format!(r#"[{{"Mass": [{a}, {a}, {b}, {b}, 0.1]}}]"#))])
        };
        files.write("a.zip", &run(0, 0.9));
        files.write("b.zip", &run(2, 0.8));
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("a text")
    }

    /// Runs the program in the folder.
    fn froc(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
        program.args(arguments).current_dir(&self.0).output().expect("the program starts")
    }

    /// `froc suspects` on both runs, each lowest rate so that all is looked at.
    fn suspects(&self, more: &[&str]) -> Output {
        let files = ["suspects", "a.zip", "b.zip", "--ground-truth", "test.json", "--fp", "1;2"];
        self.froc(&[&files[..], more].concat())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// What it prints that has nothing to say.
fn printed(output: &Output) -> String {
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    text(&output.stdout).to_owned()
}

/// The sentences of what is refused.
fn refused(output: &Output) -> String {
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    text(&output.stderr).trim_end().to_owned()
}

/// The table with marks in its first column, in the order of its lines.
fn marked(csv: &str, marks: &[&str]) -> String {
    let lines = csv.lines().zip([""].iter().chain(marks).chain(std::iter::repeat(&"")));
    lines.map(|(line, mark)| [mark, line, "\n"].concat()).collect::<Vec<_>>().concat()
}

#[test]
fn a_list_is_marked_in_a_table_and_gives_a_corrected_file_and_the_score_under_both() {
    let files = Files::new("suspects_are_marked_and_corrected");
    let csv = printed(&files.suspects(&["--format", "csv"]));
    let kinds: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(1).expect("fields")).collect();
    assert_eq!(kinds, ["wrong_label", "missing", "missing"]);
    files.write("marks.csv", marked(&csv, &["right", "wrong", "WRONG"]).as_bytes());

    let output = files.suspects(&["--marks", "marks.csv", "--corrected", "out.json", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "Kept of each image: file_name, syms and boxes, which stand class by class.\n");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let out = files.read("out.json");
    assert_eq!(report["corrections"]["ground_truth"]["sha256"], froc::input::sha256(out.as_bytes()));
    let written: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(written[0]["syms"], serde_json::json!(["Nodule", "Mass"]));
    assert_eq!(
        written[1],
        serde_json::json!({"file_name": "2.png", "syms": ["Mass"], "boxes": [[200.0, 200.0, 299.0, 299.0]], "corrections": 1})
    );

    // The same numbers as the file itself gives, under names that tell them apart; never called official.
    let scored = |truth: &str, run: &str| -> Value {
        let score = ["score", "--ground-truth", truth, "--predictions", run, "--fp", "1;2", "--format", "json"];
        serde_json::from_str(&printed(&files.froc(&score))).expect("JSON")
    };
    for (at, run) in ["a.zip", "b.zip"].into_iter().enumerate() {
        let [original, other] = ["test.json", "out.json"].map(|truth| scored(truth, run)["runs"][0].clone());
        for (of, by) in
            report["corrections"]["scores"].as_array().expect("scores")[2 * at..].iter().zip(["official", "exact"])
        {
            assert_eq!(of["original"], original[by]["average_recall"], "{by}");
            assert_eq!(of["corrected"], other[by]["average_recall"], "{by}");
        }
        assert_eq!(
            other["official"]["name"],
            "the script's rules at other rates, by 2 corrections of the ground truth"
        );
    }
    let plain = printed(&files.suspects(&["--marks", "marks.csv"]));
    let average = |report: &Value| {
        format!("{:.2}", 100.0 * report["runs"][0]["exact"]["average_recall"].as_f64().expect("a score"))
    };
    let lines: Vec<Vec<&str>> =
        plain.lines().map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect()).collect();
    let (before, after) = (average(&scored("test.json", "a.zip")), average(&scored("out.json", "a.zip")));
    assert!(lines.contains(&vec!["a.zip", "exact", &before]), "{plain}");
    let corrected =
        lines.iter().find(|line| line.get(1) == Some(&"exact, by 2 corrections of the ground truth")).expect("a line");
    assert_eq!(corrected[2], after);
    assert!(
        plain.contains("missing: 2; marked right: 0, wrong: 2\nwrong_label: 1; marked right: 1, wrong: 0\n"),
        "{plain}"
    );
    assert!(!printed(&files.suspects(&[])).contains("corrections"));
}

#[test]
fn one_run_says_why_there_is_none_and_what_is_wrong_ends_as_a_sentence() {
    let files = Files::new("suspects_refused");
    let one = printed(&files.froc(&["suspects", "a.zip", "--ground-truth", "test.json"]));
    assert!(one.ends_with("There is one run: a suspect is what at least two agree on.\n"), "{one}");
    let csv = printed(&files.suspects(&["--format", "csv"]));
    let id = csv.lines().nth(1).and_then(|line| line.rsplit(',').next()).expect("an id").to_owned();
    for (table, sentence) in [
        (marked(&csv, &["perhaps"]), format!("marks.csv, line 1 after the header: the mark of \"{id}\" is \"perhaps\"; expected right or wrong, as the ground truth is, or nothing.")),
        (csv.replace(&id, "missing-0").replace("\n,wrong_label", "\nright,wrong_label"), "marks.csv, line 1 after the header: \"missing-0\" is marked, and is no suspect; expected the id of a suspect in these files under these options; list them anew.".to_owned()),
        (format!("id,mark\n{id},\n{id},right\n"), format!("marks.csv, line 2 after the header: \"{id}\" stands further up, too; expected each suspect once.")),
    ] {
        files.write("marks.csv", table.as_bytes());
        assert_eq!(refused(&files.suspects(&["--marks", "marks.csv", "--corrected", "out.json"])), sentence);
    }
    let nothing =
        "Marks: no suspect in the list is marked as wrong; expected one at least, whose lesion is to be corrected.";
    assert_eq!(refused(&files.suspects(&["--corrected", "out.json"])), nothing);
    assert!(!files.0.join("out.json").exists());
    let nowhere = refused(&files.suspects(&["--marks", "nowhere.csv"]));
    assert!(nowhere.starts_with("nowhere.csv: it cannot be read ("), "{nowhere}");
    // None is written over.
    files.write("marks.csv", marked(&csv, &["wrong"]).as_bytes());
    let before = files.read("test.json");
    let exists = refused(&files.suspects(&["--marks", "marks.csv", "--corrected", "test.json"]));
    assert_eq!(exists, "test.json: it exists; expected a new file, since none is written over.");
    assert_eq!(files.read("test.json"), before);
}

/// What was marked on the page is known in the terminal, and is kept by what saves the session again.
#[test]
fn a_session_brings_its_marks() {
    let files = Files::new("suspects_of_a_session");
    let runs = ["--predictions", "a.zip", "--predictions", "b.zip"];
    let score = ["score", "--ground-truth", "test.json", "--fp", "1;2", "--save-session", "s.froc.json"];
    printed(&files.froc(&[&score[..], &runs].concat()));
    let csv = printed(&files.suspects(&["--format", "csv"]));
    let ids: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    let mut session: Value = serde_json::from_str(&files.read("s.froc.json")).expect("JSON");
    session["marks"] = serde_json::json!({ ids[0]: "wrong", ids[1]: "right" });
    files.write("m.froc.json", session.to_string().as_bytes());
    let again = ["--session", "m.froc.json", "b.zip", "test.json", "a.zip"];
    let listed = printed(&files.froc(&[&["suspects", "--format", "csv"], &again[..]].concat()));
    assert_eq!(listed, marked(&csv, &["wrong", "right"]));
    printed(&files.froc(&[&["score", "--save-session", "t.froc.json"], &again[..]].concat()));
    let kept: Value = serde_json::from_str(&files.read("t.froc.json")).expect("JSON");
    assert_eq!(kept["marks"], session["marks"]);
    files.write("m.froc.json", files.read("m.froc.json").replace("\"right\"", "\"perhaps\"").as_bytes());
    let unknown = refused(&files.froc(&[&["suspects"], &again[..]].concat()));
    assert!(unknown.starts_with("m.froc.json: it is no whole session (unknown variant `perhaps`"), "{unknown}");
}

/// Names may hold what moves the cursor, begins a line, or runs in a spreadsheet.
#[test]
fn names_are_made_harmless() {
    let files = Files::new("suspects_with_harmful_names");
    let hidden = "\u{1b}[2J\n\u{202e}gpj\u{200b}";
    let image = format!("＝cmd{hidden}");
    files.write(&format!("＋truth{hidden}.json"), &ground_truth_json([(format!("{image}.png").as_str(), &[][..])]));
    let run = zip_of(&[(format!("{image}.json"), r#"[{"Mass": [-10, 10, 49, 49, -0.5]}]"#)]);
    let names = ["＠a", "-b"].map(|name| format!("{name}{hidden}.zip"));
    for name in &names {
        files.write(name, &run);
    }
    let truth = format!("＋truth{hidden}.json");
    let list = |format: &str| {
        let paths = [&names[0], "--ground-truth", &truth, "--fp", "1", "--format", format, "--", &names[1]];
        printed(&files.froc(&[&["suspects"], &paths[..]].concat()))
    };
    for format in ["text", "csv"] {
        let list = list(format);
        assert!(!list.chars().any(|letter| is_harmful(letter) && letter != '\n'), "{list}");
        assert!(list.contains("\\u{202e}") && !list.contains("\n\\u{202e}"), "{list}");
    }
    let csv = list("csv");
    let fields: Vec<&str> = csv.lines().nth(1).expect("a suspect").split(',').collect();
    assert!(fields.iter().all(|field| !field.starts_with(['=', '+', '-', '@', '＝', '＋', '＠'])), "{csv}");
    assert!(!Path::new(&truth).exists());
}
