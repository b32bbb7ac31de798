//! Section 5 of the specification: which rules changed something, and what the recall is with only one of them replaced.

use crate::oracle::reference::{
    Dataset, Detection, Point, Step, Undefined, Verdict, above_false_positive, detections_of, exact, lesions_of, mean,
    official, points, rank, smallest_k, verdicts, worst_and_best,
};

/// The quirks, in the order in which they are reported.
pub const IDS: [&str; 9] = ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q11"];

/// Everything the oracle knows about one class.
#[derive(Debug, Clone)]
pub struct Class {
    pub n_images: usize,
    pub n_lesions: usize,
    /// True for true positives, in rank order, where an overlap of 0/0 is 0.
    pub hits: Vec<bool>,
    pub official: Vec<f64>,
    pub worst: Vec<f64>,
    pub best: Vec<f64>,
    pub points: Vec<Point>,
    /// The operating point at each rate.
    pub exact: Vec<Point>,
    /// One change a quirk, in the order of [`IDS`].
    pub changes: [Change; 9],
}

/// What replacing one rule does to one class.
#[derive(Debug, Clone)]
pub struct Change {
    pub fired: bool,
    /// Recall at each rate with only this rule replaced.
    pub recall: Vec<f64>,
    /// Detections touched, where the quirk is about detections.
    pub n_detections: Option<usize>,
}

/// One quirk over all classes, as the report shows it.
#[derive(Debug)]
pub struct Fired {
    pub id: String,
    /// Class index, detections touched, cost at each rate in points.
    pub classes: Vec<(usize, Option<usize>, Vec<Option<f64>>)>,
    pub cost: Vec<Option<f64>>,
    pub average_cost: Option<f64>,
}

pub fn score_class(dataset: &Dataset, class: usize, iou_threshold: f64, rates: &[f64]) -> Class {
    let detections: Vec<Detection> = detections_of(dataset, class);
    let lesions = lesions_of(dataset, class);
    let n_images = dataset.images.len();
    let n_lesions = lesions.iter().map(Vec::len).sum();
    let ranking = rank(&detections);
    let scores: Vec<f32> = ranking.iter().map(|at| detections[*at].score).collect();
    let verdicts_with =
        |pixel, if_undefined| verdicts(&detections, &ranking, &lesions, iou_threshold, pixel, if_undefined);
    let verdicts = verdicts_with(1.0, Undefined::CountsAsNothing);
    let where_zero = verdicts_with(1.0, Undefined::IsZero);
    let hits = are_hits(&where_zero);
    let [worst, best] = worst_and_best(&scores, &verdicts);
    let points = points(&scores, &hits);
    let score = |steps: &[Step]| official(steps, n_lesions, n_images, rates);
    let steps = steps_of(&verdicts);
    // What counts as nothing has no part in the rules of Q1 to Q5.
    let counted = || verdicts.iter().zip(&scores).filter(|(verdict, _)| **verdict != Verdict::Undefined);
    let known = Known {
        n_images,
        n_lesions,
        rates,
        scores: &counted().map(|(_, score)| *score).collect::<Vec<_>>(),
        all_scores: &scores,
        hits: &counted().map(|(verdict, _)| verdict.is_true_positive()).collect::<Vec<_>>(),
        official: &score(&steps),
    };
    let exact: Vec<Point> = rates.iter().map(|rate| exact(&points, n_images, *rate)).collect();
    let changes = [
        known.tail_dropped(),
        known.undefined(&exact, |rate| known.n_false_positives() == 1 && rate >= 1.0 / n_images as f64),
        known.whole_budget(),
        known.undefined(&exact, |rate| {
            let is_leading_fp = known.n_false_positives() == 1 && rate >= 1.0 / n_images as f64;
            !is_leading_fp && rate <= 1.0 / n_images as f64
        }),
        known.ties(&score(&worst), &score(&best)),
        // Q6 touches only the means. Decision: a class that is left out of them has no recall and no cost of its own.
        Change { fired: n_lesions == 0, recall: vec![f64::NAN; rates.len()], n_detections: None },
        double_hit(&verdicts, &score),
        plus_one(&verdicts, &verdicts_with(0.0, Undefined::CountsAsNothing), &score),
        nan_overlap(n_lesions, &verdicts, &where_zero, &score),
    ];
    Class {
        n_images,
        n_lesions,
        official: score(&steps),
        worst: score(&worst),
        best: score(&best),
        hits,
        points,
        exact,
        changes,
    }
}

