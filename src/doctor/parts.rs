//! Files that are parts of one run: folds, or the pieces that a download was cut into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::boxes::scored;
use super::{Case, percent};
use crate::dataset::{GroundTruth, Predictions};
use crate::finding::{Finding, Remedy, Seen};
use crate::input::remedy::apply;
use crate::reading::Reading;
use crate::run::{Prepared, Run};

/// The code of the finding.
pub const CODE: &str = "parts_of_one_run";

/// A file of predictions, and the one run that it makes.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// As it was read, no reading applied.
    pub predictions: &'a Predictions,
    /// How it is read.
    pub reading: &'a Reading,
    /// The run.
    pub prepared: &'a Prepared,
}

/// The files, by their places, that are parts of one run by all that is seen: their names differ by a number alone, they are read alike,
/// each has images, and no image is in two of them. A file that would be a part of two runs is one of none.
#[must_use]
pub fn groups(ground_truth: &GroundTruth, files: &[Part<'_>]) -> Vec<Vec<usize>> {
    // Names without one of their numbers, which stands at that place among them.
    let mut alike: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        for (place, name) in without_one_number(file.predictions.name()).into_iter().enumerate() {
            alike.entry((name, place)).or_default().push(at);
        }
    }
    let are_one_run = |group: &Vec<usize>| {
        let names: BTreeSet<&str> = group.iter().map(|at| files[*at].predictions.name()).collect();
        let is_read_alike = group.iter().all(|at| files[*at].reading == files[group[0]].reading);
        group.len() > 1 && names.len() == group.len() && is_read_alike && are_apart(ground_truth, files, group)
    };
    let groups: Vec<Vec<usize>> = alike.into_values().filter(are_one_run).collect();
    let n_groups_of = |at: &usize| groups.iter().filter(|group| group.contains(at)).count();
    groups.iter().filter(|group| group.iter().all(|at| n_groups_of(at) == 1)).cloned().collect()
}

/// A name without its first number, without its second one, and so on.
fn without_one_number(name: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = name;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let behind = rest[start..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        names.push(format!("{}\0{behind}", &name[..name.len() - rest.len() + start]));
        rest = behind;
    }
    names
}

/// Whether each file has one of an image, and no image has two.
fn are_apart(ground_truth: &GroundTruth, files: &[Part<'_>], group: &[usize]) -> bool {
    let mut is_taken = vec![false; ground_truth.n_images()];
    group.iter().all(|at| {
        let Prepared { predictions, run } = files[*at].prepared;
        let finder = ground_truth.finder(predictions.files());
        let mut images = predictions.files().iter().filter_map(|file| finder.image(&file));
        run.n_files() > 0 && images.all(|image| !std::mem::replace(&mut is_taken[image as usize], true))
    })
}

/// What is to be said of the first of some files that are parts of one run, if the score is better when they are read as one.
#[must_use]
pub fn offer(ground_truth: &GroundTruth, parts: &[Part<'_>]) -> Option<Finding> {
    let (first, others) = parts.split_first()?;
    let all: Vec<&Predictions> = parts.iter().map(|part| part.predictions).collect();
    let joined = Arc::new(Predictions::joined(&all).ok()?);
    let predictions = apply(ground_truth, &joined, first.reading).pop()?;
    let run = Run::new(ground_truth, &predictions).ok()?;
    let reached = |predictions: &Predictions, run: &Run| {
        Some(scored(Case { ground_truth, predictions, reading: first.reading, run })?.recall)
    };
    let together = reached(&predictions, &run)?;
    let apart = parts.iter().map(|part| reached(&part.prepared.predictions, &part.prepared.run));
    let apart = apart.collect::<Option<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
    let names = |parts: &[Part<'_>]| parts.iter().map(|part| part.predictions.name().to_owned()).collect::<Vec<_>>();
    let sentence = format!(
        "{} look like parts of one run: no image is in two of them, and together they have a file for {} of {} images. Scored as one, the mean recall at 0.2 false positives per image is {}; by itself none has more than {}.",
        names(parts).join(", "),
        run.n_files(),
        ground_truth.n_images(),
        percent(together),
        percent(apart)
    );
    let fix = "Score them as one run: in that of a part, the images of the others count as having no detections.";
    let reading = Reading { together_with: names(others), ..first.reading.clone() };
    let remedy = Remedy { label: format!("Score the {} files as one run", parts.len()), reading };
    let seen = Seen::at(names(parts));
    (together > apart).then(|| Finding { remedy: Some(remedy), ..seen.finding(CODE, sentence, fix) })
}

#[cfg(test)]
mod tests {
    use super::without_one_number;

    #[test]
    fn each_number_of_a_name_is_left_out_once() {
        assert_eq!(without_one_number("a-001.zip"), ["a-\0.zip"]);
        assert_eq!(without_one_number("v2 fold10.csv"), ["v\0 fold10.csv", "v2 fold\0.csv"]);
        assert_eq!(without_one_number("model.zip"), [""; 0]);
        assert_eq!(without_one_number("7"), ["\0"]);
    }
}
