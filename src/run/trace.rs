//! Every exchange of a run, within bounded memory.
//!
//! Exchanges are kept as they were and redacted only when the record is made. Bodies are kept while there is room;
//! after that only their length, and of successes only the head's first line. What failed is always kept whole. What
//! is kept is copied to its exact size: a body as it was received shares a much larger buffer and would keep all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{
    Events,
    kept::{Common, Head, Kept, KeptBody, KeptOutcome, KeptResponse, KeptStream},
    lock, streamed,
};
use crate::{
    exchange::{
        Answer, Body, CALLBACK, CALLER, Exchange, ExchangeId, Failure, FailureKind, Handshake, Headers, Recorded,
        RecordedRequest, RecordedResponse, Redactor, Request, Who,
    },
    families::Observer,
    record::Stopped,
    rule::{Finding, Verdict},
    wire::{Called, Heard, Recorder, Streamed},
};

/// Bodies of successes are kept up to so many bytes in all: small ones, which walks with small pages cite, apart from
/// large ones, which would leave them no room; of those too long to be recorded, the digest.
const SMALL_BODIES_KEPT: usize = 1 << 20;
const LARGE_BODIES_KEPT: usize = 1 << 20;
/// What a small body is.
const SMALL: usize = 4 << 10;
/// So many bytes of bodies too long to be recorded are digested.
const BYTES_DIGESTED: usize = 4 << 20;
/// So many octets of frames are kept in all; of streams after that only how much was said, and how they ended.
const FRAMES_KEPT: usize = 4 << 20;
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
    redactor: RwLock<Redactor>,
    next: AtomicU32,
    called: AtomicU32,
    state: Mutex<State>,
    events: Arc<dyn Events>,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<u32, Kept>,
    common: BTreeSet<Arc<Common>>,
    observers: Vec<(&'static str, Box<dyn Observer>)>,
    small_bodies: usize,
    large_bodies: usize,
    digested: usize,
    frames: usize,
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

impl Trace {
    pub(super) fn new(
        redactor: Redactor,
        observers: Vec<(&'static str, Box<dyn Observer>)>,
        events: Arc<dyn Events>,
    ) -> Self {
        let state = State { observers, ..State::default() };
        Self {
            redactor: RwLock::new(redactor),
            next: AtomicU32::new(1),
            called: AtomicU32::new(0),
            state: Mutex::new(state),
            events,
        }
    }

    /// What hides the run's secrets.
    pub(super) fn redactor(&self) -> RwLockReadGuard<'_, Redactor> {
        self.redactor.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of one more secret; what was kept before is redacted too, for that happens in the end.
    pub(super) fn hide(&self, secret: &str) {
        self.redactor.write().unwrap_or_else(PoisonError::into_inner).add(secret);
    }

    /// How many exchanges there were; what the target sent by itself is none.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.next.load(Ordering::Relaxed)) - 1 - u64::from(self.called.load(Ordering::Relaxed))
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
        let failed =
            state.kept.iter().filter(|(_, kept)| matches!(kept.outcome, KeptOutcome::Failed(_))).map(|(id, _)| *id);
        wanted.extend(failed.take(UNCITED_RECORDED).collect::<Vec<_>>());
        wanted.iter().filter_map(|id| Some(self.recorded(*id, state.kept.get(id)?))).collect()
    }

    fn recorded(&self, id: u32, kept: &Kept) -> Exchange {
        let headers = |head: &Head| -> Headers {
            head.fields().map(|(name, value)| (name.to_owned(), self.redactor().redact(value).into_owned())).collect()
        };
        let length_only = |length: u64| Body { length, ..Body::default() };
        let common = &kept.common;
        let response = |status, headers, body| {
            let (version, remote) = (common.version.to_owned(), common.remote.map(|address| address.to_string()));
            Recorded::Response(RecordedResponse { status, version, remote, headers, body })
        };
        let outcome = match &kept.outcome {
            KeptOutcome::Brief(status, length) => response(*status, Headers::default(), length_only(*length)),
            KeptOutcome::Response(whole) => {
                let body = match &whole.body {
                    KeptBody::Whole(bytes) => self.body(bytes),
                    KeptBody::Digest(body) => body.clone(),
                    KeptBody::Length(length) => length_only(*length),
                };
                response(whole.status, headers(&whole.head), body)
            }
            KeptOutcome::Stream(stream) => {
                Recorded::Stream(streamed::record(stream, common, headers(&stream.head), &self.redactor()))
            }
            KeptOutcome::Failed(failure) => Recorded::Failed(Failure {
                message: self.redactor().redact(&failure.message).into_owned(),
                ..(**failure).clone()
            }),
        };
        let (sent, content) = kept.whole.as_deref().map(|(sent, content)| (headers(sent), self.body(content))).unzip();
        Exchange {
            id: ExchangeId(id),
            client: common.client.clone(),
            check: common.check.clone(),
            purpose: common.purpose.to_owned(),
            sent_us: kept.sent_us,
            duration_us: kept.took_us,
            request: RecordedRequest {
                method: common.method.clone(),
                url: self.redactor().redact(&kept.url).into_owned(),
                headers: sent.unwrap_or_default(),
                body: content.unwrap_or_else(|| self.body(&[])),
            },
            outcome,
        }
    }

    fn body(&self, bytes: &[u8]) -> Body {
        if bytes.len() > TEXT_RECORDED {
            return digested(bytes);
        }
        let text = self.redactor().redact(&String::from_utf8_lossy(bytes)).into_owned();
        Body { length: bytes.len() as u64, text: Some(text), sha256: None }
    }
}

impl Recorder for Trace {
    fn next_id(&self) -> ExchangeId {
        ExchangeId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn heard(&self, heard: &Heard<'_>) {
        let mut state = lock(&self.state);
        // What the refusal of a handshake, or of asking for a stream without one, looks like is up to the WebSocket library; it is
        // judged as a stream's, not as an API's error.
        if !heard.request.stream && heard.headers.get("sec-websocket-key").is_none() {
            for (_, observer) in &mut state.observers {
                observer.see(heard.request, heard.outcome);
            }
        }
        state.take_note(heard);
        state.keep(heard);
        drop(state);
        self.events.exchange(self.count());
    }

    fn opened(&self, request: &Request, handshake: &Handshake) {
        lock(&self.state).answered(&request.who, handshake.status);
        self.events.exchange(self.count());
    }

    fn streamed(&self, streamed: &Streamed<'_>) {
        lock(&self.state).keep_stream(streamed);
    }

    fn called(&self, called: &Called<'_>) {
        self.called.fetch_add(1, Ordering::Relaxed);
        lock(&self.state).keep_called(called);
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
            Ok(reply) => self.answered(&heard.request.who, reply.status),
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

    fn answered(&mut self, who: &Who, status: u16) {
        self.responses += 1;
        if status >= 500 {
            self.server_errors += 1;
            self.failing.get_or_insert(status);
        }
        if let Who::Client(name) = who {
            self.authenticated += 1;
            if matches!(status, 401 | 403) {
                self.refused += 1;
                self.refused_by.get_or_insert((name.clone(), status));
            }
        }
    }

    fn keep_stream(&mut self, streamed: &Streamed<'_>) {
        let Streamed { request, handshake, log, .. } = *streamed;
        self.heads += 1;
        let whole = self.heads <= HEADS_KEPT && self.frames + log.size() <= FRAMES_KEPT;
        let log = if whole { log.clone() } else { log.brief() };
        self.frames += log.size();
        let common = self.shared(Common {
            client: request.who.name().to_owned(),
            check: request.check.clone(),
            purpose: request.purpose,
            method: request.method.clone(),
            version: streamed.version,
            remote: streamed.remote,
        });
        let kept = Kept {
            common,
            sent_us: micros(handshake.sent),
            took_us: micros(streamed.took),
            url: streamed.url.as_str().into(),
            whole: whole.then(|| Box::new((Head::of(streamed.sent_headers), Bytes::new()))),
            outcome: KeptOutcome::Stream(Box::new(KeptStream {
                status: handshake.status,
                head: Head::of(&handshake.headers),
                log,
            })),
        };
        self.kept.insert(handshake.id.0, kept);
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
            Ok(reply) if !whole => KeptOutcome::Brief(reply.status, reply.body.len() as u64),
            Ok(reply) => {
                let body = self.keep_body(&reply.body, success);
                KeptOutcome::Response(Box::new(KeptResponse {
                    status: reply.status,
                    head: Head::of(&reply.headers),
                    body,
                }))
            }
            Err(failure) => KeptOutcome::Failed(Box::new(failure.clone())),
        };
        let kept = Kept {
            common: self.common(heard),
            sent_us: micros(heard.sent),
            took_us: micros(heard.took),
            url: heard.url.as_str().into(),
            whole: whole.then(|| Box::new((Head::of(heard.headers), heard.body.clone()))),
            outcome,
        };
        self.kept.insert(heard.id.0, kept);
    }

    fn keep_called(&mut self, called: &Called<'_>) {
        let delivery = called.delivery;
        self.heads += 1;
        let whole = self.heads <= HEADS_KEPT;
        let outcome = match &delivery.answered {
            Answer::Respond(status, headers, body) => KeptOutcome::Response(Box::new(KeptResponse {
                status: *status,
                head: Head::of(headers),
                body: self.keep_body(body, true),
            })),
            Answer::Hang(_) => KeptOutcome::Failed(Box::new(unanswered("not answered, on purpose"))),
            Answer::Reset => KeptOutcome::Failed(Box::new(unanswered("the connection was reset on purpose"))),
        };
        let common = self.shared(Common {
            client: CALLER.to_owned(),
            check: called.check.to_owned(),
            purpose: CALLBACK,
            method: delivery.method.clone(),
            version: "HTTP/1.1",
            remote: Some(called.remote),
        });
        let kept = Kept {
            common,
            sent_us: micros(called.began),
            took_us: micros(delivery.received.saturating_sub(called.began)),
            url: delivery.url.as_str().into(),
            whole: whole.then(|| Box::new((Head::of(&delivery.headers), Bytes::copy_from_slice(&delivery.body)))),
            outcome,
        };
        self.kept.insert(delivery.id.0, kept);
    }

    fn keep_body(&mut self, body: &[u8], success: bool) -> KeptBody {
        let room = |taken: usize, most: usize| !success || taken + body.len() <= most;
        if body.len() > TEXT_RECORDED && room(self.digested, BYTES_DIGESTED) {
            self.digested += body.len();
            KeptBody::Digest(digested(body))
        } else if body.len() <= SMALL && room(self.small_bodies, SMALL_BODIES_KEPT) {
            self.small_bodies += body.len();
            KeptBody::Whole(Bytes::copy_from_slice(body))
        } else if (SMALL + 1..=TEXT_RECORDED).contains(&body.len()) && room(self.large_bodies, LARGE_BODIES_KEPT) {
            self.large_bodies += body.len();
            KeptBody::Whole(Bytes::copy_from_slice(body))
        } else {
            KeptBody::Length(body.len() as u64)
        }
    }

    /// What the exchange has in common with others, kept once.
    fn common(&mut self, heard: &Heard<'_>) -> Arc<Common> {
        self.shared(Common {
            client: heard.request.who.name().to_owned(),
            check: heard.request.check.clone(),
            purpose: heard.request.purpose,
            method: heard.request.method.clone(),
            version: heard.version,
            remote: heard.remote,
        })
    }

    fn shared(&mut self, common: Common) -> Arc<Common> {
        if let Some(known) = self.common.get(&common) {
            return Arc::clone(known);
        }
        let common = Arc::new(common);
        self.common.insert(Arc::clone(&common));
        common
    }
}

/// What is recorded of a body that is too long to be shown.
fn digested(bytes: &[u8]) -> Body {
    let sha256 = HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref());
    Body { length: bytes.len() as u64, text: None, sha256: Some(sha256) }
}

fn unanswered(message: &str) -> Failure {
    Failure { id: None, kind: FailureKind::Severed, message: message.to_owned() }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
