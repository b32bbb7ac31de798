//! Two runs against each other on the same draws: difference, interval, two-sided p, and who found what ([section 8](crate::metric)).

use crate::bootstrap::{Bootstrap, Interval, Row, Statistic};
use crate::curve::Curve;
use crate::dataset::GroundTruth;
use crate::options::Options;
use crate::protocol::Class;
use crate::run::Run;
use crate::score::official::Counts;
use crate::score::{exact, sizes};

/// How much another run differs from the baseline in one statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Other minus baseline on the sample itself, -1..=1.
    pub estimate: f64,
    /// Percentiles of the differences of the replicates.
    pub interval: Interval,
    /// How often draws would differ at least so much if the runs did not: above 0, at most 1, two-sided. The least value
    /// is 2 / (replicates + 1).
    pub p: f64,
}

impl Difference {
    /// Other minus baseline, by their numbers in the bootstrap; `None` without lesions (of the class), in the sample or in
    /// every replicate.
    #[must_use]
    pub fn new(bootstrap: &Bootstrap, [baseline, other]: [usize; 2], row: Row, statistic: Statistic) -> Option<Self> {
        let replicates = |run| bootstrap.replicates(run, row, statistic).collect::<Vec<_>>();
        let (before, after) = (replicates(baseline), replicates(other));
        let estimate = |run| bootstrap.estimate(run, row, statistic);
        let of = [(estimate(baseline)?, &before[..]), (estimate(other)?, &after[..])];
        Self::between(of, bootstrap.resampling().level())
    }

    /// Other minus baseline, each given as its value on the sample and in the same replicates; `None` if no replicate has both.
    pub(crate) fn between(of: [(f64, &[Option<f64>]); 2], level: f64) -> Option<Self> {
        let [(before, baseline), (after, other)] = of;
        let minus = |(other, baseline): (&Option<f64>, &Option<f64>)| Some((*other)? - (*baseline)?);
        let differences: Vec<Option<f64>> = other.iter().zip(baseline).map(minus).collect();
        Some(Self {
            estimate: after - before,
            interval: Interval::new(differences.iter().copied(), level)?,
            p: two_sided_p(differences.iter().flatten().copied()),
        })
    }
}

/// `min(1, 2 min(1 + #{d <= 0}, 1 + #{d >= 0}) / (B + 1))` over the differences of `B` replicates.
///
/// ```
/// assert_eq!(froc::compare::two_sided_p([0.0; 9].into_iter()), 1.0);
/// assert_eq!(froc::compare::two_sided_p([0.5; 9].into_iter()), 0.2);
/// ```
pub fn two_sided_p(differences: impl Iterator<Item = f64>) -> f64 {
    let (mut below, mut above, mut n) = (1_u32, 1_u32, 1_u32);
    for difference in differences {
        below += u32::from(difference <= 0.0);
        above += u32::from(difference >= 0.0);
        n += 1;
    }
    (2.0 * f64::from(below.min(above)) / f64::from(n)).min(1.0)
}

/// Holm's adjusted p values, in the order given (S. Holm, Scandinavian Journal of Statistics 6, 1979).
///
/// ```
/// assert_eq!(froc::compare::holm(&[0.125, 0.25, 0.0625]), [0.25, 0.25, 0.1875]);
/// ```
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut greatest = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        greatest = greatest.max((p[at] * (p.len() - rank) as f64).min(1.0));
        adjusted[at] = greatest;
    }
    adjusted
}

/// What changed sides between the baseline and another run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// Where the other run finds more: of a lesion, it alone finds it.
    pub gained: usize,
    /// Where the baseline finds more.
    pub lost: usize,
    /// Where both find as many.
    pub unchanged: usize,
}

/// What changed sides at one rate, each run read at its own exact operating points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Classes with lesions.
    pub classes: Sides,
    /// Images with lesions, of any class.
    pub images: Sides,
    /// Lesions.
    pub lesions: Sides,
}

impl Changes {
    /// One entry a rate.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, [baseline, other]: [&Run; 2], options: &Options) -> Vec<Self> {
        let found: Vec<[Vec<Vec<bool>>; 2]> = ground_truth
            .classes()
            .map(|class| [baseline, other].map(|run| found(ground_truth, run, class, options)))
            .collect();
        (0..options.fp_per_image().len()).map(|rate| Self::at(ground_truth, &found, rate)).collect()
    }

    fn at(ground_truth: &GroundTruth, found: &[[Vec<Vec<bool>>; 2]], rate: usize) -> Self {
        let mut changes = Self::default();
        let mut in_image = vec![[0_usize; 2]; ground_truth.n_images()];
        for (class, [baseline, other]) in ground_truth.classes().zip(found) {
            let (baseline, other) = (&baseline[rate], &other[rate]);
            for (before, after) in baseline.iter().zip(other) {
                changes.lesions.add([usize::from(*before), usize::from(*after)]);
            }
            let count = |found: &[bool]| found.iter().filter(|found| **found).count();
            if !baseline.is_empty() {
                changes.classes.add([count(baseline), count(other)]);
            }
            for (image, counts) in in_image.iter_mut().enumerate() {
                let (first, lesions) = ground_truth.lesions(class, image);
                let lesions = first as usize..first as usize + lesions.len();
                counts[0] += count(&baseline[lesions.clone()]);
                counts[1] += count(&other[lesions]);
            }
        }
        for (image, counts) in in_image.into_iter().enumerate() {
            if ground_truth.has_lesions(image) {
                changes.images.add(counts);
            }
        }
        changes
    }
}

impl Sides {
    fn add(&mut self, [baseline, other]: [usize; 2]) {
        match other.cmp(&baseline) {
            std::cmp::Ordering::Greater => self.gained += 1,
            std::cmp::Ordering::Less => self.lost += 1,
            std::cmp::Ordering::Equal => self.unchanged += 1,
        }
    }
}

/// At each rate, whether each lesion of a class is found at or above the run's exact operating point.
fn found(ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options) -> Vec<Vec<bool>> {
    let counts = Counts { n_lesions: ground_truth.n_lesions(class), n_images: ground_truth.n_images() };
    let verdicts = run.verdicts(class, counts.n_lesions, options.iou_threshold(), ground_truth.protocol().extent());
    let (scores, verdicts) = run.ranking(class).counted(verdicts);
    let curve = Curve::new(scores, verdicts.hits());
    let points = exact::operating_points(&curve, counts, options.fp_per_image());
    let shown = points.iter().map(|point| (point.false_positives + point.true_positives) as usize);
    shown.map(|n_shown| sizes::found(&verdicts, n_shown, counts.n_lesions)).collect()
}
