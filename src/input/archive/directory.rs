//! The list of entries that ends a zip: which prediction files there are, and where.

use std::io;
use std::ops::Range;

use rawzip::{
    CompressionMethod, ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder,
    ZipLocator,
};

use super::{BOMB, WHOLE, ZIP};
use crate::error::{self, Error};
use crate::input::Part;
use crate::limits::MAX_FILES;

/// What stands before the data of an entry at least (APPNOTE.TXT 6.3.10, section 4.3.7).
const LOCAL_HEADER_BYTES: u64 = 30;

/// A prediction file in a zip, as the list of entries describes it.
pub struct Entry {
    /// With `/` between its parts.
    pub path: String,
    /// Where it starts in the file.
    pub start: u64,
    /// How it is found.
    pub wayfinder: ZipArchiveEntryWayfinder,
    /// Of the bytes inflated.
    pub crc32: u32,
    /// How it is stored.
    pub method: CompressionMethod,
    /// Whether it has a password.
    pub is_encrypted: bool,
}

impl Entry {
    /// Bytes in the zip.
    pub fn stored_bytes(&self) -> u64 {
        self.wayfinder.compressed_size_hint()
    }

    /// Where it lies in the file, with room for what stands before its data.
    pub fn range(&self) -> Range<u64> {
        /// More than nearly all paths and extra fields take.
        const ROOM: u64 = 4096;
        self.start..self.start.saturating_add(ROOM).saturating_add(self.stored_bytes())
    }

    /// Bytes in the zip with what stands before them, but for extra fields.
    pub fn bytes(&self) -> u64 {
        (LOCAL_HEADER_BYTES + self.path.len() as u64).saturating_add(self.stored_bytes())
    }

    /// Bytes once inflated, as the zip says.
    pub fn inflated_bytes(&self) -> u64 {
        self.wayfinder.uncompressed_size_hint()
    }
}

/// The prediction files of a zip in the order of its list.
pub struct Directory {
    entries: Vec<Entry>,
    /// What else is in it, as far as a sentence needs it.
    others: Others,
}

/// Entries that are no prediction files.
#[derive(Default)]
struct Others {
    n: usize,
    zip: Option<String>,
}

/// Opens a zip of `length` bytes.
///
/// # Errors
/// If it has no list of entries, or says nonsense of it.
pub fn open<R: ReaderAt>(name: &str, reader: R, length: u64) -> Result<ZipArchive<R>, Error> {
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    ZipLocator::new().locate_in_reader(reader, &mut buffer, length).map_err(|(_, error)| broken(name, &error))
}

impl Directory {
    /// Reads the list of entries.
    ///
    /// # Errors
    /// If it is damaged or too long, there is no prediction file, or entries share bytes.
    pub fn read<R: ReaderAt>(name: &str, zip: &ZipArchive<R>) -> Result<Self, Error> {
        let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
        if zip.entries_hint() > MAX_FILES as u64 {
            return Err(too_many(name, zip.entries_hint()));
        }
        let (mut entries, mut others) = (Vec::new(), Others::default());
        let mut places = Vec::new();
        let mut list = zip.entries(&mut buffer);
        while let Some(record) = list.next_entry().map_err(|error| broken(name, &error))? {
            let path = String::from_utf8_lossy(record.file_path().as_bytes()).replace('\\', "/");
            places.push(Place::new(record.local_header_offset(), record.compressed_size_hint(), places.len()));
            if !path.ends_with('/') && Part::format_of(&path).is_some() {
                entries.push(Entry {
                    path,
                    start: record.local_header_offset(),
                    wayfinder: record.wayfinder(),
                    crc32: record.crc32(),
                    method: record.compression_method(),
                    is_encrypted: record.flags().is_encrypted(),
                });
            } else {
                others.add(path);
            }
            if places.len() > MAX_FILES {
                return Err(too_many(name, places.len() as u64));
            }
        }
        let hint = zip.entries_hint();
        if places.len() as u64 != hint {
            let what = format!("its list of entries is damaged (it has {}, but says {hint})", places.len());
            return Err(Error::new(name, what, WHOLE));
        }
        reject_overlaps(name, zip, &places, &mut buffer)?;
        let directory = Self { entries, others };
        match directory.nothing_to_read(name) {
            Some(error) => Err(error),
            None => Ok(directory),
        }
    }

