//! What a detection is, and why a lesion is missed.

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

/// What a detection that counts is, or why a lesion is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A detection that finds a lesion, or a lesion that is found.
    TruePositive,
    /// A false positive: a second box on a found lesion of its class.
    Duplicate,
    /// A false positive that overlaps a lesion of its class, found or not, by [`BADLY_PLACED`](super::BADLY_PLACED) at least, and too little.
    BadlyPlaced,
    /// A false positive on a lesion of another class.
    OnAnotherClass,
    /// A false positive somewhere else on an image that has lesions.
    Elsewhere,
    /// A false positive on an image without lesions.
    LesionFreeImage,
    /// A missed lesion that a detection below the score threshold finds.
    OutRanked,
    /// A missed lesion that detections of its class overlap by [`BADLY_PLACED`](super::BADLY_PLACED) at least, at whatever score.
    BadlyPlacedLesion,
    /// A missed lesion on which a detection of another class counts.
    SeenAsAnotherClass,
    /// A missed lesion on which nothing counts.
    NeverSeen,
    /// An ignored lesion, or a detection that reaches such lesions alone: neither counts for or against the run.
    Ignored,
}

/// What a detection and a lesion come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The detection finds a lesion.
    TruePositive,
    /// The detection finds none.
    FalsePositive,
    /// No detection that counts finds the lesion.
    MissedLesion,
    /// The detection, or the lesion, counts neither way.
    Ignored,
}

impl Category {
    /// The causes of false positives.
    pub const OF_FALSE_POSITIVES: [Self; 5] =
        [Self::Duplicate, Self::BadlyPlaced, Self::OnAnotherClass, Self::Elsewhere, Self::LesionFreeImage];

    /// The causes of missed lesions.
    pub const OF_MISSED_LESIONS: [Self; 4] =
        [Self::OutRanked, Self::BadlyPlacedLesion, Self::SeenAsAnotherClass, Self::NeverSeen];

    /// All nine causes, those of false positives first.
    pub fn causes() -> impl Iterator<Item = Self> {
        Self::OF_FALSE_POSITIVES.into_iter().chain(Self::OF_MISSED_LESIONS)
    }

    /// What it comes to.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::TruePositive => Outcome::TruePositive,
            Self::Duplicate | Self::BadlyPlaced | Self::OnAnotherClass | Self::Elsewhere | Self::LesionFreeImage => {
                Outcome::FalsePositive
            }
            Self::OutRanked | Self::BadlyPlacedLesion | Self::SeenAsAnotherClass | Self::NeverSeen => {
                Outcome::MissedLesion
            }
            Self::Ignored => Outcome::Ignored,
        }
    }

    /// The place among [`Category::causes`]; `None` for a true positive and for what is ignored.
    pub(super) fn cause(self) -> Option<usize> {
        (self as usize).checked_sub(Self::Duplicate as usize).filter(|_| self != Self::Ignored)
    }
}
