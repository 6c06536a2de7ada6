//! Streams as they should be.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::frame::coding::{Control, Data, OpCode},
};

use super::{
    super::tokens,
    client::{Api, ORDERS},
    listener::{Listener, MARKET, QUIET, STREAM, api, order, patient, request},
};

fn status(result: Result<Listener, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn the_handshake_is_answered_as_it_must_be() {
    let api = api(&[], &[]).await;
    let mut asked = request(&api, STREAM, Some(tokens::READER));
    asked.headers_mut().insert("sec-websocket-protocol", "other, brokerage.v1".parse().expect("a value"));
    asked.headers_mut().insert("sec-websocket-extensions", "permessage-deflate".parse().expect("a value"));
    let listener = Listener::with(&api, asked).await.expect("a stream");
    let headers = listener.response.headers();
    assert_eq!(headers["sec-websocket-protocol"], "brokerage.v1");
    assert!(!headers.contains_key("sec-websocket-extensions") && !headers.contains_key("content-length"));

    let mut asked = request(&api, STREAM, Some(tokens::READER));
    asked.headers_mut().insert("sec-websocket-version", "12".parse().expect("a value"));
    let Err(Error::Http(refused)) = Listener::with(&api, asked).await else { panic!("not refused") };
    assert_eq!((refused.status().as_u16(), &refused.headers()["sec-websocket-version"]), (426, &"13".parse().unwrap()));
    let plain = api.get(STREAM).await;
    assert_eq!((plain.status.as_u16(), plain.header("upgrade")), (426, Some("websocket")));
    assert_eq!(plain.code(), "upgrade_required");
    assert_eq!(api.post(STREAM, &json!({})).await.status, 405);

    assert_eq!(status(Listener::open(&api, STREAM, None).await), 401);
    assert_eq!(status(Listener::open(&api, STREAM, Some("nobody")).await), 401);
    assert_eq!(status(Listener::open(&api, MARKET, None).await), 101);
    let in_query = |token: &str| format!("{STREAM}?access_token={token}");
    assert_eq!(status(Listener::open(&api, &in_query(tokens::READER), None).await), 101);
    assert_eq!(status(Listener::open(&api, &in_query("nobody"), None).await), 401);
    assert_eq!(status(Listener::open(&api, &in_query(tokens::READER), Some(tokens::READER)).await), 401);
    let of_resource = api.send(api.bare(Method::GET, &format!("{ORDERS}?access_token={}", tokens::READER))).await;
    assert_eq!(of_resource.status, 401, "only streams take tokens there");
}

#[tokio::test]
async fn orders_are_told_in_order_to_their_owner_alone() {
    let api = api(&[], &[]).await;
    let before = order(&api).await;
    let (mut listener, acknowledgement) = Listener::subscribed(&api).await;
    assert_eq!(acknowledgement["request_id"], "r1");
    let mut rival = Listener::open(&api, STREAM, Some(tokens::RIVAL)).await.expect("a stream");
    rival.say(&json!({ "op": "subscribe", "channel": "orders" })).await;
    let snapshot = rival.hear("snapshot").await;
    assert!(!snapshot.to_string().contains(before["id"].as_str().expect("an id")));

    let made = [order(&api).await, order(&api).await];
    let location = format!("{ORDERS}/{}", made[0]["id"].as_str().expect("an id"));
    assert_eq!(api.delete(&location).await.status, 204);
    let mut number = acknowledgement["sequence"].as_u64().expect("a number");
    for (row, status, version) in [(&made[0], "open", 1), (&made[1], "open", 1), (&made[0], "cancelled", 2)] {
        let event = listener.hear("order").await;
        number += 1;
        assert_eq!(event["sequence"], number);
        let order = &event["order"];
        assert_eq!((&order["id"], &order["status"], &order["version"]), (&row["id"], &json!(status), &json!(version)));
        assert_eq!(order["reference"], row["client_reference"]);
        for same in ["symbol", "side", "type", "quantity", "limit_price"] {
            assert_eq!(order[same], row[same], "{same}");
        }
    }
    assert!(rival.listen(QUIET).await.is_empty());

    listener.say(&json!({ "op": "unsubscribe", "channel": "orders", "request_id": "r2" })).await;
    assert_eq!(listener.hear("unsubscribed").await["request_id"], "r2");
    order(&api).await;
    assert!(listener.listen(QUIET).await.is_empty());
    listener.say(&json!({ "op": "subscribe", "channel": "orders" })).await;
    let snapshot = listener.hear("snapshot").await;
    assert_eq!(snapshot["sequence"], number + 1);
    let open =
        |row: &Value| snapshot["orders"].as_array().expect("orders").iter().any(|order| order["id"] == row["id"]);
    assert!(open(&before) && !open(&made[0]) && open(&made[1]));
}

#[tokio::test]
async fn what_was_missed_is_told_to_those_who_resume() {
    let api = api(&[], &[]).await;
    let (mut listener, _) = Listener::subscribed(&api).await;
    let seen = listener.until_order(&order(&api).await).await.remove(0);
    listener.close(1000).await;
    let missed = [order(&api).await, order(&api).await];
    for place in [
        json!({ "since": seen["sequence"] }),
        json!({ "since": seen["sequence"].to_string() }),
        json!({ "resume": seen["resume_token"] }),
    ] {
        let (mut listener, answer) = Listener::resumed(&api, tokens::TRADER, place).await;
        assert_eq!((&answer["type"], &answer["resumed"]), (&json!("subscribed"), &json!(true)));
        let heard = listener.listen(QUIET).await;
        let ids: Vec<&Value> = heard.iter().map(|event| &event["order"]["id"]).collect();
        assert_eq!(ids, [&missed[0]["id"], &missed[1]["id"]], "and no snapshot");
        listener.lose();
    }
}

#[tokio::test]
async fn what_cannot_be_resumed_is_refused_aloud() {
    let api = api(&[], &[]).await;
    let (mut listener, _) = Listener::subscribed(&api).await;
    let seen = listener.until_order(&order(&api).await).await.remove(0);
    for since in [json!(1), json!("1"), json!(seen["sequence"].as_u64().expect("a number") + 1), json!("x"), json!(-1)]
    {
        let (mut listener, answer) = Listener::resumed(&api, tokens::TRADER, json!({ "since": since })).await;
        assert_eq!(answer["type"], "resync_required", "{since}");
        let snapshot = listener.hear("snapshot").await;
        assert_eq!(snapshot["sequence"], seen["sequence"]);
    }
    for (token, place) in [(tokens::RIVAL, seen["resume_token"].clone()), (tokens::TRADER, json!("AAAA"))] {
        let (mut listener, answer) = Listener::resumed(&api, token, json!({ "resume": place })).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("invalid_resume_token")));
        assert!(listener.listen(QUIET).await.is_empty());
    }
}

