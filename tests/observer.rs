//! AFROC, wAFROC and image sensitivity at a given specificity: their intervals against drawing images anew, the coverage of these,
//! and what has none.

use froc::bootstrap::{Draws, Figures, Interval, Row, StratifiedBootstrap, Uncertainty};
use froc::report::Report;
use froc::report::statistics::Wanted;
use froc::{GroundTruth, Groups, Options, Predictions, Resampling, Run};

use crate::support::cases::{case, load};
use crate::support::made_up::Detector;

fn report(truth: &GroundTruth, run: (&Run, &Predictions), replicates: u32) -> Report {
    let options = Options::default();
    let resampling = Resampling::new(replicates, 3, 0.95).expect("a resampling");
    let groups = Groups::images(truth);
    let mut drawn = Uncertainty::new(truth, &[run.0], (&options, 0.9), resampling, groups).expect("groups");
    while !drawn.step(7) {}
    let wanted = Wanted { uncertainty: Some(&drawn), ..Wanted::default() };
    froc::evaluate_with_statistics(truth, &[run], &options, wanted)
}

/// AFROC and wAFROC of a class by looking at every pair, and image sensitivity at a specificity of 0.9 by looking at every score;
/// `None` without images of both kinds.
fn figures(truth: &GroundTruth, run: &Run, class: usize, weights: &[u32]) -> Option<[f64; 3]> {
    let class = truth.classes().nth(class).expect("a class");
    let verdicts = run.verdicts(class, truth.n_lesions(class), 0.5, truth.protocol().extent());
    let (scores, images) = (run.ranking(class).scores(), run.images(class));
    let (mut free, mut diseased) = (Vec::new(), Vec::new());
    for (image, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
        let (first, lesions) = truth.lesions(class, image);
        if lesions.is_empty() {
            let of_image = scores.iter().zip(&images).filter(|(_, of)| **of as usize == image);
            let highest = of_image.map(|(score, _)| f64::from(*score)).fold(f64::NEG_INFINITY, f64::max);
            free.push((f64::from(*weight), highest));
        } else {
            let found = |lesion: u32| {
                let claim = verdicts.claims().iter().find(|claim| claim.lesion == lesion && !claim.is_duplicate);
                claim.map_or(f64::NEG_INFINITY, |claim| f64::from(scores[claim.rank as usize]))
            };
            let lesions: Vec<f64> = (first..).take(lesions.len()).map(found).collect();
            diseased.push((f64::from(*weight), lesions));
        }
    }
    let psi = |z: f64, y: f64| {
        if y > z {
            1.0
        } else if y < z {
            0.0
        } else {
            0.5
        }
    };
    let (mut lesion_pairs, mut image_pairs, mut sums) = (0.0, 0.0, [0.0; 2]);
    for (weight, z) in &free {
        for (of, lesions) in &diseased {
            let above: f64 = lesions.iter().map(|y| psi(*z, *y)).sum();
            let n = lesions.len() as f64;
            sums = [sums[0] + weight * of * above, sums[1] + weight * of * above / n];
            (lesion_pairs, image_pairs) = (lesion_pairs + weight * of * n, image_pairs + weight * of);
        }
    }
    // An image is shown at a threshold that its highest score reaches.
    let mut highest = vec![f32::NEG_INFINITY; weights.len()];
    for (score, image) in scores.iter().zip(&images) {
        highest[*image as usize] = highest[*image as usize].max(*score);
    }
    let share = |has_lesion: bool, least: f32| {
        let of = (0..weights.len()).filter(|image| truth.lesions(class, *image).1.is_empty() != has_lesion);
        let (shown, all) = of.fold((0, 0), |(shown, all), image| {
            (shown + u32::from(highest[image] >= least) * weights[image], all + weights[image])
        });
        f64::from(shown) / f64::from(all)
    };
    let kept = scores.iter().filter(|least| 1.0 - share(false, **least) >= 0.9 - 1e-12);
    let sensitivity = kept.map(|least| share(true, *least)).fold(0.0, f64::max);
    (image_pairs > 0.0).then(|| [sums[0] / lesion_pairs, sums[1] / image_pairs, sensitivity])
}

fn is_close(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-12,
        (ours, theirs) => ours == theirs,
    }
}

/// Weights where images with and without a lesion are drawn apart.
fn drawn(is_diseased: &[bool], replicate: u64) -> Vec<u32> {
    let mut weights = vec![0; is_diseased.len()];
    for (stream, kind) in [(2 * replicate, true), (2 * replicate + 1, false)] {
        let images: Vec<usize> = (0..weights.len()).filter(|image| is_diseased[*image] == kind).collect();
        let mut draws = Draws::new(3, images.len());
        for (image, weight) in images.iter().zip(draws.replicate(stream)) {
            weights[*image] = *weight;
        }
    }
    weights
}

