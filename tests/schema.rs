//! The published JSON Schema against reports of the program, by a validator that nobody here wrote.
//! `UPDATE_GOLDEN=1` writes the schema anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{ground_truth_json, scratch, zip_of};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn froc(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_froc")).args(arguments).output().expect("the program starts");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), ""),
        "{arguments:?}"
    );
    output.stdout
}

fn schema() -> Value {
    serde_json::from_slice(&froc(&["schema"])).expect("JSON")
}

/// Every object of the schema forbids the keys that it does not name.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(strict);
            if object.get("properties").is_some_and(|properties| properties.as_object().is_some()) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(array) => array.iter_mut().for_each(strict),
        _ => {}
    }
}

/// What the schema finds wrong with a report, and where.
fn wrong(schema: &Value, report: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(schema).expect("a schema");
    let sentences = validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path()));
    // They hold the whole value.
    sentences.map(|sentence| sentence.chars().take(300).collect()).collect()
}

/// Ground truth and predictions of a golden case.
fn golden(case: &str) -> [PathBuf; 2] {
    ["test.json", "predictions.zip"].map(|name| root().join("tests/golden").join(case).join(name))
}

/// The report of a command about a ground truth and the runs behind it.
fn report(command: &str, files: &[&PathBuf], more: &[&str]) -> Value {
    let name = |path: &&PathBuf| path.to_str().expect("UTF-8").to_owned();
    let truth = name(&files[0]);
    let runs: Vec<String> = files[1..].iter().map(name).collect();
    let mut arguments = vec![command, "--ground-truth", &truth];
    for run in &runs {
        arguments.extend((command != "rank").then_some("--predictions"));
        arguments.push(run);
    }
    arguments.extend(["--format", "json"]);
    arguments.extend(more);
    serde_json::from_slice(&froc(&arguments)).expect("JSON")
}

