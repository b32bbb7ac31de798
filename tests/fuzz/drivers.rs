//! What is done with the bytes of each fuzz target, and with its corpus in every test run: nothing may panic, and every
//! error is one short sentence.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use froc::dataset::Readers;
use froc::input::attributes::Attributes;
use froc::input::identify;
use froc::input::labels::{LABELS, Labels};
use froc::printable::is_harmful;
use froc::reading::{FileNames, Folders, Layout, Scale};
use froc::slices::{By, Division};
use froc::{Error, GroundTruth, Groups, Options, Predictions, Reading};

/// What a target does with bytes.
pub type Drive = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Drive); 7] = [
    ("zip", zip),
    ("predictions", predictions),
    ("ground_truth", ground_truth),
    ("groups", groups),
    ("labels", labels),
    ("files", files),
    ("pipeline", pipeline),
];

const GROUND_TRUTH: &[u8] = br#"[
    {"file_name": "1.png", "syms": ["Nodule", "Mass"], "boxes": [[10, 10, 29, 29], [100, 100, 300, 250]]},
    {"file_name": "2.png", "syms": [], "boxes": []}
]"#;

/// Longer than any sentence that a person would read.
const LONGEST_SENTENCE: usize = 1500;

/// Any bytes as a zip of predictions.
pub fn zip(bytes: &[u8]) {
    let _ = checked(identify("x.zip", bytes));
    if let Ok(read) = read_zip(bytes) {
        score_in_all_ways(&truth(GROUND_TRUTH).expect("a ground truth in order"), read);
    }
}

/// Any bytes as the predictions for one image.
pub fn predictions(bytes: &[u8]) {
    let _ = checked(identify("1.json", bytes));
    let mut detections = froc::dataset::Detections::default();
    let read = froc::input::chestx_det::read(bytes, &mut detections);
    if checked(read.map(|_| ())).is_ok() {
        assert!(detections.len() <= bytes.len(), "more boxes than bytes");
        for at in 0..detections.len() {
            assert!(detections.score(at).is_finite(), "scores are finite");
        }
    }
}

/// Any bytes as a file of detections in any format: in a zip, and by itself if it is of all images.
pub fn files(bytes: &[u8]) {
    let truth = truth(GROUND_TRUTH).expect("a ground truth in order");
    for ending in [".json", ".csv", ".txt"] {
        let name = format!("1{ending}");
        let _ = checked(identify(&name, bytes));
        if let Ok(read) = checked(froc::input::read_predictions_of_all(&name, bytes)) {
            assert!(read.detections().len() <= bytes.len(), "more boxes than bytes");
            score_in_all_ways(&truth, read);
        }
        if let Ok(read) = read_zip(&stored_zip(&[(name, bytes)])) {
            score_in_all_ways(&truth, read);
        }
    }
}

/// Any bytes as the ground truth.
pub fn ground_truth(bytes: &[u8]) {
    let _ = checked(identify("test.json", bytes));
    let Ok(truth) = truth(bytes) else { return };
    // Whosever boxes are lesions, these are some of all.
    let all = truth.of_readers(Some(&Readers::All)).map_or(truth.n_all_lesions(), |all| all.n_all_lesions());
    let names = truth.readers().map_or(&[][..], |readers| readers.names());
    for readers in [Readers::Agreed].into_iter().chain(names.iter().take(3).map(|name| Readers::One(name.clone()))) {
        let chosen = checked(truth.of_readers(Some(&readers)));
        assert!(
            chosen.is_ok_and(|chosen| chosen.n_all_lesions() <= all) || names.is_empty() || readers == Readers::Agreed
        );
    }
}

/// Any bytes as the CSV of groups: each image is in one of the groups that are counted.
pub fn groups(bytes: &[u8]) {
    let truth = truth(GROUND_TRUTH).expect("a ground truth in order");
    if let Ok(attributes) = checked(Attributes::csv("groups.csv", bytes, &truth)) {
        for column in attributes.columns() {
            let values = checked(column.values());
            assert!(values.is_err() || values.is_ok_and(|values| values.of_image.len() == truth.n_images()));
        }
        for choice in Division::choices(&truth, Some(&attributes)) {
            let by = By::parse(&choice.by).expect("what is offered can be asked for");
            let division = Division::new(&by[0], &truth, Some(&attributes)).expect("it can be divided by");
            assert_eq!(
                (by.len(), division.slices().len(), division.name()),
                (1, choice.n_slices, choice.name.as_str())
            );
        }
    }
    if let Ok(groups) = checked(Groups::csv("groups.csv", bytes, &truth)) {
        assert_eq!(groups.of_image().len(), truth.n_images());
        assert!(groups.of_image().iter().all(|group| (*group as usize) < groups.sizes().len()));
    }
}

