//! Whether events can be told apart and put in order: ASY-011.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::evidence::{Created, Event, Evidence},
    count, nothing_came, on, readable, shown, tells,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-011.
pub const ASY_011: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-011",
        slug: "events-not-deduplicable-or-orderable",
        family: "async_operation",
        title: "Events can be told apart and put in order",
        sent: "Nothing of its own: all events that came.",
        requirement: "Each event has its id, type and instant with a zone where the suite says they are; no id stands for \
                      two events; two events of one operation are ordered by a declared version.",
        not_applicable: "Fewer than two events of one operation came.",
        severity: Severity::Major,
        strength: Strength::Convention,
        source: "Standard Webhooks (webhook-id: a unique identifier of the event); CloudEvents 1.0 (id and source); Zalando \
                 RESTful API Guidelines rules 211, 214, 242",
        remedy: "Give each event an id when it happens, and number the events of a resource.",
        defects: &["webhook.reused-id", "webhook.unordered"],
    },
    judge: |evidence| on(evidence, orderable),
};

fn orderable(evidence: &Evidence) -> Judgement {
    let events: Vec<&Event> = readable(evidence).filter(|event| tells(evidence, event)).collect();
    if events.is_empty() {
        if let Some(event) = readable(evidence).next() {
            return shown(
                Judgement::inconclusive("no event names its operation where the suite says it does"),
                [event],
            );
        }
        let unread = evidence.events.first();
        return unread.map_or_else(
            || nothing_came(evidence),
            |event| {
                let why = event.unreadable.as_deref().unwrap_or_default();
                Judgement::inconclusive(format!("no event could be read: {why}")).cite([event.exchange])
            },
        );
    }
    let wrong = incomplete(evidence, &events).or_else(|| reused(&events)).or_else(|| unordered(evidence, &events));
    if let Some(judgement) = wrong {
        return judgement;
    }
    if let Some(event) = events.iter().find(|event| matches!(event.facts.created, Created::Other(_))) {
        let judgement = Judgement::inconclusive("the instant of an event is of no known form");
        return shown(judgement, [*event]);
    }
    let Some((_, several)) = by_subject(&events).into_iter().find(|(_, events)| events.len() > 1) else {
        return Judgement::not_applicable("no two events of one operation came");
    };
    let how = if evidence.declared.version {
        "their version"
    } else if evidence.declared.created && distinct(several.iter().map(|event| &event.facts.created)) {
        "their instants"
    } else {
        "what the monitor shows, for they have neither version nor instants of their own"
    };
    let ids: BTreeSet<_> = events.iter().filter_map(|event| event.id.as_ref()).collect();
    let message =
        format!("{} can be told apart, and put in order by {how}", count(ids.len().max(several.len()), "event"));
    Judgement::pass(message).cite(several.iter().take(super::EXAMPLES).map(|event| event.exchange))
}

/// Whether an event lacks something.
type Lack = fn(&Event) -> bool;

/// Events that lack what the suite says they have.
fn incomplete(evidence: &Evidence, events: &[&Event]) -> Option<Judgement> {
    let declared = &evidence.declared;
    let lacks: [(bool, &str, Lack); 4] = [
        (declared.id, "id", |event| event.id.is_none()),
        (declared.kind, "type", |event| event.facts.kind.is_none()),
        (declared.created, "instant", |event| event.facts.created == Created::Missing),
        (declared.created, "zone of its instant", |event| matches!(event.facts.created, Created::Zoneless(_))),
    ];
    lacks.into_iter().filter(|(declared, ..)| *declared).find_map(|(_, what, lacks)| {
        let without: Vec<&Event> = events.iter().copied().filter(|event| lacks(event)).collect();
        let first = without.first()?;
        let judgement = Judgement::fail(format!("{} without the {what}", count(without.len(), "event")))
            .expected(format!("the {what} where the suite says it is"))
            .actual(first.line());
        Some(shown(judgement, without))
    })
}

/// An id under which two different events came.
fn reused(events: &[&Event]) -> Option<Judgement> {
    let mut known: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in events {
        let Some(id) = &event.id else { continue };
        let first = known.entry(id).or_insert(event);
        if first.facts != event.facts {
            let judgement = Judgement::fail("one id stands for two events")
                .expected("an id of its own for each event, the same only when it is delivered again")
                .actual(format!("id {id} for both"));
            return Some(shown(judgement, [*first, *event]));
        }
    }
    None
}

/// Two events of one operation that the declared version does not order.
fn unordered(evidence: &Evidence, events: &[&Event]) -> Option<Judgement> {
    if !evidence.declared.version {
        return None;
    }
    let without: Vec<&Event> = events.iter().copied().filter(|event| event.facts.version.is_none()).collect();
    if let Some(first) = without.first() {
        let judgement = Judgement::fail("events have no version, so that nothing puts them in order")
            .expected("a version where the suite says it is")
            .actual(first.line());
        return Some(shown(judgement, without));
    }
    let tie = by_subject(events).into_values().find_map(|several| {
        several.iter().enumerate().find_map(|(at, event)| {
            let other = several[..at].iter().find(|other| other.facts.version == event.facts.version)?;
            Some((*other, *event))
        })
    });
    tie.map(|(one, other)| {
        let judgement = Judgement::fail("two events of one operation have the same version")
            .expected("a version that orders the events of one operation")
            .actual(other.line());
        shown(judgement, [one, other])
    })
}

