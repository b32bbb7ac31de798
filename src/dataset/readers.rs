//! Boxes that several readers drew of the same images, and whose of them are lesions ([section 10](crate::metric)).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{GroundTruth, Lesion};
use crate::error::{Error, ErrorKind};
use crate::finding::{Finding, SEVERAL_READERS, Seen};
use crate::geometry::FileBox;
use crate::limits::{MAX_READ_OF_IMAGE, MAX_READERS, MAX_SENTENCE_CHARS};
use crate::printable::{counted, printable};
use crate::protocol::Class;

/// The least IoU of two boxes that readers agree on.
pub const AGREED_IOU: f64 = 0.5;

/// Whose boxes are lesions, where a file names the reader of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Those on which at least two readers agree, as one lesion ([`agreed`]).
    Agreed,
    /// All boxes of all readers: what two of them drew is two lesions.
    All,
    /// Those of the reader of that name, in the images that this reader read.
    One(String),
}

impl Readers {
    /// `agreed`, `all`, or else the name of a reader.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "agreed" => Self::Agreed,
            "all" => Self::All,
            reader => Self::One(reader.to_owned()),
        }
    }

    /// What [`Readers::named`] reads.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Agreed => "agreed",
            Self::All => "all",
            Self::One(reader) => reader,
        }
    }
}

/// A choice of readers, and the ground truth that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadersChoice {
    /// Whose boxes are lesions.
    pub readers: Readers,
    /// Images that this makes.
    pub n_images: usize,
    /// Lesions, of all classes of the file.
    pub n_lesions: usize,
}

/// One row of a table whose rows name their readers: a box, or that the reader saw none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRow<'a> {
    /// Place of the image.
    pub image: u32,
    /// Who read it.
    pub reader: &'a str,
    /// The class of the box; `None` of a row without one.
    pub class: Option<Class>,
}

/// A ground truth whose boxes several readers drew.
#[derive(Debug)]
struct ByReader {
    /// Their names, in order: at least two.
    names: Vec<String>,
    /// With all boxes of all.
    all: GroundTruth,
    /// The reader of each of its lesions, image by image and class by class.
    of_lesion: Vec<u32>,
    /// Images and the readers who read them, sorted, each pair once.
    has_read: Vec<(u32, u32)>,
    /// What at least two readers agree on.
    agreed: Result<Vec<Lesion>, Error>,
    /// The images with a box on which nobody agrees with its reader.
    differing: Vec<u32>,
}

/// Whose boxes are the lesions of a ground truth.
#[derive(Debug, Clone)]
pub struct ChosenReaders {
    readers: Readers,
    is_default: bool,
    of: Arc<ByReader>,
    /// The images that are not in the ground truth, since too few have read them: a ground truth of its own without lesions.
    left_out: Option<Arc<GroundTruth>>,
}

impl ChosenReaders {
    /// Whose boxes are lesions.
    #[must_use]
    pub const fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Whether it is so since nobody chose another.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.is_default
    }

    /// The names of all readers of the file, R8 before R10: at least two.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.of.names
    }

    /// All choices that make a ground truth with lesions: what readers agree on, all boxes, each reader.
    #[must_use]
    pub fn choices(&self) -> Vec<ReadersChoice> {
        self.of.choices()
    }

    /// The same, files named as another ground truth of these images has it.
    pub(super) fn under(&self, truth: &GroundTruth) -> Result<Self, Error> {
        let rebuilt = |of: &Arc<GroundTruth>| of.rebuilt(truth.protocol(), &[], Vec::new()).map(Arc::new);
        let left_out = self.left_out.as_ref().map(rebuilt).transpose()?;
        Ok(Self { left_out, ..self.clone() })
    }

    /// Whose boxes the lesions are, as a caption says it.
    #[must_use]
    pub fn caption(&self) -> String {
        let n = self.of.names.len();
        match &self.readers {
            Readers::Agreed => format!("those on which at least two of {n} readers agree"),
            Readers::All => format!("all boxes of {n} readers"),
            Readers::One(name) => format!("those of {} alone, one of {n} readers", printable(name, MAX_SENTENCE_CHARS)),
        }
    }
}

