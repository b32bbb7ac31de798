//! Where the points go, as the page shows it.

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::GroundTruth;
use crate::diagnosis::{Category, Diagnosis, Outcome, ScoreThresholds, Tally, lesions_of};
use crate::geometry::{BBox, Extent, iou};
use crate::protocol::{Class, Protocol};
use crate::run::{Prepared, Run};
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
    /// Lesions of each class on which detections of each class count; pairs without any are left out.
    pub found_as: Vec<FoundAsReport>,
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

/// Lesions of one class on which detections of a class count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct FoundAsReport {
    /// The class of the lesions.
    pub lesions_of: String,
    /// The class of the detections; if it is the same, these lesions are found.
    pub found_as: String,
    /// How many lesions.
    pub count: usize,
    /// How many of them no detection of their own class finds.
    pub missed: usize,
}

/// An image with what became of its lesions and detections.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ImageReport {
    /// Place in the ground truth, from 0.
    pub image: u32,
    /// File name.
    pub name: String,
    /// Width in pixels to draw the boxes in: the ground truth does not say it, so 1024 as in ChestX-Det10, or more if a
    /// box reaches further.
    pub width: f32,
    /// Height in pixels, likewise.
    pub height: f32,
    /// Class by class, inside a class in file order.
    pub lesions: Vec<LesionReport>,
    /// In file order; boxes without a class are left out.
    pub detections: Vec<DetectionReport>,
}

/// A lesion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct LesionReport {
    /// The official name of its class.
    pub class: String,
    /// `x1`, `y1`, `x2`, `y2` in pixels.
    pub bbox: [f32; 4],
    /// `true_positive` if it is found, else why it is missed.
    pub category: Category,
    /// The score of the detection that finds it, whether that counts or not.
    pub score: Option<f32>,
    /// The box that explains the category: the detection that finds it or comes closest.
    pub overlaps: Option<OverlapReport>,
}

/// A detection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct DetectionReport {
    /// The official name of its class.
    pub class: String,
    /// `x1`, `y1`, `x2`, `y2` in pixels.
    pub bbox: [f32; 4],
    /// How sure the detector is.
    pub score: f32,
    /// Whether the score reaches the class's score threshold.
    pub counted: bool,
    /// What it is, or would be if it counted.
    pub category: Category,
    /// The lesion that it overlaps most: of its class, and if it is on none of those, of another.
    pub overlaps: Option<OverlapReport>,
}

/// What a box overlaps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct OverlapReport {
    /// Intersection over union.
    pub iou: f32,
    /// What it is.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "\"lesion\" | \"detection\""))]
    pub kind: &'static str,
    /// The official name of its class.
    pub class: String,
    /// `x1`, `y1`, `x2`, `y2` in pixels.
    pub bbox: [f32; 4],
}

/// A detection or a missed lesion, as one row of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorRow<'a> {
    /// Base name of the zip or folder.
    pub run: &'a str,
    /// File name of the image.
    pub image: &'a str,
    /// The official name of its class.
    pub class: &'a str,
    /// What it comes to.
    pub verdict: Outcome,
    /// Why; none of a true positive.
    pub cause: Option<Category>,
    /// Whether it counts at the operating point: always, of a missed lesion.
    pub counted: bool,
    /// How sure the detector is: of a missed lesion, the score of the detection that would find it.
    pub score: Option<f32>,
    /// Left edge.
    pub x1: f32,
    /// Upper edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Lower edge.
    pub y2: f32,
    /// Intersection over union with what explains it; none if it overlaps nothing.
    pub iou: Option<f32>,
    /// What that is: `lesion` or `detection`.
    pub iou_with: Option<&'static str>,
    /// Its class.
    pub iou_class: Option<&'a str>,
    /// Its left edge.
    pub iou_x1: Option<f32>,
    /// Its upper edge.
    pub iou_y1: Option<f32>,
    /// Its right edge.
    pub iou_x2: Option<f32>,
    /// Its lower edge.
    pub iou_y2: Option<f32>,
    /// False positives per image at which the run is read; none where every detection counts.
    pub fp_per_image: Option<f64>,
    /// Overlap from which a detection finds a lesion.
    pub iou_threshold: f64,
    /// The class's score threshold at that rate: detections from it on count, and none if there is none.
    pub score_threshold: Option<f32>,
}

