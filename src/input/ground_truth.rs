//! The ground truth of ChestX-Det10: a list of `{"file_name", "syms", "boxes"}`, box k of class `syms[k]`.

mod fast;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::{BOM, Numbers, Part, Place, shorten};
use crate::dataset::{GroundTruth, Lesion};
use crate::error::{Error, ErrorKind};
use crate::geometry::FileBox;
use crate::limits::{MAX_FILES, MAX_LESIONS_OF_IMAGE};
use crate::notice::{NoticeCode, Notices};
use crate::protocol::{Class, Protocol, chestx_det10};
use crate::texts::Texts;

const LIST: &str = "a list of {\"file_name\", \"syms\", \"boxes\"}";
const RECORD: &str = "an object {\"file_name\": \"1.png\", \"syms\": [\"Nodule\"], \"boxes\": [[x1, y1, x2, y2]]}";
const BOX: &str = "[x1, y1, x2, y2]";

/// Reads the ground truth. `name` is the file's base name.
///
/// # Errors
/// If it is not such a list, naming the record; and as [`GroundTruth::new`].
pub fn read(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if let Some(mut read) = fast::read(text) {
        read.images.shrink();
        return GroundTruth::new(
            name,
            super::sha256(bytes),
            Protocol::default(),
            read.images,
            &read.lesions,
            Notices::default(),
        );
    }
    slow(name, bytes, text)
}

/// Reads any JSON text, or says what is wrong with it.
fn slow(name: &str, bytes: &[u8], text: &[u8]) -> Result<GroundTruth, Error> {
    let mut reader = Reader::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = ListSeed(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    if let Err(error) = read {
        return Err(reader.place.error("record", LIST, text, &error).within(name));
    }
    GroundTruth::new(name, super::sha256(bytes), Protocol::default(), reader.images, &reader.lesions, reader.notices)
}

#[derive(Default)]
struct Reader {
    images: Texts,
    lesions: Vec<Lesion>,
    notices: Notices,
    place: Place,
}

/// What one record holds.
#[derive(Default)]
struct Record {
    file_name: Option<String>,
    syms: Option<Vec<Sym>>,
    boxes: Option<Vec<FileBox>>,
}

/// A class by its name, or a name that is none.
enum Sym {
    Class(Class),
    Other(String),
}

/// The keys of a record.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    FileName,
    Syms,
    Boxes,
    #[serde(other)]
    Other,
}

impl Reader {
    /// Checks a record and keeps it.
    fn keep<E: serde::de::Error>(&mut self, record: Record) -> Result<(), E> {
        self.place.part = Part::Whole;
        let Some(file_name) = record.file_name else {
            return Err(self.place.fail("it has no \"file_name\"", RECORD));
        };
        self.keep_named(&file_name, record.syms, record.boxes).inspect_err(|_| {
            self.place.part = Part::Of(file_name.clone());
        })?;
        self.images.push(&file_name);
        Ok(())
    }

