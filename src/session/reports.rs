//! Reports that were added: their runs stand behind those that are scored here.

use super::{FileFailure, Session};
use crate::error::Error;
use crate::input;
use crate::render::Format;
use crate::report::{CurveReport, Report};

/// A report that was added.
pub(super) struct Kept {
    pub report: Report,
    /// Base name of its file.
    name: String,
    /// SHA-256 of that.
    pub sha256: String,
}

impl Kept {
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { report: Report::read(name, bytes)?, name: name.to_owned(), sha256: input::sha256(bytes) })
    }

    /// The ids of its runs: that of the file or, of several, with `/` and the number of the run behind it.
    fn run_ids(&self, id: &str) -> Vec<String> {
        match self.report.runs.len() {
            1 => vec![id.to_owned()],
            n => (1..=n).map(|number| format!("{id}/{number}")).collect(),
        }
    }
}

impl Session {
    /// Puts the runs of the reports behind those of the last one; of those that cannot be compared with it, tells why not.
    pub(super) fn use_reports(&mut self) {
        let outcome = &mut self.outcome;
        for (id, kept) in &self.reports {
            let added = match &mut outcome.report {
                Some(report) => report.add_runs_of(&kept.name, &kept.report),
                none => {
                    *none = Some(kept.report.clone());
                    Ok(())
                }
            };
            match added {
                Ok(()) => {
                    let run_ids = kept.run_ids(id);
                    outcome.file_ids.extend(run_ids.iter().map(|_| id.clone()));
                    outcome.run_ids.extend(run_ids);
                }
                Err(error) => {
                    outcome.failures.push(FileFailure {
                        id: id.clone(),
                        errors: vec![(&error).into()],
                        remedies: Vec::new(),
                    });
                }
            }
        }
    }

    /// The last report as the bytes of a file that is handed on: without the names of images and the parts that a table makes of them, unless
    /// these are wanted.
    ///
    /// # Errors
    /// If there is no report.
    pub fn report_to_share(&self, with_image_names: bool, with_table: bool) -> Result<Vec<u8>, Error> {
        let none = || Error::new("report", "there is none", "a ground truth and a run that can be scored");
        let mut report = self.outcome.report.clone().ok_or_else(none)?;
        if !with_image_names {
            report = report.without_image_names();
        }
        if !with_table {
            report = report.without_table();
        }
        Format::Json.bytes(&report)
    }

    /// The report that holds a run, and the place of the run in it.
    fn kept(&self, run: &str) -> Option<(&Kept, usize)> {
        self.reports.iter().find_map(|(id, kept)| {
            let at = kept.run_ids(id).iter().position(|other| other == run)?;
            Some((kept, at))
        })
    }

    pub(super) fn kept_curve(&self, run: &str, row: &str) -> Option<CurveReport> {
        let (kept, at) = self.kept(run)?;
        kept.report.kept_curve(at, row)
    }

    /// Why a run cannot be asked for its boxes.
    pub(super) fn without_boxes(&self, run: &str) -> Error {
        self.kept(run).map_or_else(
            || Error::new("run", "there is no such run", "the id of a run that was scored"),
            |(kept, _)| {
                let expected = "the ground truth and the predictions themselves, to see images";
                Error::new(&kept.name, "it is a report, which holds no boxes", expected)
            },
        )
    }
}
