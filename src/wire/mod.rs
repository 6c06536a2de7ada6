//! The only module that opens sockets: sends a request over HTTP and reads what comes back, within bounds.
//!
//! [`Wire::send`] composes the message (credentials, correlation id, origin), waits for its turn (pace,
//! concurrency, a peer's `Retry-After`), transfers it, and repeats or follows redirects where that is allowed.
//! Every exchange is told to the [`Recorder`], the ones that failed and were repeated too. A misbehaving peer is
//! a [`Failure`](crate::exchange::Failure), never an `Err` of ours; what comes from it is bounded in size and time,
//! and nothing is ever sent to another origin than the base URL's.

mod attempt;
mod body;
pub mod callbacks;
mod client;
mod coding;
mod compose;
mod connect;
mod credentials;
mod failure;
mod limits;
mod recorder;
mod redirect;
mod retry;
mod sever;
pub mod stream;
mod target;
mod tls;
mod together;
mod turn;

#[cfg(test)]
mod tests;

pub use callbacks::Callbacks;
pub use credentials::{Credentials, Secret};
pub use limits::Limits;
pub use recorder::{Called, Heard, Recorder, Streamed};
pub use stream::Stream;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::exchange::{Headers, Outcome, Request};

/// What a target is, and how it may be talked to. Not `Debug`: a proxy's URL and header fields may hold secrets.
#[derive(Clone)]
pub struct Settings {
    /// The base URL, `http` or `https`, without credentials, query or fragment; its path is a prefix of every path.
    pub base: Url,
    /// Credentials by client name.
    pub clients: BTreeMap<String, Credentials>,
    /// The header field that carries a fresh UUID on every exchange.
    pub correlation_header: Option<String>,
    /// Header fields sent with every request that does not set them itself.
    pub headers: Headers,
    /// Bounds of the run and of each exchange.
    pub limits: Limits,
    /// How the peer's certificate is checked.
    pub tls: TlsSettings,
    /// An `http` or `https` proxy for all requests; the environment's proxy variables are not read.
    pub proxy: Option<Url>,
    /// Speak HTTP/2 without asking (RFC 9113 §3.3), also over plain TCP.
    pub http2_prior_knowledge: bool,
}

impl Settings {
    /// Settings for a base URL, everything else as default.
    pub fn new(base: Url) -> Self {
        Self {
            base,
            clients: BTreeMap::new(),
            correlation_header: None,
            headers: Headers::default(),
            limits: Limits::default(),
            tls: TlsSettings::default(),
            proxy: None,
            http2_prior_knowledge: false,
        }
    }
}

/// How the peer's certificate is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// A PEM file of authorities trusted beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate.
    pub insecure: bool,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The base URL.
    #[error("`{url}` cannot be a base URL: {reason}")]
    Base {
        /// The URL, without credentials.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file of authorities.
    #[error("{}: {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy.
    #[error("`{proxy}` cannot be a proxy: {reason}")]
    Proxy {
        /// The proxy, without credentials.
        proxy: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header field's name.
    #[error("`{name}` is not the name of a header field ({place})")]
    HeaderName {
        /// The name.
        name: String,
        /// Where it was set.
        place: String,
    },
    /// A header field's value; it is not shown, because it may be a secret.
    #[error("the value of `{name}` holds characters that a header field cannot carry ({place})")]
    HeaderValue {
        /// The field's name.
        name: String,
        /// Where it was set.
        place: String,
    },
    /// The HTTP or TLS library refused its configuration.
    #[error("http client: {0}")]
    Client(String),
}

/// Sends requests to one target, within one run's limits.
pub struct Wire {
    composer: compose::Composer,
    client: reqwest::Client,
    limits: Limits,
    peer: String,
    turn: turn::Turn,
    recorder: Arc<dyn Recorder>,
    cancel: CancellationToken,
    start: Instant,
    /// For what needs connections of its own.
    settings: Settings,
    lanes: Mutex<Vec<reqwest::Client>>,
    tls_alone: OnceLock<Arc<rustls::ClientConfig>>,
}

impl Wire {
    /// A wire whose clock starts now; `cancel` ends every wait and every exchange in flight.
    pub fn new(settings: Settings, recorder: Arc<dyn Recorder>, cancel: CancellationToken) -> Result<Self, WireError> {
        let composer = compose::Composer::new(&settings)?;
        let client = client::build(&settings)?;
        let mut peer = target::authority(&settings.base);
        if let Some(proxy) = &settings.proxy {
            peer = format!("{peer} (through the proxy {})", target::authority(proxy));
        }
        let turn = turn::Turn::new(&settings.limits);
        let (limits, lanes, start) = (settings.limits.clone(), Mutex::default(), Instant::now());
        let tls_alone = OnceLock::new();
        Ok(Self { composer, client, limits, peer, turn, recorder, cancel, start, settings, lanes, tls_alone })
    }

    /// Sends a request and reads the response to its end, after any waits, repeats and redirects that are allowed.
    pub async fn send(&self, request: Request) -> Outcome {
        let mut draft = self.composer.compose(&request)?;
        let mut trail = redirect::Trail::default();
        loop {
            let reply = self.deliver(&request, &mut draft).await?;
            match trail.next(&reply, &draft, &self.composer, self.limits.redirects)? {
                Some(next) => draft.url = next,
                None => return Ok(reply),
            }
        }
    }

    /// What receives the target's callbacks, on the wire's clock; nothing is opened yet.
    pub fn callbacks(&self, settings: callbacks::Settings) -> Callbacks {
        Callbacks::new(settings, Arc::clone(&self.recorder), self.start, &self.cancel)
    }

    /// Monotonic time since the wire was made.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The base URL.
    pub fn base(&self) -> &Url {
        self.composer.base()
    }

    /// What this client proves itself with, if the suite has it.
    pub fn credentials(&self, client: &str) -> Option<&Credentials> {
        self.settings.clients.get(client)
    }

    /// How many more exchanges the run may send.
    pub fn remaining(&self) -> u64 {
        self.turn.remaining()
    }

    /// Whether the run was interrupted or its time is spent.
    pub fn stopping(&self) -> bool {
        self.cancel.is_cancelled() || self.now() >= self.limits.duration.0
    }

    /// Lets time pass; returns early when the run is interrupted or its time is spent.
    pub async fn pause(&self, time: Duration) {
        let left = self.limits.duration.0.saturating_sub(self.now());
        tokio::select! {
            () = tokio::time::sleep(time.min(left)) => {}
            () = self.cancel.cancelled() => {}
        }
    }
}
