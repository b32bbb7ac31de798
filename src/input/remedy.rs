//! Predictions read by choice otherwise than the official script does; see [`Reading`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dataset::{Detections, FileView, GroundTruth, PredictionFile, PredictionFiles, Predictions};
use crate::error::Error;
use crate::geometry::{Extent, FileBox, ImageSize};
use crate::input::suppression::{Row, suppress};
use crate::limits::MAX_SUPPRESSED_OF_IMAGE;
use crate::protocol::{Class, Protocol};
use crate::reading::{FileNames, Folders, Layout, Reading};

/// The runs that the predictions are under a reading: one, unless each folder is a run. The files themselves stay as
/// they are; with the official reading nothing is copied, unless boxes are fractions of the image, which become pixels.
#[must_use]
pub fn apply(ground_truth: &GroundTruth, predictions: &Arc<Predictions>, reading: &Reading) -> Vec<Arc<Predictions>> {
    let is_as_read = !predictions.files().iter().any(|file| file.remarks.is_in_fractions);
    if reading.is_official() && is_as_read {
        return vec![Arc::clone(predictions)];
    }
    let folders = match reading.folders {
        Folders::Together => Vec::new(),
        Folders::Apart => top_folders(predictions),
    };
    if folders.is_empty() {
        return vec![Arc::new(read_anew(ground_truth, predictions, reading, predictions.name(), &|_| true))];
    }
    let run = |folder: &String| {
        let name = match folder.trim_end_matches('/').rsplit('/').next() {
            None | Some("") => predictions.name().to_owned(),
            Some(last) => format!("{}/{last}", predictions.name()),
        };
        // A folder around others holds the files that lie in none of them.
        let is_inner = |path: &str, other: &String| other.len() > folder.len() && path.starts_with(other.as_str());
        let holds = |path: &str| path.starts_with(folder) && !folders.iter().any(|other| is_inner(path, other));
        Arc::new(read_anew(ground_truth, predictions, reading, &name, &holds))
    };
    folders.iter().map(run).collect()
}

/// The folders that hold all the files, if there are several, side by side or one around others: each with what all
/// share before it and a `/` after it, sorted.
#[must_use]
pub fn top_folders(predictions: &Predictions) -> Vec<String> {
    let folders: BTreeSet<&str> = predictions.files().iter().map(|file| folder_of(file.file_path())).collect();
    let (Some(first), Some(last)) = (folders.first(), folders.last()) else { return Vec::new() };
    // What the first and the last of sorted texts share, all share.
    let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let shared = first.get(..same).and_then(|text| text.rfind('/')).map_or(0, |end| end + 1);
    let tops: BTreeSet<String> = folders
        .iter()
        .map(|folder| folder[..folder[shared..].find('/').map_or(shared, |end| shared + end + 1)].to_owned())
        .collect();
    if tops.len() < 2 { Vec::new() } else { tops.into_iter().collect() }
}

/// What a path has before its last part.
fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |end| &path[..=end])
}

/// The name of a file or an image without folder, endings, case, blanks around it and leading zeros.
#[must_use]
pub fn loose_name(path: &str) -> String {
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path).trim().to_lowercase();
    let mut stem = base.as_str();
    while let Some(shorter) =
        [".json", ".png", ".jpg", ".jpeg", ".dcm", ".txt"].iter().find_map(|end| stem.strip_suffix(end))
    {
        stem = shorter.trim_end();
    }
    let mut name = String::with_capacity(stem.len());
    let mut in_number = false;
    for (at, letter) in stem.char_indices() {
        let is_digit = letter.is_ascii_digit();
        let next_is_digit = stem[at + letter.len_utf8()..].starts_with(|next: char| next.is_ascii_digit());
        if letter == '0' && !in_number && next_is_digit {
            continue;
        }
        in_number = is_digit;
        name.push(letter);
    }
    name
}

