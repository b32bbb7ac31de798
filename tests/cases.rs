//! Inputs on which an evaluator goes wrong in real life, as a person gives them to the program: what it answers, and what an
//! offer reaches once it is taken.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{scratch, zip_of};

const N_IMAGES: usize = 12;

/// In each image one Nodule.
fn lesion(image: usize) -> [f64; 4] {
    let (x, y) = (100.0 + 60.0 * image as f64, 120.0 + 55.0 * image as f64);
    [x, y, x + 100.0, y + 80.0]
}

fn score_of(image: usize) -> f64 {
    (500.0 + 10.0 * image as f64) / 1000.0
}

fn name(image: usize) -> String {
    format!("{}", image + 1)
}

/// Something for each image.
fn each(of: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..N_IMAGES).map(of).collect()
}

/// `test.json`, with what `record` makes of an image.
fn truth() -> Value {
    each(|image| json!({ "file_name": name(image) + ".png", "syms": ["Nodule"], "boxes": [lesion(image)] })).into()
}

/// The box of an image as the official script reads it.
fn entry(image: usize) -> Value {
    let [x1, y1, x2, y2] = lesion(image);
    json!([{ "Nodule": [x1, y1, x2, y2, score_of(image)] }])
}

/// A zip with a file for each image.
fn zip(of: impl Fn(usize) -> Value) -> Vec<u8> {
    let entries: Vec<(String, String)> =
        (0..N_IMAGES).map(|image| (name(image) + ".json", of(image).to_string())).collect();
    zip_of(&entries)
}

/// A folder with files of a test.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        Self(scratch(&format!("cases-{test}")))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a scratch file");
        path
    }
}

/// The report of the program; its sentences where it refuses.
fn score(truth: &Path, predictions: &Path, more: &[&str]) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
    command.args(["score", "--format", "json", "--ground-truth"]).arg(truth).arg("--predictions").arg(predictions);
    let output = command.args(more).output().expect("the program starts");
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).expect("JSON"));
    }
    Err(String::from_utf8(output.stderr).expect("UTF-8"))
}

/// The recall of the class Nodule at each rate, exact, and whether the report calls numbers official.
fn nodules(report: &Value) -> (Vec<f64>, bool) {
    let run = &report["runs"][0];
    let classes = run["classes"].as_array().expect("classes");
    let class = classes.iter().find(|class| class["name"] == "Nodule").expect("the class");
    let recall = class["exact"]["recall"].as_array().expect("a recall a rate");
    let recall = recall.iter().map(|recall| recall.as_f64().expect("lesions")).collect();
    (recall, run["official"]["is_official"].as_bool().expect("told"))
}

