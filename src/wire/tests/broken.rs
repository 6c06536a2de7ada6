//! Peers that cannot be reached, do not speak HTTP, or stop half-way.

use super::*;

const NOTHING: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What an unsafe request, which is sent once, and a GET come to.
async fn both(url: &Url) -> (Failure, Setup) {
    let setup = Setup::with_limits(url, Limits::default());
    let failure = failed(setup.post("/x").await);
    assert_eq!(setup.tape.outcomes(), [Err(failure.kind)]);
    assert_eq!(failure.id, Some(ExchangeId(1)));
    (failure, setup)
}

#[tokio::test]
async fn a_peer_that_closes_at_accept_is_broken_and_a_safe_request_is_tried_three_times() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("http", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
        }
    });
    let (failure, setup) = both(&url).await;
    assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
    assert_eq!(failed(setup.get("/x").await).id, Some(ExchangeId(4)));
    assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Broken); 4]);
    let pauses: Vec<_> = setup.tape.waits().into_iter().map(|(_, time, _)| time.as_millis()).collect();
    assert_eq!(pauses, [100, 400]);
}

#[tokio::test]
async fn a_connection_that_works_again_gives_the_answer() {
    let broken = std::sync::atomic::AtomicBool::new(true);
    let url = peer(move |mut socket| {
        let break_off = broken.swap(false, Ordering::Relaxed);
        async move {
            if !break_off {
                let _ = socket.write_all(NOTHING.as_bytes()).await;
                let _ = socket.read(&mut [0]).await;
            }
        }
    })
    .await;
    let setup = Setup::with_limits(&url, Limits::default());
    let reply = setup.get("/x").await.unwrap();
    assert_eq!((reply.status, reply.id), (200, ExchangeId(2)));
    assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Broken), Ok(200)]);
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_failure_and_not_tried_again() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ] {
        let setup = Setup::with_limits(&answering(bytes).await, Limits::default());
        let failure = failed(setup.get("/x").await);
        assert_eq!(failure.kind, FailureKind::Protocol, "{bytes:?}: {failure}");
        assert!(failure.message.contains("127.0.0.1:"), "{failure}");
        assert_eq!(setup.tape.outcomes().len(), 1, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_response_that_stops_early_is_broken() {
    for bytes in [
        "",
        "HTTP/1.1 200 O",
        "HTTP/1.1 200 OK\r\nContent-Type: text/pl",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let (failure, _) = both(&answering(bytes).await).await;
        assert_eq!(failure.kind, FailureKind::Broken, "{bytes:?}: {failure}");
        assert!(failure.message.contains("closed the connection"), "{bytes:?}: {failure}");
    }
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_content_is_broken() {
    let url = peer(|mut socket| async move {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
        let _ = socket.set_zero_linger();
    })
    .await;
    let (failure, setup) = both(&url).await;
    assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
    assert!(setup.tape.told()[0].remote.is_some_and(|remote| url_of("http", remote) == url));
}

#[tokio::test]
async fn content_until_close_is_whole() {
    let url = answering("HTTP/1.0 200 OK\r\nX-Odd: \u{e9}\r\n\r\nall of it").await;
    let setup = Setup::with_limits(&url, Limits::default());
    let reply = setup.get("/x").await.unwrap();
    assert_eq!((&reply.body[..], reply.headers.get("x-odd")), (&b"all of it"[..], Some("é")));
    assert_eq!(setup.tape.told()[0].version, "HTTP/1.0");
}

#[tokio::test]
async fn header_octets_that_are_not_utf8_are_replaced() {
    let url = answering(b"HTTP/1.1 200 OK\r\nX-Odd: a\xff\xe9b\r\nContent-Length: 0\r\n\r\n").await;
    let reply = Setup::with_limits(&url, Limits::default()).get("/x").await.unwrap();
    assert_eq!(reply.headers.get("x-odd"), Some("a\u{fffd}\u{fffd}b"));
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_whatever_the_method_and_given_up_soon() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("http", listener.local_addr().unwrap());
    drop(listener);
    let setup = Setup::with_limits(&url, Limits::default());
    let failure = failed(setup.post("/x").await);
    assert_eq!(failure.kind, FailureKind::Connect, "{failure}");
    assert!(failure.message.contains("connection refused"), "{failure}");
    assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Connect); 3]);
    let begun: Duration = setup.tape.told().last().unwrap().sent;
    assert!(begun >= Duration::from_millis(500) && begun < Duration::from_secs(2), "{begun:?}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_from_a_host_that_does_not_answer() {
    // A label over 63 octets is refused by the resolver itself, without asking any server.
    let url = Url::parse(&format!("http://{}.example/", "a".repeat(64))).unwrap();
    let (failure, _) = both(&url).await;
    assert_eq!(failure.kind, FailureKind::Dns, "{failure}");
}

#[tokio::test]
async fn silence_and_drip_fed_content_hit_the_timeout_and_a_safe_request_is_tried_once_more() {
    let silent = peer(|mut socket| async move {
        let _ = socket.read(&mut [0]).await;
    })
    .await;
    let dripping = peer(|mut socket| async move {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n").await;
        while socket.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    for url in [silent, dripping] {
        let setup = Setup::with_limits(&url, impatient());
        let failure = failed(setup.get("/x").await);
        assert_eq!(failure.kind, FailureKind::Timeout, "{failure}");
        assert!(failure.message.contains("within 80ms"), "{failure}");
        assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Timeout); 2]);
        assert!(setup.tape.told()[0].took >= Duration::from_millis(80));
        failed(setup.post("/x").await);
        assert_eq!(setup.tape.outcomes().len(), 3);
    }
}
