//! A file of the browser as something that is read and sought in.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, FileReaderSync};

/// A file of the browser, or its bytes. What is read in order is read ahead, more and more of it, and waits outside of the
/// WebAssembly memory.
pub(super) struct BlobReader {
    /// What reads the file; none if all of its bytes were given.
    source: Option<(Blob, FileReaderSync)>,
    size: u64,
    position: u64,
    /// The bytes that were read last, and where they start in the file.
    window: Uint8Array,
    start: u64,
}

impl BlobReader {
    /// Bytes asked of the browser at once at most. In Chromium, 128 MB took 0.70 s by 1 MiB, 0.35 s by 4 and 0.32 s by 8.
    const MOST: u64 = 1 << 23;

    /// Of a `Blob`, or of a `Uint8Array` that holds all of a file.
    pub(super) fn new(file: &JsValue) -> io::Result<Self> {
        if let Some(bytes) = file.dyn_ref::<Uint8Array>() {
            let size = u64::from(bytes.length());
            return Ok(Self { source: None, size, position: 0, window: bytes.clone(), start: 0 });
        }
        let blob: Blob = file.clone().unchecked_into();
        let reader = FileReaderSync::new().map_err(|error| in_js(&error))?;
        #[expect(clippy::cast_sign_loss, reason = "a size is a whole number from 0")]
        let size = blob.size() as u64;
        Ok(Self { source: Some((blob, reader)), size, position: 0, window: Uint8Array::new_with_length(0), start: 0 })
    }

    /// Whether the file is read in one piece.
    const fn is_small(&self) -> bool {
        self.size <= Self::MOST
    }

    /// Where the window ends in the file.
    fn end(&self) -> u64 {
        self.start + u64::from(self.window.length())
    }

    /// Moves the window to the position: over `least` bytes, or twice as many as before if it goes on where it ended; over
    /// the whole file if that is small, since each question to the browser takes some milliseconds.
    fn advance(&mut self, least: usize) -> io::Result<()> {
        let Some((blob, reader)) = &self.source else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let ahead = if self.position == self.end() { 2 * u64::from(self.window.length()) } else { 0 };
        let length = ahead.min(Self::MOST).max(least as u64);
        let (start, end) = if self.is_small() {
            (0, self.size)
        } else {
            (self.position, self.size.min(self.position.saturating_add(length)))
        };
        let slice = blob.slice_with_f64_and_f64(start as f64, end as f64).map_err(|error| in_js(&error))?;
        let array = reader.read_as_array_buffer(&slice).map_err(|error| in_js(&error))?;
        self.window = Uint8Array::new(&array);
        self.start = start;
        Ok(())
    }
}

impl Read for BlobReader {
    /// As many bytes as there are in the window, up to the length of `out`.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || out.is_empty() {
            return Ok(0);
        }
        if self.position < self.start || self.position >= self.end() {
            self.advance(out.len())?;
        }
        let at = (self.position - self.start) as u32;
        let n = (self.window.length().saturating_sub(at) as usize).min(out.len());
        self.window.subarray(at, at + n as u32).copy_to(&mut out[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// What the browser threw.
fn in_js(error: &JsValue) -> io::Error {
    let message = js_sys::Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    io::Error::other(message.unwrap_or_else(|| "no reason given".to_owned()))
}
