//! One operation that should succeed and one that should fail, and what is left of them.

use std::time::Duration;

use super::{
    super::evidence::{Access, Cancelled, Operation, Purpose},
    flow::{Flow, Run, value},
    result,
};
use crate::{
    exchange::{Failure, Reply, Request, Who},
    families::{Found, PlannedCheck},
    json::Scalar,
};

/// How often the monitor is asked after the end.
pub(in crate::families::async_operation) const AFTER_END: usize = 5;
/// How often what exists is looked up, at most.
pub(in crate::families::async_operation) const LOOKUPS: u32 = 4;

/// Has an operation done that should succeed.
pub(super) async fn success(flow: Flow<'_>, plan: &PlannedCheck, purpose: Purpose) -> Operation {
    let mut run = flow.run(purpose).await;
    if plan.wants("ASY-002") && purpose == Purpose::Success {
        others(flow, &mut run).await;
    }
    if run.operation.ended().is_some() {
        result::look(flow, &mut run).await;
        if plan.wants("ASY-003") {
            flow.ask_again(&mut run, AFTER_END).await;
        }
        if plan.wants("ASY-005") {
            run.operation.effects = effects(flow, &run).await;
        }
        if plan.wants("ASY-003") && purpose == Purpose::Success {
            run.operation.cancelled_late = cancel(flow, &run).await;
            if run.operation.cancelled_late.is_some() {
                flow.ask_again(&mut run, 2).await;
            }
        }
    }
    undo(flow, &run).await;
    run.operation
}

/// Has an operation done that should fail, if the suite has one.
pub(super) async fn failure(flow: Flow<'_>, purpose: Purpose) -> Option<Operation> {
    let failing = flow.config.failing.as_ref()?;
    let mut run = flow.start(&failing.start, purpose).await;
    flow.follow(&mut run).await;
    if run.operation.ended().is_some() {
        result::look(flow, &mut run).await;
        flow.ask_again(&mut run, 2).await;
    }
    if run.operation.is_accepted() {
        run.operation.effects = effects(flow, &run).await;
    }
    undo(flow, &run).await;
    Some(run.operation)
}

/// Asks for a monitor without credentials and as another principal.
async fn others(flow: Flow<'_>, run: &mut Run) {
    let Some(own) = run.ask.clone() else { return };
    if !run.operation.readings.iter().any(super::super::evidence::Reading::is_success) {
        return;
    }
    let mut who = Vec::new();
    if own.who != Who::Anonymous {
        who.push((Who::Anonymous, "ask for the monitor without credentials"));
    }
    if let Some(other) = &flow.config.other_client {
        who.push((Who::Client(other.clone()), "ask for the monitor as another principal"));
    }
    for (who, purpose) in who {
        let mut access =
            Access { client: who.name().to_owned(), anonymous: who == Who::Anonymous, ..Access::default() };
        match flow.session.send(Request { who, ..own.clone() }.purpose(purpose)).await {
            Ok(reply) => {
                access.exchange = Some(reply.id);
                access.outcome = Some(Ok(reply.status));
                access.shows = reply.is_success() && shows(flow, run, &reply);
            }
            Err(Failure { message, id, .. }) => {
                access.exchange = id;
                access.outcome = Some(Err(message));
            }
        }
        run.operation.access.push(access);
    }
}

/// Whether an answer shows the operation: a state, its id, or what our own client was shown.
fn shows(flow: Flow<'_>, run: &Run, reply: &Reply) -> bool {
    let word = value(&reply.body, &flow.config.state.path);
    let state = word.as_ref().and_then(Scalar::text).is_some_and(|word| flow.config.state.means(word).is_some());
    let body = String::from_utf8_lossy(&reply.body);
    let named = [run.operation.id.as_ref(), Some(&run.operation.reference)];
    let named = named.into_iter().flatten().any(|name| name.len() >= 4 && body.contains(name.as_str()));
    let same = !reply.body.is_empty() && run.last.as_ref().is_some_and(|last| last.body == reply.body);
    state || named || same
}

/// Calls an operation off.
pub(super) async fn cancel(flow: Flow<'_>, run: &Run) -> Option<Cancelled> {
    let call = flow.config.cancel.as_ref()?;
    let own = flow.config.client.as_deref();
    let request = call.build(call.who(own), &run.values, "call the operation off").ok()?;
    Some(match flow.session.send(request).await {
        Ok(reply) => {
            let answer = flow.answer(&reply);
            Cancelled { exchange: Some(reply.id), status: Some(reply.status), state: answer.state }
        }
        Err(failure) => Cancelled { exchange: failure.id, ..Cancelled::default() },
    })
}

/// What exists of an operation. What should exist may take a while to be seen; what should not may turn up late, or be
/// taken back.
pub(super) async fn effects(flow: Flow<'_>, run: &Run) -> Option<Found> {
    let find = flow.config.effects.as_ref()?;
    let own = flow.config.client.as_deref();
    let reference = &run.operation.reference;
    let settle = flow.config.settle.0;
    if matches!(run.operation.purpose, Purpose::Failure | Purpose::FailureAgain | Purpose::Cancel) {
        flow.session.pause(settle).await;
        return Some(find.find(flow.session, own, &run.values, reference, &[]).await);
    }
    let mut found = find.find(flow.session, own, &run.values, reference, &[]).await;
    for _ in 1..LOOKUPS {
        if found.ids().is_some_and(|ids| !ids.is_empty()) || flow.session.stopping() {
            break;
        }
        flow.session.pause((settle / (LOOKUPS - 1)).max(Duration::from_millis(1))).await;
        found = find.find(flow.session, own, &run.values, reference, &[]).await;
    }
    Some(found)
}

/// Takes back what an operation made, where the suite says how and the run knows enough.
pub(super) async fn undo(flow: Flow<'_>, run: &Run) {
    let Some(call) = flow.config.undo.as_ref().filter(|_| run.operation.is_accepted()) else { return };
    let mut values = run.values.clone();
    if let Some(id) = run.operation.result.as_ref().and_then(|result| result.id.clone()) {
        values.insert("result".into(), id);
    }
    let own = flow.config.client.as_deref();
    if let Ok(request) = call.build(call.who(own), &values, "take back what the operation made") {
        let _ = flow.session.undo(request).await;
    }
}
