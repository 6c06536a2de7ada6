//! A check's way to the target.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use url::Url;

use super::{afterwards::Afterwards, lateness::Lateness, line::CheckLine, lock, trace::Trace};
use crate::{
    exchange::{Opening, Outcome, Request, Unopened},
    families::{Answer, Cut, Delivery, Line, Mailbox, Place, Sameness, Session},
    notation::Values,
    wire::{Callbacks, Credentials, Wire, callbacks},
};

/// What the sessions of all checks use.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) wire: Arc<Wire>,
    pub(super) afterwards: Arc<Afterwards>,
    pub(super) callbacks: Arc<Callbacks>,
    pub(super) trace: Arc<Trace>,
    pub(super) values: Arc<Mutex<Values>>,
    pub(super) lateness: Arc<Lateness>,
    /// What tells this run from all others.
    pub(super) nonce: u64,
}

/// Sends on behalf of one check.
pub(super) struct CheckSession {
    shared: Shared,
    check: String,
    random: Mutex<ChaCha8Rng>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Time spent waiting; waits that overlap count once.
#[derive(Default)]
pub(super) struct Waiting {
    at_once: u32,
    since: Duration,
    total: Duration,
}

impl Waiting {
    fn begin(&mut self, now: Duration) {
        if self.at_once == 0 {
            self.since = now;
        }
        self.at_once += 1;
    }

    fn end(&mut self, now: Duration) {
        self.at_once -= 1;
        if self.at_once == 0 {
            self.total += now.saturating_sub(self.since);
        }
    }
}

/// A wait that ends when this is dropped, also where nobody awaits it to its end.
pub(super) struct Wait {
    waiting: Arc<Mutex<Waiting>>,
    wire: Arc<Wire>,
}

impl Wait {
    pub(super) fn begin(waiting: &Arc<Mutex<Waiting>>, wire: &Arc<Wire>) -> Self {
        lock(waiting).begin(wire.now());
        Self { waiting: Arc::clone(waiting), wire: Arc::clone(wire) }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        lock(&self.waiting).end(self.wire.now());
    }
}

impl CheckSession {
    pub(super) fn new(shared: Shared, check: &str, seed: u64) -> Self {
        // Each check has a sequence of its own, whatever runs beside it.
        let mut hasher = DefaultHasher::new();
        check.hash(&mut hasher);
        let random = ChaCha8Rng::seed_from_u64(seed ^ hasher.finish());
        Self { shared, check: check.to_owned(), random: Mutex::new(random), waiting: Arc::default() }
    }

    /// How long the check waited.
    pub(super) fn waited(&self) -> Duration {
        lock(&self.waiting).total
    }
}

impl Session for CheckSession {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(self.shared.wire.send(request))
    }

    fn undo(&self, mut request: Request) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(async move {
            match self.shared.afterwards.wire().filter(|_| self.stopping()) {
                Some(wire) => wire.send(request).await,
                None => self.shared.wire.send(request).await,
            }
        })
    }

    fn together(&self, mut requests: Vec<Request>) -> BoxFuture<'_, Vec<Outcome>> {
        for request in &mut requests {
            request.check.clone_from(&self.check);
        }
        Box::pin(self.shared.wire.together(requests))
    }

    fn sever(&self, mut request: Request, cut: Cut) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(async move { self.shared.wire.sever(request, cut == Cut::AfterFirstByte).await })
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        self.mailbox_at(Place::Own)
    }

    fn mailbox_at(&self, place: Place) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        Box::pin(async move {
            let mailbox = match place {
                Place::Own => self.shared.callbacks.mailbox(&self.check).await,
                Place::ByHand => self.shared.callbacks.mailbox_by_hand(&self.check).await,
                Place::On(address) => self.shared.callbacks.mailbox_on(address, &self.check).await,
            };
            Ok(Box::new(Received {
                mailbox: mailbox?,
                wire: Arc::clone(&self.shared.wire),
                waiting: Arc::clone(&self.waiting),
            }) as Box<dyn Mailbox>)
        })
    }

    fn open(&self, mut opening: Opening) -> BoxFuture<'_, Result<Box<dyn Line>, Unopened>> {
        opening.request.check.clone_from(&self.check);
        Box::pin(async move {
            let wire = Arc::clone(&self.shared.wire);
            let stream = wire.open(opening).await?;
            Ok(Box::new(CheckLine { stream, wire, waiting: Arc::clone(&self.waiting) }) as Box<dyn Line>)
        })
    }

    fn hide(&self, secret: &str) {
        self.shared.trace.hide(secret);
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _wait = Wait::begin(&self.waiting, &self.shared.wire);
            self.shared.wire.pause(time).await;
        })
    }

    fn now(&self) -> Duration {
        self.shared.wire.now()
    }

    fn late(&self, from: Duration, to: Duration) -> Duration {
        self.shared.lateness.between(from, to, self.now())
    }

    fn base(&self) -> &Url {
        self.shared.wire.base()
    }

    fn values(&self) -> Values {
        let mut values = lock(&self.shared.values).clone();
        let uuid = u128::from(self.fresh()) << 64 | u128::from(self.fresh());
        let uuid = uuid::Builder::from_random_bytes(uuid.to_be_bytes()).into_uuid();
        values.entry("uuid".into()).or_insert_with(|| uuid.to_string());
        values
    }

    fn credentials(&self, client: &str) -> Values {
        let named = self.shared.wire.credentials(client).map(Credentials::named).unwrap_or_default();
        let name =
            |name: Option<&str>| name.map_or_else(|| "credential".to_owned(), |name| format!("credential.{name}"));
        named.into_iter().map(|(known, secret)| (name(known), secret.to_owned())).collect()
    }

    fn random(&self) -> u64 {
        lock(&self.random).random()
    }

    fn nonce(&self) -> u64 {
        self.shared.nonce
    }

    fn remaining(&self) -> u64 {
        self.shared.wire.remaining()
    }

    fn stopping(&self) -> bool {
        self.shared.wire.stopping() || self.shared.wire.remaining() == 0
    }
}

/// A mailbox whose waits end with the run.
struct Received {
    mailbox: callbacks::Mailbox,
    wire: Arc<Wire>,
    waiting: Arc<Mutex<Waiting>>,
}

impl Mailbox for Received {
    fn url(&self) -> &Url {
        self.mailbox.url()
    }

    fn answer_next(&self, answers: Vec<Answer>) {
        self.mailbox.answer_next(answers);
    }

    fn answer_alike(&self, sameness: Sameness, answers: Vec<Answer>, otherwise: Answer) {
        self.mailbox.answer_alike(sameness, answers, otherwise);
    }

    fn answer_always(&self, answer: Answer) {
        self.mailbox.answer_always(answer);
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.mailbox.deliveries()
    }

    fn wait_beyond(&self, seen: usize, time: Duration) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let _wait = Wait::begin(&self.waiting, &self.wire);
            tokio::select! {
                biased;
                arrived = self.mailbox.wait_beyond(seen, time) => arrived,
                () = self.wire.pause(time) => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_overlap_count_once() {
        let at = Duration::from_secs;
        let mut waiting = Waiting::default();
        waiting.begin(at(1));
        waiting.begin(at(2));
        waiting.end(at(3));
        waiting.end(at(4));
        waiting.begin(at(7));
        waiting.end(at(8));
        assert_eq!(waiting.total, at(4));
    }
}
