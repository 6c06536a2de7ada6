//! ASY-006: a failure is told as one, and leaves nothing behind.

use super::{
    super::{
        evidence::{Ending, Evidence, Operation, Purpose, Reading},
        webhook::Kind,
    },
    of, on, result, seconds, why,
};
use crate::{
    families::{Found, JudgedRule},
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const ASY_006: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-006",
        slug: "failure-hidden-or-half-done",
        family: "async_operation",
        title: "What failed says so and leaves nothing behind",
        sent: "An operation is started that is accepted and fails; its monitor is followed, and what exists of its \
               reference is looked up after the time that things take to settle.",
        requirement: "The monitor answers with the declared status, the state failed, and a code and message where the \
                      suite says. Nothing exists of it, unless what remains is declared to be told.",
        not_applicable: "The suite names no operation that fails.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "AIP-151 (errors); Azure REST guidelines (error of an operation); what handling orders and payments demands",
        remedy: "Do the work in one transaction, keep the reason with the operation, and answer its monitor with 200.",
        defects: &["async.failure-is-500", "async.half-effect", "async.hidden-failure"],
    },
    judge: |evidence| on(evidence, told),
};

fn told(evidence: &Evidence) -> Judgement {
    let Some(first) = of(evidence, Purpose::Failure).next() else {
        return Judgement::inconclusive("the run ended before the operation that fails was started");
    };
    let cite = |judgement: Judgement| cited(judgement, first);
    let Some(start) = &first.start else { return cite(Judgement::inconclusive(why(first))) };
    if !start.accepted {
        let message = format!("the operation that should fail later was refused at once, with status {}", start.status);
        return cite(
            Judgement::inconclusive(message).detail("that is right where nothing was begun; name another one"),
        );
    }
    match (first.ended(), &first.ending) {
        (Some(Kind::Failed), _) => failed(evidence, first),
        (Some(Kind::Succeeded), _) => succeeded(first),
        (Some(kind), _) => cite(Judgement::inconclusive(format!("the operation ended {}", kind.as_str()))),
        (None, Ending::Unreadable) => unreadable(evidence, first),
        (None, Ending::Overdue) => stuck(evidence, first),
        (None, _) => cite(Judgement::inconclusive(why(first))),
    }
}

fn cited(judgement: Judgement, operation: &Operation) -> Judgement {
    let last = operation.end().or(operation.readings.last());
    judgement
        .cite(operation.started())
        .cite(last.and_then(|reading| reading.exchange))
        .cite(operation.effects.iter().flat_map(Found::exchanges))
}

fn failed(evidence: &Evidence, operation: &Operation) -> Judgement {
    let cite = |judgement: Judgement| cited(judgement, operation);
    let declared = &evidence.declared;
    let Some(end) = operation.end() else { return cite(Judgement::inconclusive("the end was not seen")) };
    if let Some(Found::Rows(rows)) = &operation.effects
        && let Some(row) = rows.first()
        && !declared.partial
    {
        return cite(
            Judgement::fail("an operation failed, and something exists of it")
                .expected(format!("nothing with the reference {}", operation.reference))
                .expected("a part that the monitor tells of, declared with `failing.partial`")
                .actual(format!("{} within it, such as {}", rows.len(), row.id)),
        );
    }
    if end.status.is_some_and(|status| status != declared.failure_status) {
        return cite(
            Judgement::fail("a failed operation is told with an unexpected status of the monitor")
                .expected(format!("status {}", declared.failure_status))
                .actual(format!("status {}", end.status.unwrap_or_default())),
        );
    }
    let parts = [("code", &declared.code, &end.error.0), ("message", &declared.message, &end.error.1)];
    let lacking: Vec<String> = parts
        .iter()
        .filter_map(|(what, path, seen)| {
            let path = path.as_ref().filter(|_| seen.is_none())?;
            Some(format!("no {what} at {path}"))
        })
        .collect();
    if !lacking.is_empty() {
        return cite(
            Judgement::fail("a failed operation does not say why")
                .expected("a code and a message where the suite says")
                .actual(lacking.join(", ")),
        );
    }
    match &operation.effects {
        Some(Found::Unseen(why, _)) => {
            cite(Judgement::inconclusive(format!("what exists of it could not be looked up: {why}")))
        }
        // A lookup that finds nothing at all proves nothing.
        Some(Found::Rows(_)) if !lookup_works(evidence) => {
            cite(Judgement::inconclusive("nothing exists of it, but the lookup does not find what succeeded either"))
        }
        Some(Found::Rows(_)) => cite(Judgement::pass("the failure is told with its reason, and nothing exists of it")),
        None => cite(
            Judgement::pass("the failure is told with its reason")
                .detail("the suite does not say how what exists is found (`effects`)"),
        ),
    }
}

