//! The report as one page that needs no other file and runs no script.

use std::fmt::Write as _;

use super::official_lines;
use super::plot::{self, colour, escape};
use super::summary::{Figure, heads, lines, n_places, p_value, percent, provenance, range, row};
use crate::report::Report;
use crate::report::statistics::DifferenceReport;

/// Plain enough to print; dark where the reader's system is.
const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 Helvetica,Arial,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.9rem}th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #8884}\
th:first-child,td:first-child,td.name,th.name{text-align:left}td b{font-weight:700}small{opacity:.75}svg{width:100%;max-width:44rem;height:auto;display:block}\
svg text{fill:currentColor}.grid{stroke:#8885}.rate{stroke:currentColor;stroke-dasharray:3 3}.key{display:inline-block;width:.8em;height:.8em;margin-right:.3em}\
pre{overflow-x:auto}ul{overflow-wrap:anywhere}";

/// Plots, tables of exact recall, other metrics and comparisons, the official lines, and what it all rests on.
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
    section(&mut page, "Curve", plot::froc(report));
    section(&mut page, "Classes", plot::forest(report));
    section(&mut page, "Differences", plot::differences(report));
    recall(&mut page, report);
    other_metrics(&mut page, report);
    comparisons(&mut page, report);
    page.push_str("<h2>As the script prints it</h2>\n");
    for run in &report.runs {
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

fn head(page: &mut String, names: &[&str], figures: &[String]) {
    page.push_str("<table>\n<thead><tr>");
    for name in names {
        let _ = write!(page, "<th class=\"name\">{}</th>", escape(name));
    }
    for figure in figures {
        let _ = write!(page, "<th>{}</th>", escape(figure));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
}

fn table_row(page: &mut String, names: &[&str], cells: &[String]) {
    page.push_str("<tr>");
    for name in names {
        let _ = write!(page, "<td class=\"name\">{}</td>", escape(name));
    }
    for cell in cells {
        let _ = write!(page, "<td>{cell}</td>");
    }
    page.push_str("</tr>\n");
}

fn recall(page: &mut String, report: &Report) {
    page.push_str("<h2>Exact recall, percent</h2>\n");
    let mut figures = vec!["lesions".to_owned()];
    figures.extend(heads(&report.options));
    head(page, &["class", "run"], &figures);
    for place in 0..n_places(report) {
        for line in lines(report, place) {
            let mut cells = vec![line.n_lesions.to_string()];
            cells.extend(line.figures.iter().map(figure));
            table_row(page, &[line.class, line.run], &cells);
        }
    }
    page.push_str("</tbody>\n</table>\n");
}

fn figure(figure: &Figure) -> String {
    let value = if figure.is_best { format!("<b>{}</b>", figure.value) } else { figure.value.clone() };
    figure.interval.as_ref().map_or_else(|| value.clone(), |interval| format!("{value} <small>{interval}</small>"))
}

fn other_metrics(page: &mut String, report: &Report) {
    let Some(area_up_to) = report.options.area_up_to else { return };
    page.push_str("<h2>Other metrics, percent</h2>\n");
    let area = format!("area to {area_up_to}");
    let figures = ["AP50", "AP75", "AP50:95", "image ROC area", "seven rates", &area].map(str::to_owned);
    head(page, &["class", "run"], &figures);
    for place in 0..n_places(report) {
        for run in &report.runs {
            let Some(row) = row(run, place) else { continue };
            let ap = row.average_precision;
            let roc = row.image_roc.as_ref();
            let interval = roc.and_then(|roc| roc.interval);
            let interval = interval.map_or_else(String::new, |ends| format!(" <small>{}</small>", range(ends)));
            let cells = [
                percent(ap.map(|ap| ap.ap50)),
                percent(ap.map(|ap| ap.ap75)),
                percent(ap.map(|ap| ap.ap50_95)),
                percent(roc.and_then(|roc| roc.area)) + &interval,
                percent(row.recall_at_seven_rates),
                percent(row.area),
            ];
            table_row(page, &[&row.name, &run.name], &cells);
        }
    }
    page.push_str("</tbody>\n</table>\n");
}

fn comparisons(page: &mut String, report: &Report) {
    for comparison in &report.comparisons {
        let name = |at: usize| report.runs.get(at).map_or_else(String::new, |run| escape(&run.name));
        let (other, baseline) = (name(comparison.other), name(comparison.baseline));
        let _ = writeln!(page, "<h2>{other} minus {baseline}, points (p, over classes by Holm)</h2>");
        head(page, &["class"], &heads(&report.options));
        for row in &comparison.rows {
            let cells: Vec<String> =
                row.recall.iter().chain([&row.average_recall]).map(|cell| difference(cell.as_ref())).collect();
            table_row(page, &[&row.name], &cells);
        }
        page.push_str("</tbody>\n</table>\n");
        let figures = ["lesions gained", "lost", "images gained", "lost", "classes gained", "lost"].map(str::to_owned);
        head(page, &["false positives per image"], &figures);
        for changes in &comparison.changes {
            let sides = [changes.lesions, changes.images, changes.classes];
            let cells: Vec<String> = sides.iter().flat_map(|it| [it.gained.to_string(), it.lost.to_string()]).collect();
            table_row(page, &[&changes.fp_per_image.to_string()], &cells);
        }
        page.push_str("</tbody>\n</table>\n");
    }
}

fn difference(difference: Option<&DifferenceReport>) -> String {
    let Some(difference) = difference else { return "-".to_owned() };
    let [low, high] = difference.interval.map(|end| 100.0 * end);
    let p = escape(&p_value(difference.p_holm.unwrap_or(difference.p)));
    format!("{:+.2} <small>{low:+.1} to {high:+.1}; p {p}</small>", 100.0 * difference.value)
}
