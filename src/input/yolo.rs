//! Detections of one image as YOLO's programs write them: a line `class x y width height score` for each box, the centre and the
//! sizes as fractions of the image, whose size the ground truth tells. Classes are numbers; `classes.txt` or `data.yaml` beside the
//! files names them.
//!
//! Ultralytics writes the score with `save_conf=True`; without it the files are labels.

use super::records::checked;
use super::{Format, Part, ReadDetections, full, kept};
use crate::dataset::{Detections, Remarks, stem};
use crate::error::Error;
use crate::geometry::FileBox;

/// The format.
pub const FORMAT: Format =
    Format { name: "YOLO text files", endings: &[".txt"], sniff: is_it, read: ReadDetections::OfImage(read) };

const LINE: &str = "a line \"class x y width height score\", such as \"3 0.5 0.5 0.1 0.2 0.9\"";

fn is_it(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    // An image without detections has a file without lines.
    let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return true };
    let numbers: Vec<Option<f64>> = first.split_whitespace().map(|word| word.parse().ok()).collect();
    matches!(numbers.len(), 5 | 6) && numbers.iter().all(Option::is_some)
}

fn read(bytes: &[u8], into: &mut Detections) -> Result<Remarks, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::new("", "it is not UTF-8", "UTF-8; save it again"))?;
    for (line, number) in text.lines().zip(1..) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        read_line(&words, into).map_err(|error| error.within(&format!("line {number}")))?;
    }
    // A file of 0 bytes is how YOLO writes an image without detections.
    Ok(Remarks { is_in_fractions: true, ..Remarks::default() })
}

fn read_line(words: &[&str], into: &mut Detections) -> Result<(), Error> {
    let [class, numbers @ ..] = words else { return Ok(()) };
    let number = |text: &&str| {
        let number: Option<f64> = text.parse().ok().filter(|number: &f64| (*number as f32).is_finite());
        number.ok_or_else(|| Error::new("", format!("there is \"{text}\""), "a finite number"))
    };
    let numbers: Vec<f64> = numbers.iter().map(number).collect::<Result<_, _>>()?;
    let [x, y, width, height, score] = numbers[..] else {
        let what = format!("it has {} words", words.len());
        let what = if words.len() == 5 { format!("{what}, and no score") } else { what };
        let expected = if words.len() == 5 { "the score last; write it with save_conf=True" } else { LINE };
        return Err(Error::new("", what, expected));
    };
    let ([x1, x2], [y1, y2]) = (sides(x, width), sides(y, height));
    let bbox = checked(FileBox { x1, y1, x2, y2 })?;
    into.reserve(1).map_err(full)?;
    into.push_named(kept(class), bbox, score);
    Ok(())
}

/// The two sides of a box with that centre and size.
pub(crate) fn sides(centre: f64, size: f64) -> [f64; 2] {
    let from = centre - size / 2.0;
    [from, from + size]
}

/// The name of the file of an image.
pub(crate) fn file_of(image: &str) -> String {
    [stem(image), ".txt"].concat()
}

/// Whether a file of that name is read as one of an image: some names tell of classes, or speak to people.
pub(crate) fn is_of_image(path: &str) -> bool {
    class_names(path, b"").is_none() && Part::takes(path)
}

/// The names of the classes by their numbers, if a file of that path is a list of them.
pub(super) fn class_names(path: &str, bytes: &[u8]) -> Option<Vec<String>> {
    let base = path.rsplit('/').next().unwrap_or(path);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match base {
        "classes.txt" | "obj.names" | "labels.txt" | "names.txt" => {
            Some(text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect())
        }
        "data.yaml" | "dataset.yaml" | "data.yml" => Some(yaml_names(text)),
        _ => None,
    }
}

/// What stands under `names:`, in a list in brackets, or in lines that start with a dash or with a number and a colon.
fn yaml_names(text: &str) -> Vec<String> {
    let plain = |name: &str| name.trim().trim_matches(['"', '\'']).to_owned();
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("names:"));
    let first = lines.next().and_then(|line| line.split_once(':')).map_or("", |(_, rest)| rest.trim());
    if first.starts_with('[') {
        let list: String = std::iter::once(first).chain(lines).collect();
        let inside = list.trim_start_matches('[').split(']').next().unwrap_or_default();
        return inside.split(',').map(plain).filter(|name| !name.is_empty()).collect();
    }
    let name = |line: &str| {
        let line = line.trim();
        let dashed = line.strip_prefix('-');
        let numbered =
            || line.split_once(':').filter(|(number, _)| number.parse::<u16>().is_ok()).map(|(_, name)| name);
        dashed.or_else(numbered).map(plain)
    };
    lines.map_while(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_lists_of_any_shape() {
        let expected = Some(vec!["Nodule".to_owned(), "Mass".to_owned()]);
        for text in [
            "train: a\nnames: ['Nodule', \"Mass\"]\nnc: 2\n",
            "names:\n  0: Nodule\n  1: Mass\nnc: 2\n",
            "nc: 2\nnames:\n- Nodule\n- Mass\n",
            "names: [Nodule,\n  Mass]\n",
        ] {
            assert_eq!(class_names("run/data.yaml", text.as_bytes()), expected, "{text}");
        }
        assert_eq!(class_names("classes.txt", b"Nodule\r\nMass\r\n\r\n"), expected);
        assert_eq!(class_names("1.txt", b"0 0 0 0 0 0"), None);
    }
}
