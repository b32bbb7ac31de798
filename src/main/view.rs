//! `froc view`: the page with files inside it, in the browser.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Read, Seek as _};
use std::path::{Path, PathBuf};

use froc::session::{FileKind, Session, SessionFile};
use walkdir::WalkDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::guard::say;

/// The page in one file, as releases hold it.
const PAGE: &str = "froc.html";

/// What is looked at, and where.
#[derive(clap::Args)]
pub struct View {
    /// What the page would take, in any order: ground truth, predictions, tables, thresholds, a session, reports.
    #[arg(value_name = "FILES", required_unless_present = "ground_truth")]
    files: Vec<PathBuf>,
    /// The list of images and lesions, which may as well stand among the files.
    #[arg(long, value_name = "FILE")]
    ground_truth: Option<PathBuf>,
    /// A file that does not exist yet [default: one in the folder of temporary files that nobody else may read].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write it, and do not open it in the browser.
    #[arg(long)]
    no_open: bool,
    /// The page in one file [default: froc.html beside the program, or in ../share/froc].
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Writes the page with the files, tells where it is, and opens it.
///
/// # Errors
/// One sentence for each thing that is wrong: a file that the page could not read, no ground truth, no page, no room.
pub fn view(arguments: &View) -> Result<(), Vec<String>> {
    let View { files, ground_truth, output, no_open, page } = arguments;
    let paths: Vec<&Path> = ground_truth.iter().chain(files).map(PathBuf::as_path).collect();
    let files = checked(&paths)?;
    let written = page_bytes(page.as_deref())
        .and_then(|(place, page)| write(&place, &page, &files, output.as_deref()))
        .map_err(|sentence| vec![sentence])?;
    let address = written.canonicalize().unwrap_or_else(|_| written.clone());
    super::print(format!("{}\n", written.display()).as_bytes())?;
    if !no_open && let Err(error) = open::that_detached(&address) {
        say(&format!("{}: no browser could be started ({error}); open this file in one.", written.display()));
    }
    Ok(())
}

/// The files with their names, if the page can read each and has something to score.
fn checked<'a>(paths: &[&'a Path]) -> Result<Vec<(String, &'a Path)>, Vec<String>> {
    let mut session = Session::default();
    let (mut files, mut wrong, mut is_scored) = (Vec::new(), Vec::new(), false);
    for (at, path) in paths.iter().enumerate() {
        if let Some(name) = name_of_session(path) {
            let bytes = fs::read(path).map_err(|error| vec![unreadable(path, &error)])?;
            wrong.extend(SessionFile::read(&name, &bytes).err().map(|error| error.to_string()));
            files.push((name, *path));
            continue;
        }
        match session.add_path(&at.to_string(), path) {
            Ok(summary) => {
                is_scored |= matches!(summary.kind, FileKind::GroundTruth | FileKind::Report);
                files.push((summary.name, *path));
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() && !is_scored {
        wrong.push(
            "--ground-truth: there is none; expected a file such as test.json, or a report, among the files."
                .to_owned(),
        );
    }
    if wrong.is_empty() { Ok(files) } else { Err(wrong) }
}

/// The name of a file that is a session, as the page tells it.
fn name_of_session(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    (path.is_file() && name.to_lowercase().ends_with(".froc.json")).then(|| name.into_owned())
}

/// The page in one file and its name.
fn page_bytes(chosen: Option<&Path>) -> Result<(String, Vec<u8>), String> {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new(""));
    let usual = [folder.join(PAGE), folder.join("../share/froc").join(PAGE)];
    let found = chosen.or_else(|| usual.iter().map(PathBuf::as_path).find(|path| path.is_file()));
    let Some(path) = found else {
        return Err(format!(
            "{PAGE}: it is not beside the program, in {}; expected the page in one file there, or --page FILE; it is a part of \
             each release ({}).",
            folder.display(),
            env!("CARGO_PKG_REPOSITORY")
        ));
    };
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok((path.display().to_string(), bytes))
}

/// Writes the page; what is begun and not ended is removed again. Tells where it is.
fn write(place: &str, page: &[u8], files: &[(String, &Path)], output: Option<&Path>) -> Result<PathBuf, String> {
    let mut readers: Vec<(String, Box<dyn Read>)> = Vec::new();
    for (name, path) in files {
        if path.is_dir() {
            let packed = packed(path).map_err(|error| unreadable(path, &error))?;
            readers.push((format!("{name}.zip"), Box::new(packed)));
        } else {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            readers.push((name.clone(), Box::new(file)));
        }
    }
    let (file, path) = match output {
        Some(path) => (super::new_file(path)?, path.to_owned()),
        None => tempfile::Builder::new()
            .prefix("froc-")
            .suffix(".html")
            .tempfile()
            .and_then(|file| file.keep().map_err(|error| error.error))
            .map_err(|error| {
                let folder = env::temp_dir();
                format!("{}: no file can be made there ({error}); expected --output FILE.", folder.display())
            })?,
    };
    let files = readers.iter_mut().map(|(name, file)| (name.as_str(), file));
    let written = froc::saved_page::write(place, page, files, BufWriter::new(file))
        .map_err(|error| error.to_string())
        .and_then(|written| {
            let sentence =
                |error| format!("{}: it cannot be written to the end ({error}); expected room for it.", path.display());
            written.map_err(sentence)
        });
    if written.is_err() {
        // What stays behind is no whole page, and there is no more to be done about it.
        let _ = fs::remove_file(&path);
    }
    written.map(|()| path)
}

/// The files of a folder as a zip, by their paths.
fn packed(folder: &Path) -> io::Result<Cursor<Vec<u8>>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_dir() {
            continue;
        }
        let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        zip.start_file(parts.join("/"), SimpleFileOptions::default().large_file(true))?;
        io::copy(&mut File::open(entry.path())?, &mut zip)?;
    }
    let mut packed = zip.finish()?;
    packed.rewind()?;
    Ok(packed)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{}: it cannot be read ({error}); expected a file or folder that can be read.", path.display())
}
