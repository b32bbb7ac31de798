//! What runs reach in the slices of a division, at the score thresholds of the whole set.

use super::Division;
use crate::bootstrap::{Draws, Interval};
use crate::compare::{holm, two_sided_p};
use crate::dataset::GroundTruth;
use crate::input::groups::Groups;
use crate::matching::Verdict;
use crate::options::{Options, Resampling};
use crate::protocol::Class;
use crate::run::Run;
use crate::score::mean;
use crate::score::sizes::{self, Limits};
use crate::thresholds::{Estimate, Thresholds};

/// With fewer lesions of a class a slice has no recall of it.
pub const LEAST_LESIONS: u32 = 5;

/// What a class of a run reaches in a slice, or the mean of the classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sliced {
    /// Images of the slice; where lesions are divided by size, those with such a lesion.
    pub n_images: u32,
    /// Lesions of the class, or of all classes.
    pub n_lesions: u32,
    /// One entry a rate.
    pub at_rates: Vec<At>,
}

/// At the score threshold of the whole set for a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// Detections scoring at least this are shown; `None` where none is, and for the mean.
    pub score_threshold: Option<f32>,
    /// Detections shown that found a lesion; `None` for the mean.
    pub true_positives: Option<u32>,
    /// All other detections shown; `None` for the mean, and where lesions are divided.
    pub false_positives: Option<u32>,
    /// True positives / lesions; `None` with fewer lesions than [`LEAST_LESIONS`].
    pub recall: Estimate,
    /// False positives / images; `None` where lesions are divided.
    pub fp_per_image: Estimate,
    /// Recall minus that of all others; `None` if one of both is.
    pub recall_difference: Option<Apart>,
    /// False positives per image minus those of all other images.
    pub fp_difference: Option<Apart>,
}

/// How much a slice differs from all other images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apart {
    /// Slice minus all others.
    pub value: f64,
    /// Percentiles of the differences of the replicates; `None` without a bootstrap.
    pub interval: Option<Interval>,
    /// Two-sided, as between runs.
    pub p: Option<f64>,
    /// The same adjusted by Holm's method over the classes and slices of the division; `None` for the mean.
    pub p_holm: Option<f64>,
}

impl Division {
    /// The classes that the mean recall is over, the same in all slices: those with [`LEAST_LESIONS`] in every slice that has any
    /// lesion.
    #[must_use]
    pub fn classes_in_mean(&self, ground_truth: &GroundTruth) -> Vec<Class> {
        let n_lesions = ground_truth.per_class(|class| lesions_of_slices(self, ground_truth, class));
        let n_lesions: Vec<&[u32]> = n_lesions.iter().map(Vec::as_slice).collect();
        ground_truth.classes().zip(in_mean(&n_lesions)).filter_map(|(class, is_in)| is_in.then_some(class)).collect()
    }

    /// What a run reaches: for each slice each class in the order of the protocol, then the mean over the classes. Intervals and p
    /// are over the groups of images, on the draws of [`crate::bootstrap`], with the thresholds fixed.
    #[must_use]
    pub fn reached(
        &self,
        ground_truth: &GroundTruth,
        run: &Run,
        options: &Options,
        resampling: Option<(&Resampling, &Groups)>,
    ) -> Vec<Vec<Sliced>> {
        let by_image = Groups::images(ground_truth);
        let groups = resampling.map_or(&by_image, |(_, groups)| groups);
        let thresholds = Thresholds::of(ground_truth, run, options);
        let sample = Sample::new(self, ground_truth, (run, &thresholds), groups);
        let values = Tally { of: sample.count(&vec![1; groups.n_groups()]), sample: &sample };
        let replicates = resampling.map(|(resampling, _)| Replicates::new(&sample, resampling, groups.n_groups()));
        let mut reached: Vec<Vec<Sliced>> = (0..self.slices.len())
            .map(|slice| {
                let row = |row: usize| sample.row(&values, replicates.as_ref(), &thresholds, (slice, row));
                (0..=sample.classes.len()).map(row).collect()
            })
            .collect();
        adjust(&mut reached, |at| &mut at.recall_difference);
        adjust(&mut reached, |at| &mut at.fp_difference);
        reached
    }
}

/// Holm's adjustment at each rate over all slices and classes; of two slices, whose differences are one with two signs, once.
fn adjust(slices: &mut [Vec<Sliced>], of: impl Fn(&mut At) -> &mut Option<Apart>) {
    let n_rates = slices.first().and_then(|rows| rows.first()).map_or(0, |row| row.at_rates.len());
    let n_apart = if slices.len() == 2 { 1 } else { slices.len() };
    for rate in 0..n_rates {
        // The mean stands last, and is not adjusted.
        let mut differences: Vec<Vec<&mut Apart>> = Vec::new();
        for rows in slices.iter_mut() {
            let n_classes = rows.len().saturating_sub(1);
            let classes = rows[..n_classes].iter_mut();
            differences.push(classes.filter_map(|row| of(&mut row.at_rates[rate]).as_mut()).collect());
        }
        let p: Vec<f64> = differences[..n_apart].iter().flatten().filter_map(|apart| apart.p).collect();
        let adjusted = holm(&p);
        for (apart, p_holm) in differences.iter_mut().flatten().zip(adjusted.iter().cycle()) {
            apart.p_holm = apart.p.map(|_| *p_holm);
        }
    }
}

