//! `froc`: the evaluator in the terminal.

#[path = "main/convert.rs"]
mod convert;
#[path = "main/gates.rs"]
mod gates;
mod guard;
#[path = "main/kept.rs"]
mod kept;
mod manual;
#[path = "main/rank.rs"]
mod rank;
#[path = "main/restore.rs"]
mod restore;
#[path = "main/rjafroc.rs"]
mod rjafroc;
#[path = "main/slices.rs"]
mod slices;
#[path = "main/suspects.rs"]
mod suspects;
#[path = "main/thresholds.rs"]
mod thresholds;
#[path = "main/view.rs"]
mod view;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use froc::fusion::DEFAULT_IOU;
use froc::geometry::Measure;
use froc::options::Hit;
use froc::protocol::Protocol;
use froc::reading::{FileNames, Folders, Layout, Scale};
use froc::render::Format;
use froc::render::errors::ErrorsFormat;
use froc::session::{
    FileFailure, FileKind, FileSummary, GroupSource, ResamplingOptions, Session, SessionFile, StatisticsOptions,
};
use froc::{Error, Options, Reading, Resampling};
use gates::{Gates, Margin};
use thresholds::ThresholdFiles;

/// Scores lesion detectors on ChestX-Det10.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recall at given false positives per image, as the official script computes it and exactly; or a report that was written by
    /// --format json, in any format.
    #[command(override_usage = format!("{}\n{INDENT}froc score [OPTIONS] <REPORT>...", usage("score")))]
    Score(Score),
    /// Every run against a baseline, on the same bootstrap draws: difference, interval, p, and what changed sides.
    #[command(override_usage = usage("compare"))]
    Compare(Compare),
    /// Many runs in the order of their exact score: how sure each rank is, and which runs are not told apart.
    Rank(rank::Rank),
    /// Every detection and every missed lesion with its cause, at the exact operating points of a rate, which each row
    /// tells with the IoU threshold and the score threshold of its class.
    #[command(override_usage = usage("errors"))]
    Errors(Errors),
    /// Is the ground truth right? What several runs agree on against it: lesions that may be missing, of another class, or whose boxes
    /// may be off, to be marked right or wrong, and the score under a corrected ground truth beside that under the original.
    Suspects(suspects::Suspects),
    /// A run, as it is read, as files in another format.
    #[command(override_usage = usage("convert --to <FORMAT>"))]
    Convert(convert::Convert),
    /// A workbook for RJafroc, the R package for observer studies with several readers: one class, each run a modality of one
    /// reader. Its AFROC and wAFROC are those of `froc score --statistics`.
    #[command(override_usage = usage("rjafroc --output <XLSX>"))]
    Rjafroc(rjafroc::Rjafroc),
    /// The page with files inside it, in the browser, without a network: `froc view model.zip --ground-truth test.json`.
    View(view::View),
    /// The JSON Schema of the reports that `--format json` prints.
    Schema,
    /// Manual pages and completions for bash, elvish, fish, PowerShell and zsh, into a folder.
    Manual {
        /// Made if it does not exist.
        folder: PathBuf,
    },
}

/// As wide as `Usage: `, behind which the first line stands.
const INDENT: &str = "       ";

/// The two ways to name files.
fn usage(command: &str) -> String {
    format!(
        "froc {command} [OPTIONS] --ground-truth <FILE> --predictions <ZIP>\n{INDENT}froc {command} [OPTIONS] --session <SESSION> <FILES>..."
    )
}

/// What is scored.
#[derive(clap::Args)]
struct Input {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    hits: Hits,
}

/// Which lesions there are, and when a detection finds one.
#[derive(clap::Args)]
struct Hits {
    /// Least IoU with which a detection finds a lesion [default: 0.5].
    #[arg(long, value_name = "IOU")]
    iou: Option<String>,
    /// When a detection finds a lesion, if not by IoU: iobb:0.5 or ior:0.5 (intersection over the area of the detection, or of
    /// the lesion), centre (that of the detection lies in the lesion's box), distance:10 (the centres are that near, in pixels).
    #[arg(long, value_name = "CRITERION", conflicts_with = "iou")]
    hit: Option<String>,
    /// A class that is not scored, and whose lesions count neither as found nor against a detection of any class; give it
    /// again for more.
    #[arg(long, value_name = "CLASS")]
    ignore: Vec<String>,
}

