//! RATE-013: a limit cannot be evaded by what any caller can write.

use super::{
    super::evidence::{Detour, Evidence, Try},
    count, on, unspent,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_013: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-013",
        slug: "limit-evaded",
        family: "rate_limit",
        title: "A limit cannot be evaded trivially",
        sent: "With the limit spent: the request with a forged address, another spelling of its URL, or further \
               credentials of the same client, each between two plain requests.",
        requirement: "No change gets the request through three times while the plain requests around it stay refused.",
        not_applicable: "The suite does not ask for it (`evasion: true`).",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "OWASP API4:2023 Unrestricted Resource Consumption",
        remedy: "Count by the authenticated client, before caches and routing, and trust forwarding fields only from \
                 your own proxies.",
        defects: &["rate.forwarded-for-evades", "rate.query-evades"],
    },
    judge: |evidence| on(evidence, inevitable),
};

/// How often a change must get through to show that it does.
const PROVEN: usize = 3;

fn inevitable(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    let through = |detour: &Detour| detour.tries.iter().filter(|one| one.got_through()).count();
    let proven: Vec<&Detour> = evidence.evasion.iter().filter(|detour| through(detour) >= PROVEN).collect();
    if let Some(first) = proven.first() {
        let ids = |one: &Try| [one.before.exchange, one.changed.exchange, one.after.exchange];
        let mut judgement = Judgement::fail(format!("the spent limit is evaded by {}", first.change))
            .expected("the changed request is refused like the plain ones around it")
            .actual(format!(
                "let through {} in a row with {}, while every plain request between was refused",
                count(through(first), "time"),
                first.change
            ))
            .cite(first.tries.iter().flat_map(ids));
        for other in &proven[1..] {
            judgement = judgement.detail(format!("so it is by {}", other.change));
        }
        return judgement;
    }
    let tried = |detour: &Detour| detour.tries.iter().any(Try::is_controlled);
    let untried: Vec<&str> =
        evidence.evasion.iter().filter(|detour| !tried(detour)).map(|detour| detour.change.as_str()).collect();
    if let Some(first) = evidence.evasion.iter().find(|detour| through(detour) > 0) {
        return Judgement::inconclusive(format!("{} got through, but not every time", first.change))
            .cite(first.tries.iter().map(|one| one.changed.exchange));
    }
    if !untried.is_empty() || evidence.evasion.is_empty() {
        let mut judgement = Judgement::inconclusive("plain requests did not stay refused while ways around were tried");
        judgement.details.extend(untried.iter().map(|change| format!("not shown: {change}")));
        return judgement;
    }
    let all = evidence.evasion.iter().flat_map(|detour| &detour.tries);
    Judgement::pass(format!("{} tried, none got through", count(evidence.evasion.len(), "way")))
        .cite(all.map(|one| one.changed.exchange))
}
