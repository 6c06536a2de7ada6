//! Media types and content codings (RFC 9110 §12.5, §8.3, §8.4).

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Reply;

/// Whether the caller takes JSON; a request that does not say takes anything.
pub(in crate::reference) fn accepts_json(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ACCEPT) {
        return true;
    }
    // The most specific range that matches decides; ranges for problem details alone take JSON errors, hence JSON.
    let ranks = ["application/json", "application/problem+json", "application/*", "*/*"];
    let best = weights(headers, &header::ACCEPT)
        .filter_map(|(range, weight)| Some((ranks.iter().position(|rank| *rank == range)?, weight)))
        .min_by_key(|(rank, _)| *rank);
    best.is_some_and(|(_, taken)| taken)
}

/// Whether the caller takes gzip.
pub(in crate::reference) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut codings: Vec<(String, bool)> = weights(headers, &header::ACCEPT_ENCODING).collect();
    codings.sort_by_key(|(coding, _)| coding == "*");
    codings.iter().find(|(coding, _)| coding == "gzip" || coding == "*").is_some_and(|(_, taken)| *taken)
}

/// The members of a list header in lower case, and whether their weight is above zero.
fn weights<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = (String, bool)> + 'a {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|member| {
        let member = member.to_ascii_lowercase();
        let mut parts = member.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_owned();
        let zero = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        (name, !parts.any(zero))
    })
}

/// The media type of the content, in lower case and without parameters.
pub(in crate::reference) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Compresses the body.
pub(in crate::reference) fn gzip(mut reply: Reply) -> Reply {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&reply.body).and_then(|()| encoder.finish());
    if let Ok(packed) = packed
        && !reply.body.is_empty()
    {
        reply.body = packed.into();
        reply.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    reply
}
