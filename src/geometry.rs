//! Boxes and their overlap, in `f32` and in the official script's order of operations.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A rectangle on an image, in pixels: x grows to the right, y downwards.
///
/// `x1`, `y1` is the upper left corner and `x2`, `y2` the lower right one. Corners may be equal (a box of one pixel) or
/// swapped (an inverted box): nothing is repaired, since the official script repairs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BBox {
    /// Left edge.
    pub x1: f32,
    /// Upper edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Lower edge.
    pub y2: f32,
}

/// A [`BBox`] with the numbers of its file, before they are rounded to `f32`: what other evaluators than the official
/// script see.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FileBox {
    /// Left edge.
    pub x1: f64,
    /// Upper edge.
    pub y1: f64,
    /// Right edge.
    pub x2: f64,
    /// Lower edge.
    pub y2: f64,
}

impl FileBox {
    /// The box as the official script keeps it: each number the nearest `f32`, ties to even.
    ///
    /// ```
    /// use froc::geometry::FileBox;
    /// let bbox = FileBox { x1: 0.1, y1: 16_777_217.0, x2: 1.0, y2: 1.0 }.rounded();
    /// assert_eq!((bbox.x1, bbox.y1), (0.1_f32, 16_777_216.0));
    /// ```
    #[must_use]
    pub const fn rounded(self) -> BBox {
        BBox { x1: self.x1 as f32, y1: self.y1 as f32, x2: self.x2 as f32, y2: self.y2 as f32 }
    }

    /// The order by x1, then y1, x2 and y2, of which 0 is above -0 and equal boxes alone are the same.
    #[must_use]
    pub(crate) fn by_corners(self, other: Self) -> Ordering {
        let corners = |of: Self| [of.x1, of.y1, of.x2, of.y2];
        let differ = corners(self).into_iter().zip(corners(other)).map(|(a, b)| a.total_cmp(&b));
        differ.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Intersection over union in `f64`, 0..=1, with widths `x2 - x1`; the same whichever of the two comes first. Of two boxes
    /// without an area it is NaN, which is above nothing.
    ///
    /// ```
    /// use froc::geometry::FileBox;
    /// let [a, b] = [0.0, 10.0].map(|x1| FileBox { x1, y1: 0.0, x2: x1 + 30.0, y2: 10.0 });
    /// assert_eq!((a.iou(b), a.iou(a)), (0.5, 1.0));
    /// ```
    #[must_use]
    pub fn iou(self, other: Self) -> f64 {
        let area = |bbox: Self| (bbox.x2 - bbox.x1) * (bbox.y2 - bbox.y1);
        let width = (self.x2.min(other.x2) - self.x1.max(other.x1)).max(0.0);
        let height = (self.y2.min(other.y2) - self.y1.max(other.y1)).max(0.0);
        let intersection = width * height;
        intersection / (area(self) + area(other) - intersection)
    }
}

impl From<BBox> for FileBox {
    fn from(bbox: BBox) -> Self {
        Self { x1: bbox.x1.into(), y1: bbox.y1.into(), x2: bbox.x2.into(), y2: bbox.y2.into() }
    }
}

/// The width and the height of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageSize {
    /// Columns of pixels, above 0.
    pub width: f32,
    /// Rows of pixels, above 0.
    pub height: f32,
}

impl ImageSize {
    /// That of the images of `ChestX-Det10` and `ChestX-Det`.
    pub const CHESTX_DET: Self = Self { width: 1024.0, height: 1024.0 };
    /// That of an image of which boxes are told as fractions, and nothing tells its pixels.
    pub const FRACTIONS: Self = Self { width: 1.0, height: 1.0 };

    /// A size that a file tells; none unless both numbers are finite and above 0.
    ///
    /// ```
    /// use froc::geometry::ImageSize;
    /// assert_eq!(ImageSize::new(512.0, 640.0), Some(ImageSize { width: 512.0, height: 640.0 }));
    /// assert_eq!(ImageSize::new(0.0, 640.0), None);
    /// ```
    #[must_use]
    pub fn new(width: f64, height: f64) -> Option<Self> {
        let is_size = |side: f64| side > 0.0 && (side as f32).is_finite();
        (is_size(width) && is_size(height)).then_some(Self { width: width as f32, height: height as f32 })
    }
}

/// How far a box reaches: whether its last column and row of pixels belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Width is `x2 - x1 + 1`, as the official script counts: a box of one pixel has `x1 == x2`.
    PlusOne,
    /// Width is `x2 - x1`, as COCO counts.
    Plain,
}

impl Extent {
    /// The pixels added to widths and heights.
    const fn pad(self) -> f32 {
        match self {
            Self::PlusOne => 1.0,
            Self::Plain => 0.0,
        }
    }
}

impl BBox {
    /// The area in square pixels; negative if exactly one pair of corners is swapped, not finite if it overflows `f32`.
    ///
    /// ```
    /// use froc::geometry::{BBox, Extent};
    /// let pixel = BBox { x1: 7.0, y1: 7.0, x2: 7.0, y2: 7.0 };
    /// assert_eq!(pixel.area(Extent::PlusOne), 1.0);
    /// assert_eq!(pixel.area(Extent::Plain), 0.0);
    /// ```
    #[must_use]
    pub fn area(self, extent: Extent) -> f32 {
        let pad = extent.pad();
        (self.x2 - self.x1 + pad) * (self.y2 - self.y1 + pad)
    }

    /// The middle between the corners.
    fn centre(self) -> [f32; 2] {
        [f32::midpoint(self.x1, self.x2), f32::midpoint(self.y1, self.y2)]
    }

