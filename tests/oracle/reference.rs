//! Sections 1 to 4, 6 and 7 of the specification as plain loops over small data, with no code of the crate.
//!
//! Where the specification leaves room, the decision stands beside the line, marked "Decision".

use crate::support::CLASSES;

/// A dataset as its files say it.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub images: Vec<Image>,
}

#[derive(Debug, Clone, Default)]
pub struct Image {
    /// Class index and box, in the order of `syms` and `boxes`.
    pub lesions: Vec<(usize, [f64; 4])>,
    /// What stands in the image's prediction file; `None` if there is no such file.
    pub file: Option<Vec<Entry>>,
}

/// One object of a prediction file: its keys, with `[x1, y1, x2, y2, score]`.
pub type Entry = Vec<(String, [f64; 5])>;

#[derive(Debug, Clone, Copy)]
pub struct Detection {
    pub image: usize,
    pub bbox: [f32; 4],
    pub score: f32,
}

/// What became of a detection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It found this lesion: image, and place among the image's lesions of the class.
    Found(usize, usize),
    /// It overlaps enough with this lesion, which was found before it.
    Again(usize, usize),
    /// Too little overlap, or no lesion of the class in the image.
    Nothing,
    /// An overlap with a lesion of the class in the image is 0/0: neither a true nor a false positive (quirk Q11).
    Undefined,
}

/// What an overlap of 0/0 makes of a detection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Undefined {
    /// Neither a true nor a false positive: the official score.
    CountsAsNothing,
    /// It is an overlap of 0: the exact score.
    IsZero,
}

/// What a detection adds to the official curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    Up,
    Right,
    /// The same point once more.
    Stay,
}

impl Verdict {
    pub fn is_true_positive(self) -> bool {
        matches!(self, Verdict::Found(..))
    }

    pub fn step(self) -> Step {
        match self {
            Verdict::Found(..) => Step::Up,
            Verdict::Again(..) | Verdict::Nothing => Step::Right,
            Verdict::Undefined => Step::Stay,
        }
    }
}

/// Section 1: the detections of a class, in image order and, inside an image, in file order.
pub fn detections_of(dataset: &Dataset, class: usize) -> Vec<Detection> {
    let mut detections = Vec::new();
    for (image, record) in dataset.images.iter().enumerate() {
        for entry in record.file.iter().flatten() {
            let official = entry.iter().find(|(key, _)| key == CLASSES[class]);
            let lower = entry.iter().find(|(key, _)| *key == CLASSES[class].to_ascii_lowercase());
            if let Some((_, [x1, y1, x2, y2, score])) = official.or(lower) {
                let bbox = [*x1 as f32, *y1 as f32, *x2 as f32, *y2 as f32];
                detections.push(Detection { image, bbox, score: *score as f32 });
            }
        }
    }
    detections
}

/// The lesions of a class, for each image in the order of the ground truth.
pub fn lesions_of(dataset: &Dataset, class: usize) -> Vec<Vec<[f32; 4]>> {
    let of_image = |image: &Image| {
        let ours = image.lesions.iter().filter(|(sym, _)| *sym == class);
        ours.map(|(_, bbox)| bbox.map(|coordinate| coordinate as f32)).collect()
    };
    dataset.images.iter().map(of_image).collect()
}

/// Section 3: indices by falling score; the order of a stable ascending sort, reversed.
pub fn rank(detections: &[Detection]) -> Vec<usize> {
    // An insertion sort is stable, and `<` on f32 holds -0 and 0 for equal, as NumPy does.
    let mut ascending: Vec<usize> = Vec::new();
    for candidate in 0..detections.len() {
        let mut place = ascending.len();
        while place > 0 && detections[candidate].score < detections[ascending[place - 1]].score {
            place -= 1;
        }
        ascending.insert(place, candidate);
    }
    ascending.reverse();
    ascending
}

/// Section 2, with `pixel` 1; with 0 it is the overlap that quirk Q8 is replaced by.
pub fn iou(a: [f32; 4], b: [f32; 4], pixel: f32) -> f32 {
    // Python's and NumPy's max of numbers none of which is NaN.
    let iw = (a[2].min(b[2]) - a[0].max(b[0]) + pixel).max(0.0);
    let ih = (a[3].min(b[3]) - a[1].max(b[1]) + pixel).max(0.0);
    let inter = iw * ih;
    let area_a = (a[2] - a[0] + pixel) * (a[3] - a[1] + pixel);
    let area_b = (b[2] - b[0] + pixel) * (b[3] - b[1] + pixel);
    inter / (area_a + area_b - inter)
}

