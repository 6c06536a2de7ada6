//! A target for unit tests of probes, in time that passes only when it is asked to.

mod clock;
pub(crate) mod line;
pub(crate) mod post;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::Value;
use url::Url;

use self::{
    clock::Clock,
    line::{Opened, Stage},
    post::Post,
};
use super::{Cut, Line, Mailbox, Place, Session};
use crate::{
    exchange::{ExchangeId, Failure, FailureKind, Headers, Opening, Outcome, Reply, Request, Unopened},
    notation::Values,
};

/// What a target does with a request at an instant.
type Behaviour = Box<dyn FnMut(&Request, Duration) -> Result<Given, FailureKind> + Send>;

/// A target that a function plays. Each exchange takes [`Fake::latency`] of its own time; pauses take no real time.
/// With a [`Stage`], what waits side by side waits in the same time, and the test needs an executor (`#[tokio::test]`).
pub(crate) struct Fake {
    base: Url,
    behaviour: Mutex<Behaviour>,
    clock: Arc<Clock>,
    /// Where streams are, if there are any.
    stage: Option<Arc<Stage>>,
    /// What carries callbacks, if anything does.
    post: Option<Arc<Post>>,
    latency: Duration,
    random: AtomicU64,
    /// The requests, in order, with the instant each was sent.
    pub(crate) asked: Mutex<Vec<(Request, Duration)>>,
    /// What `stopping` says.
    pub(crate) stopping: AtomicBool,
    /// What `remaining` says.
    pub(crate) remaining: AtomicU64,
}

/// What comes back of a request.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// How much longer than [`Fake::latency`] the exchange takes.
    pub(crate) delay: Duration,
}

/// A JSON answer.
pub(crate) fn given(status: u16, body: &Value) -> Given {
    let headers = [("content-type".to_owned(), "application/json".to_owned())].into_iter().collect();
    Given { status, headers, body: body.to_string().into_bytes(), delay: Duration::ZERO }
}

impl Given {
    /// With a header field.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Some time later.
    pub(crate) fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

impl Fake {
    pub(crate) fn new(
        behaviour: impl FnMut(&Request, Duration) -> Result<Given, FailureKind> + Send + 'static,
    ) -> Self {
        Self {
            base: Url::parse("https://api.example.com").unwrap(),
            behaviour: Mutex::new(Box::new(behaviour)),
            clock: Arc::default(),
            stage: None,
            post: None,
            latency: Duration::from_millis(2),
            random: AtomicU64::new(1),
            asked: Mutex::default(),
            stopping: AtomicBool::new(false),
            remaining: AtomicU64::new(10_000),
        }
    }

    /// How long each exchange takes; the target decides in the middle of it.
    #[expect(dead_code, reason = "for probes that depend on it")]
    pub(crate) fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// At another base URL than `https://api.example.com`.
    pub(crate) fn at(self, base: &str) -> Self {
        Self { base: Url::parse(base).unwrap(), ..self }
    }

    /// With mailboxes to which this carries callbacks.
    pub(crate) fn receiving(self, post: &Arc<Post>) -> Self {
        post.runs_on(self.clock.hand());
        Self { post: Some(Arc::clone(post)), ..self }
    }

    /// With streams on this stage.
    pub(crate) fn streaming(self, stage: &Arc<Stage>) -> Self {
        stage.runs_on(&self.clock);
        Self { stage: Some(Arc::clone(stage)), ..self }
    }

    async fn advance(&self, time: Duration) {
        if self.stage.is_none() {
            return self.clock.advance(time);
        }
        let until = self.now() + time;
        self.clock.until(|| until).await;
    }

    fn number(&self, request: &Request, sent: Duration) -> ExchangeId {
        self.remaining.fetch_sub(1, Ordering::Relaxed);
        let mut asked = self.asked.lock().unwrap();
        asked.push((request.clone(), sent));
        ExchangeId(u32::try_from(asked.len()).unwrap())
    }

    fn reply(&self, request: &Request, id: ExchangeId, given: Given, sent: Duration) -> Reply {
        let Given { status, headers, body, delay } = given;
        let url = self.base.join(&request.target).unwrap();
        Reply { id, url, status, headers, body: body.into(), sent, received: sent + self.latency + delay }
    }

