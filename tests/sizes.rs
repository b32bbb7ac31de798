//! Images of any size: what a ground truth tells of them decides where boxes are, and what is not known is not said.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{scratch, stored_zip_of};

/// Width and height of the made-up images: none is square, and no two are of one size.
const SIZES: [(f64, f64); 12] = [
    (512.0, 640.0),
    (300.0, 200.0),
    (2048.0, 1500.0),
    (640.0, 480.0),
    (1024.0, 768.0),
    (900.0, 1600.0),
    (333.0, 777.0),
    (3000.0, 2000.0),
    (256.0, 128.0),
    (1280.0, 720.0),
    (500.0, 375.0),
    (416.0, 417.0),
];

/// A lesion's centre, width and height, as shares of its image.
fn lesion(at: usize) -> [f64; 4] {
    [0.3 + at as f64 / 30.0, 0.6 - at as f64 / 40.0, 0.1, 0.2]
}

/// The corners of such a box in pixels.
fn corners([x, y, width, height]: [f64; 4], (across, down): (f64, f64)) -> [f64; 4] {
    [(x - width / 2.0) * across, (y - height / 2.0) * down, (x + width / 2.0) * across, (y + height / 2.0) * down]
}

fn coco(with_sizes: bool) -> Vec<u8> {
    let images = SIZES.iter().enumerate().map(|(at, (width, height))| {
        let image = json!({"id": at, "file_name": format!("{at}.png"), "width": width, "height": height});
        let bare = json!({"id": at, "file_name": format!("{at}.png"), "width": Value::Null});
        if with_sizes { image } else { bare }
    });
    let annotations = SIZES.iter().enumerate().map(|(at, size)| {
        let [x1, y1, x2, y2] = corners(lesion(at), *size);
        json!({"id": at, "image_id": at, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0})
    });
    let truth = json!({
        "images": images.collect::<Vec<_>>(),
        "annotations": annotations.collect::<Vec<_>>(),
        "categories": [{"id": 1, "name": "Nodule"}]
    });
    truth.to_string().into_bytes()
}

fn voc() -> Vec<u8> {
    let files: Vec<(String, String)> = SIZES
        .iter()
        .enumerate()
        .map(|(at, (width, height))| {
            let [x1, y1, x2, y2] = corners(lesion(at), (*width, *height));
            let xml = format!(
                "<annotation><filename>{at}.png</filename><size><width>{width}</width><height>{height}</height></size><object>\
                 <name>Nodule</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>\
                 </annotation>"
            );
            (format!("{at}.xml"), xml)
        })
        .collect();
    stored_zip_of(&files)
}

/// What a detector that finds every lesion writes: fractions of each image, moved by so many of its widths.
fn yolo(by: f64) -> Vec<u8> {
    let mut files = vec![("classes.txt".to_owned(), "Nodule\n".to_owned())];
    for at in 0..SIZES.len() {
        let [x, y, width, height] = lesion(at);
        let mut line = String::new();
        let _ = writeln!(line, "0 {} {y} {width} {height} 0.{}", x + by, 90 - at);
        files.push((format!("{at}.txt"), line));
    }
    stored_zip_of(&files)
}

fn score(test: &str, truth: (&str, &[u8]), zip: &[u8]) -> Result<Value, String> {
    let folder = scratch(test);
    fs::write(folder.join(truth.0), truth.1).expect("a scratch file");
    fs::write(folder.join("yolo.zip"), zip).expect("a scratch file");
    report(&folder, truth.0)
}

fn report(folder: &Path, truth: &str) -> Result<Value, String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_froc"));
    program.current_dir(folder).args([
        "score",
        "--ground-truth",
        truth,
        "--predictions",
        "yolo.zip",
        "--format",
        "json",
    ]);
    let output = program.output().expect("the program starts");
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(2));
        return Err(String::from_utf8(output.stderr).expect("UTF-8").trim_end().to_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["runs"][0]["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

#[test]
fn fractions_are_of_each_images_own_size() {
    for (test, truth) in [("sizes_coco", ("coco.json", coco(true))), ("sizes_voc", ("voc.zip", voc()))] {
        let report = score(test, (truth.0, &truth.1), &yolo(0.0)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report["runs"][0]["exact"]["average_recall"], 1.0, "{test}");
        assert_eq!(codes(&report), [""; 0], "{test}");
    }
}

#[test]
fn without_sizes_fractions_are_refused_with_what_is_missing() {
    let error = score("sizes_none", ("coco.json", &coco(false)), &yolo(0.0)).expect_err("there are no sizes");
    let first = error.lines().next().expect("a line");
    assert!(
        first.contains(
            "its boxes are fractions of the image, and coco.json does not tell how large its images are; expected a ground truth that \
             tells the size of each image, as COCO and Pascal VOC do"
        ),
        "{error}"
    );
}

#[test]
fn boxes_outside_of_images_are_told_where_the_size_is_known() {
    let report =
        score("sizes_outside", ("coco.json", &coco(true)), &yolo(3.0)).unwrap_or_else(|error| panic!("{error}"));
    let findings = report["runs"][0]["findings"].as_array().expect("findings");
    let outside = findings.iter().find(|finding| finding["code"] == "box_outside_image").expect("a finding");
    assert_eq!(outside["count"], SIZES.len());
    assert_eq!(outside["sentence"], "12 boxes lie wholly outside their images.");
}
