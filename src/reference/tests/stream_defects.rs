//! What each defect of streams looks like to a client.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    error::ProtocolError,
    protocol::frame::coding::{Data, OpCode},
};

use super::{
    super::{DEFECTS, tokens},
    client::Api,
    listener::{Listener, MARKET, QUIET, STREAM, api, order, patient},
    markets::{BURST, ends, gapless, rebuilt, stalled},
};

const SUBSCRIBE: &str = r#"{"op":"subscribe","channel":"orders"}"#;

/// Whether the API behaves as this defect says.
#[expect(clippy::too_many_lines, reason = "one arm for each defect")]
async fn shows(name: &str, api: &Api) -> bool {
    match name.trim_start_matches("stream.") {
        "wrong-accept" => matches!(
            Listener::open(api, STREAM, Some(tokens::READER)).await,
            Err(Error::Protocol(ProtocolError::SecWebSocketAcceptKeyMismatch))
        ),
        "unoffered-protocol" => matches!(
            Listener::open(api, STREAM, Some(tokens::READER)).await,
            Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)))
        ),
        "open-to-anyone" => {
            let nobody = Listener::open(api, STREAM, None).await.is_ok();
            nobody && Listener::open(api, STREAM, Some("nobody")).await.is_ok()
        }
        "leaks-to-rival" => {
            let mut rival = Listener::open(api, STREAM, Some(tokens::RIVAL)).await.expect("a stream");
            rival.send(Message::text(SUBSCRIBE)).await;
            rival.hear("snapshot").await;
            let made = order(api).await;
            rival.listen(QUIET).await.iter().any(|event| event["order"]["id"] == made["id"])
        }
        "no-pong" | "pong-altered" => {
            let mut listener = Listener::trader(api).await;
            listener.send(Message::Ping("12345".into())).await;
            let (seen, lasts) = listener.watch(QUIET).await;
            let pong = seen.iter().find(|message| message.is_pong()).map(|message| message.clone().into_data());
            lasts
                && if name.ends_with("no-pong") { pong.is_none() } else { pong.is_some_and(|data| *data != *b"12345") }
        }
        "drops-on-fragmented-ping" => {
            let mut listener = Listener::trader(api).await;
            let (one, other) = SUBSCRIBE.as_bytes().split_at(5);
            listener.frame(OpCode::Data(Data::Text), false, false, one).await;
            listener.send(Message::Ping("1".into())).await;
            let (_, lasts) = listener.watch(QUIET).await;
            if lasts {
                listener.frame(OpCode::Data(Data::Continue), true, false, other).await;
                listener.hear("subscribed").await;
            }
            !lasts
        }
        "silent" => Listener::subscribed(api).await.0.watch(3 * QUIET).await.0.is_empty(),
        "never-drops-dead" => {
            let (octets, ended) = Listener::subscribed(api).await.0.unread(Duration::from_secs(4)).await;
            !ended && !octets.ends_with(b"keepalive ping timeout")
        }
        "drops-the-living" => !Listener::subscribed(api).await.0.watch(5 * QUIET).await.1,
        "takes-unmasked" => {
            let mut listener = Listener::trader(api).await;
            let octets = [&[0x81, u8::try_from(SUBSCRIBE.len()).expect("short")], SUBSCRIBE.as_bytes()].concat();
            listener.octets(&octets).await;
            listener.watch(QUIET).await.0.iter().any(|message| tells(message, "subscribed"))
        }
        "takes-reserved" => {
            let mut listener = Listener::trader(api).await;
            listener.frame(OpCode::Data(Data::Reserved(3)), true, false, b"x").await;
            listener.watch(QUIET).await.1 && {
                listener.frame(OpCode::Data(Data::Text), true, true, SUBSCRIBE.as_bytes()).await;
                listener.watch(QUIET).await.0.iter().any(|message| tells(message, "subscribed"))
            }
        }
        "no-close-reply" => {
            let mut listener = Listener::subscribed(api).await.0;
            listener.octets(&[0x88, 0x80, 1, 2, 3, 4]).await;
            let (octets, ended) = listener.unread(QUIET).await;
            // An empty close frame, and the end of the connection.
            !ended && !octets.ends_with(&[0x88, 0])
        }
        "illegal-close-code" => {
            Listener::trader(api).await.close(1000).await.is_some_and(|(code, _)| code == Some(1006))
        }
        "unexplained-drop" => {
            let mut listener = Listener::subscribed(api).await.0;
            restart(api).await;
            listener.end().await.is_none()
        }
        "drops-on-error" | "silent-on-error" => {
            let mut listener = Listener::trader(api).await;
            listener.send(Message::text("{")).await;
            let (seen, lasts) = listener.watch(QUIET).await;
            let silent = !seen.iter().any(|message| tells(message, "error"));
            silent && lasts == name.ends_with("silent-on-error")
        }
        "no-acknowledgement" => {
            let mut listener = Listener::trader(api).await;
            listener.send(Message::text(SUBSCRIBE)).await;
            let heard = listener.listen(QUIET).await;
            heard.iter().all(|message| message["type"] == "snapshot") && heard.len() == 1
        }
        "data-after-unsubscribe" => {
            let mut listener = Listener::subscribed(api).await.0;
            listener.say(&json!({ "op": "unsubscribe", "channel": "orders" })).await;
            listener.hear("unsubscribed").await;
            order(api).await;
            !listener.listen(QUIET).await.is_empty()
        }
        "deltas-before-snapshot" => {
            let mut listener = Listener::trader(api).await;
            listener.send(Message::text(SUBSCRIBE)).await;
            let acknowledgement = listener.hear("subscribed").await;
            for _ in 0..2 {
                order(api).await;
            }
            let kinds: Vec<Value> =
                listener.listen(QUIET).await.iter().map(|message| message["type"].clone()).collect();
            kinds == ["order", "order", "snapshot"] && acknowledgement.get("sequence").is_none()
        }
        "gap" | "duplicate" | "out-of-order" | "misses-event" | "wrong-value" | "drops-silently" => {
            told(name, api).await
        }
        "snapshot-behind" => !rebuilt(api).await.0,
        "book-diverges" => rebuilt(api).await == (true, false),
        "resume-loses-one" | "resume-ignored" => {
            let (missed, heard) = resumed(api, true).await;
            heard == missed[if name.ends_with("loses-one") { 1 } else { 3 }..]
        }
        "loses-after-reset" => {
            let (missed, heard) = resumed(api, true).await;
            missed == heard && resumed(api, false).await.1.is_empty()
        }
        "ignores-too-old" => {
            let mut kinds = Vec::new();
            for place in [json!({ "since": 1 }), json!({ "since": 1_000_000 }), json!({ "resume": "AAAA" })] {
                kinds.push(Listener::resumed(api, tokens::TRADER, place).await.1["resumed"] == true);
            }
            kinds == [true; 3]
        }
        "resumes-for-rival" => {
            let acknowledgement = Listener::subscribed(api).await.1;
            let made = order(api).await;
            let place = json!({ "resume": acknowledgement["resume_token"] });
            let (mut rival, _) = Listener::resumed(api, tokens::RIVAL, place).await;
            rival.listen(QUIET).await.iter().any(|event| event["order"]["id"] == made["id"])
        }
        "outlives-token" => {
            let mut listener = Listener::open(api, STREAM, Some(tokens::EXPIRING)).await.expect("a stream");
            listener.watch(3 * QUIET).await.1
        }
        "no-connection-limit" => {
            let mut open = Vec::new();
            for _ in 0..21 {
                open.push(Listener::open(api, STREAM, Some(tokens::BURST_A)).await);
            }
            open.iter().all(Result::is_ok)
        }
        "money-as-number" | "local-time" => {
            let mut listener = Listener::subscribed(api).await.0;
            order(api).await;
            let event = listener.hear("order").await;
            let change = Listener::books(api, &["AAPL"]).await.first(|value| value["type"] == "book").await;
            if name.ends_with("local-time") {
                return [&event, &change].iter().all(|told| !told["time"].as_str().expect("a time").ends_with('Z'));
            }
            let levels =
                [&change["bids"], &change["asks"]].map(|side| side.as_array().expect("levels").clone()).concat();
            event["order"]["quantity"] == json!(2.5)
                && event["order"]["limit_price"]["amount"].is_number()
                && levels.iter().all(|level| level[0].is_number() && level[1].is_number())
        }
        "slow-harms-others" => stalled(api).await.longest > Duration::from_secs(1),
        "never-catches-up" => {
            let found = stalled(api).await;
            // What was queued at once takes longer than it took to happen.
            found.lasted && gapless(&found.slow) && found.slow.len() < BURST && found.other.len() > BURST
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

fn tells(message: &Message, kind: &str) -> bool {
    message.is_text() && message.to_text().is_ok_and(|text| text.contains(&format!("\"type\":\"{kind}\"")))
}

async fn restart(api: &Api) {
    assert_eq!(api.send(api.request(Method::POST, "/v1/streams/restart")).await.status, 200);
}

/// What is told of some orders.
async fn told(name: &str, api: &Api) -> bool {
    if name.ends_with("drops-silently") {
        let found = stalled(api).await;
        return found.lasted && gapless(&found.slow) && found.slow.len() < BURST && found.other.len() > BURST;
    }
    let (mut listener, acknowledgement) = Listener::subscribed(api).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(order(api).await);
    }
    let heard = listener.listen(QUIET).await;
    let start = acknowledgement["sequence"].as_u64().expect("a number");
    let numbers: Vec<u64> = heard.iter().map(|event| event["sequence"].as_u64().expect("a number") - start).collect();
    let third: Vec<u64> = (1..=5).filter(|number| (start + number) % 3 == 0).collect();
    let agrees = |event: &Value| made.iter().any(|made| made["quantity"] == event["order"]["quantity"]);
    match name.trim_start_matches("stream.") {
        "gap" => numbers == (1..=5).filter(|number| !third.contains(number)).collect::<Vec<u64>>(),
        "duplicate" => {
            let twice =
                |number: u64| heard.iter().filter(|event| event["sequence"] == start + number).collect::<Vec<_>>();
            third.iter().all(|number| matches!(twice(*number)[..], [one, other] if one != other)) && heard.len() > 5
        }
        "out-of-order" => {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            numbers != sorted && sorted == [1, 2, 3, 4, 5]
        }
        "misses-event" => numbers.len() < 5 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        _ => heard.len() == 5 && !heard.iter().any(agrees),
    }
}

