//! What one odd request got.

use serde::{Deserialize, Serialize};

use super::RowId;
use crate::exchange::{ExchangeId, FailureKind};

/// What one odd request got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was sent, in brief.
    pub sent: String,
    /// The exchange, if anything was sent.
    pub exchange: Option<ExchangeId>,
    /// What came back.
    pub got: Got,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Got {
    /// A page of the listing.
    Page {
        /// The status.
        status: u16,
        /// Its rows.
        rows: Vec<RowId>,
        /// Whether it says that there is more.
        continues: bool,
        /// Whether its way on is the very request that it answers.
        circles: bool,
        /// The total it states, if it is a whole number.
        total: Option<u64>,
    },
    /// Another status than 2xx.
    Refused {
        /// The status.
        status: u16,
    },
    /// 2xx with content that is not a page of the listing.
    Unreadable {
        /// The status.
        status: u16,
        /// Why.
        why: String,
    },
    /// No response.
    Nothing {
        /// What kind of failure.
        kind: FailureKind,
        /// Why.
        why: String,
    },
}

impl Answer {
    /// The rows, if it was a page.
    pub fn rows(&self) -> Option<&[RowId]> {
        match &self.got {
            Got::Page { rows, .. } => Some(rows),
            _ => None,
        }
    }

    /// The status, if there was one.
    pub fn status(&self) -> Option<u16> {
        match &self.got {
            Got::Page { status, .. } | Got::Refused { status } | Got::Unreadable { status, .. } => Some(*status),
            Got::Nothing { .. } => None,
        }
    }

    /// Whether the request was refused as the client's mistake (4xx other than 401, 403, 408, 425, 429).
    pub fn is_client_error(&self) -> bool {
        matches!(self.got, Got::Refused { status } if (400..500).contains(&status) && ![401, 403, 408, 425, 429].contains(&status))
    }

    /// Whether it says nothing about the target: throttled, not logged in, unreachable, a gateway's own answer.
    pub fn says_nothing(&self) -> bool {
        match self.got {
            Got::Refused { status } => matches!(status, 401 | 403 | 408 | 425 | 429 | 502 | 503 | 504),
            Got::Nothing { .. } => true,
            _ => false,
        }
    }

    /// In words.
    pub fn told(&self) -> String {
        match &self.got {
            Got::Page { status, rows, continues, .. } => {
                format!("{status} with {} rows{}", rows.len(), if *continues { " and more to follow" } else { "" })
            }
            Got::Refused { status } => format!("status {status}"),
            Got::Unreadable { status, why } => format!("{status}, but {why}"),
            Got::Nothing { why, .. } => why.clone(),
        }
    }
}
