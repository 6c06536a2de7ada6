//! What to send next, to tell apart the models that still explain a run.

use super::{
    inference::{fits_of, horizon, joined},
    model::{Kind, Model},
    runs::{Declared, Run},
    simulate::Simulator,
    trace::Trace,
};

/// A silence and then requests, some times over.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::families::rate_limit) struct Experiment {
    /// Seconds of silence, and how many requests at most follow; a stage ends with the second refusal in a row.
    pub(in crate::families::rate_limit) stages: Vec<(f64, u32)>,
}

/// What may be spent on telling models apart.
#[derive(Debug, Clone, Copy)]
pub(in crate::families::rate_limit) struct Means {
    /// Requests.
    pub(in crate::families::rate_limit) requests: u64,
    /// Seconds.
    pub(in crate::families::rate_limit) seconds: f64,
    /// Seconds an exchange takes.
    pub(in crate::families::rate_limit) exchange: f64,
}

/// What is left to find out of a run.
pub(in crate::families::rate_limit) enum Next {
    /// One kind is left, or none.
    Settled(Vec<Kind>),
    /// Models are left that no affordable experiment tells apart.
    Indistinct,
    /// This tells some of them apart.
    Try(Experiment),
}

/// Shares of a window that silences are tried of, shortest first.
const SILENCES: [f64; 7] = [0.12, 0.25, 0.4, 0.52, 0.75, 1.02, 1.3];

/// The experiment that tells most of the remaining models apart, at the least cost.
pub(in crate::families::rate_limit) fn next_experiment(
    declared: &Declared,
    before: &[Run],
    run: &Run,
    means: &Means,
) -> Next {
    let all = || before.iter().chain(std::iter::once(run));
    let whole = joined(all());
    let mut fits = fits_of(declared, horizon(declared, all()), &whole, false);
    let mut seen = whole;
    if declared.model.is_some_and(|declared| fits.iter().all(|fit| fit.model.kind() != declared)) {
        // To be rejected it must explain no run, each by itself.
        fits = fits_of(declared, declared.horizon(), run, false);
        seen = run.clone();
    }
    let mut kinds: Vec<Kind> = fits.iter().map(|fit| fit.model.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() <= 1 {
        return Next::Settled(kinds);
    }
    let trace = Trace::new(&seen, 0.0, None);
    let now = trace.length();
    let (burst, _) = trace.first_burst();
    let quota = declared.at_once().unwrap_or(burst).max(burst).max(1);
    let window = declared.window().unwrap_or_else(|| {
        let spans = fits.iter().map(|fit| fit.span.0);
        spans.fold(f64::INFINITY, f64::min).clamp(0.1, trace.length().max(0.1))
    });
    let played: Vec<(Kind, Simulator)> =
        fits.iter().flat_map(|fit| ways(fit.model)).map(|model| (model.kind(), replayed(model, &trace))).collect();
    let distinct = (f64::from(quota) * 0.2).max(2.0);
    let best = candidates(window, quota)
        .filter_map(|experiment| {
            let length: f64 = experiment.stages.iter().map(|(silence, _)| silence).sum();
            let outcomes: Vec<(Kind, Vec<u32>)> = played
                .iter()
                .map(|(kind, limiter)| (*kind, outcome(limiter.clone(), &experiment, now, means)))
                .collect();
            let sent = outcomes.iter().map(|(_, counts)| counts.iter().map(|count| u64::from(*count) + 2).sum::<u64>());
            if length > means.seconds || sent.max()? > means.requests {
                return None;
            }
            let told = kinds_apart(&kinds, &outcomes, distinct);
            (told.1 > 0).then_some((told, length, experiment))
        })
        .max_by(|one, other| one.0.cmp(&other.0).then(other.1.total_cmp(&one.1)));
    best.map_or(Next::Indistinct, |(.., experiment)| Next::Try(experiment))
}

/// How many pairs of kinds come out differently whatever their parameters, and how many pairs of models.
fn kinds_apart(kinds: &[Kind], outcomes: &[(Kind, Vec<u32>)], distinct: f64) -> (usize, usize) {
    let apart = |one: &[u32], other: &[u32]| {
        one.iter().zip(other).any(|(one, other)| f64::from(one.abs_diff(*other)) >= distinct)
    };
    let of = |kind: Kind| outcomes.iter().filter(move |(other, _)| *other == kind).map(|(_, counts)| counts);
    let (mut wholly, mut partly) = (0, 0);
    for (n, kind) in kinds.iter().enumerate() {
        for other in &kinds[n + 1..] {
            let pairs = of(*kind).flat_map(|one| of(*other).map(move |other| apart(one, other)));
            let (all, some) = pairs.fold((true, 0), |(all, some), apart| (all && apart, some + usize::from(apart)));
            wholly += usize::from(all);
            partly += some;
        }
    }
    (wholly, partly)
}

/// Everything that is tried: a silence and a burst, and two of both, the first burst whole or half.
fn candidates(window: f64, quota: u32) -> impl Iterator<Item = Experiment> {
    let whole = quota.saturating_mul(2).saturating_add(2);
    let singles = SILENCES.iter().map(move |silence| vec![(silence * window, whole)]);
    let doubles = SILENCES.iter().flat_map(move |first| {
        SILENCES.iter().flat_map(move |second| {
            [whole, quota.div_ceil(2)].map(|amount| vec![(first * window, amount), (second * window, whole)])
        })
    });
    singles.chain(doubles).map(|stages| Experiment { stages })
}

/// A model in the ways it may go on: how long a block remembers what it let through is not known.
fn ways(model: Model) -> Vec<Model> {
    match model {
        Model::Block { quota, duration, restarts, .. } => {
            vec![model, Model::Block { quota, within: f64::INFINITY, duration, restarts }]
        }
        _ => vec![model],
    }
}

/// A limiter in the state that it is in if the model is right.
fn replayed(model: Model, trace: &Trace) -> Simulator {
    let mut limiter = Simulator::new(model);
    for sample in &trace.samples {
        limiter.record(f64::midpoint(sample.sent, sample.received), sample.admitted);
    }
    limiter
}

/// How many requests each stage lets through.
fn outcome(mut limiter: Simulator, experiment: &Experiment, now: f64, means: &Means) -> Vec<u32> {
    let mut at = now;
    let mut counts = Vec::with_capacity(experiment.stages.len());
    for (silence, amount) in &experiment.stages {
        at += silence;
        let (mut admitted, mut refused) = (0, 0);
        for _ in 0..*amount {
            if limiter.decide(at + means.exchange / 2.0) {
                admitted += 1;
                refused = 0;
            } else {
                refused += 1;
            }
            at += means.exchange;
            if refused == 2 {
                break;
            }
        }
        counts.push(admitted);
    }
    counts
}
