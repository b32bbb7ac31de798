//! JavaScript <-> [`Session`]: converts, and decides nothing. Works in web workers only, where files can be read at once.
//!
//! Nothing here panics on data: every failure is thrown as a plain object [`Failure`].

mod blob;

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use js_sys::{Function, JSON, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use self::blob::BlobReader;
use crate::convert::{Conversion, Target, TargetFacts};
use crate::error::Error;
use crate::fusion::DEFAULT_IOU;
use crate::geometry::Measure;
use crate::input::labels::LABELS;
use crate::input::{FORMATS, GROUND_TRUTHS, Progress, Stage};
use crate::options::{Hit, MeasureFacts, Options};
use crate::protocol::{CHESTX_DET10_LINKS, Protocol, ProtocolFacts};
use crate::reading::Reading;
use crate::render::errors::ErrorsFormat;
use crate::render::suspects::SuspectsFormat;
use crate::render::{Format, FormatFacts};
use crate::report::diagnosis::DiagnosisReport;
use crate::report::image::ImageReport;
use crate::report::statistics::RocCurveReport;
use crate::report::suspects::SuspectsReport;
use crate::report::{CurveReport, OptionsReport, Report};
use crate::session::{
    BootstrapProgress, ErrorReport, FileSummary, GalleryQuery, Outcome, ResamplingOptions, Restored, SavedSelection,
    Session, SessionFile, StatisticsDefaults, StatisticsOptions, View,
};
use crate::slices::By;
use crate::suspects::Mark;

/// What every call throws that can fail.
#[derive(Serialize, Tsify)]
pub struct Failure {
    /// At least one.
    pub errors: Vec<ErrorReport>,
}

/// A way to write a ground truth or detections.
#[derive(Serialize, Tsify)]
pub struct InputFormat {
    /// What it is called.
    pub name: &'static str,
    /// Endings of its files, with the dot.
    pub endings: Vec<&'static str>,
}

/// What is read.
#[derive(Serialize, Tsify)]
pub struct InputFormats {
    /// As a ground truth.
    pub ground_truths: Vec<InputFormat>,
    /// As predictions.
    pub predictions: Vec<InputFormat>,
}

/// Addresses that the page links; it asks none of them.
#[derive(Serialize, Tsify)]
pub struct Links {
    /// Of this project.
    pub repository: &'static str,
    /// Of the dataset whose script is followed.
    pub dataset: &'static str,
    /// Of the paper on it.
    pub paper: &'static str,
    /// Of the script, at its commit.
    pub script: &'static str,
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

/// For each class, in the official order, the score from which on its detections count; null where none counts.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Thresholds(pub Vec<Option<f32>>);

/// A session that was saved, and what of it is here.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct OpenedSession {
    /// What was chosen.
    pub session: SessionFile,
    /// What is restored, and what differs.
    pub restored: Restored,
}

/// A [`Session`] of JavaScript. Files and runs are known by their ids.
#[wasm_bindgen]
#[derive(Default)]
pub struct Evaluator(Session);

type Converted<T> = Result<T, JsValue>;

#[wasm_bindgen]
impl Evaluator {
    /// An evaluator without files.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks into a file, or all of its bytes, reads it and keeps it under `id`, in place of what was there. `on_progress`
    /// is called with a `ProgressReport` now and then. Of several ground truths the one added last counts.
    ///
    /// # Errors
    /// Throws a `Failure`; then nothing has changed.
    pub fn add(
        &mut self,
        id: &str,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: &JsValue,
        on_progress: &Function,
    ) -> Converted<Ts<FileSummary>> {
        let mut told = 0.0;
        let mut tell = |progress: Progress| {
            tell(on_progress, progress, &mut told);
            ControlFlow::Continue(())
        };
        let reader = BlobReader::new(file).map_err(|error| thrown(&unreadable(name, &error)))?;
        to_js(&self.0.add(id, name, reader, &mut tell).map_err(|error| thrown(&error))?)
    }

    /// Tells the SHA-256 of a file of predictions, and gives the last report with it, if there is one.
    ///
    /// # Errors
    /// Throws what the browser does if it cannot make an object.
    pub fn learn_sha256(&mut self, id: &str, digits: &str) -> Converted<Option<Ts<Report>>> {
        self.0.learn_sha256(id, digits).map(to_js).transpose()
    }

    /// Forgets a file.
    pub fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Reads a file of predictions otherwise from now on, as the official script does without a reading; the file itself is
    /// not read again.
    ///
    /// # Errors
    /// Throws a `Failure` if `reading` is no reading.
    #[expect(clippy::needless_pass_by_value, reason = "an object that may be missing is passed by value")]
    pub fn set_reading(&mut self, id: &str, reading: Option<Ts<Reading>>) -> Converted<()> {
        let reading = reading.as_ref().map(from_js).transpose()?;
        self.0.set_reading(id, reading.unwrap_or_default());
        Ok(())
    }

    /// Calls the run of a file of predictions otherwise from the next score on; the file keeps its name.
    pub fn rename(&mut self, id: &str, name: &str) {
        self.0.rename(id, name);
    }

    /// Fuses runs of files from the next score on, by an IoU or by the one that is used unless told, and gives the id of the run that
    /// they make, in place of a fusion of the same before. `remove` forgets it, and `rename` calls it otherwise.
    ///
    /// # Errors
    /// Throws a `Failure` if that is no IoU, or there is no run; then nothing has changed.
    #[expect(clippy::needless_pass_by_value, reason = "an array is passed by value")]
    pub fn fuse(&mut self, of: Vec<String>, iou_threshold: Option<f64>) -> Converted<String> {
        self.0.fuse(&of, iou_threshold.unwrap_or(DEFAULT_IOU)).map_err(|error| thrown(&error))
    }

    /// Evaluates as a built-in protocol says, one of `protocols`, or without a name as the ground truth tells.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such protocol, or the ground truth cannot be evaluated so; then nothing has changed.
    #[expect(clippy::needless_pass_by_value, reason = "a text that may be missing is passed by value")]
    pub fn choose_protocol(&mut self, name: Option<String>) -> Converted<()> {
        self.0.choose_protocol(name.as_deref()).map_err(|error| thrown(&error))
    }

    /// Scores on the boxes of these readers, where the ground truth names several: `all`, `agreed`, or the name of one; or without a name of those
    /// that count without a choice.
    ///
    /// # Errors
    /// Throws a `Failure` if the ground truth names no several readers, or none of that name; then nothing has changed.
    #[expect(clippy::needless_pass_by_value, reason = "a text that may be missing is passed by value")]
    pub fn choose_readers(&mut self, name: Option<String>) -> Converted<()> {
        self.0.choose_readers(name.as_deref()).map_err(|error| thrown(&error))
    }

    /// Scores all classes but those of these names, of the ground truth that was added last and of those that will be.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no class of a name, or no other class; then nothing has changed.
    #[expect(clippy::needless_pass_by_value, reason = "an array is passed by value")]
    pub fn ignore_classes(&mut self, names: Vec<String>) -> Converted<()> {
        self.0.ignore_classes(&names).map_err(|error| thrown(&error))
    }

    /// Scores every run, in the order of `add`; what was read is not read again.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range.
    pub fn evaluate(&mut self, options: &Ts<OptionsReport>) -> Converted<Ts<Outcome>> {
        to_js(self.0.evaluate(&checked(options)?))
    }

    /// What the last report is of, what was chosen for it, and what a person wrote down and looks at, as the bytes of a file such as
    /// `mine.froc.json`: no box, no image; for files without their tables of groups and slices, unless it is `with_tables`.
    ///
    /// # Errors
    /// Throws a `Failure` if nothing was scored.
    pub fn save(&self, notes: &str, selection: Option<Ts<SavedSelection>>, with_tables: bool) -> Converted<Uint8Array> {
        let selection = selection.map(|selection| from_js(&selection)).transpose()?;
        let session =
            self.0.save(notes, selection).map(|session| if with_tables { session } else { session.without_tables() });
        let bytes = session.and_then(|session| session.bytes()).map_err(|error| thrown(&error))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// Reads and names the files of predictions as they were when a session was saved, and tells what was chosen in it and
    /// what differs; `text` is all of its file.
    ///
    /// # Errors
    /// Throws a `Failure` if it is no session, is damaged, or a later version saved it, and if the ground truth cannot be
    /// evaluated as it says.
    pub fn restore(&mut self, name: &str, text: &str) -> Converted<Ts<OpenedSession>> {
        // The browser reads JSON itself.
        let value = JSON::parse(text).map_err(|error| String::from(js_sys::Error::from(error).message()));
        let saved_by = value.clone().and_then(from_plain);
        let session = SessionFile::read_by(name, saved_by, || value.and_then(from_plain));
        let session = session.map_err(|error| thrown(&error))?;
        let restored = self.0.restore(&session).map_err(|error| thrown(&error))?;
        to_js(&OpenedSession { session, restored })
    }

    /// The last report as the bytes of a file: the very bytes that the terminal prints.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no report, or no such format: one of `export_formats`.
    pub fn export(&self, format: &str) -> Converted<Uint8Array> {
        let bytes = Format::named(format).and_then(|format| self.0.export(format)).map_err(|error| thrown(&error))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// The last report as the bytes of a file that is handed on, without the names of images and what a table tells unless these are wanted.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no report.
    pub fn report_to_share(&self, with_image_names: bool, with_table: bool) -> Converted<Uint8Array> {
        let bytes = self.0.report_to_share(with_image_names, with_table).map_err(|error| thrown(&error))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// What the official script would print for a run of the last report; nothing if there is no such run.
    #[must_use]
    pub fn official_lines(&self, run: &str) -> String {
        self.0.official_lines(run)
    }

    /// The exact score of a run of the last report in the same form; nothing if there is no such run.
    #[must_use]
    pub fn exact_lines(&self, run: &str) -> String {
        self.0.exact_lines(run)
    }

    /// The exact FROC curve of a row of a run: of a class by its name, of `mean` or of `pooled`.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run or row, or an option is out of range.
    pub fn curve(&self, run: &str, row: &str, options: &Ts<OptionsReport>) -> Converted<Ts<CurveReport>> {
        answer(self.0.curve(run, row, &checked(options)?))
    }

    /// The image-level ROC curve of a class, by its place in the official order, of a run.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run or class.
    pub fn image_roc(&self, run: &str, class: usize) -> Converted<Ts<RocCurveReport>> {
        answer(self.0.image_roc(run, class))
    }

    /// Starts a bootstrap over all runs, in place of one before; nothing is drawn yet.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range, the groups do not fit, or no run can be scored.
    pub fn start_bootstrap(
        &mut self,
        options: &Ts<OptionsReport>,
        resampling: &Ts<ResamplingOptions>,
        statistics: &Ts<StatisticsOptions>,
    ) -> Converted<Ts<BootstrapProgress>> {
        answer(self.0.start_bootstrap(&checked(options)?, &from_js(resampling)?, &from_js(statistics)?))
    }

    /// Draws up to `n` more replicates. Between two calls the worker can tell how far it is, or be told to stop.
    ///
    /// # Errors
    /// Throws a `Failure` if no bootstrap was started, or a file was added, removed or read otherwise since.
    pub fn step_bootstrap(&mut self, n: u32) -> Converted<Ts<BootstrapProgress>> {
        answer(self.0.step_bootstrap(n))
    }

    /// Forgets the bootstrap.
    pub fn stop_bootstrap(&mut self) {
        self.0.stop_bootstrap();
    }

    /// Scores as `evaluate` does and adds everything beside the score: with intervals, bands and comparisons if a bootstrap
    /// under the same options is done. It becomes the last report.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range, the baseline is no run, or no run can be scored.
    pub fn evaluate_with_statistics(
        &mut self,
        options: &Ts<OptionsReport>,
        statistics: &Ts<StatisticsOptions>,
    ) -> Converted<Ts<Outcome>> {
        let outcome = self.0.evaluate_with_statistics(&checked(options)?, &from_js(statistics)?);
        to_js(outcome.map_err(|error| thrown(&error))?)
    }

    /// Divides the images by what `Outcome.choices` tells, in the last report and all that follow; by nothing more, if there is none.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such choice, or the table does not fit; then nothing changes.
    #[expect(clippy::needless_pass_by_value, reason = "a list of JavaScript is passed by value")]
    pub fn slice_by(&mut self, by: Vec<String>) -> Converted<Ts<Outcome>> {
        let by =
            by.iter().map(|by| By::parse(by)).collect::<Result<Vec<_>, Error>>().map_err(|error| thrown(&error))?;
        to_js(self.0.slice_by(by.into_iter().flatten().collect()).map_err(|error| thrown(&error))?)
    }

    /// Scores as `evaluate` does and ranks the runs by their exact average recall, on draws of its own.
    ///
    /// # Errors
    /// Throws a `Failure` if there are fewer than two runs, an option is out of range or the groups do not fit.
    pub fn evaluate_with_ranking(
        &mut self,
        options: &Ts<OptionsReport>,
        resampling: &Ts<ResamplingOptions>,
    ) -> Converted<Ts<Outcome>> {
        let outcome = self.0.evaluate_with_ranking(&checked(options)?, &from_js(resampling)?);
        to_js(outcome.map_err(|error| thrown(&error))?)
    }

    /// The score threshold of each class at its exact operating point of each of the rates, or if they are `pooled`, that of
    /// all classes ranked together. At an infinite rate all detections count.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    pub fn operating_thresholds(
        &self,
        run: &str,
        fp_per_image: &[f64],
        iou_threshold: f64,
        pooled: bool,
    ) -> Converted<Vec<Ts<Thresholds>>> {
        let of_rates = self.0.operating_thresholds(run, fp_per_image, iou_threshold, pooled);
        let of_rates = of_rates.map_err(|error| thrown(&error))?.into_iter();
        of_rates.map(|thresholds| to_js(&Thresholds(thresholds.into_iter().collect()))).collect()
    }

    /// The counts of a run under a view.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    pub fn diagnosis(&mut self, view: &Ts<View>) -> Converted<Ts<DiagnosisReport>> {
        answer(self.0.diagnosis(&from_js(view)?))
    }

    /// The numbers of the images that are wanted, in order.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    pub fn gallery(&mut self, query: &Ts<GalleryQuery>) -> Converted<Vec<u32>> {
        self.0.gallery(&from_js(query)?).map_err(|error| thrown(&error))
    }

    /// What became of the boxes of some images, by their numbers; numbers that there are not are left out, and unless it is
    /// `with_uncounted`, detections below the thresholds as well.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    pub fn images(&mut self, view: &Ts<View>, images: &[u32], with_uncounted: bool) -> Converted<Vec<Ts<ImageReport>>> {
        let reports = self.0.images(&from_js(view)?, images, with_uncounted).map_err(|error| thrown(&error))?;
        reports.iter().map(to_js).collect()
    }

    /// The score thresholds that reach the rates of the options with a run, as the bytes of a file, JSON or a table, to be used on other
    /// images.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run, or an option is out of range.
    pub fn thresholds(&self, run: &str, options: &Ts<OptionsReport>, is_table: bool) -> Converted<Uint8Array> {
        let written_as = if is_table { crate::Thresholds::csv } else { crate::Thresholds::json };
        let chosen = self.0.thresholds(run, &checked(options)?).and_then(|chosen| written_as(&chosen));
        Ok(Uint8Array::from(chosen.map_err(|error| thrown(&error))?.as_slice()))
    }

    /// Writes a run, as it is read, as files in another format: one of `conversion_targets`. `on_chunk` is called with one
    /// `Uint8Array` after the other.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such format or run, or the format cannot tell its images or classes apart, and what
    /// `on_chunk` throws.
    pub fn convert(&self, run: &str, target: &str, on_chunk: &Function) -> Converted<Ts<Conversion>> {
        let target = Target::named(target).map_err(|error| thrown(&error))?;
        to_js(&in_chunks(on_chunk, "convert", |out| self.0.convert(run, target, out))?)
    }

    /// Writes every detection and every missed lesion of all runs at the exact operating points of a rate, infinite for every
    /// detection, as `csv` or `json`: `on_chunk` is called with one `Uint8Array` after the other.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such format or nothing was scored, and what `on_chunk` throws.
    pub fn errors(
        &mut self,
        fp_per_image: f64,
        iou_threshold: f64,
        format: &str,
        on_chunk: &Function,
    ) -> Converted<()> {
        let format = ErrorsFormat::named(format).map_err(|error| thrown(&error))?;
        in_chunks(on_chunk, "errors", |out| self.0.errors(fp_per_image, iou_threshold, format, out))
    }

    /// The suspects in the ground truth by all runs, with their marks; if any is marked as wrong, with the scores under the corrected
    /// ground truth, whose file `corrected_ground_truth` gives under the name that stands there.
    ///
    /// # Errors
    /// Throws a `Failure` if an option is out of range, no run can be scored, or the corrected ground truth cannot be.
    pub fn suspects(&mut self, options: &Ts<OptionsReport>) -> Converted<Ts<SuspectsReport>> {
        answer(self.0.suspects(&checked(options)?))
    }

    /// Marks a suspect by its id, or without a mark takes away the one that it has. Saved sessions hold it.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such mark.
    #[expect(clippy::needless_pass_by_value, reason = "a value that may be missing is passed by value")]
    pub fn mark_suspect(&mut self, id: &str, mark: Option<Ts<Mark>>) -> Converted<()> {
        self.0.mark_suspect(id, mark.as_ref().map(from_js).transpose()?);
        Ok(())
    }

    /// Reads the marks of a table that `export_suspects` wrote as `csv` and a person filled in; those it does not tell stay.
    ///
    /// # Errors
    /// Throws a `Failure` if it is no such table, or marks what is no suspect; then nothing has changed.
    pub fn read_marks(&mut self, name: &str, bytes: &[u8], options: &Ts<OptionsReport>) -> Converted<()> {
        self.0.read_marks(name, bytes, &checked(options)?).map_err(|error| thrown(&error))
    }

    /// The suspects as the bytes of a file: `csv`, `text` or `json`.
    ///
    /// # Errors
    /// As `suspects`, and if there is no such format.
    pub fn export_suspects(&mut self, format: &str, options: &Ts<OptionsReport>) -> Converted<Uint8Array> {
        let options = checked(options)?;
        let bytes = SuspectsFormat::named(format).and_then(|format| self.0.export_suspects(format, &options));
        Ok(Uint8Array::from(bytes.map_err(|error| thrown(&error))?.as_slice()))
    }

    /// The ground truth with what is marked as wrong corrected, as the bytes of a file beside the original.
    ///
    /// # Errors
    /// Throws a `Failure` if nothing is marked as wrong, or it cannot be written.
    pub fn corrected_ground_truth(&mut self, options: &Ts<OptionsReport>) -> Converted<Uint8Array> {
        let file = self.0.corrected_ground_truth(&checked(options)?).map_err(|error| thrown(&error))?;
        Ok(Uint8Array::from(file.bytes.as_slice()))
    }
}

