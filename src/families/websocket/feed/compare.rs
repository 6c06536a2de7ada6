//! Two subscriptions to the same stream, compared event by event, in bounded memory.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// The most events that are waited for on the other side; older ones are given up and counted.
const MOST_WAITING: usize = 50_000;
/// The most events whose repetition is still known as one.
const MOST_KNOWN: usize = 50_000;

/// Events by what they are known by, as two sides hear them.
#[derive(Debug, Default)]
pub(in super::super) struct Comparison {
    waiting: HashMap<String, (Side, Duration)>,
    order: VecDeque<String>,
    known: HashSet<String>,
    known_order: VecDeque<String>,
    /// Events that both heard.
    pub(in super::super) common: u64,
    /// Events that came a second time on one side, after both had them.
    pub(in super::super) repeated: u64,
    /// Events that nothing is known of any more: there were too many.
    pub(in super::super) given_up: u64,
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
    /// An event was heard.
    pub(in super::super) fn heard(&mut self, side: Side, event: &str, at: Duration) {
        if self.known.contains(event) {
            // Each side's own hearing was counted when both had it.
            self.repeated += 1;
            return;
        }
        match self.waiting.get(event) {
            Some((other, _)) if *other != side => {
                self.waiting.remove(event);
                self.common += 1;
                self.known.insert(event.to_owned());
                self.known_order.push_back(event.to_owned());
                if self.known_order.len() > MOST_KNOWN
                    && let Some(oldest) = self.known_order.pop_front()
                {
                    self.known.remove(&oldest);
                }
            }
            Some(_) => self.repeated += 1,
            None => {
                self.waiting.insert(event.to_owned(), (side, at));
                self.order.push_back(event.to_owned());
                self.trim();
            }
        }
    }

    fn trim(&mut self) {
        while self.order.len() > MOST_WAITING {
            let Some(oldest) = self.order.pop_front() else { return };
            // Most have been heard on the other side long since.
            self.given_up += u64::from(self.waiting.remove(&oldest).is_some());
        }
    }

    /// Events that only this side heard, between two instants of the run, in the order they were heard.
    pub(in super::super) fn only(&self, side: Side, from: Duration, to: Duration) -> Vec<(String, Duration)> {
        let mut only: Vec<(String, Duration)> = self
            .waiting
            .iter()
            .filter(|(_, (heard, at))| *heard == side && (from..=to).contains(at))
            .map(|(event, (_, at))| (event.clone(), *at))
            .collect();
        only.sort_by(|(one, at), (other, at_other)| (at, one).cmp(&(at_other, other)));
        only
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
            comparison.heard(Side::Main, event, at(n as u64));
        }
        for event in ["c", "a", "d", "a"] {
            comparison.heard(Side::Witness, event, at(9));
        }
        assert_eq!(comparison.only(Side::Main, at(0), at(9)), [("b".to_owned(), at(1))]);
        assert_eq!(comparison.only(Side::Witness, at(0), at(9)), [("d".to_owned(), at(9))]);
        assert_eq!(comparison.only(Side::Witness, at(0), at(8)), []);
        assert_eq!((comparison.common, comparison.repeated), (2, 1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut comparison = Comparison::default();
        for n in 0..200_000_u32 {
            comparison.heard(Side::Main, &n.to_string(), at(1));
        }
        assert!(comparison.waiting.len() <= MOST_WAITING);
        assert_eq!(comparison.given_up, 150_000);
    }
}
