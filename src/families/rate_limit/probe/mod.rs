//! Drives the traffic that shows a rate limit.

pub mod model;
