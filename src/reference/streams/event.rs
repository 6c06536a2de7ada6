//! What streams tell of.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::reference::{ledger::SYMBOLS, tokens::Tenant};

/// One event; queues share it.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Order(Arc<OrderEvent>),
    Book(Arc<BookEvent>),
}

impl Event {
    /// The number it has, or the last of its numbers.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Order(event) => event.sequence,
            Self::Book(event) => event.last,
        }
    }

    /// Whether somebody who asked for these symbols is to be told.
    pub(super) fn concerns(&self, symbols: Symbols) -> bool {
        match self {
            Self::Order(_) => true,
            Self::Book(event) => symbols.has(event.symbol),
        }
    }
}

/// An order was placed or cancelled.
#[derive(Debug)]
pub(super) struct OrderEvent {
    pub(super) tenant: Tenant,
    pub(super) sequence: u64,
    pub(super) id: String,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) order: Value,
}

/// A price in cents, and how much is offered at it; none takes the level away.
pub(super) type Level = (i64, i64);

/// A book changed.
#[derive(Debug, Clone)]
pub(super) struct BookEvent {
    /// Its place among [`SYMBOLS`].
    pub(super) symbol: usize,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
    /// Octets that say nothing.
    pub(super) padding: usize,
}

impl BookEvent {
    /// Both as one, the later levels deciding.
    pub(super) fn merged(&self, later: &Self) -> Self {
        let merge = |before: &[Level], after: &[Level]| {
            let kept = before.iter().filter(|(price, _)| after.iter().all(|(changed, _)| changed != price));
            kept.chain(after).copied().collect()
        };
        Self {
            first: self.first,
            bids: merge(&self.bids, &later.bids),
            asks: merge(&self.asks, &later.asks),
            ..later.clone()
        }
    }
}

/// Levels as they are sent: `[["150.10", "3"]]`
pub(super) fn levels(levels: &[Level]) -> Value {
    levels.iter().map(|(price, quantity)| json!([Decimal::new(*price, 2).to_string(), quantity.to_string()])).collect()
}

/// Some of [`SYMBOLS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Symbols(u8);

impl Symbols {
    pub(super) const ALL: Self = Self(u8::MAX);

    pub(super) fn has(self, symbol: usize) -> bool {
        self.0 & (1 << symbol) != 0
    }

    pub(super) fn with(self, symbol: usize) -> Self {
        Self(self.0 | (1 << symbol))
    }

    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

/// The place of a symbol among those that are traded.
pub(in crate::reference) fn symbol(name: &str) -> Option<usize> {
    SYMBOLS.iter().position(|(known, _)| *known == name)
}
