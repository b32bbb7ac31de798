//! What was measured: every value of every round, kept beside the results, so that they can be written anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::shell::root;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Milliseconds,
    /// Nanoseconds for one detection.
    NanosecondsEach,
    Bytes,
    Ratio,
    Count,
}

/// One cell of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    pub row: String,
    pub column: String,
    pub unit: Unit,
    /// One a round.
    pub values: Vec<f64>,
}

/// What one part of the benchmarks measured when it was run last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Section {
    pub date: String,
    pub commit: String,
    /// How it was started.
    pub command: String,
    /// Processes that wanted a core in the minute before, this program's own not among them.
    pub load_before: Option<f64>,
    pub figures: Vec<Figure>,
    /// How many of them, the first ones, are of earlier runs.
    #[serde(default)]
    pub n_kept: usize,
    /// Sentences about this run.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// Where it was measured; as of the last run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Name and value, in order.
    pub facts: Vec<(String, String)>,
}

/// All parts, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    pub machine: Machine,
    pub sections: BTreeMap<String, Section>,
}

impl Figures {
    fn path() -> PathBuf {
        root().join("tests/bench/figures.json")
    }

    /// Those of the runs before; none where there are none yet.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn load() -> Result<Self> {
        let path = Self::path();
        if !path.exists() {
            return Ok(Self::default());
        }
        serde_json::from_slice(&fs::read(&path)?).with_context(|| format!("cannot read {}", path.display()))
    }

    /// One line a figure.
    pub fn save(&self) -> Result<()> {
        // Not inside a text: there, quotation marks are escaped.
        let lines = serde_json::to_string(self)?.replace("{\"row\"", "\n{\"row\"");
        Ok(fs::write(Self::path(), lines + "\n")?)
    }

    pub fn get(&self, section: &str, row: &str, column: &str) -> Option<&Figure> {
        self.sections.get(section)?.get(row, column)
    }
}

impl Section {
    /// The most rounds of the last run; figures of earlier ones come first.
    pub fn rounds(&self) -> usize {
        self.figures.iter().skip(self.n_kept).map(|figure| figure.values.len()).max().unwrap_or(0)
    }

    /// Keeps the columns of an earlier run that this one did not measure, and says so.
    pub fn keep(&mut self, before: &Self) {
        let is_kept = |figure: &&Figure| self.figures.iter().all(|ours| ours.column != figure.column);
        let kept: Vec<Figure> = before.figures.iter().filter(is_kept).cloned().collect();
        let mut columns: Vec<&str> = kept.iter().map(|figure| figure.column.as_str()).collect();
        columns.dedup();
        let rounds = kept.iter().map(|figure| figure.values.len()).max().unwrap_or(0);
        if rounds > 0 {
            let Self { date, commit, command, .. } = before;
            self.remarks
                .push(format!("{}: {date}, `{command}`, commit {commit}, up to {rounds} rounds.", columns.join(", ")));
        }
        self.n_kept = kept.len();
        self.figures.splice(..0, kept);
    }

    /// Adds a value of a round.
    pub fn add(&mut self, row: &str, column: &str, unit: Unit, value: f64) {
        if let Some(figure) = self.figures.iter_mut().find(|figure| figure.row == row && figure.column == column) {
            figure.values.push(value);
        } else {
            self.figures.push(Figure { row: row.to_owned(), column: column.to_owned(), unit, values: vec![value] });
        }
    }

    /// Adds a value where this system can tell it.
    pub fn add_if(&mut self, row: &str, column: &str, unit: Unit, value: Option<f64>) {
        if let Some(value) = value {
            self.add(row, column, unit, value);
        }
    }

    pub fn get(&self, row: &str, column: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.row == row && figure.column == column)
    }

    /// Adds the ratio of two figures round by round, which holds even where the machine's speed drifts.
    pub fn add_ratio(&mut self, row: &str, column: &str, above: &[f64], below: &[f64]) {
        for (a, b) in above.iter().zip(below) {
            self.add(row, column, Unit::Ratio, a / b);
        }
    }

    /// The values of a figure, round by round; none if it was not measured.
    pub fn values(&self, row: &str, column: &str) -> Vec<f64> {
        self.get(row, column).map(|figure| figure.values.clone()).unwrap_or_default()
    }
}

