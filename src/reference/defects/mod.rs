//! The defects: each makes the API wrong in one named way, and says which rules must report it.
//!
//! A defect is a constant in the file of its family, listed once in [`DEFECTS`], and asked for with `Behaviour::has` at
//! the one place where the behaviour goes wrong.

pub(super) mod async_operation;
pub(super) mod errors;
pub(super) mod idempotency;
pub(super) mod pagination;
pub(super) mod webhook;

/// One way in which the API can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// `family.slug`; permanent.
    pub name: &'static str,
    /// Rules that must report it, the main one first. Others may report it too.
    pub rules: &'static [&'static str],
    /// What the API does, in one sentence.
    pub summary: &'static str,
}

/// Every defect, by family and rule.
pub static DEFECTS: &[Defect] = &[
    pagination::SILENT_CUT,
    pagination::UNBOUNDED_BY_DEFAULT,
    pagination::PAGE_SIZE_EXCEEDED,
    pagination::PAGE_SIZE_IGNORED,
    pagination::OVERSIZE_PAGE,
    pagination::NONSENSE_SIZE_500,
    pagination::CURSOR_CYCLE,
    pagination::LOST_ROW,
    pagination::DUPLICATE_ROW,
    pagination::OFFSET_BEHIND_CURSOR,
    pagination::ANCHOR_LOOKUP,
    pagination::ANCHOR_RESTART,
    pagination::INSERT_REPEATS,
    pagination::NO_TIE_BREAKER,
    pagination::ORDER_IGNORED,
    pagination::ORDER_BROKEN_ACROSS_PAGES,
    pagination::SIZE_DEPENDENT,
    pagination::SINGLE_USE_CURSOR,
    pagination::CURSOR_ADVANCES,
    pagination::BAD_CURSOR_RESTARTS,
    pagination::BAD_CURSOR_EMPTY,
    pagination::BAD_CURSOR_500,
    pagination::CURSOR_IGNORES_FILTER,
    pagination::CURSOR_IS_CAPABILITY,
    pagination::PLAIN_OFFSET_CURSOR,
    pagination::LINK_LOSES_FILTER,
    pagination::LINK_INTERNAL_HOST,
    pagination::PREV_LINK_WRONG,
    pagination::TOTAL_TOO_LOW,
    pagination::TOTAL_AS_TEXT,
    pagination::FILTER_LEAK,
    pagination::WINDOW_BOUNDARY_LOST,
    pagination::WINDOW_BOUNDARY_DOUBLED,
    pagination::MOVING_PAGES,
    errors::HTML_NOT_FOUND,
    errors::EMPTY_BODY,
    errors::SECOND_SHAPE,
    errors::NO_CODE,
    errors::CODE_IS_STATUS,
    errors::NO_MESSAGE,
    errors::UNEXPANDED_TEMPLATE,
    errors::NO_CORRELATION_ID,
    errors::REUSED_CORRELATION_ID,
    errors::BODY_HEADER_ID_DIFFER,
    errors::CATCH_ALL_CODE,
    errors::RANDOM_CODE,
    errors::STATUS_MISMATCH,
    errors::TITLE_VARIES,
    errors::STACK_TRACE,
    errors::SQL_FRAGMENT,
    errors::INTERNAL_ADDRESS,
    errors::ECHOES_CREDENTIAL,
    errors::REFLECTS_MARKUP,
    errors::ECHOES_CARD_NUMBER,
    errors::NO_POINTER,
    idempotency::IGNORED,
    idempotency::NEW_ID_ON_REPLAY,
    idempotency::REPLAY_IS_500,
    idempotency::SECOND_BODY_EXECUTED,
    idempotency::SECOND_BODY_OVERWRITES,
    idempotency::SECOND_BODY_REPLAYED,
    idempotency::RACE,
    idempotency::STUCK_AFTER_CUT,
    idempotency::FORGETS_AFTER_CUT,
    idempotency::LEAKS_ACROSS_CLIENTS,
    idempotency::LEAKS_ACROSS_OPERATIONS,
    idempotency::KEY_OPTIONAL,
    idempotency::TRUNCATES_KEY,
    idempotency::EMPTY_KEY_500,
    idempotency::TWO_POSTINGS,
    idempotency::TWO_EVENTS,
    idempotency::FORGETS_SOON,
    async_operation::NO_MONITOR,
    async_operation::MONITOR_OPEN_TO_ANYONE,
    async_operation::MONITOR_OPEN_TO_RIVAL,
    async_operation::MONITOR_GONE,
    async_operation::TERMINAL_FLIPS,
    async_operation::PERCENT_FALLS,
    async_operation::NEVER_ENDS,
    async_operation::THROTTLES_POLLING,
    async_operation::RESULT_MISSING,
    async_operation::RESULT_DIFFERS,
    async_operation::TWO_RESULTS,
    async_operation::FAILURE_IS_500,
    async_operation::HALF_EFFECT,
    async_operation::HIDDEN_FAILURE,
    async_operation::PREFER_REFUSED,
    async_operation::PREFER_CLAIMED,
    webhook::NEVER_SENT,
    webhook::WRONG_STATE,
    webhook::UNSIGNED,
    webhook::BAD_SIGNATURE,
    webhook::TIMESTAMP_NOT_COVERED,
    webhook::NO_RETRY,
    webhook::NEW_ID_PER_ATTEMPT,
    webhook::RETRIES_AFTER_SUCCESS,
    webhook::RETRY_STORM,
    webhook::REUSED_ID,
    webhook::UNORDERED,
    webhook::REACHES_PRIVATE_ADDRESS,
    webhook::FOLLOWS_REDIRECTS,
];

/// The defect of that name.
pub fn defect(name: &str) -> Option<&'static Defect> {
    DEFECTS.iter().find(|defect| defect.name == name)
}
