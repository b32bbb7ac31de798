//! COCO's format, both sides of it (<https://cocodataset.org/#format-data>, <https://cocodataset.org/#format-results>).
//!
//! A ground truth is an object of `images`, `annotations` and `categories`. Detections are a list of `{"image_id", "category_id", "bbox",
//! "score"}`, or an object with such a list under `annotations`; Ultralytics writes the name of an image without its ending as
//! `image_id`. `bbox` is `[x, y, width, height]`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::json::{Next, Read, Reader, shorten};
use super::{
    CORRECTIONS_KEY, Format, GroundTruthFormat, KeyedImages, ReadDetections, count, full, kept, records, sha256,
};
use crate::dataset::{Detections, GroundTruth, IgnoredAs, IgnoredLesion, Lesion, Remarks};
use crate::error::Error;
use crate::geometry::{FileBox, ImageSize};
use crate::limits::MAX_FILES;
use crate::protocol::{Class, MAX_CLASSES, Protocol};
use crate::texts::Texts;

/// Instances, as a ground truth.
pub const GROUND_TRUTH: GroundTruthFormat =
    GroundTruthFormat { name: "COCO instances", endings: &[".json"], sniff: is_ground_truth, read: read_ground_truth };

/// Results.
pub const RESULTS: Format =
    Format { name: "COCO results", endings: &[".json"], sniff: are_results, read: ReadDetections::OfRun(read_results) };

const EXPECTED: &str = "COCO's object {\"images\": [..], \"annotations\": [..], \"categories\": [..]}";
const RESULT_LIST: &str =
    "a list of {\"image_id\": 1, \"category_id\": 1, \"bbox\": [x, y, width, height], \"score\": 0.9}";
const RESULT: &str = "a result {\"image_id\": 1, \"category_id\": 1, \"bbox\": [x, y, width, height], \"score\": 0.9}";
const ANNOTATION: &str = "an annotation {\"image_id\": 1, \"category_id\": 1, \"bbox\": [x, y, width, height]} of COCO";
const IMAGE: &str = "an image {\"id\": 1, \"file_name\": \"1.png\"} of COCO";
const CATEGORY: &str = "a category {\"id\": 1, \"name\": \"Nodule\"} of COCO";
const BOX: &str = "[x, y, width, height]";

fn has(object: &Reader<'_>, wanted: &[&str]) -> bool {
    wanted.iter().all(|wanted| object.find_member(|key, _| (key == *wanted).then_some(())).is_some())
}

/// What stands under a key of an object.
fn under<'a>(object: &Reader<'a>, wanted: &str) -> Option<Reader<'a>> {
    object.find_member(|key, value| (key == wanted).then_some(value))
}

fn is_ground_truth(bytes: &[u8]) -> bool {
    let Ok(json) = Reader::new(bytes, EXPECTED) else { return false };
    let first = under(&json, "annotations").and_then(|list| list.first_element());
    has(&json, &["images", "annotations"]) && !first.is_some_and(|first| has(&first, &["score"]))
}

fn are_results(bytes: &[u8]) -> bool {
    let Ok(mut json) = Reader::new(bytes, RESULT_LIST) else { return false };
    let list = if json.peek() == Next::Object { under(&json, "annotations") } else { Some(json) };
    list.and_then(|list| list.first_element()).is_some_and(|first| has(&first, &["image_id", "bbox", "score"]))
}

/// Four numbers of COCO as two corners.
fn corners([x, y, width, height]: [f64; 4]) -> Read<FileBox> {
    records::checked(FileBox { x1: x, y1: y, x2: x + width, y2: y + height })
}

/// The names that a file gives to numbers.
#[derive(Default)]
struct Names<'a> {
    /// Ids and names of categories, in order.
    categories: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Ids and file names of images, in order.
    images: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Widths and heights of images, as far as they are told.
    sizes: Vec<Option<ImageSize>>,
    /// Images whose lesions were corrected, and how often.
    corrections: Vec<(u32, usize)>,
}

