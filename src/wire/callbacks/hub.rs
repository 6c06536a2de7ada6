//! Who a callback is for, and how much is taken.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use url::Url;

use super::super::{Called, Recorder};
use crate::exchange::{Answer, Answers, Delivery};

/// So many deliveries a run takes.
const DELIVERIES: usize = 10_000;
/// So many bytes of content a run takes in all.
const BYTES: usize = 64 << 20;

/// What all connections share.
pub(super) struct Hub {
    boxes: Mutex<HashMap<String, Arc<Slot>>>,
    by_hand: Mutex<Option<Arc<Slot>>>,
    recorder: Arc<dyn Recorder>,
    start: Instant,
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
    /// Requests to addresses that are nobody's.
    strangers: AtomicU64,
    /// Deliveries that were over a bound.
    refused: AtomicU64,
}

/// One mailbox's side of it.
pub(super) struct Slot {
    pub(super) url: Url,
    pub(super) check: String,
    pub(super) answers: Mutex<Answers>,
    pub(super) deliveries: Mutex<Vec<Delivery>>,
    pub(super) count: watch::Sender<usize>,
}

impl Slot {
    fn new(url: Url, check: &str) -> Arc<Self> {
        Arc::new(Self {
            url,
            check: check.to_owned(),
            answers: Mutex::default(),
            deliveries: Mutex::default(),
            count: watch::Sender::new(0),
        })
    }
}

impl Hub {
    pub(super) fn new(recorder: Arc<dyn Recorder>, start: Instant) -> Self {
        Self {
            boxes: Mutex::default(),
            by_hand: Mutex::default(),
            recorder,
            start,
            deliveries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            strangers: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Puts up a box; `token` is the last segment of its path.
    pub(super) fn put(&self, token: &str, url: Url, check: &str) -> Arc<Slot> {
        let slot = Slot::new(url, check);
        lock(&self.boxes).insert(token.to_owned(), Arc::clone(&slot));
        slot
    }

    /// Puts up the box for what was registered by hand, unless it is there.
    pub(super) fn put_by_hand(&self, url: Url, check: &str) -> Option<Arc<Slot>> {
        let mut by_hand = lock(&self.by_hand);
        by_hand.is_none().then(|| Arc::clone(by_hand.insert(Slot::new(url, check))))
    }

    pub(super) fn take_down(&self, token: Option<&str>) {
        match token {
            Some(token) => drop(lock(&self.boxes).remove(token)),
            None => *lock(&self.by_hand) = None,
        }
    }

    /// Whose address a path is. What is in front of it may be cut off or added to by whatever lies between.
    pub(super) fn addressee(&self, path: &str) -> Option<Arc<Slot>> {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let slot = lock(&self.boxes).get(last).cloned();
        let by_hand = || {
            let own = |slot: &&Arc<Slot>| slot.url.path().trim_end_matches('/') == path.trim_end_matches('/');
            lock(&self.by_hand).as_ref().filter(own).cloned()
        };
        let slot = slot.or_else(by_hand);
        if slot.is_none() {
            self.strangers.fetch_add(1, Ordering::Relaxed);
        }
        slot
    }

    /// Whether there is room for one more delivery with so many bytes.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let room = self.deliveries.fetch_add(1, Ordering::Relaxed) < DELIVERIES
            && self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= BYTES;
        if !room {
            self.refuse();
        }
        room
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps a delivery, tells whoever waits for it, and says how to answer it.
    pub(super) fn deliver(&self, slot: &Slot, arrived: Arrived) -> Answer {
        let answer = lock(&slot.answers).take(&arrived.headers, &arrived.body);
        let mut url = slot.url.clone();
        url.set_query(arrived.query.as_deref());
        let delivery = Delivery {
            id: self.recorder.next_id(),
            method: arrived.method,
            url,
            headers: arrived.headers,
            body: arrived.body,
            received: self.now(),
            clock: std::time::SystemTime::now(),
            answered: answer.clone(),
        };
        let (check, remote, began) = (slot.check.as_str(), arrived.remote, arrived.began);
        self.recorder.called(&Called { delivery: &delivery, check, remote, began });
        let mut deliveries = lock(&slot.deliveries);
        deliveries.push(delivery);
        slot.count.send_replace(deliveries.len());
        answer
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let told = |count: &AtomicU64, what: &str| {
            let count = count.load(Ordering::Relaxed);
            (count > 0).then(|| format!("{count} {what}"))
        };
        let strangers = "requests came to the address for callbacks that belonged to none that was given out";
        let refused = "callbacks were refused because they were too large, too slow or too many";
        told(&self.strangers, strangers).into_iter().chain(told(&self.refused, refused)).collect()
    }
}

/// What arrived on a connection.
pub(super) struct Arrived {
    pub(super) method: String,
    pub(super) query: Option<String>,
    pub(super) headers: crate::exchange::Headers,
    pub(super) body: bytes::Bytes,
    pub(super) remote: std::net::SocketAddr,
    pub(super) began: Duration,
}

/// The lock's content, also after a panic elsewhere.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
