//! A session as a file, `.froc.json`: what a person chose, and of which files; no box, no image, nothing of what the files hold.
//! Suspects that were marked are known by digests.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::{ErrorReport, GroupSource, ResamplingOptions, Session, StatisticsOptions};
use crate::error::{Error, ErrorKind};
use crate::input;
use crate::options::{DEFAULT_AREA_UP_TO, DEFAULT_BETA, DEFAULT_SPECIFICITY, Options};
use crate::protocol::{Protocol, ProtocolFacts};
use crate::reading::Reading;
use crate::report::OptionsReport;
use crate::report::statistics::GroupsReport;
use crate::score::average_precision::DEFAULT_MAX_DETECTIONS;
use crate::slices::By;
use crate::suspects::Mark;
use crate::thresholds::Thresholds;

/// The version of the shape of [`SessionFile`]; it rises with every change, since a program that does not know a choice would
/// restore something else.
pub const SESSION_VERSION: u32 = 1;

/// So many digits tell one SHA-256 from another in a sentence.
const DIGITS: usize = 12;

/// What a session is of, and what was chosen in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct SessionFile {
    /// [`SESSION_VERSION`] of the program that saved it.
    pub session_version: u32,
    /// Version of the program that saved it.
    pub froc_version: String,
    /// What the runs were scored against.
    pub ground_truth: SavedGroundTruth,
    /// The files of predictions, in their order.
    pub predictions: Vec<SavedPredictions>,
    /// What was fused of their runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub fusions: Vec<SavedFusion>,
    /// How they were scored, and what was computed beside the score; the name and SHA-256 of a file of groups among it.
    pub options: OptionsReport,
    /// Place among the runs of the one that the others were compared with, from 0.
    pub baseline: Option<usize>,
    /// The file of score thresholds that the runs were scored at as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub thresholds: Option<SavedThresholds>,
    /// What the person wrote down.
    pub notes: String,
    /// What the person looked at on the page; the terminal passes it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub selection: Option<SavedSelection>,
    /// What the person said of suspects in the ground truth, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub marks: BTreeMap<String, Mark>,
}

/// Who saved a session.
#[derive(Debug, Deserialize)]
pub(crate) struct SavedBy {
    session_version: u32,
    froc_version: String,
}

/// The ground truth of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(deny_unknown_fields)]
pub struct SavedGroundTruth {
    /// Base name of the file.
    pub name: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// The dataset whose evaluation it is, such as `ChestX-Det10`.
    pub protocol: String,
    /// The classes that are not scored, since the person asked to ignore them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub ignored_classes: Vec<String>,
    /// Whose boxes are lesions, if the person chose: `all`, `agreed`, or the name of a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(optional))]
    pub readers: Option<String>,
}

/// A file of predictions of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct SavedPredictions {
    /// Base name of the zip or folder.
    pub name: String,
    /// Its SHA-256 as in [`crate::report::RunReport::sha256`]; `None` if it was not known yet.
    pub sha256: Option<String>,
    /// What the person calls its run, if not as the file is called.
    pub label: Option<String>,
    /// How it is read.
    pub reading: Reading,
}

/// A file of score thresholds of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(deny_unknown_fields)]
pub struct SavedThresholds {
    /// Base name of the file.
    pub name: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// What is looked at on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct SavedSelection {
    /// Fields of the page's address, such as `run=1&class=3`: words of the page and places in the report, never a name.
    pub address: String,
    /// The score threshold of each class where the person moved one, of the run that is looked at; a class of which it is null shows
    /// no detection.
    pub score_thresholds: Option<Vec<Option<f64>>>,
}

/// Several runs of a session as one more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
#[serde(deny_unknown_fields)]
pub struct SavedFusion {
    /// The runs.
    pub of: Vec<SavedFusedRun>,
    /// Boxes are one from an IoU above this on, 0..=1.
    pub iou_threshold: f64,
    /// What the person calls it, if not after its runs.
    pub label: Option<String>,
}

/// A run of a session that was fused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(deny_unknown_fields)]
pub struct SavedFusedRun {
    /// Place of its file among the predictions, from 0.
    pub predictions: usize,
    /// Where each folder of the file is a run, `/` and the name of that; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
}

