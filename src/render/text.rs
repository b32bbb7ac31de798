//! The lines of the official script.

use std::fmt::Write as _;

use crate::report::{OptionsReport, RunReport};

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