impl GroundTruth {
    /// The same of a file whose rows name their readers, in its order, with the boxes that count unless others are chosen. Of fewer
    /// than two readers it stays as it is.
    ///
    /// # Errors
    /// If there are more than [`MAX_READERS`].
    pub(crate) fn with_readers(self, rows: &[ReadRow<'_>]) -> Result<Self, Error> {
        let mut place_of: BTreeMap<(&str, u64, &str), u32> = rows.iter().map(|row| (in_order(row.reader), 0)).collect();
        if place_of.len() < 2 {
            return Ok(self);
        }
        if place_of.len() > MAX_READERS {
            let what = format!("it names more than {MAX_READERS} readers");
            let expected = "a column of readers with the same names for many boxes, or none";
            return Err(Error::new(&self.name, what, expected).of_kind(ErrorKind::TooLarge));
        }
        place_of.values_mut().zip(0..).for_each(|(place, at)| *place = at);
        let reader = |row: &ReadRow<'_>| place_of.get(&in_order(row.reader)).copied().unwrap_or_default();
        let mut has_read: Vec<(u32, u32)> = rows.iter().map(|row| (row.image, reader(row))).collect();
        has_read.sort_unstable();
        has_read.dedup();
        // Lesions stand image by image and class by class, in each class as in the file.
        let mut of_lesion: Vec<(u32, Class, u32)> =
            rows.iter().filter_map(|row| Some((row.image, row.class?, reader(row)))).collect();
        of_lesion.sort_by_key(|(image, class, _)| (*image, *class));
        let names = place_of.into_keys().map(|(.., name)| name.to_owned()).collect();
        let of_lesion = of_lesion.into_iter().map(|(.., reader)| reader).collect();
        Arc::new(ByReader::new(self, names, of_lesion, has_read)).ground_truth(None)
    }

    /// Whose boxes are lesions, if the file names several readers.
    #[must_use]
    pub fn readers(&self) -> Option<&ChosenReaders> {
        self.readers.as_deref()
    }

    /// The images of the file that are not among these, since too few readers read them: a ground truth of its own, without lesions.
    #[must_use]
    pub(crate) fn left_out(&self) -> Option<&Self> {
        self.readers.as_ref()?.left_out.as_deref()
    }

    /// What the file tells where the boxes of these readers are lesions; or, without them, those that are unless others are chosen. Whatever protocol was chosen
    /// and whatever class ignored is as the file tells it.
    ///
    /// # Errors
    /// If the file does not name several readers, or none of that name; if readers agree on nothing.
    pub fn of_readers(&self, readers: Option<&Readers>) -> Result<Self, Error> {
        match (&self.readers, readers) {
            (Some(chosen), readers) => chosen.of.ground_truth(readers),
            (None, None) => Ok(self.as_told().clone()),
            (None, Some(readers)) => {
                let expected = format!(
                    "a ground truth in which a column such as rad_id names several readers; {} has none",
                    self.name
                );
                Err(Error::option("Readers", format!("there is {}", readers.name()), expected))
            }
        }
    }
}

/// What readers are sorted by, so that R8 comes before R10: the name without the number at its end, that number, and the whole.
fn in_order(name: &str) -> (&str, u64, &str) {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (stem, name[stem.len()..].parse().unwrap_or(0), name)
}

impl ByReader {
    fn new(all: GroundTruth, names: Vec<String>, of_lesion: Vec<u32>, has_read: Vec<(u32, u32)>) -> Self {
        let (mut agreed, mut differing) = (Ok(Vec::new()), Vec::new());
        let mut rest = of_lesion.as_slice();
        for image in 0..all.n_images() as u32 {
            let boxes: Vec<(Class, FileBox)> = all.lesions.in_image_in_file(image as usize).collect();
            for of_class in boxes.chunk_by(|a, b| a.0 == b.0) {
                let (readers, others) = rest.split_at(of_class.len().min(rest.len()));
                rest = others;
                let class = of_class[0].0;
                if of_class.len() > MAX_READ_OF_IMAGE {
                    let image = &all.images()[image as usize];
                    let what = format!("\"{image}\" has {} boxes of class {}", of_class.len(), all.class_name(class));
                    let expected = format!("at most {MAX_READ_OF_IMAGE} among which readers may agree");
                    agreed = Err(Error::new(&all.name, what, expected).of_kind(ErrorKind::TooLarge));
                    continue;
                }
                let drawn: Vec<(u32, FileBox)> = readers.iter().copied().zip(of_class.iter().map(|of| of.1)).collect();
                let groups = groups(&drawn);
                if groups.iter().map(Vec::len).sum::<usize>() < drawn.len() && differing.last() != Some(&image) {
                    differing.push(image);
                }
                if let Ok(lesions) = &mut agreed {
                    lesions.extend(groups.iter().map(|group| Lesion { image, class, bbox: mean(group) }));
                }
            }
        }
        Self { names, all, of_lesion, has_read, agreed, differing }
    }

