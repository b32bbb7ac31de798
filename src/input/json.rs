//! JSON, pulled piece by piece: the reader of a format asks for what should come next, and gets it or the sentence that says
//! what is there instead, with line and column. No value is built that nobody asked for.
//!
//! What is passed over is read as Python's `json` reads it, so that a number of 400 digits, `NaN` or half a character does no
//! harm under a key that nobody reads.

mod number;

use std::borrow::Cow;

use crate::error::Error;
use crate::geometry::{Extent, FileBox};

/// The mark that some editors put before UTF-8 text.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// What was read, or why not. The error's place is that within the value; whoever reads what is around it adds to it.
pub(super) type Read<T> = Result<T, Error>;

/// What comes next in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// `{`
    Object,
    /// `[`
    List,
    /// A quotation mark.
    Text,
    /// A minus sign or a digit.
    Number,
    /// `true`, `false` or `null`.
    Word(&'static str),
    /// The end of the text, or what begins no value of JSON.
    Nothing,
}

/// A place in a text. A clone reads on from there by itself.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    /// What is left of it.
    rest: &'a [u8],
    /// What the text should be, for a sentence about what is no JSON.
    expected: &'static str,
    /// Whether numbers written as text are read as numbers; the first of them is kept.
    reads_text: bool,
    text_number: Option<Error>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a file, which should be what `expected` says.
    ///
    /// # Errors
    /// If it is not UTF-8. Python reads text as UTF-8, too.
    pub fn new(file: &'a [u8], expected: &'static str) -> Read<Self> {
        let bytes = file.strip_prefix(BOM).unwrap_or(file);
        let bad = |at: usize, what: &str| {
            let text = String::from_utf8_lossy(&bytes[..at]);
            place(&text, true).error(what, format!("{expected} as UTF-8; save it again as UTF-8"))
        };
        if is_utf_16(bytes) {
            return Err(bad(0, "it is UTF-16 text"));
        }
        let text =
            simdutf8::compat::from_utf8(bytes).map_err(|error| bad(error.valid_up_to(), "it is not UTF-8 text"))?;
        Ok(Self { text, rest: text.as_bytes(), expected, reads_text: false, text_number: None })
    }

    /// JSON of the same structure for those who look at its keys and at what comes first in its lists: of the value that the file
    /// holds, or of those under its keys, a list keeps its first elements alone. `None` if that cannot be read, or is long even so.
    pub fn abridged(file: &'a [u8]) -> Option<String> {
        let mut json = Self::new(file, "JSON").ok()?;
        let mut short = String::new();
        match json.peek() {
            Next::List => json.copy_first_elements(&mut short)?,
            Next::Object => {
                json.advance(1);
                short.push('{');
                let mut is_open = !json.next_is(b'}');
                while is_open {
                    json.copy(&mut short, |json| json.key().map(drop))?;
                    if json.peek() == Next::List {
                        json.copy_first_elements(&mut short)?;
                        json.skip_brackets()?;
                    } else {
                        json.copy(&mut short, Self::skip)?;
                    }
                    is_open = json.goes_on(b'}').ok()?;
                    short.push_str(if is_open { "," } else { "" });
                }
                short.push('}');
            }
            _ => return None,
        }
        Some(short)
    }

    /// Passes over the list or object that comes next by its brackets alone: who reads it tells what is wrong in it.
    fn skip_brackets(&mut self) -> Option<()> {
        let (mut at, mut depth) = (0, 0_usize);
        loop {
            match self.rest.get(at)? {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                b'"' => {
                    at += 1;
                    while *self.rest.get(at)? != b'"' {
                        at += if self.rest[at] == b'\\' { 2 } else { 1 };
                    }
                }
                _ => {}
            }
            at += 1;
            if depth == 0 {
                self.advance(at);
                return Some(());
            }
        }
    }

    /// Copies what is read, up to so many bytes in all.
    fn copy(&mut self, into: &mut String, read: impl FnOnce(&mut Self) -> Read<()>) -> Option<()> {
        const MOST: usize = 1 << 20;
        let from = self.at();
        read(self).ok()?;
        if into.len() + self.at() - from > MOST {
            return None;
        }
        into.push_str(&self.text[from..self.at()]);
        Some(())
    }

    /// Copies the list that comes next without passing over it: as many elements as anybody looks at.
    fn copy_first_elements(&self, into: &mut String) -> Option<()> {
        /// More than the numbers of a box and its score, so that a list of more is none.
        const FEW: usize = 16;
        let mut json = self.clone();
        json.advance(1);
        into.push('[');
        if !json.next_is(b']') {
            for n in 0..FEW {
                into.push_str(if n == 0 { "" } else { "," });
                json.copy(into, Self::skip)?;
                if !json.goes_on(b']').ok()? {
                    break;
                }
            }
        }
        into.push(']');
        Some(())
    }

    /// The same, where numbers written as text are read as numbers; [`Self::text_number`] tells of them.
    pub const fn reading_text_numbers(mut self) -> Self {
        self.reads_text = true;
        self
    }

    /// The first number since this was last asked that is written as text, as an error.
    pub const fn text_number(&mut self) -> Option<Error> {
        self.text_number.take()
    }

    /// What comes next.
    pub fn peek(&mut self) -> Next {
        self.skip_space();
        match self.rest {
            [b'{', ..] => Next::Object,
            [b'[', ..] => Next::List,
            [b'"', ..] => Next::Text,
            [b'-', b'I', ..] => Next::Nothing,
            [b'-' | b'0'..=b'9', ..] => Next::Number,
            _ => ["true", "false", "null"]
                .into_iter()
                .find(|word| self.rest.starts_with(word.as_bytes()))
                .map_or(Next::Nothing, Next::Word),
        }
    }

    /// Whether there is nothing but white space left.
    pub fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    /// What follows the one value of a file: nothing.
    pub fn end(&mut self) -> Read<()> {
        if self.is_at_end() {
            return Ok(());
        }
        Err(self
            .here()
            .error("there is more after the end of the list", format!("{}, and nothing after it", self.expected)))
    }

    /// Whether the whole text is `{}` or `""`, which holds nothing.
    pub fn is_empty_value(&self) -> bool {
        let mut json = self.clone();
        match json.peek() {
            Next::Object => json.next_is(b'{') && json.next_is(b'}') && json.is_at_end(),
            Next::Text => json.string(false).is_ok_and(|text| text.is_empty()) && json.is_at_end(),
            _ => false,
        }
    }

    /// Whether `[]`, `{}`, `""` or `null` comes next: no detections, where an image's are.
    pub fn is_empty_image(&self) -> bool {
        let mut json = self.clone();
        match json.peek() {
            Next::List => json.next_is(b'[') && json.next_is(b']'),
            Next::Object => json.next_is(b'{') && json.next_is(b'}'),
            Next::Text => json.string(false).is_ok_and(|text| text.is_empty()),
            Next::Word(word) => word == "null",
            Next::Number | Next::Nothing => false,
        }
    }

    /// What is wrong with a text that starts with an object, where a list should be.
    #[cold]
    pub fn one_object(&mut self) -> Error {
        if let Err(error) = self.skip() {
            return error;
        }
        let is_one = self.is_at_end();
        if let (false, Err(error)) = (is_one, self.skip()) {
            return error;
        }
        let (what, fix) = if is_one {
            ("there is one object", "put [ before it and ] after it")
        } else {
            (
                "there are several objects, one after the other (JSON Lines)",
                "put [ before the first, commas between them and ] after the last",
            )
        };
        Error::new("", what, format!("{}; {fix}", self.expected))
    }

    /// A list; `element` reads the element of that number, from 1. `shape` says what should be there, `of` what an element is
    /// called in the place of an error, if it has a name.
    #[inline]
    pub fn list(
        &mut self,
        shape: &str,
        of: Option<&str>,
        mut element: impl FnMut(&mut Self, usize) -> Read<()>,
    ) -> Read<()> {
        if !self.next_is(b'[') {
            return Err(self.unexpected(shape));
        }
        let name = |n: usize, error: Error| match of {
            Some(of) => error.within(&format!("{of} {n}")),
            None => error,
        };
        if self.next_is(b']') {
            return Ok(());
        }
        let mut n = 1;
        loop {
            element(self, n).map_err(|error| name(n, error))?;
            n += 1;
            if !self.goes_on(b']').map_err(|error| name(n, error))? {
                return Ok(());
            }
        }
    }

    /// An object; `member` reads the value under that key. `shape` says what should be there.
    #[inline]
    pub fn object(&mut self, shape: &str, mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Read<()>) -> Read<()> {
        if !self.next_is(b'{') {
            return Err(self.unexpected(shape));
        }
        if self.next_is(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            member(self, key)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// A text. Half a character in it is an error.
    pub fn text(&mut self) -> Read<Cow<'a, str>> {
        if self.peek() != Next::Text {
            return Err(self.unexpected("a string"));
        }
        self.string(true)
    }

    /// A text, or a whole number as it is written: what names an image or a class.
    pub fn name(&mut self, expected: &str) -> Read<Cow<'a, str>> {
        match self.peek() {
            Next::Text => self.string(true),
            Next::Number => {
                let there = self.clone();
                let length = number::length(self.rest).map_err(|at| self.not_json(at, "a digit"))?;
                let number = &self.text[self.at()..][..length];
                self.advance(length);
                // Tables write 7.0 where a number is missing elsewhere in the column.
                let whole = number.strip_suffix(".0").unwrap_or(number);
                let is_whole = whole.strip_prefix('-').unwrap_or(whole).bytes().all(|byte| byte.is_ascii_digit());
                if is_whole { Ok(Cow::Borrowed(whole)) } else { Err(there.clone().unexpected(expected)) }
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// What `of` finds in the members of the object that comes next, each given as its key and a reader of its value, up to
    /// the first in which it finds something. Nothing where there is no object, and after what is no JSON.
    pub fn find_member<T>(&self, mut of: impl FnMut(&str, Self) -> Option<T>) -> Option<T> {
        let mut json = self.clone();
        if !json.next_is(b'{') || json.next_is(b'}') {
            return None;
        }
        loop {
            let key = json.key().ok()?;
            if let Some(found) = of(&key, json.clone()) {
                return Some(found);
            }
            json.skip().ok()?;
            if !json.goes_on(b'}').ok()? {
                return None;
            }
        }
    }

    /// The same for the elements of the list that comes next.
    pub fn find_element<T>(&self, mut of: impl FnMut(Self) -> Option<T>) -> Option<T> {
        let mut json = self.clone();
        if !json.next_is(b'[') || json.next_is(b']') {
            return None;
        }
        loop {
            if let Some(found) = of(json.clone()) {
                return Some(found);
            }
            json.skip().ok()?;
            if !json.goes_on(b']').ok()? {
                return None;
            }
        }
    }

    /// A reader of the first element of the list that comes next, if it has one.
    pub fn first_element(&self) -> Option<Self> {
        self.find_element(Some)
    }

    /// A number that is finite in `f32`, rounded correctly to `f64`.
    pub fn number(&mut self) -> Read<f64> {
        match self.peek() {
            Next::Number => self.plain_number(),
            Next::Text if self.reads_text => self.number_in_text(),
            _ => Err(self.unexpected("a number")),
        }
    }

    /// A list of exactly `N` numbers, the first four of them a box whose area is finite. `shape` is how it is written.
    #[expect(clippy::inline_always, reason = "as of each number")]
    #[inline(always)]
    pub fn numbers<const N: usize>(&mut self, shape: &'static str) -> Read<[f64; N]> {
        match self.quick_numbers() {
            Some(numbers) => Ok(numbers),
            None => self.slow_numbers(shape),
        }
    }

    /// Passes over a value and tells its five numbers, if it is a box and a score, with nothing else to complain about.
    pub fn any_box(&mut self) -> Read<Option<[f64; 5]>> {
        match self.quick_numbers() {
            Some(numbers) => Ok(Some(numbers)),
            None => self.skip().map(|()| None),
        }
    }

    /// Passes over a value of any kind, however deep.
    pub fn skip(&mut self) -> Read<()> {
        // The brackets that are open, as those that close them.
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.skip_space();
            match self.rest {
                [b'[', ..] => {
                    self.advance(1);
                    if !self.next_is(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                [b'{', ..] => {
                    self.advance(1);
                    if !self.next_is(b'}') {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                [b'"', ..] => drop(self.string(false)?),
                _ => self.skip_scalar()?,
            }
            loop {
                let Some(&close) = open.last() else { return Ok(()) };
                if self.goes_on(close)? {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    /// What is next is not what was expected: the sentence for a value of another kind, or for what is no value.
    pub fn unexpected(&mut self, expected: &str) -> Error {
        let there = match self.peek() {
            Next::Object => "an object".to_owned(),
            Next::List => "a list".to_owned(),
            Next::Word(word) => word.to_owned(),
            Next::Number => match number::length(self.rest) {
                Ok(length) => format!("the number {}", String::from_utf8_lossy(&self.rest[..length])),
                Err(at) => return self.not_json(at, "a digit"),
            },
            Next::Text => match self.string(false) {
                Ok(text) => format!("the text \"{text}\""),
                Err(error) => return error,
            },
            Next::Nothing => return self.syntax("a value"),
        };
        Error::new("", format!("there is {}", shorten(&there)), expected)
    }

    /// A place where the text itself is as it should be.
    fn here(&self) -> Place {
        place(&self.text[..self.at()], !self.rest.is_empty())
    }

    /// How many bytes were read.
    const fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn advance(&mut self, n: usize) {
        self.rest = self.rest.get(n..).unwrap_or_default();
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Passes over the byte if it comes next after white space.
    #[inline]
    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Whether another element follows the one that was read, and not the bracket.
    #[inline]
    fn goes_on(&mut self, close: u8) -> Read<bool> {
        if self.next_is(close) {
            return Ok(false);
        }
        if !self.next_is(b',') {
            return Err(self.syntax(if close == b']' { "`,` or `]`" } else { "`,` or `}`" }));
        }
        self.skip_space();
        if self.rest.first() == Some(&close) {
            let expected = format!("{}; remove the comma", self.expected);
            return Err(self.here().error("a comma stands before the closing bracket", expected));
        }
        Ok(true)
    }

    /// A key and the colon after it. Half a character in it does no harm: it is none of the keys that are read.
    #[inline]
    fn key(&mut self) -> Read<Cow<'a, str>> {
        self.skip_space();
        if self.rest.first() != Some(&b'"') {
            return Err(self.syntax("a name in quotation marks"));
        }
        let key = self.string(false)?;
        if self.next_is(b':') { Ok(key) } else { Err(self.syntax("`:`")) }
    }

    /// The text that starts with the quotation mark which comes next.
    #[inline]
    fn string(&mut self, is_strict: bool) -> Read<Cow<'a, str>> {
        let start = self.at() + 1;
        let text = self.rest.get(1..).unwrap_or_default();
        match text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            Some(length) if text[length] == b'"' => {
                self.rest = &text[length + 1..];
                Ok(Cow::Borrowed(&self.text[start..start + length]))
            }
            _ => self.string_with_escapes(is_strict).map(Cow::Owned),
        }
    }

    #[cold]
    fn string_with_escapes(&mut self, is_strict: bool) -> Read<String> {
        let mut whole = String::new();
        self.advance(1);
        loop {
            let length = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let start = self.at();
            let end = length.map_or(self.text.len(), |length| start + length);
            whole.push_str(&self.text[start..end]);
            self.advance(end - start);
            match self.rest {
                [b'"', ..] => {
                    self.advance(1);
                    return Ok(whole);
                }
                [b'\\', b'u', ..] => whole.push(self.code_point(is_strict)?),
                [b'\\', escape, ..] => {
                    let Some(letter) = unescaped(*escape) else { return Err(self.not_json(1, "an escape of JSON")) };
                    whole.push(letter);
                    self.advance(2);
                }
                [] | [b'\\'] => {
                    self.rest = &[];
                    return Err(self.syntax("`\"`"));
                }
                _ => {
                    let what = "a line ends within a text, or another control character stands there";
                    return Err(self.here().error(what, format!("{}; write it with json.dump", self.expected)));
                }
            }
        }
    }

    /// The character of `\u0041`, or of two halves.
    fn code_point(&mut self, is_strict: bool) -> Read<char> {
        let four = |text: &[u8]| {
            let digits =
                text.strip_prefix(b"\\u")?.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
        };
        let Some(first) = four(self.rest) else {
            return Err(if self.rest.len() < 6 {
                self.ends_early()
            } else {
                self.not_json(2, "four hexadecimal digits")
            });
        };
        let second = self.rest.get(6..).and_then(four).filter(|second| (0xdc00..0xe000).contains(second));
        let (code, n) = match (first, second) {
            (0xd800..0xdc00, Some(second)) => (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12),
            _ => (first, 6),
        };
        let letter = char::from_u32(code);
        if letter.is_none() && is_strict {
            let expected = format!("{}; write the names as plain UTF-8", self.expected);
            return Err(self.here().error("there is half a character, such as \\ud800", expected));
        }
        self.advance(n);
        Ok(letter.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn plain_number(&mut self) -> Read<f64> {
        let length = match number::length(self.rest) {
            Ok(length) => length,
            Err(at) => return Err(self.not_json(at, "a digit")),
        };
        // What is spelled like a number of JSON, Rust reads, too.
        let number = self.text[self.at()..][..length].parse().unwrap_or(f64::INFINITY);
        if f64::is_infinite(number) {
            self.advance(length - 1);
            let expected = format!("{} with numbers below 3.4e38", self.expected);
            return Err(self.here().error("there is a number too large for 64 bits", expected));
        }
        self.advance(length);
        fits_f32(number)
    }

    fn number_in_text(&mut self) -> Read<f64> {
        let mut before = self.clone();
        let text = self.string(false)?;
        let Some(number) = text.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
            return Err(before.unexpected("a number"));
        };
        let there = format!("there is the text \"{}\"", shorten(&text));
        self.text_number.get_or_insert_with(|| Error::new("", there, "a number, without quotation marks"));
        fits_f32(number)
    }

    #[expect(clippy::inline_always, reason = "as of each number")]
    #[inline(always)]
    fn quick_numbers<const N: usize>(&mut self) -> Option<[f64; N]> {
        let start = self.rest;
        let numbers = self.numbers_in_brackets();
        if numbers.is_none() {
            self.rest = start;
        }
        numbers
    }

    #[expect(clippy::inline_always, reason = "as of each number")]
    #[inline(always)]
    fn numbers_in_brackets<const N: usize>(&mut self) -> Option<[f64; N]> {
        let mut numbers = [0.0; N];
        for (at, number) in numbers.iter_mut().enumerate() {
            if !self.next_is(if at == 0 { b'[' } else { b',' }) {
                return None;
            }
            self.skip_space();
            (*number, self.rest) = number::quick(self.rest)?;
        }
        (self.next_is(b']') && is_box(&numbers)).then_some(numbers)
    }

    #[cold]
    fn slow_numbers<const N: usize>(&mut self, shape: &'static str) -> Read<[f64; N]> {
        let mut numbers = [0.0; N];
        let mut length = 0;
        self.list(shape, None, |json, n| {
            length = n;
            match numbers.get_mut(n - 1) {
                Some(number) => *number = json.number()?,
                None => json.skip()?,
            }
            Ok(())
        })?;
        if length != N {
            let s = if length == 1 { "" } else { "s" };
            return Err(Error::new("", format!("the box has {length} number{s}"), shape));
        }
        if !is_box(&numbers) {
            let what = "the area of the box is too large for a 32-bit number";
            return Err(Error::new("", what, "corners in pixels"));
        }
        Ok(numbers)
    }

    /// Passes over a number or a word; also over those that Python reads although JSON has none.
    fn skip_scalar(&mut self) -> Read<()> {
        const WORDS: [&[u8]; 6] = [b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity"];
        if self.peek() == Next::Number {
            let length = number::length(self.rest).map_err(|at| self.not_json(at, "a digit"))?;
            self.advance(length);
            return Ok(());
        }
        let Some(word) = WORDS.into_iter().find(|word| self.rest.starts_with(word)) else {
            return Err(self.syntax("a value"));
        };
        self.advance(word.len());
        Ok(())
    }

    /// What is wrong with the text here, and how to mend it.
    #[cold]
    fn syntax(&mut self, instead: &str) -> Error {
        self.skip_space();
        if self.rest.is_empty() {
            return self.ends_early();
        }
        let starts = |text: &str| self.rest.starts_with(text.as_bytes());
        if starts("NaN") || starts("Infinity") || starts("-Infinity") {
            self.advance(usize::from(starts("-")));
            let expected = format!("{} with finite numbers; leave such boxes out", self.expected);
            return self.here().error("there is NaN or Infinity", expected);
        }
        let (what, fix) = if starts("'") {
            ("names stand in single quotes", "write it with json.dump, not with print or str")
        } else if ["“", "”", "„", "‟", "‘", "’", "‚", "«", "»"].iter().any(|quote| starts(quote)) {
            ("names stand in typographic quotes", "write it with json.dump, or with plain quotation marks")
        } else {
            return self.not_json(0, instead);
        };
        self.here().error(what, format!("{}; {fix}", self.expected))
    }

    #[cold]
    fn not_json(&mut self, at: usize, instead: &str) -> Error {
        self.advance(at);
        if self.rest.is_empty() {
            return self.ends_early();
        }
        if self.rest.len() == self.text.len()
            && let Some((what, expected)) = super::sniff::mistake(self.rest)
        {
            return Error::new("", what, expected);
        }
        self.here().error(format!("it is not JSON (expected {instead})"), self.expected)
    }

    #[cold]
    fn ends_early(&mut self) -> Error {
        self.rest = &[];
        let expected = format!("{}; the file was cut short, so write it again", self.expected);
        self.here().error("the JSON ends in the middle", expected)
    }
}

/// A line and a column, from 1.
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn error(&self, what: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::new(format!("line {}, column {}", self.line, self.column), what, expected)
    }
}

/// The place after that text: of the byte that follows it, or of its last one if none does.
fn place(text: &str, something_follows: bool) -> Place {
    let line = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
    let column = text.len() - text.rfind('\n').map_or(0, |end| end + 1) + usize::from(something_follows);
    Place { line, column }
}

/// Whether the first four numbers are a box whose area is finite in `f32`.
fn is_box(numbers: &[f64]) -> bool {
    match *numbers {
        [x1, y1, x2, y2, ..] => (FileBox { x1, y1, x2, y2 }).rounded().area(Extent::PlusOne).is_finite(),
        _ => true,
    }
}

/// A number that is finite in `f32`, to which the official script rounds it.
fn fits_f32(number: f64) -> Read<f64> {
    if (number as f32).is_finite() {
        return Ok(number);
    }
    let what = format!("there is {number:e}, too large for a 32-bit number");
    Err(Error::new("", what, "a number below 3.4e38"))
}

/// What stands for a character after a backslash.
const fn unescaped(letter: u8) -> Option<char> {
    Some(match letter {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// Text whose characters have two bytes each; JSON starts with a character of ASCII.
fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || matches!(bytes, [a, b, ..] if (*a == 0) != (*b == 0))
}

/// Text that fits into a sentence, whatever a file holds.
pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
