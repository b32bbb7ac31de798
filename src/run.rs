//! Predictions joined to the ground truth: each image with its file, each class ranked.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::dataset::{ClassOfName, Detections, FileView, GroundTruth, ImageFinder, Predictions, Sha256, map_all};
use crate::error::Error;
use crate::finding::{
    BOTH_SPELLINGS, DOUBLE_KEYS, EMPTY_FILE, FILE_WITHOUT_IMAGE, Finding, Findings, IMAGE_WITHOUT_FILE, POINTS,
    UNREAD_CLASS_NAME,
};
use crate::geometry::{BBox, Extent, ImageSize};
use crate::limits::MAX_PAIRS_OF_IMAGE;
use crate::matching::{Ranking, Undefined, Unranked, Verdicts};
use crate::protocol::Class;
use crate::reading::Reading;

/// A set of predictions, ready to be scored against one ground truth.
#[derive(Debug, Clone)]
pub struct Run {
    name: String,
    sha256: Sha256,
    n_files: usize,
    /// Those of files of images that are not the official script's own, sorted.
    formats: Vec<&'static str>,
    rankings: Vec<Ranking>,
    class_of_name: ClassOfName,
    /// Numbers of the detections of each image.
    detections_of_image: Vec<Range<u32>>,
    reading: Reading,
    findings: Vec<Finding>,
}

impl Run {
    /// Finds the file of each image, ranks the detections of each class and finds the lesion that each overlaps most.
    ///
    /// The file for an image is named like it, with `.json` for `.png`, in any folder of the archive. Files for other
    /// images are passed over, unreadable ones too.
    ///
    /// # Errors
    /// One for each file of an image that cannot be read, and for each second file for an image.
    pub fn new(ground_truth: &GroundTruth, predictions: &Predictions) -> Result<Self, Vec<Error>> {
        let mut join = Join::new(ground_truth, predictions);
        for (at, file) in predictions.files().iter().enumerate() {
            join.add(at, &file);
        }
        join.finish()
    }

