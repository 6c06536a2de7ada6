//! The problem types: each with one status, one code and one title, for ever.

use http::StatusCode;

const KEY_REUSED: &str = "idempotency-key-reused";
const KEY_REUSED_TITLE: &str = "The idempotency key was used for another request";
const RATE_LIMITED: &str = "rate-limited";
const RATE_LIMITED_TITLE: &str = "Too many requests were sent";

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Fault {
    InvalidJson,
    InvalidLimit,
    InvalidParameter,
    UnknownParameter,
    RepeatedParameter,
    InvalidCursor,
    IdempotencyKeyRequired,
    IdempotencyKeyInvalid,
    /// A used key with another body, for those who hold it a bad request.
    IdempotencyKeyMisused,
    PreferenceRefused,
    Unauthenticated,
    InvalidToken,
    InsufficientScope,
    RouteNotFound,
    AccountNotFound,
    RowNotFound,
    PageOutOfRange,
    MethodNotAllowed,
    NotAcceptable,
    CursorExpiredRestart,
    OrderNotCancellable,
    OperationNotCancellable,
    TooManyWebhooks,
    TooManyStreams,
    /// A stream is asked for as if it were a resource, or in a version that is not spoken.
    UpgradeRequired,
    InvalidHandshake,
    IdempotencyInProgress,
    /// A used key with another body, for those who hold it a conflict.
    IdempotencyKeyConflict,
    BodyTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    /// A used key with another body.
    IdempotencyKeyReused,
    DuplicateReference,
    OrderRejected,
    CallbackNotAllowed,
    /// A limit is exhausted.
    RateLimited,
    PolledTooFast,
    Internal,
    IdempotencyStoreFull,
    /// A limit is exhausted, for those who hold that a want of capacity.
    RateLimitedUnavailable,
    TooManyOperations,
}

impl Fault {
    pub(super) fn status(self) -> StatusCode {
        self.facts().0
    }

    /// `invalid-cursor`: ends the `type`.
    pub(super) fn slug(self) -> &'static str {
        self.facts().1
    }

    pub(super) fn title(self) -> &'static str {
        self.facts().2
    }

    /// Whether a limit is exhausted.
    pub(super) fn is_about_limits(self) -> bool {
        matches!(self, Self::RateLimited | Self::RateLimitedUnavailable)
    }

    /// Whether it is about a query parameter.
    pub(super) fn is_about_parameters(self) -> bool {
        matches!(
            self,
            Self::InvalidLimit
                | Self::InvalidParameter
                | Self::UnknownParameter
                | Self::RepeatedParameter
                | Self::InvalidCursor
        )
    }

    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        let (status, slug, title) = match self {
            Self::InvalidJson => (400, "invalid-json", "The request body is not valid JSON"),
            Self::InvalidLimit => (400, "invalid-limit", "The page size cannot be used"),
            Self::InvalidParameter => (400, "invalid-parameter", "A query parameter has a value that cannot be used"),
            Self::UnknownParameter => (400, "unknown-parameter", "A query parameter is not known"),
            Self::RepeatedParameter => (400, "repeated-parameter", "A query parameter is repeated"),
            Self::InvalidCursor => (400, "invalid-cursor", "The cursor cannot be used"),
            Self::IdempotencyKeyRequired => (400, "idempotency-key-required", "An idempotency key is required"),
            Self::IdempotencyKeyInvalid => (400, "idempotency-key-invalid", "The idempotency key cannot be used"),
            Self::IdempotencyKeyMisused => (400, KEY_REUSED, KEY_REUSED_TITLE),
            Self::PreferenceRefused => (400, "preference-refused", "The preference cannot be honoured"),
            Self::Unauthenticated => (401, "unauthenticated", "Credentials are required"),
            Self::InvalidToken => (401, "invalid-token", "The credentials are not valid"),
            Self::InsufficientScope => (403, "insufficient-scope", "The token does not permit this"),
            Self::RouteNotFound => (404, "route-not-found", "There is no such path"),
            Self::AccountNotFound => (404, "account-not-found", "There is no such account"),
            Self::RowNotFound => (404, "resource-not-found", "There is no such resource"),
            Self::PageOutOfRange => (404, "page-out-of-range", "There is no such page"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "The resource does not take this method"),
            Self::NotAcceptable => (406, "not-acceptable", "No acceptable representation exists"),
            Self::CursorExpiredRestart => (409, "cursor-expired-restart", "The walk must start again"),
            Self::OrderNotCancellable => (409, "order-not-cancellable", "The order can no longer be cancelled"),
            Self::OperationNotCancellable => (409, "operation-not-cancellable", "The operation has ended"),
            Self::TooManyWebhooks => (409, "too-many-webhooks", "No more webhooks can be registered"),
            Self::IdempotencyInProgress => {
                (409, "idempotency-in-progress", "The first request with the idempotency key is in progress")
            }
            Self::IdempotencyKeyConflict => (409, KEY_REUSED, KEY_REUSED_TITLE),
            Self::BodyTooLarge => (413, "body-too-large", "The request body is too large"),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "The media type is not supported"),
            Self::ValidationFailed => (422, "validation-failed", "The request body cannot be accepted"),
            Self::IdempotencyKeyReused => (422, KEY_REUSED, KEY_REUSED_TITLE),
            Self::DuplicateReference => (422, "duplicate-reference", "The reference is taken"),
            Self::RateLimited => (429, RATE_LIMITED, RATE_LIMITED_TITLE),
            Self::RateLimitedUnavailable => (503, RATE_LIMITED, RATE_LIMITED_TITLE),
            Self::OrderRejected => (422, "order-rejected", "An order was rejected"),
            Self::CallbackNotAllowed => (422, "callback-not-allowed", "Events are not delivered to this address"),
            Self::TooManyStreams => (429, "too-many-streams", "No more streams can be opened"),
            Self::UpgradeRequired => (426, "upgrade-required", "A WebSocket is served here"),
            Self::InvalidHandshake => (400, "invalid-handshake", "The WebSocket handshake is not valid"),
            Self::PolledTooFast => (429, "polled-too-fast", "The operation is asked for too often"),
            Self::Internal => (500, "internal-error", "The request could not be served"),
            Self::IdempotencyStoreFull => (503, "idempotency-store-full", "No more idempotency keys can be kept"),
            Self::TooManyOperations => (503, "too-many-operations", "No more operations can be started"),
        };
        (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), slug, title)
    }
}
