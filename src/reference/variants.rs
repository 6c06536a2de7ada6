//! The variants: ways to be odd that the rules must not report.

/// One way in which the API can be unusual and still right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// Permanent; those that start with `paging.` exclude each other, the last one given wins.
    pub name: &'static str,
    /// What the API does, in one sentence.
    pub summary: &'static str,
}

pub(super) const SHORT_PAGES: Variant = Variant {
    name: "short-pages",
    summary: "pages in the middle of a walk are shorter than asked for, sometimes empty, and carry a cursor",
};
pub(super) const EMPTY_LAST_PAGE: Variant = Variant {
    name: "empty-last-page",
    summary: "the last page with rows carries a cursor that leads to one empty page",
};
pub(super) const UNSTABLE_CURSOR_TEXT: Variant =
    Variant { name: "unstable-cursor-text", summary: "the same position has another cursor text each time" };
pub(super) const ESTIMATED_TOTAL: Variant =
    Variant { name: "estimated-total", summary: "totals are off by up to 4 % and marked `total_is_estimate`" };
pub(super) const SNAPSHOT_CURSOR: Variant =
    Variant { name: "snapshot-cursor", summary: "a walk sees the rows as they were when it began" };
pub(super) const NULL_NEXT: Variant = Variant { name: "null-next", summary: "the last page says `next: null`" };
pub(super) const EMPTY_NEXT: Variant = Variant { name: "empty-next", summary: "the last page says `next: \"\"`" };
pub(super) const NO_TOTALS: Variant = Variant { name: "no-totals", summary: "lists carry no total" };
pub(super) const OVERSIZE_REJECTED: Variant =
    Variant { name: "oversize-rejected", summary: "a page size above the maximum is refused with 400" };
pub(super) const LENIENT_SIZE: Variant =
    Variant { name: "lenient-size", summary: "a page size that is no positive integer means the default" };
pub(super) const RELATIVE_LINKS: Variant = Variant { name: "relative-links", summary: "links are relative references" };
pub(super) const NO_LINKS: Variant =
    Variant { name: "no-links", summary: "lists carry no links, neither in the header nor in the body" };
pub(super) const GZIP: Variant =
    Variant { name: "gzip", summary: "bodies are compressed for callers that accept gzip" };
pub(super) const NUMERIC_IDS: Variant = Variant { name: "numeric-ids", summary: "ids of rows are JSON numbers" };
pub(super) const SLOW_VISIBILITY: Variant =
    Variant { name: "slow-visibility", summary: "a created row appears in lists after 150 ms" };
pub(super) const ANCHOR_RESTART_CODE: Variant = Variant {
    name: "anchor-restart-code",
    summary: "a cursor whose row was deleted is answered with 409 `cursor_expired_restart`",
};
pub(super) const HOUSE_ERRORS: Variant = Variant {
    name: "house-errors",
    summary: "errors are `{\"error\":{\"code\",\"message\",\"request_id\"}}` as application/json",
};
pub(super) const CURSOR_HEADER: Variant =
    Variant { name: "paging.cursor-header", summary: "the next cursor is in the response header X-Next-Cursor" };
pub(super) const LINK_HEADER_ARRAY: Variant = Variant {
    name: "paging.link-header-array",
    summary: "the body is a bare array; only the Link header continues; X-Total-Count has the total",
};
pub(super) const NEXT_URL: Variant =
    Variant { name: "paging.next-url", summary: "the body carries `next_url`, a whole URL" };
pub(super) const LAST_ID: Variant = Variant {
    name: "paging.last-id",
    summary: "`starting_after` takes the id of the last row seen; the body says `has_more`",
};
pub(super) const HAS_MORE: Variant =
    Variant { name: "paging.has-more", summary: "the body always carries a cursor; `has_more: false` ends the walk" };
pub(super) const OFFSET: Variant =
    Variant { name: "paging.offset", summary: "`offset` and `limit` count rows: pages shift when rows are written" };
