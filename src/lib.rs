//! Conformance tester for financial APIs.
//!
//! A suite describes an API; a run drives it, collects evidence, judges it by rules and scores what was found.
//! Imports point one way: `rule`, `exchange`, `json`, `notation`, `record` ← `families`, `wire` ← `suite` ← `plan`
//! ← `run` ← `cli`; `score` and `report` see only the record and what is below it.

pub mod exchange;
pub mod families;
pub mod json;
pub mod notation;
pub mod record;
pub mod report;
pub mod rule;
pub mod score;
