//! What bounds a session, and how that was shown.

use serde::{Deserialize, Serialize};

use super::recovery::Sign;
use crate::{exchange::ExchangeId, notation::Span};

/// How the bounds of sessions are held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sessions {
    /// Whether the suite declares an expiry, a longest session, a number of connections, a rate.
    pub(crate) declared: [bool; 4],
    /// A session whose credentials expired.
    pub(crate) expiry: Option<Lasting>,
    /// A session beyond the longest.
    pub(crate) longest: Option<Lasting>,
    /// Connections up to the most and beyond.
    pub(crate) connections: Option<Crowd>,
    /// More messages than may be sent; a second time where the first went unnoticed.
    pub(crate) rate: Vec<Flood>,
}

/// A session that should have come to an end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lasting {
    /// When it should have, after it began, with the grace.
    pub(crate) due: Span,
    /// What the server said to end it.
    pub(crate) signs: Vec<Sign>,
    /// When that was, after it began.
    pub(crate) told_after: Option<Span>,
    /// How many events came before it was due.
    pub(crate) in_time: u64,
    /// How many came after, until the end of the trial.
    pub(crate) late: u64,
    /// Why this shows nothing, if so.
    pub(crate) blocked: Option<String>,
    /// The exchanges that show it.
    pub(crate) exchanges: Vec<ExchangeId>,
}

/// Connections of one client at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crowd {
    /// The most there may be.
    pub(crate) most: u64,
    /// How many were open at once at the end.
    pub(crate) open: u64,
    /// The first sign that there were too many, and how many were open then.
    pub(crate) refused: Option<(u64, Sign)>,
    /// Why this shows nothing, if so.
    pub(crate) blocked: Option<String>,
    /// The exchanges that show it: the last ones.
    pub(crate) exchanges: Vec<ExchangeId>,
}

/// Messages sent faster than allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flood {
    /// How many may be sent.
    pub(crate) most: u64,
    /// Within what time.
    pub(crate) window: Span,
    /// How many were sent.
    pub(crate) sent: u64,
    /// In what time.
    pub(crate) took: Span,
    /// How many were acknowledged within that time, counted from the first: so many were certainly taken.
    pub(crate) answered: u64,
    /// The first sign that there were too many, and how many were sent when it was seen.
    pub(crate) refused: Option<(u64, Sign)>,
    /// Why this shows nothing, if so.
    pub(crate) blocked: Option<String>,
    /// The exchange.
    pub(crate) exchanges: Vec<ExchangeId>,
}
