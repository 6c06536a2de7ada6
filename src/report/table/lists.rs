//! What is said in a line each: what could not be seen, what is accepted, what was left out.

use super::page::{Page, WARN};
use crate::{
    record::{NotJudged, WaiverState, WaiverUse},
    report::View,
    rule::{Finding, Verdict, ids},
};

/// What could not be seen either way, and why.
pub(super) fn inconclusive(page: &mut Page, view: &View<'_>) {
    findings(page, "inconclusive", view.with(Verdict::Inconclusive).map(|view| view.finding));
}

/// What rules drew of what they saw, whatever their verdict.
pub(super) fn drawings(page: &mut Page, view: &View<'_>) {
    let mut drawn =
        view.findings.iter().map(|view| view.finding).filter(|finding| !finding.drawing.is_empty()).peekable();
    if drawn.peek().is_some() {
        page.heading("seen over time");
    }
    for finding in drawn {
        page.item(2, &format!("{} {}: {}", finding.rule, finding.check, finding.message));
        page.drawing(&finding.drawing);
    }
}

/// Known failures, with what was agreed about each.
pub(super) fn waived(page: &mut Page, view: &View<'_>) {
    let waived: Vec<_> = view.waived().collect();
    if waived.is_empty() {
        return;
    }
    page.heading(&format!("waived ({})", waived.len()));
    for (finding, waiver) in waived {
        let agreed = waiver.map_or_else(String::new, |waiver| {
            format!(" [{}; {}, until {}]", waiver.reason, waiver.owner, waiver.expires)
        });
        let severity = finding.severity.as_str();
        page.item(2, &format!("{severity} {} {}: {}{agreed}", finding.rule, finding.check, finding.message));
    }
}

/// Rules that were not judged, grouped by why.
pub(super) fn not_judged(page: &mut Page, view: &View<'_>) {
    let (not_run, not_permitted): (Vec<_>, Vec<_>) = view.not_judged.iter().partition(|n| n.permit.is_none());
    grouped(page, "not permitted", &not_permitted);
    grouped(page, "not run", &not_run);
}

fn grouped(page: &mut Page, heading: &str, left_out: &[&NotJudged]) {
    let told = |one: &&NotJudged| {
        let why = match &one.permit {
            Some(permit) => format!("needs the permit `{permit}`: {}", one.why),
            None => one.why.clone(),
        };
        (one.rule.clone(), one.check.clone(), why)
    };
    list(page, heading, left_out.iter().map(told).collect());
}

/// Rule, check and reason of each; rules of a check with the same reason are one item, in the order of first mention.
fn list(page: &mut Page, heading: &str, items: Vec<(String, String, String)>) {
    if items.is_empty() {
        return;
    }
    page.heading(&format!("{heading} ({})", items.len()));
    let mut groups: Vec<(String, String, Vec<String>)> = Vec::new();
    for (rule, check, why) in items {
        match groups.iter_mut().find(|(known, reason, _)| *known == check && *reason == why) {
            Some((_, _, rules)) => rules.push(rule),
            None => groups.push((check, why, vec![rule])),
        }
    }
    for (check, why, rules) in groups {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        page.item(2, &format!("{} {check}: {why}", ids(&rules)));
    }
}

/// How many rules do not apply; which ones, when asked.
pub(super) fn not_applicable(page: &mut Page, view: &View<'_>, verbose: u8) {
    let count = view.score.ledger.not_applicable;
    if verbose > 0 {
        findings(page, "not applicable", view.with(Verdict::NotApplicable).map(|view| view.finding));
    } else if count > 0 {
        page.heading(&format!("not applicable ({count})"));
        page.paragraph("the target does not offer what these rules speak about; -v lists them");
    }
}

/// What passed, when asked.
pub(super) fn passed(page: &mut Page, view: &View<'_>, verbose: u8) {
    if verbose > 0 {
        findings(page, "passed", view.with(Verdict::Pass).map(|view| view.finding));
    }
}

fn findings<'a>(page: &mut Page, heading: &str, findings: impl Iterator<Item = &'a Finding>) {
    list(page, heading, findings.map(|f| (f.rule.clone(), f.check.clone(), f.message.clone())).collect());
}

/// What a reader should know besides.
pub(super) fn notes(page: &mut Page, view: &View<'_>) {
    if view.notes.is_empty() {
        return;
    }
    page.heading("notes");
    view.notes.iter().for_each(|note| page.item(2, note));
}

/// Waivers that do not do what they were written for.
pub(super) fn waiver_trouble(page: &mut Page, view: &View<'_>) {
    let trouble: Vec<_> =
        view.waivers.iter().filter_map(|waiver| trouble_of(waiver).map(|what| (waiver, what))).collect();
    if trouble.is_empty() {
        return;
    }
    page.blank();
    page.marked(WARN, "WAIVERS", "to look at");
    for (waiver, what) in trouble {
        let check = waiver.check.as_ref().map_or_else(String::new, |check| format!(" {check}"));
        page.item(2, &format!("{}{check}: {what} [{}; {}]", waiver.rule, waiver.reason, waiver.owner));
    }
}

fn trouble_of(waiver: &WaiverUse) -> Option<String> {
    match waiver.state {
        WaiverState::Used => None,
        WaiverState::Expired => Some(format!("expired, it held until {}", waiver.expires)),
        WaiverState::Unmatched => Some("matches no failure, remove it".to_owned()),
        WaiverState::NotJudged => Some("what it waives was not judged in this run".to_owned()),
    }
}
