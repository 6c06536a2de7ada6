//! Batches of orders and the operations that place them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{Options, Times, tokens},
    client::{Api, Got},
    errors::pointers,
    transfers::fresh,
};

pub(super) const BATCHES: &str = "/v1/accounts/ACC-001/order-batches";

/// How long an operation that must end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two orders; the second cannot be placed if the batch is to fail.
pub(super) fn batch(reference: &str, fails: bool) -> Value {
    let symbol = if fails { "FAIL" } else { "XOM" };
    json!({
        "reference": reference,
        "orders": [
            { "symbol": "MSFT", "side": "buy", "type": "market", "quantity": "1.50" },
            {
                "symbol": symbol, "side": "sell", "type": "limit", "quantity": "2",
                "limit_price": { "amount": "110.00", "currency": "USD" }, "client_reference": "r-1",
            },
        ],
    })
}

/// Starts a batch that must be accepted.
pub(super) async fn started(api: &Api, reference: &str, fails: bool) -> Got {
    let got = api.post(BATCHES, &batch(reference, fails)).await;
    assert!(got.status.is_success(), "{}", got.text);
    got
}

pub(super) async fn preferring(api: &Api, preference: &str, reference: &str, fails: bool) -> Got {
    let request = api.request(Method::POST, BATCHES).header("content-type", "application/json");
    api.send(request.header("prefer", preference).body(batch(reference, fails).to_string())).await
}

pub(super) fn location(got: &Got) -> &str {
    got.header("location").expect("a location")
}

/// The last state of an operation that must end.
pub(super) async fn ended(api: &Api, monitor: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let operation = api.get(monitor).await.json();
        if ["succeeded", "failed", "cancelled"].iter().any(|name| operation["status"] == *name) {
            return operation;
        }
        assert!(Instant::now() < until, "{operation}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn with_step(step: Duration) -> Api {
    Api::start(Options { times: Times { operation_step: step, ..Times::default() }, ..Options::default() }).await
}

#[tokio::test]
async fn a_batch_is_accepted_and_placed_after_the_answer() {
    let api = Api::clean().await;
    let reference = fresh();
    let got = started(&api, &reference, false).await;
    assert_eq!((got.status.as_u16(), got.header("retry-after")), (202, None));
    let monitor = location(&got);
    let id = monitor.strip_prefix("/v1/operations/").expect("an operation").to_owned();
    assert_eq!(got.json(), json!({ "id": id, "status": "queued", "poll_after_ms": 60 }));
    let mut readings: Vec<Value> = Vec::new();
    while readings.last().is_none_or(|last| last["status"] != "succeeded") {
        let got = api.get(monitor).await;
        assert_eq!((got.status.as_u16(), got.header("retry-after")), (200, None));
        readings.push(got.json());
        assert!(readings.len() < 10_000);
    }
    let rank = |reading: &Value| ["queued", "running", "succeeded"].iter().position(|name| reading["status"] == *name);
    assert!(readings.iter().is_sorted_by_key(rank) && readings.iter().all(|reading| rank(reading).is_some()));
    for member in ["percent", "sequence"] {
        assert!(readings.iter().is_sorted_by_key(|reading| reading[member].as_u64()), "{member}");
    }
    assert!(readings.iter().is_sorted_by_key(|reading| reading["updated_at"].to_string()));
    let last = ended(&api, monitor).await;
    assert_eq!((&last["id"], &last["percent"], last.get("error")), (&json!(id), &json!(100), None));
    let made = api.get(last["result"]["href"].as_str().expect("a result")).await.json();
    assert_eq!(made["id"], last["result"]["batch_id"]);
    assert_eq!((&made["reference"], &made["operation_id"], &made["count"]), (&json!(reference), &json!(id), &json!(2)));
    let mut asked = batch(&reference, false)["orders"].clone();
    asked[0]["time_in_force"] = json!("day");
    asked[1]["time_in_force"] = json!("day");
    assert_eq!(made["orders"], asked);
    assert_eq!(api.rows(&format!("{BATCHES}?reference={reference}")).await, [made]);
    assert_eq!(ended(&api, monitor).await, last, "the end stands");
}

#[tokio::test]
async fn a_batch_that_cannot_be_placed_fails_and_leaves_nothing() {
    let api = Api::clean().await;
    let reference = fresh();
    let got = started(&api, &reference, true).await;
    assert_eq!(got.status, 202);
    let last = ended(&api, location(&got)).await;
    assert_eq!((&last["status"], &last["error"]["code"]), (&json!("failed"), &json!("order_rejected")));
    assert!(last.get("result").is_none() && last["error"]["message"].is_string());
    assert!(api.rows(&format!("{BATCHES}?reference={reference}")).await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_said_at_once() {
    let api = Api::clean().await;
    let bad = json!({ "orders": [{ "symbol": "FAIL", "side": "up", "type": "market", "quantity": "0" }, 5], "x": 1 });
    let expected = ["/orders/0/quantity", "/orders/0/side", "/orders/1", "/reference", "/x"];
    assert_eq!(pointers(&api.post(BATCHES, &bad).await), expected);
    let order = batch("r", false)["orders"][0].clone();
    for orders in [json!([]), json!({}), json!(vec![order; 101])] {
        assert_eq!(pointers(&api.post(BATCHES, &json!({ "reference": "r", "orders": orders })).await), ["/orders"]);
    }
    let elsewhere = api.post("/v1/accounts/ACC-901/order-batches", &batch("r", false)).await;
    assert_eq!(elsewhere.code(), "account_not_found");
    let reader = api.bare(Method::POST, BATCHES).bearer_auth(tokens::READER).header("content-type", "application/json");
    assert_eq!(api.send(reader.body(batch("r", false).to_string())).await.code(), "insufficient_scope");
    assert_eq!(api.get("/v1/operations/OP-00000001").await.status, 404, "nothing was started");
}

#[tokio::test]
async fn an_operation_is_its_tenants_alone() {
    let api = Api::clean().await;
    let got = started(&api, "r", false).await;
    let monitor = location(&got);
    assert_eq!(api.get_as(tokens::READER, monitor).await.status, 200);
    let hidden = api.get_as(tokens::RIVAL, monitor).await;
    let absent = api.get_as(tokens::RIVAL, "/v1/operations/OP-99999999").await;
    assert_eq!((hidden.status.as_u16(), hidden.code()), (404, absent.code()));
    assert_eq!(api.send(api.bare(Method::GET, monitor)).await.status, 401);
    assert_eq!(api.get_as("guess", monitor).await.status, 401);
    let cancel = format!("{monitor}/cancel");
    let rival = api.bare(Method::POST, &cancel).bearer_auth(tokens::RIVAL);
    assert_eq!(api.send(rival).await.status, 404);
    assert_eq!(api.send(api.bare(Method::POST, &cancel).bearer_auth(tokens::READER)).await.status, 403);
    let last = ended(&api, monitor).await;
    assert_eq!(last["status"], "succeeded");
    let result = last["result"]["href"].as_str().expect("a result");
    assert_eq!(api.get_as(tokens::RIVAL, result).await.status, 404);
}

#[tokio::test]
async fn an_operation_is_cancelled_until_it_has_ended() {
    let api = with_step(Duration::from_millis(100)).await;
    let reference = fresh();
    let got = started(&api, &reference, false).await;
    let cancel = format!("{}/cancel", location(&got));
    let cancelled = api.send(api.request(Method::POST, &cancel)).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["status"]), (200, &json!("cancelled")));
    let again = api.post(&cancel, &json!({})).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (409, "operation_not_cancellable"));
    assert_eq!(api.post(&cancel, &json!({ "reason": 1 })).await.code(), "validation_failed");
    let text = api.request(Method::POST, &cancel).header("content-type", "text/plain").body("now");
    assert_eq!(api.send(text).await.status, 415);
    assert_eq!(api.get(&cancel).await.header("allow"), Some("POST, OPTIONS"));
    // A later operation has ended, so the cancelled one would have, too.
    let other = started(&api, "other", false).await;
    ended(&api, location(&other)).await;
    assert_eq!(api.get(location(&got)).await.json(), cancelled.json());
    assert!(api.rows(&format!("{BATCHES}?reference={reference}")).await.is_empty());
    let late = api.send(api.request(Method::POST, &format!("{}/cancel", location(&other)))).await;
    assert_eq!(late.code(), "operation_not_cancellable");
}

