//! Defects of rate limits; the hooks are in `limits/`, `problem/voice.rs` and `resources/limited.rs`.

use super::Defect;

pub(in crate::reference) const NEVER_LIMITS: Defect = Defect {
    name: "rate.never-limits",
    rules: &["RATE-001"],
    summary: "the limit is advertised and counted, but nothing is ever refused",
};
pub(in crate::reference) const STATUS_200: Defect =
    Defect { name: "rate.status-200", rules: &["RATE-001"], summary: "a refused request is answered with status 200" };
pub(in crate::reference) const NO_RETRY_AFTER: Defect = Defect {
    name: "rate.no-retry-after",
    rules: &["RATE-002"],
    summary: "a refusal does not tell when to come back, in no header",
};
pub(in crate::reference) const FRACTIONAL_RETRY_AFTER: Defect = Defect {
    name: "rate.fractional-retry-after",
    rules: &["RATE-002"],
    summary: "Retry-After has decimal places: `1.250`",
};
pub(in crate::reference) const EPOCH_RETRY_AFTER: Defect =
    Defect { name: "rate.epoch-retry-after", rules: &["RATE-002"], summary: "Retry-After is in seconds since 1970" };
pub(in crate::reference) const RETRY_AFTER_TOO_SHORT: Defect = Defect {
    name: "rate.retry-after-too-short",
    rules: &["RATE-003"],
    summary: "a refused client is blocked for two seconds more than it is told, anew with each refusal",
};
pub(in crate::reference) const RESET_BEYOND_RETRY_AFTER: Defect = Defect {
    name: "rate.reset-beyond-retry-after",
    rules: &["RATE-004"],
    summary: "the limit is said to reset five seconds after Retry-After",
};
pub(in crate::reference) const ZERO_RETRY_AFTER: Defect =
    Defect { name: "rate.zero-retry-after", rules: &["RATE-004"], summary: "every refusal says `Retry-After: 0`" };
pub(in crate::reference) const THROTTLED_WRITE_HAPPENS: Defect = Defect {
    name: "rate.throttled-write-happens",
    rules: &["RATE-005"],
    summary: "a create that is refused is carried out nonetheless",
};
pub(in crate::reference) const HTML_REFUSAL: Defect =
    Defect { name: "rate.html-refusal", rules: &["RATE-006"], summary: "a refusal is an HTML page" };
pub(in crate::reference) const CACHEABLE_REFUSAL: Defect = Defect {
    name: "rate.cacheable-refusal",
    rules: &["RATE-006"],
    summary: "a refusal may be kept by shared caches for a minute",
};
pub(in crate::reference) const DANGLING_POLICY: Defect = Defect {
    name: "rate.dangling-policy",
    rules: &["RATE-007"],
    summary: "RateLimit names a policy that RateLimit-Policy does not have",
};
pub(in crate::reference) const UNPARSEABLE_FIELDS: Defect = Defect {
    name: "rate.unparseable-fields",
    rules: &["RATE-007"],
    summary: "RateLimit is no structured field: a quotation mark is missing",
};
pub(in crate::reference) const NEGATIVE_REMAINING: Defect = Defect {
    name: "rate.negative-remaining",
    rules: &["RATE-008"],
    summary: "the counters are X-RateLimit-*, and what remains falls below zero with each refusal",
};
pub(in crate::reference) const REMAINING_RISES: Defect = Defect {
    name: "rate.remaining-rises",
    rules: &["RATE-008"],
    summary: "the counters are X-RateLimit-*, and every third one says that half the quota more remains",
};
pub(in crate::reference) const ADMITS_DOUBLE: Defect =
    Defect { name: "rate.admits-double", rules: &["RATE-009"], summary: "twice the advertised quota is admitted" };
pub(in crate::reference) const THROTTLES_EARLY: Defect =
    Defect { name: "rate.throttles-early", rules: &["RATE-009"], summary: "half the advertised quota is admitted" };
pub(in crate::reference) const SHARED_BETWEEN_CLIENTS: Defect =
    Defect { name: "rate.shared-between-clients", rules: &["RATE-010"], summary: "all clients are counted together" };
pub(in crate::reference) const BLOCKS_CANCEL: Defect = Defect {
    name: "rate.blocks-cancel",
    rules: &["RATE-011"],
    summary: "deleting is refused to a client that has exhausted any of its limits",
};
pub(in crate::reference) const SHARED_BETWEEN_ENDPOINTS: Defect = Defect {
    name: "rate.shared-between-endpoints",
    rules: &["RATE-011"],
    summary: "endpoints that advertise limits of their own are counted together",
};
pub(in crate::reference) const FIXED_WINDOW_INSTEAD: Defect = Defect {
    name: "rate.fixed-window-instead",
    rules: &["RATE-012"],
    summary: "the sliding log and the token bucket are fixed windows",
};
pub(in crate::reference) const FORWARDED_FOR_EVADES: Defect = Defect {
    name: "rate.forwarded-for-evades",
    rules: &["RATE-013"],
    summary: "each value of X-Forwarded-For has a limit of its own",
};
pub(in crate::reference) const QUERY_EVADES: Defect =
    Defect { name: "rate.query-evades", rules: &["RATE-013"], summary: "each query string has a limit of its own" };
pub(in crate::reference) const FAILED_LOGINS_DRAIN: Defect = Defect {
    name: "rate.failed-logins-drain",
    rules: &["RATE-014"],
    summary: "a request with bad credentials counts on the client that its X-Client-Id names",
};
