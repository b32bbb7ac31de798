//! What a dataset's evaluation is, as one value that belongs to a ground truth ([section 10](crate::metric)).

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use tsify::Tsify;

use crate::geometry::{Extent, Measure};

/// Where `ChestX-Det10` is told of: its dataset, its paper, and its script at the commit that is followed here.
pub const CHESTX_DET10_LINKS: [&str; 3] = [
    "https://github.com/Deepwise-AILab/ChestX-Det10-Dataset",
    "https://arxiv.org/abs/2006.10550",
    "https://github.com/Deepwise-AILab/ChestX-Det10-Dataset/blob/c535e9a/eval.py",
];

/// The ten findings of ChestX-Det10, in the order of its script (`eval.py`, commit c535e9a).
pub const CHESTX_DET10: [&str; 10] = [
    "Consolidation",
    "Fibrosis",
    "Effusion",
    "Nodule",
    "Mass",
    "Emphysema",
    "Calcification",
    "Atelectasis",
    "Fracture",
    "Pneumothorax",
];

/// The class of ChestX-Det10 of exactly that name.
#[must_use]
pub fn chestx_det10(name: &[u8]) -> Option<Class> {
    CHESTX_DET10.iter().position(|class| class.as_bytes() == name).map(Class::at)
}

/// A class as its place among those of the protocol, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class(u16);

impl Class {
    /// The class at that place; places are below [`MAX_CLASSES`].
    #[must_use]
    pub const fn at(index: usize) -> Self {
        Self(index as u16)
    }

    /// The place among the classes of the protocol, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The most classes that a protocol has.
pub const MAX_CLASSES: usize = 10_000;

/// The class name of detections whose file has none for any: they are of the class of a dataset that has one.
pub(crate) const NO_CLASS: &str = "no class column";

/// What a dataset's evaluation is: its name and its classes. Copies are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol(Arc<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    name: String,
    classes: Vec<String>,
    /// What the files call each class by number; empty where they do not.
    numbers: Vec<String>,
    /// Names and numbers of classes that are not scored.
    ignored: Vec<(String, Option<String>)>,
    /// What decides which lesion a detection finds.
    measure: Measure,
    /// Whether the dataset comes with a script whose numbers are the official ones.
    has_script: bool,
}

impl Default for Protocol {
    /// ChestX-Det10: ten classes, scored by its script.
    fn default() -> Self {
        let classes = CHESTX_DET10.map(str::to_owned).to_vec();
        let name = "ChestX-Det10".to_owned();
        Self(Arc::new(Inner {
            name,
            classes,
            numbers: Vec::new(),
            ignored: Vec::new(),
            measure: Measure::Iou,
            has_script: true,
        }))
    }
}

/// A protocol that can be chosen for any ground truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(Tsify))]
pub struct ProtocolFacts {
    /// The name by which it is asked for, such as `chestx-det10`.
    pub name: &'static str,
    /// What it is called, such as `ChestX-Det10`.
    pub label: &'static str,
    /// What it changes, in one sentence.
    pub about: &'static str,
}

impl Protocol {
    /// The protocols that can be chosen in place of what a file tells.
    pub const BUILT_IN: [ProtocolFacts; 1] = [ProtocolFacts {
        name: "chestx-det10",
        label: "ChestX-Det10",
        about: "Its ten classes are scored, by the rules of its script, too; lesions of other classes are left out.",
    }];

