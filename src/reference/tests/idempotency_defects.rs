//! What each defect and each variant of idempotency looks like to a client.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::Value;

use super::{
    super::{DEFECTS, tokens},
    client::{Api, Got, LEDGER},
    receiver::{Call, Receiver},
    transfers::{
        TRANSFERS, WITHDRAWALS, appears, count, fresh, paid, pay, pay_and_vanish, pay_as, repeat, replayed, transfer,
        withdrawal,
    },
};

/// A payment and its repetition.
struct Twice {
    key: String,
    reference: String,
    first: Got,
    again: Got,
}

async fn twice(api: &Api) -> Twice {
    let (key, reference) = (fresh(), fresh());
    let first = paid(api, &key, &reference).await;
    let again = pay(api, &key, &transfer(&reference, "10.00")).await;
    Twice { key, reference, first, again }
}

fn id(got: &Got) -> Value {
    serde_json::from_str::<Value>(&got.text).unwrap_or_default()["id"].clone()
}

/// Whether the API behaves as this defect says.
pub(super) async fn shows(name: &str, api: &Api) -> bool {
    match name.strip_prefix("idempotency.").expect("a defect of idempotency") {
        "ignored" => {
            let Twice { reference, first, again, .. } = twice(api).await;
            again.status == 201 && id(&again) != id(&first) && count(api, TRANSFERS, &reference).await == 2
        }
        "new-id-on-replay" => {
            let Twice { reference, first, again, .. } = twice(api).await;
            let nowhere = api.get(again.header("location").unwrap_or("/v1/none")).await.status == 404;
            replayed(&again) && id(&again) != id(&first) && nowhere && count(api, TRANSFERS, &reference).await == 1
        }
        "replay-is-500" => twice(api).await.again.status == 500,
        "second-body-executed" | "second-body-overwrites" | "second-body-replayed" => second_body(name, api).await,
        "race" => {
            let (key, reference) = (fresh(), fresh());
            let body = transfer(&reference, "10.00");
            join_all((0..8).map(|_| pay(api, &key, &body))).await;
            let raced = count(api, TRANSFERS, &reference).await > 1;
            // One after the other they must still be one.
            let Twice { reference, .. } = twice(api).await;
            raced && count(api, TRANSFERS, &reference).await == 1
        }
        "stuck-after-cut" => after_cut(api).await.0.status == 409,
        "forgets-after-cut" => {
            let (again, effects) = after_cut(api).await;
            let Twice { reference, .. } = twice(api).await;
            again.status == 201 && effects == 2 && count(api, TRANSFERS, &reference).await == 1
        }
        "leaks-across-clients" => {
            let (key, reference) = (fresh(), fresh());
            let first = paid(api, &key, &reference).await;
            let own = transfer(&fresh(), "10.00");
            let got = pay_as(api, tokens::RIVAL, "/v1/accounts/ACC-901/transfers", &key, &own).await;
            got.text == first.text && replayed(&got)
        }
        "leaks-across-operations" => {
            let (key, reference) = (fresh(), fresh());
            let first = paid(api, &key, &reference).await;
            let own = withdrawal(&fresh());
            let got = pay_as(api, tokens::TRADER, WITHDRAWALS, &key, &own).await;
            got.text == first.text && replayed(&got)
        }
        "key-optional" => api.post(TRANSFERS, &transfer(&fresh(), "10.00")).await.status == 201,
        "truncates-key" => {
            let (key, reference) = (fresh(), fresh());
            paid(api, &format!("{key}{}", fresh()), &reference).await;
            let other = pay(api, &format!("{key}{}", fresh()), &transfer(&fresh(), "10.00")).await;
            let (short, same) = (&key[..31], &key[31..]);
            let apart = pay(api, &format!("{short}{same}"), &transfer(&fresh(), "10.00")).await;
            other.status == 422 && apart.status == 422
        }
        "empty-key-500" => pay(api, "", &transfer(&fresh(), "10.00")).await.status == 500,
        "two-postings" => {
            let Twice { key, reference, .. } = twice(api).await;
            pay(api, &key, &transfer(&reference, "10.00")).await;
            count(api, LEDGER, &reference).await == 2 && count(api, TRANSFERS, &reference).await == 1
        }
        "two-events" => {
            let receiver = Receiver::willing().await;
            receiver.register(api, "/hook", &["transfer.*"]).await;
            let Twice { key, reference, .. } = twice(api).await;
            pay(api, &key, &transfer(&reference, "10.00")).await;
            let later = fresh();
            paid(api, &fresh(), &later).await;
            let tells_of = |call: &Call, wanted: &str| call.json()["data"]["reference"] == wanted;
            // A later event has come, so a second one would have, too.
            let patience = Duration::from_secs(20);
            assert!(receiver.hears(patience, |calls| calls.iter().any(|call| tells_of(call, &later))).await);
            let told: BTreeSet<String> =
                receiver.calls().iter().filter(|call| tells_of(call, &reference)).map(Call::id).collect();
            told.len() == 2 && count(api, TRANSFERS, &reference).await == 1
        }
        "forgets-soon" => {
            let Twice { key, reference, .. } = twice(api).await;
            let at_once = count(api, TRANSFERS, &reference).await;
            tokio::time::sleep(Duration::from_millis(2050)).await;
            pay(api, &key, &transfer(&reference, "10.00")).await;
            at_once == 1 && count(api, TRANSFERS, &reference).await == 2
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

async fn second_body(name: &str, api: &Api) -> bool {
    let (key, reference) = (fresh(), fresh());
    let first = paid(api, &key, &reference).await;
    let other = pay(api, &key, &transfer(&reference, "11.00")).await;
    let read = api.get(first.header("location").expect("a location")).await.text;
    let effects = count(api, TRANSFERS, &reference).await;
    // The first body again: its answer must not have been replaced.
    let again = pay(api, &key, &transfer(&reference, "10.00")).await;
    if other.status != 201 {
        return false;
    }
    match name {
        "idempotency.second-body-executed" => effects == 2 && again.text == first.text,
        "idempotency.second-body-overwrites" => effects == 1 && read == other.text && read != first.text,
        _ => effects == 1 && other.text == first.text && read == first.text,
    }
}

/// The answer to a repetition after the connection was lost, and how many payments there are then.
async fn after_cut(api: &Api) -> (Got, usize) {
    let (key, reference) = (fresh(), fresh());
    let body = transfer(&reference, "10.00");
    pay_and_vanish(api, &key, &body).await;
    assert!(appears(api, &reference).await, "the payment is made");
    let again = repeat(api, &key, &body).await;
    (again, count(api, TRANSFERS, &reference).await)
}

/// Defects that cannot help showing others, too.
const COLLATERAL: &[(&str, &[&str])] = &[];

#[tokio::test]
async fn defects_of_idempotency_show_nothing_else() {
    let ours = || DEFECTS.iter().filter(|defect| defect.name.starts_with("idempotency."));
    let mut found: Vec<(&str, Vec<&str>)> = stream::iter(ours())
        .map(|defect| async move {
            let api = Api::with(&[defect.name], &[]).await;
            let mut others = Vec::new();
            for other in ours().filter(|other| *other != defect) {
                if shows(other.name, &api).await {
                    others.push(other.name);
                }
            }
            (defect.name, others)
        })
        .buffered(8)
        .collect()
        .await;
    found.retain(|(_, others)| !others.is_empty());
    let expected: Vec<_> = COLLATERAL.iter().map(|(name, others)| (*name, others.to_vec())).collect();
    assert_eq!(found, expected);
}

/// Whether the API is odd in the way of this variant.
pub(super) async fn is_odd(name: &str, api: &Api) -> bool {
    match name {
        "idempotency.replay-200" => {
            let Twice { first, again, .. } = twice(api).await;
            again.status == 200 && again.text == first.text && replayed(&again)
        }
        "idempotency.replay-current" => replays_current(api).await,
        "idempotency.waits-while-running" => {
            let (key, reference) = (fresh(), fresh());
            let body = transfer(&reference, "10.00");
            let answers = join_all((0..10).map(|_| pay(api, &key, &body))).await;
            assert_eq!(count(api, TRANSFERS, &reference).await, 1);
            answers.iter().all(|got| got.status == 201 && id(got) == id(&answers[0]))
        }
        "idempotency.mismatch-409" => mismatch(api).await == 409,
        "idempotency.mismatch-400" => mismatch(api).await == 400,
        "idempotency.natural-duplicate" => {
            let Twice { reference, again, .. } = twice(api).await;
            let elsewhere = pay(api, &fresh(), &transfer(&reference, "10.00")).await;
            let codes = [&again, &elsewhere].map(|got| got.status == 422 && got.code() == "duplicate_reference");
            codes == [true, true] && count(api, TRANSFERS, &reference).await == 1
        }
        "idempotency.company-wide" => {
            let Twice { key, reference, first, .. } = twice(api).await;
            let colleague = pay_as(api, tokens::BURST_A, TRANSFERS, &key, &transfer(&reference, "10.00")).await;
            let other = pay_as(api, tokens::BURST_A, TRANSFERS, &key, &transfer(&reference, "11.00")).await;
            let rival = "/v1/accounts/ACC-901/transfers";
            let rival = pay_as(api, tokens::RIVAL, rival, &key, &transfer(&reference, "10.00")).await;
            assert_eq!((rival.status.as_u16(), replayed(&rival)), (201, false));
            colleague.text == first.text && replayed(&colleague) && other.status == 422
        }
        "idempotency.slow-list" => {
            let mut late = false;
            // A slow machine may take longer to ask than the row to appear.
            for _ in 0..5 {
                let reference = fresh();
                let made = paid(api, &fresh(), &reference).await;
                late |= count(api, TRANSFERS, &reference).await == 0;
                assert_eq!(api.get(made.header("location").expect("a location")).await.status, 200);
                assert!(appears(api, &reference).await);
            }
            late
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

async fn mismatch(api: &Api) -> u16 {
    let Twice { key, reference, .. } = twice(api).await;
    let got = pay(api, &key, &transfer(&reference, "11.00")).await;
    assert_eq!((got.code().as_str(), count(api, TRANSFERS, &reference).await), ("idempotency_key_reused", 1));
    got.status.as_u16()
}

async fn replays_current(api: &Api) -> bool {
    let (key, reference) = (fresh(), fresh());
    let first = paid(api, &key, &reference).await;
    assert_eq!(first.json()["status"], "booked");
    for _ in 0..40 {
        let again = pay(api, &key, &transfer(&reference, "10.00")).await;
        assert_eq!((again.status.as_u16(), id(&again)), (201, id(&first)));
        if again.json()["status"] == "settled" {
            return api.get(first.header("location").expect("a location")).await.json() == again.json();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}
