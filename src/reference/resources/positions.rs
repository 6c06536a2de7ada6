//! `/v1/accounts/{id}/positions`

use http::StatusCode;
use serde_json::Value;

use super::{
    Problem, Reply, books, books_mut, created,
    fields::{self, Fields, settle},
    found, no_parameters, no_row, number,
};
use crate::reference::{
    http::{Call, Query},
    ledger::{Position, Row, instant, reference_value},
    paging::{self, Filter, Listing},
};

const FIELDS: [&str; 5] = ["symbol", "quantity", "market_value", "as_of", "note"];

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/positions"),
        collection: &books(call, &ledger, account)?.positions,
        filters: &["symbol"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Position>, Problem> {
    let mut filter = Filter::all();
    if let Some(symbol) = symbol(query)? {
        filter.and(move |row: &Position| *row.symbol == *symbol);
    }
    Ok(filter)
}

/// The symbol to filter by.
pub(super) fn symbol(query: &Query) -> Result<Option<String>, Problem> {
    match query.get("symbol") {
        Some(text) if !fields::is_symbol(text) => Err(Problem::bad_parameter("symbol", "is not a symbol", text)),
        other => Ok(other.map(str::to_owned)),
    }
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Position>(call, id);
    found(call, books(call, &ledger, account)?.positions.get(number?), id)
}

pub(super) fn create(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    books(call, &ledger, account)?;
    let mut fields = Fields::of(&call.body, String::new());
    let symbol = fields.required("symbol", fields::symbol);
    let quantity = fields.required("quantity", fields::quantity);
    let sent_value = fields.money("market_value");
    let as_of = fields.optional("as_of", fields::date_time).unwrap_or_else(instant::now);
    let note = fields.optional("note", fields::text(140));
    fields.only(&FIELDS);
    let made = symbol.zip(quantity).and_then(|(symbol, quantity)| {
        let market_value = sent_value.or_else(|| reference_value(&symbol, quantity))?;
        Some(Position { id: 0, symbol, quantity, market_value, as_of, note })
    });
    let mut row = settle(made, fields.into_faults(), &call.body)?;
    row.id = ledger.new_id();
    books_mut(call, &mut ledger, account)?.positions.insert(row.clone());
    Ok(created(call, &row))
}

/// JSON Merge Patch (RFC 7396): touches only what it names.
pub(super) fn change(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    let number = number::<Position>(call, id);
    let positions = &mut books_mut(call, &mut ledger, account)?.positions;
    let mut row = positions.get(number?).ok_or_else(|| no_row(id))?.clone();
    let mut fields = Fields::of(&call.body, String::new());
    row.quantity = fields.optional("quantity", fields::quantity).unwrap_or(row.quantity);
    row.market_value = fields.money("market_value").unwrap_or(row.market_value);
    row.as_of = fields.optional("as_of", fields::date_time).unwrap_or(row.as_of);
    match call.body.get("note") {
        Some(Value::Null) => row.note = None,
        Some(_) => row.note = fields.optional("note", fields::text(140)),
        None => {}
    }
    fields.only(&FIELDS[1..]);
    let row = settle(Some(row), fields.into_faults(), &call.body)?;
    positions.update(row.id, |kept| kept.clone_from(&row));
    Ok(Reply::json(StatusCode::OK, &row.render(call.api.ids())))
}

pub(super) fn delete(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    let number = number::<Position>(call, id);
    if !books_mut(call, &mut ledger, account)?.positions.remove(number?) {
        return Err(no_row(id));
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
