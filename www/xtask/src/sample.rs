//! The sample that comes with the page: made-up images, lesions of all ten classes and two made-up runs.
//!
//! Everything is drawn from one seeded generator, and the zips carry no clock, so the same lock file always gives the
//! same bytes. Nothing here stems from a patient; figures are merely plausible.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Any other would do as well; with another one the sample is another.
const SEED: u64 = 10;
/// None of the official rates allows a whole number of false positives here, as on the 542 images of ChestX-Det10.
const IMAGES: usize = 104;
/// Share of the images that show no lesion at all.
const LESION_FREE: f64 = 0.3;
/// Width and height of an image, in pixels.
const SIDE: f64 = 1024.0;

/// x1, y1, x2, y2 in pixels, both corners inside the box.
pub type Corners = [f64; 4];
/// Least and greatest value.
type Span = (f64, f64);

/// What lesions of a class look like, and how detectors fare with them.
struct Look {
    class: &'static str,
    /// Share of the images with lesions that show this class.
    share: f64,
    /// Most lesions of the class in such an image.
    most: u32,
    width: Span,
    height: Span,
    /// Distance of the centre from the middle of the image, to the left or to the right.
    aside: Span,
    /// Centre, from the top.
    down: Span,
    /// How easily it is found, as a factor on a run's recall.
    ease: f64,
    /// False positives per image of an average detector.
    false_positives: f64,
}

#[rustfmt::skip]
const LOOKS: [Look; 10] = [
    look("Consolidation", 0.44, 2, (140.0, 320.0), (140.0, 360.0), (110.0, 290.0), (300.0, 700.0), 1.00, 0.60),
    look("Fibrosis",      0.18, 2, (120.0, 260.0), (100.0, 240.0), (120.0, 280.0), (180.0, 500.0), 0.70, 0.30),
    look("Effusion",      0.40, 2, (160.0, 330.0), (120.0, 320.0), (150.0, 290.0), (620.0, 840.0), 0.95, 0.35),
    look("Nodule",        0.24, 3, ( 26.0,  70.0), ( 26.0,  70.0), (110.0, 310.0), (200.0, 750.0), 0.65, 0.55),
    look("Mass",          0.16, 1, (100.0, 220.0), (100.0, 220.0), (110.0, 280.0), (220.0, 700.0), 0.90, 0.12),
    look("Emphysema",     0.15, 2, (260.0, 380.0), (480.0, 680.0), (170.0, 260.0), (420.0, 560.0), 1.05, 0.06),
    look("Calcification", 0.18, 2, ( 24.0,  90.0), ( 24.0,  90.0), ( 60.0, 310.0), (180.0, 740.0), 0.55, 0.25),
    look("Atelectasis",   0.16, 1, (120.0, 280.0), ( 60.0, 200.0), (110.0, 270.0), (380.0, 760.0), 0.60, 0.30),
    look("Fracture",      0.22, 3, ( 30.0,  80.0), ( 30.0,  80.0), (250.0, 370.0), (200.0, 720.0), 0.60, 0.35),
    look("Pneumothorax",  0.15, 1, (130.0, 300.0), (200.0, 450.0), (160.0, 280.0), (180.0, 400.0), 0.90, 0.05),
];

/// A made-up detector.
pub struct Detector {
    name: &'static str,
    /// Share of the lesions that it sees, before a class's ease.
    recall: f64,
    /// How far off a box is, at most, as a share of its width and height.
    jitter: f64,
    /// Factor on a class's false positives.
    clutter: f64,
    /// Share of the found lesions that get a second box.
    doubles: f64,
    /// Scores of lesions seen.
    sure: Span,
    /// Scores of false positives, most of them near the lower end.
    unsure: Span,
    /// Decimals a score is written with; few of them make ties.
    decimals: i32,
    /// Whether class names are written as the official list has them, or in lower case.
    capitals: bool,
}

pub const DETECTORS: [Detector; 2] = [
    Detector {
        name: "model-a",
        recall: 0.90,
        jitter: 0.16,
        clutter: 0.8,
        doubles: 0.06,
        sure: (0.05, 0.99),
        unsure: (0.25, 0.88),
        decimals: 4,
        capitals: true,
    },
    Detector {
        name: "model-b",
        recall: 0.78,
        jitter: 0.24,
        clutter: 1.2,
        doubles: 0.14,
        sure: (0.05, 0.95),
        unsure: (0.25, 0.92),
        decimals: 2,
        capitals: false,
    },
];

/// The files of the sample, by name.
pub type Files = Vec<(String, Vec<u8>)>;

/// One record of the ground truth, in the official format.
#[derive(Serialize)]
pub struct Image {
    pub file_name: String,
    syms: Vec<&'static str>,
    boxes: Vec<Corners>,
}

/// A detection before its numbers are rounded.
pub struct Detected {
    pub class: &'static str,
    pub corners: Corners,
    pub score: f64,
}

