//! How payloads are written.

use std::{collections::HashMap, str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime};
use rust_decimal::Decimal;

use super::super::{
    config::{Config, Unit},
    evidence::{Conduct, OddKind, Oddity},
    feed::Message,
};
use crate::{
    exchange::{ExchangeId, Handshake},
    families::Conventions,
    json::{Path, Scalar},
};

/// The most events whose instants are looked at.
const MOST: u64 = 2_000;
/// The most events that are read whole, for paths that lead everywhere.
const MOST_WHOLE: u64 = 200;
/// The most examples of one kind.
const EXAMPLES: usize = 5;
/// The most keys whose instants are followed.
const MOST_KEYS: usize = 1_000;
/// How far the server's clock may be from itself.
const SKEW: Duration = Duration::from_mins(1);

/// The most values of one path in one event.
const MOST_VALUES: usize = 50;
/// Instants of events lie in these years; what does not is a number of another unit.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2150;
/// Readers of JSON keep integers up to it (RFC 7493 §2.2).
const LARGEST_ID: u128 = (1 << 53) - 1;

/// Looks at events as they come.
pub(super) struct Observer {
    seen: Conduct,
    amounts: Vec<Path>,
    currencies: Vec<Path>,
    instants: Vec<Path>,
    ids: Vec<Path>,
    numbers: Option<bool>,
    unit: Option<Unit>,
    /// By path: whether a text was seen, and a number.
    forms: HashMap<String, [bool; 2]>,
    /// What the server's clock said, and when.
    clock: Option<(Timestamp, Duration)>,
    latest: HashMap<String, (Timestamp, String)>,
}

