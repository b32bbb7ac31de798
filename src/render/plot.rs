//! Plots as SVG: the macro FROC curves of all runs with their bands, and classes with intervals.
//!
//! Coordinates are written with one decimal, so that the bytes are the same on every platform.

use std::fmt::Write as _;

use crate::printable::visible;
use crate::report::statistics::{BandReport, EstimateReport, MEAN};
use crate::report::{Report, RunReport};

/// Colours that colour-blind readers can tell apart (M. Okabe and K. Ito, Color Universal Design, 2008), without the
/// yellow, which is too light for lines.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

const WIDTH: f64 = 640.0;
/// Room for the names of classes, or of the vertical axis.
const LEFT: f64 = 110.0;
const RIGHT: f64 = WIDTH - 15.0;
const TOP: f64 = 15.0;
/// The rates at the ends of the axis of a curve, in false positives per image.
const LEAST: f64 = 0.01;
const MOST: f64 = 10.0;
/// Height of one bar of the forest plot.
const BAR: f64 = 13.0;

/// The colour of the run at a place.
pub(super) const fn colour(run: usize) -> &'static str {
    COLOURS[run % COLOURS.len()]
}

/// Text and attribute values without markup.
pub(super) fn escape(text: &str) -> String {
    visible(text).chars().fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

/// The macro curves over false positives per image from 0.01 to 10, on a logarithmic axis; `None` without statistics.
pub(super) fn froc(report: &Report) -> Option<String> {
    const BOTTOM: f64 = 330.0;
    let macro_curve =
        |run: &RunReport| run.statistics.as_ref()?.curves.iter().find(|curve| curve.name == MEAN).cloned();
    let curves: Vec<BandReport> = report.runs.iter().map(macro_curve).collect::<Option<_>>()?;
    let y = |recall: f64| BOTTOM - recall * (BOTTOM - TOP);
    let mut svg = open("Mean recall over classes against false positives per image", BOTTOM + 45.0);
    for step in 0..=5 {
        let recall = f64::from(step) / 5.0;
        line(&mut svg, [LEFT, y(recall)], [RIGHT, y(recall)], "class=\"grid\"");
        text(&mut svg, [LEFT - 8.0, y(recall) + 4.0], "end", &format!("{}", step * 20));
    }
    for rate in [0.01, 0.1, 1.0, 10.0] {
        line(&mut svg, [across(rate), TOP], [across(rate), BOTTOM], "class=\"grid\"");
        text(&mut svg, [across(rate), BOTTOM + 18.0], "middle", &rate.to_string());
    }
    for rate in report.options.fp_per_image.iter().filter(|rate| (LEAST..=MOST).contains(*rate)) {
        line(&mut svg, [across(*rate), TOP], [across(*rate), BOTTOM], "class=\"rate\"");
    }
    for (run, curve) in curves.iter().enumerate() {
        band(&mut svg, curve, colour(run), &y);
    }
    for (at, run) in report.runs.iter().enumerate() {
        let Some(curve) = run.statistics.as_ref().map(|statistics| &statistics.mean_curve) else { continue };
        let points = steps(curve.fp_per_image.iter().copied().zip(curve.recall.iter().copied()), &y);
        let name = escape(&run.name);
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"><title>{name}</title></polyline>",
            colour(at)
        );
    }
    text(&mut svg, [f64::midpoint(LEFT, RIGHT), BOTTOM + 38.0], "middle", "false positives per image");
    text(&mut svg, [LEFT - 32.0, f64::midpoint(TOP, BOTTOM)], "end", "recall, %");
    Some(svg + "</svg>\n")
}

/// Where a rate stands: 0.01 on the left, 10 on the right. The grid of rates has twenty steps a decade, so its places are
/// found by counting, since logarithms are not the same on every platform.
fn across(rate: f64) -> f64 {
    let grid: Vec<f64> = crate::bootstrap::grid().collect();
    let after = grid.partition_point(|other| *other < rate).min(grid.len() - 1);
    let before = after.saturating_sub(1);
    let step = grid[after] - grid[before];
    let part = if step > 0.0 { ((rate - grid[before]) / step).clamp(0.0, 1.0) } else { 0.0 };
    let place = before as f64 + part;
    LEFT + place / (grid.len() - 1) as f64 * (RIGHT - LEFT)
}

/// A curve that is level from one rate to the next, then goes straight up. It goes on to the right of its last point; of the
/// steps that fall on one place, or left of 0.01, the last is drawn.
fn steps(points: impl Iterator<Item = (f64, f64)>, y: &dyn Fn(f64) -> f64) -> String {
    let mut places: Vec<(String, f64)> = Vec::new();
    for (rate, recall) in points.take_while(|(rate, _)| *rate <= MOST) {
        let x = format!("{:.1}", across(rate));
        match places.last_mut() {
            Some(last) if last.0 == x => last.1 = recall,
            _ => places.push((x, recall)),
        }
    }
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for (x, recall) in &places {
        if let Some(before) = before {
            let _ = write!(path, "{x},{:.1} ", y(before));
        }
        let _ = write!(path, "{x},{:.1} ", y(*recall));
        before = Some(*recall);
    }
    if let Some(last) = before {
        let _ = write!(path, "{RIGHT:.1},{:.1}", y(last));
    }
    path.trim_end().to_owned()
}

