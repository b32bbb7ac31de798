//! Suspects in the ground truth, what a person makes of them, and the corrected ground truth beside the original.

use std::sync::Arc;

use super::{Joined, Session, ignoring_known};
use crate::convert::ground_truth::{GroundTruthFile, corrected};
use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::options::Options;
use crate::render::suspects::SuspectsFormat;
use crate::report::suspects::{CorrectionsReport, SuspectsReport};
use crate::run::{Prepared, Run};
use crate::suspects::{Mark, Suspect, corrections, read_marks, suspects};

impl Session {
    /// The suspects in the ground truth by all runs but fused ones, which agree with their parts, with their marks; if any is marked as wrong, with the scores under both ground
    /// truths.
    ///
    /// # Errors
    /// If no run can be scored, or the corrected ground truth cannot be written or scored.
    pub fn suspects(&mut self, options: &Options) -> Result<SuspectsReport, Error> {
        let found = self.found_suspects(options)?;
        let Joined { ground_truth, runs, .. } = self.joined_of(self.runs_of_files())?;
        let suspects = self.marked(&found);
        let n_marked = suspects.iter().filter(|suspect| suspect.mark.is_some()).count();
        let n_elsewhere = self.marks.len().saturating_sub(n_marked);
        let mut report = SuspectsReport::new(ground_truth, &runs, options, suspects, n_elsewhere);
        if report.counts.iter().any(|of| of.n_wrong > 0) {
            let file = corrected_file(ground_truth, &report.suspects)?;
            let truth = self.read_as(ground_truth, &file)?;
            let again = runs.iter().map(|run| joined_again(&truth, run)).collect::<Result<Vec<Run>, Error>>()?;
            let runs: Vec<&Run> = runs.iter().map(|prepared| &prepared.run).collect();
            let original = crate::evaluate(ground_truth, &runs, options);
            let on_corrected = crate::evaluate(&truth, &again.iter().collect::<Vec<_>>(), options);
            report.corrections = Some(CorrectionsReport::new(&truth, file.notes, &original, &on_corrected));
        }
        Ok(report)
    }

    /// The same as a file.
    ///
    /// # Errors
    /// As [`Session::suspects`].
    pub fn export_suspects(&mut self, format: SuspectsFormat, options: &Options) -> Result<Vec<u8>, Error> {
        format.bytes(&self.suspects(options)?)
    }

    /// Marks a suspect by its id, or takes its mark away. Marks stay when files and options change, and count where their suspects are.
    pub fn mark_suspect(&mut self, id: &str, mark: Option<Mark>) {
        match mark {
            Some(mark) => drop(self.marks.insert(id.to_owned(), mark)),
            None => drop(self.marks.remove(id)),
        }
    }

    /// Reads the marks of a table of suspects that a person filled in; those it does not tell stay. `name` is the file's base name.
    ///
    /// # Errors
    /// As [`read_marks`], and if no run can be scored; then nothing has changed.
    pub fn read_marks(&mut self, name: &str, bytes: &[u8], options: &Options) -> Result<(), Error> {
        let marks = read_marks(name, bytes, &self.found_suspects(options)?)?;
        self.marks.extend(marks);
        Ok(())
    }

    /// The ground truth as its file tells it, with what is marked as wrong corrected, as a file beside the original.
    ///
    /// # Errors
    /// If nothing is marked as wrong, or it cannot be written.
    pub fn corrected_ground_truth(&mut self, options: &Options) -> Result<GroundTruthFile, Error> {
        let found = self.found_suspects(options)?;
        corrected_file(self.ground_truth()?, &self.marked(&found))
    }

    /// Found once for the same files and options.
    fn found_suspects(&mut self, options: &Options) -> Result<Arc<[Suspect]>, Error> {
        self.set_measure(options.hit().measure());
        self.join();
        if let Some((_, known)) = self.suspects.as_ref().filter(|(of, _)| of == options) {
            return Ok(Arc::clone(known));
        }
        let Joined { ground_truth, runs, .. } = self.joined_of(self.runs_of_files())?;
        let found: Arc<[Suspect]> = suspects(ground_truth, &runs, options).into();
        self.suspects = Some((options.clone(), Arc::clone(&found)));
        Ok(found)
    }

    fn marked(&self, found: &[Suspect]) -> Vec<Suspect> {
        let marked = |suspect: &Suspect| Suspect { mark: self.marks.get(&suspect.id).copied(), ..suspect.clone() };
        found.iter().map(marked).collect()
    }

    /// Reads what was written, to be evaluated as the original is.
    fn read_as(&self, original: &GroundTruth, file: &GroundTruthFile) -> Result<GroundTruth, Error> {
        let told = crate::read_ground_truth(&file.name, &file.bytes)?;
        let protocol = self.protocol.as_ref().unwrap_or_else(|| original.as_told().protocol());
        let truth = ignoring_known(told.under(Some(protocol))?, &self.ignored);
        Ok(truth.measured_by(original.protocol().measure()))
    }
}

/// The same run on another ground truth.
fn joined_again(ground_truth: &GroundTruth, prepared: &Prepared) -> Result<Run, Error> {
    let Prepared { run, predictions } = prepared;
    let failed = |errors: Vec<Error>| {
        let none = || Error::new(ground_truth.name(), "a run cannot be joined to it", "the images of the original");
        errors.into_iter().next().unwrap_or_else(none)
    };
    Ok(Run::new(ground_truth, predictions).map_err(failed)?.examined(run.reading().clone(), Vec::new()))
}

fn corrected_file(ground_truth: &GroundTruth, suspects: &[Suspect]) -> Result<GroundTruthFile, Error> {
    let (corrections, passed_over) = corrections(suspects);
    if corrections.is_empty() {
        let expected = "one at least, whose lesion is to be corrected";
        return Err(Error::option("Marks", "no suspect in the list is marked as wrong", expected));
    }
    let mut file = corrected(ground_truth, &corrections)?;
    file.notes.extend(passed_over.iter().map(|one| {
        format!("Passed over: the mark of \"{}\", since its lesion in {} gets another class already.", one.id, one.name)
    }));
    Ok(file)
}
