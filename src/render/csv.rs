//! The report as tidy CSV: one row for each run, class and metric.

use crate::error::Error;
use crate::printable::no_formula;
use crate::report::statistics::{
    ComparisonReport, DifferenceReport, DifferenceRowReport, EstimateReport, MEAN, RowReport, SidesReport,
};
use crate::report::{Report, RunReport};

/// The columns. `fp_per_image` and `iou_threshold` are empty where a metric has none of its own, `value`, `low` and `high`
/// where they are undefined or were not asked for; fractions are in 0..=1. The last columns say what a row rests on.
const COLUMNS: [&str; 17] = [
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
];

/// The report as CSV with a header, numbers in full. Names of runs that a spreadsheet would run as a formula begin with
/// an apostrophe.
///
/// # Errors
/// If it does not fit into memory.
pub fn csv(report: &Report) -> Result<Vec<u8>, Error> {
    let mut sheet = Sheet { report, writer: ::csv::Writer::from_writer(Vec::new()) };
    let write = |sheet: &mut Sheet<'_>| {
        sheet.writer.write_record(COLUMNS)?;
        for run in &report.runs {
            sheet.run(run)?;
        }
        report.comparisons.iter().try_for_each(|comparison| sheet.comparison(comparison))
    };
    let fail = |what: String| Error::new("CSV report", what, "a report that can be written");
    write(&mut sheet).map_err(|error| fail(error.to_string()))?;
    sheet.writer.into_inner().map_err(|error| fail(error.to_string()))
}

struct Sheet<'a> {
    report: &'a Report,
    writer: ::csv::Writer<Vec<u8>>,
}

/// What a row says; the rest follows from the report.
#[derive(Clone, Copy, Default)]
struct Cell<'a> {
    baseline: Option<&'a RunReport>,
    class: &'a str,
    metric: &'a str,
    fp_per_image: Option<f64>,
    /// The one of the options unless set; none at all for metrics that have none or several.
    iou_threshold: Option<f64>,
    has_no_iou_threshold: bool,
    value: Option<f64>,
    interval: Option<[f64; 2]>,
    p: Option<f64>,
    p_holm: Option<f64>,
}

