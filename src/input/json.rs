//! What both JSON readers share: numbers, boxes, and errors that name the record.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::Error;
use crate::geometry::{Extent, FileBox};

/// The mark that some editors put before UTF-8 text.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// What is being read in a record.
#[derive(Debug, Default)]
pub(super) enum Part {
    /// All of it.
    #[default]
    Whole,
    /// A key or a class.
    Named(&'static str),
    /// A box, numbered from 1.
    Box(usize),
    /// The record itself, by its file name.
    Of(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Named(name) => f.write_str(name),
            Self::Box(n) => write!(f, "box {n}"),
            Self::Of(name) => write!(f, "\"{}\"", shorten(name)),
        }
    }
}

/// Where a reader is, and what it found wrong there: serde's own errors know only line and column.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Number of the record in the list, from 1; 0 before the first.
    pub record: usize,
    /// What is being read in it.
    pub part: Part,
    /// What is there, and what was expected.
    problem: Option<Error>,
    /// Numbers written as text are read; `text_number` says where the first one is.
    reads_text: bool,
    text_number: Option<Error>,
}

impl Place {
    /// A place in predictions, where numbers written as text are read, and told.
    pub fn in_predictions() -> Self {
        Self { reads_text: true, ..Self::default() }
    }

    /// Ends reading with a problem found here.
    pub fn fail<E: serde::de::Error>(&mut self, what: impl Into<String>, expected: impl Into<String>) -> E {
        self.fail_as(Error::new("", what, expected))
    }

    /// Ends reading with an error found here.
    pub fn fail_as<E: serde::de::Error>(&mut self, error: Error) -> E {
        self.problem = Some(error);
        E::custom("see Place")
    }

    /// The record and the part in it, where `record` is what a record is called.
    fn describe(&self, record: &str) -> String {
        match (self.record, self.part.to_string().as_str()) {
            (0, _) => String::new(),
            (n, "") => format!("{record} {n}"),
            (n, part) => format!("{record} {n}, {part}"),
        }
    }

    /// The first number that is written as text, as an error.
    pub fn text_number(&mut self) -> Option<Error> {
        self.text_number.take()
    }

    /// The sentence for an error of `serde_json` that ended reading here.
    pub fn error(self, record: &str, expected: &str, bytes: &[u8], error: &serde_json::Error) -> Error {
        let place = self.describe(record);
        if let Some(error) = self.problem {
            return error.at(place);
        }
        if error.is_data() {
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
            if self.record == 0 && message.starts_with("invalid type: map") {
                return match objects(bytes) {
                    Ok((what, fix)) => Error::new(place, what, format!("{expected}; {fix}")),
                    Err(error) => not_json(&place, expected, bytes, &error),
                };
            }
            // serde's own form, for a value of another type.
            if let Some((there, expected)) =
                message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
            {
                return Error::new(place, format!("there is {}", in_words(there)), expected);
            }
            return Error::new(place, message, expected);
        }
        not_json(&place, expected, bytes, error)
    }
}

/// The sentence for text that is no JSON.
fn not_json(place: &str, expected: &str, bytes: &[u8], error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
    let (what, fix) = syntax(bytes, error, message);
    let at = Error::new(format!("line {}, column {}", error.line(), error.column()), what, format!("{expected}{fix}"));
    if place.is_empty() { at } else { at.within(place) }
}

/// What is wrong with the text itself, and how to mend it.
fn syntax(bytes: &[u8], error: &serde_json::Error, message: &str) -> (String, &'static str) {
    if error.is_eof() {
        return ("the JSON ends in the middle".into(), "; the file was cut short, so write it again");
    }
    if is_utf_16(bytes) {
        return ("it is UTF-16 text".into(), " as UTF-8; save it again as UTF-8");
    }
    let line = bytes.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let from = error.column().saturating_sub(2).min(line.len());
    let near = &line[from..line.len().min(from + 12)];
    if ["NaN", "Infinity"].iter().any(|word| near.windows(word.len()).any(|text| text == word.as_bytes())) {
        return ("there is NaN or Infinity".into(), " with finite numbers; leave such boxes out");
    }
    let (what, fix) = match message {
        "trailing comma" => ("a comma stands before the closing bracket", "; remove the comma"),
        "trailing characters" => ("there is more after the end of the list", ", and nothing after it"),
        "recursion limit exceeded" => ("lists or objects are nested more than 127 deep", ""),
        "number out of range" => ("there is a number too large for 64 bits", " with numbers below 3.4e38"),
        "invalid unicode code point" => ("it is not UTF-8 text", " as UTF-8; save it again as UTF-8"),
        "key must be a string" | "expected value" if quote(line, error) => {
            ("names stand in single quotes", "; write it with json.dump, not with print or str")
        }
        _ if message.contains("surrogate") || message.contains("hex escape") => {
            ("there is half a character, such as \\ud800", "; write the names as plain UTF-8")
        }
        _ => return (format!("it is not JSON ({message})"), ""),
    };
    (what.into(), fix)
}

/// Whether a single quote stands where the error is: Python's own way to print a dictionary.
fn quote(line: &[u8], error: &serde_json::Error) -> bool {
    line.get(error.column().saturating_sub(1)) == Some(&b'\'')
        || error.column().checked_sub(2).and_then(|at| line.get(at)) == Some(&b'\'')
}

