//! `/v1/accounts/{id}/transactions`: a ledger, so rows are added and never changed or deleted.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Problem, Reply, books, books_mut, created,
    fields::{self, Fields, settle},
    found, no_parameters, number, reference,
};
use crate::reference::{
    http::{Call, Query},
    ledger::{Currency, Row, Transaction, TransactionKind, Words, instant},
    paging::{self, Filter, Listing},
    problem::FieldFault,
};

/// Most rows in one bulk request.
const MOST: usize = 1_000;
const KINDS: &str = "must be one of deposit, withdrawal, buy, sell, dividend, fee, interest";

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/transactions"),
        collection: &books(call, &ledger, account)?.transactions,
        filters: &["type", "currency", "reference", "from", "to"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Transaction>, Problem> {
    let mut filter = Filter::all();
    if let Some(text) = query.get("type") {
        let kind = TransactionKind::parse(text).ok_or_else(|| Problem::bad_parameter("type", KINDS, text))?;
        filter.and(move |row: &Transaction| row.kind == kind);
    }
    if let Some(text) = query.get("currency") {
        let refused = || Problem::bad_parameter("currency", "must be one of USD, EUR, GBP, CHF, JPY", text);
        let currency = Currency::parse(text).ok_or_else(refused)?;
        filter.and(move |row: &Transaction| row.amount.currency == currency);
    }
    if let Some(wanted) = reference(query)? {
        filter.and(move |row: &Transaction| row.reference() == Some(&*wanted));
    }
    let edge = |name| match query.get(name) {
        None => Ok(None),
        Some(text) => instant::parse(text)
            .map(Some)
            .ok_or_else(|| Problem::bad_parameter(name, "must be an RFC 3339 date and time with a zone", text)),
    };
    filter.from = edge("from")?;
    filter.to = edge("to")?;
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from > to
    {
        return Err(Problem::bad_parameter("to", "must not lie before from", query.get("to").unwrap_or_default()));
    }
    Ok(filter)
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Transaction>(call, id);
    found(call, books(call, &ledger, account)?.transactions.get(number?), id)
}

/// Adds one row, or all rows of `{"data": [...]}` or none.
pub(super) fn create(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut ledger = call.api.ledger();
    books(call, &ledger, account)?;
    let now = instant::now();
    if call.body.get("data").is_none() {
        let (made, faults) = read(&call.body, String::new(), now);
        let mut row = settle(made, faults, &call.body)?;
        row.id = ledger.new_id();
        books_mut(call, &mut ledger, account)?.transactions.insert(row.clone());
        return Ok(created(call, &row));
    }
    let mut rows = bulk(&call.body, now)?;
    for row in &mut rows {
        row.id = ledger.new_id();
        books_mut(call, &mut ledger, account)?.transactions.insert(row.clone());
    }
    let data: Vec<Value> = rows.iter().map(|row| row.render(call.api.ids())).collect();
    Ok(Reply::json(StatusCode::CREATED, &json!({ "data": data })))
}

fn bulk(body: &Value, now: i64) -> Result<Vec<Transaction>, Problem> {
    let mut outer = Fields::of(body, String::new());
    let items = body["data"].as_array().filter(|items| (1..=MOST).contains(&items.len()));
    if items.is_none() {
        outer.refuse("data", "must be an array of 1 to 1000 transactions");
    }
    outer.only(&["data"]);
    let mut faults = outer.into_faults();
    let mut rows = Vec::new();
    for (index, item) in items.into_iter().flatten().enumerate() {
        let (made, mut wrong) = read(item, format!("/data/{index}"), now);
        rows.extend(made);
        faults.append(&mut wrong);
    }
    settle(Some(rows), faults, body)
}

fn read(body: &Value, at: String, now: i64) -> (Option<Transaction>, Vec<FieldFault>) {
    let mut fields = Fields::of(body, at);
    let kind = fields.required("type", fields::word(TransactionKind::parse, KINDS));
    let amount = fields.required_money("amount");
    if amount.is_some_and(|amount| amount.minor == 0) {
        fields.refuse("amount", "must not be zero");
    }
    let booked_at = fields.optional("booked_at", fields::date_time).unwrap_or(now);
    let description = fields.optional("description", fields::text(140));
    let words = description.map(|text| Box::new(Words { description: Some(text), reference: None }));
    fields.only(&["type", "amount", "booked_at", "description"]);
    let made = kind.zip(amount).map(|(kind, amount)| Transaction { booked_at, amount, words, id: 0, kind });
    (made, fields.into_faults())
}
