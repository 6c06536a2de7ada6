//! What the probe saw of a rate limit.

use serde::{Deserialize, Serialize};

use crate::exchange::ExchangeId;

/// What a limiter decided about one request, somewhere between its sending and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The exchange.
    pub id: ExchangeId,
    /// When the request was sent: monotonic microseconds since the run started.
    pub sent_us: u64,
    /// When the answer had arrived: monotonic microseconds since the run started.
    pub received_us: u64,
    /// Whether the request was let through.
    pub admitted: bool,
    /// What it costs of the quota.
    pub cost: u32,
    /// The status of the answer.
    pub status: u16,
}
