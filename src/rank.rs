//! Many runs on the same draws: their order, how sure each rank is, and which runs are not told apart
//! ([section 15](crate::metric)).

use crate::bootstrap::{Bootstrap, Interval, Row, Statistic};
use crate::compare::{Difference, holm};

/// Two runs whose adjusted p is at least this are not told apart.
pub const TOLD_APART_BELOW: f64 = 0.05;

/// As many sets of runs get a letter: a to z, then aa to zz.
const MAX_SETS: usize = 26 * 27;

/// One run among others.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its number in the bootstrap.
    pub run: usize,
    /// The statistic on the sample itself, 0..=1.
    pub estimate: f64,
    /// Percentiles of the statistic in the replicates.
    pub interval: Interval,
    /// 1 + the number of runs with a greater estimate, so that equal runs share a rank.
    pub rank: usize,
    /// The ranks in the replicates, without as much at each end as the level of the intervals leaves out, rounded outwards to
    /// ranks that occur.
    pub rank_interval: [usize; 2],
    /// The sets it is in, by their letters: runs that share one are not told apart. Empty if there are more than 702 sets.
    pub letters: Vec<String>,
}

/// Two runs, the one of the better place first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Their numbers in the bootstrap.
    pub runs: [usize; 2],
    /// The first minus the second.
    pub difference: Difference,
    /// p of the difference, adjusted by Holm's method over all pairs.
    pub p_holm: f64,
}

impl Pair {
    /// Whether the adjusted p is below [`TOLD_APART_BELOW`].
    #[must_use]
    pub fn is_told_apart(&self) -> bool {
        self.p_holm < TOLD_APART_BELOW
    }
}

/// Runs by falling value of one statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Falling; of equal runs, the one given first.
    pub places: Vec<Place>,
    /// All pairs, by the places of their runs.
    pub pairs: Vec<Pair>,
}

impl Ranking {
    /// Ranks all runs of a bootstrap; `None` without lesions (of the class), in the sample or in every replicate.
    #[must_use]
    pub fn new(bootstrap: &Bootstrap, row: Row, statistic: Statistic) -> Option<Self> {
        let level = bootstrap.resampling().level();
        let runs = 0..bootstrap.n_runs();
        let estimates: Vec<f64> =
            runs.clone().map(|run| bootstrap.estimate(run, row, statistic)).collect::<Option<_>>()?;
        let replicates: Vec<Vec<Option<f64>>> =
            runs.clone().map(|run| bootstrap.replicates(run, row, statistic).collect()).collect();
        let rank_intervals = rank_intervals(&replicates, level)?;
        let mut order: Vec<usize> = runs.collect();
        order.sort_by(|a, b| estimates[*b].total_cmp(&estimates[*a]));
        let mut pairs = Vec::new();
        for (place, &first) in order.iter().enumerate() {
            for &second in &order[place + 1..] {
                let of = [(estimates[second], &replicates[second][..]), (estimates[first], &replicates[first][..])];
                let difference = Difference::between(of, level)?;
                pairs.push(Pair { runs: [first, second], difference, p_holm: 1.0 });
            }
        }
        let adjusted = holm(&pairs.iter().map(|pair| pair.difference.p).collect::<Vec<_>>());
        for (pair, p_holm) in pairs.iter_mut().zip(adjusted) {
            pair.p_holm = p_holm;
        }
        let sets = not_told_apart(&order, &pairs);
        let place = |run: usize| {
            let letters = sets.iter().enumerate().filter(|(_, set)| set.contains(&run)).map(|(at, _)| letter(at));
            Some(Place {
                run,
                estimate: estimates[run],
                interval: Interval::new(replicates[run].iter().copied(), level)?,
                rank: rank(&estimates, run),
                rank_interval: rank_intervals[run],
                letters: letters.collect(),
            })
        };
        Some(Self { places: order.iter().map(|run| place(*run)).collect::<Option<_>>()?, pairs })
    }
}

/// The fewest replicates with which all pairs of so many runs can be told apart: the least p is 2 / (replicates + 1), and
/// Holm's method multiplies it by the number of pairs.
///
/// ```
/// assert_eq!(froc::rank::least_replicates(20), 7600);
/// ```
#[must_use]
pub fn least_replicates(n_runs: usize) -> u32 {
    // pairs * 2 / (40 * pairs + 1) is below 0.05.
    u32::try_from(40 * (n_runs * n_runs.saturating_sub(1) / 2)).unwrap_or(u32::MAX)
}

