//! A ground truth that is held by one file for each image, in a zip or a folder.

use std::collections::HashMap;

use super::voc;
use crate::dataset::{GroundTruth, IgnoredAs, IgnoredLesion, Lesion};
use crate::error::{Error, ErrorKind};
use crate::geometry::{FileBox, ImageSize};
use crate::limits::{MAX_FILES, MAX_LESIONS_OF_IMAGE, MAX_RATIO, MAX_ROWS};
use crate::protocol::{Class, MAX_CLASSES, Protocol};
use crate::texts::Texts;

/// A way to write the lesions of one image.
pub struct LabelFormat {
    /// What to call it in a sentence.
    pub name: &'static str,
    /// Endings of its files, in lower case, with the dot.
    pub endings: &'static [&'static str],
    /// Whether all bytes of a file have its structure.
    pub sniff: fn(bytes: &[u8]) -> bool,
    /// Reads a file of that path.
    pub read: fn(path: &str, bytes: &[u8], into: &mut Labels) -> Result<(), Error>,
}

/// The formats of such files.
pub const LABELS: &[LabelFormat] = &[voc::FORMAT];

/// Whether a file of that path may be one of these, and none that the Finder of macOS adds.
pub(super) fn takes(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let base = parts.next().unwrap_or_default();
    !base.starts_with("._")
        && parts.all(|folder| folder != "__MACOSX")
        && LABELS.iter().any(|format| super::has_ending(format.endings, base))
}

/// Images and lesions as they are read, file by file.
#[derive(Debug, Default)]
pub struct Labels {
    images: Texts,
    /// The size of each image, as far as it is told.
    sizes: Vec<Option<ImageSize>>,
    classes: Vec<String>,
    place_of_class: HashMap<String, usize>,
    /// What files call each class by number, where that is told.
    numbers: HashMap<String, String>,
    /// Image, place of its class, box, and whether it is hard to recognise.
    lesions: Vec<(u32, usize, FileBox, bool)>,
    /// What the first file is written in.
    format: Option<&'static str>,
}

impl Labels {
    /// None yet, of a ground truth that one file of that format holds.
    pub(super) fn of(format: &'static str) -> Self {
        Self { format: Some(format), ..Self::default() }
    }

    /// Tells the number by which files may call a class.
    pub(super) fn number(&mut self, class: &str, number: &str) {
        if self.numbers.len() < MAX_CLASSES && !self.numbers.contains_key(class) {
            self.numbers.insert(class.to_owned(), number.to_owned());
        }
    }

    /// Reads one file in the format whose structure it has; a file of another kind is passed over.
    ///
    /// # Errors
    /// If it has the structure and cannot be read; with its path.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let is_it = |format: &&LabelFormat| super::has_ending(format.endings, path) && (format.sniff)(bytes);
        let Some(format) = LABELS.iter().find(is_it) else { return Ok(()) };
        self.format.get_or_insert(format.name);
        (format.read)(path, bytes, self).map_err(|error| error.within(path))
    }

    /// Begins the next image.
    ///
    /// # Errors
    /// If there are more than [`MAX_FILES`].
    pub(super) fn push_image(&mut self, name: &str) -> Result<(), Error> {
        if self.images.len() == MAX_FILES {
            return Err(Error::new("", format!("with it there are more than {MAX_FILES} images"), "fewer")
                .of_kind(ErrorKind::TooLarge));
        }
        self.images.push(name);
        self.sizes.push(None);
        Ok(())
    }

    /// Tells the size of the image that was begun last.
    pub(super) fn size_of_image(&mut self, size: Option<ImageSize>) {
        if let Some(last) = self.sizes.last_mut() {
            *last = size;
        }
    }

    /// Adds a lesion of the image that was begun last; `n` is its number in that image, from 1. One that `is_difficult` is ignored.
    ///
    /// # Errors
    /// If there are more lesions, or more classes, than [`crate::limits`] allow.
    pub(super) fn push_lesion(
        &mut self,
        n: usize,
        class: &str,
        bbox: FileBox,
        is_difficult: bool,
    ) -> Result<(), Error> {
        if n > MAX_LESIONS_OF_IMAGE || self.lesions.len() == MAX_ROWS {
            let what = format!("the image has more than {MAX_LESIONS_OF_IMAGE} lesions");
            return Err(Error::new("", what, "the lesions of one image").of_kind(ErrorKind::TooLarge));
        }
        let class = match self.place_of_class.get(class) {
            Some(place) => *place,
            None if self.classes.len() == MAX_CLASSES => {
                let what = format!("with it there are more than {MAX_CLASSES} classes");
                return Err(Error::new("", what, "fewer").of_kind(ErrorKind::TooLarge));
            }
            None => {
                self.place_of_class.insert(class.to_owned(), self.classes.len());
                self.classes.push(class.to_owned());
                self.classes.len() - 1
            }
        };
        let image = self.images.len().saturating_sub(1) as u32;
        self.lesions.push((image, class, bbox, is_difficult));
        Ok(())
    }

    /// Whether a file was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.format.is_none()
    }

    /// The ground truth: its classes come by falling number of lesions, ignored ones among them, equal numbers by
    /// name ([section 10](crate::metric)).
    ///
    /// # Errors
    /// As [`GroundTruth::new`].
    pub fn finish(self, name: &str, sha256: String) -> Result<GroundTruth, Error> {
        let mut counts = vec![0_usize; self.classes.len()];
        self.lesions.iter().for_each(|(_, class, ..)| counts[*class] += 1);
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by(|a, b| counts[*b].cmp(&counts[*a]).then_with(|| self.classes[*a].cmp(&self.classes[*b])));
        let mut class_at = vec![Class::at(0); order.len()];
        order.iter().enumerate().for_each(|(at, class)| class_at[*class] = Class::at(at));
        let (mut lesions, mut ignored) = (Vec::new(), Vec::new());
        for (image, of, bbox, is_difficult) in self.lesions {
            let class = class_at[of];
            if is_difficult {
                let (class_name, reason) = (self.classes[of].as_str().into(), IgnoredAs::Difficult);
                ignored.push(IgnoredLesion { image, class: Some(class), class_name, reason, bbox });
            } else {
                lesions.push(Lesion { image, class, bbox });
            }
        }
        let classes = order.iter().map(|class| self.classes[*class].clone()).collect();
        let protocol = Protocol::new(name, classes);
        let numbers = protocol.class_names().iter().map(|class| self.numbers.get(class).cloned());
        let protocol = match numbers.collect::<Option<Vec<String>>>() {
            Some(numbers) => protocol.numbered(numbers),
            None => protocol,
        };
        let truth = GroundTruth::new(name, sha256, protocol, self.images, &lesions, Vec::new())?;
        Ok(truth.with_ignored(ignored)?.not_for_script().with_sizes(self.sizes))
    }
}

/// The most bytes that such files together may inflate to, from so many.
pub(super) fn most_bytes(stored: u64) -> u64 {
    crate::limits::FREE_ZIP_BYTES.max(stored.saturating_mul(MAX_RATIO))
}