    /// The entries in shares of about as many stored bytes each: all shares together are all entries in order.
    pub fn into_shares(self, of: usize) -> Vec<Vec<Entry>> {
        let total = u128::from(stored_bytes(&self.entries)).max(1);
        let mut before = 0_u128;
        let mut shares: Vec<Vec<Entry>> = (0..of).map(|_| Vec::new()).collect();
        for entry in self.entries {
            let share = (before * of as u128 / total) as usize;
            before += u128::from(entry.stored_bytes());
            if let Some(share) = shares.get_mut(share.min(of.saturating_sub(1))) {
                share.push(entry);
            }
        }
        shares
    }

    /// The sentence for a zip that has entries, and no prediction files among them.
    fn nothing_to_read(&self, name: &str) -> Option<Error> {
        if !self.entries.is_empty() || self.others.n == 0 {
            return None;
        }
        let (what, expected) = match &self.others.zip {
            Some(inner) => (
                format!("it holds a zip (\"{inner}\") and no .json file"),
                "one .json file an image; unpack it once and take the zip inside",
            ),
            None => (format!("none of its {} entries is a .json file", self.others.n), "one .json file an image"),
        };
        Some(Error::new(name, what, expected))
    }
}

/// The bytes of entries as they are stored.
pub fn stored_bytes(entries: &[Entry]) -> u64 {
    entries.iter().map(Entry::stored_bytes).fold(0, u64::saturating_add)
}

impl Others {
    fn add(&mut self, path: String) {
        self.n += 1;
        if self.zip.is_none() && path.to_ascii_lowercase().ends_with(".zip") {
            self.zip = Some(path);
        }
    }
}

/// Where an entry lies in the file.
struct Place {
    start: u64,
    end: u64,
    /// Its place in the list.
    at: usize,
}

impl Place {
    fn new(start: u64, stored_bytes: u64, at: usize) -> Self {
        Self { start, end: start.saturating_add(LOCAL_HEADER_BYTES).saturating_add(stored_bytes), at }
    }
}

/// Entries that share bytes make a small zip inflate to any size (D. Fifield, A better zip bomb, 2019).
fn reject_overlaps<R: ReaderAt>(
    name: &str,
    zip: &ZipArchive<R>,
    places: &[Place],
    buffer: &mut [u8],
) -> Result<(), Error> {
    let key = |place: &Place| (place.start, place.end, place.at);
    // Most often each stands behind the one before it.
    if places.windows(2).all(|pair| pair[1].start >= pair[0].end) {
        return Ok(());
    }
    let mut order: Vec<u32> = (0..places.len() as u32).collect();
    order.sort_by_key(|at| key(&places[*at as usize]));
    let mut pairs = order.windows(2).map(|pair| [pair[0], pair[1]].map(|at| &places[at as usize]));
    let Some([one, other]) = pairs.find(|[one, other]| other.start < one.end) else { return Ok(()) };
    let mut path = |at: usize| {
        let mut list = zip.entries(buffer);
        let mut here = 0;
        while let Ok(Some(record)) = list.next_entry() {
            if here == at {
                return String::from_utf8_lossy(record.file_path().as_bytes()).into_owned();
            }
            here += 1;
        }
        String::new()
    };
    let what = format!("its entries \"{}\" and \"{}\" share bytes", path(one.at), path(other.at));
    Err(Error::new(name, what, BOMB))
}

fn too_many(name: &str, n: u64) -> Error {
    Error::new(name, format!("it has {n} entries"), format!("{MAX_FILES} at most; split it into several zips"))
        .of_kind(error::ErrorKind::TooLarge)
}

/// The sentence for a zip that cannot be opened.
fn broken(name: &str, error: &rawzip::Error) -> Error {
    match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory => {
            Error::new(name, "it is no zip, or cut short: the list of entries, which ends a zip, is missing", WHOLE)
        }
        ErrorKind::IO(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Error::new(name, format!("it cannot be read ({error})"), ZIP).of_kind(error::ErrorKind::Io)
        }
        _ => Error::new(name, format!("its list of entries is damaged ({error})"), WHOLE),
    }
}