/// The different events of each operation, for each address by itself; the same event delivered twice counts once.
fn by_subject<'e>(events: &[&'e Event]) -> BTreeMap<(usize, &'e str), Vec<&'e Event>> {
    let mut subjects: BTreeMap<(usize, &str), Vec<&Event>> = BTreeMap::new();
    for event in events {
        let Some(subject) = &event.facts.subject else { continue };
        let several = subjects.entry((event.mailbox, subject)).or_default();
        if !several.iter().any(|known| known.facts == event.facts) {
            several.push(event);
        }
    }
    subjects
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut known = BTreeSet::new();
    items.into_iter().all(|item| known.insert(item))
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::*, *};
    use crate::rule::{Verdict, Verdict::*};

    fn judged(evidence: Evidence) -> Judgement {
        (ASY_011.judge)(&of(Some(evidence)))
    }

    fn two() -> Evidence {
        seen(vec![event(1, "running", 1), event(2, "succeeded", 2)])
    }

    /// The verdict on two events of which the second was changed.
    fn with(change: impl FnOnce(&mut Event)) -> Verdict {
        let mut evidence = two();
        change(&mut evidence.events[1]);
        judged(evidence).verdict
    }

    #[test]
    fn events_with_ids_and_versions_pass_also_when_delivered_twice() {
        assert!(judged(two()).message.contains("version"));
        let mut twice = two();
        twice.events.extend([event(3, "succeeded", 2), event(4, "running", 1)]);
        assert_eq!(judged(twice).verdict, Pass);
    }

    #[test]
    fn what_is_declared_must_be_there() {
        assert_eq!(with(|event| event.id = None), Fail);
        assert_eq!(with(|event| event.facts.kind = None), Fail);
        assert_eq!(with(|event| event.facts.created = Created::Missing), Fail);
        assert_eq!(with(|event| event.facts.created = Created::Zoneless("2026-01-02T03:04:05".into())), Fail);
        assert_eq!(with(|event| event.facts.created = Created::Other("soon".into())), Inconclusive);
        assert_eq!(with(|event| event.facts.version = None), Fail);
        let mut undeclared = two();
        undeclared.declared = super::super::super::evidence::Declared { subject: true, ..Default::default() };
        undeclared.events.iter_mut().for_each(|event| (event.id, event.facts.version) = (None, None));
        let judgement = judged(undeclared);
        assert!(judgement.verdict == Pass && judgement.message.contains("monitor"), "{judgement:?}");
    }

    #[test]
    fn an_id_for_two_events_or_a_version_for_two_fails() {
        assert_eq!(with(|event| event.id = Some("EVT-1".into())), Fail);
        assert_eq!(with(|event| event.facts.version = Some(crate::json::Scalar::Number("1".into()))), Fail);
        // Another operation counts for itself.
        let other = |event: &mut Event| {
            event.facts.subject = Some("OP-2".into());
            event.facts.version = Some(crate::json::Scalar::Number("1".into()));
        };
        assert_eq!(with(other), NotApplicable);
    }

    #[test]
    fn each_address_has_its_own_order_and_what_names_no_operation_is_left_alone() {
        let mut evidence = two();
        let mut elsewhere = evidence.events.clone();
        for event in &mut elsewhere {
            // An event of its own for each address.
            event.mailbox = 1;
            event.id = Some(format!("{}-1", event.id.as_deref().unwrap()));
            event.facts.created = Created::At("2026-01-02T03:04:06Z".into());
        }
        evidence.events.extend(elsewhere);
        let mut other = event(9, "running", 1);
        (other.facts.subject, other.facts.version, other.id) = (None, None, None);
        evidence.events.push(other);
        assert_eq!(judged(evidence).verdict, Pass);
    }

    #[test]
    fn where_no_event_names_an_operation_nothing_is_decided() {
        let mut evidence = two();
        evidence.events.iter_mut().for_each(|event| event.facts.subject = None);
        let judgement = judged(evidence);
        assert!(
            judgement.verdict == Inconclusive && judgement.message.contains("names its operation"),
            "{judgement:?}"
        );
    }

    #[test]
    fn without_two_events_of_an_operation_nothing_is_judged() {
        assert_eq!(judged(seen(vec![event(1, "running", 1)])).verdict, NotApplicable);
        assert_eq!(judged(never(1)).verdict, Inconclusive);
        let mut unread = seen(vec![event(1, "running", 1)]);
        unread.events[0].unreadable = Some("not JSON".into());
        assert!(judged(unread).message.contains("not JSON"));
    }
}
