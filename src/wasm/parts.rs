//! Shares of a large zip, read by several workers: each has an instance of its own, and hands its columns over as buffers.

use js_sys::{Array, Float64Array, Function, Object, Reflect, Uint8Array, Uint16Array, Uint32Array};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::vec::IntoIter;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::{BlobReader, failure, not_loaded, tell, to_js, unreadable};
use crate::dataset::{Detections, FileView, PredictionFile};
use crate::error::Error;
use crate::geometry::FileBox;
use crate::input::archive::{Piece, SeekingShare};
use crate::input::{Kind, Part, Progress, identify};
use crate::later::later;

#[wasm_bindgen(typescript_custom_section)]
const PART_COLUMNS: &str = "
/** One share of a run, as buffers that can be handed from worker to worker. */
export interface PartColumns {
    boxes: Float32Array<ArrayBuffer>;
    scores: Float32Array<ArrayBuffer>;
    keys: Uint16Array<ArrayBuffer>;
    n_detections: Uint32Array<ArrayBuffer>;
    paths: Uint8Array<ArrayBuffer>;
    rest: unknown;
}
";

/// What the buffers of a part leave out.
#[derive(Serialize, Deserialize)]
struct Rest {
    unread_names: Vec<String>,
    /// The few files of which there is more to say than a path and a number of detections, with their places.
    files: Vec<(usize, FileRest)>,
}

#[derive(Serialize, Deserialize)]
struct FileRest {
    error: Option<Box<Error>>,
    is_empty: bool,
    both_spellings: u32,
    unread: Option<Box<(String, u32)>>,
    text_number: Option<Box<Error>>,
}

/// A SHA-256 of bytes that come piece by piece.
#[wasm_bindgen]
#[derive(Default)]
pub struct Sha256(crate::input::Hasher);

#[wasm_bindgen]
impl Sha256 {
    /// Of nothing yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn digits(self) -> String {
        self.0.digits()
    }
}

/// Reads one share of a zip of predictions, piece by piece, so that the bytes of the next piece can be fetched while this
/// one is read. What is not in the bytes that are given is asked of the browser at once. Works in workers only.
#[wasm_bindgen]
pub struct ShareReader {
    share: SeekingShare<BlobReader>,
    pieces: IntoIter<Piece>,
    told: f64,
}

/// Bytes of a piece, about. Larger ones take no less time, and one is read while the next one waits.
const PIECE_BYTES: u64 = 1 << 22;

#[wasm_bindgen]
impl ShareReader {
    /// Opens one of `of` shares, numbered from 0; undefined if the file is no such zip.
    ///
    /// # Errors
    /// Throws a `Failure`.
    pub fn open(name: &str, blob: &Blob, share: usize, of: usize) -> Result<Option<ShareReader>, JsValue> {
        let mut reader = BlobReader::new(blob).map_err(|error| failure(&[unreadable(name, &error)]))?;
        let head = reader.head().map_err(|error| failure(&[unreadable(name, &error)]))?;
        if !matches!(identify(name, &head), Ok(Kind::Predictions)) {
            return Ok(None);
        }
        let is_small = reader.is_small();
        let share = SeekingShare::open(name, reader, (share, of)).map_err(|error| failure(&[error]))?;
        let pieces = if is_small {
            // It is there already.
            vec![Piece { n_files: usize::MAX, bytes: 0..0 }]
        } else {
            share.pieces(PIECE_BYTES)
        };
        Ok(Some(Self { share, pieces: pieces.into_iter(), told: 0.0 }))
    }

    /// Where the pieces that are left start and end in the file: two numbers each, which are equal if nothing is to be
    /// fetched.
    #[must_use]
    pub fn pieces(&self) -> Vec<f64> {
        self.pieces.as_slice().iter().flat_map(|piece| [piece.bytes.start as f64, piece.bytes.end as f64]).collect()
    }

    /// Reads the next piece, whose bytes these are, or none if they could not be fetched. `on_progress` is called with a
    /// `ProgressReport` of the share now and then.
    ///
    /// # Errors
    /// Throws a `Failure`; then nothing more is to be read.
    pub fn read(&mut self, bytes: Uint8Array, on_progress: &Function) -> Result<(), JsValue> {
        let Some(Piece { n_files, bytes: place }) = self.pieces.next() else { return Ok(()) };
        if let Ok(mut file) = self.share.file().try_borrow_mut() {
            file.show(bytes, place.start);
        }
        let mut tell = |progress: Progress| {
            tell(on_progress, progress, &mut self.told);
            ControlFlow::Continue(())
        };
        self.share.read(n_files, &mut tell).map_err(|error| failure(&[error]))
    }

    /// What was read, for another worker.
    ///
    /// # Errors
    /// Throws what the browser does if it cannot make an object.
    #[wasm_bindgen(unchecked_return_type = "PartColumns")]
    pub fn finish(self) -> Result<JsValue, JsValue> {
        let part = self.into_part();
        later!(
            fn finish(part: Part) -> Result<JsValue, JsValue> {
                columns(&part)
            }
        )
        .unwrap_or_else(not_loaded)
    }
}

impl ShareReader {
    pub(super) fn into_part(self) -> Part {
        self.share.finish()
    }
}

