//! A request as a probe asks for it.

use bytes::Bytes;

use super::Headers;

/// A request before credentials, correlation id and origin are added.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose credentials to send.
    pub who: Who,
    /// The method, in capitals.
    pub method: String,
    /// A path below the target's base URL (`/v1/x?y=z`, already percent-encoded where needed) or an absolute URL.
    pub target: String,
    /// Query parameters to add, not yet percent-encoded.
    pub query: Vec<(String, String)>,
    /// Header fields to add.
    pub headers: Headers,
    /// What to send as content.
    pub payload: Payload,
    /// Whether 429 and 503 are waited out and the request repeated (safe methods only, unless nothing was sent).
    pub obey: bool,
    /// Whether it asks for a stream: how that is refused is up to the WebSocket library, and no matter of an API's errors.
    pub stream: bool,
    /// What the request is for, as a report may show it.
    pub purpose: &'static str,
    /// The check on whose behalf it is sent; filled in by the session.
    pub check: String,
}

/// Whose credentials a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Nobody's.
    Anonymous,
    /// Those of a client of the suite.
    Client(String),
    /// A bearer token that belongs to nobody, to see what a refusal looks like.
    Forged(String),
}

impl Who {
    /// The client of that name; nobody for none and for `anonymous`.
    pub fn named(name: Option<&str>) -> Self {
        match name {
            None | Some("anonymous") => Self::Anonymous,
            Some(name) => Self::Client(name.to_owned()),
        }
    }

    /// The name a report shows.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Client(name) => name,
            Self::Forged(_) => "forged",
        }
    }
}

/// The content of a request.
#[derive(Debug, Clone, Default)]
pub enum Payload {
    /// None.
    #[default]
    None,
    /// A JSON value.
    Json(serde_json::Value),
    /// An HTML form.
    Form(Vec<(String, String)>),
    /// Octets as they are, with their media type (none sends no `Content-Type`).
    Raw(Bytes, Option<String>),
}

impl Request {
    /// A request without content that obeys 429 and 503.
    pub fn new(who: Who, method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            who,
            method: method.into(),
            target: target.into(),
            query: Vec::new(),
            headers: Headers::default(),
            payload: Payload::None,
            obey: true,
            stream: false,
            purpose: "",
            check: String::new(),
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Says what the request is for.
    #[must_use]
    pub fn purpose(mut self, purpose: &'static str) -> Self {
        self.purpose = purpose;
        self
    }

    /// Whether the method is safe (RFC 9110 §9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }
}
