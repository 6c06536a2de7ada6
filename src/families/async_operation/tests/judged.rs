//! Verdicts on made evidence, where no server plays it.

use super::*;
use crate::{
    exchange::ExchangeId,
    families::{
        Found, FoundRow,
        async_operation::{
            evidence::{Cancelled, Declared, Ending, Monitor, Operation, Purpose, Reading, ResultSeen, Start},
            webhook::Kind,
        },
    },
    json::Scalar,
    rule::Severity,
};

fn reading(number: u32, word: &str, kind: Kind) -> Reading {
    Reading {
        exchange: Some(ExchangeId(number)),
        sent_ms: u64::from(number) * 100,
        received_ms: u64::from(number) * 100 + 5,
        status: Some(200),
        word: Some(word.into()),
        kind: Some(kind),
        ..Reading::default()
    }
}

fn operation(readings: Vec<Reading>) -> Operation {
    let end = readings.iter().position(|reading| reading.kind.is_some_and(Kind::is_end));
    Operation {
        start: Some(Start { exchange: Some(ExchangeId(1)), status: 202, accepted: true, ..Start::default() }),
        monitor: Monitor::At { target: "/jobs/1".into(), told: "location".into() },
        ending: end.map_or(Ending::Budget, Ending::Ended),
        readings,
        ..Operation::default()
    }
}

fn judged(rule: &str, evidence: Evidence) -> Judgement {
    let judged = ASYNC_OPERATION.rules.iter().find(|judged| judged.rule.id == rule).unwrap();
    (judged.judge)(&AnyEvidence::AsyncOperation(Box::new(evidence)))
}

fn one(operation: Operation) -> Evidence {
    Evidence { operations: vec![operation], ..Evidence::default() }
}

#[test]
fn nothing_seen_decides_nothing() {
    for rule in ASYNC_OPERATION.rules {
        assert_eq!((rule.judge)(&AnyEvidence::None).verdict, Verdict::Inconclusive, "{}", rule.rule.id);
        assert_eq!(judged(rule.rule.id, Evidence::default()).verdict, Verdict::Inconclusive, "{}", rule.rule.id);
    }
}

#[test]
fn what_ran_and_waits_again_twice_is_reported_unless_declared() {
    use Kind::{Queued, Running, Succeeded};
    let seen = |kinds: &[Kind]| {
        operation((2..).zip(kinds).map(|(number, kind)| reading(number, kind.as_str(), *kind)).collect())
    };
    let twice = seen(&[Running, Queued, Queued, Running, Succeeded, Succeeded]);
    let judgement = judged("ASY-003", one(twice.clone()));
    assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Minor)));
    let declared = Declared { retryable: true, ..Declared::default() };
    assert_eq!(judged("ASY-003", Evidence { declared, ..one(twice) }).verdict, Verdict::Pass);
    let once = seen(&[Running, Queued, Running, Succeeded, Succeeded]);
    assert_eq!(judged("ASY-003", one(once)).verdict, Verdict::Pass);
    let unasked = seen(&[Running, Succeeded]);
    assert_eq!(judged("ASY-003", one(unasked)).verdict, Verdict::Inconclusive);
}

#[test]
fn a_version_proves_the_order_of_readings() {
    let seen = |version: &str| {
        let number = |text: &str| Some(Scalar::Number(text.into()));
        let end = Reading { version: number("4"), ..reading(3, "done", Kind::Succeeded) };
        let after = Reading { version: number(version), ..reading(4, "running", Kind::Running) };
        judged("ASY-003", one(operation(vec![end.clone(), after, end])))
    };
    assert_eq!(seen("5").verdict, Verdict::Fail);
    assert_eq!(seen("3").verdict, Verdict::Pass, "a replica that is behind");
}

#[test]
fn a_202_without_a_monitor_is_fine_only_where_callbacks_stand_in() {
    let lost = Operation { monitor: Monitor::Missing, ..operation(Vec::new()) };
    let with = |webhook, monitor| {
        let declared = Declared { monitor, webhook, ..Declared::default() };
        judged("ASY-001", Evidence { declared, ..one(lost.clone()) }).verdict
    };
    assert_eq!(with(false, false), Verdict::Fail);
    assert_eq!(with(true, true), Verdict::Fail);
    assert_eq!(with(true, false), Verdict::NotApplicable);
    let mut done = lost.clone();
    done.start.as_mut().unwrap().status = 201;
    assert_eq!(judged("ASY-001", one(done)).verdict, Verdict::Inconclusive);
}

