//! Reports as bytes: one file per output format.

mod json;
#[cfg(not(target_arch = "wasm32"))]
mod table;
mod text;

pub use json::json;
#[cfg(not(target_arch = "wasm32"))]
pub use table::table;
pub use text::official_lines;
