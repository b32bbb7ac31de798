//! The lines of the official script, and the exact score in the same form.

use std::fmt::Write as _;

use crate::report::{OptionsReport, RunReport, printed};

/// What the official script prints for a run: a headline, recall at each rate and their average, each line ended; the sentence that
/// there is no such script where there is none.
#[must_use]
pub fn official_lines(run: &RunReport, options: &OptionsReport) -> String {
    if let Some(because) = &run.official.none_because {
        return format!("{because}\n");
    }
    let mut text = format!("{0} recall {0}\n", "=".repeat(20));
    // Writing to a String cannot fail.
    for (rate, printed) in options.fp_per_image.iter().zip(&run.official.printed) {
        let _ = writeln!(text, "Recall@{rate:.2}={printed}");
    }
    if let Some(average) = run.official.printed.last() {
        let _ = writeln!(text, "avg recall = {average}");
    }
    text
}

/// The exact score of a run in the lines of the script; a headline tells them apart.
#[must_use]
pub fn exact_lines(run: &RunReport, options: &OptionsReport) -> String {
    let text_of = |recall: Option<f64>| printed(recall.unwrap_or(f64::NAN));
    let mut text = format!("{0} exact recall {0}\n", "=".repeat(20));
    // Writing to a String cannot fail.
    for (rate, recall) in options.fp_per_image.iter().zip(&run.exact.recall) {
        let _ = writeln!(text, "Recall@{rate:.2}={}", text_of(*recall));
    }
    let _ = writeln!(text, "avg recall = {}", text_of(run.exact.average_recall));
    text
}
