//! A ground truth with corrections, as a file: in ChestX-Det's own format if that is its format, else as COCO instances.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use super::coco::{id, side};
use super::{Conversion, check_class_names, numbers, text};
use crate::dataset::{GroundTruth, IgnoredAs, stem};
use crate::error::Error;
use crate::finding::UNKNOWN_LESION_CLASS;
use crate::geometry::{FileBox, ImageSize};
use crate::input::CORRECTIONS_KEY;

/// One correction.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// Place of the image.
    pub image: u32,
    /// The lesion by its class, and its place among those of it in the image; `None` for one that is added.
    pub lesion: Option<(String, u32)>,
    /// The class that it gets, if another one.
    pub class: Option<String>,
    /// The box that it gets, if another one.
    pub bbox: Option<FileBox>,
}

/// A ground truth as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroundTruthFile {
    /// A base name beside that of the original, such as `test.corrected.json`.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// One sentence for each thing of the original that is not kept, or is to be known.
    pub notes: Vec<String>,
}

/// The whole ground truth as its file tells it, whatever protocol is chosen, with these corrections; the file tells how many each image has.
/// What is to be corrected in no image, or is no lesion of it, is left out.
///
/// # Errors
/// If two of its classes have one name, or it does not fit into memory.
pub fn corrected(ground_truth: &GroundTruth, corrections: &[Correction]) -> Result<GroundTruthFile, Error> {
    let truth = ground_truth.as_told();
    check_class_names(truth)?;
    let n_images = truth.n_images();
    let mut draft = Draft { truth, of_image: vec![Vec::new(); n_images], n_corrections: vec![0; n_images] };
    for (image, n) in truth.corrections() {
        draft.n_corrections[*image as usize] += n;
    }
    for one in corrections {
        if let Some(of_image) = draft.of_image.get_mut(one.image as usize) {
            of_image.push(one);
            draft.n_corrections[one.image as usize] += 1;
        }
    }
    let mut notes = Vec::new();
    let written = if truth.is_for_script() { draft.chestx_det(&mut notes) } else { draft.coco(&mut notes) };
    let bytes = written.map_err(|error| Error::new(truth.name(), error.to_string(), "what can be written as JSON"))?;
    let name = truth.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Ok(GroundTruthFile { name: format!("{stem}.corrected.json"), bytes, notes })
}

/// What is written.
struct Draft<'a> {
    truth: &'a GroundTruth,
    of_image: Vec<Vec<&'a Correction>>,
    /// Of each image, those of the file itself among them.
    n_corrections: Vec<usize>,
}

impl<'a> Draft<'a> {
    /// Class and box of each lesion of an image, class by class; those that are added last.
    fn lesions(&self, image: usize) -> Vec<(&'a str, FileBox)> {
        let corrections = &self.of_image[image];
        let mut all = Vec::new();
        for class in self.truth.classes() {
            let name = self.truth.class_name(class);
            for (bbox, place) in self.truth.lesions_in_file(class, image).iter().zip(0..) {
                let (mut class, mut bbox) = (name, *bbox);
                let is_it = |one: &&&Correction| one.lesion.as_ref().is_some_and(|(of, at)| of == name && *at == place);
                for one in corrections.iter().filter(is_it) {
                    class = one.class.as_deref().unwrap_or(class);
                    bbox = one.bbox.unwrap_or(bbox);
                }
                all.push((class, bbox));
            }
        }
        let added = corrections.iter().filter(|one| one.lesion.is_none());
        all.extend(added.filter_map(|one| one.class.as_deref().zip(one.bbox)));
        all
    }

    /// Ends the record of an image: how many corrections it has, if any.
    fn end_image(&self, image: usize, out: &mut Vec<u8>) -> io::Result<()> {
        match self.n_corrections[image] {
            0 => write!(out, "}}"),
            n => write!(out, ",\"{CORRECTIONS_KEY}\":{n}}}"),
        }
    }

    fn chestx_det(&self, notes: &mut Vec<String>) -> io::Result<Vec<u8>> {
        notes.push("Kept of each image: file_name, syms and boxes, which stand class by class.".to_owned());
        if let Some(of) = self.truth.findings().iter().find(|finding| finding.code == UNKNOWN_LESION_CLASS.code) {
            notes.push(format!("Left out: {} of classes that are not scored.", of.count));
        }
        let mut out = b"[".to_vec();
        each(&mut out, self.truth.images().iter().enumerate(), |out, (image, name)| {
            let (classes, boxes): (Vec<&str>, Vec<FileBox>) = self.lesions(image).into_iter().unzip();
            let boxes: Vec<[f64; 4]> = boxes.iter().map(|bbox| [bbox.x1, bbox.y1, bbox.x2, bbox.y2]).collect();
            out.extend(b"{\"file_name\":");
            text(out, name)?;
            out.extend(b",\"syms\":");
            serde_json::to_writer(&mut *out, &classes)?;
            out.extend(b",\"boxes\":");
            serde_json::to_writer(&mut *out, &boxes)?;
            self.end_image(image, out)
        })?;
        out.push(b'\n');
        Ok(out)
    }

