//! Section 11: the figures of published conventions, by plain loops.

use std::cell::Cell;

use froc::report::published::PublishedReport;
use froc::score::published::Published;
use proptest::test_runner::TestRunner;

use crate::oracle::conventions::{average, mean_official, scores, statistics};
use crate::oracle::datasets::{Case, case};
use crate::oracle::reference::{Dataset, mean};
use crate::support::{CLASSES, same_cases_every_time};

type Corners = [f64; 4];

/// A class as the files have it: the lesions of each image, and the image, box and score of each detection.
struct Class {
    lesions: Vec<Vec<Corners>>,
    detections: Vec<(usize, Corners, f64)>,
}

const SEVEN: [f64; 7] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

fn classes(dataset: &Dataset) -> Vec<Class> {
    let class = |class: usize| {
        let lesions = dataset.images.iter().map(|image| {
            image.lesions.iter().filter(|(of, _)| *of == class).map(|(_, bbox)| *bbox).collect::<Vec<_>>()
        });
        let mut detections = Vec::new();
        for (image, entry) in dataset
            .images
            .iter()
            .enumerate()
            .flat_map(|(at, image)| image.file.iter().flatten().map(move |entry| (at, entry)))
        {
            let official = entry.iter().find(|(key, _)| key == CLASSES[class]);
            let lower = entry.iter().find(|(key, _)| *key == CLASSES[class].to_ascii_lowercase());
            if let Some((_, [x1, y1, x2, y2, score])) = official.or(lower) {
                detections.push((image, [*x1, *y1, *x2, *y2], *score));
            }
        }
        Class { lesions: lesions.collect(), detections }
    };
    (0..CLASSES.len()).map(class).collect()
}

fn centre(c: Corners) -> [f64; 2] {
    [f64::midpoint(c[0], c[2]), f64::midpoint(c[1], c[3])]
}

fn is_inside(detection: Corners, lesion: Corners) -> bool {
    let [x, y] = centre(detection);
    x >= lesion[0] && x <= lesion[2] && y >= lesion[1] && y <= lesion[3]
}

fn is_near(detection: Corners, lesion: Corners) -> bool {
    let ([x, y], [u, v]) = (centre(detection), centre(lesion));
    let diameter = f64::midpoint(lesion[2] - lesion[0], lesion[3] - lesion[1]);
    let radius = diameter / 2.0;
    (x - u) * (x - u) + (y - v) * (y - v) < radius * radius
}

fn iou(a: Corners, b: Corners) -> f64 {
    let (width, height) = (a[2].min(b[2]) - a[0].max(b[0]), a[3].min(b[3]) - a[1].max(b[1]));
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let area = |c: Corners| (c[2] - c[0]) * (c[3] - c[1]);
    width * height / (area(a) + area(b) - width * height)
}

/// What stands at a rate on the line between the points, of several at that rate the last; points by rising rate.
fn read(points: &[[f64; 2]], rate: f64) -> f64 {
    let mut before = points[0];
    for point in points {
        if point[0] > rate {
            if before[0] > rate {
                return before[1];
            }
            return before[1] + (point[1] - before[1]) * (rate - before[0]) / (point[0] - before[0]);
        }
        before = *point;
    }
    before[1]
}

/// The curve of scores that find a lesion and of those that do not, by falling threshold from (0, 0) on, a point a threshold. By shares
/// of all false positives as `roc_curve` has them, multiplied back: that may miss a rate by a rounding.
fn curve(found: &[f64], wrong: &[f64], n_lesions: usize, n_images: usize, by_share: bool) -> Vec<[f64; 2]> {
    let mut thresholds: Vec<f64> = found.iter().chain(wrong).copied().collect();
    thresholds.sort_by(|a, b| b.partial_cmp(a).expect("finite"));
    thresholds.dedup();
    let at_least = |all: &[f64], least: f64| all.iter().filter(|score| **score >= least).count() as f64;
    let n_wrong = wrong.len().max(1) as f64;
    let share = |count: f64| if by_share { count / n_wrong * n_wrong } else { count };
    let point =
        |least: f64| [share(at_least(wrong, least)) / n_images as f64, at_least(found, least) / n_lesions as f64];
    std::iter::once([0.0, 0.0]).chain(thresholds.into_iter().map(point)).collect()
}

