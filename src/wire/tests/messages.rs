//! What arrives at the other side, and what the recorder is told of it.

use std::collections::{BTreeMap, HashSet};

use axum::{Router, body::Bytes, http::request::Parts};
use serde_json::{Value, json};

use super::*;
use crate::{
    exchange::Payload,
    wire::{Credentials, Secret},
};

/// A server that answers with the request it got.
async fn echo() -> Url {
    served(Router::new().fallback(|parts: Parts, body: Bytes| async move {
        let fields: BTreeMap<_, _> =
            parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("?"))).collect();
        let seen = json!({
            "method": parts.method.as_str(),
            "target": parts.uri.to_string(),
            "version": format!("{:?}", parts.version),
            "fields": fields,
            "body": String::from_utf8_lossy(&body),
        });
        seen.to_string()
    }))
    .await
}

fn seen(outcome: Outcome) -> Value {
    serde_json::from_slice(&outcome.unwrap().body).unwrap()
}

async fn settings() -> Settings {
    let mut settings = Settings::new(echo().await);
    let secrets = |pairs: [(&str, &str); 1]| pairs.map(|(n, v)| (n.to_owned(), Secret::new(v))).into();
    settings.clients = BTreeMap::from([
        ("bearer".to_owned(), Credentials::Bearer(Secret::new("tok"))),
        ("basic".to_owned(), Credentials::Basic { username: "ann".into(), password: Secret::new("pw") }),
        ("header".to_owned(), Credentials::Header(secrets([("X-Key", "k")]))),
        ("query".to_owned(), Credentials::Query(secrets([("key", "a&b")]))),
    ]);
    settings
}

#[tokio::test]
async fn each_kind_of_credentials_arrives_and_is_recorded() {
    let setup = Setup::new(settings().await);
    for (who, field, expected) in [
        (Who::Client("bearer".into()), "authorization", json!("Bearer tok")),
        (Who::Client("basic".into()), "authorization", json!("Basic YW5uOnB3")),
        (Who::Client("header".into()), "x-key", json!("k")),
        (Who::Forged("bogus".into()), "authorization", json!("Bearer bogus")),
        (Who::Anonymous, "authorization", Value::Null),
    ] {
        let seen = seen(setup.wire.send(Request::new(who.clone(), "GET", "/x")).await);
        assert_eq!(seen["fields"][field], expected, "{who:?}");
        let told = setup.tape.told().pop().unwrap();
        assert_eq!(told.headers.get(field), expected.as_str(), "{who:?}");
    }
    let request = Request::new(Who::Client("query".into()), "GET", "/x?a=b%2Fc").query("cursor", "1 2");
    assert_eq!(seen(setup.wire.send(request).await)["target"], "/x?a=b%2Fc&cursor=1%202&key=a%26b");
    assert_eq!(setup.tape.told().pop().unwrap().url.query(), Some("a=b%2Fc&cursor=1%202&key=a%26b"));
}

#[tokio::test]
async fn nothing_is_sent_that_was_not_recorded() {
    let setup = Setup::new(settings().await);
    let seen = seen(setup.get("/x").await);
    let recorded = setup.tape.told().pop().unwrap().headers;
    let mut sent: Vec<_> = seen["fields"].as_object().unwrap().keys().map(String::as_str).collect();
    sent.retain(|name| *name != "host");
    let mut kept: Vec<_> = recorded.iter().map(|(name, _)| name).collect();
    kept.sort_unstable();
    assert_eq!(sent, kept);
    assert_eq!(sent, ["accept", "user-agent"]);
}

