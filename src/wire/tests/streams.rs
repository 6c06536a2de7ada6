//! Streams: handshakes, frames, bounds, and every way to end.

use bytes::Bytes;

use super::*;
use crate::{
    exchange::{End, Frame, Loss, Opcode, Opening, Outgoing, Received, Unopened},
    notation::ByteSize,
    wire::{Stream, stream::octets},
};

const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Note: a\r\n\r\n";

fn opening() -> Opening {
    Opening::new(get("/stream?token=hush"))
}

/// A peer that accepts each handshake and then does what the script says.
async fn accepting<F, T>(script: F) -> Setup
where
    F: Fn(TcpStream) -> T + Clone + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let url = peer(move |mut socket| {
        let script = script.clone();
        async move {
            socket.write_all(SWITCH).await.unwrap();
            script(socket).await;
        }
    })
    .await;
    Setup::with_limits(&url, Limits::default())
}

/// A peer that sends these octets behind its 101 and then waits for the other side to go.
async fn sending(octets: impl Into<Bytes>) -> (Setup, Stream) {
    let octets: Bytes = octets.into();
    let setup = accepting(move |mut socket| {
        let octets = octets.clone();
        async move {
            let _ = socket.write_all(&octets).await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let stream = open(&setup).await;
    (setup, stream)
}

async fn open(setup: &Setup) -> Stream {
    setup.wire.open(opening()).await.ok().unwrap()
}

/// Everything until the end, or until nothing comes for a second.
async fn everything(setup: &Setup, stream: &mut Stream) -> (Vec<Frame>, Received) {
    let mut frames = Vec::new();
    loop {
        match stream.receive(&mut frames, setup.wire.now() + Duration::from_secs(1)).await {
            Received::Frames => {}
            other => return (frames, other),
        }
    }
}

fn unmasked(opcode: Opcode, payload: impl Into<Bytes>) -> Outgoing {
    Outgoing { masked: false, ..Outgoing::new(opcode, payload) }
}

#[tokio::test]
async fn the_handshake_says_what_was_asked_for_and_the_answer_is_given_as_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::with_limits(&url_of("http", listener.local_addr().unwrap()), Limits::default());
    let asked = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut head).await.unwrap();
        }
        // As little as an answer can be, and a frame in the same segment.
        socket.write_all(b"HTTP/1.1 101 Fine\r\nSec-WebSocket-Accept: nonsense\r\n\r\n\x81\x02hi").await.unwrap();
        (String::from_utf8(head).unwrap(), socket)
    });
    let opening = Opening {
        subprotocols: vec!["a.v1".into(), "b".into()],
        compression: true,
        version: 12,
        ..Opening::new(get("/stream?token=hush").header("Origin", "https://h.example"))
    };
    let mut stream = setup.wire.open(opening).await.ok().unwrap();
    let (head, _socket) = asked.await.unwrap();
    let key = stream.handshake().key.clone();
    assert_eq!(data_encoding::BASE64.decode(key.as_bytes()).unwrap().len(), 16);
    assert!(head.starts_with("GET /stream?token=hush HTTP/1.1\r\n"), "{head}");
    for field in [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 12",
        "sec-websocket-protocol: a.v1, b",
        "sec-websocket-extensions: permessage-deflate",
        "origin: https://h.example",
        &format!("sec-websocket-key: {key}"),
        &format!("host: {}", setup.wire.base().authority()),
    ] {
        assert!(head.contains(&format!("\r\n{field}")), "{field} is not in {head}");
    }
    assert_eq!(stream.handshake().headers.get("sec-websocket-accept"), Some("nonsense"));
    assert!(stream.handshake().sent <= stream.handshake().received);
    let mut frames = Vec::new();
    assert_eq!(stream.receive(&mut frames, setup.wire.now()).await, Received::Frames);
    assert_eq!((frames[0].opcode, &frames[0].payload[..]), (Opcode::Text, &b"hi"[..]));
    assert_eq!(setup.wire.remaining(), Limits::default().requests - 1);
    assert!(setup.tape.told().is_empty(), "a stream is told of when it is over");
    drop(stream);
    let streamed = setup.tape.streamed();
    assert_eq!((streamed[0].0, streamed[0].1.received.frames), (1, 1));
    assert_eq!(setup.tape.opened.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn another_answer_is_a_reply_read_to_its_end() {
    for (answer, body) in [
        (&b"HTTP/1.1 401 No\r\ncontent-length: 3\r\nx-code: 7\r\n\r\nwho"[..], &b"who"[..]),
        (b"HTTP/1.1 429 No\r\ntransfer-encoding: chunked\r\nx-code: 7\r\n\r\n2\r\nno\r\n1\r\nt\r\n0\r\n\r\n", b"not"),
        (b"HTTP/1.1 200 OK\r\nx-code: 7\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 302 Off\r\nx-code: 7\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n", b""),
    ] {
        let setup = Setup::with_limits(&answering(answer).await, Limits::default());
        let Err(Unopened::Refused(reply)) = setup.wire.open(opening()).await else { panic!("opened") };
        assert_eq!((reply.headers.get("x-code"), &reply.body[..]), (Some("7"), body));
        assert_eq!(setup.tape.outcomes(), [Ok(reply.status)]);
        assert!(setup.tape.told()[0].headers.get("sec-websocket-key").is_some());
        assert_eq!(setup.tape.opened.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_that_says_why() {
    let big = [b"HTTP/1.1 403 No\r\ncontent-length: 5000\r\n\r\n".as_slice(), &[b'x'; 5_000]].concat();
    let headers = format!("HTTP/1.1 101 Yes\r\nx: {}\r\n\r\n", "y".repeat(5_000));
    for (answer, kind) in [
        (b"".as_slice(), FailureKind::Broken),
        (b"HTTP/1.1 101 Swit", FailureKind::Broken),
        (b"\x00\x01\x02\x03 what\r\n\r\n", FailureKind::Protocol),
        (&big, FailureKind::TooLarge),
        (headers.as_bytes(), FailureKind::TooLarge),
    ] {
        let (body, headers) = (ByteSize(1_000), ByteSize(1_000));
        let setup = Setup::with_limits(&answering(answer).await, Limits { body, headers, ..Limits::default() });
        let failure = unopened(&setup).await;
        assert_eq!(failure.kind, kind, "{failure}");
        assert_eq!(setup.tape.outcomes(), [Err(kind)]);
    }
    let setup = Setup::with_limits(&Url::parse("http://127.0.0.1:9").unwrap(), Limits::default());
    assert_eq!(unopened(&setup).await.kind, FailureKind::Connect);
    let setup = Setup::with_limits(&Url::parse("http://no-such-host.invalid").unwrap(), Limits::default());
    assert_eq!(unopened(&setup).await.kind, FailureKind::Dns);
    let silent = peer(|mut socket| async move { drop(socket.read_u8().await) }).await;
    assert_eq!(unopened(&Setup::with_limits(&silent, impatient())).await.kind, FailureKind::Timeout);
}

async fn unopened(setup: &Setup) -> Failure {
    match setup.wire.open(opening()).await {
        Err(Unopened::Failed(failure)) => failed(Err(failure)),
        Err(Unopened::Refused(reply)) => panic!("refused with {}", reply.status),
        Ok(_) => panic!("opened"),
    }
}

#[tokio::test]
async fn nothing_is_opened_beyond_the_budget_through_a_proxy_or_by_a_stranger() {
    let base = Url::parse("http://127.0.0.1:9").unwrap();
    let setup = Setup::with_limits(&base, Limits { requests: 0, ..Limits::default() });
    assert_eq!(unopened(&setup).await.kind, FailureKind::Budget);
    let proxied = Settings { proxy: Some(base.clone()), ..Settings::new(base.clone()) };
    let failure = unopened(&Setup::new(proxied)).await;
    assert!(failure.kind == FailureKind::Request && failure.message.contains("--proxy"), "{failure}");
    let h2 = Settings { http2_prior_knowledge: true, ..Settings::new(base.clone()) };
    assert!(unopened(&Setup::new(h2)).await.message.contains("HTTP/2"));
    let setup = Setup::with_limits(&base, Limits::default());
    let stranger = Opening::new(Request::new(Who::Client("nobody".into()), "GET", "/x"));
    assert!(matches!(setup.wire.open(stranger).await, Err(Unopened::Failed(why)) if why.message.contains("`nobody`")));
    assert!(setup.tape.told().is_empty());
}

#[tokio::test]
async fn frames_are_given_as_they_came_however_wrong() {
    let text: Bytes = "fragmented".into();
    let sent = [
        Outgoing { fin: false, ..unmasked(Opcode::Text, text.clone()) },
        unmasked(Opcode::Ping, "in between"),
        Outgoing { rsv: 5, ..unmasked(Opcode::Continuation, "") },
        Outgoing::new(Opcode::Text, "masked, as no server may"),
        unmasked(Opcode::Reserved(11), "?"),
        unmasked(Opcode::Close, Outgoing::close(Some(1006), "never").payload),
        unmasked(Opcode::Binary, vec![7; 70_000]),
    ];
    let wire: Vec<u8> = sent.iter().flat_map(octets).collect();
    let (setup, mut stream) = sending(wire).await;
    let (frames, last) = everything(&setup, &mut stream).await;
    assert_eq!((frames.len(), last), (sent.len(), Received::Quiet));
    for (frame, sent) in frames.iter().zip(&sent) {
        assert_eq!((frame.fin, frame.rsv, frame.masked, frame.opcode), (sent.fin, sent.rsv, sent.masked, sent.opcode));
        assert_eq!(frame.payload, sent.payload);
        assert!(frame.at > Duration::ZERO && frame.at <= setup.wire.now());
    }
}

#[tokio::test]
async fn a_frame_that_trickles_in_is_whole_when_it_is_given() {
    let wire = octets(&unmasked(Opcode::Text, "x".repeat(300)));
    let setup = accepting(move |mut socket| {
        let wire = wire.clone();
        async move {
            for octet in wire {
                socket.write_all(&[octet]).await.unwrap();
                tokio::task::yield_now().await;
            }
            socket.shutdown().await.unwrap();
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let mut stream = open(&setup).await;
    let (frames, last) = everything(&setup, &mut stream).await;
    assert_eq!((frames.len(), frames[0].payload.len(), last), (1, 300, Received::Ended(End::Closed)));
}

#[tokio::test]
async fn a_frame_of_16_mebibytes_comes_and_a_larger_one_is_refused() {
    let most = 16 << 20;
    let (setup, mut stream) = sending(octets(&unmasked(Opcode::Binary, vec![1; most]))).await;
    let (frames, last) = everything(&setup, &mut stream).await;
    assert_eq!((frames.len(), frames[0].payload.len(), last), (1, most, Received::Quiet));
    let head = [&[0x82, 127][..], &(most as u64 + 1).to_be_bytes()].concat();
    let (setup, mut stream) = sending([&octets(&unmasked(Opcode::Ping, "before"))[..], &head].concat()).await;
    let (frames, last) = everything(&setup, &mut stream).await;
    let Received::Ended(End::Broken(why)) = last else { panic!("{last:?}") };
    assert!(frames.len() == 1 && why.contains("16777217") && why.contains("16MiB"), "{why}");
    assert!(matches!(stream.receive(&mut Vec::new(), Duration::ZERO).await, Received::Ended(End::Broken(_))));
}

#[tokio::test]
async fn garbage_is_broken() {
    let (setup, mut stream) = sending(vec![0xff; 100]).await;
    let (frames, last) = everything(&setup, &mut stream).await;
    assert!(frames.is_empty() && matches!(last, Received::Ended(End::Broken(_))), "{last:?}");
}

#[tokio::test]
async fn a_flood_is_read_as_it_is_asked_for_and_no_further() {
    let handed_over = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&handed_over);
    let setup = accepting(move |mut socket| {
        let counter = Arc::clone(&counter);
        async move {
            let batch: Vec<u8> =
                std::iter::repeat_n(octets(&unmasked(Opcode::Text, "tick")), 1_000).flatten().collect();
            while socket.write_all(&batch).await.is_ok() {
                counter.fetch_add(1_000, Ordering::Relaxed);
            }
        }
    })
    .await;
    let mut stream = open(&setup).await;
    let (mut frames, mut read) = (Vec::new(), 0);
    for _ in 0..100 {
        assert_eq!(stream.receive(&mut frames, setup.wire.now() + Duration::from_secs(5)).await, Received::Frames);
        assert!((1..=1_024).contains(&frames.len()), "{}", frames.len());
        read += frames.len();
        frames.clear();
    }
    // The peer is held back by us: what it could hand over beyond that fits into buffers.
    let mut before = u32::MAX;
    while before != handed_over.load(Ordering::Relaxed) {
        before = handed_over.load(Ordering::Relaxed);
        setup.wire.pause(Duration::from_millis(50)).await;
    }
    assert!(u64::from(before) < read as u64 + (32 << 20) / 6, "{before} sent, {read} read");
    setup.cancel.cancel();
    while stream.receive(&mut frames, Duration::MAX).await != Received::Stopped {
        assert!(frames.len() < 200_000, "a flood does not keep the run from ending");
    }
}

#[tokio::test]
async fn a_small_receive_buffer_makes_the_sender_wait_soon() {
    let mut taken = Vec::new();
    for receive_buffer in [Some(4_096), Some(256 << 10)] {
        let sent = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&sent);
        let setup = accepting(move |socket| {
            let counter = Arc::clone(&counter);
            async move {
                // What the sender's own side takes is the same for both.
                socket2::SockRef::from(&socket).set_send_buffer_size(16 << 10).unwrap();
                while socket.writable().await.is_ok() {
                    match socket.try_write(&[0; 1_024]) {
                        Ok(many) => drop(counter.fetch_add(u32::try_from(many).unwrap(), Ordering::Relaxed)),
                        Err(why) if why.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => return,
                    }
                }
            }
        })
        .await;
        let stream = setup.wire.open(Opening { receive_buffer, ..opening() }).await.ok().unwrap();
        let mut before = 0;
        while before == 0 || before != sent.load(Ordering::Relaxed) {
            before = sent.load(Ordering::Relaxed);
            setup.wire.pause(Duration::from_millis(50)).await;
        }
        taken.push(before);
        drop(stream);
    }
    assert!(taken[0] < 128 << 10 && taken[1] > taken[0] * 2, "{taken:?}");
}

#[tokio::test]
async fn each_end_is_told_after_what_came_before_it() {
    let hello = octets(&unmasked(Opcode::Text, "hello"));
    for (reset, expected) in [(true, End::Reset), (false, End::Closed)] {
        let hello = hello.clone();
        let setup = accepting(move |mut socket| {
            let hello = hello.clone();
            async move {
                let half = octets(&unmasked(Opcode::Text, "a frame that is never completed"));
                socket.write_all(&[&hello[..], &half[..9]].concat()).await.unwrap();
                // Reading first, so that closing is no reset by accident.
                let _ = socket.read_u8().await;
                let mut rest = [0; 100];
                let _ = socket.try_read(&mut rest);
                if reset {
                    socket.set_zero_linger().unwrap();
                }
            }
        })
        .await;
        let mut stream = open(&setup).await;
        stream.send(Outgoing::text("go")).await.unwrap();
        let (frames, last) = everything(&setup, &mut stream).await;
        assert_eq!((frames.len(), last), (1, Received::Ended(expected.clone())));
        drop(stream);
        let (_, log) = setup.tape.streamed().pop().unwrap();
        let ending = log.ending.unwrap();
        assert_eq!((ending.ours, ending.how, log.sent.frames, log.received.frames), (false, expected, 1, 1));
    }
}

#[tokio::test]
async fn a_peer_that_leaves_at_once_has_answered() {
    let setup = accepting(|mut socket| async move { socket.shutdown().await.unwrap() }).await;
    let mut stream = open(&setup).await;
    assert_eq!(everything(&setup, &mut stream).await, (vec![], Received::Ended(End::Closed)));
}

#[tokio::test]
async fn what_we_do_to_a_connection_is_what_the_peer_sees() {
    for (loss, expected, ours) in [
        (Some(Loss::Reset(octets(&Outgoing::text("never completed")).slice(..8))), Err(()), End::Reset),
        (Some(Loss::Closed), Ok(()), End::Closed),
        (None, Ok(()), End::Closed),
    ] {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let setup = accepting(move |mut socket| {
            let tell = tell.clone();
            async move {
                // Something is left unread by the other side.
                socket.write_all(&octets(&unmasked(Opcode::Text, "unread"))).await.unwrap();
                let mut got = Vec::new();
                let ended = loop {
                    match socket.read_buf(&mut got).await {
                        Ok(0) => break Ok(()),
                        Ok(_) => {}
                        Err(why) => break Err(why.kind()),
                    }
                };
                let _ = tell.send((got, ended));
            }
        })
        .await;
        let mut stream = open(&setup).await;
        stream.send(Outgoing::text("whole")).await.unwrap();
        match loss.clone() {
            Some(loss) => stream.lose(loss).await,
            None => drop(stream),
        }
        let (got, ended) = told.recv().await.unwrap();
        assert_eq!(ended.map_err(|kind| assert_eq!(kind, std::io::ErrorKind::ConnectionReset)), expected, "{loss:?}");
        let mut reader = octets(&Outgoing::text("whole")).len();
        if matches!(loss, Some(Loss::Reset(_))) {
            reader += 8;
        }
        assert_eq!(got.len(), reader, "{loss:?}");
        let ending = setup.tape.streamed().pop().unwrap().1.ending.unwrap();
        assert_eq!((ending.ours, ending.how), (true, ours));
    }
}

#[tokio::test]
async fn sending_to_a_peer_that_does_not_read_ends_in_time() {
    let url = peer(|mut socket| async move {
        socket.write_all(SWITCH).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let setup = Setup::with_limits(&url, impatient());
    let mut stream = open(&setup).await;
    let sent = stream.send(Outgoing::new(Opcode::Binary, vec![0; 32 << 20])).await;
    assert!(matches!(sent, Err(End::Broken(why)) if why.contains("did not take")));
}

#[tokio::test]
async fn waiting_ends_when_it_should() {
    let (setup, mut stream) = sending("").await;
    let (mut frames, until) = (Vec::new(), setup.wire.now() + Duration::from_millis(30));
    assert_eq!(stream.receive(&mut frames, until).await, Received::Quiet);
    assert!(setup.wire.now() >= until);
    let cancel = setup.cancel.clone();
    tokio::spawn(async move { cancel.cancel() });
    assert_eq!(stream.receive(&mut frames, Duration::MAX).await, Received::Stopped);
    let limits = Limits { duration: Span(Duration::from_millis(60)), ..Limits::default() };
    let setup = Setup::with_limits(setup.wire.base(), limits);
    let mut stream = open(&setup).await;
    assert_eq!(stream.receive(&mut frames, Duration::from_secs(9)).await, Received::Stopped);
}

#[tokio::test]
async fn a_correct_server_and_its_deflated_answers_are_understood() {
    use tokio_tungstenite::tungstenite::Message;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::with_limits(&url_of("http", listener.local_addr().unwrap()), Limits::default());
    tokio::spawn(async move {
        use futures_util::{SinkExt, StreamExt};
        let (socket, _) = listener.accept().await.unwrap();
        let mut server = tokio_tungstenite::accept_async(socket).await.unwrap();
        while let Some(Ok(message)) = server.next().await {
            if let Message::Text(text) = message {
                server.send(Message::Text(format!("heard {text}").into())).await.unwrap();
            }
        }
    });
    let mut stream = open(&setup).await;
    for frame in [
        Outgoing { fin: false, ..Outgoing::text("one ") },
        Outgoing::new(Opcode::Ping, vec![9; 125]),
        Outgoing::new(Opcode::Continuation, "two"),
        Outgoing::close(Some(1000), "done"),
    ] {
        stream.send(frame).await.unwrap();
    }
    let (frames, last) = everything(&setup, &mut stream).await;
    let said: Vec<_> = frames.iter().map(|frame| (frame.opcode, frame.payload.len())).collect();
    assert_eq!(said, [(Opcode::Pong, 125), (Opcode::Text, 13), (Opcode::Close, 6)]);
    assert_eq!(last, Received::Ended(End::Closed));
}