fn are_hits(verdicts: &[Verdict]) -> Vec<bool> {
    verdicts.iter().map(|verdict| verdict.is_true_positive()).collect()
}

fn steps_of(verdicts: &[Verdict]) -> Vec<Step> {
    verdicts.iter().map(|verdict| verdict.step()).collect()
}

struct Known<'a> {
    n_images: usize,
    n_lesions: usize,
    rates: &'a [f64],
    scores: &'a [f32],
    /// Those that count as nothing, too.
    all_scores: &'a [f32],
    hits: &'a [bool],
    official: &'a [f64],
}

impl Known<'_> {
    fn n_false_positives(&self) -> usize {
        self.hits.iter().filter(|hit| !**hit).count()
    }

    /// The rate that the class reaches.
    fn reached(&self) -> f64 {
        self.n_false_positives() as f64 / self.n_images as f64
    }

    fn recall(&self, true_positives: usize) -> f64 {
        true_positives as f64 / self.n_lesions as f64
    }

    /// Decision: Q1 to Q5 are about a class that has lesions and detections; without them nothing can be replaced.
    fn nothing_to_replace(&self) -> bool {
        self.n_lesions == 0 || self.n_false_positives() == 0
    }

    /// The change to `replaced`. Decision: where the official recall is undefined, Q2 or Q4 fires and not Q1 or Q3.
    fn changed(&self, replaced: Vec<f64>, n_detections: Option<usize>) -> Change {
        let differs = |(official, replaced): (&f64, &f64)| official.is_finite() && official != replaced;
        Change { fired: self.official.iter().zip(&replaced).any(differs), recall: replaced, n_detections }
    }

    /// Q1. Decision: a class "runs out of false positives before a rate" if the rate is strictly above F/N.
    fn tail_dropped(&self) -> Change {
        let all = self.hits.iter().filter(|hit| **hit).count();
        let replaced = self.rates.iter().zip(self.official).map(|(rate, official)| {
            let applies = !self.nothing_to_replace() && *rate > self.reached() && official.is_finite();
            if applies { self.recall(all) } else { *official }
        });
        let tail = self.hits.iter().rev().take_while(|hit| **hit).count();
        self.changed(replaced.collect(), Some(tail))
    }

    /// Q2 and Q4: undefined recalls at the rates that `is_ours` picks, replaced by the exact recall.
    fn undefined(&self, exact: &[Point], is_ours: impl Fn(f64) -> bool) -> Change {
        let mut recall = self.official.to_vec();
        let mut fired = false;
        for (at, rate) in self.rates.iter().enumerate() {
            if self.n_lesions > 0 && !recall[at].is_finite() && is_ours(*rate) {
                recall[at] = self.recall(exact[at].true_positives);
                fired = true;
            }
        }
        Change { fired, recall, n_detections: None }
    }

    /// Q3. Decision: where k/N is the rate to the bit and the class has at least k false positives, the true positives
    /// above the next false positive count (all of them if there is none).
    fn whole_budget(&self) -> Change {
        let replaced = self.rates.iter().zip(self.official).map(|(rate, official)| {
            let is_reached = *rate <= self.reached();
            let k = smallest_k(rate.min(self.reached()), self.n_images);
            let is_whole = is_reached && k as f64 / self.n_images as f64 == *rate;
            if is_whole && !self.nothing_to_replace() && official.is_finite() {
                self.recall(above_false_positive(self.hits, k + 1))
            } else {
                *official
            }
        });
        self.changed(replaced.collect(), None)
    }

    /// Q5. Decision: if equal scores enter together, so does the group of the false positive that ends the budget; what
    /// scores strictly more counts. It fires where that is another recall, or where the two bounds are not one number.
    /// An undefined recall counts as different from a defined one, and undefined ones as equal.
    fn ties(&self, worst: &[f64], best: &[f64]) -> Change {
        let replaced = self.rates.iter().zip(self.official).map(|(rate, official)| {
            if self.nothing_to_replace() {
                return *official;
            }
            let k = smallest_k(rate.min(self.reached()), self.n_images);
            let ending = (0..self.hits.len()).filter(|at| !self.hits[*at]).nth(k - 1).expect("k is at most F");
            let ending = self.scores[ending];
            if self.scores.iter().filter(|score| **score == ending).count() == 1 {
                return *official;
            }
            let above = self.scores.iter().zip(self.hits).filter(|(score, hit)| **score > ending && **hit);
            self.recall(above.count())
        });
        let tied = |score: &&f32| self.all_scores.iter().filter(|other| *other == *score).count() > 1;
        let mut change = self.changed(replaced.collect(), Some(self.all_scores.iter().filter(tied).count()));
        let differ = |(worst, best): (&f64, &f64)| worst != best && (worst.is_finite() || best.is_finite());
        change.fired |= worst.iter().zip(best).any(differ);
        change
    }
}

