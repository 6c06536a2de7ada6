//! Evidence to make judgements of.

use super::super::evidence::{Answer, Count, Evidence, Got, Repeated, Trial};
use crate::{
    exchange::ExchangeId,
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

pub(super) fn judged(rule: &JudgedRule, evidence: Evidence) -> Judgement {
    (rule.judge)(&AnyEvidence::Idempotency(Box::new(evidence)))
}

/// An answer; a success names `a`.
pub(super) fn answer(status: u16) -> Answer {
    Answer {
        exchange: Some(ExchangeId(u32::from(status))),
        got: Got::Status(status),
        sent_us: 0,
        received_us: 1_000,
        id: (200..300).contains(&status).then(|| "a".to_owned()),
        ..Answer::default()
    }
}

pub(super) fn seen(ids: &[&str]) -> Count {
    Count::Seen {
        number: ids.len(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        amounts: vec![None; ids.len()],
        exchanges: vec![ExchangeId(9)],
    }
}

/// A first request that succeeded and shows `a`.
pub(super) fn trial() -> Trial {
    Trial { reference: "r1".into(), key: "k1".into(), before: seen(&[]), first: answer(201), alone: Some(seen(&["a"])) }
}

/// A request that took effect once and whose repetitions got these statuses.
pub(super) fn repeated(statuses: &[u16]) -> Repeated {
    Repeated {
        trial: trial(),
        repeats: statuses.iter().map(|status| answer(*status)).collect(),
        after: seen(&["a"]),
        balance: None,
    }
}
