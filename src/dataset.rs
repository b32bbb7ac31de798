//! Lesions and detections as plain columns, checked when they are made.

mod files;
mod finder;
mod ignored;
mod lesions;
mod readers;

use std::borrow::Cow;
use std::collections::{BTreeMap, TryReserveError};
use std::sync::{Arc, OnceLock};

use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, ErrorKind};
use crate::finding::{
    CORRECTIONS, CROWD_LESIONS, DIFFICULT_LESIONS, Finding, Findings, LESIONS_OF_IGNORED_CLASS, SEVERAL_READERS,
    UNKNOWN_LESION_CLASS,
};
use crate::geometry::{BBox, Extent, FileBox, ImageSize, Measure};
use crate::limits::MAX_ROWS;
use crate::protocol::{CHESTX_DET10, Class, MAX_CLASSES, PerClass, Protocol};
use crate::texts::{Finder, Texts};

pub use files::{FileView, PredictionFile, PredictionFiles, Remarks, Source};
pub use finder::ImageFinder;
pub(crate) use finder::stem;
use ignored::Ignored;
pub use ignored::{IgnoredAs, IgnoredBeside, IgnoredLesion};
use lesions::Lesions;
pub(crate) use readers::ReadRow;
pub use readers::{AGREED_IOU, ChosenReaders, Readers, ReadersChoice, agreed};

/// Does the same with each, in order: on all cores natively, one after the other in a browser's worker.
pub fn map_all<A: Send, B: Send>(all: Vec<A>, of: impl Fn(A) -> B + Send + Sync) -> Vec<B> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        all.into_par_iter().map(of).collect()
    }
    #[cfg(target_arch = "wasm32")]
    {
        all.into_iter().map(of).collect()
    }
}

/// Stands for the number of a class that files do not call by one.
const NO_NUMBER: &str = "\0";

/// One ground-truth box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    /// Place of the image in the ground truth.
    pub image: u32,
    /// What it is.
    pub class: Class,
    /// Where it is, as its file says.
    pub bbox: FileBox,
}

/// The images and their lesions.
#[derive(Debug, Clone)]
pub struct GroundTruth {
    name: String,
    sha256: String,
    images: Texts,
    /// By the name of the prediction file.
    image_of_file: Finder,
    /// Images whose names have other letters than ASCII, by what [`composed`] makes of the key of their file.
    image_of_composed: BTreeMap<String, u32>,
    /// Whether the name of an image holds a `/`.
    has_folders: bool,
    lesions: Lesions,
    ignored: Ignored,
    /// The image of each id, where the file gives images ids.
    image_of_id: BTreeMap<String, u32>,
    /// The size of each image, where the file tells sizes; else none.
    sizes: Vec<Option<ImageSize>>,
    is_like_unscored: bool,
    /// Whether the file is such as the official script reads.
    is_for_script: bool,
    protocol: Protocol,
    findings: Vec<Finding>,
    /// The images in which lesions were corrected, and how many corrections each has.
    corrections: Vec<(u32, usize)>,
    /// The same with all classes; none if no class is ignored.
    whole: Option<Arc<Self>>,
    /// The same as its file tells it; none unless another protocol is chosen.
    as_told: Option<Arc<Self>>,
    /// Whose boxes are lesions; none unless the file names several readers.
    readers: Option<Arc<ChosenReaders>>,
}

