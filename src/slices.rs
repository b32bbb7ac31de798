//! The score by slices of the images ([section 13](crate::metric)): how they are divided, and what each part reaches.

mod reached;

use std::fmt;

pub use self::reached::{Apart, At, LEAST_LESIONS, Sliced};
use crate::dataset::GroundTruth;
use crate::error::Error;
use crate::input::attributes::{Attribute, Attributes, MAX_VALUES, Values};
use crate::score::sizes::Size;

/// The most slices of a division.
pub const MAX_SLICES: usize = 40;
/// A column of numbers with no more values than this is divided by value.
const FEW_NUMBERS: usize = 4;
/// What an image without a value is called.
const NO_VALUE: &str = "no value";

/// What every ground truth is divided by, without a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuiltIn {
    /// Images without a lesion, and those with one.
    LesionFree,
    /// How many lesions an image has.
    NumberOfLesions,
    /// Lesions by thirds of their class.
    LesionSize,
}

impl BuiltIn {
    const ALL: [Self; 3] = [Self::LesionFree, Self::NumberOfLesions, Self::LesionSize];

    const fn name(self) -> &'static str {
        match self {
            Self::LesionFree => "lesion-free",
            Self::NumberOfLesions => "number of lesions",
            Self::LesionSize => "lesion size",
        }
    }
}

/// What images are divided by: one column, such as `sex` or `age:40:65`, or several crossed, such as `sex*view`.
#[derive(Debug, Clone, PartialEq)]
pub struct By(Vec<Factor>);

/// One column, and the bounds at which its numbers are cut; quartiles, if there are none.
#[derive(Debug, Clone, PartialEq)]
struct Factor {
    name: String,
    bounds: Vec<f64>,
}

impl By {
    /// Reads what stands between commas; each with its factors between stars, and each of those with its bounds behind colons.
    ///
    /// # Errors
    /// If one has no name, or bounds that are no rising numbers.
    ///
    /// ```
    /// use froc::slices::By;
    /// let by = By::parse("sex, Patient Age:40:65*view")?;
    /// let texts: Vec<String> = by.iter().map(By::to_string).collect();
    /// assert_eq!(texts, ["sex", "Patient Age:40:65*view"]);
    /// # Ok::<(), froc::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Vec<Self>, Error> {
        let factor = |text: &str| {
            let wrong = || {
                let expected = "columns such as sex, age:40:65 with rising bounds, or sex*view";
                Error::option("Slices", format!("there is \"{}\"", text.trim()), expected)
            };
            let mut parts = text.split(':').map(str::trim);
            let name = parts.next().unwrap_or_default().to_owned();
            let bounds = parts.map(|bound| bound.parse().ok().filter(|bound: &f64| bound.is_finite()));
            let bounds: Vec<f64> = bounds.collect::<Option<_>>().ok_or_else(wrong)?;
            if name.is_empty() || !bounds.is_sorted_by(|a, b| a < b) {
                return Err(wrong());
            }
            Ok(Factor { name, bounds })
        };
        text.split(',').map(|one| one.split('*').map(factor).collect::<Result<_, Error>>().map(Self)).collect()
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, factor) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "*" })?;
            f.write_str(&factor.name)?;
            factor.bounds.iter().try_for_each(|bound| write!(f, ":{bound}"))?;
        }
        Ok(())
    }
}

/// The images of a ground truth, each in one of several slices; or their lesions by size.
#[derive(Debug, Clone, PartialEq)]
pub struct Division {
    name: String,
    slices: Vec<String>,
    of_image: Vec<u32>,
    /// Each slice is three: lesions of the small, middle and large third of their class.
    is_by_size: bool,
}

/// Something that images can be divided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is divided by.
    pub name: String,
    /// The same as [`By::parse`] reads it.
    pub by: String,
    /// Its slices.
    pub n_slices: usize,
}

