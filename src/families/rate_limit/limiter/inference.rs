//! Comparing the models: which explain every run, and how sure that is.

use super::{
    feasible::{Bounds, fits},
    model::{Fit, Kind, Model},
    runs::{Declared, Run},
    trace::Trace,
};

/// How sure an inference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::families::rate_limit) enum Confidence {
    /// In each of at least two runs one kind alone explains what was seen, even with slack.
    Confident,
    /// One kind alone explains every run, or does so without slack.
    Likely,
    /// Several kinds explain what was seen, or none does.
    Undetermined,
}

/// Which limiter decides.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::families::rate_limit) struct Inference {
    /// Every model that explains every run, with slack.
    pub(in crate::families::rate_limit) feasible: Vec<Fit>,
    /// The one to believe, if there is one.
    pub(in crate::families::rate_limit) best: Option<Fit>,
    /// How sure that is.
    pub(in crate::families::rate_limit) confidence: Confidence,
    /// The kinds that explain each run that could tell anything, with slack.
    pub(in crate::families::rate_limit) by_run: Vec<Vec<Kind>>,
}

impl Inference {
    /// In how many runs a kind explains nothing, of those that could tell anything.
    pub(in crate::families::rate_limit) fn rejected(&self, kind: Kind) -> usize {
        self.by_run.iter().filter(|kinds| !kinds.contains(&kind)).count()
    }

    /// The kinds that explain every run, each once.
    pub(in crate::families::rate_limit) fn kinds(&self) -> Vec<Kind> {
        kinds(&self.feasible)
    }
}

/// How many requests a limiter may miss its own quota by before a model is given up: servers that share a quota.
fn slack(declared: &Declared, run: &Run) -> u32 {
    let seen = run.decisions().take_while(|decision| decision.admitted).count();
    let quota = declared.quota.unwrap_or(0).max(u32::try_from(seen).unwrap_or(u32::MAX));
    quota / 20
}

/// What parameters are tried: a few times shorter and longer than the declared window, else than what was seen.
pub(super) fn bounds(declared: &Declared, length: f64, slack: u32) -> Bounds {
    let window = match declared.window() {
        Some(window) => (window / 8.0, window * 4.0),
        None => ((length / 64.0).max(0.2), (length * 2.0).max(1.0)),
    };
    Bounds { window, slack }
}

/// Instants are made less certain by this share of the window before a model is given up: servers whose clocks are
/// coarse.
pub(super) const BLUR: f64 = 0.003;

/// The models that explain one run, with slack or exactly.
pub(super) fn fits_of(declared: &Declared, run: &Run, exactly: bool) -> Vec<Fit> {
    let precise = Trace::new(run, 0.0, declared.horizon());
    let window = declared.window().unwrap_or_else(|| precise.length() / 4.0);
    let (trace, slack) = if exactly { (precise, 0) } else { (Trace::new(run, BLUR * window, declared.horizon()), slack(declared, run)) };
    if !trace.has_refusals() {
        return delays(&trace).into_iter().collect();
    }
    fits(&trace, &bounds(declared, trace.length(), slack))
}

/// A shaper, where answers take longer and longer and none refuses.
fn delays(trace: &Trace) -> Option<Fit> {
    const ENOUGH: usize = 8;
    const SLOWER: f64 = 4.0;
    let taken: Vec<f64> = trace.samples.iter().map(|sample| sample.received - sample.sent).collect();
    if taken.len() < ENOUGH {
        return None;
    }
    let (early, late) = (&taken[..ENOUGH / 4], &taken[taken.len() - ENOUGH / 2..]);
    let quick = early.iter().copied().fold(0.0, f64::max);
    let slow = late.iter().copied().fold(f64::INFINITY, f64::min);
    let ends: Vec<f64> = trace.samples.iter().rev().take(ENOUGH / 2).map(|sample| sample.received).collect();
    let gaps = || ends.windows(2).map(|pair| pair[0] - pair[1]);
    let span = (gaps().fold(f64::INFINITY, f64::min), gaps().fold(0.0, f64::max));
    (slow > SLOWER * quick && span.0 > 0.0).then(|| Fit {
        model: Model::Shaper { interval: f64::midpoint(span.0, span.1) },
        quota: (1, 1),
        span,
    })
}

