//! The report as one page that needs no other file and runs no script.

use std::fmt::Write as _;

use super::official_lines;
use super::plot::{self, colour, escape};
use super::provenance::provenance;
use crate::report::{Report, RunReport};
use crate::sheet::{Cell, Sheet, sheets};

/// Plain enough to print; dark where the reader's system is.
const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 Helvetica,Arial,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.9rem}th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #8884}\
th:first-child,td:first-child,td.name,th.name{text-align:left}td b{font-weight:700}small{opacity:.75}svg{width:100%;max-width:44rem;height:auto;display:block}\
svg text{fill:currentColor}.grid{stroke:#8885}.rate{stroke:currentColor;stroke-dasharray:3 3}.key{display:inline-block;width:.8em;height:.8em;margin-right:.3em}\
pre{overflow-x:auto}ul{overflow-wrap:anywhere}";

/// The table with the official numbers first, plots, all other tables, the lines of the script, and what it all rests on.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>FROC report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>FROC report</h1>\n<p>"
    );
    for (at, run) in report.runs.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "<svg class=\"key\" viewBox=\"0 0 1 1\"><rect width=\"1\" height=\"1\" fill=\"{}\"/></svg>{} ",
            colour(at),
            escape(&run.name)
        );
    }
    page.push_str("</p>\n");
    let all = sheets(report);
    let (first, others) = all.split_at(all.len().min(1));
    for sheet in first {
        table(&mut page, sheet);
    }
    section(&mut page, "Exact mean FROC curve", plot::froc(report));
    section(&mut page, "Average exact recall by class", plot::forest(report));
    section(&mut page, "Differences of average exact recall", plot::differences(report));
    for sheet in others {
        table(&mut page, sheet);
    }
    let has_script = |run: &&RunReport| run.official.none_because.is_none();
    if report.runs.iter().any(|run| has_script(&run)) {
        page.push_str("<h2>As the script prints it</h2>\n");
    }
    for run in report.runs.iter().filter(has_script) {
        let lines = official_lines(run, &report.options);
        let _ = writeln!(
            page,
            "<h3>{}: {}</h3>\n<pre>{}</pre>",
            escape(&run.name),
            escape(&run.official.name),
            multiline(&lines)
        );
    }
    page.push_str("<h2>What this rests on</h2>\n<ul>\n");
    for fact in provenance(report) {
        let _ = writeln!(page, "<li>{}</li>", escape(&fact));
    }
    page.push_str("</ul>\n</body>\n</html>\n");
    page
}

fn multiline(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn section(page: &mut String, title: &str, plot: Option<String>) {
    if let Some(plot) = plot {
        let _ = write!(page, "<h2>{title}</h2>\n{plot}");
    }
}

fn table(page: &mut String, sheet: &Sheet) {
    let _ = write!(page, "<h2>{}</h2>\n<p>{}</p>\n<table>\n<thead><tr>", escape(&sheet.title), escape(&sheet.caption));
    for name in &sheet.names {
        let _ = write!(page, "<th class=\"name\">{}</th>", escape(name));
    }
    for column in &sheet.columns {
        let _ = write!(page, "<th>{}</th>", escape(&column.heading));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &sheet.rows {
        page.push_str("<tr>");
        for name in &row.names {
            let _ = write!(page, "<td class=\"name\">{}</td>", escape(name));
        }
        for cell in &row.cells {
            let _ = write!(page, "<td>{}</td>", number(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    for note in &sheet.notes {
        let _ = writeln!(page, "<p><small>{}</small></p>", escape(note));
    }
}

fn number(cell: &Cell) -> String {
    let value = escape(&cell.text);
    let value = if cell.is_best { format!("<b>{value}</b>") } else { value };
    cell.range.as_ref().map_or_else(|| value.clone(), |range| format!("{value} <small>{}</small>", escape(range)))
}
