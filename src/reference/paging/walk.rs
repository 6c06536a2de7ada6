//! Which rows a page holds, and where the walk goes on.

use std::{borrow::Borrow, cmp::Reverse, time::Duration};

use serde_json::Value;

use super::{
    asked::{Asked, Sort},
    cursors::Opened,
    cut::{Cut, Sieve, Taken},
    filter::{Edges, Filter},
    mark::{Mark, Place},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::pagination::{
        CURSOR_CYCLE, DUPLICATE_ROW, INSERT_REPEATS, LOST_ROW, NO_TIE_BREAKER, OFFSET_BEHIND_CURSOR,
        ORDER_BROKEN_ACROSS_PAGES, ORDER_IGNORED, PLAIN_OFFSET_CURSOR, PREV_LINK_WRONG, SILENT_CUT, SIZE_DEPENDENT,
        UNBOUNDED_BY_DEFAULT,
    },
    ledger::{Collection, Ids, Key, Row, Transfer},
    variants::{EMPTY_LAST_PAGE, SHORT_PAGES, SLOW_LIST, SLOW_VISIBILITY, SNAPSHOT_CURSOR},
};

/// How long a created row stays out of lists under the variants that are slow to show it.
const LAG: Duration = Duration::from_millis(150);

/// One page of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    /// Where the next page starts, if there is one.
    pub(super) next: Option<Mark>,
    /// Where the previous page ends, if there is one.
    pub(super) prev: Option<Mark>,
    /// Where a later request could go on.
    pub(super) end: Option<Mark>,
    /// Rows of the whole list that match.
    pub(super) total: usize,
}

/// A walk through one list.
pub(super) struct Walk<'a, R> {
    pub(super) is: &'a Behaviour,
    pub(super) collection: &'a Collection<R>,
    pub(super) filter: Filter<R>,
    pub(super) asked: &'a Asked,
    pub(super) ids: Ids,
}

