//! What is kept of webhooks: typed, bounded, free of secrets and of what events hold beyond what they are known by.

use serde::{Deserialize, Serialize};

pub use super::{config::Part, probe::Kind};
use crate::{exchange::ExchangeId, json::Scalar};

/// What the rules judge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares.
    pub declared: Declared,
    /// Why no callback could be received at all, with the exchange that shows it.
    pub unavailable: Option<(String, Option<ExchangeId>)>,
    /// Whether the target can reach us, as far as is known.
    pub reachable: Option<bool>,
    /// How many seconds the target's clock is ahead of ours.
    pub clock_ahead_s: Option<i64>,
    /// The operations whose events were waited for.
    pub operations: Vec<Operation>,
    /// The events that came, in order, at most [`MOST_EVENTS`].
    pub events: Vec<Event>,
    /// How many came beyond those.
    pub left_out: u64,
    /// What was seen of deliveries that failed; none if none was made to fail.
    pub failures: Vec<Failing>,
    /// Until when duplicates were waited for, in milliseconds since the start of the run.
    pub watched_until_ms: u64,
    /// What came of addresses that must not be called.
    pub addresses: Vec<Address>,
    /// What came of a redirect in answer to a delivery.
    pub redirect: Option<Redirect>,
    /// What another principal was answered that asked for our registration.
    pub foreign: Option<Foreign>,
}

/// So many events are kept.
pub const MOST_EVENTS: usize = 500;

/// What the suite declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct Declared {
    /// Within what time an event for a finished operation comes, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// Whether it says where an event's id is.
    pub id: bool,
    /// Whether it says where an event's type is.
    pub kind: bool,
    /// Whether it says where an event's instant is.
    pub created: bool,
    /// Whether it says where an event's subject is.
    pub subject: bool,
    /// Whether it says where an event's state is.
    pub state: bool,
    /// Whether it says where an event's version is.
    pub version: bool,
    /// How deliveries are signed.
    pub signature: Option<Signed>,
    /// Why the signatures could not be checked although they are declared.
    pub keyless: Option<String>,
    /// How deliveries that fail are repeated.
    pub redelivery: Option<Schedule>,
}

/// What the suite says of signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// How far a timestamp may be from the arrival, in seconds.
    pub tolerance_s: i64,
    /// What a signature is known to cover; none means everything that is sent.
    pub covers: Option<Vec<Part>>,
    /// Whether each attempt has a timestamp of its own.
    pub attempt_timestamp: bool,
}

/// When a delivery that failed comes again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The longest time to the second attempt, in milliseconds.
    pub first_ms: u64,
    /// The longest time between attempts after that, in milliseconds, if declared.
    pub longest_ms: Option<u64>,
    /// How long the target waits for an answer, in milliseconds, if declared.
    pub timeout_ms: Option<u64>,
}

/// An operation whose events were waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: Option<String>,
    /// The word for its state at the end and what it means; none if no end was seen.
    pub end: Option<(String, Option<Kind>)>,
    /// When the monitor first showed that, in milliseconds since the start of the run.
    pub ended_ms: Option<u64>,
    /// Why no end was seen.
    pub why: String,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
    /// Whether its callback came.
    pub arrival: Arrival,
}

/// Whether a callback came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// It was not waited for.
    #[default]
    NotAwaited,
    /// Events came that tell of the operation.
    Came {
        /// How long after the end the one came that tells of it, in milliseconds, 0 if before; none if none does.
        after_ms: Option<u64>,
        /// How long one was waited for after the end, in milliseconds.
        waited_ms: u64,
    },
    /// None came.
    NeverCame {
        /// How long one was waited for after the end, in milliseconds.
        waited_ms: u64,
        /// Whether the target can reach us, as far as was known then.
        reachable: Option<bool>,
    },
}

/// An event as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The delivery.
    pub exchange: ExchangeId,
    /// The address it came to: 0 for the first one.
    pub mailbox: usize,
    /// When it came, in milliseconds since the start of the run.
    pub received_ms: u64,
    /// Why it could not be read, if so.
    pub unreadable: Option<String>,
    /// What it is known by.
    pub facts: Facts,
    /// Its id.
    pub id: Option<String>,
    /// Its content without its id and what may change between attempts, as a digest.
    pub content: String,
    /// How it was answered.
    pub answered: Answered,
    /// Whether that may have been too late for the target, for fincheck did not get to work for a while.
    pub late: bool,
    /// What its signature says.
    pub sealed: Option<Sealed>,
}