/// A session that was restored.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct Restored {
    /// The files of predictions that are here, in their order.
    pub predictions: Vec<RestoredPredictions>,
    /// What is fused of their runs.
    pub fusions: Vec<RestoredFusion>,
    /// The name of the protocol that is chosen, in place of what the ground truth tells.
    pub protocol: Option<String>,
    /// Whose boxes are lesions, if that is chosen.
    pub readers: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// A file of predictions as it is read and called from now on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RestoredPredictions {
    /// The id under which it was added.
    pub id: String,
    /// What the person calls its run, if not as the file is called.
    pub label: Option<String>,
    /// How it is read.
    pub reading: Reading,
}

/// Several runs that are fused from now on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RestoredFusion {
    /// The id of the run that they make.
    pub id: String,
    /// The ids of the runs.
    pub of: Vec<String>,
    /// Boxes are one from an IoU above this on, 0..=1.
    pub iou_threshold: f64,
    /// What the person calls it, if not after its runs.
    pub label: Option<String>,
}

/// What differs between the files of a session that was saved and those that are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct Difference {
    /// How it differs.
    pub kind: DifferenceKind,
    /// The file, what is there and what was expected.
    pub error: ErrorReport,
}

/// How a file differs from what was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It holds other bytes.
    Changed,
    /// It is not here.
    Missing,
    /// The session does not hold it.
    Unknown,
}

impl SessionFile {
    /// Reads what [`SessionFile::bytes`] wrote; `name` is the base name of the file.
    ///
    /// # Errors
    /// If it is no such file, is damaged, or a later version saved it.
    // In a browser this is of no use: the page has a reader of JSON, and this one would be a twentieth of the program.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::read_by(name, serde_json::from_slice(bytes), || serde_json::from_slice(bytes))
    }

    /// The same by any reader: who saved it is read first, since all else may have changed since.
    ///
    /// # Errors
    /// If either cannot be read, a later version saved it, or an option is out of range.
    pub(crate) fn read_by<E: Display>(
        name: &str,
        saved_by: Result<SavedBy, E>,
        whole: impl FnOnce() -> Result<Self, E>,
    ) -> Result<Self, Error> {
        let damaged = |error: E| {
            let expected = "a file that froc saved as a session, as it was saved; save it anew";
            Error::new(name, format!("it is no whole session ({error})"), expected)
        };
        let SavedBy { session_version, froc_version } = saved_by.map_err(damaged)?;
        if session_version != SESSION_VERSION {
            let what = format!("it is a session of version {session_version}, which froc {froc_version} saved");
            let expected = format!("version {SESSION_VERSION}; open it with that froc, or a later one");
            return Err(Error::new(name, what, expected));
        }
        let file = whole().map_err(damaged)?;
        file.options().map_err(|error| error.within(name).of_kind(ErrorKind::Data))?;
        Ok(file)
    }

    /// Indented JSON with a newline at its end; the same session gives the same bytes.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new("session", error.to_string(), "a session that can be written"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// How the runs were scored.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn options(&self) -> Result<Options, Error> {
        self.options.options()
    }

    /// The same for files without their tables: images are drawn by themselves, and divided by nothing that a table tells.
    #[must_use]
    pub fn without_tables(mut self) -> Self {
        if let Some(groups) = self.options.bootstrap.as_mut().map(|bootstrap| &mut bootstrap.groups)
            && groups.name.is_some()
        {
            *groups = GroupsReport { source: "images".to_owned(), name: None, sha256: None, n_groups: 0 };
        }
        if self.options.slices.as_ref().is_some_and(|slices| slices.name.is_some()) {
            self.options.slices = None;
        }
        self
    }

    /// How images were resampled, if they were.
    #[must_use]
    pub fn resampling(&self) -> Option<ResamplingOptions> {
        let bootstrap = self.options.bootstrap.as_ref()?;
        let groups = match bootstrap.groups.source.as_str() {
            "nih_names" => GroupSource::NihNames,
            "csv" => GroupSource::Csv,
            _ => GroupSource::Images,
        };
        Some(ResamplingOptions {
            replicates: bootstrap.replicates,
            seed: bootstrap.seed,
            level: bootstrap.level,
            groups,
        })
    }

    /// What was computed beside the score, if anything was; `run_ids` are those of the runs in their order.
    #[must_use]
    pub fn statistics(&self, run_ids: &[String]) -> Option<StatisticsOptions> {
        let area_up_to = self.options.area_up_to.unwrap_or(DEFAULT_AREA_UP_TO);
        let max_detections = self.options.max_detections.unwrap_or(DEFAULT_MAX_DETECTIONS);
        let beta = self.options.beta.unwrap_or(DEFAULT_BETA);
        let specificity = self.options.specificity.unwrap_or(DEFAULT_SPECIFICITY);
        let baseline = self.baseline.and_then(|at| run_ids.get(at)).cloned();
        let is_wanted = self.options.area_up_to.is_some() || baseline.is_some();
        is_wanted.then_some(StatisticsOptions { area_up_to, max_detections, beta, specificity, baseline })
    }
}

