//! Exact limiters: what a model with known parameters decides at an instant, after what it has decided before.

use super::model::{Model, Start};

/// A limiter at work; instants must not go backwards.
#[derive(Debug, Clone)]
pub(super) struct Simulator {
    model: Model,
    /// Requests that count, with their instants.
    counted: Vec<f64>,
    /// Of a token bucket: the theoretical arrival time.
    arrival: f64,
    /// Of a window that a request opens: when it ends, and how many it has let through.
    open: (f64, u32),
    /// Of a block: until when.
    blocked: f64,
}

impl Simulator {
    /// Fresh, as after a long silence.
    pub(super) const fn new(model: Model) -> Self {
        Self {
            model,
            counted: Vec::new(),
            arrival: f64::NEG_INFINITY,
            open: (f64::NEG_INFINITY, 0),
            blocked: f64::NEG_INFINITY,
        }
    }

    /// Whether a request at this instant is let through.
    pub(super) fn admits(&self, at: f64) -> bool {
        match self.model {
            Model::TokenBucket { capacity, refill } => {
                self.arrival - f64::from(capacity.saturating_sub(1)) * refill <= at
            }
            Model::FixedWindow { quota, window, start: Start::Aligned(phase) } => {
                self.between(begin(at, window, phase), f64::INFINITY) < f64::from(quota)
            }
            Model::FixedWindow { quota, start: Start::FirstRequest, .. } => at >= self.open.0 || self.open.1 < quota,
            Model::SlidingLog { quota, window, .. } => {
                let recent = self.counted.iter().filter(|counted| at - **counted < window).count();
                recent < quota as usize
            }
            Model::SlidingCounter { quota, window, phase, .. } => {
                let begin = begin(at, window, phase);
                let share = 1.0 - (at - begin) / window;
                self.between(begin, f64::INFINITY) + share * self.between(begin - window, begin) < f64::from(quota)
            }
            Model::Block { quota, within, .. } => {
                at >= self.blocked && self.between(at - within, f64::INFINITY) < f64::from(quota)
            }
            Model::Concurrency { .. } | Model::Shaper { .. } => true,
        }
    }

    /// Takes note of a decision.
    pub(super) fn record(&mut self, at: f64, admitted: bool) {
        match self.model {
            Model::TokenBucket { refill, .. } => {
                if admitted {
                    self.arrival = self.arrival.max(at) + refill;
                }
            }
            Model::FixedWindow { window, start: Start::FirstRequest, .. } => {
                if at >= self.open.0 {
                    self.open = (at + window, 0);
                }
                self.open.1 += u32::from(admitted);
            }
            Model::Block { duration, restarts, .. } => {
                if admitted {
                    self.counted.push(at);
                } else if at >= self.blocked || restarts {
                    self.blocked = at + duration;
                    self.counted.clear();
                }
            }
            Model::SlidingLog { counts_refused, .. } | Model::SlidingCounter { counts_refused, .. } => {
                if admitted || counts_refused {
                    self.counted.push(at);
                }
            }
            Model::FixedWindow { .. } => {
                if admitted {
                    self.counted.push(at);
                }
            }
            Model::Concurrency { .. } | Model::Shaper { .. } => {}
        }
    }

    /// Decides, and takes note of it.
    pub(super) fn decide(&mut self, at: f64) -> bool {
        let admitted = self.admits(at);
        self.record(at, admitted);
        admitted
    }

    /// How many that count lie in a stretch, its end left out.
    fn between(&self, from: f64, to: f64) -> f64 {
        let within = self.counted.iter().filter(|counted| **counted >= from && **counted < to).count();
        u32::try_from(within).map_or(f64::INFINITY, f64::from)
    }
}

/// When the window of an instant began.
fn begin(at: f64, window: f64, phase: f64) -> f64 {
    phase + ((at - phase) / window).floor() * window
}
