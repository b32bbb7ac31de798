//! The workbook for RJafroc: AFROC and wAFROC computed from its sheets alone, those of the report, and RJafroc's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::process::{Command, Output};

use froc::convert::rjafroc::{Study, class};
use froc::dataset::Detections;
use froc::report::statistics::Wanted;
use froc::run::Prepared;
use froc::{GroundTruth, Options, Predictions, Reading};
use roxmltree::Document;
use serde::Deserialize;
use zip::ZipArchive;

use crate::support::cases::{case, load};
use crate::support::scratch;

/// `tests/rjafroc.json`: what RJafroc computes of the workbooks of golden cases, the first modality the case's own run, the second one
/// without any detection. Written by its `DfReadDataFile` and `UtilFigureOfMerit`, at the commit that it names.
#[derive(Deserialize)]
struct Theirs {
    studies: Vec<StudyOfTheirs>,
}

#[derive(Deserialize)]
struct StudyOfTheirs {
    case: String,
    class: String,
    iou: f64,
    #[serde(flatten)]
    figures: BTreeMap<String, Option<Vec<f64>>>,
}

/// The sheets of a workbook, in order: rows of cells as text, empty where there is none.
fn sheets(workbook: &[u8]) -> Vec<(String, Vec<Vec<String>>)> {
    let mut zip = ZipArchive::new(Cursor::new(workbook)).expect("a zip");
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).expect("an entry").read_to_string(&mut text).expect("UTF-8");
        text
    };
    let strings = read("xl/sharedStrings.xml");
    let strings = Document::parse(&strings).expect("XML");
    let strings: Vec<&str> =
        strings.descendants().filter(|node| node.has_tag_name("t")).map(|node| node.text().unwrap_or("")).collect();
    let list = read("xl/workbook.xml");
    let list = Document::parse(&list).expect("XML");
    let names =
        list.descendants().filter(|node| node.tag_name().name() == "sheet").filter_map(|node| node.attribute("name"));
    let mut sheets = Vec::new();
    for (name, number) in names.zip(1..) {
        let sheet = read(&format!("xl/worksheets/sheet{number}.xml"));
        let sheet = Document::parse(&sheet).expect("XML");
        let mut rows = Vec::new();
        for row in sheet.descendants().filter(|node| node.tag_name().name() == "row") {
            let mut cells = Vec::new();
            for cell in row.children().filter(|node| node.tag_name().name() == "c") {
                let column = cell.attribute("r").expect("a place").bytes().next().expect("a column") - b'A';
                cells.resize(usize::from(column), String::new());
                let value = cell.descendants().find(|node| node.tag_name().name() == "v").and_then(|node| node.text());
                let value = value.expect("a value");
                let is_text = cell.attribute("t") == Some("s");
                cells.push(if is_text { strings[value.parse::<usize>().expect("a place")] } else { value }.to_owned());
            }
            rows.push(cells);
        }
        sheets.push((name.to_owned(), rows));
    }
    sheets
}

fn number<T: std::str::FromStr>(cell: &str) -> T {
    cell.parse().unwrap_or_else(|_| panic!("{cell} is no number"))
}