pub(super) const PAGE_NUMBER: Variant = Variant {
    name: "paging.page-number",
    summary: "`page` and `page_size` count pages: they shift when rows are written",
};
pub(super) const REPLAY_200: Variant = Variant {
    name: "idempotency.replay-200",
    summary: "a repetition is answered with 200 where the first request was answered with 201",
};
pub(super) const REPLAY_CURRENT: Variant = Variant {
    name: "idempotency.replay-current",
    summary: "a repetition is answered with the payment as it is now; payments settle after a while",
};
pub(super) const WAITS_WHILE_RUNNING: Variant = Variant {
    name: "idempotency.waits-while-running",
    summary: "a repetition waits for the first request to end and gets its answer, never 409",
};
pub(super) const MISMATCH_409: Variant =
    Variant { name: "idempotency.mismatch-409", summary: "a used key with another body is refused with 409" };
pub(super) const MISMATCH_400: Variant =
    Variant { name: "idempotency.mismatch-400", summary: "a used key with another body is refused with 400" };
pub(super) const NATURAL_DUPLICATE: Variant = Variant {
    name: "idempotency.natural-duplicate",
    summary: "no answers are stored: a second payment with one reference is refused with 422 `duplicate_reference`",
};
pub(super) const COMPANY_WIDE: Variant =
    Variant { name: "idempotency.company-wide", summary: "the clients of one tenant share their keys" };
pub(super) const SLOW_LIST: Variant =
    Variant { name: "idempotency.slow-list", summary: "a transfer appears in lists after 150 ms" };
pub(super) const LIMITS_RETRY_AFTER_DATE: Variant =
    Variant { name: "limits.retry-after-date", summary: "Retry-After of a limit is an HTTP-date, rounded up" };
pub(super) const LIMITS_RETRY_AFTER_LONGER: Variant =
    Variant { name: "limits.retry-after-longer", summary: "Retry-After of a limit is two seconds more than is needed" };
pub(super) const LIMITS_ONE_TOKEN: Variant = Variant {
    name: "limits.one-token",
    summary: "a caller refused by the token bucket is told when one token is there, not when all are",
};
pub(super) const LIMITS_ZERO_NOW: Variant = Variant {
    name: "limits.retry-after-zero-now",
    summary: "once per window a caller refused by the token bucket is told to come at once, and then admitted",
};
pub(super) const LIMITS_SILENCE_NEEDED: Variant = Variant {
    name: "limits.silence-needed",
    summary: "each refused request restarts the window: only silence for as long as told helps",
};
pub(super) const LIMITS_DELAYS: Variant =
    Variant { name: "limits.delays", summary: "no request is refused: those beyond the quota wait for their turn" };
pub(super) const LIMITS_WINDOW_ALIGNED: Variant = Variant {
    name: "limits.window-aligned",
    summary: "fixed windows follow each other by the clock, rather than open with a request",
};
pub(super) const LIMITS_503: Variant = Variant { name: "limits.503", summary: "a limit is refused with 503" };
pub(super) const LIMITS_HOUSE_CODE_200: Variant = Variant {
    name: "limits.house-code-200",
    summary: "a limit is refused with status 200 and `{\"error\":[\"EAPI:Rate limit exceeded\"]}`",
};
pub(super) const LIMITS_HEADERS_TRIPLE: Variant =
    Variant { name: "limits.headers-triple", summary: "limits are said in RateLimit-Limit, -Remaining and -Reset" };
pub(super) const LIMITS_HEADERS_DRAFT_07: Variant = Variant {
    name: "limits.headers-draft-07",
    summary: "limits are said in one field, `RateLimit: limit=10, remaining=9, reset=2`",
};
pub(super) const LIMITS_HEADERS_X_DELTA: Variant = Variant {
    name: "limits.headers-x-delta",
    summary: "limits are said in X-RateLimit-Limit, -Remaining and -Reset, which is in seconds from now",
};
pub(super) const LIMITS_HEADERS_X_EPOCH: Variant =
    Variant { name: "limits.headers-x-epoch", summary: "the same, and the reset is in seconds since 1970" };
pub(super) const LIMITS_HEADERS_X_DATE: Variant =
    Variant { name: "limits.headers-x-date", summary: "the same, and the reset is an HTTP-date" };
