//! How a page is written: one style of the API's own, and seven that other APIs are known for.

use http::{HeaderName, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    asked::{Asked, From},
    cursors::Binding,
    links::Links,
    mark::Mark,
    numbers,
    walk::Page,
};
use crate::reference::{
    Variant,
    defects::pagination::{TOTAL_AS_TEXT, TOTAL_TOO_LOW},
    http::{Call, Reply},
    problem::Problem,
    variants::{
        CURSOR_HEADER, EMPTY_NEXT, ESTIMATED_TOTAL, HAS_MORE, LAST_ID, LINK_HEADER_ARRAY, NEXT_URL, NO_LINKS,
        NO_TOTALS, NULL_NEXT, OFFSET, PAGE_NUMBER,
    },
};

/// A spelling of paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::reference) enum Style {
    /// `{"data", "page": {"next", "total"}, "links"}` and a Link header.
    #[default]
    Envelope,
    CursorHeader,
    LinkHeaderArray,
    NextUrl,
    LastId,
    HasMore,
    Offset,
    PageNumber,
}

impl Style {
    /// The style a variant asks for.
    pub(in crate::reference) fn of(variant: &Variant) -> Option<Self> {
        let styles = [
            (CURSOR_HEADER, Self::CursorHeader),
            (LINK_HEADER_ARRAY, Self::LinkHeaderArray),
            (NEXT_URL, Self::NextUrl),
            (LAST_ID, Self::LastId),
            (HAS_MORE, Self::HasMore),
            (OFFSET, Self::Offset),
            (PAGE_NUMBER, Self::PageNumber),
        ];
        styles.into_iter().find(|(known, _)| known == variant).map(|(_, style)| style)
    }

    /// The query parameters for the size of a page and for its start.
    pub(super) fn parameters(self) -> (&'static str, &'static str) {
        match self {
            Self::LastId => ("limit", "starting_after"),
            Self::Offset => ("limit", "offset"),
            Self::PageNumber => ("page_size", "page"),
            _ => ("limit", "cursor"),
        }
    }

    /// Writes a page.
    pub(super) fn reply(self, answer: &Answer<'_>) -> Result<Reply, Problem> {
        let rows = &answer.page.rows;
        let next = answer.page.next;
        let plain = |body: Value| Reply::json(StatusCode::OK, &body);
        Ok(match self {
            Self::Envelope => answer.envelope(),
            Self::CursorHeader => {
                let name = HeaderName::from_static("x-next-cursor");
                let reply = plain(json!({ "data": rows }));
                next.and_then(|mark| answer.seal(mark))
                    .into_iter()
                    .fold(reply, |r, cursor| r.header(name.clone(), &cursor))
            }
            Self::LinkHeaderArray => {
                let reply = answer.linked(plain(json!(rows)));
                let total = answer.total().into_iter().map(|total| total.to_string().replace('"', ""));
                total.fold(reply, |r, total| r.header(HeaderName::from_static("x-total-count"), &total))
            }
            Self::NextUrl => {
                let mut body = json!({ "data": rows });
                if let Some(url) = next.and_then(|mark| answer.links().to(mark)) {
                    body["next_url"] = json!(url);
                }
                plain(body)
            }
            Self::LastId => plain(json!({ "data": rows, "has_more": next.is_some() })),
            Self::HasMore => {
                let cursor = next.or(answer.page.end).and_then(|mark| answer.seal(mark));
                plain(json!({ "data": rows, "cursor": cursor, "has_more": next.is_some() }))
            }
            Self::Offset => {
                let From::Offset(offset) = answer.asked.from else { return Ok(plain(json!({ "data": rows }))) };
                plain(json!({ "data": rows, "offset": offset, "limit": answer.asked.limit, "total": answer.total() }))
            }
            Self::PageNumber => {
                let From::Page(page) = answer.asked.from else { return Ok(plain(json!({ "data": rows }))) };
                let total_pages = numbers::pages(answer.page.total, answer.asked.limit);
                numbers::in_range(page, total_pages)?;
                plain(json!({
                    "data": rows,
                    "page": page,
                    "page_size": answer.asked.limit,
                    "total": answer.total(),
                    "total_pages": total_pages,
                }))
            }
        })
    }
}

/// A page on its way out.
pub(super) struct Answer<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) asked: &'a Asked,
    pub(super) binding: &'a Binding,
    pub(super) page: Page,
}

impl Answer<'_> {
    fn links(&self) -> Links<'_> {
        Links { call: self.call, asked: self.asked, binding: self.binding }
    }

    fn seal(&self, mark: Mark) -> Option<String> {
        self.call.api.cursors.seal(self.binding, mark)
    }

    fn envelope(&self) -> Reply {
        let is = &self.call.api.behaviour;
        let mut page = Map::new();
        match self.page.next.and_then(|mark| self.seal(mark)) {
            Some(cursor) => drop(page.insert("next".into(), json!(cursor))),
            None if is.is(NULL_NEXT) => drop(page.insert("next".into(), Value::Null)),
            None if is.is(EMPTY_NEXT) => drop(page.insert("next".into(), json!(""))),
            None => {}
        }
        if let Some(total) = self.total() {
            page.insert("total".into(), total);
            if is.is(ESTIMATED_TOTAL) {
                page.insert("total_is_estimate".into(), json!(true));
            }
        }
        let mut body = json!({ "data": self.page.rows, "page": page });
        if !is.is(NO_LINKS) {
            body["links"] = json!({ "self": self.links().this() });
        }
        let reply = Reply::json(StatusCode::OK, &body);
        if is.is(NO_LINKS) { reply } else { self.linked(reply) }
    }

    /// Adds the Link header.
    fn linked(&self, reply: Reply) -> Reply {
        let links = self.links();
        let next = self.page.next.and_then(|mark| links.to(mark)).map(|url| format!("<{url}>; rel=\"next\""));
        let prev = self.page.prev.and_then(|mark| links.to(mark)).map(|url| format!("<{url}>; rel=\"prev\""));
        let first = Some(format!("<{}>; rel=\"first\"", links.first()));
        let value = [next, prev, first].into_iter().flatten().collect::<Vec<_>>().join(", ");
        reply.header(header::LINK, &value)
    }

    /// The number of rows as it is sent.
    fn total(&self) -> Option<Value> {
        let is = &self.call.api.behaviour;
        let total = self.page.total;
        if is.is(NO_TOTALS) {
            return None;
        }
        if is.has(TOTAL_TOO_LOW) {
            return Some(json!(total - total.div_ceil(10)));
        }
        if is.has(TOTAL_AS_TEXT) {
            return Some(json!(total.to_string()));
        }
        if is.is(ESTIMATED_TOTAL) {
            let error = total / 25;
            return Some(json!(if self.asked.is_first() { total - error } else { total + error }));
        }
        Some(json!(total))
    }
}
