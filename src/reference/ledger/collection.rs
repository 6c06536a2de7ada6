//! The rows of one list, kept in the order of their keys, with a memory of what came and went.

use std::{collections::HashMap, time::Instant};

use super::{Key, Row};

/// Rows in ascending order of their keys.
pub(in crate::reference) struct Collection<R> {
    rows: Vec<R>,
    births: HashMap<u32, Birth>,
    graves: Vec<Grave<R>>,
    changes: u64,
}

/// When a row that was not seeded came to be.
#[derive(Debug, Clone, Copy)]
pub(in crate::reference) struct Birth {
    /// The number of the change that made it.
    pub(in crate::reference) change: u64,
    pub(in crate::reference) at: Instant,
}

/// A deleted row.
pub(in crate::reference) struct Grave<R> {
    pub(in crate::reference) row: R,
    /// The number of the change that made it; 0 for a seeded row.
    pub(in crate::reference) born: u64,
    /// The number of the change that deleted it.
    pub(in crate::reference) died: u64,
}

impl<R: Row> Collection<R> {
    /// A list that was there before the API started.
    pub(in crate::reference) fn seeded(mut rows: Vec<R>) -> Self {
        if !rows.is_sorted_by_key(Row::key) {
            rows.sort_by_key(Row::key);
        }
        Self { rows, births: HashMap::new(), graves: Vec::new(), changes: 0 }
    }

    pub(in crate::reference) fn rows(&self) -> &[R] {
        &self.rows
    }

    /// How many inserts and deletes there have been.
    pub(in crate::reference) fn changes(&self) -> u64 {
        self.changes
    }

    /// Rows that were created, by id; seeded rows are not among them.
    pub(in crate::reference) fn births(&self) -> &HashMap<u32, Birth> {
        &self.births
    }

    pub(in crate::reference) fn graves(&self) -> &[Grave<R>] {
        &self.graves
    }

    pub(in crate::reference) fn get(&self, id: u32) -> Option<&R> {
        self.rows.iter().find(|row| row.key().id == id)
    }

    /// Where a row stands, or stood before it was deleted.
    pub(in crate::reference) fn place_of(&self, id: u32) -> Option<Key> {
        let dead = || self.graves.iter().map(|grave| grave.row.key()).find(|key| key.id == id);
        self.get(id).map(Row::key).or_else(dead)
    }

    pub(in crate::reference) fn insert(&mut self, row: R) {
        self.changes += 1;
        self.births.insert(row.key().id, Birth { change: self.changes, at: Instant::now() });
        self.put(row);
    }

    /// Deletes a row; false if there is none.
    pub(in crate::reference) fn remove(&mut self, id: u32) -> bool {
        let Some(index) = self.rows.iter().position(|row| row.key().id == id) else { return false };
        self.changes += 1;
        let born = self.births.remove(&id).map_or(0, |birth| birth.change);
        let row = self.rows.remove(index);
        self.graves.push(Grave { row, born, died: self.changes });
        true
    }

    /// Changes a row, which may move it.
    pub(in crate::reference) fn update(&mut self, id: u32, change: impl FnOnce(&mut R)) {
        if let Some(index) = self.rows.iter().position(|row| row.key().id == id) {
            let mut row = self.rows.remove(index);
            change(&mut row);
            self.put(row);
        }
    }

    fn put(&mut self, row: R) {
        let index = self.rows.partition_point(|other| other.key() < row.key());
        self.rows.insert(index, row);
    }
}
