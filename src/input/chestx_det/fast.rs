//! The one shape that almost every prediction file has, read at once from bytes to columns.
//!
//! It knows JSON only as far as that shape goes, and gives up on anything else: then `serde_json` reads the file from its
//! start, with the same result or with the sentence that says what is wrong. In Chromium it takes a third of the time.

use super::{Key, push_entry};
use crate::dataset::Detections;
use crate::geometry::{BBox, Extent};

/// Reads a list of objects from class names to five numbers, and says how many of them hold a class in both spellings;
/// `None`, and nothing read, if there is anything else in the text.
pub(super) fn read(text: &[u8], into: &mut Detections) -> Option<u32> {
    let first = into.len();
    let read = Reader { rest: text }.list(into);
    if read.is_none() {
        into.truncate(first);
    }
    read
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn list(mut self, into: &mut Detections) -> Option<u32> {
        let mut entry = Vec::new();
        let mut n_both = 0;
        self.expect(b'[')?;
        if !self.next_is(b']') {
            loop {
                entry.clear();
                self.entry(&mut entry)?;
                into.reserve(entry.len()).ok()?;
                n_both += u32::from(push_entry(&entry, into));
                if !self.next_is(b',') {
                    break;
                }
            }
            self.expect(b']')?;
        }
        self.skip_space();
        self.rest.is_empty().then_some(n_both)
    }

    fn entry(&mut self, entry: &mut Vec<(Key, [f32; 5])>) -> Option<()> {
        self.expect(b'{')?;
        if self.next_is(b'}') {
            return Some(());
        }
        loop {
            let key = self.key()?;
            self.expect(b':')?;
            let numbers = self.numbers()?;
            if entry.iter().any(|(other, _)| *other == key) {
                return None;
            }
            entry.push((key, numbers));
            if !self.next_is(b',') {
                return self.expect(b'}');
            }
        }
    }

    fn key(&mut self) -> Option<Key> {
        /// The longest class name, and its closing quotation mark.
        const LONGEST: usize = 14;
        self.expect(b'"')?;
        let length = self.rest.iter().take(LONGEST).position(|byte| *byte == b'"')?;
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest.get(1..)?;
        // A class name has no escape in it.
        Key::named(name)
    }

    fn numbers(&mut self) -> Option<[f32; 5]> {
        let mut numbers = [0.0; 5];
        self.expect(b'[')?;
        for (at, number) in numbers.iter_mut().enumerate() {
            if at > 0 {
                self.expect(b',')?;
            }
            self.skip_space();
            *number = self.number()?;
        }
        self.expect(b']')?;
        let [x1, y1, x2, y2, _] = numbers;
        (BBox { x1, y1, x2, y2 }).area(Extent::PlusOne).is_finite().then_some(numbers)
    }

    /// A number of JSON as `f32`: rounded correctly to `f64` first, then to the nearest `f32`, as NumPy does.
    fn number(&mut self) -> Option<f32> {
        let start = self.rest;
        let is_negative = self.byte_is(b'-');
        let mut digits = Digits::default();
        let leads_with_zero = self.rest.first() == Some(&b'0');
        self.rest = digits.read(self.rest);
        if digits.n == 0 || (leads_with_zero && digits.n > 1) {
            return None;
        }
        let mut exponent = 0_i32;
        if self.byte_is(b'.') {
            let before = digits.n;
            self.rest = digits.read(self.rest);
            exponent = i32::try_from(before).ok()? - i32::try_from(digits.n).ok()?;
            if exponent == 0 {
                return None;
            }
        }
        if self.byte_is(b'e') || self.byte_is(b'E') {
            let falls = self.byte_is(b'-');
            if !falls {
                self.byte_is(b'+');
            }
            let mut power = Digits::default();
            self.rest = power.read(self.rest);
            // Enough for every number that is not 0 or infinite.
            if power.n == 0 || power.n > 4 {
                return None;
            }
            let power = power.value as i32;
            exponent += if falls { -power } else { power };
        }
        let text = &start[..start.len() - self.rest.len()];
        let number = digits.times_power_of_ten(exponent).map_or_else(
            || Some(str::from_utf8(text).ok()?.parse::<f64>().ok()? as f32),
            |number| Some(if is_negative { -number } else { number }),
        )?;
        number.is_finite().then_some(number)
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then_some(())
    }

    /// Passes over the byte if it comes next after white space.
    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.byte_is(byte)
    }

    /// Passes over the byte if it comes next.
    fn byte_is(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// Decimal digits, as a whole number.
#[derive(Default)]
struct Digits {
    /// Their value if there are at most [`Digits::MOST`].
    value: u64,
    n: usize,
}

/// Powers of ten that are exact in `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

impl Digits {
    /// So many digits always fit into 64 bits.
    const MOST: usize = 19;

    /// Reads the digits that a text starts with, eight at once where there are as many, and gives the rest.
    fn read<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        while let Some((eight, rest)) = text.split_first_chunk()
            && let Some(value) = eight_digits(*eight)
        {
            self.value = self.value.wrapping_mul(100_000_000).wrapping_add(value);
            self.n += 8;
            text = rest;
        }
        while let [digit @ b'0'..=b'9', rest @ ..] = text {
            self.value = self.value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.n += 1;
            text = rest;
        }
        text
    }

    /// The digits times a power of ten, rounded correctly to `f64` and then to `f32`; `None` where that takes more
    /// than `f64` arithmetic.
    ///
    /// The digits as `f64` and their product or quotient with an exact power of ten are rounded once each, so the result
    /// is less than 3 units in the last place from the `f64` that is right (D. Goldberg, What every computer scientist
    /// should know about floating-point arithmetic, 1991). If all `f64` so near round to one `f32`, it is the right one;
    /// they do but for one number in 100 million.
    fn times_power_of_ten(&self, exponent: i32) -> Option<f32> {
        const MARGIN: u64 = 4;
        if self.n > Self::MOST {
            return None;
        }
        if self.value == 0 {
            return Some(0.0);
        }
        let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
        let near = if exponent < 0 { self.value as f64 / power } else { self.value as f64 * power };
        let bits = near.to_bits();
        let (low, high) = (f64::from_bits(bits - MARGIN) as f32, f64::from_bits(bits + MARGIN) as f32);
        (low.to_bits() == high.to_bits()).then_some(low)
    }
}

