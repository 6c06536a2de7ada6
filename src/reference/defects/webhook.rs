//! Defects of webhooks; the hooks are in `webhooks/`.

use super::Defect;

pub(in crate::reference) const NEVER_SENT: Defect =
    Defect { name: "webhook.never-sent", rules: &["ASY-008"], summary: "webhooks are registered and nothing is sent" };
pub(in crate::reference) const WRONG_STATE: Defect = Defect {
    name: "webhook.wrong-state",
    rules: &["ASY-008"],
    summary: "the event of an operation that succeeded says that it failed, and the other way round",
};
pub(in crate::reference) const UNSIGNED: Defect =
    Defect { name: "webhook.unsigned", rules: &["ASY-009"], summary: "events are sent without a signature" };
pub(in crate::reference) const BAD_SIGNATURE: Defect = Defect {
    name: "webhook.bad-signature",
    rules: &["ASY-009"],
    summary: "events are signed with another secret than the one handed out",
};
pub(in crate::reference) const TIMESTAMP_NOT_COVERED: Defect = Defect {
    name: "webhook.timestamp-not-covered",
    rules: &["ASY-009"],
    summary: "the signature is of the payload alone, so an old event can be sent again under a new timestamp",
};
pub(in crate::reference) const NO_RETRY: Defect = Defect {
    name: "webhook.no-retry",
    rules: &["ASY-010"],
    summary: "an event that could not be delivered is given up after one attempt",
};
pub(in crate::reference) const NEW_ID_PER_ATTEMPT: Defect = Defect {
    name: "webhook.new-id-per-attempt",
    rules: &["ASY-010"],
    summary: "each attempt to deliver an event has another id",
};
pub(in crate::reference) const RETRIES_AFTER_SUCCESS: Defect = Defect {
    name: "webhook.retries-after-success",
    rules: &["ASY-010"],
    summary: "an event is sent again on schedule although it was taken with 2xx",
};
pub(in crate::reference) const RETRY_STORM: Defect = Defect {
    name: "webhook.retry-storm",
    rules: &["ASY-010"],
    summary: "an event that could not be delivered is sent again every 20 ms, up to ten times",
};
pub(in crate::reference) const REUSED_ID: Defect =
    Defect { name: "webhook.reused-id", rules: &["ASY-011"], summary: "all events of one operation have one id" };
pub(in crate::reference) const UNORDERED: Defect = Defect {
    name: "webhook.unordered",
    rules: &["ASY-011"],
    summary: "events have neither a time nor a sequence number, and tell nothing but whose they are",
};
pub(in crate::reference) const REACHES_PRIVATE_ADDRESS: Defect = Defect {
    name: "webhook.reaches-private-address",
    rules: &["ASY-012"],
    summary: "any address can be registered, and loopback addresses of every number are called",
};
pub(in crate::reference) const FOLLOWS_REDIRECTS: Defect = Defect {
    name: "webhook.follows-redirects",
    rules: &["ASY-012"],
    summary: "a receiver that redirects leads the event to any loopback address",
};
