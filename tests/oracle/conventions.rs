//! Section 9: the score under other conventions and at other IoU thresholds, by plain loops.

use std::ops::ControlFlow;

use froc::report::statistics::{StatisticsReport, Wanted};
use froc::{Options, Run};
use proptest::test_runner::TestRunner;

use crate::oracle::datasets::{Case, case};
use crate::oracle::reference::{
    Detection, Undefined, Verdict, detections_of, exact, lesions_of, mean, official, points, rank, verdicts,
};
use crate::support::{CLASSES, read_ground_truth, same, same_cases_every_time};

/// Of each class its official recall at each rate, and its exact one; `None` without lesions.
pub(super) type Scores = Vec<(Vec<f64>, Option<Vec<f64>>)>;

pub(super) fn scores(case: &Case, iou_threshold: f64, pixel: f32, ignores_second_boxes: bool) -> Scores {
    let n_images = case.dataset.images.len();
    let of_class = |class: usize| {
        let (detections, lesions) = (detections_of(&case.dataset, class), lesions_of(&case.dataset, class));
        let n_lesions: usize = lesions.iter().map(Vec::len).sum();
        let ranking = rank(&detections);
        let ranked: Vec<Detection> = ranking.iter().map(|at| detections[*at]).collect();
        let shown = |if_undefined| {
            let verdicts = verdicts(&detections, &ranking, &lesions, iou_threshold, pixel, if_undefined);
            let all = ranked.iter().map(|one| one.score).zip(verdicts);
            all.filter(|(_, verdict)| !(ignores_second_boxes && matches!(verdict, Verdict::Again(..))))
                .collect::<Vec<(f32, Verdict)>>()
        };
        let steps: Vec<_> = shown(Undefined::CountsAsNothing).iter().map(|(_, verdict)| verdict.step()).collect();
        let official = official(&steps, n_lesions, n_images, &case.rates);
        let (scores, hits): (Vec<f32>, Vec<bool>) =
            shown(Undefined::IsZero).iter().map(|(score, verdict)| (*score, verdict.is_true_positive())).unzip();
        let points = points(&scores, &hits);
        let at = |rate: &f64| exact(&points, n_images, *rate).true_positives as f64 / n_lesions as f64;
        (official, (n_lesions > 0).then(|| case.rates.iter().map(at).collect()))
    };
    (0..CLASSES.len()).map(of_class).collect()
}

/// The mean over the classes that have lesions, at each rate.
fn mean_exact(scores: &Scores, n_rates: usize) -> Vec<Option<f64>> {
    let with_lesions: Vec<&Vec<f64>> = scores.iter().filter_map(|(_, exact)| exact.as_ref()).collect();
    (0..n_rates)
        .map(|rate| (!with_lesions.is_empty()).then(|| mean(with_lesions.iter().map(|exact| exact[rate]))))
        .collect()
}

pub(super) fn mean_official(scores: &Scores, n_rates: usize) -> Vec<Option<f64>> {
    let at = |rate: usize| mean(scores.iter().map(|(official, _)| official[rate]));
    (0..n_rates).map(|rate| Some(at(rate)).filter(|mean| mean.is_finite())).collect()
}

pub(super) fn average(recall: &[Option<f64>]) -> Option<f64> {
    let all: Option<Vec<f64>> = recall.iter().copied().collect();
    all.map(mean)
}

fn assert_same(ours: &[Option<f64>], theirs: &[Option<f64>], what: &str, case: &Case) {
    let is_same = ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|pair| match pair {
            (Some(ours), Some(theirs)) => same(*ours, *theirs),
            (ours, theirs) => ours == theirs,
        });
    assert!(is_same, "{what}: {ours:?}, expected {theirs:?}\n{case:#?}");
}

pub(super) fn statistics(case: &Case) -> StatisticsReport {
    let truth = read_ground_truth(&case.dataset.ground_truth()).expect("a ground truth");
    let zip = std::io::Cursor::new(case.dataset.predictions());
    let predictions =
        froc::read_predictions("model.zip", zip, &mut |_| ControlFlow::Continue(())).expect("predictions");
    let run = Run::new(&truth, &predictions).expect("a run");
    let options = Options::new(case.iou_threshold, case.rates.clone()).expect("options in range");
    let wanted = Wanted::default();
    let report = froc::evaluate_with_statistics(&truth, &[(&run, &predictions)], &options, wanted);
    report.runs[0].statistics.clone().expect("statistics")
}

#[test]
fn conventions_and_the_sweep_are_those_of_plain_loops() {
    let mut runner = TestRunner::new(same_cases_every_time(400));
    let (told_apart, with_second_boxes) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let result = runner.run(&case(), |case| {
        let (ours, n_rates) = (statistics(&case), case.rates.len());
        assert_eq!(ours.conventions.len(), 4);
        for convention in &ours.conventions {
            let pixel = if convention.plus_one { 1.0 } else { 0.0 };
            let theirs = scores(&case, case.iou_threshold, pixel, convention.ignores_second_boxes);
            let (official, exact) = (mean_official(&theirs, n_rates), mean_exact(&theirs, n_rates));
            assert_same(&convention.official_recall, &official, "official", &case);
            assert_same(&convention.exact_recall, &exact, "exact", &case);
            let averages = [convention.official_average_recall, convention.exact_average_recall];
            assert_same(&averages, &[average(&official), average(&exact)], "averages", &case);
        }
        let differs = |a: usize, b: usize| ours.conventions[a].exact_recall != ours.conventions[b].exact_recall;
        told_apart.set(told_apart.get() + usize::from(differs(0, 2)));
        with_second_boxes.set(with_second_boxes.get() + usize::from(differs(0, 1)));

        assert_eq!(ours.iou_sweep.len(), 14);
        for (step, at) in (2..=15).zip(&ours.iou_sweep) {
            let iou_threshold = f64::from(step) / 20.0;
            assert_eq!(at.iou_threshold.to_bits(), iou_threshold.to_bits());
            let theirs = scores(&case, iou_threshold, 1.0, false);
            let exact = mean_exact(&theirs, n_rates);
            assert_same(&at.recall, &exact, "sweep", &case);
            assert_same(&[at.average_recall], &[average(&exact)], "average of the sweep", &case);
            let classes: Vec<Option<f64>> = theirs.iter().map(|(_, exact)| exact.clone().map(mean)).collect();
            assert_same(&at.class_average_recall, &classes, "class of the sweep", &case);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(told_apart.get() > 20 && with_second_boxes.get() > 20, "{told_apart:?} and {with_second_boxes:?}");
}
