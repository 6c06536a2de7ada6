//! How a limit is said: dialects of quota headers, forms of `Retry-After`, and what defects make of them.
//!
//! Waits and resets are rounded up, so that whoever waits as told has waited enough.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderName, header};

use super::{decision::Decision, terms::Terms};
use crate::reference::{Variant, behaviour::Behaviour, defects::rate as defect, variants};

/// Header lines of an answer.
pub(in crate::reference) type Lines = Vec<(HeaderName, String)>;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Limit, remaining and reset.
type Names = [HeaderName; 3];
const TRIPLE: Names = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];
const X_TRIPLE: Names = [
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// Which quota headers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// draft-ietf-httpapi-ratelimit-headers-08 and later.
    Ietf,
    /// Drafts up to 06.
    Triple,
    /// Draft 07.
    Draft07,
    /// `X-RateLimit-*` with seconds to wait.
    XDelta,
    /// `X-RateLimit-*` with seconds since 1970.
    XEpoch,
    /// `X-RateLimit-*` with an HTTP-date.
    XDate,
    /// What was used, and nothing else.
    Weights,
    None,
}

const DIALECTS: [(Variant, Dialect); 7] = [
    (variants::LIMITS_HEADERS_TRIPLE, Dialect::Triple),
    (variants::LIMITS_HEADERS_DRAFT_07, Dialect::Draft07),
    (variants::LIMITS_HEADERS_X_DELTA, Dialect::XDelta),
    (variants::LIMITS_HEADERS_X_EPOCH, Dialect::XEpoch),
    (variants::LIMITS_HEADERS_X_DATE, Dialect::XDate),
    (variants::LIMITS_HEADERS_WEIGHTS, Dialect::Weights),
    (variants::LIMITS_HEADERS_NONE, Dialect::None),
];

/// How one API speaks of its limits.
#[derive(Debug)]
pub(super) struct Speech {
    dialect: Dialect,
    is: Behaviour,
}

impl Speech {
    pub(super) fn of(is: &Behaviour) -> Self {
        let chosen = DIALECTS.iter().find(|(variant, _)| is.is(*variant)).map(|(_, dialect)| *dialect);
        // Counters that only the older dialects have.
        let counts = is.has(defect::NEGATIVE_REMAINING) || is.has(defect::REMAINING_RISES);
        let dialect = chosen.unwrap_or(if counts { Dialect::XDelta } else { Dialect::Ietf });
        Self { dialect, is: is.clone() }
    }

    /// The headers of an answer that was decided on at this time of day.
    pub(super) fn lines(&self, policy: &str, terms: &Terms, decision: &Decision, now: SystemTime) -> Lines {
        if !decision.admitted && self.is.has(defect::NO_RETRY_AFTER) {
            return Lines::new();
        }
        let mut told = decision.told;
        let mut lines = Lines::new();
        if !decision.admitted {
            if self.is.is(variants::LIMITS_RETRY_AFTER_LONGER) {
                told += Duration::from_secs(2);
            }
            self.retry_after(told, now, &mut lines);
            if self.is.has(defect::RESET_BEYOND_RETRY_AFTER) {
                told += Duration::from_secs(5);
            }
            if self.is.has(defect::CACHEABLE_REFUSAL) {
                lines.push((header::CACHE_CONTROL, "public, max-age=60".to_owned()));
            }
        }
        self.quota(policy, terms, decision, told, now, &mut lines);
        lines
    }

    fn retry_after(&self, told: Duration, now: SystemTime, lines: &mut Lines) {
        let value = if self.is.has(defect::FRACTIONAL_RETRY_AFTER) {
            format!("{}.{:03}", told.as_secs(), told.subsec_millis())
        } else if self.is.has(defect::EPOCH_RETRY_AFTER) {
            epoch(now + told).to_string()
        } else if self.is.has(defect::ZERO_RETRY_AFTER) {
            "0".to_owned()
        } else if self.is.is(variants::LIMITS_RETRY_AFTER_DATE) {
            // The date that the wait is counted from, so that a cached one cannot disagree.
            lines.push((header::DATE, httpdate::fmt_http_date(now)));
            date(now + told)
        } else {
            seconds(told).to_string()
        };
        lines.push((header::RETRY_AFTER, value));
    }

