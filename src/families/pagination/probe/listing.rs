//! Asking for pages and reading them, in whatever way the suite spells it.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use url::Url;

use crate::{
    exchange::{Outcome, Payload, Reply, Request, Who, parse_links},
    families::{
        Session,
        pagination::{
            config::{Config, Relation},
            evidence::{Answer, Got, Identity, LinkSeen, Spelling},
        },
    },
    json::{PageRead, PageReader, Path, RowSink, Scalar, Wanted},
    notation::{Values, render_json},
};

/// One listing of one target, ready to be asked.
pub(super) struct Listing<'a> {
    pub(super) config: &'a Config,
    pub(super) session: &'a dyn Session,
    pub(super) who: Who,
    pub(super) values: Values,
    pub(super) identity: Identity,
    /// Reads ids only; for single answers.
    plain: Reading,
    /// What went wrong while a request was built, if anything; it is a fault of the suite, told once.
    trouble: Mutex<Option<String>>,
}

/// Where in the listing a page is.
#[derive(Debug, Clone)]
pub(super) enum At {
    /// At the start.
    Start,
    /// At the start, without any paging parameter.
    Bare,
    /// Behind this cursor, page number, offset or id.
    Token(String),
    /// At this URL, with everything in it.
    Url(String),
}

/// One page asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) at: At,
    pub(super) size: Option<u64>,
    pub(super) order: Option<String>,
    pub(super) filters: Vec<(String, String)>,
    pub(super) who: Option<Who>,
    pub(super) purpose: &'static str,
}

impl Ask {
    pub(super) fn start(purpose: &'static str) -> Self {
        Self { at: At::Start, size: None, order: None, filters: Vec::new(), who: None, purpose }
    }

    #[must_use]
    pub(super) fn at(mut self, at: At) -> Self {
        self.at = at;
        self
    }

    #[must_use]
    pub(super) fn size(mut self, size: Option<u64>) -> Self {
        self.size = size;
        self
    }

    #[must_use]
    pub(super) fn order(mut self, order: Option<String>) -> Self {
        self.order = order;
        self
    }

