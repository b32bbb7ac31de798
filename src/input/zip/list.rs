//! The list of entries that ends a zip: which prediction files there are, and where.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};
use std::sync::Arc;

use ::zip::ZipArchive;
use ::zip::read::{ZipArchiveMetadata, ZipFileEntry};
use ::zip::result::ZipError;

use super::inflate::Inflater;
use super::source::Ahead;
use super::{BOMB, WHOLE, ZIP, finder};
use crate::error::{Error, ErrorKind};
use crate::input::Part;
use crate::limits::MAX_FILES;

/// What stands before the data of an entry at least (APPNOTE.TXT 6.3.10, section 4.3.7).
const LOCAL_HEADER_BYTES: u64 = 30;

/// The list of entries of a zip.
pub struct List {
    zip: Arc<ZipArchiveMetadata>,
    /// Where it starts in the file.
    start: u64,
    /// Whether names that are no UTF-8 are Chinese.
    is_chinese: bool,
}

/// A prediction file in a zip.
pub struct Entry {
    /// With `/` between its parts.
    pub path: String,
    /// Its place in the list; for a link, that of the file which it leads to.
    pub at: usize,
    /// Bytes in the zip; for a link, its own.
    pub stored_bytes: u64,
    /// Why it cannot be read, where that is known before.
    pub error: Option<Error>,
}

impl List {
    /// Reads the list of a zip.
    ///
    /// # Errors
    /// If there is none, it is damaged or too long, or entries share bytes.
    pub fn read<R: Read + Seek>(name: &str, file: &mut Ahead<R>) -> Result<Self, Error> {
        match finder::mended(file) {
            Ok(Some(end)) => file.mend(end),
            Ok(None) => {}
            Err(error) => return Err(super::unreadable(name, &error)),
        }
        let (start, zip) = match ZipArchive::new(&mut *file) {
            Ok(zip) => (zip.central_directory_start(), zip.metadata()),
            Err(error) => return Err(broken(name, file, &error)),
        };
        if zip.len() > MAX_FILES {
            let what = format!("it has {} entries", zip.len());
            let expected = format!("{MAX_FILES} at most; split it into several zips");
            return Err(Error::new(name, what, expected).of_kind(ErrorKind::TooLarge));
        }
        let mut list = Self { zip, start, is_chinese: false };
        list.is_chinese = list.has_chinese_names();
        list.reject_more_than_said(name, file)?;
        list.reject_overlaps(name)?;
        Ok(list)
    }

    /// How many entries it has.
    pub fn n_entries(&self) -> usize {
        self.zip.len()
    }