    /// Base name of the zip or folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the zip or folder, in hexadecimal digits; `None` while it is not known.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.get()
    }

    /// Prediction files that belong to an image.
    #[must_use]
    pub const fn n_files(&self) -> usize {
        self.n_files
    }

    /// The formats that its images' detections were read from, but for that of the official script: none if the script would
    /// read the files as they are.
    #[must_use]
    pub fn formats(&self) -> &[&'static str] {
        &self.formats
    }

    /// The detections of a class, ranked.
    #[must_use]
    pub fn ranking(&self, class: Class) -> &Ranking {
        &self.rankings[class.index()]
    }

    /// The class of a detection of the predictions that the run was made of; `None` for a box under a name that is none of
    /// a class.
    #[must_use]
    pub fn class(&self, detections: &Detections, at: usize) -> Option<Class> {
        detections.class(at, &self.class_of_name)
    }

    /// The class that each name of the predictions stands for.
    #[must_use]
    pub(crate) const fn class_of_name(&self) -> &ClassOfName {
        &self.class_of_name
    }

    /// The image of each detection of a class, by falling score.
    ///
    /// Made when it is asked for, since only resampling and image-level scores need it.
    #[must_use]
    pub fn images(&self, class: Class) -> Vec<u32> {
        let n_detections = self.detections_of_image.iter().map(|detections| detections.end).max().unwrap_or(0);
        let mut image_of_detection = vec![0; n_detections as usize];
        for (detections, image) in self.detections_of_image.iter().zip(0_u32..) {
            image_of_detection[detections.start as usize..detections.end as usize].fill(image);
        }
        self.ranking(class).detections().iter().map(|&detection| image_of_detection[detection as usize]).collect()
    }

    /// The highest score of the detections of a class in each of so many images; `None` of an image without any.
    #[must_use]
    pub(crate) fn highest_scores(&self, class: Class, n_images: usize) -> Vec<Option<f32>> {
        let mut highest = vec![None; n_images];
        for (image, score) in self.images(class).into_iter().zip(self.ranking(class).scores()) {
            highest[image as usize].get_or_insert(*score);
        }
        highest
    }

    /// Ranks and numbers of the detections of a class by falling score of their file, which may tell apart what is equal in
    /// `f32`; those that are equal there, too, in the order in which they are listed. `detections` are those that the run
    /// was made of.
    #[must_use]
    pub(crate) fn by_score_in_file(&self, class: Class, detections: &Detections) -> Vec<(u32, u32)> {
        let score = |(_, detection): (u32, u32)| detections.score_in_file(detection as usize);
        let ranking = self.ranking(class);
        let mut all: Vec<(u32, u32)> = (0..).zip(ranking.detections().iter().copied()).collect();
        let mut start = 0;
        for group in ranking.scores().chunk_by(f32::eq) {
            let group = &mut all[start..][..group.len()];
            start += group.len();
            // The ranking lists equal scores backwards. Scores are finite, and 0 is equal to -0.
            group.reverse();
            group.sort_by(|a, b| score(*b).partial_cmp(&score(*a)).unwrap_or(Ordering::Equal));
        }
        all
    }

    /// Detections of a class that share their score with another as their file has it; at most [`Ranking::n_tied`], which
    /// counts those that are equal in `f32`.
    #[must_use]
    pub fn n_tied_in_file(&self, class: Class, detections: &Detections) -> usize {
        if self.ranking(class).n_tied() == 0 {
            return 0;
        }
        let by_score = self.by_score_in_file(class, detections);
        let scores: Vec<f64> = by_score.iter().map(|(_, at)| detections.score_in_file(*at as usize)).collect();
        scores.chunk_by(f64::eq).map(<[f64]>::len).filter(|group| *group > 1).sum()
    }

    /// How the files were read.
    #[must_use]
    pub const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What a user should know about the files.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The run with a note of how its files were read and what the doctor found; what was seen while the files were joined to
    /// images stands behind that, where the doctor does not say it better.
    #[must_use]
    pub fn examined(self, reading: Reading, found: Vec<Finding>) -> Self {
        let mut findings = found;
        for plain in self.findings {
            if findings.iter().all(|other| other.code != plain.code) {
                findings.push(plain);
            }
        }
        Self { reading, findings, ..self }
    }

    /// Puts a finding of that code before the others, in place of the one that there was; or only takes that away.
    pub fn tell_first(&mut self, code: &str, finding: Option<Finding>) {
        self.findings.retain(|other| other.code != code);
        self.findings.splice(0..0, finding);
    }

    /// Tells anew how it was made, where only names are others.
    pub(crate) fn tell_reading(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// Gives the run another name.
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// Numbers of the detections of an image, boxes without a class included.
    #[must_use]
    pub fn detections(&self, image: usize) -> Range<u32> {
        self.detections_of_image[image].clone()
    }

    /// Detections of all images, boxes without a class included.
    #[must_use]
    pub fn n_detections(&self) -> usize {
        self.detections_of_image.iter().map(ExactSizeIterator::len).sum()
    }

    /// The detections of an image that are the very box of an earlier one of their class, rising. `detections` are those
    /// that the run was made of.
    #[must_use]
    pub(crate) fn repeated(&self, detections: &Detections, image: usize) -> Vec<u32> {
        let key = |at: u32| {
            let BBox { x1, y1, x2, y2 } = detections.bbox(at as usize);
            // 0 is equal to -0.
            let bits = [x1, y1, x2, y2].map(|number| (number + 0.0).to_bits());
            Some((self.class(detections, at as usize)?, bits, at))
        };
        let mut boxes: Vec<(Class, [u32; 4], u32)> = self.detections(image).filter_map(key).collect();
        boxes.sort_unstable();
        let repeated = boxes.windows(2).filter(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1));
        let mut repeated: Vec<u32> = repeated.map(|pair| pair[1].2).collect();
        repeated.sort_unstable();
        repeated
    }

    /// The detections of an image of that size that lie wholly outside of it, rising; boxes without a class are none.
    pub fn outside(&self, detections: &Detections, image: usize, size: ImageSize) -> impl Iterator<Item = u32> {
        let is_outside = move |at: &u32| {
            let at = *at as usize;
            detections.bbox(at).is_outside(size) && self.class(detections, at).is_some()
        };
        self.detections(image).filter(is_outside)
    }

    /// What became of the detections of a class, where an overlap of 0/0 is none.
    #[must_use]
    pub fn verdicts(&self, class: Class, n_lesions: usize, iou_threshold: f64, extent: Extent) -> Verdicts {
        self.ranking(class).verdicts(n_lesions, iou_threshold, extent, Undefined::IsNoOverlap)
    }

    /// The same as the official script has it, where a detection with an overlap of 0/0 counts as nothing.
    #[must_use]
    pub(crate) fn official_verdicts(
        &self,
        class: Class,
        n_lesions: usize,
        iou_threshold: f64,
        extent: Extent,
    ) -> Verdicts {
        self.ranking(class).verdicts(n_lesions, iou_threshold, extent, Undefined::IsNothing)
    }
}

