//! How sure the exact score is: images, or groups of images, are resampled with replacement ([section 8](crate::metric)).
//!
//! Matching does not change under resampling, so it is done once. A replicate is a weight for each unit (an image, or a
//! group), and keeps only whole numbers: the lesions of each class, and those found at each rate.
//!
//! # The generator `froc-bootstrap-1`
//! Replicate `r` of seed `s` is drawn from `ChaCha8` with the key `s` (8 bytes, little-endian), `froc-bootstrap-1` (16
//! bytes), 8 zero bytes, and the stream number `r`. Of its 32-bit words, one a draw, each gives a unit below `n` by Lemire's
//! method (ACM Transactions on Modeling and Computer Simulation 29, 2019): the high half of `word * n`, after passing over
//! words whose low half is below `2^32 mod n`. A replicate is `n` draws. So it depends on nothing but `(s, r, n)`.

mod stratified;

use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::dataset::{GroundTruth, map_all};
use crate::error::Error;
use crate::input::groups::Groups;
use crate::matching::Verdict;
use crate::options::{Options, Resampling};
use crate::protocol::Class;
use crate::run::Run;
use crate::score::official::Counts;
use crate::score::{average_recall, mean};
pub use stratified::{Figures, StratifiedBootstrap};

/// Name and version of the generator; it changes when the draws of a seed do.
pub const GENERATOR: &str = "froc-bootstrap-1";

/// Units are numbered in 30 bits, beside two flags.
const MAX_UNITS: usize = 1 << 30;

/// What a statistic is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// One class.
    Class(Class),
    /// The mean over the classes that have lesions.
    Mean,
    /// All detections ranked together, against all lesions.
    Pooled,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Exact recall at the rate of that place.
    Recall(usize),
    /// The mean of the recalls at all rates.
    Average,
}

/// Where a statistic of another sample of images would lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower and upper end.
    pub ends: [f64; 2],
    /// Replicates left out since they hold no lesion of the class.
    pub n_without_lesions: usize,
}

/// The weights of the units in one replicate.
///
/// ```
/// use froc::bootstrap::Draws;
/// let mut draws = Draws::new(1, 100);
/// assert_eq!(draws.replicate(7).iter().sum::<u32>(), 100);
/// ```
#[derive(Debug, Clone)]
pub struct Draws {
    seed: [u8; 32],
    weights: Vec<u32>,
}

impl Draws {
    /// Draws from `n_units` units, at least 1.
    #[must_use]
    pub fn new(seed: u64, n_units: usize) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..24].copy_from_slice(GENERATOR.as_bytes());
        Self { seed: key, weights: vec![0; n_units] }
    }

    /// How often each unit is drawn in a replicate.
    pub fn replicate(&mut self, replicate: u64) -> &[u32] {
        let mut generator = ChaCha8Rng::from_seed(self.seed);
        generator.set_stream(replicate);
        self.weights.fill(0);
        let n = self.weights.len() as u32;
        // 2^32 mod n.
        let uneven = n.wrapping_neg().checked_rem(n).unwrap_or(0);
        for _ in 0..n {
            let unit = loop {
                let product = u64::from(generator.next_u32()) * u64::from(n);
                if product as u32 >= uneven {
                    break product >> 32;
                }
            };
            self.weights[unit as usize] += 1;
        }
        &self.weights
    }
}

/// The verdicts of a ranking, four bytes a detection: unit, whether it is a true positive, and whether it is the last of its
/// group of equal scores.
#[derive(Debug, Clone)]
struct Marks(Vec<u32>);

