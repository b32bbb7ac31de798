//! Files as other programs write them, each with the rows that it holds: `tests/formats/<format>/<file>` and `<file>.rows`.
//! Walked, not listed: a format of the table without a folder is a failure.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use froc::dataset::IgnoredLesion;
use froc::input::labels::{LABELS, Labels};
use froc::input::{FORMATS, GROUND_TRUTHS, Kind, ReadDetections, identify};
use froc::run::Run;
use froc::{GroundTruth, Predictions};

use crate::support::{read_predictions, stored_zip_of};

/// Files of a folder, sorted, but for those of rows.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_none_or(|ending| ending != "rows"));
    files.sort();
    files
}

/// The folder of a format.
fn folder(name: &str) -> PathBuf {
    let plain = name.to_lowercase().replace(',', "");
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(plain.replace(' ', "-"))
}

fn expected(file: &Path) -> String {
    let rows = PathBuf::from(format!("{}.rows", file.display()));
    fs::read_to_string(&rows).unwrap_or_else(|error| panic!("{}: {error}", rows.display()))
}

/// A line for each detection: file or key of the image, class, corners, score. One without any has a line of its own if it
/// has a key.
fn rows_of_predictions(predictions: &Predictions) -> String {
    let mut rows = String::new();
    let detections = predictions.detections();
    for file in predictions.files().iter() {
        let range = file.detections.clone().unwrap_or_else(|error| panic!("{error}"));
        if range.is_empty() && file.source.holder.is_some() {
            let _ = writeln!(rows, "{}", file.path);
        }
        for at in range.start as usize..range.end as usize {
            let (bbox, score) = (detections.box_in_file(at), detections.score_in_file(at));
            let corners = [bbox.x1, bbox.y1, bbox.x2, bbox.y2].map(|number| number.to_string()).join("\t");
            let _ = writeln!(rows, "{}\t{}\t{corners}\t{score}", file.path, detections.name(at));
        }
    }
    rows
}

/// A line for each lesion, image by image and class by class, then for each that is ignored.
fn rows_of_ground_truth(truth: &GroundTruth) -> String {
    let mut rows = String::new();
    for (image, name) in truth.images().iter().enumerate() {
        if truth.is_lesion_free(image) {
            let _ = writeln!(rows, "{name}");
        }
        for class in truth.classes() {
            for bbox in truth.lesions_in_file(class, image) {
                let corners = [bbox.x1, bbox.y1, bbox.x2, bbox.y2].map(|number| number.to_string()).join("\t");
                let _ = writeln!(rows, "{name}\t{}\t{corners}", truth.class_name(class));
            }
        }
        for IgnoredLesion { class_name, bbox, reason, .. } in truth.ignored_in(image) {
            let corners = [bbox.x1, bbox.y1, bbox.x2, bbox.y2].map(|number| number.to_string()).join("\t");
            let _ = writeln!(rows, "{name}\t{class_name}\t{corners}\t{reason:?}");
        }
    }
    rows
}

#[test]
fn a_table_of_corners_tells_sizes_of_images_unless_they_are_those_of_boxes() {
    let read = |rows: &str| {
        let text = format!("filename,width,height,class,xmin,ymin,xmax,ymax\n{rows}");
        froc::read_ground_truth("train.csv", text.as_bytes()).expect("a ground truth")
    };
    let sizes = |truth: &GroundTruth| {
        let size = |image| truth.size_of_image(image).map(|size| (size.width, size.height));
        (0..truth.n_images()).map(size).collect::<Vec<_>>()
    };
    let images = read("a.png,512,640,Mass,1,1,500,640\nb.png,,,Mass,1,1,9,9\na.png,512,640,Mass,5,5,9,9\n");
    assert_eq!(sizes(&images), [Some((512.0, 640.0)), None]);
    let boxes = read("a.png,499,639,Mass,1,1,500,640\nb.png,8,8,Mass,101,1,109,9\n");
    assert_eq!(sizes(&boxes), [None, None]);
}

#[test]
fn the_class_of_a_table_is_its_name_and_where_it_has_none_that_of_a_dataset_of_one_class() {
    let read = |text: &str| froc::input::read_predictions_of_all("t.csv", text.as_bytes()).expect("predictions");
    let box_of = "1,1,9,9";
    for (columns, row) in [
        ("image,xmin,ymin,xmax,ymax,confidence,class,name", format!("1.png,{box_of},0.5,0,Mass")),
        ("image,class,class_name,score,x1,y1,x2,y2", format!("1.png,0,Mass,0.5,{box_of}")),
        ("name,class,score,x1,y1,x2,y2", format!("1.png,Mass,0.5,{box_of}")),
    ] {
        assert_eq!(read(&format!("{columns}\n{row}\n")).detections().names(), ["Mass"], "{columns}");
    }
    // A ground truth of both tells the number of each class as well.
    let both = "image,class,class_name,x1,y1,x2,y2\n1.png,7,Mass,1,1,9,9\n1.png,3,Nodule,1,1,9,9\n";
    let both = froc::read_ground_truth("truth.csv", both.as_bytes()).expect("a ground truth");
    let numbered = read(&format!("image,class,score,x1,y1,x2,y2\n1.png,3,0.5,{box_of}\n"));
    let run = Run::new(&both, &Arc::new(numbered)).expect("a run");
    let n_of = |class| (both.class_name(class), run.ranking(class).scores().len());
    assert_eq!(both.classes().map(n_of).collect::<BTreeSet<_>>(), BTreeSet::from([("Mass", 0), ("Nodule", 1)]));
    let unnamed = format!("image,score,x1,y1,x2,y2\n1.png,0.5,{box_of}\n");
    let truth = |rows: &str| {
        let text = format!("image,class_name,x1,y1,x2,y2\n{rows}");
        froc::read_ground_truth("truth.csv", text.as_bytes()).expect("a ground truth")
    };
    let found = |truth: &GroundTruth| {
        let run = Run::new(truth, &Arc::new(read(&unnamed))).expect("a run");
        truth.classes().map(|class| run.ranking(class).scores().len()).sum::<usize>()
    };
    assert_eq!(found(&truth(&format!("1.png,Lung Opacity,{box_of}\n"))), 1);
    assert_eq!(found(&truth(&format!("1.png,Mass,{box_of}\n1.png,Nodule,{box_of}\n"))), 0);
}

