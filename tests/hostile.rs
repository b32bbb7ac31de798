//! Files that are broken, or made to do harm: each ends in one sentence, none in a panic, an endless wait or a full memory.
//!
//! What is wrong with ordinary files is in `input.rs`, what scores low in `doctor.rs`.

#[path = "fuzz/drivers.rs"]
mod drivers;

use crate::support;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use froc::Options;
use froc::input::identify;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::support::{read, read_ground_truth, score, stored_zip_of, zip_of, zip_with};

const GROUND_TRUTH: &[u8] = br#"[
    {"file_name": "1.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]},
    {"file_name": "2.png", "syms": ["Nodule"], "boxes": [[10, 10, 29, 29]]}
]"#;
const FOUND: &str = r#"[{"Nodule": [10, 10, 29, 29, 0.9]}]"#;
const FOUND_ENTRY: &str = r#"{"Nodule": [10, 10, 29, 29, 0.9]}"#;

/// What a zip ends in.
fn sentences(zip: &[u8]) -> String {
    read(GROUND_TRUTH, zip).map(|_| ()).expect_err("a mistake").join(" | ")
}

/// What the text of one prediction file ends in.
fn sentence_of(text: impl AsRef<[u8]>) -> String {
    sentences(&stored_zip_of(&[("1.json", text.as_ref())]))
}

fn true_positives(zip: &[u8]) -> usize {
    let report = score(GROUND_TRUTH, zip, &Options::default()).unwrap_or_else(|sentences| panic!("{sentences:?}"));
    report.runs[0].classes[3].true_positives
}

fn two() -> Vec<u8> {
    stored_zip_of(&[("1.json", FOUND), ("2.json", FOUND)])
}

/// Places where a header of that kind starts.
fn headers(zip: &[u8], signature: &[u8]) -> Vec<usize> {
    (0..zip.len()).filter(|at| zip[*at..].starts_with(signature)).collect()
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";

/// Overwrites a field in every local header and in every entry of the list (APPNOTE.TXT, sections 4.3.7 and 4.3.12).
fn with_field(zip: &[u8], in_local: usize, in_central: usize, value: &[u8]) -> Vec<u8> {
    let mut zip = zip.to_vec();
    for (signature, offset) in [(LOCAL, in_local), (CENTRAL, in_central)] {
        for at in headers(&zip, signature) {
            zip[at + offset..at + offset + value.len()].copy_from_slice(value);
        }
    }
    zip
}

const ORDINARY: &str = "an ordinary zip of prediction files; this is how zip bombs are made, so pack the folder again";
const WHOLE: &str = "a whole zip; copy or download it again, or pack the folder again";
const PACKED: &str = "a zip of prediction files, stored or deflated; pack the folder again as an ordinary zip";

// --- zips ---

#[test]
fn a_bomb_by_ratio() {
    let zip = zip_of(&[("1.json", vec![b' '; 17 << 20]), ("2.json", FOUND.into())]);
    assert!(zip.len() < 100_000);
    assert_eq!(
        sentences(&zip),
        "model.zip, 1.json: it inflates to more than 250 times its size, as zip bombs do; expected the predictions for \
         one image, a few kilobytes."
    );
}

#[test]
fn a_file_of_more_than_256_mib() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.start_file("1.json", stored).expect("a file's name");
    let blank = vec![b' '; 1 << 20];
    for _ in 0..257 {
        writer.write_all(&blank).expect("memory");
    }
    assert_eq!(
        sentences(&writer.finish().expect("memory").into_inner()),
        "model.zip, 1.json: it inflates to more than 256 MiB; expected the predictions for one image, a few kilobytes."
    );
}

#[test]
fn a_bomb_by_total() {
    let blank = vec![b' '; 15 << 20];
    let entries: Vec<(String, &[u8])> = (0..20).map(|n| (format!("{n}.json"), blank.as_slice())).collect();
    assert_eq!(
        sentences(&zip_of(&entries)),
        format!("model.zip: its files inflate to more than 250 times their size; expected {ORDINARY}.")
    );
}

