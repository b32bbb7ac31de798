//! Operating characteristics: the best F-score, precision and images at each rate, sensitivity at a specificity, calibration.

use super::metrics::{by_class, plain};
use super::{Cell, Column, Row, Sheet, rests_on};
use crate::options::{DEFAULT_BETA, DEFAULT_SPECIFICITY};
use crate::report::Report;
use crate::report::operating::{AtRateReport, OperatingReport};
use crate::report::statistics::{MEAN, POOLED, RowReport};

/// Of a heading and a metric each; in both `F1` and `f1` stand for the F-score of the report.
fn columns<const N: usize>(report: &Report, all: [(&str, &str); N]) -> Vec<Column> {
    let (hit, beta) = (Some(report.options.hit()), beta(report));
    let column = |(heading, metric): (&str, &str)| {
        Column::new(&heading.replace("F1", &format!("F{beta}")), metric.replace("f1", &format!("f{beta}")), hit)
    };
    all.into_iter().map(column).collect()
}

fn beta(report: &Report) -> f64 {
    report.options.beta.unwrap_or(DEFAULT_BETA)
}

/// Where the F-score is greatest, and the calibration error.
pub(super) fn best(report: &Report) -> Sheet {
    let cells = |row: &RowReport| {
        let operating = row.operating.as_ref();
        let best = operating.and_then(|operating| operating.best_f_beta);
        let error = operating.and_then(|operating| Some(operating.calibration.as_ref()?.expected_error));
        vec![
            Cell::fraction(best.and_then(|best| best.f_beta), None),
            Cell::score(best.and_then(|best| best.score_threshold)),
            Cell::percent(best.and_then(|best| best.precision), None),
            Cell::percent(best.and_then(|best| best.recall), None),
            Cell::fraction(best.map(|best| best.fp_per_image), None),
            Cell::fraction(error, None),
        ]
    };
    let mut rows = by_class(report, cells);
    rows.retain(|row| row.class != MEAN && row.class != POOLED);
    // More is better of F1 alone.
    for cell in rows.iter_mut().flat_map(|row| row.cells.iter_mut().skip(1)) {
        cell.is_best = false;
    }
    let beta = beta(report);
    let weighs = match report.options.beta.filter(|beta| beta.ne(&DEFAULT_BETA)) {
        Some(beta) => format!(", in which recall weighs {beta} times as much"),
        None => String::new(),
    };
    Sheet {
        title: format!("Best F{beta} on the exact curve, and calibration"),
        caption: format!(
            "The score threshold of the greatest F{beta}, and the calibration error. {}",
            rests_on(report)
        ),
        notes: vec![format!(
            "F{beta}: harmonic mean of precision and recall{weighs}. A threshold that is chosen and tested on the same images \
             flatters. ECE: expected calibration error, how far scores are from the share of true positives in ten bins; a dash \
             where scores lie outside 0 to 1."
        )],
        names: vec!["Class", "Run"],
        columns: columns(
            report,
            [
                ("best F1", "best_f1"),
                ("score at least", "best_f1_score_threshold"),
                ("precision, %", "best_f1_precision"),
                ("recall, %", "best_f1_recall"),
                ("FP per image", "best_f1_fp_per_image"),
                ("ECE", "expected_calibration_error"),
            ],
        ),
        rows,
    }
}

/// Image sensitivity at a specificity.
pub(super) fn at_specificity(report: &Report) -> Sheet {
    let least = report.options.specificity.unwrap_or(DEFAULT_SPECIFICITY);
    let cells = |row: &RowReport| {
        let at = row.at_specificity.as_ref();
        vec![
            Cell::percent(at.and_then(|at| at.sensitivity.value), at.and_then(|at| at.sensitivity.interval)),
            Cell::percent(at.and_then(|at| at.specificity), None),
            Cell::score(at.and_then(|at| at.score_threshold)),
        ]
    };
    let mut rows = by_class(report, cells);
    rows.retain(|row| row.class != POOLED);
    // More is better of sensitivity alone.
    for cell in rows.iter_mut().flat_map(|row| row.cells.iter_mut().skip(1)) {
        cell.is_best = false;
    }
    let metric = format!("sensitivity_at_specificity_{least}");
    let column = |heading: &str, metric: String| Column::new(heading, metric, None);
    Sheet {
        title: format!("Image sensitivity at a specificity of {least}"),
        caption: format!("Image sensitivity at a specificity of {least} at least, by class. {}", rests_on(report)),
        notes: vec![
            "At the lowest score threshold at which at least that share of the images without a lesion of the class shows no \
             detection of it: the share of the images with one in which a detection is shown, wherever. The interval draws both \
             kinds of images apart and chooses the threshold anew. The mean is over the classes."
                .to_owned(),
        ],
        names: vec!["Class", "Run"],
        columns: vec![
            column("image sensitivity, %", metric.clone()),
            column("specificity reached, %", format!("{metric}_reached")),
            column("score at least", format!("{metric}_score_threshold")),
        ],
        rows,
    }
}

/// Precision, and what happens in whole images, at the exact operating points of each rate.
pub(super) fn at_rates(report: &Report) -> Sheet {
    let mut rows = Vec::new();
    let n_classes = report.runs.first().map_or(0, |run| run.classes.len());
    for place in 0..n_classes {
        for (at, rate) in report.options.fp_per_image.iter().enumerate() {
            for (run, of) in report.runs.iter().enumerate() {
                let row = of.statistics.as_ref().and_then(|statistics| statistics.rows.get(place));
                let Some((name, operating)) = row.and_then(|row| Some((&row.name, row.operating.as_ref()?))) else {
                    continue;
                };
                rows.push(Row {
                    names: vec![name.clone(), rate.to_string(), of.name.clone()],
                    by: "exact_".into(),
                    fp_per_image: Some(*rate),
                    cells: cells_at(operating, at),
                    ..plain(name, run)
                });
            }
        }
    }
    Sheet {
        title: "Precision and images at the exact operating points".to_owned(),
        caption: format!("Precision, and sensitivity and specificity of images, at the score thresholds of exact recall. {}", rests_on(report)),
        notes: vec![
            "Image sensitivity: share of the images with a lesion of the class in which a detection of it is shown, wherever; \
             specificity: share of those without one in which none is shown. Lesion-free: without a lesion of any class. A dash \
             where nothing is shown, or where there is no such image."
                .to_owned(),
        ],
        names: vec!["Class", "FP per image", "Run"],
        columns: columns(
            report,
            [
                ("precision, %", "precision"),
                ("F1", "f1"),
                ("image sensitivity, %", "image_sensitivity"),
                ("image specificity, %", "image_specificity"),
                ("lesion-free images with FP, %", "lesion_free_with_fp"),
                ("FP per lesion-free image", "fp_per_lesion_free_image"),
            ],
        ),
        rows,
    }
}

fn cells_at(operating: &OperatingReport, rate: usize) -> Vec<Cell> {
    let at: Option<&AtRateReport> = operating.at_rates.get(rate);
    let percent = |of: fn(&AtRateReport) -> Option<f64>| Cell::percent(at.and_then(of), None);
    vec![
        percent(|at| at.shown.precision),
        Cell::fraction(at.and_then(|at| at.shown.f_beta), None),
        percent(|at| at.image_sensitivity),
        percent(|at| at.image_specificity),
        percent(|at| at.lesion_free_with_fp),
        Cell::fraction(at.and_then(|at| at.fp_per_lesion_free_image), None),
    ]
}
