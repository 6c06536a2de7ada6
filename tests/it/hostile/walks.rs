//! Listings that never end, or that cannot be told apart by their ids.

use std::sync::atomic::{AtomicU64, Ordering};

use super::run;
use crate::support::{Asked, Peer, Program, json};

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
    run(&Peer::answering(|_| page(r#"{"id": 1}, {"id": 2}"#))).exits(1).found("PAG-004", "");
}

#[test]
fn a_cursor_that_never_ends_over_empty_pages_is_told_and_not_walked_for_ever() {
    let ended = run(&Peer::answering(|_| page("")));
    ended.prints("page after page was empty, each with another cursor");
    assert_eq!(ended.verdict_of("PAG-004"), "inconclusive");
}

#[test]
fn a_cursor_that_leads_to_its_own_page_is_found() {
    run(&Peer::always(json(r#"{"data": [{"id": 1}, {"id": 2}], "next": "again"}"#))).exits(1).found("PAG-004", "");
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
        let peer = Peer::always(json(format!(r#"{{"data": [{rows}], "next": null}}"#)));
        let ended = run(&peer);
        let failed = ended.report()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["rule"] == "PAG-005" && f["verdict"] == "pass");
        assert!(!failed, "rows that cannot be told apart passed PAG-005: {}", ended.told());
    }
}

#[test]
fn ids_that_change_their_type_are_read_as_they_are() {
    let rows = r#"{"id": 1}, {"id": "1"}"#;
    let peer = Peer::answering(move |asked: &Asked| match asked.parameter("cursor") {
        None => json(format!(r#"{{"data": [{rows}], "next": "n"}}"#)),
        Some(_) => json(r#"{"data": [{"id": true}, {"id": 1.0}], "next": null}"#),
    });
    let ended = run(&peer);
    ended.told();
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