impl<R: Row> Walk<'_, R> {
    /// The page at a position.
    pub(super) fn page(&self, opened: &Opened) -> Page {
        let mark = opened.mark;
        let edges = Edges::of(self.is);
        // A defect lets a cursor pass with another filter than its own; the rows then match neither.
        let all = self.filter.wants_all() || !opened.same_filters;
        let wanted = |row: &R| all || self.filter.wants(row, edges);
        let by_id = self.is.has(ORDER_BROKEN_ACROSS_PAGES);
        let key = if by_id { |row: &R| Key { at: 0, ..row.key() } } else { R::key };
        let sieve = Sieve { descending: self.descending(), key, wanted: &wanted, ids: self.ids };
        match self.visible(mark) {
            None => self.fill(&sieve, self.collection.rows(), mark, all),
            Some(mut rows) if by_id => {
                rows.sort_by_key(|row| row.key().id);
                self.fill(&sieve, &rows, mark, all)
            }
            Some(rows) => self.fill(&sieve, &rows, mark, all),
        }
    }

    fn descending(&self) -> bool {
        self.asked.sort == Sort::Newest || self.is.has(ORDER_IGNORED)
    }

    /// The rows a walk can see; `None` where it sees simply those that are there.
    fn visible(&self, mark: Mark) -> Option<Vec<&R>> {
        let rows = self.collection.rows().iter();
        let births = self.collection.births();
        if self.is.is(SNAPSHOT_CURSOR) {
            let born = |row: &&R| births.get(&row.key().id).is_none_or(|birth| birth.change <= mark.changes);
            let graves = self.collection.graves().iter();
            let dead = graves.filter(|grave| grave.born <= mark.changes && mark.changes < grave.died);
            let mut seen: Vec<&R> = rows.filter(born).chain(dead.map(|grave| &grave.row)).collect();
            seen.sort_by_key(|row| row.key());
            return Some(seen);
        }
        if self.is.is(SLOW_VISIBILITY) || self.is.is(SLOW_LIST) && R::PREFIX == Transfer::PREFIX {
            let settled = |row: &&R| births.get(&row.key().id).is_none_or(|birth| birth.at.elapsed() >= LAG);
            return Some(rows.filter(settled).collect());
        }
        if self.is.has(SIZE_DEPENDENT) && self.asked.limit < 5 {
            return Some(rows.filter(|row| !row.key().id.is_multiple_of(7)).collect());
        }
        self.is.has(ORDER_BROKEN_ACROSS_PAGES).then(|| rows.collect())
    }

    fn fill<T: Borrow<R>>(&self, sieve: &Sieve<'_, R>, rows: &[T], mark: Mark, all: bool) -> Page {
        let total = if all { rows.len() } else { sieve.count(rows) };
        if let Some(rested) = self.rest(mark) {
            return Page { next: Some(rested), end: Some(rested), total, ..Page::default() };
        }
        let place = self.shifted(sieve, rows, mark);
        let limit = self.limit(mark);
        let mut cut = sieve.cut(rows, place, limit);
        let first_page_end = || sieve.cut(rows, Place::Start, limit).rows.last().map(|row| row.place);
        let next = self.next(&cut, place, first_page_end);
        let prev = self.prev(&cut, place);
        let end = cut.rows.last().map_or(place, |row| Place::After(row.place));
        if self.is.has(ORDER_BROKEN_ACROSS_PAGES) {
            let age = |row: &Taken| if self.descending() { Err(Reverse(row.key)) } else { Ok(row.key) };
            cut.rows.sort_by_key(age);
        }
        let at = |place| Mark { changes: self.changes(mark), ..Mark::at(place) };
        Page {
            rows: cut.rows.into_iter().map(|row| row.value).collect(),
            next: next.map(at),
            prev: prev.map(at),
            end: Some(at(end)),
            total,
        }
    }

    /// What a cursor remembers of the list's changes: the beginning of the walk for a snapshot, the present for the
    /// defect that compares, and nothing otherwise, so that a position keeps its text.
    fn changes(&self, mark: Mark) -> u64 {
        if self.is.is(SNAPSHOT_CURSOR) {
            mark.changes
        } else if self.is.has(INSERT_REPEATS) {
            self.collection.changes()
        } else {
            0
        }
    }

    /// Where the next page starts.
    fn next(&self, cut: &Cut, place: Place, first_page_end: impl Fn() -> Option<Key>) -> Option<Place> {
        let rows = &cut.rows;
        let last = rows.last()?.place;
        if self.is.has(SILENT_CUT) && !self.asked.sized && self.asked.is_first() {
            return None;
        }
        if cut.beyond.is_none() {
            return match place {
                Place::After(_) if self.is.has(CURSOR_CYCLE) => first_page_end().map(Place::After),
                _ if self.is.is(EMPTY_LAST_PAGE) => Some(Place::After(last)),
                _ => None,
            };
        }
        if self.is.has(OFFSET_BEHIND_CURSOR) || self.is.has(PLAIN_OFFSET_CURSOR) {
            let start = if let Place::Offset(start) = place { start } else { 0 };
            return Some(Place::Offset(start + rows.len()));
        }
        if self.is.has(LOST_ROW) {
            return cut.beyond.map(Place::After);
        }
        if let (true, [.., last_but_one, _]) = (self.is.has(DUPLICATE_ROW), rows.as_slice()) {
            return Some(Place::After(last_but_one.place));
        }
        if self.is.has(NO_TIE_BREAKER) {
            // Past every row of that instant, whatever its id.
            let id = if self.descending() { u32::MIN } else { u32::MAX };
            return Some(Place::After(Key { id, ..last }));
        }
        Some(Place::After(last))
    }

    /// Where the previous page ends.
    fn prev(&self, cut: &Cut, place: Place) -> Option<Place> {
        if !cut.before {
            return None;
        }
        match (cut.rows.first(), place) {
            (_, Place::Offset(start)) => Some(Place::Offset(start.saturating_sub(self.asked.limit))),
            (Some(first), _) if self.is.has(PREV_LINK_WRONG) => Some(Place::UpTo(first.place)),
            (Some(first), _) => Some(Place::Before(first.place)),
            (None, place) => place.anchor().map(Place::UpTo),
        }
    }

    fn limit(&self, mark: Mark) -> usize {
        let asked = self.asked;
        if self.is.has(UNBOUNDED_BY_DEFAULT) && !asked.sized && asked.is_first() {
            return usize::MAX;
        }
        let shorter = match mark.place {
            Place::Start => true,
            Place::After(key) => key.id.is_multiple_of(2),
            _ => false,
        };
        asked.limit - usize::from(self.is.is(SHORT_PAGES) && shorter && asked.limit >= 3)
    }

    /// The same position once more, after an empty page (short pages).
    fn rest(&self, mark: Mark) -> Option<Mark> {
        let Place::After(key) = mark.place else { return None };
        let rests = self.is.is(SHORT_PAGES) && !mark.rested && key.id.is_multiple_of(5);
        rests.then_some(Mark { rested: true, ..mark })
    }

    /// The position, moved back by the rows that were inserted before it since its cursor was made: a defect.
    fn shifted<T: Borrow<R>>(&self, sieve: &Sieve<'_, R>, rows: &[T], mark: Mark) -> Place {
        let Place::After(anchor) = mark.place else { return mark.place };
        if !self.is.has(INSERT_REPEATS) {
            return mark.place;
        }
        let new = |row: &&R| {
            let key = row.key();
            let before = if self.descending() { key > anchor } else { key < anchor };
            let births = self.collection.births();
            before && births.get(&key.id).is_some_and(|birth| birth.change > mark.changes)
        };
        match self.collection.rows().iter().filter(new).count() {
            0 => mark.place,
            inserted => sieve.step_back(rows, mark.place, inserted),
        }
    }
}
