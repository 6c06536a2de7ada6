//! Streams that are none, or far too much: each is a clear message or a deserved finding, in bounded time and memory.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::{Asked, Ended, Peer, Program, answer, json};

/// A run that takes longer waits for what will never come. The machine may be busy with other things.
const BOUND: Duration = Duration::from_mins(1);
/// A run that takes more memory keeps what nobody reads, in octets.
const MEMORY: u64 = 100 << 20;

/// A suite with one stream, and everything that can be said of it.
fn suite(url: &str) -> String {
    format!(
        "fincheck: 1
name: Hostile stream
target: {{ base_url: '{url}', permits: [read, write, disconnect, malformed, burst] }}
limits: {{ timeout: 2s, connect_timeout: 2s, duration: 50s }}
clients:
  reader: {{ bearer: tok-0f1e2d3c }}
websocket:
  - name: ticks
    path: /stream
    client: reader
    subscribe:
      message: {{ op: subscribe, request: '{{{{request}}}}' }}
      acknowledged: {{ $.type: subscribed }}
    messages:
      data: {{ $.type: tick }}
      heartbeat: {{ $.type: heartbeat }}
      error: {{ $.type: error }}
      gap: {{ $.type: gap }}
      snapshot: {{ $.type: snapshot }}
      id: $.id
      reference: $.reference
    sequence: {{ last: $.n }}
    heartbeat: {{ interval: 1s, pings: true, timeout: 1s }}
    resume: {{ subscribe: {{ op: subscribe, last: '{{{{last}}}}' }}, depth: 100 }}
    stimulus:
      call: {{ request: POST /orders, body: {{ reference: '{{{{reference}}}}' }} }}
      id: $.id
      count: 2
    listen: 1s
    lag: 500ms
    slow: {{ stalls: [1s], catch_up: 1s, policy: close }}
    session: {{ connections: 20, rate: 50, rate_window: 1s }}
    errors: {{ code: $.code }}
"
    )
}

