//! What a request got.

use serde::{Deserialize, Serialize};

use crate::exchange::{ExchangeId, FailureKind};

/// What a request got: the last answer, where it was sent until there was a final one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The exchange, if anything was sent.
    pub exchange: Option<ExchangeId>,
    /// What came back.
    pub got: Got,
    /// How often it was sent.
    pub tries: u32,
    /// When it was sent, in microseconds since the start of the run (monotonic).
    pub sent_us: u64,
    /// When the last octet of the answer came, likewise.
    pub received_us: u64,
    /// The id of what was created, where the suite says.
    pub id: Option<String>,
    /// The `Location` field.
    pub location: Option<String>,
    /// A header field that marks it as a repetition.
    pub marker: Option<String>,
    /// Where its content differs from the first answer's, as far as the two were compared.
    pub difference: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Got {
    /// This status.
    Status(u16),
    /// No response.
    Nothing {
        /// What kind of failure.
        kind: FailureKind,
        /// Why.
        why: String,
    },
}

impl Answer {
    /// The status, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self.got {
            Got::Status(status) => Some(status),
            Got::Nothing { .. } => None,
        }
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it says nothing about keys: throttled, not let in, unreachable, redirected, a gateway's own answer.
    pub fn says_nothing(&self) -> bool {
        self.status().is_none_or(|status| {
            status < 200 || (300..400).contains(&status) || matches!(status, 401 | 403 | 408 | 425 | 429 | 502..=504)
        })
    }

    /// Whether the request was refused for what it is (4xx).
    pub fn is_refusal(&self) -> bool {
        !self.says_nothing() && self.status().is_some_and(|status| (400..500).contains(&status))
    }

    /// Whether the server says that it failed (5xx other than a gateway's).
    pub fn is_server_error(&self) -> bool {
        !self.says_nothing() && self.status().is_some_and(|status| status >= 500)
    }

    /// What identifies what was created: its id, else where it is.
    pub fn identity(&self) -> Option<&str> {
        self.id.as_deref().or(self.location.as_deref())
    }

    /// Whether it speaks of the same thing as another answer; none if one of the two names nothing.
    pub fn same_as(&self, other: &Self) -> Option<bool> {
        match (&self.id, &other.id) {
            (Some(one), Some(other)) => Some(one == other),
            _ => Some(self.location.as_ref()? == other.location.as_ref()?),
        }
    }

    /// Whether the two were under way at the same time for sure.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.sent_us < other.received_us && other.sent_us < self.received_us
    }

    /// In words.
    pub fn told(&self) -> String {
        match (&self.got, self.identity()) {
            (Got::Status(status), Some(id)) if self.is_success() => format!("status {status} with `{id}`"),
            (Got::Status(status), _) => format!("status {status}"),
            (Got::Nothing { why, .. }, _) => format!("no answer ({why})"),
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            exchange: None,
            got: Got::Status(0),
            tries: 1,
            sent_us: 0,
            received_us: 0,
            id: None,
            location: None,
            marker: None,
            difference: None,
        }
    }
}
