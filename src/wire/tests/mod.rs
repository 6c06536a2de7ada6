//! Whole exchanges: against hand-made peers that break every rule, and against servers that keep them.

mod bounds;
mod broken;
mod messages;
mod obeying;
mod redirects;
mod secure;
mod severed;
mod streams;
mod together;
mod turns;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Heard, Limits, Recorder, Settings, Streamed, Wire, stream::Log};
use crate::{
    exchange::{ExchangeId, Failure, FailureKind, Handshake, Headers, Outcome, Request, Who},
    notation::Span,
};

/// An exchange as the recorder was told of it.
#[derive(Debug, Clone)]
struct Told {
    id: u32,
    url: Url,
    headers: Headers,
    body: Vec<u8>,
    version: String,
    remote: Option<SocketAddr>,
    /// The status, or the kind of failure.
    outcome: Result<u16, FailureKind>,
    sent: Duration,
    took: Duration,
}

/// A recorder that keeps everything.
#[derive(Default)]
struct Tape {
    ids: AtomicU32,
    told: Mutex<Vec<Told>>,
    opened: AtomicU32,
    streamed: Mutex<Vec<(u32, Log)>>,
    waits: Mutex<Vec<(String, Duration, String)>>,
    waited: Notify,
}

impl Tape {
    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn outcomes(&self) -> Vec<Result<u16, FailureKind>> {
        self.told().into_iter().map(|told| told.outcome).collect()
    }

    fn streamed(&self) -> Vec<(u32, Log)> {
        self.streamed.lock().unwrap().clone()
    }

    fn waits(&self) -> Vec<(String, Duration, String)> {
        self.waits.lock().unwrap().clone()
    }
}

impl Recorder for Tape {
    fn next_id(&self) -> ExchangeId {
        ExchangeId(self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn heard(&self, heard: &Heard<'_>) {
        self.told.lock().unwrap().push(Told {
            id: heard.id.0,
            url: heard.url.clone(),
            headers: heard.headers.clone(),
            body: heard.body.to_vec(),
            version: heard.version.to_owned(),
            remote: heard.remote,
            outcome: heard.outcome.as_ref().map(|reply| reply.status).map_err(|failure| failure.kind),
            sent: heard.sent,
            took: heard.took,
        });
    }

    fn opened(&self, _: &Request, _: &Handshake) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn streamed(&self, streamed: &Streamed<'_>) {
        self.streamed.lock().unwrap().push((streamed.handshake.id.0, streamed.log.clone()));
    }

    fn waiting(&self, client: &str, time: Duration, why: &str) {
        self.waits.lock().unwrap().push((client.to_owned(), time, why.to_owned()));
        self.waited.notify_one();
    }
}

/// A wire with its recorder and its switch.
struct Setup {
    wire: Arc<Wire>,
    tape: Arc<Tape>,
    cancel: CancellationToken,
}

impl Setup {
    fn new(settings: Settings) -> Self {
        let (tape, cancel) = (Arc::new(Tape::default()), CancellationToken::new());
        let recorder: Arc<dyn Recorder> = tape.clone();
        let wire = Arc::new(Wire::new(settings, recorder, cancel.clone()).unwrap());
        Self { wire, tape, cancel }
    }

    fn with_limits(base: &Url, limits: Limits) -> Self {
        Self::new(Settings { limits, ..Settings::new(base.clone()) })
    }

    async fn get(&self, target: &str) -> Outcome {
        self.wire.send(get(target)).await
    }

    /// Sends an unsafe request, which is not repeated once it was sent.
    async fn post(&self, target: &str) -> Outcome {
        self.wire.send(Request::new(Who::Anonymous, "POST", target)).await
    }
}

fn get(target: &str) -> Request {
    Request::new(Who::Anonymous, "GET", target)
}

fn impatient() -> Limits {
    Limits { timeout: Span(Duration::from_millis(80)), ..Limits::default() }
}

fn failed(outcome: Outcome) -> Failure {
    let failure = outcome.unwrap_err();
    let message = &failure.message;
    assert!(!message.contains('\n') && !message.contains("Error {") && !message.contains("Kind("), "{message}");
    failure
}

/// A peer that does with each connection what the script says, after it has read the request's head.
async fn peer<F, T>(script: F) -> Url
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("http", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            if read_head(&mut socket).await {
                tokio::spawn(script(socket));
            }
        }
    });
    url
}

/// A peer that answers each connection with these bytes, then closes it.
async fn answering(bytes: impl AsRef<[u8]>) -> Url {
    let bytes = bytes.as_ref().to_vec();
    peer(move |mut socket| {
        let bytes = bytes.clone();
        async move {
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            // Reading until the other side closes keeps our close from turning into a reset.
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

async fn read_head(socket: &mut TcpStream) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

/// An orderly server.
async fn served(router: axum::Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("http", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn url_of(scheme: &str, address: SocketAddr) -> Url {
    Url::parse(&format!("{scheme}://{address}")).unwrap()
}
