//! What the page, the files and the terminal show: one serde type, made into text by [`crate::render`].
//!
//! Keys are the Rust names in `snake_case`. Fractions are in 0..=1. A number that the official script leaves undefined
//! (NaN or infinite) is `None` here and `null` in JSON; [`OfficialReport::printed`] keeps the script's own words for it.

pub mod confusion;
pub mod diagnosis;
pub mod errors;
mod findings;
pub mod image;
pub mod operating;
pub mod published;
pub mod ranking;
mod read;
mod share;
pub mod slices;
pub mod statistics;
pub mod suspects;
pub mod thresholds;

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::bootstrap::{Bootstrap, Uncertainty};
use crate::curve::{Curve, Point};
use crate::dataset::{ChosenReaders, GroundTruth, Predictions, ReadersChoice};
use crate::error::Error;
use crate::geometry::Measure;
use crate::input::attributes::Attributes;
use crate::options::{Hit, Options};
use crate::printable::{counted, in_a_row};
use crate::protocol::{Class, Protocol};
use crate::reading::Reading;
use crate::run::Run;
use crate::score::official::Counts;
use crate::score::quirks::{self, Quirk, QuirkId, Touched};
use crate::score::{ClassScore, average_recall, exact, mean_recall};
use crate::slices::{By, Division};
use crate::thresholds::Thresholds;
pub use findings::FindingReport;
use ranking::RankingReport;
use slices::{DivisionReport, SlicesOptionsReport};
use statistics::{Analysis, BootstrapReport, ComparisonReport, StatisticsReport, Wanted};
use thresholds::ThresholdsReport;

/// The version of the shape of [`Report`]; it rises when a key changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 2;

/// What the script's own numbers are called.
const OFFICIAL: &str = "official";

/// Everything that was computed, for one ground truth and any number of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct Report {
    /// [`SCHEMA_VERSION`] of the program that made the report.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA_VERSION)))]
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
    pub findings: Vec<FindingReport>,
    /// Every other run against the baseline; absent unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub comparisons: Vec<ComparisonReport>,
    /// The runs in the order of their score; absent unless asked for, or if more than two are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub ranking: Option<RankingReport>,
    /// What the runs reach at score thresholds chosen elsewhere; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub thresholds: Option<ThresholdsReport>,
    /// What the runs reach in slices of the images, one entry a division; absent unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub slices: Vec<DivisionReport>,
}

/// The ground truth a report rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct GroundTruthReport {
    /// Base name of the file.
    pub name: String,
    /// The dataset whose evaluation it is, such as `ChestX-Det10`.
    pub protocol: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Images listed, lesion-free ones included.
    pub n_images: usize,
    /// Boxes of its classes that are to be found.
    pub n_lesions: usize,
    /// Boxes that count neither as found nor against any detection, whose sources the findings tell.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub n_ignored: usize,
    /// The classes that are not scored, since a person asked to ignore them; absent unless there are such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub ignored_classes: Vec<String>,
    /// Whether a person chose the protocol, in place of what the file tells; absent unless it is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub protocol_is_chosen: bool,
    /// Whose boxes are lesions; absent unless the file names several readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub readers: Option<ReadersReport>,
}

/// Whose boxes are the lesions of a ground truth that several readers drew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ReadersReport {
    /// `agreed`, `all`, or the name of a reader.
    pub chosen: String,
    /// The same in words, as captions say it.
    pub caption: String,
    /// Whether it is so without a choice.
    pub is_default: bool,
    /// Readers of the file, at least two.
    pub n_readers: usize,
    /// All that can be chosen.
    pub choices: Vec<ReadersChoiceReport>,
}

/// Readers that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ReadersChoiceReport {
    /// `agreed`, `all`, or the name of a reader.
    pub readers: String,
    /// Images that this makes.
    pub n_images: usize,
    /// Lesions that this makes, of all classes of the file; at least one.
    pub n_lesions: usize,
}

