//! What files may look like, and the sentence that each mistake ends in.
#![allow(clippy::float_cmp)]

use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use froc::Options;
use froc::input::{Kind, Stage, identify};
use froc::report::{ClassReport, Report};
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{read, read_ground_truth, same_cases_every_time, score, stored_zip_of, zip_of, zip_with};

/// Two images with one nodule each.
const GROUND_TRUTH: &[u8] = br#"[
    {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]},
    {"file_name": "2.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]}
]"#;
/// A file whose one detection finds the nodule.
const FOUND: &str = r#"[{"Nodule": [10, 10, 29, 29, 0.9]}]"#;

fn score_zip(zip: &[u8]) -> Report {
    score(GROUND_TRUTH, zip, &Options::default()).unwrap_or_else(|sentences| panic!("{sentences:?}"))
}

fn nodules(report: &Report) -> &ClassReport {
    &report.runs[0].classes[3]
}

/// The sentences that a zip ends in.
fn mistakes(zip: &[u8]) -> Vec<String> {
    read(GROUND_TRUTH, zip).map(|_| ()).expect_err("a mistake")
}

fn check(failures: &mut Vec<String>, what: &str, ours: &str, expected: &str) {
    if ours != expected {
        failures.push(format!("{what}\n     got {ours}\nexpected {expected}"));
    }
}

// --- zips that are read ---

fn files() -> [(&'static str, &'static str); 2] {
    [("1.json", FOUND), ("2.json", FOUND)]
}

fn named(prefix: &str) -> Vec<(String, &'static str)> {
    files().iter().map(|(name, text)| (format!("{prefix}{name}"), *text)).collect()
}

fn zip64() -> Vec<u8> {
    zip_with(&files(), SimpleFileOptions::default().large_file(true))
}