#[test]
fn a_bomb_by_nesting_is_not_unpacked() {
    let inner = zip_of(&[("1.json", FOUND)]);
    assert_eq!(
        sentences(&zip_of(&[("a/inner.zip", inner.as_slice())])),
        "model.zip: it holds a zip (\"a/inner.zip\") and no .json file; expected one .json file an image; unpack it once \
         and take the zip inside."
    );
    // Beside prediction files it is passed over like any other file.
    assert_eq!(true_positives(&zip_of(&[("1.json", FOUND.as_bytes()), ("inner.zip", inner.as_slice())])), 1);
}

#[test]
fn sizes_that_lie() {
    let zip = stored_zip_of(&[("1.json", FOUND)]);
    let n = FOUND.len();
    let says = |inflated: u32| with_field(&zip_of(&[("1.json", FOUND)]), 22, 24, &inflated.to_le_bytes());
    for inflated in [0, n as u32 - 1] {
        assert_eq!(
            sentences(&says(inflated)),
            format!(
                "model.zip, 1.json: it has more bytes than the zip says ({inflated}); expected a sound zip; pack the folder \
                 again."
            )
        );
    }
    for inflated in [n as u32 + 1, u32::MAX - 1] {
        assert_eq!(
            sentences(&says(inflated)),
            format!(
                "model.zip, 1.json: it has {n} bytes, but the zip says {inflated}; expected a sound zip; pack the folder \
                 again."
            )
        );
    }
    // A stored size that is too small leaves part of the file out, which the checksum shows.
    let short = with_field(&zip, 18, 20, &5_u32.to_le_bytes());
    assert_eq!(
        sentences(&short),
        format!("model.zip, 1.json: its checksum is wrong: bytes were changed since it was packed; expected {WHOLE}.")
    );
    // One that is too large reaches into the next entry.
    let long = with_field(&two(), 18, 20, &90_u32.to_le_bytes());
    assert_eq!(
        sentences(&long),
        format!("model.zip: its entries \"1.json\" and \"2.json\" share bytes; expected {ORDINARY}.")
    );
}

#[test]
fn entries_that_overlap() {
    // Both entries of the list point to the first file, as in a bomb without nesting.
    let mut zip = two();
    let second = headers(&zip, CENTRAL)[1];
    zip[second + 42..second + 46].copy_from_slice(&[0; 4]);
    assert_eq!(
        sentences(&zip),
        format!("model.zip: its entries \"1.json\" and \"2.json\" share bytes; expected {ORDINARY}.")
    );
}

#[test]
fn encrypted_entries() {
    let expected =
        "model.zip, 1.json: it is encrypted; expected a file without a password; pack the folder again without one.";
    let zip = with_field(&stored_zip_of(&[("1.json", FOUND)]), 6, 8, &[1]);
    assert_eq!(sentences(&zip), expected);
    // AES is flagged so too.
    assert_eq!(sentences(&with_field(&zip, 8, 10, &[99])), expected);
}

#[test]
fn other_compression_methods_are_named() {
    for (method, name) in [
        (1, "Shrink"),
        (5, "Reduce"),
        (6, "Implode"),
        (9, "Deflate64 (Windows does so above 2 GB)"),
        (12, "bzip2"),
        (14, "LZMA"),
        (93, "Zstandard"),
        (95, "xz"),
        (98, "PPMd"),
        (77, "a method that is not known"),
    ] {
        let zip = with_field(&stored_zip_of(&[("1.json", FOUND)]), 8, 10, &[method]);
        assert_eq!(sentences(&zip), format!("model.zip, 1.json: it is compressed by {name}; expected {PACKED}."));
    }
}

