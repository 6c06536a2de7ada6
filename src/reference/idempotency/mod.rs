//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a payment is carried out once per key.
//!
//! `key` reads the header, `scope` says what a key belongs to, `store` remembers what became of it, `replay` answers a
//! repeated request. Requests that change something outlive the connection they came by (see `http/service.rs`), so the work
//! is done, and remembered, even if nobody is left to hear of it. A request that is refused before the work begins leaves its key unused.

mod key;
mod replay;
mod scope;
mod store;

pub(super) use key::{Key, read};
pub(super) use store::Store;

use std::sync::Arc;

use super::{
    defects::idempotency::{
        FORGETS_AFTER_CUT, IGNORED, SECOND_BODY_EXECUTED, SECOND_BODY_OVERWRITES, SECOND_BODY_REPLAYED, STUCK_AFTER_CUT,
    },
    events::Event,
    http::{Api, Call, Reply},
    ledger::{Instruction, PaymentKind, Transfer, instant},
    problem::{Fault, Problem},
    tokens::Principal,
    variants::{MISMATCH_400, MISMATCH_409, NATURAL_DUPLICATE, REPLAY_CURRENT, WAITS_WHILE_RUNNING},
};
use http::{StatusCode, header};
use scope::Scope;
use store::{Begun, Claim, Known};

/// A payment that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) principal: Principal,
    /// The account that pays.
    pub(super) account: String,
    /// Where it was asked for: operation and account.
    pub(super) path: String,
    pub(super) kind: PaymentKind,
    pub(super) instruction: Instruction,
}

/// What became of a payment.
#[derive(Debug, Clone)]
struct Done {
    /// Number of the row.
    id: u32,
    /// The answer as it was first given.
    reply: Reply,
}

/// Carries out a payment, or answers as it was answered before; without a key there is no protection.
pub(super) async fn carry_out(call: &Call<'_>, key: Option<Key>, payment: Payment) -> Result<Reply, Problem> {
    let api = call.api;
    let is = &api.behaviour;
    let payment = Arc::new(payment);
    let Some(key) = key.filter(|_| !is.has(IGNORED) && !is.is(NATURAL_DUPLICATE)) else {
        return work(call, None, payment).await;
    };
    let scope = Scope::of(key, &payment, is);
    let mut waits = is.is(WAITS_WHILE_RUNNING);
    loop {
        match api.keys.begin(&scope, &payment, is, &api.times) {
            Begun::New(claim) => return work(call, Some(claim), payment).await,
            Begun::Done(known) => return replay::replay(api, &known),
            Begun::Mismatch(known) => return mismatch(call, payment, known).await,
            Begun::Running(mut done) if waits => {
                // Ends when the work does; if nothing is known even then, nothing ever will be.
                let _ = done.changed().await;
                waits = false;
            }
            Begun::Running(_) => {
                let detail = "the first request with this key is still being processed; ask again";
                return Err(Problem::new(Fault::IdempotencyInProgress, detail));
            }
            Begun::Full => {
                let detail = "no more keys can be remembered; nothing was done";
                return Err(Problem::new(Fault::IdempotencyStoreFull, detail));
            }
        }
    }
}

/// A key that comes again with another body.
async fn mismatch(call: &Call<'_>, payment: Arc<Payment>, known: Option<Known>) -> Result<Reply, Problem> {
    let api = call.api;
    let is = &api.behaviour;
    if is.has(SECOND_BODY_EXECUTED) {
        return work(call, None, payment).await;
    }
    if let Some(known) = known {
        if is.has(SECOND_BODY_REPLAYED) {
            return replay::replay(api, &known);
        }
        if is.has(SECOND_BODY_OVERWRITES) {
            return replay::overwrite(api, &known, payment.instruction.amount.minor);
        }
    }
    let fault = if is.is(MISMATCH_409) {
        Fault::IdempotencyKeyConflict
    } else if is.is(MISMATCH_400) {
        Fault::IdempotencyKeyMisused
    } else {
        Fault::IdempotencyKeyReused
    };
    Err(Problem::new(fault, "this key was used for a request with another body; send a new key"))
}

/// Does the work, outside every lock, and remembers what became of it.
async fn work(call: &Call<'_>, claim: Option<Claim>, payment: Arc<Payment>) -> Result<Reply, Problem> {
    let api = call.api;
    tokio::time::sleep(api.times.processing).await;
    let made = book(api, &payment);
    if let Some(claim) = claim {
        let cut = call.lost.is_cancelled();
        match &made {
            Ok(_) if cut && api.behaviour.has(STUCK_AFTER_CUT) => {}
            Ok(done) if !(cut && api.behaviour.has(FORGETS_AFTER_CUT)) => api.keys.finish(claim, payment, done),
            _ => api.keys.forget(&claim),
        }
    }
    made.map(|done| done.reply)
}

fn book(api: &Api, payment: &Payment) -> Result<Done, Problem> {
    let Payment { account, kind, instruction, .. } = payment;
    let is = &api.behaviour;
    let mut ledger = api.ledger();
    let books = ledger.books(account, payment.principal.tenant);
    if is.is(NATURAL_DUPLICATE) && books.is_some_and(|books| books.has_reference(*kind, &instruction.reference)) {
        return Err(Problem::new(Fault::DuplicateReference, "this account has a payment with this reference"));
    }
    let settlement = i64::try_from(api.times.settlement.as_millis()).unwrap_or(i64::MAX);
    let settles_at = is.is(REPLAY_CURRENT).then(|| instant::now().saturating_add(settlement));
    let row = ledger.pay(account, *kind, instruction, settles_at);
    let row = row.ok_or_else(|| Problem::new(Fault::AccountNotFound, "no account with this id is open to you"))?;
    // Under the lock of the rows, so that events come in their order.
    publish(api, payment, &row);
    Ok(Done { id: row.id, reply: answer(api, payment, &row) })
}

/// Tells those who want to know of a payment.
fn publish(api: &Api, payment: &Payment, row: &Transfer) {
    api.publish(Event {
        kind: payment.kind.event(),
        tenant: payment.principal.tenant,
        subject: api.ids().segment(payment.kind.prefix(), row.id),
        reference: row.instruction.reference.to_string(),
        status: "booked",
        sequence: 1,
    });
}

/// 201 with the payment and where it is.
fn answer(api: &Api, payment: &Payment, row: &Transfer) -> Reply {
    let location = format!("{}/{}", payment.path, api.ids().segment(payment.kind.prefix(), row.id));
    Reply::json(StatusCode::CREATED, &row.show(payment.kind, api.ids())).header(header::LOCATION, &location)
}
