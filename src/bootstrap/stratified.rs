//! Intervals of figures that need images with lesions and images without: those of observer studies ([section
//! 14](crate::metric)), and image sensitivity at a given specificity ([section 16](crate::metric)). Both kinds are drawn apart.

use super::{AT_ONCE, Draws, Interval, Row};
use crate::dataset::{GroundTruth, map_all};
use crate::input::groups::Groups;
use crate::options::{Options, Resampling};
use crate::run::Run;
use crate::score::afroc::{self, Sample};
use crate::score::mean;
use crate::score::operating::HighestScores;

/// Units that are drawn among each other: those with such a lesion, and those without.
type Strata = [Vec<u32>; 2];

/// What is computed of images of both kinds, each figure in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Those of observer studies.
    pub observer: afroc::Figures,
    /// Image sensitivity at the specificity of the bootstrap.
    pub sensitivity: f64,
}

/// A bootstrap of such figures of any number of runs, in progress.
#[derive(Debug, Clone)]
pub struct StratifiedBootstrap {
    resampling: Resampling,
    specificity: f64,
    n_units: usize,
    /// Of each run, the classes.
    samples: Vec<Vec<(Sample, HighestScores)>>,
    /// Of each class by its own lesions, and last, for the mean of the classes, by the lesions of any.
    strata: Vec<Strata>,
    sample: Vec<Option<Figures>>,
    /// `[replicate][run][row]`, the mean behind the classes.
    replicates: Vec<Option<Figures>>,
    done: u32,
}

impl StratifiedBootstrap {
    /// Prepares to resample groups of the images of this ground truth; `specificity` is the least at which sensitivity is read.
    #[must_use]
    pub fn new(
        ground_truth: &GroundTruth,
        runs: &[&Run],
        (options, specificity): (&Options, f64),
        resampling: Resampling,
        groups: &Groups,
    ) -> Self {
        let unit_of_image = groups.of_image();
        let of_run = |run: &&Run| {
            let of_class = |class| {
                let sample = Sample::new(ground_truth, run, class, options, unit_of_image);
                (sample, HighestScores::new(ground_truth, run, class, unit_of_image))
            };
            ground_truth.classes().map(of_class).collect()
        };
        let strata = |is_diseased: &dyn Fn(usize) -> Option<bool>| {
            let mut kinds = vec![[false; 2]; groups.n_groups()];
            for (image, unit) in unit_of_image.iter().enumerate() {
                if let Some(is_diseased) = is_diseased(image) {
                    kinds[*unit as usize][usize::from(is_diseased)] = true;
                }
            }
            let units = |of: fn(&[bool; 2]) -> bool| (0..).zip(&kinds).filter(move |(_, kinds)| of(kinds));
            let with = units(|[_, diseased]| *diseased).map(|(unit, _)| unit).collect();
            let without = units(|[free, diseased]| *free && !diseased).map(|(unit, _)| unit).collect();
            [with, without]
        };
        let mut all: Vec<Strata> =
            ground_truth.classes().map(|class| strata(&|image| ground_truth.label(class, image))).collect();
        // Every image belongs to the one or the other, so that no class misses any.
        all.push(strata(&|image| Some(ground_truth.has_lesions(image))));
        let mut bootstrap = Self {
            resampling,
            specificity,
            n_units: groups.n_groups(),
            samples: runs.iter().map(of_run).collect(),
            strata: all,
            sample: Vec::new(),
            replicates: Vec::new(),
            done: 0,
        };
        let ones = vec![vec![1; bootstrap.n_units]; bootstrap.strata.len()];
        bootstrap.sample = bootstrap.figures(&ones);
        bootstrap
    }

