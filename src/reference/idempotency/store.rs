//! What became of each key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    Done, Payment,
    scope::{self, Scope},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::idempotency::{FORGETS_SOON, RACE},
    times::Times,
};

/// Most keys that are kept. More are refused: forgetting one early would break a promise in silence.
const CAPACITY: usize = 50_000;
/// How long a defect keeps a key.
const SOON: Duration = Duration::from_secs(2);

/// The keys of one running API.
#[derive(Debug, Default)]
pub(in crate::reference) struct Store(Mutex<HashMap<Scope, Entry>>);

#[derive(Debug)]
struct Entry {
    /// What was asked for first.
    payment: Arc<Payment>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The channel closes when the work ends.
    Running(watch::Receiver<()>),
    Done {
        done: Done,
        at: Instant,
        replays: u32,
    },
}

/// The right, and the duty, to do the work for a key.
#[derive(Debug)]
pub(super) struct Claim {
    scope: Scope,
    /// Closes when dropped.
    _running: watch::Sender<()>,
}

/// The first request with a key, and what became of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) payment: Arc<Payment>,
    pub(super) done: Done,
    /// How many repetitions came before this one.
    pub(super) replays: u32,
}

/// What is known of a key when a request comes with it.
#[derive(Debug)]
pub(super) enum Begun {
    /// Nothing was: it is reserved now.
    New(Claim),
    Running(watch::Receiver<()>),
    Done(Known),
    /// It was used for something else, which is done if it is there.
    Mismatch(Option<Known>),
    Full,
}

impl Store {
    /// Looks a key up and reserves it if it is new, in one step.
    pub(super) fn begin(&self, scope: &Scope, payment: &Arc<Payment>, is: &Behaviour, times: &Times) -> Begun {
        let retention = if is.has(FORGETS_SOON) { SOON } else { times.key_retention };
        let mut entries = self.entries();
        if entries.get(scope).is_some_and(|entry| entry.is_past(retention)) {
            entries.remove(scope);
        }
        if let Some(entry) = entries.get_mut(scope) {
            let same = scope::same(&entry.payment, payment, is);
            return match &mut entry.state {
                State::Running(done) if same => Begun::Running(done.clone()),
                State::Running(_) => Begun::Mismatch(None),
                State::Done { done, replays, .. } => {
                    let known = Known { payment: Arc::clone(&entry.payment), done: done.clone(), replays: *replays };
                    *replays = replays.saturating_add(1);
                    if same { Begun::Done(known) } else { Begun::Mismatch(Some(known)) }
                }
            };
        }
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| !entry.is_past(retention));
        }
        if entries.len() >= CAPACITY {
            return Begun::Full;
        }
        let (running, done) = watch::channel(());
        // The defect leaves a gap between looking and writing down.
        if !is.has(RACE) {
            entries.insert(scope.clone(), Entry { payment: Arc::clone(payment), state: State::Running(done) });
        }
        Begun::New(Claim { scope: scope.clone(), _running: running })
    }

    /// Keeps the answer; from now on the key replays.
    pub(super) fn finish(&self, claim: Claim, payment: Arc<Payment>, done: &Done) {
        let state = State::Done { done: done.clone(), at: Instant::now(), replays: 0 };
        self.entries().insert(claim.scope, Entry { payment, state });
    }

    /// Frees a key.
    pub(super) fn forget(&self, claim: &Claim) {
        self.entries().remove(&claim.scope);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Scope, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_past(&self, retention: Duration) -> bool {
        matches!(self.state, State::Done { at, .. } if at.elapsed() >= retention)
    }
}
