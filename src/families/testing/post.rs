//! Callbacks in virtual time: parcels that are due at an instant, and mailboxes that answer them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::{BoxFuture, FutureExt};
use url::Url;

use crate::{
    exchange::{Answer, Answers, Delivery, ExchangeId, Headers},
    families::{Mailbox, Sameness},
};

/// The instant on the wall at which virtual time begins, in seconds since 1970.
pub(crate) const BEGIN: u64 = 1_800_000_000;
/// Deliveries are numbered from here.
const FIRST: u32 = 10_000;

/// Something that is sent to an address at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) at: Duration,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// Hears how a delivery was answered, and says what is sent because of that.
type Sender = Box<dyn FnMut(&Delivery) -> Vec<Parcel> + Send>;

/// Carries parcels to mailboxes.
#[derive(Default)]
pub(crate) struct Post {
    clock: OnceLock<Arc<AtomicU64>>,
    boxes: Mutex<HashMap<String, Arc<Slot>>>,
    due: Mutex<Vec<Parcel>>,
    sender: Mutex<Option<Sender>>,
    delivered: Mutex<u32>,
}

struct Slot {
    url: Url,
    answers: Mutex<Answers>,
    deliveries: Mutex<Vec<Delivery>>,
}

struct PostBox {
    post: Arc<Post>,
    slot: Arc<Slot>,
}

impl Post {
    /// Sends something when it is due.
    pub(crate) fn send(&self, parcels: impl IntoIterator<Item = Parcel>) {
        self.due.lock().unwrap().extend(parcels);
    }

    /// Tells somebody how each delivery was answered.
    pub(crate) fn tell(&self, sender: impl FnMut(&Delivery) -> Vec<Parcel> + Send + 'static) {
        *self.sender.lock().unwrap() = Some(Box::new(sender));
    }

    /// Runs on this clock from now on.
    pub(super) fn runs_on(&self, clock: &Arc<AtomicU64>) {
        assert!(self.clock.set(Arc::clone(clock)).is_ok(), "a post has one clock");
    }

    /// Puts up a mailbox of this host.
    pub(super) fn open(self: &Arc<Self>, host: &str) -> Box<dyn Mailbox> {
        let number = self.boxes.lock().unwrap().len();
        let url: Url = format!("http://{host}:9000/{number}").parse().unwrap();
        let slot = Arc::new(Slot { url: url.clone(), answers: Mutex::default(), deliveries: Mutex::default() });
        self.boxes.lock().unwrap().insert(url.into(), Arc::clone(&slot));
        Box::new(PostBox { post: Arc::clone(self), slot })
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.clock.get().unwrap().load(Ordering::Relaxed))
    }

    /// Delivers what is due, in order.
    fn deliver(&self) {
        while let Some(parcel) = self.next(self.now()) {
            let Some(slot) = self.boxes.lock().unwrap().get(&parcel.url).cloned() else { continue };
            let answered = slot.answers.lock().unwrap().take(&parcel.headers, &parcel.body);
            let mut delivered = self.delivered.lock().unwrap();
            *delivered += 1;
            let delivery = Delivery {
                id: ExchangeId(FIRST + *delivered),
                method: "POST".into(),
                url: slot.url.clone(),
                headers: parcel.headers,
                body: parcel.body.into(),
                received: parcel.at,
                clock: SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN) + parcel.at,
                answered,
            };
            drop(delivered);
            slot.deliveries.lock().unwrap().push(delivery.clone());
            let more = self.sender.lock().unwrap().as_mut().map_or_else(Vec::new, |sender| sender(&delivery));
            self.send(more);
        }
    }

    /// Takes the first parcel that is due by then.
    fn next(&self, by: Duration) -> Option<Parcel> {
        let mut due = self.due.lock().unwrap();
        let first = (0..due.len()).filter(|at| due[*at].at <= by).min_by_key(|at| due[*at].at)?;
        Some(due.remove(first))
    }
}

impl Mailbox for PostBox {
    fn url(&self) -> &Url {
        &self.slot.url
    }

    fn answer_next(&self, answers: Vec<Answer>) {
        self.slot.answers.lock().unwrap().next(answers);
    }

    fn answer_alike(&self, sameness: Sameness, answers: Vec<Answer>, otherwise: Answer) {
        self.slot.answers.lock().unwrap().alike(sameness, answers, otherwise);
    }

    fn answer_always(&self, answer: Answer) {
        self.slot.answers.lock().unwrap().always(answer);
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.post.deliver();
        self.slot.deliveries.lock().unwrap().clone()
    }

    fn wait_beyond(&self, seen: usize, time: Duration) -> BoxFuture<'_, bool> {
        async move {
            let until = self.post.now() + time;
            loop {
                if self.deliveries().len() > seen {
                    return true;
                }
                let next = self.post.due.lock().unwrap().iter().map(|parcel| parcel.at).min();
                let at = next.filter(|at| *at <= until).unwrap_or(until);
                let clock = self.post.clock.get().unwrap();
                clock.fetch_max(u64::try_from(at.as_micros()).unwrap(), Ordering::Relaxed);
                if next.is_none_or(|next| next > until) {
                    return self.deliveries().len() > seen;
                }
            }
        }
        .boxed()
    }
}
