//! Defects of idempotency keys; the hooks are in `idempotency/`.

use super::Defect;

pub(in crate::reference) const IGNORED: Defect = Defect {
    name: "idempotency.ignored",
    rules: &["IDM-001"],
    summary: "keys are taken and ignored: every repetition pays again",
};
pub(in crate::reference) const NEW_ID_ON_REPLAY: Defect = Defect {
    name: "idempotency.new-id-on-replay",
    rules: &["IDM-002"],
    summary: "a repetition pays nothing and is answered with the id of a payment that does not exist",
};
pub(in crate::reference) const REPLAY_IS_500: Defect = Defect {
    name: "idempotency.replay-is-500",
    rules: &["IDM-002"],
    summary: "a repetition pays nothing and is answered with status 500",
};
pub(in crate::reference) const SECOND_BODY_EXECUTED: Defect = Defect {
    name: "idempotency.second-body-executed",
    rules: &["IDM-003"],
    summary: "a used key with another body pays a second time",
};
pub(in crate::reference) const SECOND_BODY_OVERWRITES: Defect = Defect {
    name: "idempotency.second-body-overwrites",
    rules: &["IDM-003"],
    summary: "a used key with another amount changes the amount of the first payment",
};
pub(in crate::reference) const SECOND_BODY_REPLAYED: Defect = Defect {
    name: "idempotency.second-body-replayed",
    rules: &["IDM-003"],
    summary: "a used key with another body is answered with the first payment, as if that had been asked for",
};
pub(in crate::reference) const RACE: Defect = Defect {
    name: "idempotency.race",
    rules: &["IDM-004"],
    summary: "a key is looked up first and written down after the work, so requests side by side all pay",
};
pub(in crate::reference) const STUCK_AFTER_CUT: Defect = Defect {
    name: "idempotency.stuck-after-cut",
    rules: &["IDM-005"],
    summary: "if the connection is lost before the answer, the key is in progress for ever",
};
pub(in crate::reference) const FORGETS_AFTER_CUT: Defect = Defect {
    name: "idempotency.forgets-after-cut",
    rules: &["IDM-005"],
    summary: "if the connection is lost before the answer, the payment is made and its key forgotten",
};
pub(in crate::reference) const LEAKS_ACROSS_CLIENTS: Defect = Defect {
    name: "idempotency.leaks-across-clients",
    rules: &["IDM-006"],
    summary: "a key that another client used is answered with that client's payment",
};
pub(in crate::reference) const LEAKS_ACROSS_OPERATIONS: Defect = Defect {
    name: "idempotency.leaks-across-operations",
    rules: &["IDM-006"],
    summary: "a key used for a transfer is answered with that transfer when sent with a withdrawal",
};
pub(in crate::reference) const KEY_OPTIONAL: Defect = Defect {
    name: "idempotency.key-optional",
    rules: &["IDM-007"],
    summary: "a payment without a key is made without protection, although a key is required",
};
pub(in crate::reference) const TRUNCATES_KEY: Defect = Defect {
    name: "idempotency.truncates-key",
    rules: &["IDM-007"],
    summary: "only the first 32 of up to 64 characters of a key count",
};
pub(in crate::reference) const EMPTY_KEY_500: Defect = Defect {
    name: "idempotency.empty-key-500",
    rules: &["IDM-007"],
    summary: "an empty key is answered with status 500",
};
pub(in crate::reference) const TWO_POSTINGS: Defect = Defect {
    name: "idempotency.two-postings",
    rules: &["IDM-008"],
    summary: "the first repetition makes a second posting in the ledger for the one payment",
};
pub(in crate::reference) const TWO_EVENTS: Defect = Defect {
    name: "idempotency.two-events",
    rules: &["IDM-008"],
    summary: "the first repetition publishes a second event for the one payment",
};
pub(in crate::reference) const FORGETS_SOON: Defect = Defect {
    name: "idempotency.forgets-soon",
    rules: &["IDM-009"],
    summary: "a key is kept for 2 s, although 24 hours are promised",
};
