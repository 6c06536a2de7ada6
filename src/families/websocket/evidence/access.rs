//! What those who may not listen were told.

use serde::{Deserialize, Serialize};

use super::account::Event;
use crate::exchange::ExchangeId;

/// What those who may not listen were told, while the owner was told of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Access {
    /// Whether the suite says that the stream is private.
    pub(crate) private: bool,
    /// Whether the suite names another client.
    pub(crate) other_client: bool,
    /// Of how many events the owner was told meanwhile.
    pub(crate) owner: u64,
    /// Everyone who tried.
    pub(crate) tries: Vec<Intrusion>,
    /// Why nothing could be seen, if so.
    pub(crate) blocked: Option<String>,
    /// The owner's exchanges.
    pub(crate) exchanges: Vec<ExchangeId>,
}

/// Who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intruder {
    /// Without credentials.
    Nobody,
    /// With a token that belongs to nobody.
    Forged,
    /// A client of another principal.
    Other,
}

impl Intruder {
    /// In words.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Nobody => "a client without credentials",
            Self::Forged => "a client with a forged token",
            Self::Other => "a client of another principal",
        }
    }
}

/// One who tried to listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intrusion {
    /// Who.
    pub(crate) who: Intruder,
    /// How it was answered, in brief.
    pub(crate) answer: String,
    /// How many messages came.
    pub(crate) messages: u64,
    /// The owner's events among them.
    pub(crate) leaked: Vec<Event>,
    /// How many messages were like the owner's to the letter, but may be meant for both.
    pub(crate) alike: u64,
    /// The exchange.
    pub(crate) exchange: Option<ExchangeId>,
}
