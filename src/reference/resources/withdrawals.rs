//! `/v1/accounts/{id}/withdrawals`: money out of the API's sight, once per idempotency key.

use super::{Problem, Reply, books, found, no_parameters, number, reference};
use crate::reference::{
    http::{Call, Query},
    ledger::Withdrawal,
    paging::{self, Filter, Listing},
};

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/withdrawals"),
        collection: &books(call, &ledger, account)?.withdrawals,
        filters: &["reference"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Withdrawal>, Problem> {
    let mut filter = Filter::all();
    if let Some(wanted) = reference(query)? {
        filter.and(move |row: &Withdrawal| *row.0.instruction.reference == *wanted);
    }
    Ok(filter)
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Withdrawal>(call, id);
    found(call, books(call, &ledger, account)?.withdrawals.get(number?), id)
}
