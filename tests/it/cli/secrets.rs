//! A client that a message makes known: its secret reaches the stream, and nobody else.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, handshake::derive_accept_key, protocol::Role};

use crate::support::{Peer, Program};

const SECRET: &str = "hush-7c1e0d5b9f34";
const OTHER: &str = "rival-hush-2b8844d1";
const SUITE: &str = r#"fincheck: 1
name: Stream
target: { base_url: "${URL}", permits: [read] }
clients:
  trader: { bearer: "${SECRET}" }
  rival: { header: { X-Key: "${OTHER}", X-Name: rival } }
websocket:
  - name: orders
    path: /stream
    client: trader
    authenticate:
      message: { op: auth, key: "{{credential}}" }
      acknowledged: { $.type: welcome }
      refused: { $.type: error }
    subscribe: { message: { op: subscribe }, acknowledged: { $.type: subscribed } }
    messages: { data: { $.type: order }, error: { $.type: error }, time: $.time }
    listen: 300ms
    lag: 300ms
"#;

/// A stream that takes this key, tells everybody the key they have sent, and a list of what it was sent.
fn stream() -> (Peer, Arc<Mutex<Vec<Value>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let server = Peer::doing(move |request, mut stream| {
        let accept = derive_accept_key(request.field("sec-websocket-key").unwrap_or_default().as_bytes());
        let opening = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
        if write!(stream, "{opening}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").is_err() {
            return;
        }
        let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
        let mut known = false;
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            heard.lock().unwrap().push(message.clone());
            let key = &message["key"];
            known |= key == SECRET;
            let answer = match message["op"].as_str() {
                Some("auth") if known => json!({"type": "welcome", "key": key}),
                Some("subscribe") if known => json!({"type": "subscribed", "key": SECRET}),
                _ => {
                    json!({"type": "error", "message": format!("`{}` is not known", key.as_str().unwrap_or_default())})
                }
            };
            if socket.send(Message::text(answer.to_string())).is_err() {
                return;
            }
        }
    });
    (server, said)
}

fn run(peer: &Peer, suite: &str) -> crate::support::Ended {
    let arguments = ["run", "suite.yaml", "--only", "WS-010", "-vv", "-o", "report.json"];
    let program = Program::with(&arguments).file("suite.yaml", suite).env("URL", &peer.url());
    program.env("SECRET", SECRET).env("OTHER", OTHER).ended()
}

#[test]
fn a_message_carries_the_secret_and_no_report_shows_it() {
    let (peer, said) = stream();
    let ended = run(&peer, SUITE);
    ended.exits(0).keeps_to_itself(&[SECRET, OTHER]);
    assert_eq!(ended.verdict_of("WS-010"), "pass", "{}", ended.told());
    let report = ended.written("report.json");
    assert!(report.contains("[secret:"), "the messages are in the report: {report}");
    assert!(said.lock().unwrap().contains(&json!({"op": "auth", "key": SECRET})));
    let heard = peer.heard();
    assert!(!heard.is_empty() && heard.iter().all(|asked| asked.field("authorization").is_none()), "{heard:?}");
}

#[test]
fn nor_does_a_finding_that_repeats_what_the_stream_said() {
    let (peer, said) = stream();
    let suite = SUITE.replace("client: trader", "client: rival").replace("{{credential}}", "{{credential.X-Key}}");
    let ended = run(&peer, &suite);
    ended.keeps_to_itself(&[SECRET, OTHER]);
    assert_eq!(ended.verdict_of("WS-010"), "inconclusive", "{}", ended.told());
    ended.prints("is not known");
    assert!(said.lock().unwrap().contains(&json!({"op": "auth", "key": OTHER})));
}
