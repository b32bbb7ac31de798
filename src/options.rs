//! How detections are scored: the IoU threshold and the rates at which recall is read.

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::geometry::Measure;

/// The IoU threshold of the official script.
const DEFAULT_IOU_THRESHOLD: f64 = 0.5;
/// The distance to begin with where a person chooses one, in pixels.
const DEFAULT_DISTANCE: f64 = 10.0;
/// The rates of the official script, in false positives per image.
const DEFAULT_FP_PER_IMAGE: [f64; 3] = [0.05, 0.1, 0.2];

/// What is to be known about a measure that decides on hits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct MeasureFacts {
    /// The measure.
    pub measure: Measure,
    /// What it is called, such as `IoBB`.
    pub name: &'static str,
    /// When a detection finds a lesion, in one sentence that speaks of the threshold.
    pub about: &'static str,
    /// The threshold to begin with; none where there is no threshold.
    pub threshold: Option<f64>,
    /// What the threshold is in, such as `px`; nothing of a share.
    pub unit: &'static str,
}

impl Measure {
    /// What is to be known about it.
    #[must_use]
    pub const fn facts(self) -> MeasureFacts {
        let about = match self {
            Self::Iou => "Intersection over union of the two boxes is at least the threshold, 0 to 1.",
            Self::Iobb => "At least this share of the detection's box, 0 to 1, lies in the lesion's.",
            Self::Ior => "At least this share of the lesion's box, 0 to 1, lies in the detection's.",
            Self::Centre => "The centre of the detection lies in the lesion's box or on its border.",
            Self::Distance => "The centres of the two boxes are at most so many pixels apart.",
        };
        let (threshold, unit) = match self {
            Self::Centre => (None, ""),
            Self::Distance => (Some(DEFAULT_DISTANCE), "px"),
            Self::Iou | Self::Iobb | Self::Ior => (Some(DEFAULT_IOU_THRESHOLD), ""),
        };
        MeasureFacts { measure: self, name: self.name(), about, threshold, unit }
    }
}

/// When a detection finds a lesion ([section 11](crate::metric)).
///
/// ```
/// use froc::options::Hit;
/// let captions = ["iobb:0.3", "centre", "distance:10"].map(|text| Hit::parse(text).map(|hit| hit.to_string()));
/// assert_eq!(captions.map(Result::unwrap_or_default), ["IoBB 0.3", "centre in the box", "centres within 10 pixels"]);
/// assert_eq!(Hit::parse("ior")?.id(), "ior:0.5");
/// # Ok::<(), froc::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    measure: Measure,
    threshold: f64,
}

impl Default for Hit {
    /// That of the official script: an IoU of 0.5.
    fn default() -> Self {
        Self { measure: Measure::Iou, threshold: DEFAULT_IOU_THRESHOLD }
    }
}

impl Hit {
    /// A measure with its threshold: the least share, above 0 and up to 1; the greatest distance in pixels, above 0; of
    /// [`Measure::Centre`], any, which becomes 0.
    ///
    /// # Errors
    /// If the threshold is out of range.
    pub fn new(measure: Measure, threshold: f64) -> Result<Self, Error> {
        match measure {
            Measure::Centre => Ok(Self { measure, threshold: 0.0 }),
            Measure::Distance if threshold > 0.0 && (threshold as f32).is_finite() => Ok(Self { measure, threshold }),
            _ if measure.is_share() && threshold == 0.0 => {
                let expected = "a number above 0, such as 0.5: at 0 every box would find any lesion of its image";
                Err(Error::option(Self::place(measure), "there is 0", expected))
            }
            _ if measure.is_share() && threshold > 0.0 && threshold <= 1.0 => Ok(Self { measure, threshold }),
            _ => Err(Self::threshold_error(measure, &threshold.to_string())),
        }
    }

    /// A measure with its threshold as a person typed it; of [`Measure::Centre`] any text.
    ///
    /// # Errors
    /// If it is no number, or out of range.
    pub fn typed(measure: Measure, threshold: &str) -> Result<Self, Error> {
        if measure == Measure::Centre {
            return Self::new(measure, 0.0);
        }
        let number = threshold.trim().replacen(',', ".", 1).parse();
        Self::new(measure, number.map_err(|_| Self::threshold_error(measure, threshold))?)
    }

