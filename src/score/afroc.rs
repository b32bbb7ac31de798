//! Figures of merit of observer studies, of one class ([section 14](crate::metric); D. P. Chakraborty, Observer Performance Methods
//! for Diagnostic Imaging, 2017).
//!
//! The chance that a lesion is found with a higher score than the highest false positive of an image without a lesion of the class
//! has: of all lesions alike (AFROC), or of all images with lesions alike (wAFROC).

use crate::dataset::GroundTruth;
use crate::options::Options;
use crate::protocol::Class;
use crate::run::Run;

/// Both figures, each in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The area under the AFROC curve: every lesion counts alike.
    pub afroc: f64,
    /// That of the weighted curve: every image with lesions counts alike.
    pub wafroc: f64,
}

/// What is compared: an image without a lesion of the class by its highest score, or a lesion by the score that finds it; minus
/// infinity where there is no detection.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    score: f32,
    /// The unit that its image is drawn with.
    unit: u32,
    /// The lesions of its image, of a lesion; 0 of an image without any.
    n_lesions: u32,
}

/// The lesions of a class and the images without any, by falling score.
///
/// ```
/// use froc::score::afroc::Sample;
/// // One lesion is found below, one above the only false positive, and one is not.
/// let sample = Sample::of([(Some(0.5), 0, None), (Some(0.9), 1, Some(2)), (Some(0.4), 1, Some(2)), (None, 2, Some(1))]);
/// let figures = sample.figures(&[1, 1, 1]).ok_or("both kinds of images")?;
/// assert_eq!((figures.afroc, figures.wafroc), (1.0 / 3.0, 0.25));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sample(Vec<Mark>);

impl Sample {
    /// That of a class of a run; `unit_of_image` is what each image is drawn with, such as its own number.
    ///
    /// An image of which nobody can say whether it has a lesion of the class is in neither figure.
    #[must_use]
    pub fn new(ground_truth: &GroundTruth, run: &Run, class: Class, options: &Options, unit_of_image: &[u32]) -> Self {
        let n_lesions = ground_truth.n_lesions(class);
        let ranking = run.ranking(class);
        let mut of_lesion = vec![None; n_lesions];
        let verdicts = run.verdicts(class, n_lesions, options.iou_threshold(), ground_truth.protocol().extent());
        for claim in verdicts.claims().iter().filter(|claim| !claim.is_duplicate) {
            of_lesion[claim.lesion as usize] = Some(ranking.scores()[claim.rank as usize]);
        }
        // Without a lesion of the class every detection is a false positive.
        let highest = run.highest_scores(class, ground_truth.n_images());
        let of_image = |image: usize| {
            let (first, lesions) = ground_truth.lesions(class, image);
            let (unit, n) = (unit_of_image[image], lesions.len() as u32);
            let lesions = of_lesion[first as usize..][..lesions.len()].iter().map(move |score| (*score, unit, Some(n)));
            let is_free = ground_truth.label(class, image) == Some(false);
            lesions.chain(is_free.then(|| (highest[image], unit, None)))
        };
        Self::of((0..ground_truth.n_images()).flat_map(of_image))
    }

    /// That of lesions and images without any, each given by its score, its unit and the number of lesions of its image.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = (Option<f32>, u32, Option<u32>)>) -> Self {
        let mark = |(score, unit, n_lesions): (Option<f32>, u32, Option<u32>)| Mark {
            score: score.unwrap_or(f32::NEG_INFINITY),
            unit,
            n_lesions: n_lesions.unwrap_or(0),
        };
        let mut marks: Vec<Mark> = all.into_iter().map(mark).collect();
        radsort::sort_by_key(&mut marks, |mark| -mark.score);
        Self(marks)
    }

    /// Both figures where each unit counts so often; `None` where no image without a lesion of the class counts, or none with one.
    #[must_use]
    pub fn figures(&self, weights: &[u32]) -> Option<Figures> {
        // The lesions above, each by itself and in shares of its image, and those of equal score.
        let (mut above, mut equal) = ([0.0; 2], [0.0; 2]);
        let (mut n_free, mut sums) = (0.0, [0.0; 2]);
        let mut free = 0.0;
        let mut marks = self.0.iter().peekable();
        while let Some(mark) = marks.next() {
            let weight = f64::from(weights[mark.unit as usize]);
            if mark.n_lesions == 0 {
                free += weight;
            } else {
                equal[0] += weight;
                equal[1] += weight / f64::from(mark.n_lesions);
            }
            if marks.peek().is_none_or(|next| next.score < mark.score) {
                for (sum, (above, equal)) in sums.iter_mut().zip(above.iter_mut().zip(&mut equal)) {
                    *sum += free * (*above + *equal / 2.0);
                    *above += std::mem::take(equal);
                }
                n_free += std::mem::take(&mut free);
            }
        }
        let [afroc, wafroc] = [0, 1].map(|at| sums[at] / (n_free * above[at]));
        (n_free > 0.0 && above[0] > 0.0).then_some(Figures { afroc, wafroc })
    }
}