impl GroundTruth {
    /// The ground truth of a protocol's classes: puts lesions into columns; images keep their order, lesions of an image
    /// theirs.
    ///
    /// # Errors
    /// If there are no images, two images share a name, there are more than [`MAX_ROWS`], a lesion names an image that
    /// is not there or a class that the protocol has not, or the area of a box is not finite in `f32`.
    pub fn new(
        name: &str,
        sha256: String,
        protocol: Protocol,
        images: impl Into<Texts>,
        lesions: &[Lesion],
        findings: Vec<Finding>,
    ) -> Result<Self, Error> {
        let images = images.into();
        if images.is_empty() {
            return Err(Error::new(name, "it lists no images", "at least one {\"file_name\", \"syms\", \"boxes\"}"));
        }
        if images.len().max(lesions.len()) > MAX_ROWS {
            return Err(Error::new(name, "there are more than 4 billion records", "fewer").of_kind(ErrorKind::TooLarge));
        }
        let mut image_of_file = Finder::for_n(images.len());
        for (at, image) in images.iter().enumerate() {
            let file = prediction_file(image, &protocol);
            let is_it = |other: u32| is_file_of(&file, &images[other as usize], &protocol);
            if let Some(before) = image_of_file.insert(key(&file), at as u32, is_it) {
                return Err(Error::new(
                    format!("{name}, image {}", at + 1),
                    format!("\"{image}\" has the same prediction file as image {}", before + 1),
                    "each file_name once; join the boxes of both into one record",
                ));
            }
        }
        let named = images.iter().zip(0..).filter(|(image, _)| !image.is_ascii());
        let image_of_composed =
            named.map(|(image, at)| (composed(key(&prediction_file(image, &protocol))), at)).collect();
        for lesion in lesions {
            let Some(image) = images.get(lesion.image as usize) else {
                return Err(Error::new(
                    name,
                    format!("a lesion names image number {}", lesion.image),
                    format!("a number below {}", images.len()),
                ));
            };
            check_area(name, image, lesion.bbox)?;
            if lesion.class.index() >= protocol.n_classes() {
                return Err(Error::new(
                    format!("{name}, \"{image}\""),
                    format!("a lesion is of class number {}", lesion.class.index()),
                    format!("a number below {}", protocol.n_classes()),
                ));
            }
        }
        let has_folders = images.iter().any(|image| image.contains('/'));
        let lesions = Lesions::new(images.len(), lesions, &protocol);
        Ok(Self {
            name: name.to_owned(),
            sha256,
            images,
            image_of_file,
            image_of_composed,
            has_folders,
            lesions,
            ignored: Ignored::default(),
            image_of_id: BTreeMap::new(),
            sizes: Vec::new(),
            is_like_unscored: false,
            is_for_script: true,
            protocol,
            findings,
            corrections: Vec::new(),
            whole: None,
            as_told: None,
            readers: None,
        })
    }

    /// The same of a file that says it is another's with so many corrections in these images; the findings tell how many there are.
    #[must_use]
    pub(crate) fn with_corrections(mut self, of_images: Vec<(u32, usize)>) -> Self {
        let mut findings = Findings::default();
        for (image, n) in &of_images {
            let name = || self.images.get(*image as usize).unwrap_or_default().to_owned();
            findings.add(&CORRECTIONS, *n, Some(*image), name);
        }
        self.findings.retain(|finding| finding.code != CORRECTIONS.code);
        self.findings.extend(findings.finish());
        Self { corrections: of_images, ..self }
    }

    /// Corrections of the original ground truth that the file says it holds; 0 of an original.
    #[must_use]
    pub fn n_corrections(&self) -> usize {
        self.corrections.iter().map(|(_, n)| n).sum()
    }

    /// The images in which these are, each once, with how many.
    pub(crate) fn corrections(&self) -> &[(u32, usize)] {
        &self.corrections
    }

    /// What the file tells, whatever protocol is chosen and with all of its classes.
    #[must_use]
    pub fn as_told(&self) -> &Self {
        self.as_told.as_deref().or(self.whole.as_deref()).unwrap_or(self)
    }

    /// The same with lesions that count neither as found nor against any detection, in place of those it has; the findings
    /// tell how many there are.
    ///
    /// # Errors
    /// If one names an image that is not there, or the area of a box is not finite in `f32`.
    pub fn with_ignored(mut self, lesions: Vec<IgnoredLesion>) -> Result<Self, Error> {
        let kind = |reason| match reason {
            IgnoredAs::Crowd => &CROWD_LESIONS,
            IgnoredAs::Difficult => &DIFFICULT_LESIONS,
            IgnoredAs::OfClass => &LESIONS_OF_IGNORED_CLASS,
        };
        let ignored = Ignored::new(lesions);
        let mut findings = Findings::default();
        for lesion in ignored.all() {
            let Some(image) = self.images.get(lesion.image as usize) else {
                let what = format!("an ignored lesion names image number {}", lesion.image);
                return Err(Error::new(&self.name, what, format!("a number below {}", self.images.len())));
            };
            check_area(&self.name, image, lesion.bbox)?;
            let place = || format!("\"{}\" in {image}", lesion.class_name);
            findings.add(kind(lesion.reason), 1, Some(lesion.image), place);
        }
        let codes = [&CROWD_LESIONS, &DIFFICULT_LESIONS, &LESIONS_OF_IGNORED_CLASS].map(|kind| kind.code);
        self.findings.retain(|finding| !codes.contains(&finding.code));
        self.findings.extend(findings.finish());
        Ok(Self { ignored, ..self })
    }

