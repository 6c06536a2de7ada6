//! Comparing the models: which explain every run, and how sure that is.

use super::{
    amount::first_burst,
    feasible::{Bounds, fits},
    model::{Fit, Kind, Model},
    runs::{Declared, Run},
    trace::Trace,
};

/// How sure an inference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::families::rate_limit) enum Confidence {
    /// One kind alone explains two runs, even with slack.
    Confident,
    /// One kind alone explains the only run, or two runs without slack.
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
    let quota = declared.quota.unwrap_or(0).max(first_burst(run));
    quota / 20
}

/// What parameters are tried: a few times shorter and longer than the declared window, else than what was seen.
fn bounds(declared: &Declared, trace: &Trace, silence: f64, slack: u32) -> Bounds {
    let length = trace.length();
    let window = match declared.window() {
        Some(window) => (window / 8.0, window * 4.0),
        // A window of a few exchanges is as good as a count of what is under way; a longer one than the most does not
        // show in what was seen.
        None => ((length / 64.0).max(0.2).max(4.0 * trace.exchange()), 8.0 * (length + silence).max(1.0)),
    };
    Bounds { window, likely: declared.window(), slack }
}

/// Instants are made less certain by this share of the declared window before a model is given up: servers whose clocks are
/// coarse.
pub(super) const BLUR: f64 = 0.003;

/// The models that explain one run, with slack or exactly; a limiter is taken to be fresh after a silence of `horizon`
/// seconds.
pub(super) fn fits_of(declared: &Declared, horizon: Option<f64>, run: &Run, exactly: bool) -> Vec<Fit> {
    let precise = Trace::new(run, 0.0, horizon);
    let blur = BLUR * declared.window().unwrap_or_default();
    let (trace, slack) = if exactly { (precise, 0) } else { (Trace::new(run, blur, horizon), slack(declared, run)) };
    if !trace.has_refusals() {
        return delays(&trace).into_iter().collect();
    }
    fits(&trace, &bounds(declared, &trace, run.silence(), slack))
}

/// A shaper, where answers come late and evenly, the first ones aside, and none refuses.
fn delays(trace: &Trace) -> Option<Fit> {
    const ENOUGH: usize = 8;
    const SLOWER: f64 = 4.0;
    const UNEVEN: f64 = 1.5;
    let taken: Vec<f64> = trace.samples.iter().map(|sample| sample.received - sample.sent).collect();
    if taken.len() < ENOUGH {
        return None;
    }
    let (early, late) = (&taken[..ENOUGH / 4], &taken[taken.len() - ENOUGH / 2..]);
    let quick = early.iter().copied().fold(f64::INFINITY, f64::min);
    let slow = late.iter().copied().fold(f64::INFINITY, f64::min);
    let ends: Vec<f64> = trace.samples.iter().rev().take(ENOUGH / 2).map(|sample| sample.received).collect();
    let gaps = || ends.windows(2).map(|pair| pair[0] - pair[1]);
    let span = (gaps().fold(f64::INFINITY, f64::min), gaps().fold(0.0, f64::max));
    let steady = span.0 > 0.0 && span.1 < UNEVEN * span.0;
    (slow > SLOWER * quick && steady).then(|| Fit {
        model: Model::Shaper { interval: f64::midpoint(span.0, span.1) },
        quota: (1, 1),
        span,
    })
}

/// Compares the models on every run that could tell anything.
pub(in crate::families::rate_limit) fn infer(declared: &Declared, runs: &[Run]) -> Inference {
    let told: Vec<&Run> = runs.iter().filter(|run| tells(run)).collect();
    let alone: Vec<Vec<Kind>> =
        told.iter().map(|run| kinds(&fits_of(declared, declared.horizon(), run, false))).collect();
    let whole = joined(runs);
    let horizon = horizon(declared, runs);
    let (mut feasible, mut exact) = (Vec::new(), Vec::new());
    if !told.is_empty() {
        feasible = fits_of(declared, horizon, &whole, false);
        // A look without slack is worth its time only where slack leaves several kinds.
        if kinds(&feasible).len() > 1 {
            exact = fits_of(declared, horizon, &whole, true);
        }
    }
    // What explains everything explains each run; the checks are not sharp, so this may say more.
    let in_each = |fit: &Fit| alone.iter().all(|kinds| kinds.contains(&fit.model.kind()));
    let feasible: Vec<Fit> = feasible.into_iter().filter(in_each).collect();
    let exact: Vec<Fit> = exact.into_iter().filter(in_each).collect();
    let of_kind = |fits: &[Fit], kind: Kind| fits.iter().find(|fit| fit.model.kind() == kind).cloned();
    let (best, confidence) = match (kinds(&feasible).as_slice(), kinds(&exact).as_slice()) {
        ([kind], _) => {
            let sure = if alone.len() >= 2 { Confidence::Confident } else { Confidence::Likely };
            (of_kind(&exact, *kind).or_else(|| of_kind(&feasible, *kind)), sure)
        }
        (_, [kind]) if alone.len() >= 2 => (of_kind(&exact, *kind), Confidence::Likely),
        _ => (None, Confidence::Undetermined),
    };
    Inference { feasible, best, confidence, by_run: alone }
}

/// After how many seconds of silence a limiter is taken to be fresh: as declared; where nothing is declared, at once if
/// each run began with the same amount.
pub(super) fn horizon<'r>(declared: &Declared, runs: impl IntoIterator<Item = &'r Run>) -> Option<f64> {
    let bursts: Vec<u32> = runs.into_iter().map(first_burst).collect();
    let (least, most) = (bursts.iter().min().copied()?, bursts.iter().max().copied()?);
    declared.horizon().or_else(|| (bursts.len() > 1 && least > 1 && most - least <= 1).then_some(0.0))
}

/// Runs as one, for it is the same limiter.
pub(super) fn joined<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Run {
    let mut runs = runs.into_iter();
    let mut whole = runs.next().cloned().unwrap_or_default();
    whole.phases.extend(runs.flat_map(|run| run.phases.iter().cloned()));
    whole
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
