//! The sliding counter: the count of this window, and of the one before the share that still lies in a window's length.
//!
//! How the share is rounded, and whether the request itself is counted first, differs by implementation by less than
//! one request: that much is left open.

use super::{
    super::{
        model::{Fit, Model},
        trace::{Counted, Instants, Sample, Trace},
    },
    Bounds, join, quotas,
    search::Search,
};

/// How finely windows and boundaries are told apart, as a share of the window.
const FINENESS: f64 = 2e-3;

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::Admitted)
}

pub(super) fn fit_counting_refusals(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::All)
}

fn explained(trace: &Trace, bounds: &Bounds, counted: Counted) -> Option<Fit> {
    let found = quotas(trace, bounds).filter_map(|quota| {
        let weighed = Weighed { trace, instants: trace.counted(counted), counted, quota, slack: bounds.slack };
        let search = Search {
            possible: |low, high| weighed.phase((low, high)).is_some(),
            width: |low| low * FINENESS,
        };
        let part = search.first(bounds.window)?;
        let phase = weighed.phase(part)?;
        let model = Model::SlidingCounter {
            quota,
            window: f64::midpoint(part.0, part.1),
            phase: f64::midpoint(phase.0, phase.1),
            counts_refused: counted == Counted::All,
        };
        // The far end is found only when it is near: the range is for people.
        Some((quota, model, part))
    });
    join(found.take(1))
}

struct Weighed<'t> {
    trace: &'t Trace,
    instants: &'t Instants,
    counted: Counted,
    quota: u32,
    slack: u32,
}

impl Weighed<'_> {
    /// A place of the first boundary after the first request, for windows between two lengths.
    fn phase(&self, window: (f64, f64)) -> Option<(f64, f64)> {
        let spread = (window.1 - window.0) * 0.5;
        let search = Search {
            possible: |low, high| self.possible(window, (low, high)),
            width: |_| spread.max(window.0 * FINENESS),
        };
        search.first((0.0, window.1))
    }

    fn possible(&self, window: (f64, f64), phase: (f64, f64)) -> bool {
        self.trace.samples.iter().all(|sample| self.explains(sample, window, phase))
    }

    fn explains(&self, sample: &Sample, window: (f64, f64), phase: (f64, f64)) -> bool {
        let begins = |n: f64| {
            let (one, other) = (n * window.0, n * window.1);
            (phase.0 + one.min(other), phase.1 + one.max(other))
        };
        let first = ((sample.sent - phase.1) / window.1 - 1.0).floor().max(-1.0);
        std::iter::successors(Some(first), |n| Some(n + 1.0))
            .map(|n| (begins(n - 1.0), begins(n), begins(n + 1.0)))
            .take_while(|(_, current, _)| current.0 <= sample.received)
            .filter(|(_, _, next)| next.1 > sample.sent)
            .any(|(previous, current, _)| self.explains_in(sample, window, previous, current))
    }

    /// Whether the decision is right in a window that begins between two bounds.
    fn explains_in(&self, sample: &Sample, window: (f64, f64), previous: (f64, f64), current: (f64, f64)) -> bool {
        let share = |elapsed: f64, window: f64| (1.0 - elapsed / window).clamp(0.0, 1.0);
        let least_share = share(sample.received - current.0, window.0);
        let most_share = share(sample.sent - current.1, window.1);
        let (quota, slack) = (f64::from(self.quota), f64::from(self.slack));
        if sample.admitted {
            let least = self.surely(current.1, sample.sent) + least_share * self.surely(previous.1, current.0);
            return least < quota + slack;
        }
        let own = if self.counted == Counted::All { 1.0 } else { 0.0 };
        let unseen = |begin: f64, weight: f64| if begin < -self.trace.silence { weight * quota } else { 0.0 };
        let most = self.maybe(current.0, sample.received) - own
            + most_share * self.maybe(previous.0, current.1)
            + unseen(previous.0, most_share)
            + unseen(current.0, 1.0);
        most > quota - 1.0 - slack
    }

    /// How many surely lie between two instants.
    fn surely(&self, from: f64, to: f64) -> f64 {
        let begun = self.instants.earliest.partition_point(|earliest| *earliest < from);
        count(self.instants.surely_before(to).saturating_sub(begun))
    }

    /// How many may lie between two instants.
    fn maybe(&self, from: f64, to: f64) -> f64 {
        count(self.instants.maybe_before(to).saturating_sub(self.instants.surely_before(from)))
    }
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}
