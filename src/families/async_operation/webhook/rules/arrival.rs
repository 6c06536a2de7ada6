//! Whether a callback comes, and says what the monitor says: ASY-008.

use super::{
    super::evidence::{Arrival, Event, Evidence, Operation},
    PROVE, on, readable, shown, time,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-008.
pub const ASY_008: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-008",
        slug: "missing-or-contradicting-webhook",
        family: "async_operation",
        title: "A webhook tells of a finished operation what its monitor tells",
        sent: "An address for callbacks is registered, an operation is started and followed on its monitor to the end; \
               once more where no event comes.",
        requirement: "Within the declared time after the end an event for the operation arrives, and the newest one's \
                      state, if it has one, is the monitor's. Events may come twice, late ones first, and early.",
        not_applicable: "The suite declares no webhooks.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "Standard Webhooks; UK Open Banking event notification API; what handling orders and payments demands",
        remedy: "Publish an event whenever the state changes, in the same transaction as the change, and send it from \
                 there.",
        defects: &["webhook.never-sent", "webhook.wrong-state"],
    },
    judge: |evidence| on(evidence, arrives),
};

/// What came of one operation.
enum Fate<'e> {
    Told(&'e Event),
    Contradicted(&'e Event),
    /// Nothing tells of its end.
    Missing,
    Unknown(String),
}

fn arrives(evidence: &Evidence) -> Judgement {
    let ended: Vec<&Operation> = evidence.operations.iter().filter(|operation| operation.end.is_some()).collect();
    if ended.is_empty() {
        let why = evidence.operations.first().map_or("none was started", |operation| operation.why.as_str());
        let seen = evidence.operations.iter().flat_map(|operation| operation.exchanges.iter().copied());
        return Judgement::inconclusive(format!("no operation was seen to end: {why}")).cite(seen);
    }
    let fates: Vec<(&Operation, Fate<'_>)> = ended.iter().map(|one| (*one, fate(evidence, one))).collect();
    for (operation, fate) in &fates {
        if let Fate::Contradicted(event) = fate {
            let judgement = Judgement::fail("a webhook contradicts the monitor")
                .expected(format!("the state that the monitor shows at the end: {}", word(operation)))
                .actual(format!("state {}", event.facts.state.as_deref().unwrap_or("none")));
            return shown(judgement, [*event]).cite(operation.exchanges.iter().copied());
        }
    }
    let told: Vec<&Event> =
        fates.iter().filter_map(|(_, fate)| if let Fate::Told(e) = fate { Some(*e) } else { None }).collect();
    let missing: Vec<&Operation> =
        fates.iter().filter(|(_, fate)| matches!(fate, Fate::Missing)).map(|(operation, _)| *operation).collect();
    if let (Some(first), true) = (told.first(), missing.is_empty()) {
        let message = match (&first.facts.state, ended.iter().find_map(|one| after(one))) {
            (None, _) => "a webhook told of the operation, without its state".to_owned(),
            (_, None | Some(0)) => "a webhook told of the end, as the monitor does".to_owned(),
            (_, Some(ms)) => format!("a webhook told of the end, as the monitor does, {} after it", time(ms)),
        };
        return shown(Judgement::pass(message), told);
    }
    if missing.is_empty() {
        let why =
            fates.iter().find_map(|(_, fate)| if let Fate::Unknown(why) = fate { Some(why.as_str()) } else { None });
        return Judgement::inconclusive(why.unwrap_or("no event was waited for").to_owned());
    }
    absent(evidence, &missing, &told)
}

fn absent(evidence: &Evidence, missing: &[&Operation], told: &[&Event]) -> Judgement {
    let waited = missing.iter().filter_map(|operation| waited(operation)).min().unwrap_or_default();
    let some = missing.iter().find(|operation| own(evidence, operation).next().is_some());
    let what = if some.is_some() { "no webhook told of the end" } else { "no webhook came" };
    let cite = |judgement: Judgement| judgement.cite(missing.iter().flat_map(|one| one.exchanges.iter().copied()));
    let Some(deadline) = evidence.declared.deadline_ms else {
        let message = format!("{what} within {}, but the suite does not say when one is due", time(waited));
        return cite(Judgement::inconclusive(message).detail("declare `webhook.deadline`"));
    };
    if !told.is_empty() {
        let message = format!("{what} for one operation, but one did for another");
        return shown(cite(Judgement::inconclusive(message)), told.iter().copied());
    }
    let reachable = evidence.reachable.or_else(|| {
        missing
            .iter()
            .find_map(|one| if let Arrival::NeverCame { reachable, .. } = one.arrival { reachable } else { None })
    });
    if reachable != Some(true) {
        let why = if reachable == Some(false) { "not even the test event did" } else { "the target may not reach us" };
        return cite(Judgement::inconclusive(format!("{what}; {why}")).detail(PROVE));
    }
    if missing.len() < 2 {
        return cite(Judgement::inconclusive(format!("{what} for one operation, and there was no time for another")));
    }
    let late: Vec<&Event> = missing.iter().flat_map(|operation| late(evidence, operation)).collect();
    let mut judgement = Judgement::fail(format!("{what} within the declared time, twice"))
        .expected(format!("an event for the operation within {} after its end", time(deadline)))
        .actual(match late.first() {
            Some(event) => format!("the first came later: {}", event.line()),
            None if some.is_some() => "only events of earlier states".to_owned(),
            None => "none".to_owned(),
        });
    if let Some(operation) = some {
        judgement = shown(judgement, own(evidence, operation));
    }
    if evidence.events.is_empty() {
        judgement = judgement.detail(
            "nothing at all came, but the target is on this machine; if it runs in a container, say with --webhook-url how \
             it reaches this machine",
        );
    }
    cite(shown(judgement, late))
}

fn fate<'e>(evidence: &'e Evidence, operation: &Operation) -> Fate<'e> {
    let Some((end, means)) = &operation.end else { return Fate::Unknown("it was not seen to end".into()) };
    if operation.arrival == Arrival::NotAwaited {
        return Fate::Unknown("the run ended before an event was due".into());
    }
    let own: Vec<&Event> = own(evidence, operation).collect();
    let agrees = |event: &Event| {
        let facts = &event.facts;
        facts.state.as_ref() == Some(end) || facts.means.is_some() && facts.means == *means
    };
    let differs = |event: &Event| !agrees(event) && event.facts.means.is_some() && means.is_some();
    // Where a version orders them the newest one counts; else any that tells of the end, however late it came.
    if let Some(newest) = newest(&own) {
        if agrees(newest) && after(operation).is_some() {
            return Fate::Told(newest);
        }
        if differs(newest) && own.iter().any(|event| agrees(event)) {
            return Fate::Contradicted(newest);
        }
    }
    if after(operation).is_some()
        && let Some(event) = own.iter().find(|event| event.facts.state.is_none() || agrees(event))
    {
        return Fate::Told(event);
    }
    let another_end =
        |event: &&&Event| differs(event) && event.facts.means.is_some_and(super::super::evidence::Kind::is_end);
    if let Some(event) = own.iter().find(another_end) {
        return Fate::Contradicted(event);
    }
    let strange = own.iter().find(|event| event.facts.means.is_none() && event.facts.state.is_some());
    match strange {
        Some(event) => Fate::Unknown(format!(
            "the suite does not say what state `{}` of an event means (`event.states`)",
            event.facts.state.as_deref().unwrap_or_default()
        )),
        None => Fate::Missing,
    }
}

