//! What each variant of streams looks like to a client.

use std::{io::Write, time::Duration};

use data_encoding::BASE64;
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::coding::{Data, OpCode},
};

use super::{
    super::{VARIANTS, tokens},
    listener::{Listener, QUIET, STREAM, api, order, patient, request, spoken},
    markets::{gapless, stalled},
};

#[test]
fn every_variant_of_streams_is_looked_at() {
    let ours = VARIANTS.iter().filter(|variant| variant.name.starts_with("stream."));
    let missing: Vec<_> = ours.filter(|variant| !include_str!("stream_variants.rs").contains(variant.name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn heartbeats_wait_for_silence() {
    let api = api(&[], &["stream.heartbeat-when-idle"]).await;
    let mut listener = Listener::trader(&api).await;
    let start = tokio::time::Instant::now();
    let mut beats = 0;
    while start.elapsed() < 2 * QUIET {
        listener.send(Message::Ping("1".into())).await;
        let (seen, _) = listener.watch(Duration::from_millis(40)).await;
        beats += seen.iter().filter(|message| message.is_text()).count();
    }
    assert_eq!(beats, 0);
    let (seen, lasts) = listener.watch(3 * QUIET).await;
    assert!(lasts && seen.iter().any(Message::is_text));
}

#[tokio::test]
async fn only_the_last_of_several_pings_is_answered() {
    let api = api(&[], &["stream.pong-latest-only"]).await;
    let mut listener = Listener::trader(&api).await;
    // Two pings at once, masked with nothing.
    listener.octets(&[0x89, 0x81, 0, 0, 0, 0, b'1', 0x89, 0x81, 0, 0, 0, 0, b'2']).await;
    let (seen, _) = listener.watch(QUIET).await;
    let pongs: Vec<_> = seen.into_iter().filter(Message::is_pong).collect();
    assert_eq!(pongs, [Message::Pong("2".into())]);
}

/// The types and the event ids heard after resuming behind the second of three events; with the ids of the three.
async fn resumed(variant: &str) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let api = api(&[], &[variant]).await;
    let (mut listener, _) = Listener::subscribed(&api).await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(listener.until_order(&order(&api).await).await.remove(0));
    }
    listener.close(1000).await;
    let place = json!({ "resume": events[1]["resume_token"] });
    let (mut listener, answer) = Listener::resumed(&api, tokens::TRADER, place).await;
    assert_eq!(answer["type"], "subscribed");
    let heard = listener.listen(QUIET).await;
    let all = |events: &[Value], name: &str| events.iter().map(|event| event[name].clone()).collect::<Vec<Value>>();
    if variant == "stream.numbers-per-connection" {
        assert_eq!((all(&events, "sequence"), &heard[0]["sequence"]), (vec![json!(1), json!(2), json!(3)], &json!(1)));
    }
    (all(&events, "event_id"), all(&heard, "event_id"), all(&heard, "type"))
}

#[tokio::test]
async fn resuming_may_repeat_or_start_over_or_count_anew() {
    let (told, again, _) = resumed("stream.resume-overlaps").await;
    assert_eq!(again, told);
    let (_, _, kinds) = resumed("stream.resume-by-snapshot").await;
    assert_eq!(kinds, ["snapshot"]);
    let (told, again, _) = resumed("stream.numbers-per-connection").await;
    assert_eq!(again, told[2..]);
}

#[tokio::test]
async fn changes_are_merged_for_a_slow_client() {
    let api = patient(&[], &["stream.conflates"]).await;
    let found = stalled(&api).await;
    assert!(gapless(&found.slow) && found.code != Some(1013), "{:?}", found.code);
    assert!(found.slow.iter().any(|(first, last)| last - first > 100), "one message stands for many");
}

#[tokio::test]
async fn a_stream_may_be_closed_to_be_opened_again() {
    let api = api(&[], &["stream.closes-then-resumes"]).await;
    let (mut listener, acknowledgement) = Listener::subscribed(&api).await;
    assert_eq!(listener.end().await.expect("a close frame").0, Some(1001));
    let made = order(&api).await;
    let place = json!({ "since": acknowledgement["sequence"] });
    let (mut listener, _) = Listener::resumed(&api, tokens::TRADER, place).await;
    assert_eq!(listener.hear("order").await["order"]["id"], made["id"]);
}

#[tokio::test]
async fn messages_may_be_compressed_both_ways() {
    let api = api(&[], &["stream.deflate"]).await;
    assert!(!Listener::trader(&api).await.response.headers().contains_key("sec-websocket-extensions"));
    // The client at hand knows no extension, so the handshake is spoken by hand, and frames are read as octets.
    let key = BASE64.encode(&[7; 16]);
    let asked = format!(
        "GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9, permessage-deflate\r\n\r\n",
        tokens::TRADER
    );
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(br#"{"op":"subscribe","channel":"orders"}"#).expect("compressed");
    encoder.flush().expect("flushed");
    let mut message = encoder.get_ref().clone();
    message.truncate(message.len() - 4);
    let length = u8::try_from(message.len()).expect("short");
    let octets = [asked.as_bytes(), &[0xC1, 0x80 | length, 0, 0, 0, 0], &message].concat();
    let heard = spoken(&api, &octets, QUIET).await;
    let body = heard.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let answer = String::from_utf8_lossy(&heard[..body]).to_ascii_lowercase();
    assert!(
        answer.starts_with("http/1.1 101") && answer.contains("sec-websocket-extensions: permessage-deflate"),
        "{answer}"
    );
    let first = &heard[body..];
    assert_eq!(first[0], 0xC1, "compressed text");
    let packed = [&first[2..2 + usize::from(first[1])], &[0, 0, 0xFF, 0xFF]].concat();
    let mut text = Vec::with_capacity(1_000);
    let mut decompressor = flate2::Decompress::new(false);
    decompressor.decompress_vec(&packed, &mut text, flate2::FlushDecompress::Sync).expect("decompressed");
    let value: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(value["type"], "subscribed");
}

#[tokio::test]
async fn the_acknowledgement_may_come_second() {
    let api = api(&[], &["stream.ack-after-data"]).await;
    let mut listener = Listener::trader(&api).await;
    listener.say(&json!({ "op": "subscribe", "channel": "orders" })).await;
    let kinds: Vec<Value> = listener.listen(QUIET).await.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["snapshot", "subscribed"]);
    let mut books = Listener::books(&api, &["AAPL"]).await;
    let kinds: Vec<Value> = books.listen(QUIET).await.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds[..2], ["book", "subscribed"]);
}

#[tokio::test]
async fn ends_may_be_curt() {
    let dropping = api(&[], &["stream.reset-on-protocol-error"]).await;
    let mut listener = Listener::trader(&dropping).await;
    listener.frame(OpCode::Data(Data::Reserved(3)), true, false, b"x").await;
    assert_eq!(listener.end().await, None);
    assert_eq!(Listener::trader(&dropping).await.close(1000).await, Some((Some(1000), String::new())));

    let wordless = api(&[], &["stream.close-without-code"]).await;
    let mut listener = Listener::open(&wordless, STREAM, Some(tokens::EXPIRING)).await.expect("a stream");
    assert_eq!(listener.end().await, Some((None, String::new())));
    let listener = Listener::with(&wordless, request(&wordless, STREAM, Some(tokens::TRADER))).await.expect("a stream");
    assert_eq!(listener.close(1000).await, Some((None, String::new())));
}