/// 1 + the number of runs with a greater value.
fn rank(values: &[f64], run: usize) -> usize {
    1 + values.iter().filter(|value| **value > values[run]).count()
}

/// For each run, the ranks that hold the middle of its ranks in the replicates.
fn rank_intervals(replicates: &[Vec<Option<f64>>], level: f64) -> Option<Vec<[usize; 2]>> {
    let n_replicates = replicates.first().map_or(0, Vec::len);
    // How often each run has each rank.
    let mut times = vec![vec![0_usize; replicates.len()]; replicates.len()];
    let mut n = 0_usize;
    for replicate in 0..n_replicates {
        // The draws are the same, so either all have lesions or none.
        let values: Option<Vec<f64>> = replicates.iter().map(|of_run| of_run[replicate]).collect();
        let Some(values) = values else { continue };
        n += 1;
        for (run, times) in times.iter_mut().enumerate() {
            times[rank(&values, run) - 1] += 1;
        }
    }
    let last = n.checked_sub(1)? as f64;
    let left_out = (1.0 - level) / 2.0;
    let (low, high) = ((last * left_out).floor(), (last * (1.0 - left_out)).ceil());
    Some(times.iter().map(|times| [rank_at(times, low), rank_at(times, high)]).collect())
}

/// The rank at a place among all, sorted; a whole number from 0.
fn rank_at(times: &[usize], place: f64) -> usize {
    let mut before = 0;
    let is_there = |times: &usize| {
        before += times;
        before as f64 > place
    };
    times.iter().position(is_there).map_or(times.len(), |rank| rank + 1)
}

/// The maximal sets of runs in which no two are told apart, by the places of their runs; none if there are too many to be
/// named.
fn not_told_apart(order: &[usize], pairs: &[Pair]) -> Vec<Vec<usize>> {
    let is_apart = |a: usize, b: usize| {
        pairs.iter().any(|pair| pair.is_told_apart() && (pair.runs == [a, b] || pair.runs == [b, a]))
    };
    let places = 0..order.len();
    let near: Vec<Vec<bool>> =
        places.clone().map(|a| places.clone().map(|b| a != b && !is_apart(order[a], order[b])).collect()).collect();
    let mut sets = Vec::new();
    maximal(&near, &mut Vec::new(), places.collect(), Vec::new(), &mut sets);
    if sets.len() > MAX_SETS {
        return Vec::new();
    }
    for set in &mut sets {
        set.sort_unstable();
    }
    sets.sort();
    sets.into_iter().map(|set| set.into_iter().map(|place| order[place]).collect()).collect()
}

/// The maximal cliques that hold `set`, may hold `open` and hold none of `done` (C. Bron and J. Kerbosch, Communications of
/// the ACM 16, 1973, with the pivot of Tomita and others, 2006); stops after one more than can be named.
fn maximal(
    near: &[Vec<bool>],
    set: &mut Vec<usize>,
    mut open: Vec<usize>,
    mut done: Vec<usize>,
    into: &mut Vec<Vec<usize>>,
) {
    if into.len() > MAX_SETS {
        return;
    }
    let n_near = |at: usize| open.iter().filter(|other| near[at][**other]).count();
    let Some(pivot) = open.iter().chain(&done).copied().max_by_key(|at| n_near(*at)) else {
        into.push(set.clone());
        return;
    };
    let branches: Vec<usize> = open.iter().copied().filter(|at| !near[pivot][*at]).collect();
    for at in branches {
        let of = |all: &[usize]| all.iter().copied().filter(|other| near[at][*other]).collect();
        set.push(at);
        maximal(near, set, of(&open), of(&done), into);
        set.pop();
        open.retain(|other| *other != at);
        done.push(at);
    }
}

/// a to z, then aa to zz.
fn letter(at: usize) -> String {
    let one = |at: usize| char::from(b'a' + (at % 26) as u8);
    match at / 26 {
        0 => one(at).to_string(),
        tens => [one(tens - 1), one(at)].iter().collect(),
    }
}
