//! `/v1/accounts/{id}/balance`: the cash of an account.

use http::StatusCode;
use serde_json::json;

use super::{Problem, Reply, books, no_parameters};
use crate::reference::{http::Call, ledger::Currency};

pub(super) fn get(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let cash = books(call, &ledger, account)?.cash;
    let balance = json!({ "amount": cash.to_string(), "currency": Currency::CASH.code() });
    Ok(Reply::json(StatusCode::OK, &json!({ "balance": balance })))
}