#[test]
fn a_part_that_remains_is_fine_only_where_it_is_declared() {
    let row = FoundRow { id: "half".into(), exchange: ExchangeId(9), fields: Vec::new() };
    let failed = Operation {
        purpose: Purpose::Failure,
        effects: Some(Found::Rows(vec![row])),
        ..operation(vec![reading(2, "failed", Kind::Failed)])
    };
    let with = |partial| {
        let declared = Declared { partial, failure_status: 200, ..Declared::default() };
        judged("ASY-006", Evidence { declared, ..one(failed.clone()) }).verdict
    };
    assert_eq!((with(false), with(true)), (Verdict::Fail, Verdict::Pass));
}

#[test]
fn what_does_not_fail_in_its_time_is_reported_of_two() {
    let stuck = |purpose| Operation {
        purpose,
        ending: Ending::Overdue,
        ..operation(vec![reading(2, "running", Kind::Running)])
    };
    let declared = Declared { deadline_ms: Some(50), ..Declared::default() };
    let twice = vec![stuck(Purpose::Failure), stuck(Purpose::FailureAgain)];
    let evidence = Evidence { declared, operations: twice, ..Evidence::default() };
    assert_eq!(judged("ASY-006", evidence.clone()).verdict, Verdict::Fail);
    let once = Evidence { operations: evidence.operations[..1].to_vec(), ..evidence };
    assert_eq!(judged("ASY-006", once).verdict, Verdict::Inconclusive);
}

#[test]
fn latency_is_only_told_where_no_deadline_is_declared() {
    let judgement = judged("ASY-004", one(operation(vec![reading(20, "done", Kind::Succeeded)])));
    assert_eq!(judgement.verdict, Verdict::NotApplicable);
    assert!(judgement.message.contains("2.005 s"), "{}", judgement.message);
}

#[test]
fn an_end_told_when_it_was_called_off_holds() {
    let called_off = |word: &str, kind| {
        let readings = vec![
            reading(2, "running", Kind::Running),
            reading(3, "done", Kind::Succeeded),
            reading(4, "done", Kind::Succeeded),
        ];
        let cancelled =
            Cancelled { exchange: Some(ExchangeId(9)), status: Some(200), state: Some((word.into(), kind)) };
        judged("ASY-003", one(Operation { cancelled: Some(cancelled), ..operation(readings) }))
    };
    assert_eq!(called_off("cancelled", Kind::Cancelled).verdict, Verdict::Fail);
    assert_eq!(called_off("cancelling", Kind::Running).verdict, Verdict::Pass);
    assert_eq!(called_off("done", Kind::Succeeded).verdict, Verdict::Pass);
    // What the answer says of itself, and another word for having been called off.
    let ended = |word: &str, kind, told: &str, meaning| {
        let cancelled =
            Cancelled { exchange: Some(ExchangeId(9)), status: Some(200), state: Some((told.into(), meaning)) };
        let readings = vec![reading(2, "running", Kind::Running), reading(3, word, kind), reading(4, word, kind)];
        judged("ASY-003", one(Operation { cancelled: Some(cancelled), ..operation(readings) })).verdict
    };
    assert_eq!(ended("cancelled", Kind::Cancelled, "done", Kind::Succeeded), Verdict::Pass);
    assert_eq!(ended("failed", Kind::Failed, "cancelled", Kind::Cancelled), Verdict::Pass);
}

#[test]
fn a_result_on_the_monitor_alone_does_not_show_that_anything_exists() {
    let succeeded = |inline| {
        let readings = vec![reading(2, "done", Kind::Succeeded)];
        let result =
            ResultSeen { place: Some(Ok("there".into())), outcome: Some(Ok(200)), inline, ..ResultSeen::default() };
        let operation = Operation { result: Some(result), effects: Some(Found::Rows(vec![])), ..operation(readings) };
        judged("ASY-005", one(operation)).verdict
    };
    assert_eq!((succeeded(true), succeeded(false)), (Verdict::Fail, Verdict::Inconclusive));
}
