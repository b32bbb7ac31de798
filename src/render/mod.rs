//! Reports as bytes: one file per output format.

mod json;
#[cfg(feature = "cli")]
mod table;
mod text;

pub use json::json;
#[cfg(feature = "cli")]
pub use table::table;
pub use text::official_lines;
