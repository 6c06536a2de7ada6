//! The command line as people and CI jobs meet it: exit codes, streams, signals, files.

mod exits;
mod interruption;
mod secrets;
mod streams;
mod suites;
mod tools;
mod wrong_streams;

use crate::support::{Api, Program};

const REFERENCE: &str = include_str!("../../../suites/reference.yaml");

/// A part of the reference suite that takes a moment.
const QUICK: &[&str] = &["--only", "PAG-004", "--only", "positions"];

/// A run of a small part of the reference suite against the reference API.
fn run(api: &Api) -> Program {
    Program::with(&["run", "suite.yaml"]).file("suite.yaml", REFERENCE).env("FINCHECK_DEMO_URL", api.url()).and(QUICK)
}

/// The same, in which one rule fails.
fn run_with_a_failure() -> (Api, Program) {
    let api = Api::with_defect("pagination.cursor-cycle");
    let program = run(&api);
    (api, program)
}
