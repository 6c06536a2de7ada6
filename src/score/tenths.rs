//! A percentage in whole tenths.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// A percentage from 0.0 to 100.0 in whole tenths, always rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenths(u16);

/// A text that is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a percentage from 0 to 100 with at most one decimal, such as `92.5`")]
pub struct NotAPercentage(String);

impl Tenths {
    /// 100 %.
    pub const FULL: Self = Self(1000);

    /// That many tenths of a percent, 0 to 1000; more counts as 1000.
    pub const fn new(tenths: u16) -> Self {
        if tenths > 1000 { Self::FULL } else { Self(tenths) }
    }

    /// The share of a part in a whole, rounded down; none where the whole is 0.
    pub fn of(part: u32, whole: u32) -> Option<Self> {
        let tenths = (u64::from(part) * 1000).checked_div(u64::from(whole))?;
        Some(u16::try_from(tenths).map_or(Self::FULL, Self::new))
    }

    /// The number of tenths of a percent, 0 to 1000.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

impl FromStr for Tenths {
    type Err = NotAPercentage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NotAPercentage(text.to_owned());
        let (whole, decimal) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimal) || decimal.len() != 1 {
            return Err(refused());
        }
        let whole: u16 = whole.parse().map_err(|_| refused())?;
        let decimal: u16 = decimal.parse().map_err(|_| refused())?;
        if whole > 100 || (whole == 100 && decimal > 0) { Err(refused()) } else { Ok(Self(whole * 10 + decimal)) }
    }
}

impl Serialize for Tenths {
    /// A number with one decimal. The nearest double of `n / 10` prints as exactly that decimal.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down() {
        assert_eq!(Tenths::of(2, 3), Some(Tenths(666)));
        assert_eq!(Tenths::of(9999, 10_000), Some(Tenths(999)));
        assert_eq!(Tenths::of(7, 7), Some(Tenths::FULL));
        assert_eq!(Tenths::of(0, 0), None);
    }

    #[test]
    fn one_decimal_at_most_is_read() {
        assert_eq!("92.5".parse(), Ok(Tenths(925)));
        assert_eq!("0".parse(), Ok(Tenths(0)));
        assert_eq!("100.0".parse(), Ok(Tenths::FULL));
        for bad in ["", ".", "5.", ".5", "92.55", "100.1", "101", "-1", "+1", "1e1", "70000", "9 "] {
            assert!(bad.parse::<Tenths>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_value_is_written_with_one_decimal_in_text_and_json() {
        for tenths in 0..=1000 {
            let value = Tenths(tenths);
            assert_eq!(serde_json::to_string(&value).unwrap(), value.to_string());
            assert_eq!(value.to_string().parse(), Ok(value));
        }
    }
}
