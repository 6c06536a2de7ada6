//! The `pagination:` block of a suite.

mod churn;
mod paging;
mod rows;

pub(super) use churn::{Churn, Write};
pub(super) use paging::{Cursor, LastId, Offset, PageNumber, PageSize, Restart};
pub use paging::{Oversize, Relation};
pub use rows::{Direction, Inclusive};
pub(super) use rows::{Filter, Order, Sort, Total, Window};

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
