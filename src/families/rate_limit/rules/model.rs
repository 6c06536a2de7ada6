//! Whether the limiter is as declared: RATE-009 (how much), RATE-012 (of which kind).

use crate::{
    families::rate_limit::limiter::{
        Confidence, Fit, Inference, Kept, Kind, first_burst, infer, kept, most_within,
        runs::{Run, Runs},
        timeline, tolerance,
    },
    rule::{Judgement, Rule, Severity, Strength},
};

/// The quota.
pub(in crate::families::rate_limit) const RATE_009: Rule = Rule {
    id: "RATE-009",
    slug: "quota-not-as-advertised",
    family: "rate_limit",
    title: "As many requests are let through as the limit says",
    sent: "Bursts after a silence, until two refusals in a row, and one request at a time until some are let through.",
    requirement: "A window lets through the declared quota and burst, give or take 2 requests or 5 percent.",
    not_applicable: "The declared limit counts no window (concurrency).",
    severity: Severity::Major,
    strength: Strength::Convention,
    source: "draft-ietf-httpapi-ratelimit-headers §3.1.1, §4.1.1; mission",
    remedy: "Enforce the quota that is advertised, or advertise the one that is enforced.",
    defects: &["rate.admits-double", "rate.throttles-early"],
};

/// The kind of limiter.
pub(in crate::families::rate_limit) const RATE_012: Rule = Rule {
    id: "RATE-012",
    slug: "limiter-of-another-kind",
    family: "rate_limit",
    title: "The limiter behaves as the kind that is declared",
    sent: "A burst after a silence, then one request at a time, and bursts after silences that tell kinds of limiters apart; \
           twice.",
    requirement: "The declared kind of limiter explains when requests were let through and when not.",
    not_applicable: "Never: without a declared kind, the kind that was seen is told.",
    severity: Severity::Info,
    strength: Strength::Domain,
    source: "mission (token bucket or sliding window)",
    remedy: "Declare the limiter that is deployed; where bursts at the boundary of windows hurt, use another kind.",
    defects: &["rate.fixed-window-instead"],
};

/// How many departures in how many windows are no accident.
const TWICE: usize = 2;

/// Judges RATE-009.
pub(in crate::families::rate_limit) fn quota(runs: Option<&Runs>) -> Judgement {
    let Some(runs) = runs.filter(|runs| !runs.runs.is_empty()) else {
        return Judgement::inconclusive("the limit was not driven to show how much it lets through");
    };
    let declared = &runs.declared;
    if declared.model == Some(Kind::Concurrency) {
        return Judgement::not_applicable(
            "the declared limit counts what is under way, not what a window lets through",
        );
    }
    let (Some(quota), Some(at_once), Some(window)) = (declared.quota, declared.at_once(), declared.window()) else {
        return Judgement::inconclusive("the suite does not declare both the quota and the window of the limit");
    };
    let Some(all) = kept(declared, &runs.runs) else {
        return Judgement::inconclusive("the declared limit does not say how much a window lets through");
    };
    let tolerance = tolerance(quota);
    let spent =
        |run: &&Run| run.remaining.is_some_and(|remaining| remaining + 1 + u64::from(tolerance) < u64::from(quota));
    if let Some(run) = runs.runs.iter().find(spent) {
        let remaining = run.remaining.unwrap_or_default();
        return Judgement::inconclusive(format!(
            "after a silence of {:.1} s the first answer said that {remaining} of {quota} were left: somebody else uses \
             the limit",
            run.silence()
        ))
        .cite(run.decisions().take(1).map(|decision| decision.id));
    }
    let bound = format!(
        "{} to {} requests let through before the first refusal, and no more in any window of {window} s",
        quota.saturating_sub(tolerance).max(1),
        at_once.saturating_add(tolerance)
    );
    let told = |kept: &Kept, run: &Run| {
        let burst = first_burst(run);
        format!(
            "{burst} at once, at most {} in {window} s{}",
            most_within(run, window),
            match kept {
                Kept::Over(_) => ": more than declared",
                Kept::Early(_) => ": fewer than declared",
                Kept::Unseen => ", no refusal",
                Kept::Yes => "",
            }
        )
    };
    let with_facts = |mut judgement: Judgement| {
        for (n, (kept, run)) in all.iter().zip(&runs.runs).enumerate() {
            judgement = judgement.detail(format!("run {}: {}", n + 1, told(kept, run)));
        }
        judgement.expected(bound.clone())
    };
    let over: Vec<usize> = places(&all, |kept| matches!(kept, Kept::Over(_)));
    let early: Vec<usize> = places(&all, |kept| matches!(kept, Kept::Early(_)));
    for (outside, what) in
        [(&over, "more requests are let through than declared"), (&early, "requests are refused earlier than declared")]
    {
        if outside.len() < TWICE {
            continue;
        }
        if outside == &early
            && let Some(excuse) = excuse(runs, &early)
        {
            return with_facts(Judgement::inconclusive(excuse));
        }
        let cited = outside.iter().flat_map(|n| turn(&runs.runs[*n]));
        return with_facts(
            Judgement::fail(what)
                .actual(outside.iter().map(|n| told(&all[*n], &runs.runs[*n])).collect::<Vec<_>>().join("; "))
                .cite(cited),
        );
    }
    if !over.is_empty() || !early.is_empty() {
        return with_facts(Judgement::inconclusive("one window was not as declared, which did not repeat"));
    }
    let seen = all.iter().filter(|kept| **kept == Kept::Yes).count();
    if seen < TWICE {
        let why = runs.ended.as_deref().unwrap_or("the limit was not reached");
        return with_facts(Judgement::inconclusive(format!("fewer than two windows were seen: {why}")));
    }
    if let Some(told) = faster(runs) {
        return with_facts(Judgement::inconclusive(format!(
            "no window let through too much, yet it looks like a {told}"
        )));
    }
    with_facts(Judgement::pass(format!("{seen} windows let through what is declared")))
        .cite(runs.runs.iter().flat_map(turn))
}

