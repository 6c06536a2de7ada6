//! RATE-003: waiting as told is enough.

use super::{
    super::{
        evidence::{Evidence, Kind, Wait},
        signal,
    },
    count, on, refusals, seconds, unspent,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_003: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-003",
        slug: "wait-not-enough",
        family: "rate_limit",
        title: "Waiting as told is enough",
        sent: "After a refusal nothing until the wait it tells is over, and a guard of at least a second more; then \
               one request.",
        requirement: "The request after the wait is let through. One refusal may be chance: two of three waits decide.",
        not_applicable: "Refusals tell no wait.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "RFC 9110 §10.2.3; draft-ietf-httpapi-ratelimit-headers §4.1",
        remedy: "Compute Retry-After from the instant at which the next request is let through, rounded up.",
        defects: &["rate.retry-after-too-short"],
    },
    judge: |evidence| on(evidence, enough),
};

fn enough(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    let told: Vec<&Wait> = evidence.waits.iter().filter(|wait| wait.told_ms.is_some()).collect();
    if told.is_empty() {
        if let Some(why) = evidence.unrecovered.as_ref().filter(|_| evidence.waits.is_empty()) {
            return Judgement::inconclusive(why.clone());
        }
        if evidence.waits.is_empty() {
            return Judgement::inconclusive("the run ended before a wait was over");
        }
        return Judgement::not_applicable("refusals tell no usable wait");
    }
    let by_clock = |wait: &Wait| {
        signal::told(&wait.refusal, &evidence.declared.signal, &evidence.clock).is_some_and(|told| told.absolute)
    };
    if evidence.clock.unreliable && told.iter().any(|wait| by_clock(wait)) {
        return Judgement::inconclusive("waits are told by the target's clock, and several clocks answer");
    }
    if let Some(wait) = told.iter().find(|wait| wait.answer.kind == Kind::Banned) {
        return Judgement::inconclusive(format!("after refusals came {}: shut out for going on", wait.answer.status))
            .cite([wait.refusal.exchange, wait.answer.exchange]);
    }
    let (refused, let_in): (Vec<&Wait>, Vec<&Wait>) = (
        told.iter().copied().filter(|wait| wait.answer.is_refused() && !is_by_another(wait)).collect(),
        told.iter().copied().filter(|wait| wait.answer.is_admitted()).collect(),
    );
    if let Some(wait) = told.iter().find(|wait| wait.answer.is_refused() && is_by_another(wait))
        && refused.len() < 2
    {
        return Judgement::inconclusive("after the wait another limit refused")
            .cite([wait.refusal.exchange, wait.answer.exchange]);
    }
    if refused.len() >= 2 {
        let first = refused[0];
        let mut judgement = Judgement::fail(format!(
            "after waiting as told, {} of {} refused again",
            refused.len(),
            count(told.len(), "request")
        ))
        .expected("the request after the wait is let through")
        .actual(format!(
            "{} by {}, and refused {} later",
            seconds(first.told_ms.unwrap_or(0)),
            first.told_by.as_deref().unwrap_or("the refusal"),
            seconds(first.waited_ms)
        ));
        for wait in &refused {
            judgement = judgement
                .detail(format!(
                    "{} told {}; {} came after {} of silence: refused",
                    wait.refusal.exchange,
                    seconds(wait.told_ms.unwrap_or(0)),
                    wait.answer.exchange,
                    seconds(wait.waited_ms)
                ))
                .cite([wait.refusal.exchange, wait.answer.exchange]);
        }
        return judgement;
    }
    let Some(good) = let_in.first() else {
        let judgement = Judgement::inconclusive("no wait ended in an answer that decides");
        return judgement.cite(told.iter().map(|wait| wait.answer.exchange));
    };
    if refused.len() == 1 && told.len() < 3 {
        return Judgement::inconclusive("one wait was enough and one was not, and there was no third")
            .cite(told.iter().map(|wait| wait.answer.exchange));
    }
    let mut judgement = Judgement::pass(format!(
        "let through after {} ({} by {})",
        seconds(good.waited_ms),
        seconds(good.told_ms.unwrap_or(0)),
        good.told_by.as_deref().unwrap_or("the refusal")
    ))
    .cite([good.refusal.exchange, good.answer.exchange]);
    if let Some(early) = &evidence.early {
        let what = if early.answer.is_admitted() { "let through" } else { "refused" };
        judgement = judgement.detail(format!(
            "a retry after {} of {} was {what}",
            seconds(early.after_ms),
            seconds(early.told_ms)
        ));
    }
    judgement.detail(format!("{} met in all", count(refusals(evidence).len(), "refusal")))
}

/// Whether another limit refused after the wait than before it.
fn is_by_another(wait: &Wait) -> bool {
    let (before, after) = (signal::spent_policies(&wait.refusal), signal::spent_policies(&wait.answer));
    !before.is_empty() && !after.is_empty() && !after.iter().any(|name| before.contains(name))
}
