//! A message, with what the suite says is in it.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Kind {
    /// It brings an event.
    Data,
    /// A sign of life.
    Heartbeat,
    /// It acknowledges what we sent.
    Acknowledgement,
    /// It refuses what we sent, or tells of an error.
    Error,
    /// It tells of lost events.
    Gap,
    /// It brings the whole state.
    Snapshot,
    /// The suite does not say what it is.
    Other,
}

/// What we sent that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Of {
    /// The message that makes the client known.
    Authenticate,
    /// The subscription.
    Subscribe,
    /// The end of the subscription.
    Unsubscribe,
    /// The wish to go on where a stream was lost.
    Resume,
}

impl Of {
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Authenticate => 1,
            Self::Subscribe => 2,
            Self::Unsubscribe => 4,
            Self::Resume => 8,
        }
    }
}

/// A message as it came, put together from its fragments.
#[derive(Debug, Clone)]
pub(in super::super) struct Message {
    /// When its last octet was read, since the start of the run.
    pub(in super::super) at: Duration,
    /// What it is.
    pub(in super::super) kind: Kind,
    /// Its content, at most [`LONGEST`](super::LONGEST) octets of it.
    pub(in super::super) text: Bytes,
    /// Whether there is more of it than is kept, so that it cannot be read.
    pub(in super::super) cut: bool,
    /// The first of the numbers it stands for; the last, where only that is told.
    pub(in super::super) first: Option<u64>,
    /// The last of the numbers it stands for.
    pub(in super::super) last: Option<u64>,
    /// What is numbered by itself, where keys are.
    pub(in super::super) scope: Option<String>,
    /// What it happened to.
    pub(in super::super) key: Option<String>,
    /// What the event is known by.
    pub(in super::super) id: Option<String>,
    /// The stimulus's reference.
    pub(in super::super) reference: Option<String>,
    /// When it happened, as written.
    pub(in super::super) time: Option<String>,
    /// Whether that is a JSON number.
    pub(in super::super) unit_time: bool,
    /// What the stream can be taken up with.
    pub(in super::super) token: Option<String>,
    /// The number of the last event that a snapshot includes.
    pub(in super::super) snapshot_sequence: Option<u64>,
    pub(super) acknowledges: u8,
    pub(super) refuses: u8,
}

impl Message {
    /// One that says nothing that is known.
    pub(super) const fn other(text: Bytes) -> Self {
        Self {
            at: Duration::ZERO,
            kind: Kind::Other,
            text,
            cut: false,
            first: None,
            last: None,
            scope: None,
            key: None,
            id: None,
            reference: None,
            time: None,
            unit_time: false,
            token: None,
            snapshot_sequence: None,
            acknowledges: 0,
            refuses: 0,
        }
    }

    /// Nothing is known of it any more but its text and when it came; texts are left for their memory.
    pub(super) fn forget(&mut self) {
        (self.kind, self.acknowledges, self.refuses) = (Kind::Other, 0, 0);
        (self.first, self.last, self.snapshot_sequence, self.unit_time) = (None, None, None, false);
    }

    /// No text is left of what was said before.
    pub(super) fn silence(&mut self) {
        let Self { scope, key, id, reference, time, token, .. } = self;
        for text in [scope, key, id, reference, time, token] {
            *text = None;
        }
    }

    /// Whether it acknowledges this.
    pub(in super::super) const fn acknowledges(&self, of: Of) -> bool {
        self.acknowledges & of.bit() != 0
    }

    /// Whether it refuses this.
    pub(in super::super) const fn refuses(&self, of: Of) -> bool {
        self.refuses & of.bit() != 0
    }

    /// Its beginning, for people: at most 200 characters.
    pub(in super::super) fn excerpt(&self) -> String {
        excerpt(&self.text)
    }
}

/// The beginning of a text, for people: at most 200 characters.
pub(in super::super) fn excerpt(text: &[u8]) -> String {
    const MOST: usize = 200;
    let head = String::from_utf8_lossy(&text[..text.len().min(4 * MOST)]);
    let mut told: String = head.chars().take(MOST).collect();
    if told.len() < text.len() {
        told.push('…');
    }
    told
}