/// A division of a run at its thresholds, to be counted under any weights of the units that are drawn.
struct Sample {
    n_slices: usize,
    n_rates: usize,
    is_by_size: bool,
    /// Unit, slice, and how many images of it are there.
    images: Vec<[u32; 3]>,
    classes: Vec<ClassSample>,
    /// Whether the mean recall is over a class, in all slices alike.
    is_in_mean: Vec<bool>,
}

struct ClassSample {
    /// Images with such a lesion, for each slice.
    images_of_size: Vec<u32>,
    /// Unit, slice, and how many lesions are there.
    lesions: Vec<[u32; 3]>,
    shown: Vec<Shown>,
    /// Lesions of each slice.
    n_lesions: Vec<u32>,
}

/// A detection that is shown from a rate on.
struct Shown {
    unit: u32,
    slice: u32,
    rate: u32,
    is_hit: bool,
}

/// What is counted under some weights: the images of each slice; then for each class and slice its lesions, its true positives at
/// each rate, and its false positives at each rate.
struct Tally<'a> {
    sample: &'a Sample,
    of: Vec<u32>,
}

/// A number of a slice under some weights.
type Number<'a> = &'a dyn Fn(&Tally<'_>) -> Option<f64>;

/// Which part of the images.
#[derive(Clone, Copy)]
enum Part {
    Slice(usize),
    Others(usize),
}

impl Sample {
    fn new(division: &Division, ground_truth: &GroundTruth, run: (&Run, &Thresholds), groups: &Groups) -> Self {
        let (run, thresholds) = run;
        let n_slices = division.slices.len();
        let images = (0..ground_truth.n_images()).map(|image| {
            // Where lesions are divided, there is nothing to count of images.
            let slice = if division.is_by_size { 0 } else { division.of_image[image] };
            [groups.of_image()[image], slice, 1]
        });
        let class = |class: Class| ClassSample::new(division, ground_truth, (run, class, thresholds), groups);
        let classes: Vec<ClassSample> = ground_truth.classes().map(class).collect();
        Self {
            n_slices,
            n_rates: thresholds.fp_per_image.len(),
            is_by_size: division.is_by_size,
            images: joined(images.collect()),
            is_in_mean: in_mean(&classes.iter().map(|class| class.n_lesions.as_slice()).collect::<Vec<_>>()),
            classes,
        }
    }

    fn count(&self, weights: &[u32]) -> Vec<u32> {
        let weight = |unit: &u32| weights[*unit as usize];
        let n_counts = self.n_counts();
        let mut tally = vec![0; self.n_slices + self.classes.len() * self.n_slices * n_counts];
        for [unit, slice, n] in &self.images {
            tally[*slice as usize] += weight(unit) * n;
        }
        for (class, sample) in self.classes.iter().enumerate() {
            for [unit, slice, n] in &sample.lesions {
                tally[self.at(class, *slice as usize)] += weight(unit) * n;
            }
            for Shown { unit, slice, rate, is_hit } in &sample.shown {
                let first = 1 + if *is_hit { 0 } else { self.n_rates } + *rate as usize;
                tally[self.at(class, *slice as usize) + first] += weight(unit);
            }
            // What is shown at a rate is shown at all above it.
            for slice in 0..self.n_slices {
                let counts = &mut tally[self.at(class, slice) + 1..][..2 * self.n_rates];
                for of_kind in counts.chunks_mut(self.n_rates.max(1)) {
                    (1..of_kind.len()).for_each(|rate| of_kind[rate] += of_kind[rate - 1]);
                }
            }
        }
        tally
    }

    /// Numbers of a class in a slice.
    const fn n_counts(&self) -> usize {
        1 + 2 * self.n_rates
    }

    const fn at(&self, class: usize, slice: usize) -> usize {
        self.n_slices + (class * self.n_slices + slice) * self.n_counts()
    }

    /// Whether a class has enough lesions there for a recall.
    fn has_enough(&self, class: usize, part: Part) -> bool {
        let lesions = &self.classes[class].n_lesions;
        let n = match part {
            Part::Slice(slice) => lesions[slice],
            Part::Others(slice) => lesions.iter().sum::<u32>() - lesions[slice],
        };
        n >= LEAST_LESIONS
    }

    /// A class in a slice, or behind the last class their mean.
    fn row(
        &self,
        values: &Tally<'_>,
        replicates: Option<&Replicates<'_>>,
        thresholds: &Thresholds,
        (slice, row): (usize, usize),
    ) -> Sliced {
        let class = (row < self.classes.len()).then_some(row);
        let n_lesions = |class: usize| self.classes[class].n_lesions[slice];
        let n_images = match class {
            Some(class) if self.is_by_size => self.classes[class].images_of_size[slice],
            None if self.is_by_size => 0,
            _ => values.of[slice],
        };
        let at = |rate: usize| {
            let estimate = |number: Number<'_>| {
                let value = number(values);
                let interval = replicates.filter(|_| value.is_some()).and_then(|of| of.interval(number));
                Estimate { value, interval }
            };
            let apart = |number: Number<'_>| {
                let value = number(values)?;
                let (interval, p) = replicates.and_then(|of| of.difference(number)).unzip();
                Some(Apart { value, interval, p, p_holm: None })
            };
            let counted = |first: usize| class.map(|class| values.of[self.at(class, slice) + first + rate]);
            At {
                score_threshold: class.and_then(|class| thresholds.classes[class].score_threshold[rate]),
                true_positives: counted(1),
                false_positives: counted(1 + self.n_rates).filter(|_| !self.is_by_size),
                recall: estimate(&|tally| tally.recall(class, Part::Slice(slice), rate)),
                fp_per_image: estimate(&|tally| tally.fp_per_image(class, Part::Slice(slice), rate)),
                recall_difference: apart(&|tally| {
                    tally.difference(class, slice, |of, part| tally.recall_of_class(class, of, part, rate))
                }),
                fp_difference: apart(&|tally| {
                    tally.difference(class, slice, |of, part| tally.fp_of_class(class, of, part, rate))
                }),
            }
        };
        Sliced {
            n_images,
            n_lesions: class.map_or_else(|| (0..self.classes.len()).map(n_lesions).sum(), n_lesions),
            at_rates: (0..self.n_rates).map(at).collect(),
        }
    }
}

