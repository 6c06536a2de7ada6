//! Idempotency: does a request that is sent again with the same key do nothing a second time?
//!
//! The suite says how one operation creates and how what it created is found (`config`). The probe sends the operation
//! once, again, at one instant, with its answer lost, with other bodies, keys and clients (`probe`), and counts what
//! really exists (`evidence`). The rules judge the counts.
//!
//! Pitfalls: only rows count, never answers; a row may appear late, so "one" is said only after the declared lag; a
//! lookup that ignores its reference must not count the rows of others; 409 while the first request is still at work
//! is legal; a natural key may refuse a repetition instead of replaying it.

pub mod config;
pub mod evidence;
mod load;
mod patch;
mod plan;
mod probe;
mod rules;

pub use evidence::Evidence;

use futures_util::future::BoxFuture;

use super::{Check, Evidence as AnyEvidence, Family, PlannedCheck, Selection, Session};

/// The family.
pub const IDEMPOTENCY: Family = Family {
    name: "idempotency",
    summary: "a request that is repeated with the same key takes effect once, whatever happens in between",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<config::Config>(),
    load: load::load,
    observer: None,
};

/// One operation to be repeated.
struct IdempotencyCheck {
    config: config::Config,
}

impl Check for IdempotencyCheck {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn family(&self) -> &'static Family {
        &IDEMPOTENCY
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        plan::plan(&self.config, selection)
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        Box::pin(async move { AnyEvidence::Idempotency(Box::new(probe::probe(&self.config, session, plan).await)) })
    }
}
