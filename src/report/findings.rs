//! What a user should know although the score survives it: root causes first, each followed by its symptoms.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::RunReport;
use crate::finding::{Finding, Remedy};
use crate::reading::Folders;
use crate::run::Run;

/// Something a user should know although the score survives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct FindingReport {
    /// What tells it apart from the other findings of a run: its code, with the class name behind a colon where each name has
    /// a finding of its own.
    pub id: String,
    /// Stable name in `snake_case`.
    pub code: String,
    /// How often it was seen.
    pub count: usize,
    /// Images in which it was seen, which the gallery shows; 0 if it is about files that belong to no image.
    pub n_images: usize,
    /// What was seen, in one sentence.
    pub sentence: String,
    /// How to mend it, in one sentence.
    pub fix: String,
    /// The first few places.
    pub examples: Vec<String>,
    /// A reading of the files that mends it, where that is mechanical; it changes no file.
    pub remedy: Option<Remedy>,
    /// The code of the finding of the same run that explains this one, which stands before it: mended, this one goes as well.
    pub explained_by: Option<String>,
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        Self {
            id: finding.id(),
            code: finding.code.to_owned(),
            count: finding.count,
            n_images: finding.images.len(),
            sentence: finding.sentence.clone(),
            fix: finding.fix.clone(),
            examples: finding.examples.clone(),
            remedy: finding.remedy.clone(),
            explained_by: None,
        }
    }
}

/// Those of a run, root causes first.
pub(super) fn of_run(run: &Run) -> Vec<FindingReport> {
    arranged(run.findings().iter().map(FindingReport::from).collect(), run)
}

/// The codes of what a fault brings about, if it concerns enough of a run for that.
fn symptoms(fault: &FindingReport, run: &Run) -> &'static [&'static str] {
    const FILES: &[&str] =
        &["file_without_image", "image_without_file", "class_never_predicted", "most_files_empty", "empty_file"];
    match fault.code.as_str() {
        "other_image_names" | "ground_truth_in_predictions" if run.n_files() == 0 => FILES,
        // Most files count for nothing.
        "file_name_nearly_matches" | "file_without_image" if fault.count > run.n_files() => FILES,
        "file_name_nearly_matches" => &["file_without_image", "image_without_file"],
        // A twentieth of the boxes: a stray name of a few boxes does not explain that a class is never detected.
        "unread_class_name" | "double_keys" if fault.count.saturating_mul(20) >= run.n_detections() => {
            &["class_never_predicted"]
        }
        "empty_file" => &["most_files_empty"],
        "parts_of_one_run" => &["image_without_file", "class_never_predicted", "most_files_empty"],
        "other_image_size" | "box_layout" => &["box_outside_image"],
        _ => &[],
    }
}

/// Root causes first, each with its symptoms behind it, then all else, otherwise in the order given.
fn arranged(mut all: Vec<FindingReport>, run: &Run) -> Vec<FindingReport> {
    let explains = |cause: &FindingReport, code: &str| cause.code != code && symptoms(cause, run).contains(&code);
    for at in 0..all.len() {
        // A cause that is a symptom itself does not count: what explains it explains the rest.
        let causes = all.iter().filter(|cause| all.iter().all(|other| !explains(other, &cause.code)));
        let mut of_it = causes.filter(|cause| explains(cause, &all[at].code));
        all[at].explained_by = of_it.next().map(|cause| cause.code.clone());
    }
    let (symptoms, mut causes): (Vec<_>, Vec<_>) = all.into_iter().partition(|finding| finding.explained_by.is_some());
    let of = |cause: &FindingReport| {
        let code = cause.code.clone();
        symptoms.iter().filter(move |symptom| symptom.explained_by.as_ref() == Some(&code)).cloned()
    };
    causes.sort_by_key(|cause| of(cause).next().is_none());
    // Several causes may have one code, one for each name of a class: their symptoms stand behind the last of them.
    let mut arranged: Vec<FindingReport> = Vec::with_capacity(symptoms.len() + causes.len());
    for (at, cause) in causes.iter().enumerate() {
        arranged.push(cause.clone());
        if causes.get(at + 1).is_none_or(|next| next.code != cause.code) {
            arranged.extend(of(cause));
        }
    }
    arranged
}

const SAME_FILE_TWICE: &str = "same_file_twice";

/// A second run made of the very file of an earlier one, unless each is a folder of it.
pub(super) fn same_file_twice(runs: &mut [RunReport]) {
    let mut seen: Vec<(Option<String>, String)> = Vec::new();
    for run in runs {
        run.findings.retain(|finding| finding.code != SAME_FILE_TWICE);
        let is_folder = run.reading.as_ref().is_some_and(|how| how.reading.folders == Folders::Apart);
        if let Some((_, name)) = seen.iter().find(|(sha256, _)| sha256.is_some() && *sha256 == run.sha256 && !is_folder)
        {
            let finding = FindingReport {
                id: SAME_FILE_TWICE.to_owned(),
                code: SAME_FILE_TWICE.to_owned(),
                count: 1,
                n_images: 0,
                sentence: format!("This is the same file as {name}, byte for byte."),
                fix: "Drop the predictions of the other model.".to_owned(),
                examples: vec![name.clone()],
                remedy: None,
                explained_by: None,
            };
            run.findings.insert(0, finding);
        }
        seen.push((run.sha256.clone(), run.name.clone()));
    }
}
