//! The score of the official script, quirks included ([section 4](crate::metric)).

use crate::curve::Staircase;

/// What the official script knows of a class besides its verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Lesions of the class in all images.
    pub n_lesions: usize,
    /// All images, lesion-free ones included; at least 1.
    pub n_images: usize,
}

/// The official recall of a class at each rate, as the script computes it: NaN or -infinity where it divides by zero.
///
/// `fp_per_image` is above 0 and rising. This closed form is bit-identical to the script's interpolation
/// (ChestX-Det10 `eval.py`, commit c535e9a, with `SciPy` 1.17.1).
///
/// ```
/// use froc::curve::Staircase;
/// use froc::score::official::{Counts, recall};
/// let mut verdicts = Staircase::default();
/// verdicts.hit();
/// verdicts.miss(1);
/// verdicts.hit();
/// let counts = Counts { n_lesions: 4, n_images: 100 };
/// // The one false positive is spent at 0.01 per image, and the hit below it is lost (quirk Q1).
/// assert_eq!(recall(&verdicts, counts, &[0.05]), [0.25]);
/// ```
#[must_use]
pub fn recall(verdicts: &Staircase, counts: Counts, fp_per_image: &[f64]) -> Vec<f64> {
    let reached = counts.per_image(verdicts.false_positives() as u64);
    fp_per_image.iter().map(|&rate| recall_at(verdicts, counts, rate.min(reached))).collect()
}

impl Counts {
    /// `count` false positives per image.
    #[must_use]
    pub fn per_image(self, count: u64) -> f64 {
        count as f64 / self.n_images as f64
    }

    /// The largest number of false positives, of `most` at most, whose false positives per image are within `rate`, from 0 on.
    ///
    /// ```
    /// let counts = froc::score::official::Counts { n_lesions: 1, n_images: 10 };
    /// assert_eq!([0.3, 0.29, f64::INFINITY].map(|rate| counts.most_within(rate, 8)), [3, 2, 8]);
    /// ```
    #[must_use]
    pub fn most_within(self, rate: f64, most: u64) -> u64 {
        let (mut within, mut too_many) = (0, most + 1);
        while within + 1 < too_many {
            let middle = u64::midpoint(within, too_many);
            *(if self.per_image(middle) <= rate { &mut within } else { &mut too_many }) = middle;
        }
        within
    }

    /// The smallest number of false positives that reaches `rate`; at least 1, since rates are above 0.
    #[must_use]
    pub fn reaching(self, rate: f64) -> u64 {
        let product = rate * self.n_images as f64;
        #[expect(clippy::cast_sign_loss, reason = "rates are above 0")]
        let mut k = product as u64;
        // The product is rounded, and cut to a whole number: from there up to the exact answer of the f64 comparison.
        while product < MAX_EXACT && self.per_image(k) < rate {
            k += 1;
        }
        k.max(1)
    }

    /// The most false positives that stay within `rate`.
    #[must_use]
    pub fn within(self, rate: f64) -> u64 {
        let k = self.reaching(rate);
        if self.per_image(k) <= rate { k } else { k - 1 }
    }
}

/// 2^52: below it a product is off by less than one half, and so never above the exact answer when cut. No run has as many
/// detections.
const MAX_EXACT: f64 = 4_503_599_627_370_496.0;

/// Recall at a rate that the class reaches, or at F/N when it has no more false positives.
fn recall_at(verdicts: &Staircase, counts: Counts, rate: f64) -> f64 {
    let lesions = counts.n_lesions as f64;
    let total = f64::from(verdicts.true_positives());
    let false_positives = verdicts.false_positives();
    let [first_is_nothing, second_is_nothing] = verdicts.starts_with_nothing();
    if verdicts.true_positives() == 0 && false_positives == 0 && !first_is_nothing {
        return 0.0;
    }
    if counts.n_lesions == 0 {
        return f64::NAN;
    }
    if false_positives == 0 {
        return total / lesions;
    }
    let k = counts.reaching(rate);
    // So many false positives are there, since the rate is reached.
    let hits = verdicts.hits_above(k).unwrap_or(verdicts.true_positives());
    if k > 1 || hits > 0 || first_is_nothing {
        return f64::from(hits) / lesions;
    }
    // The top detection is a false positive, and the script extrapolates from the second one.
    if second_is_nothing {
        // Both stand at one place of the curve.
        return f64::NAN;
    }
    let second_is_hit = verdicts.hits_above(2).unwrap_or(verdicts.true_positives()) > 0;
    if !second_is_hit {
        0.0
    } else if rate < counts.per_image(1) {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    }
}
