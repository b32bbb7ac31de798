//! Which image the detections of a file are about, or those under a key in a file of several images.

use std::collections::BTreeMap;

use super::{FileView, GroundTruth, PredictionFiles};

/// Finds the images of a run's files: a file is named like its image, a key in a larger file is the name of an image, with
/// its ending or another or none, or the number that its name is.
#[derive(Debug)]
pub struct ImageFinder<'a> {
    ground_truth: &'a GroundTruth,
    /// The image whose name is that number but for zeros before it; `None` where several are.
    by_number: BTreeMap<u64, Option<u32>>,
    /// Whether keys are ids of images in the ground truth rather than names.
    by_id: bool,
}

impl<'a> ImageFinder<'a> {
    /// A finder for the files of a run.
    pub(super) fn new(ground_truth: &'a GroundTruth, files: &PredictionFiles) -> Self {
        let mut by_number = BTreeMap::new();
        if files.have_keys() {
            for (image, at) in ground_truth.images().iter().zip(0..) {
                if let Some(number) = whole_number(stem(base_name(image))) {
                    by_number.entry(number).and_modify(|one| *one = None).or_insert(Some(at));
                }
            }
        }
        let mut finder = Self { ground_truth, by_number, by_id: false };
        if files.have_keys() && !ground_truth.image_of_id.is_empty() {
            // Both may be numbers: what finds more images is meant.
            let keys = || files.iter().filter(|file| file.source.holder.is_some()).map(|file| file.path);
            let n_ids = keys().filter(|key| ground_truth.image_of_id.contains_key(*key)).count();
            finder.by_id = n_ids >= keys().filter(|key| finder.image_of_name(key).is_some()).count();
        }
        finder
    }

    /// The image that a file is about.
    #[must_use]
    pub fn image(&self, file: &FileView<'_>) -> Option<u32> {
        self.image_near(file, 0)
    }

    /// The same, sooner if it is the image of the number `guess`, as it is where files come in the order of their images.
    #[must_use]
    pub fn image_near(&self, file: &FileView<'_>, guess: u32) -> Option<u32> {
        if file.source.holder.is_some() {
            return self.image_of_key(file.path);
        }
        let is_json = base_name(file.path).to_ascii_lowercase().ends_with(".json");
        if !is_json && file.source.format.is_some() {
            return self.ground_truth.image_of_file_near(&[stem(file.path), ".json"].concat(), guess);
        }
        self.ground_truth.image_of_file_near(file.path, guess)
    }

    /// The image that a key stands for.
    fn image_of_key(&self, key: &str) -> Option<u32> {
        if self.by_id { self.ground_truth.image_of_id.get(key).copied() } else { self.image_of_name(key) }
    }

    /// The image that a name stands for.
    fn image_of_name(&self, key: &str) -> Option<u32> {
        let named = |name: &str| self.ground_truth.image_of_file(name);
        let by_name = || {
            named(&super::prediction_file(key, self.ground_truth.protocol()))
                .or_else(|| named(&[stem(key), ".json"].concat()))
        };
        by_name().or_else(|| self.by_number.get(&whole_number(key)?).copied().flatten())
    }
}

/// A name without the ending of a picture or a file of predictions.
pub(crate) fn stem(name: &str) -> &str {
    const ENDINGS: [&str; 14] = [
        ".json", ".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".mha", ".mhd", ".bmp", ".tif", ".tiff", ".webp", ".txt",
        ".xml",
    ];
    let Some((stem, ending)) = name.rsplit_once('.') else { return name };
    let is_known = ENDINGS.iter().any(|known| known[1..].eq_ignore_ascii_case(ending));
    if is_known { stem } else { name }
}

/// The last part of a path.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The number that a text of digits alone is.
fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
