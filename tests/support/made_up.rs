//! A detector whose true recall is known, for datasets of any number.

use froc::dataset::{Detections, Lesion, PredictionFile};
use froc::geometry::BBox;
use froc::protocol::Protocol;
use froc::{GroundTruth, Predictions};

/// A made-up detector of one class. Each image has 0 to 2 lesions; each lesion is found with some chance, at the score
/// `u^(1 / power)` for `u` uniform in 0..1, and 0 to 4 false positives stand at uniform scores.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    pub n_images: u32,
    pub found: f64,
    pub power: f64,
}

impl Default for Detector {
    fn default() -> Self {
        Self { n_images: 100, found: 0.8, power: 3.0 }
    }
}

/// Numbers in 0..1 that a seed decides (`SplitMix64`); made here, so that the tests do not rest on what they test.
pub struct Uniform(pub u64);

impl Uniform {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 0 to `most`, all equally likely.
    pub fn count(&mut self, most: u32) -> u32 {
        #[expect(clippy::cast_sign_loss, reason = "next() is at least 0")]
        let count = (self.next() * f64::from(most + 1)) as u32;
        count.min(most)
    }
}

impl Detector {
    /// Mean number of false positives an image.
    const FALSE_POSITIVES: f64 = 2.0;

    /// Recall where the detector shows `fp_per_image` false positives an image, in infinitely many images.
    pub fn recall(&self, fp_per_image: f64) -> f64 {
        let score_threshold = 1.0 - fp_per_image / Self::FALSE_POSITIVES;
        self.found * (1.0 - score_threshold.powf(self.power))
    }

    /// Image sensitivity where the share `specificity` of images without a lesion shows nothing, in infinitely many images.
    pub fn image_sensitivity(&self, specificity: f64) -> f64 {
        // An image with 0 to 4 false positives, all equally likely, shows none of them above a threshold with this chance, which
        // rises with the threshold.
        let none_shown = |threshold: f64| (0..5).map(|n| threshold.powi(n)).sum::<f64>() / 5.0;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if none_shown(middle) < specificity {
                low = middle;
            } else {
                high = middle;
            }
        }
        let not_found = 1.0 - self.found * (1.0 - low.powf(self.power));
        // One lesion or two, equally likely.
        1.0 - specificity * f64::midpoint(not_found, not_found * not_found)
    }

    /// The dataset of a number.
    pub fn dataset(&self, number: u64) -> (GroundTruth, Predictions) {
        let mut uniform = Uniform(number.wrapping_mul(0x0001_0000_0001_b3a5));
        let class = Protocol::default().class_named("Nodule").expect("a class");
        let (mut images, mut lesions, mut files) = (Vec::new(), Vec::new(), Vec::new());
        let mut detections = Detections::default();
        for image in 0..self.n_images {
            let first = detections.len() as u32;
            images.push(format!("{image}.png"));
            let square = |left: u32, top: f32| {
                let x1 = left as f32 * 20.0;
                BBox { x1, y1: top, x2: x1 + 9.0, y2: top + 9.0 }
            };
            for lesion in 0..uniform.count(2) {
                let bbox = square(lesion, 0.0);
                lesions.push(Lesion { image, class, bbox: bbox.into() });
                if uniform.next() < self.found {
                    detections.push(class, bbox, uniform.next().powf(1.0 / self.power) as f32);
                }
            }
            for false_positive in 0..uniform.count(4) {
                detections.push(class, square(false_positive, 100.0), uniform.next() as f32);
            }
            files.push(PredictionFile::new(format!("{image}.json"), first..detections.len() as u32));
        }
        let truth = GroundTruth::new("test.json", String::new(), Protocol::default(), images, &lesions, Vec::new());
        (truth.expect("images"), Predictions::new("p.zip", files, detections))
    }
}
