//! What became of a client that stopped reading, and of another that did not.

use serde::{Deserialize, Serialize};

use super::{account::Account, recovery::Sign};
use crate::{exchange::ExchangeId, families::websocket::config::Policy, notation::Span};

/// What the sender's system may take before the server notices that nobody reads: the largest send buffer of Linux by
/// default (`net.ipv4.tcp_wmem`), 4 MiB.
pub(crate) const GUARD: u64 = 4 << 20;

/// Clients that stopped reading.
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of the suite, independent of the others")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slow {
    /// Whether the suite declares anything of slow clients.
    pub(crate) declared: bool,
    /// The documented way with them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) policy: Option<Policy>,
    /// Within what time the stream must be live again.
    pub(crate) catch_up: Option<Span>,
    /// Whether messages are numbered, so that a client can see a gap.
    pub(crate) numbered: bool,
    /// Whether a jump of the numbers is documented to be the sign of a gap.
    pub(crate) jumps: bool,
    /// Whether messages have a key, by which they may be merged.
    pub(crate) keyed: bool,
    /// Each time that reading was stopped.
    pub(crate) stalls: Vec<Stall>,
    /// What a connection goes through while everybody reads, where one was harmed while another did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) unsteady: Option<String>,
    /// Why nothing could be seen, if so.
    pub(crate) blocked: Option<String>,
}

/// One time that reading was stopped.
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stall {
    /// For how long.
    pub(crate) lasted: Span,
    /// The socket's receive buffer that was asked for, in octets.
    pub(crate) receive_buffer: u64,
    /// How many octets another connection of the same subscription was sent meanwhile.
    pub(crate) pressure: u64,
    /// How many octets it was sent after that, until the stream was live again.
    pub(crate) released: u64,
    /// In how many messages the former came.
    pub(crate) messages: u64,
    /// What became of those.
    pub(crate) account: Account,
    /// Whether numbers jumped where events are missing.
    pub(crate) jumped: bool,
    /// Of how many keys the last event was not told, although events were told after the stall.
    pub(crate) stale_keys: u64,
    /// How many rows were not told as they were last by a message whose numbers say that it stands for them.
    pub(crate) stale_rows: u64,
    /// A few of those, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) stale_examples: Vec<String>,
    /// What the server said beside data.
    pub(crate) signs: Vec<Sign>,
    /// How the server ended the connection, if it did.
    pub(crate) end: Option<Ending>,
    /// How long after reading went on the stream was live again.
    pub(crate) live_after: Option<Span>,
    /// How many messages were waited for afterwards, and whether the bounds of waiting were reached.
    pub(crate) read: u64,
    /// Whether reading afterwards was given up at a bound before the stream was live.
    pub(crate) gave_up: bool,
    /// Whether there was more than is kept, or than `slow.most`.
    pub(crate) beyond: bool,
    /// Whether nothing happened after reading went on.
    pub(crate) quiet: bool,
    /// How long fincheck itself did not get to work.
    pub(crate) late: Span,
    /// The other connection.
    pub(crate) control: Control,
    /// The exchanges that show it.
    pub(crate) exchanges: Vec<ExchangeId>,
}

impl Stall {
    /// What must be sent before the server notices anything, in octets.
    pub(crate) const fn needed(&self) -> u64 {
        self.receive_buffer.saturating_mul(2).saturating_add(GUARD)
    }

    /// Whether so much was sent that the server must have noticed, or it showed that it did.
    pub(crate) const fn is_pressed(&self) -> bool {
        self.pressure >= self.needed() || self.end.is_some()
    }
}

/// How the server ended a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// The code of its close frame.
    pub(crate) code: Option<u16>,
    /// Its reason.
    pub(crate) reason: String,
    /// Whether there was a close frame at all.
    pub(crate) close_frame: bool,
}

impl Ending {
    /// In words.
    pub(crate) fn told(&self) -> String {
        match (self.close_frame, self.code) {
            (false, _) => "dropped without a close frame".to_owned(),
            (true, None) => "closed without a code".to_owned(),
            (true, Some(code)) if self.reason.is_empty() => format!("closed with {code}"),
            (true, Some(code)) => format!("closed with {code} `{}`", self.reason),
        }
    }
}

/// A connection that was read throughout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control {
    /// What its delays were before reading was stopped.
    pub(crate) before: Delays,
    /// What they were meanwhile.
    pub(crate) during: Delays,
    /// How often numbers were left out.
    pub(crate) holes: u64,
    /// How it ended, if it did.
    pub(crate) end: Option<Ending>,
    /// How long a request over HTTP took, before and meanwhile, where one was made.
    pub(crate) http: Option<(Span, Span)>,
}

/// How long messages took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delays {
    /// How many were measured.
    pub(crate) count: u64,
    /// The longest.
    pub(crate) longest: Span,
    /// Whether it is the time from when something was made to happen until it was told; else it is the pauses between
    /// messages of a stream that is busy by itself.
    pub(crate) made: bool,
}
