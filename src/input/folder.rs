//! A folder of prediction files, or of a ground truth in one file for each image, for the terminal.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use walkdir::WalkDir;

use super::labels::{self, Labels};
use super::{OnProgress, Part, Progress, Stage, sha256};
use crate::dataset::{GroundTruth, Predictions};
use crate::error::{Error, ErrorKind};
use crate::limits::MAX_FILE_BYTES;

/// Reads every prediction file in a folder and the folders inside it, in the order of their names.
///
/// # Errors
/// If the folder cannot be listed or holds other files only; or if `on_progress` ended it.
pub fn read(name: &str, folder: &Path, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let (paths, n_all) = list(name, folder)?;
    let (n_taken, total) = (paths.len(), paths.len() as u64);
    let mut files = Part::default();
    let mut digests = String::new();
    for (path, done) in paths.into_iter().zip(0..) {
        if on_progress(Progress { stage: Stage::Reading, done, total }).is_break() {
            return Err(Error::cancelled(name));
        }
        let bytes = load(&folder.join(&path), &path);
        if let Ok(bytes) = &bytes {
            // Writing to a String cannot fail.
            let _ = writeln!(digests, "{path}\0{}", sha256(bytes));
        }
        files.add(path, bytes.as_deref().map_err(Clone::clone)).map_err(|error| error.within(name))?;
    }
    let predictions = files.with_any(name, n_taken, n_all, "files")?.finish(name);
    predictions.sha256().set(sha256(digests.as_bytes()));
    Ok(predictions)
}

/// Reads a ground truth that the folder holds in one file for each image, in the order of their names; none if there is no such
/// file.
///
/// # Errors
/// If the folder cannot be listed, or a file cannot be read.
pub(crate) fn read_labels(name: &str, folder: &Path) -> Result<Option<GroundTruth>, Error> {
    let (paths, _) = list_of(name, folder, labels::takes)?;
    let mut labels = Labels::default();
    let mut digests = String::new();
    for path in paths {
        let bytes = load(&folder.join(&path), &path).map_err(|error| error.within(name))?;
        labels.add(&path, &bytes).map_err(|error| error.within(name))?;
        // Writing to a String cannot fail.
        let _ = writeln!(digests, "{path}\0{}", sha256(&bytes));
    }
    if labels.wants_pictures() {
        for path in list_of(name, folder, labels::is_picture)?.0 {
            let mut head = Vec::new();
            let file = fs::File::open(folder.join(&path)).ok();
            // What cannot be read tells no size.
            let _ = file.map(|file| file.take(labels::HEAD_OF_PICTURE as u64).read_to_end(&mut head));
            labels.add_picture(&path, &head);
            let _ = writeln!(digests, "{path}\0{}", sha256(&head));
        }
    }
    if labels.is_empty() { Ok(None) } else { labels.finish(name, sha256(digests.as_bytes())).map(Some) }
}

/// Paths of the prediction files below the folder, with `/` between the parts, sorted, and how many files there are in all.
fn list(name: &str, folder: &Path) -> Result<(Vec<String>, usize), Error> {
    let (mut paths, n_others) = list_of(name, folder, Part::takes)?;
    if paths.is_empty() && n_others > 0 {
        return Err(Part::none_among(name, n_others, "files"));
    }
    let n_all = paths.len() + n_others;
    Part::choose(&mut paths, |path| path);
    Ok((paths, n_all))
}

/// Paths of the files below the folder that are taken, sorted, and how many others there are.
fn list_of(name: &str, folder: &Path, takes: impl Fn(&str) -> bool) -> Result<(Vec<String>, usize), Error> {
    let mut paths = Vec::new();
    let mut n_others = 0;
    for entry in WalkDir::new(folder).follow_links(true) {
        let (path, is_file) = match &entry {
            Ok(entry) => (entry.path(), entry.file_type().is_file()),
            // A link that leads nowhere, or in a circle, costs that file alone.
            Err(error) => {
                let Some(path) = error.path().filter(|path| path.is_symlink()) else {
                    let expected = "a folder that can be read";
                    return Err(Error::new(name, error.to_string(), expected).of_kind(ErrorKind::Io));
                };
                (path, true)
            }
        };
        let Ok(path) = path.strip_prefix(folder) else { continue };
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let path = parts.join("/");
        if !is_file {
            continue;
        }
        if takes(&path) {
            paths.push(path);
        } else {
            n_others += 1;
        }
    }
    paths.sort();
    Ok((paths, n_others))
}

fn load(file: &Path, path: &str) -> Result<Vec<u8>, Error> {
    let cannot = |error: std::io::Error| {
        let what = match fs::read_link(file) {
            Ok(target) => format!("it is a symbolic link to \"{}\", which cannot be read ({error})", target.display()),
            Err(_) => error.to_string(),
        };
        Error::new(path, what, "a file that can be read").of_kind(ErrorKind::Io)
    };
    if fs::metadata(file).map_err(cannot)?.len() > MAX_FILE_BYTES {
        return Err(Error::new(path, "it has more than 256 MiB", "the predictions for one image, a few kilobytes")
            .of_kind(ErrorKind::TooLarge));
    }
    fs::read(file).map_err(cannot)
}