impl Session {
    /// What the last report is of, and what was chosen for it; with what a person wrote down, and looks at.
    ///
    /// # Errors
    /// If there is no report.
    pub fn save(&self, notes: &str, selection: Option<SavedSelection>) -> Result<SessionFile, Error> {
        let none = || Error::new("session", "nothing was scored yet", "a ground truth and a run that can be scored");
        let report = self.outcome.report.as_ref().ok_or_else(none)?;
        let ground_truth = self.ground_truth()?;
        let predictions = self.predictions.iter().map(|(_, file)| SavedPredictions {
            name: file.predictions.name().to_owned(),
            sha256: file.predictions.sha256().get().map(str::to_owned),
            label: file.label.clone(),
            reading: file.reading.clone(),
        });
        Ok(SessionFile {
            session_version: SESSION_VERSION,
            froc_version: env!("CARGO_PKG_VERSION").to_owned(),
            ground_truth: SavedGroundTruth {
                name: ground_truth.name().to_owned(),
                sha256: ground_truth.sha256().to_owned(),
                protocol: ground_truth.protocol().name().to_owned(),
                ignored_classes: ground_truth.protocol().ignored_classes().map(str::to_owned).collect(),
                readers: self.chosen_readers(),
            },
            predictions: predictions.collect(),
            fusions: self.saved_fusions(),
            options: report.options.clone(),
            baseline: report.comparisons.first().map(|comparison| comparison.baseline),
            thresholds: report.thresholds.as_ref().and_then(|used| {
                let (name, sha256) = used.name.clone().zip(used.sha256.clone())?;
                Some(SavedThresholds { name, sha256 })
            }),
            notes: notes.to_owned(),
            selection,
            marks: self.marks.clone(),
        })
    }

    /// Reads and names the files of predictions as they were when the session was saved, puts them into the order of then, and
    /// evaluates as the protocol of then says. A file is known by its SHA-256, else by its name. Tells what differs.
    ///
    /// # Errors
    /// If the ground truth cannot be evaluated as that protocol says, or does not name the reader, or the threshold of a fusion is no IoU.
    pub fn restore(&mut self, saved: &SessionFile) -> Result<Restored, Error> {
        self.forget();
        self.marks.clone_from(&saved.marks);
        let mut differences = self.restore_ground_truth(&saved.ground_truth)?;
        let (ids, of_predictions) = self.restore_predictions(&saved.predictions);
        differences.extend(of_predictions);
        let fusions = self.restore_fusions(&saved.fusions, &ids)?;
        let groups = saved.options.bootstrap.as_ref().map(|bootstrap| &bootstrap.groups);
        let groups = groups.and_then(|groups| groups.name.as_ref().zip(groups.sha256.as_ref()));
        let slices = saved.options.slices.as_ref();
        let table = slices.and_then(|slices| slices.name.as_ref().zip(slices.sha256.as_ref()));
        let of_table = |(name, bytes): &(String, Arc<[u8]>)| (name.clone(), input::sha256(bytes));
        let of_thresholds = |thresholds: &Thresholds| thresholds.file.clone().unwrap_or_default();
        let thresholds = saved.thresholds.as_ref().map(|saved| (&saved.name, &saved.sha256));
        let mut used = Vec::new();
        differences.extend(restore_last(&mut self.groups, groups, of_table, &mut used));
        differences.extend(restore_last(&mut self.tables, table, of_table, &mut used));
        differences.extend(restore_last(&mut self.thresholds, thresholds, of_thresholds, &mut used));
        let tables = self.groups.iter().chain(&self.tables).map(|(id, (name, _))| (id, name.clone()));
        let others = tables.chain(self.thresholds.iter().map(|(id, thresholds)| (id, of_thresholds(thresholds).0)));
        let mut others: Vec<(&String, String)> = others.filter(|(id, _)| !used.contains(id)).collect();
        others.sort();
        others.dedup();
        differences.extend(others.into_iter().map(|(_, name)| Difference::unknown(&name)));
        let by = slices.map(|slices| slices.by.iter().map(|by| By::parse(by)).collect::<Result<Vec<_>, Error>>());
        self.by = by.transpose()?.into_iter().flatten().flatten().collect();
        let predictions = self.predictions.iter().map(|(id, file)| RestoredPredictions {
            id: id.clone(),
            label: file.label.clone(),
            reading: file.reading.clone(),
        });
        let chosen = |facts: &&ProtocolFacts| Protocol::built_in(facts.name) == self.protocol;
        let protocol = Protocol::BUILT_IN.iter().find(chosen).map(|facts| facts.name.to_owned());
        Ok(Restored {
            predictions: predictions.collect(),
            fusions,
            protocol,
            readers: self.chosen_readers(),
            differences,
        })
    }

