//! The report as JSON.

use crate::error::Error;
use crate::report::Report;

/// The report as indented JSON with a newline at its end; undefined numbers are null.
///
/// The page and the terminal hand out these very bytes.
///
/// # Errors
/// If it does not fit into memory.
pub fn json(report: &Report) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(report)
        .map_err(|error| Error::new("JSON report", error.to_string(), "a report that can be written"))?;
    bytes.push(b'\n');
    Ok(bytes)
}
