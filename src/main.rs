//! `froc`: the evaluator in the terminal.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use froc::{Error, GroundTruth, Options, Predictions, Run};

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
    let mut runs = Vec::new();
    let mut sentences = Vec::new();
    for path in &arguments.predictions {
        let run = predictions(path).map_err(|sentence| vec![sentence]).and_then(|predictions| {
            Run::new(&ground_truth, &predictions)
                .map_err(|errors| errors.iter().map(Error::to_string).collect::<Vec<_>>())
        });
        match run {
            Ok(run) => runs.push(run),
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
