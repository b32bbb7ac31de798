//! Prediction files as they were read. There may be a million, so what few of them have is kept apart.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

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
    /// Whether its boxes are fractions of the image: they become pixels when the files are joined to a ground truth.
    pub is_in_fractions: bool,
    /// Lists under names that the official script does not read that are no box with a score, and why: the first of each of the
    /// first few names. They are mistakes if the ground truth has a class of that name.
    pub no_boxes: Vec<(String, Error)>,
}

impl Remarks {
    /// That there is nothing to say.
    pub const NOTHING: Self = Self {
        is_empty: false,
        both_spellings: 0,
        double_keys: 0,
        text_number: None,
        is_ground_truth: false,
        is_in_fractions: false,
        no_boxes: Vec::new(),
    };
}

/// What the detections of an image were read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The format, if it is another than that of the official script.
    pub format: Option<&'static str>,
    /// The path of the file that holds the detections of several images, if it does: they are known by keys in it, such as
    /// a name or a number, and not by paths.
    pub holder: Option<Arc<str>>,
}

impl Source {
    /// A file an image, as the official script reads them.
    pub const SCRIPT: Self = Self { format: None, holder: None };
}

/// One prediction file as it was read, or the part of a larger one that is about one image.
#[derive(Debug, Clone)]
pub struct PredictionFile {
    /// Its path in the zip or folder, with `/` between the parts; the key of its image if another file holds it.
    pub path: String,
    /// What it was read from.
    pub source: Source,
    /// Its detections among all of the run, or why it cannot be read.
    pub detections: Result<Range<u32>, Error>,
    /// What was noticed in it.
    pub remarks: Remarks,
}

impl PredictionFile {
    /// A file in order, named like its image, that holds the detections of that range of all of the run.
    #[must_use]
    pub fn new(path: impl Into<String>, detections: Range<u32>) -> Self {
        Self { path: path.into(), source: Source::SCRIPT, detections: Ok(detections), remarks: Remarks::default() }
    }
}

/// A [`PredictionFile`] as [`PredictionFiles`] keep it.
#[derive(Debug, Clone)]
pub struct FileView<'a> {
    /// Its path in the zip or folder, with `/` between the parts; the key of its image if another file holds it.
    pub path: &'a str,
    /// What it was read from.
    pub source: &'a Source,
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
    /// The first file of each stretch of files from one source, and the source.
    sources: Vec<(usize, Source)>,
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
        Self { paths: Texts::with_capacity(n), detections: Vec::with_capacity(n), ..Self::default() }
    }

    /// Appends a file.
    pub fn push(&mut self, file: PredictionFile) {
        let PredictionFile { path, source, detections, remarks } = file;
        if self.sources.last().is_none_or(|(_, last)| *last != source) {
            self.sources.push((self.len(), source));
        }
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
        self.sources.extend(other.sources.into_iter().map(|(at, source)| (at + before, source)));
        self.detections.extend(other.detections.into_iter().map(|range| range.start + first..range.end + first));
        self.rest.extend(other.rest.into_iter().map(|(at, rest)| (at + before, rest)));
    }

    /// All of them come from that source.
    pub fn set_source(&mut self, source: &Source) {
        self.sources = if self.is_empty() { Vec::new() } else { vec![(0, source.clone())] };
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.detections.len()
    }

    /// Whether any are parts of a larger file, and known by keys.
    #[must_use]
    pub fn have_keys(&self) -> bool {
        self.sources.iter().any(|(_, source)| source.holder.is_some())
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
        let (_, source) = self.sources.get(self.sources.partition_point(|(first, _)| *first <= at).checked_sub(1)?)?;
        Some(FileView::new(path, source, range, self.rest.get(&at).unwrap_or(&NOTHING)))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = FileView<'_>> {
        let mut rest = self.rest.iter().peekable();
        let mut sources = self.sources.iter().peekable();
        let mut source = &Source::SCRIPT;
        self.paths.iter().zip(&self.detections).enumerate().map(move |(at, (path, range))| {
            let rest = rest.next_if(|(of, _)| **of == at).map_or(&NOTHING, |(_, rest)| rest);
            if let Some((_, next)) = sources.next_if(|(first, _)| *first == at) {
                source = next;
            }
            FileView::new(path, source, range, rest)
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
    fn new(path: &'a str, source: &'a Source, range: &Range<u32>, rest: &'a Rest) -> Self {
        let detections = rest.error.as_ref().map_or_else(|| Ok(range.clone()), Err);
        Self { path, source, detections, remarks: &rest.remarks }
    }

    /// What to call it in a sentence: its path, after that of the file that holds it.
    #[must_use]
    pub fn place(&self) -> Cow<'a, str> {
        match self.source.holder.as_deref() {
            None | Some("") => Cow::Borrowed(self.path),
            Some(holder) if self.path.is_empty() => Cow::Owned(holder.to_owned()),
            Some(holder) => Cow::Owned(format!("{holder}, {}", self.path)),
        }
    }

    /// The path of the file that it is, or that holds it: what tells its folder.
    #[must_use]
    pub fn file_path(&self) -> &'a str {
        self.source.holder.as_deref().unwrap_or(self.path)
    }

    /// A copy of it.
    #[must_use]
    pub fn to_owned(&self) -> PredictionFile {
        PredictionFile {
            path: self.path.to_owned(),
            source: self.source.clone(),
            detections: self.detections.clone().map_err(Error::clone),
            remarks: self.remarks.clone(),
        }
    }
}
