//! The probes against streams that a function plays.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

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

const MS: Duration = Duration::from_millis(1);

/// How the stream of these tests is wrong.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// Every third event is told to nobody, and its number is not given to another.
    Gap,
    /// The same without a number.
    Misses,
    /// Every event has another quantity.
    Value,
    /// Subscribing is not answered.
    Silent,
}

fn suite() -> Value {
    json!({
        "name": "s", "path": "/s", "subscribe": {"message": {"op": "subscribe"}, "acknowledged": {"$.type": "subscribed"}},
        "unsubscribe": {"message": {"op": "unsubscribe"}, "acknowledged": {"$.type": "unsubscribed"}},
        "messages": {"data": {"$.type": "event"}, "snapshot": {"$.type": "all"}, "snapshot_sequence": "$.n",
                     "id": "$.id", "reference": "$.r", "time": "$.at"},
        "sequence": {"last": "$.n"}, "lag": "500ms",
        "stimulus": {"call": {"request": "POST /o", "body": {"r": "{{reference}}"}},
                     "agrees": [{"answer": "$.q", "event": "$.q"}]}
    })
}

/// Every verdict on a stream that is wrong like this.
async fn judged(wrong: Wrong) -> Vec<(&'static str, Verdict)> {
    let number = Arc::new(AtomicU64::new(100));
    let (seen, last) = (Arc::clone(&number), Arc::clone(&number));
    let stage = Stage::new(move |asked: &Asked<'_>| {
        let last = Arc::clone(&last);
        Opened::accept(asked, move |said, now| match said {
            Said::Frame(frame) if frame.opcode == Opcode::Close => vec![Due::close(now + MS, Some(1000), "")],
            Said::Frame(frame) if frame.payload.windows(11).any(|part| part == b"unsubscribe") => {
                vec![Due::text(now + MS, json!({"type": "unsubscribed"}).to_string())]
            }
            Said::Frame(frame) if frame.opcode == Opcode::Text && wrong != Wrong::Silent => {
                let n = last.load(Ordering::Relaxed);
                vec![
                    Due::text(now + MS, json!({"type": "subscribed"}).to_string()),
                    Due::text(now + MS, json!({"type": "all", "n": n}).to_string()),
                ]
            }
            _ => vec![],
        })
    });
    let hub = Arc::clone(&stage);
    let mut made = 0_u64;
    let fake = Fake::new(move |request, now| {
        let reference = match &request.payload {
            crate::exchange::Payload::Json(body) => body["r"].clone(),
            _ => Value::Null,
        };
        made += 1;
        let left_out = made.is_multiple_of(3);
        let n = match wrong {
            Wrong::Misses if left_out => 0,
            _ => seen.fetch_add(1, Ordering::Relaxed) + 1,
        };
        let quantity = if wrong == Wrong::Value { "2" } else { "1.0" };
        let event =
            json!({"type": "event", "n": n, "id": made, "r": reference, "at": "2026-01-01T00:00:00Z", "q": quantity});
        if !(left_out && matches!(wrong, Wrong::Gap | Wrong::Misses)) {
            hub.tell(&Due::text(now + 5 * MS, event.to_string()));
        }
        Ok(given(201, &json!({"q": "1"})))
    })
    .streaming(&stage);
    let empty = BTreeSet::new();
    let check = load::load(suite(), &Setting { clients: &empty, names: &empty })
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let permits = BTreeSet::from([Permit::Read, Permit::Write]);
    let plan = check.plan(&Selection { wants: &|_| true, permits: &permits });
    let evidence: AnyEvidence = check.probe(&fake, &plan).await;
    let kept: AnyEvidence = serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
    let own = ["WS-010", "WS-011", "WS-012", "WS-013", "WS-019"];
    let rules = WEBSOCKET.rules.iter().filter(|judged| own.contains(&judged.rule.id));
    rules.map(|judged| (judged.rule.id, (judged.judge)(&kept).verdict)).collect()
}

async fn failed(wrong: Wrong) -> Vec<&'static str> {
    let all = judged(wrong).await;
    all.into_iter().filter(|(_, verdict)| *verdict == Verdict::Fail).map(|(rule, _)| rule).collect()
}

#[tokio::test]
async fn a_right_stream_passes() {
    for (rule, verdict) in judged(Wrong::Nothing).await {
        // After the end of a subscription the events of these tests go on.
        let wanted = if rule == "WS-010" { Verdict::Fail } else { Verdict::Pass };
        assert_eq!(verdict, wanted, "{rule}");
    }
}

#[tokio::test]
async fn a_wrong_stream_fails_by_the_rule_that_names_it() {
    assert!(failed(Wrong::Gap).await.contains(&"WS-011"));
    assert!(failed(Wrong::Misses).await.contains(&"WS-013"));
    assert!(!failed(Wrong::Misses).await.contains(&"WS-011"));
    assert!(failed(Wrong::Value).await.contains(&"WS-013"));
    assert!(failed(Wrong::Silent).await.contains(&"WS-010"));
}