    /// What the list says of an entry.
    ///
    /// # Errors
    /// If there is no such entry.
    pub fn entry(&self, at: usize) -> Result<ZipFileEntry<'_>, ZipError> {
        self.zip.entry(at)
    }

    /// The prediction files, in order. A name that the list holds twice comes twice, so that nothing is passed over
    /// in silence.
    ///
    /// # Errors
    /// If there is none among the entries.
    pub fn prediction_files<R: Read + Seek>(&self, name: &str, file: &mut Ahead<R>) -> Result<Vec<Entry>, Error> {
        let mut files = Vec::with_capacity(self.zip.len());
        let (mut links, mut n_others, mut inner) = (Vec::new(), 0, None);
        for (at, entry) in self.entries() {
            let path = self.path(&entry);
            if entry.is_symlink() {
                links.push(files.len());
            } else if entry.is_dir() || path.ends_with('/') || !Part::takes(&path) {
                n_others += 1;
                if inner.is_none() && path.to_ascii_lowercase().ends_with(".zip") {
                    inner = Some(path);
                }
                continue;
            }
            files.push(Entry { path, at, stored_bytes: entry.compressed_size(), error: None });
        }
        if !links.is_empty() {
            self.follow(file, &mut files, &links);
        }
        if self.zip.has_duplicate_names() {
            files.extend(self.duplicates(name, file)?);
        }
        Part::choose(&mut files, |file| &file.path);
        if !files.is_empty() || n_others == 0 {
            return Ok(files);
        }
        let (what, expected) = match inner {
            Some(inner) => (
                format!("it holds a zip (\"{inner}\") and no .json file"),
                "one .json file an image; unpack it once and take the zip inside",
            ),
            None => return Err(Part::none_among(name, n_others, "entries")),
        };
        Err(Error::new(name, what, expected))
    }

    /// All files but those that the Finder adds, with their places in the list.
    pub fn files(&self) -> Vec<(usize, String)> {
        let files = self.entries().filter(|(_, entry)| !entry.is_dir()).map(|(at, entry)| (at, self.path(&entry)));
        files.filter(|(_, path)| !path.ends_with('/') && !is_of_finder(path)).collect()
    }

    fn entries(&self) -> impl Iterator<Item = (usize, ZipFileEntry<'_>)> {
        (0..self.zip.len()).filter_map(|at| Some((at, self.zip.entry(at).ok()?)))
    }

    /// The path of an entry: UTF-8 where it is, else Chinese where all such names are, else code page 437, which the
    /// format prescribes. The `zip` crate has put the name in UTF-8 of an extra field (0x7075) in its place.
    fn path(&self, entry: &ZipFileEntry<'_>) -> String {
        let raw = entry.name_raw();
        let chinese = if self.is_chinese && std::str::from_utf8(raw).is_err() { gb18030(raw) } else { None };
        let name = chinese.map_or_else(|| entry.name().unwrap_or_else(|_| String::from_utf8_lossy(raw)), Cow::Owned);
        name.replace('\\', "/")
    }

    /// Whether all names that are no UTF-8 can be GB 18030, which Windows in China writes: hardly a name in another
    /// encoding can.
    fn has_chinese_names(&self) -> bool {
        let mut n = 0;
        self.entries().filter(|(_, entry)| std::str::from_utf8(entry.name_raw()).is_err()).all(|(_, entry)| {
            n += 1;
            gb18030(entry.name_raw()).is_some()
        }) && n > 0
    }

    /// Leads links to the files that they name, so far as those are in the zip.
    fn follow<R: Read + Seek>(&self, file: &mut Ahead<R>, files: &mut Vec<Entry>, links: &[usize]) {
        /// More than any path has.
        const LONGEST: u64 = 4096;
        let mut inflater = Inflater::new();
        let mut targets: BTreeMap<String, Result<String, Error>> = BTreeMap::new();
        for link in links.iter().map(|at| &files[*at]) {
            let Ok(entry) = self.entry(link.at) else { continue };
            let bytes = if entry.size() > LONGEST { Ok(&[][..]) } else { inflater.read(file, &link.path, &entry) };
            targets.insert(link.path.clone(), bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        }
        let places: BTreeMap<String, usize> = self
            .entries()
            .filter(|(_, entry)| !entry.is_symlink() && !entry.is_dir())
            .map(|(at, entry)| (self.path(&entry), at))
            .collect();
        for link in links {
            let path = files[*link].path.clone();
            let target = match &targets[&path] {
                Ok(target) => target.clone(),
                Err(error) => {
                    files[*link].error = Some(error.clone());
                    continue;
                }
            };
            // A link may lead to a link.
            let mut end = joined(&path, &target);
            for _ in 0..8 {
                let next = end.as_ref().and_then(|path| targets.get(path)?.as_ref().ok().map(|next| (path, next)));
                let Some((path, next)) = next else { break };
                end = joined(path, next);
            }
            if let Some(at) = end.and_then(|path| places.get(&path)) {
                files[*link].at = *at;
            } else {
                let what = format!("it is a symbolic link to \"{target}\", which the zip does not hold");
                let expected = "the file itself; pack the files that links lead to (zip does, without -y)";
                files[*link].error = Some(Error::new(path, what, expected));
            }
        }
        // A link to a folder, or to anything that is no prediction file, is passed over.
        files.retain(|file| Part::takes(&file.path));
    }

    /// The entries under names that others have, too: the `zip` crate keeps the last of each name.
    fn duplicates<R: Read + Seek>(&self, name: &str, file: &mut Ahead<R>) -> Result<Vec<Entry>, Error> {
        let start = self.start;
        let bytes = finder::load(file, start, file.length()).map_err(|error| super::unreadable(name, &error))?;
        let kept: BTreeSet<u64> = self.entries().map(|(_, entry)| entry.central_header_start()).collect();
        let mut at_of_name = BTreeMap::new();
        for (at, entry) in self.entries() {
            let header = (entry.central_header_start() - start) as usize;
            at_of_name.insert(finder::name(bytes.get(header..).unwrap_or_default()), at);
        }
        let lost = finder::headers(&bytes).filter(|header| !kept.contains(&(start + header.start as u64)));
        let again = lost.filter_map(|header| at_of_name.get(finder::name(&bytes[header])).copied());
        let entries = again.filter_map(|at| {
            let entry = self.entry(at).ok()?;
            let path = self.path(&entry);
            Part::takes(&path).then(|| Entry { path, at, stored_bytes: entry.compressed_size(), error: None })
        });
        Ok(entries.collect())
    }

    /// A list that goes on after the number of entries that the zip says it has would lose files.
    fn reject_more_than_said<R: Read + Seek>(&self, name: &str, file: &mut Ahead<R>) -> Result<(), Error> {
        /// A header with the longest name, extra fields and comment, and one without.
        const LONGEST: u64 = 46 + 3 * 0xffff + 46;
        let Some(last) = self.entries().map(|(_, entry)| entry.central_header_start()).max() else { return Ok(()) };
        let end = file.length().min(last + LONGEST);
        let bytes = finder::load(file, last, end).map_err(|error| super::unreadable(name, &error))?;
        if finder::headers(&bytes).nth(1).is_none() {
            return Ok(());
        }
        let what = format!("its list of entries is damaged (it has more than the {} it says)", self.zip.len());
        Err(Error::new(name, what, WHOLE))
    }

    /// Entries that share bytes make a small zip inflate to any size (D. Fifield, A better zip bomb, 2019).
    fn reject_overlaps(&self, name: &str) -> Result<(), Error> {
        let place = |(at, entry): (usize, ZipFileEntry<'_>)| {
            let start = entry.header_start();
            (start, start.saturating_add(LOCAL_HEADER_BYTES).saturating_add(entry.compressed_size()), at)
        };
        let mut places: Vec<(u64, u64, usize)> = self.entries().map(place).collect();
        places.sort_unstable();
        let Some(pair) = places.windows(2).find(|pair| pair[1].0 < pair[0].1) else { return Ok(()) };
        let path = |at| self.entry(at).map(|entry| self.path(&entry)).unwrap_or_default();
        let what = format!("its entries \"{}\" and \"{}\" share bytes", path(pair[0].2), path(pair[1].2));
        Err(Error::new(name, what, BOMB))
    }
}

