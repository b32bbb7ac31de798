//! What lesions are found as: one line for each two classes that have something in common.

use std::collections::BTreeMap;

use super::metrics::plain;
use super::{Cell, Column, Row, Sheet, rests_on};
use crate::report::Report;
use crate::report::confusion::ConfusionCellReport;
use crate::score::confusion::On;

/// What it is on, then the places of the classes of lesions and detections; none comes last.
type Key = (On, usize, usize);

/// The cells that hold something in any run at any rate.
pub(super) fn confusion(report: &Report) -> Sheet {
    let rates = &report.options.fp_per_image;
    let classes = report.runs.first().map(|run| run.classes.as_slice()).unwrap_or_default();
    let place: BTreeMap<&str, usize> = classes.iter().zip(0..).map(|(class, at)| (class.name.as_str(), at)).collect();
    let last = classes.len();
    let at = |name: Option<&String>| name.and_then(|name| place.get(name.as_str()).copied()).unwrap_or(last);
    let key = |cell: &ConfusionCellReport| (cell.on, at(cell.lesions_of.as_ref()), at(cell.found_as.as_ref()));
    // Of each cell, run by run, the counts at each rate.
    let mut counts: BTreeMap<Key, Vec<Vec<usize>>> = BTreeMap::new();
    for (run, of) in report.runs.iter().enumerate() {
        let tables = of.statistics.iter().flat_map(|statistics| &statistics.confusion);
        for (rate, table) in tables.enumerate().take(rates.len()) {
            for cell in &table.cells {
                let of_runs = counts.entry(key(cell)).or_insert_with(|| vec![vec![0; rates.len()]; report.runs.len()]);
                of_runs[run][rate] = cell.count;
            }
        }
    }
    let has_table = |run: &usize| report.runs[*run].statistics.as_ref().is_some_and(|of| !of.confusion.is_empty());
    let mut rows = Vec::new();
    for (key, of_runs) in counts {
        let runs = of_runs.into_iter().enumerate().filter(|(run, _)| has_table(run));
        rows.extend(runs.map(|(run, counts)| row(report, key, run, &counts)));
    }
    let hit = Some(report.options.hit());
    let column = |rate: &f64| Column { fp_per_image: Some(*rate), ..Column::new(&format!("at {rate}"), "count", hit) };
    Sheet {
        title: "What lesions are found as, at the exact operating points".to_owned(),
        caption: format!(
            "Lesions of each class by the class of the detection that has them, and false positives, at the score thresholds \
             of exact recall. {}",
            rests_on(report)
        ),
        notes: vec![
            "Each lesion and each detection shown stands in one line. A lesion is first its own class's, as in recall; one that is missed \
             there is then found as another class by the false positive that fits best and has no lesion yet. Taken lesion: false \
             positives on lesions that another detection has, second boxes among them. Background: on no lesion of any class."
                .to_owned(),
        ],
        names: vec!["Lesions of", "Found as", "Run"],
        columns: rates.iter().map(column).collect(),
        rows,
    }
}

fn row(report: &Report, (on, of, by): Key, run: usize, counts: &[usize]) -> Row {
    let name = |at: usize| report.runs[run].classes.get(at).map(|class| class.name.clone());
    let (lesions_of, found_as) = (name(of), name(by));
    let (first, by) = match (on, &lesions_of, &found_as) {
        (On::Lesion, Some(of), Some(by)) => (of.as_str(), format!("found_as_{by}_").into()),
        (On::Lesion, Some(of), None) => (of.as_str(), "missed_".into()),
        (On::TakenLesion, ..) => ("(taken lesion)", "on_taken_lesion_".into()),
        _ => ("(background)", "on_background_".into()),
    };
    let class = lesions_of.as_ref().or(found_as.as_ref()).cloned().unwrap_or_default();
    Row {
        names: vec![
            first.to_owned(),
            found_as.unwrap_or_else(|| "(nothing)".to_owned()),
            report.runs[run].name.clone(),
        ],
        by,
        cells: counts.iter().map(|count| Cell::count(Some(*count))).collect(),
        ..plain(&class, run)
    }
}
