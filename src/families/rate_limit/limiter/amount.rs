//! How much was let through, whatever decides: in any stretch of a window's length, and held against a declaration.

use super::{
    feasible::allows,
    inference::BLUR,
    model::Kind,
    runs::{Declared, Phase, Run},
    trace::Trace,
};

/// The most requests that were surely let through within any stretch of so many seconds.
pub(in crate::families::rate_limit) fn most_within(run: &Run, window: f64) -> u32 {
    let trace = Trace::new(run, 0.0, None);
    let admitted: Vec<(f64, f64)> =
        trace.samples.iter().filter(|sample| sample.admitted).map(|sample| (sample.sent, sample.received)).collect();
    let from = |(n, (sent, _)): (usize, &(f64, f64))| {
        admitted[n..].iter().filter(|(_, received)| received - sent <= window).count()
    };
    let most = admitted.iter().enumerate().map(from).max().unwrap_or_default();
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// Whether more was let through than a limiter of the declared kind, or any kind if none is declared, lets through that
/// admits `quota` in each declared window: no place of the windows' boundaries makes it right.
///
/// `None` without a declared window, or for a kind that counts no window.
fn exceeds(declared: &Declared, runs: &[&Run], quota: u32) -> Option<bool> {
    let window = declared.window()?;
    let refill = window / f64::from(declared.quota.filter(|quota| *quota > 0)?);
    let admitted = Run {
        silence_us: runs.first()?.silence_us,
        remaining: None,
        phases: runs
            .iter()
            .flat_map(|run| &run.phases)
            .map(|phase| Phase {
                kind: phase.kind,
                decisions: phase.decisions.iter().filter(|decision| decision.admitted).copied().collect(),
            })
            .collect(),
    };
    let trace = Trace::new(&admitted, BLUR * window, declared.horizon());
    let kinds = match declared.model {
        None => &[Kind::FixedWindow, Kind::TokenBucket][..],
        // Whatever a sliding counter lets through, fixed windows on its grid let through as well.
        Some(Kind::FixedWindow | Kind::SlidingCounter) => &[Kind::FixedWindow],
        Some(Kind::SlidingLog) => &[Kind::SlidingLog],
        Some(Kind::TokenBucket) => &[Kind::TokenBucket],
        Some(Kind::Concurrency | Kind::Block | Kind::Shaper) => return None,
    };
    Some(!kinds.iter().any(|kind| allows(*kind, &trace, quota, window, refill)))
}

/// How many requests a run let through before the first refusal.
pub(in crate::families::rate_limit) fn first_burst(run: &Run) -> u32 {
    Trace::new(run, 0.0, None).first_burst().0
}

/// How what a run let through compares with what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::families::rate_limit) enum Kept {
    /// As declared, within the tolerance.
    Yes,
    /// More than declared; so many in the first burst.
    Over(u32),
    /// The first refusal came earlier than declared, after so many.
    Early(u32),
    /// The burst ended before the limit could be seen.
    Unseen,
}

/// What a limiter may miss its quota by: 2 requests, or 5 percent.
pub(in crate::families::rate_limit) fn tolerance(quota: u32) -> u32 {
    (quota / 20).max(2)
}

/// How each run compares with the declared quota and window; `None` if the declaration says too little to tell.
pub(in crate::families::rate_limit) fn kept(declared: &Declared, runs: &[Run]) -> Option<Vec<Kept>> {
    let (quota, at_once, window) = (declared.quota?, declared.at_once()?, declared.window()?);
    let most = at_once.saturating_add(tolerance(quota));
    let together = exceeds(declared, &runs.iter().collect::<Vec<_>>(), most)?;
    let of_run = |run: &Run| {
        let trace = Trace::new(run, 0.0, None);
        let (admitted, seconds) = trace.first_burst();
        // What flows in while the burst lasts is not more than is declared.
        let beyond = f64::from(admitted) - f64::from(most) - seconds * f64::from(quota) / window;
        if exceeds(declared, &[run], most)? || together && beyond > 0.0 {
            Some(Kept::Over(admitted))
        } else if !trace.has_refusals() {
            Some(if admitted >= at_once { Kept::Yes } else { Kept::Unseen })
        } else if admitted < quota.saturating_sub(tolerance(quota)) {
            Some(Kept::Early(admitted))
        } else {
            Some(Kept::Yes)
        }
    };
    runs.iter().map(of_run).collect()
}
