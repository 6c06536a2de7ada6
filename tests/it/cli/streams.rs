//! The report goes to standard output, everything else to standard error, and files get what they are named for.

use serde_json::Value;

use super::{QUICK, run, run_with_a_failure};
use crate::support::{Api, Program};

#[test]
fn the_report_is_all_there_is_on_standard_output() {
    let api = Api::small();
    let ended = run(&api).ended();
    ended.exits(0).complains_of_nothing();
    assert!(ended.stdout.starts_with("fincheck "), "{}", ended.told());
    let as_json = run(&api).and(&["--format", "json", "-v"]).ended();
    as_json.exits(0).complains("pagination: positions begins");
    assert_eq!(serde_json::from_str::<Value>(&as_json.stdout).unwrap()["exit_code"], 0);
}

#[test]
fn quiet_is_one_line() {
    let api = Api::small();
    let ended = run(&api).and(&["-q"]).ended();
    ended.exits(0).prints("gate passed").complains_of_nothing();
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.told());
}

#[test]
fn the_json_report_holds_what_the_contract_names() {
    let (_api, program) = run_with_a_failure();
    let ended = program.and(&["--only", "PAG-001", "-o", "report.json", "-o", "report.txt"]).ended();
    ended.exits(1).complains("written: report.json").complains("written: report.txt");
    assert_eq!(ended.written("report.txt"), ended.stdout);
    let report = ended.report();
    let holds = |value: &Value, keys: &[&str]| {
        for key in keys {
            assert!(value.get(key).is_some(), "no `{key}` in {value:#}");
        }
    };
    let root = [
        "schema_version",
        "fincheck",
        "complete",
        "exit_code",
        "suite",
        "target",
        "started_at",
        "duration_ms",
        "score",
        "grade",
        "coverage",
        "ledger",
        "families",
        "findings",
        "gate",
    ];
    holds(&report, &root);
    holds(&report["suite"], &["name", "file", "sha256"]);
    let counts = ["planned", "judged", "passed", "failed", "waived", "inconclusive", "not_applicable", "not_permitted"];
    holds(&report["ledger"], &counts);
    holds(&report["gate"], &["passed", "reasons"]);
    holds(&report["families"][0], &["family", "score"]);
    let parts = [
        "rule",
        "family",
        "check",
        "verdict",
        "severity",
        "title",
        "message",
        "expected",
        "actual",
        "exchanges",
        "source",
        "waived",
    ];
    let findings = report["findings"].as_array().unwrap();
    for finding in findings {
        holds(finding, &parts);
    }
    assert!(findings.iter().any(|finding| finding["verdict"] == "pass"), "findings of every verdict are listed");
    assert_eq!(report["complete"], true);
    assert_eq!(report["gate"]["passed"], false);
    let count = |key: &str| report["ledger"][key].as_u64().unwrap();
    let sum = ["passed", "failed", "waived", "inconclusive", "not_applicable", "not_permitted", "not_run"].map(count);
    assert_eq!(count("planned"), sum.iter().sum::<u64>(), "the ledger adds up");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let api = Api::small();
    assert_eq!(run(&api).ended_unread().code(), Some(0));
    let (_api, program) = run_with_a_failure();
    assert_eq!(program.ended_unread().code(), Some(1));
    for arguments in [&["schema"][..], &["rules", "--format", "json"], &["man"], &["completions", "zsh"]] {
        assert_eq!(Program::with(arguments).ended_unread().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn colour_is_there_when_wanted_and_only_then() {
    let api = Api::small();
    for (options, environment, colored) in [
        (&[][..], &[][..], false),
        (&["--color", "always"], &[], true),
        (&["--color", "always"], &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
        (&["--color", "never"], &[("FORCE_COLOR", "1")], false),
        (&[], &[("FORCE_COLOR", "1")], true),
        (&[], &[("FORCE_COLOR", "0")], false),
        (&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], false),
        (&[], &[("FINCHECK_COLOR", "always")], true),
    ] {
        let mut program = run(&api).and(options);
        for (name, value) in environment {
            program = program.env(name, value);
        }
        let ended = program.colored().ended();
        assert_eq!(
            ended.stdout.contains('\u{1b}'),
            colored,
            "{options:?} {environment:?}: {}",
            ended.told().escape_debug()
        );
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let (api, _) = run_with_a_failure();
    for columns in [80, 120] {
        let width = columns.to_string();
        let plan = Program::with(&["plan", "suite.yaml"]).file("suite.yaml", super::REFERENCE);
        for program in [
            run(&api).and(&["-v"]),
            plan.env("FINCHECK_DEMO_URL", api.url()),
            Program::with(&["rules"]),
            Program::with(&["explain", "PAG-009"]),
        ] {
            let ended = program.env("COLUMNS", &width).ended();
            let widest = ended.stdout.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= columns, "wider than {columns}: {widest}");
        }
    }
}

#[test]
fn a_file_that_exists_is_replaced() {
    let api = Api::small();
    let ended = run(&api).file("report.json", &"x".repeat(1 << 20)).and(&["-o", "report.json"]).ended();
    ended.exits(0);
    assert_eq!(ended.report()["exit_code"], 0);
}

#[test]
fn the_demo_can_be_asked_for_json_alone() {
    let ended = Program::with(&["run", "--demo", "--format", "json"]).and(QUICK).ended();
    ended.exits(0).complains_of_nothing();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["suite"]["file"], "suites/reference.yaml");
}
