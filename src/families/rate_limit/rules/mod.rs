//! The rules of rate limits, each with its judge; pure functions of the evidence.

pub(super) mod model;
