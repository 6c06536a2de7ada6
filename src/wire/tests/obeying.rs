//! Peers that ask to wait.

use std::sync::atomic::AtomicUsize;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, Uri},
};

use super::*;

/// A server that answers `refusals` requests with this status and these fields, and the others with 200 and their path.
async fn refusing(refusals: usize, status: u16, fields: &[(&'static str, &'static str)]) -> Url {
    let left = Arc::new(AtomicUsize::new(refusals));
    let status = StatusCode::from_u16(status).unwrap();
    let fields: HeaderMap = fields.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect();
    let handler = move |uri: Uri| async move {
        let refuse = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        let status = if refuse { status } else { StatusCode::OK };
        (status, if refuse { fields } else { HeaderMap::new() }, uri.to_string())
    };
    served(Router::new().fallback(handler)).await
}

const AT_ONCE: &[(&str, &str)] = &[("retry-after", "0")];

#[tokio::test]
async fn a_429_is_obeyed_for_every_method_and_each_try_is_recorded() {
    let setup = Setup::with_limits(&refusing(2, 429, AT_ONCE).await, Limits::default());
    let reply = setup.post("/x").await.unwrap();
    assert_eq!((reply.status, reply.id), (200, ExchangeId(3)));
    assert_eq!(setup.tape.outcomes(), [Ok(429), Ok(429), Ok(200)]);
    assert_eq!(setup.wire.remaining(), 9_997);
    assert_eq!(setup.tape.waits()[0], ("anonymous".into(), Duration::ZERO, "status 429".into()));
}

#[tokio::test]
async fn a_503_is_obeyed_for_safe_methods_only() {
    let setup = Setup::with_limits(&refusing(2, 503, AT_ONCE).await, Limits::default());
    assert_eq!(setup.post("/x").await.unwrap().status, 503);
    assert_eq!(setup.get("/x").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_peer_that_never_relents_is_asked_five_times() {
    let setup = Setup::with_limits(&refusing(100, 429, AT_ONCE).await, Limits::default());
    assert_eq!(setup.get("/x").await.unwrap().status, 429);
    assert_eq!(setup.tape.outcomes(), [Ok(429); 5]);
}

#[tokio::test]
async fn a_request_that_does_not_obey_gets_the_refusal() {
    let setup = Setup::with_limits(&refusing(1, 429, AT_ONCE).await, Limits::default());
    let mut request = get("/x");
    request.obey = false;
    assert_eq!(setup.wire.send(request).await.unwrap().status, 429);
    assert_eq!(setup.tape.outcomes(), [Ok(429)]);
}

#[tokio::test]
async fn a_date_counts_from_the_servers_clock_however_wrong_that_is() {
    let past = &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"), ("date", "Fri, 31 Dec 1999 23:59:59 GMT")];
    let setup = Setup::with_limits(&refusing(1, 429, past).await, Limits::default());
    assert_eq!(setup.get("/x").await.unwrap().status, 200);
    let later = &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"), ("date", "Fri, 31 Dec 1999 22:59:59 GMT")];
    let setup = Setup::with_limits(&refusing(1, 429, later).await, Limits::default());
    assert_eq!(setup.get("/x").await.unwrap().status, 429, "an hour is longer than is waited");
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_not_begun() {
    let setup = Setup::with_limits(&refusing(9, 429, &[("retry-after", "61")]).await, Limits::default());
    assert_eq!(setup.get("/x").await.unwrap().status, 429);
    assert_eq!(setup.tape.waits(), []);
    // Nor is one that the run would not live to see the end of.
    let short = Limits { duration: Span(Duration::from_secs(5)), ..Limits::default() };
    let setup = Setup::with_limits(&refusing(9, 429, &[("retry-after", "30")]).await, short);
    let failure = failed(setup.get("/x").await);
    assert_eq!((failure.kind, failure.id), (FailureKind::Budget, Some(ExchangeId(1))), "{failure}");
}

#[tokio::test]
async fn a_wait_ends_when_the_run_is_interrupted() {
    let setup = Setup::with_limits(&refusing(9, 429, &[("retry-after", "30")]).await, Limits::default());
    let wire = Arc::clone(&setup.wire);
    let waiting = tokio::spawn(async move { wire.send(get("/x")).await });
    setup.tape.waited.notified().await;
    setup.cancel.cancel();
    assert_eq!(failed(waiting.await.unwrap()).kind, FailureKind::Interrupted);
    assert!(setup.wire.now() < Duration::from_secs(10));
}

#[tokio::test]
async fn while_one_request_waits_the_clients_others_wait_with_it_and_nobody_elses_do() {
    // One slot: a waiting request that held it would keep everybody from sending.
    let limits = Limits { concurrency: 1, ..Limits::default() };
    let mut settings = Settings { limits, ..Settings::new(refusing(0, 429, &[]).await) };
    for name in ["told", "other"] {
        settings.clients.insert(name.into(), crate::wire::Credentials::Bearer(crate::wire::Secret::new(name)));
    }
    let setup = Setup::new(settings);
    let of =
        |client: &str, target: &str, obey| Request { obey, ..Request::new(Who::Client(client.into()), "GET", target) };
    let until = setup.wire.now() + Duration::from_millis(80);
    setup.wire.turn.close_gate("told", Duration::from_millis(80));
    let (first, second, free, other) = tokio::join!(
        setup.wire.send(of("told", "/1", true)),
        setup.wire.send(of("told", "/2", true)),
        setup.wire.send(of("told", "/3", false)),
        setup.wire.send(of("other", "/4", true)),
    );
    let sent = [first, second, free, other].map(|outcome| outcome.unwrap().sent);
    assert!(sent[0] >= until && sent[1] >= until, "{sent:?}");
    assert!(sent[2].max(sent[3]) < sent[0].min(sent[1]), "{sent:?}");
}
