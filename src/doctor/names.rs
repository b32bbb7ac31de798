//! Class names that are none of the ground truth, and what they may mean.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, LEAST_BOXES, ON_PURPOSE, SYSTEMATIC, all, boxes, percent, sample, with};
use crate::dataset::Predictions;
use crate::finding::{Finding, MAX_EXAMPLES, Remedy, Seen, UNKNOWN_LESION_CLASS, UNREAD_CLASS_NAME};
use crate::geometry::{BBox, Extent, iou};
use crate::printable::printable;
use crate::protocol::{Class, Protocol};
use crate::reading::Reading;

/// More of a name is not shown.
const MAX_NAME_CHARS: usize = 60;
/// So many names are shown of those that there are.
const MAX_SHOWN: usize = 12;
const CODE: &str = UNREAD_CLASS_NAME.code;

/// A numbering that puts this share of the boxes on lesions of their class that any could put there is as good.
const NEARLY: f64 = 0.9;
/// The best numbering puts so many times the boxes on lesions of their class that the numbers as they are read put there.
const CLEAR: f64 = 1.5;

/// Words of radiology that say no more than the class does.
const SYNONYMS: [(&str, &str); 16] = [
    ("airspaceconsolidation", "Consolidation"),
    ("lungconsolidation", "Consolidation"),
    ("pulmonaryconsolidation", "Consolidation"),
    ("lungfibrosis", "Fibrosis"),
    ("pulmonaryfibrosis", "Fibrosis"),
    ("pleuraleffusion", "Effusion"),
    ("lungnodule", "Nodule"),
    ("pulmonarynodule", "Nodule"),
    ("lungmass", "Mass"),
    ("pulmonarymass", "Mass"),
    ("lungemphysema", "Emphysema"),
    ("pulmonaryemphysema", "Emphysema"),
    ("calcified", "Calcification"),
    ("atelectases", "Atelectasis"),
    ("ribfracture", "Fracture"),
    ("pneumothoraces", "Pneumothorax"),
];
/// A name with one of these words says that there is no such finding.
const NEGATIONS: [&str; 6] = ["no", "non", "not", "without", "negative", "absent"];

/// A finding for each class name in another spelling, each with a remedy of its own, and one for all names that mean no
/// class.
pub(super) fn class_names(case: Case<'_>) -> Vec<Finding> {
    let detections = case.predictions.detections();
    let protocol = case.ground_truth.protocol();
    let is_known = |name: &String| protocol.class_of_prediction(name).is_some() || protocol.is_ignored(name);
    let numbering = Numbering::of(case);
    if numbering.is_none() && detections.names().iter().all(is_known) {
        return Vec::new();
    }
    let is_numbered = |name: &str| numbering.as_ref().is_some_and(|numbering| numbering.classes.contains_key(name));
    let mut names: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut under_numbers = Seen::default();
    for (image, at) in all(case) {
        let (name, class) = (detections.name(at), case.run.class(detections, at));
        if is_numbered(name) {
            let is_otherwise =
                numbering.as_ref().is_some_and(|numbering| numbering.classes.get(name) != class.as_ref());
            under_numbers.add(usize::from(is_otherwise), Some(image as u32), String::new);
        } else if class.is_none() && !protocol.is_ignored(name) {
            names.entry(name).or_default().add(1, Some(image as u32), String::new);
        }
    }
    let mut findings = Vec::new();
    findings.extend(numbering.as_ref().map(|numbering| numbering.finding(case, under_numbers)));
    let mut unknown: Vec<(&str, Seen)> = Vec::new();
    for (name, seen) in names {
        match nearest(name, protocol).filter(|_| !is_listed(case, name)) {
            Some(class) => findings.push(near(case, name, seen, class)),
            None => unknown.push((name, seen)),
        }
    }
    unknown.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.count));
    findings.extend(meaningless(&unknown));
    findings
}