    /// Images that at least two readers read.
    fn n_read_twice(&self) -> usize {
        self.has_read.chunk_by(|a, b| a.0 == b.0).filter(|of_image| of_image.len() > 1).count()
    }

    /// Whose boxes are lesions unless others are chosen.
    fn default(&self) -> Readers {
        let is_usual = 2 * self.n_read_twice() > self.all.n_images();
        let agree = self.agreed.as_ref().is_ok_and(|lesions| !lesions.is_empty());
        if is_usual && agree { Readers::Agreed } else { Readers::All }
    }

    fn choices(&self) -> Vec<ReadersChoice> {
        let n_agreed = self.agreed.as_ref().map_or(0, Vec::len);
        let agreed = ReadersChoice { readers: Readers::Agreed, n_images: self.n_read_twice(), n_lesions: n_agreed };
        let n_lesions = self.all.n_all_lesions();
        let all = ReadersChoice { readers: Readers::All, n_images: self.all.n_images(), n_lesions };
        let mut each = vec![(0, 0); self.names.len()];
        self.has_read.iter().for_each(|(_, reader)| each[*reader as usize].0 += 1);
        self.of_lesion.iter().for_each(|reader| each[*reader as usize].1 += 1);
        let one = |(name, (n_images, n_lesions)): (&String, (usize, usize))| ReadersChoice {
            readers: Readers::One(name.clone()),
            n_images,
            n_lesions,
        };
        let each = self.names.iter().zip(each).map(one);
        [agreed, all].into_iter().chain(each).filter(|choice| choice.n_lesions > 0).collect()
    }

    /// What the file tells where the boxes of these are lesions.
    fn ground_truth(self: &Arc<Self>, chosen: Option<&Readers>) -> Result<GroundTruth, Error> {
        let default = self.default();
        let readers = chosen.unwrap_or(&default).clone();
        let is_default = readers == default;
        let (is_in, lesions) = match &readers {
            Readers::Agreed => (self.images_of(|of_image| of_image.len() > 1), self.agreed.clone()?),
            Readers::All => (vec![true; self.all.n_images()], self.lesions_of(|_| true)),
            Readers::One(name) => {
                let reader = self.place_of(name)?;
                let has_read = self.images_of(|of_image| of_image.iter().any(|(_, other)| *other == reader));
                (has_read, self.lesions_of(|other| other == reader))
            }
        };
        if readers == Readers::Agreed && lesions.is_empty() {
            let what = format!("no two readers of {} agree on a box", self.all.name);
            return Err(Error::option("Readers", what, "all, or the name of one reader"));
        }
        let mut place_of = vec![0; is_in.len()];
        let mut n = 0;
        for (place, is_in) in place_of.iter_mut().zip(&is_in) {
            *place = n;
            n += u32::from(*is_in);
        }
        let moved = |lesion: Lesion| Lesion { image: place_of[lesion.image as usize], ..lesion };
        let images = |wanted: bool| {
            let named = self.all.images().iter().zip(&is_in).filter(|(_, is_in)| **is_in == wanted);
            named.map(|(name, _)| name.to_owned()).collect::<Vec<String>>()
        };
        let of_images = |images: Vec<String>, lesions: Vec<Lesion>| {
            let (sha256, protocol) = (self.all.sha256.clone(), self.all.protocol.clone());
            let truth = GroundTruth::new(&self.all.name, sha256, protocol, images, &lesions, Vec::new())?;
            Ok::<_, Error>(truth.not_for_script())
        };
        let truth = of_images(images(true), lesions.into_iter().map(moved).collect())?;
        let others = images(false);
        let left_out = (!others.is_empty()).then(|| of_images(others, Vec::new()).map(Arc::new)).transpose()?;
        let differing = self.differing.iter().filter(|image| is_in[**image as usize]);
        let differing = differing.map(|image| place_of[*image as usize]).collect();
        let chosen = ChosenReaders { readers, is_default, of: Arc::clone(self), left_out };
        let findings = chosen.finding(&truth, differing).into_iter().collect();
        Ok(GroundTruth { readers: Some(Arc::new(chosen)), findings, ..truth })
    }

