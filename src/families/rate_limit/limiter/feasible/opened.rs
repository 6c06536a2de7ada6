//! The fixed window that the first request after the one before opens.

use super::{
    super::{
        model::{Fit, Model, Start},
        trace::{Counted, Sample, Trace},
    },
    Bounds, join, quotas,
    search::{Search, effort},
};

/// How finely windows are told apart, as a share of the window.
const FINENESS: f64 = 2e-4;

/// The most ways things may have gone that are followed; with more, everything counts as possible.
const WAYS: usize = 64;

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    let found = quotas(trace, bounds).filter_map(|quota| {
        let search = Search {
            possible: |low, high| possible(trace, quota, bounds.slack, low, high),
            width: |low| low * FINENESS,
            effort: effort(trace),
        };
        let span = search.range(bounds.window)?;
        let window = f64::midpoint(span.0, span.1);
        Some((quota, Model::FixedWindow { quota, window, start: Start::FirstRequest }, span))
    });
    join(found)
}

/// A window that is open.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    /// When it ends, at the earliest and at the latest.
    ends: (f64, f64),
    /// How many it has let through.
    count: u32,
    /// Whether it may have let others through before the first request of the run.
    begun_before: bool,
    /// Whether it has refused a request.
    used_up: bool,
    /// When it was opened, at the latest.
    opened: f64,
}

/// Whether a window of that quota, with a length between two bounds, explains every decision.
pub(in super::super) fn possible(trace: &Trace, quota: u32, slack: u32, low: f64, high: f64) -> bool {
    let long_ago = Open {
        ends: (f64::NEG_INFINITY, high - trace.silence),
        count: 0,
        begun_before: true,
        used_up: false,
        opened: f64::NEG_INFINITY,
    };
    let mut ways = vec![long_ago];
    for sample in &trace.samples {
        if sample.beside.is_some() {
            // It fell into this window or the one before, at some count up to that of all beside it.
            let count = |way: &Open| way.count + sample.more(Counted::Admitted);
            if ways
                .iter()
                .any(|way| way.begun_before || way.opened >= sample.sent || count(way) >= quota.saturating_sub(slack))
            {
                continue;
            }
            return false;
        }
        let mut next: Vec<Open> = Vec::new();
        for way in &ways {
            for after in
                goes_on(way, sample, quota, slack).into_iter().chain(opens(way, sample, quota, slack, low, high))
            {
                if !next.contains(&after) {
                    next.push(after);
                }
            }
        }
        if next.is_empty() {
            return false;
        }
        if next.len() > WAYS {
            return true;
        }
        ways = next;
    }
    true
}

/// The request falls into the window that is open.
fn goes_on(way: &Open, sample: &Sample, quota: u32, slack: u32) -> Option<Open> {
    if sample.sent >= way.ends.1 {
        return None;
    }
    let fits = if sample.admitted {
        way.count < quota.saturating_add(slack) && (slack > 0 || !way.used_up)
    } else {
        way.begun_before || way.count >= quota.saturating_sub(slack)
    };
    fits.then(|| Open {
        ends: (way.ends.0.max(sample.sent), way.ends.1),
        count: way.count + u32::from(sample.admitted),
        used_up: way.used_up || !sample.admitted,
        ..*way
    })
}

/// The request opens a new window.
fn opens(way: &Open, sample: &Sample, quota: u32, slack: u32, low: f64, high: f64) -> Option<Open> {
    if sample.received < way.ends.0 || !(sample.admitted || quota <= slack) {
        return None;
    }
    let at = sample.sent.max(way.ends.0);
    Some(Open {
        ends: (at + low, sample.received + high),
        count: u32::from(sample.admitted),
        begun_before: false,
        used_up: !sample.admitted,
        opened: sample.received,
    })
}
