//! Instants: milliseconds inside, RFC 3339 in UTC outside.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

/// RFC 3339 §5.6 `date-time`, upper case, with at most milliseconds.
static DATE_TIME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3}0*)?(?:Z|[+-]\d{2}:\d{2})$").ok());

/// The present, in milliseconds since 1970.
pub(in crate::reference) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// An instant as it is sent: `2026-03-01T09:30:00.000Z`, always of the same width.
pub(in crate::reference) fn text(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |instant| format!("{instant:.3}"))
}

/// Reads an RFC 3339 instant of this or the last century, no finer than a millisecond.
pub(in crate::reference) fn parse(text: &str) -> Option<i64> {
    if text.len() > 40 || !DATE_TIME.as_ref()?.is_match(text) {
        return None;
    }
    let at = text.parse::<Timestamp>().ok()?.as_millisecond();
    (0..4_102_444_800_000).contains(&at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[test]
    fn instants_are_read_in_any_zone_and_written_in_utc() {
        for (sent, kept) in [
            ("2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00.000Z"),
            ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500Z"),
            ("2026-03-01T09:30:00.120000-00:30", "2026-03-01T10:00:00.120Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse(sent).map(text).as_deref(), Some(kept), "{sent}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for sent in [
            "",
            "2026-03-01",
            "2026-03-01T10:30:00",
            "2026-03-01 10:30:00Z",
            "2026-02-30T10:30:00Z",
            "2026-03-01T25:00:00Z",
            "2026-03-01T10:30:00.0001Z",
            "1969-12-31T23:59:59Z",
            "9999-01-01T00:00:00Z",
            "2026-03-01T10:30:00Z[UTC]",
        ] {
            assert_eq!(parse(sent), None, "{sent}");
        }
    }
}
