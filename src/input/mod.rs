//! Archives and formats -> dataset: one file per format.
//!
//! To add a format, write a module like [`chestx_det`] with a [`Format`] or a [`GroundTruthFormat`], and list it in
//! [`FORMATS`] or [`GROUND_TRUTHS`].

pub mod attributes;
mod by_image;
pub mod chestx_det;
mod coco;
mod csv;
#[cfg(not(target_arch = "wasm32"))]
pub mod folder;
pub mod groups;
pub mod gzip;
mod json;
pub mod labels;
mod node21;
mod object_cxr;
mod records;
pub mod remedy;
mod sniff;
pub mod suppression;
pub(crate) mod table;
mod voc;
pub(crate) mod yolo;
mod yolo_labels;
pub mod zip;

use std::collections::TryReserveError;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use crate::dataset::{Detections, GroundTruth, PredictionFile, PredictionFiles, Predictions, Remarks, Source};
use crate::error::{Error, ErrorKind};
use crate::limits::{MAX_GROUND_TRUTH_BYTES, MAX_NAME_BYTES, MAX_ROWS};

pub use sniff::{HEAD_BYTES, Kind, identify, is_of_one_image};

/// A way to write a ground truth.
pub struct GroundTruthFormat {
    /// What to call it in a sentence.
    pub name: &'static str,
    /// Endings of its files, in lower case, with the dot.
    pub endings: &'static [&'static str],
    /// Whether all bytes of a file have its structure.
    pub sniff: fn(bytes: &[u8]) -> bool,
    /// Reads a file of that base name.
    pub read: fn(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error>,
}

/// The formats of ground truths; a file is read as the first whose structure it has.
pub const GROUND_TRUTHS: &[GroundTruthFormat] =
    &[chestx_det::ground_truth::FORMAT, coco::GROUND_TRUTH, node21::FORMAT, object_cxr::FORMAT, csv::GROUND_TRUTH];

/// Under this key a ground truth that is another's with corrections tells how many a record has.
pub const CORRECTIONS_KEY: &str = "corrections";

/// A number of corrections; 0 of what is none.
#[expect(clippy::cast_sign_loss, reason = "a cast stays within its type, and what is below 0 becomes 0")]
const fn count(number: f64) -> usize {
    (number as u32) as usize
}

/// A way to write detections.
pub struct Format {
    /// What to call it in a sentence.
    pub name: &'static str,
    /// Endings of its files, in lower case, with the dot.
    pub endings: &'static [&'static str],
    /// Whether all bytes of a file have its structure.
    pub sniff: fn(bytes: &[u8]) -> bool,
    /// Reads a file.
    pub read: ReadDetections,
}

/// Reads a file of detections.
#[derive(Clone, Copy)]
pub enum ReadDetections {
    /// One that holds those of one image, which it is named like, into the columns.
    OfImage(fn(bytes: &[u8], into: &mut Detections) -> Result<Remarks, Error>),
    /// One that holds those of all images.
    OfRun(fn(bytes: &[u8], into: &mut KeyedImages) -> Result<(), Error>),
}

/// The formats of predictions; a file is read as the first of its ending whose structure it has, and passed over if it
/// has that of none. Only the first is read by the official script.
pub const FORMATS: &[Format] = &[
    chestx_det::FORMAT,
    records::RECORDS,
    records::SIDE_BY_SIDE,
    records::BY_CLASS,
    coco::RESULTS,
    by_image::FORMAT,
    object_cxr::POINTS,
    csv::FORMAT,
    yolo::FORMAT,
];

impl GroundTruthFormat {
    /// Whether a file is called like one of this format.
    fn has_ending(&self, path: &str) -> bool {
        has_ending(self.endings, path)
    }
}

/// Whether a path ends with one of these, with something before it.
fn has_ending(endings: &[&str], path: &str) -> bool {
    let is_end = |ending: &&str| {
        let start = path.len().checked_sub(ending.len()).filter(|start| *start > 0);
        start.is_some_and(|start| path.as_bytes()[start..].eq_ignore_ascii_case(ending.as_bytes()))
    };
    endings.iter().any(is_end)
}

