//! Webhooks: tells registered addresses what happened (Standard Webhooks, unless a variant speaks another recipe).
//!
//! `registration` says who wants to know what, `address` where events may go, `message` what is sent, `signature` how it is
//! signed, `delivery` sends it and sends it again. Each delivery is a task of its own: events wait for none but
//! themselves, and end with the API. Publishing never waits: beyond a bound, deliveries are dropped.

mod address;
mod delivery;
mod message;
mod registration;
mod signature;

pub(super) use address::{Refused, parse as address};
pub(super) use registration::{Pattern, Registration, number};

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use super::{
    behaviour::Behaviour, defects::webhook::NEVER_SENT, events::Event, times::Times, tokens::Tenant,
    variants::OUT_OF_ORDER,
};
use message::Message;
use signature::Secret;

/// Most registrations of one tenant.
const REGISTRATIONS: usize = 100;
/// Most deliveries that go on at a time; more events are lost.
const DELIVERIES: usize = 2_000;
/// How long after the end of an operation a variant tells of its beginning.
const BEHIND: Duration = Duration::from_millis(40);

/// Those who want to be told, and the means to tell them.
pub(super) struct Webhooks {
    is: Behaviour,
    times: Times,
    tasks: TaskTracker,
    stop: CancellationToken,
    registered: Mutex<Registered>,
    deliveries: Arc<Semaphore>,
    client: OnceLock<Option<reqwest::Client>>,
}

#[derive(Debug, Default)]
struct Registered {
    last: u32,
    all: BTreeMap<u32, Registration>,
    /// Beginnings of operations that a variant tells of after the end.
    held: HashMap<String, Event>,
}

impl Webhooks {
    pub(super) fn new(is: Behaviour, times: &Times, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let deliveries = Arc::new(Semaphore::new(DELIVERIES));
        Self { is, times: *times, tasks, stop, registered: Mutex::default(), deliveries, client: OnceLock::new() }
    }

    /// Registers an address; none if the tenant has too many. Fails if no secret can be drawn.
    pub(super) fn register(&self, tenant: Tenant, url: Url, patterns: Vec<Pattern>) -> Option<Registration> {
        let secret = Secret::draw()?;
        let mut registered = self.registered();
        if registered.all.values().filter(|known| known.tenant == tenant).count() >= REGISTRATIONS {
            return None;
        }
        registered.last += 1;
        let registration = Registration::new(registered.last, tenant, url, patterns, secret);
        registered.all.insert(registration.number, registration.clone());
        Some(registration)
    }

    /// The registration of that number, if it is this tenant's.
    pub(super) fn get(&self, number: u32, tenant: Tenant) -> Option<Registration> {
        self.registered().all.get(&number).filter(|known| known.tenant == tenant).cloned()
    }

    /// Deletes it; false if there is none.
    pub(super) fn delete(&self, number: u32, tenant: Tenant) -> bool {
        let mut registered = self.registered();
        let own = registered.all.get(&number).is_some_and(|known| known.tenant == tenant);
        own && registered.all.remove(&number).is_some()
    }

    /// Tells everyone who wants to know. Returns at once.
    pub(super) fn publish(self: &Arc<Self>, event: Event) {
        if self.is.has(NEVER_SENT) {
            return;
        }
        if !self.is.is(OUT_OF_ORDER) {
            return self.tell(&event, Duration::ZERO);
        }
        if event.kind == "operation.running" {
            self.registered().held.insert(event.subject.clone(), event);
            return;
        }
        let beginning = self.registered().held.remove(&event.subject);
        self.tell(&event, Duration::ZERO);
        if let Some(beginning) = beginning {
            self.tell(&beginning, BEHIND);
        }
    }

    /// Starts a delivery to each registration that wants the event.
    fn tell(self: &Arc<Self>, event: &Event, delay: Duration) {
        let message = Message::new(event, &self.is);
        let wanting: Vec<u32> =
            self.registered().all.values().filter(|known| known.wants(event)).map(|known| known.number).collect();
        for number in wanting {
            // The bound is reached only if receivers hang; what is lost then can still be asked for.
            let Ok(permit) = Arc::clone(&self.deliveries).try_acquire_owned() else { return };
            let (webhooks, message) = (Arc::clone(self), message.clone());
            self.tasks.spawn(async move {
                let stop = webhooks.stop.clone();
                stop.run_until_cancelled(delivery::deliver(&webhooks, number, message, delay)).await;
                drop(permit);
            });
        }
    }

    /// A registration that is still to be told.
    fn enabled(&self, number: u32) -> Option<Registration> {
        self.registered().all.get(&number).filter(|known| known.enabled).cloned()
    }

    /// Tells a receiver nothing more: it said that it is gone.
    fn disable(&self, number: u32) {
        if let Some(known) = self.registered().all.get_mut(&number) {
            known.enabled = false;
        }
    }

    /// The HTTP client, made when it is first needed.
    fn client(&self) -> Option<&reqwest::Client> {
        self.client.get_or_init(delivery::client).as_ref()
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
