//! What stops an evaluation: one sentence that says where, what is there, and what was expected.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SENTENCE_CHARS;
use crate::printable::printable;

/// Why a file or an option cannot be used.
///
/// Opaque: it is made to be read. [`Display`](fmt::Display) gives the whole sentence; the parts serve a list in which
/// the place is set apart.
///
/// ```
/// let error = froc::Options::parse("1.5", "0.1").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "IoU threshold: there is 1.5; expected a number from 0 to 1, such as 0.5."
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    place: String,
    what: String,
    expected: String,
}

impl Error {
    /// `place` names the file and the record, `what` says what is there, `expected` what should be there and how to
    /// mend it. None ends with a full stop; what files hold is cut short and made harmless in each.
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>, expected: impl Into<String>) -> Self {
        let part = |text: String| printable(&text, MAX_SENTENCE_CHARS);
        Self { place: part(place.into()), what: part(what.into()), expected: part(expected.into()) }
    }

    /// The file and the record in it.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is there.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What was expected, and how to mend it.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The same error, seen from the file that holds its place.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        let outer = printable(outer, MAX_SENTENCE_CHARS);
        self.place = if self.place.is_empty() { outer } else { format!("{outer}, {}", self.place) };
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}.", self.place, self.what, self.expected)
    }
}

impl std::error::Error for Error {}
