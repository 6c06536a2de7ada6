//! Asynchronous operations: work that is accepted, followed on a monitor, and told of by webhooks.
//!
//! The suite says how one is started and how the monitor spells its states (`config`). The probe has operations
//! succeed, fail and be called off, and notes every reading with its instants (`evidence`); `webhook` receives what the
//! target tells by itself.
//!
//! Pitfalls: a monitor may be found late and read from a replica that is behind, so one odd reading shows nothing;
//! being late and being asked too often are judged only of a second operation, alone; whether something exists is
//! looked up, never believed.

pub mod config;
pub mod evidence;
mod load;
mod plan;
mod probe;
mod rules;
#[cfg(test)]
mod tests;
pub mod webhook;

pub use evidence::Evidence;

use futures_util::future::BoxFuture;

use super::{Check, Evidence as AnyEvidence, Family, PlannedCheck, Selection, Session};

/// The family.
pub const ASYNC_OPERATION: Family = Family {
    name: "async_operation",
    summary: "accepted work can be followed to its end, and is told of by webhooks",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<config::Config>(),
    load: load::load,
    observer: None,
};

/// One kind of operation to be followed.
struct AsyncOperationCheck {
    config: config::Config,
}

impl Check for AsyncOperationCheck {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn family(&self) -> &'static Family {
        &ASYNC_OPERATION
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        plan::plan(&self.config, selection)
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        Box::pin(async move {
            let evidence = probe::probe(&self.config, session, plan).await;
            AnyEvidence::AsyncOperation(Box::new(evidence))
        })
    }
}
