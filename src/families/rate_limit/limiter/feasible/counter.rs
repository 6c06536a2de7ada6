//! The sliding counter: the count of this window, and of the one before the share that still lies in a window's length.
//!
//! How the share is rounded, and whether the request itself is counted first, differs by implementation by less than
//! one request, but not from one request to the next: each way is tried by itself.

use std::cell::Cell;

use super::{
    super::{
        model::{Fit, Model},
        trace::{Counted, Instants, Sample, Trace},
    },
    Bounds,
    aligned::phases,
    grid::Grid,
    join,
    pairs::Pairs,
    quotas,
    search::{Search, effort, thinned},
};

/// How finely windows and boundaries are told apart, as a share of the window.
const FINENESS: f64 = 4e-3;

/// How wide the place of a boundary is, as a share of the window, before it is asked where each request lies.
const NARROW: f64 = 0.2;

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::Admitted)
}

pub(super) fn fit_counting_refusals(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::All)
}

fn explained(trace: &Trace, bounds: &Bounds, counted: Counted) -> Option<Fit> {
    // Whatever a boundary in the first burst took from its count, its share is as good as whole.
    let (burst, seconds) = trace.first_burst();
    let lost = (seconds / bounds.window.0).min(1.0);
    let least = f64::from(burst.saturating_sub(1)) * (1.0 - lost) - f64::from(bounds.slack);
    let mut counts = vec![0];
    for sample in &trace.samples {
        let before = counts.last().copied().unwrap_or_default();
        counts.push(before + usize::from(sample.admitted || counted == Counted::All));
    }
    let mut some: Vec<usize> = (0..trace.samples.len()).collect();
    thinned(&mut some);
    let found = quotas(trace, bounds).filter(|quota| f64::from(*quota) > least).filter_map(|quota| {
        let mut pairs = Pairs::new(trace, counted, quota, bounds.slack);
        // What a window refuses, this window and the one before explain, with one request less if it counts itself.
        let refused = Pairs::new(trace, counted, quota, bounds.slack + 1).joined;
        let joined = refused.iter().map(|(from, to)| (to - from) / 2.0);
        let least = joined.fold(bounds.window.0, f64::max);
        pairs.joined.clear();
        pairs.before.clear();
        if least > bounds.window.1 {
            return None;
        }
        thinned(&mut pairs.apart);
        let instants = trace.counted(counted);
        let slack = f64::from(bounds.slack);
        // Slack is wider than the ways differ.
        let ways = if bounds.slack > 0 { &LOWER[2..] } else { &LOWER[..] };
        ways.iter().find_map(|lower| {
            let threshold = f64::from(quota) - lower;
            let (counts, some) = (&counts, &some);
            let weighed = Weighed {
                some,
                counts,
                trace,
                instants,
                pairs: &pairs,
                counted,
                quota,
                threshold,
                slack,
                culprit: Cell::new(0),
            };
            let search = Search {
                possible: |low, high| weighed.phase((low, high)).is_some(),
                width: |low| low * FINENESS,
                effort: effort(trace),
            };
            let likely = bounds.likely.filter(|likely| *likely >= least);
            let likely = likely.map(|likely| (likely * (1.0 - FINENESS / 2.0), likely * (1.0 + FINENESS / 2.0)));
            let part = likely.filter(|part| weighed.phase(*part).is_some());
            let part = part.or_else(|| search.first((least, bounds.window.1)))?;
            let phase = weighed.phase(part)?;
            let model = Model::SlidingCounter {
                quota,
                window: f64::midpoint(part.0, part.1),
                phase: f64::midpoint(phase.0, phase.1),
                counts_refused: counted == Counted::All,
            };
            Some((quota, model, part))
        })
    });
    // One is enough: to find every window that is possible takes long.
    join(found.take(1))
}

/// By how much less than the quota a request is refused: not at all where the share is exact or rounded down, one
/// where it is rounded up or the request itself is counted first, a half where it is rounded to the nearest.
const LOWER: [f64; 3] = [0.0, 1.0, 0.5];

/// How coarsely shares are computed, in requests.
const COARSE: f64 = 0.05;