    /// Runs up to `n` more replicates; tells whether all are done.
    pub fn step(&mut self, n: u32) -> bool {
        let end = self.resampling.replicates().min(self.done.saturating_add(n));
        let starts: Vec<u32> = (self.done..end).step_by(AT_ONCE as usize).collect();
        let figures = map_all(starts, |start| {
            let mut draws: Vec<[Draws; 2]> = self.strata.iter().map(|strata| self.draws(strata)).collect();
            let replicate = |replicate: u32| {
                let weights: Vec<Vec<u32>> = self
                    .strata
                    .iter()
                    .zip(&mut draws)
                    .map(|(strata, draws)| self.weights(strata, draws, replicate))
                    .collect();
                self.figures(&weights)
            };
            (start..end.min(start + AT_ONCE)).flat_map(replicate).collect::<Vec<_>>()
        });
        self.replicates.extend(figures.into_iter().flatten());
        self.done = end;
        end == self.resampling.replicates()
    }

    fn draws(&self, strata: &Strata) -> [Draws; 2] {
        strata.each_ref().map(|units| Draws::new(self.resampling.seed(), units.len()))
    }

    /// How often each unit is drawn. The strata of replicate r have the streams 2 r and 2 r + 1, so that neither follows from the other.
    fn weights(&self, strata: &Strata, draws: &mut [Draws; 2], replicate: u32) -> Vec<u32> {
        let mut weights = vec![0; self.n_units];
        for (stream, (units, draws)) in (2 * u64::from(replicate)..).zip(strata.iter().zip(draws)) {
            for (unit, weight) in units.iter().zip(draws.replicate(stream)) {
                weights[*unit as usize] = *weight;
            }
        }
        weights
    }

    /// The classes of each run, each behind the weights of its own strata, and their mean by those of the last.
    fn figures(&self, weights: &[Vec<u32>]) -> Vec<Option<Figures>> {
        let of_class = |(sample, highest): &(Sample, HighestScores), weights: &[u32]| {
            let observer = sample.figures(weights)?;
            Some(Figures { observer, sensitivity: highest.at_specificity(self.specificity, weights)?.sensitivity })
        };
        let mut all = Vec::new();
        for classes in &self.samples {
            all.extend(classes.iter().zip(weights).map(|(class, weights)| of_class(class, weights)));
            let together = weights.last().map_or(&[][..], Vec::as_slice);
            let figures: Vec<Figures> = classes.iter().filter_map(|class| of_class(class, together)).collect();
            let mean_of = |of: fn(&Figures) -> f64| mean(figures.iter().map(of));
            let means =
                (mean_of(|of| of.observer.afroc), mean_of(|of| of.observer.wafroc), mean_of(|of| of.sensitivity));
            all.push(match means {
                (Some(afroc), Some(wafroc), Some(sensitivity)) => {
                    Some(Figures { observer: afroc::Figures { afroc, wafroc }, sensitivity })
                }
                _ => None,
            });
        }
        all
    }

    /// Replicates that are done.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.done
    }

    /// The specificity at which sensitivity is read.
    #[must_use]
    pub const fn specificity(&self) -> f64 {
        self.specificity
    }

    /// Replicates in all.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.resampling.replicates()
    }

    /// The figures of the sample itself; `None` without images of both kinds, and of all classes ranked together.
    #[must_use]
    pub fn estimate(&self, run: usize, row: Row) -> Option<Figures> {
        self.sample[self.place(run, row)?]
    }

    /// Percentiles of one of the figures of the replicates.
    #[must_use]
    pub fn interval(&self, run: usize, row: Row, figure: fn(&Figures) -> f64) -> Option<Interval> {
        let place = self.place(run, row)?;
        let of_replicates = self.replicates.iter().skip(place).step_by(self.sample.len().max(1));
        Interval::new(of_replicates.map(|figures| figures.as_ref().map(figure)), self.resampling.level())
    }

    fn place(&self, run: usize, row: Row) -> Option<usize> {
        let n_rows = self.strata.len();
        let row = match row {
            Row::Class(class) => class.index(),
            Row::Mean => n_rows - 1,
            Row::Pooled => return None,
        };
        Some(run * n_rows + row)
    }
}
