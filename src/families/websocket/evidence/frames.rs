//! How pings and broken frames are answered (RFC 6455 §5).

use serde::{Deserialize, Serialize};

use super::Ended;
use crate::exchange::ExchangeId;

/// How pings are answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Pings {
    /// The pings in order; each that raised doubts is followed by the same once more, on a fresh connection.
    pub(in super::super) pings: Vec<Ping>,
}

/// One ping.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Ping {
    /// The connection, if one was made.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// How many octets it carried.
    pub(in super::super) octets: usize,
    /// Whether it was sent between the fragments of a message.
    pub(in super::super) between: bool,
    /// The longest that a pong may take, in milliseconds.
    pub(in super::super) limit_ms: u64,
    /// What came.
    pub(in super::super) answer: Ponged,
    /// Whether the message around it was acknowledged, where that is declared.
    pub(in super::super) acknowledged: Option<bool>,
}

/// What came after a ping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Ponged {
    /// A pong with the same octets, after so many milliseconds, less what fincheck was kept from working.
    Same(u64),
    /// No such pong, but one with other octets: so many.
    Altered(usize),
    /// No pong, in so many milliseconds.
    None(u64),
    /// The connection ended.
    Ended(Ended),
    /// It was not tried, and why.
    Untried(String),
}

/// How broken frames are answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Faults {
    /// The tries; each whose connection stayed usable is followed by the same once more.
    pub(in super::super) tries: Vec<FaultTry>,
    /// A connection on which the server sent masked frames, if one was seen.
    pub(in super::super) masked: Option<ExchangeId>,
}

/// One way to break the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Fault {
    /// A frame without mask (§5.1).
    Unmasked,
    /// The reserved opcode 3 (§5.2).
    ReservedOpcode,
    /// RSV1 although no extension was agreed (§5.2).
    ReservedBit,
    /// A ping that says that more follows (§5.5).
    FragmentedPing,
    /// A ping with 126 octets (§5.5).
    LongPing,
    /// A continuation of nothing (§5.4).
    StrayContinuation,
    /// A text that is not UTF-8 (§8.1).
    NotUtf8,
}

impl Fault {
    /// All of them.
    pub(in super::super) const ALL: [Self; 7] = [
        Self::Unmasked,
        Self::ReservedOpcode,
        Self::ReservedBit,
        Self::FragmentedPing,
        Self::LongPing,
        Self::StrayContinuation,
        Self::NotUtf8,
    ];

    /// What is sent, for people.
    pub(in super::super) const fn line(self) -> &'static str {
        match self {
            Self::Unmasked => "a frame without mask",
            Self::ReservedOpcode => "a frame with the reserved opcode 3",
            Self::ReservedBit => "a frame with RSV1, although no extension was agreed",
            Self::FragmentedPing => "a fragmented ping",
            Self::LongPing => "a ping with 126 octets",
            Self::StrayContinuation => "a continuation of nothing",
            Self::NotUtf8 => "a text that is not UTF-8",
        }
    }
}

/// One broken frame.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct FaultTry {
    /// How it was broken.
    pub(in super::super) fault: Fault,
    /// The connection, if one was made.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// What came.
    pub(in super::super) outcome: Faulted,
}

/// What came after a broken frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Faulted {
    /// The connection was ended.
    Ended(Ended),
    /// What was sent afterwards was answered, and no end came: how.
    Usable(String),
    /// Neither an end nor an answer came in so many milliseconds.
    Silent(u64),
    /// It was not tried, and why.
    Untried(String),
}
