//! The program as a user runs it.

use std::process::Command;

use serde::Deserialize;

use crate::folder;

/// What is read of the JSON report.
#[derive(Debug, Deserialize)]
struct Report {
    complete: bool,
    exit_code: i32,
    findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) check: String,
    pub(crate) verdict: String,
    pub(crate) severity: String,
    pub(crate) message: String,
    pub(crate) actual: Option<String>,
    pub(crate) details: Vec<String>,
}

/// Runs a suite against a target and returns what it found.
pub(crate) fn run(suite: &str, target: &str) -> Vec<Finding> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fincheck"));
    // Options that somebody's environment holds must not change what is tested.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FINCHECK_")) {
        command.env_remove(name);
    }
    command.arg("run").arg(folder().join("suites").join(suite).with_extension("yaml"));
    command.args(["--target", target, "--format", "json", "--max-time", "4m", "--no-progress"]);
    let output = command.output().expect("fincheck starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{suite}: no report: {error}\n{said}"));
    assert!(report.complete, "{suite}: the run was cut short\n{said}");
    assert_eq!(output.status.code(), Some(report.exit_code), "{suite}: the report and the process agree");
    report.findings
}
