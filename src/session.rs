//! Files, readings and options -> answers: all that the page and the terminal do. It keeps what was read and what was
//! computed of it, so that nothing is done twice, and forgets what a change makes wrong.
//!
//! A file is known by the id under which it was added. So is a run: by the id of its file, with `/` and the name of the folder
//! where each folder of the file is a run.

mod diagnosis;
mod file;
mod fusions;
mod parts;
mod reports;
mod slices;
mod statistics;
mod suspects;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow::Continue;
use std::sync::Arc;

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

pub use self::diagnosis::{CellQuery, GalleryQuery, View};
pub use self::file::{
    Difference, DifferenceKind, Restored, RestoredFusion, RestoredPredictions, SESSION_VERSION, SavedFusedRun,
    SavedFusion, SavedGroundTruth, SavedPredictions, SavedSelection, SavedThresholds, SessionFile,
};
pub use self::statistics::{BootstrapProgress, GroupSource, ResamplingOptions, StatisticsDefaults, StatisticsOptions};

use self::diagnosis::Diagnoses;
use self::fusions::Fusion;
use self::parts::Parts;
use self::reports::Kept;
pub use self::slices::SliceChoice;
use self::statistics::Running;
#[cfg(feature = "cli")]
use crate::convert::rjafroc::{self, Study};
use crate::convert::{Conversion, Target, convert};
use crate::dataset::{GroundTruth, Predictions, Readers};
use crate::doctor::Refusal;
use crate::error::{Error, ErrorKind};
use crate::finding::Remedy;
use crate::geometry::Measure;
use crate::input::attributes::{Attributes, is_of_images};
use crate::input::groups::{Groups, is_groups};
use crate::input::zip::Inside;
use crate::input::{self, HEAD_BYTES, Kind, OnProgress, Unpacked};
use crate::options::Options;
use crate::protocol::{Class, Protocol};
use crate::reading::Reading;
use crate::render::Format;
use crate::report::statistics::row_named;
use crate::report::{CurveReport, OptionsReport, Report, RunReport};
use crate::run::{Prepared, Run};
use crate::slices::{By, Division};
use crate::suspects::{Mark, Suspect};
use crate::thresholds::Thresholds;

/// What a file was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// The images and lesions.
    GroundTruth,
    /// Detections: one run, or one for each folder.
    Predictions,
    /// A CSV that tells which images belong together; perhaps more of them, which they can be divided by.
    Groups,
    /// A CSV that tells something of the images, which they can be divided by.
    Table,
    /// Score thresholds that were chosen on other images.
    Thresholds,
    /// Scores that were computed before, as `froc score --format json` and the page write them.
    Report,
}

/// What a file was taken for, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct FileSummary {
    /// What it was taken for, by looking into it.
    pub kind: FileKind,
    /// Base name.
    pub name: String,
    /// SHA-256 in hexadecimal digits; none of predictions while it is not known.
    pub sha256: Option<String>,
    /// Images, of a ground truth or of that of a report.
    pub n_images: Option<usize>,
    /// Lesions, likewise.
    pub n_lesions: Option<usize>,
    /// Prediction files, of predictions.
    pub n_files: Option<usize>,
    /// Detections in all of them, of predictions.
    pub n_detections: Option<usize>,
}

/// One sentence and its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ErrorReport {
    /// The whole sentence.
    pub sentence: String,
    /// The file and the record in it.
    pub place: String,
    /// What is there.
    pub what: String,
    /// What was expected, and how to mend it.
    pub expected: String,
}

/// A file of predictions that cannot be scored against the ground truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct FileFailure {
    /// The id under which it was added.
    pub id: String,
    /// At least one.
    pub errors: Vec<ErrorReport>,
    /// Readings under which it can be scored.
    pub remedies: Vec<Remedy>,
}

/// What scoring gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct Outcome {
    /// None while there is no ground truth, or no run that can be scored.
    pub report: Option<Report>,
    /// The id of each run of the report.
    pub run_ids: Vec<String>,
    /// The id of the file of each run of the report: of its predictions, or of a report that holds it and no boxes.
    pub file_ids: Vec<String>,
    /// The names of all classes of the ground truth, in its order, those that are ignored as well.
    pub class_names: Vec<String>,
    /// Groups of the images of the ground truth, by the table of groups that was added last; none without one that fits.
    pub n_groups: Option<usize>,
    /// What the images can be divided by.
    pub choices: Vec<SliceChoice>,
    /// The files that are not in it.
    pub failures: Vec<FileFailure>,
}

