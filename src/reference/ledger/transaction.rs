//! Transactions: the ledger of an account; rows are added and never changed.

use serde_json::{Value, json};

use super::{Ids, Key, Money, Row, instant};

/// What a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum TransactionKind {
    Deposit,
    Withdrawal,
    Buy,
    Sell,
    Dividend,
    Fee,
    Interest,
}

impl TransactionKind {
    pub(in crate::reference) const ALL: [Self; 7] =
        [Self::Deposit, Self::Withdrawal, Self::Buy, Self::Sell, Self::Dividend, Self::Fee, Self::Interest];

    pub(in crate::reference) fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Dividend => "dividend",
            Self::Fee => "fee",
            Self::Interest => "interest",
        }
    }

    pub(in crate::reference) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it takes money out of the account.
    pub(in crate::reference) fn is_debit(self) -> bool {
        matches!(self, Self::Withdrawal | Self::Buy | Self::Fee)
    }
}

/// One transaction: 40 bytes, so that a million fit in modest memory.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Transaction {
    /// Milliseconds since 1970.
    pub(in crate::reference) booked_at: i64,
    pub(in crate::reference) amount: Money,
    /// Seeded rows have none; their description is made when served.
    pub(in crate::reference) words: Option<Box<Words>>,
    pub(in crate::reference) id: u32,
    pub(in crate::reference) kind: TransactionKind,
}

/// What only some transactions say.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Words {
    pub(in crate::reference) description: Option<Box<str>>,
    /// That of the payment it books.
    pub(in crate::reference) reference: Option<Box<str>>,
}

impl Transaction {
    /// The reference of the payment it books.
    pub(in crate::reference) fn reference(&self) -> Option<&str> {
        self.words.as_ref()?.reference.as_deref()
    }
}

impl Row for Transaction {
    const PREFIX: &'static str = "TXN";

    fn key(&self) -> Key {
        Key { at: self.booked_at, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        let made = || format!("{} no. {}", self.kind.name(), self.id);
        let description = self.words.as_ref().and_then(|words| words.description.as_deref());
        let mut row = json!({
            "id": ids.value(Self::PREFIX, self.id),
            "type": self.kind.name(),
            "amount": self.amount.render(),
            "booked_at": instant::text(self.booked_at),
            "description": description.map_or_else(made, str::to_owned),
        });
        if let Some(reference) = self.reference() {
            row["reference"] = json!(reference);
        }
        row
    }
}
