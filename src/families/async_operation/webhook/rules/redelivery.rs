//! Deliveries that failed come again, and stop when they are acknowledged: ASY-010.

use super::{
    super::evidence::{Answered, Event, Evidence, Failing, Seal},
    attempts::{Chain, STORM_MS, chains, overdue},
    count, nothing_came, on, shown, time,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-010.
pub const ASY_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-010",
        slug: "redelivery-missing-or-unrecognisable",
        family: "async_operation",
        title: "Deliveries that failed are repeated under the same id, and stop when acknowledged",
        sent: "Addresses are registered whose deliveries are answered with status 500, with a connection reset and not at \
               all, and acknowledged after that; an operation is done for each.",
        requirement: "An attempt follows each failure within the declared time, with the same id and content, a valid \
                      signature and, where the scheme has it, a timestamp of its own; attempts are a second or more apart \
                      unless declared otherwise, their distance does not shrink, and they end once one is acknowledged.",
        not_applicable: "The suite declares no webhooks.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "Standard Webhooks, \"Deliverability and reliability\": retry schedule, and webhook-id is the same on each \
                 attempt; UK Open Banking event notification API",
        remedy: "Store an event with its id before it is sent, and attempt it by a schedule that grows until it is \
                 acknowledged with 2xx.",
        defects: &[
            "webhook.no-retry",
            "webhook.new-id-per-attempt",
            "webhook.retries-after-success",
            "webhook.retry-storm",
        ],
    },
    judge: |evidence| on(evidence, repeated),
};

