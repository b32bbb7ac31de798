//! The report as LaTeX tables, for the package booktabs.

use std::fmt::Write as _;

use super::provenance::provenance;
use crate::printable::visible;
use crate::report::Report;
use crate::sheet::{Cell, Sheet, sheets};

/// All tables, the one with the official numbers first, the best run of each class in bold; what they rest on stands in
/// comments, too.
#[must_use]
pub fn latex(report: &Report) -> String {
    let mut text = String::new();
    for fact in provenance(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "% {}", visible(&fact));
    }
    text.push_str("% \\usepackage{booktabs}\n");
    for sheet in sheets(report) {
        table(&mut text, &sheet);
    }
    text
}

fn table(text: &mut String, sheet: &Sheet) {
    let columns = "l".repeat(sheet.names.len()) + &"r".repeat(sheet.columns.len());
    let names = sheet.names.iter().map(|name| escape(name));
    let headings: Vec<String> = names.chain(sheet.columns.iter().map(|column| escape(&column.heading))).collect();
    let _ = writeln!(
        text,
        "\n\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{} \\\\\n\\midrule",
        escape(&sheet.caption),
        headings.join(" & ")
    );
    let mut class = None;
    for row in &sheet.rows {
        // A rule between the means, the classes, and the rows of the next class where a class has several.
        let several = sheet.rows.len() > 1 && sheet.rows.iter().filter(|other| other.class == row.class).count() > 1;
        if several && class.is_some_and(|class| class != &row.class) {
            text.push_str("\\midrule\n");
        }
        class = Some(&row.class);
        let cells: Vec<String> = row.names.iter().map(|name| escape(name)).chain(row.cells.iter().map(cell)).collect();
        let _ = writeln!(text, "{} \\\\", cells.join(" & "));
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    for note in &sheet.notes {
        let _ = writeln!(text, "\\par\\smallskip {{\\footnotesize {}\\par}}", escape(note));
    }
    text.push_str("\\end{table}\n");
}

fn cell(cell: &Cell) -> String {
    let value = if cell.text == "-" { "--".to_owned() } else { number(&cell.text) };
    let value = if cell.is_best { format!("\\textbf{{{value}}}") } else { value };
    cell.range.as_ref().map_or_else(|| value.clone(), |range| format!("{value} ({})", number(range)))
}

/// Signs as LaTeX sets them in mathematics.
fn number(text: &str) -> String {
    escape(text).replace('-', "$-$").replace('+', "$+$").replace('<', "$<$").replace("p ", "$p$ ")
}

/// What LaTeX would read as a command, as text.
fn escape(text: &str) -> String {
    visible(text).chars().fold(String::new(), |mut escaped, c| {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
        escaped
    })
}
