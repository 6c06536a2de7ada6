//! Accounts, and the books kept for each.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Batch, Collection, Currency, Ids, Key, Order, Position, Row, Statement, Transaction, Transfer, Withdrawal, instant,
};
use crate::reference::tokens::Tenant;

/// One account.
#[derive(Debug, Clone, Copy)]
pub(in crate::reference) struct Account {
    /// 1 for ACC-001.
    pub(in crate::reference) number: u32,
    pub(in crate::reference) tenant: Tenant,
    pub(in crate::reference) name: &'static str,
    pub(in crate::reference) currency: Currency,
    /// Milliseconds since 1970.
    pub(in crate::reference) opened_at: i64,
}

impl Account {
    pub(in crate::reference) fn id(&self) -> String {
        format!("ACC-{:03}", self.number)
    }
}

impl Row for Account {
    const PREFIX: &'static str = "ACC";

    fn key(&self) -> Key {
        Key { at: self.opened_at, id: self.number }
    }

    /// Account ids are text under every variant: they are part of every path.
    fn render(&self, _: Ids) -> Value {
        json!({
            "id": self.id(),
            "name": self.name,
            "currency": self.currency.code(),
            "status": "open",
            "opened_at": instant::text(self.opened_at),
        })
    }
}

/// What is kept for one account.
pub(in crate::reference) struct Books {
    pub(in crate::reference) tenant: Tenant,
    pub(in crate::reference) positions: Collection<Position>,
    pub(in crate::reference) transactions: Collection<Transaction>,
    pub(in crate::reference) orders: Collection<Order>,
    pub(in crate::reference) batches: Collection<Batch>,
    pub(in crate::reference) transfers: Collection<Transfer>,
    pub(in crate::reference) withdrawals: Collection<Withdrawal>,
    /// In the currency of cash, with its decimal places; below zero when overdrawn.
    pub(in crate::reference) cash: Decimal,
    /// Newest first.
    pub(in crate::reference) statements: Vec<Statement>,
}
