//! Bounds of a run and of each exchange.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::notation::{ByteSize, Rate, Span};

/// Bounds of a run and of each exchange: a suite's `limits` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many exchanges the run may send, redirects and repeats included.
    pub requests: u64,
    /// How long the run may take.
    pub duration: Span,
    /// The pace of sending, evenly spaced; none sends as fast as answers come.
    pub rate: Option<Rate>,
    /// How many exchanges may be under way at once, at least 1.
    #[schemars(range(min = 1))]
    pub concurrency: usize,
    /// The largest response content, after content decoding.
    pub body: ByteSize,
    /// The largest sum of response header fields.
    pub headers: ByteSize,
    /// How long one exchange may take, from connecting to the last byte.
    pub timeout: Span,
    /// How long connecting may take, TLS included.
    pub connect_timeout: Span,
    /// How many redirects of one request are followed; 0 follows none and hands the redirect over as the answer.
    pub redirects: usize,
    /// The longest `Retry-After` that is waited out.
    pub max_wait: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 10_000,
            duration: Span(Duration::from_mins(10)),
            rate: None,
            concurrency: 4,
            body: ByteSize(16 << 20),
            headers: ByteSize(64 << 10),
            timeout: Span(Duration::from_secs(30)),
            connect_timeout: Span(Duration::from_secs(10)),
            redirects: 3,
            max_wait: Span(Duration::from_mins(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_default_and_unknown_ones_are_refused() {
        let limits: Limits = serde_json::from_str(r#"{"rate": "50/s", "body": "1MiB"}"#).unwrap();
        let expected = Limits { rate: "50/s".parse().ok(), body: ByteSize(1 << 20), ..Limits::default() };
        assert_eq!(limits, expected);
        assert!(serde_json::from_str::<Limits>(r#"{"retries": 3}"#).unwrap_err().to_string().contains("retries"));
    }

    #[test]
    fn the_schema_shows_the_defaults_as_they_are_written() {
        let schema = schemars::schema_for!(Limits);
        assert_eq!(schema.pointer("/properties/body/default"), Some(&"16MiB".into()));
        assert_eq!(schema.pointer("/properties/duration/default"), Some(&"10m".into()));
        assert_eq!(schema.pointer("/additionalProperties"), Some(&false.into()));
    }
}
