//! Serves a listing of transactions in pages of 100 rows over HTTP/1.1 with keep-alive.
//!
//!     page_server ROWS
//!
//! prints its base URL and serves until it is ended. Every response is made before the first request comes, so that
//! what a client costs is the client's own.

#[path = "../listing.rs"]
mod listing;

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

const START: &str = "/v1/transactions";

fn main() -> io::Result<()> {
    let rows: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| io::Error::other("usage: page_server ROWS"))?;
    let pages = rows.div_ceil(listing::PAGE).max(1);
    let responses: Arc<[Vec<u8>]> = (0..pages).map(|page| response(&listing::body(page, pages))).collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    for stream in listener.incoming() {
        let (stream, responses) = (stream?, Arc::clone(&responses));
        // A client that goes away ends its own connection only.
        std::thread::spawn(move || drop(serve(stream, &responses)));
    }
    Ok(())
}

fn response(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ndate: Mon, 02 Mar 2026 09:00:00 GMT\r\ncontent-type: application/json\r\n\
         cache-control: no-store\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn serve(mut stream: TcpStream, responses: &[Vec<u8>]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let page = asked(&line).and_then(|page| responses.get(page));
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        stream.write_all(page.map_or(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Vec::as_slice))?;
    }
}

/// The page that a request line asks for: `GET /v1/transactions?limit=100&cursor=... HTTP/1.1`.
fn asked(line: &str) -> Option<usize> {
    let target = line.split(' ').nth(1)?;
    let query = target.strip_prefix(START)?;
    match query.split(['?', '&']).find_map(|pair| pair.strip_prefix("cursor=")) {
        Some(cursor) => cursor.get(cursor.len().checked_sub(8)?..)?.parse().ok(),
        None => Some(0),
    }
}