#[test]
fn figures_and_intervals_are_those_of_every_pair_of_images_drawn_anew() {
    let (truth, predictions, run) = load(&case("synthetic").expect("it is in tests/golden"));
    let replicates = 60;
    let report = report(&truth, (&run, &predictions), replicates);
    let rows = &report.runs[0].statistics.as_ref().expect("statistics").rows;
    let ones = vec![1; truth.n_images()];
    let n_classes = truth.classes().len();
    let has = |of: &dyn Fn(usize) -> bool| -> Vec<bool> { (0..truth.n_images()).map(of).collect() };
    let mut told_apart = 0;
    for (class, row) in rows.iter().take(n_classes).enumerate() {
        let (ours, at) = (row.observer.expect("of every class"), row.at_specificity.expect("of every class"));
        let one = truth.classes().nth(class).expect("a class");
        let is_diseased = has(&|image| !truth.lesions(one, image).1.is_empty());
        let theirs = figures(&truth, &run, class, &ones);
        let resampled: Vec<Option<[f64; 3]>> =
            (0..u64::from(replicates)).map(|at| figures(&truth, &run, class, &drawn(&is_diseased, at))).collect();
        for (at, estimate) in [ours.afroc, ours.wafroc, at.sensitivity].into_iter().enumerate() {
            assert!(is_close(estimate.value, theirs.map(|both| both[at])), "{}: {estimate:?}, {theirs:?}", row.name);
            let ends = Interval::new(resampled.iter().map(|both| both.map(|both| both[at])), 0.95).map(|of| of.ends);
            for end in [0, 1] {
                let [ours, theirs] = [estimate.interval, ends].map(|of| of.map(|of| of[end]));
                assert!(is_close(ours, theirs), "{}: {estimate:?}, {ends:?}", row.name);
            }
        }
        told_apart += usize::from(ours.afroc.value != ours.wafroc.value);
    }
    assert!(told_apart > 0, "images with several lesions");
    // The mean over the classes: one draw for all, images with any lesion and those without apart.
    let mean = rows[n_classes].observer.as_ref().expect("of the mean");
    let at_specificity = rows[n_classes].at_specificity.expect("of the mean");
    assert_eq!((at_specificity.specificity, at_specificity.score_threshold), (None, None), "each class has its own");
    let mean_of = |weights: &[u32], at: usize| {
        let of: Vec<f64> =
            (0..n_classes).filter_map(|class| Some(figures(&truth, &run, class, weights)?[at])).collect();
        (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
    };
    let is_diseased = has(&|image| truth.has_lesions(image));
    for (at, estimate) in [mean.afroc, mean.wafroc, at_specificity.sensitivity].into_iter().enumerate() {
        assert!(is_close(estimate.value, mean_of(&ones, at)), "{estimate:?}");
        let resampled = (0..u64::from(replicates)).map(|replicate| mean_of(&drawn(&is_diseased, replicate), at));
        let ends = Interval::new(resampled, 0.95).map(|of| of.ends);
        for end in [0, 1] {
            assert!(is_close(estimate.interval.map(|of| of[end]), ends.map(|of| of[end])), "{estimate:?}, {ends:?}");
        }
    }
    assert_eq!(
        (rows[n_classes + 1].observer, rows[n_classes + 1].at_specificity),
        (None, None),
        "classes ranked together have no images without a lesion of the class"
    );
}

#[test]
fn intervals_of_these_figures_cover_the_truth_as_often_as_they_say() {
    let detector = Detector { n_images: 150, ..Detector::default() };
    // A lesion is found at y = u^(1/3), which is above the highest of n uniform numbers with the chance 3 / (n + 3); if it is not
    // found, it is level with an image without a detection, one of five.
    let above: f64 = (0..5).map(|n| 3.0 / f64::from(n + 3)).sum::<f64>() / 5.0;
    let area = detector.found * above + (1.0 - detector.found) * 0.5 / 5.0;
    let expected = [area, area, detector.image_sensitivity(0.9)];
    let (n_datasets, mut covered, mut sums) = (300_u32, [0_u32; 3], [0.0; 3]);
    let figures: [fn(&Figures) -> f64; 3] = [|of| of.observer.afroc, |of| of.observer.wafroc, |of| of.sensitivity];
    for dataset in 0..n_datasets {
        let (truth, predictions) = detector.dataset(u64::from(dataset));
        let run = Run::new(&truth, &predictions).expect("a run");
        let resampling = Resampling::new(250, u64::from(dataset), 0.95).expect("a resampling");
        let groups = Groups::images(&truth);
        let mut bootstrap = StratifiedBootstrap::new(&truth, &[&run], (&Options::default(), 0.9), resampling, &groups);
        while !bootstrap.step(u32::MAX) {}
        for (at, figure) in figures.into_iter().enumerate() {
            let [low, high] = bootstrap.interval(0, Row::Mean, figure).expect("both kinds of images").ends;
            covered[at] += u32::from(low <= expected[at] && expected[at] <= high);
            sums[at] += bootstrap.estimate(0, Row::Mean).as_ref().map(figure).expect("both kinds of images");
        }
    }
    let coverage = covered.map(|covered| f64::from(covered) / f64::from(n_datasets));
    eprintln!("coverage of the 95 % interval over {n_datasets} datasets: {coverage:?}");
    for ((coverage, sum), expected) in coverage.into_iter().zip(sums).zip(expected) {
        assert!((0.92..=0.97).contains(&coverage), "{coverage}");
        assert!((sum / f64::from(n_datasets) - expected).abs() < 0.01, "{sum}, expected {expected}");
    }
}

#[test]
fn without_images_of_both_kinds_there_is_no_figure() {
    let lesion = (3, [0.0, 0.0, 9.0, 9.0]);
    let truth = crate::support::ground_truth_json([("1.png", &[lesion][..]), ("2.png", &[lesion][..])]);
    let truth = froc::read_ground_truth("test.json", &truth).expect("a ground truth");
    let predictions = Predictions::new("p.zip", vec![], froc::dataset::Detections::default());
    let run = Run::new(&truth, &predictions).expect("a run");
    let report = report(&truth, (&run, &predictions), 20);
    for row in report.runs[0].statistics.as_ref().expect("statistics").rows.iter().take(11) {
        let observer = row.observer.as_ref().expect("of every class");
        assert_eq!((observer.afroc.value, observer.wafroc.interval), (None, None), "{}", row.name);
        let at = row.at_specificity.expect("of every class");
        assert_eq!((at.sensitivity.value, at.sensitivity.interval, at.specificity), (None, None, None), "{}", row.name);
    }
}