impl ClassSample {
    fn has_lesions(&self) -> bool {
        self.n_lesions.iter().any(|n| *n > 0)
    }

    fn new(
        division: &Division,
        ground_truth: &GroundTruth,
        (run, class, thresholds): (&Run, Class, &Thresholds),
        groups: &Groups,
    ) -> Self {
        let n_slices = division.slices.len();
        let limits = Limits::new(ground_truth, class, sizes::Division::Thirds);
        let mut slice_of_lesion = vec![0; ground_truth.n_lesions(class)];
        let mut lesions = Vec::new();
        let (mut n_lesions, mut images_of_size) = (vec![0; n_slices], vec![0; n_slices]);
        for image in 0..ground_truth.n_images() {
            let mut is_there = vec![false; n_slices];
            let (first, boxes) = ground_truth.lesions(class, image);
            for (lesion, bbox) in (first as usize..).zip(boxes) {
                let slice = division.slice(image, || limits.size(*bbox));
                slice_of_lesion[lesion] = slice as u32;
                lesions.push([groups.of_image()[image], slice as u32, 1]);
                n_lesions[slice] += 1;
                images_of_size[slice] += u32::from(!std::mem::replace(&mut is_there[slice], true));
            }
        }
        let iou_threshold = thresholds.iou_threshold;
        let verdicts = run.verdicts(class, slice_of_lesion.len(), iou_threshold, ground_truth.protocol().extent());
        let mut claims = verdicts.claims().iter().filter(|claim| !claim.is_duplicate).peekable();
        let score_thresholds = &thresholds.classes[class.index()].score_threshold;
        let scores = run.ranking(class).scores();
        let shown = (0_u32..).zip(verdicts.iter()).zip(run.images(class)).filter_map(|((rank, verdict), image)| {
            let found = claims.next_if(|claim| claim.rank == rank).map(|claim| slice_of_lesion[claim.lesion as usize]);
            let of_image = (!division.is_by_size).then(|| division.of_image[image as usize]);
            let is_shown = |least: &Option<f32>| least.is_some_and(|least| scores[rank as usize] >= least);
            let rate = score_thresholds.iter().position(is_shown)? as u32;
            // A false positive is of no size.
            let slice = found.or(of_image).filter(|_| verdict != Verdict::Ignored)?;
            Some(Shown { unit: groups.of_image()[image as usize], slice, rate, is_hit: found.is_some() })
        });
        let shown = shown.collect();
        Self { images_of_size, lesions: joined(lesions), shown, n_lesions }
    }
}

