//! Another run against the baseline.

use super::{Cell, Column, Row, Sheet, at_rates, or_dash, rests_on, shown};
use crate::report::Report;
use crate::report::statistics::{ComparisonReport, DifferenceReport, MEAN, SidesReport};

fn title(report: &Report, of: &ComparisonReport) -> String {
    let name = |at: usize| report.runs.get(at).map_or("", |run| &run.name);
    format!("{} minus {}", name(of.other), name(of.baseline))
}

/// Differences of exact recall, with interval and p.
pub(super) fn differences(report: &Report, of: &ComparisonReport) -> Sheet {
    let row = |row: &crate::report::statistics::DifferenceRowReport| Row {
        names: vec![shown(&row.name)],
        class: row.name.clone(),
        run: of.other,
        baseline: Some(of.baseline),
        by: "exact_".into(),
        fp_per_image: None,
        hit: None,
        slice: None,
        cells: row.recall.iter().chain([&row.average_recall]).map(|it| difference(it.as_ref())).collect(),
    };
    let title = title(report, of);
    Sheet {
        caption: format!("{title}: difference of exact recall in points. {}", rests_on(report)),
        title: format!("{title}, points of exact recall"),
        notes: vec![
            "In parentheses: bootstrap interval and two-sided p; p of classes adjusted by Holm's method.".to_owned(),
        ],
        names: vec!["Class"],
        columns: at_rates(report, "recall_difference", "average_recall_difference"),
        rows: of.rows.iter().map(row).collect(),
    }
}

fn difference(of: Option<&DifferenceReport>) -> Cell {
    let range = |of: &DifferenceReport| {
        let [low, high] = of.interval.map(|end| 100.0 * end);
        format!("{low:+.1} to {high:+.1}; {}", probability(of.p_holm.unwrap_or(of.p)))
    };
    Cell {
        text: or_dash(of.map(|of| format!("{:+.2}", 100.0 * of.value))),
        range: of.map(range),
        value: of.map(|of| of.value),
        interval: of.map(|of| of.interval),
        p: of.map(|of| of.p),
        p_holm: of.and_then(|of| of.p_holm),
        is_best: false,
    }
}

/// A p as it stands behind an interval.
pub(super) fn probability(p: f64) -> String {
    if p < 0.001 { "p <0.001".to_owned() } else { format!("p {p:.3}") }
}

/// What changed sides, each run at its own exact operating points.
pub(super) fn changes(report: &Report, of: &ComparisonReport) -> Sheet {
    let hit = Some(report.options.hit());
    let columns = [
        ("lesions gained", "lesions_gained"),
        ("lost", "lesions_lost"),
        ("unchanged", "lesions_unchanged"),
        ("images gained", "images_gained"),
        ("lost", "images_lost"),
        ("unchanged", "images_unchanged"),
        ("classes gained", "classes_gained"),
        ("lost", "classes_lost"),
        ("unchanged", "classes_unchanged"),
    ];
    let column = |(heading, metric): (&str, _)| Column::new(heading, metric, hit);
    let row = |at: &crate::report::statistics::ChangesReport| Row {
        names: vec![at.fp_per_image.to_string()],
        class: MEAN.to_owned(),
        run: of.other,
        baseline: Some(of.baseline),
        by: "".into(),
        fp_per_image: Some(at.fp_per_image),
        hit: None,
        slice: None,
        cells: [at.lesions, at.images, at.classes]
            .into_iter()
            .flat_map(|SidesReport { gained, lost, unchanged }| [gained, lost, unchanged])
            .map(|count| Cell::count(Some(count)))
            .collect(),
    };
    let title = title(report, of);
    Sheet {
        caption: format!("{title}: what is found by one run alone. {}", rests_on(report)),
        title: format!("{title}, what changed sides"),
        notes: vec!["Each run at its own exact operating points.".to_owned()],
        names: vec!["FP per image"],
        columns: columns.into_iter().map(column).collect(),
        rows: of.changes.iter().map(row).collect(),
    }
}
