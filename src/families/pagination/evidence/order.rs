//! Whether rows come in a declared order, read as they come.
//!
//! What "less than" means is the target's choice: numbers, instants, text by code point or whatever its case,
//! numbers written as text. An order counts as broken only when no reading of the keys explains it.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{families::pagination::config::Direction, json::Scalar};

/// What was seen of an order during one walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSeen {
    /// How many pairs of neighbours had different keys: what the order was tested on.
    pub compared: usize,
    /// How many pairs of neighbours had equal keys.
    pub tied: usize,
    /// How many rows had no key.
    pub keyless: usize,
    /// Set when no reading of the keys gives the declared order: the first pair of neighbours out of order.
    pub broken: Option<Inversion>,
}

/// Two neighbours out of order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inversion {
    /// Where the second of them is, counting rows from 0.
    pub at: usize,
    /// The key of the first.
    pub before: Scalar,
    /// The key of the second.
    pub after: Scalar,
}

/// Ways to read a key.
const READINGS: [fn(&Scalar, &Scalar) -> Option<Ordering>; 4] = [by_value, by_code_point, whatever_case, by_instant];

/// Compares neighbours as rows come.
#[derive(Debug)]
pub struct OrderWatch {
    direction: Direction,
    previous: Option<Scalar>,
    at: usize,
    /// The readings that explain everything so far, and where each of the others first failed.
    alive: [bool; READINGS.len()],
    first: [Option<Inversion>; READINGS.len()],
    compared: usize,
    tied: usize,
    keyless: usize,
}

impl OrderWatch {
    /// Watches for a direction.
    pub fn new(direction: Direction) -> Self {
        Self {
            direction,
            previous: None,
            at: 0,
            alive: [true; READINGS.len()],
            first: std::array::from_fn(|_| None),
            compared: 0,
            tied: 0,
            keyless: 0,
        }
    }

    /// Sees the key of the next row. Rows without a key may stand anywhere.
    pub fn see(&mut self, key: Option<&Scalar>) {
        let at = self.at;
        self.at += 1;
        let Some(key) = key.filter(|key| key.text().is_some()) else {
            self.keyless += 1;
            return;
        };
        if let Some(before) = &self.previous {
            if before == key {
                self.tied += 1;
                return;
            }
            self.compared += 1;
            for (reading, compare) in READINGS.iter().enumerate() {
                let wrong = match compare(before, key) {
                    None => true,
                    Some(Ordering::Equal) => false,
                    Some(order) => (order == Ordering::Less) != (self.direction == Direction::Ascending),
                };
                if wrong && self.alive[reading] {
                    self.alive[reading] = false;
                    self.first[reading] = Some(Inversion { at, before: before.clone(), after: key.clone() });
                }
            }
        }
        self.previous = Some(key.clone());
    }

    /// What was seen.
    pub fn finish(self) -> OrderSeen {
        let broken = if self.alive.contains(&true) {
            None
        } else {
            // The reading that held longest is the likeliest one.
            self.first.into_iter().flatten().max_by_key(|inversion| inversion.at)
        };
        OrderSeen { compared: self.compared, tied: self.tied, keyless: self.keyless, broken }
    }
}

fn by_value(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    let number = |s: &Scalar| s.text()?.parse::<Decimal>().ok();
    Some(number(a)?.cmp(&number(b)?))
}

fn by_code_point(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    Some(a.text()?.cmp(b.text()?))
}

fn whatever_case(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    let folded = |s: &Scalar| {
        s.text().map(|t| t.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>())
    };
    let (a, b) = (folded(a)?, folded(b)?);
    // Where letters beyond ASCII stand is a matter of language: such a pair shows nothing.
    let differing = a.chars().zip(b.chars()).find(|(a, b)| a != b);
    if differing.is_some_and(|(a, b)| !a.is_ascii() || !b.is_ascii()) {
        return Some(Ordering::Equal);
    }
    Some(a.cmp(&b))
}

fn by_instant(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    Some(instant(a)?.cmp(&instant(b)?))
}

/// The instant a key stands for, if it is an RFC 3339 timestamp.
pub(in crate::families::pagination) fn instant(key: &Scalar) -> Option<jiff::Timestamp> {
    key.text()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(direction: Direction, keys: &[Scalar]) -> OrderSeen {
        let mut watch = OrderWatch::new(direction);
        for key in keys {
            watch.see(Some(key));
        }
        watch.finish()
    }

    fn texts(keys: &[&str]) -> Vec<Scalar> {
        keys.iter().map(|k| Scalar::Text((*k).into())).collect()
    }

    fn numbers(keys: &[&str]) -> Vec<Scalar> {
        keys.iter().map(|k| Scalar::Number((*k).into())).collect()
    }

    #[test]
    fn any_sensible_reading_of_the_keys_is_accepted() {
        use Direction::Ascending;
        for keys in [
            numbers(&["9", "10", "10.5"]),
            texts(&["9", "10", "11"]),
            texts(&["10", "11", "9"]),
            texts(&["Zebra", "apple"]),
            texts(&["apple", "Zebra"]),
            texts(&["2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00Z"]),
            texts(&["a", "a", "b"]),
            texts(&["Ulm-Werke 03", "Übersee 39", "Zoo"]),
        ] {
            assert_eq!(watch(Ascending, &keys).broken, None, "{keys:?}");
        }
    }

    #[test]
    fn an_inversion_is_told_with_its_place() {
        let seen = watch(Direction::Descending, &numbers(&["9", "7", "8", "1"]));
        assert_eq!((seen.compared, seen.tied), (3, 0));
        let broken = seen.broken.unwrap();
        assert_eq!((broken.at, broken.after), (2, Scalar::Number("8".into())));
    }

    #[test]
    fn rows_without_a_key_stand_anywhere() {
        let mut watch = OrderWatch::new(Direction::Ascending);
        for key in [None, Some(Scalar::Null), Some(Scalar::Number("1".into())), None, Some(Scalar::Number("2".into()))]
        {
            watch.see(key.as_ref());
        }
        let seen = watch.finish();
        assert_eq!((seen.keyless, seen.broken), (3, None));
    }
}
