//! JSON read at once, as far as the shapes of the official files go: everything here gives up on anything else, so that
//! `serde_json` reads the file from its start, with the same result or with the sentence that says what is wrong.

use crate::geometry::{Extent, FileBox};

/// What is left of a text.
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a text.
    pub fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// A list, or an object, between those brackets: `element` reads what is between commas.
    #[inline]
    pub fn list(&mut self, [open, close]: [u8; 2], mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(open)?;
        if self.next_is(close) {
            return Some(());
        }
        loop {
            element(self)?;
            if !self.next_is(b',') {
                return self.expect(close);
            }
        }
    }

    /// Whether there is nothing but white space left.
    pub fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    /// What stands between quotation marks, of `most` bytes at most. Escapes are not told apart: it is for names that have
    /// none, and are all known.
    #[inline]
    pub fn name(&mut self, most: usize) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let length = self.rest.iter().take(most + 1).position(|byte| *byte == b'"')?;
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest.get(1..)?;
        Some(name)
    }

    /// A text without escapes.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let text = self.rest;
        let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let length = text.iter().position(is_end)?;
        self.rest = text[length..].strip_prefix(b"\"")?;
        Some(&text[..length])
    }

    /// A list of `N` numbers, the first four of them a box whose area is finite.
    #[expect(clippy::inline_always, reason = "as of each number")]
    #[inline(always)]
    pub fn numbers<const N: usize>(&mut self) -> Option<[f64; N]> {
        let mut numbers = [0.0; N];
        self.expect(b'[')?;
        for (at, number) in numbers.iter_mut().enumerate() {
            if at > 0 {
                self.expect(b',')?;
            }
            self.skip_space();
            *number = self.number()?;
        }
        self.expect(b']')?;
        let [x1, y1, x2, y2, ..] = numbers[..] else { return None };
        (FileBox { x1, y1, x2, y2 }).rounded().area(Extent::PlusOne).is_finite().then_some(numbers)
    }

    /// A number of JSON, rounded correctly; it is finite as `f32`, too.
    #[expect(
        clippy::inline_always,
        reason = "numbers are most of what is read, and a call of its own takes a tenth more"
    )]
    #[inline(always)]
    fn number(&mut self) -> Option<f64> {
        let start = self.rest;
        let is_negative = self.byte_is(b'-');
        let mut digits = Digits::default();
        let leads_with_zero = self.rest.first() == Some(&b'0');
        self.rest = digits.read_few(self.rest);
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
            self.rest = power.read_few(self.rest);
            // Enough for every number that is not 0 or infinite.
            if power.n == 0 || power.n > 4 {
                return None;
            }
            let power = power.value as i32;
            exponent += if falls { -power } else { power };
        }
        let text = &start[..start.len() - self.rest.len()];
        let number = digits.times_power_of_ten(exponent).map_or_else(
            || str::from_utf8(text).ok()?.parse().ok(),
            |number| Some(if is_negative { -number } else { number }),
        )?;
        (number as f32).is_finite().then_some(number)
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Passes over the byte, which must come next after white space.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then_some(())
    }

    /// Passes over the byte if it comes next after white space.
    #[inline]
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

    /// Reads the digits that a text starts with, eight at once where there are as many bytes, and gives the rest.
    #[inline]
    fn read<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        while let Some(eight) = text.first_chunk() {
            let (value, n) = leading_digits(*eight);
            self.value = self.value.wrapping_mul(WHOLE_POWERS[n]).wrapping_add(value);
            self.n += n;
            text = &text[n..];
            if n < 8 {
                return text;
            }
        }
        self.read_few(text)
    }

    /// Reads the digits that a text starts with one by one, which is sooner where there are two or three, and gives the rest.
    #[inline]
    fn read_few<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        while let [digit @ b'0'..=b'9', rest @ ..] = text {
            self.value = self.value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.n += 1;
            text = rest;
        }
        text
    }

    /// The digits times a power of ten, rounded correctly; `None` where that takes more than `f64` arithmetic.
    ///
    /// Up to 2^53 the digits are exact in `f64`, so that one product or quotient with an exact power is right (W. D. Clinger,
    /// How to read floating point numbers accurately, 1990). Where there are more, the remainder of the division tells by
    /// how much the quotient is wrong, to less than a part in 2^48: if the sum of both rounds to one number even so, it is
    /// the right one.
    fn times_power_of_ten(&self, exponent: i32) -> Option<f64> {
        const EXACT: u64 = 1 << 53;
        const DOUBT: f64 = 1.0 / (1_u64 << 48) as f64;
        if self.n > Self::MOST {
            return None;
        }
        if self.value == 0 {
            return Some(0.0);
        }
        let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
        let digits = self.value as f64;
        if self.value <= EXACT {
            return Some(if exponent < 0 { digits / power } else { digits * power });
        }
        if exponent > 0 {
            return None;
        }
        let quotient = digits / power;
        let (product, rest) = exact_product(quotient, power);
        // What is left of the digits, of which `f64` holds no more than 53 bits.
        #[expect(clippy::cast_sign_loss, reason = "digits have no sign")]
        let lost = self.value.wrapping_sub(digits as u64).cast_signed() as f64;
        let correction = (digits - product - rest + lost) / power;
        let (low, high) = (quotient + correction * (1.0 - DOUBT), quotient + correction * (1.0 + DOUBT));
        (low.to_bits() == high.to_bits()).then_some(low)
    }
}

/// A product and, exactly, what rounding took from it, where neither is near the ends of what `f64` holds
/// (T. J. Dekker, A floating-point technique for extending the available precision, 1971).
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    let halves = |number: f64| {
        let scaled = number * 134_217_729.0;
        let high = scaled - (scaled - number);
        (high, number - high)
    };
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    (product, a_low * b_low - (product - a_high * b_high - a_low * b_high - a_high * b_low))
}

/// Powers of ten of as many digits as are read at once.
const WHOLE_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The value of the digits that eight bytes start with, and how many these are.
///
/// Pairs, then fours, then all eight are put together in one register (D. Lemire, Number parsing at a gigabyte per
/// second, 2021); what follows the last digit is shifted out first, so that zeros stand before the others.
#[inline]
fn leading_digits(text: [u8; 8]) -> (u64, usize) {
    let chunk = u64::from_le_bytes(text);
    // A byte is a digit if its upper half is 3, and still is with 6 more. What a sum carries changes later bytes alone.
    let high = chunk & 0xf0f0_f0f0_f0f0_f0f0;
    let carried = chunk.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0;
    let others = (high | carried >> 4) ^ 0x3333_3333_3333_3333;
    let n = others.trailing_zeros() / 8;
    let Some(ones) = (chunk ^ 0x3030_3030_3030_3030).checked_shl(64 - 8 * n) else { return (0, 0) };
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, n as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_up_to_the_first_other_byte() {
        for text in ["12345678", "00000000", "99999999", "1", "12]45678", "1234567,", "907.4567", "0\u{fa}9"] {
            for end in ["", "        ", "/:\u{ff}\u{7f}abcd", "99999999"] {
                let text = format!("{text}{end}        ");
                let eight = *text.as_bytes().first_chunk().expect("eight bytes");
                let digits: String = text.chars().take(8).take_while(char::is_ascii_digit).collect();
                let value = digits.parse().unwrap_or(0);
                assert_eq!(leading_digits(eight), (value, digits.len()), "{text}");
            }
        }
        assert_eq!(leading_digits(*b" 1234567"), (0, 0));
    }
}