/// What the doctor found, by code.
fn findings(report: &Value) -> Vec<String> {
    let findings = report["runs"][0]["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

/// Scores, and finds every lesion at every rate, with nothing to say about the files.
fn assert_perfect(what: &str, truth: &Path, predictions: &Path, is_official: bool) {
    let report = score(truth, predictions, &[]).unwrap_or_else(|sentences| panic!("{what}: {sentences}"));
    assert_eq!(nodules(&report), (vec![1.0; 3], is_official), "{what}");
    assert_eq!(findings(&report), [""; 0], "{what}");
}

#[test]
fn the_official_files_find_every_lesion() {
    let files = Files::new("official");
    let truth = files.write("test.json", truth().to_string());
    assert_perfect("perfect.zip", &truth, &files.write("perfect.zip", zip(entry)), true);
}

#[test]
fn records_of_an_image_are_read() {
    let files = Files::new("records");
    let truth = files.write("test.json", truth().to_string());
    let corners = |image: usize| {
        let [x1, y1, x2, y2] = lesion(image);
        json!({ "xmin": x1, "ymin": y1, "xmax": x2, "ymax": y2 })
    };
    let label_score_box = zip(|image| json!([{ "label": "Nodule", "score": score_of(image), "box": corners(image) }]));
    assert_perfect("label_score_box.zip", &truth, &files.write("label_score_box.zip", label_score_box), false);
    let list_per_class = zip(|image| json!({ "Nodule": [entry(image)[0]["Nodule"]] }));
    assert_perfect("list_per_class.zip", &truth, &files.write("list_per_class.zip", list_per_class), false);
    let side_by_side =
        zip(|image| json!({ "boxes": [lesion(image)], "labels": ["Nodule"], "scores": [score_of(image)] }));
    assert_perfect("torchvision.zip", &truth, &files.write("torchvision.zip", side_by_side), false);
}

#[test]
fn one_file_for_all_images_is_read_in_a_zip_and_by_itself() {
    let files = Files::new("one-file");
    let truth = files.write("test.json", truth().to_string());
    for ending in [".png", ".json", ""] {
        let all: serde_json::Map<String, Value> =
            (0..N_IMAGES).map(|image| (name(image) + ending, entry(image))).collect();
        let text = Value::Object(all).to_string();
        let loose = files.write("predictions.json", &text);
        assert_perfect(ending, &truth, &loose, false);
        let zipped = files.write("one_file_dict.zip", zip_of(&[("predictions.json", &text)]));
        assert_perfect(&format!("{ending}, in a zip"), &truth, &zipped, false);
    }
}

/// A file of Pascal VOC for an image, with more in its object, or instead of it.
fn voc(image: usize, object: &str) -> String {
    let [x1, y1, x2, y2] = lesion(image);
    let bbox = format!("<bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox>");
    let object = object.replace("BOX", &bbox);
    format!("<annotation><filename>{}.png</filename><object>{object}</object></annotation>", name(image))
}

const VOC_OBJECT: &str = "<name>Nodule</name>BOX";

#[test]
fn a_ground_truth_in_one_file_for_each_image_is_read() {
    let files = Files::new("labels");
    let run = files.write("perfect.zip", zip(entry));
    let entries: Vec<(String, String)> = (0..N_IMAGES)
        .flat_map(|image| {
            let annotation = (format!("VOC/Annotations/{}.xml", name(image)), voc(image, VOC_OBJECT));
            [annotation, (format!("VOC/JPEGImages/{}.png", name(image)), "a picture".to_owned())]
        })
        .collect();
    assert_perfect("voc.zip", &files.write("voc.zip", zip_of(&entries)), &run, false);
    let folder = files.0.join("Annotations");
    fs::create_dir_all(&folder).expect("a scratch folder");
    for image in 0..N_IMAGES {
        fs::write(folder.join(name(image) + ".xml"), voc(image, VOC_OBJECT)).expect("a scratch file");
    }
    assert_perfect("a folder", &folder, &run, false);
    let report = score(&folder, &run, &[]).expect("a report");
    assert_eq!(report["ground_truth"]["n_images"], N_IMAGES);
}

#[test]
fn a_table_of_lesions_is_a_ground_truth() {
    let files = Files::new("table-of-lesions");
    let run = files.write("perfect.zip", zip(entry));
    // NIH's own header, whose box has four columns, and a table with an image without lesions.
    let nih = (0..N_IMAGES).fold("Image Index,Finding Label,Bbox [x,y,w,h],,,\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        table + &format!("{}.png,Nodule,{x1},{y1},{},{},,,\n", name(image), x2 - x1, y2 - y1)
    });
    assert_perfect("BBox_List_2017.csv", &files.write("BBox_List_2017.csv", &nih), &run, false);
    assert_perfect("in a zip", &files.write("nih.zip", zip_of(&[("nih/BBox_List_2017.csv", &nih)])), &run, false);
    let corners = (0..N_IMAGES).fold("file;x1;y1;x2;y2;class\nnone.png;;;;;\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        table + &format!("{}.png;{x1};{y1};{x2};{y2};Nodule\n", name(image))
    });
    let truth = files.write("truth.csv", corners);
    let report = score(&truth, &run, &[]).expect("a report");
    assert_eq!(nodules(&report), (vec![1.0; 3], false));
    assert_eq!(report["ground_truth"]["n_images"], N_IMAGES + 1);
    // Both sides as tables.
    let predictions = (0..N_IMAGES).fold("file,class,score,x1,y1,x2,y2\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        table + &format!("{}.png,Nodule,{},{x1},{y1},{x2},{y2}\n", name(image), score_of(image))
    });
    // A table is known by its header, whatever its name ends with.
    let corners = std::fs::read(&truth).expect("the table");
    for ending in [".csv", ".txt", ""] {
        let truth = files.write(&format!("truth{ending}"), &corners);
        let run = files.write(&format!("predictions{ending}"), &predictions);
        let report = score(&truth, &run, &[]).expect("a report");
        assert_eq!(nodules(&report), (vec![1.0; 3], false), "{ending}");
    }
    // VinDr-CXR's own: classes by name, which predictions call by number; rows without a box.
    let vindr = (0..N_IMAGES).fold(
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n0,No finding,14,R1,,,,\n".to_owned(),
        |table, image| {
            let [x1, y1, x2, y2] = lesion(image);
            table + &format!("{},Nodule,8,R9,{x1},{y1},{x2},{y2}\n", name(image))
        },
    );
    let submission = (0..N_IMAGES).fold("image_id,PredictionString\n0,14 1 0 0 1 1\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        table + &format!("{},8 {} {x1} {y1} {x2} {y2}\n", name(image), score_of(image))
    });
    let report = score(&files.write("train.csv", vindr), &files.write("submission.csv", submission), &[]);
    assert_eq!(nodules(&report.expect("a report")), (vec![1.0; 3], false));
    for (table, expected) in [
        (
            "file,class,x1,y1,x2,y2\n1.png,Nodule,1,2,3\n",
            "truth.csv, line 1 after the header: it has 5 fields, not 6; expected a line with as many fields as the header has columns.",
        ),
        (
            "file,class,x1,y1,x2,y2\n1.png,Nodule,1,2,3,wide\n",
            "truth.csv, line 1 after the header: a field is \"wide\"; expected a finite number.",
        ),
    ] {
        assert_eq!(score(&files.write("truth.csv", table), &run, &[]), Err(format!("{expected}\n")));
    }
}

/// Name, lesions and exact recall at each rate of the one class, and the images.
fn one_class(report: &Value) -> (&str, u64, Vec<f64>, u64) {
    let classes = report["runs"][0]["classes"].as_array().expect("classes");
    assert_eq!(classes.len(), 1);
    let recall = classes[0]["exact"]["recall"].as_array().expect("a recall a rate");
    let recall = recall.iter().map(|recall| recall.as_f64().expect("lesions")).collect();
    let [n_lesions, n_images] = [&classes[0]["n_lesions"], &report["ground_truth"]["n_images"]];
    let count = |of: &Value| of.as_u64().expect("a count");
    (classes[0]["name"].as_str().expect("a name"), count(n_lesions), recall, count(n_images))
}

