//! The least that walks a listing: a raw socket, ids read as they stream by, a set that tells whether one repeats.
//!
//!     minimal_client BASE_URL [PASSES]
//!
//! Knows this one server, checks nothing else and reports nothing else. A second pass walks again and compares its
//! ids with those of the first, which is what PAG-005 does.

use std::{
    borrow::Cow,
    collections::HashSet,
    io::{self, Read, Write},
    net::TcpStream,
};

use serde::Deserialize;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Row<'a>>,
    #[serde(borrow)]
    page: Next<'a>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Next<'a> {
    #[serde(borrow)]
    next: Option<Cow<'a, str>>,
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().ok_or_else(|| io::Error::other("usage: minimal_client BASE_URL [PASSES]"))?;
    let passes: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let authority = base.trim_start_matches("http://").to_owned();
    let mut connection = Connection { stream: TcpStream::connect(&authority)?, authority, buffer: vec![0; 64 << 10] };
    connection.stream.set_nodelay(true)?;
    let mut ids: HashSet<String> = HashSet::new();
    let (mut pages, mut repeated) = (0, 0);
    connection.walk(
        |id| {
            if !ids.insert(id.into_owned()) {
                repeated += 1;
            }
        },
        &mut pages,
    )?;
    let mut differing = 0;
    for _ in 1..passes {
        connection.walk(|id| differing += usize::from(!ids.contains(id.as_ref())), &mut pages)?;
    }
    writeln!(io::stdout(), "{pages} pages, {} ids, {repeated} repeated, {differing} not seen before", ids.len())
}

struct Connection {
    stream: TcpStream,
    authority: String,
    buffer: Vec<u8>,
}

impl Connection {
    fn walk(&mut self, mut see: impl FnMut(Cow<'_, str>), pages: &mut usize) -> io::Result<()> {
        let mut cursor = String::new();
        loop {
            let body = self.get(&cursor)?;
            *pages += 1;
            // Checked for UTF-8 once, which is cheaper than name by name.
            let text = std::str::from_utf8(body).map_err(io::Error::other)?;
            let page: Page<'_> = serde_json::from_str(text)?;
            page.data.into_iter().for_each(|row| see(row.id));
            match page.page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(()),
            }
        }
    }

    /// The body of the page behind a cursor.
    fn get(&mut self, cursor: &str) -> io::Result<&[u8]> {
        let authority = &self.authority;
        let request = format!("GET /v1/transactions?limit=100{cursor} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
        self.stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        let (body, end) = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            let Some(head) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head_text = String::from_utf8_lossy(&self.buffer[..head]);
            let length: usize = head_text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .ok_or_else(|| io::Error::other("no content-length"))?;
            break (head + 4, head + 4 + length);
        };
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        if filled < end {
            self.stream.read_exact(&mut self.buffer[filled..end])?;
        }
        Ok(&self.buffer[body..end])
    }
}
