//! Each exit code has one meaning.

use super::{QUICK, REFERENCE, run, run_with_a_failure};
use crate::support::{Api, Peer, Program, json};

#[test]
fn a_clean_demo_passes() {
    Program::with(&["run", "--demo"]).and(QUICK).ended().exits(0).prints("PASSED the gate (exit code 0)");
}

#[test]
fn a_demo_with_a_defect_falls_short() {
    let demo = Program::with(&["run", "--demo", "--defect", "pagination.cursor-cycle"]).and(QUICK).ended();
    demo.exits(1).prints("FAIL critical PAG-004 positions").prints("fincheck explain PAG-004").prints("curl");
}

#[test]
fn the_gate_is_as_strict_as_asked() {
    for (options, code, reason) in [
        (&["--fail-on", "never"][..], 0, "PASSED"),
        (&["--fail-on", "critical"], 1, "failures that count: 1 critical"),
        (&["--fail-on", "never", "--fail-under", "100"], 1, "is below the required 100"),
        (&["--fail-on", "never", "--fail-under", "0"], 0, "PASSED"),
    ] {
        let (_api, program) = run_with_a_failure();
        program.and(options).ended().exits(code).prints(reason);
    }
}

#[test]
fn a_run_that_sees_too_little_is_no_pass() {
    let api = Api::small();
    // The reference suite's other checks are not run: their rules are not planned, and cannot be missed.
    let unseen = run(&api).and(&["--only", "PAG-012", "--only", "statements", "--min-coverage", "100"]).ended();
    unseen.exits(3).prints("UNDECIDED");
    run(&api).and(&["--min-coverage", "10"]).ended().exits(0);
}

#[test]
fn options_can_come_from_the_environment_and_flags_win() {
    let (_api, program) = run_with_a_failure();
    program.env("FINCHECK_FAIL_ON", "never").ended().exits(0);
    let (_api, program) = run_with_a_failure();
    program.env("FINCHECK_FAIL_ON", "never").and(&["--fail-on", "minor"]).ended().exits(1);
}

#[test]
fn what_cannot_be_used_is_a_usage_error_before_anything_is_sent() {
    let peer = Peer::always(json("{}"));
    let valid = REFERENCE;
    for (arguments, suite, why) in [
        (&["--nonsense"][..], valid, "unexpected argument '--nonsense'"),
        (&["--only", "nonsense"], valid, "`nonsense` is no family, check or rule of this suite"),
        (&["--only", "PAG-9"], valid, "did you mean `PAG-0"),
        (&["--skip", "positionz"], valid, "did you mean `positions`?"),
        (&["--fail-on", "sometimes"], valid, "invalid value 'sometimes'"),
        (&["--fail-under", "101"], valid, "invalid value '101'"),
        (&["--jobs", "0"], valid, "invalid value '0'"),
        (&["--timeout", "soon"], valid, "invalid value 'soon'"),
        (&["--format", "morse"], valid, "invalid value 'morse'"),
        (&["--var", "novalue"], valid, "write NAME=VALUE"),
        (&["--defect", "pagination.lost-row"], valid, "cannot be used with '--defect <NAME>'"),
        (&["--variant", "x"], valid, "cannot be used with '--variant <NAME>'"),
        (&["--env-file", "missing.env"], valid, "missing.env"),
        (&["--cacert", "missing.pem"], valid, "missing.pem"),
        (&["-o", "report.unknown"], valid, "report.unknown: no report format has this ending; there is .txt, .json"),
        (&["-o", "report"], valid, "report: no report format has this ending"),
        (&["-o", "missing/report.json"], valid, "missing/report.json: cannot be written"),
        (&["other.yaml"], valid, "other.yaml"),
        (&[], "", "nothing was sent"),
        (&[], "fincheck: 1\nname: x\ntarget: { base_url: 'ftp://h' }\n", "nothing was sent"),
        (&[], "fincheck: 1\nname: x\ntarget: { base_url: '${UNSET_URL}' }\n", "UNSET_URL"),
        (&[], "fincheck: 1\nname: x\ntraget: {}\n", "`target`"),
        (&[], "fincheck: 1\nname: x\ntarget: [\n", "suite.yaml:"),
    ] {
        // Shown where an assertion fails, with what the program said.
        println!("{arguments:?}");
        let program = Program::with(&["run", "suite.yaml"]).file("suite.yaml", suite);
        let ended = program.env("FINCHECK_DEMO_URL", &peer.url()).and(arguments).ended();
        ended.exits(2).prints_nothing().complains(why);
    }
    peer.was_not_contacted();
}

#[test]
fn a_mistake_in_the_last_of_several_suites_costs_nothing() {
    let peer = Peer::always(json("{}"));
    let program =
        Program::with(&["run", "one.yaml", "two.yaml"]).file("one.yaml", REFERENCE).file("two.yaml", "name: 7");
    program.env("FINCHECK_DEMO_URL", &peer.url()).ended().exits(2).prints_nothing().complains("two.yaml");
    peer.was_not_contacted();
}

#[test]
fn a_demo_with_an_unknown_defect_is_a_usage_error() {
    let ended = Program::with(&["run", "--demo", "--defect", "pagination.lost-rows"]).ended();
    ended.exits(2).prints_nothing().complains("did you mean `pagination.lost-row`?");
}

#[test]
fn without_a_suite_the_one_in_the_folder_is_run() {
    Program::with(&["run"]).ended().exits(2).complains("there is no fincheck.yaml here");
    let api = Api::small();
    let program =
        Program::with(&["run"]).file("fincheck.yaml", REFERENCE).env("FINCHECK_DEMO_URL", api.url()).and(QUICK);
    program.ended().exits(0).prints("fincheck.yaml");
}

#[test]
fn spent_budgets_end_a_run_undecided() {
    let api = Api::small();
    let suite = format!("{REFERENCE}\nlimits: {{ requests: 3 }}\n");
    let program = Program::with(&["run", "suite.yaml"]).file("suite.yaml", &suite).env("FINCHECK_DEMO_URL", api.url());
    program.ended().exits(3).prints("the budget of requests is spent");
}
