//! What a client of the suite proves itself with.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use data_encoding::BASE64;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// Text that is never printed.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes charge of a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// What a client sends with each of its requests: one entry of a suite's `clients` block.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// A bearer token (RFC 6750 §2.1).
    Bearer(Secret),
    /// A name and a password (RFC 7617).
    Basic {
        /// The name; holds no colon.
        username: String,
        /// The password.
        password: Secret,
    },
    /// Header fields and their values.
    Header(BTreeMap<String, Secret>),
    /// Query parameters and their values, not yet percent-encoded.
    Query(BTreeMap<String, Secret>),
}

impl Credentials {
    /// Everything that must not be shown, in each form it is sent in.
    pub fn secrets(&self) -> Vec<String> {
        match self {
            Self::Bearer(token) => vec![token.expose().to_owned()],
            Self::Basic { username, password } => {
                vec![password.expose().to_owned(), basic(username, password.expose())]
            }
            Self::Header(values) => values.values().flat_map(spellings).collect(),
            Self::Query(values) => values.values().map(|value| value.expose().to_owned()).collect(),
        }
    }

    /// The secrets by name, as a message can carry them instead: nothing but the secret where there is one only.
    pub fn named(&self) -> Vec<(Option<&str>, &str)> {
        match self {
            Self::Bearer(token) => vec![(None, token.expose())],
            Self::Basic { username, password } => {
                vec![(Some("username"), username), (Some("password"), password.expose())]
            }
            Self::Header(values) | Self::Query(values) => {
                let only = values.values().next().filter(|_| values.len() == 1).map(|value| (None, value.expose()));
                only.into_iter()
                    .chain(values.iter().map(|(name, value)| (Some(name.as_str()), value.expose())))
                    .collect()
            }
        }
    }

    /// The header fields to send.
    pub(super) fn header_fields(&self) -> Vec<(&str, String)> {
        match self {
            Self::Bearer(token) => vec![("authorization", format!("Bearer {}", token.expose()))],
            Self::Basic { username, password } => {
                vec![("authorization", format!("Basic {}", basic(username, password.expose())))]
            }
            Self::Header(values) => values.iter().map(|(name, v)| (name.as_str(), v.expose().to_owned())).collect(),
            Self::Query(_) => Vec::new(),
        }
    }

    /// The query parameters to send.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        match self {
            Self::Query(values) => values.iter().map(|(name, v)| (name.clone(), v.expose().to_owned())).collect(),
            Self::Bearer(_) | Self::Basic { .. } | Self::Header(_) => Vec::new(),
        }
    }
}

fn basic(username: &str, password: &str) -> String {
    BASE64.encode(format!("{username}:{password}").as_bytes())
}

/// The whole value, and what follows an authentication scheme (`ApiKey abc`): a peer may echo either.
fn spellings(value: &Secret) -> Vec<String> {
    let value = value.expose();
    let after_scheme = value.split_once(' ').map(|(_, rest)| rest.trim().to_owned());
    std::iter::once(value.to_owned()).chain(after_scheme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Credentials {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_kind_is_read_and_says_what_it_sends_and_hides() {
        let cases = [
            (r#"{"bearer": "tok"}"#, vec![("authorization", "Bearer tok")], vec!["tok"]),
            (
                r#"{"basic": {"username": "ann", "password": "p:w"}}"#,
                vec![("authorization", "Basic YW5uOnA6dw==")],
                vec!["p:w", "YW5uOnA6dw=="],
            ),
            (r#"{"header": {"X-Key": "ApiKey abc"}}"#, vec![("X-Key", "ApiKey abc")], vec!["ApiKey abc", "abc"]),
            (r#"{"query": {"key": "k&y"}}"#, vec![], vec!["k&y"]),
        ];
        for (text, fields, secrets) in cases {
            let credentials = read(text);
            let sent = credentials.header_fields();
            assert_eq!(sent.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>(), fields, "{text}");
            assert_eq!(credentials.secrets(), secrets, "{text}");
        }
        assert_eq!(read(r#"{"query": {"key": "k&y"}}"#).query(), [("key".into(), "k&y".into())]);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        for text in [r#"{"bearer": "hush"}"#, r#"{"basic": {"username": "u", "password": "hush"}}"#] {
            let shown = format!("{:?}", read(text));
            assert!(!shown.contains("hush") && shown.contains("[secret]"), "{shown}");
        }
    }

    #[test]
    fn unknown_kinds_and_fields_are_refused() {
        for text in [r#"{"token": "x"}"#, r#"{"basic": {"username": "u", "password": "p", "realm": "r"}}"#] {
            assert!(serde_json::from_str::<Credentials>(text).is_err(), "{text}");
        }
    }
}
