//! What a counted window asks of pairs of instants.
//!
//! A window of quota N lets a request through exactly if the N-th counted request before it lies in no window with it,
//! and refuses it exactly if the two share one. So a fixed window has a boundary between the two or has none; a sliding
//! log has at least a window's length between them, or less.

use super::super::trace::{Counted, Trace};

/// What a quota asks; each pair is an earlier and a later instant.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// The two instants share no window; the longest they may lie apart.
    pub(super) apart: Vec<(f64, f64)>,
    /// The two share a window; the least they may lie apart.
    pub(super) joined: Vec<(f64, f64)>,
    /// Refusals that what was sent since the first request cannot explain: the window reaches back to what was before
    /// the silence.
    pub(super) before: Vec<f64>,
}

impl Pairs {
    pub(super) fn new(trace: &Trace, counted: Counted, quota: u32, slack: u32) -> Self {
        let instants = trace.counted(counted);
        let most = (quota + slack) as usize;
        let least = quota.saturating_sub(slack) as usize;
        let mut pairs = Self::default();
        if counted == Counted::Admitted {
            pairs
                .apart
                .extend(instants.earliest.iter().zip(instants.latest.iter().skip(most)).map(|(from, to)| (*from, *to)));
        }
        for sample in &trace.samples {
            if sample.admitted {
                let before = instants.surely_before(sample.sent);
                if counted == Counted::All && before >= most {
                    pairs.apart.push((instants.earliest[before - most], sample.received));
                }
                continue;
            }
            let own = usize::from(counted == Counted::All);
            let before = instants.maybe_before(sample.received).saturating_sub(own);
            if least == 0 {
                continue;
            }
            if before < least {
                pairs.before.push(sample.sent);
            } else {
                let from = instants.latest[before - least].min(sample.received);
                if from < sample.sent {
                    pairs.joined.push((from, sample.sent));
                }
            }
        }
        pairs
    }
}
