//! The market: books that can be rebuilt, and clients that are too slow for them.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{
    client::Api,
    listener::{Listener, api, patient},
};

/// Quantities by price.
pub(super) type Side = BTreeMap<String, String>;

pub(super) fn apply(side: &mut Side, levels: &Value) {
    for level in levels.as_array().expect("levels") {
        let [price, quantity] = [0, 1].map(|part| level[part].to_string().replace('"', ""));
        if quantity == "0" {
            side.remove(&price);
        } else {
            side.insert(price, quantity);
        }
    }
}

fn sides(book: &Value) -> [Side; 2] {
    ["bids", "asks"].map(|name| {
        let mut side = Side::new();
        apply(&mut side, &book[name]);
        side
    })
}

pub(super) fn ends(message: &Value) -> (u64, u64) {
    (message["first"].as_u64().expect("first"), message["last"].as_u64().expect("last"))
}

pub(super) async fn book(api: &Api) -> Value {
    let got = api.send(api.bare(reqwest::Method::GET, "/v1/market/AAPL/book")).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()
}

/// Rebuilds a book from a snapshot and what follows it, until a second snapshot; whether the two lined up at all, and then
/// whether they agree.
pub(super) async fn rebuilt(api: &Api) -> (bool, bool) {
    let mut listener = Listener::books(api, &["AAPL"]).await;
    let mut deltas = vec![listener.hear("book").await];
    let snapshot = book(api).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let later = book(api).await;
    let (from, to) = (snapshot["sequence"].as_u64().expect("L"), later["sequence"].as_u64().expect("L"));
    while ends(deltas.last().expect("one")).1 < to {
        deltas.push(listener.hear("book").await);
    }
    let mut book = sides(&snapshot);
    let mut next = from + 1;
    let mut lines_up = from < to && ends(&deltas[0]).0 <= next;
    for delta in deltas.iter().filter(|delta| ends(delta).1 > from && ends(delta).1 <= to) {
        lines_up &= ends(delta).0 == next;
        next = ends(delta).1 + 1;
        apply(&mut book[0], &delta["bids"]);
        apply(&mut book[1], &delta["asks"]);
    }
    (lines_up && next == to + 1, book == sides(&later))
}

/// What a client finds that did not read while a book changed very often, and what another one found meanwhile.
#[derive(Debug)]
pub(super) struct Stalled {
    /// The first and the last number of each message.
    pub(super) slow: Vec<(u64, u64)>,
    /// Whether the slow one's connection lasted.
    pub(super) lasted: bool,
    /// The code of its close frame, if it had one.
    pub(super) code: Option<u16>,
    pub(super) other: Vec<(u64, u64)>,
    /// How long the other waited at the most while the slow one did not read.
    pub(super) longest: Duration,
}

pub(super) const BURST: usize = 1_500;
/// How long a burst may take at the most.
const LONGEST: Duration = Duration::from_secs(10);

pub(super) async fn stalled(api: &Api) -> Stalled {
    let mut slow = Listener::books(api, &["JPM"]).await;
    slow.hear("book").await;
    let mut healthy = Listener::books(api, &["JPM"]).await;
    healthy.hear("book").await;
    let body = json!({ "messages": BURST, "padding": 8_000 });
    assert_eq!(api.post("/v1/market/JPM/burst", &body).await.status, 202);
    let mut other = Vec::new();
    let mut longest = Duration::ZERO;
    let mut since = tokio::time::Instant::now();
    let start = tokio::time::Instant::now();
    while other.len() <= BURST && start.elapsed() < LONGEST || start.elapsed() < Duration::from_secs(1) {
        match healthy.next_by(start + LONGEST).await {
            Ok(Some(Message::Text(text))) if text.contains("\"book\"") && text.contains("\"first\"") => {
                other.push(ends(&serde_json::from_str(&text).expect("JSON")));
                longest = longest.max(since.elapsed());
                since = tokio::time::Instant::now();
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(()) => longest = longest.max(since.elapsed()),
        }
    }
    let (seen, lasted) = slow.watch(Duration::from_millis(2_500)).await;
    let mut heard = Vec::new();
    let mut code = None;
    for message in seen {
        match message {
            Message::Text(text) if text.contains("\"first\"") => {
                heard.push(ends(&serde_json::from_str(&text).expect("JSON")));
            }
            Message::Close(frame) => code = frame.map(|frame| u16::from(frame.code)),
            _ => {}
        }
    }
    Stalled { slow: heard, lasted, code, other, longest }
}

pub(super) fn gapless(ranges: &[(u64, u64)]) -> bool {
    ranges.windows(2).all(|pair| pair[1].0 == pair[0].1 + 1)
}

#[tokio::test]
async fn a_book_can_be_rebuilt() {
    let api = api(&[], &[]).await;
    for _ in 0..3 {
        assert_eq!(rebuilt(&api).await, (true, true));
    }
    let mut listener = Listener::books(&api, &["MSFT", "TSLA"]).await;
    let acknowledgement = listener.hear("subscribed").await;
    assert_eq!((&acknowledgement["symbols"], &acknowledgement["request_id"]), (&json!(["MSFT", "TSLA"]), &json!(7)));
    let messages: Vec<Value> = listener.listen(Duration::from_millis(300)).await;
    for symbol in ["MSFT", "TSLA"] {
        let ranges: Vec<_> = messages.iter().filter(|message| message["symbol"] == symbol).map(ends).collect();
        assert!(gapless(&ranges) && ranges.len() > 5, "{ranges:?}");
    }
    assert!(messages.iter().all(|message| ["MSFT", "TSLA"].contains(&message["symbol"].as_str().expect("a symbol"))));
}

#[tokio::test]
async fn a_book_stands_still_while_nobody_listens() {
    let api = api(&[], &[]).await;
    let before = book(&api).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(book(&api).await, before);
    let mut listener = Listener::books(&api, &["AAPL"]).await;
    listener.hear("book").await;
    assert!(book(&api).await["sequence"].as_u64() > before["sequence"].as_u64());
    listener.close(1000).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let after = book(&api).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(book(&api).await, after);
}

#[tokio::test]
async fn a_slow_client_is_closed_and_nobody_else_notices() {
    let api = patient(&[], &[]).await;
    let found = stalled(&api).await;
    assert_eq!((found.lasted, found.code), (false, Some(1013)));
    assert!(gapless(&found.slow) && found.slow.len() > 256, "what was queued is delivered: {}", found.slow.len());
    assert!(gapless(&found.other) && found.other.len() >= BURST, "{}", found.other.len());
}
