//! A folder of prediction files, for the terminal.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::{OnProgress, Part, Progress, Stage, sha256};
use crate::dataset::Predictions;
use crate::error::{Error, ErrorKind};
use crate::limits::MAX_FILE_BYTES;

/// Reads every prediction file in a folder and the folders inside it, in the order of their names.
///
/// # Errors
/// If the folder cannot be listed or holds other files only; or if `on_progress` ended it.
pub fn read(name: &str, folder: &Path, on_progress: OnProgress<'_>) -> Result<Predictions, Error> {
    let paths = list(name, folder)?;
    let total = paths.len() as u64;
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
    let predictions = files.finish(name);
    predictions.sha256().set(sha256(digests.as_bytes()));
    Ok(predictions)
}

/// Paths of the prediction files below the folder, with `/` between the parts, sorted.
fn list(name: &str, folder: &Path) -> Result<Vec<String>, Error> {
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
        if Part::takes(&path) {
            paths.push(path);
        } else {
            n_others += 1;
        }
    }
    if paths.is_empty() && n_others > 0 {
        return Err(Error::new(
            name,
            format!("none of its {n_others} files is a .json file"),
            "one .json file an image",
        ));
    }
    Part::choose(&mut paths, |path| path);
    paths.sort();
    Ok(paths)
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