/// The options a report rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct OptionsReport {
    /// Least IoU with which a detection finds a lesion, 0..=1; with another hit criterion the threshold of that, 0 if it has none.
    pub iou_threshold: f64,
    /// The hit criterion; absent where it is IoU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<HitReport>,
    /// False positives per image at which recall is read, above 0 and rising.
    pub fp_per_image: Vec<f64>,
    /// The rate up to which areas under curves are taken; absent without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_up_to: Option<f64>,
    /// As many detections of a class in one image count in average precision, those with the highest scores (`maxDets` in
    /// pycocotools); absent without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_detections: Option<u32>,
    /// How much more recall weighs than precision in F-scores that say `f_beta`, above 0; absent without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// The least image specificity at which sensitivity is read, above 0 and up to 1; absent without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specificity: Option<f64>,
    /// How images were resampled; absent without a bootstrap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<BootstrapReport>,
    /// What the images were divided by; absent unless they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub slices: Option<SlicesOptionsReport>,
}

/// A hit criterion that is not IoU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct HitReport {
    /// What is compared with the threshold.
    pub criterion: Measure,
    /// What that is called, such as `IoBB`.
    pub name: String,
    /// The criterion with its threshold, as captions name it: `IoBB 0.5`, `centre in the box`.
    pub caption: String,
}

/// One set of predictions, scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RunReport {
    /// Base name of the zip or folder.
    pub name: String,
    /// SHA-256 of the zip; of a folder, that of its sorted lines `name NUL sha256 newline`. `None` while it is not known:
    /// that of a large zip is taken beside the scoring.
    pub sha256: Option<String>,
    /// Prediction files that belong to an image of the ground truth.
    pub n_files: usize,
    /// Detections read from them, all classes together.
    pub n_detections: usize,
    /// The score by the rules of the official script, quirks included.
    pub official: OfficialReport,
    /// The score without quirks Q1 to Q6 and Q11.
    pub exact: ExactReport,
    /// One entry a class, in the official order.
    pub classes: Vec<ClassReport>,
    /// What a user should know although the run could be scored.
    pub findings: Vec<FindingReport>,
    /// How the files were read, if not as the official script reads: then `official` is not the official score of the
    /// files as they are.
    pub reading: Option<ReadingReport>,
    /// What the files are, if the official script does not read such: then `official` is not the official score.
    pub formats: Option<FormatsReport>,
    /// What was computed beside the score; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<StatisticsReport>,
}

/// The score of a run by the rules of the official script; [`OfficialReport::is_official`] tells whether it may be called so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct OfficialReport {
    /// Whether the script itself would give these numbers: only under its own dataset, IoU threshold and rates, with files
    /// read as it reads them.
    pub is_official: bool,
    /// Why there are no such numbers at all, in one sentence: the dataset has no script. Then all that follow are missing.
    pub none_because: Option<String>,
    /// What the numbers are to be called: `official`, or such as `the script's rules at IoU 0.3`.
    pub name: String,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct QuirkReport {
    /// `Q1` to `Q8`, or `Q11`.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "QuirkId"))]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ExactReport {
    /// Mean recall at each rate.
    pub recall: Vec<Option<f64>>,
    /// Mean of `recall`.
    pub average_recall: Option<f64>,
}

/// One class of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ClassReport {
    /// Official name.
    pub name: String,
    /// Lesions of the class in the ground truth.
    pub n_lesions: usize,
    /// Detections of the class, but for those that are ignored.
    pub n_detections: usize,
    /// Detections that found a lesion.
    pub true_positives: usize,
    /// All others of `n_detections`.
    pub false_positives: usize,
    /// Detections that count neither way, since they reach no lesion of the class but an ignored one.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub n_ignored: usize,
    /// As the official script scores the class.
    pub official: ClassOfficialReport,
    /// Read at score thresholds that can be used.
    pub exact: ClassExactReport,
}