    /// What a sentence calls the threshold of a measure.
    fn place(measure: Measure) -> String {
        if measure == Measure::Iou { "IoU threshold".to_owned() } else { format!("Hit criterion {}", measure.id()) }
    }

    fn threshold_error(measure: Measure, there: &str) -> Error {
        let expected =
            if measure.is_share() { "a number from 0 to 1, such as 0.5" } else { "pixels above 0, such as 10" };
        Error::option(Self::place(measure), there_is(there), expected)
    }

    /// One that was in range when it was written down.
    #[must_use]
    pub(crate) const fn written(measure: Measure, threshold: f64) -> Self {
        Self { measure, threshold }
    }

    /// Reads `iou:0.5`, `iobb:0.5`, `ior:0.5`, `centre` or `distance:10`; a share that is not told is 0.5.
    ///
    /// # Errors
    /// If it is none of these, or its threshold is out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, threshold) = match text.trim().split_once(':') {
            Some((name, threshold)) => (name.trim(), Some(threshold.trim())),
            None => (text.trim(), None),
        };
        let wrong = || {
            let expected = "iou:0.5, iobb:0.5, ior:0.5, centre, or distance:10 for 10 pixels";
            Error::option("Hit criterion", there_is(text), expected)
        };
        let measure = Measure::ALL.into_iter().find(|measure| measure.id() == name).ok_or_else(wrong)?;
        match (threshold, measure) {
            (Some(_), Measure::Centre) | (None, Measure::Distance) => Err(wrong()),
            (Some(threshold), _) => Self::typed(measure, threshold),
            (None, _) => Self::new(measure, DEFAULT_IOU_THRESHOLD),
        }
    }

    /// What is compared with the threshold.
    #[must_use]
    pub const fn measure(self) -> Measure {
        self.measure
    }

    /// The threshold, as in [`Hit::new`].
    #[must_use]
    pub const fn threshold(self) -> f64 {
        self.threshold
    }

    /// As [`Hit::parse`] reads it.
    #[must_use]
    pub fn id(self) -> String {
        match self.measure {
            Measure::Centre => Measure::Centre.id().to_owned(),
            measure => format!("{}:{}", measure.id(), self.threshold),
        }
    }
}

impl fmt::Display for Hit {
    /// As a caption names it: `IoU 0.5`, `centre in the box`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            Measure::Centre => formatter.write_str(Measure::Centre.name()),
            Measure::Distance => write!(formatter, "centres within {} pixels", self.threshold),
            measure => write!(formatter, "{} {}", measure.name(), self.threshold),
        }
    }
}

/// Options of an evaluation; [`Options::default`] is what the official script does.
///
/// ```
/// let options = froc::Options::default();
/// assert_eq!(options.iou_threshold(), 0.5);
/// assert_eq!(options.fp_per_image(), [0.05, 0.1, 0.2]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    hit: Hit,
    fp_per_image: Vec<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { hit: Hit::default(), fp_per_image: DEFAULT_FP_PER_IMAGE.to_vec() }
    }
}

impl Options {
    /// Options with an IoU threshold above 0 and up to 1 and rising rates above 0, in false positives per image.
    ///
    /// # Errors
    /// If the threshold is out of range, or the rates are none, not finite, not above 0 or not rising.
    pub fn new(iou_threshold: f64, fp_per_image: Vec<f64>) -> Result<Self, Error> {
        Self::of_hit(Hit::new(Measure::Iou, iou_threshold)?, fp_per_image)
    }

    /// Options with a hit criterion and such rates.
    ///
    /// # Errors
    /// If the rates are none, not finite, not above 0 or not rising.
    pub fn of_hit(hit: Hit, fp_per_image: Vec<f64>) -> Result<Self, Error> {
        let in_range = fp_per_image.iter().all(|rate| rate.is_finite() && *rate > 0.0);
        if fp_per_image.is_empty() || !in_range || !fp_per_image.is_sorted_by(|a, b| a < b) {
            let there: Vec<String> = fp_per_image.iter().map(f64::to_string).collect();
            return Err(Self::rates_error(&there.join(", ")));
        }
        Ok(Self { hit, fp_per_image })
    }