/// AFROC, wAFROC, AFROC1 and wAFROC1 of each modality, by looking at every pair of the sheets' rows.
fn figures(workbook: &[u8]) -> Vec<[f64; 4]> {
    let sheets: BTreeMap<String, Vec<Vec<String>>> = sheets(workbook).into_iter().collect();
    let (truth, marks) = (&sheets["Truth"][1..], |sheet: &str| sheets[sheet][1..].to_vec());
    assert_eq!((&*truth[0][5], &*truth[1][5]), ("FROC", "FCTRL"));
    let mut n_lesions: BTreeMap<u32, u32> = BTreeMap::new();
    for row in truth {
        assert_eq!((&*row[2], &*row[3]), ("0", "1"));
        *n_lesions.entry(number(&row[0])).or_default() += u32::from(row[1] != "0");
    }
    let modalities = truth[0][4].split(',');
    let of = |modality: &str| {
        let of_modality = |sheet| marks(sheet).into_iter().filter(|row| row[1] == modality).collect::<Vec<_>>();
        let (false_positives, found) = (of_modality("FP"), of_modality("TP"));
        let highest = |case: u32| {
            let of_case = false_positives.iter().filter(|row| number::<u32>(&row[2]) == case);
            of_case.map(|row| number(&row[3])).fold(f64::NEG_INFINITY, f64::max)
        };
        let rating = |case: u32, lesion: u32| {
            let row = found.iter().find(|row| number::<u32>(&row[2]) == case && number::<u32>(&row[3]) == lesion);
            row.map_or(f64::NEG_INFINITY, |row| number(&row[4]))
        };
        let highest: BTreeMap<u32, f64> = n_lesions.keys().map(|case| (*case, highest(*case))).collect();
        let (mut sums, mut n) = ([0.0; 4], [0.0; 4]);
        for (&case, &n_lesions_here) in n_lesions.iter().filter(|(_, n)| **n > 0) {
            for lesion in 1..=n_lesions_here {
                let (y, share) = (rating(case, lesion), 1.0 / f64::from(n_lesions_here));
                for (other, z) in &highest {
                    let psi = if y > *z {
                        1.0
                    } else if y < *z {
                        0.0
                    } else {
                        0.5
                    };
                    let counts_from = if n_lesions[other] == 0 { 0 } else { 2 };
                    for (at, weight) in [1.0, share, 1.0, share].into_iter().enumerate().skip(counts_from) {
                        sums[at] += weight * psi;
                        n[at] += weight;
                    }
                }
            }
        }
        [0, 1, 2, 3].map(|at| sums[at] / n[at])
    };
    modalities.map(of).collect()
}

/// The case's run, and one without any detection.
fn runs(truth: &GroundTruth, predictions: Predictions) -> Vec<Prepared> {
    let without = Predictions::new("without", Vec::new(), Detections::default());
    let prepare = |predictions: Predictions| froc::prepare(truth, &predictions.into(), &Reading::default());
    [predictions, without].into_iter().flat_map(|one| prepare(one).expect("a run")).collect()
}

#[test]
fn rjafroc_computes_the_figures_of_the_report_from_the_workbook() {
    let theirs: Theirs = serde_json::from_str(include_str!("rjafroc.json")).expect("the answers of RJafroc");
    let (mut n_compared, mut loaded) = (0, BTreeMap::new());
    for StudyOfTheirs { case: name, class: class_name, iou, figures: theirs } in theirs.studies {
        let (truth, runs) = loaded.entry(name.clone()).or_insert_with(|| {
            let (truth, predictions, _) = load(&case(&name).expect("it is in tests/golden"));
            let runs = runs(&truth, predictions);
            (truth, runs)
        });
        let options = Options::new(iou, vec![0.1]).expect("options");
        let class = class(truth, Some(&class_name)).expect("a class");
        let study = |runs: &[Prepared]| Study::new(truth, &runs.iter().collect::<Vec<_>>(), class, &options);
        let workbook = study(runs).expect("a study").workbook;
        let of_sheets = figures(&workbook);
        assert_eq!(of_sheets.len(), 2, "each run is a modality");
        let wanted = Wanted::default();
        let both: Vec<_> = runs.iter().map(|of| (&of.run, &*of.predictions)).collect();
        let report = froc::evaluate_with_statistics(truth, &both, &options, wanted);
        for (modality, of_sheets) in of_sheets.iter().enumerate() {
            let rows = &report.runs[modality].statistics.as_ref().expect("statistics").rows;
            let ours = rows.iter().find(|row| row.name == class_name).and_then(|row| row.observer.as_ref());
            let ours = ours.expect("of every class");
            let ours = [ours.afroc.value, ours.wafroc.value, None, None];
            for (at, figure) in ["AFROC", "wAFROC", "AFROC1", "wAFROC1"].into_iter().enumerate() {
                let said = format!("{name}, {class_name}, {modality}: {figure}");
                match (theirs[figure].as_ref().map(|of| of[modality]), ours[at]) {
                    (Some(theirs), ours) => {
                        assert!((of_sheets[at] - theirs).abs() < 1e-12, "{said}: {} {theirs}", of_sheets[at]);
                        assert!(at > 1 || (ours.expect(&said) - theirs).abs() < 1e-12, "{said}: {ours:?} {theirs}");
                        n_compared += 1;
                    }
                    // Every image has a lesion.
                    (None, ours) => assert!(ours.is_none() && of_sheets[at].is_nan(), "{said}"),
                }
            }
        }
        assert_eq!(study(runs).expect("a study").workbook, workbook, "the same bytes again");
    }
    assert!(n_compared > 100, "{n_compared}");
}