impl Marks {
    /// The marks of each class of a run, then of all classes ranked together.
    fn of_run(ground_truth: &GroundTruth, run: &Run, options: &Options, unit_of_image: &[u32]) -> Vec<Self> {
        let mut pooled: Vec<(f32, u32)> = Vec::new();
        let mut all: Vec<Self> = Vec::with_capacity(ground_truth.protocol().n_classes() + 1);
        for class in ground_truth.classes() {
            let scores = run.ranking(class).scores();
            let n_lesions = ground_truth.n_lesions(class);
            let verdicts = run.verdicts(class, n_lesions, options.iou_threshold(), ground_truth.protocol().extent());
            let marks = run.images(class).into_iter().zip(verdicts.iter()).map(|(image, verdict)| {
                let mark =
                    unit_of_image[image as usize] << Self::UNIT_SHIFT | u32::from(verdict == Verdict::TruePositive);
                (verdict != Verdict::Ignored).then_some(mark)
            });
            let counted = scores.iter().copied().zip(marks).filter_map(|(score, mark)| Some((score, mark?)));
            let of_class: Vec<(f32, u32)> = counted.collect();
            all.push(Self::new(&of_class));
            pooled.extend(of_class);
        }
        // Scores are finite; the order of equal ones does not matter, since they enter together.
        radsort::sort_by_key(&mut pooled, |(score, _)| -score);
        all.push(Self::new(&pooled));
        all
    }

    /// Marks by falling score, those of equal scores joined into groups.
    fn new(ranked: &[(f32, u32)]) -> Self {
        let is_last = |place: usize| ranked.get(place + 1).is_none_or(|next| next.0 < ranked[place].0);
        let flag = |place: usize| if is_last(place) { Self::LAST_OF_GROUP } else { 0 };
        Self(ranked.iter().enumerate().map(|(place, (_, mark))| mark | flag(place)).collect())
    }

    const TRUE_POSITIVE: u32 = 1;
    const LAST_OF_GROUP: u32 = 2;
    const UNIT_SHIFT: u32 = 2;

    /// True positives within each budget, which rise: equal scores enter together, or not at all.
    fn true_positives(&self, weights: &[u32], budgets: &[u64], into: &mut [u32]) {
        let (mut hits, mut misses) = (0_u32, 0_u64);
        let (mut group_hits, mut group_misses) = (0_u32, 0_u64);
        let mut rate = 0;
        for &mark in &self.0 {
            let weight = weights[(mark >> Self::UNIT_SHIFT) as usize];
            // All ones for a true positive, zeros for a false one: the branch would be hard to foresee.
            let mask = (mark & Self::TRUE_POSITIVE).wrapping_neg();
            group_hits += weight & mask;
            group_misses += u64::from(weight & !mask);
            if mark & Self::LAST_OF_GROUP != 0 {
                misses += group_misses;
                while rate < budgets.len() && misses > budgets[rate] {
                    into[rate] = hits;
                    rate += 1;
                }
                if rate == budgets.len() {
                    return;
                }
                hits += group_hits;
                (group_hits, group_misses) = (0, 0);
            }
        }
        into[rate..].fill(hits);
    }
}

/// What is counted in one replicate.
#[derive(Debug, Clone, Default)]
struct Tally {
    /// Lesions of each class: `[replicate][class]`.
    lesions: Vec<u32>,
    /// Lesions found, for each run: `[replicate][row][rate]`.
    true_positives: Vec<Vec<u32>>,
}

impl Tally {
    fn nothing(n_runs: usize) -> Self {
        Self { lesions: Vec::new(), true_positives: vec![Vec::new(); n_runs] }
    }

    fn append(&mut self, mut other: Self) {
        self.lesions.append(&mut other.lesions);
        for (of_run, other) in self.true_positives.iter_mut().zip(&mut other.true_positives) {
            of_run.append(other);
        }
    }
}

/// A bootstrap in progress: any number of runs on the same draws.
///
/// It borrows nothing and stops between any two replicates, so that a worker can tell how far it is.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    resampling: Resampling,
    groups: Groups,
    fp_per_image: Vec<f64>,
    /// Images of each unit.
    images: Vec<u32>,
    /// Units with lesions of each class, and how many.
    lesions: Vec<Vec<(u32, u32)>>,
    /// For each run, the ten classes and all of them pooled.
    marks: Vec<Vec<Marks>>,
    draws: Draws,
    done: u32,
    /// The sample itself: every unit once.
    sample: Tally,
    replicates: Tally,
}

