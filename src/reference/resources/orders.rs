//! `/v1/accounts/{id}/orders`

use http::StatusCode;
use serde_json::Value;

use super::{
    Problem, Reply, books, books_mut, created,
    fields::{self, Fields, settle},
    found, no_parameters, no_row, number, positions,
};
use crate::reference::{
    http::{Call, Query},
    ledger::{Order, OrderKind, OrderStatus, Side, TimeInForce, instant},
    paging::{self, Filter, Listing},
    problem::{Fault, FieldFault},
};

const FIELDS: [&str; 7] = ["symbol", "side", "type", "quantity", "limit_price", "time_in_force", "client_reference"];

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/orders"),
        collection: &books(call, &ledger, account)?.orders,
        filters: &["status", "symbol"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Order>, Problem> {
    let mut filter = Filter::all();
    if let Some(text) = query.get("status") {
        let refused = || Problem::bad_parameter("status", "must be one of open, partially_filled, filled", text);
        let status = OrderStatus::parse(text).ok_or_else(refused)?;
        filter.and(move |row: &Order| row.status == status);
    }
    if let Some(symbol) = positions::symbol(query)? {
        filter.and(move |row: &Order| *row.symbol == *symbol);
    }
    Ok(filter)
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Order>(call, id);
    found(call, books(call, &ledger, account)?.orders.get(number?), id)
}

pub(super) fn create(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    books(call, &ledger, account)?;
    let (made, faults) = read(&call.body, String::new());
    let mut row = settle(made, faults, &call.body)?;
    row.id = ledger.new_id();
    books_mut(call, &mut ledger, account)?.orders.insert(row.clone());
    call.api.streams.publish(call.principal.tenant, account, &row, false, call.api.ids());
    Ok(created(call, &row))
}

/// An order that stands at a pointer, or what is wrong with it.
pub(super) fn read(body: &Value, at: String) -> (Option<Order>, Vec<FieldFault>) {
    let mut fields = Fields::of(body, at);
    let symbol = fields.required("symbol", fields::symbol);
    let side = fields.required("side", fields::word(Side::parse, "must be buy or sell"));
    let quantity = fields.required("quantity", fields::positive_quantity);
    let is_limit = |kind: &str| ["market", "limit"].contains(&kind).then_some(kind == "limit");
    let is_limit = fields.required("type", fields::word(is_limit, "must be market or limit"));
    let price = fields.money("limit_price");
    let kind = match (is_limit, body.get("limit_price")) {
        (Some(true), None) => {
            fields.refuse("limit_price", "is required for a limit order");
            None
        }
        (Some(false), Some(_)) => {
            fields.refuse("limit_price", "must be absent from a market order");
            None
        }
        (Some(false), None) => Some(OrderKind::Market),
        _ => price.map(OrderKind::Limit),
    };
    let force = fields.optional("time_in_force", fields::word(TimeInForce::parse, "must be day or gtc"));
    let client_reference = fields.optional("client_reference", fields::text(36));
    fields.only(&FIELDS);
    let made = symbol.zip(side).zip(quantity.zip(kind)).map(|((symbol, side), (quantity, kind))| Order {
        id: 0,
        symbol,
        side,
        kind,
        quantity,
        time_in_force: force.unwrap_or(TimeInForce::Day),
        client_reference,
        status: OrderStatus::Open,
        created_at: instant::now(),
    });
    (made, fields.into_faults())
}

/// Cancels an order, which takes it off the list; what is filled stays filled.
pub(super) fn cancel(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    let number = number::<Order>(call, id);
    let orders = &mut books_mut(call, &mut ledger, account)?.orders;
    let number = number?;
    match orders.get(number).cloned() {
        None => Err(no_row(id)),
        Some(order) if order.status == OrderStatus::Filled => {
            Err(Problem::new(Fault::OrderNotCancellable, "the order is filled"))
        }
        Some(order) => {
            orders.remove(number);
            call.api.streams.publish(call.principal.tenant, account, &order, true, call.api.ids());
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
    }
}
