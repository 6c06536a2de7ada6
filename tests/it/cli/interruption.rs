//! Ctrl-C: the partial report is printed, what was created is cleaned up, and the exit code says so.

use std::io::{Read, Write};

use crate::support::{Asked, Peer, Program, answer};

/// Creates orders, deletes them, and leaves whoever asks for this waiting until they go away.
fn peer_that_stalls(at: &'static str) -> Peer {
    Peer::doing(move |asked: Asked, mut socket| {
        if !asked.target.starts_with(at) {
            let created = answer(201, &[("Content-Type", "application/json")], r#"{"id": "o-4711"}"#);
            let _ = socket.write_all(&created);
        }
        let _ = socket.read_to_end(&mut Vec::new());
    })
}

fn suite(peer: &Peer) -> String {
    format!(
        "fincheck: 1
name: Interrupted
target: {{ base_url: '{}' }}
limits: {{ timeout: 5m }}
setup:
  - {{ client: anonymous, request: POST /orders, capture: {{ order: $.id }} }}
  - {{ client: anonymous, request: POST /accounts }}
teardown:
  - {{ client: anonymous, request: 'DELETE /orders/{{{{order}}}}' }}
pagination:
  - {{ name: rows, request: GET /rows, rows: $.data, id: $.id, cursor: {{ next: $.next, parameter: cursor }} }}
",
        peer.url()
    )
}

#[test]
fn an_interrupted_run_reports_what_it_learned_and_cleans_up() {
    let peer = peer_that_stalls("/rows");
    let running = Program::running(&suite(&peer)).started();
    peer.waits_for(|asked| asked.target.starts_with("/rows"));
    running.interrupt();
    let ended = running.ended();
    ended.exits(130).complains("interrupted").prints("the run was interrupted").prints("ledger");
    let report = ended.report();
    assert_eq!((&report["complete"], &report["stopped"]["why"]), (&false.into(), &"interrupted".into()));
    assert!(report["ledger"]["planned"].as_u64() > Some(0), "{}", ended.told());
    assert_eq!(report["ledger"]["judged"], 0);
    // What another check had under way may be heard after it.
    let deleted = peer.heard().into_iter().filter(|asked| asked.method == "DELETE").map(|asked| asked.target);
    assert_eq!(deleted.collect::<Vec<_>>(), ["/orders/o-4711"]);
}

#[test]
fn an_interrupted_setup_is_an_interruption_too() {
    let peer = peer_that_stalls("/accounts");
    let running = Program::running(&suite(&peer)).started();
    peer.waits_for(|asked| asked.target == "/accounts");
    running.interrupt();
    let ended = running.ended();
    ended.exits(130).prints("the run was interrupted");
    assert_eq!(ended.report()["complete"], false);
    let last = peer.heard().pop().unwrap();
    assert_eq!((last.method.as_str(), last.target.as_str()), ("DELETE", "/orders/o-4711"));
    assert!(!peer.heard().iter().any(|asked| asked.target.starts_with("/rows")), "no check was begun");
}

#[test]
fn a_second_interruption_ends_the_run_at_once() {
    let peer = peer_that_stalls("/");
    let hanging = suite(&peer).replace("setup:", "vars: { order: o-1 }\nsetup:");
    let running = Program::running(&hanging).started();
    peer.waits_for(|asked| asked.target == "/orders");
    running.interrupt();
    peer.waits_for(|asked| asked.method == "DELETE");
    running.interrupt();
    running.ended().exits(130);
}

#[test]
fn later_suites_are_not_begun_after_an_interruption() {
    let peer = peer_that_stalls("/rows");
    let other = Peer::always(answer(200, &[], "{}"));
    let program = Program::with(&["run", "one.yaml", "two.yaml"]);
    let running = program.file("one.yaml", &suite(&peer)).file("two.yaml", &suite(&other)).started();
    peer.waits_for(|asked| asked.target.starts_with("/rows"));
    running.interrupt();
    running.ended().exits(130);
    other.was_not_contacted();
}
