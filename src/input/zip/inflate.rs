//! One entry of a zip -> its bytes.

use std::io::{self, Read, Seek};

use ::zip::CompressionMethod;
use ::zip::HasZipMetadata as _;
use ::zip::read::ZipFileEntry;
use ::zip::result::ZipError;
use flate2::{Decompress, FlushDecompress, Status};

use super::source::Ahead;
use super::{ONE_IMAGE, SOUND, WHOLE, ZIP};
use crate::error::{Error, ErrorKind};
use crate::limits::{FREE_FILE_BYTES, MAX_FILE_BYTES, MAX_RATIO};

/// Reads entries one after the other, with buffers that are made once: to make them anew for each of 100,000 small files
/// would take as long as to inflate them.
pub struct Inflater {
    inflate: Decompress,
    stored: Vec<u8>,
    inflated: Vec<u8>,
}

impl Inflater {
    /// An inflater with nothing read.
    pub fn new() -> Self {
        Self { inflate: Decompress::new(false), stored: Vec::new(), inflated: Vec::new() }
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// If it is encrypted, damaged, compressed otherwise than by deflate, larger than [`crate::limits`] allow, not as
    /// large as the zip says, or does not fit into the memory.
    pub fn read<R: Read + Seek>(
        &mut self,
        file: &mut Ahead<R>,
        path: &str,
        entry: &ZipFileEntry<'_>,
    ) -> Result<&[u8], Error> {
        let method = entry.compression();
        if entry.encrypted() || method == CompressionMethod::AES {
            let expected = "a file without a password; pack the folder again without one";
            return Err(Error::new(path, "it is encrypted", expected));
        }
        let is_deflated = method == CompressionMethod::DEFLATE;
        if !is_deflated && method != CompressionMethod::STORE {
            return Err(Error::new(path, format!("it is compressed by {}", name_of(method)), ZIP));
        }
        let stored = entry.compressed_size();
        let most = MAX_FILE_BYTES.min(FREE_FILE_BYTES.max(stored.saturating_mul(MAX_RATIO)));
        // Deflate adds a few bytes in 65,536 to what it cannot compress.
        if stored > MAX_FILE_BYTES + MAX_FILE_BYTES / 1024 {
            return Err(too_large(path));
        }
        self.load(file, path, entry)?;
        let says = entry.size();
        let bytes = if is_deflated {
            self.inflate(path, most.min(says) + 1)?;
            &self.inflated
        } else {
            &self.stored
        };
        let n = bytes.len() as u64;
        if n > MAX_FILE_BYTES {
            return Err(too_large(path));
        }
        if n > most {
            let what = format!("it inflates to more than {MAX_RATIO} times its size, as zip bombs do");
            return Err(Error::new(path, what, ONE_IMAGE).of_kind(ErrorKind::TooLarge));
        }
        if n > says && is_deflated {
            return Err(Error::new(path, format!("it has more bytes than the zip says ({says})"), SOUND));
        }
        // Before the size, which a stored entry has twice in the list: a changed one leaves bytes out.
        if crc32fast::hash(bytes) != entry.crc32() {
            return Err(Error::new(path, "its checksum is wrong: bytes were changed since it was packed", WHOLE));
        }
        if n != says {
            return Err(Error::new(path, format!("it has {n} bytes, but the zip says {says}"), SOUND));
        }
        Ok(bytes)
    }

    /// The first bytes of an entry, at most so many; fewer, or none, if it is damaged, or packed otherwise.
    pub fn beginning<R: Read + Seek>(&mut self, file: &mut Ahead<R>, entry: &ZipFileEntry<'_>, most: usize) -> &[u8] {
        self.stored.clear();
        self.inflated.clear();
        let Ok(start) = entry.get_metadata().data_start(file) else { return &[] };
        self.stored.resize(entry.compressed_size().min(most as u64) as usize, 0);
        let n = file.read_at(start, &mut self.stored).unwrap_or(0);
        self.stored.truncate(n);
        match entry.compression() {
            CompressionMethod::STORE => &self.stored,
            CompressionMethod::DEFLATE => {
                self.inflate.reset(false);
                self.inflated.reserve(most);
                // What is inflated before an error is the beginning all the same.
                let _ = self.inflate.decompress_vec(&self.stored, &mut self.inflated, FlushDecompress::Sync);
                &self.inflated
            }
            _ => &[],
        }
    }

    /// Reads the bytes of an entry as they are stored.
    fn load<R: Read + Seek>(&mut self, file: &mut Ahead<R>, path: &str, entry: &ZipFileEntry<'_>) -> Result<(), Error> {
        let start = entry.get_metadata().data_start(file).map_err(|error| unreadable(path, error))?;
        let n = entry.compressed_size();
        if start.saturating_add(n) > file.length() {
            return Err(unreadable(path, io::Error::from(io::ErrorKind::UnexpectedEof).into()));
        }
        self.stored.clear();
        self.stored.try_reserve(n as usize).map_err(|_| Error::out_of_memory(path))?;
        self.stored.resize(n as usize, 0);
        match file.read_at(start, &mut self.stored) {
            Ok(read) if read == self.stored.len() => Ok(()),
            Ok(_) => Err(unreadable(path, io::Error::from(io::ErrorKind::UnexpectedEof).into())),
            Err(error) => Err(unreadable(path, error.into())),
        }
    }

    /// Inflates what was loaded, up to `most` bytes.
    fn inflate(&mut self, path: &str, most: u64) -> Result<(), Error> {
        /// What is made room for at first if the zip says more: it may lie.
        const FIRST: u64 = 1 << 16;
        self.inflate.reset(false);
        self.inflated.clear();
        let mut room = most.min(FIRST);
        loop {
            let more = (room as usize).saturating_sub(self.inflated.len());
            self.inflated.try_reserve_exact(more).map_err(|_| Error::out_of_memory(path))?;
            let read = self.inflate.total_in() as usize;
            let status = self
                .inflate
                .decompress_vec(&self.stored[read..], &mut self.inflated, FlushDecompress::Finish)
                .map_err(|error| Error::new(path, format!("it is damaged ({error})"), WHOLE))?;
            let n = self.inflated.len() as u64;
            if status == Status::StreamEnd || n >= most {
                return Ok(());
            }
            if self.inflated.len() < self.inflated.capacity() {
                return Err(Error::new(path, "it is damaged (its end is missing)", WHOLE));
            }
            room = most.min(n.saturating_mul(2).max(FIRST));
        }
    }
}

/// The sentence for an entry whose bytes are not where the list says, or cannot be had.
fn unreadable(path: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => Error::out_of_memory(path),
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::new(path, "it is damaged (the file ends before it does)", WHOLE)
        }
        error => Error::new(path, format!("it is damaged ({error})"), WHOLE),
    }
}