    #[must_use]
    pub(super) fn filter(mut self, parameter: &str, value: &str) -> Self {
        self.filters.push((parameter.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub(super) fn who(mut self, who: Who) -> Self {
        self.who = Some(who);
        self
    }
}

/// What leads from a page to the next.
#[derive(Debug, Clone)]
pub(super) enum WayOn {
    /// There is none, and the page says so; how.
    End(String),
    /// This.
    Next(At),
    /// More rows are announced, and nothing leads to them.
    Missing,
}

/// A reader of pages and where it puts what.
pub(super) struct Reading {
    pub(super) reader: PageReader,
    next: Option<usize>,
    more: Option<usize>,
    total: Option<usize>,
    page_count: Option<usize>,
    estimate: Option<usize>,
    links: Vec<(Relation, usize)>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(config: &'a Config, session: &'a dyn Session) -> Self {
        Self {
            config,
            session,
            who: Who::named(config.client.as_deref()),
            values: session.values(),
            identity: Identity::default(),
            plain: Reading::new(config, &[]),
            trouble: Mutex::new(None),
        }
    }

    pub(super) fn spelling(&self) -> Spelling {
        self.config.spelling()
    }

    /// A reader of ids and of the given further fields of each row.
    pub(super) fn reading(&self, fields: &[&Path]) -> Reading {
        Reading::new(self.config, fields)
    }

    /// Sends the request for a page.
    pub(super) async fn send(&self, ask: &Ask) -> Outcome {
        let request = self.request(ask);
        self.session.send(request).await
    }

    /// The request for a page.
    fn request(&self, ask: &Ask) -> Request {
        let who = ask.who.clone().unwrap_or_else(|| self.who.clone());
        let line = &self.config.request;
        let mut request = Request::new(who, line.method.clone(), "").purpose(ask.purpose);
        for (name, value) in &self.config.headers {
            request.headers.push(name, self.rendered(value.render(&self.values)));
        }
        let mut parameters = Vec::new();
        if let At::Url(url) = &ask.at {
            request.target.clone_from(url);
        } else {
            request.target = self.rendered(line.target.render_path(&self.values));
            for (name, value) in &self.config.query {
                request.query.push((name.clone(), self.rendered(value.render(&self.values))));
            }
            parameters = self.parameters(ask);
        }
        match &self.config.body {
            None => request.query.extend(parameters),
            Some(body) => {
                let mut body = render_json(body, &self.values).unwrap_or_else(|why| {
                    self.note(why);
                    Value::Null
                });
                if let Value::Object(members) = &mut body {
                    let numbered = self.numbered();
                    for (name, text) in parameters {
                        let number = numbered.contains(&Some(name.as_str())).then(|| text.parse::<u64>().ok());
                        members.insert(name, number.flatten().map_or(Value::String(text), Value::from));
                    }
                }
                request.payload = Payload::Json(body);
            }
        }
        request
    }

    /// The parameters that are numbers in a JSON body; a cursor that happens to be all digits is text.
    fn numbered(&self) -> [Option<&str>; 3] {
        let config = self.config;
        [
            config.page_size.as_ref().map(|spec| spec.parameter.as_str()),
            config.page.as_ref().map(|spec| spec.parameter.as_str()),
            config.offset.as_ref().map(|spec| spec.parameter.as_str()),
        ]
    }

    fn parameters(&self, ask: &Ask) -> Vec<(String, String)> {
        let mut parameters = ask.filters.clone();
        if let (Some(size), Some(spec)) = (ask.size, &self.config.page_size) {
            parameters.push((spec.parameter.clone(), size.to_string()));
        }
        if let (Some(order), Some(sort)) = (&ask.order, &self.config.sort)
            && let Some(parameter) = &sort.parameter
        {
            let value = sort.orders.get(order).and_then(|o| o.value.clone()).unwrap_or_else(|| order.clone());
            parameters.push((parameter.clone(), value));
        }
        if let Some(parameter) = self.config.token_parameter() {
            match (&ask.at, &self.config.page) {
                (At::Token(token), _) => parameters.push((parameter.to_owned(), token.clone())),
                // Some listings are paged only when a page is asked for.
                (At::Start, Some(page)) => parameters.push((parameter.to_owned(), page.first.to_string())),
                _ => {}
            }
        }
        parameters
    }

    fn rendered(&self, text: Result<String, crate::notation::Unknown>) -> String {
        text.unwrap_or_else(|unknown| {
            self.note(unknown.to_string());
            String::new()
        })
    }

    /// What the suite left undefined, found while requests were built.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, trouble: String) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(trouble);
    }

    /// Sends one odd request and tells what came back. An error of the server counts once it comes twice.
    pub(super) async fn answer(&self, sent: impl Into<String>, ask: &Ask) -> Answer {
        let mut outcome = self.send(ask).await;
        if outcome.as_ref().is_ok_and(|reply| reply.status >= 500) {
            outcome = self.send(ask).await;
        }
        self.told(sent, ask, outcome)
    }

    /// Tells what came back.
    pub(super) fn told(&self, sent: impl Into<String>, ask: &Ask, outcome: Outcome) -> Answer {
        let sent = sent.into();
        let reply = match outcome {
            Ok(reply) => reply,
            Err(failure) => {
                let got = Got::Nothing { kind: failure.kind, why: failure.message };
                return Answer { sent, exchange: failure.id, got };
            }
        };
        let exchange = Some(reply.id);
        if !reply.is_success() {
            return Answer { sent, exchange, got: Got::Refused { status: reply.status } };
        }
        let mut rows = Vec::new();
        let mut last = None;
        let read = self.plain.page(&reply.body, &mut |fields: &mut [Option<Scalar>]| {
            rows.extend(self.identity.of(fields[0].as_ref()));
            last = fields[0].take();
        });
        let got = match read {
            Err(why) => Got::Unreadable { status: reply.status, why: format!("it is not JSON: {why}") },
            Ok(read) if read.rows.is_none() => {
                Got::Unreadable { status: reply.status, why: format!("there is no array at `{}`", self.config.rows) }
            }
            Ok(read) => {
                let way = self.way_on(&self.plain, &read, &reply, ask, last.as_ref(), rows.len() as u64);
                let circles =
                    matches!(&way, WayOn::Next(At::Url(url)) if reply.url.join(url).is_ok_and(|u| u == reply.url));
                let total = self.plain.total(self.config, &read, &reply).and_then(|t| t.text()?.parse().ok());
                Got::Page {
                    status: reply.status,
                    continues: matches!(way, WayOn::Next(_) | WayOn::Missing),
                    circles,
                    total,
                    rows,
                }
            }
        };
        Answer { sent, exchange, got }
    }

    /// What leads on from a page; `seen` is the number of rows of the walk so far, this page's included.
    pub(super) fn way_on(
        &self,
        reading: &Reading,
        read: &PageRead,
        reply: &Reply,
        ask: &Ask,
        last_id: Option<&Scalar>,
        seen: u64,
    ) -> WayOn {
        let more = reading.more(read);
        if more == Some(false) {
            return WayOn::End(format!("`{}` is false", self.config.more.as_ref().map_or("more", |_| "more")));
        }
        let none = |how: &str| if more == Some(true) { WayOn::Missing } else { WayOn::End(how.to_owned()) };
        let rows = read.rows.unwrap_or_default() as u64;
        match self.spelling() {
            Spelling::Cursor => {
                let in_body = reading.next.and_then(|slot| read.page[slot].as_ref()?.text());
                let in_header = self.config.cursor.as_ref().and_then(|c| reply.headers.get(c.header.as_deref()?));
                match in_body.or(in_header).filter(|token| !token.is_empty()) {
                    Some(token) => WayOn::Next(At::Token(token.to_owned())),
                    None => none("there is no cursor"),
                }
            }
            Spelling::LinkHeader => {
                let wanted = self.config.link_header.as_deref().unwrap_or("next").to_ascii_lowercase();
                let links = parse_links(reply.headers.all("link"));
                match links.into_iter().find(|link| link.rels.contains(&wanted)) {
                    Some(link) => WayOn::Next(At::Url(resolved(&reply.url, &link.target))),
                    None => none("there is no link to a next page"),
                }
            }
            Spelling::NextUrl => match reading.next.and_then(|slot| read.page[slot].as_ref()?.text()) {
                Some(url) if !url.is_empty() => WayOn::Next(At::Url(resolved(&reply.url, url))),
                _ => none("there is no URL of a next page"),
            },
            Spelling::LastId => match last_id.and_then(Scalar::text) {
                Some(id) if more == Some(true) || !self.is_short(rows, ask) => WayOn::Next(At::Token(id.to_owned())),
                _ => none("the page is short"),
            },
            Spelling::Page | Spelling::Offset => self.counted_way_on(reading, read, reply, ask, rows, seen, more),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one page, all of them needed to tell its end")]
    fn counted_way_on(
        &self,
        reading: &Reading,
        read: &PageRead,
        reply: &Reply,
        ask: &Ask,
        rows: u64,
        seen: u64,
        more: Option<bool>,
    ) -> WayOn {
        let first = self.config.page.as_ref().map_or(0, |page| page.first);
        let current = match &ask.at {
            At::Token(token) => token.parse().unwrap_or(first),
            _ => first,
        };
        let count = |scalar: Option<&Scalar>| scalar.and_then(|s| s.text()?.parse::<u64>().ok());
        let total = count(reading.total(self.config, read, reply).as_ref());
        let pages = count(reading.page_count.and_then(|slot| read.page[slot].as_ref()));
        let next = if self.config.page.is_some() { current + 1 } else { current + rows };
        let over = match (more, pages, total) {
            (Some(true), ..) => None,
            _ if rows == 0 => Some("the page is empty".to_owned()),
            (_, Some(pages), _) if self.config.page.is_some() => {
                (next >= pages + first).then(|| format!("it is page {} of {pages}", current + 1 - first))
            }
            (_, _, Some(total)) => {
                (seen >= total).then(|| format!("all {total} rows of the stated total were delivered"))
            }
            _ => self.is_short(rows, ask).then(|| "the page is short".to_owned()),
        };
        match over {
            Some(how) => WayOn::End(how),
            None if rows == 0 => WayOn::Missing,
            None => WayOn::Next(At::Token(next.to_string())),
        }
    }

    /// Whether a page has fewer rows than were asked for (or than the default, or the maximum, allow).
    fn is_short(&self, rows: u64, ask: &Ask) -> bool {
        let spec = self.config.page_size.as_ref();
        let full = match (ask.size, spec) {
            (Some(size), Some(spec)) => Some(spec.maximum.map_or(size, |maximum| size.min(maximum))),
            (_, Some(spec)) => spec.default,
            _ => None,
        };
        rows == 0 || full.is_some_and(|full| rows < full)
    }

    /// The links that a page carries, in header fields and where the suite says they are in the body.
    pub(super) fn links(reading: &Reading, read: &PageRead, reply: &Reply, page: usize) -> Vec<LinkSeen> {
        let mut links = Vec::new();
        for link in parse_links(reply.headers.all("link")) {
            for relation in link.rels.iter().filter_map(|rel| Relation::of(rel)) {
                links.push(LinkSeen { page, relation, target: link.target.clone() });
            }
        }
        for (relation, slot) in &reading.links {
            if let Some(target) = read.page[*slot].as_ref().and_then(Scalar::text).filter(|t| !t.is_empty()) {
                links.push(LinkSeen { page, relation: *relation, target: target.to_owned() });
            }
        }
        links
    }
}

impl Reading {
    fn new(config: &Config, fields: &[&Path]) -> Self {
        let mut page: Vec<Path> = Vec::new();
        let mut slot = |path: Option<&Path>| {
            path.map(|path| {
                page.push(path.clone());
                page.len() - 1
            })
        };
        let next = slot(config.cursor.as_ref().and_then(|c| c.next.as_ref()).or(config.next_url.as_ref()));
        let more = slot(config.more.as_ref());
        let declared = config.total.as_ref();
        let total = slot(declared.and_then(|t| t.path.as_ref()));
        let page_count = slot(declared.and_then(|t| t.pages.as_ref()));
        let estimate = slot(declared.and_then(|t| t.estimate.as_ref()));
        let mut links: Vec<_> =
            config.links.iter().filter_map(|(relation, path)| Some((*relation, slot(Some(path))?))).collect();
        if let (Some(next), true) = (next, config.next_url.is_some()) {
            links.push((Relation::Next, next));
        }
        let fields = std::iter::once(&config.id).chain(fields.iter().copied()).cloned().collect();
        let reader = PageReader::new(Wanted { rows: config.rows.clone(), fields, page });
        Self { reader, next, more, total, page_count, estimate, links }
    }

    /// Reads a page. An empty object is a page without rows: some APIs leave out every member that is empty.
    pub(super) fn page(&self, body: &[u8], sink: &mut impl RowSink) -> Result<PageRead, String> {
        let mut read = self.reader.read(body, sink)?;
        let nothing = body.iter().filter(|byte| !byte.is_ascii_whitespace()).eq(b"{}");
        read.rows = read.rows.or(nothing.then_some(0));
        Ok(read)
    }

    pub(super) fn more(&self, read: &PageRead) -> Option<bool> {
        match read.page[self.more?] {
            Some(Scalar::Bool(more)) => Some(more),
            _ => None,
        }
    }

    pub(super) fn total(&self, config: &Config, read: &PageRead, reply: &Reply) -> Option<Scalar> {
        let in_header = || {
            let name = config.total.as_ref()?.header.as_deref()?;
            reply.headers.get(name).map(|text| Scalar::Number(text.trim().to_owned()))
        };
        self.total.and_then(|slot| read.page[slot].clone()).or_else(in_header)
    }

    pub(super) fn page_count(&self, read: &PageRead) -> Option<Scalar> {
        read.page[self.page_count?].clone()
    }

    pub(super) fn is_estimate(&self, read: &PageRead) -> bool {
        self.estimate.is_some_and(|slot| read.page[slot] == Some(Scalar::Bool(true)))
    }
}

/// A link's target as an absolute URL; as written where it is none.
fn resolved(base: &Url, target: &str) -> String {
    base.join(target).map_or_else(|_| target.to_owned(), String::from)
}