impl Figure {
    /// The middle value, or the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
    }

    /// Median, and least and greatest value where there are several.
    pub fn text(&self) -> String {
        let (sorted, median) = (self.sorted(), self.median());
        let (divisor, unit) = self.unit.of(median);
        let show =
            |value: f64| if self.unit == Unit::Count { value.to_string() } else { three_digits(value / divisor) };
        if sorted.len() == 1 {
            return format!("{}{unit}", show(median));
        }
        format!("**{}**{unit} ({} to {})", show(median), show(sorted[0]), show(sorted[sorted.len() - 1]))
    }

    /// At least one, since a figure is made with its first.
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl Unit {
    /// What a value is divided by to be shown, and what then follows it.
    fn of(self, value: f64) -> (f64, &'static str) {
        match self {
            Self::Milliseconds if value.abs() >= 1e4 => (1e3, " s"),
            Self::Milliseconds => (1.0, " ms"),
            Self::NanosecondsEach => (1.0, " ns"),
            Self::Bytes if value.abs() >= 1e6 => (1e6, " MB"),
            Self::Bytes => (1e3, " KB"),
            Self::Ratio | Self::Count => (1.0, ""),
        }
    }

    /// A value with its unit.
    pub fn show(self, value: f64) -> String {
        let (divisor, unit) = self.of(value);
        format!("{}{unit}", three_digits(value / divisor))
    }
}

/// A number with three digits or, from 100 on, as a whole one.
fn three_digits(value: f64) -> String {
    match value.abs() {
        0.0..0.9995 => format!("{value:.3}"),
        0.9995..9.995 => format!("{value:.2}"),
        9.995..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_are_not_measured_again_stay() {
        let (mut before, mut now) = (Section::default(), Section::default());
        (before.date, before.command) = ("2026-01-01".into(), "cargo xtask bench".into());
        for (column, value) in [("M", 1.0), ("L", 2.0), ("L", 3.0), ("L", 4.0)] {
            before.add("score", column, Unit::Ratio, value);
        }
        now.add("score", "M", Unit::Ratio, 5.0);
        now.add("read", "M", Unit::Ratio, 6.0);
        now.add("read", "M", Unit::Ratio, 7.0);
        now.add("score", "S", Unit::Ratio, 8.0);
        now.keep(&before);
        assert_eq!(now.values("score", "M"), [5.0]);
        assert_eq!(now.values("score", "L"), [2.0, 3.0, 4.0]);
        assert_eq!(now.remarks, ["L: 2026-01-01, `cargo xtask bench`, commit , up to 3 rounds."]);
        assert_eq!(now.rounds(), 2);
    }

    #[test]
    fn ratios_go_round_by_round() {
        let mut section = Section::default();
        for (a, b) in [(10.0, 5.0), (30.0, 10.0), (16.0, 4.0)] {
            section.add("a", "L", Unit::Milliseconds, a);
            section.add("b", "L", Unit::Milliseconds, b);
        }
        section.add_ratio("a / b", "L", &section.values("a", "L"), &section.values("b", "L"));
        let ratio = section.get("a / b", "L").expect("a ratio");
        assert_eq!(ratio.values, [2.0, 3.0, 4.0]);
        assert_eq!(ratio.text(), "**3.00** (2.00 to 4.00)");
    }

    #[test]
    fn bytes_are_shown_as_fits_the_median_and_an_even_number_of_values_has_a_median() {
        let mut section = Section::default();
        section.add("peak", "L", Unit::Bytes, 1_000_000.0);
        section.add("peak", "L", Unit::Bytes, 2_000_000.0);
        assert_eq!(section.get("peak", "L").expect("a figure").text(), "**1.50** MB (1.00 to 2.00)");
        assert_eq!(Unit::Bytes.show(180e3), "180 KB");
        assert_eq!(Unit::Milliseconds.show(187_300.0), "187 s");
    }
}