/// The boxes around shapes are the lesions; the challenge's own criterion, which the finding offers, finds what lies in their middle.
#[test]
fn the_table_of_object_cxr_is_a_ground_truth() {
    let files = Files::new("object-cxr");
    let table = (0..N_IMAGES).fold("image_path,annotation\n/data/0.jpg,\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        let [x, y] = [f64::midpoint(x1, x2), f64::midpoint(y1, y2)];
        let shape = match image % 3 {
            0 => format!("0 {x1} {y1} {x2} {y2}"),
            1 => format!("1 {x1} {y1} {x2} {y2}"),
            _ => format!("2 {x} {y1} {x2} {y} {x} {y2} {x1} {y}"),
        };
        table + &format!("/data/{}.jpg,{shape}\n", name(image))
    });
    let truth = files.write("dev.csv", table);
    let results = |of: &dyn Fn([f64; 4]) -> [f64; 4]| {
        Value::from(each(|image| {
            json!({ "image_id": name(image), "category_id": 1, "bbox": of(lesion(image)), "score": score_of(image) })
        }))
        .to_string()
    };
    let whole = results(&|[x1, y1, x2, y2]| [x1, y1, x2 - x1, y2 - y1]);
    let middle = results(&|[x1, y1, x2, y2]| [f64::midpoint(x1, x2) - 2.0, f64::midpoint(y1, y2) - 2.0, 4.0, 4.0]);
    let [whole, middle] = [files.write("whole.json", whole), files.write("middle.json", middle)];
    let n = N_IMAGES as u64;
    let report = score(&truth, &whole, &[]).expect("a report");
    assert_eq!(one_class(&report), ("foreign object", n, vec![1.0; 3], n + 1));
    let finding = &report["findings"][0];
    let n_shapes = (0..N_IMAGES).filter(|image| image % 3 != 0).count();
    assert_eq!((&finding["code"], &finding["count"]), (&json!("shapes_as_boxes"), &json!(n_shapes)));
    assert!(finding["fix"].as_str().is_some_and(|fix| fix.contains("--hit centre")), "{finding}");
    assert_eq!(one_class(&score(&truth, &middle, &[]).expect("a report")).2, vec![0.0; 3]);
    assert_eq!(one_class(&score(&truth, &middle, &["--hit", "centre"]).expect("a report")).2, vec![1.0; 3]);

    // The challenge's own predictions: a point in each object, and none in an image without one.
    let points = |point: &dyn Fn(usize) -> String| {
        let row = |image: usize| format!("/data/test/{}.jpg,{}\n", name(image), point(image));
        (0..N_IMAGES)
            .fold("image_path,prediction\n/data/test/blank.jpg,\n".to_owned(), |table, image| table + &row(image))
    };
    let middle_of = |image: usize| {
        let [x1, y1, x2, y2] = lesion(image);
        format!("{} {} {};0.001 1 1", score_of(image), f64::midpoint(x1, x2), f64::midpoint(y1, y2))
    };
    let found = files.write("prediction_localization.csv", points(&middle_of));
    let report = score(&truth, &found, &[]).expect("a report");
    let told = |report: &Value| {
        let findings = report["runs"][0]["findings"].as_array().expect("a list");
        findings.iter().find(|finding| finding["code"] == "points").map(|finding| finding["count"].clone())
    };
    assert_eq!((one_class(&report).2, told(&report)), (vec![0.0; 3], Some(json!(2 * n))));
    let report = score(&truth, &found, &["--hit", "centre", "--statistics"]).expect("a report");
    assert_eq!(one_class(&report).2, vec![1.0; 3]);
    assert!(
        report["runs"][0]["findings"].as_array().expect("a list").iter().all(|finding| finding["code"] != "points")
    );
    let published = report["runs"][0]["statistics"]["published"].as_array().expect("a list");
    let own = published.iter().find(|convention| convention["name"] == "object-CXR").expect("its own figure");
    assert_eq!(own["value"], json!(1.0), "the challenge's FROC of points within every object");

    let expected = "expected points set apart by semicolons, such as 0.9 1000 500 (probability, x and y), or nothing.";
    for (text, what) in [
        ("0.9", "there is one number, as of a whole image (prediction_classification.csv)"),
        ("0.9 1 2;0.8 1", "a point has 2 numbers"),
    ] {
        let wrong = files.write("prediction.csv", points(&|_| text.to_owned()));
        let sentence = format!("prediction.csv, line 2 after the header: {what}; {expected}\n");
        assert_eq!(score(&truth, &wrong, &[]), Err(sentence));
    }
    // A column of classes is none of points.
    let classes = files.write("classes.csv", "image_path,prediction\n1.jpg,nodule\n");
    assert!(
        score(&truth, &classes, &[])
            .is_err_and(|sentence| sentence.contains("it holds a table without columns such as label, score"))
    );
    let expected = "expected shapes set apart by semicolons, such as 0 x1 y1 x2 y2 (a rectangle), 1 x1 y1 x2 y2 (an ellipse) or 2 x1 y1 x2 y2 x3 y3 (a polygon), or nothing.";
    for (shapes, what) in [
        ("0 1 2 3 4;3 1 2 3 4", "a shape begins with \"3\""),
        ("0 1 2 3", "a shape of kind 0 has 3 numbers"),
        ("2 1 2 3 4", "a shape of kind 2 has 4 numbers"),
    ] {
        let truth = files.write("dev.csv", format!("image_name,annotation\n1.jpg,{shapes}\n"));
        let sentence = format!("dev.csv, line 1 after the header: {what}; {expected}\n");
        assert_eq!(score(&truth, &whole, &[]), Err(sentence));
    }
    // A column of notes is none of shapes.
    let notes = files.write("notes.csv", "image_name,annotation\n1.jpg,blurred\n");
    assert!(score(&notes, &whole, &[]).is_err_and(|sentence| !sentence.contains("shape")));
}

/// A label of 0 is an image without nodules, and no class.
#[test]
fn the_table_of_node21_is_a_ground_truth() {
    let files = Files::new("node21");
    let table = (0..N_IMAGES).fold(
        ",height,img_name,label,width,x,y\n0,0,c1.mha,0,0,0,0\n1,0,c2.mha,0,0,0,0\n".to_owned(),
        |table, image| {
            let [x1, y1, x2, y2] = lesion(image);
            table + &format!("{},{},n{}.mha,1,{},{x1},{y1}\n", image + 2, y2 - y1, name(image), x2 - x1)
        },
    );
    let truth = files.write("metadata.csv", table);
    let run = (0..N_IMAGES).fold("image,score,x1,y1,x2,y2\nc1,0.1,5,5,9,9\n".to_owned(), |table, image| {
        let [x1, y1, x2, y2] = lesion(image);
        table + &format!("n{},{},{x1},{y1},{x2},{y2}\n", name(image), score_of(image))
    });
    let run = files.write("run.csv", run);
    let n = N_IMAGES as u64;
    let report = score(&truth, &run, &[]).expect("a report");
    assert_eq!(one_class(&report), ("nodule", n, vec![1.0; 3], n + 2));
    // A file for each image, called like it.
    let zipped =
        zip_of(&[(format!("n{}.json", name(0)), json!([{ "nodule": [100, 120, 200, 200, 0.5] }]).to_string())]);
    let report = score(&truth, &files.write("run.zip", zipped), &[]).expect("a report");
    assert_eq!(report["runs"][0]["classes"][0]["true_positives"], 1);
    for (row, sentence) in [
        ("9,n.mha,2,9,1,1", "its label is \"2\"; expected 1 of a nodule, or 0 of an image without any."),
        ("tall,n.mha,1,9,1,1", "a field is \"tall\"; expected a finite number."),
    ] {
        let table = format!("height,img_name,label,width,x,y\n0,c.mha,0,0,0,0\n{row}\n");
        let place = "metadata.csv, line 2 after the header: ";
        assert_eq!(score(&files.write("metadata.csv", table), &run, &[]), Err(format!("{place}{sentence}\n")));
    }
    // Images without nodules alone have the class all the same.
    let none = files.write("none.csv", "height,img_name,label,width,x,y\n0,c1.mha,0,0,0,0\n");
    let report = score(&none, &run, &[]).expect("a report");
    let classes = &report["runs"][0]["classes"];
    assert_eq!(
        (&classes[0]["name"], &classes[0]["n_lesions"], &classes[1]),
        (&json!("nodule"), &json!(0), &Value::Null)
    );
}

