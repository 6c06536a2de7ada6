//! Transfers, withdrawals and balances: money moves once, exactly, and under a key.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use uuid::Uuid;

use super::{
    super::{Options, Times, tokens},
    client::{Api, Got, LEDGER},
    errors::pointers,
    receiver::Receiver,
};

pub(super) const TRANSFERS: &str = "/v1/accounts/ACC-001/transfers";
pub(super) const WITHDRAWALS: &str = "/v1/accounts/ACC-001/withdrawals";

/// Text that nothing else has: a key or a reference.
pub(super) fn fresh() -> String {
    Uuid::new_v4().simple().to_string()
}

pub(super) fn transfer(reference: &str, amount: &str) -> Value {
    json!({ "amount": { "amount": amount, "currency": "USD" }, "to": "ACC-002", "reference": reference })
}

pub(super) fn withdrawal(reference: &str) -> Value {
    json!({ "amount": { "amount": "10.00", "currency": "USD" }, "reference": reference })
}

/// A payment under a key.
pub(super) async fn pay_as(api: &Api, token: &str, target: &str, key: &str, body: &Value) -> Got {
    let request = api.bare(Method::POST, target).bearer_auth(token).header("content-type", "application/json");
    api.send(request.header("idempotency-key", key).body(body.to_string())).await
}

/// A transfer of the trader.
pub(super) async fn pay(api: &Api, key: &str, body: &Value) -> Got {
    pay_as(api, tokens::TRADER, TRANSFERS, key, body).await
}

/// A payment that must be made.
pub(super) async fn paid(api: &Api, key: &str, reference: &str) -> Got {
    let got = pay(api, key, &transfer(reference, "10.00")).await;
    assert_eq!((got.status.as_u16(), replayed(&got)), (201, false), "{}", got.text);
    got
}

pub(super) fn replayed(got: &Got) -> bool {
    got.header("idempotent-replayed") == Some("true")
}

/// How many rows of a list have this reference.
pub(super) async fn count(api: &Api, list: &str, reference: &str) -> usize {
    api.rows(&format!("{list}?reference={reference}")).await.len()
}

/// Sends a transfer and loses the connection at once.
pub(super) async fn pay_and_vanish(api: &Api, key: &str, body: &Value) {
    let body = body.to_string();
    let head = format!(
        "POST {TRANSFERS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        tokens::TRADER,
        body.len()
    );
    let mut stream = TcpStream::connect(api.running.addr()).await.expect("a connection");
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
}

