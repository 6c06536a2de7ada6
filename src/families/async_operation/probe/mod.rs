//! Has operations succeed, fail and be called off, side by side, and notes what their monitors say.
//!
//! What may be chance or our own haste is repeated afterwards, alone and more slowly: being late, and being refused for
//! asking too often.

mod cancel;
mod ends;
mod flow;
mod followed;
mod monitor;
mod prefer;
mod result;

use futures_util::future::join5;

use self::flow::{LONG_GUARD, millis};
pub(super) use self::{
    ends::{AFTER_END, LOOKUPS},
    flow::Flow,
    prefer::{STARTS, preferences},
    result::TRIES,
};
use super::{
    config::Config,
    evidence::{Declared, Ending, Evidence, Operation, Purpose, Reading},
    webhook,
};
use crate::families::{PlannedCheck, Session};

/// The rules for which an operation is had done that should succeed.
pub(super) const FOLLOWING: [&str; 5] = ["ASY-001", "ASY-002", "ASY-003", "ASY-004", "ASY-005"];

/// Drives the traffic that the plan wants and returns what was seen.
pub(super) async fn probe(config: &Config, session: &dyn Session, plan: &PlannedCheck) -> Evidence {
    let flow = Flow::new(session, config);
    let following = plan.wants_any(&FOLLOWING) || plan.wants("ASY-006");
    let success = async { if following { Some(ends::success(flow, plan, Purpose::Success).await) } else { None } };
    let failure = async { if plan.wants("ASY-006") { ends::failure(flow, Purpose::Failure).await } else { None } };
    let cancel = async { if plan.wants("ASY-003") { cancel::cancel(flow).await } else { None } };
    let prefer = async { if plan.wants("ASY-007") { prefer::prefer(flow).await } else { Vec::new() } };
    let callbacks = callbacks(config, session, plan);
    let (success, failure, cancel, preferences, webhook) = join5(success, failure, cancel, prefer, callbacks).await;
    let mut operations: Vec<Operation> = [success, failure, cancel].into_iter().flatten().collect();
    // Alone, so that nothing else counts against the same limit and nothing else keeps the target busy.
    let slow = Flow { guard: LONG_GUARD, ..flow };
    let of = |purpose: Purpose| operations.iter().find(move |one| one.purpose == purpose);
    let throttled = operations.iter().flat_map(|one| &one.readings).any(Reading::is_throttled);
    let mut again = Vec::new();
    if plan.wants("ASY-004") && (throttled || of(Purpose::Success).is_some_and(|one| is_late(one, config))) {
        again.push(ends::success(slow, plan, Purpose::Again).await);
    }
    let stuck = of(Purpose::Failure).is_some_and(|one| one.ending == Ending::Overdue);
    let ends = of(Purpose::Success).is_some_and(|one| one.end().is_some());
    if plan.wants("ASY-006") && stuck && ends {
        again.extend(ends::failure(slow, Purpose::FailureAgain).await);
    }
    operations.extend(again);
    Evidence { declared: declared(config), operations, preferences, cut_short: session.stopping(), webhook }
}

/// Whether an operation was seen to go on after its deadline.
fn is_late(operation: &Operation, config: &Config) -> bool {
    config.deadline.is_some_and(|deadline| operation.overdue(millis(deadline.0)).is_some())
}

async fn callbacks(config: &Config, session: &dyn Session, plan: &PlannedCheck) -> Option<webhook::Evidence> {
    let webhook = config.webhook.as_ref()?;
    if !webhook::RULES.iter().any(|judged| plan.wants(judged.rule.id)) {
        return None;
    }
    let operations = followed::Started { config };
    let wants = |rule: &str| plan.wants(rule);
    let context =
        webhook::Context { webhook, client: config.client.as_deref(), operations: &operations, wants: &wants };
    Some(webhook::probe(session, context).await)
}

fn declared(config: &Config) -> Declared {
    let failing = config.failing.as_ref();
    let path = |path: Option<&crate::json::Path>| path.map(ToString::to_string);
    Declared {
        deadline_ms: config.deadline.map(|span| millis(span.0)),
        settle_ms: millis(config.settle.0),
        paced: config.poll.is_some(),
        monitor: config.monitor.is_declared(),
        webhook: config.webhook.is_some(),
        signed: config.monitor.signed,
        elsewhere: config.monitor.elsewhere,
        retryable: config.state.retryable,
        partial: failing.is_some_and(|failing| failing.partial),
        failure_status: failing.map_or(200, |failing| failing.status),
        code: path(failing.and_then(|failing| failing.error.code.as_ref())),
        message: path(failing.and_then(|failing| failing.error.message.as_ref())),
        prefer: config.prefer.clone(),
    }
}