/// Where a run is read.
#[derive(Debug, Clone, Copy)]
pub struct OperatingPoint<'a> {
    /// False positives per image.
    pub fp_per_image: f64,
    /// Overlap from which a detection finds a lesion.
    pub iou_threshold: f64,
    /// What the classes are.
    pub protocol: &'a Protocol,
    /// By class.
    pub thresholds: &'a ScoreThresholds,
}

impl<'a> ErrorRow<'a> {
    /// The detections of an image in file order, then its missed lesions.
    pub fn of_image(run: &'a str, at: OperatingPoint<'a>, image: &'a ImageReport) -> impl Iterator<Item = Self> {
        let detections = image.detections.iter().map(move |it| {
            let row = Self::new(run, at, image, &it.class, it.category, it.bbox, it.overlaps.as_ref());
            Self { counted: it.counted, score: Some(it.score), ..row }
        });
        let missed = image.lesions.iter().filter(|lesion| lesion.category != Category::TruePositive).map(move |it| {
            let row = Self::new(run, at, image, &it.class, it.category, it.bbox, it.overlaps.as_ref());
            Self { score: it.score, ..row }
        });
        detections.chain(missed)
    }

    fn new(
        run: &'a str,
        at: OperatingPoint<'a>,
        image: &'a ImageReport,
        class: &'a str,
        category: Category,
        [x1, y1, x2, y2]: [f32; 4],
        overlaps: Option<&'a OverlapReport>,
    ) -> Self {
        let corner = |at: usize| overlaps.map(|it| it.bbox[at]);
        Self {
            run,
            image: &image.name,
            class,
            verdict: category.outcome(),
            cause: (category != Category::TruePositive).then_some(category),
            counted: true,
            score: None,
            x1,
            y1,
            x2,
            y2,
            iou: overlaps.map(|it| it.iou),
            iou_with: overlaps.map(|it| it.kind),
            iou_class: overlaps.map(|it| it.class.as_str()),
            iou_x1: corner(0),
            iou_y1: corner(1),
            iou_x2: corner(2),
            iou_y2: corner(3),
            fp_per_image: Some(at.fp_per_image).filter(|rate| rate.is_finite()),
            iou_threshold: at.iou_threshold,
            score_threshold: at.protocol.class_named(class).and_then(|class| at.thresholds[class]),
        }
    }
}

/// Width and height of the images of ChestX-Det10, in pixels.
const SIDE: f32 = 1024.0;

impl DiagnosisReport {
    /// Counts every class of a run.
    #[must_use]
    pub fn new(
        ground_truth: &GroundTruth,
        run: &Run,
        diagnosis: &Diagnosis,
        thresholds: &ScoreThresholds,
        fp_per_image: Option<f64>,
    ) -> Self {
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
            found_as: found_as(ground_truth, diagnosis, thresholds),
            classes,
        }
    }
}

fn causes(tally: &Tally) -> Vec<CauseReport> {
    let counted = Category::causes().zip(tally.causes).zip(tally.recall_if_mended);
    counted.map(|((category, count), recall_if_mended)| CauseReport { category, count, recall_if_mended }).collect()
}

fn found_as(ground_truth: &GroundTruth, diagnosis: &Diagnosis, thresholds: &ScoreThresholds) -> Vec<FoundAsReport> {
    let table = diagnosis.found_as(thresholds);
    let names = ground_truth.protocol().class_names();
    let cells = names.iter().zip(table).flat_map(|(of, row)| {
        names.iter().zip(row).map(move |(by, cell)| FoundAsReport {
            lesions_of: of.clone(),
            found_as: by.clone(),
            count: cell.count,
            missed: cell.missed,
        })
    });
    cells.filter(|cell| cell.count > 0).collect()
}

