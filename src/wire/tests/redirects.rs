//! Redirects, followed and not.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, Uri, header::LOCATION},
    routing::get as on_get,
};

use super::*;
use crate::wire::{Credentials, Secret};

/// `/to/STATUS?WHERE` redirects; `/count/N` leads to `/count/N-1`; `/loop` to itself by way of `/back`.
async fn server() -> Url {
    let redirect = |status: u16, location: String| (StatusCode::from_u16(status).unwrap(), [(LOCATION, location)]);
    let router = Router::new()
        .route(
            "/to/{status}",
            axum::routing::any(move |Path(status): Path<u16>, uri: Uri| async move {
                redirect(status, uri.query().unwrap_or_default().split("&key=").next().unwrap_or_default().to_owned())
            }),
        )
        .route(
            "/count/{n}",
            on_get(move |Path(n): Path<u32>| async move {
                if n == 0 { Ok("done") } else { Err(redirect(307, format!("/count/{}", n - 1))) }
            }),
        )
        .route("/loop", on_get(move || async move { redirect(302, "/back".into()) }))
        .route("/back", on_get(move || async move { redirect(302, "loop".into()) }))
        .route("/nowhere", on_get(|| async { StatusCode::FOUND }))
        .fallback(|uri: Uri| async move { uri.to_string() });
    served(router).await
}

#[tokio::test]
async fn each_status_is_followed_for_get_and_head_only_and_each_hop_is_recorded() {
    let url = server().await;
    for status in [301, 302, 303, 307, 308] {
        let setup = Setup::with_limits(&url, Limits::default());
        let reply = setup.get(&format!("/to/{status}?../there?x=1#top")).await.unwrap();
        assert_eq!((&reply.body[..], reply.url.path(), reply.id), (&b"/there?x=1"[..], "/there", ExchangeId(2)));
        assert_eq!(setup.tape.outcomes(), [Ok(status), Ok(200)]);
        let head = Request::new(Who::Anonymous, "HEAD", format!("/to/{status}?/there"));
        assert_eq!(setup.wire.send(head).await.unwrap().status, 200);
        assert_eq!(setup.post(&format!("/to/{status}?/there")).await.unwrap().status, status);
    }
}

#[tokio::test]
async fn other_3xx_and_redirects_to_nowhere_are_answers() {
    let setup = Setup::with_limits(&server().await, Limits::default());
    for status in [300, 304, 305] {
        assert_eq!(setup.get(&format!("/to/{status}?/there")).await.unwrap().status, status);
    }
    assert_eq!(setup.get("/nowhere").await.unwrap().status, 302);
}

#[tokio::test]
async fn redirects_are_followed_up_to_the_bound() {
    let url = server().await;
    let setup = Setup::with_limits(&url, Limits { redirects: 2, ..Limits::default() });
    assert_eq!(&setup.get("/count/2").await.unwrap().body[..], b"done");
    let failure = failed(setup.get("/count/3").await);
    assert_eq!((failure.kind, failure.id), (FailureKind::Redirect, Some(ExchangeId(6))), "{failure}");
    assert!(failure.message.contains("more than 2 redirects"), "{failure}");
    let none = Setup::with_limits(&url, Limits { redirects: 0, ..Limits::default() });
    assert_eq!(none.get("/count/1").await.unwrap().status, 307);
}

#[tokio::test]
async fn a_circle_is_seen_before_it_is_walked_again() {
    let setup = Setup::with_limits(&server().await, Limits { redirects: 10, ..Limits::default() });
    let failure = failed(setup.get("/loop").await);
    assert_eq!((failure.kind, failure.id), (FailureKind::Redirect, Some(ExchangeId(2))), "{failure}");
    assert_eq!(setup.tape.outcomes(), [Ok(302), Ok(302)]);
}

#[tokio::test]
async fn another_origin_is_never_asked() {
    let (url, elsewhere) = (server().await, server().await);
    let setup = Setup::with_limits(&url, Limits::default());
    let port = elsewhere.port().unwrap();
    for location in [
        elsewhere.as_str().to_owned(),
        format!("//127.0.0.1:{port}/x"),
        format!("https://127.0.0.1:{}/x", url.port().unwrap()),
        format!("http://127.0.0.1:{}@127.0.0.1:{port}/", url.port().unwrap()),
        "javascript:alert(1)".to_owned(),
    ] {
        let before = setup.tape.outcomes().len();
        let failure = failed(setup.get(&format!("/to/302?{location}")).await);
        assert_eq!(failure.kind, FailureKind::ForeignOrigin, "{location}: {failure}");
        assert_eq!(setup.tape.outcomes()[before..], [Ok(302)], "{location}");
        assert!(failure.id.is_some());
    }
}

#[tokio::test]
async fn credentials_in_the_query_are_carried_along() {
    let mut settings = Settings::new(server().await);
    let key = BTreeMap::from([("key".to_owned(), Secret::new("k"))]);
    settings.clients.insert("q".into(), Credentials::Query(key));
    let setup = Setup::new(settings);
    let request = Request::new(Who::Client("q".into()), "GET", "/to/302?/there");
    assert_eq!(&setup.wire.send(request).await.unwrap().body[..], b"/there?key=k");
}
