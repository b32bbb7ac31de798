//! A zip of prediction files.

mod finder;
mod inflate;
mod inside;
mod list;
mod source;

use std::io::{Read, Seek};
#[cfg(not(target_arch = "wasm32"))]
use std::ops::ControlFlow;

use self::inflate::Inflater;
pub use self::inside::{FEW, Inside, inside};
use self::list::{Entry, List};
use self::source::Ahead;
#[cfg(not(target_arch = "wasm32"))]
use self::source::Shared;
use super::{OnProgress, Part, Progress, Stage, digest};
use crate::dataset::Predictions;
use crate::error::{Error, ErrorKind};
use crate::limits::{FREE_ZIP_BYTES, MAX_RATIO};

const ZIP: &str = "a zip of prediction files, stored or deflated; pack the folder again as an ordinary zip";
const WHOLE: &str = "a whole zip; copy or download it again, or pack the folder again";
const BOMB: &str = "an ordinary zip of prediction files; this is how zip bombs are made, so pack the folder again";
const SOUND: &str = "a sound zip; pack the folder again";
const ONE_IMAGE: &str = "the predictions for one image, a few kilobytes";

/// Reads every prediction file in a zip. `name` is the zip's base name.
///
/// Folders, `__MACOSX/`, `._*`, `.DS_Store` and files of other kinds are passed over. A file that cannot be read is kept
/// with its error, since it matters only if it belongs to an image.
///
/// # Errors
/// If the zip itself cannot be read, holds other files only, or inflates to more than [`crate::limits`] allow; if its
/// boxes do not fit into the memory; or if `on_progress` ended it.
pub fn read<R: Read + Seek>(name: &str, mut file: R, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let predictions = read_undigested(name, &mut file, on_progress)?;
    let sha256 = digest(&mut file, on_progress).map_err(|error| error.within(name))?;
    predictions.sha256().set(sha256);
    Ok(predictions)
}

/// The same, but for the SHA-256.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_undigested<R: Read + Seek>(
    name: &str,
    file: R,
    on_progress: OnProgress<'_>,
) -> Result<Predictions, Error> {
    let mut file = Ahead::new(file, None).map_err(|error| unreadable(name, &error))?;
    let list = List::read(name, &mut file)?;
    let entries = list.prediction_files(name, &mut file)?;
    let n_taken = entries.len();
    let part = read_entries(name, &list, entries, 1, &mut file, on_progress)?;
    part.with_any(name, n_taken, list.n_entries(), "entries").map(|part| part.finish(name))
}

