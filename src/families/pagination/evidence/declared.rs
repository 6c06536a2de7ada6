//! What the suite declares, as far as rules need it.

use serde::{Deserialize, Serialize};

use crate::families::pagination::config::Oversize;

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// A cursor in the body or a header field.
    #[default]
    Cursor,
    /// A `Link` header field.
    LinkHeader,
    /// A URL in the body.
    NextUrl,
    /// A page number.
    Page,
    /// A number of rows to skip.
    Offset,
    /// The last row's id.
    LastId,
}

impl Spelling {
    /// Whether the client counts pages or rows itself.
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Page | Self::Offset)
    }
}

/// What the suite declares, as far as rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of the suite, independent of the others")]
pub struct Declared {
    /// How the next page is asked for.
    pub spelling: Spelling,
    /// The parameter that sends the cursor, number or id back, where there is one.
    pub token_parameter: Option<String>,
    /// The parameter that asks for a page size.
    pub size_parameter: Option<String>,
    /// The page size when not asked.
    pub default_size: Option<u64>,
    /// The largest page size.
    pub maximum: Option<u64>,
    /// What happens to a larger one.
    pub oversize: Option<Oversize>,
    /// Whether rows never change.
    pub immutable: bool,
    /// Whether a row may be on two pages when rows are written.
    pub duplicates_allowed: bool,
    /// Whether a cursor can be used once only.
    pub single_use: bool,
    /// Whether everybody may see the rows.
    pub shared: bool,
    /// Names of the declared orders.
    pub orders: Vec<String>,
    /// Pairs of declared orders that are each other's reverse (same key, other direction).
    pub mirrors: Vec<(String, String)>,
    /// The order that holds when none is asked for.
    pub default_order: Option<String>,
    /// Whether totals are given, and how far they may be off in percent.
    pub total: Option<u8>,
    /// Whether totals are written as text.
    pub total_as_text: bool,
    /// The answer that tells a client to start again, in words.
    pub restart: Option<String>,
    /// Whether the target is reached by https.
    pub https: bool,
}
