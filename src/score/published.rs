//! A run by the conventions under which others publish their figures ([section 11](crate::metric)), each as its own code has it.
//!
//! All but the official and the exact score see the numbers of the files in `f64`, and widths are `x2 - x1`. Where the original
//! knows one kind of lesion, each class is scored by itself, and the figure is the mean over the classes with lesions.

use serde::{Deserialize, Serialize};

use crate::dataset::{Detections, GroundTruth};
use crate::geometry::{Extent, FileBox, Measure};
use crate::options::Options;
use crate::protocol::Class;
use crate::run::Run;
use crate::score::average_precision::overlap;
use crate::score::conventions::{Convention, scores};
use crate::score::exact::SEVEN_RATES;
use crate::score::{average_recall, mean};

/// As many detections of a class in an image count for LUNA16 and nnDetection, those with the highest scores.
const MAX_DETECTIONS: u32 = 100;
/// The IoU of nnDetection's first FROC score.
const NNDETECTION_IOU: f64 = 0.1;
/// The rates of MONAI, which are those of CAMELYON16.
const SIX_RATES: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
/// The score thresholds that coco-froc-analysis samples: 0, 0.02, ..., 0.98.
const N_SAMPLES: u32 = 50;

/// A convention that somebody publishes figures by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// `eval.py` of `ChestX-Det10`.
    ChestxDet10,
    /// The exact score of this program.
    Exact,
    /// pycocotools at an IoU of 0.5.
    CocoAp50,
    /// pycocotools over the IoU thresholds 0.50, 0.55, ..., 0.95.
    CocoAp,
    /// The competition performance metric of LUNA16.
    Luna16,
    /// The FROC score of nnDetection.
    Nndetection,
    /// `compute_froc_score` of MONAI.
    Monai,
    /// `froc.py` of the object-CXR challenge.
    ObjectCxr,
    /// coco-froc-analysis.
    CocoFrocAnalysis,
    /// `ChestX-ray8`, by `IoBB`.
    ChestxRay8,
    /// `picai_eval` of the PI-CAI challenge.
    PicaiEval,
}

/// What a convention is, in a few words each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedFacts {
    /// What it is called.
    pub name: &'static str,
    /// What its figure is called.
    pub figure: &'static str,
    /// When a detection finds a lesion.
    pub hit: &'static str,
    /// What a further hit on a found lesion counts as.
    pub second_hits: &'static str,
    /// How the figure is read off the curve.
    pub reading: &'static str,
    /// What the figure is taken over.
    pub over: &'static str,
    /// The code or paper that says so, with its version.
    pub source: &'static str,
}

const AT_SEVEN: &str =
    "linear between points, at 1/8 to 8 false positives per image; the 100 highest scores of an image";
const BY_CLASS: &str = "mean of the classes with lesions; the original has one";