#[test]
fn cut_short_anywhere() {
    let expected = format!(
        "model.zip: it is no zip, or cut short: the list of entries, which ends a zip, is missing; expected {WHOLE}."
    );
    for zip in [two(), zip_of(&[("1.json", FOUND), ("2.json", FOUND)])] {
        let end = headers(&zip, b"PK\x05\x06")[0];
        for length in 4..end + 4 {
            assert_eq!(sentences(&zip[..length]), expected, "{length} of {} bytes", zip.len());
        }
        // Only the last bytes are missing, so the list of entries is not.
        for length in end + 4..zip.len() {
            assert!(sentences(&zip[..length]).starts_with("model.zip: its list of entries is damaged ("));
        }
        // Its beginning is missing.
        for length in 1..end {
            let sentence = sentences(&zip[length..]);
            assert!(
                sentence.starts_with("model.zip") && sentence.ends_with(&format!("expected {WHOLE}.")),
                "{sentence}"
            );
        }
    }
}

#[test]
fn wrong_checksums() {
    let mut zip = two();
    let first_score = zip.windows(3).position(|window| window == b"0.9").expect("a score");
    zip[first_score + 2] = b'8';
    assert_eq!(
        sentences(&zip),
        format!("model.zip, 1.json: its checksum is wrong: bytes were changed since it was packed; expected {WHOLE}.")
    );
}

#[test]
fn zip64_is_read() {
    let options = SimpleFileOptions::default().large_file(true);
    assert_eq!(true_positives(&zip_with(&[("1.json", FOUND), ("2.json", FOUND)], options)), 2);
}

#[test]
fn a_hundred_thousand_entries_are_read() {
    let mut entries: Vec<(String, &str)> = (3..100_001).map(|n| (format!("{n}.json"), "[]")).collect();
    entries.extend([("1.json".to_owned(), FOUND), ("2.json".to_owned(), FOUND)]);
    assert_eq!(entries.len(), 100_000);
    assert_eq!(true_positives(&stored_zip_of(&entries)), 2);
}

/// Nothing is written to a disk, so that no name can do harm; only the last part of a path counts.
#[test]
fn odd_names() {
    for prefix in
        ["../../../", "/", "//host/share/", "C:\\", "./../.", "a\\..\\", "\u{202e}/", "a//b///", " /", "\u{1b}[31m/"]
    {
        let name = format!("{prefix}1.json");
        let is_hidden = prefix.ends_with('.');
        let zip = stored_zip_of(&[(name.as_str(), FOUND), ("2.json", FOUND)]);
        assert_eq!(true_positives(&zip), if is_hidden { 1 } else { 2 }, "{prefix:?}");
    }
    // Not UTF-8, which no writer makes.
    let zip = stored_zip_of(&[("zz/1.json", FOUND), ("2.json", FOUND)]);
    let raw: Vec<u8> = zip.iter().map(|byte| if *byte == b'z' { 0xff } else { *byte }).collect();
    assert_eq!(true_positives(&raw), 2);
    // Without a name at all.
    assert_eq!(true_positives(&stored_zip_of(&[("", FOUND), ("1.json", FOUND)])), 1);
    assert_eq!(
        sentences(&stored_zip_of(&[("", FOUND)])),
        "model.zip: none of its 1 entries holds predictions; expected one .json file an image, or predictions in .csv, .tsv, .txt files."
    );
}

#[test]
fn names_do_no_harm_in_a_sentence_or_a_terminal() {
    let zip = zip_of(&[("\u{1b}[31m\n\u{202e}/1.json", "[")]);
    assert_eq!(
        sentences(&zip),
        r#"model.zip, \u{1b}[31m\n\u{202e}/1.json, entry 1, line 1, column 1: the JSON ends in the middle; expected a list of entries {"Nodule": [x1, y1, x2, y2, score]}; the file was cut short, so write it again."#
    );
    let long = format!("{}/1.json", "a".repeat(60_000));
    assert!(sentences(&zip_of(&[(long.as_str(), "[")])).chars().count() < 1000);
    let report = score(GROUND_TRUTH, &zip_of(&[("\u{1b}[31m\n3.json", "[]"), ("1.json", FOUND)]), &Options::default());
    let text = froc::render::table(&report.expect("files in order"));
    assert!(!text.contains('\u{1b}') && text.contains(r"\u{1b}[31m\n3.json"), "{text}");
}

