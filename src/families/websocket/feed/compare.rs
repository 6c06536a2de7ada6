//! Two subscriptions to the same stream, compared event by event, in bounded memory.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::BuildHasher,
    time::Duration,
};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

/// The most events that are waited for on the other side, or whose repetition is still known as one; older ones are
/// given up and counted.
const MOST: usize = 50_000;

/// Events by what they are known by, as two sides hear them.
#[derive(Debug, Default)]
pub(in super::super) struct Comparison {
    hasher: RandomState,
    /// By the digest of its name: who waits for the other side; nobody any more where both heard it.
    events: HashMap<u64, Option<Box<Waiting>>, RandomState>,
    order: VecDeque<u64>,
    /// Events that both heard.
    pub(in super::super) common: u64,
    /// Events that came a second time on one side.
    pub(in super::super) repeated: u64,
    /// Events that nothing is known of any more: there were too many.
    pub(in super::super) given_up: u64,
}

#[derive(Debug)]
struct Waiting {
    side: Side,
    at: Duration,
    scope: Box<str>,
    name: Name<Box<str>>,
}

/// What an event is known by.
#[derive(Debug, Clone, Copy, Hash)]
pub(in super::super) enum Name<T> {
    /// Its id.
    Id(T),
    /// Its number.
    Number(u64),
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Side {
    /// The connection that is judged.
    Main,
    /// The other one.
    Witness,
}

impl Comparison {
    /// An event was heard; its name is one within its scope.
    pub(in super::super) fn heard(&mut self, side: Side, scope: &str, name: Name<&str>, at: Duration) {
        let digest = self.hasher.hash_one((scope, name));
        match self.events.entry(digest) {
            Entry::Occupied(mut known) => match known.get() {
                Some(waiting) if waiting.side != side => {
                    self.common += 1;
                    known.insert(None);
                }
                // Each side's own hearing was counted when both had it.
                _ => self.repeated += 1,
            },
            Entry::Vacant(new) => {
                let name = match name {
                    Name::Id(id) => Name::Id(id.into()),
                    Name::Number(number) => Name::Number(number),
                };
                new.insert(Some(Box::new(Waiting { side, at, scope: scope.into(), name })));
                self.order.push_back(digest);
                if self.order.len() > MOST
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.given_up += u64::from(self.events.remove(&oldest).is_some_and(|event| event.is_some()));
                }
            }
        }
    }

    /// Events that only this side heard, between two instants of the run, in the order they were heard.
    pub(in super::super) fn only(&self, side: Side, from: Duration, to: Duration) -> Vec<(String, Duration)> {
        let mut only: Vec<&Waiting> = self
            .events
            .values()
            .filter_map(Option::as_deref)
            .filter(|one| one.side == side && (from..=to).contains(&one.at))
            .collect();
        only.sort_by_cached_key(|one| (one.at, one.told()));
        only.into_iter().map(|one| (one.told(), one.at)).collect()
    }
}

impl Waiting {
    fn told(&self) -> String {
        match &self.name {
            Name::Id(id) => id.to_string(),
            Name::Number(number) => format!("{}#{number}", self.scope),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_one_side_lacks_is_told_whatever_the_order() {
        let mut comparison = Comparison::default();
        for (n, event) in ["a", "b", "c"].into_iter().enumerate() {
            comparison.heard(Side::Main, "", Name::Id(event), at(n as u64));
        }
        for event in ["c", "a", "d", "a"] {
            comparison.heard(Side::Witness, "", Name::Id(event), at(9));
        }
        assert_eq!(comparison.only(Side::Main, at(0), at(9)), [("b".to_owned(), at(1))]);
        assert_eq!(comparison.only(Side::Witness, at(0), at(9)), [("d".to_owned(), at(9))]);
        assert_eq!(comparison.only(Side::Witness, at(0), at(8)), []);
        assert_eq!((comparison.common, comparison.repeated), (2, 1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut comparison = Comparison::default();
        for n in 0..200_000 {
            comparison.heard(Side::Main, "key", Name::Number(n), at(1));
        }
        assert!(comparison.events.len() <= MOST && comparison.order.len() <= MOST);
        assert_eq!(comparison.only(Side::Main, at(0), at(1))[0].0, "key#150000");
        assert_eq!(comparison.given_up, 150_000);
    }
}