    /// Whether a point lies in it or on its border.
    fn holds(self, [x, y]: [f32; 2]) -> bool {
        self.x1 <= x && x <= self.x2 && self.y1 <= y && y <= self.y2
    }

    /// Whether no pixel of an image of that size is in it.
    #[must_use]
    pub fn is_outside(self, image: ImageSize) -> bool {
        let is_beyond = |a: f32, b: f32, side: f32| (a >= side && b >= side) || (a < 0.0 && b < 0.0);
        is_beyond(self.x1, self.x2, image.width) || is_beyond(self.y1, self.y2, image.height)
    }
}

/// Intersection over union of two boxes: 0 where they are apart, 1 where they are equal.
///
/// Within 0..=1 when both boxes have ordered corners; an inverted box can give any number, and NaN for 0/0.
/// Every step is rounded to `f32` in the order of [section 2](crate::metric), so that a comparison with the
/// IoU threshold falls as it does in the official script.
///
/// ```
/// use froc::geometry::{BBox, Extent, iou};
/// let a = BBox { x1: 0.0, y1: 0.0, x2: 9.0, y2: 9.0 };
/// let b = BBox { x1: 0.0, y1: 0.0, x2: 9.0, y2: 4.0 };
/// assert_eq!(iou(a, b, Extent::PlusOne), 0.5);
/// ```
#[doc(alias = "jaccard")]
#[must_use]
#[inline]
pub fn iou(a: BBox, b: BBox, extent: Extent) -> f32 {
    let intersection = intersection(a, b, extent);
    let union = a.area(extent) + b.area(extent) - intersection;
    intersection / union
}

/// The area that two boxes share, in square pixels.
#[inline]
fn intersection(a: BBox, b: BBox, extent: Extent) -> f32 {
    let pad = extent.pad();
    let width = greater(lesser(a.x2, b.x2) - greater(a.x1, b.x1) + pad, 0.0);
    let height = greater(lesser(a.y2, b.y2) - greater(a.y1, b.y1) + pad, 0.0);
    width * height
}

/// What decides which lesion a detection finds ([section 11](crate::metric)): the greater, the better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Intersection over union.
    #[default]
    Iou,
    /// Intersection over the area of the detection.
    Iobb,
    /// Intersection over the area of the lesion.
    Ior,
    /// How near the centres are, where that of the detection lies in the lesion's box, its border included.
    Centre,
    /// How near the centres are.
    Distance,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Iou, Self::Iobb, Self::Ior, Self::Centre, Self::Distance];

    /// By what name it is asked for, such as `iobb`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Iou => "iou",
            Self::Iobb => "iobb",
            Self::Ior => "ior",
            Self::Centre => "centre",
            Self::Distance => "distance",
        }
    }

    /// What it is called, such as `IoBB`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iou => "IoU",
            Self::Iobb => "IoBB",
            Self::Ior => "IoR",
            Self::Centre => "centre in the box",
            Self::Distance => "distance of the centres",
        }
    }

    /// Whether it is a share of areas, from 0 to 1.
    #[must_use]
    pub const fn is_share(self) -> bool {
        matches!(self, Self::Iou | Self::Iobb | Self::Ior)
    }

    /// That of a detection and a lesion: a share, or the distance of the centres in pixels with a minus, so that the greatest is
    /// the nearest; where there is nothing to find, [`Measure::nothing`]. Rounded to `f32` at every step.
    ///
    /// ```
    /// use froc::geometry::{BBox, Extent, Measure};
    /// let lesion = BBox { x1: 0.0, y1: 0.0, x2: 10.0, y2: 10.0 };
    /// let detection = BBox { x1: 0.0, y1: 0.0, x2: 5.0, y2: 10.0 };
    /// let measures = Measure::ALL.map(|measure| measure.of(detection, lesion, Extent::Plain));
    /// assert_eq!(measures, [0.5, 1.0, 0.5, -2.5, -2.5]);
    /// ```
    #[must_use]
    #[inline]
    pub fn of(self, detection: BBox, lesion: BBox, extent: Extent) -> f32 {
        match self {
            Self::Iou => iou(detection, lesion, extent),
            Self::Iobb => intersection(detection, lesion, extent) / detection.area(extent),
            Self::Ior => intersection(detection, lesion, extent) / lesion.area(extent),
            Self::Centre if !lesion.holds(detection.centre()) => self.nothing(),
            Self::Centre | Self::Distance => {
                let ([x, y], [u, v]) = (detection.centre(), lesion.centre());
                -((x - u) * (x - u) + (y - v) * (y - v)).sqrt()
            }
        }
    }

    /// That of a detection which finds no lesion under any threshold.
    #[must_use]
    pub const fn nothing(self) -> f32 {
        if self.is_share() { 0.0 } else { f32::NEG_INFINITY }
    }

    /// The least one that finds a lesion, where `threshold` is a share above 0 or, of [`Measure::Distance`], the greatest distance
    /// in pixels; for [`Measure::Centre`] it says nothing.
    #[must_use]
    pub const fn least(self, threshold: f64) -> f32 {
        match self {
            Self::Iou | Self::Iobb | Self::Ior => threshold as f32,
            Self::Centre => f32::MIN,
            Self::Distance => -(threshold as f32),
        }
    }
}

/// The lesser number of two, or the second if one is NaN. `f32::min` is a call of a function in WebAssembly.
const fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The greater number of two, or the second if one is NaN; likewise.
const fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
