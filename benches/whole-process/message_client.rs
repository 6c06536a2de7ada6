//! The least that reads numbered messages and sees whether their numbers follow one another.
//!
//!     message_client BASE_URL MESSAGES CONNECTIONS found|typed|tree|library
//!
//! A raw socket per connection, each in a thread of its own, and frames taken apart where they are. The number is
//! `found` in the octets and parsed by `serde_json`, or is the one field of a `typed` struct, or a member of a `tree` of
//! values; `library` is a typed struct, too, and takes its messages from tokio-tungstenite.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::client::generate_key, protocol::Role},
};

const NAME: &str = "\"sequence\":";
/// Of a client, masked with zeros.
const SUBSCRIBE: &[u8] = b"\x81\x92\0\0\0\0{\"op\":\"subscribe\"}";

#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, messages, connections, how] = arguments.as_slice() else {
        return Err(io::Error::other("usage: message_client BASE_URL MESSAGES CONNECTIONS found|typed|tree|library"));
    };
    let authority = base.trim_start_matches("http://").to_owned();
    let messages: u64 = messages.parse().map_err(io::Error::other)?;
    let connections: usize = connections.parse().map_err(io::Error::other)?;
    let number: fn(&[u8]) -> Option<u64> = match how.as_str() {
        "found" => found,
        "typed" | "library" => typed,
        _ => tree,
    };
    let library = how == "library";
    let listeners: Vec<_> = (0..connections)
        .map(|_| {
            let authority = authority.clone();
            thread::spawn(move || {
                let socket = open(&authority)?;
                if library { with_library(socket, messages) } else { with_least(socket, messages, number) }
            })
        })
        .collect();
    let mut irregular = 0;
    for listener in listeners {
        irregular += listener.join().map_err(|_| io::Error::other("a listener failed"))??;
    }
    writeln!(io::stdout(), "{messages} numbers on {connections} connections, {irregular} irregular")
}

/// Opens a connection; what comes behind the answer is not yet read.
fn open(authority: &str) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(authority)?;
    socket.set_nodelay(true)?;
    let key = generate_key();
    let fields = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13";
    socket.write_all(
        format!("GET /trades HTTP/1.1\r\nhost: {authority}\r\n{fields}\r\nsec-websocket-key: {key}\r\n\r\n").as_bytes(),
    )?;
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    Ok(socket)
}

/// Which numbers do not follow the one before.
#[derive(Default)]
struct Account {
    last: Option<u64>,
    numbered: u64,
    irregular: u64,
}

impl Account {
    fn note(&mut self, number: Option<u64>) {
        let Some(number) = number else { return };
        self.numbered += 1;
        self.irregular += u64::from(self.last.is_some_and(|last| number != last + 1));
        self.last = Some(number);
    }
}

fn with_least(mut socket: TcpStream, messages: u64, number: fn(&[u8]) -> Option<u64>) -> io::Result<u64> {
    socket.write_all(SUBSCRIBE)?;
    let mut buffer = vec![0; 64 << 10];
    let (mut filled, mut account) = (0, Account::default());
    while account.numbered < messages {
        let read = socket.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        let mut begin = 0;
        while filled - begin >= 2 && filled - begin >= 2 + usize::from(buffer[begin + 1] & 0x7f) {
            let length = usize::from(buffer[begin + 1] & 0x7f);
            account.note(number(&buffer[begin + 2..begin + 2 + length]));
            begin += 2 + length;
        }
        buffer.copy_within(begin..filled, 0);
        filled -= begin;
    }
    Ok(account.irregular)
}

fn with_library(socket: TcpStream, messages: u64) -> io::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpStream::from_std(socket)?;
        let mut stream = WebSocketStream::from_raw_socket(socket, Role::Client, None).await;
        stream.send(Message::text(r#"{"op":"subscribe"}"#)).await.map_err(io::Error::other)?;
        let mut account = Account::default();
        while account.numbered < messages {
            match stream.next().await {
                Some(Ok(message)) => account.note(typed(&message.into_data())),
                Some(Err(why)) => return Err(io::Error::other(why)),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(account.irregular)
    })
}

fn found(message: &[u8]) -> Option<u64> {
    let message = std::str::from_utf8(message).ok()?;
    let from = message.find(NAME)? + NAME.len();
    serde_json::Deserializer::from_str(&message[from..]).into_iter().next()?.ok()
}

fn typed(message: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Numbered>(message).ok().map(|message| message.sequence)
}

fn tree(message: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(message).ok()?.get("sequence")?.as_u64()
}
