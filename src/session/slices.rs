//! The images divided by a table that was added, or by their lesions.

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::{Outcome, Session};
use crate::error::Error;
use crate::input::attributes::Attributes;
use crate::run::Run;
use crate::slices::{By, Choice, Division};

/// Something that images can be divided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct SliceChoice {
    /// A column of the table, or what needs none.
    pub name: String,
    /// The same as [`Session::slice_by`] takes it.
    pub by: String,
    /// Its slices.
    pub n_slices: usize,
}

impl From<Choice> for SliceChoice {
    fn from(Choice { name, by, n_slices }: Choice) -> Self {
        Self { name, by, n_slices }
    }
}

impl Session {
    /// Divides the images by the table that was added last, or by what needs none, in the last report and all that follow, in place
    /// of what they were divided by before.
    ///
    /// # Errors
    /// If there is no ground truth or no such column, a column cannot be divided by, or the table does not fit; then nothing changes.
    pub fn slice_by(&mut self, by: Vec<By>) -> Result<&Outcome, Error> {
        self.join();
        if let Some(Err(error)) = &self.attributes {
            return Err(error.clone());
        }
        by.iter().try_for_each(|by| self.division(by).map(drop))?;
        self.by = by;
        self.use_slices();
        Ok(&self.outcome)
    }

    /// What the images can be divided by, by the table as far as it is joined to the ground truth.
    #[must_use]
    pub fn choices(&self) -> Vec<SliceChoice> {
        let Ok(ground_truth) = self.ground_truth() else { return Vec::new() };
        Division::choices(ground_truth, self.attributes()).into_iter().map(SliceChoice::from).collect()
    }

    /// Adds the slices to the last report; what a table that has gone told of the images is left out.
    pub(super) fn use_slices(&mut self) {
        let Some(report) = self.outcome.report.take() else { return };
        let divided: Vec<(By, Division)> =
            self.by.iter().filter_map(|by| Some((by.clone(), self.division(by).ok()?))).collect();
        let (by, divisions): (Vec<By>, Vec<Division>) = divided.into_iter().unzip();
        self.outcome.report = Some(match self.joined() {
            Ok(joined) => {
                let runs: Vec<&Run> = joined.runs.iter().map(|prepared| &prepared.run).collect();
                let bootstrap = self.drawn(&report);
                report.with_slices(joined.ground_truth, &runs, (&by, self.attributes(), &divisions), bootstrap)
            }
            Err(_) => report,
        });
        self.divisions = divisions;
    }

    fn division(&self, by: &By) -> Result<Division, Error> {
        Division::new(by, self.ground_truth()?, self.attributes())
    }

    fn attributes(&self) -> Option<&Attributes> {
        self.attributes.as_ref()?.as_ref().ok()
    }
}