    /// The same where classes of these names, and no others, are not scored: their lesions count neither as found nor against a
    /// detection of any class.
    ///
    /// # Errors
    /// If there is no class of a name, or no other class.
    pub fn ignoring(&self, names: &[String]) -> Result<Self, Error> {
        let whole = self.whole.clone().unwrap_or_else(|| Arc::new(self.clone()));
        let without = if names.is_empty() {
            Self::clone(&whole)
        } else {
            Self { whole: Some(Arc::clone(&whole)), ..whole.without_classes(names)? }
        };
        Ok(without.measured_by(self.protocol.measure()))
    }

    /// The names of its classes, in order, those that are ignored as well.
    #[must_use]
    pub fn all_class_names(&self) -> &[String] {
        self.whole.as_deref().unwrap_or(self).protocol.class_names()
    }

    fn without_classes(&self, names: &[String]) -> Result<Self, Error> {
        let class_names = self.protocol.class_names();
        if let Some(name) = names.iter().find(|name| !class_names.contains(name)) {
            let expected = format!("one of the classes {}", class_names.join(", "));
            return Err(Error::option("Class to be ignored", format!("there is \"{name}\""), expected));
        }
        if class_names.iter().all(|name| names.contains(name)) {
            let expected = format!("one of the classes {} that is scored", class_names.join(", "));
            return Err(Error::option("Classes to be ignored", "there are all of them", expected));
        }
        let mut kept = (0..).map(Class::at);
        let class_of: PerClass<Option<Class>> =
            self.per_class(
                |class| if names.iter().any(|name| name == self.class_name(class)) { None } else { kept.next() },
            );
        let (mut lesions, mut ignored) = (Vec::new(), self.ignored.all().to_vec());
        for lesion in &mut ignored {
            lesion.class = lesion.class.and_then(|class| class_of[class]);
        }
        for (of, image) in self.classes().flat_map(|class| (0..self.n_images()).map(move |image| (class, image))) {
            for bbox in self.lesions_in_file(of, image).iter().copied() {
                let (image, class_name, reason) = (image as u32, self.class_name(of).into(), IgnoredAs::OfClass);
                match class_of[of] {
                    Some(class) => lesions.push(Lesion { image, class, bbox }),
                    None => ignored.push(IgnoredLesion { image, class: None, class_name, reason, bbox }),
                }
            }
        }
        let protocol = self.protocol.ignoring(names);
        self.rebuilt(&protocol, &lesions, self.findings.clone())?.with_ignored(ignored)
    }

    /// The same images with other lesions, none of them ignored.
    fn rebuilt(&self, protocol: &Protocol, lesions: &[Lesion], findings: Vec<Finding>) -> Result<Self, Error> {
        let (sha256, images) = (self.sha256.clone(), self.images.clone());
        let truth = Self::new(&self.name, sha256, protocol.clone(), images, lesions, findings)?;
        let (image_of_id, sizes, as_told) = (self.image_of_id.clone(), self.sizes.clone(), self.as_told.clone());
        let Self { is_like_unscored, is_for_script, .. } = *self;
        let truth = truth.with_corrections(self.corrections.clone());
        let readers = self.readers.as_ref().map(|readers| readers.under(&truth).map(Arc::new)).transpose()?;
        Ok(Self { image_of_id, sizes, is_like_unscored, is_for_script, as_told, readers, ..truth })
    }

    /// The same with the id of each image, by which files of detections may name it.
    #[must_use]
    pub(crate) fn with_image_ids(self, ids: impl IntoIterator<Item = String>) -> Self {
        Self { image_of_id: ids.into_iter().zip(0..).collect(), ..self }
    }

    /// The same with the size of each image, as far as the file tells it.
    #[must_use]
    pub(crate) fn with_sizes(self, sizes: Vec<Option<ImageSize>>) -> Self {
        Self { sizes, ..self }
    }

    /// The same, of files such as predictions are whose scores were not written.
    #[must_use]
    pub(crate) fn like_unscored(self) -> Self {
        Self { is_like_unscored: true, ..self }
    }

    /// Whether its files are such as predictions are whose scores were not written.
    #[must_use]
    pub(crate) const fn is_like_unscored(&self) -> bool {
        self.is_like_unscored
    }

    /// Whether boxes are fractions of images whose size nothing tells.
    #[must_use]
    pub fn is_in_fractions(&self) -> bool {
        self.sizes.first() == Some(&Some(ImageSize::FRACTIONS))
    }