/// Any bytes as the lesions of one image in any format that has a file for each.
pub fn labels(bytes: &[u8]) {
    for format in LABELS {
        let mut labels = Labels::default();
        let path = format!("labels/1{}", format.endings[0]);
        let read = checked((format.read)(&path, bytes, &mut labels));
        if let Ok(truth) = read.and_then(|()| checked(labels.finish("labels.zip", String::new()))) {
            assert!(truth.n_images() <= 1);
            assert!(truth.n_all_lesions() <= bytes.len(), "more lesions than bytes");
        }
    }
}

/// The ground truth, a line with `=` signs, and the prediction files of image 1 and 2, all in one text: the JSON goes
/// through the whole pipeline without the fuzzer having to make a zip.
pub fn pipeline(bytes: &[u8]) {
    let mut parts = split(bytes, b"\n===\n");
    let Some(Ok(truth)) = parts.next().map(truth) else { return };
    let entries: Vec<(String, &[u8])> =
        parts.take(4).zip(1..).map(|(bytes, image)| (format!("{image}.json"), bytes)).collect();
    if let Ok(read) = read_zip(&stored_zip(&entries)) {
        score_in_all_ways(&truth, read);
    }
}

/// Reads, scores, draws and renders under several readings.
fn score_in_all_ways(truth: &GroundTruth, predictions: Predictions) {
    let predictions = Arc::new(predictions);
    let otherwise = Reading {
        boxes: Layout::Xywh,
        score_first: true,
        scale: Scale::Each([1024.0, 512.0]),
        offset: [-64.0, 32.0],
        class_names: [("NODULE".to_owned(), "Nodule".to_owned())].into(),
        file_names: FileNames::Loose,
        leave_out_unreadable: true,
        accept_text_numbers: true,
        folders: Folders::Apart,
        nms: Some(0.5),
        together_with: Vec::new(),
        fused: None,
    };
    let any_corners = Reading { boxes: Layout::AnyCorners, ..Reading::default() };
    let options = Options::default();
    for reading in [Reading::default(), otherwise, any_corners] {
        match froc::prepare(truth, &predictions, &reading) {
            Ok(prepared) => {
                let parts: Vec<&froc::Prepared> = prepared.iter().collect();
                let fused = checked(froc::fusion::fuse(truth, &parts, 0.0)).ok();
                let runs: Vec<&froc::Run> = prepared.iter().chain(&fused).map(|prepared| &prepared.run).collect();
                let report = froc::evaluate(truth, &runs, &options);
                let _ = checked(froc::render::json(&report));
                for run in &report.runs {
                    for class in &run.classes {
                        for recall in class.exact.recall.iter().copied().flatten() {
                            assert!((0.0..=1.0).contains(&recall), "a recall is a fraction");
                        }
                    }
                }
            }
            Err(refusal) => refusal.errors.into_iter().for_each(|error| check(&error)),
        }
    }
}

fn read_zip(bytes: &[u8]) -> Result<Predictions, Error> {
    checked(froc::read_predictions("model.zip", Cursor::new(bytes), &mut |_| ControlFlow::Continue(())))
}

fn truth(bytes: &[u8]) -> Result<GroundTruth, Error> {
    checked(froc::read_ground_truth("test.json", bytes))
}

fn checked<T>(result: Result<T, Error>) -> Result<T, Error> {
    result.inspect_err(check)
}

fn check(error: &Error) {
    let sentence = error.to_string();
    assert!(sentence.len() <= LONGEST_SENTENCE, "{} bytes: {sentence}", sentence.len());
    assert!(sentence.ends_with('.') && !sentence.contains(is_harmful), "{sentence:?}");
}

fn split<'a>(bytes: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let at = bytes.windows(separator.len()).position(|window| window == separator);
        rest = at.map(|at| &bytes[at + separator.len()..]);
        Some(at.map_or(bytes, |at| &bytes[..at]))
    })
}

/// A zip of stored entries, made by hand: the fuzzer's crate has no writer of zips.
fn stored_zip(entries: &[(String, &[u8])]) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in entries {
        let size = (bytes.len() as u32).to_le_bytes();
        let name_size = (name.len() as u16).to_le_bytes();
        // Version 2.0, no flags, stored, midnight of 1980-01-01.
        let mut header = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0];
        header.extend(crc32(bytes).to_le_bytes());
        header.extend([size, size].concat());
        header.extend([name_size, [0, 0]].concat());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&header);
        // No comment, disk 0, no attributes.
        directory.extend([0; 10]);
        directory.extend((zip.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        zip.extend(b"PK\x03\x04");
        zip.extend(&header);
        zip.extend(name.as_bytes());
        zip.extend(*bytes);
    }
    let count = (entries.len() as u16).to_le_bytes();
    let (size, start) = ((directory.len() as u32).to_le_bytes(), (zip.len() as u32).to_le_bytes());
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count, count].concat());
    zip.extend([size, start].concat());
    zip.extend([0, 0]);
    zip
}

/// The checksum of zips, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}
