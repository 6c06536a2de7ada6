//! One item of a suite's `errors:` list: a request that must fail, and how.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::notation::{RequestLine, Template};

/// A request that must fail, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorCase {
    /// The name of the check.
    pub name: String,
    /// Whose credentials are sent; nobody's if absent or `anonymous`. With `forged`, a bearer token that belongs to
    /// nobody is sent, and must not come back.
    #[serde(default)]
    pub client: Option<String>,
    /// The request; `{{value}}` and `{{canary}}` stand for the case's own instance data and marker.
    pub request: RequestLine,
    /// Query parameters to add.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Header fields to add.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// A JSON body.
    #[serde(default)]
    pub body: Option<Value>,
    /// A form body.
    #[serde(default)]
    pub form: Option<BTreeMap<String, Template>>,
    /// A body as it is, however broken.
    #[serde(default)]
    pub text: Option<Template>,
    /// The media type of `text`; `application/json` if absent.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The status that must come, or a list of acceptable ones.
    pub status: Statuses,
    /// What `conventions.errors.code` (or the `type` of problem details) must hold.
    #[serde(default)]
    pub code: Option<Literal>,
    /// A JSON Schema that the body must satisfy.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Instance data to repeat the same fault with, as `{{value}}`: the code must stay the same.
    #[serde(default)]
    pub values: Vec<Literal>,
    /// The invalid fields of the request, of which the error must name at least one.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Whether `{{canary}}` is a random marker that must not come back as markup.
    #[serde(default)]
    pub canary: bool,
}

/// The name that stands for a bearer token that belongs to nobody; no client of a suite may have it.
const FORGED: &str = "forged";

impl ErrorCase {
    /// The client of the suite whose credentials are sent.
    pub(super) fn named_client(&self) -> Option<&str> {
        self.client.as_deref().filter(|name| !matches!(*name, "anonymous" | FORGED))
    }

    /// Whether a bearer token that belongs to nobody is sent.
    pub(super) fn is_forged(&self) -> bool {
        self.client.as_deref() == Some(FORGED)
    }

    /// Whether something is sent that must not come back.
    pub(super) fn is_marked(&self) -> bool {
        self.canary || self.is_forged()
    }

    /// Every template of the request with its place in the item; those inside `body` are not among them.
    pub(super) fn templates(&self) -> impl Iterator<Item = (String, &Template)> {
        let mut all = vec![("/request".to_owned(), &self.request.target)];
        for (key, map) in [("query", Some(&self.query)), ("headers", Some(&self.headers)), ("form", self.form.as_ref())]
        {
            let named = map.into_iter().flatten();
            all.extend(named.map(|(name, template)| (format!("/{key}/{}", escape(name)), template)));
        }
        all.extend(self.text.iter().map(|text| ("/text".to_owned(), text)));
        all.into_iter()
    }

    /// The strings inside `body` that are templates, with their place in the item, as far as they can be read.
    pub(super) fn body_templates(&self) -> Vec<(String, Result<Template, String>)> {
        let mut found = Vec::new();
        if let Some(body) = &self.body {
            collect(body, "/body".to_owned(), &mut found);
        }
        found
    }

    /// The media type of `text`.
    pub(super) fn text_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or("application/json")
    }

    /// Whether `text` is labelled JSON and is none, or is sent where no content belongs.
    pub(super) fn is_malformed(&self) -> bool {
        let Some(text) = &self.text else { return false };
        let is_json = super::evidence::is_json(self.text_type().split(';').next().unwrap_or_default().trim());
        let broken = is_json && serde_json::from_str::<serde::de::IgnoredAny>(&text.to_string()).is_err();
        broken || matches!(self.request.method.as_str(), "GET" | "OPTIONS")
    }

    /// How many fields the body has, or the query if there is no body.
    pub(super) fn sent_fields(&self) -> usize {
        match (&self.body, &self.form) {
            (Some(body), _) => leaves(body),
            (None, Some(form)) => form.len(),
            (None, None) => self.query.len() + self.request.to_string().matches(['?', '&']).count(),
        }
    }
}

/// A member's name as a step of a JSON Pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn collect(value: &Value, at: String, found: &mut Vec<(String, Result<Template, String>)>) {
    match value {
        Value::String(text) if text.contains("{{") => found.push((at, text.parse())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                collect(item, format!("{at}/{}", escape(name)), found);
            }
        }
        _ => {}
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// One or more statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(pub Vec<u16>);

/// A string, or a number taken as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(pub String);

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 404, or a list of them")
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Statuses, E> {
        // What does not fit is out of range, which is reported later with everything else.
        Ok(Statuses(vec![u16::try_from(status).unwrap_or(u16::MAX)]))
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<Statuses, E> {
        Ok(Statuses(vec![u16::try_from(status).unwrap_or(u16::MAX)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Statuses, A::Error> {
        let mut statuses = Vec::new();
        while let Some(status) = seq.next_element()? {
            statuses.push(status);
        }
        Ok(Statuses(statuses))
    }
}

struct LiteralVisitor;

impl Visitor<'_> for LiteralVisitor {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Literal, E> {
        Ok(Literal(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Literal, E> {
        Ok(Literal(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Literal, E> {
        Ok(Literal(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LiteralVisitor)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ErrorStatuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A status, or a list of acceptable ones; 400 to 599.",
            "anyOf": [
                { "type": "integer", "minimum": 400, "maximum": 599 },
                { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 400, "maximum": 599 } }
            ]
        })
    }
}

impl JsonSchema for Literal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "description": "Text or a whole number." })
    }
}
