//! What a run tells while it goes on.

use std::time::Duration;

/// Hears what a run does; called from many tasks at once and must not block.
pub trait Events: Send + Sync {
    /// A check began.
    fn check_started(&self, family: &str, check: &str);
    /// A check ended.
    fn check_ended(&self, family: &str, check: &str);
    /// An exchange ended; how many there were so far.
    fn exchange(&self, total: u64);
    /// Requests of a client are held back.
    fn waiting(&self, client: &str, time: Duration, why: &str);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {
    fn check_started(&self, _: &str, _: &str) {}
    fn check_ended(&self, _: &str, _: &str) {}
    fn exchange(&self, _: u64) {}
    fn waiting(&self, _: &str, _: Duration, _: &str) {}
}