/// A run that is ready to be scored, with the predictions that it was made of, as they were read.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The predictions, the reading applied.
    pub predictions: Arc<Predictions>,
    /// The run.
    pub run: Run,
}

/// The work of [`Run::new`] in progress.
struct Join<'a> {
    ground_truth: &'a GroundTruth,
    predictions: &'a Predictions,
    finder: ImageFinder<'a>,
    /// Finds the images that are left out since too few readers read them: their files count as nothing, and are no mistake.
    left_out: Option<ImageFinder<'a>>,
    /// Place of each image's file among the files.
    file_of_image: Vec<Option<u32>>,
    /// The image that the next file is likely to be of.
    next_image: u32,
    class_of_name: ClassOfName,
    n_files: usize,
    formats: BTreeSet<&'static str>,
    errors: Vec<Error>,
    findings: Findings,
}

impl<'a> Join<'a> {
    fn new(ground_truth: &'a GroundTruth, predictions: &'a Predictions) -> Self {
        Self {
            ground_truth,
            predictions,
            finder: ground_truth.finder(predictions.files()),
            left_out: ground_truth.left_out().map(|left_out| left_out.finder(predictions.files())),
            formats: BTreeSet::new(),
            file_of_image: vec![None; ground_truth.n_images()],
            next_image: 0,
            class_of_name: predictions.detections().classes(ground_truth.protocol()),
            n_files: 0,
            errors: Vec::new(),
            findings: Findings::default(),
        }
    }

    fn add(&mut self, at: usize, file: &FileView<'_>) {
        let Some(image) = self.finder.image_near(file, self.next_image) else {
            // A file of several images matters whatever it is called.
            if let (Err(error), Some(_)) = (file.detections.as_ref(), &file.source.holder) {
                self.errors.push((*error).clone().within(self.predictions.name()));
                return;
            }
            if self.left_out.as_ref().is_none_or(|left_out| left_out.image(file).is_none()) {
                self.findings.add(&FILE_WITHOUT_IMAGE, 1, None, || file.place().into_owned());
            }
            return;
        };
        self.next_image = image.saturating_add(1);
        let before =
            self.file_of_image[image as usize].and_then(|before| self.predictions.files().get(before as usize));
        if let Some(before) = before {
            let is_held = file.source.holder.is_some();
            let (before, path) = (before.place(), file.place());
            self.errors.push(Error::new(
                self.predictions.name(),
                if before == path {
                    format!("it holds two {} named \"{before}\"", if is_held { "images" } else { "files" })
                } else {
                    format!("\"{before}\" and \"{path}\" are both for image \"{}\"", self.image(image))
                },
                "one file an image; remove one of them",
            ));
            return;
        }
        self.file_of_image[image as usize] = Some(at as u32);
        self.n_files += 1;
        self.formats.extend(file.source.format);
        if let Some(error) = file.detections.as_ref().err().copied().or(file.remarks.text_number.as_ref()) {
            self.errors.push(error.clone().within(self.predictions.name()));
        }
        let protocol = self.ground_truth.protocol();
        let no_boxes = file.remarks.no_boxes.iter().filter(|(name, _)| protocol.class_of_prediction(name).is_some());
        self.errors
            .extend(no_boxes.map(|(_, error)| error.clone().within(&file.place()).within(self.predictions.name())));
        let n_ignored = self.ground_truth.ignored_in(image as usize).len();
        let n_lesions = self.ground_truth.n_lesions_in(image as usize) + n_ignored;
        let n_detections = file.detections.as_ref().map_or(0, ExactSizeIterator::len);
        if n_detections as u64 * n_lesions as u64 > MAX_PAIRS_OF_IMAGE {
            let place = format!("{}, {}", self.predictions.name(), file.place());
            let what = format!("it has {n_detections} boxes, and its image {n_lesions} lesions");
            let expected = "fewer; keep the boxes with the highest scores";
            self.errors.push(Error::new(place, what, expected));
        }
        let remarks = file.remarks;
        let place = || file.place().into_owned();
        self.findings.add(&EMPTY_FILE, usize::from(remarks.is_empty), Some(image), place);
        self.findings.add(&BOTH_SPELLINGS, remarks.both_spellings as usize, Some(image), place);
        self.findings.add(&DOUBLE_KEYS, remarks.double_keys as usize, Some(image), place);
        let detections = self.predictions.detections();
        if protocol.measure().is_share() {
            let numbers = file.detections.clone().unwrap_or_default();
            let is_point = |at: &u32| {
                let bbox = detections.bbox(*at as usize);
                bbox.x1.total_cmp(&bbox.x2).is_eq() && bbox.y1.total_cmp(&bbox.y2).is_eq()
            };
            self.findings.add(&POINTS, numbers.filter(is_point).count(), Some(image), place);
        }
        let mut unread =
            unread(detections, &self.class_of_name, file).filter(|at| !protocol.is_ignored(detections.name(*at)));
        if let Some(first) = unread.next() {
            let name = || format!("\"{}\" in {}", detections.name(first), file.place());
            self.findings.add(&UNREAD_CLASS_NAME, 1 + unread.count(), Some(image), name);
        }
    }

