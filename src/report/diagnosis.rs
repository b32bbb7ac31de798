//! Where the points go, as the page shows it.

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::confusion::ConfusionCellReport;
use crate::dataset::GroundTruth;
use crate::diagnosis::{Category, Diagnosis, ScoreThresholds, Tally};
use crate::run::Prepared;
use crate::score::mean;
use crate::score::official::Counts;

/// The counts of a run at score thresholds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct DiagnosisReport {
    /// One entry a class, in the official order.
    pub classes: Vec<ClassDiagnosis>,
    /// Mean of the classes' recall; classes without lesions are left out.
    pub mean_recall: Option<f64>,
    /// What each of the nine causes costs over all classes.
    pub mended: Vec<MendedReport>,
    /// What lesions are found as, and what false positives are on; cells without any are left out.
    pub confusion: Vec<ConfusionCellReport>,
}

/// The counts of a class at its score threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ClassDiagnosis {
    /// The official name.
    pub class: String,
    /// Detections from this score on count; none counts without one.
    pub threshold: Option<f64>,
    /// Lesions in all images.
    pub n_lesions: usize,
    /// Lesions found.
    pub true_positives: usize,
    /// Detections that count and find nothing.
    pub false_positives: usize,
    /// `false_positives` / images.
    pub fp_per_image: f64,
    /// `true_positives` / `n_lesions`.
    pub recall: Option<f64>,
    /// The five causes of false positives, then the four of missed lesions.
    pub causes: Vec<CauseReport>,
}

/// One cause in one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct CauseReport {
    /// The cause.
    pub category: Category,
    /// False positives, or missed lesions.
    pub count: usize,
    /// The recall without these false positives, or with these lesions found above all scores, at the same rate.
    pub recall_if_mended: Option<f64>,
}

/// One cause in all classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct MendedReport {
    /// The cause.
    pub category: Category,
    /// False positives, or missed lesions, of the classes with lesions: the others have no budget and no recall.
    pub count: usize,
    /// The mean recall if it were mended in every class.
    pub mean_recall: Option<f64>,
}

impl DiagnosisReport {
    /// Counts every class of a run.
    #[must_use]
    pub fn new(
        ground_truth: &GroundTruth,
        prepared: &Prepared,
        diagnosis: &Diagnosis,
        thresholds: &ScoreThresholds,
        fp_per_image: Option<f64>,
    ) -> Self {
        let run = &prepared.run;
        let of_run = (run, prepared.predictions.detections());
        let tallies: Vec<Tally> = ground_truth
            .classes()
            .map(|class| diagnosis.tally(ground_truth, run, class, thresholds, fp_per_image))
            .collect();
        let classes: Vec<ClassDiagnosis> = ground_truth
            .classes()
            .zip(&tallies)
            .map(|(class, tally)| {
                let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
                let found = tally.true_positives as f64;
                ClassDiagnosis {
                    class: ground_truth.class_name(class).to_owned(),
                    threshold: thresholds[class].map(f64::from),
                    n_lesions: counts.n_lesions,
                    true_positives: tally.true_positives,
                    false_positives: tally.false_positives,
                    fp_per_image: counts.per_image(tally.false_positives as u64),
                    recall: (counts.n_lesions > 0).then(|| found / counts.n_lesions as f64),
                    causes: causes(tally),
                }
            })
            .collect();
        let mended = Category::causes().enumerate().map(|(at, category)| MendedReport {
            category,
            count: tallies
                .iter()
                .zip(&classes)
                .filter(|(_, class)| class.n_lesions > 0)
                .map(|(it, _)| it.causes[at])
                .sum(),
            mean_recall: mean(tallies.iter().filter_map(|tally| tally.recall_if_mended[at])),
        });
        Self {
            mean_recall: mean(classes.iter().filter_map(|class| class.recall)),
            mended: mended.collect(),
            confusion: ConfusionCellReport::all(ground_truth, of_run, diagnosis.iou_threshold(), thresholds),
            classes,
        }
    }
}

fn causes(tally: &Tally) -> Vec<CauseReport> {
    let counted = Category::causes().zip(tally.causes).zip(tally.recall_if_mended);
    counted.map(|((category, count), recall_if_mended)| CauseReport { category, count, recall_if_mended }).collect()
}
