//! Positions: what an account holds.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::{Currency, Ids, Key, Money, Row, instant};

/// Symbols of the seeded rows, each with a price in US cents.
pub(in crate::reference) const SYMBOLS: [(&str, i64); 8] = [
    ("AAPL", 21_437),
    ("AMZN", 18_912),
    ("GOOG", 17_205),
    ("JPM", 24_388),
    ("MSFT", 41_866),
    ("NVDA", 13_174),
    ("TSLA", 32_950),
    ("XOM", 11_021),
];

/// One position.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Position {
    pub(in crate::reference) id: u32,
    pub(in crate::reference) symbol: Box<str>,
    pub(in crate::reference) quantity: Decimal,
    pub(in crate::reference) market_value: Money,
    /// Milliseconds since 1970.
    pub(in crate::reference) as_of: i64,
    pub(in crate::reference) note: Option<Box<str>>,
}

impl Row for Position {
    const PREFIX: &'static str = "POS";

    fn key(&self) -> Key {
        Key { at: self.as_of, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        let mut row = json!({
            "id": ids.value(Self::PREFIX, self.id),
            "symbol": self.symbol,
            "quantity": self.quantity.to_string(),
            "market_value": self.market_value.render(),
            "as_of": instant::text(self.as_of),
        });
        if let Some(note) = &self.note {
            row["note"] = json!(note);
        }
        row
    }
}

/// The worth of a quantity at the reference price; symbols without one count at 100.00 USD.
pub(in crate::reference) fn reference_value(symbol: &str, quantity: Decimal) -> Option<Money> {
    let cents = SYMBOLS.iter().find(|(known, _)| *known == symbol).map_or(10_000, |(_, cents)| *cents);
    let value = quantity.checked_mul(Decimal::new(cents, 2))?;
    Money::new(value.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven), Currency::Usd)
}
