//! What a person does with the page, from the first file to the export, without a browser.
#![allow(clippy::float_cmp)]

use std::io::Cursor;
use std::ops::ControlFlow;

use froc::diagnosis::Category;
use froc::options::Hit;
use froc::reading::{Folders, Layout};
use froc::render::Format;
use froc::render::errors::ErrorsFormat;
use froc::session::{
    FileKind, GalleryQuery, GroupSource, Outcome, ResamplingOptions, Session, StatisticsOptions, View,
};
use froc::{Options, Reading, Report};

use crate::support::{scratch, zip_of};

const N_IMAGES: usize = 30;

/// Images, every second one with a nodule.
fn ground_truth() -> String {
    let image = |at: usize| {
        let (syms, boxes) =
            if usize::is_multiple_of(at, 2) { ("\"Nodule\"", "[100, 100, 199, 199]") } else { ("", "") };
        format!(r#"{{"file_name": "{at}.png", "syms": [{syms}], "boxes": [{boxes}]}}"#)
    };
    format!("[{}]", (0..N_IMAGES).map(image).collect::<Vec<_>>().join(","))
}

/// A zip with the same box in every image, at a score that falls from image to image.
fn run_of(numbers: &str) -> Vec<u8> {
    let files: Vec<(String, String)> = (0..N_IMAGES)
        .map(|at| (format!("{at}.json"), format!(r#"[{{"Nodule": [{numbers}, 0.{}]}}]"#, 95 - at)))
        .collect();
    zip_of(&files)
}

const CORNERS: &str = "100, 100, 199, 199";
const XYWH: &str = "100, 100, 100, 100";

fn add(session: &mut Session, id: &str, name: &str, bytes: &[u8]) -> FileKind {
    session.add(id, name, Cursor::new(bytes), &mut |_| ControlFlow::Continue(())).expect("a file in order").kind
}

/// A session with a ground truth and one run in order.
fn loaded() -> Session {
    let mut session = Session::default();
    add(&mut session, "g", "test.json", ground_truth().as_bytes());
    add(&mut session, "a", "a.zip", &run_of(CORNERS));
    session
}

fn report(outcome: &Outcome) -> &Report {
    outcome.report.as_ref().expect("a report")
}

/// Exact recall of nodules at 1 false positive per image.
fn recall(outcome: &Outcome, run: &str) -> f64 {
    let at = outcome.run_ids.iter().position(|id| id == run).expect("a run of that id");
    report(outcome).runs[at].classes[3].exact.recall[0].expect("there are nodules")
}

fn options() -> Options {
    Options::new(0.5, vec![1.0]).expect("options in range")
}

fn view(session: &Session, run: &str) -> View {
    let thresholds = session.operating_thresholds(run, &[f64::INFINITY], 0.5, false).expect("a run").remove(0);
    View { run: run.to_owned(), iou_threshold: 0.5, fp_per_image: None, thresholds: thresholds.into_iter().collect() }
}

/// Ground truth, two runs, a remedy, undo, statistics, gallery, export.
#[test]
fn a_whole_story() {
    let mut session = Session::default();
    assert_eq!(add(&mut session, "a", "a.zip", &run_of(CORNERS)), FileKind::Predictions);
    // Nothing to score it against yet, which is no mistake.
    assert_eq!(*session.evaluate(&options()), Outcome::default());
    assert_eq!(session.export(Format::Json).expect_err("no report").place(), "report");
    assert_eq!(add(&mut session, "g", "test.json", ground_truth().as_bytes()), FileKind::GroundTruth);
    assert_eq!(recall(session.evaluate(&options()), "a"), 1.0);

    // A second run of the same name, written as x, y, width, height.
    add(&mut session, "b", "a.zip", &run_of(XYWH));
    session.rename("b", "b.zip");
    let outcome = session.evaluate(&options());
    assert_eq!((outcome.run_ids.as_slice(), recall(outcome, "b")), (["a", "b"].map(str::to_owned).as_slice(), 0.0));
    let findings = &report(outcome).runs[1].findings;
    let remedy = findings.iter().find_map(|finding| finding.remedy.clone()).expect("an offer");
    assert_eq!(remedy.reading.boxes, Layout::Xywh);
    let before = outcome.clone();

    // The offer is taken, and taken back.
    session.set_reading("b", remedy.reading.clone());
    assert_eq!(recall(session.evaluate(&options()), "b"), 1.0);
    session.set_reading("b", Reading::default());
    assert_eq!(*session.evaluate(&options()), before);
    session.set_reading("b", remedy.reading);
    let names = report(session.evaluate(&options())).runs.iter().map(|run| run.name.clone()).collect::<Vec<_>>();
    assert_eq!(names, ["a.zip", "b.zip"]);

    // Intervals, and one against the other.
    let resampling = ResamplingOptions { replicates: 20, groups: GroupSource::Images, ..ResamplingOptions::default() };
    let mut progress =
        session.start_bootstrap(&options(), &resampling, &StatisticsOptions::default()).expect("a bootstrap");
    while progress.done < progress.total {
        progress = session.step_bootstrap(7).expect("a bootstrap");
    }
    let wanted = StatisticsOptions { baseline: Some("b".to_owned()), ..StatisticsOptions::default() };
    let outcome = session.evaluate_with_statistics(&options(), &wanted).expect("two runs");
    let comparison = &report(outcome).comparisons[0];
    assert_eq!((comparison.baseline, comparison.other), (1, 0));
    assert!(report(outcome).runs[0].statistics.as_ref().expect("statistics").rows[3].average_recall.interval.is_some());

    // The images behind a count, and one of them.
    let all = view(&session, "a");
    let counts = session.diagnosis(&all).expect("a diagnosis");
    let found = GalleryQuery { categories: vec![Category::TruePositive], ..GalleryQuery::of(all.clone()) };
    let images = session.gallery(&found).expect("a gallery");
    assert_eq!(images, (0..N_IMAGES as u32).step_by(2).collect::<Vec<_>>());
    assert_eq!(counts.classes[3].true_positives, images.len());
    let shown = session.images(&all, &images[..1], true).expect("an image");
    assert_eq!((shown.len(), shown[0].name.as_str()), (1, "0.png"));
    assert!(!shown[0].detections.is_empty() && shown[0].detections.iter().all(|detection| detection.counted));
    // Where none counts, those that do not are told if they are wanted, and the lesions either way.
    let none = View { thresholds: vec![None; 10], ..all };
    let [with, without] =
        [true, false].map(|with| session.images(&none, &images[..1], with).expect("an image").remove(0));
    assert_eq!((with.detections.len(), without.detections.len()), (shown[0].detections.len(), 0));
    assert_eq!((with.lesions.len(), with.lesions), (shown[0].lesions.len(), without.lesions));
    assert_eq!(session.curve("a", "Nodule", &options()).expect("a curve").recall.last(), Some(&1.0));
    assert_eq!(session.official_lines("a").lines().count(), session.official_lines("b").lines().count());

    let exact = session.exact_lines("a");
    let average = report(session.outcome()).runs[0].exact.average_recall.expect("a recall");
    assert!(exact.starts_with("==================== exact recall") && exact.contains("\nRecall@1.00="), "{exact}");
    assert!(exact.ends_with(&format!("\navg recall = {:.2}%\n", 100.0 * average)), "{exact}");

    // What is exported is the last report, in every format.
    let last = session.evaluate(&options()).report.clone().expect("a report");
    for format in Format::ALL {
        assert_eq!(session.export(format).expect("bytes"), format.bytes(&last).expect("bytes"), "{}", format.name());
    }
    let mut rows = Vec::new();
    session.errors(f64::INFINITY, 0.5, ErrorsFormat::Csv, &mut rows).expect("two runs").expect("memory");
    assert_eq!(String::from_utf8(rows).expect("UTF-8").lines().filter(|row| row.contains("b.zip")).count(), N_IMAGES);

    // A file that leaves takes its run along.
    session.remove("a");
    assert_eq!(session.evaluate(&options()).run_ids, ["b"]);
    assert_eq!(session.curve("a", "Nodule", &options()).expect_err("it is gone").place(), "run");
    session.remove("g");
    assert_eq!(*session.evaluate(&options()), Outcome::default());
}

/// What is asked of a run stays what it is of, wherever it stands in a later report.
#[test]
fn a_run_is_known_by_its_id_when_another_leaves() {
    let mut session = loaded();
    add(&mut session, "b", "b.zip", &run_of("500, 500, 599, 599"));
    session.evaluate(&options());
    let [a, b] = ["a", "b"].map(|run| view(&session, run));
    let of = |session: &mut Session, view: &View| session.diagnosis(view).expect("a run").classes[3].true_positives;
    assert_eq!([of(&mut session, &a), of(&mut session, &b)], [N_IMAGES / 2, 0]);
    session.remove("a");
    session.evaluate(&options());
    assert_eq!(of(&mut session, &b), 0);
    assert!(session.diagnosis(&a).is_err());
}

#[test]
fn each_folder_of_a_file_is_a_run_with_an_id_and_a_name_of_its_own() {
    let mut session = Session::default();
    add(&mut session, "g", "test.json", ground_truth().as_bytes());
    let files: Vec<(String, String)> = ["one", "deep/one", "two"]
        .iter()
        .flat_map(|folder| (0..N_IMAGES).map(move |at| (format!("{folder}/{at}.json"), "[]".to_owned())))
        .collect();
    add(&mut session, "m", "models.zip", &zip_of(&files));
    let outcome = session.evaluate(&options());
    assert!(outcome.report.is_none(), "three files for each image");
    assert_eq!((outcome.failures[0].id.as_str(), outcome.failures[0].remedies.len()), ("m", 1));
    session.set_reading("m", Reading { folders: Folders::Apart, ..Reading::default() });
    session.rename("m", "mine");
    let outcome = session.evaluate(&options());
    let mut ids = outcome.run_ids.clone();
    ids.dedup();
    assert_eq!((ids.len(), outcome.file_ids.as_slice()), (3, ["m", "m", "m"].map(str::to_owned).as_slice()));
    assert!(outcome.run_ids.iter().all(|id| id.starts_with("m/")), "{:?}", outcome.run_ids);
    assert!(report(outcome).runs.iter().all(|run| run.name.starts_with("mine/")));
}

#[test]
fn a_bad_file_changes_nothing_and_a_new_one_ends_what_was_computed() {
    let mut session = loaded();
    let before = session.evaluate(&options()).clone();
    let whole = run_of(CORNERS);
    let cut = Cursor::new(&whole[..whole.len() / 2]);
    let error = session.add("a", "cut.zip", cut, &mut |_| ControlFlow::Continue(())).expect_err("half a zip");
    assert_eq!(error.place(), "cut.zip");
    let ended = session.add("a", "a.zip", Cursor::new(&whole), &mut |_| ControlFlow::Break(()));
    assert_eq!(ended.expect_err("it was ended").kind(), froc::ErrorKind::Cancelled);
    assert_eq!(*session.evaluate(&options()), before);

    session
        .start_bootstrap(&options(), &ResamplingOptions::default(), &StatisticsOptions::default())
        .expect("a bootstrap");
    add(&mut session, "c", "groups.csv", b"file_name,group\n0.png,1\n");
    assert_eq!(session.step_bootstrap(1).expect_err("files have changed").place(), "bootstrap");
    let csv = ResamplingOptions { groups: GroupSource::Csv, ..ResamplingOptions::default() };
    let error =
        session.start_bootstrap(&options(), &csv, &StatisticsOptions::default()).expect_err("nine images are missing");
    assert!(error.to_string().starts_with("groups.csv"), "{error}");
    session.remove("c");
    let error = session.start_bootstrap(&options(), &csv, &StatisticsOptions::default()).expect_err("no groups");
    assert_eq!(error.to_string(), "groups: no file of groups was added; expected a CSV file with file_name,group.");
}

#[test]
fn options_that_follow_others_score_as_if_they_had_come_first() {
    let mut one = loaded();
    for (iou_threshold, fp_per_image) in
        [("0.5", "0.05, 0.1, 0.2"), ("0.5", "0.1, 1"), ("0.3", "0.1, 1"), ("0.3", "0.7"), ("0.5", "0.7")]
    {
        let options = Options::parse(iou_threshold, fp_per_image).expect("options");
        assert_eq!(one.evaluate(&options), loaded().evaluate(&options), "{iou_threshold} and {fp_per_image}");
    }
    // Another file under the same threshold.
    let mut fresh = loaded();
    for session in [&mut one, &mut fresh] {
        add(session, "a", "one.zip", &zip_of(&[("1.json", "[]")]));
    }
    assert_eq!(one.evaluate(&options()), fresh.evaluate(&options()));
}

#[test]
fn a_bootstrap_goes_step_by_step_over_the_groups_of_a_file_until_that_leaves() {
    let mut session = loaded();
    session.evaluate(&options());
    let lines = (0..N_IMAGES).map(|at| format!("{at}.png,{}\n", at % 10)).collect::<Vec<_>>().concat();
    let kind = add(&mut session, "c", "groups.csv", format!("file_name,group\n{lines}").as_bytes());
    assert_eq!(kind, FileKind::Groups);
    let resampling = ResamplingOptions { replicates: 30, groups: GroupSource::Csv, ..ResamplingOptions::default() };
    let mut progress =
        session.start_bootstrap(&options(), &resampling, &StatisticsOptions::default()).expect("a bootstrap");
    // For intervals, bands, and observer studies.
    assert_eq!((progress.done, progress.total), (0, 90));
    let mut steps = 0;
    while progress.done < progress.total {
        progress = session.step_bootstrap(7).expect("a bootstrap");
        steps += 1;
    }
    assert_eq!(steps, 13, "90 by sevens");
    let outcome = session.evaluate_with_statistics(&options(), &StatisticsOptions::default()).expect("a run");
    assert_eq!(report(outcome).options.bootstrap.as_ref().expect("it is told").groups.n_groups, 10);
    session.remove("c");
    assert_eq!(session.step_bootstrap(1).expect_err("it is gone").place(), "bootstrap");
}

#[test]
fn curves_of_a_run_are_read_by_its_id() {
    let mut session = loaded();
    session.evaluate(&options());
    let points = |row: &str| session.curve("a", row, &options()).expect("a curve").recall.len();
    // Only nodules are found: all pooled are they. The mean has a point for each number of false positives, on every second image.
    assert_eq!((points("Nodule"), points("pooled"), points("mean")), (N_IMAGES + 1, N_IMAGES + 1, N_IMAGES / 2 + 1));
    let roc = session.image_roc("a", 3).expect("a curve");
    let area = roc.summary.area.expect("images with nodules and without");
    assert!((0.5..=1.0).contains(&area), "{area}");
    assert!(session.image_roc("a", 10).is_err() && session.curve("b", "pooled", &options()).is_err());
}

#[test]
fn a_new_ground_truth_is_scored_against_and_the_last_one_counts() {
    let mut session = loaded();
    let n_images = |session: &mut Session| report(session.evaluate(&options())).ground_truth.n_images;
    assert_eq!(n_images(&mut session), N_IMAGES);
    add(&mut session, "h", "small.json", br#"[{"file_name": "0.png", "syms": [], "boxes": []}]"#);
    assert_eq!(n_images(&mut session), 1);
    session.remove("h");
    assert_eq!(n_images(&mut session), N_IMAGES);
}

/// What a person chooses in place of what the file tells changes the classes, stands in every report, and is taken back.
#[test]
fn a_protocol_is_chosen_told_and_taken_back() {
    let truth = r#"{"images": [{"id": 1, "file_name": "1.png", "width": 99, "height": 99}],
        "categories": [{"id": 7, "name": "Nodule"}, {"id": 9, "name": "Cyst"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 10, 20, 20]},
                        {"id": 2, "image_id": 1, "category_id": 9, "bbox": [50, 50, 20, 20]}]}"#;
    let results = r#"[{"image_id": 1, "category_id": 7, "bbox": [10, 10, 20, 20], "score": 0.5},
        {"image_id": 1, "category_id": 9, "bbox": [50, 50, 20, 20], "score": 0.75}]"#;
    let mut session = Session::default();
    add(&mut session, "g", "coco.json", truth.as_bytes());
    add(&mut session, "r", "results.json", results.as_bytes());
    let told = session.evaluate(&options()).report.clone().expect("a report");
    assert_eq!((told.runs[0].classes.len(), told.ground_truth.protocol_is_chosen), (2, false));

    session.choose_protocol(Some("chestx-det10")).expect("it is built in");
    let chosen = session.evaluate(&options()).report.clone().expect("a report");
    let of = &chosen.ground_truth;
    assert_eq!((of.protocol.as_str(), of.protocol_is_chosen, of.n_lesions), ("ChestX-Det10", true, 1));
    assert_eq!(chosen.findings[0].code, "unknown_lesion_class");
    // Predictions call the class by the number that the file gives it.
    assert_eq!((chosen.runs[0].classes.len(), chosen.runs[0].classes[3].true_positives), (10, 1));
    for format in Format::ALL {
        let text = String::from_utf8(format.bytes(&chosen).expect("bytes")).expect("UTF-8");
        let is_told = match format.name() {
            "json" => text.contains("\"protocol_is_chosen\": true"),
            "csv" => {
                text.starts_with("run,baseline,") && text.contains(",protocol\n") && text.contains(",ChestX-Det10\n")
            }
            _ => text.contains("1 lesions, evaluated as ChestX-Det10 by choice"),
        };
        assert!(is_told, "{}: {text}", format.name());
    }

    // Which classes are ignored stays; another ground truth is evaluated so, too.
    session.ignore_classes(&["Nodule".to_owned()]).expect("a class");
    session.choose_protocol(None).expect("what the file tells");
    let classes = |session: &mut Session| {
        report(session.evaluate(&options())).runs[0].classes.iter().map(|class| class.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(classes(&mut session), ["Cyst"]);
    session.choose_protocol(Some("chestx-det10")).expect("it is built in");
    assert_eq!(classes(&mut session).len(), 9);
    add(&mut session, "h", "again.json", truth.as_bytes());
    assert_eq!(classes(&mut session).len(), 9);
    session.remove("h");
    session.ignore_classes(&[]).expect("all are scored");
    session.choose_protocol(None).expect("what the file tells");
    assert_eq!(session.evaluate(&options()).report.as_ref(), Some(&told));
    let error = session.choose_protocol(Some("vindr")).expect_err("there is none");
    assert_eq!(error.to_string(), "Protocol: there is \"vindr\"; expected one of chestx-det10.");
}

#[test]
fn a_digest_that_comes_late_is_in_the_report_and_its_export() {
    let mut session = loaded();
    assert_eq!(session.learn_sha256("a", "5a"), None, "nothing is scored yet");
    session.remove("a");
    add(&mut session, "a", "a.zip", &run_of(CORNERS));
    assert_eq!(report(session.evaluate(&options())).runs[0].sha256, None);
    let digits = froc::input::sha256(&run_of(CORNERS));
    let learnt = session.learn_sha256("a", &digits).expect("a report");
    assert_eq!(learnt.runs[0].sha256.as_ref(), Some(&digits));
    assert!(String::from_utf8(session.export(Format::Json).expect("bytes")).expect("UTF-8").contains(&digits));
}

/// The terminal reads by path, on all cores; the page from what its browser gives it.
#[test]
fn a_path_is_read_as_its_bytes_are() {
    let folder = scratch("session-paths");
    std::fs::create_dir_all(folder.join("unpacked")).expect("a folder");
    let (truth, predictions) = (folder.join("test.json"), folder.join("a.zip"));
    std::fs::write(&truth, ground_truth()).expect("a file");
    std::fs::write(&predictions, run_of(CORNERS)).expect("a file");
    let mut by_path = Session::default();
    assert_eq!(by_path.add_path("g", &truth).expect("a file").kind, FileKind::GroundTruth);
    assert_eq!(by_path.add_path("a", &predictions).expect("a file").kind, FileKind::Predictions);
    let mut by_bytes = loaded();
    by_bytes.learn_sha256("a", &froc::input::sha256(&run_of(CORNERS)));
    assert_eq!(by_path.evaluate(&options()), by_bytes.evaluate(&options()));
    std::fs::write(folder.join("unpacked/0.json"), "[]").expect("a file");
    assert_eq!(by_path.add_path("f", &folder.join("unpacked")).expect("a folder").n_files, Some(1));
    std::fs::remove_dir_all(&folder).expect("a folder");
    let error = by_path.add_path("g", &truth).expect_err("it is gone");
    assert!(error.to_string().starts_with(&truth.display().to_string()), "{error}");
}

#[test]
fn score_thresholds_are_a_file_like_any_other() {
    let mut session = loaded();
    let options = Options::default();
    session.evaluate(&options);
    let file = session.thresholds("a", &options).and_then(|chosen| chosen.json()).expect("thresholds");
    assert_eq!(add(&mut session, "t", "t.json", &file), FileKind::Thresholds);
    let reached = |outcome: &Outcome| report(outcome).thresholds.as_ref().expect("what they reach").rows[0].at_rates[0];
    let first = reached(session.evaluate(&options));
    // On their own images they reach what they were chosen for.
    assert_eq!(first.recall.value, first.exact_recall);
    assert_eq!(first.recall.interval, None);

    // Intervals come and go with those of the score.
    let resampling = ResamplingOptions { replicates: 20, seed: 1, level: 0.95, groups: GroupSource::Images };
    let mut progress =
        session.start_bootstrap(&options, &resampling, &StatisticsOptions::default()).expect("a bootstrap");
    while progress.done < progress.total {
        progress = session.step_bootstrap(7).expect("a bootstrap");
    }
    let drawn = session.evaluate_with_statistics(&options, &StatisticsOptions::default()).expect("statistics");
    assert!(reached(drawn).recall.interval.is_some());
    assert_eq!(reached(session.evaluate(&options)).recall.interval, None);

    // Where they do not fit, the file is told, and the score stands.
    let other = Options::new(0.3, vec![0.1]).expect("options");
    let outcome = session.evaluate(&other);
    assert_eq!(report(outcome).thresholds, None);
    let [failure] = outcome.failures.as_slice() else { panic!("one file does not fit") };
    assert_eq!(failure.id, "t");
    assert!(failure.errors[0].sentence.contains("IoU threshold 0.5"), "{}", failure.errors[0].sentence);
    session.remove("t");
    let outcome = session.evaluate(&options);
    assert!(outcome.failures.is_empty() && report(outcome).thresholds.is_none());
}

/// Classes are ignored, and scored again, as if the files had just been read.
#[test]
fn classes_that_are_ignored_no_more_are_scored_as_at_first() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut session = loaded();
    let first = session.evaluate(&options()).clone();
    assert_eq!(first.class_names.len(), 10);
    session.ignore_classes(&names(&["Mass", "Effusion"])).expect("classes");
    let ignoring = session.evaluate(&options()).clone();
    assert_eq!(report(&ignoring).ground_truth.ignored_classes, ["Effusion", "Mass"]);
    assert_eq!(report(&ignoring).runs[0].classes.len(), 8);
    assert_eq!(ignoring.class_names, first.class_names);

    // Names are all that are ignored then, not further ones; what makes no sense changes nothing.
    session.ignore_classes(&names(&["Mass"])).expect("a class");
    let one = session.evaluate(&options()).clone();
    assert_eq!(report(&one).ground_truth.ignored_classes, ["Mass"]);
    for wrong in [names(&["mass"]), first.class_names.clone()] {
        session.ignore_classes(&wrong).expect_err("a refusal");
        assert_eq!(session.evaluate(&options()), &one);
    }

    // Another ground truth ignores what it has of them.
    add(&mut session, "g", "test.json", ground_truth().as_bytes());
    assert_eq!(session.evaluate(&options()), &one);
    let masses = br#"{"images": [{"id": 1, "file_name": "0.png"}], "categories": [{"id": 1, "name": "Mass"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}]}"#;
    add(&mut session, "g", "instances.json", masses);
    assert!(report(session.evaluate(&options())).ground_truth.ignored_classes.is_empty());
    add(&mut session, "g", "test.json", ground_truth().as_bytes());

    session.evaluate(&Options::default().with_hit(Hit::parse("centre").expect("a criterion")));
    session.ignore_classes(&[]).expect("none");
    assert_eq!(session.evaluate(&options()), &first);
}

/// A table that is dropped beside the files offers its columns; what is chosen stays through other options, and its images are shown.
#[test]
fn a_table_divides_the_images_until_it_goes() {
    let mut session = loaded();
    let table = |header: &str, line: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..N_IMAGES).map(line).collect();
        format!("{header}\n{}\n", lines.join("\n")).into_bytes()
    };
    let of_patients = table("image;sex;patient", &|at| format!("{at}.png;{};{at}", ["f", "m"][at % 3 / 2]));
    let kind = add(&mut session, "t", "meta.csv", &of_patients);
    assert_eq!(kind, FileKind::Groups, "it names patients, too");
    let outcome = session.evaluate(&options());
    let offered: Vec<&str> = outcome.choices.iter().map(|choice| choice.by.as_str()).collect();
    assert_eq!(offered, ["lesion-free", "number of lesions", "lesion size", "sex"]);
    assert!(outcome.failures.is_empty() && report(outcome).slices.is_empty());
    assert_eq!(outcome.n_groups, Some(30));

    let by = |text: &str| froc::slices::By::parse(text).expect("columns");
    let sliced = report(session.slice_by(by("sex,lesion size")).expect("columns")).clone();
    assert_eq!(sliced.slices.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(), ["sex", "lesion size"]);
    assert_eq!(sliced.options.slices.as_ref().and_then(|of| of.name.as_deref()), Some("meta.csv"));
    assert!(sliced.slices[0].slices[0].rows[0].at_rates[0].recall.interval.is_none());
    let error = session.slice_by(by("age")).expect_err("no such column").to_string();
    assert!(error.starts_with("meta.csv: there is no column \"age\"; expected one of lesion-free"), "{error}");

    // The images of a slice, and those of a size in it.
    let query = |slice| GalleryQuery { slice: Some(slice), ..GalleryQuery::of(view(&session, "a")) };
    let (men, largest) = (query((0, 1)), query((1, 2)));
    let men = session.gallery(&men).expect("a run");
    assert_eq!(men, (0..30).filter(|at| at % 3 == 2).collect::<Vec<u32>>());
    assert_eq!(session.gallery(&largest).expect("a run").len(), 15, "all lesions are of one area, the last third");

    // Other options, and intervals: the slices come with them.
    let again = report(session.evaluate(&Options::new(0.5, vec![0.5]).expect("options"))).clone();
    assert_eq!((again.slices.len(), again.slices[0].slices[1].rows[4].n_images), (2, 10));
    let resampling = ResamplingOptions { replicates: 20, ..ResamplingOptions::default() };
    session.start_bootstrap(&options(), &resampling, &StatisticsOptions::default()).expect("groups");
    session.step_bootstrap(u32::MAX).expect("a bootstrap");
    let outcome = session.evaluate_with_statistics(&options(), &StatisticsOptions::default()).expect("a report");
    assert!(report(outcome).slices[0].slices[1].rows[4].at_rates[0].recall.interval.is_some());
    let with_others = report(session.slice_by(by("lesion-free")).expect("no table is needed")).clone();
    assert!(
        with_others.slices[0].slices[0].rows[0].at_rates[0].fp_per_image.interval.is_some(),
        "nothing is drawn anew"
    );

    session.slice_by(by("sex,lesion-free")).expect("columns");
    session.remove("t");
    let left = report(session.evaluate(&options())).clone();
    assert_eq!(left.slices.iter().map(|of| of.name.as_str()).collect::<Vec<_>>(), ["lesion-free"]);
    assert_eq!(left.options.slices.map(|of| (of.by, of.name)), Some((vec!["lesion-free".to_owned()], None)));

    // One that tells no groups, and one that lacks an image.
    let views = table("image,view", &|at| format!("{at},{}", at % 2));
    assert_eq!(add(&mut session, "t", "view.csv", &views), FileKind::Table);
    assert_eq!(session.evaluate(&options()).choices.len(), 4);
    add(&mut session, "t", "view.csv", b"image,view\n0,1\n");
    let outcome = session.evaluate(&options());
    let sentence = "view.csv: it has no line for image \"1.png\"; expected a line for each image.";
    assert_eq!(outcome.failures.iter().map(|of| of.errors[0].sentence.as_str()).collect::<Vec<_>>(), [sentence]);
}
