//! What is wrong with files that score low for no fault of the model: found on evidence, said in a sentence, and mended by
//! a reading where that is mechanical.

use std::path::Path;
use std::sync::Arc;

use froc::doctor::nearest;
use froc::finding::Remedy;
use froc::input::remedy::loose_name;
use froc::report::{FindingReport, Report};
use froc::{GroundTruth, Options, Reading};
use serde_json::{Value, json};

use crate::support::{CLASSES, read_ground_truth, read_predictions, zip_of};

const N_IMAGES: usize = 60;

/// The lesion of an image: one of every class in turn, nowhere near the diagonal, so that other layouts miss it.
fn lesion(image: usize) -> (usize, [f64; 4]) {
    let (x, y) = (40.0 + 7.0 * image as f64, 700.0 - 3.0 * image as f64);
    (image % CLASSES.len(), [x, y, x + 80.0, y + 50.0])
}

fn truth_named(name: impl Fn(usize) -> String) -> GroundTruth {
    let record = |image: usize| {
        let (class, bbox) = lesion(image);
        json!({ "file_name": name(image), "syms": [CLASSES[class]], "boxes": [bbox] })
    };
    let records: Vec<Value> = (0..N_IMAGES).map(record).collect();
    read_ground_truth(&serde_json::to_vec(&records).expect("plain values")).expect("a ground truth")
}

fn truth() -> GroundTruth {
    truth_named(|image| format!("{image:05}.png"))
}

fn score_of(image: usize) -> f64 {
    0.2 + image as f64 / 100.0
}

