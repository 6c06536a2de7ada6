//! What became of events after a connection was lost and another opened.

use serde::{Deserialize, Serialize};

use super::account::{Account, Event};
use crate::{exchange::ExchangeId, notation::Span};

/// How clients find their way back, and whether they miss anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recovery {
    /// What the suite declares.
    pub(crate) declared: Ways,
    /// Connections that were lost, each with the one opened after it.
    pub(crate) returns: Vec<Return>,
    /// What came of resuming where that is impossible.
    pub(crate) impossible: Vec<Return>,
    /// What came of resuming as another client.
    pub(crate) rival: Option<Rival>,
    /// Why nothing could be seen, if so.
    pub(crate) blocked: Option<String>,
}

/// What the suite declares of ways back.
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of the suite, independent of the others")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ways {
    /// Whether a stream can be taken up where it was lost.
    pub(crate) resume: bool,
    /// Whether the stream gives snapshots.
    pub(crate) snapshot: bool,
    /// Whether a snapshot can be asked for over HTTP.
    pub(crate) snapshot_over_http: bool,
    /// How long after a loss a stream can be taken up.
    pub(crate) window: Option<Span>,
    /// How many events back.
    pub(crate) depth: Option<u64>,
    /// After how long without a sign of life a connection is given up.
    pub(crate) timeout: Option<Span>,
    /// How long the stream may take to tell of an event.
    pub(crate) lag: Option<Span>,
    /// Whether another client is named.
    pub(crate) other_client: bool,
}

impl Ways {
    /// Whether there is any way back.
    pub(crate) const fn any(&self) -> bool {
        self.resume || self.snapshot || self.snapshot_over_http
    }
}

/// How a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Closed in order (RFC 6455 §7.1.2).
    Closed,
    /// Reset, a frame of ours half sent.
    InMessage,
    /// Reset, a message of ours begun and half a fragment sent.
    InFragment,
    /// Neither read nor written for 1.5 times the declared timeout.
    Silence,
}

impl Way {
    /// In words.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Closed => "after an orderly close",
            Self::InMessage => "after a reset in the middle of a frame",
            Self::InFragment => "after a reset between the fragments of a message",
            Self::Silence => "after silence beyond the declared timeout",
        }
    }
}

/// A connection that was lost, and what came on the one opened after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Return {
    /// How the connection was lost.
    pub(crate) way: Way,
    /// What was said to take it up: `last 17`; nothing without a declared resume.
    pub(crate) said: String,
    /// Why this trial shows nothing, if so.
    pub(crate) blocked: Option<String>,
    /// How long nobody listened.
    pub(crate) away: Span,
    /// What became of the events.
    pub(crate) account: Account,
    /// What the server said on the new connection beside data.
    pub(crate) signs: Vec<Sign>,
    /// Whether the new connection was seen to be live: something was told on it that happened after it was opened.
    pub(crate) live: bool,
    /// The exchanges that show it.
    pub(crate) exchanges: Vec<ExchangeId>,
}

impl Return {
    /// Whether the client was told in some way that it cannot simply go on.
    pub(crate) fn is_loud(&self) -> bool {
        !self.signs.is_empty()
    }
}

/// What tells a client that it cannot simply go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sign {
    /// What kind.
    pub(crate) kind: SignKind,
    /// What was said, in brief.
    pub(crate) text: String,
}

/// What kind of sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignKind {
    /// The handshake was refused.
    Handshake,
    /// The message that the suite declares for it, or a refused subscription.
    Refused,
    /// A message that tells of a gap.
    Gap,
    /// An error.
    Error,
    /// A snapshot.
    Snapshot,
    /// The connection was closed with a code other than 1000.
    Closed,
    /// The connection was dropped.
    Dropped,
}

impl Sign {
    /// In words.
    pub(crate) fn told(&self) -> String {
        let what = match self.kind {
            SignKind::Handshake => "the handshake was refused",
            SignKind::Refused => "it was refused",
            SignKind::Gap => "a gap was told",
            SignKind::Error => "an error was told",
            SignKind::Snapshot => "a snapshot came",
            SignKind::Closed => "the connection was closed",
            SignKind::Dropped => "the connection was dropped",
        };
        if self.text.is_empty() { what.to_owned() } else { format!("{what} ({})", self.text) }
    }
}

/// What came of another client's trying to take up our stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rival {
    /// What was said to take it up.
    pub(crate) said: String,
    /// What was answered beside data.
    pub(crate) signs: Vec<Sign>,
    /// Our events that it was told.
    pub(crate) leaked: Vec<Event>,
    /// How many of our events it could have been told.
    pub(crate) events: u64,
    /// Why this shows nothing, if so.
    pub(crate) blocked: Option<String>,
    /// The exchanges that show it.
    pub(crate) exchanges: Vec<ExchangeId>,
}
