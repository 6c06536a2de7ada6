//! What was sent to find out which limiter decides, and what it decided; plain data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::Kind;
use crate::families::rate_limit::evidence::Decision;

/// What the suite declares of a limit, in requests of the kind that is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// How many requests a window admits.
    pub quota: Option<u32>,
    /// The window, in microseconds.
    pub window_us: Option<u64>,
    /// How many it admits beyond the quota in a burst.
    pub burst: u32,
    /// The kind of limiter.
    pub model: Option<Kind>,
}

impl Declared {
    /// The window, in seconds.
    pub fn window(&self) -> Option<f64> {
        self.window_us.map(|us| Duration::from_micros(us).as_secs_f64()).filter(|seconds| *seconds > 0.0)
    }

    /// What may be admitted at once after a long silence.
    pub fn at_once(&self) -> Option<u32> {
        self.quota.map(|quota| quota.saturating_add(self.burst))
    }

    /// How long a limiter that was used up takes to be as fresh as ever, in seconds.
    pub fn horizon(&self) -> Option<f64> {
        let window = self.window()?;
        let (Some(quota), Some(at_once)) = (self.quota.filter(|quota| *quota > 0), self.at_once()) else {
            return Some(window);
        };
        Some(match self.model {
            Some(Kind::SlidingCounter) => 2.0 * window,
            Some(Kind::TokenBucket) => window * f64::from(at_once) / f64::from(quota),
            _ => window.max(window * f64::from(at_once) / f64::from(quota)),
        })
    }
}

/// Everything that was seen of one limiter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// What the suite declares.
    pub declared: Declared,
    /// The runs, each after a silence.
    pub runs: Vec<Run>,
    /// Why there are fewer, or shorter ones, than intended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<String>,
}

/// One run: a silence, then phases of traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// How long nothing was sent before, in microseconds.
    pub silence_us: u64,
    /// What the limiter said was left after the first request, where it says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remaining: Option<u64>,
    /// The phases, in order.
    pub phases: Vec<Phase>,
}

impl Run {
    /// Every decision, in the order of sending.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.phases.iter().flat_map(|phase| &phase.decisions)
    }

    /// The silence before it, in seconds.
    pub fn silence(&self) -> f64 {
        Duration::from_micros(self.silence_us).as_secs_f64()
    }
}

/// A stretch of traffic of one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// What it is for.
    pub kind: PhaseKind,
    /// What was decided.
    pub decisions: Vec<Decision>,
}

/// What a stretch of traffic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// As fast as answers come, until two refusals.
    Burst,
    /// One request now and then, until one is admitted.
    Trickle,
    /// As many as come back at once.
    Return,
    /// After a silence chosen to tell models apart.
    Experiment,
    /// Requests under way at once.
    Parallel,
}

impl PhaseKind {
    /// The word a report prints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Trickle => "trickle",
            Self::Return => "return",
            Self::Experiment => "experiment",
            Self::Parallel => "parallel",
        }
    }
}
