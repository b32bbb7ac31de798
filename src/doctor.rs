//! What is wrong with files that score low for no fault of the model, each found on evidence (quirk Q9).
//!
//! Nothing here changes a number: a finding says what was seen and, where a fix is mechanical, offers a [`Reading`].

mod boxes;
mod names;
pub mod parts;
mod repeats;

use std::ops::Range;

pub use names::{absent_names, nearest};

use self::repeats::Repeats;
use crate::dataset::{Detections, FileView, GroundTruth, Predictions};
use crate::error::Error;
use crate::finding::{FILE_WITHOUT_IMAGE, Finding, MAX_EXAMPLES, Remedy, Seen};
use crate::geometry::{BBox, FileBox, ImageSize};
use crate::input::remedy::{loose_matches, top_folders};
use crate::protocol::Class;
use crate::reading::{FileNames, Folders, Reading};
use crate::run::Run;
use crate::score::quirks;

/// The most detections that one test looks at: a share of 20,000 is known to a third of a percent.
const SAMPLE: usize = 20_000;
/// With fewer boxes than this a share says nothing.
const LEAST_BOXES: usize = 10;
/// A box that overlaps a lesion of its class this much is there on purpose: chance hardly does it.
const ON_PURPOSE: f32 = 0.3;
/// A fault that concerns this share of the boxes was made by a program, not by chance.
const SYSTEMATIC: f64 = 0.5;

/// What was read, how, and the run that it makes.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What it is scored against.
    pub ground_truth: &'a GroundTruth,
    /// What was read, the reading applied.
    pub predictions: &'a Predictions,
    /// How it was read.
    pub reading: &'a Reading,
    /// The run that it makes.
    pub run: &'a Run,
}

/// All that is found, in the order in which it should be mended.
#[must_use]
pub fn examine(case: Case<'_>) -> Vec<Finding> {
    let names = file_names(case);
    let classes = names::class_names(case);
    let beside = beside_lesions(case, |detections, at| case.run.class(detections, at));
    let boxes = boxes::boxes(case, &beside).or_else(|| boxes::in_another_range(case));
    let repeats = Repeats::new(case);
    let rest = [
        boxes::inverted_lesions(case),
        ground_truth_inside(case),
        outside(case),
        never_predicted(case),
        scores_equal(case),
        scores_in_percent(case),
        many_ties(case),
        repeats.duplicates(),
        repeats.unsuppressed(case),
        without_boxes(case),
    ];
    names.into_iter().chain(classes).chain(boxes).chain(rest.into_iter().flatten()).collect()
}

/// Why a run cannot be scored, and the readings under which it can.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// One for each thing that is wrong; at least one.
    pub errors: Vec<Error>,
    /// Each of them mends some.
    pub remedies: Vec<Remedy>,
}

impl Refusal {
    /// What might help a run that was refused with these errors.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, predictions: &Predictions, reading: &Reading, errors: Vec<Error>) -> Self {
        let finder = ground_truth.finder(predictions.files());
        let counts = |file: &FileView<'_>| finder.image(file).is_some();
        let files = || predictions.files().iter().filter(counts);
        let mut remedies = Vec::new();
        let mut offer = |label: String, change: &dyn Fn(&mut Reading)| {
            remedies.push(Remedy { label, reading: with(reading, change) });
        };
        if files().any(|file| file.remarks.text_number.is_some()) {
            offer("Read numbers that are written as text".into(), &|reading| {
                reading.accept_text_numbers = true;
            });
        }
        match files().filter(|file| file.detections.is_err() || file.remarks.text_number.is_some()).count() {
            0 => {}
            1 => offer("Score without this file".into(), &|reading| {
                reading.leave_out_unreadable = true;
            }),
            n => offer(format!("Score without these {n} files"), &|reading| {
                reading.leave_out_unreadable = true;
            }),
        }
        let folders = top_folders(predictions);
        if folders.len() > 1 && reading.folders == Folders::Together {
            offer(format!("Score each of the {} folders as a run", folders.len()), &|reading| {
                reading.folders = Folders::Apart;
            });
        }
        Self { errors, remedies }
    }
}

/// Some of the detections that belong to an image, evenly thinned if there are many: the image, and the number of the
/// detection.
fn sample(case: Case<'_>) -> impl Iterator<Item = (usize, usize)> {
    let step = case.predictions.detections().len().div_ceil(SAMPLE).max(1);
    // How many are passed over before the next one.
    let mut skipped = 0_usize;
    (0..case.ground_truth.n_images()).flat_map(move |image| {
        let rows = rows(case, image);
        let first = rows.start + skipped;
        let n = rows.end.saturating_sub(first).div_ceil(step);
        skipped = first + n * step - rows.end;
        (first..rows.end).step_by(step).map(move |at| (image, at))
    })
}