#[tokio::test]
async fn an_idle_stream_shows_that_it_lives_and_finds_out_who_does_not() {
    let api = api(&[], &[]).await;
    let (mut living, _) = Listener::subscribed(&api).await;
    let (mut dead, _) = Listener::subscribed(&api).await;
    let (seen, lasts) = living.watch(Duration::from_millis(1_800)).await;
    assert!(lasts);
    let pings = seen.iter().filter(|message| message.is_ping()).count();
    let beats = seen.iter().filter(|message| message.is_text()).count();
    assert!(pings >= 3 && beats >= 5, "{pings} {beats}");
    let (octets, _) = dead.unread(Duration::from_secs(2)).await;
    let told = [&[0x88, 24][..], &1011_u16.to_be_bytes(), b"keepalive ping timeout"].concat();
    assert!(octets.ends_with(&told));
}

#[tokio::test]
async fn pings_are_answered_even_between_fragments() {
    let api = api(&[], &[]).await;
    let mut listener = Listener::trader(&api).await;
    let message = json!({ "op": "subscribe", "channel": "orders" }).to_string();
    let (one, other) = message.as_bytes().split_at(9);
    listener.frame(OpCode::Data(Data::Text), false, false, one).await;
    listener.send(Message::Ping(vec![7; 125].into())).await;
    listener.frame(OpCode::Data(Data::Continue), true, false, other).await;
    let (seen, _) = listener.watch(QUIET).await;
    assert!(seen.contains(&Message::Pong(vec![7; 125].into())));
    assert!(seen.iter().any(|message| message.to_text().is_ok_and(|text| text.contains("\"subscribed\""))));
}

