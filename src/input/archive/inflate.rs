//! One entry of a zip -> its bytes.

use flate2::{Decompress, FlushDecompress, Status};
use rawzip::{CompressionMethod, ErrorKind, ReaderAt, ZipArchive};

use super::directory::Entry;
use super::{ONE_IMAGE, SOUND, WHOLE, ZIP};
use crate::error::{self, Error};
use crate::limits::{FREE_FILE_BYTES, MAX_FILE_BYTES, MAX_RATIO};

/// Reads entries one after the other, with buffers that are made once.
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
    pub fn read<R: ReaderAt>(&mut self, zip: &ZipArchive<R>, entry: &Entry) -> Result<&[u8], Error> {
        let path = entry.path.as_str();
        if entry.is_encrypted || entry.method == CompressionMethod::AES {
            let expected = "a file without a password; pack the folder again without one";
            return Err(Error::new(path, "it is encrypted", expected));
        }
        let is_deflated = entry.method == CompressionMethod::DEFLATE;
        if !is_deflated && entry.method != CompressionMethod::STORE {
            return Err(Error::new(path, format!("it is compressed by {}", name_of(entry.method)), ZIP));
        }
        let most = MAX_FILE_BYTES.min(FREE_FILE_BYTES.max(entry.stored_bytes().saturating_mul(MAX_RATIO)));
        // Deflate adds a few bytes in 65,536 to what it cannot compress.
        if entry.stored_bytes() > MAX_FILE_BYTES + MAX_FILE_BYTES / 1024 {
            return Err(too_large(path));
        }
        self.load(zip, entry)?;
        let bytes = if is_deflated {
            self.inflate(entry, most)?;
            &self.inflated
        } else {
            &self.stored
        };
        let n = bytes.len() as u64;
        let says = entry.inflated_bytes();
        if n > MAX_FILE_BYTES {
            return Err(too_large(path));
        }
        if n > most {
            let what = format!("it inflates to more than {MAX_RATIO} times its size, as zip bombs do");
            return Err(Error::new(path, what, ONE_IMAGE).of_kind(error::ErrorKind::TooLarge));
        }
        if n > says && is_deflated {
            return Err(Error::new(path, format!("it has more bytes than the zip says ({says})"), SOUND));
        }
        // Before the size, which a stored entry has twice in the list: a changed one leaves bytes out.
        if checksum(bytes) != entry.crc32 {
            return Err(Error::new(path, "its checksum is wrong: bytes were changed since it was packed", WHOLE));
        }
        if n != says {
            return Err(Error::new(path, format!("it has {n} bytes, but the zip says {says}"), SOUND));
        }
        Ok(bytes)
    }

    /// Reads the bytes of an entry as they are stored.
    fn load<R: ReaderAt>(&mut self, zip: &ZipArchive<R>, entry: &Entry) -> Result<(), Error> {
        let damaged = |error: rawzip::Error| match error.kind() {
            ErrorKind::IO(error) if error.kind() == std::io::ErrorKind::OutOfMemory => no_memory(&entry.path),
            _ => Error::new(entry.path.as_str(), format!("it is damaged ({error})"), WHOLE),
        };
        let (start, end) = zip.get_entry(entry.wayfinder).map_err(damaged)?.compressed_data_range();
        let n = (end - start) as usize;
        self.stored.clear();
        self.stored.try_reserve(n).map_err(|_| no_memory(&entry.path))?;
        self.stored.resize(n, 0);
        zip.get_ref().read_exact_at(&mut self.stored, start).map_err(|error| damaged(error.into()))
    }

    /// Inflates what was loaded, up to one byte more than `most` or than the zip says.
    fn inflate(&mut self, entry: &Entry, most: u64) -> Result<(), Error> {
        /// What is made room for at first if the zip says more: it may lie.
        const FIRST: u64 = 1 << 16;
        let most = most.min(entry.inflated_bytes()) + 1;
        self.inflate.reset(false);
        self.inflated.clear();
        let mut room = most.min(FIRST);
        loop {
            let more = (room as usize).saturating_sub(self.inflated.len());
            self.inflated.try_reserve_exact(more).map_err(|_| no_memory(&entry.path))?;
            let read = self.inflate.total_in() as usize;
            let status = self
                .inflate
                .decompress_vec(&self.stored[read..], &mut self.inflated, FlushDecompress::Finish)
                .map_err(|error| Error::new(entry.path.as_str(), format!("it is damaged ({error})"), WHOLE))?;
            let n = self.inflated.len() as u64;
            if status == Status::StreamEnd || n >= most {
                return Ok(());
            }
            if self.inflated.len() < self.inflated.capacity() {
                let what = "it is damaged (its end is missing)";
                return Err(Error::new(entry.path.as_str(), what, WHOLE));
            }
            room = most.min(n.saturating_mul(2).max(FIRST));
        }
    }
}

/// The CRC-32 of a zip: by instructions that processors have for it, and that WebAssembly has not.
fn checksum(bytes: &[u8]) -> u32 {
    #[cfg(not(target_arch = "wasm32"))]
    {
        crc32fast::hash(bytes)
    }
    #[cfg(target_arch = "wasm32")]
    {
        use crc::{CRC_32_ISO_HDLC, Crc, Table};

        thread_local! {
            #[expect(clippy::missing_const_for_thread_local, reason = "16 KB of tables take longer to be sent than to be made")]
            static TABLES: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
        }
        TABLES.with(|tables| tables.checksum(bytes))
    }
}

fn no_memory(path: &str) -> Error {
    Error::out_of_memory(path)
}

fn too_large(path: &str) -> Error {
    Error::new(path, "it inflates to more than 256 MiB", ONE_IMAGE).of_kind(error::ErrorKind::TooLarge)
}

/// What a compression method is called that is not read.
fn name_of(method: CompressionMethod) -> &'static str {
    const NAMES: &[(CompressionMethod, &str)] = &[
        (CompressionMethod::SHRUNK, "Shrink"),
        (CompressionMethod::REDUCE1, "Reduce"),
        (CompressionMethod::REDUCE2, "Reduce"),
        (CompressionMethod::REDUCE3, "Reduce"),
        (CompressionMethod::REDUCE4, "Reduce"),
        (CompressionMethod::IMPLODED, "Implode"),
        (CompressionMethod::DCL_IMPLODE, "Implode"),
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
