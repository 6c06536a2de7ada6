//! The work of an operation: all orders of a batch are placed, or none.

use super::{Operation, Status};
use crate::reference::{
    defects::async_operation::{HALF_EFFECT, HIDDEN_FAILURE, RESULT_DIFFERS, RESULT_MISSING, TWO_RESULTS},
    http::Api,
    ledger::{Batch, Order, Row, instant},
};

/// A well-formed symbol that nothing can be bought or sold by: a way to see an operation fail.
const UNTRADABLE: &str = "FAIL";

/// Does the work; the operation then has the status that is returned.
pub(super) fn reach(api: &Api, operation: &mut Operation) -> Status {
    let is = &api.behaviour;
    let rejected = |order: &Order| &*order.symbol == UNTRADABLE;
    let mut orders = operation.task.orders.clone();
    if orders.iter().any(rejected) {
        if is.has(HIDDEN_FAILURE) {
            pretend(api, operation);
            return Status::Succeeded;
        }
        if is.has(HALF_EFFECT) {
            orders.retain(|order| !rejected(order));
            place(api, operation, orders);
        }
        return Status::Failed;
    }
    if is.has(RESULT_MISSING) {
        pretend(api, operation);
        return Status::Succeeded;
    }
    if is.has(RESULT_DIFFERS) {
        orders.pop();
    }
    if is.has(TWO_RESULTS) {
        place(api, operation, orders.clone());
    }
    match place(api, operation, orders) {
        Some(id) => {
            name(api, operation, id);
            Status::Succeeded
        }
        None => Status::Failed,
    }
}

/// Writes a batch down; none if the account is gone.
fn place(api: &Api, operation: &Operation, orders: Vec<Order>) -> Option<u32> {
    let task = &operation.task;
    let mut ledger = api.ledger();
    let id = ledger.new_id();
    let books = ledger.books_mut(&task.account, task.tenant)?;
    let reference = task.reference.clone();
    books.batches.insert(Batch { id, reference, operation: operation.id(), orders, created_at: instant::now() });
    Some(id)
}

/// Names a result that nobody will find: only defects do.
fn pretend(api: &Api, operation: &mut Operation) {
    let id = api.ledger().new_id();
    name(api, operation, id);
}

fn name(api: &Api, operation: &mut Operation, id: u32) {
    let ids = api.ids();
    operation.result = Some((id, ids.value(Batch::PREFIX, id), ids.segment(Batch::PREFIX, id)));
}
