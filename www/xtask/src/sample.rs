//! The sample: a made-up ground truth and two made-up runs, the same bytes every time.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use froc::dataset::CLASSES;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

const SEED: u64 = 10;
/// None of the official rates allows a whole number of false positives here, as on the 542 images of ChestX-Det10.
const N_IMAGES: usize = 104;
/// Width and height of an image in pixels, as in ChestX-Det10.
const SIDE: f64 = 1024.0;
/// How many lesions of each class an image has on average, and the range of their sides in pixels; in the official order.
const SHAPES: [(f64, f64, f64); 10] = [
    (0.60, 90.0, 320.0),  // Consolidation
    (0.25, 60.0, 200.0),  // Fibrosis
    (0.50, 90.0, 300.0),  // Effusion
    (0.35, 24.0, 70.0),   // Nodule
    (0.15, 80.0, 180.0),  // Mass
    (0.20, 200.0, 420.0), // Emphysema
    (0.25, 20.0, 60.0),   // Calcification
    (0.20, 70.0, 220.0),  // Atelectasis
    (0.30, 40.0, 120.0),  // Fracture
    (0.20, 120.0, 330.0), // Pneumothorax
];

/// What a made-up detector is like.
struct Detector {
    file: &'static str,
    /// How many lesions it sees.
    recall: f64,
    /// How far its boxes are off, as a fraction of their sides.
    jitter: f64,
    /// False positives per image and class.
    false_positives: f64,
    /// How many of its boxes it draws twice.
    duplicates: f64,
    /// Digits of its scores; few make ties.
    digits: i32,
}

const DETECTORS: [Detector; 2] = [
    Detector { file: "model-a.zip", recall: 0.85, jitter: 0.09, false_positives: 0.18, duplicates: 0.0, digits: 6 },
    Detector { file: "model-b.zip", recall: 0.72, jitter: 0.13, false_positives: 0.35, duplicates: 0.12, digits: 2 },
];

struct Lesion {
    class: usize,
    corners: [f64; 4],
}

/// Writes `test.json`, `model-a.zip` and `model-b.zip` into a folder.
pub fn write(folder: &Path) -> Result<()> {
    for (name, bytes) in files()? {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn files() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let images: Vec<Vec<Lesion>> = (0..N_IMAGES).map(|_| image(&mut random)).collect();
    let mut files = vec![("test.json", ground_truth(&images)?)];
    for detector in &DETECTORS {
        files.push((detector.file, run(detector, &images, &mut random)?));
    }
    Ok(files)
}

fn name(image: usize) -> String {
    format!("sample_{image:03}")
}

/// Every fourth image is free of lesions.
fn image(random: &mut ChaCha8Rng) -> Vec<Lesion> {
    if random.random_bool(0.25) {
        return Vec::new();
    }
    let classes = (0..CLASSES.len()).filter(|&class| random.random_bool(SHAPES[class].0)).collect::<Vec<_>>();
    classes.into_iter().map(|class| Lesion { class, corners: place(class, random) }).collect()
}

/// A box of the class's size somewhere on the image, effusions low.
fn place(class: usize, random: &mut ChaCha8Rng) -> [f64; 4] {
    let (_, least, most) = SHAPES[class];
    let (width, height) = (random.random_range(least..most), random.random_range(least..most));
    let x = random.random_range(60.0..SIDE - 60.0 - width);
    let y =
        random.random_range(if CLASSES[class] == "Effusion" { SIDE / 2.0 - 120.0 } else { 60.0 }..SIDE - 60.0 - height);
    [x, y, x + width, y + height].map(f64::round)
}

fn ground_truth(images: &[Vec<Lesion>]) -> Result<Vec<u8>> {
    let record = |(at, lesions): (usize, &Vec<Lesion>)| {
        json!({
            "file_name": format!("{}.png", name(at)),
            "syms": lesions.iter().map(|lesion| CLASSES[lesion.class]).collect::<Vec<_>>(),
            "boxes": lesions.iter().map(|lesion| lesion.corners.map(|corner| corner as i64)).collect::<Vec<_>>(),
        })
    };
    let records: Vec<Value> = images.iter().enumerate().map(record).collect();
    Ok(serde_json::to_vec(&records)?)
}

fn run(detector: &Detector, images: &[Vec<Lesion>], random: &mut ChaCha8Rng) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // A fixed date, so that the bytes are the same every time.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (at, lesions) in images.iter().enumerate() {
        zip.start_file(format!("{}.json", name(at)), options)?;
        zip.write_all(&serde_json::to_vec(&detector.detect(lesions, random))?)?;
    }
    Ok(zip.finish()?.into_inner())
}

impl Detector {
    fn detect(&self, lesions: &[Lesion], random: &mut ChaCha8Rng) -> Vec<Value> {
        let mut entries = Vec::new();
        for lesion in lesions {
            if random.random_bool(self.recall) {
                let times = if random.random_bool(self.duplicates) { 2 } else { 1 };
                for _ in 0..times {
                    let score = random.random_range(0.02..1.0_f64).powf(0.6);
                    entries.push(self.entry(lesion.class, self.shifted(lesion.corners, random), score));
                }
            }
        }
        for class in 0..CLASSES.len() {
            if random.random_bool(self.false_positives) {
                let score = random.random_range(0.3..1.0_f64).powi(2);
                entries.push(self.entry(class, place(class, random), score));
            }
        }
        entries
    }

    fn shifted(&self, [x1, y1, x2, y2]: [f64; 4], random: &mut ChaCha8Rng) -> [f64; 4] {
        let mut off = |side: f64| random.random_range(-self.jitter..=self.jitter) * side;
        let (width, height) = (x2 - x1, y2 - y1);
        [x1 + off(width), y1 + off(height), x2 + off(width), y2 + off(height)]
    }

    fn entry(&self, class: usize, [x1, y1, x2, y2]: [f64; 4], score: f64) -> Value {
        let rounded = |number: f64, digits: i32| (number * 10_f64.powi(digits)).round() / 10_f64.powi(digits);
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|corner| rounded(corner, 1));
        json!({ CLASSES[class]: [x1, y1, x2, y2, rounded(score, self.digits)] })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_sample_is_the_same_every_time_and_shows_every_class() {
        let (first, second) = (files().expect("a sample"), files().expect("a sample"));
        assert_eq!(first, second);
        let records: Vec<Value> = serde_json::from_slice(&first[0].1).expect("JSON");
        assert_eq!(records.len(), N_IMAGES);
        let classes: BTreeSet<&str> = records
            .iter()
            .flat_map(|record| record["syms"].as_array().expect("a list"))
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(classes.len(), CLASSES.len());
        assert!(records.iter().any(|record| record["syms"] == json!([])));
    }
}