/// The official recall of a class at each rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ClassOfficialReport {
    /// Recall at each rate.
    pub recall: Vec<Option<f64>>,
    /// Worst and best recall over the orders of equal scores: `[worst, best]`.
    pub recall_bounds: [Vec<Option<f64>>; 2],
}

/// The exact operating point of a class at each rate; all `None` for a class without lesions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ClassExactReport {
    /// Recall of the lowest score threshold within the budget.
    pub recall: Vec<Option<f64>>,
    /// That threshold: detections scoring at least this are shown. `None` where nothing can be shown.
    pub score_threshold: Vec<Option<f32>>,
    /// False positives shown there.
    pub false_positives: Vec<Option<u32>>,
    /// The most false positives that the rate allows: floor(rate x images).
    pub budget: Vec<Option<u64>>,
}

/// A run that is not read as the official script reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ReadingReport {
    /// What is done otherwise, in one sentence.
    pub sentence: String,
    /// All of it.
    pub reading: Reading,
}

/// A run of files that the official script does not read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct FormatsReport {
    /// What they are, in one sentence.
    pub sentence: String,
    /// The formats, sorted.
    pub names: Vec<String>,
}

/// An exact FROC curve: its corners, from no detection shown to all shown. Between two of them recall is that of the left one.
///
/// The arrays are of equal length. The first point is (0, 0) with no score threshold; of the mean over classes it is the mean
/// of what each class finds without any false positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct CurveReport {
    /// False positives per image.
    pub fp_per_image: Vec<f64>,
    /// Recall, 0..=1.
    pub recall: Vec<f64>,
    /// Everything that scores at least this is shown; `None` throughout for the mean, whose classes have each their own.
    pub score_threshold: Vec<Option<f32>>,
}

impl Report {
    /// The report of runs that were scored against one ground truth, each with its classes in the official order.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, options: &Options, runs: &[(&Run, Vec<ClassScore>)]) -> Self {
        let mut reports: Vec<RunReport> =
            runs.iter().map(|(run, classes)| RunReport::new(ground_truth, run, classes, options)).collect();
        findings::same_file_twice(&mut reports);
        Self {
            schema_version: SCHEMA_VERSION,
            froc_version: env!("CARGO_PKG_VERSION").to_owned(),
            ground_truth: GroundTruthReport::from(ground_truth),
            options: OptionsReport::from(&options.clone().with_hit(hit_on(ground_truth, options))),
            runs: reports,
            findings: ground_truth.findings().iter().map(FindingReport::from).collect(),
            comparisons: Vec::new(),
            ranking: None,
            thresholds: None,
            slices: Vec::new(),
        }
    }
}

impl From<&GroundTruth> for GroundTruthReport {
    fn from(ground_truth: &GroundTruth) -> Self {
        Self {
            name: ground_truth.name().to_owned(),
            protocol: ground_truth.protocol().name().to_owned(),
            sha256: ground_truth.sha256().to_owned(),
            n_images: ground_truth.n_images(),
            n_lesions: ground_truth.n_all_lesions(),
            n_ignored: ground_truth.ignored().len(),
            ignored_classes: ground_truth.protocol().ignored_classes().map(str::to_owned).collect(),
            protocol_is_chosen: ground_truth.is_protocol_chosen(),
            readers: ground_truth.readers().map(ReadersReport::from),
        }
    }
}

impl From<&ChosenReaders> for ReadersReport {
    fn from(chosen: &ChosenReaders) -> Self {
        let choice = |of: ReadersChoice| ReadersChoiceReport {
            readers: of.readers.name().to_owned(),
            n_images: of.n_images,
            n_lesions: of.n_lesions,
        };
        Self {
            chosen: chosen.readers().name().to_owned(),
            caption: chosen.caption(),
            is_default: chosen.is_default(),
            n_readers: chosen.names().len(),
            choices: chosen.choices().into_iter().map(choice).collect(),
        }
    }
}

