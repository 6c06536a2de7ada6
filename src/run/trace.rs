//! Every exchange of a run, within bounded memory.
//!
//! Exchanges are kept as they were (bodies are shared, not copied) and redacted only when the record is made. Bodies
//! are kept while there is room; after that only their length, and of successes only the head's first line. What
//! failed is always kept whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{Events, lock};
use crate::{
    exchange::{
        Body, Exchange, ExchangeId, Failure, FailureKind, Headers, Recorded, RecordedRequest, RecordedResponse,
        Redactor, Who,
    },
    families::Observer,
    record::Stopped,
    rule::{Finding, Verdict},
    wire::{Heard, Recorder},
};

/// Bodies of successes are kept up to so many bytes in all: small ones, which walks with small pages cite, apart from
/// large ones, which would leave them no room.
const SMALL_BODIES_KEPT: usize = 2 << 20;
const LARGE_BODIES_KEPT: usize = 1 << 20;
/// What a small body is.
const SMALL: usize = 4 << 10;
/// Heads of so many successes are kept.
const HEADS_KEPT: usize = 1_000;
/// Of errors and failures so many are kept whole.
const ERRORS_KEPT: usize = 2_000;
/// A body's text is recorded up to so many bytes.
const TEXT_RECORDED: usize = 32 << 10;
/// So many exchanges that no finding cites are recorded, because they failed.
const UNCITED_RECORDED: usize = 100;

/// Keeps what was said.
pub(super) struct Trace {
    redactor: Redactor,
    next: AtomicU32,
    state: Mutex<State>,
    events: Arc<dyn Events>,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<u32, Kept>,
    observers: Vec<(&'static str, Box<dyn Observer>)>,
    small_bodies: usize,
    large_bodies: usize,
    heads: usize,
    errors: usize,
    responses: u64,
    /// How many of them were errors of the server, and the status of the first.
    server_errors: u64,
    failing: Option<u16>,
    /// The first failure to reach the target at all.
    unreachable: Option<String>,
    /// Responses to requests with credentials, and how many of them refused the credentials.
    authenticated: u64,
    refused: u64,
    refused_by: Option<(String, u16)>,
    waited: BTreeMap<String, (u32, Duration)>,
    notes: Vec<String>,
}

struct Kept {
    client: String,
    check: String,
    purpose: &'static str,
    sent: Duration,
    took: Duration,
    method: String,
    url: String,
    headers: Headers,
    body: Bytes,
    outcome: Result<KeptResponse, Failure>,
}

struct KeptResponse {
    status: u16,
    version: String,
    remote: Option<String>,
    headers: Headers,
    body: KeptBody,
}

enum KeptBody {
    Whole(Bytes),
    Length(u64),
}

impl Trace {
    pub(super) fn new(
        redactor: Redactor,
        observers: Vec<(&'static str, Box<dyn Observer>)>,
        events: Arc<dyn Events>,
    ) -> Self {
        let state = State { observers, ..State::default() };
        Self { redactor, next: AtomicU32::new(1), state: Mutex::new(state), events }
    }

    /// What hides the run's secrets.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// How many exchanges there were.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.next.load(Ordering::Relaxed)) - 1
    }

    /// Why the target cannot be reached, if nothing ever came back from it.
    pub(super) fn unreachable(&self) -> Option<String> {
        let state = lock(&self.state);
        if state.responses == 0 { state.unreachable.clone() } else { None }
    }