#[test]
fn a_scale_or_an_offset_that_is_none_is_refused() {
    let files = Files::new("scales");
    let (truth, run) = (files.write("test.json", truth().to_string()), files.write("perfect.zip", zip(entry)));
    let refused = |flag: &str, value: &str| score(&truth, &run, &[flag, value]).expect_err(value);
    for value in ["0", "-1", "nan", "inf", "2,0"] {
        let there = value.replace("nan", "NaN");
        let expected = format!("scale: there is {there}; expected a number above 0, or two: for x and for y.\n");
        assert_eq!(refused("--scale", value), expected);
    }
    assert_eq!(refused("--offset", "1,inf"), "offset: there is 1,inf; expected two numbers: for x and for y.\n");
    assert!(refused("--scale", "1,2,3").contains("write it as one number, or two with a comma between them"));
    assert!(refused("--offset", "64").contains("write it as two numbers with a comma between them"));
    // What moves nothing leaves the files as they are.
    for flags in [["--scale", "1,1"], ["--offset", "-0,0"]] {
        assert_eq!(nodules(&score(&truth, &run, &flags).expect("a report")), (vec![1.0; 3], true), "{flags:?}");
    }
}

#[test]
fn a_broken_file_of_labels_ends_in_a_sentence() {
    let files = Files::new("broken-labels");
    let run = files.write("perfect.zip", zip(entry));
    for (text, expected) in [
        (voc(1, "BOX"), "object 1: it has no <name>; expected an <object> with <name> and <bndbox>."),
        (voc(1, "<name>Nodule</name>"), "object 1: it has no <bndbox>; expected an <object> with <name> and <bndbox>."),
        (
            voc(1, VOC_OBJECT).replace("<xmin>160<", "<xmin>wide<"),
            "object 1: <xmin> is \"wide\"; expected a <bndbox> with the numbers <xmin>, <ymin>, <xmax>, <ymax>.",
        ),
        (
            voc(1, VOC_OBJECT).replace("<xmin>160<", "<xmin>NaN<"),
            "object 1: <xmin> is \"NaN\"; expected a <bndbox> with the numbers <xmin>, <ymin>, <xmax>, <ymax>.",
        ),
        (
            "<annotation><object>".to_owned(),
            "it is not XML (the root node was opened but never closed); expected an <annotation> of Pascal VOC with an <object> for each lesion.",
        ),
        (
            "<html><annotation/></html>".to_owned(),
            "there is <html>; expected an <annotation> of Pascal VOC with an <object> for each lesion.",
        ),
        (
            "<!DOCTYPE a [<!ENTITY b \"c\">]><annotation/>".to_owned(),
            "it is not XML (XML with DTD detected); expected an <annotation> of Pascal VOC with an <object> for each lesion.",
        ),
    ] {
        let zip = files.write("voc.zip", zip_of(&[("1.xml", voc(0, VOC_OBJECT)), ("2.xml", text)]));
        assert_eq!(
            score(&zip, &run, &[]),
            Err(format!("voc.zip, 2.xml, {expected}\n")
                .replace("2.xml, it", "2.xml: it")
                .replace("2.xml, there", "2.xml: there"))
        );
    }
    let twice = zip_of(&[("a/1.xml", voc(0, VOC_OBJECT)), ("b/1.xml", voc(0, VOC_OBJECT))]);
    let sentence = score(&files.write("voc.zip", twice), &run, &[]).expect_err("one image twice");
    assert!(sentence.starts_with("voc.zip, image 2: "), "{sentence}");
}

#[test]
fn a_broken_file_for_all_images_ends_in_a_sentence() {
    let files = Files::new("broken-one-file");
    let truth = files.write("test.json", truth().to_string());
    let text = r#"{"1.png": [{"Nodule": [1, 2, 3, 4, 0.5]}], "2.png": [{"Nodule": [1, 2, 3]}]}"#;
    let expected = "predictions.json, 2.png, entry 1, Nodule: the box has 3 numbers; expected [x1, y1, x2, y2, score].";
    let loose = files.write("predictions.json", text);
    assert_eq!(score(&truth, &loose, &[]), Err(format!("{expected}\n")));
    let zipped = files.write("all.zip", zip_of(&[("predictions.json", text)]));
    assert_eq!(score(&truth, &zipped, &[]), Err(format!("all.zip, {expected}\n")));
    let twice = r#"{"1.png": [{"Nodule": [1, 2, 3, 4, 0.5]}], "1": [{"Nodule": [1, 2, 3, 4, 0.5]}]}"#;
    let expected = "predictions.json: \"1.png\" and \"1\" are both for image \"1.png\"; expected one file an image; remove one of them.\n";
    assert_eq!(score(&truth, &files.write("predictions.json", twice), &[]), Err(expected.to_owned()));
    let ground_truth =
        "predictions.json: it holds predictions; expected the ground truth, such as test.json, after --ground-truth.\n";
    assert_eq!(score(&loose, &loose, &[]), Err(ground_truth.to_owned()));
}

/// A line of YOLO's for the box of an image of 1024 pixels.
fn yolo(image: usize, class: &str) -> String {
    let [x1, y1, x2, y2] = lesion(image).map(|number| number / 1024.0);
    format!("{class} {} {} {} {} {}\n", f64::midpoint(x1, x2), f64::midpoint(y1, y2), x2 - x1, y2 - y1, score_of(image))
}

