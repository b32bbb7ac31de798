//! `froc`: the evaluator in the terminal.

mod guard;

use std::fs::File;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use froc::bootstrap::Uncertainty;
use froc::doctor::Refusal;
use froc::reading::{FileNames, Folders, Layout};
use froc::render::Format;
use froc::render::errors::{self, ErrorsFormat};
use froc::report::statistics::Wanted;
use froc::score::average_precision::DEFAULT_MAX_DETECTIONS;
use froc::{Error, GroundTruth, Groups, Options, Predictions, Prepared, Reading, Report, Resampling, Run};

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
    /// Every run against a baseline, on the same bootstrap draws: difference, interval, p, and what changed sides.
    Compare(Compare),
    /// Every detection and every missed lesion with its cause, at the exact operating points of a rate, which each row
    /// tells with the IoU threshold and the score threshold of its class.
    Errors(Errors),
}

/// What is read, and how.
#[derive(clap::Args)]
struct Input {
    /// The list of images and lesions (test.json).
    #[arg(long, value_name = "FILE")]
    ground_truth: PathBuf,
    /// A zip or a folder with one JSON file an image; give it again for more runs.
    #[arg(long, value_name = "ZIP", required = true)]
    predictions: Vec<PathBuf>,
    /// Least overlap with which a detection finds a lesion [default: 0.5].
    #[arg(long, value_name = "IOU")]
    iou: Option<String>,
    #[command(flatten)]
    reading: HowToRead,
}

/// What is scored, and how.
#[derive(clap::Args)]
struct Scoring {
    #[command(flatten)]
    input: Input,
    /// False positives per image at which recall is read [default: 0.05,0.1,0.2].
    #[arg(long, value_name = "RATES")]
    fp: Option<String>,
    /// What the bootstrap's draws follow from.
    #[arg(long, default_value_t = Resampling::default().seed())]
    seed: u64,
    /// The share of replicates within an interval.
    #[arg(long, default_value_t = Resampling::default().level())]
    level: f64,
    /// Which images are drawn together: a CSV file `file_name,group`, or `nih` for patients by names such
    /// as `00000013_005.png` [default: each image by itself].
    #[arg(long, value_name = "FILE|nih")]
    groups: Option<PathBuf>,
    /// The rate up to which areas under curves are taken, in false positives per image.
    #[arg(long, value_name = "RATE", default_value_t = froc::options::DEFAULT_AREA_UP_TO)]
    area_up_to: f64,
    /// As many detections of a class in one image count in average precision, those with the highest scores:
    /// pycocotools calls it maxDets.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX_DETECTIONS, value_parser = clap::value_parser!(u32).range(1..))]
    max_detections: u32,
    /// What to print.
    #[arg(long, value_parser = format(), default_value = Format::Text.name())]
    format: Format,
}

/// For files that are not as the official script expects; the report says what was done.
#[derive(clap::Args)]
#[command(next_help_heading = "Read the predictions otherwise than the official script")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct HowToRead {
    /// What the first four numbers of a box are.
    #[arg(long, value_enum, default_value_t = Boxes::Corners)]
    boxes: Boxes,
    /// The score stands before the four numbers, not after them.
    #[arg(long)]
    score_first: bool,
    /// Multiply every coordinate by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
    /// Read a class name as that of a class, as in NODULE=Nodule; give it again for more.
    #[arg(long, value_name = "NAME=CLASS", value_parser = class_name)]
    class: Vec<(String, String)>,
    /// Match file names without regard to case, endings, leading zeros, blanks, and what all have in common.
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
    /// Centre x, centre y, width, height.
    Cxcywh,
    /// x1, x2, y1, y2.
    Xxyy,
}

fn class_name(text: &str) -> Result<(String, String), String> {
    let (name, class) = text.rsplit_once('=').ok_or("write it as NAME=CLASS, such as NODULE=Nodule")?;
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
                Boxes::Cxcywh => Layout::Cxcywh,
                Boxes::Xxyy => Layout::Xxyy,
            },
            score_first: self.score_first,
            scale: self.scale,
            class_names: self.class.iter().cloned().collect(),
            file_names: if self.loose_names { FileNames::Loose } else { FileNames::Exact },
            leave_out_unreadable: self.leave_out_unreadable,
            accept_text_numbers: self.accept_text_numbers,
            folders: if self.folders_apart { Folders::Apart } else { Folders::Together },
        }
    }
}

#[derive(clap::Args)]
struct Score {
    #[command(flatten)]
    scoring: Scoring,
    /// Add intervals from this many resamples of the images, such as 2000; implies --statistics.
    #[arg(long, value_name = "REPLICATES")]
    bootstrap: Option<u32>,
    /// Add average precision, image-level ROC, curves, recall by size and under other conventions.
    #[arg(long)]
    statistics: bool,
    /// End with exit code 1 if a run is below: `average=0.6` or `exact_average=0.6`, as a fraction.
    #[arg(long, value_name = "METRIC=FRACTION")]
    fail_under: Vec<FailUnder>,
}

