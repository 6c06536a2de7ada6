//! `Retry-After` (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

/// What a `Retry-After` field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Wait that long after receiving the response.
    Delay(Duration),
    /// Wait until that instant of the server's clock.
    Date(SystemTime),
}

impl RetryAfter {
    /// Reads the field's value: delay-seconds (digits only) or an HTTP-date in any of its three forms.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            return value.parse().ok().map(|seconds| Self::Delay(Duration::from_secs(seconds)));
        }
        httpdate::parse_http_date(value).ok().map(Self::Date)
    }

    /// How long to wait, given the server's idea of now (its `Date` field, else the local clock).
    pub fn wait(self, server_now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::Date(date) => date.duration_since(server_now).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        assert_eq!(RetryAfter::parse(" 120 "), Some(RetryAfter::Delay(Duration::from_mins(2))));
        assert!(matches!(RetryAfter::parse("Fri, 31 Dec 1999 23:59:59 GMT"), Some(RetryAfter::Date(_))));
        for bad in ["", "-1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(RetryAfter::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_date_is_measured_against_the_servers_clock() {
        let date = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:59 GMT").unwrap();
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:29 GMT").unwrap();
        assert_eq!(RetryAfter::Date(date).wait(now), Duration::from_secs(30));
        assert_eq!(RetryAfter::Date(now).wait(date), Duration::ZERO);
    }
}