#[test]
fn yolo_text_files_are_read_in_pixels_and_their_classes_named() {
    let files = Files::new("yolo");
    let truth = files.write("test.json", truth().to_string());
    let labels = |class: &str| -> Vec<(String, String)> {
        (0..N_IMAGES).map(|image| (format!("labels/{}.txt", name(image)), yolo(image, class))).collect()
    };
    let names = ("data.yaml".to_owned(), "nc: 2\nnames:\n  0: Mass\n  1: Nodule\n".to_owned());
    let with_names = files.write("yolo.zip", zip_of(&[labels("1"), vec![names]].concat()));
    assert_perfect("yolo.zip", &truth, &with_names, false);
    // Without names the numbers are offered as classes, on the evidence of the boxes.
    let by_number = files.write("numbers.zip", zip_of(&labels("3")));
    let report = score(&truth, &by_number, &[]).expect("a report");
    let offers: Vec<&Value> = report["runs"][0]["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding.get("remedy").filter(|remedy| !remedy.is_null()))
        .collect();
    assert_eq!(offers.len(), 1, "{offers:?}");
    assert_eq!(offers[0]["reading"]["class_names"], json!({ "3": "Nodule" }));
    let report = score(&truth, &by_number, &["--class", "3=Nodule"]).expect("a report");
    assert_eq!(nodules(&report), (vec![1.0; 3], false));
    // Labels have no score.
    let no_score = files.write("labels.zip", zip_of(&[("1.txt", "0 0.5 0.5 0.1 0.1\n")]));
    assert_eq!(
        score(&truth, &no_score, &[]).expect_err("no score").lines().next(),
        Some(
            "labels.zip: its boxes have no scores; expected the score last in each line, if these are predictions \
             (save_conf=True); if they are the ground truth, no other beside it: remove test.json."
        )
    );
    let one = ("labels/1.txt".to_owned(), "0 0.5 0.5 0.1 0.1\n".to_owned());
    let mixed = files.write("mixed.zip", zip_of(&[vec![one], labels("1").split_off(1)].concat()));
    assert_eq!(
        score(&truth, &mixed, &[]).expect_err("no score").lines().next(),
        Some(
            "mixed.zip, labels/1.txt, line 1: it has 5 words, and no score; expected the score last; write it with save_conf=True."
        )
    );
}

/// The beginning of a PNG picture of that size, which is all that is looked at.
fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width, height].map(u32::to_be_bytes).concat();
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &sides, b"\x08\0\0\0\0"].concat()
}

/// How large the picture of an image is.
fn sides(image: usize) -> [u32; 2] {
    [1000 + 100 * image as u32, 2000 - 50 * image as u32]
}

/// A line of YOLO's for the box of an image of its own size; without a score it is a label.
fn yolo_of_size(image: usize, class: &str, score: Option<f64>) -> String {
    let [width, height] = sides(image).map(f64::from);
    let [x1, y1, x2, y2] = lesion(image);
    let [x, y] = [f64::midpoint(x1, x2) / width, f64::midpoint(y1, y2) / height];
    let score = score.map_or(String::new(), |score| format!(" {score}"));
    format!("{class} {x} {y} {} {}{score}\n", (x2 - x1) / width, (y2 - y1) / height)
}

