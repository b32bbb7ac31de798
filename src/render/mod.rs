//! Reports as bytes: one file per output format.

mod csv;
pub mod errors;
mod html;
mod json;
mod latex;
mod markdown;
mod plot;
mod summary;
#[cfg(feature = "cli")]
mod table;
mod text;

use crate::error::Error;
use crate::report::Report;

pub use csv::csv;
pub use html::html;
pub use json::json;
pub use latex::latex;
pub use markdown::markdown;
#[cfg(feature = "cli")]
pub use table::table;
pub use text::official_lines;

/// A format in which page and terminal hand out a report, as the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The report itself.
    Json,
    /// One row for each run, class and metric.
    Csv,
    /// Tables for a note or an issue.
    Markdown,
    /// Tables for a paper, with booktabs.
    Latex,
    /// One page with tables and plots, which needs no other file.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Json, Self::Csv, Self::Markdown, Self::Latex, Self::Html];

    /// The name: `json`, `csv`, `markdown`, `latex` or `html`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Latex => "latex",
            Self::Html => "html",
        }
    }

    /// The format of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let expected = Self::ALL.map(Self::name).join(", ");
            Error::option("Format", format!("there is \"{name}\""), format!("one of {expected}"))
        })
    }

    /// The report in this format.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn bytes(self, report: &Report) -> Result<Vec<u8>, Error> {
        match self {
            Self::Json => json(report),
            Self::Csv => csv(report),
            Self::Markdown => Ok(markdown(report).into_bytes()),
            Self::Latex => Ok(latex(report).into_bytes()),
            Self::Html => Ok(html(report).into_bytes()),
        }
    }
}