/// A server whose HTTP side is sound and whose handshakes are handled like this.
fn peer(script: impl Fn(&Asked, TcpStream) + Send + Sync + 'static) -> Peer {
    Peer::doing(move |asked, mut socket| {
        if asked.field("upgrade").is_some() {
            return script(&asked, socket);
        }
        let _ = socket.write_all(&json(r#"{"id": "1"}"#));
        let _ = socket.shutdown(Shutdown::Write);
        let _ = socket.read_to_end(&mut Vec::new());
    })
}

/// The answer that opens a stream.
fn switch(asked: &Asked) -> String {
    let accept = derive_accept_key(asked.field("sec-websocket-key").unwrap_or_default().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// A server whose streams open and then do this.
fn stream(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Peer {
    peer(move |asked, mut socket| {
        if socket.write_all(switch(asked).as_bytes()).is_ok() {
            script(socket);
        }
    })
}

/// A server whose streams open and then say this without end, as fast as it is taken.
fn flood(octets: impl Into<Vec<u8>>) -> Peer {
    let octets = octets.into();
    stream(move |mut socket| while socket.write_all(&octets).is_ok() {})
}

/// Keeps a connection until the other side ends it.
fn hold(mut socket: TcpStream) {
    let _ = socket.read_to_end(&mut Vec::new());
}

/// A frame as a server sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(u8::try_from(length).unwrap()),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// A run against such a server, in bounded time and memory.
fn run(peer: &Peer) -> Ended {
    let began = Instant::now();
    let (ended, memory) = Program::running(&suite(&peer.url())).and(&["--only", "websocket"]).started().ended_within();
    let took = began.elapsed();
    assert!(took < BOUND, "it took {took:?}: {}", ended.told());
    assert!(memory < MEMORY, "it took {} MiB: {}", memory >> 20, ended.told());
    // Nothing of this is evidence that others are harmed, or that events are lost.
    for rule in ["WS-014", "WS-015", "WS-016", "WS-017"] {
        assert_eq!(ended.verdict_of(rule), "inconclusive", "{rule}: {}", ended.told());
    }
    ended
}

/// The rules that such a run failed.
fn failed(ended: &Ended) -> Vec<String> {
    let report = ended.report();
    let findings = report["findings"].as_array().unwrap().iter();
    let failed = findings.filter(|finding| finding["verdict"] == "fail");
    failed.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_is_ever_sent() {
    let ended = run(&stream(hold));
    ended.prints("the stream says nothing, not even that it is subscribed to");
    ended.found("WS-003", "no pong in").found("WS-007", "no close frame in answer").found("WS-010", "did not come");
}

#[test]
fn garbage_after_the_handshake() {
    let ended = run(&stream(|mut socket| {
        let _ = socket.write_all(b"\x00\xff\x13garbage, garbage, garbage");
        hold(socket);
    }));
    ended.exits(1).found("WS-008", "something that is no frame");
}

#[test]
fn small_frames_without_end() {
    let ended = run(&flood(frame(0x81, br#"{"type":"tick"}"#).repeat(1_000)));
    ended.could_not_judge("more comes than can be kept until a message is answered");
}

#[test]
fn large_frames_without_end() {
    let ended = run(&flood(frame(0x81, &vec![b'x'; 8 << 20])));
    ended.could_not_judge("more comes than can be kept until a message is answered");
}

#[test]
fn a_frame_that_claims_to_be_endless() {
    let ended = run(&stream(|mut socket| {
        let _ = socket.write_all(&[0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]);
        while socket.write_all(&[b'x'; 4_096]).is_ok() {}
    }));
    ended.exits(1).found("WS-008", "a frame of 4611686018427387904 octets, more than the 16MiB allowed");
}

#[test]
fn fragments_without_end() {
    let more = frame(0x00, &[b'x'; 1_000]).repeat(100);
    let ended = run(&stream(move |mut socket| {
        let _ = socket.write_all(&frame(0x01, b"x"));
        while socket.write_all(&more).is_ok() {}
    }));
    ended.could_not_judge("the stream does not come to its end");
}

#[test]
fn pings_without_end() {
    let ended = run(&flood(frame(0x89, b"are you there?").repeat(1_000)));
    ended.could_not_judge("the stream does not come to its end");
}

#[test]
fn compressed_without_being_asked() {
    // 16 MiB of noughts, were it inflated.
    let bomb = [vec![0xec, 0xc1, 0x01, 0x01], vec![0; 16_000], vec![0x80, 0x00]].concat();
    let ended = run(&flood(frame(0xc1, &bomb)));
    ended.could_not_judge("more comes than can be kept until a message is answered");
}

#[test]
fn refusals() {
    let refused = |status: u16| {
        let peer = peer(move |_, mut socket| {
            let _ = socket.write_all(&answer(status, &[], "no"));
            let _ = socket.shutdown(Shutdown::Write);
            hold(socket);
        });
        run(&peer).could_not_judge(&format!("the handshake was answered with status {status} instead of 101"));
    };
    thread::scope(|scope| {
        for status in [200, 401, 404, 500] {
            scope.spawn(move || refused(status));
        }
    });
}

#[test]
fn a_redirect() {
    let ended = run(&peer(|_, mut socket| {
        let _ = socket.write_all(&answer(302, &[("Location", "/elsewhere")], ""));
        let _ = socket.shutdown(Shutdown::Write);
        hold(socket);
    }));
    ended.could_not_judge("the handshake was answered with status 302 instead of 101");
}

#[test]
fn closed_at_once() {
    let ended = run(&stream(|mut socket| {
        let _ = socket.write_all(&frame(0x88, &[0x03, 0xe8]));
        hold(socket);
    }));
    ended.prints("the connection ends as soon as it is open, by a close frame with code 1000");
    // A server may close at any time; that it opens a handshake of no version there is another matter.
    assert_eq!(failed(&ended), ["WS-001"], "{}", ended.told());
}

#[test]
fn ended_at_once() {
    let ended = run(&stream(|socket| {
        let _ = socket.shutdown(Shutdown::Write);
        hold(socket);
    }));
    ended.found("WS-008", "the end of the connection (TCP FIN) without a close frame");
    let mut failed = failed(&ended);
    failed.sort();
    assert_eq!(failed, ["WS-001", "WS-008"], "{}", ended.told());
}

#[test]
fn reset_at_once() {
    let ended = run(&stream(|socket| {
        // What is left unread turns the end into a reset.
        thread::sleep(Duration::from_millis(20));
        drop(socket);
    }));
    ended.prints("the connection ends as soon as it is open").found("WS-008", "without a close frame");
}

#[test]
fn reset_before_any_answer() {
    let ended = run(&Peer::resetting(b""));
    ended.could_not_judge("the stream could not be opened");
}

#[test]
fn ended_before_any_answer() {
    let ended = run(&peer(|_, socket| drop(socket)));
    ended.could_not_judge("closed the connection before the response was complete");
}

#[test]
fn the_handshake_is_never_answered() {
    let ended = run(&peer(|_, socket| hold(socket)));
    ended.could_not_judge("the stream could not be opened");
}

#[test]
fn a_handshake_without_end() {
    let ended = run(&peer(|_, mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
        while socket.write_all(b"X-More: and more and more\r\n").is_ok() {}
    }));
    ended.could_not_judge("sent more header fields than the 64KiB allowed");
}
