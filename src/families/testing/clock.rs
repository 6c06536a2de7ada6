//! Virtual time that several futures wait for at once: it moves on when nothing else is left to do.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

/// So often the others get a turn before time moves on.
const ROUNDS: u32 = 4;
/// Whoever waits for the first instant and has not had a turn for so long is not being waited for.
const PATIENCE: u32 = 200;

/// Microseconds since the start, and who waits until when.
#[derive(Default)]
pub(super) struct Clock {
    now: Arc<AtomicU64>,
    waiting: Mutex<BTreeMap<u64, Duration>>,
    next: AtomicU64,
}

impl Clock {
    /// The microseconds themselves.
    pub(super) fn hand(&self) -> &Arc<AtomicU64> {
        &self.now
    }

    pub(super) fn now(&self) -> Duration {
        Duration::from_micros(self.now.load(Ordering::Relaxed))
    }

    pub(super) fn advance(&self, time: Duration) {
        self.now.fetch_add(micros(time), Ordering::Relaxed);
    }

    /// Waits until an instant, which may change meanwhile; whoever waits for the first one moves the time.
    pub(super) async fn until(&self, mut instant: impl FnMut() -> Duration) {
        let place = Place { clock: self, number: self.next.fetch_add(1, Ordering::Relaxed) };
        let (mut idle, mut last) = (0, (self.now(), Duration::MAX));
        loop {
            let (now, until) = (self.now(), instant());
            if now >= until {
                return;
            }
            let first = {
                let mut waiting = self.waiting.lock().unwrap();
                waiting.insert(place.number, until);
                waiting.values().all(|other| until <= *other)
            };
            idle = if last == (now, until) { idle + 1 } else { 0 };
            last = (now, until);
            if first && idle >= ROUNDS || idle >= PATIENCE {
                self.now.fetch_max(micros(until), Ordering::Relaxed);
                return;
            }
            others().await;
        }
    }
}

/// A place among those who wait, given up however the wait ends.
struct Place<'c> {
    clock: &'c Clock,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.clock.waiting.lock().unwrap().remove(&self.number);
    }
}

/// Lets everybody else have a turn.
async fn others() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap()
}