/// Judges RATE-012.
pub(in crate::families::rate_limit) fn kind(runs: Option<&Runs>) -> Judgement {
    let Some(runs) = runs.filter(|runs| !runs.runs.is_empty()) else {
        return Judgement::inconclusive("the limit was not driven to show its kind");
    };
    let inference = infer(&runs.declared, &runs.runs);
    let judgement = of_kind(runs, &inference);
    let judgement = judgement.cite(runs.runs.iter().flat_map(turn));
    with_pictures(judgement, runs, &inference)
}

fn of_kind(runs: &Runs, inference: &Inference) -> Judgement {
    let looks = inference.best.as_ref().map(|fit| match inference.confidence {
        Confidence::Confident => format!("looks like a {}", fit.told()),
        Confidence::Likely | Confidence::Undetermined => format!("is probably a {}", fit.told()),
    });
    let Some(declared) = runs.declared.model else {
        return match looks {
            Some(looks) => Judgement::pass(format!("the limiter {looks}")),
            None => undetermined(runs, inference),
        };
    };
    let rejected = inference.rejected(declared);
    if rejected == 0 {
        let is_declared = inference.best.as_ref().is_some_and(|fit| fit.model.kind() == declared);
        return match looks {
            Some(looks) if is_declared => Judgement::pass(format!("the limiter is of the declared kind: {looks}")),
            // Each run alone may be of the declared kind; both together are of another, which is no proof yet.
            Some(looks) => Judgement::inconclusive(format!(
                "the limiter {looks}, but each run alone may be of a {} too",
                declared.as_str()
            )),
            None => undetermined(runs, inference),
        };
    }
    let explained = inference.by_run.iter().all(|kinds| !kinds.is_empty());
    if rejected < TWICE || rejected < inference.by_run.len() || !explained || inference.feasible.is_empty() {
        return undetermined(runs, inference);
    }
    let actual = looks.unwrap_or_else(|| format!("explained by: {}", names(&inference.kinds())));
    let judgement = Judgement::fail(format!("the limiter is no {}: it {actual}", declared.as_str()))
        .expected(format!("decisions that a {} explains", declared.as_str()))
        .actual(format!("in {rejected} of {rejected} runs no {} explains them", declared.as_str()));
    match boundary_burst(runs) {
        Some(ratio) if ratio > 1.5 => judgement.severity(Severity::Minor),
        _ => judgement,
    }
}

