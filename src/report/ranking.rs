//! Runs in the order of their score, and which are told apart ([section 15](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use super::statistics::{DifferenceReport, EstimateReport};
use crate::bootstrap::{Bootstrap, Row, Statistic};
use crate::rank::{Pair, Place, Ranking, least_replicates};

/// All runs of a report by falling exact average recall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct RankingReport {
    /// One entry a run, by falling value; of equal runs, the one given first.
    pub places: Vec<PlaceReport>,
    /// All pairs, the better run first, in the order of their places.
    pub pairs: Vec<PairReport>,
    /// The fewest replicates with which all pairs can be told apart: with fewer, the least possible p adjusted over all pairs
    /// is 0.05 or more.
    pub least_replicates: u32,
}

/// A run among others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct PlaceReport {
    /// Place of the run among `runs`.
    pub run: usize,
    /// Mean over the classes with lesions of the exact recall, averaged over the rates.
    pub average_recall: EstimateReport,
    /// 1 + the number of runs with a greater value.
    pub rank: usize,
    /// The ranks that it has in the middle of the replicates: least and greatest.
    pub rank_interval: [usize; 2],
    /// Runs that share a letter are not told apart; empty if there are more than 702 sets of such.
    pub letters: Vec<String>,
}

/// Two runs, on the same draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(target_arch = "wasm32", derive(Tsify), tsify(missing_as_null))]
pub struct PairReport {
    /// Place of the better run among `runs`.
    pub better: usize,
    /// Place of the other run among `runs`.
    pub other: usize,
    /// Better minus other; its `p_holm` is adjusted over all pairs.
    pub difference: DifferenceReport,
    /// Whether `p_holm` is below 0.05.
    pub is_told_apart: bool,
}

impl RankingReport {
    /// The runs of a bootstrap by their exact average recall; `None` without lesions.
    pub(super) fn new(bootstrap: &Bootstrap) -> Option<Self> {
        let Ranking { places, pairs } = Ranking::new(bootstrap, Row::Mean, Statistic::Average)?;
        Some(Self {
            least_replicates: least_replicates(places.len()),
            places: places.into_iter().map(PlaceReport::from).collect(),
            pairs: pairs.iter().map(PairReport::from).collect(),
        })
    }
}

impl From<Place> for PlaceReport {
    fn from(place: Place) -> Self {
        let average_recall = EstimateReport {
            value: Some(place.estimate),
            interval: Some(place.interval.ends),
            n_without_lesions: Some(place.interval.n_without_lesions),
        };
        let Place { run, rank, rank_interval, letters, .. } = place;
        Self { run, average_recall, rank, rank_interval, letters }
    }
}

impl From<&Pair> for PairReport {
    fn from(pair: &Pair) -> Self {
        let [better, other] = pair.runs;
        let difference = DifferenceReport {
            value: pair.difference.estimate,
            interval: pair.difference.interval.ends,
            p: pair.difference.p,
            p_holm: Some(pair.p_holm),
            n_without_lesions: pair.difference.interval.n_without_lesions,
        };
        Self { better, other, difference, is_told_apart: pair.is_told_apart() }
    }
}