    /// The same with other rates, as [`Options::new`] has them.
    ///
    /// # Errors
    /// As [`Options::of_hit`].
    pub(crate) fn with_rates(&self, fp_per_image: Vec<f64>) -> Result<Self, Error> {
        Self::of_hit(self.hit, fp_per_image)
    }

    /// The same with another hit criterion.
    #[must_use]
    pub fn with_hit(self, hit: Hit) -> Self {
        Self { hit, ..self }
    }

    /// The same with another share as threshold, which is clipped to 0.01..=1.
    #[must_use]
    pub(crate) fn with_iou_threshold(&self, iou_threshold: f64) -> Self {
        let hit = Hit { threshold: iou_threshold.clamp(0.01, 1.0), ..self.hit };
        Self { hit, fp_per_image: self.fp_per_image.clone() }
    }

    /// Reads what a person typed: a number, and numbers set apart by commas, semicolons or blanks. A comma may stand for a
    /// decimal point where nothing else makes sense: `0,05; 0,1` are two rates.
    ///
    /// # Errors
    /// As [`Options::new`]; if a text is no number; and if commas could be either: `1,5` is one rate, or two.
    ///
    /// ```
    /// use froc::Options;
    /// assert_eq!(Options::parse("0,5", "0,05; 0,1")?, Options::parse("0.5", "0.05, 0.1")?);
    /// assert!(Options::parse("0.5", "1,5").is_err());
    /// # Ok::<(), froc::Error>(())
    /// ```
    pub fn parse(iou_threshold: &str, fp_per_image: &str) -> Result<Self, Error> {
        Self::parse_of_hit(Hit::typed(Measure::Iou, iou_threshold)?, fp_per_image)
    }

    /// The same with a hit criterion that is known.
    ///
    /// # Errors
    /// As [`Options::parse`], of the rates.
    pub fn parse_of_hit(hit: Hit, fp_per_image: &str) -> Result<Self, Error> {
        let read = |rates: Option<Vec<f64>>| rates.and_then(|rates| Self::of_hit(hit, rates).ok());
        let between = read(numbers(fp_per_image, &[',', ';'], |text| text.parse().ok()));
        let decimal = read(numbers(fp_per_image, &[';'], |text| with_decimal_comma(text)?.parse().ok()));
        match (between, decimal) {
            (Some(between), Some(decimal)) if between != decimal => {
                let list = |options: &Self, by: &str| {
                    options.fp_per_image.iter().map(f64::to_string).collect::<Vec<_>>().join(by)
                };
                let expected = format!(
                    "{} or {}: a comma may stand for a decimal point, or between two rates",
                    list(&decimal, "; "),
                    list(&between, "; ")
                );
                Err(Error::option("False positives per image", there_is(fp_per_image), expected))
            }
            (Some(options), _) | (None, Some(options)) => Ok(options),
            (None, None) => match numbers(fp_per_image, &[',', ';'], |text| text.parse().ok()) {
                Some(rates) => Self::of_hit(hit, rates),
                None => Err(Self::rates_error(fp_per_image)),
            },
        }
    }

    fn rates_error(there: &str) -> Error {
        Error::option("False positives per image", there_is(there), "rising numbers above 0, such as 0.05, 0.1, 0.2")
    }

    /// Whether these are the official script's own: an IoU threshold of 0.5, rates of 0.05, 0.1 and 0.2. Under any other
    /// its rules give numbers that are not official ones.
    #[must_use]
    pub fn are_official(&self) -> bool {
        // Every option has to be weighed here: one that is added does not compile until it is.
        let Self { hit, fp_per_image } = self;
        *hit == Hit::default() && *fp_per_image == DEFAULT_FP_PER_IMAGE
    }

    /// When a detection finds a lesion. A ground truth and the runs that were made for it are of one measure
    /// ([`Protocol::measure`](crate::protocol::Protocol::measure)): that one counts, with this threshold.
    #[must_use]
    pub const fn hit(&self) -> Hit {
        self.hit
    }

    /// The threshold of the hit criterion: the least IoU with which a detection finds a lesion, above 0 and up to 1, unless it is
    /// that of another measure ([`Hit::threshold`]). It is compared in `f32`.
    #[must_use]
    pub const fn iou_threshold(&self) -> f64 {
        self.hit.threshold
    }

