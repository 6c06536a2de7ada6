//! Signs of life, and what becomes of connections without.

use serde::{Deserialize, Serialize};

use super::closing::Ended;
use crate::exchange::ExchangeId;

/// Signs of life, and what becomes of connections without.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Alive {
    /// The longest time without a sign of life, as declared, in milliseconds.
    pub interval_ms: Option<u64>,
    /// After so long without an answer a connection is given up, as declared, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The session lasts at most so long, as declared, in milliseconds.
    pub longest_ms: Option<u64>,
    /// What is answered is a message, not a ping.
    pub by_message: bool,
    /// Connections on which we answered and sent nothing else; a second one where the first raised doubts.
    pub idle: Vec<Watched>,
    /// Connections on which we answered nothing; a second one where the first raised doubts.
    pub dead: Vec<Watched>,
    /// Connections on which we answered for three timeouts; a second one where the first raised doubts.
    pub living: Vec<Watched>,
}

/// A connection that was watched. All times are in milliseconds since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The connection, if one was made.
    pub exchange: Option<ExchangeId>,
    /// Why it was not watched, if so.
    pub trouble: Option<String>,
    /// How long a handshake took.
    pub rtt_ms: u64,
    /// How long it was watched.
    pub watched_ms: u64,
    /// Whether the run ended before it was watched long enough.
    pub cut_short: bool,
    /// Messages that came.
    pub messages: u64,
    /// Pings that came.
    pub pings: u64,
    /// When the first came that must be answered.
    pub asked_ms: Option<u64>,
    /// The longest silence, less what fincheck was kept from working, and when it began.
    pub silence_ms: u64,
    /// When that began.
    pub silence_from_ms: u64,
    /// How the server ended it, if it did.
    pub ended: Option<Ended>,
}

impl Watched {
    /// What the clocks and the network may add to a time, in milliseconds.
    pub fn guard_ms(&self) -> u64 {
        (self.rtt_ms * 5).max(250)
    }
}