#[test]
fn the_workbook_says_which_case_is_which_image_and_which_modality_is_which_run() {
    let (truth, predictions, _) = load(&case("few-images").expect("it is in tests/golden"));
    let runs = runs(&truth, predictions);
    let class = truth.classes().find(|class| truth.n_lesions(*class) > 0).expect("a class");
    let study = Study::new(&truth, &runs.iter().collect::<Vec<_>>(), class, &Options::default()).expect("a study");
    assert!(
        study.notes.iter().any(|note| note.starts_with("Modality 2, \"without\", found no lesion")),
        "{:?}",
        study.notes
    );
    let sheets = sheets(&study.workbook);
    // RJafroc takes the first three by the alphabet.
    let mut names: Vec<String> = sheets.iter().map(|(name, _)| name.to_uppercase()).collect();
    names.sort();
    assert_eq!(names[..3], ["FP", "TP", "TRUTH"]);
    let sheet = |name: &str| &sheets.iter().find(|(of, _)| of == name).expect("a sheet").1;
    let images = sheet("Which image")[1..].iter().map(|row| (row[0].clone(), row[1].clone()));
    let expected = truth.images().iter().zip(1..).map(|(name, at)| (at.to_string(), name.to_owned()));
    assert_eq!(images.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let of_runs: Vec<&str> = sheet("Which run")[1..].iter().map(|row| &*row[1]).collect();
    assert_eq!(of_runs, ["predictions.zip", "without"]);
    let class_row = ["Class".to_owned(), truth.class_name(class).to_owned()];
    assert_eq!(sheet("Written from")[0], class_row);
}

#[test]
fn the_program_writes_it_or_says_in_a_sentence_why_not() {
    let folder = scratch("the_program_writes_it_or_says_in_a_sentence_why_not");
    let golden = case("few-images").expect("it is in tests/golden");
    let file = folder.join("study.xlsx");
    let path = file.to_str().expect("UTF-8");
    let froc = |more: &[&str]| -> Output {
        let mut froc = Command::new(env!("CARGO_BIN_EXE_froc"));
        froc.arg("rjafroc").arg("--ground-truth").arg(golden.join("test.json"));
        froc.arg("--predictions").arg(golden.join("predictions.zip")).args(more).output().expect("the program starts")
    };
    let refused = |more: &[&str]| {
        let output = froc(more);
        assert_eq!(output.status.code(), Some(2));
        assert!(!file.exists());
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let said = refused(&["--of-class", "Nodul", "-o", path]);
    assert!(said.starts_with("Class: there is \"Nodul\"; expected one of Consolidation, Fibrosis, "), "{said}");
    let said = refused(&["-o", path]);
    assert!(said.starts_with("Class: none is named, and ") && said.contains("Nodule"), "{said}");
    let said = refused(&["--of-class", "Nodule", "-o", "study.xls"]);
    assert!(said.ends_with("expected a name that ends in .xlsx, since RJafroc reads no other.\n"), "{said}");
    let (truth, predictions, _) = load(&golden);
    let without = truth.classes().find(|class| truth.n_lesions(*class) == 0);
    if let Some(class) = without {
        let said = refused(&["--of-class", truth.class_name(class), "-o", path]);
        assert!(said.contains("0 of 8 images have lesions of the class"), "{said}");
    }
    let with = truth.classes().find(|class| truth.n_lesions(*class) > 0).expect("a class");
    let output = froc(&["--of-class", truth.class_name(with), "-o", path]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b""[..]));
    let runs = runs(&truth, predictions);
    let study = Study::new(&truth, &[&runs[0]], with, &Options::default()).expect("a study");
    let shown = sheets(&fs::read(&file).expect("a file"));
    // Of the program the SHA-256 of the run is known.
    assert_eq!(shown[..4], sheets(&study.workbook)[..4]);
}
