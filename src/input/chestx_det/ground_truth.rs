//! The ground truth of ChestX-Det10: a list of `{"file_name", "syms", "boxes"}`, box k of class `syms[k]`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::dataset::{GroundTruth, Lesion};
use crate::error::{Error, ErrorKind};
use crate::finding::{Findings, IMAGE_NAME_WITHOUT_PNG, OTHER_CLASSES, UNKNOWN_LESION_CLASS};
use crate::geometry::FileBox;
use crate::input::json::{Next, Read, Reader, shorten};
use crate::input::{CORRECTIONS_KEY, GroundTruthFormat, count, kept, sha256};
use crate::limits::{MAX_FILES, MAX_LESIONS_OF_IMAGE};
use crate::protocol::{CHESTX_DET10, Class, MAX_CLASSES, Protocol, chestx_det10};
use crate::texts::Texts;

const LIST: &str = "a list of {\"file_name\", \"syms\", \"boxes\"}";
const RECORD: &str = "an object {\"file_name\": \"1.png\", \"syms\": [\"Nodule\"], \"boxes\": [[x1, y1, x2, y2]]}";
const BOX: &str = "[x1, y1, x2, y2]";

/// The format.
pub const FORMAT: GroundTruthFormat =
    GroundTruthFormat { name: "ChestX-Det", endings: &[".json"], sniff: is_list_of_records, read };

/// Whether the first record has a name and classes.
fn is_list_of_records(bytes: &[u8]) -> bool {
    let Some(record) = Reader::new(bytes, LIST).ok().and_then(|json| json.first_element()) else { return false };
    let has = |wanted: &str| record.find_member(|key, _| (key == wanted).then_some(())).is_some();
    has("file_name") && has("syms")
}

/// Reads the ground truth. `name` is the file's base name.
///
/// # Errors
/// If it is not such a list, naming the record; and as [`GroundTruth::new`].
pub fn read(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let mut all = Records::default();
    all.read(bytes).map_err(|error| error.within(name))?;
    all.images.shrink();
    let protocol = all.settle(name);
    let truth = GroundTruth::new(name, sha256(bytes), protocol, all.images, &all.lesions, all.findings.finish())?;
    Ok(truth.with_corrections(all.corrections))
}

#[derive(Default)]
struct Records {
    images: Texts,
    /// Each of a class by its place among the ten and then among `others`.
    lesions: Vec<Lesion>,
    /// The other class names, and the image in which each is seen first.
    others: Vec<(String, u32)>,
    place_of_other: BTreeMap<String, usize>,
    findings: Findings,
    /// As [`GroundTruth::with_corrections`] takes them.
    corrections: Vec<(u32, usize)>,
}

/// What one record holds.
#[derive(Default)]
struct Record<'a> {
    file_name: Option<Cow<'a, str>>,
    syms: Option<Vec<Cow<'a, str>>>,
    boxes: Option<Vec<FileBox>>,
    n_corrections: usize,
}

impl Records {
    fn read(&mut self, bytes: &[u8]) -> Read<()> {
        let mut json = Reader::new(bytes, LIST)?;
        if json.peek() == Next::Object {
            return Err(json.one_object());
        }
        json.list(LIST, Some("record"), |json, _| self.keep(Record::read(json)?))?;
        json.end()
    }

    /// Checks a record and keeps it.
    fn keep(&mut self, record: Record<'_>) -> Read<()> {
        let Some(file_name) = &record.file_name else {
            return Err(Error::new("", "it has no \"file_name\"", RECORD));
        };
        let place = || format!("\"{}\"", shorten(file_name));
        self.corrections.extend((record.n_corrections > 0).then_some((self.images.len() as u32, record.n_corrections)));
        self.keep_named(file_name, record.syms, record.boxes).map_err(|error| error.within(&place()))
    }

    /// The same for a record with a name.
    fn keep_named(
        &mut self,
        file_name: &str,
        syms: Option<Vec<Cow<'_, str>>>,
        boxes: Option<Vec<FileBox>>,
    ) -> Read<()> {
        let wrong = |what: &str, expected: &str| Err(Error::new("", what, expected));
        let Some(syms) = syms else { return wrong("it has no \"syms\"", RECORD) };
        let Some(boxes) = boxes else { return wrong("it has no \"boxes\"", RECORD) };
        if syms.len() != boxes.len() {
            let what = format!("it has {} syms and {} boxes", syms.len(), boxes.len());
            return wrong(&what, "as many syms as boxes, box k of class syms[k]");
        }
        if self.images.len() == MAX_FILES {
            return wrong(&format!("there are more than {MAX_FILES} images"), "fewer");
        }
        if !self.images.has_room(file_name.len()) || self.lesions.try_reserve(boxes.len()).is_err() {
            let what = "with it the lesions do not fit into the memory that there is";
            let expected = "a shorter list; close other programs, or use froc in the terminal";
            return Err(Error::new("", what, expected).of_kind(ErrorKind::OutOfMemory));
        }
        let image = self.images.len() as u32;
        for (sym, bbox) in syms.iter().zip(boxes) {
            let class = match chestx_det10(sym.as_bytes()) {
                Some(class) => class,
                None => self.other(kept(sym), image)?,
            };
            self.lesions.push(Lesion { image, class, bbox });
        }
        let without_png = usize::from(!file_name.contains(".png"));
        self.findings.add(&IMAGE_NAME_WITHOUT_PNG, without_png, Some(image), || shorten(file_name));
        self.images.push(file_name);
        Ok(())
    }

