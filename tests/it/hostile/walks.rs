//! Listings that never end, or that cannot be told apart by their ids.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{run, suite};
use crate::support::{Asked, Peer, Program, answer, json};

/// A number that was not there before.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn page(rows: &str) -> Vec<u8> {
    json(format!(r#"{{"data": [{rows}], "next": "c{}"}}"#, fresh()))
}

#[test]
fn a_cursor_that_never_ends_over_the_same_rows_is_found() {
    run(&Peer::answering(|_| page(r#"{"id": 1}, {"id": 2}"#)))
        .exits(1)
        .found("PAG-004", "page after page repeated rows that had been delivered before");
}

#[test]
fn a_cursor_that_never_ends_over_empty_pages_is_told_and_not_walked_for_ever() {
    let ended = run(&Peer::answering(|_| page("")));
    ended.prints("page after page was empty, each with another cursor");
    assert_eq!(ended.verdict_of("PAG-004"), "inconclusive");
}

#[test]
fn a_cursor_that_leads_to_its_own_page_is_found() {
    run(&Peer::always(json(r#"{"data": [{"id": 1}, {"id": 2}], "next": "again"}"#)))
        .exits(1)
        .found("PAG-004", "page 2 carried the cursor that page 1 had carried");
}

#[test]
fn ever_new_rows_are_not_read_for_ever() {
    let peer = Peer::answering(|_| page(&format!(r#"{{"id": {}}}, {{"id": {}}}"#, fresh(), fresh())));
    let ended = run(&peer);
    ended.prints("still delivering rows at the most pages a walk reads");
    assert_eq!(ended.verdict_of("PAG-004"), "inconclusive");
    assert!(peer.heard().len() < 1_000, "{} requests", peer.heard().len());
}

#[test]
fn rows_without_ids_are_not_taken_for_one_another() {
    for rows in ["{}, {}", "null, null", r#"{"id": null}, {"id": null}"#, r#"{"id": []}, {"id": {}}"#, "1, 2"] {
        let ended = run(&Peer::always(json(format!(r#"{{"data": [{rows}], "next": null}}"#))));
        assert_eq!(ended.verdict_of("PAG-005"), "inconclusive", "{rows}: {}", ended.told());
        ended.prints("none of its 2 rows has an id");
    }
}

/// Two pages, each of these rows.
fn two_pages(first: &'static str, second: &'static str) -> Peer {
    Peer::answering(move |asked: &Asked| match asked.parameter("cursor") {
        None => json(format!(r#"{{"data": [{first}], "next": "n"}}"#)),
        Some(_) => json(format!(r#"{{"data": [{second}], "next": null}}"#)),
    })
}

#[test]
fn ids_that_change_their_type_are_no_ids_or_the_same_id() {
    let ended = run(&two_pages(r#"{"id": 1}, {"id": "x"}"#, r#"{"id": true}, {"id": 1.5}"#));
    assert_eq!(ended.verdict_of("PAG-005"), "inconclusive", "{}", ended.told());
    ended.prints("1 row had no id where the suite says it is");
    // A number that comes back as text is the row that it was.
    run(&two_pages(r#"{"id": 1}, {"id": 2}"#, r#"{"id": "1"}, {"id": 3}"#))
        .exits(1)
        .found("PAG-005", "1 row delivered again");
}

#[test]
fn a_next_url_to_another_origin_is_a_finding_and_not_a_request() {
    let other = Peer::always(json(r#"{"data": [], "next": null}"#));
    let next = format!("{}/rows?cursor=2", other.url());
    let peer = Peer::answering(move |_| json(format!(r#"{{"data": [{{"id": 1}}, {{"id": 2}}], "next": "{next}"}}"#)));
    let suite = super::suite(&peer.url()).replace("cursor: { next: $.next, parameter: cursor }", "next_url: $.next");
    let ended = Program::running(&suite).ended();
    ended.exits(1).found("PAG-016", &other.url());
    other.was_left_alone();
}

#[test]
fn a_row_that_was_there_before_is_never_deleted() {
    // A create that is idempotent by content answers with the row it already has.
    let peer = Peer::answering(|asked: &Asked| match asked.method.as_str() {
        "GET" => json(r#"{"data": [{"id": 1}, {"id": 2}], "next": null}"#),
        _ => json(r#"{"id": 2}"#),
    });
    let writing = suite(&peer.url()).replace("target: { ", "target: { permits: [read, write], ")
        + "    churn:
      insert: { request: POST /rows, body: { name: same }, id: $.id }
      delete: { request: 'DELETE /rows/{{id}}' }
";
    let ended = Program::running(&writing).and(&["--only", "PAG-007"]).ended();
    ended.could_not_judge("answered with a row that was there before");
    assert!(peer.heard().iter().any(|asked| asked.method == "POST"));
    assert!(peer.heard().iter().all(|asked| asked.method != "DELETE"));
}

#[test]
fn one_stray_error_of_the_server_does_not_end_a_walk() {
    let failed = AtomicU64::new(0);
    let peer = Peer::answering(move |asked: &Asked| match asked.parameter("cursor") {
        None => json(r#"{"data": [{"id": 1}], "next": "n"}"#),
        Some(_) if failed.fetch_add(1, Ordering::Relaxed) == 0 => answer(500, &[], "oops"),
        Some(_) => json(r#"{"data": [{"id": 2}], "next": null}"#),
    });
    let ended = Program::running(&suite(&peer.url())).and(&["--only", "PAG-004"]).ended();
    assert_eq!(ended.verdict_of("PAG-004"), "pass", "{}", ended.told());
}
