//! What a report rests on, in words.

use crate::options::{DEFAULT_BETA, DEFAULT_SPECIFICITY};
use crate::report::Report;

/// What the figures rest on, one fact a line: version, options, seed, and the SHA-256 of every input.
pub(super) fn provenance(report: &Report) -> Vec<String> {
    let options = &report.options;
    let rates: Vec<String> = options.fp_per_image.iter().map(f64::to_string).collect();
    let mut facts = vec![
        format!("froc {}, report schema {}", report.froc_version, report.schema_version),
        format!("{}; false positives per image {}", options.hit_in_words(), rates.join(", ")),
    ];
    if let Some(area_up_to) = options.area_up_to {
        facts.push(format!("areas under curves up to {area_up_to} false positives per image"));
    }
    if let Some(most) = options.max_detections {
        facts.push(format!(
            "AP as pycocotools computes it with maxDets {most}: in each image the {most} detections of a class with the highest \
             scores count"
        ));
    }
    if let Some(beta) = options.beta.filter(|beta| beta.ne(&DEFAULT_BETA)) {
        facts.push(format!("F-scores with beta {beta}"));
    }
    if let Some(specificity) = options.specificity.filter(|specificity| specificity.ne(&DEFAULT_SPECIFICITY)) {
        facts.push(format!("image sensitivity at a specificity of at least {specificity}"));
    }
    if let Some(bootstrap) = &options.bootstrap {
        let groups = match (bootstrap.groups.source.as_str(), &bootstrap.groups.name, &bootstrap.groups.sha256) {
            ("csv", Some(name), Some(sha256)) => format!("groups of {name} (SHA-256 {sha256})"),
            ("nih_names", ..) => "patients by file name".to_owned(),
            _ => "images".to_owned(),
        };
        facts.push(format!(
            "{} % intervals from {} replicates of {} {groups}, seed {}, generator {}",
            100.0 * bootstrap.level,
            bootstrap.replicates,
            bootstrap.groups.n_groups,
            bootstrap.seed,
            bootstrap.generator
        ));
    }
    let truth = &report.ground_truth;
    facts.push(format!(
        "ground truth {}: {} images, {}, SHA-256 {}",
        truth.name,
        truth.n_images,
        truth.lesions(),
        truth.sha256
    ));
    if let Some(of) = &report.thresholds {
        let file = match (&of.name, &of.sha256) {
            (Some(name), Some(sha256)) => format!("score thresholds of {name} (SHA-256 {sha256})"),
            _ => "score thresholds".to_owned(),
        };
        let (truth, sha256, run) = (&of.ground_truth, &of.ground_truth_sha256, &of.run);
        facts.push(format!("{file}, chosen on {truth} (SHA-256 {sha256}) with run {run}"));
    }
    if let Some(of) = &options.slices {
        let table = match (&of.name, &of.sha256) {
            (Some(name), Some(sha256)) => format!(" of {name} (SHA-256 {sha256})"),
            _ => String::new(),
        };
        facts.push(format!("images divided by {}{table}", of.by.join(", ")));
    }
    for run in &report.runs {
        facts.push(format!(
            "run {}: {} files, {} detections, SHA-256 {}",
            run.name,
            run.n_files,
            run.n_detections,
            run.sha256.as_deref().unwrap_or("not known")
        ));
        // Not read as the official script reads it.
        facts.extend(run.reading.as_ref().map(|how| format!("run {}: {}", run.name, how.sentence)));
        facts.extend(run.formats.as_ref().map(|from| format!("run {}: {}", run.name, from.sentence)));
    }
    facts
}