/// The events of an operation that came to the first address.
fn own<'e>(evidence: &'e Evidence, operation: &Operation) -> impl Iterator<Item = &'e Event> {
    let id = operation.id.clone();
    readable(evidence).filter(move |event| event.mailbox == 0 && id.is_some() && event.facts.subject == id)
}

/// The events that told of its end when it was too late.
fn late<'e>(evidence: &'e Evidence, operation: &Operation) -> Vec<&'e Event> {
    let due = operation.ended_ms.unwrap_or_default() + waited(operation).unwrap_or_default();
    own(evidence, operation).filter(|event| event.received_ms > due).collect()
}

/// The event with the highest version, if all have one that is a number and more than one has a state.
fn newest<'e>(own: &[&'e Event]) -> Option<&'e Event> {
    let version = |event: &Event| event.facts.version.as_ref()?.text()?.parse::<u64>().ok();
    let mut versions = own.iter().map(|event| Some((version(event)?, *event))).collect::<Option<Vec<_>>>()?;
    versions.sort_by_key(|(version, _)| *version);
    versions.pop().map(|(_, event)| event).filter(|event| event.facts.state.is_some())
}

fn word(operation: &Operation) -> &str {
    operation.end.as_ref().map_or("", |(word, _)| word.as_str())
}

fn after(operation: &Operation) -> Option<u64> {
    if let Arrival::Came { after_ms, .. } = operation.arrival { after_ms } else { None }
}

