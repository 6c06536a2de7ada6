//! Answers to a request that was carried out before.

use http::{HeaderName, StatusCode};

use super::{answer, publish, store::Known};
use crate::reference::{
    defects::idempotency::{NEW_ID_ON_REPLAY, REPLAY_IS_500, TWO_EVENTS, TWO_POSTINGS},
    http::{Api, Reply},
    ledger::{Ledger, Transfer},
    problem::{Fault, Problem},
    variants::{REPLAY_200, REPLAY_CURRENT},
};

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The stored answer.
pub(super) fn replay(api: &Api, known: &Known) -> Result<Reply, Problem> {
    let is = &api.behaviour;
    if is.has(REPLAY_IS_500) {
        return Err(Problem::new(Fault::Internal, "the request failed unexpectedly"));
    }
    let mut ledger = api.ledger();
    let first = row(&ledger, known);
    if known.replays == 0
        && let Some(first) = &first
    {
        if is.has(TWO_POSTINGS) {
            ledger.post(&known.payment.account, first);
        }
        if is.has(TWO_EVENTS) {
            publish(api, &known.payment, first);
        }
    }
    let mut reply = known.done.reply.clone();
    if let Some(first) = first {
        if is.is(REPLAY_CURRENT) {
            reply = answer(api, &known.payment, &first);
        }
        if is.has(NEW_ID_ON_REPLAY) {
            let made_up = Transfer { id: ledger.new_id(), ..first };
            reply = answer(api, &known.payment, &made_up);
        }
    }
    if is.is(REPLAY_200) {
        reply.status = StatusCode::OK;
    }
    Ok(reply.header(REPLAYED, "true"))
}

/// Changes the amount of what was carried out before: a defect.
pub(super) fn overwrite(api: &Api, known: &Known, minor: i64) -> Result<Reply, Problem> {
    let mut ledger = api.ledger();
    let first = row(&ledger, known).ok_or_else(gone)?;
    ledger.overwrite(&known.payment.account, known.payment.kind, first.id, minor);
    let changed = row(&ledger, known).ok_or_else(gone)?;
    Ok(answer(api, &known.payment, &changed))
}

fn row(ledger: &Ledger, known: &Known) -> Option<Transfer> {
    let books = ledger.books(&known.payment.account, known.payment.principal.tenant)?;
    books.payment(known.payment.kind, known.done.id).cloned()
}

fn gone() -> Problem {
    Problem::new(Fault::Internal, "the request failed unexpectedly")
}
