//! Clean errors: one shape, stable codes, nothing given away.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::tokens,
    client::{Api, Got, LEDGER, ORDERS, POSITIONS},
    operations::BATCHES,
    transfers::TRANSFERS,
    webhooks::WEBHOOKS,
};

const NOT_ALLOWED: &str = r#"{"url":"http://10.0.0.1/","events":["*"]}"#;

/// One request for each way to fail, with the expected status and code.
pub(super) async fn failures(api: &Api) -> Vec<(u16, &'static str, Got)> {
    let json_body = |request: reqwest::RequestBuilder, body: &str| {
        request.header("content-type", "application/json").body(body.to_owned())
    };
    let trader = |method: Method, target: &str| api.request(method, target);
    let reader = api.bare(Method::POST, POSITIONS).bearer_auth(tokens::READER);
    let pay = |key: Option<&str>| {
        let request = json_body(trader(Method::POST, TRANSFERS), "{}");
        if let Some(key) = key { request.header("idempotency-key", key) } else { request }
    };
    let requests = [
        (404, "route_not_found", trader(Method::GET, "/v1/nothing")),
        (404, "route_not_found", api.bare(Method::GET, "/")),
        (404, "account_not_found", trader(Method::GET, "/v1/accounts/ACC-901/orders")),
        (404, "resource_not_found", trader(Method::GET, &format!("{POSITIONS}/POS-99999999"))),
        (404, "resource_not_found", trader(Method::DELETE, &format!("{POSITIONS}/none"))),
        (405, "method_not_allowed", trader(Method::DELETE, LEDGER)),
        (405, "method_not_allowed", trader(Method::from_bytes(b"FINCHECK").expect("a method"), POSITIONS)),
        (401, "unauthenticated", api.bare(Method::GET, POSITIONS)),
        (401, "invalid_token", api.bare(Method::GET, POSITIONS).bearer_auth("guess")),
        (401, "invalid_token", api.bare(Method::GET, POSITIONS).basic_auth("a", Some("b"))),
        (403, "insufficient_scope", json_body(reader, "{}")),
        (406, "not_acceptable", trader(Method::GET, POSITIONS).header("accept", "text/html, application/json;q=0")),
        (415, "unsupported_media_type", trader(Method::POST, POSITIONS).header("content-type", "text/xml").body("{}")),
        (415, "unsupported_media_type", trader(Method::POST, POSITIONS).body("{}")),
        (413, "body_too_large", json_body(trader(Method::POST, POSITIONS), &" ".repeat(9_000_000))),
        (400, "invalid_json", json_body(trader(Method::POST, POSITIONS), "{\"symbol\":")),
        (400, "invalid_json", json_body(trader(Method::POST, POSITIONS), "")),
        (400, "invalid_json", json_body(trader(Method::POST, POSITIONS), "{\"a\":1,\"a\":2}")),
        (400, "invalid_json", json_body(trader(Method::POST, POSITIONS), &"[".repeat(200))),
        (400, "idempotency_key_required", pay(None)),
        (400, "idempotency_key_invalid", pay(Some("two words"))),
        (422, "validation_failed", pay(Some("one"))),
        (404, "resource_not_found", trader(Method::GET, "/v1/operations/OP-00000001")),
        (404, "resource_not_found", trader(Method::GET, "/v1/webhooks/WH-00000001")),
        (422, "validation_failed", json_body(trader(Method::POST, BATCHES), "{}")),
        (422, "callback_not_allowed", json_body(trader(Method::POST, WEBHOOKS), NOT_ALLOWED)),
        (422, "validation_failed", json_body(trader(Method::POST, POSITIONS), "[]")),
        (422, "validation_failed", json_body(trader(Method::POST, ORDERS), "{}")),
        (400, "unknown_parameter", trader(Method::GET, "/v1/accounts/ACC-001?x=1")),
        (400, "invalid_cursor", trader(Method::GET, &format!("{ORDERS}?cursor=x"))),
    ];
    let mut got = Vec::new();
    for (status, code, request) in requests {
        got.push((status, code, api.send(request).await));
    }
    got
}