/// Reads every prediction file in a zip on all cores, and its SHA-256 beside them.
///
/// # Errors
/// As [`read`]; of several errors, that of the first entry. If the file was changed meanwhile.
#[cfg(not(target_arch = "wasm32"))]
pub fn read_file(
    name: &str,
    file: &std::fs::File,
    on_progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<Predictions, Error> {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rayon::prelude::*;

    /// Below so many bytes threads take longer to begin than one takes to end.
    const LARGE: u64 = 1 << 20;
    let state = || {
        let metadata = file.metadata().map_err(|error| unreadable(name, &error))?;
        Ok::<_, Error>((metadata.len(), metadata.modified().ok()))
    };
    let state_before = state()?;
    let open = |end| Ahead::new(Shared::new(file), end).map_err(|error| unreadable(name, &error));
    let read_parts = || {
        let mut ahead = open(None)?;
        let list = List::read(name, &mut ahead)?;
        let entries = list.prediction_files(name, &mut ahead)?;
        let n_taken = entries.len();
        let end = ahead.end();
        // More shares than threads, so that none waits long for the last one.
        let of = if state_before.0 < LARGE { 1 } else { rayon::current_num_threads().pow(2) };
        let total = stored_bytes(&entries);
        let all_done = AtomicU64::new(0);
        let read_one = |entries| {
            let mut before = 0;
            let mut tell = |progress: Progress| {
                let newly = progress.done - before;
                before = progress.done;
                let done = all_done.fetch_add(newly, Ordering::Relaxed) + newly;
                on_progress(Progress { stage: Stage::Reading, done, total })
            };
            read_entries(name, &list, entries, of, &mut open(end.clone())?, &mut tell)
        };
        let parts: Vec<Result<Part, Error>> = shares(entries, of).into_par_iter().map(read_one).collect();
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        let part = join(parts).map_err(|error| error.within(name))?;
        part.with_any(name, n_taken, list.n_entries(), "entries")
    };
    let hash = || digest(Shared::new(file), &mut |progress| on_progress(progress));
    let (part, sha256) = rayon::join(read_parts, hash);
    if state()? != state_before {
        let expected = "a zip that stays as it is; wait until it is written to its end, and score it again";
        return Err(Error::new(name, "it was changed while it was read", expected));
    }
    let predictions = part?.finish(name);
    predictions.sha256().set(sha256.map_err(|error| error.within(name))?);
    Ok(predictions)
}

/// Reads prediction files, which are one of `of` shares of a zip, in order.
fn read_entries<R: Read + Seek>(
    name: &str,
    list: &List,
    entries: Vec<Entry>,
    of: usize,
    file: &mut Ahead<R>,
    on_progress: OnProgress<'_>,
) -> Result<Part, Error> {
    let total = stored_bytes(&entries);
    let most = (FREE_ZIP_BYTES / of as u64).max(total.saturating_mul(MAX_RATIO));
    let (mut done, mut inflated_bytes) = (0_u64, 0);
    let mut inflater = Inflater::new();
    let mut part = Part::with_capacity(entries.len());
    for entry in entries {
        if on_progress(Progress { stage: Stage::Reading, done, total }).is_break() {
            return Err(Error::cancelled(name));
        }
        let bytes = match (entry.error, list.entry(entry.at)) {
            (None, Ok(there)) => inflater.read(file, &entry.path, &there),
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(Error::new(entry.path.as_str(), format!("it is damaged ({error})"), WHOLE)),
        };
        inflated_bytes += bytes.as_ref().map_or(0, |bytes| bytes.len()) as u64;
        if inflated_bytes > most {
            let what = format!("its files inflate to more than {MAX_RATIO} times their size");
            return Err(Error::new(name, what, BOMB).of_kind(ErrorKind::TooLarge));
        }
        done = done.saturating_add(entry.stored_bytes);
        part.add(entry.path, bytes).map_err(|error| error.within(name))?;
        part.expect(done, total);
    }
    part.shrink();
    Ok(part)
}

/// The bytes of entries as they are stored.
fn stored_bytes(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.stored_bytes).fold(0, u64::saturating_add)
}

/// Entries in shares of about as many stored bytes each: all shares together are all entries in order.
#[cfg(not(target_arch = "wasm32"))]
fn shares(entries: Vec<Entry>, of: usize) -> Vec<Vec<Entry>> {
    let total = u128::from(stored_bytes(&entries)).max(1);
    let mut before = 0_u128;
    let mut shares: Vec<Vec<Entry>> = (0..of).map(|_| Vec::new()).collect();
    for entry in entries {
        let share = (before * of as u128 / total) as usize;
        before += u128::from(entry.stored_bytes);
        if let Some(share) = shares.get_mut(share.min(of.saturating_sub(1))) {
            share.push(entry);
        }
    }
    shares
}

/// Puts parts together, in order.
#[cfg(not(target_arch = "wasm32"))]
fn join(mut parts: Vec<Part>) -> Result<Part, Error> {
    if parts.len() == 1 {
        return Ok(parts.pop().unwrap_or_default());
    }
    let n_files = parts.iter().map(|part| part.files().len()).sum();
    let mut whole = Part::with_room(n_files, parts.iter().map(|part| part.detections().len()).sum())?;
    parts.into_iter().try_for_each(|part| whole.append(part))?;
    Ok(whole)
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    Error::new(name, format!("it cannot be read ({error})"), ZIP).of_kind(ErrorKind::Io)
}
