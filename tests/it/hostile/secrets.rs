//! Peers that try to write on our terminal, or to make us print what we know.

use data_encoding::BASE64;

use super::{run, suite};
use crate::support::{Asked, Peer, Program, answer, json};

#[test]
fn what_a_terminal_would_obey_is_shown_and_not_obeyed() {
    let evil = r"\u001b[2J\u001b]0;gone\u0007\u009b31m\u202Edrawkcab\r\u0000";
    let raw = "\u{202e}\u{2066}\u{9b}31m\u{85}";
    // The same row on every page: something fails, and what failed is shown.
    let row = format!(r#"{{"id": "{evil}{raw}", "note": "{evil}"}}"#);
    let peer = Peer::answering(move |asked: &Asked| {
        let next = if asked.parameter("cursor").is_some() { "null".to_owned() } else { format!("\"{raw}\"") };
        let fields = [("Content-Type", "application/json"), ("X-Evil", "\u{202e}\u{9b}31m")];
        answer(200, &fields, format!(r#"{{"data": [{row}, {row}], "next": {next}}}"#))
    });
    for format in ["table", "json"] {
        Program::running(&suite(&peer.url())).and(&["-v", "--format", format]).ended().exits(1);
    }
    Program::running(&suite(&peer.url())).and(&["-vv"]).ended().exits(1);
}

#[test]
fn errors_with_escapes_are_shown_and_not_obeyed() {
    let peer = Peer::always(answer(
        500,
        &[("Content-Type", "text/plain; \u{202e}\u{9b}31m")],
        "\u{1b}[2J\u{1b}[31mred\u{202e}",
    ));
    let suite = suite(&peer.url()) + "setup:\n  - { client: reader, request: POST /orders }\n";
    Program::running(&suite).and(&["-vv"]).ended().could_not_judge("status 500");
}

/// Every header field and the target of the request, as the content of the answer and in a header field of it.
fn echo(asked: &Asked) -> Vec<u8> {
    let fields: Vec<String> = asked.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let said = format!("{} {}", asked.target, fields.join(" "));
    let row = serde_json::json!({ "id": said });
    let content = serde_json::json!({ "data": [row, row], "next": said, "echo": said });
    answer(200, &[("Content-Type", "application/json"), ("X-Echo", &said), ("ETag", &said)], content.to_string())
}

#[test]
fn credentials_that_come_back_are_not_passed_on() {
    const SECRET: &str = "hush/S3CRET+never=shown";
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = BASE64.encode(format!("ann:{SECRET}").as_bytes());
    for credentials in [
        "bearer: '${TOKEN}'",
        "basic: { username: ann, password: '${TOKEN}' }",
        "header: { X-Api-Key: '${TOKEN}' }",
        "header: { Authorization: 'ApiKey ${TOKEN}' }",
        "query: { api_key: '${TOKEN}' }",
    ] {
        for peer in [Peer::answering(echo), Peer::answering(|asked| answer(500, &[], echo(asked)))] {
            let suite = suite(&peer.url()).replace("bearer: '${TOKEN:-tok-0f1e2d3c}'", credentials);
            let suite = suite + "setup:\n  - { client: reader, request: POST /orders, expect: [200, 500] }\n";
            let ended = Program::running(&suite).and(&["-vv"]).env("TOKEN", SECRET).ended();
            let heard = peer.heard();
            let sent = heard.iter().any(|asked| {
                let all = format!("{asked:?}");
                [SECRET, &encoded, &basic].iter().any(|secret| all.contains(*secret))
            });
            assert!(sent, "{credentials}: it was not sent at all: {heard:?}");
            ended.keeps_to_itself(&[SECRET, &encoded, &basic]);
        }
    }
}

#[test]
fn credentials_that_reports_would_cut_or_change_are_not_passed_on_in_part() {
    const SECRET: &str = "hush0123456789abcdefghijklmnopqrstuvwxyz";
    for padding in [0, 20, 40, 60, 100] {
        // As an id, which reports cut, and as a cursor, which the tester changes.
        let peer = Peer::answering(move |asked: &Asked| {
            let token = asked.field("authorization").unwrap_or("none");
            let row = serde_json::json!({ "id": format!("{}{token}", "x".repeat(padding)) });
            let next = asked.parameter("cursor").is_none().then_some(token);
            json(serde_json::json!({ "data": [row, row], "next": next }).to_string())
        });
        let ended = Program::running(&suite(&peer.url())).and(&["-vv"]).env("TOKEN", SECRET).ended();
        ended.exits(1).keeps_to_itself(&["hush0123", "stuvwxyz"]);
    }
}

#[test]
fn a_setup_step_that_is_told_its_own_credentials_does_not_tell_them() {
    let peer =
        Peer::answering(|asked| answer(400, &[], format!("bad token {}", asked.field("authorization").unwrap())));
    let suite = suite(&peer.url()) + "setup:\n  - { client: reader, request: POST /orders }\n";
    let ended = Program::running(&suite).env("TOKEN", "hush-4711-hush").ended();
    ended.could_not_judge("setup step `POST /orders`").keeps_to_itself(&["hush-4711-hush"]);
}

#[test]
fn credentials_are_not_sent_to_where_the_peer_points() {
    let peer = Peer::always(answer(401, &[], ""));
    run(&peer).keeps_to_itself(&["tok-0f1e2d3c"]);
}
