//! Which models explain every decision of a run, with instants and parameters free to choose.

mod aligned;
mod block;
mod bucket;
mod concurrency;
mod counter;
mod grid;
mod log;
mod opened;
mod pairs;
mod search;

use super::{
    model::{Fit, Kind, Model},
    trace::{Counted, Trace},
};

/// What parameters are tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    /// Least and most seconds of a window, a block, a full refill.
    pub(super) window: (f64, f64),
    /// The window that is declared.
    pub(super) likely: Option<f64>,
    /// By how many requests a limiter may miss its own quota, either way.
    pub(super) slack: u32,
}

/// Every model that explains the run; at most one fit of each variant of a model.
pub(super) fn fits(trace: &Trace, bounds: &Bounds) -> Vec<Fit> {
    let checks: [fn(&Trace, &Bounds) -> Option<Fit>; 10] = [
        bucket::fit,
        aligned::fit,
        opened::fit,
        log::fit,
        log::fit_counting_refusals,
        counter::fit,
        counter::fit_counting_refusals,
        concurrency::fit,
        block::fit,
        block::fit_restarting,
    ];
    checks.iter().filter_map(|check| check(trace, bounds)).collect()
}

/// The quotas that a limiter may have, for what was let through.
///
/// The first burst after a silence has at most one boundary in it. Where the limiter may not have been fresh, more than
/// the whole run let through is as good as any more.
fn quotas(trace: &Trace, bounds: &Bounds) -> impl Iterator<Item = u32> + use<> {
    /// Up to so many, each is tried; beyond, those near what the burst showed.
    const EACH: u32 = 80;
    let (burst, _) = trace.first_burst();
    let fresh = trace.silence >= bounds.window.1;
    let most = if fresh { burst } else { trace.admitted().saturating_add(1) }.saturating_add(bounds.slack);
    let least = if fresh { burst / 2 } else { 0 }.saturating_sub(bounds.slack).max(1);
    let near = burst.clamp(least, most.max(least));
    let few = most.saturating_sub(least) <= EACH;
    // With slack, what holds of one quota holds of its neighbours.
    let step = bounds.slack / 2 + 1;
    let tried = (least..=most).rev().filter(move |quota| {
        let close = few || quota.abs_diff(near) <= EACH / 4 + near / 20;
        *quota != near && (*quota == most || close && quota.abs_diff(near).is_multiple_of(step))
    });
    // The likeliest first: what the burst showed.
    std::iter::once(near).chain(tried)
}

/// Joins what each quota allows into one fit.
fn join(found: impl Iterator<Item = (u32, Model, (f64, f64))>) -> Option<Fit> {
    found.fold(None, |fit: Option<Fit>, (quota, model, span)| {
        Some(match fit {
            None => Fit { model, quota: (quota, quota), span },
            Some(fit) => Fit {
                model: fit.model,
                quota: (fit.quota.0.min(quota), fit.quota.1.max(quota)),
                span: (fit.span.0.min(span.0), fit.span.1.max(span.1)),
            },
        })
    })
}

/// Windows are as long as declared, but for this share.
const EXACT: f64 = 1e-3;

/// Whether a limiter of a kind with known parameters lets through what was let through; refusals aside.
pub(super) fn allows(kind: Kind, admitted: &Trace, quota: u32, window: f64, refill: f64) -> bool {
    let about = |seconds: f64| (seconds * (1.0 - EXACT), seconds * (1.0 + EXACT));
    let pairs = || pairs::Pairs::new(admitted, Counted::Admitted, quota, 0);
    let (low, high) = about(window);
    match kind {
        Kind::TokenBucket => {
            let (low, high) = about(refill);
            bucket::possible(admitted, quota, 0, low, high)
        }
        Kind::FixedWindow => {
            aligned::window_and_phase(admitted, quota, 0, (low, high), None).is_some()
                || opened::possible(admitted, quota, 0, low, high)
        }
        Kind::SlidingLog => pairs().apart.iter().all(|(from, to)| to - from >= low),
        Kind::SlidingCounter | Kind::Concurrency | Kind::Block | Kind::Shaper => true,
    }
}
