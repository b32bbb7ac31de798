//! Boxes that repeat others of their class in their image: the very same, or on top of them.

use super::boxes::{Scored, scored, scored_read};
use super::{Case, LEAST_BOXES, percent, place, rows, sample, with};
use crate::finding::{Finding, Remedy, Seen};
use crate::geometry::{BBox, iou};
use crate::reading::Reading;

/// Two boxes of a class in an image that overlap this much would not both survive usual suppression.
const SAME_PLACE: f32 = 0.7;
/// This share of boxes on top of a better one means that there was no suppression.
const UNSUPPRESSED: f64 = 0.3;
/// The IoU above which detectors usually suppress.
const USUAL: f64 = 0.5;

/// What detections have in common with earlier ones of their class in their image.
#[derive(Default)]
pub(super) struct Repeats {
    /// Those that are the very box of an earlier one.
    same: Seen,
    /// Those of the sample that overlap an earlier one that is another box.
    on_top: Seen,
    /// How many the sample has.
    looked_at: usize,
}

impl Repeats {
    pub(super) fn new(case: Case<'_>) -> Self {
        /// A crowded image costs little if at most so many come before.
        const MOST: usize = 300;
        let (boxes, _, keys) = case.predictions.detections().columns();
        let extent = case.ground_truth.protocol().extent();
        let mut repeats = Self::default();
        let mut sample = sample(case).peekable();
        // The detections of each class in the image so far: their numbers and boxes.
        let mut of_class = case.ground_truth.per_class(|_| (Vec::<usize>::new(), Vec::<BBox>::new()));
        for image in 0..case.ground_truth.n_images() {
            for (numbers, boxes) in &mut of_class {
                numbers.clear();
                boxes.clear();
            }
            for at in case.run.repeated(case.predictions.detections(), image) {
                repeats.same.add(1, Some(image as u32), || place(case, image, at as usize));
            }
            for at in rows(case, image) {
                let bbox = boxes[at].rounded();
                let is_looked_at = sample.next_if_eq(&(image, at)).is_some();
                repeats.looked_at += usize::from(is_looked_at);
                let Some(class) = case.run.class_of_name().get(keys[at]) else { continue };
                let (numbers, boxes) = &mut of_class[class];
                let first = numbers.partition_point(|other| *other < at.saturating_sub(MOST));
                let earlier = &boxes[first..];
                let is_on_top = |other: &BBox| *other != bbox && iou(*other, bbox, extent) >= SAME_PLACE;
                if is_looked_at && earlier.iter().any(is_on_top) {
                    repeats.on_top.add(1, Some(image as u32), || place(case, image, at));
                }
                numbers.push(at);
                boxes.push(bbox);
            }
        }
        repeats
    }

    /// Detections that are the very box and class of an earlier one in their image.
    pub(super) fn duplicates(&self) -> Option<Finding> {
        let sentence = match self.same.count {
            1 => "1 detection is the same box of the same class as another in its image.".to_owned(),
            n => format!("{n} detections are the same box of the same class as another in their image."),
        };
        let fix = "Write each box once: a second one on a lesion counts as a false positive.";
        (self.same.count > 0).then(|| self.same.clone().finding("duplicate_detection", sentence, fix))
    }

    /// Many boxes on top of another one of their class.
    pub(super) fn unsuppressed(&self, case: Case<'_>) -> Option<Finding> {
        let Self { on_top, looked_at, .. } = self;
        let share = on_top.count as f64 / (*looked_at).max(1) as f64;
        if *looked_at < LEAST_BOXES || share <= UNSUPPRESSED {
            return None;
        }
        let mut sentence = format!(
            "{} of the boxes overlap another one of their class in their image by more than {}.",
            percent(share),
            percent(f64::from(SAME_PLACE))
        );
        let remedy = suppression(case);
        if let Some((_, gain)) = &remedy {
            sentence.push_str(gain);
        }
        let fix = "Apply non-maximum suppression: a second box on a found lesion counts as a false positive.";
        let remedy = remedy.map(|(remedy, _)| remedy);
        Some(Finding { remedy, ..on_top.clone().finding("no_suppression", sentence, fix) })
    }
}

/// Suppression as detectors usually have it, if it takes false positives away and the score is better for it; and a sentence that
/// says so.
fn suppression(case: Case<'_>) -> Option<(Remedy, String)> {
    if case.reading.nms.is_some() {
        return None;
    }
    let before = scored(case)?;
    let after = scored_read(case, &Reading { nms: Some(USUAL), ..Reading::default() })?;
    let Scored { recall, second_boxes } = after;
    let gain = format!(
        " With non-maximum suppression at IoU {USUAL}, {second_boxes} instead of {} are a second box on a found lesion, and the mean recall at 0.2 false positives per image is {} instead of {}.",
        before.second_boxes,
        percent(recall),
        percent(before.recall)
    );
    let reading = with(case.reading, |reading| reading.nms = Some(USUAL));
    let label = format!("Suppress boxes that overlap a better one by more than IoU {USUAL}");
    (second_boxes < before.second_boxes && recall > before.recall).then_some((Remedy { label, reading }, gain))
}
