//! What rows are like: orders, totals, filters, windows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::Path;

/// The orders a listing offers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Sort {
    /// The parameter that asks for an order, if there is one.
    #[serde(default)]
    pub(in crate::families::pagination) parameter: Option<String>,
    /// The order that holds when none is asked for; one of `orders`.
    #[serde(default)]
    pub(in crate::families::pagination) default: Option<String>,
    /// Orders, by name.
    pub(in crate::families::pagination) orders: BTreeMap<String, Order>,
}

/// One order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Order {
    /// Where a row's sort key is, from the row.
    pub(in crate::families::pagination) key: Path,
    /// Its direction.
    pub(in crate::families::pagination) direction: Direction,
    /// What orders rows whose keys are equal, for readers of the suite.
    #[serde(default)]
    #[expect(dead_code, reason = "documents the suite; any fixed order among equal keys is legal")]
    pub(in crate::families::pagination) tie: Option<Path>,
    /// What the parameter's value is, if it is not the order's name.
    #[serde(default)]
    pub(in crate::families::pagination) value: Option<String>,
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    Descending,
}

/// Where the total number of rows is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::families::pagination) struct Total {
    /// Where the body holds it.
    pub(in crate::families::pagination) path: Option<Path>,
    /// The response header field that holds it.
    pub(in crate::families::pagination) header: Option<String>,
    /// Where the body holds the number of pages.
    pub(in crate::families::pagination) pages: Option<Path>,
    /// How far it may be off, in percent: `5%`.
    pub(in crate::families::pagination) tolerance: Option<Percent>,
    /// Where the body says that it is an estimate.
    pub(in crate::families::pagination) estimate: Option<Path>,
    /// Whether the API writes it as text.
    pub(in crate::families::pagination) text: bool,
}

/// A whole percentage: `5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::families::pagination) struct Percent(pub(in crate::families::pagination) u8);

impl std::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_suffix('%')
            .and_then(|digits| digits.parse().ok())
            .filter(|percent| *percent <= 100)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a percentage; write a whole number and %, such as 5%"))
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^([0-9]|[1-9][0-9]|100)%$", "description": "A whole percentage.", "examples": ["5%"]
        })
    }
}

/// A filter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Filter {
    /// The parameter.
    pub(in crate::families::pagination) parameter: String,
    /// A value that some rows have.
    pub(in crate::families::pagination) value: String,
    /// Another value that other rows have, to see whether a cursor is bound to its filter.
    #[serde(default)]
    pub(in crate::families::pagination) other: Option<String>,
    /// Where a row holds what is filtered by, from the row.
    pub(in crate::families::pagination) row: Path,
}

/// A window of time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Window {
    /// The parameter that begins it.
    pub(in crate::families::pagination) from: String,
    /// The parameter that ends it.
    pub(in crate::families::pagination) to: String,
    /// Where a row's instant is, from the row.
    pub(in crate::families::pagination) key: Path,
    /// Which of its ends belong to it.
    pub(in crate::families::pagination) inclusive: Inclusive,
}

/// Which ends of a window belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inclusive {
    /// Both.
    Both,
    /// Only the beginning.
    From,
    /// Only the end.
    To,
    /// Neither.
    Neither,
}
