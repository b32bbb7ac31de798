//! The report as tidy CSV: one row for each number of each table.

use crate::error::Error;
use crate::geometry::Measure;
use crate::options::Hit;
use crate::printable::no_formula;
use crate::report::Report;
use crate::sheet::{Cell, Column, Row, sheets};

/// The columns; behind them `hit` where another criterion than IoU decides, `division`, `slice` and `slices_sha256` where images
/// are divided, `protocol` where one is chosen, and `readers` where several drew the boxes. `fp_per_image` and `iou_threshold` are empty where a metric has none of its own, `value`, `low` and `high` where they
/// are undefined or were not asked for; fractions are in 0..=1. The last columns say what a row rests on.
const COLUMNS: [&str; 18] = [
    "run",
    "baseline",
    "class",
    "metric",
    "fp_per_image",
    "iou_threshold",
    "value",
    "low",
    "high",
    "p",
    "p_holm",
    "run_sha256",
    "ground_truth_sha256",
    "froc_version",
    "replicates",
    "seed",
    "groups_sha256",
    "thresholds_sha256",
];

/// The report as CSV with a header, numbers in full, official ones first. Names that a spreadsheet would run as a formula
/// begin with an apostrophe.
///
/// # Errors
/// If it does not fit into memory.
pub fn csv(report: &Report) -> Result<Vec<u8>, Error> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let fail = |what: String| Error::new("CSV report", what, "a report that can be written");
    // IoU has its column; reports without another criterion have no more.
    let hit = report.options.hit.as_ref().map(|_| report.options.hit().id());
    let sliced = report.options.slices.as_ref();
    let of_slices = sliced.map(|_| ["division", "slice", "slices_sha256"]).into_iter().flatten();
    let protocol = report.ground_truth.protocol_is_chosen.then_some(&report.ground_truth.protocol);
    let readers = report.ground_truth.readers.as_ref().map(|readers| no_formula(&readers.chosen).into_owned());
    let last = protocol.map(|_| "protocol").into_iter().chain(readers.as_ref().map(|_| "readers"));
    writer
        .write_record(COLUMNS.into_iter().chain(hit.as_ref().map(|_| "hit")).chain(of_slices).chain(last))
        .map_err(|error| fail(error.to_string()))?;
    for sheet in sheets(report) {
        for row in &sheet.rows {
            for (column, cell) in sheet.columns.iter().zip(&row.cells) {
                let of_row = row.hit.or(column.hit);
                let hit = hit.as_ref().map(|_| of_row.map(Hit::id).unwrap_or_default());
                let of_slices = sliced.map(|of| {
                    let name = |of: &String| no_formula(of).into_owned();
                    let [division, slice] = row.slice.as_ref().map(|of| of.each_ref().map(name)).unwrap_or_default();
                    [division, slice, of.sha256.clone().unwrap_or_default()]
                });
                let record = record(report, row, column, cell).into_iter().chain(hit);
                writer
                    .write_record(
                        record.chain(of_slices.into_iter().flatten()).chain(protocol.cloned()).chain(readers.clone()),
                    )
                    .map_err(|error| fail(error.to_string()))?;
            }
        }
    }
    writer.into_inner().map_err(|error| fail(error.to_string()))
}

fn record(report: &Report, row: &Row, column: &Column, cell: &Cell) -> [String; COLUMNS.len()] {
    let number = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let run = report.runs.get(row.run);
    let name = |at: usize| report.runs.get(at).map_or_else(String::new, |run| no_formula(&run.name).into_owned());
    let bootstrap = report.options.bootstrap.as_ref();
    [
        name(row.run),
        row.baseline.or(column.baseline).map(name).unwrap_or_default(),
        no_formula(&row.class).into_owned(),
        format!("{}{}", row.by, column.metric),
        number(row.fp_per_image.or(column.fp_per_image)),
        number(row.hit.or(column.hit).filter(|hit| hit.measure() == Measure::Iou).map(Hit::threshold)),
        number(cell.value),
        number(cell.interval.map(|ends| ends[0])),
        number(cell.interval.map(|ends| ends[1])),
        number(cell.p),
        number(cell.p_holm),
        run.and_then(|run| run.sha256.clone()).unwrap_or_default(),
        report.ground_truth.sha256.clone(),
        report.froc_version.clone(),
        bootstrap.map_or_else(String::new, |bootstrap| bootstrap.replicates.to_string()),
        bootstrap.map_or_else(String::new, |bootstrap| bootstrap.seed.to_string()),
        bootstrap.and_then(|bootstrap| bootstrap.groups.sha256.clone()).unwrap_or_default(),
        report.thresholds.as_ref().and_then(|of| of.sha256.clone()).unwrap_or_default(),
    ]
}
