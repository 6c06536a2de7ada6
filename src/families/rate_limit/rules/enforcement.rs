//! RATE-001: the declared limit is enforced, and answered as a limit.

use super::{
    super::{
        evidence::{Burst, Evidence},
        signal,
    },
    count, on, unspent,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_001: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-001",
        slug: "limit-not-enforced",
        family: "rate_limit",
        title: "The declared limit is enforced and answered with 429",
        sent: "The limited request, as fast as answers come, until two in a row are refused or the budget is spent.",
        requirement: "Within one window not more than twice the declared limit is let through before a refusal, and \
                      the refusal has status 429 or the declared one.",
        not_applicable: "No limit is declared.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "RFC 6585 §4; Zalando RESTful API Guidelines, rule 153; UK Open Banking, rate limiting (429)",
        remedy: "Enforce the documented limit where every request passes, and answer 429 with a wait.",
        defects: &["rate.never-limits", "rate.status-200"],
    },
    judge: |evidence| on(evidence, enforced),
};

fn enforced(evidence: &Evidence) -> Judgement {
    let Some(limit) = &evidence.declared.limit else {
        return Judgement::not_applicable("the suite declares no limit (`limit.quota`)");
    };
    let Some(burst) = evidence.bursts.first() else {
        return Judgement::inconclusive("the run ended before the limit could be spent");
    };
    let most = limit.most();
    if let Some(refusal) = burst.refusal() {
        return refused(evidence, burst, refusal, most);
    }
    let Some(unspent) = unspent(evidence) else {
        return Judgement::inconclusive("the limit was not spent at first, and was later");
    };
    let told = || evidence.own_answers().find_map(signal::told_window).map(|seconds| seconds.saturating_mul(1_000_000));
    let declared = limit.window.map(|window| u64::try_from(window.0.as_micros()).unwrap_or(u64::MAX));
    let Some(window_us) = declared.or_else(told) else {
        return unspent.detail("without `limit.window` nobody can tell how many requests are too many");
    };
    let admitted = admitted_within(burst, window_us);
    if admitted > most.saturating_mul(2) {
        return Judgement::fail(format!("the limit of {most} is not enforced"))
            .expected("status 429 after the declared limit, at the latest after twice as many within one window")
            .actual(format!("{admitted} requests were let through within one window"))
            .cite(burst.answers.first().map(|a| a.exchange))
            .cite(burst.answers.last().map(|a| a.exchange));
    }
    let needed = most.saturating_mul(2).saturating_add(1);
    let hint = if evidence.declared.budget < needed {
        format!("a budget of at least {needed} would show more")
    } else {
        format!("{admitted} requests were let through within one window; more than {} would be too many", needed - 1)
    };
    unspent.detail(hint)
}

fn refused(evidence: &Evidence, burst: &Burst, refusal: &super::super::evidence::Answer, most: u64) -> Judgement {
    let statuses = &evidence.declared.refusal.status;
    let fits = refusal.status == 429 || statuses.is_empty() || statuses.contains(&refusal.status);
    if !fits {
        let declared = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        return Judgement::fail(format!("a refusal has status {}, which no client takes for one", refusal.status))
            .expected("status 429")
            .expected(format!("a declared status ({declared})"))
            .actual(format!("status {} with a body that says that the limit is spent", refusal.status))
            .cite([refusal.exchange]);
    }
    let admitted = burst.admitted_first() + u64::from(evidence.baseline.is_some());
    let message = format!(
        "refused with {} after {}",
        refusal.status,
        count(usize::try_from(admitted).unwrap_or(usize::MAX), "request")
    );
    let judgement = Judgement::pass(message).cite([refusal.exchange]);
    if admitted < most {
        return judgement.detail(format!("{most} are declared; something may have spent the limit before"));
    }
    judgement
}

/// The most that were certainly let through within an interval of this length: sent not before, answered not after.
fn admitted_within(burst: &Burst, window_us: u64) -> u64 {
    let admitted = || burst.answers.iter().filter(|answer| answer.is_admitted());
    let mut sent: Vec<u64> = admitted().map(|answer| answer.sent_us).collect();
    let mut received: Vec<u64> = admitted().map(|answer| answer.received_us).collect();
    sent.sort_unstable();
    received.sort_unstable();
    let within = |(before, begin): (usize, &u64)| {
        let until = begin.saturating_add(window_us);
        received.partition_point(|at| *at <= until).saturating_sub(before) as u64
    };
    sent.iter().enumerate().map(within).max().unwrap_or(0)
}
