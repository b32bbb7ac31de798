//! What a paper needs beside the score: intervals, curves with bands, other metrics, comparisons (sections 6 to 9).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::confusion::{ConfusionCellReport, ConfusionReport};
use super::operating::OperatingReport;
use super::published::PublishedReport;
use super::{CurveReport, all_defined, defined};
use crate::bootstrap::{self, Bootstrap, Figures, Interval, Row, Statistic, StratifiedBootstrap, Uncertainty};
use crate::compare::{Changes, Difference, Sides, holm};
use crate::curve::Curve;
use crate::dataset::{GroundTruth, Predictions};
use crate::geometry::Extent;
use crate::input::groups::{Groups, Source};
use crate::options::{DEFAULT_AREA_UP_TO, DEFAULT_BETA, DEFAULT_SPECIFICITY, Options, Resampling};
use crate::protocol::{Class, Protocol};
use crate::run::Run;
use crate::score::average_precision::{AveragePrecision, DEFAULT_MAX_DETECTIONS, average_precision};
use crate::score::conventions::{self, Convention, sweep_thresholds};
use crate::score::image_roc::ImageRoc;
use crate::score::official::Counts;
use crate::score::operating::HighestScores;
use crate::score::sizes::{Division, SizeGroup, by_size};
use crate::score::{ClassScore, average_recall, exact, mean, pooled_curve};

/// The name of the row of means.
pub const MEAN: &str = "mean";
/// The name of the row of all classes ranked together.
pub const POOLED: &str = "pooled";

/// How images were resampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct BootstrapReport {
    /// Name and version of the generator: [`bootstrap::GENERATOR`].
    pub generator: String,
    /// How often the images were drawn.
    pub replicates: u32,
    /// What the draws follow from.
    pub seed: u64,
    /// The share of replicates within an interval, such as 0.95.
    pub level: f64,
    /// What was drawn: images, or groups of them.
    pub groups: GroupsReport,
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct GroupsReport {
    /// `images`, `nih_names` or `csv`.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "\"images\" | \"nih_names\" | \"csv\""))]
    pub source: String,
    /// Base name of the file, for `csv`.
    pub name: Option<String>,
    /// SHA-256 of the file, for `csv`.
    pub sha256: Option<String>,
    /// How many groups there are.
    pub n_groups: usize,
}

/// What was computed of a run beside its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct StatisticsReport {
    /// The ten classes in the official order, then `mean`, then `pooled`.
    pub rows: Vec<RowReport>,
    /// Where the exact curve of each row lies on one grid of rates, with its band.
    pub curves: Vec<BandReport>,
    /// The exact curve of the mean over classes, at every step of each class.
    pub mean_curve: CurveReport,
    /// The score under four conventions; the first is that of the official script.
    pub conventions: Vec<ConventionReport>,
    /// The run by the conventions that others publish their figures by; none of a report that was written before there were any.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub published: Vec<PublishedReport>,
    /// Exact recall at IoU thresholds 0.1, 0.15, ..., 0.75.
    pub iou_sweep: Vec<IouReport>,
    /// What lesions are found as, one entry a rate; none of a report that was written before it was told.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub confusion: Vec<ConfusionReport>,
}

/// One class, the mean over classes, or all classes pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RowReport {
    /// Official name of the class, `mean` or `pooled`.
    pub name: String,
    /// Lesions of the class, or of all classes.
    pub n_lesions: usize,
    /// Exact recall at each rate.
    pub recall: Vec<EstimateReport>,
    /// Mean of the exact recall over the rates.
    pub average_recall: EstimateReport,
    /// Mean of the exact recall at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per image.
    pub recall_at_seven_rates: Option<f64>,
    /// Area under the exact curve up to `options.area_up_to`, divided by it, 0..=1.
    pub area: Option<f64>,
    /// As pycocotools computes it with `maxDets` set to `options.max_detections`; of `mean`, over the classes with lesions; of `pooled`, none.
    pub average_precision: Option<AveragePrecisionReport>,
    /// Whether an image holds a lesion of the class, told by its highest score; of `mean`, over the classes where it is
    /// defined; of `pooled`, none.
    pub image_roc: Option<ImageRocReport>,
    /// Lesions by size, small to large: thirds of each class, then COCO sizes. Of `mean`, none.
    pub sizes: Vec<SizeReport>,
    /// Figures of merit of observer studies; of `pooled`, none.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub observer: Option<ObserverReport>,
    /// Image sensitivity at `options.specificity`; of `pooled`, none.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub at_specificity: Option<AtSpecificityReport>,
    /// Operating characteristics; of `mean` and `pooled`, none.
    // Reports were written without it under the same version.
    #[cfg_attr(feature = "schema", schemars(skip_serializing_if = "Option::is_none"))]
    pub operating: Option<OperatingReport>,
}

