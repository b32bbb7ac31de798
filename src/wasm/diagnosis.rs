//! Where the points go, for the page: every run is diagnosed when it is first looked at, and then read at any score
//! thresholds.

use std::io::{self, BufWriter, Write};

use js_sys::{Function, Uint8Array};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::dataset::GroundTruth;
use crate::diagnosis::gallery::{self, Change, Filter, Order, Shown};
use crate::diagnosis::noticed::Noticed;
use crate::diagnosis::{Category, Diagnosis, ScoreThresholds, operating_thresholds, pooled_thresholds};
use crate::error::Error;
use crate::options::Options;
use crate::render::errors::{self, ErrorsFormat};
use crate::report::diagnosis::DiagnosisReport;
use crate::report::image::ImageReport;
use crate::run::Prepared;
use crate::score::quirks::QuirkId;
use crate::score::sizes::Size;

use super::{Contents, Evaluator, failure, from_js, to_js};

/// A run as it is looked at.
#[derive(Debug, Clone, Serialize, Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct View {
    /// Place in the last report.
    pub run: usize,
    /// Least overlap with which a detection finds a lesion, 0..=1.
    pub iou_threshold: f64,
    /// The rate at which the recall is read again if a cause were mended; without one, the false positives that count
    /// now, per image.
    pub fp_per_image: Option<f64>,
    /// For each class, in the official order, the score from which on its detections count; without one, none counts.
    pub thresholds: Vec<Option<f32>>,
}

/// Which images are wanted, and in what order: all those that meet every condition.
#[derive(Debug, Clone, Serialize, Deserialize, Tsify)]
#[tsify(missing_as_null)]
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
    /// With a lesion of the first class on which a detection of the second counts.
    pub found_as: Option<(usize, usize)>,
    /// With a detection that one of these quirks touches, whether it counts or not, where the official script runs with the
    /// options of the last report; any image, if there is none.
    pub quirks: Vec<QuirkId>,
    /// Which the notice of this code is about.
    pub notice: Option<Noticed>,
    /// With a lesion of this third of its class.
    pub size: Option<Size>,
    /// On which the run differs so from the other one, in the class if there is one.
    pub change: Option<Change>,
    /// With a name that holds this, in whatever case.
    pub search: String,
    /// What comes first.
    pub order: Order,
}

/// The diagnoses of runs, by their place in the report, for as long as neither files nor readings change.
#[derive(Default)]
pub(super) struct Diagnoses(Vec<(usize, Diagnosis)>);

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

#[wasm_bindgen]
impl Evaluator {
    /// The score threshold of each class at its exact operating point of a rate, or if it is `pooled`, that of all classes
    /// ranked together; null where no detection counts. At an infinite rate all count.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    #[wasm_bindgen(unchecked_return_type = "(number | null)[]")]
    pub fn operating_thresholds(
        &self,
        run: usize,
        fp_per_image: f64,
        iou_threshold: f64,
        pooled: bool,
    ) -> Result<JsValue, JsValue> {
        let (Some(ground_truth), Some(prepared)) = (self.ground_truth(), self.prepared().nth(run)) else {
            return Err(no_such_run());
        };
        let of = if pooled { pooled_thresholds } else { operating_thresholds };
        to_js(&of(ground_truth, &prepared.run, iou_threshold, fp_per_image).iter().collect::<Vec<_>>())
    }

    /// The counts of a run under a view.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    #[wasm_bindgen(unchecked_return_type = "DiagnosisReport")]
    pub fn diagnosis(&mut self, view: &Ts<View>) -> Result<JsValue, JsValue> {
        let view = from_js(view)?;
        self.diagnose(&view, Images::All);
        let look = self.look(&view)?;
        let run = &look.prepared.run;
        to_js(&DiagnosisReport::new(look.ground_truth, run, look.diagnosis, &look.thresholds, view.fp_per_image))
    }

    /// The numbers of the images that are wanted, in order.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    pub fn gallery(&mut self, query: &Ts<GalleryQuery>) -> Result<Vec<u32>, JsValue> {
        let query = from_js(query)?;
        let class = |at: usize| self.ground_truth()?.classes().nth(at);
        let filter = Filter {
            class: query.class.and_then(class),
            categories: query.categories,
            min_score: query.min_score,
            max_score: query.max_score,
            lesion_free: query.lesion_free,
            found_as: query.found_as.and_then(|(of, by)| Some((class(of)?, class(by)?))),
            quirks: self.options().filter(|_| !query.quirks.is_empty()).map(|options| (query.quirks, options)),
            notice: query.notice,
            size: query.size,
            change: query.change,
            search: query.search,
        };
        let images = if filter.asks_for_boxes(query.order) { Images::All } else { Images::These(&[]) };
        self.diagnose(&query.view, images);
        if let Some(other) = &query.other {
            self.diagnose(other, images);
        }
        let look = self.look(&query.view)?;
        let other = query.other.as_ref().map(|other| self.look(other)).transpose()?;
        let other = other.as_ref().map(Look::shown);
        Ok(gallery::images(look.ground_truth, look.shown(), other, &filter, query.order))
    }

    /// What became of the boxes of some images, by their numbers; numbers that there are not are left out.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such run.
    #[wasm_bindgen(unchecked_return_type = "ImageReport[]")]
    pub fn images(&mut self, view: &Ts<View>, images: &[u32]) -> Result<JsValue, JsValue> {
        let view = from_js(view)?;
        self.diagnose(&view, Images::These(images));
        let Look { ground_truth, prepared, diagnosis, thresholds } = self.look(&view)?;
        let there = images.iter().filter(|image| (**image as usize) < ground_truth.n_images());
        let reports = there.map(|image| ImageReport::new(ground_truth, prepared, diagnosis, &thresholds, *image));
        to_js(&reports.collect::<Vec<_>>())
    }
}

