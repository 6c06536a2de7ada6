//! Reads 1,000,000 small text frames over loopback: as a check does, and with the least that can be done, a bare socket
//! whose octets are taken apart where they are.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, LazyLock},
    thread,
    time::Duration,
};

use divan::{Bencher, counter::ItemsCount};
use fincheck::{
    exchange::{ExchangeId, Opening, Request, Who},
    wire::{Heard, Limits, Recorder, Settings, Wire},
};
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

const FRAMES: usize = 1_000_000;
/// What a small update looks like; its length goes into one octet.
const TEXT: &[u8] = br#"{"type":"book","symbol":"AAPL","first":123456,"last":123456,"bids":[["150.10","3"]]}"#;

static SERVER: LazyLock<SocketAddr> = LazyLock::new(serve);

fn main() {
    divan::main();
}

/// Answers each handshake and sends all frames; its answer is not judged here.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let length = u8::try_from(TEXT.len()).expect("a short text");
    let batch = [&[0x81, length], TEXT].concat().repeat(1_000);
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let batch = batch.clone();
            thread::spawn(move || {
                let (mut head, mut octet) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && socket.read(&mut octet).is_ok_and(|read| read == 1) {
                    head.push(octet[0]);
                }
                let _ = socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
                for _ in 0..FRAMES / 1_000 {
                    if socket.write_all(&batch).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

struct Nobody;

impl Recorder for Nobody {
    fn next_id(&self) -> ExchangeId {
        ExchangeId(1)
    }

    fn heard(&self, _: &Heard<'_>) {}

    fn waiting(&self, _: &str, _: Duration, _: &str) {}
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn as_a_check_reads_them(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let base = format!("http://{}", *SERVER).parse().expect("a URL");
    let limits = Limits { requests: u64::MAX, ..Limits::default() };
    let settings = Settings { limits, ..Settings::new(base) };
    let wire = Arc::new(Wire::new(settings, Arc::new(Nobody), CancellationToken::new()).expect("settings"));
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        runtime.block_on(async {
            let opening = Opening::new(Request::new(Who::Anonymous, "GET", "/"));
            let mut stream = wire.open(opening).await.expect("a stream");
            let (mut frames, mut count, mut octets) = (Vec::new(), 0, 0);
            while count < FRAMES {
                stream.receive(&mut frames, Duration::MAX).await;
                count += frames.len();
                octets += frames.drain(..).map(|frame| frame.payload.len()).sum::<usize>();
            }
            assert_eq!(octets, FRAMES * TEXT.len());
        });
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn with_a_bare_socket(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        runtime.block_on(async {
            let mut socket = tokio::net::TcpStream::connect(*SERVER).await.expect("a connection");
            tokio::io::AsyncWriteExt::write_all(&mut socket, b"GET / HTTP/1.1\r\n\r\n").await.expect("a request");
            let mut buffer = vec![0; 64 << 10];
            let (mut filled, mut count, mut octets) = (0, 0, 0);
            while !buffer[..filled].ends_with(b"\r\n\r\n") {
                filled += socket.read(&mut buffer[filled..=filled]).await.expect("a response");
            }
            filled = 0;
            while count < FRAMES {
                filled += socket.read(&mut buffer[filled..]).await.expect("frames");
                let mut begin = 0;
                while filled - begin >= 2 && filled - begin >= 2 + usize::from(buffer[begin + 1] & 0x7f) {
                    let length = usize::from(buffer[begin + 1] & 0x7f);
                    octets += std::hint::black_box(&buffer[begin + 2..begin + 2 + length]).len();
                    begin += 2 + length;
                    count += 1;
                }
                buffer.copy_within(begin..filled, 0);
                filled -= begin;
            }
            assert_eq!(octets, FRAMES * TEXT.len());
        });
    });
}
