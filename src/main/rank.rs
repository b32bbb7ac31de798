//! `froc rank`: which of many runs are better, and how sure that is.

use std::path::PathBuf;

use froc::Resampling;
use froc::rank::least_replicates;
use froc::render::Format;
use froc::session::ResamplingOptions;

use super::{EvaluatedAs, Files, Hits, HowToRead, format, group_source, one, opened, options};

/// What is ranked, and how.
#[derive(clap::Args)]
pub(super) struct Rank {
    /// Two or more: zips or folders with one file an image, or single files for all images.
    #[arg(value_name = "PREDICTIONS", required = true, num_args = 2..)]
    predictions: Vec<PathBuf>,
    /// The list of images and lesions (test.json).
    #[arg(long, value_name = "FILE")]
    ground_truth: PathBuf,
    #[command(flatten)]
    evaluated: EvaluatedAs,
    #[command(flatten)]
    hits: Hits,
    /// False positives per image at which recall is read [default: 0.05,0.1,0.2].
    #[arg(long, value_name = "RATES")]
    fp: Option<String>,
    /// Resamples of the images [default: 2000, or as many as it takes to tell all pairs of the runs apart: 40 a pair].
    #[arg(long, value_name = "REPLICATES")]
    bootstrap: Option<u32>,
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
    /// What to print.
    #[arg(long, value_parser = format(), default_value = Format::Text.name())]
    format: Format,
    #[command(flatten)]
    reading: HowToRead,
}

/// The bytes of the report.
pub(super) fn ranked(arguments: Rank) -> Result<Vec<u8>, Vec<String>> {
    let Rank { predictions, ground_truth, evaluated, hits, fp, bootstrap, seed, level, groups, format, reading } =
        arguments;
    let (ground_truth, session, of_session) = (Some(ground_truth), None, Vec::new());
    let files = Files { ground_truth, evaluated, predictions, session, of_session, reading };
    let options = options(&hits, fp.as_deref(), None).map_err(one)?;
    let mut session = opened(&files, &hits.ignore, options.hit().measure(), None)?;
    let groups = group_source(&mut session, groups.as_deref()).map_err(one)?;
    let enough =
        least_replicates(session.run_ids().len()).clamp(Resampling::default().replicates(), Resampling::MAX_REPLICATES);
    let resampling = ResamplingOptions { replicates: bootstrap.unwrap_or(enough), seed, level, groups };
    session.evaluate_with_ranking(&options, &resampling).map_err(one)?;
    session.export(format).map_err(one)
}