impl GroundTruthReport {
    /// How many lesions there are, whose, how many are ignored, and whose evaluation it is if that was chosen, in words.
    pub(crate) fn lesions(&self) -> String {
        let ignored = match self.n_ignored {
            0 => String::new(),
            n => format!(" and {n} that {} ignored", if n == 1 { "is" } else { "are" }),
        };
        let classes = match &self.ignored_classes[..] {
            [] => String::new(),
            [one] => format!(", class {one} not scored"),
            several => format!(", classes {} not scored", several.join(", ")),
        };
        let chosen =
            if self.protocol_is_chosen { format!(", evaluated as {} by choice", self.protocol) } else { String::new() };
        let readers = self.readers.as_ref().map(|readers| format!(", {}", readers.caption)).unwrap_or_default();
        format!("{} lesions{ignored}{classes}{readers}{chosen}", self.n_lesions)
    }
}

impl Report {
    /// Tells the SHA-256 of runs that were not known when they were scored; `runs` are those of the report, in order,
    /// as far as they are still there.
    pub fn learn_sha256<'a>(&mut self, runs: impl Iterator<Item = Option<&'a Run>>) {
        for (report, run) in self.runs.iter_mut().zip(runs) {
            if let Some(run) = run {
                report.sha256 = run.sha256().map(str::to_owned);
            }
        }
        findings::same_file_twice(&mut self.runs);
    }

    /// Adds the order of the runs, by a finished bootstrap of them in the same order.
    #[must_use]
    pub(crate) fn with_ranking(mut self, bootstrap: &Bootstrap) -> Self {
        self.options.bootstrap = Some(BootstrapReport::new(bootstrap));
        self.ranking = RankingReport::new(bootstrap);
        self
    }

    /// Adds what its runs, in the same order, reach at score thresholds chosen on other images; with intervals, drawn as in a
    /// bootstrap of the same images, if there is one.
    ///
    /// # Errors
    /// If the thresholds are for another dataset, ignored classes or IoU threshold, or a class has none.
    pub fn with_thresholds(
        mut self,
        ground_truth: &GroundTruth,
        runs: &[&Run],
        thresholds: &Thresholds,
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Self, Error> {
        let resampling = bootstrap.map(|bootstrap| (bootstrap.resampling(), bootstrap.groups()));
        let iou_threshold = self.options.iou_threshold;
        let reached = |run: &&Run| thresholds.reached(ground_truth, run, iou_threshold, resampling);
        let reached = runs.iter().map(reached).collect::<Result<Vec<_>, Error>>()?;
        self.options.bootstrap = bootstrap.map(BootstrapReport::new).or(self.options.bootstrap);
        let sha256 = ground_truth.sha256();
        self.thresholds = Some(ThresholdsReport::new(ground_truth.protocol(), sha256, thresholds, &reached));
        Ok(self)
    }

    /// Adds what its runs, in the same order, reach in the slices of divisions of the images, which were made `by` columns of a table or
    /// without one; with intervals, drawn as in a bootstrap of the same images, if there is one.
    #[must_use]
    pub fn with_slices(
        mut self,
        ground_truth: &GroundTruth,
        runs: &[&Run],
        (by, attributes, divisions): (&[By], Option<&Attributes>, &[Division]),
        bootstrap: Option<&Bootstrap>,
    ) -> Self {
        // The options of a report were checked when they were made.
        let Ok(options) = self.options.options() else { return self };
        let resampling = bootstrap.map(|bootstrap| (bootstrap.resampling(), bootstrap.groups()));
        let report = |of: &Division| DivisionReport::new(of, ground_truth, runs, &options, resampling);
        self.slices = divisions.iter().map(report).collect();
        self.options.slices = (!divisions.is_empty()).then(|| SlicesOptionsReport::new(by, attributes));
        self.options.bootstrap = bootstrap.map(BootstrapReport::new).or(self.options.bootstrap);
        self
    }

    /// Adds what is `wanted` beside the score; `predictions` are those of the runs, in the same order.
    #[must_use]
    pub(crate) fn with_statistics(
        mut self,
        ground_truth: &GroundTruth,
        options: &Options,
        runs: &[(&Run, Vec<ClassScore>)],
        predictions: &[&Predictions],
        wanted: Wanted<'_>,
    ) -> Self {
        let bootstrap = wanted.uncertainty.map(Uncertainty::intervals);
        self.options.area_up_to = Some(wanted.area_up_to);
        self.options.max_detections = Some(wanted.max_detections);
        self.options.beta = Some(wanted.beta);
        self.options.specificity = Some(wanted.specificity);
        self.options.bootstrap = bootstrap.map(BootstrapReport::new);
        for (at, (((run, classes), predictions), report)) in
            runs.iter().zip(predictions).zip(&mut self.runs).enumerate()
        {
            let analysis = Analysis { ground_truth, run, predictions, classes, options };
            report.statistics = Some(StatisticsReport::new(&analysis, at, wanted));
        }
        if let (Some(bootstrap), Some(baseline)) = (bootstrap, wanted.baseline) {
            let runs: Vec<&Run> = runs.iter().map(|(run, _)| *run).collect();
            self.comparisons = ComparisonReport::all(ground_truth, &runs, options, bootstrap, baseline);
            // Of two runs their difference says it all.
            if runs.len() > 2 {
                self.ranking = RankingReport::new(bootstrap);
            }
        }
        self
    }
}

