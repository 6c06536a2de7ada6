//! Signatures: what was declared, ready to be used, and what it says of a delivery.
//!
//! A signature is computed over the exact octets that came. What it covers is found out by trying: each part that was
//! sent is altered here, and the signature must no longer be valid.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};

use super::{
    config::{Algorithm, Encoding, Part, SecretEncoding, Signature},
    evidence::{Seal, Sealed},
    recipe::RECIPES,
};
use crate::{
    exchange::{Delivery, Headers},
    families::{Problem, nearest},
};

/// How far a timestamp may be from the time of arrival, unless the suite says otherwise.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Of so many signatures in one field each is tried.
const MOST_SIGNATURES: usize = 20;

/// How deliveries are signed.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    header: String,
    separator: Option<String>,
    /// What comes before and after a value in an item of the field.
    items: Vec<Item>,
    algorithm: hmac::Algorithm,
    encoding: Encoding,
    message: Vec<Piece>,
    timestamp_header: Option<String>,
    id_header: Option<String>,
    nonce_header: Option<String>,
    secret_prefix: String,
    secret_encoding: SecretEncoding,
    pub(super) tolerance: Duration,
    pub(super) covers: Option<Vec<Part>>,
    pub(super) attempt_timestamp: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    before: String,
    value: Value,
    after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Signature,
    Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part(Part),
}

/// What a signature speaks of.
#[derive(Debug, Clone)]
struct Input {
    body: Vec<u8>,
    timestamp: Option<String>,
    id: Option<String>,
    nonce: Option<String>,
    url: String,
}

