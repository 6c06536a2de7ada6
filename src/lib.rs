//! Conformance tester for financial APIs.
//!
//! A suite describes an API; a run drives it, collects evidence, judges it by rules and scores what was found.
//! Imports point one way: `rule`, `exchange`, `json`, `notation`, `record` ← `families`, `wire` ← `suite` ← `plan`
//! ← `run` ← `cli`; `score` and `report` see only the record and what is below it. `reference` is an island.

pub mod cli;
pub mod exchange;
pub mod families;
pub mod json;
pub mod notation;
pub mod plan;
pub mod record;
pub mod reference;
pub mod report;
pub mod rule;
pub mod run;
pub mod score;
pub mod suite;
pub mod wire;