pub(super) const LIMITS_HEADERS_WEIGHTS: Variant = Variant {
    name: "limits.headers-weights",
    summary: "only what was used is said, in X-MBX-USED-WEIGHT-2S for a window of two seconds",
};
pub(super) const LIMITS_HEADERS_NONE: Variant =
    Variant { name: "limits.headers-none", summary: "limits are said in no header but the Retry-After of a refusal" };
pub(super) const QUEUED_TWICE: Variant = Variant {
    name: "async.queued-twice",
    summary: "an operation is queued a second time before it runs, and has no percentage until then",
};
pub(super) const CREATED_JOB: Variant = Variant {
    name: "async.created-job",
    summary: "an accepted batch is answered with 201 and the operation as a job, instead of 202",
};
pub(super) const OPERATION_LOCATION_HEADER: Variant = Variant {
    name: "async.operation-location",
    summary: "the header that leads to the operation is Operation-Location, not Location",
};
pub(super) const SEE_OTHER: Variant = Variant {
    name: "async.see-other",
    summary: "asking for an operation that has succeeded is answered with 303 and the location of its result",
};
pub(super) const SLOW_MONITOR: Variant =
    Variant { name: "async.slow-monitor", summary: "an operation cannot be found for 150 ms after it was accepted" };
pub(super) const PREFER_IGNORED: Variant = Variant { name: "async.prefer-ignored", summary: "preferences are ignored" };
pub(super) const RETRY_AFTER_ZERO: Variant =
    Variant { name: "async.retry-after-zero", summary: "operations that go on say `Retry-After: 0`" };
pub(super) const DUPLICATES: Variant =
    Variant { name: "webhook.duplicates", summary: "every event is sent twice at once, with one id and one payload" };
pub(super) const OUT_OF_ORDER: Variant = Variant {
    name: "webhook.out-of-order",
    summary: "the end of an operation is told before its beginning; the sequence numbers tell their order",
};
pub(super) const TWO_SIGNATURES: Variant = Variant {
    name: "webhook.two-signatures",
    summary: "events carry two signatures, the first with a secret that is being replaced",
};
pub(super) const RECIPE_STRIPE: Variant = Variant {
    name: "webhook.recipe-stripe",
    summary: "events are signed in the header Stripe-Signature, over time and payload",
};
pub(super) const RECIPE_SQUARE: Variant = Variant {
    name: "webhook.recipe-square",
    summary: "events are signed in the header x-square-hmacsha256-signature, over URL and payload",
};
pub(super) const RECIPE_GOCARDLESS: Variant = Variant {
    name: "webhook.recipe-gocardless",
    summary: "events are signed in the header Webhook-Signature, over the payload alone, and carry no other header",
};
pub(super) const THIN: Variant =
    Variant { name: "webhook.thin", summary: "events tell which operation changed and not how it stands" };
pub(super) const STREAM_HEARTBEAT_WHEN_IDLE: Variant = Variant {
    name: "stream.heartbeat-when-idle",
    summary: "any frame that is sent, not data alone, puts the next heartbeat off",
};
pub(super) const STREAM_PONG_LATEST_ONLY: Variant =
    Variant { name: "stream.pong-latest-only", summary: "pings are answered after 20 ms, of several only the last" };
pub(super) const STREAM_RESUME_OVERLAPS: Variant = Variant {
    name: "stream.resume-overlaps",
    summary: "a resumed stream repeats up to two events that were told before, with the same ids",
};
pub(super) const STREAM_RESUME_BY_SNAPSHOT: Variant = Variant {
    name: "stream.resume-by-snapshot",
    summary: "a resumed stream starts with a snapshot rather than with what was missed",
};
pub(super) const STREAM_CONFLATES: Variant =
    Variant { name: "stream.conflates", summary: "changes of one book are merged for a client that is slow" };