/// As `zip -` writes to a pipe: sizes and checksums follow the data.
fn streamed() -> Vec<u8> {
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, text) in files() {
        writer.start_file(name, SimpleFileOptions::default()).expect("a file's name");
        writer.write_all(text.as_bytes()).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// A program before the zip, as in a self-extracting archive.
fn prefixed() -> Vec<u8> {
    [b"#!/bin/sh\nexit 1\n".as_slice(), &zip_of(&files())].concat()
}

#[test]
fn a_zip_is_read_however_it_is_packed() {
    let with_bom = format!("\u{feff}{FOUND}");
    let with_rest = |rest: &[(&str, &str)]| {
        let mut entries = files().to_vec();
        entries.extend_from_slice(rest);
        zip_of(&entries)
    };
    let zips = [
        ("deflated", zip_of(&files())),
        ("stored", stored_zip_of(&files())),
        ("Zip64", zip64()),
        ("streamed", streamed()),
        ("after a program", prefixed()),
        ("in one folder", zip_of(&named("model/"))),
        ("deep in folders", zip_of(&named("a/b.c/d e/f.json/g/"))),
        ("with a leading ./", zip_of(&named("./"))),
        ("in folders of a folder of another alphabet", zip_of(&named("모델/résultats/"))),
        ("in two folders", zip_of(&[("fold 1/1.json", FOUND), ("fold 2/2.json", FOUND)])),
        ("with folders", with_rest(&[("empty/", ""), ("model/", "")])),
        (
            "with macOS's own files",
            with_rest(&[("__MACOSX/._1.json", "\0\x05\x16\x07"), ("__MACOSX/1.json", "[]"), ("._2.json", "\0\x05")]),
        ),
        ("with .DS_Store", with_rest(&[(".DS_Store", "\0\0\0\x01Bud1"), ("model/.DS_Store", "\0")])),
        (
            "with other files",
            with_rest(&[("README.md", "# model"), ("1.png", "\u{89}PNG"), ("1.txt", "["), (".json", "{")]),
        ),
        ("with files for other images", with_rest(&[("3.json", FOUND), ("10.json", "not JSON"), ("x1.json", "[")])),
        ("with a byte order mark", zip_of(&[("1.json", with_bom.as_str()), ("2.json", &with_bom)])),
        (
            "with blanks and line ends",
            zip_of(&[("1.json", "\r\n [ {\"Nodule\"\t:[10,10,29,29,0.9 ] } ]\r\n"), ("2.json", FOUND)]),
        ),
        ("with backslashes", zip_of(&[("model\\1.json", FOUND), ("model\\2.json", FOUND)])),
    ];
    for (what, zip) in zips {
        let report = score_zip(&zip);
        let nodules = nodules(&report);
        assert_eq!((report.runs[0].n_files, nodules.n_detections, nodules.true_positives), (2, 2, 2), "{what}");
        assert_eq!(nodules.official.recall, [Some(1.0); 3], "{what}");
        assert_eq!(report.runs[0].n_detections, 2, "{what}");
        // What other programs leave behind is no news; files for other images are.
        let codes: Vec<&str> = report.runs[0].findings.iter().map(|finding| finding.code.as_str()).collect();
        let expected: &[&str] = if what == "with files for other images" { &["file_without_image"] } else { &[] };
        assert_eq!(codes, expected, "{what}");
    }
}

#[test]
fn a_folder_can_be_an_entry_of_the_zip() {
    let mut entries = vec![("model/".to_owned(), "")];
    entries.extend(named("model/"));
    assert_eq!(nodules(&score_zip(&zip_of(&entries))).true_positives, 2);
}

/// Section 1: no file, an empty file and an empty list mean the same; so does whatever has no length for the script.
#[test]
fn an_image_without_detections_is_written_in_many_ways() {
    for (what, entries) in [
        ("no file", vec![("1.json", FOUND)]),
        ("0 bytes", vec![("1.json", FOUND), ("2.json", "")]),
        ("an empty list", vec![("1.json", FOUND), ("2.json", "[]")]),
        ("an empty object", vec![("1.json", FOUND), ("2.json", " {} ")]),
        ("an empty text", vec![("1.json", FOUND), ("2.json", "\"\"\n")]),
        ("an entry without a class", vec![("1.json", FOUND), ("2.json", "[{}]")]),
    ] {
        let report = score_zip(&zip_of(&entries));
        assert_eq!(nodules(&report).official.recall, [Some(0.5); 3], "{what}");
        assert_eq!(report.runs[0].n_files, entries.len(), "{what}");
    }
    assert_eq!(nodules(&score_zip(&zip_of::<&str, &str>(&[]))).official.recall, [Some(0.0); 3]);
}

/// Section 1: the file's name is the image's with `.png` turned into `.json`, wherever the `.png` stands.
#[test]
fn the_file_of_an_image_is_named_like_it() {
    let record = |name: &str| format!(r#"[{{"file_name": "{name}", "syms": ["Mass"], "boxes": [[0, 0, 9, 9]]}}]"#);
    for (image, file, is_its) in [
        ("36199.png", "36199.json", true),
        ("a.b.png", "a.b.json", true),
        ("1.png.png", "1.json.json", true),
        ("val/1.png", "val/1.json", true),
        ("val/1.png", "model/val/1.json", true),
        ("1.png", "11.json", false),
        ("1.png", "1.JSON", false),
        ("1.png", "1.png.json", false),
        ("A.png", "a.json", false),
        ("val/1.png", "1.json", false),
    ] {
        let zip = zip_of(&[(file, r#"[{"Mass": [0, 0, 9, 9, 0.5]}]"#), ("none.json", "[]")]);
        let report = score(record(image).as_bytes(), &zip, &Options::default()).expect("files in order");
        assert_eq!(report.runs[0].n_detections, usize::from(is_its), "{image} and {file}");
    }
}

/// More entries than the old format of zips can count.
#[test]
fn a_zip_of_very_many_files_is_read() {
    let others = (0..u16::MAX).map(|n| (format!("of no image {n}.json"), ""));
    let entries: Vec<(String, &str)> = others.chain(named("")).collect();
    let report = score_zip(&stored_zip_of(&entries));
    assert_eq!((report.runs[0].n_files, nodules(&report).true_positives), (2, 2));
    assert_eq!(report.runs[0].findings[0].count, usize::from(u16::MAX));
}

/// As Python's `json` reads an object, the last of equal keys counts; the others are told.
#[test]
fn of_equal_keys_the_last_one_counts() {
    let text = r#"[{"Nodule": [0, 0, 1, 1, 0.1], "Nodule": [10, 10, 29, 29, 0.5]}]"#;
    let report = score_zip(&zip_of(&[("1.json", text)]));
    let nodules = nodules(&report);
    assert_eq!((nodules.n_detections, nodules.true_positives), (1, 1));
    let told = report.runs[0].findings.iter().find(|finding| finding.code == "double_keys").expect("a finding");
    assert_eq!((told.count, &told.examples[..]), (1, &["1.json".to_owned()][..]));
    assert_eq!(nodules.exact.score_threshold[0], Some(0.5));
}

// --- numbers ---

fn score_read_from(text: &str) -> f32 {
    let zip = zip_of(&[("1.json", format!(r#"[{{"Nodule": [10, 10, 29, 29, {text}]}}]"#))]);
    nodules(&score_zip(&zip)).exact.score_threshold[0].expect("one detection")
}

/// Section 1: correctly rounded to `f64` first, to the nearest `f32` then, ties to even.
#[test]
fn numbers_are_rounded_as_the_script_rounds_them() {
    // Halfway between two f32, written with a digit more than an f64 can tell: by way of f64 a tie, so to even.
    assert_eq!(score_read_from("0.50000002980232238769531250001"), 0.5);
    assert_eq!("0.50000002980232238769531250001".parse::<f32>().map(f32::to_bits), Ok(0.5_f32.to_bits() + 1));
    for text in
        ["0.1", "1", "1e-3", "-0.25", "0.30000000000000004", "1e-40", "123456789", "5e-324", "18446744073709551616"]
    {
        let expected = text.parse::<f64>().expect("a number") as f32;
        assert_eq!(score_read_from(text), expected, "{text}");
    }
}

/// `significand * 10^exponent` in `f64`, the short way to read a number, is off by one bit here and lands on another
/// `f32`.
#[test]
fn numbers_are_read_to_the_last_bit() {
    for text in ["0.89759680628776550", "0.82601585984230042", "0.97167834639549255", "0.93372955918312073"] {
        let digits = text.trim_start_matches("0.");
        let short = digits.parse::<f64>().expect("digits") / 10_f64.powi(i32::try_from(digits.len()).expect("few"));
        let exact = text.parse::<f64>().expect("a number");
        assert_ne!(short as f32, exact as f32, "{text} tells nothing");
        assert_eq!(score_read_from(text), exact as f32, "{text}");
    }
}

#[test]
fn a_byte_order_mark_before_the_ground_truth_is_passed_over() {
    let marked = [b"\xef\xbb\xbf", GROUND_TRUTH].concat();
    let report = score(&marked, &zip_of(&files()), &Options::default()).expect("files in order");
    assert_eq!(nodules(&report).true_positives, 2);
}

// --- sentences: the ground truth ---

fn ground_truth_mistake(text: &[u8]) -> String {
    read_ground_truth(text).map(|_| ()).expect_err("a mistake").to_string()
}

#[test]
fn a_mistake_in_the_ground_truth_ends_in_one_sentence() {
    let mistakes: &[(&str, &[u8], &str)] = &[
        ("nothing", b"", r#"test.json, line 1, column 0: the JSON ends in the middle; expected a list of {"file_name", "syms", "boxes"}; the file was cut short, so write it again."#),
        ("no images", b"[]", r#"test.json: it lists no images; expected at least one {"file_name", "syms", "boxes"}."#),
        ("not JSON", b"file_name,syms\n1.png,Nodule\n", r#"test.json, line 1, column 1: it is not JSON (expected a value); expected a list of {"file_name", "syms", "boxes"}."#),
        ("cut short", br#"[{"file_name": "1.png", "syms": ["Nodule"], "boxes": [[1, 2, 3"#, r#"test.json, record 1, box 1, line 1, column 62: the JSON ends in the middle; expected a list of {"file_name", "syms", "boxes"}; the file was cut short, so write it again."#),
        ("cut short between records", br#"[{"file_name": "1.png", "syms": [], "boxes": []},"#, r#"test.json, record 2, line 1, column 49: the JSON ends in the middle; expected a list of {"file_name", "syms", "boxes"}; the file was cut short, so write it again."#),
        ("a comma too many", br#"[{"file_name": "1.png", "syms": [], "boxes": []},]"#, r#"test.json, record 2, line 1, column 50: a comma stands before the closing bracket; expected a list of {"file_name", "syms", "boxes"}; remove the comma."#),
        ("two lists", br#"[{"file_name": "1.png", "syms": [], "boxes": []}] []"#, r#"test.json, line 1, column 51: there is more after the end of the list; expected a list of {"file_name", "syms", "boxes"}, and nothing after it."#),
        ("an object of another tool", br#"{"a.png": {"pred_boxes": [[1, 2, 3, 4]], "pred_scores": [0.5]}}"#, r#"test.json: it is an object of no known format, with keys such as a.png; expected the ground truth (test.json) or a zip of prediction files, or one JSON file for all images, such as {"1.png": [{"Nodule": [x1, y1, x2, y2, score]}]}, or COCO results."#),
        ("an object", br#"{"file_name": "1.png", "syms": [], "boxes": []}"#, r#"test.json: there is one object; expected a list of {"file_name", "syms", "boxes"}; put [ before it and ] after it."#),
        ("an object that is no JSON", b"{not json", r#"test.json, line 1, column 2: it is not JSON (expected a name in quotation marks); expected a list of {"file_name", "syms", "boxes"}."#),
        ("objects, one of them no JSON", b"{}\n{\"a\" 1}", r#"test.json, line 2, column 6: it is not JSON (expected `:`); expected a list of {"file_name", "syms", "boxes"}."#),
        ("a number", b"542", r#"test.json: there is the number 542; expected a list of {"file_name", "syms", "boxes"}."#),
        ("records that are lists", br#"[["1.png", [], []]]"#, r#"test.json, record 1: there is a list; expected an object {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[x1, y1, x2, y2]]}."#),
        ("a record that is a name", br#"["1.png"]"#, r#"test.json, record 1: there is the text "1.png"; expected an object {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[x1, y1, x2, y2]]}."#),
        ("UTF-16", b"\xff\xfe[\0]\0", r#"test.json, line 1, column 1: it is UTF-16 text; expected a list of {"file_name", "syms", "boxes"} as UTF-8; save it again as UTF-8."#),
        ("not UTF-8", b"[{\"file_name\": \"\xe9.png\", \"syms\": [], \"boxes\": []}]", r#"test.json, line 1, column 17: it is not UTF-8 text; expected a list of {"file_name", "syms", "boxes"} as UTF-8; save it again as UTF-8."#),
        ("NaN", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[NaN, 0, 1, 1]]}]"#, r#"test.json, record 1, box 1, line 1, column 54: there is NaN or Infinity; expected a list of {"file_name", "syms", "boxes"} with finite numbers; leave such boxes out."#),
        ("no file_name", br#"[{"syms": [], "boxes": []}]"#, r#"test.json, record 1: it has no "file_name"; expected an object {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[x1, y1, x2, y2]]}."#),
        ("no syms", br#"[{"file_name": "1.png", "boxes": []}]"#, r#"test.json, record 1, "1.png": it has no "syms"; expected an object {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[x1, y1, x2, y2]]}."#),
        ("no boxes", br#"[{"file_name": "1.png", "syms": []}]"#, r#"test.json, record 1, "1.png": it has no "boxes"; expected an object {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[x1, y1, x2, y2]]}."#),
        ("file_name null", br#"[{"file_name": null, "syms": [], "boxes": []}]"#, "test.json, record 1, file_name: there is null; expected a string."),
        ("file_name a number", br#"[{"file_name": 36199, "syms": [], "boxes": []}]"#, "test.json, record 1, file_name: there is the number 36199; expected a string."),
        ("syms a text", br#"[{"file_name": "1.png", "syms": "Nodule", "boxes": [[0, 0, 9, 9]]}]"#, r#"test.json, record 1, syms: there is the text "Nodule"; expected a list of class names."#),
        ("a sym that is a number", br#"[{"file_name": "1.png", "syms": [3], "boxes": [[0, 0, 9, 9]]}]"#, "test.json, record 1, syms: there is the number 3; expected a string."),
        ("boxes an object", br#"[{"file_name": "1.png", "syms": [], "boxes": {}}]"#, "test.json, record 1, boxes: there is an object; expected a list of boxes [x1, y1, x2, y2]."),
        ("one box, not a list of boxes", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [0, 0, 9, 9]}]"#, "test.json, record 1, box 1: there is the number 0; expected [x1, y1, x2, y2]."),
        ("more syms than boxes", br#"[{"file_name": "1.png", "syms": ["Mass", "Mass"], "boxes": [[0, 0, 9, 9]]}]"#, r#"test.json, record 1, "1.png": it has 2 syms and 1 boxes; expected as many syms as boxes, box k of class syms[k]."#),
        ("more boxes than syms", br#"[{"file_name": "1.png", "syms": [], "boxes": [[0, 0, 9, 9]]}]"#, r#"test.json, record 1, "1.png": it has 0 syms and 1 boxes; expected as many syms as boxes, box k of class syms[k]."#),
        ("a box of 3", br#"[{"file_name": "0.png", "syms": [], "boxes": []}, {"file_name": "1.png", "syms": ["Mass", "Mass"], "boxes": [[0, 0, 9, 9], [0, 0, 9]]}]"#, "test.json, record 2, box 2: the box has 3 numbers; expected [x1, y1, x2, y2]."),
        ("a box of 5", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, 0, 9, 9, 0.5]]}]"#, "test.json, record 1, box 1: the box has 5 numbers; expected [x1, y1, x2, y2]."),
        ("a box of none", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[]]}]"#, "test.json, record 1, box 1: the box has 0 numbers; expected [x1, y1, x2, y2]."),
        ("a corner that is a text", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, "0", 9, 9]]}]"#, r#"test.json, record 1, box 1: there is the text "0"; expected a number."#),
        ("a corner that is null", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, null, 9, 9]]}]"#, "test.json, record 1, box 1: there is null; expected a number."),
        ("a corner beyond f32", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, 0, 1e39, 9]]}]"#, "test.json, record 1, box 1: there is 1e39, too large for a 32-bit number; expected a number below 3.4e38."),
        ("a corner beyond f64", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, 0, 1e999, 9]]}]"#, r#"test.json, record 1, box 1, line 1, column 64: there is a number too large for 64 bits; expected a list of {"file_name", "syms", "boxes"} with numbers below 3.4e38."#),
        ("an area beyond f32", br#"[{"file_name": "1.png", "syms": ["Mass"], "boxes": [[0, 0, 3e38, 3e38]]}]"#, "test.json, record 1, box 1: the area of the box is too large for a 32-bit number; expected corners in pixels."),
        ("a name twice", br#"[{"file_name": "1.png", "syms": [], "boxes": []}, {"file_name": "2.png", "syms": [], "boxes": []}, {"file_name": "1.png", "syms": [], "boxes": []}]"#, r#"test.json, image 3: "1.png" has the same prediction file as image 1; expected each file_name once; join the boxes of both into one record."#),
    ];
    let mut failures = Vec::new();
    for (what, text, sentence) in mistakes {
        check(&mut failures, what, &ground_truth_mistake(text), sentence);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

// --- sentences: predictions ---

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_mistake_in_a_prediction_file_ends_in_one_sentence() {
    let mistakes: &[(&str, &[u8], &str)] = &[
        (
            "not JSON",
            b"Nodule 10 10 29 29 0.9",
            r#"model.zip, model/1.json, line 1, column 1: it is not JSON (expected a value); expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}."#,
        ),
        (
            "cut short",
            br#"[{"Nodule": [10, 10, 29"#,
            r#"model.zip, model/1.json, entry 1, Nodule, line 1, column 23: the JSON ends in the middle; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; the file was cut short, so write it again."#,
        ),
        (
            "a comma too many",
            br#"[{"Nodule": [10, 10, 29, 29, 0.9]},]"#,
            r#"model.zip, model/1.json, entry 2, line 1, column 36: a comma stands before the closing bracket; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; remove the comma."#,
        ),
        (
            "JSON Lines",
            b"[{\"Nodule\": [10, 10, 29, 29, 0.9]}]\n[{\"Nodule\": [10, 10, 29, 29, 0.8]}]\n",
            r#"model.zip, model/1.json, line 2, column 1: there is more after the end of the list; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}, and nothing after it."#,
        ),
        (
            "NaN",
            br#"[{"Nodule": [10, 10, 29, 29, NaN]}]"#,
            r#"model.zip, model/1.json, entry 1, Nodule, line 1, column 30: there is NaN or Infinity; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]} with finite numbers; leave such boxes out."#,
        ),
        (
            "Infinity",
            br#"[{"Nodule": [10, 10, 29, 29, Infinity]}]"#,
            r#"model.zip, model/1.json, entry 1, Nodule, line 1, column 30: there is NaN or Infinity; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]} with finite numbers; leave such boxes out."#,
        ),
        (
            "-Infinity",
            br#"[{"Nodule": [10, 10, 29, 29, -Infinity]}]"#,
            r#"model.zip, model/1.json, entry 1, Nodule, line 1, column 31: there is NaN or Infinity; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]} with finite numbers; leave such boxes out."#,
        ),
        (
            "UTF-16",
            b"\xff\xfe[\0]\0",
            r#"model.zip, model/1.json, line 1, column 1: it is UTF-16 text; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]} as UTF-8; save it again as UTF-8."#,
        ),
        (
            "an object",
            br#"{"Nodule": [10, 10, 29, 29, 0.9]}"#,
            r#"model.zip, model/1.json: there is one object; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; put [ before it and ] after it."#,
        ),
        (
            "a number",
            b"0",
            r#"model.zip, model/1.json: there is the number 0; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}."#,
        ),
        (
            "entries that are boxes",
            b"[[10, 10, 29, 29, 0.9]]",
            r#"model.zip, model/1.json, entry 1: there is a list; expected an object {"Nodule": [x1, y1, x2, y2, score]}."#,
        ),
        (
            "an entry that is null",
            br#"[{"Nodule": [10, 10, 29, 29, 0.9]}, null]"#,
            r#"model.zip, model/1.json, entry 2: there is null; expected an object {"Nodule": [x1, y1, x2, y2, score]}."#,
        ),
        (
            "a box of 4",
            br#"[{"Nodule": [10, 10, 29, 29]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: the box has 4 numbers; expected [x1, y1, x2, y2, score].",
        ),
        (
            "a box of 6",
            br#"[{"Nodule": [10, 10, 29, 29, 0.9, 3]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: the box has 6 numbers; expected [x1, y1, x2, y2, score].",
        ),
        (
            "a box of 1",
            br#"[{"Nodule": [10]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: the box has 1 number; expected [x1, y1, x2, y2, score].",
        ),
        (
            "a list of boxes",
            br#"[{"Nodule": [[10, 10, 29, 29, 0.9]]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: there is a list; expected a number.",
        ),
        (
            "a box that is an object",
            br#"[{"Nodule": {"x1": 10}}]"#,
            "model.zip, model/1.json, entry 1, Nodule: there is an object; expected [x1, y1, x2, y2, score].",
        ),
        (
            "a score that is a text",
            br#"[{"Mass": [1, 2, 3, 4, 0.5]}, {"Nodule": [10, 10, 29, 29, "0.9"]}]"#,
            r#"model.zip, model/1.json, entry 2, Nodule: there is the text "0.9"; expected a number, without quotation marks."#,
        ),
        (
            "a score that is true",
            br#"[{"Nodule": [10, 10, 29, 29, true]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: there is true; expected a number.",
        ),
        (
            "a score beyond f32",
            br#"[{"nodule": [10, 10, 29, 29, 1e39]}]"#,
            "model.zip, model/1.json, entry 1, nodule: there is 1e39, too large for a 32-bit number; expected a number below 3.4e38.",
        ),
        (
            "a score beyond f64",
            br#"[{"Nodule": [10, 10, 29, 29, 1e999]}]"#,
            r#"model.zip, model/1.json, entry 1, Nodule, line 1, column 34: there is a number too large for 64 bits; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]} with numbers below 3.4e38."#,
        ),
        (
            "an area beyond f32",
            br#"[{"Nodule": [0, 0, 1e20, 1e20, 0.9]}]"#,
            "model.zip, model/1.json, entry 1, Nodule: the area of the box is too large for a 32-bit number; expected corners in pixels.",
        ),
    ];
    let mut failures = Vec::new();
    for (what, text, sentence) in mistakes {
        let sentences = self::mistakes(&zip_of(&[("model/1.json", *text)]));
        check(&mut failures, what, &sentences.join(" | "), sentence);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn all_bad_prediction_files_are_listed() {
    let zip = zip_of(&[("1.json", "[1]"), ("2.json", r#"{"a": 1}"#), ("3.json", "of no image, so never mind")]);
    let expected = [
        r#"model.zip, 1.json, entry 1: there is the number 1; expected an object {"Nodule": [x1, y1, x2, y2, score]}."#,
        r#"model.zip, 2.json: there is one object; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; put [ before it and ] after it."#,
    ];
    assert_eq!(mistakes(&zip), expected);
}

#[test]
fn two_files_for_one_image_are_both_named() {
    let zip = zip_of(&[("a/1.json", FOUND), ("b/1.json", FOUND), ("b/2.json", FOUND)]);
    let expected = r#"model.zip: "a/1.json" and "b/1.json" are both for image "1.png"; expected one file an image; remove one of them."#;
    assert_eq!(mistakes(&zip), [expected]);
}

/// A zip whose list of entries names one file twice, which a careful writer refuses to make.
fn name_twice() -> Vec<u8> {
    let zip = stored_zip_of(&[("1.json", FOUND), ("9.json", "[]")]);
    replaced(&zip, b"9.json", b"1.json")
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for at in 0..out.len().saturating_sub(from.len()) {
        if out[at..].starts_with(from) {
            out.splice(at..at + from.len(), to.iter().copied());
        }
    }
    out
}

fn encrypted() -> Vec<u8> {
    // The flag alone: what the bytes hold does not matter to somebody without the password.
    let mut zip = stored_zip_of(&[("1.json", FOUND)]);
    for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = zip.windows(4).position(|window| window == signature).expect("a header");
        zip[at + flags] |= 1;
    }
    zip
}

fn packed_in_another_way() -> Vec<u8> {
    let mut zip = stored_zip_of(&[("1.json", FOUND)]);
    for (signature, method) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let at = zip.windows(4).position(|window| window == signature).expect("a header");
        zip[at + method] = 14;
    }
    zip
}

fn with_a_wrong_checksum() -> Vec<u8> {
    replaced(&stored_zip_of(&[("1.json", FOUND)]), b"0.9]", b"0.8]")
}

#[test]
fn a_mistake_in_the_zip_ends_in_one_sentence() {
    let cut = |zip: &[u8], n: usize| zip[..zip.len() - n].to_vec();
    let mistakes: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "nothing",
            Vec::new(),
            "model.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.",
        ),
        (
            "not a zip",
            b"PK? No.".to_vec(),
            "model.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.",
        ),
        (
            "cut short",
            cut(&zip_of(&files()), 30),
            "model.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.",
        ),
        (
            "cut in half",
            cut(&zip_of(&files()), 200),
            "model.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected a whole zip; copy or download it again, or pack the folder again.",
        ),
        (
            "no prediction file",
            zip_of(&[("readme.txt", "hello"), ("model/", "")]),
            "model.zip: none of its 2 entries holds predictions; expected one .json file an image, or predictions in .csv, .tsv, .txt files.",
        ),
        (
            "a name twice",
            name_twice(),
            r#"model.zip: it holds two files named "1.json"; expected one file an image; remove one of them."#,
        ),
        (
            "encrypted",
            encrypted(),
            "model.zip, 1.json: it is encrypted; expected a file without a password; pack the folder again without one.",
        ),
        (
            "LZMA",
            packed_in_another_way(),
            "model.zip, 1.json: it is compressed by LZMA; expected a zip of prediction files, stored or deflated; pack the folder again as an ordinary zip.",
        ),
        (
            "a wrong checksum",
            with_a_wrong_checksum(),
            "model.zip, 1.json: its checksum is wrong: bytes were changed since it was packed; expected a whole zip; copy or download it again, or pack the folder again.",
        ),
    ];
    let mut failures = Vec::new();
    for (what, zip, sentence) in mistakes {
        check(&mut failures, what, &self::mistakes(&zip).join(" | "), sentence);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Which file of several is wrong is told even where the other files are right.
#[test]
fn what_is_wrong_in_a_file_of_no_image_does_not_matter() {
    let zip = zip_of(&[("1.json", FOUND), ("3.json", "["), ("a/3.json", "[")]);
    assert_eq!(score_zip(&zip).runs[0].n_files, 1);
}

#[test]
fn nesting_without_end_is_one_sentence() {
    let deep = "[".repeat(200_000);
    let sentences = [
        ground_truth_mistake(deep.as_bytes()),
        ground_truth_mistake(format!("[{{\"x\": {deep}").as_bytes()),
        mistakes(&zip_of(&[("1.json", deep.as_str())])).join(" | "),
        mistakes(&zip_of(&[("1.json", format!("[{{\"x\": {deep}"))])).join(" | "),
    ];
    for sentence in sentences {
        assert!(sentence.len() < 400 && sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn long_texts_are_shortened_in_sentences() {
    let long = "a".repeat(100_000);
    let text = format!(r#"[{{"Nodule": [10, 10, 29, 29, "{long}"]}}]"#);
    let sentence = mistakes(&zip_of(&[("1.json", text)])).join(" | ");
    assert!(sentence.chars().count() < 200, "{} characters", sentence.chars().count());
    let sentence = ground_truth_mistake(format!(r#"[{{"file_name": "{long}", "syms": []}}]"#).as_bytes());
    assert!(sentence.chars().count() < 200, "{} characters", sentence.chars().count());
}

// --- findings ---

#[test]
fn what_a_user_should_know_is_counted() {
    let ground_truth = br#"[
        {"file_name": "1.png", "syms": ["Nodule", "nodule", "MASS"], "boxes": [[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9]]},
        {"file_name": "2.png", "syms": [], "boxes": []},
        {"file_name": "3", "syms": [], "boxes": []}
    ]"#;
    let zip = zip_of(&[
        (
            "1.json",
            r#"[{"NODULE": [0, 0, 9, 9, 1]}, {"Nodule ": [0, 0, 9, 9, 1], "nodule": [0, 0, 9, 9, 1], "Nodule": [0, 0, 9, 9, 0.5]}]"#,
        ),
        ("2.json", ""),
        ("7.json", "[]"),
    ]);
    let report = score(ground_truth, &zip, &Options::default()).expect("files in order");
    let codes = |findings: &[froc::report::FindingReport]| -> Vec<(String, usize, Vec<String>)> {
        let mut codes: Vec<_> =
            findings.iter().map(|finding| (finding.code.clone(), finding.count, finding.examples.clone())).collect();
        codes.sort();
        codes
    };
    let expected = |list: &[(&str, usize, &[&str])]| -> Vec<(String, usize, Vec<String>)> {
        let owned = |text: &&str| (*text).to_owned();
        list.iter().map(|(code, count, examples)| (owned(code), *count, examples.iter().map(owned).collect())).collect()
    };
    assert_eq!(
        codes(&report.runs[0].findings),
        expected(&[
            ("both_spellings", 1, &["1.json"]),
            ("empty_file", 1, &["2.json"]),
            ("file_without_image", 1, &["7.json"]),
            ("image_without_file", 1, &["3"]),
            ("unread_class_name", 2, &["\"NODULE\" in 1.json"]),
        ])
    );
    assert_eq!(
        codes(&report.findings),
        expected(&[
            ("image_name_without_png", 1, &["3"]),
            ("unknown_lesion_class", 2, &["\"nodule\" in 1.png", "\"MASS\" in 1.png"]),
        ])
    );
    assert_eq!(report.ground_truth.n_lesions, 1);
    assert_eq!(nodules(&report).exact.score_threshold[2], Some(0.5));
}

// --- names, digests, progress ---

#[test]
fn the_predictions_for_one_image_are_told_from_other_text() {
    for text in ["", " [] ", "{}", "\u{feff}[]", FOUND, r#"{"Nodule": [[1, 2, 3, 4, 0.5]]}"#] {
        assert!(froc::input::is_of_one_image(text.as_bytes()), "{text}");
    }
    for text in [r#"{"1.png": [{"Nodule": [1, 2, 3, 4, 0.5]}]}"#, r#"{"a": 1}"#, "text", "file_name,group\n1.png,2"] {
        assert!(!froc::input::is_of_one_image(text.as_bytes()), "{text}");
    }
    assert!(!froc::input::is_of_one_image(GROUND_TRUTH));
}

#[test]
fn a_file_is_known_by_its_bytes() {
    for (what, name, bytes, kind) in [
        ("a zip", "x", zip_of(&files()), Kind::Predictions),
        ("an empty zip", "x", zip_of::<&str, &str>(&[]), Kind::Predictions),
        ("a ground truth", "x", GROUND_TRUTH.to_vec(), Kind::GroundTruth),
        ("what gzip packed", "x", b"\x1f\x8b\x08".to_vec(), Kind::Gzip),
        ("one with a byte order mark", "x", [b"\xef\xbb\xbf\n ", GROUND_TRUTH].concat(), Kind::GroundTruth),
    ] {
        assert_eq!(identify(name, &bytes), Ok(kind), "{what}");
    }
    let mut failures = Vec::new();
    for (what, bytes, sentence) in [
        ("nothing", &b""[..], "x: it has 0 bytes; expected the ground truth (test.json) or a zip of prediction files."),
        (
            "7z",
            b"7z\xbc\xaf\x27\x1c",
            "x: it is a 7z archive; expected a zip of prediction files; pack the folder as .zip.",
        ),
        ("UTF-16", b"\xff\xfe[\0", "x: it is UTF-16 text; expected UTF-8; save it again as UTF-8."),
        (
            "a picture",
            b"\x89PNG\r\n",
            "x: it is a PNG picture; expected the ground truth (test.json) or a zip of prediction files.",
        ),
        (
            "a page",
            b"\n<!doctype html>",
            "x: it is a web page or XML; expected the ground truth (test.json) or a zip of prediction files; download the file itself.",
        ),
        (
            "predictions for one image",
            FOUND.as_bytes(),
            "x: it holds the predictions for one image; expected a zip with one such file an image; pack the folder as .zip.",
        ),
    ] {
        let ours = identify("x", bytes).expect_err("a mistake").to_string();
        check(&mut failures, what, &ours, sentence);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// FIPS 180-4's own examples.
#[test]
fn digests_are_sha_256() {
    assert_eq!(froc::input::sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let zip = zip_of(&files());
    let report = score_zip(&zip);
    assert_eq!(report.runs[0].sha256, Some(froc::input::sha256(&zip)));
    assert_eq!(report.ground_truth.sha256, froc::input::sha256(GROUND_TRUTH));
}

#[test]
fn progress_rises_to_the_whole_and_can_end_reading() {
    let zip = zip_of(&files());
    let mut seen = Vec::new();
    let all = froc::read_predictions("model.zip", Cursor::new(&zip), &mut |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(all.map(|predictions| predictions.detections().len()), Ok(2));
    assert!(seen.iter().all(|progress| progress.done <= progress.total));
    for stage in [Stage::Reading, Stage::Hashing] {
        let done: Vec<u64> =
            seen.iter().filter(|progress| progress.stage == stage).map(|progress| progress.done).collect();
        assert!(!done.is_empty() && done.is_sorted(), "{stage:?} {done:?}");
    }
    for enough in 0..seen.len() {
        let mut left = enough;
        let ended = froc::read_predictions("model.zip", Cursor::new(&zip), &mut |_| {
            left = left.wrapping_sub(1);
            if left == usize::MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let sentence = ended.map(|_| ()).expect_err("ended").to_string();
        assert_eq!(sentence, "model.zip: reading was cancelled; expected to be read to the end.");
    }
}

#[test]
fn options_out_of_range_end_in_one_sentence() {
    let iou = |there: &str| format!("IoU threshold: there is {there}; expected a number from 0 to 1, such as 0.5.");
    let rates = |there: &str| {
        format!("False positives per image: there is {there}; expected rising numbers above 0, such as 0.05, 0.1, 0.2.")
    };
    for (typed, there) in [("1.01", "1.01"), ("-0.1", "-0.1"), ("half", "half"), ("NaN", "NaN"), ("", "nothing")] {
        assert_eq!(Options::parse(typed, "0.1").expect_err(typed).to_string(), iou(there));
    }
    for (typed, there) in [
        ("", "nothing"),
        ("0", "0"),
        ("-1", "-1"),
        ("0.2, 0.1", "0.2, 0.1"),
        ("0.1, 0.1", "0.1, 0.1"),
        ("inf", "inf"),
        ("NaN", "NaN"),
        ("0.1, many", "0.1, many"),
    ] {
        assert_eq!(Options::parse("0.5", typed).expect_err(typed).to_string(), rates(there));
    }
    for iou_threshold in [f64::MIN_POSITIVE, 1.0] {
        assert!(Options::new(iou_threshold, vec![f64::MIN_POSITIVE, 1e300]).is_ok());
    }
    assert_eq!(
        Options::parse("0", "0.1").expect_err("0").to_string(),
        "IoU threshold: there is 0; expected a number above 0, such as 0.5: at 0 every box would find any lesion of its image."
    );
}

#[test]
fn a_comma_is_a_decimal_point_where_nothing_else_makes_sense_and_is_asked_about_where_both_do() {
    let rates = |typed: &str| Options::parse("0.5", typed).map(|options| options.fp_per_image().to_vec());
    for (typed, read) in [
        ("0.05,0.1,0.2", vec![0.05, 0.1, 0.2]),
        ("0.05 0.1\t0.2", vec![0.05, 0.1, 0.2]),
        ("0,05; 0,1", vec![0.05, 0.1]),
        ("0,05 0,1", vec![0.05, 0.1]),
        ("0,05, 0,1", vec![0.05, 0.1]),
        ("0,05", vec![0.05]),
        ("1, 5", vec![1.0, 5.0]),
        ("1; 5", vec![1.0, 5.0]),
        ("1,2,4", vec![1.0, 2.0, 4.0]),
        ("1.5", vec![1.5]),
    ] {
        assert_eq!(rates(typed).expect(typed), read, "{typed}");
    }
    assert_eq!(
        rates("1,5").expect_err("either").to_string(),
        "False positives per image: there is 1,5; expected 1.5 or 1; 5: a comma may stand for a decimal point, or between two rates."
    );
    assert_eq!(Options::parse("0,5", "0.1").expect("0.5").iou_threshold(), 0.5);
}

// --- nothing panics ---

/// Every way that bytes go through the crate; what comes out does not matter here, but that something does.
fn go_through(ground_truth: &[u8], zip: &[u8]) {
    let _ = identify("x.json", ground_truth);
    let _ = identify("x.zip", zip);
    if let Ok((ground_truth, run)) = read(ground_truth, zip) {
        let report = froc::evaluate(&ground_truth, &[&run], &Options::default());
        let _ = froc::render::table(&report);
        let _ = froc::render::json(&report);
    }
}

/// Bytes with some of them changed, left out or doubled.
fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..5_u8, any::<u8>());
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut bytes = bytes.clone();
        for (at, change, with) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match change {
                0 => bytes[at] ^= 1 << (with % 8),
                1 => bytes[at] = with,
                2 => bytes.truncate(at),
                3 => drop(bytes.remove(at)),
                _ => bytes.insert(at, with),
            }
        }
        bytes
    })
}

/// Text that looks like JSON to begin with.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"Nodule\"",
        "\"nodule\"",
        "\"file_name\"",
        "\"1.png\"",
        "\"syms\"",
        "\"boxes\"",
        "0",
        "-1",
        "1e38",
        "3.4e38",
        "-3.4e38",
        "1e-45",
        "null",
        "true",
        "\"\\ud800\"",
        " ",
        "[0, 0, 9, 9]",
        "[9, 9, 0, 0, 1]",
    ]);
    prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(same_cases_every_time(1500))]

    #[test]
    fn random_bytes_do_not_panic(ground_truth in prop::collection::vec(any::<u8>(), 0..200), zip in prop::collection::vec(any::<u8>(), 0..200)) {
        go_through(&ground_truth, &zip);
        go_through(GROUND_TRUTH, &[b"PK\x03\x04", zip.as_slice()].concat());
        go_through(GROUND_TRUTH, &zip_of(&[("1.json", zip)]));
    }

    #[test]
    fn random_json_does_not_panic(ground_truth in json_like(), predictions in json_like()) {
        go_through(&ground_truth, &zip_of(&files()));
        go_through(GROUND_TRUTH, &stored_zip_of(&[("1.json", predictions)]));
    }

    #[test]
    fn a_damaged_ground_truth_does_not_panic(ground_truth in damaged(GROUND_TRUTH.to_vec())) {
        go_through(&ground_truth, &zip_of(&files()));
    }

    #[test]
    fn a_damaged_prediction_file_does_not_panic(text in damaged(FOUND.as_bytes().to_vec())) {
        go_through(GROUND_TRUTH, &stored_zip_of(&[("1.json", text)]));
    }

    #[test]
    fn a_damaged_zip_does_not_panic(zip in prop_oneof![
        damaged(zip_of(&files())), damaged(stored_zip_of(&files())), damaged(zip64()), damaged(streamed()), damaged(name_twice())
    ]) {
        go_through(GROUND_TRUTH, &zip);
    }

    /// Boxes of any finite corners, inverted ones too, and scores of any size.
    #[test]
    fn any_finite_numbers_are_scored_or_refused(lesion in prop::array::uniform4(any::<f32>()), detection in prop::array::uniform5(any::<f32>())) {
        let ground_truth = serde_json::json!([{ "file_name": "1.png", "syms": ["Nodule"], "boxes": [lesion] }]);
        let predictions = serde_json::json!([{ "Nodule": detection }]);
        go_through(ground_truth.to_string().as_bytes(), &zip_of(&[("1.json", predictions.to_string())]));
    }
}
