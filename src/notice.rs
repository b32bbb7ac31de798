//! What a user should know although the score survives it.

use serde::Serialize;

use crate::limits::MAX_SENTENCE_CHARS;
use crate::printable::printable;
use crate::reading::Reading;

/// The number of examples a notice keeps.
pub const MAX_EXAMPLES: usize = 5;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeCode {
    /// Class keys that the official script does not read, such as `NODULE`.
    UnreadClassName,
    /// Entries that hold one class under both its spellings; the official one is read.
    BothSpellings,
    /// Boxes whose key stands again further on in their entry; the last one is read.
    DoubleKeys,
    /// Images of the ground truth for which the run has no file.
    ImageWithoutFile,
    /// Prediction files that belong to no image of the ground truth.
    FileWithoutImage,
    /// Files of 0 bytes.
    EmptyFile,
    /// Lesions of a class that is not one of the ten.
    UnknownLesionClass,
    /// Classes that ChestX-Det10 does not have, in a ground truth of its format.
    OtherClasses,
    /// Lesions that stand for a crowd (COCO's `iscrowd`).
    CrowdLesions,
    /// Images whose name has no `.png` to turn into `.json`.
    ImageNameWithoutPng,
}

impl NoticeCode {
    /// The stable name in `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnreadClassName => "unread_class_name",
            Self::BothSpellings => "both_spellings",
            Self::DoubleKeys => "double_keys",
            Self::ImageWithoutFile => "image_without_file",
            Self::FileWithoutImage => "file_without_image",
            Self::EmptyFile => "empty_file",
            Self::UnknownLesionClass => "unknown_lesion_class",
            Self::OtherClasses => "other_classes",
            Self::CrowdLesions => "crowd_lesions",
            Self::ImageNameWithoutPng => "image_name_without_png",
        }
    }

    /// What was seen, in one sentence, when it was seen `count` times.
    #[must_use]
    pub fn sentence(self, count: usize) -> String {
        let (one, many) = match self {
            Self::UnreadClassName => (
                "1 box stands under a class name that the official script does not read.",
                "{} boxes stand under class names that the official script does not read.",
            ),
            Self::BothSpellings => (
                "1 entry holds a class in both spellings; the lower-case one is not read.",
                "{} entries hold a class in both spellings; the lower-case ones are not read.",
            ),
            Self::DoubleKeys => (
                "1 box is not read, because its class stands again in the same entry: the last one counts.",
                "{} boxes are not read, because their class stands again in the same entry: the last one counts.",
            ),
            Self::ImageWithoutFile => (
                "1 image of the ground truth has no prediction file and counts as having no detections.",
                "{} images of the ground truth have no prediction file and count as having no detections.",
            ),
            Self::FileWithoutImage => (
                "1 prediction file belongs to no image of the ground truth and is not read.",
                "{} prediction files belong to no image of the ground truth and are not read.",
            ),
            Self::EmptyFile => (
                "1 prediction file of 0 bytes counts as having no detections.",
                "{} prediction files of 0 bytes count as having no detections.",
            ),
            Self::UnknownLesionClass => (
                "1 lesion is of a class that is not one of the ten and is left out.",
                "{} lesions are of classes that are not among the ten and are left out.",
            ),
            Self::OtherClasses => (
                "1 class of the ground truth is none of ChestX-Det10's, so its own classes are scored, and no number is official.",
                "{} classes of the ground truth are none of ChestX-Det10's, so its own classes are scored, and no number is official.",
            ),
            Self::CrowdLesions => (
                "1 box of the ground truth stands for a crowd (iscrowd) and is left out; a detection on it is a false positive.",
                "{} boxes of the ground truth stand for crowds (iscrowd) and are left out; a detection on them is a false positive.",
            ),
            Self::ImageNameWithoutPng => (
                "1 image name has no .png in it, so no .json file can belong to it.",
                "{} image names have no .png in them, so no .json file can belong to them.",
            ),
        };
        if count == 1 { one.to_owned() } else { many.replacen("{}", &count.to_string(), 1) }
    }

    /// How to mend it, in one sentence.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::UnreadClassName => "Write class names as the ground truth does (Nodule) or in lower case (nodule).",
            Self::BothSpellings => "Write each class once in an entry.",
            Self::DoubleKeys => "Write each box into an entry of its own: [{\"Nodule\": [..]}, {\"Nodule\": [..]}].",
            Self::ImageWithoutFile => {
                "If these images do have predictions, name their files like the image, with .json for .png."
            }
            Self::FileWithoutImage => {
                "If these files are meant to count, name them like the image, with .json for .png."
            }
            Self::EmptyFile => "Write [] into the file of an image without detections, to tell it from a failed write.",
            Self::UnknownLesionClass => "Check the spelling in syms; class names are case-sensitive there.",
            Self::OtherClasses => {
                "If it is ChestX-Det10's all the same, choose its protocol: --protocol chestx-det10 leaves these lesions out."
            }
            Self::CrowdLesions => "Give each lesion a box of its own, if these are meant to be found.",
            Self::ImageNameWithoutPng => "Give images names that end in .png.",
        }
    }
}

/// Something the doctor found: a notice with its evidence, and how to read the files so that it is mended, if that is
/// mechanical.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable name in `snake_case`.
    pub code: &'static str,
    /// How often it was seen.
    pub count: usize,
    /// What was seen, with the evidence, in one sentence.
    pub sentence: String,
    /// How to mend it, in one sentence.
    pub fix: String,
    /// The first few places.
    pub examples: Vec<String>,
    /// A reading that mends it.
    pub remedy: Option<Remedy>,
}

/// A reading that would mend something, and what to call it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Remedy {
    /// What it does, such as `Read the boxes as x, y, width, height`.
    pub label: String,
    /// The whole reading, what was chosen before included.
    pub reading: Reading,
}

/// One kind of thing that was seen, how often, and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What was seen.
    pub code: NoticeCode,
    /// How often.
    pub count: usize,
    /// The first [`MAX_EXAMPLES`] places or spellings.
    pub examples: Vec<String>,
}

/// Notices in the making: counts by code, in the order of first sight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices(Vec<Notice>);

impl Notices {
    /// Counts `count` sights of `code`; `example` is asked for only while examples are wanted, and kept only once.
    pub fn add(&mut self, code: NoticeCode, count: usize, example: impl FnOnce() -> String) {
        if count == 0 {
            return;
        }
        let at = self.0.iter().position(|notice| notice.code == code).unwrap_or_else(|| {
            self.0.push(Notice { code, count: 0, examples: Vec::new() });
            self.0.len() - 1
        });
        let notice = &mut self.0[at];
        notice.count += count;
        if notice.examples.len() < MAX_EXAMPLES {
            let example = printable(&example(), MAX_SENTENCE_CHARS);
            if !notice.examples.contains(&example) {
                notice.examples.push(example);
            }
        }
    }

    /// The notices, in the order of first sight.
    #[must_use]
    pub fn as_slice(&self) -> &[Notice] {
        &self.0
    }
}
