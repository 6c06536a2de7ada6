//! A sliding log: each admitted request counts for exactly one window. With the time that a request is worked on for a
//! window, the same counts the requests that are worked on at once.

use std::{collections::VecDeque, time::Duration};

use super::decision::{Limit, Standing};

/// When the requests that count were admitted, oldest first; never more than the quota.
#[derive(Debug, Clone, Default)]
pub(super) struct SlidingLog(VecDeque<Duration>);

impl SlidingLog {
    pub(super) fn take(&mut self, limit: Limit, at: Duration) -> Standing {
        while self.0.front().is_some_and(|first| *first + limit.window <= at) {
            self.0.pop_front();
        }
        let used = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let admitted = used < limit.quota;
        if admitted {
            self.0.push_back(at);
        }
        let reset = self.0.front().map_or(Duration::ZERO, |first| (*first + limit.window).saturating_sub(at));
        let wait = if admitted { Duration::ZERO } else { reset };
        Standing { admitted, remaining: limit.quota.saturating_sub(used + u32::from(admitted)), wait, reset }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Limit, SlidingLog};

    const LIMIT: Limit = Limit { quota: 3, window: Duration::from_secs(2) };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn each_request_comes_back_one_window_after_it_was_admitted() {
        let mut log = SlidingLog::default();
        let mut take = |millis| log.take(LIMIT, at(millis));
        assert_eq!((take(0).remaining, take(100).remaining, take(900).remaining), (2, 1, 0));
        let refused = take(1_000);
        assert_eq!((refused.admitted, refused.wait, refused.reset), (false, at(1_000), at(1_000)));
        assert!(!take(1_999).admitted);
        let echo = take(2_000);
        assert_eq!((echo.admitted, echo.remaining, echo.reset), (true, 0, at(100)));
        assert_eq!(take(2_050).wait, at(50));
        assert!(take(2_100).admitted);
        assert_eq!(take(2_100).wait, at(800));
    }

    #[test]
    fn no_interval_of_one_window_holds_more_than_the_quota() {
        let mut log = SlidingLog::default();
        let admitted: Vec<u64> =
            (0..20_000).step_by(37).filter(|millis| log.take(LIMIT, at(*millis)).admitted).collect();
        assert!(admitted.len() >= 27);
        assert!(admitted.windows(4).all(|four| four[3] - four[0] >= 2_000), "{admitted:?}");
    }
}