impl From<&Options> for OptionsReport {
    fn from(options: &Options) -> Self {
        Self {
            iou_threshold: options.iou_threshold(),
            hit: HitReport::new(options.hit()),
            fp_per_image: options.fp_per_image().to_vec(),
            area_up_to: None,
            max_detections: None,
            beta: None,
            specificity: None,
            bootstrap: None,
            slices: None,
        }
    }
}

/// The criterion that decides: the measure is that of the ground truth, which the runs were made for.
fn hit_on(ground_truth: &GroundTruth, options: &Options) -> Hit {
    Hit::written(ground_truth.protocol().measure(), options.iou_threshold())
}

impl HitReport {
    /// None of IoU.
    fn new(hit: Hit) -> Option<Self> {
        let criterion = hit.measure();
        let report = || Self { criterion, name: criterion.name().to_owned(), caption: hit.to_string() };
        (criterion != Measure::Iou).then(report)
    }
}

impl OptionsReport {
    /// When a detection finds a lesion.
    #[must_use]
    pub fn hit(&self) -> Hit {
        let measure = self.hit.as_ref().map_or(Measure::Iou, |hit| hit.criterion);
        Hit::written(measure, self.iou_threshold)
    }

    /// The same as options.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn options(&self) -> Result<Options, Error> {
        let hit = self.hit();
        Options::of_hit(Hit::new(hit.measure(), hit.threshold())?, self.fp_per_image.clone())
    }

    /// The criterion as a sentence begins with it: `IoU threshold 0.5`, `Hits by centre in the box`.
    pub(crate) fn hit_in_words(&self) -> String {
        match &self.hit {
            None => format!("IoU threshold {}", self.iou_threshold),
            Some(hit) => format!("Hits by {}", hit.caption),
        }
    }
}

