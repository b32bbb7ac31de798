//! What several runs would be as one: weighted boxes fusion ([section 18](crate::metric)).
//!
//! The method is that of Solovyev, Wang and Gabruseva 2021, *Weighted boxes fusion: Ensembling boxes from different object detection
//! models* (Image and Vision Computing 107, 104117).

use std::cmp::Ordering;
use std::sync::Arc;

use crate::dataset::{Detections, GroundTruth, PredictionFile, PredictionFiles, Predictions};
use crate::error::{Error, ErrorKind};
use crate::geometry::{Extent, FileBox};
use crate::limits::{MAX_ROWS, MAX_SUPPRESSED_OF_IMAGE};
use crate::protocol::Class;
use crate::reading::{Fused, FusedRun, Reading};
use crate::run::{Prepared, Run};

/// Boxes are one from an IoU above this on, unless another number is set: the authors' default.
pub const DEFAULT_IOU: f64 = 0.55;

/// A box with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Where it is: its corners in order.
    pub bbox: FileBox,
    /// How sure, 0 or more.
    pub score: f64,
}

/// The boxes of one class in one image of so many runs as fewer: by falling score, equal ones by their corners, the lesser first.
///
/// The order of `boxes`, and so that of the runs, decides nothing. Those without an area are left out.
///
/// ```
/// use froc::fusion::{DEFAULT_IOU, Scored, fuse_boxes};
/// use froc::geometry::FileBox;
/// let of = |x1, score| Scored { bbox: FileBox { x1, y1: 0.0, x2: x1 + 10.0, y2: 10.0 }, score };
/// // Two runs agree on one box, 2 to the right for the second; one of them has another.
/// let fused = fuse_boxes(vec![of(0.0, 0.75), of(50.0, 0.5), of(2.0, 0.25)], 2, DEFAULT_IOU);
/// assert_eq!(fused, [of(0.5, 0.5), of(50.0, 0.25)]);
/// ```
#[must_use]
pub fn fuse_boxes(mut boxes: Vec<Scored>, n_runs: usize, iou_threshold: f64) -> Vec<Scored> {
    boxes.retain(|one| one.bbox.x1 < one.bbox.x2 && one.bbox.y1 < one.bbox.y2);
    boxes.sort_unstable_by(by_score);
    let mut clusters: Vec<Cluster> = Vec::new();
    for one in boxes {
        let mut best: Option<(usize, f64)> = None;
        for (at, cluster) in clusters.iter().enumerate() {
            let iou = cluster.bbox.iou(one.bbox);
            if iou > best.map_or(iou_threshold, |(_, greatest)| greatest) {
                best = Some((at, iou));
            }
        }
        match best {
            Some((at, _)) => clusters[at].add(one),
            None => clusters.push(Cluster::new(one)),
        }
    }
    let mut fused: Vec<Scored> = clusters.into_iter().map(|cluster| cluster.fused(n_runs)).collect();
    fused.sort_unstable_by(by_score);
    fused
}

/// By falling score, then by the corners: what is equal by it is the same.
fn by_score(a: &Scored, b: &Scored) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.bbox.by_corners(b.bbox))
}

/// Boxes that are taken for one.
struct Cluster {
    /// Their mean so far, weighted by score.
    bbox: FileBox,
    /// The sum of score times corners.
    weighted: FileBox,
    /// The sum of their scores.
    scores: f64,
    n: usize,
}

impl Cluster {
    fn new(Scored { bbox, score }: Scored) -> Self {
        let weighted = FileBox { x1: score * bbox.x1, y1: score * bbox.y1, x2: score * bbox.x2, y2: score * bbox.y2 };
        Self { bbox, weighted, scores: score, n: 1 }
    }

    fn add(&mut self, Scored { bbox, score }: Scored) {
        let sum = &mut self.weighted;
        sum.x1 += score * bbox.x1;
        sum.y1 += score * bbox.y1;
        sum.x2 += score * bbox.x2;
        sum.y2 += score * bbox.y2;
        self.scores += score;
        self.n += 1;
        // All of score 0 have no mean: the first one stays.
        if self.scores > 0.0 {
            let of = self.scores;
            self.bbox = FileBox { x1: sum.x1 / of, y1: sum.y1 / of, x2: sum.x2 / of, y2: sum.y2 / of };
        }
    }

    fn fused(&self, n_runs: usize) -> Scored {
        let score = self.scores / self.n as f64 * self.n.min(n_runs) as f64 / n_runs as f64;
        Scored { bbox: self.bbox, score }
    }
}

