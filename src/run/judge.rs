//! From evidence to findings, and what the suite says about them.

use std::{collections::BTreeMap, panic::AssertUnwindSafe};

use jiff::civil::Date;

use super::trace::Trace;
use crate::{
    families::{self, Evidence},
    plan::Plan,
    record::{NotJudged, Stopped, Unjudged, WaiverState, WaiverUse},
    rule::{Finding, Judgement, Verdict},
    suite::Suite,
};

/// What came of a plan.
#[derive(Default)]
pub(super) struct Verdicts {
    pub(super) findings: Vec<Finding>,
    pub(super) not_judged: Vec<NotJudged>,
    pub(super) unjudged: Vec<Unjudged>,
    /// Whether a check of the suite passed all its rules, and whether one that sends credentials did.
    pub(super) passed: bool,
    pub(super) passed_with_credentials: bool,
}

/// Judges every planned rule on what its check saw.
pub(super) fn judge(
    plan: &Plan<'_>,
    evidence: &BTreeMap<usize, Evidence>,
    trace: &Trace,
    stopped: Option<&Stopped>,
) -> Verdicts {
    let mut judged = Verdicts::default();
    for (number, item) in plan.items.iter().enumerate() {
        let check = item.check.name();
        let family = item.check.family();
        let observed = item.planned.passive.then(|| trace.observed(family.name)).flatten();
        let seen =
            observed.as_ref().filter(|_| stopped.is_none() || evidence.contains_key(&number)).or(evidence.get(&number));
        let before = judged.findings.len();
        for id in &item.planned.rules {
            let Some(rule) = families::rule(id) else { continue };
            match seen {
                Some(seen) => {
                    // Evidence comes from the target; a judge that it trips must not take the others' findings along.
                    let judgement = std::panic::catch_unwind(AssertUnwindSafe(|| (rule.judge)(seen)));
                    let judgement = judgement
                        .unwrap_or_else(|_| Judgement::inconclusive("internal error while judging; please report it"));
                    judged.findings.push(Finding::new(rule.rule, check, judgement));
                }
                None => judged.not_judged.push(NotJudged {
                    rule: (*id).to_owned(),
                    family: family.name.to_owned(),
                    check: check.to_owned(),
                    permit: None,
                    why: stopped.map_or_else(|| "the check could not run".to_owned(), told),
                }),
            }
        }
        // What watches all traffic has nothing to judge where all went well; a check of the suite has.
        if !item.planned.passive {
            judged.unjudged.extend(unjudged(&judged.findings[before..]));
            let own = || judged.findings[before..].iter().map(|finding| finding.verdict);
            let passed =
                own().any(|v| v == Verdict::Pass) && !own().any(|v| matches!(v, Verdict::Fail | Verdict::Inconclusive));
            judged.passed |= passed;
            judged.passed_with_credentials |= passed && !item.planned.clients.is_empty();
        }
        for unplanned in &item.planned.unplanned {
            let Some(rule) = families::rule(unplanned.rule) else { continue };
            let Some(permit) = unplanned.permit else {
                let judgement = Judgement::not_applicable(unplanned.why.clone());
                judged.findings.push(Finding::new(rule.rule, check, judgement));
                continue;
            };
            judged.not_judged.push(NotJudged {
                rule: unplanned.rule.to_owned(),
                family: family.name.to_owned(),
                check: check.to_owned(),
                permit: Some(permit.as_str().to_owned()),
                why: unplanned.why.clone(),
            });
        }
    }
    judged
}

/// Says so if not one rule of a check could be judged, although some should have been.
fn unjudged(findings: &[Finding]) -> Option<Unjudged> {
    if findings.iter().any(|finding| matches!(finding.verdict, Verdict::Pass | Verdict::Fail)) {
        return None;
    }
    let first = findings.iter().find(|finding| finding.verdict == Verdict::Inconclusive)?;
    Some(Unjudged { family: first.family.clone(), check: first.check.clone(), why: first.message.clone() })
}

fn told(stopped: &Stopped) -> String {
    match stopped {
        Stopped::Interrupted => "the run was interrupted before".into(),
        Stopped::Budget(why)
        | Stopped::Unreachable(why)
        | Stopped::Unavailable(why)
        | Stopped::LoginRefused(why)
        | Stopped::Setup(why) => why.clone(),
    }
}

/// Applies the suite's own severities and waivers.
pub(super) fn apply_suite(
    suite: &Suite,
    mut findings: Vec<Finding>,
    not_judged: &[NotJudged],
    today: Date,
) -> (Vec<Finding>, Vec<WaiverUse>) {
    for finding in &mut findings {
        if let Some(severity) = suite.severity.get(&finding.rule)
            && *severity != finding.severity
        {
            finding.severity_was = Some(finding.severity);
            finding.severity = *severity;
        }
    }
    let waivers = suite
        .waivers
        .iter()
        .map(|waiver| {
            let matches = |rule: &str, check: &str| {
                rule == waiver.rule && waiver.check.as_ref().is_none_or(|wanted| wanted == check)
            };
            let expired = waiver.expires < today;
            let mut used = false;
            let mut judged = false;
            for finding in findings.iter_mut().filter(|finding| matches(&finding.rule, &finding.check)) {
                judged |= matches!(finding.verdict, Verdict::Pass | Verdict::Fail);
                if finding.verdict == Verdict::Fail && !expired {
                    finding.waived = true;
                    used = true;
                }
            }
            let seen = judged && !not_judged.iter().any(|not| matches(&not.rule, &not.check));
            let state = match (expired, used, seen) {
                (true, ..) => WaiverState::Expired,
                (_, true, _) => WaiverState::Used,
                (_, _, true) => WaiverState::Unmatched,
                _ => WaiverState::NotJudged,
            };
            WaiverUse {
                rule: waiver.rule.clone(),
                check: waiver.check.clone(),
                reason: waiver.reason.clone(),
                owner: waiver.owner.clone(),
                expires: waiver.expires.to_string(),
                state,
            }
        })
        .collect();
    (findings, waivers)
}
