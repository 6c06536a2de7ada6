//! Windows on the server's grid: where each boundary falls among the requests.
//!
//! A request close to a boundary may lie on either side, but not on both: boundaries are placed between requests one
//! after another, each as the ones before allow.

use std::ops::RangeInclusive;

use super::super::trace::Trace;

/// Windows between two lengths, the first boundary after the first request between two instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) window: (f64, f64),
    pub(super) phase: (f64, f64),
}

impl Grid {
    /// When the n-th window begins; the first request lies in the window -1.
    pub(super) fn begins(&self, n: f64) -> (f64, f64) {
        let (one, other) = (n * self.window.0, n * self.window.1);
        (self.phase.0 + one.min(other), self.phase.1 + one.max(other))
    }

    /// How many requests may lie before the n-th window begins.
    fn split(&self, trace: &Trace, n: f64) -> RangeInclusive<usize> {
        let (from, to) = self.begins(n);
        let requests = trace.all();
        requests.surely_before(from)..=requests.maybe_before(to)
    }

    /// Whether boundaries can be placed so that `explains` holds of every window.
    ///
    /// `explains` is given the number of the window, its first request and a state; it says up to which request the
    /// window explains what happened, and the state that follows if the window ends before a given request.
    pub(super) fn placed<S: Clone + PartialEq>(
        &self,
        trace: &Trace,
        start: S,
        furthest: impl Fn(f64, usize, &S) -> usize,
        next: impl Fn(usize, usize, &S) -> S,
    ) -> bool {
        const WAYS: usize = 200;
        let mut ways: Vec<(usize, S)> = vec![(0, start)];
        let mut n = -1.0;
        loop {
            let split = self.split(trace, n + 1.0);
            let mut after: Vec<(usize, S)> = Vec::new();
            for (from, state) in &ways {
                let until = furthest(n, *from, state);
                if until >= trace.samples.len() && *split.end() >= trace.samples.len() {
                    return true;
                }
                for end in (*split.start()).max(*from)..=(*split.end()).min(until) {
                    let way = (end, next(*from, end, state));
                    if !after.contains(&way) {
                        after.push(way);
                    }
                    if after.len() > WAYS {
                        return true;
                    }
                }
            }
            if after.is_empty() {
                return false;
            }
            ways = after;
            n += 1.0;
        }
    }
}