    /// Whose boxes are lesions in the ground truth that was added last, if these are not those that are without a choice.
    fn chosen_readers(&self) -> Option<String> {
        let readers = self.ground_truths.last()?.1.readers()?;
        (!readers.is_default()).then(|| readers.readers().name().to_owned())
    }

    fn restore_ground_truth(&mut self, saved: &SavedGroundTruth) -> Result<Vec<Difference>, Error> {
        let SavedGroundTruth { name, sha256, protocol, ignored_classes, readers } = saved;
        if let Some(at) = self.ground_truths.iter().position(|(_, ground_truth)| ground_truth.sha256() == sha256) {
            // The last one counts.
            let it = self.ground_truths.remove(at);
            self.ground_truths.push(it);
        }
        let mut here = self.ground_truths.iter().rev().map(|(_, ground_truth)| ground_truth);
        let Some(ground_truth) = here.next() else { return Ok(vec![Difference::missing(name, Some(sha256))]) };
        let ours = [ground_truth.name(), ground_truth.sha256()];
        let differences = Difference::of(ours, [name, sha256]).into_iter();
        let differences = differences.chain(here.map(|other| Difference::unknown(other.name()))).collect();
        let is_chosen =
            |facts: &&ProtocolFacts| facts.label == protocol && ground_truth.protocol_of_file().name() != protocol;
        let chosen = Protocol::BUILT_IN.iter().find(is_chosen).map(|facts| facts.name);
        self.choose_readers(readers.as_deref())?;
        self.choose_protocol(chosen)?;
        self.ignore_classes(ignored_classes)?;
        Ok(differences)
    }

    /// Gives the id of each of the saved files, none for one that is not here, and what differs.
    fn restore_predictions(&mut self, saved: &[SavedPredictions]) -> (Vec<Option<String>>, Vec<Difference>) {
        let (mut ids, mut differences, mut now_called) = (Vec::new(), Vec::new(), Vec::new());
        let mut here: Vec<_> = std::mem::take(&mut self.predictions).into_iter().map(Some).collect();
        for (saved, at) in saved.iter().zip(places(saved, &here)) {
            let Some((id, mut file)) = at.and_then(|at| here[at].take()) else {
                differences.push(Difference::missing(&saved.name, saved.sha256.as_ref()));
                ids.push(None);
                continue;
            };
            ids.push(Some(id.clone()));
            if let (Some(ours), Some(theirs)) = (file.predictions.sha256().get(), &saved.sha256) {
                differences.extend(Difference::of([file.predictions.name(), ours], [&saved.name, theirs]));
            }
            file.reading = saved.reading.clone();
            file.label.clone_from(&saved.label);
            file.runs = None;
            now_called.push((saved.name.as_str(), file.predictions.name().to_owned()));
            self.predictions.push((id, file));
        }
        // A part may be called otherwise by now.
        for name in self.predictions.iter_mut().flat_map(|(_, file)| &mut file.reading.together_with) {
            if let Some((_, now)) = now_called.iter().find(|(saved, _)| saved == name) {
                name.clone_from(now);
            }
        }
        for (id, mut file) in here.into_iter().flatten() {
            differences.push(Difference::unknown(file.predictions.name()));
            file.runs = None;
            self.predictions.push((id, file));
        }
        (ids, differences)
    }
}