impl Observer {
    /// By the suite and these conventions; the handshake tells the server's clock.
    pub(super) fn new(config: &Config, conventions: &Conventions, handshake: &Handshake) -> Self {
        let date = handshake.headers.get("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let clock = date.and_then(|date| Timestamp::try_from(date).ok()).map(|date| (date, handshake.received));
        let payloads = &config.payloads;
        let or = |own: &[Path], common: Option<&Path>| {
            if own.is_empty() { common.into_iter().cloned().collect() } else { own.to_vec() }
        };
        let money = conventions.money.as_ref();
        let amounts = or(&payloads.amounts, money.map(|money| &money.amount));
        let currencies = or(&payloads.currencies, money.and_then(|money| money.currency.as_ref()));
        let ids: Vec<Path> = config.messages.id.iter().chain(&payloads.ids).cloned().collect();
        let agrees = config.stimulus.as_ref().is_some_and(|stimulus| !stimulus.agrees.is_empty());
        let paths = [&amounts, &currencies, &payloads.instants, &ids];
        let asked = agrees || config.messages.time.is_some() || paths.into_iter().any(|paths| !paths.is_empty());
        Self {
            seen: Conduct { asked, ..Conduct::default() },
            amounts,
            currencies,
            instants: payloads.instants.clone(),
            ids,
            numbers: payloads.numbers,
            unit: payloads.unit,
            forms: HashMap::new(),
            clock,
            latest: HashMap::new(),
        }
    }

    /// An event.
    pub(super) fn observe(&mut self, message: &Message) {
        self.seen.events += 1;
        if self.seen.events > MOST {
            return;
        }
        if let Some(written) = &message.time
            && let Some(instant) = self.instant("the time of the event", written, message.unit_time)
        {
            self.order(instant, written, message);
        }
        if self.seen.events > MOST_WHOLE {
            return;
        }
        let text = &message.text;
        for path in self.instants.clone() {
            for value in path.scalars(text, MOST_VALUES) {
                let number = matches!(value, Scalar::Number(_));
                if let Some(written) = value.text() {
                    self.instant(&path.to_string(), written, number);
                }
            }
        }
        for path in self.amounts.clone() {
            path.scalars(text, MOST_VALUES).into_iter().for_each(|value| self.amount(&path, value));
        }
        for path in self.currencies.clone() {
            for value in path.scalars(text, MOST_VALUES) {
                match value {
                    Scalar::Text(code) if !is_code(&code) => self.odd(OddKind::Currency, &path, format!("`{code}`")),
                    Scalar::Number(number) => self.odd(OddKind::Currency, &path, number),
                    _ => {}
                }
            }
        }
        for path in self.ids.clone() {
            for value in path.scalars(text, MOST_VALUES) {
                self.seen.ids += u64::from(value.text().is_some());
                if let Scalar::Number(number) = value
                    && number.trim_start_matches('-').parse::<u128>().is_ok_and(|id| id > LARGEST_ID)
                {
                    self.odd(OddKind::Id, &path, number);
                }
            }
        }
    }

    fn odd(&mut self, kind: OddKind, at: &impl ToString, written: String) {
        if self.seen.odd.iter().filter(|odd| odd.kind == kind).count() < EXAMPLES {
            self.seen.odd.push(Oddity { kind, at: at.to_string(), written });
        }
    }

    fn amount(&mut self, path: &Path, value: Scalar) {
        let (is_number, written) = match value {
            Scalar::Number(written) => (true, written),
            // An empty text stands for nothing.
            Scalar::Text(written) if !written.is_empty() => (false, written),
            _ => return,
        };
        self.seen.amounts += 1;
        match self.numbers {
            Some(numbers) if numbers != is_number => {
                let quoted = if is_number { written } else { format!("\"{written}\"") };
                return self.odd(OddKind::Form, path, quoted);
            }
            // By contract for readers that keep every digit.
            Some(true) => return,
            _ => {}
        }
        if is_number && !is_exact(&written) {
            keep(&mut self.seen.inexact, (path.to_string(), written.clone()));
        }
        if !is_number && looks_like_an_amount(&written) && !is_decimal(&written) {
            self.odd(OddKind::Decimal, path, format!("\"{written}\""));
        }
        // A path that leads to several members says nothing of one of them.
        if path.steps().is_some() && self.numbers.is_none() {
            let forms = self.forms.entry(path.to_string()).or_default();
            forms[usize::from(is_number)] = true;
            if *forms == [true, true] {
                self.odd(OddKind::Mixed, path, written);
            }
        }
    }

    /// An instant, if it can be read.
    fn instant(&mut self, at: &str, written: &str, is_number: bool) -> Option<Timestamp> {
        self.seen.instants += 1;
        let digits = !written.is_empty() && written.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
        if !is_number && !digits {
            let instant = written.parse::<Timestamp>();
            if instant.is_err() && written.parse::<DateTime>().is_ok() {
                keep(&mut self.seen.local, written.to_owned());
            } else if instant.is_err() && !written.is_empty() && httpdate::parse_http_date(written).is_err() {
                keep(&mut self.seen.no_instants, written.to_owned());
            }
            return instant.ok();
        }
        let Some(unit) = self.unit else {
            self.odd(OddKind::NoUnit, &at, written.to_owned());
            return None;
        };
        let instant = since(written, unit);
        // Nought stands for nothing.
        if instant.is_none() && written.bytes().any(|octet| (b'1'..=b'9').contains(&octet)) {
            let other = Unit::ALL.into_iter().find(|other| since(written, *other).is_some());
            let looks = other.map_or_else(String::new, |other| format!(", which looks like {}", other.name()));
            self.odd(OddKind::Unit, &at, format!("{written}{looks}, where {} are declared", unit.name()));
        }
        instant
    }

    /// The time of an event, against the clock and the event before.
    fn order(&mut self, instant: Timestamp, written: &str, message: &Message) {
        if let Some((clock, then)) = self.clock {
            let elapsed = message.at.saturating_sub(then) + SKEW;
            if clock.checked_add(elapsed).is_ok_and(|latest| instant > latest) {
                keep(&mut self.seen.ahead, (written.to_owned(), clock.to_string()));
            }
        }
        let key = message.key.as_deref().unwrap_or_default();
        let room = self.latest.len() < MOST_KEYS;
        match self.latest.get_mut(key) {
            Some((latest, before)) => {
                if instant < *latest {
                    keep(&mut self.seen.backwards, (before.clone(), written.to_owned()));
                }
                (*latest, *before) = (instant.max(*latest), written.to_owned());
            }
            None if room => {
                self.latest.insert(key.to_owned(), (instant, written.to_owned()));
            }
            None => {}
        }
    }

    /// The same members over HTTP and in an event; `paths` are those in the event.
    pub(super) fn compare(
        &mut self,
        paths: &[(String, Option<String>)],
        answer: &[Option<Scalar>],
        event: &[Option<Scalar>],
    ) {
        for (((path, _), answer), event) in paths.iter().zip(answer).zip(event) {
            let (Some(answer), Some(event)) = (answer, event) else { continue };
            self.seen.compared += 1;
            let differ = match (answer, event) {
                // By contract.
                (Scalar::Text(answer), Scalar::Number(_)) => !(self.numbers == Some(true) && is_decimal(answer)),
                (Scalar::Number(_), Scalar::Text(event)) => !(self.numbers == Some(false) && is_decimal(event)),
                _ => false,
            };
            if differ {
                keep(&mut self.seen.forms, (path.clone(), answer.to_string(), event.to_string()));
            }
        }
    }

    /// What was seen.
    pub(super) fn finish(mut self, exchange: ExchangeId) -> Conduct {
        self.seen.exchanges.push(exchange);
        self.seen
    }
}

fn keep<T>(list: &mut Vec<T>, example: T) {
    if list.len() < EXAMPLES {
        list.push(example);
    }
}

/// Whether a number is plain decimal with no more digits than a binary64 keeps.
fn is_exact(written: &str) -> bool {
    let digits = written.trim_start_matches('-').replace('.', "");
    digits.bytes().all(|octet| octet.is_ascii_digit()) && digits.trim_start_matches('0').len() <= 15
}

/// Whether a text is meant to be an amount: it has digits, or is what floating-point numbers without a value are called.
fn looks_like_an_amount(written: &str) -> bool {
    let named =
        ["nan", "infinity", "inf"].contains(&written.trim_start_matches(['+', '-']).to_ascii_lowercase().as_str());
    named || written.bytes().any(|octet| octet.is_ascii_digit())
}

/// Whether a text is a plain decimal.
fn is_decimal(written: &str) -> bool {
    let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// Whether a text can be the code of a currency or another unit of value, such as `EUR` or a ticker.
fn is_code(text: &str) -> bool {
    text.is_empty()
        || text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-/:".contains(&octet))
            && text.bytes().any(|octet| octet.is_ascii_alphabetic())
}

/// The instant so many units after 1970, if it is one at which events happen.
fn since(written: &str, unit: Unit) -> Option<Timestamp> {
    let count = Decimal::from_str(written).or_else(|_| Decimal::from_scientific(written)).ok()?;
    let per_second = Decimal::from(unit.per_second());
    let nanoseconds = (count / per_second).checked_mul(Decimal::from(1_000_000_000))?.trunc();
    let instant = Timestamp::from_nanosecond(nanoseconds.try_into().ok()?).ok()?;
    YEARS.contains(&instant.to_zoned(jiff::tz::TimeZone::UTC).year()).then_some(instant)
}

#[cfg(test)]
mod tests;
