//! The bodies and header fields of answers.

use serde_json::json;

use super::*;

#[test]
fn html_and_cacheable_refusals_are_reported() {
    let html = changed(json!({}), |mut answer, _| {
        if answer.status == 429 {
            answer.headers.set("content-type", "text/html");
            answer.body = b"<html>slow down</html>".to_vec();
        }
        answer
    });
    html.only_fail(&["RATE-006"]);
    for (value, fails) in [("public, max-age=60", true), ("s-maxage=5", true), ("no-store", false), ("private", false)]
    {
        let cached =
            changed(
                json!({}),
                move |answer, _| {
                    if answer.status == 429 { answer.header("Cache-Control", value) } else { answer }
                },
            );
        cached.only_fail(if fails { &["RATE-006"] } else { &[] });
    }
}

#[test]
fn fields_that_cannot_be_read_or_do_not_agree_are_reported_and_older_ones_are_not() {
    let fields = |policy: &'static str, ratelimit: &'static str| {
        changed(json!({}), move |answer, _| {
            let answer = without(answer, &ALL[1..]);
            let answer = if policy.is_empty() { answer } else { answer.header("RateLimit-Policy", policy) };
            if ratelimit.is_empty() { answer } else { answer.header("RateLimit", ratelimit) }
        })
    };
    fields("\"v\";q=10;w=4", "\"w\";r=1;t=1").only_fail(&["RATE-007"]);
    fields("10 per 4s", "").only_fail(&["RATE-007"]);
    fields("\"w\";q=10;w=4", "\"w\";r=11").only_fail(&["RATE-007"]);
    for (policy, ratelimit) in [("10;w=4", "limit=10, remaining=1, reset=2"), ("10;w=4", ""), ("", "\"w\";r=4")] {
        let judged = fields(policy, ratelimit);
        judged.only_fail(&[]);
        assert_eq!(judged.verdict("RATE-007"), Verdict::Pass);
    }
    assert_eq!(fields("", "").verdict("RATE-007"), Verdict::NotApplicable);
}

#[test]
fn counters_below_nothing_rising_or_changing_their_unit_are_reported() {
    let mut number = 0;
    let mut counted = move |answer: Given, left: &dyn Fn(i64) -> i64, reset: &dyn Fn(i64, bool) -> String| {
        number += 1;
        let refused = answer.status == 429;
        without(answer, &ALL[1..])
            .header("X-RateLimit-Limit", "10")
            .header("X-RateLimit-Remaining", left(number).to_string())
            .header("X-RateLimit-Reset", reset(number, refused))
    };
    let mut same = counted;
    let mut rising = counted;
    let mut flipping = counted;
    let delta = |_, _| "3".to_owned();
    changed(json!({}), move |answer, _| counted(answer, &|n| 9 - n, &delta)).only_fail(&["RATE-008"]);
    changed(json!({}), move |answer, _| rising(answer, &|n| n, &delta)).only_fail(&["RATE-008"]);
    changed(json!({}), move |answer, _| {
        flipping(answer, &|n| (10 - n).max(0), &|_, refused| {
            if refused { "Sun Nov 22 2026 11:54:52 GMT+0000 (Coordinated Universal Time)" } else { "1795348431" }.into()
        })
    })
    .only_fail(&["RATE-008"]);
    // Nodes that count apart, and a window that ends meanwhile.
    let mut at = 0;
    changed(json!({}), move |answer, _| {
        at += 1;
        let left = [9, 8, 7, 8, 6, 4, 5, 9, 8, 8, 7][at % 11];
        same(answer, &|_| left, &delta)
    })
    .only_fail(&[]);
}