/// Files that were read, how they are read, and what was computed of them.
#[derive(Default)]
pub struct Session {
    /// By id; the last one counts.
    ground_truths: Vec<(String, GroundTruth)>,
    /// By id, in the order in which they were added.
    predictions: Vec<(String, Readable)>,
    /// What is made of runs of these, by id: further runs behind them.
    fusions: Vec<(String, Fusion)>,
    /// Name and bytes by id; the last one counts.
    groups: Vec<NamedTable>,
    /// By id; the last one counts.
    thresholds: Vec<(String, Thresholds)>,
    /// By id, in the order in which they were added.
    reports: Vec<(String, Kept)>,
    /// The classes that a ground truth which is added is to ignore, as far as it has them.
    ignored: Vec<String>,
    /// What ground truths are evaluated as, in place of what their files tell.
    protocol: Option<Protocol>,
    /// Whose boxes are lesions in ground truths that name several readers, in place of what they are without a choice.
    readers: Option<Readers>,
    /// Name and bytes of tables of images by id; the last one counts.
    tables: Vec<NamedTable>,
    /// What the last table tells of the images; none until it is joined.
    attributes: Option<Result<Attributes, Error>>,
    /// What the images are to be divided by.
    by: Vec<By>,
    /// How they are, in the last report.
    divisions: Vec<Division>,
    /// What the last table of groups makes of the images; none until it is joined.
    grouping: Option<Result<Groups, Error>>,
    /// The last one.
    outcome: Outcome,
    running: Option<Running>,
    diagnoses: Diagnoses,
    /// Those that were found, and under which options.
    suspects: Option<(Options, Arc<[Suspect]>)>,
    /// What a person says of suspects, by their ids.
    marks: BTreeMap<String, Mark>,
    /// Whether it is told which files look like parts of one run.
    are_parts_told: bool,
}

/// A table under its id: its name and its bytes.
type NamedTable = (String, (String, Arc<[u8]>));

/// What a file holds.
enum Contents {
    GroundTruth(GroundTruth),
    Predictions(Predictions),
    Images(Table),
    Thresholds(Thresholds),
    Report(Box<Kept>),
}

/// A CSV with a column of images, and what its other columns are used for.
struct Table {
    bytes: Arc<[u8]>,
    is_of_groups: bool,
    is_of_slices: bool,
}

/// Predictions, how they are read, and the runs that this makes of them.
struct Readable {
    predictions: Arc<Predictions>,
    reading: Reading,
    /// What a person calls the run, if not as the file is called.
    label: Option<String>,
    /// None until they are joined to the ground truth.
    runs: Option<Result<Vec<(String, Prepared)>, Refusal>>,
}

/// What can be scored.
struct Joined<'a> {
    ground_truth: &'a GroundTruth,
    run_ids: Vec<String>,
    file_ids: Vec<String>,
    runs: Vec<&'a Prepared>,
}

/// Files.
impl Session {
    /// Looks into a file, reads it and keeps it under `id`, in place of what was there. The SHA-256 of predictions is not
    /// taken: [`Session::learn_sha256`] tells it. Of several ground truths, of several files of groups, and of several of score
    /// thresholds, the one added last counts.
    ///
    /// # Errors
    /// If it is none of these, or cannot be read; then nothing has changed.
    pub fn add(
        &mut self,
        id: &str,
        name: &str,
        file: impl Read + Seek,
        on_progress: OnProgress<'_>,
    ) -> Result<FileSummary, Error> {
        let contents = look_into(name, file, LAYERS, |file| input::zip::read_undigested(name, file, on_progress))?;
        self.take(id, name, contents)
    }

