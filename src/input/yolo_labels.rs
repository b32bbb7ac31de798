//! Lesions of one image as YOLO's programs keep them for training: a line `class x y width height` for each box, the centre and the
//! sizes as fractions of the image, or `class x1 y1 x2 y2 x3 y3 ...` for an outline, whose box is read
//! (<https://docs.ultralytics.com/datasets/detect/>, <https://docs.ultralytics.com/datasets/segment/>). Classes are numbers; `classes.txt`
//! or `data.yaml` beside the files names them.
//!
//! Pictures beside the files tell how large the images are, and which images have no lesions; without any, boxes stay fractions.

use super::labels::{LabelFormat, Labels};
use super::yolo::sides;
use crate::error::Error;
use crate::geometry::FileBox;

/// The format.
pub const FORMAT: LabelFormat = LabelFormat { name: "YOLO labels", endings: &[".txt"], sniff: is_it, read };

const LINE: &str = "a line \"class x y width height\" in fractions of the image, such as \"3 0.5 0.5 0.1 0.2\"";

/// Whether a line of so many words is a box, or an outline.
const fn is_lesion(n_words: usize) -> bool {
    n_words == 5 || n_words >= 7 && n_words % 2 == 1
}

fn is_it(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    // An image without lesions has a file without lines.
    let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return true };
    let mut words = first.split_whitespace();
    words.next().is_some_and(|class| class.parse::<u32>().is_ok())
        && is_lesion(1 + words.clone().count())
        && words.all(|word| word.parse::<f64>().is_ok())
}

fn read(path: &str, bytes: &[u8], into: &mut Labels) -> Result<(), Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::new("", "it is not UTF-8", "UTF-8; save it again"))?;
    into.push_image_in_fractions(path)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    for ((line, number), n) in lines.zip(1..) {
        let wrong = |error: Error| error.within(&format!("line {number}"));
        let (class, bbox) = lesion(line).map_err(wrong)?;
        into.push_lesion(n, class, bbox, false).map_err(wrong)?;
    }
    Ok(())
}

/// Class and box of a line.
fn lesion(line: &str) -> Result<(&str, FileBox), Error> {
    /// Programs write a box that reaches over the edge of its image a little beyond it.
    const FURTHEST: f64 = 2.0;
    let mut words = line.split_whitespace();
    let class = words.next().unwrap_or_default();
    let number = |text: &str| {
        let number = text.parse::<f64>().ok().filter(|number| number.abs() <= FURTHEST);
        number.ok_or_else(|| Error::new("", format!("there is \"{}\"", super::json::shorten(text)), LINE))
    };
    let numbers: Vec<f64> = words.map(number).collect::<Result<_, _>>()?;
    if let [x, y, width, height] = numbers[..] {
        let ([x1, x2], [y1, y2]) = (sides(x, width), sides(y, height));
        return Ok((class, FileBox { x1, y1, x2, y2 }));
    }
    if !is_lesion(1 + numbers.len()) {
        return Err(Error::new("", format!("it has {} words", 1 + numbers.len()), LINE));
    }
    let ends = |from: usize| {
        let along = numbers.iter().skip(from).step_by(2).copied();
        [along.clone().fold(f64::INFINITY, f64::min), along.fold(f64::NEG_INFINITY, f64::max)]
    };
    let ([x1, x2], [y1, y2]) = (ends(0), ends(1));
    Ok((class, FileBox { x1, y1, x2, y2 }))
}