fn read_anew(
    ground_truth: &GroundTruth,
    predictions: &Predictions,
    reading: &Reading,
    name: &str,
    holds: &dyn Fn(&str) -> bool,
) -> Predictions {
    let protocol = ground_truth.protocol();
    let columns = predictions.detections();
    let names = new_names(columns, protocol, reading);
    let (.., keys) = columns.columns();
    let groups = groups(columns, protocol, &names);
    let mut rows: Vec<Row> = Vec::new();
    let paths = Paths::new(ground_truth, predictions, reading.file_names);
    let finder = ground_truth.finder(predictions.files());
    let mut detections = Detections::default();
    let mut files = PredictionFiles::default();
    for file in predictions.files().iter().filter(|file| holds(file.file_path())) {
        if reading.leave_out_unreadable
            && (file.detections.is_err() || (file.remarks.text_number.is_some() && !reading.accept_text_numbers))
        {
            continue;
        }
        let mut remarks = file.remarks.clone();
        let path = paths.path(&file);
        let is_in_fractions = std::mem::take(&mut remarks.is_in_fractions);
        let image = paths.image(&file).or_else(|| finder.image(&file).map(|image| image as usize));
        remarks.text_number = remarks.text_number.filter(|_| !reading.accept_text_numbers);
        let read = file.detections.clone().map_err(Error::clone).and_then(|range| {
            let pixels = match image {
                Some(image) if is_in_fractions && !range.is_empty() => {
                    let size = ground_truth.size_of_image(image);
                    let ImageSize { width, height } = size.ok_or_else(|| without_size(ground_truth, &file.place()))?;
                    [width, height].map(f64::from)
                }
                // Pixels already, or of no image.
                _ => [1.0; 2],
            };
            rows.clear();
            let numbers = range.start as usize..range.end as usize;
            for (at, key) in numbers.clone().zip(&keys[numbers]) {
                let (bbox, score) = read_row(columns, at, reading, pixels).ok_or_else(|| overflow(&file.place()))?;
                // Boxes whose names are not kept are of no class, and so are of one group.
                let group = groups.get(usize::from(*key)).copied().unwrap_or(usize::MAX);
                rows.push(Row { at, group, bbox, score });
            }
            if let Some(above) = reading.nms {
                suppress(&mut rows, above).map_err(|n| too_many(&file.place(), n))?;
            }
            let first = detections.len() as u32;
            for Row { at, bbox, score, .. } in &rows {
                let name = columns.name(*at);
                detections.push_named(names.get(name).copied().unwrap_or(name), *bbox, *score);
            }
            Ok(first..detections.len() as u32)
        });
        files.push(PredictionFile { path, source: file.source.clone(), detections: read, remarks });
    }
    Predictions::new(name, files, detections).with_sha256(predictions.sha256().clone())
}

/// The classes that names stand for by choice, whatever they stand for otherwise.
fn new_names<'a>(
    detections: &'a Detections,
    protocol: &'a Protocol,
    reading: &'a Reading,
) -> BTreeMap<&'a str, &'a str> {
    let chosen =
        detections.names().iter().filter_map(|name| Some((name.as_str(), reading.class_names.get(name)?.as_str())));
    chosen.filter(|(_, class)| protocol.class_named(class).is_some()).collect()
}

fn without_size(ground_truth: &GroundTruth, path: &str) -> Error {
    Error::new(
        path,
        format!(
            "its boxes are fractions of the image, and {} does not tell how large its images are",
            ground_truth.name()
        ),
        "a ground truth that tells the size of each image, as COCO and Pascal VOC do",
    )
}

fn overflow(path: &str) -> Error {
    Error::new(path, "read so, the area of a box is too large for a 32-bit number", "another reading")
}

fn too_many(path: &str, n: usize) -> Error {
    let expected = format!("at most {MAX_SUPPRESSED_OF_IMAGE} in one image; keep those with the highest scores");
    Error::new(path, format!("suppression has {n} boxes of one class to compare"), expected)
}