/// What is read, and how.
#[derive(clap::Args)]
struct Files {
    /// The list of images and lesions (test.json).
    #[arg(long, value_name = "FILE", required_unless_present_any = ["session", "of_session"])]
    ground_truth: Option<PathBuf>,
    #[command(flatten)]
    evaluated: EvaluatedAs,
    /// A zip or a folder with one JSON file an image, or one JSON file for all images; give it again for more runs.
    #[arg(long, value_name = "ZIP", required_unless_present_any = ["session", "of_session"])]
    predictions: Vec<PathBuf>,
    /// A session that was saved by --save-session or on the page: FILES are read, named and scored as they were then, unless
    /// other options are given. What is no more the same file is said.
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["ground_truth", "predictions", "EvaluatedAs", "HowToRead"])]
    session: Option<PathBuf>,
    /// The files of the session in any order: ground truth, predictions, tables of groups and slices; after `froc score` without
    /// --session, reports.
    #[arg(value_name = "FILES")]
    of_session: Vec<PathBuf>,
    #[command(flatten)]
    reading: HowToRead,
}

/// How the ground truth is understood, if not as it tells.
#[derive(clap::Args)]
struct EvaluatedAs {
    /// Whose evaluation it is, if not what the ground truth tells.
    #[arg(long, value_name = "NAME", value_parser = protocol())]
    protocol: Option<String>,
    /// Whose boxes are lesions, in a CSV that names their readers: agreed (at least two of an image agree, by an IoU of 0.5), all, or the
    /// name of one, such as R8 [default: agreed where most images have two readers, else all].
    #[arg(long, value_name = "READERS")]
    readers: Option<String>,
}

/// A what-if.
#[derive(clap::Args)]
struct Fusing {
    /// Add what the runs would score as one: their boxes combined by weighted boxes fusion, those of an IoU above this [default:
    /// 0.55], all runs of equal weight. It takes the scores of all runs as of one scale.
    #[arg(long, value_name = "IOU", allow_negative_numbers = true)]
    #[expect(clippy::option_option, reason = "clap's flag with a value that may be left out")]
    fuse: Option<Option<f64>>,
}

impl Fusing {
    /// Adds what is asked for; gives its id.
    fn work(&self, session: &mut Session) -> Result<Option<String>, Vec<String>> {
        let Some(iou) = self.fuse else { return Ok(None) };
        let id = session.fuse_all(iou.unwrap_or(DEFAULT_IOU)).map_err(one)?;
        let wrong: Vec<String> =
            session.join().into_iter().flat_map(|failure| failure.errors).map(|error| error.sentence).collect();
        if wrong.is_empty() { Ok(Some(id)) } else { Err(wrong) }
    }
}

