//! `/v1/accounts/{id}/order-batches`: many orders at once, placed after the answer.

use std::time::Duration;

use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Problem, Reply, books, created,
    fields::{self, Fields, settle},
    found, no_parameters, number,
    operations::{OPERATION_LOCATION, paced},
    orders, reference,
};
use crate::reference::{
    defects::async_operation::{NO_MONITOR, PREFER_CLAIMED, PREFER_REFUSED},
    http::{Call, Preferences, Query},
    ledger::{Batch, Order},
    operations::{self, Operation, Status, Task},
    paging::{self, Filter, Listing},
    problem::{Fault, FieldFault},
    variants::{CREATED_JOB, OPERATION_LOCATION_HEADER, PREFER_IGNORED},
};

/// Most orders in one batch.
const MOST: usize = 100;
/// How long a caller who would rather wait is kept waiting, at the most.
const PATIENCE: Duration = Duration::from_secs(10);
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/order-batches"),
        collection: &books(call, &ledger, account)?.batches,
        filters: &["reference"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Batch>, Problem> {
    let mut filter = Filter::all();
    if let Some(wanted) = reference(query)? {
        filter.and(move |row: &Batch| *row.reference == *wanted);
    }
    Ok(filter)
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Batch>(call, id);
    found(call, books(call, &ledger, account)?.batches.get(number?), id)
}

/// Accepts a batch, and waits for it if that is preferred.
pub(super) async fn create(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let task = accept(call, account)?;
    let is = &call.api.behaviour;
    if is.has(PREFER_REFUSED) && Preferences::stated(call.headers) {
        return Err(Problem::new(Fault::PreferenceRefused, "this resource takes no preferences"));
    }
    let preferred = if is.is(PREFER_IGNORED) { Preferences::default() } else { Preferences::read(call.headers) };
    let Some(operation) = operations::start(call.api, task) else {
        return Err(Problem::new(Fault::TooManyOperations, "too many operations are going on; nothing was done"));
    };
    let mut applied: Vec<String> = Vec::new();
    applied.extend(preferred.respond_async.then(|| "respond-async".to_owned()));
    let wait = preferred.wait.map(|wait| (wait, format!("wait={}", wait.as_secs())));
    if is.has(PREFER_CLAIMED) {
        // The opposite of what is said: asked not to wait it waits, asked to wait it does not.
        let waits = preferred.respond_async && wait.is_none();
        applied.extend(wait.map(|(_, told)| told));
        let operation = if waits { wait_for(call, operation, PATIENCE).await } else { operation };
        return Ok(prefer(answer(call, account, &operation)?, &applied));
    }
    let Some((wait, told)) = wait else { return Ok(prefer(answer(call, account, &operation)?, &applied)) };
    let operation = wait_for(call, operation, wait.min(PATIENCE)).await;
    if operation.status.is_final() {
        applied = vec![told];
    } else if wait <= PATIENCE {
        applied.push(told);
    }
    Ok(prefer(answer(call, account, &operation)?, &applied))
}

/// The operation when it has ended, or as it is when that takes too long, nobody is left to hear of it, or the API stops.
async fn wait_for(call: &Call<'_>, operation: Operation, most: Duration) -> Operation {
    let ended = call.api.stop.run_until_cancelled(operation.end.cancelled());
    let _ = tokio::time::timeout(most, call.lost.run_until_cancelled(ended)).await;
    call.api.operations.with(operation.number(), |now| now.clone()).unwrap_or(operation)
}

/// The batch, if the operation has ended, or else where to ask for it.
fn answer(call: &Call<'_>, account: &str, operation: &Operation) -> Result<Reply, Problem> {
    if operation.status == Status::Failed {
        return Err(Problem::new(Fault::OrderRejected, "an order was rejected; nothing was placed"));
    }
    let ledger = call.api.ledger();
    let batch = operation.batch().and_then(|number| books(call, &ledger, account).ok()?.batches.get(number));
    Ok(batch.map_or_else(|| accepted(call, operation), |batch| created(call, batch)))
}

/// 202, and where to follow what becomes of it (RFC 9110 §15.3.3).
fn accepted(call: &Call<'_>, operation: &Operation) -> Reply {
    let is = &call.api.behaviour;
    if is.has(NO_MONITOR) {
        return Reply::json(StatusCode::ACCEPTED, &json!({ "status": operation.status.name() }));
    }
    let reply = if is.is(CREATED_JOB) {
        Reply::json(StatusCode::CREATED, &operation.render())
    } else {
        let pace = u64::try_from(call.api.times.operation_step.as_millis()).unwrap_or(u64::MAX);
        let body = json!({ "id": operation.id(), "status": operation.status.name(), "poll_after_ms": pace });
        Reply::json(StatusCode::ACCEPTED, &body)
    };
    let name = if is.is(OPERATION_LOCATION_HEADER) { OPERATION_LOCATION } else { header::LOCATION };
    paced(call.api, operation, reply.header(name, &operation.location()))
}

/// Says which preferences were honoured (RFC 7240 §3).
fn prefer(reply: Reply, applied: &[String]) -> Reply {
    if applied.is_empty() { reply } else { reply.header(PREFERENCE_APPLIED, &applied.join(", ")) }
}

fn accept(call: &Call<'_>, account: &str) -> Result<Task, Problem> {
    no_parameters(call)?;
    books(call, &call.api.ledger(), account)?;
    let mut fields = Fields::of(&call.body, String::new());
    let reference = fields.required("reference", fields::text(64));
    let sent = fields.required("orders", batch).unwrap_or_default();
    fields.only(&["reference", "orders"]);
    let mut faults = fields.into_faults();
    let orders = read(&sent, &mut faults);
    let tenant = call.principal.tenant;
    let task = reference.map(|reference| Task { tenant, account: account.to_owned(), reference, orders });
    settle(task, faults, &call.body)
}

fn batch(value: &Value) -> Result<Vec<Value>, fields::Refusal> {
    let items = value.as_array().filter(|items| (1..=MOST).contains(&items.len()));
    items.cloned().ok_or("must be an array of 1 to 100 orders")
}

fn read(sent: &[Value], faults: &mut Vec<FieldFault>) -> Vec<Order> {
    let mut read = Vec::new();
    for (index, item) in sent.iter().enumerate() {
        let (order, mut wrong) = orders::read(item, format!("/orders/{index}"));
        read.extend(order);
        faults.append(&mut wrong);
    }
    read
}