impl Class {
    fn n_lesions(&self) -> usize {
        self.lesions.iter().map(Vec::len).sum()
    }

    /// By falling score; equal ones stay in order.
    fn falling(&self) -> Vec<(usize, Corners, f64)> {
        let mut all = self.detections.clone();
        all.sort_by(|a, b| b.2.partial_cmp(&a.2).expect("finite"));
        all
    }

    fn luna16(&self) -> f64 {
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        for (image, lesions) in self.lesions.iter().enumerate() {
            let of_image: Vec<_> = self.detections.iter().filter(|one| one.0 == image).collect();
            for lesion in lesions {
                let scores = of_image.iter().filter(|one| is_near(one.1, *lesion)).map(|one| one.2);
                found
                    .extend(scores.fold(None, |most: Option<f64>, score| Some(most.map_or(score, |of| of.max(score)))));
            }
            wrong.extend(
                of_image.iter().filter(|one| !lesions.iter().any(|lesion| is_near(one.1, *lesion))).map(|one| one.2),
            );
        }
        let curve = curve(&found, &wrong, self.n_lesions(), self.lesions.len(), true);
        mean(SEVEN.map(|rate| read(&curve, rate)))
    }

    fn monai(&self) -> f64 {
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        for (image, lesions) in self.lesions.iter().enumerate() {
            let mut best = vec![0.0_f64; lesions.len()];
            for (_, bbox, score) in self.detections.iter().filter(|one| one.0 == image) {
                let score = f64::from(*score as f32);
                match (0..lesions.len()).rev().find(|at| is_inside(*bbox, lesions[*at])) {
                    Some(at) => best[at] = best[at].max(score),
                    None => wrong.push(score),
                }
            }
            found.extend(best);
        }
        let mut curve = curve(&found, &wrong, self.n_lesions(), self.lesions.len(), false);
        curve.pop();
        mean([0.25, 0.5, 1.0, 2.0, 4.0, 8.0].map(|rate| read(&curve, rate)))
    }

    fn object_cxr(&self) -> f64 {
        let mut is_found: Vec<Vec<bool>> = self.lesions.iter().map(|of| vec![false; of.len()]).collect();
        let hits = |found: &[Vec<bool>]| found.iter().flatten().filter(|is| **is).count() as f64;
        let (mut wrong, mut froc) = (0, Vec::new());
        for (image, bbox, _) in self.falling() {
            let inside: Vec<usize> =
                (0..self.lesions[image].len()).filter(|at| is_inside(bbox, self.lesions[image][*at])).collect();
            if inside.is_empty() {
                wrong += 1;
            }
            for at in inside {
                is_found[image][at] = true;
            }
            if froc.len() < 7 && f64::from(wrong) / self.lesions.len() as f64 >= SEVEN[froc.len()] {
                froc.push(hits(&is_found) / self.n_lesions() as f64);
            }
        }
        let last = froc.last().copied().unwrap_or(hits(&is_found) / self.n_lesions() as f64);
        while froc.len() < 7 {
            froc.push(last);
        }
        mean(froc)
    }

    fn coco_froc_analysis(&self, rates: &[f64]) -> f64 {
        let mut points: Vec<[f64; 2]> = (0..50)
            .map(|step| {
                let least = f64::from(step) * 0.02;
                let (mut hits, mut wrong) = (0, 0);
                for (image, lesions) in self.lesions.iter().enumerate() {
                    let n = self.detections.iter().filter(|one| one.0 == image && one.2 > least).count();
                    hits += n.min(lesions.len());
                    wrong += n - n.min(lesions.len());
                }
                [wrong as f64 / self.lesions.len() as f64, hits as f64 / self.n_lesions() as f64]
            })
            .collect();
        points.reverse();
        mean(rates.iter().map(|rate| read(&points, *rate)))
    }

    /// Scores that find a lesion, and those that do not.
    fn nndetection(&self) -> [Vec<f64>; 2] {
        let mut is_found: Vec<Vec<bool>> = self.lesions.iter().map(|of| vec![false; of.len()]).collect();
        let [mut found, mut wrong] = [Vec::new(), Vec::new()];
        for (image, bbox, score) in self.falling() {
            let mut best: Option<usize> = None;
            for (at, lesion) in self.lesions[image].iter().enumerate() {
                let overlap = iou(bbox, *lesion);
                let is_better = best.is_none_or(|best| overlap >= iou(bbox, self.lesions[image][best]));
                if !is_found[image][at] && overlap >= 0.1 && is_better {
                    best = Some(at);
                }
            }
            match best {
                Some(at) => {
                    is_found[image][at] = true;
                    found.push(score);
                }
                None => wrong.push(score),
            }
        }
        [found, wrong]
    }
}

