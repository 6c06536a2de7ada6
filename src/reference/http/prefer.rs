//! The `Prefer` header (RFC 7240): what the caller would like, and may not get.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

const HEADER: HeaderName = HeaderName::from_static("prefer");

/// The preferences that this API knows; others are ignored, as they must be (§2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::reference) struct Preferences {
    /// `respond-async` (§4.1)
    pub(in crate::reference) respond_async: bool,
    /// `wait`, in whole seconds (§4.3)
    pub(in crate::reference) wait: Option<Duration>,
}

impl Preferences {
    /// Whether a request has the header at all.
    pub(in crate::reference) fn stated(headers: &HeaderMap) -> bool {
        headers.contains_key(HEADER)
    }

    /// Reads the header. What cannot be read is not preferred: nobody is refused for it.
    pub(in crate::reference) fn read(headers: &HeaderMap) -> Self {
        let lines: Vec<String> =
            headers.get_all(HEADER).iter().filter_map(|line| Some(line.to_str().ok()?.to_ascii_lowercase())).collect();
        let Ok(sent) = Parser::new(&lines.join(", ")).parse::<Dictionary>() else { return Self::default() };
        let item = |name: &str| match sent.get(name) {
            Some(ListEntry::Item(item)) => Some(&item.bare_item),
            _ => None,
        };
        let seconds = match item("wait") {
            Some(BareItem::Integer(seconds)) => u64::try_from(i64::from(*seconds)).ok(),
            _ => None,
        };
        Self { respond_async: item("respond-async").is_some(), wait: seconds.map(Duration::from_secs) }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{Duration, HEADER, Preferences};

    fn read(lines: &[&str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_str(line).expect("a header value"));
        }
        Preferences::read(&headers)
    }

    #[test]
    fn known_preferences_are_read_wherever_they_stand() {
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (lines, respond_async, waits) in [
            (&["respond-async"][..], true, None),
            (&["Respond-Async, wait=10"], true, wait(10)),
            (&["return=minimal; x=1, wait=3"], false, wait(3)),
            (&["handling=lenient", "wait=0"], false, wait(0)),
            (&["x-unknown", "respond-async"], true, None),
        ] {
            assert_eq!(read(lines), Preferences { respond_async, wait: waits }, "{lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_preferred() {
        for line in ["", "wait", "wait=soon", "wait=-1", "=", "wait=1 2", "\"", "wait=99999999999999999999"] {
            assert_eq!(read(&[line]), Preferences::default(), "{line}");
        }
    }
}
