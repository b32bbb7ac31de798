//! What a user should know although the score survives it, and can mend.

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SENTENCE_CHARS;
use crate::printable::printable;
use crate::reading::Reading;

/// The number of examples a finding keeps.
pub const MAX_EXAMPLES: usize = 5;

/// What was seen, with its evidence, how to mend it, and in which images it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable name in `snake_case`.
    pub code: &'static str,
    /// The class name that it is about, where each name has a finding of its own.
    pub about: Option<String>,
    /// How often it was seen.
    pub count: usize,
    /// What was seen, with the evidence, in one sentence.
    pub sentence: String,
    /// How to mend it, in one sentence.
    pub fix: String,
    /// The first few places.
    pub examples: Vec<String>,
    /// The images in which it was seen, by number, rising; none if it is about files that belong to no image.
    pub images: Vec<u32>,
    /// A reading that mends it.
    pub remedy: Option<Remedy>,
}

impl Finding {
    /// What tells it apart from the other findings of a run: its code, with the class name behind a colon where each name has
    /// a finding of its own.
    #[must_use]
    pub fn id(&self) -> String {
        self.about.as_ref().map_or_else(|| self.code.to_owned(), |name| format!("{}:{name}", self.code))
    }
}

/// A reading that would mend something, and what to call it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Remedy {
    /// What it does, such as `Read the boxes as x, y, width, height`.
    pub label: String,
    /// The whole reading, what was chosen before included.
    pub reading: Reading,
}

/// How often something was seen, where first, and in which images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How often.
    pub count: usize,
    examples: Vec<String>,
    images: Vec<u32>,
}

impl Seen {
    /// Counts `count` sights in an image, or in none; `example` is asked for only while examples are wanted, and kept only
    /// once.
    pub fn add(&mut self, count: usize, image: Option<u32>, example: impl FnOnce() -> String) {
        if count == 0 {
            return;
        }
        self.count += count;
        // Most come image by image, so that there are hardly more than images.
        self.images.extend(image.filter(|image| self.images.last() != Some(image)));
        if self.examples.len() < MAX_EXAMPLES {
            let example = printable(&example(), MAX_SENTENCE_CHARS);
            if !self.examples.contains(&example) {
                self.examples.push(example);
            }
        }
    }

    /// One sight at each of these places, which are in no image.
    #[must_use]
    pub fn at(places: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut seen = Self::default();
        places.into_iter().for_each(|place| seen.add(1, None, || place.into()));
        seen
    }

    /// What several saw together; without examples.
    #[must_use]
    pub fn all(several: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for seen in several {
            all.count += seen.count;
            all.images.extend(seen.images);
        }
        all
    }

    /// The finding that it makes.
    #[must_use]
    pub fn finding(mut self, code: &'static str, sentence: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.images.sort_unstable();
        self.images.dedup();
        let Self { count, examples, images } = self;
        let (sentence, fix) = (sentence.into(), fix.into());
        Finding { code, about: None, count, sentence, fix, examples, images, remedy: None }
    }
}

/// A kind of finding of which the count says all.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable name in `snake_case`.
    pub code: &'static str,
    one: &'static str,
    /// With `{}` for the count.
    many: &'static str,
    /// What the person may do about it.
    pub(crate) fix: &'static str,
}

/// Class keys that the official script does not read, such as `NODULE`.
pub const UNREAD_CLASS_NAME: Kind = Kind {
    code: "unread_class_name",
    one: "1 box stands under a class name that the official script does not read.",
    many: "{} boxes stand under class names that the official script does not read.",
    fix: "Write class names as the ground truth does (Nodule) or in lower case (nodule).",
};

/// Entries that hold one class under both its spellings; the official one is read.
pub const BOTH_SPELLINGS: Kind = Kind {
    code: "both_spellings",
    one: "1 entry holds a class in both spellings; the lower-case one is not read.",
    many: "{} entries hold a class in both spellings; the lower-case ones are not read.",
    fix: "Write each class once in an entry.",
};

/// Boxes whose key stands again further on in their entry; the last one is read.
pub const DOUBLE_KEYS: Kind = Kind {
    code: "double_keys",
    one: "1 box is not read, because its class stands again in the same entry: the last one counts.",
    many: "{} boxes are not read, because their class stands again in the same entry: the last one counts.",
    fix: "Write each box into an entry of its own: [{\"Nodule\": [..]}, {\"Nodule\": [..]}].",
};

/// Images of the ground truth for which the run has no file.
pub const IMAGE_WITHOUT_FILE: Kind = Kind {
    code: "image_without_file",
    one: "1 image of the ground truth has no prediction file and counts as having no detections.",
    many: "{} images of the ground truth have no prediction file and count as having no detections.",
    fix: "If these images do have predictions, name their files like the image, with .json for .png.",
};

/// Prediction files that belong to no image of the ground truth.
pub const FILE_WITHOUT_IMAGE: Kind = Kind {
    code: "file_without_image",
    one: "1 prediction file belongs to no image of the ground truth and is not read.",
    many: "{} prediction files belong to no image of the ground truth and are not read.",
    fix: "If these files are meant to count, name them like the image, with .json for .png.",
};

/// Files of 0 bytes.
pub const EMPTY_FILE: Kind = Kind {
    code: "empty_file",
    one: "1 prediction file of 0 bytes counts as having no detections.",
    many: "{} prediction files of 0 bytes count as having no detections.",
    fix: "Write [] into the file of an image without detections, to tell it from a failed write.",
};

