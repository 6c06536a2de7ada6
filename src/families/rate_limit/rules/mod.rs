//! The rules of rate limits, each with its judge; pure functions of the evidence.

mod body;
mod drain;
mod enforcement;
mod enough;
mod evasion;
mod fields;
mod isolation;
pub(super) mod model;
mod told;
mod writes;

use super::evidence::{Answer, Burst, Evidence, Kind};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::{Judgement, Verdict},
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    enforcement::RATE_001,
    told::RATE_002,
    enough::RATE_003,
    told::RATE_004,
    writes::RATE_005,
    body::RATE_006,
    fields::RATE_007,
    fields::RATE_008,
    JudgedRule { rule: &model::RATE_009, judge: quota },
    isolation::RATE_010,
    isolation::RATE_011,
    JudgedRule { rule: &model::RATE_012, judge: kind },
    evasion::RATE_013,
    drain::RATE_014,
];

fn quota(evidence: &AnyEvidence) -> Judgement {
    on(evidence, |evidence| {
        let judgement = unspent(evidence).unwrap_or_else(|| model::quota(evidence.model.as_ref()));
        match longer_than_declared(evidence).filter(|_| judgement.verdict == Verdict::Pass) {
            Some(why) => Judgement::inconclusive(why),
            None => judgement,
        }
    })
}

/// What is let through within a wait is not seen by who waits as told: a wait that is longer than the declared window may
/// be a longer window.
fn longer_than_declared(evidence: &Evidence) -> Option<String> {
    let window = evidence.declared.limit.as_ref()?.window?;
    let longest = evidence.waits.iter().filter_map(|wait| wait.told_ms).max()?;
    (u128::from(longest) > window.0.as_millis() + 1_000).then(|| {
        format!(
            "waits of up to {} are asked for, longer than the declared window of {window}: whether the limit recovers \
             within it was not seen",
            seconds(longest)
        )
    })
}

fn kind(evidence: &AnyEvidence) -> Judgement {
    on(evidence, |evidence| unspent(evidence).unwrap_or_else(|| model::kind(evidence.model.as_ref())))
}

/// Most examples that a finding shows.
const EXAMPLES: usize = 5;

/// Judges what was seen, unless nothing could be.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::RateLimit(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    match &evidence.blocked {
        Some(blocked) => Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchange),
        None => judge(evidence),
    }
}

/// Refusals that were met, whoever met them.
fn refusals(evidence: &Evidence) -> Vec<&Answer> {
    evidence.answers().filter(|answer| answer.is_refused()).collect()
}

/// Says why nothing was refused, if nothing was.
fn unspent(evidence: &Evidence) -> Option<Judgement> {
    if evidence.bursts.iter().any(|burst| burst.refusal().is_some()) {
        return None;
    }
    let Some(burst) = evidence.bursts.first() else {
        return Some(Judgement::inconclusive("the run ended before the limit could be spent"));
    };
    Some(Judgement::inconclusive(why_unspent(evidence, burst)).cite(burst.answers.last().map(|answer| answer.exchange)))
}

fn why_unspent(evidence: &Evidence, burst: &Burst) -> String {
    let sent = burst.answers.len() as u64 + u64::from(burst.unanswered);
    if burst.answers.iter().any(|answer| answer.kind == Kind::Unavailable) {
        return "503 was seen in place of a refusal: if that is the limit, declare it under `refusal.status`".into();
    }
    if evidence.cut_short {
        return "the run ended before the limit could be spent".into();
    }
    if let Some(why) = &burst.given_up {
        return format!("the limit was not spent: {why}");
    }
    if is_delayed(evidence, burst) {
        return format!("requests are delayed, none of {sent} was refused");
    }
    format!("none of {sent} requests was refused")
}

/// Whether answers came later and later: a limit that delays in place of refusing.
fn is_delayed(evidence: &Evidence, burst: &Burst) -> bool {
    let answers = evidence.baseline.iter().chain(&burst.answers);
    let took: Vec<_> = answers.filter(|answer| answer.is_admitted()).map(Answer::took).collect();
    let (Some(first), Some(slowest)) = (took.iter().min(), took.iter().max()) else { return false };
    let late = took.iter().filter(|took| **took > *first * 5).count();
    took.len() >= 4 && slowest.as_millis() >= 200 && late * 2 >= took.len()
}

/// The exchanges of answers, the first few.
fn cited<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Vec<crate::exchange::ExchangeId> {
    answers.into_iter().take(EXAMPLES).map(|answer| answer.exchange).collect()
}

/// `1 refusal`, `7 refusals`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Milliseconds for people: `1.5 s`.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}
