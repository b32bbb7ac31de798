//! Runs in the order of their score, and each against each.

use super::metrics::plain;
use super::{Cell, Column, Row, Sheet, rests_on};
use crate::report::Report;
use crate::report::ranking::{PairReport, PlaceReport, RankingReport};
use crate::report::statistics::MEAN;

fn row(run: usize, names: Vec<String>, cells: Vec<Cell>) -> Row {
    Row { names, by: "exact_".into(), cells, ..plain(MEAN, run) }
}

fn name(report: &Report, run: usize) -> String {
    report.runs.get(run).map_or_else(String::new, |run| run.name.clone())
}

/// One row a run, with its rank and the letters of the sets of runs that are not told apart.
pub(super) fn places(report: &Report, of: &RankingReport) -> Sheet {
    let column = |heading: &str, metric| Column::new(heading, metric, Some(report.options.hit()));
    let place = |place: &PlaceReport| {
        let [low, high] = place.rank_interval;
        let rank = Cell {
            range: Some(format!("{low} to {high}")),
            interval: Some([low as f64, high as f64]),
            ..Cell::count(Some(place.rank))
        };
        let names = vec![name(report, place.run), place.letters.join(" ")];
        row(place.run, names, vec![Cell::estimate(&place.average_recall), rank])
    };
    let bootstrap = report.options.bootstrap.as_ref();
    let level = bootstrap.map_or(0.0, |bootstrap| 100.0 * bootstrap.level);
    let mut notes = vec![format!(
        "In parentheses: {level} % bootstrap intervals. Runs that share a letter are not told apart: p of their difference, \
         adjusted by Holm's method over all pairs, is 0.05 or more."
    )];
    let replicates = bootstrap.map_or(0, |bootstrap| bootstrap.replicates);
    if replicates < of.least_replicates {
        notes.push(format!(
            "{replicates} replicates are too few to tell all pairs of {} runs apart, whatever their scores; expected at least {}.",
            of.places.len(),
            of.least_replicates
        ));
    }
    Sheet {
        title: "Runs by exact average recall, percent".to_owned(),
        caption: format!("Runs by exact average recall in percent. {}", rests_on(report)),
        notes,
        names: vec!["Run", "Not told apart"],
        columns: vec![column("average", "ranked_average_recall"), column("rank", "rank")],
        rows: of.places.iter().map(place).collect(),
    }
}

/// The difference of each run, in a row, to each other, in a column.
pub(super) fn pairs(report: &Report, of: &RankingReport) -> Sheet {
    let order: Vec<usize> = of.places.iter().map(|place| place.run).collect();
    let hit = Some(report.options.hit());
    let column = |(place, run): (usize, &usize)| Column {
        baseline: Some(*run),
        ..Column::new(&format!("- {}", place + 1), "pair_average_recall_difference", hit)
    };
    let cell = |first: usize, second: usize| {
        let find = |better, other| of.pairs.iter().find(|pair| (pair.better, pair.other) == (better, other));
        match (find(first, second), find(second, first)) {
            (Some(pair), _) => difference(pair, 1.0),
            (None, Some(pair)) => difference(pair, -1.0),
            (None, None) => Cell::default(),
        }
    };
    let of_run = |(place, &run): (usize, &usize)| {
        let names = vec![(place + 1).to_string(), name(report, run)];
        row(run, names, order.iter().map(|other| cell(run, *other)).collect())
    };
    Sheet {
        title: "Each run minus each other, points of exact average recall".to_owned(),
        caption: format!("Each run minus each other, in points of exact average recall. {}", rests_on(report)),
        notes: vec![
            "With a star: told apart, at an adjusted p below 0.05. CSV and JSON hold interval and p.".to_owned(),
        ],
        names: vec!["Place", "Run"],
        columns: order.iter().enumerate().map(column).collect(),
        rows: order.iter().enumerate().map(of_run).collect(),
    }
}

/// A pair as it is, or with the other run first.
fn difference(of: &PairReport, sign: f64) -> Cell {
    let [low, high] = of.difference.interval.map(|end| sign * end);
    let value = sign * of.difference.value;
    let star = if of.is_told_apart { "*" } else { "" };
    Cell {
        text: format!("{:+.2}{star}", 100.0 * value),
        value: Some(value),
        interval: Some([low.min(high), low.max(high)]),
        p: Some(of.difference.p),
        p_holm: of.difference.p_holm,
        ..Cell::default()
    }
}
