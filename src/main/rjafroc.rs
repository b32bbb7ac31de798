//! `froc rjafroc`: runs as a workbook for RJafroc.

use std::io::Write as _;
use std::path::PathBuf;

use super::{Input, new_file, one, opened, options, restore};

/// What is written, and where.
#[derive(clap::Args)]
pub(super) struct Rjafroc {
    #[command(flatten)]
    input: Input,
    /// The class whose lesions they are; may be left out where the ground truth has lesions of one class alone.
    #[arg(long, value_name = "CLASS")]
    of_class: Option<String>,
    /// A file that does not exist yet, such as nodule.xlsx.
    #[arg(long, short, value_name = "XLSX")]
    output: PathBuf,
}

/// Writes the workbook; gives what is to be known about it.
pub(super) fn write(arguments: &Rjafroc) -> Result<Vec<String>, Vec<String>> {
    let Rjafroc { input, of_class, output } = arguments;
    let place = output.display();
    if output.extension().is_none_or(|ending| ending != "xlsx") {
        let expected = "expected a name that ends in .xlsx, since RJafroc reads no other.";
        return Err(vec![format!("--output: there is {place}; {expected}")]);
    }
    let saved = restore::saved(&input.files)?;
    let options = options(&input.hits, None, saved.as_ref()).map_err(one)?;
    let mut session = opened(&input.files, &input.hits.ignore, options.hit().measure(), saved.as_ref())?;
    let study = session.rjafroc(of_class.as_deref(), &options).map_err(one)?;
    let mut file = new_file(output).map_err(|sentence| vec![sentence])?;
    file.write_all(&study.workbook).map_err(|error| {
        // What stays behind is no whole file, and there is no more to be done about it.
        let _ = std::fs::remove_file(output);
        vec![format!("{place}: it cannot be written to the end ({error}); expected room for it.")]
    })?;
    Ok(study.notes)
}