/// What is scored, and how.
#[derive(clap::Args)]
struct Scoring {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fusing: Fusing,
    /// False positives per image at which recall is read [default: 0.05,0.1,0.2].
    #[arg(long, value_name = "RATES")]
    fp: Option<String>,
    /// What the bootstrap's draws follow from [default: 1].
    #[arg(long)]
    seed: Option<u64>,
    /// The share of replicates within an interval [default: 0.95].
    #[arg(long)]
    level: Option<f64>,
    /// Which images are drawn together: a CSV file `file_name,group`, or `nih` for patients by names such
    /// as `00000013_005.png` [default: each image by itself].
    #[arg(long, value_name = "FILE|nih")]
    groups: Option<PathBuf>,
    /// A CSV with a column that names the image and further ones, such as sex or age, which --by divides the images by.
    #[arg(long, value_name = "FILE")]
    slices: Option<PathBuf>,
    /// Divide the images by columns of that table, each by itself, and add what is reached in each part: sex,view; numbers are
    /// cut at quartiles or at given bounds, age:40:65; sex*view crosses two. Without a table: lesion-free, number-of-lesions,
    /// lesion-size.
    #[arg(long, value_name = "COLUMNS")]
    by: Vec<String>,
    /// The rate up to which areas under curves are taken, in false positives per image [default: 1].
    #[arg(long, value_name = "RATE")]
    area_up_to: Option<f64>,
    /// As many detections of a class in one image count in average precision, those with the highest scores:
    /// pycocotools calls it maxDets [default: 100].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_detections: Option<u32>,
    /// How much more recall weighs than precision in F-scores, such as 2 for F2 [default: 1].
    #[arg(long, value_name = "BETA", allow_negative_numbers = true)]
    beta: Option<f64>,
    /// The least share of images without a lesion of a class that show no detection of it, at which the sensitivity of images is
    /// read [default: 0.9].
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    specificity: Option<f64>,
    /// Write what is chosen here, with names and SHA-256 of the files and nothing of what they hold, into a new file
    /// (such as mine.froc.json) that --session and the page read.
    #[arg(long, value_name = "SESSION")]
    save_session: Option<PathBuf>,
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
    /// Multiply every coordinate by this; x and y by different ones: 1.5,2.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = scale, allow_hyphen_values = true)]
    scale: Scale,
    /// Add this to every x and y, after they are multiplied, as in --offset 64,-32.
    #[arg(long, value_name = "X,Y", default_value = "0,0", value_parser = offset, allow_hyphen_values = true)]
    offset: [f64; 2],
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
    /// Non-maximum suppression: leave out boxes that overlap a box of their class with a higher score in their image by more than
    /// this IoU, such as 0.5.
    #[arg(long, value_name = "IOU", allow_negative_numbers = true)]
    nms: Option<f64>,
    /// Score predictions as one run that are parts of one: files whose names differ by a number alone, as a-001.zip and a-002.zip do,
    /// where no image is in two of them.
    #[arg(long)]
    join: bool,
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

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|number| number.trim().parse().ok()).collect()
}

fn scale(text: &str) -> Result<Scale, String> {
    match numbers(text).as_deref() {
        Some([same]) => Ok(Scale::Same(*same)),
        Some([x, y]) => Ok(Scale::Each([*x, *y])),
        _ => Err("write it as one number, or two with a comma between them, such as 1.5,2".to_owned()),
    }
}

fn offset(text: &str) -> Result<[f64; 2], String> {
    match numbers(text).as_deref() {
        Some([x, y]) => Ok([*x, *y]),
        _ => Err("write it as two numbers with a comma between them, such as 64,-32".to_owned()),
    }
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
            offset: self.offset,
            class_names: self.class.iter().cloned().collect(),
            file_names: if self.loose_names { FileNames::Loose } else { FileNames::Exact },
            leave_out_unreadable: self.leave_out_unreadable,
            accept_text_numbers: self.accept_text_numbers,
            folders: if self.folders_apart { Folders::Apart } else { Folders::Together },
            nms: self.nms,
            // Which files these are is not known yet.
            together_with: Vec::new(),
            fused: None,
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
    #[command(flatten)]
    thresholds: ThresholdFiles,
    #[command(flatten)]
    gates: Gates,
}

#[derive(clap::Args)]
struct Compare {
    #[command(flatten)]
    scoring: Scoring,
    /// Which of the predictions the others are compared with, from 1 [default: 1].
    #[arg(long, value_name = "NUMBER")]
    baseline: Option<usize>,
    /// Resamples of the images [default: 2000].
    #[arg(long, value_name = "REPLICATES")]
    bootstrap: Option<u32>,
    #[command(flatten)]
    gates: Gates,
    /// End with exit code 1 if a run may be worse than the baseline by more than this: if the lower end of the interval
    /// of the difference of the exact average is below minus this fraction. In place of the average another number, as in
    /// `exact_recall@0.1=0.01` or `Nodule:exact_average=0.02`; give it again for more.
    #[arg(long, value_name = "FRACTION")]
    fail_if_worse: Vec<Margin>,
}

