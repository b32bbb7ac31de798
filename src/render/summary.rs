//! What tables have in common: which figures they show, and how a figure is written.

use crate::report::statistics::{EstimateReport, MEAN, RowReport};
use crate::report::{OptionsReport, Report, RunReport};

/// One cell: a recall with its interval, and whether it is the best of the runs.
pub(super) struct Figure {
    /// Percent with two digits, or a dash.
    pub(super) value: String,
    /// Both ends, percent with one digit.
    pub(super) interval: Option<String>,
    /// Whether no other run has more, and one has less.
    pub(super) is_best: bool,
}

/// One line of a table by class: the exact recall of one run.
pub(super) struct Line<'a> {
    pub(super) run: &'a str,
    pub(super) class: &'a str,
    pub(super) n_lesions: usize,
    /// At each rate, then the average.
    pub(super) figures: Vec<Figure>,
}

/// A fraction as percent with two digits, or a dash.
pub(super) fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| "-".to_owned(), |fraction| format!("{:.2}", 100.0 * fraction))
}

/// Both ends as percent with one digit.
pub(super) fn range([low, high]: [f64; 2]) -> String {
    format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)
}

/// What is exact of a row of a run: at each rate, then the average. Without statistics there are no intervals.
fn estimates(run: &RunReport, place: usize) -> Vec<EstimateReport> {
    let plain = |value: Option<f64>| EstimateReport { value, interval: None, n_without_lesions: None };
    if let Some(row) = row(run, place) {
        return row.recall.iter().chain([&row.average_recall]).copied().collect();
    }
    let (recall, average) = match run.classes.get(place) {
        Some(class) => (&class.exact.recall, crate::score::average_recall(&class.exact.recall)),
        None => (&run.exact.recall, run.exact.average_recall),
    };
    recall.iter().copied().chain([average]).map(plain).collect()
}

pub(super) fn row(run: &RunReport, place: usize) -> Option<&RowReport> {
    run.statistics.as_ref()?.rows.get(place)
}

/// The lines of one class (by its place), or of the mean after the last class: one line a run.
pub(super) fn lines(report: &Report, place: usize) -> Vec<Line<'_>> {
    let all: Vec<Vec<EstimateReport>> = report.runs.iter().map(|run| estimates(run, place)).collect();
    let values = |at: usize| all.iter().filter_map(move |run: &Vec<EstimateReport>| run[at].value);
    let is_best =
        |at: usize, value: f64| values(at).all(|other| other <= value) && values(at).any(|other| other < value);
    let line = |(run, estimates): (_, &Vec<EstimateReport>)| {
        let run: &RunReport = run;
        let figure = |(at, estimate): (usize, &EstimateReport)| Figure {
            value: percent(estimate.value),
            interval: estimate.interval.map(range),
            is_best: estimate.value.is_some_and(|value| is_best(at, value)),
        };
        let class = run.classes.get(place);
        Line {
            run: &run.name,
            class: class.map_or(MEAN, |class| &class.name),
            n_lesions: class
                .map_or_else(|| run.classes.iter().map(|class| class.n_lesions).sum(), |class| class.n_lesions),
            figures: estimates.iter().enumerate().map(figure).collect(),
        }
    };
    report.runs.iter().zip(&all).map(line).collect()
}

/// How many groups of lines there are: the classes, and the mean.
pub(super) fn n_places(report: &Report) -> usize {
    report.runs.first().map_or(0, |run| run.classes.len() + 1)
}

/// Heads of the columns of figures.
pub(super) fn heads(options: &OptionsReport) -> Vec<String> {
    let at = options.fp_per_image.iter().map(|rate| format!("recall@{rate}"));
    at.chain(["average".to_owned()]).collect()
}

/// A p value: three digits, and never 0.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

/// What the figures rest on, one fact a line: version, options, seed, and the SHA-256 of every input.
pub(super) fn provenance(report: &Report) -> Vec<String> {
    let options = &report.options;
    let rates: Vec<String> = options.fp_per_image.iter().map(f64::to_string).collect();
    let mut facts = vec![
        format!("froc {}, report schema {}", report.froc_version, report.schema_version),
        format!("IoU threshold {}; false positives per image {}", options.iou_threshold, rates.join(", ")),
    ];
    if let Some(area_up_to) = options.area_up_to {
        facts.push(format!("areas under curves up to {area_up_to} false positives per image"));
    }
    if let Some(most) = options.max_detections {
        facts.push(format!(
            "AP as pycocotools computes it with maxDets {most}: in each image the {most} detections of a class with the highest \
             scores count"
        ));
    }
    if let Some(bootstrap) = &options.bootstrap {
        let groups = match (bootstrap.groups.source.as_str(), &bootstrap.groups.name, &bootstrap.groups.sha256) {
            ("csv", Some(name), Some(sha256)) => format!("groups of {name} (SHA-256 {sha256})"),
            ("nih_names", ..) => "patients by file name".to_owned(),
            _ => "images".to_owned(),
        };
        facts.push(format!(
            "{} % intervals from {} replicates of {} {groups}, seed {}, generator {}",
            100.0 * bootstrap.level,
            bootstrap.replicates,
            bootstrap.groups.n_groups,
            bootstrap.seed,
            bootstrap.generator
        ));
    }
    let truth = &report.ground_truth;
    facts.push(format!(
        "ground truth {}: {} images, {} lesions, SHA-256 {}",
        truth.name, truth.n_images, truth.n_lesions, truth.sha256
    ));
    for run in &report.runs {
        facts.push(format!(
            "run {}: {} detections, SHA-256 {}",
            run.name,
            run.n_detections,
            run.sha256.as_deref().unwrap_or("not known")
        ));
        // Not read as the official script reads it.
        facts.extend(run.reading.as_ref().map(|how| format!("run {}: {}", run.name, how.sentence)));
    }
    facts
}
