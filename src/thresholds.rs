//! Score thresholds chosen on other images than those that are scored at them ([section 12](crate::metric)).

mod table;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Draws, Interval, lesions_of_units};
use crate::curve::Curve;
use crate::dataset::{GroundTruth, map_all};
use crate::error::Error;
use crate::geometry::Measure;
use crate::input::{self, groups::Groups};
use crate::matching::Verdict;
use crate::options::{Hit, Options, Resampling};
use crate::protocol::Class;
use crate::run::Run;
use crate::score::official::Counts;
use crate::score::{exact, mean};

/// The score threshold of each class at each rate, and what they were chosen on: what a file of thresholds holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The dataset whose evaluation they are for, such as `ChestX-Det10`; null of one that has no name but that of its file.
    pub protocol: Option<String>,
    /// Classes whose lesions are ignored, sorted by name.
    pub ignored_classes: Vec<String>,
    /// Least overlap with which a detection finds a lesion, above 0 and up to 1.
    pub iou_threshold: f64,
    /// What is compared with that; absent of IoU.
    #[serde(default, skip_serializing_if = "is_iou")]
    pub measure: Measure,
    /// The rates that they reach, in false positives per image, above 0 and rising.
    pub fp_per_image: Vec<f64>,
    /// Base name of the ground truth that they were chosen on.
    pub ground_truth: String,
    /// SHA-256 of that.
    pub ground_truth_sha256: String,
    /// Name of the run that they were chosen on.
    pub run: String,
    /// One entry a class.
    pub classes: Vec<ClassThresholds>,
    /// Name and SHA-256 of the file that they were read from; `None` where they were not.
    #[serde(skip)]
    pub file: Option<(String, String)>,
}

/// The score thresholds of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassThresholds {
    /// Its name.
    pub name: String,
    /// One a rate: detections scoring at least this are shown; where it is null, none is.
    pub score_threshold: Vec<Option<f32>>,
}

/// What a class of a run, or the mean of the classes, reaches at a score threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// What is counted; `None` for the mean.
    pub counted: Option<Counted>,
    /// True positives / lesions; `None` without lesions.
    pub recall: Estimate,
    /// False positives / images.
    pub fp_per_image: Estimate,
    /// True positives / detections shown; `None` where nothing is shown.
    pub precision: Estimate,
    /// Exact recall at the rate: at the threshold that reaches it on these images; `None` without lesions.
    pub exact_recall: Option<f64>,
}

/// What is counted of a class at a score threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// Detections scoring at least this are shown; where it is `None`, none is.
    pub score_threshold: Option<f32>,
    /// Detections shown that found a lesion.
    pub true_positives: u64,
    /// All other detections shown.
    pub false_positives: u64,
    /// Lesions of the class.
    pub n_lesions: u64,
}

/// A number and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// On the sample itself.
    pub value: Option<f64>,
    /// `None` without a bootstrap, or if the number is defined in no replicate.
    pub interval: Option<Interval>,
}

impl Reached {
    /// How much a choice of the thresholds on these images flatters: exact recall minus recall, -1..=1; `None` without lesions.
    #[must_use]
    pub fn optimism(&self) -> Option<f64> {
        Some(self.exact_recall? - self.recall.value?)
    }
}

impl Thresholds {
    /// The exact operating points of a run ([section 6](crate::metric)): for each class and rate the lowest score threshold at
    /// which the false positives per image are not above the rate, also of a class without lesions.
    #[must_use]
    pub fn of(ground_truth: &GroundTruth, run: &Run, options: &Options) -> Self {
        let of_class = |class| {
            let detections = Marked::new(ground_truth, run, class, options.iou_threshold());
            let points = exact::operating_points(&detections.curve, detections.counts, options.fp_per_image());
            ClassThresholds {
                name: ground_truth.protocol().class_name(class).to_owned(),
                score_threshold: points.iter().map(|point| point.score_threshold).collect(),
            }
        };
        Self {
            protocol: name_of(ground_truth).map(str::to_owned),
            ignored_classes: ignored_classes(ground_truth),
            iou_threshold: options.iou_threshold(),
            measure: ground_truth.protocol().measure(),
            fp_per_image: options.fp_per_image().to_vec(),
            ground_truth: ground_truth.name().to_owned(),
            ground_truth_sha256: ground_truth.sha256().to_owned(),
            run: run.name().to_owned(),
            classes: ground_truth.classes().map(of_class).collect(),
            file: None,
        }
    }

