//! Many short texts in one, and a way to find them again: a name a million times costs its bytes and a few more, and
//! not an allocation.

use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Index;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// A list of texts, one after the other in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    all: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Texts {
    /// No texts, with room for the ends of so many.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { all: String::new(), ends: Vec::with_capacity(n) }
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// Appends all texts of another list.
    pub fn append(&mut self, other: &Self) {
        let before = self.all.len();
        self.all.push_str(&other.all);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of that number, from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.all.get(start..end)
    }

    /// All of them, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.all[std::mem::replace(&mut start, *end)..*end])
    }

    /// Makes room for one more of so many bytes, if there is memory for it.
    #[must_use]
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        self.all.try_reserve(bytes).is_ok() && self.ends.try_reserve(1).is_ok()
    }

    /// Gives back room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// The text of that number, from 0, which must be there.
impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start..self.ends[at]]
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all.shrink();
        all
    }
}

impl From<Vec<String>> for Texts {
    fn from(texts: Vec<String>) -> Self {
        texts.into_iter().collect()
    }
}

/// Finds things by a text of theirs. It keeps their numbers and hashes alone: whoever asks compares the texts.
#[derive(Debug, Clone, Default)]
pub struct Finder(HashTable<(u64, u32)>);

impl Finder {
    /// A finder with room for `n` things.
    #[must_use]
    pub(crate) fn for_n(n: usize) -> Self {
        Self(HashTable::with_capacity(n))
    }

    /// The number of the thing with that text: `is_it` compares.
    pub fn find(&self, text: &str, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.0.find(hash(text), |(_, number)| is_it(*number)).map(|(_, number)| *number)
    }

    /// Keeps the number of a thing with that text, or gives the number of the one that has it already.
    pub fn insert(&mut self, text: &str, number: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        match self.0.entry(hash(text), |(_, other)| is_it(*other), |(hash, _)| *hash) {
            Entry::Occupied(before) => Some(before.get().1),
            Entry::Vacant(free) => {
                free.insert((hash(text), number));
                None
            }
        }
    }
}

/// The same for all programs and runs: what is found does not depend on it, and names that collide take long to make up.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_order() {
        let texts: Texts = ["a", "", "bc", "ä"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "bc", "ä"]);
        assert_eq!((texts.len(), texts.get(1), texts.get(3), texts.get(4)), (4, Some(""), Some("ä"), None));
        assert_eq!((&texts[0], &texts[2]), ("a", "bc"));
        assert!(Texts::default().is_empty());
    }

    #[test]
    fn each_of_many_is_found_and_no_other() {
        let texts: Texts = (0..5000).map(|number| number.to_string()).collect();
        let mut finder = Finder::for_n(texts.len());
        for (text, number) in texts.iter().zip(0..) {
            assert_eq!(finder.insert(text, number, |other| &texts[other as usize] == text), None);
        }
        for (text, number) in texts.iter().zip(0..) {
            assert_eq!(finder.find(text, |other| &texts[other as usize] == text), Some(number));
            assert_eq!(finder.insert(text, 7, |other| &texts[other as usize] == text), Some(number));
        }
        assert_eq!(finder.find("5000", |other| &texts[other as usize] == "5000"), None);
        assert_eq!(Finder::default().find("0", |_| true), None);
    }
}