/// Text whose characters have two bytes each; JSON starts with a character of ASCII.
fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || matches!(bytes, [a, b, ..] if (*a == 0) != (*b == 0))
}

/// What a text is that starts with an object and not with a list, and how to mend it.
///
/// # Errors
/// If the object, or what follows it, is no JSON.
fn objects(bytes: &[u8]) -> Result<(&'static str, &'static str), serde_json::Error> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next().transpose()?;
    Ok(match values.next().transpose()? {
        Some(_) => (
            "there are several objects, one after the other (JSON Lines)",
            "put [ before the first, commas between them and ] after the last",
        ),
        None => ("there is one object", "put [ before it and ] after it"),
    })
}

/// serde's name of a value, for people.
fn in_words(there: &str) -> String {
    match there {
        "map" => "an object".into(),
        "sequence" => "a list".into(),
        "null" => "null".into(),
        _ => {
            let text = there
                .strip_prefix("string ")
                .map(|text| format!("the text {text}"))
                .or_else(|| there.strip_prefix("integer ").map(|n| format!("the number {}", n.trim_matches('`'))))
                .or_else(|| {
                    there.strip_prefix("floating point ").map(|n| format!("the number {}", n.trim_matches('`')))
                })
                .or_else(|| there.strip_prefix("boolean ").map(|b| b.trim_matches('`').to_owned()));
            shorten(&text.unwrap_or_else(|| there.to_owned()))
        }
    }
}

/// Text that fits into a sentence, whatever a file holds.
pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// A number, rounded correctly; it is finite as `f32`, too, which the official script rounds it to next.
pub(super) struct Number<'a>(pub &'a mut Place);

impl<'de> DeserializeSeed<'de> for Number<'_> {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        // Not `deserialize_f64`, which does not ask the visitor about text.
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Number<'_> {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<f64, E> {
        if (value as f32).is_finite() {
            return Ok(value);
        }
        Err(self.0.fail(format!("there is {value:e}, too large for a 32-bit number"), "a number below 3.4e38"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<f64, E> {
        let number = text.trim().parse::<f64>().ok().filter(|number| self.0.reads_text && number.is_finite());
        let Some(number) = number else {
            return Err(E::invalid_type(serde::de::Unexpected::Str(text), &self));
        };
        if self.0.text_number.is_none() {
            let there = format!("there is the text \"{}\"", shorten(text));
            self.0.text_number = Some(Error::new(self.0.describe("entry"), there, "a number, without quotation marks"));
        }
        self.visit_f64(number)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }
}

/// A list of exactly `N` numbers, the first four of them a box.
pub(super) struct Numbers<'a, const N: usize> {
    pub place: &'a mut Place,
    /// The list as the specification writes it.
    pub shape: &'static str,
}

impl<'de, const N: usize> DeserializeSeed<'de> for Numbers<'_, N> {
    type Value = [f64; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<[f64; N], D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Numbers<'_, N> {
    type Value = [f64; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shape)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<[f64; N], A::Error> {
        let mut numbers = [0.0; N];
        for (at, number) in numbers.iter_mut().enumerate() {
            match list.next_element_seed(Number(self.place))? {
                Some(value) => *number = value,
                None => return Err(self.wrong_length(at)),
            }
        }
        let mut length = N;
        while list.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        if length > N {
            return Err(self.wrong_length(length));
        }
        let [x1, y1, x2, y2, ..] = numbers[..] else {
            return Err(A::Error::custom("a box has four numbers at least"));
        };
        if !(FileBox { x1, y1, x2, y2 }).rounded().area(Extent::PlusOne).is_finite() {
            return Err(self.place.fail("the area of the box is too large for a 32-bit number", "corners in pixels"));
        }
        Ok(numbers)
    }
}

impl<const N: usize> Numbers<'_, N> {
    fn wrong_length<E: serde::de::Error>(self, length: usize) -> E {
        let s = if length == 1 { "" } else { "s" };
        self.place.fail(format!("the box has {length} number{s}"), self.shape)
    }
}

/// A value of any kind: the five numbers of a box if it is one, with nothing else to complain about.
pub(super) struct AnyBox;

impl<'de> DeserializeSeed<'de> for AnyBox {
    type Value = Option<[f64; 5]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let Loose::List(numbers) = Loose::deserialize(deserializer)? else { return Ok(None) };
        let numbers: Option<Vec<f64>> = numbers.into_iter().collect();
        let Some([x1, y1, x2, y2, score]) = numbers.and_then(|numbers| <[f64; 5]>::try_from(numbers).ok()) else {
            return Ok(None);
        };
        Ok((FileBox { x1, y1, x2, y2 }).rounded().area(Extent::PlusOne).is_finite().then_some([x1, y1, x2, y2, score]))
    }
}

/// A value of which only numbers, and lists of them, are kept.
enum Loose {
    Number(f64),
    /// At most six elements: a box has five.
    List(Vec<Option<f64>>),
    Other,
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
        Ok(if (value as f32).is_finite() { Loose::Number(value) } else { Loose::Other })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Loose, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Loose, E> {
        self.visit_f64(value as f64)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        let mut numbers = Vec::new();
        while let Some(value) = list.next_element::<Loose>()? {
            if numbers.len() < 6 {
                numbers.push(match value {
                    Loose::Number(number) => Some(number),
                    _ => None,
                });
            }
        }
        Ok(Loose::List(numbers))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}