/// The options of the official script.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn default_options() -> Converted<Ts<OptionsReport>> {
    to_js(&OptionsReport::from(&Options::default()))
}

/// What is computed beside the score unless something else is asked for.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn default_statistics() -> Converted<Ts<StatisticsDefaults>> {
    to_js(&StatisticsDefaults::default())
}

/// The formats that a report is exported in.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn export_formats() -> Converted<Vec<Ts<FormatFacts>>> {
    Format::ALL.map(Format::facts).iter().map(to_js).collect()
}

/// What is read: the page's help tells it from here.
///
/// # Errors
/// Throws a `Failure` if it does not fit into memory.
#[wasm_bindgen]
pub fn input_formats() -> Converted<Ts<InputFormats>> {
    let fact = |name, endings: &'static [&'static str]| InputFormat { name, endings: endings.to_vec() };
    let ground_truths = GROUND_TRUTHS.iter().map(|format| fact(format.name, format.endings));
    let labels = LABELS.iter().map(|format| fact(format.name, format.endings));
    to_js(&InputFormats {
        ground_truths: ground_truths.chain(labels).collect(),
        predictions: FORMATS.iter().map(|format| fact(format.name, format.endings)).collect(),
    })
}

/// The protocols that can be chosen.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn protocols() -> Converted<Vec<Ts<ProtocolFacts>>> {
    Protocol::BUILT_IN.iter().map(to_js).collect()
}

