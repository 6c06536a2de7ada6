//! Counters of a limit, whichever fields hold them.

use super::{
    super::{
        clock::epoch_us,
        config::{Dialect, ResetUnit, Signals},
        evidence::Answer,
    },
    retry_after::is_date_like,
    structured::{Structured, structured},
};

/// What one answer tells of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Counter {
    /// Which limit: the field's family, and the name in it if there are several.
    pub(in super::super) name: String,
    /// How many there are in all.
    pub(in super::super) limit: Option<i64>,
    /// How many are left.
    pub(in super::super) remaining: Option<i64>,
    /// When there will be more.
    pub(in super::super) reset: Option<Reset>,
    /// The field that says so.
    pub(in super::super) reset_field: String,
    /// Whether the fields are those of the IETF draft, of any version.
    pub(in super::super) ietf: bool,
}

/// When there will be more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Reset {
    /// In so many seconds.
    Delta(u64),
    /// At this instant, in microseconds since 1970, as this unit tells.
    At(i64, ResetUnit),
    /// It cannot be told what this means.
    Unknown(String),
}

impl Reset {
    /// The unit, if it can be told: a zero has none.
    pub(in super::super) fn unit(&self) -> Option<ResetUnit> {
        match self {
            Self::Delta(0) | Self::Unknown(_) => None,
            Self::Delta(_) => Some(ResetUnit::Delta),
            Self::At(_, unit) => Some(*unit),
        }
    }
}

/// Numbers below this are seconds to wait (three years of them).
const DELTAS: i64 = 100_000_000;
/// Numbers from here on are instants in seconds (2001-09-09).
const EPOCHS: i64 = 1_000_000_000;
/// Numbers from here on are instants in milliseconds.
const MILLIS: i64 = 100_000_000_000;

/// The families of three fields, and what people call each.
const TRIPLES: &[(&str, &str, Dialect)] = &[
    ("ratelimit-", "RateLimit-*", Dialect::Triple),
    ("x-ratelimit-", "X-RateLimit-*", Dialect::X),
    ("x-rate-limit-", "X-Rate-Limit-*", Dialect::X),
];

/// The counters of an answer.
pub(in super::super) fn counters(answer: &Answer, declared: &Signals) -> Vec<Counter> {
    let mut found = Vec::new();
    let reads = |dialect: Dialect| declared.dialect == Dialect::Auto || declared.dialect == dialect;
    if declared.limit.is_some() || declared.remaining.is_some() || declared.reset.is_some() {
        let value = |name: &Option<String>| answer.field(name.as_deref()?);
        let reset_field = declared.reset.clone().unwrap_or_default();
        let (limit, left, reset) = (value(&declared.limit), value(&declared.remaining), value(&declared.reset));
        found.extend(triple("as declared", &[limit, left, reset], reset_field, false));
        return found;
    }
    let field = |name: &str| answer.field(name);
    match structured(field("ratelimit").as_deref(), field("ratelimit-policy").as_deref()) {
        Structured::Named { policies, states, .. } if reads(Dialect::Ietf) => {
            found.extend(states.into_iter().map(|state| Counter {
                limit: policies.iter().find(|policy| policy.name == state.name).and_then(|policy| policy.q),
                name: format!("RateLimit \"{}\"", state.name),
                remaining: state.r,
                reset: state.t.and_then(|t| u64::try_from(t).ok()).map(Reset::Delta),
                reset_field: "RateLimit".into(),
                ietf: true,
            }));
        }
        Structured::Single { limit, remaining, reset } if reads(Dialect::Draft07) => found.push(Counter {
            name: "RateLimit".into(),
            limit,
            remaining,
            reset: reset.and_then(|t| u64::try_from(t).ok()).map(Reset::Delta),
            reset_field: "RateLimit".into(),
            ietf: true,
        }),
        _ => {}
    }
    for (prefix, name, dialect) in TRIPLES.iter().filter(|(.., dialect)| reads(*dialect)) {
        let of = |what: &str| field(&format!("{prefix}{what}"));
        let ietf = *dialect == Dialect::Triple;
        let values = ["limit", "remaining", "reset"].map(of);
        found.extend(triple(name, &values, format!("{prefix}reset"), ietf));
    }
    found
}

/// A counter of three fields: the limit, what is left, and the reset.
fn triple(name: &str, values: &[Option<String>; 3], reset_field: String, ietf: bool) -> Option<Counter> {
    if values.iter().all(Option::is_none) {
        return None;
    }
    let [limit, remaining, reset] = values;
    Some(Counter {
        name: name.to_owned(),
        limit: limit.as_deref().and_then(first_number),
        remaining: remaining.as_deref().and_then(first_number),
        reset: reset.as_deref().map(read_reset),
        reset_field,
        ietf,
    })
}

