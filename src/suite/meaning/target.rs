//! The target: its URL and the header fields of every request.

use url::Url;

use super::Meaning;
use crate::{
    exchange::Headers,
    suite::{Target, diagnostic::Complaints, written::WrittenTarget},
};

const BASE_URL: &str = "/target/base_url";

impl Meaning<'_> {
    pub(super) fn target(&self, written: Option<WrittenTarget>, complaints: &mut Complaints) -> Option<Target> {
        let Some(written) = written else {
            // Even if another key of the target is wrong, its URL can be judged.
            if let Some(text) = self.root.get("target").and_then(|t| t.get("base_url")).and_then(|url| url.text()) {
                self.base_url(text, complaints);
            }
            return None;
        };
        let fields = written.headers.iter().map(|(name, value)| (name.as_str(), Some(value.0.as_str())));
        self.fields("/target/headers", fields, complaints);
        let headers: Headers = written.headers.into_iter().map(|(name, value)| (name, value.0)).collect();
        let base_url = self.base_url(&written.base_url, complaints)?;
        Some(Target { base_url, permits: written.permits.into_iter().collect(), headers, http2: written.http2 })
    }

    fn base_url(&self, text: &str, complaints: &mut Complaints) -> Option<Url> {
        match read(text) {
            Ok(url) => Some(url),
            Err((message, help)) => {
                self.error(BASE_URL, message, complaints).help(help);
                None
            }
        }
    }
}

/// Reads a base URL; the error is the problem and what would be right.
fn read(text: &str) -> Result<Url, (&'static str, &'static str)> {
    let example = "write an absolute URL such as https://api.example.com/v1";
    let url: Url = match text.parse() {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return Err(("the URL does not begin with http:// or https://", example));
        }
        Err(_) => return Err(("this is not a URL", example)),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(("only http and https can be tested", example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("credentials do not belong in a URL", "name a client under `clients` and give it a `basic`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err((
            "a base URL has no query and no fragment",
            "paths are appended to it; put parameters into requests",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_http_url_is_a_base() {
        for good in ["http://127.0.0.1:8080", "https://api.example.com/v1/", "http://[::1]:80"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for (bad, part) in [
            ("api.example.com", "does not begin"),
            ("", "does not begin"),
            ("http://", "not a URL"),
            ("http://a:99999", "not a URL"),
            ("ftp://a", "only http"),
            ("http://u:p@a", "credentials"),
            ("http://u@a", "credentials"),
            ("http://a?x", "no query"),
            ("http://a#x", "no query"),
        ] {
            assert!(read(bad).unwrap_err().0.contains(part), "{bad}");
        }
    }
}
