//! Where requests with keys are made out, sent, and their effects counted.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    super::{
        config::{Config, Operation, Replay},
        evidence::{Answer, Count, Trial},
        patch::without,
    },
    answers::{Heard, hear},
};
use crate::{
    exchange::{ExchangeId, Outcome, Request},
    families::{Call, Find, Found, Session},
    json::Path,
    notation::Values,
};

/// How often a request is sent at most until it gets a final answer.
pub(in super::super) const MOST_TRIES: u32 = 12;
/// How often a lookup is made at most until the first row shows.
pub(in super::super) const MOST_LOOKS: usize = 5;
/// How long a key may be in progress where the suite does not say.
const USUAL_PROCESSING: Duration = Duration::from_secs(5);
/// Most ids of a count that are kept.
const KEPT_IDS: usize = 12;
/// Most rows that are taken back.
const MOST_UNDONE: usize = 300;

/// Sends on behalf of one check, and knows what it made.
pub(super) struct Desk<'a> {
    pub(super) config: &'a Config,
    pub(super) session: &'a dyn Session,
    made: Mutex<Vec<Made<'a>>>,
}

/// A row that this check created.
struct Made<'a> {
    undo: &'a Call,
    client: Option<&'a str>,
    id: String,
}

/// An operation, and how its effects are found.
#[derive(Clone, Copy)]
pub(super) struct Op<'a> {
    pub(super) call: &'a Call,
    pub(super) client: Option<&'a str>,
    pub(super) id: &'a Path,
    pub(super) effects: &'a Find,
    pub(super) undo: Option<&'a Call>,
    pub(super) amount: Option<&'a Path>,
}

/// What makes one request different from all others.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    pub(super) reference: String,
    pub(super) key: String,
    uuid: String,
}

