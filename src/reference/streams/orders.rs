//! Orders as the stream tells of them.

use serde_json::{Value, json};

use crate::reference::{
    ledger::{Ids, Ledger, Order, OrderStatus, Row},
    tokens::Tenant,
};

/// How many of the last orders a snapshot looks at.
const LAST: usize = 200;

/// An order, after a change that may have cancelled it.
pub(super) fn render(account: &str, order: &Order, cancelled: bool, ids: Ids) -> Value {
    let mut value = json!({
        "id": ids.value(Order::PREFIX, order.id),
        "account": account,
        "status": if cancelled { "cancelled" } else { order.status.name() },
        "version": if cancelled { 2 } else { 1 },
        "reference": order.client_reference,
    });
    if let (Value::Object(terms), Some(members)) = (order.terms(), value.as_object_mut()) {
        members.extend(terms.into_iter().filter(|(name, _)| name != "client_reference"));
    }
    value
}

/// Those of a tenant's last orders that are still open, oldest first.
pub(super) fn snapshot(ledger: &Ledger, tenant: Tenant, ids: Ids) -> Value {
    let books = ledger.all_books(tenant);
    let mut orders: Vec<(&str, &Order)> = books
        .flat_map(|(account, books)| books.orders.rows().iter().rev().take(LAST).map(move |order| (account, order)))
        .collect();
    orders.sort_by_key(|(_, order)| order.key());
    let last = orders.len().saturating_sub(LAST);
    let open = orders[last..].iter().filter(|(_, order)| order.status != OrderStatus::Filled);
    open.map(|(account, order)| render(account, order, false, ids)).collect()
}
