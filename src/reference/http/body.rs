//! Request bodies: bounded, labelled as JSON, and strictly JSON.

use std::fmt;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::reference::problem::{Fault, Problem};

/// Largest request body in bytes.
const LARGEST: usize = 1024 * 1024;
/// Most bytes of a refused body that are still read.
const DRAINED: usize = 16 * LARGEST;

/// Reads a body of at most 1 MiB. A larger one is read on for a while and thrown away, since many clients look for an
/// answer only after they have sent everything.
pub(super) async fn read(mut body: Incoming) -> Result<Vec<u8>, Problem> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(Fault::InvalidJson, "the request body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen <= LARGEST {
            kept.extend_from_slice(&data);
        } else if seen > DRAINED {
            break;
        }
    }
    if seen > LARGEST {
        return Err(Problem::new(Fault::BodyTooLarge, format!("a request body may have at most {LARGEST} bytes")));
    }
    Ok(kept)
}

/// Parses JSON; member names may not repeat, since two amounts in one object leave open which one counts.
pub(super) fn parse(body: &[u8]) -> Result<Value, Problem> {
    if body.is_empty() {
        return Err(Problem::new(Fault::InvalidJson, "the request body is empty"));
    }
    serde_json::from_slice(body).map(|Json(value)| value).map_err(|error| {
        let detail = format!("the request body is not valid JSON (line {}, column {})", error.line(), error.column());
        Problem::new(Fault::InvalidJson, detail).received(&String::from_utf8_lossy(body))
    })
}

/// A JSON value without repeated member names.
#[derive(Debug)]
pub(in crate::reference) struct Json(pub(in crate::reference) Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict).map(Json)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Json(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Json(value))) = access.next_entry::<String, Json>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member name is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
}
