//! Signatures of deliveries: ASY-009.

use std::collections::BTreeSet;

use super::{
    super::evidence::{Event, Evidence, Part, Seal, Sealed, Signed},
    count, nothing_came, on, shown,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-009.
pub const ASY_009: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-009",
        slug: "unsigned-or-replayable-webhook",
        family: "async_operation",
        title: "Webhooks are signed over their octets, and cannot be replayed",
        sent: "Nothing of its own: the signature of every delivery is checked over its exact octets, then again with one \
               octet of the body, the timestamp and the id altered here.",
        requirement: "Every delivery has a signature of the declared form that is valid; altering the body, or the \
                      timestamp or id where they are sent, makes it invalid; the timestamp is near the time of arrival. \
                      Of several signatures one that is valid is enough.",
        not_applicable: "The suite declares no signatures, or no secret is known.",
        severity: Severity::Critical,
        strength: Strength::Convention,
        source: "Standard Webhooks, signature scheme (id.timestamp.payload); Stripe webhook signatures (300 s tolerance); \
                 RFC 9421 §7.2.2",
        remedy: "Sign id, timestamp and the octets that are sent, with a key of the endpoint; take the timestamp anew for \
                 each attempt.",
        defects: &["webhook.unsigned", "webhook.bad-signature", "webhook.timestamp-not-covered"],
    },
    judge: |evidence| on(evidence, signed),
};

fn signed(evidence: &Evidence) -> Judgement {
    let Some(declared) = &evidence.declared.signature else {
        return Judgement::not_applicable("the suite declares no signatures");
    };
    if let Some(why) = &evidence.declared.keyless {
        return Judgement::not_applicable(format!("signatures cannot be checked: {why}"));
    }
    let mut known = BTreeSet::new();
    let sealed: Vec<(&Event, &Sealed)> = evidence
        .events
        .iter()
        .filter(|event| known.insert(event.exchange))
        .filter_map(|event| Some((event, event.sealed.as_ref()?)))
        .collect();
    if sealed.is_empty() {
        return nothing_came(evidence);
    }
    let mut without: Vec<(&Event, String)> = Vec::new();
    let mut invalid = Vec::new();
    let mut partly = Vec::new();
    for (event, sealed) in &sealed {
        match &sealed.seal {
            Seal::Missing(header) => without.push((event, format!("there is no `{header}`"))),
            Seal::Unreadable(header) => without.push((event, format!("`{header}` holds none of the declared form"))),
            Seal::Incomplete(parts) => invalid.push((*event, format!("{} was not sent", listed(parts)))),
            Seal::Invalid { instead: None } => invalid.push((*event, "it is not valid".to_owned())),
            Seal::Invalid { instead: Some(parts) } => {
                partly.push((*event, format!("it is valid only over {}", listed(parts))));
            }
            Seal::Valid { uncovered, .. } => {
                let open: Vec<Part> = uncovered.iter().copied().filter(|part| is_owed(declared, *part)).collect();
                if !open.is_empty() {
                    partly.push((*event, format!("{} can be altered", listed(&open))));
                }
            }
        }
    }
    let all = sealed.len();
    if let Some(judgement) = failed(&without, all, "not signed") {
        return judgement.expected("a signature of the declared form on every delivery");
    }
    if let Some(judgement) = failed(&invalid, all, "signed with what is not valid") {
        return judgement.expected("a signature that is valid over the octets that came");
    }
    if let Some(judgement) = failed(&partly, all, "signed without covering everything that is sent") {
        return judgement
            .expected("a signature that becomes invalid when body, timestamp or id are altered")
            .severity(Severity::Major);
    }
    let far: Vec<(&Event, String)> =
        sealed.iter().filter_map(|(event, sealed)| Some((*event, far(evidence, declared, sealed)?))).collect();
    if let Some(judgement) = failed(&far, all, "signed for another time") {
        return judgement
            .expected(format!("a timestamp within {} s of the arrival", declared.tolerance_s))
            .severity(Severity::Major);
    }
    passed(declared, &sealed)
}

fn passed(declared: &Signed, sealed: &[(&Event, &Sealed)]) -> Judgement {
    let signatures =
        if sealed.len() == 1 { "the signature of 1 delivery is" } else { "the signatures of all deliveries are" };
    let mut judgement = Judgement::pass(format!("{signatures} valid, and cover what they should"));
    let spared: BTreeSet<Part> = sealed
        .iter()
        .flat_map(
            |(_, sealed)| if let Seal::Valid { uncovered, .. } = &sealed.seal { uncovered.clone() } else { vec![] },
        )
        .filter(|part| !is_owed(declared, *part))
        .collect();
    if !spared.is_empty() {
        let spared: Vec<Part> = spared.into_iter().collect();
        judgement = judgement.detail(format!("not covered, as declared: {}", listed(&spared)));
    }
    if sealed.iter().any(|(_, sealed)| sealed.timestamp.is_some() && sealed.age_s.is_none()) {
        judgement = judgement.detail("the timestamps are of no known form, so their age was not judged");
    }
    judgement.cite(sealed.iter().take(super::EXAMPLES).map(|(event, _)| event.exchange))
}

