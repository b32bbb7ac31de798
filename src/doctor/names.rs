//! Class names that are none of the ground truth, and what they may mean.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, LEAST_GAIN, all, beside_lesions, share_on_lesions, with};
use crate::dataset::Detections;
use crate::finding::{Finding, MAX_EXAMPLES, Remedy, Seen, UNKNOWN_LESION_CLASS, UNREAD_CLASS_NAME};
use crate::printable::printable;
use crate::protocol::{Class, Protocol};

/// More of a name is not shown.
const MAX_NAME_CHARS: usize = 60;
const CODE: &str = UNREAD_CLASS_NAME.code;
const FIX: &str = "Write class names as the ground truth does (Nodule) or in lower case (nodule).";

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
    if detections.names().iter().all(is_known) {
        return Vec::new();
    }
    let mut names: BTreeMap<&str, Seen> = BTreeMap::new();
    for (image, at) in all(case) {
        if case.run.class(detections, at).is_none() && !protocol.is_ignored(detections.name(at)) {
            names.entry(detections.name(at)).or_default().add(1, Some(image as u32), String::new);
        }
    }
    let numbers = index_names(case, &names);
    let mut findings = Vec::new();
    if !numbers.is_empty() {
        findings.push(numbered(case, &names, &numbers));
    }
    let mut unknown: Vec<(&str, Seen)> = Vec::new();
    for (name, seen) in names.into_iter().filter(|(name, _)| !numbers.contains_key(*name)) {
        match nearest(name, protocol).filter(|_| !is_listed(case, name)) {
            Some(class) => findings.push(near(case, name, seen, class)),
            None => unknown.push((name, seen)),
        }
    }
    unknown.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.count));
    findings.extend(meaningless(&unknown));
    findings
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
    let sentence = format!(
        "{stand} under the class name \"{shown}\", which the official script does not read but which seems to mean {class}."
    );
    let remedy = Remedy {
        label: format!("Read \"{shown}\" as {class}"),
        reading: with(case.reading, |reading| {
            reading.class_names.insert(name.to_owned(), class.to_owned());
        }),
    };
    let finding = seen.finding(CODE, sentence, FIX);
    let examples = vec![format!("\"{shown}\" for {class}")];
    Finding { about: Some(name.to_owned()), examples, remedy: Some(remedy), ..finding }
}

/// Numbers are one numbering, so they are confirmed together.
fn numbered(case: Case<'_>, names: &BTreeMap<&str, Seen>, numbers: &BTreeMap<String, Class>) -> Finding {
    let of_number = |(name, seen): (&&str, &Seen)| numbers.contains_key(*name).then(|| seen.clone());
    let seen = Seen::all(names.iter().filter_map(of_number));
    let meant = |(name, class): (&String, &Class)| (name.clone(), case.ground_truth.class_name(*class).to_owned());
    let meant: BTreeMap<String, String> = numbers.iter().map(meant).collect();
    let sentence = match seen.count {
        1 => "1 box stands under a number instead of a class name.".to_owned(),
        n => format!("{n} boxes stand under numbers instead of class names."),
    };
    let examples = meant.iter().take(MAX_EXAMPLES).map(|(name, class)| format!("\"{name}\" for {class}")).collect();
    let remedy = Remedy {
        label: "Read the numbers as classes".into(),
        reading: with(case.reading, |reading| reading.class_names.extend(meant)),
    };
    let finding = seen.finding(CODE, sentence, FIX);
    Finding { about: Some("numbers".to_owned()), examples, remedy: Some(remedy), ..finding }
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

/// The class that a name means if it is a number: counted from 0 or from 1, as puts more boxes on lesions.
fn index_names(case: Case<'_>, names: &BTreeMap<&str, Seen>) -> BTreeMap<String, Class> {
    let numbers: BTreeMap<&str, usize> =
        names.keys().filter_map(|name| Some((*name, name.trim().parse().ok()?))).collect();
    let from = |first: usize| -> BTreeMap<String, Class> {
        let class = |number: usize| case.ground_truth.classes().nth(number.checked_sub(first)?);
        numbers.iter().filter_map(|(name, number)| Some(((*name).to_owned(), class(*number)?))).collect()
    };
    let share = |classes: &BTreeMap<String, Class>| {
        let class_of = |detections: &Detections, at: usize| classes.get(detections.name(at)).copied();
        share_on_lesions(&beside_lesions(case, class_of))
    };
    let (zero, one) = (from(0), from(1));
    let chosen = if share(&one) > share(&zero) { one } else { zero };
    // A number alone is no evidence: some of the boxes must be where such lesions are.
    if share(&chosen) >= LEAST_GAIN { chosen } else { BTreeMap::new() }
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
