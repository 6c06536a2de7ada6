//! What each defect of errors looks like to a client.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    client::{Api, Got, ORDERS, POSITIONS},
    errors::failures,
};

/// One answer to each way to fail.
pub(super) async fn answers(api: &Api) -> Vec<Got> {
    failures(api).await.into_iter().map(|(_, _, got)| got).collect()
}

/// Whether the API behaves as this defect says.
pub(super) async fn shows(name: &str, api: &Api, all: &[Got]) -> bool {
    let bodies: Vec<Value> = all.iter().map(|got| serde_json::from_str(&got.text).unwrap_or_default()).collect();
    let every = |holds: &dyn Fn(&Got, &Value) -> bool| all.iter().zip(&bodies).all(|(got, body)| holds(got, body));
    let missing = || all.iter().filter(|got| got.status == 404);
    match name.strip_prefix("errors.").expect("a defect of errors") {
        "html-not-found" => missing().all(|got| got.header("content-type") == Some("text/html; charset=utf-8")),
        "empty-body" => missing().all(|got| got.text.is_empty()),
        "second-shape" => {
            let shape = |body: &Value| body.as_object().is_some_and(|members| members.contains_key("type"));
            let (ours, theirs): (Vec<_>, Vec<_>) = bodies.iter().partition(|body| shape(body));
            !ours.is_empty() && !theirs.is_empty() && theirs.iter().all(|body| body["fault"]["text"].is_string())
        }
        "no-code" => every(&|_, body| body.get("code").is_none() && body["type"] == "about:blank"),
        "code-is-status" => every(&|got, body| body["code"] == got.status.as_str() && body["type"] == "about:blank"),
        "no-message" => every(&|_, body| body.get("detail").is_none() && body.get("title").is_none()),
        "unexpanded-template" => every(&|_, body| body["detail"].as_str().is_some_and(|text| text.contains("{0}"))),
        "no-correlation-id" => {
            every(&|got, body| got.header("x-correlation-id").is_none() && body.get("correlationId").is_none())
        }
        "reused-correlation-id" => reuses_correlation_id(api, &bodies).await,
        "body-header-id-differ" => every(&|got, body| {
            body["correlationId"].as_str().is_some_and(|id| got.header("x-correlation-id").is_some_and(|own| own != id))
        }),
        "catch-all-code" => distinct(&bodies, "code") == 1,
        "random-code" => {
            let faults = [same_fault(api).await, same_fault(api).await];
            faults[0]["code"] != faults[1]["code"]
        }
        "status-mismatch" => every(&|got, body| body["status"] != got.status.as_u16()),
        "title-varies" => {
            let mut titles = BTreeMap::<String, BTreeSet<String>>::new();
            // The title of about:blank is that of the status (RFC 9457 §4.2.1).
            for body in bodies.iter().filter(|body| body["type"] != "about:blank") {
                titles.entry(body["type"].to_string()).or_default().insert(body["title"].to_string());
            }
            titles.values().any(|titles| titles.len() > 1)
        }
        "stack-trace" => same_fault(api).await["trace"].as_str().is_some_and(|text| text.contains("\n\tat com.")),
        "sql-fragment" => same_fault(api).await["cause"].as_str().is_some_and(|text| text.contains("SELECT ")),
        "internal-address" => same_fault(api).await["upstream"].as_str().is_some_and(|text| text.contains("//10.")),
        "echoes-credential" => api.get_as("canary-7c1f", POSITIONS).await.text.contains("canary-7c1f"),
        "reflects-markup" => {
            let got = api.get(&format!("{POSITIONS}?symbol=%3Cfincheck%3E")).await;
            got.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
                && got.text.contains("<fincheck>")
        }
        "echoes-card-number" => echoes_card_number(api).await,
        "no-pointer" => {
            let got = api.post(ORDERS, &json!({ "symbol": "x", "side": "y", "quantity": "z" })).await;
            got.status == 422 && got.json().get("errors").is_none()
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

fn distinct(bodies: &[Value], member: &str) -> usize {
    bodies.iter().filter_map(|body| body[member].as_str()).collect::<BTreeSet<_>>().len()
}

async fn same_fault(api: &Api) -> Value {
    let got = api.write(Method::POST, POSITIONS, "{".to_owned()).await;
    serde_json::from_str(&got.text).unwrap_or_default()
}

async fn reuses_correlation_id(api: &Api, bodies: &[Value]) -> bool {
    let own = api.send(api.request(Method::GET, "/v1/none").header("x-correlation-id", "mine")).await;
    let given = own.header("x-correlation-id").map(str::to_owned);
    distinct(bodies, "correlationId") == 1 && given.as_deref() == bodies[0]["correlationId"].as_str()
}

async fn echoes_card_number(api: &Api) -> bool {
    let card = "4111111111111111";
    let answers = [
        api.post(POSITIONS, &json!({ "symbol": card, "quantity": "1" })).await,
        api.get(&format!("{POSITIONS}?symbol={card}")).await,
        api.get(&format!("{POSITIONS}/{card}")).await,
    ];
    answers.iter().all(|got| got.status.is_client_error() && got.text.contains(card))
}