/// Section 3: verdicts in the order of `ranking`.
pub fn verdicts(
    detections: &[Detection],
    ranking: &[usize],
    lesions: &[Vec<[f32; 4]>],
    iou_threshold: f64,
    pixel: f32,
    if_undefined: Undefined,
) -> Vec<Verdict> {
    let threshold = iou_threshold as f32;
    let mut found: Vec<Vec<bool>> = lesions.iter().map(|of_image| vec![false; of_image.len()]).collect();
    let mut verdicts = Vec::new();
    for at in ranking {
        let detection = detections[*at];
        let mut overlaps: Vec<f32> =
            lesions[detection.image].iter().map(|lesion| iou(detection.bbox, *lesion, pixel)).collect();
        let has_none = overlaps.iter().any(|overlap| overlap.is_nan());
        if has_none && if_undefined == Undefined::CountsAsNothing {
            verdicts.push(Verdict::Undefined);
            continue;
        }
        for overlap in &mut overlaps {
            if overlap.is_nan() {
                *overlap = 0.0;
            }
        }
        let mut best = None;
        for (lesion, overlap) in overlaps.iter().enumerate() {
            if best.is_none_or(|best: usize| *overlap > overlaps[best]) {
                best = Some(lesion);
            }
        }
        verdicts.push(match best {
            Some(lesion) if overlaps[lesion] >= threshold => {
                if std::mem::replace(&mut found[detection.image][lesion], true) {
                    Verdict::Again(detection.image, lesion)
                } else {
                    Verdict::Found(detection.image, lesion)
                }
            }
            _ => Verdict::Nothing,
        });
    }
    verdicts
}

/// Section 4 as the script goes about it: the curve's points and a linear interpolation between them.
///
/// `steps` are those of the detections in rank order.
pub fn official(steps: &[Step], n_lesions: usize, n_images: usize, rates: &[f64]) -> Vec<f64> {
    if steps.is_empty() {
        return vec![0.0; rates.len()];
    }
    let (mut true_positives, mut false_positives) = (0.0_f64, 0.0_f64);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Up => true_positives += 1.0,
            Step::Right => false_positives += 1.0,
            Step::Stay => {}
        }
        x.push(false_positives / n_images as f64);
        y.push(true_positives / n_lesions as f64);
    }
    if false_positives == 0.0 {
        return vec![true_positives / n_lesions as f64; rates.len()];
    }
    let reached = x[x.len() - 1];
    let mut answers = Vec::new();
    for rate in rates {
        let asked = rate.min(reached);
        answers.push(interpolated(&x, &y, asked));
        if *rate >= reached {
            break;
        }
    }
    let last = answers[answers.len() - 1];
    answers.resize(rates.len(), last);
    answers
}

/// SciPy's `interp1d(x, y, kind="linear", fill_value="extrapolate")` at one place.
fn interpolated(x: &[f64], y: &[f64], at: f64) -> f64 {
    if x.len() == 1 {
        // The only detection is a false positive: the specification says 0 (NaN without lesions, as all else there).
        return y[0];
    }
    // np.searchsorted(x, at), side "left", clipped to 1..=len - 1.
    let above = x.iter().take_while(|x| **x < at).count().clamp(1, x.len() - 1);
    let below = above - 1;
    let slope = (y[above] - y[below]) / (x[above] - x[below]);
    slope * (at - x[below]) + y[below]
}

/// Section 4's closed form.
pub fn official_closed(hits: &[bool], n_lesions: usize, n_images: usize, rates: &[f64]) -> Vec<f64> {
    let n_false = hits.iter().filter(|hit| !**hit).count();
    let n_true = hits.len() - n_false;
    let reached = n_false as f64 / n_images as f64;
    let at = |rate: &f64| {
        if hits.is_empty() {
            return 0.0;
        }
        if n_lesions == 0 {
            return f64::NAN;
        }
        if n_false == 0 {
            return n_true as f64 / n_lesions as f64;
        }
        let asked = if *rate >= reached { reached } else { *rate };
        let k = smallest_k(asked, n_images);
        if k == 1 && !hits[0] && hits.get(1) == Some(&true) {
            return if asked < 1.0 / n_images as f64 { f64::NEG_INFINITY } else { f64::NAN };
        }
        above_false_positive(hits, k) as f64 / n_lesions as f64
    };
    rates.iter().map(at).collect()
}

