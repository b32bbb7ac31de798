//! The report as text for a terminal.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::summary::{heads, lines, n_places, p_value, percent, provenance, range, row};
use crate::notice::MAX_EXAMPLES;
use crate::printable::visible;
use crate::render::official_lines;
use crate::report::statistics::{ComparisonReport, SidesReport};
use crate::report::{ClassReport, NoticeReport, OptionsReport, Report, RunReport};

/// The report as text: for each run what was read, a table by class, quirks, notices, and last the lines of the official
/// script.
#[must_use]
pub fn table(report: &Report) -> String {
    let truth = &report.ground_truth;
    let mut text = String::new();
    for fact in provenance(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}", visible(&fact));
    }
    let _ = writeln!(text, "{}: {} images, {} lesions", visible(&truth.name), truth.n_images, truth.n_lesions);
    text.push_str(&notices(&report.notices));
    for (at, run) in report.runs.iter().enumerate() {
        let _ = write!(
            text,
            "\n{}: {} files, {} detections; IoU threshold {}\n{}\n",
            visible(&run.name),
            run.n_files,
            run.n_detections,
            report.options.iou_threshold,
            by_class(run, &report.options)
        );
        if let Some(how) = &run.reading {
            let _ = writeln!(text, "{}", how.sentence);
        }
        text.push_str(&statistics(report, at));
        text.push_str(&quirks(run));
        text.push_str(&notices(&run.notices));
        let _ = writeln!(text, "{}", run.official.name);
        text.push_str(&official_lines(run, &report.options));
    }
    for comparison in &report.comparisons {
        text.push_str(&comparison_table(report, comparison));
    }
    // Names in an archive may hold what would colour the terminal or move its cursor.
    text.split_inclusive('\n').map(|line| visible(line.trim_end_matches('\n')).into_owned() + "\n").collect()
}

/// Exact recall with intervals, and the other metrics; nothing without statistics.
fn statistics(report: &Report, at: usize) -> String {
    let run = &report.runs[at];
    if run.statistics.is_none() {
        return String::new();
    }
    let mut header = vec!["exact".to_owned()];
    header.extend(heads(&report.options));
    header.extend(["AP50", "AP75", "AP50:95", "image ROC area", "seven rates", "area"].map(str::to_owned));
    let mut table = plain_table(header);
    for place in 0..n_places(report) {
        let (Some(line), Some(row)) = (lines(report, place).into_iter().nth(at), row(run, place)) else { continue };
        let with_interval = |value: &str, interval: Option<&String>| {
            interval.map_or_else(|| value.to_owned(), |interval| format!("{value} ({interval})"))
        };
        let mut cells = vec![visible(&row.name).into_owned()];
        cells.extend(line.figures.iter().map(|figure| with_interval(&figure.value, figure.interval.as_ref())));
        let ap = row.average_precision;
        cells.extend([ap.map(|ap| ap.ap50), ap.map(|ap| ap.ap75), ap.map(|ap| ap.ap50_95)].map(percent));
        let roc = row.image_roc.as_ref();
        let interval = roc.and_then(|roc| roc.interval).map(range);
        cells.push(with_interval(&percent(roc.and_then(|roc| roc.area)), interval.as_ref()));
        cells.extend([row.recall_at_seven_rates, row.area].map(percent));
        table.add_row(cells);
    }
    format!("{}\n", aligned(table))
}

