//! Webhooks: events that tell of an operation's end, signed, delivered again until they are acknowledged.
//!
//! The suite says how callbacks are registered and what an event and its signature look like (`config`). The probe
//! registers mailboxes of the run, has operations done ([`Operations`]), answers some deliveries badly, and reads what
//! arrives (`reading`, `scheme`) into evidence; rules ASY-008 to ASY-012 judge that.
//!
//! Pitfalls: events may come late, twice and out of order; a callback that never came says something about the target
//! only if the target can reach us; signatures cover octets, never a body that was parsed and written again.

pub mod config;
pub mod evidence;
mod load;
mod place;
mod plan;
mod probe;
mod reading;
mod recipe;
pub mod rules;
mod scheme;
#[cfg(test)]
mod testing;

pub use config::Webhook;
pub use evidence::Evidence;
pub use plan::plan;
pub use probe::{Context, Followed, Kind, Operations, probe};
pub use recipe::RECIPES;
pub use rules::RULES;