impl<'a> Names<'a> {
    fn read_images(&mut self, json: &mut Reader<'a>) -> Read<()> {
        let mut images = Vec::new();
        // Of a key that stands twice, the last counts.
        (self.sizes, self.corrections) = (Vec::new(), Vec::new());
        let list = json.list("a list of images", Some("image"), |json, n| {
            if n > MAX_FILES {
                return Err(Error::new("", format!("there are more than {MAX_FILES} images"), "fewer"));
            }
            let mut numbers = [f64::NAN; 3];
            images.push(id_and_name(json, "file_name", IMAGE, &mut numbers)?);
            let [width, height, n] = numbers;
            self.sizes.push(ImageSize::new(width, height));
            self.corrections.extend((n > 0.0).then_some((images.len() as u32 - 1, count(n))));
            Ok(())
        });
        let named = list.and_then(|()| named(images, "image", "file_name", IMAGE));
        self.images = named.map_err(|error| error.within("images"))?;
        Ok(())
    }

    fn read_categories(&mut self, json: &mut Reader<'a>) -> Read<()> {
        let mut categories = Vec::new();
        let list = json.list("a list of categories", Some("category"), |json, n| {
            if n > MAX_CLASSES {
                return Err(Error::new("", format!("there are more than {MAX_CLASSES} categories"), "fewer"));
            }
            categories.push(id_and_name(json, "name", CATEGORY, &mut [0.0; 3])?);
            Ok(())
        });
        let named = list.and_then(|()| named(categories, "category", "name", CATEGORY));
        self.categories = named.map_err(|error| error.within("categories"))?;
        Ok(())
    }
}

/// An id, and the name that goes with it.
type IdAndName<'a, Name = Cow<'a, str>> = (Cow<'a, str>, Name);

/// Images or categories with their names. Where none has any, they are called by their ids, as pycocotools knows them.
fn named<'a>(
    all: Vec<IdAndName<'a, Option<Cow<'a, str>>>>,
    what: &str,
    name_key: &str,
    shape: &str,
) -> Read<Vec<IdAndName<'a>>> {
    let has_names = all.iter().any(|(_, name)| name.is_some());
    let name = |(n, (id, name)): (usize, IdAndName<'a, Option<Cow<'a, str>>>)| match name {
        Some(name) => Ok((id, name)),
        None if has_names => {
            Err(Error::new("", format!("it has no \"{name_key}\""), shape).within(&format!("{what} {}", n + 1)))
        }
        None => Ok((id.clone(), id)),
    };
    all.into_iter().enumerate().map(name).collect()
}

/// Id and name of an image or a category; `numbers` take its width, its height and how often it was corrected, if it tells them.
fn id_and_name<'a>(
    json: &mut Reader<'a>,
    name_key: &str,
    shape: &str,
    numbers: &mut [f64; 3],
) -> Read<IdAndName<'a, Option<Cow<'a, str>>>> {
    let (mut id, mut name) = (None, None);
    json.object(shape, |json, key| {
        match &*key {
            "id" => id = Some(json.name("a number").map_err(|error| error.within("id"))?),
            _ if key == name_key => name = Some(json.name("a name").map_err(|error| error.within(&key))?),
            "width" if json.peek() == Next::Number => numbers[0] = json.number()?,
            "height" if json.peek() == Next::Number => numbers[1] = json.number()?,
            CORRECTIONS_KEY if json.peek() == Next::Number => numbers[2] = json.number()?,
            _ => json.skip()?,
        }
        Ok(())
    })?;
    Ok((id.ok_or_else(|| Error::new("", "it has no \"id\"", shape))?, name))
}

/// One annotation or result.
#[derive(Default)]
struct Annotation<'a> {
    image: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    bbox: Option<[f64; 4]>,
    score: Option<f64>,
    is_crowd: bool,
}

impl<'a> Annotation<'a> {
    fn read(json: &mut Reader<'a>, shape: &str) -> Read<Self> {
        let mut one = Self::default();
        json.object(shape, |json, key| {
            let read = match &*key {
                "image_id" => json.name("the id or the name of an image").map(|image| one.image = Some(image)),
                "category_id" => json.name("the number of a category").map(|id| one.category = Some(id)),
                "category_name" if one.category.is_none() => json.text().map(|name| one.category = Some(name)),
                "bbox" => json.numbers(BOX).map(|bbox| one.bbox = Some(bbox)),
                "score" => json.number().map(|score| one.score = Some(score)),
                "iscrowd" => {
                    one.is_crowd = match json.peek() {
                        Next::Number => json.number()? != 0.0,
                        next => {
                            json.skip()?;
                            next == Next::Word("true")
                        }
                    };
                    Ok(())
                }
                _ => json.skip(),
            };
            read.map_err(|error| error.within(&key))
        })?;
        Ok(one)
    }