#[tokio::test]
async fn content_and_method_arrive_and_are_recorded() {
    let setup = Setup::new(settings().await);
    let mut request = Request::new(Who::Anonymous, "PATCH", "/x");
    request.payload = Payload::Json(json!({"amount": "1.10"}));
    let seen = seen(setup.wire.send(request).await);
    assert_eq!((&seen["method"], &seen["body"]), (&json!("PATCH"), &json!(r#"{"amount":"1.10"}"#)));
    assert_eq!(seen["fields"]["content-type"], "application/json");
    let told = setup.tape.told().pop().unwrap();
    assert_eq!(told.body, br#"{"amount":"1.10"}"#);
    assert_eq!((told.version.as_str(), told.id), ("HTTP/1.1", 1));
}

#[tokio::test]
async fn every_exchange_has_a_correlation_id_of_its_own() {
    let setup = Setup::new(Settings { correlation_header: Some("X-Request-Id".into()), ..settings().await });
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let id = seen(setup.get("/x").await)["fields"]["x-request-id"].as_str().unwrap().to_owned();
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
        assert_eq!(setup.tape.told().pop().unwrap().headers.get("x-request-id"), Some(id.as_str()));
        ids.insert(id);
    }
    assert_eq!(ids.len(), 5);
    let own = seen(setup.wire.send(get("/x").header("X-Request-Id", "mine")).await);
    assert_eq!(own["fields"]["x-request-id"], "mine");
}

#[tokio::test]
async fn paths_lie_below_the_base_and_absolute_urls_of_the_origin_do_not() {
    let mut settings = settings().await;
    let origin = settings.base.clone();
    settings.base.set_path("/api/");
    let setup = Setup::new(settings);
    assert_eq!(seen(setup.get("/v1/x?y").await)["target"], "/api/v1/x?y");
    assert_eq!(seen(setup.get(&format!("{origin}next?c=1")).await)["target"], "/next?c=1");
    assert_eq!(setup.wire.base().path(), "/api/");
}

#[tokio::test]
async fn another_origin_is_not_asked() {
    let setup = Setup::new(settings().await);
    let elsewhere = echo().await;
    let failure = failed(setup.get(elsewhere.as_str()).await);
    assert_eq!((failure.kind, failure.id), (FailureKind::ForeignOrigin, None));
    assert_eq!(setup.tape.outcomes(), []);
    assert_eq!(setup.wire.remaining(), 10_000);
}

#[tokio::test]
async fn http2_is_spoken_over_plain_tcp_when_known_beforehand() {
    let setup = Setup::new(Settings { http2_prior_knowledge: true, ..settings().await });
    assert_eq!(seen(setup.get("/x").await)["version"], "HTTP/2.0");
    assert_eq!(setup.tape.told()[0].version, "HTTP/2");
}

#[tokio::test]
async fn http2_to_a_peer_that_does_not_speak_it_is_a_protocol_failure() {
    // An HTTP/1.1 server answers the preface (RFC 9113 §3.4), which ends with an empty line, as a bad request.
    let url = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let setup = Setup::new(Settings { http2_prior_knowledge: true, ..Settings::new(url) });
    let failure = failed(setup.get("/x").await);
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure}");
}

#[tokio::test]
async fn http2_header_fields_over_the_bound_are_too_large() {
    for size in [1_500, 50_000] {
        let url = served(Router::new().fallback(move || async move { [("x-big", "a".repeat(size))] })).await;
        let mut settings = Settings { http2_prior_knowledge: true, ..Settings::new(url) };
        settings.limits.headers = crate::notation::ByteSize(1_000);
        let failure = failed(Setup::new(settings).get("/x").await);
        assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
    }
}

#[tokio::test]
async fn http2_content_of_another_length_than_announced_is_broken() {
    let router = Router::new().fallback(|| async {
        let parts = [Ok::<_, std::io::Error>("abc"), Ok("de")];
        ([("content-length", "10")], axum::body::Body::from_stream(futures_util::stream::iter(parts)))
    });
    let setup = Setup::new(Settings { http2_prior_knowledge: true, ..Settings::new(served(router).await) });
    let failure = failed(setup.post("/x").await);
    assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
}

#[tokio::test]
async fn a_proxy_is_asked_in_the_targets_stead_and_named_when_it_fails() {
    let proxy = echo().await;
    let base = Url::parse("http://target.example/api").unwrap();
    let through = |proxy: Url| Setup::new(Settings { proxy: Some(proxy), ..Settings::new(base.clone()) });
    let seen = seen(through(proxy).get("/x").await);
    assert_eq!(seen["target"], "http://target.example/api/x");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = url_of("http", listener.local_addr().unwrap());
    drop(listener);
    let failure = failed(through(gone.clone()).get("/x").await);
    assert_eq!(failure.kind, FailureKind::Connect, "{failure}");
    assert!(failure.message.contains(&format!("proxy 127.0.0.1:{}", gone.port().unwrap())), "{failure}");
}

#[test]
fn a_proxy_of_another_kind_is_refused_without_showing_its_password() {
    let proxy = Url::parse("socks5://user:hush@proxy.example:1080").unwrap();
    let settings = Settings { proxy: Some(proxy), ..Settings::new(Url::parse("http://h.example").unwrap()) };
    let error = Wire::new(settings, Arc::new(Tape::default()), CancellationToken::new()).err().unwrap().to_string();
    assert!(error.contains("socks5://proxy.example:1080") && !error.contains("hush"), "{error}");
}
