//! Snapshots, and what deltas make of them.

use serde::{Deserialize, Serialize};

use super::Blocked;
use crate::exchange::ExchangeId;

/// Snapshots, and what deltas make of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Snapshots {
    /// Whether each snapshot goes together with the deltas that follow it.
    pub(in super::super) alignments: Vec<Alignment>,
    /// Snapshots that were rebuilt from an earlier one.
    pub(in super::super) rebuilt: Vec<Rebuilt>,
    /// Why no more was seen.
    pub(in super::super) blocked: Option<Blocked>,
    /// Connections that the server ended.
    pub(in super::super) ends: Vec<super::Ended>,
}

/// A snapshot and the first delta that is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Alignment {
    /// The connection that brought the deltas.
    pub(in super::super) stream: ExchangeId,
    /// The exchange that brought the snapshot, if it came over HTTP.
    pub(in super::super) snapshot: Option<ExchangeId>,
    /// What it is of, where there are several.
    pub(in super::super) key: Option<String>,
    /// The number of the last event it includes; none if it could not be read.
    pub(in super::super) sequence: Option<u64>,
    /// The first delta heard after the stream was opened, by its first number.
    pub(in super::super) heard_from: Option<u64>,
    /// The first delta that is not in it: the numbers it stands for.
    pub(in super::super) delta: Option<(u64, u64)>,
    /// How often a snapshot was asked for, until there was one that is not older than the first delta.
    pub(in super::super) attempts: u32,
}

/// A snapshot that was rebuilt from an earlier one by deltas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Rebuilt {
    /// The connection that brought the deltas.
    pub(in super::super) stream: ExchangeId,
    /// The exchanges that brought the two.
    pub(in super::super) snapshots: [ExchangeId; 2],
    /// What they are of, where there are several.
    pub(in super::super) key: Option<String>,
    /// The number of the earlier one.
    pub(in super::super) from: u64,
    /// The number at which the two were compared.
    pub(in super::super) to: u64,
    /// Deltas that were applied.
    pub(in super::super) deltas: u64,
    /// Rows of the later one.
    pub(in super::super) rows: u64,
    /// Where they differ; at most ten.
    pub(in super::super) differences: Vec<Difference>,
}

/// A row that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Difference {
    /// The path of the table in the snapshot.
    pub(in super::super) table: String,
    /// The row's key.
    pub(in super::super) key: String,
    /// Its value in the snapshot.
    pub(in super::super) snapshot: Option<String>,
    /// Its value as rebuilt.
    pub(in super::super) rebuilt: Option<String>,
}