/// Compares the models on every run that could tell anything.
pub(in crate::families::rate_limit) fn infer(declared: &Declared, runs: &[Run]) -> Inference {
    let loose: Vec<Vec<Fit>> = runs.iter().filter(|run| tells(run)).map(|run| fits_of(declared, run, false)).collect();
    let by_run: Vec<Vec<Kind>> = loose.iter().map(|fits| kinds(fits)).collect();
    let feasible = common(&loose);
    let told: Vec<&Run> = runs.iter().filter(|run| tells(run)).collect();
    let exact: Vec<Vec<Fit>> = told.iter().map(|run| fits_of(declared, run, true)).collect();
    let exactly = common(&exact);
    let single = |fits: &[Fit]| matches!(kinds(fits).as_slice(), [_]);
    let (best, confidence) = if single(&feasible) {
        let sure = by_run.len() >= 2 && by_run.iter().all(|kinds| kinds.len() == 1);
        let kind = feasible[0].model.kind();
        let best = exactly.iter().find(|fit| fit.model.kind() == kind).unwrap_or(&feasible[0]);
        (Some(best.clone()), if sure { Confidence::Confident } else { Confidence::Likely })
    } else if by_run.len() >= 2 && single(&exactly) {
        (exactly.first().cloned(), Confidence::Likely)
    } else {
        (None, Confidence::Undetermined)
    };
    Inference { feasible, best, confidence, by_run }
}

/// Whether a run could tell anything: refusals, or delays, and more than a burst.
fn tells(run: &Run) -> bool {
    let delayed = || delays(&Trace::new(run, 0.0, None)).is_some();
    run.phases.len() > 1 && run.decisions().any(|decision| !decision.admitted) || delayed()
}

fn kinds(fits: &[Fit]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = fits.iter().map(|fit| fit.model.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The models whose kind explains every run, with the parameters that any run leaves open.
fn common(runs: &[Vec<Fit>]) -> Vec<Fit> {
    let Some((first, others)) = runs.split_first() else { return Vec::new() };
    let in_all = |fit: &&Fit| {
        others.iter().all(|fits| fits.iter().any(|other| other.model.kind() == fit.model.kind()))
    };
    first.iter().filter(in_all).map(|fit| narrowed(fit, others)).collect()
}

/// A fit with what other runs say of the same variant, where they agree.
fn narrowed(fit: &Fit, others: &[Vec<Fit>]) -> Fit {
    let mut fit = fit.clone();
    for other in others.iter().flatten().filter(|other| same_variant(&other.model, &fit.model)) {
        let quota = (fit.quota.0.max(other.quota.0), fit.quota.1.min(other.quota.1));
        if quota.0 <= quota.1 {
            fit.quota = quota;
        }
        let span = (fit.span.0.max(other.span.0), fit.span.1.min(other.span.1));
        if span.0 <= span.1 {
            fit.span = span;
        }
    }
    fit
}

/// Whether two models differ in numbers only.
fn same_variant(one: &Model, other: &Model) -> bool {
    use super::model::Start::{Aligned, FirstRequest};
    match (one, other) {
        (Model::FixedWindow { start: one, .. }, Model::FixedWindow { start: other, .. }) => {
            matches!((one, other), (Aligned(_), Aligned(_)) | (FirstRequest, FirstRequest))
        }
        (Model::SlidingLog { counts_refused: one, .. }, Model::SlidingLog { counts_refused: other, .. })
        | (Model::SlidingCounter { counts_refused: one, .. }, Model::SlidingCounter { counts_refused: other, .. })
        | (Model::Block { restarts: one, .. }, Model::Block { restarts: other, .. }) => one == other,
        _ => one.kind() == other.kind(),
    }
}