/// Names that are to be read as classes, but under which no file of the run has a box.
#[must_use]
pub fn absent_names(predictions: &Predictions, reading: &Reading) -> Option<Finding> {
    let names = predictions.detections().names();
    let known: BTreeSet<&String> = names.iter().collect();
    let absent = reading.class_names.iter().filter(|(name, _)| !known.contains(name));
    let seen = Seen::at(absent.map(|(name, class)| format!("\"{}\" for {class}", printable(name, MAX_NAME_CHARS))));
    let sentence = match seen.count {
        1 => "No box stands under a class name that is to be read as another.".to_owned(),
        n => format!("No box stands under {n} class names that are to be read as others."),
    };
    let there: Vec<String> = names.iter().take(MAX_SHOWN).map(|name| printable(name, MAX_NAME_CHARS)).collect();
    let fix = format!("Check how the files write them; they have {}.", there.join(", "));
    (seen.count > 0 && !names.is_empty()).then(|| seen.finding("class_name_not_there", sentence, fix))
}

/// How class names are to be written: a script reads them in lower case, too.
fn fix(case: Case<'_>) -> String {
    let protocol = case.ground_truth.protocol();
    if protocol.has_script() {
        return UNREAD_CLASS_NAME.fix.to_owned();
    }
    let first = protocol.class_names().first().map_or_else(String::new, |name| printable(name, MAX_NAME_CHARS));
    format!("Write class names as the ground truth does ({first}).")
}

/// Whether the ground truth has lesions of that name, which are none of a class: a thing of its own.
fn is_listed(case: Case<'_>, name: &str) -> bool {
    let unknown = case.ground_truth.findings().iter().filter(|finding| finding.code == UNKNOWN_LESION_CLASS.code);
    unknown.flat_map(|finding| &finding.examples).any(|example| example.starts_with(&format!("\"{name}\" in ")))
}

fn near(case: Case<'_>, name: &str, seen: Seen, class: Class) -> Finding {
    let class = case.ground_truth.class_name(class);
    let shown = printable(name, MAX_NAME_CHARS);
    let stand = if seen.count == 1 { "1 box stands".to_owned() } else { format!("{} boxes stand", seen.count) };
    let who = if case.ground_truth.protocol().has_script() {
        "the official script does not read"
    } else {
        "the ground truth does not have"
    };
    let sentence = format!("{stand} under the class name \"{shown}\", which {who} but which seems to mean {class}.");
    let remedy = Remedy {
        label: format!("Read \"{shown}\" as {class}"),
        reading: with(case.reading, |reading| {
            reading.class_names.insert(name.to_owned(), class.to_owned());
        }),
    };
    let finding = seen.finding(CODE, sentence, fix(case));
    let examples = vec![format!("\"{shown}\" for {class}")];
    Finding { about: Some(name.to_owned()), examples, remedy: Some(remedy), ..finding }
}

/// Names that mean no class, with the number of boxes under each, the most first.
fn meaningless(unknown: &[(&str, Seen)]) -> Option<Finding> {
    let seen = Seen::all(unknown.iter().map(|(_, seen)| seen.clone()));
    let sentence = match seen.count {
        1 => "1 box stands under a class name that the ground truth does not have, and is not read.".to_owned(),
        n => format!("{n} boxes stand under class names that the ground truth does not have, and are not read."),
    };
    let fix = "If they are meant to count, give them the class names of the ground truth.";
    let example = |(name, Seen { count, .. }): &(&str, Seen)| {
        format!("\"{}\" ({count} {})", printable(name, MAX_NAME_CHARS), if *count == 1 { "box" } else { "boxes" })
    };
    let examples = unknown.iter().take(MAX_EXAMPLES).map(example).collect();
    (seen.count > 0).then(|| Finding { examples, ..seen.finding(CODE, sentence, fix) })
}

/// What numbers in place of class names mean, all of them together: they are one numbering.
struct Numbering {
    /// By the number as it is written.
    classes: BTreeMap<String, Class>,
    /// How it counts.
    how: &'static str,
    /// Of the boxes on a lesion, the share on one of their class, read so and as they were.
    right: [f64; 2],
    /// The mean recall, likewise.
    recall: [f64; 2],
}

