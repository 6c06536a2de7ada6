//! Responses larger than allowed, and content in a coding.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::notation::ByteSize;

fn tight() -> Limits {
    Limits { body: ByteSize(1_000), headers: ByteSize(1_000), ..Limits::default() }
}

async fn outcome_of(bytes: impl AsRef<[u8]>) -> Outcome {
    Setup::with_limits(&answering(bytes).await, tight()).get("/x").await
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn encoded(coding: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), content].concat()
}

#[tokio::test]
async fn content_up_to_the_bound_passes_and_one_byte_more_does_not() {
    let chunked = |size: usize| {
        let half = "a".repeat(size / 2);
        let rest = "a".repeat(size - size / 2);
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{half}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
            half.len(),
            rest.len()
        )
    };
    let plain = |size: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{}", "a".repeat(size));
    for response in [chunked(1_000), plain(1_000)] {
        assert_eq!(outcome_of(response).await.unwrap().body.len(), 1_000);
    }
    for response in [chunked(1_001), plain(1_001)] {
        let failure = failed(outcome_of(response).await);
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert!(failure.message.contains("larger than 1000B"), "{failure}");
    }
}

#[tokio::test]
async fn endless_content_is_cut_off_at_the_bound() {
    let url = peer(|mut socket| async move {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let failure = failed(Setup::with_limits(&url, tight()).get("/x").await);
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
}

#[tokio::test]
async fn header_fields_over_the_bound_are_too_large_and_endless_ones_too() {
    let big = format!("HTTP/1.1 200 OK\r\nX-Big: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(1_000));
    assert_eq!(failed(outcome_of(big).await).kind, FailureKind::TooLarge);
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "A: b\r\n".repeat(150));
    assert_eq!(failed(outcome_of(many).await).kind, FailureKind::TooLarge);
    for line in ["X-More: and more\r\n", "X-Endless: "] {
        let url = peer(move |mut socket| async move {
            let _ = socket.write_all(format!("HTTP/1.1 200 OK\r\n{line}").as_bytes()).await;
            let more = if line.ends_with('\n') { line.repeat(100) } else { "a".repeat(4_096) };
            while socket.write_all(more.as_bytes()).await.is_ok() {}
        })
        .await;
        let failure = failed(Setup::with_limits(&url, tight()).get("/x").await);
        assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
    }
}

#[tokio::test]
async fn encoded_content_is_decoded_and_the_fields_stay_as_sent() {
    let content = gzip(b"[1,2,3]");
    let reply = outcome_of(encoded("gzip", &content)).await.unwrap();
    assert_eq!(&reply.body[..], b"[1,2,3]");
    assert_eq!(reply.headers.get("content-encoding"), Some("gzip"));
    assert_eq!(reply.headers.get("content-length"), Some(content.len().to_string().as_str()));
}

#[tokio::test]
async fn bombs_corrupt_content_and_unknown_codings_are_told_apart() {
    let bomb = gzip(&vec![0; 500_000]);
    assert!(bomb.len() < 1_000, "the bomb itself must pass");
    for (coding, content, kind) in [
        ("gzip", &bomb[..], FailureKind::TooLarge),
        ("gzip", b"not gzip at all".as_slice(), FailureKind::Encoding),
        ("zstd", b"whatever".as_slice(), FailureKind::Encoding),
    ] {
        let failure = failed(outcome_of(encoded(coding, content)).await);
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.message.contains(coding), "{failure}");
    }
}

#[tokio::test]
async fn a_coding_without_content_is_no_failure() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5000000\r\n\r\n";
    let setup = Setup::with_limits(&answering(head).await, tight());
    let reply = setup.wire.send(Request::new(Who::Anonymous, "HEAD", "/x")).await.unwrap();
    assert_eq!((reply.body.len(), reply.headers.get("content-length")), (0, Some("5000000")));
}
