//! Detections and missed lesions as rows of a table.

use serde::Serialize;

use super::image::{ImageReport, OverlapReport};
use crate::diagnosis::{Category, Outcome, ScoreThresholds};
use crate::geometry::Measure;
use crate::options::Hit;
use crate::protocol::Protocol;

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
    /// Why; none of a true positive, nor of what is ignored.
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
    /// IoU from which a detection finds a lesion; none with another hit criterion.
    pub iou_threshold: Option<f64>,
    /// The class's score threshold at that rate: detections from it on count, and none if there is none.
    pub score_threshold: Option<f32>,
    /// The hit criterion, such as `iou:0.5`.
    pub hit: String,
}

/// Where a run is read.
#[derive(Debug, Clone, Copy)]
pub struct OperatingPoint<'a> {
    /// False positives per image.
    pub fp_per_image: f64,
    /// When a detection finds a lesion.
    pub hit: Hit,
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
        let missed =
            image.lesions.iter().filter(|lesion| lesion.category.outcome() == Outcome::MissedLesion).map(move |it| {
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
            cause: (!matches!(category, Category::TruePositive | Category::Ignored)).then_some(category),
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
            iou_threshold: (at.hit.measure() == Measure::Iou).then(|| at.hit.threshold()),
            hit: at.hit.id(),
            score_threshold: at.protocol.class_named(class).and_then(|class| at.thresholds[class]),
        }
    }
}
