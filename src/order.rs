//! Sorting that is compiled once for all types: each type that the standard library sorts takes some 6 KB of the page's
//! engine. Numbers in great numbers are sorted by their digits instead, with `radsort`.

use std::cmp::Ordering;

/// The places `0..n` in the order that `compare` gives them; equal ones stay in order.
#[must_use]
pub fn places(n: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<u32> {
    let mut places: Vec<u32> = (0..n as u32).collect();
    places.sort_by(|a, b| compare(*a as usize, *b as usize));
    places
}

/// The values in the order that `compare` gives them; equal ones stay in order.
#[must_use]
pub fn sorted<T>(values: Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    if values.len() < 2 {
        return values;
    }
    let places = places(values.len(), &mut |a, b| compare(&values[a], &values[b]));
    let mut values: Vec<Option<T>> = values.into_iter().map(Some).collect();
    places.into_iter().filter_map(|at| values[at as usize].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_stay_in_order() {
        let falling = sorted(vec![(1, 'a'), (2, 'b'), (1, 'c')], |a, b| b.0.cmp(&a.0));
        assert_eq!(falling, [(2, 'b'), (1, 'a'), (1, 'c')]);
        assert_eq!(sorted(Vec::<u8>::new(), Ord::cmp), [0_u8; 0]);
    }
}
