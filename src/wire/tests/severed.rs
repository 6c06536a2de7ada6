//! Connections lost on purpose.

use axum::{Router, body::Bytes};
use tokio::sync::mpsc;

use super::*;
use crate::exchange::Payload;

fn create() -> Request {
    let payload = Payload::Json(serde_json::json!({"amount": "1.00"}));
    Request { payload, ..Request::new(Who::Anonymous, "POST", "/x?y=z") }
}

/// Whole requests as the peer got them, and how each of its connections ended.
async fn observed(answer: &'static [u8]) -> (Setup, mpsc::UnboundedReceiver<(Vec<u8>, bool)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::with_limits(&url_of("http", listener.local_addr().unwrap()), Limits::default());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut got = Vec::new();
            while !got.ends_with(b"}") && socket.read_buf(&mut got).await.is_ok_and(|read| read > 0) {}
            let _ = socket.write_all(answer).await;
            // The other side is gone when reading ends, however it ends.
            let gone = socket.read_buf(&mut Vec::new()).await.map_or(true, |read| read == 0);
            let _ = tell.send((got, gone));
        }
    });
    (setup, told)
}

#[tokio::test]
async fn the_peer_gets_the_whole_request_and_nobody_gets_the_answer() {
    for after_first_byte in [false, true] {
        let (setup, mut told) = observed(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}").await;
        let failure = failed(setup.wire.sever(create(), after_first_byte).await);
        assert_eq!(failure.kind, FailureKind::Severed, "{failure}");
        let (got, gone) = told.recv().await.unwrap();
        let text = String::from_utf8(got).unwrap();
        assert!(text.starts_with("POST /x?y=z HTTP/1.1\r\n") && text.ends_with(r#"{"amount":"1.00"}"#), "{text}");
        assert!(text.to_lowercase().contains("content-length: 17\r\n") && text.contains("host: 127.0.0.1:"), "{text}");
        assert!(gone);
        assert_eq!(setup.tape.outcomes(), [Err(FailureKind::Severed)]);
    }
}

#[tokio::test]
async fn a_request_without_content_is_cut_too() {
    let (heard, mut told) = mpsc::unbounded_channel();
    let router = Router::new().fallback(move |body: Bytes| async move {
        let _ = heard.send(body.len());
        "ok"
    });
    let setup = Setup::with_limits(&served(router).await, Limits::default());
    let failure = failed(setup.wire.sever(get("/x"), true).await);
    assert_eq!((failure.kind, told.recv().await), (FailureKind::Severed, Some(0)));
}

#[tokio::test]
async fn a_peer_that_closes_first_was_not_cut_by_us() {
    let setup = Setup::with_limits(&answering("").await, Limits::default());
    assert_eq!(failed(setup.wire.sever(create(), true).await).kind, FailureKind::Broken);
    let setup = Setup::with_limits(&Url::parse("http://127.0.0.1:9").unwrap(), Limits::default());
    assert_eq!(failed(setup.wire.sever(create(), false).await).kind, FailureKind::Connect);
}