/// Figures of merit of observer studies, in which images with lesions and images without are drawn apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ObserverReport {
    /// The area under the AFROC curve; of `mean`, over the classes where it is defined.
    pub afroc: EstimateReport,
    /// That of the weighted curve, in which every image with lesions counts alike.
    pub wafroc: EstimateReport,
}

/// Images told to hold a lesion of a class by a detection of it, at the lowest score threshold whose specificity is at least
/// `options.specificity`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct AtSpecificityReport {
    /// Share of the images with a lesion of the class in which a detection is shown, wherever; of `mean`, over the classes where it
    /// is defined. Replicates draw images with and without a lesion apart, and choose the threshold anew.
    pub sensitivity: EstimateReport,
    /// Share of the images without one in which none is shown; `None` of `mean`.
    pub specificity: Option<f64>,
    /// Detections scoring at least this are shown; `None` where nothing is, and of `mean`.
    pub score_threshold: Option<f32>,
}

/// A number and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct EstimateReport {
    /// The number, 0..=1; `None` without lesions.
    pub value: Option<f64>,
    /// Lower and upper end; `None` without a bootstrap or without lesions.
    pub interval: Option<[f64; 2]>,
    /// Replicates left out because they hold no lesion of the class; `None` without a bootstrap.
    pub n_without_lesions: Option<usize>,
}

/// Average precision as pycocotools computes it from the numbers of the files, each in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct AveragePrecisionReport {
    /// At IoU threshold 0.5.
    pub ap50: f64,
    /// At IoU threshold 0.75.
    pub ap75: f64,
    /// Mean over the IoU thresholds 0.50, 0.55, ..., 0.95.
    pub ap50_95: f64,
}

/// Image-level ROC of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ImageRocReport {
    /// Area under the curve, 0..=1, as scikit-learn computes it; `None` where only one label occurs.
    pub area: Option<f64>,
    /// `DeLong`: area minus and plus 1.96 standard errors, clipped to 0..=1. `None` for the mean.
    pub interval: Option<[f64; 2]>,
    /// Images with a lesion of the class; `None` for the mean.
    pub n_positive: Option<usize>,
}

/// Lesions of one size, with all detections in play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct SizeReport {
    /// `thirds` (of the class's own lesions) or `coco` (areas below 32 x 32, below 96 x 96, and above).
    #[cfg_attr(target_arch = "wasm32", tsify(type = "\"thirds\" | \"coco\""))]
    pub division: String,
    /// `small`, `medium` or `large`.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "\"small\" | \"medium\" | \"large\""))]
    pub size: String,
    /// Lesions of that size.
    pub n_lesions: usize,
    /// Those found by any detection.
    pub n_found: usize,
    /// Found lesions / lesions.
    pub recall: Option<f64>,
    /// Least and greatest area, in square pixels.
    pub areas: Option<[f32; 2]>,
}

/// The exact curve of a row on the grid of rates. The arrays are of equal length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct BandReport {
    /// Official name of the class, `mean` (the macro curve) or `pooled`.
    pub name: String,
    /// False positives per image, rising: those of the options, and 0.01 to 10, twenty a decade ([`bootstrap::grid`]).
    pub fp_per_image: Vec<f64>,
    /// Exact recall there, 0..=1.
    pub recall: Vec<Option<f64>>,
    /// Pointwise bootstrap interval, at the rates of the options the one of the row; `None` without a bootstrap or without
    /// lesions. Nothing is known between two rates.
    pub interval: Vec<Option<[f64; 2]>>,
}

