//! RATE-014: requests that fail authentication do not spend the limit of the client they name.

use super::{
    super::{
        config::Scope,
        evidence::{Answer, Drain, Evidence},
    },
    cited, count, on,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_014: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-014",
        slug: "strangers-spend-the-limit",
        family: "rate_limit",
        title: "Requests with bad credentials do not spend the named client's limit",
        sent: "With the client at rest: requests with a token of nobody's that name it, as many as its limit and two \
               more; then its own request. Twice, if it is refused.",
        requirement: "The client is let through.",
        not_applicable: "The limit is declared to count addresses, or the suite does not say how a client is named.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "OWASP API4:2023; draft-ietf-httpapi-ratelimit-headers §8",
        remedy: "Count against a client only what it proved to have sent; limit failures by address.",
        defects: &["rate.failed-logins-drain"],
    },
    judge: |evidence| on(evidence, unaffected),
};

/// What one trial shows.
enum Shown {
    Spent,
    Untouched,
    Nothing(String),
}

fn unaffected(evidence: &Evidence) -> Judgement {
    if evidence.declared.scope == Scope::Address {
        return Judgement::not_applicable("the limit is declared to count an address, not a client");
    }
    let Some(first) = evidence.drains.first() else {
        return Judgement::inconclusive(
            evidence
                .unrecovered
                .clone()
                .unwrap_or_else(|| "the client was not seen at rest, so nothing could be sent in its name".into()),
        );
    };
    let all = || evidence.drains.iter().flat_map(|drain| &drain.own).map(|answer| answer.exchange);
    match (shown(first), evidence.drains.get(1).map(shown)) {
        (Shown::Nothing(why), _) => Judgement::inconclusive(why).cite(cited(&first.forged)),
        (Shown::Untouched, _) => {
            Judgement::pass(format!("let through after {} in its name", count(first.forged.len(), "request")))
                .cite(all())
        }
        (Shown::Spent, Some(Shown::Spent)) => {
            Judgement::fail("requests with bad credentials spend the limit of the client they name")
                .expected("the client is let through")
                .actual(format!(
                    "refused after one request of its own and {} in its name, two times of two",
                    count(first.forged.len(), "request")
                ))
                .cite(cited(first.forged.iter().take(2)))
                .cite(all())
        }
        (Shown::Spent, _) => Judgement::inconclusive("the client was refused once, and not again").cite(all()),
    }
}

fn shown(drain: &Drain) -> Shown {
    let mut own = drain.own.iter();
    if !own.next().is_some_and(Answer::is_admitted) {
        return Shown::Nothing("the client was not let through before, so nothing can be seen".into());
    }
    if let Some(answer) = drain.forged.iter().find(|answer| answer.is_admitted()) {
        return Shown::Nothing(format!("a request with bad credentials was answered with status {}", answer.status));
    }
    let failed = drain.forged.iter().filter(|answer| matches!(answer.status, 400 | 401 | 403)).count();
    if failed == 0 {
        return Shown::Nothing("no request with bad credentials was refused for them".into());
    }
    match own.next() {
        Some(answer) if answer.is_refused() => Shown::Spent,
        Some(answer) if answer.is_admitted() => Shown::Untouched,
        Some(answer) => Shown::Nothing(format!("the client was answered with status {}", answer.status)),
        None => Shown::Nothing("the client got no answer".into()),
    }
}
