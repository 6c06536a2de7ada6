//! The defects: each makes the API wrong in one named way, and says which rules must report it.
//!
//! A defect is a constant in the file of its family, listed once in [`DEFECTS`], and asked for with `Behaviour::has` at
//! the one place where the behaviour goes wrong.

pub(super) mod errors;
pub(super) mod idempotency;
pub(super) mod pagination;
pub(super) mod rate;

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
    rate::NEVER_LIMITS,
    rate::STATUS_200,
    rate::NO_RETRY_AFTER,
    rate::FRACTIONAL_RETRY_AFTER,
    rate::EPOCH_RETRY_AFTER,
    rate::RETRY_AFTER_TOO_SHORT,
    rate::RESET_BEYOND_RETRY_AFTER,
    rate::ZERO_RETRY_AFTER,
    rate::THROTTLED_WRITE_HAPPENS,
    rate::HTML_REFUSAL,
    rate::CACHEABLE_REFUSAL,
    rate::DANGLING_POLICY,
    rate::UNPARSEABLE_FIELDS,
    rate::NEGATIVE_REMAINING,
    rate::REMAINING_RISES,
    rate::ADMITS_DOUBLE,
    rate::THROTTLES_EARLY,
    rate::SHARED_BETWEEN_CLIENTS,
    rate::BLOCKS_CANCEL,
    rate::SHARED_BETWEEN_ENDPOINTS,
    rate::FIXED_WINDOW_INSTEAD,
    rate::FORWARDED_FOR_EVADES,
    rate::QUERY_EVADES,
    rate::FAILED_LOGINS_DRAIN,
];

/// The defect of that name.
pub fn defect(name: &str) -> Option<&'static Defect> {
    DEFECTS.iter().find(|defect| defect.name == name)
}
