//! A ground truth that is held by one file for each image, in a zip or a folder.

use std::collections::HashMap;

use super::{voc, yolo, yolo_labels};
use crate::dataset::{GroundTruth, IgnoredAs, IgnoredLesion, Lesion};
use crate::error::{Error, ErrorKind};
use crate::finding::{Findings, LESIONS_IN_FRACTIONS, SHAPES_AS_BOXES};
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

impl LabelFormat {
    /// Whether a file is called like one of this format.
    pub(super) fn has_ending(&self, path: &str) -> bool {
        super::has_ending(self.endings, path)
    }
}

/// The formats of such files.
pub const LABELS: &[LabelFormat] = &[voc::FORMAT, yolo_labels::FORMAT];

/// Whether a file of that path may be one of these, and none that the Finder of macOS adds.
pub(super) fn takes(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let base = parts.next().unwrap_or_default();
    !base.starts_with("._")
        && parts.all(|folder| folder != "__MACOSX")
        && (LABELS.iter().any(|format| format.has_ending(base)) || yolo::class_names(base, b"").is_some())
}

/// Bytes of a picture that tell its size.
pub(super) const HEAD_OF_PICTURE: usize = 1 << 18;

/// Whether a file of that path may be a picture whose size can be told.
pub(super) fn is_picture(path: &str) -> bool {
    const ENDINGS: &[&str] = &[".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"];
    let base = path.rsplit('/').next().unwrap_or_default();
    !base.starts_with("._") && super::has_ending(ENDINGS, base)
}

