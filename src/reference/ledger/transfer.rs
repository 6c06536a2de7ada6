//! Transfers and withdrawals: money that leaves an account at its owner's instruction.

use serde_json::{Map, Value, json};

use super::{Ids, Key, Money, Row, instant};

/// What the owner of an account instructs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) struct Instruction {
    /// Above zero, in the currency of cash.
    pub(in crate::reference) amount: Money,
    /// The account that is paid; none for a withdrawal.
    pub(in crate::reference) to: Option<Box<str>>,
    /// The caller's own name for it.
    pub(in crate::reference) reference: Box<str>,
    pub(in crate::reference) memo: Option<Box<str>>,
}

/// Which of the two it is: each has a list, a path and keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::reference) enum PaymentKind {
    Transfer,
    Withdrawal,
}

impl PaymentKind {
    pub(in crate::reference) fn prefix(self) -> &'static str {
        if self == Self::Transfer { Transfer::PREFIX } else { Withdrawal::PREFIX }
    }

    /// The kind of the event that tells of it.
    pub(in crate::reference) fn event(self) -> &'static str {
        if self == Self::Transfer { "transfer.booked" } else { "withdrawal.booked" }
    }
}

/// One transfer.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Transfer {
    pub(in crate::reference) id: u32,
    pub(in crate::reference) instruction: Instruction,
    /// Milliseconds since 1970.
    pub(in crate::reference) created_at: i64,
    /// Milliseconds since 1970; none where it stays booked.
    pub(in crate::reference) settles_at: Option<i64>,
}

/// One withdrawal: a transfer to nobody the API knows.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Withdrawal(pub(in crate::reference) Transfer);

impl Transfer {
    fn status(&self) -> &'static str {
        if self.settles_at.is_some_and(|at| at <= instant::now()) { "settled" } else { "booked" }
    }

    /// The payment as it is sent, with an id of its kind.
    pub(in crate::reference) fn show(&self, kind: PaymentKind, ids: Ids) -> Value {
        let mut members = Map::new();
        members.insert("id".into(), ids.value(kind.prefix(), self.id));
        members.insert("status".into(), json!(self.status()));
        members.insert("amount".into(), self.instruction.amount.render());
        members.extend(self.instruction.to.iter().map(|to| ("to".to_owned(), json!(to))));
        members.insert("reference".into(), json!(self.instruction.reference));
        members.extend(self.instruction.memo.iter().map(|memo| ("memo".to_owned(), json!(memo))));
        members.insert("created_at".into(), json!(instant::text(self.created_at)));
        Value::Object(members)
    }
}

impl Row for Transfer {
    const PREFIX: &'static str = "TRF";

    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        self.show(PaymentKind::Transfer, ids)
    }
}

impl Row for Withdrawal {
    const PREFIX: &'static str = "WDR";

    fn key(&self) -> Key {
        self.0.key()
    }

    fn render(&self, ids: Ids) -> Value {
        self.0.show(PaymentKind::Withdrawal, ids)
    }
}
