//! The report as a paragraph for a paper's methods, and what to cite: a BibTeX file, which takes text outside of its entries as
//! a comment.

use std::fmt::Write as _;

use super::provenance::provenance;
use crate::printable::visible;
use crate::report::{Report, RunReport};

/// A paragraph that says what was computed, of what and how; and the BibTeX entries of the program and, where its protocol is
/// used, of `ChestX-Det10`.
#[must_use]
pub fn cite(report: &Report) -> String {
    let (options, truth) = (&report.options, &report.ground_truth);
    let rates: Vec<String> = options.fp_per_image.iter().map(f64::to_string).collect();
    let classes = report.runs.first().map_or(0, |run| run.classes.len());
    let mut text = format!(
        "Recall at {} false positives per image, {}, by class and averaged over the {classes} classes and \
         the rates (avg recall), on {} images with {} ({}), was computed with froc {}.\n",
        listed(&rates),
        match &options.hit {
            None => format!("at an IoU threshold of {}", options.iou_threshold),
            Some(hit) => format!("with hits by {}", hit.caption),
        },
        truth.n_images,
        of_text(&truth.lesions()),
        of_text(&truth.protocol),
        report.froc_version
    );
    for run in &report.runs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", of_run(run));
    }
    let has_script = report.runs.iter().any(|run| run.official.none_because.is_none());
    if has_script {
        text.push_str("The exact score is that without the quirks Q1 to Q6 and Q11 of ChestX-Det10's eval.py.\n");
    }
    if report.options.bootstrap.is_some() && report.runs.iter().any(|run| run.statistics.is_some()) {
        text.push_str("Intervals are percentiles of the exact score over the replicates.\n");
    }
    text.push_str("\nWhat this rests on:\n");
    for fact in provenance(report) {
        let _ = writeln!(text, "- {}", of_text(&fact));
    }
    let _ = write!(
        text,
        "\n@software{{froc,\n  title = {{froc: free-response scores of lesion detectors}},\n  version = {{{}}},\n  url = {{{}}}\n}}\n",
        report.froc_version,
        env!("CARGO_PKG_REPOSITORY")
    );
    if has_script {
        text.push_str(
            "\n@misc{chestxdet10,\n  title = {{ChestX-Det10}: Chest {X}-ray Dataset on Detection of Thoracic Abnormalities},\n  author = {Liu, Jingyu \
             and Lian, Jie and Yu, Yizhou},\n  year = {2020},\n  eprint = {2006.10550},\n  archivePrefix = {arXiv}\n}\n",
        );
    }
    text
}

fn of_run(run: &RunReport) -> String {
    let percent =
        |value: Option<f64>| value.map_or_else(|| "not defined".to_owned(), |value| format!("{:.2} %", 100.0 * value));
    let official = match &run.official.none_because {
        Some(_) => String::new(),
        None => format!("{} ({}), ", percent(run.official.average_recall), run.official.name),
    };
    let mean = run.statistics.iter().flat_map(|statistics| &statistics.rows).find(|row| row.name == "mean");
    let interval = mean
        .and_then(|row| row.average_recall.interval)
        .map_or_else(String::new, |[low, high]| format!(" (interval {:.2} to {:.2} %)", 100.0 * low, 100.0 * high));
    format!("{}: avg recall {official}{} (exact){interval}.", of_text(&run.name), percent(run.exact.average_recall))
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// Text that begins no entry.
fn of_text(text: &str) -> String {
    visible(text).replace('@', "(at)")
}