impl Bootstrap {
    /// Prepares to resample. Recall is read at the rates of `options`.
    ///
    /// # Errors
    /// If `groups` are of other images, or there are more than a billion groups or 4 billion lesions to count.
    pub fn new(
        ground_truth: &GroundTruth,
        runs: &[&Run],
        options: &Options,
        resampling: Resampling,
        groups: Groups,
    ) -> Result<Self, Error> {
        let images = groups.sizes();
        let lesions: Vec<_> =
            ground_truth.classes().map(|class| lesions_of_units(ground_truth, class, &groups)).collect();
        check(ground_truth, &groups, &lesions)?;
        let marks = runs.iter().map(|run| Marks::of_run(ground_truth, run, options, groups.of_image())).collect();
        let nothing = Tally::nothing(runs.len());
        let mut bootstrap = Self {
            fp_per_image: options.fp_per_image().to_vec(),
            draws: Draws::new(resampling.seed(), images.len()),
            resampling,
            groups,
            images,
            lesions,
            marks,
            done: 0,
            sample: nothing.clone(),
            replicates: nothing,
        };
        let mut sample = std::mem::take(&mut bootstrap.sample);
        bootstrap.count(&vec![1; bootstrap.images.len()], &mut sample);
        bootstrap.sample = sample;
        Ok(bootstrap)
    }

    /// Runs up to `n` more replicates; tells whether all are done.
    pub fn step(&mut self, n: u32) -> bool {
        let end = self.resampling.replicates().min(self.done.saturating_add(n));
        let starts: Vec<u32> = (self.done..end).step_by(AT_ONCE as usize).collect();
        let tallies = map_all(starts, |start| {
            let mut tally = Tally::nothing(self.marks.len());
            let mut draws = self.draws.clone();
            for replicate in start..end.min(start + AT_ONCE) {
                self.count(draws.replicate(u64::from(replicate)), &mut tally);
            }
            tally
        });
        for tally in tallies {
            self.replicates.append(tally);
        }
        self.done = end;
        end == self.resampling.replicates()
    }

    /// Runs all replicates; `on_progress` is told how many of how many are done, and may end it.
    ///
    /// # Errors
    /// `Break` if `on_progress` said so; what was done stays, and can be gone on with.
    pub fn run(&mut self, on_progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>) -> ControlFlow<()> {
        while !self.step(AT_ONCE) {
            on_progress(self.done, self.resampling.replicates())?;
        }
        on_progress(self.done, self.resampling.replicates())
    }

    /// Appends one replicate: the lesions, and the true positives of every run within the budgets.
    fn count(&self, weights: &[u32], into: &mut Tally) {
        let n_images = weights.iter().zip(&self.images).map(|(weight, images)| u64::from(*weight) * u64::from(*images));
        let counts = Counts { n_lesions: 0, n_images: n_images.sum::<u64>() as usize };
        let budgets: Vec<u64> = self.fp_per_image.iter().map(|rate| counts.within(*rate)).collect();
        for units in &self.lesions {
            into.lesions.push(units.iter().map(|(unit, lesions)| weights[*unit as usize] * lesions).sum());
        }
        for (marks, into) in self.marks.iter().zip(&mut into.true_positives) {
            for marks in marks {
                let start = into.len();
                into.resize(start + budgets.len(), 0);
                marks.true_positives(weights, &budgets, &mut into[start..]);
            }
        }
    }

    /// How images are resampled.
    #[must_use]
    pub const fn resampling(&self) -> &Resampling {
        &self.resampling
    }

    /// What is resampled.
    #[must_use]
    pub const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// How many runs are on the same draws.
    #[must_use]
    pub const fn n_runs(&self) -> usize {
        self.marks.len()
    }

    /// Rates at which recall is read.
    #[must_use]
    pub fn fp_per_image(&self) -> &[f64] {
        &self.fp_per_image
    }

