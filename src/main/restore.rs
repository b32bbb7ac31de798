//! `--session` and `--save-session`: what was chosen once, as a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use froc::session::{DifferenceKind, Session, SessionFile};

use super::guard::say;
use super::{Files, base_name, one};

/// The session that is asked for, if one is.
pub fn saved(files: &Files) -> Result<Option<SessionFile>, Vec<String>> {
    let Some(path) = &files.session else {
        return match files.of_session.first() {
            None => Ok(None),
            Some(path) => {
                let path = path.display();
                Err(vec![format!("{path}: it stands behind no flag; expected --predictions {path}, or --session.")])
            }
        };
    };
    let bytes = std::fs::read(path)
        .map_err(|error| vec![format!("{}: it cannot be read ({error}); expected a session.", path.display())])?;
    let name = base_name(path);
    SessionFile::read(&name, &bytes).map(Some).map_err(one)
}

/// The files of a session, read and named as they were when it was saved. Says what differs by its bytes.
pub fn reopened(paths: &[PathBuf], saved: &SessionFile) -> Result<Session, Vec<String>> {
    let mut session = Session::default();
    let mut wrong = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        wrong.extend(session.add_path(&at.to_string(), path).err().map(|error| error.to_string()));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut changed = Vec::new();
    for difference in session.restore(saved).map_err(one)?.differences {
        let is_changed = difference.kind == DifferenceKind::Changed;
        if is_changed { &mut changed } else { &mut wrong }.push(difference.error.sentence);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    for sentence in &changed {
        say(sentence);
    }
    Ok(session)
}

/// Saves a session in a new file.
pub fn save(session: &SessionFile, path: &Path) -> Result<(), Vec<String>> {
    let bytes = session.bytes().map_err(one)?;
    let mut file = super::new_file(path).map_err(|sentence| vec![sentence])?;
    file.write_all(&bytes).map_err(|error| {
        vec![format!("{}: it cannot be written to the end ({error}); expected room for it.", path.display())]
    })
}