#[tokio::test]
async fn every_error_is_problem_details() {
    let api = Api::clean().await;
    let mut ids = BTreeSet::new();
    let mut titles = BTreeMap::new();
    for (status, code, got) in failures(&api).await {
        let body = got.json();
        assert_eq!((got.status.as_u16(), &body["code"]), (status, &json!(code)), "{}", got.text);
        assert_eq!(got.header("content-type"), Some("application/problem+json"));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:problem:{}", code.replace('_', "-")));
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > code.len()), "{}", got.text);
        let title = body["title"].as_str().expect("a title").to_owned();
        assert_eq!(titles.entry(code).or_insert_with(|| title.clone()), &title);
        let id = body["correlationId"].as_str().expect("an id").to_owned();
        assert_eq!(got.header("x-correlation-id"), Some(id.as_str()));
        assert_eq!(body["instance"], format!("urn:correlation:{id}"));
        assert!(ids.insert(id), "every id is new");
        assert_eq!(got.header("www-authenticate").is_some(), [401, 403].contains(&status));
        assert_eq!(got.header("allow").is_some(), status == 405);
    }
}

#[tokio::test]
async fn a_sane_correlation_id_is_echoed_and_any_other_replaced() {
    let api = Api::clean().await;
    let long = "x".repeat(65);
    for (target, sent, echoed) in [
        (POSITIONS, "order-17/a", true),
        ("/v1/health", "a", true),
        ("/v1/nothing", "<\"id\">", true),
        (POSITIONS, "two words", false),
        (POSITIONS, long.as_str(), false),
        (POSITIONS, "", false),
    ] {
        let got = api.send(api.request(Method::GET, target).header("x-correlation-id", sent)).await;
        let id = got.header("x-correlation-id").expect("an id").to_owned();
        assert_eq!(id == sent, echoed, "{sent}");
        if !got.status.is_success() {
            assert_eq!(got.json()["correlationId"], id);
        }
    }
    let twice = api.request(Method::GET, POSITIONS).header("x-correlation-id", "a").header("x-correlation-id", "b");
    assert!(!["a", "b"].contains(&api.send(twice).await.header("x-correlation-id").expect("an id")));
}

#[tokio::test]
async fn every_wrong_field_is_pointed_at() {
    let api = Api::clean().await;
    let body = json!({
        "symbol": "aapl", "quantity": 1.5, "market_value": { "amount": "1.005", "currency": "USD", "x/y": 1 },
        "as_of": "2026-01-01", "note": "", "colour": "red",
    });
    let pointers = pointers(&api.post(POSITIONS, &body).await);
    let expected = ["/as_of", "/colour", "/market_value/amount", "/market_value/x~1y", "/note", "/quantity", "/symbol"];
    assert_eq!(pointers, expected);
    let order = json!({ "symbol": "XOM", "side": "long", "type": "limit", "quantity": "-1", "time_in_force": "ever" });
    let expected = ["/limit_price", "/quantity", "/side", "/time_in_force"];
    assert_eq!(super::errors::pointers(&api.post(ORDERS, &order).await), expected);
    let finer = json!({ "symbol": "XOM", "quantity": "1", "as_of": "2026-01-01T00:00:00.1234Z" });
    assert_eq!(super::errors::pointers(&api.post(POSITIONS, &finer).await), ["/as_of"]);
}

pub(super) fn pointers(got: &Got) -> Vec<String> {
    assert_eq!(got.status, 422, "{}", got.text);
    let body = got.json();
    let errors = body["errors"].as_array().into_iter().flatten();
    let mut pointers: Vec<String> = errors.filter_map(|error| error["pointer"].as_str().map(str::to_owned)).collect();
    pointers.sort();
    pointers
}

#[tokio::test]
async fn nothing_that_was_sent_is_repeated() {
    let api = Api::clean().await;
    let canary = "4111111111111111";
    let bodies = [json!({ "symbol": canary, "quantity": canary.repeat(3), canary: 1, "note": 5 }), Value::from(canary)];
    let mut answers = Vec::new();
    for body in &bodies[1..] {
        answers.push(api.post(POSITIONS, body).await);
    }
    let mut bad = bodies[0].clone();
    bad.as_object_mut().expect("an object").remove(canary);
    answers.push(api.post(POSITIONS, &bad).await);
    answers.push(api.write(Method::POST, POSITIONS, format!("{{\"card\": {canary}")).await);
    for query in ["limit", "cursor", "sort", "symbol", "fincheck"] {
        answers.push(api.get(&format!("{POSITIONS}?{query}=%3Cfincheck%3E{canary}")).await);
    }
    answers.push(api.get(&format!("{POSITIONS}/{canary}")).await);
    answers.push(api.get(&format!("/v1/{canary}")).await);
    answers.push(api.get_as(canary, POSITIONS).await);
    for got in answers {
        assert!(got.status.is_client_error());
        assert!(!got.text.contains(canary) && !got.text.contains("<fincheck>"), "{}", got.text);
    }
}
