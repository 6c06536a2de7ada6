//! The rules of asynchronous operations; pure functions of the evidence.

mod access;
mod failure;
mod machine;
mod pace;
mod pointer;
mod preference;
mod result;

use super::{
    evidence::{Ending, Evidence, Monitor, Operation, Purpose},
    webhook::rules::{ASY_008, ASY_009, ASY_010, ASY_011, ASY_012},
};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    pointer::ASY_001,
    access::ASY_002,
    machine::ASY_003,
    pace::ASY_004,
    result::ASY_005,
    failure::ASY_006,
    preference::ASY_007,
    ASY_008,
    ASY_009,
    ASY_010,
    ASY_011,
    ASY_012,
];

/// Most examples that a finding shows.
const EXAMPLES: usize = 8;

/// Hands the evidence to the judge.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    match evidence {
        AnyEvidence::AsyncOperation(evidence) => judge(evidence),
        _ => Judgement::inconclusive("the probe of this check saw nothing"),
    }
}

/// The operations started for a purpose.
fn of(evidence: &Evidence, purpose: Purpose) -> impl Iterator<Item = &Operation> {
    evidence.operations.iter().filter(move |operation| operation.purpose == purpose)
}

/// Why no end of an operation was seen.
fn why(operation: &Operation) -> String {
    let Some(start) = &operation.start else {
        return operation.trouble.as_ref().map_or_else(|| "nothing was started".into(), |(why, _)| why.clone());
    };
    if !start.accepted {
        return format!("the start was answered with status {}", start.status);
    }
    match (&operation.monitor, &operation.ending) {
        (Monitor::Missing, _) => "nothing leads to a monitor".into(),
        (Monitor::Unreadable(why), _) => format!("the monitor cannot be asked: {why}"),
        (Monitor::Elsewhere(url), _) => format!("the monitor is on another origin, {url}"),
        (_, Ending::Overdue) => "the operation went on for twice its deadline".into(),
        (_, Ending::Unreadable) => "the monitor could not be read".into(),
        (_, Ending::Unanswered(why)) => format!("the monitor did not answer: {why}"),
        (_, Ending::Budget | Ending::NotAsked | Ending::Ended(_)) => {
            let word = operation.readings.iter().rev().find(|one| one.kind.is_none()).and_then(|one| one.word.as_ref());
            match word {
                Some(word) => format!("the suite does not say what the state `{word}` means"),
                None => "no end was seen in the time and with the requests that were left (`poll.most`)".into(),
            }
        }
    }
}

/// That nothing is known, for want of an operation that got so far.
fn unseen(evidence: &Evidence) -> Judgement {
    let Some(first) = evidence.operations.first() else {
        return Judgement::inconclusive("the run ended before an operation was started");
    };
    let seen = first.readings.last().and_then(|reading| reading.exchange);
    let trouble = first.trouble.as_ref().and_then(|(_, id)| *id);
    Judgement::inconclusive(why(first)).cite(first.started()).cite(seen).cite(trouble)
}

/// Milliseconds for people: `1.5 s`.
fn seconds(ms: u64) -> String {
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}