    /// The size of an image: as its file tells it, or 1024 x 1024 in `ChestX-Det10`'s own format, whose images all have it. None
    /// where nothing tells it.
    #[must_use]
    pub fn size_of_image(&self, image: usize) -> Option<ImageSize> {
        let told = self.sizes.get(image).copied().flatten();
        told.or_else(|| (self.is_for_script && self.sizes.is_empty()).then_some(ImageSize::CHESTX_DET))
    }

    /// The id of each image, if the file gives all of them ids.
    #[must_use]
    pub(crate) fn image_ids(&self) -> Option<Vec<&str>> {
        let mut ids = vec![None; self.n_images()];
        for (id, image) in &self.image_of_id {
            *ids.get_mut(*image as usize)? = Some(id.as_str());
        }
        ids.into_iter().collect()
    }

    /// The same of a file that the official script does not read.
    #[must_use]
    pub(crate) fn not_for_script(self) -> Self {
        Self { is_for_script: false, ..self }
    }

    /// Whether the file is such as the official script reads.
    #[must_use]
    pub(crate) const fn is_for_script(&self) -> bool {
        self.is_for_script
    }

    /// The same where another measure decides which lesion a detection finds.
    #[must_use]
    pub fn measured_by(&self, measure: Measure) -> Self {
        Self { protocol: self.protocol.measured_by(measure), ..self.clone() }
    }

    /// The same images, with no class ignored, under another protocol, or under that which the file tells; lesions whose classes it does
    /// not have are left out, and counted.
    ///
    /// # Errors
    /// If two images have the same prediction file then.
    pub fn under(&self, protocol: Option<&Protocol>) -> Result<Self, Error> {
        let measure = self.protocol.measure();
        let as_told = self.as_told.as_ref().or(self.whole.as_ref());
        let as_told = as_told.map_or_else(|| Arc::new(self.clone()), Arc::clone);
        let tells = |protocol: &&Protocol| {
            (protocol.name(), protocol.has_script()) == (as_told.protocol.name(), as_told.protocol.has_script())
        };
        match protocol.filter(|protocol| !tells(protocol)) {
            None => Ok(as_told.measured_by(measure)),
            Some(protocol) => {
                Ok(Self { as_told: Some(Arc::clone(&as_told)), ..as_told.evaluated_as(protocol)? }.measured_by(measure))
            }
        }
    }

    /// The protocol that the file tells, whatever was chosen.
    #[must_use]
    pub fn protocol_of_file(&self) -> &Protocol {
        self.as_told.as_deref().map_or(&self.protocol, |as_told| &as_told.protocol)
    }

    /// Whether it is evaluated as another protocol says than the file tells.
    #[must_use]
    pub const fn is_protocol_chosen(&self) -> bool {
        self.as_told.is_some()
    }

    fn evaluated_as(&self, protocol: &Protocol) -> Result<Self, Error> {
        // What predictions call the classes that both have stays what it is.
        let number = |class| self.protocol.number(self.protocol.class_named(protocol.class_name(class))?);
        let numbers: Vec<String> =
            protocol.classes().map(|class| number(class).unwrap_or(NO_NUMBER).to_owned()).collect();
        let is_numbered = numbers.iter().any(|number| number != NO_NUMBER);
        let protocol = &if is_numbered { protocol.numbered(numbers) } else { protocol.clone() };
        let mut findings = Findings::default();
        let told = self.findings.iter().filter(|finding| finding.code == SEVERAL_READERS).cloned();
        let mut lesions = Vec::new();
        for (image, name) in self.images.iter().enumerate() {
            for class in self.classes() {
                let class_name = self.class_name(class);
                let boxes = self.lesions_in_file(class, image).iter();
                match protocol.class_named(class_name) {
                    Some(class) => lesions.extend(boxes.map(|bbox| Lesion { image: image as u32, class, bbox: *bbox })),
                    None => findings.add(&UNKNOWN_LESION_CLASS, boxes.len(), Some(image as u32), || {
                        format!("\"{class_name}\" in {name}")
                    }),
                }
            }
        }
        let known = self.ignored.all().iter().filter_map(|lesion| {
            let class = protocol.class_named(&lesion.class_name);
            (class.is_some() || lesion.class.is_none()).then(|| IgnoredLesion { class, ..lesion.clone() })
        });
        self.rebuilt(protocol, &lesions, told.chain(findings.finish()).collect())?.with_ignored(known.collect())
    }