/// Q7: detections that overlap enough with a lesion found already are taken out of the ranking.
fn double_hit(verdicts: &[Verdict], score: &dyn Fn(&[Step]) -> Vec<f64>) -> Change {
    let is_second = |verdict: &&Verdict| matches!(verdict, Verdict::Again(..));
    let n = verdicts.iter().filter(is_second).count();
    let others: Vec<Verdict> = verdicts.iter().filter(|verdict| !is_second(verdict)).copied().collect();
    Change { fired: n > 0, recall: score(&steps_of(&others)), n_detections: Some(n) }
}

/// Q8: overlaps without the added pixel. Decision: a verdict is "true positive", "false positive" or nothing.
fn plus_one(verdicts: &[Verdict], without: &[Verdict], score: &dyn Fn(&[Step]) -> Vec<f64>) -> Change {
    let n = steps_of(verdicts).iter().zip(steps_of(without)).filter(|(with, without)| *with != without).count();
    Change { fired: n > 0, recall: score(&steps_of(without)), n_detections: Some(n) }
}

/// Q11: an overlap of 0/0 is 0.
fn nan_overlap(
    n_lesions: usize,
    verdicts: &[Verdict],
    where_zero: &[Verdict],
    score: &dyn Fn(&[Step]) -> Vec<f64>,
) -> Change {
    let n = verdicts.iter().filter(|verdict| **verdict == Verdict::Undefined).count();
    Change { fired: n > 0 && n_lesions > 0, recall: score(&steps_of(where_zero)), n_detections: Some(n) }
}

fn points_between(official: f64, replaced: f64) -> Option<f64> {
    let cost = 100.0 * (replaced - official);
    (official.is_finite() && replaced.is_finite()).then_some(cost)
}

/// The mean over classes at each rate.
pub fn means(classes: &[Class], recall: impl Fn(&Class) -> Vec<f64>) -> Vec<f64> {
    let of_classes: Vec<Vec<f64>> = classes.iter().map(recall).collect();
    (0..of_classes[0].len()).map(|rate| mean(of_classes.iter().map(|class| class[rate]))).collect()
}

/// The quirks that fired, in the order of their ids.
pub fn fired(classes: &[Class]) -> Vec<Fired> {
    let official = means(classes, |class| class.official.clone());
    let mut all = Vec::new();
    for (quirk, id) in IDS.into_iter().enumerate() {
        let is_absent_class = quirk == 5;
        let replaced = if is_absent_class {
            let with_lesions: Vec<Class> = classes.iter().filter(|class| class.n_lesions > 0).cloned().collect();
            if with_lesions.is_empty() {
                vec![f64::NAN; official.len()]
            } else {
                means(&with_lesions, |class| class.official.clone())
            }
        } else {
            means(classes, |class| class.changes[quirk].recall.clone())
        };
        let mut touched = Vec::new();
        for (index, class) in classes.iter().enumerate() {
            let change = &class.changes[quirk];
            if change.fired {
                let cost = class.official.iter().zip(&change.recall).map(|(o, r)| points_between(*o, *r)).collect();
                touched.push((index, change.n_detections, cost));
            }
        }
        // Decision: Q6 fired only if it changed a mean; with nothing found anywhere, leaving a 0 out changes nothing. NaN
        // differs from all, itself included: an undefined mean stays undefined, but nobody can say that it is the same.
        let changed_a_mean = official.iter().zip(&replaced).any(|(o, r)| o != r);
        if touched.is_empty() || (is_absent_class && !changed_a_mean) {
            continue;
        }
        all.push(Fired {
            id: id.to_owned(),
            classes: touched,
            cost: official.iter().zip(&replaced).map(|(o, r)| points_between(*o, *r)).collect(),
            average_cost: points_between(mean(official.clone()), mean(replaced)),
        });
    }
    all
}
