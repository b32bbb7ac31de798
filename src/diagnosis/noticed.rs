//! The images that a notice is about.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::dataset::{FileView, GroundTruth};
use crate::protocol::Class;
use crate::run::{Prepared, unread};
use crate::score::quirks::tied;

/// A notice that is about images in particular, by its code; others are about files that belong to none, or about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Noticed {
    /// Their file has boxes under class names that are not read.
    UnreadClassName,
    /// Their file holds one class under both its spellings.
    BothSpellings,
    /// Their file holds a class twice in an entry.
    DoubleKeys,
    /// They have no file.
    ImageWithoutFile,
    /// Their file has 0 bytes.
    EmptyFile,
    /// Their name has no `.png`.
    ImageNameWithoutPng,
    /// They have a lesion of a class that is never detected.
    ClassNeverPredicted,
    /// They have a detection above 1.
    ScoresInPercent,
    /// They have a detection that shares its score with another of its class.
    ManyTies,
    /// They have two detections of a class that are one box.
    DuplicateDetection,
    /// They have lesions and no detection.
    MostFilesEmpty,
    /// They have a detection wholly outside of 1024 x 1024 pixels.
    BoxOutsideImage,
}

impl Noticed {
    /// Whether each image is one of them.
    #[must_use]
    pub fn images(self, ground_truth: &GroundTruth, prepared: &Prepared) -> Vec<bool> {
        let of_files = |is_meant: &dyn Fn(&FileView<'_>) -> bool| of_files(ground_truth, prepared, is_meant);
        let of_images = |is_meant: &dyn Fn(usize) -> bool| (0..ground_truth.n_images()).map(is_meant).collect();
        let Prepared { run, predictions } = prepared;
        let detections = predictions.detections();
        let on = |image: usize| {
            run.detections(image).map(|at| at as usize).filter(|at| run.class(detections, *at).is_some())
        };
        let has_lesion = |class: Class, image: usize| !ground_truth.lesions(class, image).1.is_empty();
        match self {
            Self::UnreadClassName => of_files(&|file| unread(detections, run.class_of_name(), file).next().is_some()),
            Self::BothSpellings => of_files(&|file| file.remarks.both_spellings > 0),
            Self::DoubleKeys => of_files(&|file| file.remarks.double_keys > 0),
            Self::EmptyFile => of_files(&|file| file.remarks.is_empty),
            Self::ImageWithoutFile => of_files(&|_| true).into_iter().map(|has_file| !has_file).collect(),
            Self::ImageNameWithoutPng => of_images(&|image| !ground_truth.images()[image].contains(".png")),
            Self::ClassNeverPredicted => {
                let never = |class: &Class| run.ranking(*class).scores().is_empty();
                of_images(&|image| ground_truth.classes().filter(never).any(|class| has_lesion(class, image)))
            }
            Self::ScoresInPercent => of_images(&|image| on(image).any(|at| detections.score(at) > 1.0)),
            Self::ManyTies => {
                let mut is_tied = vec![false; detections.len()];
                for ranking in ground_truth.classes().map(|class| run.ranking(class)) {
                    for rank in tied(ranking.scores()) {
                        is_tied[ranking.detections()[rank as usize] as usize] = true;
                    }
                }
                of_images(&|image| on(image).any(|at| is_tied[at]))
            }
            Self::DuplicateDetection => of_images(&|image| !run.repeated(detections, image).is_empty()),
            Self::MostFilesEmpty => {
                of_images(&|image| run.detections(image).is_empty() && ground_truth.has_lesions(image))
            }
            Self::BoxOutsideImage => of_images(&|image| run.outside(detections, image).next().is_some()),
        }
    }
}

/// Whether each image has a file of that kind.
fn of_files(ground_truth: &GroundTruth, prepared: &Prepared, is_meant: &dyn Fn(&FileView<'_>) -> bool) -> Vec<bool> {
    let mut images = vec![false; ground_truth.n_images()];
    let finder = ground_truth.finder(prepared.predictions.files());
    for file in prepared.predictions.files().iter().filter(is_meant) {
        if let Some(image) = finder.image(&file) {
            images[image as usize] = true;
        }
    }
    images
}