/// The ids of three orders that were missed, and of those that were told after resuming.
async fn resumed(api: &Api, in_order: bool) -> (Vec<Value>, Vec<Value>) {
    let (listener, acknowledgement) = Listener::subscribed(api).await;
    if in_order {
        listener.close(1000).await;
    } else {
        listener.lose();
    }
    let mut missed = Vec::new();
    for _ in 0..3 {
        missed.push(order(api).await["id"].clone());
    }
    let place = json!({ "since": acknowledgement["sequence"] });
    let (mut listener, answer) = Listener::resumed(api, tokens::TRADER, place).await;
    assert_eq!(answer["resumed"], true);
    let heard = listener.listen(QUIET).await.iter().map(|event| event["order"]["id"].clone()).collect();
    listener.close(1000).await;
    (missed, heard)
}

#[tokio::test]
async fn every_defect_of_streams_shows_and_the_clean_api_shows_none() {
    let ours: Vec<&str> = DEFECTS.iter().map(|defect| defect.name).filter(|name| name.starts_with("stream.")).collect();
    let wrong: Vec<String> = stream::iter(ours)
        .map(|name| async move {
            let takes_long = ["slow-harms-others", "never-catches-up", "drops-silently", "no-connection-limit"]
                .iter()
                .any(|end| name.ends_with(end));
            let (clean, wrong) = if takes_long {
                (patient(&[], &[]).await, patient(&[name], &[]).await)
            } else {
                (api(&[], &[]).await, api(&[name], &[]).await)
            };
            let (clean, defective) = (shows(name, &clean).await, shows(name, &wrong).await);
            (name, clean, defective)
        })
        .buffer_unordered(4)
        .filter_map(|(name, clean, defective)| async move {
            (clean || !defective).then(|| format!("{name}: clean {clean}, defective {defective}"))
        })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn defects_of_events_show_in_books_too() {
    for (name, holds) in [
        ("stream.gap", (|ranges: &[(u64, u64)]| !gapless(ranges)) as fn(&[(u64, u64)]) -> bool),
        ("stream.duplicate", |ranges| ranges.windows(2).any(|pair| pair[0] == pair[1])),
        ("stream.out-of-order", |ranges| ranges.windows(2).any(|pair| pair[1].0 < pair[0].0)),
    ] {
        let api = api(&[name], &[]).await;
        let mut listener = Listener::open(&api, MARKET, None).await.expect("a stream");
        listener.say(&json!({ "op": "subscribe", "channel": "book", "symbols": ["XOM"] })).await;
        listener.hear("subscribed").await;
        let ranges: Vec<_> = listener.listen(Duration::from_millis(600)).await.iter().map(ends).collect();
        assert!(ranges.len() > 10 && holds(&ranges), "{name} {ranges:?}");
    }
}
