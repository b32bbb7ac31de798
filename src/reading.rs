//! How prediction files are read where they are not as the official script expects: a choice of the person, never of froc.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::printable::in_a_row;

/// A way to read a set of predictions; the default is that of the official script. It changes no file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// What the first four numbers of a box are.
    pub boxes: Layout,
    /// The score stands before these four numbers, not after them.
    pub score_first: bool,
    /// Every coordinate is multiplied by this; 1 leaves it as it is.
    pub scale: Scale,
    /// This is added to every x and every y of a corner, once they are scaled: where the images were cropped or padded, in pixels.
    #[serde(skip_serializing_if = "shifts_nothing")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub offset: [f64; 2],
    /// Names of classes in the files, each with the class of the ground truth that it stands for, whatever it stands for otherwise.
    pub class_names: BTreeMap<String, String>,
    /// How the file of an image is found.
    pub file_names: FileNames,
    /// Files that cannot be read are left out: their images count as having no detections.
    pub leave_out_unreadable: bool,
    /// Numbers that are written as text are read.
    pub accept_text_numbers: bool,
    /// What several folders in one archive are.
    pub folders: Folders,
    /// Non-maximum suppression: of the boxes of one class in one image that overlap by more than this IoU, the one with the highest
    /// score is read. 0..=1; without it all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub nms: Option<f64>,
    /// The names of the other files that are parts of the same run, as far as these are there. The official script reads parts, too: out
    /// of one folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub together_with: Vec<String>,
    /// Of a run that is no file but made of several runs by weighted boxes fusion, how. Of files it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub fused: Option<Fused>,
}

/// How a run was made of several by weighted boxes fusion ([section 18](crate::metric)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct Fused {
    /// The runs, each of equal weight.
    pub of: Vec<FusedRun>,
    /// Boxes are one from an IoU above this on, 0..=1.
    pub iou_threshold: f64,
}

/// One of the runs of a fusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct FusedRun {
    /// What it is called.
    pub name: String,
    /// The highest score that was fused; `None` without detections. Scores of all runs are taken as of one scale.
    pub highest_score: Option<f64>,
}

impl Fused {
    /// What the run is called unless a person calls it otherwise.
    #[must_use]
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.of.iter().map(|run| run.name.as_str()).collect();
        format!("Fused {}", names.join(" + "))
    }

    fn sentence(&self) -> String {
        let names: Vec<&str> = self.of.iter().map(|run| run.name.as_str()).collect();
        // Enough digits to tell scales apart.
        let highest =
            |run: &FusedRun| run.highest_score.map_or_else(|| "none".to_owned(), |of| (of as f32).to_string());
        let highest: Vec<String> = self.of.iter().map(highest).collect();
        format!(
            "No run of files: {} fused by weighted boxes fusion at IoU {}, equal weights. It takes their scores as of one scale: \
             the highest are {}.",
            in_a_row(&names),
            self.iou_threshold,
            in_a_row(&highest.iter().map(String::as_str).collect::<Vec<_>>())
        )
    }
}

/// What coordinates are multiplied by: factors above 0. However it is written, the same factors are the same scale.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum Scale {
    /// All by the same.
    Same(f64),
    /// x and widths by the first, y and heights by the second.
    Each([f64; 2]),
}

impl Scale {
    /// For x and for y.
    #[must_use]
    pub const fn xy(self) -> [f64; 2] {
        match self {
            Self::Same(scale) => [scale, scale],
            Self::Each(scales) => scales,
        }
    }

    /// Whether it leaves coordinates as they are.
    #[must_use]
    pub fn is_one(self) -> bool {
        self.xy().iter().all(|scale| (scale - 1.0).abs() <= f64::EPSILON)
    }
}

impl PartialEq for Scale {
    fn eq(&self, other: &Self) -> bool {
        self.xy().iter().zip(other.xy()).all(|(a, b)| a.total_cmp(&b).is_eq())
    }
}

impl fmt::Display for Scale {
    /// One number, or two with a comma between them: as `froc score --scale` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y] = self.xy();
        if *self == Self::Same(x) { write!(f, "{x}") } else { write!(f, "{x},{y}") }
    }
}

/// Whether an offset shifts nothing.
pub(crate) fn shifts_nothing(offset: &[f64; 2]) -> bool {
    offset.iter().all(|number| number.abs() <= 0.0)
}

/// What the first four numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// x1, y1, x2, y2, as the official script reads.
    #[default]
    Corners,
    /// x1, y1, width, height.
    Xywh,
    /// Two opposite corners in any order.
    AnyCorners,
    /// y1, x1, y2, x2.
    Yxyx,
    /// Centre x, centre y, width, height.
    Cxcywh,
    /// x1, x2, y1, y2.
    Xxyy,
}

impl Layout {
    /// All layouts, the plainest first.
    pub const ALL: [Self; 6] = [Self::Corners, Self::Xywh, Self::Cxcywh, Self::AnyCorners, Self::Yxyx, Self::Xxyy];

    /// Whether the numbers are two opposite corners, x before y.
    #[must_use]
    pub const fn is_corners(self) -> bool {
        matches!(self, Self::Corners | Self::AnyCorners)
    }
}

/// How the file of an image is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum FileNames {
    /// By the exact name, with `.json` for `.png`.
    #[default]
    Exact,
    /// Without regard to case, endings, leading zeros, blanks, folders, and what all names have before or after.
    Loose,
}