#[test]
fn labels_of_yolo_are_a_ground_truth_in_the_pixels_of_their_pictures() {
    let files = Files::new("yolo-labels");
    let names = ("data.yaml".to_owned(), b"names: [Mass, Nodule]\n".to_vec());
    let label = |image: usize| (format!("labels/{}.txt", name(image)), yolo_of_size(image, "1", None).into_bytes());
    let labels: Vec<(String, Vec<u8>)> = (0..N_IMAGES).map(label).collect();
    let picture = |image: usize| {
        let [width, height] = sides(image);
        (format!("images/{}.png", name(image)), png(width, height))
    };
    // In another order than the labels.
    let pictures: Vec<(String, Vec<u8>)> = (0..N_IMAGES).rev().map(picture).collect();
    // One without a file, one with an empty one: images without lesions.
    let free = ["images/free.png", "images/empty.png"].map(|path| (path.to_owned(), png(500, 500)));
    let empty = ("labels/empty.txt".to_owned(), Vec::new());
    // Another part of the dataset, whose pictures are called alike.
    let of_train = (0..N_IMAGES).map(|image| (format!("train/{}.png", name(image)), png(10, 10))).collect();
    let all = [vec![names.clone(), empty], labels.clone(), free.to_vec(), of_train, pictures].concat();
    let truth = files.write("dataset.zip", zip_of(&all));
    let of_yolo = |class: &str| -> Vec<(String, String)> {
        let file = |image| (name(image) + ".txt", yolo_of_size(image, class, Some(score_of(image))));
        (0..N_IMAGES).map(file).collect()
    };
    // In pixels, in fractions by number, and by the name of the class.
    let in_pixels = files.write("pixels.zip", zip(entry));
    let by_number = files.write("number.zip", zip_of(&of_yolo("1")));
    let own_names = ("classes.txt".to_owned(), "Nodule\n".to_owned());
    let by_name = files.write("name.zip", zip_of(&[of_yolo("0"), vec![own_names]].concat()));
    let folder = files.0.join("dataset");
    for (path, bytes) in &all {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a scratch folder");
        fs::write(path, bytes).expect("a scratch file");
    }
    for truth in [&truth, &folder] {
        for run in [&in_pixels, &by_number, &by_name] {
            let report = score(truth, run, &[]).unwrap_or_else(|sentence| panic!("{}: {sentence}", run.display()));
            assert_eq!(nodules(&report), (vec![1.0; 3], false), "{}", run.display());
            assert_eq!(findings(&report), ["image_without_file"], "the two without lesions");
            assert_eq!(report["ground_truth"]["n_images"], N_IMAGES + 2);
            assert_eq!(report["findings"], json!([]));
        }
    }

    // Without pictures boxes are compared as fractions, which gives the same score, and nothing is said in pixels.
    let alone = files.write("labels.zip", zip_of(&[vec![names.clone()], labels.clone()].concat()));
    assert_perfect("labels.zip", &alone, &by_number, false);
    let report = score(&alone, &by_number, &["--bootstrap", "10"]).expect("a report");
    assert_eq!(report["findings"][0]["code"], "lesions_in_fractions");
    let sizes = report["runs"][0]["statistics"]["rows"][0]["sizes"].as_array().expect("sizes");
    assert!(!sizes.is_empty() && sizes.iter().all(|size| size["division"] == "thirds"), "{sizes:?}");

    // A name of two numbers tells neither.
    let twice = ("data.yaml".to_owned(), b"names: [Nodule, Nodule]\n".to_vec());
    let twice = files.write("twice.zip", zip_of(&[vec![twice], labels.clone()].concat()));
    let report = score(&twice, &by_number, &[]).expect("a report");
    assert_eq!(report["runs"][0]["classes"][0]["name"], "1");
    assert_eq!(report["runs"][0]["exact"]["recall"], json!([1.0, 1.0, 1.0]));

    // Outlines are boxes, too.
    let [x1, y1, x2, y2] = [0.1, 0.2, 0.3, 0.5];
    let outline = format!("0 {x1} {y1} {x2} {y1} {x2} {y2} 0.2 0.3\n");
    let outlined = files.write("outline.zip", zip_of(&[("1.txt", outline)]));
    let detection = format!("0 {} {} {} {} 0.9\n", 0.2, 0.35, x2 - x1, y2 - y1);
    let report = score(&outlined, &files.write("box.zip", zip_of(&[("1.txt", detection)])), &[]).expect("a report");
    assert_eq!(report["runs"][0]["exact"]["recall"], json!([1.0, 1.0, 1.0]));

    let refused = |entries: &[(String, Vec<u8>)]| {
        let truth = files.write("bad.zip", zip_of(entries));
        score(&truth, &by_number, &[]).expect_err("a mistake").lines().next().map(str::to_owned)
    };
    let one = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    let part = |part: &str| one(&format!("{part}/labels/{part}.txt"), "0 0.5 0.5 0.1 0.1");
    for (entries, sentence) in [
        (
            vec![labels[0].clone(), one("labels/b.txt", "0 0.5 0.5 0.1 5")],
            "bad.zip, labels/b.txt, line 1: there is \"5\"; expected a line \"class x y width height\" in fractions of the \
             image, such as \"3 0.5 0.5 0.1 0.2\".",
        ),
        (
            vec![labels[0].clone(), ("images/other.png".to_owned(), png(9, 9))],
            "bad.zip, labels/1.txt: it has no picture; expected a sound picture of that name for each file, whose boxes are \
             fractions of the image; or no pictures at all.",
        ),
        (
            vec![labels[0].clone(), one("images/1.png", "no picture")],
            "bad.zip, labels/1.txt: the size of its picture cannot be read; expected a sound picture of that name for each \
             file, whose boxes are fractions of the image; or no pictures at all.",
        ),
        (
            vec![part("train"), part("val"), ("train/images/train.png".to_owned(), png(9, 9))],
            "bad.zip: its labels lie in several folders (\"train/labels\", \"val/labels\"); expected the labels and pictures \
             of one part of the dataset, such as test; pack these alone.",
        ),
    ] {
        assert_eq!(refused(&entries).as_deref(), Some(sentence));
    }
}

#[test]
fn tables_of_boxes_are_read() {
    let files = Files::new("tables");
    let truth = files.write("test.json", truth().to_string());
    let rows = |of: &dyn Fn(usize) -> String| (0..N_IMAGES).map(of).collect::<String>();
    let corners = |image: usize| lesion(image).map(|number| number.to_string()).join(";");
    let semicolons = format!(
        "sep=;\nfile_name;label;confidence;x1;y1;x2;y2\n{}",
        rows(&|image| format!("{}.png;Nodule;{};{}\n", name(image), score_of(image), corners(image)))
    );
    assert_perfect("semicolons", &truth, &files.write("boxes.csv", semicolons), false);
    let kaggle = format!(
        "image_id,PredictionString\n{}",
        rows(&|image| format!("{},Nodule {} {}\n", name(image), score_of(image), corners(image).replace(';', " ")))
    );
    assert_perfect("kaggle", &truth, &files.write("submission.csv", &kaggle), false);
    assert_perfect("kaggle in a zip", &truth, &files.write("csv.zip", zip_of(&[("submission.csv", &kaggle)])), false);
    let bad = files.write("bad.csv", "file_name,label,score,x1,y1,x2,y2\n1.png,Nodule,0.9,1,2,x,4\n");
    assert_eq!(
        score(&truth, &bad, &[]),
        Err("bad.csv, line 1 after the header: a field is \"x\"; expected a finite number.\n".to_owned())
    );
}

/// The ground truth in COCO's format, on images of 2048 pixels whose names and ids differ.
fn coco_truth() -> Value {
    let images = each(|image| json!({ "id": image, "file_name": name(image) + ".jpg", "width": 2048, "height": 2048 }));
    let annotations = each(
        |image| json!({ "id": image, "image_id": image, "category_id": 7, "bbox": coco_box(image), "iscrowd": 0 }),
    );
    json!({ "images": images, "categories": [{ "id": 7, "name": "Nodule" }, { "id": 9, "name": "Diffuse Nodule" }], "annotations": annotations })
}

fn coco_box(image: usize) -> [f64; 4] {
    let [x1, y1, x2, y2] = lesion(image);
    [x1, y1, x2 - x1, y2 - y1]
}

fn coco_result(image: usize, image_id: &Value) -> Value {
    json!({ "image_id": image_id, "category_id": 7, "bbox": coco_box(image), "score": score_of(image) })
}

