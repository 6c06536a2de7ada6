//! Streams: WebSocket connections (RFC 6455) on which the API tells what happens.
//!
//! A handshake becomes a `connection`, which reads frames (`frame`, `assembly`), follows what they ask (`asked`), and
//! writes what waits in its `outbox`, in the words of its `teller`. What happens comes from a `hub`, one for the orders of
//! each tenant, or from the `market`; both tell their `audience`. Whoever does not keep up is closed, and told why.
//! Locks are taken in the order ledger, hub or market, outbox, and never held while waiting.

mod asked;
mod assembly;
mod audience;
mod compression;
mod connection;
mod event;
mod frame;
mod handshake;
mod hub;
mod market;
mod orders;
mod outbox;
mod teller;
mod timers;
mod token;

pub(super) use event::symbol;
pub(super) use market::burst;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use self::{connection::Connection, hub::Hub, market::Market, outbox::Outbox, token::Tokens};
use super::{
    behaviour::Behaviour,
    defects::stream::{LEAKS_TO_RIVAL, NO_CONNECTION_LIMIT},
    http::{Api, Reply},
    ledger::{Ids, Order},
    problem::{Fault, Problem},
    tokens::{Principal, Tenant},
};

/// How many connections one client may have open.
const MOST_CONNECTIONS: usize = 20;
/// How many connections there may be at all.
const MOST: usize = 2_000;
/// How long a caller may take from the answer of the handshake to the stream.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// The orders of the caller's tenant.
    Orders,
    /// The books of the market, which are public.
    Market,
}

/// All streams of one running API.
pub(super) struct Streams {
    is: Behaviour,
    hubs: [Hub; 2],
    pub(in crate::reference) market: Market,
    tokens: Tokens,
    connected: Mutex<Vec<Connected>>,
}

struct Connected {
    principal: Principal,
    outbox: Arc<Outbox>,
}

impl Streams {
    pub(super) fn new(is: Behaviour, seed: u64) -> Self {
        let hubs = [Tenant::One, Tenant::Two].map(|tenant| Hub::new(is.clone(), tenant));
        let market = Market::new(is.clone(), seed);
        Self { is, hubs, market, tokens: Tokens::new(), connected: Mutex::default() }
    }

    /// Tells of an order that was placed or cancelled. To be called while the ledger is locked, so that events are in
    /// the order of what happened. Returns at once.
    pub(super) fn publish(&self, tenant: Tenant, account: &str, order: &Order, cancelled: bool, ids: Ids) {
        let event = self.hub(tenant).publish(orders::render(account, order, cancelled, ids));
        if let Some(event) = event.filter(|_| tenant == Tenant::One && self.is.has(LEAKS_TO_RIVAL)) {
            self.hub(Tenant::Two).relay(event);
        }
    }

    /// Closes all streams of a tenant, and says how many there were.
    pub(super) fn restart(&self, tenant: Tenant) -> usize {
        let connected = self.connected();
        let ours = connected
            .iter()
            .filter(|one| one.principal.is_known() && one.principal.tenant == tenant && one.outbox.shut().is_none());
        ours.map(|one| one.outbox.close(1012, "service restart")).count()
    }

    fn hub(&self, tenant: Tenant) -> &Hub {
        let [one, two] = &self.hubs;
        match tenant {
            Tenant::One => one,
            Tenant::Two => two,
        }
    }

    /// Tells everybody what was held back.
    fn release(&self) {
        self.hubs.iter().for_each(Hub::release);
        self.market.release();
    }

    fn join(&self, principal: Principal, outbox: &Arc<Outbox>) -> Result<(), Problem> {
        let mut connected = self.connected();
        let own = connected.iter().filter(|one| one.principal.client == principal.client);
        let own = own.filter(|one| one.outbox.shut().is_none()).count();
        let is_limited = principal.is_known() && !self.is.has(NO_CONNECTION_LIMIT);
        if own >= MOST_CONNECTIONS && is_limited || connected.len() >= MOST {
            return Err(Problem::new(Fault::TooManyStreams, format!("at most {MOST_CONNECTIONS} streams may be open")));
        }
        connected.push(Connected { principal, outbox: Arc::clone(outbox) });
        Ok(())
    }

    fn leave(&self, principal: Principal, outbox: &Arc<Outbox>, lost: bool) {
        self.connected().retain(|one| !Arc::ptr_eq(&one.outbox, outbox));
        self.hub(principal.tenant).leave(outbox, principal.client, lost);
        self.market.leave(outbox);
    }

    fn connected(&self) -> MutexGuard<'_, Vec<Connected>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a handshake; the stream begins when its answer is out.
pub(super) fn open(
    api: &Arc<Api>,
    head: &Parts,
    channel: Channel,
    principal: Principal,
    upgrade: OnUpgrade,
) -> Result<Reply, Problem> {
    let (reply, compression) = handshake::accept(head, &api.behaviour)?;
    let outbox = Outbox::new(api.behaviour.clone(), api.times.stream_queue);
    api.streams.join(principal, &outbox)?;
    let is_ours = channel == Channel::Orders;
    let connection = Connection { api: Arc::clone(api), principal, channel, outbox: Arc::clone(&outbox), compression };
    let api = Arc::clone(api);
    api.clone().tasks.spawn(async move {
        let closed = match timeout(PATIENCE, upgrade).await {
            Ok(Ok(upgraded)) => connection.serve(upgraded).await,
            _ => false,
        };
        outbox.fail(1001, "", true);
        api.streams.leave(principal, &outbox, is_ours && !closed);
    });
    Ok(reply)
}
