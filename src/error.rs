//! What stops an evaluation: one sentence that says where, what is there, and what was expected.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SENTENCE_CHARS;
use crate::printable::printable;

/// What sort of error it is, for code that acts on it: the sentence is for people and may change.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A file does not hold what it should.
    Data,
    /// An option has no such value.
    Option,
    /// More than [`crate::limits`] allow.
    TooLarge,
    /// There is not enough memory; with more, or with less data, the same may succeed.
    OutOfMemory,
    /// The system cannot read or write: a missing file, a lost connection, a right that is not given.
    Io,
    /// The caller ended it.
    Cancelled,
}

/// Why a file or an option cannot be used.
///
/// Opaque: it is made to be read. [`Display`](fmt::Display) gives the whole sentence; the parts serve a list in which
/// the place is set apart. Code that must tell errors apart asks for the [`kind`](Self::kind).
///
/// ```
/// let error = froc::Options::parse("1.5", "0.1").unwrap_err();
/// assert_eq!(error.kind(), froc::ErrorKind::Option);
/// assert_eq!(
///     error.to_string(),
///     "IoU threshold: there is 1.5; expected a number from 0 to 1, such as 0.5."
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Parts>);

/// Kept behind a pointer, since results are handed on a million times and errors are rare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    kind: ErrorKind,
    place: String,
    what: String,
    expected: String,
}

impl Error {
    /// `place` names the file and the record, `what` says what is there, `expected` what should be there and how to
    /// mend it. None ends with a full stop; what files hold is cut short and made harmless in each. Its kind is
    /// [`ErrorKind::Data`].
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>, expected: impl Into<String>) -> Self {
        let part = |text: String| printable(&text, MAX_SENTENCE_CHARS);
        let kind = ErrorKind::Data;
        let (place, what, expected) = (part(place.into()), part(what.into()), part(expected.into()));
        Self(Box::new(Parts { kind, place, what, expected }))
    }

    /// An option has a value that it cannot have.
    pub(crate) fn option(place: impl Into<String>, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(place, what, expected).of_kind(ErrorKind::Option)
    }

    /// The same error, of another kind.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The boxes do not fit into the memory.
    pub(crate) fn out_of_memory(place: impl Into<String>) -> Self {
        let what = "with it the boxes do not fit into the memory that there is";
        let expected =
            "fewer boxes; close other programs, leave out boxes with the lowest scores, or use froc in the terminal";
        Self::new(place, what, expected).of_kind(ErrorKind::OutOfMemory)
    }

    /// Whoever is told of the progress ended the reading.
    pub(crate) fn cancelled(place: impl Into<String>) -> Self {
        Self::new(place, "reading was cancelled", "to be read to the end").of_kind(ErrorKind::Cancelled)
    }

    /// What sort of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file and the record in it.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// What is there.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// What was expected, and how to mend it.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// The same error, seen from the file that holds its place.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        let outer = printable(outer, MAX_SENTENCE_CHARS);
        self.0.place = if self.0.place.is_empty() { outer } else { format!("{outer}, {}", self.0.place) };
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}.", self.0.place, self.0.what, self.0.expected)
    }
}

impl std::error::Error for Error {}
