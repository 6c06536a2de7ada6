//! ASY-004: an operation ends in its time, and asking at the advertised pace is allowed.

use super::{
    super::evidence::{Evidence, Operation, Pace, Purpose, Reading},
    EXAMPLES, of, on, seconds, unseen,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_004: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-004",
        slug: "late-or-unaskable-operation",
        family: "async_operation",
        title: "An operation ends in its time and may be asked for at the pace it tells",
        sent: "The monitor is asked no sooner than it tells (Retry-After), or than the suite declares, until the end; \
               where that is late or refused, a second operation is followed alone, with a second more between.",
        requirement: "The end comes within the declared time, of one of two operations at least. Asking at the told or \
                      declared pace is not refused with 429, of both.",
        not_applicable: "The suite declares no deadline, and nothing says how often the monitor may be asked.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "Azure REST guidelines (status monitor, Retry-After); RFC 9110 §10.2.3",
        remedy: "Tell with Retry-After how often a monitor may be asked and allow that; end what takes too long as failed.",
        defects: &["async.never-ends", "async.throttles-polling"],
    },
    judge: |evidence| on(evidence, in_time),
};

fn in_time(evidence: &Evidence) -> Judgement {
    let first: Vec<&Operation> = of(evidence, Purpose::Success).collect();
    let second: Vec<&Operation> = of(evidence, Purpose::Again).collect();
    let asked = |one: &&Operation| !one.readings.is_empty();
    if !first.iter().any(asked) {
        return unseen(evidence);
    }
    let anyone: Option<&Reading> = evidence
        .operations
        .iter()
        .filter(|one| one.purpose != Purpose::Again)
        .flat_map(|one| &one.readings)
        .find(|reading| reading.is_throttled());
    let alone = second.iter().flat_map(|one| &one.readings).find(|reading| reading.is_throttled());
    if let (Some(before), Some(again)) = (anyone, alone) {
        return throttled(before, again);
    }
    let late = |operations: &[&Operation]| -> Option<Judgement> {
        let deadline = evidence.declared.deadline_ms?;
        operations.iter().find_map(|one| one.overdue(deadline).map(|reading| overdue(deadline, one, reading)))
    };
    if let (Some(judgement), Some(again)) = (late(&first), late(&second)) {
        return judgement.cite(again.exchanges);
    }
    if let Some(reading) = anyone.or(alone) {
        let why = if second.is_empty() { "there was no time for a second operation" } else { "not of the other" };
        return Judgement::inconclusive(format!(
            "asking at the told pace was refused with 429 for one operation; {why}"
        ))
        .detail(reading.line())
        .cite(reading.exchange);
    }
    if late(&first).is_some() && second.is_empty() {
        return Judgement::inconclusive("an operation was late, and there was no time for a second one")
            .cite(first.iter().filter_map(|one| one.started()));
    }
    let ended: Vec<&&Operation> = first.iter().chain(&second).filter(|one| one.end().is_some()).collect();
    let Some(one) = ended.last() else { return unseen(evidence) };
    let took = one.end().map_or(0, |end| one.since(end.received_ms));
    let cite = |judgement: Judgement| judgement.cite(one.started()).cite(one.end().and_then(|end| end.exchange));
    let Some(deadline) = evidence.declared.deadline_ms else {
        let told = one.readings.iter().filter(|reading| reading.pace != Pace::Own).count();
        let message = format!("the end was seen after {}", seconds(took));
        return cite(if told == 0 {
            Judgement::not_applicable(format!("{message}; no deadline and no pace is declared"))
        } else {
            Judgement::pass(format!("{message}, and asking {told} times at the told pace was allowed"))
                .detail("the suite declares no `deadline`")
        });
    };
    let message = format!("the end was seen after {}, {} were allowed", seconds(took), seconds(deadline));
    let judgement = Judgement::pass(message);
    cite(if late(&first).is_some() {
        judgement.detail("the first operation was late, the second was not")
    } else {
        judgement
    })
}

fn throttled(before: &Reading, again: &Reading) -> Judgement {
    let pace = match again.pace {
        Pace::Told(ms) => format!("asked {} after an answer that told so, and a second more", seconds(ms)),
        _ => "asked no faster than the suite declares (`poll.interval`)".into(),
    };
    Judgement::fail("asking for an operation at the allowed pace is refused, twice")
        .expected("no 429 at the pace that Retry-After tells, or else the suite declares")
        .actual("status 429")
        .detail(pace)
        .cite(before.exchange)
        .cite(again.exchange)
}

fn overdue(deadline: u64, operation: &Operation, reading: &Reading) -> Judgement {
    let mut judgement = Judgement::fail("two operations went on after the declared time")
        .expected(format!("an end within {}", seconds(deadline)))
        .actual(format!(
            "{} after {}",
            reading.word.as_deref().unwrap_or("no end"),
            seconds(operation.since(reading.sent_ms))
        ))
        .cite(operation.started())
        .cite(reading.exchange);
    let start = operation.readings.len().saturating_sub(EXAMPLES);
    for reading in &operation.readings[start..] {
        judgement = judgement.detail(format!("{} after {}", reading.line(), seconds(operation.since(reading.sent_ms))));
    }
    judgement
}