    /// Replicates that are done.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.done
    }

    /// The statistic of the sample itself; `None` without lesions.
    #[must_use]
    pub fn estimate(&self, run: usize, row: Row, statistic: Statistic) -> Option<f64> {
        self.value(&self.sample, run, 0, row, statistic)
    }

    /// The statistic of each replicate, in order; `None` where it holds no lesion (of the class).
    pub fn replicates(&self, run: usize, row: Row, statistic: Statistic) -> impl Iterator<Item = Option<f64>> {
        (0..self.done as usize).map(move |replicate| self.value(&self.replicates, run, replicate, row, statistic))
    }

    /// Percentiles of the replicates; `None` if no replicate holds a lesion (of the class).
    #[must_use]
    pub fn interval(&self, run: usize, row: Row, statistic: Statistic) -> Option<Interval> {
        Interval::new(self.replicates(run, row, statistic), self.resampling.level())
    }

    fn value(&self, tally: &Tally, run: usize, replicate: usize, row: Row, statistic: Statistic) -> Option<f64> {
        let (n_classes, n_rates) = (self.lesions.len(), self.fp_per_image.len());
        // Each class, and all of them pooled.
        let n_counts = (n_classes + 1) * n_rates;
        let lesions = &tally.lesions[replicate * n_classes..][..n_classes];
        let found = &tally.true_positives[run][replicate * n_counts..][..n_counts];
        let recall = |row: usize, lesions: u32, rate: usize| {
            (lesions > 0).then(|| f64::from(found[row * n_rates + rate]) / f64::from(lesions))
        };
        let at = |rate: usize| match row {
            Row::Class(class) => recall(class.index(), lesions[class.index()], rate),
            Row::Pooled => recall(n_classes, lesions.iter().sum(), rate),
            Row::Mean => mean(lesions.iter().enumerate().filter_map(|(class, lesions)| recall(class, *lesions, rate))),
        };
        match statistic {
            Statistic::Recall(rate) => at(rate),
            Statistic::Average => average_recall(&(0..n_rates).map(at).collect::<Vec<_>>()),
        }
    }
}

/// The bootstraps that a report needs: intervals at the rates of the options, bands along the curves, and figures that need images
/// with lesions and images without.
///
/// The bands rest on the first [`Uncertainty::MAX_BAND_REPLICATES`] replicates at most: they are read off a plot, and every
/// replicate of theirs holds [`grid`] numbers for each row.
#[derive(Debug, Clone)]
pub struct Uncertainty {
    intervals: Bootstrap,
    bands: Bootstrap,
    stratified: StratifiedBootstrap,
}

impl Uncertainty {
    /// The most replicates behind a band.
    pub const MAX_BAND_REPLICATES: u32 = 2000;

    /// Prepares to resample for any number of runs, on the same draws; `specificity` is the least at which image sensitivity is
    /// read, above 0 and up to 1.
    ///
    /// # Errors
    /// As [`Bootstrap::new`].
    pub fn new(
        ground_truth: &GroundTruth,
        runs: &[&Run],
        (options, specificity): (&Options, f64),
        resampling: Resampling,
        groups: Groups,
    ) -> Result<Self, Error> {
        let on_grid = options.with_rates(grid().collect())?;
        let replicates = resampling.replicates().min(Self::MAX_BAND_REPLICATES);
        let for_bands = Resampling::new(replicates, resampling.seed(), resampling.level())?;
        Ok(Self {
            bands: Bootstrap::new(ground_truth, runs, &on_grid, for_bands, groups.clone())?,
            stratified: StratifiedBootstrap::new(
                ground_truth,
                runs,
                (options, specificity),
                resampling.clone(),
                &groups,
            ),
            intervals: Bootstrap::new(ground_truth, runs, options, resampling, groups)?,
        })
    }

    /// Runs up to `n` more replicates; tells whether all are done.
    pub fn step(&mut self, n: u32) -> bool {
        let before = self.intervals.done();
        let all_intervals = self.intervals.step(n);
        let n = n - (self.intervals.done() - before);
        let before = self.bands.done();
        let all_bands = all_intervals && self.bands.step(n);
        all_bands && self.stratified.step(n - (self.bands.done() - before))
    }

    /// Runs all replicates; `on_progress` is told how many of how many are done, and may end it.
    ///
    /// # Errors
    /// `Break` if `on_progress` said so; what was done stays, and can be gone on with.
    pub fn run(&mut self, on_progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>) -> ControlFlow<()> {
        while !self.step(AT_ONCE) {
            on_progress(self.done(), self.total())?;
        }
        on_progress(self.done(), self.total())
    }