/// The score under one convention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ConventionReport {
    /// Whether a pixel is added to widths and heights, as the official script does.
    pub plus_one: bool,
    /// Whether a second box on a found lesion is ignored; the official script counts it as a false positive.
    pub ignores_second_boxes: bool,
    /// Mean official recall at each rate.
    pub official_recall: Vec<Option<f64>>,
    /// Mean of `official_recall`.
    pub official_average_recall: Option<f64>,
    /// Mean exact recall at each rate.
    pub exact_recall: Vec<Option<f64>>,
    /// Mean of `exact_recall`.
    pub exact_average_recall: Option<f64>,
}

/// Exact recall at one IoU threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct IouReport {
    /// Least overlap with which a detection finds a lesion.
    pub iou_threshold: f64,
    /// Mean over classes at each rate.
    pub recall: Vec<Option<f64>>,
    /// Mean of `recall`.
    pub average_recall: Option<f64>,
    /// Mean over the rates of each class, in the official order.
    pub class_average_recall: Vec<Option<f64>>,
}

/// Another run against the baseline, on the same draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ComparisonReport {
    /// Place of the baseline among `runs`.
    pub baseline: usize,
    /// Place of the other run among `runs`.
    pub other: usize,
    /// The ten classes in the official order, then `mean`, then `pooled`.
    pub rows: Vec<DifferenceRowReport>,
    /// What changed sides, one entry a rate.
    pub changes: Vec<ChangesReport>,
}

/// The differences of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct DifferenceRowReport {
    /// Official name of the class, `mean` or `pooled`.
    pub name: String,
    /// Difference of exact recall at each rate; `None` without lesions.
    pub recall: Vec<Option<DifferenceReport>>,
    /// Difference of the mean over the rates.
    pub average_recall: Option<DifferenceReport>,
}

/// Other minus baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct DifferenceReport {
    /// On the sample itself, -1..=1.
    pub value: f64,
    /// Percentiles of the differences of the replicates.
    pub interval: [f64; 2],
    /// Two-sided, above 0, at most 1; at least 2 / (replicates + 1).
    pub p: f64,
    /// `p` adjusted by Holm's method over the classes with lesions; `None` for `mean` and `pooled`, which are not adjusted.
    pub p_holm: Option<f64>,
    /// Replicates left out because they hold no lesion of the class.
    pub n_without_lesions: usize,
}

/// What changed sides at one rate, each run read at its own exact operating points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ChangesReport {
    /// The rate, in false positives per image.
    pub fp_per_image: f64,
    /// Classes with lesions.
    pub classes: SidesReport,
    /// Images with lesions, of any class.
    pub images: SidesReport,
    /// Lesions.
    pub lesions: SidesReport,
}

/// How many changed sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct SidesReport {
    /// Where the other run finds more lesions.
    pub gained: usize,
    /// Where the baseline finds more.
    pub lost: usize,
    /// Where both find as many.
    pub unchanged: usize,
}

/// The image-level ROC curve of a class. The arrays are of equal length; the first point is (0, 0).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RocCurveReport {
    /// Share of the images without a lesion of the class that are taken, 0..=1.
    pub false_positive_rate: Vec<f64>,
    /// Share of the images with one that are taken, 0..=1.
    pub true_positive_rate: Vec<f64>,
    /// Images whose highest score is at least this are taken; `None` for the first point, and where images without
    /// detections are taken too.
    pub score_threshold: Vec<Option<f64>>,
    /// The area and its interval.
    pub summary: ImageRocReport,
}

/// What to compute beside the score.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The rate up to which areas are taken, in false positives per image, above 0.
    pub area_up_to: f64,
    /// As many detections of a class in one image count in average precision, those with the highest scores: in pycocotools
    /// `maxDets`, [`DEFAULT_MAX_DETECTIONS`] as it comes. Above 0.
    pub max_detections: u32,
    /// How much more recall weighs than precision in F-scores, above 0: [`DEFAULT_BETA`] as it comes.
    pub beta: f64,
    /// The least image specificity at which sensitivity is read, above 0 and up to 1:
    /// [`DEFAULT_SPECIFICITY`] as it comes.
    pub specificity: f64,
    /// Finished bootstraps of the same runs in the same order.
    pub uncertainty: Option<&'a Uncertainty>,
    /// The run that all others are compared with, by its place; it needs the bootstraps.
    pub baseline: Option<usize>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            area_up_to: DEFAULT_AREA_UP_TO,
            max_detections: DEFAULT_MAX_DETECTIONS,
            beta: DEFAULT_BETA,
            specificity: DEFAULT_SPECIFICITY,
            uncertainty: None,
            baseline: None,
        }
    }
}

