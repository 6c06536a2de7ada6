//! Sends numbered messages over WebSocket on loopback, as fast as they are taken.
//!
//!     message_server MESSAGES
//!
//! prints its base URL and serves until it is ended. Whoever subscribes is acknowledged and told that many trades,
//! numbered from 1,000,000,000 on; then nothing more until the client closes. Messages differ in ten digits, which are
//! written over where they are, so that what is measured is the client.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const FIRST: u64 = 1_000_000_000;
const BATCH: u64 = 500;
const HEAD: &str = r#"{"type":"trade","symbol":"AAPL","sequence":"#;
const TAIL: &str = r#","price":"150.10","quantity":"3","time":"2026-03-02T09:00:00.000Z"}"#;
const DIGITS: usize = 10;

fn main() -> io::Result<()> {
    let messages: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| io::Error::other("usage: message_server MESSAGES"))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    for stream in listener.incoming() {
        let stream = stream?;
        // A client that goes away ends its own connection only.
        thread::spawn(move || drop(serve(stream, messages)));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, messages: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut from_client = BufReader::new(stream.try_clone()?);
    let (mut line, mut accept) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        if from_client.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some((name, key)) = line.split_once(':')
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            accept = derive_accept_key(key.trim().as_bytes());
        }
    }
    let switching =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept:";
    stream.write_all(format!("{switching} {accept}\r\n\r\n").as_bytes())?;
    if frame(&mut from_client)?.0 != 1 {
        return Ok(());
    }
    stream.write_all(&text(r#"{"type":"subscribed"}"#))?;
    let closing = Arc::new(AtomicBool::new(false));
    let teller = {
        let (mut stream, closing) = (stream.try_clone()?, Arc::clone(&closing));
        thread::spawn(move || tell(&mut stream, messages, &closing))
    };
    while frame(&mut from_client)?.0 != 8 {}
    closing.store(true, Ordering::Relaxed);
    teller.join().map_err(|_| io::Error::other("the teller failed"))??;
    stream.write_all(&[0x88, 2, 0x03, 0xe8])
}

/// Tells all messages, or as many as there are until the client closes.
fn tell(stream: &mut TcpStream, messages: u64, closing: &AtomicBool) -> io::Result<()> {
    let one = text(&format!("{HEAD}{FIRST}{TAIL}"));
    let mut batch = one.repeat(usize::try_from(BATCH).map_err(io::Error::other)?);
    let mut sent = 0;
    while sent < messages && !closing.load(Ordering::Relaxed) {
        for (number, message) in (FIRST + sent..).zip(batch.chunks_exact_mut(one.len())) {
            let mut left = number;
            for digit in message[2 + HEAD.len()..][..DIGITS].iter_mut().rev() {
                *digit = b'0' + (left % 10) as u8;
                left /= 10;
            }
        }
        let now = BATCH.min(messages - sent);
        stream.write_all(&batch[..usize::try_from(now).map_err(io::Error::other)? * one.len()])?;
        sent += now;
    }
    Ok(())
}

/// A text frame, short enough for its length to go into one octet.
fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).expect("a short text");
    [&[0x81, length], text.as_bytes()].concat()
}

/// A short frame of a client: its opcode and its content, still masked.
fn frame(from_client: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    from_client.read_exact(&mut head)?;
    let mut content = vec![0; 4 + usize::from(head[1] & 0x7f)];
    from_client.read_exact(&mut content)?;
    Ok((head[0] & 15, content))
}