    /// The same of a file or folder by its path, on all cores, with the SHA-256 of predictions.
    ///
    /// # Errors
    /// As [`Session::add`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn add_path(&mut self, id: &str, path: &std::path::Path) -> Result<FileSummary, Error> {
        let name = base_name(path);
        let contents = if path.is_dir() {
            look_into_folder(&name, path)?
        } else {
            look_into(&name, open(path)?, LAYERS, |file| input::zip::read_file(&name, file, &|_| Continue(())))?
        };
        self.take(id, &name, contents)
    }

    /// Reads a CSV of groups, whatever it looks like.
    ///
    /// # Errors
    /// If it cannot be read.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn add_groups(&mut self, id: &str, path: &std::path::Path) -> Result<FileSummary, Error> {
        let name = base_name(path);
        let bytes = input::load_groups(&name, open(path)?)?.into();
        Ok(self.keep(id, &name, Contents::Images(Table { bytes, is_of_groups: true, is_of_slices: false })))
    }

    /// Reads a CSV of what is known of the images, to divide them by, whatever it looks like.
    ///
    /// # Errors
    /// If it cannot be read.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn add_table(&mut self, id: &str, path: &std::path::Path) -> Result<FileSummary, Error> {
        let name = base_name(path);
        let bytes = input::load_groups(&name, open(path)?)?.into();
        Ok(self.keep(id, &name, Contents::Images(Table { bytes, is_of_groups: false, is_of_slices: true })))
    }

    /// Keeps what a file holds, unless it is in place of a ground truth what a run is whose scores were not written.
    fn take(&mut self, id: &str, name: &str, contents: Contents) -> Result<FileSummary, Error> {
        if let Contents::GroundTruth(new) = &contents
            && new.is_like_unscored()
            && let Some((_, other)) = self.ground_truths.iter().rfind(|(other, _)| other != id)
        {
            let expected = format!(
                "the score last in each line, if these are predictions (save_conf=True); if they are the ground truth, \
                 no other beside it: remove {}",
                other.name()
            );
            return Err(Error::new(name, "its boxes have no scores", expected));
        }
        let contents = match contents {
            Contents::GroundTruth(new) => {
                // One that does not name this reader is as it is without a choice.
                let chosen = self.readers.as_ref().and_then(|readers| new.of_readers(Some(readers)).ok());
                Contents::GroundTruth(chosen.unwrap_or(new).under(self.protocol.as_ref())?)
            }
            other => other,
        };
        Ok(self.keep(id, name, contents))
    }

    /// Keeps what a file holds under `id`, in place of what was there.
    fn keep(&mut self, id: &str, name: &str, contents: Contents) -> FileSummary {
        let summary = contents.summary(name);
        self.forget();
        if matches!(contents, Contents::GroundTruth(_)) {
            // The runs were joined to another one.
            self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        }
        self.drop_file(id);
        match contents {
            Contents::GroundTruth(ground_truth) => {
                let ground_truth = ignoring_known(ground_truth, &self.ignored);
                self.ground_truths.push((id.to_owned(), ground_truth));
            }
            Contents::Predictions(predictions) => self.predictions.push((id.to_owned(), Readable::new(predictions))),
            Contents::Images(Table { bytes, is_of_groups, is_of_slices }) => {
                let file = || (id.to_owned(), (name.to_owned(), Arc::clone(&bytes)));
                self.groups.extend(is_of_groups.then(file));
                self.tables.extend(is_of_slices.then(file));
            }
            Contents::Thresholds(thresholds) => self.thresholds.push((id.to_owned(), thresholds)),
            Contents::Report(kept) => self.reports.push((id.to_owned(), *kept)),
        }
        summary
    }

    /// Evaluates on the ground truths, and on those that will be added, as a built-in protocol says, whose lesions of other classes are
    /// left out; or, without a name, as their files tell. Runs are made anew only if it is another than before.
    ///
    /// # Errors
    /// If there is no protocol of that name among [`Protocol::BUILT_IN`], or two images have the same prediction file then; then nothing
    /// has changed.
    pub fn choose_protocol(&mut self, name: Option<&str>) -> Result<(), Error> {
        let none = || {
            let expected = Protocol::BUILT_IN.map(|facts| facts.name).join(", ");
            Error::option(
                "Protocol",
                format!("there is \"{}\"", name.unwrap_or_default()),
                format!("one of {expected}"),
            )
        };
        let protocol = name.map(|name| Protocol::built_in(name).ok_or_else(none)).transpose()?;
        if protocol == self.protocol {
            return Ok(());
        }
        let under = |(id, truth): &(String, GroundTruth)| {
            Ok((id.clone(), ignoring_known(truth.under(protocol.as_ref())?, &self.ignored)))
        };
        self.ground_truths = self.ground_truths.iter().map(under).collect::<Result<_, Error>>()?;
        self.protocol = protocol;
        self.forget();
        self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        Ok(())
    }

    /// Scores on the boxes of these readers, where a ground truth names several: `all`, `agreed`, or the name of one
    /// ([`Readers::named`]); or, without a name, of those that count without a choice. Of ground truths but the last one, and of those that will be added, as
    /// far as they have that reader. Runs are made anew only if the choice is another than before.
    ///
    /// # Errors
    /// If the ground truth that was added last names no several readers, or none of that name; then nothing has changed.
    pub fn choose_readers(&mut self, name: Option<&str>) -> Result<(), Error> {
        let readers = name.map(Readers::named);
        if readers == self.readers {
            return Ok(());
        }
        let last = self.ground_truths.len().saturating_sub(1);
        let read = |(at, (id, truth)): (usize, &(String, GroundTruth))| {
            let told = match truth.of_readers(readers.as_ref()) {
                Err(_) if at < last => truth.of_readers(None),
                told => told,
            }?;
            let told = told.measured_by(truth.protocol().measure()).under(self.protocol.as_ref())?;
            Ok((id.clone(), ignoring_known(told, &self.ignored)))
        };
        self.ground_truths = self.ground_truths.iter().enumerate().map(read).collect::<Result<_, Error>>()?;
        self.readers = readers;
        self.forget();
        self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        Ok(())
    }

    /// Scores all classes but those of these names, of the ground truth that was added last and of those that will be: lesions of
    /// these count neither as found nor against any detection. Runs are made anew only if these are others than before.
    ///
    /// # Errors
    /// If there is no class of a name, or no other class; then nothing has changed.
    pub fn ignore_classes(&mut self, names: &[String]) -> Result<(), Error> {
        let Some((_, ground_truth)) = self.ground_truths.last_mut() else {
            names.clone_into(&mut self.ignored);
            return Ok(());
        };
        let ignoring = ground_truth.ignoring(names)?;
        names.clone_into(&mut self.ignored);
        if !ignoring.protocol().ignored_classes().eq(ground_truth.protocol().ignored_classes()) {
            *ground_truth = ignoring;
            self.forget();
            self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        }
        Ok(())
    }

    /// Lets another measure decide which lesion a detection finds, in the ground truth that was added last; runs are made anew
    /// only if it is another.
    pub fn set_measure(&mut self, measure: Measure) {
        let is_new = |of: &GroundTruth| of.protocol().measure() != measure;
        if let Some((_, ground_truth)) = self.ground_truths.last_mut().filter(|(_, of)| is_new(of)) {
            *ground_truth = ground_truth.measured_by(measure);
            self.forget();
            self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        }
    }

    /// Forgets a file, or a fusion.
    pub fn remove(&mut self, id: &str) {
        self.forget();
        if self.ground_truths.iter().any(|(other, _)| other == id) {
            self.predictions.iter_mut().for_each(|(_, file)| file.runs = None);
        }
        self.drop_file(id);
    }

    fn drop_file(&mut self, id: &str) {
        self.ground_truths.retain(|(other, _)| other != id);
        self.predictions.retain(|(other, _)| other != id);
        self.fusions.retain(|(other, _)| other != id);
        self.groups.retain(|(other, _)| other != id);
        self.tables.retain(|(other, _)| other != id);
        self.thresholds.retain(|(other, _)| other != id);
        self.reports.retain(|(other, _)| other != id);
    }

    /// Reads a file of predictions otherwise from now on; the file itself is not read again.
    pub fn set_reading(&mut self, id: &str, reading: Reading) {
        self.forget();
        if let Some(file) = self.file_mut(id) {
            file.reading = reading;
            file.runs = None;
        }
    }

    /// Calls the run of a file of predictions, or of a fusion, otherwise from the next score on; the file keeps its name.
    pub fn rename(&mut self, id: &str, name: &str) {
        self.rename_fused(id, name);
        if let Some(file) = self.file_mut(id) {
            file.label = Some(name.to_owned());
            file.name_runs();
        }
    }

    /// Tells the SHA-256 of a file of predictions, and gives the last report with it, if there is one.
    pub fn learn_sha256(&mut self, id: &str, digits: &str) -> Option<&Report> {
        if let Some(file) = self.file_mut(id) {
            file.predictions.sha256().set(digits.to_owned());
        }
        self.tell_digests_of_parts();
        let mut report = self.outcome.report.take()?;
        report.learn_sha256(self.outcome.run_ids.iter().map(|id| Some(&self.prepared(id)?.run)));
        Some(self.outcome.report.insert(report))
    }

    fn file_mut(&mut self, id: &str) -> Option<&mut Readable> {
        self.predictions.iter_mut().find(|(other, _)| other == id).map(|(_, file)| file)
    }

    /// Forgets what was computed of files or readings that change now.
    fn forget(&mut self) {
        self.grouping = None;
        self.attributes = None;
        self.divisions = Vec::new();
        self.running = None;
        self.diagnoses = Diagnoses::default();
        self.suspects = None;
        self.forget_fused();
        self.forget_parts();
    }
}

