//! A detector whose boxes are written otherwise is found out, whatever the layout and the scale: the offer reaches the score
//! that it would have. `FROC_LONG=1` tries twenty scales for each layout and two hundred bad detectors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use froc::report::FindingReport;
use froc::{GroundTruth, Options, Predictions, Reading};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use crate::support::{CLASSES, ground_truth_json, is_long, read_ground_truth, read_predictions, zip_of};

/// A box and its score.
type Five = [f64; 5];
/// How a box is written.
type Layout = fn(Five, bool) -> Five;

const LAYOUTS: [(&str, Layout); 6] = [
    ("corners", |five, _| five),
    ("xywh", |[x1, y1, x2, y2, score], _| [x1, y1, x2 - x1, y2 - y1, score]),
    ("cxcywh", |[x1, y1, x2, y2, score], _| [x1.midpoint(x2), y1.midpoint(y2), x2 - x1, y2 - y1, score]),
    ("swapped", |[x1, y1, x2, y2, score], coin| if coin { [x2, y2, x1, y1, score] } else { [x1, y1, x2, y2, score] }),
    ("yxyx", |[x1, y1, x2, y2, score], _| [y1, x1, y2, x2, score]),
    ("xxyy", |[x1, y1, x2, y2, score], _| [x1, x2, y1, y2, score]),
];