/// A path as its folder and the name in it without its ending.
fn parts(path: &str) -> (&str, &str) {
    let (folder, base) = path.rsplit_once('/').unwrap_or(("", path));
    (folder, base.rsplit_once('.').map_or(base, |(stem, _)| stem))
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
    /// The paths of files whose boxes are fractions of their images; images are called like them until pictures are known.
    in_fractions: Vec<String>,
    /// Paths and sizes of the pictures beside these.
    pictures: Vec<(String, Option<ImageSize>)>,
    /// The names of classes by their numbers, if a file lists them.
    class_names: Vec<String>,
    /// What was read as a box although its file tells another shape.
    shapes: Findings,
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
        if let Some(names) = yolo::class_names(path, bytes) {
            self.class_names = names;
            return Ok(());
        }
        let is_it = |format: &&LabelFormat| format.has_ending(path) && (format.sniff)(bytes);
        let Some(format) = LABELS.iter().find(is_it) else { return Ok(()) };
        // Images without lesions alone are no ground truth.
        if !bytes.trim_ascii().is_empty() {
            self.format.get_or_insert(format.name);
        }
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

    /// Begins the next image, which is called like the file of that path and whose boxes are fractions of it.
    ///
    /// # Errors
    /// As [`Self::push_image`].
    pub(super) fn push_image_in_fractions(&mut self, path: &str) -> Result<(), Error> {
        self.push_image(parts(path).1)?;
        self.in_fractions.push(path.to_owned());
        Ok(())
    }

    /// Whether pictures would tell what the files do not.
    #[must_use]
    pub fn wants_pictures(&self) -> bool {
        !self.is_empty() && !self.in_fractions.is_empty()
    }

    /// Takes what the first [`HEAD_OF_PICTURE`] bytes of a picture tell.
    pub(super) fn add_picture(&mut self, path: &str, head: &[u8]) {
        let size = imagesize::blob_size(head).ok();
        let size = size.and_then(|size| ImageSize::new(size.width as f64, size.height as f64));
        self.pictures.push((path.to_owned(), size));
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

    /// Adds a class of the dataset, which may have no lesion, by its name and the number by which files may call it.
    pub(super) fn push_class(&mut self, class: &str, number: &str) {
        self.number(class, number);
        self.place_of_class.insert(class.to_owned(), self.classes.len());
        self.classes.push(class.to_owned());
    }

    /// Tells that the lesion that was added last is the box around another shape.
    pub(super) fn note_shape(&mut self) {
        let image = self.images.len().checked_sub(1);
        let name = || image.and_then(|image| self.images.get(image)).unwrap_or_default().to_owned();
        self.shapes.add(&SHAPES_AS_BOXES, 1, image.map(|image| image as u32), name);
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
    pub fn finish(mut self, name: &str, sha256: String) -> Result<GroundTruth, Error> {
        let mut findings = std::mem::take(&mut self.shapes);
        let lacks_scores = self.wants_pictures();
        if lacks_scores {
            self.name_classes();
            if self.pictures.is_empty() {
                self.sizes.fill(Some(ImageSize::FRACTIONS));
                findings.add(&LESIONS_IN_FRACTIONS, self.lesions.len(), None, || name.to_owned());
            } else {
                self.use_pictures(name)?;
            }
        }
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
        let truth = GroundTruth::new(name, sha256, protocol, self.images, &lesions, findings.finish())?;
        let truth = truth.with_ignored(ignored)?.not_for_script().with_sizes(self.sizes);
        Ok(if lacks_scores { truth.like_unscored() } else { truth })
    }
}

/// Boxes in fractions.
impl Labels {
    /// Calls classes as the list of names does, and tells their numbers.
    fn name_classes(&mut self) {
        let names = std::mem::take(&mut self.class_names);
        for class in &mut self.classes {
            let number = class.clone();
            let name = number.parse::<usize>().ok().and_then(|number| names.get(number));
            if let Some(name) = name.filter(|name| names.iter().filter(|other| other == name).count() == 1) {
                class.clone_from(name);
            }
            self.numbers.insert(class.clone(), number);
        }
    }

    /// Makes pixels of all boxes: an image is a picture, with lesions or without.
    ///
    /// # Errors
    /// If the files are of several parts of a dataset, or one has boxes and no picture.
    fn use_pictures(&mut self, name: &str) -> Result<(), Error> {
        let folder = |path: &str| parts(path).0.to_owned();
        let first = self.in_fractions.first().map(|path| folder(path)).unwrap_or_default();
        if let Some(other) = self.in_fractions.iter().map(|path| folder(path)).find(|other| *other != first) {
            let what = format!("its labels lie in several folders (\"{first}\", \"{other}\")");
            return Err(Error::new(
                name,
                what,
                "the labels and pictures of one part of the dataset, such as test; pack these alone",
            ));
        }
        // images/test beside labels/test, test/images beside test/labels, or one folder for both.
        let beside: Vec<&str> = first.split('/').map(|part| if part == "labels" { "images" } else { part }).collect();
        let beside = beside.join("/");
        let all = std::mem::take(&mut self.pictures);
        let is_beside = |path: &str| [first.as_str(), beside.as_str()].contains(&parts(path).0);
        let any_beside = all.iter().any(|(path, _)| is_beside(path));
        let pictures: Vec<_> = all.into_iter().filter(|(path, _)| !any_beside || is_beside(path)).collect();
        let image_of: HashMap<&str, u32> = pictures.iter().map(|(path, _)| parts(path).1).zip(0..).collect();
        let image_of_file: Vec<Option<u32>> =
            self.in_fractions.iter().map(|path| image_of.get(parts(path).1).copied()).collect();
        for (image, _, bbox, _) in &mut self.lesions {
            let path = &self.in_fractions[*image as usize];
            let picture = image_of_file[*image as usize];
            let size = picture.and_then(|picture| pictures[picture as usize].1);
            let Some((picture, ImageSize { width, height })) = picture.zip(size) else {
                let what =
                    if picture.is_some() { "the size of its picture cannot be read" } else { "it has no picture" };
                let expected = "a sound picture of that name for each file, whose boxes are fractions of the image; or no pictures at all";
                return Err(Error::new("", what, expected).within(path).within(name));
            };
            let [across, down] = [width, height].map(f64::from);
            *image = picture;
            *bbox = FileBox { x1: bbox.x1 * across, y1: bbox.y1 * down, x2: bbox.x2 * across, y2: bbox.y2 * down };
        }
        self.lesions.sort_by_key(|(image, ..)| *image);
        self.images = Texts::default();
        for (path, _) in &pictures {
            self.images.push(path.rsplit('/').next().unwrap_or(path));
        }
        self.sizes = pictures.iter().map(|(_, size)| *size).collect();
        Ok(())
    }
}

/// The most bytes that such files together may inflate to, from so many.
pub(super) fn most_bytes(stored: u64) -> u64 {
    crate::limits::FREE_ZIP_BYTES.max(stored.saturating_mul(MAX_RATIO))
}
