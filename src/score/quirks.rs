//! What the official script does that an exact score would not, and what each costs ([section 5](crate::metric)).

use serde::{Deserialize, Serialize};
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::geometry::Extent;
use crate::matching::{Ranking, Undefined, Verdict, Verdicts};
use crate::options::Options;
use crate::score::official::Counts;
use crate::score::{ClassScore, average_recall, exact, mean_recall};

/// A quirk of the official script. Each has a test of its own in `tests/oracle.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub enum QuirkId {
    /// A class that runs out of false positives before a rate loses every true positive ranked below its last one.
    #[serde(rename = "Q1")]
    TailDropped,
    /// A class's top box is its only false positive and a hit follows: NaN.
    #[serde(rename = "Q2")]
    LeadingFp,
    /// Where rate x images is a whole number, it stops before that false positive.
    #[serde(rename = "Q3")]
    WholeBudget,
    /// The rate is less than one false positive: it extrapolates, to -infinity or NaN.
    #[serde(rename = "Q4")]
    FewImages,
    /// Equal scores are ordered by an unstable sort.
    #[serde(rename = "Q5")]
    Ties,
    /// A class without lesions makes the means NaN, or counts as recall 0.
    #[serde(rename = "Q6")]
    AbsentClass,
    /// A second box on a found lesion is a false positive.
    #[serde(rename = "Q7")]
    DoubleHit,
    /// One pixel is added to widths and heights.
    #[serde(rename = "Q8")]
    PlusOne,
    /// A detection with an overlap of 0/0 counts as nothing at all.
    #[serde(rename = "Q11")]
    NanOverlap,
}

/// A quirk that changed a verdict, a recall or a mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Quirk {
    /// Which.
    pub id: QuirkId,
    /// The classes it touched, by their place in the official order.
    pub classes: Vec<Touched>,
    /// Change of the mean recall at each rate if only this rule were replaced, in points (percent); `None` where one of
    /// the two is undefined.
    pub cost: Vec<Option<f64>>,
    /// Change of the average recall, likewise.
    pub average_cost: Option<f64>,
}

/// What a quirk did to one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// Place of the class in the official order.
    pub class: usize,
    /// Detections it touched; `None` where it is not about detections.
    pub n_detections: Option<usize>,
    /// Change of recall at each rate, in points; `None` where one of the two is undefined.
    pub cost: Vec<Option<f64>>,
}

/// The recall of a class with one rule replaced, where the quirk fired.
struct Replaced {
    recall: Vec<f64>,
    n_detections: Option<usize>,
}

impl QuirkId {
    /// All, in the order of their ids.
    pub const ALL: [Self; 9] = [
        Self::TailDropped,
        Self::LeadingFp,
        Self::WholeBudget,
        Self::FewImages,
        Self::Ties,
        Self::AbsentClass,
        Self::DoubleHit,
        Self::PlusOne,
        Self::NanOverlap,
    ];

