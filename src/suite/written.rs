//! The parts of the format as they are written, before anything is looked up; the JSON Schema is made from these.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::step::WrittenStep;
use crate::{
    families::{Conventions, Permit},
    notation::{Format, Template, written_as_text},
    rule::Severity,
    wire::{Credentials, Limits},
};

/// A fincheck suite: one target, its clients, its conventions and the checks to make, a list for each family.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the parts are read one by one, so that one mistake hides no other; this is their schema")]
pub(super) struct Written {
    /// The version of this format: 1.
    fincheck: Version,
    /// What reports call the suite.
    name: String,
    /// A suite file to build on, relative to this one and in the same folder or below; own keys win.
    #[serde(default)]
    extends: Option<String>,
    /// Named conventions that come with fincheck; own keys win.
    #[serde(default)]
    preset: Option<String>,
    /// What is tested.
    target: WrittenTarget,
    /// The credentials to use, by name.
    #[serde(default)]
    clients: BTreeMap<String, Credentials>,
    /// The bounds of a run.
    #[serde(default)]
    limits: Option<Limits>,
    /// Values for `{{name}}`.
    #[serde(default)]
    vars: BTreeMap<String, AsWritten>,
    /// What every exchange is held against.
    #[serde(default)]
    conventions: Option<Conventions>,
    /// Requests to make before the checks; what they capture is a `{{name}}` for all that follows.
    #[serde(default)]
    setup: Vec<WrittenStep>,
    /// Requests to make at the end, whatever happened.
    #[serde(default)]
    teardown: Vec<WrittenStep>,
    /// Known failures that someone accepts.
    #[serde(default)]
    waivers: Vec<WrittenWaiver>,
    /// Other severities for rules, by rule id.
    #[serde(default)]
    severity: BTreeMap<String, Severity>,
}

/// What is tested.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTarget {
    /// An http or https URL; paths of requests are appended to it.
    pub(super) base_url: String,
    /// What a run may do to this target.
    #[serde(default = "read_only")]
    pub(super) permits: Vec<Permit>,
    /// Header fields to send with every request.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, AsWritten>,
    /// Whether to speak HTTP/2 from the first byte on, without asking.
    #[serde(default)]
    pub(super) http2: bool,
}

fn read_only() -> Vec<Permit> {
    vec![Permit::Read]
}

/// A known failure that someone accepts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWaiver {
    /// The rule's id.
    pub(super) rule: String,
    /// The check it fails on; every check if absent.
    #[serde(default)]
    pub(super) check: Option<String>,
    /// Why the failure is accepted.
    pub(super) reason: String,
    /// Who accepts it.
    pub(super) owner: String,
    /// The last day of the waiver.
    pub(super) expires: Expires,
}

/// The version of the format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version;

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(de::Error::custom("this fincheck reads version 1 of the suite format")),
        }
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": 1, "description": "The version of the suite format."})
    }
}

/// A text, number or boolean, taken as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AsWritten(pub(super) String);

impl<'de> Deserialize<'de> for AsWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Numbers and booleans of these places have become text before, without passing through a float.
        String::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for AsWritten {
    fn schema_name() -> Cow<'static, str> {
        "AsWritten".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"], "description": "A text, number or boolean, as written."})
    }
}

/// A text with `{{names}}`, or a number or boolean as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateAsWritten(pub(super) Template);

impl<'de> Deserialize<'de> for TemplateAsWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for TemplateAsWritten {
    fn schema_name() -> Cow<'static, str> {
        "TemplateAsWritten".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Template::json_schema(generator);
        schema.insert("type".into(), serde_json::json!(["string", "number", "boolean"]));
        schema
    }
}

/// The last day of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expires(pub(super) Date);

impl FromStr for Expires {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // jiff also reads times behind the day; a waiver has none.
        let is_day = text.len() == 10;
        text.parse().ok().filter(|_| is_day).map(Self).ok_or_else(|| {
            format!("`{text}` is not a day of the calendar; write year, month and day, such as 2027-03-31")
        })
    }
}

impl fmt::Display for Expires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const DATE: &str = "fincheck-date";

written_as_text!(Expires, "Date", DATE, "A day: year, month and day.", "2027-03-31");

/// Written forms that only the suite format knows, beside those of `notation`.
pub(super) static FORMATS: &[Format] = &[
    Format { name: DATE, check: |text| text.parse::<Expires>().map(drop) },
    Format { name: super::step::PATTERN, check: |text| text.parse::<super::step::Pattern>().map(drop) },
];