    /// Whether the first bytes of a file are those of what [`Thresholds::json`] or [`Thresholds::csv`] writes.
    pub(crate) fn is(head: &[u8]) -> bool {
        let holds = |key: &[u8]| head.windows(key.len()).any(|part| part == key);
        match head.trim_ascii_start().first() {
            Some(b'{') => holds(b"\"ground_truth_sha256\"") && !holds(b"\"schema_version\""),
            _ => holds(b"ground_truth_sha256") && table::is(head),
        }
    }

    /// Reads a file as [`Thresholds::json`] or [`Thresholds::csv`] writes it, told by its structure; `name` is its base name.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let wrong =
            |what: String| Error::new(name, what, "score thresholds as froc score --save-thresholds writes them");
        let read: Self = if table::is(bytes) {
            table::read(name, bytes)?
        } else {
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("it holds none ({error})")))?
        };
        Hit::new(read.measure, read.iou_threshold)
            .and_then(|hit| Options::of_hit(hit, read.fp_per_image.clone()))
            .map_err(|error| error.within(name))?;
        let n_rates = read.fp_per_image.len();
        if let Some(class) = read.classes.iter().find(|class| class.score_threshold.len() != n_rates) {
            let n = class.score_threshold.len();
            return Err(wrong(format!("class {} has {n} score thresholds for {n_rates} rates", class.name)));
        }
        Ok(Self { file: Some((name.to_owned(), input::sha256(bytes))), ..read })
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn json(&self) -> Result<Vec<u8>, Error> {
        let cannot =
            |error: serde_json::Error| Error::new("score thresholds", error.to_string(), "fewer classes or rates");
        let mut bytes = serde_json::to_vec_pretty(self).map_err(cannot)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The same as a table, for people and spreadsheets: a line for each class and rate, and one for each class that is ignored.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        table::bytes(self)
    }

    /// The thresholds of each class of a ground truth, in its order, one a rate.
    ///
    /// # Errors
    /// If they are for another dataset, ignored classes or IoU threshold, or a class has none.
    fn fitted(&self, ground_truth: &GroundTruth, iou: f64) -> Result<Vec<&[Option<f32>]>, Error> {
        let place = self.file.as_ref().map_or("score thresholds", |(name, _)| name);
        let called =
            |name: Option<&str>, file: &str| name.map_or_else(|| format!("the dataset of {file}"), str::to_owned);
        let (there, wanted) = (self.protocol.as_deref(), name_of(ground_truth));
        if there != wanted {
            let there = called(there, &self.ground_truth);
            let expected = format!("those for {}: choose them on images of that", called(wanted, ground_truth.name()));
            return Err(Error::new(place, format!("its score thresholds are for {there}"), expected));
        }
        let (hit, wanted) =
            (Hit::written(self.measure, self.iou_threshold), Hit::written(ground_truth.protocol().measure(), iou));
        if hit != wanted && (hit.measure() != Measure::Iou || wanted.measure() != Measure::Iou) {
            let expected = format!("those for {wanted}: score with --hit {}, or choose them anew", hit.id());
            return Err(Error::new(place, format!("its score thresholds are for {hit}"), expected));
        }
        let (there, wanted) = (&self.ignored_classes, ignored_classes(ground_truth));
        if *there != wanted {
            let called =
                |classes: &[String]| if classes.is_empty() { "no class".to_owned() } else { classes.join(", ") };
            let flags = |classes: &[String]| match classes {
                [] => "without --ignore".to_owned(),
                classes => format!("with --ignore \"{}\"", classes.join("\" --ignore \"")),
            };
            let expected = format!("{}: score {}, or choose them {}", called(&wanted), flags(there), flags(&wanted));
            return Err(Error::new(place, format!("its score thresholds ignore {}", called(there)), expected));
        }
        let there = self.iou_threshold;
        if there.to_bits() != iou.to_bits() {
            let expected = format!("{iou}: score with --iou {there}, or choose them at {iou}");
            return Err(Error::new(place, format!("its score thresholds are for IoU threshold {there}"), expected));
        }
        let of_class = |class| {
            let name = ground_truth.protocol().class_name(class);
            let none = || {
                let expected = format!("one of each class of {}: choose them with all of them", ground_truth.name());
                Error::new(place, format!("there is no score threshold of class {name}"), expected)
            };
            let found = self.classes.iter().find(|class| class.name == name).ok_or_else(none)?;
            Ok(found.score_threshold.as_slice())
        };
        ground_truth.classes().map(of_class).collect()
    }

    /// What a run reaches under an IoU threshold, one entry a rate of these thresholds: each class in the order of the protocol, then the mean over the
    /// classes with lesions. Intervals are over the groups of images, on the draws of [`crate::bootstrap`].
    ///
    /// # Errors
    /// If they are for another dataset, ignored classes or IoU threshold, or a class has none.
    pub fn reached(
        &self,
        ground_truth: &GroundTruth,
        run: &Run,
        iou_threshold: f64,
        resampling: Option<(&Resampling, &Groups)>,
    ) -> Result<Vec<Vec<Reached>>, Error> {
        let of_class = |(class, thresholds)| (Marked::new(ground_truth, run, class, self.iou_threshold), thresholds);
        let fitted = self.fitted(ground_truth, iou_threshold)?;
        let classes: Vec<(Marked, &[Option<f32>])> = ground_truth.classes().zip(fitted).map(of_class).collect();
        let of_rate = |rate: usize| {
            let shown: Vec<(&Marked, Option<f32>)> = classes.iter().map(|(class, of)| (class, of[rate])).collect();
            at_rate(&shown, self.fp_per_image[rate], ground_truth, resampling)
        };
        Ok(map_all((0..self.fp_per_image.len()).collect(), of_rate))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_iou(measure: &Measure) -> bool {
    *measure == Measure::Iou
}

/// What the dataset is called, unless it has no name but that of its file.
fn name_of(ground_truth: &GroundTruth) -> Option<&str> {
    let name = ground_truth.protocol().name();
    (name != ground_truth.name()).then_some(name)
}

fn ignored_classes(ground_truth: &GroundTruth) -> Vec<String> {
    let mut classes: Vec<String> = ground_truth.protocol().ignored_classes().map(str::to_owned).collect();
    classes.sort_unstable();
    classes
}

/// The detections of a class of a run by falling score, and what became of each.
struct Marked {
    class: Class,
    counts: Counts,
    curve: Curve,
    scores: std::sync::Arc<[f32]>,
    /// Image of each, and whether it is a true positive; those that are ignored are not among them.
    marks: Vec<(u32, bool)>,
}

impl Marked {
    fn new(ground_truth: &GroundTruth, run: &Run, class: Class, iou_threshold: f64) -> Self {
        let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
        let verdicts = run.verdicts(class, counts.n_lesions, iou_threshold, ground_truth.protocol().extent());
        let marks = run.images(class).into_iter().zip(verdicts.iter());
        let marks = marks.filter(|(_, verdict)| *verdict != Verdict::Ignored);
        let marks = marks.map(|(image, verdict)| (image, verdict == Verdict::TruePositive)).collect();
        let (scores, verdicts) = run.ranking(class).counted(verdicts);
        Self { class, counts, curve: Curve::new(scores.clone(), verdicts.hits()), scores, marks }
    }

    /// Those that score at least the threshold.
    fn shown(&self, score_threshold: Option<f32>) -> &[(u32, bool)] {
        let n_shown = score_threshold.map_or(0, |least| self.scores.partition_point(|score| *score >= least));
        &self.marks[..n_shown]
    }
}

/// What each class reaches at its threshold, then the mean.
fn at_rate(
    classes: &[(&Marked, Option<f32>)],
    fp_per_image: f64,
    ground_truth: &GroundTruth,
    resampling: Option<(&Resampling, &Groups)>,
) -> Vec<Reached> {
    let by_image = Groups::images(ground_truth);
    let sample = Sample::new(classes, ground_truth, resampling.map_or(&by_image, |(_, groups)| groups));
    let ones = vec![1; sample.sizes.len()];
    let values = sample.numbers(&ones);
    let intervals = resampling.map(|(resampling, _)| sample.intervals(resampling));
    let own = |(class, _): &(&Marked, _)| {
        exact::recall(exact::operating_points(&class.curve, class.counts, &[fp_per_image])[0], class.counts)
    };
    let mut exact_recall: Vec<Option<f64>> = classes.iter().map(own).collect();
    exact_recall.push(mean(exact_recall.iter().copied().flatten()));
    let counted = classes.iter().zip(&sample.classes).map(|((_, score_threshold), of)| {
        let [n_lesions, true_positives, false_positives] = of.counted(&ones);
        Some(Counted { score_threshold: *score_threshold, true_positives, false_positives, n_lesions })
    });
    let reached = |(place, (counted, exact_recall)): (usize, (Option<Counted>, Option<f64>))| {
        let estimate = |of: usize| Estimate {
            value: values[place][of],
            interval: intervals.as_ref().and_then(|intervals| intervals[place][of]),
        };
        Reached { counted, recall: estimate(0), fp_per_image: estimate(1), precision: estimate(2), exact_recall }
    };
    counted.chain([None]).zip(exact_recall).enumerate().map(reached).collect()
}

/// All classes at their thresholds, to be counted under any weights of the units that are drawn: images, or groups of them.
struct Sample {
    /// Images of each unit.
    sizes: Vec<u32>,
    classes: Vec<ClassSample>,
}

struct ClassSample {
    /// Units with lesions of the class, and how many.
    lesions: Vec<(u32, u32)>,
    /// The unit of each detection shown, and whether it is a true positive.
    shown: Vec<(u32, bool)>,
}

impl Sample {
    fn new(classes: &[(&Marked, Option<f32>)], ground_truth: &GroundTruth, groups: &Groups) -> Self {
        let unit = |(image, is_hit): &(u32, bool)| (groups.of_image()[*image as usize], *is_hit);
        let class = |(class, score_threshold): &(&Marked, Option<f32>)| ClassSample {
            lesions: lesions_of_units(ground_truth, class.class, groups),
            shown: class.shown(*score_threshold).iter().map(unit).collect(),
        };
        Self { sizes: groups.sizes(), classes: classes.iter().map(class).collect() }
    }

    /// Recall, false positives per image and precision of each class, then their means over the classes with lesions.
    fn numbers(&self, weights: &[u32]) -> Vec<[Option<f64>; 3]> {
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let n_images =
            weights.iter().zip(&self.sizes).map(|(weight, size)| u64::from(*weight) * u64::from(*size)).sum();
        let of_class = |class: &ClassSample| {
            let [lesions, hits, misses] = class.counted(weights);
            [ratio(hits, lesions), ratio(misses, n_images), ratio(hits, hits + misses)]
        };
        let mut all: Vec<[Option<f64>; 3]> = self.classes.iter().map(of_class).collect();
        let with_lesions = || all.iter().filter(|numbers| numbers[0].is_some());
        all.push([0, 1, 2].map(|of| mean(with_lesions().filter_map(|numbers| numbers[of]))));
        all
    }

    /// The interval of each of these numbers.
    fn intervals(&self, resampling: &Resampling) -> Vec<[Option<Interval>; 3]> {
        let mut draws = Draws::new(resampling.seed(), self.sizes.len());
        let replicates: Vec<Vec<[Option<f64>; 3]>> =
            (0..resampling.replicates()).map(|at| self.numbers(draws.replicate(u64::from(at)))).collect();
        let interval = |place: usize, of: usize| {
            Interval::new(replicates.iter().map(|numbers| numbers[place][of]), resampling.level())
        };
        (0..=self.classes.len()).map(|place| [0, 1, 2].map(|of| interval(place, of))).collect()
    }
}

impl ClassSample {
    /// Lesions, true positives and false positives, each as often as its unit is drawn.
    fn counted(&self, weights: &[u32]) -> [u64; 3] {
        let weight = |unit: u32| u64::from(weights[unit as usize]);
        let lesions = self.lesions.iter().map(|(unit, lesions)| weight(*unit) * u64::from(*lesions)).sum();
        let of =
            |kind: bool| self.shown.iter().filter(|(_, is_hit)| *is_hit == kind).map(|(unit, _)| weight(*unit)).sum();
        [lesions, of(true), of(false)]
    }
}
