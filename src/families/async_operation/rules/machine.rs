//! ASY-003: a state is left in one direction, and an end never.

use rust_decimal::Decimal;

use super::{
    super::{
        evidence::{Evidence, Operation, Purpose, Reading},
        webhook::Kind,
    },
    EXAMPLES, on, unseen,
};
use crate::{
    families::{Found, JudgedRule},
    json::Scalar,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_003: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-003",
        slug: "state-went-back",
        family: "async_operation",
        title: "A state is left in one direction, and an end never",
        sent: "Operations are followed to their end, and their monitors are asked several times more; one is called off \
               while it goes on, and again afterwards.",
        requirement: "An end is never left. What runs does not wait again, unless that is declared; progress does not \
                      shrink. One odd reading of a replica that is behind is allowed. What was called off ends \
                      cancelled, or as it would have, but never succeeds once that was answered with cancelled; of \
                      what ended cancelled nothing exists, where that is declared.",
        not_applicable: "The suite says nothing of states.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "AIP-151; Azure REST guidelines (operation status); what handling orders and payments demands",
        remedy: "Make the change to an end one guarded write that no later one can undo, and keep progress beside it.",
        defects: &["async.terminal-flips", "async.percent-falls", "async.cancelled-executes"],
    },
    judge: |evidence| on(evidence, one_way),
};

fn one_way(evidence: &Evidence) -> Judgement {
    let seen: Vec<&Operation> =
        evidence.operations.iter().filter(|one| one.readings.iter().any(|reading| reading.kind.is_some())).collect();
    for operation in &seen {
        if let Some(judgement) =
            end_left(operation).or_else(|| told_otherwise(operation)).or_else(|| took_effect(operation))
        {
            return judgement;
        }
    }
    for operation in &seen {
        let back = (!evidence.declared.retryable).then(|| went_back(operation)).flatten();
        if let Some(judgement) = back.or_else(|| shrank(operation, evidence.declared.retryable)) {
            return judgement;
        }
    }
    let readings = evidence.operations.iter().flat_map(|one| &one.readings);
    if let Some((word, reading)) =
        readings.filter(|one| one.kind.is_none()).find_map(|one| one.word.as_ref().map(|word| (word, one)))
    {
        return Judgement::inconclusive(format!("the suite does not say what the state `{word}` means"))
            .detail("add it to `state`")
            .cite(reading.exchange);
    }
    let ended: Vec<&&Operation> = seen.iter().filter(|one| one.end().is_some()).collect();
    let Some(first) = ended.first() else { return unseen(evidence) };
    let after = first.end().map_or(0, |end| first.readings.iter().filter(|one| one.sent_ms > end.sent_ms).count());
    if after == 0 {
        return Judgement::inconclusive("no monitor was asked after the end")
            .cite(first.end().and_then(|end| end.exchange));
    }
    let mut judgement =
        Judgement::pass(format!("no state was left backwards, no end within {after} readings after it"));
    for operation in ended {
        if let Some(cancelled) = &operation.cancelled {
            let status = cancelled.status.map_or_else(|| "no answer".into(), |status| format!("status {status}"));
            let end = operation.ended().map_or("unknown", Kind::as_str);
            judgement =
                judgement.detail(format!("calling off: {status}, and the end was {end}")).cite(cancelled.exchange);
        }
        judgement = judgement.cite(operation.end().and_then(|end| end.exchange));
    }
    judgement
}

/// An end that was left: for another end twice, for none twice in a row, or provably later.
fn end_left(operation: &Operation) -> Option<Judgement> {
    let known: Vec<(&Reading, Kind)> =
        operation.readings.iter().filter_map(|reading| Some((reading, reading.kind?))).collect();
    let at = known.iter().position(|(_, kind)| kind.is_end())?;
    let (end, kind) = known[at];
    let later = &known[at + 1..];
    let other_end: Vec<&Reading> =
        later.iter().filter(|(_, next)| next.is_end() && *next != kind).map(|(reading, _)| *reading).collect();
    let in_a_row = later.windows(2).find(|two| two.iter().all(|(_, next)| !next.is_end()));
    let proven = later.iter().find(|(reading, next)| *next != kind && is_newer(reading, end));
    let (seen, what) = if other_end.len() >= 2 {
        (other_end, "an operation that had ended ended otherwise")
    } else if let Some(two) = in_a_row {
        (two.iter().map(|(reading, _)| *reading).collect(), "an operation that had ended went on")
    } else {
        (vec![proven?.0], "an operation that had ended changed its state")
    };
    let all = std::iter::once(end).chain(seen.iter().copied()).take(EXAMPLES);
    let mut judgement = Judgement::fail(what)
        .expected(format!("{} for good", kind.as_str()))
        .actual(seen.iter().filter_map(|one| one.word.as_deref()).take(2).collect::<Vec<_>>().join(", "));
    for reading in all {
        judgement = judgement.detail(reading.line()).cite(reading.exchange);
    }
    Some(judgement)
}