impl Published {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::ChestxDet10,
        Self::Exact,
        Self::CocoAp50,
        Self::CocoAp,
        Self::Luna16,
        Self::Nndetection,
        Self::Monai,
        Self::ObjectCxr,
        Self::CocoFrocAnalysis,
        Self::ChestxRay8,
        Self::PicaiEval,
    ];

    /// What it is.
    #[must_use]
    pub const fn facts(self) -> PublishedFacts {
        match self {
            Self::ChestxDet10 => PublishedFacts {
                name: "ChestX-Det10",
                figure: "average recall",
                hit: "IoU of at least 0.5 with the lesion it overlaps most, one pixel added to widths and heights",
                second_hits: "false positives",
                reading: "the script's interpolation, at 0.05, 0.1 and 0.2 false positives per image",
                over: "mean of all classes",
                source: "ChestX-Det10, eval.py at c535e9a",
            },
            Self::Exact => PublishedFacts {
                name: "froc, exact",
                figure: "average recall",
                hit: "the hit criterion of this report",
                second_hits: "false positives",
                reading: "at score thresholds that can be used, at the rates of this report",
                over: "mean of the classes with lesions",
                source: "froc, sections 2, 3 and 6 of its definitions",
            },
            Self::CocoAp50 => PublishedFacts {
                name: "COCO AP50",
                figure: "average precision",
                hit: "IoU of at least 0.5 with the free lesion it overlaps most",
                second_hits: "false positives",
                reading: "highest precision at 101 recalls; the 100 highest scores of an image",
                over: "mean of the classes with lesions",
                source: "pycocotools 2.0, cocoeval.py",
            },
            Self::CocoAp => PublishedFacts {
                name: "COCO AP",
                hit: "the same at an IoU of 0.50, 0.55, ..., 0.95, averaged",
                ..Self::CocoAp50.facts()
            },
            Self::Luna16 => PublishedFacts {
                name: "LUNA16",
                figure: "CPM",
                hit: "centre within the lesion's radius of its centre, of every such lesion; of a box: half the mean of width and height",
                second_hits: "ignored",
                reading: AT_SEVEN,
                over: BY_CLASS,
                source: "LUNA16 (Setio and others 2017), noduleCADEvaluationLUNA16.py",
            },
            Self::Nndetection => PublishedFacts {
                name: "nnDetection",
                figure: "FROC score at an IoU of 0.1",
                hit: "IoU of at least 0.1 with the free lesion it overlaps most",
                second_hits: "false positives",
                reading: AT_SEVEN,
                over: "all classes ranked together",
                source: "nnDetection, nndet/evaluator/detection/froc.py at 97a58f3",
            },
            Self::Monai => PublishedFacts {
                name: "MONAI",
                figure: "FROC score",
                hit: "centre in the lesion's box; where boxes overlap, in the one listed last",
                second_hits: "ignored",
                reading: "linear between points, at 1/4 to 8 false positives per image; what has the lowest score of all is left out",
                over: BY_CLASS,
                source: "MONAI 1.5.0 (after CAMELYON16), monai/metrics/froc.py",
            },
            Self::ObjectCxr => PublishedFacts {
                name: "object-CXR",
                figure: "FROC",
                hit: "centre in the lesion's box or on its border, of every such lesion",
                second_hits: "ignored",
                reading: "where false positives per image reach 1/8, 1/4, ..., 8, one rate a detection",
                over: BY_CLASS,
                source: "object-CXR challenge, froc.py at 612fcc0",
            },
            Self::CocoFrocAnalysis => PublishedFacts {
                name: "coco-froc-analysis",
                figure: "mean sensitivity",
                hit: "none is needed: an image's detections count as hits while it has lesions left, wherever they are",
                second_hits: "false positives",
                reading: "linear between 50 score thresholds; it draws a curve, which is read here at the rates of this report",
                over: "mean of the classes with lesions",
                source: "coco-froc-analysis 0.2.15, froc/froc_stats.py",
            },
            Self::ChestxRay8 => PublishedFacts {
                name: "ChestX-ray8",
                figure: "accuracy",
                hit: "IoBB of more than a threshold",
                second_hits: "not told",
                reading: "not told",
                over: "each class by itself",
                source: "Wang and others, CVPR 2017",
            },
            Self::PicaiEval => PublishedFacts {
                name: "PI-CAI",
                figure: "lesion average precision",
                hit: "IoU of more than 0.1 of voxels, as many hits as possible",
                second_hits: "ignored",
                reading: "area under the precision-recall curve",
                over: "one class",
                source: "picai_eval, src/picai_eval/eval.py",
            },
        }
    }

    /// The rates at which it is read, in false positives per image; none where it is read otherwise.
    #[must_use]
    pub fn fp_per_image(self, options: &Options) -> Vec<f64> {
        match self {
            Self::ChestxDet10 => Options::default().fp_per_image().to_vec(),
            Self::Exact | Self::CocoFrocAnalysis => options.fp_per_image().to_vec(),
            Self::Luna16 | Self::Nndetection | Self::ObjectCxr => SEVEN_RATES.to_vec(),
            Self::Monai => SIX_RATES.to_vec(),
            Self::CocoAp50 | Self::CocoAp | Self::ChestxRay8 | Self::PicaiEval => Vec::new(),
        }
    }
}

/// A figure, 0..=1, or in one sentence why there is none.
pub type Figure = Result<f64, &'static str>;

/// The sentence where nothing is to be found.
pub const NO_LESIONS: &str = "No class has lesions.";
/// The sentence where the script's number is not defined.
pub const UNDEFINED: &str = "The script divides by zero here.";
const NO_SCRIPT: &str = "It is the evaluation of ChestX-Det10 alone, by IoU.";
const NO_PROBABILITIES: &str = "A score lies outside 0 to 1, and it takes probabilities.";
const KNOWS_NO_IGNORED: &str = "It knows no lesions that are ignored, and there are some.";
/// Why there is no figure of `ChestX-ray8`.
pub const NO_SCORES: &str = "Its boxes have no scores, and no code of its evaluation is published.";
/// Why there is no figure of `picai_eval`.
pub const NO_BOXES: &str = "It takes maps of voxels, in which candidates cannot overlap, and no boxes.";

