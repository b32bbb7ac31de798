//! The samples that come with the page (`www/src/words/samples.ts` says which files each is made of): made-up films, lesions of all ten
//! classes, made-up runs, one that is written wrongly, one that is all but equal to another, and a dataset of other classes.
//!
//! Everything is drawn from seeded generators, and the zips carry no clock, so the same lock file always gives the
//! same bytes. Nothing here stems from a patient; figures are merely plausible.

mod film;

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

/// Images of the other dataset.
const OBJECT_IMAGES: usize = 40;

/// What is in it: how often each of so many is there, and the rest as above.
#[rustfmt::skip]
const OBJECTS: [Look; 3] = [
    look("Pacemaker",   0.30, 1, (110.0, 150.0), (100.0, 140.0), (230.0, 290.0), (230.0, 320.0), 1.10, 0.08),
    look("Button",      0.40, 4, ( 34.0,  44.0), ( 34.0,  44.0), (  5.0, 240.0), (200.0, 900.0), 0.85, 0.50),
    look("Ring",        0.30, 2, ( 50.0,  70.0), ( 50.0,  70.0), ( 90.0, 420.0), (120.0, 880.0), 0.70, 0.35),
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
    /// Whether width and height stand where the second corner belongs.
    is_wrong: bool,
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
        is_wrong: false,
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
        is_wrong: false,
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

/// Writes the samples into a folder, which is made where it does not exist.
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
    let mut runs = Vec::new();
    for detector in &DETECTORS {
        let run: Vec<Vec<Detected>> = images.iter().map(|image| chance.detections(detector, image)).collect();
        files.push((format!("{}.zip", detector.name), detector.zip(&images, &run)?));
        runs.push(run);
    }
    // Their own draws, so that the runs above stay as they are.
    let mut chance = Chance::new(SEED + 1);
    let detector = &DETECTORS[0];
    let again: Vec<Vec<Detected>> =
        runs[0].iter().map(|image| image.iter().map(|detected| chance.again(detected)).collect()).collect();
    files.push(("model-a-longer.zip".to_owned(), detector.zip(&images, &again)?));
    files.push(("model-a-widths.zip".to_owned(), Detector { is_wrong: true, ..*detector }.zip(&images, &runs[0])?));
    files.push(("pictures.zip".to_owned(), chance.pictures(&images)?));
    files.extend(chance.objects()?);
    Ok(files)
}

/// A zip of files by name.
fn zip_of(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, plain())?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
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

    /// The same detection by a model that was trained a little longer.
    fn again(&mut self, Detected { class, corners, score }: &Detected) -> Detected {
        let score = (score + self.between((-0.04, 0.05))).clamp(0.01, 0.99);
        Detected { class, corners: self.beside(corners, 0.015), score }
    }

    /// The films of images, as a zip of JPEGs.
    fn pictures(&mut self, images: &[Image]) -> Result<Vec<u8>> {
        let mut films = Vec::new();
        for Image { file_name, syms, boxes } in images {
            let lesions: Vec<(&str, Corners)> = syms.iter().copied().zip(boxes.iter().copied()).collect();
            films.push((file_name.replace(".png", ".jpg"), film::draw(self, &lesions)?));
        }
        zip_of(films)
    }

    /// Another dataset, as COCO has it: things that do not belong in a chest, a run that finds them, and its films.
    fn objects(&mut self) -> Result<Files> {
        let (mut images, mut annotations, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for id in 1..=OBJECT_IMAGES {
            let mut image = Image { file_name: format!("film_{id:02}.png"), syms: Vec::new(), boxes: Vec::new() };
            for look in &OBJECTS {
                for _ in 0..look.most {
                    if !self.happens(look.share) {
                        continue;
                    }
                    let corners = self.place(look);
                    image.syms.push(look.class);
                    image.boxes.push(corners);
                    annotations.push(of_coco(id, look.class, corners, ("id", json!(annotations.len() + 1))));
                    if self.happens(0.85 * look.ease) {
                        let score = round(self.between((0.35, 0.99)), 3);
                        results.push(of_coco(id, look.class, self.beside(&corners, 0.14), ("score", json!(score))));
                    }
                }
                if self.happens(look.false_positives) {
                    let score = round(self.between((0.05, 0.95)), 3);
                    results.push(of_coco(id, look.class, self.place(look), ("score", json!(score))));
                }
            }
            images.push(image);
        }
        let described: Vec<Value> = (1..)
            .zip(&images)
            .map(|(id, image): (usize, _)| json!({ "id": id, "file_name": image.file_name, "width": SIDE, "height": SIDE }))
            .collect();
        let categories: Vec<Value> =
            OBJECTS.iter().map(|look| json!({ "id": category(look.class), "name": look.class })).collect();
        let truth = json!({ "images": described, "annotations": annotations, "categories": categories });
        Ok(vec![
            ("objects.json".to_owned(), serde_json::to_vec(&truth)?),
            ("objects-model.json".to_owned(), serde_json::to_vec(&results)?),
            ("objects-pictures.zip".to_owned(), self.pictures(&images)?),
        ])
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
    /// A run as a zip with a file for each image, in the official format.
    fn zip(&self, images: &[Image], run: &[Vec<Detected>]) -> Result<Vec<u8>> {
        let mut entries = Vec::new();
        for (image, detections) in images.iter().zip(run) {
            let detections: Vec<Value> = detections.iter().map(|detected| self.entry(detected)).collect();
            entries.push((image.file_name.replace(".png", ".json"), serde_json::to_vec(&detections)?));
        }
        zip_of(entries)
    }

    /// An entry of a prediction file, in the official format.
    fn entry(&self, Detected { class, corners, score }: &Detected) -> Value {
        let [x1, y1, mut x2, mut y2] = corners.map(|coordinate| round(coordinate, 1));
        if self.is_wrong {
            (x2, y2) = (round(x2 - x1, 1), round(y2 - y1, 1));
        }
        let class = if self.capitals { (*class).to_owned() } else { class.to_lowercase() };
        json!({ class: [x1, y1, x2, y2, round(*score, self.decimals)] })
    }
}

/// A box as COCO writes it, and one thing more about it.
fn of_coco(image: usize, class: &str, [x1, y1, x2, y2]: Corners, (key, value): (&str, Value)) -> Value {
    let bbox = [x1, y1, x2 - x1, y2 - y1].map(|number| round(number, 1));
    let mut record = json!({ "image_id": image, "category_id": category(class), "bbox": bbox });
    record[key] = value;
    record
}

/// The number of a class of the other dataset.
fn category(class: &str) -> usize {
    OBJECTS.iter().position(|look| look.class == class).map_or(0, |at| at + 1)
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