impl BootstrapReport {
    /// How a bootstrap was drawn.
    #[must_use]
    pub fn new(bootstrap: &Bootstrap) -> Self {
        let resampling = bootstrap.resampling();
        Self {
            generator: bootstrap::GENERATOR.to_owned(),
            replicates: resampling.replicates(),
            seed: resampling.seed(),
            level: resampling.level(),
            groups: GroupsReport::from(bootstrap.groups()),
        }
    }
}

impl From<&Groups> for GroupsReport {
    fn from(groups: &Groups) -> Self {
        let (source, file) = match groups.source() {
            Source::Images => ("images", None),
            Source::NihNames => ("nih_names", None),
            Source::Csv { name, sha256 } => ("csv", Some((name.clone(), sha256.clone()))),
        };
        let (name, sha256) = file.unzip();
        Self { source: source.to_owned(), name, sha256, n_groups: groups.n_groups() }
    }
}

/// The rows, in the order in which they are reported.
fn rows(protocol: &Protocol) -> impl Iterator<Item = (Row, &str)> {
    let classes = protocol.classes().map(|class| (Row::Class(class), protocol.class_name(class)));
    classes.chain([(Row::Mean, MEAN), (Row::Pooled, POOLED)])
}

/// The row of that name: a class, `mean` or `pooled`.
pub(crate) fn row_named(protocol: &Protocol, name: &str) -> Option<Row> {
    rows(protocol).find(|(_, other)| *other == name).map(|(row, _)| row)
}

/// A run, and what is needed to compute its statistics.
pub(crate) struct Analysis<'a> {
    pub(crate) ground_truth: &'a GroundTruth,
    pub(crate) run: &'a Run,
    pub(crate) predictions: &'a Predictions,
    pub(crate) classes: &'a [ClassScore],
    pub(crate) options: &'a Options,
}

impl StatisticsReport {
    /// The statistics of the run at place `at`.
    pub(crate) fn new(analysis: &Analysis<'_>, at: usize, wanted: Wanted<'_>) -> Self {
        let pooled = analysis.pooled();
        let curves: Vec<(&Curve, Counts)> =
            analysis.classes.iter().map(|class| (&class.curve, class.counts)).chain([(&pooled.0, pooled.1)]).collect();
        let rows = analysis.rows(&curves, at, wanted);
        Self {
            published: analysis.published(&rows, wanted),
            rows,
            mean_curve: CurveReport::of_mean(&curves[..analysis.classes.len()]),
            curves: bands(analysis, &curves, at, wanted.uncertainty),
            conventions: analysis.conventions(),
            iou_sweep: analysis.iou_sweep(),
            confusion: analysis.confusion(),
        }
    }
}

/// A value of each class and, last, of the pooled row, with the mean over the classes put before it.
fn with_mean(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let (classes, pooled) = values.split_at(values.len().saturating_sub(1));
    let over_classes = mean(classes.iter().copied().flatten());
    classes.iter().copied().chain([over_classes]).chain(pooled.iter().copied()).collect()
}