/// A run with one file an image, whose entries are made of its lesion.
fn run(entries: impl Fn(usize, &'static str, [f64; 4]) -> Value) -> Vec<u8> {
    run_named(|image| format!("{image:05}.json"), entries)
}

fn run_named(name: impl Fn(usize) -> String, entries: impl Fn(usize, &'static str, [f64; 4]) -> Value) -> Vec<u8> {
    let file = |image: usize| {
        let (class, bbox) = lesion(image);
        (name(image), entries(image, CLASSES[class], bbox).to_string())
    };
    zip_of(&(0..N_IMAGES).map(file).collect::<Vec<_>>())
}

fn perfect(image: usize, class: &str, [x1, y1, x2, y2]: [f64; 4]) -> Value {
    json!([{ class: [x1, y1, x2, y2, score_of(image)] }])
}

fn report(truth: &GroundTruth, zips: &[&[u8]], reading: &Reading) -> Report {
    let predictions = zips.iter().map(|zip| Arc::new(read_predictions(zip).expect("a zip")));
    let prepared: Vec<_> =
        predictions.flat_map(|one| froc::prepare(truth, &one, reading).expect("a run that can be scored")).collect();
    let runs: Vec<_> = prepared.iter().map(|prepared| &prepared.run).collect();
    froc::evaluate(truth, &runs, &Options::default())
}

fn findings(truth: &GroundTruth, zip: &[u8]) -> Vec<FindingReport> {
    report(truth, &[zip], &Reading::default()).runs[0].findings.clone()
}

fn found(report: &Report) -> usize {
    report.runs[0].classes.iter().map(|class| class.true_positives).sum()
}

/// The one finding of that code; the official number stays, and the remedy, if there is one, makes the run perfect.
#[track_caller]
fn diagnosed(truth: &GroundTruth, zip: &[u8], code: &str) -> FindingReport {
    let before = report(truth, &[zip], &Reading::default());
    assert_eq!(before.runs[0].reading, None);
    let codes: Vec<&str> = before.runs[0].findings.iter().map(|finding| finding.code.as_str()).collect();
    let finding = before.runs[0].findings.iter().find(|finding| finding.code == code);
    let finding = finding.unwrap_or_else(|| panic!("{code} is not among {codes:?}")).clone();
    if let Some(Remedy { reading, .. }) = &finding.remedy {
        let after = report(truth, &[zip], reading);
        assert_eq!(found(&after), N_IMAGES, "read by {}", reading.flags());
        let how = after.runs[0].reading.clone().expect("the report says how it was read");
        assert_eq!(how.reading, *reading);
        assert!(after.runs[0].findings.iter().all(|finding| finding.code != code), "{code} is still said");
    }
    finding
}

#[test]
fn a_right_run_is_left_in_peace() {
    assert_eq!(findings(&truth(), &run(perfect)), []);
}

// --- class names ---

#[test]
fn class_names_in_another_spelling_are_read_one_by_one_by_choice() {
    let spellings: [fn(&str) -> String; 5] = [
        str::to_uppercase,
        |class| format!("{class} "),
        |class| format!("{}s", class.to_lowercase()),
        |class| class.replacen('s', "", 1),
        |class| match class {
            "Effusion" => "Pleural Effusion".to_owned(),
            "Consolidation" => "Airspace consolidation".to_owned(),
            "Fracture" => "rib fractures".to_owned(),
            _ => class.to_owned(),
        },
    ];
    for spell in spellings {
        let zip = run(|image, class, bbox| perfect(image, &spell(class), bbox));
        let (mut reading, mut n_offers) = (Reading::default(), 0);
        while let Some(remedy) = report(&truth(), &[&zip], &reading).runs[0].findings.iter().find_map(|finding| {
            (finding.code == "unread_class_name").then(|| finding.remedy.clone().expect("a remedy"))
        }) {
            reading = remedy.reading;
            n_offers += 1;
            assert_eq!(reading.class_names.len(), n_offers, "one name at a time");
        }
        assert_eq!(found(&report(&truth(), &[&zip], &reading)), N_IMAGES, "{}", spell("Nodule"));
    }
    let zip = run(|image, class, bbox| perfect(image, &class.replace("Atelectasis", "ATELECTASIS"), bbox));
    let finding = diagnosed(&truth(), &zip, "unread_class_name");
    assert_eq!(finding.count, N_IMAGES / CLASSES.len());
    assert_eq!(
        finding.sentence,
        "6 boxes stand under the class name \"ATELECTASIS\", which the official script does not read but which seems to mean Atelectasis."
    );
    assert_eq!(finding.remedy.expect("a remedy").label, "Read \"ATELECTASIS\" as Atelectasis");
}

#[test]
fn another_thing_is_never_read_as_a_class() {
    let others = ["Diffuse Nodule", "non-nodule", "no_nodule", "NonNodule", "Subcutaneous Emphysema", "no fracture"];
    for other in others {
        let zip = run(
            |image, class, [x1, y1, x2, y2]| json!([{ class: [x1, y1, x2, y2, score_of(image)] }, { other: [10, 10, 900, 900, 0.95] }]),
        );
        let report = report(&truth(), &[&zip], &Reading::default());
        assert_eq!(found(&report), N_IMAGES);
        let [finding] = &report.runs[0].findings[..] else { panic!("{other}: {:?}", report.runs[0].findings) };
        assert_eq!((finding.code.as_str(), finding.count, &finding.remedy), ("unread_class_name", N_IMAGES, &None));
        assert_eq!(finding.examples, [format!("\"{other}\" ({N_IMAGES} boxes)")]);
    }
}

#[test]
fn a_name_that_the_ground_truth_lists_is_no_class() {
    let record = |image: usize| {
        let (class, bbox) = lesion(image);
        json!({ "file_name": format!("{image:05}.png"), "syms": [CLASSES[class], "Noduls"], "boxes": [bbox, [10, 10, 900, 900]] })
    };
    let records: Vec<Value> = (0..N_IMAGES).map(record).collect();
    let truth = read_ground_truth(&serde_json::to_vec(&records).expect("plain values")).expect("a ground truth");
    let zip = run(
        |image, class, [x1, y1, x2, y2]| json!([{ class: [x1, y1, x2, y2, score_of(image)] }, { "Noduls": [10, 10, 900, 900, 0.95] }]),
    );
    // It is a class of that ground truth; where ten alone are scored, it is none, and means none of them.
    assert_eq!(findings(&truth, &zip), []);
    let of_ten = truth.under(Some(&froc::protocol::Protocol::default())).expect("a ground truth");
    assert_eq!(diagnosed(&of_ten, &zip, "unread_class_name").remedy, None);
}

#[test]
fn a_class_given_as_a_number_is_read_by_the_numbering_that_fits() {
    for first in [0, 1] {
        let number = |class: &str| first + CLASSES.iter().position(|other| *other == class).expect("a class");
        let zip = run(|image, class, bbox| perfect(image, &number(class).to_string(), bbox));
        assert!(diagnosed(&truth(), &zip, "unread_class_name").remedy.is_some(), "from {first}");
    }
}

/// The ground truth of this file as COCO writes it, its categories counted from 1.
fn coco_truth() -> GroundTruth {
    let images: Vec<Value> =
        (0..N_IMAGES).map(|image| json!({ "id": image, "file_name": format!("{image:05}.png") })).collect();
    let annotation = |image: usize| {
        let (class, [x1, y1, x2, y2]) = lesion(image);
        json!({ "id": image, "image_id": image, "category_id": class + 1, "bbox": [x1, y1, x2 - x1, y2 - y1] })
    };
    let annotations: Vec<Value> = (0..N_IMAGES).map(annotation).collect();
    let categories: Vec<Value> = CLASSES.iter().zip(1..).map(|(name, id)| json!({ "id": id, "name": name })).collect();
    let coco = json!({ "images": images, "annotations": annotations, "categories": categories });
    read_ground_truth(&serde_json::to_vec(&coco).expect("plain values")).expect("a ground truth")
}

#[test]
fn no_scale_is_offered_that_gains_no_recall() {
    // A dozen good boxes, each a pixel and a half off: a factor fits them a little better.
    let lesions: [[f64; 4]; 12] = [
        [252.0, 43.0, 31.0, 80.0],
        [142.0, 292.0, 59.0, 44.0],
        [252.0, 208.0, 84.0, 70.0],
        [237.0, 78.0, 76.0, 32.0],
        [269.0, 207.0, 74.0, 88.0],
        [118.0, 146.0, 66.0, 35.0],
        [42.0, 256.0, 91.0, 31.0],
        [20.0, 160.0, 84.0, 118.0],
        [168.0, 13.0, 39.0, 33.0],
        [80.0, 203.0, 78.0, 78.0],
        [131.0, 164.0, 85.0, 53.0],
        [180.0, 248.0, 75.0, 106.0],
    ];
    let corners = |[x, y, width, height]: [f64; 4], by: f64| [x + by, y, x + by + width, y + height];
    let record = |(image, bbox): (usize, &[f64; 4])| json!({ "file_name": format!("{image}.png"), "syms": ["Nodule"], "boxes": [corners(*bbox, 0.0)] });
    let records: Vec<Value> = lesions.iter().enumerate().map(|(at, bbox)| record((at, bbox))).collect();
    let truth = read_ground_truth(&serde_json::to_vec(&records).expect("plain values")).expect("a ground truth");
    let file = |(image, bbox): (usize, &[f64; 4])| {
        let [x1, y1, x2, y2] = corners(*bbox, 1.5);
        (format!("{image}.json"), json!([{ "Nodule": [x1, y1, x2, y2, score_of(image)] }]).to_string())
    };
    let zip = zip_of(&lesions.iter().enumerate().map(|(at, bbox)| file((at, bbox))).collect::<Vec<_>>());
    assert_eq!(found(&report(&truth, &[&zip], &Reading::default())), lesions.len());
    let offered: Vec<FindingReport> = findings(&truth, &zip).into_iter().filter(|of| of.remedy.is_some()).collect();
    assert_eq!(offered, []);
}

#[test]
fn one_lesion_that_is_inverted_is_no_layout() {
    let record = |image: usize| {
        let (class, [x1, y1, x2, y2]) = lesion(image);
        let bbox = if image == 0 { [x1, y2, x2, y1] } else { [x1, y1, x2, y2] };
        json!({ "file_name": format!("{image:05}.png"), "syms": [CLASSES[class]], "boxes": [bbox] })
    };
    let records: Vec<Value> = (0..N_IMAGES).map(record).collect();
    let truth = read_ground_truth(&serde_json::to_vec(&records).expect("plain values")).expect("a ground truth");
    let of_all = report(&truth, &[&run(perfect)], &Reading::default());
    let findings = of_all.runs[0].findings.iter();
    let sentences: Vec<&str> =
        findings.filter(|of| of.code == "inverted_lesions").map(|of| of.sentence.as_str()).collect();
    let sentence = "1 of 60 lesions of the ground truth has x2 below x1 or y2 below y1, a negative width or height.";
    assert_eq!(sentences, [sentence]);
}

/// The number that a model writes for a class.
type Numbering<'a> = &'a dyn Fn(&str) -> usize;

#[test]
fn numbers_that_mean_other_classes_are_found_out_and_what_is_offered_scores_as_the_names_do() {
    let place = |class: &str| CLASSES.iter().position(|other| *other == class).expect("a class");
    let mut by_name = CLASSES;
    by_name.sort_unstable();
    let alphabetical = |class: &str| by_name.iter().position(|other| *other == class).expect("a class");
    let numberings: [(&str, Numbering<'_>); 4] = [
        ("counted from 0, ", &place),
        ("counted from 0 in alphabetical order, ", &alphabetical),
        ("counted from 1 in alphabetical order, ", &|class| alphabetical(class) + 1),
        ("each taken for the class that most of its boxes lie on, ", &|class| 7 * place(class) % 10 + 3),
    ];
    for truth in [truth(), coco_truth()] {
        for (how, number) in &numberings {
            // Half of the boxes are on no lesion.
            let zip = run(|image, class, [x1, y1, x2, y2]| {
                let name = number(class).to_string();
                json!([{ &name: [x1, y1, x2, y2, score_of(image)] }, { &name: [x1 + 300.0, y1, x2 + 300.0, y2, 0.1] }])
            });
            let finding = diagnosed(&truth, &zip, "unread_class_name");
            assert!(finding.sentence.contains(how), "{how}: {}", finding.sentence);
            assert!(finding.sentence.contains("100% do"), "{}", finding.sentence);
            // Lower case is read where there is a script.
            assert_eq!(finding.fix.contains("lower case"), truth.protocol().has_script());
            let remedy = finding.remedy.expect("a remedy");
            assert_eq!(found(&report(&truth, &[&zip], &remedy.reading)), N_IMAGES, "{how}");
        }
    }
    let loud = run(|image, class, bbox| perfect(image, &class.to_uppercase(), bbox));
    for (truth, who) in
        [(truth(), "the official script does not read"), (coco_truth(), "the ground truth does not have")]
    {
        let told = findings(&truth, &loud);
        let sentence = &told.iter().find(|of| of.code == "unread_class_name").expect("a finding").sentence;
        assert!(sentence.contains(&format!(", which {who} but which seems to mean ")), "{sentence}");
    }
    // Right numbers are let be, however bad the detector is, and so are numbers of boxes that lie on nothing.
    let right = |class: &str| (place(class) + 1).to_string();
    let good = run(|image, class, bbox| perfect(image, &right(class), bbox));
    let bad = run(|image, class, bbox| {
        let other = if image % 3 == 0 { CLASSES[(image + 1) % 10] } else { class };
        perfect(image, &right(other), bbox)
    });
    for zip in [good, bad] {
        let findings = report(&coco_truth(), &[&zip], &Reading::default()).runs[0].findings.clone();
        assert!(findings.iter().all(|finding| finding.code != "unread_class_name"), "{findings:?}");
    }
    let nowhere = run(|image, class, _| perfect(image, &place(class).to_string(), [1.0, 1.0, 9.0, 9.0]));
    assert_eq!(diagnosed(&truth(), &nowhere, "unread_class_name").remedy, None);
}

#[test]
fn a_chosen_name_under_which_no_box_stands_is_told() {
    let zip = run(|image, class, bbox| perfect(image, &class.to_uppercase(), bbox));
    let chosen = |name: &str| {
        let class_names = [(name.to_owned(), "Nodule".to_owned())].into();
        let reading = Reading { class_names, ..Reading::default() };
        let findings = report(&truth(), &[&zip], &reading).runs[0].findings.clone();
        findings.into_iter().find(|finding| finding.code == "class_name_not_there")
    };
    assert_eq!(chosen("NODULE"), None);
    let finding = chosen("NODULES").expect("a finding");
    assert_eq!(finding.sentence, "No box stands under a class name that is to be read as another.");
    assert_eq!(finding.examples, ["\"NODULES\" for Nodule"]);
    assert!(finding.fix.starts_with("Check how the files write them; they have "), "{}", finding.fix);
    assert!(finding.fix.contains("NODULE,") || finding.fix.ends_with("NODULE."), "{}", finding.fix);
}

#[test]
fn a_chosen_class_counts_whatever_the_name_stands_for() {
    // Nodule and Mass change places.
    let zip = run(|image, class, bbox| {
        let name = match class {
            "Nodule" => "Mass",
            "Mass" => "Nodule",
            class => class,
        };
        perfect(image, name, bbox)
    });
    let class_names = [("Mass", "Nodule"), ("Nodule", "Mass")].map(|(name, class)| (name.to_owned(), class.to_owned()));
    let reading = Reading { class_names: class_names.into(), ..Reading::default() };
    assert_eq!(found(&report(&truth(), &[&zip], &Reading::default())), N_IMAGES * 8 / 10);
    assert_eq!(found(&report(&truth(), &[&zip], &reading)), N_IMAGES);
}

#[test]
fn a_name_that_means_no_class_is_given_none() {
    let protocol = froc::protocol::Protocol::default();
    let name = |name| nearest(name, &protocol).map(|class| protocol.class_name(class));
    assert_eq!(name("Masses"), Some("Mass"));
    assert_eq!(name("pneumotorax"), Some("Pneumothorax"));
    assert_eq!(name("Hernia"), None);
    assert_eq!(name("Mass or Nodule"), None);
    assert_eq!(name(""), None);
    let finding = diagnosed(&truth(), &run(|image, _, bbox| perfect(image, "Hernia", bbox)), "unread_class_name");
    assert_eq!(finding.remedy, None);
    assert_eq!(finding.examples, ["\"Hernia\" (60 boxes)"]);
}

#[test]
fn an_entry_with_both_spellings_is_told() {
    let zip = run(
        |image, class, [x1, y1, x2, y2]| json!([{ class: [x1, y1, x2, y2, score_of(image)], class.to_lowercase(): [0, 0, 1, 1, 0.9] }]),
    );
    let finding = diagnosed(&truth(), &zip, "both_spellings");
    assert_eq!(finding.count, N_IMAGES);
    assert_eq!(finding.sentence, "60 entries hold a class in both spellings; the lower-case ones are not read.");
}

// --- boxes ---

/// A run whose boxes are changed, and the code under which that is found.
#[track_caller]
fn boxes_are_mended(change: impl Fn([f64; 4]) -> [f64; 4], code: &str, label: &str) {
    let zip = run(|image, class, bbox| perfect(image, class, change(bbox)));
    let finding = diagnosed(&truth(), &zip, code);
    assert!(
        finding
            .sentence
            .starts_with("Read as x1, y1, x2, y2 in pixels, 0% of the boxes lie on a lesion of their class, ")
    );
    assert!(finding.sentence.contains(", 100% do, "), "{}", finding.sentence);
    assert_eq!(finding.remedy.expect("a remedy").label, label);
}

#[test]
fn boxes_as_x_y_width_height() {
    boxes_are_mended(
        |[x1, y1, x2, y2]| [x1, y1, x2 - x1, y2 - y1],
        "box_layout",
        "Read the boxes as x, y, width, height",
    );
}

#[test]
fn swapped_corners() {
    boxes_are_mended(
        |[x1, y1, x2, y2]| [x2, y2, x1, y1],
        "box_layout",
        "Read the boxes with swapped corners put in order",
    );
}

#[test]
fn x_and_y_exchanged() {
    boxes_are_mended(|[x1, y1, x2, y2]| [y1, x1, y2, x2], "box_layout", "Read the boxes as y1, x1, y2, x2");
}

#[test]
fn coordinates_as_fractions_of_the_image() {
    boxes_are_mended(
        |bbox| bbox.map(|number| number / 1024.0),
        "other_image_size",
        "Read the boxes as x1, y1, x2, y2, times 1024",
    );
    boxes_are_mended(
        |[x1, y1, x2, y2]| [x1, y1, x2 - x1, y2 - y1].map(|number| number / 1024.0),
        "box_layout",
        "Read the boxes as x, y, width, height, times 1024",
    );
}

#[test]
fn boxes_of_another_image_size() {
    boxes_are_mended(
        |bbox| bbox.map(|number| number / 2.0),
        "other_image_size",
        "Read the boxes as x1, y1, x2, y2, times 2",
    );
    boxes_are_mended(
        |bbox| bbox.map(|number| number * 2.0),
        "other_image_size",
        "Read the boxes as x1, y1, x2, y2, times 0.5",
    );
}

#[test]
fn boxes_outside_the_image() {
    let zip = run(|image, class, bbox| {
        perfect(image, class, if image < 3 { bbox.map(|number| number + 2000.0) } else { bbox })
    });
    let finding = diagnosed(&truth(), &zip, "box_outside_image");
    assert_eq!(finding.count, 3);
    assert_eq!(finding.sentence, "3 boxes lie wholly outside an image of 1024 x 1024 pixels.");
    assert_eq!(finding.examples[0], "[2040, 2700, 2120, 2750] in 00000.png");
}

// --- file names ---

#[test]
fn names_that_nearly_match_are_matched_by_choice() {
    let names: [fn(usize) -> String; 8] = [
        |image| format!("{image:05}_pred.json"),
        |image| format!("boxes-{image}-v2.json"),
        |image| format!("{image:05} .json"),
        |image| format!("{image:05}.JSON"),
        |image| format!("{image}.json"),
        |image| format!("{image:05}.png.json"),
        |image| format!("out/{image:08}.json"),
        |image| format!("{image:05}.Png.Json"),
    ];
    for name in names {
        let finding = diagnosed(&truth(), &run_named(name, perfect), "file_name_nearly_matches");
        assert!(finding.remedy.is_some(), "{}", name(7));
        assert_eq!(finding.examples[0], format!("{} for 00000.png", name(0)));
    }
    // Any folder is right already.
    assert_eq!(findings(&truth(), &run_named(|image| format!("some/folder/{image:05}.json"), perfect)), []);
}

#[test]
fn images_with_backslashes_in_their_names_are_matched_by_choice() {
    let truth = truth_named(|image| format!("test_data\\{image}.png"));
    let finding = diagnosed(&truth, &run_named(|image| format!("{image}.json"), perfect), "file_name_nearly_matches");
    assert!(finding.remedy.is_some());
}

#[test]
fn a_match_that_is_ambiguous_is_not_offered() {
    let truth = truth_named(|image| match image {
        0 => "01.png".to_owned(),
        1 => "001.png".to_owned(),
        _ => format!("{image}.png"),
    });
    let zip = run_named(|image| format!("{image}.json"), perfect);
    let all = findings(&truth, &zip);
    assert!(all.iter().all(|finding| finding.remedy.is_none()), "{all:?}");
    let zip = run_named(
        |image| if image < 2 { ["07.json", "007.json"][image].to_owned() } else { format!("{image}.json") },
        perfect,
    );
    let all = findings(&truth_named(|image| format!("{image}.png")), &zip);
    assert!(all.iter().all(|finding| finding.remedy.is_none()), "{all:?}");
}

#[test]
fn upper_case_and_zero_padding_are_ignored_in_loose_names_and_nothing_else_is() {
    assert_eq!(loose_name("a/IMG_007.PNG"), "img_7");
    assert_eq!(loose_name("00000003_003.json"), "3_3");
    assert_eq!(loose_name("100.json"), "100");
    assert_eq!(loose_name("000.json"), "0");
    assert_ne!(loose_name("10.json"), loose_name("1.json"));
}

#[test]
fn names_of_the_other_list_of_images_are_told() {
    let nih = |image: usize, end: &str| format!("{:08}_{:03}.{end}", image + 1, image % 7);
    let numeric = run_named(|image| format!("{}.json", 36_000 + 31 * image), perfect);
    let finding = diagnosed(&truth_named(|image| nih(image, "png")), &numeric, "other_image_names");
    assert_eq!(
        finding.sentence,
        "The prediction files use the image names of ChestX-Det10, the ground truth those of NIH ChestX-ray14."
    );
    let named = run_named(|image| nih(image, "json"), perfect);
    let finding = diagnosed(&truth_named(|image| format!("{}.png", 36_000 + 31 * image)), &named, "other_image_names");
    assert_eq!(finding.fix, "Drop the ground truth with the image names of NIH ChestX-ray14; ChestX-Det10 lists both.");
}

#[test]
fn images_without_file_and_files_without_image_are_counted() {
    let zip =
        run_named(|image| if image < 4 { format!("other-{image}.json") } else { format!("{image:05}.json") }, perfect);
    let all = findings(&truth(), &zip);
    let count = |code: &str| all.iter().find(|finding| finding.code == code).map(|finding| finding.count);
    assert_eq!(count("image_without_file"), Some(4));
    assert_eq!(count("file_without_image"), Some(4));
}

#[test]
fn the_root_cause_comes_first_with_its_symptoms_behind_it() {
    let told = |zip: &[u8]| -> Vec<(String, Option<String>)> {
        findings(&truth(), zip).into_iter().map(|finding| (finding.code, finding.explained_by)).collect()
    };
    let by = |code: &str, cause: &str| (code.to_owned(), Some(cause.to_owned()));
    let root = |code: &str| (code.to_owned(), None);
    // Predictions for another split: all files but two belong to no image.
    let split = run_named(|image| format!("{:05}.json", if image < 2 { image } else { 70_000 + 13 * image }), perfect);
    let all = findings(&truth(), &split);
    assert_eq!(all[0].sentence, "58 of 60 prediction files belong to no image of the ground truth and are not read.");
    assert_eq!(
        told(&split),
        [
            root("file_without_image"),
            by("class_never_predicted", "file_without_image"),
            by("most_files_empty", "file_without_image"),
            by("image_without_file", "file_without_image")
        ]
    );
    // Names that match loosely explain the rest, too.
    let loose = run_named(|image| format!("{image:05}_pred.json"), perfect);
    let told_loose = told(&loose);
    assert_eq!(told_loose[0], root("file_name_nearly_matches"));
    assert!(
        told_loose.len() > 2
            && told_loose[1..].iter().all(|(_, cause)| cause.as_deref() == Some("file_name_nearly_matches"))
    );
    // A name that the ground truth does not have explains that its class is never detected, a few boxes do not.
    let unread = run(|image, class, bbox| perfect(image, &class.replace("Atelectasis", "Collapse"), bbox));
    assert_eq!(told(&unread), [root("unread_class_name"), by("class_never_predicted", "unread_class_name")]);
    let few = run(|image, class, bbox| match (image, class) {
        (0, _) => json!([{ "Collapse": [1, 1, 50, 50, 0.5] }]),
        (_, "Atelectasis") => json!([]),
        _ => perfect(image, class, bbox),
    });
    let told_few = told(&few);
    assert!(
        told_few.contains(&root("unread_class_name")) && told_few.contains(&root("class_never_predicted")),
        "{told_few:?}"
    );
}

// --- whole files ---

#[test]
fn the_ground_truth_among_the_predictions() {
    let zip = zip_of(&[("test.json", r#"[{"file_name": "1.png", "syms": [], "boxes": []}]"#), ("00000.json", "[]")]);
    let finding = diagnosed(&truth(), &zip, "ground_truth_in_predictions");
    assert_eq!(finding.examples, ["test.json"]);
}

#[test]
fn the_same_zip_twice() {
    let zip = run(perfect);
    let report = report(&truth(), &[&zip, &zip], &Reading::default());
    assert_eq!(report.runs[0].findings, []);
    assert_eq!(report.runs[1].findings[0].code, "same_file_twice");
    assert_eq!(report.runs[1].findings[0].sentence, "This is the same file as model.zip, byte for byte.");
}

#[test]
fn empty_files_and_empty_lists() {
    let zip = zip_of(
        &(0..N_IMAGES)
            .map(|image| (format!("{image:05}.json"), if image < 40 { "[]" } else { "" }))
            .collect::<Vec<_>>(),
    );
    assert_eq!(diagnosed(&truth(), &zip, "empty_file").count, 20);
    let finding = diagnosed(&truth(), &zip, "most_files_empty");
    assert_eq!(finding.sentence, "60 of 60 images with lesions have no detection at all.");
}

#[test]
fn a_class_that_is_never_predicted() {
    let zip = run(|image, class, bbox| if class == "Nodule" { json!([]) } else { perfect(image, class, bbox) });
    let finding = diagnosed(&truth(), &zip, "class_never_predicted");
    assert_eq!(finding.examples, ["Nodule"]);
    assert_eq!(finding.sentence, "1 class with lesions has no detection at all, so its recall is 0.");
}

// --- scores and overlaps ---

fn with_score(score: impl Fn(usize) -> f64) -> Vec<u8> {
    run(move |image, class, [x1, y1, x2, y2]| json!([{ class: [x1, y1, x2, y2, score(image)] }]))
}

#[test]
fn all_scores_equal() {
    let finding = diagnosed(&truth(), &with_score(|_| 1.0), "all_scores_equal");
    assert_eq!(finding.sentence, "All 60 detections have the score 1, so nothing ranks them.");
}

#[test]
fn scores_that_32_bits_make_equal() {
    let finding = diagnosed(&truth(), &with_score(|image| 1.0 - 1e-10 * image as f64), "all_scores_equal");
    assert_eq!(
        finding.sentence,
        "All 60 detections have the score 1 as the script keeps scores, with 32 bits (in the files none of them are equal), \
         so nothing ranks them."
    );
    let score = |image: usize| if image < 30 { 0.5 } else { 0.75 + 1e-10 * image as f64 };
    let finding = diagnosed(&truth(), &with_score(score), "many_ties");
    assert_eq!(
        finding.sentence,
        "60 of 60 detections share their score with another of their class as the script keeps scores, with 32 bits (in the \
         files 30 of them are equal)."
    );
}

#[test]
fn scores_in_percent() {
    let finding = diagnosed(&truth(), &with_score(|image| 30.0 + image as f64), "scores_in_percent");
    assert_eq!(finding.count, 60);
}

#[test]
fn many_exact_ties() {
    let finding = diagnosed(&truth(), &with_score(|image| if image < 30 { 0.5 } else { 0.75 }), "many_ties");
    assert_eq!(finding.sentence, "60 of 60 detections share their score with another of their class.");
}

#[test]
fn duplicate_detections() {
    let zip = run(|image, class, [x1, y1, x2, y2]| {
        let entry = json!({ class: [x1, y1, x2, y2, score_of(image)] });
        if image < 5 { json!([entry, entry]) } else { json!([entry]) }
    });
    assert_eq!(diagnosed(&truth(), &zip, "duplicate_detection").count, 5);
}

#[test]
fn boxes_outside_count_under_names_of_classes_alone() {
    let zip = run(|image, class, [x1, y1, x2, y2]| {
        let name = if image == 0 { "Nodule" } else { "Nothing" };
        json!([{ class: [x1, y1, x2, y2, score_of(image)] }, { name: [2000, 2000, 2100, 2100, 0.01] }])
    });
    assert_eq!(diagnosed(&truth(), &zip, "box_outside_image").count, 1);
}

#[test]
fn a_box_repeated_after_hundreds_of_others_is_counted() {
    let others = |n: usize| (0..n).map(|at| json!({"Nodule": [at, at % 7, 900 + at % 11, 950, 0.001]}));
    let zip = run(|image, class, [x1, y1, x2, y2]| {
        let entry = json!({ class: [x1, y1, x2, y2, score_of(image)] });
        let between = if image == 0 { 400 } else { 0 };
        let again = (image == 0).then(|| entry.clone());
        [entry].into_iter().chain(others(between)).chain(again).collect()
    });
    assert_eq!(diagnosed(&truth(), &zip, "duplicate_detection").count, 1);
    // -0 is 0.
    let signs = run(|image, class, [_, y1, x2, y2]| {
        let entry = |zero: f64| json!({ class: [zero, y1, x2, y2, score_of(image)] });
        if image == 0 { json!([entry(0.0), entry(-0.0)]) } else { json!([entry(0.0)]) }
    });
    assert_eq!(diagnosed(&truth(), &signs, "duplicate_detection").count, 1);
}

/// Five boxes on each other in every image, of which the best finds the lesion, and the others overlap it as much as they must.
fn piled() -> Vec<u8> {
    run(|image, class, [x1, y1, x2, y2]| {
        let at = |nth: i32| {
            let by = f64::from(nth);
            json!({ class: [x1 + by, y1, x2 + by, y2, score_of(image) - by / 1000.0] })
        };
        (0..5).map(at).collect()
    })
}

#[test]
fn many_boxes_on_top_of_each_other() {
    let finding = diagnosed(&truth(), &piled(), "no_suppression");
    assert_eq!(
        finding.sentence,
        "80% of the boxes overlap another one of their class in their image by more than 70%. With non-maximum suppression at IoU 0.5, 0 instead of 240 are a second box on a found lesion, and the mean recall at 0.2 false positives per image is 100% instead of 50%."
    );
    let remedy = finding.remedy.expect("it was tried");
    assert_eq!(remedy.label, "Suppress boxes that overlap a better one by more than IoU 0.5");
    assert_eq!(remedy.reading.flags(), "--nms 0.5");
    // What the person chose is left to the person.
    let chosen = report(&truth(), &[&piled()], &Reading { nms: Some(0.99), ..Reading::default() });
    let told = chosen.runs[0].findings.iter().find(|finding| finding.code == "no_suppression").expect("it is so");
    assert_eq!(told.remedy, None);
}

#[test]
fn suppression_is_not_offered_where_the_score_is_no_better_for_it() {
    // The best box of each image lies beside its lesion, and suppresses those that find it.
    let zip = run(|image, class, [x1, y1, x2, y2]| {
        let shifted = |by: f64, below: f64| json!({ class: [x1 + by, y1, x2 + by, y2, score_of(image) - below] });
        json!([shifted(32.0, 0.0), shifted(24.0, 0.003), shifted(22.0, 0.006)])
    });
    let told = diagnosed(&truth(), &zip, "no_suppression");
    assert_eq!(told.remedy, None);
    assert_eq!(told.sentence, "67% of the boxes overlap another one of their class in their image by more than 70%.");
}

// --- runs that are refused ---

#[test]
fn numbers_given_as_text_are_refused_and_read_by_choice() {
    let zip = run(|image, class, [x1, y1, x2, y2]| {
        if image < 2 {
            json!([{ class: [x1, y1.to_string(), x2, y2, "0.9"] }])
        } else {
            perfect(image, class, [x1, y1, x2, y2])
        }
    });
    let predictions = Arc::new(read_predictions(&zip).expect("a zip"));
    let refusal = froc::prepare(&truth(), &predictions, &Reading::default()).expect_err("text is no number");
    let sentences: Vec<String> = refusal.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "model.zip, 00000.json, entry 1, Consolidation: there is the text \"700\"; expected a number, without quotation marks.",
            "model.zip, 00001.json, entry 1, Fibrosis: there is the text \"697\"; expected a number, without quotation marks.",
        ]
    );
    let labels: Vec<&str> = refusal.remedies.iter().map(|remedy| remedy.label.as_str()).collect();
    assert_eq!(labels, ["Read numbers that are written as text", "Score without these 2 files"]);
    assert_eq!(found(&report(&truth(), &[&zip], &refusal.remedies[0].reading)), N_IMAGES);
    assert_eq!(found(&report(&truth(), &[&zip], &refusal.remedies[1].reading)), N_IMAGES - 2);
}

#[test]
fn files_that_cannot_be_read_are_left_out_by_choice() {
    let files = (0..N_IMAGES).map(|image| {
        let (class, bbox) = lesion(image);
        let text = if image < 3 { "{".to_owned() } else { perfect(image, CLASSES[class], bbox).to_string() };
        (format!("{image:05}.json"), text)
    });
    let zip = zip_of(&files.collect::<Vec<_>>());
    let predictions = Arc::new(read_predictions(&zip).expect("a zip"));
    let refusal = froc::prepare(&truth(), &predictions, &Reading::default()).expect_err("broken files");
    assert_eq!(refusal.errors.len(), 3);
    assert_eq!(refusal.remedies[0].label, "Score without these 3 files");
    let after = report(&truth(), &[&zip], &refusal.remedies[0].reading);
    assert_eq!((found(&after), after.runs[0].n_files), (N_IMAGES - 3, N_IMAGES - 3));
}

#[test]
fn one_folder_per_run_is_several_runs_by_choice() {
    let files: Vec<(String, String)> = ["runs/a", "runs/b"]
        .iter()
        .flat_map(|folder| {
            (0..N_IMAGES).map(move |image| {
                let (class, bbox) = lesion(image);
                (format!("{folder}/{image:05}.json"), perfect(image, CLASSES[class], bbox).to_string())
            })
        })
        .collect();
    let zip = zip_of(&files);
    let predictions = Arc::new(read_predictions(&zip).expect("a zip"));
    let refusal = froc::prepare(&truth(), &predictions, &Reading::default()).expect_err("two files an image");
    assert_eq!(refusal.remedies[0].label, "Score each of the 2 folders as a run");
    let after = report(&truth(), &[&zip], &refusal.remedies[0].reading);
    let names: Vec<&str> = after.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["model.zip/a", "model.zip/b"]);
    assert!(after.runs.iter().all(|run| run.findings.is_empty()));
}

// --- no false alarm ---

/// What is truly so in the golden cases; nothing else may be said of them.
const TRUE_OF_GOLDEN: &[(&str, &[&str])] = &[
    // Boxes drawn around the threshold by hand, many of them the same.
    ("boundary", &["duplicate_detection", "no_suppression"]),
    ("last-false-positive", &["class_never_predicted", "duplicate_detection", "image_without_file"]),
    ("leading-false-positive", &["class_never_predicted", "duplicate_detection", "image_without_file"]),
    ("none", &["class_never_predicted", "image_without_file"]),
    ("perfect", &["all_scores_equal"]),
    ("ties", &["many_ties", "image_without_file"]),
    // Each reading rule once, by hand.
    (
        "quirks",
        &[
            "unread_class_name",
            "class_never_predicted",
            "most_files_empty",
            "both_spellings",
            "empty_file",
            "file_without_image",
            "image_without_file",
        ],
    ),
];

#[test]
fn no_false_alarm_on_the_golden_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let elsewhere = std::env::var_os("GOLDEN_DIR").map_or_else(|| root.join("../shared/golden"), Into::into);
    let mut walked = 0;
    for place in [root.join("tests/golden"), elsewhere] {
        let Ok(folders) = std::fs::read_dir(&place) else {
            println!("no golden cases at {}", place.display());
            continue;
        };
        for folder in folders.map(|folder| folder.expect("a folder").path()).filter(|folder| folder.is_dir()) {
            let read = |name: &str| std::fs::read(folder.join(name)).expect("a golden file");
            let truth = read_ground_truth(&read("test.json")).expect("a ground truth");
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            let known = TRUE_OF_GOLDEN.iter().find(|(case, _)| *case == name).map_or(&[][..], |(_, codes)| codes);
            for finding in findings(&truth, &read("predictions.zip")) {
                assert!(known.contains(&finding.code.as_str()), "{name}: {} {}", finding.code, finding.sentence);
            }
            walked += 1;
        }
    }
    assert!(walked >= 9, "the golden cases of the project were not found");
}
