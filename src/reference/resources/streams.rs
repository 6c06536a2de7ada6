//! `/v1/streams/restart`, and the market beside its stream: `/v1/market/{symbol}/book` and `/v1/market/{symbol}/burst`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Problem, Reply,
    fields::{Fields, Refusal, settle},
    no_parameters,
};
use crate::reference::{
    http::Call,
    problem::Fault,
    streams::{burst, symbol},
};

/// Most messages of one burst.
const MOST_MESSAGES: u64 = 200_000;
/// Most octets of padding in each.
const MOST_PADDING: u64 = 65_536;

/// Closes the caller's streams.
pub(super) fn restart(call: &Call<'_>) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let closed = call.api.streams.restart(call.principal.tenant);
    Ok(Reply::json(StatusCode::OK, &json!({ "closed": closed })))
}

/// A book as it is now.
pub(super) fn book(call: &Call<'_>, name: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let book = call.api.streams.market.book(name).ok_or_else(|| unknown(name))?;
    Ok(Reply::json(StatusCode::OK, &book))
}

/// Changes a book many times at once; the answer does not wait for it.
pub(super) fn start_burst(call: &Call<'_>, name: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let symbol = symbol(name).ok_or_else(|| unknown(name))?;
    let mut fields = Fields::of(&call.body, String::new());
    let messages = fields.required("messages", |value| between(value, 1, MOST_MESSAGES, "must be 1 to 200000"));
    let padding = fields.optional("padding", |value| between(value, 0, MOST_PADDING, "must be 0 to 65536"));
    fields.only(&["messages", "padding"]);
    let messages = settle(messages, fields.into_faults(), &call.body)?;
    let padding = usize::try_from(padding.unwrap_or(0)).unwrap_or(0);
    let messages_made = u32::try_from(messages).unwrap_or(u32::MAX);
    call.api.tasks.spawn(burst(Arc::clone(call.api), symbol, messages_made, padding));
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "symbol": name, "messages": messages })))
}

fn between(value: &Value, least: u64, most: u64, refusal: Refusal) -> Result<u64, Refusal> {
    value.as_u64().filter(|number| (least..=most).contains(number)).ok_or(refusal)
}

fn unknown(name: &str) -> Problem {
    Problem::new(Fault::RowNotFound, "no book is kept for this symbol").received(name)
}