    fn quota(
        &self,
        policy: &str,
        terms: &Terms,
        decision: &Decision,
        told: Duration,
        now: SystemTime,
        lines: &mut Lines,
    ) {
        let limit = terms.advertised;
        let remaining = self.remaining(limit, decision);
        let reset = seconds(told);
        // A window is said where it is one of whole seconds.
        let window = terms.window.filter(|window| window.subsec_nanos() == 0);
        let window = window.map_or_else(String::new, |window| format!(";w={}", window.as_secs()));
        let triple = |names: Names, reset: String| {
            names.into_iter().zip([limit.to_string(), remaining.to_string(), reset]).collect::<Lines>()
        };
        match self.dialect {
            Dialect::Ietf => {
                let (unit, reset) = if terms.window.is_some() {
                    ("", format!(";t={reset}"))
                } else {
                    (";qu=\"concurrent-requests\"", String::new())
                };
                let said = if self.is.has(defect::DANGLING_POLICY) { "burst" } else { policy };
                let quote = if self.is.has(defect::UNPARSEABLE_FIELDS) { "" } else { "\"" };
                lines.push((RATELIMIT_POLICY, format!("\"{policy}\";q={limit}{window}{unit}")));
                lines.push((RATELIMIT, format!("\"{said}{quote};r={remaining}{reset}")));
            }
            Dialect::Draft07 => {
                lines.push((RATELIMIT_POLICY, format!("{limit}{window}")));
                lines.push((RATELIMIT, format!("limit={limit}, remaining={remaining}, reset={reset}")));
            }
            Dialect::Triple => {
                lines.push((RATELIMIT_POLICY, format!("{limit}{window}")));
                lines.extend(triple(TRIPLE, reset.to_string()));
            }
            Dialect::XDelta => lines.extend(triple(X_TRIPLE, reset.to_string())),
            Dialect::XEpoch => lines.extend(triple(X_TRIPLE, epoch(now + told).to_string())),
            Dialect::XDate => lines.extend(triple(X_TRIPLE, date(now + told))),
            Dialect::Weights => {
                let name = format!("x-mbx-used-weight-{}", interval(terms.window));
                lines.extend(name.parse().ok().map(|name: HeaderName| (name, decision.used.to_string())));
            }
            Dialect::None => {}
        }
    }

    fn remaining(&self, limit: u32, decision: &Decision) -> i64 {
        let honest = i64::from(limit.saturating_sub(decision.used));
        if self.is.has(defect::NEGATIVE_REMAINING) && decision.refused > 0 {
            return -i64::from(decision.refused);
        }
        if self.is.has(defect::REMAINING_RISES) && decision.used.is_multiple_of(3) {
            return (honest + i64::from(limit / 2)).min(i64::from(limit));
        }
        honest
    }
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Seconds since 1970, rounded up.
fn epoch(at: SystemTime) -> u64 {
    seconds(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// An HTTP-date (RFC 9110 §5.6.7), rounded up.
fn date(at: SystemTime) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(epoch(at)))
}

/// `1m`, `10s`; `now` for what has no window.
fn interval(window: Option<Duration>) -> String {
    match window.map(seconds) {
        None => "now".to_owned(),
        Some(seconds) if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        Some(seconds) => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Kind, terms::Terms},
        Behaviour, Decision, Duration, Speech, SystemTime, UNIX_EPOCH,
    };
    use crate::reference::{Options, Times, defect, variant};

