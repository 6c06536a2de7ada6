//! Reads the fields of a request body and notes everything that is wrong with them.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::reference::{
    ledger::{Currency, Money, decimal, instant},
    problem::{FieldFault, Problem},
};

/// Why a value is refused.
pub(super) type Refusal = &'static str;

/// The fields of one JSON object.
pub(super) struct Fields<'a> {
    members: Option<&'a Map<String, Value>>,
    /// JSON Pointer to the object.
    at: String,
    faults: Vec<FieldFault>,
}

impl<'a> Fields<'a> {
    /// The fields of an object at a pointer; anything but an object is a fault.
    pub(super) fn of(value: &'a Value, at: String) -> Self {
        let members = value.as_object();
        let mut fields = Self { members, at: at.clone(), faults: Vec::new() };
        if members.is_none() {
            fields.faults.push(FieldFault { pointer: at, detail: "must be an object".to_owned() });
        }
        fields
    }

    /// A field that must be there.
    pub(super) fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Refusal>) -> Option<T> {
        if self.members.is_some_and(|members| !members.contains_key(name)) {
            self.refuse(name, "is required");
        }
        self.optional(name, read)
    }

    /// A field that may be absent.
    pub(super) fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Refusal>) -> Option<T> {
        let value = self.members?.get(name)?;
        read(value).map_err(|refusal| self.refuse(name, refusal)).ok()
    }

    /// `{"amount", "currency"}`
    pub(super) fn money(&mut self, name: &str) -> Option<Money> {
        let value = self.members?.get(name)?;
        let mut inner = Fields::of(value, format!("{}/{name}", self.at));
        let currency = inner.required("currency", currency);
        let amount = inner.required("amount", amount);
        let money = amount.zip(currency).and_then(|(amount, currency)| {
            let money = Money::new(amount, currency);
            if money.is_none() {
                inner.refuse("amount", "is too large, or finer than the currency's minor unit");
            }
            money
        });
        inner.only(&["amount", "currency"]);
        self.faults.append(&mut inner.faults);
        money
    }

    /// The same, where it must be there.
    pub(super) fn required_money(&mut self, name: &str) -> Option<Money> {
        self.required(name, |_| Ok(()))?;
        self.money(name)
    }

    /// Notes a fault of a field.
    pub(super) fn refuse(&mut self, name: &str, refusal: Refusal) {
        self.faults.push(FieldFault { pointer: format!("{}/{}", self.at, escaped(name)), detail: refusal.to_owned() });
    }

    /// Refuses fields that are not known: a misspelt one must not be dropped in silence.
    pub(super) fn only(&mut self, known: &[&str]) {
        let unknown = self.members.into_iter().flat_map(Map::keys).filter(|name| !known.contains(&name.as_str()));
        for name in unknown.take(20).cloned().collect::<Vec<_>>() {
            self.refuse(&name, "is not a field of this resource");
        }
    }

    pub(super) fn into_faults(self) -> Vec<FieldFault> {
        self.faults
    }
}

/// What the fields give, or every fault at once.
pub(super) fn settle<T>(made: Option<T>, faults: Vec<FieldFault>, body: &Value) -> Result<T, Problem> {
    match made {
        Some(made) if faults.is_empty() => Ok(made),
        _ => Err(Problem::validation(faults, &super::sent(body))),
    }
}

/// A reference token of a JSON Pointer (RFC 6901 §3); long names are cut.
fn escaped(name: &str) -> String {
    name.chars().take(40).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// A string of 1 to `most` characters without control characters.
pub(super) fn text(most: usize) -> impl Fn(&Value) -> Result<Box<str>, Refusal> {
    move |value| {
        let text = value.as_str().ok_or("must be a string")?;
        let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(text.into()) } else { Err("must be neither empty nor too long, without control characters") }
    }
}

/// One of a set of words.
pub(super) fn word<T>(parse: fn(&str) -> Option<T>, refusal: Refusal) -> impl Fn(&Value) -> Result<T, Refusal> {
    move |value| value.as_str().and_then(parse).ok_or(refusal)
}

/// A ticker symbol.
pub(super) fn symbol(value: &Value) -> Result<Box<str>, Refusal> {
    let known = value.as_str().filter(|text| is_symbol(text));
    known.map(Into::into).ok_or("must be a symbol: a capital letter, then up to 11 capital letters, digits or dots")
}

/// Whether a text could be a ticker symbol.
pub(super) fn is_symbol(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_uppercase());
    let rest = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'.';
    starts && text.len() <= 12 && text.bytes().all(rest)
}

/// A quantity other than zero: a string, since JSON numbers may be read as floats.
pub(super) fn quantity(value: &Value) -> Result<Decimal, Refusal> {
    let quantity = value.as_str().and_then(decimal).ok_or("must be a decimal number in a string")?;
    let fits = quantity.scale() <= 8 && quantity.abs() <= Decimal::from(1_000_000_000_u64) && !quantity.is_zero();
    if fits { Ok(quantity) } else { Err("must not be zero, above 1000000000, or finer than 8 decimal places") }
}

/// A quantity above zero.
pub(super) fn positive_quantity(value: &Value) -> Result<Decimal, Refusal> {
    quantity(value)
        .and_then(|quantity| if quantity.is_sign_positive() { Ok(quantity) } else { Err("must be above zero") })
}

/// An instant.
pub(super) fn date_time(value: &Value) -> Result<i64, Refusal> {
    let at = value.as_str().and_then(instant::parse);
    at.ok_or("must be an RFC 3339 date and time with a zone, no finer than a millisecond")
}

fn amount(value: &Value) -> Result<Decimal, Refusal> {
    value.as_str().and_then(decimal).ok_or("must be a decimal number in a string")
}

fn currency(value: &Value) -> Result<Currency, Refusal> {
    value.as_str().and_then(Currency::parse).ok_or("must be one of USD, EUR, GBP, CHF, JPY")
}
