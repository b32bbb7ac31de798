//! Score thresholds as a table: a line for each class and rate, and one for each class that is ignored.

use super::{ClassThresholds, Thresholds};
use crate::error::Error;
use crate::input::table::Table;
use crate::options::Hit;
use crate::printable::no_formula;

/// The columns, in the order in which they are written; they are read in any.
const COLUMNS: [&str; 9] = [
    "class",
    "fp_per_image",
    "score_threshold",
    "is_ignored",
    "hit",
    "dataset",
    "ground_truth",
    "ground_truth_sha256",
    "run",
];
const EXPECTED: &str = "score thresholds as froc score --save-thresholds writes them";

/// Whether a file starts like one.
pub(super) fn is(head: &[u8]) -> bool {
    let table = Table::new(head);
    COLUMNS.iter().all(|column| place(&table, column).is_some())
}

fn place(table: &Table<'_>, column: &str) -> Option<usize> {
    table.header().iter().position(|name| name == column)
}

/// The bytes of a table; an empty field is null.
pub(super) fn bytes(of: &Thresholds) -> Result<Vec<u8>, Error> {
    let hit = Hit::written(of.measure, of.iou_threshold).id();
    let line = |class: &str, rate: String, score: String, is_ignored: bool| {
        [
            guarded(class),
            rate,
            score,
            is_ignored.to_string(),
            hit.clone(),
            guarded(of.protocol.as_deref().unwrap_or_default()),
            guarded(&of.ground_truth),
            of.ground_truth_sha256.clone(),
            guarded(&of.run),
        ]
    };
    let of_class = |class: &ClassThresholds| {
        let scores = of.fp_per_image.iter().zip(&class.score_threshold);
        let written = |score: &Option<f32>| score.map_or_else(String::new, |score| score.to_string());
        scores.map(|(rate, score)| line(&class.name, rate.to_string(), written(score), false)).collect::<Vec<_>>()
    };
    let ignored = of.ignored_classes.iter().map(|class| line(class, String::new(), String::new(), true));
    let lines = of.classes.iter().flat_map(of_class).chain(ignored);
    let fail = |what: String| Error::new("score thresholds", what, "fewer classes or rates");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|error| fail(error.to_string()))?;
    for line in lines {
        writer.write_record(line).map_err(|error| fail(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| fail(error.to_string()))
}

/// A name that no spreadsheet runs as a formula: with an apostrophe before it, which [`unguarded`] takes away.
fn guarded(name: &str) -> String {
    let is_risky = name.starts_with('\'') || no_formula(name).starts_with('\'');
    if is_risky { format!("'{name}") } else { name.to_owned() }
}

fn unguarded(name: &str) -> String {
    name.strip_prefix('\'').unwrap_or(name).to_owned()
}

/// Reads such a table; all its lines are of one dataset, ground truth, run and hit criterion, and each class has a line for each
/// rate.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Thresholds, Error> {
    let table = Table::new(bytes);
    let none = || Error::new(name, "it lacks a column", format!("{EXPECTED}, with {}", COLUMNS.join(", ")));
    let places: Vec<usize> =
        COLUMNS.iter().map(|column| place(&table, column)).collect::<Option<_>>().ok_or_else(none)?;
    let mut read: Option<(Vec<String>, Thresholds)> = None;
    for (place, line) in table.rows(name) {
        let line = line?;
        let field = |at: usize| &line[places[at]];
        let wrong = |at: usize, expected: &str| {
            Error::new(place, format!("its {} is \"{}\"", COLUMNS[at], field(at)), expected)
        };
        let of: Vec<String> = (4..COLUMNS.len()).map(|at| field(at).to_owned()).collect();
        if read.is_none() {
            let hit = Hit::parse(field(4)).map_err(|error| error.within(&place.to_string()))?;
            read = Some((of.clone(), head(hit, [5, 6, 7, 8].map(field))));
        }
        // Made above, of the first line.
        let Some((first, thresholds)) = &mut read else { continue };
        if let Some(at) = (4..COLUMNS.len()).find(|at| of[at - 4] != first[at - 4]) {
            return Err(wrong(at, &format!("\"{}\", as in the lines above", first[at - 4])));
        }
        let class = unguarded(field(0));
        match field(3).to_lowercase().as_str() {
            "true" => thresholds.ignored_classes.push(class),
            "false" => {
                let rate: f64 = field(1).parse().map_err(|_| wrong(1, "a rate such as 0.1"))?;
                let score = match field(2) {
                    "" => None,
                    text => {
                        let number = text.parse().ok().filter(|score: &f32| score.is_finite());
                        Some(number.ok_or_else(|| wrong(2, "a score, or nothing where none is shown"))?)
                    }
                };
                add(thresholds, &class, rate, score)
                    .ok_or_else(|| wrong(1, "the rates of all classes in the same order, each once"))?;
            }
            _ => return Err(wrong(3, "true or false")),
        }
    }
    let thresholds = read.map(|(_, thresholds)| thresholds);
    thresholds.ok_or_else(|| Error::new(name, "it has no line", EXPECTED))
}

/// What all lines tell alike.
fn head(hit: Hit, [dataset, ground_truth, sha256, run]: [&str; 4]) -> Thresholds {
    Thresholds {
        protocol: Some(unguarded(dataset)).filter(|name| !name.is_empty()),
        ignored_classes: Vec::new(),
        iou_threshold: hit.threshold(),
        measure: hit.measure(),
        fp_per_image: Vec::new(),
        ground_truth: unguarded(ground_truth),
        ground_truth_sha256: sha256.to_owned(),
        run: unguarded(run),
        classes: Vec::new(),
        file: None,
    }
}

/// Adds the score threshold of a class at a rate; `None` if that is not the next rate of the class.
fn add(to: &mut Thresholds, class: &str, rate: f64, score: Option<f32>) -> Option<()> {
    let at = to.classes.iter().position(|of| of.name == class).unwrap_or_else(|| {
        to.classes.push(ClassThresholds { name: class.to_owned(), score_threshold: Vec::new() });
        to.classes.len() - 1
    });
    let place = to.classes[at].score_threshold.len();
    // The first class tells the rates.
    if at == 0 && place == to.fp_per_image.len() {
        to.fp_per_image.push(rate);
    }
    let is_next = to.fp_per_image.get(place).is_some_and(|next| next.to_bits() == rate.to_bits());
    to.classes[at].score_threshold.push(score);
    is_next.then_some(())
}
