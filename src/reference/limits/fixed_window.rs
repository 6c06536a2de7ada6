//! Fixed windows: so many requests in each, all free again when the next begins.

use std::time::Duration;

use super::decision::{Limit, Standing};

/// The window in progress.
#[derive(Debug, Clone, Default)]
pub(super) struct FixedWindow {
    opened: Option<Duration>,
    used: u32,
}

impl FixedWindow {
    /// Windows follow each other from the start of the API if `aligned`, or else open with the first request after the
    /// last one.
    pub(super) fn take(&mut self, limit: Limit, aligned: bool, at: Duration) -> Standing {
        let opened = match self.opened {
            Some(opened) if at < opened + limit.window => opened,
            _ => {
                self.used = 0;
                if aligned { at.saturating_sub(into_window(at, limit.window)) } else { at }
            }
        };
        self.opened = Some(opened);
        let admitted = self.used < limit.quota;
        self.used += u32::from(admitted);
        let reset = (opened + limit.window).saturating_sub(at);
        let wait = if admitted { Duration::ZERO } else { reset };
        Standing { admitted, remaining: limit.quota - self.used, wait, reset }
    }
}

/// How far an instant is into its window, when windows follow each other from zero.
pub(super) fn into_window(at: Duration, window: Duration) -> Duration {
    Duration::from_nanos_u128(at.as_nanos() % window.as_nanos().max(1))
}

#[cfg(test)]
mod tests {
    use super::{Duration, FixedWindow, Limit, Standing};

    const LIMIT: Limit = Limit { quota: 3, window: Duration::from_secs(2) };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn admitted(remaining: u32, reset: u64) -> Standing {
        Standing { admitted: true, remaining, wait: Duration::ZERO, reset: at(reset) }
    }

    #[test]
    fn a_window_opens_with_the_first_request_and_frees_all_at_its_end() {
        let mut window = FixedWindow::default();
        let mut take = |millis| window.take(LIMIT, false, at(millis));
        assert_eq!(take(500), admitted(2, 2_000));
        assert_eq!(take(700), admitted(1, 1_800));
        assert_eq!(take(2_499), admitted(0, 1));
        let end = take(2_499);
        assert_eq!((end.admitted, end.wait, end.reset), (false, at(1), at(1)));
        // Up to twice the quota in a moment: at the end of one window and at the start of the next.
        assert_eq!(take(2_500), admitted(2, 2_000));
        assert_eq!(take(9_000), admitted(2, 2_000));
    }

    #[test]
    fn aligned_windows_begin_at_multiples_of_their_length() {
        let mut window = FixedWindow::default();
        let mut take = |millis| window.take(LIMIT, true, at(millis));
        assert_eq!(take(1_900), admitted(2, 100));
        assert_eq!(take(2_000), admitted(2, 2_000));
        assert_eq!(take(7_500), admitted(2, 500));
    }

    #[test]
    fn refused_requests_use_nothing_up() {
        let mut window = FixedWindow::default();
        let all: Vec<_> = (0..100).map(|_| window.take(LIMIT, false, at(0)).admitted).collect();
        assert_eq!(all.iter().filter(|admitted| **admitted).count(), 3);
        assert_eq!(window.take(LIMIT, false, at(2_000)), admitted(2, 2_000));
    }
}
