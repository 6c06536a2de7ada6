//! What refusals tell of the wait, and whether it is enough.

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn refusals_that_tell_no_wait_are_reported_and_recovery_is_found_nevertheless() {
    let judged = changed(json!({}), |answer, _| if answer.status == 429 { without(answer, &ALL) } else { answer });
    judged.only_fail(&["RATE-002"]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::NotApplicable);
    assert!(judged.evidence.unrecovered.is_none() && judged.evidence.waits[0].answer.is_admitted());
    let other = changed(json!({}), |answer, _| without(answer, &["retry-after"]));
    other.only_fail(&[]);
    assert_eq!(other.verdict("RATE-003"), Verdict::Pass);
    for (value, what) in [("7.976", "fraction"), ("1795348431", "decades"), ("4s", "unit"), ("-1", "negative")] {
        let judged = changed(json!({}), move |answer, _| {
            if answer.status == 429 { without(answer, &ALL[..1]).header("Retry-After", value) } else { answer }
        });
        judged.only_fail(&["RATE-002"]);
        assert!(judged.judgements["RATE-002"].actual.contains(what), "{:?}", judged.judgements["RATE-002"]);
    }
}

#[test]
fn a_date_is_measured_by_the_targets_clock() {
    let date = |ms: u128| {
        let at = std::time::UNIX_EPOCH + Duration::from_secs(1_795_348_431 + u64::try_from(ms / 1_000).unwrap());
        httpdate::fmt_http_date(at)
    };
    // Nine minutes off, which only the target's own clock tells.
    let judged = changed(json!({}), move |answer, at| {
        let ends = answer.headers.get("retry-after").map(|s| s.parse::<u64>().unwrap());
        let answer = answer.header("Date", date(at.as_millis()));
        match ends {
            Some(seconds) => {
                without(answer, &ALL).header("Retry-After", date(at.as_millis() + 999 + u128::from(seconds) * 1_000))
            }
            None => answer,
        }
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::Pass, "{:?}", judged.judgements["RATE-003"]);
    assert!(judged.evidence.waits[0].waited_ms < 8_000, "{:?}", judged.evidence.waits);
}

#[test]
fn a_wait_that_is_too_short_is_reported_after_two_of_three() {
    // The limit lasts longer than it says.
    let judged = |window: u64| {
        let mut windows = Windows::new(10, window);
        judge(item(json!({})), move |_, at| match windows.count("a", at).0 {
            Some(_) => given(200, &json!({})),
            None => refusal().header("Retry-After", "1"),
        })
    };
    judged(3).only_fail(&["RATE-003"]);
    judged(20).only_fail(&["RATE-003"]);
    // A second of rounding is forgiven.
    judged(2).only_fail(&[]);
}

#[test]
fn one_wait_too_short_of_three_is_chance() {
    let mut windows = Windows::new(10, 2);
    let mut hiccup = true;
    let judged = judge(item(json!({})), move |_, at| {
        if at > Duration::from_secs(2) && std::mem::take(&mut hiccup) {
            return refusal().header("Retry-After", "1");
        }
        match windows.count("a", at) {
            (Some(_), _) => given(200, &json!({})),
            (None, seconds) => refusal().header("Retry-After", seconds.to_string()),
        }
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::Pass, "{:?}", judged.judgements["RATE-003"]);
    assert_eq!(judged.evidence.waits.len(), 3);
}

#[test]
fn a_block_that_refused_requests_prolong_is_honest_to_a_silent_client() {
    // Every refused request begins the window anew.
    let (mut used, mut begin) = (0, Duration::ZERO);
    let judged = judge(item(json!({"other_client": "b", "evasion": true})), move |request, at| {
        if request.who.name() == "b" {
            return given(200, &json!({}));
        }
        if at >= begin + Duration::from_secs(8) {
            (used, begin) = (0, at);
        }
        used += 1;
        if used <= 10 {
            return given(200, &json!({}));
        }
        begin = at;
        refusal().header("Retry-After", "8")
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::Pass);
    assert_eq!(judged.evidence.waits.len(), 1);
    assert!(judged.judgements["RATE-003"].details.iter().any(|d| d.contains("refused")), "the early retry is told");
}

#[test]
fn a_longer_wait_than_allowed_is_not_waited_out() {
    let judged = changed(json!({"max_wait": "2s"}), |answer, _| answer);
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::Inconclusive);
    assert!(judged.judgements["RATE-003"].message.contains("max_wait"));
    assert!(judged.asked.iter().all(|(_, at)| *at < Duration::from_secs(2)));
}

#[test]
fn waits_that_disagree_are_reported() {
    let judged = changed(json!({}), |answer, _| {
        if answer.status == 429 { without(answer, &["ratelimit"]).header("RateLimit", "\"w\";r=0;t=9") } else { answer }
    });
    judged.only_fail(&["RATE-004"]);
    let zero = changed(json!({}), |answer, _| {
        if answer.status == 429 { without(answer, &ALL).header("Retry-After", "0") } else { answer }
    });
    zero.only_fail(&["RATE-003", "RATE-004"]);
}
