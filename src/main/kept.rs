//! `froc score report.json`: reports that were kept, printed again.

use froc::Options;
use froc::session::{FileKind, FileSummary, Session};

use super::{Files, Scoring, held};

/// Whether files stand behind no flag and there is nothing that they could belong to.
pub fn are_asked_for(files: &Files) -> bool {
    files.session.is_none()
        && files.ground_truth.is_none()
        && files.predictions.is_empty()
        && !files.of_session.is_empty()
}

/// The runs of the reports, in one.
///
/// # Errors
/// If a file is no report, the reports cannot be compared, or an option is given under which they would have to be scored anew;
/// `is_more_wanted` is whether one is that stands elsewhere.
pub fn opened(arguments: &Scoring, is_more_wanted: bool) -> Result<Session, Vec<String>> {
    let Scoring {
        input, fusing, fp, seed, level, groups, slices, by, area_up_to, max_detections, save_session, ..
    } = arguments;
    let is_scored_anew = is_more_wanted
        || [&input.hits.iou, &input.hits.hit, fp].iter().any(|flag| flag.is_some())
        || [groups, slices, save_session].iter().any(|flag| flag.is_some())
        || [level, area_up_to].iter().any(|flag| flag.is_some())
        || !(input.hits.ignore.is_empty() && by.is_empty())
        || seed.is_some()
        || max_detections.is_some()
        || fusing.fuse.is_some();
    let mut session = Session::default();
    let mut wrong = Vec::new();
    for (at, path) in input.files.of_session.iter().enumerate() {
        match session.add_path(&at.to_string(), path) {
            Ok(FileSummary { kind: FileKind::Report, name, .. }) if is_scored_anew => wrong.push(format!(
                "{name}: it is a report, whose numbers stand; expected --format and bounds alone, or --ground-truth and --predictions to score anew."
            )),
            Ok(FileSummary { kind: FileKind::Report, .. }) => {}
            Ok(FileSummary { kind, name, .. }) => wrong.push(format!(
                "{name}: it holds {} and stands behind no flag; expected a report, or --ground-truth and --predictions.",
                held(kind)
            )),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() {
        let failures = session.evaluate(&Options::default()).failures.iter();
        wrong = failures.flat_map(|failure| &failure.errors).map(|error| error.sentence.clone()).collect();
    }
    if wrong.is_empty() { Ok(session) } else { Err(wrong) }
}
