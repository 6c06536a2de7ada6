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

    /// What every account's cash is kept in, whatever the account reports in.
    pub(in crate::reference) const CASH: Self = Self::Usd;

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

    /// The amount in the currency's major unit.
    pub(in crate::reference) fn amount(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// `{"amount": "10.10", "currency": "EUR"}`
    pub(in crate::reference) fn render(self) -> Value {
        json!({ "amount": self.amount().to_string(), "currency": self.currency.code() })
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

#[cfg(test)]
mod tests {
    use super::{Currency, Money, decimal};

    #[test]
    fn amounts_keep_to_the_minor_unit() {
        let minor = |text, currency| decimal(text).and_then(|amount| Money::new(amount, currency)).map(|m| m.minor);
        assert_eq!(minor("10.1", Currency::Eur), Some(1_010));
        assert_eq!(minor("-0.010", Currency::Eur), Some(-1));
        assert_eq!(minor("0.001", Currency::Eur), None);
        assert_eq!(minor("7.0", Currency::Jpy), Some(7));
        assert_eq!(minor("7.5", Currency::Jpy), None);
        assert_eq!(minor("10000000000000", Currency::Usd), Some(1_000_000_000_000_000));
        assert_eq!(minor("10000000000000.01", Currency::Usd), None);
        assert_eq!(decimal("10.10").map(|amount| amount.to_string()).as_deref(), Some("10.10"));
    }

    #[test]
    fn only_plain_decimal_text_is_a_number() {
        for text in
            ["", "-", ".5", "5.", "+1", "1e3", "1_000", "1,0", "--1", " 1", "NaN", "٣", "0000000000000000000000001"]
        {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
