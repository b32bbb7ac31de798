//! `froc suspects`: what in the ground truth may be wrong, since several runs agree on it.

use std::io::Write as _;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use froc::render::suspects::SuspectsFormat;

use super::guard::say;
use super::{EvaluatedAs, Files, Hits, HowToRead, base_name, new_file, one, opened, options, print, restore};

/// What is looked at, and what a person made of it.
#[derive(clap::Args)]
pub(super) struct Suspects {
    /// Two or more runs: zips or folders with one file an image, or single files for all images. After --session its files, in any order.
    #[arg(value_name = "PREDICTIONS", required = true)]
    predictions: Vec<PathBuf>,
    /// The list of images and lesions (test.json).
    #[arg(long, value_name = "FILE", required_unless_present = "session")]
    ground_truth: Option<PathBuf>,
    #[command(flatten)]
    evaluated: EvaluatedAs,
    /// A session that was saved on the page or by froc score, with its marks.
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["ground_truth", "EvaluatedAs", "HowToRead"])]
    session: Option<PathBuf>,
    #[command(flatten)]
    hits: Hits,
    /// False positives per image: detections are looked at at the score thresholds of the lowest, and recall is read at all
    /// [default: 0.05,0.1,0.2].
    #[arg(long, value_name = "RATES")]
    fp: Option<String>,
    /// The table that --format csv wrote, with right or wrong in its column `mark`, as the ground truth is.
    #[arg(long, value_name = "CSV")]
    marks: Option<PathBuf>,
    /// Write the ground truth, with what is marked as wrong corrected, into a new file.
    #[arg(long, value_name = "FILE")]
    corrected: Option<PathBuf>,
    /// What to print: a list, and the scores under both ground truths if anything is marked as wrong; a table to be marked and given
    /// back by --marks; or everything.
    #[arg(long, value_parser = format(), default_value = SuspectsFormat::Text.name())]
    format: SuspectsFormat,
    #[command(flatten)]
    reading: HowToRead,
}

/// The formats, by name.
fn format() -> impl TypedValueParser<Value = SuspectsFormat> {
    PossibleValuesParser::new(SuspectsFormat::ALL.map(SuspectsFormat::name))
        .try_map(|name| SuspectsFormat::named(&name))
}

/// Finds, marks, corrects and prints; says what is to be known about the corrected file.
pub(super) fn work(arguments: Suspects) -> Result<(), Vec<String>> {
    let Suspects { predictions, ground_truth, evaluated, session, hits, fp, marks, corrected, format, reading } =
        arguments;
    let (predictions, of_session) =
        if session.is_some() { (Vec::new(), predictions) } else { (predictions, Vec::new()) };
    let files = Files { ground_truth, evaluated, predictions, session, of_session, reading };
    let saved = restore::saved(&files)?;
    let options = options(&hits, fp.as_deref(), saved.as_ref()).map_err(one)?;
    let mut session = opened(&files, &hits.ignore, options.hit().measure(), saved.as_ref())?;
    if let Some(path) = marks {
        let name = base_name(&path);
        let bytes = std::fs::read(&path).map_err(|error| {
            let expected = "expected the table that --format csv wrote.";
            vec![format!("{}: it cannot be read ({error}); {expected}", path.display())]
        })?;
        session.read_marks(&name, &bytes, &options).map_err(one)?;
    }
    let bytes = session.export_suspects(format, &options).map_err(one)?;
    if let Some(path) = corrected {
        let file = session.corrected_ground_truth(&options).map_err(one)?;
        new_file(&path).map_err(|sentence| vec![sentence])?.write_all(&file.bytes).map_err(|error| {
            // What stays behind is no whole file, and there is no more to be done about it.
            let _ = std::fs::remove_file(&path);
            vec![format!("{}: it cannot be written to the end ({error}); expected room for it.", path.display())]
        })?;
        file.notes.iter().for_each(|note| say(note));
    }
    print(&bytes)
}
