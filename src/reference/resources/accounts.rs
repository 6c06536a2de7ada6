//! `/v1/accounts`

use super::{Problem, Reply, no_account, no_parameters};
use crate::reference::{
    http::Call,
    ledger::{Account, Collection, Row},
    paging::{self, Filter, Listing, Style},
};
use http::StatusCode;

/// The caller's accounts.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let tenant = call.principal.tenant;
    let own = ledger.accounts.rows().iter().filter(|account| account.tenant == tenant).copied();
    let collection = Collection::seeded(own.collect());
    let listing =
        Listing { name: "accounts".to_owned(), collection: &collection, filters: &[], filter: |_| Ok(Filter::all()) };
    paging::list(call, &listing, Style::Envelope)
}

/// One of them.
pub(super) fn get(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let own = |other: &&Account| other.tenant == call.principal.tenant && other.id() == account;
    let found = ledger.accounts.rows().iter().find(own).ok_or_else(|| no_account(account))?;
    Ok(Reply::json(StatusCode::OK, &found.render(call.api.ids())))
}
