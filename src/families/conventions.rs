//! What a suite declares once and every exchange is held against.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Path;

/// What a suite declares once and every exchange is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conventions {
    /// The header fields that carry a correlation id.
    pub correlation: Option<Correlation>,
    /// The shape of error bodies.
    pub errors: Option<ErrorShape>,
    /// Where amounts of money and their currencies are.
    pub money: Option<Money>,
    /// Where instants are.
    pub timestamps: Vec<Path>,
}

/// The header fields that carry a correlation id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Correlation {
    /// The request header field in which an id is sent; none is sent if absent.
    pub request: Option<String>,
    /// The response header field in which an id comes back.
    pub response: Option<String>,
    /// Whether the id of the request must come back (`echo: true`).
    pub echo: bool,
}

/// The shape of error bodies; paths begin at the root of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorShape {
    /// The media type of error bodies; any JSON type if absent.
    pub media_type: Option<String>,
    /// Where the machine-readable code is.
    pub code: Option<Path>,
    /// Where the message for people is.
    pub message: Option<Path>,
    /// Whether a message may be left out.
    pub message_optional: bool,
    /// Where the correlation id is, if it is in the body too.
    pub correlation_id: Option<Path>,
    /// Where the list of invalid fields is, or the name of the invalid field.
    pub fields: Option<Path>,
    /// A JSON Schema that every error body must satisfy.
    pub schema: Option<serde_json::Value>,
    /// Statuses whose body may be empty (for instance 401 and 403 in UK Open Banking).
    pub may_be_empty: Vec<u16>,
    /// Further shapes that are in use and legal, each a JSON Schema.
    pub also: Vec<serde_json::Value>,
    /// Whether fincheck asks for paths that do not exist (GET) in order to see errors; it does unless this is false.
    pub provoke: Option<bool>,
}

/// Where amounts of money and their currencies are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The amounts.
    pub amount: Path,
    /// The currencies, in the same order.
    pub currency: Option<Path>,
}
