//! A report as tables: the only list of columns there is. Each format of [`crate::render`] writes all of them, in its own
//! notation.
//!
//! A number that is added to the report is shown everywhere once it has a column here.

mod comparison;
mod confusion;
mod metrics;
mod operating;
pub mod published;
mod ranking;
mod recall;
mod slices;
mod thresholds;

use std::borrow::Cow;

use crate::options::Hit;
use crate::report::Report;
use crate::report::statistics::{EstimateReport, MEAN, POOLED};

/// One table.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// What it shows, in a few words.
    pub title: String,
    /// What the numbers rest on: hit criterion, rates, dataset, images, lesions, intervals.
    pub caption: String,
    /// What stands under the table: the meaning of its rows.
    pub notes: Vec<String>,
    /// Headings of the columns that name a row.
    pub names: Vec<&'static str>,
    /// The columns of numbers.
    pub columns: Vec<Column>,
    /// The rows, each with as many names and cells as there are headings.
    pub rows: Vec<Row>,
}

/// A column of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What stands over it.
    pub heading: String,
    /// The quantity in `snake_case`, as CSV names it.
    pub metric: Cow<'static, str>,
    /// The rate that it is read at, in false positives per image.
    pub fp_per_image: Option<f64>,
    /// The hit criterion; none for what has none or several.
    pub hit: Option<Hit>,
    /// Place of the run that the column compares with; none where rows say so.
    pub baseline: Option<usize>,
}

impl Column {
    /// A column of one quantity under one hit criterion, of no rate and without a baseline.
    #[must_use]
    pub fn new(heading: &str, metric: impl Into<Cow<'static, str>>, hit: Option<Hit>) -> Self {
        Self { heading: heading.to_owned(), metric: metric.into(), fp_per_image: None, hit, baseline: None }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What names it, as shown.
    pub names: Vec<String>,
    /// The class, `mean` or `pooled`.
    pub class: String,
    /// Place of the run in the report.
    pub run: usize,
    /// Place of the run it is compared with.
    pub baseline: Option<usize>,
    /// What CSV puts before the metric of a column: `official_`, `exact_`, `chosen_elsewhere_`, `slice_`, a convention, what lesions come to, or nothing.
    pub by: Cow<'static, str>,
    /// The rate of the whole row, in place of those of the columns.
    pub fp_per_image: Option<f64>,
    /// The hit criterion of the whole row, in place of those of the columns.
    pub hit: Option<Hit>,
    /// What the images are divided by, and the slice; none of all images.
    pub slice: Option<[String; 2]>,
    /// One number a column.
    pub cells: Vec<Cell>,
}

/// A number, and how it is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// As shown; a dash where there is none.
    pub text: String,
    /// Its interval as shown, and its p value if it has one.
    pub range: Option<String>,
    /// In full; fractions are in 0..=1.
    pub value: Option<f64>,
    /// Both ends of the interval in full.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p value of a difference.
    pub p: Option<f64>,
    /// The same adjusted by Holm's method.
    pub p_holm: Option<f64>,
    /// Whether no other run has more, and one has less.
    pub is_best: bool,
}

/// All tables of a report, the one with the official numbers first; those of statistics only if they were computed.
#[must_use]
pub fn sheets(report: &Report) -> Vec<Sheet> {
    let mut all = vec![recall::recall(report), recall::operating_points(report)];
    if let Some(of) = &report.thresholds {
        all.push(thresholds::reached(report, of));
    }
    all.extend(report.slices.iter().map(|of| slices::division(report, of)));
    if report.runs.iter().any(|run| run.statistics.is_some()) {
        all.extend([metrics::other_metrics(report), published::conventions(report)]);
        all.extend([metrics::sizes(report), metrics::iou_sweep(report)]);
        all.extend([operating::best(report), operating::at_rates(report)]);
        // Reports were written without these.
        all.extend(report.options.specificity.map(|_| operating::at_specificity(report)));
        all.extend(Some(confusion::confusion(report)).filter(|sheet| !sheet.rows.is_empty()));
    }
    if let Some(ranking) = &report.ranking {
        all.extend([ranking::places(report, ranking), ranking::pairs(report, ranking)]);
    }
    for of in &report.comparisons {
        all.extend([comparison::differences(report, of), comparison::changes(report, of)]);
    }
    all
}

/// What all numbers of a report rest on, in one sentence.
fn rests_on(report: &Report) -> String {
    let (truth, options) = (&report.ground_truth, &report.options);
    let rates: Vec<String> = options.fp_per_image.iter().map(f64::to_string).collect();
    // A dataset that nobody has named is called as its file.
    let is_named = truth.protocol != truth.name;
    let dataset = if is_named { format!("{} ({})", truth.protocol, truth.name) } else { truth.name.clone() };
    format!(
        "{}; rates {} false positives per image; {}: {} images, {}.",
        options.hit_in_words(),
        rates.join(", "),
        dataset,
        truth.n_images,
        truth.lesions()
    )
}

/// The columns of a quantity at each rate, and of its mean over them.
fn at_rates(report: &Report, metric: &'static str, average: &'static str) -> Vec<Column> {
    let hit = Some(report.options.hit());
    let at = report
        .options
        .fp_per_image
        .iter()
        .map(|rate| Column { fp_per_image: Some(*rate), ..Column::new(&format!("at {rate}"), metric, hit) });
    at.chain([Column::new("average", average, hit)]).collect()
}

/// The name of a row as shown.
fn shown(class: &str) -> String {
    match class {
        MEAN => "mean of classes".to_owned(),
        POOLED => "all classes ranked together".to_owned(),
        class => class.to_owned(),
    }
}

/// Marks in each column the greatest of the rows of a group, unless all are equal.
fn mark_best(rows: &mut [Row]) {
    let n_columns = rows.first().map_or(0, |row| row.cells.len());
    for column in 0..n_columns {
        let values = || rows.iter().filter_map(|row| row.cells[column].value);
        let most = values().fold(f64::NEG_INFINITY, f64::max);
        if values().all(|value| value >= most) {
            continue;
        }
        for row in rows.iter_mut() {
            let cell = &mut row.cells[column];
            cell.is_best = cell.value.is_some_and(|value| value >= most);
        }
    }
}

impl Cell {
    /// A fraction as percent with two digits, its interval with one.
    fn percent(value: Option<f64>, interval: Option<[f64; 2]>) -> Self {
        let range = interval.map(|[low, high]| format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high));
        let text = or_dash(value.map(|value| format!("{:.2}", 100.0 * value)));
        Self { text, range, value, interval, ..Self::default() }
    }

    /// The same with its interval.
    fn estimate(estimate: &EstimateReport) -> Self {
        Self::percent(estimate.value, estimate.interval)
    }

    /// A fraction in 0..=1 with three digits.
    fn fraction(value: Option<f64>, interval: Option<[f64; 2]>) -> Self {
        let range = interval.map(|[low, high]| format!("{low:.3} to {high:.3}"));
        let text = or_dash(value.map(|value| format!("{value:.3}")));
        Self { text, range, value, interval, ..Self::default() }
    }

    /// A score threshold.
    fn score(threshold: Option<f32>) -> Self {
        let text = or_dash(threshold.map(|score| score.to_string()));
        Self { text, value: threshold.map(f64::from), ..Self::default() }
    }

    /// A whole number.
    fn count(value: Option<usize>) -> Self {
        let text = or_dash(value.map(|value| value.to_string()));
        Self { text, value: value.map(|value| value as f64), ..Self::default() }
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}
