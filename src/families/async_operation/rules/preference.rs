//! ASY-007: preferences are honoured or ignored, and claimed only when honoured.

use super::{
    super::evidence::{Evidence, Preference, Start},
    on,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_007: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-007",
        slug: "preference-refused-or-feigned",
        family: "async_operation",
        title: "A preference is honoured or ignored, never refused or feigned",
        sent: "Starts with `Prefer: respond-async`, one that nobody knows, and those that are declared; where an answer \
               raises doubts, one without and one with it again.",
        requirement: "No start is refused for its preference. Where Preference-Applied says respond-async, or the suite \
                      declares it, the answer is 202 or a job; where it says wait=N, it comes within that time.",
        not_applicable: "The target cannot be started.",
        severity: Severity::Minor,
        strength: Strength::Normative,
        source: "RFC 7240 §2 (ignore unknown preferences), §3 (Preference-Applied), §4.1, §4.3",
        remedy: "Ignore preferences that you do not support; send Preference-Applied only for what was done.",
        defects: &["async.prefer-refused", "async.prefer-claimed"],
    },
    judge: |evidence| on(evidence, honest),
};

fn honest(evidence: &Evidence) -> Judgement {
    if evidence.preferences.is_empty() {
        return Judgement::inconclusive("the run ended before a preference was sent");
    }
    for preference in &evidence.preferences {
        if let Some(judgement) = refused(preference).or_else(|| feigned(preference)) {
            return cited(judgement, preference);
        }
    }
    if let Some((preference, why)) = evidence.preferences.iter().find_map(|one| doubt(one).map(|why| (one, why))) {
        return cited(Judgement::inconclusive(format!("`Prefer: {}`: {why}", preference.sent)), preference);
    }
    let applied: Vec<&str> = evidence
        .preferences
        .iter()
        .filter(|one| one.starts.iter().any(|start| start.applies(&one.sent)))
        .map(|one| one.sent.as_str())
        .collect();
    let judgement = Judgement::pass(if applied.is_empty() {
        "preferences are ignored, and nobody is refused for them".to_owned()
    } else {
        format!("applied as told: {}; nobody is refused for a preference", applied.join(", "))
    });
    evidence.preferences.iter().fold(judgement, cited)
}

fn cited(judgement: Judgement, preference: &Preference) -> Judgement {
    judgement.cite(preference.starts.iter().chain(&preference.plain).filter_map(|start| start.exchange))
}

/// Refused with the preference, accepted without, refused with it again.
fn refused(preference: &Preference) -> Option<Judgement> {
    let [first, second] = preference.starts.as_slice() else { return None };
    let plain = preference.plain.as_ref().is_some_and(|start| start.accepted);
    let is_refusal = |start: &Start| !start.accepted && matches!(start.status, 400..=499) && start.status != 429;
    (plain && is_refusal(first) && is_refusal(second)).then(|| {
        Judgement::fail("a start is refused for its preference")
            .expected("the same answer as without `Prefer`, or one that honours it")
            .actual(format!("status {} with `Prefer: {}`, twice", second.status, preference.sent))
    })
}

/// Said, or declared, and not done, twice.
fn feigned(preference: &Preference) -> Option<Judgement> {
    let [first, second] = preference.starts.as_slice() else { return None };
    if !preference.breaks(first) || !preference.breaks(second) {
        return None;
    }
    let took = second.received_ms.saturating_sub(second.sent_ms + second.late_ms);
    let who = if second.applies(&preference.sent) { "Preference-Applied" } else { "the suite" };
    let judgement = Judgement::fail(format!("a preference that {who} says is applied is not"));
    Some(match preference.wait_s() {
        Some(seconds) => judgement.expected(format!("an answer within {seconds} s")).actual(format!(
            "status {} after {}",
            second.status,
            super::seconds(took)
        )),
        None => judgement.expected("202 at once, or a job that goes on").actual(format!(
            "status {} after {}, with the result",
            second.status,
            super::seconds(took)
        )),
    })
}

/// Why nothing is decided of a preference, if so.
fn doubt(preference: &Preference) -> Option<String> {
    let Some(first) = preference.starts.first() else { return Some("the start was not answered".into()) };
    let Some(second) = preference.starts.get(1) else {
        return preference.is_doubtful(first).then(|| format!("status {}, once", first.status));
    };
    if preference.plain.as_ref().is_none_or(|start| !start.accepted) {
        return Some("a start without a preference was not accepted either".into());
    }
    (preference.is_doubtful(second)).then(|| format!("status {} and then status {}", first.status, second.status))
}
