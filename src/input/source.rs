//! A file that is read at any place, in large pieces.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};

use rawzip::ReaderAt;

/// Reads ahead, and keeps what it read when it is asked for another place in it: files of a zip lie side by side, and
/// each slice that is asked of a browser or a disk costs more than its bytes.
pub struct Ahead<R> {
    reader: R,
    window: RefCell<Window>,
}

struct Window {
    bytes: Vec<u8>,
    /// Where they start in the file.
    start: u64,
}

impl<R: ReaderAt> Ahead<R> {
    /// Bytes read at once: far more than an entry has, and little beside all that is kept of a large zip.
    const BYTES: usize = 1 << 18;

    /// A reader with nothing read.
    pub const fn new(reader: R) -> Self {
        Self { reader, window: RefCell::new(Window { bytes: Vec::new(), start: 0 }) }
    }

    /// What it reads.
    pub const fn get_ref(&self) -> &R {
        &self.reader
    }
}

impl<R: ReaderAt> ReaderAt for Ahead<R> {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        if out.len() >= Self::BYTES {
            return self.reader.read_at(out, offset);
        }
        // Not borrowed elsewhere: no method hands out what it borrows.
        let Ok(mut window) = self.window.try_borrow_mut() else { return self.reader.read_at(out, offset) };
        let Window { bytes, start } = &mut *window;
        if offset < *start || offset >= *start + bytes.len() as u64 {
            bytes.resize(Self::BYTES, 0);
            *start = offset;
            match self.reader.read_at(bytes, offset) {
                Ok(n) => bytes.truncate(n),
                Err(error) => {
                    bytes.clear();
                    return Err(error);
                }
            }
        }
        let rest = bytes.get((offset - *start) as usize..).unwrap_or_default();
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

/// What can seek, read at any place.
pub struct Seekable<R>(pub RefCell<R>);

impl<R: Read + Seek> ReaderAt for Seekable<R> {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut reader = self.0.try_borrow_mut().map_err(io::Error::other)?;
        reader.seek(SeekFrom::Start(offset))?;
        loop {
            match reader.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_reads_as_it_is_in_any_order() {
        let file: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let ahead = Ahead::new(file.as_slice());
        for (offset, length) in [(2_999_990, 10), (0, 30), (1_048_570, 12), (5, 2_000_000), (1_000_000, 500), (0, 1)] {
            let mut bytes = vec![0; length];
            ahead.read_exact_at(&mut bytes, offset as u64).expect("bytes that are there");
            assert_eq!(bytes, file[offset..offset + length], "{offset}");
        }
        assert_eq!(ahead.read_at(&mut [0], 3_000_000).expect("the end"), 0);
        assert_eq!(ahead.read_at(&mut [0], u64::MAX).expect("the end"), 0);
    }
}