#[derive(clap::Args)]
struct Compare {
    #[command(flatten)]
    scoring: Scoring,
    /// Which of the predictions the others are compared with, from 1.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    baseline: usize,
    /// Resamples of the images.
    #[arg(long, value_name = "REPLICATES", default_value_t = Resampling::default().replicates())]
    bootstrap: u32,
}

#[derive(clap::Args)]
struct Errors {
    #[command(flatten)]
    input: Input,
    /// The rate, in false positives per image, of the operating points [default: 0.2].
    #[arg(long, value_name = "RATE")]
    fp: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = ListFormat::Csv)]
    format: ListFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A line of column names, and a line for each row; names that a spreadsheet would run as a formula begin with an
    /// apostrophe.
    Csv,
    /// A list of objects.
    Json,
}

/// The formats of the library, by name.
fn format() -> impl TypedValueParser<Value = Format> {
    let facts = Format::ALL.map(Format::facts);
    let values = facts.map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values).try_map(|name| Format::named(&name))
}

/// A bound that every run must reach.
#[derive(Clone)]
struct FailUnder {
    is_exact: bool,
    least: f64,
}

impl std::str::FromStr for FailUnder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected average=0.6 or exact_average=0.6, a fraction from 0 to 1".to_owned();
        let (metric, least) = text.split_once('=').ok_or_else(expected)?;
        let is_exact = match metric {
            "average" => false,
            "exact_average" => true,
            _ => return Err(expected()),
        };
        let least = least.parse().ok().filter(|least| (0.0..=1.0).contains(least)).ok_or_else(expected)?;
        Ok(Self { is_exact, least })
    }
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    guard::run(|| work(command))
}

/// Does what is asked; 0, 1 below a bound, or 2 with a sentence for each thing that is wrong.
fn work(command: Command) -> ExitCode {
    let (scoring, extra, bounds) = match command {
        Command::Score(score) => {
            let is_wanted = score.statistics || score.bootstrap.is_some();
            (
                score.scoring,
                is_wanted.then_some(Extra { replicates: score.bootstrap, baseline: None }),
                score.fail_under,
            )
        }
        Command::Compare(compare) => {
            let extra = Extra { replicates: Some(compare.bootstrap), baseline: Some(compare.baseline) };
            (compare.scoring, Some(extra), Vec::new())
        }
        Command::Errors(errors) => {
            return match list(&errors) {
                Ok(()) => ExitCode::SUCCESS,
                Err(sentences) => {
                    for sentence in &sentences {
                        guard::say(sentence);
                    }
                    ExitCode::from(2)
                }
            };
        }
    };
    let printed = report(&scoring, extra.as_ref()).and_then(|report| {
        let bytes = scoring.format.bytes(&report).map_err(|error| vec![error.to_string()])?;
        let mut out = std::io::stdout().lock();
        to_the_end(out.write_all(&bytes).and_then(|()| out.flush())).map(|()| report)
    });
    let (sentences, code) = match printed {
        Ok(report) => (below(&report, &bounds), 1),
        Err(sentences) => (sentences, 2),
    };
    for sentence in &sentences {
        guard::say(sentence);
    }
    if sentences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(code) }
}

/// What became of writing to standard output.
fn to_the_end(written: std::io::Result<()>) -> Result<(), Vec<String>> {
    written.or_else(|error| match error.kind() {
        // `froc score .. | head` is no mistake.
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(vec![format!("standard output: {error}")]),
    })
}

/// Prints every detection and every missed lesion.
fn list(arguments: &Errors) -> Result<(), Vec<String>> {
    let input = &arguments.input;
    let options = options(input, arguments.fp.as_deref()).map_err(|error| vec![error.to_string()])?;
    let fp_per_image = match (options.fp_per_image(), &arguments.fp) {
        ([.., last], None) | ([last], Some(_)) => *last,
        (_, text) => {
            let there = text.as_deref().unwrap_or_default();
            return Err(vec![format!("--fp: there is {there}; expected one rate, such as 0.2.")]);
        }
    };
    let ground_truth = ground_truth(&input.ground_truth)?;
    let runs = runs(input, &ground_truth)?;
    let runs: Vec<&Prepared> = runs.iter().collect();
    let format = match arguments.format {
        ListFormat::Csv => ErrorsFormat::Csv,
        ListFormat::Json => ErrorsFormat::Json,
    };
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    to_the_end(errors::write(&ground_truth, &runs, &options, fp_per_image, format, out))
}

/// What is wanted beside the score.
struct Extra {
    replicates: Option<u32>,
    /// From 1.
    baseline: Option<usize>,
}

/// One sentence for each run and bound that it does not reach.
fn below(report: &Report, bounds: &[FailUnder]) -> Vec<String> {
    let mut sentences = Vec::new();
    for (run, bound) in report.runs.iter().flat_map(|run| bounds.iter().map(move |bound| (run, bound))) {
        let official = &run.official;
        let (what, average) = match (bound.is_exact, official.is_official) {
            (true, _) => ("the exact average".to_owned(), run.exact.average_recall),
            (false, true) => ("the official average".to_owned(), official.average_recall),
            (false, false) => (format!("the average by {}", official.name), official.average_recall),
        };
        let least = bound.least;
        if average.is_none_or(|average| average < least) {
            let there = average.map_or_else(|| "undefined".to_owned(), |average| format!("{average:.4}"));
            sentences.push(format!("{}: {what} is {there}; expected at least {least}.", run.name));
        }
    }
    sentences
}