/// Writes the sample into a folder, which is made where it does not exist.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, bytes) in generate()? {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The ground truth and the runs.
///
/// # Errors
/// None in practice: JSON and zips are made in memory.
pub fn generate() -> Result<Files> {
    let mut chance = Chance::new(SEED);
    let images: Vec<Image> = (1..=IMAGES).map(|number| chance.image(number)).collect();
    let mut files = vec![("test.json".to_owned(), serde_json::to_vec(&images)?)];
    for detector in &DETECTORS {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for image in &images {
            zip.start_file(image.file_name.replace(".png", ".json"), plain())?;
            let detections = chance.detections(detector, image);
            let entries: Vec<Value> = detections.iter().map(|detected| detector.entry(detected)).collect();
            zip.write_all(&serde_json::to_vec(&entries)?)?;
        }
        files.push((format!("{}.zip", detector.name), zip.finish()?.into_inner()));
    }
    Ok(files)
}

/// How the files of a zip are packed: deflated, with no clock and nobody's permissions.
pub fn plain() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

/// What is left to chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The same draws for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A whole number from 0, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn between(&mut self, (least, greatest): Span) -> f64 {
        self.0.random_range(least..greatest)
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability.clamp(0.0, 1.0))
    }

    pub fn image(&mut self, number: usize) -> Image {
        let mut image = Image { file_name: format!("sample_{number:03}.png"), syms: Vec::new(), boxes: Vec::new() };
        if self.happens(LESION_FREE) {
            return image;
        }
        for look in &LOOKS {
            if !self.happens(look.share) {
                continue;
            }
            for _ in 0..self.0.random_range(1..=look.most) {
                image.syms.push(look.class);
                image.boxes.push(self.place(look).map(f64::round));
            }
        }
        image
    }

    /// A box where lesions of the class are found.
    fn place(&mut self, look: &Look) -> Corners {
        let aside = self.between(look.aside);
        let x = SIDE / 2.0 + if self.happens(0.5) { aside } else { -aside };
        let y = self.between(look.down);
        let (width, height) = (self.between(look.width), self.between(look.height));
        around(x, y, width, height)
    }

    /// What a detector shows for an image.
    pub fn detections(&mut self, detector: &Detector, image: &Image) -> Vec<Detected> {
        let mut shown = Vec::new();
        for (class, lesion) in image.syms.iter().zip(&image.boxes) {
            let ease = LOOKS.iter().find(|look| look.class == *class).map_or(1.0, |look| look.ease);
            if !self.happens(detector.recall * ease) {
                continue;
            }
            let score = f64::midpoint(self.between(detector.sure), self.between(detector.sure));
            shown.push(Detected { class, corners: self.beside(lesion, detector.jitter), score });
            if self.happens(detector.doubles) {
                let score = score * self.between((0.6, 0.95));
                shown.push(Detected { class, corners: self.beside(lesion, detector.jitter), score });
            }
        }
        for look in &LOOKS {
            // Two draws at half the rate, so that an image may have two.
            for _ in 0..2 {
                if self.happens(look.false_positives * detector.clutter / 2.0) {
                    let share = self.between((0.0, 1.0)) * self.between((0.0, 1.0));
                    let (least, greatest) = detector.unsure;
                    let score = least + share * (greatest - least);
                    shown.push(Detected { class: look.class, corners: self.place(look), score });
                }
            }
        }
        shown
    }

    /// A box where there is nothing, with a low score: what a detector shows when no threshold stops it.
    pub fn clutter(&mut self) -> Detected {
        let look = &LOOKS[self.0.random_range(0..LOOKS.len())];
        let score = 0.5 * self.between((0.0, 1.0)) * self.between((0.0, 1.0));
        Detected { class: look.class, corners: self.place(look), score }
    }

    /// The box of a lesion as a detector sees it.
    fn beside(&mut self, lesion: &Corners, jitter: f64) -> Corners {
        let [x1, y1, x2, y2] = *lesion;
        let (width, height) = (x2 - x1 + 1.0, y2 - y1 + 1.0);
        let mut off = || self.between((-jitter, jitter));
        let (x, y) = (f64::midpoint(x1, x2) + off() * width, f64::midpoint(y1, y2) + off() * height);
        around(x, y, width * (1.0 + off()), height * (1.0 + off()))
    }
}

impl Detector {
    /// An entry of a prediction file, in the official format.
    fn entry(&self, Detected { class, corners, score }: &Detected) -> Value {
        let [x1, y1, x2, y2] = corners.map(|coordinate| round(coordinate, 1));
        let class = if self.capitals { (*class).to_owned() } else { class.to_lowercase() };
        json!({ class: [x1, y1, x2, y2, round(*score, self.decimals)] })
    }
}

/// The box about a centre, cut off at the edges of the image.
fn around(x: f64, y: f64, width: f64, height: f64) -> Corners {
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0].map(|at| at.clamp(0.0, SIDE - 1.0))
}

fn round(number: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (number * unit).round() / unit
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn look(
    class: &'static str,
    share: f64,
    most: u32,
    width: Span,
    height: Span,
    aside: Span,
    down: Span,
    ease: f64,
    false_positives: f64,
) -> Look {
    Look { class, share, most, width, height, aside, down, ease, false_positives }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_every_time() {
        assert!(generate().expect("a sample") == generate().expect("a sample"));
    }

    #[test]
    fn some_images_have_no_lesions() {
        let files = generate().expect("a sample");
        let images: Vec<Value> = serde_json::from_slice(&files[0].1).expect("JSON");
        assert_eq!(images.len(), IMAGES);
        assert!(images.iter().any(|image| image["boxes"].as_array().is_some_and(Vec::is_empty)));
    }
}
