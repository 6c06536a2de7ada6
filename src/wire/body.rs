//! Reads content to its end, within bounds.

use bytes::Bytes;
use reqwest::Response;

use super::coding;
use crate::{
    exchange::{FailureKind, Headers},
    notation::ByteSize,
};

/// Why content could not be read.
pub(super) enum Unreadable {
    /// The connection or the framing failed.
    Transport(reqwest::Error),
    /// The content itself is no good; the message goes on after "the peer sent ".
    Fault(FailureKind, String),
}

/// The content after content decoding, at most `limit` bytes before and after.
pub(super) async fn read(response: &mut Response, headers: &Headers, limit: ByteSize) -> Result<Bytes, Unreadable> {
    let raw = collect(response, limit).await?;
    if raw.is_empty() {
        // Nothing to decode: HEAD, 204 and 304 name a coding without content (RFC 9110 §8.4).
        return Ok(raw);
    }
    let codings = coding::codings(headers.all("content-encoding"));
    if codings.is_empty() {
        return Ok(raw);
    }
    coding::decode(raw, &codings, limit).map_err(|(kind, message)| Unreadable::Fault(kind, message))
}

async fn collect(response: &mut Response, limit: ByteSize) -> Result<Bytes, Unreadable> {
    let announced = response.content_length();
    if announced.is_some_and(|length| length > limit.0) {
        return Err(too_large(limit));
    }
    let Some(first) = next(response).await? else { return Ok(Bytes::new()) };
    if first.len() as u64 > limit.0 {
        return Err(too_large(limit));
    }
    // The usual case: everything arrived at once, and nothing needs to be copied.
    let Some(second) = next(response).await? else { return Ok(first) };
    let capacity = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(first.len() + second.len());
    let mut whole = Vec::with_capacity(capacity);
    whole.extend_from_slice(&first);
    let mut chunk = Some(second);
    while let Some(bytes) = chunk {
        if (whole.len() + bytes.len()) as u64 > limit.0 {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&bytes);
        chunk = next(response).await?;
    }
    Ok(whole.into())
}

async fn next(response: &mut Response) -> Result<Option<Bytes>, Unreadable> {
    response.chunk().await.map_err(Unreadable::Transport)
}

fn too_large(limit: ByteSize) -> Unreadable {
    Unreadable::Fault(FailureKind::TooLarge, format!("content larger than {limit}"))
}