fn bands(
    analysis: &Analysis<'_>,
    curves: &[(&Curve, Counts)],
    at: usize,
    uncertainty: Option<&Uncertainty>,
) -> Vec<BandReport> {
    let options = analysis.options.fp_per_image();
    let grid: Vec<f64> = bootstrap::grid().collect();
    let mut rates: Vec<f64> = grid.iter().chain(options).copied().collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let read = |rate: f64| {
        let of = |(curve, counts): &(&Curve, Counts)| {
            exact::recall(exact::operating_points(curve, *counts, &[rate])[0], *counts)
        };
        with_mean(&curves.iter().map(of).collect::<Vec<_>>())
    };
    let recall: Vec<Vec<Option<f64>>> = rates.iter().map(|rate| read(*rate)).collect();
    let band = |(place, (row, name)): (usize, (Row, &str))| {
        let place_in = |rates: &[f64], rate: f64| rates.iter().position(|other| other.total_cmp(&rate).is_eq());
        let interval = |rate: f64| {
            let of = |bootstrap: &Bootstrap, rate| Some(bootstrap.interval(at, row, Statistic::Recall(rate))?.ends);
            match (uncertainty?, place_in(options, rate)) {
                (both, Some(rate)) => of(both.intervals(), rate),
                (both, None) => of(both.bands(), place_in(&grid, rate)?),
            }
        };
        BandReport {
            name: name.to_owned(),
            recall: recall.iter().map(|at_rate| at_rate[place]).collect(),
            interval: rates.iter().map(|rate| interval(*rate)).collect(),
            fp_per_image: rates.clone(),
        }
    };
    rows(analysis.ground_truth.protocol()).enumerate().map(band).collect()
}