/// Answers.
impl Session {
    /// Makes the files of predictions ready to be scored, each once; gives those that cannot be, none while there is no ground
    /// truth.
    pub fn join(&mut self) -> Vec<FileFailure> {
        let parts = self.parts();
        let Some((_, ground_truth)) = self.ground_truths.last() else { return Vec::new() };
        if let Some((_, (name, bytes))) = self.groups.last() {
            self.grouping.get_or_insert_with(|| Groups::csv(name, bytes, ground_truth));
        }
        if let Some((_, (name, bytes))) = self.tables.last() {
            self.attributes.get_or_insert_with(|| Attributes::csv(name, bytes, ground_truth));
        }
        let joined = self.predictions.iter_mut().zip(parts).filter_map(|((id, file), parts)| {
            let refusal = file.join(id, ground_truth, parts).err()?;
            Some(FileFailure {
                id: id.clone(),
                errors: refusal.errors.iter().map(ErrorReport::from).collect(),
                remedies: refusal.remedies.clone(),
            })
        });
        let mut failures: Vec<FileFailure> = joined.collect();
        failures.extend(self.join_fused());
        self.tell_digests_of_parts();
        self.tell_parts();
        let of_groups = self.grouping.as_ref().and_then(|of| of.as_ref().err()).zip(self.groups.last());
        let of_tables = self.attributes.as_ref().and_then(|of| of.as_ref().err()).zip(self.tables.last());
        for (error, (id, _)) in of_groups.into_iter().chain(of_tables) {
            // A table may be of groups and of more.
            if !failures.iter().any(|failure| failure.id == *id) {
                failures.push(FileFailure { id: id.clone(), errors: vec![error.into()], remedies: Vec::new() });
            }
        }
        failures
    }

