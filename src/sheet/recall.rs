//! Recall by class, by the script's rules and exact, and the score thresholds that reach it.

use std::borrow::Cow;

use super::{Cell, Column, Row, Sheet, at_rates, mark_best, rests_on, shown};
use crate::report::statistics::{EstimateReport, MEAN, POOLED, RowReport};
use crate::report::{OptionsReport, Report, RunReport};
use crate::score::average_recall;

/// What a score is reckoned by.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The script's rules: the official score, if it may be called so.
    Rules,
    Exact,
}

/// The means first, by the script's rules and exact; then each class, both; then all classes ranked together.
pub(super) fn recall(report: &Report) -> Sheet {
    let n_classes = report.runs.first().map_or(0, |run| run.classes.len());
    let mut rows = Vec::new();
    for place in std::iter::once(n_classes).chain(0..n_classes) {
        for by in [By::Rules, By::Exact] {
            rows.extend(group(report, place, by));
        }
    }
    // Only statistics rank all classes together.
    if report.runs.iter().any(|run| run.statistics.is_some()) {
        rows.extend(group(report, n_classes + 1, By::Exact));
    }
    // Those of a ranking stand in its own table.
    let bootstrap =
        report.options.bootstrap.as_ref().filter(|_| report.runs.iter().any(|run| run.statistics.is_some()));
    let level = bootstrap.map(|bootstrap| 100.0 * bootstrap.level);
    let intervals = level
        .map_or_else(String::new, |level| format!(" In parentheses: {level} % bootstrap intervals of exact recall."));
    Sheet {
        title: "Recall by class, percent".to_owned(),
        caption: format!("Recall in percent. {}{intervals}", rests_on(report)),
        notes: notes(report),
        names: vec!["Class", "Run", "Score", "Lesions"],
        columns: at_rates(report, "recall", "average_recall"),
        rows,
    }
}

/// One row a run of a class by its place, of the mean after the last class, or of all classes ranked together after that.
fn group(report: &Report, place: usize, by: By) -> Vec<Row> {
    let row = |(at, run): (usize, &RunReport)| {
        let class = run.classes.get(place);
        let name = class.map_or(if place == run.classes.len() { MEAN } else { POOLED }, |class| &class.name);
        let n_lesions = class.map_or_else(|| run.classes.iter().map(|class| class.n_lesions).sum(), |it| it.n_lesions);
        let (score, prefix) = match by {
            By::Exact => ("exact", "exact_"),
            By::Rules if run.official.is_official => (run.official.name.as_str(), "official_"),
            By::Rules => (run.official.name.as_str(), "script_rules_"),
        };
        Row {
            names: vec![shown(name), run.name.clone(), score.to_owned(), n_lesions.to_string()],
            class: name.to_owned(),
            run: at,
            baseline: None,
            by: prefix.into(),
            fp_per_image: None,
            hit: None,
            slice: None,
            cells: if by == By::Exact { exact(run, place) } else { by_rules(run, place) },
        }
    };
    let is_there = |(_, run): &(usize, &RunReport)| by == By::Exact || run.official.none_because.is_none();
    let mut rows: Vec<Row> = report.runs.iter().enumerate().filter(is_there).map(row).collect();
    mark_best(&mut rows);
    rows
}

/// At each rate, then the average.
fn by_rules(run: &RunReport, place: usize) -> Vec<Cell> {
    if let Some(class) = run.classes.get(place) {
        let recall = &class.official.recall;
        let cell = |value: Option<f64>| match value {
            None => Cell { text: "undefined".to_owned(), ..Cell::default() },
            value => Cell::percent(value, None),
        };
        return recall.iter().copied().chain([average_recall(recall)]).map(cell).collect();
    }
    // In the script's own words, which are also there for what is undefined.
    let values = run.official.recall.iter().chain([&run.official.average_recall]);
    let cell = |(printed, value): (&String, &Option<f64>)| Cell {
        text: printed.trim_end_matches('%').to_owned(),
        ..Cell::percent(*value, None)
    };
    run.official.printed.iter().zip(values).map(cell).collect()
}

