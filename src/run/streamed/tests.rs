use std::{collections::VecDeque, sync::Arc};

use super::*;
use crate::{
    exchange::{End, ExchangeId, Handshake, Recorded, Request, Tally, Who},
    record::Stopped,
    rule::{Finding, Severity, Verdict},
    run::{Silent, trace::Trace},
    wire::{Heard, Recorder, Streamed, stream::Log},
};

fn noted(opcode: Opcode, head: &[u8]) -> Noted {
    let at = Duration::from_millis(2);
    Noted { at, ours: true, fin: true, rsv: 0, masked: true, opcode, length: 300, head: head.to_vec() }
}

#[test]
fn secrets_in_frames_are_hidden_and_close_frames_are_read() {
    let mut redactor = Redactor::new(b"run");
    redactor.add("hush-0123456789");
    let text = |noted| frame(&noted, &redactor).text;
    let hidden = text(noted(Opcode::Text, br#"{"token":"hush-0123456789"}"#)).unwrap();
    assert!(!hidden.contains("hush") && hidden.contains("[secret:"), "{hidden}");
    let cut = text(noted(Opcode::Continuation, br#"{"token":"hush-012345"#)).unwrap();
    assert!(!cut.contains("hush") && cut.contains("in part"), "{cut}");
    let close = frame(&noted(Opcode::Close, b"\x03\xe9going away"), &redactor);
    assert_eq!((close.code, close.text.as_deref(), close.length), (Some(1001), Some("going away"), 300));
    assert_eq!(frame(&noted(Opcode::Close, b"\x03"), &redactor).code, None);
    assert_eq!(text(noted(Opcode::Binary, b"hush-0123456789")), None);
    assert_eq!(text(Noted { rsv: 4, ..noted(Opcode::Text, b"deflated") }), None);
}

const SECRET: &str = "hush-0123456789";

fn trace() -> Trace {
    let mut redactor = Redactor::new(b"run");
    redactor.add(SECRET);
    Trace::new(redactor, Vec::new(), Arc::new(Silent))
}

fn log(frames: usize) -> Log {
    let head = format!("{{\"token\":\"{SECRET}\",\"pad\":\"{}\"}}", "x".repeat(200));
    Log {
        first: vec![noted(Opcode::Text, head.as_bytes()); frames],
        left_out: 7,
        last: VecDeque::new(),
        sent: Tally { frames: frames as u64 + 7, octets: 9_000 },
        received: Tally::default(),
        ending: Some(Ending { at: Duration::from_secs(2), ours: false, how: End::Reset }),
    }
}

/// A stream that was opened as number `id`, and is over.
fn stream(trace: &Trace, log: &Log) -> ExchangeId {
    let request = Request::new(Who::Client("reader".into()), "GET", "/s").purpose("watch");
    let headers: Headers = [("authorization".to_owned(), format!("Bearer {SECRET}"))].into_iter().collect();
    let id = trace.next_id();
    let handshake = Handshake {
        id,
        status: 101,
        headers: headers.clone(),
        key: "AQID".into(),
        sent: Duration::from_millis(1),
        received: Duration::from_millis(3),
    };
    trace.opened(&request, &handshake);
    trace.streamed(&Streamed {
        request: &request,
        url: &format!("http://h.example/s?access_token={SECRET}").parse().unwrap(),
        sent_headers: &headers,
        version: "HTTP/1.1",
        remote: None,
        handshake: &handshake,
        log,
        took: Duration::from_secs(2),
    });
    id
}

fn citing(id: ExchangeId) -> Finding {
    Finding {
        rule: "WS-001".into(),
        family: "websocket".into(),
        check: "orders".into(),
        verdict: Verdict::Fail,
        severity: Severity::Major,
        severity_was: None,
        title: String::new(),
        message: String::new(),
        expected: vec![],
        actual: String::new(),
        details: vec![],
        drawing: vec![],
        exchanges: vec![id],
        source: String::new(),
        waived: false,
    }
}

#[test]
fn a_stream_is_one_exchange_and_its_secrets_are_nowhere() {
    let trace = trace();
    let id = stream(&trace, &log(3));
    let exchanges = trace.exchanges(&[citing(id)]);
    assert_eq!((trace.count(), exchanges.len(), exchanges[0].status()), (1, 1, Some(101)));
    let text = serde_json::to_string(&exchanges).unwrap();
    assert!(!text.contains("hush") && text.matches("[secret:").count() == 6, "{text}");
    assert_eq!(serde_json::from_str::<Vec<crate::exchange::Exchange>>(&text).unwrap(), exchanges);
    let Recorded::Stream(recorded) = &exchanges[0].outcome else { panic!("{:?}", exchanges[0].outcome) };
    assert_eq!((recorded.first.len(), recorded.left_out, recorded.sent.frames), (3, 7, 10));
    assert!(recorded.ending.as_ref().is_some_and(|end| end.how == End::Reset && end.at_us == 2_000_000));
}

#[test]
fn what_is_kept_of_all_streams_is_bounded_and_how_each_ended_is_always_kept() {
    let trace = trace();
    let ids: Vec<_> = (0..400).map(|_| stream(&trace, &log(100))).collect();
    let findings: Vec<_> = ids.iter().map(|id| citing(*id)).collect();
    let mut octets = 0;
    for exchange in trace.exchanges(&findings) {
        let Recorded::Stream(recorded) = exchange.outcome else { panic!("{:?}", exchange.outcome) };
        octets += recorded.first.iter().filter_map(|frame| frame.text.as_ref()).map(String::len).sum::<usize>();
        assert_eq!((recorded.first.len() as u64 + recorded.left_out, recorded.sent.frames), (107, 107));
        assert!(recorded.ending.is_some());
    }
    assert!((3 << 20..6 << 20).contains(&octets), "{octets}");
}

#[test]
fn handshakes_tell_whether_we_are_let_in() {
    let (let_in, refused) = (trace(), trace());
    for (trace, accepted) in [(&let_in, true), (&refused, false)] {
        if accepted {
            stream(trace, &log(1));
        }
        let request = Request::new(Who::Client("reader".into()), "GET", "/s");
        let (headers, id) = (Headers::default(), trace.next_id());
        let url: url::Url = "http://h.example/s".parse().unwrap();
        let reply = crate::exchange::Reply {
            id,
            url: url.clone(),
            status: 401,
            headers: headers.clone(),
            body: bytes::Bytes::new(),
            sent: Duration::ZERO,
            received: Duration::ZERO,
        };
        trace.heard(&Heard {
            id,
            request: &request,
            url: &url,
            headers: &headers,
            body: &bytes::Bytes::new(),
            version: "HTTP/1.1",
            remote: None,
            outcome: &Ok(reply),
            sent: Duration::ZERO,
            took: Duration::ZERO,
        });
    }
    assert!(let_in.stopped().is_none());
    assert!(matches!(refused.stopped(), Some(Stopped::LoginRefused(_))));
}
