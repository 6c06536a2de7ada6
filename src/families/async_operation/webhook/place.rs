//! Where something of a delivery is: in a header field, or in the content.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use crate::json::Path;

/// Where something of a delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the header field of this name.
    Header(String),
    /// In the content, from the event's root.
    Body(Path),
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSONPath such as $.id, or { header: NAME }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Place, E> {
        text.parse().map(Place::Body).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Place, A::Error> {
        let mut header = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "header" {
                return Err(A::Error::unknown_field(&key, &["header"]));
            }
            header = Some(map.next_value()?);
        }
        header.map(Place::Header).ok_or_else(|| A::Error::missing_field("header"))
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventPlace".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let path = generator.subschema_for::<Path>();
        json_schema!({
            "description": "A JSONPath into the event, or the header field that holds it.",
            "anyOf": [path, {
                "type": "object", "required": ["header"], "additionalProperties": false,
                "properties": { "header": { "type": "string", "description": "The header field's name." } }
            }]
        })
    }
}

/// How a delivery is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The status, 200 to 299.
    pub status: u16,
    /// The content.
    pub body: String,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self { status: 200, body: String::new() }
    }
}

struct AcknowledgementVisitor;

impl<'de> Visitor<'de> for AcknowledgementVisitor {
    type Value = Acknowledgement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 200, or { status, body }")
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Acknowledgement, E> {
        // What does not fit is out of range, which is reported with everything else.
        Ok(Acknowledgement { status: u16::try_from(status).unwrap_or(u16::MAX), body: String::new() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Acknowledgement, A::Error> {
        let mut acknowledgement = Acknowledgement::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "status" => acknowledgement.status = map.next_value()?,
                "body" => acknowledgement.body = map.next_value()?,
                _ => return Err(A::Error::unknown_field(&key, &["status", "body"])),
            }
        }
        Ok(acknowledgement)
    }
}

impl<'de> Deserialize<'de> for Acknowledgement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AcknowledgementVisitor)
    }
}

impl JsonSchema for Acknowledgement {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Acknowledgement".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The status that acknowledges a delivery, with content where some is expected.",
            "anyOf": [{ "type": "integer", "minimum": 200, "maximum": 299 }, {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "status": { "type": "integer", "minimum": 200, "maximum": 299, "description": "200 unless given." },
                    "body": { "type": "string", "description": "The content." }
                }
            }]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_header() {
        let place = |value| serde_json::from_value::<Place>(value);
        assert_eq!(place(json!("$.id")).unwrap(), Place::Body("$.id".parse().unwrap()));
        assert_eq!(place(json!({"header": "X-Id"})).unwrap(), Place::Header("X-Id".into()));
        for bad in [json!("id"), json!({"heder": "X"}), json!({}), json!(1)] {
            assert!(place(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_acknowledgement_is_a_status_or_has_content() {
        let read = |value| serde_json::from_value::<Acknowledgement>(value);
        assert_eq!(read(json!(202)).unwrap(), Acknowledgement { status: 202, body: String::new() });
        assert_eq!(read(json!({"body": "[ok]"})).unwrap(), Acknowledgement { status: 200, body: "[ok]".into() });
        assert!(read(json!({"code": 1})).is_err() && read(json!("200")).is_err());
    }
}
