//! Peers on loopback that say what a test wants said, byte by byte.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

/// An event that has not come by then will not come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request as it came over the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    fn read(stream: impl Read) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut asked = Self { method, target, ..Self::default() };
        loop {
            let mut line = String::new();
            lines.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => asked.fields.push((name.to_ascii_lowercase(), value.trim().to_owned())),
                None => break,
            }
        }
        let length = asked.field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        lines.read_exact(&mut body)?;
        asked.body = String::from_utf8_lossy(&body).into_owned();
        Ok(Some(asked))
    }

    /// A header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter, as it was written.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, v)| v)
    }
}

/// A server of one connection per request.
pub(crate) struct Peer {
    address: String,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<Asked>>>,
    events: Mutex<Receiver<Asked>>,
}

impl Peer {
    /// A peer that does this with each connection; the second argument takes note of a request.
    fn accepting(script: impl Fn(TcpStream, &dyn Fn(&Asked)) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (told, events) = mpsc::channel();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let (kept, script) = (Arc::clone(&heard), Arc::new(script));
        thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (told, kept, script) = (told.clone(), Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || {
                    script(socket, &|asked| {
                        kept.lock().unwrap().push(asked.clone());
                        let _ = told.send(asked.clone());
                    });
                });
            }
        });
        Self { address, connections, heard, events: Mutex::new(events) }
    }

    /// A peer that does this with each connection, once it has read a request.
    pub(crate) fn doing(script: impl Fn(Asked, TcpStream) + Send + Sync + 'static) -> Self {
        Self::accepting(move |socket, note| {
            let Ok(reading) = socket.try_clone() else { return };
            if let Ok(Some(asked)) = Asked::read(reading) {
                note(&asked);
                script(asked, socket);
            }
        })
    }

    /// A peer that answers each request with these bytes and closes the connection.
    pub(crate) fn answering(script: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::doing(move |asked, mut socket| {
            let _ = socket.write_all(&script(&asked));
            let _ = socket.shutdown(Shutdown::Write);
            // Reading until the other side closes keeps our close from turning into a reset.
            let _ = socket.read_to_end(&mut Vec::new());
        })
    }

    /// A peer that begins an answer with these bytes and then resets the connection.
    pub(crate) fn resetting(bytes: &'static [u8]) -> Self {
        Self::accepting(move |mut socket, _| {
            // Closing with a part of the request unread makes the system send a reset.
            let _ = socket.read(&mut [0]);
            let _ = socket.write_all(bytes);
        })
    }

    /// A peer that says this to whatever comes first, and closes the connection.
    pub(crate) fn refusing(bytes: &'static [u8]) -> Self {
        Self::accepting(move |mut socket, _| {
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(bytes);
            let _ = socket.shutdown(Shutdown::Write);
            let _ = socket.read_to_end(&mut Vec::new());
        })
    }

    /// A peer that answers each request through a layer of its own, such as TLS.
    pub(crate) fn behind<S: Read + Write>(
        layer: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
        script: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::accepting(move |socket, note| {
            let Some(mut stream) = layer(socket) else { return };
            if let Ok(Some(asked)) = Asked::read(&mut stream) {
                note(&asked);
                let _ = stream.write_all(&script(&asked));
                let _ = stream.flush();
            }
        })
    }

    /// A peer with one answer for everything.
    pub(crate) fn always(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::answering(move |_| bytes.clone())
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until a request comes that this is true of.
    pub(crate) fn waits_for(&self, wanted: impl Fn(&Asked) -> bool) -> Asked {
        let events = self.events.lock().unwrap();
        loop {
            let asked = events.recv_timeout(PATIENCE).expect("the request that is waited for does not come");
            if wanted(&asked) {
                return asked;
            }
        }
    }

    /// Every request so far.
    pub(crate) fn heard(&self) -> Vec<Asked> {
        self.heard.lock().unwrap().clone()
    }

    /// Nobody so much as connected to it.
    pub(crate) fn was_not_contacted(&self) {
        assert_eq!(self.connections.load(Ordering::SeqCst), 0, "it was asked {:?}", self.heard());
    }

    /// Nobody sent it anything.
    pub(crate) fn was_left_alone(&self) {
        let heard = self.heard();
        assert!(heard.is_empty(), "it was asked {heard:?}");
    }
}

/// A complete response.
pub(crate) fn answer(status: u16, fields: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in fields {
        response.push_str(&format!("{name}: {value}\r\n"));
    }
    response.push_str("\r\n");
    let mut response = response.into_bytes();
    response.extend_from_slice(body);
    response
}

/// A JSON response of status 200.
pub(crate) fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer(200, &[("Content-Type", "application/json")], body)
}

/// An HTML page.
pub(crate) fn html(status: u16) -> Vec<u8> {
    answer(status, &[("Content-Type", "text/html; charset=utf-8")], "<!doctype html><title>Sorry</title><h1>Sorry</h1>")
}