/// The formats that a run is converted to.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn conversion_targets() -> Converted<Vec<Ts<TargetFacts>>> {
    Target::ALL.map(Target::facts).iter().map(to_js).collect()
}

/// Reads options that a person typed, such as `0.5` and `0.05, 0.1, 0.2`.
///
/// # Errors
/// Throws a `Failure` if one is out of range.
#[wasm_bindgen]
pub fn parse_options(measure: &Ts<Measure>, threshold: &str, fp_per_image: &str) -> Converted<Ts<OptionsReport>> {
    let hit = Hit::typed(from_js(measure)?, threshold);
    let options = hit.and_then(|hit| Options::parse_of_hit(hit, fp_per_image));
    answer(options.map(|options| OptionsReport::from(&options)))
}

/// What decides on hits: the measures that there are.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn hit_measures() -> Converted<Vec<Ts<MeasureFacts>>> {
    Measure::ALL.map(Measure::facts).iter().map(to_js).collect()
}

/// What stands over the words that say what a published convention is, in the order in which they are shown.
#[wasm_bindgen]
#[must_use]
pub fn convention_headings() -> Vec<String> {
    crate::sheet::published::HEADINGS.map(str::to_owned).to_vec()
}

/// The SHA-256 of a file, or of all of its bytes, in hexadecimal digits.
///
/// # Errors
/// Throws a `Failure` if the file cannot be read any more.
#[wasm_bindgen]
pub fn sha256(#[wasm_bindgen(unchecked_param_type = "Blob | Uint8Array")] file: &JsValue) -> Converted<String> {
    let reader = BlobReader::new(file).map_err(|error| thrown(&unreadable("file", &error)))?;
    let digits = crate::input::digest(reader, &mut |_| ControlFlow::Continue(()));
    digits.map_err(|error| thrown(&error.within("file")))
}

