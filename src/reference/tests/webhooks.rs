//! Webhooks: registration, signatures, and delivery to receivers that fail.

use std::{collections::BTreeSet, time::Duration};

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::json;

use super::{
    super::{Options, Times, tokens},
    client::Api,
    errors::pointers,
    operations::{ended, location, started},
    receiver::{Answer, Call, Receiver},
    transfers::{TRANSFERS, fresh, paid, pay_as, transfer},
};

pub(super) const WEBHOOKS: &str = "/v1/webhooks";

/// Redelivery within a second, and room for a slow machine to answer.
pub(super) fn times() -> Times {
    let redelivery = [100, 120, 140, 160].map(Duration::from_millis);
    let operation_step = Duration::from_millis(20);
    Times { redelivery, operation_step, delivery_timeout: Duration::from_secs(10), ..Times::default() }
}

async fn brisk() -> Api {
    Api::start(Options { times: times(), ..Options::default() }).await
}

pub(super) fn mac(key: &[u8], content: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), content).as_ref().to_vec()
}

/// The octets of a secret (Standard Webhooks).
pub(super) fn octets(secret: &str) -> Vec<u8> {
    BASE64.decode(secret.strip_prefix("whsec_").expect("a prefix").as_bytes()).expect("base64")
}

/// What Standard Webhooks wants as the signature of a call.
pub(super) fn standard(call: &Call, secret: &str) -> Option<String> {
    let head = format!("{}.{}.", call.header("webhook-id")?, call.header("webhook-timestamp")?);
    Some(format!("v1,{}", BASE64.encode(&mac(&octets(secret), &[head.as_bytes(), &call.payload].concat()))))
}

#[tokio::test]
async fn events_of_an_operation_are_told_signed() {
    let api = brisk().await;
    let receiver = Receiver::willing().await;
    let secret = receiver.register(&api, "/hook?x=1", &["operation.*"]).await;
    let reference = fresh();
    let got = started(&api, &reference, false).await;
    let last = ended(&api, location(&got)).await;
    let calls = receiver.expect("/hook", 2).await;
    let mut kinds: Vec<String> = calls.iter().map(Call::kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["operation.running", "operation.succeeded"]);
    assert_ne!(calls[0].id(), calls[1].id());
    let now = jiff::Timestamp::now().as_second();
    for call in &calls {
        let event = call.json();
        assert_eq!(call.header("content-type"), Some("application/json"));
        assert_eq!(call.header("webhook-id"), Some(call.id().as_str()));
        assert_eq!(call.header("webhook-signature"), standard(call, &secret).as_deref());
        let sent: i64 = call.header("webhook-timestamp").and_then(|text| text.parse().ok()).expect("seconds");
        assert!((now - 60..=now).contains(&sent));
        assert!(event["created_at"].as_str().is_some_and(|text| text.ends_with('Z')));
        let status = call.kind().replace("operation.", "");
        assert_eq!(event["data"], json!({ "operation_id": last["id"], "status": status, "reference": reference }));
    }
    let sequence =
        |kind: &str| calls.iter().find(|call| call.kind() == kind).map(|call| call.json()["sequence"].clone());
    assert_eq!(sequence("operation.succeeded"), Some(last["sequence"].clone()));
    assert_eq!(sequence("operation.running"), Some(json!(2)));
}

#[tokio::test]
async fn failures_and_cancellations_are_told() {
    let api = brisk().await;
    let receiver = Receiver::willing().await;
    receiver.register(&api, "/hook", &["operation.failed", "operation.cancelled"]).await;
    let failing = started(&api, "r", true).await;
    let cancelled = started(&api, "r", false).await;
    let cancel = api.send(api.request(Method::POST, &format!("{}/cancel", location(&cancelled)))).await;
    assert_eq!(cancel.status, 200);
    let heard: BTreeSet<(String, String)> =
        receiver.expect("/hook", 2).await.iter().map(|call| (call.subject(), call.kind())).collect();
    let id = |got: &super::client::Got| got.json()["id"].as_str().expect("an id").to_owned();
    let expected = [(id(&failing), "operation.failed".to_owned()), (id(&cancelled), "operation.cancelled".to_owned())];
    assert_eq!(heard, BTreeSet::from(expected));
}