#[test]
fn one_folder_per_run_is_told_and_offered() {
    let zip = zip_of(&[("good/1.json", FOUND), ("good/2.json", FOUND), ("bad/1.json", "[]"), ("bad/2.json", "[]")]);
    let truth = read_ground_truth(GROUND_TRUTH).expect("a ground truth in order");
    let predictions = support::read_predictions(&zip).expect("a zip in order");
    let refusal =
        froc::prepare(&truth, &predictions.into(), &froc::Reading::default()).map(|_| ()).expect_err("doubles");
    let offers: Vec<(&str, String)> =
        refusal.remedies.iter().map(|remedy| (remedy.label.as_str(), remedy.reading.flags())).collect();
    assert_eq!(offers, [("Score each of the 2 folders as a run", "--folders-apart".to_owned())]);
}

#[test]
fn what_is_no_zip_is_named() {
    let tar = [vec![0; 257], b"ustar\x0000".to_vec(), vec![0; 249]].concat();
    let zip_it = "a zip of prediction files; pack the folder as .zip";
    let both = "the ground truth (test.json) or a zip of prediction files";
    for (bytes, what, expected) in [
        (tar.as_slice(), "it is a tar archive", zip_it),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "it is a 7z archive", zip_it),
        (b"Rar!\x1a\x07\x01\0", "it is a RAR archive", zip_it),
        (b"BZh91AY", "it is a bzip2 file", zip_it),
        (b"\xfd7zXZ\0\0", "it is an xz file", zip_it),
        (b"\x28\xb5\x2f\xfd$", "it is a Zstandard file", zip_it),
        (b"LZIP\x01", "it is an lzip file", zip_it),
        (
            b"<!DOCTYPE html><html><title>Sign in</title>",
            "it is a web page or XML",
            "the ground truth (test.json) or a zip of prediction files; download the file itself",
        ),
        (b"%PDF-1.7", "it is a PDF document", both),
        (b"", "it has 0 bytes", both),
        (b"hello", "it does not start like a zip", "a zip of prediction files; download or pack it again"),
    ] {
        let sentence = identify("model.zip", bytes).map(|_| ()).expect_err(what).to_string();
        assert_eq!(sentence, format!("model.zip: {what}; expected {expected}."));
    }
}

// --- JSON ---

const ENTRIES: &str = r#"a list of entries {"Nodule": [x1, y1, x2, y2, score]}"#;
const RECORDS: &str = r#"a list of {"file_name", "syms", "boxes"}"#;

fn ground_truth_sentence(text: impl AsRef<[u8]>) -> String {
    read_ground_truth(text.as_ref()).map(|_| ()).expect_err("a mistake").to_string()
}

