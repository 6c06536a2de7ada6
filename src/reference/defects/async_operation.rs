//! Defects of asynchronous operations; the hooks are in `operations/`, `resources/operations.rs` and
//! `resources/batches.rs`.

use super::Defect;

pub(in crate::reference) const NO_MONITOR: Defect = Defect {
    name: "async.no-monitor",
    rules: &["ASY-001"],
    summary: "an accepted batch is answered with 202 and nothing to follow: no location, no id",
};
pub(in crate::reference) const MONITOR_OPEN_TO_ANYONE: Defect = Defect {
    name: "async.monitor-open-to-anyone",
    rules: &["ASY-002"],
    summary: "operations are shown without credentials",
};
pub(in crate::reference) const MONITOR_OPEN_TO_RIVAL: Defect = Defect {
    name: "async.monitor-open-to-rival",
    rules: &["ASY-002"],
    summary: "operations are shown to other tenants",
};
pub(in crate::reference) const MONITOR_GONE: Defect = Defect {
    name: "async.monitor-gone",
    rules: &["ASY-002"],
    summary: "the location of an accepted batch answers 404 for ever, to its own client too",
};
pub(in crate::reference) const TERMINAL_FLIPS: Defect = Defect {
    name: "async.terminal-flips",
    rules: &["ASY-003"],
    summary: "an operation that was shown as succeeded has failed when asked for again",
};
pub(in crate::reference) const PERCENT_FALLS: Defect = Defect {
    name: "async.percent-falls",
    rules: &["ASY-003"],
    summary: "an operation is at 90 percent when first asked for and at 40 from then on",
};
pub(in crate::reference) const NEVER_ENDS: Defect =
    Defect { name: "async.never-ends", rules: &["ASY-004"], summary: "operations run for ever" };
pub(in crate::reference) const THROTTLES_POLLING: Defect = Defect {
    name: "async.throttles-polling",
    rules: &["ASY-004"],
    summary: "every third time an operation is asked for, at whatever pace, the answer is 429",
};
pub(in crate::reference) const RESULT_MISSING: Defect = Defect {
    name: "async.result-missing",
    rules: &["ASY-005"],
    summary: "an operation succeeds and its result is not there",
};
pub(in crate::reference) const RESULT_DIFFERS: Defect = Defect {
    name: "async.result-differs",
    rules: &["ASY-005"],
    summary: "a batch holds one order fewer than was asked for",
};
pub(in crate::reference) const TWO_RESULTS: Defect = Defect {
    name: "async.two-results",
    rules: &["ASY-005"],
    summary: "one operation makes two batches and tells of one",
};
pub(in crate::reference) const FAILURE_IS_500: Defect = Defect {
    name: "async.failure-is-500",
    rules: &["ASY-006"],
    summary: "asking for an operation that has failed is answered with status 500",
};
pub(in crate::reference) const CANCELLED_EXECUTES: Defect = Defect {
    name: "async.cancelled-executes",
    rules: &["ASY-003"],
    summary: "an operation that is cancelled places its orders nevertheless",
};
pub(in crate::reference) const HALF_EFFECT: Defect = Defect {
    name: "async.half-effect",
    rules: &["ASY-006"],
    summary: "an operation that has failed leaves a batch of the orders that could be placed, and does not say so",
};
pub(in crate::reference) const HIDDEN_FAILURE: Defect = Defect {
    name: "async.hidden-failure",
    rules: &["ASY-006"],
    summary: "an operation that could not be carried out is shown as succeeded, with a result that is not there",
};
pub(in crate::reference) const PREFER_REFUSED: Defect = Defect {
    name: "async.prefer-refused",
    rules: &["ASY-007"],
    summary: "a request with a Prefer header is refused with 400",
};
pub(in crate::reference) const PREFER_CLAIMED: Defect = Defect {
    name: "async.prefer-claimed",
    rules: &["ASY-007"],
    summary: "preferences are said to be applied and are not: respond-async is answered late, wait=N at once",
};
