//! What kind of limiter decides: inferred from decisions alone, each taken somewhere between sending and answer.
//!
//! `Runs` hold what was seen; `Trace` is one run in seconds. `feasible` asks of each `Model` whether instants and
//! parameters exist that explain every decision; `infer` compares the models, `experiment` says what to send next
//! to tell apart those that remain, `timeline` draws what was seen.
//!
//! Pitfalls: every check is a relaxation, so the true model is never excluded; what separates models is the traffic,
//! never a distribution. Models are compared with some slack (servers that share a quota overshoot a little).

pub mod runs;

mod amount;
mod experiment;
mod feasible;
mod inference;
mod model;
mod simulate;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;

pub(in crate::families::rate_limit) use amount::{Kept, first_burst, kept, most_within, tolerance};
pub(in crate::families::rate_limit) use experiment::{Means, Next, next_experiment};
pub(in crate::families::rate_limit) use inference::{Confidence, Inference, infer};
pub(in crate::families::rate_limit) use model::Fit;
pub use model::Kind;
pub(in crate::families::rate_limit) use timeline::timeline;
