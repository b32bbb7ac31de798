//! One table with a row for each detection; an image without any has a row of its name alone.

use std::io::{self, Write};

use super::{Conversion, Row, Rows, check_class_names, number};
use crate::error::Error;

const HEADER: [&str; 7] = ["file_name", "label", "xmin", "ymin", "xmax", "ymax", "score"];

pub(super) fn write(rows: &Rows<'_>, conversion: &mut Conversion, out: impl Write) -> Result<io::Result<()>, Error> {
    check_class_names(rows.ground_truth)?;
    rows.check_lines(rows.ground_truth.protocol().class_names().iter().map(String::as_str))?;
    rows.check_lines(rows.ground_truth.images().iter())?;
    Ok(write_rows(rows, conversion, out))
}

fn write_rows(rows: &Rows<'_>, conversion: &mut Conversion, out: impl Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEADER)?;
    for (image, name) in rows.images() {
        let before = conversion.n_detections;
        for Row { class, bbox, score } in rows.of(image) {
            table.write_field(name)?;
            table.write_field(rows.class_name(class))?;
            for one in [bbox.x1, bbox.y1, bbox.x2, bbox.y2, score] {
                let mut text = Vec::new();
                number(&mut text, one)?;
                table.write_field(text)?;
            }
            table.write_record(None::<&[u8]>)?;
            conversion.n_detections += 1;
        }
        if conversion.n_detections == before {
            table.write_record([name, "", "", "", "", "", ""])?;
        }
    }
    table.flush()
}