/// How many boxes of a number lie on a lesion of each class, and on any.
#[derive(Default)]
struct Votes {
    of: BTreeMap<Class, usize>,
    any: usize,
}

impl Numbering {
    /// The numbering that puts the most boxes on lesions of their class, if it is clearly better than what they are read as, and
    /// scores higher.
    fn of(case: Case<'_>) -> Option<Self> {
        let (detections, truth) = (case.predictions.detections(), case.ground_truth);
        let numbers: BTreeMap<&str, usize> =
            detections.names().iter().filter_map(|name| Some((name.as_str(), name.trim().parse().ok()?))).collect();
        let votes = votes(case, &numbers)?;
        let n_right = |classes: &BTreeMap<&str, Class>| -> usize {
            let of = |(name, class): (&&str, &Class)| votes.get(name)?.of.get(class).copied();
            classes.iter().filter_map(of).sum()
        };
        let order: Vec<Class> = truth.classes().collect();
        let mut by_name = order.clone();
        by_name.sort_by_key(|class| truth.class_name(*class));
        let counted = |order: &[Class], first: usize| -> BTreeMap<&str, Class> {
            let class = |number: usize| order.get(number.checked_sub(first)?).copied();
            numbers.iter().filter_map(|(name, number)| Some((*name, class(*number)?))).collect()
        };
        let ordered = [
            ("counted from 0", counted(&order, 0)),
            ("counted from 1", counted(&order, 1)),
            ("counted from 0 in alphabetical order", counted(&by_name, 0)),
            ("counted from 1 in alphabetical order", counted(&by_name, 1)),
        ];
        let best = elected(&votes);
        let enough = NEARLY * n_right(&best) as f64;
        // Of equal ones the first.
        let as_good = ordered.into_iter().rev().filter(|(_, classes)| n_right(classes) as f64 >= enough);
        let (how, classes) = as_good
            .max_by_key(|(_, classes)| n_right(classes))
            .unwrap_or(("each taken for the class that most of its boxes lie on", best));
        let as_is = numbers.keys().filter_map(|name| Some((*name, truth.protocol().class_of_prediction(name)?)));
        let (right, before) = (n_right(&classes), n_right(&as_is.collect()));
        let any: usize = votes.values().map(|votes| votes.any).sum();
        let [share, share_before] = [right, before].map(|n| n as f64 / any.max(1) as f64);
        if right < LEAST_BOXES || share < SYSTEMATIC || share < CLEAR * share_before {
            return None;
        }
        let classes: BTreeMap<String, Class> =
            classes.into_iter().map(|(name, class)| (name.to_owned(), class)).collect();
        let mut reading = Reading::default();
        reading.class_names.extend(names_of(case, &classes));
        let recall = [boxes::scored_read(case, &reading)?.recall, boxes::scored(case)?.recall];
        (recall[0] > recall[1]).then_some(Self { classes, how, right: [share, share_before], recall })
    }

    fn finding(&self, case: Case<'_>, seen: Seen) -> Finding {
        let meant: BTreeMap<String, String> = names_of(case, &self.classes).collect();
        let stand = match seen.count {
            1 => "1 box stands under a number instead of a class name".to_owned(),
            n => format!("{n} boxes stand under numbers instead of class names"),
        };
        let ([right, right_before], [recall, recall_before]) = (self.right.map(percent), self.recall.map(percent));
        let sentence = format!(
            "{stand}. Of those on a lesion, {right_before} lie on one of their class as they are read; {}, {right} do, and the mean recall at 0.2 false positives per image is {recall} instead of {recall_before}.",
            self.how
        );
        let examples = meant.iter().take(MAX_EXAMPLES).map(|(name, class)| format!("\"{name}\" for {class}")).collect();
        let remedy = Remedy {
            label: "Read the numbers as classes".into(),
            reading: with(case.reading, |reading| reading.class_names.extend(meant)),
        };
        let finding = seen.finding(CODE, sentence, fix(case));
        Finding { about: Some("numbers".to_owned()), examples, remedy: Some(remedy), ..finding }
    }
}

