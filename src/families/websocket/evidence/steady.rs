//! What connections showed that nobody disturbs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    super::feed::{Counts, Subscribed},
    Blocked, Ended,
};
use crate::exchange::ExchangeId;

/// What connections showed that nobody disturbs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Steady {
    /// Subscriptions, each on a connection of its own.
    pub(in super::super) subscriptions: Vec<Subscription>,
    /// Ends of subscriptions.
    pub(in super::super) unsubscriptions: Vec<Unsubscription>,
    /// Times that two connections were listened to at once.
    pub(in super::super) rounds: Vec<Listened>,
    /// What payloads look like.
    pub(in super::super) conduct: Conduct,
    /// Why no more was seen.
    pub(in super::super) blocked: Option<Blocked>,
    /// Connections that the server ended.
    pub(in super::super) ends: Vec<Ended>,
}

/// How a subscription began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Subscription {
    /// The connection.
    pub(in super::super) exchange: ExchangeId,
    /// What became of it.
    pub(in super::super) how: Subscribed,
    /// Events that came.
    pub(in super::super) data: u64,
    /// Events with a number.
    pub(in super::super) numbered: u64,
    /// Snapshots that came.
    pub(in super::super) snapshots: u64,
    /// Events that came before the snapshot that they change, in brief; at most five.
    pub(in super::super) early: Vec<String>,
    /// Whether events were made to happen meanwhile.
    pub(in super::super) stimulated: bool,
    /// How the server ended it.
    pub(in super::super) ended: Option<Ended>,
}

/// How a subscription was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Unsubscription {
    /// The connection.
    pub(in super::super) exchange: ExchangeId,
    /// What became of it.
    pub(in super::super) how: Subscribed,
    /// Events before it.
    pub(in super::super) before: u64,
    /// Events more than two seconds after it was acknowledged, in brief; at most five.
    pub(in super::super) after: Vec<String>,
    /// Whether something happened then that another connection heard, or that was made to happen.
    pub(in super::super) busy: bool,
}

/// Two connections listened to at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Listened {
    /// The connection that is judged.
    pub(in super::super) main: Side,
    /// The other one.
    pub(in super::super) witness: Option<Side>,
    /// Events that only the first heard, while both listened: what they are known by, at most 20.
    pub(in super::super) only_main: Vec<String>,
    /// Events that only the witness heard, while both listened.
    pub(in super::super) only_witness: Vec<String>,
    /// Events that both heard.
    pub(in super::super) common: u64,
}

/// What one connection heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Side {
    /// The connection.
    pub(in super::super) exchange: ExchangeId,
    /// How long was listened.
    pub(in super::super) lasted: Duration,
    /// Messages of every kind.
    pub(in super::super) messages: u64,
    /// Events.
    pub(in super::super) data: u64,
    /// What was seen of their numbers, where they have some.
    pub(in super::super) counts: Option<Counts>,
    /// How numbers would follow one another although they do not as the suite says, for people.
    pub(in super::super) otherwise: Option<String>,
    /// For how long at a stretch there was more to read than could be read at once, or fincheck did not get to work.
    pub(in super::super) behind: Duration,
    /// How the server ended it.
    pub(in super::super) ended: Option<Ended>,
}

/// What payloads look like, over the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Conduct {
    /// Events looked at.
    pub(in super::super) events: u64,
    /// Connections and requests that show it.
    pub(in super::super) exchanges: Vec<ExchangeId>,
    /// Whether the suite names anything to look at.
    pub(in super::super) asked: bool,
    /// Amounts that were looked at.
    pub(in super::super) amounts: u64,
    /// Ids that were looked at.
    pub(in super::super) ids: u64,
    /// What is not written as it should be, beside what has a list of its own.
    pub(in super::super) odd: Vec<Oddity>,
    /// Members that are compared with the same over HTTP.
    pub(in super::super) compared: u64,
    /// Members that are a text over HTTP and a number in the stream, or the reverse: where, and both as written.
    pub(in super::super) forms: Vec<(String, String, String)>,
    /// Amounts that no decimal reader keeps: where, and as written.
    pub(in super::super) inexact: Vec<(String, String)>,
    /// Instants that were looked at.
    pub(in super::super) instants: u64,
    /// Instants without an offset from UTC, as written.
    pub(in super::super) local: Vec<String>,
    /// Texts that are no instants, as written.
    pub(in super::super) no_instants: Vec<String>,
    /// Instants more than a minute ahead of the server's own clock: as written, and that clock.
    pub(in super::super) ahead: Vec<(String, String)>,
    /// Instants earlier than the one before of the same key: both as written.
    pub(in super::super) backwards: Vec<(String, String)>,
}

/// Something that is not written as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Oddity {
    /// How.
    pub(in super::super) kind: OddKind,
    /// Where.
    pub(in super::super) at: String,
    /// As it was written, and what it is held against, for people.
    pub(in super::super) written: String,
}

/// How something is not written as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum OddKind {
    /// An amount is a number by contract, and comes as a text, or the reverse.
    Form,
    /// An amount is a number here and a text there.
    Mixed,
    /// A text is no plain decimal.
    Decimal,
    /// A currency is no code.
    Currency,
    /// A number of seconds, milliseconds and so on is one of another unit.
    Unit,
    /// Nothing says what a number of them counts.
    NoUnit,
    /// An id is a number that readers of JSON do not keep.
    Id,
}