fn unit(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

/// The mean official recall at each rate in percent, and what is found.
fn score(truth: &GroundTruth, zip: &[u8], reading: &Reading) -> (Vec<f64>, Vec<FindingReport>) {
    let predictions = Arc::new(read_predictions(zip).expect("a zip"));
    let prepared = froc::prepare(truth, &predictions, reading).expect("a run that can be scored");
    let report = froc::evaluate(truth, &[&prepared[0].run], &Options::default());
    let run = &report.runs[0];
    let recall = run.official.recall.iter().map(|recall| 100.0 * recall.unwrap_or(0.0)).collect();
    (recall, run.findings.clone())
}

fn offers(findings: &[FindingReport]) -> Vec<&Reading> {
    let of_boxes = |finding: &&FindingReport| ["box_layout", "other_image_size"].contains(&finding.code.as_str());
    findings.iter().filter(of_boxes).filter_map(|finding| Some(&finding.remedy.as_ref()?.reading)).collect()
}

/// The run with each box written otherwise.
fn spoiled(predictions: &Predictions, mut spoil: impl FnMut(Five) -> Five) -> Vec<u8> {
    let detections = predictions.detections();
    let mut files: Vec<(String, String)> = Vec::new();
    for file in predictions.files().iter() {
        let rows = file.detections.expect("a file in order");
        let entry = |at: u32| {
            let (bbox, score) = (detections.bbox(at as usize), detections.score(at as usize));
            let five = [bbox.x1, bbox.y1, bbox.x2, bbox.y2, score].map(f64::from);
            json!({ detections.name(at as usize): spoil(five) })
        };
        files.push((file.path.to_owned(), json!(rows.map(entry).collect::<Vec<_>>()).to_string()));
    }
    zip_of(&files)
}

/// The real annotations with a jittery detector where they are, else made-up ones; and within how many points of the score an offer
/// comes: few boxes tell a scale less well.
fn detector() -> (GroundTruth, Predictions, f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real =
        std::env::var_os("GOLDEN_DIR").map_or_else(|| root.join("../shared/golden"), PathBuf::from).join("strong");
    let (folder, within) = if real.is_dir() { (real, 0.5) } else { (root.join("tests/golden/synthetic"), 1.5) };
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("a file of the case");
    (
        read_ground_truth(&bytes("test.json")).expect("a ground truth"),
        read_predictions(&bytes("predictions.zip")).expect("a zip"),
        within,
    )
}

#[test]
fn a_spoiled_detector_is_read_as_it_was_meant() {
    let (truth, predictions, within) = detector();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let unspoiled = score(&truth, &spoiled(&predictions, |five| five), &Reading::default());
    assert_eq!(offers(&unspoiled.1), Vec::<&Reading>::new());
    let (mut failed, mut tried) = (Vec::new(), 0);
    for (name, layout) in LAYOUTS {
        for (score_first, moved) in [(false, false), (true, false), (false, true), (true, true)] {
            for _ in 0..if is_long() { 20 } else { 1 } {
                let same = 0.2 + 2.8 * unit(&mut rng);
                // A scale for each axis, and an origin elsewhere.
                let other = if moved { 0.2 + 2.8 * unit(&mut rng) } else { same };
                let offset = [0; 2].map(|_| if moved { (400.0 * (unit(&mut rng) - 0.5)).round() } else { 0.0 });
                let mut coins = rng.clone();
                let zip = spoiled(&predictions, |[x1, y1, x2, y2, score]| {
                    let coin = coins.next_u32() % 2 == 0;
                    let [x1, x2] = [x1, x2].map(|x| (x + offset[0]) * same);
                    let [y1, y2] = [y1, y2].map(|y| (y + offset[1]) * other);
                    let [a, b, c, d, _] = layout([x1, y1, x2, y2, score], coin);
                    if score_first { [score, a, b, c, d] } else { [a, b, c, d, score] }
                });
                let (before, findings) = score(&truth, &zip, &Reading::default());
                let after = offers(&findings).first().map_or(before.clone(), |reading| score(&truth, &zip, reading).0);
                tried += 1;
                if after.iter().zip(&unspoiled.0).any(|(after, right)| (after - right).abs() > within) {
                    let flags: Vec<String> = offers(&findings).iter().map(|reading| reading.flags()).collect();
                    failed.push(format!(
                        "{name}, score first: {score_first}, times {same}, {other} after {offset:?}: {before:?}, then {after:?} by {flags:?}"
                    ));
                }
            }
        }
    }
    println!("{} of {tried} read as they were meant", tried - failed.len());
    assert!(failed.len() * 100 <= tried, "{failed:#?}, not {:?}", unspoiled.0);
}

#[test]
fn a_bad_detector_is_offered_nothing() {
    let (truth, ..) = detector();
    let mut offered = Vec::new();
    for seed in 0..if is_long() { 200 } else { 4 } {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (least, most) = (20.0 + 80.0 * unit(&mut rng), 120.0 + 400.0 * unit(&mut rng));
        let near = seed % 3;
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for (image, name) in truth.images().iter().enumerate() {
            let mut entries = Vec::new();
            for class in truth.classes() {
                for lesion in truth.lesions(class, image).1 {
                    // Where such lesions lie on the whole, or anywhere.
                    let [w, h] = [0; 2].map(|_| least + (most - least) * unit(&mut rng));
                    let (cx, cy) = if near > 0 {
                        let by = 150.0 * near as f64;
                        let shift = |rng: &mut ChaCha8Rng| by * (unit(rng) - 0.5) * 2.0;
                        (
                            f64::from(lesion.x1.midpoint(lesion.x2)) + shift(&mut rng),
                            f64::from(lesion.y1.midpoint(lesion.y2)) + shift(&mut rng),
                        )
                    } else {
                        (1024.0 * unit(&mut rng), 1024.0 * unit(&mut rng))
                    };
                    let bbox = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
                    entries
                        .push(json!({ truth.class_name(class): [bbox[0], bbox[1], bbox[2], bbox[3], unit(&mut rng)] }));
                }
            }
            files.insert(name.replace(".png", ".json"), json!(entries).to_string());
        }
        let (recall, findings) = score(&truth, &zip_of(&files.into_iter().collect::<Vec<_>>()), &Reading::default());
        offered.extend(offers(&findings).into_iter().map(|reading| format!("{seed}: {} {recall:?}", reading.flags())));
    }
    assert_eq!(offered, Vec::<String>::new());
}

// --- a dozen images, as people send them ---

fn small_lesion(image: usize) -> [f64; 4] {
    let (x, y) = (100.0 + 60.0 * image as f64, 120.0 + 55.0 * image as f64);
    [x, y, x + 100.0, y + 80.0]
}

fn small_truth(write: impl Fn([f64; 4]) -> [f64; 4]) -> GroundTruth {
    let named = |image: usize| (format!("{}.png", image + 1), [(3, write(small_lesion(image)))]);
    let images: Vec<_> = (0..12).map(named).collect();
    assert_eq!(CLASSES[3], "Nodule");
    read_ground_truth(&ground_truth_json(images.iter().map(|(name, lesions)| (name.as_str(), &lesions[..]))))
        .expect("a ground truth")
}

fn small_run(write: impl Fn(Five) -> Five) -> Vec<u8> {
    let file = |image: usize| {
        let [x1, y1, x2, y2] = small_lesion(image);
        (
            format!("{}.json", image + 1),
            json!([{ "Nodule": write([x1, y1, x2, y2, 0.5 + 0.01 * image as f64]) }]).to_string(),
        )
    };
    zip_of(&(0..12).map(file).collect::<Vec<_>>())
}

/// The flags of the one offer, which finds all lesions in their place.
#[track_caller]
fn offered(write: impl Fn(Five) -> Five) -> String {
    let (truth, zip) = (small_truth(|bbox| bbox), small_run(write));
    let (_, findings) = score(&truth, &zip, &Reading::default());
    let offers = offers(&findings);
    let [offer] = offers[..] else { panic!("{findings:#?}") };
    let (recall, after) = score(&truth, &zip, offer);
    // One class of ten has lesions; the others count as 0.
    let right = score(&truth, &small_run(|five| five), &Reading::default()).0;
    assert_eq!(recall, right, "{}", offer.flags());
    assert_eq!(self::offers(&after), Vec::<&Reading>::new());
    offer.flags()
}

fn times(factor: f64, [a, b, c, d, score]: Five) -> Five {
    [a * factor, b * factor, c * factor, d * factor, score]
}

#[test]
fn usual_layouts_and_sizes_are_offered_from_a_dozen_images() {
    let xywh = |five| LAYOUTS[1].1(five, false);
    let cxcywh = |five| LAYOUTS[2].1(five, false);
    assert_eq!(offered(cxcywh), "--boxes cxcywh");
    assert_eq!(offered(|five| times(1.0 / 1024.0, cxcywh(five))), "--boxes cxcywh --scale 1024");
    assert_eq!(offered(|five| times(100.0 / 1024.0, xywh(five))), "--boxes xywh --scale 10.24");
    assert_eq!(offered(|[a, b, c, d, score]| [score, a, b, c, d]), "--score-first");
    assert_eq!(offered(|five| LAYOUTS[5].1(five, false)), "--boxes xxyy");
    assert_eq!(offered(|five| times(768.0 / 1024.0, five)), format!("--scale {}", 1024.0 / 768.0));
    assert_eq!(offered(|five| times(960.0 / 1024.0, five)), format!("--scale {}", 1024.0 / 960.0));
    let apart = |[a, b, c, d, score]: Five| [a / 2.0, b / 1.6, c / 2.0, d / 1.6, score];
    assert_eq!(offered(apart), "--scale 2,1.6");
    let cropped = |[a, b, c, d, score]: Five| [a - 64.0, b - 32.0, c - 64.0, d - 32.0, score];
    assert_eq!(offered(cropped), "--offset 64,32");
    assert_eq!(offered(|five| times(0.5, xywh(cropped(five)))), "--boxes xywh --scale 2 --offset 64,32");
    let grid = |number: f64| (number / 1.024).round();
    assert_eq!(offered(|[a, b, c, d, score]| [grid(a), grid(b), grid(c), grid(d), score]), "--scale 1.024");
}

#[test]
fn images_of_another_size_on_both_sides_are_no_finding() {
    let truth = small_truth(|bbox| bbox.map(|number| 2.0 * number));
    let codes = |findings: Vec<FindingReport>| findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes(score(&truth, &small_run(|five| times(2.0, five)), &Reading::default()).1), Vec::<String>::new());
}