impl Format {
    /// The format of a file by its ending and its structure; of a file that the official script reads that of the script, if it
    /// has the structure of none.
    fn of(path: &str, bytes: &[u8]) -> Option<&'static Self> {
        let is_it = |format: &&Self| format.has_ending(path) && (format.sniff)(bytes);
        FORMATS.iter().find(is_it).or_else(|| Some(&FORMATS[0]).filter(|format| format.has_ending(path)))
    }

    fn has_ending(&self, path: &str) -> bool {
        has_ending(self.endings, path)
    }

    /// Its name, unless it is what the official script reads.
    fn unless_official(&self) -> Option<&'static str> {
        (self.name != chestx_det::FORMAT.name).then_some(self.name)
    }
}

/// The detections of all images as one file holds them, each image under its key in the file.
#[derive(Debug, Default)]
pub struct KeyedImages {
    part: Part,
}

impl KeyedImages {
    /// Reads the detections of the image of that key.
    ///
    /// # Errors
    /// Those of `read`, with the key before their place.
    fn read(&mut self, key: &str, read: impl FnOnce(&mut Detections) -> Result<Remarks, Error>) -> Result<(), Error> {
        let first = self.part.detections.len();
        let mut remarks = read(&mut self.part.detections).map_err(|error| error.within(key))?;
        let detections = Ok(first as u32..self.part.detections.len() as u32);
        remarks.text_number = remarks.text_number.map(|error| error.within(key));
        self.part.files.push(PredictionFile { detections, remarks, ..PredictionFile::new(key, 0..0) });
        self.part.check()
    }

    /// Takes detections that stand image by image: key, number and remarks of each image.
    ///
    /// # Errors
    /// As [`Part::check`].
    fn take<'a>(
        &mut self,
        detections: Detections,
        images: impl Iterator<Item = (&'a str, u32, Remarks)>,
    ) -> Result<(), Error> {
        let mut first = self.part.detections.append(detections).map_err(full)? as u32;
        for (key, n, remarks) in images {
            let detections = Ok(first..first + n);
            self.part.files.push(PredictionFile { detections, remarks, ..PredictionFile::new(key, 0..0) });
            first += n;
        }
        self.part.check()
    }

    /// The images, all held by the file of that path and written in that format.
    fn held_by(self, path: &str, format: &'static str) -> Part {
        let Part { mut files, detections, .. } = self.part;
        files.set_source(&Source { format: Some(format), holder: Some(path.into()) });
        Part { files, detections, ..Part::default() }
    }
}