pub(super) const STREAM_CLOSES_THEN_RESUMES: Variant = Variant {
    name: "stream.closes-then-resumes",
    summary: "every stream is closed with 1001 after a while, to be opened again",
};
pub(super) const STREAM_DEFLATE: Variant = Variant {
    name: "stream.deflate",
    summary: "permessage-deflate is accepted where it is offered, and messages are compressed",
};
pub(super) const STREAM_NUMBERS_PER_CONNECTION: Variant = Variant {
    name: "stream.numbers-per-connection",
    summary: "events of orders are numbered for each connection from 1; a token resumes",
};
pub(super) const STREAM_ACK_AFTER_DATA: Variant = Variant {
    name: "stream.ack-after-data",
    summary: "the acknowledgement comes after the first message it announces",
};
pub(super) const STREAM_RESET_ON_PROTOCOL_ERROR: Variant = Variant {
    name: "stream.reset-on-protocol-error",
    summary: "a connection that broke the protocol is dropped without a close frame",
};
pub(super) const STREAM_CLOSE_WITHOUT_CODE: Variant =
    Variant { name: "stream.close-without-code", summary: "close frames are empty" };

/// Every variant.
pub static VARIANTS: &[Variant] = &[
    SHORT_PAGES,
    EMPTY_LAST_PAGE,
    UNSTABLE_CURSOR_TEXT,
    ESTIMATED_TOTAL,
    SNAPSHOT_CURSOR,
    NULL_NEXT,
    EMPTY_NEXT,
    NO_TOTALS,
    OVERSIZE_REJECTED,
    LENIENT_SIZE,
    RELATIVE_LINKS,
    NO_LINKS,
    GZIP,
    NUMERIC_IDS,
    SLOW_VISIBILITY,
    ANCHOR_RESTART_CODE,
    HOUSE_ERRORS,
    CURSOR_HEADER,
    LINK_HEADER_ARRAY,
    NEXT_URL,
    LAST_ID,
    HAS_MORE,
    OFFSET,
    PAGE_NUMBER,
    REPLAY_200,
    REPLAY_CURRENT,
    WAITS_WHILE_RUNNING,
    MISMATCH_409,
    MISMATCH_400,
    NATURAL_DUPLICATE,
    COMPANY_WIDE,
    SLOW_LIST,
    LIMITS_RETRY_AFTER_DATE,
    LIMITS_RETRY_AFTER_LONGER,
    LIMITS_ONE_TOKEN,
    LIMITS_ZERO_NOW,
    LIMITS_SILENCE_NEEDED,
    LIMITS_DELAYS,
    LIMITS_WINDOW_ALIGNED,
    LIMITS_503,
    LIMITS_HOUSE_CODE_200,
    LIMITS_HEADERS_TRIPLE,
    LIMITS_HEADERS_DRAFT_07,
    LIMITS_HEADERS_X_DELTA,
    LIMITS_HEADERS_X_EPOCH,
    LIMITS_HEADERS_X_DATE,
    LIMITS_HEADERS_WEIGHTS,
    LIMITS_HEADERS_NONE,
    QUEUED_TWICE,
    CREATED_JOB,
    OPERATION_LOCATION_HEADER,
    SEE_OTHER,
    SLOW_MONITOR,
    PREFER_IGNORED,
    RETRY_AFTER_ZERO,
    DUPLICATES,
    OUT_OF_ORDER,
    TWO_SIGNATURES,
    RECIPE_STRIPE,
    RECIPE_SQUARE,
    RECIPE_GOCARDLESS,
    THIN,
    STREAM_HEARTBEAT_WHEN_IDLE,
    STREAM_PONG_LATEST_ONLY,
    STREAM_RESUME_OVERLAPS,
    STREAM_RESUME_BY_SNAPSHOT,
    STREAM_CONFLATES,
    STREAM_CLOSES_THEN_RESUMES,
    STREAM_DEFLATE,
    STREAM_NUMBERS_PER_CONNECTION,
    STREAM_ACK_AFTER_DATA,
    STREAM_RESET_ON_PROTOCOL_ERROR,
    STREAM_CLOSE_WITHOUT_CODE,
];

/// The variant of that name.
pub fn variant(name: &str) -> Option<&'static Variant> {
    VARIANTS.iter().find(|variant| variant.name == name)
}