/// Lesions of a class that is not one of the ten.
pub const UNKNOWN_LESION_CLASS: Kind = Kind {
    code: "unknown_lesion_class",
    one: "1 lesion is of a class that is not one of the ten and is left out.",
    many: "{} lesions are of classes that are not among the ten and are left out.",
    fix: "Check the spelling in syms; class names are case-sensitive there.",
};

/// Classes that ChestX-Det10 does not have, in a ground truth of its format.
pub const OTHER_CLASSES: Kind = Kind {
    code: "other_classes",
    one: "1 class of the ground truth is none of ChestX-Det10's, so its own classes are scored, and no number is official.",
    many: "{} classes of the ground truth are none of ChestX-Det10's, so its own classes are scored, and no number is official.",
    fix: "If it is ChestX-Det10's all the same, write its class names in syms, or evaluate it as ChestX-Det10, which leaves these lesions out: among the classes on the page, by --protocol chestx-det10 in the terminal.",
};

/// Lesions that stand for a crowd (COCO's `iscrowd`).
pub const CROWD_LESIONS: Kind = Kind {
    code: "crowd_lesions",
    one: "1 box of the ground truth stands for a crowd (iscrowd) and is ignored: it counts neither as found nor against a detection of its class.",
    many: "{} boxes of the ground truth stand for crowds (iscrowd) and are ignored: they count neither as found nor against a detection of their class.",
    fix: "Give each lesion a box of its own, with an iscrowd of 0, if these are meant to be found.",
};

/// Lesions that are hard to recognise (Pascal VOC's `difficult`).
pub const DIFFICULT_LESIONS: Kind = Kind {
    code: "difficult_lesions",
    one: "1 lesion is marked as difficult and is ignored: it counts neither as found nor against a detection of its class.",
    many: "{} lesions are marked as difficult and are ignored: they count neither as found nor against a detection of their class.",
    fix: "Write <difficult>0</difficult> into these objects, if they are meant to be found.",
};

/// Lesions as fractions of images whose size nothing tells.
pub const LESIONS_IN_FRACTIONS: Kind = Kind {
    code: "lesions_in_fractions",
    one: "1 lesion is told as a fraction of its image, and no picture tells how large that is: areas and distances are in fractions, too.",
    many: "{} lesions are told as fractions of their images, and no picture tells how large these are: areas and distances are in fractions, too.",
    fix: "Put the pictures into the same zip or folder, such as images/ beside labels/: then boxes are read in pixels, and images without lesions count.",
};

/// Lesions of classes that a person asked to ignore.
pub const LESIONS_OF_IGNORED_CLASS: Kind = Kind {
    code: "lesions_of_ignored_class",
    one: "1 lesion is of a class that is ignored: it counts neither as found nor against a detection of any class.",
    many: "{} lesions are of classes that are ignored: they count neither as found nor against a detection of any class.",
    fix: "Ignore no class to have them count.",
};

/// Corrections of another ground truth, which suspects in it led to.
pub const CORRECTIONS: Kind = Kind {
    code: "corrections",
    one: "1 lesion was corrected after the runs and a person agreed that it was wrong, so no number is official.",
    many: "{} corrections were made to lesions after the runs and a person agreed that they were wrong, so no number is official.",
    fix: "Score against the original ground truth as well, and report both.",
};

/// Lesions that a file tells as ellipses or polygons.
pub const SHAPES_AS_BOXES: Kind = Kind {
    code: "shapes_as_boxes",
    one: "1 object is an ellipse or a polygon and is read as the box around it; object-CXR's own evaluation takes a detection as a point, and finds an object if the point lies in its shape.",
    many: "{} objects are ellipses or polygons and are read as the boxes around them; object-CXR's own evaluation takes a detection as a point, and finds an object if the point lies in its shape.",
    fix: "Score by the centre in the box to be near that: --hit centre in the terminal, among the options on the page; object-CXR's figure of boxes is among those under each published convention.",
};

/// Detections without width and height, where areas are compared.
pub const POINTS: Kind = Kind {
    code: "points",
    one: "1 detection is a point, a box without width and height, which overlaps no lesion as a box does.",
    many: "{} detections are points, boxes without width and height, which overlap no lesion as boxes do.",
    fix: "Score by the centre in the box: --hit centre in the terminal, among the options on the page.",
};

/// Several readers drew the boxes of the ground truth, and some of them of the same images.
pub const SEVERAL_READERS: &str = "several_readers";

/// Images whose name has no `.png` to turn into `.json`.
pub const IMAGE_NAME_WITHOUT_PNG: Kind = Kind {
    code: "image_name_without_png",
    one: "1 image name has no .png in it, so no .json file can belong to it.",
    many: "{} image names have no .png in them, so no .json file can belong to them.",
    fix: "Give images names that end in .png.",
};

/// Findings in the making, in the order of first sight.
#[derive(Debug, Default)]
pub struct Findings(Vec<(&'static Kind, Seen)>);

impl Findings {
    /// Counts `count` sights of a kind, as [`Seen::add`] does.
    pub fn add(&mut self, kind: &'static Kind, count: usize, image: Option<u32>, example: impl FnOnce() -> String) {
        if count == 0 {
            return;
        }
        let at = self.0.iter().position(|(other, _)| *other == kind).unwrap_or_else(|| {
            self.0.push((kind, Seen::default()));
            self.0.len() - 1
        });
        self.0[at].1.add(count, image, example);
    }

    /// The findings.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let finding = |(kind, seen): (&Kind, Seen)| {
            let sentence = match seen.count {
                1 => kind.one.to_owned(),
                n => kind.many.replacen("{}", &n.to_string(), 1),
            };
            seen.finding(kind.code, sentence, kind.fix)
        };
        self.0.into_iter().map(finding).collect()
    }
}
