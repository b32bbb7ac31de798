//! Two runs on the same draws.

use crate::support::cases::{case, load};
use crate::support::made_up::Detector;
use froc::bootstrap::{Row, Statistic};
use froc::compare::{Changes, Difference, Sides, holm};
use froc::matching::Verdict;
use froc::protocol::Protocol;
use froc::score::sizes::found;
use froc::{Bootstrap, GroundTruth, Groups, Options, Resampling, Run};

fn rows() -> impl Iterator<Item = Row> {
    Protocol::default().classes().map(Row::Class).chain([Row::Mean, Row::Pooled])
}

fn statistics() -> impl Iterator<Item = Statistic> {
    (0..3).map(Statistic::Recall).chain([Statistic::Average])
}

fn bootstrap(truth: &GroundTruth, runs: &[&Run], replicates: u32) -> Bootstrap {
    let resampling = Resampling::new(replicates, 3, 0.95).expect("a resampling");
    let groups = Groups::images(truth);
    let mut bootstrap = Bootstrap::new(truth, runs, &Options::default(), resampling, groups).expect("groups");
    while !bootstrap.step(100) {}
    bootstrap
}

/// What wins and losses are counted from.
#[test]
fn the_lesions_found_by_the_first_detections_are_as_many_as_their_true_positives() {
    let case = case("synthetic").expect("it is in tests/golden");
    let (truth, _, run) = load(&case);
    let mut n_found = 0;
    for class in truth.classes() {
        let n_lesions = truth.n_lesions(class);
        let verdicts = run.verdicts(class, n_lesions, 0.5, truth.protocol().extent());
        let is_hit: Vec<bool> = verdicts.iter().map(|verdict| verdict == Verdict::TruePositive).collect();
        for n_shown in 0..=is_hit.len() {
            let is_found = found(&verdicts, n_shown, n_lesions);
            let [ours, theirs] = [&is_found[..], &is_hit[..n_shown]].map(|all| all.iter().filter(|is| **is).count());
            assert_eq!((is_found.len(), ours), (n_lesions, theirs), "{class:?}, {n_shown}");
            n_found += ours;
        }
    }
    assert!(n_found > 100, "{n_found}");
}

#[test]
fn two_copies_of_one_run_differ_by_exactly_0_with_p_1() {
    let case = case("synthetic").expect("it is in tests/golden");
    let (truth, _, run) = load(&case);
    let copy = run.clone();
    let bootstrap = bootstrap(&truth, &[&run, &copy], 300);
    let mut n_compared = 0;
    for (row, statistic) in rows().flat_map(|row| statistics().map(move |statistic| (row, statistic))) {
        let Some(difference) = Difference::new(&bootstrap, [0, 1], row, statistic) else { continue };
        n_compared += 1;
        let zeros = [difference.estimate, difference.interval.ends[0], difference.interval.ends[1]];
        assert_eq!(zeros.map(f64::to_bits), [0; 3], "{row:?}, {statistic:?}");
        assert_eq!(difference.p.to_bits(), 1_f64.to_bits(), "{row:?}, {statistic:?}");
    }
    assert_eq!(n_compared, 12 * 4, "every class of the case has lesions");
    for changes in Changes::new(&truth, [&run, &copy], &Options::default()) {
        for sides in [changes.classes, changes.images, changes.lesions] {
            assert_eq!((sides.gained, sides.lost), (0, 0));
            assert!(sides.unchanged > 0);
        }
    }
}

#[test]
fn a_run_is_told_from_one_that_finds_nothing() {
    let (truth, predictions) = Detector { n_images: 300, ..Detector::default() }.dataset(5);
    let nothing = froc::Predictions::new("p.zip", vec![], froc::dataset::Detections::default());
    let (run, nothing) = (Run::new(&truth, &predictions).expect("a run"), Run::new(&truth, &nothing).expect("a run"));
    let bootstrap = bootstrap(&truth, &[&nothing, &run], 400);
    let difference = Difference::new(&bootstrap, [0, 1], Row::Mean, Statistic::Average).expect("lesions");
    assert!(difference.interval.ends[0] > 0.0);
    assert!((difference.p - 2.0 / 401.0).abs() < 1e-15, "{}", difference.p);
    let back = Difference::new(&bootstrap, [1, 0], Row::Mean, Statistic::Average).expect("lesions");
    assert!((back.estimate + difference.estimate).abs() < 1e-15 && (back.p - difference.p).abs() < 1e-15);
    let changes = Changes::new(&truth, [&nothing, &run], &Options::default());
    for (rate, changes) in changes.into_iter().enumerate() {
        let report = froc::evaluate(&truth, &[&run], &Options::default());
        let class = report.runs[0].classes.iter().find(|class| class.name == "Nodule").expect("a class");
        let recall = class.exact.recall[rate].expect("lesions");
        assert!((changes.lesions.gained as f64 - recall * class.n_lesions as f64).abs() < 1e-9);
        assert_eq!(changes.lesions.gained + changes.lesions.unchanged, class.n_lesions);
        assert_eq!(changes.classes, Sides { gained: 1, lost: 0, unchanged: 0 });
        assert_eq!(changes.images.lost, 0);
        assert!(changes.images.gained > 0);
    }
}

#[test]
fn differences_are_taken_on_the_same_draws() {
    let (truth, predictions) = Detector { n_images: 200, ..Detector::default() }.dataset(1);
    let run = Run::new(&truth, &predictions).expect("a run");
    let nothing = froc::Predictions::new("p.zip", vec![], froc::dataset::Detections::default());
    let nothing = Run::new(&truth, &nothing).expect("a run");
    let paired = bootstrap(&truth, &[&nothing, &run], 200);
    let alone = bootstrap(&truth, &[&run], 200);
    let of = |bootstrap: &Bootstrap, run| -> Vec<Option<f64>> {
        bootstrap.replicates(run, Row::Mean, Statistic::Average).collect()
    };
    // Against a run that finds nothing, a difference is the other run's own replicate.
    assert_eq!(of(&paired, 1), of(&alone, 0));
    let difference = Difference::new(&paired, [0, 1], Row::Mean, Statistic::Average).expect("lesions");
    let interval = alone.interval(0, Row::Mean, Statistic::Average).expect("lesions");
    assert_eq!(difference.interval, interval);
}

#[test]
fn holm_never_lowers_a_p_and_keeps_their_order() {
    let p = [0.01, 0.04, 0.03, 0.005];
    let adjusted = holm(&p);
    let expected = [0.03, 0.06, 0.06, 0.02];
    assert!(adjusted.iter().zip(expected).all(|(ours, theirs)| (ours - theirs).abs() < 1e-15), "{adjusted:?}");
    assert!(holm(&[]).is_empty());
}
