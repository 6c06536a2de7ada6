//! Rate limits, clean: each kind admits what it says, tells when to come back, and counts clients and nothing else.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use super::{
    super::{Options, Times, tokens, tokens::BURST_A as A},
    client::{Api, Got},
};

/// The quota of the limits of tests.
pub(super) const QUOTA: u32 = 5;
const KINDS: [&str; 4] = ["window", "bucket", "log", "counter"];

/// The API with a small quota.
pub(super) async fn api(window: Duration) -> Api {
    let times =
        Times { limit_window: window, limit_quota: QUOTA, limit_hold: Duration::from_millis(300), ..Times::default() };
    Api::start(Options { times, ..Options::default() }).await
}

/// So many reads of one kind, one after the other.
pub(super) async fn burst(api: &Api, token: &str, target: &str, count: usize) -> Vec<Got> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(api.get_as(token, target).await);
    }
    all
}

/// Whether a limit refused this, whatever the status.
pub(super) fn is_refusal(got: &Got) -> bool {
    [429, 503].contains(&got.status.as_u16()) || got.text.contains("rate_limited") || got.text.contains("Rate limit")
}

/// A header that holds a whole number.
pub(super) fn number(got: &Got, name: &str) -> Option<i64> {
    got.header(name)?.parse().ok()
}

/// `r` or `t` of the `RateLimit` field.
pub(super) fn parameter(got: &Got, name: &str) -> Option<i64> {
    let parts = got.header("ratelimit")?.split(';').skip(1);
    parts.filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name)?.1.parse().ok()
}

