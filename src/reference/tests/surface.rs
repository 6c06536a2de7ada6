//! What each resource does when used as intended.

use reqwest::Method;
use serde_json::json;

use super::{
    super::tokens,
    client::{Api, LEDGER, ORDERS, POSITIONS},
};

#[tokio::test]
async fn a_position_is_created_read_changed_and_deleted() {
    let api = Api::clean().await;
    let body = json!({
        "symbol": "MSFT", "quantity": "1.50", "market_value": { "amount": "620.5", "currency": "EUR" },
        "as_of": "2026-03-01T10:30:00+01:00", "note": "long term",
    });
    let made = api.post(POSITIONS, &body).await;
    assert_eq!(made.status, 201);
    let location = made.header("location").expect("a location").to_owned();
    let row = api.get(&location).await.json();
    assert_eq!(row, made.json());
    assert_eq!(row["market_value"], json!({ "amount": "620.50", "currency": "EUR" }));
    assert_eq!(row["as_of"], "2026-03-01T09:30:00.000Z");

    let patch = json!({ "quantity": "2", "note": null }).to_string();
    let patched = api.request(Method::PATCH, &location).header("content-type", "application/merge-patch+json");
    let patched = api.send(patched.body(patch)).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let mut expected = row.clone();
    expected["quantity"] = json!("2");
    expected.as_object_mut().expect("an object").remove("note");
    assert_eq!(api.get(&location).await.json(), expected);

    let gone = api.delete(&location).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str(), gone.header("content-length")), (204, "", None));
    assert_eq!(api.delete(&location).await.status, 404);
    assert_eq!(api.get(&location).await.code(), "resource_not_found");
}

#[tokio::test]
async fn moving_a_position_keeps_the_list_in_order() {
    let api = Api::clean().await;
    let oldest = api.get(&format!("{POSITIONS}?sort=oldest&limit=1")).await.ids().remove(0);
    let body = json!({ "as_of": "2030-01-01T00:00:00Z" }).to_string();
    assert_eq!(api.write(Method::PATCH, &format!("{POSITIONS}/{oldest}"), body).await.status, 200);
    assert_eq!(api.get(&format!("{POSITIONS}?limit=1")).await.ids(), [oldest]);
}

#[tokio::test]
async fn the_ledger_takes_one_row_or_all_of_many_or_none() {
    let api = Api::clean().await;
    let row = json!({ "type": "buy", "amount": { "amount": "-1200", "currency": "JPY" }, "description": "shares" });
    let made = api.post(LEDGER, &row).await;
    assert_eq!(made.status, 201);
    assert_eq!(api.get(made.header("location").expect("a location")).await.json(), made.json());
    assert_eq!(made.json()["amount"], row["amount"]);
    let total = api.get(LEDGER).await.json()["page"]["total"].clone();
    let bad = json!({ "data": [row, { "type": "buy", "amount": { "amount": "0.5", "currency": "JPY" } }] });
    let refused = api.post(LEDGER, &bad).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "validation_failed"));
    assert_eq!(refused.json()["errors"][0]["pointer"], "/data/1/amount/amount");
    assert_eq!(api.get(LEDGER).await.json()["page"]["total"], total);
    let location = made.header("location").expect("a location");
    let delete = api.delete(location).await;
    assert_eq!((delete.status.as_u16(), delete.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
}

#[tokio::test]
async fn an_open_order_can_be_cancelled_and_a_filled_one_cannot() {
    let api = Api::clean().await;
    let body = json!({
        "symbol": "XOM", "side": "sell", "type": "limit", "quantity": "3", "time_in_force": "gtc",
        "limit_price": { "amount": "110.00", "currency": "USD" }, "client_reference": "r-1",
    });
    let made = api.post(ORDERS, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["status"], "open");
    let location = made.header("location").expect("a location");
    assert_eq!(api.delete(location).await.status, 204);
    assert!(!api.ids(ORDERS).await.contains(&made.json()["id"].as_str().expect("an id").to_owned()));
    let filled = api.get(&format!("{ORDERS}?status=filled&limit=1")).await.ids().remove(0);
    assert_eq!(api.delete(&format!("{ORDERS}/{filled}")).await.code(), "order_not_cancellable");
    assert_eq!(api.get(&format!("{ORDERS}/{filled}")).await.status, 200);
}

#[tokio::test]
async fn tenants_see_only_their_own() {
    let api = Api::clean().await;
    let accounts = api.get("/v1/accounts").await;
    assert_eq!(accounts.ids(), ["ACC-003", "ACC-002", "ACC-001"]);
    assert_eq!(api.get_as(tokens::RIVAL, "/v1/accounts").await.ids(), ["ACC-901"]);
    let position = api.get(POSITIONS).await.ids().remove(0);
    for target in [POSITIONS.to_owned(), format!("{POSITIONS}/{position}"), "/v1/accounts/ACC-001".to_owned()] {
        let hidden = api.get_as(tokens::RIVAL, &target).await;
        let absent = api.get_as(tokens::RIVAL, &target.replace("ACC-001", "ACC-404")).await;
        assert_eq!((hidden.status.as_u16(), hidden.code()), (404, absent.code()), "{target}");
    }
    let crossed = api.get_as(tokens::RIVAL, &format!("/v1/accounts/ACC-901/positions/{position}")).await;
    assert_eq!(crossed.status, 404);
}

#[tokio::test]
async fn head_and_options_say_what_get_would() {
    let api = Api::clean().await;
    let got = api.get(POSITIONS).await;
    let head = api.send(api.request(Method::HEAD, POSITIONS)).await;
    assert_eq!((head.status, head.text.as_str()), (got.status, ""));
    for name in ["content-type", "content-length", "link"] {
        assert!(head.header(name).is_some(), "{name}");
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    let options = api.send(api.bare(Method::OPTIONS, POSITIONS)).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, Some("GET, HEAD, POST, OPTIONS")));
    assert_eq!(api.send(api.bare(Method::GET, "/v1/health")).await.json(), json!({ "status": "up" }));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_rows() {
    let (one, two) = (Api::clean().await, Api::clean().await);
    assert_eq!(one.rows(POSITIONS).await, two.rows(POSITIONS).await);
    assert_eq!(one.get(LEDGER).await.rows(), two.get(LEDGER).await.rows());
}