#[derive(clap::Args)]
struct Errors {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fusing: Fusing,
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

/// The built-in protocols, by name.
fn protocol() -> PossibleValuesParser {
    let values = Protocol::BUILT_IN.map(|facts| PossibleValue::new(facts.name).help(facts.about));
    PossibleValuesParser::new(values)
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    guard::run(|| work(command))
}

/// Does what is asked; 0, 1 below a bound, or 2 with a sentence for each thing that is wrong.
fn work(command: Command) -> ExitCode {
    let (scoring, extra, thresholds, gates, margins) = match command {
        Command::Score(score) => {
            let is_wanted = score.statistics || score.bootstrap.is_some();
            (
                score.scoring,
                is_wanted.then_some(Extra { replicates: score.bootstrap, baseline: None, is_comparison: false }),
                score.thresholds,
                score.gates,
                Vec::new(),
            )
        }
        Command::Compare(compare) => {
            let extra = Extra { replicates: compare.bootstrap, baseline: compare.baseline, is_comparison: true };
            (compare.scoring, Some(extra), ThresholdFiles::default(), compare.gates, compare.fail_if_worse)
        }
        Command::Rank(rank) => return ended(rank::ranked(rank).and_then(|bytes| print(&bytes))),
        Command::Schema => return ended(froc::render::schema().map_err(one).and_then(|bytes| print(&bytes))),
        Command::Errors(errors) => return ended(list(&errors)),
        Command::Suspects(arguments) => return ended(suspects::work(arguments)),
        Command::Convert(arguments) => {
            let done = restore::saved(&arguments.files)
                .and_then(|saved| opened(&arguments.files, &[], Measure::Iou, saved.as_ref()))
                .and_then(|session| convert::convert(session, &arguments));
            return ended(done.map(|notes| notes.iter().for_each(|note| guard::say(note))));
        }
        Command::Rjafroc(arguments) => {
            return ended(rjafroc::write(&arguments).map(|notes| notes.iter().for_each(|note| guard::say(note))));
        }
        Command::View(arguments) => return ended(view::view(&arguments)),
        Command::Manual { folder } => {
            return ended(manual::write(Cli::command(), &folder).map_err(|sentence| vec![sentence]));
        }
    };
    let printed = report(&scoring, extra, &thresholds, &gates, &margins)
        .and_then(|(bytes, missed)| print(&bytes).map(|()| missed));
    let (sentences, code) = match printed {
        Ok(missed) => (missed, 1),
        Err(sentences) => (sentences, 2),
    };
    for sentence in &sentences {
        guard::say(sentence);
    }
    if sentences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(code) }
}

/// How a command ends that can be refused alone.
fn ended(done: Result<(), Vec<String>>) -> ExitCode {
    let Err(sentences) = done else { return ExitCode::SUCCESS };
    for sentence in &sentences {
        guard::say(sentence);
    }
    ExitCode::from(2)
}

/// Writes to standard output.
fn print(bytes: &[u8]) -> Result<(), Vec<String>> {
    let mut out = std::io::stdout().lock();
    to_the_end(out.write_all(bytes).and_then(|()| out.flush()))
}

/// A file that is written anew, so that none is written over.
fn new_file(path: &Path) -> Result<File, String> {
    let place = path.display();
    File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{place}: it exists; expected a new file, since none is written over."),
        _ => format!("{place}: it cannot be written ({error}); expected a file in a folder that exists."),
    })
}

/// What became of writing to standard output.
fn to_the_end(written: std::io::Result<()>) -> Result<(), Vec<String>> {
    written.or_else(|error| match error.kind() {
        // `froc score .. | head` is no mistake.
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(vec![format!("standard output: {error}")]),
    })
}