/// What an event is known by, beside its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Facts {
    /// Its type.
    pub kind: Option<String>,
    /// The operation it tells of.
    pub subject: Option<String>,
    /// The operation's state, as written.
    pub state: Option<String>,
    /// What that means, as far as is known.
    pub means: Option<Kind>,
    /// When it happened.
    pub created: Created,
    /// What orders it.
    pub version: Option<Scalar>,
}

/// An event's instant.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// It has none.
    #[default]
    Missing,
    /// A date and time without a zone.
    Zoneless(String),
    /// Something else.
    Other(String),
    /// An instant.
    At(String),
}

/// How a delivery was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// With 2xx.
    #[default]
    Acknowledged,
    /// With another status.
    Refused(u16),
    /// Not at all.
    Hung,
    /// With a reset.
    Reset,
}

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Whether it is valid.
    pub seal: Seal,
    /// The timestamp that came with it.
    pub timestamp: Option<String>,
    /// How long before the arrival that was, in seconds of our clock; none if it cannot be read.
    pub age_s: Option<i64>,
}

/// Whether a signature is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seal {
    /// There is none: the header field is missing or empty.
    Missing(String),
    /// The header field holds none of the declared form.
    Unreadable(String),
    /// Parts that should be signed were not sent.
    Incomplete(Vec<Part>),
    /// It is not.
    Invalid {
        /// The parts over which it would be.
        instead: Option<Vec<Part>>,
    },
    /// It is.
    Valid {
        /// The parts that cannot be changed without its becoming invalid.
        covered: Vec<Part>,
        /// The parts that were sent and can be changed.
        uncovered: Vec<Part>,
    },
}

/// Deliveries that were made to fail at one address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The address, as in [`Event::mailbox`].
    pub mailbox: usize,
    /// Why nothing can be said of it, if so.
    pub unavailable: Option<String>,
    /// Until when attempts were waited for, in milliseconds since the start of the run.
    pub until_ms: u64,
    /// Whether the run ended before.
    pub cut_short: bool,
    /// The exchanges of the operation that was done for it.
    pub exchanges: Vec<ExchangeId>,
}

/// An address that must not be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address, without what makes it ours.
    pub url: String,
    /// The exchange that asked for it.
    pub exchange: Option<ExchangeId>,
    /// The status of the answer, or why there is none.
    pub outcome: Result<u16, String>,
    /// The deliveries that came to it; none if it cannot be seen.
    pub calls: Option<Vec<ExchangeId>>,
}

/// A redirect in answer to a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// Why it was not tried, if so.
    pub unavailable: Option<String>,
    /// The deliveries that were answered with it.
    pub redirected: Vec<ExchangeId>,
    /// What came to the address it led to.
    pub followed: Vec<ExchangeId>,
}

/// Another principal's request for our registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The client.
    pub client: String,
    /// What was sent.
    pub request: String,
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// The status of the answer, or why there is none.
    pub outcome: Result<u16, String>,
    /// Where that was a success: the status when we removed it ourselves afterwards.
    pub afterwards: Option<u16>,
}

impl Event {
    /// What all attempts to deliver it have in common.
    pub fn identity(&self) -> (&str, &Facts, Option<&str>) {
        self.facts.identity(&self.content, self.id.as_deref())
    }

    /// The event in one line.
    pub fn line(&self) -> String {
        let Facts { kind, subject, state, version, .. } = &self.facts;
        let mut line = format!("{}", self.exchange);
        for (what, value) in [("", kind), ("id ", &self.id), ("of ", subject), ("state ", state)] {
            if let Some(value) = value {
                line.push_str(&format!(" {what}{value}"));
            }
        }
        if let Some(version) = version {
            line.push_str(&format!(" version {version}"));
        }
        line
    }
}

impl Facts {
    /// What all attempts to deliver an event have in common. Where neither a version nor a state tells two events of one
    /// operation apart, only the id does.
    pub fn identity<'e>(&'e self, content: &'e str, id: Option<&'e str>) -> (&'e str, &'e Self, Option<&'e str>) {
        (content, self, id.filter(|_| self.version.is_none() && self.state.is_none()))
    }
}

impl Answered {
    /// Whether the delivery was acknowledged.
    pub fn is_acknowledged(self) -> bool {
        self == Self::Acknowledged
    }

    /// In words.
    pub fn told(self) -> String {
        match self {
            Self::Acknowledged => "acknowledged".into(),
            Self::Refused(status) => format!("answered with status {status}"),
            Self::Hung => "not answered".into(),
            Self::Reset => "answered with a connection reset".into(),
        }
    }
}