/// What goes wrong with attempts, in the order in which it is reported.
fn repeated(evidence: &Evidence) -> Judgement {
    let watched: Vec<(&Failing, Vec<Chain<'_>>)> = evidence
        .failures
        .iter()
        .filter(|failing| failing.unavailable.is_none())
        .map(|failing| {
            let chains = chains(evidence, failing.mailbox);
            (failing, chains.into_iter().filter(|chain| chain.failed().is_some()).collect())
        })
        .collect();
    let all: Vec<&Chain<'_>> = watched.iter().flat_map(|(_, chains)| chains).collect();
    if all.is_empty() {
        return untried(evidence);
    }
    let wrong = identity(evidence, &all)
        .or_else(|| storm(evidence, &all))
        .or_else(|| missing(evidence, &watched))
        .or_else(|| stamps(evidence, &all))
        .or_else(|| shrinking(&all))
        .or_else(|| persistent(evidence));
    if let Some(judgement) = wrong {
        return judgement;
    }
    if let Some(judgement) = unseen(evidence, &watched) {
        return judgement;
    }
    let attempts = all.iter().map(|chain| chain.attempts.len()).max().unwrap_or_default();
    let message = format!(
        "{} that failed came again as the same and stopped when acknowledged, with up to {attempts} attempts",
        count(all.len(), "delivery")
    );
    Judgement::pass(message).cite(all.iter().flat_map(|chain| &chain.attempts).take(8).map(|event| event.exchange))
}

fn untried(evidence: &Evidence) -> Judgement {
    let unavailable = evidence.failures.iter().find_map(|failing| failing.unavailable.as_ref());
    match unavailable {
        Some(why) => Judgement::inconclusive(why.clone()),
        None if evidence.events.is_empty() => nothing_came(evidence),
        None => Judgement::inconclusive("no delivery came that could be made to fail"),
    }
}

fn identity(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    let renamed = |chain: &&&Chain<'_>| evidence.declared.id && chain.renamed().is_some();
    if let Some(chain) = all.iter().find(renamed) {
        let judgement = Judgement::fail("the same event comes under another id on each attempt")
            .expected("one id for all attempts to deliver an event")
            .actual(chain.renamed().map_or_else(String::new, Event::line));
        return Some(shown(judgement, chain.attempts.iter().copied()));
    }
    let chain = all.iter().find(|chain| chain.changed().is_some())?;
    let judgement = Judgement::fail("an attempt brings other content under the same id")
        .expected("the same content on all attempts to deliver an event (members that may differ: `event.volatile`)")
        .actual(chain.changed().map_or_else(String::new, |event| format!("other content: {}", event.line())));
    Some(shown(judgement, chain.attempts.iter().copied()))
}

fn storm(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    if evidence.declared.redelivery.as_ref().is_some_and(|schedule| schedule.first_ms < STORM_MS) {
        return None;
    }
    let chain = all.iter().find(|chain| chain.storms())?;
    let waits: Vec<String> = chain.pairs().map(|(one, next)| time(next.received_ms - one.received_ms)).collect();
    let judgement = Judgement::fail("a delivery that failed is repeated at once, again and again")
        .expected("a second or more between attempts")
        .actual(format!("attempts after {}", waits.join(", ")));
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Failures after which no attempt came.
fn missing(evidence: &Evidence, watched: &[(&Failing, Vec<Chain<'_>>)]) -> Option<Judgement> {
    let open: Vec<(&Failing, &Chain<'_>)> =
        watched.iter().flat_map(|(failing, chains)| chains.iter().map(|chain| (*failing, chain))).collect();
    let is_missing = |failing: &Failing, chain: &Chain<'_>| {
        chain.last().is_some_and(|last| !last.answered.is_acknowledged()) && overdue(evidence, failing, chain)
    };
    let gone: Vec<&Chain<'_>> =
        open.iter().filter(|(failing, chain)| is_missing(failing, chain)).map(|(_, chain)| *chain).collect();
    let last = gone.first()?.last()?;
    let judgement = |judgement: Judgement| {
        let schedule = evidence.declared.redelivery.clone().unwrap_or_default();
        let judgement = judgement
            .expected(format!("another attempt within {} of the first failure", time(schedule.first_ms)))
            .actual(format!("none after a delivery that was {}", last.answered.told()));
        shown(judgement, gone.iter().filter_map(|chain| chain.last()))
    };
    // One that is missing may be an accident, unless nothing else is known.
    let others = open.iter().any(|(_, chain)| chain.last().is_some_and(|event| event.answered.is_acknowledged()));
    if gone.len() < 2 || others && open.iter().any(|(_, chain)| came_again_after(chain, last.answered)) {
        return Some(judgement(Judgement::inconclusive("no attempt followed one failed delivery, but one did others")));
    }
    Some(judgement(Judgement::fail("deliveries that failed are not repeated")))
}

/// Whether an attempt followed one that was answered so.
fn came_again_after(chain: &Chain<'_>, answered: Answered) -> bool {
    chain.pairs().any(|(one, _)| std::mem::discriminant(&one.answered) == std::mem::discriminant(&answered))
}

/// Signatures and timestamps of the attempts after the first.
fn stamps(evidence: &Evidence, all: &[&Chain<'_>]) -> Option<Judgement> {
    let declared = evidence.declared.signature.as_ref()?;
    let valid = |event: &Event| event.sealed.as_ref().map(|sealed| matches!(sealed.seal, Seal::Valid { .. }));
    for chain in all {
        if let Some((_, next)) =
            chain.pairs().find(|(one, next)| valid(one) == Some(true) && valid(next) == Some(false))
        {
            let judgement = Judgement::fail("the signature of a repeated delivery is not valid")
                .expected("a valid signature on each attempt")
                .actual(next.line());
            return Some(shown(judgement, chain.attempts.iter().copied()));
        }
        let stamp = |event: &Event| event.sealed.as_ref().and_then(|sealed| sealed.timestamp.clone());
        // Timestamps of whole seconds are equal within one.
        let kept = |(one, next): &(&Event, &Event)| {
            stamp(one).is_some() && stamp(one) == stamp(next) && next.received_ms - one.received_ms > 1_100
        };
        if declared.attempt_timestamp
            && let Some((_, next)) = chain.pairs().find(kept)
        {
            let judgement = Judgement::fail("a repeated delivery has the timestamp of the first")
                .expected("a timestamp of its own on each attempt")
                .actual(next.line())
                .severity(Severity::Minor);
            return Some(shown(judgement, chain.attempts.iter().copied()));
        }
    }
    None
}

/// Waits that shrink wherever three attempts are there to compare. What stands still for a while, here or there,
/// stretches all waits that go on at that time: two are needed whose longer waits have no time in common.
fn shrinking(all: &[&Chain<'_>]) -> Option<Judgement> {
    let shrinks: Vec<(bool, [&Event; 2])> = all.iter().flat_map(|chain| chain.shrinks()).collect();
    if shrinks.iter().any(|(shrinks, _)| !shrinks) {
        return None;
    }
    let apart = |[_, end]: [&Event; 2], [begin, _]: [&Event; 2]| end.received_ms <= begin.received_ms;
    shrinks.iter().find(|(_, one)| shrinks.iter().any(|(_, other)| apart(*one, *other)))?;
    let chain = all.iter().find(|chain| chain.shrinks().any(|(shrinks, _)| shrinks))?;
    let waits: Vec<String> = chain.pairs().map(|(one, next)| time(next.received_ms - one.received_ms)).collect();
    let judgement = Judgement::fail("attempts come faster and faster")
        .expected("waits that do not shrink from attempt to attempt")
        .actual(format!("attempts after {}", waits.join(", ")))
        .severity(Severity::Minor);
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Events that go on coming although each was acknowledged at once. One duplicate is legal, and so is each of several;
/// and a few events among many come again because their acknowledgements were lost or late.
fn persistent(evidence: &Evidence) -> Option<Judgement> {
    let chains: Vec<_> = chains(evidence, 0).into_iter().filter(|chain| chain.failed().is_none()).collect();
    let came = |chain: &Chain<'_>| chain.attempts.first().map(|event| event.received_ms);
    let persistent: Vec<_> = chains.iter().filter(|chain| chain.repeats() >= 2).collect();
    let latest = persistent.iter().filter_map(|chain| came(chain)).max()?;
    // What came later may not have had the time.
    let watched = chains.iter().filter(|chain| came(chain).is_some_and(|at| at <= latest)).count();
    let chain = persistent.first().filter(|_| persistent.len() * 2 > watched)?;
    let judgement = Judgement::fail("an event that was acknowledged is delivered again and again")
        .expected("no more attempts once one is answered with 2xx")
        .actual(format!("{} more", count(chain.repeats(), "delivery")))
        .severity(Severity::Minor);
    Some(shown(judgement, chain.attempts.iter().copied()))
}

/// Failures of which it is not known whether another attempt would have come.
fn unseen(evidence: &Evidence, watched: &[(&Failing, Vec<Chain<'_>>)]) -> Option<Judgement> {
    let open = |(_, chains): &&(&Failing, Vec<Chain<'_>>)| {
        chains.iter().any(|chain| chain.last().is_some_and(|last| !last.answered.is_acknowledged()))
    };
    let (failing, chains) = watched.iter().find(open)?;
    let last = chains.iter().filter_map(Chain::last).find(|last| !last.answered.is_acknowledged())?;
    let waited = time(failing.until_ms.saturating_sub(last.received_ms));
    let mut judgement =
        Judgement::inconclusive(format!("no attempt was seen within {waited} of a delivery that failed"));
    if failing.cut_short {
        judgement = judgement.detail("the run was over");
    } else if evidence.declared.redelivery.is_none() {
        judgement = judgement.detail("declare `webhook.redelivery`: when the target repeats a delivery");
    }
    Some(shown(judgement, [last]))
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::*, *};
    use crate::rule::Verdict::*;

    /// An address with these deliveries of one event: when they came, and how they were answered.
    fn chain(mailbox: usize, subject: &str, attempts: &[(u64, Answered)]) -> Vec<Event> {
        let one = |(at, (received_ms, answered)): (usize, &(u64, Answered))| {
            let number = u32::try_from(mailbox * 100 + at).unwrap() + u32::try_from(subject.len()).unwrap() * 10;
            let mut event = event(number, "succeeded", 1);
            (event.mailbox, event.received_ms, event.answered) = (mailbox, *received_ms, *answered);
            event.content = subject.to_owned();
            event.id = Some(subject.to_owned());
            event.facts.subject = Some(subject.to_owned());
            event.sealed = Some(sealed(10 - i64::try_from(received_ms / 1000).unwrap()));
            event
        };
        attempts.iter().enumerate().map(one).collect()
    }

    const GOOD: [(u64, Answered); 3] =
        [(0, Answered::Refused(500)), (1_000, Answered::Reset), (2_200, Answered::Acknowledged)];

    fn evidence(chains: &[Vec<Event>]) -> Evidence {
        let failing = |mailbox| Failing { mailbox, until_ms: 60_000, ..Failing::default() };
        let failures = vec![failing(1), failing(2)];
        Evidence { failures, events: chains.concat(), ..seen(vec![]) }
    }

    fn judged(evidence: Evidence) -> Judgement {
        (ASY_010.judge)(&of(Some(evidence)))
    }

    fn hung() -> Vec<Event> {
        chain(2, "b", &[(0, Answered::Hung), (1_500, Answered::Acknowledged)])
    }

    #[test]
    fn attempts_that_grow_apart_and_stop_pass() {
        let judgement = judged(evidence(&[chain(1, "a", &GOOD), hung()]));
        assert_eq!(judgement.verdict, Pass, "{judgement:?}");
        assert!(judgement.message.contains("2 deliveries") && judgement.message.contains("3 attempts"));
    }

    #[test]
    fn every_event_delivered_twice_is_legal() {
        let twice = [
            (0, Answered::Refused(500)),
            (5, Answered::Reset),
            (1_000, Answered::Acknowledged),
            (1_005, Answered::Acknowledged),
        ];
        let main = chain(0, "c", &[(0, Answered::Acknowledged), (3, Answered::Acknowledged)]);
        let judgement = judged(evidence(&[main, chain(1, "a", &twice), hung()]));
        assert_eq!(judgement.verdict, Pass, "{judgement:?}");
    }

    #[test]
    fn deliveries_that_never_come_again_fail() {
        let none = |mailbox, subject| chain(mailbox, subject, &[(0, Answered::Refused(500))]);
        let judgement = judged(evidence(&[none(1, "a"), none(1, "bb"), chain(2, "c", &[(0, Answered::Hung)])]));
        assert_eq!(judgement.verdict, Fail);
        assert!(judgement.actual.contains("status 500"), "{}", judgement.actual);
        // Only those that time out.
        let hung = |subject| chain(2, subject, &[(0, Answered::Hung)]);
        assert_eq!(judged(evidence(&[chain(1, "a", &GOOD), hung("b"), hung("cc")])).verdict, Fail);
    }

    #[test]
    fn one_that_does_not_come_again_may_be_an_accident() {
        let one = chain(1, "bb", &[(0, Answered::Refused(500))]);
        assert_eq!(judged(evidence(&[chain(1, "a", &GOOD), one])).verdict, Inconclusive);
    }

    #[test]
    fn without_a_schedule_or_time_a_missing_attempt_decides_nothing() {
        let none = || vec![chain(1, "a", &[(0, Answered::Refused(500))]), chain(2, "b", &[(0, Answered::Hung)])];
        let mut undeclared = evidence(&none());
        undeclared.declared.redelivery = None;
        assert!(judged(undeclared).details[0].contains("webhook.redelivery"));
        let mut cut = evidence(&none());
        cut.failures.iter_mut().for_each(|failing| failing.cut_short = true);
        assert_eq!(judged(cut).verdict, Inconclusive);
        let mut early = evidence(&none());
        early.failures.iter_mut().for_each(|failing| failing.until_ms = 1_400);
        assert_eq!(judged(early).verdict, Inconclusive);
        // Later attempts are owed only by a declared time.
        let two = [(0, Answered::Refused(500)), (1_000, Answered::Reset)];
        let later = || evidence(&[chain(1, "a", &two), chain(1, "bb", &two)]);
        assert_eq!(judged(later()).verdict, Inconclusive);
        let mut declared = later();
        declared.declared.redelivery.as_mut().unwrap().longest_ms = Some(2_000);
        assert_eq!(judged(declared).verdict, Fail);
    }

    #[test]
    fn another_id_or_other_content_on_an_attempt_fails() {
        let mut renamed = chain(1, "a", &GOOD);
        renamed[1].id = Some("a-2".into());
        // An id that comes twice is kept; the other one is another event's that looks alike.
        assert_eq!(judged(evidence(&[renamed.clone()])).verdict, Pass);
        renamed[2].id = Some("a-3".into());
        assert!(judged(evidence(&[renamed.clone()])).message.contains("another id"));
        let mut undeclared = evidence(&[renamed]);
        undeclared.declared.id = false;
        assert_eq!(judged(undeclared).verdict, Pass);
        let mut changed = chain(1, "a", &GOOD);
        changed[2].content = "else".into();
        let judgement = judged(evidence(&[changed]));
        assert!(judgement.verdict == Fail && judgement.message.contains("other content"));
    }

    #[test]
    fn events_that_look_alike_and_name_no_operation_are_no_storm() {
        let mut thin: Vec<Event> =
            chain(0, "x", &[(0, Answered::Refused(500)), (20, Answered::Reset), (40, Answered::Acknowledged)]);
        for (number, event) in thin.iter_mut().enumerate() {
            (event.facts.subject, event.id) = (None, Some(format!("thin-{number}")));
        }
        let good = chain(1, "a", &GOOD);
        assert_eq!(judged(evidence(&[thin, good])).verdict, Pass);
    }

    #[test]
    fn a_storm_fails_unless_it_is_the_schedule() {
        let storm = [(0, Answered::Refused(500)), (20, Answered::Reset), (40, Answered::Acknowledged)];
        let judgement = judged(evidence(&[chain(1, "a", &storm)]));
        assert!(judgement.verdict == Fail && judgement.actual.contains("20 ms, 20 ms"), "{judgement:?}");
        let mut declared = evidence(&[chain(1, "a", &storm)]);
        declared.declared.redelivery.as_mut().unwrap().first_ms = 50;
        assert_eq!(judged(declared).verdict, Pass);
    }

    #[test]
    fn waits_that_shrink_more_than_chance_makes_them_fail_as_minor() {
        let shrinking = [(0, Answered::Refused(500)), (5_000, Answered::Reset), (6_000, Answered::Acknowledged)];
        let later = shrinking.map(|(at, answered)| (at + 5_000, answered));
        let judgement = judged(evidence(&[chain(1, "a", &shrinking), chain(1, "bb", &later)]));
        assert_eq!((judgement.verdict, judgement.severity), (Fail, Some(Severity::Minor)));
        // What stood still stretched both.
        assert_eq!(judged(evidence(&[chain(1, "a", &shrinking), chain(1, "bb", &shrinking)])).verdict, Pass);
        assert_eq!(judged(evidence(&[chain(1, "a", &shrinking), chain(1, "bb", &GOOD)])).verdict, Pass);
        let hung = [(0, Answered::Hung), (5_000, Answered::Reset), (6_000, Answered::Acknowledged)];
        assert_eq!(judged(evidence(&[chain(1, "a", &hung), chain(1, "bb", &hung)])).verdict, Pass);
    }

    #[test]
    fn signatures_and_timestamps_of_attempts_are_looked_at() {
        let mut invalid = chain(1, "a", &GOOD);
        invalid[1].sealed.as_mut().unwrap().seal = Seal::Invalid { instead: None };
        assert!(judged(evidence(&[invalid])).message.contains("signature"));
        let mut kept = chain(1, "a", &GOOD);
        for event in &mut kept {
            event.sealed = Some(sealed(10));
        }
        let judgement = judged(evidence(&[kept.clone()]));
        assert_eq!((judgement.verdict, judgement.severity), (Fail, Some(Severity::Minor)));
        let mut scheme = evidence(&[kept]);
        scheme.declared.signature.as_mut().unwrap().attempt_timestamp = false;
        assert_eq!(judged(scheme).verdict, Pass);
    }

    #[test]
    fn what_goes_on_after_it_was_acknowledged_fails_as_minor() {
        let main: Vec<_> = (0..3).map(|at| (at * 1_100, Answered::Acknowledged)).collect();
        let judgement = judged(evidence(&[chain(0, "c", &main), chain(1, "a", &GOOD)]));
        assert_eq!((judgement.verdict, judgement.severity), (Fail, Some(Severity::Minor)));
        assert_eq!(judgement.actual, "2 deliveries more");
        let mut late = chain(0, "c", &main);
        for event in &mut late {
            event.late = true;
        }
        assert_eq!(judged(evidence(&[late, chain(1, "a", &GOOD)])).verdict, Pass);
        // Where most do not come again, an acknowledgement was lost or late.
        let others = ["d", "ee"].map(|subject| chain(0, subject, &[(0, Answered::Acknowledged)]));
        let [one, other] = others;
        assert_eq!(judged(evidence(&[chain(0, "c", &main), one, other, chain(1, "a", &GOOD)])).verdict, Pass);
    }

    #[test]
    fn where_nothing_could_be_made_to_fail_nothing_is_decided() {
        assert_eq!(judged(never(2)).verdict, Inconclusive);
        assert_eq!(judged(seen(vec![event(1, "running", 1)])).verdict, Inconclusive);
        let mut refused = evidence(&[]);
        refused.failures.iter_mut().for_each(|failing| failing.unavailable = Some("status 422".into()));
        assert_eq!(judged(refused).message, "status 422");
    }
}
