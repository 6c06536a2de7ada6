//! Signs of life, and what becomes of connections without.

use serde::{Deserialize, Serialize};

use super::Ended;
use crate::exchange::ExchangeId;

/// Signs of life, and what becomes of connections without.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Alive {
    /// The longest time without a sign of life, as declared, in milliseconds.
    pub(in super::super) interval_ms: Option<u64>,
    /// After so long without an answer a connection is given up, as declared, in milliseconds.
    pub(in super::super) timeout_ms: Option<u64>,
    /// The session lasts at most so long, as declared, in milliseconds.
    pub(in super::super) longest_ms: Option<u64>,
    /// What is answered is a message, not a ping.
    pub(in super::super) by_message: bool,
    /// Connections on which we answered and sent nothing else; a second one where the first raised doubts.
    pub(in super::super) idle: Vec<Watched>,
    /// Connections on which we answered nothing; a second one where the first raised doubts.
    pub(in super::super) dead: Vec<Watched>,
    /// Connections on which we answered for three timeouts; a second one where the first raised doubts.
    pub(in super::super) living: Vec<Watched>,
}

/// A connection that was watched. All times are in milliseconds since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Watched {
    /// The connection, if one was made.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// Why it was not watched, if so.
    pub(in super::super) trouble: Option<String>,
    /// How long a handshake took.
    pub(in super::super) rtt_ms: u64,
    /// How long it was watched.
    pub(in super::super) lasted_ms: u64,
    /// Whether the run ended before it was watched long enough.
    pub(in super::super) cut_short: bool,
    /// Messages that came.
    pub(in super::super) messages: u64,
    /// Pings that came.
    pub(in super::super) pings: u64,
    /// When the first came that must be answered.
    pub(in super::super) asked_ms: Option<u64>,
    /// The longest silence, less what fincheck was kept from working, and when it began.
    pub(in super::super) silence_ms: u64,
    /// When that began.
    pub(in super::super) silence_from_ms: u64,
    /// How the server ended it, if it did.
    pub(in super::super) ended: Option<Ended>,
}

impl Watched {
    /// What the clocks and the network may add to a time, in milliseconds.
    pub(in super::super) fn guard_ms(&self) -> u64 {
        (self.rtt_ms * 5).max(250)
    }
}
