//! The core against a slow second implementation, on thousands of random small datasets.
//!
//! The second one is written from the specification alone: plain loops, and for the official score the curve and the
//! interpolation that the script does, not the closed form that the core uses.
// The reference is written to be read beside the specification, in its letters and casts.
#![allow(clippy::float_cmp, clippy::cast_sign_loss, clippy::cast_possible_truncation)]

mod conventions;
pub mod datasets;
mod published;
mod quirks;
pub mod reference;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use froc::Options;
use froc::protocol::Protocol;
use froc::report::{ClassReport, QuirkReport, Report, RunReport};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::oracle::datasets::{Case, case};
use crate::oracle::quirks::{Class, Fired, IDS, fired, means, score_class};
use crate::oracle::reference::{Dataset, Image, Step, Undefined, mean, official, official_closed, verdicts};
use crate::support::{CLASSES, read, same, same_cases_every_time, score};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(same_cases_every_time(cases))
}

/// How often something was seen, so that a generator which stops making it does not go unnoticed.
#[derive(Default)]
struct Seen(RefCell<BTreeMap<String, u32>>);

impl Seen {
    fn note(&self, what: &str, seen: bool) {
        *self.0.borrow_mut().entry(what.to_owned()).or_default() += u32::from(seen);
    }

    fn assert_all_at_least(&self, least: u32) {
        let rare: Vec<String> =
            self.0.borrow().iter().filter(|(_, n)| **n < least).map(|(what, n)| format!("{what}: {n}")).collect();
        assert!(rare.is_empty(), "seen fewer than {least} times: {rare:?}");
    }
}

fn classes_of(case: &Case) -> Vec<Class> {
    (0..CLASSES.len()).map(|class| score_class(&case.dataset, class, case.iou_threshold, &case.rates)).collect()
}

/// The core's report of a case.
fn report_of(case: &Case) -> Report {
    let options = Options::new(case.iou_threshold, case.rates.clone()).expect("options in range");
    score(&case.dataset.ground_truth(), &case.dataset.predictions(), &options).expect("files in order")
}

/// A number that the script leaves undefined is null in the report.
fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn compare(what: &str, ours: &[Option<f64>], theirs: &[Option<f64>]) -> Result<(), String> {
    let equal = ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|pair| match pair {
            (Some(ours), Some(theirs)) => same(*ours, *theirs),
            (ours, theirs) => ours == theirs,
        });
    if equal { Ok(()) } else { Err(format!("{what}: core {ours:?}, oracle {theirs:?}")) }
}

/// Costs are differences of rounded numbers, so the order of operations may show in their last digits.
fn compare_costs(what: &str, ours: &[Option<f64>], theirs: &[Option<f64>]) -> Result<(), String> {
    let equal = ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|pair| match pair {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-9,
            (ours, theirs) => ours == theirs,
        });
    if equal { Ok(()) } else { Err(format!("{what}: core {ours:?}, oracle {theirs:?}")) }
}

fn all_defined(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().map(|value| defined(*value)).collect()
}

fn compare_class(ours: &ClassReport, theirs: &Class) -> Result<(), String> {
    let name = &ours.name;
    let n_true = theirs.hits.iter().filter(|hit| **hit).count();
    let counts = [ours.n_lesions, ours.n_detections, ours.true_positives, ours.false_positives];
    let expected = [theirs.n_lesions, theirs.hits.len(), n_true, theirs.hits.len() - n_true];
    if counts != expected {
        return Err(format!("{name}, lesions, detections, TP, FP: core {counts:?}, oracle {expected:?}"));
    }
    compare(&format!("{name}, official recall"), &ours.official.recall, &all_defined(&theirs.official))?;
    let [worst, best] = &ours.official.recall_bounds;
    compare(&format!("{name}, worst"), worst, &all_defined(&theirs.worst))?;
    compare(&format!("{name}, best"), best, &all_defined(&theirs.best))?;
    compare_exact(ours, theirs)
}

