//! Metrics beside the score: one line a metric.

use super::{Cell, Column, Row, Sheet, at_rates, mark_best, rests_on, shown};
use crate::geometry::Measure;
use crate::options::Hit;
use crate::report::Report;
use crate::report::statistics::{EstimateReport, MEAN, ObserverReport, RowReport, SizeReport, StatisticsReport};

/// A metric of a class: its column, and where its number stands in the report.
struct Metric {
    column: Column,
    of: fn(&RowReport) -> Cell,
}

/// All of them, in the order in which they are shown.
fn all(report: &Report) -> Vec<Metric> {
    let own = Some(report.options.hit());
    let iou = |threshold| Some(Hit::written(Measure::Iou, threshold));
    let up_to = report.options.area_up_to;
    let area = format!("AUFROC to {} FP per image, normalised", up_to.unwrap_or_default());
    let at = |heading: &str, metric, fp_per_image, hit, of| Metric {
        column: Column { fp_per_image, ..Column::new(heading, metric, hit) },
        of,
    };
    let metric = |heading, metric, hit, of| at(heading, metric, None, hit, of);
    vec![
        metric("AP50, %", "ap50", iou(0.5), |row| Cell::percent(row.average_precision.map(|ap| ap.ap50), None)),
        metric("AP75, %", "ap75", iou(0.75), |row| Cell::percent(row.average_precision.map(|ap| ap.ap75), None)),
        metric("AP50:95, %", "ap50_95", None, |row| Cell::percent(row.average_precision.map(|ap| ap.ap50_95), None)),
        metric("image AUROC", "image_roc_area", None, |row| {
            let roc = row.image_roc.as_ref();
            Cell::fraction(roc.and_then(|roc| roc.area), roc.and_then(|roc| roc.interval))
        }),
        metric("AFROC", "afroc", own, |row| observer(row, |of| of.afroc)),
        metric("wAFROC", "wafroc", own, |row| observer(row, |of| of.wafroc)),
        metric("recall at 1/8..8 FP per image (LUNA16 CPM), %", "recall_at_seven_rates", own, |row| {
            Cell::percent(row.recall_at_seven_rates, None)
        }),
        at(&area, "area", up_to, own, |row| Cell::fraction(row.area, None)),
    ]
}

/// A figure of observer studies with its interval.
fn observer(row: &RowReport, of: fn(&ObserverReport) -> EstimateReport) -> Cell {
    let estimate = row.observer.as_ref().map(of);
    Cell::fraction(estimate.and_then(|of| of.value), estimate.and_then(|of| of.interval))
}

/// A row for each class and run, with what `cells` makes of it; the best run of each class is marked.
pub(super) fn by_class(report: &Report, cells: impl Fn(&RowReport) -> Vec<Cell>) -> Vec<Row> {
    let of = |run: usize| report.runs[run].statistics.as_ref();
    let n_places = report.runs.iter().filter_map(|run| Some(run.statistics.as_ref()?.rows.len())).max().unwrap_or(0);
    let mut rows = Vec::new();
    for place in 0..n_places {
        let row = |run: usize| {
            let row = of(run)?.rows.get(place)?;
            Some(Row {
                names: vec![shown(&row.name), report.runs[run].name.clone()],
                cells: cells(row),
                ..plain(&row.name, run)
            })
        };
        let mut group: Vec<Row> = (0..report.runs.len()).filter_map(row).collect();
        mark_best(&mut group);
        rows.extend(group);
    }
    rows
}

pub(super) fn plain(class: &str, run: usize) -> Row {
    Row {
        names: Vec::new(),
        class: class.to_owned(),
        run,
        baseline: None,
        by: "".into(),
        fp_per_image: None,
        hit: None,
        slice: None,
        cells: Vec::new(),
    }
}

