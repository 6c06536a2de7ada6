//! ASY-002: the monitor is usable, and as protected as what it tells of.

use super::{
    super::evidence::{Access, Ending, Evidence, Monitor, Operation, Reading},
    on, unseen,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_002: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-002",
        slug: "unusable-or-open-monitor",
        family: "async_operation",
        title: "A monitor is for its client, and for nobody else",
        sent: "The monitor is asked by the client that started the operation, then without credentials, then as another \
               principal.",
        requirement: "The client can read it once it has settled; the others are refused. It is on the target's own \
                      origin, or declared to be elsewhere. A URL that is a secret itself can be declared.",
        not_applicable: "The monitor is declared to be on another origin.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "RFC 9110 §15.3.3; OWASP API1:2023 broken object level authorization",
        remedy: "Check on the monitor what is checked on the resource: who asks, and whether the operation is theirs.",
        defects: &["async.monitor-open-to-anyone", "async.monitor-open-to-rival", "async.monitor-gone"],
    },
    judge: |evidence| on(evidence, protected),
};

/// The shortest value of a query parameter that may be a secret.
const SECRET: usize = 16;

fn protected(evidence: &Evidence) -> Judgement {
    let led: Vec<&Operation> =
        evidence.operations.iter().filter(|one| !matches!(one.monitor, Monitor::Missing)).collect();
    let mut doubts: Vec<String> = Vec::new();
    for operation in &led {
        if let Some(judgement) =
            operation.access.iter().find_map(|access| opened(evidence, operation, access, &mut doubts))
        {
            return judgement.cite(operation.started());
        }
    }
    if let Some(judgement) = led.iter().find_map(|operation| closed(evidence, operation)) {
        return judgement;
    }
    let read = led.iter().find_map(|one| one.readings.iter().find(|reading| reading.is_success()).map(|r| (one, r)));
    let Some((operation, reading)) = read else { return unseen(evidence) };
    let refused = operation.access.iter().map(|access| access.exchange);
    let finish = |judgement: Judgement| judgement.cite(reading.exchange).cite(refused.flatten());
    if let Some(doubt) = doubts.first() {
        return finish(Judgement::inconclusive(doubt.clone()));
    }
    if operation.access.is_empty() {
        return finish(Judgement::pass("the client can read the monitor; there was nobody else to ask"));
    }
    let who: Vec<&str> = operation.access.iter().map(|access| access.client.as_str()).collect();
    finish(Judgement::pass(format!("the client can read the monitor, {} cannot", who.join(" and "))))
}

/// What somebody else was shown.
fn opened(evidence: &Evidence, operation: &Operation, access: &Access, doubts: &mut Vec<String>) -> Option<Judgement> {
    let who = if access.anonymous { "a request without credentials" } else { "another principal" };
    match &access.outcome {
        Some(Ok(401)) if !access.anonymous => {
            doubts.push(format!("the credentials of {} were not accepted at all", access.client));
        }
        Some(Ok(200..=299)) if access.anonymous && evidence.declared.signed => {}
        Some(Ok(200..=299)) if access.anonymous && is_secret(operation) => {
            doubts.push("the monitor's URL may be a secret that opens it; declare `monitor.signed` if it is".into());
        }
        Some(Ok(status @ 200..=299)) if access.shows => {
            return Some(
                Judgement::fail(format!("{who} is shown the operation"))
                    .expected(if access.anonymous { "401, 403 or 404" } else { "403 or 404" })
                    .actual(format!("status {status}, with what only its own client may see"))
                    .cite(access.exchange),
            );
        }
        Some(Ok(200..=299)) => doubts.push(format!("{who} is answered, but not shown the operation")),
        Some(Ok(429 | 500..)) => doubts.push(format!("{who} was not answered with a refusal, but with an error")),
        Some(Ok(_)) => {}
        Some(Err(why)) => doubts.push(format!("{who} was not answered: {why}")),
        None => doubts.push(format!("{who} was not sent")),
    }
    None
}

/// Whether the monitor's URL has a parameter that may be a secret.
fn is_secret(operation: &Operation) -> bool {
    let Monitor::At { target, .. } = &operation.monitor else { return false };
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(_, value)| value.len() >= SECRET)
}

/// That its own client cannot read it.
fn closed(evidence: &Evidence, operation: &Operation) -> Option<Judgement> {
    if let Monitor::Elsewhere(url) = &operation.monitor {
        return Some(if evidence.declared.elsewhere {
            Judgement::not_applicable(
                "the monitor is declared to be on another origin; credentials stay with the target",
            )
            .cite(operation.started())
        } else {
            Judgement::fail("the monitor is on another origin, where the client's credentials must not go")
                .severity(Severity::Major)
                .expected("a URL of the target's own origin")
                .expected("another one, declared with `monitor.elsewhere`")
                .actual(url.clone())
                .cite(operation.started())
        });
    }
    if operation.ending != Ending::Unreadable || operation.readings.iter().any(Reading::is_success) {
        return None;
    }
    let status = operation.readings.last()?.status?;
    let seen = operation.readings.iter().rev().take(3).filter_map(|reading| reading.exchange);
    Some(
        Judgement::fail("the client that started an operation cannot read its monitor")
            .severity(Severity::Major)
            .expected(format!("200 within {} (`settle`)", super::seconds(evidence.declared.settle_ms)))
            .actual(format!("status {status}, {} times", operation.readings.len()))
            .cite(operation.started())
            .cite(seen),
    )
}
