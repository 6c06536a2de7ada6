//! RATE-005: a refused write did not happen.

use super::{
    super::evidence::{Answer, Create, Evidence},
    count, on, unspent,
};
use crate::{
    families::{Found, JudgedRule},
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_005: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-005",
        slug: "refused-write-happened",
        family: "rate_limit",
        title: "A refused write did not happen",
        sent: "Creates with references of their own while the limit is spent, until one is refused; afterwards each \
               reference is looked up.",
        requirement: "What was refused for the limit does not exist.",
        not_applicable: "The suite names no create that counts against the limit.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "RFC 6585 §4; what handling money demands",
        remedy: "Decide about the limit before anything is executed.",
        defects: &["rate.throttled-write-happens"],
    },
    judge: |evidence| on(evidence, undone),
};

fn undone(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    let Some(writes) = evidence.writes.as_ref() else {
        return Judgement::inconclusive("the run ended before anything was created");
    };
    let refused: Vec<&Create> =
        writes.creates.iter().filter(|create| create.answer.as_ref().is_some_and(Answer::is_refused)).collect();
    if refused.is_empty() {
        let seen = writes.creates.iter().filter_map(|create| create.answer.as_ref());
        let statuses = seen.map(|answer| answer.status.to_string()).collect::<Vec<_>>().join(", ");
        return Judgement::inconclusive(format!(
            "no create was refused while the limit was spent (statuses {statuses})"
        ))
        .detail("does the create count against this limit?");
    }
    for create in &refused {
        if let Some(Found::Rows(rows)) = &create.found
            && let Some(row) = rows.first()
        {
            let refusal = create.answer.as_ref().map(|answer| answer.exchange);
            return Judgement::fail("a refused create happened")
                .expected(format!("nothing with the reference {}", create.reference))
                .actual(format!("{} with the reference {}", count(rows.len(), "row"), create.reference))
                .detail(format!("its id is {}", row.id))
                .cite(refusal)
                .cite(rows.iter().map(|row| row.exchange));
        }
    }
    for create in &refused {
        match &create.found {
            Some(Found::Rows(_)) => {}
            Some(Found::Unseen(why, id)) => {
                return Judgement::inconclusive(format!("what was refused could not be looked up: {why}")).cite(*id);
            }
            None => return Judgement::inconclusive("the run ended before what was refused was looked up"),
        }
    }
    let control = writes.control.as_ref();
    match control.and_then(|control| control.found.as_ref()) {
        Some(Found::Rows(rows)) if !rows.is_empty() => {}
        Some(Found::Rows(_)) => {
            return Judgement::inconclusive("the lookup does not find a create that was let through, either")
                .cite(control.and_then(|control| control.answer.as_ref()).map(|answer| answer.exchange));
        }
        Some(Found::Unseen(why, id)) => {
            return Judgement::inconclusive(format!("a create that was let through could not be looked up: {why}"))
                .cite(*id);
        }
        None => {
            return Judgement::inconclusive("no create was let through after recovery, so the lookup shows nothing")
                .cite(control.and_then(|control| control.answer.as_ref()).map(|answer| answer.exchange));
        }
    }
    Judgement::pass(format!("nothing exists of {}", count(refused.len(), "refused create")))
        .cite(refused.iter().filter_map(|create| create.answer.as_ref()).map(|answer| answer.exchange))
        .cite(refused.iter().filter_map(|create| create.found.as_ref()).flat_map(Found::exchanges))
}
