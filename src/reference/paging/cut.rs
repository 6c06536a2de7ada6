//! Takes one page out of ordered rows.

use std::borrow::Borrow;

use serde_json::Value;

use super::mark::Place;
use crate::reference::ledger::{Ids, Key, Row};

/// How the rows are ordered, and which are wanted.
pub(super) struct Sieve<'a, R> {
    pub(super) descending: bool,
    /// What the rows are in ascending order of.
    pub(super) key: fn(&R) -> Key,
    pub(super) wanted: &'a dyn Fn(&R) -> bool,
    pub(super) ids: Ids,
}

/// A row of a page.
#[derive(Debug)]
pub(super) struct Taken {
    /// Where it stands in the order the page was cut in.
    pub(super) place: Key,
    /// Where it stands by its own sort key.
    pub(super) key: Key,
    /// How it is sent.
    pub(super) value: Value,
}

/// One page.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) rows: Vec<Taken>,
    /// The first wanted row after the page.
    pub(super) beyond: Option<Key>,
    /// Whether there is a wanted row before the page.
    pub(super) before: bool,
}

impl<R: Row> Sieve<'_, R> {
    /// The page of at most `limit` rows at this place; `rows` ascend by the sieve's key.
    pub(super) fn cut<T: Borrow<R>>(&self, rows: &[T], place: Place, limit: usize) -> Cut {
        let (mut ahead, mut behind) = self.split(rows, place);
        if let Place::Before(_) | Place::UpTo(_) = place {
            let mut page: Vec<&R> = behind.by_ref().take(limit).collect();
            page.reverse();
            return self.page(&page, ahead.next(), behind.next());
        }
        let skipped = if let Place::Offset(rows) = place { rows } else { 0 };
        let mut ahead = ahead.skip(skipped);
        let page: Vec<&R> = ahead.by_ref().take(limit).collect();
        let first = if skipped > 0 { self.split(rows, Place::Start).0.next() } else { behind.next() };
        self.page(&page, ahead.next(), first)
    }

    /// How many rows are wanted.
    pub(super) fn count<T: Borrow<R>>(&self, rows: &[T]) -> usize {
        rows.iter().filter(|row| (self.wanted)((*row).borrow())).count()
    }

    /// The place that many wanted rows before this one.
    pub(super) fn step_back<T: Borrow<R>>(&self, rows: &[T], place: Place, count: usize) -> Place {
        let row = self.split(rows, place).1.nth(count);
        row.map_or(Place::Start, |row| Place::After((self.key)(row)))
    }

    fn page(&self, rows: &[&R], beyond: Option<&R>, before: Option<&R>) -> Cut {
        Cut {
            rows: rows.iter().map(|row| self.take(row)).collect(),
            beyond: beyond.map(self.key),
            before: before.is_some(),
        }
    }

    fn take(&self, row: &R) -> Taken {
        Taken { place: (self.key)(row), key: row.key(), value: row.render(self.ids) }
    }

    /// The wanted rows from a place onwards in the order of the list, and those from it backwards.
    fn split<'r, T: Borrow<R>>(&'r self, rows: &'r [T], place: Place) -> (Rows<'r, R>, Rows<'r, R>)
    where
        R: 'r,
    {
        let index = match (place, self.descending) {
            (Place::Start | Place::Offset(_), false) => 0,
            (Place::Start | Place::Offset(_), true) => rows.len(),
            // The row itself lies behind: above the split if the list descends, below it if it ascends.
            (Place::After(key) | Place::UpTo(key), descending) => self.first(rows, key, !descending),
            (Place::Before(key), descending) => self.first(rows, key, descending),
        };
        let (low, high) = rows.split_at(index);
        let wanted = |row: &&'r R| (self.wanted)(row);
        let up = high.iter().map(T::borrow).filter(wanted);
        let down = low.iter().rev().map(T::borrow).filter(wanted);
        if self.descending { (Box::new(down), Box::new(up)) } else { (Box::new(up), Box::new(down)) }
    }

    /// Index of the first row at or, if `past`, after a key.
    fn first<T: Borrow<R>>(&self, rows: &[T], key: Key, past: bool) -> usize {
        rows.partition_point(|row| {
            let own = (self.key)(row.borrow());
            own < key || (past && own == key)
        })
    }
}

type Rows<'a, R> = Box<dyn Iterator<Item = &'a R> + 'a>;