/// Each figure by plain loops; `None` where there is none.
fn expected(case: &Case, id: Published) -> Option<f64> {
    let all = classes(&case.dataset);
    let over_classes = |of: &dyn Fn(&Class) -> f64| {
        let with_lesions: Vec<f64> = all.iter().filter(|class| class.n_lesions() > 0).map(of).collect();
        (!with_lesions.is_empty()).then(|| mean(with_lesions))
    };
    let are_probabilities = all.iter().flat_map(|class| &class.detections).all(|one| (0.0..=1.0).contains(&one.2));
    match id {
        Published::Luna16 => over_classes(&Class::luna16),
        Published::Monai => over_classes(&Class::monai).filter(|_| are_probabilities),
        Published::ObjectCxr => over_classes(&Class::object_cxr),
        Published::CocoFrocAnalysis => {
            over_classes(&|class| class.coco_froc_analysis(&case.rates)).filter(|_| are_probabilities)
        }
        Published::Nndetection => {
            let [mut found, mut wrong] = [Vec::new(), Vec::new()];
            for class in &all {
                let [of_found, of_wrong] = class.nndetection();
                found.extend(of_found);
                wrong.extend(of_wrong);
            }
            let n_lesions: usize = all.iter().map(Class::n_lesions).sum();
            let curve = curve(&found, &wrong, n_lesions.max(1), case.dataset.images.len(), true);
            (n_lesions > 0).then(|| mean(SEVEN.map(|rate| read(&curve, rate))))
        }
        Published::ChestxDet10 => {
            let own = Case { iou_threshold: 0.5, rates: vec![0.05, 0.1, 0.2], dataset: case.dataset.clone() };
            average(&mean_official(&scores(&own, 0.5, 1.0, false), 3))
        }
        _ => None,
    }
}

#[test]
fn figures_of_published_conventions_are_those_of_plain_loops() {
    let mut runner = TestRunner::new(same_cases_every_time(400));
    let (compared, told_apart) = (Cell::new([0; 6]), Cell::new(0));
    let result = runner.run(&case(), |case| {
        let statistics = statistics(&case);
        let ours = |id: Published| -> &PublishedReport {
            statistics.published.iter().find(|of| of.id == id).expect("all of them")
        };
        for (at, id) in [
            Published::Luna16,
            Published::Monai,
            Published::ObjectCxr,
            Published::CocoFrocAnalysis,
            Published::Nndetection,
            Published::ChestxDet10,
        ]
        .into_iter()
        .enumerate()
        {
            let (ours, theirs) = (ours(id), expected(&case, id));
            match (ours.value, theirs) {
                (Some(ours), Some(theirs)) => {
                    assert!((ours - theirs).abs() < 1e-9, "{id:?}: {ours}, expected {theirs}\n{case:#?}");
                    let mut seen = compared.get();
                    seen[at] += usize::from(theirs > 0.0 && theirs < 1.0);
                    compared.set(seen);
                }
                (ours, theirs) => assert_eq!(ours, theirs, "{id:?}\n{case:#?}"),
            }
            assert_eq!(ours.value.is_none(), ours.none_because.is_some(), "{id:?}");
        }
        let mean = statistics.rows.iter().find(|row| row.name == "mean").expect("the mean");
        assert_eq!(ours(Published::Exact).value, mean.average_recall.value);
        assert_eq!(ours(Published::CocoAp50).value, mean.average_precision.map(|of| of.ap50));
        assert_eq!(ours(Published::CocoAp).value, mean.average_precision.map(|of| of.ap50_95));
        assert_eq!(statistics.published.len(), Published::ALL.len());
        told_apart
            .set(told_apart.get() + usize::from(ours(Published::Luna16).value != ours(Published::ObjectCxr).value));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(compared.get().iter().all(|n| *n > 30) && told_apart.get() > 50, "{compared:?}, {told_apart:?}");
}