/// As much of a class name as is kept: no class has a longer one, and all of it would let one file fill the memory.
fn kept(name: &str) -> &str {
    let end = (0..=MAX_NAME_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn full(_: TryReserveError) -> Error {
    Error::out_of_memory("")
}

/// What is being done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading its contents.
    Reading,
    /// Taking its SHA-256.
    Hashing,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes of the file as stored that are done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Is told how far reading is, and may end it.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Prediction files read one by one, whatever holds them: a whole run, or one share of it.
#[derive(Debug, Default)]
pub struct Part {
    files: PredictionFiles,
    detections: Detections,
    /// For so many detections there was room to score them when that was last looked at.
    n_with_room: usize,
    /// Names of classes that files call by their numbers, if the names are told.
    class_names: Vec<String>,
}

impl Part {
    fn with_capacity(n_files: usize) -> Self {
        Self { files: PredictionFiles::with_capacity(n_files), ..Self::default() }
    }

    /// Files, and the detections that they number.
    #[must_use]
    pub fn new(files: impl Into<PredictionFiles>, detections: Detections) -> Self {
        Self { files: files.into(), detections, ..Self::default() }
    }

    /// The files, with the numbers of their detections.
    #[must_use]
    pub const fn files(&self) -> &PredictionFiles {
        &self.files
    }

    /// All detections, file by file.
    #[must_use]
    pub const fn detections(&self) -> &Detections {
        &self.detections
    }

    /// An empty part with room for so many files and detections.
    ///
    /// # Errors
    /// If there is no memory for them, or there are more than [`MAX_ROWS`] detections.
    pub fn with_room(n_files: usize, n_detections: usize) -> Result<Self, Error> {
        if n_detections > MAX_ROWS {
            return Err(Error::new("", "it has more than 4 billion boxes", "fewer").of_kind(ErrorKind::TooLarge));
        }
        let mut part = Self::with_capacity(n_files);
        part.detections.reserve_exact(n_detections).map_err(full)?;
        Ok(part)
    }

    /// Appends a part.
    ///
    /// # Errors
    /// If the memory is full.
    pub fn append(&mut self, other: Self) -> Result<(), Error> {
        let first = self.detections.append(other.detections).map_err(full)? as u32;
        self.files.append(other.files, first);
        if self.class_names.is_empty() {
            self.class_names = other.class_names;
        }
        Ok(())
    }

    /// Makes room for all detections as soon as enough is read to tell how many there may be: columns that grow by
    /// doubling take up to three times their memory while they grow.
    fn expect(&mut self, done: u64, total: u64) {
        const ENOUGH: usize = 1 << 14;
        let n = self.detections.len();
        if n >= ENOUGH && n + n / 8 > self.detections.capacity() && done > 0 {
            // A little more than as many again for every byte that is left.
            let rest = (n as u128 * u128::from(total - done.min(total)) / u128::from(done)) as usize;
            // If there is no room now, the next box will say so.
            let _ = self.detections.reserve_exact((rest + rest / 50 + 64).min(n.saturating_mul(1024)));
        }
    }

    /// Whether there is memory to rank what was read so far. Ranking cannot end in a sentence, so a run that just fits
    /// must not get as far.
    fn has_room_to_score(&mut self) -> bool {
        /// Score, number and order of a detection, and half of them again.
        const BYTES_A_DETECTION: usize = 24;
        /// Fewer than these always find room: 72 MB.
        const FEW: usize = 3_000_000;
        let n = self.detections.len();
        if n <= self.n_with_room.max(FEW) {
            return true;
        }
        // Looked at again when there are a quarter more.
        self.n_with_room = n + n / 4;
        let mut room: Vec<u8> = Vec::new();
        room.try_reserve_exact(self.n_with_room.saturating_mul(BYTES_A_DETECTION)).is_ok()
    }

    /// Gives back what was reserved and not used.
    fn shrink(&mut self) {
        self.files.shrink();
        self.detections.shrink();
    }

    /// Whether a file of that path is read, and not passed over.
    fn takes(path: &str) -> bool {
        /// What people add to a folder for other people.
        const FOR_PEOPLE: [&str; 5] = ["readme.txt", "license.txt", "notes.txt", "requirements.txt", "changelog.txt"];
        let mut parts = path.rsplit('/');
        let base = parts.next().unwrap_or_default();
        !base.starts_with("._")
            && !FOR_PEOPLE.iter().any(|name| base.eq_ignore_ascii_case(name))
            && parts.all(|folder| folder != "__MACOSX")
            && (FORMATS.iter().any(|format| format.has_ending(base)) || yolo::class_names(base, b"").is_some())
    }

    /// Of files that may be read, those that are: the ones the official script reads, or, where there are none, all. A table of
    /// patients beside them is none of the run.
    fn choose<T>(files: &mut Vec<T>, path: impl Fn(&T) -> &str) {
        if files.iter().any(|file| FORMATS[0].has_ending(path(file))) {
            files.retain(|file| FORMATS[0].has_ending(path(file)));
        }
    }

    /// This part, unless nothing was read although so many files were looked into.
    ///
    /// # Errors
    /// Then that none of all that there are holds predictions; `kind` is what to call them.
    fn with_any(self, name: &str, n_taken: usize, n_all: usize, kind: &str) -> Result<Self, Error> {
        if self.files.is_empty() && n_taken > 0 { Err(Self::none_among(name, n_all, kind)) } else { Ok(self) }
    }

    /// That no file of so many holds predictions; `kind` is what to call them.
    fn none_among(name: &str, n: usize, kind: &str) -> Error {
        let mut endings: Vec<&str> = FORMATS.iter().flat_map(|format| format.endings).copied().collect();
        endings.sort_unstable();
        endings.dedup();
        endings.retain(|ending| *ending != ".json");
        let what = format!("none of its {n} {kind} holds predictions");
        Error::new(name, what, format!("one .json file an image, or predictions in {} files", endings.join(", ")))
    }

    /// Whether more can be read.
    ///
    /// # Errors
    /// If the memory is full, or the numbers of detections run out: to go on would lose what is right.
    fn check(&mut self) -> Result<(), Error> {
        if self.detections.len() > MAX_ROWS {
            let error = Error::new("", "with it the run has more than 4 billion boxes", "fewer");
            return Err(error.of_kind(ErrorKind::TooLarge));
        }
        if self.has_room_to_score() { Ok(()) } else { Err(Error::out_of_memory("")) }
    }

    /// Reads one file, or keeps why it cannot be read.
    ///
    /// # Errors
    /// As [`Self::check`].
    fn add(&mut self, path: String, bytes: Result<&[u8], Error>) -> Result<(), Error> {
        if let Some(names) = bytes.as_ref().ok().and_then(|bytes| yolo::class_names(&path, bytes)) {
            self.class_names = names;
            return Ok(());
        }
        let format = bytes.as_ref().map_or(Some(&FORMATS[0]), |bytes| Format::of(&path, bytes));
        // A text or a table of another kind, which people keep beside their files.
        let Some(format) = format else { return Ok(()) };
        match format.read {
            ReadDetections::OfImage(read) => self.add_image(path, format, read, bytes)?,
            ReadDetections::OfRun(read) => self.add_run(&path, format, read, bytes)?,
        }
        let last = |part: &Self| {
            part.files.len().checked_sub(1).and_then(|last| Some(part.files.get(last)?.place().into_owned()))
        };
        self.check().map_err(|error| error.within(&last(self).unwrap_or_default()))
    }

    fn add_image(
        &mut self,
        path: String,
        format: &Format,
        read: fn(&[u8], &mut Detections) -> Result<Remarks, Error>,
        bytes: Result<&[u8], Error>,
    ) -> Result<(), Error> {
        let first = self.detections.len();
        let read = bytes.and_then(|bytes| read(bytes, &mut self.detections).map_err(|error| error.within(&path)));
        let (detections, mut remarks) = match read {
            Ok(remarks) => (Ok(first as u32..self.detections.len() as u32), remarks),
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
            Err(error) => {
                self.detections.truncate(first);
                (Err(error), Remarks::default())
            }
        };
        remarks.text_number = remarks.text_number.map(|error| error.within(&path));
        let source = Source { format: format.unless_official(), holder: None };
        self.files.push(PredictionFile { path, source, detections, remarks });
        Ok(())
    }

    fn add_run(
        &mut self,
        path: &str,
        format: &Format,
        read: fn(&[u8], &mut KeyedImages) -> Result<(), Error>,
        bytes: Result<&[u8], Error>,
    ) -> Result<(), Error> {
        let mut images = KeyedImages::default();
        match bytes.and_then(|bytes| read(bytes, &mut images)) {
            Ok(()) => self.append(images.held_by(path, format.name)),
            Err(error) if error.kind() == ErrorKind::Data => {
                let source = Source { format: Some(format.name), holder: Some(path.into()) };
                let detections = Err(if path.is_empty() { error } else { error.within(path) });
                let remarks = Remarks::default();
                self.files.push(PredictionFile { path: String::new(), source, detections, remarks });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The run of that base name, its SHA-256 not yet known.
    #[must_use]
    pub fn finish(mut self, name: &str) -> Predictions {
        let names = self.class_names;
        self.detections.rename(|name| names.get(name.parse::<usize>().ok()?).cloned());
        Predictions::new(name, self.files, self.detections)
    }
}

/// Reads a ground truth in the format whose structure it has; `name` is the file's base name.
///
/// # Errors
/// What is wrong with it as a file of that format; of ChestX-Det's own if it has the structure of none, but for an object of
/// other keys than a record of that has.
pub fn read_ground_truth(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let structure = sniff::structure(bytes);
    match GROUND_TRUTHS.iter().find(|format| (format.sniff)(&structure)) {
        Some(format) => (format.read)(name, bytes),
        None => sniff::other_object(bytes)
            .map_or_else(|| (GROUND_TRUTHS[0].read)(name, bytes), |error| Err(error.within(name))),
    }
}

/// Reads one file that holds the predictions for all images; `name` is its base name.
///
/// # Errors
/// If it cannot be read, or has the structure of no such format.
pub fn read_predictions_of_all(name: &str, bytes: &[u8]) -> Result<Predictions, Error> {
    let structure = sniff::structure(bytes);
    let is_it = |format: &&Format| matches!(format.read, ReadDetections::OfRun(_)) && (format.sniff)(&structure);
    let Some(Format { read: ReadDetections::OfRun(read), name: format, .. }) = FORMATS.iter().find(is_it) else {
        return Err(Error::new(name, "it does not hold the predictions for all images", sniff::ALL_IMAGES));
    };
    let mut images = KeyedImages::default();
    read(bytes, &mut images).map_err(|error| error.within(name))?;
    let mut part = images.held_by("", format);
    part.shrink();
    let predictions = part.finish(name);
    predictions.sha256().set(sha256(bytes));
    Ok(predictions)
}

/// A file that another one holds.
#[derive(Debug)]
pub struct Unpacked {
    /// Its path there.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// All bytes of a ground truth.
///
/// # Errors
/// If it cannot be read, or has more than [`MAX_GROUND_TRUTH_BYTES`].
pub fn load_ground_truth(name: &str, file: impl Read) -> Result<Vec<u8>, Error> {
    load(name, file, SMALLER)
}

/// All bytes of a CSV of groups.
///
/// # Errors
/// If it cannot be read, or has more than [`MAX_GROUND_TRUTH_BYTES`].
pub fn load_groups(name: &str, file: impl Read) -> Result<Vec<u8>, Error> {
    load(name, file, "a CSV with one line file_name,group for each image")
}

/// All bytes of a file of score thresholds.
///
/// # Errors
/// If it cannot be read, or has more than [`MAX_GROUND_TRUTH_BYTES`].
pub fn load_thresholds(name: &str, file: impl Read) -> Result<Vec<u8>, Error> {
    load(name, file, "a file that froc score --save-thresholds wrote")
}

/// All bytes of a report.
///
/// # Errors
/// If it cannot be read, or has more than [`MAX_GROUND_TRUTH_BYTES`].
pub fn load_report(name: &str, file: impl Read) -> Result<Vec<u8>, Error> {
    load(name, file, "a report that froc wrote")
}

/// All bytes of a file that is read whole; `smaller` says what was expected of one that is too large.
fn load(name: &str, file: impl Read, smaller: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(MAX_GROUND_TRUTH_BYTES + 1).read_to_end(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::OutOfMemory => {
            let what = "it does not fit into the memory that there is";
            Error::new(name, what, smaller).of_kind(ErrorKind::OutOfMemory)
        }
        _ => Error::new(
            name,
            format!("it cannot be read ({error})"),
            "a file that is still where it was; choose it again",
        )
        .of_kind(ErrorKind::Io),
    })?;
    if bytes.len() as u64 > MAX_GROUND_TRUTH_BYTES {
        return Err(Error::new(name, "it has more than 1 GiB", smaller).of_kind(ErrorKind::TooLarge));
    }
    Ok(bytes)
}

const SMALLER: &str = "the ground truth (test.json), about 300 bytes an image";

/// The SHA-256 of bytes, in 64 hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    /// A browser makes the code of a function fast once it has been called some times, however long one call takes.
    const PIECE: usize = 1 << 16;
    let mut hasher = Hasher::default();
    bytes.chunks(PIECE).for_each(|piece| hasher.update(piece));
    hasher.digits()
}

/// A SHA-256 of bytes that come piece by piece.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn digits(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The SHA-256 of a whole file, read from its start, in 64 hexadecimal digits.
///
/// # Errors
/// If the file cannot be read, or `on_progress` ended it.
pub fn digest(mut file: impl Read + Seek, on_progress: OnProgress<'_>) -> Result<String, Error> {
    let cannot = |error: io::Error| {
        Error::new("", format!("it cannot be read ({error})"), "a file that is still where it was; choose it again")
            .of_kind(ErrorKind::Io)
    };
    let total = file.seek(SeekFrom::End(0)).map_err(cannot)?;
    file.seek(SeekFrom::Start(0)).map_err(cannot)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.digits()),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot(error)),
        };
        hasher.update(&buffer[..n]);
        done += n as u64;
        if on_progress(Progress { stage: Stage::Hashing, done, total }).is_break() {
            return Err(Error::cancelled(""));
        }
    }
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
