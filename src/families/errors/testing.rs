//! What the unit tests of this family share: replies, shapes, answers, and a scripted session.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::Value;
use url::Url;

use super::{evidence::ErrorResponse, reading::read, shape::Shape};
use crate::{
    exchange::{ExchangeId, Headers, Outcome, Reply, Request, Who},
    families::{Conventions, Cut, Mailbox, Session},
    notation::Values,
};

/// A reply of exchange 1.
pub(super) fn reply(status: u16, media_type: &str, body: &str) -> Reply {
    let mut headers = Headers::default();
    if !media_type.is_empty() {
        headers.push("Content-Type", media_type);
    }
    Reply {
        id: ExchangeId(1),
        url: Url::parse("https://api.example.com/v1").unwrap(),
        status,
        headers,
        body: body.to_owned().into(),
        sent: Duration::ZERO,
        received: Duration::from_millis(1),
    }
}

/// Conventions with this `errors` block.
pub(super) fn conventions(errors: Value) -> Conventions {
    Conventions { errors: Some(serde_json::from_value(errors).unwrap()), ..Conventions::default() }
}

/// The shape that an `errors` block declares.
pub(super) fn shape(errors: Value) -> Shape {
    Shape::new(&conventions(errors))
}

/// What is read of an answer to `GET /accounts/ACC-9`, as exchange `id`.
pub(super) fn answer(id: u32, shape: &Shape, mut reply: Reply) -> ErrorResponse {
    reply.id = ExchangeId(id);
    read(&Request::new(Who::Anonymous, "GET", "/accounts/ACC-9"), &reply, shape).0
}

/// A session that answers from a script and keeps what was asked.
pub(super) struct Scripted {
    base: Url,
    replies: Mutex<VecDeque<Outcome>>,
    /// The requests, in order.
    pub(super) asked: Mutex<Vec<Request>>,
    /// What `stopping` says.
    pub(super) stopping: bool,
}

impl Scripted {
    pub(super) fn new(replies: impl IntoIterator<Item = Outcome>) -> Self {
        Self {
            base: Url::parse("https://api.example.com/v1").unwrap(),
            replies: Mutex::new(replies.into_iter().collect()),
            asked: Mutex::default(),
            stopping: false,
        }
    }
}

impl Session for Scripted {
    fn undo(&self, request: Request) -> BoxFuture<'_, Outcome> {
        self.send(request)
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Outcome> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request);
            u32::try_from(asked.len()).unwrap()
        };
        let outcome = self.replies.lock().unwrap().pop_front().expect("the script is long enough");
        let outcome = outcome.map(|reply| Reply { id: ExchangeId(number), ..reply });
        async move { outcome }.boxed()
    }

    fn together(&self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Outcome>> {
        async move { futures_util::future::join_all(requests.into_iter().map(|request| self.send(request))).await }
            .boxed()
    }

    fn sever(&self, request: Request, _: Cut) -> BoxFuture<'_, Outcome> {
        self.send(request)
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        async { Err("no callbacks arrive here".to_owned()) }.boxed()
    }

    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn base(&self) -> &Url {
        &self.base
    }

    fn values(&self) -> Values {
        Values::from([("account".into(), "ACC-001".into())])
    }

    fn random(&self) -> u64 {
        0x0123_4567_89ab_cdef
    }

    fn remaining(&self) -> u64 {
        1000
    }

    fn stopping(&self) -> bool {
        self.stopping
    }
}