    /// Image, category and box.
    fn parts(self, shape: &str) -> Read<(Cow<'a, str>, Cow<'a, str>, FileBox)> {
        let missing = |what: &str| Error::new("", format!("it has no \"{what}\""), shape);
        let bbox = corners(self.bbox.ok_or_else(|| missing("bbox"))?)?;
        let image = self.image.ok_or_else(|| missing("image_id"))?;
        Ok((image, self.category.ok_or_else(|| missing("category_id"))?, bbox))
    }
}

/// Reads instances. The classes are the categories in their order, and evaluated without a script.
fn read_ground_truth(name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
    read_instances(name, bytes).map_err(|error| error.within(name)).and_then(|rows| rows.join(name, bytes))
}

/// The rows of a ground truth, ids not yet looked up.
struct Instances<'a> {
    names: Names<'a>,
    annotations: Vec<Instance<'a>>,
}

/// An annotation of a ground truth.
struct Instance<'a> {
    image: Cow<'a, str>,
    category: Cow<'a, str>,
    bbox: FileBox,
    is_crowd: bool,
}

fn read_instances<'a>(_: &str, bytes: &'a [u8]) -> Read<Instances<'a>> {
    let mut json = Reader::new(bytes, EXPECTED)?;
    let mut rows = Instances { names: Names::default(), annotations: Vec::new() };
    json.object(EXPECTED, |json, key| match &*key {
        "images" => rows.names.read_images(json),
        "categories" => rows.names.read_categories(json),
        "annotations" => {
            let list = json.list("a list of annotations", Some("annotation"), |json, _| {
                let one = Annotation::read(json, ANNOTATION)?;
                let is_crowd = one.is_crowd;
                let (image, category, bbox) = one.parts(ANNOTATION)?;
                rows.annotations.try_reserve(1).map_err(full)?;
                rows.annotations.push(Instance { image, category, bbox, is_crowd });
                Ok(())
            });
            list.map_err(|error| error.within("annotations"))
        }
        _ => json.skip(),
    })?;
    json.end()?;
    Ok(rows)
}

impl Instances<'_> {
    fn join(self, name: &str, bytes: &[u8]) -> Result<GroundTruth, Error> {
        let Names { categories, images, .. } = &self.names;
        let class_of_id: BTreeMap<&str, Class> =
            categories.iter().enumerate().map(|(at, (id, _))| (&**id, Class::at(at))).collect();
        let image_of_id: HashMap<&str, u32> = images.iter().zip(0..).map(|((id, _), at)| (&**id, at)).collect();
        let wrong = |n: usize, what: String, expected: &str| {
            Error::new(format!("{name}, annotations, annotation {}", n + 1), what, expected)
        };
        for (what, n, n_ids) in
            [("images", images.len(), image_of_id.len()), ("categories", categories.len(), class_of_id.len())]
        {
            if n_ids < n {
                return Err(Error::new(name, format!("two of its {what} have one id"), "an id of its own for each"));
            }
        }
        let (mut lesions, mut ignored) = (Vec::new(), Vec::new());
        lesions.try_reserve_exact(self.annotations.len()).map_err(full)?;
        for (n, Instance { image, category, bbox, is_crowd }) in self.annotations.iter().enumerate() {
            let Some(image) = image_of_id.get(&**image) else {
                let what = format!("its \"image_id\" is {}, which no image has", shorten(image));
                return Err(wrong(n, what, "the \"id\" of one of \"images\""));
            };
            let Some(class) = class_of_id.get(&**category) else {
                let what = format!("its \"category_id\" is {}, which no category has", shorten(category));
                return Err(wrong(n, what, "the \"id\" of one of \"categories\""));
            };
            let (image, class, bbox) = (*image, *class, *bbox);
            if *is_crowd {
                let class_name = kept(&categories[class.index()].1).into();
                let reason = IgnoredAs::Crowd;
                ignored.push(IgnoredLesion { image, class: Some(class), class_name, reason, bbox });
            } else {
                lesions.push(Lesion { image, class, bbox });
            }
        }
        let names = categories.iter().map(|(_, name)| kept(name).to_owned()).collect();
        let numbers = categories.iter().map(|(id, _)| id.clone().into_owned()).collect();
        let protocol = Protocol::new(name, names).numbered(numbers);
        let file_names: Texts = images.iter().map(|(_, name)| name.replace('\\', "/")).collect();
        let truth = GroundTruth::new(name, sha256(bytes), protocol, file_names, &lesions, Vec::new())?;
        let truth = truth.with_ignored(ignored)?.not_for_script().with_sizes(self.names.sizes.clone());
        let truth = truth.with_corrections(self.names.corrections.clone());
        Ok(truth.with_image_ids(images.iter().map(|(id, _)| id.clone().into_owned())))
    }
}