#[test]
fn coco_results_are_scored_on_a_coco_ground_truth_without_an_official_number() {
    let files = Files::new("coco");
    let truth = files.write("coco_truth.json", coco_truth().to_string());
    let by_id: Value = each(|image| coco_result(image, &json!(image))).into();
    let by_stem: Value = each(|image| coco_result(image, &json!(name(image)))).into();
    let by_number: Value = each(|image| coco_result(image, &json!(image + 1))).into();
    let in_object = json!({ "annotations": by_id });
    let in_zip = zip_of(&[("coco_instances_results.json", by_id.to_string())]);
    let all = [
        ("ids", files.write("coco_results.json", by_id.to_string())),
        ("stems", files.write("stems.json", by_stem.to_string())),
        ("names as numbers", files.write("numbers.json", by_number.to_string())),
        ("an object", files.write("object.json", in_object.to_string())),
        ("a zip", files.write("coco_results.zip", in_zip)),
        ("the script's own files", files.write("perfect.zip", zip(entry))),
    ];
    for (what, path) in all {
        let report = score(&truth, &path, &[]).unwrap_or_else(|sentences| panic!("{what}: {sentences}"));
        assert_eq!(nodules(&report), (vec![1.0; 3], false), "{what}");
        assert_eq!(findings(&report), [""; 0], "{what}");
        let official = &report["runs"][0]["official"];
        assert_eq!(
            official["none_because"],
            "No script tells official numbers for coco_truth.json: the exact score is the score.",
            "{what}"
        );
        assert_eq!((&official["recall"], &official["printed"]), (&json!([null, null, null]), &json!([])), "{what}");
    }
}

#[test]
fn coco_results_find_images_of_the_own_ground_truth_by_their_names() {
    let files = Files::new("coco-results");
    let truth = files.write("test.json", truth().to_string());
    // Its categories have numbers that nothing but the file itself names.
    let named = json!({
        "images": each(|image| json!({ "id": 100 + image, "file_name": name(image) + ".png" })),
        "categories": [{ "id": 7, "name": "Nodule" }],
        "annotations": each(|image| coco_result(image, &json!(100 + image))),
    });
    assert_perfect("a file with names", &truth, &files.write("named.json", named.to_string()), false);
}

/// No format shows an official row, an official number or what is undefined.
#[test]
fn a_dataset_without_a_script_is_shown_with_its_exact_score_alone() {
    let files = Files::new("no-official");
    let truth = files.write("coco_truth.json", coco_truth().to_string());
    let results: Value = each(|image| coco_result(image, &json!(image))).into();
    let results = files.write("results.json", results.to_string());
    for format in ["text", "csv", "markdown", "latex", "html"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_froc"));
        command.args(["score", "--statistics", "--format", format, "--ground-truth"]).arg(&truth);
        let output = command.arg("--predictions").arg(&results).output().expect("the program starts");
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("exact"), "{format}: {text}");
        if format != "csv" {
            let plain = text.replace('\\', "");
            assert!(
                plain.contains("coco_truth.json: the exact"),
                "{format} says why there is no official number: {text}"
            );
        }
        for word in ["undefined", "NaN", "nan%", "official_", "script_rules_", "avg recall", "Q1"] {
            assert!(!text.contains(word), "{format} has {word}: {text}");
        }
    }
    let bound = |bound: &str| score(&truth, &results, &["--fail-under", bound]).map(|_| ());
    assert_eq!(bound("average=0.9"), Ok(()));
}

#[test]
fn a_mistake_in_a_coco_file_ends_in_one_sentence() {
    let files = Files::new("coco-mistakes");
    let own = truth();
    let perfect = files.write("perfect.zip", zip(entry));
    let changed = |pointer: &str, value: Value| {
        let mut truth = coco_truth();
        *truth.pointer_mut(pointer).expect("a place") = value;
        truth.to_string()
    };
    let mistakes = [
        (
            changed("/annotations/2/image_id", json!(99)),
            r#"t.json, annotations, annotation 3: its "image_id" is 99, which no image has; expected the "id" of one of "images"."#,
        ),
        (
            changed("/annotations/2/category_id", json!(1)),
            r#"t.json, annotations, annotation 3: its "category_id" is 1, which no category has; expected the "id" of one of "categories"."#,
        ),
        (
            changed("/annotations/2/bbox", json!([1, 2, 3])),
            "t.json, annotations, annotation 3, bbox: the box has 3 numbers; expected [x, y, width, height].",
        ),
        (
            changed("/images/1/id", json!(0)),
            "t.json: two of its images have one id; expected an id of its own for each.",
        ),
        (
            changed("/images/1", json!({ "id": 1 })),
            r#"t.json, images, image 2: it has no "file_name"; expected an image {"id": 1, "file_name": "1.png"} of COCO."#,
        ),
        (
            changed("/categories/1", json!({ "id": 7 })),
            r#"t.json, categories, category 2: it has no "name"; expected a category {"id": 1, "name": "Nodule"} of COCO."#,
        ),
    ];
    for (text, sentence) in mistakes {
        assert_eq!(score(&files.write("t.json", text), &perfect, &[]), Err(format!("{sentence}\n")));
    }
    let truth = files.write("test.json", own.to_string());
    let results = r#"[{"image_id": 1, "bbox": [1, 2, 3, 4], "score": "high", "category_id": 1}]"#;
    let sentence = "r.json, result 1, score: there is the text \"high\"; expected a number.\n";
    assert_eq!(score(&truth, &files.write("r.json", results), &[]), Err(sentence.to_owned()));
}

/// ChestX-Det's 13 classes in ChestX-Det10's own format: its own dataset, unless a person says otherwise.
#[test]
fn a_ground_truth_of_other_classes_is_scored_on_its_own() {
    let files = Files::new("other-classes");
    let own = each(
        |image| json!({ "file_name": name(image) + ".png", "syms": ["Nodule", "Diffuse Nodule"], "boxes": [lesion(image), [10, 10, 900, 900]] }),
    );
    let truth_13 = files.write("truth_det13.json", Value::from(own).to_string());
    let diffuse = zip(|image| json!([entry(image)[0], { "Diffuse Nodule": [10, 10, 900, 900, 0.9] }]));
    let diffuse = files.write("diffuse.zip", diffuse);
    let report = score(&truth_13, &diffuse, &[]).expect("a report");
    assert_eq!(nodules(&report), (vec![1.0; 3], false));
    let classes: Vec<&Value> =
        report["runs"][0]["classes"].as_array().expect("classes").iter().map(|class| &class["name"]).collect();
    assert_eq!(classes, ["Diffuse Nodule", "Nodule"]);
    assert_eq!(findings(&report), [""; 0], "no offer");
    assert_eq!(report["findings"][0]["code"], "other_classes");
    // The fix that is told gives the official number.
    let fix = report["findings"][0]["fix"].as_str().expect("a fix");
    assert!(fix.contains("--protocol chestx-det10"), "{fix}");
    let report = score(&truth_13, &diffuse, &["--protocol", "chestx-det10"]).expect("a report");
    assert_eq!(nodules(&report), (vec![1.0; 3], true));
    assert_eq!(
        (&report["ground_truth"]["protocol"], &report["ground_truth"]["n_lesions"]),
        (&json!("ChestX-Det10"), &json!(N_IMAGES))
    );
    assert_eq!(report["findings"][0]["code"], "unknown_lesion_class");
    // A ground truth that the script does not read gives none, whatever the protocol.
    let coco = files.write("coco_truth.json", coco_truth().to_string().replace(".jpg", ".png"));
    let report =
        score(&coco, &files.write("perfect.zip", zip(entry)), &["--protocol", "chestx-det10"]).expect("a report");
    assert_eq!(nodules(&report), (vec![1.0; 3], false));
    assert_eq!(report["runs"][0]["official"]["name"], "the script's rules, files read otherwise");
}