impl Division {
    /// The images as they are divided by one thing or by several crossed, without slices that have none.
    ///
    /// # Errors
    /// If there is no such column, it says two things of an image, has too many texts or bounds for texts, or there are more than
    /// [`MAX_SLICES`].
    pub fn new(by: &By, ground_truth: &GroundTruth, attributes: Option<&Attributes>) -> Result<Self, Error> {
        let factors = by.0.iter().map(|factor| factor.division(ground_truth, attributes));
        let mut factors = factors.collect::<Result<Vec<_>, Error>>()?.into_iter();
        // By::parse gives at least one.
        let first = factors.next().unwrap_or_else(|| built_in(BuiltIn::LesionFree, ground_truth));
        let crossed = factors.try_fold(first, Division::crossed)?.without_empty();
        if crossed.slices.len() > MAX_SLICES {
            let what = format!("{} are {} slices", crossed.name, crossed.slices.len());
            return Err(Error::option("Slices", what, format!("{MAX_SLICES} at most")));
        }
        Ok(crossed)
    }

    /// Everything that a ground truth can be divided by: what needs no table, and the columns of one that have a few texts, or
    /// numbers.
    #[must_use]
    pub fn choices(ground_truth: &GroundTruth, attributes: Option<&Attributes>) -> Vec<Choice> {
        let built_in = BuiltIn::ALL.map(|of| built_in(of, ground_truth).without_empty());
        let columns = attributes.map(Attributes::columns).unwrap_or_default();
        // Of several columns of one name the first is meant, and names of signs alone cannot be asked for.
        let names: Vec<String> =
            built_in.iter().map(Self::name).chain(columns.iter().map(Attribute::name)).map(plain).collect();
        let is_meant = |at: usize| !names[at].is_empty() && !names[..at].contains(&names[at]);
        let columns = (built_in.len()..).zip(columns).filter(|(at, column)| is_meant(*at) && !column.is_of_groups());
        let columns = columns.filter_map(|(_, column)| of_column(column, &[], "").ok());
        let all = built_in.into_iter().chain(columns).filter(|division| division.slices.len() > 1);
        let choice = |division: Self| Choice {
            // Names are compared by their letters and digits.
            by: division.name.replace([',', '*', ':'], " ").trim().to_owned(),
            n_slices: division.slices.len(),
            name: division.name,
        };
        all.map(choice).collect()
    }

    /// What the images are divided by: `Patient Age`, `sex * view`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its slices are called.
    #[must_use]
    pub fn slices(&self) -> &[String] {
        &self.slices
    }

    /// Whether lesions are divided, not images alone: then slices have no false positives, which are of no size.
    #[must_use]
    pub const fn is_by_size(&self) -> bool {
        self.is_by_size
    }

    /// Whether an image is in a slice; where lesions are divided by size, it may be in several.
    #[must_use]
    pub fn holds(&self, slice: usize, image: usize) -> bool {
        let [part, _] = self.parts(slice);
        self.of_image.get(image).is_some_and(|of| *of as usize == part)
    }

    /// The size of the lesions of a slice, if it is one of lesions by size.
    #[must_use]
    pub fn size(&self, slice: usize) -> Option<Size> {
        let [_, size] = self.parts(slice);
        self.is_by_size.then(|| SIZES[size].0)
    }

    /// The part of the images that a slice is in, and which of its sizes it is.
    const fn parts(&self, slice: usize) -> [usize; 2] {
        if self.is_by_size { [slice / SIZES.len(), slice % SIZES.len()] } else { [slice, 0] }
    }

    /// The slice of a lesion of that size in that image, or of anything in it where lesions are not divided.
    fn slice(&self, image: usize, size: impl FnOnce() -> Size) -> usize {
        let part = self.of_image[image] as usize;
        if self.is_by_size { part * SIZES.len() + size() as usize } else { part }
    }

    fn crossed(self, other: Self) -> Result<Self, Error> {
        if self.is_by_size && other.is_by_size {
            let what = format!("{} is crossed with {}", self.name, other.name);
            return Err(Error::option("Slices", what, "lesion size once"));
        }
        // Sizes stand last.
        let (first, last) = if self.is_by_size { (other, self) } else { (self, other) };
        let names = |one: &String| last.slices.iter().map(move |other| format!("{one}, {other}")).collect::<Vec<_>>();
        let n_parts = if last.is_by_size { last.slices.len() / SIZES.len() } else { last.slices.len() };
        let places = first.of_image.iter().zip(&last.of_image);
        Ok(Self {
            name: format!("{} * {}", first.name, last.name),
            slices: first.slices.iter().flat_map(names).collect(),
            of_image: places.map(|(one, other)| one * n_parts as u32 + other).collect(),
            is_by_size: last.is_by_size,
        })
    }

