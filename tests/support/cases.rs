//! The golden cases, found and loaded.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use froc::{GroundTruth, Predictions, Run};

/// Folders of `tests/golden`, and of `GOLDEN_DIR` or else `../shared/golden` where present; one folder, one case.
pub fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("GOLDEN_DIR").map_or_else(|| root.join("../shared/golden"), |folder| root.join(folder));
    if !shared.is_dir() {
        eprintln!("no golden cases at {}; set GOLDEN_DIR to test against all of them", shared.display());
    }
    let folders = [root.join("tests/golden"), shared];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    cases.retain(|case| case.join("predictions.zip").exists());
    assert!(!cases.is_empty(), "tests/golden holds no case");
    cases.sort();
    cases
}

/// A golden case by name; `None`, with a word on standard error, where it is absent.
pub fn case(name: &str) -> Option<PathBuf> {
    let found = cases().into_iter().find(|case| case.ends_with(name));
    if found.is_none() {
        eprintln!("golden case {name} is absent; set GOLDEN_DIR to test with it");
    }
    found
}

/// The ground truth and the run of a case.
pub fn load(case: &Path) -> (GroundTruth, Predictions, Run) {
    let truth = std::fs::read(case.join("test.json")).expect("a ground truth");
    let truth = froc::read_ground_truth("test.json", &truth).expect("a ground truth");
    let predictions = predictions(case);
    let run = Run::new(&truth, &predictions).expect("a run");
    (truth, predictions, run)
}

/// The predictions of a case.
pub fn predictions(case: &Path) -> Predictions {
    let zip = BufReader::new(File::open(case.join("predictions.zip")).expect("a zip"));
    froc::read_predictions("predictions.zip", zip, &mut |_| ControlFlow::Continue(())).expect("predictions")
}
