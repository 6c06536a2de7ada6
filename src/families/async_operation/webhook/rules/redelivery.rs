//! Deliveries that failed come again, and stop when they are acknowledged: ASY-010.

use super::{
    super::evidence::{Answered, Event, Evidence, Failing, Seal},
    attempts::{Chain, STORM_MS, chains, overdue},
    count, nothing_came, on, shown, time,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-010.
pub const ASY_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-010",
        slug: "redelivery-missing-or-unrecognisable",
        family: "async_operation",
        title: "Deliveries that failed are repeated under the same id, and stop when acknowledged",
        sent: "Addresses are registered whose deliveries are answered with status 500, with a connection reset and not at \
               all, and acknowledged after that; an operation is done for each.",
        requirement: "An attempt follows each failure within the declared time, with the same id and content, a valid \
                      signature and, where the scheme has it, a timestamp of its own; attempts are a second or more apart \
                      unless declared otherwise, their distance does not shrink, and they end once one is acknowledged.",
        not_applicable: "The suite declares no webhooks.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "Standard Webhooks, \"Deliverability and reliability\": retry schedule, and webhook-id is the same on each \
                 attempt; UK Open Banking event notification API",
        remedy: "Store an event with its id before it is sent, and attempt it by a schedule that grows until it is \
                 acknowledged with 2xx.",
        defects: &[
            "webhook.no-retry",
            "webhook.new-id-per-attempt",
            "webhook.retries-after-success",
            "webhook.retry-storm",
        ],
    },
    judge: |evidence| on(evidence, repeated),
};

