//! What the stream says of messages that cannot be understood.

use serde::{Deserialize, Serialize};

use super::Ended;
use crate::exchange::ExchangeId;

/// What the stream says of messages that cannot be understood.
#[expect(clippy::struct_excessive_bools, reason = "each says whether a part of the suite's block is there")]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Wrongs {
    /// Whether the client sends messages at all.
    pub(in super::super) talks: bool,
    /// Whether the suite says how errors look (`messages.error`, or a refusal of what is subscribed).
    pub(in super::super) recognised: bool,
    /// Whether the suite says what becomes of such messages (`errors`).
    pub(in super::super) declared: bool,
    /// Whether the connection is closed for a message that is no JSON, by contract.
    pub(in super::super) closes: bool,
    /// Whether the suite says where an error has its code.
    pub(in super::super) code: bool,
    /// The tries; each that raised doubts is followed by the same once more.
    pub(in super::super) tries: Vec<WrongTry>,
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum What {
    /// It is no JSON.
    Garbage,
    /// It is larger than what is taken: so many octets.
    TooLarge(u64),
    /// Something of the API's own, by this name.
    Own(String),
}

impl What {
    /// What is sent, for people.
    pub(in super::super) fn line(&self) -> String {
        match self {
            Self::Garbage => "a message that is no JSON".into(),
            Self::TooLarge(octets) => format!("a message of {octets} octets"),
            Self::Own(name) => format!("`{name}`"),
        }
    }
}

/// One message that cannot be understood.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct WrongTry {
    /// What is wrong with it.
    pub(in super::super) what: What,
    /// The connection, if one was made.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// Why it was not tried, if so.
    pub(in super::super) trouble: Option<String>,
    /// The head of the message that says what is wrong, if one came.
    pub(in super::super) told: Option<String>,
    /// The code in it.
    pub(in super::super) code: Option<String>,
    /// Whether the values that the message and its error have in common are the same, where the suite names any.
    pub(in super::super) correlated: Option<bool>,
    /// Whether something else came that may have been the answer.
    pub(in super::super) other: bool,
    /// How long was waited, in milliseconds, less what fincheck was kept from working.
    pub(in super::super) waited_ms: u64,
    /// How the server ended the connection, if it did.
    pub(in super::super) ended: Option<Ended>,
    /// Whether the connection was seen to be usable afterwards.
    pub(in super::super) usable: bool,
}

impl WrongTry {
    /// Whether an error with all that it must have came, on a connection that stays, or, where it is too large, an end.
    pub(in super::super) fn is_answered(&self, code: bool) -> bool {
        match self.what {
            What::TooLarge(_) => self.told.is_some() || self.ended.is_some(),
            What::Garbage => self.told.is_some() && self.usable,
            What::Own(_) => {
                let whole = self.correlated != Some(false) && (self.code.is_some() || !code);
                self.told.is_some() && self.usable && whole
            }
        }
    }
}