    /// The name of the prediction file of an image.
    #[must_use]
    pub(crate) fn prediction_file(&self, image: usize) -> Cow<'_, str> {
        prediction_file(&self.images[image], &self.protocol)
    }

    /// What the evaluation on it is.
    #[must_use]
    pub const fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// The classes of its protocol, in order.
    #[must_use]
    pub fn classes(&self) -> impl ExactSizeIterator<Item = Class> + Clone + use<> {
        self.protocol.classes()
    }

    /// The name of one of its classes.
    #[must_use]
    pub fn class_name(&self, class: Class) -> &str {
        self.protocol.class_name(class)
    }

    /// The value that `of` gives each of its classes.
    pub fn per_class<T>(&self, of: impl FnMut(Class) -> T) -> PerClass<T> {
        PerClass::new(&self.protocol, of)
    }

    /// Whether an image has lesions of any class.
    #[must_use]
    pub fn has_lesions(&self, image: usize) -> bool {
        self.n_lesions_in(image) > 0
    }

    /// Lesions of all classes in an image.
    #[must_use]
    pub fn n_lesions_in(&self, image: usize) -> usize {
        self.lesions.n_in(image)
    }

    /// Whether an image has neither lesions nor ignored ones.
    #[must_use]
    pub fn is_lesion_free(&self, image: usize) -> bool {
        !self.has_lesions(image) && self.ignored_in(image).is_empty()
    }

    /// Whether an image has a lesion of a class; `None` where it has none but ignored ones that concern the class, so that nobody
    /// can say.
    #[must_use]
    pub fn label(&self, class: Class, image: usize) -> Option<bool> {
        let has_lesion = !self.lesions(class, image).1.is_empty();
        let concerns = |lesion: &IgnoredLesion| lesion.class.is_none_or(|of| of == class);
        (has_lesion || !self.ignored_in(image).iter().any(concerns)).then_some(has_lesion)
    }

    /// All lesions that count neither as found nor against a detection, image by image.
    #[must_use]
    pub fn ignored(&self) -> &[IgnoredLesion] {
        self.ignored.all()
    }

    /// Those of an image.
    #[must_use]
    pub fn ignored_in(&self, image: usize) -> &[IgnoredLesion] {
        self.ignored.of(image)
    }

    /// Those that detections of a class are compared with.
    #[must_use]
    pub fn ignored_beside(&self, class: Class) -> IgnoredBeside {
        self.ignored.beside(class)
    }

    /// Lesions of all classes in all images.
    #[must_use]
    pub const fn n_all_lesions(&self) -> usize {
        self.lesions.n()
    }

    /// The same ground truth, held by a file of another name and SHA-256.
    #[must_use]
    pub(crate) fn held_by(self, name: &str, sha256: String) -> Self {
        Self { name: name.to_owned(), sha256, ..self }
    }

    /// Base name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the file, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// File names of the images, in the order of the list.
    #[must_use]
    pub const fn images(&self) -> &Texts {
        &self.images
    }

    /// What a user should know about the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Number of images, lesion-free ones included: what false positives are divided by.
    #[must_use]
    pub const fn n_images(&self) -> usize {
        self.images.len()
    }

    /// Lesions of a class in all images.
    #[must_use]
    pub fn n_lesions(&self, class: Class) -> usize {
        self.lesions.n_of(class)
    }

    /// Lesions of a class in an image: the number of the first among all of the class, 0 if there are none, and their
    /// boxes.
    #[must_use]
    pub fn lesions(&self, class: Class, image: usize) -> (u32, &[BBox]) {
        self.lesions.of(class, image)
    }

    /// The lesions of all classes in an image, class by class: class, number among all of the class, and box.
    pub fn lesions_in(&self, image: usize) -> impl Iterator<Item = (Class, u32, BBox)> {
        self.lesions.in_image(image)
    }

    /// The same lesions with the numbers of their file.
    #[must_use]
    pub fn lesions_in_file(&self, class: Class, image: usize) -> &[FileBox] {
        self.lesions.of_in_file(class, image)
    }

    /// Finds the images of a run's files.
    #[must_use]
    pub fn finder(&self, files: &PredictionFiles) -> ImageFinder<'_> {
        ImageFinder::new(self, files)
    }

    /// The image to which a prediction file belongs: the image's name, with `.json` for `.png`, is the whole `path` or its
    /// last parts.
    #[must_use]
    pub fn image_of_file(&self, path: &str) -> Option<u32> {
        if !self.has_folders {
            return self.image_of_name(base_name(path));
        }
        let starts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0).chain(starts).find_map(|start| self.image_of_name(&path[start..]))
    }

    /// The same, sooner if it is the image of the number `guess`, as it is where files come in the order of their images.
    #[must_use]
    pub(crate) fn image_of_file_near(&self, path: &str, guess: u32) -> Option<u32> {
        let is_guess = |image: &str| is_file_of(base_name(path), image, &self.protocol);
        // With folders, one of the other images may be named like more of the path.
        if !self.has_folders && self.images.get(guess as usize).is_some_and(is_guess) {
            return Some(guess);
        }
        self.image_of_file(path)
    }

    /// The image whose prediction file has that name.
    fn image_of_name(&self, file: &str) -> Option<u32> {
        let exact =
            self.image_of_file.find(key(file), |image| is_file_of(file, &self.images[image as usize], &self.protocol));
        exact.or_else(|| {
            let may_be = !file.is_ascii() && !self.image_of_composed.is_empty();
            may_be.then(|| self.image_of_composed.get(&composed(key(file))).copied()).flatten()
        })
    }
}

