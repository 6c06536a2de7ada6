//! What came back, as a probe sees it.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ExchangeId, Headers};

/// A response, or why there is none.
pub type Outcome = Result<Reply, Failure>;

/// A response, read to its end and decoded.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The number of the exchange.
    pub id: ExchangeId,
    /// The URL it answers, after any redirect that was followed.
    pub url: Url,
    /// The status code.
    pub status: u16,
    /// The header fields as received.
    pub headers: Headers,
    /// The content after content decoding.
    pub body: Bytes,
    /// When the request was sent, since the start of the run (monotonic).
    pub sent: Duration,
    /// When the last byte was received, since the start of the run (monotonic).
    pub received: Duration,
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request that got no usable response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The number of the exchange, unless nothing was sent.
    pub id: Option<ExchangeId>,
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// One line for people.
    pub message: String,
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The host name did not resolve.
    Dns,
    /// No connection could be made.
    Connect,
    /// TLS could not be agreed or the certificate was not accepted.
    Tls,
    /// No complete response in the time allowed.
    Timeout,
    /// The connection broke before the response was complete, or its length was not the announced one.
    Broken,
    /// The peer did not speak HTTP.
    Protocol,
    /// The response was larger than the bounds allow (body after decoding, or header fields).
    TooLarge,
    /// The content could not be decoded (`Content-Encoding`).
    Encoding,
    /// Redirects went in a circle or on for too long.
    Redirect,
    /// A redirect or link led to another origin and was not followed.
    ForeignOrigin,
    /// The run's own budget of requests or time is spent; nothing was sent.
    Budget,
    /// The run was interrupted.
    Interrupted,
    /// The request could not be built.
    Request,
    /// The connection was cut on purpose.
    Severed,
}

impl FailureKind {
    /// Whether the target itself was seen to misbehave, rather than the network or the tester.
    pub const fn is_targets_fault(self) -> bool {
        matches!(self, Self::Broken | Self::Protocol | Self::TooLarge | Self::Encoding | Self::Redirect)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
