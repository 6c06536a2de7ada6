//! How far the target's clock is from ours, as an interval (Cristian's method).
//!
//! A `Date` header field says that the target's clock stood within one second from that value at some instant between
//! sending and receiving; the intervals of many responses are cut with each other. Where nothing is left, several
//! clocks answer, or a cache does, and no instant of the target's clock means anything.

use serde::{Deserialize, Serialize};

use super::evidence::Answer;

/// How far the target's clock is ahead of the run's own, in microseconds: the epoch instant of the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The bounds, both included; none before the first `Date`.
    pub bounds: Option<(i64, i64)>,
    /// Whether the answers contradict each other.
    pub unreliable: bool,
}

/// One second, in microseconds.
const SECOND: i64 = 1_000_000;
/// How far an instant may be beyond what is known before clocks are said to disagree: `Date` may be set early.
const SLACK: i64 = SECOND;

impl Clock {
    /// Takes note of an answer; those of caches tell nothing.
    pub(super) fn note(&mut self, answer: &Answer) {
        if answer.is_cached() {
            return;
        }
        let Some(date) = answer.field("date").and_then(|date| epoch_us(&date)) else { return };
        let (sent, received) = (micros(answer.sent_us), micros(answer.received_us));
        let (low, high) = (date.saturating_sub(received), date.saturating_add(SECOND).saturating_sub(sent));
        let (low, high) = match self.bounds {
            None => (low, high),
            Some((old_low, old_high)) => (old_low.max(low), old_high.min(high)),
        };
        self.unreliable |= low > high.saturating_add(SLACK);
        self.bounds = Some((low.min(high), high.max(low)));
    }

    /// How long after an instant of the run the target's clock certainly reaches an instant of its own.
    pub(super) fn until(&self, epoch_us: i64, from_us: u64) -> Option<i64> {
        let (low, _) = self.bounds.filter(|_| !self.unreliable)?;
        Some(epoch_us.saturating_sub(low).saturating_sub(micros(from_us)))
    }
}

fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

/// An HTTP-date as microseconds since 1970.
pub(super) fn epoch_us(date: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(date.trim()).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exchange::ExchangeId, families::rate_limit::evidence::Kind};

    fn answer(sent_us: u64, received_us: u64, date: &str, age: Option<&str>) -> Answer {
        let fields = [("date", Some(date)), ("age", age)];
        let fields = fields.into_iter().filter_map(|(n, v)| Some((n.to_owned(), v?.to_owned()))).collect();
        Answer { exchange: ExchangeId(1), sent_us, received_us, status: 200, kind: Kind::Admitted, fields }
    }

    #[test]
    fn answers_narrow_the_interval() {
        let mut clock = Clock::default();
        clock.note(&answer(0, 100_000, "Thu, 01 Jan 1970 00:01:40 GMT", None));
        assert_eq!(clock.bounds, Some((99_900_000, 101_000_000)));
        clock.note(&answer(600_000, 610_000, "Thu, 01 Jan 1970 00:01:41 GMT", None));
        assert_eq!(clock.bounds, Some((100_390_000, 101_000_000)));
        assert_eq!(clock.until(105_000_000, 1_000_000), Some(3_610_000));
    }

    #[test]
    fn clocks_that_disagree_are_unreliable_and_caches_are_not_asked() {
        let mut clock = Clock::default();
        clock.note(&answer(0, 1_000, "Thu, 01 Jan 1970 00:01:40 GMT", None));
        clock.note(&answer(2_000, 3_000, "Thu, 01 Jan 1970 00:09:40 GMT", Some("480")));
        assert!(!clock.unreliable);
        clock.note(&answer(4_000, 5_000, "Thu, 01 Jan 1970 00:09:40 GMT", None));
        assert!(clock.unreliable);
        assert_eq!(clock.until(0, 0), None);
    }
}
