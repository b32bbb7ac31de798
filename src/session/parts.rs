//! Several files as one run, and the offer to read them so.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Readable, Session};
use crate::dataset::{GroundTruth, Predictions};
use crate::doctor::Refusal;
use crate::doctor::parts::{CODE, Part, groups, offer};
use crate::error::Error;
use crate::input;
use crate::reading::Reading;
use crate::run::Prepared;

/// What a file of predictions is beside the others.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    /// The first part of a run with these others; a run of its own, if there are none.
    With(Vec<Arc<Predictions>>),
    /// Another part of the run of a file.
    Of,
}

impl Session {
    /// What each file of predictions is, as the readings have it.
    pub(super) fn parts(&self) -> Vec<Parts> {
        self.places_of_parts()
            .into_iter()
            .map(|places| {
                places.map_or(Parts::Of, |places| {
                    Parts::With(places.into_iter().map(|at| Arc::clone(&self.predictions[at].1.predictions)).collect())
                })
            })
            .collect()
    }

    /// The places of the other parts of the run of each file; none for a file that is another part itself.
    fn places_of_parts(&self) -> Vec<Option<Vec<usize>>> {
        let files = &self.predictions;
        let mut places = vec![Some(Vec::new()); files.len()];
        for (at, (_, file)) in files.iter().enumerate() {
            for name in &file.reading.together_with {
                let is_free = |other: &usize| {
                    let (_, part) = &files[*other];
                    *other != at
                        && part.predictions.name() == name
                        && part.reading.together_with.is_empty()
                        && places[*other].is_some()
                };
                if let Some(other) = (0..files.len()).find(is_free)
                    && let Some(of) = &mut places[at]
                {
                    of.push(other);
                    places[other] = None;
                }
            }
        }
        places
    }

    /// Forgets runs of several files, which one of these may leave, and what was offered.
    pub(super) fn forget_parts(&mut self) {
        self.are_parts_told = false;
        let is_of_parts = |file: &Readable| {
            !file.reading.together_with.is_empty()
                || file.runs.as_ref().is_some_and(|runs| runs.as_ref().is_ok_and(Vec::is_empty))
        };
        self.predictions.iter_mut().filter(|(_, file)| is_of_parts(file)).for_each(|(_, file)| file.runs = None);
    }

    /// Tells the SHA-256 of each run of several files, once those of all of them are known: as of a folder with these files.
    pub(super) fn tell_digests_of_parts(&self) {
        for ((_, file), others) in self.predictions.iter().zip(self.parts()) {
            let Parts::With(others) = others else { continue };
            if others.is_empty() {
                continue;
            }
            let digest_of = |part: &Arc<Predictions>| Some((part.name().to_owned(), part.sha256().get()?.to_owned()));
            let digests = [&file.predictions].into_iter().chain(&others).map(digest_of);
            let Some(mut digests) = digests.collect::<Option<Vec<_>>>() else { continue };
            digests.sort();
            let mut lines = String::new();
            for (name, sha256) in digests {
                // Writing to a String cannot fail.
                let _ = writeln!(lines, "{name}\0{sha256}");
            }
            for (_, prepared) in file.runs.iter().flatten().flatten() {
                prepared.predictions.sha256().set(input::sha256(lines.as_bytes()));
            }
        }
    }

    /// The files that look like parts of one run, by their places.
    fn look_like_parts(&self) -> Vec<Vec<usize>> {
        let Ok(ground_truth) = self.ground_truth() else { return Vec::new() };
        let places: Vec<usize> = (0..self.predictions.len()).filter(|at| self.part(*at).is_some()).collect();
        let files: Vec<Part<'_>> = places.iter().filter_map(|at| self.part(*at)).collect();
        groups(ground_truth, &files).into_iter().map(|group| group.into_iter().map(|at| places[at]).collect()).collect()
    }

    /// A file that makes one run by itself.
    fn part(&self, at: usize) -> Option<Part<'_>> {
        let (_, Readable { predictions, reading, runs, .. }) = self.predictions.get(at)?;
        let [(_, prepared)] = runs.as_ref()?.as_ref().ok()?.as_slice() else { return None };
        reading.together_with.is_empty().then_some(Part { predictions, reading, prepared })
    }

    /// Tells among the findings of runs which files look like parts of one run.
    pub(super) fn tell_parts(&mut self) {
        if std::mem::replace(&mut self.are_parts_told, true) {
            return;
        }
        let mut offers: Vec<(usize, _)> = Vec::new();
        for group in self.look_like_parts() {
            let parts: Vec<Part<'_>> = group.iter().filter_map(|at| self.part(*at)).collect();
            let offer = self.ground_truth().ok().and_then(|ground_truth| offer(ground_truth, &parts));
            offers.extend(group.first().copied().zip(offer));
        }
        for (at, (_, file)) in self.predictions.iter_mut().enumerate() {
            let offer = offers.iter().find(|(of, _)| *of == at).map(|(_, finding)| finding.clone());
            if let Some(Ok(runs)) = &mut file.runs
                && let [(_, prepared)] = runs.as_mut_slice()
            {
                prepared.run.tell_first(CODE, offer);
            }
        }
    }

    /// Reads files that look like parts of one run as one: those whose names differ by a number alone, if no image is in two of them.
    ///
    /// # Errors
    /// If there are none; then nothing changes.
    pub fn join_parts(&mut self) -> Result<(), Error> {
        self.join();
        let groups = self.look_like_parts();
        if groups.is_empty() {
            let expected =
                "files whose names differ by a number alone, such as a-001.zip and a-002.zip, with other images each";
            return Err(Error::option("join", "no predictions look like parts of one run", expected));
        }
        for group in groups {
            let Some((first, others)) = group.split_first() else { continue };
            let names = others.iter().map(|at| self.predictions[*at].1.predictions.name().to_owned()).collect();
            let (id, file) = &self.predictions[*first];
            let reading = Reading { together_with: names, ..file.reading.clone() };
            self.set_reading(&id.clone(), reading);
        }
        Ok(())
    }
}

impl Readable {
    /// The runs that the file makes with its other parts.
    pub(super) fn prepared(&self, ground_truth: &GroundTruth, parts: Parts) -> Result<Vec<Prepared>, Refusal> {
        let Parts::With(others) = parts else { return Ok(Vec::new()) };
        // Of those that were chosen, those that are here.
        let together_with = others.iter().map(|part| part.name().to_owned()).collect();
        let reading = Reading { together_with, fused: None, ..self.reading.clone() };
        if others.is_empty() {
            return crate::prepare(ground_truth, &self.predictions, &reading);
        }
        let all: Vec<&Predictions> = [&self.predictions].into_iter().chain(&others).map(Arc::as_ref).collect();
        let joined =
            Predictions::joined(&all).map_err(|error| Refusal { errors: vec![error], remedies: Vec::new() })?;
        crate::prepare(ground_truth, &Arc::new(joined), &reading)
    }
}