fn comparison_table(report: &Report, comparison: &ComparisonReport) -> String {
    let name = |at: usize| report.runs.get(at).map_or_else(Default::default, |run| visible(&run.name));
    let mut header = vec!["class".to_owned()];
    header.extend(heads(&report.options));
    let mut table = plain_table(header);
    for row in &comparison.rows {
        let cells = row.recall.iter().chain([&row.average_recall]).map(|difference| {
            difference.map_or_else(
                || "-".to_owned(),
                |difference| {
                    let [low, high] = difference.interval.map(|end| 100.0 * end);
                    let p = p_value(difference.p_holm.unwrap_or(difference.p));
                    format!("{:+.2} ({low:+.1} to {high:+.1}; p {p})", 100.0 * difference.value)
                },
            )
        });
        table.add_row(std::iter::once(visible(&row.name).into_owned()).chain(cells));
    }
    let mut text = format!(
        "\n{} minus {}: points of exact recall (interval; two-sided p, over classes by Holm)\n{}\n",
        name(comparison.other),
        name(comparison.baseline),
        aligned(table)
    );
    for changes in &comparison.changes {
        let side = |what: &str, sides: SidesReport| format!("{what} {} gained, {} lost", sides.gained, sides.lost);
        let _ = writeln!(
            text,
            "at {} false positives per image: {}; {}; {}",
            changes.fp_per_image,
            side("classes", changes.classes),
            side("images", changes.images),
            side("lesions", changes.lesions)
        );
    }
    text
}

fn plain_table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}

/// Names to the left, numbers to the right.
fn aligned(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn by_class(run: &RunReport, options: &OptionsReport) -> Table {
    let mut header = vec!["class".to_owned(), "lesions".to_owned(), "detections".to_owned()];
    let by_rules = if run.official.is_official { &run.official.name } else { "script's rules" };
    for rate in &options.fp_per_image {
        header.extend([format!("{by_rules}@{rate}"), format!("exact@{rate}"), "score >=".to_owned(), "FP".to_owned()]);
    }
    let mut table = plain_table(header);
    for class in &run.classes {
        table.add_row(class_row(class, options));
    }
    table.add_row(mean_row(run, options));
    aligned(table)
}

fn class_row(class: &ClassReport, options: &OptionsReport) -> Vec<Cell> {
    let mut row = vec![Cell::new(visible(&class.name)), Cell::new(class.n_lesions), Cell::new(class.n_detections)];
    for rate in 0..options.fp_per_image.len() {
        let or_dash = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".to_owned()));
        row.extend([
            Cell::new(percent(class.official.recall[rate])),
            Cell::new(percent(class.exact.recall[rate])),
            or_dash(class.exact.score_threshold[rate].map(|score| score.to_string())),
            or_dash(class.exact.false_positives[rate].map(|count| count.to_string())),
        ]);
    }
    row
}

fn mean_row(run: &RunReport, options: &OptionsReport) -> Vec<Cell> {
    let lesions: usize = run.classes.iter().map(|class| class.n_lesions).sum();
    let mut row = vec![Cell::new("mean"), Cell::new(lesions), Cell::new(run.n_detections)];
    for rate in 0..options.fp_per_image.len() {
        let exact = percent(run.exact.recall[rate]);
        row.extend([Cell::new(percent(run.official.recall[rate])), Cell::new(exact), Cell::new(""), Cell::new("")]);
    }
    row
}

fn quirks(run: &RunReport) -> String {
    run.official.quirks.iter().fold(String::new(), |mut text, quirk| {
        let cost = quirk.average_cost.map_or_else(
            || "no number to compare with".to_owned(),
            |cost| format!("{cost:+.2} points on avg recall without it"),
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}: {} ({cost})", quirk.id, quirk.name, quirk.sentence);
        text
    })
}

fn notices(notices: &[NoticeReport]) -> String {
    notices.iter().fold(String::new(), |mut text, notice| {
        let examples = notice.examples[..notice.examples.len().min(MAX_EXAMPLES)].join(", ");
        // Writing to a String cannot fail.
        let note = format!("note: {} {} ({examples})", notice.sentence, notice.fix);
        let _ = writeln!(text, "{}", visible(&note));
        if let Some(remedy) = &notice.remedy {
            let offer = format!("{}: {}", remedy.label, remedy.reading.flags());
            let _ = writeln!(text, "      {}", visible(&offer));
        }
        text
    })
}
