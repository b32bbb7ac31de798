//! Recall by lesion size, with all detections in play: no score threshold ([section 9](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::GroundTruth;
use crate::geometry::{BBox, Extent};
use crate::matching::Verdicts;
use crate::protocol::Class;
use crate::run::Run;

/// Below this a lesion is small for COCO, in square pixels (width `x2 - x1`).
const COCO_SMALL: f32 = 1024.0;
/// From this on a lesion is large for COCO, in square pixels.
const COCO_LARGE: f32 = 9216.0;

/// How lesions are divided by size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// The smallest, middle and largest third of the lesions of a class; lesions of equal area are never parted.
    Thirds,
    /// Areas below 32 x 32, below 96 x 96, and from there on, in pixels.
    Coco,
}

/// One of the three groups of a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Below the first limit.
    Small,
    /// From the first limit on, below the second.
    Medium,
    /// From the second limit on.
    Large,
}

/// The least areas of medium and of large lesions, in square pixels (width `x2 - x1`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits([f32; 2]);

impl Limits {
    /// The limits of a division of the lesions of a class.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, class: Class, division: Division) -> Self {
        match division {
            Division::Coco => Self([COCO_SMALL, COCO_LARGE]),
            Division::Thirds => Self(thirds(&areas(ground_truth, class))),
        }
    }

    /// The size of a lesion.
    #[must_use]
    pub fn size(self, lesion: BBox) -> Size {
        let area = lesion.area(Extent::Plain);
        match self.0.iter().filter(|limit| area >= **limit).count() {
            0 => Size::Small,
            1 => Size::Medium,
            _ => Size::Large,
        }
    }
}

/// The areas of all lesions of a class, in square pixels.
fn areas(ground_truth: &GroundTruth, class: Class) -> Vec<f32> {
    boxes(ground_truth, class).map(|bbox| bbox.area(Extent::Plain)).collect()
}

fn boxes(ground_truth: &GroundTruth, class: Class) -> impl Iterator<Item = BBox> {
    (0..ground_truth.n_images()).flat_map(move |image| ground_truth.lesions(class, image).1.iter().copied())
}

/// Lesions of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SizeGroup {
    /// How many there are.
    pub n_lesions: usize,
    /// How many of them are found by any detection.
    pub n_found: usize,
    /// Least and greatest area, in square pixels; `None` if there are no lesions.
    pub areas: Option<[f32; 2]>,
}

/// The small, medium and large lesions of a class.
#[must_use]
pub fn by_size(
    ground_truth: &GroundTruth,
    run: &Run,
    class: Class,
    iou_threshold: f64,
    division: Division,
) -> [SizeGroup; 3] {
    let n_lesions = ground_truth.n_lesions(class);
    let verdicts = run.verdicts(class, n_lesions, iou_threshold, ground_truth.protocol().extent());
    let is_found = found(&verdicts, verdicts.n_detections(), n_lesions);
    let limits = Limits::new(ground_truth, class, division);
    let mut groups = [SizeGroup::default(); 3];
    for (lesion, is_found) in boxes(ground_truth, class).zip(is_found) {
        groups[limits.size(lesion) as usize].add(lesion.area(Extent::Plain), is_found);
    }
    groups
}

/// Whether each of the lesions of a class is found by the first `n_shown` of its ranked detections.
#[must_use]
pub fn found(verdicts: &Verdicts, n_shown: usize, n_lesions: usize) -> Vec<bool> {
    let mut found = vec![false; n_lesions];
    for claim in verdicts.claims().iter().take_while(|claim| (claim.rank as usize) < n_shown) {
        found[claim.lesion as usize] = true;
    }
    found
}

/// The least area of the middle and of the largest third.
fn thirds(areas: &[f32]) -> [f32; 2] {
    let mut sorted = areas.to_vec();
    radsort::sort(&mut sorted);
    [1, 2].map(|third| sorted.get(third * sorted.len() / 3).copied().unwrap_or_default())
}

impl SizeGroup {
    fn add(&mut self, area: f32, is_found: bool) {
        self.n_lesions += 1;
        self.n_found += usize::from(is_found);
        let [least, greatest] = self.areas.unwrap_or([area, area]);
        self.areas = Some([least.min(area), greatest.max(area)]);
    }

    /// Found lesions / lesions; `None` without lesions.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        (self.n_lesions > 0).then(|| self.n_found as f64 / self.n_lesions as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_part_no_equal_areas() {
        let groups = |areas: &[f32]| {
            let limits = thirds(areas);
            let group = |area: &f32| limits.iter().filter(|limit| *area >= **limit).count();
            areas.iter().map(group).collect::<Vec<_>>()
        };
        assert_eq!(groups(&[5.0, 1.0, 4.0, 2.0, 3.0, 6.0]), [2, 0, 1, 0, 1, 2]);
        assert_eq!(groups(&[1.0, 1.0, 1.0]), [2, 2, 2]);
        assert_eq!(groups(&[]), Vec::<usize>::new());
    }
}