impl RunReport {
    fn new(ground_truth: &GroundTruth, run: &Run, classes: &[ClassScore], options: &Options) -> Self {
        let protocol = ground_truth.protocol();
        let class = |(class, score): (Class, &ClassScore)| {
            let report = ClassReport::new(protocol.class_name(class), score, options);
            if protocol.has_script() { report } else { report.without_official() }
        };
        Self {
            name: run.name().to_owned(),
            sha256: run.sha256().map(str::to_owned),
            n_files: run.n_files(),
            n_detections: protocol.classes().map(|class| run.ranking(class).scores().len()).sum(),
            official: OfficialReport::new(ground_truth, classes, options, run),
            exact: ExactReport::new(classes, options),
            classes: protocol.classes().zip(classes).map(class).collect(),
            findings: findings::of_run(run),
            reading: run
                .reading()
                .sentence()
                .map(|sentence| ReadingReport { sentence, reading: run.reading().clone() }),
            formats: FormatsReport::new(protocol, run),
            statistics: None,
        }
    }
}

impl FormatsReport {
    fn new(protocol: &Protocol, run: &Run) -> Option<Self> {
        let names = run.formats();
        let but = if protocol.has_script() { ", which the official script does not read" } else { "" };
        let sentence = || format!("Read from {}{but}.", in_a_row(names));
        (!names.is_empty())
            .then(|| Self { sentence: sentence(), names: names.iter().map(|name| (*name).to_owned()).collect() })
    }
}

impl OfficialReport {
    fn new(ground_truth: &GroundTruth, classes: &[ClassScore], options: &Options, run: &Run) -> Self {
        let protocol = ground_truth.protocol();
        let rates = options.fp_per_image();
        if !protocol.has_script() {
            return Self::none(protocol, rates.len());
        }
        let means = |recall: fn(&ClassScore) -> &[f64]| {
            mean_recall(classes, rates.len(), |class, rate| Some(recall(class)[rate]))
        };
        let recall = means(|class| &class.official);
        let (worst, best) = (means(|class| &class.worst), means(|class| &class.best));
        let average = average_recall(&recall);
        let printed = recall.iter().chain([&average]).map(|value| printed(value.unwrap_or(f64::NAN)));
        let quirks = quirks::fired(classes, rates);
        let is_read_so = ground_truth.is_for_script() && run.reading().is_official() && run.formats().is_empty();
        let otherwise = match run.reading().fused {
            Some(_) => Some("runs fused"),
            None => (!is_read_so).then_some(READ_OTHERWISE),
        };
        let is_whole = ground_truth.ignored().is_empty() && protocol.ignored_classes().next().is_none();
        let n_corrections = ground_truth.n_corrections();
        let is_original = n_corrections == 0;
        let is_official =
            options.are_official() && protocol.measure() == Measure::Iou && is_read_so && is_whole && is_original;
        Self {
            name: if is_official {
                OFFICIAL.to_owned()
            } else {
                by_the_rules(hit_on(ground_truth, options), options, otherwise, is_whole) + &corrected(n_corrections)
            },
            is_official,
            none_because: None,
            printed: printed.collect(),
            average_recall: average.and_then(defined),
            average_recall_bounds: [average_recall(&worst).and_then(defined), average_recall(&best).and_then(defined)],
            recall_bounds: [all_defined(&worst), all_defined(&best)],
            recall: all_defined(&recall),
            quirks: quirks.iter().map(|quirk| QuirkReport::new(protocol, quirk, classes, options)).collect(),
        }
    }
}

impl OfficialReport {
    /// That of a dataset without a script.
    fn none(protocol: &Protocol, n_rates: usize) -> Self {
        let name = protocol.name();
        let because = format!("No script tells official numbers for {name}: the exact score is the score.");
        let nothing = || vec![None; n_rates];
        Self {
            is_official: false,
            none_because: Some(because),
            name: "no official number".to_owned(),
            recall: nothing(),
            average_recall: None,
            recall_bounds: [nothing(), nothing()],
            average_recall_bounds: [None, None],
            printed: Vec::new(),
            quirks: Vec::new(),
        }
    }
}

/// What numbers of files are called that the script does not read so.
const READ_OTHERWISE: &str = "files read otherwise";

