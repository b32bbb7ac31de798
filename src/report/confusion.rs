//! What lesions are found as ([section 16](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::{Detections, GroundTruth};
use crate::protocol::{Class, PerClass};
use crate::run::Run;
use crate::score::confusion::{On, confusion};

/// What lesions are found as at the exact operating points of a rate: each lesion and each detection that counts is in one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ConfusionReport {
    /// The rate, in false positives per image.
    pub fp_per_image: f64,
    /// Lesions by class and what they are found as, then false positives; cells without any are left out.
    pub cells: Vec<ConfusionCellReport>,
}

/// Lesions of a class that are found as a class or not at all, or false positives of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ConfusionCellReport {
    /// `lesion`; `taken_lesion`, of false positives on lesions that are another detection's; or `background`, of those on no
    /// lesion of any class.
    pub on: On,
    /// The class of the lesions; `None` of false positives on none of their own.
    pub lesions_of: Option<String>,
    /// The class of the detections; `None` of lesions that nothing found.
    pub found_as: Option<String>,
    /// How many lesions, or detections.
    pub count: usize,
}

impl ConfusionCellReport {
    /// Every cell that holds something.
    pub(super) fn all(
        ground_truth: &GroundTruth,
        of_run: (&Run, &Detections),
        iou_threshold: f64,
        thresholds: &PerClass<Option<f32>>,
    ) -> Vec<Self> {
        let name = |class: Class| ground_truth.class_name(class).to_owned();
        let cells = confusion(ground_truth, of_run, iou_threshold, thresholds).into_iter();
        let report = |(cell, count): (crate::score::confusion::Cell, usize)| Self {
            on: cell.on,
            lesions_of: cell.lesions_of.map(name),
            found_as: cell.found_as.map(name),
            count,
        };
        cells.map(report).collect()
    }
}
