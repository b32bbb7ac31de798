//! What runs reach in slices of the images.

use super::comparison::probability;
use super::metrics::plain;
use super::{Cell, Column, Row, Sheet, or_dash, rests_on, shown};
use crate::report::Report;
use crate::report::slices::{
    DivisionReport, SliceAtRateReport, SliceDifferenceReport, SliceEstimateReport, SliceReport, SliceRowReport,
};
use crate::report::statistics::MEAN;
use crate::slices::LEAST_LESIONS;

/// What stands in place of a recall that would rest on too few lesions.
const TOO_FEW: &str = "too few";

/// The means first, then each class, at each rate; the slices below each other, and runs side by side.
pub(super) fn division(report: &Report, of: &DivisionReport) -> Sheet {
    let n_classes = of.slices.first().map_or(0, |slice| slice.rows.iter().filter(|row| row.run == 0).count());
    let mut rows = Vec::new();
    for place in 0..n_classes {
        for (rate, fp_per_image) in report.options.fp_per_image.iter().enumerate() {
            let slices = of
                .slices
                .iter()
                .flat_map(|slice| slice.rows.iter().skip(place).step_by(n_classes).map(move |row| (slice, row)));
            rows.extend(slices.map(|(slice, row)| self::row(report, of, (slice, row), (rate, *fp_per_image))));
        }
    }
    let column = |(heading, metric): (&str, _)| Column::new(heading, metric, Some(report.options.hit()));
    Sheet {
        title: format!("By {}, at the score thresholds of all images", of.name),
        caption: format!("Images divided by {}. {}", of.name, rests_on(report)),
        notes: notes(report, of),
        names: vec!["Class", "FP per image", "Slice", "Run"],
        columns: [
            ("images", "n_images"),
            ("lesions", "n_lesions"),
            ("recall, %", "recall"),
            ("minus others, points", "recall_difference"),
            ("FP per image", "fp_per_image"),
            ("minus others", "fp_per_image_difference"),
        ]
        .map(column)
        .to_vec(),
        rows,
    }
}

fn row(
    report: &Report,
    of: &DivisionReport,
    (slice, row): (&SliceReport, &SliceRowReport),
    (rate, fp_per_image): (usize, f64),
) -> Row {
    let run = report.runs.get(row.run).map_or("", |run| &run.name);
    Row {
        names: vec![shown(&row.name), fp_per_image.to_string(), slice.name.clone(), run.to_owned()],
        by: "slice_".into(),
        fp_per_image: Some(fp_per_image),
        slice: Some([of.name.clone(), slice.name.clone()]),
        cells: cells(of, row, &row.at_rates[rate]),
        ..plain(&row.name, row.run)
    }
}

fn cells(of: &DivisionReport, row: &SliceRowReport, at: &SliceAtRateReport) -> Vec<Cell> {
    let SliceEstimateReport { value, interval } = at.recall;
    let mut recall = Cell::percent(value, interval);
    if value.is_none() && row.name != MEAN {
        TOO_FEW.clone_into(&mut recall.text);
    }
    let n_images = if of.is_by_size && row.name == MEAN { None } else { Some(row.n_images as usize) };
    vec![
        Cell::count(n_images),
        Cell::count(Some(row.n_lesions as usize)),
        recall,
        difference(
            at.recall_difference.as_ref(),
            |value| format!("{:+.2}", 100.0 * value),
            |end| format!("{:+.1}", 100.0 * end),
        ),
        Cell::fraction(at.fp_per_image.value, at.fp_per_image.interval),
        difference(at.fp_per_image_difference.as_ref(), |value| format!("{value:+.3}"), |end| format!("{end:+.3}")),
    ]
}

fn difference(of: Option<&SliceDifferenceReport>, text: impl Fn(f64) -> String, end: impl Fn(f64) -> String) -> Cell {
    let Some(of) = of else { return Cell { text: or_dash(None), ..Cell::default() } };
    let p = of.p_holm.or(of.p).map_or_else(String::new, |p| format!("; {}", probability(p)));
    Cell {
        text: text(of.value),
        range: of.interval.map(|[low, high]| format!("{} to {}{p}", end(low), end(high))),
        value: Some(of.value),
        interval: of.interval,
        p: of.p,
        p_holm: of.p_holm,
        ..Cell::default()
    }
}

fn notes(report: &Report, of: &DivisionReport) -> Vec<String> {
    let level = report.options.bootstrap.as_ref().map(|bootstrap| 100.0 * bootstrap.level);
    let intervals = level.map_or_else(String::new, |level| {
        format!(
            " In parentheses: {level} % bootstrap intervals, and two-sided p of the differences; those of classes are \
             adjusted by Holm's method over classes and slices."
        )
    });
    let size = if of.is_by_size { " A false positive is of no lesion's size, so it is in no slice." } else { "" };
    let in_mean = match &of.classes_in_mean[..] {
        [] => "of which there is none".to_owned(),
        classes => classes.join(", "),
    };
    vec![format!(
        "Recall and false positives at the score thresholds that reach the rates on all images, and minus those of all other \
         images. {TOO_FEW}: fewer than {LEAST_LESIONS} lesions. {}: of recall over the classes with so many in every slice, \
         {in_mean}; of false positives over all classes with lesions.{size}{intervals}",
        shown(MEAN)
    )]
}
