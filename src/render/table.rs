//! The report as text for a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::provenance::provenance;
use crate::finding::MAX_EXAMPLES;
use crate::printable::visible;
use crate::render::official_lines;
use crate::report::{FindingReport, Report, RunReport};
use crate::sheet::{Cell, Sheet, sheets};

/// The report as text: what it rests on, all tables, the one with the official numbers first, then for each run what should
/// be known about it, and last the lines of the script.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    for fact in provenance(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}", visible(&fact));
    }
    text.push_str(&findings(&report.findings));
    for sheet in sheets(report) {
        let (title, caption) = (visible(&sheet.title), visible(&sheet.caption));
        let _ = writeln!(text, "\n{title}\n{caption}\n\n{}\n", aligned(&sheet));
        for note in &sheet.notes {
            let _ = writeln!(text, "{}", visible(note));
        }
    }
    for run in &report.runs {
        let _ = writeln!(text, "\n{}: {}", visible(&run.name), run.official.name);
        if let Some(how) = &run.reading {
            let _ = writeln!(text, "{}", how.sentence);
        }
        if let Some(from) = &run.formats {
            let _ = writeln!(text, "{}", from.sentence);
        }
        text.push_str(&quirks(run));
        text.push_str(&findings(&run.findings));
        text.push_str(&official_lines(run, &report.options));
    }
    // Names in an archive may hold what would colour the terminal or move its cursor.
    text.split_inclusive('\n').map(|line| visible(line.trim_end_matches('\n')).into_owned() + "\n").collect()
}

/// Names to the left, numbers to the right.
fn aligned(sheet: &Sheet) -> Table {
    let shown = |text: &str| visible(text).into_owned();
    let number = |cell: &Cell| match &cell.range {
        Some(range) => format!("{} ({range})", cell.text),
        None => cell.text.clone(),
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = sheet.names.iter().map(|name| shown(name));
    table.set_header(names.chain(sheet.columns.iter().map(|column| shown(&column.heading))));
    for row in &sheet.rows {
        table.add_row(row.names.iter().map(|name| shown(name)).chain(row.cells.iter().map(number)));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at >= sheet.names.len() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
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

fn findings(findings: &[FindingReport]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let examples = finding.examples[..finding.examples.len().min(MAX_EXAMPLES)].join(", ");
        // Writing to a String cannot fail.
        let kind = if finding.explained_by.is_some() { "      explained by it" } else { "note" };
        let note = format!("{kind}: {} {} ({examples})", finding.sentence, finding.fix);
        let _ = writeln!(text, "{}", visible(&note));
        if let Some(remedy) = &finding.remedy {
            let offer = format!("{}: {}", remedy.label, remedy.reading.flags());
            let _ = writeln!(text, "      {}", visible(&offer));
        }
        text
    })
}