async fn note(api: &Api, token: &str, body: &serde_json::Value) -> Got {
    let request = api.bare(Method::POST, "/v1/limited/window/notes").bearer_auth(token);
    api.send(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test]
async fn every_kind_admits_its_quota_and_waiting_as_told_is_enough() {
    let api = api(Duration::from_secs(1)).await;
    let api = &api;
    join_all(KINDS.map(|kind| async move {
        let target = format!("/v1/limited/{kind}");
        let mut all = burst(api, A, &target, 5).await;
        while !is_refusal(all.last().expect("an answer")) {
            all.push(api.get_as(A, &target).await);
            assert!(all.len() < 100, "{kind} never refuses");
        }
        let (refused, admitted) = all.split_last().expect("a refusal");
        assert!(admitted.iter().all(|got| got.status == 200 && got.json()["kind"] == kind));
        assert_eq!(parameter(&admitted[0], "r"), Some(4), "{kind}");
        for got in &all {
            assert_eq!(got.header("ratelimit-policy"), Some(format!("\"{kind}\";q=5;w=1").as_str()));
            assert!(got.header("ratelimit").is_some_and(|said| said.starts_with(&format!("\"{kind}\";r="))));
            let (r, t) = (parameter(got, "r").expect("r"), parameter(got, "t").expect("t"));
            assert!((0..=5).contains(&r) && (0..=1).contains(&t), "{kind}: {r} {t}");
        }
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"));
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        assert_eq!(refused.header("cache-control"), Some("no-store"));
        assert_eq!((parameter(refused, "r"), parameter(refused, "t")), (Some(0), Some(1)));
        assert_eq!(refused.header("retry-after"), Some("1"));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(api.get_as(A, &target).await.status, 200, "{kind}");
    }))
    .await;
}

#[tokio::test]
async fn concurrency_counts_what_is_worked_on_at_once() {
    let api = api(Duration::from_secs(1)).await;
    let target = "/v1/limited/concurrency";
    let all = join_all((0..8).map(|_| api.get_as(A, target))).await;
    let (refused, admitted): (Vec<_>, Vec<_>) = all.iter().partition(|got| is_refusal(got));
    assert_eq!((admitted.len(), refused.len()), (5, 3));
    for got in refused {
        assert_eq!((got.status.as_u16(), got.header("retry-after"), parameter(got, "r")), (429, Some("1"), Some(0)));
        assert_eq!(got.header("ratelimit-policy"), Some("\"concurrency\";q=5;qu=\"concurrent-requests\""));
        assert_eq!(parameter(got, "t"), None);
    }
    assert!(burst(&api, A, target, 7).await.iter().all(|got| got.status == 200));
}

#[tokio::test]
async fn only_the_client_counts() {
    let api = api(Duration::from_mins(1)).await;
    let target = "/v1/limited/log";
    for request in [api.bare(Method::GET, target), api.bare(Method::GET, target).bearer_auth("burst-a-guess")] {
        for _ in 0..9 {
            let request = request.try_clone().expect("a copy").header("x-client-id", "burst-a");
            let got = api.send(request).await;
            assert_eq!((got.status.as_u16(), got.header("ratelimit"), got.header("retry-after")), (401, None, None));
        }
    }
    assert_eq!(parameter(&api.get_as(A, target).await, "r"), Some(4));
    assert_eq!(parameter(&api.get_as(tokens::BURST_A_SECOND, target).await, "r"), Some(3));
    let head = api.send(api.bare(Method::HEAD, target).bearer_auth(A)).await;
    assert_eq!(parameter(&head, "r"), Some(2));
    let options = api.send(api.bare(Method::OPTIONS, target).bearer_auth(A)).await;
    assert_eq!((options.status.as_u16(), options.header("ratelimit")), (204, None));
    assert!(is_refusal(&burst(&api, A, target, 3).await[2]));

    let spoofed =
        |name: &'static str, value: &'static str| api.bare(Method::GET, target).bearer_auth(A).header(name, value);
    for request in [
        spoofed("x-forwarded-for", "203.0.113.9"),
        spoofed("forwarded", "for=203.0.113.9"),
        spoofed("client-ip", "203.0.113.9"),
        spoofed("x-client-id", "burst-b"),
        api.bare(Method::GET, "/v1/limited/log?x=1").bearer_auth(A),
        api.bare(Method::GET, target).bearer_auth(tokens::BURST_A_SECOND),
    ] {
        assert!(is_refusal(&api.send(request).await));
    }
    for path in ["/v1/limited/log/", "/v1/limited/LOG", "/v1/limited/none", "/v1/limited/none/notes"] {
        assert_eq!(api.get_as(A, path).await.status, 404, "{path}");
    }
    let others = [
        tokens::BURST_B,
        tokens::BURST_C,
        tokens::BURST_D,
        tokens::BURST_E,
        tokens::BURST_F,
        tokens::BURST_G,
        tokens::BURST_H,
        tokens::READER,
        tokens::TRADER,
        tokens::RIVAL,
    ];
    for other in others {
        assert_eq!(parameter(&api.get_as(other, target).await, "r"), Some(4), "{other}");
    }
    for (free, policy) in [("/v1/limited/log/other", "\"log-other\""), ("/v1/limited/window", "\"window\"")] {
        let got = api.get_as(A, free).await;
        assert_eq!((got.status.as_u16(), parameter(&got, "r")), (200, Some(4)));
        assert!(got.header("ratelimit-policy").is_some_and(|said| said.starts_with(policy)), "{free}");
    }
}

#[tokio::test]
async fn a_note_is_made_if_the_limit_admits_it_and_can_always_be_found_and_deleted() {
    let api = api(Duration::from_mins(1)).await;
    let made = note(&api, A, &json!({ "reference": "r-1" })).await;
    assert_eq!((made.status.as_u16(), parameter(&made, "r")), (201, Some(4)), "{}", made.text);
    let location = made.header("location").expect("a location");
    assert_eq!(api.get_as(A, location).await.json(), made.json());
    assert_eq!(api.get_as(tokens::RIVAL, location).await.status, 404);

    let bad = note(&api, A, &json!({ "reference": "", "more": 1 })).await;
    assert_eq!((bad.code().as_str(), parameter(&bad, "r")), ("validation_failed", Some(3)));
    assert_eq!(note(&api, tokens::READER, &json!({ "reference": "r-1" })).await.code(), "insufficient_scope");
    assert_eq!(api.get_as(A, "/v1/limited/window/notes").await.header("allow"), Some("POST, OPTIONS"));

    // Reading and creating draw on one limit.
    let reads = burst(&api, A, "/v1/limited/window", 4).await;
    assert_eq!(reads.iter().map(|got| got.status.as_u16()).collect::<Vec<_>>(), [200, 200, 200, 429]);
    let refused = note(&api, A, &json!({ "reference": "r-2" })).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"));

    let found = |reference: &str| format!("/v1/limited/notes?reference={reference}");
    for _ in 0..7 {
        assert_eq!(api.get_as(A, &found("r-1")).await.ids().len(), 1);
        assert!(api.get_as(A, &found("r-2")).await.ids().is_empty());
    }
    assert!(api.get_as(tokens::RIVAL, &found("r-1")).await.ids().is_empty());
    let delete = async |target: &str| api.send(api.bare(Method::DELETE, target).bearer_auth(A)).await.status.as_u16();
    assert_eq!(delete(location).await, 204);
    for _ in 0..7 {
        assert_eq!(delete(location).await, 404);
    }
}
