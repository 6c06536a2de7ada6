//! Walks a listing page by page; between two steps the probe may do something else.

use std::collections::{HashMap, HashSet};

use super::listing::{Ask, At, Listing, Reading, WayOn};
use crate::{
    exchange::Reply,
    families::pagination::{
        config::{Direction, Restart},
        evidence::{End, Identity, LinkSeen, Names, OrderWatch, PageFact, RowId, RowList, TokenSample, Walk},
    },
    json::{Path, Scalar},
};

/// After so many pages that begin with a row that began an earlier page, a walk is not getting anywhere.
const STALE_PAGES: usize = 5;
/// After so many empty pages in a row, a walk is given up.
const EMPTY_PAGES: usize = 100;
/// So many cursors are kept as text.
const TOKENS_KEPT: usize = 30;

/// The further fields of so many rows are kept.
const FIELDS_KEPT: usize = 50_000;

/// What else to read of each row.
#[derive(Default, Clone)]
pub(super) struct Watching<'p> {
    /// The sort key and the direction it should have.
    pub(super) order: Option<(&'p Path, Direction)>,
    /// Whether to keep a hash of each row's sort key.
    pub(super) keys: bool,
    /// Further fields, kept as text.
    pub(super) fields: Vec<&'p Path>,
}

/// A walk under way.
pub(super) struct Walker<'a> {
    listing: &'a Listing<'a>,
    reading: Reading,
    ask: Ask,
    next: Option<At>,
    max_pages: u64,
    /// Rows the walk is expected to repeat; while it does, none are kept.
    reference: Option<&'a [RowId]>,
    agreeing: usize,
    rows: Vec<RowId>,
    /// How many rows the pages had, those without an id too.
    delivered: u64,
    walk: Walk,
    watch: Option<OrderWatch>,
    keys: bool,
    has_key: bool,
    /// Further fields of each row, if asked for.
    pub(super) fields: Vec<(RowId, Vec<Option<Scalar>>)>,
    last_page: Vec<RowId>,
    last_key: Option<Scalar>,
    tokens: HashMap<u128, usize>,
    first_rows: HashSet<RowId>,
    stale: usize,
    empty: usize,
    last_links: Vec<LinkSeen>,
    total: Option<Scalar>,
    page_count: Option<Scalar>,
    first_reply: Option<(Ask, Reply)>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(listing: &'a Listing<'a>, ask: Ask, watching: &Watching<'_>, max_pages: u64) -> Self {
        let mut paths: Vec<&Path> = watching.order.iter().map(|(key, _)| *key).collect();
        paths.extend(&watching.fields);
        let asked = asked(listing, &ask);
        Self {
            listing,
            reading: listing.reading(&paths),
            next: Some(ask.at.clone()),
            max_pages,
            reference: None,
            agreeing: 0,
            rows: Vec::new(),
            delivered: 0,
            walk: Walk {
                asked,
                size: ask.size,
                order: ask.order.clone(),
                pages: Vec::new(),
                rows: RowList::default(),
                keys: Vec::new(),
                nameless: 0,
                order_seen: None,
                tokens: Vec::new(),
                links: Vec::new(),
                end: End::Enough,
            },
            watch: watching.order.map(|(_, direction)| OrderWatch::new(direction)),
            keys: watching.keys,
            has_key: watching.order.is_some(),
            fields: Vec::new(),
            last_page: Vec::new(),
            last_key: None,
            tokens: HashMap::new(),
            first_rows: HashSet::new(),
            stale: 0,
            empty: 0,
            last_links: Vec::new(),
            total: None,
            page_count: None,
            first_reply: None,
            ask,
        }
    }

    /// Expects the rows of the reference walk, and keeps only what differs.
    #[must_use]
    pub(super) fn against(mut self, reference: &'a [RowId]) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The rows of the page just read.
    pub(super) fn last_page(&self) -> &[RowId] {
        &self.last_page
    }

    /// The sort key of the last row read.
    pub(super) fn last_key(&self) -> Option<&Scalar> {
        self.last_key.as_ref()
    }

    /// How many pages were read.
    pub(super) fn pages(&self) -> usize {
        self.walk.pages.len()
    }

    /// How many rows were read.
    pub(super) fn rows_read(&self) -> usize {
        if self.reference.is_some() { self.agreeing } else { self.rows.len() }
    }

    /// What leads to the next page, if the walk goes on.
    pub(super) fn next(&self) -> Option<&At> {
        self.next.as_ref()
    }

    /// The first request and its reply.
    pub(super) fn first_reply(&self) -> Option<&(Ask, Reply)> {
        self.first_reply.as_ref()
    }

    /// Reads the next page; false when there is none to read.
    pub(super) async fn step(&mut self, names: &mut Names) -> bool {
        let Some(at) = self.next.take() else { return false };
        if self.pages() as u64 >= self.max_pages {
            self.walk.end = End::Cap;
            return false;
        }
        self.ask.at = at;
        let mut outcome = self.listing.send(&self.ask).await;
        // An error of the server counts once it comes twice; a page can be asked for again (RFC 9110 §9.2.1).
        if matches!(&outcome, Ok(reply) if reply.status >= 500) && self.listing.config.request.method == "GET" {
            outcome = self.listing.send(&self.ask).await;
        }
        let reply = match outcome {
            Ok(reply) => reply,
            Err(failure) => {
                self.walk.end = if failure.kind == crate::exchange::FailureKind::ForeignOrigin
                    && matches!(self.ask.at, At::Url(_))
                {
                    End::ForeignOrigin(self.target())
                } else {
                    End::Failed { kind: failure.kind, why: failure.message, exchange: failure.id }
                };
                return false;
            }
        };
        if !reply.is_success() {
            self.walk.end = self.refused(&reply);
            return false;
        }
        match self.read(&reply, names) {
            Ok(way) => self.go_on(way, &reply),
            Err(why) => self.walk.end = End::Unreadable { why, exchange: reply.id },
        }
        if self.pages() == 1 && self.first_reply.is_none() {
            self.first_reply = Some((self.ask.clone(), reply));
        }
        self.next.is_some()
    }

    /// Reads page after page to the end.
    pub(super) async fn until_the_end(mut self, names: &mut Names) -> Self {
        while self.step(names).await {}
        self
    }

    /// Reads at least so many rows, or to the end.
    pub(super) async fn until_rows(mut self, rows: usize, names: &mut Names) -> Self {
        while self.rows_read() < rows && self.step(names).await {}
        self
    }

    /// What was seen.
    pub(super) fn finish(mut self) -> Walk {
        self.walk.order_seen = self.watch.take().map(OrderWatch::finish);
        self.walk.rows = match self.reference {
            Some(_) if self.rows.is_empty() => RowList::AsReference(self.agreeing),
            _ => RowList::Listed(self.rows),
        };
        let last = self.walk.pages.len().saturating_sub(1);
        if last > 1 {
            self.walk.links.extend(self.last_links);
        }
        self.walk
    }

    fn read(&mut self, reply: &Reply, names: &mut Names) -> Result<WayOn, String> {
        self.last_page.clear();
        let mut page = PageRows {
            identity: &self.listing.identity,
            names,
            rows: &mut self.last_page,
            nameless: 0,
            watch: self.watch.as_mut(),
            has_key: self.has_key,
            last_key: &mut self.last_key,
            keys: self.keys.then_some(&mut self.walk.keys),
            fields: &mut self.fields,
            last_id: None,
        };
        let read = self.reading.page(&reply.body, &mut |fields: &mut [Option<Scalar>]| page.row(fields));
        let (nameless, last_id) = (page.nameless, page.last_id);
        let read = read.map_err(|why| format!("it is not JSON: {why}"))?;
        if read.rows.is_none() {
            return Err(format!("there is no array at `{}`", self.listing.config.rows));
        }
        self.walk.nameless += nameless;
        self.take_rows();
        let number = self.pages();
        let links = Listing::links(&self.reading, &read, reply, number);
        if number < 2 {
            self.walk.links.extend(links);
        } else {
            self.last_links = links;
        }
        let changed = |now: Option<Scalar>, before: &mut Option<Scalar>| {
            let fresh = (now != *before).then(|| now.clone()).flatten();
            *before = now;
            fresh
        };
        self.walk.pages.push(PageFact {
            exchange: reply.id,
            rows: u32::try_from(read.rows.unwrap_or_default()).unwrap_or(u32::MAX),
            more: self.reading.more(&read),
            total: changed(self.reading.total(self.listing.config, &read, reply), &mut self.total),
            page_count: changed(self.reading.page_count(&read), &mut self.page_count),
            estimate: self.reading.is_estimate(&read),
        });
        self.delivered += read.rows.unwrap_or_default() as u64;
        Ok(self.listing.way_on(&self.reading, &read, reply, &self.ask, last_id.as_ref(), self.delivered))
    }

    /// Keeps the page's rows, or only their number while they are those of the reference.
    fn take_rows(&mut self) {
        let Some(reference) = self.reference else {
            self.rows.extend(&self.last_page);
            return;
        };
        if self.rows.is_empty() {
            let until = self.agreeing + self.last_page.len();
            if reference.get(self.agreeing..until) == Some(self.last_page.as_slice()) {
                self.agreeing = until;
                return;
            }
            self.rows.extend(&reference[..self.agreeing.min(reference.len())]);
        }
        self.rows.extend(&self.last_page);
        self.agreeing = self.rows.len();
    }

    fn go_on(&mut self, way: WayOn, reply: &Reply) {
        let page = self.pages() - 1;
        let next = match way {
            WayOn::End(how) => {
                self.walk.end = End::Terminator(how);
                return;
            }
            WayOn::Missing => {
                self.walk.end = End::MoreWithoutToken;
                return;
            }
            WayOn::Next(next) => next,
        };
        if let At::Token(text) | At::Url(text) = &next {
            if let Some(first) = self.tokens.insert(self.listing.identity.of_text(text).0, page) {
                self.walk.end = End::TokenCycle { first, again: page };
                return;
            }
            self.sample(page, &next, reply);
        }
        match self.last_page.first() {
            None => self.empty += 1,
            Some(first) => {
                self.empty = 0;
                self.stale = if self.first_rows.insert(*first) { 0 } else { self.stale + 1 };
            }
        }
        if self.stale >= STALE_PAGES {
            self.walk.end = End::NoProgress;
        } else if self.empty >= EMPTY_PAGES {
            self.walk.end = End::OnlyEmptyPages;
        } else {
            self.next = Some(next);
        }
    }

    /// Keeps a cursor's text; of a URL, that of the parameter that moves from page to page.
    fn sample(&mut self, page: usize, next: &At, reply: &Reply) {
        if self.walk.tokens.len() >= TOKENS_KEPT || self.listing.spelling().is_counted() {
            return;
        }
        let text = match next {
            At::Token(text) => text.clone(),
            At::Url(url) => match moving_parameter(&reply.url, url, self.listing) {
                Some((_, value)) => value,
                None => return,
            },
            At::Start | At::Bare => return,
        };
        let is_last_id = self.last_page.last().is_some_and(|row| self.listing.identity.of_text(&text) == *row);
        self.walk.tokens.push(TokenSample { page, text, is_last_id });
    }

    fn refused(&self, reply: &Reply) -> End {
        let is = |answer: &Option<Restart>| answer.as_ref().is_some_and(|a| a.is(reply.status, &reply.body));
        if self.pages() > 0 && is(&self.listing.config.depth_limit) {
            return End::Depth { status: reply.status };
        }
        let beyond_the_end =
            self.listing.spelling().is_counted() && self.pages() > 0 && matches!(reply.status, 400 | 404 | 416 | 422);
        if beyond_the_end {
            return End::Terminator(format!("the page behind it is refused with status {}", reply.status));
        }
        let restart = is(&self.listing.config.restart);
        End::Refused { status: reply.status, exchange: reply.id, restart }
    }

    fn target(&self) -> String {
        match &self.ask.at {
            At::Url(text) | At::Token(text) => text.chars().take(200).collect(),
            At::Start | At::Bare => String::new(),
        }
    }
}