    /// Groups of the images by the table that was added last, if it fits.
    fn n_groups(&self) -> Option<usize> {
        Some(self.grouping.as_ref()?.as_ref().ok()?.n_groups())
    }

    /// What is told of the files, whether they are scored or not.
    fn without_report(&self, failures: Vec<FileFailure>) -> Outcome {
        let class_names =
            self.ground_truths.last().map_or_else(Vec::new, |(_, truth)| truth.all_class_names().to_vec());
        let (n_groups, choices) = (self.n_groups(), self.choices());
        Outcome { class_names, n_groups, choices, failures, ..Outcome::default() }
    }

    /// The ids of the runs that can be scored, in the order of the files, fused ones behind them.
    #[must_use]
    pub fn run_ids(&self) -> Vec<String> {
        self.runs().map(|(_, run, _)| run.to_owned()).collect()
    }

    /// Scores every run, in the order of the files, and fused ones; what was read is not read again. Behind them stand the runs of reports, where
    /// these can be compared.
    pub fn evaluate(&mut self, options: &Options) -> &Outcome {
        self.set_measure(options.hit().measure());
        let failures = self.join();
        self.outcome = self.without_report(failures);
        if let Ok(Joined { ground_truth, run_ids, file_ids, runs }) = self.joined() {
            let runs: Vec<&Run> = runs.iter().map(|prepared| &prepared.run).collect();
            let report = Some(crate::evaluate(ground_truth, &runs, options));
            self.outcome = Outcome { report, run_ids, file_ids, ..std::mem::take(&mut self.outcome) };
        }
        self.use_thresholds();
        self.use_slices();
        self.use_reports();
        &self.outcome
    }

    /// Adds to the last report what its runs reach at the score thresholds of the file that was added last; where these do not
    /// fit, the file is told among those that are not in the report.
    fn use_thresholds(&mut self) {
        let Some((id, thresholds)) = self.thresholds.last() else { return };
        if self.outcome.report.is_none() {
            return;
        }
        let (id, thresholds) = (id.clone(), thresholds.clone());
        if let Err(error) = self.add_thresholds(&thresholds) {
            let failure = FileFailure { id, errors: vec![(&error).into()], remedies: Vec::new() };
            self.outcome.failures.push(failure);
        }
    }

    /// What the last scoring gave; empty before the first.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The last report as the bytes of a file.
    ///
    /// # Errors
    /// If there is no report.
    pub fn export(&self, format: Format) -> Result<Vec<u8>, Error> {
        let none = || Error::new("report", "there is none", "a ground truth and a run that can be scored");
        format.bytes(self.outcome.report.as_ref().ok_or_else(none)?)
    }

    /// Writes a run as files in another format, as it is read.
    ///
    /// # Errors
    /// If there is no such run, or the format cannot tell its images or classes apart; within, what `out` gives.
    pub fn convert(&self, run: &str, target: Target, out: impl Write) -> Result<io::Result<Conversion>, Error> {
        let (ground_truth, prepared) = self.run(run)?;
        convert(ground_truth, prepared, target, out)
    }

    /// One class of all runs as a workbook for RJafroc; no class is that of the ground truth if there is one alone.
    ///
    /// # Errors
    /// If there is no such class, or no run can be scored, or a workbook cannot hold them.
    #[cfg(feature = "cli")]
    pub fn rjafroc(&mut self, class: Option<&str>, options: &Options) -> Result<Study, Error> {
        self.join();
        let Joined { ground_truth, runs, .. } = self.joined()?;
        Study::new(ground_truth, &runs, rjafroc::class(ground_truth, class)?, options)
    }