/// The number that a value begins with: `10, 10;w=1` is one of the draft's own examples.
fn first_number(value: &str) -> Option<i64> {
    value.split([',', ';']).next()?.trim().parse().ok()
}

/// Classifies a reset by its form and its magnitude.
pub(in super::super) fn read_reset(value: &str) -> Reset {
    let value = value.trim();
    let unknown = || Reset::Unknown(value.chars().take(80).collect());
    if let Ok(number) = value.parse::<i64>() {
        return match number {
            0..DELTAS => Reset::Delta(number.unsigned_abs()),
            EPOCHS..MILLIS => Reset::At(number.saturating_mul(1_000_000), ResetUnit::Epoch),
            MILLIS.. => Reset::At(number.saturating_mul(1_000), ResetUnit::EpochMs),
            _ => unknown(),
        };
    }
    if let Some((whole, part)) = value.split_once('.')
        && let (Ok(whole), true) = (whole.parse::<u64>(), part.bytes().all(|b| b.is_ascii_digit()))
    {
        return match i64::try_from(whole) {
            Ok(whole) if whole < DELTAS => Reset::Delta(whole.unsigned_abs() + 1),
            Ok(whole) if (EPOCHS..MILLIS).contains(&whole) => {
                Reset::At((whole + 1).saturating_mul(1_000_000), ResetUnit::Epoch)
            }
            _ => unknown(),
        };
    }
    if let Some(at) = epoch_us(value) {
        return Reset::At(at, ResetUnit::Date);
    }
    match value.parse::<jiff::Timestamp>() {
        Ok(at) => Reset::At(at.as_microsecond(), ResetUnit::Rfc3339),
        Err(_) => unknown(),
    }
}

/// Whether a value that cannot be classified is an instant in some form of its own.
pub(in super::super) fn is_instant(value: &str) -> bool {
    is_date_like(value)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::answer, *};

    /// Name, limit, what is left, and the unit of the reset.
    type Read = (String, Option<i64>, Option<i64>, Option<ResetUnit>);

    fn read(fields: &[(&str, &str)]) -> Vec<Read> {
        let counters = counters(&answer(fields), &Signals::default());
        counters.into_iter().map(|c| (c.name, c.limit, c.remaining, c.reset.and_then(|r| r.unit()))).collect()
    }

    #[test]
    fn every_spelling_is_read() {
        let named = [("ratelimit", "\"w\";r=3;t=2"), ("ratelimit-policy", "\"w\";q=10;w=2")];
        assert_eq!(read(&named), [("RateLimit \"w\"".into(), Some(10), Some(3), Some(ResetUnit::Delta))]);
        let single = [("ratelimit", "limit=5, remaining=0, reset=8")];
        assert_eq!(read(&single), [("RateLimit".into(), Some(5), Some(0), Some(ResetUnit::Delta))]);
        let triple = [("RateLimit-Limit", "10, 10;w=1"), ("RateLimit-Remaining", "9"), ("RateLimit-Reset", "1")];
        assert_eq!(read(&triple), [("RateLimit-*".into(), Some(10), Some(9), Some(ResetUnit::Delta))]);
        let x = [("X-Rate-Limit-Remaining", "-1"), ("X-Rate-Limit-Reset", "1795348431")];
        assert_eq!(read(&x), [("X-Rate-Limit-*".into(), None, Some(-1), Some(ResetUnit::Epoch))]);
        assert!(read(&[("date", "x")]).is_empty());
    }

    #[test]
    fn resets_are_classified_by_form_and_magnitude() {
        for (value, unit) in [
            ("8", Some(ResetUnit::Delta)),
            ("0.5", Some(ResetUnit::Delta)),
            ("1795348431", Some(ResetUnit::Epoch)),
            ("1795348431.25", Some(ResetUnit::Epoch)),
            ("1795348431000", Some(ResetUnit::EpochMs)),
            ("Sun, 22 Nov 2026 11:54:52 GMT", Some(ResetUnit::Date)),
            ("2026-11-22T11:54:52.5Z", Some(ResetUnit::Rfc3339)),
            ("0", None),
            ("-5", None),
            ("500000000", None),
            ("Sun Nov 22 2026 11:54:52 GMT+0000 (Coordinated Universal Time)", None),
        ] {
            assert_eq!(read_reset(value).unit(), unit, "{value}");
        }
        assert!(is_instant("Sun Nov 22 2026 11:54:52 GMT+0000 (Coordinated Universal Time)") && !is_instant("soon"));
    }

    #[test]
    fn declared_names_are_read_and_nothing_else() {
        let declared = Signals { remaining: Some("X-Left".into()), ..Signals::default() };
        let found = counters(&answer(&[("x-left", "4"), ("x-ratelimit-remaining", "7")]), &declared);
        assert_eq!((found.len(), found[0].remaining), (1, Some(4)));
    }
}
