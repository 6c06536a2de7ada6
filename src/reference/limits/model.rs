//! The models of limits, and what each has to remember.

use std::time::Duration;

use super::{
    decision::{Limit, Standing},
    fixed_window::FixedWindow,
    sliding_counter::SlidingCounter,
    sliding_log::SlidingLog,
    token_bucket::TokenBucket,
};

/// How requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    FixedWindow {
        /// Windows follow each other from the start of the API, rather than open with a request.
        aligned: bool,
    },
    TokenBucket,
    SlidingLog,
    SlidingCounter,
    /// A token bucket that makes requests wait for their token.
    Queue,
}

/// What a model remembers of one key.
#[derive(Debug, Clone)]
pub(super) enum State {
    FixedWindow(FixedWindow, bool),
    TokenBucket(TokenBucket),
    SlidingLog(SlidingLog),
    SlidingCounter(SlidingCounter),
    Queue(TokenBucket),
}

impl State {
    /// Nothing has been asked for yet.
    pub(super) fn new(model: Model) -> Self {
        match model {
            Model::FixedWindow { aligned } => Self::FixedWindow(FixedWindow::default(), aligned),
            Model::TokenBucket => Self::TokenBucket(TokenBucket::default()),
            Model::SlidingLog => Self::SlidingLog(SlidingLog::default()),
            Model::SlidingCounter => Self::SlidingCounter(SlidingCounter::default()),
            Model::Queue => Self::Queue(TokenBucket::default()),
        }
    }

    /// Decides on one request; the second part is how long it has to queue. Instants must not go backwards.
    pub(super) fn take(&mut self, limit: Limit, at: Duration) -> (Standing, Duration) {
        let standing = match self {
            Self::FixedWindow(window, aligned) => window.take(limit, *aligned, at),
            Self::TokenBucket(bucket) => bucket.take(limit, at),
            Self::SlidingLog(log) => log.take(limit, at),
            Self::SlidingCounter(counter) => counter.take(limit, at),
            Self::Queue(bucket) => return bucket.queue(limit, at),
        };
        (standing, Duration::ZERO)
    }
}