impl Scheme {
    /// Reads what the suite declares; `at` is its place in the item.
    pub(super) fn read(own: &Signature, at: &str) -> Result<Self, Vec<Problem>> {
        let whole = match &own.recipe {
            None => own.clone(),
            Some(name) => {
                let recipe = RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
                    let problem = Problem::new(format!("{at}/recipe"), format!("there is no recipe `{name}`"));
                    vec![problem.help(nearest(name, RECIPES.iter().map(|recipe| recipe.name)))]
                })?;
                recipe.with(own)
            }
        };
        let mut problems = Vec::new();
        if whole.header.is_none() {
            let problem = Problem::new(at, "nothing says which header field holds the signature");
            problems.push(problem.help("name it with `header`, or a `recipe`"));
        }
        let fields =
            [("header", &whole.header), ("timestamp_header", &whole.timestamp_header), ("id_header", &whole.id_header)];
        for (key, name) in fields.into_iter().chain([("nonce_header", &whole.nonce_header)]) {
            if let Some(name) = name.as_ref().filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
                problems
                    .push(Problem::new(format!("{at}/{key}"), format!("`{name}` is not the name of a header field")));
            }
        }
        let items = items(whole.form.as_deref().unwrap_or("{signature}"), whole.separator.as_deref());
        let items = items.unwrap_or_else(|why| {
            problems.push(Problem::new(format!("{at}/form"), why));
            Vec::new()
        });
        let message = pieces(whole.message.as_deref().unwrap_or("{body}")).unwrap_or_else(|why| {
            problems.push(Problem::new(format!("{at}/message"), why));
            Vec::new()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            header: whole.header.unwrap_or_default(),
            separator: whole.separator,
            items,
            algorithm: match whole.algorithm.unwrap_or(Algorithm::Sha256) {
                Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                Algorithm::Sha256 => hmac::HMAC_SHA256,
                Algorithm::Sha512 => hmac::HMAC_SHA512,
            },
            encoding: whole.encoding.unwrap_or(Encoding::Hex),
            message,
            timestamp_header: whole.timestamp_header,
            id_header: whole.id_header,
            nonce_header: whole.nonce_header,
            secret_prefix: whole.secret_prefix.unwrap_or_default(),
            secret_encoding: whole.secret_encoding.unwrap_or(SecretEncoding::Utf8),
            tolerance: whole.tolerance.map_or(TOLERANCE, |span| span.0),
            covers: whole.covers,
            attempt_timestamp: whole.attempt_timestamp.unwrap_or(false),
        })
    }

    /// The key that a secret stands for.
    pub(super) fn key(&self, secret: &str) -> Result<hmac::Key, String> {
        let text = secret.strip_prefix(&self.secret_prefix).unwrap_or(secret);
        let octets = match self.secret_encoding {
            SecretEncoding::Utf8 => text.as_bytes().to_vec(),
            SecretEncoding::Hex => {
                HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| "the secret is not hexadecimal".to_owned())?
            }
            SecretEncoding::Base64 => base64(text).ok_or("the secret is not base64")?,
        };
        Ok(hmac::Key::new(self.algorithm, &octets))
    }

    /// What its signature says of a delivery; `id` is the event's, where no header field of the scheme holds one.
    pub(super) fn judge(&self, key: &hmac::Key, delivery: &Delivery, id: Option<&str>) -> Sealed {
        let header = |name: &Option<String>| name.as_ref().and_then(|name| delivery.headers.get(name));
        let (signatures, timestamp) = self.field(&delivery.headers);
        let timestamp = timestamp.or_else(|| header(&self.timestamp_header).map(str::to_owned));
        let input = Input {
            body: delivery.body.to_vec(),
            timestamp,
            id: header(&self.id_header).or(id).map(str::to_owned),
            nonce: header(&self.nonce_header).map(str::to_owned),
            url: delivery.url.to_string(),
        };
        let seal = self.seal(key, signatures.as_deref(), &input, header(&self.id_header).is_some());
        let age_s = input.timestamp.as_deref().and_then(instant).map(|at| seconds(delivery.clock) - at);
        Sealed { seal, timestamp: input.timestamp, age_s }
    }

    fn seal(&self, key: &hmac::Key, signatures: Option<&[Vec<u8>]>, input: &Input, id_sent: bool) -> Seal {
        let Some(signatures) = signatures else { return Seal::Missing(self.header.clone()) };
        if signatures.is_empty() {
            return Seal::Unreadable(self.header.clone());
        }
        let valid = |message: &[u8]| signatures.iter().any(|tag| hmac::verify(key, message, tag).is_ok());
        let missing: Vec<Part> = self.parts().filter(|part| input.get(*part).is_none()).collect();
        if !missing.is_empty() {
            return Seal::Incomplete(missing);
        }
        if !valid(&Self::message_of(&self.message, input)) {
            return Seal::Invalid { instead: self.instead(&valid, input) };
        }
        let mut sent = vec![Part::Body];
        sent.extend(input.timestamp.is_some().then_some(Part::Timestamp));
        sent.extend(id_sent.then_some(Part::Id));
        sent.extend(input.nonce.is_some().then_some(Part::Nonce));
        let covers = |part: &Part| !valid(&Self::message_of(&self.message, &input.altered(*part)));
        let (covered, uncovered) = sent.into_iter().partition(covers);
        Seal::Valid { covered, uncovered }
    }

    /// The parts of what is signed.
    fn parts(&self) -> impl Iterator<Item = Part> {
        self.message.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(*part),
            Piece::Text(_) => None,
        })
    }

    /// What the signature covers instead, if it is valid over fewer parts than declared.
    fn instead(&self, valid: &dyn Fn(&[u8]) -> bool, input: &Input) -> Option<Vec<Part>> {
        let parts: Vec<Part> = self.parts().collect();
        let joint = self.message.iter().find_map(|piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Part(_) => None,
        });
        let subsets = 1_u32..(1 << parts.len().min(5)) - 1;
        subsets.rev().find_map(|subset| {
            let chosen: Vec<Part> =
                parts.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, part)| *part).collect();
            let mut message = Vec::new();
            for part in &chosen {
                if !message.is_empty() {
                    message.push(Piece::Text(joint.clone().unwrap_or_default()));
                }
                message.push(Piece::Part(*part));
            }
            valid(&Self::message_of(&message, input)).then_some(chosen)
        })
    }

    fn message_of(pieces: &[Piece], input: &Input) -> Vec<u8> {
        let mut message = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => message.extend_from_slice(text.as_bytes()),
                Piece::Part(part) => message.extend_from_slice(input.get(*part).unwrap_or_default()),
            }
        }
        message
    }

    /// The signatures and the timestamp that the field holds; no signatures at all if there is no such field.
    fn field(&self, headers: &Headers) -> (Option<Vec<Vec<u8>>>, Option<String>) {
        let (mut signatures, mut timestamp, mut there) = (Vec::new(), None, false);
        for field in headers.all(&self.header) {
            there |= !field.trim().is_empty();
            let values: Vec<&str> = match &self.separator {
                Some(separator) => field.split(separator.as_str()).collect(),
                None => vec![field],
            };
            for value in values.into_iter().take(MOST_SIGNATURES) {
                let value = value.trim();
                for item in &self.items {
                    let inner = value.strip_prefix(&item.before).and_then(|rest| rest.strip_suffix(&item.after));
                    match (item.value, inner) {
                        (Value::Signature, Some(text)) => signatures.extend(self.decode(text)),
                        (Value::Timestamp, Some(text)) => timestamp = Some(text.to_owned()),
                        (_, None) => {}
                    }
                }
            }
        }
        (there.then_some(signatures), timestamp)
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        let octets = match self.encoding {
            Encoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            Encoding::Base64 => base64(text),
        };
        octets.filter(|octets| !octets.is_empty())
    }
}