/// The smallest whole number with `k / n_images >= rate`.
pub fn smallest_k(rate: f64, n_images: usize) -> usize {
    (0..usize::MAX).find(|k| *k as f64 / n_images as f64 >= rate).expect("rates are small here")
}

/// True positives ranked above the k-th false positive, counted from 1; all of them if there are fewer.
pub fn above_false_positive(hits: &[bool], k: usize) -> usize {
    let (mut true_positives, mut false_positives) = (0, 0);
    for hit in hits {
        if *hit {
            true_positives += 1;
        } else {
            false_positives += 1;
            if false_positives == k {
                break;
            }
        }
    }
    true_positives
}

/// A point of the exact curve: everything scoring at least `threshold` is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub threshold: Option<f32>,
    pub true_positives: usize,
    pub false_positives: usize,
}

/// Section 6: the point at (0, 0), and one at each distinct score, falling.
pub fn points(scores: &[f32], hits: &[bool]) -> Vec<Point> {
    let mut points = vec![Point { threshold: None, true_positives: 0, false_positives: 0 }];
    for threshold in scores {
        if points[points.len() - 1].threshold == Some(*threshold) {
            continue;
        }
        let shown = || scores.iter().zip(hits).filter(|(score, _)| *score >= threshold);
        points.push(Point {
            threshold: Some(*threshold),
            true_positives: shown().filter(|(_, hit)| **hit).count(),
            false_positives: shown().filter(|(_, hit)| !**hit).count(),
        });
    }
    points
}

/// Section 6: the operating point at a rate.
pub fn exact(points: &[Point], n_images: usize, rate: f64) -> Point {
    let within = |point: &&Point| point.false_positives as f64 / n_images as f64 <= rate;
    *points.iter().rfind(within).expect("(0, 0) is always within")
}

/// Section 7: steps in the worst and in the best order of equal scores. Decision: what counts as nothing comes last.
pub fn worst_and_best(scores: &[f32], verdicts: &[Verdict]) -> [Vec<Step>; 2] {
    let (mut worst, mut best) = (Vec::new(), Vec::new());
    let mut start = 0;
    while start < scores.len() {
        let size = scores[start..].iter().take_while(|score| **score == scores[start]).count();
        let group = &verdicts[start..start + size];
        let n_true = group.iter().filter(|verdict| verdict.is_true_positive()).count();
        let n_undefined = group.iter().filter(|verdict| **verdict == Verdict::Undefined).count();
        best.extend(vec![Step::Up; n_true]);
        best.extend(vec![Step::Right; size - n_true - n_undefined]);
        best.extend(vec![Step::Stay; n_undefined]);

        // Lesions found first in this group, each with the number of its duplicates in the group.
        let mut newly: Vec<((usize, usize), usize)> = Vec::new();
        for verdict in group {
            if let Verdict::Found(image, lesion) = verdict {
                newly.push(((*image, *lesion), 0));
            }
        }
        let mut without_claim = 0;
        for verdict in group {
            match verdict {
                Verdict::Found(..) | Verdict::Undefined => {}
                Verdict::Nothing => without_claim += 1,
                Verdict::Again(image, lesion) => match newly.iter_mut().find(|(key, _)| *key == (*image, *lesion)) {
                    Some((_, duplicates)) => *duplicates += 1,
                    None => without_claim += 1,
                },
            }
        }
        worst.extend(vec![Step::Right; without_claim]);
        newly.sort_by_key(|(_, duplicates)| std::cmp::Reverse(*duplicates));
        for (_, duplicates) in newly {
            worst.push(Step::Up);
            worst.extend(vec![Step::Right; duplicates]);
        }
        worst.extend(vec![Step::Stay; n_undefined]);
        start += size;
    }
    [worst, best]
}

/// The script's mean: summed in order, then divided.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}
