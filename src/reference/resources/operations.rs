//! `/v1/operations/{id}`: how work that goes on has come along.

use std::time::Duration;

use http::{HeaderName, StatusCode, header};
use serde_json::Value;

use super::{
    Problem, Reply,
    fields::{Fields, settle},
    no_parameters,
};
use crate::reference::{
    defects::async_operation::{
        FAILURE_IS_500, MONITOR_GONE, MONITOR_OPEN_TO_ANYONE, MONITOR_OPEN_TO_RIVAL, PERCENT_FALLS, TERMINAL_FLIPS,
        THROTTLES_POLLING,
    },
    http::{Api, Call},
    operations::{self, NotCancelled, Operation, Status, number},
    problem::Fault,
    variants::{RETRY_AFTER_ZERO, SEE_OTHER, SLOW_MONITOR},
};

/// How long an operation cannot be seen under the slow-monitor variant.
const LAG: Duration = Duration::from_millis(150);

pub(super) fn get(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let api = call.api;
    let is = &api.behaviour;
    let read = |operation: &mut Operation| {
        let own = operation.task.tenant == call.principal.tenant;
        let hidden = is.has(MONITOR_GONE) || is.is(SLOW_MONITOR) && operation.began.elapsed() < LAG;
        if hidden || !own && !is.has(MONITOR_OPEN_TO_RIVAL) && !is.has(MONITOR_OPEN_TO_ANYONE) {
            return None;
        }
        operation.readings += 1;
        let shown = operation.clone();
        if is.has(TERMINAL_FLIPS) && shown.status == Status::Succeeded {
            operation.flip();
        }
        Some(shown)
    };
    let shown = number(id).and_then(|number| api.operations.with(number, read)).flatten();
    let mut shown = shown.ok_or_else(|| unknown(id))?;
    if is.has(THROTTLES_POLLING) && shown.readings.is_multiple_of(3) {
        let problem = Problem::new(Fault::PolledTooFast, "ask for the operation less often");
        return Err(problem.header(header::RETRY_AFTER, "1"));
    }
    if is.has(FAILURE_IS_500) && shown.status == Status::Failed {
        return Err(Problem::new(Fault::Internal, "the request failed unexpectedly"));
    }
    if is.has(PERCENT_FALLS) {
        shown.percent = Some(if shown.readings == 1 { 90 } else { 40 });
    }
    Ok(paced(api, &shown, answer(api, &shown)))
}

/// Where the result is, for those who redirect to it, or else the operation.
fn answer(api: &Api, shown: &Operation) -> Reply {
    match shown.href() {
        Some(href) if api.behaviour.is(SEE_OTHER) => {
            Reply::json(StatusCode::SEE_OTHER, &shown.render()).header(header::LOCATION, &href)
        }
        _ => Reply::json(StatusCode::OK, &shown.render()),
    }
}

/// Says when to ask again, where whole seconds can say it.
pub(super) fn paced(api: &Api, operation: &Operation, reply: Reply) -> Reply {
    let step = api.times.operation_step;
    if operation.status.is_final() {
        return reply;
    }
    if api.behaviour.is(RETRY_AFTER_ZERO) {
        return reply.header(header::RETRY_AFTER, "0");
    }
    if step < Duration::from_secs(1) {
        return reply;
    }
    let seconds = step.as_secs() + u64::from(step.subsec_nanos() > 0);
    reply.header(header::RETRY_AFTER, &seconds.to_string())
}

/// 200 with the operation, cancelled for good.
pub(super) fn cancel(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    if call.body != Value::Null {
        let mut fields = Fields::of(&call.body, String::new());
        fields.only(&[]);
        settle(Some(()), fields.into_faults(), &call.body)?;
    }
    let number = number(id).ok_or_else(|| unknown(id))?;
    match operations::cancel(call.api, number, call.principal.tenant) {
        Ok(operation) => Ok(Reply::json(StatusCode::OK, &operation.render())),
        Err(NotCancelled::Unknown) => Err(unknown(id)),
        Err(NotCancelled::Ended) => {
            Err(Problem::new(Fault::OperationNotCancellable, "the operation has ended; its outcome stands"))
        }
    }
}

/// Another tenant's operation is as absent as one that never was.
fn unknown(id: &str) -> Problem {
    Problem::new(Fault::RowNotFound, "no operation with this id is open to you").received(id)
}

/// The header that leads to an operation.
pub(super) const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");
