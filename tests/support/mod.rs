//! What several tests need: zips built in code, bytes in and report out; the golden cases; made-up detectors.
// Each test is a crate of its own and uses its own part of this file.
#![allow(dead_code)]

pub mod cases;
pub mod made_up;

use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use froc::report::Report;
use froc::{Error, GroundTruth, Options, Predictions, Run};
use proptest::test_runner::{Config, RngSeed};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The classes in the official order, typed from the specification and not taken from the crate.
pub const CLASSES: [&str; 10] = [
    "Consolidation",
    "Fibrosis",
    "Effusion",
    "Nodule",
    "Mass",
    "Emphysema",
    "Calcification",
    "Atelectasis",
    "Fracture",
    "Pneumothorax",
];

/// A zip of deflated entries, in the order given.
pub fn zip_of<N: AsRef<str>, B: AsRef<[u8]>>(entries: &[(N, B)]) -> Vec<u8> {
    zip_with(entries, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))
}

/// A zip of stored entries, in the order given.
pub fn stored_zip_of<N: AsRef<str>, B: AsRef<[u8]>>(entries: &[(N, B)]) -> Vec<u8> {
    zip_with(entries, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))
}

/// A zip in which every entry is written with the same options; a name that ends with `/` becomes a folder.
pub fn zip_with<N: AsRef<str>, B: AsRef<[u8]>>(entries: &[(N, B)], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.as_ref().ends_with('/') {
            writer.add_directory(name.as_ref(), options).expect("a folder's name");
        } else {
            writer.start_file(name.as_ref(), options).expect("a file's name");
            writer.write_all(bytes.as_ref()).expect("memory");
        }
    }
    writer.finish().expect("memory").into_inner()
}

pub fn read_ground_truth(bytes: &[u8]) -> Result<GroundTruth, Error> {
    froc::read_ground_truth("test.json", bytes)
}

pub fn read_predictions(zip: &[u8]) -> Result<Predictions, Error> {
    froc::read_predictions("model.zip", Cursor::new(zip), &mut |_| ControlFlow::Continue(()))
}

/// Bytes in, joined run out; every error on the way is one sentence.
pub fn read(ground_truth: &[u8], zip: &[u8]) -> Result<(GroundTruth, Run), Vec<String>> {
    let one = |error: Error| vec![error.to_string()];
    let ground_truth = read_ground_truth(ground_truth).map_err(one)?;
    let predictions = read_predictions(zip).map_err(one)?;
    let run = Run::new(&ground_truth, &predictions)
        .map_err(|errors| errors.iter().map(Error::to_string).collect::<Vec<_>>())?;
    Ok((ground_truth, run))
}

/// Bytes in, report out.
pub fn score(ground_truth: &[u8], zip: &[u8], options: &Options) -> Result<Report, Vec<String>> {
    let (ground_truth, run) = read(ground_truth, zip)?;
    Ok(froc::evaluate(&ground_truth, &[&run], options))
}

/// The ground truth list as bytes: for each image its name, and its lesions as class and box.
pub fn ground_truth_json<'a>(images: impl IntoIterator<Item = (&'a str, &'a [(usize, [f64; 4])])>) -> Vec<u8> {
    let record = |(name, lesions): (&str, &[(usize, [f64; 4])])| {
        let syms: Vec<&str> = lesions.iter().map(|(class, _)| CLASSES[*class]).collect();
        let boxes: Vec<[f64; 4]> = lesions.iter().map(|(_, bbox)| *bbox).collect();
        serde_json::json!({ "file_name": name, "syms": syms, "boxes": boxes })
    };
    let records: Vec<serde_json::Value> = images.into_iter().map(record).collect();
    serde_json::to_vec(&records).expect("plain values")
}

/// A fresh, empty folder for one test.
pub fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A folder left from an earlier run; on the first run there is none.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for scratch files");
    folder
}

/// Whether `FROC_LONG` asks for more cases, where a test says so.
pub fn is_long() -> bool {
    std::env::var_os("FROC_LONG").is_some()
}

/// So many cases, the same ones every time unless `PROPTEST_RNG_SEED` asks for others.
pub fn same_cases_every_time(cases: u32) -> Config {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_261_123);
    }
    config
}

/// Equality that tells the numbers of a report apart to the last bit; zeros of either sign are one number.
pub fn same(ours: f64, theirs: f64) -> bool {
    ours.to_bits() == theirs.to_bits() || (ours == 0.0 && theirs == 0.0)
}
