//! What was made to happen, and how the stream told it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exchange::ExchangeId;

/// What was made to happen, and how the stream told it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Record {
    /// The connections that listened: the one that is judged, and a witness.
    pub(in super::super) streams: Vec<ExchangeId>,
    /// What was made to happen.
    pub(in super::super) made: Vec<Stimulated>,
    /// How many events each makes.
    pub(in super::super) events: u64,
    /// Whether events have ids.
    pub(in super::super) ids: bool,
    /// Whether updates may be merged, by contract.
    pub(in super::super) merges: bool,
}

/// Something that was made to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Stimulated {
    /// Its reference.
    pub(in super::super) reference: String,
    /// What it is known by, as the answer says.
    pub(in super::super) id: Option<String>,
    /// The exchange.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// When it was sent, since the start of the run.
    pub(in super::super) sent: Duration,
    /// When it was answered.
    pub(in super::super) answered: Duration,
    /// Why it is not known to have happened.
    pub(in super::super) failed: Option<String>,
    /// Members that the event has like the answer, and their values there, as texts.
    pub(in super::super) agrees: Vec<(String, Option<String>)>,
    /// How many rows of it were found over HTTP afterwards, where that is looked up.
    pub(in super::super) found: Option<u64>,
    /// Whether the run's connections listened until the lag had passed twice.
    pub(in super::super) awaited: bool,
    /// Events of it that the judged connection heard.
    pub(in super::super) appearances: Vec<Appearance>,
    /// How many the witness heard.
    pub(in super::super) witnessed: u64,
}

/// An event that tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Appearance {
    /// When it came, since the start of the run.
    pub(in super::super) at: Duration,
    /// Its number.
    pub(in super::super) number: Option<u64>,
    /// Its id.
    pub(in super::super) id: Option<String>,
    /// The values of the members that are compared, as texts.
    pub(in super::super) values: Vec<Option<String>>,
    /// The message, in brief.
    pub(in super::super) message: String,
}
