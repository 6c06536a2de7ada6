//! Rate limits: who may still send what, decided under one lock at one instant.
//!
//! A request is counted on a key: the client that presented the token, the kind of limit, and the endpoint. `terms` says
//! what the behaviour of the API makes of a limit, `limiter` decides by it over one of the models, and `headers` says the
//! decision. Models and limiters are pure functions of their state and an instant. Addresses, headers and tokens play no
//! part when clean, and a request without good credentials counts nowhere.

mod decision;
mod fixed_window;
mod headers;
mod limiter;
mod model;
mod sliding_counter;
mod sliding_log;
mod terms;
mod token_bucket;

pub(super) use headers::Lines;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use self::{decision::Decision, headers::Speech, limiter::Limiter, terms::Terms};
use super::{
    behaviour::Behaviour,
    defects::rate::{SHARED_BETWEEN_CLIENTS, SHARED_BETWEEN_ENDPOINTS},
    times::Times,
};

/// Only defects let callers choose keys; beyond so many all counts are forgotten.
const MOST_KEYS: usize = 10_000;

/// A kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Fixed windows.
    Window,
    /// A token bucket.
    Bucket,
    /// A sliding log.
    Log,
    /// A sliding counter.
    Counter,
    /// So many requests at once.
    Concurrency,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Self; 5] = [Self::Window, Self::Bucket, Self::Log, Self::Counter, Self::Concurrency];

    /// The kind as a path spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Bucket => "bucket",
            Self::Log => "log",
            Self::Counter => "counter",
            Self::Concurrency => "concurrency",
        }
    }

    /// Reads the segment of a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// The endpoints of one kind, each with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    /// Reading, and creating notes.
    Main,
    /// Another one.
    Other,
}

/// A request to be counted.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    /// The client behind the token.
    pub(super) client: &'a str,
    pub(super) kind: Kind,
    pub(super) endpoint: Endpoint,
    /// What else tells keys apart: nothing, unless a defect takes the caller's word.
    pub(super) claim: String,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) admitted: bool,
    /// The headers that say so.
    pub(super) lines: Lines,
    /// How long the answer has to wait.
    pub(super) delay: Duration,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    client: String,
    kind: Kind,
    endpoint: Endpoint,
    claim: String,
}

/// The limits of one running API.
#[derive(Debug)]
pub(super) struct Limits {
    behaviour: Behaviour,
    times: Times,
    speech: Speech,
    started: Instant,
    limiters: Mutex<HashMap<Key, Limiter>>,
}

impl Limits {
    pub(super) fn new(behaviour: Behaviour, times: &Times) -> Self {
        let speech = Speech::of(&behaviour);
        Self { behaviour, times: *times, speech, started: Instant::now(), limiters: Mutex::default() }
    }

    /// Counts a request and decides on it.
    pub(super) fn decide(&self, asked: &Asked<'_>) -> Outcome {
        let terms = Terms::of(asked.kind, &self.behaviour, &self.times);
        let mut limiters = self.limiters();
        if limiters.len() >= MOST_KEYS {
            limiters.clear();
        }
        let limiter = limiters.entry(self.key(asked)).or_insert_with(|| Limiter::new(terms.model));
        let decision = limiter.decide(&terms, self.started.elapsed());
        self.outcome(asked, &terms, &decision)
    }

    /// The refusal of a request that counts nowhere, if any limit of this client's main endpoints is exhausted.
    pub(super) fn exhausted(&self, client: &str) -> Option<Outcome> {
        let limiters = self.limiters();
        Kind::ALL.into_iter().find_map(|kind| {
            let asked = Asked { client, kind, endpoint: Endpoint::Main, claim: String::new() };
            let terms = Terms::of(kind, &self.behaviour, &self.times);
            let mut limiter = limiters.get(&self.key(&asked))?.clone();
            let decision = limiter.decide(&terms, self.started.elapsed());
            (!decision.admitted).then(|| self.outcome(&asked, &terms, &decision))
        })
    }

    fn limiters(&self) -> MutexGuard<'_, HashMap<Key, Limiter>> {
        self.limiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, asked: &Asked<'_>) -> Key {
        let client = if self.behaviour.has(SHARED_BETWEEN_CLIENTS) { "" } else { asked.client };
        let endpoint = if self.behaviour.has(SHARED_BETWEEN_ENDPOINTS) { Endpoint::Main } else { asked.endpoint };
        Key { client: client.to_owned(), kind: asked.kind, endpoint, claim: asked.claim.clone() }
    }

    fn outcome(&self, asked: &Asked<'_>, terms: &Terms, decision: &Decision) -> Outcome {
        let policy = match asked.endpoint {
            Endpoint::Other if !self.behaviour.has(SHARED_BETWEEN_ENDPOINTS) => format!("{}-other", asked.kind.name()),
            Endpoint::Main | Endpoint::Other => asked.kind.name().to_owned(),
        };
        let lines = self.speech.lines(&policy, terms, decision, SystemTime::now());
        Outcome { admitted: decision.admitted, lines, delay: decision.delay }
    }
}