/// The average recall of `eval.py` under its own options, whatever those of the report are.
///
/// # Errors
/// If there is no such script, its hits were not joined by IoU, or it divides by zero.
pub fn chestx_det10(ground_truth: &GroundTruth, run: &Run) -> Figure {
    let protocol = ground_truth.protocol();
    if !protocol.has_script() || protocol.measure() != Measure::Iou {
        return Err(NO_SCRIPT);
    }
    let convention = Convention { extent: Extent::PlusOne, ignores_second_boxes: false };
    let recall = scores(ground_truth, run, &Options::default(), convention).official_recall();
    average_recall(&recall).filter(|average| average.is_finite()).ok_or(UNDEFINED)
}

/// The figures that no other part of a report has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// That of [`Published::Luna16`].
    pub luna16: Figure,
    /// That of [`Published::Nndetection`].
    pub nndetection: Figure,
    /// That of [`Published::Monai`].
    pub monai: Figure,
    /// That of [`Published::ObjectCxr`].
    pub object_cxr: Figure,
    /// That of [`Published::CocoFrocAnalysis`].
    pub coco_froc_analysis: Figure,
}

impl Figures {
    /// Those of a run, which was made of the detections `predictions`; `fp_per_image` are the rates of the report.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, run: &Run, predictions: &Detections, fp_per_image: &[f64]) -> Self {
        let mut are_probabilities = true;
        // Lesions that are found at a score, and false positives, of all classes.
        let mut pooled = Vec::new();
        let [mut luna16, mut monai, mut object_cxr, mut coco_froc_analysis] = [(); 4].map(|()| Vec::new());
        for class in ground_truth.classes() {
            let class = Ranked::new(ground_truth, run, predictions, class);
            are_probabilities &= class.detections.iter().all(|one| (0.0..=1.0).contains(&one.score));
            pooled.extend(class.nndetection());
            if class.n_lesions > 0 {
                luna16.push(class.luna16());
                monai.push(class.monai());
                object_cxr.push(class.object_cxr());
                coco_froc_analysis.push(class.coco_froc_analysis(fp_per_image));
            }
        }
        let over_classes = |figures: Vec<f64>| mean(figures).ok_or(NO_LESIONS);
        let probabilities = |figure: Figure| if are_probabilities { figure } else { Err(NO_PROBABILITIES) };
        let without_ignored = |figure| if ground_truth.ignored().is_empty() { figure } else { Err(KNOWS_NO_IGNORED) };
        let n_lesions = ground_truth.n_all_lesions();
        let curve = || share_curve(pooled, n_lesions, ground_truth.n_images());
        Self {
            luna16: over_classes(luna16),
            nndetection: if n_lesions > 0 { Ok(mean_at(&curve(), &SEVEN_RATES)) } else { Err(NO_LESIONS) },
            monai: probabilities(over_classes(monai)),
            object_cxr: over_classes(object_cxr),
            coco_froc_analysis: without_ignored(probabilities(over_classes(coco_froc_analysis))),
        }
    }
}

/// A detection as it stands in the ranking of its class.
struct Seen {
    image: usize,
    score: f64,
    bbox: FileBox,
    /// Its place among those of the class in its image, from 1.
    place: u32,
}

/// The detections of a class by falling score, equal ones in the order of the images and files.
struct Ranked<'a> {
    ground_truth: &'a GroundTruth,
    class: Class,
    n_lesions: usize,
    detections: Vec<Seen>,
}

impl<'a> Ranked<'a> {
    fn new(ground_truth: &'a GroundTruth, run: &Run, predictions: &Detections, class: Class) -> Self {
        let images = run.images(class);
        let mut n_seen = vec![0; ground_truth.n_images()];
        let seen = |(rank, at): (u32, u32)| {
            let image = images[rank as usize] as usize;
            n_seen[image] += 1;
            let (score, bbox) = (predictions.score_in_file(at as usize), predictions.box_in_file(at as usize));
            Seen { image, score, bbox, place: n_seen[image] }
        };
        let detections = run.by_score_in_file(class, predictions).into_iter().map(seen).collect();
        Self { ground_truth, class, n_lesions: ground_truth.n_lesions(class), detections }
    }

    /// The number of the first lesion of the class in an image, and the lesions.
    fn lesions(&self, image: usize) -> (usize, &[FileBox]) {
        let first = self.ground_truth.lesions(self.class, image).0;
        (first as usize, self.ground_truth.lesions_in_file(self.class, image))
    }