    /// The built-in protocol that is asked for by that name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        (name == Self::BUILT_IN[0].name).then(Self::default)
    }

    /// A protocol of that name with these classes, without a script; classes after the first [`MAX_CLASSES`] are left out.
    #[must_use]
    pub fn new(name: &str, mut classes: Vec<String>) -> Self {
        classes.truncate(MAX_CLASSES);
        let name = name.to_owned();
        Self(Arc::new(Inner {
            name,
            classes,
            numbers: Vec::new(),
            ignored: Vec::new(),
            measure: Measure::Iou,
            has_script: false,
        }))
    }

    /// The same where files may call each class by a number, such as the id of a category in COCO: one for each class, in order.
    #[must_use]
    pub(crate) fn numbered(&self, numbers: Vec<String>) -> Self {
        Self(Arc::new(Inner { numbers, ..(*self.0).clone() }))
    }

    /// The same without the classes of these names, which are known as such that are not scored.
    #[must_use]
    pub(crate) fn ignoring(&self, names: &[String]) -> Self {
        let mut inner = Inner { classes: Vec::new(), numbers: Vec::new(), ..(*self.0).clone() };
        for class in self.classes() {
            let (name, number) = (self.class_name(class).to_owned(), self.number(class).map(str::to_owned));
            if names.contains(&name) {
                inner.ignored.push((name, number));
            } else {
                inner.classes.push(name);
                inner.numbers.extend(number);
            }
        }
        Self(Arc::new(inner))
    }

    /// The names of the classes that are not scored, since a person asked to ignore them.
    pub fn ignored_classes(&self) -> impl Iterator<Item = &str> {
        self.0.ignored.iter().map(|(name, _)| name.as_str())
    }

    /// Whether predictions mean a class by that name that is not scored.
    #[must_use]
    pub(crate) fn is_ignored(&self, name: &str) -> bool {
        self.0.ignored.iter().any(|(class, number)| {
            class == name
                || (self.has_script() && class.to_ascii_lowercase() == name)
                || number.as_deref() == Some(name)
        })
    }

    /// What decides which lesion a detection finds: intersection over union, unless another is chosen.
    #[must_use]
    pub fn measure(&self) -> Measure {
        self.0.measure
    }

    /// The same with another one.
    #[must_use]
    pub(crate) fn measured_by(&self, measure: Measure) -> Self {
        Self(Arc::new(Inner { measure, ..(*self.0).clone() }))
    }

    /// How far a box reaches: the script of ChestX-Det10 adds a pixel to widths and heights, others do not.
    #[must_use]
    pub fn extent(&self) -> Extent {
        if self.has_script() { Extent::PlusOne } else { Extent::Plain }
    }

    /// What it is called, such as `ChestX-Det10`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether the dataset comes with a script whose numbers are the official ones.
    #[must_use]
    pub fn has_script(&self) -> bool {
        self.0.has_script
    }

    /// How many classes it has.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.0.classes.len()
    }

    /// All classes, in order.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = Class> + Clone + use<> {
        (0..self.n_classes()).map(Class::at)
    }

    /// The name of a class of this protocol.
    #[must_use]
    pub fn class_name(&self, class: Class) -> &str {
        self.0.classes.get(class.index()).map_or("", String::as_str)
    }

    /// The names of all classes, in order.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.0.classes
    }

    /// What the files call a class by number, if they do, such as the id of a category in COCO.
    #[must_use]
    pub(crate) fn number(&self, class: Class) -> Option<&str> {
        self.0.numbers.get(class.index()).map(String::as_str)
    }

    /// The class of exactly that name.
    #[must_use]
    pub fn class_named(&self, name: &str) -> Option<Class> {
        self.0.classes.iter().position(|class| class == name).map(Class::at)
    }

    /// The class that predictions mean by that name: the one of exactly that name or, where the dataset has a script, of that
    /// name in lower case, which the script reads, too; else the one of that number; and the only one, where no class is named.
    #[must_use]
    pub(crate) fn class_of_prediction(&self, name: &str) -> Option<Class> {
        let is_lower = |class: &String| {
            class.len() == name.len() && class.bytes().zip(name.bytes()).all(|(a, b)| a.to_ascii_lowercase() == b)
        };
        let lower = || self.0.classes.iter().position(is_lower).filter(|_| self.has_script()).map(Class::at);
        let numbered = || self.0.numbers.iter().position(|number| number == name).map(Class::at);
        let only = || (name == NO_CLASS && self.n_classes() == 1).then(|| Class::at(0));
        self.class_named(name).or_else(lower).or_else(numbered).or_else(only)
    }
}

/// One value for each class of a protocol, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct PerClass<T>(Vec<T>);

impl<T> Default for PerClass<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerClass<T> {
    /// The value that `of` gives each of the classes.
    pub fn new(protocol: &Protocol, of: impl FnMut(Class) -> T) -> Self {
        Self(protocol.classes().map(of).collect())
    }

    /// All values, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// All values, in order, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

impl<T> Index<Class> for PerClass<T> {
    type Output = T;

    fn index(&self, class: Class) -> &T {
        &self.0[class.index()]
    }
}

impl<T> IndexMut<Class> for PerClass<T> {
    fn index_mut(&mut self, class: Class) -> &mut T {
        &mut self.0[class.index()]
    }
}

impl<T> IntoIterator for PerClass<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a mut PerClass<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl<'a, T> IntoIterator for &'a PerClass<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> FromIterator<T> for PerClass<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_known_by_their_exact_names() {
        let protocol = Protocol::default();
        assert_eq!(protocol.n_classes(), CHESTX_DET10.len());
        for (class, name) in protocol.classes().zip(CHESTX_DET10) {
            assert_eq!((protocol.class_name(class), protocol.class_named(name)), (name, Some(class)));
            assert_eq!(protocol.class_named(&name.to_lowercase()), None);
            assert_eq!(protocol.class_of_prediction(&name.to_lowercase()), Some(class));
            assert_eq!(protocol.class_of_prediction(&name.to_uppercase()), None);
        }
        let many = Protocol::new("many", (0..365).map(|n| format!("class {n}")).collect());
        assert_eq!(many.class_named("class 364").map(Class::index), Some(364));
        assert!(!many.has_script());
    }
}
