//! From a delivery to the events in it.

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{
    config::{Event as Spelling, Place},
    evidence::{Answered, Created, Event, Facts, Kind},
    scheme::Scheme,
};
use crate::{
    exchange::{Answer, Delivery, Headers},
    json::{Path, Scalar, Step},
};

/// Longer values are cut.
const LONGEST: usize = 200;
/// A delivery holds at most so many events that are read.
const MOST_ROWS: usize = 200;
/// Members that count or date attempts may differ from one attempt to the next: such names hold one of these words,
const BOOKKEEPING_WORDS: [&str; 3] = ["attempt", "retry", "retries"];
/// or are one of these, in any of the usual spellings.
const BOOKKEEPING_NAMES: [&str; 6] =
    ["pendingwebhooks", "deliveryid", "deliverytime", "deliverycount", "deliveredat", "sentat"];

/// What reading needs to know.
pub(super) struct Reader<'a> {
    pub(super) spelling: &'a Spelling,
    pub(super) scheme: Option<&'a Scheme>,
    /// What the monitor's vocabulary makes of a word.
    pub(super) means: &'a (dyn Fn(&str) -> Option<Kind> + Sync),
}

/// One event of a delivery.
struct Read {
    facts: Facts,
    id: Option<String>,
    content: String,
}

impl Reader<'_> {
    /// The events of a delivery to a mailbox; one that says why if there are none to be read.
    pub(super) fn read(&self, delivery: &Delivery, mailbox: usize, key: Option<&hmac::Key>) -> Vec<Event> {
        let event = |unreadable: Option<String>, read: Read| Event {
            exchange: delivery.id,
            mailbox,
            received_ms: u64::try_from(delivery.received.as_millis()).unwrap_or(u64::MAX),
            unreadable,
            answered: answered(&delivery.answered),
            late: false,
            sealed: self.scheme.zip(key).map(|(scheme, key)| scheme.judge(key, delivery, read.id.as_deref())),
            facts: read.facts,
            id: read.id,
            content: read.content,
        };
        match self.rows(&delivery.headers, &delivery.body) {
            Ok(rows) => rows.into_iter().map(|read| event(None, read)).collect(),
            Err(why) => {
                let read = Read { facts: Facts::default(), id: None, content: digest_of(&delivery.body) };
                vec![event(Some(why), read)]
            }
        }
    }

    /// What the attempts to deliver the same have in common.
    pub(super) fn same(&self, headers: &Headers, body: &[u8]) -> String {
        match self.rows(headers, body) {
            Ok(rows) => {
                let same: Vec<_> =
                    rows.iter().map(|read| read.facts.identity(&read.content, read.id.as_deref())).collect();
                digest_of(format!("{same:?}").as_bytes())
            }
            Err(_) => digest_of(body),
        }
    }

    fn rows(&self, headers: &Headers, body: &[u8]) -> Result<Vec<Read>, String> {
        let body: Value = serde_json::from_slice(body).map_err(|why| format!("not JSON: {why}"))?;
        let rows = match &self.spelling.batch {
            None => vec![&body],
            Some(path) => match path.all(&body).as_slice() {
                [Value::Array(rows)] => rows.iter().collect(),
                rows => rows.to_vec(),
            },
        };
        if rows.is_empty() {
            return Err("it holds no events where the suite says they are".into());
        }
        let read = |row: &Value| Read {
            facts: self.facts(row, headers),
            id: Self::text(self.spelling.id.as_ref(), row, headers),
            content: self.content(row),
        };
        Ok(rows.into_iter().take(MOST_ROWS).map(read).collect())
    }

    fn facts(&self, row: &Value, headers: &Headers) -> Facts {
        let Spelling { kind, subject, state, created, version, states, .. } = self.spelling;
        let state = Self::text(state.as_ref(), row, headers);
        let means = state.as_ref().and_then(|word| states.get(word).copied().or_else(|| (self.means)(word)));
        Facts {
            kind: Self::text(kind.as_ref(), row, headers),
            subject: Self::text(subject.as_ref(), row, headers),
            state,
            means,
            created: Self::scalar(created.as_ref(), row, headers).map_or(Created::Missing, |value| instant(&value)),
            version: Self::scalar(version.as_ref(), row, headers).filter(|version| version.text().is_some()),
        }
    }

    fn scalar(place: Option<&Place>, row: &Value, headers: &Headers) -> Option<Scalar> {
        match place? {
            Place::Header(name) => headers.get(name).map(|value| Scalar::Text(cut(value))),
            Place::Body(path) => match Scalar::from_value(path.first(row)?) {
                Scalar::Null => None,
                Scalar::Text(text) => Some(Scalar::Text(cut(&text))),
                scalar => Some(scalar),
            },
        }
    }

    fn text(place: Option<&Place>, row: &Value, headers: &Headers) -> Option<String> {
        Self::scalar(place, row, headers)?.text().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A digest of what an event says, whatever the order of its members, without its id and what may change between
    /// attempts.
    fn content(&self, row: &Value) -> String {
        let mut row = row.clone();
        if let Some(Place::Body(path)) = &self.spelling.id {
            forget(&mut row, path);
        }
        for path in &self.spelling.volatile {
            forget(&mut row, path);
        }
        digest_of(canonical(row).to_string().as_bytes())
    }
}

fn answered(answer: &Answer) -> Answered {
    match answer {
        Answer::Respond(200..=299, ..) => Answered::Acknowledged,
        Answer::Respond(status, ..) => Answered::Refused(*status),
        Answer::Hang(_) => Answered::Hung,
        Answer::Reset => Answered::Reset,
    }
}

