//! What the probes saw of a stream: facts that the rules judge, each citing exchanges.

pub(super) mod access;
pub(super) mod account;
pub(super) mod alive;
pub(super) mod closing;
pub(super) mod errors;
pub(super) mod frames;
pub(super) mod opening;
mod record;
pub(super) mod recovery;
pub(super) mod session;
pub(super) mod slow;
mod snapshot;
mod steady;

pub(super) use self::{
    record::{Appearance, Record, Stimulated},
    snapshot::{Alignment, Difference, Rebuilt, Snapshots},
    steady::{Conduct, Listened, OddKind, Oddity, Side, Steady, Subscription, Unsubscription},
};

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exchange::{End, ExchangeId};

/// What was seen of one stream.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares, as far as rules need it.
    pub(super) declared: Declared,
    /// Why nothing could be seen.
    pub(super) blocked: Option<Blocked>,
    /// Why little more than handshakes could be seen.
    pub(super) unusable: Option<Blocked>,
    /// Whether the run ended before everything was seen.
    pub(super) cut_short: bool,
    /// Subscriptions, numbers and payloads of connections that nobody disturbs.
    pub(super) steady: Option<Steady>,
    /// Snapshots, and what deltas make of them.
    pub(super) snapshot: Option<Snapshots>,
    /// What was made to happen, and how the stream told it.
    pub(super) record: Option<Record>,
    /// How opening handshakes are answered.
    pub(super) opening: Option<opening::Handshakes>,
    /// How pings are answered.
    pub(super) pings: Option<frames::Pings>,
    /// How broken frames are answered.
    pub(super) faults: Option<frames::Faults>,
    /// Signs of life, and what becomes of connections without.
    pub(super) alive: Option<alive::Alive>,
    /// How closing handshakes are answered.
    pub(super) closings: Option<closing::Closings>,
    /// What the stream says of messages that cannot be understood.
    pub(super) wrongs: Option<errors::Wrongs>,
    /// What those who may not listen were told.
    pub(super) access: Option<access::Access>,
    /// What became of events after a loss.
    pub(super) recovery: Option<recovery::Recovery>,
    /// What bounds sessions.
    pub(super) session: Option<session::Sessions>,
    /// What became of clients that read too slowly.
    pub(super) slow: Option<slow::Slow>,
    /// Every end of a connection that the server caused.
    pub(super) ends: Vec<Ended>,
}

/// Why nothing could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blocked {
    /// For people.
    pub(super) why: String,
    /// The exchange that shows it.
    pub(super) exchange: Option<ExchangeId>,
}

/// What the suite declares, as far as rules of several groups need it.
#[expect(clippy::struct_excessive_bools, reason = "each says whether a part of the suite's block is there")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Declared {
    /// Whether messages are numbered.
    pub(super) sequence: bool,
    /// Whether jumps of the numbers are documented.
    pub(super) jumps: bool,
    /// Whether something is sent to subscribe.
    pub(super) subscribe: bool,
    /// Whether that is acknowledged.
    pub(super) acknowledged: bool,
    /// Whether the stream itself brings snapshots.
    pub(super) streamed_snapshot: bool,
    /// Whether a snapshot can be asked for over HTTP.
    pub(super) rest_snapshot: bool,
    /// Whether snapshots tell which event is the last they include.
    pub(super) snapshot_sequence: bool,
    /// Whether a stream can be taken up.
    pub(super) resume: bool,
    /// Whether something makes events happen.
    pub(super) stimulus: bool,
    /// Whether events are known by an id.
    pub(super) id: bool,
    /// How long after something happened the stream may take to tell it.
    pub(super) lag: Duration,
}

/// How a connection ended, as the server made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// The connection.
    pub(super) exchange: ExchangeId,
    /// When, since the start of the run.
    pub(super) at: Duration,
    /// How long it lasted.
    pub(super) lived: Duration,
    /// Whether a close frame came.
    pub(super) frame: bool,
    /// Its code.
    pub(super) code: Option<u16>,
    /// Its reason.
    pub(super) reason: String,
    /// How TCP ended, where that was seen.
    pub(super) end: Option<End>,
    /// The error message within the two seconds before, in brief.
    pub(super) told: Option<String>,
}

impl Ended {
    /// In words.
    pub(super) fn told(&self) -> String {
        let how = match (&self.end, self.frame, self.code) {
            (_, true, Some(code)) if self.reason.is_empty() => format!("a close frame with code {code}"),
            (_, true, Some(code)) => format!("a close frame with code {code} and reason `{}`", self.reason),
            (_, true, None) => "a close frame without code".to_owned(),
            (Some(End::Reset), ..) => "a reset connection (TCP RST) without a close frame".to_owned(),
            (Some(End::Broken(why)), ..) => format!("something that is no frame: {why}"),
            (Some(End::Closed) | None, ..) => "the end of the connection (TCP FIN) without a close frame".to_owned(),
        };
        match &self.told {
            Some(told) => format!("{how}, after the message {told}"),
            None => how,
        }
    }
}