    /// Replicates of all three that are done.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.intervals.done() + self.bands.done() + self.stratified.done()
    }

    /// Replicates of all three.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.intervals.resampling.replicates() + self.bands.resampling.replicates() + self.stratified.total()
    }

    /// Recall at the rates of the options.
    #[must_use]
    pub const fn intervals(&self) -> &Bootstrap {
        &self.intervals
    }

    /// AFROC, wAFROC, and image sensitivity.
    #[must_use]
    pub const fn stratified(&self) -> &StratifiedBootstrap {
        &self.stratified
    }

    /// Recall at the rates of the [`grid`].
    #[must_use]
    pub const fn bands(&self) -> &Bootstrap {
        &self.bands
    }
}

/// The rates at which curves are compared and bands are read, in false positives per image: 0.01 to 10, twenty a decade.
///
/// They are Renard's preferred numbers R20 (ISO 3), so the same on every platform, and they hold the official rates and
/// those of LUNA16.
pub fn grid() -> impl Iterator<Item = f64> {
    const R20: [u32; 20] =
        [100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900];
    let decade = |power: u32| R20.iter().map(move |number| f64::from(number * 10_u32.pow(power)) / 10_000.0);
    (0..3).flat_map(decade).chain([10.0])
}

/// Replicates between two calls of `on_progress`.
const AT_ONCE: u32 = 50;

fn check(ground_truth: &GroundTruth, groups: &Groups, lesions: &[Vec<(u32, u32)>]) -> Result<(), Error> {
    if groups.of_image().len() != ground_truth.n_images() {
        return Err(Error::option(
            "groups",
            format!("they are of {} images", groups.of_image().len()),
            format!("the {} images of the ground truth", ground_truth.n_images()),
        ));
    }
    // The most that a replicate can hold: the unit with most lesions, drawn every time.
    let most: u64 = lesions.iter().map(|units| units.iter().map(|unit| u64::from(unit.1)).max().unwrap_or(0)).sum();
    let n_units = groups.n_groups();
    if n_units >= MAX_UNITS || n_units as u64 * most > u64::from(u32::MAX) {
        return Err(Error::option(
            "groups",
            format!("{n_units} groups, with up to {most} lesions in one, can give more than 4 billion lesions"),
            "smaller groups",
        ));
    }
    Ok(())
}

/// The units that have lesions of a class, and how many.
pub(crate) fn lesions_of_units(ground_truth: &GroundTruth, class: Class, groups: &Groups) -> Vec<(u32, u32)> {
    let mut lesions = vec![0; groups.n_groups()];
    for (image, unit) in groups.of_image().iter().enumerate() {
        lesions[*unit as usize] += ground_truth.lesions(class, image).1.len() as u32;
    }
    (0..).zip(lesions).filter(|(_, lesions)| *lesions > 0).collect()
}

impl Interval {
    /// The percentiles that leave `(1 - level) / 2` on either side, linear between order statistics.
    ///
    /// ```
    /// use froc::bootstrap::Interval;
    /// let values = (0..=1000).map(|value| Some(f64::from(value)));
    /// assert_eq!(Interval::new(values, 0.95).map(|interval| interval.ends), Some([25.0, 975.0]));
    /// ```
    #[must_use]
    pub fn new(values: impl Iterator<Item = Option<f64>>, level: f64) -> Option<Self> {
        let mut n_without_lesions = 0;
        let mut defined: Vec<f64> =
            values.inspect(|value| n_without_lesions += usize::from(value.is_none())).flatten().collect();
        radsort::sort(&mut defined);
        // By way of percents, so that 0.95 gives 2.5 and 97.5 to the last bit.
        let percents = [100.0 - 100.0 * level, 100.0 + 100.0 * level];
        let [low, high] = percents.map(|percent| percentile(&defined, percent / 2.0 / 100.0));
        let ends = [low?, high?];
        Some(Self { ends, n_without_lesions })
    }
}

/// Linear between the order statistics next to `share * (n - 1)`, as `numpy.percentile` does unless told otherwise.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * (sorted.len().checked_sub(1)?) as f64;
    #[expect(clippy::cast_sign_loss, reason = "a share of a count")]
    let below = (at as usize).min(sorted.len() - 1);
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    Some(sorted[below] + (above - sorted[below]) * (at - below as f64))
}
