//! RATE-010 and RATE-011: a spent limit touches neither other clients nor what has a limit of its own.

use super::{
    super::{
        config::Scope,
        evidence::{Answer, Evidence, OtherTrial},
        signal,
    },
    cited, count, on, unspent,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-010",
        slug: "limit-shared-between-clients",
        family: "rate_limit",
        title: "One client's spent limit does not keep another out",
        sent: "The limited request as another client, at once after the first client's limit is spent; if it is \
               refused, the other client alone, and both once more.",
        requirement: "The other client is let through while its own use is within the limit.",
        not_applicable: "The limit is declared to count tenants or addresses, or there is no other client.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "draft-ietf-httpapi-ratelimit-headers §3.1 (partition keys); AU CDR, per-recipient thresholds",
        remedy: "Count by the authenticated client, not by a process, a route or a shared address.",
        defects: &["rate.shared-between-clients"],
    },
    judge: |evidence| on(evidence, isolated),
};

pub(super) const RATE_011: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-011",
        slug: "limit-spills-over",
        family: "rate_limit",
        title: "A spent limit leaves possible what has a limit of its own",
        sent: "Each of `others`, once, at once after the limit is spent; what is refused, again after a rest.",
        requirement: "What is declared separate, or cancels and closes without being declared to share the limit, is \
                      let through.",
        not_applicable: "The suite names nothing else.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "What trading demands: reading and cancelling one's own orders stays possible; OWASP API4:2023",
        remedy: "Give cancelling and other operations that reduce risk a limit of their own, and endpoints theirs.",
        defects: &["rate.blocks-cancel", "rate.shared-between-endpoints"],
    },
    judge: |evidence| on(evidence, distinguished),
};

fn isolated(evidence: &Evidence) -> Judgement {
    if evidence.declared.scope != Scope::Client {
        return Judgement::not_applicable("the limit is declared not to count each client by itself");
    }
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    let Some(isolation) = evidence.isolation.as_ref().filter(|isolation| !isolation.trial.is_empty()) else {
        return Judgement::inconclusive("the run ended before another client was asked for");
    };
    if !isolation.before.as_ref().is_some_and(Answer::is_admitted) {
        let status = isolation.before.as_ref().map_or_else(|| "no answer".into(), |a| format!("status {}", a.status));
        return Judgement::inconclusive(format!("`{}` got {status} before anything was spent", isolation.client))
            .cite(isolation.before.as_ref().map(|answer| answer.exchange));
    }
    let refused: Vec<&Answer> = isolation.trial.iter().filter(|answer| answer.is_refused()).collect();
    if refused.is_empty() {
        if isolation.trial.iter().all(Answer::is_admitted) {
            let number = count(isolation.trial.len(), "request");
            return Judgement::pass(format!("{number} of `{}` were let through meanwhile", isolation.client))
                .cite(cited(&isolation.trial));
        }
        return Judgement::inconclusive(format!("`{}` was neither refused nor let through", isolation.client))
            .cite(cited(isolation.trial.iter().filter(|answer| !answer.is_admitted())));
    }
    let alone = !isolation.control.is_empty()
        && isolation.control.len() >= isolation.trial.len()
        && isolation.control.iter().all(Answer::is_admitted);
    let again = isolation.again.first().is_some_and(Answer::is_refused);
    let judgement = if alone && again {
        Judgement::fail("another client is refused because this one's limit is spent")
            .expected("the other client is let through up to its own limit")
            .actual(format!(
                "`{}` was refused after {} of its own",
                isolation.client,
                count(isolation.trial.iter().take_while(|answer| answer.is_admitted()).count() + 1, "request")
            ))
            .detail(format!("alone, {} of it were let through", count(isolation.control.len(), "request")))
            .detail("with the limit spent once more it was refused once more")
    } else if !alone {
        Judgement::inconclusive(format!("`{}` was refused, and alone was not let through as often", isolation.client))
    } else {
        Judgement::inconclusive(format!("`{}` was refused once, and not again", isolation.client))
    };
    judgement.cite(cited(refused)).cite(cited(isolation.again.iter().filter(|answer| answer.is_refused())))
}

/// What came of one of the others.
enum Came {
    Through,
    Kept(String),
    Unclear(String),
    Declared,
}

fn distinguished(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    if evidence.others.is_empty() {
        return Judgement::inconclusive("the run ended before anything else was asked for");
    }
    let came: Vec<(&OtherTrial, Came)> = evidence.others.iter().map(|trial| (trial, came(trial))).collect();
    let kept: Vec<(&OtherTrial, &String)> =
        came.iter().filter_map(|(trial, came)| Some((*trial, as_kept(came)?))).collect();
    let cite = |trial: &OtherTrial| trial.answer.iter().chain(&trial.control).map(|a| a.exchange).collect::<Vec<_>>();
    if let Some((first, what)) = kept.first() {
        let kind = if first.safety { "what limits a loss" } else { "what has a limit of its own" };
        let mut judgement = Judgement::fail(format!("{kind} is refused while this limit is spent"))
            .expected(format!("\"{}\" is let through", first.name))
            .actual((*what).clone())
            .cite(cite(first));
        for (trial, what) in kept.iter().skip(1) {
            judgement = judgement.detail((*what).clone()).cite(cite(trial));
        }
        return judgement;
    }
    let unclear: Vec<String> = came
        .iter()
        .filter_map(|(_, came)| match came {
            Came::Unclear(why) => Some(why.clone()),
            _ => None,
        })
        .collect();
    let through = came.iter().filter(|(_, came)| matches!(came, Came::Through)).count();
    let all = came.iter().flat_map(|(trial, _)| cite(trial));
    if let Some(first) = unclear.first() {
        let mut judgement = Judgement::inconclusive(first.clone()).cite(all);
        judgement.details.extend(unclear.into_iter().skip(1));
        return judgement;
    }
    if through == 0 {
        return Judgement::not_applicable("all that is named is declared to share this limit").cite(all);
    }
    Judgement::pass(format!("{} let through while the limit was spent", count(through, "other request"))).cite(all)
}

fn as_kept(came: &Came) -> Option<&String> {
    match came {
        Came::Kept(what) => Some(what),
        _ => None,
    }
}

fn came(trial: &OtherTrial) -> Came {
    let name = &trial.name;
    if !trial.separate {
        return Came::Declared;
    }
    let Some(answer) = &trial.answer else {
        let why = trial.skipped.clone().unwrap_or_else(|| "there was no answer".into());
        return Came::Unclear(format!("\"{name}\" could not be asked for: {why}"));
    };
    let expected = if trial.expect.is_empty() { answer.is_admitted() } else { trial.expect.contains(&answer.status) };
    if expected && !answer.is_refused() {
        return Came::Through;
    }
    if !answer.is_refused() {
        return Came::Unclear(format!("\"{name}\" was answered with status {}", answer.status));
    }
    let names = |answer: &Option<Answer>| answer.as_ref().map(signal::spent_policies).unwrap_or_default();
    let (own, other) = (names(&trial.refusal), signal::spent_policies(answer));
    if !own.is_empty() && !other.is_empty() && !other.iter().any(|name| own.contains(name)) {
        return Came::Unclear(format!("\"{name}\" was refused by another limit (\"{}\")", other.join("\", \"")));
    }
    match &trial.control {
        Some(control) if !control.is_refused() => {
            Came::Kept(format!("\"{name}\" was refused with {}, and not after a rest", answer.status))
        }
        Some(_) => Came::Unclear(format!("\"{name}\" was refused, and after a rest, too")),
        None => Came::Unclear(format!("\"{name}\" was refused, and it could not be asked for again after a rest")),
    }
}
