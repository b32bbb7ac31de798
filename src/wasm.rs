//! The evaluator in a web worker: files and options in, report out.
//!
//! Nothing here panics on data: every failure is thrown as a plain object [`Failure`].

mod diagnosis;
mod statistics;

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;

use js_sys::{Array, Function, Uint8Array};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, FileReaderSync};

use crate::dataset::{GroundTruth, Predictions};
use crate::doctor::Refusal;
use crate::error::Error;
use crate::input::{HEAD_BYTES, Kind, Progress, Stage, identify};
use crate::notice::Remedy;
use crate::options::Options;
use crate::reading::Reading;
use crate::report::{CurveReport, OptionsReport, Report};
use crate::run::{Prepared, Run};

/// One sentence and its parts.
#[derive(Serialize, Tsify)]
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

/// What every call throws that can fail: one error, or one for each bad file.
#[derive(Serialize, Tsify)]
pub struct Failure {
    /// At least one.
    pub errors: Vec<ErrorReport>,
}

/// How far reading is.
#[derive(Serialize, Tsify)]
pub struct ProgressReport {
    /// What is being done.
    #[tsify(type = "\"reading\" | \"hashing\"")]
    pub stage: &'static str,
    /// Bytes done.
    pub done: f64,
    /// Bytes in all.
    pub total: f64,
}

/// What a file was taken for, and what it holds.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FileSummary {
    /// What it was taken for, by looking into it.
    #[tsify(type = "\"ground_truth\" | \"predictions\" | \"groups\"")]
    pub kind: &'static str,
    /// Base name.
    pub name: String,
    /// SHA-256 in hexadecimal digits; none of predictions, of which it is taken beside the scoring.
    pub sha256: Option<String>,
    /// Images, of a ground truth.
    pub n_images: Option<usize>,
    /// Lesions, of a ground truth.
    pub n_lesions: Option<usize>,
    /// Prediction files, of a run.
    pub n_files: Option<usize>,
    /// Detections in all of them, of a run.
    pub n_detections: Option<usize>,
}

/// A run that cannot be scored against the ground truth.
#[derive(Serialize, Tsify)]
pub struct FileFailure {
    /// The id under which it was added.
    pub id: String,
    /// At least one.
    pub errors: Vec<ErrorReport>,
    /// Readings under which it can be scored.
    pub remedies: Vec<Remedy>,
}

impl FileFailure {
    fn new(id: &str, refusal: &Refusal) -> Self {
        Self {
            id: id.to_owned(),
            errors: refusal.errors.iter().map(ErrorReport::from).collect(),
            remedies: refusal.remedies.clone(),
        }
    }
}

/// What scoring gives.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Outcome {
    /// None while there is no ground truth, or no run that can be scored.
    pub report: Option<Report>,
    /// The id of the file of each run of the report.
    pub run_ids: Vec<String>,
    /// The runs that are not in it.
    pub failures: Vec<FileFailure>,
}

/// Files that were read, and the last report.
#[wasm_bindgen]
#[derive(Default)]
pub struct Evaluator {
    files: Vec<(String, Contents)>,
    report: Option<Report>,
    /// Of the files as they are.
    running: Option<statistics::Running>,
    diagnoses: diagnosis::Diagnoses,
}

enum Contents {
    Groups {
        name: String,
        bytes: Vec<u8>,
    },
    GroundTruth(Box<GroundTruth>),
    Predictions {
        predictions: Arc<Predictions>,
        reading: Reading,
        /// What the person calls the run, if not as the file is called.
        label: Option<String>,
        prepared: Option<Result<Vec<Prepared>, Refusal>>,
    },
}

#[wasm_bindgen]
impl Evaluator {
    /// An evaluator without files.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks into a file, or all of its bytes, reads it and keeps it under `id`, in place of what was there. `on_progress`
    /// is called with a `ProgressReport` now and then. Of several ground truths the one added last counts. A file is read in
    /// workers only.
    ///
    /// # Errors
    /// Throws a `Failure`; then nothing has changed.
    #[wasm_bindgen(unchecked_return_type = "FileSummary")]
    pub fn add(
        &mut self,
        id: &str,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: &JsValue,
        on_progress: &Function,
    ) -> Result<JsValue, JsValue> {
        self.keep(id, name, read(name, file, on_progress).map_err(|error| failure(&[error]))?)
    }