#[tokio::test]
async fn each_tenant_hears_of_its_own_and_only_of_what_it_asked_for() {
    let api = brisk().await;
    let receiver = Receiver::willing().await;
    receiver.register(&api, "/ours", &["transfer.*"]).await;
    receiver.register(&api, "/other", &["operation.*", "withdrawal.booked"]).await;
    let theirs = json!({ "url": receiver.url("/theirs"), "events": ["*"] }).to_string();
    let theirs = api.bare(Method::POST, WEBHOOKS).bearer_auth(tokens::RIVAL).body(theirs);
    assert_eq!(api.send(theirs.header("content-type", "application/json")).await.status, 201);
    paid(&api, &fresh(), "ours").await;
    receiver.expect("/ours", 1).await;
    let rival = "/v1/accounts/ACC-901/transfers";
    let made = pay_as(&api, tokens::RIVAL, rival, &fresh(), &transfer("theirs", "1.00")).await;
    assert_eq!(made.status, 201);
    receiver.expect("/theirs", 1).await;
    let heard: Vec<(String, serde_json::Value)> =
        receiver.calls().iter().map(|call| (call.path.clone(), call.json()["data"]["reference"].clone())).collect();
    assert_eq!(heard, [("/ours".to_owned(), json!("ours")), ("/theirs".to_owned(), json!("theirs"))]);
}

#[tokio::test]
async fn a_registration_is_read_and_deleted_by_its_owner() {
    let api = brisk().await;
    let receiver = Receiver::willing().await;
    let made = receiver.try_register(&api, "/hook", &["transfer.*", "operation.failed"]).await;
    assert_eq!(made.status, 201);
    let place = location(&made);
    let mut expected = made.json();
    assert!(octets(expected["secret"].as_str().expect("a secret")).len() >= 24);
    expected.as_object_mut().expect("an object").remove("secret");
    assert_eq!((&expected["url"], &expected["status"]), (&json!(receiver.url("/hook")), &json!("enabled")));
    assert_eq!(api.get(place).await.json(), expected, "the secret is told once");
    assert_eq!(api.get_as(tokens::RIVAL, place).await.status, 404);
    assert_eq!(api.send(api.bare(Method::DELETE, place).bearer_auth(tokens::RIVAL)).await.status, 404);
    assert_eq!(api.send(api.bare(Method::DELETE, place)).await.status, 401);
    assert_eq!(api.delete(place).await.status, 204);
    assert_eq!((api.delete(place).await.status.as_u16(), api.get(place).await.status.as_u16()), (404, 404));
    receiver.register(&api, "/other", &["transfer.*"]).await;
    paid(&api, &fresh(), "r").await;
    receiver.expect("/other", 1).await;
    assert!(receiver.calls_to("/hook").is_empty());
}

#[tokio::test]
async fn addresses_other_than_the_callers_are_refused() {
    let api = brisk().await;
    for url in ["http://127.0.0.2:9/", "http://10.0.0.1/", "http://169.254.169.254/x", "http://localhost/"] {
        let got = api.post(WEBHOOKS, &json!({ "url": url, "events": ["*"] })).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (422, "callback_not_allowed"), "{url}");
    }
    for (body, pointer) in [
        (json!({ "url": "nowhere", "events": ["*"] }), "/url"),
        (json!({ "url": "http://u:p@127.0.0.1/", "events": ["*"] }), "/url"),
        (json!({ "events": ["*"] }), "/url"),
        (json!({ "url": "http://127.0.0.1:9/", "events": [] }), "/events"),
        (json!({ "url": "http://127.0.0.1:9/", "events": ["order.*"] }), "/events"),
        (json!({ "url": "http://127.0.0.1:9/", "events": ["*"], "secret": "x" }), "/secret"),
    ] {
        assert_eq!(pointers(&api.post(WEBHOOKS, &body).await), [pointer], "{body}");
    }
}

#[tokio::test]
async fn registrations_are_bounded() {
    let api = brisk().await;
    let receiver = Receiver::willing().await;
    for index in 0..100 {
        receiver.register(&api, &format!("/{index}"), &["transfer.*"]).await;
    }
    let got = receiver.try_register(&api, "/more", &["*"]).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "too_many_webhooks"));
    assert_eq!(api.delete("/v1/webhooks/WH-00000001").await.status, 204);
    receiver.register(&api, "/more", &["*"]).await;
}

