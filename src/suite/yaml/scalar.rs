//! What a plain (unquoted) scalar means.

use serde_json::{Number, Value};

use super::Kind;

/// The meaning of a plain scalar: the YAML 1.2 core schema, except that a number is only what JSON calls one.
///
/// So `01234` (a sort code), `+4420` (a telephone number), `1_000` and `0x1F` stay the text that was written.
pub(in crate::suite) fn resolve(text: String) -> Kind {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(&text) => Kind::Number(text),
        _ => Kind::Text(text),
    }
}

/// Whether a text is a number (RFC 8259 §6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return false;
        }
        rest = &exponent[count..];
    }
    rest.is_empty()
}

/// A number as JSON holds it; one that fits no machine number stays text.
pub(super) fn number(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    text.parse().ok().and_then(Number::from_f64).map_or_else(|| text.into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in ["0", "-1", "10", "1.10", "1e5", "-0.5E-3", "12345678901234567890123"] {
            assert!(matches!(resolve(text.into()), Kind::Number(n) if n == text), "{text}");
        }
        for text in ["01234", "+4420", "1_000", "0x1F", "0o7", ".5", "1.", "1e", "-", ".inf", ".nan", "1.2.3", "5m"] {
            assert!(matches!(resolve(text.into()), Kind::Text(_)), "{text}");
        }
    }

    #[test]
    fn norway_is_a_country_and_empty_is_nothing() {
        for text in ["NO", "yes", "on", "y"] {
            assert!(matches!(resolve(text.into()), Kind::Text(_)), "{text}");
        }
        assert!(matches!(resolve("True".into()), Kind::Bool(true)));
        assert!(matches!(resolve("~".into()), Kind::Null));
        assert!(matches!(resolve(String::new()), Kind::Null));
    }

    #[test]
    fn numbers_beyond_any_machine_number_stay_text() {
        assert_eq!(number("18446744073709551615"), Value::from(u64::MAX));
        assert_eq!(number("1e999"), Value::from("1e999"));
        assert_eq!(number("1.5"), Value::from(1.5));
    }
}
