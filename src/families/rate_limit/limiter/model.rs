//! The kinds of limiter there are, and limiters with every parameter known.

use serde::{Deserialize, Serialize};

/// A kind of limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tokens flow in steadily up to a capacity, each request takes one; GCRA is the same seen from time.
    TokenBucket,
    /// A count that starts anew at the end of each window.
    FixedWindow,
    /// The requests of the last window, at any instant, are counted one by one.
    SlidingLog,
    /// The count of this window and a share of the one before.
    SlidingCounter,
    /// How many requests are under way at once.
    Concurrency,
    /// Whoever exceeds the limit is refused for a fixed time.
    Block,
    /// Requests are delayed, not refused.
    Shaper,
}

impl Kind {
    /// The field's term for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenBucket => "token bucket",
            Self::FixedWindow => "fixed window",
            Self::SlidingLog => "sliding log",
            Self::SlidingCounter => "sliding counter",
            Self::Concurrency => "concurrency limit",
            Self::Block => "block after exceeding",
            Self::Shaper => "shaper (delays)",
        }
    }
}

/// A limiter with every parameter known. Times are seconds; instants count from the first request of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::families::rate_limit) enum Model {
    TokenBucket {
        capacity: u32,
        /// Seconds that one token takes to come.
        refill: f64,
    },
    FixedWindow {
        quota: u32,
        window: f64,
        start: Start,
    },
    SlidingLog {
        quota: u32,
        window: f64,
        /// Whether refused requests are counted as well, so that insisting prolongs the wait.
        counts_refused: bool,
    },
    SlidingCounter {
        quota: u32,
        window: f64,
        /// The first boundary of windows after the first request.
        phase: f64,
        counts_refused: bool,
    },
    Concurrency {
        limit: u32,
    },
    Block {
        quota: u32,
        /// In how many seconds the quota must be used up.
        within: f64,
        duration: f64,
        /// Whether each refused request starts the time anew.
        restarts: bool,
    },
    Shaper {
        /// Seconds between two requests that are let through.
        interval: f64,
    },
}

/// When a fixed window begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::families::rate_limit) enum Start {
    /// On a grid of the server's clock; the first boundary after the first request.
    Aligned(f64),
    /// With the first request after the window before has ended.
    FirstRequest,
}

impl Model {
    pub(in crate::families::rate_limit) const fn kind(&self) -> Kind {
        match self {
            Self::TokenBucket { .. } => Kind::TokenBucket,
            Self::FixedWindow { .. } => Kind::FixedWindow,
            Self::SlidingLog { .. } => Kind::SlidingLog,
            Self::SlidingCounter { .. } => Kind::SlidingCounter,
            Self::Concurrency { .. } => Kind::Concurrency,
            Self::Block { .. } => Kind::Block,
            Self::Shaper { .. } => Kind::Shaper,
        }
    }
}

/// A model that explains what was seen, with the values its parameters may have.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::families::rate_limit) struct Fit {
    /// One choice of parameters that explains it.
    pub(in crate::families::rate_limit) model: Model,
    /// Least and most of the quota, the capacity or the limit.
    pub(in crate::families::rate_limit) quota: (u32, u32),
    /// Least and most seconds: of the window, of the block, of a full refill, of the interval.
    pub(in crate::families::rate_limit) span: (f64, f64),
}

impl Fit {
    /// In words, with the values: `token bucket: burst 10, refill 5.0/s`.
    pub(in crate::families::rate_limit) fn told(&self) -> String {
        let name = self.model.kind().as_str();
        let quota = if self.quota.0 == self.quota.1 {
            self.quota.0.to_string()
        } else {
            format!("{} to {}", self.quota.0, self.quota.1)
        };
        let span = seconds(self.span);
        match self.model {
            Model::TokenBucket { .. } => {
                let rate = (f64::from(self.quota.0) / self.span.1, f64::from(self.quota.1) / self.span.0);
                format!("{name}: burst {quota}, refill {}/s", range(rate))
            }
            Model::FixedWindow { start, .. } => {
                let opened = match start {
                    Start::Aligned(_) => "on the server's grid",
                    Start::FirstRequest => "opened by the first request",
                };
                format!("{name}: {quota} in {span}, {opened}")
            }
            Model::SlidingLog { counts_refused, .. } | Model::SlidingCounter { counts_refused, .. } => {
                let also = if counts_refused { ", refused requests count as well" } else { "" };
                format!("{name}: {quota} in {span}{also}")
            }
            Model::Concurrency { .. } => format!("{name}: {quota} at once"),
            Model::Block { restarts, .. } => {
                let how = if restarts { "after the last refusal" } else { "after the first refusal" };
                format!("{name}: {quota}, then refused until {span} {how}")
            }
            Model::Shaper { .. } => format!("{name}: {}/s", range((1.0 / self.span.1, 1.0 / self.span.0))),
        }
    }
}

/// A range of seconds, as one number where its ends are close.
fn seconds(span: (f64, f64)) -> String {
    if span.1 < 1.0 { format!("{} ms", range((span.0 * 1e3, span.1 * 1e3))) } else { format!("{} s", range(span)) }
}

/// A range of numbers, as one where its ends are close.
fn range((least, most): (f64, f64)) -> String {
    let digits = if most >= 100.0 {
        0
    } else if most >= 1.0 {
        1
    } else {
        2
    };
    if most - least <= most * 0.05 {
        format!("{:.digits$}", f64::midpoint(least, most))
    } else {
        format!("{least:.digits$} to {most:.digits$}")
    }
}