/// Reports of every kind, by name.
fn reports() -> Vec<(&'static str, Value)> {
    let folder = scratch("reports_for_the_schema");
    let file = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("a file");
        folder.join(name)
    };
    let [truth, run] = &golden("quirks");
    let nothing = file("nothing.zip", &zip_of(&[("1.json", "[]")]));
    let one_class =
        file("one-class.json", br#"[{"file_name": "1.png", "syms": ["Cyst"], "boxes": [[10, 10, 29, 29]]}]"#);
    let one_box = file("one-box.zip", &zip_of(&[("1.json", r#"[{"Cyst": [10, 10, 29, 29, 0.9]}]"#)]));
    let no_lesion = file("no-lesion.json", &ground_truth_json([("1.png", &[] as &[_])]));
    let as_sizes = file("as-sizes.zip", &zip_of(&[("a/1.json", r#"[{"NODULE": ["900", 900, 200, 300, 0.9]}]"#)]));
    let two_images = ground_truth_json([("1.png", &[] as &[_]), ("2.png", &[] as &[_])]);
    let two_images = file("two-images.json", &two_images);
    let part_1 = file("part-1.zip", &zip_of(&[("1.json", "[]")]));
    let part_2 = file("part-2.zip", &zip_of(&[("2.json", "[]")]));
    let form = |name: &str| root().join("tests/formats").join(name);
    let coco = [form("coco-instances/instances.json"), form("coco-results/results.json")];
    let readers = [form("csv-of-lesions/annotations_train.csv"), form("csv/vindr.csv")];
    let names: Vec<Value> = serde_json::from_slice(&fs::read(truth).expect("a ground truth")).expect("JSON");
    let lines = names.iter().enumerate().map(|(at, image)| format!("{},{}\n", image["file_name"], at / 2));
    let groups = file("groups.csv", format!("file_name,group\n{}", lines.collect::<String>()).as_bytes());
    let groups = groups.to_str().expect("UTF-8");
    let kept = folder.join("t.json");
    let kept = kept.to_str().expect("UTF-8");
    report("score", &[truth, run], &["--save-thresholds", kept]);
    let remedies = [
        "--boxes",
        "xywh",
        "--class",
        "NODULE=Nodule",
        "--accept-text-numbers",
        "--loose-names",
        "--folders-apart",
        "--nms",
        "0.5",
        "--scale",
        "2,1.5",
        "--offset",
        "-8,0",
    ];
    let mut reports = vec![
        ("score", report("score", &[truth, run], &[])),
        ("other options", report("score", &[truth, run], &["--iou", "0.3", "--fp", "0.5"])),
        ("bootstrap", report("score", &[truth, run], &["--bootstrap", "50"])),
        ("comparison", report("compare", &[truth, run, &nothing, run], &["--bootstrap", "50", "--groups", groups])),
        ("thresholds", report("score", &[truth, run], &["--bootstrap", "50", "--thresholds", kept])),
        (
            "slices",
            report("score", &[truth, run], &["--bootstrap", "50", "--slices", groups, "--by", "group,lesion-size"]),
        ),
        ("ranking", report("rank", &[truth, run, &nothing], &["--bootstrap", "50"])),
        ("no detection", report("score", &[truth, &nothing], &["--statistics"])),
        ("one class, no script", report("compare", &[&one_class, &one_box, &nothing], &["--bootstrap", "50"])),
        ("no lesion", report("score", &[&no_lesion, &nothing], &["--bootstrap", "50"])),
        ("read otherwise", report("score", &[&no_lesion, &as_sizes], &remedies)),
        ("a chosen protocol", report("score", &[&one_class, &one_box], &["--protocol", "chestx-det10"])),
        ("parts of one run", report("score", &[&two_images, &part_1, &part_2], &["--join"])),
        ("runs fused", report("score", &[&one_class, &one_box, &nothing], &["--fuse"])),
        ("another hit criterion", report("score", &[truth, run], &["--hit", "iobb:0.3"])),
        ("a class is ignored", report("score", &[truth, run], &["--ignore", "Nodule"])),
        ("remedies are offered", report("score", &[truth, &as_sizes], &["--accept-text-numbers"])),
        ("several readers", report("score", &readers.each_ref(), &[])),
        ("COCO", report("score", &coco.each_ref(), &["--statistics"])),
    ];
    for case in ["few-images", "leading-false-positive", "absent-class", "none"] {
        let [truth, run] = &golden(case);
        reports.push((case, report("score", &[truth, run], &["--statistics"])));
    }
    // The sample is not in the package for crates.io.
    let sample = ["test.json", "model-a.zip", "model-b.zip"].map(|name| root().join("www/sample").join(name));
    if sample[0].exists() {
        reports.push(("sample", report("compare", &sample.each_ref(), &["--bootstrap", "50"])));
    }
    reports
}

/// Every key of a value, at any depth.
fn keys<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            found.insert(key);
            keys(value, found);
        }),
        Value::Array(array) => array.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_schema_that_is_kept_is_the_one_of_this_version() {
    let path = root().join("src/report.schema.json");
    let ours = froc(&["schema"]);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &ours).expect("a file");
    }
    let kept = fs::read(&path).expect("UPDATE_GOLDEN=1 writes it");
    assert!(ours == kept, "{} is not what froc writes; UPDATE_GOLDEN=1 writes it anew", path.display());
    assert_eq!(jsonschema::meta::validate(&schema()).map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn reports_of_every_kind_are_what_the_schema_says_and_hold_no_key_that_it_does_not_name() {
    let open = schema();
    let mut closed = open.clone();
    strict(&mut closed);
    let reports = reports();
    let mut seen = BTreeSet::new();
    for (name, report) in &reports {
        assert_eq!(wrong(&open, report), [""; 0], "{name}");
        assert_eq!(wrong(&closed, report), [""; 0], "{name}");
        keys(report, &mut seen);
    }
    // The reports are of every kind: each key of the schema is in one of them.
    let objects = open["$defs"].as_object().expect("definitions").values().chain([&open]);
    let named = objects.filter_map(|object| object["properties"].as_object()).flat_map(|properties| properties.keys());
    assert_eq!(named.filter(|name| !seen.contains(name.as_str())).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_schema_refuses_what_is_no_report_and_leaves_room_for_keys_to_come() {
    let schema = schema();
    let [truth, run] = &golden("few-images");
    let report = report("score", &[truth, run], &[]);
    let changed = |pointer: &str, value: Value| {
        let mut report = report.clone();
        *report.pointer_mut(pointer).expect("a value") = value;
        wrong(&schema, &report)
    };
    for (pointer, value) in [
        ("/schema_version", json!(1)),
        ("/runs/0/n_files", json!(-1)),
        ("/runs/0/official/recall/0", json!("nan")),
        ("/runs/0/classes/0/exact", json!({})),
        ("/runs/0/official/recall_bounds", json!([[]])),
        ("/ground_truth/sha256", Value::Null),
    ] {
        let wrong = changed(pointer, value);
        assert!(wrong.iter().any(|sentence| sentence.starts_with(pointer)), "{pointer}: {wrong:?}");
    }
    assert_eq!(changed("/runs/0/sha256", Value::Null), [""; 0]);
    let mut later = report.clone();
    later["runs"][0]["of_a_later_version"] = json!([1]);
    assert_eq!(wrong(&schema, &later), [""; 0]);
}

#[test]
fn earlier_reports_of_the_same_version_are_what_the_schema_says_and_those_before_are_told_by_their_version() {
    let schema = schema();
    let mut versions = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/reports")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let report: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        let version = report["schema_version"].as_u64().expect("a version");
        let wrong = wrong(&schema, &report);
        if version == u64::from(froc::report::SCHEMA_VERSION) {
            assert_eq!(
                wrong,
                [""; 0],
                "{}: a key that came later has schemars(skip_serializing_if), as `operating` has",
                path.display()
            );
        } else {
            assert!(wrong.iter().any(|sentence| sentence.starts_with("/schema_version")), "{wrong:?}");
        }
        let options: Result<froc::report::OptionsReport, _> = serde_json::from_value(report["options"].clone());
        assert!(options.is_ok(), "{}: {options:?}", path.display());
        versions.insert(version);
    }
    assert_eq!(versions, (1..=u64::from(froc::report::SCHEMA_VERSION)).collect(), "one of each version is kept");
}