/// Prints every detection and every missed lesion.
fn list(arguments: &Errors) -> Result<(), Vec<String>> {
    let input = &arguments.input;
    let saved = restore::saved(&input.files)?;
    let options = options(&input.hits, arguments.fp.as_deref(), saved.as_ref()).map_err(one)?;
    let fp_per_image = match (options.fp_per_image(), &arguments.fp) {
        ([.., last], None) | ([last], Some(_)) => *last,
        (_, text) => {
            let there = text.as_deref().unwrap_or_default();
            return Err(vec![format!("--fp: there is {there}; expected one rate, such as 0.2.")]);
        }
    };
    let mut session = opened(&input.files, &input.hits.ignore, options.hit().measure(), saved.as_ref())?;
    arguments.fusing.work(&mut session)?;
    let format = match arguments.format {
        ListFormat::Csv => ErrorsFormat::Csv,
        ListFormat::Json => ErrorsFormat::Json,
    };
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    to_the_end(session.errors(fp_per_image, options.iou_threshold(), format, out).map_err(one)?)
}

/// What is wanted beside the score.
struct Extra {
    replicates: Option<u32>,
    /// From 1.
    baseline: Option<usize>,
    /// Runs are compared although no flag says how.
    is_comparison: bool,
}

impl Extra {
    /// What flags ask for, or else what a session holds.
    fn of(flags: Option<Self>, saved: Option<&SessionFile>) -> Option<Self> {
        let is_saved = saved.is_some_and(|saved| saved.options.area_up_to.is_some() || saved.baseline.is_some());
        let flags = flags.or(is_saved.then_some(Self { replicates: None, baseline: None, is_comparison: false }))?;
        let number = |at: usize| at.saturating_add(1);
        let saved_replicates = saved.and_then(SessionFile::resampling).map(|resampling| resampling.replicates);
        let baseline = flags.baseline.or(saved.and_then(|saved| saved.baseline).map(number));
        let replicates = flags.replicates.or(saved_replicates);
        Some(Self {
            replicates: replicates.or(flags.is_comparison.then_some(Resampling::default().replicates())),
            baseline: baseline.or(flags.is_comparison.then_some(1)),
            ..flags
        })
    }
}

/// The bytes of the report in the format that is asked for, and one sentence for each bound that is not reached.
fn report(
    arguments: &Scoring,
    extra: Option<Extra>,
    thresholds: &ThresholdFiles,
    gates: &Gates,
    margins: &[Margin],
) -> Result<(Vec<u8>, Vec<String>), Vec<String>> {
    if kept::are_asked_for(&arguments.input.files) && !extra.as_ref().is_some_and(|extra| extra.is_comparison) {
        let session = kept::opened(arguments, extra.is_some() || *thresholds != ThresholdFiles::default())?;
        return written(&session, arguments.format, gates, margins);
    }
    let mut saved = restore::saved(&arguments.input.files)?;
    if let Some(saved) = &mut saved
        && thresholds.are_given()
    {
        saved.thresholds = None;
    }
    let options = options(&arguments.input.hits, arguments.fp.as_deref(), saved.as_ref()).map_err(one)?;
    let mut session =
        opened(&arguments.input.files, &arguments.input.hits.ignore, options.hit().measure(), saved.as_ref())?;
    arguments.fusing.work(&mut session)?;
    slices::work(&mut session, arguments)?;
    match Extra::of(extra, saved.as_ref()) {
        None => {
            session.evaluate(&options);
        }
        Some(extra) => with_statistics(&mut session, arguments, &extra, &options, saved.as_ref())?,
    }
    thresholds.work(&mut session, &options)?;
    let done = written(&session, arguments.format, gates, margins)?;
    if let Some(path) = &arguments.save_session {
        let (notes, selection) = saved.map(|saved| (saved.notes, saved.selection)).unwrap_or_default();
        restore::save(&session.save(&notes, selection).map_err(one)?, path)?;
    }
    Ok(done)
}

/// The last report in a format, and one sentence for each bound that is not reached.
fn written(
    session: &Session,
    format: Format,
    gates: &Gates,
    margins: &[Margin],
) -> Result<(Vec<u8>, Vec<String>), Vec<String>> {
    let missed = match &session.outcome().report {
        Some(report) => gates.check(report, margins)?,
        None => Vec::new(),
    };
    Ok((session.export(format).map_err(one)?, missed))
}

