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
const BOUND: Duration = Duration::from_secs(60);
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

/// A run against such a server, in bounded time and memory. Returns what it found.
fn run(peer: &Peer) -> Ended {
    let began = Instant::now();
    let (ended, memory) = Program::running(&suite(&peer.url())).and(&["--only", "websocket"]).started().ended_within();
    let took = began.elapsed();
    let report = ended.report();
    let failed = report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "fail");
    let told: Vec<String> = failed.map(|f| format!("{} {} {}: {} / {}", f["rule"], f["severity"], f["title"], f["message"], f["actual"])).collect();
    println!("took {took:?}, {} MiB, {}\n{}\n", memory >> 20, report["exit_code"], told.join("\n"));
    if std::env::var_os("SHOW").is_some() { println!("{}", ended.told()); }
    assert!(took < BOUND, "it took {took:?}: {}", ended.told());
    assert!(memory < MEMORY, "it took {} MiB: {}", memory >> 20, ended.told());
    // Nothing of this is evidence that others are harmed, or that events are lost.
    for rule in ["WS-014", "WS-015", "WS-017"] {
        assert_ne!(ended.verdict_of(rule), "fail", "{}", ended.told());
    }
    ended
}

#[test]
fn nothing_is_ever_sent() {
    run(&stream(hold));
}

#[test]
fn garbage_after_the_handshake() {
    run(&stream(|mut socket| {
        let _ = socket.write_all(b"\x00\xff\x13garbage, garbage, garbage");
        hold(socket);
    }));
}

#[test]
fn small_frames_without_end() {
    run(&flood(frame(0x81, br#"{"type":"tick"}"#).repeat(1_000)));
}

#[test]
fn large_frames_without_end() {
    run(&flood(frame(0x81, &vec![b'x'; 8 << 20])));
}

#[test]
fn a_frame_that_claims_to_be_endless() {
    run(&stream(|mut socket| {
        let _ = socket.write_all(&[0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]);
        while socket.write_all(&[b'x'; 65_536]).is_ok() {}
    }));
}

#[test]
fn fragments_without_end() {
    let more = frame(0x00, &[b'x'; 1_000]).repeat(100);
    run(&stream(move |mut socket| {
        let _ = socket.write_all(&frame(0x01, b"x"));
        while socket.write_all(&more).is_ok() {}
    }));
}

#[test]
fn pings_without_end() {
    run(&flood(frame(0x89, b"are you there?").repeat(1_000)));
}

#[test]
fn compressed_without_being_asked() {
    // 16 MiB of noughts, were it inflated.
    let bomb = [vec![0xec, 0xc1, 0x01, 0x01], vec![0; 16_000], vec![0x80, 0x00]].concat();
    run(&flood(frame(0xc1, &bomb)));
}

#[test]
fn refusals() {
    thread::scope(|scope| {
        for status in [200, 401, 404, 500] {
            scope.spawn(move || run(&peer(move |_, mut socket| {
                let _ = socket.write_all(&answer(status, &[], "no"));
                let _ = socket.shutdown(Shutdown::Write);
                hold(socket);
            })));
        }
    });
}

#[test]
fn a_redirect() {
    run(&peer(|_, mut socket| {
        let _ = socket.write_all(&answer(302, &[("Location", "/elsewhere")], ""));
        let _ = socket.shutdown(Shutdown::Write);
        hold(socket);
    }));
}

#[test]
fn closed_at_once() {
    run(&stream(|mut socket| {
        let _ = socket.write_all(&frame(0x88, &[0x03, 0xe8]));
        hold(socket);
    }));
}

#[test]
fn ended_at_once() {
    run(&stream(|socket| {
        let _ = socket.shutdown(Shutdown::Write);
        hold(socket);
    }));
}

#[test]
fn reset_before_any_answer() {
    run(&Peer::resetting(b""));
}

#[test]
fn ended_before_any_answer() {
    run(&peer(|_, socket| drop(socket)));
}

#[test]
fn the_handshake_is_never_answered() {
    run(&peer(|_, socket| hold(socket)));
}

#[test]
fn a_handshake_without_end() {
    run(&peer(|_, mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
        while socket.write_all(b"X-More: and more and more\r\n").is_ok() {}
    }));
}
