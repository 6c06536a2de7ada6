//! What is kept of an exchange.

use serde::{Deserialize, Serialize};

use super::{End, ExchangeId, Failure, Headers, Opcode};

/// One request with its response or failure, redacted, as reports and records show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number.
    pub id: ExchangeId,
    /// The client whose credentials were sent.
    pub client: String,
    /// The check on whose behalf it was sent.
    pub check: String,
    /// What it was for.
    pub purpose: String,
    /// When the request was sent, in microseconds since the start of the run.
    pub sent_us: u64,
    /// How long until the last byte (or the failure), in microseconds.
    pub duration_us: u64,
    /// What was sent.
    pub request: RecordedRequest,
    /// What came back.
    pub outcome: Recorded,
}

/// The request's half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Header fields.
    pub headers: Headers,
    /// Content.
    pub body: Body,
}

/// The response's half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// A response.
    Response(RecordedResponse),
    /// None.
    Failed(Failure),
    /// A stream.
    Stream(RecordedStream),
}

/// A recorded stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStream {
    /// The status code of the handshake's response.
    pub status: u16,
    /// The protocol version of the handshake.
    pub version: String,
    /// The peer's address, if known.
    pub remote: Option<String>,
    /// Header fields of the handshake's response.
    pub headers: Headers,
    /// What we sent in all.
    pub sent: Tally,
    /// What came in all.
    pub received: Tally,
    /// The first frames, both ways, in order.
    pub first: Vec<RecordedFrame>,
    /// How many frames after them are not kept.
    pub left_out: u64,
    /// The last frames.
    pub last: Vec<RecordedFrame>,
    /// How it ended.
    pub ending: Option<RecordedEnding>,
}

/// How much was said on a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Frames.
    pub frames: u64,
    /// Octets of their content.
    pub octets: u64,
}

/// A recorded frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFrame {
    /// When it was sent or read, in microseconds since the start of the run.
    pub at_us: u64,
    /// Whether we sent it.
    pub ours: bool,
    /// Whether the message ends with it.
    pub fin: bool,
    /// The three reserved bits, RSV1 as 4.
    pub rsv: u8,
    /// Whether it was masked.
    pub masked: bool,
    /// What it is.
    pub opcode: Opcode,
    /// The code of a close frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The length of its content in octets.
    pub length: u64,
    /// The beginning of its content, or the reason of a close frame, where that is text; octets that are not UTF-8 are
    /// replaced.
    pub text: Option<String>,
}

/// How a recorded stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEnding {
    /// When, in microseconds since the start of the run.
    pub at_us: u64,
    /// Whether we ended it.
    pub ours: bool,
    /// How.
    pub how: End,
}

/// A recorded response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedResponse {
    /// The status code.
    pub status: u16,
    /// The protocol version, such as `HTTP/1.1`.
    pub version: String,
    /// The peer's address, if known.
    pub remote: Option<String>,
    /// Header fields.
    pub headers: Headers,
    /// Content after content decoding.
    pub body: Body,
}

/// Content, kept up to a bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Its length in bytes, all of it.
    pub length: u64,
    /// The text, unless it was longer than the bound; bytes that are not UTF-8 are replaced.
    pub text: Option<String>,
    /// SHA-256 of the whole content in hexadecimal, where the text is not kept.
    pub sha256: Option<String>,
}

impl Exchange {
    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Recorded::Response(response) => Some(response.status),
            Recorded::Stream(stream) => Some(stream.status),
            Recorded::Failed(_) => None,
        }
    }
}
