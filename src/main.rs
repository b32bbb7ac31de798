//! `froc`: the evaluator in the terminal.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use froc::doctor::Refusal;
use froc::reading::{FileNames, Folders, Layout};
use froc::{Error, GroundTruth, Options, Predictions, Reading, Run};

/// Scores lesion detectors on ChestX-Det10.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recall at given false positives per image, as the official script computes it and exactly.
    Score(Score),
}

#[derive(clap::Args)]
struct Score {
    /// The list of images and lesions (test.json).
    #[arg(long, value_name = "FILE")]
    ground_truth: PathBuf,
    /// A zip or a folder with one JSON file an image; give it again for more runs.
    #[arg(long, value_name = "ZIP", required = true)]
    predictions: Vec<PathBuf>,
    /// Least overlap with which a detection finds a lesion [default: 0.5].
    #[arg(long, value_name = "IOU")]
    iou: Option<String>,
    /// False positives per image at which recall is read [default: 0.05,0.1,0.2].
    #[arg(long, value_name = "RATES")]
    fp: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    reading: HowToRead,
}

/// For files that are not as the official script expects; the report says what was done.
#[derive(clap::Args)]
#[command(next_help_heading = "Read the predictions otherwise than the official script")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct HowToRead {
    /// What the first four numbers of a box are.
    #[arg(long, value_enum, default_value_t = Boxes::Corners)]
    boxes: Boxes,
    /// Multiply every coordinate by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
    /// Read a class name as that of a class, as in NODULE=Nodule; give it again for more.
    #[arg(long, value_name = "NAME=CLASS", value_parser = class_name)]
    class: Vec<(String, String)>,
    /// Match file names without regard to case, endings and leading zeros.
    #[arg(long)]
    loose_names: bool,
    /// Leave out files that cannot be read; their images count as having no detections.
    #[arg(long)]
    leave_out_unreadable: bool,
    /// Read numbers that are written as text.
    #[arg(long)]
    accept_text_numbers: bool,
    /// Score each folder of an archive as a run.
    #[arg(long)]
    folders_apart: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Boxes {
    /// x1, y1, x2, y2.
    Corners,
    /// x, y, width, height.
    Xywh,
    /// Two opposite corners in any order.
    AnyCorners,
    /// y1, x1, y2, x2.
    Yxyx,
}

fn class_name(text: &str) -> Result<(String, String), String> {
    let (name, class) = text.rsplit_once('=').ok_or("write it as NAME=CLASS, such as NODULE=Nodule")?;
    if froc::dataset::Class::named(class).is_none() {
        return Err(format!("{class} is no class; there are {}", froc::dataset::CLASSES.join(", ")));
    }
    Ok((name.to_owned(), class.to_owned()))
}

impl HowToRead {
    fn reading(&self) -> Reading {
        Reading {
            boxes: match self.boxes {
                Boxes::Corners => Layout::Corners,
                Boxes::Xywh => Layout::Xywh,
                Boxes::AnyCorners => Layout::AnyCorners,
                Boxes::Yxyx => Layout::Yxyx,
            },
            scale: self.scale,
            class_names: self.class.iter().cloned().collect(),
            file_names: if self.loose_names { FileNames::Loose } else { FileNames::Exact },
            leave_out_unreadable: self.leave_out_unreadable,
            accept_text_numbers: self.accept_text_numbers,
            folders: if self.folders_apart { Folders::Apart } else { Folders::Together },
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table for people; its last lines are those of the official script.
    Text,
    /// The report.
    Json,
}

fn main() -> ExitCode {
    let Command::Score(arguments) = Cli::parse().command;
    let printed = score(&arguments).and_then(|bytes| {
        let written = std::io::stdout().lock().write_all(&bytes);
        written.or_else(|error| match error.kind() {
            // `froc score .. | head` is no mistake.
            std::io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(vec![format!("standard output: {error}")]),
        })
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentences) => {
            for sentence in sentences {
                eprintln!("{sentence}");
            }
            ExitCode::from(2)
        }
    }
}

/// The report as bytes, or one sentence for each thing that is wrong.
fn score(arguments: &Score) -> Result<Vec<u8>, Vec<String>> {
    let one = |error: Error| vec![error.to_string()];
    let options = options(arguments).map_err(one)?;
    let ground_truth = ground_truth(&arguments.ground_truth)?;
    let reading = arguments.reading.reading();
    let mut runs: Vec<Run> = Vec::new();
    let mut sentences = Vec::new();
    for path in &arguments.predictions {
        let prepared = predictions(path).map_err(|sentence| vec![sentence]).and_then(|predictions| {
            froc::prepare(&ground_truth, &Arc::new(predictions), &reading).map_err(|refusal| sentences_of(&refusal))
        });
        match prepared {
            Ok(prepared) => runs.extend(prepared.into_iter().map(|prepared| prepared.run)),
            Err(more) => sentences.extend(more),
        }
    }
    if !sentences.is_empty() {
        return Err(sentences);
    }
    let report = froc::evaluate(&ground_truth, &runs.iter().collect::<Vec<_>>(), &options);
    match arguments.format {
        Format::Text => Ok(froc::render::table(&report).into_bytes()),
        Format::Json => froc::render::json(&report).map_err(one),
    }
}

/// What is wrong, and the flags that would help.
fn sentences_of(refusal: &Refusal) -> Vec<String> {
    let remedies = refusal.remedies.iter().map(|remedy| format!("{}: {}", remedy.label, remedy.reading.flags()));
    refusal.errors.iter().map(Error::to_string).chain(remedies).collect()
}

fn options(arguments: &Score) -> Result<Options, Error> {
    let defaults = Options::default();
    let rates: Vec<String> = defaults.fp_per_image().iter().map(f64::to_string).collect();
    Options::parse(
        arguments.iou.as_deref().unwrap_or(&defaults.iou_threshold().to_string()),
        arguments.fp.as_deref().unwrap_or(&rates.join(",")),
    )
}

fn ground_truth(path: &Path) -> Result<GroundTruth, Vec<String>> {
    let bytes = std::fs::read(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let name = base_name(path);
    let read = match froc::input::identify(&name, &bytes) {
        Ok(froc::input::Kind::GroundTruth) => froc::read_ground_truth(&name, &bytes).map_err(|error| error.to_string()),
        Ok(froc::input::Kind::Predictions) => {
            Err(format!("{name}: it is a zip; expected the ground truth, such as test.json, after --ground-truth."))
        }
        Err(error) => Err(error.to_string()),
    };
    read.map_err(|sentence| vec![sentence])
}

fn predictions(path: &Path) -> Result<Predictions, String> {
    let name = base_name(path);
    let sentence = |error: Error| error.to_string();
    let mut go_on = |_| ControlFlow::Continue(());
    if path.is_dir() {
        return froc::read_predictions_folder(&name, path, &mut go_on).map_err(sentence);
    }
    let cannot = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(cannot)?;
    let mut head = Vec::new();
    (&mut file).take(froc::input::HEAD_BYTES as u64).read_to_end(&mut head).map_err(cannot)?;
    match froc::input::identify(&name, &head).map_err(sentence)? {
        froc::input::Kind::Predictions => {
            froc::read_predictions(&name, BufReader::new(file), &mut go_on).map_err(sentence)
        }
        froc::input::Kind::GroundTruth => Err(format!(
            "{name}: it is JSON, not a zip; expected a zip or folder of prediction files after --predictions."
        )),
    }
}

/// The last part of a path, which is how reports name a file.
fn base_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().or(whole.file_name());
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
