//! What must hold for any predictions, whatever the numbers are.
#![allow(clippy::float_cmp)]

use std::collections::BTreeSet;

use froc::geometry::{BBox, Extent, iou};
use froc::matching::Verdict;
use froc::protocol::Protocol;
use froc::report::{CurveReport, Report};
use froc::{Options, Row};
use proptest::prelude::*;
use serde_json::Value;

use crate::oracle::datasets::{Case, case};
use crate::oracle::reference::{Dataset, Image};
use crate::support::{CLASSES, read, same_cases_every_time, score, zip_of};

impl Case {
    fn options(&self) -> Options {
        Options::new(self.iou_threshold, self.rates.clone()).expect("options in range")
    }

    fn report(&self) -> Report {
        score(&self.dataset.ground_truth(), &self.dataset.predictions(), &self.options()).expect("files in order")
    }

    fn curves(&self) -> Vec<CurveReport> {
        let (ground_truth, run) =
            read(&self.dataset.ground_truth(), &self.dataset.predictions()).expect("files in order");
        Protocol::default()
            .classes()
            .map(|class| froc::curve(&ground_truth, &run, Row::Class(class), &self.options()))
            .collect()
    }

    /// The distinct scores, rising.
    fn scores(&self) -> Vec<f32> {
        let mut scores: Vec<f32> = self.dataset.clone().scores().map(|score| *score as f32 + 0.0).collect();
        scores.sort_by(f32::total_cmp);
        scores.dedup();
        scores
    }
}

impl Dataset {
    fn scores(&mut self) -> impl Iterator<Item = &mut f64> {
        let entries = self.images.iter_mut().filter_map(|image| image.file.as_mut()).flatten();
        entries.flat_map(|entry| entry.iter_mut().map(|(_, value)| &mut value[4]))
    }

    /// Only what scores at least this.
    fn shown_at(&self, threshold: f32) -> Self {
        let mut shown = self.clone();
        for entry in shown.images.iter_mut().filter_map(|image| image.file.as_mut()).flatten() {
            // Beside its official spelling the lower-case one is not read, whatever either scores.
            let official: Vec<String> =
                entry.iter().map(|(key, _)| key.clone()).filter(|key| CLASSES.contains(&key.as_str())).collect();
            entry.retain(|(key, value)| {
                let is_beside = official.iter().any(|official| official.to_ascii_lowercase() == *key);
                !is_beside && value[4] as f32 >= threshold
            });
        }
        shown
    }
}

/// The report without what differs between two files of the same contents, and without score thresholds.
fn scores_only(report: &Report) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["sha256", "score_threshold"] {
                    map.remove(key);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(report).expect("a report");
    strip(&mut value);
    value
}

fn extent() -> impl Strategy<Value = Extent> {
    prop_oneof![Just(Extent::PlusOne), Just(Extent::Plain)]
}

/// Any box whose area is finite, on a scale of its own; corners in order or not.
fn any_box() -> impl Strategy<Value = BBox> {
    let scale = prop_oneof![Just(1.0_f32), Just(1e-3), Just(1e8), Just(1e15)];
    (prop::array::uniform4(-1000.0_f32..1000.0), scale).prop_map(|([x1, y1, x2, y2], scale)| BBox {
        x1: x1 * scale,
        y1: y1 * scale,
        x2: x2 * scale,
        y2: y2 * scale,
    })
}

fn ordered(BBox { x1, y1, x2, y2 }: BBox) -> BBox {
    BBox { x1: x1.min(x2), y1: y1.min(y2), x2: x1.max(x2), y2: y1.max(y2) }
}

/// Two boxes, the second sometimes near the first, so that they overlap.
fn two_boxes() -> impl Strategy<Value = (BBox, BBox)> {
    (any_box(), any_box(), any::<bool>(), prop::array::uniform4(0.9_f32..1.1)).prop_map(|(a, b, near, [p, q, r, s])| {
        if near { (a, BBox { x1: a.x1 * p, y1: a.y1 * q, x2: a.x2 * r, y2: a.y2 * s }) } else { (a, b) }
    })
}

proptest! {
    #![proptest_config(same_cases_every_time(2000))]

    #[test]
    fn overlap_is_symmetric((a, b) in two_boxes(), extent in extent()) {
        let (ab, ba) = (iou(a, b, extent), iou(b, a, extent));
        prop_assert!(ab == ba || (ab.is_nan() && ba.is_nan()), "{ab} and {ba}");
    }

    #[test]
    fn overlap_is_a_fraction_for_ordered_corners((a, b) in two_boxes(), extent in extent()) {
        let (a, b) = (ordered(a), ordered(b));
        prop_assume!(a.area(extent) > 0.0 && b.area(extent) > 0.0);
        let overlap = iou(a, b, extent);
        prop_assert!((0.0..=1.0).contains(&overlap), "{overlap}");
        prop_assert_eq!(iou(a, a, extent), 1.0);
    }
}

