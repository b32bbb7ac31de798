//! Average precision, as pycocotools computes it ([section 9](crate::metric); `cocoeval.py` of pycocotools 2.0).
//!
//! It differs from the rest of this crate on purpose: boxes and scores are those of the files, in `f64`, widths are
//! `x2 - x1`, a detection takes the best lesion that is still free, the later of two equal overlaps, and equal scores go in
//! image order.

use crate::dataset::{Detections, GroundTruth, IgnoredAs, IgnoredLesion};
use crate::geometry::FileBox;
use crate::protocol::Class;
use crate::run::Run;
use crate::score::mean;

/// As many detections of a class in one image count as with pycocotools as it comes (`maxDets`).
pub const DEFAULT_MAX_DETECTIONS: u32 = 100;
/// Precision is read at recall 0, 0.01, ..., 1.
const N_RECALLS: u32 = 101;
/// The IoU thresholds 0.50, 0.55, ..., 0.95.
const N_THRESHOLDS: usize = 10;
/// Areas that count, in square pixels (`areaRng` "all"): a box with one pair of corners swapped has a negative one.
const AREAS: std::ops::RangeInclusive<f64> = 0.0..=1e10;

/// Average precision of one class, each in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AveragePrecision {
    /// At IoU threshold 0.5.
    pub ap50: f64,
    /// At IoU threshold 0.75.
    pub ap75: f64,
    /// Mean over the IoU thresholds 0.50, 0.55, ..., 0.95.
    pub ap50_95: f64,
}

/// What became of a detection.
struct Outcome {
    /// The thresholds at which it finds a lesion: bit t for the t-th.
    found: u16,
    /// The thresholds at which it finds none and counts as nothing: bit t for the t-th. All are, if its area is not in range; else
    /// those at which it is on an ignored lesion.
    nothing: u16,
}

/// The average precision of a class of a run; `None` for a class without lesions (with an area in range).
///
/// `predictions` are the detections that the run was made of. In each image the `max_detections` of the class with the
/// highest scores count, in pycocotools `maxDets`: [`DEFAULT_MAX_DETECTIONS`] as it comes.
#[must_use]
pub fn average_precision(
    ground_truth: &GroundTruth,
    run: &Run,
    predictions: &Detections,
    class: Class,
    max_detections: u32,
) -> Option<AveragePrecision> {
    let lesions = (0..ground_truth.n_images()).flat_map(|image| ground_truth.lesions_in_file(class, image));
    let n_lesions = lesions.filter(|lesion| AREAS.contains(&area(**lesion))).count();
    if n_lesions == 0 {
        return None;
    }
    let outcomes = outcomes(ground_truth, run, predictions, class, max_detections);
    let at = |threshold: usize| {
        let bit = 1 << threshold;
        let counted = outcomes.iter().filter_map(|outcome| match (outcome.found & bit, outcome.nothing & bit) {
            (0, 0) => Some(false),
            (0, _) => None,
            _ => Some(true),
        });
        interpolated(counted, n_lesions)
    };
    let all: [f64; N_THRESHOLDS] = std::array::from_fn(at);
    Some(AveragePrecision { ap50: all[0], ap75: all[5], ap50_95: mean(all)? })
}

/// The detections of a class by falling score, equal ones in image order.
fn outcomes(
    ground_truth: &GroundTruth,
    run: &Run,
    predictions: &Detections,
    class: Class,
    max_detections: u32,
) -> Vec<Outcome> {
    let images = run.images(class);
    let thresholds: [f64; N_THRESHOLDS] = std::array::from_fn(threshold);
    let mut taken = vec![0_u16; ground_truth.n_lesions(class)];
    let mut seen = vec![0_u32; ground_truth.n_images()];
    let mut outcomes = Vec::with_capacity(images.len());
    for (rank, detection) in run.by_score_in_file(class, predictions) {
        let image = images[rank as usize] as usize;
        seen[image] += 1;
        if seen[image] > max_detections {
            continue;
        }
        let (first, lesions) = (ground_truth.lesions(class, image).0, ground_truth.lesions_in_file(class, image));
        let bbox = predictions.box_in_file(detection as usize);
        let found = take(bbox, lesions, &mut taken[first as usize..][..lesions.len()], &thresholds);
        let nothing = if AREAS.contains(&area(bbox)) {
            let ignored = ground_truth.ignored_in(image).iter();
            on_ignored(bbox, ignored.filter(|lesion| lesion.class.is_none_or(|of| of == class)), &thresholds)
        } else {
            u16::MAX
        };
        outcomes.push(Outcome { found, nothing });
    }
    outcomes
}

/// At each threshold, takes the free lesion with the greatest overlap, the last of several; gives the thresholds at
/// which there was one.
fn take(bbox: FileBox, lesions: &[FileBox], taken: &mut [u16], thresholds: &[f64; N_THRESHOLDS]) -> u16 {
    let overlaps: Vec<f64> = lesions.iter().map(|lesion| overlap(bbox, *lesion)).collect();
    let mut found = 0;
    for (t, threshold) in thresholds.iter().enumerate() {
        let mut best: Option<usize> = None;
        let mut least = *threshold;
        for (lesion, overlap) in overlaps.iter().enumerate() {
            if taken[lesion] & 1 << t == 0 && *overlap >= least {
                best = Some(lesion);
                least = *overlap;
            }
        }
        if let Some(lesion) = best {
            taken[lesion] |= 1 << t;
            found |= 1 << t;
        }
    }
    found
}