/// Whether something that succeeded was found, where that was tried.
fn lookup_works(evidence: &Evidence) -> bool {
    let found = evidence.operations.iter().filter(|one| one.ended() == Some(Kind::Succeeded));
    let mut looked = found.filter_map(|one| one.effects.as_ref()).peekable();
    looked.peek().is_none() || looked.any(|found| found.ids().is_some_and(|ids| !ids.is_empty()))
}

/// Told as a success: hidden if nothing came of it, and the wrong example if something did.
fn succeeded(operation: &Operation) -> Judgement {
    let cite =
        |judgement: Judgement| cited(judgement, operation).cite(operation.result.iter().filter_map(|r| r.exchange));
    let nothing = operation.effects.as_ref().and_then(Found::ids).is_some_and(|ids| ids.is_empty());
    let missing = operation.result.as_ref().and_then(result::missing).is_some();
    if missing || nothing && operation.result.as_ref().is_none_or(|seen| !matches!(seen.outcome, Some(Ok(200..=299)))) {
        return cite(
            Judgement::fail("an operation that could not be done is told as a success")
                .expected("the state failed, with the reason")
                .actual(if missing {
                    "success, with a result that is not there"
                } else {
                    "success, and nothing exists"
                }),
        );
    }
    cite(Judgement::inconclusive("the operation that should fail succeeded; name another one"))
}

fn unreadable(evidence: &Evidence, operation: &Operation) -> Judgement {
    let cite = |judgement: Judgement| cited(judgement, operation);
    let status = operation.readings.last().and_then(|reading| reading.status).unwrap_or_default();
    // Where monitors of other operations cannot be read either, this is no matter of failing.
    let others = evidence.operations.iter().filter(|one| one.purpose == Purpose::Success);
    let readable = others.flat_map(|one| &one.readings).any(Reading::is_success)
        || operation.readings.iter().any(Reading::is_success);
    if !readable {
        return cite(Judgement::inconclusive(why(operation)));
    }
    let times = operation.readings.iter().rev().take_while(|reading| !reading.is_success()).count();
    cite(
        Judgement::fail("the monitor of an operation that fails cannot be read")
            .expected(format!("status {}, the state failed, and the reason", evidence.declared.failure_status))
            .actual(format!("status {status}, {times} times in a row")),
    )
}

fn stuck(evidence: &Evidence, operation: &Operation) -> Judgement {
    let again = of(evidence, Purpose::FailureAgain).find(|one| one.ending == Ending::Overdue);
    let Some(again) = again else {
        return cited(
            Judgement::inconclusive("the operation that should fail went on, and was not tried twice"),
            operation,
        );
    };
    cited(
        Judgement::fail("an operation that cannot be done goes on for ever, twice")
            .expected("the state failed, within the declared time")
            .actual(format!(
                "still going on {} after its start",
                seconds(2 * evidence.declared.deadline_ms.unwrap_or(0))
            )),
        operation,
    )
    .cite(again.started())
    .cite(again.readings.last().and_then(|reading| reading.exchange))
}
