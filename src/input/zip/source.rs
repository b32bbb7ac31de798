//! A file that is read in large pieces, at any place.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Reads ahead, and keeps what it read when it is asked for another place in it: files of a zip lie side by side, and
/// each slice that is asked of a browser or a disk costs more than its bytes.
pub struct Ahead<R> {
    file: R,
    /// Of all, the mended end included.
    length: u64,
    position: u64,
    window: Vec<u8>,
    /// Where the window starts in the file.
    start: u64,
    end: Option<MendedEnd>,
}

/// Bytes that are read in place of the end of a file.
#[derive(Clone)]
pub struct MendedEnd {
    /// From there on.
    pub start: u64,
    /// What is read there.
    pub bytes: Arc<[u8]>,
}

impl<R: Read + Seek> Ahead<R> {
    /// Bytes read at once: far more than an entry has, and little beside all that is kept of a large zip.
    const BYTES: usize = 1 << 18;

    /// A reader with nothing read, and another end of the file if there is one.
    ///
    /// # Errors
    /// If the length of the file is not known.
    pub fn new(mut file: R, end: Option<MendedEnd>) -> io::Result<Self> {
        let length = match &end {
            Some(end) => end.start + end.bytes.len() as u64,
            None => file.seek(SeekFrom::End(0))?,
        };
        Ok(Self { file, length, position: 0, window: Vec::new(), start: 0, end })
    }

    /// Bytes of the file.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Puts other bytes at the end of the file.
    pub fn mend(&mut self, end: MendedEnd) {
        self.length = end.start + end.bytes.len() as u64;
        self.window.clear();
        self.end = Some(end);
    }

    /// The mended end, if there is one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn end(&self) -> Option<MendedEnd> {
        self.end.clone()
    }

    /// As many bytes of that place as the file has, up to the length of `out`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_at(&mut self, place: u64, out: &mut [u8]) -> io::Result<usize> {
        self.position = place;
        fill(self, out)
    }

    /// Moves the window to the position, which lies before `end`; near the end of the file so that it ends there, since a
    /// zip is read from its end.
    fn advance(&mut self, end: u64) -> io::Result<()> {
        self.start = self.position.min(end.saturating_sub(Self::BYTES as u64));
        // More may be left than a 32-bit number of bytes.
        let n = (end - self.start).min(Self::BYTES as u64) as usize;
        self.window.resize(n, 0);
        let read = self.file.seek(SeekFrom::Start(self.start)).and_then(|_| fill(&mut self.file, &mut self.window));
        self.window.truncate(read.as_ref().copied().unwrap_or_default());
        read.map(|_| ())
    }
}

impl<R: Read + Seek> Read for Ahead<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let end = self.end.as_ref().map_or(self.length, |end| end.start);
        let there = if let Some(mended) = self.end.as_ref().filter(|_| self.position >= end) {
            mended.bytes.get((self.position - end) as usize..).unwrap_or_default()
        } else {
            let at = self.position.checked_sub(self.start).filter(|at| *at < self.window.len() as u64);
            if at.is_none() && self.position < end {
                self.advance(end)?;
            }
            let at = self.position.checked_sub(self.start).unwrap_or(u64::MAX);
            usize::try_from(at).ok().and_then(|at| self.window.get(at..)).unwrap_or_default()
        };
        let n = there.len().min(out.len());
        out[..n].copy_from_slice(&there[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for Ahead<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Fills `out` as far as there are bytes.
fn fill(reader: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < out.len() {
        match reader.read(&mut out[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}

/// A file with a position of its own, so that several threads read it at once.
#[cfg(not(target_arch = "wasm32"))]
pub struct Shared<'a> {
    file: &'a std::fs::File,
    position: u64,
}

#[cfg(not(target_arch = "wasm32"))]
impl<'a> Shared<'a> {
    /// At the start of a file.
    pub const fn new(file: &'a std::fs::File) -> Self {
        Self { file, position: 0 }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Read for Shared<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let n = std::os::unix::fs::FileExt::read_at(self.file, out, self.position)?;
        #[cfg(windows)]
        let n = std::os::windows::fs::FileExt::seek_read(self.file, out, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Seek for Shared<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_reads_as_it_is_in_any_order_also_where_the_end_is_mended() {
        let mut file: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let mut ahead = Ahead::new(io::Cursor::new(file.clone()), None).expect("memory");
        for is_mended in [false, true] {
            if is_mended {
                ahead.mend(MendedEnd { start: 2_999_000, bytes: vec![7; 2000].into() });
                file.truncate(2_999_000);
                file.extend([7; 2000]);
            }
            for (place, length) in
                [(2_999_990, 10), (0, 30), (2_998_990, 20), (1_048_570, 12), (5, 2_000_000), (1_000_000, 500), (0, 1)]
            {
                let mut bytes = vec![0; length];
                assert_eq!(ahead.read_at(place as u64, &mut bytes).expect("bytes that are there"), length);
                assert_eq!(bytes, file[place..place + length], "{place}");
            }
            assert_eq!(ahead.read_at(file.len() as u64, &mut [0]).expect("the end"), 0);
            assert_eq!(ahead.read_at(u64::MAX, &mut [0]).expect("the end"), 0);
            assert_eq!(ahead.seek(SeekFrom::End(-1)).expect("a place"), file.len() as u64 - 1);
        }
    }
}
