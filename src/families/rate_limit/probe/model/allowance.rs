//! What finding out which limiter decides may take.

use std::time::Duration;

use super::seconds;
use crate::families::rate_limit::limiter::runs::Declared;

/// The window that is assumed where none is declared or told, in seconds.
pub(super) const USUAL: f64 = 2.0;

/// What a drive may take.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::families::rate_limit) struct Allowance {
    /// What the suite declares.
    pub(in crate::families::rate_limit) declared: Declared,
    /// The most requests of a burst.
    pub(in crate::families::rate_limit) burst: u32,
    /// The most requests of one run.
    pub(in crate::families::rate_limit) requests: u64,
    /// About the longest time of one run, its first silence left out.
    pub(in crate::families::rate_limit) time: Duration,
    /// The silence before a run, at least.
    pub(in crate::families::rate_limit) silence: Duration,
}

impl Allowance {
    /// For a declared limit; `burst` bounds a burst where no quota is declared, `silence` where no window is.
    pub(in crate::families::rate_limit) fn new(declared: Declared, burst: u32, silence: Duration) -> Self {
        let window = declared.window().unwrap_or(USUAL);
        let own = declared.horizon().map_or(silence, |horizon| seconds(horizon * 1.05));
        let burst = declared.at_once().map_or(burst, |at_once| at_once.saturating_mul(2).saturating_add(6));
        let of_quotas = declared.at_once().map_or(u64::from(burst) * 2, |at_once| u64::from(at_once) * 3) + 60;
        Self {
            burst,
            requests: of_quotas.max(u64::from(burst)),
            time: seconds(2.7 * window.max(declared.horizon().unwrap_or(window))),
            silence: own,
            declared,
        }
    }

    /// The most requests that everything takes.
    pub(in crate::families::rate_limit) fn most_requests(&self) -> u64 {
        3 * self.requests
    }

    /// About the longest time that everything takes, answers that are slow aside.
    #[cfg(test)]
    pub(in crate::families::rate_limit) fn longest(&self) -> Duration {
        let window = self.declared.window().unwrap_or(USUAL);
        let rest = self.silence.max(seconds(window * 2.05)) + seconds(window * 0.6);
        3 * (self.time + rest)
    }
}
