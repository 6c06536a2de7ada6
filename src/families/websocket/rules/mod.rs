//! The rules of streams, each with its judge; pure functions of the evidence.

mod access;
mod parts;
mod recovery;
mod session;
mod slow;

use super::evidence::Evidence;
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] =
    &[access::WS_002, recovery::WS_014, recovery::WS_015, slow::WS_016, slow::WS_017, session::WS_018];

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