fn compare_exact(ours: &ClassReport, theirs: &Class) -> Result<(), String> {
    let name = &ours.name;
    let has_lesions = theirs.n_lesions > 0;
    let points = || theirs.exact.iter();
    let recall: Vec<_> =
        points().map(|point| has_lesions.then(|| point.true_positives as f64 / theirs.n_lesions as f64)).collect();
    let thresholds: Vec<_> = points().map(|point| point.threshold.filter(|_| has_lesions)).collect();
    let spent: Vec<_> = points().map(|point| has_lesions.then_some(point.false_positives as u32)).collect();
    compare(&format!("{name}, exact recall"), &ours.exact.recall, &recall)?;
    if ours.exact.score_threshold != thresholds || ours.exact.false_positives != spent {
        return Err(format!(
            "{name}, exact: core {:?} {:?}, oracle {thresholds:?} {spent:?}",
            ours.exact.score_threshold, ours.exact.false_positives
        ));
    }
    Ok(())
}

/// The largest number of false positives that a rate allows.
fn budget(rate: f64, n_images: usize) -> u64 {
    (0..u64::MAX).take_while(|k| *k as f64 / n_images as f64 <= rate).last().expect("none is always allowed")
}

fn compare_means(run: &RunReport, classes: &[Class], case: &Case) -> Result<(), String> {
    let of = |recall: fn(&Class) -> &Vec<f64>| means(classes, |class| recall(class).clone());
    let (official, worst, best) = (of(|class| &class.official), of(|class| &class.worst), of(|class| &class.best));
    let all: Vec<f64> = official.iter().copied().chain([mean(official.clone())]).collect();
    compare("mean recall", &run.official.recall, &all_defined(&official))?;
    compare("average recall", &[run.official.average_recall], &[defined(mean(official))])?;
    compare("worst mean", &run.official.recall_bounds[0], &all_defined(&worst))?;
    compare("best mean", &run.official.recall_bounds[1], &all_defined(&best))?;
    compare("bounds of the average", &run.official.average_recall_bounds, &all_defined(&[mean(worst), mean(best)]))?;
    let printed: Vec<String> = all.iter().map(|value| as_python_prints(*value)).collect();
    if run.official.printed != printed {
        return Err(format!("printed: core {:?}, oracle {printed:?}", run.official.printed));
    }

    let with_lesions: Vec<Class> = classes.iter().filter(|class| class.n_lesions > 0).cloned().collect();
    let exact = |class: &Class| -> Vec<f64> {
        class.exact.iter().map(|point| point.true_positives as f64 / class.n_lesions as f64).collect()
    };
    let exact = match with_lesions.as_slice() {
        [] => None,
        with_lesions => Some(means(with_lesions, exact)),
    };
    let per_rate: Vec<Option<f64>> =
        exact.clone().map_or_else(|| vec![None; case.rates.len()], |exact| exact.into_iter().map(Some).collect());
    compare("exact mean", &run.exact.recall, &per_rate)?;
    compare("exact average", &[run.exact.average_recall], &[exact.map(mean)])
}

/// Python's `"%.2f%%" % (value * 100)`.
fn as_python_prints(value: f64) -> String {
    let percent = value * 100.0;
    if percent.is_nan() {
        "nan%".to_owned()
    } else if percent.is_infinite() {
        if percent > 0.0 { "inf%".to_owned() } else { "-inf%".to_owned() }
    } else {
        format!("{percent:.2}%")
    }
}

fn compare_quirk(ours: &QuirkReport, theirs: &Fired) -> Result<(), String> {
    let id = &theirs.id;
    let touched: Vec<&str> = theirs.classes.iter().map(|(class, ..)| CLASSES[*class]).collect();
    let names: Vec<&str> = ours.classes.iter().map(|class| class.name.as_str()).collect();
    if names != touched {
        return Err(format!("{id}, classes: core {names:?}, oracle {touched:?}"));
    }
    for (ours, (class, n_detections, cost)) in ours.classes.iter().zip(&theirs.classes) {
        compare_costs(&format!("{id}, cost in {}", CLASSES[*class]), &ours.cost, cost)?;
        if ours.n_detections != *n_detections {
            return Err(format!("{id}, {}: core {:?}, oracle {n_detections:?}", ours.name, ours.n_detections));
        }
    }
    compare_costs(&format!("{id}, cost of the means"), &ours.cost, &theirs.cost)?;
    compare_costs(&format!("{id}, cost of the average"), &[ours.average_cost], &[theirs.average_cost])
}