/// Runs that were made for that ground truth as one more, which has a file for each image and what the ground truth lists as classes.
/// How its parts are read, and what is wrong with their files, is told of these; it has no findings and no SHA-256 of its own.
///
/// # Errors
/// If the threshold is no IoU, a score is below 0, an image has too many boxes of a class, or there is no memory.
pub fn fuse(ground_truth: &GroundTruth, runs: &[&Prepared], iou_threshold: f64) -> Result<Prepared, Error> {
    checked(iou_threshold)?;
    let fused_run = |part: &&Prepared| FusedRun { name: part.run.name().to_owned(), highest_score: None };
    let mut of: Vec<FusedRun> = runs.iter().map(fused_run).collect();
    let name = Fused { of: of.clone(), iou_threshold }.name();
    if runs.iter().map(|part| part.run.n_detections()).sum::<usize>() > MAX_ROWS {
        return Err(Error::new(name, "there are more than 4 billion boxes", "fewer").of_kind(ErrorKind::TooLarge));
    }
    let mut files = PredictionFiles::with_capacity(ground_truth.n_images());
    let mut detections = Detections::default();
    for (image, image_name) in ground_truth.images().iter().enumerate() {
        let first = detections.len() as u32;
        let place = || format!("{name}, \"{image_name}\"");
        for of_class in listed(runs, image, image_name, &mut of)?.chunk_by(|(a, _), (b, _)| a == b) {
            if of_class.len() > MAX_SUPPRESSED_OF_IMAGE {
                return Err(too_many(place(), of_class.len()));
            }
            let class = ground_truth.class_name(of_class[0].0);
            let fused = fuse_boxes(of_class.iter().map(|(_, scored)| *scored).collect(), runs.len(), iou_threshold);
            detections.reserve(fused.len()).map_err(|_| Error::out_of_memory(&name))?;
            for Scored { bbox, score } in fused {
                // A mean of a high and of a wide box may be both.
                if !bbox.rounded().area(Extent::PlusOne).is_finite() {
                    let what = "the area of a fused box is too large for a 32-bit number";
                    return Err(Error::new(place(), what, "corners in pixels"));
                }
                detections.push_named(class, bbox, score);
            }
        }
        let path = ground_truth.prediction_file(image);
        files.push(PredictionFile::new(path, first..detections.len() as u32));
    }
    detections.shrink();
    let predictions = Arc::new(Predictions::new(&name, files, detections));
    let none = || Error::new(&name, "it cannot be joined to the images", "the images of its runs");
    let run = Run::new(ground_truth, &predictions)
        .map_err(|errors| errors.into_iter().next().unwrap_or_else(none))?
        .examined(Reading { fused: Some(Fused { of, iou_threshold }), ..Reading::default() }, Vec::new());
    Ok(Prepared { predictions, run })
}

/// That a threshold is an IoU.
pub(crate) fn checked(iou_threshold: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&iou_threshold) {
        return Ok(());
    }
    Err(Error::option("fuse", format!("there is {iou_threshold}"), "an IoU from 0 to 1, such as 0.55"))
}

/// The boxes of all runs in an image class by class, their corners put in order; learns of each run how high its scores are.
fn listed(
    runs: &[&Prepared],
    image: usize,
    image_name: &str,
    of: &mut [FusedRun],
) -> Result<Vec<(Class, Scored)>, Error> {
    let mut listed = Vec::new();
    for (Prepared { run, predictions }, FusedRun { highest_score, .. }) in runs.iter().zip(of) {
        let detections = predictions.detections();
        for at in run.detections(image).map(|at| at as usize) {
            let Some(class) = run.class(detections, at) else { continue };
            let score = detections.score_in_file(at);
            if score < 0.0 {
                let place = format!("{}, \"{image_name}\"", run.name());
                let expected = "0 or more, since fusion weighs boxes by their scores: probabilities, not logits";
                return Err(Error::new(place, format!("a score is {score}"), expected));
            }
            *highest_score = Some(highest_score.map_or(score, |of| of.max(score)));
            let FileBox { x1, y1, x2, y2 } = detections.box_in_file(at);
            let bbox = FileBox { x1: x1.min(x2), y1: y1.min(y2), x2: x1.max(x2), y2: y1.max(y2) };
            listed.push((class, Scored { bbox, score }));
        }
    }
    listed.sort_unstable_by_key(|(class, _)| *class);
    Ok(listed)
}

fn too_many(place: String, n: usize) -> Error {
    let expected = format!("at most {MAX_SUPPRESSED_OF_IMAGE} in one image; keep those with the highest scores");
    Error::new(place, format!("fusion has {n} boxes of one class to compare"), expected)
}
