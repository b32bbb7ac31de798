//! Lesions that count neither as found nor against any detection.

use std::sync::Arc;

use crate::geometry::{BBox, FileBox};
use crate::protocol::Class;

/// Why a lesion is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IgnoredAs {
    /// It stands for a crowd (`iscrowd` of COCO).
    Crowd,
    /// It is hard to recognise (`difficult` of Pascal VOC).
    Difficult,
    /// A person asked to ignore its class.
    OfClass,
}

/// A ground-truth box that is not among the lesions: a detection that reaches it, and no lesion of its own class, counts as
/// nothing ([section 11](crate::metric)).
#[derive(Debug, Clone, PartialEq)]
pub struct IgnoredLesion {
    /// Place of the image in the ground truth.
    pub image: u32,
    /// The class whose detections count as nothing on it; `None` for those of every class, where its class is not scored.
    pub class: Option<Class>,
    /// The name of its class.
    pub class_name: Arc<str>,
    /// Why.
    pub reason: IgnoredAs,
    /// Where it is, as its file says.
    pub bbox: FileBox,
}

/// Ignored lesions image by image.
#[derive(Debug, Clone, Default)]
pub struct Ignored(Vec<IgnoredLesion>);

impl Ignored {
    /// Those of an image stay in order.
    pub fn new(mut lesions: Vec<IgnoredLesion>) -> Self {
        lesions.sort_by_key(|lesion| lesion.image);
        Self(lesions)
    }

    /// All of them.
    pub fn all(&self) -> &[IgnoredLesion] {
        &self.0
    }

    /// Those of an image.
    pub fn of(&self, image: usize) -> &[IgnoredLesion] {
        let from = &self.0[self.0.partition_point(|lesion| (lesion.image as usize) < image)..];
        &from[..from.partition_point(|lesion| lesion.image as usize == image)]
    }

    /// What detections of a class are compared with.
    pub fn beside(&self, class: Class) -> IgnoredBeside {
        let mut beside = IgnoredBeside::default();
        for lesion in self.0.iter().filter(|lesion| lesion.class.is_none_or(|of| of == class)) {
            beside.images.push(lesion.image);
            beside.boxes.push(lesion.bbox.rounded());
        }
        beside
    }
}

/// The ignored lesions that detections of one class may be on, image by image.
#[derive(Debug, Clone, Default)]
pub struct IgnoredBeside {
    images: Vec<u32>,
    boxes: Vec<BBox>,
}

impl IgnoredBeside {
    /// Those of an image.
    #[must_use]
    pub fn of(&self, image: usize) -> &[BBox] {
        let start = self.images.partition_point(|other| (*other as usize) < image);
        let n = self.images[start..].partition_point(|other| *other as usize == image);
        &self.boxes[start..start + n]
    }
}
