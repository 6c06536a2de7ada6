//! Walks with rows written meanwhile.

use serde::{Deserialize, Serialize};

use super::{RowId, Walk};
use crate::exchange::ExchangeId;

/// A walk with rows written meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Churned {
    /// What was written.
    pub kind: ChurnKind,
    /// The order that was asked for, if any.
    pub order: Option<String>,
    /// The listing's rows before the walk, as two agreeing quiet walks saw them.
    pub before: Vec<RowId>,
    /// Whether those are all rows of the listing.
    pub before_complete: bool,
    /// The walk.
    pub walk: Walk,
    /// What was written, and when.
    pub writes: Vec<WriteFact>,
    /// The listing's rows after the walk, as far as `before` went and a little further.
    pub after: Vec<RowId>,
    /// Walks from the first page again, where the target asked for that.
    pub restarted: Option<Box<Walk>>,
}

/// What was written while a walk went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChurnKind {
    /// Rows were created.
    Inserts,
    /// Rows were deleted.
    Deletes,
}

/// One write between two pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteFact {
    /// How many pages had been read.
    pub after_pages: usize,
    /// What was written.
    pub what: WriteKind,
    /// The row, where known.
    pub row: Option<RowId>,
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// Whether it was acknowledged with 2xx.
    pub acknowledged: bool,
    /// Whether it may have taken effect although it was not acknowledged.
    pub ambiguous: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteKind {
    /// A row where the target puts new ones.
    Insert,
    /// A row whose sort key equals that of the last row of the page just read.
    InsertTied,
    /// A row of a page already read, not its last.
    DeleteRead,
    /// The last row of the page just read: what a cursor points at.
    DeleteAnchor,
    /// A row not read yet.
    DeleteUnread,
}

impl WriteKind {
    /// In words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Insert => "a row created",
            Self::InsertTied => "a row created with the sort key of the last row read",
            Self::DeleteRead => "a row already read deleted",
            Self::DeleteAnchor => "the last row of the page just read deleted",
            Self::DeleteUnread => "a row not read yet deleted",
        }
    }
}
