//! What is decided, and how a limit stands after it.

use std::time::Duration;

/// What a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// At least 1.
    pub(super) quota: u32,
    /// Not zero.
    pub(super) window: Duration,
}

/// What a model says to one request, and where that leaves the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) admitted: bool,
    /// How many more would be admitted at the same instant.
    pub(super) remaining: u32,
    /// From now until one request is admitted, if nothing else is sent; zero if this one was.
    pub(super) wait: Duration,
    /// From now until more is free than now: all of it, for models that free all at once or say so.
    pub(super) reset: Duration,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) admitted: bool,
    /// How much of the quota is used up.
    pub(super) used: u32,
    /// How many requests in a row were refused, this one included.
    pub(super) refused: u32,
    /// The wait that a refused caller is told, and when the limit resets for an admitted one.
    pub(super) told: Duration,
    /// How long an answer waits before it is given.
    pub(super) delay: Duration,
}
