//! The credentials of one client.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Deserialize;

/// What one entry of a suite's `clients` holds; never printed.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credentials {
    /// A bearer token (RFC 6750).
    Bearer(String),
    /// A name and a password (RFC 7617).
    Basic(Basic),
    /// Header fields and their values.
    Header(BTreeMap<String, String>),
    /// Query parameters and their values.
    Query(BTreeMap<String, String>),
}

/// A name and a password.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The name.
    pub username: String,
    /// The password; may be empty.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[credentials]")
    }
}