impl Sheet<'_> {
    fn row(&mut self, run: &RunReport, cell: Cell<'_>) -> Result<(), ::csv::Error> {
        let number = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
        let bootstrap = self.report.options.bootstrap.as_ref();
        let groups = bootstrap.and_then(|bootstrap| bootstrap.groups.sha256.clone());
        self.writer.write_record([
            no_formula(&run.name).into_owned(),
            cell.baseline.map_or_else(String::new, |baseline| no_formula(&baseline.name).into_owned()),
            cell.class.to_owned(),
            cell.metric.to_owned(),
            number(cell.fp_per_image),
            number(
                cell.iou_threshold.or(Some(self.report.options.iou_threshold)).filter(|_| !cell.has_no_iou_threshold),
            ),
            number(cell.value),
            number(cell.interval.map(|ends| ends[0])),
            number(cell.interval.map(|ends| ends[1])),
            number(cell.p),
            number(cell.p_holm),
            run.sha256.clone().unwrap_or_default(),
            self.report.ground_truth.sha256.clone(),
            self.report.froc_version.clone(),
            bootstrap.map_or_else(String::new, |bootstrap| bootstrap.replicates.to_string()),
            bootstrap.map_or_else(String::new, |bootstrap| bootstrap.seed.to_string()),
            groups.unwrap_or_default(),
        ])
    }

    fn run(&mut self, run: &RunReport) -> Result<(), ::csv::Error> {
        let classes = run.classes.iter();
        let of_classes = classes.map(|class| (class.name.as_str(), &class.official.recall, &class.exact.recall));
        let rows: Vec<_> = of_classes.chain([(MEAN, &run.official.recall, &run.exact.recall)]).collect();
        let rates = self.report.options.fp_per_image.clone();
        for (class, official, exact) in rows {
            let by_rules = if run.official.is_official { "official_recall" } else { "script_rules_recall" };
            for (metric, recall) in [(by_rules, official), ("exact_recall", exact)] {
                // With statistics exact recall comes with its interval, below.
                if metric == "exact_recall" && run.statistics.is_some() {
                    continue;
                }
                for (rate, value) in rates.iter().zip(recall) {
                    self.row(run, Cell { class, metric, fp_per_image: Some(*rate), value: *value, ..Cell::default() })?;
                }
            }
        }
        let by_rules = if run.official.is_official { "official_average_recall" } else { "script_rules_average_recall" };
        let averages = [
            (by_rules, run.official.average_recall),
            ("exact_average_recall", run.exact.average_recall.filter(|_| run.statistics.is_none())),
        ];
        for (metric, value) in averages.into_iter().filter(|(_, value)| value.is_some()) {
            self.row(run, Cell { class: MEAN, metric, value, ..Cell::default() })?;
        }
        let Some(statistics) = &run.statistics else { return Ok(()) };
        statistics.rows.iter().try_for_each(|row| self.statistics(run, row))?;
        for at in &statistics.iou_sweep {
            let cell = Cell { class: MEAN, metric: "exact_average_recall_at_iou", ..Cell::default() };
            self.row(run, Cell { iou_threshold: Some(at.iou_threshold), value: at.average_recall, ..cell })?;
        }
        Ok(())
    }

    fn statistics(&mut self, run: &RunReport, row: &RowReport) -> Result<(), ::csv::Error> {
        let class = row.name.as_str();
        let estimate = |metric, estimate: &EstimateReport, fp_per_image| Cell {
            class,
            metric,
            fp_per_image,
            value: estimate.value,
            interval: estimate.interval,
            ..Cell::default()
        };
        let rates = self.report.options.fp_per_image.clone();
        for (rate, recall) in rates.into_iter().zip(&row.recall) {
            self.row(run, estimate("exact_recall", recall, Some(rate)))?;
        }
        self.row(run, estimate("exact_average_recall", &row.average_recall, None))?;
        let area_up_to = self.report.options.area_up_to;
        let plain = |metric, value| Cell { class, metric, value, ..Cell::default() };
        self.row(run, plain("recall_at_seven_rates", row.recall_at_seven_rates))?;
        self.row(run, Cell { fp_per_image: area_up_to, ..plain("area", row.area) })?;
        if let Some(ap) = row.average_precision {
            self.row(run, Cell { iou_threshold: Some(0.5), ..plain("ap50", Some(ap.ap50)) })?;
            self.row(run, Cell { iou_threshold: Some(0.75), ..plain("ap75", Some(ap.ap75)) })?;
            self.row(run, Cell { has_no_iou_threshold: true, ..plain("ap50_95", Some(ap.ap50_95)) })?;
        }
        if let Some(roc) = &row.image_roc {
            let cell = Cell { has_no_iou_threshold: true, ..plain("image_roc_area", roc.area) };
            self.row(run, Cell { interval: roc.interval, ..cell })?;
        }
        for size in &row.sizes {
            let metric = format!("recall_{}_{}", size.division, size.size);
            self.row(run, Cell { class, metric: &metric, value: size.recall, ..Cell::default() })?;
        }
        Ok(())
    }

    fn comparison(&mut self, comparison: &ComparisonReport) -> Result<(), ::csv::Error> {
        let report = self.report;
        let (Some(baseline), Some(other)) = (report.runs.get(comparison.baseline), report.runs.get(comparison.other))
        else {
            return Ok(());
        };
        for row in &comparison.rows {
            self.differences(baseline, other, row)?;
        }
        for changes in &comparison.changes {
            for (what, sides) in
                [("classes", changes.classes), ("images", changes.images), ("lesions", changes.lesions)]
            {
                let SidesReport { gained, lost, unchanged } = sides;
                for (how, count) in [("gained", gained), ("lost", lost), ("unchanged", unchanged)] {
                    let metric = format!("{what}_{how}");
                    let cell = Cell { class: MEAN, metric: &metric, value: Some(count as f64), ..Cell::default() };
                    let fp_per_image = Some(changes.fp_per_image);
                    self.row(other, Cell { baseline: Some(baseline), fp_per_image, ..cell })?;
                }
            }
        }
        Ok(())
    }

    fn differences(
        &mut self,
        baseline: &RunReport,
        other: &RunReport,
        row: &DifferenceRowReport,
    ) -> Result<(), ::csv::Error> {
        let cell = |metric, fp_per_image, difference: &Option<DifferenceReport>| Cell {
            baseline: Some(baseline),
            class: &row.name,
            metric,
            fp_per_image,
            value: difference.map(|difference| difference.value),
            interval: difference.map(|difference| difference.interval),
            p: difference.map(|difference| difference.p),
            p_holm: difference.and_then(|difference| difference.p_holm),
            ..Cell::default()
        };
        let rates = self.report.options.fp_per_image.clone();
        for (rate, difference) in rates.into_iter().zip(&row.recall) {
            self.row(other, cell("exact_recall_difference", Some(rate), difference))?;
        }
        self.row(other, cell("exact_average_recall_difference", None, &row.average_recall))
    }
}
