//! Predictions as ChestX-Det10's script reads them: one JSON file an image, a list of entries, each an object whose keys
//! are class names and whose values are `[x1, y1, x2, y2, score]`.

mod fast;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json::{AnyBox, BOM, Numbers, Part, Place, shorten};
use super::{Contents, Format};
use crate::dataset::Detections;
use crate::error::Error;
use crate::geometry::FileBox;
use crate::limits::MAX_NAME_BYTES;
use crate::protocol::{CHESTX_DET10, Class, chestx_det10};

/// The format of the official script.
pub const FORMAT: Format = Format { name: "ChestX-Det10 predictions", extension: ".json", read };

const BOX: &str = "[x1, y1, x2, y2, score]";
const LIST: &str = "a list of entries {\"Nodule\": [x1, y1, x2, y2, score]}";

/// Reads one file into the columns. A file of 0 bytes holds no detections.
///
/// # Errors
/// If it is not such a list, naming the entry and the class.
pub fn read(bytes: &[u8], into: &mut Detections) -> Result<Contents, Error> {
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if text.is_empty() {
        return Ok(Contents::default());
    }
    match fast::read(text, into) {
        Some(both_spellings) => Ok(Contents { both_spellings, ..Contents::default() }),
        None => slow(text, into),
    }
}

/// Reads any JSON text, or says what is wrong with it.
fn slow(text: &[u8], into: &mut Detections) -> Result<Contents, Error> {
    let mut reader = Reader {
        into,
        contents: Contents::default(),
        place: Place::in_predictions(),
        entry: Vec::new(),
        name: String::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = ListSeed(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => {
            reader.contents.text_number = reader.place.text_number();
            Ok(reader.contents)
        }
        Err(error) => Err(reader.place.error("entry", LIST, text, &error)),
    }
}

struct Reader<'a> {
    into: &'a mut Detections,
    contents: Contents,
    place: Place,
    /// The boxes of the current entry.
    entry: Vec<(Key, [f64; 5])>,
    /// The last name that is not read.
    name: String,
}

/// A class name as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    class: Class,
    is_official: bool,
}

impl Key {
    fn named(name: &[u8]) -> Option<Self> {
        if let Some(class) = chestx_det10(name) {
            return Some(Self { class, is_official: true });
        }
        let is_lower = |class: &str| {
            class.len() == name.len() && class.bytes().zip(name).all(|(a, b)| a.to_ascii_lowercase() == *b)
        };
        let class = CHESTX_DET10.iter().position(|class| is_lower(class)).map(Class::at)?;
        Some(Self { class, is_official: false })
    }
}

impl Reader<'_> {
    /// A key that stands twice counts once, with its last value, as in Python.
    fn keep(&mut self, key: Key, numbers: [f64; 5]) {
        match self.entry.iter_mut().find(|(other, _)| *other == key) {
            Some((_, value)) => *value = numbers,
            None => self.entry.push((key, numbers)),
        }
    }

    /// Counts a box under a name that is not read.
    fn pass_over(&mut self, name: &str) {
        match &mut self.contents.unread {
            Some((_, count)) => *count += 1,
            None => self.contents.unread = Some((shorten(name), 1)),
        }
        self.name.clear();
        // No class has a name of this length; keeping it would let one file fill the memory.
        self.name.push_str(name.get(..MAX_NAME_BYTES).unwrap_or(name));
    }

    fn end_entry<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.make_room(self.entry.len())?;
        let both = push_entry(&self.entry, self.into);
        self.contents.both_spellings += u32::from(both);
        self.entry.clear();
        Ok(())
    }

    fn make_room<E: serde::de::Error>(&mut self, n: usize) -> Result<(), E> {
        self.into.reserve(n).map_err(|_| self.place.fail_as(Error::out_of_memory("")))
    }
}

/// Appends the boxes of an entry and tells whether it holds a class in both spellings, of which the official one is read.
fn push_entry(entry: &[(Key, [f64; 5])], into: &mut Detections) -> bool {
    let mut both = false;
    for &(key, [x1, y1, x2, y2, score]) in entry {
        if !key.is_official && entry.iter().any(|(other, _)| other.is_official && other.class == key.class) {
            both = true;
            continue;
        }
        into.push(key.class, FileBox { x1, y1, x2, y2 }, score);
    }
    both
}

struct ListSeed<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LIST)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            self.0.place.record += 1;
            self.0.place.part = Part::Whole;
            if list.next_element_seed(EntrySeed(self.0))?.is_none() {
                return Ok(());
            }
        }
    }
}

struct EntrySeed<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object {\"Nodule\": [x1, y1, x2, y2, score]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entry: A) -> Result<(), A::Error> {
        while let Some(key) = entry.next_key_seed(KeySeed(self.0))? {
            if let Some(key) = key {
                let place = &mut self.0.place;
                place.part = Part::Named(CHESTX_DET10.get(key.class.index()).copied().unwrap_or_default());
                let numbers = entry.next_value_seed(Numbers::<5> { place, shape: BOX })?;
                self.0.keep(key, numbers);
            } else {
                let numbers = entry.next_value_seed(AnyBox)?;
                let reader = &mut *self.0;
                if let Some([x1, y1, x2, y2, score]) = numbers {
                    reader.make_room(1)?;
                    reader.into.push_named(&reader.name, FileBox { x1, y1, x2, y2 }, score);
                }
            }
        }
        self.0.end_entry()
    }
}

/// Reads a key without keeping its text; `None` for a name that is not read.
struct KeySeed<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Option<Key>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Key>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = Option<Key>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a class name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<Key>, E> {
        let key = Key::named(name.as_bytes());
        if key.is_none() {
            self.0.pass_over(name);
        }
        Ok(key)
    }
}