    /// Whether a detection that finds no lesion is on one that is ignored.
    fn is_on_ignored(&self, one: &Seen, is_hit: impl Fn(FileBox, FileBox) -> bool) -> bool {
        let ignored = self.ground_truth.ignored_in(one.image).iter();
        let mut beside = ignored.filter(|lesion| lesion.class.is_none_or(|of| of == self.class));
        beside.any(|lesion| is_hit(one.bbox, lesion.bbox))
    }

    /// The scores above which the detections of each image count, where there are more than [`MAX_DETECTIONS`].
    fn cut(&self) -> Vec<Option<f64>> {
        let mut cut = vec![None; self.ground_truth.n_images()];
        for one in self.detections.iter().filter(|one| one.place == MAX_DETECTIONS + 1) {
            cut[one.image] = Some(one.score);
        }
        cut
    }

    /// Each lesion counts with the highest score that finds it.
    fn luna16(&self) -> f64 {
        let cut = self.cut();
        let counted = self.detections.iter().filter(|one| cut[one.image].is_none_or(|cut| one.score > cut));
        let mut found = vec![false; self.n_lesions];
        let mut scored = Vec::new();
        for one in counted {
            let (first, lesions) = self.lesions(one.image);
            let mut is_false = true;
            for (lesion, _) in (first..).zip(lesions).filter(|(_, lesion)| is_within_radius(one.bbox, **lesion)) {
                is_false = false;
                if !std::mem::replace(&mut found[lesion], true) {
                    scored.push((one.score, true));
                }
            }
            if is_false && !self.is_on_ignored(one, is_within_radius) {
                scored.push((one.score, false));
            }
        }
        mean_at(&share_curve(scored, self.n_lesions, self.ground_truth.n_images()), &SEVEN_RATES)
    }

    /// The score of each detection that counts, and whether it finds a lesion.
    fn nndetection(&self) -> Vec<(f64, bool)> {
        let mut is_free = vec![true; self.n_lesions];
        let mut scored = Vec::with_capacity(self.detections.len());
        for one in self.detections.iter().filter(|one| one.place <= MAX_DETECTIONS) {
            let (first, lesions) = self.lesions(one.image);
            let (mut best, mut least) = (None, NNDETECTION_IOU);
            for (lesion, bbox) in (first..).zip(lesions).filter(|(lesion, _)| is_free[*lesion]) {
                let iou = overlap(one.bbox, *bbox);
                if iou >= least {
                    (best, least) = (Some(lesion), iou);
                }
            }
            if let Some(lesion) = best {
                is_free[lesion] = false;
            }
            if best.is_some() || !self.is_on_ignored(one, |a, b| overlap(a, b) >= NNDETECTION_IOU) {
                scored.push((one.score, best.is_some()));
            }
        }
        scored
    }

    fn monai(&self) -> f64 {
        let mut found = vec![false; self.n_lesions];
        // MONAI keeps scores in f32.
        let mut scored = Vec::new();
        for one in &self.detections {
            let score = f64::from(one.score as f32);
            let (first, lesions) = self.lesions(one.image);
            // The mask of the lesions holds one number a pixel.
            match lesions.iter().rposition(|lesion| holds_centre(one.bbox, *lesion)) {
                Some(at) if std::mem::replace(&mut found[first + at], true) => {}
                None if self.is_on_ignored(one, holds_centre) => {}
                hit => scored.push((score, hit.is_some())),
            }
        }
        scored.extend(found.into_iter().filter(|is_found| !is_found).map(|_| (0.0, true)));
        let mut points = points(scored);
        points.pop();
        let n_images = self.ground_truth.n_images() as f64;
        let share = |[misses, hits]: [u32; 2]| (f64::from(misses) / n_images, f64::from(hits) / self.n_lesions as f64);
        let curve: Vec<(f64, f64)> = std::iter::once([0, 0]).chain(points).map(share).collect();
        mean_at(&curve, &SIX_RATES)
    }

    fn object_cxr(&self) -> f64 {
        let mut found = vec![false; self.n_lesions];
        let (mut hits, mut misses) = (0_u32, 0_u32);
        let mut read = Vec::new();
        for one in &self.detections {
            let (first, lesions) = self.lesions(one.image);
            let mut is_inside = false;
            for (lesion, _) in (first..).zip(lesions).filter(|(_, lesion)| holds_centre(one.bbox, **lesion)) {
                is_inside = true;
                hits += u32::from(!std::mem::replace(&mut found[lesion], true));
            }
            misses += u32::from(!is_inside && !self.is_on_ignored(one, holds_centre));
            let reached = f64::from(misses) / self.ground_truth.n_images() as f64;
            if SEVEN_RATES.get(read.len()).is_some_and(|rate| reached >= *rate) {
                read.push(hits);
            }
        }
        // The script stops with an error if not even the first rate is reached.
        let last = read.last().copied().unwrap_or(hits);
        read.resize(SEVEN_RATES.len(), last);
        read.into_iter().map(f64::from).sum::<f64>() / (SEVEN_RATES.len() * self.n_lesions) as f64
    }