/// Writes the page in one file, whose bytes `page` are, with files in it, each with the name at its place: `on_chunk` is called with one
/// `Uint8Array` after the other.
///
/// # Errors
/// Throws a `Failure` if that is another page, or a file cannot be read any more, and what `on_chunk` throws.
#[wasm_bindgen]
#[expect(clippy::needless_pass_by_value, reason = "a list of JavaScript is passed by value")]
pub fn page_with(
    page: &[u8],
    names: Vec<String>,
    #[wasm_bindgen(unchecked_param_type = "(Blob | Uint8Array)[]")] files: &js_sys::Array,
    on_chunk: &Function,
) -> Converted<()> {
    let mut readers = Vec::with_capacity(names.len());
    for (name, file) in names.iter().zip(files.iter()) {
        let reader = BlobReader::new(&file).map_err(|error| thrown(&unreadable(name, &error)))?;
        readers.push((name.as_str(), reader));
    }
    in_chunks(on_chunk, "froc.html", |out| crate::saved_page::write("froc.html", page, readers, out))
}

/// Whether all bytes of a text are the predictions for one image, or hold nothing.
#[wasm_bindgen]
#[must_use]
pub fn is_of_one_image(bytes: &[u8]) -> bool {
    crate::input::is_of_one_image(bytes)
}