/// Average precision, image-level ROC and figures of the exact curve.
pub(super) fn other_metrics(report: &Report) -> Sheet {
    let metrics = all(report);
    Sheet {
        title: "Other metrics, of the exact score".to_owned(),
        caption: format!("Other metrics; recall and areas are of the exact score. {}", rests_on(report)),
        notes: vec![
            "AP: as pycocotools computes it. AUROC: whether an image holds a lesion of the class, told by its highest score; \
             95 % intervals by DeLong's method, whatever the level of the others. AFROC: the chance that a lesion scores above the highest false positive of an image without \
             the class, every lesion alike; wAFROC: every image with lesions alike. CPM and AUFROC: of the exact curve, 0 to 1 where no % stands."
                .to_owned(),
        ],
        names: vec!["Class", "Run"],
        rows: by_class(report, |row| metrics.iter().map(|metric| (metric.of)(row)).collect()),
        columns: metrics.into_iter().map(|metric| metric.column).collect(),
    }
}

/// The parts that lesions are divided into, as the report names them, and what stands over each.
const SIZES: [(&str, &str, &str, &str); 6] = [
    ("thirds", "small", "small third", "recall_thirds_small"),
    ("thirds", "medium", "medium third", "recall_thirds_medium"),
    ("thirds", "large", "large third", "recall_thirds_large"),
    ("coco", "small", "COCO small", "recall_coco_small"),
    ("coco", "medium", "COCO medium", "recall_coco_medium"),
    ("coco", "large", "COCO large", "recall_coco_large"),
];

/// Recall by size of the lesions, at any score.
pub(super) fn sizes(report: &Report) -> Sheet {
    let hit = Some(report.options.hit());
    let column = |(_, _, heading, metric): (_, _, &str, _)| Column::new(heading, metric, hit);
    let cells = |row: &RowReport| {
        let find = |(division, name, ..): &(&str, &str, _, _)| {
            let is = |size: &&SizeReport| size.division == *division && size.size == *name;
            Cell::percent(row.sizes.iter().find(is).and_then(|size| size.recall), None)
        };
        SIZES.iter().map(find).collect()
    };
    let mut rows = by_class(report, cells);
    rows.retain(|row| row.class != MEAN);
    Sheet {
        title: "Recall by size of the lesions, at any score, percent".to_owned(),
        caption: format!("Share of the lesions found by a detection of any score, in percent. {}", rests_on(report)),
        notes: vec![
            "Thirds of each class's lesions by area; COCO: below 32 x 32 pixels, below 96 x 96, and above.".to_owned(),
        ],
        names: vec!["Class", "Run"],
        columns: SIZES.into_iter().map(column).collect(),
        rows,
    }
}

/// Exact mean recall at other thresholds of the hit criterion.
pub(super) fn iou_sweep(report: &Report) -> Sheet {
    let measure = report.options.hit().measure();
    let of_run = |(run, statistics): (usize, &StatisticsReport)| {
        let row = |at: &crate::report::statistics::IouReport| {
            let values = at.recall.iter().chain([&at.average_recall]);
            let iou_threshold = format!("{:.2}", at.iou_threshold);
            Row {
                names: vec![report.runs[run].name.clone(), iou_threshold],
                by: "exact_".into(),
                hit: Some(Hit::written(measure, at.iou_threshold)),
                cells: values.map(|value| Cell::percent(*value, None)).collect(),
                ..plain(MEAN, run)
            }
        };
        statistics.iou_sweep.iter().map(row).collect::<Vec<_>>()
    };
    let statistics = report.runs.iter().enumerate().filter_map(|(at, run)| Some((at, run.statistics.as_ref()?)));
    Sheet {
        title: format!("Exact mean recall by {} threshold, percent", measure.name()),
        caption: format!("Exact mean recall in percent at other {} thresholds. {}", measure.name(), rests_on(report)),
        notes: Vec::new(),
        names: vec!["Run", measure.name()],
        columns: at_rates(report, "recall_at_iou", "average_recall_at_iou"),
        rows: statistics.flat_map(of_run).collect(),
    }
}
