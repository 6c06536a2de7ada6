//! Refused for a fixed time after exceeding a limit, whatever that limit's own kind.

use super::{
    super::{
        model::{Fit, Model},
        trace::{Counted, Sample, Trace},
    },
    Bounds, join, quotas,
};

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, false)
}

pub(super) fn fit_restarting(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, true)
}

fn explained(trace: &Trace, bounds: &Bounds, restarts: bool) -> Option<Fit> {
    let span = durations(trace, bounds, restarts)?;
    let found = quotas(trace, bounds).filter(|quota| counts_fit(trace, bounds, *quota)).map(|quota| {
        let duration = f64::midpoint(span.0, span.1);
        (quota, Model::Block { quota, within: bounds.window.0, duration, restarts }, span)
    });
    join(found)
}

/// How long the block may last: it outlasts every refusal that follows one, and is over when a request is let through.
fn durations(trace: &Trace, bounds: &Bounds, restarts: bool) -> Option<(f64, f64)> {
    let (mut least, mut most) = bounds.window;
    let mut since: Option<Sample> = None;
    for sample in trace.samples.iter().filter(|sample| sample.beside.is_none()) {
        match since {
            None if sample.admitted => {}
            None => since = Some(*sample),
            Some(begun) if sample.admitted => {
                if begun.overlaps(sample) {
                    continue;
                }
                most = most.min(sample.received - begun.sent);
                since = None;
            }
            Some(begun) => {
                least = least.max(sample.sent - begun.received);
                if restarts {
                    since = Some(*sample);
                }
            }
        }
    }
    (least <= most).then_some((least, most))
}

/// Whether the quota was used up before each block, and nothing more was let through in the shortest window.
fn counts_fit(trace: &Trace, bounds: &Bounds, quota: u32) -> bool {
    let mut admitted: Vec<Sample> = Vec::new();
    let mut blocked = false;
    // What came before the silence may have used the quota up, where a block can outlast the silence.
    let mut unseen = trace.silence < bounds.window.1;
    for sample in &trace.samples {
        if sample.admitted {
            if blocked {
                admitted.clear();
                blocked = false;
                unseen = false;
            }
            admitted.push(*sample);
            let most = (quota + bounds.slack) as usize;
            if let Some(first) = admitted.len().checked_sub(most + 1)
                && sample.received - admitted[first].sent < bounds.window.0
            {
                return false;
            }
        } else {
            let counted = admitted.len() + sample.more(Counted::Admitted) as usize;
            let enough = counted >= quota.saturating_sub(bounds.slack) as usize;
            if !blocked && !enough && !unseen {
                return false;
            }
            blocked |= sample.refused();
        }
    }
    true
}