    fn image(&self, image: u32) -> &str {
        &self.ground_truth.images()[image as usize]
    }

    fn finish(mut self) -> Result<Run, Vec<Error>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        for (image, file) in self.file_of_image.iter().enumerate() {
            let without = usize::from(file.is_none());
            let name = || self.ground_truth.images()[image].to_owned();
            self.findings.add(&IMAGE_WITHOUT_FILE, without, Some(image as u32), name);
        }
        let detections_of = |file: u32| self.predictions.files().get(file as usize)?.detections.ok();
        let of_images = self.file_of_image.iter().map(|file| file.and_then(detections_of).unwrap_or(0..0));
        let detections_of_image: Vec<Range<u32>> = of_images.collect();
        // Whatever is not needed any more makes room for the rankings.
        drop(self.file_of_image);
        let detections = self.predictions.detections();
        // What ranking takes for a while is the most with the largest class, and least is kept at first.
        let class_of_name = self.class_of_name;
        let mut listed = listed(self.ground_truth, detections, &class_of_name, &detections_of_image);
        listed.sort_by_key(|(_, of_class)| Reverse(of_class.len()));
        let mut rankings = map_all(listed, |(class, listed)| {
            (class, rank(self.ground_truth, detections, &detections_of_image, class, listed))
        });
        rankings.sort_by_key(|(class, _)| *class);
        let rankings = rankings.into_iter().map(|(_, ranking)| ranking).collect();
        Ok(Run {
            name: self.predictions.name().to_owned(),
            sha256: self.predictions.sha256().clone(),
            n_files: self.n_files,
            formats: self.formats.into_iter().collect(),
            rankings,
            class_of_name,
            detections_of_image,
            reading: Reading::default(),
            findings: self.findings.finish(),
        })
    }
}

/// The detections of a file under names that are none of a class.
pub fn unread<'a>(
    detections: &'a Detections,
    of_name: &'a ClassOfName,
    file: &FileView<'_>,
) -> impl Iterator<Item = usize> + use<'a> {
    let rows = if of_name.has_all() { 0..0 } else { file.detections.clone().unwrap_or(0..0) };
    rows.map(|at| at as usize).filter(|at| detections.class(*at, of_name).is_none())
}

/// The detections of each class, in image order and inside an image in file order.
fn listed(
    ground_truth: &GroundTruth,
    detections: &Detections,
    class_of_name: &ClassOfName,
    of_image: &[Range<u32>],
) -> Vec<(Class, Vec<u32>)> {
    let (.., keys) = detections.columns();
    // Room for as many as there are: columns that grow by doubling take up to three times their memory.
    let mut room = ground_truth.per_class(|_| 0);
    for class in keys.iter().filter_map(|key| class_of_name.get(*key)) {
        room[class] += 1;
    }
    let mut all: Vec<(Class, Vec<u32>)> =
        ground_truth.classes().map(|class| (class, Vec::with_capacity(room[class]))).collect();
    for detection in of_image.iter().cloned().flatten() {
        if let Some(class) = class_of_name.get(keys[detection as usize]) {
            all[class.index()].1.push(detection);
        }
    }
    all
}

/// Ranks the detections of a class.
fn rank(
    ground_truth: &GroundTruth,
    detections: &Detections,
    of_image: &[Range<u32>],
    class: Class,
    listed: Vec<u32>,
) -> Ranking {
    let mut image = 0;
    let all_ignored = ground_truth.ignored_beside(class);
    Ranking::new(listed, ground_truth.protocol().measure(), |detection| {
        // Both are in image order.
        while !of_image[image].contains(&detection) {
            image += 1;
        }
        let (first_lesion, lesions) = ground_truth.lesions(class, image);
        let score = detections.score(detection as usize);
        // Boxes lie far apart in memory, and most are nowhere near a lesion.
        let ignored = all_ignored.of(image);
        let is_near = !(lesions.is_empty() && ignored.is_empty());
        let bbox = if is_near { detections.bbox(detection as usize) } else { BBox::default() };
        Unranked { score, bbox, first_lesion, lesions, ignored }
    })
}
