//! What runs reach at score thresholds chosen elsewhere.

use super::metrics::plain;
use super::{Cell, Column, Row, Sheet, or_dash, rests_on, shown};
use crate::report::Report;
use crate::report::statistics::MEAN;
use crate::report::thresholds::{ReachedReport, ThresholdsReport};

/// The means first, then each class, at the thresholds of each rate; runs side by side.
pub(super) fn reached(report: &Report, of: &ThresholdsReport) -> Sheet {
    let column = |(heading, metric): (&str, _)| Column::new(heading, metric, Some(report.options.hit()));
    let n_classes = of.rows.iter().filter(|row| row.run == 0).count();
    let mut rows = Vec::new();
    for place in 0..n_classes {
        for (rate, fp_per_image) in of.fp_per_image.iter().enumerate() {
            for row in of.rows.iter().skip(place).step_by(n_classes) {
                let run = report.runs.get(row.run).map_or("", |run| &run.name);
                rows.push(Row {
                    names: vec![shown(&row.name), fp_per_image.to_string(), run.to_owned()],
                    by: "chosen_elsewhere_".into(),
                    fp_per_image: Some(*fp_per_image),
                    cells: cells(&row.at_rates[rate]),
                    ..plain(&row.name, row.run)
                });
            }
        }
    }
    Sheet {
        title: "Reached at score thresholds chosen elsewhere".to_owned(),
        caption: format!(
            "Score thresholds that reach the rates on {}, run {}, used on these images. {}",
            of.ground_truth,
            of.run,
            rests_on(report)
        ),
        notes: notes(report, of),
        names: vec!["Class", "Chosen at", "Run"],
        columns: [
            ("score at least", "score_threshold"),
            ("TP", "true_positives"),
            ("FP", "false_positives"),
            ("missed", "missed"),
            ("recall, %", "recall"),
            ("FP per image", "fp_per_image"),
            ("precision, %", "precision"),
            ("exact recall, %", "exact_recall"),
            ("optimism, points", "optimism"),
        ]
        .map(column)
        .to_vec(),
        rows,
    }
}

fn cells(at: &ReachedReport) -> Vec<Cell> {
    let count = |count: Option<u64>| Cell::count(count.map(|count| count as usize));
    let optimism = Cell {
        text: or_dash(at.optimism.map(|value| format!("{:+.2}", 100.0 * value))),
        value: at.optimism,
        ..Cell::default()
    };
    vec![
        Cell::score(at.score_threshold),
        count(at.true_positives),
        count(at.false_positives),
        count(at.missed),
        Cell::percent(at.recall.value, at.recall.interval),
        Cell::fraction(at.fp_per_image.value, at.fp_per_image.interval),
        Cell::percent(at.precision.value, at.precision.interval),
        Cell::percent(at.exact_recall, None),
        optimism,
    ]
}

fn notes(report: &Report, of: &ThresholdsReport) -> Vec<String> {
    let level = report.options.bootstrap.as_ref().map(|bootstrap| 100.0 * bootstrap.level);
    let intervals = level.map_or_else(String::new, |level| format!(" In parentheses: {level} % bootstrap intervals."));
    let mut notes = vec![format!(
        "Chosen at: the false positives per image that the threshold reaches on the images it was chosen on. Optimism: exact \
         recall, whose thresholds are chosen on these images, minus recall. {}: over the classes with lesions.{intervals}",
        shown(MEAN)
    )];
    if of.is_own_ground_truth {
        notes.push("These are the images that the thresholds were chosen on, so the numbers flatter.".to_owned());
    }
    notes
}