#[wasm_bindgen]
impl Evaluator {
    /// Writes every detection and every missed lesion of all runs at the exact operating points of a rate, infinite for every
    /// detection, as `csv` or `json`: `on_chunk` is called with one `Uint8Array` after the other.
    ///
    /// # Errors
    /// Throws a `Failure` if there is no such format or nothing was scored, and what `on_chunk` throws.
    pub fn errors(
        &self,
        fp_per_image: f64,
        iou_threshold: f64,
        format: &str,
        on_chunk: &Function,
    ) -> Result<(), JsValue> {
        let fail = |error: Error| failure(&[error]);
        let format = ErrorsFormat::named(format).map_err(fail)?;
        // At an infinite rate every detection counts.
        let options = if fp_per_image == f64::INFINITY {
            Ok(Options::default().with_iou_threshold(iou_threshold))
        } else {
            Options::new(iou_threshold, vec![fp_per_image])
        };
        let options = options.map_err(fail)?;
        let ground_truth = self.ground_truth().ok_or_else(no_such_run)?;
        let runs: Vec<&Prepared> = self.prepared().collect();
        let mut thrown = None;
        let chunks = Chunks { on_chunk, thrown: &mut thrown };
        let out = BufWriter::with_capacity(Chunks::BYTES, chunks);
        let written = errors::write(ground_truth, &runs, &options, fp_per_image, format, out);
        match (written, thrown) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(thrown)) => Err(thrown),
            (Err(error), None) => Err(fail(Error::new("errors", error.to_string(), "to be written to the end"))),
        }
    }
}

/// Hands bytes over to JavaScript.
struct Chunks<'a> {
    on_chunk: &'a Function,
    /// What it threw.
    thrown: &'a mut Option<JsValue>,
}

impl Chunks<'_> {
    /// Of each but the last one.
    const BYTES: usize = 1 << 20;
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.on_chunk.call1(&JsValue::NULL, &Uint8Array::from(bytes)) {
            Ok(_) => Ok(bytes.len()),
            Err(thrown) => {
                *self.thrown = Some(thrown);
                Err(io::Error::other("the page took no more"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Evaluator {
    /// Those of the last report.
    fn options(&self) -> Option<Options> {
        let options = &self.report.as_ref()?.options;
        Options::new(options.iou_threshold, options.fp_per_image.clone()).ok()
    }

    fn ground_truth(&self) -> Option<&GroundTruth> {
        self.files.iter().rev().find_map(|(_, file)| match file {
            Contents::GroundTruth(truth) => Some(&**truth),
            Contents::Predictions { .. } | Contents::Groups { .. } => None,
        })
    }

    /// Makes sure that the run of a view is diagnosed, if there is one: in the images that are wanted.
    fn diagnose(&mut self, view: &View, images: Images<'_>) {
        let is_known = |(run, known): &(usize, Diagnosis)| {
            *run == view.run && known.iou_threshold().to_bits() == (view.iou_threshold as f32).to_bits()
        };
        // Out of their place, since they are made of what stands beside them.
        let mut diagnoses = std::mem::take(&mut self.diagnoses.0);
        if let (Some(ground_truth), Some(prepared)) = (self.ground_truth(), self.prepared().nth(view.run)) {
            if !diagnoses.iter().any(is_known) {
                diagnoses.retain(|(run, _)| *run != view.run);
                diagnoses.push((view.run, Diagnosis::begin(ground_truth, prepared, view.iou_threshold)));
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

    fn look(&self, view: &View) -> Result<Look<'_>, JsValue> {
        let diagnosis = self.diagnoses.0.iter().find(|(run, _)| *run == view.run);
        let (Some(ground_truth), Some(prepared), Some((_, diagnosis))) =
            (self.ground_truth(), self.prepared().nth(view.run), diagnosis)
        else {
            return Err(no_such_run());
        };
        let mut thresholds = ground_truth.per_class(|_| None);
        thresholds.iter_mut().zip(&view.thresholds).for_each(|(threshold, chosen)| *threshold = *chosen);
        Ok(Look { ground_truth, prepared, diagnosis, thresholds })
    }
}

fn no_such_run() -> JsValue {
    failure(&[Error::new("errors", "there is no such run", "a run that was scored")])
}
