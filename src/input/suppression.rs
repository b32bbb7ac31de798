//! Non-maximum suppression, a [`Reading`](crate::reading::Reading) ([section 1](crate::metric)).

use std::cmp::Ordering;

use crate::geometry::FileBox;
use crate::limits::MAX_SUPPRESSED_OF_IMAGE;

/// A detection of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Its number in the run; numbers rise.
    pub at: usize,
    /// Which it is compared with: those of the same group, which is their class.
    pub group: usize,
    /// Its box.
    pub bbox: FileBox,
    /// Its score, finite.
    pub score: f64,
}

/// Takes away the detections of an image that overlap one of their group which stays, and has a higher score or stands before them with
/// an equal one, by an IoU above `above`. The others stay in their order.
///
/// As `torchvision.ops.batched_nms` does with 64-bit numbers: widths are x2 - x1, an IoU that is equal to `above` is not above it, and one
/// of 0/0 is none.
///
/// ```
/// use froc::geometry::FileBox;
/// use froc::input::suppression::{Row, suppress};
/// let row = |at, x1, score| Row { at, group: 0, bbox: FileBox { x1, y1: 0.0, x2: x1 + 30.0, y2: 10.0 }, score };
/// // Neighbours overlap by an IoU of 0.5, and the first and the last by 0.2.
/// let mut rows = vec![row(0, 0.0, 0.7), row(1, 10.0, 0.8), row(2, 20.0, 0.7)];
/// suppress(&mut rows, 0.5).unwrap();
/// assert_eq!(rows.len(), 3);
/// suppress(&mut rows, 0.49).unwrap();
/// assert_eq!(rows, [row(1, 10.0, 0.8)]);
/// ```
///
/// # Errors
/// If one group has more than [`MAX_SUPPRESSED_OF_IMAGE`] detections: how many.
pub fn suppress(rows: &mut Vec<Row>, above: f64) -> Result<(), usize> {
    let by_score = |a: &Row, b: &Row| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal);
    // The sort is stable, so that of equal scores the first one stands first.
    rows.sort_by(|a, b| a.group.cmp(&b.group).then_with(|| by_score(a, b)));
    let largest = rows.chunk_by(|a, b| a.group == b.group).map(<[Row]>::len).max().unwrap_or(0);
    if largest > MAX_SUPPRESSED_OF_IMAGE {
        return Err(largest);
    }
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    for group in rows.chunk_by(|a, b| a.group == b.group) {
        let first = kept.len();
        for row in group {
            if !kept[first..].iter().any(|better| better.bbox.iou(row.bbox) > above) {
                kept.push(*row);
            }
        }
    }
    kept.sort_by_key(|row| row.at);
    *rows = kept;
    Ok(())
}