    /// Rates at which recall is read, in false positives per image: above 0 and rising, at least one.
    #[doc(alias = "FPPI")]
    #[doc(alias = "NLF")]
    #[must_use]
    pub fn fp_per_image(&self) -> &[f64] {
        &self.fp_per_image
    }
}

/// How images are resampled; [`Resampling::default`] is 2,000 replicates of seed 1 and 95 % intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampling {
    replicates: u32,
    seed: u64,
    level: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { replicates: 2000, seed: 1, level: 0.95 }
    }
}

impl Resampling {
    /// The most replicates: more would not move an interval by anything that can be seen.
    pub const MAX_REPLICATES: u32 = 100_000;

    /// `replicates` in 1..=100,000, any seed, `level` of the intervals above 0 and below 1.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn new(replicates: u32, seed: u64, level: f64) -> Result<Self, Error> {
        if !(1..=Self::MAX_REPLICATES).contains(&replicates) {
            let expected = format!("a whole number from 1 to {}, such as 2000", Self::MAX_REPLICATES);
            return Err(Error::option("Bootstrap replicates", there_is(&replicates.to_string()), expected));
        }
        if !(level > 0.0 && level < 1.0) {
            let what = there_is(&level.to_string());
            return Err(Error::option("Level of the intervals", what, "a number between 0 and 1, such as 0.95"));
        }
        Ok(Self { replicates, seed, level })
    }

    /// How often the images are drawn.
    #[must_use]
    pub const fn replicates(&self) -> u32 {
        self.replicates
    }

    /// What the draws follow from.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The share of replicates within an interval, above 0 and below 1.
    #[must_use]
    pub const fn level(&self) -> f64 {
        self.level
    }
}

/// The rate up to which areas under curves are taken unless another is asked for.
pub const DEFAULT_AREA_UP_TO: f64 = 1.0;

/// The rate up to which areas under curves are taken, in false positives per image, above 0 and finite.
///
/// # Errors
/// If it is not.
pub fn area_up_to(fp_per_image: f64) -> Result<f64, Error> {
    if fp_per_image.is_finite() && fp_per_image > 0.0 {
        return Ok(fp_per_image);
    }
    let what = there_is(&fp_per_image.to_string());
    Err(Error::option("Rate up to which areas are taken", what, "a number above 0, such as 1"))
}

/// How much more recall weighs than precision in F-scores unless another number is asked for.
pub const DEFAULT_BETA: f64 = 1.0;

/// How much more recall weighs than precision in F-scores, above 0 and up to 100.
///
/// # Errors
/// If it is not.
pub fn beta(beta: f64) -> Result<f64, Error> {
    if beta > 0.0 && beta <= 100.0 {
        return Ok(beta);
    }
    let expected = "a number above 0 and up to 100, such as 2, which makes recall weigh twice as much as precision";
    Err(Error::option("Beta of the F-score", there_is(&beta.to_string()), expected))
}

/// The numbers that stand between blanks or one of `separators`.
fn numbers(text: &str, separators: &[char], number: impl Fn(&str) -> Option<f64>) -> Option<Vec<f64>> {
    let is_between = |letter: char| letter.is_whitespace() || separators.contains(&letter);
    text.split(is_between).filter(|text| !text.is_empty()).map(number).collect()
}

/// A number whose decimal point may be a comma; a comma at its end stands before the next number.
fn with_decimal_comma(text: &str) -> Option<String> {
    let text = text.strip_suffix(',').unwrap_or(text);
    (text.matches([',', '.']).count() <= 1).then(|| text.replace(',', "."))
}

fn there_is(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { "there is nothing".into() } else { format!("there is {text}") }
}

/// The least image specificity at which sensitivity is read unless another is asked for.
pub const DEFAULT_SPECIFICITY: f64 = 0.9;

/// The least image specificity at which sensitivity is read, above 0 and up to 1.
///
/// # Errors
/// If it is not.
pub fn specificity(specificity: f64) -> Result<f64, Error> {
    if specificity > 0.0 && specificity <= 1.0 {
        return Ok(specificity);
    }
    let expected = "a share above 0 and up to 1, such as 0.9: nine of ten images without a lesion show nothing";
    Err(Error::option("Specificity of images", there_is(&specificity.to_string()), expected))
}
