//! How payloads are written.

use std::{collections::HashMap, time::Duration};

use jiff::{Timestamp, civil::DateTime};
use serde_json::Value;

use super::super::{evidence::Conduct, feed::Message};
use crate::{
    exchange::{ExchangeId, Handshake},
    families::Conventions,
    json::{Path, Scalar, fields},
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

/// Looks at events as they come.
pub(super) struct Observer {
    seen: Conduct,
    money: Option<Path>,
    /// What the server's clock said, and when.
    clock: Option<(Timestamp, Duration)>,
    latest: HashMap<String, (Timestamp, String)>,
}

impl Observer {
    /// By these conventions; the handshake tells the server's clock.
    pub(super) fn new(conventions: &Conventions, handshake: &Handshake) -> Self {
        let date = handshake.headers.get("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let clock = date.and_then(|date| Timestamp::try_from(date).ok()).map(|date| (date, handshake.received));
        let money = conventions.money.as_ref().map(|money| money.amount.clone());
        Self { seen: Conduct::default(), money, clock, latest: HashMap::new() }
    }

    /// An event.
    pub(super) fn observe(&mut self, message: &Message) {
        self.seen.events += 1;
        if self.seen.events > MOST {
            return;
        }
        if let Some(time) = message.time.as_deref().filter(|_| !message.unit_time) {
            self.instant(time, message);
        }
        if self.seen.events <= MOST_WHOLE
            && let Some(money) = &self.money
        {
            for written in numbers(money, &message.text) {
                if !is_exact(&written) {
                    keep(&mut self.seen.inexact, (money.to_string(), written));
                }
            }
        }
    }

    fn instant(&mut self, written: &str, message: &Message) {
        self.seen.instants += 1;
        let Ok(instant) = written.parse::<Timestamp>() else {
            let digits = written.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
            if written.parse::<DateTime>().is_ok() {
                keep(&mut self.seen.local, written.to_owned());
            } else if !digits && httpdate::parse_http_date(written).is_err() {
                keep(&mut self.seen.no_instants, written.to_owned());
            }
            return;
        };
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
            let differ =
                matches!((answer, event), (Scalar::Text(_), Scalar::Number(_)) | (Scalar::Number(_), Scalar::Text(_)));
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

/// The numbers that a path leads to; as written, where it only names members.
fn numbers(path: &Path, text: &[u8]) -> Vec<String> {
    if path.steps().is_some() {
        let values = fields(text, std::slice::from_ref(path)).unwrap_or_default();
        let numbers = values.into_iter().flatten().filter_map(|value| match value {
            Scalar::Number(written) => Some(written),
            _ => None,
        });
        return numbers.collect();
    }
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return Vec::new() };
    path.all(&value).into_iter().filter_map(Value::as_number).map(ToString::to_string).collect()
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
