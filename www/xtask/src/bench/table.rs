//! A table of medians with their ranges and goals, and its place in tests/bench/RESULTS.md.

use std::collections::BTreeMap;
use std::{fmt, fs};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::shell::root;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Milliseconds,
    Bytes,
}

/// Values by row and column, one a round, in the order in which they first came.
#[derive(Default)]
pub struct Table {
    cells: Vec<Cell>,
}

struct Cell {
    row: String,
    column: String,
    unit: Unit,
    values: Vec<f64>,
    /// At most so much.
    goal: Option<f64>,
}

impl Table {
    /// Adds the value of a round.
    pub fn add(&mut self, row: &str, column: &str, unit: Unit, value: f64) {
        if let Some(cell) = self.cells.iter_mut().find(|cell| cell.row == row && cell.column == column) {
            cell.values.push(value);
        } else {
            let (row, column) = (row.to_owned(), column.to_owned());
            self.cells.push(Cell { row, column, unit, values: vec![value], goal: None });
        }
    }

    /// The median of a cell, if it was measured, should be at most that.
    pub fn goal(&mut self, row: &str, column: &str, most: f64) {
        if let Some(cell) = self.cells.iter_mut().find(|cell| cell.row == row && cell.column == column) {
            cell.goal = Some(most);
        }
    }

    /// The values of a cell; none if it was not measured.
    pub fn values(&self, row: &str, column: &str) -> Vec<f64> {
        let cell = self.cells.iter().find(|cell| cell.row == row && cell.column == column);
        cell.map(|cell| cell.values.clone()).unwrap_or_default()
    }

    /// The median of a cell; infinite if it was not measured.
    pub fn median(&self, row: &str, column: &str) -> f64 {
        self.cells
            .iter()
            .find(|cell| cell.row == row && cell.column == column)
            .map_or(f64::INFINITY, |cell| cell.least_median_most()[1])
    }

    /// The different names, in order.
    fn names(&self, of: fn(&Cell) -> &str) -> Vec<&str> {
        let mut names = Vec::new();
        for name in self.cells.iter().map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Cell {
    fn least_median_most(&self) -> [f64; 3] {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        // At least one, since a cell is made with its first.
        [sorted[0], f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]), sorted[sorted.len() - 1]]
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, median, most] = self.least_median_most();
        let (divisor, unit) = match self.unit {
            Unit::Milliseconds if median >= 1e4 => (1e3, "s"),
            Unit::Milliseconds => (1.0, "ms"),
            Unit::Bytes if median >= 1e6 => (1e6, "MB"),
            Unit::Bytes => (1e3, "KB"),
        };
        write!(f, "**{}** {unit}", three_digits(median / divisor))?;
        if self.values.len() > 1 {
            write!(f, " ({} to {})", three_digits(least / divisor), three_digits(most / divisor))?;
        }
        match self.goal {
            Some(goal) if median > goal => {
                let by = (median / goal - 1.0) * 100.0;
                write!(f, ", goal {}: missed by {by:.0} %, see notes.md", three_digits(goal / divisor))
            }
            Some(goal) => write!(f, ", goal {}: met", three_digits(goal / divisor)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.names(|cell| &cell.column);
        writeln!(f, "| | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
        for row in self.names(|cell| &cell.row) {
            write!(f, "| {row} |")?;
            for column in &columns {
                match self.cells.iter().find(|cell| cell.row == row && cell.column == *column) {
                    Some(cell) => write!(f, " {cell} |")?,
                    None => write!(f, " |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A number with three digits or, from 100 on, as a whole one.
fn three_digits(value: f64) -> String {
    match value.abs() {
        0.0..9.995 => format!("{value:.2}"),
        9.995..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

const HEAD: &str = "# Results

Written by `cargo xtask bench`; in words only what is in [notes.md](notes.md), where a goal is missed. Bold is the median, in brackets
the least and the greatest value; MB are millions of bytes. S and M are 542 images with 12,000 and 55,000 detections, L is
100,000 images with 2 million.
";

/// Puts the text of a section into RESULTS.md; `titles` are all sections in their order.
pub fn write(title: &str, text: &str, titles: impl Iterator<Item = &'static str>) -> Result<()> {
    let path = root().join("tests/bench/RESULTS.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let parts = before.split("\n## ").skip(1).filter_map(|part| part.split_once("\n\n"));
    let mut sections: BTreeMap<&str, &str> = parts.collect();
    sections.insert(title, text);
    let shown =
        titles.filter_map(|title| sections.get(title).map(|text| format!("\n## {title}\n\n{}\n", text.trim_end())));
    fs::write(&path, HEAD.to_owned() + &shown.collect::<String>())
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_median_range_and_goal() {
        let mut table = Table::default();
        for value in [3.0, 1.0, 2.0, 10.0] {
            table.add("a", "M", Unit::Milliseconds, value);
        }
        table.add("b", "L", Unit::Bytes, 2e6);
        table.goal("a", "M", 2.0);
        table.goal("b", "L", 2e6);
        assert_eq!(
            table.to_string(),
            "| | M | L |\n|---|---|---|\n| a | **2.50** ms (1.00 to 10.0), goal 2.00: missed by 25 %, see notes.md | |\n\
             | b | | **2.00** MB, goal 2.00: met |\n"
        );
    }
}
