//! What a key belongs to: the same text elsewhere is another key.

use super::{Key, Payment};
use crate::reference::{
    behaviour::Behaviour,
    defects::idempotency::{LEAKS_ACROSS_CLIENTS, LEAKS_ACROSS_OPERATIONS},
    ledger::PaymentKind,
    tokens::Tenant,
    variants::COMPANY_WIDE,
};

/// A key with its owner and its operation; two requests with equal ones are taken for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    key: Key,
    tenant: Option<Tenant>,
    /// None where all clients of the tenant share their keys.
    client: Option<&'static str>,
    kind: Option<PaymentKind>,
    account: Option<String>,
}

impl Scope {
    pub(super) fn of(key: Key, payment: &Payment, is: &Behaviour) -> Self {
        let everyone = is.has(LEAKS_ACROSS_CLIENTS);
        Self {
            key,
            tenant: (!everyone).then_some(payment.principal.tenant),
            client: (!everyone && !is.is(COMPANY_WIDE)).then_some(payment.principal.client),
            kind: (!is.has(LEAKS_ACROSS_OPERATIONS)).then_some(payment.kind),
            account: (!everyone).then(|| payment.account.clone()),
        }
    }
}

/// Whether a request is taken for the first one with its key: what is asked for is the same, or a defect does not see
/// that somebody else asks, or that something else is asked for.
pub(super) fn same(first: &Payment, again: &Payment, is: &Behaviour) -> bool {
    let other_client = first.principal.client != again.principal.client;
    let taken_for_own =
        is.has(LEAKS_ACROSS_CLIENTS) && other_client || is.has(LEAKS_ACROSS_OPERATIONS) && first.kind != again.kind;
    taken_for_own || (first.path == again.path && first.instruction == again.instruction)
}