    /// What the official script would print for a run of the last report; nothing if there is no such run.
    #[must_use]
    pub fn official_lines(&self, run: &str) -> String {
        self.lines(run, crate::render::official_lines)
    }

    /// The exact score of a run of the last report in the same form; nothing if there is no such run.
    #[must_use]
    pub fn exact_lines(&self, run: &str) -> String {
        self.lines(run, crate::render::exact_lines)
    }

    fn lines(&self, run: &str, lines: fn(&RunReport, &OptionsReport) -> String) -> String {
        let at = self.outcome.run_ids.iter().position(|id| id == run);
        let lines = |report: &Report| Some(lines(report.runs.get(at?)?, &report.options));
        self.outcome.report.as_ref().and_then(lines).unwrap_or_default()
    }

    /// The exact FROC curve of a row of a run: of a class by its name, of `mean` or of `pooled`. Of a run that a report holds it is what
    /// that has of it: whole for the mean, else at its rates.
    ///
    /// # Errors
    /// If there is no such run or row.
    pub fn curve(&self, run: &str, row: &str, options: &Options) -> Result<CurveReport, Error> {
        if let Some(kept) = self.kept_curve(run, row) {
            return Ok(kept);
        }
        let (ground_truth, prepared) = self.run(run)?;
        let none = || Error::new("row", format!("there is no {row}"), "a class, mean or pooled");
        let row = row_named(ground_truth.protocol(), row).ok_or_else(none)?;
        Ok(crate::curve(ground_truth, &prepared.run, row, options))
    }

    fn ground_truth(&self) -> Result<&GroundTruth, Error> {
        let last = self.ground_truths.last().map(|(_, ground_truth)| ground_truth);
        last.ok_or_else(|| Error::new("ground truth", "there is none", "a file such as test.json"))
    }

    /// A run that can be scored.
    fn prepared(&self, run: &str) -> Option<&Prepared> {
        self.runs().find(|(_, id, _)| *id == run).map(|(.., prepared)| prepared)
    }

    /// The runs that can be scored, with the ids of their files and their own, in the order of the files; behind them what is fused of
    /// them, each under its id as if that were a file.
    fn runs(&self) -> impl Iterator<Item = (&str, &str, &Prepared)> {
        self.runs_of_files().chain(self.fused_runs())
    }

    fn runs_of_files(&self) -> impl Iterator<Item = (&str, &str, &Prepared)> {
        self.predictions.iter().flat_map(|(file, Readable { runs, .. })| {
            let runs = runs.iter().flatten().flatten();
            runs.map(move |(id, prepared)| (file.as_str(), id.as_str(), prepared))
        })
    }

    fn run(&self, run: &str) -> Result<(&GroundTruth, &Prepared), Error> {
        let none = || self.without_boxes(run);
        let prepared = self.prepared(run).ok_or_else(none)?;
        Ok((self.ground_truth()?, prepared))
    }

    fn joined(&self) -> Result<Joined<'_>, Error> {
        self.joined_of(self.runs())
    }

    fn joined_of<'a>(
        &'a self,
        runs: impl Iterator<Item = (&'a str, &'a str, &'a Prepared)>,
    ) -> Result<Joined<'a>, Error> {
        let ground_truth = self.ground_truth()?;
        let mut joined = Joined { ground_truth, run_ids: Vec::new(), file_ids: Vec::new(), runs: Vec::new() };
        for (file, run, prepared) in runs {
            joined.file_ids.push(file.to_owned());
            joined.run_ids.push(run.to_owned());
            joined.runs.push(prepared);
        }
        if joined.runs.is_empty() {
            return Err(Error::new("runs", "none is scored", "a ground truth and a run that were evaluated"));
        }
        Ok(joined)
    }
}

impl Readable {
    fn new(predictions: Predictions) -> Self {
        Self { predictions: Arc::new(predictions), reading: Reading::default(), label: None, runs: None }
    }

    fn join(&mut self, id: &str, ground_truth: &GroundTruth, parts: Parts) -> Result<(), &Refusal> {
        // Another part may have been a run of its own until now.
        if self.runs.is_none() || matches!(parts, Parts::Of) {
            let runs = self.prepared(ground_truth, parts);
            self.runs = Some(runs.map(|runs| self.with_ids(id, runs)));
            self.name_runs();
        }
        self.runs.as_ref().map_or(Ok(()), |runs| runs.as_ref().map(|_| ()))
    }

