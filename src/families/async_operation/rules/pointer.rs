//! ASY-001: accepted work leads to a monitor.

use super::{
    super::evidence::{Evidence, Monitor, Operation},
    on, unseen,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_001: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-001",
        slug: "accepted-without-monitor",
        family: "async_operation",
        title: "Accepted work can be followed",
        sent: "Operations are started.",
        requirement: "A start that is answered with 202 leads to its monitor: by Location, Operation-Location or \
                      Content-Location, or as the suite declares. Where the suite declares callbacks and no monitor, none is needed.",
        not_applicable: "The suite declares callbacks and no monitor, and no start leads to one.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "RFC 9110 §15.3.3; RFC 7240 §4.1; AIP-151; what handling orders and payments demands",
        remedy: "Answer 202 with the URL of the operation in Location (or Operation-Location).",
        defects: &["async.no-monitor"],
    },
    judge: |evidence| on(evidence, leads),
};

fn leads(evidence: &Evidence) -> Judgement {
    let accepted: Vec<&Operation> = evidence.operations.iter().filter(|one| one.is_accepted()).collect();
    if accepted.is_empty() {
        return unseen(evidence);
    }
    let cite = |judgement: Judgement, all: &[&Operation]| judgement.cite(all.iter().filter_map(|one| one.started()));
    let is_202 = |one: &&&Operation| one.start.as_ref().is_some_and(|start| start.status == 202);
    let lost: Vec<&Operation> = accepted
        .iter()
        .filter(is_202)
        .filter(|one| matches!(one.monitor, Monitor::Missing | Monitor::Unreadable(_)))
        .copied()
        .collect();
    if let Some(first) = lost.first() {
        if evidence.declared.webhook && !evidence.declared.monitor {
            return cite(
                Judgement::not_applicable("only callbacks tell of the end; nothing leads to a monitor"),
                &lost,
            );
        }
        let actual = match &first.monitor {
            Monitor::Unreadable(why) => format!("what should lead to it cannot be read: {why}"),
            _ => "status 202 and nothing to follow".into(),
        };
        let judgement = Judgement::fail("work was accepted, and nothing leads to a monitor")
            .expected("Location, Operation-Location or Content-Location with the monitor's URL")
            .expected("the monitor's URL or the operation's id in the body, where the suite says")
            .expected("a declared callback, where the suite declares no monitor")
            .actual(actual);
        return cite(judgement, &lost);
    }
    let leading: Vec<&Operation> = accepted
        .iter()
        .filter(|one| matches!(one.monitor, Monitor::At { .. } | Monitor::Elsewhere(_)))
        .copied()
        .collect();
    let Some(first) = leading.first() else {
        let judgement = Judgement::inconclusive("the start was answered, but not with 202, and leads to no monitor")
            .detail("the work may have been done at once");
        return cite(judgement, &accepted);
    };
    let judgement = match &first.monitor {
        Monitor::At { target, told } => Judgement::pass(format!("{told} leads to the monitor")).detail(target.clone()),
        _ => Judgement::pass("the answer leads to a monitor"),
    };
    cite(judgement, &leading)
}
