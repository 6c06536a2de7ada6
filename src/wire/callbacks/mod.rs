//! Receives what a target sends to us: an HTTP/1.1 server that hands each callback to the mailbox it is addressed to.
//!
//! Nothing is opened before the first mailbox is asked for. Each mailbox has an address that nobody can guess; what comes
//! to any other is answered with 404 and only counted. Whoever calls is a stranger: content, head, connections, number
//! and time are bounded, and what is beyond the bounds is refused, counted, and told in a note.

mod hub;
mod mailbox;
mod server;

#[cfg(test)]
mod tests;

pub use mailbox::Mailbox;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{net::TcpListener, sync::Mutex, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use self::hub::Hub;
use super::Recorder;

/// Where callbacks are received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL at which the target reaches that, if not `http://` and the address itself.
    pub url: Option<Url>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), url: None }
    }
}

impl Settings {
    /// Where callbacks are received, in words.
    pub fn told(&self) -> String {
        let listen = if self.listen.port() == 0 {
            format!("a free port of {}", self.listen.ip())
        } else {
            self.listen.to_string()
        };
        match &self.url {
            Some(url) => format!("at {url}, on {listen}"),
            None => format!("on {listen}"),
        }
    }
}

/// Receives a target's callbacks until it is closed or dropped.
pub struct Callbacks {
    settings: Settings,
    hub: Arc<Hub>,
    /// The base URL of each address that is listened on.
    open: Mutex<HashMap<IpAddr, Result<Url, String>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Callbacks {
    /// One that listens nowhere yet; it ends when `cancel` says so.
    pub(super) fn new(
        settings: Settings,
        recorder: Arc<dyn Recorder>,
        start: Instant,
        cancel: &CancellationToken,
    ) -> Self {
        let hub = Arc::new(Hub::new(recorder, start));
        Self { settings, hub, open: Mutex::default(), stop: cancel.child_token(), tasks: TaskTracker::new() }
    }

    /// Opens an address of its own for a check.
    pub async fn mailbox(&self, check: &str) -> Result<Mailbox, String> {
        if self.settings.listen.ip().is_unspecified() && self.settings.url.is_none() {
            let listen = self.settings.listen;
            return Err(format!("no target can call {listen}: say with --webhook-url how it is reached"));
        }
        let base = self.base(self.settings.listen).await?;
        Mailbox::open(&self.hub, self.settings.url.as_ref().unwrap_or(&base), check)
    }

    /// Opens the run's address itself, which somebody registered by hand.
    pub async fn mailbox_by_hand(&self, check: &str) -> Result<Mailbox, String> {
        let url = self.settings.url.as_ref().ok_or("without --webhook-url nothing can have been registered by hand")?;
        self.base(self.settings.listen).await?;
        Mailbox::open_by_hand(&self.hub, url, check)
    }

    /// Opens an address of its own on another address of this machine, which must be a loopback or private one.
    pub async fn mailbox_on(&self, address: IpAddr, check: &str) -> Result<Mailbox, String> {
        let near = match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        };
        if !near {
            return Err(format!("{address} is neither a loopback nor a private address"));
        }
        let base = self.base(SocketAddr::from((address, 0))).await?;
        Mailbox::open(&self.hub, &base, check)
    }

    /// What a reader of the report should know.
    pub fn notes(&self) -> Vec<String> {
        self.hub.notes()
    }

    /// Refuses whatever comes from now on, and returns when nothing is under way any more.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The base URL of what listens there, which is opened if it is not.
    async fn base(&self, address: SocketAddr) -> Result<Url, String> {
        let mut open = self.open.lock().await;
        if let Some(base) = open.get(&address.ip()) {
            return base.clone();
        }
        let base = self.listen(address).await;
        open.insert(address.ip(), base.clone());
        base
    }

    async fn listen(&self, address: SocketAddr) -> Result<Url, String> {
        if self.stop.is_cancelled() {
            return Err("the run is over".into());
        }
        let cannot = |why: &dyn std::fmt::Display| format!("callbacks cannot be received on {address}: {why}");
        let listener = TcpListener::bind(address).await.map_err(|why| cannot(&why))?;
        let bound = listener.local_addr().map_err(|why| cannot(&why))?;
        self.tasks.spawn(server::accept(listener, Arc::clone(&self.hub), self.tasks.clone(), self.stop.clone()));
        Url::parse(&format!("http://{bound}")).map_err(|why| cannot(&why))
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
