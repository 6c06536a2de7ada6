//! The book of one symbol: what is bid and asked at which price.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::{Value, json};

use super::super::event::{BookEvent, Level, levels};
use crate::reference::ledger::{SYMBOLS, instant};

/// Prices on either side of the middle, a cent apart.
const DEPTH: i64 = 12;
/// Most changes in one event.
const MOST_CHANGES: u32 = 3;

/// Quantities by price in cents.
#[derive(Debug, Clone)]
pub(super) struct Book {
    symbol: usize,
    /// The number of the last change.
    sequence: u64,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
}

impl Book {
    pub(super) fn new(symbol: usize, random: &mut ChaCha8Rng) -> Self {
        let middle = SYMBOLS[symbol].1;
        let mut side =
            |sign: i64| (1..=DEPTH).map(|step| (middle + sign * step, random.random_range(1..100))).collect();
        Self { symbol, sequence: 1_000, bids: side(-1), asks: side(1) }
    }

    /// Changes a few levels, and says which.
    pub(super) fn change(&mut self, random: &mut ChaCha8Rng, padding: usize) -> BookEvent {
        let first = self.sequence + 1;
        let (mut bids, mut asks): (Vec<Level>, Vec<Level>) = (Vec::new(), Vec::new());
        for _ in 0..random.random_range(1..=MOST_CHANGES) {
            let step = random.random_range(1..=DEPTH);
            let is_bid = random.random_ratio(1, 2);
            let quantity = if random.random_ratio(1, 5) { 0 } else { random.random_range(1..100) };
            let price = SYMBOLS[self.symbol].1 + if is_bid { -step } else { step };
            let (side, told) = if is_bid { (&mut self.bids, &mut bids) } else { (&mut self.asks, &mut asks) };
            if quantity == 0 {
                side.remove(&price);
            } else {
                side.insert(price, quantity);
            }
            told.retain(|(known, _)| *known != price);
            told.push((price, quantity));
            self.sequence += 1;
        }
        BookEvent { symbol: self.symbol, first, last: self.sequence, at: instant::now(), bids, asks, padding }
    }

    /// The whole book, the best prices first.
    pub(super) fn render(&self) -> Value {
        let bids: Vec<Level> = self.bids.iter().rev().map(|(price, quantity)| (*price, *quantity)).collect();
        let asks: Vec<Level> = self.asks.iter().map(|(price, quantity)| (*price, *quantity)).collect();
        json!({
            "symbol": SYMBOLS[self.symbol].0,
            "sequence": self.sequence,
            "bids": levels(&bids),
            "asks": levels(&asks),
        })
    }
}
