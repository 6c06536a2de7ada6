//! A check's way to the target.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use url::Url;

use super::{afterwards::Afterwards, lock};
use crate::{
    exchange::{Outcome, Request},
    families::{Cut, Mailbox, Session},
    notation::Values,
    wire::Wire,
};

/// Sends on behalf of one check.
pub(super) struct CheckSession {
    wire: Arc<Wire>,
    afterwards: Arc<Afterwards>,
    values: Arc<Mutex<Values>>,
    check: String,
    random: Mutex<ChaCha8Rng>,
    waiting: Mutex<Waiting>,
}

/// Time spent waiting; waits that overlap count once.
#[derive(Default)]
struct Waiting {
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
struct Wait<'s>(&'s CheckSession);

impl<'s> Wait<'s> {
    fn begin(session: &'s CheckSession) -> Self {
        lock(&session.waiting).begin(session.wire.now());
        Self(session)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).end(self.0.wire.now());
    }
}

impl CheckSession {
    pub(super) fn new(
        wire: Arc<Wire>,
        afterwards: Arc<Afterwards>,
        values: Arc<Mutex<Values>>,
        check: &str,
        seed: u64,
    ) -> Self {
        // Each check has a sequence of its own, whatever runs beside it.
        let mut hasher = DefaultHasher::new();
        check.hash(&mut hasher);
        let random = ChaCha8Rng::seed_from_u64(seed ^ hasher.finish());
        Self {
            wire,
            afterwards,
            values,
            check: check.to_owned(),
            random: Mutex::new(random),
            waiting: Mutex::default(),
        }
    }

    /// How long the check waited.
    pub(super) fn waited(&self) -> Duration {
        lock(&self.waiting).total
    }
}

impl Session for CheckSession {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(self.wire.send(request))
    }

    fn undo(&self, mut request: Request) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(async move {
            match self.afterwards.wire().filter(|_| self.stopping()) {
                Some(wire) => wire.send(request).await,
                None => self.wire.send(request).await,
            }
        })
    }

    fn together(&self, mut requests: Vec<Request>) -> BoxFuture<'_, Vec<Outcome>> {
        for request in &mut requests {
            request.check.clone_from(&self.check);
        }
        Box::pin(self.wire.together(requests))
    }

    fn sever(&self, mut request: Request, cut: Cut) -> BoxFuture<'_, Outcome> {
        request.check.clone_from(&self.check);
        Box::pin(async move { self.wire.sever(request, cut == Cut::AfterFirstByte).await })
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        Box::pin(async { Err("this run receives no callbacks".to_owned()) })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let _wait = Wait::begin(self);
            self.wire.pause(time).await;
        })
    }

    fn now(&self) -> Duration {
        self.wire.now()
    }

    fn base(&self) -> &Url {
        self.wire.base()
    }

    fn values(&self) -> Values {
        let mut values = lock(&self.values).clone();
        let uuid = u128::from(self.random()) << 64 | u128::from(self.random());
        let uuid = uuid::Builder::from_random_bytes(uuid.to_be_bytes()).into_uuid();
        values.entry("uuid".into()).or_insert_with(|| uuid.to_string());
        values
    }

    fn random(&self) -> u64 {
        lock(&self.random).random()
    }

    fn remaining(&self) -> u64 {
        self.wire.remaining()
    }

    fn stopping(&self) -> bool {
        self.wire.stopping() || self.wire.remaining() == 0
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
