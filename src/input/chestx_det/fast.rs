//! The one shape that almost every prediction file has, read at once from bytes to columns.
//!
//! It knows JSON only as far as that shape goes, and gives up on anything else: then `serde_json` reads the file from its
//! start, with the same result or with the sentence that says what is wrong. In Chromium it takes a third of the time.

use super::{Key, push_entry};
use crate::dataset::Detections;
use crate::input::scan::Scanner;

/// Reads a list of objects from class names to five numbers, and says how many of them hold a class in both spellings;
/// `None`, and nothing read, if there is anything else in the text.
pub(super) fn read(text: &[u8], into: &mut Detections) -> Option<u32> {
    let first = into.len();
    let read = list(text, into);
    if read.is_none() {
        into.truncate(first);
    }
    read
}

fn list(text: &[u8], into: &mut Detections) -> Option<u32> {
    /// The bytes of the longest class name.
    const LONGEST: usize = 13;
    let mut entry: Vec<(Key, [f64; 5])> = Vec::new();
    let mut n_both = 0;
    let mut scanner = Scanner::new(text);
    scanner.list(*b"[]", |scanner| {
        entry.clear();
        scanner.list(*b"{}", |scanner| {
            // A class name has no escape in it.
            let key = Key::named(scanner.name(LONGEST)?)?;
            scanner.expect(b':')?;
            let numbers = scanner.numbers()?;
            if entry.iter().any(|(other, _)| *other == key) {
                return None;
            }
            entry.push((key, numbers));
            Some(())
        })?;
        into.reserve(entry.len()).ok()?;
        n_both += u32::from(push_entry(&entry, into));
        Some(())
    })?;
    scanner.is_at_end().then_some(n_both)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::super::{read as read_any, slow};
    use super::*;
    use crate::geometry::FileBox;

    /// The number that `serde_json` reads, by way of the slow reader.
    fn slowly(number: &str) -> Option<u64> {
        let mut detections = Detections::default();
        let text = format!("[{{\"Nodule\":[0,0,1,1,{number}]}}]");
        slow(text.as_bytes(), &mut detections).ok().filter(|contents| contents.text_number.is_none())?;
        Some(detections.score_in_file(0).to_bits())
    }

    fn fast(number: &str) -> Option<u64> {
        let mut detections = Detections::default();
        let text = format!("[{{\"Nodule\":[0,0,1,1,{number}]}}]");
        read(text.as_bytes(), &mut detections)?;
        Some(detections.score_in_file(0).to_bits())
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

    #[test]
    fn numbers_beside_the_border_of_two_doubles_are_read_exactly() {
        // The digits of a whole number halfway between two neighbours above 2^53, and beside it; then as fractions.
        for n in (0_u64..1 << 10).map(|n| (1 << 53) + n * 8_796_093_022_207) {
            let half = n * 2 + 1;
            for whole in [half - 1, half, half + 1] {
                let digits = whole.to_string();
                for point in 1..digits.len() {
                    let text = format!("{}.{}", &digits[..point], &digits[point..]);
                    let read = fast(&text);
                    assert!(read.is_none() || read == slowly(&text), "{text}");
                }
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
                let FileBox { x1, y1, x2, y2 } = detections.box_in_file(at);
                let bits = [x1, y1, x2, y2, detections.score_in_file(at)].map(f64::to_bits);
                (detections.name(at).to_owned(), bits)
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
            8 => proptest::sample::select(&crate::protocol::CHESTX_DET10[..]).prop_map(str::to_owned),
            2 => proptest::sample::select(&crate::protocol::CHESTX_DET10[..]).prop_map(str::to_lowercase),
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