/// The intervals at the rates at which they are known, joined by straight lines.
fn band(svg: &mut String, curve: &BandReport, colour: &str, y: &dyn Fn(f64) -> f64) {
    let known: Vec<(f64, [f64; 2])> = curve
        .fp_per_image
        .iter()
        .zip(&curve.interval)
        .filter_map(|(rate, ends)| Some((*rate, (*ends)?)))
        .filter(|(rate, _)| (LEAST..=MOST).contains(rate))
        .collect();
    if known.is_empty() {
        return;
    }
    let point = |rate: f64, recall: f64| format!("{:.1},{:.1}", across(rate), y(recall));
    let upper = known.iter().map(|(rate, ends)| point(*rate, ends[1]));
    let lower = known.iter().rev().map(|(rate, ends)| point(*rate, ends[0]));
    let points: Vec<String> = upper.chain(lower).collect();
    let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"0.15\"/>", points.join(" "));
}

/// The average exact recall of each class and of the mean, with intervals, one bar a run.
pub(super) fn forest(report: &Report) -> Option<String> {
    let n_runs = report.runs.len();
    let rows = |run: &RunReport, place: usize| -> Option<(String, EstimateReport)> {
        let row = run.statistics.as_ref()?.rows.get(place)?;
        Some((row.name.clone(), row.average_recall))
    };
    let of_place = |place| report.runs.iter().map(|run| rows(run, place)).collect::<Option<Vec<_>>>();
    let places: Vec<Vec<(String, EstimateReport)>> = (0..=report.runs.first().map_or(0, |run| run.classes.len()))
        .map(of_place)
        .collect::<Option<_>>()
        .filter(|places: &Vec<_>| !places.is_empty())?;
    Some(bars("Average exact recall by class", &places, n_runs, [0.0, 1.0], |run| run))
}

/// The differences of the average of each class and of the mean from the baseline, with intervals, one bar a run.
pub(super) fn differences(report: &Report) -> Option<String> {
    let first = report.comparisons.first()?;
    let row = |place: usize| -> Vec<(String, EstimateReport)> {
        let of = |comparison: &crate::report::statistics::ComparisonReport| {
            let row = &comparison.rows[place];
            let difference = row.average_recall;
            let estimate = EstimateReport {
                value: difference.map(|difference| difference.value),
                interval: difference.map(|difference| difference.interval),
                n_without_lesions: None,
            };
            (row.name.clone(), estimate)
        };
        report.comparisons.iter().map(of).collect()
    };
    let places: Vec<Vec<(String, EstimateReport)>> = (0..first.rows.len()).map(row).collect();
    let ends = places.iter().flatten().filter_map(|(_, estimate)| estimate.interval).flatten();
    // The same room to either side of 0, in whole tenths.
    let reach = (ends.fold(0.0_f64, |most, end| most.max(end.abs())) * 10.0).ceil().max(1.0) / 10.0;
    let run = |at: usize| report.comparisons[at].other;
    Some(bars("Difference of average exact recall by class", &places, report.comparisons.len(), [-reach, reach], run))
}

fn bars(
    title: &str,
    places: &[Vec<(String, EstimateReport)>],
    n_bars: usize,
    [least, most]: [f64; 2],
    run: impl Fn(usize) -> usize,
) -> String {
    let row_height = BAR * n_bars as f64 + 8.0;
    let bottom = TOP + row_height * places.len() as f64;
    let x = |value: f64| LEFT + (value - least) / (most - least) * (RIGHT - LEFT);
    let mut svg = open(title, bottom + 45.0);
    for step in 0..=4 {
        let value = least + f64::from(step) / 4.0 * (most - least);
        line(&mut svg, [x(value), TOP], [x(value), bottom], "class=\"grid\"");
        text(&mut svg, [x(value), bottom + 18.0], "middle", &format!("{:.1}", 100.0 * value));
    }
    if least < 0.0 {
        line(&mut svg, [x(0.0), TOP], [x(0.0), bottom], "class=\"rate\"");
    }
    for (place, bars) in places.iter().enumerate() {
        let top = TOP + row_height * place as f64;
        let name = bars.first().map_or("", |(name, _)| name);
        text(&mut svg, [LEFT - 8.0, top + row_height / 2.0 + 4.0], "end", name);
        for (at, (_, estimate)) in bars.iter().enumerate() {
            let y = top + 4.0 + BAR * (at as f64 + 0.5);
            let colour = colour(run(at));
            if let Some([low, high]) = estimate.interval {
                line(&mut svg, [x(low), y], [x(high), y], &format!("stroke=\"{colour}\" stroke-width=\"2\""));
            }
            if let Some(value) = estimate.value {
                let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>", x(value));
            }
        }
    }
    let unit = if least < 0.0 { "points" } else { "percent" };
    text(&mut svg, [f64::midpoint(LEFT, RIGHT), bottom + 38.0], "middle", &format!("{title}, {unit}"));
    svg + "</svg>\n"
}

fn open(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n"
    )
}

fn line(svg: &mut String, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], attributes: &str) {
    let _ = writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {attributes}/>");
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escape(words));
}
