//! A run by the conventions that others publish their figures by ([section 11](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::statistics::{Analysis, AveragePrecisionReport};
use crate::score::published::{Figure, Figures, NO_BOXES, NO_LESIONS, NO_SCORES, Published, chestx_det10};

/// The figure of a run by one convention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct PublishedReport {
    /// The convention.
    pub id: Published,
    /// What it is called, such as `LUNA16`.
    pub name: String,
    /// What its figure is called, such as `CPM`.
    pub figure: String,
    /// The figure, 0..=1; `None` where it cannot be computed.
    pub value: Option<f64>,
    /// Why it cannot, in one sentence.
    pub none_because: Option<String>,
    /// When a detection finds a lesion.
    pub hit: String,
    /// What a further hit on a found lesion counts as.
    pub second_hits: String,
    /// How the figure is read off the curve.
    pub reading: String,
    /// The rates at which it is read, in false positives per image; none where it is read otherwise.
    pub fp_per_image: Vec<f64>,
    /// What the figure is taken over: the mean of classes, or all classes ranked together.
    pub over: String,
    /// The code or paper that says so, with its version.
    pub source: String,
}

impl PublishedReport {
    /// One entry a convention. `exact` is the mean average recall of the run, `precision` the mean average precision of the 100 highest
    /// scores of an image.
    pub(super) fn all(
        analysis: &Analysis<'_>,
        exact: Option<f64>,
        precision: Option<AveragePrecisionReport>,
    ) -> Vec<Self> {
        let Analysis { ground_truth, run, predictions, options, .. } = analysis;
        let figures = Figures::new(ground_truth, run, predictions.detections(), options.fp_per_image());
        let figure = |published: Published| -> Figure {
            match published {
                Published::ChestxDet10 => chestx_det10(ground_truth, run),
                Published::Exact => exact.ok_or(NO_LESIONS),
                Published::CocoAp50 => precision.map(|of| of.ap50).ok_or(NO_LESIONS),
                Published::CocoAp => precision.map(|of| of.ap50_95).ok_or(NO_LESIONS),
                Published::Luna16 => figures.luna16,
                Published::Nndetection => figures.nndetection,
                Published::Monai => figures.monai,
                Published::ObjectCxr => figures.object_cxr,
                Published::CocoFrocAnalysis => figures.coco_froc_analysis,
                Published::ChestxRay8 => Err(NO_SCORES),
                Published::PicaiEval => Err(NO_BOXES),
            }
        };
        let report = |id: Published| {
            let (facts, figure) = (id.facts(), figure(id));
            Self {
                id,
                name: facts.name.to_owned(),
                figure: facts.figure.to_owned(),
                value: figure.ok(),
                none_because: figure.err().map(str::to_owned),
                hit: facts.hit.to_owned(),
                second_hits: facts.second_hits.to_owned(),
                reading: facts.reading.to_owned(),
                fp_per_image: id.fp_per_image(options),
                over: facts.over.to_owned(),
                source: facts.source.to_owned(),
            }
        };
        Published::ALL.into_iter().map(report).collect()
    }
}
