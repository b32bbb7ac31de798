//! Operating characteristics against scikit-learn's and MAPIE's, and against plain loops over all thresholds and images.

use crate::support::cases::{cases, load};
use froc::curve::{Curve, Point};
use froc::matching::Verdict;
use froc::report::statistics::Wanted;
use froc::score::official::Counts;
use froc::score::operating::{Bin, Calibration, HighestScores, best_f_score, f_score, precision, precision_recall};
use froc::{Options, Report};
use serde_json::Value;

const TOLERANCE: f64 = 1e-12;

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn is_close(ours: Option<f64>, theirs: f64) -> bool {
    ours.is_some_and(|ours| (ours - theirs).abs() <= TOLERANCE)
}

/// `tests/operating.json` was written by `tests/operating.py`, which names the versions of both.
#[test]
fn precision_recall_f_scores_and_calibration_are_those_of_scikit_learn_and_mapie() {
    let expected: Value = serde_json::from_str(include_str!("operating.json")).expect("JSON");
    assert_eq!(expected["scikit_learn"], "1.9.1");
    let mut compared = 0;
    for case in expected["cases"].as_array().expect("cases") {
        let (scores, labels) = (numbers(&case["score"]), numbers(&case["label"]));
        let mut ranked: Vec<(f64, bool)> =
            scores.iter().copied().zip(labels.iter().map(|label| *label > 0.5)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let hits = (0..).zip(&ranked).filter(|(_, (_, is_hit))| *is_hit).map(|(rank, _)| rank);
        let curve =
            Curve::new(ranked.iter().map(|(score, _)| *score as f32).collect::<Vec<_>>(), hits.collect::<Vec<u32>>());
        let n_lesions = ranked.iter().filter(|(_, is_hit)| *is_hit).count();
        let counts = Counts { n_lesions, n_images: 1 };
        // By falling threshold, as ours.
        let falling = |list: &Value| numbers(list).into_iter().rev().collect::<Vec<f64>>();
        let points: Vec<Point> = curve.points().skip(1).collect();
        let thresholds = falling(&case["threshold"]);
        assert_eq!(points.len(), thresholds.len(), "a point for each distinct score");
        for (at, point) in points.iter().enumerate() {
            assert_eq!(point.score_threshold, Some(thresholds[at] as f32));
            assert!(is_close(precision(*point), falling(&case["precision"])[at]));
            assert!(is_close(froc::score::exact::recall(*point, counts), falling(&case["recall"])[at]));
            for (beta, theirs) in [(0.5, "0.5"), (1.0, "1.0"), (2.0, "2.0")] {
                assert!(is_close(f_score(*point, counts, beta), falling(&case["f"][theirs])[at]), "beta {beta}");
                compared += 1;
            }
        }
        for (beta, theirs) in [(0.5, "0.5"), (1.0, "1.0"), (2.0, "2.0")] {
            let f = falling(&case["f"][theirs]);
            let most = f.iter().copied().fold(0.0, f64::max);
            let (point, ours) = best_f_score(&curve, counts, beta).expect("lesions");
            assert!((ours - most).abs() <= TOLERANCE);
            // The highest threshold of those that are equally good.
            let first = f.iter().position(|value| (value - most).abs() <= TOLERANCE).expect("the greatest");
            assert_eq!(point.score_threshold, Some(thresholds[first] as f32), "beta {beta}");
        }
        // Each taken as an image by its highest score.
        let images = (0..).zip(&ranked).map(|(unit, (score, label))| (Some(*score as f32), unit, *label));
        let images = HighestScores::of(images);
        for at in case["at_specificity"].as_array().expect("a list") {
            let of = |key: &str| at[key].as_f64().expect("a number");
            let ours = images.at_specificity(of("least"), &vec![1; ranked.len()]).expect("both labels");
            assert!(is_close(Some(ours.sensitivity), of("sensitivity")), "{at}, {ours:?}");
            assert!(is_close(Some(ours.specificity), of("specificity")), "{at}, {ours:?}");
            assert_eq!(ours.score_threshold, at["threshold"].as_f64().map(|score| score as f32), "{at}");
        }
        let rises = precision_recall(&curve);
        assert_eq!(rises.last().map(|point| point.true_positives as usize), Some(n_lesions));
        assert!(rises.windows(2).all(|two| two[0].true_positives < two[1].true_positives));
        let calibration = Calibration::new(ranked.iter().copied()).expect("scores in 0 to 1");
        let filled: Vec<_> = calibration.bins.iter().filter(|bin| bin.n > 0).collect();
        let (shares, means) = (numbers(&case["share_of_true_positives"]), numbers(&case["mean_score"]));
        assert_eq!(filled.len(), shares.len());
        for ((bin, share), mean) in filled.iter().zip(shares).zip(means) {
            assert!(is_close(bin.share_of_true_positives(), share) && is_close(bin.mean_score(), mean));
        }
        // By MAPIE 1.6.0.
        let error = case["expected_error"].as_f64().expect("a number");
        assert!((calibration.expected_error() - error).abs() <= TOLERANCE);
    }
    assert!(compared > 900, "{compared}");
}

#[test]
fn without_lesions_there_is_no_f_score() {
    let point = Point { true_positives: 0, false_positives: 2, score_threshold: Some(0.5) };
    assert_eq!(f_score(point, Counts { n_lesions: 0, n_images: 10 }, 1.0), None);
    assert_eq!(f_score(point, Counts { n_lesions: 1, n_images: 10 }, 1.0), Some(0.0));
}

#[test]
fn calibration_needs_scores_from_0_to_1() {
    assert_eq!(Calibration::new([]), None);
    assert_eq!((Bin::default().mean_score(), Bin::default().share_of_true_positives()), (None, None));
    assert_eq!(Calibration::new([(0.5, true), (1.5, true)]), None);
    assert_eq!(Calibration::new([(-0.1, true)]), None);
    let ends = Calibration::new([(0.0, false), (1.0, true)]).expect("scores in 0 to 1");
    assert_eq!((ends.bins[0].n, ends.bins[9].n), (1, 1));
    assert!(ends.expected_error().abs() < TOLERANCE);
}

fn report(case: &std::path::Path, beta: f64) -> Report {
    let (truth, predictions, run) = load(case);
    let wanted = Wanted { beta, ..Wanted::default() };
    froc::evaluate_with_statistics(&truth, &[(&run, &predictions)], &Options::default(), wanted)
}

/// Every golden case, by going through all images and detections for each threshold.
#[test]
fn figures_of_golden_cases_are_those_of_plain_loops() {
    let (mut with_images, mut with_best, mut at_specificity) = (0, 0, 0);
    for (case, beta) in cases().into_iter().zip([1.0, 2.0, 0.5].into_iter().cycle()) {
        let (truth, predictions, run) = load(&case);
        let report = report(&case, beta);
        assert_eq!(report.options.beta, Some(beta));
        let statistics = report.runs[0].statistics.as_ref().expect("statistics");
        let rows = &statistics.rows;
        // What lesions are found as sums to what is told of each class; `tests/diagnosis.rs` has the cells.
        for (rate, table) in statistics.confusion.iter().enumerate() {
            assert_eq!(table.fp_per_image.to_bits(), report.options.fp_per_image[rate].to_bits());
            for class in report.runs[0].classes.iter().filter(|class| class.n_lesions > 0) {
                let is = |name: &Option<String>| name.as_ref() == Some(&class.name);
                let sum = |wanted: &dyn Fn(bool, bool) -> bool| -> usize {
                    let of = table.cells.iter().filter(|cell| wanted(is(&cell.lesions_of), is(&cell.found_as)));
                    of.map(|cell| cell.count).sum()
                };
                let (found, all) = (sum(&|of, by| of && by), sum(&|of, _| of));
                assert_eq!(all, class.n_lesions, "{}", case.display());
                assert_eq!(class.exact.recall[rate], Some(found as f64 / all as f64), "{}", case.display());
                assert_eq!(class.exact.false_positives[rate], Some(sum(&|of, by| by && !of) as u32));
            }
        }
        assert_eq!(statistics.confusion.len(), report.options.fp_per_image.len());
        for (class, row) in truth.classes().zip(rows) {
            let place = format!("{}, {}", case.display(), row.name);
            let operating = row.operating.as_ref().expect("of every class");
            let n_lesions = truth.n_lesions(class);
            let verdicts = run.verdicts(class, n_lesions, 0.5, truth.protocol().extent());
            let shown: Vec<(f32, u32, bool)> = (run.ranking(class).scores().iter().zip(run.images(class)))
                .zip(verdicts.iter())
                .map(|((score, image), verdict)| (*score, image, verdict == Verdict::TruePositive))
                .collect();
            let f = |least: f32, beta: f64| {
                let hits = shown.iter().filter(|one| one.0 >= least && one.2).count() as f64;
                let (p, r) = (hits / shown.iter().filter(|one| one.0 >= least).count() as f64, hits / n_lesions as f64);
                let square = beta * beta;
                if hits > 0.0 { (1.0 + square) * p * r / (square * p + r) } else { 0.0 }
            };
            for (best, beta) in [(operating.best_f1, 1.0), (operating.best_f_beta, beta)] {
                let Some(best) = best else {
                    assert!(n_lesions == 0 || shown.is_empty(), "{place}");
                    continue;
                };
                let most = shown.iter().map(|one| f(one.0, beta)).fold(0.0, f64::max);
                let ours = if beta.to_bits() == 1.0_f64.to_bits() { best.f1 } else { best.f_beta };
                assert!((ours.expect("lesions") - most).abs() < TOLERANCE, "{place}");
                let threshold = best.score_threshold.expect("shown");
                assert!((f(threshold, beta) - most).abs() < TOLERANCE, "{place}");
                // The highest of several.
                assert!(shown.iter().all(|one| one.0 <= threshold || f(one.0, beta) < most), "{place}");
                with_best += 1;
            }
            let images = || 0..truth.n_images();
            let (with, without): (Vec<usize>, Vec<usize>) =
                images().partition(|image| !truth.lesions(class, *image).1.is_empty());
            let share = |of: &[usize], is: &dyn Fn(usize) -> bool| {
                (!of.is_empty()).then(|| of.iter().filter(|image| is(**image)).count() as f64 / of.len() as f64)
            };
            let at = row.at_specificity.expect("of every class");
            let highest = |image: usize| shown.iter().find(|one| one.1 as usize == image).map(|one| one.0);
            let specificity = |least: f32| share(&without, &|image| highest(image).is_none_or(|score| score < least));
            let kept = images().filter_map(highest).filter(|least| specificity(*least).is_some_and(|s| s >= 0.9));
            let lowest = kept.reduce(f32::min).filter(|_| !with.is_empty() && !without.is_empty());
            assert_eq!(at.score_threshold, lowest, "{place}");
            let least = lowest.unwrap_or(f32::INFINITY);
            let sensitivity = share(&with, &|image| highest(image).is_some_and(|score| score >= least));
            assert_eq!(at.sensitivity.value, sensitivity.filter(|_| !without.is_empty()), "{place}");
            assert_eq!(at.specificity, specificity(least).filter(|_| !with.is_empty()), "{place}");
            at_specificity += usize::from(at.sensitivity.value.is_some_and(|share| share > 0.0));
            for (rate, at) in operating.at_rates.iter().enumerate() {
                let least = report.runs[0].classes[class.index()].exact.score_threshold[rate];
                if n_lesions > 0 {
                    assert_eq!(at.shown.score_threshold, least, "{place}");
                }
                let least = at.shown.score_threshold.unwrap_or(f32::INFINITY);
                if let Some(f_beta) = at.shown.f_beta.filter(|_| least.is_finite()) {
                    assert!((f_beta - f(least, beta)).abs() < TOLERANCE, "{place}");
                }
                let n_in = |image: usize| shown.iter().filter(|one| one.1 as usize == image && one.0 >= least).count();
                let free: Vec<usize> = images().filter(|image| !truth.has_lesions(*image)).collect();
                assert_eq!(at.image_sensitivity, share(&with, &|image| n_in(image) > 0), "{place}");
                assert_eq!(at.image_specificity, share(&without, &|image| n_in(image) == 0), "{place}");
                assert_eq!(at.lesion_free_with_fp, share(&free, &|image| n_in(image) > 0), "{place}");
                let n: usize = free.iter().map(|image| n_in(*image)).sum();
                let per_image = (!free.is_empty()).then(|| n as f64 / free.len() as f64);
                assert_eq!(at.fp_per_lesion_free_image, per_image, "{place}");
                with_images += usize::from(at.image_sensitivity.is_some_and(|share| share > 0.0));
            }
            let scores =
                run.ranking(class).detections().iter().map(|at| predictions.detections().score_in_file(*at as usize));
            assert_eq!(
                operating.calibration.is_some(),
                !shown.is_empty() && scores.clone().all(|s| (0.0..=1.0).contains(&s))
            );
            if let Some(calibration) = &operating.calibration {
                let n: u32 = calibration.bins.iter().map(|bin| bin.n_detections).sum();
                assert_eq!(n as usize, shown.len(), "{place}");
            }
        }
    }
    assert!(with_images > 20 && with_best > 9, "{with_images} rates, {with_best} classes");
    assert!(at_specificity > 9, "{at_specificity} classes");
}