fn undetermined(runs: &Runs, inference: &Inference) -> Judgement {
    if inference.by_run.is_empty() {
        let why = runs.ended.as_deref().unwrap_or("nothing was refused or delayed");
        return Judgement::inconclusive(format!("the kind of limiter did not show: {why}"));
    }
    let kinds = inference.kinds();
    if kinds.is_empty() {
        return Judgement::inconclusive(
            "no single kind of limiter explains every run: several may be stacked, or somebody else uses the limit",
        );
    }
    Judgement::inconclusive(format!("the kind of limiter did not show: it may be a {}", names(&kinds)))
}

/// The most that was let through in any stretch of a window's length, as a share of what is declared.
fn boundary_burst(runs: &Runs) -> Option<f64> {
    let window = runs.declared.window()?;
    let quota = runs.declared.at_once().filter(|quota| *quota > 0)?;
    let most = runs.runs.iter().map(|run| most_within(run, window)).max()?;
    Some(f64::from(most) / f64::from(quota))
}

fn with_pictures(mut judgement: Judgement, runs: &Runs, inference: &Inference) -> Judgement {
    if let Some(ratio) = boundary_burst(runs) {
        judgement = judgement
            .detail(format!("at most {ratio:.1} times the declared quota was let through in the length of a window"));
    }
    for fit in inference.feasible.iter().filter(|_| inference.best.is_none()) {
        judgement = judgement.detail(format!("possible: {}", fit.told()));
    }
    for (n, run) in runs.runs.iter().enumerate().take(TWICE) {
        let title = format!("run {}: # let through, x refused, digits where several, + where more than 9", n + 1);
        judgement = judgement.drawing(std::iter::once(title).chain(timeline(run)));
    }
    judgement
}

/// What the limiter looks like, if whatever explains it lets through more than is declared in the long run.
fn faster(runs: &Runs) -> Option<String> {
    let window = runs.declared.window()?;
    let at_once = runs.declared.at_once()?;
    let most = 1.25 * f64::from(at_once.saturating_add(tolerance(at_once)));
    let inference = infer(&runs.declared, &runs.runs);
    let in_window = |fit: &Fit| f64::from(fit.quota.0) / fit.span.1 * window;
    let told = inference.best.or_else(|| inference.feasible.first().cloned())?.told();
    inference.feasible.iter().all(|fit| in_window(fit) > most).then_some(told)
}

/// Why fewer let through at once than declared accuses nobody.
fn excuse(runs: &Runs, early: &[usize]) -> Option<String> {
    let window = runs.declared.window()?;
    let quota = runs.declared.quota?;
    let inference = infer(&runs.declared, &runs.runs);
    let bucket = inference.feasible.iter().find(|fit| fit.model.kind() == Kind::TokenBucket);
    if let Some(bucket) = bucket {
        let in_window = f64::from(bucket.quota.1) / bucket.span.0 * window;
        if in_window >= 0.9 * f64::from(quota) {
            let told = bucket.told();
            return Some(format!(
                "fewer at once, but {in_window:.0} in a window: it may be a {told}, which spreads the quota"
            ));
        }
    }
    let short = early.iter().any(|n| runs.runs[*n].silence() < 2.0 * window);
    (short && inference.kinds().contains(&Kind::SlidingCounter))
        .then(|| "a sliding counter may still have counted what was sent before the silence".to_owned())
}

/// The last request let through and the first refusal of a run: where the limit shows.
fn turn(run: &Run) -> impl Iterator<Item = crate::exchange::ExchangeId> + use<'_> {
    let refused = run.decisions().position(|decision| !decision.admitted);
    run.decisions().skip(refused.map_or(0, |n| n.saturating_sub(1))).take(2).map(|decision| decision.id)
}

fn places(all: &[Kept], which: impl Fn(&Kept) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, kept)| which(kept)).map(|(n, _)| n).collect()
}

fn names(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ")
}
