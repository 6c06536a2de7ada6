//! Numbered pages: sound over what never changes.

use http::StatusCode;
use serde_json::{Value, json};

use super::asked::count;
use crate::reference::{
    http::{Query, Reply},
    problem::{Fault, Problem},
};

/// Rows on a page when the caller does not say.
const DEFAULT: usize = 10;
/// Most rows on a page; larger sizes are served as this one.
const MAXIMUM: usize = 50;

/// A request for a numbered page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) struct Numbered {
    /// Counted from 1.
    pub(in crate::reference) page: usize,
    pub(in crate::reference) size: usize,
}

impl Numbered {
    /// Reads `page` and `page_size`; anything else is refused.
    pub(in crate::reference) fn read(query: &Query) -> Result<Self, Problem> {
        query.only(&["page", "page_size"])?;
        let number = |name: &str, default| match query.get(name) {
            None => Ok(default),
            Some(text) => count(text)
                .filter(|number| *number > 0)
                .ok_or_else(|| Problem::bad_parameter(name, "is a whole number from 1", text)),
        };
        Ok(Self { page: number("page", 1)?, size: number("page_size", DEFAULT)?.min(MAXIMUM) })
    }

    /// Answers with that page of all rows.
    pub(in crate::reference) fn reply<T>(self, rows: &[T], render: impl Fn(&T) -> Value) -> Result<Reply, Problem> {
        let total_pages = pages(rows.len(), self.size);
        in_range(self.page, total_pages)?;
        let data: Vec<Value> = rows.iter().skip((self.page - 1) * self.size).take(self.size).map(render).collect();
        Ok(Reply::json(StatusCode::OK, &json!({ "data": data, "total": rows.len(), "total_pages": total_pages })))
    }
}

/// How many pages the rows fill.
pub(super) fn pages(total: usize, size: usize) -> usize {
    total.div_ceil(size)
}

/// Refuses pages past the last; the first page of an empty list exists and is empty.
pub(super) fn in_range(page: usize, total_pages: usize) -> Result<(), Problem> {
    if page <= total_pages.max(1) {
        return Ok(());
    }
    Err(Problem::new(Fault::PageOutOfRange, format!("there are {total_pages} pages")).parameter("page"))
}
