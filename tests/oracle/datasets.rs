//! Random small datasets: few images, few classes, tiny boxes on a grid, many equal scores, all spellings of a class.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::oracle::reference::{Dataset, Entry, Image};
use crate::support::{CLASSES, ground_truth_json, stored_zip_of};

/// A dataset and how to score it.
#[derive(Debug, Clone)]
pub struct Case {
    pub dataset: Dataset,
    pub iou_threshold: f64,
    pub rates: Vec<f64>,
}

/// A detection before it is placed: beside a lesion of its image, or anywhere.
#[derive(Debug, Clone)]
struct Drawn {
    class: usize,
    spelling: Spelling,
    near: Option<usize>,
    bbox: [f64; 4],
    score: f64,
    with_next: bool,
}

#[derive(Debug, Clone, Copy)]
enum Spelling {
    Official,
    Lower,
    /// Not read by the script.
    Upper,
    /// Both keys in one entry; the official one counts.
    Both,
}

/// Corners on a grid of whole pixels, from one-pixel boxes up; sometimes between the pixels.
fn bbox() -> impl Strategy<Value = [f64; 4]> {
    let whole = (0..6_u8, 0..4_u8, 0..5_u8, 0..4_u8)
        .prop_map(|(x, y, width, height)| [x, y, x + width, y + height].map(f64::from));
    let step = prop_oneof![6 => Just(1.0), 1 => Just(0.1), 1 => Just(1.0 / 3.0), 1 => Just(1000.1)];
    (whole, step).prop_map(|(bbox, step)| bbox.map(|corner| corner * step))
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => select(vec![0.9, 0.5, 0.1]),
        1 => select(vec![0.0, -0.0, -1.0, 2.5]),
        // One f32, but two f64.
        1 => select(vec![0.7, 0.700_000_001]),
        4 => 0.0..1.0,
    ]
}

fn drawn(classes: Vec<usize>) -> impl Strategy<Value = Drawn> {
    let spelling = prop_oneof![
        12 => Just(Spelling::Official), 3 => Just(Spelling::Lower), 1 => Just(Spelling::Upper), 1 => Just(Spelling::Both)
    ];
    // A corner swapped now and then: the script scores such boxes as it does any other.
    let corners = (bbox(), prop::bool::weighted(0.08))
        .prop_map(|([x1, y1, x2, y2], swapped)| if swapped { [x2, y1, x1, y2] } else { [x1, y1, x2, y2] });
    (select(classes), spelling, prop::option::weighted(0.7, 0..4_usize), corners, score(), any::<bool>()).prop_map(
        |(class, spelling, near, bbox, score, with_next)| Drawn { class, spelling, near, bbox, score, with_next },
    )
}

fn image(classes: Vec<usize>) -> impl Strategy<Value = Image> {
    let with_lesions = prop_oneof![5 => Just(classes.clone()), 1 => Just(classes[..1].to_vec())];
    let lesions = with_lesions.prop_flat_map(|classes| vec((select(classes), bbox()), 0..4));
    let detections = prop::option::weighted(0.9, vec(drawn(classes), 0..6));
    (lesions, detections).prop_map(|(lesions, detections)| {
        let file = detections.map(|detections| entries(&lesions, detections));
        Image { lesions, file }
    })
}

fn entries(lesions: &[(usize, [f64; 4])], detections: Vec<Drawn>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    for drawn in detections {
        let (class, bbox) = match drawn.near.map(|near| &lesions[near % lesions.len().max(1)..]) {
            // Some of the box's own shape, so that overlaps of every size occur.
            Some([(class, lesion), ..]) => {
                (*class, [lesion[0], lesion[1], lesion[2] + (drawn.bbox[0] - 2.0).max(0.0), lesion[3]])
            }
            _ => (drawn.class, drawn.bbox),
        };
        let value = [bbox[0], bbox[1], bbox[2], bbox[3], drawn.score];
        let name = CLASSES[class].to_owned();
        let lower = name.to_ascii_lowercase();
        let keys = match drawn.spelling {
            Spelling::Official => vec![(name, value)],
            Spelling::Lower => vec![(lower, value)],
            Spelling::Upper => vec![(name.to_ascii_uppercase(), value)],
            Spelling::Both => vec![(lower, [0.0, 0.0, 9.0, 9.0, 0.9]), (name, value)],
        };
        // Several classes in one entry, but no key twice.
        let fits = |entry: &Entry| keys.iter().all(|(key, _)| entry.iter().all(|(other, _)| other != key));
        match entries.last_mut() {
            Some(entry) if open && fits(entry) => entry.extend(keys),
            _ => entries.push(keys),
        }
        open = drawn.with_next;
    }
    entries
}

/// Rising rates: those of the script, whole numbers of false positives, and others.
fn rates(n_images: usize) -> impl Strategy<Value = Vec<f64>> {
    let whole = (1..7_u32).prop_map(move |k| f64::from(k) / n_images as f64);
    let rate = prop_oneof![3 => whole, 2 => 0.01..1.5_f64, 1 => select(vec![0.05, 0.1, 0.2, 0.3]), 1 => select(vec![1e-300, 1e-9, 1e9, 1e300])];
    let any = vec(rate, 1..5).prop_map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        rates
    });
    prop_oneof![1 => Just(vec![0.05, 0.1, 0.2]), 3 => any]
}

/// Thresholds that overlaps of small boxes meet exactly, some only in `f32`.
fn iou_threshold() -> impl Strategy<Value = f64> {
    prop_oneof![4 => Just(0.5), 4 => select(vec![1.0 / 3.0, 0.1, 0.2, 0.6, 0.7, 0.75, 2.0 / 3.0]), 1 => select(vec![1e-9, 1.0]), 1 => 0.001..1.0]
}

pub fn case() -> impl Strategy<Value = Case> {
    let n_images = prop_oneof![6 => 1..9_usize, 3 => 9..25_usize, 1 => select(vec![20, 40])];
    let classes = subsequence((0..10).collect::<Vec<usize>>(), 1..4);
    (n_images, classes).prop_flat_map(|(n_images, classes)| {
        (vec(image(classes), n_images), iou_threshold(), rates(n_images))
            .prop_map(|(images, iou_threshold, rates)| Case { dataset: Dataset { images }, iou_threshold, rates })
    })
}

impl Dataset {
    /// The file of the ground truth.
    pub fn ground_truth(&self) -> Vec<u8> {
        let names: Vec<String> = (0..self.images.len()).map(|image| format!("{image}.png")).collect();
        let lesions = self.images.iter().map(|image| image.lesions.as_slice());
        ground_truth_json(names.iter().map(String::as_str).zip(lesions))
    }

    /// A zip of the prediction files, and of one for an image that does not exist.
    pub fn predictions(&self) -> Vec<u8> {
        let mut files = self.files();
        files.push(("of-no-image.json".to_owned(), br#"[{"Mass": [0, 0, 9, 9, 0.99]}]"#.to_vec()));
        stored_zip_of(&files)
    }

    /// The prediction files by name, in an order that is not that of the images.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (index, image) in self.images.iter().enumerate().rev() {
            if let Some(entries) = &image.file {
                let objects: Vec<BTreeMap<&str, [f64; 5]>> = entries
                    .iter()
                    .map(|entry| entry.iter().map(|(key, value)| (key.as_str(), *value)).collect())
                    .collect();
                // A file of no bytes means the same as an empty list.
                let empty = objects.is_empty() && index % 2 == 0;
                let bytes = if empty { Vec::new() } else { serde_json::to_vec(&objects).expect("plain values") };
                files.push((format!("{index}.json"), bytes));
            }
        }
        files
    }
}
