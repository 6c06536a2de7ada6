//! Rows written while a walk goes on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    json::Path,
    notation::{RequestLine, Template},
};

/// Rows written while a walk goes on. Only rows that this check itself created are ever deleted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Churn {
    /// Creates a row; `{{n}}` counts, `{{uuid}}` is fresh.
    pub(in crate::families::pagination) insert: Write,
    /// Creates a row whose sort key is `{{key}}`.
    #[serde(default)]
    pub(in crate::families::pagination) insert_tied: Option<Write>,
    /// Deletes the row `{{id}}`.
    #[serde(default)]
    pub(in crate::families::pagination) delete: Option<Write>,
}

/// A request that writes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Write {
    /// The client whose credentials are sent; the check's own if absent.
    #[serde(default)]
    pub(in crate::families::pagination) client: Option<String>,
    /// The request.
    pub(in crate::families::pagination) request: RequestLine,
    /// Header fields.
    #[serde(default)]
    pub(in crate::families::pagination) headers: BTreeMap<String, Template>,
    /// Its JSON body.
    #[serde(default)]
    pub(in crate::families::pagination) body: Option<Value>,
    /// Its form.
    #[serde(default)]
    pub(in crate::families::pagination) form: Option<BTreeMap<String, Template>>,
    /// Where the response holds the new row's id.
    #[serde(default)]
    pub(in crate::families::pagination) id: Option<Path>,
}
