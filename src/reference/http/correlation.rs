//! Correlation ids: every response carries one, the caller's own where it sent a sane one.

use http::{HeaderMap, HeaderName};
use uuid::Uuid;

/// Carries the id in both directions.
pub(in crate::reference) const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

/// The id of this request: the caller's, if it sent exactly one of at most 64 visible ASCII characters, else a new one.
pub(in crate::reference) fn of(headers: &HeaderMap) -> String {
    let mut sent = headers.get_all(HEADER).iter();
    let first = sent.next().filter(|_| sent.next().is_none());
    let sane = |text: &&str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let own = first.and_then(|value| value.to_str().ok()).filter(sane);
    own.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
