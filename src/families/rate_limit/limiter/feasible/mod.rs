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

/// The most quotas that are tried of one model.
const QUOTAS: u32 = 80;

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

/// The quotas that a window may have, for what came first: a burst after a silence, with at most one boundary in it.
fn quotas(trace: &Trace, bounds: &Bounds) -> impl Iterator<Item = u32> + use<> {
    let (burst, _) = trace.first_burst();
    let fresh = trace.silence >= bounds.window.1;
    let most = if fresh { burst } else { trace.longest_stretch().max(burst) }.saturating_add(bounds.slack);
    let least = if fresh { burst / 2 } else { 0 }.saturating_sub(bounds.slack).max(most.saturating_sub(QUOTAS)).max(1);
    // The likeliest first: what the burst showed.
    let near = burst.clamp(least, most.max(least));
    std::iter::once(near).chain((least..=most).rev().filter(move |quota| *quota != near))
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