/// The numbers of the detections of an image.
fn rows(case: Case<'_>, image: usize) -> Range<usize> {
    let Range { start, end } = case.run.detections(image);
    start as usize..end as usize
}

/// The detections that belong to an image: the image, and the number of the detection.
fn all(case: Case<'_>) -> impl Iterator<Item = (usize, usize)> {
    (0..case.ground_truth.n_images()).flat_map(move |image| rows(case, image).map(move |at| (image, at)))
}

/// A box and its score as the file has them, and the lesions of its class in its image, of which there is one at least.
type Beside<'a> = (FileBox, f64, &'a [BBox]);

/// The boxes of the sample whose image has a lesion of their class.
fn beside_lesions(case: Case<'_>, class_of: impl Fn(&Detections, usize) -> Option<Class>) -> Vec<Beside<'_>> {
    let detections = case.predictions.detections();
    let beside = |(image, at): (usize, usize)| {
        let (_, lesions) = case.ground_truth.lesions(class_of(detections, at)?, image);
        (!lesions.is_empty()).then(|| (detections.box_in_file(at), detections.score_in_file(at), lesions))
    };
    sample(case).filter_map(beside).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

fn with(reading: &Reading, change: impl FnOnce(&mut Reading)) -> Reading {
    let mut reading = reading.clone();
    change(&mut reading);
    reading
}

fn show(bbox: BBox) -> String {
    format!("[{}, {}, {}, {}]", bbox.x1, bbox.y1, bbox.x2, bbox.y2)
}

/// Boxes that lie wholly off the image.
fn outside(case: Case<'_>) -> Option<Finding> {
    let lesions =
        |image: usize| case.ground_truth.classes().flat_map(move |class| case.ground_truth.lesions(class, image).1);
    let of_known_size =
        || (0..case.ground_truth.n_images()).filter_map(|at| Some((at, case.ground_truth.size_of_image(at)?)));
    // Where lesions lie there, the images are of another size; and fractions are of none.
    if case.ground_truth.is_in_fractions()
        || of_known_size().any(|(image, size)| lesions(image).any(|lesion| lesion.is_outside(size)))
    {
        return None;
    }
    let mut seen = Seen::default();
    let mut sizes: Vec<ImageSize> = Vec::new();
    for (image, size) in of_known_size() {
        for at in case.run.outside(case.predictions.detections(), image, size) {
            seen.add(1, Some(image as u32), || place(case, image, at as usize));
            if !sizes.contains(&size) && sizes.len() < 2 {
                sizes.push(size);
            }
        }
    }
    let image = match sizes[..] {
        [ImageSize { width, height }] => format!("an image of {width} x {height} pixels"),
        _ => "their images".to_owned(),
    };
    let sentence = format!("{} wholly outside {image}.", boxes_lie(seen.count));
    let fix = "Check the image size that the boxes are meant for.";
    (seen.count > 0).then(|| seen.finding("box_outside_image", sentence, fix))
}

fn boxes_lie(count: usize) -> String {
    if count == 1 { "1 box lies".into() } else { format!("{count} boxes lie") }
}

/// A detection that was seen, with its image.
fn place(case: Case<'_>, image: usize, at: usize) -> String {
    format!("{} in {}", show(case.predictions.detections().bbox(at)), &case.ground_truth.images()[image])
}

/// File names that match no image though a rule would make them match.
fn file_names(case: Case<'_>) -> Option<Finding> {
    if case.reading.file_names != FileNames::Exact {
        return None;
    }
    let truth = case.ground_truth;
    let files = case.predictions.files();
    if case.run.n_files() == files.len() {
        return None;
    }
    let finder = truth.finder(files);
    let left_out = truth.left_out().map(|left_out| left_out.finder(files));
    let is_stray = |file: &FileView<'_>| {
        finder.image(file).is_none() && left_out.as_ref().is_none_or(|left_out| left_out.image(file).is_none())
    };
    let strays: Vec<&str> = files.iter().filter(is_stray).map(|file| file.path).collect();
    if strays.is_empty() {
        return None;
    }
    let matches = loose_matches(truth, case.predictions);
    if !matches.is_empty() {
        let sentence = format!(
            "{} without regard to case, endings, leading zeros, blanks, and what all names have in common.",
            match_an_image(matches.len())
        );
        let seen = Seen::at(matches.iter().map(|(path, image)| format!("{path} for {image}")));
        let fix = "Name each file like its image, with .json for .png.";
        let remedy = Remedy {
            label: "Match file names loosely".into(),
            reading: with(case.reading, |reading| reading.file_names = FileNames::Loose),
        };
        return Some(Finding { remedy: Some(remedy), ..seen.finding("file_name_nearly_matches", sentence, fix) });
    }
    other_names(case, &strays).or_else(|| {
        let (count, all) = (strays.len(), case.predictions.files().len());
        let sentence =
            format!("{count} of {all} prediction files belong to no image of the ground truth and are not read.");
        let fix = "Score them against the ground truth of the images that the model was run on, such as train.json.";
        let seen = Seen::at(strays);
        (count as f64 > SYSTEMATIC * all as f64).then(|| seen.finding(FILE_WITHOUT_IMAGE.code, sentence, fix))
    })
}

/// Files that have names from one of the two lists of the dataset's images, where the ground truth has those of the other.
fn other_names(case: Case<'_>, strays: &[&str]) -> Option<Finding> {
    let n_nih = |names: &[&str]| names.iter().filter(|name| is_nih_name(name)).count() as f64;
    let in_truth: Vec<&str> = case.ground_truth.images().iter().collect();
    let (files, images) = (n_nih(strays) / strays.len() as f64, n_nih(&in_truth) / in_truth.len() as f64);
    if (files > SYSTEMATIC) == (images > SYSTEMATIC) || case.run.n_files() > 0 {
        return None;
    }
    let (here, there) =
        if files > SYSTEMATIC { ("NIH ChestX-ray14", "ChestX-Det10") } else { ("ChestX-Det10", "NIH ChestX-ray14") };
    let sentence = format!("The prediction files use the image names of {here}, the ground truth those of {there}.");
    let fix = format!("Drop the ground truth with the image names of {here}; ChestX-Det10 lists both.");
    Some(Seen::at(strays.iter().copied()).finding("other_image_names", sentence, fix))
}

fn match_an_image(count: usize) -> String {
    if count == 1 {
        "1 prediction file matches no image by its exact name, but does".into()
    } else {
        format!("{count} prediction files match no image by their exact names, but do")
    }
}

/// Whether a name is like `00000013_005.png`: eight digits of a patient, three of an image.
fn is_nih_name(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem = base.split('.').next().unwrap_or(base);
    let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    stem.split_once('_').is_some_and(|(patient, image)| is_number(patient, 8) && is_number(image, 3))
}

/// The ground truth packed among the predictions.
fn ground_truth_inside(case: Case<'_>) -> Option<Finding> {
    let files = case.predictions.files();
    let seen = Seen::at(files.iter().filter(|file| file.remarks.is_ground_truth).map(|file| file.path));
    let sentence = "The predictions hold a file that looks like the ground truth.";
    let fix = "Drop the ground truth by itself, and a zip of the model's own files beside it.";
    (seen.count > 0).then(|| seen.finding("ground_truth_in_predictions", sentence, fix))
}

/// Classes with lesions that were never predicted.
fn never_predicted(case: Case<'_>) -> Option<Finding> {
    let is_never =
        |class: &Class| case.ground_truth.n_lesions(*class) > 0 && case.run.ranking(*class).scores().is_empty();
    let classes: Vec<Class> = case.ground_truth.classes().filter(is_never).collect();
    let mut seen = Seen::default();
    for (image, class) in (0..case.ground_truth.n_images()).flat_map(|image| classes.iter().map(move |of| (image, *of)))
    {
        let n_lesions = case.ground_truth.lesions(class, image).1.len();
        seen.add(n_lesions, Some(image as u32), String::new);
    }
    let sentence = match classes[..] {
        [_] => "1 class with lesions has no detection at all, so its recall is 0.".into(),
        _ => format!("{} classes with lesions have no detection at all, so their recall is 0.", classes.len()),
    };
    let fix = "Check that the model's class names are those of the ground truth.";
    (!classes.is_empty()).then(|| Finding {
        // Of classes, not of their lesions.
        count: classes.len(),
        examples: classes.iter().map(|class| case.ground_truth.class_name(*class).to_owned()).collect(),
        ..seen.finding("class_never_predicted", sentence, fix)
    })
}

/// All scores of the run, finite.
fn scores(case: Case<'_>) -> impl Iterator<Item = f32> {
    case.ground_truth.classes().flat_map(move |class| case.run.ranking(class).scores().iter().copied())
}

fn n_scores(case: Case<'_>) -> usize {
    case.ground_truth.classes().map(|class| case.run.ranking(class).scores().len()).sum()
}

/// Detections that share their score with another of their class, in 32 bits.
fn n_tied(case: Case<'_>) -> usize {
    case.ground_truth.classes().map(|class| case.run.ranking(class).n_tied()).sum()
}

fn scores_equal(case: Case<'_>) -> Option<Finding> {
    let first = scores(case).next()?;
    let all_equal = n_scores(case) >= LEAST_BOXES && scores(case).all(|score| score.to_bits() == first.to_bits());
    let sentence = || {
        let in_file = in_file(case, n_tied(case)).unwrap_or_default();
        format!("All {} detections have the score {first}{in_file}, so nothing ranks them.", n_scores(case))
    };
    let fix = "Write the model's own confidence as the fifth number of a box.";
    all_equal.then(|| Finding {
        examples: vec![first.to_string()],
        ..seen_where(case, |_| true).finding("all_scores_equal", sentence(), fix)
    })
}

/// What more is to say of `tied` equal scores if fewer are equal in the files.
fn in_file(case: Case<'_>, tied: usize) -> Option<String> {
    let detections = case.predictions.detections();
    let equal: usize = case.ground_truth.classes().map(|class| case.run.n_tied_in_file(class, detections)).sum();
    (equal < tied).then(|| {
        let equal = if equal == 0 { "none of them".to_owned() } else { format!("{equal} of them") };
        format!(" as the script keeps scores, with 32 bits (in the files {equal} are equal)")
    })
}

fn scores_in_percent(case: Case<'_>) -> Option<Finding> {
    let of_class = |class| case.run.ranking(class).scores();
    // They fall, so that a few tell of all.
    let above_one: usize =
        case.ground_truth.classes().map(|class| of_class(class).partition_point(|score| *score > 1.0)).sum();
    let ends =
        case.ground_truth.classes().flat_map(|class| [of_class(class).first(), of_class(class).last()]).flatten();
    let in_range = ends.into_iter().all(|score| (0.0..=100.0).contains(score));
    let is_common = above_one as f64 > SYSTEMATIC * n_scores(case) as f64;
    (in_range && n_scores(case) >= LEAST_BOXES && is_common).then(|| {
        let sentence = format!(
            "{above_one} scores lie above 1, as if in percent; only their order counts, so the recall is right."
        );
        let fix = "Nothing needs mending; score thresholds are shown in the same unit.";
        let detections = case.predictions.detections();
        let seen = seen_where(case, |at| detections.score(at) > 1.0);
        Finding { examples: first_scores(case), ..seen.finding("scores_in_percent", sentence, fix) }
    })
}

/// The images with a detection of a class of that kind, each counted with those detections.
fn seen_where(case: Case<'_>, is_meant: impl Fn(usize) -> bool) -> Seen {
    let mut seen = Seen::default();
    for (image, at) in all(case).filter(|(_, at)| is_meant(*at)) {
        let is_of_class = case.run.class(case.predictions.detections(), at).is_some();
        seen.add(usize::from(is_of_class), Some(image as u32), String::new);
    }
    seen
}

fn first_scores(case: Case<'_>) -> Vec<String> {
    scores(case).take(MAX_EXAMPLES).map(|score| score.to_string()).collect()
}

fn many_ties(case: Case<'_>) -> Option<Finding> {
    let tied = n_tied(case);
    let first = scores(case).next()?;
    let all_equal = scores(case).all(|score| score.to_bits() == first.to_bits());
    let is_common = tied as f64 > SYSTEMATIC * n_scores(case) as f64;
    (!all_equal && n_scores(case) >= LEAST_BOXES && is_common).then(|| {
        let sentence = format!(
            "{tied} of {} detections share their score with another of their class{}.",
            n_scores(case),
            in_file(case, tied).unwrap_or_default()
        );
        let fix = "Write scores with all their digits: where they are equal, their order is arbitrary.";
        let mut is_tied = vec![false; case.predictions.detections().len()];
        for ranking in case.ground_truth.classes().map(|class| case.run.ranking(class)) {
            for rank in quirks::tied(ranking.scores()) {
                is_tied[ranking.detections()[rank as usize] as usize] = true;
            }
        }
        let seen = seen_where(case, |at| is_tied[at]);
        Finding { examples: first_scores(case), ..seen.finding("many_ties", sentence, fix) }
    })
}

/// Files that are read and hold no box, where most do.
fn without_boxes(case: Case<'_>) -> Option<Finding> {
    let (mut n_with_lesions, mut bare) = (0_u32, Seen::default());
    for image in (0..case.ground_truth.n_images()).filter(|image| case.ground_truth.has_lesions(*image)) {
        n_with_lesions += 1;
        let is_bare = case.run.detections(image).is_empty();
        bare.add(is_bare.into(), Some(image as u32), || case.ground_truth.images()[image].to_owned());
    }
    let is_common = bare.count as f64 > SYSTEMATIC * f64::from(n_with_lesions);
    let sentence = format!("{} of {n_with_lesions} images with lesions have no detection at all.", bare.count);
    let fix = "Check that files were written to the end, and keep boxes of low score: the score decides what counts.";
    let enough = case.run.n_files() > 0 && n_with_lesions as usize >= LEAST_BOXES;
    (enough && is_common).then(|| bare.finding("most_files_empty", sentence, fix))
}
