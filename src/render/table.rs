//! The report as text for a terminal.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::notice::MAX_EXAMPLES;
use crate::render::official_lines;
use crate::report::{ClassReport, NoticeReport, OptionsReport, Report, RunReport};

/// The report as text: for each run what was read, a table by class, quirks, notices, and last the lines of the official
/// script.
#[must_use]
pub fn table(report: &Report) -> String {
    let truth = &report.ground_truth;
    let mut text = format!("{}: {} images, {} lesions\n", truth.name, truth.n_images, truth.n_lesions);
    text.push_str(&notices(&report.notices));
    for run in &report.runs {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{}: {} files, {} detections; IoU threshold {}\n{}\n",
            run.name,
            run.n_files,
            run.n_detections,
            report.options.iou_threshold,
            by_class(run, &report.options)
        );
        if let Some(how) = &run.reading {
            let _ = writeln!(text, "{}", how.sentence);
        }
        text.push_str(&quirks(run));
        text.push_str(&notices(&run.notices));
        text.push_str(&official_lines(run, &report.options));
    }
    text
}

/// Recall in percent, or a dash.
fn percent(recall: Option<f64>) -> String {
    recall.map_or_else(|| "-".to_owned(), |recall| format!("{:.2}", 100.0 * recall))
}

fn by_class(run: &RunReport, options: &OptionsReport) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["class".to_owned(), "lesions".to_owned(), "detections".to_owned()];
    for rate in &options.fp_per_image {
        header.extend([format!("official@{rate}"), format!("exact@{rate}"), "score >=".to_owned(), "FP".to_owned()]);
    }
    table.set_header(header);
    for class in &run.classes {
        table.add_row(class_row(class, options));
    }
    table.add_row(mean_row(run, options));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn class_row(class: &ClassReport, options: &OptionsReport) -> Vec<Cell> {
    let mut row = vec![Cell::new(&class.name), Cell::new(class.n_lesions), Cell::new(class.n_detections)];
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
        let _ = writeln!(text, "note: {} {} ({examples})", notice.sentence, notice.fix);
        if let Some(remedy) = &notice.remedy {
            let _ = writeln!(text, "      {}: {}", remedy.label, remedy.reading.flags());
        }
        text
    })
}
