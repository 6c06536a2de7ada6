//! Drives the traffic that shows a rate limit.

pub(super) mod model;