/// Where the project, the dataset and its script are told of.
///
/// # Errors
/// Throws what the browser does if it cannot make an object.
#[wasm_bindgen]
pub fn links() -> Converted<Ts<Links>> {
    let [dataset, paper, script] = CHESTX_DET10_LINKS;
    to_js(&Links { repository: env!("CARGO_PKG_REPOSITORY"), dataset, paper, script })
}

/// The version of the core.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
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
            let _ = on_progress.call1(&JsValue::NULL, &report.into());
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    let what = format!("the browser cannot read it ({error})");
    Error::new(name, what, "a file that is still where it was; choose it again")
}

fn checked(options: &Ts<OptionsReport>) -> Converted<Options> {
    let options: OptionsReport = from_js(options)?;
    options.options().map_err(|error| thrown(&error))
}

/// What is thrown for an error: a `Failure`.
fn thrown(error: &Error) -> JsValue {
    to_js(&Failure { errors: vec![error.into()] }).map_or_else(|error| error, JsValue::from)
}

/// An answer as JavaScript has it, or what is thrown in place of it.
fn answer<T: Tsify + Serialize>(answer: Result<T, Error>) -> Converted<Ts<T>> {
    to_js(&answer.map_err(|error| thrown(&error))?)
}

/// What a plain object says, if it is one of that kind.
fn from_js<T>(value: &Ts<T>) -> Converted<T>
where
    T: Tsify<JsType: Clone> + DeserializeOwned,
{
    value.to_rust().map_err(|error| thrown(&Error::new("engine", error.to_string(), "an object of that kind")))
}

