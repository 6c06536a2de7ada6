//! What is kept of an exchange.

use serde::{Deserialize, Serialize};

use super::{ExchangeId, Failure, Headers};

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
            Recorded::Failed(_) => None,
        }
    }
}