impl Input {
    fn get(&self, part: Part) -> Option<&[u8]> {
        match part {
            Part::Body => Some(&self.body),
            Part::Timestamp => self.timestamp.as_ref().map(String::as_bytes),
            Part::Id => self.id.as_ref().map(String::as_bytes),
            Part::Nonce => self.nonce.as_ref().map(String::as_bytes),
            Part::Url => Some(self.url.as_bytes()),
        }
    }

    /// The same with one octet of a part changed.
    fn altered(&self, part: Part) -> Self {
        let mut altered = self.clone();
        let change = |text: &mut Option<String>| {
            if let Some(text) = text {
                let last = text.pop();
                text.push(if last == Some('0') { '1' } else { '0' });
            }
        };
        match part {
            Part::Body => match altered.body.last_mut() {
                Some(last) => *last ^= 1,
                None => altered.body.push(b' '),
            },
            Part::Timestamp => change(&mut altered.timestamp),
            Part::Id => change(&mut altered.id),
            Part::Nonce => change(&mut altered.nonce),
            Part::Url => altered.url.push('0'),
        }
        altered
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let octets = BASE64.decode(text.as_bytes()).or_else(|_| BASE64_NOPAD.decode(text.as_bytes()));
    octets.ok()
}

/// The items of a field's form.
fn items(form: &str, separator: Option<&str>) -> Result<Vec<Item>, String> {
    let parts: Vec<&str> = match separator {
        Some("") => return Err("an empty separator separates nothing".into()),
        // A form without the separator between two values is that of one item, of which there may be several.
        Some(separator) => form.split(separator).collect(),
        None => vec![form],
    };
    let mut items = Vec::new();
    for part in parts {
        let found = [("{signature}", Value::Signature), ("{timestamp}", Value::Timestamp)];
        let found = found.into_iter().find_map(|(name, value)| Some((part.split_once(name)?, value)));
        let Some(((before, after), value)) = found else {
            return Err(format!("`{part}` holds neither {{signature}} nor {{timestamp}}"));
        };
        if after.contains('{') || before.contains('{') {
            return Err(format!("`{part}` holds two values; say with `separator` what is between them"));
        }
        items.push(Item { before: before.trim_start().to_owned(), value, after: after.trim_end().to_owned() });
    }
    if items.iter().any(|item| item.value == Value::Signature) {
        Ok(items)
    } else {
        Err(format!("`{form}` has no {{signature}}"))
    }
}

/// The pieces of a message's form.
fn pieces(form: &str) -> Result<Vec<Piece>, String> {
    let names = [Part::Body, Part::Timestamp, Part::Id, Part::Nonce, Part::Url];
    let (mut pieces, mut rest) = (Vec::new(), form);
    while let Some((text, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{form}` has a brace that is not closed"))?;
        let part = names.into_iter().find(|part| part.as_str() == name);
        let known = names.map(|part| format!("{{{}}}", part.as_str())).join(", ");
        let part = part.ok_or_else(|| format!("`{{{name}}}` is not one of {known}"))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(Piece::Part(part));
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::Part(_))) {
        Ok(pieces)
    } else {
        Err(format!("`{form}` names nothing that is signed"))
    }
}

/// An instant in seconds since 1970: a number of seconds or milliseconds, or a date as RFC 3339 or RFC 9110 write it.
pub(super) fn instant(text: &str) -> Option<i64> {
    /// Seconds do not get as large before the year 5000; milliseconds were in 1973.
    const MILLISECONDS: i64 = 100_000_000_000;
    if let Ok(number) = text.parse::<i64>() {
        return Some(if number >= MILLISECONDS { number / 1000 } else { number });
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_second());
    }
    httpdate::parse_http_date(text).ok().map(seconds)
}

/// Seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> i64 {
    let whole = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

#[cfg(test)]
mod tests;
