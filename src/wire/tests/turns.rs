//! Pace, concurrency, budgets, interruption.

use std::sync::atomic::AtomicUsize;

use axum::Router;
use futures_util::future::join_all;
use tokio::sync::Barrier;

use super::*;

async fn quick() -> Url {
    served(Router::new().fallback(|| async { "ok" })).await
}

#[tokio::test]
async fn requests_start_evenly_spaced_at_the_rate() {
    let limits = Limits { rate: "50/s".parse().ok(), ..Limits::default() };
    let setup = Setup::with_limits(&quick().await, limits);
    let begun = setup.wire.now();
    join_all((0..5).map(|_| setup.get("/x"))).await;
    let mut sent: Vec<_> = setup.tape.told().iter().map(|told| told.sent).collect();
    sent.sort();
    for (n, sent) in (0..5).zip(sent) {
        assert!(sent >= begun + Duration::from_millis(20) * n, "{n}: {sent:?}");
    }
}

#[tokio::test]
async fn as_many_exchanges_as_allowed_are_under_way_and_no_more() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Nobody is answered before three are there, so fewer than three at once would never end.
    let barrier = Arc::new(Barrier::new(3));
    let seen = Arc::clone(&most);
    let router = Router::new().fallback(move || async move {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        barrier.wait().await;
        now.fetch_sub(1, Ordering::SeqCst);
        "ok"
    });
    let limits = Limits { concurrency: 3, ..Limits::default() };
    let setup = Setup::with_limits(&served(router).await, limits);
    let outcomes = join_all((0..9).map(|_| setup.get("/x"))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_budget_counts_every_exchange_and_nothing_is_sent_beyond_it() {
    let setup = Setup::with_limits(&quick().await, Limits { requests: 2, ..Limits::default() });
    for left in [1, 0] {
        setup.get("/x").await.unwrap();
        assert_eq!(setup.wire.remaining(), left);
    }
    let failure = failed(setup.get("/x").await);
    assert_eq!((failure.kind, failure.id), (FailureKind::Budget, None));
    assert!(failure.message.contains("2 requests"), "{failure}");
    assert_eq!(setup.tape.outcomes(), [Ok(200), Ok(200)]);
    assert!(!setup.wire.stopping());
}

#[tokio::test]
async fn the_runs_time_ends_pauses_exchanges_and_sending() {
    let silent = peer(|mut socket| async move {
        let _ = socket.read(&mut [0]).await;
    })
    .await;
    let limits = Limits { duration: Span(Duration::from_millis(100)), ..Limits::default() };
    let setup = Setup::with_limits(&silent, limits);
    let cut = failed(setup.get("/x").await);
    assert_eq!((cut.kind, cut.id), (FailureKind::Interrupted, Some(ExchangeId(1))), "{cut}");
    setup.wire.pause(Duration::from_hours(1)).await;
    assert!(setup.wire.stopping());
    let failure = failed(setup.get("/x").await);
    assert_eq!((failure.kind, failure.id), (FailureKind::Budget, None));
    assert!(failure.message.contains("100ms"), "{failure}");
}

#[tokio::test]
async fn interrupting_ends_what_is_under_way_and_what_waits() {
    let arrived = Arc::new(Notify::new());
    let bell = Arc::clone(&arrived);
    let silent = peer(move |mut socket| {
        bell.notify_one();
        async move {
            let _ = socket.read(&mut [0]).await;
        }
    })
    .await;
    let setup = Setup::with_limits(&silent, Limits { concurrency: 1, ..Limits::default() });
    let send = || {
        let wire = Arc::clone(&setup.wire);
        tokio::spawn(async move { wire.send(get("/x")).await })
    };
    let under_way = send();
    arrived.notified().await;
    let queued = send();
    setup.cancel.cancel();
    assert_eq!(failed(under_way.await.unwrap()).id, Some(ExchangeId(1)));
    let queued = failed(queued.await.unwrap());
    assert_eq!((queued.kind, queued.id), (FailureKind::Interrupted, None));
    assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Interrupted)]);
    assert!(setup.wire.stopping());
    setup.wire.pause(Duration::from_hours(1)).await;
}

#[tokio::test]
async fn requests_one_after_another_use_the_same_connection() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let url = peer(move |mut socket| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            while socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_ok()
                && read_head(&mut socket).await
            {}
        }
    })
    .await;
    let setup = Setup::with_limits(&url, Limits::default());
    for _ in 0..50 {
        assert_eq!(&setup.get("/x").await.unwrap().body[..], b"ok");
    }
    // A second one may be opened before the first is seen to be free again.
    assert!(connections.load(Ordering::SeqCst) <= 2);
}