fn failed(events: &[(&Event, String)], all: usize, what: &str) -> Option<Judgement> {
    let (first, why) = events.first()?;
    let message = if events.len() == all && all > 1 {
        format!("deliveries are {what}")
    } else {
        format!(
            "{} of {} {} {what}",
            events.len(),
            count(all, "delivery"),
            if events.len() == 1 { "is" } else { "are" }
        )
    };
    let judgement = Judgement::fail(message).actual(format!("{}: {why}", first.exchange));
    Some(shown(judgement, events.iter().map(|(event, _)| *event)))
}

/// Whether a signature should cover a part.
fn is_owed(declared: &Signed, part: Part) -> bool {
    match &declared.covers {
        Some(covers) => covers.contains(&part),
        None => matches!(part, Part::Body | Part::Timestamp | Part::Id),
    }
}

/// Says how far a timestamp is from the arrival, if that is too far by our clock and by the target's.
fn far(evidence: &Evidence, declared: &Signed, sealed: &Sealed) -> Option<String> {
    let age = sealed.age_s?;
    let by_theirs = age + evidence.clock_ahead_s.unwrap_or_default();
    let too_far = |age: i64| age.abs() > declared.tolerance_s;
    let stamp = sealed.timestamp.as_deref().unwrap_or_default();
    (too_far(age) && too_far(by_theirs)).then(|| {
        let (seconds, side) = if age < 0 { (-age, "after") } else { (age, "before") };
        format!("timestamp {stamp} is {seconds} s {side} the arrival")
    })
}

fn listed(parts: &[Part]) -> String {
    parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::*, *};
    use crate::rule::Verdict::*;

    fn judged(evidence: Evidence) -> Judgement {
        (ASY_009.judge)(&of(Some(evidence)))
    }

    /// Two deliveries, the second with this seal.
    fn with(seal: Seal) -> Evidence {
        let mut evidence = seen(vec![event(1, "running", 1), event(2, "succeeded", 2)]);
        evidence.events[1].sealed = Some(Sealed { seal, ..sealed(10) });
        evidence
    }

    #[test]
    fn valid_signatures_that_cover_everything_pass() {
        assert_eq!(judged(seen(vec![event(1, "running", 1)])).verdict, Pass);
    }

    #[test]
    fn each_way_to_be_unsigned_fails_as_critical() {
        for seal in [
            Seal::Missing("webhook-signature".into()),
            Seal::Unreadable("webhook-signature".into()),
            Seal::Incomplete(vec![Part::Timestamp]),
            Seal::Invalid { instead: None },
        ] {
            let judgement = judged(with(seal.clone()));
            assert_eq!((judgement.verdict, judgement.severity), (Fail, None), "{seal:?}");
            assert_eq!(judgement.exchanges, [crate::exchange::ExchangeId(2)]);
            assert!(judgement.message.starts_with("1 of 2 deliveries is"), "{}", judgement.message);
        }
    }

    #[test]
    fn parts_that_can_be_altered_fail_as_major_unless_declared() {
        let open = Seal::Valid { covered: vec![Part::Body], uncovered: vec![Part::Timestamp, Part::Id] };
        let judgement = judged(with(open.clone()));
        assert_eq!((judgement.verdict, judgement.severity), (Fail, Some(Severity::Major)));
        assert!(judgement.actual.contains("timestamp, id can be altered"), "{}", judgement.actual);
        let narrower = judged(with(Seal::Invalid { instead: Some(vec![Part::Body]) }));
        assert_eq!((narrower.verdict, narrower.severity), (Fail, Some(Severity::Major)));
        assert!(narrower.actual.contains("only over body"), "{}", narrower.actual);
        let mut spared = with(open);
        spared.declared.signature.as_mut().unwrap().covers = Some(vec![Part::Body]);
        let judgement = judged(spared.clone());
        assert_eq!(judgement.verdict, Pass);
        assert!(judgement.details[0].contains("timestamp, id"), "{:?}", judgement.details);
        spared.declared.signature.as_mut().unwrap().covers = Some(vec![Part::Body, Part::Id]);
        assert_eq!(judged(spared).verdict, Fail);
    }

    #[test]
    fn a_timestamp_must_be_far_by_both_clocks_to_fail() {
        let mut old = seen(vec![event(1, "running", 1)]);
        old.events[0].sealed = Some(sealed(4_000));
        assert_eq!(judged(old.clone()).verdict, Fail);
        old.clock_ahead_s = Some(-3_990);
        assert_eq!(judged(old.clone()).verdict, Pass);
        old.events[0].sealed = Some(sealed(-301));
        old.clock_ahead_s = None;
        assert!(judged(old.clone()).actual.contains("301 s after"));
        old.events[0].sealed = Some(Sealed { age_s: None, ..sealed(0) });
        assert!(judged(old).details[0].contains("no known form"));
    }

    #[test]
    fn without_a_scheme_or_a_secret_or_a_delivery_nothing_is_judged() {
        let mut undeclared = seen(vec![event(1, "running", 1)]);
        undeclared.declared.signature = None;
        assert_eq!(judged(undeclared).verdict, NotApplicable);
        let mut keyless = seen(vec![event(1, "running", 1)]);
        keyless.declared.keyless = Some("no secret".into());
        assert_eq!(judged(keyless).verdict, NotApplicable);
        assert_eq!(judged(never(2)).verdict, Inconclusive);
    }
}