/// What numbers by the script's rules are called where the script itself would not give them.
fn by_the_rules(hit: Hit, options: &Options, otherwise: Option<&str>, is_whole: bool) -> String {
    let defaults = Options::default();
    let has_own_rates = options.fp_per_image() == defaults.fp_per_image();
    let at = [(hit != Hit::default()).then(|| hit.to_string()), (!has_own_rates).then(|| "other rates".to_owned())];
    let at: Vec<String> = at.into_iter().flatten().collect();
    let mut name = "the script's rules".to_owned();
    if !at.is_empty() {
        name = format!("{name} at {}", at.join(" and "));
    }
    if let Some(otherwise) = otherwise {
        name = format!("{name}, {otherwise}");
    }
    if !is_whole {
        name.push_str(", some lesions ignored");
    }
    name
}

/// What a number on a corrected ground truth is called behind its own name; nothing of an original.
fn corrected(n_corrections: usize) -> String {
    match n_corrections {
        0 => String::new(),
        n => format!(", by {} of the ground truth", counted(n, "correction")),
    }
}

impl ExactReport {
    fn new(classes: &[ClassScore], options: &Options) -> Self {
        let recall = mean_recall(classes, options.fp_per_image().len(), |class, rate| {
            exact::recall(class.exact[rate], class.counts)
        });
        Self { average_recall: average_recall(&recall), recall }
    }
}

impl ClassReport {
    fn new(name: &str, score: &ClassScore, options: &Options) -> Self {
        let Point { true_positives, false_positives, .. } = score.curve.last();
        let (true_positives, false_positives) = (true_positives as usize, false_positives as usize);
        let some = |values: &[f64]| values.iter().copied().map(defined).collect();
        Self {
            name: name.to_owned(),
            n_lesions: score.counts.n_lesions,
            n_detections: true_positives + false_positives,
            true_positives,
            false_positives,
            n_ignored: score.n_ignored,
            official: ClassOfficialReport {
                recall: some(&score.official),
                recall_bounds: [some(&score.worst), some(&score.best)],
            },
            exact: ClassExactReport::new(&score.exact, score.counts, options),
        }
    }
}

impl ClassReport {
    /// The same in a dataset without a script.
    fn without_official(mut self) -> Self {
        let nothing = vec![None; self.official.recall.len()];
        self.official = ClassOfficialReport { recall: nothing.clone(), recall_bounds: [nothing.clone(), nothing] };
        self
    }
}

impl ClassExactReport {
    fn new(points: &[Point], counts: Counts, options: &Options) -> Self {
        let has_lesions = counts.n_lesions > 0;
        Self {
            recall: points.iter().map(|point| exact::recall(*point, counts)).collect(),
            score_threshold: points.iter().map(|point| point.score_threshold.filter(|_| has_lesions)).collect(),
            false_positives: points.iter().map(|point| has_lesions.then_some(point.false_positives)).collect(),
            budget: options.fp_per_image().iter().map(|rate| has_lesions.then(|| counts.within(*rate))).collect(),
        }
    }
}

impl QuirkReport {
    fn new(protocol: &Protocol, quirk: &Quirk, classes: &[ClassScore], options: &Options) -> Self {
        let class = |touched: &Touched| QuirkClassReport {
            name: protocol.class_name(Class::at(touched.class)).to_owned(),
            n_detections: touched.n_detections,
            cost: touched.cost.clone(),
        };
        Self {
            id: quirk.id.id().to_owned(),
            name: quirk.id.name().to_owned(),
            sentence: quirk_sentence(protocol, quirk, classes, options),
            classes: quirk.classes.iter().map(class).collect(),
            cost: quirk.cost.clone(),
            average_cost: quirk.average_cost,
        }
    }
}

impl CurveReport {
    /// The corners of the curve of a class.
    #[must_use]
    pub fn new(curve: &Curve, counts: Counts) -> Self {
        let corners = curve.corners();
        let recall = |point: &Point| exact::recall(*point, counts).unwrap_or_default();
        Self {
            fp_per_image: corners.iter().map(|point| counts.per_image(u64::from(point.false_positives))).collect(),
            recall: corners.iter().map(recall).collect(),
            score_threshold: corners.iter().map(|point| point.score_threshold).collect(),
        }
    }