/// Of several files of a kind the last one counts: makes that the one with these bytes, or else of this name, and notes its id.
/// `told` gives the name and the SHA-256 of a file. Tells what differs.
fn restore_last<T>(
    here: &mut Vec<(String, T)>,
    saved: Option<(&String, &String)>,
    told: impl Fn(&T) -> (String, String),
    used: &mut Vec<String>,
) -> Option<Difference> {
    let (name, sha256) = saved?;
    let files: Vec<(String, String)> = here.iter().map(|(_, file)| told(file)).collect();
    let same_bytes = files.iter().position(|(_, bytes)| bytes == sha256);
    let at = same_bytes.or_else(|| files.iter().position(|(other, _)| other == name)).or(here.len().checked_sub(1));
    let Some(at) = at else { return Some(Difference::missing(name, Some(sha256))) };
    let it = here.remove(at);
    used.push(it.0.clone());
    here.push(it);
    let (ours, bytes) = &files[at];
    Difference::of([ours, bytes], [name, sha256])
}

/// Where each file of a session is among those that are here: the same bytes under the same name before the same bytes, and
/// these before the same name.
fn places(saved: &[SavedPredictions], here: &[Option<(String, super::Readable)>]) -> Vec<Option<usize>> {
    let mut places = vec![None; saved.len()];
    let mut is_taken = vec![false; here.len()];
    let rules: [fn(bool, bool) -> bool; 3] = [|bytes, name| bytes && name, |bytes, _| bytes, |_, name| name];
    for rule in rules {
        for (saved, place) in saved.iter().zip(&mut places).filter(|(_, place)| place.is_none()) {
            let is_it = |(at, file): &(usize, &Option<(String, super::Readable)>)| {
                let Some((_, file)) = file else { return false };
                let bytes = saved.sha256.is_some() && saved.sha256.as_deref() == file.predictions.sha256().get();
                !is_taken[*at] && rule(bytes, saved.name == file.predictions.name())
            };
            *place = here.iter().enumerate().find(is_it).map(|(at, _)| at);
            if let Some(at) = *place {
                is_taken[at] = true;
            }
        }
    }
    places
}

impl Difference {
    fn new(kind: DifferenceKind, name: &str, what: &str, expected: &str) -> Self {
        Self { kind, error: ErrorReport::from(&Error::new(name, what, expected)) }
    }

    /// Of the name and SHA-256 of a file and of those that were saved; none if the bytes are the same.
    fn of([name, sha256]: [&str; 2], [saved_name, saved_sha256]: [&str; 2]) -> Option<Self> {
        let what = format!("its SHA-256 begins with {}", begin(sha256));
        let file = if name == saved_name { String::new() } else { format!("{saved_name} with ") };
        let begins = begin(saved_sha256);
        let expected = format!("{file}{begins}, as it was when the session was saved: numbers may differ");
        (sha256 != saved_sha256).then(|| Self::new(DifferenceKind::Changed, name, &what, &expected))
    }

    fn missing(name: &str, sha256: Option<&String>) -> Self {
        let which = sha256.map(|digits| format!(", whose SHA-256 begins with {}", begin(digits))).unwrap_or_default();
        let expected = format!("the file of the session{which}; add it");
        Self::new(DifferenceKind::Missing, name, "it is not here", &expected)
    }

    fn unknown(name: &str) -> Self {
        let expected = "the files of the session, under their names or with their bytes; leave this one out";
        Self::new(DifferenceKind::Unknown, name, "the session does not hold it", expected)
    }
}

fn begin(digits: &str) -> String {
    digits.chars().take(DIGITS).collect()
}