/// Whether the Finder of macOS made a file for itself.
fn is_of_finder(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let base = parts.next().unwrap_or_default();
    base.starts_with("._") || base == ".DS_Store" || parts.any(|folder| folder == "__MACOSX")
}

/// The path in a zip that a link at `path` leads to; `None` where it leads out of the zip.
fn joined(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        return None;
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The sentence for a zip that cannot be opened.
fn broken<R: Read + Seek>(name: &str, file: &mut Ahead<R>, error: &ZipError) -> Error {
    /// The end record with the longest comment.
    const LONGEST_END: u64 = 22 + 0xffff;
    if let ZipError::Io(error) = error
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return Error::new(name, format!("it cannot be read ({error})"), ZIP).of_kind(ErrorKind::Io);
    }
    let start = file.length().saturating_sub(LONGEST_END);
    let end = finder::load(file, start, file.length()).map_or(Cow::Borrowed(&[][..]), Cow::Owned);
    if end.windows(4).any(|four| four == b"PK\x05\x06") {
        return Error::new(name, format!("its list of entries is damaged ({error})"), WHOLE);
    }
    let mut head = [0; 4];
    if file.read_at(0, &mut head).is_ok() && head == *b"PK\x07\x08" {
        return Error::new(
            name,
            "it is a part of a split zip",
            "a whole zip; join its parts, or pack the folder as .zip",
        );
    }
    Error::new(name, "it is no zip, or cut short: the list of entries, which ends a zip, is missing", WHOLE)
}

/// A text in GB 18030; `None` if it is none.
#[cfg(not(target_arch = "wasm32"))]
fn gb18030(bytes: &[u8]) -> Option<String> {
    encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned)
}

/// The same by the browser, which has the tables.
#[cfg(target_arch = "wasm32")]
fn gb18030(bytes: &[u8]) -> Option<String> {
    let options = web_sys::TextDecoderOptions::new();
    options.set_fatal(true);
    let decoder = web_sys::TextDecoder::new_with_label_and_options("gb18030", &options).ok()?;
    decoder.decode_with_u8_array(bytes).ok()
}