fn instant(value: &Scalar) -> Created {
    let Some(text) = value.text() else { return Created::Other(value.to_string()) };
    if super::scheme::instant(text).is_some() {
        return Created::At(text.to_owned());
    }
    if text.parse::<jiff::civil::DateTime>().is_ok() {
        return Created::Zoneless(text.to_owned());
    }
    Created::Other(text.to_owned())
}

/// Removes the member that a path of plain steps leads to.
fn forget(value: &mut Value, path: &Path) {
    let Some((Step::Member(last), steps)) = path.steps().and_then(<[Step]>::split_last) else { return };
    let parent = steps.iter().try_fold(value, |at, step| match step {
        Step::Member(name) => at.get_mut(name.as_str()),
        Step::Element(index) => at.get_mut(*index),
    });
    if let Some(Value::Object(members)) = parent {
        members.shift_remove(last);
    }
}

/// Members in order, without those that keep the books of deliveries.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_kept = |name: &str| {
                let name = name.replace(['_', '-'], "").to_ascii_lowercase();
                !BOOKKEEPING_WORDS.iter().any(|word| name.contains(word)) && !BOOKKEEPING_NAMES.contains(&name.as_str())
            };
            let mut members: Vec<(String, Value)> =
                members.into_iter().filter(|(name, _)| is_kept(name)).map(|(name, v)| (name, canonical(v))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

fn digest_of(octets: &[u8]) -> String {
    HEXLOWER.encode(&digest::digest(&digest::SHA256, octets).as_ref()[..8])
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::exchange::ExchangeId;

    fn read(spelling: Value, body: &[u8]) -> Vec<Event> {
        let spelling: Spelling = serde_json::from_value(spelling).unwrap();
        let means = |word: &str| (word == "done").then_some(Kind::Succeeded);
        let delivery = Delivery {
            id: ExchangeId(7),
            method: "POST".into(),
            url: "http://h.example/x".parse().unwrap(),
            headers: [("x-id".to_owned(), "e-1".to_owned())].into_iter().collect(),
            body: Bytes::copy_from_slice(body),
            received: Duration::from_millis(5),
            clock: SystemTime::UNIX_EPOCH,
            answered: Answer::Reset,
        };
        Reader { spelling: &spelling, scheme: None, means: &means }.read(&delivery, 2, None)
    }

    fn spelling() -> Value {
        json!({
            "id": {"header": "X-Id"}, "type": "$.type", "created": "$.at", "subject": "$.op", "state": "$.state",
            "version": "$.n", "states": {"ok": "succeeded"}, "volatile": ["$.meta.seen"]
        })
    }

    #[test]
    fn an_event_is_known_by_what_the_suite_points_at() {
        let body = json!({"type": "t", "at": "2026-01-02T03:04:05Z", "op": 12, "state": "ok", "n": 3});
        let [event] = read(spelling(), body.to_string().as_bytes()).try_into().unwrap();
        assert_eq!((event.exchange, event.mailbox, event.received_ms), (ExchangeId(7), 2, 5));
        assert_eq!((event.id.as_deref(), event.answered), (Some("e-1"), Answered::Reset));
        let facts = Facts {
            kind: Some("t".into()),
            subject: Some("12".into()),
            state: Some("ok".into()),
            means: Some(Kind::Succeeded),
            created: Created::At("2026-01-02T03:04:05Z".into()),
            version: Some(Scalar::Number("3".into())),
        };
        assert_eq!(event.facts, facts);
    }

    #[test]
    fn the_monitors_words_are_understood_and_instants_are_told_apart() {
        let facts = |body: Value| read(spelling(), body.to_string().as_bytes())[0].facts.clone();
        assert_eq!(facts(json!({"state": "done"})).means, Some(Kind::Succeeded));
        assert_eq!(facts(json!({"state": "else"})).means, None);
        let created = |at: Value| facts(json!({"at": at})).created;
        assert_eq!(created(json!(1_700_000_000)), Created::At("1700000000".into()));
        assert_eq!(created(json!("2026-01-02T03:04:05")), Created::Zoneless("2026-01-02T03:04:05".into()));
        assert_eq!(created(json!("soon")), Created::Other("soon".into()));
        assert_eq!(created(json!(null)), Created::Missing);
    }

    #[test]
    fn attempts_may_be_counted_but_the_rest_must_stay() {
        let content = |body: Value| read(spelling(), body.to_string().as_bytes())[0].content.clone();
        let first = content(json!({"a": {"x": "1"}, "delivery_attempt": 1, "meta": {"seen": 1}}));
        assert_eq!(first, content(json!({"meta": {"seen": 2}, "pending_webhooks": 3, "a": {"x": "1"}})));
        assert_ne!(first, content(json!({"a": {"x": "2"}, "meta": {}})));
    }

    #[test]
    fn a_batch_holds_several_events_and_what_is_none_is_said() {
        let spelling = json!({"id": "$.id", "batch": "$.events"});
        let body = json!({"events": [{"id": "a"}, {"id": "b"}]}).to_string();
        let ids: Vec<_> = read(spelling.clone(), body.as_bytes()).into_iter().map(|event| event.id.unwrap()).collect();
        assert_eq!(ids, ["a", "b"]);
        for wrong in [&b"{}"[..], b"nope", b"", &[0xff], b"[[[", "[".repeat(5000).as_bytes()] {
            let [event] = read(spelling.clone(), wrong).try_into().unwrap();
            assert!(event.unreadable.is_some());
        }
    }
}
