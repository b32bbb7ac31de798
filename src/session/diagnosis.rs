//! Where the points go: every run is diagnosed when it is first looked at, and then read at any score thresholds.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::{Joined, Session};
use crate::dataset::GroundTruth;
use crate::diagnosis::gallery::{self, Change, Filter, Order, Shown};
use crate::diagnosis::{Category, Diagnosis, ScoreThresholds, thresholds_at};
use crate::error::Error;
use crate::options::{Hit, Options};
use crate::render::errors::{self, ErrorsFormat};
use crate::report::diagnosis::DiagnosisReport;
use crate::report::image::ImageReport;
use crate::run::Prepared;
use crate::score::confusion::{Cell, On};
use crate::score::quirks::QuirkId;
use crate::score::sizes::Size;
use crate::slices::Division;

/// A run as it is looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct View {
    /// The id of the run.
    pub run: String,
    /// Least overlap with which a detection finds a lesion, 0..=1.
    pub iou_threshold: f64,
    /// The rate at which the recall is read again if a cause were mended; without one, the false positives that count
    /// now, per image.
    pub fp_per_image: Option<f64>,
    /// For each class, in the official order, the score from which on its detections count; without one, none counts.
    pub thresholds: Vec<Option<f32>>,
}

/// Which images are wanted, and in what order: all those that meet every condition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct GalleryQuery {
    /// The run.
    pub view: View,
    /// The one that it is compared with, for changes and for the order by disagreement.
    pub other: Option<View>,
    /// With a detection that counts, or a lesion, of this class, by its place in the official order; with one of those
    /// below, where it is about such.
    pub class: Option<usize>,
    /// And of one of these categories; of any, if there is none.
    pub categories: Vec<Category>,
    /// And of a score from here on; then lesions that no detection finds do not count.
    pub min_score: Option<f32>,
    /// And of a score up to here.
    pub max_score: Option<f32>,
    /// With no lesion of any class, or with one.
    pub lesion_free: Option<bool>,
    /// With a lesion or a detection of this cell of what lesions are found as.
    pub confusion: Option<CellQuery>,
    /// With a detection that one of these quirks touches, whether it counts or not, where the official script runs with the
    /// options of the last report; any image, if there is none.
    pub quirks: Vec<QuirkId>,
    /// In which the finding of this id was seen, of the run or of the ground truth.
    pub finding: Option<String>,
    /// With a lesion of this third of its class.
    pub size: Option<Size>,
    /// In this slice of the last report, by the places of its division and of the slice in that.
    pub slice: Option<(usize, usize)>,
    /// On which the run differs so from the other one, in the class if there is one.
    pub change: Option<Change>,
    /// With a name that holds this, in whatever case.
    pub search: String,
    /// What comes first.
    pub order: Order,
}

/// A cell of what lesions are found as, classes by their places.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct CellQuery {
    /// What it is on.
    pub on: On,
    /// The class of the lesions.
    pub lesions_of: Option<usize>,
    /// The class of the detections.
    pub found_as: Option<usize>,
}

impl GalleryQuery {
    /// Every image of a run, in the order of the ground truth.
    #[must_use]
    pub const fn of(view: View) -> Self {
        Self {
            view,
            other: None,
            class: None,
            categories: Vec::new(),
            min_score: None,
            max_score: None,
            lesion_free: None,
            confusion: None,
            quirks: Vec::new(),
            finding: None,
            size: None,
            slice: None,
            change: None,
            search: String::new(),
            order: Order::File,
        }
    }
}

/// The diagnoses of runs, by id, for as long as neither files nor readings change.
#[derive(Default)]
pub(super) struct Diagnoses(Vec<(String, Diagnosis)>);

/// The images whose causes are wanted: the first ones that are shown need not wait for all.
#[derive(Clone, Copy)]
enum Images<'a> {
    All,
    These(&'a [u32]),
}

/// Everything that a view names.
struct Look<'a> {
    ground_truth: &'a GroundTruth,
    prepared: &'a Prepared,
    diagnosis: &'a Diagnosis,
    thresholds: ScoreThresholds,
}

impl<'a> Look<'a> {
    fn shown(&'a self) -> Shown<'a> {
        Shown { prepared: self.prepared, diagnosis: self.diagnosis, thresholds: &self.thresholds }
    }
}

impl Session {
    /// The score threshold of each class at its exact operating point of each of the rates, or if they are `pooled`, that of
    /// all classes ranked together; none where no detection counts. At an infinite rate all count.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn operating_thresholds(
        &self,
        run: &str,
        fp_per_image: &[f64],
        iou_threshold: f64,
        pooled: bool,
    ) -> Result<Vec<ScoreThresholds>, Error> {
        let (ground_truth, prepared) = self.run(run)?;
        Ok(thresholds_at(ground_truth, &prepared.run, iou_threshold, fp_per_image, pooled))
    }

