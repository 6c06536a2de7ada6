//! Rows by identity: 16 bytes each, whatever their ids are.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, Hasher},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Scalar;

/// A row's identity within one run: a keyed 128-bit hash of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u128);

impl Serialize for RowId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for RowId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Turns ids into [`RowId`]s; keyed at random, so that a target cannot choose ids that collide.
#[derive(Debug, Default)]
pub struct Identity(std::hash::RandomState);

impl Identity {
    /// The identity of a row; `None` where the row has no usable id.
    pub fn of(&self, id: Option<&Scalar>) -> Option<RowId> {
        id?.text().map(|text| self.of_text(text))
    }

    /// The identity of the row with that id, a number and the same number as text being one.
    pub fn of_text(&self, id: &str) -> RowId {
        // One pass for both halves: the second goes on from the state of the first, by an octet no text contains.
        let mut hasher = self.0.build_hasher();
        hasher.write(id.as_bytes());
        let first = hasher.finish();
        hasher.write_u8(0xff);
        RowId(u128::from(first) << 64 | u128::from(hasher.finish()))
    }
}

/// The ids that rows were received with, as far as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(BTreeMap<RowId, String>);

/// So many rows are named; rows beyond are told by where they were seen.
const MOST_NAMES: usize = 5_000;
/// Longer ids are cut for display.
const LONGEST_NAME: usize = 80;

impl Names {
    /// Keeps a row's id while there is room.
    pub fn keep(&mut self, row: RowId, id: &Scalar) {
        if self.0.len() < MOST_NAMES {
            self.insist(row, id.text().unwrap_or_default());
        }
    }

    /// Keeps a row's id in any case; for rows that the probe itself created.
    pub fn insist(&mut self, row: RowId, id: &str) {
        self.0.entry(row).or_insert_with(|| {
            let end = id.char_indices().nth(LONGEST_NAME).map_or(id.len(), |(end, _)| end);
            id[..end].to_owned()
        });
    }

    /// The id, or a stand-in for rows that are not named.
    pub fn of(&self, row: RowId) -> String {
        self.0.get(&row).cloned().unwrap_or_else(|| format!("row {:08x}", row.0 >> 96))
    }
}

/// The rows of a walk, in the order received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowList {
    /// Each of them.
    Listed(Vec<RowId>),
    /// The same rows in the same order as the check's reference walk, as far as that many.
    AsReference(usize),
}

impl Default for RowList {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

/// A row that a walk delivered more than once: where, counting rows from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The row.
    pub row: RowId,
    /// Where it was first.
    pub first: usize,
    /// Where it was again.
    pub again: usize,
}

/// Looking for repetitions takes copies of so large a part of the rows at a time: a power of two of them.
const PARTS: u32 = 8;

/// Every repetition among the rows, in the order met; sorts copies of parts, so that a million rows stay cheap.
pub fn repeats(rows: &[RowId]) -> Vec<Repeat> {
    let mut doubled: Vec<RowId> = Vec::new();
    let mut sorted: Vec<RowId> = Vec::with_capacity(rows.len() / PARTS as usize * 17 / 16);
    for part in 0..u128::from(PARTS) {
        sorted.clear();
        sorted.extend(rows.iter().copied().filter(|row| row.0 >> (u128::BITS - PARTS.ilog2()) == part));
        sorted.sort_unstable();
        doubled.extend(sorted.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]));
    }
    drop(sorted);
    doubled.dedup();
    if doubled.is_empty() {
        return Vec::new();
    }
    let mut first = HashMap::new();
    let mut found = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if doubled.binary_search(row).is_ok() {
            match first.entry(*row) {
                std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(at)),
                std::collections::hash_map::Entry::Occupied(entry) => {
                    found.push(Repeat { row: *row, first: *entry.get(), again: at });
                }
            }
        }
    }
    found
}

/// The rows of `expected` that are not among `seen`, in the order of `expected`.
pub fn missing(expected: &[RowId], seen: &[RowId]) -> Vec<RowId> {
    let mut sorted = seen.to_vec();
    sorted.sort_unstable();
    expected.iter().filter(|row| sorted.binary_search(row).is_err()).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u128]) -> Vec<RowId> {
        numbers.iter().copied().map(RowId).collect()
    }

    #[test]
    fn repeats_tell_where_first_and_where_again() {
        let found = repeats(&ids(&[5, 3, 5, 9, 3, 5]));
        let told: Vec<_> = found.iter().map(|r| (r.row.0, r.first, r.again)).collect();
        assert_eq!(told, [(5, 0, 2), (3, 1, 4), (5, 0, 5)]);
        assert_eq!(repeats(&ids(&[1, 2, 3])), []);
    }

    #[test]
    fn repeats_are_found_whatever_part_of_the_numbers_they_lie_in() {
        let far_apart: Vec<u128> = (0..16).map(|part| part << 124).collect();
        let rows = ids(&[&far_apart[..], &far_apart[..], &[u128::MAX]].concat());
        let told: Vec<_> = repeats(&rows).iter().map(|r| (r.first, r.again)).collect();
        assert_eq!(told, (0..16).map(|at| (at, at + 16)).collect::<Vec<_>>());
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let mut names = Names::default();
        names.insist(RowId(1), &"é".repeat(100));
        names.insist(RowId(2), "short");
        assert_eq!((names.of(RowId(1)), names.of(RowId(2))), ("é".repeat(LONGEST_NAME), "short".into()));
    }

    #[test]
    fn both_halves_of_an_identity_depend_on_the_id_and_differ() {
        let identity = Identity::default();
        let rows: Vec<u128> = (0..1_000).map(|number| identity.of_text(&format!("row {number}")).0).collect();
        for half in [0, 64] {
            #[expect(clippy::cast_possible_truncation, reason = "one half is looked at alone")]
            let halves: std::collections::BTreeSet<u64> = rows.iter().map(|row| (row >> half) as u64).collect();
            assert_eq!(halves.len(), rows.len());
        }
        assert!(rows.iter().all(|row| row >> 64 != row & u128::from(u64::MAX)));
    }

    #[test]
    fn missing_keeps_the_expected_order() {
        assert_eq!(missing(&ids(&[4, 1, 3, 2]), &ids(&[1, 2])), ids(&[4, 3]));
    }

    #[test]
    fn a_number_and_the_same_text_are_one_row_and_nothing_is_none() {
        let identity = Identity::default();
        let number = identity.of(Some(&Scalar::Number("7".into())));
        assert_eq!(number, identity.of(Some(&Scalar::Text("7".into()))));
        assert!(number.is_some());
        assert_ne!(number, identity.of(Some(&Scalar::Text("8".into()))));
        assert_eq!(identity.of(Some(&Scalar::Null)), None);
        assert_eq!(identity.of(None), None);
    }

    #[test]
    fn ids_survive_serialisation() {
        let row = RowId(u128::MAX - 5);
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<RowId>(&text).unwrap(), row);
    }
}