/// How a key is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent<'k> {
    /// As the suite says.
    Usual(&'k str),
    /// Exactly so, in the header field.
    Verbatim(&'k str),
    /// Not at all.
    Not,
}

impl<'a> Desk<'a> {
    pub(super) fn new(config: &'a Config, session: &'a dyn Session) -> Self {
        Self { config, session, made: Mutex::default() }
    }

    /// The check's own operation.
    pub(super) fn own(&self) -> Op<'a> {
        let Config { create, client, id, effects, undo, amount, .. } = self.config;
        Op { call: create, client: client.as_deref(), id, effects, undo: undo.as_ref(), amount: amount.as_ref() }
    }

    /// Another operation of the suite.
    pub(super) fn other(&self, other: &'a Operation) -> Op<'a> {
        Op {
            call: &other.create,
            client: other.client.as_deref().or(self.config.client.as_deref()),
            id: other.id.as_ref().unwrap_or(&self.config.id),
            effects: &other.effects,
            undo: other.undo.as_ref(),
            amount: None,
        }
    }

    /// A reference and a key that nothing has used: not even an earlier run with the same seed.
    pub(super) fn fresh(&self) -> Result<Seed, String> {
        let mut values = self.session.values();
        let reference = format!("fc{:016x}", self.session.fresh());
        let bytes = (u128::from(self.session.fresh()) << 64 | u128::from(self.session.fresh())).to_be_bytes();
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
        values.insert("uuid".into(), uuid.clone());
        values.insert("reference".into(), reference.clone());
        let key = self.config.key.value.render(&values).map_err(|unknown| unknown.to_string())?;
        Ok(Seed { reference, key, uuid })
    }

    /// A request made out; the same every time it is sent.
    pub(super) fn request(
        &self,
        op: Op<'_>,
        seed: &Seed,
        key: Sent<'_>,
        purpose: &'static str,
    ) -> Result<Request, String> {
        let spec = &self.config.key;
        let mut values = self.session.values();
        values.insert("uuid".into(), seed.uuid.clone());
        values.insert("reference".into(), seed.reference.clone());
        let who = op.call.who(op.client);
        let mut request = match key {
            Sent::Not => without(op.call, "key").build(who, &values, purpose)?,
            Sent::Usual(key) | Sent::Verbatim(key) => {
                values.insert("key".into(), key.to_owned());
                op.call.build(who, &values, purpose)?
            }
        };
        if let Some(field) = spec.field() {
            match key {
                Sent::Not => request.headers.remove(field),
                Sent::Usual(key) if spec.quoted => request.headers.set(field, quoted(key)),
                Sent::Usual(key) | Sent::Verbatim(key) => request.headers.set(field, key),
            }
        }
        Ok(request)
    }

    /// Sends a request once.
    pub(super) async fn ask(&self, request: &Request, id: &Path) -> Heard {
        hear(self.session.send(request.clone()).await, id)
    }

    /// Sends a request until there is a final answer, or a key may no longer be in progress.
    pub(super) async fn settle(&self, request: &Request, id: &Path) -> Heard {
        self.until(request, id, |answer| self.waits(answer)).await
    }

    /// The same, and an error of the server is not final either: what a client does that must know what became of it.
    pub(super) async fn insist(&self, request: &Request, id: &Path) -> Heard {
        self.until(request, id, |answer| self.waits(answer) || answer.is_server_error()).await
    }

    async fn until(&self, request: &Request, id: &Path, waits: impl Fn(&Answer) -> bool) -> Heard {
        let processing = self.config.processing.map_or(USUAL_PROCESSING, |span| span.0);
        let until = self.session.now() + processing;
        let step = (processing / 10).max(self.config.spacing.0).max(Duration::from_millis(20));
        let mut tries = 1;
        loop {
            let mut heard = self.ask(request, id).await;
            heard.answer.tries = tries;
            // The last try comes when the key may no longer be in progress, whatever wait is asked for.
            let left = until.saturating_sub(self.session.now());
            let pause = heard.retry_after.map_or(step, |asked| asked.max(step)).min(left.max(step));
            let late = left.is_zero();
            if !waits(&heard.answer) || late || tries >= MOST_TRIES || self.session.stopping() {
                return heard;
            }
            self.session.pause(pause).await;
            tries += 1;
        }
    }

    /// Whether an answer may be another one later.
    fn waits(&self, answer: &Answer) -> bool {
        match answer.status() {
            Some(409) => self.config.replay != Some(Replay::Refused),
            Some(status) => matches!(status, 425 | 429 | 502..=504),
            None => answer.exchange.is_some(),
        }
    }

    /// Waits as long as two requests with the same key must be apart.
    pub(super) async fn space(&self) {
        if !self.config.spacing.0.is_zero() {
            self.session.pause(self.config.spacing.0).await;
        }
    }

    /// Waits until a row that exists must show.
    pub(super) async fn lag(&self) {
        self.session.pause(self.config.list_lag.0).await;
    }

    /// Counts what exists for a reference.
    pub(super) async fn count(&self, op: Op<'a>, reference: &str) -> Count {
        let extra: Vec<Path> = op.amount.into_iter().cloned().collect();
        let found = op.effects.find(self.session, op.client, &self.values(), reference, &extra).await;
        if let (Found::Rows(rows), Some(undo)) = (&found, op.undo) {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                if made.len() < MOST_UNDONE && !made.iter().any(|known| known.id == row.id && known.client == op.client)
                {
                    made.push(Made { undo, client: op.client, id: row.id.clone() });
                }
            }
        }
        counted(&found)
    }

    /// Counts again and again until a first row shows, or must have shown.
    pub(super) async fn await_row(&self, op: Op<'a>, reference: &str) -> Count {
        let lag = self.config.list_lag.0;
        let pauses: [Duration; MOST_LOOKS - 1] = [lag / 8, lag / 8, lag / 4, lag / 2];
        for pause in pauses {
            let count = self.count(op, reference).await;
            if count.number() != Some(0) || self.session.stopping() {
                return count;
            }
            self.session.pause(pause).await;
        }
        self.count(op, reference).await
    }

    /// Counts once every row must show that is going to; where one is owed and none shows, waits some more.
    pub(super) async fn at_rest(&self, op: Op<'a>, reference: &str, owed: bool) -> Count {
        self.lag().await;
        let count = self.count(op, reference).await;
        if !owed || count.number() != Some(0) || self.session.stopping() {
            return count;
        }
        self.session.pause(self.config.list_lag.0 * 2).await;
        self.count(op, reference).await
    }

    /// A first request with a fresh key and reference, of the check's own operation.
    pub(super) async fn trial(&self, purpose: &'static str) -> Result<(Trial, Seed, Request, Heard), String> {
        let op = self.own();
        let seed = self.fresh()?;
        let request = self.request(op, &seed, Sent::Usual(&seed.key), purpose)?;
        let before = self.count(op, &seed.reference).await;
        let heard = self.ask(&request, op.id).await;
        let trial = Trial {
            reference: seed.reference.clone(),
            key: seed.key.clone(),
            before,
            first: heard.answer.clone(),
            alone: None,
        };
        Ok((trial, seed, request, heard))
    }

    /// What the suite knows, for requests that are not made out of a seed.
    pub(super) fn values(&self) -> Values {
        self.session.values()
    }

    /// Takes back what this check created; how many rows are left.
    pub(super) async fn undo(&self) -> usize {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = 0;
        for Made { undo, client, id } in made {
            let mut values = self.values();
            values.insert("id".into(), id);
            let gone = match undo.build(undo.who(client), &values, "take back what the check created") {
                Ok(request) => taken_back(&self.session.undo(request).await),
                Err(_) => false,
            };
            left += usize::from(!gone);
        }
        left
    }
}

fn taken_back(outcome: &Outcome) -> bool {
    outcome.as_ref().is_ok_and(|reply| reply.is_success() || matches!(reply.status, 404 | 410))
}

/// A String of RFC 9651 §3.3.3.
pub(super) fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Different ids count, not rows: a listing may show a row twice.
pub(super) fn counted(found: &Found) -> Count {
    let rows = match found {
        Found::Rows(rows) => rows,
        Found::Unseen(why, exchange) => return Count::Unseen { why: why.clone(), exchange: *exchange },
    };
    let mut distinct: Vec<&crate::families::FoundRow> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let mut exchanges: Vec<ExchangeId> = Vec::new();
    for row in rows {
        if known.insert(row.id.as_str()) {
            distinct.push(row);
        }
        if !exchanges.contains(&row.exchange) && exchanges.len() < 3 {
            exchanges.push(row.exchange);
        }
    }
    let kept = || distinct.iter().take(KEPT_IDS);
    Count::Seen {
        number: distinct.len(),
        ids: kept().map(|row| super::answers::cropped(&row.id)).collect(),
        amounts: kept().map(|row| row.fields.first().cloned().flatten()).collect(),
        exchanges,
    }
}
