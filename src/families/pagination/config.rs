//! The `pagination:` block of a suite.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    json::Path,
    notation::{RequestLine, Span, Template},
};

/// One collection and how it is paged. Exactly one of `cursor`, `link_header`, `next_url`, `page`, `offset` and
/// `last_id` says how the next page is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of the suite, independent of the others")]
pub(super) struct Config {
    /// The name of the check, unique among the pagination checks.
    pub(super) name: String,
    /// The client whose credentials are sent; nobody's if absent.
    #[serde(default)]
    pub(super) client: Option<String>,
    /// The listing.
    pub(super) request: RequestLine,
    /// Query parameters of the listing.
    #[serde(default)]
    pub(super) query: BTreeMap<String, Template>,
    /// Header fields of the listing.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Template>,
    /// The JSON body of the listing, for those that are asked for by POST; paging parameters are added to it.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// Where the array of rows is.
    pub(super) rows: Path,
    /// Where a row's identity is, from the row.
    pub(super) id: Path,
    /// A cursor in the body or in a header field is sent back as a parameter.
    #[serde(default)]
    pub(super) cursor: Option<Cursor>,
    /// The next page's URL is in a `Link` header field (RFC 8288) with this relation type: `next`.
    #[serde(default)]
    pub(super) link_header: Option<String>,
    /// The next page's URL is in the body.
    #[serde(default)]
    pub(super) next_url: Option<Path>,
    /// Pages are numbered.
    #[serde(default)]
    pub(super) page: Option<PageNumber>,
    /// Rows are skipped by number.
    #[serde(default)]
    pub(super) offset: Option<Offset>,
    /// The last row's id is sent back as a parameter.
    #[serde(default)]
    pub(super) last_id: Option<LastId>,
    /// Where the body says whether more rows follow (`has_more`).
    #[serde(default)]
    pub(super) more: Option<Path>,
    /// How the number of rows on a page is asked for.
    #[serde(default)]
    pub(super) page_size: Option<PageSize>,
    /// The orders the listing offers.
    #[serde(default)]
    pub(super) sort: Option<Sort>,
    /// Where the total number of rows is.
    #[serde(default)]
    pub(super) total: Option<Total>,
    /// Other links in the body; those in a `Link` header field are always checked.
    #[serde(default)]
    pub(super) links: BTreeMap<Relation, Path>,
    /// Filters the listing offers.
    #[serde(default)]
    pub(super) filters: Vec<Filter>,
    /// The window of time the listing offers.
    #[serde(default)]
    pub(super) window: Option<Window>,
    /// Rows written while a walk goes on.
    #[serde(default)]
    pub(super) churn: Option<Churn>,
    /// A client of another tenant, who must not see these rows.
    #[serde(default)]
    pub(super) other_client: Option<String>,
    /// Whether every client may see these rows.
    #[serde(default)]
    pub(super) shared: bool,
    /// Whether rows never change, appear or disappear while they are walked.
    #[serde(default)]
    pub(super) immutable: bool,
    /// Whether the API says that a cursor can be used once only.
    #[serde(default)]
    pub(super) single_use: bool,
    /// Whether the API says that a row may be on more than one page when rows are written (UK Open Banking, CDR).
    #[serde(default)]
    pub(super) duplicates_allowed: bool,
    /// The answer that tells a client to start again from the first page.
    #[serde(default)]
    pub(super) restart: Option<Restart>,
    /// The answer that tells a client that no walk goes deeper than this; rows beyond are not asked for.
    #[serde(default)]
    pub(super) depth_limit: Option<Restart>,
    /// How long after its acknowledgement a written row may take to appear in the listing.
    #[serde(default = "default_lag")]
    #[schemars(with = "Option<Span>")]
    pub(super) list_lag: Span,
    /// The most pages that one walk reads.
    #[serde(default = "default_max_pages")]
    #[schemars(with = "Option<u64>", range(min = 3, max = 1_000_000))]
    pub(super) max_pages: u64,
}

fn default_lag() -> Span {
    Span(Duration::from_secs(5))
}

fn default_max_pages() -> u64 {
    100
}

/// A cursor in the body or in a header field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    /// Where the body holds the next page's cursor.
    #[serde(default)]
    pub(super) next: Option<Path>,
    /// The response header field that holds the next page's cursor.
    #[serde(default)]
    pub(super) header: Option<String>,
    /// The parameter that sends it back.
    pub(super) parameter: String,
}

/// Pages are numbered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageNumber {
    /// The parameter.
    pub(super) parameter: String,
    /// The first page's number.
    #[serde(default = "one")]
    #[schemars(with = "Option<u64>")]
    pub(super) first: u64,
}

