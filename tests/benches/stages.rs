//! How long each stage takes, from bytes to report; `cargo xtask bench` runs this, on one core and on all, and makes the data.
//!
//! `stages GROUND_TRUTH ZIP` prints a JSON list of stages and milliseconds; `stages floor ZIP` does no more than inflate the
//! zip with libdeflate, on one core. Everything is in memory before the clock starts, except for `open` and `read`, which
//! read the file.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Cursor;
use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;
use std::{env, thread};

use flate2::{Decompress, FlushDecompress, Status};
use froc::dataset::Detections;
use froc::doctor::{Case, examine};
use froc::geometry::Extent;
use froc::protocol::Protocol;
use froc::{GroundTruth, Options, Predictions, Reading, Run};
use libdeflater::Decompressor;
use zip::{CompressionMethod, ZipArchive};

/// Where the bytes of an entry are, and how many they become.
type Entry = (Range<usize>, usize);

fn main() {
    // Cargo adds it when it runs benchmarks itself.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", zip] => {
            let bytes = fs::read(zip).expect("a zip");
            let entries = deflated(&bytes);
            let ms = timed(|| inflate_with_libdeflate(&bytes, &entries)).0;
            println!("{ms}");
        }
        [ground_truth, zip] => {
            // The first time warms up caches and allocator, which take no part in what lasts long.
            const SHORT: u64 = 500_000_000;
            if fs::metadata(zip).expect("a zip").len() < SHORT {
                stages(ground_truth, zip);
            }
            println!("{}", serde_json::json!(stages(ground_truth, zip)));
        }
        _ => println!("Run `cargo xtask bench`: it makes the data and hands them over."),
    }
}

/// Milliseconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let made = black_box(work());
    (start.elapsed().as_secs_f64() * 1e3, made)
}

fn stages(ground_truth: &str, zip: &str) -> [(&'static str, f64); 10] {
    let truth_bytes = fs::read(ground_truth).expect("a ground truth");
    let bytes = fs::read(zip).expect("a zip");
    let open = timed_open(zip);
    let (inflate, texts) = timed_inflate(&bytes);
    let (parse, _) = timed(|| in_shares(texts.len(), |share| parse(&texts[share])));
    drop(texts);
    let (hash, _) = timed(|| froc::input::sha256(&bytes));
    drop(bytes);
    let (read, predictions) = timed(|| read(zip));
    let (truth, ground_truth) = timed(|| froc::read_ground_truth("test.json", &truth_bytes).expect("a ground truth"));

    let (rank, _) = fastest_join(&without_lesions(&ground_truth), &predictions);
    let (rank_and_overlap, run) = fastest_join(&ground_truth, &predictions);
    let options = Options::default();
    let (verdicts, ()) = timed(|| {
        for class in Protocol::default().classes() {
            let n_lesions = ground_truth.n_lesions(class);
            black_box(run.verdicts(class, n_lesions, options.iou_threshold(), Extent::PlusOne));
        }
    });
    let reading = Reading::default();
    let case = Case { ground_truth: &ground_truth, predictions: &predictions, reading: &reading, run: &run };
    let (doctor, _) = timed(|| examine(case));
    let (score, _) = timed(|| froc::evaluate(&ground_truth, &[&run], &options));
    [
        ("open", open),
        ("inflate", inflate),
        ("parse", parse),
        ("rank", rank),
        ("match", rank_and_overlap - rank + verdicts),
        ("score", score),
        ("doctor", doctor),
        ("hash", hash),
        ("ground truth", truth),
        ("read", read),
    ]
}

/// Reading is ended before the first file, when the list of entries is read.
fn timed_open(zip: &str) -> f64 {
    let file = File::open(zip).expect("a zip");
    let mut stop = |_| ControlFlow::Break(());
    let (ms, ended) = timed(|| froc::input::archive::read_share("run.zip", file, (0, 1), &mut stop));
    assert!(ended.is_err());
    ms
}

/// The library's own way from file to columns: opening, inflating, parsing and hashing.
fn read(zip: &str) -> Arc<Predictions> {
    let file = File::open(zip).expect("a zip");
    Arc::new(froc::read_predictions_file("run.zip", &file, &|_| ControlFlow::Continue(())).expect("predictions"))
}

/// Joins files to images, ranks, and overlaps detections with lesions. With no lesions, all that is left is to join and to
/// rank; since the two hardly differ, the fastest of five counts.
fn fastest_join(ground_truth: &GroundTruth, predictions: &Predictions) -> (f64, Run) {
    let joined = (0..5).map(|_| timed(|| Run::new(ground_truth, predictions).expect("a run")));
    joined.min_by(|(a, _), (b, _)| a.total_cmp(b)).expect("five")
}

fn without_lesions(truth: &GroundTruth) -> GroundTruth {
    let images = truth.images().clone();
    GroundTruth::new(
        truth.name(),
        truth.sha256().to_owned(),
        truth.protocol().clone(),
        images,
        &[],
        truth.notices().clone(),
    )
    .expect("images")
}

/// Inflates by the crates that the library inflates and takes checksums by; the time without that of keeping the texts,
/// which `parse` needs.
fn timed_inflate(bytes: &[u8]) -> (f64, Vec<Vec<u8>>) {
    let entries = deflated(bytes);
    let each = |share: &[Entry], keep: bool| {
        let mut inflater = Decompress::new(false);
        let (mut texts, mut text) = (Vec::new(), Vec::new());
        for (place, size) in share {
            inflater.reset(false);
            text.clear();
            // One more, as the library does, to see that there is none.
            text.reserve_exact(size + 1);
            let status = inflater.decompress_vec(&bytes[place.clone()], &mut text, FlushDecompress::Finish);
            assert_eq!(status.expect("a sound entry"), Status::StreamEnd);
            black_box(rawzip::crc32(&text));
            if keep {
                texts.push(text.clone());
            }
        }
        texts
    };
    let (ms, _) = timed(|| in_shares(entries.len(), |share| each(&entries[share], false)));
    (ms, in_shares(entries.len(), |share| each(&entries[share], true)).into_iter().flatten().collect())
}

fn parse(texts: &[Vec<u8>]) -> Detections {
    let mut detections = Detections::default();
    for text in texts {
        froc::input::chestx_det::read(text, &mut detections).expect("predictions");
    }
    detections
}

/// Does equal shares of `n` things at the same time, one on each core that this process may use.
fn in_shares<T: Send>(n: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let n_cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = |core: usize| n * core / n_cores..n * (core + 1) / n_cores;
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_cores).map(|core| scope.spawn(move || work(share(core)))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// The entries of a zip, all of which are deflated.
fn deflated(bytes: &[u8]) -> Vec<Entry> {
    let archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let place = |at: usize| {
        let mut archive = archive.clone();
        let entry = archive.by_index_raw(at).expect("an entry");
        assert_eq!(entry.compression(), CompressionMethod::Deflated);
        let start = entry.data_start().expect("its place") as usize;
        (start..start + entry.compressed_size() as usize, entry.size() as usize)
    };
    (0..archive.len()).map(place).collect()
}

fn inflate_with_libdeflate(bytes: &[u8], entries: &[Entry]) {
    let mut inflater = Decompressor::new();
    let mut text = vec![0; entries.iter().map(|(_, size)| *size).max().unwrap_or(0)];
    for (place, size) in entries {
        inflater.deflate_decompress(&bytes[place.clone()], &mut text[..*size]).expect("a sound entry");
        black_box(&text);
    }
}
