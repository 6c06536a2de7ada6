//! Streams that keep their contract in a way of their own, and are not accused.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::super::{WEBSOCKET, load};
use crate::{
    exchange::Opcode,
    families::{
        Evidence as AnyEvidence, Permit, Selection, Setting,
        testing::{
            Fake, given,
            line::{Asked, Due, Opened, Said, Stage},
        },
    },
    rule::Verdict,
};

const STEP: Duration = Duration::from_millis(20);

/// Verdicts on a busy stream whose connection `nth` says `says(nth, n)` as its message `n` after it was subscribed to.
async fn judged(block: &Value, says: fn(usize, u64) -> Vec<Value>) -> Vec<(&'static str, Verdict)> {
    let stage: Arc<Stage> = Stage::new(move |asked: &Asked<'_>| {
        let (nth, mut on, mut n) = (asked.nth, false, 0);
        Opened::accept(asked, move |said, now| {
            let octets = |value: &Value| Due::frame(now, Opcode::Binary, value.to_string());
            match said {
                Said::Frame(frame) if frame.opcode == Opcode::Close => vec![Due::close(now + STEP, Some(1000), "")],
                Said::Frame(frame) if frame.opcode == Opcode::Text => {
                    on = !frame.payload.windows(11).any(|part| part == b"unsubscribe");
                    if on { vec![Due::wake(now + STEP)] } else { vec![octets(&json!({"type": "unsubscribed"}))] }
                }
                Said::Woken if on => {
                    let all = says(nth, n);
                    n += 1;
                    all.iter().map(octets).chain([Due::wake(now + STEP)]).collect()
                }
                _ => vec![],
            }
        })
    });
    let fake = Fake::new(|_, _| Ok(given(404, &json!({})))).streaming(&stage);
    let mut item = json!({
        "name": "s", "path": "/s", "subscribe": {"message": {"op": "subscribe"}, "acknowledged": {"$.type": "subscribed"}},
        "unsubscribe": {"message": {"op": "unsubscribe"}, "acknowledged": {"$.type": "unsubscribed"}},
        "messages": {"data": {"$.type": "event"}, "heartbeat": {"$.type": "beat"}, "snapshot": {"$.type": "all"}, "key": "$.k"},
        "lag": "300ms", "listen": "2s"
    });
    item.as_object_mut().unwrap().extend(block.as_object().unwrap().clone());
    let empty = BTreeSet::new();
    let check = load::load(item, &Setting { clients: &empty, names: &empty }).unwrap_or_else(|p| panic!("{p:?}"));
    let own = ["WS-010", "WS-011", "WS-012", "WS-019"];
    let permits = BTreeSet::from([Permit::Read]);
    let plan = check.plan(&Selection { wants: &|rule| own.contains(&rule.id), permits: &permits });
    let evidence: AnyEvidence = check.probe(&fake, &plan).await;
    let rules = WEBSOCKET.rules.iter().filter(|judged| own.contains(&judged.rule.id));
    rules.map(|judged| (judged.rule.id, (judged.judge)(&evidence).verdict)).collect()
}

async fn is_fair(block: &Value, numbers: Verdict, says: fn(usize, u64) -> Vec<Value>) {
    let all = judged(block, says).await;
    assert!(all.iter().all(|(_, verdict)| *verdict != Verdict::Fail), "{all:?}");
    assert_eq!(all.iter().find(|(rule, _)| *rule == "WS-011").unwrap().1, numbers, "{all:?}");
    assert_eq!(all.iter().find(|(rule, _)| *rule == "WS-010").unwrap().1, Verdict::Pass, "{all:?}");
}

#[tokio::test]
async fn every_message_of_a_connection_may_take_a_number() {
    let counts = json!(["acknowledgement", "snapshot", "heartbeat"]);
    let block = |counts: &Value| json!({"sequence": {"last": "$.n", "per": "connection", "counts": counts}});
    let says = |_, n| {
        let kind = match n {
            0 => "subscribed",
            1 => "all",
            _ if n % 5 == 0 => "beat",
            _ => "event",
        };
        vec![json!({"type": kind, "n": n})]
    };
    is_fair(&block(&counts), Verdict::Pass, says).await;
    // A suite that forgets to say so is told, and the stream is not accused.
    is_fair(&block(&json!(["acknowledgement", "snapshot"])), Verdict::Inconclusive, says).await;
}

#[tokio::test]
async fn data_may_overtake_the_acknowledgement() {
    is_fair(&json!({"sequence": {"last": "$.n"}}), Verdict::Pass, |_, n| match n {
        0 => vec![json!({"type": "event", "n": 1})],
        1 => vec![json!({"type": "event", "n": 2}), json!({"type": "subscribed"})],
        _ => vec![json!({"type": "event", "n": n + 1})],
    })
    .await;
}

#[tokio::test]
async fn connections_may_be_told_ranges_of_different_lengths() {
    let block = json!({"sequence": {"first": "$.m", "last": "$.n", "per": "key"}});
    is_fair(&block, Verdict::Pass, |nth, n| {
        let size = 1 + nth as u64 % 3;
        let event = |key, base: u64| {
            json!({"type": "event", "k": key, "m": (base + n * size).to_string(), "n": (base + (n + 1) * size - 1).to_string()})
        };
        let acknowledged = (n == 0).then(|| json!({"type": "subscribed"}));
        // Larger than what readers of JSON keep, and than what is signed.
        acknowledged.into_iter().chain([event("A", 100), event("B", 9_300_000_000_000_000_000)]).collect()
    })
    .await;
}

#[tokio::test]
async fn documented_jumps_and_messages_too_long_to_be_read_are_no_gaps() {
    let jumps = json!({"sequence": {"last": "$.n", "jumps": true}});
    is_fair(&jumps, Verdict::Pass, |_, n| match n {
        0 => vec![json!({"type": "subscribed"})],
        _ => vec![json!({"type": "event", "n": 3 * n})],
    })
    .await;
    is_fair(&json!({"sequence": {"last": "$.n"}}), Verdict::Pass, |_, n| match n {
        0 => vec![json!({"type": "subscribed"})],
        20 => vec![json!({"type": "event", "n": n, "pad": "x".repeat(1 << 20)})],
        _ => vec![json!({"type": "event", "n": n})],
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_missing_is_found_all_the_same() {
    let all = judged(&json!({"sequence": {"last": "$.n", "per": "connection"}}), |_, n| match n {
        0 => vec![json!({"type": "subscribed"})],
        _ if n % 7 == 0 => vec![],
        _ => vec![json!({"type": "event", "n": n})],
    })
    .await;
    assert!(all.contains(&("WS-011", Verdict::Fail)), "{all:?}");
}