#[tokio::test]
async fn preferences_are_honoured_as_far_as_they_are_said_to_be() {
    let api = Api::clean().await;
    let applied = |got: &Got| got.header("preference-applied").map(str::to_owned);
    let told = |text: &str| Some(text.to_owned());
    let got = preferring(&api, "respond-async", "r", false).await;
    assert_eq!((got.status.as_u16(), applied(&got)), (202, told("respond-async")));
    assert_eq!(ended(&api, location(&got)).await["status"], "succeeded");
    let got = preferring(&api, "wait=10, x-unknown", "r", false).await;
    assert_eq!((got.status.as_u16(), applied(&got)), (201, told("wait=10")), "{}", got.text);
    assert_eq!(api.get(location(&got)).await.json(), got.json());
    let got = preferring(&api, "wait=10", "r", true).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (422, "order_rejected"));
    let got = preferring(&api, "respond-async, wait=0", "r", false).await;
    assert_eq!((got.status.as_u16(), applied(&got)), (202, told("respond-async, wait=0")));
    for ignored in ["x-unknown", "wait=soon", "return=minimal", "="] {
        let got = preferring(&api, ignored, "r", false).await;
        assert_eq!((got.status.as_u16(), applied(&got)), (202, None), "{ignored}");
    }
}

#[tokio::test]
async fn slow_operations_say_when_to_ask_again_in_whole_seconds() {
    let api = with_step(Duration::from_millis(1_500)).await;
    let got = started(&api, "r", false).await;
    assert_eq!((got.header("retry-after"), &got.json()["poll_after_ms"]), (Some("2"), &json!(1_500)));
    let monitor = location(&got);
    assert_eq!(api.get(monitor).await.header("retry-after"), Some("2"));
    let cancelled = api.send(api.request(Method::POST, &format!("{monitor}/cancel"))).await;
    assert_eq!((cancelled.status.as_u16(), cancelled.header("retry-after")), (200, None));
}

#[tokio::test]
async fn stopping_does_not_wait_for_operations_nor_for_those_who_wait() {
    let api = with_step(Duration::from_mins(1)).await;
    started(&api, "r", false).await;
    let waiting = api.request(Method::POST, BATCHES).header("content-type", "application/json");
    let waiting = tokio::spawn(waiting.header("prefer", "wait=9").body(batch("r", false).to_string()).send());
    let until = Instant::now() + PATIENCE;
    while api.get("/v1/operations/OP-00000002").await.status != 200 {
        assert!(Instant::now() < until);
    }
    let began = Instant::now();
    api.running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(waiting.await.expect("no panic").expect("an answer").status(), 202);
}
