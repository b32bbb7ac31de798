//! Reports as bytes: one file per output format.

mod cite;
mod csv;
pub mod errors;
mod html;
mod json;
mod latex;
mod markdown;
mod plot;
mod provenance;
#[cfg(feature = "schema")]
mod schema;
pub mod suspects;
mod table;
mod text;

use crate::error::Error;
use crate::report::Report;

pub use cite::cite;
pub use csv::csv;
pub use html::html;
pub use json::json;
pub use latex::latex;
pub use markdown::{markdown, markdown_of};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use table::table;
pub use text::{exact_lines, official_lines};

/// A format in which page and terminal hand out a report, as the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables for people; the last lines are those of the script.
    Text,
    /// The report itself.
    Json,
    /// One row for each number of each table.
    Csv,
    /// Tables for a note or an issue.
    Markdown,
    /// Tables for a paper, with booktabs.
    Latex,
    /// One page with tables and plots, which needs no other file.
    Html,
    /// A paragraph for a paper, and BibTeX.
    Cite,
}

/// What is to be known about a format: the only list of them there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct FormatFacts {
    /// The name by which it is asked for, such as `markdown`.
    pub name: &'static str,
    /// What it is called, such as `Markdown`.
    pub label: &'static str,
    /// The ending of its files, without the dot.
    pub ending: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What it holds.
    pub about: &'static str,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Text, Self::Json, Self::Csv, Self::Markdown, Self::Latex, Self::Html, Self::Cite];

    /// What is to be known about it.
    #[must_use]
    pub const fn facts(self) -> FormatFacts {
        let (name, label, ending, media_type, about) = match self {
            Self::Text => {
                ("text", "Text", "txt", "text/plain", "Tables for people; the last lines are those of the script")
            }
            Self::Json => ("json", "JSON", "json", "application/json", "The report"),
            Self::Csv => ("csv", "CSV", "csv", "text/csv", "One row for each number of each table"),
            Self::Markdown => ("markdown", "Markdown", "md", "text/markdown", "Tables for a note or an issue"),
            Self::Latex => ("latex", "LaTeX", "tex", "application/x-tex", "Tables for a paper, with booktabs"),
            Self::Html => ("html", "HTML", "html", "text/html", "One page with tables and plots"),
            Self::Cite => ("cite", "Citation", "bib", "application/x-bibtex", "A paragraph for a paper, and BibTeX"),
        };
        FormatFacts { name, label, ending, media_type, about }
    }

    /// The name by which it is asked for, such as `markdown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
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
            Self::Text => Ok(table(report).into_bytes()),
            Self::Json => json(report),
            Self::Csv => csv(report),
            Self::Markdown => Ok(markdown(report).into_bytes()),
            Self::Latex => Ok(latex(report).into_bytes()),
            Self::Html => Ok(html(report).into_bytes()),
            Self::Cite => Ok(cite(report).into_bytes()),
        }
    }
}