/// The report, or one sentence for each thing that is wrong.
fn report(arguments: &Scoring, extra: Option<&Extra>) -> Result<Report, Vec<String>> {
    let one = |error: Error| vec![error.to_string()];
    let options = options(&arguments.input, arguments.fp.as_deref()).map_err(one)?;
    let ground_truth = ground_truth(&arguments.input.ground_truth)?;
    let runs = runs(&arguments.input, &ground_truth)?;
    let runs: Vec<(&Run, &Predictions)> =
        runs.iter().map(|prepared| (&prepared.run, prepared.predictions.as_ref())).collect();
    let alone: Vec<&Run> = runs.iter().map(|(run, _)| *run).collect();
    let Some(extra) = extra else { return Ok(froc::evaluate(&ground_truth, &alone, &options)) };
    if let Some(number) = extra.baseline.filter(|number| !(1..=runs.len()).contains(number) || runs.len() < 2) {
        return Err(vec![format!(
            "Baseline: there is {number} of {} predictions; expected at least two, and the number of one of them, from 1.",
            runs.len()
        )]);
    }
    let uncertainty = match extra.replicates {
        None => None,
        Some(replicates) => {
            let resampling = Resampling::new(replicates, arguments.seed, arguments.level).map_err(one)?;
            let groups = groups(arguments, &ground_truth)?;
            let mut uncertainty = Uncertainty::new(&ground_truth, &alone, &options, resampling, groups).map_err(one)?;
            while !uncertainty.step(u32::MAX) {}
            Some(uncertainty)
        }
    };
    let wanted = Wanted {
        area_up_to: froc::options::area_up_to(arguments.area_up_to).map_err(one)?,
        max_detections: arguments.max_detections,
        uncertainty: uncertainty.as_ref(),
        baseline: extra.baseline.map(|number| number - 1),
    };
    Ok(froc::evaluate_with_statistics(&ground_truth, &runs, &options, wanted))
}

fn runs(arguments: &Input, ground_truth: &GroundTruth) -> Result<Vec<Prepared>, Vec<String>> {
    let reading = arguments.reading.reading();
    let mut runs = Vec::new();
    let mut sentences = Vec::new();
    for path in &arguments.predictions {
        let prepared = predictions(path).map_err(|sentence| vec![sentence]).and_then(|predictions| {
            froc::prepare(ground_truth, &Arc::new(predictions), &reading).map_err(|refusal| sentences_of(&refusal))
        });
        match prepared {
            Ok(prepared) => runs.extend(prepared),
            Err(more) => sentences.extend(more),
        }
    }
    if sentences.is_empty() { Ok(runs) } else { Err(sentences) }
}

/// What is wrong, and the flags that would help.
fn sentences_of(refusal: &Refusal) -> Vec<String> {
    let remedies = refusal.remedies.iter().map(|remedy| format!("{}: {}", remedy.label, remedy.reading.flags()));
    refusal.errors.iter().map(Error::to_string).chain(remedies).collect()
}

fn groups(arguments: &Scoring, ground_truth: &GroundTruth) -> Result<Groups, Vec<String>> {
    let one = |error: Error| vec![error.to_string()];
    let Some(path) = &arguments.groups else { return Ok(Groups::images(ground_truth)) };
    if path.as_os_str() == "nih" {
        return Groups::nih_names(ground_truth).map_err(one);
    }
    let file = File::open(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let name = base_name(path);
    let bytes = froc::input::load_groups(&name, file).map_err(one)?;
    Groups::csv(&name, &bytes, ground_truth).map_err(one)
}

fn options(arguments: &Input, fp: Option<&str>) -> Result<Options, Error> {
    let defaults = Options::default();
    let rates: Vec<String> = defaults.fp_per_image().iter().map(f64::to_string).collect();
    Options::parse(
        arguments.iou.as_deref().unwrap_or(&defaults.iou_threshold().to_string()),
        fp.unwrap_or(&rates.join(",")),
    )
}

fn ground_truth(path: &Path) -> Result<GroundTruth, Vec<String>> {
    let file = File::open(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
    let name = base_name(path);
    let bytes = froc::input::load_ground_truth(&name, file).map_err(|error| vec![error.to_string()])?;
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
    if path.is_dir() {
        return froc::read_predictions_folder(&name, path, &mut |_| ControlFlow::Continue(())).map_err(sentence);
    }
    let cannot = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(path).map_err(cannot)?;
    let mut head = Vec::new();
    (&mut file).take(froc::input::HEAD_BYTES as u64).read_to_end(&mut head).map_err(cannot)?;
    match froc::input::identify(&name, &head).map_err(sentence)? {
        froc::input::Kind::Predictions => {
            froc::read_predictions_file(&name, &file, &|_| ControlFlow::Continue(())).map_err(sentence)
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
