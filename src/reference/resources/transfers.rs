//! `/v1/accounts/{id}/transfers`: money to another account, once per idempotency key.

use super::{
    Problem, Reply, books,
    fields::{self, Fields, Refusal, settle},
    found, no_parameters, number, reference,
};
use crate::reference::{
    http::{Call, Query},
    idempotency::{self, Key, Payment},
    ledger::{Currency, Instruction, Ledger, Money, PaymentKind, Transfer},
    paging::{self, Filter, Listing},
};

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: format!("{account}/transfers"),
        collection: &books(call, &ledger, account)?.transfers,
        filters: &["reference"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Transfer>, Problem> {
    let mut filter = Filter::all();
    if let Some(wanted) = reference(query)? {
        filter.and(move |row: &Transfer| *row.instruction.reference == *wanted);
    }
    Ok(filter)
}

pub(super) fn get(call: &Call<'_>, account: &str, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    let number = number::<Transfer>(call, id);
    found(call, books(call, &ledger, account)?.transfers.get(number?), id)
}

/// Carries out a payment of either kind, or repeats the answer of one that was.
pub(super) async fn create(call: &Call<'_>, account: &str, kind: PaymentKind) -> Result<Reply, Problem> {
    let (key, payment) = accept(call, account, kind)?;
    idempotency::carry_out(call, key, payment).await
}

fn accept(call: &Call<'_>, account: &str, kind: PaymentKind) -> Result<(Option<Key>, Payment), Problem> {
    no_parameters(call)?;
    let ledger = call.api.ledger();
    books(call, &ledger, account)?;
    let key = idempotency::read(call.headers, &call.api.behaviour)?;
    let instruction = read(call, account, kind, &ledger)?;
    let payment = Payment {
        principal: call.principal,
        account: account.to_owned(),
        path: call.path.to_owned(),
        kind,
        instruction,
    };
    Ok((key, payment))
}

fn read(call: &Call<'_>, account: &str, kind: PaymentKind, ledger: &Ledger) -> Result<Instruction, Problem> {
    let mut fields = Fields::of(&call.body, String::new());
    let amount = fields.required_money("amount");
    if let Some(refusal) = amount.and_then(unpayable) {
        fields.refuse("amount", refusal);
    }
    let mut known = vec!["amount", "reference", "memo"];
    let payee = match kind {
        PaymentKind::Withdrawal => Some(None),
        PaymentKind::Transfer => {
            known.push("to");
            let to = fields.required("to", fields::text(64));
            if to.as_deref().is_some_and(|to| to == account || !ledger.has_account(to)) {
                fields.refuse("to", "must be the id of another account");
            }
            to.map(Some)
        }
    };
    let reference = fields.required("reference", fields::text(64));
    let memo = fields.optional("memo", fields::text(140));
    fields.only(&known);
    let made = amount.zip(payee).zip(reference);
    let made = made.map(|((amount, to), reference)| Instruction { amount, to, reference, memo });
    settle(made, fields.into_faults(), &call.body)
}

fn unpayable(amount: Money) -> Option<Refusal> {
    if amount.currency != Currency::CASH {
        Some("must be in USD: every account keeps its cash in it")
    } else if amount.minor <= 0 {
        Some("must be above zero")
    } else {
        None
    }
}
