//! ASY-005: success yields one result, and it is what was asked for.

use rust_decimal::Decimal;

use super::{
    super::{
        evidence::{Compared, Evidence, Operation, Purpose, ResultSeen},
        webhook::Kind,
    },
    on, seconds, unseen,
};
use crate::{
    families::{Found, JudgedRule},
    json::Scalar,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_005: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-005",
        slug: "success-without-its-result",
        family: "async_operation",
        title: "What succeeded has exactly one result, as asked for",
        sent: "After an operation has succeeded its result is asked for, and what exists of its reference is looked up.",
        requirement: "The result can be read within the time things take to settle; it says what was asked for and what \
                      the monitor says; exactly one thing exists of the reference.",
        not_applicable: "The suite says neither where the result is nor how what was made is found.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "AIP-151; RFC 9110 §15.4.4; what handling orders and payments demands",
        remedy: "Make the result and the operation's success in one transaction, once, keyed by the operation.",
        defects: &["async.result-missing", "async.result-differs", "async.two-results"],
    },
    judge: |evidence| on(evidence, yields),
};

fn yields(evidence: &Evidence) -> Judgement {
    let good = [Purpose::Success, Purpose::Again];
    let succeeded: Vec<&Operation> = evidence
        .operations
        .iter()
        .filter(|one| good.contains(&one.purpose) && one.ended() == Some(Kind::Succeeded))
        .collect();
    let Some(first) = succeeded.first() else {
        let end = evidence.operations.iter().find(|one| good.contains(&one.purpose) && one.ended().is_some());
        return match end {
            Some(one) => {
                let kind = one.ended().map_or("", Kind::as_str);
                Judgement::inconclusive(format!("the operation that should succeed ended {kind}"))
                    .cite(one.started())
                    .cite(one.end().and_then(|end| end.exchange))
            }
            None => unseen(evidence),
        };
    };
    if let Some(judgement) = succeeded.iter().find_map(|one| wrong(evidence, one)) {
        return judgement;
    }
    if let Some(judgement) = succeeded.iter().find_map(|one| doubt(one)) {
        return judgement;
    }
    let looked = (first.result.is_some(), first.effects.is_some());
    let message = match looked {
        (true, true) => "the result is there and as asked for, and nothing beside it",
        (true, false) => "the result is there and as asked for",
        (false, true) => "exactly one thing exists of the operation",
        (false, false) => return Judgement::inconclusive("the run ended before the result was looked at"),
    };
    cited(Judgement::pass(message), first)
}

fn cited(judgement: Judgement, operation: &Operation) -> Judgement {
    judgement
        .cite(operation.started())
        .cite(operation.end().and_then(|end| end.exchange))
        .cite(operation.result.as_ref().and_then(|result| result.exchange))
        .cite(operation.effects.iter().flat_map(Found::exchanges))
}

fn wrong(evidence: &Evidence, operation: &Operation) -> Option<Judgement> {
    if let Some(result) = &operation.result
        && let Some(judgement) = missing(result).or_else(|| differs(result))
    {
        return Some(cited(judgement, operation));
    }
    match operation.effects.as_ref().and_then(Found::ids) {
        Some(ids) if ids.len() > 1 => {
            let judgement = Judgement::fail("one operation made more than one thing")
                .expected(format!("one with the reference {}", operation.reference))
                .actual(format!("{}: {}", ids.len(), ids.iter().take(5).copied().collect::<Vec<_>>().join(", ")));
            Some(cited(judgement, operation))
        }
        // Where the result itself can be read, a listing that lacks it may only be late.
        Some(ids)
            if ids.is_empty()
                && operation
                    .result
                    .as_ref()
                    .is_none_or(|result| result.inline || !matches!(result.outcome, Some(Ok(200..=299)))) =>
        {
            let judgement = Judgement::fail("an operation succeeded, and nothing exists of it")
                .expected(format!("one thing with the reference {}", operation.reference))
                .actual(format!("none within {}", seconds(evidence.declared.settle_ms)));
            Some(cited(judgement, operation))
        }
        _ => None,
    }
}