fn names_of(case: Case<'_>, classes: &BTreeMap<String, Class>) -> impl Iterator<Item = (String, String)> {
    classes.iter().map(move |(name, class)| (name.clone(), case.ground_truth.class_name(*class).to_owned()))
}

/// What the boxes under each of the numbers lie on; `None` if no box has a number.
fn votes<'a>(case: Case<'a>, numbers: &BTreeMap<&'a str, usize>) -> Option<BTreeMap<&'a str, Votes>> {
    if numbers.is_empty() {
        return None;
    }
    let detections = case.predictions.detections();
    let mut votes: BTreeMap<&str, Votes> = numbers.keys().map(|name| (*name, Votes::default())).collect();
    for (image, at) in sample(case) {
        let Some(votes) = votes.get_mut(detections.name(at)) else { continue };
        let bbox = detections.bbox(at);
        let is_on = |lesion: BBox| iou(bbox, lesion, Extent::PlusOne) >= ON_PURPOSE;
        let on = case.ground_truth.lesions_in(image).filter(|(.., lesion)| is_on(*lesion));
        let on: BTreeSet<Class> = on.map(|(class, ..)| class).collect();
        votes.any += usize::from(!on.is_empty());
        for class in on {
            *votes.of.entry(class).or_default() += 1;
        }
    }
    Some(votes)
}

/// Each number as the class that most of its boxes lie on, each class for one number, those with the most boxes first.
fn elected<'a>(votes: &BTreeMap<&'a str, Votes>) -> BTreeMap<&'a str, Class> {
    let mut pairs: Vec<(usize, &str, Class)> =
        votes.iter().flat_map(|(name, votes)| votes.of.iter().map(|(class, n)| (*n, *name, *class))).collect();
    pairs.sort_by_key(|(n, ..)| std::cmp::Reverse(*n));
    let (mut taken, mut elected) = (BTreeSet::new(), BTreeMap::new());
    for (_, name, class) in pairs {
        if !elected.contains_key(name) && taken.insert(class) {
            elected.insert(name, class);
        }
    }
    elected
}

/// The class that a name spells otherwise: the same letters but for case and plural, one or two mistakes, or a known
/// synonym. A compound name (Diffuse Nodule) or a negated one (non-nodule) is another thing and means no class.
///
/// ```
/// use froc::doctor::nearest;
/// use froc::protocol::Protocol;
/// let classes = Protocol::default();
/// let meant = |name| nearest(name, &classes).map(|class| classes.class_name(class));
/// assert_eq!(meant("NODULES"), Some("Nodule"));
/// assert_eq!(meant("Pleural Effusion"), Some("Effusion"));
/// assert_eq!(meant("Diffuse Nodule"), None);
/// ```
#[must_use]
pub fn nearest(name: &str, protocol: &Protocol) -> Option<Class> {
    let letters = |text: &str| text.to_lowercase().chars().filter(|letter| letter.is_alphabetic()).collect::<String>();
    let plain = letters(name);
    let words: BTreeSet<String> = name.split(|letter: char| !letter.is_alphabetic()).map(letters).collect();
    let is_negated = |class: &str| {
        NEGATIONS.iter().any(|word| words.contains(*word) || plain.strip_prefix(word).is_some_and(|rest| rest == class))
    };
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    let meant = SYNONYMS.iter().find(|(synonym, _)| [&plain, singular].contains(synonym)).map(|(_, class)| *class);
    let is_near = |class: &Class| {
        let name = protocol.class_name(*class);
        let class = letters(name);
        let is_plural = plain == format!("{class}s") || plain == format!("{class}es");
        // Two mistakes in a word of ten letters or so; class names differ by far more.
        let is_spelled = strsim::damerau_levenshtein(&plain, &class) <= if class.len() > 6 { 2 } else { 1 };
        !is_negated(&class) && !class.is_empty() && (meant == Some(name) || is_plural || is_spelled)
    };
    let near: Vec<Class> = protocol.classes().filter(is_near).collect();
    match near[..] {
        [one] => Some(one),
        _ => None,
    }
}
