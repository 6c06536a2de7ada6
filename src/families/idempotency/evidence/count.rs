//! How many effects there really are.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{exchange::ExchangeId, json::Scalar};

/// How many different rows belong to a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// So many.
    Seen {
        /// How many different ids.
        number: usize,
        /// The first of them.
        ids: Vec<String>,
        /// What each of those rows says of the amount, if the suite says where.
        amounts: Vec<Option<Scalar>>,
        /// Exchanges that show them.
        exchanges: Vec<ExchangeId>,
    },
    /// It could not be seen.
    Unseen {
        /// Why.
        why: String,
        /// The exchange that shows it.
        exchange: Option<ExchangeId>,
    },
}

impl Count {
    /// How many, if that could be seen.
    pub fn number(&self) -> Option<usize> {
        match self {
            Self::Seen { number, .. } => Some(*number),
            Self::Unseen { .. } => None,
        }
    }

    /// The ids, as far as they are kept.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::Seen { ids, .. } => ids,
            Self::Unseen { .. } => &[],
        }
    }

    /// What the first row says of the amount.
    pub fn amount(&self) -> Option<&Scalar> {
        match self {
            Self::Seen { amounts, .. } => amounts.first()?.as_ref(),
            Self::Unseen { .. } => None,
        }
    }

    /// The exchanges that show it.
    pub fn exchanges(&self) -> Vec<ExchangeId> {
        match self {
            Self::Seen { exchanges, .. } => exchanges.clone(),
            Self::Unseen { exchange, .. } => exchange.iter().copied().collect(),
        }
    }

    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Seen { number: 0, .. } => "nothing".to_owned(),
            Self::Seen { number, ids, .. } => {
                let more = if ids.len() < *number { ", ..." } else { "" };
                format!("{number} ({}{more})", ids.join(", "))
            }
            Self::Unseen { why, .. } => format!("it could not be seen: {why}"),
        }
    }
}

/// A balance before a request and after it was repeated; each read twice, so that it is seen at rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceSeen {
    /// Before, as written.
    pub before: [Option<String>; 2],
    /// After, as written.
    pub after: [Option<String>; 2],
    /// The exchanges that show them.
    pub exchanges: Vec<ExchangeId>,
}

impl BalanceSeen {
    /// How many times it moved by `each`; none if it did not rest, or moved by something else.
    pub fn moves(&self, each: &str) -> Option<u64> {
        let at_rest = |read: &[Option<String>; 2]| {
            let [Some(one), Some(two)] = read else { return None };
            let (one, two) = (Decimal::from_str(one).ok()?, Decimal::from_str(two).ok()?);
            (one == two).then_some(two)
        };
        let each = Decimal::from_str(each).ok()?;
        let moved = at_rest(&self.after)?.checked_sub(at_rest(&self.before)?)?;
        let times = moved.checked_div(each)?;
        // The quotient may be rounded; the product shows whether it is exact.
        let exact = times.is_integer() && times.checked_mul(each)? == moved;
        u64::try_from(times).ok().filter(|_| exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(before: [&str; 2], after: [&str; 2], each: &str) -> Option<u64> {
        let read = |values: [&str; 2]| values.map(|value| (!value.is_empty()).then(|| value.to_owned()));
        BalanceSeen { before: read(before), after: read(after), exchanges: Vec::new() }.moves(each)
    }

    #[test]
    fn a_balance_moves_by_whole_effects_or_tells_nothing() {
        assert_eq!(moves(["100.00", "100.0"], ["90.00", "90"], "-10.00"), Some(1));
        assert_eq!(moves(["100", "100"], ["80", "80"], "-10"), Some(2));
        assert_eq!(moves(["1", "1"], ["1", "1"], "-10"), Some(0));
        for (before, after) in [
            (["100", "99"], ["90", "90"]),
            (["100", "100"], ["90", "80"]),
            (["100", "100"], ["95", "95"]),
            (["100", "100"], ["110", "110"]),
            (["100", ""], ["90", "90"]),
            (["x", "x"], ["90", "90"]),
        ] {
            assert_eq!(moves(before, after, "-10"), None, "{before:?} {after:?}");
        }
        assert_eq!(moves(["1", "1"], ["2", "2"], "0"), None);
    }
}