/// What several folders in one archive are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Folders {
    /// Parts of one run.
    #[default]
    Together,
    /// A run each.
    Apart,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            boxes: Layout::default(),
            score_first: false,
            scale: Scale::Same(1.0),
            offset: [0.0; 2],
            class_names: BTreeMap::new(),
            file_names: FileNames::default(),
            leave_out_unreadable: false,
            accept_text_numbers: false,
            folders: Folders::default(),
            nms: None,
            together_with: Vec::new(),
            fused: None,
        }
    }
}

impl Reading {
    /// Whether this is how the official script reads.
    #[must_use]
    pub fn is_official(&self) -> bool {
        Self { together_with: Vec::new(), ..self.clone() } == Self::default()
    }

    /// Whether coordinates stay as they are.
    #[must_use]
    pub fn is_unscaled(&self) -> bool {
        self.scale.is_one() && shifts_nothing(&self.offset)
    }

    /// How coordinates are scaled and shifted, such as `coordinates are multiplied by 2`; `None` if they stay.
    fn moved(&self) -> Option<String> {
        let [x, y] = self.scale.xy();
        let scaled = match self.scale {
            scale if scale.is_one() => None,
            scale if scale == Scale::Same(x) => Some(format!("coordinates are multiplied by {x}")),
            _ => Some(format!("x is multiplied by {x} and y by {y}")),
        };
        let [x, y] = self.offset;
        let shifted = (!shifts_nothing(&self.offset)).then(|| format!("{x} is added to x and {y} to y"));
        let parts: Vec<String> = scaled.into_iter().chain(shifted).collect();
        (!parts.is_empty()).then(|| parts.join(", and "))
    }

    /// The flags of `froc score` that choose this reading.
    #[must_use]
    pub fn flags(&self) -> String {
        let mut flags = Vec::new();
        match self.boxes {
            Layout::Corners => {}
            Layout::Xywh => flags.push("--boxes xywh".to_owned()),
            Layout::AnyCorners => flags.push("--boxes any-corners".to_owned()),
            Layout::Yxyx => flags.push("--boxes yxyx".to_owned()),
            Layout::Cxcywh => flags.push("--boxes cxcywh".to_owned()),
            Layout::Xxyy => flags.push("--boxes xxyy".to_owned()),
        }
        if self.score_first {
            flags.push("--score-first".to_owned());
        }
        if !self.scale.is_one() {
            flags.push(format!("--scale {}", self.scale));
        }
        if !shifts_nothing(&self.offset) {
            let [x, y] = self.offset;
            flags.push(format!("--offset {x},{y}"));
        }
        flags.extend(self.class_names.iter().map(|(name, class)| format!("--class '{name}={class}'")));
        let switches = [
            (self.file_names == FileNames::Loose, "--loose-names"),
            (self.leave_out_unreadable, "--leave-out-unreadable"),
            (self.accept_text_numbers, "--accept-text-numbers"),
            (self.folders == Folders::Apart, "--folders-apart"),
        ];
        flags.extend(switches.iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| (*flag).to_owned()));
        flags.extend(self.nms.map(|above| format!("--nms {above}")));
        flags.extend((!self.together_with.is_empty()).then(|| "--join".to_owned()));
        flags.extend(self.fused.as_ref().map(|fused| format!("--fuse {}", fused.iou_threshold)));
        flags.join(" ")
    }

    /// What is done otherwise than by the official script, and which other files are read as parts of the run; nothing if nothing is.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let mut parts = Vec::new();
        match self.boxes {
            Layout::Corners => {}
            Layout::Xywh => parts.push("boxes are read as x, y, width, height".to_owned()),
            Layout::AnyCorners => parts.push("swapped corners of boxes are put in order".to_owned()),
            Layout::Yxyx => parts.push("boxes are read as y1, x1, y2, x2".to_owned()),
            Layout::Cxcywh => parts.push("boxes are read as centre x, centre y, width, height".to_owned()),
            Layout::Xxyy => parts.push("boxes are read as x1, x2, y1, y2".to_owned()),
        }
        if self.score_first {
            parts.push("the score is the first number of a box".to_owned());
        }
        parts.extend(self.moved());
        if !self.class_names.is_empty() {
            let names = self.class_names.iter().map(|(name, class)| format!("\"{name}\" as {class}"));
            parts.push(format!("class names are read so: {}", names.collect::<Vec<_>>().join(", ")));
        }
        if self.file_names == FileNames::Loose {
            parts.push("file names match without regard to case, endings, leading zeros, blanks, and what all names have in common".to_owned());
        }
        if self.leave_out_unreadable {
            parts.push("files that cannot be read are left out".to_owned());
        }
        if self.accept_text_numbers {
            parts.push("numbers written as text are read".to_owned());
        }
        if self.folders == Folders::Apart {
            parts.push("each folder is a run".to_owned());
        }
        if let Some(above) = self.nms {
            parts.push(format!(
                "boxes that overlap one of their class with a higher score by more than IoU {above} are suppressed"
            ));
        }
        let otherwise = (!parts.is_empty()).then(|| format!("Not as the official script reads: {}.", parts.join("; ")));
        let with = &self.together_with;
        let together = (!with.is_empty()).then(|| format!("Read as one run with {}.", with.join(", ")));
        let sentences: Vec<String> =
            otherwise.into_iter().chain(together).chain(self.fused.as_ref().map(Fused::sentence)).collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}
