//! Orders: what an account wants to buy or sell.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Ids, Key, Money, Row, instant};

/// Which way an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Side {
    Buy,
    Sell,
}

impl Side {
    pub(in crate::reference) fn name(self) -> &'static str {
        if self == Self::Buy { "buy" } else { "sell" }
    }

    pub(in crate::reference) fn parse(name: &str) -> Option<Self> {
        [Self::Buy, Self::Sell].into_iter().find(|side| side.name() == name)
    }
}

/// At which price an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum OrderKind {
    Market,
    /// At this price or better.
    Limit(Money),
}

/// How long an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum TimeInForce {
    Day,
    GoodTillCancelled,
}

impl TimeInForce {
    pub(in crate::reference) fn name(self) -> &'static str {
        if self == Self::Day { "day" } else { "gtc" }
    }

    pub(in crate::reference) fn parse(name: &str) -> Option<Self> {
        [Self::Day, Self::GoodTillCancelled].into_iter().find(|force| force.name() == name)
    }
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum OrderStatus {
    Open,
    PartiallyFilled,
    Filled,
}

impl OrderStatus {
    pub(in crate::reference) const ALL: [Self; 3] = [Self::Open, Self::PartiallyFilled, Self::Filled];

    pub(in crate::reference) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
        }
    }

    pub(in crate::reference) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One order.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Order {
    pub(in crate::reference) id: u32,
    pub(in crate::reference) symbol: Box<str>,
    pub(in crate::reference) side: Side,
    pub(in crate::reference) kind: OrderKind,
    pub(in crate::reference) quantity: Decimal,
    pub(in crate::reference) time_in_force: TimeInForce,
    pub(in crate::reference) client_reference: Option<Box<str>>,
    pub(in crate::reference) status: OrderStatus,
    /// Milliseconds since 1970.
    pub(in crate::reference) created_at: i64,
}

impl Order {
    /// What was asked for.
    pub(in crate::reference) fn terms(&self) -> Value {
        let mut terms = json!({
            "symbol": self.symbol,
            "side": self.side.name(),
            "type": if self.kind == OrderKind::Market { "market" } else { "limit" },
            "quantity": self.quantity.to_string(),
            "time_in_force": self.time_in_force.name(),
        });
        if let OrderKind::Limit(price) = self.kind {
            terms["limit_price"] = price.render();
        }
        if let Some(reference) = &self.client_reference {
            terms["client_reference"] = json!(reference);
        }
        terms
    }
}

impl Row for Order {
    const PREFIX: &'static str = "ORD";

    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        let mut row = Map::new();
        row.insert("id".into(), ids.value(Self::PREFIX, self.id));
        if let Value::Object(terms) = self.terms() {
            row.extend(terms);
        }
        row.insert("status".into(), json!(self.status.name()));
        row.insert("created_at".into(), json!(instant::text(self.created_at)));
        Value::Object(row)
    }
}
