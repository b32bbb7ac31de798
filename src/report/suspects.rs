//! Suspects in the ground truth, and the score under the corrected one beside that under the original ([section 17](crate::metric)).

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::{GroundTruthReport, OptionsReport, Report, RunReport, corrected, hit_on};
use crate::dataset::GroundTruth;
use crate::options::Options;
use crate::run::Prepared;
use crate::score::official::Counts;
use crate::suspects::{Mark, Suspect, SuspectKind, rate};

/// The suspects in a ground truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SuspectsReport {
    /// Version of the program that made the report.
    pub froc_version: String,
    /// The ground truth that they are in.
    pub ground_truth: GroundTruthReport,
    /// How the runs were scored.
    pub options: OptionsReport,
    /// The rate at whose score thresholds detections are looked at, in false positives per image: the lowest of the options.
    pub fp_per_image: f64,
    /// The names of the runs, in their order.
    pub runs: Vec<String>,
    /// Why there can be none, in one sentence; none if there can.
    pub none_because: Option<String>,
    /// How many there are of each kind.
    pub counts: Vec<SuspectCountReport>,
    /// Marks of suspects that are not in the list: of other files or options. They are kept, and change nothing.
    pub n_marks_elsewhere: usize,
    /// By falling number of runs, then by mean rank.
    pub suspects: Vec<Suspect>,
    /// What comes of the marks; none while nothing is marked as wrong.
    pub corrections: Option<CorrectionsReport>,
}

/// Suspects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct SuspectCountReport {
    /// The kind.
    pub kind: SuspectKind,
    /// All of it.
    pub n: usize,
    /// Those where the ground truth is right.
    pub n_right: usize,
    /// Those where it is wrong.
    pub n_wrong: usize,
}

/// A corrected ground truth, and what runs score on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct CorrectionsReport {
    /// The ground truth, under a name beside that of the original.
    pub ground_truth: GroundTruthReport,
    /// How many corrections it has.
    pub n_corrections: usize,
    /// What is to be known about its file, one sentence each.
    pub notes: Vec<String>,
    /// Of each run, by the rules of the script if there is one, and exact.
    pub scores: Vec<UnderBothReport>,
}

/// An average recall under both ground truths, 0..=1, each under a name of its own: that of the corrected one is never official.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct UnderBothReport {
    /// Place of the run among `runs`.
    pub run: usize,
    /// What the first number is to be called, such as `official`.
    pub original_name: String,
    /// On the original; `None` where it is undefined.
    pub original: Option<f64>,
    /// What the second number is to be called, such as `the script's rules, by 3 corrections of the ground truth`.
    pub corrected_name: String,
    /// On the corrected one.
    pub corrected: Option<f64>,
    /// `corrected` minus `original`, -1..=1.
    pub difference: Option<f64>,
}

impl SuspectsReport {
    /// The suspects that were found in a ground truth by these runs, of which so many marks say nothing; nothing is corrected yet.
    #[must_use]
    pub fn new(
        ground_truth: &GroundTruth,
        runs: &[&Prepared],
        options: &Options,
        suspects: Vec<Suspect>,
        n_marks_elsewhere: usize,
    ) -> Self {
        let count = |kind| {
            let of_kind = || suspects.iter().filter(|one| one.kind == kind);
            let [n_right, n_wrong] =
                [Mark::Right, Mark::Wrong].map(|mark| of_kind().filter(|one| one.mark == Some(mark)).count());
            SuspectCountReport { kind, n: of_kind().count(), n_right, n_wrong }
        };
        Self {
            froc_version: env!("CARGO_PKG_VERSION").to_owned(),
            ground_truth: GroundTruthReport::from(ground_truth),
            options: OptionsReport::from(&options.clone().with_hit(hit_on(ground_truth, options))),
            fp_per_image: rate(options),
            runs: runs.iter().map(|prepared| prepared.run.name().to_owned()).collect(),
            none_because: none_because(ground_truth.n_images(), runs.len(), rate(options)),
            counts: SuspectKind::ALL.map(count).to_vec(),
            n_marks_elsewhere,
            suspects,
            corrections: None,
        }
    }
}

fn none_because(n_images: usize, n_runs: usize, rate: f64) -> Option<String> {
    match (n_runs, Counts { n_lesions: 0, n_images }.within(rate)) {
        (0 | 1, _) => Some("There is one run: a suspect is what at least two agree on.".to_owned()),
        (_, 0) => Some(format!(
            "{rate} false positives per image are less than one in {n_images} images, so none is looked at: let the lowest rate be higher."
        )),
        _ => None,
    }
}

impl CorrectionsReport {
    /// Of reports of the same runs on the original and on the corrected ground truth.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, notes: Vec<String>, original: &Report, on_corrected: &Report) -> Self {
        let n_corrections = ground_truth.n_corrections();
        let exact = ["exact".to_owned(), format!("exact{}", corrected(n_corrections))];
        let of_run = |(run, both): (usize, [&RunReport; 2])| {
            let has_script = both[0].official.none_because.is_none();
            let by_script = both.map(|of| (of.official.name.clone(), of.official.average_recall));
            let [a, b] = both.map(|of| of.exact.average_recall);
            let exact = [(exact[0].clone(), a), (exact[1].clone(), b)];
            [has_script.then_some(by_script), Some(exact)]
                .into_iter()
                .flatten()
                .map(move |of| UnderBothReport::new(run, of))
        };
        let both = original.runs.iter().zip(&on_corrected.runs).map(|(original, other)| [original, other]);
        let scores = both.enumerate().flat_map(of_run).collect();
        Self { ground_truth: GroundTruthReport::from(ground_truth), n_corrections, notes, scores }
    }
}

impl UnderBothReport {
    fn new(run: usize, [(original_name, original), (corrected_name, corrected)]: [(String, Option<f64>); 2]) -> Self {
        let difference = original.zip(corrected).map(|(original, corrected)| corrected - original);
        Self { run, original_name, original, corrected_name, corrected, difference }
    }
}
