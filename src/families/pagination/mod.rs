//! Pagination: does a walk deliver every row exactly once, even while rows are written?
//!
//! The suite says how one listing spells its paging (`config`). The probe walks it quietly, oddly and while it
//! creates and deletes rows between pages, and notes what it saw (`evidence`). The rules judge the notes.
//!
//! Pitfalls: only rows that were there before a walk began and untouched until it ended are owed exactly once;
//! pages may be shorter than asked, even empty, while a cursor leads on; a listing that others write to meanwhile
//! shows nothing about itself.

pub mod config;
pub mod evidence;
mod load;
mod plan;
mod probe;
mod rules;

pub use evidence::Evidence;

use futures_util::future::BoxFuture;

use super::{Check, Evidence as AnyEvidence, Family, PlannedCheck, Selection, Session};

/// The family.
pub const PAGINATION: Family = Family {
    name: "pagination",
    summary: "walks of a collection deliver every row exactly once, even while rows are written",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<config::Config>(),
    load: load::load,
    observer: None,
};

/// One listing to be walked.
struct PaginationCheck {
    config: config::Config,
}

impl Check for PaginationCheck {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn family(&self) -> &'static Family {
        &PAGINATION
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        plan::plan(&self.config, selection)
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        Box::pin(async move { AnyEvidence::Pagination(Box::new(probe::probe(&self.config, session, plan).await)) })
    }
}
