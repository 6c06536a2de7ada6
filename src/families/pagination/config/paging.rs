//! How pages are asked for, and how they follow each other.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::Path;

/// A cursor in the body or in a header field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Cursor {
    /// Where the body holds the next page's cursor.
    #[serde(default)]
    pub(in crate::families::pagination) next: Option<Path>,
    /// The response header field that holds the next page's cursor.
    #[serde(default)]
    pub(in crate::families::pagination) header: Option<String>,
    /// The parameter that sends it back.
    pub(in crate::families::pagination) parameter: String,
}

/// Pages are numbered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct PageNumber {
    /// The parameter.
    pub(in crate::families::pagination) parameter: String,
    /// The first page's number.
    #[serde(default = "one")]
    #[schemars(with = "Option<u64>")]
    pub(in crate::families::pagination) first: u64,
}

fn one() -> u64 {
    1
}

/// Rows are skipped by number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Offset {
    /// The parameter that says how many rows to skip.
    pub(in crate::families::pagination) parameter: String,
}

/// The last row's id is sent back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct LastId {
    /// The parameter that sends it back (`starting_after`).
    pub(in crate::families::pagination) parameter: String,
}

/// How the number of rows on a page is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct PageSize {
    /// The parameter.
    pub(in crate::families::pagination) parameter: String,
    /// The sizes to try.
    #[serde(default = "default_sizes")]
    #[schemars(with = "Option<Vec<u64>>")]
    pub(in crate::families::pagination) sizes: Vec<u64>,
    /// What the API does when not asked, if it says so.
    #[serde(default)]
    pub(in crate::families::pagination) default: Option<u64>,
    /// The largest page, if the API says so.
    #[serde(default)]
    pub(in crate::families::pagination) maximum: Option<u64>,
    /// What happens to a larger one, if the API says so.
    #[serde(default)]
    pub(in crate::families::pagination) oversize: Option<Oversize>,
}

fn default_sizes() -> Vec<u64> {
    vec![1, 7, 100]
}

/// What happens to a page size over the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Oversize {
    /// The maximum is used.
    Clamped,
    /// The request is refused.
    Rejected,
}

/// A relation between pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// This page.
    #[serde(rename = "self")]
    This,
    /// The first page.
    First,
    /// The page before.
    Prev,
    /// The page after.
    Next,
    /// The last page.
    Last,
}

impl Relation {
    /// The relation of a link relation type, `previous` counting as `prev`.
    pub(in crate::families::pagination) fn of(rel: &str) -> Option<Self> {
        match rel {
            "self" => Some(Self::This),
            "first" => Some(Self::First),
            "prev" | "previous" => Some(Self::Prev),
            "next" => Some(Self::Next),
            "last" => Some(Self::Last),
            _ => None,
        }
    }

    /// The link relation type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::This => "self",
            Self::First => "first",
            Self::Prev => "prev",
            Self::Next => "next",
            Self::Last => "last",
        }
    }
}

/// An answer that means something to a client that walks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::families::pagination) struct Restart {
    /// Its status.
    pub(in crate::families::pagination) status: u16,
    /// Text that its body holds, such as the error code.
    #[serde(default)]
    pub(in crate::families::pagination) contains: Option<String>,
}

impl Restart {
    /// Whether a response is that answer.
    pub(in crate::families::pagination) fn is(&self, status: u16, body: &[u8]) -> bool {
        let holds = |text: &String| String::from_utf8_lossy(body).contains(text.as_str());
        self.status == status && self.contains.as_ref().is_none_or(holds)
    }
}
