use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn places(more: &Value) -> Vec<String> {
    let mut item = json!({"name": "s", "path": "/s"});
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (clients, names) = (BTreeSet::from(["trader".to_owned()]), BTreeSet::from(["x".to_owned()]));
    match load(item, &Setting { clients: &clients, names: &names }) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.at).collect(),
    }
}

#[test]
fn a_whole_block_loads() {
    let good = json!({
        "client": "trader", "subscribe": {"message": {"id": "{{request}}", "of": "{{x}}"}, "acknowledged": {"$.ok": true}},
        "unsubscribe": {"message": "bye"}, "messages": {"id": "$.id", "key": "$.k", "snapshot": {"$.t": "s"}},
        "sequence": {"last": "$.n", "per": "key"}, "resume": {"query": {"since": "{{last}}"}},
        "snapshot": {"call": {"request": "GET /b/{{key}}"}, "sequence": "$.n"},
        "stimulus": {"call": {"request": "POST /o", "body": {"r": "{{reference}}"}}}
    });
    assert_eq!(places(&good), Vec::<String>::new());
}

#[test]
fn everything_wrong_is_said_at_its_place() {
    let at = |more: Value| places(&more);
    assert_eq!(at(json!({"client": "treader", "path": "wss://x/y"})), ["/client", "/path"]);
    assert_eq!(at(json!({"private": true})), ["/private"]);
    assert_eq!(at(json!({"client": "trader", "other_client": "trader"})), ["/other_client"]);
    assert_eq!(
        at(json!({"unsubscribe": {"message": {"a": ["{{nope}}"]}}})),
        ["/unsubscribe/message/a/0", "/unsubscribe"]
    );
    assert_eq!(
        at(json!({"messages": {"data": {}, "snapshot_rows": "$.r"}})),
        ["/messages/data", "/messages/snapshot_rows"]
    );
    assert_eq!(at(json!({"messages": {"data": {"$.a": [], "$.b": {"c": 1}}}})).len(), 2);
    assert_eq!(at(json!({"sequence": {"last": "$.n", "per": "key"}})), ["/sequence/per"]);
    assert_eq!(at(json!({"sequence": {"last": "$.n", "key": "$.k"}})), ["/sequence/key"]);
    assert_eq!(at(json!({"resume": {"query": {"t": "{{token}}"}}})), ["/resume"]);
    assert_eq!(at(json!({"resume": {"query": {"t": "x"}}})), ["/resume"]);
    assert_eq!(at(json!({"stimulus": {"call": {"request": "GET /o"}}})).len(), 3);
    let snapshot = json!({"snapshot": {"call": {"request": "POST /b"}, "sequence": "$.n", "book": {"tables": []}}});
    assert_eq!(at(snapshot), ["/snapshot/call/request", "/snapshot", "/snapshot/book/tables"]);
    assert_eq!(at(json!({"listen": "0s", "most": 0})), ["/listen", "/most"]);
    assert_eq!(at(json!({"headers": {"Sec-WebSocket-Key": "x"}})), ["/headers/Sec-WebSocket-Key"]);
    let authenticate = json!({"authenticate": {"message": {"key": "{{credential}}"}}});
    assert_eq!(at(authenticate), ["/client"]);
    assert_eq!(at(json!({"session": {"rate": 5, "expiring_client": "trader"}})).len(), 2);
}

#[test]
fn times_that_never_pass_are_wrong() {
    let times = json!({
        "client": "trader", "sequence": {"last": "$.n"}, "resume": {"query": {"a": "{{last}}"}, "window": "0s", "depth": 0},
        "slow": {"catch_up": "0s", "most": 0},
        "session": {"expires_after": "0s", "longest": "0s", "rate": 1, "rate_window": "0s", "grace": "0s"}
    });
    let wrong = [
        "/resume/window",
        "/slow/catch_up",
        "/session/expires_after",
        "/session/longest",
        "/session/rate_window",
        "/resume/depth",
        "/slow/most",
    ];
    assert_eq!(places(&times), wrong);
    // A ping that is not answered may be given up long before the next.
    assert_eq!(places(&json!({"heartbeat": {"interval": "30s", "pings": true, "timeout": "5s"}})), [""; 0]);
}

#[test]
fn what_a_handshake_cannot_say_is_wrong() {
    assert_eq!(places(&json!({"subprotocols": ["a b", "c", "c"]})), ["/subprotocols/0", "/subprotocols/2"]);
    assert_eq!(places(&json!({"path": "/s?of=x#there"})), ["/path"]);
    assert_eq!(places(&json!({"path": "/s?of=x"})), [""; 0]);
    assert_eq!(places(&json!({"query": {"from": "{{last}}"}})), ["/query/from"]);
    assert_eq!(places(&json!({"subscribe": {"message": {"from": "{{token}}"}}})), ["/subscribe/message/from"]);
}
