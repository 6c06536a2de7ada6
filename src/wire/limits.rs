//! The bounds of a run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::notation::{ByteSize, Rate, Span};

/// The bounds of a run: the `limits` block of a suite.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most requests a run may send.
    pub requests: u64,
    /// The longest a run may take.
    pub duration: Span,
    /// The run's own pace.
    pub rate: Option<Rate>,
    /// The most requests under way at the same time.
    pub concurrency: usize,
    /// The largest body accepted, after decoding.
    pub body: ByteSize,
    /// The largest response head accepted.
    pub headers: ByteSize,
    /// The longest one exchange may take.
    pub timeout: Span,
    /// The longest connecting may take.
    pub connect_timeout: Span,
    /// The most redirects followed in a row.
    pub redirects: usize,
    /// The longest `Retry-After` that is waited out.
    pub max_wait: Span,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            requests: 10_000,
            duration: seconds(600),
            rate: None,
            concurrency: 4,
            body: ByteSize(16 << 20),
            headers: ByteSize(64 << 10),
            timeout: seconds(30),
            connect_timeout: seconds(10),
            redirects: 3,
            max_wait: seconds(60),
        }
    }
}
