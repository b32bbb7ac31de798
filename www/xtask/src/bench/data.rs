//! The data of the benchmarks: made up like the sample, but with full-precision numbers and in three sizes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use zip::{CompressionMethod, ZipWriter};

use crate::sample::{Chance, DETECTORS, Detected, Detector, Image, plain};
use crate::shell::target;

/// Of the folder that holds the data; another one when they are made otherwise, so that old data are not taken for new.
const VERSION: u32 = 1;

/// Into how many parts the way from one image to the next is divided, where detections are dealt out.
const SHARES: usize = 1000;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Size {
    /// 542 images, as in ChestX-Det10, and 12,000 detections.
    #[value(name = "S")]
    S,
    /// 542 images and 55,000 detections.
    #[value(name = "M")]
    M,
    /// 100,000 images and 2 million detections.
    #[value(name = "L")]
    L,
}

impl Size {
    /// As it is called in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::M => "M",
            Self::L => "L",
        }
    }

    pub const fn images(self) -> usize {
        match self {
            Self::S | Self::M => 542,
            Self::L => 100_000,
        }
    }

    pub const fn detections(self) -> usize {
        match self {
            Self::S => 12_000,
            Self::M => 55_000,
            Self::L => 2_000_000,
        }
    }
}

/// A ground truth and a run on disk.
pub struct Data {
    pub folder: PathBuf,
    pub ground_truth: PathBuf,
    pub zip: PathBuf,
}

/// The folder for data and for what peers need, under the target directory.
pub fn folder() -> Result<PathBuf> {
    Ok(target()?.join("bench"))
}

/// The data of a size, made unless they are there.
pub fn make(size: Size) -> Result<Data> {
    made(&format!("{}-v{VERSION}", size.name()), |files| write(size, files, None).map(drop))
}

/// The data of L, the files of the zip stored and filled up with blanks until the zip has 5 GB: every byte is read.
pub fn make_huge() -> Result<Data> {
    const BYTES: usize = 5_000_000_000;
    made(&format!("huge-v{VERSION}"), |files| write(Size::L, files, Some(BYTES / Size::L.images())).map(drop))
}

/// The data of a size and runs on its images, each by a detector with a chance of its own.
pub fn make_runs(size: Size, count: usize) -> Result<(Data, Vec<PathBuf>)> {
    let path = |data: &Data, at: usize| data.folder.join(format!("run-{at:02}.zip"));
    let data = made(&format!("{}-{count}-runs-v{VERSION}", size.name()), |files| {
        let images = write(size, files, None)?;
        (0..count).try_for_each(|at| {
            let mut chance = Chance::new(1000 + at as u64);
            write_run(&path(files, at), &images, size, &DETECTORS[at % DETECTORS.len()], &mut chance, None)
        })
    })?;
    let runs = (0..count).map(|at| path(&data, at)).collect();
    Ok((data, runs))
}

/// A table of the images to divide them by: `file_name,sex,age,view`.
pub fn table(data: &Data) -> Result<PathBuf> {
    let images: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&data.ground_truth)?)?;
    let mut text = "file_name,sex,age,view\n".to_owned();
    for (at, image) in images.iter().enumerate() {
        let name = image["file_name"].as_str().context("an image without a name")?;
        let _ = writeln!(text, "{name},{},{},{}", ["F", "M"][at % 2], 20 + at % 61, ["AP", "PA", "LL"][at % 3]);
    }
    let path = data.folder.join("images.csv");
    fs::write(&path, text)?;
    Ok(path)
}

fn made(name: &str, write: impl FnOnce(&Data) -> Result<()>) -> Result<Data> {
    let in_folder =
        |folder: PathBuf| Data { ground_truth: folder.join("test.json"), zip: folder.join("run.zip"), folder };
    let done = in_folder(folder()?.join(name));
    if !done.folder.is_dir() {
        println!("Making the data {name} ...");
        // Under another name until they are whole.
        let unfinished = in_folder(folder()?.join(format!("{name}.unfinished")));
        fs::create_dir_all(&unfinished.folder)?;
        write(&unfinished).with_context(|| format!("cannot make {}", unfinished.folder.display()))?;
        fs::rename(&unfinished.folder, &done.folder)?;
    }
    Ok(done)
}