    /// The counts of a run under a view.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn diagnosis(&mut self, view: &View) -> Result<DiagnosisReport, Error> {
        self.diagnose(view, Images::All);
        let Look { ground_truth, prepared, diagnosis, thresholds } = self.look(view)?;
        Ok(DiagnosisReport::new(ground_truth, prepared, diagnosis, &thresholds, view.fp_per_image))
    }

    /// The numbers of the images that are wanted, in order.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn gallery(&mut self, query: &GalleryQuery) -> Result<Vec<u32>, Error> {
        let GalleryQuery { view, other, .. } = query;
        let filter = self.filter(query);
        let images = if filter.asks_for_causes(query.order) { Images::All } else { Images::These(&[]) };
        self.diagnose(view, images);
        if let Some(other) = other {
            self.diagnose(other, images);
        }
        let look = self.look(view)?;
        let other = other.as_ref().map(|other| self.look(other)).transpose()?;
        let other = other.as_ref().map(Look::shown);
        Ok(gallery::images(look.ground_truth, look.shown(), other, &filter, query.order))
    }

    fn filter(&self, query: &GalleryQuery) -> Filter {
        let class = |at: usize| self.ground_truth().ok()?.classes().nth(at);
        let slice = query.slice.and_then(|(at, slice)| Some((self.divisions.get(at)?, slice)));
        let among = |(division, slice): (&Division, usize)| {
            let n_images = self.ground_truth().map_or(0, GroundTruth::n_images);
            (0..n_images).map(|image| division.holds(slice, image)).collect()
        };
        let options = || self.outcome.report.as_ref()?.options.options().ok();
        Filter {
            class: query.class.and_then(class),
            categories: query.categories.clone(),
            min_score: query.min_score,
            max_score: query.max_score,
            lesion_free: query.lesion_free,
            confusion: query.confusion.map(|cell| Cell {
                on: cell.on,
                lesions_of: cell.lesions_of.and_then(class),
                found_as: cell.found_as.and_then(class),
            }),
            quirks: options().filter(|_| !query.quirks.is_empty()).map(|options| (query.quirks.clone(), options)),
            finding: query.finding.clone(),
            size: query.size.or_else(|| slice.and_then(|(division, slice)| division.size(slice))),
            among: slice.map(among),
            change: query.change,
            search: query.search.clone(),
        }
    }

    /// What became of the boxes of some images, by their numbers; numbers that there are not are left out, and unless it is
    /// `with_uncounted`, detections below the thresholds as well.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn images(&mut self, view: &View, images: &[u32], with_uncounted: bool) -> Result<Vec<ImageReport>, Error> {
        self.diagnose(view, Images::These(images));
        let Look { ground_truth, prepared, diagnosis, thresholds } = self.look(view)?;
        let there = images.iter().filter(|image| (**image as usize) < ground_truth.n_images());
        let report = |image: &u32| {
            let mut report = ImageReport::new(ground_truth, prepared, diagnosis, &thresholds, *image);
            report.detections.retain(|detection| with_uncounted || detection.counted);
            report
        };
        Ok(there.map(report).collect())
    }

    /// Writes every detection and every missed lesion of all runs with its cause, at the exact operating points of a rate; at
    /// an infinite one, every detection counts.
    ///
    /// # Errors
    /// If an option is out of range, or no run can be scored; within, what `out` gives.
    pub fn errors(
        &mut self,
        fp_per_image: f64,
        iou_threshold: f64,
        format: ErrorsFormat,
        out: impl Write,
    ) -> Result<io::Result<()>, Error> {
        let default = Options::default();
        let rates = if fp_per_image == f64::INFINITY { default.fp_per_image().to_vec() } else { vec![fp_per_image] };
        let measure = self.ground_truth()?.protocol().measure();
        let options = Options::of_hit(Hit::new(measure, iou_threshold)?, rates)?;
        self.join();
        let Joined { ground_truth, runs, .. } = self.joined()?;
        Ok(errors::write(ground_truth, &runs, &options, fp_per_image, format, out))
    }

    /// Makes sure that the run of a view is diagnosed, if there is one: in the images that are wanted.
    fn diagnose(&mut self, view: &View, images: Images<'_>) {
        let is_known = |(run, known): &(String, Diagnosis)| {
            *run == view.run && known.iou_threshold().to_bits() == view.iou_threshold.to_bits()
        };
        // Out of their place, since they are made of what stands beside them.
        let mut diagnoses = std::mem::take(&mut self.diagnoses.0);
        if let Ok((ground_truth, prepared)) = self.run(&view.run) {
            if !diagnoses.iter().any(is_known) {
                diagnoses.retain(|(run, _)| *run != view.run);
                diagnoses.push((view.run.clone(), Diagnosis::begin(ground_truth, prepared, view.iou_threshold)));
            }
            if let Some((_, diagnosis)) = diagnoses.iter_mut().find(|known| is_known(known)) {
                match images {
                    Images::All => diagnosis.look_at_all(ground_truth, prepared),
                    Images::These(images) => {
                        diagnosis.look_at_images(ground_truth, prepared, images.iter().map(|image| *image as usize));
                    }
                }
            }
        }
        self.diagnoses.0 = diagnoses;
    }

    fn look(&self, view: &View) -> Result<Look<'_>, Error> {
        let (ground_truth, prepared) = self.run(&view.run)?;
        let none = || Error::new("run", "it is not diagnosed", "a run that was scored");
        let diagnosis = self.diagnoses.0.iter().find(|(run, _)| *run == view.run).map(|(_, diagnosis)| diagnosis);
        let mut thresholds = ground_truth.per_class(|_| None);
        thresholds.iter_mut().zip(&view.thresholds).for_each(|(threshold, chosen)| *threshold = *chosen);
        Ok(Look { ground_truth, prepared, diagnosis: diagnosis.ok_or_else(none)?, thresholds })
    }
}