    /// The same for a record with a name.
    fn keep_named<E: serde::de::Error>(
        &mut self,
        file_name: &str,
        syms: Option<Vec<Sym>>,
        boxes: Option<Vec<FileBox>>,
    ) -> Result<(), E> {
        let Some(syms) = syms else {
            return Err(self.place.fail("it has no \"syms\"", RECORD));
        };
        let Some(boxes) = boxes else {
            return Err(self.place.fail("it has no \"boxes\"", RECORD));
        };
        if syms.len() != boxes.len() {
            let what = format!("it has {} syms and {} boxes", syms.len(), boxes.len());
            return Err(self.place.fail(what, "as many syms as boxes, box k of class syms[k]"));
        }
        if self.images.len() == MAX_FILES {
            return Err(self.place.fail(format!("there are more than {MAX_FILES} images"), "fewer"));
        }
        if !self.images.has_room(file_name.len()) || self.lesions.try_reserve(boxes.len()).is_err() {
            let what = "with it the lesions do not fit into the memory that there is";
            let expected = "a shorter list; close other programs, or use froc in the terminal";
            return Err(self.place.fail_as(Error::new("", what, expected).of_kind(ErrorKind::OutOfMemory)));
        }
        let image = self.images.len() as u32;
        for (sym, bbox) in syms.iter().zip(boxes) {
            match sym {
                Sym::Class(class) => self.lesions.push(Lesion { image, class: *class, bbox }),
                Sym::Other(name) => self.notices.add(NoticeCode::UnknownLesionClass, 1, || {
                    format!("\"{}\" in {}", shorten(name), shorten(file_name))
                }),
            }
        }
        let without_png = usize::from(file_name.strip_suffix(".png").is_none() && !file_name.contains(".png"));
        self.notices.add(NoticeCode::ImageNameWithoutPng, without_png, || shorten(file_name));
        Ok(())
    }
}

struct ListSeed<'a>(&'a mut Reader);

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LIST)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            self.0.place.record += 1;
            self.0.place.part = Part::Whole;
            if list.next_element_seed(RecordSeed(self.0))?.is_none() {
                return Ok(());
            }
        }
    }
}

struct RecordSeed<'a>(&'a mut Reader);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RECORD)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut record = Record::default();
        while let Some(key) = map.next_key()? {
            let place = &mut self.0.place;
            match key {
                Key::FileName => {
                    place.part = Part::Named("file_name");
                    record.file_name = Some(map.next_value()?);
                }
                Key::Syms => {
                    place.part = Part::Named("syms");
                    record.syms = Some(map.next_value_seed(SymsSeed(place))?);
                }
                Key::Boxes => record.boxes = Some(map.next_value_seed(BoxesSeed(place))?),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.keep(record)
    }
}

fn too_many<E: serde::de::Error>(place: &mut Place) -> E {
    place.fail(format!("the image has more than {MAX_LESIONS_OF_IMAGE} lesions"), "the lesions of one image")
}

struct SymsSeed<'a>(&'a mut Place);

impl<'de> DeserializeSeed<'de> for SymsSeed<'_> {
    type Value = Vec<Sym>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Sym>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for SymsSeed<'_> {
    type Value = Vec<Sym>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of class names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Sym>, A::Error> {
        let mut syms = Vec::new();
        while let Some(sym) = list.next_element()? {
            if syms.len() == MAX_LESIONS_OF_IMAGE {
                return Err(too_many(self.0));
            }
            syms.push(sym);
        }
        Ok(syms)
    }
}

impl<'de> Deserialize<'de> for Sym {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SymVisitor)
    }
}

/// Reads a name without keeping it where it is a class.
struct SymVisitor;

impl Visitor<'_> for SymVisitor {
    type Value = Sym;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Sym, E> {
        Ok(chestx_det10(name.as_bytes()).map_or_else(|| Sym::Other(name.to_owned()), Sym::Class))
    }
}

struct BoxesSeed<'a>(&'a mut Place);

impl<'de> DeserializeSeed<'de> for BoxesSeed<'_> {
    type Value = Vec<FileBox>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<FileBox>, D::Error> {
        self.0.part = Part::Named("boxes");
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for BoxesSeed<'_> {
    type Value = Vec<FileBox>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of boxes [x1, y1, x2, y2]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<FileBox>, A::Error> {
        let mut boxes = Vec::new();
        loop {
            self.0.part = Part::Box(boxes.len() + 1);
            match list.next_element_seed(Numbers::<4> { place: self.0, shape: BOX })? {
                Some(_) if boxes.len() == MAX_LESIONS_OF_IMAGE => return Err(too_many(self.0)),
                Some([x1, y1, x2, y2]) => boxes.push(FileBox { x1, y1, x2, y2 }),
                None => return Ok(boxes),
            }
        }
    }
}