#[tokio::test]
async fn closing_is_answered_and_broken_frames_end_the_connection() {
    let api = api(&[], &[]).await;
    for code in [1000, 4000] {
        assert_eq!(Listener::trader(&api).await.close(code).await, Some((Some(code), String::new())));
    }
    let mut listener = Listener::trader(&api).await;
    listener.send(Message::Close(None)).await;
    assert_eq!(listener.end().await, Some((None, String::new())));

    let text = OpCode::Data(Data::Text);
    let ping = OpCode::Control(Control::Ping);
    for (opcode, fin, rsv1, payload, code) in [
        (OpCode::Data(Data::Reserved(3)), true, false, &b"x"[..], 1002),
        (OpCode::Control(Control::Reserved(11)), true, false, b"x", 1002),
        (text, true, true, b"{}", 1002),
        (ping, false, false, b"x", 1002),
        (ping, true, false, &[0; 126], 1002),
        (OpCode::Data(Data::Continue), true, false, b"x", 1002),
        (text, true, false, &[0xC3, 0x28], 1007),
        (OpCode::Data(Data::Binary), true, false, b"x", 1003),
        (text, true, false, &vec![b' '; 65_537], 1009),
        (OpCode::Control(Control::Close), true, false, &[3], 1002),
        (OpCode::Control(Control::Close), true, false, &1005_u16.to_be_bytes(), 1002),
    ] {
        let mut listener = Listener::trader(&api).await;
        listener.frame(opcode, fin, rsv1, payload).await;
        let end = listener.end().await.expect("a close frame");
        assert_eq!(end.0, Some(code), "{opcode:?} {}", payload.len());
    }
    let mut listener = Listener::trader(&api).await;
    listener.octets(&[0x81, 2, b'{', b'}']).await;
    assert_eq!(listener.end().await.expect("a close frame").0, Some(1002), "unmasked");
}

#[tokio::test]
async fn messages_that_cannot_be_followed_are_answered() {
    let api = api(&[], &[]).await;
    let mut listener = Listener::trader(&api).await;
    listener.send(Message::text("{")).await;
    assert_eq!(listener.hear("error").await["code"], "malformed");
    for (message, code) in [
        (json!({ "op": "fly", "request_id": "a" }), "unknown_op"),
        (json!({ "op": "subscribe", "channel": "weather", "request_id": "a" }), "unknown_channel"),
        (json!({ "op": "subscribe", "channel": "book", "symbols": ["AAPL"], "request_id": "a" }), "unknown_channel"),
    ] {
        listener.say(&message).await;
        let error = listener.hear("error").await;
        assert_eq!((&error["code"], &error["request_id"]), (&json!(code), &json!("a")));
    }
    for _ in 0..60 {
        listener.send(Message::text("{}")).await;
    }
    assert_eq!(listener.first(|value| value["code"] != "unknown_op").await["code"], "too_many_messages");
    assert_eq!(listener.end().await.expect("a close frame").0, Some(1008));
    let mut books = Listener::books(&api, &["NOPE"]).await;
    assert_eq!(books.hear("error").await["code"], "unknown_symbol");
}

#[tokio::test]
async fn sessions_end_when_they_must_and_only_theirs() {
    let api = api(&[], &[]).await;
    let mut expiring = Listener::open(&api, STREAM, Some(tokens::EXPIRING)).await.expect("a stream");
    assert_eq!(expiring.hear("error").await["code"], "token_expired");
    assert_eq!(expiring.end().await.expect("a close frame").0, Some(3000));

    let mut rival = Listener::open(&api, STREAM, Some(tokens::RIVAL)).await.expect("a stream");
    let (mut listener, _) = Listener::subscribed(&api).await;
    let forbidden = api.send(api.bare(Method::POST, "/v1/streams/restart").bearer_auth(tokens::READER)).await;
    assert_eq!(forbidden.status, 403);
    let restart = api.send(api.request(Method::POST, "/v1/streams/restart")).await;
    assert_eq!((restart.status.as_u16(), restart.json()["closed"].clone()), (200, json!(1)));
    assert_eq!(listener.end().await, Some((Some(1012), "service restart".to_owned())));
    assert!(rival.watch(QUIET).await.1);

    // Those who open many do not answer pings meanwhile.
    let api = patient(&[], &[]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(Listener::open(&api, STREAM, Some(tokens::BURST_A)).await.expect("a stream"));
    }
    assert_eq!(status(Listener::open(&api, STREAM, Some(tokens::BURST_A)).await), 429);
    assert_eq!(status(Listener::open(&api, STREAM, Some(tokens::BURST_B)).await), 101);
    open.pop().expect("a stream").close(1000).await;
    assert_eq!(status(Listener::open(&api, STREAM, Some(tokens::BURST_A)).await), 101);
}

#[tokio::test]
async fn streams_end_soon_after_the_api_is_stopped() {
    let api: Api = api(&[], &[]).await;
    let (mut polite, _) = Listener::subscribed(&api).await;
    let (deaf, _) = Listener::subscribed(&api).await;
    let since = Instant::now();
    let stop = tokio::spawn(api.running.stop());
    assert_eq!(polite.end().await.expect("a close frame").0, Some(1001));
    drop(polite);
    stop.await.expect("stopped");
    assert!(since.elapsed() < Duration::from_millis(1_500), "{:?}", since.elapsed());
    drop(deaf);
}