fn compare_quirks(run: &RunReport, fired: &[Fired]) -> Result<(), String> {
    let ours: Vec<&str> = run.official.quirks.iter().map(|quirk| quirk.id.as_str()).collect();
    let theirs: Vec<&str> = fired.iter().map(|quirk| quirk.id.as_str()).collect();
    if ours != theirs {
        return Err(format!("quirks that fired: core {ours:?}, oracle {fired:?}"));
    }
    run.official.quirks.iter().zip(fired).try_for_each(|(ours, theirs)| compare_quirk(ours, theirs))
}

/// What a generated dataset must keep on exercising.
fn take_note(seen: &Seen, classes: &[Class], fired: &[Fired]) {
    for id in IDS {
        seen.note(&format!("{id} with a cost"), fired.iter().any(|fired| fired.id == id && has_cost(fired)));
        seen.note(id, fired.iter().any(|fired| fired.id == id));
    }
    let any = |is: &dyn Fn(&Class) -> bool| classes.iter().any(is);
    seen.note("-inf", any(&|class| class.official.contains(&f64::NEG_INFINITY)));
    seen.note("nan with lesions", any(&|class| class.n_lesions > 0 && class.official.iter().any(|r| r.is_nan())));
    seen.note("all found without a false positive", any(&|class| class.hits.len() > 1 && !class.hits.contains(&false)));
    seen.note("bounds apart", any(&|class| class.worst.iter().zip(&class.best).any(|(worst, best)| worst < best)));
    seen.note(
        "one bound undefined",
        any(&|c| c.worst.iter().zip(&c.best).any(|(w, b)| w.is_finite() != b.is_finite())),
    );
    seen.note("nothing can be shown", any(&|class| class.exact.iter().any(|point| point.threshold.is_none())));
    seen.note("no lesion at all", classes.iter().all(|class| class.n_lesions == 0));
}

fn has_cost(fired: &Fired) -> bool {
    // Q2 and Q4 have none where they fired, and Q6 only in the means.
    let in_classes = fired.classes.iter().flat_map(|(.., cost)| cost).any(|cost| cost.is_some_and(|cost| cost != 0.0));
    in_classes || matches!(fired.id.as_str(), "Q2" | "Q4") || fired.cost.iter().any(Option::is_some)
}

