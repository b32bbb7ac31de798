//! COCO's results: a list for a ground truth that gives its images ids; else an object that lists images and categories as well.

use std::io::{self, Write};

use super::{Conversion, Row, Rows, check_class_names, nearest, numbers, text};
use crate::error::Error;
use crate::geometry::FileBox;
use crate::protocol::Class;

pub(super) fn write(rows: &Rows<'_>, conversion: &mut Conversion, out: impl Write) -> Result<io::Result<()>, Error> {
    let n_without = (0..rows.ground_truth.n_images()).filter(|image| rows.of(*image).next().is_none()).count();
    if n_without == rows.ground_truth.n_images() {
        let expected = "at least one in this format, whose empty list could be that of anything";
        return Err(Error::new(rows.run.run.name(), "it has no detections", expected));
    }
    if n_without > 0 {
        let images = if n_without == 1 { "image without detections is" } else { "images without detections are" };
        conversion.notes.push(format!("Not in a list of boxes: {n_without} {images} named nowhere in it."));
    }
    if let Some(ids) = rows.ground_truth.image_ids() {
        let numbers = numbers_of_classes(rows)?;
        return Ok(write_list(rows, conversion, out, |image| id(ids[image]), |class| id(numbers[class.index()])));
    }
    check_class_names(rows.ground_truth)?;
    conversion.notes.push(
        "The ground truth has no ids, so the file lists its own images and categories; pycocotools takes what stands under \
         \"annotations\"."
            .to_owned(),
    );
    Ok(write_object(rows, conversion, out))
}

/// What files call each class.
fn numbers_of_classes<'a>(rows: &Rows<'a>) -> Result<Vec<&'a str>, Error> {
    let protocol = rows.ground_truth.protocol();
    let number = |class: Class| {
        let number = protocol.number(class).unwrap_or_default();
        if protocol.class_of_prediction(number) == Some(class) {
            return Ok(number);
        }
        let what = format!("its category \"{}\" has the id {number}", protocol.class_name(class));
        Err(Error::new(rows.ground_truth.name(), what, "an id that is no name of another category"))
    };
    protocol.classes().map(number).collect()
}

/// An id as JSON has it: a number where it is one.
pub(super) fn id(id: &str) -> String {
    let is_number = id.parse::<i64>().is_ok_and(|number| number.to_string() == id);
    if is_number { id.to_owned() } else { serde_json::Value::from(id).to_string() }
}

fn write_object(rows: &Rows<'_>, conversion: &mut Conversion, mut out: impl Write) -> io::Result<()> {
    let list = |out: &mut dyn Write, key: &str, name: &str, names: &mut dyn Iterator<Item = &str>| -> io::Result<()> {
        write!(out, "\"{key}\":[")?;
        for (at, one) in names.enumerate() {
            write!(out, "{}\n{{\"id\":{},\"{name}\":", if at > 0 { "," } else { "" }, at + 1)?;
            text(&mut &mut *out, one)?;
            out.write_all(b"}")?;
        }
        out.write_all(b"],\n")
    };
    out.write_all(b"{")?;
    list(&mut out, "images", "file_name", &mut rows.ground_truth.images().iter())?;
    let classes = rows.ground_truth.protocol().class_names();
    list(&mut out, "categories", "name", &mut classes.iter().map(String::as_str))?;
    out.write_all(b"\"annotations\":")?;
    write_list(rows, conversion, &mut out, |image| (image + 1).to_string(), |class| (class.index() + 1).to_string())?;
    out.write_all(b"}\n")
}

fn write_list(
    rows: &Rows<'_>,
    conversion: &mut Conversion,
    mut out: impl Write,
    image_id: impl Fn(usize) -> String,
    category_id: impl Fn(Class) -> String,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for image in 0..rows.ground_truth.n_images() {
        for Row { class, bbox, score } in rows.of(image) {
            let comma = if conversion.n_detections > 0 { "," } else { "" };
            let (image, category) = (image_id(image), category_id(class));
            write!(out, "{comma}\n{{\"image_id\":{image},\"category_id\":{category},\"bbox\":[")?;
            let (x, width) = side(bbox.x1, bbox.x2);
            let (y, height) = side(bbox.y1, bbox.y2);
            numbers(&mut out, &[x, y, width, height], b",")?;
            out.write_all(b"],\"score\":")?;
            numbers(&mut out, &[score], b"")?;
            out.write_all(b"}")?;
            conversion.compare(bbox, FileBox { x1: x, y1: y, x2: x + width, y2: y + height });
            conversion.n_detections += 1;
        }
    }
    out.write_all(b"]\n")
}

/// Where a box begins, and its size, of which a reader makes the sides.
pub(super) fn side(from: f64, to: f64) -> (f64, f64) {
    let [size] = nearest([from, to], [to - from], |[size]| [from, from + size]);
    (from, size)
}
