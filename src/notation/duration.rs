//! Durations: `250ms`, `2s`, `5m`, `1h`.

use std::{fmt, str::FromStr, time::Duration};

pub(super) const FORMAT: &str = "fincheck-duration";

/// A length of time as a suite writes it: a whole number and one of `ms`, `s`, `m`, `h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a duration; write a whole number and ms, s, m or h, such as 250ms or 5m");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let millis = match &text[digits..] {
            "ms" => Some(number),
            "s" => number.checked_mul(1_000),
            "m" => number.checked_mul(60_000),
            "h" => number.checked_mul(3_600_000),
            _ => None,
        };
        millis.map(|m| Self(Duration::from_millis(m))).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis {
            m if m == 0 || m % 1_000 != 0 => write!(f, "{m}ms"),
            m if m % 3_600_000 == 0 => write!(f, "{}h", m / 3_600_000),
            m if m % 60_000 == 0 => write!(f, "{}m", m / 60_000),
            m => write!(f, "{}s", m / 1_000),
        }
    }
}

super::written_as_text!(Span, "Duration", FORMAT, "A whole number and ms, s, m or h.", "250ms");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, millis) in [("250ms", 250), ("2s", 2_000), ("5m", 300_000), ("1h", 3_600_000), ("0ms", 0)] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.0, Duration::from_millis(millis));
            assert_eq!(span.to_string(), text);
        }
        for bad in ["", "5", "s", "1.5s", "-1s", "5 s", "5d", "99999999999999999999s", "18446744073709551615h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
