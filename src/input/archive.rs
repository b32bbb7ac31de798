//! A zip of prediction files.

mod directory;
mod inflate;
mod share;

use std::io::{Read, Seek};
#[cfg(not(target_arch = "wasm32"))]
use std::ops::ControlFlow;

pub use self::share::{Piece, SeekingShare, ShareReader};

#[cfg(not(target_arch = "wasm32"))]
use self::directory::{Directory, stored_bytes};
#[cfg(not(target_arch = "wasm32"))]
use super::source::Ahead;
use super::{OnProgress, Part, digest};
#[cfg(not(target_arch = "wasm32"))]
use super::{Progress, Stage};
use crate::dataset::Predictions;
use crate::error::{Error, ErrorKind};

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
pub fn read<R: Read + Seek>(name: &str, mut archive: R, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let predictions = read_undigested(name, &mut archive, on_progress)?;
    let sha256 = digest(&mut archive, on_progress).map_err(|error| error.within(name))?;
    predictions.sha256().set(sha256);
    Ok(predictions)
}

/// The same, but for the SHA-256.
///
/// # Errors
/// As [`read`].
pub fn read_undigested<R: Read + Seek>(
    name: &str,
    archive: R,
    on_progress: OnProgress<'_>,
) -> Result<Predictions, Error> {
    Ok(read_share(name, archive, (0, 1), on_progress)?.finish(name))
}

/// Reads one of several shares of the prediction files in a zip, numbered from 0: the parts put together in order are
/// what [`read`] reads, but for the SHA-256.
///
/// # Errors
/// As [`read`].
pub fn read_share<R: Read + Seek>(
    name: &str,
    archive: R,
    share: (usize, usize),
    on_progress: OnProgress<'_>,
) -> Result<Part, Error> {
    let mut share = SeekingShare::open(name, archive, share)?;
    share.read(usize::MAX, on_progress)?;
    Ok(share.finish())
}

/// Reads every prediction file in a zip on all cores, and its SHA-256 beside them.
///
/// # Errors
/// As [`read`]; of several errors, that of the first entry.
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
    let length = file.metadata().map_err(|error| unreadable(name, &error))?.len();
    let at = rawzip::FileReader::from(file.try_clone().map_err(|error| unreadable(name, &error))?);
    let open = || directory::open(name, Ahead::new(&at), length);
    let read_parts = || {
        // More shares than threads, so that none waits long for the last one.
        let of = if length < LARGE { 1 } else { rayon::current_num_threads().pow(2) };
        let shares = Directory::read(name, &open()?)?.into_shares(of);
        let total = shares.iter().map(|entries| stored_bytes(entries)).sum();
        let all_done = AtomicU64::new(0);
        let read_one = |entries| {
            let mut last = 0;
            let mut tell = |progress: Progress| {
                let newly = progress.done - last;
                last = progress.done;
                let done = all_done.fetch_add(newly, Ordering::Relaxed) + newly;
                on_progress(Progress { stage: Stage::Reading, done, total })
            };
            let mut share = ShareReader::new(name, open()?, entries, of);
            share.read(usize::MAX, &mut tell)?;
            Ok(share.finish())
        };
        let parts: Vec<Result<Part, Error>> = shares.into_par_iter().map(read_one).collect();
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        join(parts).map_err(|error| error.within(name))
    };
    let hash = || digest(&mut { file }, &mut |progress| on_progress(progress));
    let (part, sha256) = rayon::join(read_parts, hash);
    let predictions = part?.finish(name);
    predictions.sha256().set(sha256.map_err(|error| error.within(name))?);
    Ok(predictions)
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
