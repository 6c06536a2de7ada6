//! Request lines: `GET /v1/accounts/{{account}}/positions`.

use std::{fmt, str::FromStr};

use super::Template;

pub(super) const FORMAT: &str = "fincheck-request-line";

/// A method and a path (or absolute URL), as the first line of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The method, in capitals.
    pub method: String,
    /// The path with its query, if any; may hold `{{names}}`.
    pub target: Template,
}

impl FromStr for RequestLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (method, target) = text.split_once(' ').ok_or_else(|| {
            format!("`{text}` is not a request; write the method, a space and the path, such as GET /v1/accounts")
        })?;
        if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') {
            return Err(format!("`{method}` is not a method; write it in capitals, such as GET or POST"));
        }
        let target = target.trim();
        let absolute = target.starts_with("http://") || target.starts_with("https://");
        if !(absolute || target.starts_with('/') || target.starts_with("{{")) {
            return Err(format!("`{target}` is not a path; it begins with / and is joined to `target.base_url`"));
        }
        if target.chars().any(|c| c.is_control() || c == '#') {
            return Err("a path holds no control characters and no fragment (#...)".into());
        }
        Ok(Self { method: method.to_owned(), target: target.parse()? })
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

super::written_as_text!(
    RequestLine,
    "RequestLine",
    FORMAT,
    "A method and a path below `target.base_url`; `{{names}}` are filled in.",
    "GET /v1/accounts/{{account}}/positions"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_method_and_path() {
        let line: RequestLine = "GET /v1/a/{{b}}?c=d".parse().unwrap();
        assert_eq!((line.method.as_str(), line.to_string().as_str()), ("GET", "GET /v1/a/{{b}}?c=d"));
        for bad in ["", "GET", "/v1", "get /v1", "GET v1", "GET /a#b", "GET /a\u{1}", "GET /{{a"] {
            assert!(bad.parse::<RequestLine>().is_err(), "{bad}");
        }
    }
}