/// Writes the ground truth and the zip; with `stored_bytes`, its files are not deflated and have that size at least.
fn write(size: Size, files: &Data, stored_bytes: Option<usize>) -> Result<Vec<Image>> {
    let mut chance = Chance::new(size as u64);
    let images: Vec<Image> = (1..=size.images()).map(|number| chance.image(number)).collect();
    fs::write(&files.ground_truth, serde_json::to_vec(&images)?)?;
    write_run(&files.zip, &images, size, &DETECTORS[0], &mut chance, stored_bytes)?;
    Ok(images)
}

/// Writes a detector's zip on the images.
fn write_run(
    path: &Path,
    images: &[Image],
    size: Size,
    detector: &Detector,
    chance: &mut Chance,
    stored_bytes: Option<usize>,
) -> Result<()> {
    let method = if stored_bytes.is_some() { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
    let mut text = String::new();
    let mut written = 0;
    for (at, image) in images.iter().enumerate() {
        // Images differ: from none to twice the mean, and exactly `detections` in the end.
        let is_last = at + 1 == images.len();
        let share = if is_last { SHARES } else { chance.below(SHARES) };
        let until = (at * SHARES + share) * size.detections() / (images.len() * SHARES);
        let mut shown = chance.detections(detector, image);
        shown.truncate(until - written);
        while shown.len() < until - written {
            shown.push(chance.clutter());
        }
        written = until;
        shown.sort_by(|a, b| b.score.total_cmp(&a.score));
        text.clear();
        as_python_writes(&mut text, &shown);
        text.extend(std::iter::repeat_n(' ', stored_bytes.unwrap_or(0).saturating_sub(text.len())));
        zip.start_file(image.file_name.replace(".png", ".json"), plain().compression_method(method))?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?.flush()?;
    Ok(())
}

/// The entries of a prediction file as `json.dump` lays them out: blanks after commas and colons, and every digit.
fn as_python_writes(text: &mut String, shown: &[Detected]) {
    text.push('[');
    for (at, Detected { class, corners: [x1, y1, x2, y2], score }) in shown.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{{\"{class}\": [{x1:?}, {y1:?}, {x2:?}, {y2:?}, {score:?}]}}");
    }
    text.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_have_the_size_they_say_and_full_precision() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Data {
            ground_truth: folder.path().join("test.json"),
            zip: folder.path().join("run.zip"),
            folder: folder.path().to_owned(),
        };
        write(Size::S, &files, None).expect("data");
        let images: Vec<serde_json::Value> =
            serde_json::from_slice(&fs::read(&files.ground_truth).expect("a ground truth")).expect("JSON");
        assert_eq!(images.len(), Size::S.images());
        let mut zip = zip::ZipArchive::new(File::open(&files.zip).expect("a zip")).expect("a zip");
        assert_eq!(zip.len(), Size::S.images());
        let detections = |at: usize| {
            let entries: Vec<serde_json::Value> =
                serde_json::from_reader(zip.by_index(at).expect("an entry")).expect("JSON");
            entries.len()
        };
        assert_eq!((0..Size::S.images()).map(detections).sum::<usize>(), Size::S.detections());
    }

    #[test]
    fn numbers_look_as_in_python() {
        let mut text = String::new();
        let one = Detected { class: "Mass", corners: [0.0, 1.5, 1023.0, 9.333_333_333_333_334], score: 0.1 };
        as_python_writes(&mut text, &[one]);
        assert_eq!(text, r#"[{"Mass": [0.0, 1.5, 1023.0, 9.333333333333334, 0.1]}]"#);
    }
}