/// That the area of a box of an image is finite.
fn check_area(name: &str, image: &str, bbox: FileBox) -> Result<(), Error> {
    if bbox.rounded().area(Extent::PlusOne).is_finite() {
        return Ok(());
    }
    Err(Error::new(format!("{name}, \"{image}\""), "the area of a box is not finite", "corners in pixels"))
}

/// A name with each letter and its accents as one: Macs write `é` as two, and so do zips that are packed there.
fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The last part of a path.
fn base_name(path: &str) -> &str {
    path.rfind('/').map_or(path, |end| &path[end + 1..])
}

/// The name of the prediction file of an image: that which the official script makes by Python's `str.replace`; where there is no
/// script, `.json` in place of the ending of a picture.
fn prediction_file<'a>(image: &'a str, protocol: &Protocol) -> Cow<'a, str> {
    if !protocol.has_script() {
        return Cow::Owned([stem(image), ".json"].concat());
    }
    match stem_of_png(image) {
        Some(stem) => Cow::Owned([stem, ".json"].concat()),
        None if image.contains(".png") => Cow::Owned(image.replace(".png", ".json")),
        None => Cow::Borrowed(image),
    }
}

/// Whether [`prediction_file`] of an image is that.
fn is_file_of(file: &str, image: &str, protocol: &Protocol) -> bool {
    let stem = if protocol.has_script() { stem_of_png(image) } else { Some(stem(image)) };
    match stem {
        Some(stem) => file.strip_suffix(".json") == Some(stem),
        None => file == prediction_file(image, protocol),
    }
}

/// The name of an image that holds one `.png` alone, at its end, without it: almost all do, a hundred thousand times.
fn stem_of_png(image: &str) -> Option<&str> {
    image.strip_suffix(".png").filter(|stem| !stem.as_bytes().windows(4).any(|part| part == b".png"))
}

/// What a name is looked up by.
fn key(file: &str) -> &str {
    file.strip_suffix(".json").unwrap_or(file)
}

/// Detections in columns, in the order in which they were read, each under the class name that its file gives it: which
/// names are classes, the protocol of a ground truth says.
///
/// They keep the numbers of the file. The official script computes with the nearest `f32`, other evaluators do not.
///
/// ```
/// use froc::{dataset::Detections, geometry::BBox};
/// let mut detections = Detections::default();
/// detections.push_named("Nodule", BBox::default(), 1.0 - 1e-9);
/// assert_eq!((detections.score(0), detections.score_in_file(0)), (1.0_f32, 1.0 - 1e-9));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Detections {
    boxes: Vec<FileBox>,
    scores: Vec<f64>,
    /// The place of the name of each among `names`, or [`NO_NAME`].
    keys: Vec<u16>,
    names: Vec<String>,
    /// The key of each name, once there are many.
    key_of_name: BTreeMap<String, u16>,
}

/// The key of a box whose name is not kept: there were too many others.
const NO_NAME: u16 = u16::MAX;