    /// Tells the SHA-256 of a file of predictions, and gives the last report with it, if there is one.
    ///
    /// # Errors
    /// Throws what the browser does if it cannot make an object.
    #[wasm_bindgen(unchecked_return_type = "Report | null")]
    pub fn learn_sha256(&mut self, id: &str, digits: &str) -> Result<JsValue, JsValue> {
        for (_, file) in self.files.iter().filter(|(other, _)| other == id) {
            if let Contents::Predictions { predictions, .. } = file {
                predictions.sha256().set(digits.to_owned());
            }
        }
        let Some(mut report) = self.report.take() else { return Ok(JsValue::NULL) };
        report.learn_sha256(self.prepared().map(|prepared| &prepared.run));
        let value = to_js(&report);
        self.report = Some(report);
        value
    }

    /// Forgets a file.
    pub fn remove(&mut self, id: &str) {
        self.forget();
        let of_id = |(other, _): &(String, Contents)| other == id;
        let is_ground_truth = |(_, file): &(String, Contents)| matches!(file, Contents::GroundTruth(_));
        if self.files.iter().any(|file| of_id(file) && is_ground_truth(file)) {
            self.files.iter_mut().for_each(|(_, file)| file.forget_runs());
        }
        self.files.retain(|file| !of_id(file));
    }

    /// Reads a file of predictions otherwise from now on; the file itself is not read again.
    ///
    /// # Errors
    /// Throws what the browser does if `reading` is no reading.
    pub fn set_reading(&mut self, id: &str, reading: &Ts<Reading>) -> Result<(), JsValue> {
        self.forget();
        let chosen = from_js(reading)?;
        for (_, file) in self.files.iter_mut().filter(|(other, _)| other == id) {
            if let Contents::Predictions { reading, .. } = file {
                *reading = chosen.clone();
            }
            file.forget_runs();
        }
        Ok(())
    }

    /// Calls the run of a file of predictions otherwise from the next score on; the file keeps its name.
    pub fn rename(&mut self, id: &str, name: &str) {
        self.forget();
        for (_, file) in self.files.iter_mut().filter(|(other, _)| other == id) {
            if let Contents::Predictions { label, .. } = file {
                *label = Some(name.to_owned());
            }
            file.forget_runs();
        }
    }

    /// Reads a file of predictions as the official script does, from now on.
    pub fn read_officially(&mut self, id: &str) {
        self.forget();
        for (_, file) in self.files.iter_mut().filter(|(other, _)| other == id) {
            if let Contents::Predictions { reading, .. } = file {
                *reading = Reading::default();
            }
            file.forget_runs();
        }
    }

    /// Scores every run, in the order of `add`; what was read is not read again.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range.
    #[wasm_bindgen(unchecked_return_type = "Outcome")]
    pub fn evaluate(&mut self, options: &Ts<OptionsReport>) -> Result<JsValue, JsValue> {
        let options = from_js(options)?;
        let options = checked(&options)?;
        self.report = None;
        let mut outcome = Outcome { report: None, run_ids: Vec::new(), failures: Vec::new() };
        let truth = self.files.iter().rposition(|(_, file)| matches!(file, Contents::GroundTruth(_)));
        let Some(truth) = truth else { return to_js(&outcome) };
        // Borrowed apart from the runs, which are joined below.
        let (before, rest) = self.files.split_at_mut(truth);
        let Some(((_, Contents::GroundTruth(truth)), after)) = rest.split_first_mut() else { return to_js(&outcome) };
        let mut runs: Vec<&Run> = Vec::new();
        for (id, file) in before.iter_mut().chain(after) {
            match file.prepare(truth) {
                None => {}
                Some(Ok(prepared)) => {
                    outcome.run_ids.extend(prepared.iter().map(|_| id.clone()));
                    runs.extend(prepared.iter().map(|prepared| &prepared.run));
                }
                Some(Err(refusal)) => outcome.failures.push(FileFailure::new(id, refusal)),
            }
        }
        if !runs.is_empty() {
            outcome.report = Some(crate::evaluate(truth, &runs, &options));
        }
        let value = to_js(&outcome);
        self.report = outcome.report;
        value
    }

