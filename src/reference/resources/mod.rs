//! The resources of the API, one file each.

mod accounts;
mod balance;
mod batches;
mod fields;
mod limited;
mod operations;
mod orders;
mod positions;
mod statements;
mod streams;
mod transactions;
mod transfers;
mod webhooks;
mod withdrawals;

pub(super) use limited::drain;

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    http::{Call, Query, Reply, Route},
    ledger::{Books, Ids, Ledger, PaymentKind, Row},
    problem::{Fault, Problem},
};

/// Answers a request whose method the resource takes.
pub(super) async fn answer(call: &Call<'_>, route: Route<'_>, method: &Method) -> Result<Reply, Problem> {
    let is_post = method == Method::POST;
    match route {
        Route::Health => Ok(health()),
        Route::Accounts => accounts::list(call),
        Route::Account(account) => accounts::get(call, account),
        Route::Positions(account) if is_post => positions::create(call, account),
        Route::Positions(account) => positions::list(call, account),
        Route::Position(account, id) if method == Method::PATCH => positions::change(call, account, id),
        Route::Position(account, id) if method == Method::DELETE => positions::delete(call, account, id),
        Route::Position(account, id) => positions::get(call, account, id),
        Route::Transactions(account) if is_post => transactions::create(call, account),
        Route::Transactions(account) => transactions::list(call, account),
        Route::Transaction(account, id) => transactions::get(call, account, id),
        Route::Orders(account) if is_post => orders::create(call, account),
        Route::Orders(account) => orders::list(call, account),
        Route::Order(account, id) if method == Method::DELETE => orders::cancel(call, account, id),
        Route::Order(account, id) => orders::get(call, account, id),
        Route::OrderBatches(account) if is_post => batches::create(call, account).await,
        Route::OrderBatches(account) => batches::list(call, account),
        Route::OrderBatch(account, id) => batches::get(call, account, id),
        Route::Transfers(account) if is_post => transfers::create(call, account, PaymentKind::Transfer).await,
        Route::Transfers(account) => transfers::list(call, account),
        Route::Transfer(account, id) => transfers::get(call, account, id),
        Route::Withdrawals(account) if is_post => transfers::create(call, account, PaymentKind::Withdrawal).await,
        Route::Withdrawals(account) => withdrawals::list(call, account),
        Route::Withdrawal(account, id) => withdrawals::get(call, account, id),
        Route::Balance(account) => balance::get(call, account),
        Route::Statements(account) => statements::list(call, account),
        Route::Limited(kind, endpoint) => limited::get(call, kind, endpoint).await,
        Route::LimitedNotes(kind) => limited::create(call, kind).await,
        Route::Notes => limited::list(call),
        Route::Note(id) if method == Method::DELETE => limited::delete(call, id),
        Route::Note(id) => limited::note(call, id),
        Route::Operation(id) => operations::get(call, id),
        Route::Cancellation(id) => operations::cancel(call, id),
        Route::Webhooks => webhooks::create(call),
        Route::Webhook(id) if method == Method::DELETE => webhooks::delete(call, id),
        Route::Webhook(id) => webhooks::get(call, id),
        Route::StreamsRestart => streams::restart(call),
        Route::Book(symbol) => streams::book(call, symbol),
        Route::BookBurst(symbol) => streams::start_burst(call, symbol),
        // Opened before anything is read of a request, so this cannot be: streams are no resources.
        Route::Stream(_) => Err(Problem::new(Fault::UpgradeRequired, "open a WebSocket here")),
    }
}

/// Says that the API is up.
pub(super) fn health() -> Reply {
    Reply::json(StatusCode::OK, &json!({ "status": "up" }))
}

/// The rows of an account; another tenant's account is as absent as one that never was.
fn books<'a>(call: &Call<'_>, ledger: &'a Ledger, account: &str) -> Result<&'a Books, Problem> {
    ledger.books(account, call.principal.tenant).ok_or_else(|| no_account(account))
}

/// The same, to write to.
fn books_mut<'a>(call: &Call<'_>, ledger: &'a mut Ledger, account: &str) -> Result<&'a mut Books, Problem> {
    ledger.books_mut(account, call.principal.tenant).ok_or_else(|| no_account(account))
}

fn no_account(account: &str) -> Problem {
    Problem::new(Fault::AccountNotFound, "no account with this id is open to you").received(account)
}

fn no_row(id: &str) -> Problem {
    Problem::new(Fault::RowNotFound, "this account has nothing with this id").received(id)
}

/// The number in a path's id.
fn number<R: Row>(call: &Call<'_>, id: &str) -> Result<u32, Problem> {
    call.api.ids().parse(R::PREFIX, id).ok_or_else(|| no_row(id))
}

/// 200 with the row.
fn found<R: Row>(call: &Call<'_>, row: Option<&R>, id: &str) -> Result<Reply, Problem> {
    let row = row.ok_or_else(|| no_row(id))?;
    Ok(Reply::json(StatusCode::OK, &row.render(call.api.ids())))
}

/// 201 with the row and where it is from now on (RFC 9110 §15.3.2).
fn created<R: Row>(call: &Call<'_>, row: &R) -> Reply {
    let ids: Ids = call.api.ids();
    let location = format!("{}/{}", call.path, ids.segment(R::PREFIX, row.key().id));
    Reply::json(StatusCode::CREATED, &row.render(ids)).header(header::LOCATION, &location)
}

/// Refuses query parameters where none are known.
fn no_parameters(call: &Call<'_>) -> Result<(), Problem> {
    call.query.only(&[])
}

/// The reference that is asked for.
fn reference(query: &Query) -> Result<Option<String>, Problem> {
    let Some(text) = query.get("reference") else { return Ok(None) };
    let fits = (1..=64).contains(&text.chars().count());
    let refused = || Problem::bad_parameter("reference", "must have 1 to 64 characters", text);
    fits.then(|| Some(text.to_owned())).ok_or_else(refused)
}

/// What was sent, for the defects that repeat it.
fn sent(body: &Value) -> String {
    body.to_string()
}
