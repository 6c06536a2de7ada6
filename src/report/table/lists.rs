//! What is said in a line each: what could not be seen, what is accepted, what was left out.

use super::page::{Page, WARN};
use crate::{
    record::{NotJudged, WaiverState, WaiverUse},
    report::View,
    rule::{Finding, Verdict, ids},
};

/// What could not be seen either way, grouped by why.
pub(super) fn inconclusive(page: &mut Page, view: &View<'_>) {
    let findings: Vec<_> = view.with(Verdict::Inconclusive).map(|view| view.finding).collect();
    if findings.is_empty() {
        return;
    }
    page.heading(&format!("inconclusive ({})", findings.len()));
    let member = |finding: &&Finding| (finding.message.clone(), format!("{} {}", finding.rule, finding.check));
    groups(page, findings.iter().map(member));
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
    if left_out.is_empty() {
        return;
    }
    page.heading(&format!("{heading} ({})", left_out.len()));
    groups(
        page,
        left_out.iter().map(|one| {
            let why = match &one.permit {
                Some(permit) => format!("needs the permit `{permit}`: {}", one.why),
                None => one.why.clone(),
            };
            (why, format!("{} {}", one.rule, one.check))
        }),
    );
}

/// What has the same reason in one item, in the order of first mention.
fn groups(page: &mut Page, reasons: impl Iterator<Item = (String, String)>) {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (why, member) in reasons {
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, members)) => members.push(member),
            None => groups.push((why, vec![member])),
        }
    }
    for (why, members) in groups {
        match members.as_slice() {
            [one] => page.item(2, &format!("{one}: {why}")),
            several => page.item(2, &format!("{} × {why} ({})", several.len(), several.join(", "))),
        }
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
    let findings: Vec<_> = findings.collect();
    if findings.is_empty() {
        return;
    }
    page.heading(&format!("{heading} ({})", findings.len()));
    // What kept one rule of a check from being judged mostly kept its others too.
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings {
        let same = |known: &Finding| known.check == finding.check && known.message == finding.message;
        match groups.iter_mut().find(|(known, _)| same(known)) {
            Some((_, rules)) => rules.push(&finding.rule),
            None => groups.push((finding, vec![&finding.rule])),
        }
    }
    for (finding, rules) in groups {
        page.item(2, &format!("{} {}: {}", ids(&rules), finding.check, finding.message));
    }
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
