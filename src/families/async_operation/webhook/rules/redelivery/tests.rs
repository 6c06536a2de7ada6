//! Verdicts on made deliveries.

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
