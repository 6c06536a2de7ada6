//! Positions in a list, and their bytes inside a cursor.

use crate::reference::ledger::Key;

/// Where a page starts or, going backwards, ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    /// The rows that follow this one.
    After(Key),
    /// The rows that precede this one.
    Before(Key),
    /// The rows that precede this one, and this one.
    UpTo(Key),
    /// The rows after this many: only styles and defects that count rows.
    Offset(usize),
}

impl Place {
    /// The row the position refers to.
    pub(super) fn anchor(self) -> Option<Key> {
        match self {
            Self::After(key) | Self::Before(key) | Self::UpTo(key) => Some(key),
            Self::Start | Self::Offset(_) => None,
        }
    }
}

/// A position, and what its cursor must remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) place: Place,
    /// An empty page was served here already (short pages).
    pub(super) rested: bool,
    /// Changes to the list when the walk began or the cursor was made; 0 where nobody asks.
    pub(super) changes: u64,
}

/// Bytes of a mark: place, time or offset, id, rest, changes.
const LENGTH: usize = 22;

impl Mark {
    pub(super) fn at(place: Place) -> Self {
        Self { place, rested: false, changes: 0 }
    }

    pub(super) fn encode(self) -> [u8; LENGTH] {
        let (tag, at, id) = match self.place {
            Place::Start => (0, 0, 0),
            Place::After(key) => (1, key.at, key.id),
            Place::Before(key) => (2, key.at, key.id),
            Place::UpTo(key) => (3, key.at, key.id),
            Place::Offset(rows) => (4, i64::try_from(rows).unwrap_or(i64::MAX), 0),
        };
        let mut bytes = [0; LENGTH];
        bytes[0] = tag;
        bytes[1..9].copy_from_slice(&at.to_be_bytes());
        bytes[9..13].copy_from_slice(&id.to_be_bytes());
        bytes[13] = u8::from(self.rested);
        bytes[14..].copy_from_slice(&self.changes.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, bytes) = bytes.split_first()?;
        let (at, bytes) = bytes.split_first_chunk()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (rested, bytes) = bytes.split_first()?;
        let key = Key { at: i64::from_be_bytes(*at), id: u32::from_be_bytes(*id) };
        let place = match tag {
            0 => Place::Start,
            1 => Place::After(key),
            2 => Place::Before(key),
            3 => Place::UpTo(key),
            4 => Place::Offset(usize::try_from(key.at).ok()?),
            _ => return None,
        };
        let changes = u64::from_be_bytes(bytes.try_into().ok()?);
        Some(Self { place, rested: *rested == 1, changes })
    }
}
