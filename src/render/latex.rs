//! The report as LaTeX tables, for the package booktabs.

use std::fmt::Write as _;

use super::summary::{Figure, heads, lines, n_places, p_value, provenance};
use crate::printable::visible;
use crate::report::Report;
use crate::report::statistics::DifferenceReport;

/// A table of exact recall by class, best in bold, with intervals, and one for each comparison; what they rest on stands
/// in comments.
#[must_use]
pub fn latex(report: &Report) -> String {
    let mut text = String::new();
    for fact in provenance(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "% {}", visible(&fact));
    }
    text.push_str("% \\usepackage{booktabs}\n\n");
    let heads = heads(&report.options);
    let level = report.options.bootstrap.as_ref().map(|bootstrap| 100.0 * bootstrap.level);
    let intervals = level.map_or_else(String::new, |level| format!(", with {level}\\,\\% bootstrap intervals"));
    begin(&mut text, &format!("Exact recall in percent at given false positives per image{intervals}."), "llr", &heads);
    let _ = writeln!(text, "Class & Run & Lesions & {} \\\\\n\\midrule", latex_heads(&heads));
    let last = n_places(report).saturating_sub(1);
    for place in 0..=last {
        if place == last || (place > 0 && report.runs.len() > 1) {
            text.push_str("\\midrule\n");
        }
        for line in lines(report, place) {
            let figures: Vec<String> = line.figures.iter().map(figure).collect();
            let (class, run) = (escape(line.class), escape(line.run));
            let _ = writeln!(text, "{class} & {run} & {} & {} \\\\", line.n_lesions, figures.join(" & "));
        }
    }
    end(&mut text);
    comparisons(&mut text, report, &heads);
    text
}

fn begin(text: &mut String, caption: &str, left: &str, heads: &[String]) {
    let columns = "r".repeat(heads.len());
    let _ = writeln!(
        text,
        "\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n\\begin{{tabular}}{{{left}{columns}}}\n\\toprule"
    );
}

fn end(text: &mut String) {
    text.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
}

fn latex_heads(heads: &[String]) -> String {
    heads.iter().map(|head| escape(head)).collect::<Vec<_>>().join(" & ")
}

fn figure(figure: &Figure) -> String {
    let value = if figure.value == "-" { "--" } else { &figure.value };
    let value = if figure.is_best { format!("\\textbf{{{value}}}") } else { value.to_owned() };
    let Some(interval) = &figure.interval else { return value };
    format!("{value} ({})", interval.replace(" to ", "--"))
}

fn comparisons(text: &mut String, report: &Report, heads: &[String]) {
    for comparison in &report.comparisons {
        let name = |at: usize| report.runs.get(at).map_or_else(String::new, |run| escape(&run.name));
        let caption = format!(
            "{} minus {}: difference of exact recall in points, its bootstrap interval and two-sided $p$, over classes by Holm's method.",
            name(comparison.other),
            name(comparison.baseline)
        );
        text.push('\n');
        begin(text, &caption, "l", heads);
        let _ = writeln!(text, "Class & {} \\\\\n\\midrule", latex_heads(heads));
        for row in &comparison.rows {
            let cells: Vec<String> =
                row.recall.iter().chain([&row.average_recall]).map(|cell| difference(cell.as_ref())).collect();
            let _ = writeln!(text, "{} & {} \\\\", escape(&row.name), cells.join(" & "));
        }
        end(text);
    }
}

fn difference(difference: Option<&DifferenceReport>) -> String {
    let Some(difference) = difference else { return "--".to_owned() };
    let [low, high] = difference.interval.map(|end| 100.0 * end);
    let p = p_value(difference.p_holm.unwrap_or(difference.p));
    format!("${:+.2}$ (${low:+.1}$ to ${high:+.1}$; ${p}$)", 100.0 * difference.value)
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