impl Detections {
    /// Makes room for `n` more. The columns are the one thing that grows with a run without bound, so that a run too
    /// large for the memory ends here, in a sentence.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub(crate) fn reserve(&mut self, n: usize) -> Result<(), TryReserveError> {
        self.boxes.try_reserve(n)?;
        self.scores.try_reserve(n)?;
        self.keys.try_reserve(n)
    }

    /// Appends a detection of one of the ten classes of ChestX-Det10.
    pub fn push(&mut self, class: Class, bbox: impl Into<FileBox>, score: impl Into<f64>) {
        self.push_named(CHESTX_DET10.get(class.index()).copied().unwrap_or_default(), bbox, score);
    }

    /// Appends a detection under a class name as it is written, which is not kept if there are too many different ones.
    /// Its numbers, and its area, are finite in `f32`.
    pub fn push_named(&mut self, name: &str, bbox: impl Into<FileBox>, score: impl Into<f64>) {
        let key = self.key_of(name);
        self.boxes.push(bbox.into());
        self.scores.push(score.into());
        self.keys.push(key);
    }

    /// The key of a name; [`NO_NAME`] if there are too many.
    fn key_of(&mut self, name: &str) -> u16 {
        /// So many are looked through sooner than they are searched.
        const FEW: usize = 16;
        let known = match self.names.len() {
            0..=FEW => self.names.iter().position(|other| other == name).map(|at| at as u16),
            _ => self.key_of_name.get(name).copied(),
        };
        if let Some(key) = known {
            return key;
        }
        if self.names.len() >= MAX_CLASSES {
            return NO_NAME;
        }
        self.names.push(name.to_owned());
        if self.names.len() == FEW + 1 {
            self.key_of_name = self.names.iter().cloned().zip(0..).collect();
        } else if self.names.len() > FEW {
            self.key_of_name.insert(name.to_owned(), (self.names.len() - 1) as u16);
        }
        (self.names.len() - 1) as u16
    }

    /// The different names, in the order of first sight.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Gives names others, where `of` has one; two may become one.
    pub fn rename(&mut self, of: impl Fn(&str) -> Option<String>) {
        let before = std::mem::take(&mut self.names);
        self.key_of_name = BTreeMap::new();
        let keys: Vec<u16> = before.into_iter().map(|name| self.key_of(&of(&name).unwrap_or(name))).collect();
        for key in &mut self.keys {
            *key = keys.get(usize::from(*key)).copied().unwrap_or(NO_NAME);
        }
    }

    /// The name of a detection as it is written.
    #[must_use]
    pub fn name(&self, at: usize) -> &str {
        self.names.get(usize::from(self.keys[at])).map_or("", String::as_str)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Makes room for `n` more and, where memory is moved, for no more than that.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub(crate) fn reserve_exact(&mut self, n: usize) -> Result<(), TryReserveError> {
        self.boxes.try_reserve_exact(n)?;
        self.scores.try_reserve_exact(n)?;
        self.keys.try_reserve_exact(n)
    }

    /// How many there is room for.
    #[must_use]
    pub(crate) fn capacity(&self) -> usize {
        self.boxes.capacity()
    }

    /// Gives back room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.boxes.shrink_to_fit();
        self.scores.shrink_to_fit();
        self.keys.shrink_to_fit();
    }

    /// Appends all of another run's, and gives the number of the first of them.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn append(&mut self, other: Self) -> Result<usize, TryReserveError> {
        let first = self.len();
        self.reserve(other.len())?;
        let keys: Vec<u16> = other.names.iter().map(|name| self.key_of(name)).collect();
        let key = |key: u16| keys.get(usize::from(key)).copied().unwrap_or(NO_NAME);
        self.boxes.extend(other.boxes);
        self.scores.extend(other.scores);
        self.keys.extend(other.keys.into_iter().map(key));
        Ok(first)
    }

    /// The columns: boxes and scores as their files have them, and the places of the names among [`Detections::names`].
    #[must_use]
    pub fn columns(&self) -> (&[FileBox], &[f64], &[u16]) {
        (&self.boxes, &self.scores, &self.keys)
    }

    /// Puts them into that order, which names each once.
    #[must_use]
    pub(crate) fn reordered(self, order: &[u32]) -> Self {
        Self {
            boxes: order.iter().map(|at| self.boxes[*at as usize]).collect(),
            scores: order.iter().map(|at| self.scores[*at as usize]).collect(),
            keys: order.iter().map(|at| self.keys[*at as usize]).collect(),
            ..self
        }
    }

    /// Forgets all but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.boxes.truncate(len);
        self.scores.truncate(len);
        self.keys.truncate(len);
    }

    /// The box of a detection, in `f32` as the official script keeps it.
    #[must_use]
    pub fn bbox(&self, at: usize) -> BBox {
        self.boxes[at].rounded()
    }

    /// The box of a detection with the numbers of its file.
    #[must_use]
    pub fn box_in_file(&self, at: usize) -> FileBox {
        self.boxes[at]
    }

    /// The score of a detection, in `f32` as the official script keeps it: finite.
    #[must_use]
    pub fn score(&self, at: usize) -> f32 {
        self.scores[at] as f32
    }

    /// The score of a detection as its file has it.
    #[must_use]
    pub fn score_in_file(&self, at: usize) -> f64 {
        self.scores[at]
    }

    /// What each name is under a protocol.
    #[must_use]
    pub fn classes(&self, protocol: &Protocol) -> ClassOfName {
        ClassOfName(self.names.iter().map(|name| protocol.class_of_prediction(name)).collect())
    }

    /// The class of a detection, where `of` is what the names of these detections are; `None` for a box under a name that is
    /// none of a class.
    #[must_use]
    pub fn class(&self, at: usize, of: &ClassOfName) -> Option<Class> {
        of.get(self.keys[at])
    }
}