/// Waits until a payment shows in the list.
pub(super) async fn appears(api: &Api, reference: &str) -> bool {
    for _ in 0..200 {
        if count(api, TRANSFERS, reference).await > 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

async fn balance(api: &Api, token: &str, account: &str) -> Decimal {
    let got = api.get_as(token, &format!("/v1/accounts/{account}/balance")).await;
    assert_eq!(got.json()["balance"]["currency"], "USD", "{}", got.text);
    got.json()["balance"]["amount"].as_str().and_then(|text| text.parse().ok()).expect("a balance")
}

async fn balances(api: &Api) -> [Decimal; 2] {
    [balance(api, tokens::TRADER, "ACC-001").await, balance(api, tokens::TRADER, "ACC-002").await]
}

#[tokio::test]
async fn a_transfer_moves_money_and_is_posted_once_on_each_side() {
    let api = Api::clean().await;
    let [paying, paid_to] = balances(&api).await;
    assert!(paying > Decimal::ZERO && paying.scale() == 2);
    let receiver = Receiver::willing().await;
    receiver.register(&api, "/hook", &["transfer.*"]).await;
    let reference = fresh();
    let mut body = transfer(&reference, "10.1");
    body["memo"] = json!("rent");
    let made = pay(&api, &fresh(), &body).await;
    assert_eq!((made.status.as_u16(), made.header("idempotent-replayed")), (201, None), "{}", made.text);
    let row = made.json();
    assert_eq!(row["amount"], json!({ "amount": "10.10", "currency": "USD" }));
    assert_eq!(
        (&row["status"], &row["to"], &row["reference"], &row["memo"]),
        (&json!("booked"), &json!("ACC-002"), &json!(reference), &json!("rent"))
    );
    assert!(row["id"].as_str().is_some_and(|id| id.starts_with("TRF-")));
    assert_eq!(api.get(made.header("location").expect("a location")).await.json(), row);
    assert_eq!(api.rows(&format!("{TRANSFERS}?reference={reference}")).await, std::slice::from_ref(&row));
    assert_eq!(api.rows(TRANSFERS).await, std::slice::from_ref(&row));
    assert_eq!(count(&api, TRANSFERS, "other").await, 0);
    for (ledger, amount) in [(LEDGER, "-10.10"), ("/v1/accounts/ACC-002/transactions", "10.10")] {
        let postings = api.rows(&format!("{ledger}?reference={reference}")).await;
        assert_eq!(postings.len(), 1, "{ledger}");
        assert_eq!((&postings[0]["amount"]["amount"], &postings[0]["reference"]), (&json!(amount), &json!(reference)));
    }
    let moved = Decimal::new(1_010, 2);
    assert_eq!(balances(&api).await, [paying - moved, paid_to + moved]);
    let event = receiver.expect("/hook", 1).await.remove(0).json();
    assert_eq!((&event["type"], &event["sequence"]), (&json!("transfer.booked"), &json!(1)));
    assert_eq!(event["data"], json!({ "transfer_id": row["id"], "status": "booked", "reference": reference }));
}

#[tokio::test]
async fn a_withdrawal_leaves_one_account_and_reaches_none() {
    let api = Api::clean().await;
    let [paying, paid_to] = balances(&api).await;
    let receiver = Receiver::willing().await;
    receiver.register(&api, "/hook", &["*"]).await;
    let reference = fresh();
    let made = pay_as(&api, tokens::TRADER, WITHDRAWALS, &fresh(), &withdrawal(&reference)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let row = made.json();
    assert!(row["id"].as_str().is_some_and(|id| id.starts_with("WDR-")) && row.get("to").is_none());
    assert_eq!(api.get(made.header("location").expect("a location")).await.json(), row);
    assert_eq!(api.rows(&format!("{WITHDRAWALS}?reference={reference}")).await, [row]);
    assert_eq!((count(&api, TRANSFERS, &reference).await, count(&api, LEDGER, &reference).await), (0, 1));
    assert_eq!(balances(&api).await, [paying - Decimal::TEN, paid_to]);
    assert_eq!(receiver.expect("/hook", 1).await[0].kind(), "withdrawal.booked");
}

#[tokio::test]
async fn the_balance_depends_on_the_seed_alone() {
    let (one, same) = (Api::clean().await, Api::clean().await);
    assert_eq!(balances(&one).await, balances(&same).await);
    let other = Api::start(Options { seed: 2, ..Options::default() }).await;
    assert_ne!(balances(&one).await, balances(&other).await);
    assert_eq!(one.get_as(tokens::RIVAL, "/v1/accounts/ACC-001/balance").await.code(), "account_not_found");
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_and_changes_nothing() {
    let api = Api::clean().await;
    let before = balances(&api).await;
    let (key, reference) = (fresh(), fresh());
    let with = |pointer: &str, value: Value| {
        let mut body = transfer(&reference, "10.00");
        *body.pointer_mut(pointer).expect("a member") = value;
        body
    };
    let mut extra = transfer(&reference, "10.00");
    extra["colour"] = json!("red");
    for (body, pointer) in [
        (with("/to", json!("ACC-404")), "/to"),
        (with("/to", json!("ACC-001")), "/to"),
        (with("/to", json!(7)), "/to"),
        (with("/amount/amount", json!("0")), "/amount"),
        (with("/amount/amount", json!("-1.00")), "/amount"),
        (with("/amount/amount", json!("0.001")), "/amount/amount"),
        (with("/amount/currency", json!("EUR")), "/amount"),
        (with("/reference", json!("r".repeat(65))), "/reference"),
        (with("/reference", json!("")), "/reference"),
        (extra, "/colour"),
    ] {
        assert_eq!(pointers(&pay(&api, &key, &body).await), [pointer], "{body}");
    }
    let aimed = pay_as(&api, tokens::TRADER, WITHDRAWALS, &key, &transfer(&reference, "10.00")).await;
    assert_eq!(pointers(&aimed), ["/to"]);
    let foreign = pay_as(&api, tokens::RIVAL, TRANSFERS, &key, &transfer(&reference, "10.00")).await;
    assert_eq!(foreign.code(), "account_not_found");
    let reader = pay_as(&api, tokens::READER, TRANSFERS, &key, &transfer(&reference, "10.00")).await;
    assert_eq!(reader.code(), "insufficient_scope");
    assert_eq!(balances(&api).await, before);
    assert_eq!(count(&api, TRANSFERS, &reference).await, 0);
    // A key whose requests were all refused is unused.
    paid(&api, &key, &reference).await;
}

#[tokio::test]
async fn a_key_is_required_and_has_a_form() {
    let api = Api::clean().await;
    let reference = fresh();
    let body = transfer(&reference, "10.00");
    let bare = api.post(TRANSFERS, &body).await;
    assert_eq!((bare.status.as_u16(), bare.code().as_str()), (400, "idempotency_key_required"));
    for key in ["", "two words", "\"open", "\"\"", "tab\tbed", &"k".repeat(65)] {
        let got = pay(&api, key, &body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "idempotency_key_invalid"), "{key}");
    }
    let twice = api.request(Method::POST, TRANSFERS).header("content-type", "application/json");
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "a").body(body.to_string());
    assert_eq!(api.send(twice).await.code(), "idempotency_key_invalid");
    assert_eq!(count(&api, TRANSFERS, &reference).await, 0);
    // Keys of full length that differ in their last character are two.
    let key = "k".repeat(63);
    paid(&api, &format!("{key}1"), &reference).await;
    paid(&api, &format!("{key}2"), &reference).await;
    assert_eq!(count(&api, TRANSFERS, &reference).await, 2);
}

#[tokio::test]
async fn a_repetition_is_answered_as_the_first_request_was() {
    let api = Api::clean().await;
    let receiver = Receiver::willing().await;
    receiver.register(&api, "/hook", &["transfer.booked"]).await;
    let (key, reference) = (fresh(), fresh());
    let first = paid(&api, &key, &reference).await;
    let after = balances(&api).await;
    let body = transfer(&reference, "10.00");
    // The same key quoted, and the same body with its members in another order and the amount in other words.
    let turned = format!(
        "{{\"reference\":\"{reference}\",\"to\":\"ACC-002\",\"amount\":{{\"currency\":\"USD\",\"amount\":\"10\"}}}}"
    );
    let turned: Value = serde_json::from_str(&turned).expect("JSON");
    for again in [pay(&api, &key, &body).await, pay(&api, &format!("\"{key}\""), &turned).await] {
        assert_eq!((again.status.as_u16(), replayed(&again), &again.text), (201, true, &first.text));
        assert_eq!(again.header("location"), first.header("location"));
        assert_ne!(again.header("x-correlation-id"), first.header("x-correlation-id"));
    }
    let other = pay(&api, &key, &transfer(&reference, "11.00")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency_key_reused"));
    assert_eq!((count(&api, TRANSFERS, &reference).await, count(&api, LEDGER, &reference).await), (1, 1));
    assert_eq!(balances(&api).await, after);
    // A later event has come, so a second one of the first payment would have, too.
    paid(&api, &fresh(), "later").await;
    let references: Vec<Value> =
        receiver.expect("/hook", 2).await.iter().map(|call| call.json()["data"]["reference"].clone()).collect();
    assert_eq!(references, [json!(reference), json!("later")]);
}

#[tokio::test]
async fn a_key_belongs_to_its_client_its_account_and_its_operation() {
    let api = Api::clean().await;
    let (key, reference) = (fresh(), fresh());
    let first = paid(&api, &key, &reference).await;
    let body = transfer(&reference, "10.00");
    let others = [
        pay_as(&api, tokens::BURST_A, TRANSFERS, &key, &body).await,
        pay_as(&api, tokens::RIVAL, "/v1/accounts/ACC-901/transfers", &key, &body).await,
        pay_as(&api, tokens::TRADER, "/v1/accounts/ACC-003/transfers", &key, &body).await,
        pay_as(&api, tokens::TRADER, WITHDRAWALS, &key, &withdrawal(&reference)).await,
    ];
    for other in others {
        assert_eq!((other.status.as_u16(), replayed(&other)), (201, false), "{}", other.text);
        assert_ne!(other.json()["id"], first.json()["id"]);
    }
}

#[tokio::test]
async fn requests_side_by_side_pay_once() {
    let api = Api::clean().await;
    let (key, reference) = (fresh(), fresh());
    let body = transfer(&reference, "10.00");
    let answers = join_all((0..10).map(|_| pay(&api, &key, &body))).await;
    let made: Vec<&Got> = answers.iter().filter(|got| got.status == 201).collect();
    assert_eq!(made.iter().filter(|got| !replayed(got)).count(), 1);
    assert!(made.iter().all(|got| got.text == made[0].text));
    let refused: Vec<&Got> = answers.iter().filter(|got| got.status != 201).collect();
    assert!(refused.iter().all(|got| got.status == 409 && got.code() == "idempotency_in_progress"));
    assert_eq!(count(&api, TRANSFERS, &reference).await, 1);
    assert!(replayed(&pay(&api, &key, &body).await));
}

#[tokio::test]
async fn a_payment_is_made_and_remembered_when_its_caller_vanishes() {
    let api = Api::clean().await;
    for _ in 0..10 {
        let (key, reference) = (fresh(), fresh());
        let body = transfer(&reference, "10.00");
        pay_and_vanish(&api, &key, &body).await;
        assert!(appears(&api, &reference).await, "the payment is made");
        let again = repeat(&api, &key, &body).await;
        assert_eq!((again.status.as_u16(), replayed(&again)), (201, true), "{}", again.text);
        assert_eq!(count(&api, TRANSFERS, &reference).await, 1);
    }
}

/// Repeats a payment until it is no longer in progress, or for a while.
pub(super) async fn repeat(api: &Api, key: &str, body: &Value) -> Got {
    let mut got = pay(api, key, body).await;
    for _ in 0..40 {
        if got.status != 409 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        got = pay(api, key, body).await;
    }
    got
}

#[tokio::test]
async fn a_request_that_never_arrived_whole_does_nothing() {
    let api = Api::clean().await;
    let (key, reference) = (fresh(), fresh());
    let body = transfer(&reference, "10.00").to_string();
    let head = format!(
        "POST {TRANSFERS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        tokens::TRADER,
        body.len() + 1
    );
    let mut stream = TcpStream::connect(api.running.addr()).await.expect("a connection");
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("closed");
    // The end of the connection shows that the request was given up.
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await;
    paid(&api, &key, &reference).await;
    assert_eq!(count(&api, TRANSFERS, &reference).await, 1);
}

#[tokio::test]
async fn a_key_is_kept_for_its_time_and_then_new() {
    let times = Times { key_retention: Duration::from_millis(50), ..Times::default() };
    let api = Api::start(Options { times, ..Options::default() }).await;
    let (key, reference) = (fresh(), fresh());
    paid(&api, &key, &reference).await;
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while replayed(&pay(&api, &key, &transfer(&reference, "10.00")).await) {
        assert!(tokio::time::Instant::now() < until, "the key is kept for ever");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count(&api, TRANSFERS, &reference).await, 2);
}

#[tokio::test]
async fn a_reference_that_cannot_be_one_is_refused() {
    let api = Api::clean().await;
    for list in [TRANSFERS, WITHDRAWALS, LEDGER] {
        for reference in [String::new(), "r".repeat(65)] {
            let got = api.get(&format!("{list}?reference={reference}")).await;
            assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "invalid_parameter"), "{list}");
        }
    }
}