    /// The mean of the curves of classes; without a point where none has lesions.
    #[must_use]
    pub fn of_mean(classes: &[(&Curve, Counts)]) -> Self {
        let (fp_per_image, recall): (Vec<f64>, Vec<f64>) = exact::mean_curve(classes).into_iter().unzip();
        Self { score_threshold: vec![None; recall.len()], fp_per_image, recall }
    }
}

/// A fraction as the official script prints it, in percent with two digits.
#[must_use]
pub fn printed(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent.is_nan() {
        return "nan%".to_owned();
    }
    format!("{percent:.2}%")
}

/// The number, unless the official script leaves it undefined.
fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn all_defined(values: &[Option<f64>]) -> Vec<Option<f64>> {
    values.iter().map(|value| value.and_then(defined)).collect()
}

/// What the script did, with the figures of the run, in one sentence.
fn quirk_sentence(protocol: &Protocol, quirk: &Quirk, classes: &[ClassScore], options: &Options) -> String {
    let names: Vec<&str> = quirk.classes.iter().map(|touched| protocol.class_name(Class::at(touched.class))).collect();
    let names = in_a_row(&names);
    let n: usize = quirk.classes.iter().filter_map(|touched| touched.n_detections).sum();
    let one = quirk.classes.len() == 1;
    let n_images = classes.first().map_or(0, |class| class.counts.n_images);
    match quirk.id {
        QuirkId::TailDropped => format!(
            "{names} ran out of false positives before a rate, so the script dropped the {} ranked below the last one.",
            counted(n, "true positive")
        ),
        QuirkId::LeadingFp => format!(
            "The top box of {names} is the only false positive of its class, so the script divided by zero and printed nan."
        ),
        QuirkId::WholeBudget => {
            let is_whole = |rate: &&f64| {
                classes
                    .iter()
                    .any(|class| class.counts.per_image(class.counts.within(**rate)).to_bits() == rate.to_bits())
            };
            let rates: Vec<String> = options.fp_per_image().iter().filter(is_whole).map(f64::to_string).collect();
            format!(
                "{n_images} images allow a whole number of false positives at {} per image, and the script stopped just before the last of them in {names}.",
                rates.join(", ")
            )
        }
        QuirkId::FewImages => format!(
            "With {} a rate is less than one false positive, so the script extrapolated {names} to infinity or nan.",
            counted(n_images, "image")
        ),
        QuirkId::Ties => format!(
            "{} in {names} share their score with another, and the order of equal scores decided the number.",
            counted(n, "detection")
        ),
        QuirkId::AbsentClass => format!(
            "{names} {} no lesion in this ground truth, and the script {} in its means all the same.",
            if one { "has" } else { "have" },
            if one { "counted it" } else { "counted them" }
        ),
        QuirkId::DoubleHit => format!(
            "{} on a lesion that was found already counted as {} in {names}.",
            if n == 1 { "1 box".to_owned() } else { format!("{n} boxes") },
            if n == 1 { "a false positive" } else { "false positives" }
        ),
        QuirkId::NanOverlap => format!(
            "{} in {names} {} an overlap of 0/0 with a lesion, since {} inverted or {} no area; the script counts {} as nothing.",
            if n == 1 { "1 box".to_owned() } else { format!("{n} boxes") },
            if n == 1 { "has" } else { "have" },
            if n == 1 { "it is" } else { "they are" },
            if n == 1 { "has" } else { "have" },
            if n == 1 { "it" } else { "them" },
        ),
        QuirkId::PlusOne => format!(
            "The script adds one pixel to widths and heights, which changed the verdict on {} in {names}.",
            counted(n, "detection")
        ),
    }
}