/// Success, although calling off was answered with `cancelled`. A word of success in that answer may be about the answer
/// itself, and that what was called off failed is one way to say that it was.
fn told_otherwise(operation: &Operation) -> Option<Judgement> {
    let cancelled = operation.cancelled.as_ref()?;
    let (word, _) = cancelled.state.as_ref().filter(|(_, told)| *told == Kind::Cancelled)?;
    let end = operation.end().filter(|end| end.kind == Some(Kind::Succeeded))?;
    let accepted = cancelled.status.is_some_and(|status| (200..300).contains(&status));
    accepted.then(|| {
        Judgement::fail("an operation that was said to be cancelled when it was called off succeeded")
            .expected("cancelled for good")
            .actual(format!("{word} in the answer to calling it off, and success on the monitor"))
            .detail(end.line())
            .cite(cancelled.exchange)
            .cite(end.exchange)
    })
}

/// What exists of an operation that ended cancelled, looked for only where nothing may.
fn took_effect(operation: &Operation) -> Option<Judgement> {
    let ids = operation.effects.as_ref()?.ids()?;
    let cancelled = operation.purpose == Purpose::Cancel && operation.ended() == Some(Kind::Cancelled);
    (cancelled && !ids.is_empty()).then(|| {
        Judgement::fail("an operation that ended cancelled took effect nevertheless")
            .expected(format!("nothing with the reference {}", operation.reference))
            .actual(format!("{}: {}", ids.len(), ids.iter().take(5).copied().collect::<Vec<_>>().join(", ")))
            .cite(operation.end().and_then(|end| end.exchange))
            .cite(operation.effects.iter().flat_map(Found::exchanges))
    })
}

/// What ran and waits again, twice in a row.
fn went_back(operation: &Operation) -> Option<Judgement> {
    let known: Vec<&Reading> = operation.readings.iter().filter(|reading| reading.kind.is_some()).collect();
    let ran = known.iter().position(|reading| reading.kind == Some(Kind::Running))?;
    let waits = |reading: &&Reading| reading.kind == Some(Kind::Queued);
    let two = known[ran..].windows(2).find(|two| two.iter().all(waits))?;
    let mut judgement = Judgement::fail("an operation that ran waits again")
        .severity(Severity::Minor)
        .expected("running, or an end")
        .expected("waiting again, where `state.retryable` is declared")
        .actual(two.iter().filter_map(|one| one.word.as_deref()).collect::<Vec<_>>().join(", "));
    for reading in [&known[ran]].into_iter().chain(two) {
        judgement = judgement.detail(reading.line()).cite(reading.exchange);
    }
    Some(judgement)
}

/// Progress that is smaller than it was, twice in a row or provably later.
fn shrank(operation: &Operation, retryable: bool) -> Option<Judgement> {
    let mut most: Option<(Decimal, &Reading)> = None;
    let mut below: Option<&Reading> = None;
    for reading in &operation.readings {
        match reading.kind {
            // A new attempt may begin anew; what did not succeed has no progress to speak of.
            Some(Kind::Queued) if retryable => (most, below) = (None, None),
            Some(Kind::Queued | Kind::Running | Kind::Succeeded) => {}
            _ => continue,
        }
        let Some(next) = reading.progress.as_ref().and_then(|text| number(text)) else { continue };
        match most {
            Some((before, first)) if next < before => {
                if below.is_some() || is_newer(reading, first) {
                    let mut judgement = Judgement::fail("the progress of an operation shrank")
                        .severity(Severity::Minor)
                        .expected(format!("{before} or more"))
                        .actual(next.to_string());
                    for reading in [Some(first), below, Some(reading)].into_iter().flatten() {
                        judgement = judgement.detail(reading.line()).cite(reading.exchange);
                    }
                    return Some(judgement);
                }
                below = Some(reading);
            }
            _ => (most, below) = (Some((next, reading)), None),
        }
    }
    None
}

/// Whether a version proves that a reading shows a later state than another.
fn is_newer(reading: &Reading, than: &Reading) -> bool {
    match (&reading.version, &than.version) {
        (Some(Scalar::Number(next)), Some(Scalar::Number(before))) => match (number(next), number(before)) {
            (Some(next), Some(before)) => next > before,
            _ => false,
        },
        (Some(Scalar::Text(next)), Some(Scalar::Text(before))) => {
            let instant = |text: &str| text.parse::<jiff::Timestamp>().ok();
            match (instant(next), instant(before)) {
                (Some(next), Some(before)) => next > before,
                _ => false,
            }
        }
        _ => false,
    }
}

/// A number as written, such as `40`, `0.4` or `40%`.
fn number(text: &str) -> Option<Decimal> {
    text.trim().trim_end_matches('%').trim_end().parse().ok()
}
