//! Prediction files as they were read. There may be a million, so what few of them have is kept apart.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::Error;
use crate::texts::Texts;

/// What was noticed in a prediction file beside its detections; of most, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Whether it has 0 bytes.
    pub is_empty: bool,
    /// Entries that hold a class in both spellings, of which the official one is read.
    pub both_spellings: u32,
    /// Boxes that do not count because their key stands again further on in the entry: the last one counts, as in Python.
    pub double_keys: u32,
    /// The first number that is written as text, as an error: the official format has none.
    pub text_number: Option<Error>,
    /// Whether it holds records of a ground truth.
    pub is_ground_truth: bool,
}

impl Remarks {
    /// That there is nothing to say.
    pub const NOTHING: Self =
        Self { is_empty: false, both_spellings: 0, double_keys: 0, text_number: None, is_ground_truth: false };
}

/// One prediction file as it was read.
#[derive(Debug, Clone)]
pub struct PredictionFile {
    /// Its path in the zip or folder, with `/` between the parts.
    pub path: String,
    /// Its detections among all of the run, or why it cannot be read.
    pub detections: Result<Range<u32>, Error>,
    /// What was noticed in it.
    pub remarks: Remarks,
}

impl PredictionFile {
    /// A file in order, named like its image, that holds the detections of that range of all of the run.
    #[must_use]
    pub fn new(path: impl Into<String>, detections: Range<u32>) -> Self {
        Self { path: path.into(), detections: Ok(detections), remarks: Remarks::default() }
    }
}

/// A [`PredictionFile`] as [`PredictionFiles`] keep it.
#[derive(Debug, Clone)]
pub struct FileView<'a> {
    /// Its path in the zip or folder, with `/` between the parts.
    pub path: &'a str,
    /// Its detections among all of the run, or why it cannot be read.
    pub detections: Result<Range<u32>, &'a Error>,
    /// What was noticed in it.
    pub remarks: &'a Remarks,
}

/// A list of prediction files: of almost all there is a path and a range to keep.
#[derive(Debug, Clone, Default)]
pub struct PredictionFiles {
    paths: Texts,
    /// Empty for a file that cannot be read.
    detections: Vec<Range<u32>>,
    /// By the number of the file.
    rest: BTreeMap<usize, Rest>,
}

/// What few files have.
#[derive(Debug, Clone, Default)]
struct Rest {
    error: Option<Error>,
    remarks: Remarks,
}

/// Of a file of which there is no more to say.
static NOTHING: Rest = Rest { error: None, remarks: Remarks::NOTHING };

impl PredictionFiles {
    /// No files, with room for so many.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { paths: Texts::with_capacity(n), detections: Vec::with_capacity(n), rest: BTreeMap::new() }
    }

    /// Appends a file.
    pub fn push(&mut self, file: PredictionFile) {
        let PredictionFile { path, detections, remarks } = file;
        let (detections, error) = match detections {
            Ok(detections) => (detections, None),
            Err(error) => (0..0, Some(error)),
        };
        if error.is_some() || remarks != Remarks::NOTHING {
            self.rest.insert(self.len(), Rest { error, remarks });
        }
        self.paths.push(&path);
        self.detections.push(detections);
    }

    /// Appends the files of another list, whose detections are numbered from `first` on from now.
    pub fn append(&mut self, other: Self, first: u32) {
        let before = self.len();
        self.paths.append(&other.paths);
        self.detections.extend(other.detections.into_iter().map(|range| range.start + first..range.end + first));
        self.rest.extend(other.rest.into_iter().map(|(at, rest)| (at + before, rest)));
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.detections.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.detections.is_empty()
    }

    /// The file of that number, from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<FileView<'_>> {
        let (path, range) = (self.paths.get(at)?, self.detections.get(at)?);
        Some(FileView::new(path, range, self.rest.get(&at).unwrap_or(&NOTHING)))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = FileView<'_>> {
        let mut rest = self.rest.iter().peekable();
        self.paths.iter().zip(&self.detections).enumerate().map(move |(at, (path, range))| {
            let rest = rest.next_if(|(of, _)| **of == at).map_or(&NOTHING, |(_, rest)| rest);
            FileView::new(path, range, rest)
        })
    }

    /// Copies of all of them, to be changed.
    #[must_use]
    pub fn to_vec(&self) -> Vec<PredictionFile> {
        self.iter().map(|file| file.to_owned()).collect()
    }

    /// Gives back room that is not used.
    pub fn shrink(&mut self) {
        self.paths.shrink();
        self.detections.shrink_to_fit();
    }
}

impl FromIterator<PredictionFile> for PredictionFiles {
    fn from_iter<I: IntoIterator<Item = PredictionFile>>(files: I) -> Self {
        let files = files.into_iter();
        let mut all = Self::with_capacity(files.size_hint().0);
        files.for_each(|file| all.push(file));
        all
    }
}

impl From<Vec<PredictionFile>> for PredictionFiles {
    fn from(files: Vec<PredictionFile>) -> Self {
        files.into_iter().collect()
    }
}

impl<'a> FileView<'a> {
    fn new(path: &'a str, range: &Range<u32>, rest: &'a Rest) -> Self {
        Self { path, detections: rest.error.as_ref().map_or_else(|| Ok(range.clone()), Err), remarks: &rest.remarks }
    }

    /// A copy of it.
    #[must_use]
    pub fn to_owned(&self) -> PredictionFile {
        PredictionFile {
            path: self.path.to_owned(),
            detections: self.detections.clone().map_err(Error::clone),
            remarks: self.remarks.clone(),
        }
    }
}