/// The thresholds at which a detection is on an ignored lesion, which any number of detections may be: on a crowd, with that share of
/// its own area (`maskApi.c`, `bbIou` with `iscrowd`).
fn on_ignored<'a>(
    bbox: FileBox,
    lesions: impl Iterator<Item = &'a IgnoredLesion>,
    thresholds: &[f64; N_THRESHOLDS],
) -> u16 {
    let overlaps = lesions.map(|lesion| match lesion.reason {
        IgnoredAs::Crowd => intersection(bbox, lesion.bbox) / area(bbox),
        IgnoredAs::Difficult | IgnoredAs::OfClass => overlap(bbox, lesion.bbox),
    });
    let most = overlaps.fold(0.0, f64::max);
    (0..).zip(thresholds).filter(|(_, least)| most >= **least).fold(0, |bits, (t, _)| bits | 1 << t)
}

/// The t-th IoU threshold, rounded as `numpy.linspace(.5, .95, 10)` rounds it.
fn threshold(t: usize) -> f64 {
    t as f64 * ((0.95 - 0.5) / 9.0) + 0.5
}

/// Overlap of boxes given as corner, width and height (`maskApi.c`, `bbIou`); 0 where they are apart.
pub(super) fn overlap(detection: FileBox, lesion: FileBox) -> f64 {
    let intersection = intersection(detection, lesion);
    if intersection > 0.0 { intersection / (area(detection) + area(lesion) - intersection) } else { 0.0 }
}

/// The area that two boxes share, in square pixels.
fn intersection(detection: FileBox, lesion: FileBox) -> f64 {
    let [dx, dy, dw, dh] = xywh(detection);
    let [lx, ly, lw, lh] = xywh(lesion);
    let width = (dw + dx).min(lw + lx) - dx.max(lx);
    let height = (dh + dy).min(lh + ly) - dy.max(ly);
    if width <= 0.0 || height <= 0.0 { 0.0 } else { width * height }
}

fn area(bbox: FileBox) -> f64 {
    let [_, _, width, height] = xywh(bbox);
    width * height
}

fn xywh(bbox: FileBox) -> [f64; 4] {
    [bbox.x1, bbox.y1, bbox.x2 - bbox.x1, bbox.y2 - bbox.y1]
}

/// Mean of the precision at 101 recalls, each the greatest precision at that recall or beyond, 0 where none reaches it.
fn interpolated(is_found: impl Iterator<Item = bool>, n_lesions: usize) -> f64 {
    // Precision as each true positive arrives; between them it only falls.
    let mut precision = Vec::new();
    for (rank, is_found) in is_found.enumerate() {
        if is_found {
            let true_positives = precision.len() as f64 + 1.0;
            precision.push(true_positives / ((rank + 1) as f64 + f64::EPSILON));
        }
    }
    let mut greatest = 0.0_f64;
    for value in precision.iter_mut().rev() {
        greatest = greatest.max(*value);
        *value = greatest;
    }
    // Rises with the recall that is asked for.
    let mut found = 0;
    let at = |step: u32| {
        let recall = f64::from(step) * 0.01;
        while found < precision.len() && ((found + 1) as f64 / n_lesions as f64) < recall {
            found += 1;
        }
        precision.get(found).copied().unwrap_or(0.0)
    };
    (0..N_RECALLS).map(at).sum::<f64>() / f64::from(N_RECALLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_rounded_as_numpy_rounds_them() {
        assert_eq!(threshold(5).to_bits(), 0.75_f64.to_bits());
        assert_eq!(threshold(9).to_bits(), 0.95_f64.to_bits());
        assert!((0..10).all(|t| (threshold(t) - (0.5 + t as f64 / 20.0)).abs() < 1e-15));
    }

    #[test]
    fn precision_is_read_at_101_recalls() {
        // Recall 1/2 at precision 1, recall 1 at precision 2/3: 51 and 50 of the 101 points.
        let area = interpolated([true, false, true].into_iter(), 2);
        assert!((area - (51.0 + 50.0 * 2.0 / 3.0) / 101.0).abs() < 1e-15, "{area}");
        assert!(interpolated([false].into_iter(), 2).abs() < f64::EPSILON);
    }

    #[test]
    fn the_later_of_two_equal_overlaps_is_taken() {
        let bbox = FileBox { x1: 0.0, y1: 0.0, x2: 10.0, y2: 10.0 };
        let mut taken = [0, 0];
        let thresholds = std::array::from_fn(threshold);
        assert_eq!(take(bbox, &[bbox, bbox], &mut taken, &thresholds), 0b11_1111_1111);
        assert_eq!(taken, [0, 0b11_1111_1111]);
    }
}