    /// Why nothing could be tested, if so: not reached, or every credential refused.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        if let Some(why) = self.unreachable() {
            return Some(Stopped::Unreachable(why));
        }
        let state = lock(&self.state);
        if let Some(status) = state.failing.filter(|_| state.responses == state.server_errors) {
            return Some(Stopped::Unavailable(format!(
                "every request was answered with an error of the server (status {status})"
            )));
        }
        let (client, status) = state.refused_by.as_ref()?;
        (state.refused == state.authenticated && state.authenticated > 0).then(|| {
            Stopped::LoginRefused(format!(
                "every request with credentials was refused (client `{client}`: status {status}); check `clients`"
            ))
        })
    }

    /// Says something that a reader of the report should know.
    pub(super) fn note(&self, note: String) {
        lock(&self.state).notes.push(note);
    }

    /// What a reader of the report should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let state = lock(&self.state);
        let waited = state.waited.iter().map(|(client, (times, total))| {
            format!("requests of client `{client}` were held back {times} times, {:.1} s in all", total.as_secs_f32())
        });
        waited.chain(state.notes.iter().cloned()).collect()
    }

    /// Tells a family's observer what one of its checks found.
    pub(super) fn found(&self, family: &str, check: &str, evidence: &crate::families::Evidence) {
        let mut state = lock(&self.state);
        for (_, observer) in state.observers.iter_mut().filter(|(name, _)| *name == family) {
            observer.note(check, evidence);
        }
    }

    /// What the observers of a family saw.
    pub(super) fn observed(&self, family: &str) -> Option<crate::families::Evidence> {
        let state = lock(&self.state);
        state.observers.iter().find(|(name, _)| *name == family).map(|(_, observer)| observer.evidence())
    }

    /// The exchanges that findings cite, and some that failed, redacted.
    pub(super) fn exchanges(&self, findings: &[Finding]) -> Vec<Exchange> {
        let state = lock(&self.state);
        let mut wanted: BTreeSet<u32> = findings
            .iter()
            .filter(|finding| finding.verdict != Verdict::NotApplicable)
            .flat_map(|finding| finding.exchanges.iter().map(|id| id.0))
            .collect();
        let failed = state.kept.iter().filter(|(_, kept)| kept.outcome.is_err()).map(|(id, _)| *id);
        wanted.extend(failed.take(UNCITED_RECORDED).collect::<Vec<_>>());
        wanted.iter().filter_map(|id| Some(self.recorded(*id, state.kept.get(id)?))).collect()
    }

    fn recorded(&self, id: u32, kept: &Kept) -> Exchange {
        let headers = |headers: &Headers| -> Headers {
            headers.iter().map(|(name, value)| (name.to_owned(), self.redactor.redact(value).into_owned())).collect()
        };
        let outcome = match &kept.outcome {
            Ok(response) => Recorded::Response(RecordedResponse {
                status: response.status,
                version: response.version.clone(),
                remote: response.remote.clone(),
                headers: headers(&response.headers),
                body: match &response.body {
                    KeptBody::Whole(bytes) => self.body(bytes),
                    KeptBody::Length(length) => Body { length: *length, ..Body::default() },
                },
            }),
            Err(failure) => Recorded::Failed(Failure {
                message: self.redactor.redact(&failure.message).into_owned(),
                ..failure.clone()
            }),
        };
        Exchange {
            id: ExchangeId(id),
            client: kept.client.clone(),
            check: kept.check.clone(),
            purpose: kept.purpose.to_owned(),
            sent_us: micros(kept.sent),
            duration_us: micros(kept.took),
            request: RecordedRequest {
                method: kept.method.clone(),
                url: self.redactor.redact(&kept.url).into_owned(),
                headers: headers(&kept.headers),
                body: self.body(&kept.body),
            },
            outcome,
        }
    }

    fn body(&self, bytes: &Bytes) -> Body {
        let length = bytes.len() as u64;
        if bytes.len() <= TEXT_RECORDED {
            let text = self.redactor.redact(&String::from_utf8_lossy(bytes)).into_owned();
            return Body { length, text: Some(text), sha256: None };
        }
        let sha256 = HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref());
        Body { length, text: None, sha256: Some(sha256) }
    }
}

impl Recorder for Trace {
    fn next_id(&self) -> ExchangeId {
        ExchangeId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn heard(&self, heard: &Heard<'_>) {
        let mut state = lock(&self.state);
        for (_, observer) in &mut state.observers {
            observer.see(heard.request, heard.outcome);
        }
        state.take_note(heard);
        state.keep(heard);
        drop(state);
        self.events.exchange(self.count());
    }

    fn waiting(&self, client: &str, time: Duration, why: &str) {
        let mut state = lock(&self.state);
        let entry = state.waited.entry(client.to_owned()).or_default();
        entry.0 += 1;
        entry.1 += time;
        drop(state);
        self.events.waiting(client, time, why);
    }
}

impl State {
    /// Counts what tells whether the target is reached and lets us in.
    fn take_note(&mut self, heard: &Heard<'_>) {
        match heard.outcome {
            Ok(reply) => {
                self.responses += 1;
                if reply.status >= 500 {
                    self.server_errors += 1;
                    self.failing.get_or_insert(reply.status);
                }
                if let Who::Client(name) = &heard.request.who {
                    self.authenticated += 1;
                    if matches!(reply.status, 401 | 403) {
                        self.refused += 1;
                        self.refused_by.get_or_insert((name.clone(), reply.status));
                    }
                }
            }
            Err(failure) => {
                let out_of_reach = matches!(
                    failure.kind,
                    FailureKind::Dns | FailureKind::Connect | FailureKind::Tls | FailureKind::Protocol
                );
                if out_of_reach && self.unreachable.is_none() {
                    self.unreachable = Some(failure.message.clone());
                }
            }
        }
    }

    fn keep(&mut self, heard: &Heard<'_>) {
        let success = matches!(heard.outcome, Ok(reply) if reply.is_success());
        let whole = if success {
            self.heads += 1;
            self.heads <= HEADS_KEPT
        } else {
            self.errors += 1;
            self.errors <= ERRORS_KEPT
        };
        let outcome = match heard.outcome {
            Ok(reply) => {
                let length = reply.body.len();
                let (used, room) = if length <= SMALL {
                    (&mut self.small_bodies, SMALL_BODIES_KEPT)
                } else {
                    (&mut self.large_bodies, LARGE_BODIES_KEPT)
                };
                let body = if whole && (!success || *used + length <= room) {
                    *used += length;
                    KeptBody::Whole(reply.body.clone())
                } else {
                    KeptBody::Length(reply.body.len() as u64)
                };
                let (version, remote) = (heard.version.to_owned(), heard.remote.map(|address| address.to_string()));
                let headers = if whole { reply.headers.clone() } else { Headers::default() };
                Ok(KeptResponse { status: reply.status, version, remote, headers, body })
            }
            Err(failure) => Err(failure.clone()),
        };
        let kept = Kept {
            client: heard.request.who.name().to_owned(),
            check: heard.request.check.clone(),
            purpose: heard.request.purpose,
            sent: heard.sent,
            took: heard.took,
            method: heard.request.method.clone(),
            url: heard.url.to_string(),
            headers: if whole { heard.headers.clone() } else { Headers::default() },
            body: if whole { heard.body.clone() } else { Bytes::new() },
            outcome,
        };
        self.kept.insert(heard.id.0, kept);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
