//! The rules of streams, each with its judge; pure functions of the evidence.

use super::evidence::Evidence;
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[];

/// Judges what was seen, unless nothing could be.
#[expect(dead_code, reason = "every rule uses it")]
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::WebSocket(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    match &evidence.blocked {
        Some(blocked) => Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchange),
        None => judge(evidence),
    }
}
