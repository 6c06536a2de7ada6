//! What happened, for those who want to be told: `webhooks/` delivers it.

use super::tokens::Tenant;

/// Every kind of event.
pub(in crate::reference) const KINDS: [&str; 6] = [
    "operation.running",
    "operation.succeeded",
    "operation.failed",
    "operation.cancelled",
    "transfer.booked",
    "withdrawal.booked",
];

/// One thing that happened; publishing it twice makes two events of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) struct Event {
    /// One of [`KINDS`].
    pub(in crate::reference) kind: &'static str,
    /// Whose it is.
    pub(in crate::reference) tenant: Tenant,
    /// The id of what it happened to.
    pub(in crate::reference) subject: String,
    /// The reference the caller gave.
    pub(in crate::reference) reference: String,
    /// The status the subject reached.
    pub(in crate::reference) status: &'static str,
    /// Its place among the events of its subject, from 1; there may be gaps.
    pub(in crate::reference) sequence: u64,
}
