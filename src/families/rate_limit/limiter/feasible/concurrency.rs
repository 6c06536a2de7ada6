//! The concurrency limit: only what is under way at once counts.

use super::{
    super::{
        model::{Fit, Model},
        trace::{Sample, Trace},
    },
    Bounds,
};

/// A refusal needs as many others under way as the limit; how many were let through at once proves nothing, for they may
/// have been over in no time.
pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    let beside = |sample: &Sample| {
        let others = trace.samples.iter().filter(|other| other.admitted && other.overlaps(sample)).count();
        u32::try_from(others).unwrap_or(u32::MAX)
    };
    let limit = trace.samples.iter().filter(|sample| !sample.admitted).map(beside).min()?;
    let limit = limit.saturating_add(bounds.slack);
    (limit > bounds.slack).then_some(Fit { model: Model::Concurrency { limit }, quota: (1, limit), span: (0.0, 0.0) })
}
