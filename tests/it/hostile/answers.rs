//! Peers whose messages are wrong, late, or lead elsewhere.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use super::{run, run_impatiently, suite};
use crate::support::{Peer, Program, answer, html, json};

#[test]
fn errors_and_nothing_else_are_not_judged() {
    for status in [500, 502, 503] {
        let peer = Peer::always(answer(status, &[], "oops"));
        run(&peer).could_not_judge(&format!("status {status}"));
    }
}

#[test]
fn errors_that_no_program_can_read_are_a_finding() {
    for peer in [Peer::always(answer(500, &[], "oops")), Peer::always(html(500))] {
        let ended = Program::running(&suite(&peer.url())).ended();
        ended.exits(3).found("ERR-001", "500").prints("the target was not available");
    }
}

#[test]
fn html_everywhere_is_not_judged() {
    let peer = Peer::always(html(200));
    run(&peer).could_not_judge("it is not JSON");
}

#[test]
fn a_redirect_loop_is_not_followed_for_ever() {
    let peer = Peer::answering(|asked| answer(302, &[("Location", &asked.target)], ""));
    run(&peer).could_not_judge("leads back to where it came from");
}

#[test]
fn redirects_to_ever_new_places_are_not_followed_for_ever() {
    let peer = Peer::answering(|asked| answer(307, &[("Location", &format!("{}x", asked.target))], ""));
    run(&peer).could_not_judge("redirects in a row");
}

#[test]
fn a_redirect_to_another_origin_is_not_followed() {
    let other = Arc::new(Peer::always(json(r#"{"data": []}"#)));
    let location = format!("{}/rows", other.url());
    let peer = Peer::answering(move |_| answer(302, &[("Location", &location)], ""));
    run(&peer).could_not_judge("outside the target").could_not_judge("not followed");
    other.was_left_alone();
}

#[test]
fn a_body_shorter_than_its_length_is_not_judged() {
    let peer = Peer::always("HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"data\": [");
    run(&peer).could_not_judge("before the response was complete");
}

#[test]
fn a_chunked_body_that_breaks_off_is_not_judged() {
    let peer = Peer::always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"dat\r\n");
    run(&peer).could_not_judge("before the response was complete");
}

#[test]
fn a_reset_within_the_body_is_not_judged() {
    let peer = Peer::resetting(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\": [");
    run(&peer).could_not_judge("the connection before the response was complete");
}

#[test]
fn what_is_not_http_is_not_judged() {
    let peer = Peer::always("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    run(&peer).could_not_judge("did not answer in HTTP");
}

#[test]
fn a_connection_closed_without_a_word_is_not_judged() {
    let peer = Peer::always("");
    run(&peer).could_not_judge("closed the connection before the response was complete");
}

#[test]
fn endless_header_fields_are_cut_off() {
    let peer = Peer::doing(|_, mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n");
        while socket.write_all(b"X-More: and more and more and more and more\r\n").is_ok() {}
    });
    run_impatiently(&peer).could_not_judge("header fields");
}

#[test]
fn a_body_that_drips_is_not_waited_for() {
    let peer = Peer::doing(|_, mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        let _ = socket.set_read_timeout(Some(Duration::from_millis(20)));
        // Each read waits for its time to pass, until the other side goes away.
        while socket.write_all(b"[").is_ok() && !matches!(socket.read(&mut [0]), Ok(0)) {}
    });
    run_impatiently(&peer).could_not_judge("no complete response from");
}

#[test]
fn silence_is_not_waited_for() {
    let peer = Peer::doing(|_, mut socket| drop(socket.read_to_end(&mut Vec::new())));
    run_impatiently(&peer).could_not_judge("within 300ms");
}

#[test]
fn a_peer_that_keeps_asking_to_wait_for_hours_is_not_obeyed() {
    let peer = Peer::always(answer(429, &[("Retry-After", "86400")], ""));
    run(&peer).could_not_judge("status 429");
}
