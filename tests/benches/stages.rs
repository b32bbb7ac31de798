//! How long each stage takes, from files to report: `stages GROUND_TRUTH ZIP` prints a list of stages and milliseconds.
//! `cargo xtask bench --only stages` makes the data and runs this.

use std::fs::{self, File};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use froc::{Options, Reading, Run};

fn main() {
    // Cargo adds it when it runs benchmarks itself.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [ground_truth, zip] = &arguments[..] {
        // The first time warms up caches and allocator.
        stages(ground_truth, zip);
        println!("{}", serde_json::json!(stages(ground_truth, zip)));
    } else {
        println!("Run `cargo xtask bench --only stages`: it makes the data and hands them over.");
    }
}

/// Milliseconds, and what came of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let made = black_box(work());
    (start.elapsed().as_secs_f64() * 1e3, made)
}

fn stages(ground_truth: &str, zip: &str) -> [(&'static str, f64); 5] {
    let bytes = fs::read(ground_truth).expect("a ground truth");
    let (truth, ground_truth) = timed(|| froc::read_ground_truth("test.json", &bytes).expect("a ground truth"));
    let file = File::open(zip).expect("a zip");
    let read = || froc::read_predictions_file("run.zip", &file, &|_| ControlFlow::Continue(())).expect("predictions");
    let (read, predictions) = timed(|| Arc::new(read()));
    let (join, run) = timed(|| Run::new(&ground_truth, &predictions).expect("a run"));
    let reading = Reading::default();
    let (prepare, _) = timed(|| froc::prepare(&ground_truth, &predictions, &reading).map_err(|_| ()).expect("a run"));
    let (score, _) = timed(|| froc::evaluate(&ground_truth, &[&run], &Options::default()));
    [
        ("read the ground truth", truth),
        ("read the zip into columns", read),
        ("join, rank and match", join),
        ("look for mistakes", prepare - join),
        ("score, from a run that is joined", score),
    ]
}
