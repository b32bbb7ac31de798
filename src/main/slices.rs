//! `--slices` and `--by`: the images divided by a table, or by their lesions.

use froc::session::Session;
use froc::slices::By;

use super::{Scoring, one};

/// Reads the table and divides the images in all reports that follow.
///
/// # Errors
/// If the table cannot be read or does not fit, or a column cannot be divided by.
pub(super) fn work(session: &mut Session, arguments: &Scoring) -> Result<(), Vec<String>> {
    if let Some(path) = &arguments.slices {
        session.add_table("slices", path).map_err(one)?;
    }
    let by = arguments.by.iter().map(|by| By::parse(by)).collect::<Result<Vec<_>, _>>().map_err(one)?;
    let by: Vec<By> = by.into_iter().flatten().collect();
    if by.is_empty() && arguments.slices.is_none() {
        return Ok(());
    }
    if by.is_empty() {
        session.join();
        let choices: Vec<String> = session.choices().into_iter().map(|choice| choice.by).collect();
        return Err(vec![format!("--by: there is none; expected columns to divide by, of {}.", choices.join(", "))]);
    }
    session.slice_by(by).map(|_| ()).map_err(one)
}
