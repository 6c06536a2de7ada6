//! One walk: pages, rows, and how it ended.

use serde::{Deserialize, Serialize};

use super::{OrderSeen, RowId, RowList};
use crate::{
    exchange::{ExchangeId, FailureKind},
    families::pagination::config::Relation,
    json::Scalar,
};

/// One walk from the first page on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// What was asked for, in brief: `limit=7`.
    pub asked: String,
    /// The page size asked for.
    pub size: Option<u64>,
    /// The order asked for.
    pub order: Option<String>,
    /// The pages, in order.
    pub pages: Vec<PageFact>,
    /// The rows, in order.
    pub rows: RowList,
    /// A hash of each row's sort key, where ties are looked for.
    pub keys: Vec<u64>,
    /// How many rows had no usable id.
    pub nameless: usize,
    /// What was seen of the declared order.
    pub order_seen: Option<OrderSeen>,
    /// Cursors of the first pages.
    pub tokens: Vec<TokenSample>,
    /// Links of the first two pages and of the last.
    pub links: Vec<LinkSeen>,
    /// How it ended.
    pub end: End,
}

impl Walk {
    /// The rows, given those of the reference walk.
    pub fn rows<'a>(&'a self, reference: &'a [RowId]) -> &'a [RowId] {
        match &self.rows {
            RowList::Listed(rows) => rows,
            RowList::AsReference(count) => &reference[..(*count).min(reference.len())],
        }
    }

    /// Whether it went on to the end of the listing.
    pub fn is_complete(&self) -> bool {
        matches!(self.end, End::Terminator(_))
    }

    /// Which page a row (counting from 0) was on, counting pages from 0.
    pub fn page_of(&self, row: usize) -> usize {
        let mut first = 0;
        for (number, page) in self.pages.iter().enumerate() {
            first += page.rows as usize;
            if row < first {
                return number;
            }
        }
        self.pages.len().saturating_sub(1)
    }

    /// The index of the first row of a page.
    pub fn first_of(&self, page: usize) -> usize {
        self.pages.iter().take(page).map(|p| p.rows as usize).sum()
    }

    /// The exchange that delivered a row (counting from 0).
    pub fn exchange_of(&self, row: usize) -> Option<ExchangeId> {
        self.pages.get(self.page_of(row)).map(|page| page.exchange)
    }
}

/// One page of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFact {
    /// The exchange.
    pub exchange: ExchangeId,
    /// How many rows it had.
    pub rows: u32,
    /// Whether it said that more follow, where it says so apart from the cursor.
    pub more: Option<bool>,
    /// The total it stated, where it differs from the page before.
    pub total: Option<Scalar>,
    /// The number of pages it stated, where it differs from the page before.
    pub page_count: Option<Scalar>,
    /// Whether it said that its total is an estimate.
    pub estimate: bool,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The target said that there is no more; how.
    Terminator(String),
    /// The most pages that a walk reads were read, and rows still came.
    Cap,
    /// The target said, as declared, that no walk goes deeper.
    Depth {
        /// The status.
        status: u16,
    },
    /// A cursor came back that had been followed before.
    TokenCycle {
        /// The page that first carried it, from 0.
        first: usize,
        /// The page that carried it again.
        again: usize,
    },
    /// Page after page repeated rows, with ever new cursors.
    NoProgress,
    /// Page after page was empty, with ever new cursors.
    OnlyEmptyPages,
    /// The target said that more follow, without saying how to get there.
    MoreWithoutToken,
    /// The way on leads to another origin; it was not followed.
    ForeignOrigin(String),
    /// The next page was refused.
    Refused {
        /// The status.
        status: u16,
        /// The exchange.
        exchange: ExchangeId,
        /// Whether it is the declared answer that tells a client to start again.
        restart: bool,
    },
    /// The next page could not be read.
    Unreadable {
        /// Why.
        why: String,
        /// The exchange.
        exchange: ExchangeId,
    },
    /// The next page did not come.
    Failed {
        /// What kind of failure.
        kind: FailureKind,
        /// Why.
        why: String,
        /// The exchange, if anything was sent.
        exchange: Option<ExchangeId>,
    },
    /// The probe had seen enough.
    Enough,
}

impl End {
    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Terminator(how) => format!("it ended: {how}"),
            Self::Cap => "it was still delivering rows at the most pages a walk reads (`max_pages`)".into(),
            Self::Depth { status } => format!("no walk goes deeper, as declared (status {status})"),
            Self::TokenCycle { first, again } => {
                format!("page {} carried the cursor that page {} had carried", again + 1, first + 1)
            }
            Self::NoProgress => "page after page repeated rows that had been delivered before".into(),
            Self::OnlyEmptyPages => "page after page was empty, each with another cursor".into(),
            Self::MoreWithoutToken => "it said that more rows follow and gave no way to them".into(),
            Self::ForeignOrigin(url) => format!("the next page is said to be at another origin, {url}"),
            Self::Refused { status, .. } => format!("the next page was answered with status {status}"),
            Self::Unreadable { why, .. } => format!("the next page could not be read: {why}"),
            Self::Failed { why, .. } => format!("the next page did not come: {why}"),
            Self::Enough => "enough had been seen".into(),
        }
    }

    /// The exchange that ended it, where it is not the last page's own.
    pub fn exchange(&self) -> Option<ExchangeId> {
        match self {
            Self::Refused { exchange, .. } | Self::Unreadable { exchange, .. } => Some(*exchange),
            Self::Failed { exchange, .. } => *exchange,
            _ => None,
        }
    }

    /// Whether it says nothing about the target: throttled, a gateway's answer, the network, the run's own end.
    pub fn says_nothing(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Enough => true,
            Self::Refused { status, .. } => matches!(status, 401 | 403 | 408 | 425 | 429 | 502 | 503 | 504),
            _ => false,
        }
    }
}

/// A cursor as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSample {
    /// The page that carried it, from 0.
    pub page: usize,
    /// Its text.
    pub text: String,
    /// Whether it is the id of the page's last row.
    pub is_last_id: bool,
}

/// A link as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSeen {
    /// The page that carried it, from 0.
    pub page: usize,
    /// Its relation.
    pub relation: Relation,
    /// As written.
    pub target: String,
}