/// Whether each class, given by its lesions in each slice, has enough in every slice, but for slices without any lesion.
fn in_mean(n_lesions: &[&[u32]]) -> Vec<bool> {
    let has_lesions = |slice: usize| n_lesions.iter().any(|of_class| of_class[slice] > 0);
    let has_enough =
        |of_class: &&[u32]| (0..).zip(of_class.iter()).all(|(slice, n)| *n >= LEAST_LESIONS || !has_lesions(slice));
    n_lesions.iter().map(has_enough).collect()
}

/// Lesions of a class in each slice.
fn lesions_of_slices(division: &Division, ground_truth: &GroundTruth, class: Class) -> Vec<u32> {
    let limits = Limits::new(ground_truth, class, sizes::Division::Thirds);
    let mut n_lesions = vec![0; division.slices.len()];
    for image in 0..ground_truth.n_images() {
        for bbox in ground_truth.lesions(class, image).1 {
            n_lesions[division.slice(image, || limits.size(*bbox))] += 1;
        }
    }
    n_lesions
}

/// What is of one unit and slice, together.
fn joined(mut all: Vec<[u32; 3]>) -> Vec<[u32; 3]> {
    all.sort_unstable();
    all.dedup_by(|next, kept| {
        let is_same = next[..2] == kept[..2];
        if is_same {
            kept[2] += next[2];
        }
        is_same
    });
    all
}

impl Tally<'_> {
    /// A count of a class in a part of the images: 0 its lesions, then its true positives at each rate, then its false ones.
    fn count(&self, class: usize, part: Part, count: usize) -> u32 {
        let of = |slice: usize| self.of[self.sample.at(class, slice) + count];
        self.summed(part, of)
    }

    fn summed(&self, part: Part, of: impl Fn(usize) -> u32) -> u32 {
        match part {
            Part::Slice(slice) => of(slice),
            Part::Others(slice) => (0..self.sample.n_slices).filter(|other| *other != slice).map(of).sum(),
        }
    }

    /// The number of a class, or the mean of it over classes.
    fn of_class(&self, class: Option<usize>, number: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        match class {
            Some(class) => number(class),
            None => mean((0..self.sample.classes.len()).filter_map(number)),
        }
    }

    fn recall_of_class(&self, row: Option<usize>, class: usize, part: Part, rate: usize) -> Option<f64> {
        let is_in = self.sample.has_enough(class, part) && (row.is_some() || self.sample.is_in_mean[class]);
        let found = || self.count(class, part, 1 + rate);
        if is_in { ratio(found(), self.count(class, part, 0)) } else { None }
    }

    fn recall(&self, class: Option<usize>, part: Part, rate: usize) -> Option<f64> {
        self.of_class(class, |of| self.recall_of_class(class, of, part, rate))
    }

    /// A number of a slice minus that of all others; of the mean, the mean of the differences of the classes.
    fn difference(
        &self,
        class: Option<usize>,
        slice: usize,
        number: impl Fn(usize, Part) -> Option<f64>,
    ) -> Option<f64> {
        let of = |class: usize| Some(number(class, Part::Slice(slice))? - number(class, Part::Others(slice))?);
        self.of_class(class, of)
    }

    fn fp_per_image(&self, class: Option<usize>, part: Part, rate: usize) -> Option<f64> {
        self.of_class(class, |of| self.fp_of_class(class, of, part, rate))
    }

    /// That of a class for its own row, or for that of the mean, which classes without any lesion are not in.
    fn fp_of_class(&self, row: Option<usize>, class: usize, part: Part, rate: usize) -> Option<f64> {
        let is_in = !self.sample.is_by_size && (row.is_some() || self.sample.classes[class].has_lesions());
        let wrong = || self.count(class, part, 1 + self.sample.n_rates + rate);
        if is_in { ratio(wrong(), self.summed(part, |slice| self.of[slice])) } else { None }
    }
}

fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

/// What is counted in each replicate.
struct Replicates<'a> {
    of: Vec<Tally<'a>>,
    level: f64,
}

impl<'a> Replicates<'a> {
    fn new(sample: &'a Sample, resampling: &Resampling, n_units: usize) -> Self {
        let mut draws = Draws::new(resampling.seed(), n_units);
        let replicate = |at: u32| Tally { sample, of: sample.count(draws.replicate(u64::from(at))) };
        Self { of: (0..resampling.replicates()).map(replicate).collect(), level: resampling.level() }
    }

    fn interval(&self, number: Number<'_>) -> Option<Interval> {
        Interval::new(self.of.iter().map(number), self.level)
    }

    /// The interval of a difference, and its p.
    fn difference(&self, number: Number<'_>) -> Option<(Interval, f64)> {
        let differences: Vec<Option<f64>> = self.of.iter().map(number).collect();
        let p = two_sided_p(differences.iter().flatten().copied());
        Some((Interval::new(differences.into_iter(), self.level)?, p))
    }
}
