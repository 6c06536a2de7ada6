//! What was said on the wire, as plain data: requests to send, replies, failures, and the recorded exchange.
//!
//! Probes build a [`Request`] and get an [`Outcome`]; what is kept of it for reports is an [`Exchange`], whose
//! text has already passed the [`Redactor`]. Readers of particular header fields live here too, because rules
//! need them without any network.

mod callback;
mod headers;
mod link;
mod record;
mod redact;
mod reply;
mod request;
mod retry_after;
mod stream;

pub use callback::{Answer, Answers, CALLBACK, CALLER, Delivery, Sameness};
pub use headers::Headers;
pub use link::{Link, parse_links};
pub use record::{
    Body, Exchange, Recorded, RecordedEnding, RecordedFrame, RecordedRequest, RecordedResponse, RecordedStream, Tally,
};
pub use redact::Redactor;
pub use reply::{Failure, FailureKind, Outcome, Reply};
pub use request::{Payload, Request, Who};
pub use retry_after::RetryAfter;
pub use stream::{End, Frame, Handshake, Loss, Opcode, Opening, Outgoing, Received, Unopened};

use serde::{Deserialize, Serialize};

/// The number of an exchange within a run, from 1 in the order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub u32);

impl std::fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}