/// What a plain object says that nobody has looked at.
fn from_plain<T: DeserializeOwned>(value: JsValue) -> Result<T, String> {
    serde_wasm_bindgen::from_value(value).map_err(|error| error.to_string())
}

/// A plain object, with null for what is missing.
fn to_js<T: Tsify + Serialize>(value: &T) -> Converted<Ts<T>> {
    value.into_ts().map_err(|error| JsValue::from(error.to_string()))
}

/// What `write` gives, all that it writes handed over piece by piece; `what` is what to call it in a sentence.
fn in_chunks<T>(
    on_chunk: &Function,
    what: &str,
    write: impl FnOnce(BufWriter<&mut Chunks<'_>>) -> Result<io::Result<T>, Error>,
) -> Converted<T> {
    let mut chunks = Chunks { on_chunk, thrown: None };
    let out = BufWriter::with_capacity(Chunks::BYTES, &mut chunks);
    let written = write(out).map_err(|error| thrown(&error))?;
    match (written, chunks.thrown) {
        (Ok(written), _) => Ok(written),
        (Err(_), Some(thrown)) => Err(thrown),
        (Err(error), None) => Err(thrown(&Error::new(what, error.to_string(), "to be written to the end"))),
    }
}

/// Hands bytes over to JavaScript.
struct Chunks<'a> {
    on_chunk: &'a Function,
    /// What it threw.
    thrown: Option<JsValue>,
}

impl Chunks<'_> {
    /// Of each but the last one.
    const BYTES: usize = 1 << 20;
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.on_chunk.call1(&JsValue::NULL, &Uint8Array::from(bytes)) {
            Ok(_) => Ok(bytes.len()),
            Err(thrown) => {
                self.thrown = Some(thrown);
                Err(io::Error::other("the page took no more"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