    /// Its number in [section 5](crate::metric), such as `Q1`. Q9 and Q10 are no quirks of the score: the doctor looks for what
    /// scores low without a word, and a score that is no number is refused.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::TailDropped => "Q1",
            Self::LeadingFp => "Q2",
            Self::WholeBudget => "Q3",
            Self::FewImages => "Q4",
            Self::Ties => "Q5",
            Self::AbsentClass => "Q6",
            Self::DoubleHit => "Q7",
            Self::PlusOne => "Q8",
            Self::NanOverlap => "Q11",
        }
    }

    /// The short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TailDropped => "tail-dropped",
            Self::LeadingFp => "leading-fp",
            Self::WholeBudget => "whole-budget",
            Self::FewImages => "few-images",
            Self::Ties => "ties",
            Self::AbsentClass => "absent-class",
            Self::DoubleHit => "double-hit",
            Self::PlusOne => "plus-one",
            Self::NanOverlap => "nan-overlap",
        }
    }

    /// The detections of a class that it touched, by their places in the ranking, rising; none where it did not fire.
    ///
    /// Q1: the true positives that are dropped. Q2 and Q4: the top one, a false positive. Q3: at each rate whose recall
    /// changes, the false positive before which the script stops, and the true positives between it and the next one.
    /// Q5: those that share their score with another. Q6: all of a class without lesions. Q7: second boxes on a found
    /// lesion. Q8: those whose verdict differs without the added pixel. Q11: those that count as nothing.
    #[must_use]
    pub fn touched(self, ranking: &Ranking, counts: Counts, options: &Options) -> Vec<u32> {
        let score = ClassScore::new(ranking, counts, options, Extent::PlusOne);
        let rates = options.fp_per_image();
        if self.replaced(&score, rates).is_none() {
            return Vec::new();
        }
        let verdicts =
            |extent| ranking.verdicts(counts.n_lesions, options.iou_threshold(), extent, Undefined::IsNothing);
        let official = verdicts(Extent::PlusOne);
        match self {
            Self::TailDropped => below_last_false_positive(&official),
            Self::LeadingFp | Self::FewImages => misses(&official).take(1).collect(),
            Self::WholeBudget => beyond_the_stop(&score, &official, rates),
            Self::Ties => tied(ranking.scores()),
            Self::AbsentClass => (0..ranking.scores().len() as u32).collect(),
            Self::DoubleHit => {
                official.claims().iter().filter(|claim| claim.is_duplicate).map(|claim| claim.rank).collect()
            }
            Self::PlusOne => differ(&official, &verdicts(Extent::Plain)),
            Self::NanOverlap => official.nothing().to_vec(),
        }
    }

    /// The class's recall with only this rule replaced; `None` where the quirk did not fire.
    fn replaced(self, class: &ClassScore, rates: &[f64]) -> Option<Replaced> {
        if self == Self::AbsentClass {
            let recall = class.official.clone();
            return (class.counts.n_lesions == 0).then_some(Replaced { recall, n_detections: None });
        }
        if class.counts.n_lesions == 0 {
            return None;
        }
        match self {
            Self::TailDropped => tail_dropped(class, rates),
            Self::WholeBudget => whole_budget(class, rates),
            Self::LeadingFp => undefined(class, rates, true),
            Self::FewImages => undefined(class, rates, false),
            Self::Ties => ties(class, rates),
            Self::DoubleHit => Some(&class.without_duplicates).filter(|it| it.n_detections > 0).map(Replaced::from),
            Self::PlusOne => Some(&class.plain).filter(|it| it.n_detections > 0).map(Replaced::from),
            Self::NanOverlap => class.defined.as_ref().map(Replaced::from),
            Self::AbsentClass => None,
        }
    }
}

impl From<&crate::score::Variant> for Replaced {
    fn from(variant: &crate::score::Variant) -> Self {
        Self { recall: variant.recall.clone(), n_detections: Some(variant.n_detections) }
    }
}

/// The quirks that fired over the classes of a run, which stand in the official order.
#[must_use]
pub fn fired(classes: &[ClassScore], fp_per_image: &[f64]) -> Vec<Quirk> {
    QuirkId::ALL.into_iter().filter_map(|id| quirk(id, classes, fp_per_image)).collect()
}