    /// The class of a name that is none of the ten.
    fn other(&mut self, name: &str, image: u32) -> Read<Class> {
        let n = self.others.len();
        let place = match self.place_of_other.get(name) {
            Some(place) => *place,
            None if CHESTX_DET10.len() + n >= MAX_CLASSES => {
                return Err(Error::new("", format!("there are more than {MAX_CLASSES} classes"), "fewer"));
            }
            None => {
                self.place_of_other.insert(name.to_owned(), n);
                self.others.push((name.to_owned(), image));
                n
            }
        };
        Ok(Class::at(CHESTX_DET10.len() + place))
    }

    /// Settles whose evaluation it is. Names that are the ten but for case are mistakes, and left out as the script leaves them
    /// out; any other name makes it a dataset of its own, whose classes are ordered by falling number of lesions, and by name.
    fn settle(&mut self, name: &str) -> Protocol {
        let is_mistake = |name: &str| CHESTX_DET10.iter().any(|class| class.eq_ignore_ascii_case(name));
        let n_named = CHESTX_DET10.len();
        if self.others.iter().all(|(name, _)| is_mistake(name)) {
            let (images, others, findings) = (&self.images, &self.others, &mut self.findings);
            self.lesions.retain(|lesion| {
                let Some((name, _)) = lesion.class.index().checked_sub(n_named).and_then(|at| others.get(at)) else {
                    return true;
                };
                findings.add(&UNKNOWN_LESION_CLASS, 1, Some(lesion.image), || {
                    format!("\"{}\" in {}", shorten(name), shorten(&images[lesion.image as usize]))
                });
                false
            });
            return Protocol::default();
        }
        let names = CHESTX_DET10.iter().copied().chain(self.others.iter().map(|(name, _)| name.as_str()));
        let mut classes: Vec<(Reverse<usize>, &str, usize)> =
            names.enumerate().map(|(at, name)| (Reverse(0), name, at)).collect();
        for lesion in &self.lesions {
            classes[lesion.class.index()].0.0 += 1;
        }
        classes.retain(|(n, ..)| n.0 > 0);
        classes.sort_unstable();
        let mut new_place = vec![0; n_named + self.others.len()];
        for (place, (.., before)) in classes.iter().enumerate() {
            new_place[*before] = place;
        }
        for lesion in &mut self.lesions {
            lesion.class = Class::at(new_place[lesion.class.index()]);
        }
        // Images of other endings have prediction files, too.
        self.findings = Findings::default();
        let foreign = self.others.iter().filter(|(name, _)| !is_mistake(name));
        for (name, image) in foreign {
            self.findings.add(&OTHER_CLASSES, 1, None, || {
                format!("\"{}\" in {}", shorten(name), shorten(&self.images[*image as usize]))
            });
        }
        Protocol::new(name, classes.into_iter().map(|(_, name, _)| name.to_owned()).collect())
    }
}

impl<'a> Record<'a> {
    /// Of a key that stands twice the last value counts, as in Python.
    fn read(json: &mut Reader<'a>) -> Read<Self> {
        let mut record = Self::default();
        json.object(RECORD, |json, key| {
            match &*key {
                "file_name" => record.file_name = Some(json.text().map_err(|error| error.within(&key))?),
                "syms" => record.syms = Some(syms(json).map_err(|error| error.within(&key))?),
                "boxes" if json.peek() == Next::List => record.boxes = Some(boxes(json)?),
                "boxes" => return Err(json.unexpected("a list of boxes [x1, y1, x2, y2]").within(&key)),
                CORRECTIONS_KEY if json.peek() == Next::Number => record.n_corrections = count(json.number()?),
                _ => json.skip()?,
            }
            Ok(())
        })?;
        Ok(record)
    }
}

fn syms<'a>(json: &mut Reader<'a>) -> Read<Vec<Cow<'a, str>>> {
    let mut syms = Vec::new();
    json.list("a list of class names", None, |json, n| {
        let sym = json.text()?;
        room_for(n)?;
        syms.push(sym);
        Ok(())
    })?;
    Ok(syms)
}

fn boxes(json: &mut Reader<'_>) -> Read<Vec<FileBox>> {
    let mut boxes = Vec::new();
    json.list("", Some("box"), |json, n| {
        let [x1, y1, x2, y2] = json.numbers(BOX)?;
        room_for(n)?;
        boxes.push(FileBox { x1, y1, x2, y2 });
        Ok(())
    })?;
    Ok(boxes)
}

/// # Errors
/// If an image has so many lesions.
fn room_for(n: usize) -> Read<()> {
    if n <= MAX_LESIONS_OF_IMAGE {
        return Ok(());
    }
    let what = format!("the image has more than {MAX_LESIONS_OF_IMAGE} lesions");
    Err(Error::new("", what, "the lesions of one image"))
}
