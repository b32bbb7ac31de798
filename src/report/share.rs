//! What of a report is handed on with a page, by choice.

use super::Report;

impl Report {
    /// The same without examples of findings, which name images and tell some of their boxes.
    #[must_use]
    pub fn without_image_names(mut self) -> Self {
        for finding in self.findings.iter_mut().chain(self.runs.iter_mut().flat_map(|run| &mut run.findings)) {
            finding.examples.clear();
        }
        self
    }

    /// The same without what is reached in the slices that a table divides the images into, whose names are values of that table;
    /// slices that need none stay.
    #[must_use]
    pub fn without_table(mut self) -> Self {
        if self.options.slices.as_ref().is_some_and(|slices| slices.name.is_some()) {
            self.options.slices = None;
            self.slices.clear();
        }
        self
    }
}