    /// The bytes of the last report as JSON: the very bytes that the terminal prints.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no report.
    pub fn report_json(&self) -> Result<Uint8Array, JsValue> {
        let none = || Error::new("report", "there is none", "a ground truth and a run that can be scored");
        let report = self.report.as_ref().ok_or_else(|| failure(&[none()]))?;
        let bytes = crate::render::json(report).map_err(|error| failure(&[error]))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// What the official script would print for a run of the last report; nothing if there is no such run.
    #[must_use]
    pub fn official_lines(&self, run: usize) -> String {
        let Some(report) = &self.report else { return String::new() };
        {
            let lines = |run| crate::render::official_lines(run, &report.options);
            report.runs.get(run).map(lines).unwrap_or_default()
        }
    }

    /// The curve of a class, by its place in the official order, of a run of the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run or class, or an option is out of range.
    #[wasm_bindgen(unchecked_return_type = "CurveReport")]
    pub fn curve(&self, run: usize, class: usize, options: &Ts<OptionsReport>) -> Result<JsValue, JsValue> {
        let options = from_js(options)?;
        let options = checked(&options)?;
        let truth = self.files.iter().rev().find_map(|(_, file)| match file {
            Contents::GroundTruth(truth) => Some(truth),
            Contents::Predictions { .. } | Contents::Groups { .. } => None,
        });
        let run = self.prepared().nth(run).map(|prepared| &prepared.run);
        let class = truth.and_then(|truth| truth.classes().nth(class));
        let (Some(truth), Some(run), Some(class)) = (truth, run, class) else {
            let expected = "a run that was scored, and the number of a class of the ground truth";
            return Err(failure(&[Error::new("curve", "there is no such run or class", expected)]));
        };
        to_js::<CurveReport>(&crate::curve(truth, run, class, &options))
    }
}

impl Evaluator {
    /// Keeps what a file holds under `id`, in place of what was there.
    fn keep(&mut self, id: &str, name: &str, contents: Contents) -> Result<JsValue, JsValue> {
        let summary = contents.summary(name);
        self.forget();
        if matches!(contents, Contents::GroundTruth(_)) {
            // The runs were joined to another one.
            for (_, file) in &mut self.files {
                file.forget_runs();
            }
        }
        self.files.retain(|(other, _)| other != id);
        self.files.push((id.to_owned(), contents));
        to_js(&summary)
    }

    /// Forgets what was computed of files or readings that change now.
    fn forget(&mut self) {
        self.running = None;
        self.diagnoses = diagnosis::Diagnoses::default();
    }

    /// The runs that can be scored, in the order of the report.
    fn prepared(&self) -> impl Iterator<Item = &Prepared> {
        self.files
            .iter()
            .filter_map(|(_, file)| match file {
                Contents::Predictions { prepared: Some(Ok(prepared)), .. } => Some(prepared),
                _ => None,
            })
            .flatten()
    }
}

/// The options of the official script.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen(unchecked_return_type = "OptionsReport")]
pub fn default_options() -> Result<JsValue, JsValue> {
    to_js(&OptionsReport::from(&Options::default()))
}

/// The formats that a report is exported in.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen(unchecked_return_type = "FormatFacts[]")]
pub fn export_formats() -> Result<JsValue, JsValue> {
    let formats = crate::render::Format::ALL.map(crate::render::Format::facts);
    formats
        .iter()
        .map(|facts: &crate::render::FormatFacts| to_js(facts))
        .collect::<Result<Array, _>>()
        .map(JsValue::from)
}

/// Reads options that a person typed, such as `0.5` and `0.05, 0.1, 0.2`.
///
/// # Errors
/// Throws a `Failure` if one is out of range.
#[wasm_bindgen(unchecked_return_type = "OptionsReport")]
pub fn parse_options(iou_threshold: &str, fp_per_image: &str) -> Result<JsValue, JsValue> {
    let options = Options::parse(iou_threshold, fp_per_image).map_err(|error| failure(&[error]))?;
    to_js(&OptionsReport::from(&options))
}

/// The SHA-256 of a file, or of all of its bytes, in hexadecimal digits. Works in workers only.
///
/// # Errors
/// Throws a `Failure` if the file cannot be read any more.
#[wasm_bindgen]
pub fn sha256(#[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: &JsValue) -> Result<String, JsValue> {
    let reader = BlobReader::new(file).map_err(|error| failure(&[unreadable("file", &error)]))?;
    crate::input::digest(reader, &mut |_| ControlFlow::Continue(())).map_err(|error| failure(&[error.within("file")]))
}

/// The version of the core.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl Contents {
    fn of(predictions: Predictions) -> Self {
        Self::Predictions {
            predictions: Arc::new(predictions),
            reading: Reading::default(),
            label: None,
            prepared: None,
        }
    }