    fn took(&self, outcome: &Outcome, sent: Duration) -> Duration {
        outcome.as_ref().map_or(self.latency, |reply| reply.received.saturating_sub(sent))
    }

    fn ask(&self, request: &Request, sent: Duration) -> Outcome {
        let id = self.number(request, sent);
        let given = self.behaviour.lock().unwrap()(request, sent + self.latency / 2);
        given.map(|given| self.reply(request, id, given, sent)).map_err(|kind| failure(id, kind))
    }
}

fn failure(id: ExchangeId, kind: FailureKind) -> Failure {
    Failure { id: Some(id), kind, message: format!("{kind:?}") }
}

impl Session for Fake {
    fn send(&self, request: Request) -> BoxFuture<'_, Outcome> {
        async move {
            let now = self.now();
            let outcome = self.ask(&request, now);
            self.advance(self.took(&outcome, now)).await;
            outcome
        }
        .boxed()
    }

    fn undo(&self, request: Request) -> BoxFuture<'_, Outcome> {
        self.send(request)
    }

    fn together(&self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Outcome>> {
        async move {
            let now = self.now();
            let outcomes: Vec<Outcome> = requests.iter().map(|request| self.ask(request, now)).collect();
            self.advance(outcomes.iter().map(|outcome| self.took(outcome, now)).max().unwrap_or_default()).await;
            outcomes
        }
        .boxed()
    }

    fn sever(&self, request: Request, _: Cut) -> BoxFuture<'_, Outcome> {
        async move {
            let outcome = self.ask(&request, self.now());
            self.advance(self.latency).await;
            let id = outcome.map_or_else(|failure| failure.id, |reply| Some(reply.id));
            Err(Failure { id, kind: FailureKind::Severed, message: "cut on purpose".into() })
        }
        .boxed()
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        self.mailbox_at(Place::Own)
    }

    fn mailbox_at(&self, place: Place) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        let host = match place {
            Place::Own => "127.0.0.1".to_owned(),
            Place::ByHand => "hooks.example.com".to_owned(),
            Place::On(address) => address.to_string(),
        };
        let mailbox = self.post.as_ref().map(|post| post.open(&host));
        async move { mailbox.ok_or_else(|| "no callbacks arrive here".to_owned()) }.boxed()
    }

    fn open(&self, opening: Opening) -> BoxFuture<'_, Result<Box<dyn Line>, Unopened>> {
        async move {
            let stage = self.stage.as_ref().expect("a stage, for streams are opened");
            let sent = self.now();
            let id = self.number(&opening.request, sent);
            let key = data_encoding::BASE64.encode(&u128::from(self.random()).to_be_bytes());
            let (nth, opened) = stage.answer(&opening, &key, sent + self.latency / 2);
            let delay = match &opened {
                Opened::Accept(given, _) | Opened::Refuse(given) => given.delay,
                Opened::Fail(_) => Duration::ZERO,
            };
            self.advance(self.latency + delay).await;
            match opened {
                Opened::Accept(given, peer) => {
                    let handshake = line::handshake(id, &given, &key, sent, self.now());
                    Ok(stage.connect(nth, peer, handshake))
                }
                Opened::Refuse(given) => Err(Unopened::Refused(self.reply(&opening.request, id, given, sent))),
                Opened::Fail(kind) => Err(Unopened::Failed(failure(id, kind))),
            }
        }
        .boxed()
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.advance(time).boxed()
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn base(&self) -> &Url {
        &self.base
    }

    fn values(&self) -> Values {
        let uuid = format!("00000000-0000-4000-8000-{:012x}", self.random());
        Values::from([("account".into(), "ACC-001".into()), ("run_id".into(), "run".into()), ("uuid".into(), uuid)])
    }

    fn credentials(&self, client: &str) -> Values {
        Values::from([("credential".into(), format!("secret-of-{client}"))])
    }

    fn random(&self) -> u64 {
        self.random.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn remaining(&self) -> u64 {
        self.remaining.load(Ordering::Relaxed)
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
