//! Every detection and every missed lesion of runs, row by row: CSV and JSON.

use std::io::{self, Write};

use crate::dataset::GroundTruth;
use crate::diagnosis::{Diagnosis, operating_thresholds};
use crate::error::Error;
use crate::options::Options;
use crate::printable::no_formula;
use crate::report::errors::{ErrorRow, OperatingPoint};
use crate::report::image::ImageReport;
use crate::run::Prepared;

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorsFormat {
    /// A line of column names, and a line for each row.
    Csv,
    /// A list of objects, one a line.
    Json,
}

impl ErrorsFormat {
    /// The format of that name: `csv` or `json`.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(Error::option("Format", format!("there is \"{name}\""), "csv or json")),
        }
    }
}

/// Writes one row for each detection of a class and for each lesion that is missed at the exact operating points of
/// `fp_per_image`: run by run, image by image. Each row tells the rate, the IoU threshold and the score threshold of its
/// class. In CSV, names that a spreadsheet would run as a formula begin with an apostrophe.
///
/// # Errors
/// If `out` takes no more.
pub fn write(
    ground_truth: &GroundTruth,
    runs: &[&Prepared],
    options: &Options,
    fp_per_image: f64,
    format: ErrorsFormat,
    mut out: impl Write,
) -> io::Result<()> {
    match format {
        ErrorsFormat::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            each_row(ground_truth, runs, options, fp_per_image, |row| {
                let (run, image) = (no_formula(row.run), no_formula(row.image));
                csv.serialize(ErrorRow { run: &run, image: &image, ..row.clone() }).map_err(in_io)
            })?;
            csv.flush()
        }
        ErrorsFormat::Json => {
            out.write_all(b"[")?;
            let mut separator = "\n";
            each_row(ground_truth, runs, options, fp_per_image, |row| {
                out.write_all(separator.as_bytes())?;
                separator = ",\n";
                Ok(serde_json::to_writer(&mut out, row)?)
            })?;
            out.write_all(b"\n]\n")?;
            out.flush()
        }
    }
}

/// The error of the writer below, which tells a closed pipe from a full disk.
fn in_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

fn each_row(
    ground_truth: &GroundTruth,
    runs: &[&Prepared],
    options: &Options,
    fp_per_image: f64,
    mut write: impl FnMut(&ErrorRow<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for prepared in runs {
        let thresholds = operating_thresholds(ground_truth, &prepared.run, options.iou_threshold(), fp_per_image);
        let (protocol, hit) = (ground_truth.protocol(), options.hit());
        let at = OperatingPoint { fp_per_image, hit, protocol, thresholds: &thresholds };
        let diagnosis = Diagnosis::new(ground_truth, prepared, options.iou_threshold());
        for image in 0..ground_truth.n_images() as u32 {
            let image = ImageReport::new(ground_truth, prepared, &diagnosis, &thresholds, image);
            for row in ErrorRow::of_image(prepared.run.name(), at, &image) {
                write(&row)?;
            }
        }
    }
    Ok(())
}
