//! What is tried while the limit is spent, and by strangers.

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn a_refused_write_that_happened_is_reported_and_a_blind_lookup_decides_nothing() {
    let judged = |happens: bool, blind: bool| {
        let mut windows = Windows::new(10, 4);
        let mut made: Vec<String> = Vec::new();
        let write = json!({"write": {
            "call": {"request": "POST /limited", "body": {"reference": "{{reference}}"}},
            "find": {"call": {"request": "GET /notes?reference={{reference}}"}, "rows": "$.data", "id": "$.id"}
        }});
        judge(item(write), move |request, at| {
            if request.target.starts_with("/notes") {
                let found = made.iter().filter(|r| !blind && request.target.ends_with(r.as_str()));
                return given(200, &json!({"data": found.map(|r| json!({"id": r})).collect::<Vec<_>>()}));
            }
            let answer = windows.answer("a", at);
            if let crate::exchange::Payload::Json(body) = &request.payload
                && (happens || answer.status == 200)
            {
                made.push(body["reference"].as_str().unwrap().to_owned());
            }
            answer
        })
    };
    judged(true, false).only_fail(&["RATE-005"]);
    judged(false, false).only_fail(&[]);
    assert_eq!(judged(false, false).verdict("RATE-005"), Verdict::Pass);
    assert_eq!(judged(false, true).verdict("RATE-005"), Verdict::Inconclusive);
}

#[test]
fn a_limit_that_clients_share_is_reported_unless_declared() {
    let shared = |scope: &str| {
        let mut windows = Windows::new(10, 4);
        judge(item(json!({"other_client": "b", "scope": scope})), move |_, at| windows.answer("all", at))
    };
    shared("client").only_fail(&["RATE-010"]);
    shared("tenant").only_fail(&[]);
    // The other client has spent its own limit elsewhere.
    let mut windows = Windows::new(10, 4);
    let busy = judge(item(json!({"other_client": "b"})), move |request, at| match request.who.name() {
        "b" if at < Duration::from_secs(1) && at > Duration::from_millis(4) => refusal().header("Retry-After", "1"),
        name => windows.answer(name, at),
    });
    busy.only_fail(&[]);
    assert_eq!(busy.verdict("RATE-010"), Verdict::Inconclusive);
}

#[test]
fn what_shares_the_limit_against_its_declaration_is_reported() {
    let others = |separate: bool, safety: bool| {
        let mut windows = Windows::new(10, 4);
        let others = json!([{"name": "o", "call": {"request": "GET /o"}, "separate": separate, "safety": safety}]);
        judge(item(json!({"others": others})), move |_, at| windows.answer("all", at))
    };
    others(true, false).only_fail(&["RATE-011"]);
    others(true, true).only_fail(&["RATE-011"]);
    others(false, false).only_fail(&[]);
    assert_eq!(others(false, false).verdict("RATE-011"), Verdict::NotApplicable);
    // Another limit is spent by something else.
    let mut windows = Windows::new(10, 4);
    let always = judge(item(json!({"others": [{"name": "o", "call": {"request": "GET /o"}}]})), move |request, at| {
        if request.target == "/o" { refusal().header("Retry-After", "1") } else { windows.answer("a", at) }
    });
    always.only_fail(&[]);
    assert_eq!(always.verdict("RATE-011"), Verdict::Inconclusive);
}

#[test]
fn the_wait_is_that_of_the_limit_itself_not_of_what_was_refused_last() {
    let mut windows = Windows::new(10, 8);
    let other = json!([{"name": "o", "call": {"request": "GET /o"}}]);
    let judged = judge(item(json!({"others": other})), move |request, at| {
        let refused = given(429, &json!({"code": "rate_limited", "message": "no"})).header("Retry-After", "1");
        if request.target == "/o" { refused } else { windows.answer("a", at) }
    });
    assert_eq!(judged.evidence.waits.len(), 1, "{:?}", judged.evidence.waits);
    assert_eq!(judged.evidence.waits[0].told_ms, Some(8_000));
    judged.only_fail(&[]);
}

#[test]
fn ways_around_a_limit_are_reported_and_a_recovering_limit_is_not() {
    let evaded = |around: fn(&Request) -> bool| {
        let mut windows = Windows::new(10, 4);
        judge(item(json!({"evasion": true})), move |request, at| {
            let key = if around(request) { at.as_micros().to_string() } else { "a".to_owned() };
            windows.answer(&key, at)
        })
    };
    evaded(|request| request.headers.get("x-forwarded-for").is_some()).only_fail(&["RATE-013"]);
    evaded(|request| !request.query.is_empty()).only_fail(&["RATE-013"]);
    evaded(|_| false).only_fail(&[]);
    // Tokens come back as fast as requests are sent.
    let mut number = 0;
    let recovering = judge(item(json!({"evasion": true})), move |_, _| {
        number += 1;
        if number < 11 || number % 3 == 0 { given(200, &json!({})) } else { refusal().header("Retry-After", "1") }
    });
    assert_ne!(recovering.verdict("RATE-013"), Verdict::Fail);
}

#[test]
fn strangers_that_spend_a_clients_limit_are_reported() {
    let forged = |drains: bool, status: u16| {
        let mut windows = Windows::new(10, 4);
        judge(item(json!({"forged": {"headers": {"X-Client": "a"}}})), move |request, at| {
            if matches!(request.who, Who::Forged(_)) {
                assert_eq!(request.headers.get("x-client"), Some("a"));
                if drains {
                    let _ = windows.count("a", at);
                }
                return given(status, &json!({"code": "x", "message": "y"}));
            }
            windows.answer("a", at)
        })
    };
    forged(true, 401).only_fail(&["RATE-014"]);
    forged(false, 401).only_fail(&[]);
    assert_eq!(forged(false, 401).verdict("RATE-014"), Verdict::Pass);
    let let_in = forged(false, 200);
    let_in.only_fail(&[]);
    assert_eq!(let_in.verdict("RATE-014"), Verdict::Inconclusive);
}