    fn without_empty(mut self) -> Self {
        let n_sizes = if self.is_by_size { SIZES.len() } else { 1 };
        let mut is_there = vec![false; self.slices.len() / n_sizes];
        self.of_image.iter().for_each(|part| is_there[*part as usize] = true);
        let mut new = 0;
        let place = is_there.iter().map(|is_there| {
            new += u32::from(*is_there);
            new.saturating_sub(1)
        });
        let place: Vec<u32> = place.collect();
        self.of_image.iter_mut().for_each(|part| *part = place[*part as usize]);
        let kept = self.slices.into_iter().enumerate().filter(|(slice, _)| is_there[slice / n_sizes]);
        self.slices = kept.map(|(_, name)| name).collect();
        self
    }
}

const SIZES: [(Size, &str); 3] =
    [(Size::Small, "smallest third"), (Size::Medium, "middle third"), (Size::Large, "largest third")];

fn built_in(of: BuiltIn, ground_truth: &GroundTruth) -> Division {
    const MOST: usize = 3;
    let images = 0..ground_truth.n_images();
    let (slices, of_image): (&[&str], Vec<u32>) = match of {
        BuiltIn::LesionFree => (
            &["lesion-free", "with lesions", "with ignored lesions alone"],
            images
                .map(|image| match (ground_truth.has_lesions(image), ground_truth.is_lesion_free(image)) {
                    (true, _) => 1,
                    (false, true) => 0,
                    (false, false) => 2,
                })
                .collect(),
        ),
        BuiltIn::NumberOfLesions => (
            &["none", "1 lesion", "2 lesions", "3 lesions or more"],
            images.map(|image| ground_truth.n_lesions_in(image).min(MOST) as u32).collect(),
        ),
        BuiltIn::LesionSize => (&SIZES.map(|(_, name)| name), vec![0; ground_truth.n_images()]),
    };
    Division {
        name: of.name().to_owned(),
        slices: slices.iter().map(|&slice| slice.to_owned()).collect(),
        of_image,
        is_by_size: of == BuiltIn::LesionSize,
    }
}

impl Factor {
    fn division(&self, ground_truth: &GroundTruth, attributes: Option<&Attributes>) -> Result<Division, Error> {
        let columns = attributes.map(Attributes::columns).unwrap_or_default();
        let wanted = plain(&self.name);
        let is_it = |name: &str| is_called(&plain(name), &wanted);
        let file = attributes.map_or("Slices", Attributes::name);
        if let Some(of) = BuiltIn::ALL.into_iter().find(|of| is_it(of.name())) {
            return match self.bounds.first() {
                None => Ok(built_in(of, ground_truth)),
                Some(bound) => {
                    let what = format!("{} is to be cut at {bound}", of.name());
                    Err(Error::option("Slices", what, "no bounds: it is divided by itself"))
                }
            };
        }
        if let Some(column) = columns.iter().find(|column| is_it(column.name())) {
            return of_column(column, &self.bounds, file);
        }
        // `age` is `Patient Age`, if no other column has that word.
        let has_word = |column: &&Attribute| {
            column.name().split(|letter: char| !letter.is_alphanumeric()).any(|word| is_called(&plain(word), &wanted))
        };
        let mut with_word = columns.iter().filter(has_word);
        if let (Some(column), None) = (with_word.next(), with_word.next()) {
            return of_column(column, &self.bounds, file);
        }
        let all: Vec<String> = Division::choices(ground_truth, attributes).into_iter().map(|of| of.name).collect();
        let table = if attributes.is_none() { ", or a table of the images with further columns" } else { "" };
        let what = format!("there is no column \"{}\"", self.name);
        Err(Error::option(file, what, format!("one of {}{table}", all.join(", "))))
    }
}

/// Whether a plain name is the wanted one, or another word for it.
fn is_called(name: &str, wanted: &str) -> bool {
    const SAME: [&str; 2] = ["sex", "gender"];
    name == wanted || [name, wanted].iter().all(|word| SAME.contains(word))
}

