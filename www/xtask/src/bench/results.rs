//! tests/bench/RESULTS.md: the goals, met or missed, and every figure.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use super::figures::{Figure, Figures, Section, Unit};
use super::parts::row;
use crate::shell::root;

/// A bound on the median of a figure.
struct Goal {
    /// The heading of its note in tests/bench/notes.md.
    id: &'static str,
    what: &'static str,
    /// Section, row and column.
    figure: (&'static str, &'static str, &'static str),
    bound: Bound,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}
use Bound::{AtLeast, AtMost};

const ONE: &str = "L, one core";
const ALL: &str = "L, all cores";

#[rustfmt::skip]
const GOALS: &[Goal] = &[
    goal("m-page", "M, Chromium, from files chosen to scores shown", ("whole", row::PAGE_TWO, "M"), AtMost(80.0), Unit::Milliseconds),
    goal("floor", "L, native, one core, to inflating alone with libdeflate", ("whole", row::TO_FLOOR, "L"), AtMost(2.5), Unit::Ratio),
    goal("wasm", "L, Chromium, one worker, to native on one core", ("whole", row::TO_NATIVE, "L"), AtMost(1.5), Unit::Ratio),
    goal("workers", "L, Chromium, two workers, times as fast as one", ("whole", row::SPEEDUP, "L"), AtLeast(1.7), Unit::Ratio),
    goal("growth", "S to L, native, time per detection, as a ratio", ("whole", row::GROWTH, "L"), AtMost(1.0), Unit::Ratio),
    goal("growth-xl", "S to XL, native, time per detection, as a ratio", ("xl", row::GROWTH, "XL"), AtMost(1.0), Unit::Ratio),
    goal("options", "L, Chromium, other rates, to their scores shown", ("whole", row::RATES, "L"), AtMost(50.0), Unit::Milliseconds),
    goal("options", "L, Chromium, another IoU threshold, to its scores shown", ("whole", row::IOU, "L"), AtMost(50.0), Unit::Milliseconds),
    goal("memory", "L, Chromium, one worker, WebAssembly memory beyond the columns", ("memory", row::BEYOND, ONE), AtMost(32e6), Unit::Bytes),
    goal("memory", "L, Chromium, two workers, WebAssembly memory beyond the columns", ("memory", row::BEYOND, ALL), AtMost(32e6), Unit::Bytes),
    goal("huge", "5 GB, Chromium, renderer's peak, to that of L deflated", ("huge", row::BOUNDED, "L in 5 GB"), AtMost(1.5), Unit::Ratio),
    goal("peers", "M, fastest package (IoU 0.5 alone) to froc", ("peers", row::TO_PEER, "M"), AtLeast(1.0), Unit::Ratio),
    goal("peers", "L, fastest package (IoU 0.5 alone) to froc", ("peers", row::TO_PEER, "L"), AtLeast(1.0), Unit::Ratio),
    goal("script", "M, Python as the script to froc", ("peers", row::TO_SCRIPT, "M"), AtLeast(50.0), Unit::Ratio),
    goal("script", "L, Python as the script to froc", ("peers", row::TO_SCRIPT, "L"), AtLeast(50.0), Unit::Ratio),
    goal("weight", "Page, gzipped, to the first score", ("page", row::WEIGHT, "page"), AtMost(250e3), Unit::Bytes),
    goal("weight", "Of that, WebAssembly", ("page", row::WASM, "page"), AtMost(180e3), Unit::Bytes),
    goal("visit", "Usable on a first visit, at 10 Mbit/s and 40 ms", ("page", row::USABLE, "page"), AtMost(1000.0), Unit::Milliseconds),
    goal("cancel", "Cancel while L is read", ("page", row::CANCEL, "page"), AtMost(100.0), Unit::Milliseconds),
    goal("frame", "Longest wait for a frame while L is read: one may be missed", ("page", row::FRAME, "page"), AtMost(34.0), Unit::Milliseconds),
    goal("tiles", "L, Chromium, from the score to the first tiles of the gallery", ("gallery", row::TILES, "L"), AtMost(200.0), Unit::Milliseconds),
    goal("scrolling", "L, Chromium, longest frame while the gallery is scrolled", ("gallery", row::SCROLLING, "L"), AtMost(50.0), Unit::Milliseconds),
];

const fn goal(
    id: &'static str,
    what: &'static str,
    figure: (&'static str, &'static str, &'static str),
    bound: Bound,
    unit: Unit,
) -> Goal {
    Goal { id, what, figure, bound, unit }
}

const SECTIONS: &[(&str, &str, &str)] = &[
    (
        "whole",
        "From files to scores",
        "Whole processes, and the page from files chosen to the frame after the scores. \
      \"Told of\" is what `navigator.hardwareConcurrency` says, by which the page chooses its workers. libdeflate inflates from memory to memory.",
    ),
    (
        "stages",
        "Stage by stage, natively",
        "One after the other in one process. `match` is what lesions add to joining and ranking, and the \
      verdicts; `score` is the whole report from a run that is joined, so also what follows other options; `read` is the library's own way from \
      file to columns, `open` to `parse` and `hash` together.",
    ),
    ("memory", "Memory", ""),
    ("page", "The page", "A frame takes 16.7 ms."),
    ("gallery", "The gallery", "The images behind a score, in a window of 1280 by 1000 pixels."),
    (
        "huge",
        "A zip of 5 GB",
        "The boxes of L, stored and filled up with blanks: every byte is read, parsed and hashed.",
    ),
    ("xl", "Up to 20 million detections, natively", ""),
    (
        "peers",
        "Beside what people would use instead",
        "froc as a whole process, the others without Python's start and imports. Packages \
      compute average precision: \"IoU 0.5 alone\" is the least they can do, \"as it comes\" ten IoU thresholds and four ranges of area.",
    ),
];

/// Writes RESULTS.md from the figures that there are.
///
/// # Errors
/// It cannot be written.
pub fn write(figures: &Figures) -> Result<()> {
    let folder = root().join("tests/bench");
    let notes = fs::read_to_string(folder.join("notes.md")).unwrap_or_default();
    let path = folder.join("RESULTS.md");
    fs::write(&path, page(figures, &notes)).with_context(|| format!("cannot write {}", path.display()))
}

fn page(figures: &Figures, notes: &str) -> String {
    let mut text = String::from(
        "# Results\n\nWritten by `cargo xtask bench`; only the notes on goals missed are by hand, in \
         [notes.md](notes.md). Bold is the median, in brackets the least and the greatest value; MB are millions of bytes, KB thousands. What is compared is \
         measured in turn, and ratios are taken round by round.\n\n| | |\n|---|---|\n",
    );
    for (name, value) in &figures.machine.facts {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let _ = write!(text, "\n## Goals\n\n| what | goal | measured | |\n|---|---|---|---|\n");
    for goal in GOALS {
        let _ = writeln!(text, "{}", goal.row(figures));
    }
    for id in missed(figures) {
        let _ = write!(text, "\n### Missed: {id}\n\n{}\n", note(notes, id));
    }
    for (name, title, about) in SECTIONS {
        let Some(section) = figures.sections.get(*name) else { continue };
        let busy = section
            .load_before
            .map_or(String::new(), |busy| format!("; other programs kept {busy:.2} cores busy in the second before"));
        let rounds = section.rounds();
        let Section { date, commit, command, .. } = section;
        let _ = write!(text, "\n## {title}\n\n{date}, `{command}`, commit {commit}, up to {rounds} rounds{busy}.");
        for sentence in
            [*about].into_iter().filter(|about| !about.is_empty()).chain(section.remarks.iter().map(String::as_str))
        {
            let _ = write!(text, " {sentence}");
        }
        let _ = write!(text, "\n\n{}", table(section));
    }
    text
}

/// All figures of a section, in one table for all columns that share a row.
pub fn table(section: &Section) -> String {
    let mut tables: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for Figure { row, column, .. } in &section.figures {
        let has = |names: &[&str], name: &str| names.contains(&name);
        let at = tables.iter().position(|(rows, columns)| has(rows, row) || has(columns, column));
        let at = at.unwrap_or_else(|| {
            tables.push((Vec::new(), Vec::new()));
            tables.len() - 1
        });
        let (rows, columns) = &mut tables[at];
        for (names, name) in [(rows, row), (columns, column)] {
            if !has(names, name) {
                names.push(name);
            }
        }
    }
    let show = |(rows, columns): &(Vec<&str>, Vec<&str>)| {
        let mut text = format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        for row in rows {
            let cells = columns.iter().map(|column| section.get(row, column).map(Figure::text).unwrap_or_default());
            let _ = writeln!(text, "| {row} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        text
    };
    tables.iter().map(show).collect::<Vec<_>>().join("\n")
}

impl Goal {
    /// The median, if it was measured.
    fn measured(&self, figures: &Figures) -> Option<f64> {
        let (section, row, column) = self.figure;
        figures.get(section, row, column).map(Figure::median)
    }

    /// How far beyond the bound, as a share of it; none if it holds.
    fn missed_by(&self, median: f64) -> Option<f64> {
        let by = match self.bound {
            AtMost(most) => median / most - 1.0,
            AtLeast(least) => 1.0 - median / least,
        };
        (by > 0.0).then_some(by)
    }

    fn row(&self, figures: &Figures) -> String {
        let (what, unit) = (self.what, self.unit);
        let bound = match self.bound {
            AtMost(most) => format!("at most {}", unit.show(most)),
            AtLeast(least) => format!("at least {}", unit.show(least)),
        };
        let Some(median) = self.measured(figures) else { return format!("| {what} | {bound} | not measured | |") };
        let verdict = match self.missed_by(median) {
            None => "met".to_owned(),
            Some(by) => format!("**missed** by {:.0} % ([why](#missed-{}))", by * 100.0, self.id),
        };
        format!("| {what} | {bound} | {} | {verdict} |", unit.show(median))
    }
}

/// The ids of goals that are missed, each once.
fn missed(figures: &Figures) -> Vec<&'static str> {
    let is_missed = |goal: &&Goal| goal.measured(figures).is_some_and(|median| goal.missed_by(median).is_some());
    let mut ids: Vec<&str> = GOALS.iter().filter(is_missed).map(|goal| goal.id).collect();
    ids.dedup();
    ids
}

/// The text under the heading `## id`.
fn note<'notes>(notes: &'notes str, id: &str) -> &'notes str {
    let mut parts = notes.split("\n## ").filter_map(|part| part.split_once('\n'));
    let text = parts.find(|(heading, _)| heading.trim() == id).map(|(_, text)| text.trim());
    text.unwrap_or("There is no note on this yet in notes.md.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(medians: &[(&str, &str, &str, f64)]) -> Figures {
        let mut figures = Figures::default();
        for (section, row, column, value) in medians {
            let section = figures.sections.entry((*section).to_owned()).or_default();
            section.add(row, column, Unit::Ratio, *value);
        }
        figures
    }

    #[test]
    fn a_goal_is_met_up_to_its_bound_and_missed_beyond() {
        let figures = figures(&[("whole", row::TO_FLOOR, "L", 2.5), ("whole", row::SPEEDUP, "L", 1.36)]);
        let page = page(&figures, "# Notes\n\n## workers\n\nThe disk is slow.\n\n## other\n\nx\n");
        assert!(page.contains("| at most 2.50 | 2.50 | met |"), "{page}");
        assert!(page.contains("| at least 1.70 | 1.36 | **missed** by 20 % ([why](#missed-workers)) |"), "{page}");
        assert!(page.contains("### Missed: workers\n\nThe disk is slow.\n"), "{page}");
        assert!(page.contains("| at most 80.0 ms | not measured | |"), "{page}");
    }

    #[test]
    fn columns_that_share_no_row_have_a_table_of_their_own() {
        let mut section = Section::default();
        section.add("score", "S", Unit::Ratio, 1.0);
        section.add("score", "L", Unit::Ratio, 2.0);
        section.add("peak", "L", Unit::Ratio, 3.0);
        section.add("open", "L, one core", Unit::Ratio, 4.0);
        assert_eq!(
            table(&section),
            "| | S | L |\n|---|---|---|\n| score | 1.00 | 2.00 |\n| peak |  | 3.00 |\n\n\
             | | L, one core |\n|---|---|\n| open | 4.00 |\n"
        );
    }

    #[test]
    fn every_goal_looks_at_a_section_that_is_shown() {
        for goal in GOALS {
            let (section, ..) = goal.figure;
            assert!(SECTIONS.iter().any(|(name, ..)| *name == section), "{}", goal.what);
        }
    }
}
