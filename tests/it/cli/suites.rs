//! Where suites and their values come from, and steps around the checks.

use super::{QUICK, REFERENCE};
use crate::support::{Api, Peer, Program, json};

const LISTING: &str = "fincheck: 1
name: Listing
target: { base_url: '${URL:-http://127.0.0.1:1}' }
clients: { reader: { bearer: '${TOKEN:-tok-default}' } }
vars: { account: ACC-001 }
pagination:
  - name: rows
    client: reader
    request: GET /accounts/{{account}}/rows
    rows: $.data
    id: $.id
    cursor: { next: $.next, parameter: cursor }
";

fn listing() -> Peer {
    Peer::always(json(r#"{"data": [{"id": 1}], "next": null}"#))
}

fn run(arguments: &[&str]) -> Program {
    Program::with(&["run", "suite.yaml", "--only", "PAG-005"]).file("suite.yaml", LISTING).and(arguments)
}

#[test]
fn a_suite_can_come_from_standard_input() {
    let api = Api::small();
    let ended = Program::with(&["run", "-"]).input(REFERENCE).env("FINCHECK_DEMO_URL", api.url()).and(QUICK).ended();
    ended.exits(0).prints("<stdin>");
    Program::with(&["lint", "-"]).input("fincheck: 2\n").ended().exits(2).complains("<stdin>:1:");
}

#[test]
fn variables_targets_and_environment_files_reach_the_requests() {
    let peer = listing();
    let token = || peer.heard().last().unwrap().field("authorization").unwrap().to_owned();
    run(&["--target", &peer.url(), "--var", "account=ACC-777"]).ended();
    assert!(peer.heard()[0].target.starts_with("/accounts/ACC-777/rows"), "{:?}", peer.heard());
    assert_eq!(token(), "Bearer tok-default");
    let file = format!("# of the sandbox\nURL={}\nexport TOKEN='tok from file'\n", peer.url());
    let ended = run(&["--env-file", "sandbox.env"]).file("sandbox.env", &file).ended();
    assert_eq!(token(), "Bearer tok from file", "{}", ended.told());
    ended.keeps_to_itself(&["tok from file"]);
    run(&["--env-file", "sandbox.env"]).file("sandbox.env", "URL http\n=x\n").ended().exits(2).complains("line 1");
}

#[test]
fn the_environment_wins_over_an_environment_file_and_the_flag_over_both() {
    let (flag, env, file) = (listing(), listing(), listing());
    let text = format!("URL={}\n", file.url());
    run(&["--env-file", "f.env"]).file("f.env", &text).env("URL", &env.url()).ended();
    let asked = [&flag, &env, &file].map(|peer| !peer.heard().is_empty());
    run(&["--env-file", "f.env", "--target", &flag.url()]).file("f.env", &text).env("URL", &env.url()).ended();
    assert_eq!(asked, [false, true, false]);
    assert!(!flag.heard().is_empty());
}

#[test]
fn a_plan_sends_nothing_and_says_what_a_run_would() {
    let peer = listing();
    for arguments in [&["plan", "suite.yaml"][..], &["run", "suite.yaml", "--dry-run"], &["lint", "suite.yaml"]] {
        let program = Program::with(arguments).file("suite.yaml", REFERENCE);
        program.env("FINCHECK_DEMO_URL", &peer.url()).ended().exits(0).complains_of_nothing();
    }
    let plan = Program::with(&["plan", "suite.yaml"]).file("suite.yaml", REFERENCE);
    let plan = plan.env("FINCHECK_DEMO_URL", &peer.url()).ended();
    plan.prints("pagination: positions")
        .prints("writes at most")
        .prints("nothing was sent")
        .prints("PAG-001 to PAG-019");
    peer.was_not_contacted();
}

#[test]
fn lint_finds_every_mistake_at_once() {
    let broken = LISTING.replace("rows: $.data", "rwos: $.data").replace("client: reader", "client: raeder");
    let ended = Program::with(&["lint", "suite.yaml"]).file("suite.yaml", &broken).ended();
    ended.exits(2).prints_nothing().complains("unknown key `rwos`").complains("`rows`").complains("raeder");
    Program::with(&["lint", "suite.yaml"]).file("suite.yaml", LISTING).ended().exits(0).prints("suite.yaml: valid");
}

#[test]
fn steps_create_what_checks_need_and_take_it_away_again() {
    let api = Api::small();
    let suite = format!(
        "fincheck: 1
name: Steps
target: {{ base_url: '{}', permits: [read, write] }}
clients:
  reader: {{ bearer: {} }}
  trader: {{ bearer: {} }}
setup:
  - name: place an order
    client: trader
    request: POST /v1/accounts/ACC-001/orders
    body: {{ symbol: AAPL, side: buy, type: market, quantity: \"1\" }}
    expect: [201]
    capture: {{ order: $.id, path: {{ header: Location, pattern: '(/v1/.*)' }} }}
  - {{ name: read it back, client: reader, request: 'GET {{{{path}}}}', capture: {{ symbol: $.symbol }} }}
teardown:
  - {{ client: trader, request: 'DELETE /v1/accounts/ACC-001/orders/{{{{order}}}}', expect: [204] }}
  - {{ client: reader, request: 'GET {{{{path}}}}', expect: [404] }}
pagination:
  - name: orders
    client: reader
    request: GET /v1/accounts/ACC-001/orders
    query: {{ symbol: '{{{{symbol}}}}' }}
    rows: $.data
    id: $.id
    cursor: {{ next: $.page.next, parameter: cursor }}
    page_size: {{ parameter: limit, sizes: [1, 7], default: 25, maximum: 200, oversize: clamped }}
",
        api.url(),
        fincheck::reference::tokens::READER,
        fincheck::reference::tokens::TRADER
    );
    let ended = Program::running(&suite).and(&["--only", "PAG-005"]).ended();
    ended.exits(0);
    let report = ended.report();
    let notes = report["notes"].as_array().unwrap();
    assert!(!notes.iter().any(|note| note.to_string().contains("teardown")), "{notes:?}");
    // A step that gets something else than it expects ends the run, and cleaning up goes on after one that fails.
    let failing = suite.replace("expect: [201]", "expect: [200]").replace("expect: [404]", "expect: [410]");
    let ended = Program::running(&failing).and(&["--only", "PAG-005"]).ended();
    ended.exits(3).prints("the setup failed: setup step `place an order`").prints("was answered with status 201");
    let failing = suite.replace("expect: [204]", "expect: [200]").replace("expect: [404]", "expect: [410]");
    let ended = Program::running(&failing).and(&["--only", "PAG-005"]).ended();
    ended.exits(0).prints("was answered with status 204").prints("was answered with status 404");
}

#[test]
fn streams_of_several_vendors_can_be_described() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/suites/streams");
    let suites: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(suites.len() >= 4, "{suites:?}");
    for suite in suites {
        let text = std::fs::read_to_string(&suite).unwrap();
        let lint = Program::with(&["lint", "suite.yaml"]).file("suite.yaml", &text).ended();
        lint.exits(0).complains_of_nothing();
        let plan = Program::with(&["plan", "suite.yaml"]).file("suite.yaml", &text).ended();
        plan.exits(0).prints("websocket: ").prints("WS-019");
    }
}
