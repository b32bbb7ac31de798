//! A zip with one JSON file for each image, named as the official script looks for it: a list with an object for each box.

use std::io::{self, Write};

use super::{Conversion, Rows, check_class_names, numbers, packed, text};
use crate::error::Error;

pub(super) fn write(rows: &Rows<'_>, conversion: &mut Conversion, out: impl Write) -> Result<io::Result<()>, Error> {
    let names = || rows.images().map(|(image, _)| rows.ground_truth.prediction_file(image).into_owned());
    check_class_names(rows.ground_truth)?;
    packed::check(rows.ground_truth.name(), names())?;
    let n_without = rows.ground_truth.n_images().saturating_sub(rows.run.run.n_files());
    if n_without > 0 {
        let images = if n_without == 1 { "image without a file has" } else { "images without a file have" };
        conversion
            .notes
            .push(format!("Added: {n_without} {images} one without detections, since there is a file for each image."));
    }
    Ok(packed::zip(out, names(), |image, file| {
        let before = conversion.n_detections;
        file.push(b'[');
        for row in rows.of(image) {
            file.extend(if conversion.n_detections > before { &b",\n"[..] } else { b"" });
            file.push(b'{');
            text(file, rows.class_name(row.class))?;
            file.extend(b":[");
            let bbox = row.bbox;
            numbers(file, &[bbox.x1, bbox.y1, bbox.x2, bbox.y2, row.score], b",")?;
            file.extend(b"]}");
            conversion.n_detections += 1;
        }
        file.extend(b"]\n");
        Ok(())
    }))
}
