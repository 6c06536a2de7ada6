//! Requests under way at once.

use axum::{Router, body::Bytes};
use tokio::{sync::Barrier, time::timeout};

use super::*;
use crate::exchange::Payload;

fn create(target: &str) -> Request {
    let payload = Payload::Raw(axum::body::Bytes::from_static(b"{}"), Some("application/json".into()));
    Request { payload, ..Request::new(Who::Anonymous, "POST", target) }
}

#[tokio::test]
async fn all_are_under_way_at_once_whatever_the_concurrency() {
    // Nobody is answered before all ten are there, bodies included.
    let barrier = Arc::new(Barrier::new(10));
    let router = Router::new().fallback(move |body: Bytes| async move {
        barrier.wait().await;
        body
    });
    let setup = Setup::with_limits(&served(router).await, Limits { concurrency: 1, ..Limits::default() });
    for _ in 0..2 {
        let outcomes = setup.wire.together((0..10).map(|_| create("/x")).collect()).await;
        let replies: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert!(replies.iter().all(|reply| reply.body == "{}"), "the last octet came too");
        let released = replies[0].sent;
        assert!(replies.iter().all(|reply| reply.sent == released && reply.received > released));
    }
    assert_eq!(setup.wire.remaining(), Limits::default().requests - 20);
}

#[tokio::test]
async fn the_last_octet_waits_for_everybody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::with_limits(&url_of("http", listener.local_addr().unwrap()), Limits::default());
    let wire = Arc::clone(&setup.wire);
    let sending = tokio::spawn(async move { wire.together(vec![create("/a"), create("/b")]).await });
    let (mut first, _) = listener.accept().await.unwrap();
    let (mut second, _) = listener.accept().await.unwrap();
    // The first connection has all but one octet long before the second has its head read; both end together.
    let mut octets = [0; 2];
    assert!(read_head(&mut first).await && read_head(&mut second).await);
    for socket in [&mut first, &mut second] {
        timeout(Duration::from_secs(5), socket.read_exact(&mut octets)).await.expect("the rest comes").unwrap();
        assert_eq!(&octets, b"{}");
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    }
    assert_eq!(sending.await.unwrap().into_iter().flatten().count(), 2);
}

#[tokio::test]
async fn who_cannot_be_sent_keeps_nobody_waiting() {
    let router = Router::new().fallback(|| async { "ok" });
    let setup = Setup::with_limits(&served(router).await, Limits { requests: 2, ..Limits::default() });
    let foreign = Request::new(Who::Anonymous, "POST", "http://elsewhere.example/x");
    let outcomes = setup.wire.together(vec![foreign, create("/x"), create("/y")]).await;
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map(|r| r.status).map_err(|f| f.kind)).collect();
    assert_eq!(kinds, [Err(FailureKind::ForeignOrigin), Ok(200), Err(FailureKind::Budget)]);
}
