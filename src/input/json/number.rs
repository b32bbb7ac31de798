//! Numbers of JSON, read to the last bit.

/// The number that a text starts with, rounded correctly, and the rest of the text; `None` if there is none in JSON's own
/// spelling, or it is not finite as `f32`.
#[expect(clippy::inline_always, reason = "numbers are most of what is read, and a call of its own takes a tenth more")]
#[inline(always)]
pub(super) fn quick(start: &[u8]) -> Option<(f64, &[u8])> {
    let (is_negative, text) = after(start, b'-');
    let mut digits = Digits::default();
    let mut rest = digits.read_few(text);
    if digits.n == 0 || (text.first() == Some(&b'0') && digits.n > 1) {
        return None;
    }
    let mut exponent = 0_i32;
    if let (true, fraction) = after(rest, b'.') {
        let before = digits.n;
        rest = digits.read(fraction);
        exponent = i32::try_from(before).ok()? - i32::try_from(digits.n).ok()?;
        if exponent == 0 {
            return None;
        }
    }
    if let [b'e' | b'E', power @ ..] = rest {
        let (falls, power) = after(power, b'-');
        let power = if falls { power } else { after(power, b'+').1 };
        let mut digits = Digits::default();
        rest = digits.read_few(power);
        // Enough for every number that is not 0 or infinite.
        if digits.n == 0 || digits.n > 4 {
            return None;
        }
        let power = digits.value as i32;
        exponent += if falls { -power } else { power };
    }
    let number = match digits.times_power_of_ten(exponent) {
        Some(number) if is_negative => -number,
        Some(number) => number,
        None => str::from_utf8(&start[..start.len() - rest.len()]).ok()?.parse().ok()?,
    };
    (number as f32).is_finite().then_some((number, rest))
}

/// How many bytes of a text are a number in JSON's own spelling; if there is none, the place of the first byte that is wrong.
pub(super) fn length(text: &[u8]) -> Result<usize, usize> {
    let some_digits = |at: usize| {
        let mut end = at;
        while let Some(b'0'..=b'9') = text.get(end) {
            end += 1;
        }
        if end == at { Err(at) } else { Ok(end) }
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    at = if text.get(at) == Some(&b'0') { at + 1 } else { some_digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = some_digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at = some_digits(at + 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}

/// Whether a text starts with a byte, and what follows it.
fn after(text: &[u8], byte: u8) -> (bool, &[u8]) {
    match text {
        [first, rest @ ..] if *first == byte => (true, rest),
        _ => (false, text),
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

    /// What Rust reads, where a text is a number of JSON that is finite in `f32`.
    fn plainly(text: &str) -> Option<f64> {
        let number = (length(text.as_bytes()) == Ok(text.len())).then(|| text.parse::<f64>().ok()).flatten();
        number.filter(|number| (*number as f32).is_finite())
    }

    fn quickly(text: &str) -> Option<f64> {
        quick(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
    }

    /// Quick reading reads the same to the last bit, or leaves it to Rust.
    fn same(text: &str) {
        let (quickly, plainly) = (quickly(text), plainly(text));
        assert!(quickly.is_none() || quickly.map(f64::to_bits) == plainly.map(f64::to_bits), "{text}: {quickly:?}");
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
            "",
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
            "1.e5",
            "-e5",
            "1e5.5",
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
        numbers.into_iter().for_each(same);
        for number in ["781.442994172829", "0.4593915308012986", "-3.25", "266", "5e-05", "1e-22"] {
            assert!(quickly(number).is_some(), "{number} is read quickly");
        }
    }

    #[test]
    fn numbers_beside_the_border_of_two_floats_are_read_exactly() {
        // Halfway between two neighbours of f32, and a last digit more or less.
        for bits in (0x3f80_0000_u32..0x4480_0000).step_by(104_729) {
            let (low, high) = (f64::from(f32::from_bits(bits)), f64::from(f32::from_bits(bits + 1)));
            let half = f64::midpoint(low, high);
            for near in [half, half.next_up(), half.next_down()] {
                same(&near.to_string());
            }
            same(&format!("{half}00000000000000001"));
        }
    }

    #[test]
    fn numbers_beside_the_border_of_two_doubles_are_read_exactly() {
        // The digits of a whole number halfway between two neighbours above 2^53, and beside it; then as fractions.
        for n in (0_u64..1 << 10).map(|n| (1 << 53) + n * 8_796_093_022_207) {
            for whole in [n * 2, n * 2 + 1, n * 2 + 2] {
                let digits = whole.to_string();
                (1..digits.len()).for_each(|point| same(&format!("{}.{}", &digits[..point], &digits[point..])));
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod any {
        use proptest::prelude::*;

        proptest! {
            #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn any_number_is_read_exactly(
                number in any::<f64>(),
                spelled in "-?[0-9]{1,25}(\\.[0-9]{1,25})?([eE][-+]?[0-9]{1,3})?",
                junk in "[-+.eE0-9]{1,8}",
            ) {
                super::same(&number.to_string());
                super::same(&format!("{number:e}"));
                super::same(&spelled);
                super::same(&junk);
            }
        }
    }
}