/// A result that is not there, for as long as it may take to settle.
pub(super) fn missing(result: &ResultSeen) -> Option<Judgement> {
    let Some(Ok(status)) = result.outcome else { return None };
    if matches!(status, 200..=399 | 429 | 503) {
        return None;
    }
    let place = result.place.as_ref().and_then(|place| place.as_deref().ok()).unwrap_or("the result");
    Some(
        Judgement::fail("an operation succeeded, and its result cannot be read")
            .expected(format!("200 for {place}"))
            .actual(format!("status {status} for {}", seconds(result.waited_ms))),
    )
}

fn differs(result: &ResultSeen) -> Option<Judgement> {
    let wrong: Vec<&Compared> = result
        .compared
        .iter()
        .filter(|one| match (&one.expected, &one.actual) {
            (Some(expected), Some(actual)) => !equal(expected, actual),
            (Some(_), None) => true,
            (None, _) => false,
        })
        .collect();
    let first = wrong.first()?;
    let shown = |value: Option<&Scalar>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let who = first
        .monitor
        .as_ref()
        .map_or_else(|| "as was asked for".to_owned(), |path| format!("as the monitor says at {path}"));
    let mut judgement = Judgement::fail("the result is not what it should be")
        .expected(format!("{} at {}, {who}", shown(first.expected.as_ref()), first.path))
        .actual(shown(first.actual.as_ref()));
    for other in &wrong[1..] {
        let (expected, actual) = (shown(other.expected.as_ref()), shown(other.actual.as_ref()));
        judgement = judgement.detail(format!("{}: {actual} in place of {expected}", other.path));
    }
    Some(judgement)
}

/// Why nothing is decided, if so.
fn doubt(operation: &Operation) -> Option<Judgement> {
    let result = operation.result.as_ref();
    let why = match result.map(|result| (&result.place, &result.outcome)) {
        Some((Some(Err(why)), _)) => Some(why.clone()),
        Some((_, Some(Err(why)))) => Some(format!("the result could not be read: {why}")),
        Some((_, Some(Ok(status @ (300..=399 | 429 | 503))))) => {
            Some(format!("the result was answered with status {status}"))
        }
        Some((_, None)) => Some("the result was not asked for".into()),
        _ => None,
    };
    let unknown = || {
        let lacks = result?.compared.iter().find(|one| one.expected.is_none())?;
        let path = lacks.monitor.as_deref().unwrap_or("the suite's own value");
        Some(format!("the monitor has nothing at {path} that {} could agree with", lacks.path))
    };
    let listed = || match operation.effects.as_ref()? {
        Found::Unseen(why, _) => Some(format!("what exists of it could not be looked up: {why}")),
        Found::Rows(rows) if rows.is_empty() => {
            Some("the result can be read, but the lookup does not find it in time".into())
        }
        Found::Rows(_) => None,
    };
    let why = why.or_else(unknown).or_else(listed)?;
    Some(cited(Judgement::inconclusive(why), operation))
}

/// Whether two values are the same: as text, or as numbers whatever their spelling.
fn equal(one: &Scalar, other: &Scalar) -> bool {
    let plain = |value: &Scalar| match value {
        Scalar::Text(text) | Scalar::Number(text) => Some(text.clone()),
        Scalar::Bool(is) => Some(is.to_string()),
        Scalar::Null => Some("null".to_owned()),
        Scalar::Composite => None,
    };
    let (Some(one), Some(other)) = (plain(one), plain(other)) else { return false };
    let number = |text: &str| text.parse::<Decimal>().ok();
    one == other || number(&one).is_some_and(|value| number(&other) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly_whatever_their_spelling() {
        let text = |text: &str| Scalar::Text(text.into());
        let number = |text: &str| Scalar::Number(text.into());
        assert!(equal(&text("2"), &number("2")) && equal(&text("10.0"), &number("10.00")));
        assert!(equal(&text("true"), &Scalar::Bool(true)) && equal(&text("a"), &text("a")));
        assert!(!equal(&text("0.1"), &number("0.10000000000000001")));
        assert!(!equal(&text("a"), &text("A")) && !equal(&text("x"), &Scalar::Composite));
    }
}