#[test]
fn the_core_agrees_on_random_small_datasets() {
    let seen = Seen::default();
    let outcome = runner(6000).run(&case(), |case| {
        let classes = classes_of(&case);
        let report = report_of(&case);
        let run = &report.runs[0];
        let fired = fired(&classes);
        take_note(&seen, &classes, &fired);
        run.classes
            .iter()
            .zip(&classes)
            .try_for_each(|(ours, theirs)| compare_class(ours, theirs))
            .and_then(|()| compare_means(run, &classes, &case))
            .and_then(|()| compare_quirks(run, &fired))
            .map_err(proptest::test_runner::TestCaseError::fail)
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    seen.assert_all_at_least(20);
}

/// The golden cases as the oracle reads them. What it makes of them is what the official script printed, so agreement
/// with the oracle is agreement with the script.
#[test]
fn the_oracle_meets_the_golden_cases_and_the_core_agrees_on_their_quirks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases = fs::read_dir(folder).expect("tests/golden").map(|entry| entry.expect("a readable folder").path());
    let mut seen = 0;
    for folder in cases.filter(|path| path.is_dir()) {
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected: Value = serde_json::from_slice(&read("expected.json")).expect("JSON");
        let rates = expected["fp_rates"].as_array().expect("rates").iter().filter_map(Value::as_f64).collect();
        let iou_threshold = expected["iou_threshold"].as_f64().expect("a threshold");
        let dataset = golden_dataset(&read("test.json"), &read("predictions.zip"));
        let case = Case { dataset, iou_threshold, rates };
        let classes = classes_of(&case);
        for (name, class) in CLASSES.iter().zip(&classes) {
            let script: Vec<Option<f64>> =
                expected["classes"][name]["recall"].as_array().expect("recall").iter().map(Value::as_f64).collect();
            compare(&format!("{}, {name}", folder.display()), &all_defined(&class.official), &script)
                .unwrap_or_else(|difference| panic!("{difference}"));
        }
        let options = Options::new(iou_threshold, case.rates.clone()).expect("options in range");
        let report = score(&read("test.json"), &read("predictions.zip"), &options).expect("files in order");
        compare_quirks(&report.runs[0], &fired(&classes))
            .unwrap_or_else(|difference| panic!("{}: {difference}", folder.display()));
        seen += 1;
    }
    assert!(seen > 0, "tests/golden holds no case");
}

/// Reads a golden case, whose files stand in one folder or none and are all in order.
fn golden_dataset(ground_truth: &[u8], zip: &[u8]) -> Dataset {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
    let records: Vec<Value> = serde_json::from_slice(ground_truth).expect("JSON");
    let image = |record: &Value| {
        let json = record["file_name"].as_str().expect("a name").replace(".png", ".json");
        let is_its =
            |name: &&String| **name == json || name.ends_with(&format!("/{json}")) && !name.contains("__MACOSX");
        let file = names.iter().find(is_its).map(|name| {
            let mut text = String::new();
            zip.by_name(name).expect("an entry").read_to_string(&mut text).expect("UTF-8");
            let text = text.trim_start_matches('\u{feff}');
            let entries: Vec<BTreeMap<String, [f64; 5]>> =
                if text.is_empty() { Vec::new() } else { serde_json::from_str(text).expect("entries") };
            entries.into_iter().map(|entry| entry.into_iter().collect()).collect()
        });
        let syms = record["syms"].as_array().expect("syms").iter();
        let boxes = record["boxes"].as_array().expect("boxes").iter();
        let lesions = syms.zip(boxes).map(|(sym, bbox)| {
            let class = CLASSES.iter().position(|class| sym == class).expect("a class");
            (class, serde_json::from_value(bbox.clone()).expect("a box"))
        });
        Image { lesions: lesions.collect(), file }
    };
    Dataset { images: records.iter().map(image).collect() }
}

#[test]
fn budgets_are_the_most_false_positives_that_a_rate_allows() {
    let outcome = runner(500).run(&case(), |case| {
        let report = report_of(&case);
        for class in report.runs[0].classes.iter().filter(|class| class.n_lesions > 0) {
            for ((budget_, spent), rate) in class.exact.budget.iter().zip(&class.exact.false_positives).zip(&case.rates)
            {
                if *rate > 1e6 {
                    // Too many to count one by one.
                    continue;
                }
                let expected = budget(*rate, case.dataset.images.len());
                proptest::prop_assert_eq!(*budget_, Some(expected), "at {}", rate);
                proptest::prop_assert!(spent.map(u64::from) <= Some(expected));
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn curves_have_the_corners_of_the_exact_points() {
    let outcome = runner(1500).run(&case(), |case| {
        let (ground_truth, run) =
            read(&case.dataset.ground_truth(), &case.dataset.predictions()).expect("files in order");
        let options = Options::new(case.iou_threshold, case.rates.clone()).expect("options in range");
        for (class, theirs) in Protocol::default().classes().zip(classes_of(&case)) {
            let curve = froc::curve(&ground_truth, &run, froc::Row::Class(class), &options);
            compare_curve(&curve, &theirs).map_err(proptest::test_runner::TestCaseError::fail)?;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Every corner is a point, the first and the last point are corners, and what is left out lies on a line along one
/// axis between two corners.
fn compare_curve(curve: &froc::report::CurveReport, class: &Class) -> Result<(), String> {
    let all: Vec<(f64, f64, Option<f32>)> = class
        .points
        .iter()
        .map(|point| {
            let recall = if class.n_lesions == 0 { 0.0 } else { point.true_positives as f64 / class.n_lesions as f64 };
            (point.false_positives as f64 / class.n_images as f64, recall, point.threshold)
        })
        .collect();
    let corners: Vec<(f64, f64, Option<f32>)> = curve
        .fp_per_image
        .iter()
        .zip(&curve.recall)
        .zip(&curve.score_threshold)
        .map(|((x, y), threshold)| (*x, *y, *threshold))
        .collect();
    let fail = || Err(format!("curve: core {corners:?}, oracle {all:?}"));
    let is_flat = |three: &[(f64, f64, Option<f32>)]| {
        let [a, b, c] = three else { return false };
        (a.0 == b.0 && b.0 == c.0) || (a.1 == b.1 && b.1 == c.1)
    };
    if corners.first() != all.first() || corners.last() != all.last() || corners.windows(3).any(is_flat) {
        return fail();
    }
    let mut next = 1;
    for point in &all[1..] {
        let (before, after) = (corners[next - 1], corners[next.min(corners.len() - 1)]);
        if *point == after {
            next += 1;
            continue;
        }
        let on_a_line = (point.0 == before.0 && point.0 == after.0) || (point.1 == before.1 && point.1 == after.1);
        if !on_a_line {
            return fail();
        }
    }
    if next == corners.len() { Ok(()) } else { fail() }
}

/// The specification's claim in section 4: the closed form is the script's interpolation, to the last bit.
#[test]
fn the_closed_form_is_the_interpolation() {
    use proptest::prelude::*;
    let strategy = (prop::collection::vec(any::<bool>(), 0..40), 0..30_usize, 1..60_usize).prop_flat_map(
        |(hits, more, n_images)| {
            let rates = prop::collection::vec(
                prop_oneof![(1..40_u32).prop_map(move |k| f64::from(k) / n_images as f64), 0.001..3.0_f64],
                1..6,
            );
            (Just(hits), Just(more), Just(n_images), rates)
        },
    );
    let outcome = runner(20_000).run(&strategy, |(hits, more, n_images, mut rates)| {
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        let n_lesions = hits.iter().filter(|hit| **hit).count() + more;
        let steps: Vec<Step> = hits.iter().map(|hit| if *hit { Step::Up } else { Step::Right }).collect();
        let literal = official(&steps, n_lesions, n_images, &rates);
        let closed = official_closed(&hits, n_lesions, n_images, &rates);
        let equal = literal.iter().zip(&closed).all(|(a, b)| same(*a, *b) || (a.is_nan() && b.is_nan()));
        prop_assert!(equal, "interpolated {:?}, closed {:?}", literal, closed);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Section 7: no order of equal scores scores below the worst or above the best, and both are reached.
#[test]
fn no_order_of_equal_scores_leaves_the_bounds() {
    let seen = Seen::default();
    let outcome = runner(3000).run(&case(), |case| {
        for class in 0..CLASSES.len() {
            let theirs = score_class(&case.dataset, class, case.iou_threshold, &case.rates);
            let Some(all) = scores_of_all_orders(&case, class, &theirs) else { continue };
            for (rate, (worst, best)) in theirs.worst.iter().zip(&theirs.best).enumerate() {
                // An order with an undefined score is neither above nor below another.
                let recalls: Vec<f64> = all.iter().map(|of_order| of_order[rate]).filter(|r| r.is_finite()).collect();
                let (least, most) = recalls.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), r| (a.min(*r), b.max(*r)));
                let fits = recalls.is_empty()
                    || ((!worst.is_finite() || *worst == least) && (!best.is_finite() || *best == most));
                seen.note("bounds apart", worst < best);
                proptest::prop_assert!(fits, "class {}: {:?}, worst {:?}, best {:?}", class, all, worst, best);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    seen.assert_all_at_least(200);
}

/// Official recall for every order of equal scores; `None` where there are too many, or only one.
fn scores_of_all_orders(case: &Case, class: usize, theirs: &Class) -> Option<Vec<Vec<f64>>> {
    let detections = reference::detections_of(&case.dataset, class);
    let lesions = reference::lesions_of(&case.dataset, class);
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    let ranking = reference::rank(&detections);
    for group in ranking.chunk_by(|a, b| detections[*a].score == detections[*b].score) {
        let permutations = permutations(group)?;
        let longer =
            |order: &Vec<usize>| permutations.iter().map(|p| [order.as_slice(), p].concat()).collect::<Vec<_>>();
        orders = orders.iter().flat_map(longer).collect();
        if orders.len() > 800 {
            return None;
        }
    }
    let score = |order: &Vec<usize>| {
        let verdicts = verdicts(&detections, order, &lesions, case.iou_threshold, 1.0, Undefined::CountsAsNothing);
        let steps: Vec<Step> = verdicts.iter().map(|verdict| verdict.step()).collect();
        official(&steps, theirs.n_lesions, theirs.n_images, &case.rates)
    };
    (orders.len() > 1 && theirs.n_lesions > 0).then(|| orders.iter().map(score).collect())
}

fn permutations(items: &[usize]) -> Option<Vec<Vec<usize>>> {
    if items.len() > 5 {
        return None;
    }
    let Some((first, rest)) = items.split_first() else { return Some(vec![Vec::new()]) };
    let shorter = permutations(rest)?;
    let with_first = |order: &Vec<usize>| {
        (0..=order.len()).map(|at| [&order[..at], &[*first], &order[at..]].concat()).collect::<Vec<_>>()
    };
    Some(shorter.iter().flat_map(with_first).collect())
}