/// The value of eight digits; `None` if there is anything else among them.
///
/// Pairs, then fours, then all eight are put together in one register (D. Lemire, Number parsing at a gigabyte per
/// second, 2021).
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let chunk = u64::from_le_bytes(text);
    let high = chunk & 0xf0f0_f0f0_f0f0_f0f0;
    let carried = chunk.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0;
    if high | carried >> 4 != 0x3333_3333_3333_3333 {
        return None;
    }
    let ones = chunk - 0x3030_3030_3030_3030;
    let pairs = ones * 10 + (ones >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    Some(low.wrapping_add(high) >> 32)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::super::{read as read_any, slow};
    use super::*;

    /// The number that `serde_json` reads, by way of the slow reader.
    fn slowly(number: &str) -> Option<u32> {
        let mut detections = Detections::default();
        let text = format!("[{{\"Nodule\":[0,0,1,1,{number}]}}]");
        slow(text.as_bytes(), &mut detections).ok().filter(|contents| contents.text_number.is_none())?;
        Some(detections.score(0).to_bits())
    }

    fn fast(number: &str) -> Option<u32> {
        let mut detections = Detections::default();
        let text = format!("[{{\"Nodule\":[0,0,1,1,{number}]}}]");
        read(text.as_bytes(), &mut detections)?;
        Some(detections.score(0).to_bits())
    }

    #[test]
    fn numbers_are_read_as_exactly_or_not_at_all() {
        let numbers = [
            "0",
            "-0",
            "0.0",
            "-0.0",
            "1",
            "-1",
            "10",
            "0.1",
            "00",
            "01",
            "-01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e5",
            "1E5",
            "1e+5",
            "1e-5",
            "1e",
            "1e+",
            "1.5e3",
            "1e400",
            "1e-400",
            "1e38",
            "4e38",
            "340282346638528859811704183484516925440",
            "340282356779733661637539395458142568448",
            "123456789012345678901234567890",
            "0.30000000000000004",
            "16777217",
            "16777217.000000001",
            "16777216.99999999",
            "1.00000005960464477539",
            "NaN",
            "Infinity",
            "1 2",
            "0x10",
            "1_0",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "7.038531e-26",
            "0.00000000000000000000000000000000000000000000140129846432481707",
        ];
        for number in numbers {
            let read = fast(number);
            assert!(read.is_none() || read == slowly(number), "{number}: {read:?}, {:?}", slowly(number));
        }
        for number in ["781.442994172829", "0.4593915308012986", "-3.25", "266", "5e-05", "1e-22"] {
            assert!(fast(number).is_some(), "{number} is read fast");
        }
    }

    #[test]
    fn numbers_beside_the_border_of_two_floats_are_read_exactly() {
        // Halfway between two neighbours of f32, and a last digit more or less.
        for bits in (0x3f80_0000_u32..0x4480_0000).step_by(104_729) {
            let (low, high) = (f64::from(f32::from_bits(bits)), f64::from(f32::from_bits(bits + 1)));
            let half = f64::midpoint(low, high);
            for near in [half, half.next_up(), half.next_down()] {
                let text = near.to_string();
                let read = fast(&text);
                assert!(read.is_none() || read == slowly(&text), "{text}");
                let more = format!("{half}00000000000000001");
                let read = fast(&more);
                assert!(read.is_none() || read == slowly(&more), "{more}");
            }
        }
    }

    /// All that either reader leaves behind.
    fn outcome(
        read: impl Fn(&[u8], &mut Detections) -> Result<super::super::Contents, crate::error::Error>,
        text: &[u8],
    ) -> String {
        let mut detections = Detections::default();
        let said = read(text, &mut detections);
        let rows: Vec<_> = (0..detections.len())
            .map(|at| {
                let BBox { x1, y1, x2, y2 } = detections.bbox(at);
                let bits = [x1, y1, x2, y2, detections.score(at)].map(f32::to_bits);
                (detections.class(at), detections.unread_name(at).map(str::to_owned), bits)
            })
            .collect();
        // A file that cannot be read leaves rows behind, which are dropped.
        if said.is_ok() { format!("{said:?} {rows:?}") } else { format!("{said:?}") }
    }

    fn same(text: &[u8]) {
        assert_eq!(outcome(read_any, text), outcome(slow, text), "{}", String::from_utf8_lossy(text));
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            5 => (-100.0..2000.0).prop_map(|number: f64| number.to_string()),
            5 => any::<f64>().prop_map(|number| number.to_string()),
            2 => any::<f64>().prop_map(|number| format!("{number:e}")),
            2 => any::<i32>().prop_map(|number| number.to_string()),
            1 => "-?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][-+]?[0-9]{1,3})?",
            1 => "[-+.eE0-9]{1,8}",
            1 => Just("\"0.5\"".to_owned()),
        ]
    }

    fn text() -> impl Strategy<Value = String> {
        let name = prop_oneof![
            8 => proptest::sample::select(&crate::dataset::CLASSES[..]).prop_map(str::to_owned),
            2 => proptest::sample::select(&crate::dataset::CLASSES[..]).prop_map(str::to_lowercase),
            1 => Just("Infiltration".to_owned()),
            1 => Just("N\\u006fdule".to_owned()),
        ];
        let value = prop_oneof![
            20 => proptest::collection::vec(number(), 5),
            1 => proptest::collection::vec(number(), 3..7),
        ];
        let pair = (name, value).prop_map(|(name, value)| format!("\"{name}\": [{}]", value.join(", ")));
        let entry = proptest::collection::vec(pair, 0..3).prop_map(|pairs| format!("{{{}}}", pairs.join(", ")));
        let space = proptest::sample::select(vec!["", " ", "\n", "\t\r\n  "]);
        (proptest::collection::vec(entry, 0..5), space)
            .prop_map(|(entries, space)| format!("{space}[{}]{space}", entries.join(&format!(",{space}"))))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_as_by_the_slow_reader(
            text in text(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
            is_changed in any::<bool>(),
        ) {
            same(text.as_bytes());
            let mut bytes = text.into_bytes();
            if is_changed {
                for (at, byte) in changes {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                same(&bytes);
                bytes.truncate(bytes.len() / 2);
                same(&bytes);
            }
        }
    }

    #[test]
    fn ordinary_files_are_read_fast() {
        let text = b" [{\"Nodule\": [1, 2.5, 30, 40, 0.123456789]}, {\"mass\": [1,2,3,4,5]}, {}, {\"Mass\": [1,2,3,4,1e-05], \"Effusion\": [-1,2,3,4,0.5]}]\n";
        let mut detections = Detections::default();
        assert_eq!(read(text, &mut detections), Some(0));
        assert_eq!(detections.len(), 4);
        same(text);
    }
}
