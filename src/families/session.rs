//! The only way a probe reaches the target.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    exchange::{Outcome, Request},
    notation::Values,
};

/// Sends requests on behalf of one check, within the run's limits, and records them.
pub trait Session: Send + Sync {
    /// Sends a request and reads the response to its end.
    fn send(&self, request: Request) -> BoxFuture<'_, Outcome>;

    /// Sends a request that undoes what the check did, even if the run is interrupted or its limits are spent.
    fn undo(&self, request: Request) -> BoxFuture<'_, Outcome>;

    /// Lets time pass; returns early when the run is interrupted.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Monotonic time since the run started.
    fn now(&self) -> Duration;

    /// The target's base URL; nothing is sent to another origin.
    fn base(&self) -> &Url;

    /// Suite variables and what steps captured.
    fn values(&self) -> Values;

    /// The next number of the run's seeded random sequence.
    fn random(&self) -> u64;

    /// How many more requests the run may send.
    fn remaining(&self) -> u64;

    /// Whether the run was interrupted or its time is spent: stop, and return what was learned.
    fn stopping(&self) -> bool;
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
