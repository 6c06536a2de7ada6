//! The token bucket, seen as GCRA: a theoretical arrival time that each admitted request moves on by one interval.

use super::{
    super::{
        model::{Fit, Model},
        trace::{Counted, Trace},
    },
    Bounds, join, quotas,
    search::{Search, effort},
};

/// How finely intervals are told apart, as a share of the interval.
const FINENESS: f64 = 5e-4;

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    let (burst, length) = trace.first_burst();
    let found = quotas(trace, bounds).filter_map(|capacity| {
        let of_bucket = f64::from(capacity);
        // What the burst let through beyond the capacity came in during the burst, one each interval.
        let interval = (bounds.window.0 / of_bucket, bounds.window.1);
        let beyond = burst.saturating_sub(capacity + bounds.slack);
        let slowest = if beyond > 0 { length / f64::from(beyond) } else { interval.1 };
        if slowest < interval.0 {
            return None;
        }
        let search = Search {
            possible: |low, high| possible(trace, capacity, bounds.slack, low, high),
            width: |low| low * FINENESS,
            effort: effort(trace),
        };
        let span = search.range((interval.0, interval.1.min(slowest)))?;
        let model = Model::TokenBucket { capacity, refill: f64::midpoint(span.0, span.1) };
        Some((capacity, model, (span.0 * of_bucket, span.1 * of_bucket)))
    });
    join(found)
}

/// Whether a bucket of that capacity explains every decision, one token coming each interval between two bounds.
pub(in super::super) fn possible(trace: &Trace, capacity: u32, slack: u32, low: f64, high: f64) -> bool {
    let slack = f64::from(slack);
    let tokens = f64::from(capacity.saturating_sub(1));
    let mut arrival = (f64::NEG_INFINITY, f64::from(capacity) * high - trace.silence);
    for sample in &trace.samples {
        if sample.beside.is_some() {
            let later = f64::from(sample.more(Counted::Admitted)) * high;
            if arrival.1.max(sample.received) + later < sample.sent + (tokens - slack) * low {
                return false;
            }
        } else if sample.admitted {
            arrival.1 = arrival.1.min(sample.received + (tokens + slack) * high);
            if arrival.0 > arrival.1 {
                return false;
            }
            arrival = (arrival.0.max(sample.sent) + low, arrival.1.max(sample.received) + high);
        } else {
            arrival.0 = arrival.0.max(sample.sent + (tokens - slack) * low);
            if arrival.0 > arrival.1 {
                return false;
            }
        }
    }
    true
}
