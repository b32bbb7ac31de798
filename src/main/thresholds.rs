//! `froc score --save-thresholds` and `--thresholds`: score thresholds chosen on some images and used on others.

use std::fs::File;
use std::path::PathBuf;

use froc::session::Session;
use froc::{Options, Thresholds, input};

use super::gates::written;
use super::{base_name, one};

/// Files of score thresholds.
#[derive(clap::Args, Default, PartialEq)]
pub(super) struct ThresholdFiles {
    /// Write the score thresholds of a run as JSON, or as a table into a file that ends in .csv, to be used on other images: for
    /// each class and rate the lowest at which the false positives per image are not above the rate.
    #[arg(long, value_name = "FILE")]
    save_thresholds: Option<PathBuf>,
    /// Add what the score thresholds of such a file reach on these images: recall, false positives per image and precision,
    /// and by how much thresholds chosen on these images would flatter.
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,
}

impl ThresholdFiles {
    /// Whether the runs are to be scored at the thresholds of a file.
    pub(super) const fn are_given(&self) -> bool {
        self.thresholds.is_some()
    }

    /// Reads the file of thresholds and adds what they reach to the last report; then writes those of its run.
    ///
    /// # Errors
    /// If a file cannot be read or written, its thresholds do not fit, or there are several runs to write thresholds of.
    pub(super) fn work(&self, session: &mut Session, options: &Options) -> Result<(), Vec<String>> {
        if let Some(path) = &self.thresholds {
            let name = base_name(path);
            let cannot = |error: std::io::Error| {
                let path = path.display();
                vec![format!("{path}: it cannot be read ({error}); expected what --save-thresholds wrote.")]
            };
            let bytes = input::load_thresholds(&name, File::open(path).map_err(cannot)?).map_err(one)?;
            session.add_thresholds(&Thresholds::read(&name, &bytes).map_err(one)?).map_err(one)?;
        }
        if let Some(path) = &self.save_thresholds {
            let runs = session.run_ids();
            let [run] = runs.as_slice() else {
                let n = runs.len();
                return Err(vec![format!(
                    "--save-thresholds: there are {n} runs; expected one, whose thresholds they are."
                )]);
            };
            let is_table = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
            let written_as = if is_table { Thresholds::csv } else { Thresholds::json };
            let bytes = session.thresholds(run, options).and_then(|chosen| written_as(&chosen)).map_err(one)?;
            written(path, &bytes, false)?;
        }
        Ok(())
    }
}