fn quirk(id: QuirkId, classes: &[ClassScore], rates: &[f64]) -> Option<Quirk> {
    let replaced: Vec<Option<Replaced>> = classes.iter().map(|class| id.replaced(class, rates)).collect();
    let touched = replaced.iter().enumerate().filter_map(|(at, replaced)| {
        let replaced = replaced.as_ref()?;
        let cost = match id {
            // It touches only the means.
            QuirkId::AbsentClass => vec![None; rates.len()],
            _ => costs(&replaced.recall, &classes[at].official),
        };
        Some(Touched { class: at, n_detections: replaced.n_detections, cost })
    });
    let touched: Vec<Touched> = touched.collect();
    if touched.is_empty() {
        return None;
    }
    let pairs: Vec<(&ClassScore, &Option<Replaced>)> = classes.iter().zip(&replaced).collect();
    let before = mean_recall(&pairs, rates.len(), |(class, _), rate| Some(class.official[rate]));
    let after = mean_recall(&pairs, rates.len(), |(class, replaced), rate| match replaced {
        Some(_) if id == QuirkId::AbsentClass => None,
        Some(replaced) => Some(replaced.recall[rate]),
        None => Some(class.official[rate]),
    });
    // Leaving a class out of means of 0 changes nothing.
    if id == QuirkId::AbsentClass && before == after {
        return None;
    }
    let cost = |after: &Option<f64>, before: &Option<f64>| points((*after)?, (*before)?);
    Some(Quirk {
        id,
        classes: touched,
        cost: after.iter().zip(&before).map(|(after, before)| cost(after, before)).collect(),
        average_cost: cost(&average_recall(&after), &average_recall(&before)),
    })
}

/// Replaced minus official, in points; `None` unless both are defined.
fn points(replaced: f64, official: f64) -> Option<f64> {
    Some(100.0 * (replaced - official)).filter(|cost| cost.is_finite())
}

fn costs(replaced: &[f64], official: &[f64]) -> Vec<Option<f64>> {
    replaced.iter().zip(official).map(|(replaced, official)| points(*replaced, *official)).collect()
}

/// The official recall with `change(rate, official)` in its place where that gives a number; `None` if nothing changed.
fn changed(class: &ClassScore, rates: &[f64], change: impl Fn(f64, f64) -> Option<f64>) -> Option<Vec<f64>> {
    let mut is_changed = false;
    let recall = class.official.iter().zip(rates).map(|(&official, &rate)| {
        let new = change(rate, official).unwrap_or(official);
        is_changed |= new.to_bits() != official.to_bits();
        new
    });
    let recall = recall.collect();
    is_changed.then_some(recall)
}

/// Q1: at a rate beyond the last false positive, true positives ranked below it count.
fn tail_dropped(class: &ClassScore, rates: &[f64]) -> Option<Replaced> {
    let last = class.staircase.false_positives() as u64;
    let all = f64::from(class.staircase.true_positives()) / class.counts.n_lesions as f64;
    let reached = class.counts.per_image(last);
    let recall = changed(class, rates, |rate, official| (official.is_finite() && reached < rate).then_some(all))?;
    let kept = class.staircase.hits_above(last).unwrap_or(0);
    Some(Replaced { recall, n_detections: Some((class.staircase.true_positives() - kept) as usize) })
}

/// Q3: where a whole number of false positives meets the rate, that one may be spent too.
fn whole_budget(class: &ClassScore, rates: &[f64]) -> Option<Replaced> {
    let Counts { n_lesions, .. } = class.counts;
    let staircase = &class.staircase;
    let recall = changed(class, rates, |rate, official| {
        let k = class.counts.reaching(rate);
        #[expect(clippy::float_cmp, reason = "the script compares so")]
        let is_whole = class.counts.per_image(k) == rate;
        if !is_whole || !official.is_finite() {
            return None;
        }
        staircase.hits_above(k)?;
        let hits = staircase.hits_above(k + 1).unwrap_or(staircase.true_positives());
        Some(f64::from(hits) / n_lesions as f64)
    })?;
    Some(Replaced { recall, n_detections: None })
}

/// Q2 and Q4: where the script divides by zero, the exact recall. Q2 is the class with a single false positive that is
/// asked at the rate it reaches; all else is Q4.
fn undefined(class: &ClassScore, rates: &[f64], leading: bool) -> Option<Replaced> {
    let single = class.staircase.false_positives() == 1;
    let is_ours = |rate: f64| (single && rate >= class.counts.per_image(1)) == leading;
    let exact = |rate: f64| {
        let at = rates.iter().position(|other| other.to_bits() == rate.to_bits())?;
        exact::recall(class.exact[at], class.counts)
    };
    let change = |rate: f64, official: f64| if !official.is_finite() && is_ours(rate) { exact(rate) } else { None };
    Some(Replaced { recall: changed(class, rates, change)?, n_detections: None })
}