    fn coco_froc_analysis(&self, fp_per_image: &[f64]) -> f64 {
        let mut n_shown = vec![0; self.ground_truth.n_images()];
        let (mut hits, mut misses) = (0_u32, 0_u32);
        let mut below = self.detections.iter().peekable();
        let mut curve = Vec::new();
        for step in (0..N_SAMPLES).rev() {
            let least = f64::from(step) * (1.0 / f64::from(N_SAMPLES));
            while let Some(one) = below.next_if(|one| one.score > least) {
                let is_hit = n_shown[one.image] < self.lesions(one.image).1.len();
                n_shown[one.image] += 1;
                hits += u32::from(is_hit);
                misses += u32::from(!is_hit);
            }
            let per_image = f64::from(misses) / n_shown.len() as f64;
            curve.push((per_image, f64::from(hits) / self.n_lesions as f64));
        }
        mean_at(&curve, fp_per_image)
    }
}

/// Whether the centre of a detection is nearer to that of a lesion than the radius of the circle that the lesion stands for.
fn is_within_radius(detection: FileBox, lesion: FileBox) -> bool {
    let ([x, y], [u, v]) = (centre(detection), centre(lesion));
    let diameter = f64::midpoint(lesion.x2 - lesion.x1, lesion.y2 - lesion.y1);
    (x - u).powi(2) + (y - v).powi(2) < (diameter / 2.0).powi(2)
}

/// Whether the centre of a detection lies in a lesion's box or on its border.
fn holds_centre(detection: FileBox, lesion: FileBox) -> bool {
    let [x, y] = centre(detection);
    lesion.x1 <= x && x <= lesion.x2 && lesion.y1 <= y && y <= lesion.y2
}

fn centre(bbox: FileBox) -> [f64; 2] {
    [f64::midpoint(bbox.x1, bbox.x2), f64::midpoint(bbox.y1, bbox.y2)]
}

/// How many false and how many true positives score at least each distinct score, the highest first.
fn points(mut scored: Vec<(f64, bool)>) -> Vec<[u32; 2]> {
    radsort::sort_by_key(&mut scored, |(score, _)| -score);
    let (mut hits, mut misses) = (0, 0);
    let mut of_group = |group: &[(f64, bool)]| {
        let n_hits = group.iter().filter(|(_, is_hit)| *is_hit).count() as u32;
        hits += n_hits;
        misses += group.len() as u32 - n_hits;
        [misses, hits]
    };
    scored.chunk_by(|a, b| a.0.eq(&b.0)).map(&mut of_group).collect()
}

/// The curve from (0, 0) on: false positives per image, which LUNA16 and nnDetection get from the share of all false positives that
/// scikit-learn's `roc_curve` gives, and the share of the lesions found.
fn share_curve(scored: Vec<(f64, bool)>, n_lesions: usize, n_images: usize) -> Vec<(f64, f64)> {
    let points = points(scored);
    let all = f64::from(points.last().map_or(0, |[misses, _]| *misses));
    let share = |[misses, hits]: [u32; 2]| {
        let per_image = if misses == 0 { 0.0 } else { f64::from(misses) / all * all / n_images as f64 };
        (per_image, f64::from(hits) / n_lesions as f64)
    };
    std::iter::once([0, 0]).chain(points).map(share).collect()
}

/// The mean of what `numpy.interp` reads at each rate off a curve whose rates do not fall.
fn mean_at(curve: &[(f64, f64)], rates: &[f64]) -> f64 {
    rates.iter().map(|rate| interpolated(curve, *rate)).sum::<f64>() / rates.len() as f64
}

/// `numpy.interp`: linear between two points, of several at one `x` the last, flat before the first and behind the last.
fn interpolated(curve: &[(f64, f64)], x: f64) -> f64 {
    let above = curve.partition_point(|point| point.0 <= x);
    match (above.checked_sub(1).map(|at| curve[at]), curve.get(above)) {
        (Some((x0, y0)), Some((x1, y1))) => (y1 - y0) / (x1 - x0) * (x - x0) + y0,
        (Some((_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => 0.0,
    }
}