impl Analysis<'_> {
    fn pooled(&self) -> (Curve, Counts) {
        let n_lesions = self.classes.iter().map(|class| class.counts.n_lesions).sum();
        let curve = pooled_curve(self.ground_truth, self.run, self.options.iou_threshold());
        (curve, Counts { n_lesions, n_images: self.ground_truth.n_images() })
    }

    fn rows(&self, curves: &[(&Curve, Counts)], at: usize, wanted: Wanted<'_>) -> Vec<RowReport> {
        let rates = self.options.fp_per_image();
        let of_rows = |of: &dyn Fn(&Curve, Counts) -> Option<f64>| {
            with_mean(&curves.iter().map(|(curve, counts)| of(curve, *counts)).collect::<Vec<_>>())
        };
        let recall: Vec<Vec<Option<f64>>> = rates
            .iter()
            .map(|rate| {
                let rate = std::slice::from_ref(rate);
                of_rows(&|curve, counts| exact::recall(exact::operating_points(curve, counts, rate)[0], counts))
            })
            .collect();
        let seven = of_rows(&|curve, counts| exact::mean_recall(curve, counts, &exact::SEVEN_RATES));
        let area = of_rows(&|curve, counts| exact::area(curve, counts, wanted.area_up_to));
        let mut precisions = self.average_precisions(wanted.max_detections).into_iter();
        let mut rocs = self.image_rocs().into_iter();
        let of_both_kinds = self.of_both_kinds(at, wanted);
        let all_lesions = curves.last().map_or(0, |(_, counts)| counts.n_lesions);
        let row = |(place, (row, name)): (usize, (Row, &str))| {
            let estimate = |value: Option<f64>, statistic: Statistic| {
                EstimateReport::new(value, wanted.uncertainty, |bootstrap| bootstrap.interval(at, row, statistic))
            };
            let of_row: Vec<Option<f64>> = recall.iter().map(|at_rate| at_rate[place]).collect();
            RowReport {
                name: name.to_owned(),
                n_lesions: self.classes.get(place).map_or(all_lesions, |class| class.counts.n_lesions),
                average_recall: estimate(average_recall(&of_row), Statistic::Average),
                recall: (0..).zip(of_row).map(|(rate, value)| estimate(value, Statistic::Recall(rate))).collect(),
                recall_at_seven_rates: seven[place],
                area: area[place],
                average_precision: precisions.next().flatten(),
                image_roc: rocs.next(),
                sizes: self.sizes(row),
                observer: of_both_kinds.get(place).map(|both| both.0),
                at_specificity: of_both_kinds.get(place).map(|both| both.1),
                operating: self.operating(row, wanted.beta),
            }
        };
        rows(self.ground_truth.protocol()).enumerate().map(row).collect()
    }

    /// Of each class, then the mean.
    fn average_precisions(&self, max_detections: u32) -> Vec<Option<AveragePrecisionReport>> {
        let detections = self.predictions.detections();
        let of_class = |class| average_precision(self.ground_truth, self.run, detections, class, max_detections);
        let classes: Vec<Option<AveragePrecision>> = self.ground_truth.classes().map(of_class).collect();
        let over = |of: fn(&AveragePrecision) -> f64| mean(classes.iter().flatten().map(of));
        let means = (over(|ap| ap.ap50), over(|ap| ap.ap75), over(|ap| ap.ap50_95));
        let means = match means {
            (Some(ap50), Some(ap75), Some(ap50_95)) => Some(AveragePrecision { ap50, ap75, ap50_95 }),
            _ => None,
        };
        let report =
            |ap: AveragePrecision| AveragePrecisionReport { ap50: ap.ap50, ap75: ap.ap75, ap50_95: ap.ap50_95 };
        classes.iter().copied().chain([means]).map(|ap| ap.map(report)).collect()
    }

    /// Of each class, then the mean.
    fn image_rocs(&self) -> Vec<ImageRocReport> {
        let of_class = |class| {
            ImageRocReport::from(&ImageRoc::new(self.ground_truth, self.run, self.predictions.detections(), class))
        };
        let mut rocs: Vec<ImageRocReport> = self.ground_truth.classes().map(of_class).collect();
        let area = mean(rocs.iter().filter_map(|roc| roc.area));
        rocs.push(ImageRocReport { area, interval: None, n_positive: None });
        rocs
    }

    /// Figures that need images with lesions and images without: of each class, then the mean; `at` is the place of the run in the
    /// bootstraps.
    fn of_both_kinds(&self, at: usize, wanted: Wanted<'_>) -> Vec<(ObserverReport, AtSpecificityReport)> {
        let (groups, options) = (Groups::images(self.ground_truth), (self.options, wanted.specificity));
        // One of another specificity has no figures of this one.
        let is_of_it = |drawn: &&StratifiedBootstrap| drawn.specificity().total_cmp(&wanted.specificity).is_eq();
        let drawn = wanted.uncertainty.map(Uncertainty::stratified).filter(is_of_it);
        let alone =
            || StratifiedBootstrap::new(self.ground_truth, &[self.run], options, Resampling::default(), &groups);
        let (bootstrap, at) = drawn.map_or_else(|| (Cow::Owned(alone()), 0), |drawn| (Cow::Borrowed(drawn), at));
        let estimate = |row: Row, figure: fn(&Figures) -> f64| {
            let value = bootstrap.estimate(at, row).as_ref().map(figure);
            let found = bootstrap.interval(at, row, figure);
            let n_left_out = found.map_or(bootstrap.done() as usize, |found| found.n_without_lesions);
            let n_without_lesions = drawn.map(|_| n_left_out);
            EstimateReport { value, interval: found.map(|found| found.ends), n_without_lesions }
        };
        let images: Vec<u32> = (0..).take(self.ground_truth.n_images()).collect();
        let report = |row: Row| {
            let reached = match row {
                Row::Class(class) => HighestScores::new(self.ground_truth, self.run, class, &images)
                    .at_specificity(wanted.specificity, &vec![1; images.len()]),
                _ => None,
            };
            let observer = ObserverReport {
                afroc: estimate(row, |of| of.observer.afroc),
                wafroc: estimate(row, |of| of.observer.wafroc),
            };
            let at_specificity = AtSpecificityReport {
                sensitivity: estimate(row, |of| of.sensitivity),
                specificity: reached.map(|at| at.specificity),
                score_threshold: reached.and_then(|at| at.score_threshold),
            };
            (observer, at_specificity)
        };
        self.ground_truth.classes().map(Row::Class).chain([Row::Mean]).map(report).collect()
    }

    fn sizes(&self, row: Row) -> Vec<SizeReport> {
        let iou_threshold = self.options.iou_threshold();
        let of =
            |division: Division, class: Class| by_size(self.ground_truth, self.run, class, iou_threshold, division);
        let of_division = |(division, name): (Division, &str)| {
            let groups = match row {
                Row::Class(class) => of(division, class),
                Row::Pooled => {
                    let classes = self.ground_truth.classes();
                    classes.map(|class| of(division, class)).fold(<[SizeGroup; 3]>::default(), joined)
                }
                Row::Mean => return Vec::new(),
            };
            let report = |(group, size): (SizeGroup, &str)| SizeReport {
                division: name.to_owned(),
                size: size.to_owned(),
                n_lesions: group.n_lesions,
                n_found: group.n_found,
                recall: group.recall(),
                areas: group.areas,
            };
            groups.into_iter().zip(["small", "medium", "large"]).map(report).collect::<Vec<_>>()
        };
        // COCO's limits are in pixels.
        let coco = (!self.ground_truth.is_in_fractions()).then_some((Division::Coco, "coco"));
        std::iter::once((Division::Thirds, "thirds")).chain(coco).flat_map(of_division).collect()
    }

    fn operating(&self, row: Row, beta: f64) -> Option<OperatingReport> {
        let Row::Class(class) = row else { return None };
        let score = self.classes.get(class.index())?;
        Some(OperatingReport::new(
            self.ground_truth,
            (self.run, self.predictions),
            (class, score),
            (self.options, beta),
        ))
    }

    fn confusion(&self) -> Vec<ConfusionReport> {
        let at_rate = |(at, fp_per_image): (usize, &f64)| {
            let threshold = |class: Class| self.classes[class.index()].exact[at].score_threshold;
            let thresholds = self.ground_truth.per_class(threshold);
            let of_run = (self.run, self.predictions.detections());
            let cells = ConfusionCellReport::all(self.ground_truth, of_run, self.options.iou_threshold(), &thresholds);
            ConfusionReport { fp_per_image: *fp_per_image, cells }
        };
        self.options.fp_per_image().iter().enumerate().map(at_rate).collect()
    }

    fn conventions(&self) -> Vec<ConventionReport> {
        let report = |convention: Convention| {
            let scores = conventions::scores(self.ground_truth, self.run, self.options, convention);
            let (mut official, exact) = (scores.official_recall(), scores.exact_recall());
            if !self.ground_truth.protocol().has_script() {
                official.fill(None);
            }
            ConventionReport {
                plus_one: convention.extent == Extent::PlusOne,
                ignores_second_boxes: convention.ignores_second_boxes,
                official_average_recall: average_recall(&official).and_then(defined),
                official_recall: all_defined(&official),
                exact_average_recall: average_recall(&exact),
                exact_recall: exact,
            }
        };
        Convention::ALL.into_iter().map(report).collect()
    }

    /// `rows` are those of the run.
    fn published(&self, rows: &[RowReport], wanted: Wanted<'_>) -> Vec<PublishedReport> {
        let means = rows.iter().find(|row| row.name == MEAN);
        let precision = match means.and_then(|row| row.average_precision) {
            own if wanted.max_detections == DEFAULT_MAX_DETECTIONS => own,
            _ => self.average_precisions(DEFAULT_MAX_DETECTIONS).pop().flatten(),
        };
        let exact = means.and_then(|row| row.average_recall.value);
        PublishedReport::all(self, exact, precision)
    }

    fn iou_sweep(&self) -> Vec<IouReport> {
        let scores = conventions::sweep(self.ground_truth, self.run, self.options);
        let report = |(iou_threshold, scores): (f64, conventions::Scores)| {
            let recall = scores.exact_recall();
            IouReport {
                iou_threshold,
                average_recall: average_recall(&recall),
                recall,
                class_average_recall: scores.exact_averages(),
            }
        };
        sweep_thresholds().zip(scores).map(report).collect()
    }
}

