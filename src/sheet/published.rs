//! A run by the conventions that others publish their figures by.

use super::metrics::plain;
use super::{Cell, Column, Row, Sheet, mark_best, rests_on};
use crate::report::Report;
use crate::report::published::PublishedReport;
use crate::report::statistics::{MEAN, POOLED};
use crate::score::published::Published;

/// What stands over the words that say what a convention is, in the order of `words`.
pub const HEADINGS: [&str; 5] = ["hit", "second hits", "read", "over", "source"];

/// What a convention is, in words.
fn words(of: &PublishedReport) -> [&str; 5] {
    [&of.hit, &of.second_hits, &of.reading, &of.over, &of.source]
}

/// What CSV puts before its figure.
const fn prefix(id: Published) -> &'static str {
    match id {
        Published::ChestxDet10 => "chestx_det10_",
        Published::Exact => "exact_",
        Published::CocoAp50 => "coco_ap50_",
        Published::CocoAp => "coco_ap_",
        Published::Luna16 => "luna16_",
        Published::Nndetection => "nndetection_",
        Published::Monai => "monai_",
        Published::ObjectCxr => "object_cxr_",
        Published::CocoFrocAnalysis => "coco_froc_analysis_",
        Published::ChestxRay8 => "chestx_ray8_",
        Published::PicaiEval => "picai_eval_",
    }
}

/// A line for each convention, runs below each other.
pub(super) fn conventions(report: &Report) -> Sheet {
    let of_run = |run: usize| report.runs[run].statistics.as_ref().map_or(&[][..], |of| &of.published);
    let mut rows = Vec::new();
    for (place, id) in Published::ALL.into_iter().enumerate() {
        let row = |run: usize| {
            let of = of_run(run).get(place)?;
            Some(Row {
                names: vec![of.name.clone(), of.figure.clone(), report.runs[run].name.clone()],
                by: prefix(id).into(),
                cells: vec![Cell::percent(of.value, None)],
                ..plain(if id == Published::Nndetection { POOLED } else { MEAN }, run)
            })
        };
        let mut group: Vec<Row> = (0..report.runs.len()).filter_map(row).collect();
        mark_best(&mut group);
        rows.extend(group);
    }
    // What a convention is does not depend on the run; why there is no figure may.
    let first = (0..report.runs.len()).map(of_run).find(|all| !all.is_empty()).unwrap_or_default();
    let note = |(place, of): (usize, &PublishedReport)| {
        let because = (0..report.runs.len()).find_map(|run| of_run(run).get(place)?.none_because.as_ref());
        let said: Vec<String> =
            HEADINGS.iter().zip(words(of)).map(|(heading, words)| format!("{heading}: {words}")).collect();
        let because = because.map_or_else(String::new, |because| format!(" No figure. {because}"));
        format!("{}: {}.{because}", of.name, said.join("; "))
    };
    Sheet {
        title: "Under each published convention, percent".to_owned(),
        caption: format!(
            "The same detections by the conventions that others publish their figures by, in percent; each has rules of its own. {}",
            rests_on(report)
        ),
        notes: first.iter().enumerate().map(note).collect(),
        names: vec!["Convention", "Figure", "Run"],
        columns: vec![Column::new("figure, %", "figure", None)],
        rows,
    }
}
