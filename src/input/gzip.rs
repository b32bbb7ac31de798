//! A file as gzip packs it: any file that is read, `.json.gz` or `.zip.gz`, inflated into the memory.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::Unpacked;
use crate::error::{Error, ErrorKind};
use crate::limits::{FREE_FILE_BYTES, MAX_GROUND_TRUTH_BYTES, MAX_RATIO};

/// What a gzip file starts with (RFC 1952, section 2.3.1).
pub const MAGIC: &[u8] = b"\x1f\x8b";
/// What is read of one.
const EXPECTED: &str = "a ground truth or predictions, packed whole; unpack it";

/// Inflates a gzip file from its start; several packed texts after one another are one, as gzip has it.
///
/// # Errors
/// If it is damaged, cannot be read, or inflates to more than [`crate::limits`] allow.
pub fn unpack(name: &str, mut file: impl Read + Seek) -> Result<Unpacked, Error> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::OutOfMemory => Error::out_of_memory(name),
        io::ErrorKind::UnexpectedEof => Error::new(
            name,
            "it is cut short (the end of the gzip file is missing)",
            "a whole file; copy or download it again",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Error::new(name, format!("it is damaged ({error})"), "a sound gzip file; copy or download it again")
        }
        _ => Error::new(name, format!("it cannot be read ({error})"), EXPECTED).of_kind(ErrorKind::Io),
    };
    let stored = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let most = FREE_FILE_BYTES.max(stored.saturating_mul(MAX_RATIO)).min(MAX_GROUND_TRUTH_BYTES);
    let mut bytes = Vec::new();
    MultiGzDecoder::new(io::BufReader::new(file)).take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        let what = format!("it inflates to more than {most} bytes, from {stored}");
        return Err(Error::new(name, what, EXPECTED).of_kind(ErrorKind::TooLarge));
    }
    let stem = name.len().checked_sub(".gz".len()).and_then(|end| name.split_at_checked(end));
    let inner = match stem {
        Some((stem, ending)) if !stem.is_empty() && ending.eq_ignore_ascii_case(".gz") => stem,
        _ => name,
    };
    Ok(Unpacked { name: inner.to_owned(), bytes })
}