    /// The lines about a request that came 1.2 s before the window of 2 s ends, at Thu, 01 Jan 2026 00:00:00.9 GMT.
    fn lines(kind: Kind, admitted: bool, defects: &[&str], variants: &[&str]) -> String {
        let options = Options {
            defects: defects.iter().map(|name| defect(name).unwrap()).collect(),
            variants: variants.iter().map(|name| variant(name).unwrap()).collect(),
            ..Options::default()
        };
        let is = Behaviour::new(&options);
        let terms = Terms::of(kind, &is, &Times::default());
        let (used, refused) = if admitted { (3, 0) } else { (10, 2) };
        let decision = Decision { admitted, used, refused, told: Duration::from_millis(1_200), delay: Duration::ZERO };
        let now: SystemTime = UNIX_EPOCH + Duration::from_millis(1_767_225_600_900);
        let lines = Speech::of(&is).lines("name", &terms, &decision, now);
        let mut text = String::new();
        for (name, value) in lines {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text
    }

    #[test]
    fn every_dialect_says_the_same() {
        for (dialect, said) in [
            ("triple", "ratelimit-policy: 10;w=2\nratelimit-limit: 10\nratelimit-remaining: 7\nratelimit-reset: 2\n"),
            ("draft-07", "ratelimit-policy: 10;w=2\nratelimit: limit=10, remaining=7, reset=2\n"),
            ("x-delta", "x-ratelimit-limit: 10\nx-ratelimit-remaining: 7\nx-ratelimit-reset: 2\n"),
            ("x-epoch", "x-ratelimit-limit: 10\nx-ratelimit-remaining: 7\nx-ratelimit-reset: 1767225603\n"),
            (
                "x-date",
                "x-ratelimit-limit: 10\nx-ratelimit-remaining: 7\nx-ratelimit-reset: Thu, 01 Jan 2026 00:00:03 GMT\n",
            ),
            ("weights", "x-mbx-used-weight-2s: 3\n"),
            ("none", ""),
        ] {
            let variant = format!("limits.headers-{dialect}");
            assert_eq!(lines(Kind::Log, true, &[], &[&variant]), said, "{dialect}");
            assert!(lines(Kind::Log, false, &[], &[&variant]).starts_with("retry-after: 2\n"), "{dialect}");
        }
        assert_eq!(
            lines(Kind::Log, true, &[], &[]),
            "ratelimit-policy: \"name\";q=10;w=2\nratelimit: \"name\";r=7;t=2\n"
        );
        assert_eq!(
            lines(Kind::Concurrency, false, &[], &[]),
            "retry-after: 2\nratelimit-policy: \"name\";q=10;qu=\"concurrent-requests\"\nratelimit: \"name\";r=0\n"
        );
    }

    #[test]
    fn waits_are_rounded_up_and_defects_misspell_them() {
        let retry = |defects: &[&str], variants: &[&str]| {
            let all = lines(Kind::Window, false, defects, variants);
            all.lines().take_while(|line| !line.starts_with("ratelimit-policy")).collect::<Vec<_>>().join("; ")
        };
        let dated = "date: Thu, 01 Jan 2026 00:00:00 GMT; retry-after: Thu, 01 Jan 2026 00:00:03 GMT";
        assert_eq!(retry(&[], &["limits.retry-after-date"]), dated);
        assert_eq!(retry(&[], &["limits.retry-after-longer"]), "retry-after: 4");
        assert_eq!(retry(&["rate.fractional-retry-after"], &[]), "retry-after: 1.200");
        assert_eq!(retry(&["rate.epoch-retry-after"], &[]), "retry-after: 1767225603");
        assert_eq!(retry(&["rate.zero-retry-after"], &[]), "retry-after: 0");
        assert_eq!(retry(&["rate.cacheable-refusal"], &[]), "retry-after: 2; cache-control: public, max-age=60");
        assert_eq!(retry(&["rate.no-retry-after"], &[]), "");
        assert!(lines(Kind::Window, false, &["rate.reset-beyond-retry-after"], &[]).contains("retry-after: 2\n"));
        assert!(lines(Kind::Window, false, &["rate.reset-beyond-retry-after"], &[]).contains(";t=7\n"));
    }

    #[test]
    fn defects_of_counters_speak_the_dialect_that_has_counters() {
        let remaining = |admitted, defect: &str| {
            let all = lines(Kind::Window, admitted, &[defect], &[]);
            all.lines().find_map(|line| line.strip_prefix("x-ratelimit-remaining: ")).map(str::to_owned)
        };
        assert_eq!(remaining(false, "rate.negative-remaining").as_deref(), Some("-2"));
        assert_eq!(remaining(true, "rate.negative-remaining").as_deref(), Some("7"));
        // Seven, and half of ten; never more than the limit.
        assert_eq!(remaining(true, "rate.remaining-rises").as_deref(), Some("10"));
    }
}