    fn place_of(&self, name: &str) -> Result<u32, Error> {
        let place = self.names.iter().zip(0..).find(|(other, _)| *other == name);
        place.map(|(_, place)| place).ok_or_else(|| {
            let readers: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let expected = format!("all, agreed, or one of the readers {}", readers.join(", "));
            Error::option("Readers", format!("there is {name}"), expected)
        })
    }

    /// Whether each image is one whose readers are so.
    fn images_of(&self, are_so: impl Fn(&[(u32, u32)]) -> bool) -> Vec<bool> {
        let mut is_in = vec![false; self.all.n_images()];
        for of_image in self.has_read.chunk_by(|a, b| a.0 == b.0) {
            is_in[of_image[0].0 as usize] = are_so(of_image);
        }
        is_in
    }

    /// The boxes of these readers.
    fn lesions_of(&self, is_wanted: impl Fn(u32) -> bool) -> Vec<Lesion> {
        let all = (0..self.all.n_images()).flat_map(|image| {
            self.all.lesions.in_image_in_file(image).map(move |(class, bbox)| Lesion {
                image: image as u32,
                class,
                bbox,
            })
        });
        all.zip(&self.of_lesion).filter(|(_, reader)| is_wanted(**reader)).map(|(lesion, _)| lesion).collect()
    }
}

impl ChosenReaders {
    /// How many readers there are, what is scored, and what else could be; none where no image has two readers, so that no lesion
    /// counts twice.
    fn finding(&self, truth: &GroundTruth, differing: Vec<u32>) -> Option<Finding> {
        let by = &self.of;
        if by.n_read_twice() == 0 {
            return None;
        }
        let (n_readers, n_boxes, n_all) = (by.names.len(), by.all.n_all_lesions(), by.all.n_images());
        let (n_lesions, n_images) = (truth.n_all_lesions(), truth.n_images());
        let of_all = if n_images < n_all { format!("{n_images} of {n_all}") } else { n_all.to_string() };
        let scored = match &self.readers {
            Readers::Agreed => {
                let lesions =
                    if n_lesions == 1 { "is the 1 lesion".into() } else { format!("are the {n_lesions} lesions") };
                format!("scored {lesions} that at least two of an image agree on, in {of_all} images")
            }
            Readers::All => {
                "scored are all of them: what two readers drew is two lesions, of which a detection finds one"
                    .to_owned()
            }
            Readers::One(name) => {
                let name = printable(name, MAX_SENTENCE_CHARS);
                format!("scored are the {n_lesions} of {name} alone, in the {of_all} images that {name} read")
            }
        };
        let others: Vec<ReadersChoice> =
            by.choices().into_iter().filter(|choice| choice.readers != self.readers).collect();
        let told = |choice: &ReadersChoice| {
            let name = printable(choice.readers.name(), MAX_SENTENCE_CHARS);
            format!("{name}: {} in {}", counted(choice.n_lesions, "lesion"), counted(choice.n_images, "image"))
        };
        let mut seen = Seen::default();
        for choice in &others {
            seen.add(1, None, || told(choice));
        }
        let sentence = format!("{n_readers} readers drew {n_boxes} boxes; {scored}.");
        Some(Finding { count: n_readers, images: differing, ..seen.finding(SEVERAL_READERS, sentence, FIX) })
    }
}

const FIX: &str = "Choose whose boxes count among the classes on the page, in the terminal by --readers agreed, --readers all or --readers with the name of one.";

/// The lesions that readers agree on, of their boxes of one class in one image: a place for each reader, and the box. Of these
/// pairs of boxes of two readers whose IoU is 0.5 at least, the greatest first, the groups of both boxes become one if no reader is in both
/// and every two boxes of the new one overlap so. A group of two boxes at least is a lesion, whose corners are the means of theirs. Equal IoU goes by
/// corners, so that the order of the boxes decides nothing; lesions come by their corners.
///
/// ```
/// use froc::dataset::agreed;
/// use froc::geometry::FileBox;
/// let at = |x1| FileBox { x1, y1: 0.0, x2: x1 + 30.0, y2: 10.0 };
/// // Neighbours overlap by more than 0.5, the first and the last by less: the nearer two are one lesion, and the third is none.
/// assert_eq!(agreed(&[(0, at(0.0)), (1, at(8.0)), (2, at(14.0))]), [at(11.0)]);
/// assert_eq!(agreed(&[(0, at(0.0)), (1, at(8.0)), (2, at(4.0))]), [at(4.0)]);
/// assert_eq!(agreed(&[(0, at(0.0)), (0, at(1.0))]), []);
/// ```
#[must_use]
pub fn agreed(boxes: &[(u32, FileBox)]) -> Vec<FileBox> {
    groups(boxes).iter().map(|group| mean(group)).collect()
}

/// The boxes of each lesion, by their readers.
fn groups(boxes: &[(u32, FileBox)]) -> Vec<Vec<(u32, FileBox)>> {
    let mut boxes = boxes.to_vec();
    boxes.sort_by(|a, b| a.1.by_corners(b.1).then_with(|| a.0.cmp(&b.0)));
    let agree = |a: usize, b: usize| boxes[a].0 != boxes[b].0 && boxes[a].1.iou(boxes[b].1) >= AGREED_IOU;
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (a, (_, first)) in boxes.iter().enumerate() {
        // Those that begin right of it do not overlap it.
        let near = boxes[a + 1..].iter().take_while(|(_, other)| other.x1 <= first.x2).count();
        pairs.extend((a + 1..=a + near).filter(|b| agree(a, *b)).map(|b| (first.iou(boxes[b].1), a, b)));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    let mut group_of: Vec<usize> = (0..boxes.len()).collect();
    let mut groups: Vec<Vec<usize>> = (0..boxes.len()).map(|at| vec![at]).collect();
    for (_, a, b) in pairs {
        let (a, b) = (group_of[a], group_of[b]);
        if a != b && groups[a].iter().all(|of_a| groups[b].iter().all(|of_b| agree(*of_a, *of_b))) {
            let moved = std::mem::take(&mut groups[b]);
            for at in &moved {
                group_of[*at] = a;
            }
            groups[a].extend(moved);
        }
    }
    let mut found: Vec<Vec<(u32, FileBox)>> = Vec::new();
    for group in groups.iter().filter(|group| group.len() > 1) {
        let mut group: Vec<(u32, FileBox)> = group.iter().map(|at| boxes[*at]).collect();
        group.sort_by_key(|(reader, _)| *reader);
        found.push(group);
    }
    found.sort_by(|a, b| mean(a).by_corners(mean(b)));
    found
}

/// The mean of each corner, summed in the order of the boxes.
fn mean(group: &[(u32, FileBox)]) -> FileBox {
    let mean = |of: fn(FileBox) -> f64| group.iter().map(|(_, bbox)| of(*bbox)).sum::<f64>() / group.len() as f64;
    FileBox { x1: mean(|of| of.x1), y1: mean(|of| of.y1), x2: mean(|of| of.x2), y2: mean(|of| of.y2) }
}