fn with_statistics(
    session: &mut Session,
    arguments: &Scoring,
    extra: &Extra,
    options: &Options,
    saved: Option<&SessionFile>,
) -> Result<(), Vec<String>> {
    let runs = session.run_ids();
    let baseline = match extra.baseline {
        None => None,
        Some(number) if runs.len() > 1 && number > 0 && number <= runs.len() => runs.get(number - 1).cloned(),
        Some(number) => {
            let there = format!("there is {number} of {} predictions", runs.len());
            let expected = "expected at least two, and the number of one of them, from 1.";
            return Err(vec![format!("Baseline: {there}; {expected}")]);
        }
    };
    let kept = saved.and_then(|saved| saved.statistics(&runs)).unwrap_or_default();
    let statistics = StatisticsOptions {
        area_up_to: arguments.area_up_to.unwrap_or(kept.area_up_to),
        max_detections: arguments.max_detections.unwrap_or(kept.max_detections),
        beta: arguments.beta.unwrap_or(kept.beta),
        specificity: arguments.specificity.unwrap_or(kept.specificity),
        baseline,
    };
    if let Some(replicates) = extra.replicates {
        let saved = saved.and_then(SessionFile::resampling).unwrap_or_default();
        let groups = match arguments.groups.as_deref() {
            None => saved.groups,
            groups => group_source(session, groups).map_err(one)?,
        };
        let (seed, level) = (arguments.seed.unwrap_or(saved.seed), arguments.level.unwrap_or(saved.level));
        let resampling = ResamplingOptions { replicates, seed, level, groups };
        session.start_bootstrap(options, &resampling, &statistics).map_err(one)?;
        session.step_bootstrap(u32::MAX).map_err(one)?;
    }
    session.evaluate_with_statistics(options, &statistics).map(|_| ()).map_err(one)
}

/// What `--groups` names.
fn group_source(session: &mut Session, groups: Option<&Path>) -> Result<GroupSource, Error> {
    Ok(match groups {
        None => GroupSource::Images,
        Some(path) if path.as_os_str() == "nih" => GroupSource::NihNames,
        Some(path) => {
            session.add_groups("groups", path)?;
            GroupSource::Csv
        }
    })
}

/// Everything that is read, joined; or one sentence for each thing that is wrong.
fn opened(
    input: &Files,
    ignore: &[String],
    measure: Measure,
    saved: Option<&SessionFile>,
) -> Result<Session, Vec<String>> {
    let mut wrong: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut session = match (saved, &input.ground_truth) {
        (Some(saved), _) => restore::reopened(&input.of_session, saved)?,
        (None, Some(ground_truth)) => added(input, ground_truth, &mut wrong).map_err(|sentence| vec![sentence])?,
        (None, None) => {
            return Err(vec!["--ground-truth: there is none; expected a file such as test.json.".to_owned()]);
        }
    };
    if !ignore.is_empty() {
        session.ignore_classes(ignore).map_err(one)?;
    }
    session.set_measure(measure);
    if input.reading.join && wrong.is_empty() && session.join().is_empty() {
        session.join_parts().map_err(one)?;
    }
    for FileFailure { id, errors, remedies } in session.join() {
        let flags = remedies.iter().map(|remedy| format!("{}: {}", remedy.label, remedy.reading.flags()));
        let sentences = errors.into_iter().map(|error| error.sentence).chain(flags).collect();
        // What was told of a file when it was read comes first.
        wrong.entry(id.parse().unwrap_or(usize::MAX)).or_insert(sentences);
    }
    if wrong.is_empty() { Ok(session) } else { Err(wrong.into_values().flatten().collect()) }
}