/// What goes wrong with attempts, in the order in which it is reported.
fn repeated(evidence: &Evidence) -> Judgement {
    let watched: Vec<(&Failing, Vec<Chain<'_>>)> = evidence
        .failures
        .iter()
        .filter(|failing| failing.unavailable.is_none())
        .map(|failing| {
            let chains = chains(evidence, failing.mailbox);
            (failing, chains.into_iter().filter(|chain| chain.failed().is_some()).collect())
        })
        .collect();
    let all: Vec<&Chain<'_>> = watched.iter().flat_map(|(_, chains)| chains).collect();
    if all.is_empty() {
        return untried(evidence);
    }
    let wrong = identity(evidence, &all)
        .or_else(|| storm(evidence, &all))
        .or_else(|| missing(evidence, &watched))
        .or_else(|| stamps(evidence, &all))
        .or_else(|| shrinking(&all))
        .or_else(|| persistent(evidence));
    if let Some(judgement) = wrong {
        return judgement;
    }
    if let Some(judgement) = unseen(evidence, &watched) {
        return judgement;
    }
    let attempts = all.iter().map(|chain| chain.attempts.len()).max().unwrap_or_default();
    let message = format!(
        "{} that failed came again as the same and stopped when acknowledged, with up to {attempts} attempts",
        count(all.len(), "delivery")
    );
    Judgement::pass(message).cite(all.iter().flat_map(|chain| &chain.attempts).take(8).map(|event| event.exchange))
}

fn untried(evidence: &Evidence) -> Judgement {
    let unavailable = evidence.failures.iter().find_map(|failing| failing.unavailable.as_ref());
    match unavailable {
        Some(why) => Judgement::inconclusive(why.clone()),
        None if evidence.events.is_empty() => nothing_came(evidence),
        None => Judgement::inconclusive("no delivery came that could be made to fail"),
    }
}

fn identity(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    let renamed = |chain: &&&Chain<'_>| evidence.declared.id && chain.renamed().is_some();
    if let Some(chain) = all.iter().find(renamed) {
        let judgement = Judgement::fail("the same event comes under another id on each attempt")
            .expected("one id for all attempts to deliver an event")
            .actual(chain.renamed().map_or_else(String::new, Event::line));
        return Some(shown(judgement, chain.attempts.iter().copied()));
    }
    let chain = all.iter().find(|chain| chain.changed().is_some())?;
    let judgement = Judgement::fail("an attempt brings other content under the same id")
        .expected("the same content on all attempts to deliver an event (members that may differ: `event.volatile`)")
        .actual(chain.changed().map_or_else(String::new, |event| format!("other content: {}", event.line())));
    Some(shown(judgement, chain.attempts.iter().copied()))
}

fn storm(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    if evidence.declared.redelivery.as_ref().is_some_and(|schedule| schedule.first_ms < STORM_MS) {
        return None;
    }
    let chain = all.iter().find(|chain| chain.storms())?;
    let waits: Vec<String> = chain.pairs().map(|(one, next)| time(next.received_ms - one.received_ms)).collect();
    let judgement = Judgement::fail("a delivery that failed is repeated at once, again and again")
        .expected("a second or more between attempts")
        .actual(format!("attempts after {}", waits.join(", ")));
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Failures after which no attempt came.
fn missing(evidence: &Evidence, watched: &[(&Failing, Vec<Chain<'_>>)]) -> Option<Judgement> {
    let open: Vec<(&Failing, &Chain<'_>)> =
        watched.iter().flat_map(|(failing, chains)| chains.iter().map(|chain| (*failing, chain))).collect();
    let is_missing = |failing: &Failing, chain: &Chain<'_>| {
        chain.last().is_some_and(|last| !last.answered.is_acknowledged()) && overdue(evidence, failing, chain)
    };
    let gone: Vec<&Chain<'_>> =
        open.iter().filter(|(failing, chain)| is_missing(failing, chain)).map(|(_, chain)| *chain).collect();
    let last = gone.first()?.last()?;
    let judgement = |judgement: Judgement| {
        let schedule = evidence.declared.redelivery.clone().unwrap_or_default();
        let judgement = judgement
            .expected(format!("another attempt within {} of the first failure", time(schedule.first_ms)))
            .actual(format!("none after a delivery that was {}", last.answered.told()));
        shown(judgement, gone.iter().filter_map(|chain| chain.last()))
    };
    // One that is missing may be an accident, unless nothing else is known.
    let others = open.iter().any(|(_, chain)| chain.last().is_some_and(|event| event.answered.is_acknowledged()));
    if gone.len() < 2 || others && open.iter().any(|(_, chain)| came_again_after(chain, last.answered)) {
        return Some(judgement(Judgement::inconclusive("no attempt followed one failed delivery, but one did others")));
    }
    Some(judgement(Judgement::fail("deliveries that failed are not repeated")))
}

/// Whether an attempt followed one that was answered so.
fn came_again_after(chain: &Chain<'_>, answered: Answered) -> bool {
    chain.pairs().any(|(one, _)| std::mem::discriminant(&one.answered) == std::mem::discriminant(&answered))
}

/// Signatures and timestamps of the attempts after the first.
fn stamps(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    let declared = evidence.declared.signature.as_ref()?;
    let valid = |event: &Event| event.sealed.as_ref().map(|sealed| matches!(sealed.seal, Seal::Valid { .. }));
    for chain in all {
        if let Some((_, next)) =
            chain.pairs().find(|(one, next)| valid(one) == Some(true) && valid(next) == Some(false))
        {
            let judgement = Judgement::fail("the signature of a repeated delivery is not valid")
                .expected("a valid signature on each attempt")
                .actual(next.line());
            return Some(shown(judgement, chain.attempts.iter().copied()));
        }
        let stamp = |event: &Event| event.sealed.as_ref().and_then(|sealed| sealed.timestamp.clone());
        // Timestamps of whole seconds are equal within one.
        let kept = |(one, next): &(&Event, &Event)| {
            stamp(one).is_some() && stamp(one) == stamp(next) && next.received_ms - one.received_ms > 1_100
        };
        if declared.attempt_timestamp
            && let Some((_, next)) = chain.pairs().find(kept)
        {
            let judgement = Judgement::fail("a repeated delivery has the timestamp of the first")
                .expected("a timestamp of its own on each attempt")
                .actual(next.line())
                .severity(Severity::Minor);
            return Some(shown(judgement, chain.attempts.iter().copied()));
        }
    }
    None
}

/// Waits that shrink wherever three attempts are there to compare. What stands still for a while, here or there,
/// stretches all waits that go on at that time: two are needed whose longer waits have no time in common.
fn shrinking(all: &[&Chain<'_>]) -> Option<Judgement> {
    let shrinks: Vec<(bool, [&Event; 2])> = all.iter().flat_map(|chain| chain.shrinks()).collect();
    if shrinks.iter().any(|(shrinks, _)| !shrinks) {
        return None;
    }
    let apart = |[_, end]: [&Event; 2], [begin, _]: [&Event; 2]| end.received_ms <= begin.received_ms;
    shrinks.iter().find(|(_, one)| shrinks.iter().any(|(_, other)| apart(*one, *other)))?;
    let chain = all.iter().find(|chain| chain.shrinks().any(|(shrinks, _)| shrinks))?;
    let waits: Vec<String> = chain.pairs().map(|(one, next)| time(next.received_ms - one.received_ms)).collect();
    let judgement = Judgement::fail("attempts come faster and faster")
        .expected("waits that do not shrink from attempt to attempt")
        .actual(format!("attempts after {}", waits.join(", ")))
        .severity(Severity::Minor);
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Events that go on coming although each was acknowledged at once. One duplicate is legal, and so is each of several;
/// and a few events among many come again because their acknowledgements were lost or late.
fn persistent(evidence: &Evidence) -> Option<Judgement> {
    let chains: Vec<_> = chains(evidence, 0).into_iter().filter(|chain| chain.failed().is_none()).collect();
    let came = |chain: &Chain<'_>| chain.attempts.first().map(|event| event.received_ms);
    let persistent: Vec<_> = chains.iter().filter(|chain| chain.repeats() >= 2).collect();
    let latest = persistent.iter().filter_map(|chain| came(chain)).max()?;
    // What came later may not have had the time.
    let watched = chains.iter().filter(|chain| came(chain).is_some_and(|at| at <= latest)).count();
    let chain = persistent.first().filter(|_| persistent.len() * 2 > watched)?;
    let judgement = Judgement::fail("an event that was acknowledged is delivered again and again")
        .expected("no more attempts once one is answered with 2xx")
        .actual(format!("{} more", count(chain.repeats(), "delivery")))
        .severity(Severity::Minor);
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Failures of which it is not known whether another attempt would have come.
fn unseen(evidence: &Evidence, watched: &[(&Failing, Vec<Chain<'_>>)]) -> Option<Judgement> {
    let open = |(_, chains): &&(&Failing, Vec<Chain<'_>>)| {
        chains.iter().any(|chain| chain.last().is_some_and(|last| !last.answered.is_acknowledged()))
    };
    let (failing, chains) = watched.iter().find(open)?;
    let last = chains.iter().filter_map(Chain::last).find(|last| !last.answered.is_acknowledged())?;
    let waited = time(failing.until_ms.saturating_sub(last.received_ms));
    let mut judgement =
        Judgement::inconclusive(format!("no attempt was seen within {waited} of a delivery that failed"));
    if failing.cut_short {
        judgement = judgement.detail("the run was over");
    } else if evidence.declared.redelivery.is_none() {
        judgement = judgement.detail("declare `webhook.redelivery`: when the target repeats a delivery");
    }
    Some(shown(judgement, [last]))
}

#[cfg(test)]
mod tests;
