//! Requests that prepare a run and clean up after it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::written::TemplateAsWritten;
use crate::{
    json::Path,
    notation::{RequestLine, Template, written_as_text},
};

/// One request of `setup` or `teardown`.
#[derive(Debug, Clone)]
pub struct Step {
    /// What reports call it; the request line if the suite gives no name.
    pub name: String,
    /// Whose credentials to send: a client of the suite, or `anonymous`.
    pub client: String,
    /// Method and path.
    pub request: RequestLine,
    /// Query parameters to add.
    pub query: Vec<(String, Template)>,
    /// Header fields to add.
    pub headers: Vec<(String, Template)>,
    /// What to send as content.
    pub content: Content,
    /// The statuses that are right; any 2xx if empty.
    pub expect: Vec<u16>,
    /// What to keep of the response, by the name it gets.
    pub capture: BTreeMap<String, Capture>,
}

impl Step {
    /// Whether a status is one the step expects.
    pub fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() { (200..300).contains(&status) } else { self.expect.contains(&status) }
    }
}

/// The content of a step's request.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// None.
    None,
    /// A JSON value; its strings are templates.
    Json(Value),
    /// An HTML form.
    Form(Vec<(String, Template)>),
    /// Text as it is, with its media type.
    Text(Template, Option<String>),
}

/// What to keep of a response.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Capture {
    /// The value a path leads to in the body.
    Body(Path),
    /// A header field, or a part of it.
    Header(HeaderCapture),
}

/// A header field, or a part of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderCapture {
    /// The name of the field.
    pub header: String,
    /// A regular expression with one group: the part to keep; the whole value if absent.
    #[serde(default)]
    pub pattern: Option<Pattern>,
}

/// A regular expression with exactly one group.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// What the group matches.
    pub fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.captures(text)?.get(1).map(|group| group.as_str())
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A pattern is bounded: it comes with the suite, which may be a stranger's.
        let regex = RegexBuilder::new(text).size_limit(1 << 20).nest_limit(50).build().map_err(|e| {
            let reason = e.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("this is not a regular expression: {reason}")
        })?;
        match regex.captures_len() - 1 {
            1 => Ok(Self(regex)),
            groups => Err(format!("the pattern has {groups} groups; exactly one says which part to keep")),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) const PATTERN: &str = "fincheck-pattern";

written_as_text!(Pattern, "Pattern", PATTERN, "A regular expression with exactly one group.", "/orders/([^/]+)$");

/// A step as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    /// What reports call it.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// A client of the suite, or `anonymous`.
    pub(super) client: String,
    /// Method and path.
    pub(super) request: RequestLine,
    /// Query parameters to add.
    #[serde(default)]
    pub(super) query: BTreeMap<String, TemplateAsWritten>,
    /// Header fields to add.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, TemplateAsWritten>,
    /// A JSON value to send; its texts may hold `{{names}}`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Value")]
    pub(super) body: Option<Value>,
    /// An HTML form to send.
    #[serde(default)]
    pub(super) form: Option<BTreeMap<String, TemplateAsWritten>>,
    /// Text to send as it is.
    #[serde(default)]
    pub(super) text: Option<Template>,
    /// The media type of `text`.
    #[serde(default)]
    pub(super) content_type: Option<String>,
    /// The status or statuses that are right; any 2xx if absent.
    #[serde(default)]
    pub(super) expect: Statuses,
    /// What to keep of the response, by the name it gets.
    #[serde(default)]
    pub(super) capture: BTreeMap<String, Capture>,
}

/// Tells `body: null`, which is sent, from no body.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl WrittenStep {
    /// The step as it runs; of several contents the first counts, which is reported elsewhere.
    pub(super) fn into_step(self) -> Step {
        let pairs = |map: BTreeMap<String, TemplateAsWritten>| map.into_iter().map(|(k, v)| (k, v.0)).collect();
        let content = match (self.body, self.form, self.text) {
            (Some(body), ..) => Content::Json(body),
            (None, Some(form), _) => Content::Form(pairs(form)),
            (None, None, Some(text)) => Content::Text(text, self.content_type),
            (None, None, None) => Content::None,
        };
        Step {
            name: self.name.unwrap_or_else(|| self.request.to_string()),
            client: self.client,
            request: self.request,
            query: pairs(self.query),
            headers: pairs(self.headers),
            content,
            expect: self.expect.0,
            capture: self.capture,
        }
    }
}

/// One status or several.
#[derive(Debug, Clone, Default)]
pub(super) struct Statuses(Vec<u16>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(u16),
            Several(Vec<u16>),
        }
        let statuses = match Form::deserialize(deserializer)? {
            Form::One(status) => vec![status],
            Form::Several(statuses) => statuses,
        };
        match statuses.iter().find(|status| !(100..600).contains(*status)) {
            Some(status) => Err(de::Error::custom(format!("{status} is not an HTTP status; they are 100 to 599"))),
            None => Ok(Self(statuses)),
        }
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let status = serde_json::json!({"type": "integer", "minimum": 100, "maximum": 599});
        json_schema!({"anyOf": [status, {"type": "array", "items": status}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_keeps_the_part_in_its_group() {
        let pattern: Pattern = "/orders/([^/]+)$".parse().unwrap();
        assert_eq!(pattern.capture("https://x.test/orders/7"), Some("7"));
        assert_eq!(pattern.capture("/positions/7"), None);
        for bad in ["a", "(a)(b)", "(", "(a{1000}{1000}{1000})", &"(".repeat(10_000)] {
            assert!(bad.parse::<Pattern>().is_err(), "{}", &bad[..bad.len().min(20)]);
        }
    }

    #[test]
    fn any_2xx_is_expected_unless_statuses_are_named() {
        let read = |text: &str| serde_json::from_str::<WrittenStep>(text).unwrap().into_step();
        let step = read(r#"{"client":"a","request":"POST /x","body":null}"#);
        assert!(step.expects(204) && !step.expects(304));
        assert_eq!(step.content, Content::Json(Value::Null));
        assert_eq!(step.name, "POST /x");
        let step = read(r#"{"client":"a","request":"GET /x","expect":[404]}"#);
        assert!(step.expects(404) && !step.expects(200));
        assert!(serde_json::from_str::<WrittenStep>(r#"{"client":"a","request":"GET /x","expect":99}"#).is_err());
    }
}
