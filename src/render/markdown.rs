//! The report as Markdown tables.

use std::fmt::Write as _;

use super::official_lines;
use super::summary::{Figure, heads, lines, n_places, p_value, percent, provenance, range, row};
use crate::printable::visible;
use crate::report::Report;
use crate::report::statistics::{DifferenceReport, EstimateReport};

/// Tables of exact recall by class, other metrics and comparisons, the official lines, and what it all rests on.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = "# FROC report\n\n## Exact recall, percent\n\n".to_owned();
    let heads = heads(&report.options);
    table_head(&mut text, &["class", "run", "lesions"], &heads);
    for place in 0..n_places(report) {
        for line in lines(report, place) {
            let figures: Vec<String> = line.figures.iter().map(figure).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                line.class,
                escape(line.run),
                line.n_lesions,
                figures.join(" | ")
            );
        }
    }
    other_metrics(&mut text, report);
    comparisons(&mut text, report, &heads);
    text.push_str("\n## As the script prints it\n");
    for run in &report.runs {
        let (name, rules) = (escape(&run.name), escape(&run.official.name));
        let _ = write!(text, "\n{name}: {rules}\n\n```\n{}```\n", official_lines(run, &report.options));
    }
    text.push_str("\n## What this rests on\n\n");
    for fact in provenance(report) {
        let _ = writeln!(text, "- {}", escape(&fact));
    }
    text
}

fn table_head(text: &mut String, left: &[&str], right: &[String]) {
    let names: Vec<&str> = left.iter().copied().chain(right.iter().map(String::as_str)).collect();
    let rules = left.iter().map(|_| "---").chain(right.iter().map(|_| "---:")).collect::<Vec<_>>();
    let _ = writeln!(text, "| {} |\n| {} |", names.join(" | "), rules.join(" | "));
}

fn figure(figure: &Figure) -> String {
    let value = if figure.is_best { format!("**{}**", figure.value) } else { figure.value.clone() };
    figure.interval.as_ref().map_or_else(|| value.clone(), |interval| format!("{value} ({interval})"))
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

fn other_metrics(text: &mut String, report: &Report) {
    if report.runs.iter().all(|run| run.statistics.is_none()) {
        return;
    }
    text.push_str("\n## Other metrics, percent\n\n");
    let area = format!("area to {}", report.options.area_up_to.unwrap_or_default());
    let names = ["AP50", "AP75", "AP50:95", "image ROC area", "seven rates", &area].map(str::to_owned);
    table_head(text, &["class", "run"], &names);
    for place in 0..n_places(report) {
        for run in &report.runs {
            let Some(row) = row(run, place) else { continue };
            let ap = row.average_precision;
            let roc = row.image_roc.as_ref();
            let estimate = EstimateReport {
                value: roc.and_then(|roc| roc.area),
                interval: roc.and_then(|roc| roc.interval),
                n_without_lesions: None,
            };
            let interval = estimate.interval.map_or_else(String::new, |ends| format!(" ({})", range(ends)));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {}{interval} | {} | {} |",
                row.name,
                escape(&run.name),
                percent(ap.map(|ap| ap.ap50)),
                percent(ap.map(|ap| ap.ap75)),
                percent(ap.map(|ap| ap.ap50_95)),
                percent(estimate.value),
                percent(row.recall_at_seven_rates),
                percent(row.area),
            );
        }
    }
}

fn comparisons(text: &mut String, report: &Report, heads: &[String]) {
    for comparison in &report.comparisons {
        let name = |at: usize| report.runs.get(at).map_or_else(String::new, |run| escape(&run.name));
        let _ = writeln!(
            text,
            "\n## {} minus {}, points (p, over classes by Holm)\n",
            name(comparison.other),
            name(comparison.baseline)
        );
        table_head(text, &["class"], heads);
        for row in &comparison.rows {
            let cells: Vec<String> =
                row.recall.iter().chain([&row.average_recall]).map(|cell| difference(cell.as_ref())).collect();
            let _ = writeln!(text, "| {} | {} |", row.name, cells.join(" | "));
        }
        text.push('\n');
        for changes in &comparison.changes {
            let side = |what, sides: crate::report::statistics::SidesReport| {
                format!("{what} {} gained, {} lost, {} unchanged", sides.gained, sides.lost, sides.unchanged)
            };
            let _ = writeln!(
                text,
                "- At {} false positives per image: {}; {}; {}.",
                changes.fp_per_image,
                side("classes", changes.classes),
                side("images", changes.images),
                side("lesions", changes.lesions)
            );
        }
    }
}

fn difference(difference: Option<&DifferenceReport>) -> String {
    let Some(difference) = difference else { return "-".to_owned() };
    let [low, high] = difference.interval.map(|end| 100.0 * end);
    let p = p_value(difference.p_holm.unwrap_or(difference.p));
    format!("{:+.2} ({low:+.1} to {high:+.1}; p {p})", 100.0 * difference.value)
}
