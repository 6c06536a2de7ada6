//! What a request for a page asks for.

use super::Style;
use crate::reference::{
    behaviour::Behaviour,
    defects::pagination::{NONSENSE_SIZE_500, OVERSIZE_PAGE, PAGE_SIZE_EXCEEDED, PAGE_SIZE_IGNORED},
    http::Call,
    problem::{Fault, Problem},
    variants::{LENIENT_SIZE, OVERSIZE_REJECTED},
};

/// Rows on a page when the caller does not say.
const DEFAULT: usize = 25;
/// Most rows on a page; larger sizes are served as this one.
const MAXIMUM: usize = 200;

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Newest,
    Oldest,
}

/// Where a page is to start, as the caller says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    Beginning,
    Cursor(String),
    AfterId(String),
    Offset(usize),
    /// Counted from 1.
    Page(usize),
}

/// The parameters of a request for a page.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Whether the caller named a page size.
    pub(super) sized: bool,
    /// Most rows the page may have.
    pub(super) limit: usize,
    pub(super) sort: Sort,
    pub(super) from: From,
    /// Filters that were sent, as they were sent.
    pub(super) filters: Vec<(&'static str, String)>,
    /// Sort and size as they were sent: links repeat them.
    pub(super) shape: Vec<(&'static str, String)>,
}

impl Asked {
    /// Reads the parameters; unknown, repeated and senseless ones are refused.
    pub(super) fn read(call: &Call<'_>, style: Style, filters: &'static [&'static str]) -> Result<Self, Problem> {
        let (size, start) = style.parameters();
        let known = [&[size, start, "sort"], filters].concat();
        call.query.only(&known)?;
        let sent = |name: &'static str| call.query.get(name).map(|value| (name, value.to_owned()));
        let sort = match call.query.get("sort") {
            None | Some("newest") => Sort::Newest,
            Some("oldest") => Sort::Oldest,
            Some(other) => return Err(Problem::bad_parameter("sort", "is either newest or oldest", other)),
        };
        let text = call.query.get(size);
        Ok(Self {
            sized: text.is_some(),
            limit: limit(size, text, &call.api.behaviour)?,
            sort,
            from: from(style, call.query.get(start))?,
            filters: filters.iter().copied().filter_map(sent).collect(),
            shape: ["sort", size].into_iter().filter_map(sent).collect(),
        })
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        if let From::Cursor(text) = &self.from { Some(text) } else { None }
    }

    /// Whether this is the first page, not reached from another.
    pub(super) fn is_first(&self) -> bool {
        matches!(self.from, From::Beginning | From::Offset(0) | From::Page(1))
    }
}

fn from(style: Style, text: Option<&str>) -> Result<From, Problem> {
    let number = |name: &str, text: &str, least| {
        let read = count(text).filter(|number| *number >= least);
        read.ok_or_else(|| Problem::bad_parameter(name, &format!("is a whole number from {least}"), text))
    };
    Ok(match (style, text) {
        (Style::Offset, text) => From::Offset(number("offset", text.unwrap_or("0"), 0)?),
        (Style::PageNumber, text) => From::Page(number("page", text.unwrap_or("1"), 1)?),
        (_, None) => From::Beginning,
        (Style::LastId, Some(text)) => From::AfterId(text.to_owned()),
        (_, Some(text)) => From::Cursor(text.to_owned()),
    })
}

/// Reads a whole number: digits alone; what does not fit counts as the largest that does.
pub(super) fn count(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

fn limit(name: &str, text: Option<&str>, is: &Behaviour) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(DEFAULT) };
    let refused = |detail: String| Problem::new(Fault::InvalidLimit, detail).parameter(name).received(text);
    match count(text) {
        None | Some(0) if is.has(NONSENSE_SIZE_500) => {
            Err(Problem::new(Fault::Internal, "the request failed unexpectedly"))
        }
        None | Some(0) if is.is(LENIENT_SIZE) => Ok(DEFAULT),
        None | Some(0) => Err(refused(format!("{name} is a whole number from 1 to {MAXIMUM}"))),
        Some(_) if is.has(PAGE_SIZE_IGNORED) => Ok(DEFAULT),
        Some(size) if size > MAXIMUM && is.has(OVERSIZE_PAGE) => Ok(size),
        Some(size) if size > MAXIMUM && is.is(OVERSIZE_REJECTED) => {
            Err(refused(format!("{name} is at most {MAXIMUM}")))
        }
        Some(size) if size < MAXIMUM && is.has(PAGE_SIZE_EXCEEDED) => Ok(size + 1),
        Some(size) => Ok(size.min(MAXIMUM)),
    }
}
