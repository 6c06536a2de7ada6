//! The fixed window on the server's grid.

use super::{
    super::{
        model::{Fit, Model, Start},
        trace::{Counted, Trace},
    },
    Bounds,
    grid::Grid,
    join,
    pairs::Pairs,
    quotas,
    search::{Search, effort, thinned},
};

/// How finely windows are told apart, as a share of the window.
const FINENESS: f64 = 2e-4;

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    let found = quotas(trace, bounds).filter_map(|quota| {
        let (window, (exact, phase)) = window_and_phase(trace, quota, bounds.slack, bounds.window, bounds.likely)?;
        let model = Model::FixedWindow { quota, window: exact, start: Start::Aligned(phase) };
        Some((quota, model, window))
    });
    join(found)
}

/// How wide windows are for a look at every request: coarser, pairs alone are looked at.
const NARROW: f64 = 4e-3;

/// The windows of a quota that explain every decision; one of them, if possible the likely one, with one place of the
/// first boundary.
pub(in super::super) fn window_and_phase(
    trace: &Trace,
    quota: u32,
    slack: u32,
    windows: (f64, f64),
    likely: Option<f64>,
) -> Option<((f64, f64), (f64, f64))> {
    let mut pairs = Pairs::new(trace, Counted::Admitted, quota, slack);
    if slack == 0 {
        // Whatever was counted before the first request: a window that is used up lets nothing through.
        let neighbours = trace.samples.windows(2).filter(|pair| pair[0].refused() && pair[1].admitted);
        pairs.apart.extend(neighbours.map(|pair| (pair[0].sent, pair[1].received)));
    }
    // A boundary that must lie in a stretch of which another pair forbids every instant.
    let contradictory = |apart: &(f64, f64)| pairs.joined.iter().any(|(from, to)| *from <= apart.0 && apart.1 <= *to);
    if pairs.apart.iter().any(contradictory) {
        return None;
    }
    let least = pairs.joined.iter().map(|(from, to)| to - from).fold(windows.0, f64::max);
    if least > windows.1 {
        return None;
    }
    thinned(&mut pairs.apart);
    thinned(&mut pairs.joined);
    let furthest = Furthest::new(trace, quota, slack);
    let phase = |low: f64, high: f64| {
        let spans = phases(&pairs, trace.silence, low, high);
        if high - low > low * NARROW {
            return spans.first().copied();
        }
        let exact = Search {
            possible: |from, to| furthest.placed(trace, Grid { window: (low, high), phase: (from, to) }),
            width: |_| (high - low).max(low * FINENESS) * 2.0,
            effort: effort(trace),
        };
        spans.into_iter().find_map(|span| exact.first(span))
    };
    let search =
        Search { possible: |low, high| phase(low, high).is_some(), width: |low| low * FINENESS, effort: effort(trace) };
    let range = search.range((least, windows.1))?;
    let likely = likely.map(|likely| (likely * (1.0 - FINENESS), likely * (1.0 + FINENESS)));
    let part = likely.filter(|(low, high)| phase(*low, *high).is_some()).or_else(|| search.first(range))?;
    let (from, to) = phase(part.0, part.1)?;
    Some((range, (f64::midpoint(part.0, part.1), f64::midpoint(from, to))))
}

/// For each request: up to which one a window that begins with it explains what happened.
struct Furthest {
    fresh: Vec<usize>,
    /// The same for a window that may have begun before the first request.
    begun_before: usize,
}

impl Furthest {
    fn new(trace: &Trace, quota: u32, slack: u32) -> Self {
        let furthest = |from: usize, unseen: bool| {
            let (mut count, mut used_up) = (0, false);
            let stop = trace.samples[from..].iter().position(|sample| {
                let explained = if sample.admitted {
                    count < quota.saturating_add(slack) && (slack > 0 || !used_up)
                } else {
                    used_up |= sample.refused();
                    unseen || count + sample.more(Counted::Admitted) >= quota.saturating_sub(slack)
                };
                count += u32::from(sample.admitted);
                !explained
            });
            stop.map_or(trace.samples.len(), |stop| from + stop)
        };
        Self {
            fresh: (0..=trace.samples.len()).map(|from| furthest(from, false)).collect(),
            begun_before: furthest(0, true),
        }
    }

    /// Whether every decision is explained with boundaries placed between requests.
    fn placed(&self, trace: &Trace, grid: Grid) -> bool {
        let furthest = |n: f64, from: usize, (): &()| {
            let unseen = from == 0 && grid.begins(n).0 < -trace.silence;
            if unseen { self.begun_before } else { self.fresh[from] }
        };
        grid.placed(trace, (), furthest, |_, _, ()| ())
    }
}

/// Where the first boundary after the first request may lie, for windows between two lengths.
pub(super) fn phases(pairs: &Pairs, silence: f64, low: f64, high: f64) -> Vec<(f64, f64)> {
    let mut allowed = vec![(0.0, high)];
    for at in &pairs.before {
        if at + silence > high {
            return Vec::new();
        }
        allowed = without(&allowed, &[(0.0, *at)]);
    }
    for (from, to) in &pairs.joined {
        let surely = boundaries(*from, *to, low, high)
            .map(|(least, most)| (from - least, to - most))
            .filter(|(after, until)| after < until);
        allowed = without(&allowed, &ascending(surely));
    }
    for (from, to) in &pairs.apart {
        let maybe = boundaries(*from, *to, low, high).map(|(least, most)| (from - most, to - least));
        allowed = within(&allowed, &ascending(maybe));
        if allowed.is_empty() {
            return allowed;
        }
    }
    allowed
}

/// Of each boundary that can lie between two instants: the least and the most time from the first one to it.
fn boundaries(from: f64, to: f64, low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> {
    let first = if from < 0.0 { -1.0 } else { ((from / high) - 1.0).floor().max(0.0) };
    std::iter::successors(Some(first), |n| Some(n + 1.0))
        .map(move |n| ((n * low).min(n * high), (n * low).max(n * high)))
        .take_while(move |(least, _)| *least <= to)
}

/// Later boundaries leave earlier places for the first one.
fn ascending(descending: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut places: Vec<(f64, f64)> = descending.collect();
    places.reverse();
    places
}

/// What of some stretches lies in others, which are in order.
fn within(stretches: &[(f64, f64)], others: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    for (from, to) in stretches {
        for (start, end) in others {
            let (from, to) = (from.max(*start), to.min(*end));
            if from <= to {
                match found.last_mut() {
                    Some(last) if from <= last.1 => last.1 = last.1.max(to),
                    _ => found.push((from, to)),
                }
            }
        }
    }
    found
}

/// What of some stretches lies in none of others, which are in order.
fn without(stretches: &[(f64, f64)], others: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    for (from, to) in stretches {
        let mut from = *from;
        for (start, end) in others {
            if *end <= from || *start >= *to {
                continue;
            }
            if *start >= from {
                found.push((from, *start));
            }
            from = from.max(*end);
        }
        if from <= *to {
            found.push((from, *to));
        }
    }
    found
}
