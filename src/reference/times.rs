//! How long things take: parameters, so that tests need no real minutes.

use std::time::Duration;

/// The delays and windows of one running API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From the acceptance of a transfer or withdrawal to its booking; 30 ms unless told otherwise.
    pub processing: Duration,
    /// How long a key is kept after its request is done; 24 hours unless told otherwise.
    pub key_retention: Duration,
    /// From booked to settled, for the variant in which transfers settle; 100 ms unless told otherwise.
    pub settlement: Duration,
    /// The window of every rate limit; 2 s unless told otherwise. At least a millisecond and at most a day.
    pub limit_window: Duration,
    /// How many requests a rate limit admits in one window, or at once; 10 unless told otherwise, and at least 1.
    pub limit_quota: u32,
    /// How long a request under the limit of concurrency is worked on; 100 ms unless told otherwise.
    pub limit_hold: Duration,
    /// From one step of an operation to the next, of which there are three; 60 ms unless told otherwise.
    pub operation_step: Duration,
    /// How long a receiver of events may take to answer; 1 s unless told otherwise.
    pub delivery_timeout: Duration,
    /// The waits before each further attempt to deliver an event; 1.0 s, 1.2 s, 1.4 s and 1.6 s unless told otherwise.
    pub redelivery: [Duration; 4],
    /// From one heartbeat of a stream to the next; 500 ms unless told otherwise.
    pub stream_heartbeat: Duration,
    /// From one ping of a stream to the next; 700 ms unless told otherwise.
    pub stream_ping: Duration,
    /// How long after a ping its pong may come; 1.5 s unless told otherwise.
    pub stream_timeout: Duration,
    /// How long a stream may last that was opened with the token that expires; 1.5 s unless told otherwise.
    pub stream_session: Duration,
    /// How many events wait at the most for a client of a stream to take them; 256 unless told otherwise.
    pub stream_queue: usize,
    /// From one change of the market to the next, while anybody wants to be told; 2 ms unless told otherwise.
    pub market_tick: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            processing: Duration::from_millis(30),
            key_retention: Duration::from_hours(24),
            settlement: Duration::from_millis(100),
            limit_window: Duration::from_secs(2),
            limit_quota: 10,
            limit_hold: Duration::from_millis(100),
            operation_step: Duration::from_millis(60),
            delivery_timeout: Duration::from_secs(1),
            redelivery: [1_000, 1_200, 1_400, 1_600].map(Duration::from_millis),
            stream_heartbeat: Duration::from_millis(500),
            stream_ping: Duration::from_millis(700),
            stream_timeout: Duration::from_millis(1_500),
            stream_session: Duration::from_millis(1_500),
            stream_queue: 256,
            market_tick: Duration::from_millis(2),
        }
    }
}