#[tokio::test]
async fn what_fails_is_sent_again_unchanged_until_it_is_taken() {
    let api = brisk().await;
    let answers = |_: &str, earlier: usize| Answer::Status([500, 302, 404, 204, 200][earlier.min(4)]);
    let receiver = Receiver::at("127.0.0.1", answers).await;
    let secret = receiver.register(&api, "/hook", &["transfer.*"]).await;
    paid(&api, &fresh(), "r").await;
    let calls = receiver.expect("/hook", 4).await;
    for call in &calls {
        assert_eq!((call.id(), &call.payload), (calls[0].id(), &calls[0].payload));
        assert_eq!(call.header("webhook-signature"), standard(call, &secret).as_deref());
    }
    let gaps: Vec<Duration> = calls.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    for (gap, wait) in gaps.iter().zip(times().redelivery) {
        // A timer may not fire early; a millisecond is what it can see.
        assert!(*gap + Duration::from_millis(2) >= wait, "{gaps:?}");
    }
    // The other end of a longer schedule: nothing has followed the one that was taken.
    let broken = Receiver::at("127.0.0.1", |_, _| Answer::Status(500)).await;
    broken.register(&api, "/broken", &["transfer.*"]).await;
    pay_as(&api, tokens::TRADER, TRANSFERS, &fresh(), &transfer("other", "1.00")).await;
    broken.expect("/broken", 5).await;
    let taken = receiver.calls().iter().filter(|call| call.id() == calls[0].id()).count();
    assert_eq!(taken, 4);
}

#[tokio::test]
async fn a_receiver_that_hangs_or_breaks_off_is_tried_again() {
    let times = Times { delivery_timeout: Duration::from_millis(100), ..times() };
    let api = Api::start(Options { times, ..Options::default() }).await;
    let receiver = Receiver::at("127.0.0.1", |_, earlier| match earlier {
        0 => Answer::Hang,
        _ => Answer::Status(200),
    })
    .await;
    receiver.register(&api, "/hook", &["transfer.*"]).await;
    // Nobody listens there at first.
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let body = json!({ "url": format!("http://127.0.0.1:{port}/"), "events": ["transfer.*"] });
    assert_eq!(api.post(WEBHOOKS, &body).await.status, 201);
    paid(&api, &fresh(), "r").await;
    let calls = receiver.expect("/hook", 2).await;
    assert_eq!(calls[0].id(), calls[1].id());
    assert!(calls[1].at - calls[0].at >= Duration::from_millis(150), "the time-out and the wait");
}

#[tokio::test]
async fn a_receiver_that_is_gone_hears_nothing_more() {
    let api = brisk().await;
    let receiver = Receiver::at("127.0.0.1", |_, _| Answer::Status(410)).await;
    let made = receiver.try_register(&api, "/hook", &["transfer.*"]).await;
    paid(&api, &fresh(), "first").await;
    receiver.expect("/hook", 1).await;
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while api.get(location(&made)).await.json()["status"] != "disabled" {
        assert!(tokio::time::Instant::now() < until);
    }
    let other = Receiver::willing().await;
    other.register(&api, "/hook", &["transfer.*"]).await;
    paid(&api, &fresh(), "second").await;
    other.expect("/hook", 1).await;
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn stopping_gives_up_what_is_on_its_way() {
    let times = Times { redelivery: [Duration::from_mins(1); 4], ..times() };
    let api = Api::start(Options { times, ..Options::default() }).await;
    let receiver = Receiver::at("127.0.0.1", |path, _| match path {
        "/hangs" => Answer::Hang,
        _ => Answer::Status(500),
    })
    .await;
    receiver.register(&api, "/hangs", &["transfer.*"]).await;
    receiver.register(&api, "/fails", &["transfer.*"]).await;
    paid(&api, &fresh(), "r").await;
    receiver.expect("/hangs", 1).await;
    receiver.expect("/fails", 1).await;
    let began = std::time::Instant::now();
    api.running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