    fn summary(&self, name: &str) -> FileSummary {
        match self {
            Self::GroundTruth(truth) => FileSummary {
                kind: "ground_truth",
                name: name.to_owned(),
                sha256: Some(truth.sha256().to_owned()),
                n_images: Some(truth.n_images()),
                n_lesions: Some(truth.n_all_lesions()),
                n_files: None,
                n_detections: None,
            },
            Self::Groups { bytes, .. } => FileSummary {
                kind: "groups",
                name: name.to_owned(),
                sha256: Some(crate::input::sha256(bytes)),
                n_images: None,
                n_lesions: None,
                n_files: None,
                n_detections: None,
            },
            Self::Predictions { predictions, .. } => FileSummary {
                kind: "predictions",
                name: name.to_owned(),
                sha256: predictions.sha256().get().map(str::to_owned),
                n_images: None,
                n_lesions: None,
                n_files: Some(predictions.files().len()),
                n_detections: Some(predictions.detections().len()),
            },
        }
    }

    fn forget_runs(&mut self) {
        if let Self::Predictions { prepared, .. } = self {
            *prepared = None;
        }
    }

    /// The runs made ready for the ground truth, once; none if this is no file of predictions.
    fn prepare(&mut self, truth: &GroundTruth) -> Option<Result<&Vec<Prepared>, &Refusal>> {
        match self {
            Self::GroundTruth(_) | Self::Groups { .. } => None,
            Self::Predictions { predictions, reading, label, prepared } => {
                let prepare = || {
                    let mut runs = crate::prepare(truth, predictions, reading)?;
                    for run in runs.iter_mut().map(|prepared| &mut prepared.run) {
                        if let Some(label) = label {
                            // A folder of the file keeps its own name behind that.
                            run.rename(run.name().replacen(predictions.name(), label, 1));
                        }
                    }
                    Ok(runs)
                };
                Some(prepared.get_or_insert_with(prepare).as_ref())
            }
        }
    }
}

fn read(name: &str, file: &JsValue, on_progress: &Function) -> Result<Contents, Error> {
    let mut reader = BlobReader::new(file).map_err(|error| unreadable(name, &error))?;
    let head = reader.head().map_err(|error| unreadable(name, &error))?;
    let kind = match identify(name, &head) {
        Ok(kind) => kind,
        Err(other) => {
            if !crate::input::groups::is_groups(&head) {
                return Err(other);
            }
            let bytes = crate::input::load_groups(name, BufReader::with_capacity(LARGE, reader))?;
            return Ok(Contents::Groups { name: name.to_owned(), bytes });
        }
    };
    match kind {
        Kind::GroundTruth => {
            let bytes = crate::input::load_ground_truth(name, BufReader::with_capacity(LARGE, reader))?;
            Ok(Contents::GroundTruth(Box::new(crate::read_ground_truth(name, &bytes)?)))
        }
        Kind::Predictions => {
            let mut told = 0.0;
            let mut tell = |progress: Progress| {
                tell(on_progress, progress, &mut told);
                ControlFlow::Continue(())
            };
            Ok(Contents::of(crate::input::zip::read_undigested(name, reader, &mut tell)?))
        }
    }
}

