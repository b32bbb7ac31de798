//! One image with its boxes, as the page draws it.

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::GroundTruth;
use crate::diagnosis::{Category, Diagnosis, ScoreThresholds};
use crate::geometry::{BBox, ImageSize, iou};
use crate::protocol::Class;
use crate::run::Prepared;

/// An image with what became of its lesions and detections.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct ImageReport {
    /// Place in the ground truth, from 0.
    pub image: u32,
    /// File name.
    pub name: String,
    /// Width in pixels to draw the boxes in: that of the image, 1024 where the ground truth does not tell it, or more if a box
    /// reaches further.
    pub width: f32,
    /// Height in pixels, likewise.
    pub height: f32,
    /// Class by class, inside a class in file order; then those that are ignored.
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
    /// `true_positive` if it is found, `ignored` if it counts neither way, else why it is missed.
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
        let here: Vec<(Class, u32, BBox)> = ground_truth.lesions_in(at).collect();
        let columns = prepared.predictions.detections();
        let column = |at: u32| {
            let class = prepared.run.class(columns, at as usize)?;
            Some((at, class, columns.bbox(at as usize), columns.score(at as usize)))
        };
        let detections: Vec<(u32, Class, BBox, f32)> = prepared.run.detections(at).filter_map(column).collect();
        let ignored = ground_truth.ignored_in(at);
        let boxes = here.iter().map(|lesion| lesion.2).chain(detections.iter().map(|detection| detection.2));
        let boxes = boxes.chain(ignored.iter().map(|lesion| lesion.bbox.rounded()));
        let ImageSize { width, height } = ground_truth.size_of_image(at).unwrap_or(ImageSize::CHESTX_DET);
        let (width, height) = boxes.fold((width, height), |(width, height), bbox| {
            (width.max(bbox.x1).max(bbox.x2), height.max(bbox.y1).max(bbox.y2))
        });
        let counted = |class: Class, score: f32| thresholds[class].is_some_and(|least| score >= least);
        let most = |bbox, kind, among: &mut dyn Iterator<Item = (Class, BBox)>| {
            let named = among.map(|(class, bbox)| (ground_truth.class_name(class), bbox));
            most(ground_truth, bbox, kind, named)
        };
        let lesions = here.iter().map(|&(class, lesion, bbox)| {
            let category = diagnosis.lesion(class, lesion as usize, thresholds);
            let found_by = diagnosis.found_by(class, lesion as usize);
            let explains = |&&(at, of, _, score): &&(u32, Class, BBox, f32)| match category {
                Category::TruePositive | Category::OutRanked => Some(at) == found_by,
                Category::SeenAsAnotherClass => of != class && counted(of, score),
                _ => of == class,
            };
            LesionReport {
                class: ground_truth.class_name(class).to_owned(),
                bbox: corners(bbox),
                category,
                score: diagnosis.found_at(class, lesion as usize),
                overlaps: most(bbox, "detection", &mut detections.iter().filter(explains).map(|d| (d.1, d.2))),
            }
        });
        let ignored_lesions = ignored.iter().map(|lesion| {
            let bbox = lesion.bbox.rounded();
            let of_it = detections.iter().filter(|d| lesion.class.is_none_or(|class| class == d.1));
            LesionReport {
                class: lesion.class_name.to_string(),
                bbox: corners(bbox),
                category: Category::Ignored,
                score: None,
                overlaps: most(bbox, "detection", &mut of_it.map(|d| (d.1, d.2))),
            }
        });
        let detections_report = detections.iter().map(|&(at, class, bbox, score)| {
            let category = diagnosis.detection(at as usize);
            let is_own = category != Category::OnAnotherClass;
            let mut among =
                here.iter().filter(|lesion| (lesion.0 == class) == is_own).map(|lesion| (lesion.0, lesion.2));
            let beside = ignored.iter().filter(|lesion| lesion.class.is_none_or(|of| of == class));
            let beside = beside.map(|lesion| (&*lesion.class_name, lesion.bbox.rounded()));
            DetectionReport {
                class: ground_truth.class_name(class).to_owned(),
                bbox: corners(bbox),
                score,
                counted: counted(class, score),
                category,
                overlaps: match category {
                    Category::Ignored => self::most(ground_truth, bbox, "lesion", beside),
                    // On none of its class: what else is there.
                    _ => most(bbox, "lesion", &mut among)
                        .or_else(|| most(bbox, "lesion", &mut here.iter().map(|lesion| (lesion.0, lesion.2)))),
                },
            }
        });
        Self {
            image,
            name: ground_truth.images()[at].to_owned(),
            width,
            height,
            lesions: lesions.chain(ignored_lesions).collect(),
            detections: detections_report.collect(),
        }
    }
}

fn corners(bbox: BBox) -> [f32; 4] {
    [bbox.x1, bbox.y1, bbox.x2, bbox.y2]
}

/// The first of the boxes with the greatest measure of the protocol; `None` if there is nothing to find in any.
fn most<'a>(
    ground_truth: &GroundTruth,
    bbox: BBox,
    kind: &'static str,
    among: impl Iterator<Item = (&'a str, BBox)>,
) -> Option<OverlapReport> {
    let protocol = ground_truth.protocol();
    let mut best: Option<(f32, OverlapReport)> = None;
    for (class, other) in among {
        let (detection, lesion) = if kind == "lesion" { (bbox, other) } else { (other, bbox) };
        let reach = protocol.measure().of(detection, lesion, protocol.extent());
        if reach > best.as_ref().map_or(protocol.measure().nothing(), |(reach, _)| *reach) {
            let overlap = iou(detection, lesion, protocol.extent());
            // One of 0/0 is none.
            let iou = if overlap.is_nan() { 0.0 } else { overlap };
            best = Some((reach, OverlapReport { iou, kind, class: class.to_owned(), bbox: corners(other) }));
        }
    }
    best.map(|(_, report)| report)
}
