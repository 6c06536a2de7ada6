//! `Retry-After` (RFC 9110 §10.2.3), and what people write into it instead.

use super::super::{clock::epoch_us, evidence::Answer};

/// What the field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Asked {
    /// Wait so many seconds.
    Seconds(u64),
    /// Wait until this instant of the target's clock, in microseconds since 1970.
    Date(i64),
    /// Neither of the two forms.
    Malformed(Flaw),
}

/// What is wrong with the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Flaw {
    /// Nothing is in it.
    Empty,
    /// A number below zero.
    Negative,
    /// A number that is not whole.
    Fraction,
    /// A number with a unit.
    Unit,
    /// An instant in seconds or milliseconds since 1970: as seconds to wait, decades.
    Epoch,
    /// An instant that is no HTTP-date.
    OtherDate,
    /// The field was sent more than once.
    Several,
    /// Something else.
    Other,
}

impl Flaw {
    /// What it is, for people.
    pub(in super::super) const fn told(self) -> &'static str {
        match self {
            Self::Empty => "an empty value",
            Self::Negative => "a negative number",
            Self::Fraction => "a fraction of a second",
            Self::Unit => "a number with a unit",
            Self::Epoch => "an instant since 1970, which means a wait of decades",
            Self::OtherDate => "an instant that is no HTTP-date",
            Self::Several => "several fields that disagree",
            Self::Other => "neither a number of seconds nor an HTTP-date",
        }
    }
}

/// More seconds than anyone waits: an instant in the wrong unit (2001-09-09 in seconds since 1970).
const EPOCH: u64 = 1_000_000_000;

/// What the `Retry-After` of an answer says, if it has one.
pub(in super::super) fn asked(answer: &Answer) -> Option<Asked> {
    let mut lines = answer.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("retry-after")).map(|(_, v)| v);
    let first = lines.next()?;
    if lines.any(|line| line.trim() != first.trim()) {
        return Some(Asked::Malformed(Flaw::Several));
    }
    Some(read(first.trim()))
}

fn read(value: &str) -> Asked {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(value) {
        return match value.parse::<u64>() {
            Ok(seconds) if seconds < EPOCH => Asked::Seconds(seconds),
            _ => Asked::Malformed(Flaw::Epoch),
        };
    }
    if let Some(date) = epoch_us(value) {
        return Asked::Date(date);
    }
    let number = value.strip_prefix(['-', '+']).unwrap_or(value);
    let leading = number.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, rest) = number.split_at(leading);
    let fraction = number.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part));
    Asked::Malformed(match rest.trim() {
        _ if value.is_empty() => Flaw::Empty,
        "" if value.starts_with('-') => Flaw::Negative,
        "" if fraction => Flaw::Fraction,
        unit if (fraction || digits(number)) && !unit.is_empty() && unit.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Flaw::Unit
        }
        _ if value.parse::<jiff::Timestamp>().is_ok() || is_date_like(value) => Flaw::OtherDate,
        _ => Flaw::Other,
    })
}

/// Whether it looks like an instant in some other form, such as JavaScript's.
pub(super) fn is_date_like(value: &str) -> bool {
    let year = value.split(|c: char| !c.is_ascii_digit()).any(|part| part.len() == 4 && part.starts_with(['1', '2']));
    year && value.matches(':').count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_every_mistake_is_named() {
        assert_eq!(read("120"), Asked::Seconds(120));
        assert_eq!(read("0"), Asked::Seconds(0));
        for date in ["Thu, 01 Jan 1970 00:00:07 GMT", "Thursday, 01-Jan-70 00:00:07 GMT", "Thu Jan  1 00:00:07 1970"] {
            assert_eq!(read(date), Asked::Date(7_000_000), "{date}");
        }
        for (value, flaw) in [
            ("", Flaw::Empty),
            ("-1", Flaw::Negative),
            ("7.976", Flaw::Fraction),
            ("30s", Flaw::Unit),
            ("1.5 seconds", Flaw::Unit),
            ("1795348431", Flaw::Epoch),
            ("99999999999999999999999", Flaw::Epoch),
            ("2026-11-22T11:54:52Z", Flaw::OtherDate),
            ("Sun Nov 22 2026 11:54:52 GMT+0000 (Coordinated Universal Time)", Flaw::OtherDate),
            ("soon", Flaw::Other),
            ("1.", Flaw::Other),
        ] {
            assert_eq!(read(value), Asked::Malformed(flaw), "{value}");
        }
    }

    #[test]
    fn fields_that_disagree_are_malformed_and_repeats_are_not() {
        let twice = |one, other| asked(&super::super::tests::answer(&[("retry-after", one), ("retry-after", other)]));
        assert_eq!(twice("1", "2"), Some(Asked::Malformed(Flaw::Several)));
        assert_eq!(twice("1", " 1"), Some(Asked::Seconds(1)));
        assert_eq!(asked(&super::super::tests::answer(&[])), None);
    }
}