struct Weighed<'t> {
    trace: &'t Trace,
    instants: &'t Instants,
    /// Requests that share no window, for no window counts more than its quota.
    pairs: &'t Pairs,
    counted: Counted,
    quota: u32,
    /// Requests that are looked at first.
    some: &'t [usize],
    /// How many count before each request.
    counts: &'t [usize],
    /// What the count stays below for a request to be let through.
    threshold: f64,
    slack: f64,
    /// The decision that the last place was given up for.
    culprit: Cell<usize>,
}

impl Weighed<'_> {
    /// A place of the first boundary after the first request, for windows between two lengths.
    fn phase(&self, window: (f64, f64)) -> Option<(f64, f64)> {
        let spread = window.1 - window.0;
        let search = Search {
            possible: |low, high| self.possible(window, (low, high)),
            width: |_| (spread / 16.0).max(window.0 * FINENESS / 2.0),
            effort: effort(self.trace),
        };
        phases(self.pairs, f64::INFINITY, window.0, window.1).into_iter().find_map(|span| search.first(span))
    }

    fn possible(&self, window: (f64, f64), phase: (f64, f64)) -> bool {
        let grid = Grid { window, phase };
        let samples = &self.trace.samples;
        // What spoke against the place before is likely to speak against this one.
        if samples.get(self.culprit.get()).is_some_and(|sample| !self.explains(sample, grid)) {
            return false;
        }
        let culprit = self.some.iter().copied().find(|at| !self.explains(&samples[*at], grid));
        if let Some(culprit) = culprit {
            self.culprit.set(culprit);
        }
        culprit.is_none() && (phase.1 - phase.0 > window.0 * NARROW || self.placed(grid))
    }

    /// Whether the decision is right in some window, whatever window others lie in.
    fn explains(&self, sample: &Sample, grid: Grid) -> bool {
        let first = ((sample.sent - grid.phase.1) / grid.window.1 - 1.0).floor().max(-1.0);
        std::iter::successors(Some(first), |n| Some(n + 1.0))
            .map(|n| (n, grid.begins(n - 1.0), grid.begins(n), grid.begins(n + 1.0)))
            .take_while(|(_, _, current, _)| current.0 <= sample.received)
            .filter(|(.., next)| next.1 > sample.sent)
            .any(|(n, previous, current, _)| {
                let counts = if sample.admitted {
                    let both = self.surely(previous.1, sample.sent);
                    let current = self.surely(current.1, sample.sent).min(both);
                    (both - current, current)
                } else {
                    let own = if self.counted == Counted::All { 1.0 } else { 0.0 };
                    let both = self.maybe(previous.0, sample.received) - own;
                    let current = (self.maybe(current.0, sample.received) - own).min(both);
                    (both - current, current)
                };
                self.right(sample, grid, n, counts)
            })
    }

    /// Whether a decision is right in the n-th window, with so many counted in the window before and in this one.
    fn right(&self, sample: &Sample, grid: Grid, n: f64, (before, current): (f64, f64)) -> bool {
        let begins = grid.begins(n);
        let share = |elapsed: f64, window: f64| (1.0 - elapsed / window).clamp(0.0, 1.0);
        let (quota, loose) = (f64::from(self.quota), self.slack + COARSE);
        if sample.admitted {
            return current + share(sample.received - begins.0, grid.window.0) * before < self.threshold + loose;
        }
        let share = share(sample.sent - begins.1, grid.window.1);
        let unseen = |begin: f64, weight: f64| if begin < -self.trace.silence_seen { weight * quota } else { 0.0 };
        let unseen = unseen(grid.begins(n - 1.0).0, share) + unseen(begins.0, 1.0);
        current + share * before + unseen > self.threshold - loose
    }

    /// Whether every decision is right with boundaries placed between requests.
    fn placed(&self, grid: Grid) -> bool {
        let samples = &self.trace.samples;
        let furthest = |n: f64, from: usize, before: &usize| {
            let before = count(*before);
            let wrong = |at: &usize| {
                let more = samples[*at].more(self.counted);
                let current = count(self.counts[*at] - self.counts[from]) + f64::from(more);
                !self.right(&samples[*at], grid, n, (before, current))
            };
            (from..samples.len()).find(wrong).unwrap_or(samples.len())
        };
        grid.placed(self.trace, 0, furthest, |from, end, _| self.counts[end] - self.counts[from])
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
