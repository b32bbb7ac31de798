//! Runs that are made of the runs of files: a what-if beside them.

use super::{FileFailure, RestoredFusion, SavedFusedRun, SavedFusion, Session};
use crate::error::Error;
use crate::fusion::fuse;
use crate::reading::{FusedRun, Reading};
use crate::run::Prepared;

/// Several runs as one more.
pub(super) struct Fusion {
    /// The ids of the runs.
    of: Vec<String>,
    iou_threshold: f64,
    /// What a person calls it, if not after its runs.
    label: Option<String>,
    /// None until it is made, and while one of its runs is not there.
    run: Option<Result<Prepared, Error>>,
}

impl Session {
    /// Fuses runs of files from the next score on, in place of a fusion of the same before, and gives the id of the run that they make:
    /// it is compared like any run, for as long as all of them can be scored. The order of the runs decides nothing.
    ///
    /// # Errors
    /// If the threshold is no IoU, or there is no run among these; then nothing has changed.
    pub fn fuse(&mut self, of: &[String], iou_threshold: f64) -> Result<String, Error> {
        let is_fused = |id: &String| self.fusions.iter().any(|(fused, _)| fused == id);
        let mut of: Vec<String> = of.iter().filter(|id| !is_fused(id)).cloned().collect();
        of.sort();
        of.dedup();
        if of.is_empty() {
            return Err(Error::option("fuse", "there is no run to fuse", "predictions of two or more models"));
        }
        let mut id = format!("Fused {}", of.join(" + "));
        while self.predictions.iter().any(|(file, _)| *file == id) {
            id.push('\'');
        }
        self.keep_fused(id.clone(), Fusion { of, iou_threshold, label: None, run: None })?;
        Ok(id)
    }

    /// The same of all runs of files.
    ///
    /// # Errors
    /// As [`Session::fuse`].
    pub fn fuse_all(&mut self, iou_threshold: f64) -> Result<String, Error> {
        self.join();
        let all: Vec<String> = self.runs_of_files().map(|(_, run, _)| run.to_owned()).collect();
        self.fuse(&all, iou_threshold)
    }

    fn keep_fused(&mut self, id: String, fusion: Fusion) -> Result<(), Error> {
        crate::fusion::checked(fusion.iou_threshold)?;
        self.forget();
        self.fusions.retain(|(other, _)| *other != id);
        self.fusions.push((id, fusion));
        Ok(())
    }

    pub(super) fn rename_fused(&mut self, id: &str, name: &str) {
        if let Some((_, fusion)) = self.fusions.iter_mut().find(|(other, _)| other == id) {
            fusion.label = Some(name.to_owned());
        }
        self.name_fused();
    }

    pub(super) fn forget_fused(&mut self) {
        self.fusions.iter_mut().for_each(|(_, fusion)| fusion.run = None);
    }

    /// Makes fused runs, each once; gives those that cannot be.
    pub(super) fn join_fused(&mut self) -> Vec<FileFailure> {
        let Ok(ground_truth) = self.ground_truth() else { return Vec::new() };
        let made = |(id, fusion): &(String, Fusion)| {
            let parts = self.parts_of(fusion)?;
            fusion.run.is_none().then(|| (id.clone(), fuse(ground_truth, &parts, fusion.iou_threshold)))
        };
        let made: Vec<(String, Result<Prepared, Error>)> = self.fusions.iter().filter_map(made).collect();
        for (id, run) in made {
            if let Some((_, fusion)) = self.fusions.iter_mut().find(|(other, _)| *other == id) {
                fusion.run = Some(run);
            }
        }
        self.name_fused();
        let failure = |(id, fusion): &(String, Fusion)| {
            let error = fusion.run.as_ref()?.as_ref().err()?;
            Some(FileFailure { id: id.clone(), errors: vec![error.into()], remedies: Vec::new() })
        };
        self.fusions.iter().filter_map(failure).collect()
    }

    /// The runs that a fusion is of in the order of the files, if all of them are there.
    fn parts_of(&self, fusion: &Fusion) -> Option<Vec<&Prepared>> {
        let parts = self.runs_of_files().filter(|(_, run, _)| fusion.of.iter().any(|id| id == run));
        let parts: Vec<&Prepared> = parts.map(|(.., prepared)| prepared).collect();
        (parts.len() == fusion.of.len()).then_some(parts)
    }

    /// Calls fused runs after their parts, which may be called otherwise by now, or as a person does.
    fn name_fused(&mut self) {
        let name = |(_, fusion): &(String, Fusion)| {
            Some(self.parts_of(fusion)?.iter().map(|part| part.run.name().to_owned()).collect())
        };
        let names: Vec<Option<Vec<String>>> = self.fusions.iter().map(name).collect();
        for ((_, fusion), names) in self.fusions.iter_mut().zip(names) {
            let (Some(Ok(Prepared { run, .. })), Some(names)) = (&mut fusion.run, names) else { continue };
            let Some(mut fused) = run.reading().fused.clone() else { continue };
            fused.of.iter_mut().zip(names).for_each(|(FusedRun { name, .. }, now)| *name = now);
            run.rename(fusion.label.clone().unwrap_or_else(|| fused.name()));
            run.tell_reading(Reading { fused: Some(fused), ..Reading::default() });
        }
    }

    /// Those that can be scored, each with its id as that of its file and its own.
    pub(super) fn fused_runs(&self) -> impl Iterator<Item = (&str, &str, &Prepared)> {
        self.fusions.iter().filter_map(|(id, fusion)| {
            let prepared = fusion.run.as_ref()?.as_ref().ok()?;
            Some((id.as_str(), id.as_str(), prepared))
        })
    }

    /// The fusions as a session file tells them: runs by the places of their files. One whose runs are not all here is left out.
    pub(super) fn saved_fusions(&self) -> Vec<SavedFusion> {
        let place = |id: &String| {
            let (file, ..) = self.runs_of_files().find(|(_, run, _)| run == id)?;
            let predictions = self.predictions.iter().position(|(other, _)| other == file)?;
            Some(SavedFusedRun { predictions, folder: id.strip_prefix(file)?.to_owned() })
        };
        let saved = |(_, fusion): &(String, Fusion)| {
            let of = fusion.of.iter().map(place).collect::<Option<_>>()?;
            Some(SavedFusion { of, iou_threshold: fusion.iou_threshold, label: fusion.label.clone() })
        };
        self.fusions.iter().filter_map(saved).collect()
    }

    /// Fuses as it was when a session was saved, in place of what is fused; `ids` are those of its files, none for one that is not here.
    pub(super) fn restore_fusions(
        &mut self,
        saved: &[SavedFusion],
        ids: &[Option<String>],
    ) -> Result<Vec<RestoredFusion>, Error> {
        self.fusions = Vec::new();
        let mut restored = Vec::new();
        for SavedFusion { of, iou_threshold, label } in saved {
            let run = |run: &SavedFusedRun| Some(format!("{}{}", ids.get(run.predictions)?.as_ref()?, run.folder));
            let Some(of) = of.iter().map(run).collect::<Option<Vec<String>>>() else { continue };
            let id = self.fuse(&of, *iou_threshold)?;
            if let Some(label) = label {
                self.rename_fused(&id, label);
            }
            restored.push(RestoredFusion { id, of, iou_threshold: *iou_threshold, label: label.clone() });
        }
        Ok(restored)
    }
}
