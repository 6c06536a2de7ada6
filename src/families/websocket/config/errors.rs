//! What a stream says of messages that it cannot understand.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::json::Path;

/// What the stream says of messages that cannot be understood.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// Messages that are wrong in the API's own terms: an unknown method, an unknown symbol. Garbage is tried by itself.
    pub messages: Vec<Wrong>,
    /// Where an error message has its code.
    pub code: Option<Path>,
    /// The largest message taken, in octets.
    pub largest: Option<u64>,
    /// Whether the connection is closed for a message that is no JSON, by contract.
    pub closes: bool,
}

/// A message that is wrong in the API's own terms.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What is wrong with it.
    pub name: String,
    /// The message.
    pub message: Value,
    /// Where it and its error have the same value: paths in the message, and in the error.
    #[serde(default)]
    pub correlation: Option<Correlated>,
}

/// A value that a message and its error have in common.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlated {
    /// In the message.
    pub message: Path,
    /// In the error.
    pub error: Path,
}
