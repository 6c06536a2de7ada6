//! A token bucket: a quota of tokens, refilled evenly, a whole quota in one window.

use std::time::Duration;

use super::decision::{Limit, Standing};

/// How far the bucket is from being full.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenBucket {
    /// In tokens times the nanoseconds of a window, so that nothing is rounded: each nanosecond gives back a quota.
    taken: u128,
    at: Duration,
}

impl TokenBucket {
    pub(super) fn take(&mut self, limit: Limit, at: Duration) -> Standing {
        let (window, quota) = self.refill(limit, at);
        let capacity = window * quota;
        let admitted = self.taken + window <= capacity;
        if admitted {
            self.taken += window;
        }
        let missing = (self.taken + window).saturating_sub(capacity);
        let wait = if admitted { Duration::ZERO } else { until(missing, quota) };
        let remaining = capacity.saturating_sub(self.taken) / window;
        let remaining = u32::try_from(remaining).unwrap_or(limit.quota);
        Standing { admitted, remaining, wait, reset: until(self.taken, quota) }
    }

    /// Takes a token, or one that is still to come: the second part is how long until it does. The queue is at most ten
    /// windows long; whoever comes later waits no longer than that.
    pub(super) fn queue(&mut self, limit: Limit, at: Duration) -> (Standing, Duration) {
        let (window, quota) = self.refill(limit, at);
        let capacity = window * quota;
        self.taken = (self.taken + window).min(11 * capacity);
        let remaining = u32::try_from(capacity.saturating_sub(self.taken) / window).unwrap_or(limit.quota);
        let reset = until(self.taken, quota).min(limit.window);
        let standing = Standing { admitted: true, remaining, wait: Duration::ZERO, reset };
        (standing, until(self.taken.saturating_sub(capacity), quota))
    }

    fn refill(&mut self, limit: Limit, at: Duration) -> (u128, u128) {
        let (window, quota) = (limit.window.as_nanos().max(1), u128::from(limit.quota.max(1)));
        let passed = at.saturating_sub(self.at).as_nanos();
        self.taken = self.taken.saturating_sub(passed * quota);
        self.at = at;
        (window, quota)
    }
}

fn until(missing: u128, quota: u128) -> Duration {
    Duration::from_nanos_u128(missing.div_ceil(quota))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Limit, Standing, TokenBucket};

    const LIMIT: Limit = Limit { quota: 4, window: Duration::from_secs(2) };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn tokens_come_back_one_by_one() {
        let mut bucket = TokenBucket::default();
        let mut take = |millis| bucket.take(LIMIT, at(millis));
        let burst: Vec<_> = (0..5).map(|_| take(1_000)).collect();
        assert_eq!(burst.iter().map(|s| s.remaining).collect::<Vec<_>>(), [3, 2, 1, 0, 0]);
        assert_eq!(burst[0].reset, at(500));
        let refused = Standing { admitted: false, remaining: 0, wait: at(500), reset: at(2_000) };
        assert_eq!(burst[4], refused);
        assert_eq!(take(1_499).wait, at(1));
        assert!(take(1_500).admitted);
        assert!(!take(1_500).admitted);
        assert_eq!((take(3_000).remaining, take(3_000).remaining), (2, 1));
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_quota() {
        let mut bucket = TokenBucket::default();
        assert_eq!((0..9).filter(|_| bucket.take(LIMIT, at(60_000)).admitted).count(), 4);
        assert_eq!((0..9).filter(|_| bucket.take(LIMIT, at(61_000)).admitted).count(), 2);
    }

    #[test]
    fn nothing_is_lost_to_rounding() {
        let limit = Limit { quota: 7, window: Duration::from_nanos(1_000_000_001) };
        let mut bucket = TokenBucket::default();
        let mut now = Duration::ZERO;
        for _ in 0..7 {
            assert!(bucket.take(limit, now).admitted);
        }
        for _ in 0..100 {
            let wait = bucket.take(limit, now).wait;
            assert!(!bucket.take(limit, now + wait.saturating_sub(Duration::from_nanos(1))).admitted);
            now += wait;
            assert!(bucket.take(limit, now).admitted);
        }
    }

    #[test]
    fn a_queue_paces_instead_of_refusing() {
        let mut bucket = TokenBucket::default();
        let delays: Vec<_> = (0..7).map(|_| bucket.queue(LIMIT, at(0)).1.as_millis()).collect();
        assert_eq!(delays, [0, 0, 0, 0, 500, 1_000, 1_500]);
        assert_eq!(bucket.queue(LIMIT, at(1_500)).1.as_millis(), 500);
        let longest = (0..1_000).map(|_| bucket.queue(LIMIT, at(1_500)).1).max();
        assert_eq!(longest, Some(at(20_000)));
    }
}
