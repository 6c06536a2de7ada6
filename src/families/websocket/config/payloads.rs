//! How a stream writes amounts, instants and ids.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Path;

/// How a stream writes amounts, instants and ids. What is declared here is a contract: events are held to it, not to how
/// answers over HTTP are written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Payloads {
    /// Where events have amounts, prices and quantities; where `conventions.money` says if absent.
    pub amounts: Vec<Path>,
    /// Whether amounts are JSON numbers by contract, for readers that keep every digit (`true`), or texts (`false`).
    pub numbers: Option<bool>,
    /// Where events have currencies; where `conventions.money` says if absent.
    pub currencies: Vec<Path>,
    /// Where events have instants beside `messages.time`.
    pub instants: Vec<Path>,
    /// What instants that are numbers count since 1970-01-01T00:00:00Z.
    pub unit: Option<Unit>,
    /// Where events have ids beside `messages.id`.
    pub ids: Vec<Path>,
}

/// A unit of time since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 10 digits at present.
    Seconds,
    /// 13 digits at present.
    Milliseconds,
    /// 16 digits at present.
    Microseconds,
    /// 19 digits at present.
    Nanoseconds,
}

impl Unit {
    /// From the longest to the shortest.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// As a suite names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }

    /// How many of it are a second.
    pub const fn per_second(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1_000_000,
            Self::Nanoseconds => 1_000_000_000,
        }
    }
}