/// What each class name means to suppression: boxes of names that mean one class are compared with each other, and those of another
/// name with their own.
fn groups(detections: &Detections, protocol: &Protocol, names: &BTreeMap<&str, &str>) -> Vec<usize> {
    let group = |(key, name): (usize, &String)| {
        let name = names.get(name.as_str()).copied().unwrap_or(name);
        protocol.class_of_prediction(name).map_or(protocol.n_classes() + key, Class::index)
    };
    detections.names().iter().enumerate().map(group).collect()
}

/// One detection, read anew in units of so many pixels across and down; `None` if its area overflows.
fn read_row(from: &Detections, at: usize, reading: &Reading, pixels: [f64; 2]) -> Option<(FileBox, f64)> {
    let (bbox, score) = (from.box_in_file(at), from.score_in_file(at));
    let (bbox, score) = if reading.score_first { score_first(bbox, score) } else { (bbox, score) };
    let [across, down] = pixels;
    let bbox = FileBox { x1: bbox.x1 * across, y1: bbox.y1 * down, x2: bbox.x2 * across, y2: bbox.y2 * down };
    let bbox = read_box(bbox, reading.boxes, reading.scale.xy(), reading.offset);
    (bbox.rounded().area(Extent::PlusOne).is_finite() && (score as f32).is_finite()).then_some((bbox, score))
}

/// Five numbers that were read as a box and its score, read as a score and its box.
#[must_use]
pub const fn score_first(bbox: FileBox, score: f64) -> (FileBox, f64) {
    (FileBox { x1: bbox.y1, y1: bbox.x2, x2: bbox.y2, y2: score }, bbox.x1)
}

/// A box whose four numbers mean what `layout` says, scaled and then shifted, each across and down; as if the file had been
/// written so, in `f64`.
///
/// Width is `x2 - x1`, as COCO writes it.
#[must_use]
pub fn read_box(bbox: FileBox, layout: Layout, scale: [f64; 2], offset: [f64; 2]) -> FileBox {
    let [across, down] = scale;
    let scales = match layout {
        Layout::Corners | Layout::Xywh | Layout::AnyCorners | Layout::Cxcywh => [across, down, across, down],
        Layout::Yxyx => [down, across, down, across],
        Layout::Xxyy => [across, across, down, down],
    };
    let [a, b, c, d] = [bbox.x1 * scales[0], bbox.y1 * scales[1], bbox.x2 * scales[2], bbox.y2 * scales[3]];
    let FileBox { x1, y1, x2, y2 } = match layout {
        Layout::Corners => FileBox { x1: a, y1: b, x2: c, y2: d },
        Layout::Xywh => FileBox { x1: a, y1: b, x2: a + c, y2: b + d },
        Layout::AnyCorners => FileBox { x1: a.min(c), y1: b.min(d), x2: a.max(c), y2: b.max(d) },
        Layout::Yxyx => FileBox { x1: b, y1: a, x2: d, y2: c },
        Layout::Cxcywh => FileBox { x1: a - c / 2.0, y1: b - d / 2.0, x2: a + c / 2.0, y2: b + d / 2.0 },
        Layout::Xxyy => FileBox { x1: a, y1: c, x2: b, y2: d },
    };
    let [right, below] = offset;
    FileBox { x1: x1 + right, y1: y1 + below, x2: x2 + right, y2: y2 + below }
}

/// The files that belong to no image by their exact names but to one if names match loosely, each with its image.
#[must_use]
pub fn loose_matches<'a>(ground_truth: &'a GroundTruth, predictions: &'a Predictions) -> Vec<(&'a str, &'a str)> {
    let paths = Paths::new(ground_truth, predictions, FileNames::Loose);
    paths.matches.into_iter().map(|(path, image)| (path, &ground_truth.images()[image])).collect()
}

/// The names under which files are looked up.
struct Paths<'a> {
    ground_truth: &'a GroundTruth,
    /// The image of each file that has one by its loose name alone.
    matches: BTreeMap<&'a str, usize>,
}

