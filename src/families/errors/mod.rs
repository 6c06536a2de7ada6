//! Errors: one machine-readable envelope, stable codes, correlation ids, and nothing that should stay inside.
//!
//! Two kinds of check share the rules. A case of the suite's `errors:` list sends a request that must fail and is
//! judged on its own answers. Besides, an observer reads every error response of the run, whoever caused it, and
//! those are judged together under the name [`EVERY_EXCHANGE`], whose probe adds a few harmless errors.
//!
//! Data flow: a response is read once into an [`evidence::ErrorResponse`] (`reading`), by the observer and by a
//! case's probe alike, against the shape that `conventions.errors` declares (`shape`); rules see only that.

mod config;
#[cfg(test)]
mod dialects;
mod difference;
mod disclosure;
mod echo;
pub mod evidence;
mod identifier;
mod load;
mod locate;
mod observer;
mod probe;
mod provoke;
mod reading;
mod rules;
mod schema;
mod shape;
#[cfg(test)]
mod testing;

pub use config::ErrorCase;
pub use evidence::Evidence;
pub use load::problems_of_conventions;
pub use observer::KEPT;
pub use provoke::EVERY_EXCHANGE;
// Other families judge error responses of their own by the same shape.
pub(super) use reading::{origin, read};
pub(super) use rules::{acceptable, flaw, unusable};
pub(super) use shape::Shape;

use super::Family;

/// The family.
pub const ERRORS: Family = Family {
    name: "errors",
    summary: "error envelopes, codes, correlation ids, and what errors must not tell",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<ErrorCase>(),
    load: load::load,
    observer: Some(|conventions| Box::new(observer::Watch::new(conventions))),
};
