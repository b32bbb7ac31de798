//! A zip with a text file for each image, a line `class x y width height score` for each box, as fractions of the image; and `classes.txt`.

use std::io::{self, Write};

use super::{Conversion, Row, Rows, check_class_names, nearest, numbers, packed};
use crate::error::Error;
use crate::geometry::{FileBox, ImageSize};
use crate::input::yolo;

const CLASSES: &str = "classes.txt";

pub(super) fn write(rows: &Rows<'_>, conversion: &mut Conversion, out: impl Write) -> Result<io::Result<()>, Error> {
    let labels = || rows.images().map(|(_, name)| yolo::file_of(name));
    let names = || std::iter::once(CLASSES.to_owned()).chain(labels());
    let classes = rows.ground_truth.protocol().class_names();
    check_class_names(rows.ground_truth)?;
    rows.check_lines(classes.iter().map(String::as_str))?;
    if let Some(name) = labels().find(|name| !yolo::is_of_image(name)) {
        let what = format!("the file of an image would be \"{name}\"");
        return Err(Error::new(
            rows.ground_truth.name(),
            what,
            "another name, since one such file means something else",
        ));
    }
    packed::check(rows.ground_truth.name(), names())?;
    let is_without_size =
        |image: &usize| rows.ground_truth.size_of_image(*image).is_none() && rows.of(*image).next().is_some();
    if let Some(image) = (0..rows.ground_truth.n_images()).find(is_without_size) {
        let what = format!("it does not tell how large \"{}\" is", &rows.ground_truth.images()[image]);
        let expected = "a ground truth that tells the size of each image, since this format writes fractions of it";
        return Err(Error::new(rows.ground_truth.name(), what, expected));
    }
    Ok(packed::zip(out, names(), |at, file| match at.checked_sub(1) {
        None => classes.iter().try_for_each(|class| writeln!(file, "{class}")),
        Some(image) => write_image(rows, image, conversion, file),
    }))
}

fn write_image(rows: &Rows<'_>, image: usize, conversion: &mut Conversion, file: &mut Vec<u8>) -> io::Result<()> {
    // An image without a size has no boxes here.
    let ImageSize { width, height } = rows.ground_truth.size_of_image(image).unwrap_or(ImageSize::CHESTX_DET);
    let [across, down] = [width, height].map(f64::from);
    for Row { class, bbox, score } in rows.of(image) {
        let [x, width] = side([bbox.x1, bbox.x2], across);
        let [y, height] = side([bbox.y1, bbox.y2], down);
        write!(file, "{} ", class.index())?;
        numbers(file, &[x, y, width, height, score], b" ")?;
        file.push(b'\n');
        let ([x1, x2], [y1, y2]) = (read([x, width], across), read([y, height], down));
        conversion.compare(bbox, FileBox { x1, y1, x2, y2 });
        conversion.n_detections += 1;
    }
    Ok(())
}

/// The two sides that a reader makes of a centre and a size.
fn read([centre, size]: [f64; 2], pixels: f64) -> [f64; 2] {
    yolo::sides(centre, size).map(|side| side * pixels)
}

fn side(sides: [f64; 2], pixels: f64) -> [f64; 2] {
    let [from, to] = sides.map(|side| side / pixels);
    let size = to - from;
    nearest(sides, [from + size / 2.0, size], |written| read(written, pixels))
}