/// The query parameter whose value differs between a page's URL and that of the next.
pub(super) fn moving_parameter(current: &url::Url, next: &str, listing: &Listing<'_>) -> Option<(String, String)> {
    let next = current.join(next).ok()?;
    let size = listing.config.page_size.as_ref().map(|spec| spec.parameter.as_str());
    next.query_pairs()
        .filter(|(name, _)| Some(name.as_ref()) != size)
        .find(|pair| !current.query_pairs().any(|known| known == *pair))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn asked(listing: &Listing<'_>, ask: &Ask) -> String {
    let mut parts: Vec<String> = ask.filters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if let (Some(size), Some(spec)) = (ask.size, &listing.config.page_size) {
        parts.push(format!("{}={size}", spec.parameter));
    }
    if let Some(order) = &ask.order {
        parts.push(format!("order {order}"));
    }
    if parts.is_empty() { "no parameters".into() } else { parts.join(", ") }
}

/// Takes in the rows of one page.
struct PageRows<'w> {
    identity: &'w Identity,
    names: &'w mut Names,
    rows: &'w mut Vec<RowId>,
    nameless: usize,
    watch: Option<&'w mut OrderWatch>,
    has_key: bool,
    last_key: &'w mut Option<Scalar>,
    keys: Option<&'w mut Vec<u64>>,
    fields: &'w mut Vec<(RowId, Vec<Option<Scalar>>)>,
    last_id: Option<Scalar>,
}

impl PageRows<'_> {
    fn row(&mut self, fields: &mut [Option<Scalar>]) {
        let Some((id, rest)) = fields.split_first_mut() else { return };
        let row = self.identity.of(id.as_ref());
        let Some(row) = row else {
            self.nameless += 1;
            return;
        };
        if let Some(id) = id {
            self.names.keep(row, id);
        }
        self.rows.push(row);
        // Swapped rather than taken: the reader uses the text's memory again for a row to come.
        std::mem::swap(&mut self.last_id, id);
        let (key, extra) = rest.split_at_mut(usize::from(self.has_key));
        if let Some(watch) = &mut self.watch {
            watch.see(key.first().and_then(Option::as_ref));
        }
        if let Some([key]) = self.has_key.then_some(key) {
            if let Some(keys) = &mut self.keys {
                let text = key.as_ref().and_then(Scalar::text).unwrap_or_default();
                #[expect(clippy::cast_possible_truncation, reason = "half of the hash is plenty to tell keys apart")]
                keys.push(self.identity.of_text(text).0 as u64);
            }
            std::mem::swap(self.last_key, key);
        }
        if !extra.is_empty() && self.fields.len() < FIELDS_KEPT {
            self.fields.push((row, extra.to_vec()));
        }
    }
}
