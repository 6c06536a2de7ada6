//! Where a target's callbacks arrive.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use url::Url;

use crate::exchange::{ExchangeId, Headers};

/// An address at which callbacks arrive; nothing arrives any more once it is dropped.
pub trait Mailbox: Send + Sync {
    /// The address to register: unguessable, and this mailbox's own.
    fn url(&self) -> &Url;

    /// How the deliveries that come from now on are answered, in their order; those beyond are answered with 200.
    fn answer_next(&self, answers: Vec<Answer>);

    /// Everything that has arrived, in order.
    fn deliveries(&self) -> Vec<Delivery>;

    /// Waits until more than `seen` deliveries have arrived and says so; false when the time is up or the run is over.
    fn wait_beyond(&self, seen: usize, time: Duration) -> BoxFuture<'_, bool>;
}

/// How a delivery is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With this status, these header fields, and this content.
    Respond(u16, Headers, Bytes),
    /// Not at all: the connection is held until the caller gives up, or this long.
    Hang(Duration),
    /// With a connection reset in place of a response.
    Reset,
}

impl Answer {
    /// With this status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Respond(status, Headers::default(), Bytes::new())
    }
}

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The number it is cited by.
    pub id: ExchangeId,
    /// The method.
    pub method: String,
    /// The whole URL it was sent to, as registered, with any query.
    pub url: Url,
    /// The header fields as received.
    pub headers: Headers,
    /// The exact octets of the content.
    pub body: Bytes,
    /// When its last octet came, since the start of the run (monotonic).
    pub received: Duration,
    /// The same instant on this machine's clock.
    pub clock: SystemTime,
    /// How it was answered.
    pub answered: Answer,
}