    fn coco(&self, notes: &mut Vec<String>) -> io::Result<Vec<u8>> {
        let truth = self.truth;
        notes.push(
            "Written as COCO instances with ids, names, sizes, boxes and iscrowd; nothing else is kept.".to_owned(),
        );
        let n_difficult = truth.ignored().iter().filter(|lesion| lesion.reason == IgnoredAs::Difficult).count();
        if n_difficult > 0 {
            notes.push(format!(
                "Written as crowds (iscrowd), which are ignored, too: {n_difficult} marked as difficult."
            ));
        }
        let (categories, image_ids) = (self.categories(), image_ids(truth));
        let mut out = b"{\"images\":[".to_vec();
        each(&mut out, truth.images().iter().enumerate(), |out, (image, name)| {
            write!(out, "{{\"id\":{},\"file_name\":", image_ids[image])?;
            text(out, name)?;
            if let Some(ImageSize { width, height }) = truth.size_of_image(image) {
                write!(out, ",\"width\":{width},\"height\":{height}")?;
            }
            self.end_image(image, out)
        })?;
        out.extend(b",\"categories\":[");
        each(&mut out, categories.iter(), |out, (name, id)| {
            write!(out, "{{\"id\":{id},\"name\":")?;
            text(out, name)?;
            out.push(b'}');
            Ok(())
        })?;
        out.extend(b",\"annotations\":[");
        let mut conversion = Conversion::default();
        let lesions = (0..truth.n_images()).flat_map(|image| {
            let crowds = truth.ignored_in(image).iter().map(|lesion| (&*lesion.class_name, lesion.bbox, 1));
            let lesions = self.lesions(image).into_iter().map(|(class, bbox)| (class, bbox, 0));
            lesions.chain(crowds).map(move |lesion| (image, lesion))
        });
        each(&mut out, lesions, |out, (image, (class, bbox, crowd))| {
            let ((x, width), (y, height)) = (side(bbox.x1, bbox.x2), side(bbox.y1, bbox.y2));
            conversion.n_detections += 1;
            conversion.compare(bbox, FileBox { x1: x, y1: y, x2: x + width, y2: y + height });
            let (id, image) = (conversion.n_detections, &image_ids[image]);
            let category = categories.iter().find(|(name, _)| *name == class).map_or("null", |(_, id)| id);
            write!(
                out,
                "{{\"id\":{id},\"image_id\":{image},\"category_id\":{category},\"iscrowd\":{crowd},\"bbox\":["
            )?;
            numbers(out, &[x, y, width, height], b",")?;
            out.extend(b"],\"area\":");
            numbers(out, &[width * height], b",")?;
            out.push(b'}');
            Ok(())
        })?;
        out.extend(b"}\n");
        conversion.tell_rounding();
        notes.extend(conversion.notes);
        Ok(out)
    }

    /// Names and ids: those of the file where it has some, and of each class that it lacks, such as that of a protocol, a further number.
    fn categories(&self) -> Vec<(&'a str, String)> {
        let protocol = self.truth.protocol();
        let numbers: BTreeSet<&str> = protocol.classes().filter_map(|class| protocol.number(class)).collect();
        let are_told = numbers.len() == protocol.n_classes();
        let named = protocol.classes().map(|class| {
            let number = protocol.number(class).filter(|_| are_told);
            (protocol.class_name(class), number.map_or_else(|| (class.index() + 1).to_string(), id))
        });
        let mut all: Vec<(&str, String)> = named.collect();
        for name in self.of_image.iter().flatten().filter_map(|one| one.class.as_deref()) {
            if !all.iter().any(|(other, _)| *other == name) {
                // One of so many is free.
                let mut numbers = (1..=all.len() + 1).rev().map(|number| number.to_string());
                let free = numbers.find(|number| !all.iter().any(|(_, id)| id == number));
                all.extend(free.map(|number| (name, number)));
            }
        }
        all
    }
}

/// Writes the items of a list that was begun, each on a line, and ends it.
fn each<T>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> io::Result<()>,
) -> io::Result<()> {
    for (at, item) in items.enumerate() {
        out.extend(if at == 0 { &b"\n"[..] } else { b",\n" });
        write(out, item)?;
    }
    out.extend(b"\n]");
    Ok(())
}

/// Those of the file, or else the numbers of the images; where names are numbers themselves, the names, so that what calls images by numbers
/// means the same ones. As JSON.
fn image_ids(truth: &GroundTruth) -> Vec<String> {
    let is_number =
        |name: &str| stem(name).rsplit('/').next().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    match truth.image_ids() {
        Some(ids) => ids.into_iter().map(id).collect(),
        None if truth.images().iter().any(is_number) => truth.images().iter().map(id).collect(),
        None => (1..=truth.n_images()).map(|number| number.to_string()).collect(),
    }
}
