//! The list of entries as the Finder of macOS should have written it.
//!
//! The Finder writes no Zip64: of more than 65,535 entries it keeps the count modulo 65,536, and of a zip above 4 GiB all
//! places modulo 2^32 (yauzl, issue 60). What is lost follows from the list itself: it ends where the end record starts,
//! and the entries lie in its order.

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::source::{Ahead, MendedEnd};

/// Signatures, and sizes without what varies (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16).
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_BYTES: usize = 20;
const HEADER: &[u8] = b"PK\x01\x02";
const HEADER_BYTES: usize = 46;

/// A list that is longer than this is not mended: 1 GiB.
const LONGEST_LIST: u64 = 1 << 30;

/// Where each header of a list of entries lies in it, up to the first bytes that are none.
pub fn headers(list: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let header = list.get(next..)?;
        if !header.starts_with(HEADER) {
            return None;
        }
        let varies: usize = [28, 30, 32].into_iter().map(|at| number(header, at, 2)).sum::<Option<u64>>()? as usize;
        let start = next;
        next = start + HEADER_BYTES + varies;
        (next <= list.len()).then_some(start..next)
    })
}

/// The name in a header, as it is written.
pub fn name(header: &[u8]) -> &[u8] {
    let n = number(header, 28, 2).unwrap_or_default() as usize;
    header.get(HEADER_BYTES..HEADER_BYTES + n).unwrap_or_default()
}

/// The bytes of a file from `start` on, up to `end`.
///
/// # Errors
/// If it cannot be read, or has more than 1 GiB there.
pub fn load<R: Read + Seek>(file: &mut Ahead<R>, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let n = end.saturating_sub(start);
    if n > LONGEST_LIST {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(n as usize).map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.resize(n as usize, 0);
    let read = file.read_at(start, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The end of a zip that the Finder wrote and that has lost digits, whole again; `None` for every other.
///
/// # Errors
/// If the file cannot be read.
pub fn mended<R: Read + Seek>(file: &mut Ahead<R>) -> io::Result<Option<MendedEnd>> {
    // The Finder writes no comment, so the end record ends the file.
    let Some(end) = file.length().checked_sub(END_BYTES as u64) else { return Ok(None) };
    let record = load(file, end, file.length())?;
    let before = load(file, end.saturating_sub(LOCATOR_BYTES as u64), end)?;
    if !record.starts_with(END) || before.starts_with(LOCATOR) {
        return Ok(None);
    }
    let field = |at, n| number(&record, at, n).unwrap_or_default();
    let (count, list_bytes, list_start) = (field(10, 2), field(12, 4), field(16, 4));
    let Some(start) = end.checked_sub(list_bytes) else { return Ok(None) };
    let wraps = start > u64::from(u32::MAX) && start & u64::from(u32::MAX) == list_start;
    // As short as a header can be, so many would have to fit.
    let may_be_more = list_bytes / HEADER_BYTES as u64 >= count + (1 << 16);
    let has_place = start == list_start;
    if !(wraps || has_place && may_be_more) {
        return Ok(None);
    }
    let list = load(file, start, end)?;
    let found: Vec<Range<usize>> = headers(&list).collect();
    let n = found.len() as u64;
    if n % (1 << 16) != count || (!wraps && n == count) || found.last().is_none_or(|last| last.end != list.len()) {
        return Ok(None);
    }
    Ok(Some(MendedEnd { start, bytes: whole_end(start, &list, &found).into() }))
}

/// The list with whole places, and the end records of Zip64 behind it.
fn whole_end(start: u64, list: &[u8], headers: &[Range<usize>]) -> Vec<u8> {
    const WRAP: u64 = 1 << 32;
    let mut bytes = Vec::with_capacity(list.len() + 100);
    let (mut base, mut before) = (0, 0);
    for header in headers {
        let header = &list[header.clone()];
        let place = number(header, 42, 4).unwrap_or_default();
        if place < before {
            base += WRAP;
        }
        before = place;
        if base == 0 {
            bytes.extend(header);
            continue;
        }
        // The place as an extra field of Zip64, in front of the others.
        let n_name = number(header, 28, 2).unwrap_or_default() as usize;
        let n_extra = number(header, 30, 2).unwrap_or_default() as u16;
        let (fixed, varies) = header.split_at(HEADER_BYTES);
        let (name, others) = varies.split_at(n_name.min(varies.len()));
        bytes.extend(&fixed[..30]);
        bytes.extend((n_extra.saturating_add(12)).to_le_bytes());
        bytes.extend(&fixed[32..42]);
        bytes.extend(u32::MAX.to_le_bytes());
        bytes.extend(name);
        bytes.extend([1, 0, 8, 0]);
        bytes.extend((base + place).to_le_bytes());
        bytes.extend(others);
    }
    let (n, list_bytes, list_end) = (headers.len() as u64, bytes.len() as u64, start + bytes.len() as u64);
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    bytes.extend([n, n, list_bytes, start].map(u64::to_le_bytes).concat());
    bytes.extend(LOCATOR);
    bytes.extend([0; 4]);
    bytes.extend(list_end.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(END);
    bytes.extend([0; 4]);
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    bytes
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, n: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + n)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
