//! Amounts: whole minor units inside, decimal text outside; never a float.

use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Largest amount in minor units, either sign.
const LARGEST: i64 = 1_000_000_000_000_000;

/// ISO 4217 currencies the API deals in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Currency {
    Eur,
    Usd,
    Gbp,
    Chf,
    Jpy,
}

impl Currency {
    pub(in crate::reference) const ALL: [Self; 5] = [Self::Usd, Self::Eur, Self::Gbp, Self::Chf, Self::Jpy];

    pub(in crate::reference) fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Usd => "USD",
            Self::Gbp => "GBP",
            Self::Chf => "CHF",
            Self::Jpy => "JPY",
        }
    }

    pub(in crate::reference) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    /// Digits after the decimal point (ISO 4217).
    pub(in crate::reference) fn exponent(self) -> u32 {
        if self == Self::Jpy { 0 } else { 2 }
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) struct Money {
    /// In the currency's minor unit.
    pub(in crate::reference) minor: i64,
    pub(in crate::reference) currency: Currency,
}

impl Money {
    /// An amount that fits the currency; finer or larger ones are refused.
    pub(in crate::reference) fn new(amount: Decimal, currency: Currency) -> Option<Self> {
        let mut amount = amount.normalize();
        if amount.scale() > currency.exponent() {
            return None;
        }
        amount.rescale(currency.exponent());
        let minor = i64::try_from(amount.mantissa()).ok()?;
        (-LARGEST..=LARGEST).contains(&minor).then_some(Self { minor, currency })
    }

    /// `{"amount": "10.10", "currency": "EUR"}`
    pub(in crate::reference) fn render(self) -> Value {
        let amount = Decimal::new(self.minor, self.currency.exponent());
        json!({ "amount": amount.to_string(), "currency": self.currency.code() })
    }
}

/// Reads decimal text: an optional minus sign, digits, and at most one point between digits; at most 24 characters.
pub(in crate::reference) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > 24 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}