fn one() -> u64 {
    1
}

/// Rows are skipped by number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Offset {
    /// The parameter that says how many rows to skip.
    pub(super) parameter: String,
}

/// The last row's id is sent back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LastId {
    /// The parameter that sends it back (`starting_after`).
    pub(super) parameter: String,
}

/// How the number of rows on a page is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageSize {
    /// The parameter.
    pub(super) parameter: String,
    /// The sizes to try.
    #[serde(default = "default_sizes")]
    #[schemars(with = "Option<Vec<u64>>")]
    pub(super) sizes: Vec<u64>,
    /// What the API does when not asked, if it says so.
    #[serde(default)]
    pub(super) default: Option<u64>,
    /// The largest page, if the API says so.
    #[serde(default)]
    pub(super) maximum: Option<u64>,
    /// What happens to a larger one, if the API says so.
    #[serde(default)]
    pub(super) oversize: Option<Oversize>,
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

/// The orders a listing offers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sort {
    /// The parameter that asks for an order, if there is one.
    #[serde(default)]
    pub(super) parameter: Option<String>,
    /// The order that holds when none is asked for; one of `orders`.
    #[serde(default)]
    pub(super) default: Option<String>,
    /// Orders, by name.
    pub(super) orders: BTreeMap<String, Order>,
}

/// One order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Where a row's sort key is, from the row.
    pub(super) key: Path,
    /// Its direction.
    pub(super) direction: Direction,
    /// What orders rows whose keys are equal, for readers of the suite.
    #[serde(default)]
    #[expect(dead_code, reason = "documents the suite; any fixed order among equal keys is legal")]
    pub(super) tie: Option<Path>,
    /// What the parameter's value is, if it is not the order's name.
    #[serde(default)]
    pub(super) value: Option<String>,
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
pub(super) struct Total {
    /// Where the body holds it.
    pub(super) path: Option<Path>,
    /// The response header field that holds it.
    pub(super) header: Option<String>,
    /// Where the body holds the number of pages.
    pub(super) pages: Option<Path>,
    /// How far it may be off, in percent: `5%`.
    pub(super) tolerance: Option<Percent>,
    /// Where the body says that it is an estimate.
    pub(super) estimate: Option<Path>,
    /// Whether the API writes it as text.
    pub(super) text: bool,
}

/// A whole percentage: `5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Percent(pub(super) u8);

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
    pub(super) fn of(rel: &str) -> Option<Self> {
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

/// A filter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// The parameter.
    pub(super) parameter: String,
    /// A value that some rows have.
    pub(super) value: String,
    /// Another value that other rows have, to see whether a cursor is bound to its filter.
    #[serde(default)]
    pub(super) other: Option<String>,
    /// Where a row holds what is filtered by, from the row.
    pub(super) row: Path,
}

/// A window of time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// The parameter that begins it.
    pub(super) from: String,
    /// The parameter that ends it.
    pub(super) to: String,
    /// Where a row's instant is, from the row.
    pub(super) key: Path,
    /// Which of its ends belong to it.
    pub(super) inclusive: Inclusive,
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

/// Rows written while a walk goes on. Only rows that this check itself created are ever deleted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Churn {
    /// Creates a row; `{{n}}` counts, `{{uuid}}` is fresh.
    pub(super) insert: Write,
    /// Creates a row whose sort key is `{{key}}`.
    #[serde(default)]
    pub(super) insert_tied: Option<Write>,
    /// Deletes the row `{{id}}`.
    #[serde(default)]
    pub(super) delete: Option<Write>,
}

/// A request that writes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    /// The client whose credentials are sent; the check's own if absent.
    #[serde(default)]
    pub(super) client: Option<String>,
    /// The request.
    pub(super) request: RequestLine,
    /// Header fields.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Template>,
    /// Its JSON body.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// Its form.
    #[serde(default)]
    pub(super) form: Option<BTreeMap<String, Template>>,
    /// Where the response holds the new row's id.
    #[serde(default)]
    pub(super) id: Option<Path>,
}

/// An answer that means something to a client that walks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    /// Its status.
    pub(super) status: u16,
    /// Text that its body holds, such as the error code.
    #[serde(default)]
    pub(super) contains: Option<String>,
}

impl Restart {
    /// Whether a response is that answer.
    pub(super) fn is(&self, status: u16, body: &[u8]) -> bool {
        let holds = |text: &String| String::from_utf8_lossy(body).contains(text.as_str());
        self.status == status && self.contains.as_ref().is_none_or(holds)
    }
}
