//! The families of behaviour, and what each must offer.
//!
//! A family is one folder: `config` (its block of a suite), `probe` (drives traffic through a [`Session`] and
//! collects evidence), `evidence` (serialisable facts), `rules` (pure functions from evidence to judgement).
//! [`FAMILIES`] is the only list of them; the suite format, the plan, the catalogue and the reports iterate it.

pub mod async_operation;
mod call;
mod check;
mod conventions;
pub mod errors;
mod find;
pub mod idempotency;
mod line;
mod mailbox;
mod observer;
pub mod pagination;
mod problem;
pub mod rate_limit;
mod session;
#[cfg(test)]
pub(crate) mod testing;
pub mod websocket;

pub use call::Call;
pub use check::{Check, Evidence, Footprint, PlannedCheck, Selection, Unplanned};
pub use conventions::{Conventions, Correlation, ErrorShape};
pub use find::{Find, Found, FoundRow, Next};
pub use line::Line;
pub use mailbox::{Answer, Delivery, Mailbox, Place, Sameness};
pub use observer::Observer;
pub use problem::{Problem, Setting, nearest};
pub use session::{Cut, Permit, Session};

use crate::rule::{Judgement, Rule};

/// A kind of behaviour.
#[derive(Debug)]
pub struct Family {
    /// As a suite spells it: `rate_limit`.
    pub name: &'static str,
    /// One line on what it is about.
    pub summary: &'static str,
    /// Its rules, by id.
    pub rules: &'static [JudgedRule],
    /// The JSON Schema of one item of its list in a suite.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
    /// Makes a check of one item of its list in a suite, or says everything that is wrong with it.
    pub load: Load,
    /// Makes what watches every exchange of a run, where the family judges those.
    pub observer: Option<Observe>,
}

/// Makes a check of one item of a family's list in a suite, or says everything that is wrong with it.
pub type Load = fn(serde_json::Value, &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>>;

/// Makes what watches every exchange of a run.
pub type Observe = fn(&Conventions) -> Box<dyn Observer>;

/// A rule with the function that judges it.
#[derive(Debug)]
pub struct JudgedRule {
    /// The rule.
    pub rule: &'static Rule,
    /// Judges it on a check's evidence; pure.
    pub judge: fn(&Evidence) -> Judgement,
}

/// Every family there is.
pub static FAMILIES: &[Family] = &[
    async_operation::ASYNC_OPERATION,
    errors::ERRORS,
    idempotency::IDEMPOTENCY,
    pagination::PAGINATION,
    rate_limit::RATE_LIMIT,
    websocket::WEBSOCKET,
];

/// The family of that name.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// Every rule there is, in the order of the families.
pub fn rules() -> impl Iterator<Item = &'static JudgedRule> {
    FAMILIES.iter().flat_map(|family| family.rules)
}

/// The rule of that id, whatever its case.
pub fn rule(id: &str) -> Option<&'static JudgedRule> {
    rules().find(|judged| judged.rule.id.eq_ignore_ascii_case(id))
}
