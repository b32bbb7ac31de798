//! Archives and formats -> dataset: one file per format.
//!
//! To add a format of prediction files, write a module like [`chestx_det`] with a [`Format`] and list it in [`FORMATS`].

pub mod chestx_det;
#[cfg(not(target_arch = "wasm32"))]
pub mod folder;
pub mod groups;
mod json;
pub mod remedy;
mod sniff;
mod table;
pub mod zip;

use std::collections::TryReserveError;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use crate::dataset::{Detections, PredictionFile, PredictionFiles, Predictions, Remarks};
use crate::error::{Error, ErrorKind};
use crate::limits::{MAX_GROUND_TRUTH_BYTES, MAX_ROWS};

pub use sniff::{HEAD_BYTES, Kind, identify};

/// A way to write the detections of one image.
pub struct Format {
    /// What to call it in a sentence.
    pub name: &'static str,
    /// Ending of its files, in lower case, with the dot.
    pub extension: &'static str,
    /// Reads one file into the columns.
    pub read: fn(bytes: &[u8], into: &mut Detections) -> Result<Remarks, Error>,
}

fn full(_: TryReserveError) -> Error {
    Error::out_of_memory("")
}

/// The formats of prediction files, by ending.
pub const FORMATS: &[Format] = &[chestx_det::FORMAT];

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
}

impl Part {
    fn with_capacity(n_files: usize) -> Self {
        Self { files: PredictionFiles::with_capacity(n_files), ..Self::default() }
    }

    /// Files, and the detections that they number.
    #[must_use]
    pub fn new(files: impl Into<PredictionFiles>, detections: Detections) -> Self {
        Self { files: files.into(), detections, n_with_room: 0 }
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

    /// The format of a file by its ending; `None` for files that are passed over.
    fn format_of(path: &str) -> Option<&'static Format> {
        let mut parts = path.rsplit('/');
        let base = parts.next()?;
        if base.starts_with("._") || parts.any(|folder| folder == "__MACOSX") {
            return None;
        }
        FORMATS
            .iter()
            .find(|format| base.len() > format.extension.len() && base.to_ascii_lowercase().ends_with(format.extension))
    }

    /// Reads one file, or keeps why it cannot be read.
    ///
    /// # Errors
    /// If the memory is full, the numbers of detections run out, or the reader is not loaded: to go on would lose files that
    /// are right.
    fn add(&mut self, path: String, format: &Format, bytes: Result<&[u8], Error>) -> Result<(), Error> {
        let first = self.detections.len();
        let read =
            bytes.and_then(|bytes| (format.read)(bytes, &mut self.detections).map_err(|error| error.within(&path)));
        if self.detections.len() > MAX_ROWS {
            let error = Error::new(path, "with it the run has more than 4 billion boxes", "fewer");
            return Err(error.of_kind(ErrorKind::TooLarge));
        }
        if !self.has_room_to_score() {
            return Err(Error::out_of_memory(path));
        }
        let (detections, mut remarks) = match read {
            Ok(remarks) => (Ok(first as u32..self.detections.len() as u32), remarks),
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
            Err(error) => {
                self.detections.truncate(first);
                (Err(error), Remarks::default())
            }
        };
        remarks.text_number = remarks.text_number.map(|error| error.within(&path));
        self.files.push(PredictionFile { path, detections, remarks });
        Ok(())
    }

    /// The run of that base name, its SHA-256 not yet known.
    #[must_use]
    pub fn finish(self, name: &str) -> Predictions {
        Predictions::new(name, self.files, self.detections)
    }
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
    hex(&Sha256::digest(bytes))
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
