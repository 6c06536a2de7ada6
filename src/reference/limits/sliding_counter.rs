//! A sliding counter: the count of the window in progress, and that of the last one as far as it still overlaps the
//! interval of one window that ends now.

use std::time::Duration;

use super::{
    decision::{Limit, Standing},
    fixed_window::into_window,
};

/// The counts of the last window and the one in progress; windows follow each other from the start of the API.
#[derive(Debug, Clone, Default)]
pub(super) struct SlidingCounter {
    opened: Duration,
    before: u32,
    used: u32,
}

impl SlidingCounter {
    pub(super) fn take(&mut self, limit: Limit, at: Duration) -> Standing {
        let into = into_window(at, limit.window);
        let opened = at.saturating_sub(into);
        if opened != self.opened {
            self.before = if opened == self.opened + limit.window { self.used } else { 0 };
            self.used = 0;
            self.opened = opened;
        }
        let window = limit.window.as_nanos().max(1);
        let admitted = self.weight(window, into) < window * u128::from(limit.quota);
        self.used += u32::from(admitted);
        let free = (window * u128::from(limit.quota)).saturating_sub(self.weight(window, into));
        let remaining = u32::try_from(free.div_ceil(window)).unwrap_or(limit.quota);
        let end = limit.window.saturating_sub(into);
        let wait = if admitted { Duration::ZERO } else { self.wait(limit, window, into) };
        Standing { admitted, remaining, wait, reset: if admitted { end } else { wait } }
    }

    /// What counts now, in requests times the nanoseconds of a window.
    fn weight(&self, window: u128, into: Duration) -> u128 {
        u128::from(self.before) * window.saturating_sub(into.as_nanos()) + u128::from(self.used) * window
    }

    /// From now until the weight falls below the quota.
    fn wait(&self, limit: Limit, window: u128, into: Duration) -> Duration {
        if self.used >= limit.quota {
            // One instant into the next window the whole count of this one weighs a little less than the quota.
            return limit.window.saturating_sub(into) + Duration::from_nanos(1);
        }
        let excess = self.weight(window, into).saturating_sub(window * u128::from(limit.quota));
        Duration::from_nanos_u128(excess / u128::from(self.before.max(1)) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Limit, SlidingCounter};

    const LIMIT: Limit = Limit { quota: 4, window: Duration::from_secs(2) };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn burst(counter: &mut SlidingCounter, millis: u64) -> usize {
        (0..20).filter(|_| counter.take(LIMIT, at(millis)).admitted).count()
    }

    #[test]
    fn the_last_window_weighs_as_far_as_it_overlaps() {
        let mut counter = SlidingCounter::default();
        assert_eq!(burst(&mut counter, 1_000), 4);
        assert_eq!(burst(&mut counter, 1_999), 0);
        // A quarter of the next window has passed: three of the four still weigh.
        assert_eq!(burst(&mut counter, 2_500), 1);
        assert_eq!(burst(&mut counter, 2_501), 1);
        assert_eq!(burst(&mut counter, 3_001), 1);
        assert_eq!(burst(&mut counter, 8_000), 4);
    }

    #[test]
    fn the_wait_that_is_said_is_enough_and_not_too_long() {
        for start in [1, 300, 1_000, 1_999, 2_000, 3_700] {
            let mut counter = SlidingCounter::default();
            let mut now = at(start);
            for _ in 0..40 {
                while counter.take(LIMIT, now).admitted {}
                let wait = counter.take(LIMIT, now).wait;
                // A nanosecond more than a window, for a caller who used everything up on its first nanosecond.
                let longest = LIMIT.window + Duration::from_nanos(1);
                assert!(Duration::ZERO < wait && wait <= longest, "{start}: {wait:?}");
                let before = counter.clone().take(LIMIT, now + wait.saturating_sub(Duration::from_nanos(1)));
                assert!(!before.admitted, "{start}: {wait:?} is too long at {now:?}");
                now += wait;
                assert!(counter.take(LIMIT, now).admitted, "{start}: {wait:?} is not enough at {now:?}");
            }
        }
    }

    #[test]
    fn what_is_said_to_remain_is_what_would_be_admitted() {
        let mut counter = SlidingCounter::default();
        for millis in (0..30_000).step_by(113) {
            let standing = counter.take(LIMIT, at(millis));
            let more = u32::try_from(burst(&mut counter.clone(), millis)).unwrap();
            assert_eq!(standing.remaining, more, "at {millis}");
            assert!(standing.remaining <= LIMIT.quota);
        }
    }
}