impl ImageReport {
    /// Tells what became of the boxes of an image, by its place in the ground truth.
    #[must_use]
    pub fn new(
        ground_truth: &GroundTruth,
        prepared: &Prepared,
        diagnosis: &Diagnosis,
        thresholds: &ScoreThresholds,
        image: u32,
    ) -> Self {
        let at = image as usize;
        let here = lesions_of(ground_truth, at);
        let columns = prepared.predictions.detections();
        let detections: Vec<(Class, BBox, f32, Category)> = prepared
            .run
            .detections(at)
            .map(|at| at as usize)
            .filter_map(|at| {
                Some((prepared.run.class(columns, at)?, columns.bbox(at), columns.score(at), diagnosis.detection(at)))
            })
            .collect();
        let boxes = here.iter().map(|lesion| lesion.2).chain(detections.iter().map(|detection| detection.1));
        let (width, height) = boxes.fold((SIDE, SIDE), |(width, height), bbox| {
            (width.max(bbox.x1).max(bbox.x2), height.max(bbox.y1).max(bbox.y2))
        });
        let counted = |class: Class, score: f32| thresholds[class].is_some_and(|least| score >= least);
        let lesions = here.iter().map(|&(class, lesion, bbox)| {
            let category = diagnosis.lesion(class, lesion as usize, thresholds);
            let score = diagnosis.found_at(class, lesion as usize);
            let explains = |&&(of, _, other, what): &&(Class, BBox, f32, Category)| match category {
                Category::TruePositive | Category::OutRanked => {
                    of == class && what == Category::TruePositive && Some(other) == score
                }
                Category::SeenAsAnotherClass => of != class && counted(of, other),
                _ => of == class,
            };
            LesionReport {
                class: ground_truth.class_name(class).to_owned(),
                bbox: corners(bbox),
                category,
                score,
                overlaps: most(ground_truth, bbox, "detection", detections.iter().filter(explains).map(|d| (d.0, d.1))),
            }
        });
        let detections_report = detections.iter().map(|&(class, bbox, score, category)| {
            let is_own = category != Category::OnAnotherClass;
            let among = here.iter().filter(|lesion| (lesion.0 == class) == is_own).map(|lesion| (lesion.0, lesion.2));
            DetectionReport {
                class: ground_truth.class_name(class).to_owned(),
                bbox: corners(bbox),
                score,
                counted: counted(class, score),
                category,
                overlaps: most(ground_truth, bbox, "lesion", among).or_else(|| {
                    // On none of its class: what else is there.
                    most(ground_truth, bbox, "lesion", here.iter().map(|lesion| (lesion.0, lesion.2)))
                }),
            }
        });
        Self {
            image,
            name: ground_truth.images()[at].to_owned(),
            width,
            height,
            lesions: lesions.collect(),
            detections: detections_report.collect(),
        }
    }
}

fn corners(bbox: BBox) -> [f32; 4] {
    [bbox.x1, bbox.y1, bbox.x2, bbox.y2]
}

/// The first of the boxes with the greatest overlap; `None` if all are apart from it.
fn most(
    ground_truth: &GroundTruth,
    bbox: BBox,
    kind: &'static str,
    among: impl Iterator<Item = (Class, BBox)>,
) -> Option<OverlapReport> {
    let mut best: Option<OverlapReport> = None;
    for (class, other) in among {
        let overlap = iou(bbox, other, Extent::PlusOne);
        if overlap > best.as_ref().map_or(0.0, |best| best.iou) {
            best = Some(OverlapReport {
                iou: overlap,
                kind,
                class: ground_truth.class_name(class).to_owned(),
                bbox: corners(other),
            });
        }
    }
    best
}
