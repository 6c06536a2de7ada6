//! When a request may be sent: its client's gate is open, an exchange slot is free, the pace allows it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Limits, Wire};
use crate::exchange::{Failure, FailureKind, Request};

/// Who may send, and when.
pub(super) struct Turn {
    budget: AtomicU64,
    slots: Semaphore,
    pace: Option<Pace>,
    gates: Gates,
}

impl Turn {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            budget: AtomicU64::new(limits.requests),
            slots: Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            pace: limits.rate.map(|rate| Pace { interval: rate.interval(), next: Mutex::new(None) }),
            gates: Gates::default(),
        }
    }

    pub(super) fn remaining(&self) -> u64 {
        self.budget.load(Ordering::Relaxed)
    }

    /// Holds back obeying requests of this client for that long from now.
    pub(super) fn close_gate(&self, client: &str, time: Duration) {
        if let Some(until) = Instant::now().checked_add(time) {
            self.gates.close(client, until);
        }
    }
}

impl Wire {
    /// Waits until the request may be sent and takes it off the budget; the slot is free again when dropped.
    pub(super) async fn admit(&self, request: &Request) -> Result<SemaphorePermit<'_>, Failure> {
        loop {
            self.may_send()?;
            if let Some(time) = self.gate_of(request) {
                // No slot is held meanwhile: other clients have theirs to use.
                self.pause(time).await;
                continue;
            }
            let Ok(slot) = self.turn.slots.acquire().await else {
                return Err(refusal(FailureKind::Interrupted, "the run was interrupted".into()));
            };
            if let Some(pace) = &self.turn.pace {
                let wait = pace.reserve(Instant::now());
                if !wait.is_zero() {
                    self.pause(wait).await;
                }
            }
            self.may_send()?;
            if self.gate_of(request).is_some() {
                continue;
            }
            self.spend()?;
            return Ok(slot);
        }
    }

    /// Takes a request off the budget that waits for nobody else's turn.
    pub(super) fn admit_beside(&self) -> Result<(), Failure> {
        self.may_send()?;
        self.spend()
    }

    /// Lets the pace of the run catch up with so many requests sent at once.
    pub(super) async fn keep_pace(&self, requests: usize) {
        let Some(pace) = &self.turn.pace else { return };
        let now = Instant::now();
        let wait = (0..requests).map(|_| pace.reserve(now)).max().unwrap_or_default();
        self.pause(wait).await;
    }

    fn may_send(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(refusal(FailureKind::Interrupted, "the run was interrupted".into()));
        }
        if self.now() >= self.limits.duration.0 {
            let message = format!("not sent: the run's time of {} is spent", self.limits.duration);
            return Err(refusal(FailureKind::Budget, message));
        }
        Ok(())
    }

    /// How long the client's gate stays closed for this request.
    fn gate_of(&self, request: &Request) -> Option<Duration> {
        if request.obey { self.turn.gates.closed_for(request.who.name(), Instant::now()) } else { None }
    }

    fn spend(&self) -> Result<(), Failure> {
        let spent = self.turn.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        spent.map(drop).map_err(|_| {
            let message = format!("not sent: the run's budget of {} requests is spent", self.limits.requests);
            refusal(FailureKind::Budget, message)
        })
    }
}

fn refusal(kind: FailureKind, message: String) -> Failure {
    Failure { id: None, kind, message }
}

/// Evenly spaced starts: unused time is not saved up for a burst.
struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// Takes the next start and says how far off it is.
    fn reserve(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = next.map_or(now, |next| next.max(now));
        *next = Some(start + self.interval);
        start - now
    }
}

/// Clients told to wait, and until when.
#[derive(Default)]
struct Gates(Mutex<HashMap<String, Instant>>);

impl Gates {
    fn close(&self, client: &str, until: Instant) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(client.to_owned()).or_insert(until);
        *gate = until.max(*gate);
    }

    fn closed_for(&self, client: &str, now: Instant) -> Option<Duration> {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = gates.get(client)?;
        until.checked_duration_since(now).filter(|time| !time.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_evenly_spaced_and_idle_time_is_not_saved_up() {
        let step = Duration::from_millis(20);
        let pace = Pace { interval: step, next: Mutex::new(None) };
        let begin = Instant::now();
        let waits: Vec<_> = (0..4).map(|_| pace.reserve(begin)).collect();
        assert_eq!(waits, [Duration::ZERO, step, step * 2, step * 3]);
        let later = begin + step * 100;
        assert_eq!([pace.reserve(later), pace.reserve(later)], [Duration::ZERO, step]);
    }

    #[test]
    fn a_gate_is_one_clients_own_and_only_ever_moves_later() {
        let gates = Gates::default();
        let now = Instant::now();
        gates.close("a", now + Duration::from_secs(5));
        gates.close("a", now + Duration::from_secs(2));
        assert_eq!(gates.closed_for("a", now), Some(Duration::from_secs(5)));
        assert_eq!(gates.closed_for("b", now), None);
        assert_eq!(gates.closed_for("a", now + Duration::from_secs(5)), None);
    }
}