/// Q5: equal scores enter together, so those that share the score of the last false positive asked for stay out.
fn ties(class: &ClassScore, rates: &[f64]) -> Option<Replaced> {
    let reached = class.counts.per_image(class.staircase.false_positives() as u64);
    let together = changed(class, rates, |rate, official| {
        if !official.is_finite() || class.staircase.false_positives() == 0 {
            return None;
        }
        let k = class.counts.reaching(rate.min(reached));
        let curve = class.official_curve.as_ref().unwrap_or(&class.curve);
        let point = curve.last_within(|false_positives| u64::from(false_positives) < k);
        exact::recall(point, class.counts)
    });
    let decides = class.worst.iter().zip(&class.best).any(|(worst, best)| worst.to_bits() != best.to_bits());
    let recall = together.or_else(|| decides.then(|| class.official.clone()))?;
    Some(Replaced { recall, n_detections: Some(class.n_tied) })
}

/// The ranks of the false positives, rising.
fn misses(verdicts: &Verdicts) -> impl Iterator<Item = u32> {
    let is_miss = |verdict: Verdict| matches!(verdict, Verdict::Duplicate | Verdict::FalsePositive);
    (0..).zip(verdicts.iter()).filter(move |(_, verdict)| is_miss(*verdict)).map(|(rank, _)| rank)
}

fn below_last_false_positive(verdicts: &Verdicts) -> Vec<u32> {
    let last = misses(verdicts).last();
    verdicts.hits().filter(|rank| last.is_none_or(|last| *rank > last)).collect()
}

/// For each rate at which one more false positive may be spent: that one, and the true positives between it and the next.
fn beyond_the_stop(class: &ClassScore, verdicts: &Verdicts, rates: &[f64]) -> Vec<u32> {
    let misses: Vec<u32> = misses(verdicts).collect();
    let mut touched: Vec<u32> = Vec::new();
    for (rate, official) in rates.iter().zip(&class.official) {
        let k = class.counts.reaching(*rate);
        let stop = usize::try_from(k - 1).ok().and_then(|at| Some((at, *misses.get(at)?)));
        let (Some((at, stop)), true) = (stop, class.counts.within(*rate) == k && official.is_finite()) else {
            continue;
        };
        let next = misses.get(at + 1).copied().unwrap_or(u32::MAX);
        let before = touched.len();
        touched.extend(verdicts.hits().filter(|rank| (stop..next).contains(rank)));
        if touched.len() > before {
            touched.push(stop);
        }
    }
    radsort::sort(&mut touched);
    touched.dedup();
    touched
}

/// The places of scores, falling, that are equal to another.
pub(crate) fn tied(scores: &[f32]) -> Vec<u32> {
    let mut first = 0;
    let groups = scores.chunk_by(f32::eq).flat_map(|group| {
        let ranks = first..first + group.len() as u32;
        first = ranks.end;
        ranks.filter(move |_| group.len() > 1)
    });
    groups.collect()
}

/// The ranks that are a true positive, a false positive, nothing or ignored in one and something else in the other, rising.
pub(super) fn differ(a: &Verdicts, b: &Verdicts) -> Vec<u32> {
    let mut ranks = in_one(a.hits(), b.hits());
    ranks.extend(in_one(a.nothing().iter().copied(), b.nothing().iter().copied()));
    ranks.extend(in_one(a.ignored().iter().copied(), b.ignored().iter().copied()));
    radsort::sort(&mut ranks);
    ranks.dedup();
    ranks
}

/// The numbers that are in one of two rising lists alone, rising.
fn in_one(a: impl Iterator<Item = u32>, b: impl Iterator<Item = u32>) -> Vec<u32> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    let mut alone = Vec::new();
    while let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) {
        if x != y {
            alone.push(x.min(y));
        }
        if x <= y {
            a.next();
        }
        if y <= x {
            b.next();
        }
    }
    alone.extend(a);
    alone.extend(b);
    alone
}