/// Reads results into rows by image. A file that lists its own images and categories names them by these.
fn read_results(bytes: &[u8], into: &mut KeyedImages) -> Result<(), Error> {
    let mut json = Reader::new(bytes, RESULT_LIST)?.reading_text_numbers();
    let mut rows = Rows::default();
    let mut names = Names::default();
    if json.peek() == Next::Object {
        json.object(RESULT_LIST, |json, key| match &*key {
            "images" => names.read_images(json),
            "categories" => names.read_categories(json),
            "annotations" => rows.read(json).map_err(|error| error.within("annotations")),
            _ => json.skip(),
        })?;
    } else {
        rows.read(&mut json)?;
    }
    json.end()?;
    rows.rename(&names).into_images(into)
}

/// Detections with the images that they are in.
#[derive(Default)]
struct Rows {
    keys: Vec<String>,
    /// The place of a key among the keys.
    place_of_key: HashMap<String, u32>,
    /// What is noticed in the boxes of each key.
    remarks: BTreeMap<u32, Remarks>,
    image_of_row: Vec<u32>,
    detections: Detections,
}

impl Rows {
    fn read(&mut self, json: &mut Reader<'_>) -> Read<()> {
        json.list(RESULT_LIST, Some("result"), |json, n| {
            let one = Annotation::read(json, RESULT)?;
            let Some(score) = one.score else { return Err(Error::new("", "it has no \"score\"", RESULT)) };
            let (image, category, bbox) = one.parts(RESULT)?;
            let image = self.place_of(&image);
            if let Some(error) = json.text_number() {
                let remarks = self.remarks.entry(image).or_default();
                remarks.text_number.get_or_insert_with(|| error.within(&format!("result {n}")));
            }
            self.detections.reserve(1).map_err(full)?;
            self.image_of_row.try_reserve(1).map_err(full)?;
            self.image_of_row.push(image);
            self.detections.push_named(kept(&category), bbox, score);
            Ok(())
        })
    }

    /// The place of a key; results of one image mostly follow each other.
    fn place_of(&mut self, key: &str) -> u32 {
        if let Some(last) = self.image_of_row.last().filter(|last| self.keys[**last as usize] == key) {
            return *last;
        }
        if let Some(place) = self.place_of_key.get(key) {
            return *place;
        }
        let place = self.keys.len() as u32;
        self.keys.push(key.to_owned());
        self.place_of_key.insert(key.to_owned(), place);
        place
    }

    /// The same with the names that the file itself gives to ids.
    fn rename(mut self, names: &Names<'_>) -> Self {
        let images: HashMap<&str, &str> = names.images.iter().map(|(id, name)| (&**id, &**name)).collect();
        for key in &mut self.keys {
            if let Some(name) = images.get(key.as_str()) {
                (*name).clone_into(key);
            }
        }
        let categories: HashMap<&str, &str> = names.categories.iter().map(|(id, name)| (&**id, kept(name))).collect();
        self.detections.rename(|id| categories.get(id).map(|name| (*name).to_owned()));
        self
    }

    /// Image by image, in the order of first sight.
    fn into_images(mut self, into: &mut KeyedImages) -> Result<(), Error> {
        let mut n_of_image = vec![0_u32; self.keys.len()];
        for image in &self.image_of_row {
            n_of_image[*image as usize] += 1;
        }
        if !self.image_of_row.is_sorted() {
            let mut order: Vec<u32> = Vec::new();
            order.try_reserve_exact(self.image_of_row.len()).map_err(full)?;
            order.extend(0..self.image_of_row.len() as u32);
            // Stable: boxes of an image keep their order.
            order.sort_by_key(|at| self.image_of_row[*at as usize]);
            self.detections = self.detections.reordered(&order);
        }
        let remarks = |place: u32| self.remarks.get(&place).cloned().unwrap_or_default();
        let images = self.keys.iter().zip(0..).zip(n_of_image);
        into.take(self.detections, images.map(|((key, place), n)| (key.as_str(), n, remarks(place))))
    }
}