fn too_large(path: &str) -> Error {
    Error::new(path, "it inflates to more than 256 MiB", ONE_IMAGE).of_kind(ErrorKind::TooLarge)
}

/// What a compression method is called that is not read.
fn name_of(method: CompressionMethod) -> &'static str {
    const NAMES: &[(CompressionMethod, &str)] = &[
        (CompressionMethod::SHRINK, "Shrink"),
        (CompressionMethod::REDUCE_1, "Reduce"),
        (CompressionMethod::REDUCE_2, "Reduce"),
        (CompressionMethod::REDUCE_3, "Reduce"),
        (CompressionMethod::REDUCE_4, "Reduce"),
        (CompressionMethod::IMPLODE, "Implode"),
        (CompressionMethod::PKWARE_IMPLODE, "Implode"),
        (CompressionMethod::DEFLATE64, "Deflate64 (Windows does so above 2 GB)"),
        (CompressionMethod::BZIP2, "bzip2"),
        (CompressionMethod::LZMA, "LZMA"),
        (CompressionMethod::ZSTD, "Zstandard"),
        (CompressionMethod::ZSTD_DEPRECATED, "Zstandard"),
        (CompressionMethod::XZ, "xz"),
        (CompressionMethod::JPEG, "JPEG"),
        (CompressionMethod::PPMD, "PPMd"),
    ];
    let named = NAMES.iter().find(|(other, _)| *other == method);
    named.map_or("a method that is not known", |(_, name)| name)
}