/// At each rate, then the average; with intervals if statistics were computed.
fn exact(run: &RunReport, place: usize) -> Vec<Cell> {
    let row = |row: &RowReport| row.recall.iter().chain([&row.average_recall]).map(Cell::estimate).collect();
    if let Some(cells) = run.statistics.as_ref().and_then(|statistics| statistics.rows.get(place)).map(row) {
        return cells;
    }
    let plain = |value: Option<f64>| EstimateReport { value, interval: None, n_without_lesions: None };
    let (recall, average) = match run.classes.get(place) {
        Some(class) => (&class.exact.recall, average_recall(&class.exact.recall)),
        None => (&run.exact.recall, run.exact.average_recall),
    };
    recall.iter().copied().chain([average]).map(|value| Cell::estimate(&plain(value))).collect()
}

/// What the two scores are.
fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let protocol = &report.ground_truth.protocol;
    for run in &report.runs {
        if let Some(because) = &run.official.none_because {
            if !notes.contains(because) {
                notes.push(because.clone());
            }
            continue;
        }
        let meaning = if run.official.is_official {
            format!("as the script of {protocol} (eval.py) prints it")
        } else {
            "what the rules of the ChestX-Det10 script (eval.py) give; the script itself would not print it".to_owned()
        };
        let note = format!("{}: {meaning}.", run.official.name);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let has_script = report.runs.iter().any(|run| run.official.none_because.is_none());
    let quirks = if has_script { " (without quirks Q1 to Q6 and Q11 of eval.py)" } else { "" };
    notes.push(format!(
        "exact: recall at the lowest score threshold whose false positives per image do not exceed the rate; equal scores enter \
         together, and means are over the classes with lesions{quirks}."
    ));
    notes
}

/// The exact operating points.
pub(super) fn operating_points(report: &Report) -> Sheet {
    let hit = Some(report.options.hit());
    let column = |rate: &f64, heading: String, metric: &'static str| Column {
        heading,
        metric: Cow::Borrowed(metric),
        fp_per_image: Some(*rate),
        hit,
        baseline: None,
    };
    let OptionsReport { fp_per_image: rates, .. } = &report.options;
    let columns = rates.iter().flat_map(|rate| {
        [
            column(rate, format!("score at least, at {rate}"), "score_threshold"),
            column(rate, format!("FPs at {rate}"), "false_positives"),
            column(rate, format!("FPs allowed at {rate}"), "false_positives_allowed"),
        ]
    });
    let mut rows = Vec::new();
    for place in 0..report.runs.first().map_or(0, |run| run.classes.len()) {
        for (at, run) in report.runs.iter().enumerate() {
            let Some(class) = run.classes.get(place) else { continue };
            let exact = &class.exact;
            let cells = (0..rates.len()).flat_map(|rate| {
                [
                    Cell::score(exact.score_threshold[rate]),
                    Cell::count(exact.false_positives[rate].map(|count| count as usize)),
                    Cell::count(exact.budget[rate].map(|count| count as usize)),
                ]
            });
            rows.push(Row {
                names: vec![class.name.clone(), run.name.clone(), class.n_detections.to_string()],
                class: class.name.clone(),
                run: at,
                baseline: None,
                by: "exact_".into(),
                fp_per_image: None,
                hit: None,
                slice: None,
                cells: cells.collect(),
            });
        }
    }
    Sheet {
        title: "Operating points of exact recall".to_owned(),
        caption: format!("Score thresholds that reach exact recall. {}", rests_on(report)),
        notes: vec!["FPs: false positives that score at least the threshold, in all images.".to_owned()],
        names: vec!["Class", "Run", "Detections"],
        columns: columns.collect(),
        rows,
    }
}