/// In lower case, letters and digits alone.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// A column, numbers cut at bounds or else quartiles.
fn of_column(column: &Attribute, bounds: &[f64], file: &str) -> Result<Division, Error> {
    let values = column.values()?;
    let numbers: Option<Vec<Option<f64>>> = values.distinct.iter().map(|text| number(text)).collect();
    let is_number = |numbers: &Vec<Option<f64>>| numbers.iter().any(Option::is_some);
    let (slices, of_image) = match numbers.filter(is_number) {
        Some(numbers) if !bounds.is_empty() || numbers.iter().flatten().count() > FEW_NUMBERS => {
            cut(&numbers, &values.of_image, bounds)
        }
        numbers => {
            let texts = values.distinct.iter().filter(|text| !text.is_empty()).count();
            if let Some(bound) = bounds.first() {
                let what = format!("\"{}\" is to be cut at {bound}, and holds texts", column.name());
                return Err(Error::option(file, what, "numbers, or no bounds"));
            }
            if texts > MAX_VALUES {
                let what = format!("\"{}\" has {texts} different texts", column.name());
                return Err(Error::option(file, what, format!("{MAX_VALUES} at most, or numbers")));
            }
            by_value(values, numbers.as_deref())
        }
    };
    Ok(Division { name: column.name().to_owned(), slices, of_image, is_by_size: false }.without_empty())
}

/// A number, or an age as DICOM writes it (`058Y`, `006M`), in years; `Some(None)` of nothing, `None` of any other text.
#[expect(clippy::option_option, reason = "nothing is not the same as a text")]
fn number(text: &str) -> Option<Option<f64>> {
    if text.is_empty() {
        return Some(None);
    }
    let age = || {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let in_a_year = match unit {
            "Y" => 1.0,
            "M" => 12.0,
            "W" => 52.0,
            "D" => 365.0,
            _ => return None,
        };
        let is_age = digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
        Some(digits.parse::<f64>().ok().filter(|_| is_age)? / in_a_year)
    };
    text.parse().ok().or_else(age).filter(|number: &f64| number.is_finite()).map(Some)
}

/// A slice for each text, by name, or by size if they are numbers; last those without any.
fn by_value(values: &Values, numbers: Option<&[Option<f64>]>) -> (Vec<String>, Vec<u32>) {
    let mut order: Vec<usize> = (0..values.distinct.len()).collect();
    let text = |at: usize| &values.distinct[at];
    match numbers {
        Some(numbers) => order.sort_by(|a, b| {
            let of = |at: usize| numbers[at].unwrap_or(f64::INFINITY);
            of(*a).total_cmp(&of(*b))
        }),
        None => order.sort_by_key(|at| (text(*at).is_empty(), text(*at))),
    }
    let mut places = vec![0; order.len()];
    (0..).zip(&order).for_each(|(place, at)| places[*at] = place);
    let name = |at: usize| if text(at).is_empty() { NO_VALUE.to_owned() } else { text(at).clone() };
    let of_image = values.of_image.iter().map(|at| places[*at as usize]).collect();
    (order.into_iter().map(name).collect(), of_image)
}

/// Slices between bounds, or else between quartiles of the images: the values at a quarter, a half and three quarters of their
/// sorted list, so that equal ones are never parted. Last those without a number.
fn cut(numbers: &[Option<f64>], of_image: &[u32], bounds: &[f64]) -> (Vec<String>, Vec<u32>) {
    let of = |at: &u32| numbers[*at as usize];
    let mut bounds = bounds.to_vec();
    if bounds.is_empty() {
        let mut sorted: Vec<f64> = of_image.iter().filter_map(of).collect();
        radsort::sort(&mut sorted);
        bounds = [1, 2, 3].map(|quarter| sorted[quarter * sorted.len() / 4]).to_vec();
        bounds.dedup();
    }
    // What is below the first bound may be nothing; without_empty takes that away.
    let first = bounds.first().map(|first| format!("below {first}"));
    let between = bounds.windows(2).map(|ends| format!("{} to below {}", ends[0], ends[1]));
    let last = bounds.last().map(|last| format!("{last} or more"));
    let slices: Vec<String> = first.into_iter().chain(between).chain(last).chain([NO_VALUE.to_owned()]).collect();
    let place = |number: Option<f64>| match number {
        Some(number) => bounds.iter().filter(|bound| number >= **bound).count() as u32,
        None => bounds.len() as u32 + 1,
    };
    (slices, of_image.iter().map(|at| place(of(at))).collect())
}
