//! Reading answers, and comparing a repeated one with the first.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use serde_json::value::RawValue;

use super::super::evidence::{Answer, Got};
use crate::{
    exchange::{Headers, Outcome, Reply, RetryAfter},
    json::{Path, Scalar, Step, fields},
};

/// Header fields by which servers mark a repeated answer.
const MARKERS: &[&str] =
    &["idempotent-replayed", "idempotency-replayed", "x-idempotent-replayed", "original-request", "x-cache-lookup"];
/// Longest text of an answer that is kept.
const LONGEST: usize = 200;
/// Largest content that is compared member by member.
const LARGEST: usize = 256 << 10;
/// Deepest nesting that is compared member by member.
const DEEPEST: usize = 64;

/// An answer, with what of it is not kept.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    pub(super) body: Bytes,
    pub(super) headers: Headers,
    /// How long the server asks to wait, if it gives a number of seconds.
    pub(super) retry_after: Option<Duration>,
}

/// Reads an outcome; `id` is where a success holds the id of what was created.
pub(super) fn hear(outcome: Outcome, id: &Path) -> Heard {
    let Reply { id: exchange, url, status, headers, body, sent, received } = match outcome {
        Ok(reply) => reply,
        Err(failure) => {
            let got = Got::Nothing { kind: failure.kind, why: cropped(&failure.message) };
            let answer = Answer { exchange: failure.id, got, ..Answer::default() };
            return Heard { answer, body: Bytes::new(), headers: Headers::default(), retry_after: None };
        }
    };
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let found = fields(&body, std::slice::from_ref(id)).ok().and_then(|mut found| found.pop().flatten());
    let retry_after = headers.get("retry-after").and_then(RetryAfter::parse);
    let retry_after = match retry_after {
        Some(RetryAfter::Delay(delay)) => Some(delay),
        _ => None,
    };
    let answer = Answer {
        exchange: Some(exchange),
        got: Got::Status(status),
        tries: 1,
        sent_us: micros(sent),
        received_us: micros(received),
        id: found.as_ref().and_then(Scalar::text).filter(|text| !text.is_empty()).map(cropped),
        // A reference is resolved against the target of the request (RFC 9110 §10.2.2).
        location: headers
            .get("location")
            .map(|place| cropped(url.join(place).as_ref().map_or(place, |resolved| resolved.as_str()))),
        marker: marker(&headers),
        difference: None,
    };
    Heard { answer, body, headers, retry_after }
}

fn marker(headers: &Headers) -> Option<String> {
    let (name, value) = MARKERS.iter().find_map(|name| Some((name, headers.get(name)?)))?;
    Some(format!("{name}: {}", cropped(value)))
}

/// The beginning of a text.
pub(super) fn cropped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl Heard {
    /// Notes where its content differs from the first answer's, apart from what may differ.
    pub(super) fn compare(&mut self, first: &Self, volatile: &[Path]) {
        if self.answer.is_success() {
            self.answer.difference = difference(&first.body, &self.body, volatile);
        }
    }

    /// Whether it holds a text, in its content or its header fields.
    pub(super) fn holds(&self, text: &str) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        body.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }
}

/// Where two contents differ; JSON is compared member by member, numbers as written, everything else octet by octet.
fn difference(first: &[u8], again: &[u8], volatile: &[Path]) -> Option<String> {
    if first == again {
        return None;
    }
    if first.len().max(again.len()) > LARGEST {
        return Some("the content differs, and is too large to say where".into());
    }
    let (Some(first), Some(again)) = (leaves(first), leaves(again)) else {
        return Some("the content differs, and is not JSON".into());
    };
    let differs = |at: &Vec<Step>| first.get(at) != again.get(at) && !volatile.iter().any(|path| covers(path, at));
    let at = first.keys().chain(again.keys()).find(|at| differs(at))?;
    let told = |value: Option<&Scalar>| value.map_or_else(|| "nothing".to_owned(), |value| cropped(&value.to_string()));
    Some(format!("{} was {} and is {}", path_of(at), told(first.get(at)), told(again.get(at))))
}

fn covers(path: &Path, at: &[Step]) -> bool {
    path.steps().is_some_and(|steps| at.starts_with(steps))
}

fn path_of(at: &[Step]) -> String {
    let mut path = "$".to_owned();
    for step in at {
        match step {
            Step::Member(name) => path.push_str(&format!(".{name}")),
            Step::Element(index) => path.push_str(&format!("[{index}]")),
        }
    }
    cropped(&path)
}

/// Every value that holds no other, by where it is.
fn leaves(body: &[u8]) -> Option<BTreeMap<Vec<Step>, Scalar>> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    let mut found = BTreeMap::new();
    collect(raw, &mut Vec::new(), &mut found)?;
    Some(found)
}

fn collect(raw: &RawValue, at: &mut Vec<Step>, found: &mut BTreeMap<Vec<Step>, Scalar>) -> Option<()> {
    let value = Scalar::from_raw(raw);
    if value != Scalar::Composite || at.len() >= DEEPEST {
        let value = if value == Scalar::Composite { Scalar::Text(raw.get().to_owned()) } else { value };
        found.insert(at.clone(), value);
        return Some(());
    }
    let mut inside = |step: Step, item: &RawValue| {
        at.push(step);
        let read = collect(item, at, found);
        at.pop();
        read
    };
    if raw.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        for (index, item) in items.into_iter().enumerate() {
            inside(Step::Element(index), item)?;
        }
    } else {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
        for (name, item) in members {
            inside(Step::Member(name), item)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(first: &str, again: &str) -> Option<String> {
        let volatile: Vec<Path> = ["$.meta.at", "$.request_id"].iter().map(|path| path.parse().unwrap()).collect();
        difference(first.as_bytes(), again.as_bytes(), &volatile)
    }

    #[test]
    fn order_and_white_space_and_what_is_volatile_do_not_count() {
        assert_eq!(differs(r#"{"a": 1, "b": [1, {}]}"#, r#"{"b":[1,{}],"a":1}"#), None);
        let (first, again) = (r#"{"a":1,"meta":{"at":"x"},"request_id":"1"}"#, r#"{"a":1,"meta":{"at":{"y":2}}}"#);
        assert_eq!(differs(first, again), None);
    }

    #[test]
    fn the_first_difference_is_named_and_numbers_count_as_written() {
        assert_eq!(differs(r#"{"a": {"b": 1.0}}"#, r#"{"a": {"b": 1.00}}"#).unwrap(), "$.a.b was 1.0 and is 1.00");
        assert_eq!(differs(r#"{"a": [1]}"#, r#"{"a": [1, "x"]}"#).unwrap(), "$.a[1] was nothing and is \"x\"");
        assert!(differs("<a/>", "<b/>").unwrap().contains("not JSON"));
    }

    #[test]
    fn deep_content_is_compared_without_deep_recursion() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(differs(&deep("1"), &deep("1")), None);
        assert!(differs(&deep("1"), &deep("2")).is_some());
    }
}
