//! The rules of streams, each with its judge; pure functions of the evidence.

mod alive;
mod closing;
mod errors;
mod framing;
mod opening;
#[cfg(test)]
mod testing;
mod tries;

use super::evidence::Evidence;
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    opening::WS_001,
    framing::WS_003,
    alive::WS_004,
    alive::WS_005,
    framing::WS_006,
    closing::WS_007,
    closing::WS_008,
    errors::WS_009,
];

/// Judges what was seen, unless nothing could be.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::WebSocket(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    match &evidence.blocked {
        Some(blocked) => Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchange),
        None => judge(evidence),
    }
}
