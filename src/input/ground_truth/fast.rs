//! The one shape that almost every ground truth has, read at once; `serde_json` reads all others.

use crate::dataset::Lesion;
use crate::geometry::FileBox;
use crate::input::scan::Scanner;
use crate::limits::{MAX_FILES, MAX_LESIONS_OF_IMAGE};
use crate::protocol::{Class, chestx_det10};
use crate::texts::Texts;

/// What a ground truth holds of which there is nothing to tell.
#[derive(Default)]
pub(super) struct Read {
    pub images: Texts,
    pub lesions: Vec<Lesion>,
}

/// Reads a list of objects with a `file_name` that has `.png` in it, as many `syms` as `boxes`, each the name of a class,
/// and nothing else; `None` if there is anything else in the text.
pub(super) fn read(text: &[u8]) -> Option<Read> {
    let mut read = Read::default();
    let mut scanner = Scanner::new(text);
    // Kept from one record to the next.
    let (mut syms, mut boxes) = (Vec::new(), Vec::new());
    scanner.list(*b"[]", |scanner| {
        syms.clear();
        boxes.clear();
        let file_name = record(scanner, &mut syms, &mut boxes)?;
        if read.images.len() == MAX_FILES
            || !read.images.has_room(file_name.len())
            || read.lesions.try_reserve(boxes.len()).is_err()
        {
            return None;
        }
        let image = read.images.len() as u32;
        read.images.push(file_name);
        read.lesions.extend(syms.iter().zip(&boxes).map(|(&class, &bbox)| Lesion { image, class, bbox }));
        Some(())
    })?;
    scanner.is_at_end().then_some(read)
}

/// One record; its file name.
fn record<'a>(scanner: &mut Scanner<'a>, syms: &mut Vec<Class>, boxes: &mut Vec<FileBox>) -> Option<&'a str> {
    /// The bytes of the longest key, and of the longest class name.
    const LONGEST: usize = 13;
    let (mut file_name, mut has_syms, mut has_boxes) = (None, false, false);
    scanner.list(*b"{}", |scanner| {
        let key = scanner.name(LONGEST)?;
        scanner.expect(b':')?;
        match key {
            b"file_name" if file_name.is_none() => file_name = Some(str::from_utf8(scanner.text()?).ok()?),
            b"syms" if !has_syms => {
                has_syms = true;
                scanner.list(*b"[]", |scanner| {
                    syms.push(chestx_det10(scanner.name(LONGEST)?)?);
                    (syms.len() <= MAX_LESIONS_OF_IMAGE).then_some(())
                })?;
            }
            b"boxes" if !has_boxes => {
                has_boxes = true;
                scanner.list(*b"[]", |scanner| {
                    let [x1, y1, x2, y2] = scanner.numbers()?;
                    boxes.push(FileBox { x1, y1, x2, y2 });
                    (boxes.len() <= MAX_LESIONS_OF_IMAGE).then_some(())
                })?;
            }
            _ => return None,
        }
        Some(())
    })?;
    file_name.filter(|name| name.contains(".png") && has_syms && has_boxes && syms.len() == boxes.len())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::super::{read as read_any, slow};
    use super::*;

    /// Whatever the fast reader reads is what the slow one reads.
    fn same(text: &[u8]) {
        let outcome = |read: Result<crate::dataset::GroundTruth, crate::error::Error>| format!("{read:?}");
        let any = outcome(read_any("test.json", text));
        assert_eq!(any, outcome(slow("test.json", text, text)), "{}", String::from_utf8_lossy(text));
    }

    fn text() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            (0..1024).prop_map(|number: i32| number.to_string()),
            any::<f32>().prop_map(|number| number.to_string()),
            "-?[0-9]{1,12}(\\.[0-9]{1,12})?([eE][-+]?[0-9]{1,2})?",
        ];
        let name = prop_oneof![
            20 => proptest::sample::select(&crate::protocol::CHESTX_DET10[..]),
            1 => Just("nodule"),
            1 => Just("N\\u006fdule"),
        ];
        let lesion = (name, proptest::collection::vec(number, 4));
        let file_name =
            prop_oneof![20 => "[0-9a-c]{1,3}\\.png", 1 => ".{0,8}\\.png", 1 => "[0-9]\\.jpg", 1 => "a/b\\.png\\.png"];
        let space = proptest::sample::select(vec!["", " ", "\n", "\t\r\n  "]);
        let record = (file_name, proptest::collection::vec(lesion, 0..4), 0..6_u8, space).prop_map(
            |(name, lesions, order, space)| {
                let syms: Vec<String> = lesions.iter().map(|(sym, _)| format!("\"{sym}\"")).collect();
                let boxes: Vec<String> =
                    lesions.iter().map(|(_, numbers)| format!("[{}]", numbers.join(", "))).collect();
                let mut pairs = vec![
                    format!("\"file_name\":{space}\"{name}\""),
                    format!("\"syms\": [{}{space}]", syms.join(",")),
                    format!("\"boxes\"{space}: [{}]", boxes.join(",")),
                ];
                pairs.rotate_left(usize::from(order % 3));
                if order == 5 {
                    pairs.push("\"boxes\": []".to_owned());
                }
                format!("{space}{{{}}}", pairs.join(&format!(",{space}")))
            },
        );
        proptest::collection::vec(record, 0..5).prop_map(|records| format!("[{}]", records.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_as_by_the_slow_reader(
            text in text(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
        ) {
            same(text.as_bytes());
            let mut bytes = text.into_bytes();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            same(&bytes);
            bytes.truncate(bytes.len() / 2);
            same(&bytes);
        }
    }

    #[test]
    fn an_ordinary_ground_truth_is_read_fast() {
        let text = br#"[{"file_name": "1.png", "syms": ["Nodule", "Mass"], "boxes": [[1, 2, 3, 4], [5.5, 6, 7, 8]]},
            {"syms": [], "boxes": [], "file_name": "2.png"}]"#;
        let read = read(text).expect("the usual shape");
        assert_eq!((read.images.len(), read.lesions.len()), (2, 2));
        same(text);
    }
}
