//! Streams: a WebSocket connection at the level of frames (RFC 6455), as plain data.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ExchangeId, Failure, Headers, Reply, Request};

/// How a stream is to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Who asks, and for what: a GET without content, whose header fields are sent beside those of the handshake.
    pub request: Request,
    /// The subprotocols offered, in order of preference.
    pub subprotocols: Vec<String>,
    /// Whether `permessage-deflate` (RFC 7692) is offered.
    pub compression: bool,
    /// The version asked for; 13 is the only one there is.
    pub version: u8,
    /// The socket's receive buffer in octets, as far as the system grants it; the system's own if absent.
    pub receive_buffer: Option<u32>,
}

impl Opening {
    /// Opens with this request and offers nothing.
    pub fn new(request: Request) -> Self {
        Self { request, subprotocols: Vec::new(), compression: false, version: 13, receive_buffer: None }
    }
}

/// How the opening handshake was answered.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The number of the exchange that the stream is.
    pub id: ExchangeId,
    /// The status: 101.
    pub status: u16,
    /// The header fields as received.
    pub headers: Headers,
    /// The `Sec-WebSocket-Key` that was sent.
    pub key: String,
    /// When the handshake was sent, since the start of the run.
    pub sent: Duration,
    /// When it was answered, since the start of the run.
    pub received: Duration,
}

/// Why there is no stream.
#[derive(Debug, Clone)]
pub enum Unopened {
    /// It was answered otherwise than with 101.
    Refused(Reply),
    /// It was not answered.
    Failed(Failure),
}

/// What a frame is (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opcode {
    /// More of the message begun before.
    Continuation,
    /// UTF-8 text.
    Text,
    /// Octets.
    Binary,
    /// Says that nothing more is sent.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
    /// One of 3 to 7 and 11 to 15, which mean nothing.
    Reserved(u8),
}

impl Opcode {
    /// Whether it is a control frame.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong | Self::Reserved(8..))
    }

    /// Its four bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
            Self::Reserved(bits) => bits,
        }
    }
}

impl From<u8> for Opcode {
    fn from(bits: u8) -> Self {
        match bits & 15 {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => Self::Reserved(other),
        }
    }
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When its last octet was read, since the start of the run.
    pub at: Duration,
    /// Whether the message ends with it.
    pub fin: bool,
    /// The three reserved bits, RSV1 as 4.
    pub rsv: u8,
    /// Whether it was masked, which only a client's frame may be.
    pub masked: bool,
    /// What it is.
    pub opcode: Opcode,
    /// Its content, unmasked.
    pub payload: Bytes,
}

/// A frame to be sent; what RFC 6455 forbids can be said, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whether the message ends with it.
    pub fin: bool,
    /// The three reserved bits, RSV1 as 4.
    pub rsv: u8,
    /// Whether it is masked, as a client's must be.
    pub masked: bool,
    /// What it is.
    pub opcode: Opcode,
    /// Its content.
    pub payload: Bytes,
}

impl Outgoing {
    /// A whole message, or a control frame, in order.
    pub fn new(opcode: Opcode, payload: impl Into<Bytes>) -> Self {
        Self { fin: true, rsv: 0, masked: true, opcode, payload: payload.into() }
    }

    /// A text message.
    pub fn text(text: impl Into<Bytes>) -> Self {
        Self::new(Opcode::Text, text)
    }

    /// A close frame with this code and reason; without code, an empty one.
    pub fn close(code: Option<u16>, reason: &str) -> Self {
        let payload = code.map_or_else(Vec::new, |code| [&code.to_be_bytes(), reason.as_bytes()].concat());
        Self::new(Opcode::Close, payload)
    }
}

/// What waiting for frames came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// One or more came.
    Frames,
    /// None came in time.
    Quiet,
    /// No more will come.
    Ended(End),
    /// The run is over.
    Stopped,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The peer closed it (TCP FIN).
    Closed,
    /// The peer reset it (TCP RST).
    Reset,
    /// What came cannot be a frame, or is larger than the bounds allow, or TLS failed.
    Broken(String),
}

/// How a connection is given up on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Closed (TCP FIN), without a close frame.
    Closed,
    /// Reset (TCP RST), after these octets of a frame that is never completed.
    Reset(Bytes),
}
