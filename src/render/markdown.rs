//! The report as Markdown tables.

use std::fmt::Write as _;

use super::official_lines;
use super::provenance::provenance;
use crate::printable::visible;
use crate::report::{Report, RunReport};
use crate::sheet::{Cell, Sheet, sheets};

/// All tables, the one with the official numbers first, the lines of the script, and what it all rests on.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = "# FROC report\n".to_owned();
    for sheet in sheets(report) {
        table(&mut text, &sheet);
    }
    let has_script = |run: &&RunReport| run.official.none_because.is_none();
    if report.runs.iter().any(|run| has_script(&run)) {
        text.push_str("\n## As the script prints it\n");
    }
    for run in report.runs.iter().filter(has_script) {
        let (name, rules) = (escape(&run.name), escape(&run.official.name));
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{name}: {rules}\n\n```\n{}```\n", official_lines(run, &report.options));
    }
    text.push_str("\n## What this rests on\n\n");
    for fact in provenance(report) {
        let _ = writeln!(text, "- {}", escape(&fact));
    }
    text
}

/// Some tables of a report alone, such as those for the summary of a CI job.
#[must_use]
pub fn markdown_of(sheets: &[Sheet]) -> String {
    let mut text = String::new();
    for sheet in sheets {
        table(&mut text, sheet);
    }
    text
}

fn table(text: &mut String, sheet: &Sheet) {
    let names = sheet.names.iter().map(|name| escape(name));
    let headings: Vec<String> = names.chain(sheet.columns.iter().map(|column| escape(&column.heading))).collect();
    let rules: Vec<&str> = sheet.names.iter().map(|_| "---").chain(sheet.columns.iter().map(|_| "---:")).collect();
    let _ = writeln!(text, "\n## {}\n\n{}\n", escape(&sheet.title), escape(&sheet.caption));
    let _ = writeln!(text, "| {} |\n| {} |", headings.join(" | "), rules.join(" | "));
    for row in &sheet.rows {
        let cells: Vec<String> = row.names.iter().map(|name| escape(name)).chain(row.cells.iter().map(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    for note in &sheet.notes {
        let _ = writeln!(text, "\n{}", escape(note));
    }
}

fn cell(cell: &Cell) -> String {
    let value = if cell.is_best { format!("**{}**", cell.text) } else { cell.text.clone() };
    cell.range.as_ref().map_or_else(|| value.clone(), |range| format!("{value} ({})", escape(range)))
}

/// What Markdown would read as markup, as text.
fn escape(text: &str) -> String {
    visible(text).chars().fold(String::new(), |mut escaped, c| {
        if "\\`*_{}[]<>#|~&".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}