#[test]
fn boxes_in_another_range_are_named_where_no_reading_fits() {
    let (truth, found) = (small_truth(|bbox| bbox), |zip: &[u8]| {
        score(&small_truth(|bbox| bbox), zip, &Reading::default())
            .1
            .into_iter()
            .find(|finding| finding.code == "boxes_in_another_range")
    });
    // Fractions of nothing in particular.
    let fractions = small_run(|[.., score]| [score / 4.0, score / 2.0, score / 3.0, score / 1.5, score]);
    let finding = found(&fractions).expect("a finding");
    assert_eq!(
        finding.sentence,
        "All numbers of the boxes lie within 0 to 1, lesions reach 860 pixels, and no reading that was tried puts the boxes onto lesions."
    );
    assert_eq!(finding.remedy, None);
    let percents = small_run(|[.., score]| [score * 40.0, score * 50.0, score * 60.0, score * 70.0, score]);
    assert!(found(&percents).expect("a finding").sentence.contains("within 0 to 100,"));
    assert_eq!(found(&small_run(|five| five)), None);
    // Small lesions make such boxes right.
    let tiny = small_truth(|bbox| bbox.map(|number| number / 1024.0));
    let (_, findings) = score(&tiny, &fractions, &Reading::default());
    assert!(findings.iter().all(|finding| finding.code != "boxes_in_another_range"));
    assert_eq!(score(&truth, &small_run(|five| five), &Reading::default()).1, []);
}

#[test]
fn a_ground_truth_of_widths_and_heights_is_named() {
    let truth = small_truth(|[x1, y1, x2, y2]| [x1, y1, x2 - x1, y2 - y1]);
    let (_, findings) = score(&truth, &small_run(|five| five), &Reading::default());
    let named = findings.iter().find(|finding| finding.code == "inverted_lesions").expect("a finding");
    assert_eq!(
        named.sentence,
        "12 of 12 lesions of the ground truth have x2 below x1 or y2 below y1, as if they were written as x, y, width, height."
    );
}