/// The lesions of two classes together, size by size.
fn joined(a: [SizeGroup; 3], b: [SizeGroup; 3]) -> [SizeGroup; 3] {
    let areas = |a: SizeGroup, b: SizeGroup| match (a.areas, b.areas) {
        (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
        (one, other) => one.or(other),
    };
    std::array::from_fn(|at| SizeGroup {
        n_lesions: a[at].n_lesions + b[at].n_lesions,
        n_found: a[at].n_found + b[at].n_found,
        areas: areas(a[at], b[at]),
    })
}

impl EstimateReport {
    fn new(
        value: Option<f64>,
        uncertainty: Option<&Uncertainty>,
        interval: impl Fn(&Bootstrap) -> Option<Interval>,
    ) -> Self {
        let bootstrap = uncertainty.map(Uncertainty::intervals);
        let found = bootstrap.and_then(interval);
        // No interval: every replicate lacks lesions.
        let left_out = |bootstrap: &Bootstrap| found.map_or(bootstrap.done() as usize, |found| found.n_without_lesions);
        Self { value, interval: found.map(|found| found.ends), n_without_lesions: bootstrap.map(left_out) }
    }
}

impl From<&ImageRoc> for ImageRocReport {
    fn from(roc: &ImageRoc) -> Self {
        Self { area: roc.area, interval: roc.interval, n_positive: Some(roc.n_positive) }
    }
}

impl From<&ImageRoc> for RocCurveReport {
    fn from(roc: &ImageRoc) -> Self {
        let share = |count: u32, of: usize| f64::from(count) / of.max(1) as f64;
        Self {
            false_positive_rate: roc.points.iter().map(|point| share(point.false_positives, roc.n_negative)).collect(),
            true_positive_rate: roc.points.iter().map(|point| share(point.true_positives, roc.n_positive)).collect(),
            score_threshold: roc.points.iter().map(|point| point.score_threshold).collect(),
            summary: ImageRocReport::from(roc),
        }
    }
}

impl ComparisonReport {
    /// Every other run against the baseline.
    pub(crate) fn all(
        ground_truth: &GroundTruth,
        runs: &[&Run],
        options: &Options,
        bootstrap: &Bootstrap,
        baseline: usize,
    ) -> Vec<Self> {
        let Some(base) = runs.get(baseline) else { return Vec::new() };
        let compared = runs.iter().enumerate().filter(|(other, _)| *other != baseline);
        let compare = |(other, run): (usize, &&Run)| Self {
            baseline,
            other,
            rows: difference_rows(ground_truth.protocol(), bootstrap, [baseline, other]),
            changes: Changes::new(ground_truth, [base, run], options)
                .into_iter()
                .zip(options.fp_per_image())
                .map(|(changes, fp_per_image)| ChangesReport {
                    fp_per_image: *fp_per_image,
                    classes: changes.classes.into(),
                    images: changes.images.into(),
                    lesions: changes.lesions.into(),
                })
                .collect(),
        };
        compared.map(compare).collect()
    }
}

fn difference_rows(protocol: &Protocol, bootstrap: &Bootstrap, runs: [usize; 2]) -> Vec<DifferenceRowReport> {
    let differences = |statistic| differences(protocol, bootstrap, runs, statistic);
    let mut recall: Vec<Vec<Option<DifferenceReport>>> =
        (0..bootstrap.fp_per_image().len()).map(|rate| differences(Statistic::Recall(rate))).collect();
    let averages = differences(Statistic::Average);
    let row = |(place, ((_, name), average_recall)): (usize, ((Row, &str), Option<DifferenceReport>))| {
        let recall = recall.iter_mut().map(|at_rate| at_rate[place].take()).collect();
        DifferenceRowReport { name: name.to_owned(), recall, average_recall }
    };
    rows(protocol).zip(averages).enumerate().map(row).collect()
}

/// One statistic of every row, with Holm's adjustment over the classes.
fn differences(
    protocol: &Protocol,
    bootstrap: &Bootstrap,
    runs: [usize; 2],
    statistic: Statistic,
) -> Vec<Option<DifferenceReport>> {
    let found: Vec<(Row, Option<Difference>)> =
        rows(protocol).map(|(row, _)| (row, Difference::new(bootstrap, runs, row, statistic))).collect();
    let is_class = |row: Row| matches!(row, Row::Class(_));
    let of_classes = found.iter().filter(|(row, _)| is_class(*row));
    let p: Vec<f64> = of_classes.filter_map(|(_, difference)| Some(difference.as_ref()?.p)).collect();
    let mut adjusted = holm(&p).into_iter();
    let report = |(row, difference): (Row, Option<Difference>)| {
        let difference = difference?;
        Some(DifferenceReport {
            value: difference.estimate,
            interval: difference.interval.ends,
            p: difference.p,
            p_holm: if is_class(row) { adjusted.next() } else { None },
            n_without_lesions: difference.interval.n_without_lesions,
        })
    };
    found.into_iter().map(report).collect()
}

impl From<Sides> for SidesReport {
    fn from(sides: Sides) -> Self {
        Self { gained: sides.gained, lost: sides.lost, unchanged: sides.unchanged }
    }
}