#[test]
fn nested_100_000_deep() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        sentence_of(format!("[{{\"x\": {deep}")),
        format!(
            "model.zip, 1.json, entry 1, line 1, column 100007: the JSON ends in the middle; expected {ENTRIES}; the file \
             was cut short, so write it again."
        )
    );
    // What is passed over is not read into, so that it may be nested as deep as it likes.
    let passed_over = format!("{deep}{}", "]".repeat(100_000));
    assert_eq!(true_positives(&zip_of(&[("1.json", format!(r#"[{{"x": {passed_over}}}, {FOUND_ENTRY}]"#))])), 1);
    let truth = format!(r#"[{{"x": {passed_over}, "file_name": "1.png", "syms": [], "boxes": []}}]"#);
    assert!(read_ground_truth(truth.as_bytes()).is_ok());
    assert_eq!(
        sentence_of(&deep),
        "model.zip, 1.json, entry 1: there is a list; expected an object {\"Nodule\": [x1, y1, x2, y2, score]}."
    );
}

/// A file of 2 GB ends at the limit (`a_file_of_more_than_256_mib`); shorter ones are read like any number.
#[test]
fn numbers_of_millions_of_digits() {
    let digits = "1".repeat(5_000_000);
    let zip = zip_with(
        &[("1.json", format!(r#"[{{"Nodule": [10, 10, 29, 29, 0.{digits}]}}]"#))],
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored),
    );
    assert_eq!(true_positives(&zip), 1);
    assert_eq!(
        sentence_of(format!(r#"[{{"Nodule": [10, 10, 29, 29, {digits}]}}]"#)),
        format!(
            "model.zip, 1.json, entry 1, Nodule, line 1, column 5000029: there is a number too large for 64 bits; \
             expected {ENTRIES} with numbers below 3.4e38."
        )
    );
}

#[test]
fn of_equal_keys_the_last_one_counts_as_in_python() {
    let twice = r#"[{"Nodule": [0, 0, 1, 1, 0.1], "Nodule": [10, 10, 29, 29, 0.5]}]"#;
    assert_eq!(true_positives(&zip_of(&[("1.json", twice)])), 1);
    let truth = read_ground_truth(
        br#"[{"file_name": "0.png", "file_name": "1.png", "syms": ["Mass"], "syms": [], "boxes": [[0, 0, 9, 9]], "boxes": []}]"#,
    );
    assert_eq!(truth.expect("a ground truth in order").images().iter().collect::<Vec<_>>(), ["1.png"]);
}

#[test]
fn not_finite_as_python_writes_it() {
    for (word, column) in [("NaN", 30), ("Infinity", 30), ("-Infinity", 31)] {
        assert_eq!(
            sentence_of(format!(r#"[{{"Nodule": [10, 10, 29, 29, {word}]}}]"#)),
            format!(
                "model.zip, 1.json, entry 1, Nodule, line 1, column {column}: there is NaN or Infinity; expected {ENTRIES} \
                 with finite numbers; leave such boxes out."
            )
        );
    }
}

#[test]
fn utf_16_with_and_without_its_mark() {
    let sixteen = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    for text in [FOUND.to_owned(), format!("\u{feff}{FOUND}")] {
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let sentence = sentence_of(sixteen(&text, bytes));
            assert_eq!(
                sentence,
                format!(
                    "model.zip, 1.json, line 1, column 1: it is UTF-16 text; expected {ENTRIES} as UTF-8; save it again as UTF-8."
                )
            );
        }
    }
}

/// Python's `json` reads half a character; a name that has one is none that the script reads.
#[test]
fn half_characters() {
    for escape in ["\\ud800", "\\udc00", "\\ud800\\u0041"] {
        let zip = stored_zip_of(&[("1.json", format!(r#"[{{"{escape}": [10, 10, 29, 29, 0.9]}}, {FOUND_ENTRY}]"#))]);
        assert_eq!(true_positives(&zip), 1, "{escape}");
        let truth = format!(r#"[{{"file_name": "{escape}.png", "syms": [], "boxes": []}}]"#);
        assert_eq!(
            ground_truth_sentence(truth),
            format!(
                "test.json, record 1, file_name, line 1, column 17: there is half a character, such as \\ud800; expected \
                 {RECORDS}; write the names as plain UTF-8."
            )
        );
    }
}

/// What the script's `json.load` reads under a key that nobody asks for does no harm here either.
#[test]
fn values_that_nobody_reads_may_be_anything_that_python_reads() {
    let digits = "7".repeat(400);
    for value in
        [digits.as_str(), "1e999", "NaN", "-Infinity", "[Infinity, 1e400]", r#""\ud800""#, r#"{"\udc00": NaN}"#]
    {
        let zip = stored_zip_of(&[("1.json", format!(r#"[{{"note": {value}}}, {FOUND_ENTRY}]"#))]);
        assert_eq!(true_positives(&zip), 1, "{value}");
        let truth = format!(r#"[{{"note": {value}, "file_name": "1.png", "syms": [], "boxes": []}}]"#);
        assert!(read_ground_truth(truth.as_bytes()).is_ok(), "{value}");
    }
    // What no JSON is, is none there either.
    for (value, what) in
        [("1.", "a digit"), ("nan", "a value"), (r#""\x""#, "an escape of JSON"), ("[1 2]", "`,` or `]`")]
    {
        let sentence = sentence_of(format!(r#"[{{"note": {value}}}]"#));
        assert!(sentence.ends_with(&format!(": it is not JSON (expected {what}); expected {ENTRIES}.")), "{sentence}");
    }
}

/// Python opens text as UTF-8.
#[test]
fn text_that_is_no_utf_8_is_refused_wherever_it_stands() {
    let entry = [b"[{\"note\": \"".as_slice(), b"\xe9", b"\"}]"].concat();
    assert_eq!(
        sentence_of(&entry),
        format!(
            "model.zip, 1.json, line 1, column 12: it is not UTF-8 text; expected {ENTRIES} as UTF-8; save it again as UTF-8."
        )
    );
    let truth =
        [b"[{\"note\": \"".as_slice(), b"\xe9", br#"", "file_name": "1.png", "syms": [], "boxes": []}]"#].concat();
    assert!(ground_truth_sentence(truth).contains("it is not UTF-8 text"));
}

#[test]
fn commas_too_many() {
    for (text, place) in [
        (r#"[{"Nodule": [10, 10, 29, 29, 0.9]},]"#, "entry 2, line 1, column 36"),
        (r#"[{"Nodule": [10, 10, 29, 29, 0.9],}]"#, "entry 1, line 1, column 35"),
    ] {
        assert_eq!(
            sentence_of(text),
            format!(
                "model.zip, 1.json, {place}: a comma stands before the closing bracket; expected {ENTRIES}; remove the \
                 comma."
            )
        );
    }
}

#[test]
fn an_object_instead_of_a_list_and_json_lines() {
    let object = r#"{"Nodule": [10, 10, 29, 29, 0.9]}"#;
    assert_eq!(
        sentence_of(object),
        format!("model.zip, 1.json: there is one object; expected {ENTRIES}; put [ before it and ] after it.")
    );
    assert_eq!(
        sentence_of(format!("{object}\n{object}\n")),
        format!(
            "model.zip, 1.json: there are several objects, one after the other (JSON Lines); expected {ENTRIES}; put [ \
             before the first, commas between them and ] after the last."
        )
    );
    assert_eq!(
        ground_truth_sentence("{}\n{}\n"),
        format!(
            "test.json: there are several objects, one after the other (JSON Lines); expected {RECORDS}; put [ before the \
             first, commas between them and ] after the last."
        )
    );
    assert_eq!(
        sentence_of(format!("{FOUND}\n{FOUND}\n")),
        format!(
            "model.zip, 1.json, line 2, column 1: there is more after the end of the list; expected {ENTRIES}, \
             and nothing after it."
        )
    );
}

#[test]
fn a_dictionary_as_python_prints_it() {
    assert_eq!(
        sentence_of("[{'Nodule': [10, 10, 29, 29, 0.9]}]"),
        format!(
            "model.zip, 1.json, entry 1, line 1, column 3: names stand in single quotes; expected {ENTRIES}; write it with \
             json.dump, not with print or str."
        )
    );
}

// --- memory ---

#[test]
fn an_image_of_too_many_pairs_of_boxes_and_lesions() {
    let n = 14_200_u32;
    let boxes = vec!["[0,0,9,9]"; n as usize].join(",");
    let syms = vec!["\"Nodule\""; n as usize].join(",");
    let truth = format!(r#"[{{"file_name":"1.png","syms":[{syms}],"boxes":[{boxes}]}}]"#);
    let detections = vec![r#"{"Nodule":[0,0,9,9,0.5]}"#; n as usize].join(",");
    let zip = zip_of(&[("1.json", format!("[{detections}]"))]);
    assert!(u64::from(n).pow(2) > froc::limits::MAX_PAIRS_OF_IMAGE);
    assert_eq!(
        read(truth.as_bytes(), &zip).expect_err("too many"),
        [
            "model.zip, 1.json: it has 14200 boxes, and its image 14200 lesions; expected fewer; keep the boxes with the highest scores."
        ]
    );
}

#[test]
fn an_image_of_too_many_lesions() {
    let n = froc::limits::MAX_LESIONS_OF_IMAGE + 1;
    let syms = vec!["\"Mass\""; n].join(",");
    assert_eq!(
        ground_truth_sentence(format!(r#"[{{"file_name": "1.png", "syms": [{syms}], "boxes": []}}]"#)),
        "test.json, record 1, syms: the image has more than 100000 lesions; expected the lesions of one image."
    );
    let boxes = vec!["[0,0,9,9]"; n].join(",");
    assert_eq!(
        ground_truth_sentence(format!(r#"[{{"file_name": "1.png", "syms": [], "boxes": [{boxes}]}}]"#)),
        "test.json, record 1, box 100001: the image has more than 100000 lesions; expected the lesions of one image."
    );
}

/// The program in so little memory that the columns of 4 million boxes do not fit.
#[cfg(target_os = "linux")]
#[test]
fn a_run_too_large_for_the_memory_ends_in_a_sentence() {
    let folder = support::scratch("out-of-memory");
    let mut text = String::from("[");
    for n in 0..100_000 {
        let _ = write!(text, "{}{{\"Nodule\":[0,0,9,9,0.{n:05}1]}}", if n == 0 { "" } else { "," });
    }
    text.push(']');
    let entries: Vec<(String, &str)> = (1..=40).map(|n| (format!("{n}.json"), text.as_str())).collect();
    fs::write(folder.join("model.zip"), zip_of(&entries)).expect("a scratch file");
    // All files count.
    let images: Vec<String> = (1..=40).map(|n| format!("{n}.png")).collect();
    let truth = support::ground_truth_json(images.iter().map(|image| (image.as_str(), &[][..])));
    fs::write(folder.join("test.json"), truth).expect("a scratch file");
    // On one thread it is always the columns for which there is no memory.
    let run = |kilobytes: &str| {
        let script = format!(
            "ulimit -v {kilobytes}; RAYON_NUM_THREADS=1 exec \"$0\" score --ground-truth test.json --predictions model.zip"
        );
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_froc")]).current_dir(&folder).output().expect("a shell")
    };
    let output = run("90000");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "with it the boxes do not fit into the memory that there is; expected fewer boxes; close other \
                    programs, leave out boxes with the lowest scores, or use froc in the terminal.";
    assert!(said.starts_with("model.zip, ") && said.trim_end().ends_with(expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(run("unlimited").status.code(), Some(0));
}

// --- the corpus of the fuzz targets ---

fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

/// The names of what is in a folder, sorted.
fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a folder that can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_entry_of_the_corpus_goes_through_every_target() {
    let folders = listed(&corpus_folder());
    let mut targets = drivers::TARGETS.map(|(name, _)| name);
    targets.sort_unstable();
    assert_eq!(folders, targets);
    for folder in folders {
        let names = listed(&corpus_folder().join(&folder));
        assert!(!names.is_empty(), "{folder} is empty");
        for name in names {
            let bytes = fs::read(corpus_folder().join(&folder).join(&name)).expect("a file");
            for (target, drive) in drivers::TARGETS {
                println!("{folder}/{name} through {target}");
                drive(&bytes);
            }
        }
    }
}

/// What a cancelled reading leaves behind is nothing.
#[test]
fn reading_a_bomb_can_be_cancelled() {
    let blank = vec![b' '; 15 << 20];
    let entries: Vec<(String, &[u8])> = (0..20).map(|n| (format!("{n}.json"), blank.as_slice())).collect();
    let mut calls = 0;
    let ended = froc::read_predictions("model.zip", Cursor::new(zip_of(&entries)), &mut |_| {
        calls += 1;
        if calls > 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(
        ended.map(|_| ()).expect_err("ended").to_string(),
        "model.zip: reading was cancelled; expected to be read to the end."
    );
}

/// Code acts on the kind of an error, never on its sentence.
#[test]
fn errors_are_told_apart_by_kind() {
    use froc::ErrorKind::{Cancelled, Data, Io, Option, TooLarge};

    /// A file that cannot be read.
    struct Lost;
    impl std::io::Read for Lost {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    impl std::io::Seek for Lost {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let kind_of = |zip: &[u8], flow| {
        let read = froc::read_predictions("model.zip", Cursor::new(zip), &mut |_| flow);
        let error = match read {
            Err(error) => error,
            Ok(predictions) => predictions.files().iter().find_map(|file| file.detections.err()).expect("one").clone(),
        };
        error.kind()
    };
    assert_eq!(kind_of(&two(), ControlFlow::Break(())), Cancelled);
    assert_eq!(kind_of(b"PK\x03\x04", ControlFlow::Continue(())), Data);
    assert_eq!(kind_of(&zip_of(&[("1.json", vec![b' '; 17 << 20])]), ControlFlow::Continue(())), TooLarge);
    let lost = froc::read_predictions("model.zip", Lost, &mut |_| ControlFlow::Continue(()));
    assert_eq!(lost.map(|_| ()).expect_err("lost").kind(), Io);
    assert_eq!(froc::input::load_ground_truth("test.json", Lost).expect_err("lost").kind(), Io);
    assert_eq!(read_ground_truth(b"{}").map(|_| ()).expect_err("no list").kind(), Data);
    assert_eq!(Options::parse("2", "0.1").expect_err("above 1").kind(), Option);
}

/// More boxes of one class in an image than are compared, and more readers than there are: a score all the same, or one sentence.
#[test]
fn readers_beyond_all_limits() {
    use froc::dataset::Readers;

    let header = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n";
    let rows = |n: usize, reader: &dyn Fn(usize) -> String| {
        (0..n).fold(header.to_owned(), |text, at| text + &format!("1,{},Nodule,10,10,20,20\n", reader(at)))
    };
    let read = |text: &str| froc::read_ground_truth("t.csv", text.as_bytes());
    let many = read(&rows(2001, &|at| format!("R{}", at % 2))).expect("a table");
    let readers = many.readers().expect("two readers");
    assert_eq!((readers.readers(), many.n_all_lesions()), (&Readers::All, 2001));
    let error = many.of_readers(Some(&Readers::Agreed)).expect_err("too many");
    assert_eq!(
        error.to_string(),
        "t.csv: \"1\" has 2001 boxes of class Nodule; expected at most 2000 among which readers may agree."
    );
    // As many as are compared, all on one place: the first boxes of both readers, then the second ones.
    let most = read(&rows(2000, &|at| format!("R{}", at % 2))).expect("a table");
    assert_eq!(most.n_all_lesions(), 1000);
    let error = read(&rows(10_001, &|at| format!("R{at}"))).expect_err("too many");
    assert_eq!(
        error.to_string(),
        "t.csv: it names more than 10000 readers; expected a column of readers with the same names for many boxes, or none."
    );
    // Names that would change what is shown are shown as they are written.
    let hidden = read(&format!("{header}1,\u{202e}a,Nodule,1,1,9,9\n1,b\u{200b},Nodule,1,1,9,9\n")).expect("a table");
    let one = hidden.of_readers(Some(&Readers::named("\u{202e}a"))).expect("a reader");
    let told = [one.readers().expect("readers").caption(), one.findings()[0].sentence.clone()];
    for text in told.iter().chain(&one.findings()[0].examples) {
        assert!(!text.contains(froc::printable::is_harmful), "{text}");
    }
    let error = hidden.of_readers(Some(&Readers::named("c"))).expect_err("nobody");
    assert!(!error.to_string().contains(froc::printable::is_harmful), "{error}");
}