/// Calls back at every hundredth part, so that a message is rare beside the work.
fn tell(on_progress: &Function, progress: Progress, told: &mut f64) {
    let (done, total) = (progress.done as f64, progress.total.max(1) as f64);
    let stage = match progress.stage {
        Stage::Reading => "reading",
        Stage::Hashing => "hashing",
    };
    let so_far = done / total + if progress.stage == Stage::Hashing { 1.0 } else { 0.0 };
    if so_far - *told >= 0.01 {
        *told = so_far;
        if let Ok(report) = to_js(&ProgressReport { stage, done, total }) {
            // A listener that throws does not end the reading.
            let _ = on_progress.call1(&JsValue::NULL, &report);
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::new(
        name,
        format!("the browser cannot read it ({error})"),
        "a file that is still where it was; choose it again",
    )
}

fn checked(options: &OptionsReport) -> Result<Options, JsValue> {
    Options::new(options.iou_threshold, options.fp_per_image.clone()).map_err(|error| failure(&[error]))
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

fn failure(errors: &[Error]) -> JsValue {
    let failure = Failure { errors: errors.iter().map(ErrorReport::from).collect() };
    to_js(&failure).unwrap_or_else(|error| error)
}

/// What a plain object says.
///
/// # Errors
/// Its sentence if it is none of that kind.
fn from_js<T: Tsify + serde::de::DeserializeOwned>(value: &Ts<T>) -> Result<T, JsValue>
where
    T::JsType: Clone,
{
    value.to_rust().map_err(|error| JsValue::from(error.to_string()))
}

/// A plain object, with null for what is missing.
fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

/// Bytes asked for at once where a file is read whole.
const LARGE: usize = 1 << 18;

/// A file of the browser, or its bytes. What is read in order is read ahead, more and more of it, and waits outside of the
/// WebAssembly memory.
struct BlobReader {
    /// What reads the file; none if all of its bytes were given.
    source: Option<(Blob, FileReaderSync)>,
    size: u64,
    position: u64,
    /// The bytes that were read last, and where they start in the file.
    window: Uint8Array,
    start: u64,
}

impl BlobReader {
    /// Bytes asked of the browser at once at most. In Chromium, 128 MB took 0.70 s by 1 MiB, 0.35 s by 4 and 0.32 s by 8.
    const MOST: u64 = 1 << 23;

    /// Of a `Blob`, or of a `Uint8Array` that holds all of a file.
    fn new(file: &JsValue) -> io::Result<Self> {
        if let Some(bytes) = file.dyn_ref::<Uint8Array>() {
            let size = u64::from(bytes.length());
            return Ok(Self { source: None, size, position: 0, window: bytes.clone(), start: 0 });
        }
        let blob: Blob = file.clone().unchecked_into();
        let reader = FileReaderSync::new().map_err(|error| in_js(&error))?;
        #[expect(clippy::cast_sign_loss, reason = "a size is a whole number from 0")]
        let size = blob.size() as u64;
        Ok(Self { source: Some((blob, reader)), size, position: 0, window: Uint8Array::new_with_length(0), start: 0 })
    }

    /// What tells the kind of a file. The file is read from its start again afterwards.
    fn head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = vec![0; HEAD_BYTES];
        let n = self.read(&mut head)?;
        head.truncate(n);
        self.position = 0;
        Ok(head)
    }

    /// Whether the file is read in one piece.
    const fn is_small(&self) -> bool {
        self.size <= Self::MOST
    }

    /// Where the window ends in the file.
    fn end(&self) -> u64 {
        self.start + u64::from(self.window.length())
    }

    /// Moves the window to the position: over `least` bytes, or twice as many as before if it goes on where it ended; over
    /// the whole file if that is small, since each question to the browser takes some milliseconds.
    fn advance(&mut self, least: usize) -> io::Result<()> {
        let Some((blob, reader)) = &self.source else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let ahead = if self.position == self.end() { 2 * u64::from(self.window.length()) } else { 0 };
        let length = ahead.min(Self::MOST).max(least as u64);
        let (start, end) = if self.is_small() {
            (0, self.size)
        } else {
            (self.position, self.size.min(self.position.saturating_add(length)))
        };
        let slice = blob.slice_with_f64_and_f64(start as f64, end as f64).map_err(|error| in_js(&error))?;
        let array = reader.read_as_array_buffer(&slice).map_err(|error| in_js(&error))?;
        self.window = Uint8Array::new(&array);
        self.start = start;
        Ok(())
    }
}

impl Read for BlobReader {
    /// As many bytes as there are in the window, up to the length of `out`.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || out.is_empty() {
            return Ok(0);
        }
        if self.position < self.start || self.position >= self.end() {
            self.advance(out.len())?;
        }
        let at = (self.position - self.start) as u32;
        let n = (self.window.length().saturating_sub(at) as usize).min(out.len());
        self.window.subarray(at, at + n as u32).copy_to(&mut out[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// What the browser threw.
fn in_js(error: &JsValue) -> io::Error {
    let message = js_sys::Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    io::Error::other(message.unwrap_or_else(|| "no reason given".to_owned()))
}