/// The files behind flags, read as flags ask; what is wrong with predictions is told by their number.
fn added(input: &Files, ground_truth: &Path, wrong: &mut BTreeMap<usize, Vec<String>>) -> Result<Session, String> {
    let mut session = Session::default();
    add(&mut session, "ground truth", ground_truth, FileKind::GroundTruth)?;
    let EvaluatedAs { protocol, readers } = &input.evaluated;
    session.choose_readers(readers.as_deref()).map_err(|error| error.to_string())?;
    session.choose_protocol(protocol.as_deref()).map_err(|error| error.to_string())?;
    let reading = input.reading.reading();
    for (at, path) in input.predictions.iter().enumerate() {
        match add(&mut session, &at.to_string(), path, FileKind::Predictions) {
            Ok(()) => session.set_reading(&at.to_string(), reading.clone()),
            Err(sentence) => drop(wrong.insert(at, vec![sentence])),
        }
    }
    for (at, name) in names_apart(&input.predictions) {
        session.rename(&at.to_string(), &name);
    }
    Ok(session)
}

/// For predictions that have their last part of the path in common, as many more of its parts as tell them apart.
fn names_apart(paths: &[PathBuf]) -> Vec<(usize, String)> {
    let whole: Vec<PathBuf> = paths.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())).collect();
    let last = |at: usize, n: usize| whole[at].iter().rev().take(n).collect::<Vec<_>>();
    let others =
        |at: usize, n: usize| (0..whole.len()).any(|other| last(other, n) == last(at, n) && whole[other] != whole[at]);
    let apart = (0..whole.len()).filter(|at| others(*at, 1)).map(|at| {
        let n = (2..=whole[at].iter().count()).find(|n| !others(at, *n)).unwrap_or(1);
        let parts = last(at, n).into_iter().rev().map(|part| part.to_string_lossy());
        (at, parts.collect::<Vec<_>>().join("/"))
    });
    apart.collect()
}

/// Reads a file or folder that stands behind a flag.
fn add(session: &mut Session, id: &str, path: &Path, expected: FileKind) -> Result<(), String> {
    // JSON of no known structure is taken for a ground truth, which it is not meant for here.
    let as_predictions = |error: Error| match expected {
        FileKind::Predictions => no_predictions(path).unwrap_or(error),
        _ => error,
    };
    let added = session.add_path(id, path).map_err(as_predictions);
    let FileSummary { kind, name, .. } = added.map_err(|error| error.to_string())?;
    match (kind, expected) {
        _ if kind == expected => Ok(()),
        (_, FileKind::GroundTruth) => Err(format!(
            "{name}: it holds {}; expected the ground truth, such as test.json, after --ground-truth.",
            held(kind)
        )),
        _ => Err(format!(
            "{name}: it holds {}; expected a zip or folder of prediction files, or one file for all images, after --predictions.",
            held(kind)
        )),
    }
}

/// What is wrong with JSON that holds no predictions; `None` if it does, or is no JSON.
fn no_predictions(path: &Path) -> Option<Error> {
    let bytes = std::fs::read(path).ok()?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).ok()?;
    froc::input::read_predictions_of_all(&base_name(path), &bytes).err()
}

/// How sentences call a file.
fn base_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// What is in a file.
const fn held(kind: FileKind) -> &'static str {
    match kind {
        FileKind::GroundTruth => "a ground truth",
        FileKind::Predictions => "predictions",
        FileKind::Groups => "groups of images",
        FileKind::Table => "a table without columns such as label, score, xmin, ymin, xmax, ymax",
        FileKind::Thresholds => "score thresholds",
        FileKind::Report => "a report",
    }
}

/// Options as flags give them, or else a session, or else the official script.
fn options(arguments: &Hits, fp: Option<&str>, saved: Option<&SessionFile>) -> Result<Options, Error> {
    let defaults = saved.map_or_else(|| Ok(Options::default()), SessionFile::options)?;
    let rates: Vec<String> = defaults.fp_per_image().iter().map(f64::to_string).collect();
    let hit = match (&arguments.hit, &arguments.iou) {
        (Some(hit), _) => Hit::parse(hit)?,
        (None, Some(iou)) => Hit::typed(Measure::Iou, iou)?,
        (None, None) => defaults.hit(),
    };
    Options::parse_of_hit(hit, fp.unwrap_or(&rates.join(";")))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn one(error: Error) -> Vec<String> {
    vec![error.to_string()]
}