    fn with_ids(&self, id: &str, runs: Vec<Prepared>) -> Vec<(String, Prepared)> {
        let mut named: Vec<(String, Prepared)> = Vec::with_capacity(runs.len());
        for prepared in runs {
            let folder = prepared.run.name().strip_prefix(self.predictions.name()).unwrap_or_default();
            let mut run = format!("{id}{folder}");
            // Folders in different places may have one name.
            while named.iter().any(|(other, _)| *other == run) {
                run.push('\'');
            }
            named.push((run, prepared));
        }
        named
    }

    /// Calls the runs as the person does. A folder of the file keeps its own name behind that.
    fn name_runs(&mut self) {
        let Some(label) = &self.label else { return };
        for (_, prepared) in self.runs.iter_mut().flatten().flatten() {
            let name = prepared.predictions.name();
            let folder = name.strip_prefix(self.predictions.name()).unwrap_or_default();
            let name = format!("{label}{folder}");
            prepared.run.rename(name);
        }
    }
}

impl Contents {
    fn summary(&self, name: &str) -> FileSummary {
        let kind = match self {
            Self::GroundTruth(_) => FileKind::GroundTruth,
            Self::Predictions(_) => FileKind::Predictions,
            Self::Images(Table { is_of_groups: true, .. }) => FileKind::Groups,
            Self::Images(_) => FileKind::Table,
            Self::Thresholds(_) => FileKind::Thresholds,
            Self::Report(_) => FileKind::Report,
        };
        let name = name.to_owned();
        let none = FileSummary {
            kind,
            name,
            sha256: None,
            n_images: None,
            n_lesions: None,
            n_files: None,
            n_detections: None,
        };
        match self {
            Self::GroundTruth(ground_truth) => FileSummary {
                sha256: Some(ground_truth.sha256().to_owned()),
                n_images: Some(ground_truth.n_images()),
                n_lesions: Some(ground_truth.n_all_lesions()),
                ..none
            },
            Self::Predictions(predictions) => FileSummary {
                sha256: predictions.sha256().get().map(str::to_owned),
                n_files: Some(predictions.files().len()),
                n_detections: Some(predictions.detections().len()),
                ..none
            },
            Self::Images(table) => FileSummary { sha256: Some(input::sha256(&table.bytes)), ..none },
            Self::Thresholds(thresholds) => {
                FileSummary { sha256: thresholds.file.as_ref().map(|(_, sha256)| sha256.clone()), ..none }
            }
            Self::Report(kept) => FileSummary {
                sha256: Some(kept.sha256.clone()),
                n_images: Some(kept.report.ground_truth.n_images),
                n_lesions: Some(kept.report.ground_truth.n_lesions),
                ..none
            },
        }
    }
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        Self {
            sentence: error.to_string(),
            place: error.place().to_owned(),
            what: error.what().to_owned(),
            expected: error.expected().to_owned(),
        }
    }
}

/// A ground truth without those of these classes that it has; of one that has none but these, all are scored.
fn ignoring_known(ground_truth: GroundTruth, names: &[String]) -> GroundTruth {
    let known = |name: &&String| ground_truth.all_class_names().contains(name);
    let names: Vec<String> = names.iter().filter(known).cloned().collect();
    ground_truth.ignoring(&names).unwrap_or(ground_truth)
}

/// So many files may hold one another: a zip in a zip that gzip packed has three.
const LAYERS: u32 = 4;