fn waited(operation: &Operation) -> Option<u64> {
    match operation.arrival {
        Arrival::Came { waited_ms, .. } | Arrival::NeverCame { waited_ms, .. } => Some(waited_ms),
        Arrival::NotAwaited => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::*, *};
    use crate::rule::{Verdict, Verdict::*};

    fn judged(evidence: Evidence) -> Judgement {
        (ASY_008.judge)(&of(Some(evidence)))
    }

    fn verdict(evidence: Evidence) -> Verdict {
        judged(evidence).verdict
    }

    #[test]
    fn an_event_that_says_what_the_monitor_says_passes_however_it_comes() {
        let running = || event(1, "running", 1);
        let succeeded = || event(2, "succeeded", 2);
        assert_eq!(verdict(seen(vec![running(), succeeded()])), Pass);
        // Out of order, twice, and without any versions.
        assert_eq!(verdict(seen(vec![succeeded(), running(), succeeded()])), Pass);
        let mut versionless = seen(vec![succeeded(), running()]);
        versionless.events.iter_mut().for_each(|event| event.facts.version = None);
        assert_eq!(verdict(versionless), Pass);
        let mut thin = seen(vec![succeeded()]);
        (thin.events[0].facts.state, thin.events[0].facts.means) = (None, None);
        assert!(judged(thin.clone()).message.contains("without its state"));
        assert_eq!(verdict(thin), Pass);
    }

    #[test]
    fn an_event_that_says_something_else_fails() {
        let failed = judged(came(vec![event(1, "running", 1), event(2, "failed", 2)], None));
        assert_eq!((failed.verdict, failed.actual.as_str()), (Fail, "state failed"));
        assert!(failed.exchanges.contains(&crate::exchange::ExchangeId(2)));
        // What is newest counts, even where an older one was right.
        assert_eq!(verdict(seen(vec![event(1, "succeeded", 1), event(2, "running", 2)])), Fail);
        assert_eq!(verdict(seen(vec![event(1, "failed", 1), event(2, "succeeded", 2)])), Pass);
    }

    #[test]
    fn words_that_nobody_explained_decide_nothing() {
        let mut strange = came(vec![event(1, "gone_through", 1)], None);
        strange.events[0].facts.means = None;
        let judgement = judged(strange);
        assert!(judgement.verdict == Inconclusive && judgement.message.contains("event.states"), "{judgement:?}");
    }

    #[test]
    fn a_callback_that_never_came_fails_only_where_the_target_can_reach_us() {
        let never = |reachable| Evidence { reachable, ..never(2) };
        assert_eq!(verdict(never(Some(true))), Fail);
        assert!(judged(never(Some(false))).message.contains("test event"));
        for unsure in [None, Some(false)] {
            let judgement = judged(never(unsure));
            assert_eq!(judgement.verdict, Inconclusive);
            assert!(judgement.details.iter().any(|detail| detail.contains("--webhook-url")));
        }
        let mut own = never(None);
        for operation in &mut own.operations {
            operation.arrival = Arrival::NeverCame { waited_ms: 2000, reachable: Some(true) };
        }
        assert_eq!(verdict(own), Fail);
    }

    #[test]
    fn a_callback_that_is_missing_once_or_not_owed_decides_nothing() {
        let reachable = Some(true);
        assert_eq!(verdict(Evidence { reachable, ..never(1) }), Inconclusive);
        let mut undeclared = Evidence { reachable, ..never(2) };
        undeclared.declared.deadline_ms = None;
        assert_eq!(verdict(undeclared), Inconclusive);
        let mut flaky = Evidence { reachable, ..never(1) };
        flaky.operations.push(Operation {
            id: Some("OP-2".into()),
            ..operation(Arrival::Came { after_ms: Some(5), waited_ms: 9 })
        });
        let mut event = event(1, "succeeded", 1);
        event.facts.subject = Some("OP-2".into());
        flaky.events.push(event);
        assert_eq!(verdict(flaky), Inconclusive);
        let mut endless = seen(vec![]);
        (endless.operations[0].end, endless.operations[0].why) = (None, "it went on".into());
        assert!(judged(endless).message.contains("it went on"));
        let mut cut = seen(vec![]);
        cut.operations[0].arrival = Arrival::NotAwaited;
        assert_eq!(verdict(cut), Inconclusive);
    }

    #[test]
    fn only_events_of_earlier_states_or_late_ones_are_none_of_the_end() {
        let mut early = came(vec![event(1, "running", 1)], None);
        early.operations.push(early.operations[0].clone());
        let judgement = judged(early.clone());
        assert_eq!((judgement.verdict, judgement.actual.as_str()), (Fail, "only events of earlier states"));
        let mut late = event(2, "succeeded", 2);
        late.received_ms = 9_000;
        early.events.push(late);
        assert!(judged(early).actual.contains("later: #2"));
    }
}
