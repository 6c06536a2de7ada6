//! Made evidence for the unit tests of the rules.

use super::evidence::{
    Answered, Arrival, Created, Declared, Event, Evidence, Facts, Kind, Operation, Schedule, Seal, Sealed, Signed,
};
use crate::{exchange::ExchangeId, families::Evidence as AnyEvidence, json::Scalar};

/// The evidence of a check.
pub(super) fn of(webhook: Option<Evidence>) -> AnyEvidence {
    AnyEvidence::AsyncOperation(Box::new(crate::families::async_operation::Evidence { webhook, ..Default::default() }))
}

/// Everything declared.
pub(super) fn declared() -> Declared {
    Declared {
        deadline_ms: Some(2_000),
        id: true,
        kind: true,
        created: true,
        subject: true,
        state: true,
        version: true,
        signature: Some(Signed { tolerance_s: 300, covers: None, attempt_timestamp: true }),
        keyless: None,
        redelivery: Some(Schedule { first_ms: 1_500, longest_ms: None, timeout_ms: Some(500) }),
    }
}

/// The delivery with this number, as the first event of `OP-1` in this state.
pub(super) fn event(number: u32, state: &str, version: u64) -> Event {
    let means = match state {
        "running" => Some(Kind::Running),
        "succeeded" => Some(Kind::Succeeded),
        "failed" => Some(Kind::Failed),
        _ => None,
    };
    Event {
        exchange: ExchangeId(number),
        mailbox: 0,
        received_ms: 1_000 + u64::from(number),
        unreadable: None,
        facts: Facts {
            kind: Some(format!("operation.{state}")),
            subject: Some("OP-1".into()),
            state: Some(state.into()),
            means,
            created: Created::At("2026-01-02T03:04:05Z".into()),
            version: Some(Scalar::Number(version.to_string())),
        },
        id: Some(format!("EVT-{version}")),
        content: format!("content-{state}-{version}"),
        answered: Answered::Acknowledged,
        late: false,
        sealed: Some(sealed(10)),
    }
}

/// A valid signature that covers everything, of this age.
pub(super) fn sealed(age_s: i64) -> Sealed {
    use super::evidence::Part::{Body, Id, Timestamp};
    let seal = Seal::Valid { covered: vec![Body, Timestamp, Id], uncovered: vec![] };
    Sealed { seal, timestamp: Some(format!("{}", 1_000_000 - age_s)), age_s: Some(age_s) }
}

/// An operation that succeeded.
pub(super) fn operation(arrival: Arrival) -> Operation {
    Operation {
        id: Some("OP-1".into()),
        end: Some(("succeeded".into(), Some(Kind::Succeeded))),
        ended_ms: Some(1_000),
        why: String::new(),
        exchanges: vec![ExchangeId(90)],
        arrival,
    }
}

/// One operation of which these events came, the one of its end in time.
pub(super) fn seen(events: Vec<Event>) -> Evidence {
    came(events, Some(10))
}

/// One operation of which these events came, the one of its end so long after it.
pub(super) fn came(events: Vec<Event>, after_ms: Option<u64>) -> Evidence {
    let operations = vec![operation(Arrival::Came { after_ms, waited_ms: 2_000 })];
    Evidence { declared: declared(), reachable: Some(true), operations, events, ..Evidence::default() }
}

/// So many operations of which nothing came.
pub(super) fn never(operations: usize) -> Evidence {
    let never = operation(Arrival::NeverCame { waited_ms: 2_000, reachable: None });
    Evidence { declared: declared(), operations: vec![never; operations], ..Evidence::default() }
}