/// Reads a file as what its first bytes show it to be, or what it holds if it stands for that. Only of a zip, and of what
/// gzip packed, anything is read twice.
fn look_into<R: Read + Seek>(
    name: &str,
    mut file: R,
    layers: u32,
    read_zip: impl FnOnce(&mut R) -> Result<Predictions, Error>,
) -> Result<Contents, Error> {
    /// Bytes asked for at once.
    const LARGE: usize = 1 << 18;
    let cannot = |error: std::io::Error| {
        let what = format!("it cannot be read ({error})");
        Error::new(name, what, "a file that is still where it was; choose it again")
    };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(cannot)?;
    if Thresholds::is(&head) {
        let bytes = input::load_thresholds(name, head.chain(BufReader::with_capacity(LARGE, file)))?;
        return Ok(Contents::Thresholds(Thresholds::read(name, &bytes)?));
    }
    if Report::is(&head) {
        let bytes = input::load_report(name, head.chain(BufReader::with_capacity(LARGE, file)))?;
        return Ok(Contents::Report(Box::new(Kept::read(name, &bytes)?)));
    }
    let kind = match input::identify(name, &head) {
        Ok(kind) => kind,
        Err(other) => {
            let (is_of_groups, is_of_slices) = (is_groups(&head), is_of_images(&head));
            if !is_of_groups && !is_of_slices {
                return Err(other);
            }
            let whole = head.chain(BufReader::with_capacity(LARGE, file));
            let bytes = input::load_groups(name, whole)?.into();
            return Ok(Contents::Images(Table { bytes, is_of_groups, is_of_slices }));
        }
    };
    match kind {
        Kind::GroundTruth | Kind::PredictionsOfAll => {
            let whole = head.chain(BufReader::with_capacity(LARGE, file));
            let bytes = input::load_ground_truth(name, whole)?;
            // The head of a text does not tell what it is.
            if input::identify(name, &bytes)? == Kind::PredictionsOfAll {
                return Ok(Contents::Predictions(input::read_predictions_of_all(name, &bytes)?));
            }
            Ok(Contents::GroundTruth(crate::read_ground_truth(name, &bytes)?))
        }
        Kind::Predictions => {
            file.seek(SeekFrom::Start(0)).map_err(cannot)?;
            let read = read_zip(&mut file);
            let are_read = read.as_ref().is_ok_and(|predictions| !predictions.detections().is_empty());
            let is_told = match &read {
                Ok(predictions) => are_read && predictions.files().len() > input::zip::FEW,
                Err(error) => error.kind() != ErrorKind::Data,
            };
            // A zip with few files, or with none that is read, may hold something else.
            match if is_told { None } else { input::zip::inside(name, &mut file, are_read)? } {
                Some(Inside::File(inner)) => look_inside(name, inner, file, layers),
                Some(Inside::Labels(labels)) => {
                    let sha256 = input::digest(file, &mut |_| Continue(())).map_err(|error| error.within(name))?;
                    Ok(Contents::GroundTruth(labels.finish(name, sha256)?))
                }
                None => Ok(Contents::Predictions(read?)),
            }
        }
        Kind::Gzip => look_inside(name, input::gzip::unpack(name, &mut file)?, file, layers),
    }
}

/// Reads what a file holds and stands for, under the name of that file and with its SHA-256.
fn look_inside(name: &str, inner: Unpacked, file: impl Read + Seek, layers: u32) -> Result<Contents, Error> {
    let Some(layers) = layers.checked_sub(1) else {
        return Err(Error::new(name, "too many files are packed into one another", "a file packed once; unpack it"));
    };
    let read_zip = |file: &mut Cursor<Vec<u8>>| input::zip::read_undigested(&inner.name, file, &mut |_| Continue(()));
    let contents =
        look_into(&inner.name, Cursor::new(inner.bytes), layers, read_zip).map_err(|error| error.within(name))?;
    let sha256 = input::digest(file, &mut |_| Continue(())).map_err(|error| error.within(name))?;
    Ok(match contents {
        Contents::GroundTruth(ground_truth) => Contents::GroundTruth(ground_truth.held_by(name, sha256)),
        Contents::Predictions(predictions) => Contents::Predictions(predictions.held_by(name, sha256)),
        other @ (Contents::Images(_) | Contents::Thresholds(_) | Contents::Report(_)) => other,
    })
}

/// Reads a folder as predictions or, if it holds none, as a ground truth.
#[cfg(not(target_arch = "wasm32"))]
fn look_into_folder(name: &str, path: &std::path::Path) -> Result<Contents, Error> {
    match input::folder::read(name, path, &mut |_| Continue(())) {
        Ok(predictions) if predictions.detections().is_empty() => {
            let labels = input::folder::read_labels(name, path)?;
            Ok(labels.map_or(Contents::Predictions(predictions), Contents::GroundTruth))
        }
        Ok(predictions) => Ok(Contents::Predictions(predictions)),
        Err(none) if none.kind() == ErrorKind::Data => {
            input::folder::read_labels(name, path)?.map(Contents::GroundTruth).ok_or(none)
        }
        Err(error) => Err(error),
    }
}

/// A class by its place in the official order.
fn class_at(ground_truth: &GroundTruth, at: usize) -> Result<Class, Error> {
    let none = || {
        let expected = format!("a number below {}", ground_truth.classes().len());
        Error::new("class", "there is no such class", expected)
    };
    ground_truth.classes().nth(at).ok_or_else(none)
}

#[cfg(not(target_arch = "wasm32"))]
fn open(path: &std::path::Path) -> Result<std::fs::File, Error> {
    let cannot = |error: std::io::Error| {
        Error::new(path.display().to_string(), format!("it cannot be read ({error})"), "a file that can be read")
    };
    std::fs::File::open(path).map_err(cannot)
}

/// The last part of a path, which is how reports name a file.
#[cfg(not(target_arch = "wasm32"))]
fn base_name(path: &std::path::Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().or(whole.file_name());
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
