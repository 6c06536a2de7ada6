//! An answer before it is put on the wire.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// Status, headers, and a body that fits in memory.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Reply {
    pub(in crate::reference) status: StatusCode,
    pub(in crate::reference) headers: HeaderMap,
    pub(in crate::reference) body: Bytes,
}

impl Reply {
    /// No content, and no header that speaks of any.
    pub(in crate::reference) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(in crate::reference) fn json(status: StatusCode, body: &Value) -> Self {
        Self::typed(status, "application/json", body.to_string())
    }

    pub(in crate::reference) fn typed(status: StatusCode, media_type: &'static str, body: String) -> Self {
        let mut reply = Self { body: Bytes::from(body), ..Self::empty(status) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub(in crate::reference) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }
}
