//! Silent waits after a refusal.

use std::time::Duration;

use super::{
    super::{
        evidence::{Answer, Early, Wait},
        signal,
    },
    prober::{Prober, micros},
};
use crate::notation::Span;

/// The most requests that waiting for a spent limit takes.
pub(in super::super) const WAITS: u64 = CYCLES + UNTOLD;
/// How often a wait that was told is believed in a row.
const CYCLES: u64 = 3;
/// How often a wait is tried that nobody told.
const UNTOLD: u64 = 5;

impl Prober<'_> {
    /// Waits as told, or as seems right where nothing was told, until the limited request is let through again.
    pub(super) async fn recover(&mut self) -> bool {
        self.evidence.unrecovered = None;
        let mut untold = 0;
        let mut cycles = 0;
        while cycles < CYCLES && untold < UNTOLD {
            let Some(refusal) = self.last_refusal.clone() else { return true };
            let told = signal::told(&refusal, &self.config.signal, &self.evidence.clock);
            let wait = match &told {
                Some(told) if told.wait > self.config.max_wait.0 => {
                    return self.stay(format!(
                        "the refusal asks to wait {}, longer than `max_wait` of {}",
                        Span(told.wait),
                        self.config.max_wait
                    ));
                }
                Some(told) => {
                    cycles += 1;
                    told.wait
                }
                None => {
                    untold += 1;
                    self.untold_wait(untold)
                }
            };
            let wait = wait + self.guard();
            self.silent_until(&refusal, wait).await;
            let waited = self.session.now().saturating_sub(Duration::from_micros(refusal.received_us));
            let Some(answer) = self.ask_limited().await else {
                return self.stay(format!("after the wait there was no answer: {}", self.trouble()));
            };
            let admitted = answer.is_admitted();
            self.evidence.waits.push(Wait {
                refusal,
                told_ms: told.as_ref().map(|told| millis(told.wait)),
                told_by: told.map(|told| told.by),
                waited_ms: millis(waited),
                chained: cycles + untold > 1,
                answer,
            });
            if admitted {
                self.last_refusal = None;
                return true;
            }
        }
        self.stay("the limit stayed spent".into())
    }

    fn stay(&mut self, why: String) -> bool {
        self.evidence.unrecovered = Some(why);
        false
    }

    /// The window first, if one is known; then waits that double.
    fn untold_wait(&self, count: u64) -> Duration {
        let first = self.window().unwrap_or(Duration::from_secs(1));
        let doubled = first.saturating_mul(1 << count.saturating_sub(1).min(16));
        doubled.min(self.config.max_wait.0)
    }

    /// Lets time pass until so long after a refusal.
    async fn silent_until(&self, refusal: &Answer, wait: Duration) {
        let until = Duration::from_micros(refusal.received_us).saturating_add(wait);
        self.session.pause(until.saturating_sub(self.session.now())).await;
    }

    /// Lets the limit recover as a whole, not only as far as one request needs.
    pub(super) async fn rest(&self) {
        let told = self.evidence.waits.iter().filter_map(|wait| wait.told_ms).max().map(Duration::from_millis);
        let rest = self.window().max(told).unwrap_or(Duration::from_secs(2));
        self.session.pause(rest.min(self.config.max_wait.0) + self.guard()).await;
    }

    /// Whether a wait as told helped once and did not help once: a third decides.
    pub(super) fn waits_undecided(&self) -> bool {
        let told = || self.evidence.waits.iter().filter(|wait| wait.told_ms.is_some());
        let refused = told().filter(|wait| wait.answer.is_refused()).count();
        refused == 1 && told().count() == 2
    }

    /// One retry at half the wait, where the wait is long.
    pub(super) async fn retry_early(&mut self) {
        let longest = self.evidence.waits.iter().filter_map(|wait| wait.told_ms).max();
        if longest.is_none_or(|told| told <= 2_000) || !self.spend().await {
            return;
        }
        let Some(refusal) = self.last_refusal.clone() else { return };
        let Some(told) = signal::told(&refusal, &self.config.signal, &self.evidence.clock) else { return };
        if told.wait > self.config.max_wait.0 {
            return;
        }
        self.silent_until(&refusal, told.wait / 2).await;
        if let Some(answer) = self.ask_limited().await {
            let after_ms = answer.sent_us.saturating_sub(refusal.received_us) / 1_000;
            self.evidence.early = Some(Early { told_ms: millis(told.wait), after_ms, answer });
        }
    }
}

fn millis(time: Duration) -> u64 {
    micros(time) / 1_000
}