impl<'a> Paths<'a> {
    fn new(ground_truth: &'a GroundTruth, predictions: &'a Predictions, rule: FileNames) -> Self {
        let matches = match rule {
            FileNames::Exact => BTreeMap::new(),
            FileNames::Loose => Self::matches(ground_truth, predictions),
        };
        Self { ground_truth, matches }
    }

    /// Only what is unambiguous: one image of that loose name without a file of its exact name, and one file for it.
    fn matches(ground_truth: &GroundTruth, predictions: &'a Predictions) -> BTreeMap<&'a str, usize> {
        let mut by_name: BTreeMap<String, Option<usize>> = BTreeMap::new();
        let mut exact = BTreeSet::new();
        let mut strays: Vec<(&str, String)> = Vec::new();
        let finder = ground_truth.finder(predictions.files());
        for file in predictions.files().iter() {
            match finder.image(&file) {
                Some(image) => {
                    exact.insert(image as usize);
                }
                None => strays.push((file.path, loose_name(file.path))),
            }
        }
        for (image, name) in ground_truth.images().iter().enumerate().filter(|(image, _)| !exact.contains(image)) {
            by_name.entry(loose_name(name)).and_modify(|one| *one = None).or_insert(Some(image));
        }
        let affix = common_affix(&strays, &by_name);
        let image_of = |name: &str| {
            let bare = || name.strip_prefix(&affix.0)?.strip_suffix(&affix.1);
            by_name.get(name).or_else(|| by_name.get(bare()?)).copied().flatten()
        };
        let mut file_of_image: BTreeMap<usize, Option<&str>> = BTreeMap::new();
        for (path, name) in &strays {
            if let Some(image) = image_of(name) {
                file_of_image.entry(image).and_modify(|one| *one = None).or_insert(Some(path));
            }
        }
        file_of_image.into_iter().filter_map(|(image, path)| Some((path?, image))).collect()
    }

    /// The image of a file that has one by its loose name alone.
    fn image(&self, file: &FileView<'_>) -> Option<usize> {
        self.matches.get(file.path).copied()
    }

    fn path(&self, file: &FileView<'_>) -> String {
        let image = self.image(file);
        image.map_or_else(|| file.path.to_owned(), |image| self.ground_truth.prediction_file(image).into_owned())
    }
}

/// What stands before and after the name of an image in the names of nearly all files, as in `36199_pred`; nothing if there
/// is no such, or if two do equally well.
fn common_affix(files: &[(&str, String)], images: &BTreeMap<String, Option<usize>>) -> (String, String) {
    /// So many of the longest names of images in the name of a file are tried.
    const MOST_TRIED: usize = 20;
    let Some((_, first)) = files.first() else { return Default::default() };
    let mut within: Vec<(&str, usize)> = images
        .keys()
        .filter(|name| !name.is_empty())
        .filter_map(|name| Some((name.as_str(), first.find(name.as_str())?)))
        .collect();
    within.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let affixes: BTreeSet<(&str, &str)> =
        within.iter().take(MOST_TRIED).map(|(name, at)| (&first[..*at], &first[at + name.len()..])).collect();
    let is_image = |name: &str| images.contains_key(name);
    let n_named = |(before, after): (&str, &str)| {
        let bare = files.iter().filter_map(|(_, name)| name.strip_prefix(before)?.strip_suffix(after));
        bare.filter(|name| is_image(name)).count()
    };
    let mut tried: Vec<(usize, (&str, &str))> = affixes.into_iter().map(|affix| (n_named(affix), affix)).collect();
    tried.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let nearly_all = |n: usize| 10 * n >= 9 * files.len();
    match tried[..] {
        [(n, (before, after)), ref others @ ..] if nearly_all(n) && others.first().is_none_or(|other| other.0 < n) => {
            (before.to_owned(), after.to_owned())
        }
        _ => Default::default(),
    }
}
