//! Where a target's callbacks arrive.

use std::{net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;
use url::Url;

pub use crate::exchange::{Answer, Delivery, Sameness};

/// An address at which callbacks arrive; nothing arrives any more once it is dropped.
pub trait Mailbox: Send + Sync {
    /// The address to register: unguessable, and this mailbox's own.
    fn url(&self) -> &Url;

    /// How the deliveries that come from now on are answered, in their order; those beyond are answered with 200.
    fn answer_next(&self, answers: Vec<Answer>);

    /// How deliveries are answered from now on: the first of what is the same with the first of `answers`, the next one
    /// with the second, and so on; those beyond with `otherwise`.
    fn answer_alike(&self, sameness: Sameness, answers: Vec<Answer>, otherwise: Answer);

    /// How every delivery is answered from now on.
    fn answer_always(&self, answer: Answer);

    /// Everything that has arrived, in order.
    fn deliveries(&self) -> Vec<Delivery>;

    /// Waits until more than `seen` deliveries have arrived and says so; false when the time is up or the run is over.
    fn wait_beyond(&self, seen: usize, time: Duration) -> BoxFuture<'_, bool>;
}

/// Which address a mailbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One of its own, below the run's.
    Own,
    /// The run's address itself, which somebody registered by hand; one mailbox at a time.
    ByHand,
    /// One of its own on another address of this machine.
    On(IpAddr),
}