/// The class that each name of a run's detections stands for, if any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassOfName(Vec<Option<Class>>);

impl ClassOfName {
    /// Whether every name stands for a class, and every name is kept.
    #[must_use]
    pub(crate) fn has_all(&self) -> bool {
        self.0.iter().all(Option::is_some) && self.0.len() < MAX_CLASSES
    }

    /// The class of a key of [`Detections::columns`].
    #[must_use]
    pub fn get(&self, key: u16) -> Option<Class> {
        self.0.get(usize::from(key)).copied().flatten()
    }
}

/// The SHA-256 of a file, in hexadecimal digits: one that is taken beside the reading, and known to all clones at once.
#[derive(Debug, Clone, Default)]
pub struct Sha256(Arc<OnceLock<String>>);

impl From<String> for Sha256 {
    /// One that is known.
    fn from(digits: String) -> Self {
        Self(Arc::new(digits.into()))
    }
}

impl Sha256 {
    /// The digits, once they are known.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Makes them known; those that are known stay.
    pub fn set(&self, digits: String) {
        // The bytes are the same, so a second one is the same too.
        let _ = self.0.set(digits);
    }
}

/// A set of predictions as it was read, before it is known which images count.
#[derive(Debug, Clone)]
pub struct Predictions {
    name: String,
    sha256: Sha256,
    files: PredictionFiles,
    detections: Detections,
}

impl Predictions {
    /// Files in any order; each range lies within `detections`.
    #[must_use]
    pub fn new(name: &str, files: impl Into<PredictionFiles>, detections: Detections) -> Self {
        Self { name: name.to_owned(), sha256: Sha256::default(), files: files.into(), detections }
    }

    /// Parts of one run as one, which is called like the first of them; its SHA-256 is not known.
    ///
    /// # Errors
    /// If there is no memory for all detections, or they are too many to be numbered.
    pub(crate) fn joined(parts: &[&Self]) -> Result<Self, Error> {
        let Some((first, others)) = parts.split_first() else {
            return Ok(Self::new("", Vec::new(), Detections::default()));
        };
        if parts.iter().map(|part| part.detections.len()).sum::<usize>() > MAX_ROWS {
            let what = "with its other parts it has more than 4 billion boxes";
            return Err(Error::new(&first.name, what, "fewer").of_kind(ErrorKind::TooLarge));
        }
        let mut all = Self { sha256: Sha256::default(), ..(*first).clone() };
        for other in others {
            let first = all.detections.append(other.detections.clone());
            let first = first.map_err(|_| Error::out_of_memory(&all.name))?;
            all.files.append(other.files.clone(), first as u32);
        }
        Ok(all)
    }

    /// The predictions with that SHA-256, which may become known later.
    #[must_use]
    pub(crate) fn with_sha256(self, sha256: Sha256) -> Self {
        Self { sha256, ..self }
    }

    /// The same predictions, held by a file of another name and SHA-256.
    #[must_use]
    pub(crate) fn held_by(self, name: &str, sha256: String) -> Self {
        Self { name: name.to_owned(), sha256: sha256.into(), ..self }
    }

    /// Base name of the zip or folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the zip; of a folder, that of its sorted lines `name NUL sha256 newline`.
    #[must_use]
    pub const fn sha256(&self) -> &Sha256 {
        &self.sha256
    }

    /// All prediction files, in the order in which they were read.
    #[must_use]
    pub const fn files(&self) -> &PredictionFiles {
        &self.files
    }

    /// All detections, file by file.
    #[must_use]
    pub const fn detections(&self) -> &Detections {
        &self.detections
    }
}