/// As many classes as Objects365 has; each image has a lesion of another one.
#[test]
fn hundreds_of_classes_are_scored() {
    const N_CLASSES: usize = 365;
    let files = Files::new("many-classes");
    let all = |of: &dyn Fn(usize) -> Value| -> Value { (0..N_CLASSES).map(of).collect() };
    let truth = json!({
        "images": all(&|at| json!({ "id": at, "file_name": format!("{at}.jpg"), "width": 640, "height": 480 })),
        "categories": all(&|at| json!({ "id": 10 * at, "name": format!("class {at}") })),
        "annotations": all(&|at| json!({ "id": at, "image_id": at, "category_id": 10 * at, "bbox": [10, 10, 20, 20] })),
    });
    // Every second one is found; the others are predicted as the next class.
    let results = all(&|at| {
        let class = if at % 2 == 0 { at } else { (at + 1) % N_CLASSES };
        json!({ "image_id": at, "category_id": 10 * class, "bbox": [10, 10, 20, 20], "score": 0.5 })
    });
    let truth = files.write("instances.json", truth.to_string());
    let report = score(&truth, &files.write("results.json", results.to_string()), &[]).expect("a report");
    let classes = report["runs"][0]["classes"].as_array().expect("classes");
    assert_eq!(classes.len(), N_CLASSES);
    for (at, class) in classes.iter().enumerate() {
        assert_eq!((&class["name"], &class["n_lesions"]), (&json!(format!("class {at}")), &json!(1)));
        assert_eq!(class["true_positives"], usize::from(at % 2 == 0), "class {at}");
    }
}

#[test]
fn what_people_keep_beside_their_files_is_passed_over() {
    let files = Files::new("beside");
    let truth = files.write("test.json", truth().to_string());
    let labels = (0..N_IMAGES).map(|image| (format!("run/labels/{}.txt", name(image)), yolo(image, "0")));
    let beside =
        [("run/results.csv", "epoch,loss\n1,2\n"), ("run/info.txt", "trained at night"), ("classes.txt", "Nodule")];
    let beside = beside.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let run = files.write("run.zip", zip_of(&labels.chain(beside.clone()).collect::<Vec<_>>()));
    assert_perfect("run.zip", &truth, &run, false);
    // Without predictions it is no run: pictures, say.
    let pictures = [vec![("1.png".to_owned(), "\u{89}PNG".to_owned())], beside.to_vec()].concat();
    assert_eq!(
        score(&truth, &files.write("pictures.zip", zip_of(&pictures)), &[]),
        Err("pictures.zip: none of its 4 entries holds predictions; expected one .json file an image, or predictions in .csv, .tsv, .txt files.\n".to_owned())
    );
    let odd = files.write("odd.csv", "foo,bar\n1,2\n");
    assert_eq!(
        score(&truth, &odd, &[]),
        Err("odd.csv: its columns are foo, bar; expected columns such as file_name, label, score, xmin, ymin, xmax, ymax.\n".to_owned())
    );
}

/// Fractions in one file do not make pixels of the numbers in another.
#[test]
fn only_fractions_become_pixels() {
    let files = Files::new("fractions");
    let truth = files.write("test.json", truth().to_string());
    let corners = |image: usize| lesion(image).map(|number| number.to_string()).join(",");
    let half = N_IMAGES / 2;
    let row = |image: usize| format!("{}.png,Nodule,{},{}\n", name(image), score_of(image), corners(image));
    let rows = (0..half).map(row).collect::<Vec<_>>().concat();
    let mut all: Vec<(String, String)> =
        (half..N_IMAGES).map(|image| (name(image) + ".txt", yolo(image, "0"))).collect();
    all.push(("classes.txt".to_owned(), "Nodule\n".to_owned()));
    all.push(("boxes.csv".to_owned(), format!("file_name,label,score,x1,y1,x2,y2\n{rows}")));
    assert_perfect("both.zip", &truth, &files.write("both.zip", zip_of(&all)), false);
}

/// What the script never reads may be a class of another ground truth, whose boxes must be boxes.
#[test]
fn a_broken_box_of_a_class_of_the_ground_truth_is_a_mistake_whatever_the_class() {
    let files = Files::new("broken-class");
    let record = |image: usize, class: &str| json!({ "file_name": name(image) + ".png", "syms": [class], "boxes": [lesion(image)] });
    let of = |class: &str| {
        files.write(&format!("{class}.json"), Value::from(each(|image| record(image, class))).to_string())
    };
    let (own, official) = (of("Cardiomegaly"), of("Nodule"));
    for (value, what) in [("[1, 2, 3, 4]", "the box has 4 numbers"), ("[1, 2, 3, 4, \"0.5\"]", "there is the text")] {
        let text = format!("[{{\"mask\": [0, 1], \"Cardiomegaly\": {value}}}]");
        let run = files.write("run.zip", zip_of(&[("1.json", text)]));
        let refusal = score(&own, &run, &[]).expect_err("a mistake");
        let told = refusal.starts_with("run.zip, 1.json, entry 1, Cardiomegaly") && refusal.contains(what);
        assert!(told, "{refusal}");
        // The script does not look at it.
        assert!(score(&official, &run, &[]).is_ok());
    }
}
