//! What happened, for those who want to be told.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::tokens::Tenant;

/// Most events that are kept; the oldest go first.
const KEPT: usize = 1_000;

/// One thing that happened; publishing it twice makes two events of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) struct Event {
    /// `transfer.booked`
    pub(in crate::reference) kind: &'static str,
    /// Whose it is.
    pub(in crate::reference) tenant: Tenant,
    /// The id of what it happened to.
    pub(in crate::reference) subject: String,
    /// The reference the caller gave.
    pub(in crate::reference) reference: String,
    /// The status the subject reached.
    pub(in crate::reference) status: &'static str,
    /// Its place among the events of its subject, from 1.
    pub(in crate::reference) sequence: u64,
}

/// The latest events, oldest first.
#[derive(Debug, Default)]
pub(in crate::reference) struct Events(Mutex<VecDeque<Event>>);

impl Events {
    pub(in crate::reference) fn publish(&self, event: Event) {
        let mut kept = self.kept();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(event);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(in crate::reference) fn all(&self) -> Vec<Event> {
        self.kept().iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Events, KEPT, Tenant};

    #[test]
    fn the_oldest_events_go_first() {
        let events = Events::default();
        for sequence in 1..=KEPT as u64 + 2 {
            let (subject, reference) = ("TRF-1".to_owned(), "r".to_owned());
            events.publish(Event {
                kind: "transfer.booked",
                tenant: Tenant::One,
                subject,
                reference,
                status: "booked",
                sequence,
            });
        }
        let kept = events.all();
        assert_eq!((kept.len(), kept.first().map(|event| event.sequence)), (KEPT, Some(3)));
    }
}
