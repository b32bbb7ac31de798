//! What the page, the files and the terminal show: one serde type, made into text by [`crate::render`].
//!
//! Keys are the Rust names in `snake_case`. Fractions are in 0..=1. A number that the official script leaves undefined
//! (NaN or infinite) is `None` here and `null` in JSON; [`OfficialReport::printed`] keeps the script's own words for it.

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

/// The version of the shape of [`Report`]; it rises when a key changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that was computed, for one ground truth and any number of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(into_wasm_abi, missing_as_null))]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the program that made the report.
    pub schema_version: u32,
    /// Version of the program that made the report.
    pub froc_version: String,
    /// What the runs were scored against.
    pub ground_truth: GroundTruthReport,
    /// How they were scored.
    pub options: OptionsReport,
    /// One entry a run, in the order in which they were given.
    pub runs: Vec<RunReport>,
    /// What a user should know about the ground truth.
    pub notices: Vec<NoticeReport>,
}

/// The ground truth a report rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct GroundTruthReport {
    /// Base name of the file.
    pub name: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Images listed, lesion-free ones included.
    pub n_images: usize,
    /// Boxes of the ten classes.
    pub n_lesions: usize,
}

/// The options a report rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(into_wasm_abi))]
pub struct OptionsReport {
    /// Least overlap with which a detection finds a lesion, 0..=1.
    pub iou_threshold: f64,
    /// False positives per image at which recall is read, above 0 and rising.
    pub fp_per_image: Vec<f64>,
}

/// One set of predictions, scored.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct RunReport {
    /// Base name of the zip or folder.
    pub name: String,
    /// SHA-256 of the zip; of a folder, that of its sorted lines `name NUL sha256 newline`.
    pub sha256: String,
    /// Prediction files that belong to an image of the ground truth.
    pub n_files: usize,
    /// Detections read from them, all classes together.
    pub n_detections: usize,
    /// The score of the official script, quirks included.
    pub official: OfficialReport,
    /// The score without quirks Q1 to Q6.
    pub exact: ExactReport,
    /// One entry a class, in the official order.
    pub classes: Vec<ClassReport>,
    /// What a user should know although the run could be scored.
    pub notices: Vec<NoticeReport>,
}

/// The official score of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct OfficialReport {
    /// Mean recall over the ten classes at each rate.
    pub recall: Vec<Option<f64>>,
    /// Mean of `recall`: the script's `avg recall`.
    pub average_recall: Option<f64>,
    /// Worst and best `recall` over the orders of equal scores: `[worst, best]`, each one number a rate.
    pub recall_bounds: [Vec<Option<f64>>; 2],
    /// Worst and best `average_recall`.
    pub average_recall_bounds: [Option<f64>; 2],
    /// The numbers as the script prints them (`23.15%`, `nan%`, `-inf%`): one a rate, then the average.
    pub printed: Vec<String>,
    /// The quirks that fired, in the order of their ids.
    pub quirks: Vec<QuirkReport>,
}

/// One quirk of the official script that changed a verdict, a recall or a mean of this run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct QuirkReport {
    /// `Q1` to `Q8`.
    pub id: String,
    /// Short name, such as `tail-dropped`.
    pub name: String,
    /// What the script did, with this run's figures, in one sentence.
    pub sentence: String,
    /// The classes it touched, in the official order.
    pub classes: Vec<QuirkClassReport>,
    /// Change of the mean recall at each rate if only this rule were replaced, in points (percent).
    pub cost: Vec<Option<f64>>,
    /// Change of the average recall, in points.
    pub average_cost: Option<f64>,
}

/// What one quirk did to one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct QuirkClassReport {
    /// The class.
    pub name: String,
    /// How many detections it touched; `None` where the quirk is not about detections.
    pub n_detections: Option<usize>,
    /// Change of recall at each rate if only this rule were replaced, in points; `None` where the official recall is
    /// undefined.
    pub cost: Vec<Option<f64>>,
}

/// The exact score of a run: means over the classes that have lesions, `None` if none has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ExactReport {
    /// Mean recall at each rate.
    pub recall: Vec<Option<f64>>,
    /// Mean of `recall`.
    pub average_recall: Option<f64>,
}

/// One class of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ClassReport {
    /// Official name.
    pub name: String,
    /// Lesions of the class in the ground truth.
    pub n_lesions: usize,
    /// Detections of the class.
    pub n_detections: usize,
    /// Detections that found a lesion.
    pub true_positives: usize,
    /// All other detections.
    pub false_positives: usize,
    /// As the official script scores the class.
    pub official: ClassOfficialReport,
    /// Read at score thresholds that can be used.
    pub exact: ClassExactReport,
}

/// The official recall of a class at each rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ClassOfficialReport {
    /// Recall at each rate.
    pub recall: Vec<Option<f64>>,
    /// Worst and best recall over the orders of equal scores: `[worst, best]`.
    pub recall_bounds: [Vec<Option<f64>>; 2],
}

/// The exact operating point of a class at each rate; all `None` for a class without lesions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ClassExactReport {
    /// Recall of the lowest score threshold within the budget.
    pub recall: Vec<Option<f64>>,
    /// That threshold: detections scoring at least this are shown. `None` where nothing can be shown.
    pub score_threshold: Vec<Option<f32>>,
    /// False positives shown there.
    pub false_positives: Vec<Option<usize>>,
    /// The most false positives that the rate allows: floor(rate x images).
    pub budget: Vec<Option<usize>>,
}

/// Something a user should know although the score survives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct NoticeReport {
    /// Stable name in `snake_case`.
    pub code: String,
    /// How often it was seen.
    pub count: usize,
    /// What was seen, in one sentence.
    pub sentence: String,
    /// How to mend it, in one sentence.
    pub fix: String,
    /// The first few places.
    pub examples: Vec<String>,
}

/// The FROC curve of one class: its corners, from no detection shown to all shown.
///
/// The arrays are of equal length. The first point is (0, 0) with no score threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(into_wasm_abi, missing_as_null))]
pub struct CurveReport {
    /// False positives per image.
    pub fp_per_image: Vec<f64>,
    /// Recall, 0..=1.
    pub recall: Vec<f64>,
    /// Everything that scores at least this is shown.
    pub score_threshold: Vec<Option<f32>>,
}
