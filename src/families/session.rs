//! The only way a probe reaches the target.

use std::{
    hash::{Hash, Hasher},
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Line, Mailbox, Place};
use crate::{
    exchange::{Failure, FailureKind, Opening, Outcome, Request, Unopened},
    notation::Values,
};

/// Sends requests on behalf of one check, within the run's limits, and records them.
pub trait Session: Send + Sync {
    /// Sends a request and reads the response to its end.
    fn send(&self, request: Request) -> BoxFuture<'_, Outcome>;

    /// Sends a request that undoes what the check did, even if the run is interrupted or its limits are spent.
    fn undo(&self, request: Request) -> BoxFuture<'_, Outcome>;

    /// Sends requests so that they are under way at once: each on a connection of its own, all but the last octet of
    /// their content first, the last octets at one instant. `limits.concurrency` does not hold them back, 429 and 503 are
    /// not waited out. Outcomes in the order of the requests; `Reply::sent` is the instant of release.
    fn together(&self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Outcome>>;

    /// Sends a request and loses the connection on purpose, never repeating it. What went as wanted is a failure of kind
    /// [`Severed`](crate::exchange::FailureKind::Severed); any other outcome says that it did not.
    fn sever(&self, request: Request, cut: Cut) -> BoxFuture<'_, Outcome>;

    /// Opens an address at which the target's callbacks arrive, until the mailbox is dropped; or says why there is none.
    fn mailbox(&self) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>>;

    /// The same with an address of a particular kind.
    fn mailbox_at(&self, place: Place) -> BoxFuture<'_, Result<Box<dyn Mailbox>, String>> {
        match place {
            Place::Own => self.mailbox(),
            Place::ByHand | Place::On(_) => Box::pin(async { Err("there is no such address here".to_owned()) }),
        }
    }

    /// Opens a WebSocket connection to the target; whatever is answered to the handshake with 101 is one, however wrong.
    fn open(&self, _opening: Opening) -> BoxFuture<'_, Result<Box<dyn Line>, Unopened>> {
        let message = "no stream can be opened here".to_owned();
        Box::pin(async { Err(Unopened::Failed(Failure { id: None, kind: FailureKind::Request, message })) })
    }

    /// Takes note of a secret that the target gave us, which no report may show.
    fn hide(&self, _secret: &str) {}

    /// Lets time pass; returns early when the run is interrupted.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Monotonic time since the run started.
    fn now(&self) -> Duration;

    /// How long fincheck itself did not get to work between two instants of the run: what seems to have come late then may
    /// have come in time, and what was answered then may have been answered late.
    fn late(&self, _from: Duration, _to: Duration) -> Duration {
        Duration::ZERO
    }

    /// The target's base URL; nothing is sent to another origin.
    fn base(&self) -> &Url;

    /// Suite variables and what steps captured.
    fn values(&self) -> Values;

    /// A client's secrets, for messages that carry them: `credential`, or `credential.NAME` where it has several. No report
    /// shows them.
    fn credentials(&self, _client: &str) -> Values {
        Values::new()
    }

    /// The next number of the run's seeded random sequence.
    fn random(&self) -> u64;

    /// What tells this run from all others.
    fn nonce(&self) -> u64 {
        0
    }

    /// A number that no other run drew, whatever its seed: what is kept by the target is named by such.
    fn fresh(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        (self.nonce(), self.random()).hash(&mut hasher);
        hasher.finish()
    }

    /// How many more requests the run may send.
    fn remaining(&self) -> u64;

    /// Whether the run was interrupted or its time is spent: stop, and return what was learned.
    fn stopping(&self) -> bool;
}

/// Where a connection is cut on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// As soon as the last octet of the request is handed over.
    AfterRequest,
    /// As soon as the first octet of the response has come.
    AfterFirstByte,
}

/// What a run may do to a target; a suite lists them under `target.permits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permit {
    /// Send requests that read.
    Read,
    /// Create, change and delete.
    Write,
    /// Spend a rate limit on purpose.
    Burst,
    /// Break connections on purpose.
    Disconnect,
    /// Send what no client should: broken framing, broken content.
    Malformed,
}

impl Permit {
    /// As a suite spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Burst => "burst",
            Self::Disconnect => "disconnect",
            Self::Malformed => "malformed",
        }
    }
}