#[test]
fn every_file_of_predictions_holds_its_rows() {
    for format in FORMATS {
        let files = files(&folder(format.name));
        assert!(!files.is_empty(), "{}: no files", format.name);
        for file in files {
            let bytes = fs::read(&file).expect("a file");
            let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            let sniffed = FORMATS.iter().find(|format| (format.sniff)(&bytes)).map(|format| format.name);
            assert_eq!(sniffed, Some(format.name), "{}", file.display());
            let in_zip = read_predictions(&stored_zip_of(&[(name, &bytes)])).expect("a zip");
            assert_eq!(rows_of_predictions(&in_zip), expected(&file), "{}", file.display());
            let is_of_all = matches!(format.read, ReadDetections::OfRun(_));
            assert_eq!(identify(name, &bytes).ok(), is_of_all.then_some(Kind::PredictionsOfAll), "{}", file.display());
            if is_of_all {
                let alone = froc::input::read_predictions_of_all(name, &bytes).expect("predictions");
                assert_eq!(rows_of_predictions(&alone), expected(&file), "{}, by itself", file.display());
            }
            let source = in_zip.files().get(0).map(|file| file.source.clone()).expect("a file");
            let is_script = format.name == FORMATS[0].name;
            assert_eq!(source.format, (!is_script).then_some(format.name), "{}", file.display());
        }
    }
}

#[test]
fn every_ground_truth_holds_its_rows() {
    for format in GROUND_TRUTHS {
        let files = files(&folder(format.name));
        assert!(!files.is_empty(), "{}: no files", format.name);
        for file in files {
            let bytes = fs::read(&file).expect("a file");
            let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            let sniffed = GROUND_TRUTHS.iter().find(|format| (format.sniff)(&bytes)).map(|format| format.name);
            assert_eq!(sniffed, Some(format.name), "{}", file.display());
            assert_eq!(identify(name, &bytes), Ok(Kind::GroundTruth), "{}", file.display());
            let truth = froc::read_ground_truth(name, &bytes).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(rows_of_ground_truth(&truth), expected(&file), "{}", file.display());
        }
    }
}

#[test]
fn results_belong_to_images_and_categories_that_have_ids_alone() {
    let truth = folder("COCO instances").join("ids-alone.json");
    let truth = froc::read_ground_truth("truth.json", &fs::read(truth).expect("a file")).expect("a ground truth");
    let results = br#"[{"image_id": 397133, "category_id": 44, "bbox": [217, 240, 40, 58], "score": 0.9}]"#;
    let predictions = froc::input::read_predictions_of_all("results.json", results).expect("results");
    let run = froc::Run::new(&truth, &predictions).expect("a run");
    let report = froc::evaluate(&truth, &[&run], &froc::Options::default());
    assert_eq!((report.runs[0].exact.average_recall, report.runs[0].n_files), (Some(1.0), 1));
}

#[test]
fn every_file_of_labels_holds_its_rows() {
    for format in LABELS {
        let files = files(&folder(format.name));
        assert!(!files.is_empty(), "{}: no files", format.name);
        for file in files {
            let bytes = fs::read(&file).expect("a file");
            let name = file.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            assert!((format.sniff)(&bytes), "{}", file.display());
            let mut labels = Labels::default();
            labels.add(name, &bytes).unwrap_or_else(|error| panic!("{error}"));
            let truth = labels.finish("labels.zip", String::new()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(rows_of_ground_truth(&truth), expected(&file), "{}", file.display());
        }
    }
}

/// Every folder is of a format, so that none is passed over.
#[test]
fn every_folder_is_of_a_format() {
    let names = FORMATS.iter().map(|format| format.name).chain(GROUND_TRUTHS.iter().map(|format| format.name));
    let names = names.chain(LABELS.iter().map(|format| format.name));
    let formats: BTreeSet<PathBuf> = names.map(folder).collect();
    let there: BTreeSet<PathBuf> = files(&folder("")).into_iter().collect();
    assert_eq!(there, formats);
}
