//! A share of a zip's prediction files, read piece by piece.

use std::cell::RefCell;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::vec::IntoIter;

use rawzip::{ReaderAt, ZipArchive};

use super::directory::{self, Directory, Entry, stored_bytes};
use super::inflate::Inflater;
use super::{BOMB, unreadable};
use crate::error::{Error, ErrorKind};
use crate::input::source::{Ahead, Seekable};
use crate::input::{OnProgress, Part, Progress, Stage};
use crate::limits::{FREE_ZIP_BYTES, MAX_RATIO};

/// Reads one share of the prediction files in a zip, in the order of its list of entries, and as many at a time as its
/// owner wants: who fetches bytes of a file himself can do so while others are read.
pub struct ShareReader<R> {
    name: String,
    zip: ZipArchive<Ahead<R>>,
    /// Those that are not yet read.
    entries: IntoIter<Entry>,
    inflater: Inflater,
    part: Part,
    /// Bytes as stored that are done, and in all.
    done: u64,
    total: u64,
    /// What the files inflated to so far, and may inflate to.
    inflated_bytes: u64,
    most: u64,
}

/// A share of a zip that is read by seeking.
pub type SeekingShare<R> = ShareReader<Seekable<R>>;

/// Some files that follow each other in the list, and where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How many files.
    pub n_files: usize,
    /// The bytes of the zip that are read for them, as far as the list tells; empty if they lie too far from each other.
    pub bytes: Range<u64>,
}

impl<R: Read + Seek> SeekingShare<R> {
    /// Opens a zip and finds one of `of` shares, numbered from 0.
    ///
    /// # Errors
    /// If the zip cannot be read or holds other files only.
    pub fn open(name: &str, mut archive: R, (share, of): (usize, usize)) -> Result<Self, Error> {
        let length = archive.seek(SeekFrom::End(0)).map_err(|error| unreadable(name, &error))?;
        let zip = directory::open(name, Ahead::new(Seekable(RefCell::new(archive))), length)?;
        let entries = Directory::read(name, &zip)?.into_shares(of).into_iter().nth(share);
        Ok(Self::new(name, zip, entries.unwrap_or_default(), of))
    }

    /// The zip itself.
    pub fn file(&self) -> &RefCell<R> {
        &self.zip.get_ref().get_ref().0
    }
}

impl<R: ReaderAt> ShareReader<R> {
    /// A reader of entries, which are one of `of` shares.
    pub fn new(name: &str, zip: ZipArchive<Ahead<R>>, entries: Vec<Entry>, of: usize) -> Self {
        let total = stored_bytes(&entries);
        Self {
            name: name.to_owned(),
            zip,
            part: Part::with_capacity(entries.len()),
            entries: entries.into_iter(),
            inflater: Inflater::new(),
            done: 0,
            total,
            inflated_bytes: 0,
            most: (FREE_ZIP_BYTES / of as u64).max(total.saturating_mul(MAX_RATIO)),
        }
    }

    /// What is left, in pieces of about `bytes`. In a zip whose files lie far apart or in disorder, and for a file as large
    /// as that, the bytes of a piece are empty.
    pub fn pieces(&self, bytes: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = self.entries.as_slice();
        while !rest.is_empty() {
            let mut sum = 0_u64;
            let fits = |entry: &&Entry| {
                sum = sum.saturating_add(entry.bytes());
                sum <= bytes
            };
            let (files, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            let start = files.iter().map(|entry| entry.range().start).min().unwrap_or_default();
            let end = files.iter().map(|entry| entry.range().end).max().unwrap_or_default();
            // Other files may lie between them.
            let is_close = end - start <= bytes.saturating_mul(2);
            pieces.push(Piece { n_files: files.len(), bytes: if is_close { start..end } else { 0..0 } });
            rest = others;
        }
        pieces
    }

    /// Reads the next `n` files, or as many as are left. After an error nothing more is to be read.
    ///
    /// # Errors
    /// If the files inflate to more than [`crate::limits`] allow, the boxes do not fit into the memory, or `on_progress`
    /// ended it.
    pub fn read(&mut self, n: usize, on_progress: OnProgress<'_>) -> Result<(), Error> {
        let name = self.name.as_str();
        for entry in self.entries.by_ref().take(n) {
            let progress = Progress { stage: Stage::Reading, done: self.done, total: self.total };
            if on_progress(progress).is_break() {
                return Err(Error::cancelled(name));
            }
            let Some(format) = Part::format_of(&entry.path) else { continue };
            let bytes = self.inflater.read(&self.zip, &entry);
            self.inflated_bytes += bytes.as_ref().map_or(0, |bytes| bytes.len()) as u64;
            if self.inflated_bytes > self.most {
                let what = format!("its files inflate to more than {MAX_RATIO} times their size");
                return Err(Error::new(name, what, BOMB).of_kind(ErrorKind::TooLarge));
            }
            self.done += entry.stored_bytes();
            self.part.add(entry.path, format, bytes).map_err(|error| error.within(name))?;
            self.part.expect(self.done, self.total);
        }
        Ok(())
    }

    /// What was read.
    pub fn finish(self) -> Part {
        let mut part = self.part;
        part.shrink();
        part
    }
}