fn columns(part: &Part) -> Result<JsValue, JsValue> {
    let (boxes, scores, keys) = part.detections().columns();
    let unread_names = part.detections().names();
    let files = part.files();
    let n_detections: Vec<u32> =
        files.iter().map(|file| file.detections.as_ref().map_or(0, |range| range.end - range.start)).collect();
    // No path of a zip that can be used holds a NUL; one that does is no image's.
    let paths: Vec<String> = files.iter().map(|file| file.path.replace('\0', "\u{fffd}")).collect();
    let rest = files.iter().enumerate().filter_map(|(at, file)| FileRest::of(&file).map(|rest| (at, rest)));
    let rest = Rest { unread_names: unread_names.to_vec(), files: rest.collect() };
    let object = Object::new();
    for (key, value) in [
        ("boxes", boxes_to_js(boxes).into()),
        ("scores", Float64Array::from(scores).into()),
        ("keys", Uint16Array::from(keys).into()),
        ("n_detections", Uint32Array::from(n_detections.as_slice()).into()),
        ("paths", Uint8Array::from(paths.join("\0").as_bytes()).into()),
        ("rest", to_js(&rest)?),
    ] {
        Reflect::set(&object, &key.into(), &value)?;
    }
    Ok(object.into())
}

/// Boxes that are turned into four numbers each, or back, at once.
const CHUNK: usize = 4096;

fn boxes_to_js(boxes: &[FileBox]) -> Float64Array {
    let all = Float64Array::new_with_length(boxes.len() as u32 * 4);
    let mut numbers = Vec::with_capacity(CHUNK * 4);
    for (chunk, at) in boxes.chunks(CHUNK).zip((0_u32..).step_by(CHUNK * 4)) {
        numbers.clear();
        numbers.extend(chunk.iter().flat_map(|bbox| [bbox.x1, bbox.y1, bbox.x2, bbox.y2]));
        all.subarray(at, at + numbers.len() as u32).copy_from(&numbers);
    }
    all
}

fn boxes_from_js(all: &Float64Array) -> Vec<FileBox> {
    let mut boxes = Vec::with_capacity(all.length() as usize / 4);
    let mut numbers = vec![0.0; CHUNK * 4];
    for at in (0..all.length()).step_by(CHUNK * 4) {
        let chunk = all.subarray(at, (at + CHUNK as u32 * 4).min(all.length()));
        let numbers = &mut numbers[..chunk.length() as usize];
        chunk.copy_to(numbers);
        boxes.extend(numbers.as_chunks().0.iter().map(|[x1, y1, x2, y2]| FileBox {
            x1: *x1,
            y1: *y1,
            x2: *x2,
            y2: *y2,
        }));
    }
    boxes
}

/// Puts the shares of a zip together, in order.
pub(super) fn join(name: &str, parts: &Array) -> Result<Part, JsValue> {
    let n = |key: &str| -> Result<usize, JsValue> {
        let lengths = parts.iter().map(|part| Reflect::get(&Reflect::get(&part, &key.into())?, &"length".into()));
        let lengths: Vec<JsValue> = lengths.collect::<Result<_, JsValue>>()?;
        #[expect(clippy::cast_sign_loss, reason = "a length is a whole number from 0")]
        Ok(lengths.iter().filter_map(JsValue::as_f64).sum::<f64>() as usize)
    };
    let fail = |error: Error| failure(&[error.within(name)]);
    let mut whole = Part::with_room(n("n_detections")?, n("scores")?).map_err(fail)?;
    for part in parts.iter() {
        whole.append(one(name, &part)?).map_err(fail)?;
    }
    Ok(whole)
}

fn one(name: &str, part: &JsValue) -> Result<Part, JsValue> {
    let get = |key: &str| Reflect::get(part, &key.into());
    let array = |key: &str| get(key).map(Float64Array::from);
    let rest: Rest = serde_wasm_bindgen::from_value(get("rest")?)?;
    let keys = Uint16Array::from(get("keys")?).to_vec();
    let detections =
        Detections::from_columns(boxes_from_js(&array("boxes")?), array("scores")?.to_vec(), keys, rest.unread_names);
    let Some(detections) = detections else {
        return Err(failure(&[Error::new(name, "its parts do not fit together", "to be chosen again")]));
    };
    let n_detections = Uint32Array::from(get("n_detections")?).to_vec();
    let paths = Uint8Array::from(get("paths")?).to_vec();
    let paths = String::from_utf8_lossy(&paths);
    let mut first = 0;
    let files = paths.split('\0').zip(n_detections).map(|(path, n)| {
        let detections = first..first + n;
        first += n;
        PredictionFile {
            path: path.to_owned(),
            detections: Ok(detections),
            is_empty: false,
            both_spellings: 0,
            unread: None,
            text_number: None,
        }
    });
    let mut files: Vec<PredictionFile> = files.collect();
    for (at, rest) in rest.files {
        if let Some(file) = files.get_mut(at) {
            rest.put_into(file);
        }
    }
    Ok(Part::new(files, detections))
}

impl FileRest {
    fn of(file: &FileView<'_>) -> Option<Self> {
        let boxed = |error: &Error| Box::new(error.clone());
        let rest = Self {
            error: file.detections.as_ref().err().copied().map(boxed),
            is_empty: file.is_empty,
            both_spellings: file.both_spellings,
            unread: file.unread.cloned().map(Box::new),
            text_number: file.text_number.map(boxed),
        };
        let is_plain = rest.error.is_none()
            && !rest.is_empty
            && rest.both_spellings == 0
            && rest.unread.is_none()
            && rest.text_number.is_none();
        (!is_plain).then_some(rest)
    }

    fn put_into(self, file: &mut PredictionFile) {
        if let Some(error) = self.error {
            file.detections = Err(error);
        }
        file.is_empty = self.is_empty;
        file.both_spellings = self.both_spellings;
        file.unread = self.unread;
        file.text_number = self.text_number;
    }
}
