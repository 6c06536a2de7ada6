//! Which rows of a list are wanted.

use crate::reference::{
    behaviour::Behaviour,
    defects::pagination::{FILTER_LEAK, WINDOW_BOUNDARY_DOUBLED, WINDOW_BOUNDARY_LOST},
    ledger::Row,
};

/// A condition on a row.
type Condition<R> = Box<dyn Fn(&R) -> bool>;

/// The rows that are wanted: all conditions hold, and the time lies in `[from, to)`.
pub(in crate::reference) struct Filter<R> {
    conditions: Vec<Condition<R>>,
    /// Milliseconds since 1970, inclusive.
    pub(in crate::reference) from: Option<i64>,
    /// Milliseconds since 1970, exclusive: adjoining windows share no row and lose none.
    pub(in crate::reference) to: Option<i64>,
}

impl<R: Row> Filter<R> {
    /// Every row.
    pub(in crate::reference) fn all() -> Self {
        Self { conditions: Vec::new(), from: None, to: None }
    }

    /// Only rows for which this holds.
    pub(in crate::reference) fn and(&mut self, condition: impl Fn(&R) -> bool + 'static) {
        self.conditions.push(Box::new(condition));
    }

    pub(super) fn wants_all(&self) -> bool {
        self.conditions.is_empty() && self.from.is_none() && self.to.is_none()
    }

    pub(super) fn wants(&self, row: &R, edges: Edges) -> bool {
        let key = row.key();
        let leaks = edges.leaks && key.id.is_multiple_of(11);
        let from = self.from.is_none_or(|from| key.at > from || (key.at == from && !edges.drops_from));
        let to = self.to.is_none_or(|to| key.at < to || (key.at == to && edges.takes_to));
        from && to && (leaks || self.conditions.iter().all(|condition| condition(row)))
    }
}

/// What defects change about a filter, looked up once per page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edges {
    leaks: bool,
    drops_from: bool,
    takes_to: bool,
}

impl Edges {
    pub(super) fn of(is: &Behaviour) -> Self {
        Self {
            leaks: is.has(FILTER_LEAK),
            drops_from: is.has(WINDOW_BOUNDARY_LOST),
            takes_to: is.has(WINDOW_BOUNDARY_DOUBLED),
        }
    }
}
