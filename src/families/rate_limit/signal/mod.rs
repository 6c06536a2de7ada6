//! What the header fields of an answer tell of a limit: when to come back, how much is left, of what.
//!
//! The IETF draft changed its shape three times and vendors have spellings of their own; each is recognised by its
//! form, none is malformed for being an older one. Pure: the probe and the rules read the same fields alike.

mod counters;
mod retry_after;
mod structured;

pub(super) use counters::{Counter, Reset, counters, is_instant};
pub(super) use retry_after::{Asked, asked};
pub(super) use structured::{Structured, structured};

use std::time::Duration;

use super::{
    clock::{Clock, epoch_us},
    config::{ResetUnit, Signals},
    evidence::Answer,
};

/// The header fields that are kept of an answer, besides those the suite names.
const KEPT: &[&str] = &[
    "retry-after",
    "date",
    "age",
    "cache-control",
    "x-cache",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "x-ratelimit-retry-after",
    "x-rate-limited-by",
];
/// Most lines kept of an answer.
const MOST: usize = 32;
/// Longest value kept, in characters.
const LONGEST: usize = 300;

/// The fields that are kept of an answer.
pub(super) fn kept<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>, declared: &Signals) -> Vec<(String, String)> {
    let own = [&declared.limit, &declared.remaining, &declared.reset, &declared.used];
    let wanted = |name: &str| {
        KEPT.contains(&name) || own.iter().any(|own| own.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    };
    let fields = headers.filter(|(name, _)| wanted(name)).take(MOST);
    fields.map(|(name, value)| (name.to_owned(), value.chars().take(LONGEST).collect())).collect()
}

/// How long a refusal asks to wait, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// From the end of the answer on.
    pub(super) wait: Duration,
    /// The field that says so.
    pub(super) by: String,
    /// Whether it depends on the target's clock.
    pub(super) absolute: bool,
}

/// How long a refusal asks to wait: `Retry-After` first (draft ratelimit §6), else the reset of what is spent.
pub(super) fn told(answer: &Answer, declared: &Signals, clock: &Clock) -> Option<Told> {
    if let Some(asked) = asked(answer) {
        match asked {
            Asked::Seconds(seconds) => {
                return Some(Told { wait: Duration::from_secs(seconds), by: "Retry-After".into(), absolute: false });
            }
            Asked::Date(date) => {
                if let Some(wait) = until(date, answer, clock) {
                    return Some(Told { wait, by: "Retry-After".into(), absolute: true });
                }
            }
            Asked::Malformed(_) => {}
        }
    }
    let spent = counters(answer, declared).into_iter().filter(|counter| counter.remaining.is_none_or(|left| left <= 0));
    let waits = spent.filter_map(|counter| {
        let (wait, absolute) = match counter.reset? {
            Reset::Delta(seconds) => (Duration::from_secs(seconds), false),
            Reset::At(at, _) => (until(at, answer, clock)?, true),
            Reset::Unknown(_) => return None,
        };
        Some(Told { wait, by: counter.reset_field, absolute })
    });
    waits.max_by_key(|told| told.wait)
}

/// From the end of an answer until the target's clock certainly shows an instant; by the answer's own `Date` where the
/// clocks disagree, and then a second may be missing.
fn until(at_us: i64, answer: &Answer, clock: &Clock) -> Option<Duration> {
    let own = || Some(at_us.saturating_sub(epoch_us(&answer.field("date")?)?));
    let wait = clock.until(at_us, answer.received_us).or_else(own)?;
    Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
}

/// The names of the policies that an answer says are spent.
pub(super) fn spent_policies(answer: &Answer) -> Vec<String> {
    match structured(answer.field("ratelimit").as_deref(), answer.field("ratelimit-policy").as_deref()) {
        Structured::Named { states, .. } => {
            states.into_iter().filter(|state| state.r.is_some_and(|r| r <= 0)).map(|state| state.name).collect()
        }
        _ => Vec::new(),
    }
}

/// How many requests are left, where just one counter says so.
pub(super) fn remaining(answer: &Answer, declared: &Signals) -> Option<u64> {
    let counters = counters(answer, declared);
    let mut told = counters.iter().filter_map(|counter| counter.remaining);
    let one = told.next()?;
    told.all(|other| other == one).then_some(one).and_then(|left| u64::try_from(left).ok())
}

/// How long a declared window is, as the policy tells: the longest of its windows.
pub(super) fn told_window(answer: &Answer) -> Option<u64> {
    match structured(answer.field("ratelimit").as_deref(), answer.field("ratelimit-policy").as_deref()) {
        Structured::Named { policies, .. } => policies.iter().filter_map(|policy| u64::try_from(policy.w?).ok()).max(),
        _ => None,
    }
}

/// How people call a unit.
pub(super) const fn unit_name(unit: ResetUnit) -> &'static str {
    match unit {
        ResetUnit::Delta => "seconds from now",
        ResetUnit::Epoch => "seconds since 1970",
        ResetUnit::EpochMs => "milliseconds since 1970",
        ResetUnit::Date => "an HTTP-date",
        ResetUnit::Rfc3339 => "an RFC 3339 instant",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exchange::ExchangeId, families::rate_limit::evidence::Kind};

    pub(super) fn answer(fields: &[(&str, &str)]) -> Answer {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer { exchange: ExchangeId(1), sent_us: 0, received_us: 2_000, status: 429, kind: Kind::Refused, fields }
    }

    fn seconds(fields: &[(&str, &str)]) -> Option<(u64, String)> {
        let answer = answer(fields);
        let mut clock = Clock::default();
        clock.note(&answer);
        let told = told(&answer, &Signals::default(), &clock)?;
        Some((told.wait.as_secs(), told.by))
    }

    #[test]
    fn the_wait_is_taken_from_retry_after_first_and_else_from_what_is_spent() {
        assert_eq!(seconds(&[("retry-after", "7"), ("x-ratelimit-reset", "9")]), Some((7, "Retry-After".into())));
        let named = "\"a\";r=0;t=4, \"b\";r=3;t=60";
        assert_eq!(seconds(&[("ratelimit", named)]), Some((4, "RateLimit".into())));
        assert_eq!(
            seconds(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3")]),
            Some((3, "x-ratelimit-reset".into()))
        );
        let date = ("date", "Fri, 31 Dec 1999 23:59:29 GMT");
        assert_eq!(seconds(&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"), date]).map(|(s, _)| s), Some(30));
        assert_eq!(seconds(&[("x-ratelimit-reset", "946684799"), date]).map(|(s, _)| s), None, "946684799 is 1999");
        assert_eq!(seconds(&[("retry-after", "7.9")]), None);
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn spent_policies_are_named() {
        assert_eq!(spent_policies(&answer(&[("ratelimit", "\"a\";r=0;t=4, \"b\";r=3")])), ["a"]);
        assert_eq!(told_window(&answer(&[("ratelimit-policy", "\"a\";q=1;w=4, \"b\";q=3;w=60")])), Some(60));
    }
}