proptest! {
    #![proptest_config(same_cases_every_time(500))]

    #[test]
    fn no_lesion_is_found_twice(case in case()) {
        let (ground_truth, run) = read(&case.dataset.ground_truth(), &case.dataset.predictions()).expect("files in order");
        for class in Protocol::default().classes() {
            for extent in [Extent::PlusOne, Extent::Plain] {
                let verdicts = run.verdicts(class, ground_truth.n_lesions(class), case.iou_threshold, extent);
                let mut found = BTreeSet::new();
                for claim in verdicts.claims() {
                    prop_assert_eq!(found.insert(claim.lesion), !claim.is_duplicate, "lesion {}", claim.lesion);
                }
                prop_assert!(verdicts.claims().is_sorted_by(|a, b| a.rank < b.rank));
                let hits = verdicts.iter().zip(0..).filter(|(verdict, _)| *verdict == Verdict::TruePositive);
                prop_assert!(hits.map(|(_, rank)| rank).eq(verdicts.hits()));
                prop_assert_eq!(verdicts.iter().count(), verdicts.n_detections());
                prop_assert!(found.len() <= ground_truth.n_lesions(class));
            }
        }
    }

    #[test]
    fn recall_and_false_positives_never_fall_along_a_curve(case in case()) {
        for (curve, class) in case.curves().iter().zip(case.report().runs[0].classes.iter()) {
            prop_assert!(curve.fp_per_image.is_sorted() && curve.recall.is_sorted());
            prop_assert!(curve.score_threshold[0].is_none() && curve.score_threshold[1..].is_sorted_by(|a, b| a > b));
            prop_assert_eq!((curve.fp_per_image[0], curve.recall[0]), (0.0, 0.0));
            let n_images = case.dataset.images.len() as f64;
            prop_assert_eq!(curve.fp_per_image.last(), Some(&(class.false_positives as f64 / n_images)));
            let recall = if class.n_lesions == 0 { 0.0 } else { class.true_positives as f64 / class.n_lesions as f64 };
            prop_assert_eq!(curve.recall.last(), Some(&recall));
        }
    }

    #[test]
    fn the_pooled_curve_ends_with_all_that_the_classes_find(case in case()) {
        let (ground_truth, run) =
            read(&case.dataset.ground_truth(), &case.dataset.predictions()).expect("files in order");
        let pooled = froc::curve(&ground_truth, &run, Row::Pooled, &case.options());
        let report = case.report();
        let classes = &report.runs[0].classes;
        let total = |of: fn(&froc::report::ClassReport) -> usize| classes.iter().map(of).sum::<usize>() as f64;
        let lesions = total(|class| class.n_lesions);
        let recall = if lesions == 0.0 { 0.0 } else { total(|class| class.true_positives) / lesions };
        prop_assert_eq!(pooled.recall.last(), Some(&recall));
        let spent = total(|class| class.false_positives) / case.dataset.images.len() as f64;
        prop_assert_eq!(pooled.fp_per_image.last(), Some(&spent));
    }

    #[test]
    fn a_strictly_rising_map_of_the_scores_changes_nothing(case in case()) {
        let scores = case.scores();
        let place = |score: f32| scores.iter().position(|other| *other == score).expect("one of the scores");
        let mut mapped = case.clone();
        // Places in the ranking, from below 0 up.
        mapped.dataset.scores().for_each(|score| *score = place(*score as f32) as f64 - 3.0);
        let (before, after) = (case.report(), mapped.report());
        prop_assert_eq!(scores_only(&before), scores_only(&after));
        for (before, after) in before.runs[0].classes.iter().zip(&after.runs[0].classes) {
            let expected: Vec<_> = before.exact.score_threshold.iter().map(|score| score.map(|s| place(s) as f32 - 3.0)).collect();
            prop_assert_eq!(&after.exact.score_threshold, &expected);
        }
    }

    #[test]
    fn a_stricter_iou_threshold_finds_no_more(case in case(), other in 0.0..=1.0_f64) {
        let mut stricter = case.clone();
        stricter.iou_threshold = case.iou_threshold.max(other);
        let mut looser = case.clone();
        looser.iou_threshold = case.iou_threshold.min(other);
        for (strict, loose) in stricter.report().runs[0].classes.iter().zip(&looser.report().runs[0].classes) {
            prop_assert!(strict.true_positives <= loose.true_positives);
            for (strict, loose) in strict.exact.recall.iter().zip(&loose.exact.recall) {
                prop_assert!(strict <= loose, "{:?} above {:?}", strict, loose);
            }
        }
    }

    #[test]
    fn the_lesions_themselves_are_all_found(case in case(), scores in prop::collection::vec(0.0..1.0_f64, 120)) {
        let mut perfect = case.clone();
        let mut scores = scores.into_iter().cycle();
        for image in &mut perfect.dataset.images {
            // No two lesions of a class coincide in an image.
            let mut kept: Vec<(usize, [f64; 4])> = Vec::new();
            for lesion in &image.lesions {
                if !kept.contains(lesion) {
                    kept.push(*lesion);
                }
            }
            let mut entry = |(class, [x1, y1, x2, y2]): (usize, [f64; 4])| {
                vec![(CLASSES[class].to_owned(), [x1, y1, x2, y2, scores.next().unwrap_or_default()])]
            };
            image.file = Some(kept.iter().map(|lesion| entry(*lesion)).collect());
            image.lesions = kept;
        }
        for class in perfect.report().runs[0].classes.iter().filter(|class| class.n_lesions > 0) {
            prop_assert_eq!(class.false_positives, 0);
            for recall in class.official.recall.iter().chain(&class.exact.recall) {
                prop_assert_eq!(*recall, Some(1.0), "{}", class.name);
            }
        }
    }

    #[test]
    fn a_detection_below_all_others_changes_no_earlier_point(case in case(), bbox in prop::array::uniform4(0..6_u8), image in any::<prop::sample::Index>(), class in 0..10_usize) {
        let lowest = f64::from(case.scores().first().copied().unwrap_or_default()) - 1.0;
        let mut longer = case.clone();
        let images = &mut longer.dataset.images;
        let image: &mut Image = image.get_mut(images);
        let [x1, y1, x2, y2] = bbox.map(f64::from);
        image.file.get_or_insert_default().push(vec![(CLASSES[class].to_owned(), [x1, y1, x2, y2, lowest])]);
        let (before, after) = (case.report(), longer.report());
        for (at, (before, after)) in case.curves().iter().zip(&longer.curves()).enumerate() {
            if at != class {
                prop_assert_eq!(before, after);
                continue;
            }
            // The last corner may go on in its direction, and is then none; all others stay.
            let n = before.recall.len() - 1;
            prop_assert_eq!(&before.recall[..n], &after.recall[..n]);
            prop_assert_eq!(&before.fp_per_image[..n], &after.fp_per_image[..n]);
            prop_assert_eq!(&before.score_threshold[..n], &after.score_threshold[..n]);
            prop_assert_eq!(after.score_threshold.last(), Some(&Some(lowest as f32)));
        }
        for (before, after) in before.runs[0].classes.iter().zip(&after.runs[0].classes) {
            for (before, after) in before.exact.recall.iter().zip(&after.exact.recall) {
                prop_assert!(after >= before);
            }
        }
    }

    /// Read at every score threshold on its own: only what scores at least that is handed in.
    #[test]
    fn exact_is_the_best_that_a_threshold_attains_within_the_budget(case in case()) {
        let n_images = case.dataset.images.len() as f64;
        let exact = case.report();
        let mut best = vec![vec![0.0_f64; case.rates.len()]; CLASSES.len()];
        for threshold in case.scores() {
            let shown = Case { dataset: case.dataset.shown_at(threshold), ..case.clone() }.report();
            for (at, class) in shown.runs[0].classes.iter().enumerate().filter(|(_, class)| class.n_lesions > 0) {
                for (best, rate) in best[at].iter_mut().zip(&case.rates) {
                    if class.false_positives as f64 / n_images <= *rate {
                        *best = best.max(class.true_positives as f64 / class.n_lesions as f64);
                    }
                }
            }
        }
        for (class, best) in exact.runs[0].classes.iter().zip(best).filter(|(class, _)| class.n_lesions > 0) {
            let best: Vec<Option<f64>> = best.into_iter().map(Some).collect();
            prop_assert_eq!(&class.exact.recall, &best, "{}", class.name);
        }
    }

    /// Quirks Q1 to Q6 are all that sets the official score apart from the exact one.
    #[test]
    fn what_no_quirk_touched_is_exact(case in case()) {
        let report = case.report();
        let run = &report.runs[0];
        let touched: BTreeSet<&str> = run.official.quirks.iter()
            .filter(|quirk| ("Q1"..="Q6").contains(&quirk.id.as_str()))
            .flat_map(|quirk| quirk.classes.iter().map(|class| class.name.as_str()))
            .collect();
        for class in run.classes.iter().filter(|class| class.n_lesions > 0) {
            if touched.contains(class.name.as_str()) {
                continue;
            }
            prop_assert_eq!(&class.official.recall, &class.exact.recall, "{}", class.name);
            prop_assert_eq!(&class.official.recall_bounds[0], &class.official.recall, "{}", class.name);
            prop_assert_eq!(&class.official.recall_bounds[1], &class.official.recall, "{}", class.name);
        }
    }

    /// What is scored is the detections, not where their files stand or what lies beside them.
    #[test]
    fn the_order_of_files_and_files_of_no_image_change_nothing(case in case()) {
        let ground_truth = case.dataset.ground_truth();
        let mut files = case.dataset.files();
        files.reverse();
        for (name, _) in &mut files {
            name.insert_str(0, "model/val/");
        }
        let other = score(&ground_truth, &zip_of(&files), &case.options()).expect("files in order");
        let mut expected = scores_only(&case.report());
        let mut ours = scores_only(&other);
        for report in [&mut expected, &mut ours] {
            report["runs"][0]["findings"] = Value::Null;
        }
        prop_assert_eq!(ours, expected);
    }
}
