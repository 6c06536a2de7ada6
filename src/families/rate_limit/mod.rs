//! Rate limits: is the limit enforced and told, is waiting as told enough, and whom else does it touch?
//!
//! The suite says what an API declares of one limit (`config`). The probe spends it, looks around while it is spent,
//! waits in silence, and notes every decision with its instants (`evidence`). What header fields mean is read by
//! `signal` and `clock`, alike for probe and rules.
//!
//! Pitfalls: a refused request may prolong the block, so few are sent and each wait begins with the last refusal;
//! limits stack; 503 may be trouble; a client that waits one second too little accuses the server of its own haste.
//! 429s that other checks of a run meet are not judged here.

mod clock;
pub mod config;
pub mod evidence;
pub mod limiter;
mod load;
mod plan;
mod probe;
mod rules;
mod signal;
#[cfg(test)]
mod tests;

pub use evidence::Evidence;

use futures_util::future::BoxFuture;

use super::{Check, Conventions, Evidence as AnyEvidence, Family, PlannedCheck, Selection, Session, errors::Shape};

/// The family.
pub const RATE_LIMIT: Family = Family {
    name: "rate_limit",
    summary: "limits are enforced, told, recover as told, and touch nobody else",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<config::Config>(),
    load: load::load,
    observer: None,
};

/// One limit to be spent.
struct RateLimitCheck {
    config: config::Config,
    shape: Shape,
}

impl Check for RateLimitCheck {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn family(&self) -> &'static Family {
        &RATE_LIMIT
    }

    fn adopt(&mut self, conventions: &Conventions) {
        self.shape = Shape::new(conventions);
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        plan::plan(&self.config, selection)
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        Box::pin(async move {
            let evidence = probe::probe(&self.config, &self.shape, session, plan).await;
            AnyEvidence::RateLimit(Box::new(evidence))
        })
    }
}
